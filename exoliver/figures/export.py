"""Figures for papers: the PDF and the PNG of a picture that is there as SVG, made without a browser."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

import vl_convert

from exoliver.figures.pdf import canonical_pdf

SVG = "http://www.w3.org/2000/svg"
DOTS = 300  # per inch, what journals ask for at the printed size
POINTS_PER_PIXEL = 0.75  # a pixel of SVG is 1/96 inch, a point of PDF 1/72
PAPER = "#ffffff"
SHAPES = ("circle", "ellipse", "line", "path", "polygon", "polyline", "rect", "text")


def export_pictures(pictures: Mapping[str, str]) -> dict[str, bytes]:
    """SVG, PDF and PNG of each picture, all of one printed size, by the name of the file.

    Parameters
    ----------
    pictures
        SVG by name.

    Returns
    -------
    The SVG as it is; the PDF with text that stays text; the PNG at 300 dots per inch on white.
    """
    drawn: dict[str, bytes] = {}
    for name, svg in pictures.items():
        printed = printed_svg(svg)
        drawn[f"{name}.svg"] = svg.encode()
        drawn[f"{name}.pdf"] = canonical_pdf(vl_convert.svg_to_pdf(printed))
        drawn[f"{name}.png"] = vl_convert.svg_to_png(on_paper(printed), ppi=DOTS)
    return drawn


def printed_svg(svg: str) -> str:
    """The picture in points, the opacity of its marks as that of their one paint, without marks that nobody sees.

    A PDF makes a group of its own for every mark with an opacity, which takes several times the room of its paint's.
    """
    ElementTree.register_namespace("", SVG)
    root = ElementTree.fromstring(svg)
    for side in ("width", "height"):
        root.attrib[side] = f"{float(root.attrib[side]) * POINTS_PER_PIXEL:g}"
    _flatten(root, {"fill": "black", "stroke": "none"})
    return ElementTree.tostring(root, encoding="unicode")


def _flatten(element: ElementTree.Element, paint: Mapping[str, str]) -> None:
    """The same of one element and what is in it, which inherits its paint."""
    paint = {key: element.attrib.get(key, value) for key, value in paint.items()}
    if element.tag in {f"{{{SVG}}}{shape}" for shape in SHAPES} and "opacity" in element.attrib:
        painted = [key for key, value in paint.items() if value not in ("none", "transparent")]
        own = f"{painted[0]}-opacity" if painted else ""
        if len(painted) == 1 and own not in element.attrib:
            element.attrib[own] = element.attrib.pop("opacity")
    for child in list(element):
        if child.attrib.get("opacity") == "0":
            element.remove(child)
        else:
            _flatten(child, paint)


def on_paper(svg: str) -> str:
    """The picture on white."""
    root = ElementTree.fromstring(svg)
    root.insert(0, ElementTree.Element(f"{{{SVG}}}rect", {"width": "100%", "height": "100%", "fill": PAPER}))
    return ElementTree.tostring(root, encoding="unicode")


def read_pictures(folder: str | Path) -> dict[str, str]:
    """SVG of every picture of a folder, by name."""
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(Path(folder).glob("*.svg"))}


def write_pictures(files: Mapping[str, bytes], folder: str | Path) -> None:
    """Write files into a folder.

    Not beside and renamed, as tables are: Snakemake takes a folder away whose job failed, and the writer of tables
    brings pandas with it, which takes as long to load as some pictures to draw.
    """
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (Path(folder) / name).write_bytes(content)
