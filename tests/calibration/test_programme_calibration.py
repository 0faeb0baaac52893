"""How often programmes are called changed where nothing is, how often where something is, and in what unit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exoliver.camera import camera_pvalues, prepare_camera
from exoliver.contrasts import Cell, derive_contrasts
from exoliver.design import contrast_rows
from exoliver.inference.filtering import adjust_pvalues
from exoliver.linear import Estimates, estimate_linear, joint_test
from exoliver.model import Model
from exoliver.programmes import ProgrammeFit, find_programmes, fit_programmes, score_programmes
from tests.calibration.permuted import (
    HALLMARK,
    LIVERS,
    SHIPPED,
    SIZE,
    Livers,
    fitted,
    fresh_design,
    programmes_of,
    read_livers,
    stabilised,
    with_error,
)
from tests.calibration.test_fit_calibration import MEANS
from tests.toy_model import make_arms, make_samples

pytestmark = pytest.mark.calibration

LEVEL = 0.05
ROLES = {"injured": "injured", "treated": "treated"}
FORMS = {"at_time": "effect", "change": "change", "any_time": "omnibus"}
DESIGNS = ((4, 2), (3, 3), (3, 2))  # replicates, times
LOWEST, HIGHEST, FAMILY = 0.03, 0.07, 0.07  # targets: share of p-values within, family error at most
SHARE, POWER = 0.3, {"effect": 0.55, "change": 0.35, "omnibus": 0.45}  # of a set's genes shifted; targets
DEPTHS = (15.0, 30.0, 100.0, 1000.0, 10_000.0)  # mean counts of members before they change
MEMBERS = 100
# Dispersion trend a0 + a1 / mean of the two datasets; the spread of dispersions around it is .8 (natural log).
TRENDS = {"GSE222550": (0.0127, 1.18), "DLPC": (0.047, 4.82)}

Measured = Callable[[str, str, str], None]


def questions(model: Model) -> dict[str, np.ndarray]:
    """Rows of the effect of treatment at the last time, of its change since the first, and of the omnibus test."""
    contrasts = derive_contrasts(make_arms({"healthy": "healthy"} | ROLES), cells=model.cells, unit="day", extra={})
    return {FORMS[one.form]: contrast_rows(one.rows, model.columns) for one in contrasts if one.form in FORMS}


def pvalues(fit: ProgrammeFit, rows: np.ndarray) -> np.ndarray:
    """Moderated tests of every programme."""
    if len(rows) > 1:
        return joint_test(fit.moderated, rows).pvalue
    return estimate_linear(fit.moderated, rows).pvalue[:, 0]


def fit_dealt(livers: Livers, collection: str, *, model: Model, dealt: np.ndarray, shift: np.ndarray | float = 0.0):
    """Programmes of livers that are dealt into a design, with a shift of the scores; Hallmark beside them."""
    own, beside = (livers.scores[name].iloc[dealt] for name in (collection, HALLMARK))
    one = np.ones(own.shape[1])
    return fit_programmes(own + shift, model, attenuation=one, companions=beside, donors=None)


@dataclass(frozen=True)
class Rates:
    """By question: share of p-values below .05, and of runs with one below it after correction; with their errors."""

    share: dict[str, float]
    share_error: dict[str, float]
    family: dict[str, float]
    family_error: dict[str, float]


def null_rates(livers: Livers, collection: str, *, design: tuple[int, int], runs: int) -> Rates:
    """What is found between injured and treated livers that differ in nothing but chance."""
    replicates, times = design
    model = fresh_design(livers.model, list(ROLES), times=times, replicates=replicates)
    asked = questions(model)
    rng = np.random.default_rng([1, replicates, times])
    found: dict[str, list[tuple[float, bool]]] = {name: [] for name in asked}
    for _ in range(runs):
        dealt = rng.permutation(len(livers.residuals))[: len(model.samples)]
        fit = fit_dealt(livers, collection, model=model, dealt=dealt)
        for name, rows in asked.items():
            pvalue = pvalues(fit, rows)
            found[name].append((float((pvalue < LEVEL).mean()), bool((adjust_pvalues(pvalue) < LEVEL).any())))
    table = {name: np.array(values) for name, values in found.items()}
    return Rates(
        {name: float(values[:, 0].mean()) for name, values in table.items()},
        {name: float(values[:, 0].std() / np.sqrt(runs)) for name, values in table.items()},
        {name: float(values[:, 1].mean()) for name, values in table.items()},
        {name: float(values[:, 1].std() / np.sqrt(runs)) for name, values in table.items()},
    )


def in_words(values: dict[str, float], errors: dict[str, float]) -> str:
    """Every question with its figure."""
    return ", ".join(f"{name} {with_error(value, errors[name])}" for name, value in values.items())


@pytest.mark.parametrize("collection", [HALLMARK, SHIPPED])
@pytest.mark.parametrize(("name", "design"), [("GSE222550", (4, 2)), ("DLPC", (3, 2))])
def test_programmes_without_an_effect_are_rejected_at_their_level(
    shared: Path, name: str, design: tuple[int, int], collection: str
) -> None:
    """150 runs: a share has an error of .006 (its programmes move together), a family error one of .02."""
    rates = null_rates(read_livers(shared, name), collection, design=design, runs=150)
    assert all(LOWEST - 0.01 < share < HIGHEST + 0.01 for share in rates.share.values()), rates
    assert all(family < FAMILY + 0.06 for family in rates.family.values()), rates


@pytest.mark.validate
@pytest.mark.parametrize("collection", [HALLMARK, SHIPPED])
@pytest.mark.parametrize("name", LIVERS)
def test_programmes_keep_their_level_over_many_runs(
    shared: Path, measured: Measured, name: str, collection: str
) -> None:
    """2,000 runs of each design: shares within .03 and .07; the family error over designs and questions at most .07.

    A single family error has an error of .0055, and is let off two of them.
    """
    found = {design: null_rates(read_livers(shared, name), collection, design=design, runs=2000) for design in DESIGNS}
    for (replicates, times), rates in found.items():
        what = f"nothing planted, {name}, {collection}, {replicates} livers x {times} times"
        measured(f"{what}: share of p < .05", ".03 to .07", in_words(rates.share, rates.share_error))
        measured(f"{what}: runs with a padj < .05", "<= .07", in_words(rates.family, rates.family_error))
    for rates in found.values():
        assert all(LOWEST < share < HIGHEST for share in rates.share.values()), rates
        assert all(family < FAMILY + 0.011 for family in rates.family.values()), rates
    assert np.mean([list(rates.family.values()) for rates in found.values()]) <= FAMILY


def power_of(livers: Livers, collection: str, *, spread: np.ndarray, runs: int) -> dict[str, float]:
    """How often a programme is found of which 30 % of the genes rise by one standard deviation at the last time."""
    model = fresh_design(livers.model, list(ROLES), times=2, replicates=4)
    asked, treated = questions(model), model.design[:, [model.columns.index("treated@2")]]
    weights = np.abs(livers.sets[collection].weights)
    rng = np.random.default_rng(2)
    found: dict[str, list[float]] = {name: [] for name in asked}
    for _ in range(runs):
        dealt = rng.permutation(len(livers.residuals))[: len(model.samples)]
        shift = [_shifted(column, spread, rng) for column in weights.T]
        fit = fit_dealt(livers, collection, model=model, dealt=dealt, shift=treated * np.array(shift))
        for name, rows in asked.items():
            found[name].append(float((pvalues(fit, rows) < LEVEL).mean()))
    return {name: float(np.mean(shares)) for name, shares in found.items()}


def _shifted(weights: np.ndarray, spread: np.ndarray, rng: np.random.Generator) -> float:
    """How far a score rises where a share of its members does."""
    members = np.flatnonzero(weights)
    chosen = rng.choice(members, max(1, round(SHARE * len(members))), replace=False)
    return float(weights[chosen] @ spread[chosen])


def test_planted_shifts_are_found_often_enough(shared: Path) -> None:
    """30 % of a Hallmark set's genes by one standard deviation between livers: 80 runs have an error of .02."""
    livers = read_livers(shared, "GSE222550")
    power = power_of(livers, HALLMARK, spread=livers.spread, runs=80)
    assert all(power[name] > target - 0.07 for name, target in POWER.items()), power


