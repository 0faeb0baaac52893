"""Independent filtering: genes too low to have a chance are left out of the correction for multiple testing."""

from __future__ import annotations

import numpy as np

QUANTILES = 50
HIGHEST_QUANTILE = 0.95
SPAN = 1 / 5
MIN_REJECTIONS = 10


def adjust_pvalues(pvalues: np.ndarray) -> np.ndarray:
    """Benjamini-Hochberg adjusted p-values; missing ones stay missing and do not count.

    References
    ----------
    Benjamini, Hochberg (1995), 10.1111/j.2517-6161.1995.tb02031.x.
    """
    adjusted = np.full(len(pvalues), np.nan)
    present = np.flatnonzero(~np.isnan(pvalues))
    order = present[np.argsort(pvalues[present], kind="stable")]
    ranked = pvalues[order] * len(order) / np.arange(1, len(order) + 1)
    adjusted[order] = np.minimum(np.minimum.accumulate(ranked[::-1])[::-1], 1.0)
    return adjusted


def filter_independently(pvalues: np.ndarray, base_means: np.ndarray, *, alpha: float) -> np.ndarray:
    """Adjusted p-values after leaving out the genes below the mean count that gives most rejections.

    Parameters
    ----------
    pvalues
        Shape (g,), NaN allowed.
    base_means
        Mean normalised counts, shape (g,).
    alpha
        Level at which rejections are counted.

    Returns
    -------
    Shape (g,); NaN where the gene lies below the cut-off or has no p-value.

    References
    ----------
    Bourgon, Gentleman, Huber (2010), 10.1073/pnas.0914005107; Love (2014), 10.1186/s13059-014-0550-8.
    """
    if len(pvalues) == 0:
        return np.array([])
    lowest = float(np.mean(base_means == 0))
    highest = HIGHEST_QUANTILE if lowest < HIGHEST_QUANTILE else 1.0
    shares = np.linspace(lowest, highest, QUANTILES)
    cutoffs = np.quantile(base_means, shares)
    cutoff = cutoffs[_chosen(shares, _rejections(pvalues, base_means, cutoffs, alpha))]
    return adjust_pvalues(np.where(base_means >= cutoff, pvalues, np.nan))


def _rejections(pvalues: np.ndarray, base_means: np.ndarray, cutoffs: np.ndarray, alpha: float) -> np.ndarray:
    """Number of genes with an adjusted p-value below alpha, for each cut-off."""
    present = ~np.isnan(pvalues)
    tested = present.sum() - np.searchsorted(np.sort(base_means[present]), cutoffs)
    small = np.flatnonzero(present & (pvalues < alpha))  # no other can be rejected, wherever the cut-off lies
    small = small[np.argsort(pvalues[small], kind="stable")]
    counts = np.zeros(len(cutoffs))
    for position, cutoff in enumerate(cutoffs):
        kept = pvalues[small[base_means[small] >= cutoff]]
        below = np.flatnonzero(kept * tested[position] / np.arange(1, len(kept) + 1) < alpha)
        counts[position] = below[-1] + 1 if len(below) else 0
    return counts


def _chosen(shares: np.ndarray, rejections: np.ndarray) -> int:
    """Index of the cut-off: the lowest whose rejections come near the maximum of a smooth curve through them."""
    from statsmodels.nonparametric.smoothers_lowess import lowess

    if rejections.max() <= MIN_REJECTIONS:
        return 0
    smooth = lowess(rejections, shares, frac=SPAN, it=3, delta=0.01 * np.ptp(shares), return_sorted=False)
    some = rejections > 0
    residual = np.sqrt(np.mean((rejections[some] - smooth[some]) ** 2))
    for level in (smooth.max() - residual, 0.9 * smooth.max(), 0.8 * smooth.max()):
        above = np.flatnonzero(rejections > level)
        if len(above):
            return int(above[0])
    return 0
