"""One gene, sample by sample."""

from __future__ import annotations

import math
import re

import altair as alt
import pandas as pd

from exoliver.figures.figure import Figure, finish
from exoliver.figures.style import PLAIN, Look, inline, spread_points, time_words
from exoliver.figures.words import number

JITTERED = 12  # up to so many samples of a group are set beside each other
MOST_TICKS = 6
HALF_COUNT = 0.5  # stands for zero on the log axis


def gene_of_interest(values: pd.DataFrame, look: Look, *, gene: str) -> Figure:
    """Normalised counts of one gene in every sample, by arm and time.

    Parameters
    ----------
    values
        One row per sample: sample, arm, time, normalised_count.
    look
        The dataset's.
    gene
        As the study names it.
    """
    table = _placed(values, look)
    times = list(dict.fromkeys(table.sort_values("time")["when"]))
    arms = [label for label in look.labels.values() if label in set(table["arm_label"])]
    panels = []
    ticks_at = doublings(table["shown"])
    domain = [min(ticks_at[0], table["shown"].min()), max(ticks_at[-1], table["shown"].max())]
    scale = alt.Scale(type="log", base=2, nice=False, domain=domain)
    y = alt.Y("shown:Q", scale=scale, title="Normalised count (steps of ×2)")
    for position, when in enumerate(times):
        own = table[table["when"] == when]
        base = alt.Chart(inline(own[["arm_label", "shown", "offset"]])).encode(
            x=alt.X(
                "arm_label:N",
                sort=arms,
                scale=alt.Scale(domain=arms),
                title=when or None,
                axis=alt.Axis(labelAngle=-35, labelLimit=110),
            ),
            y=y.axis(labelExpr=PLAIN, values=ticks_at)
            if position == 0
            else y.axis(labels=False, title=None, ticks=False, values=ticks_at),
            color=look.arm_colour(legend=None),
        )
        points = base.mark_point(filled=True, size=44, opacity=0.85).encode(
            xOffset=alt.XOffset("offset:Q", scale=alt.Scale(domain=[-1, 1]))
        )
        middles = own.groupby(["arm_label"], sort=False, as_index=False)["shown"].median()
        ticks = alt.Chart(inline(middles)).mark_tick(thickness=2, width=26, orient="horizontal")
        ticks = ticks.encode(
            x=alt.X("arm_label:N", sort=arms, scale=alt.Scale(domain=arms)),
            y="shown:Q",
            color=look.arm_colour(legend=None),
        )
        panels.append((ticks + points).properties(width={"step": 44}, height=190))
    chart = alt.hconcat(*panels, spacing=8).resolve_scale(y="shared")
    return finish(
        chart,
        look,
        name=f"gene__{re.sub(r'[^A-Za-z0-9._-]+', '_', gene)}",
        title=f"{gene} in every sample",
        alt_text=_words(table, gene),
        data=table[["sample", "arm_label", "when", "normalised_count"]].rename(
            columns={"arm_label": "arm", "when": "time"}
        ),
    )


def doublings(values: pd.Series) -> list[float]:
    """Ticks that are powers of two around the values, no more than a reader needs."""
    low, high = math.floor(math.log2(values.min())), math.ceil(math.log2(values.max()))
    high = max(high, low + 1)
    step = max(1, math.ceil((high - low) / MOST_TICKS))
    return [2.0**power for power in range(low, high + 1, step)]


def _placed(values: pd.DataFrame, look: Look) -> pd.DataFrame:
    """Samples with their labels and their place beside each other."""
    table = values.assign(
        arm_label=values["arm"].map(look.labels),
        when=[time_words(time, look.unit) for time in values["time"]],
        shown=values["normalised_count"].astype(float).clip(lower=HALF_COUNT),
    ).sort_values(["time", "arm", "sample"], kind="stable", ignore_index=True)
    groups = table["arm"].astype(str) + "@" + table["when"]
    sizes = groups.map(groups.value_counts())
    width = [0.6 if size <= JITTERED else 0.9 for size in sizes]
    return table.assign(offset=[place * own for place, own in zip(spread_points(groups, 1.0), width, strict=True)])


def _words(table: pd.DataFrame, gene: str) -> str:
    """Medians by arm and time."""
    medians = table.groupby(["when", "arm_label"], sort=False)["normalised_count"].median()
    parts = [f"{arm}{', ' + when if when else ''}: {number(value, 3)}" for (when, arm), value in medians.items()]
    return f"Normalised counts of {gene} in {len(table)} samples. Medians: {'; '.join(parts)}."
