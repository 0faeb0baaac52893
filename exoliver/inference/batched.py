"""PyDESeq2's inference over all genes at once, in compiled loops on threads, with the rules of DESeq2."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
from pydeseq2.inference import Inference

from exoliver.inference import kernels
from exoliver.inference.equations import arrange_columns
from exoliver.inference.trend import START, fit_gamma_trend
from exoliver.inference.wald import MIN_MEAN, RIDGE, wald_test

GENES_PER_BLOCK = 512
STEPS_COEFFICIENTS = 100
SETTLED = 1e-8  # relative change of the deviance at which coefficients have settled


def over_blocks(function: Callable[[slice], None], genes: int, *, threads: int) -> None:
    """Call a function on blocks of genes, several at a time; which thread takes which block changes no number."""
    blocks = [slice(start, min(start + GENES_PER_BLOCK, genes)) for start in range(0, genes, GENES_PER_BLOCK)]
    with ThreadPoolExecutor(max(threads, 1)) as pool:
        list(pool.map(function, blocks))


class BatchedInference(Inference):
    """Dispersions, coefficients and tests of all genes in compiled loops.

    The definitions and stopping rules are those of DESeq2.

    Parameters
    ----------
    n_cpus
        Threads.
    min_mu
        Means below this are raised to it before dispersions are estimated.

    References
    ----------
    Love, Huber, Anders (2014), 10.1186/s13059-014-0550-8; Muzellec et al. (2023), 10.1093/bioinformatics/btad547 (the
    interface).
    """

    def __init__(self, n_cpus: int = 1, *, min_mu: float = MIN_MEAN) -> None:
        self.n_cpus = n_cpus
        self.min_mu = min_mu

    def lin_reg_mu(
        self, counts: np.ndarray, size_factors: np.ndarray, design_matrix: np.ndarray, min_mu: float
    ) -> np.ndarray:
        """Least-squares means of the counts (n, g), not below `min_mu`."""
        means = _project(design_matrix) @ (counts / size_factors[:, None])
        return np.maximum(means * size_factors[:, None], min_mu)

    def irls(
        self,
        counts: np.ndarray,
        size_factors: np.ndarray,
        design_matrix: np.ndarray,
        disp: np.ndarray,
        min_mu: float,
        beta_tol: float,
        min_beta: float = -30,
        max_beta: float = 30,
        optimizer: str = "L-BFGS-B",
        maxiter: int = STEPS_COEFFICIENTS,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Coefficients (g, p), means (n, g), leverages (n, g) and whether each gene's maximum was found.

        Iteratively reweighted least squares from the least-squares fit of the logarithms, with a small ridge; genes
        where it does not end, or runs beyond 30, are fitted by Fisher scoring. `min_beta`, `max_beta` and `optimizer`
        have no effect.
        """
        equations = arrange_columns(design_matrix)
        genes, columns = counts.shape[1], design_matrix.shape[1]
        start = _least_squares(design_matrix) @ np.log(counts / size_factors[:, None] + 0.1)
        per_gene = np.ascontiguousarray(counts.T, dtype=float), np.ascontiguousarray(start.T[:, equations.order])
        size, disp = np.ascontiguousarray(size_factors, dtype=float), np.ascontiguousarray(disp, dtype=float)
        ridge = np.full(columns, RIDGE)
        beta, status = np.empty((genes, columns)), np.empty(genes, dtype=np.int64)
        means, hats = np.empty((genes, len(size))), np.empty((genes, len(size)))

        rules = (float(min_mu), float(beta_tol), maxiter)

        def fit(block: slice) -> None:
            kernels.fit_coefficients(
                per_gene[0][block], disp[block], per_gene[1][block], size, ridge, rules, *equations.arrays, beta[block],
                means[block], hats[block], status[block],
            )  # fmt: skip

        over_blocks(fit, genes, threads=self.n_cpus)
        coefficients = np.empty_like(beta)
        coefficients[:, equations.order] = beta
        return coefficients, means.T, hats.T, status != kernels.FAILED

    def alpha_mle(
        self,
        counts: np.ndarray,
        design_matrix: np.ndarray,
        mu: np.ndarray,
        alpha_hat: np.ndarray,
        min_disp: float,
        max_disp: float,
        prior_disp_var: float | None = None,
        cr_reg: bool = True,
        prior_reg: bool = False,
        optimizer: str = "L-BFGS-B",
        start: np.ndarray | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Dispersions (g,) of highest likelihood, or posterior with `prior_reg`, and whether no search was needed.

        The likelihood always has Cox-Reid's adjustment (10.1111/j.2517-6161.1987.tb01422.x). `alpha_hat` is where the
        climb starts and, with a prior, its mean; `start` names another start. Genes whose climb does not end, or
        ends at its first step without a prior, are searched on a grid. `optimizer` has no effect.
        """
        if not cr_reg:
            raise ValueError("BatchedInference has no likelihood of dispersions without Cox-Reid's adjustment")
        if prior_reg and prior_disp_var is None:
            raise ValueError("a prior of dispersions needs its variance: prior_disp_var")
        equations = arrange_columns(design_matrix)
        y = np.ascontiguousarray(counts.T, dtype=float)
        means = np.maximum(np.ascontiguousarray(mu.T, dtype=float), self.min_mu)
        first = np.clip(np.asarray(alpha_hat if start is None else start, dtype=float), min_disp, max_disp)
        centre = np.log(np.asarray(alpha_hat, dtype=float))
        variance = float(prior_disp_var or 0.0) if prior_reg else 0.0
        out, is_searched = np.empty(len(first)), np.empty(len(first), dtype=bool)
        limits = (float(min_disp), float(max_disp))

        def fit(block: slice) -> None:
            kernels.fit_dispersions(
                y[block], means[block], first[block], centre[block], variance, limits, *equations.arrays, out[block],
                is_searched[block],
            )  # fmt: skip

        over_blocks(fit, len(first), threads=self.n_cpus)
        return out, ~is_searched

    def wald_test(
        self,
        design_matrix: np.ndarray,
        disp: np.ndarray,
        lfc: np.ndarray,
        mu: np.ndarray,
        ridge_factor: np.ndarray,
        contrast: np.ndarray,
        lfc_null: np.ndarray,
        alt_hypothesis: Any = None,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """p-values, statistics and standard errors (g,) of one contrast, two-sided.

        Without `alt_hypothesis` `lfc_null` is the value of the coefficients under the null; with `greaterAbs` it is the
        largest size of the contrast under the null.
        """
        if alt_hypothesis not in (None, "greaterAbs"):
            raise ValueError(f"BatchedInference tests greaterAbs, not {alt_hypothesis}")
        weights = (mu / (1.0 + mu * disp)).T
        information = np.einsum("gn,np,nq->gpq", weights, design_matrix, design_matrix, optimize=True)
        half = np.linalg.solve(
            information + ridge_factor, np.broadcast_to(contrast[:, None], (len(lfc), len(contrast), 1))
        )
        variance = np.einsum("gpr,gpq,gqr->g", half, information, half, optimize=True)
        estimate = (lfc if alt_hypothesis else lfc - lfc_null) @ contrast
        tested = wald_test(estimate, variance, threshold=float(np.max(np.abs(lfc_null))) if alt_hypothesis else 0.0)
        return tested.pvalue, tested.stat, tested.se

    def fit_rough_dispersions(self, normed_counts: np.ndarray, design_matrix: np.ndarray) -> np.ndarray:
        """Dispersions (g,) from the squared residuals of the least-squares fit of normalised counts (n, g)."""
        samples, columns = design_matrix.shape
        means = np.maximum(1.0, _project(design_matrix) @ normed_counts)
        total = ((normed_counts - means) ** 2 - means) / means**2
        return np.maximum(total.sum(axis=0) / (samples - columns), 0.0)

    def fit_moments_dispersions(self, normed_counts: np.ndarray, size_factors: np.ndarray) -> np.ndarray:
        """Dispersions (g,) from mean and variance of normalised counts (n, g)."""
        means, variances = normed_counts.mean(axis=0), normed_counts.var(axis=0, ddof=1)
        return (variances - np.mean(1.0 / np.asarray(size_factors)) * means) / means**2

    def dispersion_trend_gamma_glm(
        self, covariates: pd.Series, targets: pd.Series
    ) -> tuple[np.ndarray, np.ndarray, bool]:
        """a0 and a1 of dispersions (g,) on reciprocal means (g,), the fitted dispersions, and whether the fit ended."""
        reciprocal = np.asarray(covariates, dtype=float)
        coefficients, has_converged = fit_gamma_trend(reciprocal, np.asarray(targets, dtype=float), start=START)
        return coefficients, coefficients[0] + coefficients[1] * reciprocal, has_converged

    def lfc_shrink_nbinom_glm(
        self,
        design_matrix: np.ndarray,
        counts: np.ndarray,
        size: np.ndarray,
        offset: np.ndarray,
        prior_no_shrink_scale: float,
        prior_scale: float,
        optimizer: str,
        shrink_index: int,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Coefficients (g, p) with one of them shrunken, their covariances (g, p, p), and whether the mode was found.

        The mode is climbed to from two sides, as `shrinkage.shrink_contrast` does. `optimizer` has no effect.
        """
        size_factors, dispersions = np.exp(np.asarray(offset, dtype=float)), 1.0 / np.asarray(size, dtype=float)
        start, _, _, _ = self.irls(counts, size_factors, design_matrix, dispersions, self.min_mu, SETTLED)
        unit = np.eye(design_matrix.shape[1])[shrink_index]
        beta, modes = shrink_coefficients(
            counts, design_matrix, size_factors=size_factors, dispersions=dispersions, start=start, contrast=unit,
            rest_sd=float(prior_no_shrink_scale), scale=float(prior_scale), threads=self.n_cpus,
        )  # fmt: skip
        means = np.exp(beta @ design_matrix.T) * size_factors
        weights = means * (1 + counts.T * dispersions[:, None]) / (1 + means * dispersions[:, None]) ** 2
        hessian = np.einsum("gn,np,nq->gpq", weights, design_matrix, design_matrix, optimize=True)
        effect, squared = beta[:, shrink_index], float(prior_scale) ** 2
        hessian += np.diag((1 - unit) / prior_no_shrink_scale**2)
        hessian[:, shrink_index, shrink_index] += 2 * (squared - effect**2) / (squared + effect**2) ** 2
        return beta, np.linalg.inv(hessian), modes > 0


def shrink_coefficients(
    counts: np.ndarray,
    design: np.ndarray,
    *,
    size_factors: np.ndarray,
    dispersions: np.ndarray,
    start: np.ndarray,
    contrast: np.ndarray,
    rest_sd: float,
    scale: float,
    threads: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients of highest posterior, with a Cauchy prior on a contrast of them and a normal one on the rest.

    The rest are all columns but the first of largest weight in the contrast, which has a small ridge.

    Parameters
    ----------
    counts, design
        Samples x genes (n, g), and samples x columns (n, p).
    size_factors, dispersions
        Shapes (n,) and (g,).
    start
        Coefficients of highest likelihood (g, p), natural log.
    contrast
        Weights of the columns, shape (p,).
    rest_sd, scale
        Standard deviation of the normal prior and scale of the Cauchy prior, natural log.
    threads
        Threads.

    Returns
    -------
    Coefficients (g, p), and the number of modes found (g,): 0 where no climb ended.

    References
    ----------
    Zhu, Ibrahim, Love (2019), 10.1093/bioinformatics/bty895.
    """
    equations = arrange_columns(design)
    weights = np.ascontiguousarray(contrast[equations.order], dtype=float)
    largest = np.argmax(contrast if contrast.max() > 0 else -contrast)
    unit = int(np.flatnonzero(equations.order == largest)[0])
    precision = np.full(len(contrast), 1.0 / rest_sd**2)
    precision[unit] = RIDGE
    first = np.ascontiguousarray(start[:, equations.order])
    y, size = np.ascontiguousarray(counts.T, dtype=float), np.ascontiguousarray(size_factors, dtype=float)
    spread = np.ascontiguousarray(dispersions, dtype=float)
    found, modes = np.empty_like(first), np.empty(len(first), dtype=np.int64)

    def shrink(block: slice) -> None:
        kernels.shrink_contrasts(
            y[block], spread[block], first[block], size, precision, (weights, scale), unit, *equations.arrays,
            found[block], modes[block],
        )  # fmt: skip

    over_blocks(shrink, len(first), threads=threads)
    shrunken = np.empty_like(found)
    shrunken[:, equations.order] = found
    return shrunken, modes


def _least_squares(design: np.ndarray) -> np.ndarray:
    """Coefficients (p, n) of the least-squares fit, as a matrix on the observations."""
    q, r = np.linalg.qr(design.astype(float))
    return np.linalg.solve(r, q.T)


def _project(design: np.ndarray) -> np.ndarray:
    """Hat matrix (n, n) of the least-squares fit."""
    q, _ = np.linalg.qr(design.astype(float))
    return q @ q.T
