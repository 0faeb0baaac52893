"""Contrasts: which there are, in which order, and what their weights say of the means of the cells."""

import json
import re
from collections.abc import Sequence

import numpy as np
import pytest

from exoliver.contrasts import Cell, Contrast, as_index, derive_contrasts, from_index, time_label, unlike_comparators
from tests.toy_model import RESCUE, make_arms, make_cells, make_extra

DAYS = (1.0, 7.0, 14.0)
ALL = {"chow": DAYS, "pnac": DAYS, "agonist": DAYS}


def derive(roles: dict[str, str], times: dict[str, Sequence[float | None]], **keys: object) -> dict[str, Contrast]:
    """Contrasts by id; `extra` and `unit` among the keys, and more keys of arms by their names."""
    extra = make_extra(keys.pop("extra", {}))
    unit = keys.pop("unit", "day")
    contrasts = derive_contrasts(make_arms(roles, **keys), cells=make_cells(times), unit=unit, extra=extra)
    found = {contrast.id: contrast for contrast in contrasts}
    assert len(found) == len(contrasts), "ids are unique"
    return found


def applied(contrast: Contrast, means: dict[Cell, float]) -> list[float]:
    """The contrast's rows on the means of the cells."""
    return [sum(weight * means[cell] for cell, weight in row.items()) for row in contrast.rows]


def random_means(times: dict[str, Sequence[float | None]]) -> dict[Cell, float]:
    """A mean for every cell."""
    rng = np.random.default_rng(3)
    return {cell: float(rng.normal()) for cell in make_cells(times)}


@pytest.fixture(scope="module")
def full() -> dict[str, Contrast]:
    """Three arms at three times."""
    return derive(RESCUE, ALL)


def test_three_arms_at_three_times_have_the_contrasts_of_the_contract(full: dict[str, Contrast]) -> None:
    """Pair by pair: averaged, at each time, changes against the first and consecutive, omnibus tests; in that order."""

    def of_pair(pair: str, *, followed: bool) -> list[str]:
        changes = ["7d_vs_1d", "14d_vs_1d", "14d_vs_7d", "any_time", "over_time"] if followed else []
        return [pair, *(f"{pair}__{part}" for part in ("1d", "7d", "14d", *changes))]

    expected = [
        *of_pair("pnac_vs_chow", followed=True),
        *of_pair("agonist_vs_pnac", followed=True),
        *of_pair("agonist_vs_chow", followed=False),
    ]
    assert list(full) == expected


def test_each_contrast_says_what_kind_and_form_it_is(full: dict[str, Contrast]) -> None:
    """Kind by the pair of roles, form by the part after the pair."""
    kinds = {"pnac_vs_chow": "injury", "agonist_vs_pnac": "treatment", "agonist_vs_chow": "distance"}
    for name, contrast in full.items():
        pair, _, part = name.partition("__")
        forms = {"": "averaged", "any_time": "any_time", "over_time": "over_time"}
        form = forms.get(part, "change" if "_vs_" in part else "at_time")
        assert (contrast.kind, contrast.form, contrast.effect) == (kinds[pair], form, pair)
        assert contrast.is_omnibus == (part in ("any_time", "over_time"))
        assert contrast.note == ""


def test_the_weights_give_the_differences_that_the_ids_name(full: dict[str, Contrast]) -> None:
    """Applied to made-up cell means they give what the id says, computed from the means themselves."""
    means = random_means(ALL)

    def effect(pair: str, time: float) -> float:
        arm, base = pair.split("_vs_")
        return means[Cell(arm, time)] - means[Cell(base, time)]

    for name, contrast in full.items():
        pair, _, part = name.partition("__")
        effects = [effect(pair, time) for time in DAYS]
        by_part = {
            "": [sum(effects) / 3],
            "1d": effects[:1],
            "7d": effects[1:2],
            "14d": effects[2:],
            "7d_vs_1d": [effects[1] - effects[0]],
            "14d_vs_1d": [effects[2] - effects[0]],
            "14d_vs_7d": [effects[2] - effects[1]],
            "any_time": effects,
            "over_time": [effects[1] - effects[0], effects[2] - effects[0]],
        }
        assert applied(contrast, means) == pytest.approx(by_part[part], abs=1e-12), name


def test_the_times_of_a_contrast_are_those_it_speaks_of(full: dict[str, Contrast]) -> None:
    """All for averaged and omnibus ones, one at a time, and for a change the later first."""
    assert full["pnac_vs_chow"].times == DAYS
    assert full["pnac_vs_chow__7d"].times == (7.0,)
    assert full["pnac_vs_chow__14d_vs_7d"].times == (14.0, 7.0)
    assert full["pnac_vs_chow__any_time"].times == full["pnac_vs_chow__over_time"].times == DAYS


