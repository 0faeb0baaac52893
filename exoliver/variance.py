"""The transform that makes variance the same at every level of expression, from a fitted dispersion trend."""

from __future__ import annotations

import numpy as np


def stabilise_variance(normalised: np.ndarray, *, trend: np.ndarray, mean_dispersion: float) -> np.ndarray:
    """Variance-stabilised expression from a fitted dispersion trend.

    Parameters
    ----------
    normalised
        Counts over size factors, any shape.
    trend
        a0 and a1 of the dispersion trend a0 + a1 / mean; NaN where there is none.
    mean_dispersion
        Used where there is no trend.

    Returns
    -------
    The integral of the inverse standard deviation, scaled to log2 for large counts.

    References
    ----------
    Anders, Huber (2010), 10.1186/gb-2010-11-10-r106, section "Variance-stabilizing transformation".
    """
    if np.isnan(trend).any():
        scaled = np.sqrt(mean_dispersion * normalised)
        return (2 * np.arcsinh(scaled) - np.log(mean_dispersion) - np.log(4)) / np.log(2)
    a0, a1 = trend
    root = np.sqrt(a0 * normalised * (1 + a1 + a0 * normalised))
    return np.log2((1 + a1 + 2 * a0 * normalised + 2 * root) / (4 * a0))


def stabilised_slope(normalised: np.ndarray, *, trend: np.ndarray, mean_dispersion: float) -> np.ndarray:
    """How far `stabilise_variance` shows a small log2 fold change at a level of expression: the slope of its curve.

    Parameters
    ----------
    normalised, trend, mean_dispersion
        As `stabilise_variance` takes them.

    Returns
    -------
    Near zero for genes with hardly a count, near one for many counts; the derivative of the formula of that function.
    """
    a0, a1 = (mean_dispersion, 0.0) if np.isnan(trend).any() else trend
    return np.asarray(np.sqrt(a0 * normalised / (1 + a1 + a0 * normalised)))
