"""Numbers of gene sets in several contrasts, as tiles: enrichment scores, or effects."""

from __future__ import annotations

import textwrap
from typing import Any

import altair as alt
import pandas as pd

from exoliver.figures.figure import Figure, arranged, finish
from exoliver.figures.style import CELL_EDGE, CELL_INK, TILES, Look, inline, ordered
from exoliver.figures.words import number, p_words

SURE = "●"
LEAST_LIMITS = {"NES": 2.0, "log2": 0.5}  # of the colour scale, by unit
STEP = 50  # pixels of a column
LETTER, MIN_LETTERS = 6.0, 9  # pixels of a letter above the columns, and the shortest line


def gene_set_heatmap(table: pd.DataFrame, look: Look, *, name: str, title: str, unit: str, fdr: float) -> Figure:
    """Sets in rows, contrasts in columns grouped by effect; every tile says its number.

    Parameters
    ----------
    table
        One row per set and contrast, in the order to be drawn: title, effect, when, value, padj.
    look
        The dataset's.
    name, title
        Of the figure.
    unit
        Of the values: NES or log2.
    fdr
        Values with an adjusted p-value below this carry a dot.
    """
    drawn = table.assign(shown=tile_text(table, fdr))
    colour = score_colour(colour_limit(table["value"], unit), unit)
    panels = [_panel(drawn[drawn["effect"] == effect], drawn, colour) for effect in ordered(table["effect"])]
    is_timed = any(table["when"])
    chart = arranged(panels, "hconcat", spacing=10) if is_timed else _tiles(drawn, drawn, colour, "effect")
    columns = table[["title", "effect", "when", "value", "padj"]]
    return finish(
        chart,
        look,
        name=name,
        title=title,
        alt_text=_words(table, title),
        data=columns.rename(columns={"title": "gene_set", "value": unit.lower()}),
    )


def _panel(own: pd.DataFrame, drawn: pd.DataFrame, colour: alt.Color) -> Any:
    """The times of one effect, its two arms above them; the first panel names the sets."""
    effect, width = own["effect"].iloc[0], STEP * own["when"].nunique()
    arm, _, base = effect.partition(" vs ")
    letters = max(MIN_LETTERS, int(width / LETTER))
    lines = [*textwrap.wrap(arm, letters), *(textwrap.wrap(f"vs {base}", letters) if base else [])]
    is_first = effect == drawn["effect"].iloc[0]
    title = alt.TitleParams(lines, fontSize=11, fontWeight="normal")
    return _tiles(own, drawn, colour, "when", names=is_first).properties(title=title)


def _tiles(own: pd.DataFrame, drawn: pd.DataFrame, colour: alt.Color, column: str, *, names: bool = True) -> Any:
    """Tiles with their scores."""
    axis = alt.Axis(orient="top", labelAngle=0 if column == "when" else -35, labelLimit=220)
    base = alt.Chart(inline(own)).encode(
        x=alt.X(f"{column}:N", sort=ordered(own[column]), title=None, axis=axis),
        y=alt.Y("title:N", sort=ordered(drawn["title"]), title=None, axis=alt.Axis(labelLimit=230) if names else None),
    )
    tiles = base.mark_rect(stroke=CELL_EDGE).encode(color=colour)
    words = base.mark_text(fontSize=10, color=CELL_INK).encode(text="shown:N")
    return alt.layer(tiles, words).properties(width={"step": STEP}, height={"step": 20})


def tile_text(table: pd.DataFrame, fdr: float) -> list[str]:
    """The number of each tile, with a dot where its adjusted p-value is below the false discovery rate."""
    values = zip(table["value"], table["padj"], strict=True)
    return ["" if pd.isna(value) else f"{number(value)}{' ' + SURE if padj < fdr else ''}" for value, padj in values]


def colour_limit(values: pd.Series, unit: str) -> float:
    """The largest value, or what the unit has at least."""
    return max(LEAST_LIMITS[unit], float(values.abs().max()) if values.notna().any() else 0.0)


def score_colour(limit: float, unit: str) -> alt.Color:
    """Values in steps from blue (lower) over the ground to orange (higher), the same in all panels."""
    scale = alt.Scale(type="quantize", domain=[-limit, limit], range=list(TILES), nice=False)
    return alt.Color(
        "value:Q",
        scale=scale,
        legend=alt.Legend(
            title=unit,
            type="gradient",
            orient="bottom",
            gradientLength=270,
            gradientThickness=10,
            format=".2~r",
            labelOverlap=False,
        ),
    )


def _words(table: pd.DataFrame, title: str) -> str:
    """The highest and the lowest score of each effect."""
    parts = []
    for effect, rows in table.dropna(subset=["value"]).groupby("effect", sort=False):
        for word, index in (("highest", rows["value"].idxmax()), ("lowest", rows["value"].idxmin())):
            row = rows.loc[index]
            when = f" at {row['when']}" if row["when"] else ""
            score = f"{number(row['value'])}, {p_words(row['padj'], 'adjusted p')}"
            parts.append(f"{effect}, {word}: {row['title']}{when} ({score})")
    return f"{title}. " + ("; ".join(parts) + "." if parts else "No set was tested.")
