"""Pages: what they say in every kind of design, that they hold no foreign code, and that they ask for nothing."""

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from itertools import pairwise

import jinja2
import numpy as np
import pandas as pd
import pytest

from exoliver.figures.figure import Figure
from exoliver.identifiers import REASONS
from exoliver.report import render
from exoliver.report.apoptosis import LIMITS, apoptosis_section
from exoliver.report.arms import arms_section, fact_words
from exoliver.report.changes import changes_section
from exoliver.report.elements import (
    Bullets,
    Column,
    Heading,
    Notices,
    Page,
    Prose,
    Section,
    Table,
    numbers,
    pvalues,
    texts,
)
from exoliver.report.enrichment import enrichment_section
from exoliver.report.evidence import within
from exoliver.report.ledger import NOTES, ledger_section
from exoliver.report.material import Material
from exoliver.report.methods import methods_blocks
from exoliver.report.naming import contrast_words, set_order, spelt, times_words
from exoliver.report.over_time import over_time_section
from exoliver.report.pages import dataset_page, product_words
from exoliver.report.quality import quality_section
from exoliver.report.render import read_asset, render_page, render_text
from exoliver.report.summary import summarise_contrasts
from tests.toy_designs import material, treatments, with_threshold
from tests.toy_report import GENES, INJURED_ARMS, make_facts, make_material

HOSTILE = "<script>alert(1)</script>"
METHODS = "### Methods: Toy\n\n**Data.** Six samples `of` mice.\n\n#### Limits\n\n- One.\n- Two.\n\n1. A reference.\n"
SECTIONS = [
    "answer", "trust", "changes", "genes", "programmes", "time", "rescue", "apoptosis", "sets", "identifiers", "arms",
    "methods",
]  # fmt: skip


def sections_of(kind: str) -> list[str]:
    """Sections of a page; rescue is asked for where an arm is injured."""
    has_injury = any(arm["role"] == "injured" for arm in material(kind).facts["arms"]["levels"].values())
    return [name for name in SECTIONS if has_injury or name != "rescue"]


class Reader(HTMLParser):
    """Headings, ids, links, attributes and text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.headings: list[tuple[int, str]] = []
        self.ids: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the tag with its attributes."""
        given = {name: value or "" for name, value in attrs}
        self.tags.append((tag, given))
        self.ids += [given["id"]] if "id" in given else []
        self.open.append(tag)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append((int(tag[1]), ""))

    def handle_endtag(self, tag: str) -> None:
        """Close the innermost element of the name."""
        if tag in self.open:
            del self.open[len(self.open) - 1 - self.open[::-1].index(tag)]

    def handle_data(self, data: str) -> None:
        """Keep text that is shown."""
        if not {"style", "script"} & set(self.open):
            self.words.append(data)

    @property
    def text(self) -> str:
        """Everything that is read on the page."""
        return " ".join(" ".join(self.words).split())


def page_of(material: Material) -> str:
    """The HTML of a dataset."""
    return render_page(dataset_page(material, METHODS))


def written(html: str) -> str:
    """A page without the text of its scripts, which are not of its study."""
    return re.sub(r"(<script(?! type=\"application)[^>]*>).*?(?=</script>)", r"\1", html, flags=re.DOTALL)


@cache
def page(kind: str) -> Page:
    """Pages of every kind of design, made once."""
    return dataset_page(material(kind), METHODS)


@cache
def html(kind: str) -> str:
    """Their HTML."""
    return render_page(page(kind))


KINDS = (
    "injury", "simulated", "reference", "worm", "no_hits", "alone", "missing_cell", "untested", "on_healthy",
    "baselines",
)  # fmt: skip
every_kind = pytest.mark.parametrize("kind", KINDS)


def text_of(section: Section) -> str:
    """Words of a section without its tables and pictures."""
    parts = [section.finding]
    for block in section.parts:
        parts += [block.lead, *block.paragraphs] if isinstance(block, Prose) else []
        parts += block.items if isinstance(block, Bullets) else []
    return " ".join(parts)


