"""Dispersion against mean count: gene by gene, the trend, and what was used."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from exoliver.figures.figure import Figure, finish
from exoliver.figures.style import BLUE, POINT, VERMILLION, Look, inline, thin_points
from exoliver.figures.words import count, number

GENE_WISE, FINAL, TREND = "each gene by itself", "used (shrunken towards the trend)", "trend"
CELLS = (64, 42)
TREND_POINTS = 60
FLOOR = 1e-4  # smaller ones are drawn at the lower edge


def dispersions(genes: pd.DataFrame, look: Look) -> Figure:
    """Gene-wise, trend and final dispersions of the fitted genes.

    Parameters
    ----------
    genes
        One row per gene: base_mean, dispersion_gene, dispersion_trend, dispersion.
    look
        The dataset's.
    """
    fitted = genes.dropna().query("base_mean > 0")
    points = pd.concat([_points(fitted, "dispersion_gene", GENE_WISE), _points(fitted, "dispersion", FINAL)])
    x = alt.X("base_mean:Q", scale=alt.Scale(type="log"), title="Mean normalised count (log scale)")
    x = x.axis(format="~s", tickCount=6)
    y = alt.Y("value:Q", scale=alt.Scale(type="log"), title="Dispersion (log scale)").axis(format="~g", tickCount=6)
    kinds = alt.Color(
        "kind:N", scale=alt.Scale(domain=[GENE_WISE, FINAL, TREND], range=[POINT, BLUE, VERMILLION]), title=None
    ).legend(orient="bottom", symbolOpacity=1, symbolType="circle")
    dots = alt.Chart(inline(points)).mark_point(filled=True, size=7, opacity=0.45).encode(x=x, y=y, color=kinds)
    curve = alt.Chart(inline(_trend(fitted))).mark_line(strokeWidth=2.5).encode(x=x, y=y, color=kinds)
    chart = (dots + curve).properties(width=400, height=290)
    medians = fitted[["dispersion_gene", "dispersion_trend", "dispersion"]].median()
    return finish(
        chart,
        look,
        name="dispersions",
        title="Spread between samples of one group (dispersion)",
        alt_text=(
            f"Dispersion against mean count of {count(len(fitted))} genes, points thinned. Medians: gene by gene "
            f"{number(medians['dispersion_gene'])}, trend {number(medians['dispersion_trend'])}, used "
            f"{number(medians['dispersion'])}."
        ),
        data=_by_mean(fitted),
    )


def _points(fitted: pd.DataFrame, column: str, kind: str) -> pd.DataFrame:
    """The points of one kind, thinned on the logarithmic plane."""
    table = pd.DataFrame({"base_mean": fitted["base_mean"], "value": fitted[column].clip(lower=FLOOR), "kind": kind})
    plane = table.assign(u=np.log10(table["base_mean"]), v=np.log10(table["value"]))
    return thin_points(plane, "u", y="v", cells=CELLS)[["base_mean", "value", "kind"]].round(9)


def _trend(fitted: pd.DataFrame) -> pd.DataFrame:
    """The trend at means that are spread evenly over the genes' ranks."""
    table = fitted.sort_values("base_mean", kind="stable")
    if len(table):
        table = table.iloc[np.unique(np.linspace(0, len(table) - 1, TREND_POINTS).round().astype(int))]
    return pd.DataFrame({"base_mean": table["base_mean"], "value": table["dispersion_trend"], "kind": TREND})


def _by_mean(fitted: pd.DataFrame) -> pd.DataFrame:
    """Median dispersions for each tenfold range of the mean."""
    low = np.floor(np.log10(fitted["base_mean"])).astype(int)
    grouped = fitted.groupby(low.rename("tenfold"))
    table = grouped[["dispersion_gene", "dispersion_trend", "dispersion"]].median()
    ranges = [f"{10.0**power:g} to {10.0 ** (power + 1):g}" for power in table.index]
    return table.assign(mean_count=ranges, genes=grouped.size()).reset_index(drop=True)[
        ["mean_count", "genes", "dispersion_gene", "dispersion_trend", "dispersion"]
    ]
