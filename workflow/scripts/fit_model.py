"""Fit one negative binomial model per gene of one dataset."""

from exoliver.differential import fit_model
from exoliver.running import logged
from exoliver.store import read_counts, write_model
from exoliver.study import GeneFilter, Intake, from_plain

with logged(snakemake.log[0]):
    counts, samples, _ = read_counts(snakemake.input.counts)
    model = fit_model(
        counts,
        samples,
        intake=from_plain(Intake, snakemake.params.intake),
        gene_filter=from_plain(GeneFilter, snakemake.params.gene_filter),
        threads=snakemake.threads,
    )
    write_model(model, snakemake.output.arrays, design=snakemake.output.design)
