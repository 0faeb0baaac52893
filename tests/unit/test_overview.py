"""The page of a study: every dataset, effects side by side, and what may be said of several datasets at once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from exoliver.consistency import consistent_genes, expected_by_number, verdicts_of
from exoliver.contrasts import as_index
from exoliver.figures.dataset_forest import programme_forest, rescue_forest
from exoliver.figures.study_matrix import study_matrix
from exoliver.report.elements import Bullets, Page, Picture, Prose, Section, Table
from exoliver.report.naming import dataset_titles
from exoliver.report.overview import overview_page
from exoliver.report.overview_data import DatasetResults, read_study, study_look
from exoliver.report.overview_datasets import datasets_section, shared_words
from exoliver.report.overview_genes import genes_section
from exoliver.report.overview_programmes import changed_programmes, forest_rows, matrix_rows
from exoliver.report.overview_rescue import rescue_rows, rescue_section
from exoliver.report.render import render_page
from exoliver.report.summary import range_words
from exoliver.tables import (
    CHANGES,
    CONTRAST,
    EFFECTS,
    OMNIBUS,
    RESCUE_PROGRAMMES,
    RESCUE_SUMMARY,
    write_json,
    write_table,
)
from tests.toy_designs import HOSTILE, material
from tests.toy_report import SETTINGS


def results(kind: str, identity: str) -> DatasetResults:
    """A dataset as the overview takes it."""
    toy = material(kind)
    return DatasetResults(
        id=identity,
        title=f"Toy liver {identity}",
        facts=toy.facts | {"id": identity},
        look=toy.look,
        check=toy.check | {"dataset": identity},
        contrasts=toy.contrasts,
        tables=toy.tables,
        entry=toy.collections[0].entry,
        effects=toy.programmes.effects,
        changes=toy.programmes.changes,
        rescue=toy.programmes.rescue,
        slopes=toy.programmes.slopes,
    )


def study(*kinds: str) -> list[DatasetResults]:
    """The datasets of a study of some toys."""
    return [results(kind, f"d{place}") for place, kind in enumerate(kinds)]


class Reader(HTMLParser):
    """Tags with their attributes, headings and text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.headings: list[int] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the tag."""
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        self.headings += [int(tag[1])] if re.fullmatch("h[1-6]", tag) else []

    def handle_data(self, data: str) -> None:
        """Keep the text."""
        self.words.append(data)

    @property
    def text(self) -> str:
        """All of it in one line."""
        return " ".join(" ".join(self.words).split())


def text_of(section: Section) -> str:
    """Words of a section without its tables and pictures."""
    parts = [section.finding]
    for block in section.parts:
        parts += [block.lead, *block.paragraphs] if isinstance(block, Prose) else []
        parts += block.items if isinstance(block, Bullets) else []
    return " ".join(parts)


def section_of(page: Page, identity: str) -> Section:
    """A section of a page by its id."""
    return next(section for section in page.sections if section.id == identity)


def tables_of(section: Section) -> list[Table]:
    """Tables of a section."""
    return [block for block in section.parts if isinstance(block, Table)]


def pictures_of(section: Section) -> list[Picture]:
    """Pictures of a section."""
    return [block for block in section.parts if isinstance(block, Picture)]


class TestOverview:
    """The page of the study."""

    def page(self, *kinds: str) -> Page:
        """The study of some toys."""
        return overview_page(study(*kinds), SETTINGS)

    def test_every_dataset_is_linked(self) -> None:
        """Name, facts and the way to its page."""
        reader = Reader(render_page(self.page("injury", "worm")))
        hrefs = [given.get("href") for _, given in reader.tags]
        assert {"datasets/d0/report.html", "datasets/d1/report.html"} <= set(hrefs)
        assert "Toy liver" in reader.text

    def test_its_picture_links_no_file_that_is_not_written(self) -> None:
        """The study's page has no folder of figures beside it."""
        hrefs = [given.get("href", "") for _, given in Reader(render_page(self.page("injury"))).tags]
        assert [href for href in hrefs if href.startswith("figures/")] == []

    def test_a_threshold_is_named_beside_the_numbers(self) -> None:
        """What averaged effects were tested against; nothing where that is zero."""
        beyond = overview_page([results("injury", "d0")], SETTINGS | {"log2_fold_change_threshold": 1.0})
        assert "changes beyond ×2 (log2 1)" in beyond.answer.finding
        assert "beyond" not in overview_page([results("injury", "d0")], SETTINGS).answer.finding

    def test_it_says_that_nothing_is_pooled(self) -> None:
        """In words for users."""
        text = Reader(render_page(self.page("injury", "reference"))).text
        assert "Datasets are shown side by side; no pooled estimate is made." in text

    def test_a_study_with_one_simulated_dataset_says_which(self) -> None:
        """The band names it; that of a study of simulated data alone is the usual one."""
        assert self.page("injury", "simulated").band == "Simulated here: Toy liver d1."
        assert "No animal" in self.page("simulated").band
        assert self.page("injury").band == ""

    def test_its_matrix_has_a_row_for_each_treatment_and_time(self) -> None:
        """Programmes of datasets that have gene sets; the others are named."""
        rows = matrix_rows([results("injury", "d0"), results("worm", "d1")])
        assert len(rows) == 2 * 3
        assert set(rows["when"]) == {"day 1", "day 7"}

    def test_a_study_without_gene_sets_has_no_matrix(self) -> None:
        """The section says why."""
        assert section_of(self.page("worm"), "programmes").finding.startswith("Left out")

    def test_headings_and_findings_are_in_order(self) -> None:
        """As on the page of a dataset; no request either."""
        page = self.page("injury", "worm", "alone")
        reader = Reader(render_page(page))
        levels = reader.headings
        assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
        assert all(section.finding.endswith(".") for section in (page.answer, *page.sections))
        assert [given for _, given in reader.tags if {"src", "srcset"} & set(given)] == []

    def test_warnings_are_counted_and_told(self) -> None:
        """With the dataset that each is of."""
        own = results("injury", "d0")
        warned = replace(own, check=own.check | {"warnings": [{"where": "x", "what": "few", "fix": "more"}]})
        page = overview_page([warned], SETTINGS)
        section = next(section for section in page.sections if section.id == "warnings")
        assert section.finding == "1 warning in 1 of 1 dataset."

    def test_results_are_read_in_the_order_of_the_study(self, tmp_path: Any) -> None:
        """Files by the names of the rule's inputs."""
        toy = material("injury")
        write_json(toy.collections[0].entry, tmp_path / "programmes.json")
        write_json({"datasets": [toy.check]}, tmp_path / "preflight.json")
        write_json(as_index(toy.contrasts), tmp_path / "contrasts.json")
        for contrast in toy.contrasts:
            columns = OMNIBUS if contrast.is_omnibus else CONTRAST
            write_table(toy.tables[contrast.id], columns, path=tmp_path / "contrasts" / f"{contrast.id}.tsv")
        write_table(toy.programmes.effects, EFFECTS, path=tmp_path / "effects.tsv")
        write_table(toy.programmes.changes, CHANGES, path=tmp_path / "changes.tsv")
        write_table(toy.programmes.rescue, RESCUE_PROGRAMMES, path=tmp_path / "rescue.tsv")
        write_table(toy.programmes.slopes, RESCUE_SUMMARY, path=tmp_path / "slopes.tsv")
        files = SimpleNamespace(
            preflight=tmp_path / "preflight.json",
            indexes=[tmp_path / "contrasts.json"],
            contrasts=[tmp_path / "contrasts"],
            entries=[tmp_path / "programmes.json"],
            effects=[tmp_path / "effects.tsv"],
            changes=[tmp_path / "changes.tsv"],
            rescue=[tmp_path / "rescue.tsv"],
            slopes=[tmp_path / "slopes.tsv"],
        )
        found = read_study(files, {"toy": toy.facts})
        assert [dataset.id for dataset in found] == ["toy"]
        effects = {"ccl4_vs_healthy", "msc_vs_ccl4"}
        assert set(found[0].tables) == effects | {f"{name}__any_time" for name in effects}

    def test_datasets_of_one_title_stay_two(self) -> None:
        """The id is added to a title that is shared, and stands in for one that is missing."""
        facts = material("injury").facts
        titles = dataset_titles({"one": facts, "two": facts, "three": facts | {"title": None}})
        assert titles == {"one": "Toy liver (one)", "two": "Toy liver (two)", "three": "three"}

    def test_programmes_that_could_not_be_tested_are_told_with_the_reason(self) -> None:
        """Neither as without gene sets, nor as without a hit."""
        page = self.page("untested")
        programmes = next(section for section in page.sections if section.id == "programmes")
        assert programmes.finding.endswith("no programme could be tested: too few of their genes are measured.")
        assert "; no programme could be tested" in text_of(page.answer)
        untreated = next(section for section in self.page("untreated").sections if section.id == "programmes")
        assert "no dataset has a treatment effect" in untreated.finding
        mixed = next(section for section in self.page("untested", "injury").sections if section.id == "programmes")
        assert "of 1 dataset in which programmes could be tested" in mixed.finding
        assert mixed.contents == "1 dataset side by side"

    def test_genes_at_some_time_stand_beside_the_averaged_ones(self) -> None:
        """In the line of a dataset and in the table."""
        page = self.page("injury")
        assert "3 genes higher and 3 lower of 78 (averaged over times; at some time, 6 genes)" in text_of(page.answer)
        effects = next(section for section in page.sections if section.id == "effects")
        assert "At some time" in [column.title for column in effects.blocks[1].columns]

    @pytest.mark.parametrize(
        ("changed", "words"),
        [
            ([], "No averaged effect can be estimated."),
            ([6], "6 genes change in the one averaged effect, A (Toy)."),
            ([1], "1 gene changes in the one averaged effect, A (Toy)."),
            ([0, 0], "There is no evidence that a gene changes in any of 2 averaged effects."),
            ([6, 6], "6 genes change in each of 2 averaged effects."),
            ([2, 6], "Between 2 and 6 genes change in an averaged effect, most in B (Toy)."),
        ],
    )
    def test_numbers_of_genes_are_told_as_a_range_only_where_they_are_one(self, changed: list[int], words: str) -> None:
        """One effect, no gene, equal numbers."""
        effects = [{"dataset": "Toy", "effect": "AB"[place], "changed": number} for place, number in enumerate(changed)]
        assert range_words(pd.DataFrame(effects)) == words


