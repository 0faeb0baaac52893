"""Write every figure of one dataset as SVG, PDF and PNG."""

from exoliver.figures.export import export_pictures, read_pictures, write_pictures
from exoliver.running import logged

with logged(snakemake.log[0]):
    pictures = read_pictures(snakemake.input.pictures)
    write_pictures(export_pictures(pictures), snakemake.output.figures)
