"""Clusters of significant sets, by hand and against a search over all pairs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from exoliver.redundancy import SHARED, cluster_sets

Row = tuple[str, float, float, str]


def clusters(rows: Sequence[Row], fdr: float = 0.05) -> dict[str, object]:
    """Representative by set, of rows of name, NES, adjusted p-value and one-letter leading edge."""
    table = pd.DataFrame(rows, columns=["gene_set", "nes", "padj", "leading_edge"])
    table["leading_edge"] = [";".join(edge) for edge in table["leading_edge"]]
    found = cluster_sets(table, fdr=fdr)
    return {name: None if pd.isna(own) else own for name, own in zip(table["gene_set"], found, strict=True)}


def test_a_set_joins_the_first_representative_that_it_shares_its_edge_with() -> None:
    """A quarter of all the genes of both is enough, less is not."""
    assert SHARED == 0.25
    rows = [("a", 2.0, 1e-9, "ABCDE"), ("b", 1.9, 1e-5, "ABVWX"), ("c", 1.8, 1e-4, "EXYZ"), ("d", 1.7, 1e-3, "AQRS")]
    assert clusters(rows) == {"a": "a", "b": "a", "c": "c", "d": "d"}


def test_sets_of_opposite_direction_do_not_join() -> None:
    """Though they have the same genes."""
    assert clusters([("a", 2.0, 1e-9, "ABC"), ("b", -2.0, 1e-8, "ABC")]) == {"a": "a", "b": "b"}


def test_sets_that_are_not_significant_have_no_cluster() -> None:
    """At the level itself, above it, or not tested at all; and none at all is no trouble."""
    rows = [("a", 2.0, 0.049, "AB"), ("b", 2.0, 0.05, "AB"), ("c", 2.0, 0.9, "AB"), ("d", np.nan, np.nan, "")]
    assert clusters(rows) == {"a": "a", "b": None, "c": None, "d": None}
    assert clusters(rows[1:]) == dict.fromkeys("bcd")
    assert clusters([]) == {}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("x", 1.5, 1e-9), ("a", 2.5, 1e-8)),
        (("x", -2.5, 1e-9), ("a", -1.5, 1e-9)),
        (("a", 2.0, 1e-9), ("x", 2.0, 1e-9)),
    ],
)
def test_the_representative_is_first_by_pvalue_then_score_then_name(
    one: tuple[str, float, float], other: tuple[str, float, float]
) -> None:
    """In whatever order the rows come."""
    rows = [(*one, "ABC"), (*other, "ABC")]
    assert set(clusters(rows).values()) == set(clusters(rows[::-1]).values()) == {one[0]}


def test_a_representative_of_none_is_joined_by_no_one() -> None:
    """Overlap with a set that is itself stood for does not count: clusters are not chains."""
    rows = [("a", 2.0, 1e-9, "ABCD"), ("b", 2.0, 1e-8, "CDEF"), ("c", 2.0, 1e-7, "EFGH")]
    assert clusters(rows) == {"a": "a", "b": "a", "c": "c"}


def test_every_cluster_is_as_defined() -> None:
    """Of 80 random sets: members share enough with their representative, representatives with no earlier one."""
    rng = np.random.default_rng(1)
    edges = ["".join(rng.choice(list("ABCDEFGHIJKLMNOPQRST"), rng.integers(2, 9), replace=False)) for _ in range(80)]
    rows = [
        (f"s{k:02d}", rng.choice([-1, 1]) * rng.uniform(1, 3), 10.0 ** -(90 - k), edge) for k, edge in enumerate(edges)
    ]
    found, nes = clusters(rows), {name: score for name, score, _, _ in rows}

    def alike(one: str, other: str) -> bool:
        a, b = set(edges[int(one[1:])]), set(edges[int(other[1:])])
        return len(a & b) / len(a | b) >= 0.25 and nes[one] * nes[other] > 0

    representatives = sorted({str(name) for name in found.values()})
    assert 5 < len(representatives) < 40
    for name, own in found.items():
        firsts = [other for other in representatives if other < name and alike(name, other)]
        assert own == (firsts[0] if firsts else name)
