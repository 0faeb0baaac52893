"""Time gained: known shifts of known courses, and what is said where there is none to tell."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student
from sklearn.isotonic import isotonic_regression

from exoliver.fieller import fieller_ratio
from exoliver.linear import Prior, estimate_linear, fit_linear, moderate
from exoliver.recovery_shift import _never_falling, recovery_shift

SIZE = 4  # samples in a cell
TIMES = (1.0, 3.0, 7.0, 10.0)
LEVEL = 0.95


def shift_of(
    injured: Sequence[float],
    treated: Sequence[float],
    *,
    times: Sequence[float] = TIMES,
    treated_times: Sequence[float] | None = None,
    healthy: Sequence[float] = (0.0,),
    noise: float = 0.01,
    items: int = 1,
    seed: int = 0,
) -> pd.DataFrame:
    """Shifts of items whose arms have these cell means; one healthy group, or one for each time."""
    count, own_times = len(injured), times if treated_times is None else treated_times
    means = np.concatenate([injured, treated, healthy])
    design = np.kron(np.eye(len(means)), np.ones((SIZE, 1)))
    scores = (design @ means)[:, None] + noise * np.random.default_rng(seed).normal(size=(len(design), items))
    cells = np.eye(len(means))
    reference = cells[count + len(treated) :]
    rows = (cells[:count], cells[count : count + len(treated)])
    injury, distance = (arm - (reference if len(healthy) > 1 else reference[[0]]) for arm in rows)
    fit = fit_linear(scores, design)
    return recovery_shift(fit, injury, times=times, distance=distance, treated_times=own_times, level=LEVEL)


def line(times: Sequence[float]) -> np.ndarray:
    """An injury that heals by 1.5 per unit of time."""
    return 20 - 1.5 * np.array(times)


@pytest.mark.parametrize("shift", [0.0, 0.5, -0.7, 2.0, -3.3, 5.0, 8.0])
@pytest.mark.parametrize("healthy", [(0.0,), (3.0, 1.0, 4.0, 1.0)])
def test_a_shift_of_a_straight_course_is_found(shift: float, healthy: Sequence[float]) -> None:
    """With hardly any noise hardly any error, forwards and backwards, whatever the healthy arm does."""
    level = np.array(healthy)
    injured, treated = line(TIMES) + level, line(np.array(TIMES) + shift) + level
    found = shift_of(injured, treated, healthy=healthy, noise=1e-4).iloc[0]
    assert found["value"] == pytest.approx(shift, abs=1e-3)
    assert found["low"] < found["value"] < found["high"]
    assert found["high"] - found["low"] < 2e-3
    assert found["course"] == "recovering"


def test_a_shift_of_a_bent_course_is_found() -> None:
    """Straight pieces of different slopes, one of them flat."""
    knots, values = [1.0, 3.0, 7.0, 10.0], [12.0, 5.0, 2.0, 2.0]
    for shift in (-1.5, 0.3, 1.5):
        treated = np.interp(np.array(TIMES) + shift, knots, values)
        treated[0] += 3.5 * max(-shift, 0)  # before the first time the course goes on
        found = shift_of(values, treated, noise=1e-4).iloc[0]
        assert found["value"] == pytest.approx(shift, abs=1e-3)
        assert found["note"] == ""


def test_both_arms_may_have_times_of_their_own() -> None:
    """Treated animals were looked at less often, and between the times of the injured."""
    own = [2.0, 5.0]
    found = shift_of(line(TIMES), line(np.array(own) + 1.2), treated_times=own, noise=1e-4).iloc[0]
    assert found["value"] == pytest.approx(1.2, abs=1e-3)
    single = shift_of(line(TIMES), line([3.2]), treated_times=[2.0], noise=1e-4).iloc[0]
    assert single["value"] == pytest.approx(1.2, abs=1e-3)


def test_swapped_arms_flip_the_sign() -> None:
    """Where the treated arm is ahead of the injured one, that is behind it; exact where both are straight."""
    one, other = line(TIMES), line(np.array(TIMES) + 1.3)
    forth, back = shift_of(one, other, noise=1e-4), shift_of(other, one, noise=1e-4)
    assert forth.loc[0, "value"] == pytest.approx(1.3, abs=1e-3)
    assert back.loc[0, "value"] == pytest.approx(-1.3, abs=1e-3)


def test_scores_that_fall_with_injury_give_the_same_shift() -> None:
    """Nor does the unit of the scores matter, but that of the times is that of the answer."""
    injured, treated = line(TIMES), line(np.array(TIMES) + 1.3) + np.array([0.0, 1.0, -1.0, 0.0])
    plain = shift_of(injured, treated, noise=1.0, items=5)
    numbers = ["value", "low", "high"]
    design = np.kron(np.eye(9), np.ones((SIZE, 1)))
    noise = np.random.default_rng(0).normal(size=(len(design), 5))
    scores = (design @ np.concatenate([injured, treated, [0.0]]))[:, None] + noise
    cells = np.eye(9)
    turned = recovery_shift(
        fit_linear(-30 * scores, design),
        cells[:4] - cells[8],
        times=24 * np.array(TIMES),
        distance=cells[4:8] - cells[8],
        treated_times=24 * np.array(TIMES),
        level=LEVEL,
    )
    np.testing.assert_allclose(turned[numbers], 24 * plain[numbers], rtol=1e-5)
    assert turned["note"].tolist() == plain["note"].tolist()


def test_two_times_give_the_interval_of_a_ratio() -> None:
    """Forwards only the first treated time is compared: its share of the injured arm's change, with Fieller's interval.

    A tenth of the errors is left to the later treated time, so that the interval is one at a level of .955.
    """
    injured, treated = np.array([20.0, 0.0]), np.array([10.0, 0.0])
    found = shift_of(injured, treated, times=[0.0, 10.0], noise=1.0, items=20)
    design = np.kron(np.eye(5), np.ones((SIZE, 1)))
    noise = np.random.default_rng(0).normal(size=(len(design), 20))
    fit = fit_linear((design @ [20.0, 0, 10, 0, 0])[:, None] + noise, design)
    pair = estimate_linear(fit, np.array([[-1.0, 0, 1, 0, 0], [-1.0, 1, 0, 0, 0]]))
    ratio = fieller_ratio(
        *pair.estimate.T,
        variance=pair.covariance[:, 0, 0],
        denominator_variance=pair.covariance[:, 1, 1],
        covariance=pair.covariance[:, 0, 1],
        df=15,
        level=0.955,
    )
    np.testing.assert_allclose(found["value"], 10 * ratio.value, atol=1e-5)
    np.testing.assert_allclose(found["low"], 10 * ratio.low, atol=1e-5)
    np.testing.assert_allclose(found["high"], 10 * ratio.high, atol=1e-5)


def test_later_treated_times_bound_a_shift_from_above() -> None:
    """A treated arm that is still ill after the injured arm has healed cannot be far ahead.

    Of two times the first one alone fits a shift of 5; the second rules out everything above zero.
    """
    alone = shift_of([20.0, 0.0], [10.0], times=[0.0, 10.0], treated_times=[0.0], seed=1, noise=1.0).iloc[0]
    both = shift_of([20.0, 0.0], [10.0, 10.0], times=[0.0, 10.0], seed=1, noise=1.0).iloc[0]
    assert alone["low"] < 5 < alone["high"]
    assert pd.isna(both["value"]) or both["high"] <= 0


def test_a_course_that_worsens_has_a_negative_shift_where_it_is_held_back() -> None:
    """The treated arm is where the injured arm was earlier."""
    worsening = -line(TIMES) + 25
    treated = -line(np.array(TIMES) - 2) + 25
    found = shift_of(worsening, treated, noise=1e-3).iloc[0]
    assert found["course"] == "worsening"
    assert found["value"] == pytest.approx(-2, abs=0.01)


def test_a_course_without_change_gives_no_shift() -> None:
    """No evidence of a change from the first to the last time."""
    found = shift_of([5.0] * 4, [2.0] * 4, noise=1.0, items=40)
    assert (found["note"] == "no_course").mean() > 0.8
    assert found.loc[found["note"] == "no_course", ["value", "low", "high"]].isna().all(axis=None)


def test_a_course_that_turns_back_gives_no_shift() -> None:
    """It rises before it falls, at once or in small steps."""
    for injured, times in (([5.0, 12.0, 6.0, 0.0], TIMES), ([5.0, 5.8, 6.6, 7.4, 0.0], range(5))):
        found = shift_of(injured, injured, times=times, noise=0.5).iloc[0]
        assert found["note"] == "course_not_monotone"
        assert found[["value", "low", "high"]].isna().all()


def test_a_shift_beyond_the_last_time_has_one_end() -> None:
    """Healed at the first time already: ahead by at least what can be seen."""
    healed = shift_of(line(TIMES), [5.0] * 4, noise=0.5, seed=1).iloc[0]
    assert healed["note"].startswith("beyond_last_time")
    assert pd.isna(healed["high"])
    assert 7 < healed["low"] < 9
    further = shift_of(line(TIMES), line(np.array(TIMES) + 12), noise=0.1).iloc[0]
    assert further["note"] == "beyond_last_time"
    assert further["low"] == pytest.approx(9)
    assert pd.isna(further["value"])


def test_a_shift_before_the_first_time_has_one_end() -> None:
    """The treated arm is as ill at the last time as the injured arm was before the first."""
    found = shift_of(line(TIMES), line(np.array(TIMES) - 12), noise=0.1).iloc[0]
    assert found["note"] == "before_first_time"
    assert pd.isna(found["low"])
    assert found["high"] == pytest.approx(-9)


def test_a_weak_course_is_undetermined() -> None:
    """Both ends are open for some items whose course barely is one; they have no value."""
    found = shift_of([3.0, 2.0, 1.0, 0.0], [1.5] * 4, times=range(4), noise=2.0, items=200)
    lost = found[found["note"] == "undetermined"]
    assert len(lost) > 3
    assert lost[["value", "low", "high"]].isna().all(axis=None)


def test_arms_that_contradict_each_other_have_no_shift() -> None:
    """At the first time far ahead, at the last far behind: no shift fits, or the shapes differ."""
    found = shift_of([20.0, 0.0], [0.0, 20.0], times=[0.0, 10.0], noise=0.5).iloc[0]
    assert found["note"] == "no_shift_fits"
    assert found[["value", "low", "high"]].isna().all()


def test_a_course_of_another_shape_is_told() -> None:
    """Half the injury at every time is not a shift; a shift is not told to be of another shape too often."""
    halved = shift_of(line(TIMES), line(TIMES) / 2, noise=0.4, items=40)
    assert halved["note"].str.contains("shape_differs").mean() > 0.8
    shifted = shift_of(line(TIMES), line(np.array(TIMES) + 1), noise=0.7, items=200)
    assert shifted["note"].str.contains("shape_differs").mean() < 0.12


def test_a_single_time_has_no_course() -> None:
    """One injured time: a note, and nothing else."""
    found = shift_of([5.0], [2.0], times=[1.0]).iloc[0]
    assert found["note"] == "single_time"
    assert found.drop("note").isna().all()


@pytest.mark.parametrize("shared", ["injured", "treated"])
def test_an_arm_without_times_has_no_shift(shared: str) -> None:
    """The same samples of an arm stand in at every time."""
    cells = np.eye(6)
    rows = {"moving": cells[:4] - cells[5], "standing": cells[[4] * 4] - cells[5]}
    injury, distance = (rows["standing"], rows["moving"]) if shared == "injured" else (rows["moving"], rows["standing"])
    design = np.kron(np.eye(6), np.ones((SIZE, 1)))
    fit = fit_linear(np.random.default_rng(0).normal(size=(len(design), 2)), design)
    found = recovery_shift(fit, injury, times=TIMES, distance=distance, treated_times=TIMES, level=LEVEL)
    assert found["note"].tolist() == ["arm_without_times"] * 2


def test_an_item_without_estimates_has_no_shift() -> None:
    """NaN scores, and scores without noise; the others are as without them."""
    design = np.kron(np.eye(9), np.ones((SIZE, 1)))
    means = np.concatenate([line(TIMES), line(np.array(TIMES) + 1), [0.0]])
    scores = (design @ means)[:, None] + np.random.default_rng(3).normal(size=(len(design), 3))
    holed = np.column_stack([np.full(len(design), np.nan), scores, np.zeros(len(design))])
    cells = np.eye(9)
    rows = {"times": TIMES, "distance": cells[4:8] - cells[8], "treated_times": TIMES, "level": LEVEL}
    whole, found = (recovery_shift(fit_linear(one, design), cells[:4] - cells[8], **rows) for one in (scores, holed))
    assert found.iloc[[0, -1]][["value", "low", "high", "course"]].isna().all(axis=None)
    pd.testing.assert_frame_equal(found.iloc[1:-1].reset_index(drop=True), whole)


def test_moderated_variances_and_donors_are_used() -> None:
    """A larger variance widens the interval; donors with several samples are allowed."""
    design = np.kron(np.eye(9), np.ones((SIZE, 1)))
    means = np.concatenate([line(TIMES), line(np.array(TIMES) + 1), [0.0]])
    scores = (design @ means)[:, None] + np.random.default_rng(3).normal(size=(len(design), 2))
    donors = np.array([f"{arm}{animal}" for arm in "iiiittttH" for animal in range(SIZE)])
    plain = fit_linear(scores, design)
    fits = (plain, moderate(plain, Prior(16.0, 1e6)), fit_linear(scores, design, donors=donors))
    cells = np.eye(9)
    narrow, wide, nested = (
        recovery_shift(
            fit, cells[:4] - cells[8], times=TIMES, distance=cells[4:8] - cells[8], treated_times=TIMES, level=LEVEL
        )
        for fit in fits
    )
    assert ((wide["high"] - wide["low"]) > 2 * (narrow["high"] - narrow["low"])).all()
    assert ((nested["low"] < 1) & (nested["high"] > 1)).all()


def test_wider_levels_enclose_narrower_ones() -> None:
    """The interval at .99 holds that at .9."""
    design = np.kron(np.eye(9), np.ones((SIZE, 1)))
    means = np.concatenate([line(TIMES), line(np.array(TIMES) + 1), [0.0]])
    fit = fit_linear((design @ means)[:, None] + np.random.default_rng(3).normal(size=(len(design), 20)), design)
    cells = np.eye(9)
    narrow, wide = (
        recovery_shift(
            fit, cells[:4] - cells[8], times=TIMES, distance=cells[4:8] - cells[8], treated_times=TIMES, level=level
        )
        for level in (0.9, 0.99)
    )
    assert ((wide["low"] <= narrow["low"]) & (wide["high"] >= narrow["high"])).all()


def test_monotone_courses_are_those_of_isotonic_regression() -> None:
    """Against scikit-learn, with ties."""
    values = np.random.default_rng(0).normal(size=(50, 7)).round(1)
    np.testing.assert_allclose(_never_falling(values), [isotonic_regression(row) for row in values], atol=1e-12)


@pytest.mark.parametrize(
    ("times", "treated_times", "level", "what"),
    [
        ([1.0, 1, 2, 3], TIMES, LEVEL, "have to increase"),
        (TIMES, [4.0, 3, 2, 1], LEVEL, "have to increase"),
        (TIMES[:3], TIMES, LEVEL, "one row of weights"),
        (TIMES, TIMES[:3], LEVEL, "one row of weights"),
        ([], TIMES, LEVEL, "one row of weights"),
        (TIMES, TIMES, 95.0, "level of an interval"),
    ],
)
def test_what_does_not_match_is_refused(
    times: Sequence[float], treated_times: Sequence[float], level: float, what: str
) -> None:
    """Times increase and have a row each; a level is a share."""
    design = np.kron(np.eye(9), np.ones((SIZE, 1)))
    fit = fit_linear(np.random.default_rng(0).normal(size=(len(design), 1)), design)
    cells = np.eye(9)
    with pytest.raises(ValueError, match=what):
        recovery_shift(
            fit, cells[:4] - cells[8], times=times, distance=cells[4:8] - cells[8], treated_times=treated_times,
            level=level,
        )  # fmt: skip


def test_an_interval_covers_as_often_as_it_says() -> None:
    """400 items at one course and shift: at least .92, at most .985, which chance exceeds once in 100 times."""
    found = shift_of(line(TIMES), line(np.array(TIMES) + 0.8), noise=3.0, items=400, seed=5)
    assert (found["note"].isin(["", "shape_differs", "beyond_last_time"])).mean() > 0.95
    is_covered = (found["low"].fillna(-np.inf) <= 0.8) & (found["high"].fillna(np.inf) >= 0.8)
    assert 0.92 <= is_covered[found["low"].notna() | found["high"].notna()].mean() <= 0.985
    assert found["value"].median() == pytest.approx(0.8, abs=0.1)
    assert student.ppf(0.975, 27) * 3 * np.sqrt(2 / SIZE) > 1.5 * 0.8  # no single time would show it
