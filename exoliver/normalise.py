"""The door to scanpy: normalised, log and variance-stabilised expression, and principal components."""

from __future__ import annotations

import anndata
import numpy as np
import pandas as pd

from exoliver.model import Model
from exoliver.variance import stabilise_variance

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
