"""Collections of gene sets: which are shipped, how a file is read, and which members a dataset measures.

Knows symbols, not identifiers: genes arrive with their symbol and human symbol from `identifiers`.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from exoliver.collections import RESOURCES, collection_id, facts_files, is_path, shipped_collections
from exoliver.identifiers import collapse_symbols, read_synonyms
from exoliver.strict_yaml import load_yaml
from exoliver.tables import GENE_SETS

GENE_SET_COLUMNS = ("gene_set", "gene", "weight", "sign")
HALVES = {1: "_UP", -1: "_DN"}  # of a set with members of both signs, by sign
_SUFFIX = re.compile(r"\.(tsv|gmt)(\.gz)?$")


@dataclass(frozen=True)
class GeneSetFacts:
    """What is known of one shipped gene set beside its members.

    Parameters
    ----------
    theme
        The part of the question that the set belongs to; sets of a theme follow each other in tables.
    type
        set, signed (members of both signs) or panel (too few members for tests of ranks).
    benefit
        up, down, toward_healthy or depends: which direction a good therapy gives it in injured liver.
    benefit_by_cell_type
        The same in one cell type, where it differs.
    compartment
        The cells whose RNA the members are read as.
    """

    gene_set: str
    title: str
    theme: str
    definition: str
    type: str
    benefit: str
    benefit_by_cell_type: Mapping[str, str]
    compartment: str
    citation: str


@dataclass(frozen=True)
class CollectionEntry:
    """One collection as one organism uses it.

    Parameters
    ----------
    path
        The table of gene sets; None where the collection has none for this organism.
    genes
        symbol or human_symbol: the column of the genes that the members are compared with.
    is_shipped
        True for a collection of `resources/collections.yaml`, False for a user's own file.
    """

    name: str
    title: str
    release: str
    source: str
    licence: str
    citation: str
    organism: str
    path: Path | None
    sha256: str
    genes: str
    is_shipped: bool
    gene_sets: tuple[GeneSetFacts, ...]


def find_collection(name_or_path: str, organism: str, *, own_genes: str = "symbol") -> CollectionEntry:
    """The collection that a study names, for one organism.

    Parameters
    ----------
    name_or_path
        A name in `resources/collections.yaml`, or the path of a .gmt or .tsv file (.gz or not); its name is then the
        slug of the file's stem.
    organism
        As the dataset gives it.
    own_genes
        symbol or human_symbol: what the members of a file are; a shipped collection knows.

    Raises
    ------
    ValueError
        Neither a shipped name nor a readable file; or a shipped file is not the one that was recorded.
    """
    shipped = shipped_collections()
    if name_or_path in shipped:
        return _shipped_entry(name_or_path, shipped[name_or_path], organism)
    if not is_path(name_or_path):
        raise ValueError(
            f"collection '{name_or_path}' is neither a shipped one ({', '.join(shipped)}) nor a .gmt or .tsv file"
        )
    path = Path(name_or_path)
    if not path.is_file():
        raise ValueError(f"collection file '{name_or_path}' does not exist")
    return CollectionEntry(
        name=collection_id(name_or_path),
        title=path.name,
        release="as given",
        source=name_or_path,
        licence="not stated",
        citation="",
        organism=organism,
        path=path,
        sha256=_sha256(path),
        genes=own_genes,
        is_shipped=False,
        gene_sets=(),
    )


def read_gene_sets(path: Path) -> pd.DataFrame:
    """The gene sets of a file, one row per set and member.

    Parameters
    ----------
    path
        .tsv with the columns gene_set and gene (weight and sign optional, 1 if left out), or .gmt; .gz or not.

    Returns
    -------
    Columns `GENE_SET_COLUMNS`, ordered by set and gene.

    Raises
    ------
    ValueError
        Not such a file; a set is defined twice or has no member; a set or member has no name, or the name NA; a table
        names a member of a set twice, has a weight that is not positive or a sign that is neither 1 nor -1. A GMT file
        may repeat a member, to no effect.
    """
    suffix = _SUFFIX.search(path.name)
    if suffix is None:
        raise ValueError(f"{path.name}: gene sets are read from .tsv and .gmt files, compressed as .gz or not")
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if suffix[2] else raw).decode("utf-8-sig")
    lines = [line.rstrip("\r") for line in text.split("\n")]
    lines = [line for line in lines if line.strip()]
    if not lines:
        raise ValueError(f"{path.name}: the file is empty")
    table = _parse_gmt(lines, path.name) if suffix[1] == "gmt" else _parse_tsv(lines, path.name)
    for column, what in {"gene_set": "set", "gene": "set member"}.items():
        if table[column].isin(["", "NA"]).any():
            raise ValueError(f"{path.name}: there is a {what} without a name (NA is none)")
    return table.sort_values(["gene_set", "gene"], ignore_index=True)


def map_gene_sets(gene_sets: pd.DataFrame, genes: pd.DataFrame, *, by: str) -> pd.DataFrame:
    """Which tested gene stands for each member of each set, or why none does.

    Parameters
    ----------
    gene_sets
        Of `read_gene_sets`.
    genes
        Columns gene_id, symbol, human_symbol, base_mean, tested (bool): every gene of the dataset.
    by
        symbol or human_symbol: the column that the members are compared with, in exactly their case.

    Returns
    -------
    Columns `tables.GENE_SETS`, ordered by set and gene. `size` counts the members in the collection, `measured` those
    tested. The note is empty, `not_measured` (no such gene in the dataset), `filtered` (there, but not tested) or
    `duplicate_symbol:` and the other tested genes of that symbol.
    """
    tested = collapse_symbols(genes[genes["tested"].astype(bool)], by=by).set_index(by)
    mapped = gene_sets.loc[:, list(GENE_SET_COLUMNS)].copy()
    gene_id = mapped["gene"].map(tested["gene_id"]).astype(object)
    mapped["gene_id"] = gene_id.where(gene_id.notna(), np.nan)
    of_set = mapped.groupby("gene_set")
    mapped["size"] = of_set["gene"].transform("size").astype(int)
    mapped["measured"] = of_set["gene_id"].transform("count").astype(int)
    duplicates = mapped["gene"].map(tested["duplicates"]).fillna("").astype(str)
    is_lost = mapped["gene_id"].isna()
    lost_note = np.where(mapped["gene"].isin(set(genes[by].dropna())), "filtered", "not_measured")
    kept_note = ("duplicate_symbol:" + duplicates).where(duplicates != "", "")
    mapped["note"] = np.where(is_lost, lost_note, kept_note)
    return mapped.sort_values(["gene_set", "gene"], ignore_index=True)[list(GENE_SETS)]


def map_collection(
    name_or_path: str, organism: str, *, genes: pd.DataFrame, own_genes: str = "symbol"
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """A collection mapped to a dataset's genes, and the facts of the collection as plain values.

    Parameters
    ----------
    name_or_path, organism, own_genes
        As `find_collection` takes them.
    genes
        As `map_gene_sets` takes them.
    """
    entry = find_collection(name_or_path, organism, own_genes=own_genes)
    if entry.path is None:
        mapped = no_gene_sets()
    elif entry.is_shipped:
        mapped = map_gene_sets(read_gene_sets(entry.path), genes, by=entry.genes)
    else:
        synonyms = read_synonyms("human" if entry.genes == "human_symbol" else organism)
        own = renew_members(read_gene_sets(entry.path), set(genes[entry.genes].dropna()), synonyms=synonyms)
        mapped = map_gene_sets(own, genes, by=entry.genes)
    facts = asdict(entry) | {"path": None if entry.path is None else entry.path.name}
    return mapped, facts


def renew_members(gene_sets: pd.DataFrame, known: Collection[str], *, synonyms: Mapping[str, str]) -> pd.DataFrame:
    """Gene sets with the present symbol of members that a dataset does not have under their own.

    Parameters
    ----------
    gene_sets
        Of `read_gene_sets`.
    known
        Symbols that the dataset has.
    synonyms
        Of `identifiers.read_synonyms`.

    Returns
    -------
    The same sets; of two names of one gene in a set, the present one stays.
    """
    genes = [gene if gene in known else synonyms.get(gene, gene) for gene in gene_sets["gene"]]
    renewed = gene_sets.assign(gene=genes, is_old=gene_sets["gene"].to_numpy() != genes)
    renewed = renewed.sort_values("is_old", kind="stable").drop_duplicates(["gene_set", "gene"])
    return renewed.sort_values(["gene_set", "gene"], ignore_index=True)[list(GENE_SET_COLUMNS)]


def no_gene_sets() -> pd.DataFrame:
    """The mapped table of an organism for which a collection has no sets: all columns, no row."""
    return pd.DataFrame(columns=list(GENE_SETS))


def gene_sets_as_dict(mapped: pd.DataFrame, panels: Collection[str] = ()) -> dict[str, list[str]]:
    """Measured members of the sets as tests of ranks take them: symbols of the collection, sorted.

    Parameters
    ----------
    mapped
        Of `map_gene_sets`.
    panels
        Sets that are not parted.

    Returns
    -------
    Members by name; none of a set is an empty list. A set with members that fall is two, `NAME_UP` (sign 1) and
    `NAME_DN` (sign -1), as in MSigDB: one bag of genes that go apart has no place in a ranking. Where all fall there
    is `NAME_DN` alone, so that its name tells the direction.

    Raises
    ------
    ValueError
        A half would have the name of another set.
    """
    taken = clashing_halves(mapped, panels)
    if taken:
        raise ValueError(
            f"gene set '{taken[0]}' has the name of one half of '{taken[0][:-3]}', which has members that fall: "
            "rename one of them"
        )
    suffix = mapped["sign"].map(HALVES).where(mapped["gene_set"].isin(_parted(mapped, panels)), "")
    named = mapped.assign(name=mapped["gene_set"].astype(object) + suffix.astype(object))
    measured = named.dropna(subset=["gene_id"]).groupby("name")["gene"].agg(sorted)
    return {name: list(measured.get(name, [])) for name in sorted(set(named["name"]))}


def clashing_halves(gene_sets: pd.DataFrame, panels: Collection[str] = ()) -> list[str]:
    """Sets that have the name of one half of another set, which has members that fall."""
    halves = {f"{name}{half}" for name in _parted(gene_sets, panels) for half in HALVES.values()}
    return sorted(set(gene_sets["gene_set"]) & halves)


def _parted(gene_sets: pd.DataFrame, panels: Collection[str]) -> set[str]:
    """Sets with members that fall, but for panels."""
    return set(gene_sets.loc[gene_sets["sign"] < 0, "gene_set"]) - set(panels)


def share_found(gene_sets: pd.DataFrame, genes: pd.DataFrame, *, by: str) -> float:
    """Share of a collection's genes that a dataset has, tested or not; a low one means another species or naming."""
    members = set(gene_sets["gene"])
    return len(members & set(genes[by].dropna())) / len(members) if members else 0.0


