"""README and docs/: commands run, links lead somewhere, and every column of every table is explained."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from exoliver import tables
from exoliver.commands import answer_check
from exoliver.identifiers import REASONS
from exoliver.report.ledger import NOTES as LEDGER_NOTES
from tests.sources import ROOT

DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
RUNS = {"python": [sys.executable], "snakemake": [sys.executable, "-m", "snakemake"]}

# The page on which each declared table is explained.
EXPLAINED = {
    "IDENTIFIERS": "identifiers",
    "LEDGER": "identifiers",
    "CONTRAST": "contrasts",
    "OMNIBUS": "contrasts",
    "GENE_SETS": "gene_sets",
    "ENRICHMENT": "enrichment",
    "OVERREPRESENTATION": "enrichment",
    "TIMEPOINT_GENES": "timepoints",
    "EFFECTS": "programmes",
    "CHANGES": "programmes",
    "PROGRAMMES": "programmes",
    "SCORES": "programmes",
    "EQUIVALENCE": "programmes",
    "TRAJECTORIES": "timepoints",
    "RESCUE_PROGRAMMES": "rescue",
    "RESCUE_GENES": "rescue",
    "RESCUE_COMPARISONS": "rescue",
    "RESCUE_SUMMARY": "rescue",
    "PANEL": "panel",
    "GENE_VALUES": "panel",
    "TRUTH_PROGRAMMES": "simulation",
    "TRUTH_GENES": "simulation",
    "SAMPLES": "simulation",
    "SOFTWARE": "provenance",
    "INPUTS": "provenance",
}


def read(page: Path) -> str:
    """Text of a page."""
    return page.read_text(encoding="utf-8")


def blocks(page: Path, language: str) -> list[str]:
    """Fenced blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", read(page), flags=re.MULTILINE | re.DOTALL)


def code_words(page: Path) -> set[str]:
    """What stands as code within the text of a page."""
    text = re.sub(r"^```.*?^```", "", read(page), flags=re.MULTILINE | re.DOTALL)
    return set(re.findall(r"`([^`\n]+)`", text))


def commands() -> list[str]:
    """Commands of all pages that are quick and need no file of the user's."""
    lines = [line.strip() for page in PAGES for block in blocks(page, "sh") for line in block.splitlines()]
    checks = [line for line in lines if line.startswith("python -m exoliver")]
    dry = [line for line in lines if line.startswith("snakemake ") and {"-n", "--dry-run"} & set(line.split())]
    return sorted({line for line in [*checks, *dry] if "my.yaml" not in line})


