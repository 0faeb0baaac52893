"""Gene sets by rank on a page: clusters as one row, halves by their titles, panels left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

from exoliver.figures.words import NOTHING
from exoliver.report.elements import Column, Picture, Prose, Section, Table, texts
from exoliver.report.enrichment import HEATMAP_SETS, TOP_SETS, enrichment_section, first_sets, heatmap_rows, set_table
from exoliver.report.ledger import ledger_section
from exoliver.report.material import CollectionResults, Material
from exoliver.report.naming import set_order, set_titles, spelt
from exoliver.report.render import render_text
from exoliver.tables import ENRICHMENT
from tests.toy_report import make_material

CONTRAST = "msc_vs_ccl4"


@cache
def toy() -> Material:
    """The toy with three arms and two times."""
    return make_material()


def make_scores(rows: Sequence[tuple[str, float, float, str | None]]) -> pd.DataFrame:
    """An enrichment table of set, NES, adjusted p-value and cluster."""
    table = pd.DataFrame(rows, columns=["gene_set", "nes", "padj", "cluster"])
    rest = {"size": 12, "es": 0.5, "pvalue": table["padj"], "log2err": 0.1, "leading_edge": "Mcl1;Bax", "note": ""}
    return table.assign(**rest)[list(ENRICHMENT)]


CLUSTERED = make_scores(
    [
        ("A_HIDDEN", 2.9, 1e-3, "B_FIRST"), ("B_FIRST", 2.5, 1e-6, "B_FIRST"), ("C_LOW", -2.8, 1e-4, "C_LOW"),
        ("D_STRONG", 3.5, 0.2, None), ("E_WEAK", -1.0, 0.9, None), ("F_HIDDEN", 2.0, 1e-3, "B_FIRST"),
    ]
)  # fmt: skip


def with_scores(table: pd.DataFrame, facts: Sequence[Mapping[str, Any]] = ()) -> tuple[Material, CollectionResults]:
    """The toy with another second collection, the same in every contrast."""
    own = toy().collections[1]
    named = table[["gene_set"]]
    over = named.assign(direction="up", hits=1, padj=0.5, note="")
    members = named.assign(gene="Mcl1", sign=1, gene_id="G0000", size=12, measured=12, note="")
    collection = replace(
        own,
        entry=own.entry | {"gene_sets": list(facts)},
        gene_sets=members,
        enrichment=dict.fromkeys(own.enrichment, table),
        overrepresentation=dict.fromkeys(own.enrichment, over),
    )
    return replace(toy(), collections=(toy().collections[0], collection)), collection


def table_of(scores: pd.DataFrame) -> Table:
    """The table of one contrast."""
    material, collection = with_scores(scores)
    contrast = next(contrast for contrast in material.contrasts if contrast.id == CONTRAST)
    return set_table(material, collection, contrast=contrast)


def column(table: Table, title: str) -> Column:
    """A column by its title."""
    return next(column for column in table.columns if column.title == title)


def test_sets_that_stand_for_a_cluster_come_first() -> None:
    """By the size of their score; then those in no cluster, however large; hidden ones are no rows."""
    assert first_sets(CLUSTERED)["gene_set"].tolist() == ["C_LOW", "B_FIRST", "D_STRONG", "E_WEAK"]
    pd.testing.assert_frame_equal(first_sets(CLUSTERED), CLUSTERED.loc[[2, 1, 3, 4]])


def test_ties_are_settled_by_name() -> None:
    """So that a page does not depend on the order of rows."""
    tied = make_scores([("B", 2.0, 0.9, None), ("A", -2.0, 0.9, None)])
    assert first_sets(tied)["gene_set"].tolist() == first_sets(tied.iloc[::-1])["gene_set"].tolist() == ["A", "B"]


def test_a_row_says_for_how_many_and_for_which_sets_it_stands() -> None:
    """Their titles are folded under the number, the largest score first."""
    stands = column(table_of(CLUSTERED), "Stands for")
    assert stands.cells == (NOTHING, "2 others", NOTHING, NOTHING)
    assert stands.details == ("", "A hidden; F hidden", "", "")
    assert column(table_of(CLUSTERED), "Set").cells == ("C low", "B first", "D strong", "E weak")


def test_the_caption_counts_sets_and_clusters() -> None:
    """How many are below the rate, and how many rows they make."""
    caption = table_of(CLUSTERED).caption
    assert "6 sets tested of Hallmark. 4 have an adjusted p-value below 0.05 and come first" in caption
    assert "one row for each of 2 clusters" in caption
    alone = make_scores([("A", 2.0, 1e-3, "A"), ("B", 1.0, 0.9, None)])
    assert "1 has an adjusted p-value below 0.05 and comes first; largest" in table_of(alone).caption
    assert "Stands for" not in [column.title for column in table_of(alone).columns]
    none = make_scores([("A", 2.0, 0.2, None)])
    assert "1 set tested of Hallmark. No set has an adjusted p-value below 0.05" in table_of(none).caption


def test_long_tables_show_the_first_rows_of_all_clusters() -> None:
    """The caption says that there are more."""
    many = make_scores([(f"S{k:02d}", 3 - k / 100, 1e-3, f"S{k:02d}") for k in range(TOP_SETS + 5)])
    table = table_of(many)
    assert len(table.rows) == TOP_SETS
    assert f"the first {TOP_SETS} of {TOP_SETS + 5} sets tested" in table.caption
    assert table.more.href == f"enrichment/hallmark/{CONTRAST}.tsv"


def test_details_are_escaped_and_folded() -> None:
    """In an element that needs no script; the cell is wide enough to be read."""
    own = texts("Stands for", ["1 other", ""], details=["<b>x</b>; y", ""])
    assert own.layout == "long"
    text = render_text("blocks/table.html.j2", block=Table("Caption.", (texts("Set", ["A", "B"]), own)))
    assert "<details><summary>1 other</summary>&lt;b&gt;x&lt;/b&gt;; y</details>" in text
    assert text.count("<details>") == 1


def test_tiles_leave_out_sets_for_which_another_one_stands() -> None:
    """Where there are more sets than tiles; one that stands by itself in some column is judged by that."""
    names = [f"S{k:02d}" for k in range(HEATMAP_SETS + 2)]
    scores = make_scores([(name, 3 - k / 100, 1e-3, name) for k, name in enumerate(names)])
    scores.loc[0, "cluster"] = "S01"
    material, collection = with_scores(scores)
    assert set(heatmap_rows(material, collection)["gene_set"]) == set(names[1 : HEATMAP_SETS + 1])
    alone = dict(collection.enrichment) | {f"{CONTRAST}__7d": scores.assign(cluster=np.nan)}
    shown = set(heatmap_rows(material, replace(collection, enrichment=alone))["gene_set"])
    assert shown == set(names[:HEATMAP_SETS])


HALVES = make_scores([("repair_DN", -2.0, 1e-3, "repair_DN"), ("repair_UP", 2.0, 1e-3, "repair_UP")])
PANEL = make_scores([("tiny", np.nan, np.nan, None)]).assign(note="panel")
FACTS = (
    {"gene_set": "tiny", "title": "Tiny panel", "type": "panel"},
    {"gene_set": "repair", "title": "Repair", "type": "signed"},
)


def test_halves_read_as_what_their_members_do() -> None:
    """By the title of the whole; without one, by its name; MSigDB's own halves stay as they are."""
    entry = {"name": "own", "gene_sets": FACTS}
    titles = set_titles(["repair_UP", "repair_DN", "tiny", "my_set_DN", "KRAS_SIGNALING_UP"], entry)
    assert titles == {
        "repair_UP": "Repair (rising part)",
        "repair_DN": "Repair (falling part)",
        "tiny": "Tiny panel",
        "my_set_DN": "my set (falling part)",
        "KRAS_SIGNALING_UP": "KRAS signaling up",
    }
    assert spelt("UV_RESPONSE_DN") == "UV response down"