def _shipped_entry(name: str, content: Mapping[str, Any], organism: str) -> CollectionEntry:
    """The entry of a shipped collection, its file compared with the recorded checksum."""
    shipped = content["organisms"].get(organism)
    path = RESOURCES / shipped["file"] if shipped else None
    if path is not None and _sha256(path) != shipped["sha256"]:
        raise ValueError(f"resources/{shipped['file']} differs from its checksum: restore the file or rebuild it")
    return CollectionEntry(
        name=name,
        title=content["title"],
        release=str(content["release"]),
        source=content["source"],
        licence=content["licence"],
        citation=content["citation"],
        organism=organism,
        path=path,
        sha256=shipped["sha256"] if shipped else "",
        genes=shipped["genes"] if shipped else "symbol",
        is_shipped=True,
        gene_sets=_read_facts(name),
    )


def _read_facts(collection: str) -> tuple[GeneSetFacts, ...]:
    """The facts of a shipped collection's sets in the order of their file, citations written out; none for most."""
    files = facts_files(collection)
    if not files:
        return ()
    content, problems = load_yaml(Path(files[0]))
    if problems:
        raise ValueError(f"{files[0]}: {problems[0].what}")
    references = pd.read_csv(files[1], sep="\t", dtype=str, keep_default_na=False).set_index("key")
    full = references["citation"] + (", doi:" + references["doi"]).where(references["doi"] != "", "")
    kept = ("title", "theme", "definition", "type", "benefit", "compartment")
    return tuple(
        GeneSetFacts(
            gene_set=gene_set,
            **{key: known[key] for key in kept},
            benefit_by_cell_type=dict(known.get("benefit_by_cell_type", {})),
            citation="; ".join(full[key.strip()] for key in known["citation"].split(";")),
        )
        for gene_set, known in content.items()
    )


