"""Classes of courses and end states of effects, on cells whose means and variances are known exactly."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import pytest
import statsmodels.api
from scipy.stats import t as student
from statsmodels.stats.multitest import multipletests

from exoliver.linear import LinearFit, fit_linear, joint_test
from exoliver.trajectories import adjust_holm, check_times, classify_trajectories, end_states

SIZE = 3  # samples in a cell
SE = np.sqrt(2 / SIZE)  # of an effect where a sample has variance 1
PERSISTS, OPEN = "effect_persists", "open"


def rows_of(times: int, *, healthy: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of treatment and injury over cells: injured and treated at each time, then healthy ones (1 or `times`)."""
    cells = np.eye(2 * times + healthy)
    reference = cells[-np.ones(times, dtype=int)] if healthy == 1 else cells[2 * times :]
    return cells[times : 2 * times] - cells[:times], cells[:times] - reference


def fit_cells(means: np.ndarray) -> LinearFit:
    """Fit of items (rows) with exactly these cell means, in samples of variance 1."""
    cells = means.shape[1]
    deviations = np.tile([-1.0, 0.0, 1.0], cells)  # mean 0 and variance 1 in each cell
    return fit_linear(
        np.repeat(means, SIZE, axis=1).T + deviations[:, None], np.kron(np.eye(cells), np.ones((SIZE, 1)))
    )


def fit_effects(effects: Sequence[Sequence[float]]) -> tuple[LinearFit, np.ndarray]:
    """Fit of items with these effects in standard errors at each time, and the effects' rows."""
    treated = np.array(effects, dtype=float) * SE
    times = treated.shape[1]
    rows, _ = rows_of(times, healthy=1)
    return fit_cells(np.hstack([np.zeros_like(treated), treated])), rows[:, :-1]


def fit_arms(
    injured: Sequence[Sequence[float]], treated: Sequence[Sequence[float]], *, healthy: int = 1
) -> tuple[LinearFit, np.ndarray, np.ndarray]:
    """Fit of items with these courses against healthy in standard errors; rows of treatment and of injury."""
    courses = np.hstack([np.array(injured, dtype=float), np.array(treated, dtype=float)]) * SE
    times = courses.shape[1] // 2
    fit = fit_cells(np.hstack([courses, np.zeros((len(courses), healthy))]))
    return fit, *rows_of(times, healthy=healthy)


def states_of(
    injured: Sequence[Sequence[float]], treated: Sequence[Sequence[float]], *, healthy: int = 1
) -> pd.DataFrame:
    """Classes and end states of items with these courses against healthy."""
    fit, treatment, injury = fit_arms(injured, treated, healthy=healthy)
    classes = classify_trajectories(fit, treatment, times=range(treatment.shape[0]), fdr=0.05)
    return classes.join(end_states(fit, treatment, injury=injury, classes=classes))


CLASSES = [
    ("none", [0.0, 0.5, -0.5, 0.0], None, None),
    ("sustained", [6.0, 6.0, 7.0, 6.0], 1, 7),
    ("sustained", [-6.0, 0.0, 0.0, -7.0], 1, 30),
    ("early_transient", [6.0, 7.0, 0.0, 0.0], 1, 3),
    ("early_transient", [0.0, -8.0, 0.0, 0.0], 3, 3),
    ("delayed", [0.0, 0.0, 6.0, 7.0], 7, 30),
    ("reversing", [6.0, 0.0, 0.0, -7.0], 1, 30),
    ("reversing", [6.0, 0.0, -7.0, 0.0], 1, 7),
    ("unclassified", [3.7, 3.6, 3.6, 1.9], 1, 1),  # neither there at the end nor gone
    ("unclassified", [1.9, 3.6, 3.6, 3.7], 3, 30),  # neither there at first nor late
]


