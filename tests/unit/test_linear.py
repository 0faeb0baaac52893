"""Linear models of scores, against statsmodels."""

import numpy as np
import pytest
import statsmodels.api

from exoliver.linear import estimate_linear, fit_linear

DESIGN = np.kron(np.eye(3), np.ones((4, 1)))
ROW = np.array([0.0, -1.0, 1.0])


def make(columns: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Scores and a design of three cells and a covariate."""
    rng = np.random.default_rng(6)
    design = np.column_stack([DESIGN, rng.normal(size=12)])
    return rng.normal(size=(12, columns)) + design @ rng.normal(size=(4, columns)), design


def test_estimates_are_those_of_ordinary_least_squares() -> None:
    """Estimate, error, interval and p-value of every score as from statsmodels."""
    scores, design = make()
    row = np.append(ROW, 0.0)
    found = estimate_linear(fit_linear(scores, design), row, level=0.9)
    for score in range(scores.shape[1]):
        expected = statsmodels.api.OLS(scores[:, score], design).fit().t_test(row)
        low, high = expected.conf_int(alpha=0.1)[0]
        pairs = [
            (found.estimate, expected.effect),
            (found.se, expected.sd),
            (found.pvalue, expected.pvalue),
            (found.ci_low, low),
            (found.ci_high, high),
        ]
        for ours, theirs in pairs:
            assert ours[score] == pytest.approx(np.asarray(theirs).item(), rel=1e-9)
    assert found.df == 8


def test_a_score_without_noise_has_no_pvalue() -> None:
    """Its error is zero; the other score is not touched."""
    scores = np.column_stack([np.repeat([1.0, 2.0, 4.0], 4), make()[0][:, 0]])
    found = estimate_linear(fit_linear(scores, DESIGN), ROW, level=0.95)
    assert found.estimate[0] == pytest.approx(2)
    assert found.se[0] == pytest.approx(0, abs=1e-12)
    assert np.isnan(found.pvalue[0]) or found.pvalue[0] < 1e-100
    assert 0 < found.pvalue[1] < 1


def test_a_missing_score_does_not_spread() -> None:
    """A column of NaN stays NaN, the others are as without it."""
    scores, design = make()
    row = np.append(ROW, 0.0)
    whole = estimate_linear(fit_linear(scores, design), row, level=0.95)
    scores[:, 2] = np.nan
    found = estimate_linear(fit_linear(scores, design), row, level=0.95)
    assert np.isnan(found.estimate[2])
    assert np.isnan(found.pvalue[2])
    np.testing.assert_allclose(np.delete(found.pvalue, 2), np.delete(whole.pvalue, 2), rtol=1e-12)


def test_swapping_the_sides_flips_the_sign() -> None:
    """The mirrored row has the mirrored interval and the same p-value."""
    fit = fit_linear(*make())
    row = np.append(ROW, 0.0)
    forth, back = estimate_linear(fit, row, level=0.95), estimate_linear(fit, -row, level=0.95)
    np.testing.assert_allclose(back.estimate, -forth.estimate, rtol=1e-12)
    np.testing.assert_allclose(back.ci_low, -forth.ci_high, rtol=1e-12)
    np.testing.assert_allclose(back.pvalue, forth.pvalue, rtol=1e-12)


def test_no_residual_degrees_of_freedom_are_refused() -> None:
    """A design with as many columns as samples has no variance to tell."""
    with pytest.raises(ValueError, match="residual"):
        fit_linear(np.zeros((3, 1)), np.eye(3))
