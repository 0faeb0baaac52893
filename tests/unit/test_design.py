"""The design matrix: cell means, donors, covariates, and columns that say the same."""

import numpy as np
import pandas as pd
import pytest

from exoliver.contrasts import Cell
from exoliver.design import aliased_columns, build_design, contrast_rows
from exoliver.differential import estimate_contrasts, fit_model
from exoliver.study import GeneFilter
from tests.toy_model import make_arms, make_counts, make_genes, make_intake, make_samples

ARMS = ("chow", "pnac")


def plain(samples: pd.DataFrame, **keys: object) -> pd.DataFrame:
    """Matrix of a design without donor and covariates, unless they are among the keys."""
    options = {"donor": False, "covariates": (), "numeric": ()} | keys
    return build_design(samples, ARMS, **options).matrix


@pytest.fixture
def samples() -> pd.DataFrame:
    """Two arms at two times, the second arm in three samples at the later."""
    return make_samples({Cell("chow", 1.0): 2, Cell("chow", 7.0): 2, Cell("pnac", 1.0): 2, Cell("pnac", 7.0): 3})


def test_each_cell_is_a_column_of_ones_and_zeros(samples: pd.DataFrame) -> None:
    """Every sample is in one cell, and coefficients of a least-squares fit are the means of the cells."""
    matrix = plain(samples)
    assert list(matrix.columns) == ["chow@1", "chow@7", "pnac@1", "pnac@7"]
    assert (matrix.sum(axis=1) == 1).all()
    values = np.arange(len(samples)) ** 2.0
    fitted = np.linalg.lstsq(matrix.to_numpy(), values, rcond=None)[0]
    means = pd.Series(values, index=samples.index).groupby([samples["arm"], samples["time"]]).mean()
    assert fitted == pytest.approx(means.to_numpy())


def test_cells_are_ordered_by_arm_as_written_and_by_time() -> None:
    """Not by name or by the order of samples; a baseline comes before the times."""
    cells = {Cell("b", 10.0): 1, Cell("a", None): 1, Cell("b", 9.0): 1}
    design = build_design(make_samples(cells), ("b", "a"), donor=False, covariates=(), numeric=())
    assert design.cells == (Cell("b", 9.0), Cell("b", 10.0), Cell("a", None))
    assert list(design.matrix.columns) == ["b@9", "b@10", "a"]


def test_an_arm_without_samples_has_no_column() -> None:
    """Cells are those that have samples."""
    design = build_design(make_samples({Cell("pnac", None): 2}), ARMS, donor=False, covariates=(), numeric=())
    assert design.cells == (Cell("pnac", None),)


def test_replicates_and_residual_degrees_of_freedom_are_counted(samples: pd.DataFrame) -> None:
    """Samples in each cell; samples minus columns."""
    design = build_design(samples, ARMS, donor=False, covariates=(), numeric=())
    assert list(design.replicates.values()) == [2, 2, 2, 3]
    assert design.residual_df == 9 - 4


def test_a_categorical_covariate_leaves_its_first_level_out(samples: pd.DataFrame) -> None:
    """Levels in sorted order, as text, a dummy for each but the first."""
    batch = [10, 9, 9, 10, 10, 9, 10, 9, 11]
    matrix = plain(samples.assign(batch=batch), covariates=("batch",))
    assert list(matrix.columns[4:]) == ["batch=11", "batch=9"]
    assert matrix["batch=9"].tolist() == [float(level == 9) for level in batch]


def test_a_numeric_covariate_is_standardised(samples: pd.DataFrame) -> None:
    """Its mean is 0, so that cells stay means at the average covariate, and its standard deviation 1, in any unit."""
    rin = np.linspace(6, 9, 9)
    for unit in (1.0, 1e-3, 1e9, 1e-200):
        column = plain(samples.assign(rin=rin * unit), numeric=("rin",))["rin"]
        assert column.to_numpy() == pytest.approx((rin - rin.mean()) / rin.std(ddof=1))


def test_the_unit_of_a_numeric_covariate_changes_no_p_value() -> None:
    """A share and a thousandth of it give every gene the same test: coefficients are limited and have a ridge."""
    samples = make_samples({Cell("chow", None): 6, Cell("pnac", None): 6})
    fat = np.array([0.2, 0.21, 0.24, 0.22, 0.23, 0.2, 0.21, 0.25, 0.22, 0.2, 0.24, 0.23])
    counts = make_counts(samples, genes=120, seed=7)
    counts.iloc[:, :40] = (counts.iloc[:, :40].to_numpy() * np.exp(60 * (fat - fat.mean()))[:, None]).astype(int)

    def tested(covariate: np.ndarray) -> pd.DataFrame:
        model = fit_model(
            counts,
            samples.assign(fat=covariate),
            intake=make_intake(ARMS, numeric_covariates=["fat"]),
            gene_filter=GeneFilter(),
            threads=1,
        )
        options = {"genes": make_genes(list(model.genes)), "arms": make_arms({"chow": "healthy", "pnac": "injured"})}
        _, tables = estimate_contrasts(
            model, counts, **options, unit=None, extra={}, fdr=0.05, threshold=0.0, threads=1
        )
        return tables["pnac_vs_chow"][0]

    share, thousandth = tested(fat), tested(fat * 1e-3)
    assert share["pvalue"].notna().sum() > 100
    # Shrunken fold changes end a step apart at most, well below what any reader sees.
    steps = thousandth.pop("shrunk_log2_fold_change") - share.pop("shrunk_log2_fold_change")
    assert steps.abs().max() < 1e-4
    pd.testing.assert_frame_equal(thousandth, share, rtol=1e-6)


