"""The scripts of a page: what is taken from the packages, what the policy allows, and what keys cells are sorted by."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser

import pytest

from exoliver.report.elements import Column, Page, Table, counts, effects, numbers, pvalues, texts
from exoliver.report.libraries import as_global, library_scripts, neutral, policy, script_hash, tables_bundle
from exoliver.report.pages import dataset_page
from exoliver.report.render import read_asset, render_page, render_text
from tests.toy_report import make_material

LONG = tuple(f"row {place}" for place in range(9))


class Scripts(HTMLParser):
    """Type and text of every script of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self.is_open = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open a script."""
        self.is_open = tag == "script"
        self.found += [(dict(attrs).get("type") or "", "")] if self.is_open else []

    def handle_endtag(self, tag: str) -> None:
        """Close it."""
        self.is_open = self.is_open and tag != "script"

    def handle_data(self, data: str) -> None:
        """Keep what is within."""
        if self.is_open:
            kind, text = self.found[-1]
            self.found[-1] = (kind, text + data)


@cache
def toy() -> Page:
    """The page of the toy."""
    return dataset_page(make_material(), "**Data.** Some.")


@cache
def html() -> str:
    """Its HTML."""
    return render_page(toy())


def policy_of(page: str) -> str:
    """The content policy of a page, as the browser reads it."""
    found = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert found
    return found[1].replace("&#39;", "'")


def test_every_script_that_runs_is_in_the_policy_by_its_digest() -> None:
    """And nothing else: the digests are recomputed from the text between the tags."""
    texts = [text for kind, text in Scripts(html()).found if kind in ("", "module")]
    digests = {base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts}
    assert len(texts) == 4
    assert set(re.findall(r"'sha256-([^']+)'", policy_of(html()))) == digests
    assert policy_of(html()).startswith(
        "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data: blob:; style-src 'unsafe-inline'; "
        "script-src '"
    )
    assert "unsafe-eval" not in policy_of(html())
    assert policy_of(html()).count("unsafe-inline") == 1


def test_a_page_without_scripts_allows_none() -> None:
    """An empty list is no permission."""
    assert policy([]).endswith("script-src 'none'")
    assert policy(["a", "a"]).count("sha256-") == 1
    assert script_hash("") == "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"  # of nothing, FIPS 180-4


def test_libraries_are_on_a_page_only_where_they_are_needed() -> None:
    """Charts without genes, tables without long ones: neither; each once where it is."""
    short = Table("Caption.", (texts("Name", LONG[:7]),))
    plain = replace(toy(), sections=(replace(toy().sections[0], blocks=(short,)),), aside=None)
    plain = replace(plain, answer=replace(plain.answer, blocks=()))
    assert "vegaEmbed=" not in render_page(plain)
    assert "globalThis.DataTable=" not in render_page(plain)
    longer = replace(plain, sections=(replace(toy().sections[0], blocks=(Table("Caption.", (texts("Name", LONG),)),)),))
    assert "vegaEmbed=" not in render_page(longer)
    assert render_page(longer).count("globalThis.DataTable=") == 1
    assert html().count("window.vegaEmbed=") == 1
    assert html().count("globalThis.DataTable=") == 1


def test_licences_of_libraries_are_named() -> None:
    """In a comment beside each and at the foot of the page."""
    named = [script.credit for script in library_scripts(has_tables=True, has_charts=True)]
    assert [re.findall(r"\(([^)]+)\)", credit) for credit in named] == [["BSD 3-Clause"], ["MIT"]]
    assert all(html().count(credit) == 2 for credit in named)


def test_nothing_in_a_library_ends_its_script() -> None:
    """In strings and patterns the escaped letters mean the same."""
    code = "a='</SCRIPT>';b=/<!--x/;c='<script>'"
    assert neutral(code) == r"a='\x3c/SCRIPT>';b=/\x3c!--x/;c='<script>'"
    for script in library_scripts(has_tables=True, has_charts=True):
        assert re.findall(r"</script|<!--", script.text, flags=re.IGNORECASE) == []


def test_the_module_of_tables_becomes_a_script() -> None:
    """Its default export is set by its own name; what follows stays."""
    assert as_global("var a=1;export{a as B,c$ as default};/* end */") == "var a=1;globalThis.DataTable=c$;/* end */"
    assert re.search(r"\bexport\s*\{", tables_bundle()) is None


@pytest.mark.parametrize("module", ["var a=1;", "export{a as B};", "export{a as default};export{b as default};"])
def test_another_bundle_is_an_error(module: str) -> None:
    """Nothing is guessed of a library that changed."""
    with pytest.raises(ValueError, match="list of exports"):
        as_global(module)


def test_our_scripts_hold_nothing_of_a_user() -> None:
    """They are the files of `assets/`, letter by letter."""
    texts = [text for kind, text in Scripts(html()).found if kind in ("", "module")]
    assert texts[0] == read_asset("theme.js")
    assert texts[-1] == read_asset("report.js")
    assert re.findall(r"\b(?:eval|innerHTML\s*=|document\.write|fetch|XMLHttpRequest|new Function)\b", texts[-1]) == []


class TestOrder:
    """The numbers that cells are sorted by."""

    def test_columns_of_numbers_keep_what_they_round(self) -> None:
        """All digits, and nothing where a number is missing."""
        nan = float("nan")
        assert numbers("x", [0.123456, nan]).keys == ("0.123456", "")
        assert effects("x", [-1.23456, None]).keys == ("-1.23456", "")
        assert counts("x", [12345, nan]).keys == ("12345", "")
        assert pvalues("p", [0.0, 3.4e-9]).keys == ("0", "3.4e-09")

    def test_estimates_are_sorted_by_what_they_open_with(self) -> None:
        """Signs, thousands, folds up and down, bounds; words of a missing one have no number."""
        cells = (
            "−0.45 (−0.60 to 0.31)",
            "×1.4",
            "÷4",
            "12\u202f300",
            "4e-7",
            "< 1e-300",
            "–",
            "not testable",
            "> 99 %",
        )
        keys = Column("x", cells, is_number=True).keys
        assert [float(key) if key else None for key in keys] == [-0.45, 1.4, 0.25, 12300, 4e-7, 1e-300, None, None, 99]

    def test_an_order_that_is_given_wins(self) -> None:
        """Also over words; words alone have none."""
        assert Column("x", ("2 (1 to 3)",), is_number=True, order=(7.0,)).keys == ("7",)
        assert Column("x", ("late",), order=(3.0,)).keys == ("3",)
        assert Column("x", ("late",)).keys == ()

    def test_every_cell_of_a_sorted_column_says_its_key(self) -> None:
        """Missing ones too: the first row decides for the library how all are read."""
        table = Table("Caption.", (texts("Name", ("a", "b")), numbers("Value", [float("nan"), 2.0])))
        text = render_text("blocks/table.html.j2", block=table)
        assert re.findall(r'data-order="([^"]*)"', text) == ["", "2"]

    def test_long_tables_without_groups_are_interactive(self) -> None:
        """Eight rows or more; never the folded numbers of a figure."""
        column = texts("Name", LONG)
        assert Table("Caption.", (column,)).is_interactive
        assert not Table("Caption.", (texts("Name", LONG[:7]),)).is_interactive
        assert not Table("Caption.", (column,), groups=((0, "All"),)).is_interactive
        assert "data-interactive" in render_text("blocks/table.html.j2", block=Table("Caption.", (column,)))
        folded = render_text("blocks/table.html.j2", block=Table("Caption.", (column,)), is_folded=True)
        assert "data-interactive" not in folded
