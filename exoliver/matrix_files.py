"""Text files of counts to their header and cells. Knows neither samples nor genes."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path

import pandas as pd


def read_text_table(path: str | Path) -> tuple[list[str], pd.DataFrame]:
    """Header and cells of a table as text; lines of comment (featureCounts' first) are passed over.

    Parameters
    ----------
    path
        Tab- or comma-separated text (commas where it ends in .csv), gzip or not, UTF-8.

    Returns
    -------
    The header, and the rows with its names as columns; no rows where there are fewer than two columns.

    Raises
    ------
    OSError, EOFError, zlib.error, csv.Error, ValueError
        The file cannot be read, or is no table.
    """
    raw = Path(path).read_bytes()
    if raw[:2] == b"\x1f\x8b":
        raw = gzip.decompress(raw)
    text = raw.decode("utf-8-sig")
    if "\0" in text:
        raise ValueError("it holds NUL characters, which no text does")
    delimiter = "," if str(path).lower().removesuffix(".gz").endswith(".csv") else "\t"
    first, _, rest = text.partition("\n")
    while first.startswith("#") and len(_cells(first, delimiter)) < max(2, len(_cells(rest, delimiter))):
        first, _, rest = rest.partition("\n")
    header = _cells(first, delimiter)
    width = len(_cells(rest, delimiter))
    if max(width, len(header)) < 2:
        return header, pd.DataFrame()
    if width > len(header) + 1:
        raise ValueError(f"its first row has {width} cells, the header {len(header)}")
    # pandas drops surplus cells of the first row and only warns; that row was counted above. Later ones it refuses.
    table = pd.read_csv(
        io.StringIO(rest), sep=delimiter, header=None, names=range(max(width, len(header))), index_col=False, dtype=str,
        keep_default_na=False, na_filter=False, quoting=csv.QUOTE_MINIMAL,
    )  # fmt: skip
    if width > len(header):
        header, table = _surplus_explained(header, table)
    table.columns = pd.Index(header, dtype=object)
    return header, table


def _surplus_explained(header: list[str], table: pd.DataFrame) -> tuple[list[str], pd.DataFrame]:
    """Rows of one cell more than the header: R's row names, which have no header, or a delimiter behind every row."""
    is_blank = table.iloc[:, -1].str.strip() == ""
    if is_blank.all():
        return header, table.iloc[:, :-1]
    if is_blank.any():
        raise ValueError(
            f"its rows have one cell more than the header, and the last is blank in {is_blank.sum()} of {len(table)} "
            "rows: name every column in the header, and end no row with a separator"
        )
    return ["", *header], table


def _cells(text: str, delimiter: str) -> list[str]:
    """Cells of the first line that is not blank."""
    line = next((line for line in text.splitlines() if line.strip()), "") if "\n" in text else text
    return next(csv.reader([line.rstrip("\r")], delimiter=delimiter), [])
