"""Exports, read back by us, by pandas and by plain gseapy."""

from __future__ import annotations

import logging
from pathlib import Path

import gseapy
import numpy as np
import pandas as pd
import pytest

from exoliver.enrichment import enrich_contrasts, rank_contrast
from exoliver.exports import ENRICHMENT_MAP, enrichment_map_text, export_collection, gmt_text, rnk_text
from exoliver.genesets import read_gene_sets
from exoliver.ranked_sets import RankedSets
from exoliver.tables import write_texts
from tests.unit.test_enrichment import SETTINGS, make_ranked, make_sets, make_table

HOSTILE = '=HYPERLINK("http://x")'


@pytest.fixture(scope="module")
def sets() -> RankedSets:
    """A collection with halves, a panel, and titles of some."""
    members = make_sets() | {
        "both_UP": [f"Gene{k}" for k in range(5, 25)],
        "both_DN": [f"Gene{k}" for k in range(50, 70)],
    }
    return make_ranked(members | {"tiny": ["Gene1", "Gene2"]}, panels={"tiny"}, titles={"up": "All that rises"})


@pytest.fixture(scope="module")
def contrasts() -> dict[str, pd.DataFrame]:
    """One contrast with a tie, and one without a number."""
    tied = make_table()
    tied.loc[[100, 200, 300], ["log2_fold_change", "lfc_se"]] = [0.3, 0.5]
    missing = dict.fromkeys(("log2_fold_change", "lfc_se", "pvalue", "padj"), np.nan)
    return {"a_vs_b": tied, "lost": make_table().assign(**missing, note="missing_cell")}


@pytest.fixture(scope="module")
def enrichment(contrasts: dict[str, pd.DataFrame], sets: RankedSets) -> dict[str, pd.DataFrame]:
    """Their tables."""
    return enrich_contrasts(contrasts, sets, settings=SETTINGS, label=["toy", "own"], threads=1)[0]


