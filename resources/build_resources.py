"""Build the tables of `resources/` from the public material that sits beside the repository.

Run from the repository root: `.venv/bin/python resources/build_resources.py ../shared`.
The rules of each table are in the README of its folder. A rebuild gives the same bytes.
"""

import argparse
import gzip
import hashlib
import io
import re
from pathlib import Path

import numpy as np
import pandas as pd

RESOURCES = Path(__file__).resolve().parent
ANNOTABLES = {"human": "grch38", "mouse": "grcm38", "rat": "rnor6"}
HALLMARK = {"human": "h.all.v7.0.symbols.gmt", "mouse": "mh.all.v2023.1.Mm.symbols.gmt"}
IDENTIFIER_COLUMNS = ["gene_id", "symbol", "entrez", "human_symbol", "biotype", "entrez_lookup", "symbol_lookup"]
GENE_SET_COLUMNS = ["gene_set", "gene", "weight", "sign"]
# The human file spells this set's name correctly, the mouse release does not.
CANONICAL_SET_NAMES = {"HALLMARK_REACTIVE_OXIGEN_SPECIES_PATHWAY": "HALLMARK_REACTIVE_OXYGEN_SPECIES_PATHWAY"}
# A best pair with a close second is a family (Mt1 and eight metallothioneins), not an ortholog.
ORTHOLOG_MARGIN = 1.5
ENSEMBL_GENE = re.compile(r"ENS[A-Z]*G\d{11}")
SHIPPED_LINE = re.compile(r"(file: (?P<file>[^,\s]+), sha256: )[0-9a-f]*")


def read_tsv(path: Path) -> pd.DataFrame:
    """Read a table as text, with NA and empty cells missing."""
    return pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False, na_values=["NA", ""])


