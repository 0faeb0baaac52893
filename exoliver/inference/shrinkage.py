"""Shrunken contrasts: a heavy-tailed prior on the contrast itself, whatever the columns of the design."""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq

from exoliver.inference.batched import shrink_coefficients
from exoliver.inference.subspace import connected_part
from exoliver.inference.wald import RIDGE, Fit

REST_SD = RIDGE**-0.5  # natural log: no narrower than the ridge of the fit, see `shrink_contrast`
WIDEST = 1.0
BRACKET = (1e-6, 400.0)


def prior_scale(estimates: np.ndarray, variances: np.ndarray) -> float:
    """Scale of the Cauchy prior: the spread of true effects that explains the spread of the estimates.

    Parameters
    ----------
    estimates, variances
        A contrast of all genes, natural log and its square, shape (g,); NaN are left out.

    Returns
    -------
    At most 1 (natural log).

    References
    ----------
    Zhu, Ibrahim, Love (2019), 10.1093/bioinformatics/bty895; Efron, Morris (1975), 10.1080/01621459.1975.10479864.
    """
    kept = np.isfinite(estimates) & np.isfinite(variances) & (variances > 0)
    squared, noise = estimates[kept] ** 2, variances[kept]
    if not len(squared):
        return WIDEST

    def excess(spread: float) -> float:
        weights = 1.0 / (2.0 * (spread + noise) ** 2)
        return float(np.sum((squared - noise - spread) * weights) / np.sum(weights))

    low, high = BRACKET
    if excess(low) < 0:
        return float(np.sqrt(low))
    if excess(high) > 0:
        return WIDEST
    return min(WIDEST, float(np.sqrt(brentq(excess, low, high))))


def shrink_contrast(
    fit: Fit, counts: np.ndarray, *, row: np.ndarray, scale: float, threads: int
) -> tuple[np.ndarray, np.ndarray]:
    """Contrast of highest posterior: a Cauchy prior on the contrast itself, none but the fit's ridge on the rest.

    So the columns of the design do not matter, nor which side of the contrast is the base. (With the normal prior of
    standard deviation 15 that apeglm has on the rest, one gene in a thousand depends on them by more than .01 log2.)

    The posterior can have two modes; it is climbed from the unshrunken coefficients and from those with a contrast of
    zero, and the higher one is kept. The shrunken contrast is cut to lie between zero and the unshrunken one: where
    nearly all counts are zero, the floor of the means would take it elsewhere.

    Parameters
    ----------
    fit
        The fitted model.
    counts
        The counts that it was fitted to, samples x genes (n, g).
    row
        Weights of the columns, shape (p,).
    scale
        Of `prior_scale`.
    threads
        Threads.

    Returns
    -------
    The contrast, natural log, NaN where no climb ended; and the number of modes found. Shape (g,).

    References
    ----------
    Zhu, Ibrahim, Love (2019), 10.1093/bioinformatics/bty895.
    """
    samples, columns = connected_part(fit.design, row[None, :])
    beta, modes = shrink_coefficients(
        counts[samples],
        fit.design[np.ix_(samples, columns)],
        size_factors=fit.size_factors[samples],
        dispersions=fit.dispersions,
        start=fit.coefficients[:, columns],
        contrast=row[columns],
        rest_sd=REST_SD,
        scale=scale,
        threads=threads,
    )
    unshrunken = fit.coefficients @ row
    shrunken = np.clip(beta @ row[columns], np.minimum(unshrunken, 0.0), np.maximum(unshrunken, 0.0))
    return np.where(modes > 0, shrunken, np.nan), modes
