"""Rank-based enrichment of each programme over time: the injury behind, the treatment in front."""

from __future__ import annotations

import altair as alt
import pandas as pd

from exoliver.figures.figure import Figure, finish
from exoliver.figures.style import GREY, LINE, Look, inline, ordered
from exoliver.figures.words import number, p_words

BELOW, ABOVE, COLUMNS = "below the false discovery rate", "not below", 2
DASHES = {"injury": [5, 3], "treatment": [1, 0]}


def programmes_over_time(table: pd.DataFrame, look: Look, *, fdr: float) -> Figure:
    """One small panel per programme, normalised enrichment score against time.

    Parameters
    ----------
    table
        One row per programme, effect and time: title, effect, kind (injury or treatment), arm, time, nes, padj.
    look
        The dataset's.
    fdr
        The study's false discovery rate.
    """
    drawn = table.dropna(subset=["nes"])
    drawn = drawn.assign(sure=[BELOW if padj < fdr else ABOVE for padj in drawn["padj"]])
    titles, effects = ordered(table["title"]), table.drop_duplicates("effect")
    times = sorted(table["time"].unique())
    limit = max(2.0, float(drawn["nes"].abs().max()) * 1.1 if len(drawn) else 0.0)
    colour = alt.Color(
        "effect:N",
        title=None,
        scale=alt.Scale(
            domain=list(effects["effect"]),
            range=[
                GREY if kind == "injury" else look.colours[arm]
                for kind, arm in zip(effects["kind"], effects["arm"], strict=True)
            ],
        ),
        legend=alt.Legend(orient="top", columns=1, symbolType="stroke", symbolSize=300),
    )
    dash = alt.StrokeDash(
        "effect:N",
        title=None,
        scale=alt.Scale(domain=list(effects["effect"]), range=[DASHES[kind] for kind in effects["kind"]]),
    )
    filled = alt.FillOpacity("sure:N", scale=alt.Scale(domain=[BELOW, ABOVE], range=[1.0, 0.0]), legend=None)
    panels = []
    for title in titles:
        base = alt.Chart(inline(drawn[drawn["title"] == title])).encode(
            x=alt.X("time:Q", title=look.time_title(), axis=alt.Axis(values=times, format="~g", grid=False)),
            y=alt.Y("nes:Q", title="Enrichment score (NES)", scale=alt.Scale(domain=[-limit, limit], nice=False)),
            color=colour,
        )
        zero = alt.Chart(inline(pd.DataFrame({"nes": [0.0]}))).mark_rule(color=LINE).encode(y="nes:Q")
        lines = base.mark_line(strokeWidth=2).encode(strokeDash=dash)
        points = base.mark_point(size=58, strokeWidth=2, opacity=1).encode(fill=colour, fillOpacity=filled)
        panels.append(
            (zero + lines + points).properties(width=235, height=135, title=alt.TitleParams(title, fontSize=12))
        )
    chart = alt.concat(*panels, columns=COLUMNS, spacing=22)
    return finish(
        chart,
        look,
        name="programmes_over_time",
        title="Programmes over time: a description of ranks, not evidence",
        alt_text=_words(table, titles),
        data=table[["title", "effect", "time", "nes", "padj"]].rename(columns={"title": "programme"}),
    )


def _words(table: pd.DataFrame, titles: list[str]) -> str:
    """The strongest score of each effect, programme by programme."""
    parts = []
    for title in titles:
        for effect, rows in table[table["title"] == title].dropna(subset=["nes"]).groupby("effect", sort=False):
            row = rows.loc[rows["nes"].abs().idxmax()]
            parts.append(
                f"{title}, {effect}: {number(row['nes'])} at {row['time']:g} ({p_words(row['padj'], 'adjusted p')})"
            )
    return "Normalised enrichment scores over time, the strongest of each effect. " + "; ".join(parts) + "."
