"""Head to head: do two products differ in a programme, and are they the same within a margin?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import stdtr

from exoliver.contrasts import Contrast
from exoliver.design import contrast_rows
from exoliver.inference.filtering import adjust_pvalues
from exoliver.linear import Estimates, estimate_linear
from exoliver.programmes import ProgrammeFit, every_programme
from exoliver.tables import EQUIVALENCE, stack_tables

LEVEL = 0.90  # two one-sided tests at .05 are an interval of 90 % inside the margin


def equivalence_pvalues(effects: Estimates, margin: float) -> np.ndarray:
    """p-value of two one-sided tests that effects are no larger than a margin in either direction, shape (k, q).

    Parameters
    ----------
    effects
        Estimates and their errors.
    margin
        In the unit of the estimates.

    References
    ----------
    Schuirmann (1987), 10.1007/BF01068419.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        above = stdtr(effects.df, -(effects.estimate + margin) / effects.se)
        below = stdtr(effects.df, (effects.estimate - margin) / effects.se)
    return np.maximum(above, below)


def compare_products(
    fit: ProgrammeFit, contrasts: Sequence[Contrast], *, programmes: pd.DataFrame, settings: Mapping[str, Any]
) -> pd.DataFrame:
    """Every pair of treated arms with the same base, in every programme, at each time and averaged.

    Parameters
    ----------
    fit
        Of the scored programmes.
    contrasts
        All contrasts of the dataset; those of the kind `head_to_head` are taken.
    programmes
        `Programmes.table`: every programme with its note.
    settings
        The study's `equivalence_margin` (log2 effect below which two products are taken as the same) and `fdr` (level
        of the verdict).

    Returns
    -------
    Columns `tables.EQUIVALENCE`: the interval has 90 %, p-values are of equivalence (two one-sided tests), corrected
    over the programmes of one contrast. The verdict is `equivalent`, `different` (its test is that of the effects
    table), `small_difference` (both) or `undecided`.
    """
    margin, fdr = settings["equivalence_margin"], settings["fdr"]
    tables: list[pd.DataFrame] = []
    for contrast in (one for one in contrasts if one.kind == "head_to_head"):
        numbers = _compared(fit, contrast, margin, fdr) if contrast.rows else pd.DataFrame()
        table = every_programme(numbers, programmes, notes=[contrast.note])
        tables.append(table.assign(contrast=contrast.id, margin=margin))
    return stack_tables(tables, EQUIVALENCE)


def _compared(fit: ProgrammeFit, contrast: Contrast, margin: float, fdr: float) -> pd.DataFrame:
    """Numbers and verdict of every scored programme."""
    effects = estimate_linear(fit.moderated, contrast_rows(contrast.rows, fit.columns))
    low, high = effects.interval(LEVEL)
    pvalue = equivalence_pvalues(effects, margin)[:, 0]
    padj = adjust_pvalues(pvalue)
    is_same, is_other = padj < fdr, adjust_pvalues(effects.pvalue[:, 0]) < fdr
    words = np.select(
        [is_same & is_other, is_same, is_other], ["small_difference", "equivalent", "different"], "undecided"
    )
    known = ~np.isnan(pvalue)
    numbers = {
        "estimate": effects.estimate[:, 0],
        "se": effects.se[:, 0],
        "df": effects.df[:, 0],
        "ci_low": low[:, 0],
        "ci_high": high[:, 0],
        "pvalue": pvalue,
        "padj": padj,
        "verdict": np.where(known, words, ""),
    }
    return pd.DataFrame(numbers, index=pd.Index(fit.names, dtype=object))
