"""Effects on each programme over time with their intervals: the injury dashed, the treatment in a full line."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from exoliver.figures.figure import Figure, arranged, finish
from exoliver.figures.style import LINE, Look, inline, ordered
from exoliver.figures.words import intervals, joined, number, p_words

BELOW, ABOVE, COLUMNS = "below the false discovery rate", "not below", 2
DASHES = {"injury": [5, 3], "treatment": [1, 0]}
ROOM = 1.05
FAR = 5.0  # times the median reach of the panels, beyond which a panel would press all others flat


def programmes_over_time(table: pd.DataFrame, look: Look, *, fdr: float) -> Figure:
    """One small panel per programme, log2 effect against time, all on one scale.

    A panel whose effects and intervals reach more than five times as far as the median panel's has a scale of its own,
    and the figure says so below its title.

    Parameters
    ----------
    table
        One row per programme, effect and time: title, effect, kind (injury or treatment), arm, time, estimate, ci_low,
        ci_high, padj; at least one estimate is there.
    look
        The dataset's.
    fdr
        The study's false discovery rate.
    """
    drawn = table.dropna(subset=["estimate"])
    drawn = drawn.assign(sure=[BELOW if padj < fdr else ABOVE for padj in drawn["padj"]])
    titles, effects = ordered(table["title"]), table.drop_duplicates("effect")
    times = sorted(table["time"].unique())
    colour = alt.Color(
        "effect:N",
        title=None,
        scale=alt.Scale(
            domain=list(effects["effect"]),
            range=[look.colours[arm] for arm in effects["arm"]],
        ),
        legend=alt.Legend(orient="top", columns=1, symbolType="stroke", symbolSize=300, symbolOpacity=1),
    )
    dash = alt.StrokeDash(
        "effect:N",
        title=None,
        scale=alt.Scale(domain=list(effects["effect"]), range=[DASHES[kind] for kind in effects["kind"]]),
    )
    filled = alt.FillOpacity("sure:N", scale=alt.Scale(domain=[BELOW, ABOVE], range=[1.0, 0.0]), legend=None)
    x_axis = alt.X("time:Q", title=look.time_title(), axis=alt.Axis(values=times, format="~g", grid=False))
    encoding: dict[str, Any] = {"x": x_axis, "colour": colour, "dash": dash, "filled": filled}
    limits, own_scale = _limits(drawn, titles)
    panels = [_panel(drawn[drawn["title"] == title], title, limit=limits[title], **encoding) for title in titles]
    return finish(
        arranged(panels, "concat", columns=COLUMNS, spacing=22),
        look,
        name="programmes_over_time",
        title="Effects on programmes over time",
        subtitle=f"scale of its own: {joined(own_scale)}" if own_scale else "",
        alt_text=_words(table, titles),
        data=table[["title", "effect", "time", "estimate", "ci_low", "ci_high", "padj"]].rename(
            columns={"title": "programme"}
        ),
    )


def _limits(drawn: pd.DataFrame, titles: list[str]) -> tuple[dict[str, float], list[str]]:
    """How far the scale of each panel reaches, and the panels that have one of their own."""
    ends = drawn[["estimate", "ci_low", "ci_high"]].abs().max(axis=1).groupby(drawn["title"]).max()
    own_scale = [title for title in titles if title in ends.index and ends[title] > FAR * ends.median()]
    shared = float(ends.drop(own_scale).max()) or 1.0
    return {title: ROOM * (float(ends[title]) if title in own_scale else shared) for title in titles}, own_scale


def _panel(
    own: pd.DataFrame,
    title: str,
    *,
    limit: float,
    x: alt.X,
    colour: alt.Color,
    dash: alt.StrokeDash,
    filled: alt.FillOpacity,
) -> Any:
    """One programme."""
    scale = alt.Scale(domain=[-limit, limit], nice=False)
    base = alt.Chart(inline(own.assign(told=intervals(own)))).encode(
        x=x, y=alt.Y("estimate:Q", title="log2 effect", scale=scale), color=colour
    )
    zero = alt.Chart(inline(pd.DataFrame({"estimate": [0.0]}))).mark_rule(color=LINE).encode(y="estimate:Q")
    spans = base.mark_rule(strokeWidth=1.5, opacity=0.6).encode(
        y=alt.Y("ci_low:Q", title="log2 effect", scale=scale), y2="ci_high:Q"
    )
    lines = base.mark_line(strokeWidth=2).encode(strokeDash=dash)
    points = base.mark_point(size=58, strokeWidth=2, opacity=1, aria=True)
    points = points.encode(fill=colour, fillOpacity=filled, description="told:N")
    chart = alt.layer(zero, spans, lines, points)
    return chart.properties(width=235, height=135, title=alt.TitleParams(title, fontSize=12))


def _words(table: pd.DataFrame, titles: list[str]) -> str:
    """The largest effect, programme by programme."""
    parts = []
    for title in titles:
        for effect, rows in table[table["title"] == title].dropna(subset=["estimate"]).groupby("effect", sort=False):
            row = rows.loc[rows["estimate"].abs().idxmax()]
            doubt = p_words(row["padj"], "adjusted p")
            parts.append(f"{title}, {effect}: {number(row['estimate'])} at {row['time']:g} ({doubt})")
    return "log2 effects on programmes over time, the largest of each effect. " + "; ".join(parts) + "."
