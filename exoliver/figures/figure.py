"""What a figure is, and how a chart becomes one: SVG without a browser, the same bytes on every run."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import altair as alt
import pandas as pd
import vl_convert

from exoliver.figures.style import CONFIG, FONT, Look
from exoliver.tables import write_text

SVG = "http://www.w3.org/2000/svg"
VERSION = "_".join(alt.SCHEMA_VERSION.lstrip("v").split(".")[:2])
SCHEMA = f"https://vega.github.io/schema/vega-lite/{alt.SCHEMA_VERSION}.json"
APART = ("$schema", "config", "datasets")  # of the whole figure, not of its parts
DROPPED = ("class", "aria-hidden", "aria-roledescription", "role", "pointer-events", "stroke-miterlimit")
POSITIONS = ("transform", "d", "x", "y", "x2", "y2", "width", "height")
SHARED = ("fill", "stroke", "stroke-width", "font-size", "text-anchor")  # inherited by the members of a group
MANY = 8
_PLACE = re.compile(r"translate\(([-\d.]+),([-\d.]+)\)")
_CIRCLE = re.compile(r"M([\d.]+),0A\1,\1,0,1,1,-\1,0A\1,\1,0,1,1,\1,0")
_NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")
# What XML 1.0 cannot carry; a control character in a user's label would make the file unreadable.
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


@dataclass(frozen=True)
class Figure:
    """A picture and what it says without being seen.

    Parameters
    ----------
    name
        Stem of its file; that of simulated data ends in `_simulated`.
    svg
        The picture.
    alt
        What it shows, in words and numbers.
    data
        The numbers drawn, for the table beside the picture.
    """

    name: str
    svg: str
    alt: str
    data: pd.DataFrame


def arranged(charts: Sequence[Any], way: str, *, spacing: int, columns: int | None = None) -> dict[str, Any]:
    """Several charts as one specification.

    Altair's own concatenation copies every chart several times, which takes longer than drawing a figure of many.

    Parameters
    ----------
    charts
        Altair charts, or specifications that this function made.
    way
        hconcat, vconcat, or concat (with `columns`).
    spacing
        Pixels between them.
    """
    specs = [chart if isinstance(chart, dict) else chart.to_dict(validate=False) for chart in charts]
    data = {name: rows for spec in specs for name, rows in spec.get("datasets", {}).items()}
    parts = [{key: value for key, value in spec.items() if key not in APART} for spec in specs]
    more = {} if columns is None else {"columns": columns}
    return {"datasets": data, way: parts, "spacing": spacing, **more}


def finish(
    chart: Any, look: Look, *, name: str, title: str, alt_text: str, data: pd.DataFrame, subtitle: str = ""
) -> Figure:
    """The figure of a chart.

    Parameters
    ----------
    chart
        An altair chart without title or configuration, or a specification of `arranged`.
    look
        The dataset's; simulated data are named so in title and file name.
    name, title, alt_text, data
        As in `Figure`; the title is above the picture.
    subtitle
        Below the title, what must be known to read the picture; none where empty.
    """
    # Not validated again: altair checks each part when it is made, and the whole takes as long as drawing it.
    spec = chart if isinstance(chart, dict) else chart.to_dict(validate=False)
    spec = spec | {
        "$schema": SCHEMA,
        "title": look.title(title, subtitle).to_dict(),
        "config": alt.Config(**CONFIG).to_dict(),
    }
    svg = vl_convert.vegalite_to_svg(_printable(spec), vl_version=VERSION, allowed_base_urls=[])
    name = f"{name}_simulated" if look.simulated else name
    words = f"Simulated data. {alt_text}" if look.simulated else alt_text
    return Figure(name, tidy_svg(svg, name=name, alt_text=words), _printable(words), data)


def write_figures(figures: Sequence[Figure], folder: str | Path) -> None:
    """Write one `{name}.svg` for each figure into a folder."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    for figure in figures:
        write_text(figure.svg + "\n", Path(folder) / f"{figure.name}.svg")


