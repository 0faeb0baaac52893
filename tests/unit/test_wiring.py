"""Wiring: each rule gets the slice that it uses, so that an edit reruns what it changes and no more."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from exoliver.loading import load_study
from exoliver.wiring import Wiring, study_file
from tests.snakefiles import read_rules
from tests.toy import make_toy, write_study, write_toy

TOY = SimpleNamespace(dataset="toy")
MADE = SimpleNamespace(counts="results/{dataset}/c.tsv.gz", samples="results/{dataset}/s.tsv")
SLICES = (
    "intake", "arms", "checked_arms", "contrasts", "gene_filter", "unit", "organism", "simulation", "problems", "facts",
)  # fmt: skip
SIMULATION = {
    "seed": 1, "identifiers": "symbol", "genes": 200, "replicates": 2, "times": [1, 7], "response_genes": 0,
    "library_size": {"mean": 1e6, "spread": 0}, "effects": {},
}  # fmt: skip


@pytest.fixture(autouse=True)
def _there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def wired(study: dict[str, Any] | None = None, **keys: Any) -> Wiring:
    """A study of the toy dataset, with further keys of the dataset and of the study."""
    toy = make_toy()
    levels = keys.pop("levels", {})
    toy.yaml |= keys
    for arm, facts in levels.items():
        toy.levels[arm] |= facts
    return Wiring(load_study(write_study(Path(), toy, **(study or {}))))


def slices(wire: Wiring) -> dict[str, str]:
    """Every slice of the dataset, as the text that Snakemake compares."""
    told = {name: json.dumps(getattr(wire, name)(TOY), sort_keys=True) for name in SLICES}
    return told | {"sources": json.dumps(wire.sources(MADE)(TOY))}


BASE = {"of": {"arm": "treated", "time": 7}, "against": {"arm": "injured", "time": 7}}


@pytest.mark.parametrize(
    ("keys", "changed"),
    [
        ({}, set()),
        ({"title": "other"}, {"facts"}),
        ({"citation": "someone"}, {"facts"}),
        ({"injury": {"class": "toxic"}}, {"facts"}),
        ({"levels": {"treated": {"dose": 5, "label": "L", "lot": "B"}}}, {"facts"}),
        ({"levels": {"injured": {"vehicle": "oil"}}}, {"facts", "checked_arms"}),  # a fact that no contrast rests on
        ({"levels": {"healthy": {"procedure": "naive"}}}, {"facts", "checked_arms"}),
        ({"contrasts": {"late": BASE}}, {"facts", "contrasts"}),
        ({"gene_filter": {"min_count": 5}}, {"facts", "gene_filter"}),
        ({"levels": {"treated": {"role": "control_product"}}}, {"facts", "arms", "checked_arms"}),
        ({"levels": {"treated": {"against": "injured"}}}, {"facts"}),  # it says what was meant anyway
        ({"levels": {"treated": {"against": "healthy"}}}, {"facts", "arms", "checked_arms"}),
        ({"levels": {"healthy": {"at": "all_times"}}}, {"facts", "intake"}),
        ({"covariates": ["batch"]}, {"facts", "intake"}),
        ({"organism": "rat"}, {"facts", "intake", "organism"}),
        ({"time": {"column": "day", "unit": "h"}}, {"facts", "intake", "unit"}),
        ({"zzz": 1}, {"problems"}),
    ],
)  # fmt: skip
def test_an_edit_changes_the_slices_that_use_it(keys: dict[str, Any], changed: set[str]) -> None:
    """Facts go to the report alone; a contrast does not touch what the fit reads."""
    before = slices(wired())
    after = slices(wired(**json.loads(json.dumps(keys))))
    assert {name for name in before if before[name] != after[name]} == changed


def test_a_slice_is_plain_json() -> None:
    """Snakemake stores and compares params as text."""
    for text in slices(wired(donor="donor")).values():
        assert json.dumps(json.loads(text), sort_keys=True) == text or text.startswith("{")


def test_settings_of_gives_the_keys_asked_for() -> None:
    """And no others, so that another key reruns nothing."""
    wire = wired({"fdr": 0.1})
    assert wire.settings_of("fdr", "seed") == {"fdr": 0.1, "seed": 1}


def test_collections_have_the_programmes_first_and_no_repeats() -> None:
    """A name in paths leads to what the study wrote."""
    Path("Own.gmt").write_text("s\td\tMcl1\n", encoding="utf-8")
    wire = wired({"collections": ["hallmark", "programmes", "Own.gmt"]})
    assert list(wire.collections) == ["programmes", "hallmark", "own"]
    assert wire.collection(SimpleNamespace(collection="own")) == "Own.gmt"
    assert wire.own_genes(SimpleNamespace(collection="own")) == "symbol"
    assert wire.own_collection_files() == ["Own.gmt"]
    human = wired({"collections": ["Own.gmt"], "human_collections": ["Own.gmt"]})
    assert human.own_genes(SimpleNamespace(collection="own")) == "human_symbol"


def test_the_files_of_a_dataset_are_its_own() -> None:
    """Params name them whether they exist or not; inputs only those that exist."""
    wire = wired()
    assert wire.sources(MADE)(TOY) == {"counts": "toy/counts.tsv", "samples": "toy/samples.tsv"}
    Path("toy/counts.tsv").unlink()
    assert wire.files(MADE)(TOY) == ["toy/samples.tsv"]


def test_the_files_of_a_simulated_dataset_are_those_of_its_rule() -> None:
    """They are made before the check, and named as the rule names them."""
    toy = make_toy()
    for key in ("counts", "samples"):
        del toy.yaml[key]
    toy.yaml["simulation"] = SIMULATION
    toy.yaml["time"] = {"column": "time", "unit": "day"}
    write_toy(toy, Path())
    wire = Wiring(load_study(write_study(Path(), toy)))
    assert wire.sources(MADE)(TOY) == {"counts": "results/toy/c.tsv.gz", "samples": "results/toy/s.tsv"}
    assert wire.files(MADE)(TOY) == ["results/toy/c.tsv.gz", "results/toy/s.tsv"]
    simulation = wire.simulation(TOY)
    assert simulation is not None
    assert [arm["name"] for arm in simulation["arms"]] == ["healthy", "injured", "treated"]
    intake = wire.intake(TOY)
    assert intake is not None
    assert intake["counts"]["identifiers"] == "symbol"


def test_a_dataset_that_cannot_be_read_has_empty_slices() -> None:
    """The rules of the other stages must still be wired, so that preflight can tell."""
    wire = wired(arms=5)
    assert wire.datasets == ["toy"]
    assert {name: getattr(wire, name)(TOY) for name in SLICES if name != "problems"} == dict.fromkeys(
        [name for name in SLICES if name != "problems"]
    )
    assert len(wire.problems(TOY)) == 1
    assert wire.files(MADE)(TOY) == []


def test_inputs_are_the_files_that_exist() -> None:
    """YAML, counts, sheets and own collections, sorted; nothing that is shipped."""
    Path("Own.gmt").write_text("s\td\tMcl1\n", encoding="utf-8")
    wire = wired({"collections": ["hallmark", "Own.gmt"]})
    assert wire.inputs() == ["Own.gmt", "study.yaml", "toy/counts.tsv", "toy/dataset.yaml", "toy/samples.tsv"]


def test_the_overview_knows_every_dataset_that_can_be_read() -> None:
    """By id."""
    assert list(wired().overview()) == ["toy"]
    assert wired(arms=5).overview() == {}


@pytest.mark.parametrize("rule", ["check_dataset", "import_counts"])
def test_rules_that_look_genes_up_name_the_annotation(rule: str, root: Path) -> None:
    """With another release of it they run again."""
    (found,) = [each for each in read_rules(root / "workflow/rules/dataset.smk") if each.name == rule]
    assert "annotation=wire.annotation" in found.items("input")
    names = [Path(file).name for file in wired().annotation(TOY)]
    assert names == ["mouse.tsv.gz", "synonyms_mouse.tsv.gz"]


@pytest.mark.parametrize(
    ("config", "files", "chosen"),
    [({}, [], "d.yaml"), ({"study": "s.yaml"}, ["c.yaml"], "s.yaml"), ({}, [Path("a.yaml"), Path("c.yaml")], "c.yaml")],
)
def test_the_study_is_named_on_the_command_line(config: dict[str, str], files: list[Path], chosen: str) -> None:
    """By `--config study=`, else the last `--configfile`, else the default."""
    assert study_file(config, files, default="d.yaml") == chosen


def test_a_large_collection_has_several_threads() -> None:
    """Gene Ontology; Hallmark is ranked beside the programmes."""
    write_toy(make_toy(), Path())
    wire = wired({"collections": ["go_bp", "hallmark"]})
    threads = {
        name: wire.enrichment_threads(SimpleNamespace(dataset="toy", collection=name)) for name in wire.collections
    }
    assert threads == {"programmes": 1, "go_bp": 4, "hallmark": 1}
