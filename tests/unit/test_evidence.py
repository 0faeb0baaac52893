"""Programmes on a page: what is named as evidence, how courses and rescue read, and what stands beside the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

from exoliver.report.answer import answer_section
from exoliver.report.courses import course_rows, course_words, shift_words, told_courses
from exoliver.report.elements import Picture, Prose, Section, Table
from exoliver.report.evidence import aside_words, programme_words, programmes_tail, untested_words
from exoliver.report.material import Material
from exoliver.report.over_time import MOST_PROGRAMMES, over_time_section, surest_programmes
from exoliver.report.programmes import answer_picture, programmes_section
from exoliver.report.undone import rescue_sentence, undone_section
from exoliver.tables import EQUIVALENCE, RESCUE_COMPARISONS
from tests.toy_report import INJURED_ARMS, make_facts, make_material

SIDES: list[dict[str, Any]] = [
    {"gene_set": "repair", "title": "Repair", "theme": "regeneration"},
    {"gene_set": "clock", "title": "Circadian clock", "theme": "nuisance"},
    {"gene_set": "cells_kupffer", "title": "Kupffer-cell markers", "theme": "cells"},
]
ENTRY = {"name": "own", "gene_sets": SIDES}
LESS = "less and not shown at the last time"
SOONER = "the controls recovered: the treated recovered sooner"
TWO_TREATED = INJURED_ARMS | {"ev": {"role": "treated", "value": "e", "label": "CCl4 + EV", "product": "ev"}}


def make_effects(rows: Sequence[tuple[str, float, float]]) -> pd.DataFrame:
    """Effects of programme, estimate and p-value; adjusted ones are five times as large."""
    table = pd.DataFrame(rows, columns=["programme", "estimate", "pvalue"])
    return table.assign(padj=np.minimum(1, 5 * table["pvalue"]), note="")


MIXED = make_effects([("repair", 0.8, 1e-3), ("clock", 1.1, 0.02), ("cells_kupffer", -0.3, 0.4)])


@cache
def toy() -> Material:
    """The toy with three arms and two times."""
    return make_material()


def words_of(section: Section, lead: str = "") -> str:
    """Its paragraphs, or those under one lead."""
    blocks = [block for block in section.parts if isinstance(block, Prose) and (not lead or block.lead == lead)]
    return " ".join(text for block in blocks for text in block.paragraphs)


def with_rows(material: Material, **tables: Any) -> Material:
    """The material with other tables of programmes."""
    return replace(material, programmes=replace(material.programmes, **tables))


def test_programmes_with_evidence_are_named_the_surest_first() -> None:
    """By their side and p-value; cells and nuisances are none of them."""
    more = pd.concat([MIXED, make_effects([("b_sure", 0.2, 1e-9), ("a_low", -0.5, 1e-4)])], ignore_index=True)
    assert programme_words(more, ENTRY, fdr=0.05) == "raised: b sure and repair; lowered: a low"
    assert programme_words(MIXED, ENTRY, fdr=0.05, with_estimates=True) == "raised: repair (log2 0.80)"
    assert programme_words(MIXED, ENTRY, fdr=1e-4) == "there is no evidence that a programme changes"
    assert programme_words(MIXED.assign(pvalue=np.nan), ENTRY, fdr=0.05) == "no programme could be tested"
    assert programme_words(MIXED.iloc[1:], ENTRY, fdr=0.05) == ""


def test_a_tail_is_a_sentence() -> None:
    """Of names, of none, and of nothing."""
    assert programmes_tail("raised: repair") == "Programmes raised: repair."
    assert programmes_tail("no programme could be tested") == "No programme could be tested."
    assert programmes_tail("") == ""


def test_cells_and_nuisances_are_told_without_correction() -> None:
    """A caution rather speaks too often: its p-value is not adjusted."""
    assert aside_words(MIXED, ENTRY) == "raised: circadian clock"
    assert aside_words(MIXED.iloc[[0, 2]], ENTRY) == ""


def test_what_could_not_be_tested_says_why() -> None:
    """The reasons in words; nothing where one was tested."""
    lost = MIXED.assign(pvalue=np.nan, note=["too_few_measured", "donors_unreplicated", ""])
    words = untested_words([lost])
    assert "too few of their genes are measured" in words
    assert "single donor" in words
    assert untested_words([MIXED, lost]) == ""
    assert untested_words([]) == ""


def test_the_answer_warns_of_the_clock() -> None:
    """That a p53 or Cdkn1a change cannot be told apart from it; nothing where the clock does not move."""

    def beside(effects: pd.DataFrame) -> str:
        rows = [effects.assign(contrast=name) for name in toy().programmes.effects["contrast"].unique()]
        material = with_rows(toy(), beside=pd.concat(rows), beside_entry=ENTRY)
        return words_of(answer_section(material), "Beside it")

    text = beside(MIXED)
    assert "circadian clock" in text
    assert "such as Cdkn1a and with it the p53 response, cannot be told apart" in text
    assert beside(MIXED.iloc[[0, 2]]) == ""


def test_programmes_that_change_at_some_time_are_not_told_as_none() -> None:
    """Effects that cancel in the average are counted by the test of all times, in the finding and in few words."""
    effects = toy().programmes.effects.assign(padj=0.5)
    section = programmes_section(with_rows(toy(), effects=effects))
    changes = toy().programmes.changes
    own = changes[(changes["contrast"] == "msc_vs_ccl4__any_time") & (changes["padj"] < 0.05)]
    assert len(own) > 0
    assert f"none change on average, and {len(own)} at some time" in section.finding
    assert f"0 programmes with CCl4 + MSC, {len(own)} at some time" in section.contents


def test_a_clock_that_turns_between_times_is_told() -> None:
    """Opposite shifts at two times cancel in the average and are a caution all the same."""
    effects = toy().programmes.effects
    rows = [
        MIXED.assign(contrast=name, pvalue=1e-6 if name.endswith(("__1d", "__7d")) else 0.9, estimate=sign * 2.0)
        for name, sign in zip(effects["contrast"].unique(), np.tile([1, -1], 99), strict=False)
    ]
    text = words_of(answer_section(with_rows(toy(), beside=pd.concat(rows), beside_entry=ENTRY)), "Beside it")
    assert "At single times only: " in text
    assert "circadian clock" in text
    assert "cannot be told apart" in text


def test_few_programmes_are_followed_over_time() -> None:
    """Those with the smallest p-value at any time; an untested one is none of them, nor is a nuisance."""
    rows = pd.DataFrame(
        [(f"set{index:02d}", 10.0 ** -(index + time)) for index in range(30) for time in (0, 1)]
        + [("untested", np.nan), ("clock", 1e-99)],
        columns=["programme", "pvalue"],
    )
    assert surest_programmes(rows, ENTRY) == [f"set{index:02d}" for index in range(29, 29 - MOST_PROGRAMMES, -1)]


@pytest.mark.parametrize(
    ("kind", "side", "end", "words"),
    [
        ("sustained", 1, "effect_persists", "raised at day 1 and at the last time"),
        (
            "early_transient",
            -1,
            "control_recovered",
            f"lowered at day 7, {LESS} ({SOONER})",
        ),
        (
            "early_transient",
            1,
            "treated_relapsed",
            f"raised at day 7, {LESS} (the treated fell back)",
        ),
        ("delayed", 1, "", "raised late, at day 1 and at the last time"),
        ("reversing", 1, "effect_persists", "raised at one time and lowered at another"),
    ],
)
def test_courses_read_as_what_happened(kind: str, side: int, end: str, words: str) -> None:
    """Way, times, and how it ended; recovered sooner is told from relapsed."""
    row = pd.Series({"class": kind, "side": side, "onset": 1.0, "peak": 7.0, "end_state": end, "note": ""})
    assert course_words(row, toy().look) == words


def test_the_time_gained_has_its_interval() -> None:
    """An end that runs beyond the times is a bound; nothing is told without a value, or where there is no gain."""
    row = pd.Series(
        {"recovery_shift": 2.0, "recovery_shift_low": 0.5, "recovery_shift_high": 3.0, "class": "delayed", "note": ""}
    )
    assert shift_words(row, toy().look) == "2.0 days (0.50 to 3.0)"
    open_end = pd.Series(row.to_dict() | {"recovery_shift_high": np.nan})
    assert shift_words(open_end, toy().look) == "at least 0.50 days"
    start = pd.Series(row.to_dict() | {"recovery_shift_low": np.nan})
    assert shift_words(start, toy().look) == "at most 3.0 days"
    for other in ({"recovery_shift": np.nan}, {"class": "reversing"}, {"note": "effect_not_against_injury"}):
        assert shift_words(pd.Series(row.to_dict() | other), toy().look) == ""


def test_treated_who_were_further_from_healthy_do_not_relapse() -> None:
    """They come back to the untreated."""
    row = pd.Series(
        {
            "class": "early_transient",
            "side": 1,
            "onset": 1.0,
            "peak": 1.0,
            "end_state": "treated_relapsed",
            "note": "effect_not_against_injury",
        }
    )
    assert course_words(row, toy().look) == f"raised at day 1, {LESS} (the treated came back to the untreated)"


def test_what_goes_past_healthy_is_not_called_back() -> None:
    """Beyond healthy is a clause of its own; without evidence of the injury among all programmes nothing is told."""
    beyond = toy().programmes.rescue.assign(pattern="reversal", **{"class": "overshoot"})
    text = rescue_sentence(with_rows(toy(), rescue=beyond), "msc")
    assert "Past healthy: apoptosis." in text
    assert "Back towards healthy" not in text
    assert "no evidence that any" not in text
    section = undone_section(with_rows(toy(), rescue=beyond))
    assert section.contents == "CCl4 + MSC: 0 of 1 clear injury effect back, 1 past healthy"
    unsure = toy().programmes.rescue.assign(injury_padj=0.2)
    assert "the injury moves 0 clearly" in rescue_sentence(with_rows(toy(), rescue=unsure), "msc")


def test_courses_are_told_together() -> None:
    """Programmes of one course in one clause; that there is none, that none could be tested."""
    contrast = next(one for one in toy().contrasts if one.id == "msc_vs_ccl4__any_time")
    assert told_courses(toy(), contrast) == (
        "apoptosis raised at day 1 and at the last time; anti apoptosis lowered at day 1 and at the last time"
    )
    assert len(course_rows(toy(), contrast)) == 3
    assert told_courses(make_material(sure_sets=False), contrast) == "no programme can be shown to change at any time"
    assert told_courses(make_material(untested_sets=True), contrast) == "no programme could be tested"


def test_the_programmes_section_shows_effects_with_intervals() -> None:
    """One table for each averaged contrast, what is wanted beside, and the mixture under its own heading."""
    section = programmes_section(toy())
    tables = [block for block in section.parts if isinstance(block, Table)]
    assert len(tables) == 3
    titles = [column.title for column in tables[0].columns]
    assert "Wanted" in titles
    assert "Change not explained by the cell mixture" in titles
    assert tables[0].rows[1][2].text == "0.50 (0.30 to 0.70)"
    plain = toy().programmes.effects.assign(estimate_adjusted=np.nan)
    without = programmes_section(with_rows(toy(), effects=plain))
    first = next(block for block in without.blocks if isinstance(block, Table))
    assert "Change not explained by the cell mixture" not in [column.title for column in first.columns]


def test_pictures_are_of_effects() -> None:
    """Beside the answer and over time, in log2."""
    picture = answer_picture(toy())
    assert picture is not None
    assert "log2" in picture.figure.data.columns
    over_time = next(block for block in over_time_section(toy()).parts if isinstance(block, Picture))
    assert {"estimate", "ci_low", "ci_high"} <= set(over_time.figure.data.columns)
    assert answer_picture(make_material(untested_sets=True)) is None


def test_rescue_says_how_much_of_the_injury_can_be_told() -> None:
    """Clear and weak injuries apart; fractions with intervals; no value for a weak slope."""
    text = rescue_sentence(toy(), "msc")
    assert "of 3 programmes, the injury moves 1 clearly (adjusted p below 0.05" in text
    assert "apoptosis 0.50 (0.20 to 0.80)" in text
    assert "Over all genes together: day 1: not told, the injury being 2.0 standard errors" in text
    none = toy().programmes.rescue.assign(fraction_restored=np.nan, **{"class": "injury_weak", "pattern": "none"})
    assert "Nothing can be called restored." in rescue_sentence(with_rows(toy(), rescue=none), "msc")
    worse = toy().programmes.rescue.assign(pattern="amplified_response")
    assert "Injury response amplified: apoptosis." in rescue_sentence(with_rows(toy(), rescue=worse), "msc")


def test_the_rescue_section_lists_weak_injuries_with_their_interval_alone() -> None:
    """And counts those without an injury to undo."""
    section = undone_section(toy())
    table = next(block for block in section.parts if isinstance(block, Table))
    cells = [[cell.text for cell in row] for row in table.rows]
    assert any("0.50 (0.20 to 0.80)" in row for row in cells)
    assert any("0.20 to 0.80" in row for row in cells)
    assert "For 1 programme no injury effect is detected." in table.caption
    assert section.contents == "CCl4 + MSC: 1 of 1 clear injury effect back"


def test_the_rescue_section_lists_genes_as_exploratory() -> None:
    """By symbol, else by id, over all times; the caption counts those that go back."""
    named = toy().programmes.rescue_genes.assign(symbol="Mcl1")
    for material, gene in ((toy(), "G0000"), (with_rows(toy(), rescue_genes=named), "Mcl1")):
        table = [block for block in undone_section(material).parts if isinstance(block, Table)][-1]
        row = [cell.text for cell in table.rows[0]]
        assert (row[0], row[4]) == (gene, "0.50 (0.20 to 0.80)")
        assert table.caption.startswith("Gene by gene, exploratory")
        assert "1 of all go back" in table.caption


def test_the_share_of_the_mixture_that_is_held_constant_is_told() -> None:
    """Beside the effects that it qualifies, and nowhere where it was not."""
    table = next(block for block in programmes_section(toy()).parts if isinstance(block, Table))
    assert "2 components or more of marker scores, which hold 80 % or more of their variance" in table.caption
    cells = toy().programmes.effects.assign(mixture_components=np.nan, mixture_share=np.nan)
    plain = next(
        block for block in programmes_section(with_rows(toy(), effects=cells)).parts if isinstance(block, Table)
    )
    assert "mixture" not in plain.caption


def test_rescue_without_a_healthy_arm_says_so() -> None:
    """Not testable, with the reason."""
    arms = {name: arm for name, arm in INJURED_ARMS.items() if name != "healthy"}
    arms["other"] = {"role": "reference", "value": "r", "label": "Other"}
    section = undone_section(make_material(make_facts(arms)))
    assert section.finding.startswith("Not testable: ")
    assert section.contents == "Not testable"


def test_two_products_are_compared() -> None:
    """Which restores more, by its label, and how many programmes they move alike."""
    material = make_material(make_facts(TWO_TREATED))
    row = dict.fromkeys(RESCUE_COMPARISONS) | {
        "programme": "apoptosis", "arm": "ev", "other_arm": "msc", "time": 7.0, "difference": -0.4, "ci_low": -0.6,
        "ci_high": -0.2, "class": "less", "fraction": 0.8, "other_fraction": 1.2, "note": "beyond_healthy",
    }  # fmt: skip
    same = dict.fromkeys(EQUIVALENCE) | {
        "programme": "apoptosis", "contrast": "ev_vs_msc", "margin": 0.32, "verdict": "equivalent",
        "estimate": 0.1, "ci_low": 0.0, "ci_high": 0.2, "padj": 0.01, "note": "",
    }  # fmt: skip
    told = with_rows(material, comparisons=pd.DataFrame([row]), equivalence=pd.DataFrame([same]))
    tables = [block for block in undone_section(told).parts if isinstance(block, Table)]
    verdicts, alike, compared = tables[-3:]
    assert [cell.text for cell in verdicts.rows[0]][:3] == ["CCl4 + EV vs CCl4 + MSC", "all times", "1"]
    assert [cell.text for cell in alike.rows[0]][3:5] == ["0.10 (0.00 to 0.20)", "the same within the margin"]
    expected = ["Apoptosis", "CCl4 + MSC: 1.2", "CCl4 + EV: 0.80", "day 7", "0.40 (0.20 to 0.60)"]
    assert [cell.text for cell in compared.rows[0]] == [*expected, "the larger fraction is past healthy"]


def test_what_weakens_a_rescue_stands_behind_its_sentence() -> None:
    """Times that are averaged, and notes that all programmes share; each row has its own notes in the table."""
    text = rescue_sentence(toy(), "msc")
    assert "(Means of day 1 and 7.)" in text
    noted = toy().programmes.rescue.assign(note="times_left_out:14d;unreplicated")
    text = rescue_sentence(with_rows(toy(), rescue=noted), "msc")
    assert "times that one arm lacks are left out: 14d; a group has a single sample: read as description" in text
    table = next(block for block in undone_section(with_rows(toy(), rescue=noted)).parts if isinstance(block, Table))
    assert table.columns[-1].title == "Note"
    assert "a group has a single sample" in table.rows[0][-1].text


def test_a_time_gained_is_not_told_where_the_courses_differ_in_shape() -> None:
    """The treated course is then not the injured one moved in time."""
    row = pd.Series(
        {"recovery_shift": 2.0, "recovery_shift_low": 1.0, "recovery_shift_high": 3.0, "class": "sustained"}
    )
    told = {
        note: shift_words(pd.concat([row, pd.Series({"note": note})]), toy().look) for note in ("", "shape_differs")
    }
    assert told == {"": "2.0 days (1.0 to 3.0)", "shape_differs": ""}
