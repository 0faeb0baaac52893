"""The compiled loops against exact sums, dense matrices, scipy and statsmodels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import statsmodels.api
from scipy.optimize import OptimizeResult, minimize, minimize_scalar
from scipy.special import digamma, gammaln
from scipy.stats import nbinom, poisson

from exoliver.inference import kernels
from exoliver.inference.batched import BatchedInference
from exoliver.inference.equations import Equations, arrange_columns
from exoliver.inference.wald import MIN_MEAN, RIDGE

DISPERSIONS = (1e-8, 1e-6, 1e-4, 1e-3, 0.01, 0.08, 0.124, 0.126, 0.3, 1.0, 3.0, 10.0, 30.0)
COUNTS = (0, 1, 2, 3, 7, 8, 9, 40, 255, 4096, 10**5, 10**6)
SMALLEST, LARGEST = 1e-8, 12.0

Arrays = dict[str, np.ndarray]


def cells_of(cells: int, replicates: int) -> np.ndarray:
    """A column for each cell."""
    return np.repeat(np.eye(cells), replicates, axis=0)


def make_designs() -> Arrays:
    """Designs of twelve samples that differ in which columns share samples."""
    rng = np.random.default_rng(1)
    cells = cells_of(3, 4)
    return {
        "cells": cells,
        "cells and donors": np.hstack([cells, np.tile(np.eye(4)[:, 1:], (3, 1))]),
        "intercept": np.hstack([np.ones((12, 1)), cells[:, 1:]]),
        "numeric covariate": np.hstack([cells, rng.normal(size=(12, 1))]),
        "weights in the cells": np.hstack([cells * rng.uniform(0.5, 2, (12, 1)), rng.normal(size=(12, 2))]),
        "dense": np.hstack([np.ones((12, 1)), rng.normal(size=(12, 3))]),
    }


DESIGNS = make_designs()


@pytest.fixture(params=DESIGNS)
def design(request: pytest.FixtureRequest) -> np.ndarray:
    """Each of the designs in turn."""
    return DESIGNS[request.param]


def negative_binomial(rng: np.random.Generator, means: np.ndarray, dispersions: np.ndarray) -> np.ndarray:
    """Counts, as floating point numbers."""
    size = 1 / dispersions
    return rng.negative_binomial(np.broadcast_to(size, means.shape), size / (size + means)).astype(float)


def factorised(equations: Equations, weights: np.ndarray, ridge: np.ndarray) -> tuple[Any, float]:
    """The workspace after factorising X'WX + R, and the log determinant."""
    samples, others = equations.rest.shape
    system = kernels._workspace(samples, equations.disjoint, others)
    system[0][:] = weights
    return system, kernels._factorise(system, equations.arrays[0], ridge[equations.order])


def exact(y: int, a: float) -> tuple[float, float]:
    """The sums that lgamma(y + r) - lgamma(r) - y log r and digamma(y + r) - digamma(r) are, r = 1 / a."""
    steps = 1 + np.arange(y) * a
    return math.fsum(np.log1p(np.arange(y) * a)), math.fsum(a / steps)


@pytest.mark.parametrize("a", DISPERSIONS)
def test_gamma_terms_are_the_exact_sums(a: float) -> None:
    """For whole numbers they are sums of logarithms and of fractions; nothing is lost where dispersions vanish."""
    remainders = kernels._remainders(1 / a)
    for y in COUNTS:
        log_gamma, difference = kernels._gamma_terms(float(y), a, remainders)
        expected, slope = exact(y, a)
        assert log_gamma == pytest.approx(expected, rel=1e-12, abs=2e-15 * (y + 10)), y
        assert difference == pytest.approx(slope, rel=3e-14), y


@pytest.mark.parametrize("a", [0.05, 0.3, 2.0, 30.0])
def test_gamma_terms_are_those_of_scipy(a: float) -> None:
    """Where the reciprocal dispersion is small enough for scipy's own difference to be exact."""
    remainders = kernels._remainders(1 / a)
    for y in COUNTS:
        found = kernels._gamma_terms(float(y), a, remainders)
        assert found[0] == pytest.approx(gammaln(y + 1 / a) - gammaln(1 / a) + y * np.log(a), rel=1e-12, abs=1e-12), y
        assert found[1] == pytest.approx(digamma(y + 1 / a) - digamma(1 / a), rel=1e-12, abs=1e-12), y


