"""Shrunken contrasts against scipy, PyDESeq2 and themselves under other codings of the design."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydeseq2.default_inference import DefaultInference
from pydeseq2.ds import DeseqStats
from pydeseq2.utils import nbinomFn
from scipy.optimize import minimize
from scipy.stats import nbinom

from exoliver.inference.batched import BatchedInference, shrink_coefficients
from exoliver.inference.dataset import BatchedDataSet
from exoliver.inference.shrinkage import REST_SD, prior_scale, shrink_contrast
from exoliver.inference.wald import Fit, contrast_covariances

LOG2 = np.log(2)
CELLS, REPLICATES, GENES = 4, 4, 1500
# Two arms (a, b) at two times (1, 2), in the order a1, a2, b1, b2.
ROWS: Mapping[str, np.ndarray] = {
    "simple": np.array([0.0, -1.0, 0.0, 1.0]),
    "averaged": np.array([-0.5, -0.5, 0.5, 0.5]),
    "interaction": np.array([1.0, -1.0, -1.0, 1.0]),
}


def fit_of(counts: np.ndarray, design: np.ndarray, *, dispersions: np.ndarray, size_factors: np.ndarray) -> Fit:
    """Coefficients at given dispersions."""
    beta, *_ = BatchedInference().irls(counts, size_factors, design, dispersions, 0.5, 1e-8)
    return Fit(beta, dispersions, design, size_factors)


def scale_of(fit: Fit, row: np.ndarray) -> float:
    """The prior's scale from all genes."""
    return prior_scale(fit.coefficients @ row, contrast_covariances(fit, [row[None, :]])[0][:, 0, 0])


@pytest.fixture(scope="module")
def toy() -> SimpleNamespace:
    """Counts of 1,500 genes in four cells of four; in every fifth gene effects of about one log2 in all cells."""
    rng = np.random.default_rng(51)
    design = np.repeat(np.eye(CELLS), REPLICATES, axis=0)
    size_factors = rng.uniform(0.6, 1.6, len(design))
    means = np.exp(rng.uniform(2.5, 8, GENES))
    dispersions = (0.05 + 2 / means) * np.exp(rng.normal(0, 0.5, GENES))
    effects = rng.normal(0, 1, (CELLS, GENES)) * (np.arange(GENES) % 5 == 0)
    expected = size_factors[:, None] * means * np.exp(design @ effects * LOG2)
    counts = rng.negative_binomial(np.broadcast_to(1 / dispersions, expected.shape), 1 / (1 + expected * dispersions))
    fit = fit_of(counts, design, dispersions=dispersions, size_factors=size_factors)
    return SimpleNamespace(counts=counts, fit=fit)


def coded(toy: SimpleNamespace, base: int) -> tuple[Fit, np.ndarray]:
    """The same model with an intercept for one cell and differences from it, and the change of columns."""
    change = np.eye(CELLS)
    change[:, base] = 1.0
    setting = {"dispersions": toy.fit.dispersions, "size_factors": toy.fit.size_factors}
    return fit_of(toy.counts, toy.fit.design @ change, **setting), change


@pytest.mark.parametrize("name", ROWS)
def test_the_coding_of_the_design_does_not_matter(toy: SimpleNamespace, name: str) -> None:
    """Cell means, or differences from either of two cells: equal to .001 log2 in every gene."""
    row = ROWS[name]
    plain, _ = shrink_contrast(toy.fit, toy.counts, row=row, scale=scale_of(toy.fit, row), threads=1)
    for base in (0, 3):
        fit, change = coded(toy, base)
        scale = scale_of(fit, row @ change)
        assert scale == pytest.approx(scale_of(toy.fit, row), rel=1e-3)
        other, _ = shrink_contrast(fit, toy.counts, row=row @ change, scale=scale, threads=1)
        assert (np.abs(other - plain) < 0.001 * LOG2).all()


@pytest.mark.parametrize("name", ROWS)
def test_swapping_the_sides_flips_the_sign(toy: SimpleNamespace, name: str) -> None:
    """Another column takes the contrast up then, and none has a prior of its own."""
    row = ROWS[name]
    scale = scale_of(toy.fit, row)
    plain, swapped = (shrink_contrast(toy.fit, toy.counts, row=r, scale=scale, threads=1)[0] for r in (row, -row))
    assert (np.abs(swapped + plain) < 0.001 * LOG2).all()