def test_each_class_is_found() -> None:
    """Courses as drawn by hand, with the time of the first significant and of the largest effect."""
    table = classify_trajectories(
        *fit_effects([effects for _, effects, _, _ in CLASSES]), times=[1, 3, 7, 30], fdr=0.05
    )
    assert table["class"].tolist() == [name for name, _, _, _ in CLASSES]
    for column, place in (("onset", 2), ("peak", 3)):
        expected = [np.nan if row[place] is None else row[place] for row in CLASSES]
        np.testing.assert_array_equal(table[column], expected)


def test_the_peak_is_a_time_with_evidence() -> None:
    """The last time has a single treated sample: its estimate is the largest, of the other sign, and mere noise."""
    sizes = [6, 6, 6, 1]  # injured and treated at the first time, at the last
    design = np.repeat(np.eye(4), sizes, axis=0)
    noise = np.tile([-1.5, 1.5], 10)[: len(design)]
    noise[-1] = 0.0
    scores = (design @ np.array([0.0, 3.0, 0.0, -3.2]) + noise)[:, None]
    rows = np.array([[-1.0, 1, 0, 0], [0, 0, -1, 1]])
    table = classify_trajectories(fit_linear(scores, design), rows, times=[1, 7], fdr=0.05)
    estimate = rows @ np.array([0.0, 3.0, 0.0, -3.2])
    assert abs(estimate[1]) > abs(estimate[0])
    assert table["onset"].tolist() == table["peak"].tolist() == [1]


def plain_class(scores: np.ndarray, design: np.ndarray, rows: np.ndarray) -> str:
    """The rules in words, for one item behind the gate, by statsmodels."""
    model = statsmodels.api.OLS(scores, design).fit()
    tests = [model.t_test(row) for row in rows]
    is_found = multipletests([float(test.pvalue) for test in tests], method="holm")[0]
    effects = np.array([test.effect.item() for test in tests])
    signs = set(np.sign(effects[is_found]))
    if len(signs) == 2:
        return "reversing"
    if not signs:
        return "unclassified"
    if is_found[0] and is_found[-1]:
        return "sustained"
    end, name = (0, "delayed") if is_found[-1] else (-1, "early_transient")
    difference = model.t_test((rows[is_found].mean(axis=0) - rows[end]) * signs.pop())
    is_other = difference.effect.item() > 0 and float(difference.pvalue) / 2 < 0.05
    return name if is_other else "unclassified"


@pytest.mark.parametrize("times", [2, 3, 8])
def test_classes_are_those_of_a_plain_reading_of_the_rules(times: int) -> None:
    """Random courses of all kinds, cells that share an arm, a covariate; one by one against statsmodels."""
    rng = np.random.default_rng(times)
    size, items = 4, 50
    design = np.kron(np.eye(times + 1), np.ones((size, 1)))
    design = np.column_stack([design, rng.normal(size=len(design))])
    effects = rng.choice([0.0, 3.0, -3.0], p=[0.5, 0.4, 0.1], size=(times, items)) + rng.normal(size=(times, items))
    means = np.vstack([effects, np.zeros((2, items))])
    scores = design @ means + 1.2 * rng.normal(size=(len(design), items))
    rows = np.eye(times + 2)[:times] - np.eye(times + 2)[times]
    fit = fit_linear(scores, design)
    table = classify_trajectories(fit, rows, times=range(times), fdr=0.05)
    expected_padj = multipletests(joint_test(fit, rows).pvalue, method="fdr_bh")[1]
    np.testing.assert_allclose(table["padj"], expected_padj, rtol=1e-9)
    for item in range(items):
        expected = plain_class(scores[:, item], design, rows) if expected_padj[item] < 0.05 else "none"
        assert table["class"][item] == expected
    assert table["class"].nunique() >= 4


def test_swapped_arms_have_the_same_classes() -> None:
    """Only the signs of the effects flip."""
    fit, rows = fit_effects([effects for _, effects, _, _ in CLASSES])
    forth, back = (classify_trajectories(fit, way, times=range(4), fdr=0.05) for way in (rows, -rows))
    pd.testing.assert_frame_equal(forth, back)


