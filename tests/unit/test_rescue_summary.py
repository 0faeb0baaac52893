"""The global slope for every treated arm: covariates taken out, and the reason where there is no slope."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exoliver.contrasts import Cell
from exoliver.rescue import rescue_pairs
from exoliver.rescue_slope import rescue_slope
from exoliver.rescue_summary import MIN_SAMPLES, summarise_rescue
from exoliver.tables import RESCUE_SUMMARY
from tests.toy_model import RESCUE
from tests.toy_programmes import DAYS, Dataset, make_dataset, read_back

NONE: tuple[float | None, ...] = (None,)
NUMBER = 600  # above what the slope needs for its intervals
NUMBERS = [name for name in RESCUE_SUMMARY if name not in ("arm", "time", "class", "note")]


def make(
    times: Mapping[str, Sequence[float | None]],
    undone: Mapping[str, float],
    *,
    roles: Mapping[str, str] = RESCUE,
    number: int = NUMBER,
    batches: int = 1,
    **keys: object,
) -> Dataset:
    """Expression whose genes the injury moves by as much as 3, and of which each treated arm takes back a share."""
    made = make_dataset(times, roles=roles, number=number, batches=batches, **keys)  # type: ignore[arg-type]
    injury = np.linspace(-3, 3, number)
    vst = made.expression.vst.copy()
    own = made.samples["arm"].map({"pnac": 1.0} | {arm: 1 - share for arm, share in undone.items()}).fillna(0.0)
    vst += own.to_numpy()[:, None] * injury
    return made.with_values(vst)


def summarise(made: Dataset) -> pd.DataFrame:
    """The table."""
    return summarise_rescue(rescue_pairs(made.contrasts), made.expression.vst, model=made.model)


@pytest.mark.parametrize(
    ("share", "name"), [(1.0, "restored"), (0.5, "partly_restored"), (0.0, "unchanged"), (1.6, "overshoot")]
)
def test_a_planted_share_is_found(share: float, name: str) -> None:
    """The interval holds it, and the class goes with it."""
    [row] = summarise(make(dict.fromkeys(RESCUE, NONE), {"agonist": share})).to_dict("records")
    assert row["ci_low"] < share < row["ci_high"]
    assert row["ci_jackknife_low"] < share < row["ci_jackknife_high"]
    assert (row["class"], row["genes"], row["note"]) == (name, NUMBER, "")
    assert row["injury_over_se"] > 4


def test_a_slope_is_that_of_the_samples_of_three_cells() -> None:
    """At each time, without covariates: the rows of expression as they are."""
    made = make(dict.fromkeys(RESCUE, DAYS), {"agonist": 0.7})
    table = summarise(made).set_index("time")
    for day in DAYS:
        arms = [
            made.expression.vst[(made.samples["arm"] == arm) & (made.samples["time"] == day)].to_numpy()
            for arm in RESCUE
        ]
        expected = rescue_slope(arms[0], arms[1], treated=arms[2], level=0.95)
        row = table.loc[day]
        assert row["slope"] == pytest.approx(expected.value, rel=1e-9)
        assert row["ci_low"] == pytest.approx(expected.low, rel=1e-9)
        assert row["ci_jackknife_high"] == pytest.approx(expected.jackknife_high, rel=1e-9)
        assert row["injury_over_se"] == pytest.approx(expected.injury / expected.injury_se, rel=1e-9)


@pytest.fixture(scope="module")
def batched() -> Dataset:
    """Six samples in each arm, of three batches."""
    return make(dict.fromkeys(RESCUE, NONE), {"agonist": 0.5}, replicates=6, batches=3, number=60)


def test_effects_of_covariates_hardly_move_the_slope(batched: Dataset) -> None:
    """Whatever a batch does to each gene, the slope stays near; only the weights of the genes see the raw means."""
    batch = batched.samples["batch"].map({"b0": 0.0, "b1": 5.0, "b2": -3.0}).to_numpy()
    moved = batched.with_values(batched.expression.vst + batch[:, None] * np.linspace(1, 2, 60))
    [one], [other] = (summarise(made).to_dict("records") for made in (moved, batched))
    assert one["slope"] == pytest.approx(other["slope"], abs=0.03)
    assert one["ci_high"] - one["ci_low"] == pytest.approx(other["ci_high"] - other["ci_low"], rel=0.2)


def test_covariates_reach_the_slope_as_columns(batched: Dataset) -> None:
    """Beside the raw expression, arm by arm; they cost degrees of freedom."""
    rows = [np.flatnonzero(batched.samples["arm"] == arm) for arm in RESCUE]
    arms = [batched.expression.vst.to_numpy()[own] for own in rows]
    columns = batched.model.design[np.concatenate(rows)][:, 3:]
    expected = rescue_slope(arms[0], arms[1], treated=arms[2], nuisance=columns, level=0.95)
    [row] = summarise(batched).to_dict("records")
    assert row["slope"] == pytest.approx(expected.value, rel=1e-9)
    assert row["ci_low"] == pytest.approx(expected.low, rel=1e-9)
    assert row["ci_high"] == pytest.approx(expected.high, rel=1e-9)


def test_a_covariate_that_is_confounded_has_a_note(batched: Dataset) -> None:
    """At one time a batch may be an arm, though the model of all times can tell them apart."""
    arm = (batched.samples["arm"] == "agonist").to_numpy(dtype=float)
    design = np.column_stack([batched.model.design[:, :3], arm])
    confounded = replace(
        batched, model=replace(batched.model, design=design, columns=(*batched.model.columns[:3], "b"))
    )
    [row] = summarise(confounded).to_dict("records")
    assert row["note"] == "covariates_confounded"
    assert pd.isna(row["slope"])


def test_few_genes_have_a_note() -> None:
    """Intervals are too narrow below five hundred."""
    [row] = summarise(make(dict.fromkeys(RESCUE, NONE), {"agonist": 0.5}, number=120)).to_dict("records")
    assert (row["genes"], row["note"]) == (120, "few_genes")
    assert np.isfinite(row["slope"])


def test_genes_that_are_not_tested_do_not_count() -> None:
    """They are not in the fit, and not in the slope."""
    made = make(dict.fromkeys(RESCUE, NONE), {"agonist": 0.5})
    taken = np.arange(NUMBER) % 6 != 0
    fewer = replace(made, model=replace(made.model, takes_part=taken))
    odd = made.expression.vst.copy()
    odd.iloc[8:, ~taken] += 50
    [row], [other] = (summarise(one).to_dict("records") for one in (fewer, fewer.with_values(odd)))
    assert row["genes"] == 500
    assert row["note"] == ""
    assert row == pytest.approx(other, nan_ok=True)


def test_averages_are_left_to_the_programmes() -> None:
    """The average over times has a row and its reason; each time has its slope."""
    table = summarise(make(dict.fromkeys(RESCUE, DAYS), {"agonist": 0.5}))
    assert tuple(table.columns) == RESCUE_SUMMARY
    assert table["note"].tolist() == ["at_each_time_only", "", ""]
    np.testing.assert_array_equal(table["time"].astype(float), [np.nan, *DAYS])
    assert table.loc[0, [*NUMBERS, "class"]].isna().all()
    assert table.loc[1:, NUMBERS].notna().all(axis=None)


def test_healthy_samples_of_all_times_serve_each() -> None:
    """The same healthy samples at both times; the average is left out here too."""
    made = make({"chow": NONE, "pnac": DAYS, "agonist": DAYS}, {"agonist": 0.5}, chow={"at": "all_times"})
    table = summarise(made)
    assert table["note"].tolist() == ["at_each_time_only", "", ""]
    healthy = made.expression.vst[made.samples["arm"] == "chow"].to_numpy()
    injured, treated = (
        made.expression.vst[(made.samples["arm"] == arm) & (made.samples["time"] == 7.0)].to_numpy()
        for arm in ("pnac", "agonist")
    )
    expected = rescue_slope(healthy, injured, treated=treated, level=0.95)
    assert table.loc[2, "slope"] == pytest.approx(expected.value, rel=1e-9)


def test_nested_donors_have_no_slope() -> None:
    """Samples are not independent: every pair is a row that says so."""
    made = make(dict.fromkeys(RESCUE, DAYS), {"agonist": 0.5}, donors=2, number=60)
    assert made.model.nested_donor
    table = summarise(made)
    assert table["note"].tolist() == ["nested_donors"] * 3
    assert table[[*NUMBERS, "class"]].isna().all(axis=None)


@pytest.mark.parametrize(("arm", "number"), [("chow", 2), ("pnac", 2), ("chow", 3), ("pnac", 3), ("agonist", 1)])
def test_healthy_and_injured_arms_need_three_samples(arm: str, number: int) -> None:
    """A pair is set aside; one treated sample is enough for Fieller's interval, not for the jackknife."""
    cells = dict.fromkeys(RESCUE, 4) | {arm: number}
    made = make(dict.fromkeys(RESCUE, NONE), {"agonist": 0.5}, number=60)
    kept = [place for name, start in zip(RESCUE, (0, 4, 8), strict=True) for place in range(start, start + cells[name])]
    model = replace(made.model, design=made.model.design[kept], samples=made.model.samples[kept])
    table = summarise_rescue(rescue_pairs(made.contrasts), made.expression.vst.iloc[kept], model=model)
    if number < MIN_SAMPLES and arm != "agonist":
        assert table["note"].tolist() == ["too_few_samples"]
        assert table[[*NUMBERS, "class"]].isna().all(axis=None)
        return
    assert table["note"].tolist() == ["few_genes"]
    assert np.isfinite(table.loc[0, ["slope", "ci_low", "ci_high"]].astype(float)).all()
    assert np.isnan(table.loc[0, "ci_jackknife_low"]) == (arm == "agonist")


