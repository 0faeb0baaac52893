"""Simulate one dataset with planted truth."""

from exoliver.genesets import find_collection, read_gene_sets
from exoliver.identifiers import read_annotation
from exoliver.running import logged
from exoliver.simulation import simulate_dataset
from exoliver.tables import SAMPLES, TRUTH_GENES, TRUTH_PROGRAMMES, write_counts, write_table

with logged(snakemake.log[0]):
    collection = find_collection(snakemake.params.programmes, snakemake.params.organism)
    dataset = simulate_dataset(
        snakemake.params.simulation["spec"],
        arms=snakemake.params.simulation["arms"],
        genes=read_annotation(snakemake.params.organism),
        gene_sets=read_gene_sets(collection.path),
        time_unit=snakemake.params.unit,
    )
    write_counts(dataset.counts, snakemake.output.counts)
    write_table(dataset.samples, SAMPLES, path=snakemake.output.samples)
    write_table(dataset.truth_programmes, TRUTH_PROGRAMMES, path=snakemake.output.programmes)
    write_table(dataset.truth_genes, TRUTH_GENES, path=snakemake.output.genes)
