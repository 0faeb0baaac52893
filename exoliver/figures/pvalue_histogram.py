"""Histogram of the p-values of one contrast, and whether its shape is as it should be."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from exoliver.figures.figure import Figure, finish
from exoliver.figures.style import BLUE, PLAIN, VERMILLION, Look, inline
from exoliver.figures.words import count

BINS = 20
UPPER_HALF = slice(BINS // 2, BINS)
DEVIATIONS = 4.0  # standard deviations of a count beyond which bins differ
SLOPE = 0.15  # and the share by which small and large p-values must differ in number to be called so
PEAK = "The histogram falls from a peak at 0 to a flat floor, as it should where some genes change."
FLAT = "The histogram is flat, as it should be where hardly any gene changes."
RISES = (
    "Beyond the first bin the histogram rises towards 1: genes that move together, or a factor that the model does not "
    "know, make small p-values rarer than chance would; the list of genes may be too short."
)
BROAD = (
    "The histogram falls from a peak at 0 over a slope to a floor, as it does where many genes change, some a little; "
    "where few were expected to, p-values may be too small throughout, as the same shape comes of that."
)
PILED = (
    "p-values pile up at 1, as where many genes have few counts, so that their p-values take few values: those near 0 "
    "can be read as usual, the share of genes without a change cannot."
)
HILL = "The histogram has a hill away from 0: an unknown factor may split the samples, or many genes have few counts."
NONE = "There is no p-value to show."
SOUND = (PEAK, BROAD, FLAT)


def pvalue_histogram(table: pd.DataFrame, look: Look, *, contrast: str, title: str, words: str) -> Figure:
    """Counts of p-values in equal bins, with the floor that genes without a change would make.

    Parameters
    ----------
    table
        A contrast's gene table.
    look
        The dataset's.
    contrast, title
        Id of the contrast, and its name in words.
    words
        What is said of the shape.
    """
    pvalues = table["pvalue"].dropna().to_numpy(dtype=float)
    heights = np.histogram(pvalues, bins=BINS, range=(0, 1))[0]
    edges = np.linspace(0, 1, BINS + 1)
    data = pd.DataFrame({"p_from": edges[:-1].round(4), "p_to": edges[1:].round(4), "genes": heights})
    floor = float(np.median(heights[UPPER_HALF]))
    bars = (
        alt.Chart(inline(data))
        .mark_rect(color=BLUE, opacity=0.75)
        .encode(
            x=alt.X("p_from:Q", title="p-value", axis=alt.Axis(values=[0, 0.2, 0.4, 0.6, 0.8, 1])),
            x2="p_to:Q",
            y=alt.Y("genes:Q", title="Genes", axis=alt.Axis(tickCount=4, labelExpr=PLAIN)),
            y2=alt.datum(0),
        )
    )
    rule = alt.Chart(inline(pd.DataFrame({"genes": [floor]}))).mark_rule(color=VERMILLION, strokeDash=[5, 3])
    chart = (bars + rule.encode(y="genes:Q")).properties(width=260, height=150)
    return finish(
        chart,
        look,
        name=f"pvalues__{contrast}",
        title=title,
        alt_text=(
            f"Histogram of {count(len(pvalues))} p-values of {title}: {count(heights[0])} below {1 / BINS:g}, floor of "
            f"about {count(round(floor))} per bin. {words}"
        ),
        data=data,
    )


def histogram_words(table: pd.DataFrame) -> str:
    """What the shape of a contrast's p-values says, in one sentence."""
    pvalues = table["pvalue"].dropna().to_numpy(dtype=float)
    if not len(pvalues):
        return NONE
    heights = np.histogram(pvalues, bins=BINS, range=(0, 1))[0]
    low, high = heights[1 : BINS // 3].mean(), heights[-BINS // 3 : -1].mean()
    noise = DEVIATIONS * np.sqrt(max(high, 1.0))
    mean_noise = noise / np.sqrt(BINS // 3)
    if heights[1:-1].max() > max(heights[0], high) + noise:
        return HILL
    if low < min(high - mean_noise, (1 - SLOPE) * high):
        return RISES
    if heights[-1] > high + noise:
        return PILED
    if low > max(high + mean_noise, (1 + SLOPE) * high):
        return BROAD
    return PEAK if heights[0] > high + noise else FLAT
