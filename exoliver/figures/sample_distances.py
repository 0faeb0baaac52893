"""How far samples are from each other."""

from __future__ import annotations

import math

import altair as alt
import numpy as np
import pandas as pd

from exoliver.figures.figure import Figure, finish
from exoliver.figures.style import SEQUENTIAL, Look, inline
from exoliver.figures.words import number

STRIP = " "  # the column of the arms, before the samples
LETTERS, NAME = 9, 120  # pixels of height of a name, and of its width
SIDE = 380  # pixels of the heat map: with names beside it, it is shown at full size in a column of the page
LARGEST, SMALLEST = 14, 2  # pixels of a sample


def sample_distances(distances: pd.DataFrame, look: Look, *, arms: pd.Series) -> Figure:
    """Heat map of the distances between samples, in the order given.

    Parameters
    ----------
    distances
        Samples x samples, symmetric.
    look
        The dataset's.
    arms
        Arm of each sample, indexed alike.
    """
    names = list(distances.index)
    lower = np.tril_indices(len(names), k=-1)
    table = pd.DataFrame(
        {
            "first": [names[row] for row in lower[0]],
            "second": [names[column] for column in lower[1]],
            "distance": distances.to_numpy()[lower].round(2),
        }
    )
    size = min(LARGEST, max(SMALLEST, SIDE // (len(names) + 1)))
    every = math.ceil(LETTERS / size)
    axis = alt.Axis(labelFontSize=LETTERS, labelLimit=NAME, values=names[::every], labelOverlap=False)
    columns = alt.Scale(domain=[STRIP, *names])
    x = alt.X("second:N", sort=None, scale=columns, title=None, axis=None)
    y = alt.Y("first:N", sort=names, title=None, axis=axis)
    legend = alt.Legend(title="Distance (log2 scale)", orient="bottom", gradientLength=120, gradientThickness=10)
    colour = alt.Color("distance:Q", scale=alt.Scale(range=list(SEQUENTIAL), zero=False), legend=legend)
    heat = alt.Chart(inline(table)).mark_rect().encode(x=x, y=y, color=colour)
    own = pd.DataFrame({"first": names, "second": STRIP, "arm_label": arms.loc[names].map(look.labels).to_numpy()})
    key = alt.Legend(orient="bottom", columns=2)
    strip = alt.Chart(inline(own)).mark_rect().encode(x=x, y=y, color=look.arm_colour(legend=key))
    chart = (strip + heat).resolve_scale(color="independent").properties(width={"step": size}, height={"step": size})
    return finish(
        chart,
        look,
        name="sample_distances",
        title="Distances between samples",
        subtitle=f"one sample in {every} is named" if every > 1 else "",
        alt_text=_words(distances, arms),
        data=_means(distances, arms).assign(arm=arms.loc[names].map(look.labels).to_numpy()),
    )


def _means(distances: pd.DataFrame, arms: pd.Series) -> pd.DataFrame:
    """Mean distance of each sample to those of its own arm and to the others; missing where there are none."""
    values = distances.to_numpy()
    own = arms.loc[distances.index].to_numpy()
    same = own[:, None] == own[None, :]
    peers, others = same & ~np.eye(len(own), dtype=bool), ~same
    means = {
        name: [row[chosen].mean() if chosen.any() else np.nan for row, chosen in zip(values, mask, strict=True)]
        for name, mask in (("to_own_arm", peers), ("to_others", others))
    }
    return pd.DataFrame({"sample": list(distances.index), **means})


def _words(distances: pd.DataFrame, arms: pd.Series) -> str:
    """Mean distance within and between arms, and the sample that is farthest from its own arm."""
    means = _means(distances, arms)
    parts = [f"Distances between {len(means)} samples"]
    if means["to_own_arm"].notna().any():
        far = means.loc[means["to_own_arm"].idxmax()]
        parts.append(f"mean within an arm {number(means['to_own_arm'].mean())}")
        parts.append(f"farthest from its own arm: {far['sample']} ({number(far['to_own_arm'])})")
    if means["to_others"].notna().any():
        parts.append(f"mean between arms {number(means['to_others'].mean())}")
    return "; ".join(parts) + "."
