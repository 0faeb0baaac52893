"""The door to PyDESeq2: one negative binomial fit per dataset, and every contrast on that fit."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from exoliver.contrasts import Contrast, derive_contrasts
from exoliver.design import Design, build_design, contrast_rows
from exoliver.gene_filter import takes_part
from exoliver.inference.filtering import filter_independently
from exoliver.inference.refit import refit_coefficients
from exoliver.inference.wald import Fit, contrast_covariances, wald_omnibus, wald_test
from exoliver.model import Model
from exoliver.study import Arm, ExtraContrast, GeneFilter, Intake
from exoliver.tables import CONTRAST, OMNIBUS

LOG2 = float(np.log(2))
LRT_NOTE = "lrt_not_built"


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
        Processes that PyDESeq2 may use.

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
    """PyDESeq2's data set after its whole fit."""
    from pydeseq2.dds import DeseqDataSet
    from pydeseq2.default_inference import DefaultInference

    with warnings.catch_warnings():
        # PyDESeq2 0.5.4 with anndata 0.12 warns of its own use of deprecated calls.
        warnings.simplefilter("ignore", FutureWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        fitted = DeseqDataSet(
            counts=counts,
            metadata=pd.DataFrame({"sample": counts.index}, index=counts.index),
            design=design.matrix,
            refit_cooks=True,
            inference=DefaultInference(n_cpus=threads),
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
    coefficients = _coefficients(fitted, design, size_factors)
    converged = fitted.var["_MAP_converged"].fillna(True).astype(bool) & np.isfinite(coefficients).all(axis=1)
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
        coefficients=spread(coefficients),
        dispersions=spread(fitted.var["dispersions"]),
        dispersions_gene=spread(fitted.var["genewise_dispersions"]),
        dispersions_trend=spread(fitted.var["fitted_dispersions"]),
        is_count_outlier=spread(_outliers(fitted), 0.0).astype(bool),
        has_converged=spread(converged, 1.0).astype(bool),
        is_zero_in_cell=np.stack([(counts.to_numpy()[cell] == 0).all(axis=0) for cell in cells.T], axis=1),
        trend=np.asarray([np.nan, np.nan] if trend is None else trend, dtype=float),
        mean_dispersion=float(fitted.uns.get("mean_disp", np.nan)),
    )


def _coefficients(fitted: Any, design: Design, size_factors: np.ndarray) -> np.ndarray:
    """Coefficients of the fitted genes (g, p), natural log; NaN where no maximum was found.

    PyDESeq2 0.5.4 returns whatever its last optimiser left where none converged, at times far from the maximum; these
    genes are fitted again. Genes whose outliers were replaced have had a second fit already.
    """
    coefficients = np.array(fitted.varm["LFC"], dtype=float)
    refitted = fitted.var["refitted"].to_numpy(dtype=bool) if "refitted" in fitted.var else False
    poor = ~fitted.var["_LFC_converged"].fillna(True).to_numpy(dtype=bool) & ~np.asarray(refitted)
    coefficients[poor] = refit_coefficients(
        np.asarray(fitted.X)[:, poor],
        design.matrix.to_numpy(dtype=float),
        size_factors=size_factors,
        dispersions=fitted.var["dispersions"].to_numpy(dtype=float)[poor],
    )
    return coefficients


def _outliers(fitted: Any) -> np.ndarray:
    """Genes whose p-value is set missing for a count outlier.

    PyDESeq2 0.5.4 keeps the old distances of genes that are all zero once their outliers are replaced, which leaves no
    outlier: their effect is zero, as in DESeq2.
    """
    outliers = np.array(fitted.cooks_outlier(), dtype=bool)
    emptied = getattr(fitted, "new_all_zeroes_genes", pd.Index([]))
    outliers[fitted.var_names.isin(emptied)] = False
    return outliers


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
    genes: pd.DataFrame,
    *,
    arms: Mapping[str, Arm],
    unit: str | None,
    extra: Mapping[str, ExtraContrast],
    fdr: float,
    threshold: float,
) -> tuple[list[Contrast], dict[str, tuple[pd.DataFrame, tuple[str, ...]]]]:
    """Every contrast of the dataset on its one fit.

    Parameters
    ----------
    model
        The fit.
    genes
        Gene table with `symbol` and `human_symbol`, indexed by gene id in the model's order.
    arms, unit, extra
        As `contrasts.derive_contrasts` takes them.
    fdr
        Level for independent filtering.
    threshold
        log2 fold change that is part of the null.

    Returns
    -------
    The contrasts, and for each its table and declared columns, by contrast id.
    """
    contrasts = derive_contrasts(arms, cells=model.cells, unit=unit, extra=extra)
    estimable = [contrast for contrast in contrasts if contrast.rows]
    rows = {contrast.id: contrast_rows(contrast.rows, model.columns) for contrast in estimable}
    tested = model.takes_part & ~np.isnan(model.dispersions)
    fit = Fit(model.coefficients[tested], model.dispersions[tested], model.design, model.size_factors)
    covariances = dict(zip(rows, contrast_covariances(fit, list(rows.values())) if rows else [], strict=True))
    tables: dict[str, tuple[pd.DataFrame, tuple[str, ...]]] = {}
    for contrast in contrasts:
        identity = model.describe_genes(genes).drop(columns="tested")
        if contrast.id not in rows:
            tables[contrast.id] = _not_estimable(identity, contrast)
        elif contrast.is_omnibus:
            values = (fit.coefficients @ rows[contrast.id].T, covariances[contrast.id])
            tables[contrast.id] = _omnibus_table(identity, model, contrast, tested, values, fdr)
        else:
            variance = covariances[contrast.id][:, 0, 0]
            estimate = fit.coefficients @ rows[contrast.id][0]
            tables[contrast.id] = _wald_table(identity, model, contrast, tested, (estimate, variance), fdr, threshold)
    return contrasts, tables


