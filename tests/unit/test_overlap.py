"""Overlap of contrasts: exact, by direction, whatever the order of the genes."""

import numpy as np
import pandas as pd
import pytest

from exoliver.overlap import Pattern, find_patterns


def table(effects: dict[str, float], *, sure: str) -> pd.DataFrame:
    """A gene table in which the genes of some letters are below the false discovery rate."""
    padj = [0.01 if gene in sure else 0.5 for gene in effects]
    return pd.DataFrame({"gene_id": list(effects), "log2_fold_change": list(effects.values()), "padj": padj})


TABLES = {
    "one": table({"a": 1.0, "b": 1.0, "c": -1.0, "d": 2.0, "e": 1.0}, sure="abcd"),
    "two": table({"e": -1.0, "d": 2.0, "c": -3.0, "b": -1.0, "a": 1.0}, sure="abcde"),
}


def test_every_gene_is_counted_once() -> None:
    """Raised in both, lowered in both, opposite ways, and in one alone."""
    found = find_patterns(TABLES, ["one", "two"], fdr=0.05)
    expected = {(1, 1): 2, (-1, -1): 1, (1, -1): 1, (0, -1): 1}
    assert {one.signs: one.genes for one in found} == expected
    assert sum(one.genes for one in found) == len("abcde")
    assert found[0] == Pattern((1, 1), 2)


def test_they_agree_with_sets() -> None:
    """Random tables: each pattern is an intersection of sets less all others."""
    random = np.random.default_rng(4)
    names = ["x", "y", "z"]
    genes = [f"g{place}" for place in range(300)]
    tables = {
        name: pd.DataFrame(
            {"gene_id": genes, "log2_fold_change": random.normal(size=300), "padj": random.uniform(0, 0.2, 300)}
        )
        for name in names
    }
    higher = {
        name: {r.gene_id for r in t.itertuples() if r.padj < 0.05 and r.log2_fold_change > 0}
        for name, t in tables.items()
    }
    lower = {
        name: {r.gene_id for r in t.itertuples() if r.padj < 0.05 and r.log2_fold_change < 0}
        for name, t in tables.items()
    }
    for one in find_patterns(tables, names, fdr=0.05):
        kept = set(genes)
        for name, sign in zip(names, one.signs, strict=True):
            changed = higher[name] | lower[name]
            kept &= {1: higher[name], -1: lower[name], 0: set(genes) - changed}[sign]
        assert one.genes == len(kept)


def test_missing_and_absent_values_are_no_change() -> None:
    """A gene that one table lacks, or that has no adjusted p-value there, has not changed in it."""
    short = TABLES["one"].assign(padj=[np.nan, 0.01, 0.01, 0.01, 0.5]).iloc[:3]
    found = find_patterns({"one": short, "two": TABLES["two"]}, ["one", "two"], fdr=0.05)
    assert {one.signs: one.genes for one in found} == {(0, 1): 2, (1, -1): 1, (-1, -1): 1, (0, -1): 1}


def test_the_order_of_genes_changes_nothing() -> None:
    """Equal sizes are settled by the pattern."""
    turned = {name: own.iloc[::-1] for name, own in TABLES.items()}
    assert find_patterns(turned, ["one", "two"], fdr=0.05) == find_patterns(TABLES, ["one", "two"], fdr=0.05)


@pytest.mark.parametrize(("signs", "is_opposed"), [((1, 1), False), ((1, -1, 0), True), ((0, -1), False)])
def test_opposed_means_both_ways(signs: tuple[int, ...], is_opposed: bool) -> None:
    """Higher in one and lower in another."""
    assert Pattern(signs, 1).is_opposed == is_opposed
    assert Pattern(signs, 1).contrasts == sum(sign != 0 for sign in signs)


def test_nothing_changed_has_no_pattern() -> None:
    """An empty list, not a pattern of nothing."""
    assert find_patterns(TABLES, ["one", "two"], fdr=1e-9) == []
