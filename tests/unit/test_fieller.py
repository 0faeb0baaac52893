"""Fieller's interval, against arithmetic by hand and its own defining equation."""

import numpy as np
import pytest
from scipy.stats import t

from exoliver.fieller import fieller_ratio


def ratio(numerator: float, denominator: float, *, covariance: float = 0.0, df: float = np.inf):
    """One ratio of estimates with variance 1."""
    one = np.ones(1)
    return fieller_ratio(
        one * numerator,
        one * denominator,
        variance=one,
        denominator_variance=one,
        covariance=one * covariance,
        df=df,
        level=0.95,
    )


def test_an_interval_is_the_one_computed_by_hand() -> None:
    """N = 6, D = 10, variances 1, covariance .5, t = 2 (df 60.4378): 96 r^2 - 116 r + 32 = 0."""
    quantile = 2.0
    df = 60.4378
    assert t.ppf(0.975, df) == pytest.approx(quantile, abs=1e-6)
    found = ratio(6.0, 10.0, covariance=0.5, df=df)
    # (100 - 4) r^2 - 2 (60 - 2) r + (36 - 4) = 0, so r = (58 -+ sqrt(58^2 - 96 * 32)) / 96 = (58 -+ sqrt(292)) / 96.
    assert found.low[0] == pytest.approx((58 - 292**0.5) / 96, abs=1e-6)
    assert found.high[0] == pytest.approx((58 + 292**0.5) / 96, abs=1e-6)
    assert found.value[0] == pytest.approx(0.6)
    assert found.state[0] == "ok"


def test_at_its_ends_the_difference_is_just_significant() -> None:
    """N - r D has t = q there, whatever the covariance."""
    for covariance in (-0.7, 0.0, 0.9):
        found = ratio(3.0, 8.0, covariance=covariance, df=9)
        for end in (found.low[0], found.high[0]):
            error = np.sqrt(1 - 2 * end * covariance + end**2)
            assert abs(3.0 - end * 8.0) / error == pytest.approx(t.ppf(0.975, 9), rel=1e-9)


@pytest.mark.parametrize(
    ("denominator", "state"), [(8.0, "ok"), (-8.0, "ok"), (3.9, "injury_weak"), (1.9, "injury_not_detected")]
)
def test_a_weak_denominator_has_no_point_value(denominator: float, state: str) -> None:
    """Below four errors an interval, below two nothing at all."""
    found = ratio(1.0, denominator)
    assert found.state[0] == state
    assert np.isnan(found.value[0]) == (state != "ok")
    assert np.isnan(found.low[0]) == (state == "injury_not_detected")
    if state != "injury_not_detected":
        assert found.low[0] < 1.0 / denominator < found.high[0]


def test_missing_degrees_of_freedom_have_no_state() -> None:
    """As of a score that does not vary."""
    found = ratio(2.2, 2.2, df=np.nan)
    assert (found.state[0], np.isnan(found.value[0]), np.isnan(found.low[0])) == ("", True, True)


def test_a_missing_estimate_has_no_state() -> None:
    """NaN in, NaN out."""
    found = ratio(np.nan, 8.0)
    assert found.state[0] == ""
    assert np.isnan([found.value[0], found.low[0], found.high[0]]).all()


def test_swapping_the_sign_of_both_changes_nothing() -> None:
    """The ratio of mirrored estimates is the same."""
    forth, back = ratio(3.0, 8.0, covariance=0.4), ratio(-3.0, -8.0, covariance=0.4)
    for name in ("value", "low", "high"):
        np.testing.assert_allclose(getattr(back, name), getattr(forth, name), rtol=1e-12)
