"""Write the main tables of one dataset as one workbook."""

from exoliver.report.supplement import read_findings, supplement_sheets
from exoliver.running import logged
from exoliver.tables import write_bytes
from exoliver.workbook import workbook_bytes

with logged(snakemake.log[0]):
    findings = read_findings(snakemake.input, snakemake.params.collections)
    sheets = supplement_sheets(findings, snakemake.params.facts, settings=snakemake.params.settings)
    write_bytes(workbook_bytes(sheets, title=snakemake.wildcards.dataset), snakemake.output.workbook)
