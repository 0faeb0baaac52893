"""Small sound studies, made by code from a seed, to be broken or computed. One dataset: 3 arms x 2 days x 3 samples."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import yaml

from exoliver.checks import check_entry, merge_study
from exoliver.identifiers import read_annotation
from exoliver.loading import load_study
from exoliver.wiring import Wiring

GENES = 300
ARMS = ("healthy", "injured", "treated")
DAYS = (1, 7)
REPLICATES = 3


@dataclass
class Toy:
    """One dataset as plain Python: change it, then write it.

    `edits` are replacements in the text of the written files (YAML included): file name, old text, new text.
    """

    name: str
    counts: pd.DataFrame
    sheet: pd.DataFrame
    yaml: dict[str, Any]
    edits: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def levels(self) -> dict[str, Any]:
        """The arms of its YAML."""
        return self.yaml["arms"]["levels"]

    def keep(self, is_kept: Callable[[Any], bool]) -> None:
        """Keep the samples whose row of the sheet is accepted, in both files."""
        self.sheet = self.sheet[[is_kept(row) for row in self.sheet.itertuples()]]
        self.counts = self.counts[list(self.sheet["sample"])]


@cache
def gene_ids(organism: str = "mouse", number: int = GENES) -> tuple[str, ...]:
    """Ensembl ids of the first protein-coding genes with a human counterpart."""
    annotation = read_annotation(organism)
    chosen = annotation[(annotation["biotype"] == "protein_coding") & annotation["human_symbol"].notna()]
    return tuple(chosen["gene_id"].dropna().iloc[:number])


def make_sheet() -> pd.DataFrame:
    """The sample sheet: donors and batches are crossed with arms and days."""
    cells = [(arm, day, number) for arm in ARMS for day in DAYS for number in range(1, REPLICATES + 1)]
    return pd.DataFrame(
        {
            "sample": [f"{arm}_{day}_{number}" for arm, day, number in cells],
            "group": [arm for arm, _, _ in cells],
            "day": [str(day) for _, day, _ in cells],
            "donor": [f"donor{number}" for _, _, number in cells],
            "batch": ["a" if number == 1 else "b" for _, _, number in cells],
            "rin": [str(7 + (place * 7 % 10) / 10) for place in range(len(cells))],
        }
    )


def make_counts(samples: list[str], *, seed: int, genes: int = GENES) -> pd.DataFrame:
    """Negative binomial counts of mouse genes, with means from 20 to 2000 and a dispersion of 0.05."""
    random = np.random.default_rng(seed)
    means = np.geomspace(20, 2000, genes)[:, None] * random.uniform(0.8, 1.2, len(samples))
    counts = random.negative_binomial(20, 20 / (20 + means))
    return pd.DataFrame(counts + 1, index=pd.Index(gene_ids(number=genes), name="gene_id"), columns=samples)


def make_toy(name: str = "toy", seed: int = 1) -> Toy:
    """A sound dataset, without warnings."""
    sheet = make_sheet()
    levels: dict[str, Any] = {arm: {"role": arm, "value": arm} for arm in ARMS}
    content = {
        "id": name,
        "organism": "mouse",
        "counts": {"file": f"{name}/counts.tsv", "identifiers": "ensembl"},
        "samples": {"file": f"{name}/samples.tsv"},
        "arms": {"column": "group", "levels": levels},
        "time": {"column": "day", "unit": "day", "since": "injury"},
    }
    return Toy(name, make_counts(list(sheet["sample"]), seed=seed), sheet, content)


def write_toy(toy: Toy, folder: Path) -> None:
    """Write a dataset's three files below a folder: {name}/counts.tsv, samples.tsv and dataset.yaml."""
    place = folder / toy.name
    place.mkdir(parents=True, exist_ok=True)
    toy.counts.to_csv(place / "counts.tsv", sep="\t", lineterminator="\n")
    toy.sheet.to_csv(place / "samples.tsv", sep="\t", index=False, lineterminator="\n")
    write_yaml(toy.yaml, place / "dataset.yaml")
    for name, old, new in toy.edits:
        text = (place / name).read_text(encoding="utf-8")
        assert old in text, f"{name} does not hold {old!r}"
        (place / name).write_text(text.replace(old, new), encoding="utf-8")


def write_yaml(content: Mapping[str, Any], path: Path) -> None:
    """Write YAML with its keys in their order."""
    plain = json.loads(json.dumps(content))  # without an object in two places, which YAML would alias
    path.write_text(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True), encoding="utf-8")


def make_settings(*names: str) -> dict[str, Any]:
    """The keys of a study of some datasets."""
    return {"title": "toy", "datasets": [f"{name}/dataset.yaml" for name in names], "collections": ["programmes"]}


def write_study(folder: Path, *toys: Toy, **keys: Any) -> Path:
    """Write datasets and the study that names them; further keys replace those of the study."""
    for toy in toys:
        write_toy(toy, folder)
    write_yaml(make_settings(*(toy.name for toy in toys)) | keys, folder / "study.yaml")
    return folder / "study.yaml"


def check(file: str | Path = "study.yaml") -> dict[str, Any]:
    """The content of preflight.json for a study in the working directory, as the rules make it, without Snakemake."""
    wire = Wiring(load_study(file))
    made = SimpleNamespace(counts="{dataset}/none.tsv", samples="{dataset}/none.tsv")
    wire.inputs()
    checks = []
    for name in wire.datasets:
        wildcards = SimpleNamespace(dataset=name)
        wire.files(made)(wildcards)  # what Snakemake asks for before any job runs must not raise either
        slices = {
            "problems": wire.problems(wildcards),
            "intake": wire.intake(wildcards),
            "sources": wire.sources(made)(wildcards),
            "arms": wire.checked_arms(wildcards),
            "contrasts": wire.contrasts(wildcards),
            "gene_filter": wire.gene_filter(wildcards),
            "collections": wire.own_collections(wildcards),
            "genes_of_interest": wire.genes_of_interest(),
        }
        checks.append(check_entry(name, **json.loads(json.dumps(slices))))
    return json.loads(
        json.dumps(merge_study(wire.study_problems(), checks, collections=wire.own_collections()), allow_nan=False)
    )


def problems_of(preflight: Mapping[str, Any]) -> list[dict[str, str]]:
    """Every problem of a preflight."""
    return [*preflight["problems"], *(problem for each in preflight["datasets"] for problem in each["problems"])]


def warnings_of(preflight: Mapping[str, Any]) -> list[dict[str, str]]:
    """Every warning of a preflight."""
    return [warning for each in preflight["datasets"] for warning in each["warnings"]]
