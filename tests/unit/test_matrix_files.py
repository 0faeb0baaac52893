"""Text files of counts: header and cells as they stand, under the right names."""

import gzip
from pathlib import Path

import pandas as pd
import pytest

from exoliver.matrix_files import read_text_table

CELLS = [["g1", "1", "NA"], ["g2", "", " 4"]]


def read(text: str, folder: Path, name: str = "a.tsv") -> tuple[list[str], pd.DataFrame]:
    """What is read of a text."""
    (folder / name).write_bytes(text.encode())
    return read_text_table(folder / name)


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("gene\ta\tb\ng1\t1\tNA\ng2\t\t 4\n", ["gene", "a", "b"]),
        ("# one\n#two\ngene\ta\tb\ng1\t1\tNA\n\ng2\t\t 4", ["gene", "a", "b"]),
        ("a\tb\ng1\t1\tNA\ng2\t\t 4\n", ["", "a", "b"]),
        ("gene\ta\tb\ng1\t1\tNA\t\ng2\t\t 4\t\n", ["gene", "a", "b"]),
        ("gene\ta\tb\ng1\t1\tNA\t \ng2\t\t 4\n", ["gene", "a", "b"]),
        ("gene\ta\tb\r\ng1\t1\tNA\t\r\ng2\t\t 4\t\r\n", ["gene", "a", "b"]),
    ],
    ids=["plain", "comments", "row names of R", "tabs behind all rows", "a tab behind the first", "tabs, windows"],
)
def test_cells_stand_under_their_names(text: str, header: list[str], tmp_path: Path) -> None:
    """As text, nothing taken for a missing value; separators behind the rows move no column."""
    found, table = read(text, tmp_path)
    assert (found, list(table.columns)) == (header, header)
    assert table.to_numpy().tolist() == CELLS


def test_row_names_of_r_may_stand_beside_blanks(tmp_path: Path) -> None:
    """In any column but the last."""
    header, table = read("note\ta\ng1\t\t1\ng2\tx\t2\n", tmp_path)
    assert header == ["", "note", "a"]
    assert table["a"].tolist() == ["1", "2"]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("a\tb\ng1\t1\t2\ng2\t3\n", "the last is blank in 1 of 2 rows: name every column"),
        ("gene\ta\ng1\t1\t\ng2\t3\t4\n", "the last is blank in 1 of 2 rows"),
        ("gene\ta\ng1\t1\t2\t3\n", "its first row has 4 cells, the header 2"),
        ("gene\ta\ng1\t1\ng2\t3\t\n", "Expected 2 fields in line 2, saw 3"),
        ('gene\ta\ng1\t"1\n', "EOF inside string"),
        ("gene\ta\ng1\t\0\n", "NUL"),
    ],
)
def test_rows_that_do_not_fit_the_header_are_refused(text: str, what: str, tmp_path: Path) -> None:
    """It is not guessed which cell belongs to which name."""
    with pytest.raises(ValueError, match=what):
        read(text, tmp_path)


def test_commas_and_compression_are_told_by_name_and_content(tmp_path: Path) -> None:
    """A .csv has commas, packed or not."""
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b'gene,a\n"g,1",2\n'))
    assert read_text_table(tmp_path / "a.csv.gz")[1].to_numpy().tolist() == [["g,1", "2"]]
    assert read("gene,a\ng1,2\n", tmp_path, "b.csv")[0] == ["gene", "a"]


@pytest.mark.parametrize("text", ["", "gene\n", "gene\ng1\n"])
def test_a_table_of_one_column_has_no_rows(text: str, tmp_path: Path) -> None:
    """The reader of counts says so."""
    assert read(text, tmp_path)[1].empty
