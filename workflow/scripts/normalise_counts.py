"""Normalise the counts of one dataset for quality control, scores and figures."""

from exoliver.normalise import normalise_counts
from exoliver.running import logged
from exoliver.store import read_counts, read_model, write_data

with logged(snakemake.log[0]):
    counts, samples, genes = read_counts(snakemake.input.counts)
    model = read_model(snakemake.input.arrays, snakemake.input.design)
    write_data(snakemake.output.normalised, normalise_counts(counts, model, samples=samples, genes=genes))
