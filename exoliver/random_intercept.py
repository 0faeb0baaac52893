"""Linear models with a random intercept for each donor, by restricted maximum likelihood.

The samples of a donor may also be less alike than those of different donors: the correlation is not held at zero, so
that tests neither gain nor lose by a bound.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

GRID = 81  # correlations that the search starts from
STEPS = 30  # of the golden section: the correlation is known to 1e-7
GOLDEN = (np.sqrt(5) - 1) / 2
BETWEEN, WITHIN = "between", "within"  # donors: where their samples vary
MARGIN = 1e-6  # distance of the correlation from where the model ends


@dataclass(frozen=True)
class Components:
    """Coefficients' covariance and what it depends on; arrays by score as in `linear.LinearFit`."""

    covariance: np.ndarray
    gradients: np.ndarray
    uncertainty: np.ndarray
    hat: np.ndarray
    variance: np.ndarray
    correlation: np.ndarray


def fit_random_intercept(scores: np.ndarray, design: np.ndarray, *, donors: np.ndarray) -> Components:
    """Scores (n, k) whose samples are correlated within a donor.

    Parameters
    ----------
    scores
        A score with NaN stays NaN.
    design
        Shape (n, p), of full rank.
    donors
        Donor of each sample, shape (n,); some donors have several samples.

    Returns
    -------
    Each score with its own correlation. The two components are the variance between donors and that within.

    Raises
    ------
    ValueError
        Nothing is left to tell the variance between donors, or within, from the design.

    References
    ----------
    Patterson, Thompson (1971), 10.1093/biomet/58.3.545; information of the components after Searle, Casella,
    McCulloch (1992), Variance Components, section 6.6.
    """
    if missing_stratum(design, donors):
        raise ValueError("a random intercept needs residual degrees of freedom within and between donors")
    same = (donors[:, None] == donors[None, :]).astype(float)
    fits = [_fit_one(score, design, same) for score in scores.T]
    shapes = _shapes(*design.shape)
    return Components(*(np.array([one[k] for one in fits]).reshape(-1, *shape) for k, shape in enumerate(shapes)))


def missing_stratum(design: np.ndarray, donors: np.ndarray) -> str:
    """`BETWEEN` or `WITHIN`: the variance that the design (n, p) leaves nothing to tell; empty where it leaves both."""
    levels = np.unique(donors)
    indicator = (donors[:, None] == levels[None, :]).astype(float)
    within = len(donors) - np.linalg.matrix_rank(np.hstack([design, indicator]))
    between = np.linalg.matrix_rank(np.hstack([design, indicator])) - np.linalg.matrix_rank(design)
    return BETWEEN if between <= 0 else WITHIN if within <= 0 else ""


def _fit_one(score: np.ndarray, design: np.ndarray, same: np.ndarray) -> tuple[np.ndarray, ...]:
    """One score: covariance, gradients, uncertainty, hat, variance, correlation."""
    samples, columns = design.shape
    if not np.isfinite(score).all():
        return tuple(np.full(shape, np.nan) for shape in _shapes(samples, columns))
    correlation = _best_correlation(score, design, same)
    identity = np.eye(samples)
    unit = (1 - correlation) * identity + correlation * same
    inverse = np.linalg.inv(unit)
    unscaled = np.linalg.inv(design.T @ inverse @ design)
    hat = unscaled @ design.T @ inverse
    residual = score - design @ (hat @ score)
    variance = float(residual @ inverse @ residual) / (samples - columns)
    inverse = inverse / (variance or 1.0)  # a score that does not vary has no uncertainty, see below
    projection = inverse - inverse @ design @ hat
    parts = (same, identity)  # V = between * same + within * identity
    information = np.array([[(projection @ one @ projection @ other).trace() / 2 for other in parts] for one in parts])
    gradients = np.stack([hat @ part @ hat.T for part in parts])
    uncertainty = np.linalg.inv(information) if variance > 0 else np.zeros((2, 2))
    return variance * unscaled, gradients, uncertainty, hat, np.array(variance), np.array(correlation)


def _shapes(samples: int, columns: int) -> tuple[tuple[int, ...], ...]:
    """Of what one score has: covariance, gradients, uncertainty, hat, variance, correlation."""
    return (columns, columns), (2, columns, columns), (2, 2), (columns, samples), (), ()


def _best_correlation(score: np.ndarray, design: np.ndarray, same: np.ndarray) -> float:
    """The correlation of the highest restricted likelihood: the best of a grid, then by golden section around it."""
    largest = same.sum(axis=0).max()
    low, high = -1 / (largest - 1) + MARGIN, 1 - MARGIN
    grid = np.linspace(low, high, GRID)
    likelihoods = [restricted_likelihood(value, score, design=design, same=same) for value in grid]
    best = int(np.argmax(likelihoods))
    low, high = grid[max(best - 1, 0)], grid[min(best + 1, GRID - 1)]
    for _ in range(STEPS):
        left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
        heights = [restricted_likelihood(value, score, design=design, same=same) for value in (left, right)]
        low, high = (low, right) if heights[0] >= heights[1] else (left, high)
    return float((low + high) / 2)


def restricted_likelihood(correlation: float, score: np.ndarray, *, design: np.ndarray, same: np.ndarray) -> float:
    """Logarithm of the restricted likelihood but for a constant, the variance at its best."""
    unit = (1 - correlation) * np.eye(len(score)) + correlation * same
    factor = np.linalg.cholesky(unit)
    whitened = np.linalg.solve(factor, np.column_stack([design, score]))
    triangle = np.abs(np.diag(np.linalg.qr(whitened, mode="r")))
    rest = len(score) - design.shape[1]
    log_det = 2 * np.log(np.diag(factor)).sum() + 2 * np.log(triangle[:-1]).sum()
    return float(-0.5 * (rest * np.log(max(triangle[-1] ** 2, np.finfo(float).tiny)) + log_det))