def test_remainders_are_what_stirlings_formula_leaves() -> None:
    """Over the change from recurrence to series at 8."""
    for x in (1e-3, 0.3, 1.0, 7.999, 8.0, 8.001, 50.0):
        found = kernels._remainders(x)
        formula = (x - 0.5) * np.log(x) - x + 0.5 * np.log(2 * np.pi)
        assert found[0] == pytest.approx(gammaln(x) - formula, abs=2e-14), x
        assert found[1] == pytest.approx(np.log(x) - digamma(x), rel=1e-12), x


def test_columns_are_arranged_without_loss(design: np.ndarray) -> None:
    """Disjoint columns first, each sample in at most one of them, and the whole design can be put together again."""
    equations = arrange_columns(design)
    owned = np.zeros((12, equations.disjoint))
    held = equations.owner >= 0
    owned[held, equations.owner[held]] = equations.value[held]
    np.testing.assert_array_equal(np.hstack([owned, equations.rest]), design[:, equations.order])
    assert sorted(equations.order) == list(range(design.shape[1]))


def test_cells_and_donors_of_a_paired_design_are_disjoint() -> None:
    """Of 40 donors in two arms, the 39 columns of donors; of three cells, all: so that their block costs nothing."""
    paired = np.hstack([cells_of(2, 40), np.tile(np.eye(40)[:, 1:], (2, 1))])
    assert arrange_columns(paired).disjoint == 39
    assert arrange_columns(DESIGNS["cells"]).disjoint == 3
    assert (arrange_columns(DESIGNS["intercept"]).owner == -1).sum() == 4


@pytest.mark.parametrize("ridge", [0.0, 0.3])
def test_normal_equations_are_those_of_dense_matrices(design: np.ndarray, ridge: float) -> None:
    """Determinant, leverages and solution of X'WX + R, weights over six orders of magnitude."""
    rng = np.random.default_rng(3)
    equations, columns = arrange_columns(design), design.shape[1]
    for _ in range(20):
        weights, right = 10 ** rng.uniform(-3, 3, 12), rng.normal(size=columns)
        diagonal = ridge * rng.uniform(size=columns)
        dense = design.T @ (weights[:, None] * design) + np.diag(diagonal)
        system, log_determinant = factorised(equations, weights, diagonal)
        assert log_determinant == pytest.approx(np.linalg.slogdet(dense)[1], rel=1e-9, abs=1e-9)
        leverages, solution = np.empty(12), np.empty(columns)
        kernels._leverages(system, equations.arrays[0], leverages)
        np.testing.assert_allclose(leverages, np.diag(design @ np.linalg.inv(dense) @ design.T), rtol=1e-7)
        kernels._solve(right[equations.order], system, solution)
        expected = np.linalg.solve(dense, right)[equations.order]
        np.testing.assert_allclose(solution, expected, rtol=1e-6, atol=1e-8 * np.abs(expected).max())


def test_a_column_that_follows_from_others_has_no_determinant() -> None:
    """The factorisation says so instead of dividing by nothing."""
    design = np.hstack([cells_of(3, 4), np.ones((12, 1))])
    _, log_determinant = factorised(arrange_columns(design), np.ones(12), np.zeros(4))
    assert math.isnan(log_determinant)


def test_means_and_sums_follow_the_columns(design: np.ndarray) -> None:
    """They are s exp(X beta) and X'v, in the order of the equations."""
    rng = np.random.default_rng(4)
    equations = arrange_columns(design)
    beta, size, vector = rng.normal(size=design.shape[1]), rng.uniform(0.5, 2, 12), rng.normal(size=12)
    means, summed = np.empty(12), np.empty(design.shape[1])
    kernels._predict(beta[equations.order], size, equations.arrays[0], means)
    np.testing.assert_allclose(means, size * np.exp(design @ beta), rtol=1e-12)
    kernels._transpose(vector, equations.arrays[0], summed)
    np.testing.assert_allclose(summed, (design.T @ vector)[equations.order], rtol=1e-10, atol=1e-12)


