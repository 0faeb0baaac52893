"""Injury effect against treatment effect of every programme, with the line on which all of the injury is undone."""

from __future__ import annotations

import altair as alt
import pandas as pd

from exoliver.figures.figure import Figure, finish
from exoliver.figures.labels import place_labels
from exoliver.figures.style import GREY, INK, LINE, Look, inline
from exoliver.figures.words import number, plural

SIDE = 360
NAMED = 10  # programmes that have their title beside their point
QUANTILE = 1.96  # of the intervals drawn, about
ROOM = 1.15
CLEAR, WEAK = "clear injury effect", "weak, or none"


def rescue_plane(table: pd.DataFrame, look: Look, *, arm: str) -> Figure:
    """One point for each programme.

    Parameters
    ----------
    table
        One row per programme: title, injury_effect, injury_se, treatment_effect, treatment_se, fraction_restored (NaN
        where the injury effect is weak), the clearest injury first.
    look
        The dataset's.
    arm
        The treated arm.
    """
    drawn = table.dropna(subset=["injury_effect", "treatment_effect"])
    drawn = drawn.assign(
        kind=[CLEAR if known else WEAK for known in drawn["fraction_restored"].notna()],
        left=drawn["injury_effect"] - QUANTILE * drawn["injury_se"],
        right=drawn["injury_effect"] + QUANTILE * drawn["injury_se"],
        low=drawn["treatment_effect"] - QUANTILE * drawn["treatment_se"],
        high=drawn["treatment_effect"] + QUANTILE * drawn["treatment_se"],
    )
    clear = drawn[drawn["kind"] == CLEAR]
    reach = [drawn["injury_effect"].abs().max(), drawn["treatment_effect"].abs().max()]
    reach += [clear[["left", "right", "low", "high"]].abs().max().max()] if len(clear) else []
    limit = float(max(reach)) * ROOM or 1.0
    scale = alt.Scale(domain=[-limit, limit], nice=False)
    across_title, up_title = "Injury effect, log2", f"{look.labels[arm]}: treatment effect, log2"
    x_axis = alt.X("injury_effect:Q", title=across_title, scale=scale)
    y_axis = alt.Y("treatment_effect:Q", title=up_title, scale=scale)
    base = alt.Chart(inline(drawn)).encode(x=x_axis, y=y_axis)
    colour = alt.Color(
        "kind:N",
        title=None,
        scale=alt.Scale(domain=[CLEAR, WEAK], range=[look.colours[arm], GREY]),
        legend=alt.Legend(orient="top"),
    )
    own = alt.Chart(inline(clear)).mark_rule(color=look.colours[arm], opacity=0.5)
    across = own.encode(x=alt.X("left:Q", scale=scale, title=across_title), x2="right:Q", y=y_axis)
    upright = own.encode(x=x_axis, y=alt.Y("low:Q", scale=scale, title=up_title), y2="high:Q")
    points = {"title": "name", "injury_effect": "x", "treatment_effect": "y"}
    bounds = ((-limit, limit), (-limit, limit))
    placed = place_labels(drawn.head(NAMED).rename(columns=points), bounds=bounds, size=(SIDE, SIDE))
    chart = alt.layer(
        *_lines(limit, scale),
        across,
        upright,
        base.mark_point(filled=True, size=42, opacity=0.9, aria=True).encode(color=colour, description="title:N"),
        *_names(placed, x=x_axis, y=y_axis),
    ).properties(width=SIDE, height=SIDE)
    columns = ["title", "injury_effect", "injury_se", "treatment_effect", "treatment_se", "fraction_restored"]
    return finish(
        chart,
        look,
        name=f"rescue__{arm}",
        title=f"Programmes: injury, and what {look.labels[arm]} does",
        alt_text=_words(drawn, clear),
        data=drawn[columns].rename(columns={"title": "programme"}),
    )


def _names(placed: pd.DataFrame, *, x: alt.X, y: alt.Y) -> list[alt.Chart]:
    """Titles to the right of their points, and to the left."""
    own = placed.rename(columns={"x": "injury_effect", "y": "treatment_effect"})
    right, left = (alt.Chart(inline(own[own["align"] == align])) for align in ("left", "right"))
    texts = [
        right.mark_text(align="left", dx=6, fontSize=10, color=INK),
        left.mark_text(align="right", dx=-6, fontSize=10, color=INK),
    ]
    return [text.encode(x=x, y=y, text="name:N") for text in texts]


def _lines(limit: float, scale: alt.Scale) -> list[alt.Chart]:
    """The line of full rescue, that of none, and their words."""
    ends = pd.DataFrame({"injury_effect": [-limit, limit], "treatment_effect": [limit, -limit]})
    level = pd.DataFrame({"injury_effect": [-limit, limit], "treatment_effect": [0.0, 0.0]})
    place = limit * 0.62
    words = pd.DataFrame(
        {"injury_effect": [place, -limit], "treatment_effect": [-place, 0.0], "text": ["all undone", "nothing undone"]}
    )
    places = {"x": alt.X("injury_effect:Q", scale=scale), "y": alt.Y("treatment_effect:Q", scale=scale)}
    return [
        alt.Chart(inline(ends)).mark_line(color=INK, strokeDash=[5, 4]).encode(**places),
        alt.Chart(inline(level)).mark_line(color=LINE).encode(**places),
        alt.Chart(inline(words))
        .mark_text(align="left", dx=5, dy=-7, fontSize=10, fontStyle="italic", color=INK)
        .encode(**places, text="text:N"),
    ]


def _words(drawn: pd.DataFrame, clear: pd.DataFrame) -> str:
    """How many programmes the injury moves clearly, and how far the first of them is taken back."""
    text = f"{plural(len(drawn), 'programme')}, of which the injury moves {len(clear)} clearly."
    parts = [f"{row.title} {number(row.fraction_restored)}" for row in clear.head(NAMED).itertuples()]
    return f"{text} Fractions restored: {', '.join(parts)}." if parts else text
