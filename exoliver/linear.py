"""Linear models of per-sample scores on the dataset's own design."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit  # Student t; scipy.stats takes a second to load


@dataclass(frozen=True)
class LinearFit:
    """Ordinary least squares of several scores on one design.

    Parameters
    ----------
    coefficients
        Shape (p, k) for k scores.
    unscaled
        (X'X)^-1, shape (p, p).
    variance
        Residual variance of each score, shape (k,).
    df
        Residual degrees of freedom.
    """

    coefficients: np.ndarray
    unscaled: np.ndarray
    variance: np.ndarray
    df: int


@dataclass(frozen=True)
class Estimate:
    """One contrast of each score; arrays of shape (k,)."""

    estimate: np.ndarray
    se: np.ndarray
    ci_low: np.ndarray
    ci_high: np.ndarray
    pvalue: np.ndarray
    df: int


def fit_linear(scores: np.ndarray, design: np.ndarray) -> LinearFit:
    """Least squares of scores (n, k) on a design (n, p) of full rank.

    Raises
    ------
    ValueError
        There are no residual degrees of freedom.
    """
    df = design.shape[0] - design.shape[1]
    if df < 1:
        raise ValueError("a linear model needs residual degrees of freedom")
    unscaled = np.linalg.inv(design.T @ design)
    coefficients = unscaled @ design.T @ scores
    residuals = scores - design @ coefficients
    return LinearFit(coefficients, unscaled, (residuals**2).sum(axis=0) / df, df)


def estimate_linear(fit: LinearFit, row: np.ndarray, *, level: float) -> Estimate:
    """One contrast (p,) of every score, with t intervals at a level such as .95."""
    estimate = row @ fit.coefficients
    se = np.sqrt(fit.variance * (row @ fit.unscaled @ row))
    half = stdtrit(fit.df, 0.5 + level / 2) * se
    with np.errstate(divide="ignore", invalid="ignore"):
        pvalue = np.where(se > 0, 2 * stdtr(fit.df, -np.abs(estimate) / se), np.nan)
    return Estimate(estimate, se, estimate - half, estimate + half, pvalue, fit.df)
