"""Trend, prior, Cook's distances and the data set that puts them together, against other programs' answers."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api
from pydeseq2.dds import DeseqDataSet
from pydeseq2.utils import robust_method_of_moments_disp
from scipy.interpolate import CubicHermiteSpline
from scipy.special import polygamma
from scipy.stats import chi2, f, median_abs_deviation, trim_mean

from exoliver.inference import prior, trend
from exoliver.inference.batched import BatchedInference
from exoliver.inference.cooks import cooks_distances, replaced_counts, robust_dispersions, trimmed_mean
from exoliver.inference.dataset import BatchedDataSet
from exoliver.inference.prior import prior_variance, residual_variance
from exoliver.inference.trend import TrendError, fit_gamma_trend, fit_parametric_trend

A0, A1 = 0.04, 3.0
OUTLIER, EMPTIED, LOW_OUTLIER, ZERO = range(4)


def draw_dispersions(genes: int, *, seed: int, a0: float = A0, a1: float = A1) -> tuple[np.ndarray, np.ndarray]:
    """Means, and dispersions with a gamma error around the trend."""
    rng = np.random.default_rng(seed)
    means = np.exp(rng.uniform(0, 9, genes))
    return means, (a0 + a1 / means) * rng.gamma(2, 0.5, genes)


def gamma_regression(means: np.ndarray, dispersions: np.ndarray) -> np.ndarray:
    """a0 and a1 by statsmodels."""
    family = statsmodels.api.families.Gamma(link=statsmodels.api.families.links.Identity())
    design = np.column_stack([np.ones_like(means), 1 / means])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of every link but its own
        fitted = statsmodels.api.GLM(dispersions, design, family=family).fit(start_params=[0.1, 1.0], tol=1e-12)
    return np.asarray(fitted.params)


def test_a_planted_trend_is_recovered() -> None:
    """Of 20,000 genes with an error of 70 %: both coefficients to a few per cent, which is three standard errors."""
    found = fit_parametric_trend(*draw_dispersions(20_000, seed=1))
    np.testing.assert_allclose(found, [A0, A1], rtol=0.04)


def test_one_gamma_regression_is_that_of_statsmodels() -> None:
    """The same maximum from another start."""
    means, dispersions = draw_dispersions(2000, seed=2)
    found, has_converged = fit_gamma_trend(1 / means, dispersions, start=np.array([1.0, 1.0]))
    assert has_converged
    np.testing.assert_allclose(found, gamma_regression(means, dispersions), rtol=1e-4)


def test_genes_far_from_the_trend_do_not_bend_it() -> None:
    """One gene in twenty at a thousand times the trend, one at a millionth: the trend is that of the others alone."""
    means, dispersions = draw_dispersions(4000, seed=3)
    factor = np.ones(4000)
    factor[::20], factor[1::20] = 1000.0, 1e-6
    near = factor == 1
    alone = fit_parametric_trend(means[near], dispersions[near])
    together = fit_parametric_trend(means, dispersions * factor)
    np.testing.assert_allclose(together, alone, rtol=2e-3)
    assert gamma_regression(means, dispersions * factor)[0] > 10 * together[0]


def test_genes_come_back_once_the_trend_has_moved_near_them() -> None:
    """A trend ten times the first guess at low means: the fit ends on all genes that lie near where it ends."""
    means, dispersions = draw_dispersions(4000, seed=4, a0=0.02, a1=40.0)
    first = dispersions / (trend.START[0] + trend.START[1] / means)
    assert (first > 15).mean() > 0.2
    found = fit_parametric_trend(means, dispersions)
    ratio = dispersions / (found[0] + found[1] / means)
    near = (ratio > 1e-4) & (ratio < 15)
    assert near.mean() > 0.99
    np.testing.assert_allclose(found, gamma_regression(means[near], dispersions[near]), rtol=1e-3)


def test_dispersions_that_rise_with_the_mean_have_no_trend() -> None:
    """A negative coefficient is an error, not a trend."""
    means, noise = draw_dispersions(2000, seed=5)
    with pytest.raises(TrendError, match="negative"):
        fit_parametric_trend(means, noise * means**1.5 / 100)


def test_too_few_genes_have_no_trend() -> None:
    """One gene, or none near the first guess."""
    with pytest.raises(TrendError, match="fewer than two"):
        fit_parametric_trend(np.array([50.0]), np.array([0.1]))
    with pytest.raises(TrendError, match="fewer than two"):
        fit_parametric_trend(np.full(50, 100.0), np.full(50, 1e-7))


def test_a_trend_that_does_not_settle_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """One turn is not enough to know that the next one would change nothing."""
    monkeypatch.setattr(trend, "MAX_TURNS", 1)
    with pytest.raises(TrendError, match="settle within 1"):
        fit_parametric_trend(*draw_dispersions(500, seed=6))


def test_the_variance_of_residuals_is_robust() -> None:
    """The squared median absolute deviation, scaled for a normal distribution."""
    residuals = np.concatenate([np.random.default_rng(7).normal(0.4, 1.3, 999), np.full(50, 80.0)])
    assert residual_variance(residuals) == pytest.approx(median_abs_deviation(residuals, scale=1 / 1.4826) ** 2)


@pytest.mark.parametrize("df", [4, 5, 17])
def test_with_many_degrees_of_freedom_the_variance_of_estimation_is_taken_off(df: int) -> None:
    """That of a log chi-square is a trigamma function; never below a quarter."""
    rng = np.random.default_rng(8)
    for spread in (0.1, 2.0):
        residuals = np.log(rng.chisquare(df, 3000) / df) + rng.normal(0, spread, 3000)
        expected = median_abs_deviation(residuals, scale=1 / 1.4826) ** 2 - polygamma(1, df / 2)
        assert prior_variance(residuals, residual_df=df) == pytest.approx(max(expected, 0.25), rel=1e-9)


@pytest.mark.parametrize("df", [1, 2, 3])
@pytest.mark.parametrize("planted", [0.5, 1.0, 2.0, 4.0])
def test_with_few_degrees_of_freedom_a_planted_variance_is_recovered(df: int, planted: float) -> None:
    """To within 18 %, which is how flat the smoothed distances are (measured over six draws at each of these)."""
    rng = np.random.default_rng(9)
    residuals = np.log(rng.chisquare(df, 20_000) / df) + rng.normal(0, np.sqrt(planted), 20_000)
    assert prior_variance(residuals, residual_df=df) == pytest.approx(planted, rel=0.18)
    # The rule for many degrees of freedom would be far off, at least with one of them.
    coarse = residual_variance(residuals) - float(polygamma(1, df / 2))
    assert df > 1 or abs(coarse - planted) > 0.5


def test_few_degrees_of_freedom_leave_at_least_a_quarter() -> None:
    """Residuals that are all estimation."""
    residuals = np.log(np.random.default_rng(10).chisquare(2, 20_000) / 2)
    assert prior_variance(residuals, residual_df=2) == 0.25


@pytest.mark.parametrize(("df", "variance"), [(1, 0.0), (1, 0.6), (2, 3.0), (3, 1.0)])
def test_expected_densities_are_those_of_draws(df: int, variance: float) -> None:
    """A histogram of 400,000 draws of the sum, over all bins of more than a hundred draws."""
    rng, draws = np.random.default_rng(11), 400_000
    nodes, weights = np.polynomial.legendre.leggauss(prior.NODES)
    centres = np.log(chi2.ppf((nodes + 1) / 2, df) / df)
    found = prior._expected(variance, centres, weights=weights / 2, df=df)
    drawn = np.log(rng.chisquare(df, draws) / df) + rng.normal(0, np.sqrt(variance), draws)
    counted, _ = np.histogram(drawn, prior.EDGES)
    width = prior.EDGES[1] - prior.EDGES[0]
    filled = counted > 100
    error = np.sqrt(counted[filled]) / draws / width
    assert (np.abs(found - counted / counted.sum() / width)[filled] < 5 * error + 1e-4).all()
    assert np.sum(found) * width == pytest.approx(1)
    assert found[found > 0].min() * width >= prior.HALF_A_DRAW  # rarer bins are empty, as they would be among draws
    assert (found == 0).any()


def weighted_quadratic(x: np.ndarray, y: np.ndarray, at: float, *, nearest: int) -> tuple[float, float]:
    """Value and slope at a place, by numpy's polynomials and tricube weights over the nearest points."""
    distance = np.abs(x - at)
    weights = np.clip(1 - (distance / np.sort(distance)[nearest - 1]) ** 3, 0, None) ** 3
    curve = np.polynomial.Polynomial.fit(x - at, y, 2, w=np.sqrt(weights)).convert().coef
    return float(curve[0]), float(curve[1])