def test_weights_sum_to_zero(full: dict[str, Contrast]) -> None:
    """A difference does not move when all cells move together; a change not even when both arms of a time do."""
    for contrast in full.values():
        for row in contrast.rows:
            assert sum(row.values()) == pytest.approx(0, abs=1e-12)
            if contrast.form in ("change", "over_time"):
                for time in DAYS:
                    at_time = [weight for cell, weight in row.items() if cell.time == time]
                    assert sum(at_time) == pytest.approx(0, abs=1e-12)


def test_a_change_is_the_difference_of_two_effects(full: dict[str, Contrast]) -> None:
    """Its weights are those of the later effect minus those of the earlier."""
    for pair in ("pnac_vs_chow", "agonist_vs_pnac"):
        later, earlier = full[f"{pair}__14d"].rows[0], full[f"{pair}__7d"].rows[0]
        expected = {cell: later.get(cell, 0) - earlier.get(cell, 0) for cell in {**later, **earlier}}
        assert full[f"{pair}__14d_vs_7d"].rows[0] == expected


def test_swapping_arms_flips_the_signs() -> None:
    """With the roles of two arms exchanged every weight changes its sign."""
    forth = derive({"a": "healthy", "b": "injured"}, {"a": DAYS, "b": DAYS})
    back = derive({"a": "injured", "b": "healthy"}, {"a": DAYS, "b": DAYS})
    assert len(forth) == len(back) == 9
    for one, other in zip(forth.values(), back.values(), strict=True):
        assert one.id.replace("b_vs_a", "a_vs_b") == other.id
        for row, mirrored in zip(one.rows, other.rows, strict=True):
            assert row == {cell: -weight for cell, weight in mirrored.items()}


def test_a_baseline_serves_every_time() -> None:
    """An arm without a time of its own stands in at each, and cancels in changes."""
    times: dict[str, Sequence[float | None]] = {"chow": [None], "pnac": DAYS, "agonist": DAYS}
    found = derive(RESCUE, times, chow={"at": "all_times"})
    chow = Cell("chow", None)
    for time, part in zip(DAYS, ("1d", "7d", "14d"), strict=True):
        assert found[f"pnac_vs_chow__{part}"].rows == ({Cell("pnac", time): 1.0, chow: -1.0},)
    assert found["pnac_vs_chow"].rows[0][chow] == pytest.approx(-1)
    assert found["pnac_vs_chow"].note == ""
    changes = [contrast for contrast in found.values() if contrast.form in ("change", "over_time")]
    assert len(changes) == 8
    assert all(chow not in row for contrast in changes for row in contrast.rows)
    assert len(found["pnac_vs_chow__any_time"].rows) == 3


def test_a_time_that_one_arm_lacks_is_a_contrast_without_rows() -> None:
    """It keeps its place with the note `missing_cell`, and the averaged effect says which times it leaves out."""
    found = derive(RESCUE, ALL | {"agonist": (1.0, 14.0)})
    lost = found["agonist_vs_pnac__7d"]
    assert (lost.rows, lost.note, lost.times) == ((), "missing_cell", (7.0,))
    averaged = found["agonist_vs_pnac"]
    assert (averaged.note, averaged.times) == ("times_left_out:7d", (1.0, 14.0))
    assert sorted(averaged.rows[0].values()) == [-0.5, -0.5, 0.5, 0.5]
    assert [name for name in found if name.startswith("agonist_vs_pnac__") and "_vs_" in name[16:]] == [
        "agonist_vs_pnac__14d_vs_1d"
    ]
    assert len(found["agonist_vs_pnac__any_time"].rows) == 2
    assert len(found["agonist_vs_pnac__over_time"].rows) == 1


def test_arms_without_a_time_in_common_have_no_average() -> None:
    """Every contrast of the pair lacks a cell, and no change is made of them."""
    found = derive({"a": "healthy", "b": "injured"}, {"a": (1.0, 2.0), "b": (3.0, 4.0)})
    assert list(found) == ["b_vs_a", "b_vs_a__1d", "b_vs_a__2d", "b_vs_a__3d", "b_vs_a__4d"]
    assert {(contrast.rows, contrast.note) for contrast in found.values()} == {((), "missing_cell")}


def test_an_arm_without_samples_is_a_contrast_without_rows() -> None:
    """One row says that the cell is missing."""
    found = derive(RESCUE, {"chow": DAYS, "pnac": DAYS})
    assert [name for name, contrast in found.items() if contrast.note == "missing_cell"] == [
        "agonist_vs_pnac",
        "agonist_vs_chow",
    ]


