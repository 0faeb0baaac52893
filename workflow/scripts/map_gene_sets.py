"""Map one collection of gene sets to the genes of one dataset."""

from exoliver.genesets import map_collection
from exoliver.running import logged
from exoliver.store import read_counts, read_model
from exoliver.tables import GENE_SETS, write_json, write_table

with logged(snakemake.log[0]):
    _, _, genes = read_counts(snakemake.input.counts)
    model = read_model(snakemake.input.arrays, snakemake.input.design)
    gene_sets, entry = map_collection(
        snakemake.params.collection,
        snakemake.params.organism,
        genes=model.describe_genes(genes),
        own_genes=snakemake.params.own_genes,
    )
    write_table(gene_sets, GENE_SETS, path=snakemake.output.gene_sets)
    write_json(entry, snakemake.output.entry)
