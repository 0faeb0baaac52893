"""The fitted model of a dataset in plain arrays, to and from its two files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from exoliver.contrasts import Cell, Contrast, Weights
from exoliver.tables import UNREPLICATED, join_notes

ARRAYS = (
    "genes", "samples", "design", "size_factors", "takes_part", "base_mean", "coefficients", "dispersions",
    "dispersions_gene", "dispersions_trend", "is_count_outlier", "has_converged", "is_searched", "is_zero_in_cell",
    "replaced", "trend",
)  # fmt: skip


@dataclass(frozen=True)
class Model:
    """One negative binomial fit; g genes (those that took no part included), n samples, p columns, k cells.

    Parameters
    ----------
    genes, samples
        Ids, shapes (g,) and (n,).
    columns, cells
        Names of the design's columns; the cells, which are its first columns.
    nested_donor
        A donor column was left out, as every donor is in one arm.
    design, size_factors
        Shapes (n, p) and (n,).
    takes_part
        Genes that passed the gene filter, shape (g,).
    base_mean
        Mean normalised counts, shape (g,).
    coefficients
        Shape (g, p), natural log; NaN for genes without a fit.
    dispersions, dispersions_gene, dispersions_trend
        Final, gene-wise and trend dispersions, shape (g,).
    is_count_outlier, has_converged
        Shape (g,); whether the coefficients were found.
    is_searched
        A dispersion was found by search on a grid, as its climb did not end, shape (g,).
    is_zero_in_cell
        All counts of the cell are zero, shape (g, k).
    replaced
        Positions of sample and gene, and new value, of every count that was replaced as an outlier, shape (r, 3).
    trend
        a0 and a1 of the dispersion trend a0 + a1 / mean; NaN where the mean dispersion stands in.
    mean_dispersion
        The dispersion that stands in for a trend that could not be fitted; else NaN.
    trend_problem
        Why it could not be fitted; else empty.
    """

    genes: np.ndarray
    samples: np.ndarray
    columns: tuple[str, ...]
    cells: tuple[Cell, ...]
    nested_donor: bool
    design: np.ndarray
    size_factors: np.ndarray
    takes_part: np.ndarray
    base_mean: np.ndarray
    coefficients: np.ndarray
    dispersions: np.ndarray
    dispersions_gene: np.ndarray
    dispersions_trend: np.ndarray
    is_count_outlier: np.ndarray
    has_converged: np.ndarray
    is_searched: np.ndarray
    is_zero_in_cell: np.ndarray
    replaced: np.ndarray
    trend: np.ndarray
    mean_dispersion: float
    trend_problem: str

    @property
    def tested(self) -> np.ndarray:
        """Genes with a fit, shape (g,): they took part and have a count."""
        return np.asarray(self.takes_part & ~np.isnan(self.dispersions))

    def arrays(self) -> dict[str, np.ndarray]:
        """Everything that goes to arrays.npz."""
        return {name: getattr(self, name) for name in ARRAYS}

    def description(self) -> dict[str, Any]:
        """Everything that goes to design.json."""
        return {
            "columns": list(self.columns),
            "cells": [[cell.arm, cell.time] for cell in self.cells],
            "replicates": self.design[:, : len(self.cells)].sum(axis=0).astype(int).tolist(),
            "nested_donor": self.nested_donor,
            "residual_df": int(self.design.shape[0] - self.design.shape[1]),
            "genes_fitted": int(self.takes_part.sum()),
            "genes_filtered": int((~self.takes_part).sum()),
            "dispersion_trend": "mean" if np.isnan(self.trend).any() else "parametric",
            "mean_dispersion": None if np.isnan(self.mean_dispersion) else self.mean_dispersion,
            "trend_problem": self.trend_problem,
            "replaced_counts": len(self.replaced),
            "searched_dispersions": int(self.is_searched.sum()),
            "largest_group": int(np.unique(self.design, axis=0, return_counts=True)[1].max()),
        }

    def with_replaced(self, counts: np.ndarray) -> np.ndarray:
        """The counts that the fit rests on, samples x genes (n, g): outliers replaced."""
        used = np.array(counts)
        sample, gene, value = self.replaced.T
        used[sample, gene] = value
        return used

    def describe_genes(self, genes: pd.DataFrame) -> pd.DataFrame:
        """Every gene with gene_id, symbol, human_symbol, base_mean and whether it was tested.

        Parameters
        ----------
        genes
            Gene table indexed by gene id, with symbol and human_symbol.
        """
        named = genes.loc[self.genes, ["symbol", "human_symbol"]].reset_index(drop=True)
        return pd.DataFrame({"gene_id": self.genes}).join(named).assign(base_mean=self.base_mean, tested=self.tested)

    def spread(self, values: np.ndarray, tested: np.ndarray) -> np.ndarray:
        """Values of the tested genes over all genes, NaN elsewhere."""
        full = np.full(len(self.genes), np.nan)
        full[tested] = values
        return full

    def is_zero_everywhere(self, contrast: Contrast) -> np.ndarray:
        """No sample that the contrast speaks of has a count, shape (g,)."""
        cells = {cell for row in contrast.rows for cell in row}
        return np.asarray(self.is_zero_in_cell[:, [cell in cells for cell in self.cells]].all(axis=1))

    def is_unreplicated(self, contrast: Contrast) -> bool:
        """The contrast speaks of a cell with a single sample."""
        return self.has_single_sample(contrast.rows)

    def has_single_sample(self, rows: Iterable[Weights]) -> bool:
        """A cell that has a weight in one of several rows has a single sample."""
        replicates = dict(zip(self.cells, self.design[:, : len(self.cells)].sum(axis=0), strict=True))
        return any(replicates[cell] < 2 for row in rows for cell in row)

    def noted(self, contrasts: Iterable[Contrast]) -> list[Contrast]:
        """The contrasts, each with a note where it speaks of a cell with a single sample."""
        return [replace(one, note=self.noted_as_single(one.note, one.rows)) for one in contrasts]

    def noted_as_single(self, note: str, rows: Iterable[Weights]) -> str:
        """A note, and that a cell that has a weight in one of several rows has a single sample."""
        return join_notes(note, UNREPLICATED if self.has_single_sample(rows) else "")

    def notes(self, contrast: Contrast, tested: np.ndarray, pvalue: np.ndarray, padj: np.ndarray) -> list[str]:
        """Why a gene's numbers are missing or weak, one text for each gene; several joined by a semicolon."""
        of_contrast = [contrast.note] if contrast.note else []
        of_contrast += [UNREPLICATED] if self.is_unreplicated(contrast) else []
        has_pvalue = ~np.isnan(self.spread(pvalue, tested))
        has_padj = ~np.isnan(self.spread(padj, tested))
        reasons = [
            ("filtered", ~self.takes_part),
            ("all_zero", self.takes_part & ~tested),
            ("count_outlier", tested & self.is_count_outlier),
            ("not_converged", tested & (~self.has_converged | (~has_pvalue & ~self.is_count_outlier))),
            ("low_count", tested & has_pvalue & ~has_padj),
        ]
        code = sum(holds.astype(int) << place for place, (_, holds) in enumerate(reasons))
        texts = {
            number: ";".join(
                [*of_contrast, *(reason for place, (reason, _) in enumerate(reasons) if number >> place & 1)]
            )
            for number in np.unique(code).tolist()
        }
        return [texts[number] for number in code.tolist()]


def model_from(arrays: Mapping[str, np.ndarray], description: Mapping[str, Any]) -> Model:
    """The model from the content of its two files."""
    mean = description["mean_dispersion"]
    return Model(
        columns=tuple(description["columns"]),
        cells=tuple(Cell(arm, time) for arm, time in description["cells"]),
        nested_donor=bool(description["nested_donor"]),
        mean_dispersion=float("nan") if mean is None else float(mean),
        trend_problem=str(description["trend_problem"]),
        **{name: arrays[name] for name in ARRAYS},
    )
