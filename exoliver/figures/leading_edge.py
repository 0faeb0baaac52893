"""Genes that make the scores of several gene sets, and their effects."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from exoliver.figures.figure import Figure, arranged, finish
from exoliver.figures.gene_set_heatmap import LETTER, MIN_LETTERS, SURE, colour_limit, score_colour
from exoliver.figures.style import CELL_EDGE, CELL_INK, INK, LINE, Look, inline, ordered
from exoliver.figures.words import count, joined, number, plural

STEP, NARROW, ROW = 50, 20, 18  # pixels of a column of effects, of one of sets, and of a row
NAMED = 3


def leading_edge(
    members: pd.DataFrame,
    look: Look,
    *,
    sets: Sequence[str],
    effects: pd.DataFrame,
    name: str,
    title: str,
    fdr: float,
) -> Figure:
    """Genes in rows: their effects, and on the right the sets whose leading edge holds them.

    Parameters
    ----------
    members
        One row per gene and set of which it is in the leading edge: gene (in the order to be drawn), title of the set.
    look
        The dataset's.
    sets
        Titles of the sets, in the order to be drawn.
    effects
        One row per gene and contrast: gene, effect, when, value (log2 fold change), padj.
    name, title
        Of the figure.
    fdr
        Effects with an adjusted p-value below this carry a dot.
    """
    genes = ordered(members["gene"])
    drawn = effects.assign(shown=[_tile(row.value, row.padj, fdr) for row in effects.itertuples()])
    colour = score_colour(colour_limit(effects["value"], "log2"), "log2")
    names = ordered(drawn["effect"])
    panels = [_panel(drawn[drawn["effect"] == effect], genes, colour, is_first=effect == names[0]) for effect in names]
    return finish(
        arranged([*panels, _membership(members, genes, sets)], "hconcat", spacing=12),
        look,
        name=name,
        title=title,
        alt_text=_words(members, effects, title, fdr),
        data=_data(members, effects, genes),
    )


def _rows(genes: list[str], *, names: bool) -> alt.Y:
    """The genes in order, named once."""
    axis = alt.Axis(labelLimit=120, labelFontSize=10) if names else None
    return alt.Y("gene:N", sort=genes, scale=alt.Scale(domain=genes), title=None, axis=axis)


def _membership(members: pd.DataFrame, genes: list[str], sets: Sequence[str]) -> Any:
    """A square where a gene is in the leading edge of a set."""
    axis = alt.Axis(orient="top", labelAngle=-45, labelLimit=190, labelFontSize=10, grid=True, gridColor=LINE)
    x = alt.X("title:N", scale=alt.Scale(domain=list(sets)), title=None, axis=axis)
    marks = alt.Chart(inline(members[["gene", "title"]])).mark_point(filled=True, shape="square", size=70, color=INK)
    return marks.encode(x=x, y=_rows(genes, names=False)).properties(width=NARROW * len(sets), height=ROW * len(genes))


def _tile(value: float, padj: float, fdr: float) -> str:
    """An effect to two decimals, with a dot where it is below the false discovery rate."""
    return "" if pd.isna(value) else number(value, most=2) + (f" {SURE}" if padj < fdr else "")


def _panel(own: pd.DataFrame, genes: list[str], colour: alt.Color, *, is_first: bool) -> Any:
    """The effects of one pair of arms, its times in columns."""
    effect, times = own["effect"].iloc[0], ordered(own["when"])
    width = STEP * len(times)
    arm, _, base = effect.partition(" vs ")
    letters = max(MIN_LETTERS, int(width / LETTER))
    lines = [*textwrap.wrap(arm, letters), *(textwrap.wrap(f"vs {base}", letters) if base else [])]
    axis = alt.Axis(orient="top", labelAngle=0) if any(times) else None
    base_chart = alt.Chart(inline(own[["gene", "when", "value", "shown"]])).encode(
        x=alt.X("when:N", sort=times, title=None, axis=axis), y=_rows(genes, names=is_first)
    )
    tiles = base_chart.mark_rect(stroke=CELL_EDGE).encode(color=colour)
    words = base_chart.mark_text(fontSize=9, color=CELL_INK).encode(text="shown:N")
    title = alt.TitleParams(lines, fontSize=11, fontWeight="normal")
    return (tiles + words).properties(width=width, height=ROW * len(genes), title=title)


def _data(members: pd.DataFrame, effects: pd.DataFrame, genes: list[str]) -> pd.DataFrame:
    """One row per gene: the sets, and the effect in each contrast."""
    sets = members.groupby("gene", sort=False)["title"].agg("; ".join)
    named = effects.assign(column=[f"{row.effect} {row.when}".strip() for row in effects.itertuples()])
    table = pd.DataFrame({"gene": genes, "in_leading_edge_of": [sets[gene] for gene in genes]})
    for column, rows in named.groupby("column", sort=False):
        table[str(column)] = table["gene"].map(rows.set_index("gene")["value"])
    return table


def _words(members: pd.DataFrame, effects: pd.DataFrame, title: str, fdr: float) -> str:
    """How many genes are shared, the first of them, and how many effects are below the false discovery rate."""
    sizes = members.groupby("gene", sort=False).size()
    shared = sizes[sizes > 1]
    first = [f"{gene} ({plural(int(size), 'set')})" for gene, size in sizes.head(NAMED).items()]
    sure, known = int((effects["padj"] < fdr).sum()), effects["value"].dropna()
    text = f"{title}. Of {plural(len(sizes), 'gene')} shown, {count(len(shared))} in the leading edge of more than one "
    text += f"set; first {joined(first)}"
    if known.empty:
        return f"{text}."
    return (
        f"{text}. Effects from {number(known.min())} to {number(known.max())} log2; {count(sure)} of "
        f"{count(len(known))} below {fdr:g}."
    )
