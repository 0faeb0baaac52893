"""What a page is made of: sections that open with their finding, and the blocks below it. Knows no HTML.

Every block names its `kind`, and the template of that name shows it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from exoliver import __version__
from exoliver.figures.figure import Figure
from exoliver.figures.words import MINUS, NOTHING, THIN_SPACE, aligned, count, is_missing, number, pvalue

SHORT = 26  # letters that stay in one line of a table
FEW_ROWS = 8  # a table with fewer is seen at a glance: it needs no search
# The number that a cell opens with: `−0.45 (−0.60 to −0.31)`, `×1.4`, `12 300`, `4e-7`, `< 1e-300`.
_OPENING = re.compile(r"[<>≤≥~ ]*([×÷]?)(-?\d+(?:\.\d+)?(?:e-?\d+)?)")


@dataclass(frozen=True)
class Link:
    """A place in the results, relative to the page."""

    text: str
    href: str


@dataclass(frozen=True)
class Heading:
    """Opens a part of a section."""

    text: str
    kind: ClassVar[str] = "heading"


@dataclass(frozen=True)
class Prose:
    """Paragraphs; `lead` stands before the first in stronger type."""

    paragraphs: tuple[str, ...]
    lead: str = ""
    kind: ClassVar[str] = "prose"


@dataclass(frozen=True)
class Bullets:
    """A list; numbered where the order counts, folded where it is long and few will read it."""

    items: tuple[str, ...]
    is_numbered: bool = False
    is_folded: bool = False
    kind: ClassVar[str] = "bullets"


@dataclass(frozen=True)
class Facts:
    """Terms with what they stand for."""

    items: tuple[tuple[str, str], ...]
    kind: ClassVar[str] = "facts"


@dataclass(frozen=True)
class Notices:
    """Warnings: where, what and what to do."""

    items: tuple[tuple[str, str, str], ...]
    kind: ClassVar[str] = "notices"


@dataclass(frozen=True)
class Files:
    """Links to files of the results, each with what it holds."""

    items: tuple[tuple[Link, str], ...]
    kind: ClassVar[str] = "files"


@dataclass(frozen=True)
class Column:
    """One column of a table, its cells as they are shown.

    Parameters
    ----------
    links
        A path for each cell, or none at all.
    details
        What is folded under each cell, or none at all; empty for cells with nothing under them.
    order
        The number by which each cell is sorted, NaN where there is none. Without it, numbers are sorted by what they
        open with and words by their letters.
    """

    title: str
    cells: tuple[str, ...]
    is_number: bool = False
    links: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    order: tuple[float, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """What each cell is sorted by, as text; empty where a number is missing, none at all for words."""
        values = self.order or (tuple(map(_opening, self.cells)) if self.is_number else ())
        return tuple("" if is_missing(value) else f"{float(value):.9g}" for value in values)

    @property
    def layout(self) -> str:
        """How the cells are set: numbers to the right, short words in one line, the rest as text."""
        if self.is_number:
            return "number"
        return "short" if all(len(cell) <= SHORT for cell in self.cells) and not any(self.details) else "long"


@dataclass(frozen=True)
class Cell:
    """One cell as the template takes it."""

    text: str
    href: str
    layout: str
    details: str
    order: str | None


@dataclass(frozen=True)
class Table:
    """A table.

    Parameters
    ----------
    caption
        What it shows, what is sorted first and why.
    columns
        Of one length.
    groups
        Row number to the heading of the rows that begin there.
    more
        The file with all rows, where these are the first of them.
    """

    caption: str
    columns: tuple[Column, ...]
    groups: tuple[tuple[int, str], ...] = ()
    more: Link | None = None
    kind: ClassVar[str] = "table"

    @property
    def rows(self) -> list[list[Cell]]:
        """Cells row by row."""
        columns = [(column, column.keys) for column in self.columns]
        return [
            [
                Cell(
                    column.cells[row],
                    column.links[row] if column.links else "",
                    column.layout,
                    column.details[row] if column.details else "",
                    keys[row] if keys else None,
                )
                for column, keys in columns
            ]
            for row in range(self.length)
        ]

    @property
    def length(self) -> int:
        """Number of rows."""
        return len(self.columns[0].cells) if self.columns else 0

    @property
    def is_interactive(self) -> bool:
        """It can be searched and sorted: long enough to be worth it, and without rows that head others."""
        return self.length >= FEW_ROWS and not self.groups

    @property
    def headings(self) -> dict[int, str]:
        """Heading by the row that it stands above."""
        return dict(self.groups)


@dataclass(frozen=True)
class Picture:
    """A figure with the sentence that says what it shows, its numbers as a table, and whether it is a file too."""

    figure: Figure
    caption: str
    numbers: Table
    has_file: bool = True
    kind: ClassVar[str] = "picture"


@dataclass(frozen=True)
class Row:
    """Pictures that stand beside each other where there is room; small ones three in a row."""

    pictures: tuple[Picture, ...]
    is_small: bool = False
    kind: ClassVar[str] = "row"


@dataclass(frozen=True)
class Folded:
    """Blocks that few will read, behind a line that says what they are; print shows them."""

    summary: str
    blocks: tuple[Any, ...]
    kind: ClassVar[str] = "folded"


@dataclass(frozen=True)
class Explorer:
    """Any gene on demand, drawn by the page's script.

    Parameters
    ----------
    data
        What `explorer.pack` made, in base 64.
    arms
        Label and colour of each arm.
    contrasts
        Id and name of each contrast whose genes can be listed.
    example
        A gene that is there.
    """

    data: str
    arms: tuple[tuple[str, str], ...]
    contrasts: tuple[tuple[str, str], ...]
    example: str
    kind: ClassVar[str] = "explorer"


@dataclass(frozen=True)
class Section:
    """One question of the reader.

    Parameters
    ----------
    id, title
        Anchor and heading.
    finding
        The sentence that it opens with.
    contents
        The same in a few words, for the table of contents.
    blocks
        What follows.
    """

    id: str
    title: str
    finding: str
    contents: str
    blocks: tuple[Any, ...]

    @property
    def parts(self) -> list[Any]:
        """Every block, those behind a fold in their place."""
        return _unfolded(self.blocks)


def _unfolded(blocks: Sequence[Any]) -> list[Any]:
    """The blocks themselves, and in place of a fold what is behind it."""
    return [one for block in blocks for one in (_unfolded(block.blocks) if isinstance(block, Folded) else [block])]


@dataclass(frozen=True)
class Page:
    """One self-contained page.

    Parameters
    ----------
    title, subtitle
        Heading of the page and the line below it.
    facts
        What the reader has to know of the data before the first sentence.
    answer
        The section that is read first, with its pictures beside it.
    aside
        Picture beside the answer; None where there is none.
    cautions
        What may not be claimed, beside the answer too.
    sections
        All others, in the order of reading.
    up
        The page that leads here.
    band
        What must be seen on every page of simulated data; empty for others.
    """

    title: str
    subtitle: str
    facts: tuple[tuple[str, str], ...]
    answer: Section
    aside: Picture | None
    sections: tuple[Section, ...]
    cautions: tuple[str, ...] = ()
    up: Link | None = None
    band: str = ""
    version: str = __version__

    @property
    def figures(self) -> list[Figure]:
        """Every figure of the page, in the order of reading."""
        return [picture.figure for picture in self.pictures]

    @property
    def pictures(self) -> list[Picture]:
        """Every picture of the page, in the order of reading."""
        pictures = [self.aside] if self.aside else []
        for block in self.blocks:
            pictures += (
                [block] if isinstance(block, Picture) else list(block.pictures) if isinstance(block, Row) else []
            )
        return pictures

    @property
    def tables(self) -> list[Table]:
        """Every table of the page, those of the numbers of its pictures among them."""
        own = [block for block in self.blocks if isinstance(block, Table)]
        return [*own, *(picture.numbers for picture in self.pictures)]

    @property
    def blocks(self) -> list[Any]:
        """Every block of the page, in the order of reading, those of folded ones in their place."""
        return [block for section in (self.answer, *self.sections) for block in section.parts]


MOST_NUMBERS = 20  # rows of the table below a figure
EFFECT_DECIMALS = 2  # of log2 fold changes in a column; smaller ones mean nothing


def texts(title: str, values: Sequence[Any], *, links: Sequence[str] = (), details: Sequence[str] = ()) -> Column:
    """A column of words; missing ones are a dash."""
    cells = tuple(NOTHING if is_missing(value) or value == "" else str(value) for value in values)
    return Column(title, cells, links=tuple(links), details=tuple(details))


def counts(title: str, values: Sequence[Any]) -> Column:
    """A column of whole numbers."""
    return Column(title, tuple(count(value) for value in values), is_number=True, order=_order(values))


def numbers(title: str, values: Sequence[Any], *, digits: int = 2) -> Column:
    """A column of numbers with their decimal points below each other."""
    cells = tuple(aligned([number(value, digits) for value in values]))
    return Column(title, cells, is_number=True, order=_order(values))


def effects(title: str, values: Sequence[Any]) -> Column:
    """A column of log2 fold changes, none with more than two decimals."""
    cells = tuple(aligned([number(value, most=EFFECT_DECIMALS) for value in values]))
    return Column(title, cells, is_number=True, order=_order(values))


def pvalues(title: str, values: Sequence[Any]) -> Column:
    """A column of p-values."""
    return Column(title, tuple(pvalue(value) for value in values), is_number=True, order=_order(values))


def _order(values: Sequence[Any]) -> tuple[float, ...]:
    """Numbers to sort by; NaN where there is none."""
    return tuple(math.nan if is_missing(value) else float(value) for value in values)


def _opening(cell: str) -> float:
    """The number that a cell opens with, a fall by a factor as a fraction; NaN where it opens with none."""
    found = _OPENING.match(cell.replace(THIN_SPACE, "").replace(MINUS, "-"))
    if not found:
        return math.nan
    value = float(found[2])
    return 1 / value if found[1] == "÷" and value else value


def picture(figure: Figure, caption: str, *, more: Link | None = None, has_file: bool = True) -> Picture:
    """A figure with its sentence; the first of its numbers as a table, and where all of them are."""
    data = figure.data.head(MOST_NUMBERS)
    columns = tuple(_numbers_column(name, data[name].tolist()) for name in data.columns)
    rest = len(figure.data) - len(data)
    text = f"The first {count(len(data))} of {count(len(figure.data))} rows." if rest else "The numbers drawn."
    return Picture(figure, caption, Table(text, columns, more=more if rest else None), has_file)


def _numbers_column(name: str, values: Sequence[Any]) -> Column:
    """A column of a figure's data by what it holds."""
    title = name.replace("_", " ")
    if any(isinstance(value, str) for value in values):
        return texts(title, values)
    if name in ("pvalue", "padj"):
        return pvalues({"pvalue": "p", "padj": "adjusted p"}[name], values)
    is_whole = all(is_missing(value) or float(value).is_integer() for value in values)
    return counts(title, values) if is_whole else numbers(title, values, digits=3)
