"""Rescue gene by gene, on the coefficients of the counts model: exploratory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.special import ndtr

from exoliver.design import contrast_rows
from exoliver.fieller import WEAK
from exoliver.inference.filtering import adjust_pvalues
from exoliver.inference.wald import Fit, contrast_covariances
from exoliver.linear import Estimates
from exoliver.model import Model
from exoliver.programmes import NESTED_DONORS
from exoliver.rescue import Pair, effect_columns, rescue_pattern, restored_fraction
from exoliver.tables import RESCUE_GENES, join_notes, stack_tables

INJURY_FDR = 0.01  # a gene is listed where its injury effect passes this, and is `WEAK` standard errors or more


def rescue_genes(model: Model, pairs: Sequence[Pair], *, symbols: pd.Series, fdr: float) -> pd.DataFrame:
    """Fraction restored of the genes that the injury moves clearly, for every treated arm, at each time and averaged.

    Parameters
    ----------
    model
        The fit of the counts.
    pairs
        Of `rescue.rescue_pairs`.
    symbols
        Symbol by gene id.
    fdr
        Level of evidence for the pattern.

    Returns
    -------
    Columns `tables.RESCUE_GENES`, pairs as given, genes by id. Genes with a weak injury effect
    are not listed: most of the genome has none. A pair that cannot be had is one row with a note and no gene.

    References
    ----------
    Fieller (1954), 10.1111/j.2517-6161.1954.tb00159.x.
    """
    known = [pair for pair in pairs if pair.injury is not None]
    tested = model.tested
    fit = Fit(model.coefficients[tested], model.dispersions[tested], model.design, model.size_factors)
    rows = [contrast_rows([pair.injury or {}, pair.treatment or {}], model.columns) for pair in known]
    covariances = iter(contrast_covariances(fit, rows) if rows else [])
    tables: list[pd.DataFrame] = []
    for pair in pairs:
        if pair.injury is None:
            tables.append(pd.DataFrame([{"arm": pair.arm, "time": pair.time, "note": pair.note}]))
            continue
        estimate = fit.coefficients @ contrast_rows([pair.injury, pair.treatment or {}], model.columns).T
        found = _listed(model, estimate / np.log(2), next(covariances) / np.log(2) ** 2, fdr)
        note = join_notes(pair.note, NESTED_DONORS if model.nested_donor else "")
        tables.append(found.assign(arm=pair.arm, time=pair.time, symbol=found["gene_id"].map(symbols), note=note))
    return stack_tables(tables, RESCUE_GENES)


def _listed(model: Model, estimate: np.ndarray, covariance: np.ndarray, fdr: float) -> pd.DataFrame:
    """The listed genes of one pair; estimates (g, 2) and covariances (g, 2, 2) in log2."""
    error = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
    with np.errstate(divide="ignore", invalid="ignore"):
        stat = np.abs(estimate / error)
    pvalue = np.where(model.is_count_outlier[model.tested][:, None], np.nan, 2 * ndtr(-stat))
    padj = np.column_stack([adjust_pvalues(column) for column in pvalue.T])
    with np.errstate(invalid="ignore"):
        chosen = (padj[:, 0] < INJURY_FDR) & (stat[:, 0] >= WEAK)
    effects = Estimates(estimate[chosen], covariance[chosen], np.full((int(chosen.sum()), 2), np.inf))
    ratio = restored_fraction(effects)
    pattern = rescue_pattern(
        *effects.estimate.T,
        injury_evident=np.ones(int(chosen.sum()), dtype=bool),
        evident=padj[chosen, 1] < fdr,
        high=ratio.high,
    )
    genes = model.genes[model.tested][chosen]
    more = {"injury_padj": padj[chosen, 0], "treatment_padj": padj[chosen, 1], "pattern": pattern}
    table = pd.DataFrame({"gene_id": genes} | effect_columns(effects, ratio) | more)
    return table.sort_values("gene_id", ignore_index=True)
