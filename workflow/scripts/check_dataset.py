"""Check one dataset: its YAML and its files. Succeeds whatever it finds; preflight fails."""

from exoliver.checks import check_entry
from exoliver.running import logged
from exoliver.tables import write_json

with logged(snakemake.log[0]):
    check = check_entry(
        snakemake.wildcards.dataset,
        problems=snakemake.params.problems,
        intake=snakemake.params.intake,
        sources=snakemake.params.sources,
        arms=snakemake.params.arms,
        contrasts=snakemake.params.contrasts,
        gene_filter=snakemake.params.gene_filter,
        collections=snakemake.params.collections,
        genes_of_interest=snakemake.params.genes_of_interest,
    )
    write_json(check, snakemake.output.check)
