"""Write the page of the study."""

from exoliver.report.overview import overview_page
from exoliver.report.overview_data import read_study
from exoliver.report.render import render_page
from exoliver.running import logged
from exoliver.tables import write_text

with logged(snakemake.log[0]):
    datasets = read_study(snakemake.input, snakemake.params.datasets)
    page = overview_page(datasets, snakemake.params.settings)
    write_text(render_page(page), snakemake.output.page)
