"""What made the results: methods text, versions, digests, and the crate."""

import hashlib
import json
import re
from email.message import Message
from pathlib import Path
from typing import Any

import pytest

from exoliver.loading import load_study
from exoliver.provenance import (
    describe_crate,
    file_digests,
    licence_of,
    methods_text,
    software_versions,
    study_methods,
)
from exoliver.study import plain
from exoliver.tables import INPUTS, SOFTWARE

SETTINGS: dict[str, Any] = {
    "title": "A study",
    "date": None,
    "fdr": 0.05,
    "log2_fold_change_threshold": 0.0,
    "set_size": {"min": 10, "max": 500},
    "equivalence_margin": 0.32,
    "seed": 7,
}
CRATE = "results/provenance/ro-crate-metadata.json"


@pytest.fixture(scope="module")
def facts() -> dict[str, Any]:
    """The mouse dataset of the default study, as if it were real."""
    study = load_study(Path(__file__).parents[2] / "config" / "config.yaml")
    entry = next(entry for entry in study.entries if entry.id == "demo_msc_mouse")
    content = plain(entry.dataset)
    counts = {"file": "data/counts.tsv", "identifiers": "ensembl", "values": "counts"}
    return content | {"simulation": None, "counts": counts, "samples": {"file": "data/samples.tsv", "unit": "animal"}}


@pytest.fixture(scope="module")
def design() -> dict[str, Any]:
    """A design of three arms, two times and a donor."""
    cells = [[arm, time] for arm in ("healthy", "ccl4", "bm_msc") for time in (1.0, 7.0)]
    return {
        "cells": cells,
        "columns": [f"{arm}@{time:g}" for arm, time in cells],
        "replicates": [4, 4, 4, 3, 4, 4],
        "residual_df": 17,
        "genes_fitted": 11333,
        "genes_filtered": 667,
        "nested_donor": False,
        "dispersion_trend": "parametric",
        "trend_problem": "",
        "replaced_counts": 0,
        "largest_group": 4,
        "mean_dispersion": None,
    }


def test_the_methods_name_the_numbers_of_the_run(facts: dict[str, Any], design: dict[str, Any]) -> None:
    """Samples, groups, genes, filter, thresholds, seed and versions."""
    text = methods_text(facts, settings=SETTINGS, design=design)
    for part in (
        "23 samples of mouse (tissue), one animal each, in 6 groups",
        "healthy at 1 day (n = 4)",
        "CCl4 at 7 days (n = 3)",
        "at least 10 counts in at least 3 samples: 11,333 genes did, 667 did not",
        "6 coefficients, 17 residual degrees of freedom",
        "false discovery rate of 0.05",
        "10 to 500 measured members",
        "seed (7)",
        "two-sided Wald test against zero",
    ):
        assert part in text
    versions = software_versions().set_index("package")["version"]
    assert f"PyDESeq2 {versions['pydeseq2']}" in text
    assert f"GSEApy {versions['gseapy']}" in text


def test_a_threshold_is_part_of_the_null(facts: dict[str, Any], design: dict[str, Any]) -> None:
    """What was tested is said."""
    text = methods_text(facts, settings=SETTINGS | {"log2_fold_change_threshold": 1.0}, design=design)
    assert "against effects of up to 1 on the log2 scale" in text
    assert "by likelihood ratios, without that threshold," in text


def test_every_reference_is_cited_and_every_citation_has_its_reference(
    facts: dict[str, Any], design: dict[str, Any]
) -> None:
    """Numbers in brackets and the list agree, with and without gene sets, and none is left out; each has a DOI."""
    for organism in ("mouse", "worm"):
        text = methods_text(facts | {"organism": organism}, settings=SETTINGS, design=design)
        body, _, listed = text.partition("#### References")
        cited = {number for group in re.findall(r"\[([\d, ]+)\]", body) for number in group.split(", ")}
        references = re.findall(r"^(\d+)\. (.*)$", listed, flags=re.MULTILINE)
        assert cited == {number for number, _ in references}
        assert [number for number, _ in references] == [str(place + 1) for place in range(len(references))]
        assert [text for _, text in references if not re.search(r"doi:10\.\d{4,}/\S+$", text)] == []


