"""What a page was made from: the inputs by their digests, every setting, and nothing of the machine."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from exoliver.provenance import file_digests, software_versions
from exoliver.report.elements import Bullets, Table
from exoliver.report.methods import methods_section
from exoliver.report.origins import origin_blocks
from tests.toy_report import make_facts, make_material


def tables_of(blocks: list) -> list[dict[str, tuple[str, ...]]]:
    """Cells of each table, by the title of their column."""
    return [{c.title: c.cells for c in block.columns} for block in blocks if isinstance(block, Table)]


def test_files_stand_with_their_digests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the dataset first, then its gene sets; of an absolute path the name alone."""
    monkeypatch.chdir(tmp_path)
    Path("counts.tsv").write_text("a")
    material = make_material()
    entry = {**material.collections[0].entry, "path": "/somewhere/sets.tsv", "sha256": "f" * 64}
    collections = (replace(material.collections[0], entry=entry), *material.collections[1:])
    files, _ = tables_of(origin_blocks(replace(material, collections=collections), file_digests(["counts.tsv"])))
    assert files["File"] == ("counts.tsv", "sets.tsv")
    assert files["SHA-256"] == (hashlib.sha256(b"a").hexdigest(), "f" * 64)


def test_software_stands_with_its_versions() -> None:
    """The versions are those of the record of provenance; exoliver comes first."""
    _, software = tables_of(origin_blocks(make_material(), None))
    known = dict(software_versions()[["package", "version"]].itertuples(index=False))
    assert software["Package"][0] == "exoliver"
    assert {"pydeseq2", "python", "snakemake"} <= set(software["Package"])
    assert [known[name] for name in software["Package"]] == list(software["Version"])


def test_every_setting_is_told_and_no_place_of_the_machine() -> None:
    """Nested keys are joined by dots, empty ones are left out."""
    facts = make_facts(counts={"file": "/somewhere/of/mine/counts.tsv", "identifiers": "symbol"})
    (bullets,) = [block for block in origin_blocks(make_material(facts), None) if isinstance(block, Bullets)]
    told = dict(item.split(": ", 1) for item in bullets.items)
    assert told["study.fdr"] == "0.05"
    assert told["study.set_size.max"] == "500"
    assert told["study.genes_of_interest"] == "Mcl1, Absent1"
    assert told["dataset.arms.levels.msc.dose"] == "1000000"
    assert told["dataset.counts.file"] == "counts.tsv"
    assert not any("/somewhere" in item for item in bullets.items)
    assert not {"study.title", "study.panel", "dataset.accession"} & told.keys()


def test_the_methods_section_holds_them() -> None:
    """After the text that is pasted, before the list of files."""
    blocks = list(methods_section(make_material(), "# Methods\n\nText.\n").blocks)
    assert sum(isinstance(block, Table) for block in blocks) == 2
    assert blocks[-1].kind == "files"
    assert {"figures/", "supplement.xlsx"} <= {link.href for link, _ in blocks[-1].items}
