"""How much of each principal component goes with arm, time, batch and the like."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from exoliver.figures.figure import Figure, finish
from exoliver.figures.gene_set_heatmap import SURE
from exoliver.figures.style import CELL_EDGE, CELL_INK, SHARE_TILES, Look, inline, ordered
from exoliver.figures.words import number, p_words

STEP, ROW = 64, 26  # pixels of a column and of a row
UNTESTED = "not testable"


def component_associations(table: pd.DataFrame, look: Look, *, shares: Sequence[float], level: float) -> Figure:
    """Factors in rows, components in columns; every tile says the share of the component that the factor explains.

    Parameters
    ----------
    table
        Rows of `associate_components`, with the factors as they are read.
    look
        The dataset's.
    shares
        Share of variance of each component.
    level
        Tiles with an adjusted p-value below this carry a dot.
    """
    names = [f"{place} ({number(100 * share)} %)" for place, share in enumerate(shares, start=1)]
    drawn = table.assign(
        axis=[names[place - 1] for place in table["component"]],
        value=table["share_adjusted"].clip(lower=0),
        shown=[_tile(row.share_adjusted, row.padj, level) for row in table.itertuples()],
    )
    legend = alt.Legend(
        title="Share explained",
        type="gradient",
        orient="bottom",
        format=".0%",
        gradientLength=140,
        gradientThickness=10,
    )
    scale = alt.Scale(type="quantize", domain=[0, 1], range=list(SHARE_TILES), nice=False)
    x = alt.X(
        "axis:N",
        sort=names,
        title="Component (share of variance)",
        axis=alt.Axis(orient="top", labelAngle=0, labelFontSize=11),
    )
    y = alt.Y("factor:N", sort=ordered(table["factor"]), title=None, axis=alt.Axis(labelLimit=200))
    base = alt.Chart(inline(drawn[["axis", "factor", "value", "shown"]])).encode(x=x, y=y)
    tiles = base.mark_rect(stroke=CELL_EDGE).encode(color=alt.Color("value:Q", scale=scale, legend=legend))
    words = base.mark_text(fontSize=10, color=CELL_INK).encode(text="shown:N")
    return finish(
        alt.layer(tiles, words).properties(width={"step": STEP}, height={"step": ROW}),
        look,
        name="component_associations",
        title="What the components go with",
        alt_text=_words(table, shares),
        data=table[["component", "factor", "share", "share_adjusted", "pvalue", "padj"]],
    )


def _tile(share: float, padj: float, level: float) -> str:
    """The share in per cent, with a dot where there is evidence."""
    if pd.isna(share):
        return "–"
    return f"{max(round(100 * share), 0)} %" + (f" {SURE}" if padj < level else "")


def _words(table: pd.DataFrame, shares: Sequence[float]) -> str:
    """The factor that explains most of each component."""
    parts = []
    for place, rows in table.dropna(subset=["share_adjusted"]).groupby("component"):
        row = rows.loc[rows["share_adjusted"].idxmax()]
        share = f"{number(100 * max(row['share_adjusted'], 0.0))} %"
        parts.append(f"component {place}: {row['factor']} ({share}, {p_words(row['padj'], 'adjusted p')})")
    told = "; ".join(parts) if parts else UNTESTED
    return f"Factor that explains most of each of the first {len(shares)} components, adjusted for its levels: {told}."
