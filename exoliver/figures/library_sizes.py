"""Counts and size factor of every sample."""

from __future__ import annotations

import altair as alt
import pandas as pd

from exoliver.figures.figure import Figure, arranged, finish
from exoliver.figures.style import LINE, Look, inline
from exoliver.figures.words import number

MILLION = 1e6


def library_sizes(samples: pd.DataFrame, look: Look) -> Figure:
    """Library size and size factor, sample by sample, in the order of arms and times.

    Parameters
    ----------
    samples
        One row per sample: sample, arm, time, counts, size_factor.
    look
        The dataset's.
    """
    table = samples.assign(arm_label=samples["arm"].map(look.labels), millions=samples["counts"] / MILLION)
    step = 13 if len(table) <= 60 else 8
    order = list(table["sample"])
    base = alt.Chart(inline(table[["sample", "arm_label", "millions", "size_factor"]]))
    names = alt.Axis(labelFontSize=10 if step > 10 else 7, labelLimit=170)
    panels = []
    for column, title, axis in (
        ("millions", "Library size (million counts)", names),
        ("size_factor", "Size factor", None),
    ):
        x = alt.X(f"{column}:Q", title=title, scale=alt.Scale(zero=True), axis=alt.Axis(tickCount=4))
        y = alt.Y("sample:N", sort=order, title=None, axis=axis)
        stems = base.mark_rule(color=LINE).encode(x=x, x2=alt.datum(0), y=y)
        dots = base.mark_point(filled=True, size=42, opacity=1, aria=True)
        dots = dots.encode(x=x, y=y, color=look.arm_colour(), description="sample:N")
        panels.append((stems + dots).properties(width=230, height={"step": step}))
    smallest, largest = table.loc[table["counts"].idxmin()], table.loc[table["counts"].idxmax()]
    return finish(
        arranged(panels, "hconcat", spacing=14),
        look,
        name="library_sizes",
        title="Library sizes and size factors",
        alt_text=(
            f"Library sizes of {len(table)} samples: {number(smallest['millions'])} million ({smallest['sample']}) to "
            f"{number(largest['millions'])} million ({largest['sample']}), median {number(table['millions'].median())} "
            f"million. Size factors: {number(table['size_factor'].min())} to {number(table['size_factor'].max())}."
        ),
        data=table[["sample", "arm_label", "counts", "size_factor"]].rename(columns={"arm_label": "arm"}),
    )
