"""Import the counts of one dataset: genes identified, samples arranged, everything in one fixed order."""

from exoliver.identifiers import read_annotation, read_synonyms
from exoliver.importing import import_counts, read_intake
from exoliver.running import logged
from exoliver.store import write_counts
from exoliver.tables import IDENTIFIERS, LEDGER, write_table

with logged(snakemake.log[0]):
    intake, material = read_intake(snakemake.params.intake, **snakemake.params.sources)
    imported = import_counts(
        material,
        identifiers=intake.counts.identifiers,
        annotation=read_annotation(intake.organism),
        synonyms=read_synonyms(intake.organism),
        excel_dates=intake.counts.excel_dates,
    )
    write_counts(snakemake.output.counts, imported.counts, samples=imported.samples, genes=imported.genes)
    write_table(imported.identifiers, IDENTIFIERS, path=snakemake.output.identifiers)
    write_table(imported.ledger, LEDGER, path=snakemake.output.ledger)
