"""Enrichment scores of gene sets in several contrasts, as tiles."""

from __future__ import annotations

import altair as alt
import pandas as pd

from exoliver.figures.figure import Figure, finish
from exoliver.figures.style import CELL_EDGE, CELL_INK, DIVERGING, Look, inline, ordered
from exoliver.figures.words import number, p_words

SURE = "●"
LEAST_LIMIT = 2.0


def gene_set_heatmap(table: pd.DataFrame, look: Look, *, name: str, title: str, fdr: float) -> Figure:
    """Sets in rows, contrasts in columns grouped by effect; every tile says its score.

    Parameters
    ----------
    table
        One row per set and contrast, in the order to be drawn: title, effect, when, nes, padj.
    look
        The dataset's.
    name, title
        Of the figure.
    fdr
        Scores with an adjusted p-value below this carry a dot.
    """
    drawn = table.assign(shown=tile_text(table, fdr))
    limit = max(LEAST_LIMIT, float(table["nes"].abs().max()) if table["nes"].notna().any() else 0.0)
    panels = []
    for position, effect in enumerate(ordered(table["effect"])):
        own = drawn[drawn["effect"] == effect]
        rows = alt.Axis(labelLimit=230) if position == 0 else None
        base = alt.Chart(inline(own)).encode(
            x=alt.X("when:N", sort=ordered(own["when"]), title=None, axis=alt.Axis(orient="top", labelAngle=0)),
            y=alt.Y("title:N", sort=ordered(table["title"]), title=None, axis=rows),
        )
        tiles = base.mark_rect(stroke=CELL_EDGE).encode(color=score_colour(limit))
        words = base.mark_text(fontSize=10, color=CELL_INK).encode(text="shown:N")
        panel = (tiles + words).properties(width={"step": 50}, height={"step": 20})
        panels.append(panel.properties(title=alt.TitleParams(_lines(effect), fontSize=11, fontWeight="normal")))
    return finish(
        alt.hconcat(*panels, spacing=10),
        look,
        name=name,
        title=title,
        alt_text=_words(table, title),
        data=table[["title", "effect", "when", "nes", "padj"]].rename(columns={"title": "gene_set"}),
    )


def tile_text(table: pd.DataFrame, fdr: float) -> list[str]:
    """The score of each tile, with a dot where its adjusted p-value is below the false discovery rate."""
    scores = zip(table["nes"], table["padj"], strict=True)
    return ["" if pd.isna(nes) else f"{number(nes)}{' ' + SURE if padj < fdr else ''}" for nes, padj in scores]


def score_colour(limit: float) -> alt.Color:
    """Scores from blue (lower) over white to orange (higher), the same in all panels."""
    scale = alt.Scale(domain=[-limit, 0, limit], range=[DIVERGING[0], DIVERGING[2], DIVERGING[4]], interpolate="rgb")
    return alt.Color(
        "nes:Q", scale=scale, legend=alt.Legend(title="NES", orient="right", gradientLength=90, format="~g")
    )


def _lines(effect: str) -> list[str]:
    """Name of an effect in lines that fit above its columns."""
    arm, _, base = effect.partition(" vs ")
    return [arm, f"vs {base}"] if base else [effect]


def _words(table: pd.DataFrame, title: str) -> str:
    """The highest and the lowest score of each effect."""
    parts = []
    for effect, rows in table.dropna(subset=["nes"]).groupby("effect", sort=False):
        for word, index in (("highest", rows["nes"].idxmax()), ("lowest", rows["nes"].idxmin())):
            row = rows.loc[index]
            when = f" at {row['when']}" if row["when"] else ""
            score = f"{number(row['nes'])}, {p_words(row['padj'], 'adjusted p')}"
            parts.append(f"{effect}, {word}: {row['title']}{when} ({score})")
    return f"{title}. " + ("; ".join(parts) + "." if parts else "No set was tested.")