def _not_estimable(identity: pd.DataFrame, contrast: Contrast) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """A table of missing numbers with the reason."""
    columns = OMNIBUS if contrast.is_omnibus else CONTRAST
    missing = {name: np.nan for name in columns if name not in identity and name != "note"}
    return identity.assign(**missing, note=contrast.note), columns


def _wald_table(
    identity: pd.DataFrame,
    model: Model,
    contrast: Contrast,
    tested: np.ndarray,
    values: tuple[np.ndarray, np.ndarray],
    fdr: float,
    threshold: float,
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Wald test of one contrast over all genes."""
    result = wald_test(*values, threshold=threshold * LOG2)
    zero = model.is_zero_everywhere(contrast)[tested]
    pvalue = np.where(zero, 1.0, result.pvalue)
    pvalue[model.is_count_outlier[tested]] = np.nan
    padj = _adjust(model, tested, pvalue, fdr)
    table = identity.assign(
        log2_fold_change=model.spread(np.where(zero, 0.0, result.estimate / LOG2), tested),
        lfc_se=model.spread(result.se / LOG2, tested),
        stat=model.spread(np.where(zero, 0.0, result.stat), tested),
        pvalue=model.spread(pvalue, tested),
        padj=model.spread(padj, tested),
        shrunk_log2_fold_change=np.nan,
    )
    return table.assign(note=model.notes(contrast, tested, pvalue, padj)), CONTRAST


def _omnibus_table(
    identity: pd.DataFrame,
    model: Model,
    contrast: Contrast,
    tested: np.ndarray,
    values: tuple[np.ndarray, np.ndarray],
    fdr: float,
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Wald test of several degrees of freedom over all genes."""
    stat, pvalue, df = wald_omnibus(*values)
    zero = model.is_zero_everywhere(contrast)[tested]
    pvalue = np.where(zero, 1.0, pvalue)
    pvalue[model.is_count_outlier[tested]] = np.nan
    padj = _adjust(model, tested, pvalue, fdr)
    table = identity.assign(
        df=df,
        stat=np.nan,
        pvalue=np.nan,
        padj=np.nan,
        wald_stat=model.spread(np.where(zero, 0.0, stat), tested),
        wald_pvalue=model.spread(pvalue, tested),
        wald_padj=model.spread(padj, tested),
    )
    notes = model.notes(contrast, tested, pvalue, padj)
    return table.assign(note=[";".join(filter(None, [LRT_NOTE, note])) for note in notes]), OMNIBUS
