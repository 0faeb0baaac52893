"""Estimate every contrast of one dataset on its one fit."""

from exoliver.contrasts import as_index
from exoliver.differential import estimate_contrasts
from exoliver.running import logged
from exoliver.store import read_counts, read_model
from exoliver.study import Arm, ExtraContrast, each_from_plain
from exoliver.tables import write_json, write_tables

with logged(snakemake.log[0]):
    counts, _, genes = read_counts(snakemake.input.counts)
    contrasts, tables = estimate_contrasts(
        read_model(snakemake.input.arrays, snakemake.input.design),
        counts,
        genes=genes,
        arms=each_from_plain(Arm, snakemake.params.arms),
        unit=snakemake.params.unit,
        extra=each_from_plain(ExtraContrast, snakemake.params.contrasts),
        fdr=snakemake.params.settings["fdr"],
        threshold=snakemake.params.settings["log2_fold_change_threshold"],
        threads=snakemake.threads,
    )
    write_tables(tables, snakemake.output.folder)
    write_json(as_index(contrasts), snakemake.output.index)
