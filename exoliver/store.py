"""The door to anndata (.h5ad), and model arrays to and from .npz; never pickle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from exoliver.model import Model, model_from
from exoliver.tables import read_json, write_json

if TYPE_CHECKING:
    import anndata  # takes most of a second to load, which stages that read plain arrays are spared


@dataclass(frozen=True)
class Expression:
    """Normalised expression of a dataset; tables indexed by sample and gene, matrices samples x genes.

    Parameters
    ----------
    samples, genes
        Sample table (with `size_factor`) and gene table.
    normalised, vst
        Counts over size factors; variance-stabilised expression (log2 scale).
    components
        Principal components of the samples, shape (n, c), and the share of variance of each, shape (c,).
    """

    samples: pd.DataFrame
    genes: pd.DataFrame
    normalised: pd.DataFrame
    vst: pd.DataFrame
    components: np.ndarray
    variance_ratio: np.ndarray


def write_counts(path: str | Path, counts: pd.DataFrame, *, samples: pd.DataFrame, genes: pd.DataFrame) -> None:
    """Write counts (samples x genes) with their tables, indexed alike."""
    import anndata

    write_data(path, anndata.AnnData(X=counts.to_numpy(), obs=samples, var=genes))


def write_data(path: str | Path, data: anndata.AnnData) -> None:
    """Write samples x genes with their tables; the file appears whole or not at all."""
    import anndata

    plain = anndata.AnnData(
        X=data.X,
        obs=_plain(data.obs),
        var=_plain(data.var),
        layers=dict(data.layers),
        obsm=dict(data.obsm),
        uns=data.uns,
    )
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.part")
    plain.write_h5ad(beside, convert_strings_to_categoricals=False, compression="gzip", compression_opts=4)
    beside.replace(target)


def _plain(table: pd.DataFrame) -> pd.DataFrame:
    """Text columns as plain strings, missing ones empty, so that no categorical or nullable type reaches the file."""
    plain = table.copy()
    plain.index = plain.index.astype(str)
    for column in plain.columns:
        if not is_numeric_dtype(plain[column]):
            plain[column] = plain[column].astype("string").fillna("").astype(object)
    return plain


def _missing(table: pd.DataFrame) -> pd.DataFrame:
    """The table with empty texts as missing ones, as they were before they were written."""
    texts = {name: table[name].astype(object) for name in table.columns if not is_numeric_dtype(table[name])}
    return table.assign(**{name: column.where(column != "", None) for name, column in texts.items()})


def read_counts(path: str | Path) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Counts (samples x genes), sample table and gene table of a `counts.h5ad`."""
    import anndata

    data = anndata.read_h5ad(path)
    counts = pd.DataFrame(np.asarray(data.X), index=data.obs_names, columns=data.var_names)
    return counts, _missing(data.obs), _missing(data.var)


def read_expression(path: str | Path) -> Expression:
    """Normalised expression of a `normalised.h5ad`."""
    import anndata

    data = anndata.read_h5ad(path)

    def layer(name: str) -> pd.DataFrame:
        return pd.DataFrame(np.asarray(data.layers[name]), index=data.obs_names, columns=data.var_names)

    return Expression(
        samples=_missing(data.obs),
        genes=_missing(data.var),
        normalised=layer("normalised"),
        vst=layer("vst"),
        components=np.asarray(data.obsm["X_pca"]),
        variance_ratio=np.asarray(data.uns["pca"]["variance_ratio"]),
    )


def write_model(model: Model, arrays: str | Path, *, design: str | Path) -> None:
    """Write a model into its two files."""
    write_arrays(arrays, model.arrays())
    write_json(model.description(), design)


def read_model(arrays: str | Path, design: str | Path) -> Model:
    """The model of two files."""
    return model_from(read_arrays(arrays), read_json(design))


def write_arrays(path: str | Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write plain arrays by name; text as unicode arrays. The file appears whole or not at all."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.part")
    plain: dict[str, Any] = {name: np.asarray(array) for name, array in arrays.items()}
    with beside.open("wb") as stream:
        np.savez_compressed(stream, **plain)
    beside.replace(target)


def read_arrays(path: str | Path) -> dict[str, np.ndarray]:
    """Plain arrays by name; pickled objects are refused."""
    with np.load(path, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}
