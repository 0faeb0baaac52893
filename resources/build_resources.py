"""Build the tables of `resources/` from the public material that sits beside the repository.

Run from the repository root: `.venv/bin/python resources/build_resources.py ../shared`.
The rules of each table are in the README of its folder. A rebuild gives the same bytes.
"""

import argparse
import re
from pathlib import Path

import pandas as pd

from builders.annotation import ANNOTABLES, best_rows, build_identifiers, own_entrez, read_annotables, read_links
from builders.annotation import read_pairs as read_hcop_genes
from builders.collections import GMT_FILES, MITOCHONDRIAL, build_gmt, build_pathway_responses, build_sources, renewed
from builders.files import RESOURCES, sha256, write_text, write_tsv
from builders.orthologs import by_gene, choose_pairs, read_candidates
from builders.pages import build_pages
from builders.programmes import as_gmt, build_ambiguous, build_evidence, build_overlaps, build_programmes
from builders.synonyms import build_synonyms, renamed_after_human

PAGES = RESOURCES.parent / "docs" / "collections"
SHIPPED_LINE = re.compile(r"(file: (?P<file>[^,\s]+), sha256: )[0-9a-f]*")


def build_annotation(shared: Path, output: Path) -> tuple[dict[str, pd.DataFrame], dict[str, dict[str, str]]]:
    """Write genes, synonyms and orthologs of each organism; give the genes, and present symbols by outdated ones."""
    human = read_links(shared, "human")
    genes, present = {}, {}
    for organism in ANNOTABLES:
        links = read_links(shared, organism)
        orthologs = pd.DataFrame()
        if organism != "human":
            candidates = read_candidates(shared, organism, human)
            pairs = choose_pairs(candidates)
            orthologs = by_gene(candidates, pairs, genes=named_genes(links))
            write_tsv(pairs, output / "identifiers" / f"orthologs_{organism}.tsv.gz")
        genes[organism] = build_identifiers(links, orthologs)
        synonyms = build_synonyms(links, read_annotables(shared, organism), read_hcop_genes(shared, organism), organism)
        if organism != "human":
            followed = renamed_after_human(genes[organism], present["human"], synonyms)
            synonyms = pd.concat([synonyms, followed]).sort_values(["synonym", "symbol"], ignore_index=True)
        present[organism] = synonyms.set_index("synonym")["symbol"].to_dict()
        write_tsv(genes[organism], output / "identifiers" / f"{organism}.tsv.gz")
        write_tsv(synonyms, output / "identifiers" / f"synonyms_{organism}.tsv.gz")
    return genes, present


def named_genes(links: pd.DataFrame) -> pd.DataFrame:
    """Symbol, Entrez id and symbol_lookup by gene key."""
    genes = links.drop_duplicates("key").set_index("key")[["symbol"]]
    answers = genes.index.isin(best_rows(links, "symbol")["key"])
    return genes.assign(
        entrez=own_entrez(links), symbol_lookup=pd.Series(answers, genes.index).map({True: "yes", False: "no"})
    )


def build_gene_sets(
    shared: Path, output: Path, *, genes: dict[str, pd.DataFrame], present: dict[str, dict[str, str]]
) -> None:
    """Write every collection and what is derived from the curated programmes."""
    folder = output / "gene_sets"
    for collection, organism in GMT_FILES:
        outdated = present[organism] | (MITOCHONDRIAL if collection == "go_bp" else {})
        table = build_gmt(shared, collection, organism, present=outdated)
        write_tsv(table, folder / f"{collection}_{organism}.tsv.gz")
    for collection in sorted({collection for collection, _ in GMT_FILES}):
        write_tsv(build_sources(shared, collection), folder / f"{collection}_sources.tsv.gz")
    responses = {"mouse": renewed(build_pathway_responses(shared), present["mouse"])}
    for organism in ("human", "rat"):
        responses[organism] = through_orthologs(responses["mouse"], genes["mouse"], genes[organism])
    for organism, table in responses.items():
        write_tsv(table, folder / f"pathway_responses_{organism}.tsv.gz")
        programmes = build_programmes(organism, table)
        write_tsv(programmes, folder / f"programmes_{organism}.tsv")
        write_text(as_gmt(programmes), output / "programmes" / f"programmes_{organism}.gmt")
    write_tsv(build_evidence(shared, present["human"]), output / "programmes" / "evidence.tsv")
    human = build_programmes("human", responses["human"])
    write_tsv(build_overlaps(human), output / "programmes" / "overlaps.tsv")
    write_tsv(build_ambiguous(shared, human, present["human"]), output / "programmes" / "ambiguous.tsv")


def through_orthologs(table: pd.DataFrame, own: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Gene sets in another organism's symbols, through the human symbol that both genes share."""
    human = own.dropna(subset=["symbol", "human_symbol"]).drop_duplicates("symbol").set_index("symbol")["human_symbol"]
    theirs = other.dropna(subset=["symbol", "human_symbol"]).drop_duplicates("human_symbol")
    gene = table["gene"].map(human).map(theirs.set_index("human_symbol")["symbol"])
    mapped = table.assign(gene=gene).dropna(subset=["gene"])
    return mapped.sort_values(["gene_set", "gene"], ignore_index=True)


def write_checksums(output: Path) -> None:
    """Write the checksums of the annotation, and put those of the gene sets into collections.yaml."""
    files = sorted((output / "identifiers").glob("*.tsv.gz"))
    table = pd.DataFrame({"file": [file.name for file in files], "sha256": [sha256(file) for file in files]})
    write_tsv(table, output / "identifiers" / "checksums.tsv")
    text = (RESOURCES / "collections.yaml").read_text(encoding="utf-8")
    text = SHIPPED_LINE.sub(lambda line: line[1] + sha256(output / line["file"]), text)
    write_text(text, output / "collections.yaml")


def build(shared: Path, output: Path, pages: Path) -> None:
    """Write every derived table under `output`, and the pages that tell of them."""
    genes, present = build_annotation(shared, output)
    build_gene_sets(shared, output, genes=genes, present=present)
    write_checksums(output)
    for name, text in build_pages(output).items():
        write_text(text, pages / name)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shared", type=Path, help="folder with annotation/ and genesets/")
    parser.add_argument("--output", type=Path, default=RESOURCES, help="where to write (default: resources/)")
    arguments = parser.parse_args()
    is_shipped = arguments.output == RESOURCES
    build(arguments.shared, arguments.output, PAGES if is_shipped else arguments.output / "pages")
