"""Files of sample sheets to their cells. Knows no columns."""

from __future__ import annotations

import csv
import io
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

XLSX = ".xlsx"
# What zipfile, zlib, the XML parser and openpyxl 3.1 raise on a file that is none, or is damaged.
XLSX_FAULTS = (
    zipfile.BadZipFile, zlib.error, struct.error, SyntaxError, LookupError, ValueError, TypeError, AttributeError,
    EOFError, RuntimeError, OverflowError,
)  # fmt: skip


def read_rows(path: str | Path) -> list[list[str]]:
    """Cells of a sheet as text, row by row.

    Parameters
    ----------
    path
        A .tsv, .csv or .xlsx file (first worksheet); text in UTF-8.

    Raises
    ------
    OSError, csv.Error, ValueError
        The file cannot be read, or is no sheet.
    """
    return _xlsx_rows(path) if str(path).lower().endswith(XLSX) else _text_rows(path)


def _text_rows(path: str | Path) -> list[list[str]]:
    """Cells of a text file; commas in a .csv, tabs elsewhere."""
    text = Path(path).read_text(encoding="utf-8-sig")
    if "\0" in text:
        raise ValueError("it holds NUL characters, which no text does")
    delimiter = "," if str(path).lower().endswith(".csv") else "\t"
    return [list(row) for row in csv.reader(io.StringIO(text), delimiter=delimiter)]


def _xlsx_rows(path: str | Path) -> list[list[str]]:
    """Cells of the first worksheet; whole numbers without the decimal point that Excel adds."""
    import openpyxl

    with Path(path).open("rb") as file:
        try:
            book = openpyxl.load_workbook(file, data_only=True)
            return [[_cell_text(cell) for cell in row] for row in book.worksheets[0].iter_rows(values_only=True)]
        except XLSX_FAULTS as error:
            raise ValueError(f"it is not a sound .xlsx file ({error})") from error


def _cell_text(cell: Any) -> str:
    """One cell as text."""
    if cell is None:
        return ""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)
