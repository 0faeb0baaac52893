"""PyDESeq2's data set with the trend, the prior, the outliers and the replacement of DESeq2."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from pydeseq2.dds import DeseqDataSet
from scipy.stats import f as f_distribution

from exoliver.inference.batched import BatchedInference
from exoliver.inference.cooks import QUANTILE, REPLICATES, cooks_distances, replaced_counts, robust_dispersions
from exoliver.inference.prior import prior_variance, residual_variance
from exoliver.inference.trend import TrendError, fit_parametric_trend

ABOVE_SMALLEST = 100  # dispersions this many times above the smallest can be told from none
START_SHARE = 0.1  # of the trend, above which the gene-wise dispersion is where the climb starts
OUTLIER_DEVIATIONS = 2


class BatchedDataSet(DeseqDataSet):
    """A `DeseqDataSet` whose steps are DESeq2's where PyDESeq2 0.5.4 differs; takes a numeric design matrix.

    * genes enter and leave the trend at every turn of its fit; without a trend, `uns["trend_problem"]` says why;
    * the prior variance is matched to the histogram of residuals where at most three degrees of freedom remain;
    * the search for the highest posterior starts at the gene-wise dispersion;
    * a count that three samples exceed is an outlier all the same, but for a design of two cells;
    * genes that are all zero once their outliers are replaced have no outlier.

    References
    ----------
    Love, Huber, Anders (2014), 10.1186/s13059-014-0550-8; Muzellec et al. (2023), 10.1093/bioinformatics/btad547.
    """

    inference: BatchedInference

    @property
    def _matrix(self) -> np.ndarray:
        """The design matrix (n, p)."""
        return self.obsm["design_matrix"].to_numpy(dtype=float)

    @property
    def _sizes(self) -> np.ndarray:
        """Size factors (n,)."""
        return self.obs["size_factors"].to_numpy(dtype=float)

    def _positions(self, replicates: int) -> list[np.ndarray]:
        """Positions of the samples of each cell of the design with at least so many replicates."""
        _, cell, sizes = np.unique(self._matrix, axis=0, return_inverse=True, return_counts=True)
        return [np.flatnonzero(cell.ravel() == number) for number in np.flatnonzero(sizes >= replicates)]

    def _is_replicated(self, replicates: int) -> np.ndarray:
        """Samples (n,) in cells of the design with at least so many replicates."""
        replicated = np.zeros(self.n_obs, dtype=bool)
        for positions in self._positions(replicates):
            replicated[positions] = True
        return replicated

    @property
    def _cooks_cutoff(self) -> float:
        """Cook's distance beyond which a count is an outlier."""
        samples, columns = self._matrix.shape
        return float(f_distribution.ppf(QUANTILE, columns, samples - columns))

    def _fit_parametric_dispersion_trend(self, vst: bool = False) -> None:
        """a0 + a1 / mean; the trimmed mean of the dispersions where that does not fit."""
        prefix = "vst_" if vst else ""
        if f"{prefix}genewise_dispersions" not in self.var:
            self.fit_genewise_dispersions(vst)
        dispersions = self.var[f"{prefix}genewise_dispersions"].to_numpy(dtype=float)
        means = self.var["_normed_means"].to_numpy(dtype=float)
        used = dispersions > ABOVE_SMALLEST * self.min_disp
        if not used.any():
            raise ValueError("no gene varies by more than counting does: are these samples copies of one library?")
        try:
            found = fit_parametric_trend(means[used], dispersions[used])
        except TrendError as error:
            if not vst:
                self.uns["trend_problem"] = str(error)
            self._fit_mean_dispersion_trend(vst)
            return
        self.uns[f"{prefix}trend_coeffs"] = pd.Series(found, index=["a0", "a1"])
        if not vst:
            self.uns["disp_function_type"] = "parametric"
            present = self.var["non_zero"].to_numpy(dtype=bool)
            fitted = np.full(self.n_vars, np.nan)
            fitted[present] = found[0] + found[1] / means[present]
            self.var["fitted_dispersions"] = fitted

    def fit_dispersion_prior(self) -> None:
        """Variance of the prior of log dispersions, and the robust variance of their residuals."""
        dispersions = self.var["genewise_dispersions"].to_numpy(dtype=float)
        used = dispersions >= ABOVE_SMALLEST * self.min_disp
        residuals = np.log(dispersions[used] / self.var["fitted_dispersions"].to_numpy(dtype=float)[used])
        samples, columns = self._matrix.shape
        self.uns["_squared_logres"] = residual_variance(residuals)
        self.uns["prior_disp_var"] = prior_variance(residuals, residual_df=samples - columns)

    def fit_MAP_dispersions(self) -> None:  # noqa: N802 (PyDESeq2's name)
        """Dispersions of highest posterior; those far above the trend keep their gene-wise value."""
        present = self.var["non_zero"].to_numpy(dtype=bool)
        genewise, trend = (
            self.var[name].to_numpy(dtype=float)[present] for name in ("genewise_dispersions", "fitted_dispersions")
        )
        found, has_ended = self.inference.alpha_mle(
            counts=self.X[:, present],
            design_matrix=self._matrix,
            mu=self.layers["_mu_hat"][:, present],
            alpha_hat=trend,
            min_disp=self.min_disp,
            max_disp=self.max_disp,
            prior_disp_var=self.uns["prior_disp_var"],
            prior_reg=True,
            start=np.where(genewise > START_SHARE * trend, genewise, trend),
        )
        spread = OUTLIER_DEVIATIONS * np.sqrt(self.uns["_squared_logres"])
        is_outlier = np.log(genewise) > np.log(trend) + spread
        self._set("MAP_dispersions", found, present)
        self._set("dispersions", np.where(is_outlier, genewise, found), present)
        self._set("_MAP_converged", has_ended, present, missing=True)
        self._set("_outlier_genes", is_outlier, present, missing=False)

    def _set(self, name: str, values: np.ndarray, present: np.ndarray, *, missing: Any = np.nan) -> None:
        """A column of genes from the values of those with counts."""
        column = np.full(self.n_vars, missing)
        column[present] = values
        self.var[name] = column

    def calculate_cooks(self) -> None:
        """Cook's distances of all counts; NaN for genes without one."""
        present = self.var["non_zero"].to_numpy(dtype=bool)
        normalised = self.layers["normed_counts"][:, present]
        distances = np.full((self.n_obs, self.n_vars), np.nan)
        distances[:, present] = cooks_distances(
            self.X[:, present],
            self.obsm["_mu_LFC"],
            leverages=self.obsm["_hat_diagonals"],
            dispersions=robust_dispersions(normalised, self._positions(REPLICATES)),
            columns=self._matrix.shape[1],
        )
        self.layers["cooks"] = distances

    def refit(self) -> None:
        """Replace outlying counts in cells with `min_replicates` samples, and fit these genes again.

        `layers["replaced_counts"]` then holds the counts that the fit rests on.
        """
        replaceable = self._is_replicated(self.min_replicates)
        outlying = (self.layers["cooks"] > self._cooks_cutoff) & replaceable[:, None]
        counts = np.array(self.X)
        if replaceable.any():
            instead = replaced_counts(self.layers["normed_counts"], self._sizes)
            counts[outlying] = instead[outlying]
        self.layers["replaced_counts"] = counts
        changed = outlying.any(axis=0)
        emptied = changed & ~counts.any(axis=0)
        self.obs["replaceable"], self.var["replaced"] = replaceable, changed
        self.var["emptied"], self.var["refitted"] = emptied, changed & ~emptied
        self.var.loc[emptied, "_normed_means"] = 0.0
        self.varm["LFC"].loc[emptied, :] = 0.0
        if (changed & ~emptied).any():
            self._take(self._fitted_again(counts, changed & ~emptied), changed & ~emptied)

    def _fitted_again(self, counts: np.ndarray, genes: np.ndarray) -> BatchedDataSet:
        """Some genes fitted to other counts, with this data set's size factors, trend and prior."""
        again = type(self)(
            counts=pd.DataFrame(counts[:, genes], index=self.obs_names, columns=self.var_names[genes]),
            metadata=self.obs,
            design=self.obsm["design_matrix"],
            min_mu=self.min_mu,
            min_disp=self.min_disp,
            max_disp=self.max_disp,
            beta_tol=self.beta_tol,
            inference=self.inference,
            quiet=True,
        )
        again.obs["size_factors"] = self._sizes
        again.layers["normed_counts"] = again.X / self._sizes[:, None]
        again.var["_normed_means"] = again.layers["normed_counts"].mean(axis=0)
        again.fit_genewise_dispersions()
        for name in ("disp_function_type", "trend_coeffs", "mean_disp", "_squared_logres", "prior_disp_var"):
            if name in self.uns:
                again.uns[name] = self.uns[name]
        again.var["fitted_dispersions"] = again.disp_function(again.var["_normed_means"].to_numpy(dtype=float))
        again.fit_MAP_dispersions()
        again.fit_LFC()
        return again

    def _take(self, again: BatchedDataSet, genes: np.ndarray) -> None:
        """Put the fit of some genes in the place of their first one."""
        for name in (
            "_normed_means", "genewise_dispersions", "fitted_dispersions", "MAP_dispersions", "dispersions",
            "_genewise_converged", "_MAP_converged", "_LFC_converged", "_outlier_genes",
        ):  # fmt: skip
            self.var.loc[genes, name] = again.var[name].to_numpy()
        self.varm["LFC"].loc[genes, :] = again.varm["LFC"].to_numpy()

    def cooks_outlier(self) -> pd.Series:
        """Genes whose p-values say too little, as one count stands out in a cell of three or more samples."""
        stands_out = self.layers["cooks"] > self._cooks_cutoff  # false where there is no distance
        replaced = self.var["replaced"].to_numpy(dtype=bool) if "replaced" in self.var else np.zeros(self.n_vars, bool)
        if replaced.any():
            stands_out[np.ix_(self.obs["replaceable"].to_numpy(dtype=bool), replaced)] = False
            stands_out[:, self.var["emptied"].to_numpy(dtype=bool)] = False
        is_outlier = stands_out[self._is_replicated(REPLICATES)].any(axis=0)
        if self._matrix.shape[1] == len(np.unique(self._matrix, axis=0)) == 2:
            genes = np.flatnonzero(is_outlier)
            highest = self.X[np.nanargmax(self.layers["cooks"][:, genes], axis=0), genes]
            is_outlier[genes] = (self.X[:, genes] > highest).sum(axis=0) < REPLICATES
        self.var["_pvalue_cooks_outlier"] = is_outlier
        return self.var["_pvalue_cooks_outlier"]
