"""The bench on tiny counts: every row is there, its numbers belong together, and what is missing is said."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench import __main__ as bench
from bench import fits, rows, stages
from bench.data import simulate
from bench.table import END, START, Row, as_markdown, gigabytes, replace_between, seconds, times


def test_the_quick_bench_prints_its_table(capsys: pytest.CaptureFixture[str]) -> None:
    """Growth, donors, memory and floor, each with a ratio, and the machine without its name."""
    assert bench.main(["--quick"]) == 0
    machine, _, table = capsys.readouterr().out.partition("\n\n")
    assert "numba" in machine
    assert os.uname().nodename not in machine
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()[2:]]
    assert len(lines) == len(rows.QUICK.by_genes) + 4
    for _, ours, against, ratio, _ in lines:
        assert ours.split()[1] in ("s", "GB", "MB")
        assert against
        assert float(ratio.removesuffix("×")) > 0


def test_a_measurement_has_a_process_of_its_own() -> None:
    """It answers with seconds."""
    assert bench.measure("first", simulated={"genes": 60, "samples": 8}) > 0


ANSWERS: dict[str, Any] = {
    "ours": {"fit": 2.0, "all": 4.0, "significant": [7, 5, 3], "contrasts": 3, "simple": 2, "peak": 1.0},
    "stock": {"fit": 60.0, "simple": 80.0, "all": 100.0, "significant": [8, 5]},
    "r": {"fit": 30.0, "simple": 40.0, "all": 50.0, "significant": [7, 5, 3], "r": "4.2", "deseq2": "1.38"},
    "first": 3.0,
    "floor": {"fit": 2.0, "floor": 0.5, "ratio": 4.0, "climb": 9.0, "posterior": 8.0, "steps": 4.0},
}


def made_up(kind: str, **task: Any) -> Any:
    """Answers without a measurement."""
    if kind == "growth":
        return [float(number + 1) for number in range(len(task["sizes"]))]
    sizes = {"genes": 1000, "samples": 10} if kind == "ours" else {}
    return ANSWERS[kind] | sizes if isinstance(ANSWERS[kind], dict) else ANSWERS[kind]


@pytest.fixture
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Empty folders of the real datasets."""
    monkeypatch.setattr(rows, "SHARED", tmp_path)
    for folder in rows.REAL.values():
        (tmp_path / folder).mkdir()
    return tmp_path


@pytest.mark.usefixtures("beside")
def test_ratios_are_the_others_seconds_over_ours() -> None:
    """Of the whole, and of the fit alone; the whole against stock and R has the targets."""
    found = list(rows.whole_table(made_up, rows.FULL))
    ours = [row for row in found if row.what.startswith("dlpc") and row.ratio]
    assert [row.ratio for row in ours] == ["25×", "30×", "12×", "10×", "15×", "12×", "4×"]
    assert [row.target for row in ours if row.target] == [rows.STOCK_TARGET, rows.R_TARGET]
    agreeing = [(row.ours, row.against) for row in found if "padj" in row.what and row.what.startswith("dlpc")]
    assert agreeing == [
        ("12", "PyDESeq2: 13; the same number in 1 of 2 tests"),
        ("15", "DESeq2 1.38: 15; the same number in 3 of 3 tests"),
    ]
    large = next(row for row in found if row.target == rows.MEMORY_TARGET)
    assert (large.ours, large.against, large.ratio) == ("1.00 GB", "the counts: 44 MB", "23×")


@pytest.mark.usefixtures("beside")
def test_a_missing_r_is_a_row() -> None:
    """It says so, and the other rows are there."""
    found = list(rows.against_others(lambda kind, **task: None if kind == "r" else made_up(kind, **task), "dlpc"))
    assert found[-1].against == "DESeq2 in R: not installed"
    assert found[0].ratio == "25×"


def test_r_that_is_not_installed_is_no_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither without Rscript nor where R lacks DESeq2."""
    data = simulate(20, 6)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert fits.run_r(data) is None
    program = tmp_path / "Rscript"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    assert fits.run_r(data) is None


def test_missing_real_data_are_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without ../shared nothing is measured on them, and the rest is."""
    monkeypatch.setattr(rows, "SHARED", tmp_path)
    found = list(rows.whole_table(made_up, rows.FULL))
    assert [row.ours for row in found if row.what.startswith(tuple(rows.REAL))] == [rows.MISSING] * 3
    assert sum(row.what.startswith("simulated") for row in found) == 10


