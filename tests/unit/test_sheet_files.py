"""Files of sample sheets: every cell as the text that a reader of the file sees."""

from pathlib import Path

import openpyxl
import pytest

from exoliver.sheet_files import read_rows


def write_book(path: Path, *rows: list[object]) -> Path:
    """A workbook of one sheet."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def test_tabs_and_commas_are_told_by_the_name(tmp_path: Path) -> None:
    """A .csv has commas, any other text tabs; quotes hold separators, and a mark at the start is no letter."""
    (tmp_path / "a.csv").write_text('sample,group\ns1,"a, b"\n', encoding="utf-8-sig")
    (tmp_path / "a.txt").write_text("sample\tgroup\ns1\ta, b\n", encoding="utf-8")
    assert read_rows(tmp_path / "a.csv") == read_rows(tmp_path / "a.txt") == [["sample", "group"], ["s1", "a, b"]]


def test_a_workbook_gives_text(tmp_path: Path) -> None:
    """Whole numbers without a point, nothing for an empty cell; of several sheets the first."""
    path = write_book(tmp_path / "A.XLSX", ["sample", "day", "rin"], [1, 7.0, 8.5], ["s2", None, True])
    book = openpyxl.load_workbook(path)
    book.create_sheet("notes").append(["nothing"])
    book.save(path)
    assert read_rows(path) == [["sample", "day", "rin"], ["1", "7", "8.5"], ["s2", "", "True"]]


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("a.tsv", b"a\0b\n", "NUL"),
        ("a.tsv", b"\xff\xfe", "utf-8"),
        ("a.xlsx", b"sample\tgroup\n", "not a sound .xlsx"),
        ("a.xlsx", b"PK\x03\x04" + b"\0" * 40, "not a sound .xlsx"),
    ],
)
def test_a_file_that_is_no_sheet_is_refused(name: str, content: bytes, what: str, tmp_path: Path) -> None:
    """With one kind of error, whatever the library under it raises."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=what):
        read_rows(tmp_path / name)


def test_a_missing_file_is_an_error_of_the_system(tmp_path: Path) -> None:
    """Text and workbook alike; the reader of sheets tells it."""
    for name in ("a.tsv", "a.xlsx"):
        with pytest.raises(FileNotFoundError):
            read_rows(tmp_path / name)
