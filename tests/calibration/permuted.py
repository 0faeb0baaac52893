"""Makers that calibrations of programmes share: residuals of real livers, and designs that they are dealt into."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from exoliver.contrasts import Cell
from exoliver.design import build_design
from exoliver.differential import fit_model
from exoliver.genesets import map_collection
from exoliver.identifiers import identify_genes, read_annotation
from exoliver.model import Model
from exoliver.programmes import Programmes, find_programmes
from exoliver.ranked_sets import panels_of
from exoliver.study import GeneFilter
from exoliver.variance import stabilise_variance
from tests.calibration.test_fit_calibration import read
from tests.toy_model import make_intake, make_samples

SIZE = {"min": 10, "max": 500}  # the default study's
GENE_FILTER = GeneFilter(min_count=10, min_samples=None)
HALLMARK, SHIPPED = "hallmark", "programmes"
# Folder, and the columns of arm and time, of the two liver datasets.
LIVERS = {
    "GSE222550": ("gse222550_mouse_liver", "photoperiod", "zt"),
    "DLPC": ("dlpc_mouse_liver", "group", None),
}


@dataclass(frozen=True)
class Livers:
    """A dataset of real livers, and what is left of it without the means of its cells.

    Parameters
    ----------
    counts, samples
        As `fit_model` takes them.
    model
        Their fit.
    residuals
        Variance-stabilised expression of the tested genes around the means of the cells, shape (n, g); as variable as
        samples of one cell are.
    spread
        Standard deviation of each gene between all samples, differences of cells included, shape (g,).
    mapped
        Mapped sets and facts by collection: the Hallmark sets and the shipped programmes.
    sets, scores
        By collection: its programmes, and their scores of the residuals, samples x programmes.
    """

    counts: pd.DataFrame
    samples: pd.DataFrame
    model: Model
    residuals: np.ndarray
    spread: np.ndarray
    mapped: Mapping[str, tuple[pd.DataFrame, Mapping[str, Any]]]
    sets: Mapping[str, Programmes]
    scores: Mapping[str, pd.DataFrame]


@lru_cache
def read_livers(shared: Path, name: str) -> Livers:
    """One of `LIVERS`, fitted as the pipeline does it."""
    folder, arm, time = LIVERS[name]
    counts, sheet = read(shared / "data" / folder)
    samples = pd.DataFrame({"arm": sheet[arm], "time": np.nan if time is None else sheet[time].astype(float)})
    model = fitted(counts, samples)
    stable = stabilised(counts, model)
    unexplained = stable - model.design @ np.linalg.lstsq(model.design, stable, rcond=None)[0]
    residuals = unexplained * np.sqrt(len(stable) / (len(stable) - model.design.shape[1]))
    genes = named(model)
    mapped = {collection: map_collection(collection, "mouse", genes=genes) for collection in (HALLMARK, SHIPPED)}
    sets = {collection: programmes_of(model, *content) for collection, content in mapped.items()}
    scores = {key: pd.DataFrame(residuals @ own.weights, columns=own.scored) for key, own in sets.items()}
    return Livers(counts, samples, model, residuals, stable.std(axis=0, ddof=1), mapped, sets, scores)


def fitted(counts: pd.DataFrame, samples: pd.DataFrame) -> Model:
    """The fit with the default gene filter; arms in the order of their names."""
    intake = make_intake(sorted(samples["arm"].unique()))
    return fit_model(counts, samples, intake=intake, gene_filter=GENE_FILTER, threads=1)


def stabilised(counts: pd.DataFrame, model: Model) -> np.ndarray:
    """Variance-stabilised expression of the tested genes, samples x genes."""
    normalised = counts.loc[:, list(model.genes[model.tested])].to_numpy(dtype=float) / model.size_factors[:, None]
    return stabilise_variance(normalised, trend=model.trend, mean_dispersion=model.mean_dispersion)


def named(model: Model) -> pd.DataFrame:
    """The tested genes of a fit of mouse genes with Ensembl ids, as `map_gene_sets` takes them."""
    ids = model.genes[model.tested]
    ledger = identify_genes(ids, identifiers="ensembl", annotation=read_annotation("mouse"))
    table = ledger[["symbol", "human_symbol"]].reset_index(drop=True)
    return table.assign(gene_id=ids, base_mean=model.base_mean[model.tested], tested=True)


def programmes_of(model: Model, mapped: pd.DataFrame, facts: Mapping[str, Any]) -> Programmes:
    """The sets of a collection as a fit scores them."""
    return find_programmes(mapped, model, panels=panels_of(facts), size=SIZE)


def fresh_design(model: Model, arms: Sequence[str], *, times: int, replicates: int) -> Model:
    """The fit with a balanced design of its own in the place of the true one: arms x times 1, 2, ..."""
    samples = make_samples({Cell(arm, float(time + 1)): replicates for arm in arms for time in range(times)})
    design = build_design(samples, list(arms), donor=False, covariates=[], numeric=[])
    return replace(
        model,
        samples=np.asarray(samples.index, dtype=str),
        columns=tuple(design.matrix.columns),
        cells=design.cells,
        design=design.matrix.to_numpy(dtype=float),
    )


def with_error(value: float, error: float, *, digits: int = 3) -> str:
    """A figure with its Monte-Carlo error."""
    return f"{value:.{digits}f} ± {error:.{digits}f}"
