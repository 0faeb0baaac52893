"""The door to PyDESeq2: one negative binomial fit per dataset, and every contrast on that fit."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from exoliver.contrasts import Contrast, derive_contrasts
from exoliver.design import Design, build_design, contrast_rows
from exoliver.gene_filter import takes_part
from exoliver.inference.filtering import filter_independently
from exoliver.inference.wald import Fit, contrast_covariances, wald_omnibus, wald_test
from exoliver.model import Model
from exoliver.study import Arm, ExtraContrast, GeneFilter, Intake
from exoliver.tables import CONTRAST, OMNIBUS

LOG2 = float(np.log(2))


def fit_model(
    counts: pd.DataFrame, samples: pd.DataFrame, *, intake: Intake, gene_filter: GeneFilter, threads: int
) -> Model:
    """One negative binomial model per gene, on cell means of arm x time plus donor and covariates.

    Parameters
    ----------
    counts
        Samples (n) x genes (g), whole numbers.
    samples
        One row per sample, as `samples.arrange_samples` gives them.
    intake
        Arms in their order, donor and covariates.
    gene_filter
        Genes that take part; the others are kept as rows without a fit.
    threads
        Threads of the fit.

    Returns
    -------
    The fit in plain arrays.

    References
    ----------
    Love, Huber, Anders (2014), 10.1186/s13059-014-0550-8; Muzellec et al. (2023), 10.1093/bioinformatics/btad547.
    """
    design = build_design(
        samples,
        list(intake.levels),
        donor=intake.donor is not None,
        covariates=intake.covariates,
        numeric=intake.numeric_covariates,
    )
    passing = takes_part(counts.to_numpy(), gene_filter, replicates=design.replicates.values())
    fitted = _fit_pydeseq2(counts.loc[:, passing], design, threads)
    return _as_model(counts, design, passing, fitted)


def _fit_pydeseq2(counts: pd.DataFrame, design: Design, threads: int) -> Any:
    """PyDESeq2's data set after its whole fit, in compiled loops and with DESeq2's rules."""
    from exoliver.inference.batched import BatchedInference
    from exoliver.inference.dataset import BatchedDataSet

    with warnings.catch_warnings():
        # PyDESeq2 0.5.4 with anndata 0.12 warns of its own use of deprecated calls.
        warnings.simplefilter("ignore", FutureWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        fitted = BatchedDataSet(
            counts=counts,
            metadata=pd.DataFrame({"sample": counts.index}, index=counts.index),
            design=design.matrix,
            inference=BatchedInference(threads),
            quiet=True,
        )
        fitted.deseq2()
    return fitted


def _as_model(counts: pd.DataFrame, design: Design, passing: np.ndarray, fitted: Any) -> Model:
    """PyDESeq2's results over all genes, NaN for those that took no part."""
    size_factors = fitted.obs["size_factors"].to_numpy(dtype=float)
    normalised = counts.to_numpy() / size_factors[:, None]
    cells = design.matrix.iloc[:, : len(design.cells)].to_numpy().astype(bool)

    def spread(values: Any, fill: float = np.nan) -> np.ndarray:
        array = np.asarray(values, dtype=float)
        full = np.full((len(passing), *array.shape[1:]), fill)
        full[passing] = array
        return full

    base_mean = normalised.mean(axis=0)
    base_mean[passing] = fitted.var["_normed_means"].to_numpy(dtype=float)
    has_converged = fitted.var["_LFC_converged"].fillna(True).to_numpy(dtype=bool)
    trend = fitted.uns.get("trend_coeffs")
    return Model(
        genes=np.asarray(counts.columns, dtype=str),
        samples=np.asarray(counts.index, dtype=str),
        columns=tuple(design.matrix.columns),
        cells=design.cells,
        nested_donor=design.nested_donor,
        design=design.matrix.to_numpy(dtype=float),
        size_factors=size_factors,
        takes_part=passing,
        base_mean=base_mean,
        coefficients=spread(np.where(has_converged[:, None], fitted.varm["LFC"].to_numpy(dtype=float), np.nan)),
        dispersions=spread(fitted.var["dispersions"]),
        dispersions_gene=spread(fitted.var["genewise_dispersions"]),
        dispersions_trend=spread(fitted.var["fitted_dispersions"]),
        is_count_outlier=spread(fitted.var["_pvalue_cooks_outlier"], 0.0).astype(bool),
        has_converged=spread(has_converged, 1.0).astype(bool),
        is_searched=spread(_searched(fitted), 0.0).astype(bool),
        is_zero_in_cell=np.stack([(counts.to_numpy()[cell] == 0).all(axis=0) for cell in cells.T], axis=1),
        replaced=_replaced(counts.to_numpy(), np.flatnonzero(passing), fitted),
        trend=np.asarray([np.nan, np.nan] if trend is None else trend, dtype=float),
        mean_dispersion=float(fitted.uns.get("mean_disp", np.nan)),
        trend_problem=str(fitted.uns.get("trend_problem", "")),
    )