@pytest.mark.parametrize("name", ROWS)
def test_estimates_are_drawn_towards_zero_and_never_past_it(toy: SimpleNamespace, name: str) -> None:
    """No gene is larger than unshrunken or of other sign; nor would one be without the limits that are set."""
    row = ROWS[name]
    unshrunken, scale = toy.fit.coefficients @ row, scale_of(toy.fit, row)
    shrunken, modes = shrink_contrast(toy.fit, toy.counts, row=row, scale=scale, threads=1)
    assert (modes >= 1).all()
    assert (np.abs(shrunken) <= np.abs(unshrunken)).all()
    assert (shrunken * unshrunken >= 0).all()
    assert np.median(np.abs(shrunken)) < 0.8 * np.median(np.abs(unshrunken))
    beta, _ = shrink_coefficients(
        toy.counts, toy.fit.design, size_factors=toy.fit.size_factors, dispersions=toy.fit.dispersions,
        start=toy.fit.coefficients, contrast=row, rest_sd=REST_SD, scale=scale, threads=1,
    )  # fmt: skip
    np.testing.assert_allclose(beta @ row, shrunken, atol=1e-3)


def as_coefficient(design: np.ndarray, row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A design whose first column is the contrast, and the change of coefficients that leads to it."""
    unit = int(np.argmax(row))
    change = np.vstack([row, np.delete(np.eye(len(row)), unit, axis=0)])
    return design @ np.linalg.inv(change), change


def brute_posterior(beta: np.ndarray, y: np.ndarray, *, design: np.ndarray, fit: Fit, gene: int, scale: float) -> float:
    """Negative log posterior by scipy: the contrast is the first coefficient."""
    size = 1 / fit.dispersions[gene]
    mu = fit.size_factors * np.exp(np.clip(design @ beta, -300, 300))
    value = -np.sum(nbinom.logpmf(y, size, size / (size + mu)))
    return float(value + np.sum(beta[1:] ** 2) / (2 * REST_SD**2) + np.log1p((beta[0] / scale) ** 2))


def brute_modes(toy: SimpleNamespace, gene: int, *, row: np.ndarray, scale: float) -> list[Any]:
    """Where scipy's descents end from the estimate, from half of it and from the restricted model; the best first."""
    design, change = as_coefficient(toy.fit.design, row)
    first = change @ toy.fit.coefficients[gene]
    restricted = np.linalg.lstsq(design[:, 1:], toy.fit.design @ toy.fit.coefficients[gene], rcond=None)[0]
    starts = [first, first * np.r_[0.5, np.ones(len(row) - 1)], np.r_[0.0, restricted]]

    def depth(beta: np.ndarray) -> float:
        return brute_posterior(beta, toy.counts[:, gene], design=design, fit=toy.fit, gene=gene, scale=scale)

    return sorted((minimize(depth, start, method="BFGS") for start in starts), key=lambda result: result.fun)


@pytest.mark.parametrize("name", ROWS)
def test_the_highest_posterior_is_found(toy: SimpleNamespace, name: str) -> None:
    """Simple, averaged and interaction contrasts of 25 genes: scipy finds no higher one, and none elsewhere."""
    row, genes = ROWS[name], range(0, 125, 5)
    scale = scale_of(toy.fit, row)
    design, change = as_coefficient(toy.fit.design, row)
    beta, _ = shrink_coefficients(
        toy.counts, toy.fit.design, size_factors=toy.fit.size_factors, dispersions=toy.fit.dispersions,
        start=toy.fit.coefficients, contrast=row, rest_sd=REST_SD, scale=scale, threads=1,
    )  # fmt: skip
    for gene in genes:
        best, *_ = brute_modes(toy, gene, row=row, scale=scale)
        setting = {"design": design, "fit": toy.fit, "gene": gene, "scale": scale}
        assert brute_posterior(change @ beta[gene], toy.counts[:, gene], **setting) <= best.fun + 1e-6
        assert (change @ beta[gene])[0] == pytest.approx(best.x[0], abs=5e-3)


def one_gene(effect: float) -> SimpleNamespace:
    """Four counts of about 100 against as many of about 100 exp(effect), dispersion .15."""
    base = np.array([88.0, 95.0, 104.0, 116.0])
    counts = np.rint(np.concatenate([base, base * np.exp(effect)]))[:, None]
    setting = {"dispersions": np.array([0.15]), "size_factors": np.ones(8)}
    fit = fit_of(counts, np.repeat(np.eye(2), 4, axis=0), **setting)
    return SimpleNamespace(counts=counts, fit=fit)


def test_both_modes_of_a_posterior_are_looked_at() -> None:
    """A narrow prior and an effect that grows: the estimate leaves zero for the far mode as soon as that is higher."""
    row, scale = np.array([-1.0, 1.0]), 0.02
    found, number, apart = [], [], []
    for effect in np.linspace(0.4, 2.0, 33):
        gene = one_gene(effect)
        shrunken, modes = shrink_contrast(gene.fit, gene.counts, row=row, scale=scale, threads=1)
        best, *others = brute_modes(gene, 0, row=row, scale=scale)
        assert shrunken[0] == pytest.approx(best.x[0], abs=2e-3), effect
        found.append(shrunken[0] / effect)
        number.append(modes[0])
        apart.append(max(abs(other.x[0] - best.x[0]) for other in others) > 0.05)
    found = np.array(found)
    assert ((found < 0.1) | (found > 0.7)).all()
    assert found[0] < 0.1
    assert found[-1] > 0.7
    # Where scipy sees two modes on the far side of the jump, so does the climb; before, one look is enough.
    assert all(modes == 2 for modes, two, share in zip(number, apart, found, strict=True) if two and share > 0.5)
    assert 2 in number


@pytest.fixture(scope="module")
def hard() -> BatchedDataSet:
    """PyDESeq2's data set of two arms of five, intercept and effect: low means, high dispersions, large effects too."""
    rng = np.random.default_rng(54)
    design = np.column_stack([np.ones(10), np.repeat([0.0, 1.0], 5)])
    means, dispersions = np.exp(rng.uniform(0, 8, GENES)), np.exp(rng.uniform(np.log(0.03), np.log(2), GENES))
    expected = means * np.exp(design[:, 1:] * rng.standard_t(2, GENES) * 0.03)
    counts = rng.negative_binomial(np.broadcast_to(1 / dispersions, expected.shape), 1 / (1 + expected * dispersions))
    names = [f"s{sample:02d}" for sample in range(10)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = BatchedDataSet(
            counts=pd.DataFrame(counts + (counts.sum(axis=0) == 0), index=names),
            metadata=pd.DataFrame({"sample": names}, index=names),
            design=pd.DataFrame(design, index=names, columns=["intercept", "effect"]),
            inference=BatchedInference(),
            quiet=True,
        )
        found.deseq2()
    return found


def test_simple_contrasts_are_those_of_pydeseq2(hard: BatchedDataSet) -> None:
    """With its adapted prior and its own optimiser: equal to .01 log2 in 95 of 100 genes, likelier here elsewhere."""
    fit = Fit(
        hard.varm["LFC"].to_numpy(),
        hard.var["dispersions"].to_numpy(),
        hard.obsm["design_matrix"].to_numpy(),
        hard.obs["size_factors"].to_numpy(),
    )
    row, counts = np.array([0.0, 1.0]), np.asarray(hard.X)
    scale, theirs = scale_of(fit, row), DefaultInference(n_cpus=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stock = DeseqStats(hard, contrast=row, inference=theirs, quiet=True)
        stock.run_wald_test()
        assert scale == pytest.approx(
            min(np.sqrt(stock._fit_prior_var(coeff_idx=1)), 1.0), rel=0.01
        )  # means are floored here
        stock.lfc_shrink("effect", adapt=True)
    shrunken, _ = shrink_contrast(fit, counts, row=row, scale=scale, threads=1)
    apart = np.flatnonzero(np.abs(shrunken - stock.LFC["effect"].to_numpy()) > 0.01 * LOG2)
    assert 0 < len(apart) <= 0.05 * GENES
    beta, _ = shrink_coefficients(
        counts, fit.design, size_factors=fit.size_factors, dispersions=fit.dispersions,
        start=fit.coefficients, contrast=row, rest_sd=REST_SD, scale=scale, threads=1,
    )  # fmt: skip
    priors = {"offset": np.log(fit.size_factors), "prior_no_shrink_scale": REST_SD, "prior_scale": scale}
    whole, _, _ = theirs.lfc_shrink_nbinom_glm(
        design_matrix=fit.design, counts=counts[:, apart], size=1 / fit.dispersions[apart], optimizer="L-BFGS-B",
        shrink_index=1, **priors,
    )  # fmt: skip
    for gene, other in zip(apart, whole, strict=True):
        data = {"counts": counts[:, gene], "size": 1 / fit.dispersions[gene], "shrink_index": 1}
        assert nbinomFn(beta[gene], fit.design, **data, **priors) < nbinomFn(other, fit.design, **data, **priors)


def excess_of(spread: float, squared: np.ndarray, noise: np.ndarray) -> float:
    """The weighted excess of squared estimates over their noise and a spread."""
    weights = 1 / (2 * (spread + noise) ** 2)
    return float(np.average(squared - noise - spread, weights=weights))


@pytest.mark.parametrize("spread", [0.05, 0.3, 0.8])
def test_the_scale_of_the_prior_is_the_root_of_the_excess(spread: float) -> None:
    """By bisection on the formula, near the spread that the effects were drawn with; missing genes are left out."""
    rng = np.random.default_rng(52)
    noise = rng.uniform(0.01, 0.2, 5000)
    estimates = rng.normal(0, np.sqrt(spread**2 + noise))
    low, high = 1e-6, 400.0
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if excess_of(middle, estimates**2, noise) > 0 else (low, middle)
    found = prior_scale(estimates, noise)
    assert found == pytest.approx(np.sqrt(low), rel=1e-9)
    assert found == pytest.approx(spread, rel=0.1)
    with_gaps = np.concatenate([estimates, [np.nan, 3.0, 9.0]]), np.concatenate([noise, [0.1, np.nan, 0.0]])
    assert prior_scale(*with_gaps) == found


def test_the_scale_of_the_prior_has_limits() -> None:
    """Estimates less spread than their noise, effects wider than e-fold, beyond the bracket, and no gene at all."""
    noise = np.full(100, 0.5)
    assert prior_scale(np.full(100, 0.1), noise) == pytest.approx(1e-3)
    assert prior_scale(np.full(100, 5.0), noise) == 1.0
    assert prior_scale(np.full(100, 50.0), noise) == 1.0
    assert prior_scale(np.array([np.nan]), np.array([1.0])) == 1.0


def test_a_wide_prior_hardly_shrinks_and_a_narrow_one_shrinks_all(toy: SimpleNamespace) -> None:
    """Monotone in its scale, gene by gene, but for what the climbs leave."""
    row = ROWS["simple"]
    unshrunken = np.abs(toy.fit.coefficients @ row)
    found = [
        np.abs(shrink_contrast(toy.fit, toy.counts, row=row, scale=scale, threads=1)[0])
        for scale in (1e-3, 0.1, 1.0, 30.0)
    ]
    for narrow, wide in zip(found, [*found[1:], unshrunken], strict=True):
        assert (narrow <= wide + 2e-3).all()
    assert np.quantile(found[0], 0.7) < 1e-3
    np.testing.assert_allclose(found[-1], unshrunken, atol=5e-3)


def test_cells_that_a_contrast_leaves_out_do_not_matter(toy: SimpleNamespace) -> None:
    """Other counts in the two cells that carry no weight: the same answer."""
    row = ROWS["simple"]
    rng = np.random.default_rng(53)
    counts = toy.counts.copy()
    counts[:REPLICATES] = rng.integers(0, 900, (REPLICATES, GENES))
    counts[2 * REPLICATES : 3 * REPLICATES] = rng.integers(0, 900, (REPLICATES, GENES))
    setting = {"dispersions": toy.fit.dispersions, "size_factors": toy.fit.size_factors}
    other = fit_of(counts, toy.fit.design, **setting)
    plain, changed = (
        shrink_contrast(fit, table, row=row, scale=0.3, threads=1)[0]
        for fit, table in ((toy.fit, toy.counts), (other, counts))
    )
    np.testing.assert_allclose(changed, plain, atol=1e-3)


def test_where_a_cell_has_no_count_the_estimate_is_the_limit() -> None:
    """The floor of the means ends the plain fit early; the posterior would go on, and is held at the estimate."""
    counts = np.array([[0], [0], [0], [0], [0], [10], [6], [2], [1], [1]])
    setting = {"dispersions": np.array([0.86]), "size_factors": np.ones(10)}
    fit, row = fit_of(counts, np.repeat(np.eye(2), 5, axis=0), **setting), np.array([-1.0, 1.0])
    beta, _ = shrink_coefficients(
        counts, fit.design, start=fit.coefficients, contrast=row, rest_sd=REST_SD, scale=1.0, threads=1, **setting
    )
    shrunken, _ = shrink_contrast(fit, counts, row=row, scale=1.0, threads=1)
    assert beta[0] @ row > fit.coefficients[0] @ row + 0.1
    assert shrunken[0] == fit.coefficients[0] @ row


def test_genes_without_a_fit_stay_missing(toy: SimpleNamespace) -> None:
    """No coefficients, no shrunken ones, and no mode."""
    beta = toy.fit.coefficients.copy()
    beta[7] = np.nan
    fit = Fit(beta, toy.fit.dispersions, toy.fit.design, toy.fit.size_factors)
    shrunken, modes = shrink_contrast(fit, toy.counts, row=ROWS["averaged"], scale=0.3, threads=1)
    assert np.flatnonzero(np.isnan(shrunken)).tolist() == np.flatnonzero(modes == 0).tolist() == [7]


def test_threads_change_no_byte(toy: SimpleNamespace) -> None:
    """One or three."""
    one, three = (
        shrink_contrast(toy.fit, toy.counts, row=ROWS["interaction"], scale=0.3, threads=threads)[0]
        for threads in (1, 3)
    )
    assert one.tobytes() == three.tobytes()
