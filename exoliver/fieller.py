"""Ratio of two estimates that share samples, with Fieller's interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

WEAK = 4.0  # standard errors below which the denominator gives an interval, but no point value
FEW = 0.995  # the same by the t distribution: more errors are asked for where few samples tell them (5.8 for df 3)
OK, INJURY_WEAK, INJURY_NOT_DETECTED = "ok", "injury_weak", "injury_not_detected"


@dataclass(frozen=True)
class Ratio:
    """Ratios with their intervals and states; arrays of one shape.

    Parameters
    ----------
    value
        NaN unless the state is `ok`.
    low, high
        NaN where the state is `injury_not_detected`: every value is possible.
    state
        `ok`, `injury_weak` or `injury_not_detected`; empty where an estimate or its degrees of freedom are missing.
    """

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    state: np.ndarray


def fieller_ratio(
    numerator: np.ndarray,
    denominator: np.ndarray,
    *,
    variance: np.ndarray,
    denominator_variance: np.ndarray,
    covariance: np.ndarray,
    df: np.ndarray | float,
    level: float,
) -> Ratio:
    """Numerator over denominator, two estimates with a joint normal distribution up to one scale.

    Parameters
    ----------
    variance, denominator_variance, covariance
        Of numerator, of denominator, and between them.
    df
        Degrees of freedom of the variances; infinite where they are known.
    level
        Of the intervals, such as .95.

    References
    ----------
    Fieller (1954), 10.1111/j.2517-6161.1954.tb00159.x.
    """
    square = stdtrit(df, 0.5 + level / 2) ** 2
    leading = denominator**2 - square * denominator_variance
    middle = numerator * denominator - square * covariance
    constant = numerator**2 - square * variance
    with np.errstate(divide="ignore", invalid="ignore"):
        root = np.sqrt(np.maximum(middle**2 - leading * constant, 0.0))
        low, high, value = (middle - root) / leading, (middle + root) / leading, numerator / denominator
        least = np.maximum(WEAK, stdtrit(df, FEW))
        is_weak = np.abs(denominator) < least * np.sqrt(denominator_variance)
    is_lost, is_missing = ~(leading > 0), np.isnan(numerator + denominator + variance + denominator_variance + df)
    state = np.select([is_missing, is_lost, is_weak], ["", INJURY_NOT_DETECTED, INJURY_WEAK], OK)
    bounded = np.where(is_lost, np.nan, 1.0)
    return Ratio(np.where(state == OK, value, np.nan), low * bounded, high * bounded, state.astype(object))
