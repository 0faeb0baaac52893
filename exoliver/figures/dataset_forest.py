"""One number in every dataset and at every time, with its interval: effects on a programme, or the injury undone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from exoliver.figures.effect_tiles import row_axis, row_keys
from exoliver.figures.figure import Figure, arranged, finish
from exoliver.figures.style import INK, LINE, MUTED, Look, fold_labels, inline, ordered
from exoliver.figures.words import estimate, plural

WIDTH, HEIGHT = 150, 20  # pixels of a panel and of a row
NAMES = 340  # pixels of the names
MOST_PANELS = 4  # beside each other
WIDEST = 6.0  # half-width of an axis, in units of the largest estimate: an open interval does not flatten the others


def programme_forest(table: pd.DataFrame, look: Look, *, fdr: float) -> Figure:
    """Treatment effects on some programmes, one panel each, one row for each dataset and time.

    Parameters
    ----------
    table
        One row per programme, dataset, effect and time, in the order to be drawn: title, dataset, row (effect and
        time), value (log2), ci_low, ci_high, padj.
    look
        Of the study.
    fdr
        Points below it are filled.
    """
    drawn = _placed(table.assign(is_sure=(table["padj"] < fdr).fillna(False)))
    axis = alt.Axis(labelExpr=fold_labels(), tickCount=4, labelLineHeight=12)
    titles = ordered(drawn["title"])
    lines = []
    for first in range(0, len(titles), MOST_PANELS):
        names = titles[first : first + MOST_PANELS]
        panels = [
            _panel(drawn, title, axis=axis, unit="log2 effect", marks=(0.0,), is_first=title == names[0])
            for title in names
        ]
        lines.append(arranged(panels, "hconcat", spacing=14))
    words = [f"{title}: {_words(drawn[drawn['title'] == title])}" for title in titles]
    data = table[["title", "dataset", "row", "value", "ci_low", "ci_high", "padj"]]
    return finish(
        arranged(lines, "vconcat", spacing=18),
        look,
        name="programme_forest",
        title="Treatment effects on single programmes",
        alt_text=f"log2 effects with 95 % intervals, dataset by dataset. {'. '.join(words)}.",
        data=data.rename(columns={"title": "programme", "row": "effect", "value": "log2"}).reset_index(drop=True),
    )


def rescue_forest(table: pd.DataFrame, look: Look) -> Figure:
    """The share of the injury that each treatment undoes over all genes, one row for each dataset, arm and time.

    Parameters
    ----------
    table
        In the order to be drawn: dataset, row (arm and time), value (share restored), ci_low, ci_high.
    look
        Of the study.
    """
    drawn = _placed(table.assign(title="", is_sure=(table["ci_low"] > 0) | (table["ci_high"] < 0)))
    axis = alt.Axis(tickCount=5)
    chart = _panel(
        drawn, "", axis=axis, unit="Share of the injury undone", marks=(0.0, 1.0), is_first=True, width=2 * WIDTH
    )
    data = table[["dataset", "row", "value", "ci_low", "ci_high"]]
    return finish(
        chart,
        look,
        name="rescue_forest",
        title="The injury undone, over all genes together",
        alt_text=f"Shares restored with 95 % intervals; 0 is nothing, 1 is all. {_words(drawn)}.",
        data=data.rename(columns={"row": "arm", "value": "share_restored"}).reset_index(drop=True),
    )


def _placed(table: pd.DataFrame) -> pd.DataFrame:
    """The table with the place of each row from the top, below the name of its dataset."""
    places = {key: place for place, key in enumerate(row_keys(table["dataset"], table["row"]))}
    return table.assign(place=[places[key] for key in zip(table["dataset"], table["row"], strict=True)])


def _panel(
    drawn: pd.DataFrame, title: str, *, axis: alt.Axis, unit: str, marks: Sequence[float], is_first: bool,
    width: int = WIDTH,
) -> Any:  # fmt: skip
    """Estimates with intervals; filled where there is evidence, in the same rows in every panel."""
    keys = row_keys(drawn["dataset"], drawn["row"])
    own = drawn[(drawn["title"] == title) & drawn["value"].notna()]
    low, high = _domain(drawn, marks)
    scale = alt.Scale(domain=[low, high], nice=False)
    x = alt.X("value:Q", title=unit, scale=scale, axis=axis)
    rows = alt.Scale(domain=list(range(len(keys))))
    y = alt.Y("place:O", title=None, scale=rows, axis=row_axis(keys, NAMES) if is_first else None)
    kept = own.assign(low=own["ci_low"].clip(low, high), high=own["ci_high"].clip(low, high))
    data = kept[["value", "low", "high", "place", "is_sure"]]
    zero = alt.Chart(inline(pd.DataFrame({"value": list(marks)}))).mark_rule(color=LINE, strokeDash=[4, 3]).encode(x=x)
    intervals = alt.Chart(inline(data)).mark_rule(color=MUTED, strokeWidth=1.5).encode(x=x, y=y)
    intervals = intervals.encode(x=alt.X("low:Q", title=unit, scale=scale, axis=axis), x2="high:Q")
    points = [
        alt.Chart(inline(data[data["is_sure"] == is_sure]))
        .mark_point(filled=is_sure, size=46, color=INK, opacity=1, strokeWidth=1.5, clip=True)
        .encode(x=x, y=y)
        for is_sure in (True, False)
    ]
    heading = alt.TitleParams(title, fontSize=12, anchor="start")
    layered = alt.layer(zero, intervals, *points).properties(width=width, height={"step": HEIGHT})
    return layered.properties(title=heading) if title else layered


def _domain(drawn: pd.DataFrame, marks: Sequence[float]) -> tuple[float, float]:
    """Ends of the axis: all estimates, their intervals as far as they do not flatten the rest, and the marks."""
    widest = WIDEST * max(0.1, float(drawn["value"].abs().max()))
    low = min(float(drawn["ci_low"].clip(lower=-widest).min()), *marks, 0.0)
    high = max(float(drawn["ci_high"].clip(upper=widest).max()), *marks, 0.0)
    margin = 0.04 * (high - low)
    return low - margin, high + margin


def _words(rows: pd.DataFrame) -> str:
    """How many estimates there are, on which sides the sure ones are, and the largest."""
    known = rows.dropna(subset=["value"])
    if known.empty:
        return "none could be estimated"
    sure = known[known["is_sure"]]
    above, below = int((sure["value"] > 0).sum()), int((sure["value"] < 0).sum())
    row = known.loc[known["value"].abs().idxmax()]
    largest = f"{row['dataset']}, {row['row']}, {_interval(row)}"
    sides = f"{above} with evidence above zero and {below} below"
    return f"of {plural(len(known), 'estimate')}, {sides}; the largest is {largest}"


def _interval(row: pd.Series) -> str:
    """An estimate with its interval."""
    return estimate(row["value"], row["ci_low"], high=row["ci_high"])
