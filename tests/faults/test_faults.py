"""Each broken study gives one problem: where, what and what to do about it."""

from pathlib import Path

import pytest

from tests.faults.breaks import keep, put
from tests.faults.cases import FAULTS, WARNINGS, Fault
from tests.toy import check, make_toy, problems_of, warnings_of, write_study

pytestmark = pytest.mark.faults


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_told_once(fault: Fault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One fault gives one problem, with its place, what was found there and what to do."""
    monkeypatch.chdir(tmp_path)
    toy = make_toy()
    fault.breaks(toy)
    write_study(tmp_path, toy, **fault.study)
    problems = problems_of(check())
    assert len(problems) == 1, problems
    (problem,) = problems
    assert problem["where"].startswith(fault.where), problem
    assert fault.what in problem["what"], problem
    assert fault.fix in problem["fix"], problem


@pytest.mark.parametrize("fault", WARNINGS, ids=lambda fault: fault.name)
def test_what_weakens_a_result_is_a_warning(fault: Fault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A weak spot gives one warning and no problem."""
    monkeypatch.chdir(tmp_path)
    toy = make_toy()
    fault.breaks(toy)
    write_study(tmp_path, toy)
    preflight = check()
    assert problems_of(preflight) == []
    (warning,) = warnings_of(preflight)
    assert warning["where"].startswith(fault.where), warning
    assert fault.what in warning["what"], warning
    assert fault.fix in warning["fix"], warning


def test_an_arm_without_a_time_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Contrasts that lack a cell are named, and so are averages that leave a time out."""
    monkeypatch.chdir(tmp_path)
    toy = make_toy()
    keep(lambda row: (row.group, row.day) != ("healthy", "7"))(toy)
    write_study(tmp_path, toy)
    preflight = check()
    assert problems_of(preflight) == []
    lacking, partial = sorted(warnings_of(preflight), key=lambda warning: warning["what"], reverse=True)
    assert "as an arm lacks the time: injured_vs_healthy__7d, treated_vs_healthy__7d" in lacking["what"]
    assert "at: all_times" in lacking["fix"]
    assert "injured_vs_healthy (times_left_out:7d)" in partial["what"]


def test_a_baseline_for_all_times_needs_no_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An arm that says that it serves every time lacks none."""
    monkeypatch.chdir(tmp_path)
    toy = make_toy()
    keep(lambda row: (row.group, row.day) != ("healthy", "7"))(toy)
    put("arms", "levels", "healthy", "at", value="all_times")(toy)
    write_study(tmp_path, toy)
    preflight = check()
    assert problems_of(preflight) + warnings_of(preflight) == []


def test_donors_of_one_sample_each_are_no_weakness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That samples are independent is what the model assumes; it is said as a decision."""
    monkeypatch.chdir(tmp_path)
    toy = make_toy()
    toy.yaml["donor"] = "sample"
    write_study(tmp_path, toy)
    preflight = check()
    assert problems_of(preflight) + warnings_of(preflight) == []
    assert "every sample has one sample: it is no term" in preflight["datasets"][0]["decisions"]


def test_human_gene_sets_of_a_mouse_are_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the share that was found; the same sets in mouse symbols are sound."""
    monkeypatch.chdir(tmp_path)
    own = tmp_path / "own.gmt"
    write_study(tmp_path, make_toy(), collections=["own.gmt"])
    own.write_text("set\tabout\tMCL1\tBAX\tBCL2L1\tTP53\n", encoding="utf-8")
    (problem,) = problems_of(check())
    assert problem["where"] == "toy: collections"
    assert problem["what"] == "0 of the 4 genes of own.gmt (0%) are mouse symbols; they are human symbols"
    write_study(tmp_path, make_toy(), collections=["own.gmt"], human_collections=["own.gmt"])
    assert problems_of(check()) == []
    write_study(tmp_path, make_toy(), collections=["own.gmt"])
    own.write_text("set\tabout\tMcl1\tBax\tBcl2l1\tTrp53\n", encoding="utf-8")
    assert problems_of(check()) == []


def test_a_gene_of_interest_that_is_not_there_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A human symbol is found in every species; another species' spelling is not, and the human one is named."""
    monkeypatch.chdir(tmp_path)
    write_study(tmp_path, make_toy(), genes_of_interest=["GNAI3", "Gnai3", "gNAI3", "Nothing1"])
    warnings = [warning for warning in warnings_of(check()) if warning["where"] == "toy: genes_of_interest"]
    assert [(warning["what"], warning["fix"]) for warning in warnings] == [
        ("no gene of the counts is called gNAI3, Nothing1", "write GNAI3, found in every species")
    ]


def test_the_toy_study_is_sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the broken studies are made from has neither problems nor warnings."""
    monkeypatch.chdir(tmp_path)
    write_study(tmp_path, make_toy())
    preflight = check()
    assert problems_of(preflight) + warnings_of(preflight) == []


def test_faults_are_told_apart_by_kind() -> None:
    """No two faults of the table have one name."""
    names = [fault.name for fault in FAULTS + WARNINGS]
    assert len(set(names)) == len(names)