@every_kind
class TestPage:
    """What holds for the page of any design."""

    def test_it_asks_for_nothing_from_outside(self, kind: str) -> None:
        """No source, no style sheet, no script of another place; links lead to the page or to files beside it."""
        page = written(html(kind))
        tags = Reader(page).tags
        assert [tag for tag, _ in tags if tag in ("link", "img", "iframe", "object", "embed", "base")] == []
        assert [name for _, given in tags for name in given if name in ("src", "srcset") or name.startswith("on")] == []
        assert [given["href"] for _, given in tags if re.match(r"[a-z]+:|/", given.get("href", ""))] == []
        assert re.findall(r"@import|url\((?!#)", page) == []
        assert page.count("http") == page.count("http-equiv") + page.count("http://www.w3.org/2000/svg")

    def test_it_carries_the_content_policy(self, kind: str) -> None:
        """Nothing is allowed but inline styles, pictures of the page itself, and scripts that are named by digest."""
        policies = [given["content"] for _, given in Reader(html(kind)).tags if "http-equiv" in given]
        assert len(policies) == 1
        assert re.fullmatch(
            "default-src 'none'; base-uri 'none'; form-action 'none'; "
            "img-src data: blob:; style-src 'unsafe-inline'; script-src( 'sha256-[^ ']+')+",
            policies[0],
        )

    def test_headings_go_down_step_by_step(self, kind: str) -> None:
        """One title; no level is left out."""
        levels = [level for level, _ in Reader(html(kind)).headings]
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(later - earlier <= 1 for earlier, later in pairwise(levels))

    def test_ids_are_unique_and_anchors_are_found(self, kind: str) -> None:
        """Every link within the page leads somewhere."""
        reader = Reader(html(kind))
        assert len(reader.ids) == len(set(reader.ids))
        anchors = {given["href"][1:] for _, given in reader.tags if given.get("href", "").startswith("#")}
        assert anchors <= set(reader.ids)
        assert set(sections_of(kind)) <= anchors

    def test_every_section_opens_with_its_finding(self, kind: str) -> None:
        """One sentence that ends, in the order of reading; the contents tell it in short."""
        sections = (page(kind).answer, *page(kind).sections)
        assert [section.id for section in sections] == sections_of(kind)
        assert [section.id for section in sections if not re.search(r"\w.*[.]$", section.finding)] == []
        assert [section.id for section in sections if not section.contents or section.contents.endswith(".")] == []

    def test_its_words_are_those_of_the_house(self, kind: str) -> None:
        """No proof, no significance, no p-value of zero, nothing missing in words of Python."""
        text = Reader(html(kind)).text
        assert re.findall(r"\b(?:proves?|proven|significant\w*|None|nan|NaN|inf)\b", text) == []
        assert re.findall(r"p = 0(?:\.0+)?(?![.\d])", text) == []

    def test_it_is_far_below_five_megabytes(self, kind: str) -> None:
        """A toy has few genes, but all pictures."""
        assert len(written(html(kind))) < 1_000_000

    def test_every_figure_has_words_and_numbers(self, kind: str) -> None:
        """The picture's label is its description, which also stands below it."""
        reader = Reader(html(kind))
        labels = [given["aria-label"] for tag, given in reader.tags if tag == "svg"]
        assert labels == [figure.alt for figure in page(kind).figures]
        assert len({figure.name for figure in page(kind).figures}) == len(page(kind).figures)


def test_a_page_is_the_same_every_time() -> None:
    """The same bytes from the same material."""
    assert page_of(material("injury")) == html("injury")


def test_simulated_data_are_named_on_the_page_and_in_every_figure() -> None:
    """The band stands at the top; no figure is without the word."""
    assert 'class="band"' in html("simulated")
    assert Reader(html("simulated")).text.find("Simulated data") < Reader(html("simulated")).text.find("Answer")
    assert all(figure.name.endswith("_simulated") for figure in page("simulated").figures)


