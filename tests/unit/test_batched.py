"""The batched inference against PyDESeq2's own, method by method, on the same simulated counts."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydeseq2.dds import DeseqDataSet
from pydeseq2.default_inference import DefaultInference
from pydeseq2.utils import nb_nll, nbinomFn
from statsmodels.tools.numdiff import approx_hess

from exoliver.inference import batched
from exoliver.inference.batched import BatchedInference, shrink_coefficients

GENES, SAMPLES = 120, 12
LIMITS = {"min_disp": 1e-8, "max_disp": 12.0}
ROW = np.array([0.0, -1.0, 1.0, 0.0, 0.0])

Setting = dict[str, Any]


@pytest.fixture(scope="module")
def toy() -> SimpleNamespace:
    """Counts (n, g) of three arms of four with a numeric covariate and a batch, in intercept coding."""
    rng = np.random.default_rng(21)
    arms = np.repeat(np.eye(3), 4, axis=0)[:, 1:]
    design = np.column_stack([np.ones(SAMPLES), arms, rng.normal(size=SAMPLES), np.tile([0.0, 1.0], 6)])
    size_factors = rng.uniform(0.6, 1.6, SAMPLES)
    beta = np.column_stack([rng.uniform(4, 8, GENES), rng.normal(0, 0.6, (GENES, 4))])
    means = size_factors[:, None] * np.exp(design @ beta.T)
    dispersions = np.exp(rng.uniform(np.log(0.02), np.log(1), GENES))
    counts = rng.negative_binomial(np.broadcast_to(1 / dispersions, means.shape), 1 / (1 + means * dispersions))
    return SimpleNamespace(
        counts=counts, design=design, size_factors=size_factors, means=means, dispersions=dispersions, beta=beta,
        normalised=counts / size_factors[:, None],
    )  # fmt: skip


@pytest.fixture(scope="module")
def ours() -> BatchedInference:
    """The batched inference."""
    return BatchedInference(2)


@pytest.fixture(scope="module")
def theirs() -> DefaultInference:
    """PyDESeq2's own inference."""
    return DefaultInference(n_cpus=1)


def irls_setting(toy: SimpleNamespace) -> Setting:
    """What the fit of coefficients takes."""
    names = {"counts": toy.counts, "size_factors": toy.size_factors, "design_matrix": toy.design}
    return names | {"disp": toy.dispersions, "min_mu": 0.5, "beta_tol": 1e-8}


def alpha_setting(toy: SimpleNamespace) -> Setting:
    """What the fit of dispersions takes."""
    names = {"counts": toy.counts, "design_matrix": toy.design, "mu": toy.means}
    return names | {"alpha_hat": toy.dispersions * 1.5} | LIMITS


def shrink_setting(toy: SimpleNamespace) -> Setting:
    """What the shrinkage of one coefficient takes."""
    names = {"counts": toy.counts, "design_matrix": toy.design, "size": 1 / toy.dispersions}
    priors = {"prior_no_shrink_scale": 15, "prior_scale": 0.3, "optimizer": "L-BFGS-B", "shrink_index": 1}
    return names | {"offset": np.log(toy.size_factors)} | priors


def assert_same_kind(ours: Any, theirs: Any) -> None:
    """As many arrays, of the same shapes and kinds of number."""
    assert len(ours) == len(theirs)
    for mine, other in zip(ours, theirs, strict=True):
        assert np.shape(mine) == np.shape(other)
        assert np.asarray(mine).dtype.kind == np.asarray(other).dtype.kind


def test_least_squares_means_are_those_of_pydeseq2(
    toy: SimpleNamespace, ours: BatchedInference, theirs: DefaultInference
) -> None:
    """The same projection, and the floor under it."""
    setting = {name: irls_setting(toy)[name] for name in ("counts", "size_factors", "design_matrix")}
    for floor in (0.5, 300.0):
        found, expected = (inference.lin_reg_mu(**setting, min_mu=floor) for inference in (ours, theirs))
        assert_same_kind([found], [expected])
        assert 0 < (found == floor).mean() < 0.8
        np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_coefficients_are_those_of_pydeseq2(
    toy: SimpleNamespace, ours: BatchedInference, theirs: DefaultInference
) -> None:
    """Coefficients, means, leverages and convergence; both stop at a relative change of the deviance of 1e-8."""
    found, expected = (inference.irls(**irls_setting(toy)) for inference in (ours, theirs))
    assert_same_kind(found, expected)
    assert found[3].all()
    np.testing.assert_allclose(found[0], expected[0], atol=2e-4)
    np.testing.assert_allclose(found[1], expected[1], rtol=2e-4)
    np.testing.assert_allclose(found[2], expected[2], rtol=2e-4)


