"""How the shipped tables are built: choice of orthologs, names of rat genes, synonyms, gene sets of others' files."""

from pathlib import Path

import pandas as pd
import pytest

from builders.annotation import rename_rat_genes
from builders.collections import MITOCHONDRIAL, build_gmt, renewed, with_sign
from builders.orthologs import by_gene, choose_pairs
from builders.synonyms import build_synonyms, renamed_after_human


def pairs_of(*rows: tuple[str, str, int]) -> pd.DataFrame:
    """Candidates of HCOP: symbol, human symbol, support."""
    table = pd.DataFrame(rows, columns=["symbol", "human_symbol", "support_n"])
    return table.assign(ensembl=None, entrez=None)


def choices(*rows: tuple[str, str, int]) -> dict[tuple[str, str], str]:
    """Choice by pair."""
    table = choose_pairs(pairs_of(*rows))
    return dict(zip(zip(table["symbol"], table["human_symbol"], strict=True), table["choice"], strict=True))


class TestOrthologs:
    """Best on both sides and well ahead; a tie only under one name."""

    def test_a_clear_pair_is_one_to_one(self) -> None:
        """Also where a weaker candidate exists."""
        found = choices(("Bax", "BAX", 12), ("Bax", "BAK1", 2))
        assert found == {("Bax", "BAX"): "one_to_one", ("Bax", "BAK1"): "not_best"}

    def test_a_close_second_is_kept_as_the_best(self) -> None:
        """With a word of its own; two equal ones are none."""
        assert choices(("Xa", "YB", 4), ("Xa", "YC", 3))[("Xa", "YB")] == "best_support"
        assert set(choices(("Xa", "YB", 5), ("Xa", "YC", 5)).values()) == {"several_human_orthologs"}

    def test_a_common_name_comes_first(self) -> None:
        """The committees name rodent genes after their orthologs; the name says why it was taken."""
        found = choices(("Ccl2", "CCL2", 5), ("Ccl2", "CCL13", 5), ("Ccl12", "CCL2", 5))
        assert found[("Ccl2", "CCL2")] == "same_name"
        assert found[("Ccl12", "CCL2")] == "shared_human_ortholog"
        found = choices(("Ctsl", "CTSL", 3), ("Ctsl", "CTSV", 7))
        assert found == {("Ctsl", "CTSL"): "same_name", ("Ctsl", "CTSV"): "not_best"}

    def test_known_false_friends_are_passed_over(self) -> None:
        """The mouse's Nat2 does the work of human NAT1."""
        found = choices(("Nat2", "NAT1", 11), ("Nat2", "NAT2", 6), ("Nat1", "NAT1", 7))
        assert found[("Nat2", "NAT1")] == "one_to_one"
        assert found[("Nat2", "NAT2")] == "not_best"

    def test_a_provisional_name_is_no_rival(self) -> None:
        """Unless it is the only one."""
        assert choices(("Abcc2", "ABCC2", 4), ("Gm10768", "ABCC2", 5)) == {("Abcc2", "ABCC2"): "one_to_one"}
        assert choices(("Gm1", "NEW", 5)) == {("Gm1", "NEW"): "one_to_one"}

    def test_a_human_gene_that_fits_others_as_well_is_shared(self) -> None:
        """Bcl2a1a, b and d stand for BCL2A1: each clear on its own side, none on the other."""
        found = choices(("Bcl2a1a", "BCL2A1", 6), ("Bcl2a1b", "BCL2A1", 6), ("Bcl2a1d", "BCL2A1", 5))
        assert set(found.values()) == {"shared_human_ortholog"}

    def test_every_gene_says_how_its_ortholog_was_found_or_why_there_is_none(self) -> None:
        """Genes are found by Ensembl id, else by symbol; one that no database pairs says so."""
        candidates = pairs_of(("Bax", "BAX", 12), ("Mt1", "MT1F", 4), ("Mt1", "MT1X", 4), ("Old", "NEW", 9))
        candidates["ensembl"] = [None, None, None, "G4"]
        genes = pd.DataFrame(
            {"symbol": ["Bax", "Mt1", "Alone", "Renamed"], "entrez": None, "symbol_lookup": "yes"},
            index=pd.Index(["G1", "G2", "G3", "G4"], name="key"),
        )
        found = by_gene(candidates, choose_pairs(candidates), genes=genes)
        assert found["human_symbol"].fillna("").tolist() == ["BAX", "", "", "NEW"]
        reasons = ["one_to_one", "several_human_orthologs", "no_human_ortholog", "one_to_one"]
        assert found["ortholog"].tolist() == reasons


