"""Everything that is written of the rescue of one dataset, by the name of its file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from exoliver.contrasts import Contrast
from exoliver.model import Model
from exoliver.programmes import ProgrammeFit
from exoliver.rescue import compare_arms, rescue_pairs, rescue_programmes
from exoliver.rescue_genes import rescue_genes
from exoliver.rescue_summary import summarise_rescue
from exoliver.store import Expression
from exoliver.tables import (
    RESCUE_COMPARISONS,
    RESCUE_GENES,
    RESCUE_PROGRAMMES,
    RESCUE_SUMMARY,
    NamedTables,
)


def rescue_tables(
    fit: ProgrammeFit,
    contrasts: Sequence[Contrast],
    *,
    programmes: pd.DataFrame,
    model: Model,
    expression: Expression,
    fdr: float,
) -> NamedTables:
    """Rescue of programmes and genes, comparisons of arms and the slopes over all genes, with their declared columns.

    Parameters
    ----------
    fit, programmes
        Models of the scored programmes, and `Programmes.table`.
    contrasts, model, expression
        Of the dataset.
    fdr
        Level of evidence for the patterns.
    """
    pairs = [
        replace(pair, note=model.noted_as_single(pair.note, [pair.injury or {}, pair.treatment or {}]))
        for pair in rescue_pairs(contrasts)
    ]
    genes = rescue_genes(model, pairs, symbols=expression.genes["symbol"], fdr=fdr)
    slopes = summarise_rescue(pairs, expression.vst, model=model)
    return {
        "programmes": (rescue_programmes(fit, pairs, programmes=programmes, fdr=fdr), RESCUE_PROGRAMMES),
        "comparisons": (compare_arms(fit, pairs, programmes=programmes), RESCUE_COMPARISONS),
        "genes": (genes, RESCUE_GENES),
        "summary": (slopes, RESCUE_SUMMARY),
    }