def write_tsv(table: pd.DataFrame, path: Path) -> None:
    """Write a table; a compressed one carries no date and no name, so that equal tables are equal files."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = table.to_csv(None, sep="\t", index=False, na_rep="NA", lineterminator="\n", float_format="%.10g")
    if path.suffix != ".gz":
        path.write_text(text, encoding="utf-8")
        return
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, compresslevel=9, mtime=0) as stream:
        stream.write(text.encode("utf-8"))
    path.write_bytes(buffer.getvalue())


def read_pairs(shared: Path, organism: str) -> pd.DataFrame:
    """Every gene of one organism that the ortholog tables name: gene_id, entrez, symbol."""
    sources = ["mouse", "rat"] if organism == "human" else [organism]
    prefix = "human_" if organism == "human" else ""
    columns = {f"{prefix}ensembl": "gene_id", f"{prefix}entrez": "entrez", f"{prefix}symbol": "symbol"}
    tables = [read_tsv(shared / "annotation" / f"babelgene_HCOP_human_{source}.tsv.gz") for source in sources]
    pairs = pd.concat([table[list(columns)].rename(columns=columns) for table in tables])
    # A few cells of the Ensembl column hold something else than a gene of Ensembl.
    pairs["gene_id"] = pairs["gene_id"].where(pairs["gene_id"].str.fullmatch(ENSEMBL_GENE, na=False))
    return pairs.drop_duplicates().sort_values(["gene_id", "entrez", "symbol"], ignore_index=True)


def read_links(shared: Path, organism: str) -> pd.DataFrame:
    """One row per Ensembl gene and Entrez id, with the rank by which a lookup prefers it (small is better)."""
    links = read_tsv(shared / "annotation" / f"annotables_{ANNOTABLES[organism]}.tsv.gz")
    links = links.rename(columns={"ensgene": "gene_id"})[["gene_id", "entrez", "symbol", "chr", "biotype"]]
    links = links.drop_duplicates(["gene_id", "entrez"])
    pairs = read_pairs(shared, organism)
    only = pairs[~pairs["gene_id"].isin(links["gene_id"]) & ~pairs["symbol"].isin(links["symbol"])]
    only = only[~only["entrez"].isin(links["entrez"].dropna())].drop_duplicates("symbol")
    links = pd.concat([links, only], ignore_index=True)
    known = set(zip(pairs["gene_id"], pairs["entrez"], strict=True))
    in_pairs = [link in known for link in zip(links["gene_id"], links["entrez"], strict=True)]
    on_chromosome = links["chr"].str.fullmatch(r"\d\d?|X|Y|MT", na=False)
    n_entrez = links.groupby("gene_id", dropna=False)["entrez"].transform("nunique").clip(upper=9).replace(0, 9)
    no_symbol = links["symbol"].isna()
    links["rank"] = ~np.array(in_pairs) * 1000 + ~on_chromosome * 100 + no_symbol * 10 + n_entrez
    links["key"] = links["gene_id"].fillna("~" + links["symbol"])
    return links.sort_values(["key", "rank"], ignore_index=True)


def best_rows(links: pd.DataFrame, column: str) -> pd.DataFrame:
    """The links of the best rank for each value of a column."""
    links = links.dropna(subset=[column])
    return links[links["rank"] == links.groupby(column)["rank"].transform("min")]


def entrez_lookup(links: pd.DataFrame) -> pd.Series:
    """The Entrez ids that each gene answers for; several genes answer only where their symbols disagree."""
    best = best_rows(links, "entrez")
    agreed = best.groupby("entrez")["symbol"].transform(lambda symbols: symbols.nunique(dropna=False)) == 1
    best = pd.concat([best[agreed].drop_duplicates("entrez"), best[~agreed]])
    best = best.sort_values("entrez", key=lambda ids: ids.astype(int))
    return best.groupby("key")["entrez"].agg(";".join)


def build_identifiers(shared: Path, organism: str) -> pd.DataFrame:
    """One row per gene of an organism, with what each way of naming it finds."""
    links = read_links(shared, organism)
    genes = links.drop_duplicates("key").set_index("key")
    numbers = links.dropna(subset=["entrez"]).assign(entrez=lambda table: table["entrez"].astype(int))
    genes["entrez"] = numbers.groupby("key")["entrez"].min().astype(str).reindex(genes.index)
    genes["entrez_lookup"] = entrez_lookup(links).reindex(genes.index)
    answers = best_rows(links, "symbol")["key"].unique()
    genes["symbol_lookup"] = np.where(genes.index.isin(answers), "yes", "no")
    if organism == "human":
        genes["human_symbol"] = genes["symbol"]
    else:
        genes["human_symbol"] = human_symbols(shared, organism, genes).reindex(genes.index)
    return genes.sort_index()[IDENTIFIER_COLUMNS]


def one_to_one(pairs: pd.DataFrame) -> pd.DataFrame:
    """The pairs that are each other's best by the number of supporting databases, well ahead of the next."""
    support = pairs.groupby(["symbol", "human_symbol"], as_index=False)["support_n"].max()
    support = support.sort_values("support_n", ascending=False, kind="stable")
    kept = pd.Series(True, index=support.index)
    for side in ("symbol", "human_symbol"):
        of_gene = support.groupby(side)["support_n"]
        second = of_gene.transform(lambda values: values.iloc[1] if len(values) > 1 else 0)
        kept &= ~support[side].duplicated() & (support["support_n"] >= ORTHOLOG_MARGIN * second)
    return support[kept]


def current_human_symbols(shared: Path, orthologs: pd.DataFrame) -> pd.Series:
    """The human symbol of each pair as our human annotation spells it, found through the Ensembl id."""
    annotation = read_links(shared, "human").dropna(subset=["gene_id"]).drop_duplicates("gene_id")
    spelt = orthologs["human_ensembl"].map(annotation.set_index("gene_id")["symbol"])
    return spelt.fillna(orthologs["human_symbol"])