def brute_posterior(log_a: float, y: np.ndarray, mu: np.ndarray, *, design: np.ndarray, prior: Any) -> float:
    """Log posterior of a log dispersion by scipy and numpy, less what does not depend on it."""
    size = math.exp(-log_a)
    weights = mu / (1 + mu / size)
    total = np.sum(nbinom.logpmf(y, size, size / (size + mu)) + gammaln(y + 1) - y * np.log(mu))
    total -= 0.5 * np.linalg.slogdet(design.T @ (weights[:, None] * design))[1]
    if prior[1] > 0:
        total -= (log_a - prior[0]) ** 2 / (2 * prior[1])
    return float(total)


def posterior_of(y: np.ndarray, mu: np.ndarray, *, design: np.ndarray, prior: Any) -> Any:
    """The compiled log posterior and its slope as a function of the log dispersion."""
    equations = arrange_columns(design)
    system = kernels._workspace(len(y), equations.disjoint, equations.rest.shape[1])
    gene = (y, mu, np.zeros(design.shape[1]))
    return lambda log_a: kernels._posterior(log_a, gene, prior, system, equations.arrays[0])


@pytest.mark.parametrize("prior", [(0.0, 0.0), (np.log(0.2), 0.7)])
def test_the_posterior_is_likelihood_cox_reid_and_prior(design: np.ndarray, prior: tuple[float, float]) -> None:
    """Against scipy's negative binomial and a dense determinant; its slope against differences of those."""
    rng = np.random.default_rng(5)
    for mean in (3.0, 60.0, 4000.0):
        mu = mean * rng.uniform(0.4, 2, 12)
        y = negative_binomial(rng, mu, np.array(0.4))
        ours = posterior_of(y, mu, design=design, prior=prior)
        for log_a in np.log([1e-4, 0.01, 0.3, 8.0]):
            height, slope = ours(log_a)
            around = [brute_posterior(log_a + h, y, mu, design=design, prior=prior) for h in (-1e-3, 0.0, 1e-3)]
            assert height == pytest.approx(around[1], rel=1e-8, abs=1e-7)
            assert slope == pytest.approx((around[2] - around[0]) / 2e-3, rel=1e-4, abs=2e-4)


def test_without_dispersion_the_posterior_is_that_of_poisson() -> None:
    """At 1e-8, where the difference of two log gamma functions of 1e8 would be noise."""
    rng = np.random.default_rng(6)
    mu = rng.uniform(1, 30, 12)
    y = rng.poisson(mu).astype(float)
    design = DESIGNS["cells"]
    height, slope = posterior_of(y, mu, design=design, prior=(0.0, 0.0))(np.log(1e-8))
    information = np.linalg.slogdet(design.T @ (mu[:, None] * design))[1]
    expected = np.sum(poisson.logpmf(y, mu) + gammaln(y + 1) - y * np.log(mu)) - 0.5 * information
    assert height == pytest.approx(expected, abs=1e-5)
    leverages = np.diag(design @ np.linalg.inv(design.T @ (mu[:, None] * design)) @ design.T)
    # The derivative by the dispersion itself, at zero: half of the excess of squares, and of the lost information.
    assert slope == pytest.approx(0.5e-8 * np.sum((y - mu) ** 2 - y + mu**2 * leverages), rel=1e-5)


def fit_dispersions(
    counts: np.ndarray, means: np.ndarray, *, start: np.ndarray, design: np.ndarray, centre: np.ndarray, variance: float
) -> tuple[np.ndarray, np.ndarray]:
    """The compiled dispersions of genes (g, n), and which were searched."""
    found, is_searched = np.empty(len(start)), np.empty(len(start), dtype=bool)
    kernels.fit_dispersions(
        counts, means, start, np.log(centre), variance, (SMALLEST, LARGEST), *arrange_columns(design).arrays, found,
        is_searched,
    )  # fmt: skip
    return found, is_searched


