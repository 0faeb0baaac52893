"""Rescue of programmes: pairs of effects, fractions with Fieller's interval by root finding, classes and patterns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api
from scipy.stats import false_discovery_control

from exoliver.contrasts import Cell, Contrast, derive_contrasts
from exoliver.fieller import INJURY_NOT_DETECTED, INJURY_WEAK, OK, Ratio
from exoliver.linear import Estimates, estimate_linear
from exoliver.programmes import ProgrammeFit, programme_facts, programme_fit_from
from exoliver.rescue import (
    Pair,
    compare_arms,
    effect_columns,
    rescue_class,
    rescue_pairs,
    rescue_pattern,
    rescue_programmes,
    restored_fraction,
)
from exoliver.store import read_arrays, write_arrays
from exoliver.tables import PROGRAMMES, RESCUE_COMPARISONS, RESCUE_PROGRAMMES, join_notes, read_table, write_table
from tests.toy_model import RESCUE, make_arms, make_cells, make_extra
from tests.toy_programmes import (
    DAYS,
    UNSCORED,
    Dataset,
    fieller_ends,
    fit_of,
    make_dataset,
    planted_scores,
    read_back,
    setting_of,
    weights_of,
)
from tests.toy_programmes import PROGRAMMES as SETS

NONE: tuple[float | None, ...] = (None,)
TWO = RESCUE | {"ev": "treated"}
NUMBERS = [name for name in RESCUE_PROGRAMMES if name not in ("programme", "arm", "time", "class", "pattern", "note")]
# Mean of the injured and of the treated arm above a healthy arm at nought, and what is to be said of it. Samples lie
# .1 around their arm, so that an effect has an error of .08.
PLANTED = {
    "whole": (2.0, 0.0, "restored", "reversal"),
    "half": (2.0, 1.0, "partly_restored", "partial"),
    "nothing": (2.0, 2.0, "unchanged", "none"),
    "beyond": (2.0, -1.0, "overshoot", "reversal"),
    "worse": (2.0, 3.0, "away_from_healthy", "amplified_response"),
    "falling": (-2.0, -1.0, "partly_restored", "partial"),
    "weak": (0.25, 0.0, "injury_weak", "reversal"),
    "new": (0.0, 1.0, "injury_not_detected", "de_novo"),
    "still": (0.0, 0.0, "injury_not_detected", "none"),
}


def derive(
    times: Mapping[str, Sequence[float | None]],
    roles: Mapping[str, str] = RESCUE,
    **arms: Mapping[str, object],
) -> list[Contrast]:
    """Contrasts of some arms."""
    own = {name: role for name, role in roles.items() if name in times}
    unit = "day" if any(time is not None for each in times.values() for time in each) else None
    return derive_contrasts(make_arms(own, **arms), cells=make_cells(times), unit=unit, extra=make_extra({}))


def times_of(pairs: Sequence[Pair]) -> list[tuple[str, float | None]]:
    """Arm and time of pairs; None for an average."""
    return [(pair.arm, None if np.isnan(pair.time) else pair.time) for pair in pairs]


@pytest.fixture(scope="module")
def made() -> Dataset:
    """Two treated arms at two times with a batch; both undo some of an injury."""
    shifts = {Cell("pnac", 1.0): 1.0, Cell("pnac", 7.0): 3.0, Cell("agonist", 7.0): 1.2, Cell("ev", 7.0): 2.0}
    by_gene = {cell: dict.fromkeys(range(24), size) for cell, size in shifts.items()}
    return make_dataset(dict.fromkeys(TWO, DAYS), roles=TWO, batches=2, shifts=by_gene)


@pytest.fixture(scope="module")
def simple() -> Dataset:
    """Three arms at one time."""
    return make_dataset(dict.fromkeys(RESCUE, NONE))


@pytest.fixture(scope="module")
def planted(simple: Dataset) -> pd.DataFrame:
    """Table of planted programmes."""
    means = {name: {"chow": 0.0, "pnac": ill, "agonist": cured} for name, (ill, cured, _, _) in PLANTED.items()}
    fit, programmes = fit_of(simple, planted_scores(simple, means, spread=dict.fromkeys(means, 0.1)))
    return rescue(simple, fit, programmes).set_index("programme")


def rescue(made: Dataset, fit: ProgrammeFit, programmes: pd.DataFrame) -> pd.DataFrame:
    """The table."""
    return rescue_programmes(fit, rescue_pairs(made.contrasts), programmes=programmes, fdr=0.05)


def rescue_scored(made: Dataset) -> pd.DataFrame:
    """The table of the programmes that are scored in a dataset."""
    setting = setting_of(made)
    return rescue(made, setting.fit, setting.programmes.table)


def at(table: pd.DataFrame, arm: str, time: float | None) -> pd.DataFrame:
    """Rows of one arm at one time, or of its average, by programme."""
    is_time = table["time"].isna() if time is None else table["time"] == time
    return table[(table["arm"] == arm) & is_time].set_index("programme")


class TestPairs:
    """Which effects are set against each other."""

    def test_without_times_there_is_one_pair(self) -> None:
        """Injured minus healthy, and treated minus injured."""
        [pair] = rescue_pairs(derive(dict.fromkeys(RESCUE, NONE)))
        assert (pair.arm, pair.injured, pair.note) == ("agonist", "pnac", "")
        assert np.isnan(pair.time)
        assert pair.injury == {Cell("pnac", None): 1, Cell("chow", None): -1}
        assert pair.treatment == {Cell("agonist", None): 1, Cell("pnac", None): -1}

    def test_one_time_is_as_none(self) -> None:
        """A single time has no average beside it."""
        [pair] = rescue_pairs(derive(dict.fromkeys(RESCUE, (7.0,))))
        assert np.isnan(pair.time)
        assert pair.injury == {Cell("pnac", 7.0): 1, Cell("chow", 7.0): -1}

    def test_the_average_comes_before_the_times(self) -> None:
        """Its weights are means over the times."""
        average, *rest = rescue_pairs(derive(dict.fromkeys(RESCUE, (1.0, 7.0, 14.0))))
        assert times_of([average, *rest]) == [("agonist", None), ("agonist", 1), ("agonist", 7), ("agonist", 14)]
        for day, pair in zip((1.0, 7.0, 14.0), rest, strict=True):
            assert pair.injury == {Cell("pnac", day): 1, Cell("chow", day): -1}
            assert pair.treatment == {Cell("agonist", day): 1, Cell("pnac", day): -1}
        third = {cell: sign / 3 for day in (1.0, 7.0, 14.0) for cell, sign in _signed("pnac", "chow", day)}
        assert average.injury == pytest.approx(third)
        assert {pair.note for pair in (average, *rest)} == {""}

    def test_healthy_samples_of_all_times_serve_each(self) -> None:
        """One group of animals is the baseline at every time, and of the average with its whole weight."""
        pairs = rescue_pairs(
            derive({"chow": NONE, "pnac": (1.0, 7.0), "agonist": (1.0, 7.0)}, chow={"at": "all_times"})
        )
        average, first, second = pairs
        assert first.injury == {Cell("pnac", 1.0): 1, Cell("chow", None): -1}
        assert second.injury == {Cell("pnac", 7.0): 1, Cell("chow", None): -1}
        assert average.injury == pytest.approx({Cell("pnac", 1.0): 0.5, Cell("pnac", 7.0): 0.5, Cell("chow", None): -1})

    @pytest.mark.parametrize("arm", ["chow", "pnac", "agonist"])
    def test_a_time_that_an_arm_lacks_is_left_out_of_the_average(self, arm: str) -> None:
        """Both effects are averaged over the common times, and the note names the others."""
        times = dict.fromkeys(RESCUE, (1.0, 7.0, 14.0)) | {arm: (1.0, 14.0)}
        average, first, lost, last = rescue_pairs(derive(times))
        assert (lost.time, lost.injury, lost.treatment, lost.note) == (7.0, None, None, "no_reference")
        assert average.note == "times_left_out:7d"
        assert average.injury == pytest.approx(
            {cell: sign / 2 for day in (1.0, 14.0) for cell, sign in _signed("pnac", "chow", day)}
        )
        assert average.treatment == pytest.approx(
            {cell: sign / 2 for day in (1.0, 14.0) for cell, sign in _signed("agonist", "pnac", day)}
        )
        assert (first.note, last.note) == ("", "")

    def test_effects_without_a_common_time_are_pairs_with_notes(self) -> None:
        """The average too."""
        times = {"chow": (1.0, 7.0), "pnac": (1.0, 7.0, 14.0, 28.0), "agonist": (14.0, 28.0)}
        pairs = rescue_pairs(derive(times))
        assert times_of(pairs) == [("agonist", time) for time in (None, 1, 7, 14, 28)]
        assert {(pair.injury is None, pair.treatment is None, pair.note) for pair in pairs} == {
            (True, True, "no_reference")
        }

    @pytest.mark.parametrize(
        "roles",
        [
            {"pnac": "injured", "agonist": "treated"},
            {"control": "reference", "agonist": "treated"},
        ],
    )
    def test_a_base_without_a_healthy_arm_is_a_pair_with_a_note(self, roles: dict[str, str]) -> None:
        """One pair, however many times there are."""
        for times in (NONE, (1.0, 7.0)):
            [pair] = rescue_pairs(derive(dict.fromkeys(roles, times), roles))
            assert (pair.arm, pair.injured) == ("agonist", next(iter(roles)))
            assert (pair.injury, pair.treatment, pair.note) == (None, None, "no_healthy_arm")

    def test_every_treated_arm_has_its_pairs(self) -> None:
        """Control products too, in the order of the arms; products on healthy animals undo nothing."""
        roles = TWO | {"vehicle": "control_product", "tox": "treated_healthy"}
        pairs = rescue_pairs(derive(dict.fromkeys(roles, NONE), roles))
        assert times_of(pairs) == [("agonist", None), ("ev", None), ("vehicle", None)]
        assert {pair.injured for pair in pairs} == {"pnac"}

    def test_every_injury_has_its_own_treatments(self) -> None:
        """Two injured arms on one healthy arm."""
        roles = {"chow": "healthy", "pnac": "injured", "bdl": "injured", "a": "treated", "b": "treated"}
        one, other = rescue_pairs(
            derive(dict.fromkeys(roles, NONE), roles, a={"against": "bdl"}, b={"against": "pnac"})
        )
        assert one.injury == {Cell("bdl", None): 1, Cell("chow", None): -1}
        assert other.treatment == {Cell("b", None): 1, Cell("pnac", None): -1}

    def test_without_a_treated_arm_there_is_no_pair(self) -> None:
        """An injury alone, or nothing at all."""
        assert rescue_pairs(derive({"chow": NONE, "pnac": NONE})) == []
        assert rescue_pairs([]) == []


def _signed(arm: str, base: str, day: float) -> list[tuple[Cell, float]]:
    """Both cells of a difference."""
    return [(Cell(arm, day), 1.0), (Cell(base, day), -1.0)]


@pytest.mark.parametrize(
    ("low", "high", "state", "name"),
    [
        (0.4, 1.3, OK, "restored"),
        (1.0, 1.3, OK, "restored"),
        (0.2, 1.0, OK, "restored"),
        (0.2, 0.9, OK, "partly_restored"),
        (-0.2, 0.9, OK, "unchanged"),
        (0.0, 0.9, OK, "unchanged"),
        (-0.5, 0.0, OK, "unchanged"),
        (-0.2, 1.3, OK, "undecided"),
        (0.0, 1.0, OK, "undecided"),
        (1.1, 1.3, OK, "overshoot"),
        (-0.8, -0.1, OK, "away_from_healthy"),
        (0.2, 0.9, INJURY_WEAK, "injury_weak"),
        (-0.2, 1.3, INJURY_WEAK, "injury_weak"),
        (np.nan, np.nan, INJURY_NOT_DETECTED, "injury_not_detected"),
        (np.nan, np.nan, "", ""),
    ],
)
def test_the_class_is_what_the_interval_holds(low: float, high: float, state: str, name: str) -> None:
    """Nought, one, both or neither; its ends count; a weak injury has no class but that."""
    ratio = Ratio(np.array([0.5]), np.array([low]), np.array([high]), np.array([state], dtype=object))
    assert rescue_class(ratio).tolist() == [name]


@pytest.mark.parametrize(
    ("injury", "treatment", "injured", "treated", "high", "name"),
    [
        (2.0, -1.9, True, True, 1.2, "reversal"),
        (-2.0, 1.9, True, True, 1.2, "reversal"),
        (2.0, -1.9, True, True, 1.0, "reversal"),
        (2.0, -1.9, True, True, np.nan, "partial"),
        (2.0, -1.0, True, True, 0.8, "partial"),
        (-2.0, 1.0, True, True, 0.8, "partial"),
        (2.0, 1.0, True, True, -0.1, "amplified_response"),
        (-2.0, -1.0, True, True, -0.1, "amplified_response"),
        (0.1, 2.0, False, True, np.nan, "de_novo"),
        (-0.1, 2.0, False, True, 0.4, "de_novo"),
        (2.0, -0.1, True, False, 0.3, "none"),
        (0.1, -0.1, False, False, np.nan, "none"),
        (np.nan, 1.0, False, False, np.nan, ""),
        (1.0, np.nan, True, False, np.nan, ""),
    ],
)
def test_the_pattern_goes_by_signs_and_evidence(
    injury: float, treatment: float, injured: bool, treated: bool, high: float, name: str
) -> None:
    """First whether there is evidence at all, then the signs, then whether all may be restored."""
    found = rescue_pattern(
        np.array([injury]),
        np.array([treatment]),
        injury_evident=np.array([injured]),
        evident=np.array([treated]),
        high=np.array([high]),
    )
    assert found.tolist() == [name]


@pytest.mark.parametrize("name", PLANTED)
def test_planted_programmes_have_their_class_and_pattern(planted: pd.DataFrame, name: str) -> None:
    """From a whole rescue to none, from an overshoot to further harm."""
    injured, treated, of_class, pattern = PLANTED[name]
    row = planted.loc[name]
    assert row["injury_effect"] == pytest.approx(injured, abs=1e-12)
    assert row["treatment_effect"] == pytest.approx(treated - injured, abs=1e-12)
    assert (row["class"], row["pattern"], row["note"]) == (of_class, pattern, "")
    if of_class not in (INJURY_WEAK, INJURY_NOT_DETECTED):
        assert row["fraction_restored"] == pytest.approx((injured - treated) / injured)
        assert row["ci_low"] < row["fraction_restored"] < row["ci_high"]


def test_a_weak_injury_has_an_interval_and_no_point(planted: pd.DataFrame) -> None:
    """Below four standard errors; where it is not told from nought there is no interval either, and both effects."""
    weak, lost = planted.loc["weak"], planted.loc["new"]
    assert 2 < weak["injury_effect"] / weak["injury_se"] < 4
    assert np.isnan(weak["fraction_restored"])
    assert weak["ci_low"] < 1 < weak["ci_high"]
    assert lost[["fraction_restored", "ci_low", "ci_high"]].isna().all()
    assert lost[["injury_effect", "injury_se", "treatment_effect", "treatment_se", "covariance", "df"]].notna().all()


def test_errors_and_covariance_are_those_of_the_shared_arm(planted: pd.DataFrame) -> None:
    """Variance of a sample over four for each arm; the covariance is minus that of the injured arm."""
    variance = 12 * 0.1**2 / 9
    for column in ("injury_se", "treatment_se"):
        np.testing.assert_allclose(planted[column], np.sqrt(variance / 2), rtol=1e-9)
    np.testing.assert_allclose(planted["covariance"], -variance / 4, rtol=1e-9)
    assert set(planted["df"]) == {9}


@pytest.mark.parametrize("time", [None, *DAYS])
@pytest.mark.parametrize("arm", ["agonist", "ev"])
def test_fractions_are_those_of_fieller_by_hand(made: Dataset, arm: str, time: float | None) -> None:
    """Effects and covariance of statsmodels; the ends are where the difference from a ratio is just significant."""
    setting = setting_of(made)
    rows = at(rescue_scored(made), arm, time)
    pair = next(one for one in rescue_pairs(made.contrasts) if times_of([one]) == [(arm, time)])
    assert pair.injury is not None
    assert pair.treatment is not None
    matrix = np.stack([weights_of(row, made.model.columns) for row in (pair.treatment, pair.injury)])
    checked = 0
    for name in setting.fit.names:
        found = rows.loc[name]
        fit = statsmodels.api.OLS(
            setting.scores[name] / setting.programmes.table.loc[name, "attenuation"], made.model.design
        ).fit()
        (treatment, injury), covariance = matrix @ fit.params, matrix @ fit.cov_params().to_numpy() @ matrix.T
        assert found["treatment_effect"] == pytest.approx(treatment, rel=1e-8)
        assert found["injury_effect"] == pytest.approx(injury, rel=1e-8)
        assert found["treatment_se"] == pytest.approx(np.sqrt(covariance[0, 0]), rel=1e-8)
        assert found["injury_se"] == pytest.approx(np.sqrt(covariance[1, 1]), rel=1e-8)
        assert found["covariance"] == pytest.approx(covariance[0, 1], rel=1e-8)
        assert found["df"] == 32 - 9
        if found["class"] == INJURY_NOT_DETECTED:
            continue
        turned = covariance * np.array([[1, -1], [-1, 1]])
        ends = fieller_ends(-treatment, injury, covariance=turned, df=23)
        assert (found["ci_low"], found["ci_high"]) == (
            pytest.approx(ends[0], rel=1e-6),
            pytest.approx(ends[1], rel=1e-6),
        )
        if found["class"] != INJURY_WEAK:
            assert found["fraction_restored"] == pytest.approx(-treatment / injury, rel=1e-8)
            checked += 1
    assert checked >= (1 if time != 1.0 else 0)


def test_the_average_is_a_ratio_of_means(made: Dataset) -> None:
    """Mean effects over the times, and not the mean of the fractions."""
    table = rescue_scored(made)
    whole, first, second = (at(table, "agonist", time).loc["alpha"] for time in (None, *DAYS))
    for name in ("injury_effect", "treatment_effect"):
        assert whole[name] == pytest.approx((first[name] + second[name]) / 2, rel=1e-9)
    assert whole["fraction_restored"] == pytest.approx(-whole["treatment_effect"] / whole["injury_effect"], rel=1e-9)


def test_evidence_is_corrected_over_the_programmes(made: Dataset) -> None:
    """Moderated tests of one effect, by Benjamini and Hochberg; the pattern follows by hand."""
    setting, table = setting_of(made), rescue_scored(made)
    patterns = set()
    for pair in rescue_pairs(made.contrasts):
        rows = at(table, pair.arm, None if np.isnan(pair.time) else pair.time).loc[list(setting.fit.names)]
        tested = estimate_linear(
            setting.fit.moderated,
            np.stack([weights_of(row or {}, made.model.columns) for row in (pair.injury, pair.treatment)]),
        )
        injured, treated = (false_discovery_control(column) < 0.05 for column in tested.pvalue.T)
        for place, (_, row) in enumerate(rows.iterrows()):
            same = row["injury_effect"] * row["treatment_effect"] > 0
            expected = "amplified_response" if same else "partial" if row["ci_high"] < 1 else "reversal"
            expected = expected if injured[place] else "de_novo"
            assert row["pattern"] == (expected if treated[place] else "none")
            patterns.add(row["pattern"])
    assert len(patterns) >= 3


def test_evidence_is_by_moderated_tests_and_errors_are_not(made: Dataset) -> None:
    """With moderated errors of no use there is no pattern left, and every number is as before."""
    setting, usual = setting_of(made), rescue_scored(made)
    vague = replace(setting.fit.moderated, covariance=setting.fit.moderated.covariance * 1e6)
    found = rescue(made, replace(setting.fit, moderated=vague), setting.programmes.table)
    assert set(found["pattern"].dropna()) == {"none"}
    assert set(usual["pattern"].dropna()) > {"none"}
    tested = ["pattern", "injury_padj", "treatment_padj"]
    pd.testing.assert_frame_equal(found.drop(columns=tested), usual.drop(columns=tested))


def test_a_stricter_level_has_fewer_patterns(made: Dataset) -> None:
    """At an impossible one there are none; classes and numbers stay."""
    setting = setting_of(made)
    pairs = rescue_pairs(made.contrasts)
    none = rescue_programmes(setting.fit, pairs, programmes=setting.programmes.table, fdr=0.0)
    usual = rescue_programmes(setting.fit, pairs, programmes=setting.programmes.table, fdr=0.05)
    assert set(none["pattern"].dropna()) == {"none"}
    pd.testing.assert_frame_equal(none.drop(columns="pattern"), usual.drop(columns="pattern"))


def test_treated_samples_like_healthy_ones_are_fully_restored(simple: Dataset) -> None:
    """The same expression in both arms: every fraction that has a value is one."""
    vst = simple.expression.vst.copy()
    rng = np.random.default_rng(3)
    vst.iloc[4:8] += rng.choice([-4.0, 4.0], vst.shape[1])
    vst.iloc[8:12] = vst.iloc[0:4].to_numpy()
    rows = at(rescue_scored(simple.with_values(vst)), "agonist", None)
    strong = rows[rows["fraction_restored"].notna()]
    assert len(strong) >= 5
    np.testing.assert_allclose(strong["fraction_restored"], 1, rtol=1e-9)
    assert set(strong["class"]) == {"restored"}
    assert set(strong["pattern"]) == {"reversal"}


def test_treated_samples_like_injured_ones_are_unchanged(simple: Dataset) -> None:
    """No treatment effect at all: the fraction is nought."""
    vst = simple.expression.vst.copy()
    vst.iloc[4:8] += 4.0
    vst.iloc[8:12] = vst.iloc[4:8].to_numpy()
    rows = at(rescue_scored(simple.with_values(vst)), "agonist", None)
    strong = rows[rows["fraction_restored"].notna()]
    np.testing.assert_allclose(strong["fraction_restored"], 0, atol=1e-9)
    assert set(strong["class"]) == {"unchanged"}
    assert set(strong["pattern"]) == {"none"}


def test_the_unit_of_a_score_does_not_matter(simple: Dataset) -> None:
    """Scores in another unit, or upside down, are restored to the same fraction."""
    means = {"one": {"chow": 0.0, "pnac": 2.0, "agonist": 0.8}}
    scores = planted_scores(simple, means, spread={"one": 0.1})
    several = pd.concat([scores, -3 * scores.rename(columns={"one": "other"}) + 7], axis=1)
    rows = at(rescue(simple, *fit_of(simple, several)), "agonist", None)
    names = ["fraction_restored", "ci_low", "ci_high"]
    np.testing.assert_allclose(rows.loc["one", names].astype(float), rows.loc["other", names].astype(float), rtol=1e-9)
    assert rows.loc["other", "injury_effect"] == pytest.approx(-6)


def test_every_programme_is_a_row_of_every_pair(made: Dataset) -> None:
    """Pairs in their order, programmes by name; one without a score has its note and no number."""
    table = rescue_scored(made)
    assert tuple(table.columns) == RESCUE_PROGRAMMES
    blocks = table[["arm", "time"]].drop_duplicates()
    assert [(arm, None if np.isnan(time) else time) for arm, time in blocks.itertuples(index=False)] == times_of(
        rescue_pairs(made.contrasts)
    )
    assert table["programme"].tolist() == sorted(SETS) * 6
    rows = at(table, "ev", 7.0)
    assert rows.loc[list(UNSCORED), [*NUMBERS, "class", "pattern"]].isna().all(axis=None)
    assert rows.loc[list(UNSCORED), "note"].tolist() == list(UNSCORED.values())
    assert rows.loc[["half", "alpha"], "note"].tolist() == ["low_coverage", ""]


def test_a_pair_that_cannot_be_had_is_rows_with_notes() -> None:
    """Its own note before that of the programme; the average says what it leaves out."""
    made = make_dataset(dict.fromkeys(RESCUE, (1.0, 7.0, 14.0)) | {"chow": (1.0, 14.0)})
    table = rescue_scored(made)
    lost = at(table, "agonist", 7.0)
    assert lost.index.tolist() == sorted(SETS)
    assert lost[[*NUMBERS, "class", "pattern"]].isna().all(axis=None)
    assert lost.loc[["alpha", "half"], "note"].tolist() == ["no_reference", "no_reference;low_coverage"]
    average = at(table, "agonist", None)
    assert average.loc[["alpha", "half"], "note"].tolist() == ["times_left_out:7d", "times_left_out:7d;low_coverage"]
    assert average.loc["alpha", NUMBERS[:6]].notna().all()


def test_a_dataset_without_a_healthy_arm_is_rows_with_notes() -> None:
    """Every programme of every treated arm, once."""
    roles = {"control": "reference", "a": "treated", "b": "treated"}
    table = rescue_scored(make_dataset(dict.fromkeys(roles, DAYS), roles=roles))
    assert table[["arm", "programme"]].to_numpy().tolist() == [[arm, name] for arm in "ab" for name in sorted(SETS)]
    assert table["note"].str.startswith("no_healthy_arm").all()
    assert table[[*NUMBERS, "time", "class", "pattern"]].isna().all(axis=None)


def test_donors_that_no_arm_replicates_leave_notes() -> None:
    """No number, no class and no pattern."""
    table = rescue_scored(make_dataset(dict.fromkeys(RESCUE, DAYS), donors=1))
    assert table["note"].str.contains("donors_unreplicated").all()
    assert table[NUMBERS].isna().all(axis=None)
    assert set(table[["class", "pattern"]].fillna("").to_numpy().ravel()) == {""}


def test_nested_donors_have_degrees_of_freedom_of_their_own() -> None:
    """Each programme has the fewer of both effects', below those of independent samples."""
    made = make_dataset(dict.fromkeys(RESCUE, DAYS), donors=4)
    setting = setting_of(made, {name: SETS[name] for name in ("alpha", "trio")})
    rows = at(rescue(made, setting.fit, setting.programmes.table), "agonist", 7.0)
    pair = rescue_pairs(made.contrasts)[2]
    matrix = np.stack([weights_of(row or {}, made.model.columns) for row in (pair.injury, pair.treatment)])
    effects = estimate_linear(setting.fit.plain, matrix)
    np.testing.assert_allclose(rows["df"].astype(float), effects.df.min(axis=1), rtol=1e-9)
    assert (rows["df"] < 18).all()


