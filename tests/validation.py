"""The table of docs/validation.md: rows that the long calibrations measure, one section for each test module."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import astuple, dataclass

START, END = "<!-- make validate WRITE=1 writes from here -->", "<!-- to here -->"
HEADER = ("measured", "target", "value")
_HEADING = re.compile(r"^### `(?P<module>[^`]+)`$", re.MULTILINE)


@dataclass(frozen=True)
class Row:
    """One figure: the module of tests that measured it, what it is, its target and its value."""

    module: str
    what: str
    target: str
    value: str


def sections_of(rows: Iterable[Row]) -> dict[str, str]:
    """Text by module: heading, the command that makes the rows, and the rows in the order of their measurement."""
    by_module: dict[str, list[Row]] = {}
    for row in rows:
        by_module.setdefault(row.module, []).append(row)
    return {
        module: f"### `{module}`\n\n```\n.venv/bin/pytest -m validate {module}\n```\n\n{_as_table(own)}"
        for module, own in by_module.items()
    }


def _as_table(rows: Sequence[Row]) -> str:
    """The rows as Markdown whose columns are aligned, so that it can be read on a terminal too."""
    cells = [HEADER, *(astuple(row)[1:] for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEADER))]
    lines = [" | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in cells]
    rule = "|".join("-" * (width + 2) for width in widths)
    return "\n".join([f"| {lines[0]} |", f"|{rule}|", *(f"| {line} |" for line in lines[1:])])


def with_sections(page: str, sections: dict[str, str], *, modules: Collection[str]) -> str:
    """The page with new sections in the place of the old ones of the same modules; all in the order of their names.

    Parameters
    ----------
    page
        With `START` and `END`, each once.
    sections
        Of `sections_of`.
    modules
        Those there are: what the page says of any other is dropped.

    Raises
    ------
    ValueError
        A mark is missing.
    """
    before, start, rest = page.partition(START)
    middle, end, after = rest.partition(END)
    if not (start and end):
        raise ValueError(f"the page lacks {START!r} or {END!r}")
    places = [*_HEADING.finditer(middle)]
    ends = [*(place.start() for place in places), len(middle)][1:]
    old = {place["module"]: middle[place.start() : stop].strip() for place, stop in zip(places, ends, strict=True)}
    kept = {module: text for module, text in (old | sections).items() if module in modules}
    text = "".join(kept[module] + "\n\n" for module in sorted(kept))
    return f"{before}{start}\n\n{text}{end}{after}"