def test_the_matrix_of_a_study_leaves_out_nuisances() -> None:
    """Programmes that are no answer are neither in the matrix nor counted as changed."""
    dataset = results("injury", "d")
    themes = ("nuisance", "cell_death", "inflammation")
    facts = [fact | {"theme": theme} for fact, theme in zip(dataset.entry["gene_sets"], themes, strict=True)]
    themed = replace(dataset, entry=dataset.entry | {"gene_sets": facts})
    rows = matrix_rows([themed])
    assert facts[0]["gene_set"] not in set(rows["programme"])
    assert set(rows["theme"]) == {"Cell death", "Inflammation"}
    assert len(changed_programmes(themed, 0.05)) == len(changed_programmes(dataset, 0.05)) - 1
    single = replace(themed, effects=themed.effects.assign(padj=1e-9))
    assert changed_programmes(single, 0.05) == changed_programmes(themed, 0.05) != []
    none = replace(themed, changes=themed.changes.assign(padj=0.5))
    assert changed_programmes(none, 0.05) == []


def wanting(dataset: DatasetResults, **benefits: str) -> DatasetResults:
    """The dataset with other benefits of its programmes."""
    facts = [fact | {"benefit": benefits.get(fact["gene_set"], "depends")} for fact in dataset.entry["gene_sets"]]
    return replace(dataset, entry=dataset.entry | {"gene_sets": facts})


