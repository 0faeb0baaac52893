"""Shared makers of the calibrations of programmes: residuals of real livers, and fresh designs that they are dealt into."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

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
# Folder, and the columns of arm and time, of the two liver datasets.
LIVERS = {
    "GSE222550": ("gse222550_mouse_liver", "photoperiod", "zt"),
    "DLPC": ("dlpc_mouse_liver", "group", None),
}


@dataclass(frozen=True)
class Livers:
    """Real livers without the means of their cells.

    Parameters
    ----------
    expression
        Variance-stabilised expression of the tested genes around the means of the cells, samples (n) x gene ids; as
        variable as samples of one cell are.
    model
        The fit of their counts.
    hallmark, shipped
        The Hallmark sets and the shipped programmes, in these genes.
    """

    expression: pd.DataFrame
    model: Model
    hallmark: Programmes
    shipped: Programmes

    @property
    def scores(self) -> dict[str, pd.DataFrame]:
        """Of both collections, samples x programmes."""
        values = self.expression.to_numpy()
        found = {"Hallmark": self.hallmark, "programmes": self.shipped}
        return {name: pd.DataFrame(values @ sets.weights, columns=sets.scored) for name, sets in found.items()}


def read_livers(shared: Path, name: str) -> Livers:
    """One of `LIVERS`, fitted as the pipeline does it."""
    folder, arm, time = LIVERS[name]
    counts, sheet = read(shared / "data" / folder)
    samples = pd.DataFrame({"arm": sheet[arm], "time": np.nan if time is None else sheet[time].astype(float)})
    model = fit_model(
        counts,
        samples,
        intake=make_intake(sorted(sheet[arm].unique())),
        gene_filter=GeneFilter(min_count=10, min_samples=None),
        threads=1,
    )
    stable = stabilised(counts, model)
    unexplained = stable - model.design @ np.linalg.lstsq(model.design, stable, rcond=None)[0]
    inflation = np.sqrt(len(stable) / (len(stable) - model.design.shape[1]))
    expression = pd.DataFrame(unexplained * inflation, index=model.samples, columns=model.genes[model.tested])
    return Livers(expression, model, programmes_of(model, "hallmark"), programmes_of(model, "programmes"))


def stabilised(counts: pd.DataFrame, model: Model) -> np.ndarray:
    """Variance-stabilised expression of the tested genes, samples x genes."""
    normalised = counts.loc[:, list(model.genes[model.tested])].to_numpy(dtype=float) / model.size_factors[:, None]
    return stabilise_variance(normalised, trend=model.trend, mean_dispersion=model.mean_dispersion)


def programmes_of(model: Model, collection: str) -> Programmes:
    """The sets of a shipped collection in a fit of mouse genes with Ensembl ids."""
    ledger = identify_genes(model.genes, identifiers="ensembl", annotation=read_annotation("mouse"))
    names = ledger.set_axis(model.genes, axis=0)[["symbol", "human_symbol"]]
    mapped, facts = map_collection(collection, "mouse", genes=model.describe_genes(names))
    return find_programmes(mapped, model, panels=panels_of(facts), size=SIZE)


def fresh_design(model: Model, arms: Sequence[str], *, times: int, replicates: int) -> Model:
    """The fit with a balanced design of its own in the place of the true one: arms x times, times 1, 2, ..."""
    cells = {Cell(arm, float(time + 1)): replicates for arm in arms for time in range(times)}
    samples = make_samples(cells)
    design = build_design(samples, list(arms), donor=False, covariates=[], numeric=[])
    return replace(
        model,
        samples=np.asarray(samples.index, dtype=str),
        columns=tuple(design.matrix.columns),
        cells=design.cells,
        design=design.matrix.to_numpy(dtype=float),
    )
