"""Identifiers and gene sets: what became of every row of the counts and of every member of a set."""

from __future__ import annotations

from typing import Any

import pandas as pd

from exoliver.figures.words import count, number, plural, share
from exoliver.genesets import gene_sets_as_dict
from exoliver.identifiers import (
    SET_ASIDE,
    SUMMED,
    WITH_HUMAN_SYMBOL,
    WITH_SYMBOL,
    WITHOUT_SYMBOL,
)
from exoliver.ranked_sets import panels_of
from exoliver.report.elements import Heading, Link, Prose, Section, Table, counts, texts
from exoliver.report.material import CollectionResults, Material
from exoliver.report.naming import set_titles

NOTES = {
    "whitespace_stripped": "blanks taken off around the id",
    "non_ascii": "letters beyond ASCII in the id, kept as given",
    "version_stripped": "version taken off the id",
    "float_id": "decimals taken off an Entrez id",
    "shared_locus": "one Ensembl gene that is several genes: their counts are one number, under one symbol",
    "par_y": "Y copy of a pseudoautosomal gene, kept apart",
    "summed": "row of a gene that has several: their counts were summed",
    "synonym": "synonym, given the present symbol",
    "synonym_of_present": "synonym of a symbol that has a row of its own: not resolved",
    "synonym_shared": "several synonyms of one symbol: not resolved",
    "excel_date": "a date in place of a symbol, as spreadsheets make it",
    "excel_date_repaired": "a spreadsheet’s date, turned back into a symbol",
    "excel_number": "a number in place of a symbol, as spreadsheets make it",
    "composite_id": "two names in one cell, or a tag before the name",
    "not_an_ensembl_id": "not an Ensembl id of a gene",
    "not_an_entrez_id": "not an Entrez id",
    "not_in_annotation": "id not in the shipped annotation: no symbol",
    "no_annotation": "no annotation for this organism or kind of id",
    "no_symbol": "id known, without a symbol",
    "ambiguous_entrez": "one Entrez id for several symbols: none taken",
    "ambiguous_symbol": "one symbol for several genes: no further ids taken",
    "several_human_orthologs": "several human genes fit about as well",
    "shared_human_ortholog": "its human gene fits another gene of this species as well or better",
    "no_human_ortholog": "no human gene is known as its counterpart",
    "set_aside": "not a gene: set aside",
}
STATES = {
    WITH_HUMAN_SYMBOL: "kept, with a human ortholog",
    WITH_SYMBOL: "kept, with symbol, without a human ortholog",
    WITHOUT_SYMBOL: "kept, without a known symbol",
    SUMMED: "summed into another row of the same gene",
    SET_ASIDE: "set aside, no gene",
}


def ledger_section(material: Material) -> Section:
    """Counts of the identifier ledger, and coverage of the collections."""
    ledger = material.identifiers
    genes = ledger[ledger["kind"] == "gene"].drop_duplicates("gene_id")
    named = int(genes["symbol"].notna().sum())
    used = [collection for collection in material.collections if collection.has_sets]
    halves = sum(len(_halved(coverage_table(collection))) for collection in used)
    finding = f"{count(named)} of {plural(len(genes), 'gene')} ({share(named, len(genes))}) have a symbol"
    if not named:
        finding = f"{plural(len(genes), 'gene')} without a symbol, as no annotation is shipped for these ids"
    if used:
        finding += f"; {plural(halves, 'gene set')} lost more than half of {'its' if halves == 1 else 'their'} members"
    finding += "." if used else "; no gene sets are shipped for this organism."
    blocks: list[Any] = [
        Heading("Identifiers"),
        _sum_table(material.ledger, material.facts["organism"]),
        _notes_table(ledger),
    ]
    for collection in used:
        blocks += _coverage(material, collection)
    short = f"{share(named, len(genes))} of genes have a symbol" if named else "No symbols"
    return Section("identifiers", "Identifiers and gene sets", finding, short, tuple(blocks))