def test_only_wanted_directions_are_benefit_or_harm() -> None:
    """By the sign of the effect and the programme's benefit; every other programme is neither."""
    dataset = wanting(results("injury", "d"), apoptosis="down", inflammation="toward_healthy")
    rows = matrix_rows([dataset]).set_index("programme")
    assert (rows.loc["apoptosis", "value"] > 0).all()
    assert set(rows.loc["apoptosis", "meaning"]) == {"harm"}
    assert set(rows.loc[["inflammation", "anti_apoptosis"], "meaning"]) == {"neutral"}
    up = matrix_rows([wanting(dataset, apoptosis="up")]).set_index("programme")
    assert set(up.loc["apoptosis", "meaning"]) == {"benefit"}


def test_an_arm_without_samples_is_a_blank_column() -> None:
    """Not testable, and not the same as not measured."""
    rows = matrix_rows([results("missing_cell", "d")])
    assert set(rows.loc[rows["when"] == "day 7", "state"]) == {"not testable"}
    assert set(rows.loc[rows["when"] == "day 1", "state"]) == {"tested"}


def test_a_programme_that_a_dataset_did_not_measure_is_marked() -> None:
    """By its note, or as it is in no row of that dataset."""
    whole, poor = study("injury", "injury")
    lost = poor.effects[poor.effects["programme"] != "apoptosis"]
    numbers = [name for name in ("estimate", "ci_low", "ci_high", "pvalue", "padj") if name in lost]
    is_few = lost["programme"] == "inflammation"
    few = lost.assign(note=lost["note"].where(~is_few, "too_few_measured"))
    few.loc[is_few, numbers] = np.nan
    rows = matrix_rows([whole, replace(poor, effects=few)])
    own = rows[rows["dataset"] == poor.title].set_index("programme")["state"]
    assert set(own["apoptosis"]) == set(own["inflammation"]) == {"not measured"}
    assert set(own["anti_apoptosis"]) == {"tested"}
    figure = study_matrix(rows, study_look([whole]), fdr=0.05)
    assert "Tiles without a number: 4 not measured." in figure.alt