def test_a_single_time_is_a_t_test() -> None:
    """Its p-value as the effects were planted; onset and peak where it passes the gate."""
    table = classify_trajectories(*fit_effects([[6.0], [0.5], [-5.0]]), times=[7.0], fdr=0.05)
    assert table["class"].tolist() == ["single_time"] * 3
    np.testing.assert_allclose(table["pvalue"], 2 * student.sf([6, 0.5, 5], 2 * SIZE - 2), rtol=1e-9)
    np.testing.assert_array_equal(table["onset"], [7, np.nan, 7])
    np.testing.assert_array_equal(table["peak"], [7, np.nan, 7])


def test_an_effect_is_gone_where_a_one_sided_test_tells_it_from_the_earlier_one() -> None:
    """Two times, one effect significant, the other not: just under the difference that is needed, and just over it."""
    needed = student.isf(0.05, 4 * SIZE - 4) * np.sqrt(2)
    early = [[4.0, 4.0 - step] for step in (0.98 * needed, 1.02 * needed)]
    effects = [*early, *(course[::-1] for course in early)]
    table = classify_trajectories(*fit_effects(effects), times=[1, 2], fdr=0.05)
    assert table["class"].tolist() == ["unclassified", "early_transient", "unclassified", "delayed"]


def test_an_item_without_estimates_is_missing() -> None:
    """NaN scores, and scores without noise; the others and their correction are not touched."""
    effects = np.array([effects for _, effects, _, _ in CLASSES])
    fit, rows = fit_effects(effects)
    scores = np.repeat(np.hstack([np.zeros_like(effects), effects * SE]), SIZE, axis=1).T
    scores += np.tile([-1.0, 0.0, 1.0], 8)[:, None]
    scores = np.column_stack([np.full(len(scores), np.nan), scores, np.zeros(len(scores))])
    holed = fit_linear(scores, np.kron(np.eye(8), np.ones((SIZE, 1))))
    whole, table = (classify_trajectories(one, rows, times=range(4), fdr=0.05) for one in (fit, holed))
    assert table.iloc[[0, -1]].isna().all(axis=None)
    pd.testing.assert_frame_equal(table.iloc[1:-1].reset_index(drop=True), whole)
    states = end_states(holed, rows, injury=rows, classes=table)
    assert states["end_state"].isna()[[0, len(states) - 1]].all()


def test_the_unit_of_time_does_not_matter() -> None:
    """Days or hours: the same classes, onset and peak in the unit given."""
    fit, rows = fit_effects([effects for _, effects, _, _ in CLASSES])
    days, hours = (classify_trajectories(fit, rows, times=unit * np.arange(1, 5), fdr=0.05) for unit in (1, 24))
    pd.testing.assert_frame_equal(days.assign(onset=24 * days["onset"], peak=24 * days["peak"]), hours)


def test_holm_is_that_of_statsmodels() -> None:
    """Row by row, with ties; missing ones stay missing."""
    pvalues = np.random.default_rng(1).uniform(size=(30, 6)) ** 3
    pvalues[:, 3] = pvalues[:, 1]
    expected = [multipletests(row, method="holm")[1] for row in pvalues]
    np.testing.assert_allclose(adjust_holm(pvalues), expected)
    assert np.isnan(adjust_holm(np.full((2, 3), np.nan))).all()


@pytest.mark.parametrize("times", [[1, 1, 2], [3, 2, 1], [1, 2], [], [1, 2, np.nan]])
def test_times_that_do_not_fit_the_rows_are_refused(times: Sequence[float]) -> None:
    """They increase, and each has a row."""
    fit, rows = fit_effects([[1.0, 2, 3]])
    with pytest.raises(ValueError, match=r"row of weights|have to increase"):
        classify_trajectories(fit, rows, times=times, fdr=0.05)
    with pytest.raises(ValueError, match=r"row of weights|have to increase"):
        check_times(rows, times)


