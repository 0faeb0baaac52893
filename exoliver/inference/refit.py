"""Coefficients of single genes by Fisher scoring, for the few whose first optimiser did not end well."""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln

from exoliver.inference.wald import RIDGE

MAX_ITERATIONS = 500
TOLERANCE = 1e-10  # relative gain of the penalised likelihood at which scoring ends
LARGEST_EXPONENT = 50.0
LARGEST_COEFFICIENT = 30.0


def refit_coefficients(
    counts: np.ndarray, design: np.ndarray, *, size_factors: np.ndarray, dispersions: np.ndarray
) -> np.ndarray:
    """Negative binomial coefficients at given dispersions.

    Parameters
    ----------
    counts
        Samples x genes (n, k), whole numbers.
    design
        Samples x columns (n, p), of full rank.
    size_factors, dispersions
        Shapes (n,) and (k,).

    Returns
    -------
    Shape (k, p), natural log; NaN for a gene whose likelihood could not be brought to its maximum.

    References
    ----------
    Love, Huber, Anders (2014), 10.1186/s13059-014-0550-8 (the model and its ridge); McCullagh, Nelder (1989),
    Generalized Linear Models, section 2.5 (Fisher scoring).
    """
    genes = [_refit(counts[:, gene], design, size_factors, dispersions[gene]) for gene in range(counts.shape[1])]
    return np.array(genes).reshape(counts.shape[1], design.shape[1])


def _refit(counts: np.ndarray, design: np.ndarray, size_factors: np.ndarray, dispersion: float) -> np.ndarray:
    """Coefficients of one gene; every step raises the penalised likelihood, halved until it does."""
    offset = np.log(size_factors)
    beta = np.linalg.lstsq(design, np.log(counts / size_factors + 0.1), rcond=None)[0]
    value = _likelihood(beta, counts, design, offset, dispersion)
    for _ in range(MAX_ITERATIONS):
        step = _step(beta, counts, design, offset, dispersion)
        for halving in range(30):
            proposed = beta + step * 0.5**halving
            reached = _likelihood(proposed, counts, design, offset, dispersion)
            if reached >= value:
                break
        else:
            return beta
        gain, beta, value = reached - value, proposed, reached
        if gain <= TOLERANCE * (abs(value) + 0.1):
            return beta if np.abs(beta).max() < LARGEST_COEFFICIENT else np.full_like(beta, np.nan)
    return np.full_like(beta, np.nan)


def _means(beta: np.ndarray, design: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """Fitted means, kept finite."""
    return np.exp(np.minimum(design @ beta + offset, LARGEST_EXPONENT))


def _likelihood(
    beta: np.ndarray, counts: np.ndarray, design: np.ndarray, offset: np.ndarray, dispersion: float
) -> float:
    """Negative binomial log likelihood with the ridge."""
    mean, size = _means(beta, design, offset), 1.0 / dispersion
    terms = (
        gammaln(counts + size) - gammaln(size) + counts * np.log(mean / (mean + size)) - size * np.log1p(mean / size)
    )
    return float(terms.sum() - 0.5 * RIDGE * beta @ beta)


def _step(
    beta: np.ndarray, counts: np.ndarray, design: np.ndarray, offset: np.ndarray, dispersion: float
) -> np.ndarray:
    """Fisher's step: expected information times gradient."""
    mean = _means(beta, design, offset)
    gradient = design.T @ ((counts - mean) / (1.0 + dispersion * mean)) - RIDGE * beta
    information = (design.T * (mean / (1.0 + dispersion * mean))) @ design + RIDGE * np.eye(len(beta))
    return np.linalg.solve(information, gradient)
