"""Put the effects of one dataset at each time side by side, with their changes."""

from exoliver.contrasts import from_index
from exoliver.running import logged
from exoliver.tables import (
    TIMEPOINT_GENE_SETS,
    TIMEPOINT_GENES,
    read_contrasts,
    read_enrichment,
    read_json,
    write_table,
)
from exoliver.timepoints import compare_timepoints

with logged(snakemake.log[0]):
    contrasts = from_index(read_json(snakemake.input.index))
    genes, gene_sets = compare_timepoints(
        contrasts,
        read_contrasts(snakemake.input.contrasts, contrasts),
        enrichment=read_enrichment(snakemake.params.collections, snakemake.input.enrichment),
        fdr=snakemake.params.settings["fdr"],
    )
    write_table(genes, TIMEPOINT_GENES, path=snakemake.output.genes)
    write_table(gene_sets, TIMEPOINT_GENE_SETS, path=snakemake.output.gene_sets)