def _sum_table(table: pd.DataFrame, organism: str) -> Table:
    """What became of the rows, each counted once."""
    total = int(table["rows"].sum())
    known = STATES | ({WITH_HUMAN_SYMBOL: "kept, with symbol"} if organism == "human" else {})
    states = zip(table["what"], table["note"].fillna(""), strict=True)
    words = [known[what] + (f": {NOTES.get(note, note.replace('_', ' '))}" if note else "") for what, note in states]
    columns = (
        texts("What became of them", words),
        counts("Rows", table["rows"]),
        texts("Share", [share(rows, total) for rows in table["rows"]]),
    )
    caption = f"Every row counted once: the table adds up to the {count(total)} rows of the count file."
    return Table(caption, columns, more=Link("the same as a table", "ledger.tsv"))


def _notes_table(ledger: pd.DataFrame) -> Table:
    """How many rows carry each note."""
    notes = ledger["note"].fillna("").str.split(";").explode()
    found = notes[notes != ""].value_counts()
    names = sorted(found.index, key=lambda name: (-found[name], name))
    columns = (
        texts("Note", [NOTES.get(name, name.replace("_", " ")) for name in names]),
        counts("Rows", [int(found[name]) for name in names]),
    )
    caption = "What was found out about the ids; one row can have several notes. The commonest note is first."
    return Table(caption, columns, more=Link("every input row", "identifiers.tsv"))


def coverage_table(collection: CollectionResults) -> pd.DataFrame:
    """Size and measured members of every set of a collection."""
    sets = collection.gene_sets.groupby("gene_set", sort=True)[["size", "measured"]].first().reset_index()
    return sets.assign(coverage=sets["measured"] / sets["size"])


def _halved(table: pd.DataFrame) -> pd.DataFrame:
    """Sets with fewer than half of their members, the poorest first."""
    poor = table[table["coverage"] < 0.5]
    return poor.sort_values(["coverage", "gene_set"], kind="stable", ignore_index=True)


def _coverage(material: Material, collection: CollectionResults) -> list[Any]:
    """One collection: how much of it is measured, and the sets that lost much."""
    entry, table = collection.entry, coverage_table(collection)
    size = material.settings["set_size"]
    panels = panels_of(entry) & set(table["gene_set"])
    members = gene_sets_as_dict(collection.gene_sets, panels)
    ranked = [len(genes) for name, genes in members.items() if name not in panels]
    small, large = sum(amount < size["min"] for amount in ranked), sum(amount > size["max"] for amount in ranked)
    notes = collection.gene_sets["note"].fillna("")
    apart = f" Signed sets are ranked in halves, {count(len(ranked))} in all." if len(members) > len(table) else ""
    text = (
        f"{plural(len(table), 'set')} with {count(len(notes))} members; "
        f"{share(table['measured'].sum(), table['size'].sum())} are measured (median of a set "
        f"{number(100 * table['coverage'].median())} %). Not measured: {count((notes == 'not_measured').sum())}; "
        f"too few counts: {count((notes == 'filtered').sum())}.{apart} Sets with fewer than {size['min']} or more than "
        f"{size['max']} measured members are not tested: {count(small)} and {count(large)}."
    )
    text += f" Panels of few genes are scored, not ranked: {count(len(panels))}." if panels else ""
    source = f"{entry['title']}, {entry['release']}, {entry['licence']}. {entry['citation']}".strip()
    blocks: list[Any] = [Heading(f"Collection: {entry['title']}"), Prose((text, source))]
    poor = _halved(table)
    if len(poor):
        titles = set_titles(poor["gene_set"], entry)
        columns = (
            texts("Set", [titles[name] for name in poor["gene_set"]]),
            counts("Members", poor["size"]),
            counts("Measured", poor["measured"]),
        )
        caption = "Sets that lost more than half of their members, the poorest first: read them with care."
        blocks.append(Table(caption, columns, more=Link("every member", f"gene_sets/{collection.name}.tsv")))
    return blocks