def test_forests_need_two_datasets() -> None:
    """One row for each dataset and time; those with evidence in most datasets first."""
    assert forest_rows(study("injury"), 0.05).empty
    rows = forest_rows(study("injury", "simulated"), 0.05)
    assert list(dict.fromkeys(rows["title"])) == ["Anti apoptosis", "Apoptosis"]
    assert len(rows) == 2 * 2 * 2
    assert set(rows["datasets"]) == {2}
    figure = programme_forest(rows, study_look(study("simulated")), fdr=0.05)
    assert figure.name.endswith("_simulated")
    assert "of 4 estimates, 4 with evidence above zero" in figure.alt
    section = section_of(overview_page(study("injury", "simulated"), SETTINGS), "programmes")
    assert "no pooled estimate" in pictures_of(section)[1].caption
    assert len(pictures_of(section_of(overview_page(study("injury"), SETTINGS), "programmes"))) == 1


def test_every_fact_of_a_dataset_is_in_one_row() -> None:
    """Organism, times, injury, treatment, dose, and the source below the name."""
    table = tables_of(datasets_section(study("cited", "alone")))[0]
    shown = {column.title: column.cells[0] for column in table.columns}
    assert shown["Organism"] == "mouse"
    assert shown["Times"] == "day 1 and 7"
    assert shown["Injury"] == "ccl4, toxic, acute"
    assert shown["Treatment"] == "CCl4 + MSC: MSC, bone marrow, human"
    assert shown["Route and dose"] == "1e6 cells/animal, at day 0.25"
    assert table.columns[0].details[0] == f"GSE1; {HOSTILE}"
    assert [cell.text for cell in table.rows[1]][5] == "no arm is treated"
    page = render_page(overview_page(study("cited"), SETTINGS | {"title": HOSTILE}))
    assert "<script>alert" not in page


def test_datasets_of_one_accession_are_no_two_witnesses() -> None:
    """They are named, and count once among consistent genes."""
    pair = study("cited", "cited")
    assert "Toy liver d0 and Toy liver d1 (GSE1)" in shared_words(pair)
    assert genes_section(pair, SETTINGS).contents == "Needs two datasets"
    assert shared_words(study("injury", "injury")) == ""


