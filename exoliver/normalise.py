"""The door to scanpy: normalised, log and variance-stabilised expression, and principal components."""

from __future__ import annotations

import anndata
import numpy as np
import pandas as pd

from exoliver.model import Model

PCA_GENES = 500  # most variable genes, as DESeq2's plotPCA takes
MAX_COMPONENTS = 10


def normalise_counts(
    counts: pd.DataFrame, model: Model, *, samples: pd.DataFrame, genes: pd.DataFrame
) -> anndata.AnnData:
    """Expression for quality control, scores and figures; tests use the raw counts.

    Parameters
    ----------
    counts
        Samples (n) x genes (g), whole numbers.
    model
        The fit, whose size factors and dispersion trend are used.
    samples, genes
        Their tables.

    Returns
    -------
    X and layer `normalised`: counts over size factors; layer `log`: log2(normalised + 1); layer `vst`:
    variance-stabilised expression, log2 scale. `obsm["X_pca"]` and `uns["pca"]` from the most variable fitted genes.
    """
    import scanpy

    normalised = counts.to_numpy(dtype=float) / model.size_factors[:, None]
    data = anndata.AnnData(X=normalised, obs=samples.copy(), var=genes.copy())
    data.obs["size_factor"] = model.size_factors
    data.var["is_fitted"] = model.takes_part
    data.layers["normalised"] = normalised
    data.layers["log"] = scanpy.pp.log1p(normalised.copy(), base=2)
    data.layers["vst"] = stabilise_variance(normalised, trend=model.trend, mean_dispersion=model.mean_dispersion)
    return _with_components(data, model.takes_part)


def stabilise_variance(normalised: np.ndarray, *, trend: np.ndarray, mean_dispersion: float) -> np.ndarray:
    """Variance-stabilised expression from a fitted dispersion trend.

    Parameters
    ----------
    normalised
        Counts over size factors, any shape.
    trend
        a0 and a1 of the dispersion trend a0 + a1 / mean; NaN where there is none.
    mean_dispersion
        Used where there is no trend.

    Returns
    -------
    The integral of the inverse standard deviation, scaled to log2 for large counts.

    References
    ----------
    Anders, Huber (2010), 10.1186/gb-2010-11-10-r106, section "Variance-stabilizing transformation".
    """
    if np.isnan(trend).any():
        scaled = np.sqrt(mean_dispersion * normalised)
        return (2 * np.arcsinh(scaled) - np.log(mean_dispersion) - np.log(4)) / np.log(2)
    a0, a1 = trend
    root = np.sqrt(a0 * normalised * (1 + a1 + a0 * normalised))
    return np.log2((1 + a1 + 2 * a0 * normalised + 2 * root) / (4 * a0))


def stabilised_slope(normalised: np.ndarray, *, trend: np.ndarray, mean_dispersion: float) -> np.ndarray:
    """How far `stabilise_variance` shows a small log2 fold change at a level of expression: the slope of its curve.

    Parameters
    ----------
    normalised, trend, mean_dispersion
        As `stabilise_variance` takes them.

    Returns
    -------
    Near zero for genes with hardly a count, near one for many counts; the derivative of the formula of that function.
    """
    a0, a1 = (mean_dispersion, 0.0) if np.isnan(trend).any() else trend
    return np.asarray(np.sqrt(a0 * normalised / (1 + a1 + a0 * normalised)))


def _with_components(data: anndata.AnnData, takes_part: np.ndarray) -> anndata.AnnData:
    """The same data with principal components of its samples."""
    import scanpy

    expression = data.layers["vst"][:, takes_part]
    variable = np.argsort(-expression.var(axis=0), kind="stable")[:PCA_GENES]
    view = anndata.AnnData(X=expression[:, np.sort(variable)])
    components = min(MAX_COMPONENTS, len(view) - 1, view.n_vars - 1)
    scanpy.pp.pca(view, n_comps=components, svd_solver="full")
    data.obsm["X_pca"] = np.asarray(view.obsm["X_pca"], dtype=float)
    data.uns["pca"] = {"variance_ratio": np.asarray(view.uns["pca"]["variance_ratio"], dtype=float)}
    return data