STATES = [
    ("control_recovered", [12, 12, 6], [6, 6, 6]),
    ("control_recovered", [6, 6, 0], [0, 0, 0]),
    ("control_recovered", [12, 12, 0], [6, 6, 0]),  # both heal, the treated arm was ahead
    ("control_recovered", [-6, -6, 0], [0, 0, 0]),
    ("control_recovered", [6, 12, 5], [0, 5, 5]),  # what counts is the time of the largest effect
    ("treated_relapsed", [12, 12, 12], [6, 6, 12]),
    ("treated_relapsed", [-12, -12, -12], [-6, -6, -12]),
    ("both", [14, 14, 7], [0, 0, 7]),
    (PERSISTS, [12, 12, 12], [6, 6, 6]),
    (PERSISTS, [12, 12, 12], [12, 12, 6]),
    (PERSISTS, [12, 12, 6], [6, 12, 12]),  # reversing
    (OPEN, [12, 12, 10.85], [8.8, 8.8, 10.85]),  # both arms moved too little to be told
    (None, [6, 6, 6], [6, 6, 6]),
]


@pytest.mark.parametrize("healthy", [1, 3])
def test_each_end_state_is_named(healthy: int) -> None:
    """Drawn by hand, against one healthy group and against one for each time."""
    expected, injured, treated = zip(*STATES, strict=True)
    table = states_of(injured, treated, healthy=healthy)
    assert table["end_state"].where(table["end_state"].notna(), None).tolist() == list(expected)
    assert set(table["note"]) == {""}


def test_end_states_do_not_depend_on_the_sign_of_scores() -> None:
    """An injury that lowers a score and one that raises it are read alike."""
    injured, treated = (np.array(side, dtype=float) for side in list(zip(*STATES, strict=True))[1:])
    pd.testing.assert_frame_equal(states_of(injured, treated), states_of(-injured, -treated))


def test_a_control_that_moves_away_from_health_has_not_recovered() -> None:
    """The treatment made it worse, or there was no injury: at most the treated arm's return is named, with a note."""
    injured = [[6, 6, 12], [6, 6, 6], [0, 0, 6], [0, 0, 0]]
    treated = [[12, 12, 12], [12, 12, 6], [6, 6, 6], [6, 6, 0]]
    table = states_of(injured, treated)
    assert table["end_state"].tolist() == [OPEN, "treated_relapsed", OPEN, "treated_relapsed"]
    assert set(table["note"]) == {"effect_not_against_injury"}


def test_an_effect_that_had_both_signs_is_open() -> None:
    """What is gone at the end was not one effect."""
    table = states_of([[12, 12, 12]], [[6, 18, 12]])
    assert table.loc[0, ["class", "end_state", "note"]].tolist() == ["reversing", OPEN, "effect_reversed"]


@pytest.mark.parametrize("shared", [0, 1])
def test_an_arm_without_times_cannot_move(shared: int) -> None:
    """The same injured, or treated, samples at all times: the state is open with a note; one that stays is told."""
    means = np.array([[12.0, 6, 12, 0], [12.0, 6, 6, 0]]) * SE  # the shared cell, the other arm at two times, healthy
    fit = fit_cells(means)
    cells = np.eye(4)
    both = (cells[[0, 0]], cells[1:3]) if shared == 0 else (cells[1:3], cells[[0, 0]])
    treatment, injury = both[1] - both[0], both[0] - cells[[3, 3]]
    classes = classify_trajectories(fit, treatment, times=[1, 2], fdr=0.05)
    table = end_states(fit, treatment, injury=injury, classes=classes)
    assert table["end_state"].tolist() == [OPEN, PERSISTS]
    assert table["note"].tolist() == ["arm_without_times", ""]