def test_covariates_that_leave_nothing_are_too_few_samples() -> None:
    """Seven samples of three cells, and four columns beside the cells."""
    made = make_dataset(dict.fromkeys(RESCUE, NONE), single=[Cell("agonist", None)], replicates=3, batches=4, number=60)
    wide = np.hstack([made.model.design, np.random.default_rng(1).normal(size=(7, 1))])
    table = summarise(replace(made, model=replace(made.model, design=wide)))
    assert table["note"].tolist() == ["too_few_samples"]


def test_pairs_that_cannot_be_had_keep_their_notes() -> None:
    """A time that an arm lacks, and a dataset without a healthy arm; an average of one time is told at that time."""
    made = make(dict.fromkeys(RESCUE, DAYS) | {"agonist": (7.0,)}, {"agonist": 0.5}, number=60)
    table = summarise(made)
    assert table["note"].tolist() == ["at_each_time_only", "no_reference", "few_genes"]
    assert table.loc[2, NUMBERS].notna().all()
    roles = {"control": "reference", "a": "treated"}
    assert summarise(make_dataset(dict.fromkeys(roles, NONE), roles=roles))["note"].tolist() == ["no_healthy_arm"]


def test_an_injury_that_is_not_there_has_no_slope() -> None:
    """Its class says so, and both effects are not shown as one."""
    made = make_dataset(dict.fromkeys(RESCUE, NONE), number=NUMBER)
    [row] = summarise(made).to_dict("records")
    assert row["class"] in ("injury_not_detected", "injury_weak")
    assert np.isnan(row["slope"])
    assert row["injury_over_se"] < 4


