"""Broken studies through Snakemake itself: exit status 1, the problem on the terminal, and nothing computed."""

import re
from pathlib import Path

import pytest

from tests.faults.breaks import Break, both, cell, column_named, drop, gene_named, keep, put, second_injured, sheet_cell
from tests.faults.cases import FAULTS
from tests.snakemake_run import Run, snakemake
from tests.toy import Toy, check, gene_ids, make_toy, problems_of, write_study

pytestmark = [pytest.mark.faults, pytest.mark.workflow]

REPRESENTATIVE = (
    "a sample has another name in the counts",
    "a column is neither a sample nor ignored",
    "a count is not whole",
    "a gene id is repeated",
    "the column of times is missing",
    "an arm's value is misspelt",
    "two bases and no against",
    "nothing is replicated",
    "a covariate equals an arm",
    "an unknown key of an arm",
    "a syntax error",
    "the counts do not exist",
    "the dataset does not exist",
    "a path is too long",
    "results lead out of the folder",
    "no datasets",
)


def run(folder: Path, root: Path) -> Run:
    """The whole workflow on the study of a folder."""
    return snakemake(folder, "--config", "study=study.yaml", cores=1, snakefile=root / "Snakefile")


def outputs(folder: Path) -> list[str]:
    """Every file below results/."""
    return sorted(path.relative_to(folder).as_posix() for path in (folder / "results").rglob("*") if path.is_file())


@pytest.mark.parametrize("name", REPRESENTATIVE)
def test_a_fault_stops_the_workflow_before_anything_is_computed(
    name: str, tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The problem is printed with its three parts, without a traceback; check.json is all that is written."""
    (fault,) = [fault for fault in FAULTS if fault.name == name]
    monkeypatch.chdir(tmp_path)
    toy = make_toy()
    fault.breaks(toy)
    write_study(tmp_path, toy, **fault.study)
    done = run(tmp_path, root)
    assert done.status == 1, done.output
    assert "Traceback" not in done.output
    assert_told(done.output, problems_of(check()))
    written = [Path(path).name for path in outputs(tmp_path)]
    assert written == ["check.json"] * len(written)
    assert written or fault.study


def assert_told(output: str, problems: list[dict[str, str]]) -> None:
    """Snakemake's output holds the count of the problems and each with where, what and fix."""
    count = f"{len(problems)} problem" + ("" if len(problems) == 1 else "s")
    assert re.search(rf"^{count}$", output, flags=re.MULTILINE), output
    for problem in problems:
        block = f"{problem['where']}\n    what: {problem['what']}\n    fix:  {problem['fix']}"
        assert output.count(block) == 1, (block, output)


def broken(name: str, *breaks: Break) -> Toy:
    """A toy dataset with several faults."""
    toy = make_toy(name)
    both(*breaks)(toy)
    return toy


def test_ten_faults_give_ten_problems(tmp_path: Path, root: Path) -> None:
    """Several faults within one dataset, several datasets, YAML and data: all in one list, and nothing is computed."""
    first = broken("first", column_named("healthy_1_1", "healthy-1-1"), cell(0.5), gene_named(gene_ids()[9]))
    second = broken("second", second_injured, cell(-4, sample=5), put("covariates", value=["weight"]))
    third = broken("third", keep(lambda row: row.donor == "donor1"), put("counts", "ignor", value=[]))
    fourth = broken("fourth", sheet_cell("sample", "healthy_1_2"), drop("organism"))
    toys = [first, second, third, fourth, make_toy("fifth")]
    write_study(tmp_path, *toys, set_size={"min": 50, "max": 10})
    fragments = {
        "first/counts.tsv\n    what: columns healthy-1-1 are no samples",
        f"first/counts.tsv: gene {first.counts.index[4]}, sample healthy_1_3\n    what: '0.5' is not a whole number",
        "first/counts.tsv: column 1\n    what: gene ids are repeated",
        "second/dataset.yaml: arms.levels.treated.against\n    what: the base could be injured or vehicle",
        "second/counts.tsv: gene",
        "second/samples.tsv: covariates\n    what: there is no column 'weight'",
        "third/samples.tsv\n    what: no arm has two samples at one time",
        "third/dataset.yaml: counts.ignor\n    what: key 'ignor' is unknown",
        "fourth/dataset.yaml: organism\n    what: is missing",
        "study.yaml: set_size\n    what: min is above max",
    }
    done = run(tmp_path, root)
    assert done.status == 1, done.output
    assert "Traceback" not in done.output
    assert re.search(r"^10 problems$", done.output, flags=re.MULTILINE), done.output
    assert [fragment for fragment in fragments if done.output.count(fragment) != 1] == []
    assert outputs(tmp_path) == sorted(f"results/datasets/{toy.name}/check.json" for toy in toys)


def test_a_mended_study_goes_on(tmp_path: Path, root: Path) -> None:
    """With its fault mended the study passes the preflight, and the check of the other dataset is not made again."""
    faulty = broken("first", cell(-1))
    write_study(tmp_path, faulty, make_toy("second"))
    arguments = ("preflight", "--config", "study=study.yaml")
    assert snakemake(tmp_path, *arguments, cores=1, snakefile=root / "Snakefile").status == 1
    write_study(tmp_path, make_toy("first"), make_toy("second"))
    done = snakemake(tmp_path, *arguments, cores=1, snakefile=root / "Snakefile")
    assert done.status == 0, done.output
    assert "results/preflight.json" in outputs(tmp_path)
