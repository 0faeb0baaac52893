"""The time points of one dataset: genes side by side, and the courses of the programmes."""

from exoliver.programmes import programme_facts, programme_fit_from
from exoliver.running import logged
from exoliver.store import read_arrays, read_model
from exoliver.tables import PROGRAMMES, read_contrasts, read_index, read_table, write_named
from exoliver.timepoints import timepoint_tables

with logged(snakemake.log[0]):
    contrasts = read_index(snakemake.input.index)
    tables = timepoint_tables(
        programme_fit_from(read_arrays(snakemake.input.fit)),
        contrasts,
        genes=read_contrasts(snakemake.input.contrasts, contrasts),
        programmes=programme_facts(read_table(snakemake.input.programmes, PROGRAMMES)),
        model=read_model(snakemake.input.arrays, snakemake.input.design),
        fdr=snakemake.params.settings["fdr"],
    )
    write_named(tables, snakemake.output)