def human_symbols(shared: Path, organism: str, genes: pd.DataFrame) -> pd.Series:
    """Human symbol by gene key, for the genes with a one-to-one ortholog."""
    pairs = read_tsv(shared / "annotation" / f"babelgene_HCOP_human_{organism}.tsv.gz")
    pairs["support_n"] = pairs["support_n"].astype(int)
    pairs["human_symbol"] = current_human_symbols(shared, pairs)
    pairs["symbol"] = pairs["symbol"].fillna(pairs["ensembl"])
    pairs = pairs.merge(one_to_one(pairs)[["symbol", "human_symbol"]])
    keys = genes.reset_index()
    by_symbol = keys[keys["symbol_lookup"] == "yes"].drop_duplicates("symbol", keep=False).set_index("symbol")["key"]
    by_entrez = keys.drop_duplicates("entrez", keep=False).dropna(subset=["entrez"]).set_index("entrez")["key"]
    pairs["key"] = pairs["ensembl"].where(pairs["ensembl"].isin(genes.index))
    pairs["key"] = pairs["key"].fillna(pairs["symbol"].map(by_symbol)).fillna(pairs["entrez"].map(by_entrez))
    pairs = pairs.dropna(subset=["key"]).drop_duplicates(["key", "human_symbol"])
    pairs["same_name"] = pairs["key"].map(genes["symbol"]) == pairs["symbol"]
    pairs["name"] = pairs["key"].map(genes["symbol"]).fillna(pairs["key"])
    for side, other in (("human_symbol", "name"), ("name", "human_symbol")):
        pairs = pairs[pairs["same_name"] == pairs.groupby(side)["same_name"].transform("max")]
        pairs = pairs[pairs.groupby(side)[other].transform("nunique") == 1]
    return pairs.drop_duplicates("key").set_index("key")["human_symbol"]


def build_hallmark(shared: Path, organism: str) -> pd.DataFrame:
    """Hallmark sets as a table, set names made canonical and outdated human symbols renewed."""
    renamed = read_tsv(RESOURCES / "gene_sets" / "renamed_human_symbols.tsv").set_index("old")["new"].to_dict()
    rows = []
    for line in (shared / "genesets" / HALLMARK[organism]).read_text(encoding="utf-8").splitlines():
        name, _, *members = line.split("\t")
        name = CANONICAL_SET_NAMES.get(name, name)
        current = {renamed.get(gene, gene) if organism == "human" else gene for gene in members}
        rows += [(name, gene, 1, 1) for gene in current]
    table = pd.DataFrame(rows, columns=GENE_SET_COLUMNS)
    return table.sort_values(["gene_set", "gene"], ignore_index=True)


def build_programmes(organism: str) -> pd.DataFrame:
    """The curated programmes in one organism's symbols; a family of paralogues weighs as much as one gene."""
    curated = read_tsv(RESOURCES / "gene_sets" / "programmes_curated.tsv")
    rows = []
    for gene_set, family in curated[["gene_set", organism]].dropna().itertuples(index=False):
        genes = family.split(";")
        rows += [(gene_set, gene, 1 / len(genes), 1) for gene in genes]
    table = pd.DataFrame(rows, columns=GENE_SET_COLUMNS)
    return table.sort_values(["gene_set", "gene"], ignore_index=True)


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_checksums(output: Path) -> None:
    """Write the checksums of the annotation, and put those of the gene sets into collections.yaml."""
    files = sorted((output / "identifiers").glob("*.tsv.gz"))
    table = pd.DataFrame({"file": [file.name for file in files], "sha256": [sha256(file) for file in files]})
    write_tsv(table, output / "identifiers" / "checksums.tsv")
    text = (RESOURCES / "collections.yaml").read_text(encoding="utf-8")
    text = SHIPPED_LINE.sub(lambda line: line[1] + sha256(output / line["file"]), text)
    (output / "collections.yaml").write_text(text, encoding="utf-8")


def build(shared: Path, output: Path) -> None:
    """Write every derived table under `output`."""
    for organism in ANNOTABLES:
        write_tsv(build_identifiers(shared, organism), output / "identifiers" / f"{organism}.tsv.gz")
        write_tsv(build_programmes(organism), output / "gene_sets" / f"programmes_{organism}.tsv")
    for organism in HALLMARK:
        write_tsv(build_hallmark(shared, organism), output / "gene_sets" / f"hallmark_{organism}.tsv.gz")
    write_checksums(output)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shared", type=Path, help="folder with annotation/ and genesets/")
    parser.add_argument("--output", type=Path, default=RESOURCES, help="where to write (default: resources/)")
    arguments = parser.parse_args()
    build(arguments.shared, arguments.output)
