"""Linear models of scores, against statsmodels, analysis of variance and planted truth."""

import warnings

import numpy as np
import pytest
import statsmodels.api
from statsmodels.regression.mixed_linear_model import MixedLM

from exoliver.linear import (
    Prior,
    estimate_linear,
    estimate_prior,
    fit_linear,
    inverse_trigamma,
    joint_test,
    moderate,
    rescale,
)
from exoliver.random_intercept import restricted_likelihood

DESIGN = np.kron(np.eye(3), np.ones((4, 1)))
ROW = np.array([[0.0, -1.0, 1.0]])


def make(columns: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Scores and a design of three cells and a covariate."""
    rng = np.random.default_rng(6)
    design = np.column_stack([DESIGN, rng.normal(size=12)])
    return rng.normal(size=(12, columns)) + design @ rng.normal(size=(4, columns)), design


def make_nested(seed: int, *, donors: int = 5, arms: int = 2, times: int = 3, between: float = 1.0, columns: int = 3):
    """Balanced scores of donors within arms at several times: scores, design (arm x time), donors."""
    rng = np.random.default_rng(seed)
    arm = np.repeat(np.arange(arms), donors * times)
    time = np.tile(np.arange(times), arms * donors)
    donor = np.repeat(np.arange(arms * donors), times)
    design = (arm * times + time)[:, None] == np.arange(arms * times)[None, :]
    noise = rng.normal(size=(len(arm), columns)) + np.sqrt(between) * rng.normal(size=(arms * donors, columns))[donor]
    return noise, design.astype(float), donor.astype(str)


def test_estimates_are_those_of_ordinary_least_squares() -> None:
    """Estimate, error, interval and p-value of every score as from statsmodels."""
    scores, design = make()
    row = np.append(ROW, 0.0)
    found = estimate_linear(fit_linear(scores, design), row[None])
    ends = found.interval(0.9)
    for score in range(scores.shape[1]):
        expected = statsmodels.api.OLS(scores[:, score], design).fit().t_test(row)
        low, high = expected.conf_int(alpha=0.1)[0]
        pairs = [
            (found.estimate, expected.effect),
            (found.se, expected.sd),
            (found.pvalue, expected.pvalue),
            (ends[0], low),
            (ends[1], high),
        ]
        for ours, theirs in pairs:
            assert ours[score, 0] == pytest.approx(np.asarray(theirs).item(), rel=1e-9)
    np.testing.assert_allclose(found.df, 8)


def test_joint_tests_are_those_of_ordinary_least_squares() -> None:
    """F statistic, its degrees of freedom and p-value as from statsmodels."""
    scores, design = make()
    rows = np.array([[1.0, -1, 0, 0], [0, 1, -1, 0]])
    found = joint_test(fit_linear(scores, design), rows)
    for score in range(scores.shape[1]):
        expected = statsmodels.api.OLS(scores[:, score], design).fit().f_test(rows)
        assert found.stat[score] == pytest.approx(float(expected.fvalue), rel=1e-9)
        assert found.pvalue[score] == pytest.approx(float(expected.pvalue), rel=1e-9)
    assert found.df == 2
    np.testing.assert_allclose(found.df_residual, 8)


def test_rows_that_depend_on_each_other_are_refused() -> None:
    """A joint test of one contrast twice has no answer."""
    fit = fit_linear(*make())
    with pytest.raises(ValueError, match="depend on each other"):
        joint_test(fit, np.array([[1.0, -1, 0, 0], [2, -2, 0, 0]]))


def test_a_score_without_noise_has_no_pvalue() -> None:
    """Its error is zero; the other score is not touched."""
    scores = np.column_stack([np.repeat([1.0, 2.0, 4.0], 4), make()[0][:, 0]])
    found = estimate_linear(fit_linear(scores, DESIGN), ROW)
    assert found.estimate[0, 0] == pytest.approx(2)
    assert found.se[0, 0] == pytest.approx(0, abs=1e-12)
    assert np.isnan(found.pvalue[0, 0]) or found.pvalue[0, 0] < 1e-100
    assert 0 < found.pvalue[1, 0] < 1


def test_a_missing_score_does_not_spread() -> None:
    """A column of NaN stays NaN, the others are as without it, in both models and moderated too."""
    rows = np.array([[1.0, -1, 0, 0, 0, 0], [0, 1, -1, 0, 0, 0]])
    scores, design, donors = make_nested(1, columns=30)
    for given in (None, donors):
        whole = moderate(fit_linear(scores, design, donors=given), Prior(1.0, 4.0))
        holed = scores.copy()
        holed[:, 2] = np.nan
        fit = moderate(fit_linear(holed, design, donors=given), Prior(1.0, 4.0))
        found, joint = estimate_linear(fit, rows), joint_test(fit, rows)
        assert np.isnan(found.estimate[2]).all()
        assert np.isnan(found.pvalue[2]).all()
        assert np.isnan(joint.pvalue[2])
        kept = np.delete(np.arange(30), 2)
        np.testing.assert_allclose(found.pvalue[kept], estimate_linear(whole, rows).pvalue[kept], rtol=1e-12)
        np.testing.assert_allclose(joint.pvalue[kept], joint_test(whole, rows).pvalue[kept], rtol=1e-12)


def test_swapping_the_sides_flips_the_sign() -> None:
    """The mirrored row has the mirrored interval and the same p-value."""
    fit = fit_linear(*make())
    row = np.append(ROW, 0.0)[None]
    forth, back = estimate_linear(fit, row), estimate_linear(fit, -row)
    np.testing.assert_allclose(back.estimate, -forth.estimate, rtol=1e-12)
    np.testing.assert_allclose(back.interval(0.95)[0], -forth.interval(0.95)[1], rtol=1e-12)
    np.testing.assert_allclose(back.pvalue, forth.pvalue, rtol=1e-12)


def test_no_residual_degrees_of_freedom_are_refused() -> None:
    """A design with as many columns as samples has no variance to tell."""
    with pytest.raises(ValueError, match="residual"):
        fit_linear(np.zeros((3, 1)), np.eye(3))


@pytest.mark.parametrize("value", [1e-6, 0.01, 0.5, 3.0, 1e4])
def test_the_inverse_of_trigamma_is_found(value: float) -> None:
    """Over ten orders of magnitude."""
    from scipy.special import polygamma

    assert polygamma(1, inverse_trigamma(value)) == pytest.approx(value, rel=1e-8)


@pytest.mark.parametrize(("prior_df", "low", "high"), [(4.0, 3.4, 4.7), (20.0, 14.0, 32.0)])
def test_a_planted_prior_is_found(prior_df: float, low: float, high: float) -> None:
    """Variances drawn from a scaled inverse chi-square, seen through 10 degrees of freedom."""
    rng = np.random.default_rng(2)
    true = 0.3 * prior_df / rng.chisquare(prior_df, 4000)
    prior = estimate_prior(true * rng.chisquare(10, 4000) / 10, 10)
    assert low < prior.df < high
    assert prior.variance == pytest.approx(0.3, rel=0.05)


def test_a_prior_of_equal_variances_is_certain() -> None:
    """Variances that differ less than by chance; and too few scores have no prior."""
    assert np.isinf(estimate_prior(np.full(40, 2.0), 6).df)
    assert estimate_prior(np.arange(1.0, 20.0), 6).df == 0
    fit = moderate(fit_linear(*make(40)), Prior(2.0, np.inf))
    np.testing.assert_allclose(fit.variance, 2.0)
    np.testing.assert_allclose(estimate_linear(fit, np.eye(4)[:1]).df, 8 * 40)


def test_moderation_draws_the_variance_and_adds_degrees_of_freedom() -> None:
    """As the formula says; the estimates stay."""
    fit = fit_linear(*make())
    drawn = moderate(fit, Prior(0.5, 12.0))
    np.testing.assert_allclose(drawn.variance, (12 * 0.5 + 8 * fit.variance) / 20)
    ours, plain = estimate_linear(drawn, np.eye(4)), estimate_linear(fit, np.eye(4))
    np.testing.assert_allclose(ours.estimate, plain.estimate)
    np.testing.assert_allclose(ours.se / plain.se, np.sqrt(drawn.variance / fit.variance)[:, None] + 0 * ours.se)
    np.testing.assert_allclose(ours.df, 20)


def test_rescaled_scores_have_rescaled_estimates_and_the_same_tests() -> None:
    """In both models."""
    scores, design, donors = make_nested(4)
    factors = np.array([2.0, 0.5, 3.0])
    rows = np.array([[1.0, -1, 0, 0, 0, 0]])
    for given in (None, donors):
        plain = fit_linear(scores, design, donors=given)
        ours, direct = rescale(plain, factors), fit_linear(scores * factors, design, donors=given)
        for fit in (ours, direct):
            found, expected = estimate_linear(fit, rows), estimate_linear(plain, rows)
            np.testing.assert_allclose(found.estimate, expected.estimate * factors[:, None], rtol=1e-6)
            np.testing.assert_allclose(found.se, expected.se * factors[:, None], rtol=1e-5)
            np.testing.assert_allclose(found.df, expected.df, rtol=1e-4)
        np.testing.assert_allclose(np.einsum("kpn,nk->kp", ours.hat, scores), ours.coefficients, rtol=1e-9)


class TestRandomIntercept:
    """Samples of one donor are correlated."""

    def test_it_is_the_analysis_of_variance_where_balanced(self) -> None:
        """Between donors their mean square, within them that of the rest; degrees of freedom of a split plot."""
        scores, design, donors = make_nested(3)
        fit = fit_linear(scores, design, donors=donors)
        cube = scores.reshape(2, 5, 3, -1)
        means = cube.mean(axis=2)
        between = 3 * ((means - means.mean(axis=1, keepdims=True)) ** 2).sum(axis=(0, 1)) / 8
        rest = (
            cube - cube.mean(axis=1, keepdims=True) - means[:, :, None] + means.mean(axis=1, keepdims=True)[:, :, None]
        )
        within = (rest**2).sum(axis=(0, 1, 2)) / 16
        overall = estimate_linear(fit, np.array([[-1.0, -1, -1, 1, 1, 1]]) / 3)
        np.testing.assert_allclose(overall.se[:, 0], np.sqrt(between / 3 * 2 / 5), rtol=1e-4)
        np.testing.assert_allclose(overall.df[:, 0], 8, rtol=1e-3)
        change = estimate_linear(fit, np.array([[1.0, -1, 0, -1, 1, 0]]))
        np.testing.assert_allclose(change.se[:, 0], np.sqrt(within * 4 / 5), rtol=1e-4)
        np.testing.assert_allclose(change.df[:, 0], 16, rtol=1e-3)
        omnibus = joint_test(fit, np.array([[1.0, -1, 0, -1, 1, 0], [0, 1, -1, 0, -1, 1]]))
        np.testing.assert_allclose(omnibus.df_residual, 16, rtol=1e-3)
        at_time = estimate_linear(fit, np.array([[1.0, 0, 0, -1, 0, 0]]))
        mixed = (between + 2 * within) / 3
        expected = mixed**2 / ((between / 3) ** 2 / 8 + (2 * within / 3) ** 2 / 16)
        np.testing.assert_allclose(at_time.se[:, 0], np.sqrt(mixed * 2 / 5), rtol=1e-4)
        np.testing.assert_allclose(at_time.df[:, 0], expected, rtol=1e-3)

    def test_it_is_the_mixed_model_of_statsmodels_where_unbalanced(self) -> None:
        """Coefficients and errors of restricted maximum likelihood, with samples missing."""
        scores, design, donors = make_nested(8, donors=6, between=2.0)
        kept = np.delete(np.arange(len(scores)), [1, 5, 6, 20, 33])
        scores, design, donors = scores[kept], design[kept], donors[kept]
        fit = fit_linear(scores, design, donors=donors)
        for score in range(scores.shape[1]):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                expected = MixedLM(scores[:, score], design, groups=donors).fit(reml=True, gtol=1e-10)
            np.testing.assert_allclose(fit.coefficients[score], expected.fe_params, atol=1e-4)
            same = (donors[:, None] == donors[None, :]).astype(float)
            unit = (1 - fit.correlation[score]) * np.eye(len(same)) + fit.correlation[score] * same
            general = statsmodels.api.GLS(scores[:, score], design, sigma=unit).fit()
            np.testing.assert_allclose(fit.covariance[score], general.cov_params(), rtol=1e-9, atol=1e-12)
            # statsmodels' mixed model stops a little before the top of the likelihood.
            theirs = float(expected.cov_re[0, 0] / (expected.cov_re[0, 0] + expected.scale))
            assert fit.correlation[score] == pytest.approx(theirs, abs=5e-3)
            ours, other = (
                restricted_likelihood(value, scores[:, score], design=design, same=same)
                for value in (fit.correlation[score], theirs)
            )
            assert ours >= other - 1e-9

    def test_donors_with_one_sample_each_time_have_nothing_within(self) -> None:
        """One variance cannot be told from the other."""
        scores, design, donors = make_nested(3, times=1)
        with pytest.raises(ValueError, match="within and between donors"):
            fit_linear(scores, design, donors=donors)

    def test_a_donor_in_each_arm_has_nothing_between(self) -> None:
        """One donor in each arm: the arm cannot be told from the donor."""
        scores, design, donors = make_nested(3, donors=1)
        with pytest.raises(ValueError, match="residual"):
            fit_linear(scores, design, donors=donors)