def negative_log_posterior(toy: SimpleNamespace, found: np.ndarray, *, centre: np.ndarray, variance: float) -> Any:
    """What PyDESeq2 minimises over dispersions, gene by gene."""
    values = np.empty(GENES)
    for gene, a in enumerate(found):
        mu = toy.means[:, gene]
        information = (toy.design.T * (mu / (1 + mu * a))) @ toy.design
        values[gene] = nb_nll(toy.counts[:, gene], mu, a) + 0.5 * np.linalg.slogdet(information)[1]
        values[gene] += (np.log(a / centre[gene])) ** 2 / (2 * variance) if variance else 0.0
    return values


@pytest.mark.parametrize("variance", [0.0, 0.6])
def test_dispersions_are_those_of_pydeseq2(
    toy: SimpleNamespace, ours: BatchedInference, theirs: DefaultInference, variance: float
) -> None:
    """Without and with a prior: as high as PyDESeq2 gets, give or take what the stopping rules of DESeq2 leave."""
    prior = {"prior_disp_var": variance, "prior_reg": True} if variance else {}
    found, expected = (inference.alpha_mle(**alpha_setting(toy), **prior) for inference in (ours, theirs))
    assert_same_kind(found, expected)
    assert found[1].mean() > 0.9
    centre = alpha_setting(toy)["alpha_hat"]
    depths = [negative_log_posterior(toy, a, centre=centre, variance=variance) for a, _ in (found, expected)]
    # The climb ends at a gain of 1e-6; without a prior, a gain below a millionth of the height (30,000 here) is none.
    assert (depths[0] < depths[1] + (1e-3 if variance else 0.03)).all()
    assert np.quantile(np.abs(np.log(found[0] / expected[0])), 0.9) < 0.03


def test_dispersions_start_where_they_are_told(toy: SimpleNamespace, ours: BatchedInference) -> None:
    """With a prior, `alpha_hat` is its mean whatever the start, so that the same hill is climbed."""
    setting = alpha_setting(toy) | {"prior_disp_var": 0.6, "prior_reg": True}
    plain, elsewhere = (ours.alpha_mle(**setting, start=start)[0] for start in (None, toy.dispersions * 3))
    assert (plain != elsewhere).any()
    np.testing.assert_allclose(elsewhere, plain, rtol=0.05)


def test_means_below_the_floor_are_raised_for_dispersions(toy: SimpleNamespace) -> None:
    """Those of the fit are without a floor; a tiny mean would else make a single count infinitely unlikely."""
    setting = alpha_setting(toy)
    low = toy.means.copy()
    low[0] = 1e-9
    floored = np.where(low < 2.0, 2.0, low)
    found, _ = BatchedInference(min_mu=2.0).alpha_mle(**(setting | {"mu": low}))
    expected, _ = BatchedInference(min_mu=0.5).alpha_mle(**(setting | {"mu": floored}))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("ridge", [0.0, 0.5])
def test_the_wald_test_of_a_contrast_is_that_of_pydeseq2(
    toy: SimpleNamespace, ours: BatchedInference, theirs: DefaultInference, ridge: float
) -> None:
    """Statistic, p-value and standard error of a difference of two coefficients."""
    setting = {"design_matrix": toy.design, "disp": toy.dispersions, "lfc": toy.beta, "mu": toy.means}
    setting |= {"ridge_factor": np.diag(np.full(5, ridge)), "contrast": ROW, "lfc_null": 0.0}
    found, expected = (inference.wald_test(**setting) for inference in (ours, theirs))
    assert_same_kind(found, expected)
    for mine, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-8)


