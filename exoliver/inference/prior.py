"""How much gene-wise log dispersions vary around their trend beyond what their estimation adds."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr, polygamma
from scipy.stats import chi2

SMALLEST = 0.25
CONSISTENT = 1.4826  # of the median absolute deviation, for a normal distribution
FEW_DF = 3

EDGES = np.arange(-10.0, 10.25, 0.5)
VARIANCES = np.linspace(0.0, 8.0, 200)
FINE = np.linspace(0.0, 8.0, 1000)
NODES = 400
HALF_A_DRAW = 5e-5  # of the 10,000 that DESeq2 draws
SPAN = 0.2
CELL = 8  # most points between two vertices of the smooth curve: a fifth of the span
WIDENED = 0.005


def residual_variance(residuals: np.ndarray) -> float:
    """Robust variance of log residuals (g,)."""
    deviations = np.abs(residuals - np.median(residuals))
    return float((CONSISTENT * np.median(deviations)) ** 2)


def prior_variance(residuals: np.ndarray, *, residual_df: int) -> float:
    """Variance of the prior of log dispersions.

    Parameters
    ----------
    residuals
        Log of gene-wise dispersion over trend, shape (g,).
    residual_df
        Samples less columns of the design.

    Returns
    -------
    At least .25. With more than three residual degrees of freedom the variance of the residuals less that of a log
    chi-square; with three or fewer, where that is too coarse, the variance of the normal that, added to a log
    chi-square, comes nearest to the histogram of the residuals in Kullback-Leibler distance.

    Notes
    -----
    DESeq2 draws the sums at random, from a fixed seed, and smooths the distances by loess. Here their distribution is
    computed; bins of less than half a draw are empty as they would be among draws, since the smallest filled bin
    of all enters the distance.

    References
    ----------
    Love, Huber, Anders (2014), 10.1186/s13059-014-0550-8, section "Empirical Bayes shrinkage for dispersion
    estimation"; Cleveland, Devlin (1988), 10.1080/01621459.1988.10478639 (loess).
    """
    if residual_df > FEW_DF:
        return max(residual_variance(residuals) - float(polygamma(1, residual_df / 2)), SMALLEST)
    observed, _ = np.histogram(residuals[(residuals > EDGES[0]) & (residuals < EDGES[-1])], EDGES, density=True)
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    centres = np.log(chi2.ppf((nodes + 1) / 2, residual_df) / residual_df)
    expected = (_expected(variance, centres, weights=weights / 2, df=residual_df) for variance in VARIANCES)
    distances = np.array([_distance(observed, density) for density in expected])
    smooth = _loess(VARIANCES, distances, FINE)
    return max(float(FINE[np.argmin(smooth)]), SMALLEST)


def _expected(variance: float, centres: np.ndarray, *, weights: np.ndarray, df: int) -> np.ndarray:
    """Density over the bins of log(chi-square / df) plus a normal of this variance, by quadrature over the former."""
    if variance == 0:
        shares = np.diff(chi2.cdf(df * np.exp(EDGES), df))
    else:
        shares = np.diff(ndtr((EDGES[:, None] - centres) / np.sqrt(variance)) @ weights)
    shares = np.where(shares < HALF_A_DRAW, 0.0, shares)
    return np.asarray(shares / shares.sum() / np.diff(EDGES))


def _distance(observed: np.ndarray, expected: np.ndarray) -> float:
    """Kullback-Leibler distance of two densities, with the smallest positive one added to both."""
    small = min(observed[observed > 0].min(), expected[expected > 0].min())
    return float(np.sum(observed * (np.log(observed + small) - np.log(expected + small))))


def _loess(x: np.ndarray, y: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Local quadratic regression, evaluated at vertices and interpolated between them by cubics with their slopes."""
    margin = WIDENED * np.ptp(x)
    vertices = np.array([x[0] - margin, *_cuts(x), x[-1] + margin])
    values, slopes = np.array([_local(x, y, vertex) for vertex in vertices]).T
    cell = np.clip(np.searchsorted(vertices, at, side="right") - 1, 0, len(vertices) - 2)
    width = np.diff(vertices)[cell]
    t = (at - vertices[cell]) / width
    low, high = values[cell], values[cell + 1]
    rise, fall = slopes[cell] * width, slopes[cell + 1] * width
    curved = (2 * t**3 - 3 * t**2 + 1) * low + (3 * t**2 - 2 * t**3) * high
    return np.asarray(curved + (t**3 - 2 * t**2 + t) * rise + (t**3 - t**2) * fall)


def _cuts(x: np.ndarray) -> list[float]:
    """Medians that halve the points until no more than eight lie together, ascending."""
    if len(x) <= CELL:
        return []
    middle = (len(x) + 1) // 2
    cut = float((x[middle - 1] + x[middle]) / 2)
    return [*_cuts(x[:middle]), cut, *_cuts(x[middle:])]


def _local(x: np.ndarray, y: np.ndarray, at: float) -> tuple[float, float]:
    """Value and slope of the quadratic fitted around a place, tricube weights over the nearest fifth of the points."""
    distance = np.abs(x - at)
    reach = np.sort(distance)[int(len(x) * SPAN + 1e-5) - 1]
    weights = np.clip(1 - (distance / reach) ** 3, 0, None) ** 1.5  # square root of the tricube
    powers = np.vander(x - at, 3, increasing=True)
    value, slope, _ = np.linalg.lstsq(powers * weights[:, None], y * weights, rcond=None)[0]
    return float(value), float(slope)