def test_halves_stand_in_the_place_of_their_set() -> None:
    """As the collection lists it."""
    entry = {"name": "own", "gene_sets": [*FACTS, {"gene_set": "last", "title": "Last"}]}
    order = set_order(["other", "last", "repair_DN", "repair_UP"], entry)
    assert sorted(order, key=order.get) == ["tiny", "repair", "repair_UP", "repair_DN", "last", "other"]


def test_panels_are_in_no_table_and_no_tile() -> None:
    """There are no ranks of them; halves are there, by their titles."""
    material, collection = with_scores(pd.concat([HALVES, PANEL], ignore_index=True), FACTS)
    rows = heatmap_rows(material, collection)
    assert list(dict.fromkeys(rows["title"])) == ["Repair (rising part)", "Repair (falling part)"]
    section = enrichment_section(material)
    tables = [block for block in section.parts if isinstance(block, Table) and "Hallmark" in block.caption]
    assert {cell for table in tables for cell in column(table, "Set").cells} == set(rows["title"])
    pictures = [block for block in section.parts if isinstance(block, Picture)]
    assert "sets with the largest score" not in pictures[-1].caption


def words_of(section: Section) -> str:
    """Its paragraphs."""
    return " ".join(text for block in section.parts if isinstance(block, Prose) for text in block.paragraphs)


@pytest.mark.parametrize(("signs", "halves"), [((1, -1), True), ((1, 1), False)])
def test_the_ledger_counts_what_is_ranked(signs: tuple[int, int], halves: bool) -> None:
    """Halves by their own members, panels apart."""
    material, collection = with_scores(pd.concat([HALVES, PANEL], ignore_index=True), FACTS)
    members = pd.DataFrame(
        {
            "gene_set": ["repair"] * 12 + ["tiny"] * 3, "gene": [f"G{k}" for k in range(15)],
            "sign": [signs[0]] * 6 + [signs[1]] * 6 + [1, -1, 1], "gene_id": [f"G{k}" for k in range(15)],
            "size": [12] * 12 + [3] * 3, "measured": [12] * 12 + [3] * 3, "note": "",
        }
    )  # fmt: skip
    used = replace(collection, gene_sets=members)
    text = words_of(ledger_section(replace(material, collections=(used,))))
    assert ("Signed sets are ranked in halves, 2 in all." in text) == halves
    assert f"measured members are not tested: {2 if halves else 0} and 0." in text
    assert "Panels of few genes are scored, not ranked: 1." in text
