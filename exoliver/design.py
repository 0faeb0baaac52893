"""The design matrix: one column per cell of arm and time, then donor and covariates. Knows no counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from exoliver.contrasts import Cell

MIN_RESIDUAL = 1
ROUNDING = 1e-12  # a range below this share of the largest value is that of rounding: the covariate is constant


@dataclass(frozen=True)
class Design:
    """The model of one dataset.

    Parameters
    ----------
    matrix
        Samples x columns, float; cells first, then dummies of donor and covariates (first level left out), then numeric
        covariates, each with mean 0 and standard deviation 1.
    cells
        The cells, in the order of their columns.
    terms
        Column name to what it is in words of the sample sheet.
    nested_donor
        The donor column was left out, as every donor is in one arm only, though some have several samples.
    """

    matrix: pd.DataFrame
    cells: tuple[Cell, ...]
    terms: dict[str, str]
    nested_donor: bool

    @property
    def residual_df(self) -> int:
        """Samples minus columns."""
        return self.matrix.shape[0] - self.matrix.shape[1]

    @property
    def replicates(self) -> dict[Cell, int]:
        """Samples in each cell."""
        counts = self.matrix.iloc[:, : len(self.cells)].sum(axis=0).astype(int)
        return dict(zip(self.cells, counts.tolist(), strict=True))


def build_design(
    samples: pd.DataFrame, arms: Sequence[str], *, donor: bool, covariates: Sequence[str], numeric: Sequence[str]
) -> Design:
    """Cell means of arm x time, plus donor and covariates.

    Parameters
    ----------
    samples
        One row per sample (n), with columns `arm`, `time` (NaN where an arm serves every time or there are no times),
        `donor` where it is used, and each covariate under its own name.
    arms
        Arms in the order of the YAML.
    donor
        The dataset names a donor column. A donor who is in one arm only cannot be told from it: where that holds for
        all, the column is left out; where some of them have several samples, `nested_donor` says so.
    covariates, numeric
        Columns of categorical and of numeric covariates.

    Returns
    -------
    The design; it may be rank-deficient, which `aliased_columns` tells.
    """
    cells = _cells(samples, arms)
    own = [_cell_of(row) for row in samples[["arm", "time"]].itertuples(index=False)]
    blocks = [pd.DataFrame({cell.name: [float(cell == mine) for mine in own] for cell in cells}, index=samples.index)]
    terms = {
        cell.name: f"arm {cell.arm}" + (f" at time {cell.time:g}" if cell.time is not None else "") for cell in cells
    }
    crossed = donor and bool((samples.groupby("donor")["arm"].nunique() > 1).any())
    nested = donor and not crossed and bool(samples["donor"].duplicated().any())
    for name in [*(["donor"] if crossed else []), *covariates]:
        dummies = _dummies(samples[name].astype(str), name)
        terms |= {column: f"{name} {column.removeprefix(name + '=')}" for column in dummies}
        blocks.append(dummies)
    for name in numeric:
        terms[name] = f"numeric covariate {name}"
        blocks.append(_standardised(samples[name].astype(float)).to_frame(name))
    return Design(pd.concat(blocks, axis=1), cells, terms, nested)


def _cells(samples: pd.DataFrame, arms: Sequence[str]) -> tuple[Cell, ...]:
    """Cells that have samples, by arm as in the YAML and by time."""
    present = {_cell_of(row) for row in samples[["arm", "time"]].itertuples(index=False)}
    rank = {arm: position for position, arm in enumerate(arms)}
    return tuple(sorted(present, key=lambda cell: (rank[cell.arm], -np.inf if cell.time is None else cell.time)))


def _cell_of(row: tuple[str, float]) -> Cell:
    """The cell of one sample."""
    arm, time = row
    return Cell(arm, None if pd.isna(time) else float(time))


def _standardised(values: pd.Series) -> pd.Series:
    """Values with mean 0 and standard deviation 1, whatever their unit; zeros where they are constant."""
    spread = values.max() - values.min()
    if spread <= ROUNDING * values.abs().max():
        return values * 0.0
    scaled = (values - values.mean()) / spread  # first, so that no square is too small for a float
    return scaled / scaled.std()


def _dummies(values: pd.Series, name: str) -> pd.DataFrame:
    """A column per level but the first, in the order of the sorted levels."""
    levels = sorted(values.unique())
    return pd.DataFrame(
        {f"{name}={level}": (values == level).astype(float) for level in levels[1:]}, index=values.index
    )


def aliased_columns(matrix: pd.DataFrame) -> dict[str, list[str]]:
    """Columns that are combinations of earlier ones, each with the columns that make it up.

    Parameters
    ----------
    matrix
        Samples x columns.
    """
    kept: list[str] = []
    aliased = {}
    for column in matrix.columns:
        if np.linalg.matrix_rank(matrix[[*kept, column]].to_numpy()) > len(kept):
            kept.append(column)
            continue
        weights = np.linalg.lstsq(matrix[kept].to_numpy(), matrix[column].to_numpy(), rcond=None)[0]
        aliased[column] = [name for name, weight in zip(kept, weights, strict=True) if abs(weight) > 1e-8]
    return aliased


def contrast_rows(rows: Sequence[Mapping[Cell, float]], columns: Sequence[str]) -> np.ndarray:
    """Contrast rows (degrees of freedom x columns of the design) from weights over cells."""
    matrix = np.zeros((len(rows), len(columns)))
    for position, row in enumerate(rows):
        for cell, weight in row.items():
            matrix[position, list(columns).index(cell.name)] = weight
    return matrix
