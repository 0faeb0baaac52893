"""Synonyms and dates: resolved where one gene alone can be meant, told where not."""

import pandas as pd
import pytest

from exoliver.symbols import resolve_symbols

KNOWN = {"Alb", "Septin2", "Septin14", "Marchf1", "Mtarc1", "Marchf3", "Bhlhe40", "Delec1", "Abc1"}
SYNONYMS = {"Sept2": "Septin2", "Nedd5": "Septin2", "Dec1": "Bhlhe40", "ABC1": "Alb", "Gone": "Unheard"}


def resolved(*ids: str, has_repair: bool = False) -> dict[str, tuple[str | None, str]]:
    """Symbol and note by id."""
    symbols, notes = resolve_symbols(pd.Series(list(ids)), KNOWN, synonyms=SYNONYMS, has_repair=has_repair)
    return dict(zip(ids, zip(symbols, notes, strict=True), strict=True))


def test_a_present_symbol_stays_what_it_is() -> None:
    """And so does an unknown one, without a note."""
    assert resolved("Alb", "zzz") == {"Alb": ("Alb", ""), "zzz": ("zzz", "")}


def test_a_synonym_leads_to_the_present_symbol() -> None:
    """Where that is known."""
    assert resolved("Sept2", "Gone") == {"Sept2": ("Septin2", "synonym"), "Gone": ("Gone", "")}


def test_a_synonym_of_another_row_is_not_resolved() -> None:
    """Neither beside its present symbol nor beside another synonym of it."""
    assert resolved("Sept2", "Septin2")["Sept2"] == ("Sept2", "synonym_of_present")
    assert resolved("Sept2", "Nedd5") == {
        "Sept2": ("Sept2", "synonym_shared"),
        "Nedd5": ("Nedd5", "synonym_shared"),
    }


def test_the_same_synonym_twice_is_no_other_row() -> None:
    """Two rows that differ in blanks alone are one gene."""
    symbols, notes = resolve_symbols(pd.Series(["Sept2", "Sept2"]), KNOWN, synonyms=SYNONYMS, has_repair=False)
    assert (symbols.tolist(), notes.tolist()) == (["Septin2"] * 2, ["synonym"] * 2)


def test_a_synonym_in_another_case_of_a_symbol_is_not_resolved() -> None:
    """ABC1 of a mouse is more likely Abc1 in capitals than a synonym of Alb."""
    assert resolved("ABC1") == {"ABC1": ("ABC1", "")}


@pytest.mark.parametrize("date", ["2-Sep", "Sep-02", "2021-09-02", "2-Sep-21"])
def test_a_date_is_repaired_when_asked_for(date: str) -> None:
    """Otherwise it has no symbol."""
    assert resolved(date) == {date: (None, "excel_date")}
    assert resolved(date, has_repair=True) == {date: ("Septin2", "excel_date_repaired")}


@pytest.mark.parametrize(
    ("date", "why"),
    [
        ("1-Mar", "two families"),
        ("3-Sep", "not in the annotation"),
        ("13-Sep", "there was no SEPT13"),
        ("1-Dec", "a synonym of another gene"),
        ("1-Oct", "no family"),
        ("9/2/2021", "day and month unknown"),
    ],
)
def test_a_date_with_a_rival_stays_a_date(date: str, why: str) -> None:
    """No guess is made."""
    assert resolved(date, has_repair=True) == {date: (None, "excel_date")}, why


@pytest.mark.parametrize("other", ["Septin2", "Sept2", "Sep-02"])
def test_a_date_whose_gene_has_another_row_stays_a_date(other: str) -> None:
    """Its symbol, a synonym of it, or another date."""
    assert resolved("2-Sep", other, has_repair=True)["2-Sep"] == (None, "excel_date")


def test_a_date_of_march_beyond_two_is_repaired() -> None:
    """MARC had two genes only."""
    assert resolved("3-Mar", has_repair=True) == {"3-Mar": ("Marchf3", "excel_date_repaired")}


def test_a_number_of_a_spreadsheet_has_no_symbol() -> None:
    """Its digits are lost."""
    assert resolved("2.31E+13", "1E+10", "2310009E13Rik") == {
        "2.31E+13": (None, "excel_number"),
        "1E+10": (None, "excel_number"),
        "2310009E13Rik": ("2310009E13Rik", ""),
    }


def test_no_symbols_give_no_answer() -> None:
    """An empty file of genes is no error here."""
    symbols, notes = resolve_symbols(pd.Series([], dtype=object), set(), synonyms={}, has_repair=True)
    assert (len(symbols), len(notes)) == (0, 0)
