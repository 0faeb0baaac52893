"""Write the page of one dataset and its figures."""

from exoliver.figures.figure import write_figures
from exoliver.provenance import file_digests, methods_text
from exoliver.report.material import read_material
from exoliver.report.pages import dataset_page
from exoliver.report.render import render_page
from exoliver.running import logged
from exoliver.tables import write_text

with logged(snakemake.log[0]):
    material = read_material(
        snakemake.input,
        snakemake.params.facts,
        settings=snakemake.params.settings,
        collections=snakemake.params.collections,
    )
    methods = methods_text(material.facts, settings=material.settings, design=material.design)
    page = dataset_page(material, methods, inputs=file_digests(snakemake.input.files))
    write_figures(page.figures, snakemake.output.figures)
    write_text(render_page(page), snakemake.output.page)