@pytest.mark.validate
def test_power_of_programmes_is_as_stated(shared: Path, measured: Measured) -> None:
    """600 runs have an error of .007. The target is met for standard deviations between livers as they are.

    Of standard deviations within a cell of time and light, which are smaller by a seventh, it is not: .42, .25 and .32.
    What limits it is that genes of a set move together, not the test: were the variance known, it would be .46.
    """
    targets = ", ".join(f"{question} >= {target}" for question, target in POWER.items())
    for name in LIVERS:
        livers = read_livers(shared, name)
        within = livers.residuals.std(axis=0)
        for label, spread in (("between all livers", livers.spread), ("within cells", within)):
            power = power_of(livers, HALLMARK, spread=spread, runs=600)
            value = ", ".join(f"{question} {found:.2f}" for question, found in power.items())
            what = f"{SHARE:.0%} of the genes shifted by 1 SD {label}, {name}, hallmark, 4 livers x 2 times: power"
            measured(what, targets if name == "GSE222550" else "", value)
            if name == "GSE222550" and spread is livers.spread:
                assert all(power[question] > target - 0.02 for question, target in POWER.items()), power


def camera_shares(livers: Livers, *, design: tuple[int, int], runs: int) -> list[float]:
    """Share of CAMERA's p-values below .05 in every run of the same null, over the sets of both collections."""
    replicates, times = design
    model = fresh_design(livers.model, list(ROLES), times=times, replicates=replicates)
    signs = np.sign(np.hstack([sets.weights for sets in livers.sets.values()]))
    rows = [own[0] for name, own in questions(model).items() if name != "omnibus"]
    rng = np.random.default_rng([3, replicates, times])
    shares = []
    for _ in range(runs):
        dealt = rng.permutation(len(livers.residuals))[: len(model.samples)]
        camera = prepare_camera(livers.residuals[dealt], model.design, signs=signs)
        shares.append(float(np.mean([camera_pvalues(camera, row) < LEVEL for row in rows])))
    return shares


