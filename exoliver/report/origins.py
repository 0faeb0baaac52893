"""What a page was made from: files by their digests, software by its versions, settings by their keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

import pandas as pd

from exoliver.provenance import NAMED, software_versions
from exoliver.report.elements import Bullets, Heading, Link, Prose, Table, texts
from exoliver.report.material import Material

SOFTWARE = Link("Every package of the environment", "../../provenance/software.tsv")
INPUTS = Link("All files of the study", "../../provenance/inputs.tsv")
DRAWN_WITH = ("altair", "vl-convert-python")
SAME = (
    "The same files, settings and software give the same page, byte by byte. Neither a date nor the machine is named: "
    "both may change without a number changing."
)


def origin_blocks(material: Material, inputs: pd.DataFrame | None) -> list[Any]:
    """Heading, files, software and settings of a dataset's page.

    Parameters
    ----------
    material
        Everything read of the dataset.
    inputs
        Digests of its counts and sample sheet, of `provenance.file_digests`; None where they were not taken.
    """
    settings = [f"{key}: {value}" for key, value in _settings(material)]
    return [
        Heading("What these numbers were made from"),
        Prose((SAME,)),
        _files(material, inputs),
        _software(),
        Prose(("Every key of the study and of the dataset that has a value, defaults among them.",), lead="Settings"),
        Bullets(tuple(settings), is_folded=True),
    ]


def _files(material: Material, inputs: pd.DataFrame | None) -> Table:
    """Files that were read, with their digests."""
    own = [] if inputs is None else list(zip(inputs["file"], inputs["sha256"], strict=True))
    rows = [(file, "counts and samples", "", sha256) for file, sha256 in own]
    for collection in material.collections:
        entry = collection.entry
        if entry.get("sha256"):
            rows.append((_words(entry["path"]), entry["title"], entry["release"], entry["sha256"]))
    columns = [texts(title, [row[place] for row in rows]) for place, title in enumerate(("File", "What it is"))]
    columns += [texts("Release", [row[2] for row in rows]), texts("SHA-256", [row[3] for row in rows])]
    return Table("Files that were read: the dataset's own first, then gene sets.", tuple(columns), more=INPUTS)


def _software() -> Table:
    """Programs that the methods name, and those that drew the figures."""
    shown = ("exoliver", "python", *NAMED, *DRAWN_WITH)
    table = software_versions().set_index("package").reindex(shown).dropna(subset=["version"]).reset_index()
    columns = [texts(name.capitalize(), table[name].tolist()) for name in ("package", "version", "licence")]
    return Table("Software: exoliver first, then what it computes and draws with.", tuple(columns), more=SOFTWARE)


def _settings(material: Material) -> Iterator[tuple[str, str]]:
    """Key and value of all that was set, of the study first."""
    study = {key: value for key, value in material.settings.items() if key != "title"}
    yield from _flat(study, "study")
    yield from _flat(material.facts, "dataset")


def _flat(value: Any, key: str) -> Iterator[tuple[str, str]]:
    """A nested value as keys joined by dots; what is empty is left out."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _flat(item, f"{key}.{name}")
    elif isinstance(value, list | tuple) and any(isinstance(item, Mapping | list | tuple) for item in value):
        for number, item in enumerate(value, start=1):
            yield from _flat(item, f"{key}.{number}")
    elif value not in (None, "", [], ()):
        yield key, _words(value)


def _words(value: Any) -> str:
    """A value as it is read; of an absolute path the name alone, since the rest is of the machine."""
    if isinstance(value, list | tuple):
        return ", ".join(map(_words, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.10g}"
    return PurePath(value).name if isinstance(value, str) and PurePath(value).is_absolute() else str(value)
