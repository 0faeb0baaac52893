"""Error rates of programmes where donors are nested in arms and sampled at several times, and correlations differ."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from exoliver.linear import estimate_linear, fit_linear, joint_test
from tests.calibration.permuted import with_error

pytestmark = pytest.mark.calibration

LEVEL, LOWEST, HIGHEST = 0.05, 0.03, 0.07
DONORS, TIMES = 4, 3  # of each of two arms; of each donor
CORRELATIONS = (0.0, 0.3, 0.7)  # of the samples of a donor, programme by programme
MISSING = 5  # samples of 24: a fifth
QUESTIONS = ("effect", "averaged", "change", "omnibus")

Measured = Callable[[str, str, str], None]
Data = tuple[np.ndarray, np.ndarray, np.ndarray]


def draw(rng: np.random.Generator, *, missing: bool) -> Data:
    """Scores without any effect, one for each correlation; design of arm x time; donors. No cell loses all but one."""
    donor = np.repeat(np.arange(2 * DONORS), TIMES)
    cell = donor // DONORS * TIMES + np.tile(np.arange(TIMES), 2 * DONORS)
    between, within = np.sqrt(CORRELATIONS), np.sqrt(1 - np.array(CORRELATIONS))
    shape = (len(donor), len(CORRELATIONS))
    scores = within * rng.normal(size=shape) + between * rng.normal(size=(2 * DONORS, shape[1]))[donor]
    kept = np.full(len(donor), True)
    while missing and (kept.all() or np.bincount(cell[kept], minlength=2 * TIMES).min() < 2):
        kept = np.isin(np.arange(len(donor)), rng.choice(len(donor), MISSING, replace=False), invert=True)
    design = (cell[:, None] == np.arange(2 * TIMES)).astype(float)
    return scores[kept], design[kept], donor[kept].astype(str)


def pvalues(data: Data, *, nested: bool) -> np.ndarray:
    """Scores x questions: effect at the second time, averaged, change from first to last, any time."""
    scores, design, donors = data
    fit = fit_linear(scores, design, donors=donors if nested else None)
    effects = np.hstack([-np.eye(TIMES), np.eye(TIMES)])
    single = estimate_linear(fit, np.stack([effects[1], effects.mean(axis=0), effects[2] - effects[0]])).pvalue
    return np.column_stack([single, joint_test(fit, effects).pvalue])


def shares(*, missing: bool, nested: bool, runs: int) -> np.ndarray:
    """Share of p-values below .05, correlations x questions."""
    rng = np.random.default_rng([1, int(missing)])
    return np.mean([pvalues(draw(rng, missing=missing), nested=nested) < LEVEL for _ in range(runs)], axis=0)


@pytest.mark.parametrize("missing", [False, True])
def test_nested_donors_are_rejected_at_their_level(missing: bool) -> None:
    """150 datasets of three programmes: a share has an error of .01."""
    found = shares(missing=missing, nested=True, runs=150).mean(axis=0)
    assert ((found > LOWEST - 0.02) & (found < HIGHEST + 0.025)).all(), found


def test_samples_taken_for_independent_fail_the_same_test() -> None:
    """Averaged effects by ordinary least squares: twice as many below .05 as there should be, changes too few."""
    found = dict(zip(QUESTIONS, shares(missing=False, nested=False, runs=600)[1:].mean(axis=0), strict=True))
    assert found["averaged"] > 0.12
    assert found["change"] < 0.025


@pytest.mark.validate
@pytest.mark.parametrize("missing", [False, True])
def test_nested_donors_keep_their_level_over_many_runs(measured: Measured, missing: bool) -> None:
    """1,200 datasets: over the three correlations a share has an error of .004, for one of them .006."""
    runs = 1200
    nested, naive = (shares(missing=missing, nested=is_nested, runs=runs) for is_nested in (True, False))
    design = f"{DONORS} donors in each of 2 arms x {TIMES} times, {'a fifth missing' if missing else 'balanced'}"
    one_each = [
        (f"random intercept, correlation {rho}", row, runs, "") for rho, row in zip(CORRELATIONS, nested, strict=True)
    ]
    over_all = [
        ("random intercept, all correlations", nested.mean(axis=0), 3 * runs, ".03 to .07"),
        ("least squares, all correlations", naive.mean(axis=0), 3 * runs, "fails"),
    ]
    for label, values, draws, target in (*one_each, *over_all):
        errors = np.sqrt(values * (1 - values) / draws)
        figures = zip(QUESTIONS, map(with_error, values, errors), strict=True)
        measured(f"{design}, {label}: share of p < .05", target, ", ".join(f"{name} {text}" for name, text in figures))
    assert ((nested.mean(axis=0) > LOWEST) & (nested.mean(axis=0) < HIGHEST)).all()
    assert naive.mean(axis=0)[QUESTIONS.index("averaged")] > HIGHEST + 0.02
