"""The mixture of cell types as covariates: recomputed with statsmodels, and what it says of planted effects."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
import statsmodels.api

from exoliver.design import contrast_rows
from exoliver.genesets import find_collection
from exoliver.linear import estimate_linear, fit_linear
from exoliver.mixture import (
    DF_PER_COVARIATE,
    EXPLAINED,
    MARKERS,
    MIN_MARKERS,
    MIXED_SYSTEMS,
    Adjusted,
    adjust_for_mixture,
    mixture_covariates,
    mixture_notes,
)
from exoliver.programmes import Programmes, find_programmes
from exoliver.study.dataset import SystemFacts
from tests.toy_model import RESCUE
from tests.toy_programmes import COMPANIONS, DAYS, PANELS, SIZE, Dataset, Member, genes, make_dataset, make_mapped
from tests.toy_programmes import PROGRAMMES as SETS

# `shared` holds five genes of the first marker set and none of the others.
OWN: dict[str, list[Member]] = {"free": genes(0, 12), "shared": [*genes(60, 65), *genes(20, 30)]}
CELLS = {name: SETS[name] for name in MARKERS}


@pytest.fixture(scope="module")
def made() -> Dataset:
    """Three arms at two times, with a batch: 24 samples on 7 columns."""
    return make_dataset(dict.fromkeys(RESCUE, DAYS), batches=2)


def find(made: Dataset, sets: dict[str, list[Member]]) -> Programmes:
    """Sets as they are scored."""
    return find_programmes(make_mapped(sets), made.model, panels=PANELS, size=SIZE)


def adjust(
    made: Dataset,
    own: dict[str, list[Member]] = OWN,
    *,
    markers: dict[str, list[Member]] = CELLS,
    donors: np.ndarray | None = None,
    level: float = 0.95,
) -> Adjusted:
    """Adjusted effects of the treatment at day 7 and of the injury on average."""
    return adjust_for_mixture(
        find(made, own),
        find(made, markers),
        expression=made.expression.vst,
        design=made.model.design,
        donors=donors,
        rows=rows_of(made),
        level=level,
    )


def rows_of(made: Dataset) -> np.ndarray:
    """Rows of two contrasts."""
    names = ("agonist_vs_pnac__7d", "pnac_vs_chow") if "agonist_vs_pnac__7d" in made.contrast else ("pnac_vs_chow",)
    return np.vstack([contrast_rows(made.contrast[name].rows, made.model.columns) for name in names])


def components_by_hand(made: Dataset, left_out: set[str], room: int) -> np.ndarray:
    """Leading principal components of the marker means, through the eigenvectors of their products."""
    scores = np.column_stack(
        [made.expression.vst[[one for one in CELLS[name] if one not in left_out]].mean(axis=1) for name in MARKERS]
    )
    centred = scores - scores.mean(axis=0)
    values, vectors = np.linalg.eigh(centred @ centred.T)
    values, vectors = values[::-1], vectors[:, ::-1]
    count = next(k for k in range(1, 9) if values[:k].sum() / values.sum() >= EXPLAINED)
    return vectors[:, : min(count, room)]


@pytest.mark.parametrize(("name", "left_out"), [("free", set()), ("shared", set(genes(60, 65)))])
def test_adjusted_effects_are_those_of_a_design_with_the_mixture(made: Dataset, name: str, left_out: set[str]) -> None:
    """Estimate and interval of statsmodels; genes that a programme shares with a cell type are not in that type."""
    found, place = adjust(made, level=0.9), list(OWN).index(name)
    programmes = find(made, OWN)
    components = components_by_hand(made, left_out, (24 - 7) // DF_PER_COVARIATE)
    assert components.shape[1] > 1
    wide = np.hstack([made.model.design, components])
    score = made.expression.vst[list(OWN[name])].mean(axis=1).to_numpy() / programmes.attenuation[place]
    fit = statsmodels.api.OLS(score, wide).fit()
    for contrast, row in enumerate(rows_of(made)):
        expected = fit.t_test(np.append(row, np.zeros(components.shape[1])))
        low, high = expected.conf_int(alpha=0.1)[0]
        assert found.estimate[place, contrast] == pytest.approx(expected.effect.item(), rel=1e-8)
        assert found.low[place, contrast] == pytest.approx(low, rel=1e-8)
        assert found.high[place, contrast] == pytest.approx(high, rel=1e-8)


def test_a_shared_gene_would_have_made_a_difference(made: Dataset) -> None:
    """Leaving it out is not for nothing: another set of the same score would have another answer."""
    whole = components_by_hand(made, set(), 3)
    rest = components_by_hand(made, set(genes(60, 65)), 3)
    assert np.abs(np.abs(whole[:, 0] @ rest[:, 0]) - 1) > 1e-4


def test_cell_types_are_not_adjusted_for_themselves(made: Dataset) -> None:
    """The shipped ones and every set that is named after cells; zonation as a whole is adjusted."""
    own = OWN | {"cells_mast": genes(40, 52), "zonation": genes(64, 80), "zonation_pericentral": genes(30, 42)}
    found = adjust(made, own)
    for array in (found.estimate, found.low, found.high):
        assert array.shape == (5, 2)
        np.testing.assert_array_equal(
            np.isnan(array), [[name in ("cells_mast", "zonation_pericentral")] * 2 for name in sorted(own)]
        )


@pytest.mark.parametrize("number", [0, MIN_MARKERS - 1, MIN_MARKERS])
def test_few_cell_types_are_no_mixture(made: Dataset, number: int) -> None:
    """Fewer than four that are measured adjust nothing; further sets beside them do not count."""
    markers = {name: CELLS[name] for name in MARKERS[:number]} | {"cells_mast": genes(40, 52)} | dict(COMPANIONS)
    markers |= {name: ["lost1", "lost2"] for name in MARKERS[number:]}
    found = adjust(made, markers=markers)
    assert np.isnan(found.estimate).all() == (number < MIN_MARKERS)
    assert np.isnan(found.low).all() == (number < MIN_MARKERS)


def test_other_sets_of_the_collection_are_no_cell_types(made: Dataset) -> None:
    """The covariates are of the eight marker sets alone."""
    for one, other in zip(vars(adjust(made)).values(), vars(adjust(made, markers=SETS)).values(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10)


@pytest.mark.parametrize(("replicates", "is_known"), [(2, False), (3, True)])
def test_few_samples_bear_no_covariate(replicates: int, is_known: bool) -> None:
    """Five residual degrees of freedom are needed: three for a variance beside one covariate and more."""
    made = make_dataset(dict.fromkeys(RESCUE, (None,)), replicates=replicates)
    assert len(made.samples) - 3 == (6 if is_known else 3)
    found = adjust(made)
    assert np.isfinite(found.estimate).all() == is_known
    assert np.isnan(found.high).all() != is_known


@pytest.mark.parametrize(("samples", "count"), [(6, 1), (9, 1), (10, 2), (13, 2), (14, 3), (200, 5)])
def test_covariates_are_as_many_as_hold_most_and_as_the_design_bears(samples: int, count: int | None) -> None:
    """One for every four residual degrees of freedom; of five equal directions none can be left out."""
    rng = np.random.default_rng(3)
    design = np.kron(np.eye(2), np.ones((samples, 1)))[: 2 * samples : 2][:samples]
    basis, _ = np.linalg.qr(np.column_stack([np.ones(samples), rng.normal(size=(samples, 5))]))
    scores = basis[:, 1:] * np.array([1.001, 1.001, 1.001, 1.001, 1.0]) + 7
    found = mixture_covariates(scores, design)
    assert (None if found is None else found.shape[1]) == count
    if found is not None:
        assert found.shape[0] == samples
        np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-12)
        np.testing.assert_allclose(found.T @ found, np.eye(found.shape[1]), atol=1e-12)


def test_one_direction_that_holds_most_is_enough() -> None:
    """Four fifths of the variance in it, and it is found whatever its sign."""
    rng = np.random.default_rng(3)
    design = np.kron(np.eye(2), np.ones((20, 1)))
    direction = rng.normal(size=40)
    scores = np.outer(direction, [1.0, -2.0, 0.5, 3.0]) + 0.1 * rng.normal(size=(40, 4))
    found = mixture_covariates(scores, design)
    assert found is not None
    assert found.shape == (40, 1)
    assert abs(np.corrcoef(found[:, 0], direction)[0, 1]) > 0.99


def test_markers_that_do_not_vary_are_no_covariate() -> None:
    """Nor are those that the arms tell already."""
    design = np.kron(np.eye(2), np.ones((10, 1)))
    assert mixture_covariates(np.full((20, 5), 3.0), design) is None
    assert mixture_covariates(np.outer(design[:, 0], [1.0, 2.0, 3.0, -1.0]), design) is None


def test_covariates_do_not_depend_on_a_shift_of_a_cell_type() -> None:
    """The level of markers says nothing, their spread does; all in another unit are the same covariates."""
    rng = np.random.default_rng(9)
    design, scores = np.kron(np.eye(2), np.ones((10, 1))), rng.normal(size=(20, 6))
    plain = mixture_covariates(scores, design)
    moved = mixture_covariates(5 * (scores + np.arange(6)), design)
    assert plain is not None
    assert moved is not None
    np.testing.assert_allclose(np.abs(plain.T @ moved), np.eye(plain.shape[1]), atol=1e-10)


def test_a_cell_type_whose_genes_are_all_shared_is_left_out(made: Dataset) -> None:
    """Its score would be of no gene; the seven others adjust."""
    greedy = [*CELLS["cells_stellate"], *genes(0, 5)]
    found = adjust(made, {"greedy": greedy})
    rest = [[one for one in CELLS[name] if one not in greedy] for name in MARKERS if name != "cells_stellate"]
    assert min(map(len, rest)) > 0
    scores = np.column_stack([made.expression.vst[members].mean(axis=1) for members in rest])
    covariates = mixture_covariates(scores, made.model.design)
    assert covariates is not None
    wide = np.hstack([made.model.design, covariates])
    score = made.expression.vst[greedy].mean(axis=1) / find(made, {"greedy": greedy}).attenuation[0]
    expected = rows_of(made) @ statsmodels.api.OLS(score, wide).fit().params[:7]
    np.testing.assert_allclose(found.estimate[0], expected, rtol=1e-8)


def test_effects_of_the_mixture_are_taken_out_and_others_stay(made: Dataset) -> None:
    """A programme that goes with the cells loses its effect; one that does not keeps it, with hardly more doubt."""
    rng = np.random.default_rng(1)
    amount = rng.uniform(0, 2, 24) + 1.5 * (made.samples["arm"] == "agonist").to_numpy()
    vst = made.expression.vst.copy()
    vst.loc[:, :] = 8 + 0.05 * rng.normal(size=vst.shape)
    vst[list(CELLS["cells_kupffer"])] += amount[:, None]
    mixed, real = vst.copy(), vst.copy()
    mixed[list(OWN["free"])] += amount[:, None]
    real[list(OWN["free"])] += 1.5 * (made.samples["arm"] == "agonist").to_numpy()[:, None]
    attenuation = find(made, OWN).attenuation[0]
    driven, kept = adjust(made.with_values(mixed)), adjust(made.with_values(real))
    assert (driven.components[0], kept.components[0]) == (1, 1)
    assert driven.share[0] > 0.95
    assert driven.low[0, 0] < 0 < driven.high[0, 0]
    assert abs(driven.estimate[0, 0]) < 0.1
    assert kept.low[0, 0] < 1.5 / attenuation < kept.high[0, 0]
    assert kept.low[0, 0] > 0.5


def test_correlated_samples_are_adjusted_with_their_donors() -> None:
    """The random intercept of the effects is there beside the covariates."""
    made = make_dataset(dict.fromkeys(RESCUE, DAYS), donors=4)
    donors = made.samples["donor"].to_numpy()
    found = adjust(made, donors=donors)
    wide = np.hstack([made.model.design, components_by_hand(made, set(), (24 - 6) // DF_PER_COVARIATE)])
    rows = np.hstack([rows_of(made), np.zeros((2, wide.shape[1] - 6))])
    scores = made.expression.vst[list(OWN["free"])].mean(axis=1).to_numpy()[:, None]
    expected = estimate_linear(fit_linear(scores, wide, donors=donors), rows)
    low, high = expected.interval(0.95)
    attenuation = find(made, OWN).attenuation[0]
    np.testing.assert_allclose(found.estimate[0], expected.estimate[0] / attenuation, rtol=1e-6)
    np.testing.assert_allclose(found.low[0], low[0] / attenuation, rtol=1e-5)
    np.testing.assert_allclose(found.high[0], high[0] / attenuation, rtol=1e-5)
    plain = adjust(made)
    assert not np.allclose(found.high - found.low, plain.high - plain.low, rtol=1e-3)


def test_no_programme_and_no_contrast_are_empty_arrays(made: Dataset) -> None:
    """Of the shapes that are asked for."""
    assert adjust(made, {}).estimate.shape == (0, 2)
    none = adjust_for_mixture(
        find(made, OWN),
        find(made, CELLS),
        expression=made.expression.vst,
        design=made.model.design,
        donors=None,
        rows=np.zeros((0, 7)),
        level=0.95,
    )
    assert none.low.shape == (2, 0)


@pytest.mark.parametrize(
    ("estimate", "is_evident", "low", "high", "word"),
    [
        (2.0, True, -0.5, 0.7, "explained_by_mixture"),
        (-2.0, True, -0.5, 0.7, "explained_by_mixture"),
        (2.0, True, -0.5, 2.5, "mixture_undecided"),
        (-2.0, True, -3.0, 0.1, "mixture_undecided"),
        (2.0, True, 0.4, 2.5, ""),
        (2.0, True, 0.4, 0.9, ""),
        (2.0, True, -3.0, -1.0, "mixture_reverses"),
        (-2.0, True, 1.0, 3.0, "mixture_reverses"),
        (2.0, False, -3.0, -1.0, ""),
        (2.0, False, -0.5, 0.7, ""),
        (2.0, True, np.nan, np.nan, ""),
        (np.nan, False, np.nan, np.nan, ""),
        (2.0, True, 0.0, 2.0, "mixture_undecided"),
    ],
)
def test_notes_go_by_what_the_adjusted_interval_holds(
    estimate: float, is_evident: bool, low: float, high: float, word: str
) -> None:
    """Zero and not the effect, both, the other side, or not zero; nothing without evidence or an interval."""
    numbers = [np.array([[value]]) for value in ((low + high) / 2, low, high)]
    adjusted = Adjusted(*numbers, components=np.ones(1), share=np.ones(1))
    found = mixture_notes(np.array([[estimate]]), np.array([[is_evident]]), adjusted=adjusted)
    assert found.tolist() == [[word]]


def test_mixed_systems_are_kinds_of_samples() -> None:
    """Words of the study, all but those of one cell type."""
    kinds = set(get_args(SystemFacts.model_fields["kind"].annotation))
    assert kinds - set(MIXED_SYSTEMS) == {"primary_cells", "cell_line"}
    assert set(MIXED_SYSTEMS) <= kinds


@pytest.mark.parametrize("organism", ["human", "mouse", "rat"])
def test_the_markers_are_shipped_programmes(organism: str) -> None:
    """Every set that the mixture is read from is in the curated collection."""
    assert set(MARKERS) <= {facts.gene_set for facts in find_collection("programmes", organism).gene_sets}