def test_compiling_starts_without_a_cache() -> None:
    """The two processes share a folder that is empty at first and gone at the end."""
    folders = []

    def listen(kind: str, *, environment: dict[str, str], **task: Any) -> float:
        folder = Path(environment["NUMBA_CACHE_DIR"])
        folders.append((folder, list(folder.iterdir())))
        (folder / "compiled").touch()
        return 30.0 if len(folders) == 1 else 3.0

    (row,) = rows.compiling(listen)
    (one, empty), (two, filled) = folders
    assert (one, empty, len(filled)) == (two, [], 1)
    assert not one.exists()
    assert row.ratio == "10×"


def test_simulated_counts_are_as_asked() -> None:
    """Whole numbers of the asked size; a donor gives a sample to each arm, and a time has both arms."""
    data = simulate(50, 16, times=2, paired=True)
    assert data.counts.shape == (16, 50)
    assert data.counts.dtypes.eq(np.int64).all()
    assert (data.samples.groupby("donor")["arm"].nunique() == 2).all()
    assert data.samples.groupby(["arm", "time"]).size().tolist() == [4] * 4
    again = simulate(50, 16, times=2, paired=True)
    assert data.counts.equals(again.counts)


def test_what_is_compared_is_what_others_can_do() -> None:
    """One cell against another first; weights of the cells name those that a program with formulas makes."""
    asked = fits.ask(simulate(5, 16, times=2))
    name = "injured_vs_healthy"
    assert asked.names == [f"{name}{form}" for form in ("__1d", "__2d", "", "__2d_vs_1d", "__any_time", "__over_time")]
    weights = asked.weights()
    assert weights.index.tolist() == asked.names[:4]
    assert weights.loc[name].to_dict() == {"healthy1": -0.5, "healthy2": -0.5, "injured1": 0.5, "injured2": 0.5}
    assert weights.loc[f"{name}__1d", ["healthy2", "injured2"]].tolist() == [0, 0]


def test_the_table_takes_the_place_of_the_last_one() -> None:
    """Between its marks; the text around them stays, and a page without marks is not touched."""
    page = f"before\n{START}\nold\n{END}\nafter\n"
    once = replace_between(page, as_markdown([Row("fit", "1 s")]))
    assert once.startswith(f"before\n{START}\n\n| measured")
    assert once.endswith(f"{END}\nafter\n")
    assert "old" not in once
    assert replace_between(once, "new") == replace_between(page, "new")
    with pytest.raises(ValueError, match="lacks"):
        replace_between("nothing", "new")


def test_the_page_has_the_marks(root: Path) -> None:
    """Once each, so that the table can be written."""
    text = (root / "docs" / "performance.md").read_text(encoding="utf-8")
    assert (text.count(START), text.count(END)) == (1, 1)


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (seconds(0.04567), "0.0457 s"),
        (seconds(12.34), "12.3 s"),
        (seconds(123.4), "123 s"),
        (times(1.94), "1.9×"),
        (times(9.97), "10×"),
        (times(25.4), "25×"),
        (gigabytes(1.234), "1.23 GB"),
        (gigabytes(0.044), "44 MB"),
    ],
)
def test_figures_are_short(shown: str, expected: str) -> None:
    """Two or three digits, whatever the size."""
    assert shown == expected


def test_jobs_of_an_earlier_run_are_no_stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stages are the jobs that ended after the start, by rule; a job too short for Snakemake has no memory."""
    monkeypatch.setattr(stages, "BENCHMARKS", tmp_path)
    for name, ended in (("fit_model/old", 100), ("fit_model/new", 300), ("report/new", 300)):
        file = tmp_path / f"{name}.tsv"
        file.parent.mkdir(exist_ok=True)
        file.write_text("s\tmax_rss\n2.5\tNA\n")
        os.utime(file, (ended, ended))
    found = stages.measured(since=200)
    assert sorted(found) == ["fit_model", "report"]
    assert [len(jobs) for jobs in found.values()] == [1, 1]
