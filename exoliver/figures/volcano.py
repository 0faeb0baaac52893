"""Effect against evidence, gene by gene, in one contrast."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from exoliver.figures.figure import Figure, finish
from exoliver.figures.labels import place_labels
from exoliver.figures.style import HIGHER, INK, LINE, LOWER, MUTED, POINT, Look, fold_labels, inline, thin_points
from exoliver.figures.words import SMALLEST, capital, count, joined, number, p_words, plural

WIDTH, HEIGHT = 360, 280
CELLS = (72, 56)  # of 5 pixels: points beneath others are not drawn
LABELLED = 12  # genes considered for a label
MOST_DECADES = 300.0  # -log10 of the smallest p-value that is a number
KINDS = ("higher", "lower", "no evidence")


def volcano(table: pd.DataFrame, look: Look, *, contrast: str, title: str, fdr: float) -> Figure:
    """Fold changes against p-values, the genes below the false discovery rate in colour.

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
    hits = genes[genes["kind"] != KINDS[2]]
    limit = float(genes["x"].abs().max()) * 1.05 if len(genes) else 1.0
    top = float(genes["y"].max()) * 1.08 if len(genes) else 1.0
    axis = alt.Axis(labelExpr=fold_labels(), tickCount=7, labelLineHeight=12)
    x = alt.X("x:Q", title="log2 fold change (fold below)", axis=axis, scale=alt.Scale(domain=[-limit, limit]))
    y = alt.Y("y:Q", title="−log10 p-value", scale=alt.Scale(domain=[0, max(top, 1.0)], nice=False))
    colour = alt.Color("kind:N", scale=alt.Scale(domain=list(KINDS), range=[HIGHER, LOWER, POINT]), legend=None)
    drawn = thin_points(genes, "x", y="y", cells=CELLS)[["x", "y", "kind"]].round(3)
    layers = [
        alt.Chart(inline(pd.DataFrame({"x": [0.0]}))).mark_rule(color=LINE).encode(x="x:Q"),
        alt.Chart(inline(drawn))
        .mark_point(filled=True, size=16, opacity=0.75, clip=True)
        .encode(x=x, y=y, color=colour),
    ]
    if len(hits):
        edge = pd.DataFrame({"y": [hits["y"].min()], "text": [f"FDR {fdr:g}"]})
        rule = alt.Chart(inline(edge)).encode(y="y:Q")
        layers.append(rule.mark_rule(color=MUTED, strokeDash=[4, 3]))
        words = rule.mark_text(align="left", dx=5, fontSize=10, color=MUTED, clip=False)
        layers.append(words.encode(text="text:N", x=alt.value(WIDTH)))
        bounds = ((-limit, limit), (0.0, max(top, 1.0)))
        names = place_labels(hits.head(LABELLED), bounds=bounds, size=(WIDTH, HEIGHT))
        for align, part in names.groupby("align"):
            text = alt.Chart(inline(part)).mark_text(
                align=align, dx=5 if align == "left" else -5, fontSize=11, color=INK
            )
            layers.append(text.encode(x="x:Q", y="y:Q", text="name:N"))
    at_top = _top_words(genes)
    return finish(
        alt.layer(*layers).properties(width=WIDTH, height=HEIGHT),
        look,
        name=f"volcano__{contrast}",
        title=title,
        subtitle=at_top,
        alt_text=f"{_words(genes, hits, title, fdr)}{' ' + capital(at_top) + '.' if at_top else ''}",
        data=_data(hits),
    )


def _genes(table: pd.DataFrame, fdr: float) -> pd.DataFrame:
    """The tested genes with their place in the plot, hits and small p-values first."""
    genes = table.dropna(subset=["log2_fold_change", "pvalue"])
    x = genes["log2_fold_change"].astype(float)
    y = -np.log10(genes["pvalue"].astype(float).clip(lower=10.0**-MOST_DECADES))
    is_hit = (genes["padj"] < fdr).fillna(False).astype(bool)
    kind = np.where(is_hit, np.where(x > 0, KINDS[0], KINDS[1]), KINDS[2])
    name = genes["symbol"].fillna(genes["gene_id"])
    found = pd.DataFrame({"name": name, "gene_id": genes["gene_id"], "x": x, "y": y, "kind": kind})
    found = found.assign(pvalue=genes["pvalue"], padj=genes["padj"], hit=is_hit, size=x.abs())
    by = ["hit", "y", "size", "gene_id"]
    return found.sort_values(by, ascending=[False, False, False, True], kind="stable", ignore_index=True)


def _words(genes: pd.DataFrame, hits: pd.DataFrame, title: str, fdr: float) -> str:
    """How many genes are on either side, and the first of them."""
    up, down = int((hits["kind"] == KINDS[0]).sum()), int((hits["kind"] == KINDS[1]).sum())
    text = f"Volcano plot of {title}: of {plural(len(genes), 'gene')}, {count(up)} higher and {count(down)} lower "
    text += f"at a false discovery rate of {fdr:g}"
    first = [
        f"{row.name} (log2 fold change {number(row.x)}, {p_words(row.pvalue)})" for row in hits.head(3).itertuples()
    ]
    return f"{text}; smallest p-values: {joined(first)}." if first else f"{text}."


def _top_words(genes: pd.DataFrame) -> str:
    """How many p-values are too small to be a number, and stand at the top; empty where there are none."""
    lost = int((genes["pvalue"] < SMALLEST).sum())
    return f"{plural(lost, 'gene')} at the top: p < {SMALLEST:g}" if lost else ""


def _data(hits: pd.DataFrame) -> pd.DataFrame:
    """The genes below the false discovery rate, smallest p-values first."""
    table = hits[["name", "gene_id", "x", "pvalue", "padj"]]
    return table.rename(columns={"name": "gene", "x": "log2_fold_change"}).reset_index(drop=True)
