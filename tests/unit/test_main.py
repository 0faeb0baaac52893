"""The command line: what it prints, and its exit status."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exoliver.__main__ import main
from exoliver.commands import answer_check, answer_without_faulty, check_study
from exoliver.loading import load_study
from exoliver.study import Dataset, Settings, export_schema
from tests.toy import gene_ids

STUDY = """title: A small study
datasets: [good.yaml, bad.yaml]
fdr: 0.1  # a comment
"""
DATASET = """id: {id}
organism: mouse
counts: {{file: counts.tsv, identifiers: ensembl}}
samples: {{file: samples.tsv}}
arms:
  column: group
  levels:
    sham: {{role: healthy, value: sham}}
    apap: {{role: injured, value: {injured}}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a study of two datasets, the second of which names an arm that is not in the sheet."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(1)
    samples = [f"S{number}" for number in range(6)]
    counts = pd.DataFrame(rng.poisson(50, (150, 6)), columns=samples, index=gene_ids(number=150))
    counts.to_csv("counts.tsv", sep="\t", index_label="gene")
    groups = {"sample": samples, "group": ["sham"] * 3 + ["apap"] * 3}
    pd.DataFrame(groups).to_csv("samples.tsv", sep="\t", index=False)
    Path("study.yaml").write_text(STUDY)
    Path("good.yaml").write_text(DATASET.format(id="good", injured="apap"))
    Path("bad.yaml").write_text(DATASET.format(id="bad", injured="APAP"))
    return tmp_path


def write_study(*datasets: str, more: str = "") -> None:
    """A study of some datasets."""
    Path("study.yaml").write_text(f"title: A study\ndatasets: [{', '.join(datasets)}]\n{more}")


def test_a_sound_study_ends_with_status_zero(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line that says so."""
    write_study("good.yaml")
    assert main(["check", "study.yaml"]) == 0
    assert capsys.readouterr().out == "study.yaml: 1 dataset, sound, 0 warnings\n"


def test_problems_of_yaml_and_data_are_shown_together(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A misspelt key of the study does not hide an arm that the sheet of a dataset lacks."""
    write_study("good.yaml", "bad.yaml", more="sead: 1\n")
    assert main(["check", "study.yaml"]) == 1
    text = capsys.readouterr().out
    assert "did you mean 'seed'?" in text
    assert "'APAP' is not in column group (found: apap, sham)" in text
    assert text.startswith("2 problems\n1. study.yaml: sead\n")


def test_warnings_are_printed_and_do_not_change_the_status(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two samples in an arm are few, and can be worked with."""
    Path("good.yaml").write_text(
        Path("good.yaml").read_text().replace("samples.tsv}", "samples.tsv, exclude: {S5: failed}}")
    )
    write_study("good.yaml")
    assert main(["check", "study.yaml"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("1 warning\n")
    assert "fewer than three samples" in text


def test_several_studies_are_as_sound_as_the_worst(folder: Path) -> None:
    """Each has its line, and one faulty study decides the status."""
    Path("sound.yaml").write_text("title: Sound\ndatasets: [good.yaml]\n")
    answer = answer_check(["sound.yaml", "study.yaml"])
    assert answer.status == 1
    assert "sound.yaml: 1 dataset, sound" in answer.text
    assert "study.yaml: 2 datasets, 1 problem" in answer.text


def test_a_missing_study_is_a_problem(folder: Path) -> None:
    """It has no datasets and one problem."""
    answer = answer_check(["nothing.yaml"])
    assert answer.status == 1
    assert "the file does not exist" in answer.text


def test_only_the_yaml_of_a_simulated_dataset_is_checked(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The default study needs no file but its YAML."""
    monkeypatch.chdir(root)
    findings = check_study(load_study("config/config.yaml"))
    assert {name: found.problems for name, found in findings.items()} == {"demo_msc_mouse": (), "demo_ev_rat": ()}


def test_the_faulty_datasets_are_dropped_from_the_study(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is printed is a sound study with the same keys; what was wrong is on the error stream."""
    assert main(["check", "--drop-faulty", "study.yaml"]) == 0
    printed = capsys.readouterr()
    assert "'APAP' is not in column group" in printed.err
    Path("sound.yaml").write_text(printed.out)
    study = load_study("sound.yaml")
    assert study.all_problems == ()
    assert (study.settings.title, study.settings.datasets, study.settings.fdr) == ("A small study", ("good.yaml",), 0.1)


def test_patterns_that_match_nothing_are_dropped_too(folder: Path) -> None:
    """They name no dataset that could be kept."""
    write_study("good.yaml", "none/*.yaml")
    answer = answer_without_faulty("study.yaml")
    assert answer.status == 0
    assert 'datasets: ["good.yaml"]' in answer.text


@pytest.mark.parametrize("more", ["fdr: 2\n", "sead: 1\n"])
def test_a_study_with_faulty_keys_cannot_be_saved_by_dropping(folder: Path, more: str) -> None:
    """Nothing is printed but what is wrong."""
    write_study("good.yaml", more=more)
    answer = answer_without_faulty("study.yaml")
    assert (answer.status, answer.text) == (1, "")
    assert answer.aside.startswith("1 problem")


def test_nothing_is_printed_where_no_dataset_is_left(folder: Path) -> None:
    """A study needs a dataset."""
    write_study("bad.yaml")
    answer = answer_without_faulty("study.yaml")
    assert (answer.status, answer.text) == (1, "")


@pytest.mark.parametrize(("kind", "model"), [("study", Settings), ("dataset", Dataset)])
def test_a_schema_is_that_of_its_file(kind: str, model: type, capsys: pytest.CaptureFixture[str]) -> None:
    """`schema study` prints what config/study.schema.json holds."""
    assert main(["schema", kind]) == 0
    assert capsys.readouterr().out == export_schema(model)


def test_without_a_word_both_schemas_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """As one JSON object, by name."""
    assert main(["schema"]) == 0
    both = json.loads(capsys.readouterr().out)
    assert {name: schema["title"] for name, schema in both.items()} == {"study": "Settings", "dataset": "Dataset"}


@pytest.mark.parametrize(
    "arguments",
    [[], ["check"], ["schema", "arms"], ["new"], ["check", "--drop-faulty", "a.yaml", "b.yaml"]],
    ids=lambda arguments: " ".join(arguments) or "nothing",
)
def test_a_command_that_is_not_understood_ends_with_status_two(arguments: list[str]) -> None:
    """Usage, as argparse has it."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2


def test_the_module_runs_from_a_working_directory_of_the_user(folder: Path, root: Path) -> None:
    """`python -m exoliver` is the command, and its status that of the check."""
    command = [sys.executable, "-m", "exoliver", "check", "study.yaml"]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.endswith("study.yaml: 2 datasets, 1 problem, 0 warnings\n")
