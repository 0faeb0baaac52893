"""The fitted model in plain arrays: its two files, its genes, its notes."""

import json

import numpy as np
import pytest

from exoliver.contrasts import Cell, Contrast
from exoliver.design import build_design
from exoliver.model import ARRAYS, Model, model_from
from tests.toy_model import make_genes, make_model, make_samples

CELLS = {Cell("chow", None): 3, Cell("pnac", 1.0): 2, Cell("pnac", 7.0): 1}


def make(**values: object) -> Model:
    """A made-up fit of five genes with a cell of one sample."""
    samples = make_samples(CELLS)
    design = build_design(samples, ("chow", "pnac"), donor=False, covariates=(), numeric=())
    return make_model(samples, design.matrix, design.cells, genes=5, **values)


def between(*cells: Cell, note: str = "") -> Contrast:
    """The first cell against the others."""
    row = {cells[0]: 1.0} | {cell: -1.0 / (len(cells) - 1) for cell in cells[1:]}
    return Contrast("x", "injury", "extra", "pnac", "chow", (), (row,), note)


def test_a_model_survives_its_two_files() -> None:
    """Arrays and description give the same model back, through JSON."""
    model = make(mean_dispersion=0.3, trend=np.array([np.nan, np.nan]))
    description = json.loads(json.dumps(model.description(), allow_nan=False))
    again = model_from(model.arrays(), description)
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(again, name), getattr(model, name))
    assert (again.columns, again.cells, again.nested_donor) == (model.columns, model.cells, model.nested_donor)
    assert again.mean_dispersion == 0.3
    assert np.isnan(model_from(make().arrays(), make().description()).mean_dispersion)


def test_the_description_counts_genes_and_samples() -> None:
    """Replicates of each cell, residual degrees of freedom, genes fitted and filtered, and the trend that ran."""
    facts = make(takes_part=np.array([True, True, False, True, False])).description()
    assert facts["cells"] == [["chow", None], ["pnac", 1.0], ["pnac", 7.0]]
    assert (facts["replicates"], facts["residual_df"]) == ([3, 2, 1], 3)
    assert (facts["genes_fitted"], facts["genes_filtered"]) == (3, 2)
    assert facts["largest_group"] == 3
    assert facts["dispersion_trend"] == "parametric"
    assert make(trend=np.array([np.nan, np.nan])).description()["dispersion_trend"] == "mean"


def test_genes_are_described_with_what_was_tested() -> None:
    """A gene was tested where it took part and has a dispersion."""
    model = make(
        takes_part=np.array([True, False, True, True, True]), dispersions=np.array([0.1, np.nan, np.nan, 0.1, 0.2])
    )
    table = model.describe_genes(make_genes(list(model.genes[::-1])))
    assert table["gene_id"].tolist() == list(model.genes)
    assert table["symbol"].tolist() == [name.capitalize() for name in model.genes]
    assert table["tested"].tolist() == [True, False, False, True, True]


def test_values_are_spread_over_all_genes() -> None:
    """Untested genes are missing."""
    tested = np.array([True, False, True, False, False])
    np.testing.assert_array_equal(make().spread(np.array([1.0, 2.0]), tested), [1, np.nan, 2, np.nan, np.nan])


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ((Cell("pnac", 1.0), Cell("chow", None)), [True, False, False, False, False]),
        ((Cell("pnac", 1.0), Cell("pnac", 7.0)), [True, True, False, False, False]),
        ((Cell("pnac", 7.0), Cell("chow", None)), [True, False, True, False, False]),
    ],
)
def test_zero_everywhere_is_of_the_cells_that_a_contrast_speaks_of(
    cells: tuple[Cell, ...], expected: list[bool]
) -> None:
    """Other cells may have counts."""
    zero = np.array([[1, 1, 1], [0, 1, 1], [1, 0, 1], [0, 0, 1], [0, 0, 0]], dtype=bool)
    assert make(is_zero_in_cell=zero).is_zero_everywhere(between(*cells)).tolist() == expected


def test_a_contrast_with_a_single_sample_is_unreplicated() -> None:
    """Only where the lone cell has a weight."""
    model = make()
    assert model.is_unreplicated(between(Cell("pnac", 7.0), Cell("chow", None)))
    assert not model.is_unreplicated(between(Cell("pnac", 1.0), Cell("chow", None)))


def test_notes_give_every_reason_in_a_fixed_order() -> None:
    """Of the contrast first, then of the gene; joined by a semicolon, empty where all is well."""
    model = make(
        takes_part=np.array([True, False, True, True, True]),
        has_converged=np.array([True, True, True, False, True]),
        is_count_outlier=np.array([False, False, False, True, False]),
    )
    tested = np.array([True, False, False, True, True])
    pvalue, padj = np.array([0.01, np.nan, 0.2]), np.array([0.02, np.nan, np.nan])
    plain = between(Cell("pnac", 1.0), Cell("chow", None))
    assert model.notes(plain, tested, pvalue, padj) == [
        "",
        "filtered",
        "all_zero",
        "count_outlier;not_converged",
        "low_count",
    ]
    alone = between(Cell("pnac", 7.0), Cell("chow", None), note="times_left_out:1d")
    assert model.notes(alone, tested, pvalue, padj)[:2] == [
        "times_left_out:1d;unreplicated",
        "times_left_out:1d;unreplicated;filtered",
    ]
