"""The shipped tables: built from what they say, whole, and true to the biology that binds them."""

import gzip
import hashlib
import statistics
import subprocess
import sys
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
PRO_APOPTOTIC = {"BAX", "BAK1", "BID", "FAS", "CASP3"}


def read_plain(path: Path) -> pd.DataFrame:
    """A table as text, nothing missing."""
    return pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)


@pytest.fixture(scope="module")
def panel(root: Path) -> pd.DataFrame:
    """The apoptosis panel."""
    return read_plain(root / "resources" / "panel.tsv")


@pytest.fixture(scope="module")
def curated(root: Path) -> pd.DataFrame:
    """The programmes as they were written by hand."""
    return read_plain(root / "resources" / "gene_sets" / "programmes_curated.tsv")


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
    built = [path for path in sorted(rebuilt.rglob("*")) if path.is_file() and path.suffix in {".gz", ".tsv"}]
    assert len(built) == 9
    for path in built:
        shipped = (root / "resources" / path.relative_to(rebuilt)).read_bytes()
        if path.suffix == ".gz":
            assert gzip.decompress(path.read_bytes()) == gzip.decompress(shipped), path.name
            assert path.read_bytes()[4:8] == shipped[4:8] == bytes(4), "no date in the header"
        elif path.name != "checksums.tsv":
            assert path.read_bytes() == shipped, path.name


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
    """All of resources/ stays below 4 MB."""
    assert sum(path.stat().st_size for path in (root / "resources").rglob("*") if path.is_file()) < 4_000_000


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
    assert statistics.median(overlap) > 0.95
    assert min(overlap) > 0.8


@pytest.mark.parametrize("organism", ["human", "mouse"])
def test_hallmark_is_shipped_whole(shared: Path, organism: str) -> None:
    """Fifty sets with the sizes of the release, under one spelling of their names."""
    file = {"human": "h.all.v7.0.symbols.gmt", "mouse": "mh.all.v2023.1.Mm.symbols.gmt"}[organism]
    lines = (shared / "genesets" / file).read_text(encoding="utf-8").splitlines()
    sizes = {line.split("\t")[0].replace("OXIGEN", "OXYGEN"): len(line.split("\t")) - 2 for line in lines}
    table = read_gene_sets(find_collection("hallmark", organism).path)
    assert table.groupby("gene_set").size().to_dict() == sizes
    assert table["gene"].isin(symbols(organism)).mean() > 0.99


def test_renamed_human_symbols_lead_to_known_ones(root: Path) -> None:
    """No old symbol is in the annotation, every new one is."""
    table = read_plain(root / "resources" / "gene_sets" / "renamed_human_symbols.tsv")
    known = symbols("human")
    assert not table["old"].isin(known).any()
    assert table["new"].isin(known).all()


@pytest.mark.parametrize("organism", ORGANISMS)
def test_every_curated_symbol_is_in_the_annotation(organism: str, panel: pd.DataFrame, curated: pd.DataFrame) -> None:
    """Of the programmes and of the panel, in each species."""
    families = pd.concat([panel[organism], curated[organism]])
    genes = set(families[families != "NA"].str.split(";").explode())
    assert genes - symbols(organism) == set()


def test_only_named_genes_lack_a_rodent_counterpart(panel: pd.DataFrame, curated: pd.DataFrame) -> None:
    """Rodents have no caspase 10 and no interleukin 8."""
    for table in (panel, curated):
        lacking = table[(table["mouse"] == "NA") | (table["rat"] == "NA")]
        assert set(lacking["human"]) <= {"CASP10", "CXCL8"}
        assert (table["human"] != "NA").all()


@pytest.mark.parametrize("organism", ["mouse", "rat"])
def test_curated_rodent_symbols_agree_with_the_orthologs(
    organism: str, panel: pd.DataFrame, curated: pd.DataFrame
) -> None:
    """Where the ortholog table knows a human gene, the hand-made counterpart is the same one."""
    table = read_annotation(organism).dropna(subset=["symbol", "human_symbol"])
    known = table.drop_duplicates("human_symbol").set_index("human_symbol")["symbol"]
    for row in pd.concat([panel, curated])[["human", organism]].itertuples(index=False):
        if row[0] in known.index:
            assert row[1] == known[row[0]]


def test_programmes_are_of_the_size_and_weight_of_a_programme(curated: pd.DataFrame) -> None:
    """No gene twice in a programme; a family weighs as one gene."""
    sizes = curated.groupby("gene_set").size()
    assert (sizes[["apoptosis", "inflammation", "autophagy"]] >= 25).all()
    assert sizes["anti_apoptosis"] >= 12
    assert not curated.duplicated(["gene_set", "human"]).any()
    for organism in ORGANISMS:
        weights = read_gene_sets(find_collection("programmes", organism).path).groupby("gene_set")["weight"].sum()
        members = curated[curated[organism] != "NA"].groupby("gene_set").size()
        assert weights.round(9).to_dict() == members.to_dict()


def test_no_gene_of_death_is_a_survival_gene(panel: pd.DataFrame, curated: pd.DataFrame) -> None:
    """BAX, BAK1, BID, FAS and CASP3 protect nothing; BIRC5 is about mitosis; the two programmes share no gene."""
    survival = set(curated.loc[curated["gene_set"] == "anti_apoptosis", "human"])
    death = set(curated.loc[curated["gene_set"] == "apoptosis", "human"])
    assert survival & (PRO_APOPTOTIC | {"BIRC5"}) == set()
    assert survival & death == set()
    assert death >= PRO_APOPTOTIC
    assert {"MCL1", "BCL2L1", "CFLAR", "XIAP", "BIRC2", "BCL2L2"} <= survival
    anti = set(panel.loc[panel["role"] == "anti", "human"])
    assert anti & (PRO_APOPTOTIC | {"BIRC5"}) == set()


def test_autophagy_holds_no_inhibitor_and_no_target_of_nrf2(curated: pd.DataFrame) -> None:
    """SQSTM1 is driven by NRF2; MTOR, RUBCN and BCL2 hold autophagy back."""
    autophagy = set(curated.loc[curated["gene_set"] == "autophagy", "human"])
    assert autophagy & {"SQSTM1", "MTOR", "RPTOR", "RUBCN", "BCL2", "BCL2L1", "AKT1", "NFE2L2"} == set()


def test_inflammation_and_survival_share_no_gene(curated: pd.DataFrame) -> None:
    """Neither answer is made by the other's members, nor by one acute-phase protein."""
    inflammation = set(curated.loc[curated["gene_set"] == "inflammation", "human"])
    others = set(curated.loc[curated["gene_set"] != "inflammation", "human"])
    assert inflammation & others == set()
    assert inflammation & {"SAA1", "SAA2", "LCN2", "CRP", "SPP1"} == set()


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
