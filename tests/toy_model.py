"""Seeded makers of small counts, designs and fits with known truth, for the tests of the counts model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from exoliver.contrasts import Cell
from exoliver.model import Model
from exoliver.study import Arm, ExtraContrast, Intake, each_from_plain, from_plain

RESCUE = {"chow": "healthy", "pnac": "injured", "agonist": "treated"}


def make_arms(roles: Mapping[str, str], **more: Mapping[str, Any]) -> dict[str, Arm]:
    """Arms from their roles; more keys of an arm under its name."""
    return each_from_plain(
        Arm, {name: {"role": role, "value": name} | more.get(name, {}) for name, role in roles.items()}
    )


def make_extra(content: Mapping[str, Any]) -> dict[str, ExtraContrast]:
    """Extra contrasts from plain values."""
    return each_from_plain(ExtraContrast, content)


def make_cells(times_by_arm: Mapping[str, Sequence[float | None]]) -> list[Cell]:
    """Cells that have samples."""
    return [Cell(arm, time) for arm, times in times_by_arm.items() for time in times]


def make_samples(replicates: Mapping[Cell, int]) -> pd.DataFrame:
    """Sample table with arm and time, indexed by sample."""
    cells = [cell for cell, number in replicates.items() for _ in range(number)]
    index = pd.Index([f"s{position:02d}" for position in range(1, len(cells) + 1)], name="sample")
    times = [np.nan if cell.time is None else cell.time for cell in cells]
    return pd.DataFrame({"arm": [cell.arm for cell in cells], "time": times}, index=index)


def make_intake(arms: Sequence[str], **keys: Any) -> Intake:
    """What the fit reads of a dataset: its arms, and donor or covariates among the keys."""
    files = {"counts": {"file": "counts.tsv", "identifiers": "other"}, "samples": {"file": "samples.tsv"}}
    content = {"id": "toy", "organism": "mouse", **files, "column": "arm", "levels": {arm: {} for arm in arms}}
    none = {"time": None, "donor": None, "covariates": [], "numeric_covariates": [], "series": None}
    return from_plain(Intake, content | none | keys)


def make_counts(
    samples: pd.DataFrame,
    *,
    genes: int,
    seed: int,
    shifts: Mapping[Cell, Mapping[int, float]] | None = None,
    dispersion: float = 0.08,
    depths: tuple[float, float] = (0.6, 1.6),
) -> pd.DataFrame:
    """Negative binomial counts, samples x genes.

    Parameters
    ----------
    samples
        Of `make_samples`.
    genes
        Number of genes, named g0000 and on.
    seed
        Of the draw.
    shifts
        Cell to position of the gene to its log2 shift in that cell.
    dispersion
        Limit of the dispersion trend `dispersion + 2 / mean`.
    depths
        Library sizes are drawn between these.
    """
    rng = np.random.default_rng(seed)
    means = np.exp(rng.normal(4.5, 1.4, genes))
    depth = rng.uniform(*depths, len(samples))
    expected = depth[:, None] * means
    for cell, by_gene in (shifts or {}).items():
        time = samples["time"].isna() if cell.time is None else samples["time"] == cell.time
        rows = np.flatnonzero((samples["arm"] == cell.arm) & time)
        for gene, shift in by_gene.items():
            expected[rows, gene] *= 2**shift
    size = 1 / (dispersion + 2 / means)
    counts = rng.negative_binomial(size, size / (size + expected))
    return pd.DataFrame(counts, index=samples.index, columns=[f"g{gene:04d}" for gene in range(genes)])


def make_genes(ids: Sequence[str]) -> pd.DataFrame:
    """Gene table with symbols, indexed by gene id."""
    symbols = {"symbol": [name.capitalize() for name in ids], "human_symbol": [name.upper() for name in ids]}
    return pd.DataFrame(symbols, index=pd.Index(ids, name="gene_id"), dtype=object)


def make_model(
    samples: pd.DataFrame, design: pd.DataFrame, cells: Sequence[Cell], *, genes: int = 12, seed: int = 1, **values: Any
) -> Model:
    """A fit that was made up: coefficients and dispersions drawn, no counts; `values` replace arrays by name."""
    rng = np.random.default_rng(seed)
    dispersions = rng.uniform(0.02, 0.4, genes)
    arrays: dict[str, Any] = {
        "genes": np.array([f"g{gene:04d}" for gene in range(genes)]),
        "samples": np.asarray(samples.index, dtype=str),
        "columns": tuple(design.columns),
        "cells": tuple(cells),
        "nested_donor": False,
        "design": design.to_numpy(dtype=float),
        "size_factors": rng.uniform(0.7, 1.4, len(samples)),
        "takes_part": np.full(genes, True),
        "base_mean": rng.uniform(20, 900, genes),
        "coefficients": rng.normal(4, 1, (genes, design.shape[1])),
        "dispersions": dispersions,
        "dispersions_gene": dispersions * 1.1,
        "dispersions_trend": dispersions * 0.9,
        "is_count_outlier": np.full(genes, False),
        "has_converged": np.full(genes, True),
        "is_searched": np.full(genes, False),
        "is_zero_in_cell": np.full((genes, len(cells)), False),
        "replaced": np.zeros((0, 3), dtype=int),
        "trend": np.array([0.05, 2.0]),
        "mean_dispersion": float("nan"),
        "trend_problem": "",
    }
    return Model(**(arrays | values))


def expected_counts(model: Model) -> pd.DataFrame:
    """The counts that a made-up fit would be the fit of: its means, rounded; samples x genes."""
    means = np.exp(model.coefficients @ model.design.T).T * model.size_factors[:, None]
    return pd.DataFrame(np.rint(means).astype(int), index=model.samples, columns=model.genes)