def test_smoothing_is_local_regression_with_cubics_between_vertices() -> None:
    """Vertices halve the points until eight are left; there numpy's own fits, between them scipy's Hermite spline."""
    rng = np.random.default_rng(12)
    x = np.linspace(0, 8, 200)
    y = np.sin(x) + rng.normal(0, 0.3, 200)
    cuts = prior._cuts(x)
    parts = np.diff([0, *np.searchsorted(x, cuts), 200])
    assert parts.max() <= 8
    assert parts.min() >= 5  # a part of nine or more would have been halved
    np.testing.assert_allclose(cuts, (x[np.cumsum(parts)[:-1] - 1] + x[np.cumsum(parts)[:-1]]) / 2)
    vertices = np.array([-0.04, *cuts, 8.04])
    values, slopes = np.array([weighted_quadratic(x, y, at, nearest=40) for at in vertices]).T
    at = np.linspace(0, 8, 1000)
    expected = CubicHermiteSpline(vertices, values, slopes)(at)
    np.testing.assert_allclose(prior._loess(x, y, at), expected, atol=1e-9)


def test_smoothing_leaves_a_parabola_as_it_is() -> None:
    """A local quadratic is the curve itself, at the vertices and between them."""
    x, at = np.linspace(0, 8, 200), np.linspace(0, 8, 333)
    np.testing.assert_allclose(prior._loess(x, (x - 3) ** 2, at), (at - 3) ** 2, atol=1e-9)


