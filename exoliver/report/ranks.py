"""Gene sets that stand higher or lower in a ranking, in words; and why none could be tested."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from exoliver.figures.words import joined, lowered, number, shortened
from exoliver.ranked_sets import HALF_WORDS
from exoliver.report.naming import set_titles
from exoliver.report.summary import strongest

MOST_SETS = 4  # programmes named on either side
ASIDE = ("cells", "nuisance")  # themes of programmes that are no answer: the cell mixture, the clock, feeding, handling
NO_PROGRAMME = "no programme stands out"
NONE_TESTED = "no programme could be tested"
REASONS = {
    "panel": "they are panels of few genes, which are not ranked",
    "too_few_measured": "too few of their genes are measured",
    "too_many_measured": "they hold too many genes",
    "whole_ranking": "they hold every ranked gene",
    "unbalanced_ranking": "too few random sets score on their side of the ranking",
}


def rank_words(table: pd.DataFrame, entry: Mapping[str, Any], *, fdr: float, with_scores: bool = False) -> str:
    """Programmes that stand higher or lower in the ranking of one contrast; that there is none, or none was tested.

    Parameters
    ----------
    table, entry
        Enrichment of the contrast, and the facts of its collection; without rows there are no gene sets.
    fdr
        Sets that are not below it do not stand out.
    with_scores
        Tell the normalised enrichment scores.
    """
    table = table[~table["gene_set"].isin(asides(entry))]
    if table.empty:
        return ""
    if table["pvalue"].isna().all():
        return NONE_TESTED
    return _sides(table, entry, fdr=fdr, with_scores=with_scores) or NO_PROGRAMME


def asides(entry: Mapping[str, Any]) -> frozenset[str]:
    """Sets of a collection, and their halves, that tell of the cell mixture or of a nuisance."""
    names = [facts["gene_set"] for facts in entry["gene_sets"] if facts.get("theme") in ASIDE]
    return frozenset(f"{name}{half}" for name in names for half in ("", *HALF_WORDS))


def aside_words(table: pd.DataFrame, entry: Mapping[str, Any], *, fdr: float) -> str:
    """The cell mixture and nuisances that stand higher or lower in a ranking; empty where none does."""
    return _sides(table[table["gene_set"].isin(asides(entry))], entry, fdr=fdr, with_scores=False)


def _sides(table: pd.DataFrame, entry: Mapping[str, Any], *, fdr: float, with_scores: bool) -> str:
    """The sets that stand higher, then those that stand lower, the strongest first."""
    titles = set_titles(table["gene_set"], entry)
    parts = []
    for side, hits in strongest(table, fdr).items():
        names = [within(titles[name]) + (f" (NES {number(nes)})" if with_scores else "") for name, nes, _ in hits]
        parts += [f"{side}: {shortened(names, MOST_SETS)}"] if names else []
    return "; ".join(parts)


def within(title: str) -> str:
    """A title in a list within a sentence; one that could be taken for two stands in quotation marks."""
    return f"“{lowered(title)}”" if " and " in title else lowered(title)


def untested_words(tables: Iterable[pd.DataFrame]) -> str:
    """Why no gene set of several contrasts could be tested; empty where one could, or there are none."""
    filled = [table for table in tables if len(table)]
    if not filled or any(table["pvalue"].notna().any() for table in filled):
        return ""
    notes = {part for table in filled for note in table["note"].dropna() for part in str(note).split(";")}
    return joined((words for note, words in REASONS.items() if note in notes), "or") or "no ranking has a score"
