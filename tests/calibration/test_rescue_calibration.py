"""Fractions restored of programmes against planted truth: residuals of DLPC livers dealt into three arms of four."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from exoliver.contrasts import derive_contrasts
from exoliver.fieller import INJURY_NOT_DETECTED, OK
from exoliver.linear import estimate_linear, fit_linear
from exoliver.programmes import fit_programmes
from exoliver.rescue import rescue_pairs, rescue_programmes, restored_fraction
from tests.calibration.permuted import HALLMARK, Livers, fresh_design, read_livers, with_error
from tests.toy_model import RESCUE, make_arms

pytestmark = pytest.mark.calibration

DESIGN = np.kron(np.eye(3), np.ones((4, 1)))  # healthy, injured, treated
ROWS = np.array([[-1.0, 1, 0], [0, -1, 1]])  # injury, treatment
TRUTHS, SIZES = (0.0, 0.5, 1.0), (5.0, 8.0)  # fraction restored; true injury effect in true standard errors
BIAS, COVERAGE, FALSE = 0.05, (0.93, 0.97), 0.02  # targets: at most, within, at most

Measured = Callable[[str, str, str], None]


@dataclass(frozen=True)
class Found:
    """What was found of planted truth; arrays of runs x programmes.

    Parameters
    ----------
    ratio
        NaN where no injury is detected.
    is_covered
        The interval holds the truth; one without bounds does.
    is_ok
        A point value is given.
    """

    ratio: np.ndarray
    is_covered: np.ndarray
    is_ok: np.ndarray

    def bias(self, truth: float, *, ok: bool) -> tuple[float, float]:
        """Mean error of the ratios, of all or of point values, with its Monte-Carlo error."""
        return _mean_over_runs(np.where(self.is_ok | (not ok), self.ratio - truth, np.nan))

    def coverage(self, *, ok: bool) -> tuple[float, float]:
        """Share of intervals that hold the truth, with its Monte-Carlo error."""
        return _mean_over_runs(np.where(self.is_ok | (not ok), self.is_covered, np.nan))


def _mean_over_runs(values: np.ndarray) -> tuple[float, float]:
    """Mean, and its error where the programmes of a run depend on each other."""
    sums, counts = np.nansum(values, axis=1), np.isfinite(values).sum(axis=1)
    mean = sums.sum() / counts.sum()
    return float(mean), float(np.sqrt(((sums - mean * counts) ** 2).sum()) / counts.sum())


def shifts_of(scores: np.ndarray, size: float, truth: float) -> np.ndarray:
    """What arms differ by, so that the injury effect is `size` true errors and a share `truth` of it is restored."""
    injury = size * np.sqrt((scores**2).mean(axis=0) * (1 / 4 + 1 / 4))
    return DESIGN @ np.stack([0 * injury, injury, (1 - truth) * injury])


def restored(livers: Livers, *, size: float, truth: float, runs: int) -> Found:
    """Fractions restored of the 50 Hallmark sets in many runs."""
    scores = livers.scores[HALLMARK].to_numpy()
    rng = np.random.default_rng([1, int(size), int(10 * truth)])
    shifts = shifts_of(scores, size, truth)
    found = []
    for _ in range(runs):
        dealt = scores[rng.permutation(len(scores))[: len(DESIGN)]]
        effects = estimate_linear(fit_linear(dealt + shifts, DESIGN), ROWS)
        ratio = restored_fraction(effects)
        is_lost = ratio.state == INJURY_NOT_DETECTED
        point = np.where(is_lost, np.nan, -effects.estimate[:, 1] / effects.estimate[:, 0])
        covered = is_lost | ((ratio.low <= truth) & (ratio.high >= truth))
        found.append((point, covered, ratio.state == OK))
    return Found(*(np.stack(part) for part in zip(*found, strict=True)))


def test_the_table_holds_the_fractions_that_are_calibrated(shared: Path) -> None:
    """`rescue_programmes` on fitted programmes says what `restored_fraction` says of bare scores."""
    livers = read_livers(shared, "DLPC")
    model = fresh_design(livers.model, list(RESCUE), times=1, replicates=4)
    scores = livers.scores[HALLMARK].iloc[:12] + shifts_of(livers.scores[HALLMARK].to_numpy(), 8.0, 0.5)
    sets = livers.sets[HALLMARK]
    fit = fit_programmes(scores, model, attenuation=sets.attenuation, companions=scores, donors=None)
    pairs = rescue_pairs(derive_contrasts(make_arms(RESCUE), cells=model.cells, unit="day", extra={}))
    table = rescue_programmes(fit, pairs[:1], programmes=sets.table, fdr=0.05)
    table = table[table["programme"].isin(sets.scored)]
    ratio = restored_fraction(estimate_linear(fit_linear(scores.to_numpy(), DESIGN), ROWS))
    for column, values in (("fraction_restored", ratio.value), ("ci_low", ratio.low), ("ci_high", ratio.high)):
        np.testing.assert_allclose(table[column].to_numpy(dtype=float), values, rtol=1e-9)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("truth", TRUTHS)
def test_fractions_restored_are_near_the_truth(shared: Path, size: float, truth: float) -> None:
    """150 runs of 50 programmes that move together: a bias has an error of up to .02, a coverage one of .01."""
    found = restored(read_livers(shared, "DLPC"), size=size, truth=truth, runs=150)
    assert abs(found.bias(truth, ok=True)[0]) < BIAS + 0.04
    assert COVERAGE[0] - 0.03 < found.coverage(ok=False)[0] < COVERAGE[1] + 0.03


@pytest.mark.validate
@pytest.mark.parametrize("size", [4.0, *SIZES])
@pytest.mark.parametrize("truth", TRUTHS)
def test_fractions_restored_are_near_the_truth_over_many_runs(
    shared: Path, measured: Measured, size: float, truth: float
) -> None:
    """1,500 runs of 50 programmes; of all, and of those with a point value: an observed injury of four errors.

    Where the true injury is four errors too, those are the ones that chance made larger: that is told, not asked.
    """
    found = restored(read_livers(shared, "DLPC"), size=size, truth=truth, runs=1500)
    for ok, which in ((False, "all"), (True, f"observed >= 4 ({found.is_ok.mean():.0%})")):
        (bias, *bias_error), (coverage, *coverage_error) = found.bias(truth, ok=ok), found.coverage(ok=ok)
        measured(
            f"injury of {size:g} errors, truth {truth:g}, {which}",
            f"bias within ± {BIAS}, coverage .93 to .97" if size in SIZES else "",
            f"bias {with_error(bias, *bias_error)}, coverage {with_error(coverage, *coverage_error)}",
        )
        if size in SIZES:
            assert abs(bias) <= BIAS
            assert COVERAGE[0] < coverage < COVERAGE[1]


@pytest.mark.parametrize("runs", [100, pytest.param(1500, marks=pytest.mark.validate)])
def test_without_an_injury_there_is_hardly_a_point_value(shared: Path, measured: Measured, runs: int) -> None:
    """At most one in fifty programmes; over many runs it is one in five hundred."""
    found = restored(read_livers(shared, "DLPC"), size=0.0, truth=0.0, runs=runs)
    share, error = _mean_over_runs(found.is_ok.astype(float))
    assert share <= FALSE
    if runs > 100:
        measured("no injury planted: point values", f"<= {FALSE}", with_error(share, error, digits=4))