def test_a_single_time_has_the_pair_alone() -> None:
    """No contrast at the time beside it, and no change."""
    found = derive(RESCUE, dict.fromkeys(RESCUE, (7.0,)))
    assert list(found) == ["pnac_vs_chow", "agonist_vs_pnac", "agonist_vs_chow"]
    assert found["agonist_vs_pnac"].rows == ({Cell("agonist", 7.0): 1.0, Cell("pnac", 7.0): -1.0},)
    assert found["agonist_vs_pnac"].times == (7.0,)


def test_a_dataset_without_times_has_the_pairs_alone() -> None:
    """The cells are the arms."""
    found = derive(RESCUE, {"chow": [None], "pnac": [None], "agonist": [None]}, unit=None)
    assert list(found) == ["pnac_vs_chow", "agonist_vs_pnac", "agonist_vs_chow"]
    assert found["agonist_vs_chow"].rows == ({Cell("agonist", None): 1.0, Cell("chow", None): -1.0},)
    assert {contrast.times for contrast in found.values()} == {()}


def test_treated_arms_of_one_base_are_compared_head_to_head() -> None:
    """The later in the YAML over the earlier, a control product among them; without changes of their own."""
    roles = RESCUE | {"bm_ev": "treated", "fibro_ev": "control_product"}
    found = derive(roles, dict.fromkeys(roles, (1.0, 7.0)))
    pairs = {contrast.effect: contrast.kind for contrast in found.values()}
    assert pairs == {
        "pnac_vs_chow": "injury",
        "agonist_vs_pnac": "treatment",
        "agonist_vs_chow": "distance",
        "bm_ev_vs_pnac": "treatment",
        "bm_ev_vs_chow": "distance",
        "fibro_ev_vs_pnac": "treatment",
        "fibro_ev_vs_chow": "distance",
        "bm_ev_vs_agonist": "head_to_head",
        "fibro_ev_vs_agonist": "head_to_head",
        "fibro_ev_vs_bm_ev": "head_to_head",
    }
    assert [name for name in found if name.startswith("bm_ev_vs_agonist")] == [
        "bm_ev_vs_agonist",
        "bm_ev_vs_agonist__1d",
        "bm_ev_vs_agonist__7d",
    ]


def test_treated_arms_of_different_bases_are_not_compared() -> None:
    """Each keeps to its own vehicle."""
    roles = {"chow": "healthy", "oil": "injured", "pbs": "injured", "drug": "treated", "ev": "treated"}
    found = derive(roles, {arm: [None] for arm in roles}, unit=None, drug={"against": "oil"}, ev={"against": "pbs"})
    assert list(found) == ["oil_vs_chow", "pbs_vs_chow", "drug_vs_oil", "drug_vs_chow", "ev_vs_pbs", "ev_vs_chow"]


def test_a_product_on_healthy_animals_is_an_effect_of_its_own() -> None:
    """Against the healthy arm; not followed over time, and not head to head with treated arms."""
    roles = RESCUE | {"chow_ev": "treated_healthy"}
    found = derive(roles, dict.fromkeys(roles, (1.0, 7.0)))
    of_healthy = [contrast for contrast in found.values() if contrast.arm == "chow_ev"]
    assert [contrast.id for contrast in of_healthy] == ["chow_ev_vs_chow", "chow_ev_vs_chow__1d", "chow_ev_vs_chow__7d"]
    assert {contrast.kind for contrast in of_healthy} == {"product_on_healthy"}


def test_a_treated_arm_may_have_a_reference_only() -> None:
    """A plain two-arm comparison is a treatment effect over time, without a distance to health."""
    found = derive({"ll": "reference", "sl": "treated"}, {"ll": (0.0, 6.0), "sl": (0.0, 6.0)}, unit="h")
    assert list(found) == [
        "sl_vs_ll",
        "sl_vs_ll__0h",
        "sl_vs_ll__6h",
        "sl_vs_ll__6h_vs_0h",
        "sl_vs_ll__any_time",
        "sl_vs_ll__over_time",
    ]
    assert {contrast.kind for contrast in found.values()} == {"treatment"}


def test_reference_arms_alone_have_no_contrasts() -> None:
    """Nothing says which would be compared with which."""
    assert derive({"a": "reference", "b": "reference"}, {"a": [None], "b": [None]}, unit=None) == {}


def test_without_a_healthy_arm_there_is_no_injury_effect() -> None:
    """The treatment effect stands alone."""
    found = derive({"pnac": "injured", "agonist": "treated"}, {"pnac": [None], "agonist": [None]}, unit=None)
    assert list(found) == ["agonist_vs_pnac"]