def test_real_data_have_no_band() -> None:
    """The word is for simulated data alone."""
    assert 'class="band"' not in html("injury")
    assert "simulated" not in Reader(html("injury")).text.lower()


def test_a_comparison_without_injury_is_not_told_in_its_words() -> None:
    """Treated against reference: no word of an injury but that no arm has this role."""
    text = Reader(html("reference")).text.lower().replace("none the role injured", "")
    assert "injur" not in text
    assert "injur" in Reader(html("injury")).text.lower()


def test_an_organism_without_gene_sets_says_what_is_left_out_and_why() -> None:
    """The sections are there, with the reason, and without pictures of nothing."""
    by_id = {section.id: section for section in page("worm").sections}
    assert by_id["sets"].finding == "Left out, because no gene sets are shipped for worm."
    assert by_id["apoptosis"].finding == "Left out, because no gene of the panel is known for worm."
    assert "no gene sets are shipped for worm" in text_of(page("worm").answer)
    assert page("worm").aside is None


@cache
def hostile() -> str:
    """A page whose title, arms, genes, samples, warnings and facts are hostile."""
    arms = {name: dict(arm) for name, arm in INJURED_ARMS.items()}
    arms["msc"] |= {"label": f"{HOSTILE}\"'&", "lot": HOSTILE, "route": HOSTILE}
    facts = make_facts(arms, title=HOSTILE, citation=HOSTILE, injury={"model": HOSTILE, "death": "necrosis"})
    toy = make_material(
        facts,
        gene_names={0: '=HYPERLINK("http://x")', 1: HOSTILE},
        sample_prefix=f"{HOSTILE}\"'",
        check={"warnings": [{"where": HOSTILE, "what": HOSTILE, "fix": HOSTILE}], "decisions": [HOSTILE]},
    )
    toy = replace(toy, settings=toy.settings | {"title": HOSTILE})
    return render_page(dataset_page(toy, f"**{HOSTILE}.** {HOSTILE}"))


