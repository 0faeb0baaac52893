"""The pages of docs/collections/: what each shipped collection is, who its members are, where they come from."""

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from builders.files import RESOURCES, read_tsv
from builders.programmes import FOLDER, read_facts, read_members

LISTED = 60  # collections of more sets than this are not listed set by set
BENEFITS = {"up": "up", "down": "down", "toward_healthy": "towards healthy", "depends": "depends"}


def build_pages(tables: Path) -> dict[str, str]:
    """Text of each page by its path below docs/collections/.

    Parameters
    ----------
    tables
        Folder of the built resources.
    """
    content = yaml.safe_load((RESOURCES / "collections.yaml").read_text(encoding="utf-8"))
    pages = {f"{name}.md": _page(name, facts, tables) for name, facts in content.items() if name != "programmes"}
    return pages | _programme_pages(content["programmes"], tables)


def table_of(header: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """A table of Markdown; vertical bars within cells are escaped."""
    lines = [list(header), ["---"] * len(list(header)), *([_cell(value) for value in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: object) -> str:
    """One cell; NaN is a dash."""
    missing = value is None or (isinstance(value, float) and math.isnan(value))
    return "–" if missing else str(value).replace("|", "\\|").replace("\n", " ")


def _facts(facts: Mapping[str, Any]) -> str:
    """Release, source, licence, citation and files of a collection."""
    files = [
        (organism, f"`resources/{shipped['file']}`", f"`{shipped['genes']}`")
        for organism, shipped in facts["organisms"].items()
    ]
    told = [(key, facts[key]) for key in ("release", "source", "licence", "citation")]
    return f"{table_of(['what', 'told'], told)}\n\n{table_of(['organism', 'members', 'compared with'], files)}"


def _sizes(facts: Mapping[str, Any], tables: Path) -> str:
    """Number of sets and members of each organism's table; set by set where there are few."""
    built = {
        organism: read_tsv(tables / shipped["file"])
        for organism, shipped in facts["organisms"].items()
        if shipped["genes"] == "symbol"
    }
    rows = []
    for organism, table in built.items():
        sizes = table.groupby("gene_set").size()
        rows.append((organism, len(sizes), table["gene"].nunique(), f"{sizes.min()} to {sizes.max()}"))
    text = table_of(["table", "sets", "genes", "members of a set"], rows)
    through = [_lost(organism, shipped, tables) for organism, shipped in facts["organisms"].items()]
    text = "\n\n".join([text, *filter(None, through)])
    names = sorted(set().union(*(set(table["gene_set"]) for table in built.values())))
    if len(names) > LISTED:
        return text
    each = [(f"`{gene_set}`", *(_of_set(table, gene_set) for table in built.values())) for gene_set in names]
    return f"{text}\n\n{table_of(['set', *built], each)}"


def _lost(organism: str, shipped: Mapping[str, str], tables: Path) -> str:
    """How much of a collection an organism has through human symbols, before any dataset."""
    if shipped["genes"] == "symbol":
        return ""
    known = set(read_tsv(tables / "identifiers" / f"{organism}.tsv.gz")["human_symbol"].dropna())
    table = read_tsv(tables / shipped["file"])
    found = table["gene"].isin(known)
    halved = int((found.groupby(table["gene_set"]).mean() < 0.5).sum())
    return (
        f"Through human symbols, {found.mean():.1%} of the members have a counterpart in {organism}; {halved} of "
        f"{table['gene_set'].nunique()} sets keep fewer than half of theirs, whatever the dataset."
    )


def _of_set(table: pd.DataFrame, gene_set: str) -> str:
    """Members of one set; raised and lowered apart where it has both."""
    signs = table.loc[table["gene_set"] == gene_set, "sign"].value_counts()
    return str(signs.sum()) if len(signs) < 2 else f"{signs['1']} up, {signs['-1']} down"


def _page(name: str, facts: Mapping[str, Any], tables: Path) -> str:
    """The page of a collection of public sets."""
    parts = [
        f"# {facts['title']}",
        f"Collection `{name}`. {facts['definition'].strip()}",
        "## Source and licence",
        _facts(facts),
        "## Sets",
        _sizes(facts, tables),
        "The members are in the tables named above: columns `gene_set`, `gene`, `weight`, `sign`.",
    ]
    return "\n\n".join(parts) + "\n"


def _programme_pages(entry: Mapping[str, Any], tables: Path) -> dict[str, str]:
    """The overview of the programmes, and a page for each theme with every member."""
    facts, members = read_facts(), read_members()
    overlaps = read_tsv(tables / "programmes" / "overlaps.tsv")
    evidence = read_tsv(tables / "programmes" / "evidence.tsv").set_index(["programme", "human"])["reference_sets"]
    evidence = evidence.fillna("")
    references = read_tsv(FOLDER / "references.tsv").set_index("key")
    themes = list(dict.fromkeys(known["theme"] for known in facts.values()))
    rows = [_overview_row(name, known, members) for name, known in facts.items()]
    overview = [
        f"# {entry['title']}",
        f"Collection `programmes`. {entry['definition'].strip()}",
        "## Source and licence",
        _facts(entry),
        "## Programmes",
        table_of(["programme", "theme", "type", "members", "benefit"], rows),
    ]
    pages = {"programmes.md": "\n\n".join(overview) + "\n"}
    for theme in themes:
        own = {name: known for name, known in facts.items() if known["theme"] == theme}
        parts = [f"# Programmes: {theme.replace('_', ' ')}", "Part of the [programmes](programmes.md)."]
        parts += [_programme(name, known, members, overlaps, evidence, references) for name, known in own.items()]
        pages[f"programmes_{theme}.md"] = "\n\n".join(parts) + "\n"
    return pages


def _overview_row(name: str, known: Mapping[str, Any], members: pd.DataFrame) -> tuple[object, ...]:
    """One programme in the overview."""
    count = f"PROGENy {known['progeny']}" if "progeny" in known else (members["programme"] == name).sum()
    title = f"[{known['title']}](programmes_{known['theme']}.md#{name})"
    return title, known["theme"], known["type"], count, BENEFITS[known["benefit"]]


def _programme(
    name: str,
    known: Mapping[str, Any],
    members: pd.DataFrame,
    overlaps: pd.DataFrame,
    evidence: pd.Series,
    references: pd.DataFrame,
) -> str:
    """One programme: definition, what was left out, members with their evidence, overlap with others."""
    by_cell = ", ".join(f"{cell} {BENEFITS[way]}" for cell, way in known.get("benefit_by_cell_type", {}).items())
    benefit = BENEFITS[known["benefit"]] + (f" ({by_cell})" if by_cell else "")
    parts = [
        f'<a id="{name}"></a>\n\n## {known["title"]}',
        f"`{name}`, {known['type']}. Benefit: {benefit}. Read from: {known['compartment']}.",
        known["definition"].strip(),
    ]
    if known.get("not_in"):
        left_out = "; ".join(f"{gene} ({why})" for gene, why in known["not_in"].items())
        parts.append(f"Left out: {left_out}.")
    own = members[members["programme"] == name]
    if len(own):
        header = ["human", "mouse", "rat", "sign", "why", "public sets that hold it", "source"]
        parts.append(table_of(header, _member_rows(name, own, evidence)))
    parts += [_overlap(name, overlaps), _sources(known, own, references)]
    return "\n\n".join(filter(None, parts))


def _member_rows(name: str, members: pd.DataFrame, evidence: pd.Series) -> list[tuple[object, ...]]:
    """The members of one programme, with the sets and papers that put them there."""
    return [
        (
            *(row.human, row.mouse, row.rat),
            "falls" if row.sign == "-1" else "",
            row.evidence,
            evidence[name, row.human].replace(";", ", "),
            row.citation.replace(";", ", "),
        )
        for row in members.itertuples()
    ]


def _overlap(name: str, overlaps: pd.DataFrame) -> str:
    """The programmes that share members with this one."""
    own = overlaps[(overlaps["programme"] == name) | (overlaps["other"] == name)]
    shared = [
        f"{row.other if row.programme == name else row.programme} {row.shared} ({row.genes.replace(';', ', ')})"
        for row in own.itertuples()
    ]
    return f"Shares members with: {'; '.join(shared)}." if shared else ""


def _sources(known: Mapping[str, Any], members: pd.DataFrame, references: pd.DataFrame) -> str:
    """The papers behind a programme, in full."""
    keys = [*known["citation"].split(";"), *members["citation"].str.split(";").explode()]
    cited = references.loc[sorted({key.strip() for key in keys})]
    return (
        "Sources: "
        + "; ".join(
            f"{key}: {row.citation}" + (f", doi:{row.doi}" if isinstance(row.doi, str) else "")
            for key, row in zip(cited.index, cited.itertuples(), strict=True)
        )
        + "."
    )
