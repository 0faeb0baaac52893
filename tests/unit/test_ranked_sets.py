"""Sets as tests of ranks take them: panels out, signed sets in halves, with their titles."""

from __future__ import annotations

from typing import Any

import pandas as pd

from exoliver.ranked_sets import panels_of, sets_to_rank, titles_of


def make_entry(**types: str) -> dict[str, Any]:
    """Facts of a collection, each set with its type; as JSON holds them."""
    facts = [{"gene_set": name, "title": name.capitalize(), "type": kind} for name, kind in types.items()]
    return {"name": "own", "source": "file.tsv", "genes": "human_symbol", "gene_sets": facts}


def test_panels_are_those_that_the_facts_call_so() -> None:
    """A set without a type is a set like any other."""
    entry = make_entry(a="set", b="signed", c="panel", d="panel")
    entry["gene_sets"].append({"gene_set": "e", "title": "E"})
    assert panels_of(entry) == {"c", "d"}
    assert panels_of({"gene_sets": []}) == frozenset()


def test_titles_are_given_for_sets_and_halves() -> None:
    """A set that is described itself keeps its title though it is called like a half; none is made of nothing."""
    entry = make_entry(repair="signed", repair_UP="set")
    entry["gene_sets"].append({"gene_set": "bare", "title": ""})
    assert titles_of(entry) == {
        "repair": "Repair",
        "repair_UP": "Repair_up",
        "repair_DN": "Repair (falling part)",
        "repair_UP_UP": "Repair_up (rising part)",
        "repair_UP_DN": "Repair_up (falling part)",
    }


def test_a_collection_is_taken_with_its_facts() -> None:
    """Members by name, panels whole, and where the collection is from."""
    mapped = pd.DataFrame(
        {
            "gene_set": ["tiny", "tiny", "two", "two"], "gene": list("ABCD"), "sign": [1, -1, 1, -1],
            "gene_id": ["a", "b", "c", None],
        }
    )  # fmt: skip
    sets = sets_to_rank(mapped, make_entry(tiny="panel", two="signed"))
    assert sets.members == {"tiny": ["A", "B"], "two_UP": ["C"], "two_DN": []}
    assert (sets.panels, sets.genes) == ({"tiny"}, "human_symbol")
    assert (sets.collection, sets.source) == ("own", "file.tsv")
    assert sets.titles["two_UP"] == "Two (rising part)"
