"""Effects side by side over time: which rows there are, in which order, and that their numbers are the contrasts'."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from exoliver.contrasts import Cell
from exoliver.design import build_design
from exoliver.differential import estimate_contrasts
from exoliver.tables import TIMEPOINT_GENE_SETS, TIMEPOINT_GENES
from exoliver.timepoints import compare_timepoints
from tests.toy_model import RESCUE, expected_counts, make_arms, make_genes, make_model, make_samples

DAYS = (1.0, 7.0, 14.0)


def make(times: Mapping[str, Sequence[float | None]], **arms: Mapping[str, object]) -> SimpleNamespace:
    """Contrasts and tables of a made-up fit of 40 genes: in injury ten move at day 7, five at all times."""
    samples = make_samples({Cell(arm, time): 4 for arm, own in times.items() for time in own})
    design = build_design(samples, list(RESCUE), donor=False, covariates=(), numeric=())
    model = make_model(samples, design.matrix, design.cells, genes=40)
    coefficients = np.tile(np.log(model.base_mean)[:, None], (1, len(design.cells)))
    coefficients += 0.05 * np.random.default_rng(2).normal(size=coefficients.shape)
    moved = [position for position, cell in enumerate(design.cells) if cell == Cell("pnac", 7.0)]
    coefficients[:10, moved] += 3
    always = [position for position, cell in enumerate(design.cells) if cell.arm == "pnac"]
    coefficients[10:15, always] += 3
    model = make_model(samples, design.matrix, design.cells, genes=40, coefficients=coefficients)
    contrasts, tables = estimate_contrasts(
        model,
        expected_counts(model),
        genes=make_genes(list(model.genes)),
        arms=make_arms(RESCUE, **arms),
        unit="day",
        extra={},
        fdr=0.05,
        threshold=0.0,
        threads=1,
    )
    found = {name: table for name, (table, _) in tables.items()}
    sets = pd.DataFrame({"gene_set": ["b", "c", "d"], "size": 20, "nes": 1.5, "pvalue": 0.01, "padj": 0.03, "note": ""})
    sets = sets.assign(es=0.4, log2err=0.1, leading_edge="x")
    enrichment = {name: {contrast.id: sets for contrast in contrasts if not contrast.is_omnibus} for name in ("y", "x")}
    return SimpleNamespace(contrasts=contrasts, tables=found, enrichment=enrichment)


def compare(made: SimpleNamespace, fdr: float = 0.05) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both tables."""
    return compare_timepoints(made.contrasts, made.tables, enrichment=made.enrichment, fdr=fdr)


@pytest.fixture(scope="module")
def made() -> SimpleNamespace:
    """Three arms at three times."""
    return make(dict.fromkeys(RESCUE, DAYS))


def test_genes_that_differ_at_some_time_are_listed(made: SimpleNamespace) -> None:
    """By the omnibus test of the effect: those that injury moves, at one time or at all, in injury and in treatment."""
    genes, _ = compare(made)
    assert tuple(genes.columns) == TIMEPOINT_GENES
    for effect in ("pnac_vs_chow", "agonist_vs_pnac"):
        omnibus = made.tables[f"{effect}__any_time"]
        listed = set(genes.loc[genes["effect"] == effect, "gene_id"])
        assert listed == set(omnibus.loc[omnibus["padj"] < 0.05, "gene_id"])
        assert {f"g{gene:04d}" for gene in range(15)} <= listed
        assert len(listed) < 20
    assert set(genes["effect"]) == {"pnac_vs_chow", "agonist_vs_pnac"}


def test_each_gene_has_its_effects_and_changes_side_by_side(made: SimpleNamespace) -> None:
    """Three times and three changes, in that order, sorted by effect and gene."""
    genes, _ = compare(made)
    pd.testing.assert_frame_equal(
        genes[["effect", "gene_id"]], genes.sort_values(["effect", "gene_id"], kind="stable")[["effect", "gene_id"]]
    )
    for (effect, _), rows in genes.groupby(["effect", "gene_id"]):
        parts = ["1d", "7d", "14d", "7d_vs_1d", "14d_vs_1d", "14d_vs_7d"]
        assert rows["contrast"].tolist() == [f"{effect}__{part}" for part in parts]
        assert rows["form"].tolist() == ["at_time"] * 3 + ["change"] * 3
        assert rows["time"].tolist() == [1, 7, 14, 7, 14, 14]