def test_without_a_treated_arm_the_table_is_empty(tmp_path: Path) -> None:
    """With its columns, and it can be written."""
    roles = {"chow": "healthy", "pnac": "injured"}
    table = summarise(make_dataset(dict.fromkeys(roles, NONE), roles=roles))
    assert (len(table), tuple(table.columns)) == (0, RESCUE_SUMMARY)
    again, expected = read_back(table, RESCUE_SUMMARY, path=tmp_path / "table.tsv")
    pd.testing.assert_frame_equal(again, expected)


def test_every_treated_arm_has_its_slope(tmp_path: Path) -> None:
    """Control products too, each against the same injury; the table is read back as it was."""
    roles = RESCUE | {"vehicle": "control_product"}
    table = summarise(make(dict.fromkeys(roles, NONE), {"agonist": 0.9, "vehicle": 0.1}, roles=roles))
    assert table["arm"].tolist() == ["agonist", "vehicle"]
    np.testing.assert_allclose(table["slope"].astype(float), [0.9, 0.1], atol=0.1)
    again, expected = read_back(table, RESCUE_SUMMARY, path=tmp_path / "table.tsv")
    pd.testing.assert_frame_equal(again, expected, rtol=1e-8)


def test_the_order_of_samples_and_genes_changes_nothing() -> None:
    """Up to the last digits."""
    made = make(dict.fromkeys(RESCUE, NONE), {"agonist": 0.5}, batches=2)
    samples, genes = (np.random.default_rng(4).permutation(size) for size in (12, NUMBER))
    model = made.model
    by_gene = {
        name: value[genes]
        for name, value in vars(model).items()
        if isinstance(value, np.ndarray) and len(value) == NUMBER
    }
    turned = replace(model, **by_gene, design=model.design[samples], samples=model.samples[samples])
    again = summarise_rescue(rescue_pairs(made.contrasts), made.expression.vst.iloc[samples, genes], model=turned)
    pd.testing.assert_frame_equal(again, summarise(made), rtol=1e-8)