class TestEscaping:
    """What a user writes is text, wherever it comes out."""

    def test_no_tag_of_the_user_is_a_tag(self) -> None:
        """The script is read, not run."""
        scripts = [given.get("type", "") for tag, given in Reader(hostile()).tags if tag == "script"]
        assert scripts == ["", "application/octet-stream", "module", "module", "module"]
        assert written(hostile()).count("<script") == len(scripts)
        assert HOSTILE in Reader(hostile()).text

    def test_no_attribute_is_broken_open(self) -> None:
        """Quotes of labels stay within their attribute."""
        names = {name for _, given in Reader(hostile()).tags for name in given}
        assert [name for name in names if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", name)] == []

    def test_a_formula_is_text_and_no_link(self) -> None:
        """A gene named like a spreadsheet's formula is printed as it is."""
        assert '=HYPERLINK("http://x")' in Reader(hostile()).text
        assert [given["href"] for _, given in Reader(hostile()).tags if "http" in given.get("href", "")] == []


class TestSections:
    """The parts of a dataset's page."""

    def test_warnings_stand_in_full(self) -> None:
        """Where, what and what to do."""
        warning = {"where": "samples.tsv", "what": "few samples", "fix": "read with care"}
        section = quality_section(make_material(check={"warnings": [warning]}))
        assert Notices((("samples.tsv", "few samples", "read with care"),)) in section.parts
        assert section.finding.startswith("Checks and fit gave 1 warning;")

    def test_losses_are_counted_step_by_step(self) -> None:
        """Rows, what was set aside, what took part, what was tested."""
        section = quality_section(material("injury"))
        table = next(block for block in section.parts if isinstance(block, Table))
        rows = {row[0].text: (row[1].text, row[2].text) for row in table.rows}
        assert rows["Rows of the count file"] == ("81", "–")
        assert rows["Genes"] == ("80", "set aside: 1 spike in")
        assert rows["Genes that took part in the fit"] == ("78", "2 have too few counts for the gene filter")
        assert rows["Tested in CCl4 vs Chow"][0] == "78"

    def test_every_contrast_has_its_row_and_its_file(self) -> None:
        """The table links the TSV of each, those without numbers among them."""
        page = html("missing_cell")
        toy = material("missing_cell")
        hrefs = {given.get("href") for _, given in Reader(page).tags}
        assert {f"contrasts/{contrast.id}.tsv" for contrast in toy.contrasts} <= hrefs
        summary = summarise_contrasts(toy.contrasts, toy.tables, fdr=0.05)
        lost = summary.loc["msc_vs_ccl4__7d"]
        assert (lost["tested"], lost["changed"]) == (0, 0)
        assert lost["note"] == "not testable: an arm has no samples at that time"

    def test_the_summary_counts_directions_and_reasons(self) -> None:
        """Higher, lower, filtered; omnibus tests have no direction."""
        toy = material("two_hits")
        summary = summarise_contrasts(toy.contrasts, toy.tables, fdr=0.05)
        row = summary.loc["msc_vs_ccl4"]
        assert (row["tested"], row["changed"], row["up"], row["down"], row["filtered"]) == (78, 2, 1, 1, 2)
        assert pd.isna(summary.loc["msc_vs_ccl4__any_time", "up"])
        assert summary.loc["msc_vs_ccl4__any_time", "note"] == ""

    def test_an_unreplicated_contrast_says_so(self) -> None:
        """A note that all genes carry is one of the contrast."""
        toy = material("injury")
        tables = dict(toy.tables)
        table = tables["msc_vs_ccl4"]
        tables["msc_vs_ccl4"] = table.assign(note=("unreplicated;" + table["note"]).str.rstrip(";"))
        summary = summarise_contrasts(toy.contrasts, tables, fdr=0.05)
        assert summary.loc["msc_vs_ccl4", "note"] == "a group has a single sample: read as description"
        assert summary.loc["ccl4_vs_healthy", "note"] == ""

    def test_one_time_is_said_in_place_of_a_course(self) -> None:
        """The section stays, with its reason; products on the healthy have times and are not followed."""
        assert over_time_section(material("one_time")).finding == "Not testable: all samples are from one time."
        assert "only effects of an injury or a treatment" in over_time_section(material("on_healthy")).finding
        assert "share two times" in over_time_section(material("missing_cell_of_both")).finding

    def test_programmes_that_could_not_be_tested_have_no_picture(self) -> None:
        """Tables and sections say so; the page does not end."""
        assert page("untested").aside is None
        text = Reader(html("untested")).text
        assert "Programmes over time are left out, as none could be tested: too few of their genes are" in text
        assert "0 sets tested of Programmes" in text

    def test_intervals_and_p_values_of_a_threshold_say_what_they_are_of(self) -> None:
        """In the tables of contrasts, of genes and of the panel; balances are tested against none."""
        toy = with_threshold(material("injury"))
        sections = (changes_section(toy), over_time_section(toy), apoptosis_section(toy))
        captions = [block.caption for section in sections for block in section.parts if isinstance(block, Table)]
        assert sum("p-values are for a change by more than ×2 (log2 1)" in caption for caption in captions) == 6
        assert sum("p-values are for any change" in caption for caption in captions) == 1
        plain = [block.caption for block in changes_section(material("injury")).parts if isinstance(block, Table)]
        assert [caption for caption in plain if "by more than" in caption] == []

    def test_findings_speak_of_every_treatment(self) -> None:
        """Of the first three in full, in the panel and in the sets by rank."""
        toy = make_material(make_facts(treatments("alpha", "beta", "gamma"), days=()), days=())
        for section in (apoptosis_section(toy), enrichment_section(toy)):
            assert "BETA" in section.finding
            assert "and 1 further effect" in section.finding
            assert "GAMMA" not in section.finding

    def test_shrunken_fold_changes_stand_beside_the_others(self) -> None:
        """And where the prior leaves nothing of them, the table says why."""
        toy = material("injury")
        first = next(
            block for block in changes_section(toy).parts if isinstance(block, Table) and "smallest" in block.caption
        )
        assert "compare sizes of effects by them" in first.caption
        shown = {column.title: column.cells[0] for column in first.columns}
        assert float(shown["Shrunken log2"]) == pytest.approx(
            0.9 * toy.tables["ccl4_vs_healthy"]["log2_fold_change"][0], abs=0.05
        )
        tables = {name: table.assign(shrunk_log2_fold_change=0.0) for name, table in toy.tables.items()}
        text = " ".join(
            block.caption for block in changes_section(replace(toy, tables=tables)).parts if isinstance(block, Table)
        )
        assert "Shrunken values are about zero for 78 genes" in text

    def test_outliers_that_were_not_looked_for_are_not_told_as_none(self) -> None:
        """No three samples alike: Cook's distance says nothing."""
        toy = material("injury")
        captions = [
            block.caption
            for group in (3, 2)
            for block in quality_section(replace(toy, design={**toy.design, "largest_group": group})).parts
            if isinstance(block, Table) and block.caption.startswith("Genes from the file")
        ]
        assert ["Count outliers were not looked for" in caption for caption in captions] == [False, True]

    def test_genes_asked_for_and_not_counted_are_named(self) -> None:
        """Nothing is passed over in silence."""
        assert "No gene of this name is counted in this dataset: Absent1." in Reader(html("injury")).text

    def test_the_panel_prints_its_limits_and_its_order(self) -> None:
        """Every limit, and the steps of the pathway as groups."""
        section = apoptosis_section(material("injury"))
        assert all(limit in text_of(section) for limit in LIMITS)
        table = next(block for block in section.parts if isinstance(block, Table))
        assert [words for _, words in table.groups][:2] == [
            "Death receptors and survival signals",
            "BCL2 family: guardians",
        ]
        assert "Bcl-xL" in text_of(section)

    def test_enrichment_is_called_a_description(self) -> None:
        """In its finding and above its tables."""
        section = enrichment_section(material("injury"))
        assert "not evidence" in section.finding
        assert "overstate the evidence" in text_of(section)

    def test_sets_that_lost_half_their_members_are_named(self) -> None:
        """The poor set of the toy, and no other."""
        section = ledger_section(material("injury"))
        assert "1 gene set lost more than half of its members" in section.finding
        tables = [block for block in section.parts if isinstance(block, Table)]
        assert [row[0].text for row in tables[-1].rows] == ["UV response down"]

    def test_the_rows_of_the_count_file_are_added_up(self) -> None:
        """Each counted once, in words, to the number that the caption names."""
        section = ledger_section(material("injury"))
        table = next(block for block in section.parts if isinstance(block, Table))
        assert f"adds up to the {GENES + 1} rows of the count file" in table.caption
        assert sum(int(row[1].text) for row in table.rows) == GENES + 1
        assert [row[0].text for row in table.rows][-1] == "set aside, no gene: spike in"
        assert {reason for reasons in REASONS.values() for reason in reasons} <= NOTES.keys()

    def test_summed_rows_are_told_among_the_losses(self) -> None:
        """Two rows of one gene are one gene, in the ledger's finding and in the table of losses."""
        toy = material("injury")
        ledger = toy.identifiers.copy()
        ledger.loc[1, "gene_id"] = ledger.loc[0, "gene_id"]
        toy = replace(toy, identifiers=ledger)
        assert f"of {GENES - 1} genes" in ledger_section(toy).finding
        tables = [block for block in quality_section(toy).parts if isinstance(block, Table)]
        cells = [[cell.text for cell in row] for table in tables for row in table.rows]
        told = "set aside: 1 spike in; summed into another row of the same gene: 1"
        assert ["Genes", str(GENES - 1), told] in cells

    def test_every_key_of_every_arm_is_printed(self) -> None:
        """All that the YAML gives, the cargo marked as not tested."""
        arms = INJURED_ARMS | {"msc": INJURED_ARMS["msc"] | {"cargo": ["miR-122-5p"], "engineered": False}}
        table = arms_section(make_material(make_facts(arms))).blocks[0]
        shown = {row[0].text: row[3].text for row in table.rows}
        expected = {
            "Role": "treated", "Dose": "1e6", "Unit of the dose": "cells/animal", "Doses at": "day 0.25",
            "Engineered": "no", "Source": "bone marrow", "Lot": "A", "Donors in the lot": "1",
            "Cargo (printed, not tested yet)": "miR-122-5p",
        }  # fmt: skip
        assert shown | expected == shown


class TestWords:
    """Names and facts as they are read."""

    def test_contrasts_read_as_arms_and_times(self) -> None:
        """Averaged, at a time, changes and tests of all times."""
        toy = material("injury")
        named = {contrast.id: contrast_words(contrast, toy.look) for contrast in toy.contrasts}
        assert named["msc_vs_ccl4"] == "CCl4 + MSC vs CCl4"
        assert named["msc_vs_ccl4__7d"] == "CCl4 + MSC vs CCl4, day 7"
        assert named["msc_vs_ccl4__7d_vs_1d"] == "CCl4 + MSC vs CCl4, day 7 against day 1"
        assert named["msc_vs_ccl4__over_time"] == "CCl4 + MSC vs CCl4, change over time"

    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("TNFA_SIGNALING_VIA_NFKB", "TNFA signaling via NFKB"),
            ("UV_RESPONSE_DN", "UV response down"),
            ("E2F_TARGETS", "E2F targets"),
            ("my_own_set", "my own set"),
        ],
    )
    def test_gene_sets_read_as_words(self, name: str, words: str) -> None:
        """Acronyms stay in capitals."""
        assert spelt(name) == words

    @pytest.mark.parametrize(
        ("title", "words"),
        [
            ("Inflammation", "inflammation"),
            ("DNA repair", "DNA repair"),
            ("E2F targets", "E2F targets"),
            ("T cells", "T cells"),
            ("Autophagy and lysosome genes", "“autophagy and lysosome genes”"),
        ],
    )
    def test_titles_within_a_sentence_keep_their_acronyms(self, title: str, words: str) -> None:
        """And one that could be taken for two is held together."""
        assert within(title) == words

    def test_sets_keep_the_order_of_their_collection(self) -> None:
        """Those that it does not list follow by name."""
        entry = {"gene_sets": [{"gene_set": "b"}, {"gene_set": "a"}]}
        assert list(set_order(["d", "c", "a"], entry)) == ["b", "a", "c", "d"]

    def test_several_times_read_as_one_list(self) -> None:
        """The unit is told once before days, and after each hour."""
        assert times_words((1.0, 3.0, 7.0), "day") == "day 1, 3 and 7"
        assert times_words((6.0, 24.0), "h") == "6 h and 24 h"

    def test_products_that_arms_share_are_told_once(self) -> None:
        """Source, species, route and dose in one line."""
        arms = INJURED_ARMS | {"second": INJURED_ARMS["msc"] | {"value": "s", "label": "Second"}}
        assert product_words(make_facts(arms)) == "human bone marrow MSC, 1e6 cells/animal"

    def test_facts_of_any_kind_become_words(self) -> None:
        """Truth, numbers, lists and mappings."""
        facts = make_facts()
        assert fact_words(True, "engineered", facts=facts) == "yes"
        assert fact_words(None, "lot", facts=facts) == ""
        assert fact_words({"cells": "MSC"}, "where", facts=facts) == "cells = MSC"
        assert fact_words("all_times", "at", facts=facts) == "all times"


