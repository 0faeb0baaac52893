"""What the rescue slope finds where the restored share is known: real residuals of livers, with an injury planted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exoliver.differential import fit_model
from exoliver.fieller import INJURY_NOT_DETECTED, OK
from exoliver.rescue_slope import Slope, rescue_slope
from exoliver.study import GeneFilter
from exoliver.variance import stabilise_variance
from tests.calibration.test_fit_calibration import read
from tests.toy_model import make_intake

pytestmark = pytest.mark.calibration

LEVEL = 0.95
GENES = 2000
BIAS, COVERAGE, FALSE = 0.05, (0.92, 0.985), 0.02  # targets: at most, within, at most
TRUTHS = (0.0, 0.5, 1.0)
STRONG, WEAK, NONE = (0.2, 3.0), (0.1, 2.0), (0.0, 0.0)  # share of genes injured; by how many standard deviations
PASSES = 2.0  # t from which a gene counts for the naive slope of injured genes
BATCH, UNBALANCED = 0.3, 2.0  # of a covariate: log2 for each unit, spread over genes; how much more the injured have

Measured = Callable[[str, str, str], None]


@dataclass(frozen=True)
class Tissue:
    """Samples x genes: what is left of expression without arms; the mean and standard deviation of each gene."""

    residuals: np.ndarray
    mean: np.ndarray
    spread: np.ndarray


@pytest.fixture(scope="module")
def tissue(shared: Path) -> Tissue:
    """The 20 livers of DLPC, variance-stabilised, of genes that are tested; residuals have the variance of samples."""
    counts, sheet = read(shared / "data" / "dlpc_mouse_liver")
    samples = pd.DataFrame({"arm": sheet["group"], "time": np.nan})
    model = fit_model(
        counts,
        samples,
        intake=make_intake(sorted(sheet["group"].unique())),
        gene_filter=GeneFilter(min_count=10, min_samples=None),
        threads=1,
    )
    normalised = counts.loc[list(model.samples), list(model.genes)].to_numpy(dtype=float) / model.size_factors[:, None]
    stable = stabilise_variance(normalised, trend=model.trend, mean_dispersion=model.mean_dispersion)
    table = pd.DataFrame(stable[:, model.takes_part])
    arm = samples.loc[list(model.samples), "arm"].to_numpy()
    residuals = (table - table.groupby(arm).transform("mean")) * np.sqrt(len(table) / (len(table) - 3))
    return Tissue(residuals.to_numpy(), table.mean().to_numpy(), residuals.std(ddof=0).to_numpy())


def deal(
    tissue: Tissue, rng: np.random.Generator, *, samples: int, planted: tuple[float, float], truth: float
) -> list[np.ndarray]:
    """Healthy, injured and treated livers: residuals dealt anew, an injury planted, a share of it taken back."""
    share, size = planted
    genes = rng.choice(tissue.residuals.shape[1], GENES, replace=False)
    livers = rng.permutation(len(tissue.residuals))[: 3 * samples]
    injury = np.zeros(GENES)
    injured = rng.choice(GENES, int(share * GENES), replace=False)
    injury[injured] = size * tissue.spread[genes[injured]] * rng.choice([-1, 1], len(injured))
    noise = np.split(tissue.mean[genes] + tissue.residuals[np.ix_(livers, genes)], 3)
    return [part + shift for part, shift in zip(noise, (0.0, injury, (1 - truth) * injury), strict=True)]


def naive_slopes(arms: list[np.ndarray]) -> tuple[float, float]:
    """Least-squares slope of what is undone on the injury: over all genes, and over those that pass a t-test."""
    healthy, injured, treated = arms
    injury, undone = injured.mean(axis=0) - healthy.mean(axis=0), injured.mean(axis=0) - treated.mean(axis=0)
    error = np.sqrt(healthy.var(axis=0, ddof=1) / len(healthy) + injured.var(axis=0, ddof=1) / len(injured))
    passes = np.abs(injury) > PASSES * error
    return float(undone @ injury / (injury @ injury)), float(
        undone[passes] @ injury[passes] / (injury[passes] ** 2).sum()
    )


def slope_with(arms: list[np.ndarray], rng: np.random.Generator, covariate: str) -> Slope:
    """The slope: as is, or with an unbalanced covariate that is `given`, or `removed` from all samples before."""
    number = len(arms[0])
    if covariate == "none":
        healthy, injured, treated = arms
        return rescue_slope(healthy, injured, treated=treated, level=LEVEL)
    column = rng.normal(size=(3 * number, 1)) + np.repeat([0.0, UNBALANCED, 0.0], number)[:, None]
    whole = np.concatenate(arms) + column @ rng.normal(0, BATCH, (1, GENES))
    if covariate == "given":
        healthy, injured, treated = np.split(whole, 3)
        return rescue_slope(healthy, injured, treated=treated, nuisance=column, level=LEVEL)
    design = np.column_stack([np.kron(np.eye(3), np.ones((number, 1))), column])
    slopes, *_ = np.linalg.lstsq(design, whole, rcond=None)
    healthy, injured, treated = np.split(whole - column @ slopes[3:], 3)
    return rescue_slope(healthy, injured, treated=treated, columns_used=1, level=LEVEL)


def run_slope(
    runs: int,
    seed: int,
    *,
    tissue: Tissue,
    samples: int,
    planted: tuple[float, float],
    truth: float,
    covariate: str = "none",
) -> dict[str, float]:
    """Measured over runs of three arms of so many samples.

    `ok` and `undetected` are shares of runs; `bias`, with its error, is that of the value where there is one;
    `coverage` is over all runs with an interval, `jackknife` over those with a value; `naive` and `naive_passing` are
    biases.
    """
    rng = np.random.default_rng(seed)
    slopes, naive = [], []
    for _ in range(runs):
        arms = deal(tissue, rng, samples=samples, planted=planted, truth=truth)
        slopes.append(slope_with(arms, rng, covariate))
        naive.append(naive_slopes(arms))
    table = pd.DataFrame(slopes)
    is_ok, has_interval = table["state"] == OK, table["state"] != INJURY_NOT_DETECTED
    values, biases = table.loc[is_ok, "value"], np.nanmean(naive, axis=0) - truth
    bounds = table[["low", "high"]].to_numpy()
    return {
        "ok": float(is_ok.mean()),
        "undetected": float(1 - has_interval.mean()),
        "bias": float(values.mean() - truth),
        "bias_error": float(values.sem()),
        "coverage": float(table[has_interval].eval("low <= @truth <= high").mean()),
        "jackknife": float(table[is_ok].eval("jackknife_low <= @truth <= jackknife_high").mean()),
        "width": float(np.nanmedian(bounds[:, 1] - bounds[:, 0])),
        "naive": float(biases[0]),
        "naive_passing": float(biases[1]),
    }


@pytest.mark.parametrize("samples", [4, 3])
def test_a_planted_share_is_found_without_bias(tissue: Tissue, samples: int) -> None:
    """A fifth of the genes injured by three standard deviations; the naive slopes fail the same test.

    Of 100 runs, an interval that covers .95 covers at least .90 with a chance of .99.
    """
    for truth in TRUTHS:
        found = run_slope(100, 41, tissue=tissue, samples=samples, planted=STRONG, truth=truth)
        assert found["ok"] == 1
        assert abs(found["bias"]) <= BIAS
        assert found["coverage"] >= 0.90
        assert found["jackknife"] >= 0.93
        assert (min(abs(found["naive"]), abs(found["naive_passing"])) > BIAS) == (truth != 0.5)


def test_the_naive_slope_is_drawn_to_a_half(tissue: Tissue) -> None:
    """A tenth of the genes injured by two standard deviations: .28 too high where nothing is restored; ours is not."""
    found = run_slope(100, 42, tissue=tissue, samples=4, planted=WEAK, truth=0.0)
    assert 0.22 < found["naive"] < 0.34
    assert found["naive_passing"] > 2 * BIAS
    # Its error over 100 runs is .03, with a value in two of three.
    assert abs(found["bias"]) <= BIAS + 2 * found["bias_error"]
    assert found["coverage"] >= 0.90


@pytest.mark.parametrize("samples", [4, 3])
def test_without_an_injury_there_is_no_value(tissue: Tissue, samples: int) -> None:
    """In at most .02 of 300 runs; and one in forty has an interval, as a one-sided test at .025."""
    found = run_slope(300, 43, tissue=tissue, samples=samples, planted=NONE, truth=0.0)
    assert found["ok"] <= FALSE
    assert found["undetected"] >= 0.95


def test_an_unbalanced_covariate_has_to_be_given(tissue: Tissue) -> None:
    """Regressed out of all samples before, it ties those that were left out to the others: the same test fails."""
    given, removed = (
        run_slope(60, 44, tissue=tissue, samples=4, planted=STRONG, truth=0.0, covariate=covariate)
        for covariate in ("given", "removed")
    )
    assert abs(given["bias"]) <= BIAS < removed["bias"] - 2 * removed["bias_error"]
    assert given["coverage"] >= 0.88  # of 60 runs, .95 is that with a chance of .99
    assert removed["coverage"] < 0.75


def told(found: dict[str, float]) -> str:
    """One row of what was measured."""
    return (
        f"bias {found['bias']:+.3f} (error {found['bias_error']:.3f}, value in {found['ok']:.3f} of runs), "
        f"coverage {found['coverage']:.3f}, jackknife {found['jackknife']:.3f}, median width {found['width']:.2f}; "
        f"naive bias {found['naive']:+.3f}, over genes that pass {found['naive_passing']:+.3f}"
    )


@pytest.mark.validate
@pytest.mark.parametrize("truth", TRUTHS)
@pytest.mark.parametrize(
    ("samples", "planted", "bias"), [(4, STRONG, BIAS), (3, STRONG, BIAS), (4, WEAK, BIAS), (3, WEAK, 0.1)]
)
def test_planted_shares_are_found_in_long_runs(
    tissue: Tissue, measured: Measured, samples: int, planted: tuple[float, float], bias: float, truth: float
) -> None:
    """As the short tests, over 600 runs.

    Three samples and a weak injury have a value in a quarter of runs only, those in which chance made the injury large:
    it is then drawn to a half by up to .06. All intervals together cover.
    """
    found = run_slope(600, 51, tissue=tissue, samples=samples, planted=planted, truth=truth)
    share, size = planted
    what = f"rescue slope, {samples} samples an arm, {share:.0%} of genes injured by {size:g} SD, share {truth:g}"
    measured(what, f"bias within {bias:g}, coverage {COVERAGE[0]:g} to {COVERAGE[1]:g}", told(found))
    assert abs(found["bias"]) <= bias
    assert COVERAGE[0] <= found["coverage"] <= COVERAGE[1]
    assert truth == 0.5 or abs(found["naive"]) > 2 * BIAS


@pytest.mark.validate
@pytest.mark.parametrize("samples", [4, 3])
def test_no_injury_has_no_value_in_long_runs(tissue: Tissue, measured: Measured, samples: int) -> None:
    """As the short test, over 1,000 runs."""
    found = run_slope(1000, 52, tissue=tissue, samples=samples, planted=NONE, truth=0.0)
    what = f"rescue slope, {samples} samples an arm, no injury: runs with a value; with an interval"
    measured(what, f"at most {FALSE:g}; about .025", f"{found['ok']:.4f}; {1 - found['undetected']:.4f}")
    assert found["ok"] <= FALSE
    assert found["undetected"] >= 0.96


@pytest.mark.validate
@pytest.mark.parametrize("truth", TRUTHS)
@pytest.mark.parametrize("covariate", ["given", "removed"])
def test_unbalanced_covariates_in_long_runs(tissue: Tissue, measured: Measured, covariate: str, truth: float) -> None:
    """As the short test, over 300 runs: given, the slope keeps its targets; removed before, it does not."""
    found = run_slope(300, 53, tissue=tissue, samples=4, planted=STRONG, truth=truth, covariate=covariate)
    target = f"bias within {BIAS:g}, coverage {COVERAGE[0]:g} to {COVERAGE[1]:g}"
    what = f"rescue slope, 4 samples an arm, unbalanced covariate {covariate}, share {truth:g}"
    measured(what, target if covariate == "given" else f"to fail: {target}", told(found))
    is_met = abs(found["bias"]) <= BIAS and COVERAGE[0] <= found["coverage"] <= COVERAGE[1]
    assert is_met == (covariate == "given")
