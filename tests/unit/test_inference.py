"""Wald tests and independent filtering, against other programs' answers on the same numbers."""

from __future__ import annotations

import warnings
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api
from scipy.stats import chi2, false_discovery_control, norm
from statsmodels.stats.multitest import multipletests

from exoliver.contrasts import Cell
from exoliver.design import build_design
from exoliver.inference import wald
from exoliver.inference.filtering import adjust_pvalues, filter_independently
from exoliver.inference.wald import Fit, contrast_covariances, wald_omnibus, wald_test
from tests.toy_model import make_counts, make_samples

ARMS = ("chow", "pnac", "agonist")
ROW = np.array([[0.0, -1.0, 1.0]])


@pytest.fixture(scope="module")
def toy() -> SimpleNamespace:
    """Counts of 250 genes in three arms of four, with PyDESeq2's fit of them."""
    from pydeseq2.dds import DeseqDataSet
    from pydeseq2.default_inference import DefaultInference

    samples = make_samples({Cell(arm, None): 4 for arm in ARMS})
    shifts = {Cell("pnac", None): dict.fromkeys(range(0, 250, 5), 1.5)}
    counts = make_counts(samples, genes=250, seed=5, shifts=shifts)
    design = build_design(samples, ARMS, donor=False, covariates=(), numeric=()).matrix
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = DeseqDataSet(
            counts=counts,
            metadata=pd.DataFrame({"sample": counts.index}, index=counts.index),
            design=design,
            inference=DefaultInference(n_cpus=1),
            quiet=True,
        )
        fitted.deseq2()
    fit = Fit(
        fitted.varm["LFC"].to_numpy(),
        fitted.var["dispersions"].to_numpy(),
        design.to_numpy(),
        fitted.obs["size_factors"].to_numpy(),
    )
    means = np.exp(fit.coefficients @ fit.design.T) * fit.size_factors
    return SimpleNamespace(counts=counts, fitted=fitted, fit=fit, high=(means > 0.5).all(axis=1))


def pydeseq2_wald(fitted: object, contrast: np.ndarray) -> SimpleNamespace:
    """Statistic, standard error and p-value of PyDESeq2's own Wald test."""
    from pydeseq2.ds import DeseqStats

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        own = DeseqStats(fitted, contrast=contrast, quiet=True)
        own.run_wald_test()
    return SimpleNamespace(stat=own.statistics.to_numpy(), se=own.SE.to_numpy(), pvalue=own.p_values.to_numpy())


def wald_of(fit: Fit, row: np.ndarray, *, threshold: float = 0.0) -> wald.Tested:
    """Our Wald test of one row."""
    variance = contrast_covariances(fit, [row])[0][:, 0, 0]
    return wald_test(fit.coefficients @ row[0], variance, threshold=threshold)