def test_programmes_of_several_datasets_are_told_together() -> None:
    """In how many datasets, as a count; nothing where one dataset stands alone."""
    text = text_of(overview_page(study("injury", "simulated"), SETTINGS).answer)
    assert (
        "In 2 of 2 datasets in which programmes could be tested, treatments change anti apoptosis and apoptosis" in text
    )
    assert "Together" not in text_of(overview_page(study("injury", "worm"), SETTINGS).answer)


def test_a_study_of_one_dataset_has_no_empty_table() -> None:
    """And says what needs two."""
    page = overview_page(study("injury"), SETTINGS)
    tables = [table for section in page.sections for table in tables_of(section)]
    assert [table.caption for table in tables if not table.rows] == []
    assert "need two datasets" in " ".join(page.cautions)
    assert "takes two datasets" in section_of(page, "consistent").finding
    assert "side by side" not in page.answer.finding


def test_rescue_stands_side_by_side() -> None:
    """The slope with its interval, and how many clear injury effects go back."""
    dataset = results("injury", "d0")
    slopes = dataset.slopes.assign(slope=[0.4, np.nan], ci_low=[0.1, -1.0], ci_high=[0.7, 3.0])
    rows = rescue_rows([replace(dataset, slopes=slopes)], 0.05)
    assert list(rows["time"]) == ["day 1", "day 7", "all times"]
    assert (rows["clear"].tolist(), rows["back"].tolist()) == ([1, 1, 1], [1, 1, 1])
    section = rescue_section([replace(dataset, slopes=slopes)], SETTINGS)
    cells = [[cell.text for cell in row] for row in tables_of(section)[0].rows]
    assert cells[0][3] == "0.40 (0.10 to 0.70)"
    assert cells[1][-1] == "injury weak: interval only, −1.0 to 3.0"
    assert section.finding.endswith("CCl4 + MSC: 1 of 1 programme that the injury moves clearly goes back.")
    figure = rescue_forest(rows.dropna(subset=["value"]), study_look([]))
    assert "0.40 (0.10 to 0.70)" in figure.alt


@pytest.mark.parametrize(("kind", "why"), [("reference", "no dataset has an injured arm"), ("alone", "treated arm")])
def test_a_study_that_cannot_ask_for_rescue_says_why(kind: str, why: str) -> None:
    """Not testable, with the reason."""
    assert why in rescue_section(study(kind), SETTINGS).finding


def gene_table(rows: Sequence[tuple[str, float, float]]) -> pd.DataFrame:
    """A gene table of symbol, log2 fold change and adjusted p-value."""
    table = pd.DataFrame(rows, columns=["symbol", "log2_fold_change", "padj"])
    return table.assign(human_symbol=table["symbol"], gene_id=table["symbol"], base_mean=10.0, pvalue=table["padj"])


def test_consistent_genes_are_those_of_one_direction_in_two_datasets() -> None:
    """Another direction, one dataset alone, and no evidence are not enough; the most datasets come first."""
    first = gene_table([("A", 1, 1e-3), ("B", 1, 1e-3), ("C", 1, 1e-3), ("D", 1, 1e-9), ("E", -1, 0.01)])
    second = gene_table([("A", 2, 0.02), ("B", -1, 1e-3), ("C", 1, 0.3), ("E", -2, 0.02)])
    third = gene_table([("A", 1, 0.04), ("B", 1, 1e-3), ("E", 1, 0.9)])
    found = consistent_genes({"x": [first], "y": [second], "z": [third]}, fdr=0.05)
    assert found["gene"].tolist() == ["A", "E"]
    assert found[["raised", "lowered", "tested"]].to_numpy().tolist() == [[3, 0, 3], [0, 2, 3]]
    assert found["weakest_padj"].tolist() == [0.04, 0.02]
    assert found["effects"][0] == {"x": 1.0, "y": 2.0, "z": 1.0}
    shuffled = {"x": [first.iloc[::-1]], "y": [second.iloc[::-1]], "z": [third.iloc[::-1]]}
    pd.testing.assert_frame_equal(consistent_genes(shuffled, fdr=0.05), found)
    assert consistent_genes({"x": [first]}, fdr=0.05).empty


