"""Gene sets: which are there, how they are read, and what a dataset measures of them."""

import gzip
import re
from pathlib import Path

import pandas as pd
import pytest

from exoliver import genesets
from exoliver.genesets import (
    find_collection,
    gene_sets_as_dict,
    map_gene_sets,
    no_gene_sets,
    read_gene_sets,
    renew_members,
    share_found,
)
from exoliver.tables import GENE_SETS

SETS = pd.DataFrame(
    [("one", "A", 1.0, 1), ("one", "B", 1.0, 1), ("one", "Z", 1.0, 1), ("two", "B", 0.5, -1), ("two", "C", 1.0, 1)],
    columns=["gene_set", "gene", "weight", "sign"],
)
GENES = pd.DataFrame(
    {
        "gene_id": ["g1", "g2", "g3", "g4", "g5"],
        "symbol": ["A", "A", "B", "C", None],
        "human_symbol": ["HA", None, "HB", "HC", None],
        "base_mean": [1.0, 9.0, 5.0, 2.0, 3.0],
        "tested": [True, True, True, False, True],
    }
)


def written(path: Path, text: str) -> Path:
    """A file with this text."""
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("organism", ["human", "mouse", "rat"])
@pytest.mark.parametrize("name", ["hallmark", "programmes", "pathway_responses", "reactome", "mirna_targets", "go_bp"])
def test_shipped_collections_are_found_and_read(name: str, organism: str) -> None:
    """Each has sets for each of the three organisms."""
    entry = find_collection(name, organism)
    assert (entry.name, entry.organism, entry.is_shipped) == (name, organism, True)
    sizes = {"hallmark": 50, "programmes": 94, "pathway_responses": 14, "mirna_targets": 221, "go_bp": 9373}
    sizes["reactome"] = 1251 if organism == "mouse" else 1499
    assert read_gene_sets(entry.path)["gene_set"].nunique() == sizes[name]


def test_rat_uses_the_human_hallmark_through_human_symbols() -> None:
    """There is no release for the rat."""
    entry = find_collection("hallmark", "rat")
    assert (entry.path.name, entry.genes) == ("hallmark_human.tsv.gz", "human_symbol")
    assert find_collection("hallmark", "mouse").genes == "symbol"


def test_an_organism_without_sets_has_an_entry_without_a_file() -> None:
    """Callers can say what is left out."""
    entry = find_collection("hallmark", "worm")
    assert entry.path is None
    assert tuple(no_gene_sets().columns) == GENE_SETS
    assert len(no_gene_sets()) == 0


def test_programmes_state_definition_benefit_and_source() -> None:
    """Each programme has facts, and each fact a programme."""
    entry = find_collection("programmes", "mouse")
    assert {facts.gene_set for facts in entry.gene_sets} == set(read_gene_sets(entry.path)["gene_set"])
    for facts in entry.gene_sets:
        assert facts.benefit in {"up", "down", "toward_healthy", "depends"}
        assert re.search(r" \d{4} ", facts.citation)
        assert facts.type in {"set", "signed", "panel"}
        assert facts.theme
        assert facts.definition
        assert facts.compartment


def test_a_file_of_the_user_is_a_collection(tmp_path: Path) -> None:
    """Its name is a slug of the file's stem, its genes are symbols of the organism."""
    path = written(tmp_path / "My Sets.v1.gmt", "s\td\tA\tB\n")
    entry = find_collection(str(path), "mouse")
    assert (entry.name, entry.genes, entry.is_shipped, entry.path) == ("my_sets_v1", "symbol", False, path)


@pytest.mark.parametrize(
    ("name", "message"), [("halmark", "neither a shipped one"), ("missing/sets.gmt", "does not exist")]
)
def test_an_unknown_collection_is_refused(name: str, message: str) -> None:
    """A misspelt name and a missing file are told apart."""
    with pytest.raises(ValueError, match=message):
        find_collection(name, "mouse")


