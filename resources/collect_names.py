"""Collect the names that NCBI Gene has for human and mouse genes, from two packages that carry them.

Run from the repository root, with the files of the packages (see identifiers/README.md):
`.venv/bin/python resources/collect_names.py org.Hs.eg.sqlite genes_NCBI_9606_All.py genes_NCBI_10090_All.py`.
Only facts are taken: which Entrez gene goes by which names. The listings are read as text, never run.
"""

import argparse
import re
import sqlite3
from pathlib import Path

import pandas as pd

from builders.files import write_tsv
from builders.synonyms import NAMES

LISTED_GENE = re.compile(r"GeneID=(?P<entrez>\d+), .*? Symbol='(?P<symbol>[^']+)', Aliases='(?P<aliases>[^']*)'")
# Accessions of single sequences, which no count matrix uses as names.
ACCESSION = re.compile(r"[A-Z]{1,2}\d{5,6}|m?KIAA\d+|EG\d+|OTT[A-Z]+\d+|\S+\s.*")


def names_of_database(database: Path) -> pd.DataFrame:
    """Entrez id and name of every gene, present symbols included."""
    with sqlite3.connect(database) as connection:
        query = "select gene_id as entrez, alias_symbol as name from alias join genes using (_id)"
        return pd.read_sql_query(query, connection).assign(was_symbol="no")


def names_of_listing(listing: Path) -> pd.DataFrame:
    """Entrez id and name of every gene of a listing, and whether the name was the gene's symbol at its time."""
    rows = []
    for gene in LISTED_GENE.finditer(listing.read_text(encoding="utf-8")):
        aliases = [alias.strip() for alias in gene["aliases"].split(",")]
        rows += [
            (gene["entrez"], gene["symbol"], "yes"),
            *((gene["entrez"], alias, "no") for alias in aliases if alias),
        ]
    return pd.DataFrame(rows, columns=["entrez", "name", "was_symbol"])


def tidy(names: pd.DataFrame) -> pd.DataFrame:
    """Names without accessions, each once for a gene, in a fixed order."""
    names = names[(names["was_symbol"] == "yes") | ~names["name"].str.fullmatch(ACCESSION)]
    names = names.sort_values("was_symbol", ascending=False, kind="stable").drop_duplicates(["entrez", "name"])
    return names.sort_values(["entrez", "name"], key=lambda cells: cells.str.zfill(12), ignore_index=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("database", type=Path, help="org.Hs.eg.sqlite of Bioconductor's org.Hs.eg.db 3.16.0")
    parser.add_argument("human", type=Path, help="genes_NCBI_9606_All.py of goatools 1.2.4")
    parser.add_argument("mouse", type=Path, help="genes_NCBI_10090_All.py of goatools 1.2.4")
    arguments = parser.parse_args()
    human = pd.concat([names_of_database(arguments.database), names_of_listing(arguments.human)])
    write_tsv(tidy(human), NAMES / "human.tsv.gz")
    write_tsv(tidy(names_of_listing(arguments.mouse)), NAMES / "mouse.tsv.gz")