def test_treatments_of_one_dataset_that_disagree_say_nothing() -> None:
    """Raised under one and lowered under another: no direction, and no consistency."""
    rows = verdicts_of([gene_table([("A", 1, 1e-3)]), gene_table([("A", -1, 1e-4)])], fdr=0.05)
    assert rows[["verdict", "is_split", "effect"]].to_numpy().tolist() == [[0, True, -1.0]]
    both = {name: [gene_table([("A", 1, 1e-3)])] for name in "xy"}
    assert consistent_genes(both, fdr=0.05)["gene"].tolist() == ["A"]
    split = both | {"z": [gene_table([("A", 1, 1e-3)]), gene_table([("A", -1, 1e-4)])]}
    assert consistent_genes(split, fdr=0.05).empty


def test_of_several_genes_of_one_human_symbol_the_strongest_counts() -> None:
    """The highest mean is kept, as in rankings; genes without a symbol have no place."""
    table = gene_table([("A1", 1, 1e-3), ("A2", -1, 1e-9), ("X", 1, 1e-9)])
    table = table.assign(human_symbol=["A", "A", None], symbol=["A1", "A2", None], base_mean=[100.0, 1.0, 1.0])
    assert verdicts_of([table], fdr=0.05)[["gene", "verdict"]].to_numpy().tolist() == [["A", 1]]


def test_chance_is_what_shuffled_genes_show() -> None:
    """The expected number agrees with the mean over shuffles, within four standard errors of that mean."""
    random = np.random.default_rng(7)
    genes = [f"G{place}" for place in range(400)]
    tables = {}
    for name, share in (("x", 0.3), ("y", 0.2), ("z", 0.1)):
        hits = int(share * 400)
        sign = np.where(np.arange(400) % 2 == 0, 1.0, -1.0)
        padj = np.where(np.arange(400) < hits, 0.01, 0.5)
        tables[name] = gene_table(list(zip(genes, sign, padj, strict=True)))
    expected = expected_by_number({name: [table] for name, table in tables.items()}, fdr=0.05)
    drawn = []
    for _ in range(60):
        mixed = {
            name: [table.assign(human_symbol=random.permutation(genes), gene_id=genes)]
            for name, table in tables.items()
        }
        drawn.append(len(consistent_genes(mixed, fdr=0.05)))
    assert abs(np.mean(drawn) - expected) < 4 * np.std(drawn) / np.sqrt(len(drawn))
    assert np.isnan(expected_by_number({"x": [tables["x"]]}, fdr=0.05))


def test_consistent_genes_of_a_study_are_told_with_chance_and_clock() -> None:
    """How many datasets, which genes, what chance makes, and a warning where the clock is among them."""
    pair = study("injury", "injury")
    section = genes_section(pair, SETTINGS)
    hits = int((pair[0].tables["msc_vs_ccl4"]["padj"] < 0.05).sum())
    assert section.finding.startswith(f"{hits} genes move the same way, with evidence, in two or more of 2 datasets")
    assert "by number alone" in section.finding
    assert "of the clock" not in text_of(section)
    named = [
        replace(one, tables={name: table.assign(human_symbol=["PER2", *table["symbol"][1:]])
                             for name, table in one.tables.items()})
        for one in pair
    ]  # fmt: skip
    words = " ".join(text for block in genes_section(named, SETTINGS).parts if isinstance(block, Prose)
                     for text in block.paragraphs)  # fmt: skip
    assert "PER2 of the clock is among them" in words


def test_the_overview_is_the_same_every_time() -> None:
    """The same bytes, whatever the order of rows in the tables."""
    first = study("injury", "simulated")
    turned = [
        replace(
            one,
            effects=one.effects.iloc[::-1],
            changes=one.changes.iloc[::-1],
            tables={name: table.iloc[::-1] for name, table in one.tables.items()},
        )
        for one in first
    ]
    assert render_page(overview_page(first, SETTINGS)) == render_page(overview_page(turned, SETTINGS))
