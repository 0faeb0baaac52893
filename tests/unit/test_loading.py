"""Reading a study: every problem is collected, and as much is read as can be."""

from pathlib import Path
from typing import Any

import pytest

from exoliver.loading import load_dataset, load_study
from tests.toy import make_settings, make_toy, write_study, write_toy, write_yaml


@pytest.fixture(autouse=True)
def _there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def study(**keys: Any) -> Path:
    """A study of one toy dataset with further keys."""
    return write_study(Path(), make_toy(), **keys)


def test_a_sound_study_is_read_whole() -> None:
    """Settings, datasets in their order, no problems."""
    for name in ("b", "a"):
        write_toy(make_toy(name), Path())
    write_yaml(make_settings("b", "a"), Path("study.yaml"))
    read = load_study("study.yaml")
    assert read.all_problems == ()
    assert [entry.id for entry in read.entries] == ["b", "a"]
    assert read.entries[0].file == "b/dataset.yaml"
    assert read.entries[0].dataset is not None
    assert read.settings.title == "toy"


def test_patterns_name_files_in_order_and_once() -> None:
    """A file that is also named by itself is not read twice."""
    for name in ("c", "a", "b"):
        write_toy(make_toy(name), Path())
    study_file = Path("study.yaml")
    write_yaml({"title": "t", "datasets": ["./b/dataset.yaml", "*/dataset.yaml", "**/dataset.yaml"]}, study_file)
    assert [entry.id for entry in load_study(study_file).entries] == ["b", "a", "c"]


def test_absolute_paths_and_patterns_work(tmp_path: Path) -> None:
    """A dataset may lie elsewhere."""
    write_toy(make_toy(), tmp_path)
    for item in (tmp_path / "toy/dataset.yaml", tmp_path / "*/dataset.yaml"):
        write_yaml({"title": "t", "datasets": [str(item)]}, Path("study.yaml"))
        assert [entry.id for entry in load_study("study.yaml").entries] == ["toy"]


@pytest.mark.parametrize("text", ["", "just a word", "- a\n- b", "5"])
def test_a_study_without_keys_is_a_problem(text: str) -> None:
    """It has fallback settings, no datasets, and says what to write."""
    Path("study.yaml").write_text(text, encoding="utf-8")
    read = load_study("study.yaml")
    assert [problem.what for problem in read.problems] == ["holds no keys"]
    assert read.entries == ()
    assert read.settings.results == "results"


def test_a_faulty_study_keeps_its_results_folder_and_datasets() -> None:
    """So that the problems of the datasets are found as well, and are written where the user looks."""
    read = load_study(study(results="out/here", fdr=2))
    assert read.settings.results == "out/here"
    assert [entry.id for entry in read.entries] == ["toy"]
    assert [problem.where for problem in read.problems] == ["study.yaml: fdr"]


def test_a_faulty_results_folder_falls_back() -> None:
    """Nothing is written where it must not be."""
    assert load_study(study(results="/elsewhere")).settings.results == "results"


@pytest.mark.parametrize("datasets", ["toy/dataset.yaml", [5], [], None, {}])
def test_datasets_that_are_no_list_of_paths_are_a_problem(datasets: object) -> None:
    """There is nothing to read then."""
    read = load_study(study(datasets=datasets))
    assert {problem.where.removesuffix(".0") for problem in read.problems} == {"study.yaml: datasets"}
    assert read.entries == ()


def test_an_unreadable_dataset_is_named_by_its_file() -> None:
    """It has an id, for its check.json, and no content."""
    Path("My Data.yaml").write_text("[", encoding="utf-8")
    entry = load_dataset("My Data.yaml")
    assert (entry.id, entry.dataset) == ("my_data", None)
    assert len(entry.problems) == 1


def test_two_files_with_one_id_are_told() -> None:
    """The second is set under an id of its own; neither is lost."""
    for name in ("a", "b"):
        toy = make_toy(name)
        toy.yaml["id"] = "same"
        write_toy(toy, Path())
    write_yaml(make_settings("a", "b"), Path("study.yaml"))
    read = load_study("study.yaml")
    assert [entry.id for entry in read.entries] == ["same", "same_2"]
    assert [problem.where for problem in read.all_problems] == ["b/dataset.yaml: id"]


def test_two_unreadable_files_of_one_name_do_not_share_an_id() -> None:
    """That their ids were made from the file's name is no fault of the user's."""
    for folder in ("a", "b"):
        Path(folder).mkdir()
        Path(folder, "dataset.yaml").write_text("[", encoding="utf-8")
    write_yaml(make_settings("a", "b"), Path("study.yaml"))
    read = load_study("study.yaml")
    assert [entry.id for entry in read.entries] == ["dataset", "dataset_2"]
    assert len(read.all_problems) == 2