def test_files_in_between_change_nothing(made: Dataset, tmp_path: Path) -> None:
    """Models and facts as the next step of the workflow reads them."""
    setting = setting_of(made)
    write_arrays(tmp_path / "fit.npz", setting.fit.arrays())
    write_table(setting.programmes.facts(), PROGRAMMES, path=tmp_path / "programmes.tsv")
    fit = programme_fit_from(read_arrays(tmp_path / "fit.npz"))
    facts = programme_facts(read_table(tmp_path / "programmes.tsv", PROGRAMMES))
    pairs = rescue_pairs(made.contrasts)
    pd.testing.assert_frame_equal(rescue(made, fit, facts), rescue_scored(made), check_dtype=False)
    pd.testing.assert_frame_equal(
        compare_arms(fit, pairs, programmes=facts),
        compare_arms(setting.fit, pairs, programmes=setting.programmes.table),
        check_dtype=False,
    )


def test_tables_are_written_and_read_back(made: Dataset, tmp_path: Path) -> None:
    """With rows, without programmes and without pairs."""
    for setting, pairs in (
        (setting_of(made), rescue_pairs(made.contrasts)),
        (setting_of(made, {}), rescue_pairs(made.contrasts)),
        (setting_of(made), []),
    ):
        facts = setting.programmes.table
        for table, columns in (
            (rescue_programmes(setting.fit, pairs, programmes=facts, fdr=0.05), RESCUE_PROGRAMMES),
            (compare_arms(setting.fit, pairs, programmes=facts), RESCUE_COMPARISONS),
        ):
            assert tuple(table.columns) == columns
            assert (len(table) > 0) == (len(pairs) > 0 and len(facts) > 0)
            again, expected = read_back(table, columns, path=tmp_path / "table.tsv")
            pd.testing.assert_frame_equal(again, expected, rtol=1e-8)


