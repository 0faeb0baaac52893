"""The door to workbooks: tables in, the bytes of an XLSX file out, the same on every run.

Text is text: no cell is computed, taken for a date or for an error, whatever a user called a gene.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet may compute what begins with one of these, once it is edited
LONGEST_TEXT = 32_767  # characters of a cell, by ECMA-376
CUT = " …"
NARROWEST, WIDEST = 8, 60  # characters
BUTTON = 3  # characters that the button of a filter covers
SEEN = 200  # rows by which the width of a column is chosen
EPOCH = (1980, 1, 1, 0, 0, 0)  # the first date of a ZIP file
# What XML 1.0 cannot carry.
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_DATES = re.compile(rb"<dcterms:(created|modified)[^>]*>[^<]*</dcterms:\1>")


@dataclass(frozen=True)
class Sheet:
    """A sheet: its name, and the table that it shows under its columns."""

    name: str
    table: pd.DataFrame


def workbook_bytes(sheets: Sequence[Sheet], *, title: str) -> bytes:
    """An XLSX file: a header that stays in sight above every sheet, filters, numbers as numbers, missing ones empty.

    Parameters
    ----------
    sheets
        In the order of the file.
    title
        Of the file, in its properties.

    References
    ----------
    ECMA-376, part 1: 18.3.1.4 (cells), 18.18.11 (their types); part 2: core properties.
    """
    from openpyxl import Workbook
    from openpyxl.writer.excel import ExcelWriter

    book = Workbook(write_only=True)
    book.properties.title, book.properties.creator = _printable(title), "exoliver"
    for sheet in sheets:
        _write_sheet(book.create_sheet(sheet.name), sheet.table)
    stored = io.BytesIO()
    ExcelWriter(book, zipfile.ZipFile(stored, "w")).save()
    return _without_dates(stored)


def _write_sheet(place: Any, table: pd.DataFrame) -> None:
    """Header and rows of one sheet."""
    from openpyxl.utils import get_column_letter

    for number, name in enumerate(table.columns, start=1):
        place.column_dimensions[get_column_letter(number)].width = _width(table[name], name)
    place.freeze_panes = "A2"
    place.auto_filter.ref = f"A1:{get_column_letter(table.shape[1])}{len(table) + 1}"
    place.append([_heading(place, name) for name in table.columns])
    for row in _rows(table):
        place.append([_cell(place, value) if isinstance(value, str) else value for value in row])


def _rows(table: pd.DataFrame) -> Iterator[tuple[Any, ...]]:
    """Plain values row by row; missing and empty ones are None, infinite ones text."""
    columns = []
    for name in table.columns:
        values = table[name]
        if values.dtype.kind == "f":
            values = values.where(np.isfinite(values) | values.isna(), values.astype(object).map(str))
        plain = values.astype(object)
        columns.append(plain.where(values.notna() & (plain != ""), None).tolist())
    return zip(*columns, strict=True)


def _heading(place: Any, name: str) -> Any:
    """A cell of the header."""
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Alignment, Font

    cell = WriteOnlyCell(place, value=_printable(name))
    cell.data_type, cell.font, cell.alignment = "s", Font(bold=True), Alignment(wrap_text=True, vertical="top")
    return cell


def _cell(place: Any, text: str) -> Any:
    """A text as it is written; one that a spreadsheet would read as something else is marked as text."""
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.cell.cell import ERROR_CODES

    shown = _printable(text)
    if not shown.startswith(FORMULA) and shown not in ERROR_CODES:
        return shown
    cell = WriteOnlyCell(place, value=shown)
    cell.data_type, cell.quotePrefix = "s", True
    return cell


def _printable(text: str) -> str:
    """The text without what XML cannot carry, and no longer than a cell."""
    text = _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - len(CUT)] + CUT


def _width(values: pd.Series, name: str) -> float:
    """Width of a column in characters."""
    seen = values.head(SEEN).dropna().tolist()
    shown = [f"{value:.6g}" if isinstance(value, float) else str(value) for value in seen]
    heading = max(map(len, name.split())) + BUTTON  # it is wrapped between its words
    longest = max([heading, *map(len, shown)])
    return float(min(max(longest + 1, NARROWEST), WIDEST))


def _without_dates(stored: io.BytesIO) -> bytes:
    """The archive, compressed, its entries and properties without the time of writing."""
    packed = io.BytesIO()
    with zipfile.ZipFile(stored) as given, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as made:
        for name in given.namelist():
            content = given.read(name)
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type, entry.create_system = zipfile.ZIP_DEFLATED, 0
            made.writestr(entry, _DATES.sub(b"", content) if name == "docProps/core.xml" else content)
    return packed.getvalue()