def test_a_locus_of_several_genes_has_the_ortholog_of_its_own_name() -> None:
    """Not that of the neighbour which HCOP files under the same Ensembl gene."""
    candidates = pairs_of(("Scp2", "SCP2", 3), ("Podn", "PODN", 7))
    candidates["ensembl"] = ["R1", "R1"]
    genes = pd.DataFrame(
        {"symbol": ["Scp2"], "entrez": None, "symbol_lookup": "yes"}, index=pd.Index(["R1"], name="key")
    )
    found = by_gene(candidates, choose_pairs(candidates), genes=genes)
    assert found["human_symbol"].tolist() == ["SCP2"]


def test_rodent_names_follow_a_human_renaming() -> None:
    """Where the rodent had the former human name and the new one is free."""
    genes = pd.DataFrame(
        [("Gars", "GARS1"), ("Arntl", "BMAL1"), ("Own", "OTHER1"), ("Gart", "GART"), ("Marc1", "MTARC1")],
        columns=["symbol", "human_symbol"],
    )
    human = {"GARS": "GARS1", "ARNTL": "BMAL1", "OTHER": "OTHER1", "MARC1": "MTARC1"}
    known = pd.DataFrame({"synonym": ["Mtarc1"], "symbol": ["Else"]})
    found = renamed_after_human(genes, human, known)
    assert found.to_numpy().tolist() == [["Bmal1", "Arntl"], ["Gars1", "Gars"]]


def test_a_rat_gene_is_named_as_its_entrez_id_says() -> None:
    """Not after a neighbour; of several genes of one locus as the hand chose; nameless ones by their Ensembl id."""
    links = pd.DataFrame(
        [("R1", "25124", "Stat4"), ("R1", "367264", "Stat4"), ("R2", "367264", "Other"), ("R3", "9", "Gns"),
         ("R4", None, None), ("R5", None, "Bax")],
        columns=["gene_id", "entrez", "symbol"],
    )  # fmt: skip
    pairs = pd.DataFrame(
        [("R1", "25124", "Stat1", 3), ("R1", "367264", "Stat4", 8), ("R3", "9", "LOC100909505", 9),
         ("R4", "7", "Cebpa", 6), ("R9", "8", "Bak1", 9)],
        columns=["gene_id", "entrez", "symbol", "support_n"],
    )  # fmt: skip
    chosen = pd.DataFrame({"gene_id": ["R1"], "symbol": ["Stat1"]})
    names = rename_rat_genes(links, pairs, chosen)["symbol"].tolist()
    assert names == ["Stat1", "Stat1", "Stat4", "Gns", "Cebpa", "Bax"]


def test_a_synonym_leads_to_one_symbol_and_is_none_itself() -> None:
    """Names of several genes, present symbols and mere changes of case are no synonyms."""
    links = pd.DataFrame(
        {"gene_id": ["H1", "H2"], "entrez": ["1", "2"], "symbol": ["MARCHF1", "MTARC1"], "rank": [1, 1]}
    )
    pairs = pd.DataFrame(
        [("H1", "1", "MARCH1"), ("H1", "1", "marchf1"), ("H2", "2", "MARC1"), ("H1", "1", "BOTH"), ("H2", "2", "BOTH"),
         ("H1", "1", "MTARC1"), ("H9", "9", "UNKNOWN")],
        columns=["gene_id", "entrez", "symbol"],
    )  # fmt: skip
    found = build_synonyms(links, links, pairs, "no organism")
    assert list(found.itertuples(index=False, name=None)) == [("MARC1", "MTARC1"), ("MARCH1", "MARCHF1")]


def test_sets_of_a_gmt_have_present_symbols_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An old and a new name of one gene are one member; the misspelt set is spelt as in the other species."""
    (tmp_path / "genesets").mkdir()
    line = "HALLMARK_REACTIVE_OXIGEN_SPECIES_PATHWAY\tsomewhere\tOLD\tNEW\tA\n"
    (tmp_path / "genesets" / "h.all.v7.0.symbols.gmt").write_text(line)
    table = build_gmt(tmp_path, "hallmark", "human", present={"OLD": "NEW"})
    assert table["gene"].tolist() == ["A", "NEW"]
    assert set(table["gene_set"]) == {"HALLMARK_REACTIVE_OXYGEN_SPECIES_PATHWAY"}
    assert MITOCHONDRIAL["COX1"] == "MT-CO1"
    assert MITOCHONDRIAL["CYTB"] == "MT-CYB"


def test_signed_weights_become_a_weight_and_a_sign() -> None:
    """A weight of nothing is no member; of two members that become one, the weightier stays."""
    table = pd.DataFrame({"gene_set": "p", "gene": ["A", "B", "C", "D"], "weight": [2.0, -3.0, 0.0, 1.0]})
    signed = with_sign(table)
    assert signed[["gene", "weight", "sign"]].to_numpy().tolist() == [["A", 2.0, 1], ["B", 3.0, -1], ["D", 1.0, 1]]
    assert renewed(signed, {"D": "A"})[["gene", "weight"]].to_numpy().tolist() == [["A", 2.0], ["B", 3.0]]
