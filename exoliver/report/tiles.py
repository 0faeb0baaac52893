"""Which tiles a picture of programmes has: the rows of one dataset's effects, and the programmes that are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from exoliver.contrasts import Contrast
from exoliver.figures.effect_tiles import NOT_MEASURED, NOT_TESTABLE, TESTED
from exoliver.figures.style import Look
from exoliver.report.benefit import WANTED, benefits_of, meaning, theme_words
from exoliver.report.evidence import asides
from exoliver.report.naming import effect_words, set_order, set_titles, when_words

COLUMNS = (
    "programme", "title", "theme", "place", "benefit", "contrast", "effect", "when", "value", "ci_low", "ci_high",
    "pvalue", "padj", "meaning", "state",
)  # fmt: skip
UNMEASURED = ("too_few_measured", "not_measured")


def effect_rows(
    effects: pd.DataFrame, contrasts: Sequence[Contrast], *, entry: Mapping[str, Any], facts: Mapping[str, Any],
    look: Look,
) -> pd.DataFrame:  # fmt: skip
    """Effects of some contrasts on the programmes that speak of an answer, one row per programme and contrast.

    Parameters
    ----------
    effects
        Columns `tables.EFFECTS`.
    contrasts
        In the order to be shown.
    entry
        Facts of the collection.
    facts, look
        Of the dataset.

    Returns
    -------
    `COLUMNS`, in the order of contrasts and collection; without a number, `state` says why.
    """
    told = effects[~effects["programme"].isin(asides(entry))]
    order, titles = set_order(told["programme"], entry), set_titles(told["programme"], entry)
    benefits, themes = benefits_of(entry, facts), theme_words(entry)
    parts = []
    for contrast in contrasts:
        own = told[told["contrast"] == contrast.id].rename(columns={"estimate": "value"})
        own = own.assign(
            title=own["programme"].map(titles),
            theme=[themes.get(name, "") for name in own["programme"]],
            place=own["programme"].map(order),
            benefit=[benefits.get(name, "depends") for name in own["programme"]],
            effect=effect_words(contrast, look),
            when=when_words(contrast, look),
            state=[_state(*pair) for pair in zip(own["value"], own["note"], strict=True)],
        )
        own["meaning"] = [meaning(*pair) for pair in zip(own["value"], own["benefit"], strict=True)]
        parts.append(own[list(COLUMNS)].sort_values("place", kind="stable"))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(COLUMNS))


def _state(value: float, note: object) -> str:
    """Whether there is a number, or why there is none."""
    if pd.notna(value):
        return TESTED
    notes = set(str(note).split(";"))
    return NOT_MEASURED if notes & set(UNMEASURED) else NOT_TESTABLE


def shown_contrasts(contrasts: Sequence[Contrast], kinds: Sequence[str]) -> list[Contrast]:
    """Effects at each time, those without samples too, and averaged ones of pairs that have a single time."""
    chosen = [contrast for contrast in contrasts if contrast.kind in kinds]
    known = {contrast.effect for contrast in chosen if contrast.rows}
    at_times = {contrast.effect for contrast in chosen if contrast.form == "at_time"}
    return [
        contrast
        for contrast in chosen
        if contrast.effect in known
        and (contrast.form == "at_time" or (contrast.form == "averaged" and contrast.effect not in at_times))
    ]


def chosen_programmes(rows: pd.DataFrame, most: int) -> list[str]:
    """The programmes with the smallest p-values, and those with a wanted direction, which no picture leaves out.

    Parameters
    ----------
    rows
        Of `effect_rows`, of one or several datasets.
    most
        How many there are by p-value.

    Returns
    -------
    In the order of the collection.
    """
    tested = rows.dropna(subset=["pvalue"])
    best = tested.groupby("programme")["pvalue"].min().reset_index().sort_values(["pvalue", "programme"])
    wanted = tested.loc[tested["benefit"].isin(list(WANTED)), "programme"]
    kept = {*best["programme"].head(most), *wanted}
    return list(dict.fromkeys(rows[rows["programme"].isin(kept)].sort_values(["place", "programme"])["programme"]))