def summit(y: np.ndarray, mu: np.ndarray, *, design: np.ndarray, prior: Any) -> tuple[float, float]:
    """The best log dispersion between the limits by scipy, from a grid, and its log posterior."""

    def depth(log_a: float) -> float:
        return -brute_posterior(log_a, y, mu, design=design, prior=prior)

    grid = np.linspace(np.log(1e-6), np.log(LARGEST), 40)
    best = int(np.argmin([depth(place) for place in grid]))
    bounds = grid[max(best - 1, 0)], grid[min(best + 1, 39)]
    found = minimize_scalar(depth, bounds=bounds, method="bounded", options={"xatol": 1e-8})
    return float(found.x), -float(found.fun)


@pytest.mark.parametrize("variance", [0.0, 0.5])
def test_the_climb_ends_at_the_highest_dispersion(variance: float) -> None:
    """It stops at a gain of 1e-6; without a prior, a gain below a millionth of the height leaves it at its start."""
    rng, genes = np.random.default_rng(7), 60
    design = DESIGNS["cells and donors"]
    truth = np.exp(rng.uniform(np.log(0.002), np.log(2), genes))
    means = np.exp(rng.uniform(6, 9, genes))[:, None] * rng.uniform(0.5, 2, (1, 12))
    counts = negative_binomial(rng, means, truth[:, None])
    start = np.clip(truth * np.exp(rng.normal(0, 1, genes)), 1e-3, 5)
    found, is_searched = fit_dispersions(
        counts, means, start=start, design=design, centre=truth, variance=variance
    )  # fmt: skip
    assert is_searched.mean() < 0.1
    for gene in range(genes):
        prior = (np.log(truth[gene]), variance)
        place, height = summit(counts[gene], means[gene], design=design, prior=prior)
        ours = brute_posterior(np.log(found[gene]), counts[gene], means[gene], design=design, prior=prior)
        assert ours > height - 1e-3 - (1e-6 * abs(height) if variance == 0 else 0.0)
        assert np.log(found[gene]) == pytest.approx(place, abs=0.02 if variance else 0.2)


def test_a_gain_below_a_millionth_is_none() -> None:
    """Counts of millions have heights of tens of thousands: a start near the top is kept, unless there is a prior."""
    rng, design = np.random.default_rng(15), DESIGNS["cells"]
    means = np.full((1, 12), 1e5)
    counts = negative_binomial(rng, means, np.array(0.2))
    place, height = summit(counts[0], means[0], design=design, prior=(0.0, 0.0))
    start = np.exp([place + 0.05])
    assert 0 < height - brute_posterior(place + 0.05, counts[0], means[0], design=design, prior=(0.0, 0.0)) < 0.02
    kept, _ = fit_dispersions(counts, means, start=start, design=design, centre=start, variance=0.0)
    moved, _ = fit_dispersions(counts, means, start=start, design=design, centre=np.exp([place]), variance=9.0)
    assert kept[0] == pytest.approx(start[0], rel=1e-12)
    assert np.log(moved[0]) == pytest.approx(place, abs=0.005)


def test_the_grid_is_searched_twice() -> None:
    """Within half a step of the second grid, whose steps are a ninth, of the top that scipy finds."""
    rng, design = np.random.default_rng(16), DESIGNS["cells"]
    equations, limits = arrange_columns(design), (np.log(SMALLEST), np.log(LARGEST))
    system = kernels._workspace(12, 3, 0)
    for _ in range(10):
        mu = rng.uniform(50, 900, 12)
        y = negative_binomial(rng, mu, np.array(0.4))
        gene, prior = (y, mu, np.zeros(3)), (0.0, 0.0)
        place, _ = summit(y, mu, design=design, prior=prior)
        found = kernels._search(*limits, gene, prior, system, equations.arrays[0])
        assert found == pytest.approx(place, abs=0.5 * 2 * (limits[1] - limits[0]) / 19**2 + 0.005)


