"""Faults do not hide each other: several in one dataset, several datasets, YAML and data in one pass."""

from pathlib import Path

import pytest

from tests.faults.breaks import FIRST, cell, column_named, drop, gene_named, put, sheet_cell
from tests.toy import Toy, check, gene_ids, make_toy, problems_of, write_study

pytestmark = pytest.mark.faults


@pytest.fixture(autouse=True)
def _there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def places(*toys: Toy, **study: object) -> list[str]:
    """Where the problems of a study are, sorted."""
    write_study(Path.cwd(), *toys, **study)
    return sorted(problem["where"] for problem in problems_of(check()))


def test_each_file_of_one_dataset_is_read_to_its_end() -> None:
    """Faults of YAML, sheet, names, gene ids and cells of one dataset are told together."""
    toy = make_toy()
    toy.counts.insert(0, "gene_name", "Alb")
    for change in (
        cell(-1),
        cell(0.5, gene=6),
        gene_named(gene_ids()[3]),
        sheet_cell("day", "early"),
        put("covariates", value=["batch", "sex"]),
        put("counts", "ignor", value=["description"]),
        put("injury", value={"clas": "toxic"}),
        put("arms", "levels", "treated", "dose", value=-1),
    ):
        change(toy)
    del toy.yaml["covariates"][1]
    gene, other = toy.counts.index[4], toy.counts.index[6]
    assert places(toy) == sorted(
        [
            "toy/counts.tsv: column 1",
            "toy/counts.tsv: counts.ignore",
            "toy/counts.tsv",
            f"toy/counts.tsv: gene {gene}, sample healthy_1_2",
            f"toy/counts.tsv: gene {other}, sample healthy_1_2",
            "toy/samples.tsv: column day",
            "toy/dataset.yaml: counts.ignor",
            "toy/dataset.yaml: injury.clas",
            "toy/dataset.yaml: arms.levels.treated.dose",
        ]
    )


def test_a_fault_of_the_study_does_not_hide_those_of_its_datasets() -> None:
    """The study's own keys, a dataset's YAML and another one's data are told together."""
    first, second = make_toy("first"), make_toy("second")
    put("organsim", value="mouse")(first)
    drop("organism")(first)
    cell("x")(second)
    found = places(first, second, fdr=7, tittle="toy")
    assert found[:3] == ["first/dataset.yaml: organsim", found[1], "study.yaml: fdr"]
    assert found[1].startswith("second/counts.tsv: gene")
    assert found[3:] == ["study.yaml: tittle"]


def test_a_misspelt_role_does_not_hide_the_data() -> None:
    """The counts of a dataset whose YAML has a fault are looked at all the same, and no more is said of the arms."""
    toy = make_toy()
    put("arms", "levels", "injured", "role", value="injurd")(toy)
    column_named(FIRST, "healthy-1-1")(toy)
    assert places(toy) == ["toy/counts.tsv", "toy/dataset.yaml: arms.levels.injured.role"]


def test_of_two_datasets_with_one_id_both_are_checked() -> None:
    """The second is told to take another id, and its data are looked at."""
    first, second = make_toy("first"), make_toy("second")
    put("id", value="first")(second)
    cell(-1)(second)
    found = places(first, second)
    assert found[0].startswith("second/counts.tsv: gene")
    assert found[1:] == ["second/dataset.yaml: id"]


def test_nothing_but_the_first_fault_of_an_unreplicated_design_is_told() -> None:
    """Covariates that cannot be told apart because nothing is replicated are no second problem."""
    toy = make_toy()
    toy.keep(lambda row: row.donor == "donor1")
    toy.sheet["lane"] = ["a", "b", "a", "b", "b", "a"]
    put("covariates", value=["lane"])(toy)
    assert places(toy) == ["toy/samples.tsv"]


def test_an_empty_study_holds_no_keys() -> None:
    """A study file without content says what it should hold."""
    Path("study.yaml").write_text("", encoding="utf-8")
    assert [problem["what"] for problem in problems_of(check())] == ["holds no keys"]


def test_a_study_that_does_not_exist_is_a_problem() -> None:
    """The path of the study is named."""
    (problem,) = problems_of(check("none.yaml"))
    assert (problem["where"], problem["what"]) == ("none.yaml", "the file does not exist")


def test_text_of_a_file_cannot_steer_the_terminal() -> None:
    """Control characters that a sample sheet holds are shown, not sent."""
    from exoliver.problems import Problem, format_problems

    toy = make_toy()
    sheet_cell("day", "\x1b[2J")(toy)
    write_study(Path.cwd(), toy)
    text = format_problems([Problem(**problem) for problem in problems_of(check())])
    assert "\x1b" not in text
    assert "x1b[2J" in text
