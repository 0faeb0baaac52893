"""The global slope of rescue for every treated arm, at each time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from exoliver.contrasts import Cell, Weights
from exoliver.fieller import Ratio
from exoliver.model import Model
from exoliver.rescue import LEVEL, Pair, rescue_class
from exoliver.rescue_slope import MIN_GENES, rescue_slope
from exoliver.tables import RESCUE_SUMMARY

MIN_SAMPLES = 3  # of healthy and injured arms: the slope sets a pair of samples aside


def summarise_rescue(pairs: Sequence[Pair], expression: pd.DataFrame, *, model: Model, is_nested: bool) -> pd.DataFrame:
    """One slope over all tested genes for each pair of effects between single cells.

    Parameters
    ----------
    pairs
        Of `rescue.rescue_pairs`; averages over times are left to the programmes.
    expression
        Variance-stabilised expression, samples x gene ids.
    model
        The fit: its tested genes, and covariates whose effects are taken out before.
    is_nested
        Donors with several samples are not in the design: samples are not independent, and there is no slope.

    Returns
    -------
    Columns `tables.RESCUE_SUMMARY`, in the order of the pairs.
    """
    genes = model.genes[model.tested]
    values = _without_covariates(expression.loc[:, list(genes)].to_numpy(dtype=float), model)
    rows = [pd.DataFrame(columns=list(RESCUE_SUMMARY))]
    for pair in pairs:
        facts = {"arm": pair.arm, "time": pair.time}
        found = _slope(values, pair, model) if not is_nested else "nested_donors"
        numbers = {"note": found} if isinstance(found, str) else found
        rows.append(pd.DataFrame([facts | numbers]).reindex(columns=list(RESCUE_SUMMARY)))
    whole = pd.concat(rows[1:], ignore_index=True) if len(rows) > 1 else rows[0]
    return whole.assign(note=whole["note"].fillna(""))


def _without_covariates(values: np.ndarray, model: Model) -> np.ndarray:
    """Expression without the effects of the design's columns beside the cells."""
    cells = len(model.cells)
    effects = np.linalg.lstsq(model.design, values, rcond=None)[0]
    return np.asarray(values - model.design[:, cells:] @ effects[cells:])


def _slope(values: np.ndarray, pair: Pair, model: Model) -> dict[str, object] | str:
    """The slope of one pair, or why there is none."""
    if pair.injury is None or pair.treatment is None:
        return pair.note
    arms = [_cell(pair.injury, -1.0), _cell(pair.injury, 1.0), _cell(pair.treatment, 1.0)]
    if None in arms:
        return "at_each_time_only"
    healthy, injured, treated = (values[model.design[:, model.cells.index(cell)] == 1] for cell in arms if cell)
    if min(len(healthy), len(injured)) < MIN_SAMPLES or len(treated) < 1:
        return "too_few_samples"
    columns = model.design.shape[1] - len(model.cells)
    if len(healthy) + len(injured) + len(treated) - 3 - columns < 1:
        return "too_few_samples"
    found = rescue_slope(healthy, injured, treated=treated, columns_used=columns, level=LEVEL)
    ratio = Ratio(*(np.array([value]) for value in (found.value, found.low, found.high, found.state)))
    return {
        "slope": found.value,
        "ci_low": found.low,
        "ci_high": found.high,
        "ci_jackknife_low": found.jackknife_low,
        "ci_jackknife_high": found.jackknife_high,
        "injury_over_se": found.injury / found.injury_se,
        "genes": found.genes,
        "class": rescue_class(ratio)[0],
        "note": ";".join(filter(None, [pair.note, "few_genes" if found.genes < MIN_GENES else ""])),
    }


def _cell(weights: Weights, sign: float) -> Cell | None:
    """The one cell with this weight; None where the weights are spread over several."""
    cells = [cell for cell, weight in weights.items() if np.isclose(weight, sign)]
    return cells[0] if len(cells) == 1 and len(weights) == 2 else None