CELLS: Mapping[str, tuple[int, ...]] = {
    "three of each": (3, 3),
    "unequal": (2, 4, 7),
    "many": (24, 5),
    "pairs": (2, 2, 2),
}


@pytest.mark.parametrize("cells", CELLS)
def test_robust_dispersions_are_those_of_pydeseq2(cells: str) -> None:
    """Cells of every size that trims otherwise, and none large enough."""
    rng, sizes = np.random.default_rng(13), CELLS[cells]
    cell = np.repeat(np.arange(len(sizes)), sizes)
    normalised = rng.negative_binomial(2, 2 / (2 + rng.uniform(1, 900, (1, 200))), (len(cell), 200)) / 1.3
    normalised[0, ::4] = 40_000.0
    design = pd.get_dummies(pd.Series(cell)).astype(float)
    positions = [np.flatnonzero(cell == number) for number, size in enumerate(sizes) if size >= 3]
    found = robust_dispersions(normalised, positions)
    assert 0 < (found == 0.04).mean() < 1
    np.testing.assert_allclose(found, robust_method_of_moments_disp(normalised, design), rtol=1e-10)


def test_cooks_distance_is_the_formula_of_one_count() -> None:
    """Squared Pearson residual over the columns, times leverage over the squared rest."""
    y, mu, h, a = 260.0, 100.0, 0.3, 0.5
    found = cooks_distances(
        np.array([[y]]), np.array([[mu]]), leverages=np.array([[h]]), dispersions=np.array([a]), columns=3
    )
    assert found.item() == pytest.approx(160**2 / (100 + 0.5 * 100**2) / 3 * 0.3 / 0.7**2)


