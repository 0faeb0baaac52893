"""Likelihood-ratio tests against statsmodels, and the parts of a design that they are made on."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api
from scipy.linalg import null_space
from scipy.sparse import bmat
from scipy.sparse.csgraph import connected_components
from scipy.stats import chi2

from exoliver.contrasts import Cell, derive_contrasts
from exoliver.design import build_design, contrast_rows
from exoliver.inference.batched import BatchedInference
from exoliver.inference.likelihood_ratio import likelihood_ratio_test
from exoliver.inference.subspace import connected_part, reduced_design
from exoliver.inference.wald import Fit
from tests.toy_model import RESCUE, make_arms, make_counts, make_samples

GENES = 40
TIMES = (1.0, 3.0, 7.0)
DESIGNS = ("plain", "covariates", "donors")


def fit_of(counts: np.ndarray, design: np.ndarray, *, dispersions: np.ndarray, size_factors: np.ndarray) -> Fit:
    """Coefficients at given dispersions, to a deviance that hardly changes any more."""
    beta, *_ = BatchedInference().irls(counts, size_factors, design, dispersions, 0.5, 1e-12)
    return Fit(beta, dispersions, design, size_factors)


def make_toy(kind: str) -> SimpleNamespace:
    """Counts of three arms at three times, three animals each, fitted with or without more columns."""
    samples = make_samples({Cell(arm, time): 3 for arm in RESCUE for time in TIMES})
    rng = np.random.default_rng(41)
    samples["batch"], samples["weight"] = np.resize(["a", "b"], len(samples)), rng.normal(size=len(samples))
    samples["donor"] = np.resize(["d1", "d2", "d3"], len(samples))
    shifts = {Cell("pnac", 7.0): dict.fromkeys(range(0, GENES, 2), 2.0)}
    counts = make_counts(samples, genes=GENES, seed=42, shifts=shifts) + 5
    covariates = kind == "covariates"
    design = build_design(
        samples,
        list(RESCUE),
        donor=kind == "donors",
        covariates=("batch",) if covariates else (),
        numeric=("weight",) if covariates else (),
    )
    dispersions, size_factors = rng.uniform(0.02, 0.6, GENES), rng.uniform(0.7, 1.4, len(samples))
    fit = fit_of(
        counts.to_numpy(), design.matrix.to_numpy(), dispersions=dispersions, size_factors=size_factors
    )  # fmt: skip
    contrasts = derive_contrasts(make_arms(RESCUE), cells=design.cells, unit="day", extra={})
    rows = {c.id: contrast_rows(c.rows, design.matrix.columns) for c in contrasts if c.is_omnibus}
    return SimpleNamespace(counts=counts.to_numpy(), fit=fit, rows=rows, cells=design.cells)


@pytest.fixture(scope="module")
def toys() -> dict[str, SimpleNamespace]:
    """Cell means alone, with a batch and a numeric covariate, and with crossed donors."""
    return {kind: make_toy(kind) for kind in DESIGNS}


def log_likelihood(y: np.ndarray, design: np.ndarray, *, a: float, size_factors: np.ndarray) -> float:
    """The maximum that statsmodels finds at a dispersion."""
    family = statsmodels.api.families.NegativeBinomial(alpha=a)
    model = statsmodels.api.GLM(y, design, family=family, offset=np.log(size_factors))
    start = np.linalg.lstsq(design, np.log(y / size_factors + 0.1), rcond=None)[0]
    return float(model.fit(start_params=start, tol=1e-12, maxiter=300).llf)


@pytest.mark.parametrize("kind", DESIGNS)
def test_statistics_are_those_of_generalised_linear_models(toys: dict[str, SimpleNamespace], kind: str) -> None:
    """Full and restricted model of every omnibus contrast by statsmodels, on the whole design, dispersions held."""
    toy = toys[kind]
    assert {len(rows) for rows in toy.rows.values()} == {2, 3}  # over_time, any_time
    setting = {"size_factors": toy.fit.size_factors}
    genes = range(0, GENES, 5)
    full = [log_likelihood(toy.counts[:, g], toy.fit.design, a=toy.fit.dispersions[g], **setting) for g in genes]
    for rows in toy.rows.values():
        stat, pvalue = likelihood_ratio_test(toy.fit, toy.counts, rows=rows, threads=2)
        restricted = toy.fit.design @ null_space(rows)
        for g, most in zip(genes, full, strict=True):
            less = log_likelihood(toy.counts[:, g], restricted, a=toy.fit.dispersions[g], **setting)
            assert stat[g] == pytest.approx(2 * (most - less), abs=1e-5, rel=1e-6)
        np.testing.assert_allclose(pvalue, chi2.sf(stat, len(rows)))


@pytest.mark.parametrize("kind", DESIGNS)
def test_samples_that_a_contrast_does_not_reach_change_nothing(toys: dict[str, SimpleNamespace], kind: str) -> None:
    """Whatever their counts: the statistic is that of the whole design, of which cell means leave most samples out."""
    toy = toys[kind]
    rng = np.random.default_rng(43)
    for rows in toy.rows.values():
        samples, columns = connected_part(toy.fit.design, rows)
        assert (len(samples) < len(toy.counts)) == (kind == "plain")
        stat, _ = likelihood_ratio_test(toy.fit, toy.counts, rows=rows, threads=1)
        counts = toy.counts.copy()
        others = np.setdiff1d(np.arange(len(counts)), samples)
        counts[others] = rng.integers(1, 5000, (len(others), GENES))
        setting = {"dispersions": toy.fit.dispersions, "size_factors": toy.fit.size_factors}
        elsewhere = fit_of(counts, toy.fit.design, **setting)
        changed, _ = likelihood_ratio_test(elsewhere, counts, rows=rows, threads=1)
        np.testing.assert_allclose(changed, stat, atol=1e-6)
        assert set(np.flatnonzero((rows != 0).any(axis=0))) <= set(columns)


def test_the_connected_part_is_that_of_the_graph() -> None:
    """Samples and columns are the two sides of a graph: scipy says what hangs together with the contrast."""
    rng = np.random.default_rng(44)
    sizes = set()
    for _ in range(200):
        design = (rng.uniform(size=(10, 6)) < 0.18) * rng.normal(size=(10, 6))
        design[0, (design == 0).all(axis=0)] = 1.0
        rows = np.zeros((2, 6))
        rows[[0, 1], rng.choice(6, 2, replace=False)] = 1.0
        _, label = connected_components(bmat([[None, design], [design.T, None]]), directed=False)
        reached = np.unique(label[10:][(rows != 0).any(axis=0)])
        samples, columns = connected_part(design, rows)
        np.testing.assert_array_equal(samples, np.flatnonzero(np.isin(label[:10], reached)))
        np.testing.assert_array_equal(columns, np.flatnonzero(np.isin(label[10:], reached)))
        sizes.add(len(samples))
    assert len(sizes) > 5


def test_the_reduced_design_spans_what_the_contrasts_leave(toys: dict[str, SimpleNamespace]) -> None:
    """The same space as the design on the null space of the rows; columns that no row names stay as they are."""
    toy = toys["covariates"]
    for rows in toy.rows.values():
        found = reduced_design(toy.fit.design, rows)
        expected = toy.fit.design @ null_space(rows)
        assert found.shape == expected.shape
        assert np.linalg.matrix_rank(np.hstack([found, expected])) == expected.shape[1]
        unnamed = ~(rows != 0).any(axis=0)
        np.testing.assert_array_equal(found[:, -unnamed.sum() :], toy.fit.design[:, unnamed])


@pytest.mark.parametrize(
    "rows",
    [
        [[-1.0, 1.0, 0.0], [-2.0, 2.0, 0.0]],
        [[-1.0, 1.0, 0.0], [-1.0, 0.0, 1.0], [0.0, -1.0, 1.0]],
        [[-1.0, 1.0, 0.0], [0.0, 0.0, 0.0]],
        [[-1.0, 1.0, 0.0], [0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [1.0, 1.0, 1.0]],
    ],
)
def test_rows_that_depend_on_each_other_are_an_error(rows: list[list[float]]) -> None:
    """Degrees of freedom would be counted twice: the same row, a sum of rows, no weights, more rows than columns."""
    with pytest.raises(ValueError, match="depend on each other"):
        reduced_design(np.repeat(np.eye(3), 2, axis=0), np.array(rows))


@pytest.mark.parametrize("kind", DESIGNS)
def test_the_parametrisation_does_not_matter(toys: dict[str, SimpleNamespace], kind: str) -> None:
    """Intercept and differences instead of cell means, and other rows that span the same: the same statistic."""
    toy = toys[kind]
    change = np.eye(toy.fit.design.shape[1])
    change[: len(toy.cells), 0] = 1.0  # the first cell becomes the intercept
    setting = {"dispersions": toy.fit.dispersions, "size_factors": toy.fit.size_factors}
    coded = fit_of(toy.counts, toy.fit.design @ change, **setting)
    mixed = np.random.default_rng(45).normal(size=(3, 3))
    for rows in toy.rows.values():
        stat, _ = likelihood_ratio_test(toy.fit, toy.counts, rows=rows, threads=1)
        other, _ = likelihood_ratio_test(coded, toy.counts, rows=rows @ change, threads=1)
        np.testing.assert_allclose(other, stat, atol=1e-4)
        spanned = mixed[: len(rows), : len(rows)] @ rows
        other, _ = likelihood_ratio_test(toy.fit, toy.counts, rows=spanned, threads=1)
        np.testing.assert_allclose(other, stat, atol=1e-4)


def test_many_cells_of_high_counts_are_fitted() -> None:
    """A column that stands for the mean of 24 cells has a coefficient that no limit may catch."""
    rng = np.random.default_rng(46)
    design = np.repeat(np.eye(24), 2, axis=0)
    counts = rng.poisson(3e6, (48, 5))
    setting = {"dispersions": np.full(5, 0.05), "size_factors": np.ones(48)}
    rows = np.column_stack([-np.ones(23), np.eye(23)])
    stat, _ = likelihood_ratio_test(fit_of(counts, design, **setting), counts, rows=rows, threads=1)
    assert (stat >= 0).all()
    assert (stat < 5).all()


def test_genes_without_a_fit_have_no_statistic(toys: dict[str, SimpleNamespace]) -> None:
    """A gene whose coefficients are missing stays missing; its neighbours do not notice."""
    toy = toys["plain"]
    rows = next(iter(toy.rows.values()))
    beta = toy.fit.coefficients.copy()
    beta[3] = np.nan
    fit = Fit(beta, toy.fit.dispersions, toy.fit.design, toy.fit.size_factors)
    whole, _ = likelihood_ratio_test(toy.fit, toy.counts, rows=rows, threads=1)
    stat, pvalue = likelihood_ratio_test(fit, toy.counts, rows=rows, threads=1)
    assert np.flatnonzero(np.isnan(stat)).tolist() == np.flatnonzero(np.isnan(pvalue)).tolist() == [3]
    np.testing.assert_array_equal(np.delete(stat, 3), np.delete(whole, 3))


def test_a_restricted_model_that_was_not_fitted_has_no_statistic(
    toys: dict[str, SimpleNamespace], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gene that the inference gives up there is missing, whatever coefficients it was left with."""
    toy = toys["plain"]
    rows = next(iter(toy.rows.values()))
    plain = BatchedInference.irls

    def without_one(*args: object, **keys: object) -> tuple[np.ndarray, ...]:
        beta, means, hats, has_converged = plain(*args, **keys)
        has_converged[5] = False
        return beta, means, hats, has_converged

    monkeypatch.setattr(BatchedInference, "irls", without_one)
    stat, pvalue = likelihood_ratio_test(toy.fit, toy.counts, rows=rows, threads=1)
    assert np.flatnonzero(np.isnan(stat)).tolist() == np.flatnonzero(np.isnan(pvalue)).tolist() == [5]


def test_threads_change_no_byte(toys: dict[str, SimpleNamespace]) -> None:
    """One or three."""
    toy = toys["donors"]
    rows = next(iter(toy.rows.values()))
    one, three = (likelihood_ratio_test(toy.fit, toy.counts, rows=rows, threads=threads)[0] for threads in (1, 3))
    assert one.tobytes() == three.tobytes()


def test_effects_that_are_there_have_larger_statistics(toys: dict[str, SimpleNamespace]) -> None:
    """Half of the genes rise fourfold at day 7 in one arm, and their change over time stands out."""
    toy = toys["plain"]
    rows = toy.rows["pnac_vs_chow__over_time"]
    stat, pvalue = likelihood_ratio_test(toy.fit, toy.counts, rows=rows, threads=1)
    low = pd.Series(pvalue < 0.05).groupby(np.arange(GENES) % 2 == 0).mean()
    assert low[True] > low[False] + 0.4
    assert np.isfinite(stat).all()
