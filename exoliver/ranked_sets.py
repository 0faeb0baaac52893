"""The gene sets of a collection as tests of ranks take them: signed sets in halves, panels left out; and their titles.

Knows the facts of a collection as plain values, as they lie beside its mapped sets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from exoliver.genesets import HALVES, gene_sets_as_dict

HALF_WORDS = {"_UP": "rising part", "_DN": "falling part"}


@dataclass(frozen=True)
class RankedSets:
    """The sets of a collection as tests of ranks take them in one dataset.

    Parameters
    ----------
    collection, source
        Name of the collection, and where it is from.
    genes
        symbol or human_symbol: the column of the genes that the members are compared with.
    members
        Measured members by set; halves apart, of `gene_sets_as_dict`.
    panels
        Sets that are not tested.
    titles
        Title by set, for those that have one.
    """

    collection: str
    source: str
    genes: str
    members: Mapping[str, Sequence[str]]
    panels: frozenset[str]
    titles: Mapping[str, str]


def sets_to_rank(mapped: pd.DataFrame, entry: Mapping[str, Any]) -> RankedSets:
    """The sets of a mapped collection as tests of ranks take them.

    Parameters
    ----------
    mapped, entry
        Of `map_collection`.
    """
    panels = panels_of(entry)
    return RankedSets(
        collection=entry["name"],
        source=entry["source"],
        genes=entry["genes"],
        members=gene_sets_as_dict(mapped, panels),
        panels=panels,
        titles=titles_of(entry),
    )


def panels_of(entry: Mapping[str, Any]) -> frozenset[str]:
    """Sets of a collection that are too small for tests of ranks, from its facts as plain values."""
    return frozenset(facts["gene_set"] for facts in entry["gene_sets"] if facts.get("type", "set") == "panel")


def titles_of(entry: Mapping[str, Any]) -> dict[str, str]:
    """Title of each set that a collection describes, and of its halves, from its facts as plain values."""
    whole = {facts["gene_set"]: facts["title"] for facts in entry["gene_sets"] if facts["title"]}
    halves = {
        f"{name}{half}": f"{title} ({HALF_WORDS[half]})" for name, title in whole.items() for half in HALVES.values()
    }
    return halves | whole
