"""How far the treatments of one dataset undo its injury: programmes, genes, and one slope over all genes."""

from exoliver.programmes import programme_facts, programme_fit_from
from exoliver.rescue_stage import rescue_tables
from exoliver.running import logged
from exoliver.store import read_arrays, read_expression, read_model
from exoliver.tables import PROGRAMMES, read_index, read_table, write_named

with logged(snakemake.log[0]):
    tables = rescue_tables(
        programme_fit_from(read_arrays(snakemake.input.fit)),
        read_index(snakemake.input.index),
        programmes=programme_facts(read_table(snakemake.input.programmes, PROGRAMMES)),
        model=read_model(snakemake.input.arrays, snakemake.input.design),
        expression=read_expression(snakemake.input.normalised),
        fdr=snakemake.params.settings["fdr"],
    )
    write_named(tables, snakemake.output)