def test_an_organism_without_gene_sets_is_told_so(facts: dict[str, Any], design: dict[str, Any]) -> None:
    """No enrichment or panel is described that was not done."""
    text = methods_text(facts | {"organism": "worm"}, settings=SETTINGS, design=design)
    assert "no gene sets are shipped for this organism" in text
    assert "mapped to symbols" not in text
    assert "Gene-set tests" not in text
    assert "GSEApy" not in text
    assert "**Apoptosis panel.**" not in text


def test_simulated_data_say_so_first(facts: dict[str, Any], design: dict[str, Any]) -> None:
    """Before anything else is claimed."""
    assert "simulated" not in methods_text(facts | {"title": "Real"}, settings=SETTINGS, design=design)
    simulated = facts | {"counts": None, "samples": None, "simulation": {"identifiers": "ensembl"}}
    text = methods_text(simulated, settings=SETTINGS, design=design)
    assert "\n**These data are simulated.**" in text
    assert text.index("**These data are simulated.**") < text.index("**Data.**")


@pytest.mark.parametrize(
    ("change", "limit"),
    [
        ({"injury": {"death": "necrosis"}}, "no evidence of less death"),
        ({"samples": {"unit": "well"}}, "every p-value speaks of one culture"),
        ({"organism": "rat"}, "The product is of another species (mouse)"),
    ],
)
def test_facts_that_weaken_a_claim_are_limits(
    facts: dict[str, Any], design: dict[str, Any], change: dict[str, Any], limit: str
) -> None:
    """Each stands only where it holds."""
    assert limit not in methods_text(facts, settings=SETTINGS, design=design)
    assert limit in methods_text(facts | change, settings=SETTINGS, design=design)


def test_a_nested_donor_is_no_term_and_a_limit(facts: dict[str, Any], design: dict[str, Any]) -> None:
    """A crossed one is a term and no limit."""
    paired = facts | {"donor": "donor"}
    columns = [*design["columns"], "donor=b"]
    crossed = methods_text(paired, settings=SETTINGS, design=design | {"columns": columns})
    nested = methods_text(paired, settings=SETTINGS, design=design | {"nested_donor": True})
    assert "and terms for donor" in crossed
    assert "p-values may be too small" not in crossed
    assert "and terms for" not in nested
    assert (
        "As donors are nested in arms, p-values of genes may be too small; those of programmes know of the donors."
        in nested
    )


@pytest.mark.parametrize(
    ("largest", "replaced", "words"),
    [
        (2, 0, "Outlying counts were not looked for, as no three samples have equal arm, time and donor."),
        (4, 0, "by Cook's distance in groups of equal arm, time and donor: with one in a group of three to six"),
        (
            8,
            190,
            "in groups of seven samples or more they were replaced (190 counts), and with one in a group of three",
        ),
    ],
)
def test_outliers_are_told_by_the_groups_that_were_searched(
    facts: dict[str, Any], design: dict[str, Any], largest: int, replaced: int, words: str
) -> None:
    """Samples alike in all terms of the model; paired designs have no group of three."""
    own = {"largest_group": largest, "replaced_counts": replaced, "columns": [*design["columns"], "donor=b"]}
    assert words in methods_text(facts | {"donor": "donor"}, settings=SETTINGS, design=design | own)


def test_a_dataset_without_injury_has_no_limit_of_one(facts: dict[str, Any], design: dict[str, Any]) -> None:
    """Treated against reference is not measured against an injured arm."""
    limit = "A treatment effect is measured against the injured arm"
    assert limit in methods_text(facts, settings=SETTINGS, design=design)
    levels = {name: arm | {"role": "reference"} for name, arm in facts["arms"]["levels"].items()}
    arms = facts["arms"] | {"levels": levels}
    assert limit not in methods_text(facts | {"arms": arms}, settings=SETTINGS, design=design)


