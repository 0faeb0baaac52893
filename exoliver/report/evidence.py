"""Programmes for whose change there is evidence, in words; and why none could be tested."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from exoliver.effects import BESIDE
from exoliver.figures.words import capital, joined, lowered, number, shortened
from exoliver.report.naming import set_titles

MOST_SETS = 4  # programmes named on either side
NO_PROGRAMME = "there is no evidence that a programme changes"
NONE_TESTED = "no programme could be tested"
CAUTION = 0.05  # a nuisance is told below this p-value, uncorrected: a caution rather speaks too often
REASONS = {
    "too_few_measured": "too few of their genes are measured",
    "too_many_measured": "they hold too many genes",
    "donors_unreplicated": "an arm has a single donor, so that donors cannot be told from arms",
}


def programme_words(
    effects: pd.DataFrame, entry: Mapping[str, Any], *, fdr: float, with_estimates: bool = False
) -> str:
    """Programmes that one contrast raises or lowers; that there is none, or none was tested.

    Parameters
    ----------
    effects, entry
        Effects of the contrast on programmes, and the facts of their collection; without rows there are no gene sets.
    fdr
        Programmes that are not below it are not named.
    with_estimates
        Tell the log2 effects.
    """
    told = effects[~effects["programme"].isin(asides(entry))]
    if told.empty:
        return ""
    if told["pvalue"].isna().all():
        return NONE_TESTED
    evident = told[(told["padj"] < fdr).fillna(False)]
    return _sides(evident, entry, with_estimates=with_estimates) or NO_PROGRAMME


def programmes_tail(words: str) -> str:
    """The same as a sentence; empty where there are no gene sets."""
    if words in (NO_PROGRAMME, NONE_TESTED):
        return f"{capital(words)}."
    return f"Programmes {words}." if words else ""


def asides(entry: Mapping[str, Any]) -> frozenset[str]:
    """Sets of a collection that tell of the cell mixture or of a nuisance."""
    return frozenset(facts["gene_set"] for facts in entry["gene_sets"] if facts.get("theme") in BESIDE)


def aside_words(effects: pd.DataFrame, entry: Mapping[str, Any]) -> str:
    """The cell mixture and nuisances that one contrast may move; empty where there is none."""
    told = effects[effects["programme"].isin(asides(entry)) & (effects["pvalue"] < CAUTION).fillna(False)]
    return _sides(told, entry, with_estimates=False)


def _sides(effects: pd.DataFrame, entry: Mapping[str, Any], *, with_estimates: bool) -> str:
    """The programmes that are raised, then those that are lowered, the surest first."""
    titles = set_titles(effects["programme"], entry)
    ordered = effects.sort_values(["pvalue", "programme"], kind="stable")
    parts = []
    for side, rows in (("raised", ordered[ordered["estimate"] > 0]), ("lowered", ordered[ordered["estimate"] < 0])):
        pairs = zip(rows["programme"], rows["estimate"], strict=True)
        names = [within(titles[name]) + (f" (log2 {number(value)})" if with_estimates else "") for name, value in pairs]
        parts += [f"{side}: {shortened(names, MOST_SETS)}"] if names else []
    return "; ".join(parts)


def within(title: str) -> str:
    """A title in a list within a sentence; one that could be taken for two stands in quotation marks."""
    return f"“{lowered(title)}”" if " and " in title else lowered(title)


def untested_words(tables: Iterable[pd.DataFrame]) -> str:
    """Why no programme could be tested in several contrasts; empty where one could, or there are none."""
    filled = [table for table in tables if len(table)]
    if not filled or any(table["pvalue"].notna().any() for table in filled):
        return ""
    notes = {part for table in filled for note in table["note"].dropna() for part in str(note).split(";")}
    return joined((words for note, words in REASONS.items() if note in notes), "or") or "no effect can be estimated"