def test_the_wald_test_beyond_a_threshold_is_that_of_pydeseq2(
    toy: SimpleNamespace, ours: BatchedInference, theirs: DefaultInference
) -> None:
    """Of one coefficient, which is all that PyDESeq2's `greaterAbs` can say of a contrast."""
    setting = {"design_matrix": toy.design, "disp": toy.dispersions, "lfc": toy.beta, "mu": toy.means}
    setting |= {"ridge_factor": np.zeros((5, 5)), "contrast": np.eye(5)[2], "lfc_null": 0.4}
    found, expected = (inference.wald_test(**setting, alt_hypothesis="greaterAbs") for inference in (ours, theirs))
    assert 10 < (found[0] == 1).sum() < GENES - 10
    for mine, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-8, atol=1e-12)


def test_first_guesses_of_dispersions_are_those_of_pydeseq2(
    toy: SimpleNamespace, ours: BatchedInference, theirs: DefaultInference
) -> None:
    """From the residuals of least squares, and from the moments."""
    design = pd.DataFrame(toy.design)
    pairs = [
        [inference.fit_rough_dispersions(toy.normalised, design.to_numpy()) for inference in (ours, theirs)],
        [inference.fit_moments_dispersions(toy.normalised, toy.size_factors) for inference in (ours, theirs)],
    ]
    for found, expected in pairs:
        assert_same_kind([found], [expected])
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


def test_the_trend_is_that_of_pydeseq2(ours: BatchedInference, theirs: DefaultInference) -> None:
    """The same gamma likelihood at its maximum, which PyDESeq2's optimiser finds to about four digits."""
    rng = np.random.default_rng(22)
    reciprocal = pd.Series(np.exp(-rng.uniform(1, 8, 800)))
    dispersions = (0.05 + 3 * reciprocal) * rng.gamma(2, 0.5, 800)
    found, expected = (
        inference.dispersion_trend_gamma_glm(reciprocal, pd.Series(dispersions)) for inference in (ours, theirs)
    )
    assert_same_kind(found, expected)
    assert found[2]
    np.testing.assert_allclose(found[0], expected[0], rtol=2e-3)
    np.testing.assert_allclose(found[1], expected[1], rtol=2e-3)

    def loss(coefficients: np.ndarray) -> float:
        fitted = coefficients[0] + coefficients[1] * reciprocal
        return float(np.mean(dispersions / fitted + np.log(fitted)))

    assert loss(found[0]) <= loss(expected[0]) + 1e-12


def test_shrunken_coefficients_are_those_of_pydeseq2(
    toy: SimpleNamespace, ours: BatchedInference, theirs: DefaultInference
) -> None:
    """Where they differ, the posterior is higher here; covariances are inverse curvatures of PyDESeq2's function."""
    setting = shrink_setting(toy)
    found, expected = (inference.lfc_shrink_nbinom_glm(**setting) for inference in (ours, theirs))
    assert_same_kind(found, expected)
    assert found[2].all()
    near = np.abs(found[0] - expected[0]).max(axis=1) < 5e-3
    assert near.mean() > 0.9
    names = ("design_matrix", "offset", "prior_no_shrink_scale", "prior_scale", "shrink_index")
    priors = {name: setting[name] for name in names}
    for gene in range(GENES):
        data = {"counts": toy.counts[:, gene], "size": setting["size"][gene]} | priors
        assert nbinomFn(found[0][gene], **data) <= nbinomFn(expected[0][gene], **data) + 1e-6
        # Its own covariances are not compared: in 0.5.4 the prior enters whole rows of the curvature, not the diagonal.
        curvature = approx_hess(found[0][gene], partial(nbinomFn, **data))
        np.testing.assert_allclose(found[1][gene] @ curvature, np.eye(5), atol=0.02)


def test_shrinking_one_coefficient_shrinks_a_contrast_of_one_weight(
    toy: SimpleNamespace, ours: BatchedInference
) -> None:
    """The interface's method and the function of contrasts are one."""
    setting = shrink_setting(toy)
    start = ours.irls(**irls_setting(toy))[0]
    found, modes = shrink_coefficients(
        toy.counts, toy.design, size_factors=toy.size_factors, dispersions=toy.dispersions, start=start,
        contrast=np.eye(5)[1], rest_sd=15.0, scale=0.3, threads=1,
    )  # fmt: skip
    assert (modes >= 1).all()
    np.testing.assert_allclose(found, ours.lfc_shrink_nbinom_glm(**setting)[0], atol=1e-6)


