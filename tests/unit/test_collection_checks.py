"""The user's own gene sets: unreadable files and sets of another organism are told, sound ones are not."""

from pathlib import Path

import pandas as pd
import pytest

from exoliver.collection_checks import check_collections, check_own_sets
from exoliver.problems import Findings

ANNOTATION = pd.DataFrame({"symbol": ["Mcl1", "Bax", "Bcl2", "Trp53"], "human_symbol": ["MCL1", "BAX", "BCL2", "TP53"]})


@pytest.fixture(autouse=True)
def _there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def own(*members: str, name: str = "own.gmt") -> str:
    """A file of one set."""
    Path(name).write_text("set\tabout\t" + "\t".join(members) + "\n", encoding="utf-8")
    return name


def told(
    *files: str, genes: pd.DataFrame = ANNOTATION, annotation: pd.DataFrame = ANNOTATION, by: str = "symbol"
) -> Findings:
    """What is said of sets beside a mouse dataset."""
    return check_own_sets(dict.fromkeys(files, by), genes, dataset="toy", organism="mouse", annotation=annotation)


def test_every_file_that_cannot_be_read_is_told() -> None:
    """A missing one, one with a member that is called as a missing value is, and no sound one."""
    files = [own("Mcl1"), "none.gmt", own("Mcl1", "NA", name="na.gmt")]
    problems = check_collections(files)
    assert [problem.where for problem in problems] == ["none.gmt", "na.gmt"]
    assert "set member without a name" in problems[1].what


def test_a_set_called_as_the_half_of_another_is_told() -> None:
    """A signed set is tested as NAME_UP and NAME_DN, which no other set may be called."""
    rows = ["gene_set\tgene\tsign", "x\tMcl1\t1", "x\tBax\t-1", "x_UP\tBcl2\t1"]
    Path("own.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (problem,) = check_collections(["own.tsv"])
    assert problem.what == "sets are called as halves of signed sets will be: x_UP"
    Path("own.tsv").write_text("\n".join([*rows[:3], "x_3\tBcl2\t1"]) + "\n", encoding="utf-8")
    assert check_collections(["own.tsv"]) == []


def test_sets_in_symbols_of_another_organism_are_told() -> None:
    """With the share that was found, and whose symbols they seem to be."""
    assert told(own("Mcl1", "Bax", "Nothing")) == Findings()
    (problem,) = told(own("MCL1", "BAX")).problems
    assert (problem.where, problem.what) == (
        "toy: collections",
        "0 of the 2 genes of own.gmt (0%) are mouse symbols; they are human symbols",
    )
    assert "human_collections: [own.gmt]" in problem.fix
    (problem,) = told(own("ENSMUSG1", "ENSMUSG2")).problems
    assert problem.what == "0 of the 2 genes of own.gmt (0%) are mouse symbols"


def test_sets_declared_as_human_are_compared_with_human_symbols() -> None:
    """Human sets are sound then, and mouse sets are told."""
    assert told(own("MCL1", "BAX", "NOTHING"), by="human_symbol") == Findings()
    (problem,) = told(own("Mcl1", "Bax"), by="human_symbol").problems
    assert problem.what.endswith("they are mouse symbols")
    assert problem.fix == "take own.gmt out of human_collections"


def test_a_dataset_of_few_genes_does_not_make_sets_foreign() -> None:
    """The organism has them all the same."""
    assert told(own("Mcl1", "Bax"), genes=ANNOTATION.iloc[3:]) == Findings()


def test_nothing_is_said_without_an_annotation_or_a_readable_file() -> None:
    """The organism is told elsewhere, and so is the file."""
    assert told(own("MCL1"), annotation=ANNOTATION.iloc[:0]) == Findings()
    assert told("none.gmt") == Findings()
