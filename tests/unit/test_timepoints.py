"""Over time: genes side by side with the numbers of their contrasts, and the courses of planted programmes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from exoliver.contrasts import Cell
from exoliver.design import build_design
from exoliver.differential import estimate_contrasts
from exoliver.linear import fit_linear
from exoliver.programmes import ProgrammeFit
from exoliver.tables import TIMEPOINT_GENES, TRAJECTORIES
from exoliver.timepoints import compare_timepoints, follow_programmes, timepoint_tables
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
    return SimpleNamespace(contrasts=contrasts, tables=found, model=model)


def compare(made: SimpleNamespace, fdr: float = 0.05) -> pd.DataFrame:
    """The genes."""
    return compare_timepoints(made.contrasts, made.tables, fdr=fdr)


@pytest.fixture(scope="module")
def made() -> SimpleNamespace:
    """Three arms at three times."""
    return make(dict.fromkeys(RESCUE, DAYS))


def test_genes_that_differ_at_some_time_are_listed(made: SimpleNamespace) -> None:
    """By the omnibus test of the effect: those that injury moves, at one time or at all, in injury and in treatment."""
    genes = compare(made)
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
    genes = compare(made)
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
    genes = compare(made)
    for row in genes.itertuples():
        source = made.tables[row.contrast].set_index("gene_id").loc[row.gene_id]
        for column in ("symbol", "log2_fold_change", "lfc_se", "pvalue", "padj", "note"):
            assert getattr(row, column) == source[column]
        over_time = made.tables[f"{row.effect}__over_time"].set_index("gene_id").loc[row.gene_id]
        assert row.over_time_padj == over_time["padj"]


def test_a_time_that_an_arm_lacks_is_rows_with_a_note() -> None:
    """The gene stands there without numbers, so that nothing shifts."""
    genes = compare(make(dict.fromkeys(RESCUE, DAYS) | {"chow": (1.0, 7.0)}))
    rows = genes[(genes["gene_id"] == "g0000") & (genes["effect"] == "pnac_vs_chow")]
    assert rows["contrast"].str.removeprefix("pnac_vs_chow__").tolist() == ["1d", "7d", "14d", "7d_vs_1d"]
    assert rows["note"].tolist() == ["", "", "missing_cell", ""]
    assert rows["log2_fold_change"].isna().tolist() == [False, False, True, False]


def test_a_baseline_of_all_times_serves_each() -> None:
    """Injury over time against one group of healthy animals."""
    genes = compare(make({"chow": [None], "pnac": DAYS, "agonist": DAYS}, chow={"at": "all_times"}))
    rows = genes[(genes["gene_id"] == "g0000") & (genes["effect"] == "pnac_vs_chow")]
    assert len(rows) == 6


@pytest.mark.parametrize("times", [(7.0,), (None,)])
def test_without_two_times_no_gene_is_listed(times: tuple[float | None, ...]) -> None:
    """The table has its columns and no row."""
    genes = compare(make(dict.fromkeys(RESCUE, times)))
    assert (len(genes), tuple(genes.columns)) == (0, TIMEPOINT_GENES)


def test_no_moving_gene_leaves_no_row(made: SimpleNamespace) -> None:
    """At an impossible level no gene is listed."""
    genes = compare(made, fdr=0.0)
    assert (len(genes), tuple(genes.columns)) == (0, TIMEPOINT_GENES)


# Cell means of programmes by arm (chow, pnac, agonist), three days each.
PLANTED = {
    "recovers_sooner": ([0, 0, 0], [3, 3, 0], [1, 0, 0]),
    "relapses": ([0, 0, 0], [3, 3, 3], [0, 0, 3]),
    "stays_better": ([0, 0, 0], [3, 3, 3], [1, 1, 1]),
    "quiet": ([0, 0, 0], [0, 0, 0], [0, 0, 0]),
    "ahead": ([0, 0, 0], [6, 3, 0], [3, 0, 0]),
}


TURNING = {"turns": ([0, 0, 0], [3, 3, 3], [6, 0, 3])}


def follow(
    made: SimpleNamespace, facts: pd.DataFrame | None = None, *, planted: Mapping[str, Sequence[list[int]]] = PLANTED
) -> pd.DataFrame:
    """Courses of the planted programmes, with noise that is small beside them."""
    rng = np.random.default_rng(5)
    cells = {(cell.arm, cell.time): place for place, cell in enumerate(made.model.cells)}
    own = made.model.design[:, : len(cells)].argmax(axis=1)
    at = {place: key for key, place in cells.items()}
    scores = np.array(
        [
            [
                arms[list(RESCUE).index(at[place][0])][0 if at[place][1] is None else DAYS.index(at[place][1])]
                for arms in planted.values()
            ]
            for place in own
        ]
    )
    fit = fit_linear(scores + 0.3 * rng.normal(size=scores.shape), made.model.design)
    programmes = ProgrammeFit(tuple(planted), moderated=fit, plain=fit, columns=made.model.columns)
    table = pd.DataFrame({"note": ""}, index=pd.Index(list(planted), name="programme")) if facts is None else facts
    return follow_programmes(programmes, made.contrasts, programmes=table, fdr=0.05)


def test_planted_courses_are_named(made: SimpleNamespace) -> None:
    """Class, first time, peak, and how the effect ended."""
    table = follow(made)
    assert tuple(table.columns) == TRAJECTORIES
    rows = table[table["contrast"] == "agonist_vs_pnac"].set_index("programme")
    told = {name: (row["class"], row["end_state"]) for name, row in rows.iterrows()}
    assert told["recovers_sooner"] == ("early_transient", "control_recovered")
    assert told["relapses"] == ("early_transient", "treated_relapsed")
    assert told["stays_better"] == ("sustained", "effect_persists")
    assert told["quiet"][0] == "none"
    assert rows.loc["stays_better", "onset"] == 1
    assert rows.loc["recovers_sooner", "peak"] == 7
    injury = table[table["contrast"] == "pnac_vs_chow"].set_index("programme")
    assert injury.loc["relapses", "class"] == "sustained"
    assert injury["end_state"].isna().all()
    assert injury["recovery_shift"].isna().all()


def test_the_time_gained_is_told_where_the_injury_recovers(made: SimpleNamespace) -> None:
    """The treated are six days ahead of a course that falls over two weeks; an injury that stays gives none."""
    rows = follow(made)
    rows = rows[rows["contrast"] == "agonist_vs_pnac"].set_index("programme")
    ahead = rows.loc["ahead"]
    assert ahead["recovery_shift_low"] < 6 < ahead["recovery_shift_high"]
    assert ahead["recovery_shift"] == pytest.approx(6, abs=1.5)
    assert pd.isna(rows.loc["relapses", "recovery_shift"])
    assert rows.loc["quiet", "note"] == "no_course"


def test_a_programme_without_a_score_is_a_row(made: SimpleNamespace) -> None:
    """With its note, in every effect."""
    names = [*PLANTED, "unscored"]
    facts = pd.DataFrame({"note": [""] * len(PLANTED) + ["too_few_measured"]}, index=pd.Index(names, name="programme"))
    rows = follow(made, facts).set_index("programme").loc[["unscored"]]
    assert rows["contrast"].tolist() == ["pnac_vs_chow", "agonist_vs_pnac"]
    assert rows["class"].isna().all()
    assert rows["note"].tolist() == ["too_few_measured"] * 2


def test_an_effect_of_one_time_has_no_course() -> None:
    """It is classed as such, with the p-value of its test."""
    table = follow(make(dict.fromkeys(RESCUE, (7.0,))))
    assert set(table["class"]) == {"single_time"}
    assert table["pvalue"].notna().all()


def test_a_time_that_an_arm_lacks_is_left_out_of_the_course() -> None:
    """With a note; an end that needs the healthy animals of that time is open, and one that does not is told."""
    table = follow(make(dict.fromkeys(RESCUE, DAYS) | {"chow": (1.0, 7.0)}))
    injury = table[table["contrast"] == "pnac_vs_chow"]
    assert injury["note"].str.startswith("times_left_out:14d").all()
    treated = table[table["contrast"] == "agonist_vs_pnac"].set_index("programme")
    assert treated.loc["relapses", "note"].split(";")[0] == "no_reference"
    assert treated.loc["relapses", ["class", "end_state"]].tolist() == ["early_transient", "open"]
    assert treated.loc["stays_better", ["class", "end_state"]].tolist() == ["sustained", "effect_persists"]
    assert "no_reference" not in treated.loc["stays_better", "note"]
    assert treated.loc["ahead", "recovery_shift_low"] < 6
    assert "beyond_last_time" in treated.loc["ahead", "note"]


def test_without_a_healthy_arm_only_an_effect_that_persists_has_an_end() -> None:
    """The others are open, with the reason."""
    made = make(dict.fromkeys(RESCUE, DAYS))
    kept = [one for one in made.contrasts if one.kind == "treatment"]
    table = follow(SimpleNamespace(model=made.model, contrasts=kept)).set_index("programme")
    assert table.loc["stays_better", ["end_state", "note"]].tolist() == ["effect_persists", ""]
    assert table.loc["relapses", ["end_state", "note"]].tolist() == ["open", "no_healthy_arm"]
    [turned] = follow(SimpleNamespace(model=made.model, contrasts=kept), planted=TURNING).to_dict("records")
    assert (turned["class"], turned["end_state"], turned["note"]) == (
        "reversing", "open", "effect_reversed;no_healthy_arm",
    )  # fmt: skip
    assert table.loc["quiet", "note"] == ""
    assert table["recovery_shift"].isna().all()


def test_courses_of_single_samples_say_so() -> None:
    """A cell of one sample is noted beside every course that it is in."""
    made = make(dict.fromkeys(RESCUE, DAYS))
    design = made.model.design
    cell = design[:, made.model.cells.index(Cell("agonist", 14.0))] == 1
    kept = np.sort(np.append(np.flatnonzero(~cell), np.flatnonzero(cell)[0]))
    model = replace(made.model, design=design[kept])
    facts = pd.DataFrame({"note": [""]}, index=pd.Index(["p"], name="programme"))
    fit = fit_linear(np.random.default_rng(1).normal(size=(len(kept), 1)), model.design)
    tables = timepoint_tables(
        ProgrammeFit(("p",), moderated=fit, plain=fit, columns=model.columns),
        made.contrasts,
        genes=made.tables,
        programmes=facts,
        model=model,
        fdr=0.05,
    )
    courses, columns = tables["trajectories"]
    assert columns == TRAJECTORIES
    notes = courses.set_index("contrast")["note"]
    assert "unreplicated" in notes["agonist_vs_pnac"].split(";")
    assert "unreplicated" not in notes["pnac_vs_chow"].split(";")
