"""Effects on the apoptosis genes one by one, in the order of the pathway."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from exoliver.figures.figure import Figure, arranged, finish
from exoliver.figures.style import LINE, Look, fold_labels, inline, ordered
from exoliver.figures.words import count, intervals, joined, number

WIDTH, GENE_HEIGHT = 290, 22
GENES_PER_COLUMN = 14  # more genes are set in two columns
ROOM = 1.05  # beyond the longest interval
SUBJECT = "log2 fold change (fold below), 95 % interval"


def panel_forest(table: pd.DataFrame, look: Look) -> Figure:
    """log2 fold change with its 95 % interval for every gene and effect.

    Parameters
    ----------
    table
        One row per gene and effect, in pathway order: gene, step, effect, arm, estimate, ci_low, ci_high; at least one
        estimate is there.
    look
        The dataset's.
    """
    drawn = table.dropna(subset=["estimate"])
    effects = table.drop_duplicates("effect")
    colours = {row.effect: look.colours[row.arm] for row in effects.itertuples()}
    columns = []
    for steps in _columns(drawn):
        own = drawn[drawn["step"].isin(steps)]
        panels = [_panel(own[own["step"] == step], drawn, colours, is_last=step == steps[-1]) for step in steps]
        columns.append(arranged(panels, "vconcat", spacing=10))
    return finish(
        arranged(columns, "hconcat", spacing=24),
        look,
        name="apoptosis_panel",
        title="Apoptosis genes in pathway order",
        alt_text=_words(table, list(colours)),
        data=table[["gene", "step", "effect", "estimate", "ci_low", "ci_high"]],
    )


def _columns(drawn: pd.DataFrame) -> list[list[str]]:
    """Steps of the pathway in one column, or in two of about the same length."""
    steps = ordered(drawn["step"])
    genes = [drawn.loc[drawn["step"] == step, "gene"].nunique() for step in steps]
    if sum(genes) <= GENES_PER_COLUMN or len(steps) < 2:
        return [steps]
    split = min(range(1, len(steps)), key=lambda position: abs(sum(genes[:position]) - sum(genes[position:])))
    return [steps[:split], steps[split:]]


def _panel(own: pd.DataFrame, drawn: pd.DataFrame, colours: dict[str, str], *, is_last: bool) -> Any:
    """One step of the pathway; the last of a column has the axis."""
    names = list(colours)
    ends = [drawn["ci_low"].min() * ROOM, drawn["ci_high"].max() * ROOM, 0.0]
    scale = alt.Scale(domain=[min(ends), max(ends)], nice=False)
    shown = alt.Axis(labelExpr=fold_labels(), tickCount=5, title=SUBJECT)
    axis = shown if is_last else alt.Axis(labels=False, ticks=False, title=None, tickCount=5)
    legend = alt.Legend(orient="top", columns=1, symbolType="circle", symbolOpacity=1)
    y_axis = alt.Axis(labelFontStyle="italic", minExtent=66)
    told = own[["gene", "effect", "estimate", "ci_low", "ci_high"]].assign(told=intervals(own))
    base = alt.Chart(inline(told)).encode(
        y=alt.Y("gene:N", sort=ordered(own["gene"]), title=None, axis=y_axis),
        yOffset=alt.YOffset("effect:N", sort=names, scale=alt.Scale(domain=names, paddingOuter=0.25)),
        color=alt.Color(
            "effect:N", title=None, scale=alt.Scale(domain=names, range=list(colours.values())), legend=legend
        ),
    )
    zero = alt.Chart(inline(pd.DataFrame({"estimate": [0.0]}))).mark_rule(color=LINE)
    layers = [
        zero.encode(x=alt.X("estimate:Q", scale=scale, axis=axis)),
        base.mark_rule(strokeWidth=2).encode(x=alt.X("ci_low:Q", scale=scale, axis=axis), x2="ci_high:Q"),
        base.mark_point(filled=True, size=34, opacity=1, aria=True).encode(
            x=alt.X("estimate:Q", scale=scale, axis=axis), description="told:N"
        ),
    ]
    step = alt.Step(max(6, GENE_HEIGHT // len(names)), **{"for": "offset"})
    title = alt.TitleParams(own["step"].iloc[0], fontSize=12, offset=4)
    return alt.layer(*layers).properties(width=WIDTH, height=step, title=title)


def _words(table: pd.DataFrame, effects: list[str]) -> str:
    """How many intervals leave zero out, and the largest effect."""
    parts = []
    for effect in effects:
        rows = table[table["effect"] == effect].dropna(subset=["estimate"])
        if rows.empty:
            continue
        up, down = rows[rows["ci_low"] > 0], rows[rows["ci_high"] < 0]
        row = rows.loc[rows["estimate"].abs().idxmax()]
        parts.append(
            f"{effect}: of {count(len(rows))} genes {count(len(up))} with the whole interval above zero and "
            f"{count(len(down))} below; largest {row['gene']} ({number(row['estimate'])})"
        )
    return f"log2 fold changes of apoptosis genes with 95 % intervals. {joined(parts)}."
