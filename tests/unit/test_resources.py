"""The shipped tables: built from what they say, whole, and true to the biology that binds them."""

import gzip
import hashlib
import statistics
import subprocess
import sys
import zlib
from pathlib import Path

import pandas as pd
import pytest

from exoliver.collections import shipped_collections
from exoliver.genesets import find_collection, read_gene_sets
from exoliver.identifiers import read_annotation

ORGANISMS = ("human", "mouse", "rat")
KINDS = {
    "role": {"anti", "pro", "caspase", "mitosis", "pyroptosis"},
    "target_of": {"", "nfkb", "p53"},
    "scored": {"yes", "no"},
    "compartment": {"all_cells", "hepatocyte", "lymphocyte", "lymphocyte_cholangiocyte", "leukocyte", "dividing_cells"},
}
BUILT_WITH = "1.2.13"  # the release of zlib that compressed the shipped tables
PRO_APOPTOTIC = {"BAX", "BAK1", "BID", "FAS", "CASP3"}


def read_plain(path: Path) -> pd.DataFrame:
    """A table as text, nothing missing."""
    return pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)


@pytest.fixture(scope="module")
def panel(root: Path) -> pd.DataFrame:
    """The apoptosis panel."""
    return read_plain(root / "resources" / "panel.tsv")


