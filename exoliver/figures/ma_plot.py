"""Effect against expression, gene by gene, in one contrast."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from exoliver.figures.figure import Figure, finish
from exoliver.figures.style import HIGHER, INK, LINE, LOWER, POINT, Look, fold_labels, inline, thin_points
from exoliver.figures.words import count, number, plural

WIDTH, HEIGHT = 360, 280
CELLS = (90, 70)  # of 4 pixels, a point's width: points beneath others are not drawn
WINDOW, LEAST_WINDOW = 0.02, 25  # of the running median: share of the genes, and how many there are at least
STEPS = 4  # places of the running median within a window
COLOURS = {"higher": HIGHER, "lower": LOWER, "no evidence": POINT}
KINDS = tuple(COLOURS)
FEW = 10.0  # mean count below which fold changes are hardly known


def ma_plot(table: pd.DataFrame, look: Look, *, contrast: str, title: str, fdr: float) -> Figure:
    """Mean counts against fold changes, the genes below the false discovery rate in colour and above the others.

    A line is the running median of the fold changes, over genes in the order of their means.

    Parameters
    ----------
    table
        A contrast's gene table.
    look
        The dataset's.
    contrast, title
        Id of the contrast, and its name in words.
    fdr
        The study's false discovery rate.
    """
    genes = _genes(table, fdr)
    limit = float(genes["y"].abs().max()) * 1.05 if len(genes) else 1.0
    thinned = thin_points(genes, "x", y="y", cells=CELLS)
    drawn = thinned.assign(mean=(10 ** thinned["x"]).map(lambda value: float(f"{value:.3g}")), y=thinned["y"].round(3))
    axis = alt.Axis(labelExpr=fold_labels(), tickCount=7, labelLineHeight=12)
    x = alt.X(
        "mean:Q",
        title="Mean normalised count (log scale)",
        scale=alt.Scale(type="log", nice=False),
        axis=alt.Axis(format="~s", tickCount=5),
    )
    y = alt.Y(
        "y:Q", title="log2 fold change (fold below)", axis=axis, scale=alt.Scale(domain=[-limit, limit], nice=False)
    )
    zero = alt.Chart(inline(pd.DataFrame({"y": [0.0]}))).mark_rule(color=LINE).encode(y="y:Q")
    # A layer for each colour, that of the crowd first: what a group says once, its points need not.
    layers = [
        alt.Chart(inline(drawn.loc[drawn["kind"] == kind, ["mean", "y"]]))
        .mark_point(filled=True, size=14, opacity=1, clip=True, color=colour)
        .encode(x=x, y=y)
        for kind, colour in reversed(COLOURS.items())
    ]
    middle = alt.Chart(inline(running_median(genes))).mark_line(color=INK, strokeWidth=1.5, clip=True).encode(x=x, y=y)
    return finish(
        alt.layer(zero, *layers, middle).properties(width=WIDTH, height=HEIGHT),
        look,
        name=f"ma__{contrast}",
        title=title,
        alt_text=f"{_words(genes, title, fdr)} {_drawn_words(len(genes), len(drawn))}",
        data=_data(genes),
    )


def _genes(table: pd.DataFrame, fdr: float) -> pd.DataFrame:
    """The tested genes with their place in the plot: those with evidence first, then the larger effects."""
    genes = table.dropna(subset=["log2_fold_change", "pvalue"])
    genes = genes[genes["base_mean"] > 0]
    effect = genes["log2_fold_change"].astype(float)
    is_hit = (genes["padj"] < fdr).fillna(False).astype(bool)
    kind = np.where(is_hit, np.where(effect > 0, KINDS[0], KINDS[1]), KINDS[2])
    found = pd.DataFrame({"gene_id": genes["gene_id"], "x": np.log10(genes["base_mean"].astype(float)), "y": effect})
    found = found.assign(kind=kind, hit=is_hit, size=effect.abs())
    by = ["hit", "size", "gene_id"]
    return found.sort_values(by, ascending=[False, False, True], kind="stable", ignore_index=True)


def running_median(genes: pd.DataFrame) -> pd.DataFrame:
    """Medians over windows of genes next to each other in the order of their means.

    Parameters
    ----------
    genes
        One row per gene: gene_id, x (log10 of the mean count), y (log2 fold change).

    Returns
    -------
    `mean` (mean count at the median of the window) and `y`, a few places for each window; no row where the genes do
    not fill one.
    """
    width = max(LEAST_WINDOW, int(WINDOW * len(genes)))
    ranked = genes.sort_values(["x", "gene_id"], kind="stable")[["x", "y"]]
    medians = ranked.rolling(width).median().iloc[width - 1 :: max(1, width // STEPS)]
    return pd.DataFrame(
        {"mean": (10 ** medians["x"]).map(lambda mean: float(f"{mean:.3g}")), "y": medians["y"].round(3)}
    )


def _drawn_words(genes: int, drawn: int) -> str:
    """How many points stand for the genes."""
    if genes == drawn:
        return "Every gene is drawn; the line is the running median."
    return f"{count(drawn)} points are drawn, each for the genes beneath it; the line is their running median."


def _data(genes: pd.DataFrame) -> pd.DataFrame:
    """Genes and hits by ten-fold range of the mean count, and the median size of their effects."""
    decade = np.floor(genes["x"]).astype(int)
    parts = [
        {
            "mean_count_from": 10.0**place,
            "mean_count_to": 10.0 ** (place + 1),
            "genes": len(own),
            "higher": int((own["kind"] == KINDS[0]).sum()),
            "lower": int((own["kind"] == KINDS[1]).sum()),
            "median_absolute_log2": float(own["size"].median()),
        }
        for place, own in genes.groupby(decade)
    ]
    columns = ["mean_count_from", "mean_count_to", "genes", "higher", "lower", "median_absolute_log2"]
    return pd.DataFrame(parts, columns=columns)


def _words(genes: pd.DataFrame, title: str, fdr: float) -> str:
    """How many genes are on either side, and where they lie."""
    hits = genes[genes["hit"]]
    up, down = int((hits["kind"] == KINDS[0]).sum()), int((hits["kind"] == KINDS[1]).sum())
    text = f"MA plot of {title}: of {plural(len(genes), 'gene')}, {count(up)} higher and {count(down)} lower at a "
    text += f"false discovery rate of {fdr:g}"
    if hits.empty:
        return f"{text}."
    few = int((10 ** hits["x"] < FEW).sum())
    return (
        f"{text}; their median mean count is {number(10 ** hits['x'].median())} (of all genes "
        f"{number(10 ** genes['x'].median())}), and {count(few)} of them have a mean count below {FEW:g}."
    )
