"""Enrich one collection in every contrast of one dataset, and export what other programs read of it."""

from exoliver.enrichment import enrich_contrasts
from exoliver.exports import export_collection
from exoliver.ranked_sets import sets_to_rank
from exoliver.running import logged
from exoliver.tables import (
    ENRICHMENT,
    GENE_SETS,
    OVERREPRESENTATION,
    read_contrasts,
    read_index,
    read_json,
    read_table,
    write_alike,
    write_texts,
)

with logged(snakemake.log[0]):
    contrasts = read_contrasts(snakemake.input.contrasts, read_index(snakemake.input.index), omnibus=False)
    sets = sets_to_rank(read_table(snakemake.input.gene_sets, GENE_SETS), read_json(snakemake.input.entry))
    enrichment, overrepresentation = enrich_contrasts(
        contrasts, sets, settings=snakemake.params.settings, label=list(snakemake.wildcards), threads=snakemake.threads
    )
    write_alike(enrichment, ENRICHMENT, folder=snakemake.output.enrichment)
    write_alike(overrepresentation, OVERREPRESENTATION, folder=snakemake.output.overrepresentation)
    write_texts(export_collection(contrasts, sets, enrichment=enrichment), snakemake.output.exports)