def _searched(fitted: Any) -> np.ndarray:
    """Genes of which a dispersion was found by search on a grid, shape (g,)."""
    ended = [fitted.var[name].fillna(True).to_numpy(dtype=bool) for name in ("_genewise_converged", "_MAP_converged")]
    return np.asarray(~(ended[0] & ended[1]))


def _replaced(counts: np.ndarray, passing: np.ndarray, fitted: Any) -> np.ndarray:
    """Sample, gene and new value of every count that was replaced as an outlier, shape (r, 3)."""
    used = fitted.layers["replaced_counts"]
    sample, gene = np.nonzero(used != counts[:, passing])
    return np.column_stack([sample, passing[gene], used[sample, gene]]).astype(int)


def _adjust(model: Model, tested: np.ndarray, pvalue: np.ndarray, fdr: float) -> np.ndarray:
    """Adjusted p-values of the tested genes; the quantiles of the filter are over all genes that take part."""
    spread = model.spread(pvalue, tested)
    adjusted = np.full(len(spread), np.nan)
    adjusted[model.takes_part] = filter_independently(
        spread[model.takes_part], model.base_mean[model.takes_part], alpha=fdr
    )
    return adjusted[tested]


def estimate_contrasts(
    model: Model,
    counts: pd.DataFrame,
    *,
    genes: pd.DataFrame,
    arms: Mapping[str, Arm],
    unit: str | None,
    extra: Mapping[str, ExtraContrast],
    fdr: float,
    threshold: float,
    threads: int,
) -> tuple[list[Contrast], dict[str, tuple[pd.DataFrame, tuple[str, ...]]]]:
    """Every contrast of the dataset on its one fit.

    Parameters
    ----------
    model
        The fit.
    counts
        Samples (n) x genes (g) in the model's order, whole numbers.
    genes
        Gene table with `symbol` and `human_symbol`, indexed by gene id in the model's order.
    arms, unit, extra
        As `contrasts.derive_contrasts` takes them.
    fdr
        Level for independent filtering.
    threshold
        log2 fold change that is part of the null; likelihood ratios test against none.
    threads
        Threads of the likelihood-ratio tests and of the shrinkage.

    Returns
    -------
    The contrasts, and for each its table and declared columns, by contrast id.
    """
    contrasts = derive_contrasts(arms, cells=model.cells, unit=unit, extra=extra)
    rows = {contrast.id: contrast_rows(contrast.rows, model.columns) for contrast in contrasts if contrast.rows}
    tests = _Tests.of(model, counts.to_numpy(), fdr=fdr, threshold=threshold, threads=threads)
    covariances = dict(zip(rows, contrast_covariances(tests.fit, list(rows.values())) if rows else [], strict=True))
    identity = model.describe_genes(genes).drop(columns="tested")
    tables: dict[str, tuple[pd.DataFrame, tuple[str, ...]]] = {}
    for contrast in contrasts:
        columns = OMNIBUS if contrast.is_omnibus else CONTRAST
        if contrast.id not in rows:
            missing = {name: np.nan for name in columns if name not in identity and name != "note"}
            tables[contrast.id] = identity.assign(**missing, note=contrast.note), columns
            continue
        estimate = _omnibus_columns if contrast.is_omnibus else _wald_columns
        found = estimate(tests, contrast, rows[contrast.id], covariances[contrast.id])
        notes = model.notes(contrast, tests.tested, found["pvalue"], found["padj"])
        spread = {name: model.spread(values, tests.tested) for name, values in found.items()}
        whole = {"df": len(rows[contrast.id])} if contrast.is_omnibus else {}
        tables[contrast.id] = identity.assign(**spread, **whole, note=notes), columns
    return contrasts, tables


