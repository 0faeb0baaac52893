"""Cook's distances of counts: which sample pulls a gene's fit, and what a count would be without it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

SMALLEST_DISPERSION = 0.04  # of the robust estimate: else an outlier's whole cell would stand out
TRIMS = ((3.5, 1 / 3, 2.04), (23.5, 1 / 4, 1.86), (np.inf, 1 / 8, 1.51))  # replicates below, share trimmed, scale
TRIM_WITHOUT_CELLS = (1 / 8, 1.51)
TRIM_REPLACEMENT = 0.2
QUANTILE = 0.99
REPLICATES = 3  # a cell with fewer says nothing of outliers


def trimmed_mean(values: np.ndarray, share: float) -> np.ndarray:
    """Mean over samples (n, g) without this share of the lowest and of the highest."""
    cut = int(len(values) * share)
    return np.asarray(np.sort(values, axis=0)[cut : len(values) - cut].mean(axis=0))


def robust_dispersions(normalised: np.ndarray, cells: Sequence[np.ndarray]) -> np.ndarray:
    """Dispersions (g,) that single outliers hardly move.

    Parameters
    ----------
    normalised
        Normalised counts, samples x genes (n, g).
    cells
        Positions of the samples of each cell with three or more replicates.

    References
    ----------
    Love, Huber, Anders (2014), 10.1186/s13059-014-0550-8, section "Cook's distance and outlier detection".
    """
    variances = [_trimmed_variance(normalised[cell], *_trim(len(cell))) for cell in cells]
    variance = np.max(variances, axis=0) if variances else _trimmed_variance(normalised, *TRIM_WITHOUT_CELLS)
    mean = normalised.mean(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.maximum((variance - mean) / mean**2, SMALLEST_DISPERSION)


def cooks_distances(
    counts: np.ndarray, means: np.ndarray, *, leverages: np.ndarray, dispersions: np.ndarray, columns: int
) -> np.ndarray:
    """How far a gene's coefficients would move without each sample, shape (n, g).

    Parameters
    ----------
    counts, means, leverages
        Counts, fitted means and diagonals of the hat matrix, samples x genes (n, g).
    dispersions
        Of `robust_dispersions`, shape (g,).
    columns
        Columns of the design.

    References
    ----------
    Cook (1977), 10.1080/00401706.1977.10489493.
    """
    residuals = (counts - means) ** 2 / (means + dispersions * means**2)
    return np.asarray(residuals / columns * leverages / (1.0 - leverages) ** 2)


def replaced_counts(normalised: np.ndarray, size_factors: np.ndarray) -> np.ndarray:
    """What a count would be by the trimmed mean of its gene, whole numbers (n, g)."""
    return np.trunc(trimmed_mean(normalised, TRIM_REPLACEMENT) * size_factors[:, None])


def _trim(replicates: int) -> tuple[float, float]:
    """Share trimmed and scale of the variance for a cell of this size."""
    return next((share, scale) for below, share, scale in TRIMS if replicates < below)


def _trimmed_variance(values: np.ndarray, share: float, scale: float) -> np.ndarray:
    """Trimmed mean of the squared distances from the trimmed mean, scaled to be unbiased for a normal."""
    return np.asarray(scale * trimmed_mean((values - trimmed_mean(values, share)) ** 2, share))
