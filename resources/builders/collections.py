"""Collections of MSigDB, Gene Ontology and PROGENy as tables of gene_set, gene, weight and sign."""

from pathlib import Path

import pandas as pd

from builders.files import read_lines, read_tsv

GENE_SET_COLUMNS = ["gene_set", "gene", "weight", "sign"]
SOURCE_COLUMNS = ["gene_set", "source"]
GMT_FILES = {
    ("hallmark", "human"): "h.all.v7.0.symbols.gmt",
    ("hallmark", "mouse"): "mh.all.v2023.1.Mm.symbols.gmt",
    ("reactome", "human"): "c2.cp.reactome.v7.0.symbols.gmt.gz",
    ("reactome", "mouse"): "m2.cp.reactome.v2023.1.Mm.symbols.gmt.gz",
    ("go_bp", "human"): "GOBP_human_org.Hs.eg.db_3.16.0.symbols.gmt.gz",
    ("mirna_targets", "human"): "c3.mir.v7.0.symbols.gmt.gz",
}
# NCBI Gene, whose symbols the GO file has, writes the genes of the mitochondrial genome without their prefix.
MITOCHONDRIAL = {
    name: f"MT-{name.replace('COX', 'CO').replace('CYTB', 'CYB')}"
    for name in ("ATP6", "ATP8", "COX1", "COX2", "COX3", "CYTB", "ND1", "ND2", "ND3", "ND4", "ND4L", "ND5", "ND6")
}
# The mouse release of Hallmark misspells one name; the human one does not.
CANONICAL_SET_NAMES = {"HALLMARK_REACTIVE_OXIGEN_SPECIES_PATHWAY": "HALLMARK_REACTIVE_OXYGEN_SPECIES_PATHWAY"}


def read_gmt(path: Path) -> dict[str, tuple[str, list[str]]]:
    """Source (second field) and members of each set, under canonical names."""
    fields = (line.split("\t") for line in read_lines(path))
    return {CANONICAL_SET_NAMES.get(name, name): (source, members) for name, source, *members in fields}


def build_gmt(shared: Path, collection: str, organism: str, *, present: dict[str, str]) -> pd.DataFrame:
    """A collection as a table, set names canonical and outdated symbols renewed.

    Parameters
    ----------
    present
        Present symbol of each outdated one.
    """
    rows = []
    for name, (_, members) in read_gmt(shared / "genesets" / GMT_FILES[collection, organism]).items():
        current = {present.get(gene, gene) for gene in members if gene}
        rows += [(name, gene, 1, 1) for gene in current]
    table = pd.DataFrame(rows, columns=GENE_SET_COLUMNS)
    return table.sort_values(["gene_set", "gene"], ignore_index=True)


def build_sources(shared: Path, collection: str) -> pd.DataFrame:
    """Where each set of a collection is described: an address or the id of a term."""
    rows: dict[str, str] = {}
    for (name, _), file in GMT_FILES.items():
        if name == collection:
            rows |= {gene_set: source for gene_set, (source, _) in read_gmt(shared / "genesets" / file).items()}
    return pd.DataFrame(sorted(rows.items()), columns=SOURCE_COLUMNS)


def read_progeny(shared: Path) -> pd.DataFrame:
    """PROGENy's mouse weights: pathway, gene, weight (negative where the pathway lowers the gene)."""
    table = read_tsv(shared / "genesets" / "progeny_mouse_top200.tsv")
    return table.assign(weight=table["weight"].astype(float))[["pathway", "gene", "weight"]]


def build_pathway_responses(shared: Path) -> pd.DataFrame:
    """Genes that answer to each pathway, in mouse symbols, with the size of the weight and its sign."""
    table = read_progeny(shared).rename(columns={"pathway": "gene_set"})
    return with_sign(table).sort_values(["gene_set", "gene"], ignore_index=True)


def renewed(table: pd.DataFrame, present: dict[str, str]) -> pd.DataFrame:
    """Gene sets with outdated symbols renewed; of two members that become one, the weightier stays."""
    table = table.assign(gene=table["gene"].replace(present)).sort_values("weight", ascending=False, kind="stable")
    table = table.drop_duplicates(["gene_set", "gene"])
    return table.sort_values(["gene_set", "gene"], ignore_index=True)


def with_sign(table: pd.DataFrame) -> pd.DataFrame:
    """Signed weights taken apart into a positive weight and a sign; genes of weight zero are left out."""
    table = table[table["weight"] != 0]
    signs = (table["weight"] > 0).map({True: 1, False: -1})
    return table.assign(sign=signs, weight=table["weight"].abs())[GENE_SET_COLUMNS]
