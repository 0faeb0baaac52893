"""Genes, contrasts and calls at the edge of what the fit can do."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from exoliver.inference.batched import BatchedInference
from exoliver.inference.dataset import BatchedDataSet
from exoliver.inference.shrinkage import shrink_contrast
from exoliver.inference.wald import Fit


def fit_of(counts: np.ndarray, design: np.ndarray, dispersions: np.ndarray, size_factors: np.ndarray) -> Fit:
    """Coefficients at given dispersions."""
    beta, _, _, has_converged = BatchedInference().irls(counts, size_factors, design, dispersions, 0.5, 1e-8)
    assert has_converged.all()
    return Fit(beta, dispersions, design, size_factors)


@pytest.mark.parametrize("count", [3000, 9528, 20_000, 95_212, 391_073, 1_000_000])
@pytest.mark.parametrize("others", [[0, 0, 0], [0, 0, 0, 0, 0], [2, 1, 3, 5, 1]])
def test_a_cell_of_one_large_count_has_a_maximum(count: int, others: list[int]) -> None:
    """The mean of its counts: a cell's coefficient is finite whenever it has a count (DLPC: ENSMUSG00000023987.15)."""
    cell = np.array([*others, count])
    counts = np.concatenate([cell, [10, 20, 14, 17]])[:, None]
    design = np.repeat(np.eye(2), [len(cell), 4], axis=0)
    for dispersion in (0.05, 10.0):
        fit = fit_of(counts, design, np.array([dispersion]), np.ones(len(counts)))
        assert fit.coefficients[0, 0] == pytest.approx(np.log(cell.mean()), abs=1e-3)


def test_a_contrast_of_negative_weights_is_the_mirror_of_its_opposite() -> None:
    """Difference from a base that the intercept stands for: no weight is positive, the answer only changes sign."""
    rng = np.random.default_rng(1)
    design = np.column_stack([np.ones(10), np.repeat([0.0, 1.0], 5)])
    counts = rng.negative_binomial(2, 2 / (2 + rng.uniform(2, 500, (1, 300))), (10, 300))
    fit = fit_of(counts, design, np.full(300, 0.5), np.ones(10))
    row = np.array([0.0, 1.0])
    plain, mirrored = (shrink_contrast(fit, counts, row=r, scale=0.05, threads=1)[0] for r in (row, -row))
    np.testing.assert_allclose(mirrored, -plain, atol=1e-6)


def test_the_mode_near_zero_is_found_from_zero() -> None:
    """Three genes of DLPC, injured against healthy, whose posterior is highest near zero."""
    healthy = [[8, 0, 0, 1, 1, 4, 7], [9, 15, 18, 29, 40, 15, 27], [23, 9, 0, 1, 23, 12, 54]]
    injured = [[1, 11, 158, 7, 514, 15, 0], [603, 41, 24, 70, 32, 29, 10], [17, 62, 289, 289, 64, 52, 18]]
    size_factors = np.array(
        [0.931, 1.015, 0.9362, 0.9149, 1.4448, 1.0565, 0.969, 1.5927, 1.0509, 0.8056, 0.9707, 1.0813, 0.9822, 0.9516]
    )
    counts = np.hstack([healthy, injured]).T
    fit = fit_of(counts, np.repeat(np.eye(2), 7, axis=0), np.array([2.595433, 0.648545, 1.081806]), size_factors)
    shrunken, modes = shrink_contrast(fit, counts, row=np.array([-1.0, 1.0]), scale=0.09939194, threads=1)
    np.testing.assert_allclose(shrunken, [0.0127, 0.0347, 0.0254], atol=0.005)
    assert (modes == 2).all()


def test_a_null_value_is_no_threshold() -> None:
    """PyDESeq2's interface: without `alt_hypothesis` the estimate is compared with `lfc_null` itself."""
    from pydeseq2.default_inference import DefaultInference

    design = np.column_stack([np.ones(8), np.repeat([0.0, 1.0], 4)])
    setting = {
        "design_matrix": design, "disp": np.full(3, 0.2), "lfc": np.array([[4.0, 0.1], [5.0, -0.9], [3.0, 2.0]]),
        "mu": np.full((8, 3), 50.0), "ridge_factor": np.zeros((2, 2)), "contrast": np.array([0.0, 1.0]),
        "lfc_null": 0.5,
    }  # fmt: skip
    for mine, other in zip(
        BatchedInference().wald_test(**setting), DefaultInference(n_cpus=1).wald_test(**setting), strict=True
    ):
        np.testing.assert_allclose(mine, other)


def test_a_prior_without_a_variance_is_refused() -> None:
    """Not silently left out."""
    with pytest.raises((ValueError, AssertionError)):
        BatchedInference().alpha_mle(
            np.full((4, 2), 5), np.ones((4, 1)), np.full((4, 2), 5.0), np.full(2, 0.1), 1e-8, 10.0, prior_reg=True
        )


def test_counts_without_any_dispersion_are_refused_or_said() -> None:
    """All dispersions at the minimum: no NaN may reach the search, whose answer would be the minimum for every gene."""
    rng = np.random.default_rng(2)
    names = [f"s{i}" for i in range(8)]
    counts = pd.DataFrame(np.tile(rng.integers(50, 500, 60), (8, 1)), index=names)
    data = BatchedDataSet(
        counts=counts, metadata=pd.DataFrame({"x": 0}, index=names),
        design=pd.DataFrame(np.repeat(np.eye(2), 4, axis=0), index=names), inference=BatchedInference(), quiet=True,
    )  # fmt: skip
    with pytest.raises(ValueError, match="copies of one library"):
        data.deseq2()
