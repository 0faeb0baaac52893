"""Wald tests of linear contrasts of negative binomial coefficients. Natural logarithms throughout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc, ndtr  # scipy.stats takes a second to load

MIN_MEAN = 0.5  # fitted means are floored at this for the weights (Love 2014)
RIDGE = 1e-6 / np.log(2) ** 2  # keeps the information matrix invertible where a cell has no counts
GENES_PER_BLOCK = 4096


@dataclass(frozen=True)
class Fit:
    """What the tests need of a fitted model.

    Parameters
    ----------
    coefficients
        Shape (g, p), natural log.
    dispersions
        Shape (g,).
    design
        Shape (n, p).
    size_factors
        Shape (n,).
    """

    coefficients: np.ndarray
    dispersions: np.ndarray
    design: np.ndarray
    size_factors: np.ndarray


def contrast_covariances(fit: Fit, rows: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Covariance of every contrast's estimates, for every gene.

    Parameters
    ----------
    fit
        The fitted model.
    rows
        One matrix (k_i, p) for each contrast.

    Returns
    -------
    One array (g, k_i, k_i) for each contrast, natural log squared: L S L' with S = (I + R)^-1 I (I + R)^-1, where
    I = X'WX and R is a small ridge.

    References
    ----------
    Love, Huber, Anders (2014), 10.1186/s13059-014-0550-8, section "Wald test".
    """
    stacked = np.vstack(rows)
    edges = np.cumsum([0, *(len(matrix) for matrix in rows)])
    pieces: list[list[np.ndarray]] = [[] for _ in rows]
    for start in range(0, max(len(fit.coefficients), 1), GENES_PER_BLOCK):
        block = _covariance_block(fit, slice(start, start + GENES_PER_BLOCK), stacked)
        for piece, low, high in zip(pieces, edges[:-1], edges[1:], strict=True):
            piece.append(block[:, low:high, low:high])
    return [np.concatenate(piece) for piece in pieces]


def _covariance_block(fit: Fit, genes: slice, rows: np.ndarray) -> np.ndarray:
    """Covariance of all rows for a block of genes, shape (genes, rows, rows)."""
    means = np.exp(fit.coefficients[genes] @ fit.design.T) * fit.size_factors
    means = np.maximum(means, MIN_MEAN)
    weights = means / (1.0 + means * fit.dispersions[genes, None])
    information = np.einsum("gn,np,nq->gpq", weights, fit.design, fit.design, optimize=True)
    ridge = RIDGE * np.eye(fit.design.shape[1])
    half = np.linalg.solve(information + ridge, np.broadcast_to(rows.T, (len(information), *rows.T.shape)))
    return np.einsum("gpr,gpq,gqs->grs", half, information, half, optimize=True)


@dataclass(frozen=True)
class Tested:
    """One contrast, gene by gene; arrays of shape (g,), natural log."""

    estimate: np.ndarray
    se: np.ndarray
    stat: np.ndarray
    pvalue: np.ndarray


def wald_test(estimate: np.ndarray, variance: np.ndarray, *, threshold: float) -> Tested:
    """Two-sided Wald test that a contrast is zero, or within a threshold.

    Parameters
    ----------
    estimate, variance
        Shape (g,), natural log and its square.
    threshold
        Effects up to this (natural log) are part of the null.

    Returns
    -------
    `stat` is the signed distance beyond the threshold in standard errors, `pvalue` its two-sided normal tail.

    References
    ----------
    Love, Huber, Anders (2014), 10.1186/s13059-014-0550-8, section "Hypothesis tests with thresholds on effect size".
    """
    se = np.sqrt(variance)
    beyond = np.maximum(np.abs(estimate) - threshold, 0.0) / se
    stat = np.sign(estimate) * beyond
    pvalue = np.minimum(1.0, 2.0 * ndtr((threshold - np.abs(estimate)) / se))
    return Tested(estimate, se, stat, pvalue)


def wald_omnibus(estimates: np.ndarray, covariances: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Wald test that several contrasts are all zero.

    Parameters
    ----------
    estimates
        Shape (g, k).
    covariances
        Shape (g, k, k).

    Returns
    -------
    Statistic and p-value, shape (g,), and the degrees of freedom k of their chi-square.
    """
    solved = np.linalg.solve(covariances, estimates[:, :, None])[:, :, 0]
    stat = np.einsum("gk,gk->g", estimates, solved)
    df = estimates.shape[1]
    return stat, chdtrc(df, np.maximum(stat, 0.0)), df  # rounding may leave less than nothing