def test_a_single_time_has_no_end_state() -> None:
    """There is no end to speak of."""
    fit, treatment, injury = fit_arms([[8.0], [8.0]], [[0.0], [8.0]])
    classes = classify_trajectories(fit, treatment, times=[3], fdr=0.05)
    assert end_states(fit, treatment, injury=injury, classes=classes)["end_state"].isna().all()


@pytest.mark.parametrize(("share", "state"), [(0.01, OPEN), (0.1, "control_recovered")])
def test_between_movement_and_rest_nothing_is_said(share: float, state: str) -> None:
    """The control moved. A treated arm that shows a sign of having moved is not said to have stayed.

    Two times, one healthy group: the middle of the arms at the end minus the treated level before has the variance
    1/(2 n) + 1/n. The arm's own p-value lies on either side of .12.
    """
    quantile = student.isf(0.12 - 0.02 * np.sign(0.05 - share), 5 * SIZE - 5)
    moved = quantile * np.sqrt(3 / 2 / SIZE) / SE
    table = states_of([[12.0, 6.0]], [[6.0 - moved, 6.0]])
    assert table.loc[0, "end_state"] == state


@pytest.mark.parametrize(("factor", "state"), [(0.98, OPEN), (1.02, "control_recovered")])
def test_a_control_has_moved_where_its_test_says_so(factor: float, state: str) -> None:
    """At the quantile of its one-sided test, one healthy group for each time.

    The treated arm moves too little to show; the middle at the end minus the control before has variance
    1/(2 n) + 3/n.
    """
    moved = factor * student.isf(0.05, 6 * SIZE - 6) * np.sqrt(3.5 / SIZE) / SE
    table = states_of([[10 + moved, 10.0]], [[8.8, 10.0]], healthy=2)
    assert table.loc[0, "end_state"] == state


def test_effects_like_the_largest_are_averaged() -> None:
    """The treated level before the end: half the mean effect below the middle of the arms at the peak.

    With effects -6 and -5 at the first two times and none at the third, a treated arm at 6 at the end has moved from
    6.25, which is nothing, or from 6 by the peak alone.
    """
    injured, treated = [[12.0, 11.0, 6.0]], [[6.0, 6.0, 6.0]]
    fit, treatment, injury = fit_arms(injured, treated)
    classes = classify_trajectories(fit, treatment, times=range(3), fdr=0.05)
    base = end_states(fit, treatment, injury=injury, classes=classes)
    assert base.loc[0, "end_state"] == "control_recovered"
    quantile = student.isf(0.12, 7 * SIZE - 7)
    # Middle at the end, minus (middle at the peak plus half the mean effect), in cells of n samples.
    weights = treatment[:2].mean(axis=0) / 2 + injury[0] + treatment[0] / 2 - injury[2] - treatment[2] / 2
    error = np.sqrt((weights**2).sum() / SIZE)
    for share, state in ((0.9, "control_recovered"), (1.1, OPEN)):
        end = 6.25 + share * quantile * error / SE
        shifted = states_of([[12.0, 11.0, end]], [[6.0, 6.0, end]])
        assert shifted.loc[0, "end_state"] == state


def broken(change: Callable[[np.ndarray], np.ndarray]) -> None:
    """End states where the injury's rows are changed."""
    fit, treatment, injury = fit_arms([[8.0, 8]], [[0.0, 8]])
    classes = classify_trajectories(fit, treatment, times=[1, 2], fdr=0.05)
    end_states(fit, treatment, injury=change(injury), classes=classes)


def test_rows_of_other_times_are_refused() -> None:
    """Treatment and injury have one row for each time; fit and classes have the same items."""
    with pytest.raises(ValueError, match="do not match"):
        broken(lambda rows: rows[:1])
    fit, treatment, injury = fit_arms([[8.0, 8]], [[0.0, 8]])
    classes = classify_trajectories(fit, treatment, times=[1, 2], fdr=0.05)
    with pytest.raises(ValueError, match="do not match"):
        end_states(fit, treatment, injury=injury, classes=pd.concat([classes, classes]))