@dataclass(frozen=True)
class _Tests:
    """The genes with a fit, and what every test needs of them."""

    model: Model
    tested: np.ndarray
    fit: Fit
    counts: np.ndarray
    fdr: float
    threshold: float
    threads: int

    @classmethod
    def of(cls, model: Model, counts: np.ndarray, *, fdr: float, threshold: float, threads: int) -> _Tests:
        """The tests of a model; counts (n, g) before outliers are replaced."""
        tested = model.tested
        fit = Fit(model.coefficients[tested], model.dispersions[tested], model.design, model.size_factors)
        return cls(model, tested, fit, model.with_replaced(counts)[:, tested], fdr, threshold, threads)

    def says_nothing(self, contrast: Contrast) -> np.ndarray:
        """Tested genes without a count in the samples of a contrast: no effect, p-value 1."""
        return (self.model.is_zero_everywhere(contrast) | (self.model.base_mean == 0))[self.tested]

    def pvalues(self, pvalue: np.ndarray, nothing: np.ndarray) -> np.ndarray:
        """p-values, 1 where the counts say nothing and missing for count outliers."""
        known = np.where(nothing, 1.0, pvalue)
        known[self.model.is_count_outlier[self.tested]] = np.nan
        return known


def _wald_columns(tests: _Tests, contrast: Contrast, rows: np.ndarray, covariance: np.ndarray) -> dict[str, np.ndarray]:
    """Wald test and shrunken estimate of one contrast over the tested genes."""
    from exoliver.inference.shrinkage import prior_scale, shrink_contrast

    [row], variance = rows, covariance[:, 0, 0]
    estimate, nothing = tests.fit.coefficients @ row, tests.says_nothing(contrast)
    result = wald_test(estimate, variance, threshold=tests.threshold * LOG2)
    pvalue = tests.pvalues(result.pvalue, nothing)
    scale = prior_scale(estimate[~nothing], variance[~nothing])
    shrunk, _ = shrink_contrast(tests.fit, tests.counts, row=row, scale=scale, threads=tests.threads)
    return {
        "log2_fold_change": np.where(nothing, 0.0, estimate / LOG2),
        "lfc_se": result.se / LOG2,
        "stat": np.where(nothing, 0.0, result.stat),
        "pvalue": pvalue,
        "padj": _adjust(tests.model, tests.tested, pvalue, tests.fdr),
        "shrunk_log2_fold_change": np.where(nothing, 0.0, shrunk / LOG2),
    }


def _omnibus_columns(
    tests: _Tests, contrast: Contrast, rows: np.ndarray, covariance: np.ndarray
) -> dict[str, np.ndarray]:
    """Likelihood-ratio and Wald test that several contrasts are all zero, over the tested genes."""
    from exoliver.inference.likelihood_ratio import likelihood_ratio_test

    nothing = tests.says_nothing(contrast)
    stat, pvalue = likelihood_ratio_test(tests.fit, tests.counts, rows=rows, threads=tests.threads)
    wald_stat, wald_pvalue, _ = wald_omnibus(tests.fit.coefficients @ rows.T, covariance)
    pvalue = tests.pvalues(pvalue, nothing)
    return {
        "stat": np.where(nothing, 0.0, stat),
        "pvalue": pvalue,
        "padj": _adjust(tests.model, tests.tested, pvalue, tests.fdr),
        "wald_stat": np.where(nothing, 0.0, wald_stat),
        "wald_pvalue": tests.pvalues(wald_pvalue, nothing),
    }
