"""Effect against evidence, gene by gene, in one contrast."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from exoliver.figures.figure import Figure, finish
from exoliver.figures.style import HIGHER, INK, LINE, LOWER, MUTED, POINT, Look, fold_labels, inline, thin_points
from exoliver.figures.words import count, joined, number, p_words, plural

WIDTH, HEIGHT = 360, 280
CELLS = (72, 56)  # of 5 pixels: points beneath others are not drawn
LABELLED = 12  # genes considered for a label
LETTER, LINE_HEIGHT = 6.2, 13.0  # pixels of a label at this size
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
        names = place_labels(hits.head(LABELLED), limit, top=max(top, 1.0))
        for align, part in names.groupby("align"):
            text = alt.Chart(inline(part)).mark_text(
                align=align, dx=5 if align == "left" else -5, fontSize=11, color=INK
            )
            layers.append(text.encode(x="x:Q", y="y:Q", text="name:N"))
    return finish(
        alt.layer(*layers).properties(width=WIDTH, height=HEIGHT),
        look,
        name=f"volcano__{contrast}",
        title=title,
        alt_text=_words(genes, hits, title, fdr),
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


def place_labels(genes: pd.DataFrame, limit: float, *, top: float) -> pd.DataFrame:
    """Genes whose names fit without covering each other, outwards of their points; the first ones come first.

    Parameters
    ----------
    genes
        Columns name, x, y.
    limit, top
        The plot spans -limit to limit and 0 to top.
    """
    taken: list[tuple[float, float, float, float]] = []
    kept = []
    for row in genes.itertuples():
        across, down = (row.x + limit) / (2 * limit) * WIDTH, (1 - row.y / top) * HEIGHT
        length = LETTER * len(str(row.name)) + 5
        to_right = (row.x > 0 and across + length < WIDTH) or across - length < 0
        left = across if to_right else across - length
        box = (left, down - LINE_HEIGHT / 2, left + length, down + LINE_HEIGHT / 2)
        if any(box[0] < b[2] and b[0] < box[2] and box[1] < b[3] and b[1] < box[3] for b in taken):
            continue
        taken.append(box)
        kept.append({"name": row.name, "x": row.x, "y": row.y, "align": "left" if to_right else "right"})
    return pd.DataFrame(kept, columns=["name", "x", "y", "align"])


def _words(genes: pd.DataFrame, hits: pd.DataFrame, title: str, fdr: float) -> str:
    """How many genes are on either side, and the first of them."""
    up, down = int((hits["kind"] == KINDS[0]).sum()), int((hits["kind"] == KINDS[1]).sum())
    text = f"Volcano plot of {title}: of {plural(len(genes), 'gene')}, {count(up)} higher and {count(down)} lower "
    text += f"at a false discovery rate of {fdr:g}"
    first = [
        f"{row.name} (log2 fold change {number(row.x)}, {p_words(row.pvalue)})" for row in hits.head(3).itertuples()
    ]
    return f"{text}; smallest p-values: {joined(first)}." if first else f"{text}."


def _data(hits: pd.DataFrame) -> pd.DataFrame:
    """The genes below the false discovery rate, smallest p-values first."""
    table = hits[["name", "gene_id", "x", "pvalue", "padj"]]
    return table.rename(columns={"name": "gene", "x": "log2_fold_change"}).reset_index(drop=True)