def test_a_shipped_file_that_changed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The recorded checksum is compared each time."""
    folder = tmp_path / "gene_sets"
    folder.mkdir()
    written(folder / "programmes_mouse.tsv", "gene_set\tgene\none\tA\n")
    monkeypatch.setattr(genesets, "RESOURCES", tmp_path)
    with pytest.raises(ValueError, match="differs from its checksum"):
        find_collection("programmes", "mouse")


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_gmt_is_read_plain_and_compressed(tmp_path: Path, mark: str, ending: str) -> None:
    """Empty fields at the end, a byte order mark, and either line ending do no harm."""
    text = mark + ending.join(["two\tlink\tB\tA\t", "one\t\tC\tC", "", ""])
    plain, packed = written(tmp_path / "s.gmt", ""), tmp_path / "s.gmt.gz"
    plain.write_bytes(text.encode())
    packed.write_bytes(gzip.compress(text.encode()))
    for path in (plain, packed):
        table = read_gene_sets(path)
        assert list(table[["gene_set", "gene"]].itertuples(index=False, name=None)) == [
            ("one", "C"), ("two", "A"), ("two", "B"),
        ]  # fmt: skip
        assert (table["weight"] == 1).all()
        assert (table["sign"] == 1).all()


def test_a_table_carries_weights_and_signs(tmp_path: Path) -> None:
    """Either may be left out, in any order of the columns."""
    path = written(tmp_path / "s.tsv", "gene\tgene_set\tsign\tweight\nB\tone\t-1\t0.25\nA\tone\t1\t2\n")
    assert read_gene_sets(path).to_dict("list") == {
        "gene_set": ["one", "one"], "gene": ["A", "B"], "weight": [2.0, 0.25], "sign": [1, -1],
    }  # fmt: skip
    bare = written(tmp_path / "bare.tsv", "gene_set\tgene\none\tA\n")
    assert read_gene_sets(bare).iloc[0].tolist() == ["one", "A", 1.0, 1]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("s.gmt", "", "empty"),
        ("s.gmt", "one\td\tA\none\td\tB\n", "defined twice"),
        ("s.gmt", "\td\tA\n", "no name"),
        ("s.gmt", "one\td\t\t\n", "no members"),
        ("s.gmt", "one A B\n", "no members"),
        ("s.gmt", "one\td\tA\tNA\n", "set member without a name"),
        ("s.gmt", "NA\td\tA\n", "set without a name"),
        ("s.tsv", "gene_set\tgene\n", "no gene set"),
        ("s.tsv", "set\tgene\none\tA\n", "the columns are"),
        ("s.tsv", "gene_set\tgene\tp\none\tA\t1\n", "the columns are"),
        ("s.tsv", "gene_set\tgene\none\n", "line 2"),
        ("s.tsv", "gene_set\tgene\none\tA\none\tA\n", "twice"),
        ("s.tsv", "gene_set\tgene\n\tA\n", "without a name"),
        ("s.tsv", "gene_set\tgene\none\tNA\n", "without a name"),
        ("s.tsv", "gene_set\tgene\tweight\none\tA\t0\n", "positive"),
        ("s.tsv", "gene_set\tgene\tweight\none\tA\tbig\n", "positive"),
        ("s.tsv", "gene_set\tgene\tweight\none\tA\tinf\n", "positive"),
        ("s.tsv", "gene_set\tgene\tsign\none\tA\t2\n", "sign"),
        ("s.csv", "gene_set,gene\n", "are read from"),
    ],
)
def test_a_faulty_file_of_gene_sets_is_refused(tmp_path: Path, name: str, text: str, message: str) -> None:
    """The message names the file and what is wrong with it."""
    with pytest.raises(ValueError, match=message) as error:
        read_gene_sets(written(tmp_path / name, text))
    assert name in str(error.value)


def test_each_member_says_which_gene_stands_for_it() -> None:
    """Measured, filtered, absent and duplicated members are told apart, and counted per set."""
    mapped = map_gene_sets(SETS, GENES, by="symbol")
    assert tuple(mapped.columns) == GENE_SETS
    rows = mapped.set_index(["gene_set", "gene"])
    assert rows["note"].to_dict() == {
        ("one", "A"): "duplicate_symbol:g1", ("one", "B"): "", ("one", "Z"): "not_measured",
        ("two", "B"): "", ("two", "C"): "filtered",
    }  # fmt: skip
    assert rows["gene_id"].fillna("-").tolist() == ["g2", "g3", "-", "g3", "-"]
    assert rows["size"].tolist() == [3, 3, 3, 2, 2]
    assert rows["measured"].tolist() == [2, 2, 2, 1, 1]
    assert rows.loc[("two", "B"), ["weight", "sign"]].tolist() == [0.5, -1]


def test_mapping_does_not_depend_on_the_order_of_rows() -> None:
    """Shuffled sets and genes, and columns of another text type, give the same table."""
    expected = map_gene_sets(SETS, GENES, by="symbol")
    shuffled = map_gene_sets(SETS.sample(frac=1, random_state=1), GENES.iloc[::-1], by="symbol")
    pd.testing.assert_frame_equal(shuffled, expected)
    text = dict.fromkeys(["gene_id", "symbol", "human_symbol"], "string")
    typed = map_gene_sets(SETS, GENES.astype(text), by="symbol")
    pd.testing.assert_frame_equal(typed, expected)


def test_sets_are_mapped_by_the_column_asked_for() -> None:
    """Human symbols are compared with human symbols, in exactly their case."""
    sets = SETS.assign(gene="H" + SETS["gene"])
    mapped = map_gene_sets(sets, GENES, by="human_symbol")
    assert mapped["gene_id"].fillna("-").tolist() == ["g1", "g3", "-", "g3", "-"]
    assert map_gene_sets(sets.assign(gene=sets["gene"].str.lower()), GENES, by="human_symbol")["gene_id"].isna().all()


def test_mapping_works_without_a_tested_gene_or_a_set() -> None:
    """Nothing tested: every member is filtered or absent; no set: no row."""
    mapped = map_gene_sets(SETS, GENES.assign(tested=False), by="symbol")
    assert (mapped["measured"] == 0).all()
    assert set(mapped["note"]) == {"filtered", "not_measured"}
    assert tuple(map_gene_sets(SETS.iloc[:0], GENES, by="symbol").columns) == GENE_SETS


def test_measured_members_are_given_by_set() -> None:
    """Sorted symbols; a set without a measured member is there and empty."""
    mapped = map_gene_sets(SETS, GENES.assign(tested=[True, True, False, False, True]), by="symbol")
    assert gene_sets_as_dict(mapped) == {"one": ["A"], "two_DN": [], "two_UP": []}
    assert gene_sets_as_dict(no_gene_sets()) == {}


def make_signed(name: str, ups: str, downs: str, *, measured: str) -> pd.DataFrame:
    """A mapped set of one-letter genes, of which some are measured."""
    genes = [*ups, *downs]
    return pd.DataFrame(
        {
            "gene_set": name,
            "gene": genes,
            "weight": 1.0,
            "sign": [1] * len(ups) + [-1] * len(downs),
            "gene_id": [f"id{gene}" if gene in measured else None for gene in genes],
            "size": len(genes),
            "measured": len(set(genes) & set(measured)),
            "note": "",
        }
    )


def test_a_set_with_members_of_both_signs_is_two() -> None:
    """By the signs of the collection, not by those that a dataset measures; sets of one sign stay as they are."""
    mapped = pd.concat(
        [
            make_signed("both", "CAB", "DE", measured="BCDE"),
            make_signed("lost", "FG", "H", measured="FG"),
            make_signed("down", "", "IJ", measured="IJ"),
            make_signed("up", "KL", "", measured="KL"),
        ]
    )
    halves = {"both_UP": ["B", "C"], "both_DN": ["D", "E"], "lost_UP": ["F", "G"], "lost_DN": []}
    expected = halves | {"down_DN": ["I", "J"], "up": ["K", "L"]}
    assert gene_sets_as_dict(mapped) == expected
    assert list(gene_sets_as_dict(mapped)) == sorted(expected)
    texts = mapped.astype({"gene_set": "string", "gene": "string"})
    assert gene_sets_as_dict(texts) == expected, "as they are read from a file"


def test_a_panel_stays_one_whatever_its_signs() -> None:
    """It is never ranked, so that there is nothing to part."""
    mapped = make_signed("both", "AB", "CD", measured="ABCD")
    assert gene_sets_as_dict(mapped, {"both"}) == {"both": list("ABCD")}


def test_a_half_does_not_take_the_name_of_another_set() -> None:
    """Two sets would become one."""
    mapped = pd.concat([make_signed("x", "AB", "CD", measured=""), make_signed("x_DN", "EF", "", measured="")])
    with pytest.raises(ValueError, match="'x_DN' has the name of one half of 'x'"):
        gene_sets_as_dict(mapped)
    assert set(gene_sets_as_dict(mapped, {"x"})) == {"x", "x_DN"}


def test_the_share_found_tells_species_apart() -> None:
    """Mouse sets meet mouse symbols and not human ones."""
    assert share_found(SETS, GENES, by="symbol") == 0.75
    assert share_found(SETS, GENES, by="human_symbol") == 0
    assert share_found(SETS.iloc[:0], GENES, by="symbol") == 0


def test_members_of_own_sets_are_found_under_their_present_name() -> None:
    """Only where the dataset lacks the old one; two names of a gene are one member."""
    sets = pd.DataFrame(
        [("a", "OLD", 1.0, 1), ("a", "NEW", 1.0, 1), ("b", "OLD", 1.0, -1), ("b", "HERE", 1.0, 1)],
        columns=["gene_set", "gene", "weight", "sign"],
    )
    renewed = renew_members(sets, {"NEW", "HERE"}, synonyms={"OLD": "NEW", "HERE": "THERE"})
    assert renewed[["gene_set", "gene", "sign"]].to_numpy().tolist() == [
        ["a", "NEW", 1],
        ["b", "HERE", 1],
        ["b", "NEW", -1],
    ]


def test_a_set_whose_members_all_fall_tells_it_by_its_name() -> None:
    """Else a rise of its members would read as a rise of the set."""
    mapped = pd.DataFrame({"gene_set": "a", "gene": ["X", "Y"], "sign": -1, "gene_id": ["g1", "g2"]})
    assert gene_sets_as_dict(mapped) == {"a_DN": ["X", "Y"]}
    assert gene_sets_as_dict(mapped, panels=["a"]) == {"a": ["X", "Y"]}