def test_a_climb_that_ends_at_once_is_searched() -> None:
    """From near a flat top the first step gains next to nothing: the grid is asked too, unless there is a prior."""
    design = DESIGNS["cells"]
    counts, means = np.array([[0.0, 2, 0, 3, 1, 0, 0, 0, 4, 2, 0, 0]]), np.full((1, 12), 1.0)
    place, _ = summit(counts[0], means[0], design=design, prior=(0.0, 0.0))
    start = np.exp([place - 3e-4])
    found, is_searched = fit_dispersions(counts, means, start=start, design=design, centre=start, variance=0.0)
    assert is_searched.tolist() == [True]
    # The second grid has steps of 2 x 20.9 / 19 / 19, a ninth.
    assert np.log(found[0]) == pytest.approx(place, abs=0.06)
    assert found[0] != start[0]
    found, is_searched = fit_dispersions(counts, means, start=start, design=design, centre=start, variance=0.5)
    assert is_searched.tolist() == [False]


def test_counts_without_excess_have_the_smallest_dispersion() -> None:
    """Equal counts: the posterior falls all the way, and the climb ends at the lower limit, not below."""
    counts, means = np.full((1, 12), 500.0), np.full((1, 12), 500.0)
    found, _ = fit_dispersions(
        counts, means, start=np.array([0.5]), design=DESIGNS["cells"], centre=np.array([0.5]), variance=0.0
    )
    assert found[0] == pytest.approx(SMALLEST, rel=1e-6)


def test_dispersions_end_at_the_upper_limit() -> None:
    """One count among zeros: no dispersion is large enough, and the limit is kept."""
    counts, means = np.zeros((1, 12)), np.full((1, 12), 50.0)
    counts[0, 5] = 1e5
    found, _ = fit_dispersions(
        counts, means, start=np.array([5.0]), design=DESIGNS["cells"], centre=np.array([5.0]), variance=0.0
    )
    assert found[0] == LARGEST


