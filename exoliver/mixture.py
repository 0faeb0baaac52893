"""What of an effect the mixture of cell types does not explain: a check of sensitivity, never a correction.

Composition is a step between treatment and expression; an effect that goes with it is no less real.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from exoliver.linear import estimate_linear, fit_linear
from exoliver.programmes import Programmes
from exoliver.random_intercept import missing_stratum

# ASSUME: Within an arm, samples with more cells of a type show more of that type's marker genes.
# LIMIT: The cell mixture is judged by marker genes, which change within cells too.

MARKERS = (
    "cells_hepatocyte", "zonation_pericentral", "zonation_periportal", "cells_cholangiocyte", "cells_stellate",
    "cells_endothelial", "cells_kupffer", "cells_leukocyte",
)  # fmt: skip
MIN_MARKERS = 4  # cell types measured; fewer are no mixture
EXPLAINED = 0.95  # share of the marker scores' variance that the covariates hold
DF_PER_COVARIATE = 4  # residual degrees of freedom that each covariate has to leave
MIN_DF = 3
MIXED_SYSTEMS = ("tissue", "slices", "organoid", "coculture")


@dataclass(frozen=True)
class Adjusted:
    """Effects with the mixture held constant; NaN where a score is one of cell types.

    Parameters
    ----------
    estimate, low, high
        log2, scores (k) x contrasts (q).
    components, share
        Of each score, shape (k,): how many covariates stand for the mixture, and how much of the variance of the marker
        scores they hold. A small share is a weak check: more cannot be borne by few samples.
    """

    estimate: np.ndarray
    low: np.ndarray
    high: np.ndarray
    components: np.ndarray
    share: np.ndarray

    @classmethod
    def unknown(cls, scores: int, contrasts: int) -> Adjusted:
        """Nothing is known yet."""
        own, (estimate, low, high) = np.full((2, scores), np.nan), np.full((3, scores, contrasts), np.nan)
        return cls(estimate, low, high, components=own[0], share=own[1])

    def of(self, contrast: int) -> Adjusted:
        """Numbers of one contrast, shape (k,)."""
        return replace(
            self, estimate=self.estimate[:, contrast], low=self.low[:, contrast], high=self.high[:, contrast]
        )


def is_cell_type(programme: str) -> bool:
    """A programme that tells of the mixture itself."""
    return programme.startswith("cells_") or programme in MARKERS


def adjust_for_mixture(
    programmes: Programmes,
    markers: Programmes,
    *,
    expression: pd.DataFrame,
    design: np.ndarray,
    donors: np.ndarray | None,
    rows: np.ndarray,
    level: float,
) -> Adjusted:
    """Effects on programmes in a design that holds the mixture of cell types as well.

    Parameters
    ----------
    programmes
        The programmes (k).
    markers
        Sets of the liver's cell types, those of `MARKERS` among them. A gene that a programme shares with a cell type
        is left out of the cell type's score.
    expression
        Variance-stabilised expression, samples x gene ids.
    design, donors
        Shape (n, p), and as `fit_linear` takes them.
    rows
        Contrasts, shape (q, p).
    level
        Of the intervals.

    Returns
    -------
    Effects in log2. NaN for the cell types' own sets, and everywhere where too few cell types are measured or too few
    samples are there.
    """
    found = Adjusted.unknown(len(programmes.scored), len(rows))
    known = [place for place, name in enumerate(markers.scored) if name in MARKERS]
    if len(known) < MIN_MARKERS:
        return found
    values = expression.loc[:, list(programmes.genes)].to_numpy(dtype=float)
    scores = values @ programmes.weights
    for place, name in enumerate(programmes.scored):
        if is_cell_type(name):
            continue
        own = np.where(programmes.weights[:, [place]] != 0, 0.0, markers.weights[:, known])
        own_scores = _marker_scores(values, own)
        covariates = mixture_covariates(own_scores, design)
        if covariates is None:
            continue
        wide = np.hstack([design, covariates])
        if donors is not None and missing_stratum(wide, donors):
            continue
        longer = np.hstack([rows, np.zeros((len(rows), covariates.shape[1]))])
        result = estimate_linear(fit_linear(scores[:, [place]], wide, donors=donors), longer)
        low, high = result.interval(level)
        for target, numbers in zip((found.estimate, found.low, found.high), (result.estimate, low, high), strict=True):
            target[place] = numbers[0] / programmes.attenuation[place]
        found.components[place], found.share[place] = covariates.shape[1], _share(own_scores, covariates)
    return found


def _marker_scores(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean expression of the markers of each cell type, samples x types; types without any marker left are dropped."""
    total = np.abs(weights).sum(axis=0)
    return np.asarray(values @ weights[:, total > 0] / total[total > 0])


def mixture_covariates(scores: np.ndarray, design: np.ndarray) -> np.ndarray | None:
    """Principal components of the marker scores, as many as hold most of their variance and the design can bear.

    Parameters
    ----------
    scores
        Samples x cell types.
    design
        Samples x columns.

    Returns
    -------
    Samples x components, mean 0; None where the design can bear none.
    """
    samples, columns = design.shape
    room = min((samples - columns) // DF_PER_COVARIATE, samples - columns - MIN_DF)
    centred = scores - scores.mean(axis=0)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    if room < 1 or not sizes.sum() > 0:  # no cell type is left, or none varies
        return None
    share = np.cumsum(sizes**2) / (sizes**2).sum()
    count = min(int(np.searchsorted(share, EXPLAINED)) + 1, room)
    wide = np.hstack([design, left[:, :count]])
    return left[:, :count] if np.linalg.matrix_rank(wide) == wide.shape[1] else None


def _share(scores: np.ndarray, covariates: np.ndarray) -> float:
    """How much of the variance of marker scores their components hold; these are orthonormal."""
    centred = scores - scores.mean(axis=0)
    return float(((covariates.T @ centred) ** 2).sum() / (centred**2).sum())


def mixture_notes(estimate: np.ndarray, is_evident: np.ndarray, *, adjusted: Adjusted) -> np.ndarray:
    """What the mixture says of effects that are evident: words for their notes, empty for most.

    Parameters
    ----------
    estimate, is_evident
        Effects and whether there is evidence for them, shape (k, q).
    adjusted
        Of `adjust_for_mixture`.

    Returns
    -------
    `explained_by_mixture` where the adjusted interval holds zero and not the effect, `mixture_undecided` where it holds
    both, `mixture_reverses` where it lies wholly on the other side of zero.
    """
    with np.errstate(invalid="ignore"):
        holds_zero = (adjusted.low <= 0) & (adjusted.high >= 0)
        holds_effect = (adjusted.low <= estimate) & (adjusted.high >= estimate)
        is_other = np.where(estimate > 0, adjusted.high < 0, adjusted.low > 0)
    words = ["mixture_reverses", "mixture_undecided", "explained_by_mixture"]
    found = np.select([is_other, holds_zero & holds_effect, holds_zero], words, "")
    return np.where(is_evident, found, "").astype(object)
