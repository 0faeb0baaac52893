"""Everything that the stages of the programmes write of one dataset, by the name of its file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from exoliver.contrasts import Contrast
from exoliver.effects import Setting, effects_beside, estimate_effects
from exoliver.equivalence import compare_products
from exoliver.model import Model
from exoliver.programmes import ProgrammeFit, long_scores
from exoliver.rescue import compare_arms, rescue_pairs, rescue_programmes
from exoliver.rescue_genes import rescue_genes
from exoliver.rescue_summary import summarise_rescue
from exoliver.store import Expression
from exoliver.tables import (
    CHANGES,
    EFFECTS,
    EQUIVALENCE,
    PROGRAMMES,
    RESCUE_COMPARISONS,
    RESCUE_GENES,
    RESCUE_PROGRAMMES,
    RESCUE_SUMMARY,
    SCORES,
    TIMEPOINT_GENES,
    TRAJECTORIES,
    join_notes,
)
from exoliver.timepoints import compare_timepoints, follow_programmes

Tables = dict[str, tuple[pd.DataFrame, tuple[str, ...]]]


def programme_tables(setting: Setting, contrasts: Sequence[Contrast], *, settings: Mapping[str, Any]) -> Tables:
    """Scores, effects, changes and comparisons of products, each with its declared columns.

    Parameters
    ----------
    setting
        Of `effects.make_setting`.
    contrasts
        All contrasts of the dataset.
    settings
        The study's `fdr` and `equivalence_margin`.
    """
    effects, changes = estimate_effects(contrasts, setting)
    noted = _noted_contrasts(contrasts, setting.model)
    equivalence = compare_products(setting.fit, noted, programmes=setting.programmes.table, settings=settings)
    return {
        "scores": (long_scores(setting.scores), SCORES),
        "effects": (effects, EFFECTS),
        "changes": (changes, CHANGES),
        "beside": (effects_beside(contrasts, setting, effects=effects), EFFECTS),
        "equivalence": (equivalence, EQUIVALENCE),
        "programmes": (setting.programmes.facts(), PROGRAMMES),
    }


def rescue_tables(
    fit: ProgrammeFit,
    contrasts: Sequence[Contrast],
    *,
    programmes: pd.DataFrame,
    model: Model,
    expression: Expression,
    fdr: float,
) -> Tables:
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
        replace(pair, note=_noted(pair.note, model.has_single_sample([pair.injury or {}, pair.treatment or {}])))
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


def timepoint_tables(
    fit: ProgrammeFit,
    contrasts: Sequence[Contrast],
    *,
    genes: Mapping[str, pd.DataFrame],
    programmes: pd.DataFrame,
    model: Model,
    fdr: float,
) -> Tables:
    """Genes over time, and the courses of the programmes, with their declared columns.

    Parameters
    ----------
    fit, programmes, contrasts, model, fdr
        As `rescue_tables` takes them.
    genes
        Gene tables by id of the contrast.
    """
    courses = follow_programmes(fit, _noted_contrasts(contrasts, model), programmes=programmes, fdr=fdr)
    return {
        "genes": (compare_timepoints(contrasts, genes, fdr=fdr), TIMEPOINT_GENES),
        "trajectories": (courses, TRAJECTORIES),
    }


def _noted_contrasts(contrasts: Sequence[Contrast], model: Model) -> list[Contrast]:
    """The contrasts, each with a note where a cell has a single sample."""
    return [replace(one, note=_noted(one.note, model.is_unreplicated(one))) for one in contrasts]


def _noted(note: str, is_unreplicated: bool) -> str:
    """The note, and that a cell has a single sample."""
    return join_notes(note, "unreplicated" if is_unreplicated else "")
