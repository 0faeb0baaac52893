"""Likelihood-ratio test that several contrasts are all zero."""

from __future__ import annotations

import numpy as np
from scipy.special import chdtrc  # scipy.stats takes a second to load

from exoliver.inference import kernels
from exoliver.inference.batched import SETTLED, BatchedInference, over_blocks
from exoliver.inference.subspace import connected_part, reduced_design
from exoliver.inference.wald import MIN_MEAN, Fit


def likelihood_ratio_test(
    fit: Fit, counts: np.ndarray, *, rows: np.ndarray, threads: int
) -> tuple[np.ndarray, np.ndarray]:
    """Twice the gain in log likelihood over the model in which all contrasts are zero, at the same dispersions.

    Parameters
    ----------
    fit
        The full model.
    counts
        The counts that it was fitted to, samples x genes (n, g).
    rows
        The contrasts, shape (k, p), independent of each other.
    threads
        Threads.

    Returns
    -------
    Statistic and p-value by the chi-square of k degrees of freedom, shape (g,); NaN where a model was not fitted.

    Notes
    -----
    In genes whose counts are nearly all zero the floor of the means can end a fit short of the maximum, as in DESeq2;
    the statistic can then be a little below zero, with a p-value of 1.

    References
    ----------
    Love, Huber, Anders (2014), 10.1186/s13059-014-0550-8, section "Likelihood ratio test".
    """
    samples, columns = connected_part(fit.design, rows)
    design, size = fit.design[np.ix_(samples, columns)], fit.size_factors[samples]
    y = counts[samples]
    full = np.exp(fit.coefficients[:, columns] @ design.T) * size
    reduced = reduced_design(design, rows[:, columns])
    _, means, _, has_converged = BatchedInference(threads).irls(y, size, reduced, fit.dispersions, MIN_MEAN, SETTLED)
    gain = _mean_terms(y, full.T, fit.dispersions, threads) - _mean_terms(y, means, fit.dispersions, threads)
    stat = np.where(has_converged, 2.0 * gain, np.nan)
    return stat, chdtrc(len(rows), np.maximum(stat, 0.0))  # rounding may leave less than nothing


def _mean_terms(counts: np.ndarray, means: np.ndarray, dispersions: np.ndarray, threads: int) -> np.ndarray:
    """The part of the log likelihood (g,) that the means enter; counts and means are (n, g)."""
    y, mu = np.ascontiguousarray(counts.T, dtype=float), np.ascontiguousarray(means.T, dtype=float)
    out = np.empty(len(dispersions))

    def add(block: slice) -> None:
        kernels.mean_terms(y[block], mu[block], dispersions[block], out[block])

    over_blocks(add, len(out), threads=threads)
    return out
