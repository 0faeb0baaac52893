"""Effects on the apoptosis genes one by one, in the order of the pathway."""

from __future__ import annotations

import altair as alt
import pandas as pd

from exoliver.figures.figure import Figure, finish
from exoliver.figures.style import LINE, Look, fold_labels, inline, ordered
from exoliver.figures.words import count, joined, number


def panel_forest(table: pd.DataFrame, look: Look) -> Figure:
    """log2 fold change with its 95 % interval for every gene and effect.

    Parameters
    ----------
    table
        One row per gene and effect, in pathway order: gene, step, effect, arm, estimate, ci_low, ci_high.
    look
        The dataset's.
    """
    drawn = table.dropna(subset=["estimate"])
    effects = table.drop_duplicates("effect")
    names = list(effects["effect"])
    colour = alt.Color(
        "effect:N",
        title=None,
        scale=alt.Scale(domain=names, range=[look.colours[arm] for arm in effects["arm"]]),
        legend=alt.Legend(orient="top", columns=1, symbolType="circle", symbolOpacity=1),
    )
    offset = alt.YOffset("effect:N", sort=names, scale=alt.Scale(domain=names, paddingOuter=0.25))
    panels = []
    steps = ordered(drawn["step"])
    ends = [drawn["ci_low"].min(), drawn["ci_high"].max(), 0.0]
    for position, step in enumerate(steps):
        own = drawn[drawn["step"] == step]
        is_last = position == len(steps) - 1
        axis = alt.Axis(labelExpr=fold_labels(), tickCount=6, title="log2 fold change (fold below), 95 % interval")
        x = {
            "scale": alt.Scale(domain=[min(ends), max(ends)]),
            "axis": axis if is_last else alt.Axis(labels=False, title=None, tickCount=6),
        }
        y = alt.Y(
            "gene:N",
            sort=ordered(own["gene"]),
            title=None,
            axis=alt.Axis(labelFontSize=11, labelFontStyle="italic", minExtent=70),
        )
        base = alt.Chart(inline(own[["gene", "effect", "estimate", "ci_low", "ci_high"]])).encode(
            y=y, yOffset=offset, color=colour
        )
        zero = (
            alt.Chart(inline(pd.DataFrame({"estimate": [0.0]})))
            .mark_rule(color=LINE)
            .encode(x=alt.X("estimate:Q", **x))
        )
        bars = base.mark_rule(strokeWidth=2).encode(x=alt.X("ci_low:Q", **x), x2="ci_high:Q")
        dots = base.mark_point(filled=True, size=34, opacity=1).encode(x=alt.X("estimate:Q", **x))
        title = alt.TitleParams(step, fontSize=12, offset=4)
        panels.append(
            (zero + bars + dots).properties(
                width=330, height={"step": max(6, 22 // max(len(names), 1)), "for": "offset"}, title=title
            )
        )
    return finish(
        alt.vconcat(*panels, spacing=10) if panels else alt.Chart(inline(pd.DataFrame({"x": []}))).mark_point(),
        look,
        name="apoptosis_panel",
        title="Apoptosis genes in pathway order",
        alt_text=_words(table, names),
        data=table[["gene", "step", "effect", "estimate", "ci_low", "ci_high"]],
    )


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
    return f"log2 fold changes of apoptosis genes with 95 % intervals. {joined(parts) or 'None was measured'}."
