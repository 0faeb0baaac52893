"""Associations of components and outlying samples, against other ways of computing them."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from exoliver.sample_quality import LEAST_SAMPLES, associate_components, distances_to_own, find_outliers

NAMES = [f"s{place}" for place in range(12)]


def values(numbers: object) -> pd.Series:
    """A value of each sample."""
    return pd.Series(numbers, index=NAMES)


ARM = values(list("aaaabbbbcccc"))
RIN = values(np.linspace(5, 9, 12))
SCORES = np.random.default_rng(5).normal(size=(12, 2)) + np.where(ARM == "a", 2.0, 0.0)[:, None]


class TestAssociations:
    """R squared and F tests."""

    def test_levels_are_tested_by_one_way_analysis_of_variance(self) -> None:
        """SciPy's test of the groups gives the same p-value; R squared is the variance between over all."""
        row = associate_components(SCORES, {"arm": ARM}, numeric=()).iloc[1]
        y = SCORES[:, 1]
        groups = [y[(arm == ARM).to_numpy()] for arm in "abc"]
        assert row["pvalue"] == pytest.approx(stats.f_oneway(*groups).pvalue)
        between = sum(len(own) * (own.mean() - y.mean()) ** 2 for own in groups)
        share = between / ((y - y.mean()) ** 2).sum()
        assert row["share"] == pytest.approx(share)
        assert row["share_adjusted"] == pytest.approx(1 - (1 - share) * 11 / 9)

    def test_numbers_are_tested_by_a_straight_line(self) -> None:
        """SciPy's regression gives the same p-value and correlation."""
        row = associate_components(SCORES, {"rin": RIN}, numeric=("rin",)).iloc[0]
        line = stats.linregress(RIN, SCORES[:, 0])
        assert row["share"] == pytest.approx(line.rvalue**2)
        assert row["pvalue"] == pytest.approx(line.pvalue)

    def test_samples_without_a_value_are_left_out(self) -> None:
        """As if they were not there."""
        some = RIN.mask(RIN > 8)
        row = associate_components(SCORES, {"rin": some}, numeric=("rin",)).iloc[0]
        known = some.notna().to_numpy()
        assert row["samples"] == known.sum() < 12
        assert row["share"] == pytest.approx(stats.linregress(RIN[known], SCORES[known, 0]).rvalue ** 2)

    def test_what_cannot_be_tested_says_why(self) -> None:
        """One level, or as many levels as samples."""
        table = associate_components(SCORES, {"one": values("x"), "each": values(NAMES)}, numeric=())
        assert table["note"].tolist() == ["one_level"] * 2 + ["no_samples_left"] * 2
        assert table[["share", "pvalue", "padj"]].isna().all(axis=None)

    def test_p_values_are_adjusted_over_the_whole_table(self) -> None:
        """SciPy's procedure over all that were tested."""
        factors = {"arm": ARM, "rin": RIN, "one": values("x")}
        table = associate_components(SCORES, factors, numeric=("rin",)).dropna(subset=["pvalue"])
        assert len(table) == 4
        np.testing.assert_allclose(table["padj"], stats.false_discovery_control(table["pvalue"]))

    def test_noise_explains_nothing_on_average(self) -> None:
        """Adjusted shares of unrelated factors are zero in the mean, and their p-values uniform."""
        random = np.random.default_rng(6)
        table = associate_components(random.normal(size=(12, 2000)), {"arm": ARM}, numeric=())
        assert table["share_adjusted"].mean() == pytest.approx(0, abs=0.02)
        assert table["share"].mean() == pytest.approx(2 / 11, abs=0.02)
        assert stats.kstest(table["pvalue"], "uniform").pvalue > 0.01

    def test_the_order_of_samples_changes_nothing(self) -> None:
        """Rows turned round give the same shares."""
        turned = associate_components(SCORES[::-1], {"arm": ARM[::-1]}, numeric=())
        straight = associate_components(SCORES, {"arm": ARM}, numeric=())
        np.testing.assert_allclose(turned["share"], straight["share"])


class TestOutliers:
    """Limits by the median absolute deviation."""

    def test_the_limits_are_three_scaled_deviations(self) -> None:
        """SciPy's normal-scaled deviation, on both sides of the median."""
        numbers = values([*np.linspace(9, 11, 11), 30.0])
        table = find_outliers(numbers, is_low_sound=False)
        spread = stats.median_abs_deviation(numbers, scale="normal")
        assert table["sample"].tolist() == ["s11"]
        assert table["high"].iloc[0] == pytest.approx(numbers.median() + 3 * spread, rel=1e-4)
        assert table["low"].iloc[0] == pytest.approx(numbers.median() - 3 * spread, rel=1e-4)
        assert table["deviations"].iloc[0] == pytest.approx((30 - numbers.median()) / spread, rel=1e-4)

    def test_low_values_may_be_sound(self) -> None:
        """A sample that is nearer to its own than others are is no fault."""
        numbers = values([*np.linspace(9, 11, 11), -30.0])
        assert find_outliers(numbers, is_low_sound=True).empty
        assert find_outliers(numbers, is_low_sound=False)["sample"].tolist() == ["s11"]

    def test_few_samples_have_no_limit(self) -> None:
        """One fewer than needed gives none, as many as needed do."""
        numbers = values([1.0, 1.1, 0.9, 1.05, 0.95, 50.0, *[np.nan] * 6])
        assert numbers.notna().sum() == LEAST_SAMPLES
        assert find_outliers(numbers, is_low_sound=False)["sample"].tolist() == ["s5"]
        assert find_outliers(numbers.drop("s0"), is_low_sound=False).empty

    def test_equal_values_have_no_limit(self) -> None:
        """Where most samples share a value, any other one would be infinitely far."""
        assert find_outliers(values([1.0] * 11 + [2.0]), is_low_sound=False).empty

    def test_the_farthest_comes_first(self) -> None:
        """On either side; ties by name."""
        numbers = values([*np.linspace(9, 11, 9), 40.0, -40.0, 20.0])
        assert find_outliers(numbers, is_low_sound=False)["sample"].tolist() == ["s10", "s9", "s11"]

    def test_alike_samples_are_seldom_called(self) -> None:
        """About one dataset in five has one among samples of a normal distribution, as the page says."""
        random = np.random.default_rng(8)
        drawn = [find_outliers(pd.Series(random.normal(size=24)), is_low_sound=False) for _ in range(300)]
        assert 0.12 < np.mean([len(table) > 0 for table in drawn]) < 0.29  # 0.20, and four standard errors


class TestDistances:
    """Distance to the samples of the same group."""

    def test_it_is_the_median_to_the_others(self) -> None:
        """Points on a line, two groups; the sample itself takes no part."""
        place = pd.Series([0.0, 1.0, 3.0, 10.0, 11.0, 12.0], index=list("abcdef"))
        distances = pd.DataFrame(
            np.abs(np.subtract.outer(place.to_numpy(), place.to_numpy())), index=place.index, columns=place.index
        )
        groups = pd.Series(list("xxxyyy"), index=place.index)
        assert distances_to_own(distances, groups).tolist() == [2.0, 1.5, 2.5, 1.5, 1.0, 1.5]

    def test_pairs_and_single_samples_have_none(self) -> None:
        """Of two each is as far from the other."""
        distances = pd.DataFrame(1 - np.eye(3), index=list("abc"), columns=list("abc"))
        assert distances_to_own(distances, pd.Series(list("xxy"), index=list("abc"))).isna().all()
