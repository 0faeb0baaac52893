"""The global slope of rescue for every treated arm, at each time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from exoliver.contrasts import Cell, Weights
from exoliver.fieller import Ratio
from exoliver.model import Model
from exoliver.programmes import NESTED_DONORS
from exoliver.rescue import LEVEL, Pair, rescue_class
from exoliver.rescue_slope import MIN_GENES, rescue_slope
from exoliver.tables import RESCUE_SUMMARY, join_notes, stack_tables

MIN_SAMPLES = 3  # of healthy and injured arms: the slope sets a pair of samples aside
MIN_DF = 3  # of all samples: two are those of the pair


def summarise_rescue(pairs: Sequence[Pair], expression: pd.DataFrame, *, model: Model) -> pd.DataFrame:
    """One slope over all tested genes for each pair of effects between single cells.

    Parameters
    ----------
    pairs
        Of `rescue.rescue_pairs`; averages over times are left to the programmes.
    expression
        Variance-stabilised expression, samples x gene ids.
    model
        The fit: its tested genes, and covariates and donors whose effects are taken out. Where donors with several
        samples are not in its design, samples are not independent, and there is no slope.

    Returns
    -------
    Columns `tables.RESCUE_SUMMARY`, in the order of the pairs.
    """
    genes = model.genes[model.tested]
    values = expression.loc[:, list(genes)].to_numpy(dtype=float)
    rows: list[pd.DataFrame] = []
    for pair in pairs:
        facts = {"arm": pair.arm, "time": pair.time}
        found = _slope(values, pair, model) if not (model.nested_donor and pair.injury) else NESTED_DONORS
        if np.isnan(pair.time) and any(other.injury == pair.injury for other in pairs if not np.isnan(other.time)):
            found = found if pair.injury is None else "at_each_time_only"
        numbers = {"note": found} if isinstance(found, str) else found
        rows.append(pd.DataFrame([facts | numbers]))
    whole = stack_tables(rows, RESCUE_SUMMARY)
    return whole.assign(note=whole["note"].fillna(""))


def _slope(values: np.ndarray, pair: Pair, model: Model) -> dict[str, object] | str:
    """The slope of one pair, or why there is none."""
    if pair.injury is None or pair.treatment is None:
        return pair.note
    arms = [_cell(pair.injury, -1.0), _cell(pair.injury, 1.0), _cell(pair.treatment, 1.0)]
    if None in arms:
        return "at_each_time_only"
    rows = [np.flatnonzero(model.design[:, model.cells.index(cell)] == 1) for cell in arms if cell]
    healthy, injured, treated = (values[own] for own in rows)
    if min(len(healthy), len(injured)) < MIN_SAMPLES or len(treated) < 1:
        return "too_few_samples"
    nuisance = model.design[np.concatenate(rows)][:, len(model.cells) :]
    within = nuisance - np.concatenate([np.tile(part.mean(axis=0), (len(part), 1)) for part in _parts(nuisance, rows)])
    moving = np.linalg.matrix_rank(within) if nuisance.size else 0
    if len(nuisance) - len(arms) - moving < MIN_DF:
        return "too_few_samples"
    if nuisance.size and np.linalg.matrix_rank(nuisance - nuisance.mean(axis=0)) > moving:
        return "covariates_confounded"
    found = rescue_slope(healthy, injured, treated=treated, nuisance=nuisance, level=LEVEL)
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
        "note": join_notes(pair.note, "few_genes" if found.genes < MIN_GENES else ""),
    }


def _parts(values: np.ndarray, rows: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Rows of each arm, of rows that stand arm after arm."""
    return np.split(values, np.cumsum([len(own) for own in rows])[:-1])


def _cell(weights: Weights, sign: float) -> Cell | None:
    """The one cell with this weight; None where the weights are spread over several."""
    cells = [cell for cell, weight in weights.items() if np.isclose(weight, sign)]
    return cells[0] if len(cells) == 1 and len(weights) == 2 else None
