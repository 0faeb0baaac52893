"""The time points of one dataset: genes side by side, and the courses of the programmes."""

from exoliver.programmes import programme_facts, programme_fit_from
from exoliver.running import logged
from exoliver.store import read_arrays
from exoliver.tables import (
    PROGRAMMES,
    TIMEPOINT_GENES,
    TRAJECTORIES,
    read_contrasts,
    read_index,
    read_table,
    write_table,
)
from exoliver.timepoints import compare_timepoints, follow_programmes

with logged(snakemake.log[0]):
    contrasts = read_index(snakemake.input.index)
    fdr = snakemake.params.settings["fdr"]
    genes = compare_timepoints(contrasts, read_contrasts(snakemake.input.contrasts, contrasts), fdr=fdr)
    write_table(genes, TIMEPOINT_GENES, path=snakemake.output.genes)
    fit = programme_fit_from(read_arrays(snakemake.input.fit))
    facts = programme_facts(read_table(snakemake.input.programmes, PROGRAMMES))
    trajectories = follow_programmes(fit, contrasts, programmes=facts, fdr=fdr)
    write_table(trajectories, TRAJECTORIES, path=snakemake.output.trajectories)
