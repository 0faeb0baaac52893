"""Gene sets on the scale of their scores: where each stands in every effect, and how large it is."""

from __future__ import annotations

import textwrap
from typing import Any

import altair as alt
import pandas as pd

from exoliver.figures.figure import Figure, arranged, finish
from exoliver.figures.gene_set_heatmap import LEAST_LIMITS, LETTER
from exoliver.figures.style import LINE, MUTED, SHAPES, TILES, Look, inline, ordered
from exoliver.figures.words import number, plural

WIDTH, ROW = 190, 20  # pixels of a panel and of a row
LARGEST, SMALLEST = 190, 30  # pixels of area of the largest and the smallest set
SURE, UNSURE = "below", "not below"


def gene_set_dots(table: pd.DataFrame, look: Look, *, name: str, title: str, fdr: float) -> Figure:
    """Sets in rows, a panel for each effect, a mark for each time; ringed where the adjusted p-value is small.

    Area is the number of genes, not the p-value: these tests overstate the evidence, so that large marks would too.

    Parameters
    ----------
    table
        One row per set and contrast, in the order to be drawn: title, effect, when, value (NES), padj, size.
    look
        The dataset's.
    name, title
        Of the figure.
    fdr
        Marks with an adjusted p-value below this have a ring.
    """
    drawn = table.dropna(subset=["value"]).assign(
        ring=lambda rows: (rows["padj"] < fdr).map({True: SURE, False: UNSURE})
    )
    limit = max(LEAST_LIMITS["NES"], float(drawn["value"].abs().max())) * 1.08
    panels = [_panel(drawn[drawn["effect"] == effect], drawn, limit, fdr) for effect in ordered(drawn["effect"])]
    columns = table[["title", "effect", "when", "size", "value", "padj"]]
    return finish(
        arranged(panels, "hconcat", spacing=14),
        look,
        name=name,
        title=title,
        alt_text=_words(drawn, title, fdr),
        data=columns.rename(columns={"title": "gene_set", "value": "nes"}),
    )


def _panel(own: pd.DataFrame, drawn: pd.DataFrame, limit: float, fdr: float) -> Any:
    """The marks of one effect; the first panel names the sets."""
    effect, names = own["effect"].iloc[0], ordered(drawn["title"])
    is_first = effect == drawn["effect"].iloc[0]
    arm, _, base = effect.partition(" vs ")
    letters = int(WIDTH / LETTER)
    lines = [*textwrap.wrap(arm, letters), *(textwrap.wrap(f"vs {base}", letters) if base else [])]
    x = alt.X(
        "value:Q",
        title="NES (normalised score)",
        scale=alt.Scale(domain=[-limit, limit], nice=False),
        axis=alt.Axis(tickCount=5, format="~g"),
    )
    axis = alt.Axis(labelLimit=230, grid=True, domain=False) if is_first else alt.Axis(labels=False, grid=True)
    y = alt.Y("title:N", sort=names, scale=alt.Scale(domain=names), title=None, axis=axis)
    marks = alt.Chart(inline(own[["title", "value", "size", "when", "ring"]]))
    points = marks.mark_point(filled=True, opacity=0.9, strokeWidth=2).encode(
        x=x, y=y, **_encodings(drawn, limit, fdr, is_first=is_first)
    )
    zero = alt.Chart(inline(pd.DataFrame({"value": [0.0]}))).mark_rule(color=LINE).encode(x="value:Q")
    title = alt.TitleParams(lines, fontSize=11, fontWeight="normal")
    return (zero + points).properties(width=WIDTH, height=ROW * len(names), title=title)


def _encodings(drawn: pd.DataFrame, limit: float, fdr: float, *, is_first: bool) -> dict[str, Any]:
    """Colour, area, shape and ring, the same in every panel; one legend of each."""
    times = ordered(drawn["when"])
    shapes = [SHAPES[place % len(SHAPES)] for place in range(len(times))]
    colours = alt.Scale(type="quantize", domain=[-limit, limit], range=list(TILES), nice=False)
    areas = alt.Scale(domain=[float(drawn["size"].min()), float(drawn["size"].max())], range=[SMALLEST, LARGEST])
    rings = alt.Scale(domain=[SURE, UNSURE], range=[MUTED, LINE])
    shared: dict[str, Any] = {"orient": "bottom", "symbolFillColor": MUTED, "symbolStrokeColor": MUTED}
    timed = alt.Legend(title="Time", **shared) if is_first and len(times) > 1 else None
    sized = alt.Legend(title="Genes in the set", values=_examples(drawn["size"]), **shared) if is_first else None
    ringed: dict[str, Any] = {"orient": "bottom", "symbolFillColor": "transparent"}
    return {
        "color": alt.Color("value:Q", scale=colours, legend=None),
        "size": alt.Size("size:Q", scale=areas, legend=sized),
        "shape": alt.Shape("when:N", scale=alt.Scale(domain=times, range=shapes), legend=timed),
        "stroke": alt.Stroke(
            "ring:N", scale=rings, legend=alt.Legend(title=f"Adjusted p, {fdr:g}", **ringed) if is_first else None
        ),
    }


def _examples(sizes: pd.Series) -> list[int]:
    """The smallest, the median and the largest number of genes, each once."""
    return sorted({int(sizes.min()), int(sizes.median()), int(sizes.max())})


def _words(drawn: pd.DataFrame, title: str, fdr: float) -> str:
    """How many sets stand out in each effect, and the farthest."""
    parts = []
    for effect, rows in drawn.groupby("effect", sort=False):
        sure = rows.loc[rows["padj"] < fdr, "title"].nunique()
        row = rows.loc[rows["value"].abs().idxmax()]
        when = f" at {row['when']}" if row["when"] else ""
        parts.append(
            f"{effect}: {plural(sure, 'set')} below {fdr:g} at some time, farthest from zero {row['title']}{when} "
            f"(NES {number(row['value'])}, {plural(int(row['size']), 'gene')})"
        )
    return f"{title}, {plural(drawn['title'].nunique(), 'set')}. {'; '.join(parts)}."