@pytest.mark.parametrize(
    "keys",
    [
        {"titel": "x"}, {"title": 5}, {"injury": {"class": "bad"}}, {"gene_filter": {"min_count": -1}},
        {"animals": []}, {"id": "No Slug"}, {"contrasts": {"x": 5}}, {"covariats": ["batch"]}, {"cells": {}},
    ],
)  # fmt: skip
def test_a_fault_beside_the_point_leaves_a_dataset_to_be_checked(keys: dict[str, Any]) -> None:
    """The YAML's problem is told, and the counts can be looked at all the same."""
    toy = make_toy()
    toy.yaml |= keys
    write_toy(toy, Path())
    entry = load_dataset("toy/dataset.yaml")
    assert len(entry.problems) == 1
    assert entry.dataset is not None


@pytest.mark.parametrize(
    "keys", [{"counts": {"file": 5}}, {"time": {"column": "day"}}, {"arms": {"column": "group"}}, {"covariates": [1]}]
)
def test_a_fault_that_decides_the_reading_leaves_nothing_to_be_checked(keys: dict[str, Any]) -> None:
    """No file is looked at with half of what the user meant."""
    toy = make_toy()
    toy.yaml |= keys
    write_toy(toy, Path())
    entry = load_dataset("toy/dataset.yaml")
    assert entry.problems
    assert entry.dataset is None


def test_a_misspelt_key_is_read_as_what_it_stands_for() -> None:
    """Only to find further faults: the problem stays."""
    toy = make_toy()
    toy.yaml["covariats"] = ["batch"]
    write_toy(toy, Path())
    entry = load_dataset("toy/dataset.yaml")
    assert entry.dataset is not None
    assert entry.dataset.covariates == ("batch",)
    assert [problem.where for problem in entry.problems] == ["toy/dataset.yaml: covariats"]


def test_a_misspelt_key_does_not_replace_the_right_one() -> None:
    """Where both are there, the right one is read."""
    toy = make_toy()
    toy.yaml |= {"covariates": ["batch"], "covariats": ["other"]}
    write_toy(toy, Path())
    dataset = load_dataset("toy/dataset.yaml").dataset
    assert dataset is not None
    assert dataset.covariates == ("batch",)


@pytest.mark.parametrize("roles", [("reference",) * 3, ("injured", "injured", "treated_healthy")])
def test_arms_of_which_none_is_compared_are_a_problem(roles: tuple[str, ...]) -> None:
    """There would be no contrast and an empty report; one base or one contrast of the user's own is enough."""
    toy = make_toy()
    for arm, role in zip(toy.levels.values(), roles, strict=True):
        arm["role"] = role
    write_toy(toy, Path())
    (problem,) = load_dataset("toy/dataset.yaml").problems
    assert (problem.where, problem.what[:31]) == ("toy/dataset.yaml: arms.levels", "no arm is compared with another")
    toy.yaml["contrasts"] = {"own": {"of": {"arm": "treated"}, "against": {"arm": "injured"}}}
    write_toy(toy, Path())
    assert load_dataset("toy/dataset.yaml").problems == ()
    del toy.yaml["contrasts"]
    toy.levels["treated"]["against"] = "injured"
    write_toy(toy, Path())
    assert load_dataset("toy/dataset.yaml").problems == ()


def test_own_collections_are_files() -> None:
    """A path of a GMT file that exists is fine; two that get one name in paths are not."""
    for folder in ("a", "b"):
        Path(folder).mkdir()
        Path(folder, "Own sets.gmt").write_text("s\td\tMcl1\n", encoding="utf-8")
    assert load_study(study(collections=["a/Own sets.gmt", "hallmark"])).all_problems == ()
    (problem,) = load_study(study(collections=["a/Own sets.gmt", "b/Own sets.gmt"])).problems
    assert "the same name in paths" in problem.what


def test_human_collections_are_among_the_collections() -> None:
    """A file named twice is read as human symbols; one that is no collection is a problem, as is a shipped name."""
    Path("own.gmt").write_text("s\td\tMCL1\n", encoding="utf-8")
    sound = load_study(study(collections=["own.gmt", "hallmark"], human_collections=["own.gmt"]))
    assert (sound.all_problems, sound.own_collections) == ((), {"own.gmt": "human_symbol"})
    assert load_study(study(collections=["own.gmt"])).own_collections == {"own.gmt": "symbol"}
    problems = load_study(study(collections=["own.gmt"], human_collections=["other.gmt", "hallmark"])).problems
    assert [problem.what for problem in problems] == [
        "'other.gmt' is none of the files under collections",
        "'hallmark' is none of the files under collections",
    ]
