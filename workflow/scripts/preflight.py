"""Gather the checks of all datasets; print every problem and fail if there is one."""

from exoliver.checks import merge_study, report_problems
from exoliver.running import logged
from exoliver.tables import read_json, write_json

with logged(snakemake.log[0]):
    checks = list(map(read_json, snakemake.input.checks))
    preflight = merge_study(snakemake.params.problems, checks, collections=snakemake.params.collections)
    report_problems(preflight)
    write_json(preflight, snakemake.output.preflight)