def _sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _parse_gmt(lines: Sequence[str], file: str) -> pd.DataFrame:
    """Sets of a GMT file: name, description, members, separated by tabs."""
    members: dict[str, list[str]] = {}
    for number, line in enumerate(lines, start=1):
        name, *rest = (field.strip() for field in line.split("\t"))
        where = f"{file}: set {number}"
        if not name:
            raise ValueError(f"{where} has no name")
        if name in members:
            raise ValueError(f"{where}: '{name}' is defined twice")
        members[name] = sorted({gene for gene in rest[1:] if gene})
        if not members[name]:
            raise ValueError(f"{where}: '{name}' has no members (name, description and members are separated by tabs)")
    rows = [(name, gene, 1.0, 1) for name, genes in members.items() for gene in genes]
    return pd.DataFrame(rows, columns=list(GENE_SET_COLUMNS))


def _parse_tsv(lines: Sequence[str], file: str) -> pd.DataFrame:
    """Sets of a table with a header."""
    header, *body = ([field.strip() for field in line.split("\t")] for line in lines)
    if not {"gene_set", "gene"} <= set(header) <= set(GENE_SET_COLUMNS) or len(set(header)) < len(header):
        raise ValueError(f"{file}: the columns are {', '.join(header)}; expected gene_set, gene and maybe weight, sign")
    if not body:
        raise ValueError(f"{file}: there is a header and no gene set")
    for number, row in enumerate(body, start=2):
        if len(row) != len(header):
            raise ValueError(f"{file}: line {number} has {len(row)} fields, the header {len(header)}")
    table = pd.DataFrame(body, columns=header)
    repeated = table[table.duplicated(["gene_set", "gene"])]
    if len(repeated):
        gene_set, gene = repeated.iloc[0][["gene_set", "gene"]]
        raise ValueError(f"{file}: '{gene_set}' names {gene} twice (is the set defined twice?)")
    return _with_numbers(table, file)


def _with_numbers(table: pd.DataFrame, file: str) -> pd.DataFrame:
    """Weights as positive numbers and signs as 1 or -1, both 1 where the table has none."""
    numbers = {}
    for column in ("weight", "sign"):
        given = table[column] if column in table else pd.Series("1", index=table.index)
        numbers[column] = pd.to_numeric(given, errors="coerce")
    if not (np.isfinite(numbers["weight"]) & (numbers["weight"] > 0)).all():
        raise ValueError(f"{file}: every weight must be a positive number")
    if not numbers["sign"].isin([-1, 1]).all():
        raise ValueError(f"{file}: every sign must be 1 or -1")
    numbered = table.assign(weight=numbers["weight"].astype(float), sign=numbers["sign"].astype(int))
    return numbered[list(GENE_SET_COLUMNS)]