@pytest.fixture(scope="module")
def rebuilt(root: Path, shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with everything built anew."""
    output = tmp_path_factory.mktemp("resources")
    command = [sys.executable, "resources/build_resources.py", str(shared), "--output", str(output)]
    subprocess.run(command, cwd=root, check=True)
    return output


def symbols(organism: str) -> set[str]:
    """Every symbol of an organism's annotation."""
    return set(read_annotation(organism)["symbol"].dropna())


@pytest.mark.slow
def test_a_rebuild_gives_the_shipped_tables(root: Path, rebuilt: Path) -> None:
    """Every derived table equals its shipped copy; of compressed ones the content, since releases of zlib differ."""
    built = [path for path in sorted(rebuilt.rglob("*")) if path.is_file() and path.parent != rebuilt]
    derived = [path for folder in ("gene_sets", "identifiers") for path in (root / "resources" / folder).glob("*.tsv*")]
    derived = [path for path in derived if path.name != "rat_shared_loci.tsv"]  # written by hand
    assert {path.name for path in built} >= {path.name for path in derived}
    for path in built:
        is_page = path.suffix == ".md"
        origin = (
            root / "docs" / "collections" / path.name if is_page else root / "resources" / path.relative_to(rebuilt)
        )
        shipped = origin.read_bytes()
        if path.suffix == ".gz":
            assert gzip.decompress(path.read_bytes()) == gzip.decompress(shipped), path.name
            assert path.read_bytes()[4:8] == shipped[4:8] == bytes(4), "no date in the header"
        if zlib.ZLIB_RUNTIME_VERSION == BUILT_WITH or (path.suffix != ".gz" and path.name != "checksums.tsv"):
            assert path.read_bytes() == shipped, path.name
    if zlib.ZLIB_RUNTIME_VERSION == BUILT_WITH:
        assert (rebuilt / "collections.yaml").read_bytes() == (root / "resources" / "collections.yaml").read_bytes()


def test_the_recorded_checksums_are_those_of_the_files(root: Path) -> None:
    """Of the gene sets in collections.yaml, of the annotation beside it."""
    folder = root / "resources"
    recorded = {
        folder / shipped["file"]: shipped["sha256"]
        for content in shipped_collections().values()
        for shipped in content["organisms"].values()
    }
    checksums = read_plain(folder / "identifiers" / "checksums.tsv")
    recorded |= {folder / "identifiers" / row.file: row.sha256 for row in checksums.itertuples()}
    assert {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in recorded} == recorded


def test_the_shipped_tables_are_small(root: Path) -> None:
    """All of resources/ stays below 10 MB."""
    assert sum(path.stat().st_size for path in (root / "resources").rglob("*") if path.is_file()) < 10_000_000


@pytest.mark.parametrize("organism", ORGANISMS)
def test_an_annotation_has_one_row_for_each_gene(organism: str) -> None:
    """Ensembl ids do not repeat; an Entrez id answers once, or with several symbols; rows are sorted."""
    table = read_annotation(organism)
    known = table.dropna(subset=["gene_id"])
    assert not known["gene_id"].duplicated().any()
    assert known["gene_id"].is_monotonic_increasing
    lookups = table.assign(entrez=table["entrez_lookup"].str.split(";")).explode("entrez").dropna(subset=["entrez"])
    several = lookups[lookups["entrez"].duplicated(keep=False)]
    assert (several.groupby("entrez")["symbol"].nunique(dropna=False) > 1).all()
    assert lookups["entrez"].str.fullmatch(r"[1-9]\d*").all()


@pytest.mark.parametrize("organism", ["mouse", "rat"])
def test_orthologs_are_one_to_one_by_symbol(organism: str) -> None:
    """A human symbol stands for one symbol of the species, and is one of the human annotation."""
    table = read_annotation(organism).dropna(subset=["human_symbol"])
    named = table.dropna(subset=["symbol"])
    assert named.groupby("human_symbol")["symbol"].nunique().max() == 1
    assert named.groupby("symbol")["human_symbol"].nunique().max() == 1
    assert table["human_symbol"].isin(symbols("human")).mean() > 0.99
    assert table["human_symbol"].nunique() > 16000


def test_human_hallmark_through_orthologs_meets_the_mouse_release() -> None:
    """Two ways to the same sets: MSigDB's own mouse sets and ours from the human ones."""
    by_human = read_annotation("mouse").dropna(subset=["symbol", "human_symbol"]).set_index("human_symbol")["symbol"]
    by_human = by_human[~by_human.index.duplicated()]
    human = read_gene_sets(find_collection("hallmark", "human").path)
    human = human.assign(gene=human["gene"].map(by_human)).dropna().groupby("gene_set")["gene"].agg(set)
    mouse = read_gene_sets(find_collection("hallmark", "mouse").path).groupby("gene_set")["gene"].agg(set)
    assert set(human.index) == set(mouse.index)
    overlap = [len(human[name] & mouse[name]) / len(human[name] | mouse[name]) for name in mouse.index]
    assert statistics.median(overlap) >= 0.95
    assert min(overlap) >= 0.80


@pytest.mark.parametrize("organism", ["human", "mouse"])
def test_hallmark_is_shipped_whole(shared: Path, organism: str) -> None:
    """Fifty sets with the sizes of the release, under one spelling of their names."""
    file = {"human": "h.all.v7.0.symbols.gmt", "mouse": "mh.all.v2023.1.Mm.symbols.gmt"}[organism]
    lines = (shared / "genesets" / file).read_text(encoding="utf-8").splitlines()
    sizes = {line.split("\t")[0].replace("OXIGEN", "OXYGEN"): len(line.split("\t")) - 2 for line in lines}
    table = read_gene_sets(find_collection("hallmark", organism).path)
    assert table.groupby("gene_set").size().to_dict() == sizes
    assert table["gene"].isin(symbols(organism)).mean() > 0.99


@pytest.mark.parametrize("organism", ORGANISMS)
def test_every_symbol_of_the_panel_is_in_the_annotation(organism: str, panel: pd.DataFrame) -> None:
    """In each species."""
    families = panel[organism]
    assert set(families[families != "NA"].str.split(";").explode()) <= symbols(organism)


def test_only_caspase_10_of_the_panel_lacks_a_rodent_counterpart(panel: pd.DataFrame) -> None:
    """Rodents have none."""
    lacking = panel[(panel["mouse"] == "NA") | (panel["rat"] == "NA")]
    assert lacking["human"].tolist() == ["CASP10"]
    assert (panel["human"] != "NA").all()


@pytest.mark.parametrize("organism", ["mouse", "rat"])
def test_every_gene_says_how_its_ortholog_was_found(organism: str) -> None:
    """A human symbol with a way, or the reason why there is none."""
    table = read_annotation(organism)
    assert table["ortholog"].notna().all()
    has = table["human_symbol"].notna()
    assert set(table.loc[has, "ortholog"]) == {"one_to_one", "same_name", "best_support"}
    assert set(table.loc[~has, "ortholog"]) == {
        "several_human_orthologs",
        "shared_human_ortholog",
        "no_human_ortholog",
    }
    assert read_annotation("human")["ortholog"].isna().all()


@pytest.mark.parametrize("organism", ["mouse", "rat"])
def test_a_human_symbol_is_that_of_the_gene_it_stands_beside(root: Path, organism: str) -> None:
    """Every symbol and its human symbol are a pair of HCOP that was chosen, also where genes share a locus."""
    pairs = read_plain(root / "resources" / "identifiers" / f"orthologs_{organism}.tsv.gz")
    chosen = pairs[pairs["choice"].isin(["one_to_one", "same_name", "best_support"])]
    named = read_annotation(organism).dropna(subset=["symbol", "human_symbol"])
    named = named[named["symbol"].isin(pairs["symbol"])]
    told = set(zip(named["symbol"], named["human_symbol"], strict=True))
    assert told <= set(zip(chosen["symbol"], chosen["human_symbol"], strict=True))
    assert len(told) > 16_000


@pytest.mark.parametrize("organism", ["mouse", "rat"])
def test_orthologs_that_everybody_knows_are_there(organism: str) -> None:
    """Paralogues, retrocopies and nameless predictions do not keep them away; Nat2 is the rodents' NAT1."""
    table = read_annotation(organism).dropna(subset=["symbol"]).drop_duplicates("symbol").set_index("symbol")
    known = ["Ccl2", "Kras", "Abcc2", "Acat2", "Aldh1a1", "Ctsl", "Set", "Hmgb1", "Cxcl1", "Cxcl2", "Scp2", "Psmb10"]
    assert table.loc[known, "human_symbol"].tolist() == [symbol.upper() for symbol in known]
    assert table.loc["Nat2", "human_symbol"] == "NAT1"


def test_present_mouse_names_are_found(root: Path) -> None:
    """Names that newer annotations than ours have, where the human gene was renamed before."""
    table = read_plain(root / "resources" / "identifiers" / "synonyms_mouse.tsv.gz").set_index("synonym")["symbol"]
    present = {"Bmal1": "Arntl", "G6pc1": "G6pc", "Gba1": "Gba", "Atp5f1a": "Atp5a1", "Gars1": "Gars", "Rars1": "Rars"}
    assert table[list(present)].to_dict() == present


def test_the_pages_tell_of_every_collection(root: Path) -> None:
    """One each, and no cell that holds what a program calls missing."""
    pages = {path.stem: path.read_text(encoding="utf-8") for path in (root / "docs" / "collections").glob("*.md")}
    assert set(shipped_collections()) <= set(pages)
    for name, text in pages.items():
        assert "| nan |" not in text, name
        assert "None" not in text, name


def test_rat_genes_carry_their_own_names() -> None:
    """Not those of neighbours that share an Entrez id."""
    names = read_annotation("rat").set_index("gene_id")["symbol"]
    known = {
        "ENSRNOG00000014079": "Stat1",
        "ENSRNOG00000016708": "E2f1",
        "ENSRNOG00000033143": "Timp2",
        "ENSRNOG00000019223": "Atp5f1c",
        "ENSRNOG00000014448": "Bmal1",
    }
    assert names[list(known)].to_dict() == known


@pytest.mark.parametrize("organism", ORGANISMS)
def test_synonyms_lead_from_no_symbol_to_one(root: Path, organism: str) -> None:
    """None is a present symbol, each leads to one, every target is present."""
    table = read_plain(root / "resources" / "identifiers" / f"synonyms_{organism}.tsv.gz")
    known = symbols(organism)
    assert not table["synonym"].isin(known).any()
    assert not table["synonym"].duplicated().any()
    assert table["symbol"].isin(known).all()
    assert len(table) > 1_000


def test_former_human_symbols_are_known(root: Path) -> None:
    """Names that count matrices of some years ago have."""
    table = read_plain(root / "resources" / "identifiers" / "synonyms_human.tsv.gz").set_index("synonym")["symbol"]
    former = {"SEPT2": "SEPTIN2", "MARCH1": "MARCHF1", "MARC1": "MTARC1", "GARS": "GARS1", "CYR61": "CCN1"}
    assert table[list(former)].to_dict() == former


@pytest.mark.parametrize(("organism", "column"), [("human", "symbol"), ("mouse", "human_symbol")])
@pytest.mark.parametrize("collection", ["reactome", "go_bp", "mirna_targets", "hallmark"])
def test_members_of_public_sets_are_known(collection: str, organism: str, column: str) -> None:
    """At most one member in a hundred of the human tables is not found; so are most through orthologs."""
    entry = find_collection(collection, organism)
    genes = read_gene_sets(entry.path)["gene"]
    known = set(read_annotation(organism)[entry.genes].dropna())
    assert genes.isin(known).mean() > (0.99 if entry.genes == "symbol" else 0.80)


def test_pathway_responses_have_weights_of_both_signs(shared: Path) -> None:
    """As PROGENy gives them: 14 pathways, 200 genes each in mouse; fewer through orthologs."""
    published = read_plain(shared / "genesets" / "progeny_mouse_top200.tsv")
    mouse = read_gene_sets(find_collection("pathway_responses", "mouse").path)
    assert mouse.groupby("gene_set").size().between(195, 200).all()
    assert mouse["gene_set"].nunique() == 14
    weights = published.set_index(["pathway", "gene"])["weight"].astype(float)
    signed = (mouse["weight"] * mouse["sign"]).set_axis(pd.MultiIndex.from_frame(mouse[["gene_set", "gene"]]))
    common = weights.index.intersection(signed.index)
    assert len(common) > 2_700
    assert (weights[common] - signed[common]).abs().max() < 1e-9
    for organism in ("human", "rat"):
        sizes = read_gene_sets(find_collection("pathway_responses", organism).path).groupby("gene_set").size()
        assert (sizes > 130).all()


def test_the_panel_keeps_to_its_vocabulary(panel: pd.DataFrame) -> None:
    """Each column holds known words; each gene is there once, with a source."""
    for column, words in KINDS.items():
        assert set(panel[column]) <= words, column
    assert not panel["human"].duplicated().any()
    assert panel["citation"].str.contains(r" \d{4} 10\.\d{4}").all()


def test_the_panel_scores_what_it_may(panel: pd.DataFrame) -> None:
    """Only pro and anti genes are scored; caspases, survivin and pyroptosis are shown."""
    rows = panel.set_index("human")
    assert set(rows.loc[rows["scored"] == "yes", "role"]) == {"anti", "pro"}
    assert {"MCL1", "BCL2L1", "BAX", "BAK1"} <= set(rows.index[rows["scored"] == "yes"])
    assert rows.loc["BIRC5", ["role", "scored"]].tolist() == ["mitosis", "no"]
    assert set(rows.index[rows["target_of"] == "nfkb"]) == {"BIRC3", "BCL2A1", "TNFAIP3"}
    assert set(rows.index[rows["target_of"] == "p53"]) == {"BBC3", "PMAIP1", "FAS", "TNFRSF10B", "BAX"}
    assert set(rows.index[rows["role"] == "pyroptosis"]) == {"CASP1", "CASP4", "GSDMD"}
    assert rows.loc["BCL2A1", "mouse"] == "Bcl2a1a;Bcl2a1b;Bcl2a1d"