@pytest.mark.parametrize("share", [0.125, 0.2, 0.25, 1 / 3])
def test_trimmed_means_are_those_of_scipy(share: float) -> None:
    """For every number of samples, also where the share is no whole number of them."""
    for samples in range(3, 31):
        values = np.random.default_rng(samples).normal(size=(samples, 4))
        np.testing.assert_allclose(trimmed_mean(values, share), trim_mean(values, share, axis=0), rtol=1e-12)


def test_a_replacement_is_the_trimmed_mean_in_whole_reads() -> None:
    """A fifth off each end of the normalised counts, scaled to the sample and cut to a whole number."""
    rng = np.random.default_rng(14)
    normalised, size_factors = rng.uniform(0, 90, (11, 6)), rng.uniform(0.5, 2, 11)
    expected = np.floor(trim_mean(normalised, 0.2, axis=0) * size_factors[:, None])
    np.testing.assert_array_equal(replaced_counts(normalised, size_factors), expected)


def make_counts(sizes: tuple[int, ...], *, genes: int = 300, seed: int = 31) -> pd.DataFrame:
    """Counts of cells of these sizes; four genes are set by hand, the first of them with a count that stands out."""
    rng = np.random.default_rng(seed)
    samples = sum(sizes)
    depth = rng.uniform(0.7, 1.4, (samples, 1))
    means = np.exp(rng.uniform(2, 8, genes))
    dispersions = (0.05 + 2 / means) * np.exp(rng.normal(0, 0.5, genes))
    counts = rng.negative_binomial(1 / dispersions, 1 / (1 + dispersions * means * depth))
    counts[:, OUTLIER] = 300 + 7 * np.arange(samples)
    counts[1, OUTLIER] = 90_000
    counts[:, EMPTIED] = 0
    counts[2, EMPTIED] = 800
    counts[:, LOW_OUTLIER] = np.where(np.arange(samples) < sizes[0], 5, 1000) + np.arange(samples) % 3
    counts[0, LOW_OUTLIER] = 400
    counts[:, ZERO] = 0
    names = [f"s{sample:02d}" for sample in range(samples)]
    return pd.DataFrame(counts, index=names, columns=[f"g{gene:03d}" for gene in range(genes)])


def make_design(sizes: tuple[int, ...], index: pd.Index) -> pd.DataFrame:
    """A column for each cell."""
    cell = np.repeat(np.arange(len(sizes)), sizes)
    return pd.DataFrame(np.eye(len(sizes))[cell], index=index, columns=[f"c{number}" for number in range(len(sizes))])