def test_an_extra_contrast_averages_over_its_times() -> None:
    """Mean of some cells minus mean of others."""
    extra = {
        "late": {
            "of": {"arm": "agonist", "time": [7, 14]},
            "against": {"arm": "pnac", "time": [7, 14]},
        }
    }
    found = derive(RESCUE, ALL, extra=extra)
    means = random_means(ALL)
    late = [(means[Cell("agonist", time)] - means[Cell("pnac", time)]) / 2 for time in (7.0, 14.0)]
    assert list(found)[-1] == "late"
    assert applied(found["late"], means) == pytest.approx([sum(late)])
    assert (found["late"].kind, found["late"].form, found["late"].times) == ("extra", "extra", (7.0, 14.0))


def test_an_extra_contrast_may_take_a_second_difference_off() -> None:
    """`minus` gives the change that the derived contrast of the same times gives."""
    at = {day: {"of": {"arm": "agonist", "time": day}, "against": {"arm": "pnac", "time": day}} for day in (7, 14)}
    found = derive(RESCUE, ALL, extra={"gain": at[14] | {"minus": at[7]}})
    assert found["gain"].rows == found["agonist_vs_pnac__14d_vs_7d"].rows


def test_an_extra_contrast_without_times_takes_all_of_an_arm() -> None:
    """It equals the averaged effect; a baseline stands in at any time that is asked for."""
    whole = {"of": {"arm": "agonist"}, "against": {"arm": "pnac"}}
    early = {"of": {"arm": "pnac", "time": 1}, "against": {"arm": "chow", "time": 1}}
    times: dict[str, Sequence[float | None]] = ALL | {"chow": [None]}
    found = derive(RESCUE, times, extra={"whole": whole, "early": early}, chow={"at": "all_times"})
    assert found["whole"].rows[0] == pytest.approx(found["agonist_vs_pnac"].rows[0])
    assert found["early"].rows == found["pnac_vs_chow__1d"].rows


@pytest.mark.parametrize(
    ("against", "note"),
    [({"arm": "agonist", "time": 7}, "cancels_out"), ({"arm": "pnac", "time": 3}, "missing_cell")],
)
def test_an_extra_contrast_that_cannot_be_estimated_says_why(against: dict[str, object], note: str) -> None:
    """No rows, and a note."""
    found = derive(RESCUE, ALL, extra={"odd": {"of": {"arm": "agonist", "time": 7}, "against": against}})
    assert (found["odd"].rows, found["odd"].note) == ((), note)


@pytest.mark.parametrize(
    ("time", "unit", "label"),
    [
        (7.0, "day", "7d"),
        (36.0, "h", "36h"),
        (0.5, "h", "0p5h"),
        (-1.0, "day", "m1d"),
        (-0.25, "day", "m0p25d"),
        (10.0, "min", "10min"),
        (2.0, "week", "2w"),
        (3.0, "month", "3mo"),
        (0.0, "h", "0h"),
        (1e6, "min", "1000000min"),
        (1e-7, "h", "1em07h"),
    ],
)
def test_a_time_has_its_label(time: float, unit: str, label: str) -> None:
    """Number and unit, as they stand in ids."""
    assert time_label(time, unit) == label
    assert re.fullmatch("[a-z0-9]+", label)


def test_contrasts_survive_their_index() -> None:
    """Through JSON and back they are the same, baselines, extra ones and lost ones among them."""
    times: dict[str, Sequence[float | None]] = {"chow": [None], "pnac": (-1.0, 0.5, 7.0), "agonist": (0.5, 7.0)}
    extra = {"odd": {"of": {"arm": "agonist", "time": 7}, "against": {"arm": "pnac", "time": 3}}}
    contrasts = list(derive(RESCUE, times, extra=extra, chow={"at": "all_times"}).values())
    assert any(not contrast.rows for contrast in contrasts)
    assert from_index(json.loads(json.dumps(as_index(contrasts)))) == contrasts


def test_a_naive_baseline_and_a_vehicle_are_unlike_comparators() -> None:
    """Both are named, and nothing where one of the two is lacking."""
    naive, oil = {"procedure": "naive"}, {"vehicle": "oil"}
    assert unlike_comparators(make_arms(RESCUE, chow=naive, pnac=oil)) == (["chow"], ["pnac"])
    for keys in ({"chow": naive}, {"pnac": oil}, {"chow": naive | oil, "pnac": oil}, {"chow": naive, "agonist": oil}):
        assert unlike_comparators(make_arms(RESCUE, **keys)) == ([], [])