def test_the_wald_test_is_that_of_pydeseq2(toy: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    """On one fit, with its ridge, wherever our floor of the fitted means does not bind."""
    monkeypatch.setattr(wald, "RIDGE", 1e-6)
    ours, theirs = wald_of(toy.fit, ROW), pydeseq2_wald(toy.fitted, ROW[0])
    assert toy.high.sum() > 200
    for name in ("stat", "se", "pvalue"):
        np.testing.assert_allclose(getattr(ours, name)[toy.high], getattr(theirs, name)[toy.high], rtol=1e-8)


def test_the_ridge_of_deseq2_hardly_moves_the_test(toy: SimpleNamespace) -> None:
    """It is twice PyDESeq2's, on information of the order of ten and more."""
    ours, theirs = wald_of(toy.fit, ROW), pydeseq2_wald(toy.fitted, ROW[0])
    np.testing.assert_allclose(ours.stat[toy.high], theirs.stat[toy.high], rtol=2e-6)


def test_low_means_are_floored_in_the_weights(toy: SimpleNamespace) -> None:
    """A gene without counts in an arm keeps a finite standard error, that of half a count in each sample."""
    coefficients = np.array([[np.log(50), -20.0, np.log(50)]])
    fit = Fit(coefficients, np.array([0.1]), toy.fit.design, np.ones(12))
    weight = {mean: 4 * mean / (1 + 0.1 * mean) for mean in (50, 0.5)}
    expected = np.sqrt(1 / weight[50] + 1 / weight[0.5])
    assert wald_of(fit, np.array([[1.0, -1.0, 0.0]])).se == pytest.approx([expected], rel=1e-5)


@pytest.mark.parametrize("gene", [0, 1, 17, 120, 249])
def test_estimate_and_error_are_those_of_a_generalised_linear_model(toy: SimpleNamespace, gene: int) -> None:
    """statsmodels, with the dispersion held at the fitted one."""
    assert toy.high[gene]
    family = statsmodels.api.families.NegativeBinomial(alpha=toy.fit.dispersions[gene])
    offset = np.log(toy.fit.size_factors)
    model = statsmodels.api.GLM(toy.counts.iloc[:, gene].to_numpy(), toy.fit.design, family=family, offset=offset)
    expected = model.fit(tol=1e-12, maxiter=200).t_test(ROW)
    ours = wald_of(toy.fit, ROW)
    assert ours.estimate[gene] == pytest.approx(expected.effect.item(), abs=1e-5)
    assert ours.se[gene] == pytest.approx(np.asarray(expected.sd).item(), rel=1e-5)


def test_a_threshold_is_part_of_the_null(toy: SimpleNamespace) -> None:
    """The p-value is the chance of an estimate so far beyond the nearer edge, and 1 inside; signs are kept."""
    threshold = np.log(2)
    ours, plain = wald_of(toy.fit, ROW, threshold=threshold), wald_of(toy.fit, ROW)
    inside = np.abs(plain.estimate) <= threshold
    assert 0 < inside.sum() < len(inside)
    assert (ours.pvalue[inside] == 1).all()
    assert (ours.stat[inside] == 0).all()
    distance = np.where(plain.estimate > 0, plain.estimate - threshold, plain.estimate + threshold)[~inside]
    z = distance / plain.se[~inside]
    np.testing.assert_allclose(ours.stat[~inside], z, rtol=1e-12)
    np.testing.assert_allclose(ours.pvalue[~inside], norm.cdf(-np.abs(z)) + 1 - norm.cdf(np.abs(z)), rtol=1e-6)


def test_the_threshold_test_is_that_of_pydeseq2(toy: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its `greaterAbs` works on single coefficients, so the contrast is made one by a change of basis."""
    from pydeseq2.default_inference import DefaultInference

    monkeypatch.setattr(wald, "RIDGE", 0.0)
    basis = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, -1.0, 1.0]])
    pvalue, stat, _ = DefaultInference(n_cpus=1).wald_test(
        design_matrix=toy.fit.design @ np.linalg.inv(basis),
        disp=toy.fit.dispersions,
        lfc=toy.fit.coefficients @ basis.T,
        mu=(np.exp(toy.fit.coefficients @ toy.fit.design.T) * toy.fit.size_factors).T,
        ridge_factor=np.zeros((3, 3)),
        contrast=np.array([0.0, 0.0, 1.0]),
        lfc_null=0.5 * np.log(2),
        alt_hypothesis="greaterAbs",
    )
    ours = wald_of(toy.fit, ROW, threshold=0.5 * np.log(2))
    assert 0 < (ours.pvalue < 1).sum() < 250
    np.testing.assert_allclose(ours.stat[toy.high], stat[toy.high], rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(ours.pvalue[toy.high], pvalue[toy.high], rtol=1e-8)


def test_an_omnibus_test_of_one_row_is_the_squared_wald_test(toy: SimpleNamespace) -> None:
    """One degree of freedom: the same p-value."""
    single = wald_of(toy.fit, ROW)
    stat, pvalue, df = wald_omnibus(toy.fit.coefficients @ ROW.T, contrast_covariances(toy.fit, [ROW])[0])
    assert df == 1
    np.testing.assert_allclose(stat, single.stat**2, rtol=1e-10)
    np.testing.assert_allclose(pvalue, single.pvalue, rtol=1e-8)


def test_an_omnibus_test_asks_for_the_space_and_not_for_its_basis(toy: SimpleNamespace) -> None:
    """Other rows that span the same differences give the same statistic."""
    rows = np.array([[-1.0, 1.0, 0.0], [-1.0, 0.0, 1.0]])
    others = np.array([[2.0, 1.0], [1.0, -3.0]]) @ rows
    stats = []
    for matrix in (rows, others):
        stat, pvalue, df = wald_omnibus(toy.fit.coefficients @ matrix.T, contrast_covariances(toy.fit, [matrix])[0])
        assert df == 2
        np.testing.assert_allclose(pvalue, chi2.sf(stat, 2))
        stats.append(stat)
    np.testing.assert_allclose(*stats, rtol=1e-9)


def test_an_omnibus_test_is_a_joint_test_of_one_gene(toy: SimpleNamespace) -> None:
    """It is that of statsmodels with both rows, for a gene."""
    rows = np.array([[-1.0, 1.0, 0.0], [-1.0, 0.0, 1.0]])
    stat, _, _ = wald_omnibus(toy.fit.coefficients @ rows.T, contrast_covariances(toy.fit, [rows])[0])
    family = statsmodels.api.families.NegativeBinomial(alpha=toy.fit.dispersions[0])
    offset = np.log(toy.fit.size_factors)
    model = statsmodels.api.GLM(toy.counts.iloc[:, 0].to_numpy(), toy.fit.design, family=family, offset=offset)
    expected = model.fit(tol=1e-12, maxiter=200).wald_test(rows, use_f=False, scalar=True)
    assert stat[0] == pytest.approx(float(expected.statistic), rel=1e-4)


def test_blocks_of_genes_do_not_matter(toy: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Genes are worked on in blocks for memory alone; contrasts together or one by one alike."""
    rows = [ROW, np.array([[-1.0, 1.0, 0.0], [-1.0, 0.0, 1.0]])]
    whole = contrast_covariances(toy.fit, rows)
    monkeypatch.setattr(wald, "GENES_PER_BLOCK", 7)
    for matrix, together, blocked in zip(rows, whole, contrast_covariances(toy.fit, rows), strict=True):
        assert together.shape == (250, len(matrix), len(matrix))
        np.testing.assert_allclose(blocked, together, rtol=1e-12)
        np.testing.assert_allclose(contrast_covariances(toy.fit, [matrix])[0], together, rtol=1e-12)


def test_no_genes_give_no_answers(toy: SimpleNamespace) -> None:
    """A fit without genes has arrays of length zero."""
    empty = replace(toy.fit, coefficients=np.empty((0, 3)), dispersions=np.empty(0))
    assert len(wald_of(empty, ROW).pvalue) == 0


def test_the_correction_is_that_of_benjamini_and_hochberg() -> None:
    """As in scipy and statsmodels, ties and ones among the p-values."""
    rng = np.random.default_rng(2)
    pvalues = np.concatenate([rng.uniform(size=300) ** 3, [0.0, 1.0, 0.02, 0.02, 1e-300]])
    np.testing.assert_allclose(adjust_pvalues(pvalues), false_discovery_control(pvalues), rtol=1e-12)
    np.testing.assert_allclose(adjust_pvalues(pvalues), multipletests(pvalues, method="fdr_bh")[1], rtol=1e-12)


def test_missing_pvalues_stay_missing_and_do_not_count() -> None:
    """The others are corrected as if those were not there."""
    pvalues = np.array([0.01, np.nan, 0.04, 0.03, np.nan])
    np.testing.assert_allclose(adjust_pvalues(pvalues), [0.03, np.nan, 0.04, 0.04, np.nan])


@pytest.mark.parametrize("pvalues", [[], [np.nan, np.nan], [0.3]])
def test_few_or_no_pvalues_are_corrected(pvalues: list[float]) -> None:
    """Nothing, all missing, a single one: themselves."""
    np.testing.assert_array_equal(adjust_pvalues(np.array(pvalues, dtype=float)), pvalues)


@pytest.mark.parametrize("pvalues", [[], [np.nan] * 5, [0.3], [0.001]])
def test_filtering_few_or_no_pvalues_leaves_them(pvalues: list[float]) -> None:
    """Nothing, all missing and a single gene go through."""
    means = np.arange(1.0, len(pvalues) + 1)
    found = filter_independently(np.array(pvalues, dtype=float), means, alpha=0.05)
    np.testing.assert_array_equal(found, pvalues)


def test_without_rejections_nothing_is_filtered() -> None:
    """The plain correction comes back."""
    rng = np.random.default_rng(4)
    pvalues, means = rng.uniform(0.2, 1, 400), rng.exponential(100, 400)
    np.testing.assert_array_equal(filter_independently(pvalues, means, alpha=0.05), adjust_pvalues(pvalues))


def test_filtering_leaves_low_genes_out_where_that_finds_more() -> None:
    """Low genes without signal go; those above one cut-off are corrected among themselves."""
    rng = np.random.default_rng(4)
    means = np.sort(rng.exponential(100, 3000))
    pvalues = np.where(np.arange(3000) >= 1800, rng.uniform(size=3000) ** 4, rng.uniform(size=3000))
    found = filter_independently(pvalues, means, alpha=0.05)
    kept = ~np.isnan(found)
    assert means[kept].min() > means[~kept].max()
    np.testing.assert_allclose(found[kept], false_discovery_control(pvalues[kept]), rtol=1e-12)
    assert (found[kept] < 0.05).sum() > (adjust_pvalues(pvalues) < 0.05).sum()


def test_a_gene_at_the_cut_off_stays() -> None:
    """With one mean for all genes no cut-off leaves any of them out."""
    pvalues = np.random.default_rng(3).uniform(size=400) ** 4
    found = filter_independently(pvalues, np.full(400, 7.0), alpha=0.05)
    np.testing.assert_array_equal(found, adjust_pvalues(pvalues))


def test_the_order_of_genes_does_not_matter() -> None:
    """Shuffled genes keep their adjusted p-values."""
    rng = np.random.default_rng(9)
    means, pvalues = rng.exponential(50, 1000), rng.uniform(size=1000) ** 3
    order = rng.permutation(1000)
    found = filter_independently(pvalues, means, alpha=0.1)
    np.testing.assert_array_equal(filter_independently(pvalues[order], means[order], alpha=0.1), found[order])


def test_genes_that_are_zero_throughout_set_the_lowest_cut_off() -> None:
    """With nearly all genes at zero the quantiles end at the highest mean, and nothing breaks."""
    means = np.concatenate([np.zeros(970), np.linspace(1, 500, 30)])
    pvalues = np.concatenate([np.full(970, np.nan), np.linspace(1e-8, 0.9, 30)])
    found = filter_independently(pvalues, means, alpha=0.1)
    assert np.isnan(found[:970]).all()
    assert not np.isnan(found[970:]).all()
