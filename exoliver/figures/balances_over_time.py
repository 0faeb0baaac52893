"""Balances of anti- and pro-apoptotic genes: effects with intervals, over time where there are times."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from exoliver.figures.figure import Figure, arranged, finish
from exoliver.figures.style import LINE, Look, fold_labels, inline, ordered
from exoliver.figures.words import estimate, intervals

COLUMNS = 2
ROOM = 1.06  # beyond the longest interval


def balances_over_time(table: pd.DataFrame, look: Look) -> Figure:
    """One small panel per balance: its change in each effect at each time, with the 95 % interval.

    Parameters
    ----------
    table
        One row per balance, effect and time: title, effect, arm, when, estimate, ci_low, ci_high; `when` in words and
        in order, empty without times.
    look
        The dataset's.
    """
    effects = table.drop_duplicates("effect")
    colours = {row.effect: look.colours[row.arm] for row in effects.itertuples()}
    panels = [
        _panel(table[table["title"] == title], table, colours).properties(title=alt.TitleParams(title, fontSize=12))
        for title in ordered(table["title"])
    ]
    return finish(
        arranged(panels, "concat", columns=COLUMNS, spacing=22),
        look,
        name="balances_over_time",
        title="Balances of anti- over pro-apoptotic genes",
        alt_text=_words(table),
        data=table[["title", "effect", "when", "estimate", "ci_low", "ci_high"]].rename(columns={"title": "balance"}),
    )


def _panel(own: pd.DataFrame, table: pd.DataFrame, colours: dict[str, str]) -> Any:
    """One balance."""
    names, whens = list(colours), ordered(table["when"])
    domain = [min(0.0, table["ci_low"].min()) * ROOM, max(0.0, table["ci_high"].max()) * ROOM]
    scale, axis = alt.Scale(domain=domain, nice=False), alt.Axis(labelExpr=fold_labels(), tickCount=5)
    subject = "log2 change (fold below)"
    told = own[["effect", "when", "estimate", "ci_low", "ci_high"]].assign(told=intervals(own))
    base = alt.Chart(inline(told)).encode(
        x=alt.X("when:N", sort=whens, title=None, axis=alt.Axis(labelAngle=0) if any(whens) else None),
        xOffset=alt.XOffset("effect:N", sort=names, scale=alt.Scale(domain=names)),
        color=alt.Color(
            "effect:N",
            title=None,
            scale=alt.Scale(domain=names, range=list(colours.values())),
            legend=alt.Legend(orient="top", columns=1, symbolType="circle"),
        ),
    )
    zero = alt.Chart(inline(pd.DataFrame({"estimate": [0.0]}))).mark_rule(color=LINE)
    layers = [
        zero.encode(y=alt.Y("estimate:Q", title=subject, scale=scale, axis=axis)),
        base.mark_rule(strokeWidth=2).encode(
            y=alt.Y("ci_low:Q", title=subject, scale=scale, axis=axis), y2="ci_high:Q"
        ),
        base.mark_point(filled=True, size=48, opacity=1, aria=True).encode(
            y=alt.Y("estimate:Q", title=subject, scale=scale, axis=axis), description="told:N"
        ),
    ]
    return alt.layer(*layers).properties(width=235, height=150)


def _words(table: pd.DataFrame) -> str:
    """Every estimate of the first balance."""
    first = table[table["title"] == table["title"].iloc[0]]
    parts = [
        f"{row.effect}{', ' + row.when if row.when else ''}: {estimate(row.estimate, row.ci_low, high=row.ci_high)}"
        for row in first.itertuples()
    ]
    return f"Changes on the log2 scale with 95 % intervals. {first['title'].iloc[0]}: {'; '.join(parts)}."