@pytest.mark.parametrize("command", commands())
def test_commands_of_the_pages_run(command: str) -> None:
    """Each ends with status 0 in the root of the clone."""
    program, *arguments = shlex.split(command)
    done = subprocess.run([*RUNS[program], *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_there_are_commands_to_run() -> None:
    """The check, the schemas and a dry run are shown somewhere."""
    assert {" ".join(command.split()[:4]) for command in commands()} >= {"python -m exoliver check"}
    assert any(command.startswith("snakemake") for command in commands())


@pytest.fixture
def five_minutes(tmp_path: Path) -> Path:
    """A working directory with the YAML of the README, and made-up files that fit it."""
    study, dataset = blocks(ROOT / "README.md", "yaml")
    (tmp_path / "my.yaml").write_text(study, encoding="utf-8")
    (tmp_path / "my_dataset.yaml").write_text(dataset, encoding="utf-8")
    levels = yaml.safe_load(dataset)["arms"]["levels"].values()
    groups = [arm["value"] for arm in levels for _ in range(6)]
    samples = [f"S{number}" for number in range(len(groups))]
    sheet = pd.DataFrame({"sample": samples, "group": groups, "hour": [6, 6, 6, 24, 24, 24] * len(levels)})
    annotation = pd.read_csv(ROOT / "resources" / "identifiers" / "mouse.tsv.gz", sep="\t", dtype=str)
    genes = annotation.loc[annotation["symbol_lookup"] == "yes", "symbol"].head(300)
    counts = np.random.default_rng(1).poisson(50, (len(genes), len(samples)))
    (tmp_path / "data").mkdir()
    sheet.to_csv(tmp_path / "data" / "samples.tsv", sep="\t", index=False)
    pd.DataFrame(counts, index=pd.Index(genes, name="gene"), columns=samples).to_csv(
        tmp_path / "data" / "counts.tsv", sep="\t"
    )
    return tmp_path


def test_the_dataset_of_the_readme_is_sound(five_minutes: Path) -> None:
    """Its two YAML files, as they stand there, pass the check without a problem or warning."""
    command = [sys.executable, "-m", "exoliver", "check", "my.yaml"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=five_minutes, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout == "my.yaml: 1 dataset, sound, 0 warnings\n"
    assert done.returncode == 0


FAULTY_STUDY = """title: Adipose EV after paracetamol
datasets: [config/apap.yaml]
colections: [programmes]
"""
FAULTY_DATASET = """id: apap
organism: mouse
counts: {file: data/counts.tsv, identifiers: symbol}
samples: {file: data/samples.tsv}
arms:
  column: group
  levels:
    sham: {role: healthy, value: sham}
    saline: {role: injured, value: APAP, vehicle: pbs}
    oil: {role: injured, value: oil, vehicle: oil}
    ev: {role: treated, value: APAP_EV, product: ev, vehicle: pbs}
time: {column: hour, unit: h}
"""


def test_the_faults_shown_are_what_the_check_prints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fix: bool) -> None:
    """The example of docs/check.md; `pytest --fix` writes it."""
    monkeypatch.chdir(tmp_path)
    for folder in ("config", "data"):
        Path(folder).mkdir()
    Path("my.yaml").write_text(FAULTY_STUDY)
    Path("config/apap.yaml").write_text(FAULTY_DATASET)
    samples = [f"S{number}" for number in range(1, 13)]
    groups = [group for group in ("sham", "apap", "oil", "APAP_EV") for _ in range(3)]
    pd.DataFrame({"sample": samples, "group": groups, "hour": 24}).to_csv("data/samples.tsv", sep="\t", index=False)
    columns = [*samples[:-1], "S_12"]
    pd.DataFrame(10, index=[f"Gene{number}" for number in range(200)], columns=columns).to_csv(
        "data/counts.tsv", sep="\t", index_label="gene"
    )
    printed = answer_check(["my.yaml"]).text + "\n"
    page = DOCS / "check.md"
    (shown,) = blocks(page, "text")
    if fix:
        page.write_text(read(page).replace(shown, printed), encoding="utf-8")
    else:
        assert shown == printed


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_relative_links_lead_somewhere(page: Path) -> None:
    """Files and pictures that a page names are there."""
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", read(page))
    relative = [link for link in links if not re.match(r"[a-z]+:", link)]
    assert [link for link in relative if not (page.parent / link).exists()] == []


def test_the_index_links_every_page() -> None:
    """No page has to be found by chance."""
    linked = set(re.findall(r"\]\(([a-z_]+\.md)\)", read(DOCS / "index.md")))
    assert {page.name for page in DOCS.glob("*.md")} - {"index.md"} == linked


def declared_tables() -> dict[str, tuple[str, ...]]:
    """The tables that `tables.py` declares, by the name of the constant."""
    constants = {name: value for name, value in vars(tables).items() if name.isupper() and isinstance(value, tuple)}
    return {name: value for name, value in constants.items() if name != "TEXT"}


def test_every_declared_table_has_its_page() -> None:
    """A table that is new in tables.py needs an entry here, and an explanation there."""
    assert declared_tables().keys() == EXPLAINED.keys()


@pytest.mark.parametrize("table", sorted(EXPLAINED))
def test_every_column_is_explained(table: str) -> None:
    """Each column stands as code on the page of its table."""
    words = code_words(DOCS / f"{EXPLAINED[table]}.md")
    assert [column for column in declared_tables()[table] if column not in words] == []


def test_the_yaml_of_the_pages_is_yaml() -> None:
    """Examples can be copied."""
    for page in PAGES:
        for block in blocks(page, "yaml"):
            assert isinstance(yaml.safe_load(block), dict), page.name


def test_the_notes_of_the_code_are_explained() -> None:
    """Notes that contrasts and identifiers give are on their pages."""
    package = ROOT / "exoliver"
    notes = {
        "contrasts": re.findall(r'^            \("(\w+)", ', read(package / "model.py"), flags=re.MULTILINE),
        "identifiers": [
            *re.findall(r'_flag\(.*?, "(\w+)"\)', read(package / "identifiers.py")),
            *(reason for reasons in REASONS.values() for reason in reasons),
            *LEDGER_NOTES,
        ],
    }
    for page, found in notes.items():
        assert len(found) > 3, page
        assert sorted(set(found) - code_words(DOCS / f"{page}.md")) == [], page