def test_a_crossed_donor_is_in_the_design(samples: pd.DataFrame) -> None:
    """Donors seen in both arms become dummies after the cells."""
    crossed = samples.assign(donor=["a", "b", "a", "b", "a", "b", "a", "b", "b"])
    design = build_design(crossed, ARMS, donor=True, covariates=(), numeric=())
    assert not design.nested_donor
    assert list(design.matrix.columns[4:]) == ["donor=b"]
    assert aliased_columns(design.matrix) == {}


def test_a_nested_donor_is_left_out_and_told(samples: pd.DataFrame) -> None:
    """Each donor is in one arm only, so the donor cannot be told from the arm."""
    nested = samples.assign(donor=["a", "b", "a", "b", "c", "d", "c", "d", "d"])
    design = build_design(nested, ARMS, donor=True, covariates=(), numeric=())
    assert design.nested_donor
    assert design.matrix.equals(plain(nested))


def test_donors_of_one_sample_each_are_left_out_and_not_nested(samples: pd.DataFrame) -> None:
    """Their samples are independent, which is what the model takes them for."""
    design = build_design(samples.assign(donor=list("abcdefghi")), ARMS, donor=True, covariates=(), numeric=())
    assert not design.nested_donor
    assert design.matrix.equals(plain(samples))


def test_a_donor_column_that_is_not_asked_for_is_not_used(samples: pd.DataFrame) -> None:
    """Only the dataset's word makes it a term."""
    crossed = samples.assign(donor=["a", "b", "a", "b", "a", "b", "a", "b", "b"])
    assert plain(crossed).equals(plain(samples))


def test_unpaired_donors_may_stand_beside_paired_ones(samples: pd.DataFrame) -> None:
    """One donor in both arms is enough for the column to stay; those in one arm are estimable beside it."""
    partly = samples.assign(donor=["a", "b", "a", "b", "a", "c", "a", "c", "c"])
    design = build_design(partly, ARMS, donor=True, covariates=(), numeric=())
    assert not design.nested_donor
    assert list(design.matrix.columns[4:]) == ["donor=b", "donor=c"]
    assert aliased_columns(design.matrix) == {}


def test_columns_that_say_the_same_are_named(samples: pd.DataFrame) -> None:
    """A batch that is an arm is told with the columns that make it up."""
    confounded = samples.assign(batch=["x"] * 4 + ["y"] * 5, sex=list("mfmfmfmfm"))
    matrix = plain(confounded, covariates=("sex", "batch"))
    assert aliased_columns(matrix) == {"batch=y": ["pnac@1", "pnac@7"]}


def test_a_constant_numeric_covariate_is_aliased(samples: pd.DataFrame) -> None:
    """Centred it is zero, and made up of nothing; rounding is no change."""
    assert aliased_columns(plain(samples.assign(rin=8.1), numeric=("rin",))) == {"rin": []}
    assert aliased_columns(plain(samples.assign(rin=0.0), numeric=("rin",))) == {"rin": []}
    rounded = [0.1 + 0.2, *[0.3] * 8]
    assert aliased_columns(plain(samples.assign(rin=rounded), numeric=("rin",))) == {"rin": []}


def test_the_order_of_samples_does_not_matter(samples: pd.DataFrame) -> None:
    """Shuffled rows give the same matrix, row for row."""
    full = samples.assign(batch=list("xyxyxyxyy"), rin=np.linspace(6, 9, 9) ** 2)
    shuffled = full.sample(frac=1, random_state=4)
    keys = {"covariates": ("batch",), "numeric": ("rin",)}
    pd.testing.assert_frame_equal(plain(shuffled, **keys).loc[full.index], plain(full, **keys), rtol=1e-14)


def test_weights_become_rows_over_the_columns(samples: pd.DataFrame) -> None:
    """Each weight stands at its cell; donor and covariates have none."""
    matrix = plain(samples.assign(batch=list("xyxyxyxyy")), covariates=("batch",))
    rows = contrast_rows(
        [{Cell("pnac", 7.0): 1.0, Cell("chow", 7.0): -1.0}, {Cell("pnac", 1.0): 0.5}], list(matrix.columns)
    )
    assert rows.tolist() == [[0, -1, 0, 1, 0], [0, 0, 0.5, 0, 0]]


def test_no_rows_give_an_empty_matrix() -> None:
    """A contrast that cannot be estimated has none."""
    assert contrast_rows([], ["a", "b"]).shape == (0, 2)