def test_the_numbers_are_those_of_the_contrasts(made: SimpleNamespace) -> None:
    """Estimates, errors and p-values of the contrast's table, and the p-value of change over time from the omnibus."""
    genes, _ = compare(made)
    for row in genes.itertuples():
        source = made.tables[row.contrast].set_index("gene_id").loc[row.gene_id]
        for column in ("symbol", "log2_fold_change", "lfc_se", "pvalue", "padj", "note"):
            assert getattr(row, column) == source[column]
        over_time = made.tables[f"{row.effect}__over_time"].set_index("gene_id").loc[row.gene_id]
        assert row.over_time_padj == over_time["padj"]


def test_all_gene_sets_are_listed_at_every_time(made: SimpleNamespace) -> None:
    """For each effect and collection, sorted by effect, collection and set; no omnibus and averaged contrasts."""
    _, sets = compare(made)
    assert tuple(sets.columns) == TIMEPOINT_GENE_SETS
    assert len(sets) == 2 * 2 * 3 * 6
    key = ["effect", "collection", "gene_set"]
    pd.testing.assert_frame_equal(sets[key], sets.sort_values(key, kind="stable")[key])
    assert sets["time"].tolist()[:6] == [1, 7, 14, 7, 14, 14]
    assert set(sets["form"]) == {"at_time", "change"}


def test_a_time_that_an_arm_lacks_is_rows_with_a_note() -> None:
    """The gene stands there without numbers, so that nothing shifts."""
    genes, sets = compare(make(dict.fromkeys(RESCUE, DAYS) | {"chow": (1.0, 7.0)}))
    rows = genes[(genes["gene_id"] == "g0000") & (genes["effect"] == "pnac_vs_chow")]
    assert rows["contrast"].str.removeprefix("pnac_vs_chow__").tolist() == ["1d", "7d", "14d", "7d_vs_1d"]
    assert rows["note"].tolist() == ["", "", "missing_cell", ""]
    assert rows["log2_fold_change"].isna().tolist() == [False, False, True, False]
    assert (sets["contrast"] == "pnac_vs_chow__14d").sum() == 6


def test_a_baseline_of_all_times_serves_each() -> None:
    """Injury over time against one group of healthy animals."""
    genes, _ = compare(make({"chow": [None], "pnac": DAYS, "agonist": DAYS}, chow={"at": "all_times"}))
    rows = genes[(genes["gene_id"] == "g0000") & (genes["effect"] == "pnac_vs_chow")]
    assert len(rows) == 6


@pytest.mark.parametrize("times", [(7.0,), (None,)])
def test_without_two_times_both_tables_are_empty(times: tuple[float | None, ...]) -> None:
    """They have their columns and no row."""
    genes, sets = compare(make(dict.fromkeys(RESCUE, times)))
    assert (len(genes), tuple(genes.columns)) == (0, TIMEPOINT_GENES)
    assert (len(sets), tuple(sets.columns)) == (0, TIMEPOINT_GENE_SETS)


def test_no_moving_gene_leaves_the_sets(made: SimpleNamespace) -> None:
    """At an impossible level no gene is listed; sets are listed all the same."""
    genes, sets = compare(made, fdr=0.0)
    assert (len(genes), tuple(genes.columns)) == (0, TIMEPOINT_GENES)
    assert len(sets) == 72


def test_without_collections_genes_are_compared_alone(made: SimpleNamespace) -> None:
    """An organism without gene sets."""
    genes, sets = compare_timepoints(made.contrasts, made.tables, enrichment={}, fdr=0.05)
    assert len(genes) > 0
    assert (len(sets), tuple(sets.columns)) == (0, TIMEPOINT_GENE_SETS)