def test_known_variances_have_no_degrees_of_freedom() -> None:
    """Infinite ones are missing in tables, and their intervals are by the normal distribution."""
    effects = Estimates(np.array([[3.0, -1.5]]), np.array([[[0.2, -0.1], [-0.1, 0.2]]]), np.array([[np.inf, np.inf]]))
    ratio = restored_fraction(effects)
    columns = effect_columns(effects, ratio)
    assert np.isnan(columns["df"]).all()
    ends = fieller_ends(1.5, 3.0, covariance=np.array([[0.2, 0.1], [0.1, 0.2]]), df=1e9)
    assert (columns["ci_low"][0], columns["ci_high"][0]) == (pytest.approx(ends[0]), pytest.approx(ends[1]))
    assert columns["fraction_restored"][0] == 0.5
    assert columns["class"].tolist() == ["partly_restored"]


class TestComparison:
    """Which of two arms restores more."""

    def compare(self, made: Dataset) -> pd.DataFrame:
        """The table of scored programmes."""
        setting = setting_of(made)
        return compare_arms(setting.fit, rescue_pairs(made.contrasts), programmes=setting.programmes.table)

    def test_the_difference_is_that_of_the_fractions(self, made: Dataset) -> None:
        """Wherever both have a value, at each time and averaged; the later arm against the earlier one."""
        fractions, table = rescue_scored(made), self.compare(made)
        assert set(table["arm"]) == {"ev"}
        assert set(table["other_arm"]) == {"agonist"}
        seen = 0
        for time in (None, *DAYS):
            rows = at(table, "ev", time)
            difference = (
                at(fractions, "ev", time)["fraction_restored"] - at(fractions, "agonist", time)["fraction_restored"]
            )
            np.testing.assert_allclose(rows["difference"].astype(float), difference.astype(float), rtol=1e-8)
            seen += int(rows["difference"].notna().sum())
        assert seen >= 3

    def test_intervals_are_those_of_fieller_by_hand(self, made: Dataset) -> None:
        """The difference of the treated arms over the injury effect, with statsmodels and root finding."""
        setting = setting_of(made)
        rows = at(self.compare(made), "ev", 7.0)
        cells = [({Cell("agonist", 7.0): 1, Cell("ev", 7.0): -1}), {Cell("pnac", 7.0): 1, Cell("chow", 7.0): -1}]
        matrix = np.stack([weights_of(row, made.model.columns) for row in cells])
        for name in ("alpha", "beta"):
            score = setting.scores[name] / setting.programmes.table.loc[name, "attenuation"]
            fit = statsmodels.api.OLS(score, made.model.design).fit()
            low, high = fieller_ends(
                *(matrix @ fit.params), covariance=matrix @ fit.cov_params().to_numpy() @ matrix.T, df=23
            )
            assert rows.loc[name, "ci_low"] == pytest.approx(low, rel=1e-6)
            assert rows.loc[name, "ci_high"] == pytest.approx(high, rel=1e-6)

    @pytest.mark.parametrize(
        ("injured", "agonist", "ev", "name"),
        [
            (2.0, 1.5, 0.2, "more"),
            (2.0, 0.2, 1.5, "less"),
            (-2.0, -1.5, -0.2, "more"),
            (-2.0, -0.2, -1.5, "less"),
            (2.0, 1.0, 1.01, "undecided"),
            (2.0, 1.0, -1.0, "more"),
            (0.25, 0.2, -3.0, "injury_weak"),
            (0.0, 1.0, -1.0, "injury_not_detected"),
        ],
    )
    def test_planted_arms_are_told_apart(self, injured: float, agonist: float, ev: float, name: str) -> None:
        """Further back is more, whichever way the injury goes; nothing is said where the injury is weak."""
        made = make_dataset(dict.fromkeys(TWO, NONE), roles=TWO)
        means = {"p": {"chow": 0.0, "pnac": injured, "agonist": agonist, "ev": ev}}
        fit, programmes = fit_of(made, planted_scores(made, means, spread={"p": 0.1}))
        row = compare_arms(fit, rescue_pairs(made.contrasts), programmes=programmes).iloc[0]
        beyond = "beyond_healthy" if name == "more" and ev * injured < 0 else ""
        assert (row["class"], row["note"]) == (name, beyond)
        if name in ("more", "less", "undecided"):
            assert row["difference"] == pytest.approx((agonist - ev) / injured)
        else:
            assert np.isnan(row["difference"])

    def test_swapping_two_arms_flips_the_difference(self, made: Dataset) -> None:
        """The same samples, the arms in another order."""
        pairs, setting = rescue_pairs(made.contrasts), setting_of(made)
        back = sorted(pairs, key=lambda pair: pair.arm != "ev")
        one = at(compare_arms(setting.fit, pairs, programmes=setting.programmes.table), "ev", 7.0)
        other = at(compare_arms(setting.fit, back, programmes=setting.programmes.table), "agonist", 7.0)
        np.testing.assert_allclose(other["difference"].astype(float), -one["difference"].astype(float), rtol=1e-9)
        np.testing.assert_allclose(other["ci_low"].astype(float), -one["ci_high"].astype(float), rtol=1e-9)
        turned = {"more": "less", "less": "more"}
        assert other["class"].fillna("").tolist() == [turned.get(word, word) for word in one["class"].fillna("")]

    def test_every_pair_of_arms_on_one_base_is_compared(self) -> None:
        """Three arms at two times and averaged, control products among them; arms of another injury are not."""
        roles = {"chow": "healthy", "pnac": "injured", "bdl": "injured", "a": "treated", "b": "control_product"}
        roles |= {"c": "treated", "d": "treated"}
        against = {arm: {"against": "bdl" if arm == "d" else "pnac"} for arm in "abcd"}
        table = self.compare(make_dataset(dict.fromkeys(roles, DAYS), roles=roles, **against))
        blocks = table[["arm", "other_arm", "time"]].drop_duplicates()
        assert len(blocks) == 9
        assert set(zip(blocks["arm"], blocks["other_arm"], strict=True)) == {("b", "a"), ("c", "a"), ("c", "b")}
        assert table["programme"].tolist() == sorted(SETS) * 9

    def test_one_treated_arm_is_compared_with_none(self, simple: Dataset) -> None:
        """Nor with itself at another time."""
        assert len(self.compare(simple)) == 0
        assert len(self.compare(make_dataset(dict.fromkeys(RESCUE, DAYS)))) == 0

    def test_averages_are_compared_over_the_times_of_both(self) -> None:
        """The time that one arm lacks is left out, and its own rows have notes."""
        times = dict.fromkeys(TWO, (1.0, 7.0, 14.0)) | {"ev": (1.0, 7.0)}
        made = make_dataset(times, roles=TWO)
        table = self.compare(made)
        numbers = ["difference", "ci_low", "ci_high", "class"]
        average, lost = at(table, "ev", None), at(table, "ev", 14.0)
        left_out = "times_left_out:14d"
        assert average.loc[["alpha", "half"], "note"].tolist() == [left_out, f"{left_out};low_coverage"]
        assert lost[numbers].isna().all(axis=None)
        assert lost.loc[["alpha", "duo"], "note"].tolist() == ["no_reference", "no_reference;too_few_measured"]
        both = at(table, "ev", 7.0)
        assert both.loc["alpha", "class"] != ""
        assert both.loc[["alpha", "half"], "note"].tolist() == ["", "low_coverage"]

    def test_notes_of_both_arms_stand_beside_their_comparison(self) -> None:
        """A cell of one sample, and a time that healthy animals lack."""
        made = make_dataset(dict.fromkeys(TWO, (1.0, 7.0, 14.0)) | {"chow": (1.0, 7.0)}, roles=TWO)
        pairs = [
            replace(pair, note=join_notes(pair.note, "unreplicated")) if pair.arm == "ev" and pair.injury else pair
            for pair in rescue_pairs(made.contrasts)
        ]
        setting = setting_of(made)
        table = compare_arms(setting.fit, pairs, programmes=setting.programmes.table)
        assert at(table, "ev", None).loc["alpha", "note"] == "times_left_out:14d;unreplicated"
        assert at(table, "ev", 7.0).loc["alpha", "note"] == "unreplicated"

    def test_an_average_over_shared_times_has_the_numbers_of_these(self) -> None:
        """An agonist that is better by .75 of the injury at days 1 and 7, and by nothing at day 14, which ev lacks."""
        made = make_dataset(dict.fromkeys(TWO, (1.0, 7.0, 14.0)) | {"ev": (1.0, 7.0)}, roles=TWO)
        scores = planted_scores(made, {"p": {"chow": 0, "pnac": 2, "agonist": 0.5, "ev": 2}}, spread={"p": 0.1})
        is_late = (made.samples["arm"] == "agonist") & (made.samples["time"] == 14.0)
        scores.loc[is_late.to_numpy(), "p"] += 1.5
        fit, programmes = fit_of(made, scores)
        average = at(compare_arms(fit, rescue_pairs(made.contrasts), programmes=programmes), "ev", None)
        assert average.loc["p", "difference"] == pytest.approx(-0.75)
        assert average.loc["p", ["class", "note"]].tolist() == ["less", "times_left_out:14d"]

    def test_arms_without_a_healthy_arm_are_rows_without_numbers(self) -> None:
        """They have a note each."""
        roles = {"control": "reference", "a": "treated", "b": "treated"}
        table = self.compare(make_dataset(dict.fromkeys(roles, NONE), roles=roles))
        assert table["programme"].tolist() == sorted(SETS)
        assert table["difference"].isna().all()
        assert (table["note"] != "").all()

    def test_programmes_without_a_score_are_rows_with_notes(self, made: Dataset) -> None:
        """As in the other tables."""
        rows = at(self.compare(made), "ev", None)
        assert rows.loc[list(UNSCORED), "note"].tolist() == list(UNSCORED.values())
        assert rows.loc[list(UNSCORED), ["difference", "ci_low", "ci_high", "class"]].isna().all(axis=None)
