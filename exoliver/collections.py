"""Which gene-set collections there are, and the short name that each has in paths. Reads no gene sets."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from exoliver.strict_yaml import load_yaml

RESOURCES = Path(__file__).resolve().parents[1] / "resources"


def _shown(path: Path) -> str:
    """The path from the working directory where it lies below it, so that a moved clone reruns nothing."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


SUFFIXES = (".gmt", ".gmt.gz", ".tsv", ".tsv.gz")


@cache
def shipped_collections() -> dict[str, Any]:
    """Entries of resources/collections.yaml by name."""
    content, problems = load_yaml(RESOURCES / "collections.yaml")
    if problems:
        raise ValueError(f"resources/collections.yaml: {problems[0].what}")
    return dict(content)


def annotation_files(organism: str) -> list[str]:
    """The shipped annotation of an organism, if there is one."""
    path = RESOURCES / "identifiers" / f"{organism}.tsv.gz"
    return [_shown(path)] if path.is_file() else []


def collection_files(collection: str, organism: str) -> list[str]:
    """The file of a collection as one organism uses it, if there is one."""
    if is_path(collection):
        return [collection] if Path(collection).is_file() else []
    entry = shipped_collections().get(collection, {}).get("organisms", {}).get(organism)
    return [_shown(RESOURCES / entry["file"])] if entry else []


def facts_files(collection: str) -> list[str]:
    """The files that tell what a shipped collection's sets are, if it has them; the first holds the facts."""
    folder = shipped_collections().get(collection, {}).get("facts")
    return [_shown(RESOURCES / folder / file) for file in ("programmes.yaml", "references.tsv")] if folder else []


def panel_file() -> str:
    """The shipped apoptosis panel."""
    return _shown(RESOURCES / "panel.tsv")


def is_path(collection: str) -> bool:
    """The user wrote a path and not the name of a shipped collection."""
    return collection.endswith(SUFFIXES)


def collection_id(collection: str) -> str:
    """The name that a collection has in paths and tables: its own, or the slug of its file's name."""
    if not is_path(collection):
        return collection
    stem = Path(collection).name
    for suffix in SUFFIXES:
        stem = stem.removesuffix(suffix)
    return re.sub(r"[^a-z0-9]+", "_", stem.lower()).strip("_") or "collection"
