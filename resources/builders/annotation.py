"""Genes of an organism: Ensembl id, Entrez id, symbol, human ortholog, and what each way of naming finds."""

import re
from pathlib import Path

import numpy as np
import pandas as pd

from builders.files import RESOURCES, read_tsv

ANNOTABLES = {"human": "grch38", "mouse": "grcm38", "rat": "rnor6"}
IDENTIFIER_COLUMNS = [
    "gene_id",
    "symbol",
    "entrez",
    "human_symbol",
    "ortholog",
    "biotype",
    "entrez_lookup",
    "symbol_lookup",
    "shares_locus_with",
]
NAMING = ["gene_id", "entrez", "symbol"]
RAT_SHARED_LOCI = RESOURCES / "identifiers" / "rat_shared_loci.tsv"
# Names of clones, records and pseudogenes, given until a gene has a better one.
PROVISIONAL = re.compile(
    r"LOC\d+|Gm\d+|.*Rik\d*|AABR\d+\.\d+|A[CL]\d{6}\.\d+|BC\d{6}|RGD\d+|NEWGENE_.*|MGC\d+|Olr\d+|ENS\w+|.*-ps\d*"
)
ENSEMBL_GENE = re.compile(r"ENS[A-Z]*G\d{11}")


def read_annotables(shared: Path, organism: str) -> pd.DataFrame:
    """One row per Ensembl gene and Entrez id, as annotables has them."""
    links = read_tsv(shared / "annotation" / f"annotables_{ANNOTABLES[organism]}.tsv.gz")
    links = links.rename(columns={"ensgene": "gene_id"})[["gene_id", "entrez", "symbol", "chr", "biotype"]]
    return links.drop_duplicates(["gene_id", "entrez"])


def read_pairs(shared: Path, organism: str) -> pd.DataFrame:
    """Every gene of one organism in the ortholog tables: gene_id, entrez, symbol, support_n (of its best pair)."""
    sources = ["mouse", "rat"] if organism == "human" else [organism]
    prefix = "human_" if organism == "human" else ""
    columns = {f"{prefix}ensembl": "gene_id", f"{prefix}entrez": "entrez", f"{prefix}symbol": "symbol"}
    columns |= {"support_n": "support_n"}
    tables = [read_tsv(shared / "annotation" / f"babelgene_HCOP_human_{source}.tsv.gz") for source in sources]
    pairs = pd.concat([table[list(columns)].rename(columns=columns) for table in tables])
    # A few cells of the Ensembl column hold something else than a gene of Ensembl.
    pairs["gene_id"] = pairs["gene_id"].where(pairs["gene_id"].str.fullmatch(ENSEMBL_GENE, na=False))
    pairs["support_n"] = pairs["support_n"].astype(int)
    pairs = pairs.sort_values("support_n", ascending=False, kind="stable").drop_duplicates(NAMING)
    return pairs.sort_values(NAMING, ignore_index=True)


def rename_rat_genes(links: pd.DataFrame, pairs: pd.DataFrame, shared_loci: pd.DataFrame) -> pd.DataFrame:
    """Rat genes under the name that HCOP gives to their Entrez ids, or to their Ensembl id where they have none.

    The rat table of annotables names many an Ensembl gene after a neighbour whose Entrez id it has too (Stat1 as Stat4,
    E2f1 as Necab3) and leaves others nameless (Cebpa). Provisional names replace nothing.

    Parameters
    ----------
    shared_loci
        gene_id and symbol of the Ensembl genes that are several genes of NCBI.
    """
    named = pairs[pairs["symbol"].notna() & ~pairs["symbol"].str.fullmatch(PROVISIONAL, na=True)]
    by_entrez = links.merge(named[["entrez", "symbol", "support_n"]].dropna(), on="entrez", suffixes=("_old", ""))
    nameless = links[~links["gene_id"].isin(links.loc[links["entrez"].notna(), "gene_id"])]
    by_gene = nameless.merge(named[["gene_id", "symbol", "support_n"]].dropna(), on="gene_id", suffixes=("_old", ""))
    found = pd.concat([by_entrez, by_gene]).sort_values(["support_n", "symbol"], ascending=[False, True])
    name = found.drop_duplicates("gene_id").set_index("gene_id")["symbol"]
    name.update(shared_loci.set_index("gene_id")["symbol"])
    return links.assign(symbol=links["gene_id"].map(name).fillna(links["symbol"]))


def read_links(shared: Path, organism: str) -> pd.DataFrame:
    """One row per Ensembl gene and Entrez id, with the rank by which a lookup prefers it (small is better)."""
    pairs, links = read_pairs(shared, organism), read_annotables(shared, organism)
    if organism == "rat":
        links = rename_rat_genes(links, pairs, read_tsv(RAT_SHARED_LOCI))
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


def own_entrez(links: pd.DataFrame) -> pd.Series:
    """The Entrez id of each gene: one that HCOP pairs with it, else the lowest number, the oldest record."""
    numbers = links.dropna(subset=["entrez"]).assign(
        number=lambda table: table["entrez"].astype(int), apart=lambda table: table["rank"] >= 1000
    )
    return numbers.sort_values(["key", "apart", "number"]).drop_duplicates("key").set_index("key")["entrez"]


def build_identifiers(links: pd.DataFrame, orthologs: pd.DataFrame) -> pd.DataFrame:
    """One row per gene of an organism, with what each way of naming it finds.

    Parameters
    ----------
    links
        Of `read_links`.
    orthologs
        human_symbol and ortholog (how it was found, or why there is none) by gene key; empty for human itself.
    """
    genes = links.drop_duplicates("key").set_index("key")
    genes["entrez"] = own_entrez(links).reindex(genes.index)
    genes["entrez_lookup"] = entrez_lookup(links).reindex(genes.index)
    answers = best_rows(links, "symbol")["key"].unique()
    genes["symbol_lookup"] = np.where(genes.index.isin(answers), "yes", "no")
    of_human = pd.DataFrame({"human_symbol": genes["symbol"], "ortholog": None})
    genes = genes.join(orthologs if len(orthologs) else of_human)
    genes["shares_locus_with"] = genes["gene_id"].map(read_tsv(RAT_SHARED_LOCI).set_index("gene_id")["others"])
    return genes.sort_index()[IDENTIFIER_COLUMNS]