class TestElements:
    """Blocks and the renderer."""

    def test_methods_become_blocks(self) -> None:
        """Headings, leads, lists and references; the title is left out, the marks are gone."""
        blocks = methods_blocks(METHODS)
        assert blocks == [
            Prose(("Six samples of mice.",), lead="Data"),
            Heading("Limits"),
            Bullets(("One.", "Two.")),
            Bullets(("A reference.",), is_numbered=True),
        ]
        assert methods_blocks("") == []

    def test_a_table_is_read_row_by_row(self) -> None:
        """Cells keep their links and their layout."""
        table = Table(
            "Caption.", (texts("Name", ["a", None], links=["a.tsv", "b.tsv"]), numbers("Value", [1.25, np.nan]))
        )
        assert [[cell.text.strip("\u2007\u2008") for cell in row] for row in table.rows] == [["a", "1.2"], ["–", "–"]]
        assert table.rows[0][0].href == "a.tsv"
        assert table.rows[0][1].layout == "number"

    def test_p_values_of_a_column_are_never_zero(self) -> None:
        """Zero is below what numbers can tell."""
        assert pvalues("p", [0.0, 0.03]).cells == ("< 1e-300", "0.030")

    def test_long_words_may_break(self) -> None:
        """Short ones stay in a line."""
        assert Column("Name", ("short",)).layout == "short"
        assert Column("Name", ("a much longer text than fits in one line",)).layout == "long"

    def test_a_missing_asset_is_an_error(self) -> None:
        """No page is written without its style sheet."""
        with pytest.raises(FileNotFoundError):
            read_asset("absent.css")

    def test_a_missing_value_is_an_error(self) -> None:
        """A template does not print nothing."""
        with pytest.raises(jinja2.UndefinedError):
            render_text("header.html.j2")

    def test_blocks_have_a_template_each(self) -> None:
        """Every kind of block, and no template without one."""
        from exoliver.report import elements

        kinds = {block.kind for block in vars(elements).values() if isinstance(getattr(block, "kind", None), str)}
        files = {path.name.removesuffix(".html.j2") for path in (render.TEMPLATES / "blocks").iterdir()}
        assert kinds == files


