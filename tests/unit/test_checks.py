"""Checks: what cannot be estimated is a problem, what is weak a warning, what was decided is said."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from exoliver.checks import check_dataset, check_design, check_entry, merge_study, report_problems
from exoliver.collection_checks import check_collections
from exoliver.design import build_design
from exoliver.problems import Findings, StudyError
from exoliver.study import Dataset, from_plain
from tests.toy import Toy, gene_ids, make_sheet, make_toy, write_toy

PROBLEM = {"where": "a", "what": "b", "fix": "c"}


def checked(toy: Toy, folder: Path) -> tuple[Findings, dict[str, Any]]:
    """Findings and facts of a toy dataset."""
    write_toy(toy, folder)
    said = from_plain(Dataset, toy.yaml)
    assert said.counts is not None
    assert said.samples is not None
    return check_dataset(
        said.intake(said.counts, said.samples),
        counts_file=folder / "toy/counts.tsv",
        samples_file=folder / "toy/samples.tsv",
        arms=said.arms.levels,
        contrasts=said.contrasts,
        gene_filter=said.gene_filter,
    )


def design_findings(cells: Mapping[tuple[str, float], int], **columns: list[str]) -> Findings:
    """What is said of a design of so many samples per arm and time, with covariates."""
    rows = [cell for cell, number in cells.items() for _ in range(number)]
    samples = pd.DataFrame(rows, columns=["arm", "time"], index=[f"s{place}" for place in range(len(rows))])
    donor = columns.pop("donor", None)
    samples = samples.assign(**columns, **({"donor": donor} if donor else {}))
    arms = list(dict.fromkeys(arm for arm, _ in cells))
    design = build_design(samples, arms, donor=donor is not None, covariates=list(columns), numeric=[])
    return check_design(design, "sheet", donor="mouse" if donor else None)


def test_the_facts_of_a_sound_dataset_are_plain(tmp_path: Path) -> None:
    """Samples, genes, cells, columns and library sizes, for the report."""
    toy = make_toy()
    findings, facts = checked(toy, tmp_path)
    assert findings.problems + findings.warnings == ()
    assert (facts["samples"], facts["genes"], facts["unit"], facts["residual_df"]) == (18, 300, "day", 12)
    assert facts["cells"][0] == {"arm": "healthy", "time": 1.0, "label": "1d", "samples": 3}
    assert len(facts["columns"]) == len(facts["cells"]) == 6
    assert facts["library_sizes"] == toy.counts.sum().to_dict()


def test_faulty_files_leave_no_facts(tmp_path: Path) -> None:
    """There is nothing to be said of a design that cannot be read."""
    toy = make_toy()
    toy.counts.iat[0, 0] = -1
    findings, facts = checked(toy, tmp_path)
    assert len(findings.problems) == 1
    assert facts == {}


def test_decisions_say_what_was_set_aside_and_how_many_ids_are_known(tmp_path: Path) -> None:
    """Nothing is dropped in silence."""
    toy = make_toy()
    toy.counts = toy.counts.rename(index={gene_ids()[0]: "__no_feature", gene_ids()[1]: "ERCC-00002"})
    findings, _ = checked(toy, tmp_path)
    assert findings.problems == ()
    assert any("298 of 298 ids (100%) are mouse ensembl ids" in text for text in findings.decisions)
    assert any("not genes and were set aside: __no_feature, ERCC-00002" in text for text in findings.decisions)


def test_decisions_say_which_ids_were_changed(tmp_path: Path) -> None:
    """Blanks taken off and rows summed; the facts count the genes that are left."""
    toy = make_toy()
    first, second = gene_ids()[:2]
    toy.counts = toy.counts.rename(index={first: f"{first} ", second: f"{first}.2"})
    findings, facts = checked(toy, tmp_path)
    assert findings.problems == ()
    assert any(f"had blanks around them, now taken off (1): {first} " in text for text in findings.decisions)
    assert any(f"now summed (2): {first} , {first}.2" in text for text in findings.decisions)
    assert facts["genes"] == 299
    assert facts["library_sizes"] == toy.counts.sum().to_dict()


def test_spike_ins_do_not_make_up_for_genes(tmp_path: Path) -> None:
    """Size factors rest on genes that are counted everywhere."""
    toy = make_toy()
    toy.counts = toy.counts.iloc[:150]
    toy.counts.index = pd.Index([*gene_ids()[:60], *(f"ERCC-{number:05}" for number in range(90))], name="gene_id")
    findings, _ = checked(toy, tmp_path)
    assert [problem.what for problem in findings.problems] == [
        "only 60 genes are counted in every sample; size factors need 100"
    ]


def test_other_identifiers_are_not_looked_up(tmp_path: Path) -> None:
    """Whoever says `other` is not told that the ids are unknown, but what that takes from the results."""
    toy = make_toy()
    toy.yaml["counts"]["identifiers"] = "other"
    toy.counts.index = pd.Index([f"x{number}" for number in range(300)], name="gene_id")
    findings, _ = checked(toy, tmp_path)
    assert findings.problems == ()
    assert [warning.what[:45] for warning in findings.warnings] == ["identifiers of kind other are not looked up: "]


def test_an_organism_without_annotation_is_a_warning(tmp_path: Path) -> None:
    """It runs, and says what it leaves out."""
    toy = make_toy()
    toy.yaml["organism"] = "zebrafish"
    findings, facts = checked(toy, tmp_path)
    assert findings.problems == ()
    assert "zebrafish" in findings.warnings[0].what
    assert facts["genes"] == 300


def test_replicates_are_counted_after_their_libraries_are_merged(tmp_path: Path) -> None:
    """Two lanes of one library are one sample."""
    toy = make_toy()
    toy.keep(lambda row: row.donor != "donor3")
    toy.sheet["library"] = [f"{row.group}{row.day}" for row in toy.sheet.itertuples()]
    toy.yaml["samples"]["technical_replicate_of"] = "library"
    findings, facts = checked(toy, tmp_path)
    assert [problem.what[:27] for problem in findings.problems] == ["no arm has two samples at o"]
    assert facts["samples"] == 6


CELLS = {("a", 1.0): 3, ("b", 1.0): 3}


def test_a_replicated_design_is_sound() -> None:
    """Three samples in each cell."""
    assert design_findings(CELLS) == Findings()


def test_a_covariate_that_equals_the_arms_is_named() -> None:
    """With the columns that make it up."""
    (problem,) = design_findings(CELLS, batch=["x"] * 3 + ["y"] * 3).problems
    assert problem.what == "the design is rank-deficient: batch y cannot be told from arm b at time 1"


def test_two_covariates_that_agree_are_named() -> None:
    """The later is told from the earlier."""
    levels = ["x", "y", "x", "y", "x", "y"]
    (problem,) = design_findings(CELLS, batch=levels, lane=levels).problems
    assert problem.what == "the design is rank-deficient: lane y cannot be told from batch y"


def test_a_crossed_covariate_is_sound() -> None:
    """Partial overlap is enough."""
    assert design_findings(CELLS, batch=["x", "y", "y", "x", "x", "y"]).problems == ()


def test_single_samples_are_named_in_a_warning() -> None:
    """While another cell has replicates."""
    (warning,) = design_findings({("a", 1.0): 3, ("b", 1.0): 1, ("b", 2.0): 2}).warnings
    assert warning.what == "fewer than three samples: arm b at time 1 (1), arm b at time 2 (2)"


def test_a_nested_donor_is_a_warning_and_a_paired_one_is_not() -> None:
    """Donors that are in one arm each are left out of the model."""
    paired = design_findings(CELLS, donor=["d1", "d2", "d3"] * 2)
    assert paired == Findings()
    nested = design_findings(CELLS, donor=["d1", "d1", "d3", "d4", "d5", "d6"])
    assert "every mouse is in one arm only" in nested.warnings[0].what
    assert design_findings(CELLS, donor=["d1", "d2", "d3", "d4", "d5", "d6"]) == Findings()


@pytest.mark.parametrize("number", [1, 2])
def test_without_residual_degrees_of_freedom_nothing_can_be_tested(number: int) -> None:
    """All cells single, or a column for every sample."""
    findings = design_findings({("a", 1.0): number, ("b", 1.0): 1}, batch=["x", "y", "x"][: number + 1])
    assert len(findings.problems) == 1


def test_check_json_of_an_unreadable_yaml_has_its_problems_alone() -> None:
    """No file is looked at."""
    check = check_entry("toy", problems=[PROBLEM], intake=None, sources={}, arms=None, contrasts=None, gene_filter=None)
    assert check == {"dataset": "toy", "problems": [PROBLEM], "warnings": [], "decisions": [], "design": {}}


def test_preflight_holds_all_datasets_sorted() -> None:
    """Whatever the order in which they were checked."""
    merged = merge_study(
        [PROBLEM], [{"dataset": "b", "problems": []}, {"dataset": "a", "problems": []}], collections=[]
    )
    assert merged["problems"] == [PROBLEM]
    assert [check["dataset"] for check in merged["datasets"]] == ["a", "b"]


def test_every_problem_of_a_preflight_is_raised_at_once() -> None:
    """Those of the study first; a sound one raises nothing."""
    other = PROBLEM | {"where": "z"}
    with pytest.raises(StudyError) as caught:
        report_problems({"problems": [PROBLEM], "datasets": [{"problems": [other]}, {"problems": []}]})
    assert [problem.where for problem in caught.value.problems] == ["a", "z"]
    report_problems({"problems": [], "datasets": [{"problems": []}]})


def test_the_sheet_of_the_toy_is_crossed() -> None:
    """What other tests rely on: donors and batches are in every arm and at every time."""
    sheet = make_sheet()
    assert (sheet.groupby("donor")[["group", "day"]].nunique() == [3, 2]).all(axis=None)
    assert (sheet.groupby("batch")[["group", "day"]].nunique() == [3, 2]).all(axis=None)


@pytest.mark.parametrize(
    "content", [b"", b"set\n", b"\xff\xfe", b"a\tx\tMcl1\na\tx\tBax\n", b"a\tx\tNA\n", b"\x1f\x8bnot gzip"]
)
def test_gene_sets_that_cannot_be_read_are_a_problem(tmp_path: Path, content: bytes) -> None:
    """A user's damaged GMT is told before anything is computed; a sound one is not."""
    damaged = tmp_path / ("own.gmt.gz" if content.startswith(b"\x1f") else "own.gmt")
    damaged.write_bytes(content)
    [problem] = check_collections([str(damaged)])
    assert "cannot be read" in problem.what
    sound = tmp_path / "sound.gmt"
    sound.write_text("survival\tabout\tMcl1\tBcl2l1\n")
    assert check_collections([str(sound)]) == []