def test_titles_are_not_escaped_in_markdown(facts: dict[str, Any], design: dict[str, Any]) -> None:
    """No browser reads this text as it is."""
    assert "### Methods: I/R & <EV>\n" in methods_text(
        facts | {"title": "I/R & <EV>"}, settings=SETTINGS, design=design
    )


def test_a_study_has_the_methods_of_every_dataset_in_order(facts: dict[str, Any], design: dict[str, Any]) -> None:
    """Under its title; designs and datasets are paired by their order."""
    datasets = {"one": facts | {"title": "One"}, "two": facts | {"title": "Two"}}
    text = study_methods(datasets, [design, design | {"residual_df": 99}], settings=SETTINGS)
    assert text.startswith("## A study\n")
    assert re.findall(r"^### Methods: (.*)$", text, flags=re.MULTILINE) == ["One", "Two"]
    assert text.index("99 residual") > text.index("### Methods: Two")
    alike = study_methods({"one": facts, "two": facts}, [design, design], settings=SETTINGS)
    assert re.findall(r"^### Methods: .* \((.*)\)$", alike, flags=re.MULTILINE) == ["one", "two"]


def test_the_software_is_sorted_and_has_exoliver_in_it() -> None:
    """One row per package, whatever order the environment lists them in."""
    software = software_versions()
    assert tuple(software.columns) == SOFTWARE
    assert list(software["package"]) == sorted(set(software["package"]))
    assert {"exoliver", "python", "pydeseq2", "snakemake", "vl-convert-python"} <= set(software["package"])


@pytest.mark.parametrize(
    ("headers", "licence"),
    [
        ([("License-Expression", "BSD-3-Clause"), ("License", "other")], "BSD-3-Clause"),
        ([("License", "MIT")], "MIT"),
        (
            [("License", "Copyright\ntext"), ("Classifier", "License :: OSI Approved :: BSD License")],
            "BSD License",
        ),
        ([("License", "MIT License\n\nCopyright")], "MIT License"),
        ([("License", "Copyright (c) 2001\nRedistribution")], None),
        ([("Classifier", "License :: OSI Approved")], None),
        ([], None),
    ],
)
def test_a_licence_is_given_where_it_is_stated(headers: list[tuple[str, str]], licence: str | None) -> None:
    """The expression first, then a name, then a classifier; never the text of a licence."""
    package = Message()
    for name, value in headers:
        package[name] = value
    assert licence_of(package) == licence


