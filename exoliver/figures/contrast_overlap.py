"""Which genes change in several contrasts, and whether they go the same way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from exoliver.figures.figure import Figure, arranged, finish
from exoliver.figures.style import BROWN, HIGHER, INK, LOWER, MUTED, POINT, SEQUENTIAL, Look, inline
from exoliver.figures.words import THIN_SPACE, count, joined, plural
from exoliver.overlap import Pattern

MOST_PATTERNS = 20
STEP, ROW = 30, 24  # pixels of a column and of a row
HIGH, SIZES = 120, 150  # pixels of the columns, and of the bars of whole contrasts
THOUSANDS = f"replace(format(datum.value, ','), ',', '{THIN_SPACE}')"
ONE, SAME, OPPOSED = "one contrast", "the same way", "opposite ways"
DIRECTIONS = {1: "higher", -1: "lower", 0: "no"}


def contrast_overlap(patterns: Sequence[Pattern], look: Look, *, names: Sequence[str], fdr: float) -> Figure:
    """Columns of genes that change in exactly these contrasts in exactly these ways, the largest first.

    Parameters
    ----------
    patterns
        All of `find_patterns`.
    look
        The dataset's.
    names
        The contrasts in words, in the order of the signs.
    fdr
        The study's false discovery rate.
    """
    shown = patterns[:MOST_PATTERNS]
    rows = _marks(shown)
    bars = pd.DataFrame(
        {"place": range(len(shown)), "genes": [one.genes for one in shown], "kind": [_kind(one) for one in shown]}
    ).assign(shown=lambda table: table["genes"].map(count))
    width = STEP * len(shown)
    top = _columns(bars, width)
    below = arranged([_matrix(rows, names, width), _sizes(patterns, names)], "hconcat", spacing=16)
    apart = {"scale": dict.fromkeys(("color", "shape", "size"), "independent")}
    below |= {"resolve": apart}
    return finish(
        arranged([top, below], "vconcat", spacing=6) | {"resolve": apart},
        look,
        name="contrast_overlap",
        title="Genes by the contrasts in which they change",
        alt_text=_words(patterns, names, fdr),
        data=_data(patterns, names),
    )


def _kind(pattern: Pattern) -> str:
    """Whether the genes of a column agree."""
    if pattern.contrasts < 2:
        return ONE
    return OPPOSED if pattern.is_opposed else SAME


def _marks(shown: Sequence[Pattern]) -> pd.DataFrame:
    """One mark for each column and contrast."""
    rows = [
        {"place": place, "row": row, "direction": DIRECTIONS[sign]}
        for place, one in enumerate(shown)
        for row, sign in enumerate(one.signs)
    ]
    return pd.DataFrame(rows, columns=["place", "row", "direction"])


def _columns(bars: pd.DataFrame, width: int) -> Any:
    """Sizes of the patterns with their numbers."""
    scale = alt.Scale(domain=[ONE, SAME, OPPOSED], range=[POINT, SEQUENTIAL[2], BROWN])
    x = alt.X("place:O", axis=None)
    y = alt.Y("genes:Q", title="Genes", axis=alt.Axis(tickCount=4, labelExpr=THOUSANDS))
    legend = alt.Legend(orient="top", title="Changed in", symbolType="square")
    base = alt.Chart(inline(bars)).encode(x=x, y=y)
    columns = base.mark_bar().encode(color=alt.Color("kind:N", scale=scale, legend=legend))
    words = base.mark_text(dy=-6, fontSize=10, color=INK).encode(text="shown:N")
    return (columns + words).properties(width=width, height=HIGH)


def _matrix(rows: pd.DataFrame, names: Sequence[str], width: int) -> Any:
    """Triangles up and down where the genes of a column change, dots where they do not, joined by a line."""
    directions = list(DIRECTIONS.values())
    shape = alt.Scale(domain=directions, range=["triangle-up", "triangle-down", "circle"])
    colour = alt.Scale(domain=directions, range=[HIGHER, LOWER, POINT])
    size = alt.Scale(type="ordinal", domain=directions, range=[110, 110, 16])
    labelled = rows.assign(name=[names[row] for row in rows["row"]])
    # Named in full, as layers that sort alike are put together in the order of the alphabet.
    order = alt.Scale(domain=list(names))
    x, y = alt.X("place:O", axis=None), alt.Y("name:N", scale=order, title=None, axis=alt.Axis(labelLimit=230))
    ends = labelled[labelled["direction"] != "no"].groupby("place")["row"].agg(["min", "max"]).reset_index()
    ends = ends.assign(name=[names[row] for row in ends["min"]], last=[names[row] for row in ends["max"]])
    lines = alt.Chart(inline(ends[["place", "name", "last"]])).mark_rule(color=MUTED).encode(x=x, y=y, y2="last:N")
    marks = alt.Chart(inline(labelled[["place", "name", "direction"]])).mark_point(filled=True, opacity=1)
    encoded = marks.encode(
        x=x,
        y=y,
        shape=alt.Shape("direction:N", scale=shape, legend=None),
        color=alt.Color("direction:N", scale=colour, legend=None),
        size=alt.Size("direction:N", scale=size, legend=None),
    )
    return (lines + encoded).properties(width=width, height=ROW * len(names))


def _sizes(patterns: Sequence[Pattern], names: Sequence[str]) -> Any:
    """All genes of each contrast, higher and lower."""
    totals = _totals(patterns, names)
    longest = float((totals["higher"] + totals["lower"]).max()) * 1.7  # room for the numbers
    parts = totals.melt(id_vars="name", value_vars=["higher", "lower"], var_name="direction", value_name="genes")
    scale = alt.Scale(domain=["higher", "lower"], range=[HIGHER, LOWER])
    y = alt.Y("name:N", scale=alt.Scale(domain=list(names)), axis=None)
    x = alt.X("genes:Q", title="All genes of a contrast", scale=alt.Scale(domain=[0, longest]), axis=None)
    bars = (
        alt.Chart(inline(parts))
        .mark_bar(height=10)
        .encode(
            x=x,
            y=y,
            color=alt.Color("direction:N", scale=scale, legend=None),
            order=alt.Order("direction:N"),
        )
    )
    told = totals.assign(
        all=totals["higher"] + totals["lower"],
        shown=[f"▲ {count(row.higher)}  ▼ {count(row.lower)}" for row in totals.itertuples()],
    )
    words = alt.Chart(inline(told)).mark_text(align="left", dx=5, fontSize=10, color=INK)
    labels = words.encode(x=alt.X("all:Q", scale=alt.Scale(domain=[0, longest]), axis=None), y=y, text="shown:N")
    return (bars + labels).properties(width=SIZES, height=ROW * len(names))


def _totals(patterns: Sequence[Pattern], names: Sequence[str]) -> pd.DataFrame:
    """Genes that are higher and lower in each contrast."""
    rows = [
        {"name": name}
        | {DIRECTIONS[sign]: sum(one.genes for one in patterns if one.signs[row] == sign) for sign in (1, -1)}
        for row, name in enumerate(names)
    ]
    return pd.DataFrame(rows, columns=["name", "higher", "lower"])


def pattern_words(pattern: Pattern, names: Sequence[str]) -> str:
    """Where the genes of a pattern are higher and lower: `higher in A and B, lower in C`."""
    sides = [
        (DIRECTIONS[sign], [name for name, own in zip(names, pattern.signs, strict=True) if own == sign])
        for sign in (1, -1)
    ]
    return ", ".join(f"{word} in {joined(own)}" for word, own in sides if own)


def _data(patterns: Sequence[Pattern], names: Sequence[str]) -> pd.DataFrame:
    """Every pattern with its number of genes."""
    rows = [
        {"changed": pattern_words(one, names), "contrasts": one.contrasts, "agreement": _kind(one), "genes": one.genes}
        for one in patterns
    ]
    return pd.DataFrame(rows, columns=["changed", "contrasts", "agreement", "genes"])


def _words(patterns: Sequence[Pattern], names: Sequence[str], fdr: float) -> str:
    """All genes, those of several contrasts, and the largest of the columns."""
    several = [one for one in patterns if one.contrasts > 1]
    total, shared = sum(one.genes for one in patterns), sum(one.genes for one in several)
    opposed = sum(one.genes for one in several if one.is_opposed)
    first = [f"{pattern_words(one, names)}: {plural(one.genes, 'gene')}" for one in patterns[:3]]
    return (
        f"Overlap of {len(names)} contrasts at a false discovery rate of {fdr:g}: {plural(total, 'gene')} in all, "
        f"{count(shared)} in more than one contrast, {count(opposed)} of these in opposite ways. Largest groups: "
        f"{'; '.join(first)}."
    )
