"""The curated programmes: members, signs, sources and what must never be in which, line by line of the biology."""

import re
from itertools import combinations
from pathlib import Path

import pandas as pd
import pytest
import yaml

from exoliver.genesets import find_collection, read_gene_sets
from exoliver.identifiers import read_annotation

ORGANISMS = ("human", "mouse", "rat")
DEATH = {"BAX", "BAK1", "BID", "FAS", "CASP3"}
SURVIVAL = ("anti_apoptotic", "nfkb_survival", "stat3_survival", "pi3k_akt_survival")
WANTED = {
    "anti_apoptotic", "pro_apoptotic", "intrinsic_apoptosis", "extrinsic_apoptosis", "caspase_cascade",
    "p53_response", "pi3k_akt_survival", "nfkb_survival", "stat3_survival", "nrf2_response", "acute_phase_response",
    "nfkb_tnf_inflammation", "inflammasome", "interferon_response", "chemokines", "inflammation_resolution",
    "autophagy", "mitophagy", "lysosome_biogenesis", "oxidative_stress_defence", "ros_production", "er_stress",
    "ferroptosis", "necroptosis", "pyroptosis", "matrix_synthesis", "stellate_activation", "tgfb_targets",
    "matrix_degradation", "angiogenesis", "cell_cycle_g1_s", "cell_cycle_g2_m", "liver_regeneration",
    "hgf_response", "egf_response", "vegf_response", "tgfb_response", "wnt_bcatenin_response",
    "hepatocyte_identity", "urea_cycle", "drug_metabolism", "liver_cancer_markers", "stemness", "oncofetal",
    "senescence", "cell_cycle_arrest", "efferocytosis", "restorative_macrophages", "ductular_reaction",
    "sinusoidal_endothelium", "capillarisation", "yap_hippo", "fatty_acid_oxidation", "lipogenesis",
    "oxidative_phosphorylation", "zonation", "zonation_pericentral", "zonation_periportal", "clock", "fasting",
    "foreign_rna_sensing", "cells_hepatocyte", "cells_cholangiocyte", "cells_stellate", "cells_endothelial",
    "cells_kupffer", "cells_leukocyte",
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(root: Path) -> Path:
    """Where the programmes are."""
    return root / "resources" / "programmes"


@pytest.fixture(scope="module")
def facts(folder: Path) -> dict[str, dict[str, object]]:
    """What is known of each programme."""
    return yaml.safe_load((folder / "programmes.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def members(folder: Path) -> pd.DataFrame:
    """The members as written by hand."""
    return pd.read_csv(folder / "members.tsv", sep="\t", dtype=str, keep_default_na=False)


@pytest.fixture(scope="module")
def references(folder: Path) -> pd.DataFrame:
    """The papers."""
    return pd.read_csv(folder / "references.tsv", sep="\t", dtype=str, keep_default_na=False)


def genes_of(members: pd.DataFrame, *programmes: str) -> set[str]:
    """Human symbols of the members of some programmes, families taken apart."""
    own = members[members["programme"].isin(programmes)]
    assert set(own["programme"]) == set(programmes)
    return set(own["human"].str.split(";").explode())


def test_every_programme_asked_for_is_there(facts: dict[str, dict[str, object]], members: pd.DataFrame) -> None:
    """Those of the issue and of the biology; each has members, or PROGENy's."""
    assert set(facts) >= WANTED
    assert set(facts) == set(members["programme"]) | {name for name, known in facts.items() if "progeny" in known}


def test_every_programme_says_what_it_is(facts: dict[str, dict[str, object]], references: pd.DataFrame) -> None:
    """In the vocabulary of the README; its papers are listed."""
    for name, known in facts.items():
        assert known["type"] in {"set", "signed", "panel"}, name
        assert known["benefit"] in {"up", "down", "toward_healthy", "depends"}, name
        assert set(known.get("benefit_by_cell_type", {}).values()) <= {"up", "down", "toward_healthy", "depends"}, name
        assert re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", str(known["theme"])), name
        assert len(str(known["definition"]).split()) > 12, name
        assert known["compartment"], name
        assert {key.strip() for key in str(known["citation"]).split(";")} <= set(references["key"]), name


def test_programmes_that_rise_because_of_an_injury_are_not_called_good(facts: dict[str, dict[str, object]]) -> None:
    """A therapy that makes the injury milder lowers them."""
    adaptive = [*SURVIVAL, "nrf2_response", "autophagy", "liver_regeneration", "cell_cycle_g2_m", "hgf_response"]
    assert {facts[name]["benefit"] for name in adaptive} <= {"toward_healthy", "depends"}
    assert facts["tgfb_response"]["benefit"] == facts["tgfb_targets"]["benefit"] == "depends"


def test_every_member_has_a_reason_and_a_source(members: pd.DataFrame, references: pd.DataFrame) -> None:
    """No member twice; every key leads to a paper."""
    assert not members.duplicated(["programme", "human"]).any()
    assert members["evidence"].str.len().gt(3).all()
    assert set(members["citation"].str.split(";").explode()) <= set(references["key"])
    assert (members["human"] != "NA").all()
    assert set(members["sign"]) == {"1", "-1"}


def test_references_have_a_doi_that_was_looked_up(references: pd.DataFrame) -> None:
    """Seven in eight have one, the others say what was seen of them; no key and no DOI is there twice."""
    has = references["doi"] != ""
    assert references.loc[has, "doi"].str.fullmatch(r"10\.\d{4,9}/\S+").all()
    assert not references["key"].duplicated().any()
    assert not references.loc[has, "doi"].duplicated().any()
    assert references["verified"].ne("").all()
    assert has.mean() > 0.875
    assert not references.loc[has, "verified"].str.startswith("no").any()


def test_types_agree_with_signs_and_sizes(facts: dict[str, dict[str, object]], members: pd.DataFrame) -> None:
    """A signed programme has members of both signs, no other has; a set has enough for a test of ranks."""
    for name, own in members.groupby("programme"):
        kind = facts[name]["type"]
        assert (own["sign"].nunique() == 2) == (kind == "signed"), name
        assert len(own) >= {"set": 15, "signed": 6, "panel": 3}[kind], name
        assert kind != "panel" or len(own) <= 20, name


@pytest.mark.parametrize("organism", ORGANISMS)
def test_every_symbol_is_in_the_annotation(root: Path, organism: str, members: pd.DataFrame) -> None:
    """Hand-checked names are names of genes; in rat also of those that share an Ensembl gene with another."""
    families = members.loc[members[organism] != "NA", organism]
    known = set(read_annotation(organism)["symbol"].dropna())
    if organism == "rat":
        loci = pd.read_csv(root / "resources" / "identifiers" / "rat_shared_loci.tsv", sep="\t")
        known |= set(loci["others"].str.split(";").explode())
    assert set(families.str.split(";").explode()) - known == set()


@pytest.mark.parametrize("organism", ORGANISMS)
def test_no_member_was_lost_on_the_way_to_a_table(organism: str, members: pd.DataFrame) -> None:
    """One-to-one orthology plays no part: what the hand wrote is in the table; a family weighs as one gene."""
    table = read_gene_sets(find_collection("programmes", organism).path)
    own = members[members[organism] != "NA"]
    for name, rows in own.groupby("programme"):
        built = table[table["gene_set"] == name]
        assert set(built["gene"]) == set(rows[organism].str.split(";").explode()), name
        assert built["weight"].sum() == pytest.approx(len(rows)), name


@pytest.mark.parametrize("organism", ["mouse", "rat"])
def test_what_rodents_lack_says_so(organism: str, members: pd.DataFrame) -> None:
    """Few members have no counterpart; families that one-to-one orthology drops have theirs."""
    assert (members[organism] == "NA").mean() < 0.03
    rows = members.drop_duplicates("human").set_index("human")[organism]
    assert rows["BCL2A1"] != "NA"
    by_gene = members.assign(gene=members["human"].str.split(";")).explode("gene")
    # The rat has no counterpart of SAA1 and SAA2.
    for gene in ("CYP3A4", "GSTA1", *(["SAA1"] if organism == "mouse" else [])):
        found = by_gene[by_gene["gene"] == gene]
        assert len(found), gene
        assert (found[organism] != "NA").all(), gene
    assert "Mmp13" in set(by_gene.loc[by_gene["gene"] == "MMP13", organism].str.split(";").explode())


@pytest.mark.parametrize("organism", ["mouse", "rat"])
def test_the_hand_agrees_with_the_databases(organism: str, members: pd.DataFrame) -> None:
    """Where the ortholog tables know one counterpart of a single human gene, it is among those written."""
    table = read_annotation(organism).dropna(subset=["symbol", "human_symbol"])
    table = table[table["ortholog"] == "one_to_one"]
    known = table.drop_duplicates("human_symbol").set_index("human_symbol")["symbol"]
    single = members[~members["human"].str.contains(";") & members["human"].isin(known.index)]
    other = [
        (row.human, getattr(row, organism), known[row.human])
        for row in single.drop_duplicates("human").itertuples()
        if known[row.human] not in getattr(row, organism).split(";")
    ]
    # MMP1's part in rodents is MMP13's; rodent Usp9y is a gene of the testis; of CES2 the databases prefer one of many.
    assert {human for human, _, _ in other} <= {"MMP1", "USP9Y", "CES2"}, other


def test_one_gene_has_one_counterpart_in_all_programmes(members: pd.DataFrame) -> None:
    """The same wherever it stands; a programme may take some of a family's paralogues."""
    single = members[~members["human"].str.contains(";")]
    for organism in ("mouse", "rat"):
        for gene, rows in single.groupby("human")[organism]:
            families = [set(family.split(";")) - {"NA"} for family in rows.unique()]
            assert max(families, key=len) == set().union(*families), gene


def test_no_gene_of_death_protects(members: pd.DataFrame) -> None:
    """BAX, BAK1, BID, FAS and CASP3 are in no survival programme; survivin, which is about mitosis, is in none."""
    assert genes_of(members, *SURVIVAL) & DEATH == set()
    assert "BIRC5" not in set(members["human"].str.split(";").explode())
    assert genes_of(members, "pro_apoptotic") >= {"BAX", "BAK1", "BID"}
    assert {"MCL1", "BCL2L1", "CFLAR", "XIAP", "BIRC2", "BCL2L2"} <= genes_of(members, "anti_apoptotic")


def test_opposite_programmes_share_no_gene(members: pd.DataFrame) -> None:
    """What protects does not kill, and a zone is not the other one."""
    anti = genes_of(members, "anti_apoptotic")
    death = genes_of(
        members, "pro_apoptotic", "intrinsic_apoptosis", "extrinsic_apoptosis", "caspase_cascade", "er_stress_death"
    )
    assert anti & death == set()
    assert genes_of(members, "zonation_pericentral") & genes_of(members, "zonation_periportal") == set()
    assert genes_of(members, "matrix_synthesis") & genes_of(members, "matrix_degradation") == set()
    assert genes_of(members, "nfkb_tnf_inflammation") & anti == set()


def test_caspases_are_shown_and_not_scored_with_others(members: pd.DataFrame) -> None:
    """Their RNA is not their activity: they have a panel of their own."""
    caspases = {gene for gene in genes_of(members, "caspase_cascade") if gene.startswith("CASP")}
    assert len(caspases) >= 7
    others = ["pro_apoptotic", "intrinsic_apoptosis", "extrinsic_apoptosis", "p53_response"]
    assert genes_of(members, *others) & caspases == set()


def test_pyroptosis_is_not_apoptosis(members: pd.DataFrame) -> None:
    """Caspases 1 and 4 and gasdermin D kill another way."""
    apoptosis = ["pro_apoptotic", "intrinsic_apoptosis", "extrinsic_apoptosis", "caspase_cascade"]
    assert genes_of(members, *apoptosis) & {"CASP1", "CASP4", "CASP5", "GSDMD"} == set()


def test_autophagy_holds_no_inhibitor_and_no_target_of_nrf2(members: pd.DataFrame) -> None:
    """SQSTM1 is driven by NRF2; MTOR, RUBCN and BCL2 hold autophagy back."""
    inhibitors = {"SQSTM1", "MTOR", "RPTOR", "RUBCN", "BCL2", "BCL2L1", "AKT1", "NFE2L2"}
    assert genes_of(members, "autophagy", "lysosome_biogenesis") & inhibitors == set()


def test_inflammation_is_not_one_acute_phase_protein(members: pd.DataFrame) -> None:
    """SAA, LCN2 and CRP have a programme of their own."""
    giants = {"SAA1", "SAA2", "LCN2", "CRP", "SPP1"}
    assert genes_of(members, "nfkb_tnf_inflammation", "chemokines", "inflammasome") & giants == set()
    assert "SAA1" in genes_of(members, "acute_phase_response")


def test_fibrosis_is_told_apart(members: pd.DataFrame) -> None:
    """Synthesis, activation and degradation are three programmes; inhibitors of proteases degrade nothing."""
    assert {"COL1A1", "COL3A1"} <= genes_of(members, "matrix_synthesis")
    assert {"ACTA2", "PDGFRB", "TIMP1"} <= genes_of(members, "stellate_activation")
    degradation = genes_of(members, "matrix_degradation")
    assert {"MMP12", "MMP13"} <= degradation
    assert not any(gene.startswith("TIMP") for gene in degradation)


def test_the_clock_has_two_phases(members: pd.DataFrame) -> None:
    """BMAL1 and DBP are opposite; senescence does not rest on the clock-driven p21."""
    clock = members[members["programme"] == "clock"].set_index("human")["sign"]
    assert clock["BMAL1"] != clock["DBP"]
    assert clock["NR1D1"] == clock["DBP"]
    assert genes_of(members, "senescence") & {"CDKN1A", "CDKN2A"} == set()
    assert {"CDKN1A", "CDKN2A"} <= genes_of(members, "cell_cycle_arrest")


def test_overlaps_are_written_down(folder: Path, facts: dict[str, dict[str, object]]) -> None:
    """Every pair that shares a human gene is in the table, with its genes; PROGENy's programmes too."""
    table = pd.read_csv(folder / "overlaps.tsv", sep="\t", dtype=str, keep_default_na=False)
    human = read_gene_sets(find_collection("programmes", "human").path).groupby("gene_set")["gene"].agg(set)
    sets = human.reindex(list(facts))
    shared = {(one, other): sets[one] & sets[other] for one, other in combinations(sets.index, 2)}
    told = {(row.programme, row.other): set(row.genes.split(";")) for row in table.itertuples()}
    assert told == {pair: genes for pair, genes in shared.items() if genes}
    assert any("tgfb_response" in pair for pair in told)


def test_genes_of_two_minds_are_listed(folder: Path, members: pd.DataFrame) -> None:
    """What Gene Ontology has on both sides of apoptosis; no GO set alone put one of them into a survival programme."""
    table = pd.read_csv(folder / "ambiguous.tsv", sep="\t", dtype=str, keep_default_na=False)
    assert len(table) == 129
    assert set(table["gene"]) >= DEATH | {"FADD", "TNF"}
    anti = members[(members["programme"] == "anti_apoptotic") & members["human"].isin(table["gene"])]
    assert (anti["citation"] != "").all()
    assert set(anti["human"]) == {"MCL1", "TNFAIP8"}


def test_gmt_files_serve_other_tools(folder: Path, facts: dict[str, dict[str, object]]) -> None:
    """Plain GMT: signed programmes in two halves, every member of the table once."""
    for organism in ORGANISMS:
        sets = read_gene_sets(folder / f"programmes_{organism}.gmt")
        table = read_gene_sets(find_collection("programmes", organism).path)
        signed = table[table["gene_set"].map(lambda name: facts[name]["type"]) == "signed"]
        halves = signed["gene_set"] + signed["sign"].map({1: "_UP", -1: "_DN"})
        assert set(halves) <= set(sets["gene_set"])
        assert len(sets) == len(table)