def test_digests_are_of_the_content_and_hide_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths as named, sorted, each once; of an absolute path the name alone."""
    monkeypatch.chdir(tmp_path)
    Path("b.yaml").write_bytes(b"b")
    Path("a.tsv").write_bytes(b"a")
    digests = file_digests(["b.yaml", str(tmp_path / "a.tsv"), "b.yaml"])
    assert tuple(digests.columns) == INPUTS
    assert list(digests["file"]) == ["a.tsv", "b.yaml"]
    assert list(digests["sha256"]) == [hashlib.sha256(content).hexdigest() for content in (b"a", b"b")]


@pytest.fixture
def crate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A crate of one input and two outputs, one with a name that a URI cannot hold as it is."""
    monkeypatch.chdir(tmp_path)
    for name in ("config/config.yaml", "results/report.html", "results/provenance/me thods.md"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(name)
    return describe_crate(
        SETTINGS,
        software=software_versions(),
        inputs=file_digests(["config/config.yaml"]),
        outputs=file_digests(["results/report.html", "results/provenance/me thods.md"]),
        path=CRATE,
    )


def entities(crate: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Entities of a crate by id."""
    return {entity["@id"]: entity for entity in crate["@graph"]}


def test_a_crate_describes_itself_and_its_root(crate: dict[str, Any]) -> None:
    """The descriptor that RO-Crate 1.1 asks for, and the root's obligatory keys."""
    by_id = entities(crate)
    descriptor = by_id["ro-crate-metadata.json"]
    assert crate["@context"][0] == "https://w3id.org/ro/crate/1.1/context"
    assert descriptor["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.1"}
    assert descriptor["about"] == {"@id": "./"}
    assert by_id["./"]["@type"] == "Dataset"
    assert {"name", "description", "license", "hasPart"} <= by_id["./"].keys()


def test_every_id_is_unique_and_every_reference_has_its_entity(crate: dict[str, Any]) -> None:
    """The graph is flat and closed, but for the specification itself."""
    ids = [entity["@id"] for entity in crate["@graph"]]
    assert len(ids) == len(set(ids))
    assert all("@type" in entity for entity in crate["@graph"])
    named = set(re.findall(r'\{"@id": "([^"]+)"\}', json.dumps(crate["@graph"])))
    assert named - set(ids) == {"https://w3id.org/ro/crate/1.1"}


def test_files_of_a_crate_are_found_from_where_it_stands(crate: dict[str, Any]) -> None:
    """Ids are relative, with what a URI cannot hold escaped; the digest is that of the file."""
    by_id = entities(crate)
    parts = {part["@id"] for part in by_id["./"]["hasPart"]}
    assert parts == {"../../config/config.yaml", "../report.html", "me%20thods.md"}
    assert by_id["../report.html"]["sha256"] == hashlib.sha256(b"results/report.html").hexdigest()
    assert by_id["../report.html"]["encodingFormat"] == "text/html"
    assert by_id["#run"]["object"] == [{"@id": "../../config/config.yaml"}]
    assert {part["@id"] for part in by_id["#run"]["result"]} == {"../report.html", "me%20thods.md"}


def test_the_crate_carries_a_date_only_if_the_study_does(crate: dict[str, Any]) -> None:
    """No clock is read."""
    assert "datePublished" not in entities(crate)["./"]
    none = file_digests([])
    dated = describe_crate(
        SETTINGS | {"date": "2026-11-21"}, software=software_versions(), inputs=none, outputs=none, path=CRATE
    )
    assert entities(dated)["./"]["datePublished"] == "2026-11-21"


def test_nothing_of_the_machine_is_in_the_record(crate: dict[str, Any], tmp_path: Path) -> None:
    """No absolute path, home or host."""
    text = json.dumps(crate)
    assert str(tmp_path) not in text
    assert str(Path.home()) + "/" not in text


def test_files_of_one_name_are_told_apart_in_a_crate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an absolute path nothing but the name is shown, so that it goes by its digest; the table shows no more."""
    monkeypatch.chdir(tmp_path)
    paths = [Path("counts.tsv"), tmp_path / "a/counts.tsv", tmp_path / "b/counts.tsv", tmp_path / "b/copy.tsv"]
    for path, content in zip(paths, ("x", "x", "y", "y"), strict=True):
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
    inputs = file_digests(map(str, paths))
    assert tuple(inputs.columns) == INPUTS
    none = file_digests([])
    crate = describe_crate(SETTINGS, software=software_versions(), inputs=inputs, outputs=none, path=CRATE)
    files = [entity["@id"] for entity in crate["@graph"] if entity["@type"] == "File"]
    assert len(set(files)) == 4
    assert [name for name in files if not name.startswith("#")] == ["../../counts.tsv"]
    assert str(tmp_path) not in json.dumps(crate)


def test_donors_of_one_sample_each_are_no_term_and_no_limit(facts: dict[str, Any], design: dict[str, Any]) -> None:
    """The methods name a donor where the model has its columns."""
    text = methods_text(facts | {"donor": "mouse"}, settings=SETTINGS, design=design)
    assert "terms for" not in text
    assert "samples of one donor" not in text
