"""Competitive test of gene sets that allows for correlation between genes, estimated from the data (CAMERA)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri, stdtr

from exoliver.linear import draw_variances, estimate_prior


@dataclass(frozen=True)
class Camera:
    """What the test of every contrast shares: genes (g) on one design, and the sets (k) with their correlation.

    Parameters
    ----------
    coefficients
        Shape (p, g).
    unscaled
        (X'X)^-1, shape (p, p).
    variance
        Moderated residual variances, shape (g,).
    df, df_moderated
        Residual degrees of freedom, without and with the prior.
    signs
        1, -1 or 0 for a member that rises, one that falls, and no member; shape (g, k).
    correlation
        Mean correlation between the members of each set, signs considered, shape (k,).
    """

    coefficients: np.ndarray
    unscaled: np.ndarray
    variance: np.ndarray
    df: int
    df_moderated: float
    signs: np.ndarray
    correlation: np.ndarray


def prepare_camera(expression: np.ndarray, design: np.ndarray, *, signs: np.ndarray) -> Camera:
    """Genes' fits and the correlation between the members of each set.

    Parameters
    ----------
    expression
        Samples x genes (n, g), on a log scale with about the same variance for all genes.
    design
        Shape (n, p), of full rank.
    signs
        Shape (g, k); every set has two members or more.

    References
    ----------
    Wu, Smyth (2012), 10.1093/nar/gks461, equations for the variance inflation factor and its estimate.
    """
    samples, columns = design.shape
    basis, triangle = np.linalg.qr(design, mode="complete")
    effects = basis.T @ expression
    residuals = effects[columns:]
    variance = (residuals**2).mean(axis=0)
    df = samples - columns
    prior = estimate_prior(variance, df)
    return Camera(
        coefficients=np.linalg.solve(triangle[:columns], effects[:columns]),
        unscaled=np.linalg.inv(design.T @ design),
        variance=draw_variances(variance, prior, df=df),
        df=df,
        df_moderated=min(prior.df + df, df * expression.shape[1]),
        signs=signs,
        correlation=_correlations(residuals, variance, signs),
    )


def _correlations(residuals: np.ndarray, variance: np.ndarray, signs: np.ndarray) -> np.ndarray:
    """Mean correlation of the residual effects (df, g) between members; no less than zero."""
    with np.errstate(divide="ignore", invalid="ignore"):
        standard = np.where(variance > 0, residuals / np.sqrt(variance), 0.0)
    members = np.abs(signs).sum(axis=0)
    means = standard @ signs / members
    inflation = members * (means**2).mean(axis=0)
    return np.maximum((inflation - 1) / (members - 1), 0.0)


def camera_pvalues(camera: Camera, row: np.ndarray) -> np.ndarray:
    """Two-sided p-value of every set in one contrast: do its members change more than the other genes?

    Parameters
    ----------
    row
        Weights of the design's columns, shape (p,).

    Returns
    -------
    Shape (k,). Members that should fall count with the opposite sign, each against the mean of the genes outside.

    References
    ----------
    Wu, Smyth (2012), 10.1093/nar/gks461, equations for the two-sample statistic.
    """
    error = np.sqrt(camera.variance * (row @ camera.unscaled @ row))
    with np.errstate(divide="ignore", invalid="ignore"):
        stat = np.where(error > 0, row @ camera.coefficients / error, 0.0)
    scores = normal_scores(stat, camera.df_moderated)
    genes, members = len(scores), np.abs(camera.signs).sum(axis=0)
    rest = genes - members
    mean, variance = scores.mean(), scores.var(ddof=1)
    outside = (scores.sum() - np.abs(camera.signs).T @ scores) / rest
    difference = (camera.signs.T @ scores - camera.signs.sum(axis=0) * outside) / members
    within = ((genes - 1) * variance - _between(camera.signs, scores, mean, members)) / (genes - 2)
    inflation = 1 + (members - 1) * camera.correlation
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = difference / np.sqrt(within * (inflation / members + 1 / rest))
    return 2 * stdtr(min(camera.df, genes - 2), -np.abs(ratio))


def _between(signs: np.ndarray, scores: np.ndarray, mean: float, members: np.ndarray) -> np.ndarray:
    """Sum of squares between the members and the other genes, shape (k,)."""
    inside = np.abs(signs).T @ scores / members
    share = members * len(scores) / (len(scores) - members)
    return share * (inside - mean) ** 2


def normal_scores(stat: np.ndarray, df: float) -> np.ndarray:
    """Normal quantiles of the same probability as t statistics; where a tail is too small for a float, nearly so.

    References
    ----------
    Wallace (1959), 10.1214/aoms/1177706101, for the far tails.
    """
    if np.isinf(df):
        return stat
    tail = stdtr(df, -np.abs(stat))
    is_lost = tail < np.finfo(float).tiny
    near = np.abs(ndtri(np.where(is_lost, 0.5, tail)))
    far = np.sqrt(df * np.log1p(stat**2 / df))
    return np.sign(stat) * np.where(is_lost, far, near)
