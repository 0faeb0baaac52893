"""Rescue of genes: effects and covariances against the tables of the contrasts, which are listed, rows with notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import false_discovery_control, norm

from exoliver.differential import estimate_contrasts
from exoliver.fieller import WEAK
from exoliver.rescue import rescue_pairs
from exoliver.rescue_genes import INJURY_FDR, rescue_genes
from exoliver.tables import RESCUE_GENES
from tests.toy_model import RESCUE, expected_counts, make_arms, make_genes
from tests.toy_programmes import DAYS, Dataset, fieller_ends, gene, make_dataset, read_back

NONE: tuple[float | None, ...] = (None,)
NUMBER = 60
INJURED, UNDONE = 20, (1.0, 0.5, 0.0, -0.5, 1.5)  # genes that the injury moves; shares that treatment takes back
NUMBERS = [
    name for name in RESCUE_GENES if name not in ("gene_id", "symbol", "arm", "time", "class", "pattern", "note")
]


def make(
    times: Mapping[str, Sequence[float | None]], *, roles: Mapping[str, str] = RESCUE, batches: int = 2
) -> Dataset:
    """A made-up fit: twenty genes rise or fall with the injury, the last of the others with the treatment alone."""
    made = make_dataset(times, roles=roles, number=NUMBER, batches=batches)
    rng = np.random.default_rng(2)
    model, cells = made.model, made.model.cells
    coefficients = np.tile(rng.uniform(4, 8, NUMBER)[:, None], (1, len(model.columns)))
    coefficients += 0.05 * rng.normal(size=coefficients.shape)
    coefficients[:, len(cells) :] = 0.2 * rng.normal(size=(NUMBER, len(model.columns) - len(cells)))
    size = np.linspace(0.6, 3, INJURED) * np.where(np.arange(INJURED) % 2 == 0, 1, -1)
    for column, cell in enumerate(cells):
        if cell.arm in ("pnac", "bdl"):
            coefficients[:INJURED, column] += size
        if roles[cell.arm] in ("treated", "control_product"):
            coefficients[:INJURED, column] += size * (1 - np.resize(UNDONE, INJURED))
            coefficients[-5:, column] += 2
    return replace(made, model=replace(model, coefficients=coefficients))


def tables_of(made: Dataset, roles: Mapping[str, str] = RESCUE) -> dict[str, pd.DataFrame]:
    """Tables of the contrasts as the workflow has them, by id and gene."""
    unit = "day" if made.samples["time"].notna().any() else None
    _, tables = estimate_contrasts(
        made.model,
        expected_counts(made.model),
        genes=make_genes(list(made.model.genes)),
        arms=make_arms(roles),
        unit=unit,
        extra={},
        fdr=0.05,
        threshold=0.0,
        threads=1,
    )
    return {name: table.set_index("gene_id") for name, (table, _) in tables.items()}


def rescue(made: Dataset, fdr: float = 0.05) -> pd.DataFrame:
    """The table."""
    symbols = make_genes(list(made.model.genes))["symbol"]
    return rescue_genes(made.model, rescue_pairs(made.contrasts), symbols=symbols, fdr=fdr)


def at(table: pd.DataFrame, time: float | None, arm: str = "agonist") -> pd.DataFrame:
    """Rows of an arm at one time, or of its average, by gene."""
    is_time = table["time"].isna() if time is None else table["time"] == time
    return table[(table["arm"] == arm) & is_time].set_index("gene_id")


@pytest.fixture(scope="module")
def made() -> Dataset:
    """Three arms at two times, with a batch."""
    return make(dict.fromkeys(RESCUE, DAYS))


@pytest.fixture(scope="module")
def tables(made: Dataset) -> dict[str, pd.DataFrame]:
    """The tables of its contrasts."""
    return tables_of(made)


@pytest.fixture(scope="module")
def found(made: Dataset) -> pd.DataFrame:
    """Its rescue, gene by gene."""
    return rescue(made)


@pytest.mark.parametrize(("time", "part"), [(None, ""), (1.0, "__1d"), (7.0, "__7d")])
def test_effects_are_those_of_the_contrasts(
    found: pd.DataFrame, tables: dict[str, pd.DataFrame], time: float | None, part: str
) -> None:
    """Estimates and errors in log2, of injury and of treatment."""
    rows = at(found, time)
    assert len(rows) > 10
    for name, contrast in (("injury", "pnac_vs_chow"), ("treatment", "agonist_vs_pnac")):
        own = tables[f"{contrast}{part}"].loc[rows.index]
        np.testing.assert_allclose(rows[f"{name}_effect"].astype(float), own["log2_fold_change"], rtol=1e-8)
        np.testing.assert_allclose(rows[f"{name}_se"].astype(float), own["lfc_se"], rtol=1e-8)
    assert rows["df"].isna().all()


@pytest.mark.parametrize(("time", "part"), [(None, ""), (1.0, "__1d"), (7.0, "__7d")])
def test_the_covariance_is_what_the_distance_from_health_tells(
    found: pd.DataFrame, tables: dict[str, pd.DataFrame], time: float | None, part: str
) -> None:
    """Treated minus healthy is the sum of both effects: its variance is theirs and twice the covariance."""
    rows = at(found, time)
    distance, injury, treatment = (
        tables[f"{name}{part}"].loc[rows.index, "lfc_se"] ** 2
        for name in ("agonist_vs_chow", "pnac_vs_chow", "agonist_vs_pnac")
    )
    expected = (distance - injury - treatment) / 2
    assert (expected < 0).all()
    np.testing.assert_allclose(rows["covariance"].astype(float), expected, rtol=1e-6)


def test_fractions_are_those_of_fieller_by_hand(found: pd.DataFrame) -> None:
    """By root finding, with the quantile of the normal distribution; the point is one minus the distance left."""
    for _, row in found.iterrows():
        covariance = np.array(
            [[row["treatment_se"] ** 2, -row["covariance"]], [-row["covariance"], row["injury_se"] ** 2]]
        )
        low, high = fieller_ends(-row["treatment_effect"], row["injury_effect"], covariance=covariance, df=1e9)
        assert (row["ci_low"], row["ci_high"]) == (pytest.approx(low, rel=1e-6), pytest.approx(high, rel=1e-6))
        left = (row["injury_effect"] + row["treatment_effect"]) / row["injury_effect"]
        assert row["fraction_restored"] == pytest.approx(1 - left, rel=1e-9)


def test_planted_shares_are_found(found: pd.DataFrame) -> None:
    """Noise in the made-up coefficients is small beside the stronger injuries; classes and patterns go with them."""
    rows = at(found, None)
    shares = dict(zip(map(gene, range(INJURED)), np.resize(UNDONE, INJURED), strict=True))
    strong = [gene(place) for place in range(10, INJURED)]
    assert set(strong) <= set(rows.index)
    for name in strong:
        assert rows.loc[name, "fraction_restored"] == pytest.approx(shares[name], abs=0.15)
    words = {1.0: "restored", 0.5: "partly_restored", 0.0: "unchanged", -0.5: "away_from_healthy", 1.5: "overshoot"}
    assert [rows.loc[name, "class"] for name in strong] == [words[shares[name]] for name in strong]
    patterns = {1.0: "reversal", 0.5: "partial", 0.0: "none", -0.5: "amplified_response", 1.5: "reversal"}
    assert [rows.loc[name, "pattern"] for name in strong] == [patterns[shares[name]] for name in strong]


def test_genes_with_a_clear_injury_are_listed(found: pd.DataFrame, tables: dict[str, pd.DataFrame]) -> None:
    """Corrected over all tested genes, and four standard errors or more; a response without injury is not."""
    near = 0
    for time, part in ((None, ""), (1.0, "__1d"), (7.0, "__7d")):
        table = tables[f"pnac_vs_chow{part}"]
        stat = table["log2_fold_change"] / table["lfc_se"]
        padj = pd.Series(false_discovery_control(2 * norm.sf(stat.abs())), index=table.index)
        listed = table.index[(padj < INJURY_FDR) & (stat.abs() >= WEAK)]
        assert at(found, time).index.tolist() == sorted(listed)
        assert not set(listed) & {gene(place) for place in range(NUMBER - 5, NUMBER)}
        near += int(((padj < INJURY_FDR) & (stat.abs() < WEAK)).sum())
    assert near > 0, "no gene tells the two conditions apart"
    assert (found["class"] != "injury_weak").all()


def test_evidence_of_treatment_is_corrected_over_all_tested_genes(
    found: pd.DataFrame, tables: dict[str, pd.DataFrame]
) -> None:
    """Not over those that are listed; the pattern is by this."""
    rows, table = at(found, 7.0), tables["agonist_vs_pnac__7d"]
    padj = pd.Series(
        false_discovery_control(2 * norm.sf(np.abs(table["log2_fold_change"] / table["lfc_se"]))), table.index
    )
    assert ((rows["pattern"] != "none") == (padj[rows.index] < 0.05)).all()
    assert 0 < (rows["pattern"] == "none").sum() < len(rows)


def test_a_stricter_level_has_fewer_patterns(made: Dataset, found: pd.DataFrame) -> None:
    """The genes and their numbers are the same ones."""
    strict = rescue(made, fdr=0.0)
    assert set(strict["pattern"]) == {"none"}
    pd.testing.assert_frame_equal(strict.drop(columns="pattern"), found.drop(columns="pattern"))


def test_pairs_come_in_their_order_and_genes_by_id(made: Dataset, found: pd.DataFrame) -> None:
    """With their symbols, and no note."""
    assert tuple(found.columns) == RESCUE_GENES
    blocks = found[["arm", "time"]].drop_duplicates()
    expected = [(pair.arm, pair.time) for pair in rescue_pairs(made.contrasts)]
    np.testing.assert_array_equal(blocks["time"].astype(float), [time for _, time in expected])
    assert blocks["arm"].tolist() == [arm for arm, _ in expected]
    for _, rows in found.groupby(["arm", "time"], dropna=False):
        assert rows["gene_id"].tolist() == sorted(rows["gene_id"])
    assert found["symbol"].tolist() == [name.capitalize() for name in found["gene_id"]]
    assert set(found["note"]) == {""}


def test_a_gene_without_a_symbol_is_listed_without_one(made: Dataset, found: pd.DataFrame) -> None:
    """Whether its symbol is missing or the gene is not in the table of symbols."""
    listed = found["gene_id"].unique()
    symbols = make_genes(list(made.model.genes))["symbol"].drop(listed[0])
    symbols[listed[1]] = None
    again = rescue_genes(made.model, rescue_pairs(made.contrasts), symbols=symbols, fdr=0.05)
    is_bare = again["gene_id"].isin(listed[:2])
    assert again.loc[is_bare, "symbol"].isna().all()
    pd.testing.assert_frame_equal(again.loc[~is_bare], found.loc[~is_bare])


def test_genes_that_are_not_tested_are_not_listed(made: Dataset, found: pd.DataFrame) -> None:
    """Filtered ones and count outliers; they do not count in the correction of the others either."""
    listed = at(found, None).index
    places = [list(made.model.genes).index(name) for name in listed[:2]]
    taken, outlier = made.model.takes_part.copy(), made.model.is_count_outlier.copy()
    taken[places[0]], outlier[places[1]] = False, True
    fewer = replace(made, model=replace(made.model, takes_part=taken, is_count_outlier=outlier))
    rows = at(rescue(fewer), None)
    assert rows.index.tolist() == listed[2:].tolist()
    names = [name for name in (*NUMBERS, "class") if not name.endswith("padj")]
    pd.testing.assert_frame_equal(rows[names], at(found, None).loc[rows.index, names])


def test_the_order_of_genes_changes_nothing(made: Dataset, found: pd.DataFrame) -> None:
    """Rows are by id."""
    order = np.random.default_rng(1).permutation(NUMBER)
    model = made.model
    by_gene = {
        name: value[order]
        for name, value in vars(model).items()
        if isinstance(value, np.ndarray) and len(value) == NUMBER
    }
    pd.testing.assert_frame_equal(rescue(replace(made, model=replace(model, **by_gene))), found, rtol=1e-9)


def test_a_pair_that_cannot_be_had_is_one_row_with_a_note() -> None:
    """Without a gene; the average says on each of its rows what it leaves out."""
    table = rescue(make(dict.fromkeys(RESCUE, (1.0, 7.0, 14.0)) | {"agonist": (1.0, 14.0)}))
    [lost] = table[table["time"] == 7.0].to_dict("records")
    assert (lost["arm"], lost["note"]) == ("agonist", "no_reference")
    assert all(pd.isna(lost[name]) for name in ("gene_id", "symbol", "class", "pattern", *NUMBERS))
    assert set(at(table, None)["note"]) == {"times_left_out:7d"}
    assert set(at(table, 14.0)["note"]) == {""}
    assert len(at(table, 14.0)) > 5


def test_a_dataset_without_a_healthy_arm_is_one_row_for_each_arm() -> None:
    """Its reason stands there."""
    roles = {"control": "reference", "a": "treated", "b": "treated"}
    table = rescue(make(dict.fromkeys(roles, NONE), roles=roles))
    assert table[["arm", "note"]].to_numpy().tolist() == [["a", "no_healthy_arm"], ["b", "no_healthy_arm"]]
    assert table[["gene_id", "time", *NUMBERS]].isna().all(axis=None)


def test_an_injury_of_no_gene_has_no_rows() -> None:
    """Nothing is listed where nothing is injured; the columns are there."""
    made = make(dict.fromkeys(RESCUE, NONE))
    flat = np.tile(made.model.coefficients.mean(axis=1, keepdims=True), (1, made.model.coefficients.shape[1]))
    table = rescue(replace(made, model=replace(made.model, coefficients=flat)))
    assert (len(table), tuple(table.columns)) == (0, RESCUE_GENES)


def test_without_a_treated_arm_the_table_is_empty() -> None:
    """With its columns."""
    roles = {"chow": "healthy", "pnac": "injured"}
    table = rescue(make(dict.fromkeys(roles, NONE), roles=roles))
    assert (len(table), tuple(table.columns)) == (0, RESCUE_GENES)


def test_every_arm_has_its_own_injury() -> None:
    """Two treated arms share the injured samples: the same injury effects, their own treatment effects."""
    roles = RESCUE | {"ev": "treated"}
    made = make(dict.fromkeys(roles, NONE), roles=roles)
    one, other = (at(rescue(made), None, arm) for arm in ("agonist", "ev"))
    assert one.index.tolist() == other.index.tolist()
    np.testing.assert_allclose(one["injury_effect"].astype(float), other["injury_effect"].astype(float), rtol=1e-12)
    difference = tables_of(made, roles)["ev_vs_agonist"].loc[one.index, "log2_fold_change"]
    np.testing.assert_allclose(
        (other["treatment_effect"] - one["treatment_effect"]).astype(float), difference, rtol=1e-7, atol=1e-10
    )


def test_swapping_healthy_and_treated_swaps_what_is_left_and_undone() -> None:
    """The same fit with these two roles exchanged: the fraction becomes its inverse."""
    swapped = {"chow": "treated", "pnac": "injured", "agonist": "healthy"}
    made = make(dict.fromkeys(RESCUE, NONE))
    contrasts = make_dataset(dict.fromkeys(RESCUE, NONE), roles=swapped, number=NUMBER, batches=2).contrasts
    forth = at(rescue(made), None)
    back = at(rescue(replace(made, contrasts=contrasts)), None, "chow")
    both = forth.index.intersection(back.index)
    assert len(both) >= 5
    np.testing.assert_allclose(
        back.loc[both, "fraction_restored"].astype(float),
        1 / forth.loc[both, "fraction_restored"].astype(float),
        rtol=1e-8,
    )
    np.testing.assert_allclose(
        back.loc[both, "covariance"].astype(float), forth.loc[both, "covariance"].astype(float), rtol=1e-8
    )


def test_tables_are_written_and_read_back(found: pd.DataFrame, tmp_path: Path) -> None:
    """With rows, with rows of notes, and without any."""
    lost = rescue(make(dict.fromkeys(RESCUE, (1.0, 7.0)) | {"chow": (1.0,)}))
    for table in (found, lost, found.iloc[:0]):
        again, expected = read_back(table, RESCUE_GENES, path=tmp_path / "table.tsv")
        pd.testing.assert_frame_equal(again, expected, rtol=1e-8)