METHODS: dict[str, Callable[[BatchedInference, SimpleNamespace], Any]] = {
    "irls": lambda inference, toy: inference.irls(**irls_setting(toy)),
    "alpha_mle": lambda inference, toy: inference.alpha_mle(**alpha_setting(toy)),
    "prior": lambda inference, toy: inference.alpha_mle(**alpha_setting(toy), prior_disp_var=0.5, prior_reg=True),
    "shrink": lambda inference, toy: inference.lfc_shrink_nbinom_glm(**shrink_setting(toy)),
}


@pytest.mark.parametrize("method", METHODS)
def test_blocks_and_threads_change_no_byte(toy: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    """Genes are worked on in blocks on several threads; a gene never sees its neighbours."""
    whole = METHODS[method](BatchedInference(1), toy)
    monkeypatch.setattr(batched, "GENES_PER_BLOCK", 7)
    for threads in (1, 3):
        for found, expected in zip(METHODS[method](BatchedInference(threads), toy), whole, strict=True):
            assert np.ascontiguousarray(found).tobytes() == np.ascontiguousarray(expected).tobytes()


def test_the_order_of_genes_changes_no_byte(toy: SimpleNamespace, ours: BatchedInference) -> None:
    """What a thread leaves behind in its workspace is not seen by the next gene."""
    order = np.random.default_rng(23).permutation(GENES)
    mixed = SimpleNamespace(
        **vars(toy) | {"counts": toy.counts[:, order], "means": toy.means[:, order]},
    )
    mixed.dispersions = toy.dispersions[order]
    for name in ("irls", "alpha_mle", "shrink"):
        plain, shuffled = METHODS[name](ours, toy)[0], METHODS[name](ours, mixed)[0]
        assert plain[order].tobytes() == shuffled.tobytes()


def test_no_genes_give_empty_arrays(ours: BatchedInference, toy: SimpleNamespace) -> None:
    """A filter that leaves nothing is no error."""
    nothing = {"counts": toy.counts[:, :0], "disp": np.empty(0)}
    beta, means, hats, has_converged = ours.irls(**(irls_setting(toy) | nothing))
    assert (beta.shape, means.shape, hats.shape, has_converged.shape) == ((0, 5), (12, 0), (12, 0), (0,))


def test_what_is_not_offered_is_refused(toy: SimpleNamespace, ours: BatchedInference) -> None:
    """Dispersions without Cox and Reid's adjustment, and tests of other hypotheses than `greaterAbs`."""
    with pytest.raises(ValueError, match="Cox-Reid"):
        ours.alpha_mle(**alpha_setting(toy), cr_reg=False)
    setting = {"design_matrix": toy.design, "disp": toy.dispersions, "lfc": toy.beta, "mu": toy.means}
    for hypothesis in ("less", "greater", "lessAbs"):
        with pytest.raises(ValueError, match=f"not {hypothesis}"):
            ours.wald_test(
                **setting, ridge_factor=np.zeros((5, 5)), contrast=ROW, lfc_null=0.0, alt_hypothesis=hypothesis
            )


def test_pydeseq2_runs_on_it_unchanged(toy: SimpleNamespace, theirs: DefaultInference) -> None:
    """Its stock data set with the batched inference: final dispersions and coefficients near those of its own."""
    names = [f"s{sample:02d}" for sample in range(SAMPLES)]
    design = pd.DataFrame(toy.design, index=names, columns=list("abcde"))
    fits = []
    for inference in (BatchedInference(), theirs):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fitted = DeseqDataSet(
                counts=pd.DataFrame(toy.counts, index=names, columns=[f"g{gene}" for gene in range(GENES)]),
                metadata=pd.DataFrame({"sample": names}, index=names),
                design=design,
                inference=inference,
                n_cpus=2 if inference is not theirs else None,
                quiet=True,
            )
            fitted.deseq2()
        fits.append(fitted)
    assert fits[0].inference.n_cpus == 2
    ratio = np.log(fits[0].var["dispersions"] / fits[1].var["dispersions"])
    assert ratio.abs().quantile(0.9) < 0.05
    difference = (fits[0].varm["LFC"] - fits[1].varm["LFC"]).abs().max(axis=1)
    assert difference.quantile(0.95) < 5e-3
