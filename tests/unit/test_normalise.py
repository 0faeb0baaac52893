"""Normalised expression: layers, the variance-stabilising transformation as an integral, components."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad

from exoliver.contrasts import Cell
from exoliver.design import build_design
from exoliver.model import Model
from exoliver.normalise import MAX_COMPONENTS, normalise_counts
from exoliver.variance import stabilise_variance
from tests.toy_model import make_counts, make_genes, make_model, make_samples

NO_TREND = np.array([np.nan, np.nan])


def make(genes: int = 80, replicates: int = 4) -> tuple[pd.DataFrame, pd.DataFrame, Model]:
    """Samples, counts and a made-up fit of two arms that differ in many genes."""
    samples = make_samples({Cell("chow", None): replicates, Cell("pnac", None): replicates})
    shifts = {Cell("pnac", None): dict.fromkeys(range(0, genes, 3), 3.0)}
    counts = make_counts(samples, genes=genes, seed=4, shifts=shifts)
    design = build_design(samples, ("chow", "pnac"), donor=False, covariates=(), numeric=())
    return samples, counts, make_model(samples, design.matrix, design.cells, genes=genes)


@pytest.mark.parametrize(("a0", "a1"), [(0.05, 3.0), (0.3, 0.1), (0.01, 20.0)])
def test_the_transformation_is_the_integral_of_the_inverse_deviation(a0: float, a1: float) -> None:
    """Differences of transformed values are those of a numerical integral, on the log2 scale."""
    points = np.array([0.0, 0.5, 3.0, 40.0, 1000.0, 2e5])
    found = stabilise_variance(points, trend=np.array([a0, a1]), mean_dispersion=float("nan"))

    def inverse_deviation(mean: float) -> float:
        return 1 / np.sqrt(mean + (a0 + a1 / mean) * mean**2)

    scale = np.sqrt(a0) / np.log(2)
    pieces = [quad(inverse_deviation, *pair, limit=200)[0] * scale for pair in pairwise(points)]
    np.testing.assert_allclose(np.diff(found), pieces, rtol=1e-6)


def test_without_a_trend_the_mean_dispersion_stands_in() -> None:
    """The integral with one dispersion for all genes."""
    points = np.array([0.0, 0.5, 30.0, 1e4])
    found = stabilise_variance(points, trend=NO_TREND, mean_dispersion=0.2)
    pairs = pairwise(points)
    scale = np.sqrt(0.2) / np.log(2)
    pieces = [quad(lambda mean: scale / np.sqrt(mean + 0.2 * mean**2), *pair, limit=200)[0] for pair in pairs]
    np.testing.assert_allclose(np.diff(found), pieces, rtol=1e-6)


@pytest.mark.parametrize(("trend", "mean"), [(np.array([0.05, 3.0]), float("nan")), (NO_TREND, 0.1)])
def test_large_counts_are_on_the_log2_scale(trend: np.ndarray, mean: float) -> None:
    """A doubling of many counts is one unit, and the values approach log2 of the counts."""
    found = stabilise_variance(np.array([1e8, 2e8]), trend=trend, mean_dispersion=mean)
    np.testing.assert_allclose(found, np.log2([1e8, 2e8]), atol=1e-4)


def test_no_trend_is_the_limit_of_a_flat_one() -> None:
    """Both closed forms agree where the trend is flat."""
    points = np.array([0.0, 1.0, 50.0, 1e5])
    flat = stabilise_variance(points, trend=np.array([0.1, 0.0]), mean_dispersion=float("nan"))
    np.testing.assert_allclose(stabilise_variance(points, trend=NO_TREND, mean_dispersion=0.1), flat, rtol=1e-10)


def test_the_layers_are_what_they_say() -> None:
    """Counts over size factors, their log2 with one added, and the transformation of them; inputs stay as they are."""
    samples, counts, model = make()
    genes = make_genes(list(counts.columns))
    before = (counts.copy(), samples.copy(), genes.copy())
    data = normalise_counts(counts, model, samples=samples, genes=genes)
    normalised = counts.to_numpy() / model.size_factors[:, None]
    np.testing.assert_allclose(data.X, normalised, rtol=1e-14)
    np.testing.assert_allclose(data.layers["normalised"], normalised, rtol=1e-14)
    np.testing.assert_allclose(data.layers["log"], np.log2(normalised + 1), rtol=1e-12)
    expected = stabilise_variance(normalised, trend=model.trend, mean_dispersion=float("nan"))
    np.testing.assert_allclose(data.layers["vst"], expected, rtol=1e-14)
    np.testing.assert_array_equal(data.obs["size_factor"], model.size_factors)
    for table, own in zip((counts, samples, genes), before, strict=True):
        pd.testing.assert_frame_equal(table, own)


def test_components_are_those_of_the_centred_expression() -> None:
    """Scores and shares of variance by a singular value decomposition of our own; the arms lie apart on the first."""
    samples, counts, model = make()
    data = normalise_counts(counts, model, samples=samples, genes=make_genes(list(counts.columns)))
    centred = data.layers["vst"] - data.layers["vst"].mean(axis=0)
    left, size, _ = np.linalg.svd(centred, full_matrices=False)
    scores = data.obsm["X_pca"]
    assert scores.shape == (8, 7)
    np.testing.assert_allclose(np.abs(scores), np.abs(left * size)[:, :7], atol=1e-4)
    np.testing.assert_allclose(data.uns["pca"]["variance_ratio"], (size**2 / (size**2).sum())[:7], rtol=1e-4)
    first = scores[:, 0]
    assert first[:4].max() < first[4:].min() or first[:4].min() > first[4:].max()


def test_components_do_not_depend_on_the_order_of_samples() -> None:
    """Shuffled samples keep their scores, signs among them."""
    samples, counts, model = make()
    genes = make_genes(list(counts.columns))
    order = np.random.default_rng(1).permutation(8)
    turned = make_model(
        samples.iloc[order],
        pd.DataFrame(model.design[order], columns=list(model.columns)),
        model.cells,
        genes=80,
        size_factors=model.size_factors[order],
    )
    one = normalise_counts(counts, model, samples=samples, genes=genes).obsm["X_pca"]
    other = normalise_counts(counts.iloc[order], turned, samples=samples.iloc[order], genes=genes).obsm["X_pca"]
    np.testing.assert_allclose(other, one[order], atol=1e-4)


def test_a_second_run_gives_the_same_components() -> None:
    """To the last digit."""
    samples, counts, model = make()
    genes = make_genes(list(counts.columns))
    one, two = (normalise_counts(counts, model, samples=samples, genes=genes).obsm["X_pca"] for _ in range(2))
    np.testing.assert_array_equal(one, two)


def test_genes_without_a_fit_take_no_part_in_the_components() -> None:
    """They are normalised all the same."""
    samples, counts, model = make()
    design = pd.DataFrame(model.design, columns=list(model.columns))
    keys = {"genes": 80, "size_factors": model.size_factors}
    some = make_model(samples, design, model.cells, takes_part=np.arange(80) < 40, **keys)
    wild = counts.copy()
    wild.iloc[:, 40:] *= 50
    genes = make_genes(list(counts.columns))
    one, two = (normalise_counts(table, some, samples=samples, genes=genes) for table in (counts, wild))
    np.testing.assert_array_equal(one.obsm["X_pca"], two.obsm["X_pca"])
    assert one.var["is_fitted"].tolist() == [True] * 40 + [False] * 40
    assert np.isfinite(two.layers["vst"]).all()


def test_few_samples_have_few_components() -> None:
    """One fewer than samples, and no more than the most asked for."""
    samples, counts, model = make(replicates=2)
    assert normalise_counts(counts, model, samples=samples, genes=make_genes(list(counts.columns))).obsm[
        "X_pca"
    ].shape == (4, 3)
    samples, counts, model = make(replicates=8)
    data = normalise_counts(counts, model, samples=samples, genes=make_genes(list(counts.columns)))
    assert data.obsm["X_pca"].shape == (16, MAX_COMPONENTS)
