"""Effects of the apoptosis genes one by one, their balances, and the genes of interest sample by sample."""

from exoliver.panel import gene_values, panel_genes, read_panel, score_panel
from exoliver.running import logged
from exoliver.store import read_expression, read_model
from exoliver.tables import GENE_VALUES, PANEL, read_contrasts, read_index, read_members, write_alike, write_table

with logged(snakemake.log[0]):
    expression = read_expression(snakemake.input.normalised)
    contrasts = read_index(snakemake.input.index)
    panel = score_panel(
        panel_genes(read_panel(), snakemake.params.organism, own=snakemake.params.settings["panel"]),
        contrasts,
        tables=read_contrasts(snakemake.input.contrasts, contrasts),
        expression=expression.vst,
        samples=expression.samples,
        model=read_model(snakemake.input.arrays, snakemake.input.design),
        programmes=read_members(snakemake.input.programmes[0]),
    )
    write_table(panel, PANEL, path=snakemake.output.panel)
    values = gene_values(snakemake.params.settings["genes_of_interest"], expression)
    write_alike(values, GENE_VALUES, folder=snakemake.output.genes)
