"""The random intercept by itself: components and their uncertainty by arithmetic, and where the model ends."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from exoliver.linear import estimate_linear, fit_linear
from exoliver.random_intercept import (
    MARGIN,
    Components,
    fit_random_intercept,
    missing_stratum,
    restricted_likelihood,
)


def make(donors: int = 4, samples: int = 3, *, between: float = 1.0, columns: int = 4) -> tuple[np.ndarray, ...]:
    """Scores of two arms with donors of their own, each with some samples: scores, design, donors."""
    rng = np.random.default_rng(11)
    donor = np.repeat(np.arange(2 * donors), samples)
    design = np.repeat(np.eye(2), donors * samples, axis=0)
    own = np.sqrt(between) * rng.normal(size=(2 * donors, columns))[donor]
    return rng.normal(size=(len(donor), columns)) + own, design, np.array([f"d{number}" for number in donor])


def squares(scores: np.ndarray, donors: int, samples: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean squares between the donors of an arm and within donors, by analysis of variance."""
    cube = scores.reshape(2, donors, samples, -1)
    means = cube.mean(axis=2)
    between = samples * ((means - means.mean(axis=1, keepdims=True)) ** 2).sum(axis=(0, 1)) / (2 * (donors - 1))
    within = ((cube - means[:, :, None]) ** 2).sum(axis=(0, 1, 2)) / (2 * donors * (samples - 1))
    return between, within


def likelihood_by_hand(correlation: float, score: np.ndarray, design: np.ndarray, same: np.ndarray) -> float:
    """Restricted likelihood from determinants and the projection, the variance at its best."""
    unit = (1 - correlation) * np.eye(len(score)) + correlation * same
    inverse = np.linalg.inv(unit)
    cross = design.T @ inverse @ design
    projection = inverse - inverse @ design @ np.linalg.solve(cross, design.T @ inverse)
    rest = len(score) - design.shape[1]
    parts = [rest * np.log(score @ projection @ score), np.linalg.slogdet(unit)[1], np.linalg.slogdet(cross)[1]]
    return -0.5 * float(sum(parts))


@pytest.mark.parametrize(
    ("donors", "design", "missing"),
    [
        ("a a b b c c d d", "arms", ""),
        ("a b c d e f g h", "arms", "within"),
        ("a a a a b b b b", "arms", "between"),
        ("a a a a b b c c", "arms", ""),
        ("a a b c d e f g", "arms", ""),
        ("a b a b c d c d", "cells", ""),
        ("a b c d e f g h", "cells", "within"),
        ("a a a a b b b b", "cells", "between"),
        ("a b a c d e f g", "cells", "within"),
    ],
)
def test_both_variances_need_something_beside_the_design(donors: str, design: str, missing: str) -> None:
    """Samples of one donor that differ, and donors of one arm that differ; cells are arm and time.

    In the last case the one donor with two samples tells the difference of two cells, and nothing else.
    """
    matrix = np.repeat(np.eye(2), 4, axis=0) if design == "arms" else np.kron(np.eye(4), np.ones((2, 1)))
    assert missing_stratum(matrix, np.array(donors.split())) == missing


def test_without_both_variances_the_fit_is_refused() -> None:
    """A donor for each sample, and one for each arm."""
    scores, design, _ = make()
    for donors in (np.arange(24).astype(str), np.repeat(["a", "b"], 12)):
        with pytest.raises(ValueError, match="within and between donors"):
            fit_random_intercept(scores, design, donors=donors)


@pytest.mark.parametrize("between", [0.0, 1.0, 9.0])
def test_components_are_those_of_the_analysis_of_variance(between: float) -> None:
    """Variance of a sample and correlation of a donor's samples from the two mean squares of a balanced design."""
    scores, design, donors = make(between=between)
    found = fit_random_intercept(scores, design, donors=donors)
    one, other = squares(scores, 4, 3)
    variance = other + (one - other) / 3
    np.testing.assert_allclose(found.variance, variance, rtol=1e-5)
    np.testing.assert_allclose(found.correlation, (one - other) / 3 / variance, atol=1e-6)


def test_samples_of_a_donor_may_be_less_alike_than_others() -> None:
    """The correlation is not held at nought: mean squares that are smaller between donors make it negative."""
    scores, design, donors = make(columns=40, between=0.0)
    found = fit_random_intercept(scores, design, donors=donors)
    between, within = squares(scores, 4, 3)
    assert (found.correlation < 0).any()
    np.testing.assert_array_equal(found.correlation < 0, between < within)
    assert (found.correlation > -0.5).all()


def test_the_uncertainty_of_components_is_that_of_mean_squares() -> None:
    """Balanced: variances of two independent mean squares, between donors and within, and what they share."""
    scores, design, donors = make()
    found = fit_random_intercept(scores, design, donors=donors)
    between, within = squares(scores, 4, 3)
    of_between, of_within = 2 * between**2 / 6, 2 * within**2 / 16
    np.testing.assert_allclose(found.uncertainty[:, 0, 0], (of_between + of_within) / 9, rtol=1e-4)
    np.testing.assert_allclose(found.uncertainty[:, 1, 1], of_within, rtol=1e-4)
    np.testing.assert_allclose(found.uncertainty[:, 0, 1], -of_within / 3, rtol=1e-4)
    np.testing.assert_allclose(found.uncertainty[:, 1, 0], found.uncertainty[:, 0, 1], rtol=1e-9)


