"""Treatment effects on the programmes, all datasets below each other."""

from __future__ import annotations

import altair as alt
import pandas as pd

from exoliver.figures.figure import Figure, arranged, finish
from exoliver.figures.gene_set_heatmap import colour_limit, score_colour, tile_text
from exoliver.figures.style import CELL_EDGE, CELL_INK, Look, inline, ordered
from exoliver.figures.words import joined, number, p_words

UNIT = "log2"


def study_matrix(table: pd.DataFrame, look: Look, *, fdr: float) -> Figure:
    """Datasets with their treatments and times in rows, programmes in columns.

    Parameters
    ----------
    table
        One row per dataset, treatment, time and programme, in the order to be drawn: dataset, effect, when, title,
        value (log2), padj.
    look
        Of the study; its data are simulated where those of any dataset are.
    fdr
        Effects with an adjusted p-value below this carry a dot.
    """
    rows = [
        f"{effect}, {when}" if when else effect for effect, when in zip(table["effect"], table["when"], strict=True)
    ]
    drawn = table.assign(row=rows, shown=tile_text(table, fdr))
    colour = score_colour(colour_limit(table["value"], UNIT), UNIT)
    panels = []
    for position, dataset in enumerate(ordered(table["dataset"])):
        own = drawn[drawn["dataset"] == dataset]
        top = alt.Axis(orient="top", labelAngle=-30, labelLimit=180) if position == 0 else None
        base = alt.Chart(inline(own)).encode(
            x=alt.X("title:N", sort=ordered(table["title"]), title=None, axis=top),
            y=alt.Y("row:N", sort=ordered(own["row"]), title=None, axis=alt.Axis(labelLimit=240, minExtent=150)),
        )
        tiles = base.mark_rect(stroke=CELL_EDGE).encode(color=colour)
        words = base.mark_text(fontSize=11, color=CELL_INK).encode(text="shown:N")
        panel = alt.layer(tiles, words).properties(width={"step": 78}, height={"step": 24})
        panels.append(panel.properties(title=alt.TitleParams(dataset, fontSize=12)))
    columns = table[["dataset", "effect", "when", "title", "value", "padj"]]
    return finish(
        arranged(panels, "vconcat", spacing=12),
        look,
        name="study_matrix",
        title="Treatment effects on the programmes",
        alt_text=_words(table),
        data=columns.rename(columns={"title": "programme", "value": UNIT}),
    )


def _words(table: pd.DataFrame) -> str:
    """The largest effect of each dataset."""
    parts = []
    for dataset, rows in table.dropna(subset=["value"]).groupby("dataset", sort=False):
        row = rows.loc[rows["value"].abs().idxmax()]
        when = f" at {row['when']}" if row["when"] else ""
        parts.append(f"{dataset}: {row['title']}{when} ({number(row['value'])}, {p_words(row['padj'], 'adjusted p')})")
    return f"log2 effects of treatments on the programmes. Largest: {joined(parts) or 'none'}."