def fitted(counts: pd.DataFrame, design: pd.DataFrame, **keys: Any) -> BatchedDataSet:
    """The whole fit."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = BatchedDataSet(
            counts=counts, metadata=pd.DataFrame({"sample": counts.index}, index=counts.index), design=design,
            inference=BatchedInference(), quiet=True, **keys,
        )  # fmt: skip
        found.deseq2()
    return found


SEVEN, FOUR, THREE_CELLS = (8, 8), (4, 4), (4, 4, 4)


@pytest.fixture(scope="module")
def data_sets() -> dict[tuple[int, ...], BatchedDataSet]:
    """Fits of two cells of eight, two of four and three of four."""
    found = {}
    for sizes in (SEVEN, FOUR, THREE_CELLS):
        counts = make_counts(sizes)
        found[sizes] = fitted(counts, make_design(sizes, counts.index))
    return found


def values(data_set: BatchedDataSet, name: str) -> np.ndarray:
    """A column of genes."""
    return data_set.var[name].to_numpy(dtype=float)


def test_cooks_distances_are_those_of_pydeseq2(data_sets: dict[tuple[int, ...], BatchedDataSet]) -> None:
    """Its own method on the same fit."""
    for data_set in data_sets.values():
        ours = data_set.layers["cooks"].copy()
        DeseqDataSet.calculate_cooks(data_set)
        theirs = data_set.layers["cooks"].copy()
        data_set.layers["cooks"] = ours
        np.testing.assert_allclose(ours, theirs, rtol=1e-9)
        assert np.isnan(ours[:, ZERO]).all()


def test_the_data_set_follows_its_trend_and_prior(data_sets: dict[tuple[int, ...], BatchedDataSet]) -> None:
    """Fitted dispersions, prior and the genes that keep their own dispersion, each from the numbers before it."""
    data_set = data_sets[THREE_CELLS]
    own, means = values(data_set, "genewise_dispersions"), values(data_set, "_normed_means")
    used = own > 1e-6
    assert 0 < used.sum() < len(own)
    found = fit_parametric_trend(means[used], own[used])
    np.testing.assert_allclose(data_set.uns["trend_coeffs"], found, rtol=1e-12)
    curve = found[0] + found[1] / np.where(means > 0, means, np.nan)
    np.testing.assert_allclose(values(data_set, "fitted_dispersions"), curve, rtol=1e-12)
    residuals = np.log(own / curve)[used]
    assert data_set.uns["prior_disp_var"] == pytest.approx(prior_variance(residuals, residual_df=9))
    spread = 2 * median_abs_deviation(residuals, scale=1 / 1.4826)
    keeps_own = np.log(own / curve) > spread
    assert keeps_own.any()
    np.testing.assert_array_equal(data_set.var["_outlier_genes"].to_numpy(dtype=bool), keeps_own)
    final = np.where(keeps_own, own, values(data_set, "MAP_dispersions"))
    np.testing.assert_array_equal(values(data_set, "dispersions"), final)
    nearer = np.abs(np.log(own / curve)) - np.abs(np.log(final / curve))
    assert (nearer[~keeps_own & used] > -0.05).all()  # a climb can end a little before the top
    assert np.median(nearer[~keeps_own & used]) > 0.05


def test_the_posterior_is_climbed_from_the_dispersion_of_the_gene() -> None:
    """Or from the trend where that is less than a tenth of it: asked of the inference, which is watched."""
    counts = make_counts(THREE_CELLS)
    asked = []

    class Watched(BatchedInference):
        """It keeps what it is asked for."""

        def alpha_mle(self, *args: Any, **keys: Any) -> tuple[np.ndarray, np.ndarray]:
            """As before."""
            asked.append(keys)
            return super().alpha_mle(*args, **keys)

    data_set = BatchedDataSet(
        counts=counts, metadata=pd.DataFrame({"x": 0}, index=counts.index),
        design=make_design(THREE_CELLS, counts.index), inference=Watched(), quiet=True,
    )  # fmt: skip
    data_set.fit_size_factors()
    data_set.fit_genewise_dispersions()
    data_set.fit_dispersion_trend()
    data_set.fit_dispersion_prior()
    data_set.fit_MAP_dispersions()
    present = data_set.var["non_zero"].to_numpy()
    own, curve = (values(data_set, name)[present] for name in ("genewise_dispersions", "fitted_dispersions"))
    assert 0 < (own <= 0.1 * curve).sum() < len(own)
    np.testing.assert_array_equal(asked[-1]["start"], np.where(own > 0.1 * curve, own, curve))
    np.testing.assert_array_equal(asked[-1]["alpha_hat"], curve)


def test_without_a_trend_the_mean_dispersion_stands_in() -> None:
    """Dispersions that rise with the mean: the trimmed mean for all genes, and the reason is kept."""
    rng = np.random.default_rng(32)
    means = np.exp(rng.uniform(3, 9, 300))
    dispersions = means / 3000
    counts = rng.negative_binomial(np.broadcast_to(1 / dispersions, (8, 300)), 1 / (1 + dispersions * means))
    table = pd.DataFrame(counts, index=[f"s{sample}" for sample in range(8)], columns=[f"g{g}" for g in range(300)])
    data_set = fitted(table, make_design(FOUR, table.index))
    assert "negative" in data_set.uns["trend_problem"]
    assert data_set.uns["disp_function_type"] == "mean"
    own = values(data_set, "genewise_dispersions")
    expected = trim_mean(own[own > 1e-7], 0.001)
    np.testing.assert_allclose(values(data_set, "fitted_dispersions"), expected, rtol=1e-9)
    assert np.isfinite(values(data_set, "dispersions")).all()
    assert "trend_problem" not in fitted(make_counts(FOUR), make_design(FOUR, make_counts(FOUR).index)).uns


def test_outliers_are_replaced_in_cells_of_seven_and_more(data_sets: dict[tuple[int, ...], BatchedDataSet]) -> None:
    """The count that stands out becomes the trimmed mean of its gene; no other count of it changes."""
    data_set = data_sets[SEVEN]
    before, after = np.asarray(data_set.X), data_set.layers["replaced_counts"]
    sample, gene = np.nonzero(before != after)
    assert (1, OUTLIER) in set(zip(sample, gene, strict=True))
    cutoff = f.ppf(0.99, 2, 14)
    beyond = np.nan_to_num(data_set.layers["cooks"]) > cutoff
    assert (beyond[before != after]).all()
    factors = data_set.obs["size_factors"].to_numpy()
    instead = np.floor(trim_mean(before / factors[:, None], 0.2, axis=0) * factors[:, None])
    np.testing.assert_array_equal(after, np.where(beyond, instead, before))
    np.testing.assert_array_equal(data_set.var["replaced"].to_numpy(), beyond.any(axis=0))
    assert not data_set.var["_pvalue_cooks_outlier"].any()


def test_a_replaced_gene_is_fitted_as_if_it_had_been_counted_so(
    data_sets: dict[tuple[int, ...], BatchedDataSet],
) -> None:
    """Step by step with the inference, on the replaced counts, with the same size factors, trend and prior."""
    data_set = data_sets[SEVEN]
    genes = np.flatnonzero(data_set.var["refitted"])
    assert OUTLIER in genes
    counts, factors = data_set.layers["replaced_counts"][:, genes], data_set.obs["size_factors"].to_numpy()
    normalised, design = counts / factors[:, None], data_set.obsm["design_matrix"].to_numpy()
    inference, limits = BatchedInference(), {"min_disp": 1e-8, "max_disp": 16.0}
    rough = inference.fit_rough_dispersions(normalised, design)
    start = np.clip(np.minimum(rough, inference.fit_moments_dispersions(normalised, factors)), 1e-8, 16.0)
    means = inference.lin_reg_mu(counts, factors, design, 0.5)
    setting = {"counts": counts, "design_matrix": design, "mu": means} | limits
    own, _ = inference.alpha_mle(**setting, alpha_hat=start)
    a0, a1 = data_set.uns["trend_coeffs"]
    curve = a0 + a1 / normalised.mean(axis=0)
    best, _ = inference.alpha_mle(
        **setting, alpha_hat=curve, prior_disp_var=data_set.uns["prior_disp_var"], prior_reg=True,
        start=np.where(own > 0.1 * curve, own, curve),
    )  # fmt: skip
    spread = 2 * np.sqrt(data_set.uns["_squared_logres"])
    final = np.where(np.log(own / curve) > spread, own, best)
    beta, *_ = inference.irls(counts, factors, design, final, 0.5, 1e-8)
    np.testing.assert_allclose(values(data_set, "_normed_means")[genes], normalised.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(values(data_set, "genewise_dispersions")[genes], own, rtol=1e-9)
    np.testing.assert_allclose(values(data_set, "fitted_dispersions")[genes], curve, rtol=1e-9)
    np.testing.assert_allclose(values(data_set, "MAP_dispersions")[genes], best, rtol=1e-9)
    np.testing.assert_allclose(values(data_set, "dispersions")[genes], final, rtol=1e-9)
    np.testing.assert_array_equal(data_set.var["_outlier_genes"].to_numpy(dtype=bool)[genes], final != best)
    assert data_set.var["_LFC_converged"].iloc[genes].all()
    np.testing.assert_allclose(data_set.varm["LFC"].to_numpy()[genes], beta, atol=1e-9)
    assert np.log(300) < beta[list(genes).index(OUTLIER)].min() < np.log(500)


def test_a_gene_of_one_outlier_is_emptied(data_sets: dict[tuple[int, ...], BatchedDataSet]) -> None:
    """All zero once that is replaced: no mean, no effect, and no outlier any more."""
    data_set = data_sets[SEVEN]
    row = data_set.var.iloc[EMPTIED]
    assert (row["replaced"], row["refitted"], row["emptied"]) == (True, False, True)
    assert row["_normed_means"] == 0
    assert not row["_pvalue_cooks_outlier"]
    assert (data_set.varm["LFC"].iloc[EMPTIED] == 0).all()
    assert (data_set.layers["replaced_counts"][:, EMPTIED] == 0).all()


def test_in_smaller_cells_a_count_that_stands_out_is_flagged(
    data_sets: dict[tuple[int, ...], BatchedDataSet],
) -> None:
    """Nothing is replaced with four replicates; the genes beyond the cut-off have no p-value."""
    data_set = data_sets[THREE_CELLS]
    np.testing.assert_array_equal(data_set.layers["replaced_counts"], data_set.X)
    assert not data_set.var["replaced"].any()
    beyond = (np.nan_to_num(data_set.layers["cooks"]) > f.ppf(0.99, 3, 9)).any(axis=0)
    np.testing.assert_array_equal(data_set.var["_pvalue_cooks_outlier"].to_numpy(), beyond)
    assert beyond[[OUTLIER, EMPTIED, LOW_OUTLIER]].all()


def test_cells_of_two_say_nothing_of_outliers() -> None:
    """A pair cannot tell which of its counts stands out; three can."""
    counts = make_counts((2, 5))
    counts.iloc[:, OUTLIER] = [400, 90_000, 300, 320, 310, 305, 330]
    data_set = fitted(counts, make_design((2, 5), counts.index))
    assert not data_set.var["_pvalue_cooks_outlier"].iloc[OUTLIER]
    counts.iloc[:, OUTLIER] = [400, 380, 90_000, 320, 310, 305, 330]
    data_set = fitted(counts, make_design((2, 5), counts.index))
    assert data_set.var["_pvalue_cooks_outlier"].iloc[OUTLIER]


def test_with_two_cells_three_higher_counts_excuse_an_outlier(
    data_sets: dict[tuple[int, ...], BatchedDataSet],
) -> None:
    """A count that is high in its cell but not among all is none, with two cells and with no more."""
    outlying = {sizes: data_set.var["_pvalue_cooks_outlier"].to_numpy() for sizes, data_set in data_sets.items()}
    assert outlying[THREE_CELLS][LOW_OUTLIER]
    assert not outlying[FOUR][LOW_OUTLIER]
    assert outlying[FOUR][OUTLIER]
    beyond = (np.nan_to_num(data_sets[FOUR].layers["cooks"]) > f.ppf(0.99, 2, 6)).any(axis=0)
    assert beyond[LOW_OUTLIER]


def test_an_intercept_makes_no_difference_to_outliers() -> None:
    """Two arms as intercept and effect are still two cells, and replaced counts the same."""
    for sizes in (SEVEN, FOUR):
        counts = make_counts(sizes)
        cells = make_design(sizes, counts.index)
        coded = pd.DataFrame({"intercept": 1.0, "effect": cells["c1"]}, index=counts.index)
        plain, other = fitted(counts, cells), fitted(counts, coded)
        np.testing.assert_array_equal(
            plain.var["_pvalue_cooks_outlier"].to_numpy(), other.var["_pvalue_cooks_outlier"].to_numpy()
        )
        np.testing.assert_array_equal(plain.layers["replaced_counts"], other.layers["replaced_counts"])


def test_genes_without_a_count_have_no_numbers(data_sets: dict[tuple[int, ...], BatchedDataSet]) -> None:
    """They are missing, not zero."""
    data_set = data_sets[THREE_CELLS]
    for name in ("genewise_dispersions", "fitted_dispersions", "dispersions"):
        assert np.isnan(values(data_set, name)[ZERO])
    assert data_set.varm["LFC"].iloc[ZERO].isna().all()
    assert not data_set.var["_pvalue_cooks_outlier"].iloc[ZERO]