def _printable(value: Any) -> Any:
    """The same value without characters that XML cannot carry, at any depth."""
    if isinstance(value, str):
        return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", value)
    if isinstance(value, Mapping):
        return {_printable(key): _printable(item) for key, item in value.items()}
    return [_printable(item) for item in value] if isinstance(value, list | tuple) else value


def tidy_svg(svg: str, *, name: str, alt_text: str) -> str:
    """The picture without what nothing needs, with ids of its own and its words for those who do not see it.

    Parameters
    ----------
    svg
        As the converter writes it.
    name
        Put before every id, since pages hold several pictures.
    alt_text
        Label of the picture.
    """
    ElementTree.register_namespace("", SVG)
    root = ElementTree.fromstring(svg)
    given = [element.attrib["id"] for element in root.iter() if "id" in element.attrib]
    ids = {identity: f"{name}-{place}" for place, identity in enumerate(given, start=1)}  # the converter's count on
    _prune(root)
    for element in list(root.iter()):
        _title_element(element)
        _tidy_element(element, ids)
    for element in root.iter():
        _round_circle(element)
        _share_attributes(element)
    root.attrib = {key: root.attrib[key] for key in ("width", "height", "viewBox")}
    root.attrib |= {"role": "img", "aria-label": _printable(alt_text), "font-family": FONT}
    return ElementTree.tostring(root, encoding="unicode")


def _prune(element: ElementTree.Element) -> None:
    """Take out what is not displayed and groups without content."""
    for child in list(element):
        _prune(child)
        bare = not len(child) and not (child.text or "").strip()
        invisible = child.attrib.get("display") == "none" or child.attrib.get("class") == "background"
        is_unseen_background = invisible and "fill" not in child.attrib and "stroke" not in child.attrib
        if bare and (child.tag == f"{{{SVG}}}g" or is_unseen_background):
            element.remove(child)


def _title_element(element: ElementTree.Element) -> None:
    """The description of a mark as its title, which browsers show under the pointer; those of axes and legends go."""
    words = element.attrib.pop("aria-label", "")
    if words and element.tag != f"{{{SVG}}}g":
        ElementTree.SubElement(element, f"{{{SVG}}}title").text = words


def _tidy_element(element: ElementTree.Element, ids: Mapping[str, str]) -> None:
    """Short numbers, ids of this picture, and no attribute that a reader does not need."""
    for key in DROPPED:
        element.attrib.pop(key, None)
    if element.attrib.get("opacity") == "1":
        del element.attrib["opacity"]
    if element.attrib.get("font-family") == FONT:
        del element.attrib["font-family"]
    for key, value in element.attrib.items():
        if key in POSITIONS:
            element.attrib[key] = _NUMBER.sub(lambda match: f"{float(match[0]):.2f}".rstrip("0").rstrip("."), value)
        elif value.startswith("url(#"):
            element.attrib[key] = f"url(#{ids[value[5:-1]]})"
        elif key == "id":
            element.attrib[key] = ids[value]


def _round_circle(element: ElementTree.Element) -> None:
    """A path that is a circle becomes one, since a scatter plot has thousands."""
    place, shape = _PLACE.fullmatch(element.attrib.get("transform", "")), _CIRCLE.fullmatch(element.attrib.get("d", ""))
    if element.tag == f"{{{SVG}}}path" and place and shape:
        element.tag = f"{{{SVG}}}circle"
        rest = {key: value for key, value in element.attrib.items() if key not in ("transform", "d")}
        element.attrib = {"cx": _tenths(place[1]), "cy": _tenths(place[2]), "r": shape[1]} | rest


def _tenths(pixels: str) -> str:
    """Pixels to one decimal, finer than any screen shows the middle of a circle."""
    return f"{float(pixels):.1f}".removesuffix(".0")


def _share_attributes(group: ElementTree.Element) -> None:
    """What all members of a group say alike is said once, by the group."""
    if group.tag != f"{{{SVG}}}g" or len(group) < MANY:
        return
    for key in SHARED:
        values = {child.attrib.get(key) for child in group}
        if len(values) == 1 and None not in values and key not in group.attrib:
            group.attrib[key] = values.pop() or ""
            for child in group:
                del child.attrib[key]
