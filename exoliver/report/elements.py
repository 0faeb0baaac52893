"""What a page is made of: sections that open with their finding, and the blocks below it. Knows no HTML.

Every block names its `kind`, and the template of that name shows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from exoliver import __version__
from exoliver.figures.figure import Figure
from exoliver.figures.words import NOTHING, aligned, count, is_missing, number, pvalue

SHORT = 26  # letters that stay in one line of a table


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
    """

    title: str
    cells: tuple[str, ...]
    is_number: bool = False
    links: tuple[str, ...] = ()
    details: tuple[str, ...] = ()

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
        length = len(self.columns[0].cells) if self.columns else 0
        return [
            [
                Cell(
                    column.cells[row],
                    column.links[row] if column.links else "",
                    column.layout,
                    column.details[row] if column.details else "",
                )
                for column in self.columns
            ]
            for row in range(length)
        ]

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
        blocks = [block for section in (self.answer, *self.sections) for block in section.blocks]
        pictures = [self.aside] if self.aside else []
        for block in blocks:
            pictures += (
                [block] if isinstance(block, Picture) else list(block.pictures) if isinstance(block, Row) else []
            )
        return [picture.figure for picture in pictures]


MOST_NUMBERS = 20  # rows of the table below a figure
EFFECT_DECIMALS = 2  # of log2 fold changes in a column; smaller ones mean nothing


def texts(title: str, values: Sequence[Any], *, links: Sequence[str] = (), details: Sequence[str] = ()) -> Column:
    """A column of words; missing ones are a dash."""
    cells = tuple(NOTHING if is_missing(value) or value == "" else str(value) for value in values)
    return Column(title, cells, links=tuple(links), details=tuple(details))


def counts(title: str, values: Sequence[Any]) -> Column:
    """A column of whole numbers."""
    return Column(title, tuple(count(value) for value in values), is_number=True)


def numbers(title: str, values: Sequence[Any], *, digits: int = 2) -> Column:
    """A column of numbers with their decimal points below each other."""
    return Column(title, tuple(aligned([number(value, digits) for value in values])), is_number=True)


def effects(title: str, values: Sequence[Any]) -> Column:
    """A column of log2 fold changes, none with more than two decimals."""
    return Column(title, tuple(aligned([number(value, most=EFFECT_DECIMALS) for value in values])), is_number=True)


def pvalues(title: str, values: Sequence[Any]) -> Column:
    """A column of p-values."""
    return Column(title, tuple(pvalue(value) for value in values), is_number=True)


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
