"""Identifiers and gene sets: what became of every row of the counts and of every member of a set."""

from __future__ import annotations

from typing import Any

import pandas as pd

from exoliver.figures.words import count, number, plural, share
from exoliver.report.elements import Heading, Link, Prose, Section, Table, counts, texts
from exoliver.report.material import CollectionResults, Material
from exoliver.report.naming import set_titles

NOTES = {
    "version_stripped": "version taken off the id",
    "par_y": "Y copy of a pseudoautosomal gene, kept apart",
    "not_in_annotation": "id not in the shipped annotation: no symbol",
    "no_annotation": "no annotation for this organism or kind of id",
    "no_symbol": "id known, without a symbol",
    "no_human_ortholog": "no one-to-one human gene",
    "ambiguous_entrez": "one Entrez id for several symbols: none taken",
    "ambiguous_symbol": "one symbol for several genes: no further ids taken",
    "not_an_entrez_id": "not an Entrez id",
    "excel_date": "a date in place of a symbol, as spreadsheets make it",
    "set_aside": "not a gene: set aside",
}


def ledger_section(material: Material) -> Section:
    """Counts of the identifier ledger, and coverage of the collections."""
    ledger = material.identifiers
    genes = ledger[ledger["kind"] == "gene"]
    named = int(genes["symbol"].notna().sum())
    used = [collection for collection in material.collections if collection.has_sets]
    halves = sum(len(_halved(coverage_table(collection))) for collection in used)
    finding = f"{count(named)} of {plural(len(genes), 'gene')} ({share(named, len(genes))}) have a symbol"
    if not named:
        finding = f"{plural(len(genes), 'gene')} without a symbol, as no annotation is shipped for these ids"
    if used:
        finding += f"; {plural(halves, 'gene set')} lost more than half of {'its' if halves == 1 else 'their'} members"
    finding += "." if used else "; no gene sets are shipped for this organism."
    blocks: list[Any] = [Heading("Identifiers"), _notes_table(ledger)]
    for collection in used:
        blocks += _coverage(material, collection)
    short = f"{share(named, len(genes))} of genes have a symbol" if named else "No symbols"
    return Section("identifiers", "Identifiers and gene sets", finding, short, tuple(blocks))


def _notes_table(ledger: pd.DataFrame) -> Table:
    """How many rows carry each note."""
    notes = ledger["note"].fillna("").str.split(";").explode()
    found = notes[notes != ""].value_counts()
    names = sorted(found.index, key=lambda name: (-found[name], name))
    human = int(ledger["human_symbol"].notna().sum())
    rows = [
        ("rows of the count file", len(ledger)),
        ("genes with a human symbol", human),
        *((NOTES.get(name, name.replace("_", " ")), int(found[name])) for name in names),
    ]
    columns = (texts("What", [what for what, _ in rows]), counts("Rows", [amount for _, amount in rows]))
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
    small, large = int((table["measured"] < size["min"]).sum()), int((table["measured"] > size["max"]).sum())
    members = collection.gene_sets["note"].fillna("")
    text = (
        f"{plural(len(table), 'set')} with {count(len(members))} members; "
        f"{share(table['measured'].sum(), table['size'].sum())} are measured (median of a set "
        f"{number(100 * table['coverage'].median())} %). Not measured: {count((members == 'not_measured').sum())}; "
        f"too few counts: {count((members == 'filtered').sum())}. Sets with fewer than {size['min']} or more than "
        f"{size['max']} measured members are not tested: {count(small)} and {count(large)}."
    )
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
