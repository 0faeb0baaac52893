"""Enrich one collection in every contrast of one dataset."""

from exoliver.contrasts import from_index
from exoliver.enrichment import enrich_contrasts
from exoliver.genesets import gene_sets_as_dict
from exoliver.running import logged
from exoliver.tables import (
    ENRICHMENT,
    GENE_SETS,
    OVERREPRESENTATION,
    read_contrasts,
    read_json,
    read_table,
    write_alike,
)

with logged(snakemake.log[0]):
    enrichment, overrepresentation = enrich_contrasts(
        read_contrasts(snakemake.input.contrasts, from_index(read_json(snakemake.input.index)), omnibus=False),
        gene_sets_as_dict(read_table(snakemake.input.gene_sets, GENE_SETS)),
        by=read_json(snakemake.input.entry)["genes"],
        settings=snakemake.params.settings,
        label=list(snakemake.wildcards),
        threads=snakemake.threads,
    )
    write_alike(enrichment, ENRICHMENT, folder=snakemake.output.enrichment)
    write_alike(overrepresentation, OVERREPRESENTATION, folder=snakemake.output.overrepresentation)