def fit_coefficients(
    counts: np.ndarray,
    dispersions: np.ndarray,
    *,
    design: np.ndarray,
    size: np.ndarray,
    tolerance: float = 1e-8,
    steps: int = 100,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Coefficients in the order of the design, means, leverages and status of genes (g, n)."""
    equations, (genes, samples) = arrange_columns(design), counts.shape
    start = np.linalg.lstsq(design, np.log(counts / size + 0.1).T, rcond=None)[0].T[:, equations.order]
    beta, means = np.empty((genes, design.shape[1])), np.empty((genes, samples))
    hats, status = np.empty((genes, samples)), np.empty(genes, dtype=np.int64)
    kernels.fit_coefficients(
        counts, dispersions, np.ascontiguousarray(start), size, np.full(design.shape[1], RIDGE),
        (MIN_MEAN, tolerance, steps), *equations.arrays, beta, means, hats, status,
    )  # fmt: skip
    return beta[:, np.argsort(equations.order)], means, hats, status


def test_coefficients_are_those_of_a_generalised_linear_model(design: np.ndarray) -> None:
    """Those of statsmodels at the same dispersions, once the deviance has settled to 1e-12 of itself."""
    rng, genes = np.random.default_rng(9), 25
    size, dispersions = rng.uniform(0.5, 2, 12), np.exp(rng.uniform(np.log(0.01), np.log(0.5), genes))
    beta = np.column_stack([rng.uniform(4, 7, genes), *rng.normal(0, 0.5, (design.shape[1] - 1, genes))])
    if design[:, 0].min() == 0:
        beta[:, 1:3] += 5
    means = size * np.exp(beta @ design.T)
    counts = negative_binomial(rng, means, dispersions[:, None])
    found, fitted, hats, status = fit_coefficients(counts, dispersions, design=design, size=size, tolerance=1e-12)
    assert (status == kernels.BY_WEIGHTS).all()
    for gene in range(genes):
        family = statsmodels.api.families.NegativeBinomial(alpha=dispersions[gene])
        model = statsmodels.api.GLM(counts[gene], design, family=family, offset=np.log(size))
        expected = model.fit(tol=1e-13, maxiter=300, start_params=beta[gene])
        np.testing.assert_allclose(found[gene], expected.params, atol=1e-5)
        np.testing.assert_allclose(fitted[gene], expected.mu, rtol=1e-5)
        np.testing.assert_allclose(hats[gene], expected.get_hat_matrix_diag(observed=False), rtol=1e-4)
    rough, *_ = fit_coefficients(counts, dispersions, design=design, size=size)
    for gene in range(genes):  # the rule of DESeq2 ends a little earlier: what that costs in likelihood
        setting = {"design": design, "size": size, "a": dispersions[gene]}
        best, ours = (penalised(beta[gene], counts[gene], **setting)[0] for beta in (found, rough))
        assert abs(ours - best) < 1e-5


def penalised(beta: np.ndarray, y: np.ndarray, *, design: np.ndarray, size: np.ndarray, a: float) -> Any:
    """Negative log likelihood with the ridge, and its gradient."""
    mu = size * np.exp(np.clip(design @ beta, -600, 600))
    value = -np.sum(y * np.log(mu) - (y + 1 / a) * np.log1p(a * mu)) + 0.5 * RIDGE * np.sum(beta**2)
    return value, -design.T @ ((y - mu) / (1 + a * mu)) + RIDGE * beta


def deepest(y: np.ndarray, *, design: np.ndarray, size: np.ndarray, a: float, near: np.ndarray) -> OptimizeResult:
    """The best of scipy's descents from the least-squares fit and from a place nearby."""
    starts = [np.linalg.lstsq(design, np.log(y / size + 0.1), rcond=None)[0], near]

    def descent(start: np.ndarray) -> OptimizeResult:
        args, options = (y,), {"gtol": 1e-8, "maxiter": 3000}
        return minimize(
            lambda beta, counts: penalised(beta, counts, design=design, size=size, a=a),
            start, args=args, jac=True, method="BFGS", options=options,
        )  # fmt: skip

    return min((descent(start) for start in starts), key=lambda result: result.fun)


def awkward_counts(rng: np.random.Generator, genes: int) -> np.ndarray:
    """Counts of low and widely spread means; a cell of zeros in some genes, a huge count in others."""
    means = rng.choice([0.3, 2.0, 50.0, 5000.0], (genes, 1)) * np.ones((1, 12))
    counts = negative_binomial(rng, means, np.array(3.0))
    counts[::3, :4] = 0
    counts[::5, 7] = 10 ** rng.integers(2, 6, len(counts[::5]))
    return counts


@pytest.mark.parametrize("name", ["cells", "cells and donors", "numeric covariate"])
def test_where_reweighting_does_not_end_the_maximum_is_found(name: str) -> None:
    """Zero cells and huge counts: scoring ends where scipy finds no higher likelihood, or the gene is given up."""
    rng, design, genes = np.random.default_rng(10), DESIGNS[name], 400
    counts, size = awkward_counts(rng, genes), rng.uniform(0.5, 2, 12)
    dispersions = np.exp(rng.uniform(np.log(1e-6), np.log(20), genes))
    beta, _, _, status = fit_coefficients(counts, dispersions, design=design, size=size)
    scored = np.flatnonzero(status == kernels.BY_SCORING)
    assert len(scored) > 20
    assert (status == kernels.FAILED).mean() < 0.05
    for gene in scored[:25]:
        setting = {"design": design, "size": size, "a": dispersions[gene]}
        value, _ = penalised(beta[gene], counts[gene], **setting)
        best = deepest(counts[gene], near=beta[gene], **setting)
        assert value <= best.fun + 1e-8 * (abs(best.fun) + 1)


def test_a_gene_that_runs_away_is_given_up() -> None:
    """All reads in one sample that its covariate sets apart: no end below 30, and the gene says so."""
    design = np.hstack([cells_of(3, 4), np.arange(12.0)[:, None] % 4 - 1.5])
    counts = np.zeros((1, 12))
    counts[0, 3] = 1e5
    *_, status = fit_coefficients(counts, np.array([1e-6]), design=design, size=np.ones(12))
    assert status.tolist() == [kernels.FAILED]


def test_missing_values_are_never_a_fit() -> None:
    """A gene without a dispersion is given up, and its neighbours are not touched."""
    rng = np.random.default_rng(11)
    counts = negative_binomial(rng, np.full((3, 12), 80.0), np.array(0.1))
    *_, status = fit_coefficients(counts, np.array([0.1, np.nan, 0.1]), design=DESIGNS["cells"], size=np.ones(12))
    assert status.tolist() == [kernels.BY_WEIGHTS, kernels.FAILED, kernels.BY_WEIGHTS]


def test_a_cell_without_counts_has_the_means_of_the_floor() -> None:
    """Reweighting with floored means ends one below the log of the floor, as in DESeq2; the others keep their mean."""
    counts = np.full((1, 12), 90.0)
    counts[0, :4] = 0
    beta, _, _, status = fit_coefficients(counts, np.array([0.1]), design=DESIGNS["cells"], size=np.ones(12))
    assert status.tolist() == [kernels.BY_WEIGHTS]
    np.testing.assert_allclose(beta[0], [np.log(MIN_MEAN) - 1, np.log(90), np.log(90)], atol=1e-4)


def test_leverages_are_those_of_floored_means() -> None:
    """Low counts next to a numeric covariate, where the weights decide: dense matrices at means of half and more."""
    rng, design = np.random.default_rng(17), DESIGNS["numeric covariate"]
    counts = rng.poisson([0.2] * 4 + [3.0] * 4 + [60.0] * 4, (20, 12)).astype(float)
    _, means, hats, _ = fit_coefficients(counts, np.full(20, 0.3), design=design, size=np.ones(12))
    assert (means < MIN_MEAN).any(axis=1).all()
    for gene in range(20):
        floored = np.maximum(means[gene], MIN_MEAN)
        weights = floored / (1 + 0.3 * floored)
        inverse = np.linalg.inv(design.T @ (weights[:, None] * design) + RIDGE * np.eye(4))
        np.testing.assert_allclose(hats[gene], weights * np.diag(design @ inverse @ design.T), rtol=1e-6)


def test_the_likelihoods_of_two_means_differ_as_in_scipy() -> None:
    """The part that the means enter is all that a ratio of likelihoods needs."""
    rng = np.random.default_rng(12)
    counts = negative_binomial(rng, np.full((6, 12), 40.0), np.array(0.3))
    dispersions = np.array([1e-4, 0.01, 0.2, 1.0, 5.0, 30.0])
    means = [rng.uniform(5, 90, (6, 12)) for _ in range(2)]
    terms = [np.empty(6) for _ in means]
    for mu, out in zip(means, terms, strict=True):
        kernels.mean_terms(counts, mu, dispersions, out)
    size = 1 / dispersions[:, None]
    whole = [nbinom.logpmf(counts, size, size / (size + mu)).sum(axis=1) for mu in means]
    np.testing.assert_allclose(terms[0] - terms[1], whole[0] - whole[1], rtol=1e-7)


def test_the_number_of_steps_is_kept() -> None:
    """With one step no reweighting can end, and scoring reaches the same coefficients."""
    rng = np.random.default_rng(13)
    counts = negative_binomial(rng, np.full((20, 12), 200.0), np.array(0.1))
    setting = {"design": DESIGNS["cells and donors"], "size": np.ones(12)}
    plain, _, _, by_weights = fit_coefficients(counts, np.full(20, 0.1), **setting)
    scored, _, _, by_scoring = fit_coefficients(counts, np.full(20, 0.1), steps=1, **setting)
    assert (by_weights == kernels.BY_WEIGHTS).all()
    assert (by_scoring == kernels.BY_SCORING).all()
    np.testing.assert_allclose(scored, plain, atol=2e-4)  # as much as the rule of DESeq2 leaves


def test_leverages_of_the_interface_sum_to_the_columns(design: np.ndarray) -> None:
    """The trace of a hat matrix is the number of its columns, less what the ridge takes."""
    rng = np.random.default_rng(14)
    counts = negative_binomial(rng, np.full((12, 8), 300.0), np.array(0.1))
    _, _, hats, _ = BatchedInference().irls(counts, np.ones(12), design, np.full(8, 0.1), MIN_MEAN, 1e-8)
    np.testing.assert_allclose(hats.sum(axis=0), design.shape[1], rtol=1e-5)
