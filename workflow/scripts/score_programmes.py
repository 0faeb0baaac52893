"""Scores of the programmes of one dataset, and the effects of every contrast on them."""

from exoliver.effects import make_setting
from exoliver.programme_stage import programme_tables
from exoliver.running import logged
from exoliver.store import read_expression, read_model, write_arrays
from exoliver.tables import read_index, read_mapped, write_named

with logged(snakemake.log[0]):
    setting = make_setting(
        [*map(read_mapped, snakemake.input.gene_sets, snakemake.input.entries)],
        expression=read_expression(snakemake.input.normalised),
        model=read_model(snakemake.input.arrays, snakemake.input.design),
        system=snakemake.params.system,
        settings=snakemake.params.settings,
    )
    contrasts = read_index(snakemake.input.index)
    write_named(programme_tables(setting, contrasts, settings=snakemake.params.settings), snakemake.output)
    write_arrays(snakemake.output.fit, setting.fit.arrays())