def test_the_style_sheet_has_four_sizes_of_type() -> None:
    """A scale, not a size for every occasion; nothing is loaded from elsewhere."""
    css = read_asset("report.css")
    sizes = set(re.findall(r"font-size:\s*(?:var\((--[a-z]+)\)|[\d.]+(?:rem|px|em))", css))
    assert sizes <= {"--small", "--text", "--large", "--huge"}
    assert re.findall(r"@import|url\(|@font-face", css) == []
    assert [part for part in ("light-dark(", "@media print", "max-width: 56rem") if part not in css] == []


def contrast_ratio(first: str, second: str) -> float:
    """Contrast of two colours after WCAG 2."""

    def luminance(colour: str) -> float:
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_text_has_enough_contrast_in_both_themes(theme: int) -> None:
    """WCAG AA: 4.5 to 1 for ink, muted text, links and the band."""
    css = read_asset("report.css")
    values = {
        name: re.findall(rf"--{name}:\s*light-dark\((#[0-9a-f]{{6}}), (#[0-9a-f]{{6}})\);", css)[0][theme]
        for name in ("paper", "ink", "muted", "link", "band", "band-ink")
    }
    pairs: Sequence[tuple[str, str]] = [("ink", "paper"), ("muted", "paper"), ("link", "paper"), ("band-ink", "band")]
    assert {pair: contrast_ratio(values[pair[0]], values[pair[1]]) >= 4.5 for pair in pairs} == dict.fromkeys(
        pairs, True
    )


def test_columns_of_a_table_have_one_length() -> None:
    """Every table of every page is whole."""
    for kind in KINDS:
        for section in page(kind).sections:
            for block in section.parts:
                if isinstance(block, Table):
                    assert len({len(column.cells) for column in block.columns}) <= 1


def test_the_numbers_of_a_picture_are_cut_and_say_so() -> None:
    """The table below a picture holds its first rows, and how many there are."""
    from exoliver.report.elements import MOST_NUMBERS, picture

    data = pd.DataFrame({"gene": [f"G{place}" for place in range(50)], "pvalue": 0.01, "genes": 3})
    shown = picture(Figure("name", "", "Words.", data), "Caption.").numbers
    assert len(shown.rows) == MOST_NUMBERS
    assert shown.caption == f"The first {MOST_NUMBERS} of 50 rows."
    assert [column.title for column in shown.columns] == ["gene", "p", "genes"]