@pytest.fixture(scope="module")
def folder(
    contrasts: dict[str, pd.DataFrame],
    sets: RankedSets,
    enrichment: dict[str, pd.DataFrame],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """The folder of exports."""
    path = tmp_path_factory.mktemp("exports") / "own"
    write_texts(export_collection(contrasts, sets, enrichment=enrichment), path)
    return path


def read_rnk(path: Path) -> pd.Series:
    """A ranking as others read it."""
    return pd.read_csv(path, sep="\t", header=None, index_col=0).squeeze("columns")


def test_every_contrast_has_its_files(folder: Path) -> None:
    """And the collection one, whatever could be tested."""
    expected = ["a_vs_b.enrichmentmap.txt", "a_vs_b.rnk", "lost.enrichmentmap.txt", "lost.rnk", "own.gmt"]
    assert sorted(path.name for path in folder.iterdir()) == expected
    assert (folder / "lost.rnk").read_text() == ""
    assert (folder / "lost.enrichmentmap.txt").read_text() == "\t".join(ENRICHMENT_MAP) + "\n"


def test_the_ranking_reads_back_as_it_was(folder: Path, contrasts: dict[str, pd.DataFrame]) -> None:
    """Two columns without a header: the same numbers, and with ties the same order if it is sorted again."""
    expected = rank_contrast(contrasts["a_vs_b"], by="symbol")
    lines = [line.split("\t") for line in (folder / "a_vs_b.rnk").read_text().splitlines()]
    assert [gene for gene, _ in lines] == list(expected.index)
    assert [float(number) for _, number in lines] == expected.tolist()
    again = read_rnk(folder / "a_vs_b.rnk").sample(frac=1, random_state=1).sort_values(ascending=False)
    assert list(again.index) == list(expected.index)


def test_the_sets_read_back_as_they_were_ranked(folder: Path, sets: RankedSets) -> None:
    """Halves apart, measured members only; no panel, and no set without a member, which is no set to other programs."""
    table = read_gene_sets(folder / "own.gmt")
    found = table.groupby("gene_set")["gene"].agg(list).to_dict()
    assert found == {name: sorted(genes) for name, genes in sets.members.items() if genes and name != "tiny"}
    second = {line.split("\t")[0]: line.split("\t")[1] for line in (folder / "own.gmt").read_text().splitlines()}
    assert (second["up"], second["down"]) == ("All that rises", "own.tsv")


def test_plain_gseapy_finds_the_same_scores(folder: Path, enrichment: dict[str, pd.DataFrame]) -> None:
    """Its own reader, its own sets and any method: the enrichment score and leading edge have no randomness."""
    logging.getLogger("gseapy").setLevel(logging.ERROR)
    size = SETTINGS["set_size"]
    result = gseapy.prerank(
        rnk=str(folder / "a_vs_b.rnk"), gene_sets=str(folder / "own.gmt"), min_size=size["min"], max_size=size["max"],
        permutation_num=10, seed=1, outdir=None,
    ).res2d.set_index("Term")  # fmt: skip
    ours = enrichment["a_vs_b"].set_index("gene_set").dropna(subset=["es"])
    assert set(result.index) == set(ours.index) >= {"up", "down", "both_UP", "both_DN"}
    np.testing.assert_allclose(result.loc[ours.index, "ES"].astype(float), ours["es"], rtol=0, atol=1e-12)
    assert result.loc[ours.index, "Lead_genes"].tolist() == ours["leading_edge"].tolist()


def test_enrichment_maps_have_the_sets_tested(
    folder: Path, sets: RankedSets, enrichment: dict[str, pd.DataFrame]
) -> None:
    """Six columns of that name; direction by the score; all ranked members, so that overlaps are those of the GMT."""
    text = (folder / "a_vs_b.enrichmentmap.txt").read_text()
    rows = pd.read_csv(folder / "a_vs_b.enrichmentmap.txt", sep="\t").set_index("GO.ID")
    assert text.splitlines()[0].split("\t") == list(ENRICHMENT_MAP)
    ours = enrichment["a_vs_b"].set_index("gene_set").dropna(subset=["pvalue"])
    assert list(rows.index) == list(ours.index)
    np.testing.assert_allclose(rows[["p.Val", "FDR"]], ours[["pvalue", "padj"]], rtol=1e-9)
    assert rows.loc[["up", "down"], "Phenotype"].tolist() == [1, -1]
    assert {line.split("\t")[4] for line in text.splitlines()[1:]} == {"+1", "-1"}
    assert rows.loc[["up", "down"], "Description"].tolist() == ["All that rises", "down"]
    assert {name: genes.split(",") for name, genes in rows["Genes"].items()} == {
        name: list(sets.members[name]) for name in ours.index
    }


def test_only_ranked_members_are_exported_with_a_result() -> None:
    """A gene without a statistic in this contrast is no part of the set there."""
    table = pd.DataFrame({"gene_set": ["s"], "pvalue": [0.5], "padj": [0.5], "nes": [1.0]})
    text = enrichment_map_text(table, {"s": ["A", "B", "C"]}, titles={}, genes={"A", "C"})
    assert text.splitlines()[1] == "s\ts\t0.5\t0.5\t+1\tA,C"


def test_no_name_opens_a_cell_or_a_line_of_its_own() -> None:
    """Tabs, line ends of all kinds and other control characters become blanks, the same in every file."""
    name, gene = "a\tb\r\nc\x0b\u2028d\x1b[2J", "G\t1\n"
    members = {name: [gene, "H"]}
    assert gmt_text(members, {name: "x\ty\x00"}) == "a b  c  d [2J\tx y\tG 1\tH\n"
    assert rnk_text(pd.Series([1.5], index=[gene])) == "G 1\t1.5\n"
    table = pd.DataFrame({"gene_set": [name], "pvalue": [0.5], "padj": [0.5], "nes": [-1.0]})
    text = enrichment_map_text(table, members, titles={}, genes={gene, "H"})
    assert text.splitlines()[1:] == ["a b  c  d [2J\ta b  c  d [2J\t0.5\t0.5\t-1\tG 1,H"]


@pytest.mark.parametrize("name", [HOSTILE, "+1+1", "-2", "@SUM(A1)", "\t=1"])
def test_no_name_is_computed_by_a_spreadsheet(name: str) -> None:
    """It is led by an apostrophe as title, set and gene, so that all files still agree; numbers of ours are not."""
    assert gmt_text({name: [name]}, {name: name}) == "\t".join([f"'{name.strip()}"] * 3) + "\n"
    assert rnk_text(pd.Series([-1.5], index=[name])) == f"'{name.strip()}\t-1.5\n"


def test_a_comma_does_not_part_a_gene() -> None:
    """The list of genes is parted by commas, and has no quotes."""
    table = pd.DataFrame({"gene_set": ["s"], "pvalue": [0.5], "padj": [0.5], "nes": [1.0]})
    text = enrichment_map_text(table, {"s": ["1,2-diol", "B"]}, titles={}, genes={"1,2-diol", "B"})
    assert text.splitlines()[1].split("\t")[-1] == "1_2-diol,B"


def test_the_order_of_sets_and_genes_changes_no_byte(
    contrasts: dict[str, pd.DataFrame], sets: RankedSets, enrichment: dict[str, pd.DataFrame]
) -> None:
    """Rows of the gene tables shuffled, sets reversed."""
    shuffled = {name: table.sample(frac=1, random_state=3) for name, table in contrasts.items()}
    reversed_sets = make_ranked(dict(reversed(sets.members.items())), panels=sets.panels, titles=sets.titles)
    once = export_collection(contrasts, sets, enrichment=enrichment)
    assert export_collection(shuffled, reversed_sets, enrichment=enrichment) == once
