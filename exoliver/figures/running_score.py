"""Running sums of gene sets over one ranking: where their genes lie, and where the score is reached."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from exoliver.figures.contrast_overlap import THOUSANDS
from exoliver.figures.figure import Figure, arranged, finish
from exoliver.figures.style import HIGHER, INK, LINE, LOWER, MUTED, Look, inline
from exoliver.figures.words import count, number, p_words
from exoliver.running_sum import turning_points

WIDTH, HIGH, STRIP = 210, 104, 16  # pixels of a panel, of its curve and of the places of the genes
COLUMNS = 2
ROOM = 1.4  # of the largest score, for its number
GRAIN = 3  # pixels of the curve that are drawn as one
LETTERS = 34  # of a line above a panel
MOST_LINES = 2


@dataclass(frozen=True)
class RunningScore:
    """One gene set along one ranking.

    Parameters
    ----------
    title
        Of the set.
    total
        Running sum after each gene, shape (g,), of `sum_along`.
    places
        Places of the members in the ranking, from 0.
    nes, padj
        Of the test, for the words beside the curve.
    edge
        How many genes are in the leading edge.
    """

    title: str
    total: np.ndarray
    places: np.ndarray
    nes: float
    padj: float
    edge: int

    @property
    def peak(self) -> int:
        """Place at which the sum is farthest from zero."""
        return int(np.abs(self.total).argmax())

    @property
    def score(self) -> float:
        """The enrichment score."""
        return float(self.total[self.peak])


def running_score(curves: Sequence[RunningScore], look: Look, *, name: str, title: str, crossing: int) -> Figure:
    """One panel per set: the curve, the places of its genes below it, and the place of the largest deviation.

    Parameters
    ----------
    curves
        Along one ranking.
    look
        The dataset's.
    name, title
        Of the figure.
    crossing
        Genes with a statistic above zero.
    """
    limit = max(abs(one.score) for one in curves) * ROOM
    panels = [_panel(one, limit, crossing) for one in curves]
    return finish(
        arranged(panels, "concat", spacing=18, columns=COLUMNS),
        look,
        name=name,
        title=title,
        alt_text=_words(curves, title),
        data=_data(curves),
    )


def _panel(one: RunningScore, limit: float, crossing: int) -> Any:
    """The curve of one set above the places of its genes."""
    genes = len(one.total)
    colour = HIGHER if one.score > 0 else LOWER
    across = alt.Scale(domain=[0, genes], nice=False)
    x = alt.X("place:Q", scale=across, axis=None)
    y = alt.Y(
        "sum:Q", title="Running sum", scale=alt.Scale(domain=[-limit, limit], nice=False), axis=alt.Axis(tickCount=3)
    )
    line = alt.Chart(inline(_drawn(one))).mark_line(color=colour, strokeWidth=2, strokeJoin="round").encode(x=x, y=y)
    zero = alt.Chart(inline(pd.DataFrame({"sum": [0.0]}))).mark_rule(color=LINE).encode(y="sum:Q")
    middle = alt.Chart(inline(pd.DataFrame({"place": [crossing]}))).mark_rule(color=MUTED, strokeDash=[3, 3])
    peak = pd.DataFrame({"place": [one.peak], "sum": [one.score], "text": [f"{number(one.score)}"]})
    marked = alt.Chart(inline(peak)).encode(x=x, y=y)
    is_left, is_high = one.peak < genes / 2, one.score > 0
    words = marked.mark_text(
        align="left" if is_left else "right", dx=4 if is_left else -4, dy=-10 if is_high else 10, fontSize=11, color=INK
    )
    upper = alt.layer(
        zero, middle.encode(x=x), line, marked.mark_point(filled=True, size=36, color=INK), words.encode(text="text:N")
    ).properties(width=WIDTH, height=HIGH)
    lower = _strip(one, across).properties(width=WIDTH, height=STRIP)
    heading = alt.TitleParams(_lines(one.title), fontSize=11, fontWeight="normal", color=INK).to_dict()
    return arranged([upper, lower], "vconcat", spacing=2) | {"title": heading}


def _lines(title: str) -> list[str]:
    """A title in two lines at most."""
    lines = textwrap.wrap(title, LETTERS) or [""]
    return lines if len(lines) <= MOST_LINES else [*lines[: MOST_LINES - 1], f"{lines[MOST_LINES - 1][: LETTERS - 1]}…"]


def _drawn(one: RunningScore) -> pd.DataFrame:
    """The first, the lowest and the highest point of the curve in every `GRAIN` of pixels."""
    places = np.unique(np.append(turning_points(one.total, one.places), one.peak))
    points = pd.DataFrame({"place": places, "sum": one.total[places].round(4)})
    pixel = (points["place"] * WIDTH) // (GRAIN * len(one.total))
    kept = [index for _, own in points.groupby(pixel)["sum"] for index in {own.index[0], own.idxmin(), own.idxmax()}]
    return points.loc[sorted(kept)]


def _strip(one: RunningScore, across: alt.Scale) -> alt.Chart:
    """A line for every pixel that has a gene, all in one path."""
    pixels = np.unique((one.places * WIDTH) // len(one.total)) * len(one.total) / WIDTH
    ends = pd.DataFrame({"place": np.repeat(pixels, 3), "end": np.tile([0.0, 1.0, np.nan], len(pixels))})
    ends = ends.assign(row=range(len(ends)), place=ends["place"].round(1))
    x = alt.X(
        "place:Q",
        title="Place in the ranking",
        scale=across,
        axis=alt.Axis(tickCount=3, labelExpr=THOUSANDS, grid=False),
    )
    y = alt.Y("end:Q", axis=None, scale=alt.Scale(domain=[0, 1]))
    return alt.Chart(inline(ends)).mark_line(color=MUTED, strokeWidth=1).encode(x=x, y=y, order="row:Q")


def _data(curves: Sequence[RunningScore]) -> pd.DataFrame:
    """What each panel shows, in numbers."""
    rows = [
        {
            "gene_set": one.title,
            "genes": len(one.places),
            "score": one.score,
            "reached_at_place": one.peak + 1,
            "leading_edge": one.edge,
            "nes": one.nes,
            "padj": one.padj,
        }
        for one in curves
    ]
    return pd.DataFrame(rows)


def _words(curves: Sequence[RunningScore], title: str) -> str:
    """Where each set reaches its score."""
    parts = [
        f"{one.title}: {number(one.score)} at place {count(one.peak + 1)} of {count(len(one.total))}, "
        f"{count(len(one.places))} genes, NES {number(one.nes)}, {p_words(one.padj, 'adjusted p')}"
        for one in curves
    ]
    return f"{title}. {'; '.join(parts)}."
