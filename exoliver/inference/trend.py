"""The trend of dispersions over mean counts, a0 + a1 / mean, by DESeq2's parametric fit."""

from __future__ import annotations

import numpy as np

START = np.array([0.1, 1.0])
LOWEST_RATIO, HIGHEST_RATIO = 1e-4, 15.0  # of dispersion to trend; genes beyond are left out of the next turn
MAX_TURNS = 10
CHANGE = 1e-6
MAX_STEPS = 25
TOLERANCE = 1e-8


class TrendError(ValueError):
    """No parametric trend fits these dispersions."""


def fit_parametric_trend(means: np.ndarray, dispersions: np.ndarray) -> np.ndarray:
    """a0 and a1 of the trend of gene-wise dispersions.

    Parameters
    ----------
    means, dispersions
        Mean normalised counts and gene-wise dispersions of the genes that can be told from zero dispersion, shape (g,).

    Returns
    -------
    Two positive numbers.

    Raises
    ------
    TrendError
        A coefficient is not positive, fewer than two genes are near the trend, or ten turns do not settle it.

    References
    ----------
    Love, Huber, Anders (2014), 10.1186/s13059-014-0550-8; Anders, Huber (2010), 10.1186/gb-2010-11-10-r106.
    """
    coefficients, reciprocal = START, 1.0 / means
    for _ in range(MAX_TURNS):
        ratio = dispersions / (coefficients[0] + coefficients[1] * reciprocal)
        kept = (ratio > LOWEST_RATIO) & (ratio < HIGHEST_RATIO)
        if kept.sum() < 2:
            raise TrendError("fewer than two genes lie near the trend of dispersions")
        before = coefficients
        coefficients, has_converged = fit_gamma_trend(reciprocal[kept], dispersions[kept], start=before)
        if not (coefficients > 0).all():
            raise TrendError("the trend of dispersions has a negative coefficient")
        if has_converged and (np.log(coefficients / before) ** 2).sum() < CHANGE:
            return coefficients
    raise TrendError(f"the trend of dispersions does not settle within {MAX_TURNS} turns")


def fit_gamma_trend(reciprocal: np.ndarray, dispersions: np.ndarray, *, start: np.ndarray) -> tuple[np.ndarray, bool]:
    """Gamma regression with identity link of dispersions on reciprocal means.

    Parameters
    ----------
    reciprocal, dispersions
        Shape (g,).
    start
        First a0 and a1.

    Returns
    -------
    a0 and a1, and whether the deviance settled.

    References
    ----------
    McCullagh, Nelder (1989), Generalized Linear Models, chapter 8.
    """
    design = np.column_stack([np.ones_like(reciprocal), reciprocal])
    coefficients, fitted = start, design @ start
    deviance = _deviance(dispersions, fitted)
    for _ in range(MAX_STEPS):
        weighted = design / fitted[:, None] ** 2
        proposed = np.linalg.lstsq(weighted.T @ design, weighted.T @ dispersions, rcond=None)[0]
        for _halving in range(MAX_STEPS):
            if (design @ proposed > 0).all():
                break
            proposed = (proposed + coefficients) / 2
        else:
            return proposed, False
        coefficients, fitted = proposed, design @ proposed
        before, deviance = deviance, _deviance(dispersions, fitted)
        if abs(deviance - before) / (abs(deviance) + 0.1) < TOLERANCE:
            return coefficients, True
    return coefficients, False


def _deviance(dispersions: np.ndarray, fitted: np.ndarray) -> float:
    """Deviance of the gamma family."""
    return float(-2.0 * np.sum(np.log(dispersions / fitted) - (dispersions - fitted) / fitted))