def test_gradients_are_derivatives_of_the_covariance() -> None:
    """A little more of one component, with the weights of the samples as they are, is a little more covariance."""
    scores, design, donors = make(donors=3, samples=4)
    kept = np.delete(np.arange(24), [0, 5, 6, 17])
    scores, design, donors = scores[kept], design[kept], donors[kept]
    found = fit_random_intercept(scores, design, donors=donors)
    same = (donors[:, None] == donors[None, :]).astype(float)
    for place in range(scores.shape[1]):
        components = found.variance[place] * np.array([found.correlation[place], 1 - found.correlation[place]])
        for part, matrix in enumerate((same, np.eye(len(donors)))):
            step = 1e-5 * found.variance[place]
            ends = []
            for sign in (1, -1):
                whole = components[0] * same + components[1] * np.eye(len(donors)) + sign * step * matrix
                ends.append(np.linalg.inv(design.T @ np.linalg.solve(whole, design)))
            np.testing.assert_allclose(
                found.gradients[place, part], (ends[0] - ends[1]) / (2 * step), rtol=1e-5, atol=1e-8
            )


def test_the_likelihood_is_that_of_determinants() -> None:
    """Up to the same constant for every correlation, from the lowest to the highest."""
    scores, design, donors = make(donors=3)
    same = (donors[:, None] == donors[None, :]).astype(float)
    values = np.linspace(-0.45, 0.95, 15)
    ours = np.array([restricted_likelihood(value, scores[:, 0], design=design, same=same) for value in values])
    theirs = np.array([likelihood_by_hand(value, scores[:, 0], design, same) for value in values])
    np.testing.assert_allclose(ours - ours[0], theirs - theirs[0], rtol=1e-8, atol=1e-8)


def test_the_best_correlation_is_that_of_another_search() -> None:
    """Unbalanced samples: scipy's bounded minimiser finds no better one, and the same one."""
    scores, design, donors = make(donors=5, columns=6)
    kept = np.delete(np.arange(30), [0, 1, 7, 8, 20, 25])
    scores, design, donors = scores[kept], design[kept], donors[kept]
    same = (donors[:, None] == donors[None, :]).astype(float)
    found = fit_random_intercept(scores, design, donors=donors)
    for score, correlation in zip(scores.T, found.correlation, strict=True):
        best = minimize_scalar(
            lambda value, score=score: -likelihood_by_hand(value, score, design, same),
            bounds=(-0.5 + MARGIN, 1 - MARGIN),
            method="bounded",
            options={"xatol": 1e-9},
        )
        assert correlation == pytest.approx(best.x, abs=1e-4)


@pytest.mark.parametrize("within", [0.05, 0.3])
def test_samples_that_are_much_alike_are_as_many_as_their_donors(within: float) -> None:
    """Correlations near one: error and degrees of freedom are those of the donors' means."""
    scores, design, donors = make(columns=1)
    alike = np.repeat(scores[::3], 3, axis=0) + within * scores
    found = fit_random_intercept(alike, design, donors=donors)
    assert 0.9 < found.correlation[0] < 1 - 1.1 * MARGIN
    effects = estimate_linear(fit_linear(alike, design, donors=donors), np.array([[-1.0, 1.0]]))
    means = alike.reshape(8, 3).mean(axis=1)
    error = np.sqrt((means[:4].var(ddof=1) + means[4:].var(ddof=1)) / 4)
    assert effects.se[0, 0] == pytest.approx(error, rel=1e-4)
    assert effects.df[0, 0] == pytest.approx(6, rel=1e-4)


def test_weights_of_samples_give_the_effects_of_the_design() -> None:
    """Scores that are made of the columns are told exactly, whatever the correlation."""
    scores, design, donors = make()
    found = fit_random_intercept(scores, design, donors=donors)
    for hat, covariance in zip(found.hat, found.covariance, strict=True):
        np.testing.assert_allclose(hat @ design, np.eye(2), atol=1e-12)
        np.testing.assert_allclose(covariance, covariance.T, rtol=1e-12)
        assert np.linalg.eigvalsh(covariance).min() > 0


def test_a_missing_score_is_missing_everywhere() -> None:
    """The shapes stay, the other scores are as alone."""
    scores, design, donors = make()
    holed = scores.copy()
    holed[3, 1] = np.nan
    found, alone = (fit_random_intercept(each, design, donors=donors) for each in (holed, scores[:, [0, 2, 3]]))
    for name in Components.__annotations__:
        array = getattr(found, name)
        assert np.isnan(array[1]).all()
        np.testing.assert_array_equal(array[[0, 2, 3]], getattr(alone, name))


def test_names_and_order_of_donors_do_not_matter() -> None:
    """Other names, and samples in another order, are the same fit."""
    scores, design, donors = make()
    order = np.random.default_rng(2).permutation(24)
    named = np.array([f"{99 - int(name[1:]):02d}" for name in donors])
    plain = fit_random_intercept(scores, design, donors=donors)
    turned = fit_random_intercept(scores[order], design[order], donors=named[order])
    for name in ("covariance", "gradients", "uncertainty", "variance", "correlation"):
        np.testing.assert_allclose(getattr(turned, name), getattr(plain, name), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(turned.hat, plain.hat[:, :, order], rtol=1e-5, atol=1e-6)


def test_a_constant_score_has_no_error_and_no_pvalue() -> None:
    """It does not vary, between donors or within: nothing is told, nothing fails, and the other scores stand."""
    scores, design, donors = make()
    flat = np.column_stack([np.zeros(24), scores[:, 0]])
    with np.errstate(over="ignore", invalid="ignore"):
        found = estimate_linear(fit_linear(flat, design, donors=donors), np.array([[-1.0, 1.0]]))
    assert (found.estimate[0, 0], found.se[0, 0]) == (0.0, 0.0)
    assert np.isnan(found.pvalue[0, 0])
    assert 0 < found.pvalue[1, 0] < 1
