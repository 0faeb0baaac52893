"""The table of docs/validation.md: rows become sections, sections their place in the page, and only whole ones do."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from tests import conftest
from tests.sources import ROOT
from tests.validation import END, START, Row, sections_of, with_sections

ONE, OTHER = "tests/calibration/test_one.py", "tests/calibration/test_other.py"
ROWS = [Row(ONE, "bias", "<= .05", "0.01"), Row(OTHER, "coverage", ".93 to .97", "0.95"), Row(ONE, "power", "", "0.6")]
PAGE = f"# Title\n\n{START}\n\n{END}\n\nThe end.\n"


def test_rows_are_grouped_by_module_in_their_order() -> None:
    """Each section has its command, a header, and its own rows as they were measured."""
    sections = sections_of(ROWS)
    assert list(sections) == [ONE, OTHER]
    lines = sections[ONE].splitlines()
    assert f".venv/bin/pytest -m validate {ONE}" in lines
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line.startswith("|")]
    assert [cells[0], *cells[2:]] == [["measured", "target", "value"], ["bias", "<= .05", "0.01"], ["power", "", "0.6"]]
    assert len({len(line) for line in lines if line.startswith("|")}) == 1


def test_sections_are_written_between_the_marks() -> None:
    """In the order of their names; the rest of the page stays, and writing again changes nothing."""
    sections = sections_of(ROWS[::-1])
    page = with_sections(PAGE, sections, modules={ONE, OTHER})
    assert page.index(ONE) < page.index(OTHER)
    assert page.startswith("# Title\n\n" + START)
    assert page.endswith(END + "\n\nThe end.\n")
    assert with_sections(page, sections, modules={ONE, OTHER}) == page


def test_a_section_replaces_its_old_one_alone() -> None:
    """The other module's rows stay; those of a module that is gone are dropped."""
    page = with_sections(PAGE, sections_of(ROWS), modules={ONE, OTHER})
    again = with_sections(page, sections_of([Row(ONE, "bias", "<= .05", "0.02")]), modules={ONE, OTHER})
    assert "0.02" in again
    assert "0.01" not in again
    assert "0.95" in again
    assert again.count(ONE) == page.count(ONE)
    assert OTHER not in with_sections(page, {}, modules={ONE})


@pytest.mark.parametrize("page", ["# Title\n", f"# Title\n\n{START}\n", f"# Title\n\n{END}\n"])
def test_a_page_without_marks_is_refused(page: str) -> None:
    """Rather than a table at a place of chance."""
    with pytest.raises(ValueError, match="lacks"):
        with_sections(page, sections_of(ROWS), modules={ONE, OTHER})


def test_the_page_of_validation_has_its_marks() -> None:
    """So that `make validate WRITE=1` can write it, and its sections are of tests that exist."""
    page = (ROOT / "docs" / "validation.md").read_text(encoding="utf-8")
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("test_*.py")}
    assert with_sections(page, {}, modules=modules) == page


class Reporter:
    """A terminal reporter that keeps what it is told, with the outcomes of made-up tests."""

    def __init__(self, **failing: str) -> None:
        self.stats = {outcome: [SimpleNamespace(nodeid=nodeid)] for outcome, nodeid in failing.items()}
        self.told = ""

    def section(self, title: str) -> None:
        """Keep a heading."""
        self.told += f"== {title}\n"

    def write_line(self, line: str) -> None:
        """Keep a line."""
        self.told += f"{line}\n"


def summarise(monkeypatch: pytest.MonkeyPatch, reporter: Reporter, *, page: Path, write: bool) -> str:
    """The page after the summary of a session that measured `ROWS`."""
    page.write_text(PAGE, encoding="utf-8")
    (page.parent / ONE).parent.mkdir(parents=True)
    for module in (ONE, OTHER):
        (page.parent / module).touch()
    monkeypatch.setattr(conftest, "ROOT", page.parent)
    monkeypatch.setattr(conftest, "VALIDATION", page)
    config = SimpleNamespace(stash=pytest.Stash(), getoption=lambda _: write)
    config.stash[conftest.MEASURED] = ROWS
    conftest.pytest_terminal_summary(reporter, config)
    return page.read_text(encoding="utf-8")


def test_figures_are_printed_unless_they_are_to_be_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """All sections on the terminal, and the page as it was."""
    reporter = Reporter()
    assert summarise(monkeypatch, reporter, page=tmp_path / "page.md", write=False) == PAGE
    assert all(section in reporter.told for section in sections_of(ROWS).values())


@pytest.mark.parametrize("outcome", ["failed", "error", "skipped"])
def test_a_module_that_is_not_whole_is_printed_and_not_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, outcome: str
) -> None:
    """A failed or skipped test keeps its module out of the page; the others are written."""
    reporter = Reporter(**{outcome: f"{OTHER}::test_something"})
    page = summarise(monkeypatch, reporter, page=tmp_path / "page.md", write=True)
    sections = sections_of(ROWS)
    assert sections[ONE] in page
    assert OTHER not in page
    assert sections[OTHER] in reporter.told
    assert sections[ONE] not in reporter.told
