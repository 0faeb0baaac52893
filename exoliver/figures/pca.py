"""Samples on their first two principal components."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from exoliver.figures.figure import Figure, finish
from exoliver.figures.style import MUTED, SHAPES, Look, inline, time_words
from exoliver.figures.words import number

SHAPE_LEGEND = alt.Legend(symbolFillColor=MUTED, symbolStrokeColor=MUTED)


def pca(samples: pd.DataFrame, look: Look, *, shares: Sequence[float]) -> Figure:
    """Samples coloured by arm and shaped by time.

    Parameters
    ----------
    samples
        One row per sample: sample, arm, time, pc1, pc2.
    look
        The dataset's.
    shares
        Share of variance of each component.
    """
    table = samples.assign(
        arm_label=samples["arm"].map(look.labels), when=[time_words(time, look.unit) for time in samples["time"]]
    )
    times = [time_words(time, look.unit) for time in sorted(table["time"].dropna().unique())]
    times += [""] if (table["when"] == "").any() and times else []
    encodings = {
        "x": alt.X(
            "pc1:Q",
            title=_axis(1, shares),
            scale=alt.Scale(zero=False, nice=True, padding=12),
            axis=alt.Axis(tickCount=6),
        ),
        "y": alt.Y(
            "pc2:Q",
            title=_axis(2, shares),
            scale=alt.Scale(zero=False, nice=True, padding=12),
            axis=alt.Axis(tickCount=6),
        ),
        "color": look.arm_colour(),
        "description": alt.Description("sample:N"),
    }
    if len(times) > 1:
        shapes = [SHAPES[position % len(SHAPES)] for position in range(len(times))]
        encodings["shape"] = alt.Shape(
            "when:N", scale=alt.Scale(domain=times, range=shapes), title="Time", legend=SHAPE_LEGEND
        )
    columns = ["sample", "arm_label", "when", "pc1", "pc2"]
    chart = (
        alt.Chart(inline(table[columns]))
        .mark_point(filled=True, size=75, opacity=0.85, aria=True)
        .encode(**encodings)
        .properties(width=380, height=300)
    )
    return finish(
        chart,
        look,
        name="pca",
        title="Samples by their largest differences (principal components)",
        alt_text=_words(table, shares),
        data=table[columns].rename(columns={"arm_label": "arm", "when": "time"}),
    )


def _axis(position: int, shares: Sequence[float]) -> str:
    """Title of an axis with the share of variance."""
    return f"Component {position} ({number(100 * shares[position - 1])} % of variance)"


def _words(table: pd.DataFrame, shares: Sequence[float]) -> str:
    """Where the arms lie."""
    middle = table.groupby("arm_label", sort=False)[["pc1", "pc2"]].mean()
    places = [f"{arm} at {number(row.pc1)} and {number(row.pc2)}" for arm, row in middle.iterrows()]
    return (
        f"Principal components of {len(table)} samples; component 1 holds {number(100 * shares[0])} % and component 2 "
        f"{number(100 * shares[1])} % of the variance. Means of the arms on the two: {'; '.join(places)}."
    )