def test_camera_with_estimated_correlation_is_not_too_bold(shared: Path) -> None:
    """40 runs have an error of .005."""
    assert np.mean(camera_shares(read_livers(shared, "GSE222550"), design=(4, 2), runs=40)) < 0.065


@pytest.mark.validate
def test_camera_keeps_its_level_over_many_runs(shared: Path, measured: Measured) -> None:
    """100 runs of each design have an error of .003."""
    for name in LIVERS:
        for replicates, times in DESIGNS:
            shares = camera_shares(read_livers(shared, name), design=(replicates, times), runs=100)
            what = f"nothing planted, {name}, CAMERA, {replicates} livers x {times} times: share of p < .05"
            measured(what, "<= .06", with_error(float(np.mean(shares)), float(np.std(shares) / 10)))
            assert np.mean(shares) <= 0.06


def test_swapping_the_arms_flips_the_sign(shared: Path) -> None:
    """Estimates of every programme, at one time and between times; p-values stay."""
    livers = read_livers(shared, "DLPC")
    model = fresh_design(livers.model, ["injured", "treated"], times=2, replicates=4)
    assert [cell.arm for cell in model.cells] == ["injured", "injured", "treated", "treated"]
    swapped = replace(model, design=model.design[:, [2, 3, 0, 1]])
    dealt = np.random.default_rng(4).permutation(len(livers.residuals))[: len(model.samples)]
    forth, back = (fit_dealt(livers, SHIPPED, model=one, dealt=dealt) for one in (model, swapped))
    asked = questions(model)
    rows = np.vstack([asked["effect"], asked["change"]])
    ours, theirs = (estimate_linear(fit.moderated, rows) for fit in (forth, back))
    np.testing.assert_allclose(theirs.estimate, -ours.estimate, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(theirs.pvalue, ours.pvalue, rtol=1e-9)
    np.testing.assert_allclose(pvalues(back, asked["omnibus"]), pvalues(forth, asked["omnibus"]), rtol=1e-9)


def effects_of(counts: pd.DataFrame, samples: pd.DataFrame, *, livers: Livers) -> tuple[list[str], Estimates]:
    """The whole way from counts: names of the programmes, and their effects in each arm against each other one."""
    model = fitted(counts, samples)
    expression = pd.DataFrame(stabilised(counts, model), index=model.samples, columns=model.genes[model.tested])
    sets = {name: programmes_of(model, *content) for name, content in livers.mapped.items()}
    scores = {name: score_programmes(own, expression) for name, own in sets.items()}
    own = sets[SHIPPED]
    fit = fit_programmes(scores[SHIPPED], model, attenuation=own.attenuation, companions=scores[HALLMARK], donors=None)
    rows = np.array([[-1.0, 1, 0], [-1, 0, 1], [0, -1, 1]])
    return own.scored, estimate_linear(fit.moderated, rows)


def test_a_library_of_double_size_and_another_order_move_no_programme(shared: Path) -> None:
    """Fit, transform and programmes of DLPC anew, by less than one error where one liver's counts are doubled.

    Where rows and columns of the counts are dealt anew, by no more than rounding.
    """
    livers = read_livers(shared, "DLPC")
    names, before = effects_of(livers.counts, livers.samples, livers=livers)
    for place in (0, 1, 16):  # one of each arm
        counts = livers.counts.copy()
        counts.iloc[place] *= 2
        again, after = effects_of(counts, livers.samples, livers=livers)
        assert again == names
        assert (np.abs(after.estimate - before.estimate) / before.se).max() < 1
    rng = np.random.default_rng(5)
    rows, columns = (rng.permutation(size) for size in livers.counts.shape)
    again, after = effects_of(livers.counts.iloc[rows, columns], livers.samples.iloc[rows], livers=livers)
    assert again == names
    np.testing.assert_allclose(after.estimate, before.estimate, atol=1e-9)
    np.testing.assert_allclose(after.se, before.se, atol=1e-9)


def draw_counts(
    rng: np.random.Generator, *, trend: tuple[float, float], log2_rise: float, genes: int = 6000
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Counts and samples of two arms of six; sets of members at each depth rise, as many other genes fall."""
    samples = make_samples({Cell(arm, None): 6 for arm in ("healthy", "injured")})
    means = np.exp(np.interp(rng.uniform(size=genes), np.linspace(0, 1, len(MEANS)), np.log(MEANS)))
    planted = MEMBERS * len(DEPTHS)
    means[:planted] = np.repeat(DEPTHS, MEMBERS) * np.exp(rng.normal(0, 0.2, planted))
    dispersions = (trend[0] + trend[1] / means) * np.exp(rng.normal(0, 0.8, genes))
    expected = rng.uniform(0.6, 1.6, (12, 1)) * means
    expected[6:, :planted] *= 2**log2_rise
    expected[6:, planted : 2 * planted] /= 2**log2_rise
    counts = rng.negative_binomial(1 / dispersions, 1 / (1 + dispersions * expected))
    return pd.DataFrame(counts, index=samples.index, columns=[f"g{gene:05d}" for gene in range(genes)]), samples


def measured_rise(rng: np.random.Generator, *, trend: tuple[float, float], log2_rise: float) -> np.ndarray:
    """What programmes say of a planted rise of all their members, one figure for each depth."""
    counts, samples = draw_counts(rng, trend=trend, log2_rise=log2_rise)
    model = fitted(counts, samples)
    names = np.repeat([f"at_{depth:05.0f}" for depth in DEPTHS], MEMBERS)
    mapped = pd.DataFrame({"gene_set": names, "gene_id": counts.columns[: len(names)], "weight": 1.0, "sign": 1})
    sets = find_programmes(mapped, model, panels=(), size=SIZE)
    expression = pd.DataFrame(stabilised(counts, model), index=model.samples, columns=model.genes[model.tested])
    scores = score_programmes(sets, expression)
    fit = fit_programmes(scores, model, attenuation=sets.attenuation, companions=scores, donors=None)
    return estimate_linear(fit.moderated, np.array([[-1.0, 1.0]])).estimate[:, 0]


def rises(trend: tuple[float, float], *, log2_rise: float, runs: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean over runs, and its Monte-Carlo error, by depth."""
    rngs = [np.random.default_rng([seed, run]) for run in range(runs)]
    found = np.array([measured_rise(rng, trend=trend, log2_rise=log2_rise) for rng in rngs])
    return found.mean(axis=0), found.std(axis=0, ddof=1) / np.sqrt(runs)


@pytest.mark.parametrize("name", TRENDS)
def test_a_doubling_of_all_members_is_one_at_any_depth(name: str) -> None:
    """Members with 15 to 10,000 counts, eight runs: the mean has an error of .02."""
    found, error = rises(TRENDS[name], log2_rise=1.0, runs=8, seed=6)
    assert (error < 0.04).all()
    assert (np.abs(found - 1) <= 0.1 + 2 * error).all(), found


@pytest.mark.validate
@pytest.mark.parametrize("name", TRENDS)
def test_planted_rises_and_falls_have_their_size(measured: Measured, name: str) -> None:
    """Forty runs: a doubling and a halving within .1, whatever the depth; what larger rises are is told, not asked."""
    for log2_rise in (1.0, -1.0, 3.0):
        found, error = rises(TRENDS[name], log2_rise=log2_rise, runs=40, seed=7)
        assert (error < 0.03).all()
        values = ", ".join(f"{value:.2f}" for value in found)
        depths = ", ".join(f"{depth:g}" for depth in DEPTHS)
        target = f"{log2_rise:g} ± .1" if abs(log2_rise) == 1 else ""
        measured(f"rise of {log2_rise:g} log2, members at {depths} counts, trend of {name}", target, values)
        if abs(log2_rise) == 1:
            assert (np.abs(found - log2_rise) <= 0.1).all(), found
