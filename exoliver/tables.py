"""Declared columns of every table that is written, and how tables are read and written: UTF-8 TSV, `NA`, `%.10g`."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from exoliver.contrasts import Contrast, from_index

# Notes that several stages give: no healthy samples behind an injured arm at all, or none at a time; one in a cell.
NO_HEALTHY, NO_REFERENCE, UNREPLICATED = "no_healthy_arm", "no_reference", "unreplicated"
IDENTIFIERS = ("input_id", "gene_id", "symbol", "entrez", "human_symbol", "kind", "note")
LEDGER = ("what", "rows", "share", "note")
CONTRAST = (
    "gene_id", "symbol", "human_symbol", "base_mean", "log2_fold_change", "lfc_se", "stat", "pvalue", "padj",
    "shrunk_log2_fold_change", "note",
)  # fmt: skip
OMNIBUS = (
    "gene_id", "symbol", "human_symbol", "base_mean", "df", "stat", "pvalue", "padj", "wald_stat", "wald_pvalue",
    "note",
)  # fmt: skip
GENE_SETS = ("gene_set", "gene", "weight", "sign", "gene_id", "size", "measured", "note")
ENRICHMENT = ("gene_set", "size", "es", "nes", "pvalue", "padj", "log2err", "leading_edge", "cluster", "note")
OVERREPRESENTATION = (
    "gene_set", "direction", "hits", "size", "selected", "background", "odds_ratio", "pvalue", "padj", "genes", "note",
)  # fmt: skip
TIMEPOINT_GENES = (
    "effect", "gene_id", "symbol", "contrast", "form", "time", "log2_fold_change", "lfc_se", "pvalue", "padj",
    "over_time_padj", "note",
)  # fmt: skip
EFFECTS = (
    "programme", "contrast", "estimate", "se", "df", "ci_low", "ci_high", "pvalue", "padj", "se_unmoderated",
    "df_residual", "attenuation", "estimate_centred", "estimate_adjusted", "adjusted_low", "adjusted_high",
    "moved_by_composition", "mixture_components", "mixture_share", "camera_pvalue", "camera_correlation",
    "top_gene_share", "leave_one_out_low", "leave_one_out_high", "members", "coverage", "note",
)  # fmt: skip
CHANGES = (*EFFECTS[:2], "stat", *EFFECTS[2:])
PROGRAMMES = ("programme", "members", "coverage", "attenuation", "scored", "note")
SCORES = ("sample", "programme", "score")
TRAJECTORIES = (
    "programme", "contrast", "class", "onset", "peak", "end_state", "recovery_shift", "recovery_shift_low",
    "recovery_shift_high", "pvalue", "padj", "note",
)  # fmt: skip
EQUIVALENCE = (
    "programme", "contrast", "estimate", "se", "df", "margin", "ci_low", "ci_high", "pvalue", "padj", "verdict", "note",
)  # fmt: skip
RESCUE_PROGRAMMES = (
    "programme", "arm", "time", "injury_effect", "injury_se", "treatment_effect", "treatment_se", "covariance", "df",
    "fraction_restored", "ci_low", "ci_high", "injury_padj", "treatment_padj", "class", "pattern", "note",
)  # fmt: skip
RESCUE_GENES = ("gene_id", "symbol", *RESCUE_PROGRAMMES[1:])
RESCUE_COMPARISONS = (
    "programme", "arm", "other_arm", "time", "fraction", "other_fraction", "difference", "ci_low", "ci_high", "class",
    "note",
)  # fmt: skip
RESCUE_SUMMARY = (
    "arm", "time", "slope", "ci_low", "ci_high", "ci_jackknife_low", "ci_jackknife_high", "injury_over_se", "genes",
    "class", "note",
)  # fmt: skip
PANEL = (
    "item", "kind", "compartment", "contrast", "estimate", "se", "df", "ci_low", "ci_high", "pvalue", "padj",
    "base_mean", "note",
)  # fmt: skip
GENE_VALUES = ("sample", "arm", "time", "normalised_count")
TRUTH_PROGRAMMES = ("programme", "arm", "time", "log2_shift", "fraction_restored")
TRUTH_GENES = ("gene_id", "symbol", "programmes", "arm", "time", "log2_shift")
SAMPLES = ("sample", "group", "time")
SOFTWARE = ("package", "version", "licence")
INPUTS = ("file", "sha256")

NUMBER_FORMAT = "%.10g"


def join_notes(*notes: str) -> str:
    """Notes as one cell of a table, those that are not empty, each word once."""
    return ";".join(dict.fromkeys(word for note in notes for word in note.split(";") if word))


def stack_tables(tables: Sequence[pd.DataFrame], columns: tuple[str, ...]) -> pd.DataFrame:
    """Tables that have rows, one under the other, in declared columns; columns that one lacks are NA."""
    filled = [table.reindex(columns=list(columns)) for table in tables if len(table)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=list(columns))


def write_table(table: pd.DataFrame, columns: tuple[str, ...], *, path: str | Path) -> None:
    """Write a table under its declared columns; the file appears whole or not at all.

    Raises
    ------
    ValueError
        The table's columns are not the declared ones; or a text reads `NA`, which no reader could tell from a missing
        one.
    """
    if set(table.columns) != set(columns):
        difference = sorted(set(table.columns) ^ set(columns))
        raise ValueError(f"{path}: columns differ from the declared ones: {difference}")
    named = [name for name in columns if table[name].dtype.kind in "OTU" and (table[name] == "NA").fillna(False).any()]
    if named:
        raise ValueError(f"{path}: {', '.join(named)} holds the text NA, which stands for a missing value; rename it")
    text = table.loc[:, list(columns)].to_csv(
        sep="\t", index=False, na_rep="NA", float_format=NUMBER_FORMAT, lineterminator="\n"
    )
    write_text(text, path)


def write_tables(tables: Mapping[str, tuple[pd.DataFrame, tuple[str, ...]]], folder: str | Path) -> None:
    """Write one `{name}.tsv` for each table into a folder."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name, (table, columns) in tables.items():
        write_table(table, columns, path=Path(folder) / f"{name}.tsv")


NamedTables = dict[str, tuple[pd.DataFrame, tuple[str, ...]]]  # with their declared columns, by the name of their file


def write_named(tables: NamedTables, paths: Any) -> None:
    """Write each table to the path of its name, such as a rule's named output."""
    for name, (table, columns) in tables.items():
        write_table(table, columns, path=getattr(paths, name))


def write_alike(tables: Mapping[str, pd.DataFrame], columns: tuple[str, ...], *, folder: str | Path) -> None:
    """Write one `{name}.tsv` for each of several tables with the same columns."""
    write_tables({name: (table, columns) for name, table in tables.items()}, folder)


def write_texts(texts: Mapping[str, str], folder: str | Path) -> None:
    """Write one file for each of several texts into a folder."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        write_text(text, Path(folder) / name)


def read_contrasts(
    folder: str | Path, contrasts: Sequence[Contrast], *, omnibus: bool = True
) -> dict[str, pd.DataFrame]:
    """Gene tables of a dataset's contrasts, by id.

    Parameters
    ----------
    folder
        `contrasts/` of a dataset.
    contrasts
        Its index.
    omnibus
        Omnibus contrasts are among them.
    """
    wanted = [contrast for contrast in contrasts if omnibus or not contrast.is_omnibus]
    return {
        contrast.id: read_table(Path(folder) / f"{contrast.id}.tsv", OMNIBUS if contrast.is_omnibus else CONTRAST)
        for contrast in wanted
    }


def read_index(path: str | Path) -> list[Contrast]:
    """The contrasts of a dataset from their index."""
    return from_index(read_json(path))


def read_members(path: str | Path) -> pd.DataFrame:
    """The sets of a collection, mapped to the genes of a dataset."""
    return read_table(path, GENE_SETS)


def read_mapped(gene_sets: str | Path, entry: str | Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The same, with the facts of the collection."""
    return read_members(gene_sets), read_json(entry)


def read_alike(folder: str | Path, columns: tuple[str, ...]) -> dict[str, pd.DataFrame]:
    """All tables of a folder, by name."""
    return {path.stem: read_table(path, columns) for path in sorted(Path(folder).glob("*.tsv"))}


def read_enrichment(collections: Sequence[str], folders: Sequence[str]) -> dict[str, dict[str, pd.DataFrame]]:
    """Enrichment tables by collection and contrast; folders in the order of the collections."""
    return {name: read_alike(folder, ENRICHMENT) for name, folder in zip(collections, folders, strict=True)}


def read_table(path: str | Path, columns: tuple[str, ...]) -> pd.DataFrame:
    """A table as it was written; only `NA` is missing, text columns stay text.

    Raises
    ------
    ValueError
        The columns are not the declared ones.
    """
    table = pd.read_csv(path, sep="\t", keep_default_na=False, na_values=["NA"], dtype=dict.fromkeys(TEXT, "string"))
    if tuple(table.columns) != columns:
        raise ValueError(f"{path}: columns are {list(table.columns)}, not {list(columns)}")
    return table


TEXT = (
    "input_id", "gene_id", "symbol", "entrez", "human_symbol", "kind", "note", "gene_set", "gene", "leading_edge",
    "cluster", "direction", "genes", "effect", "contrast", "form", "collection", "item", "compartment", "sample", "arm",
    "programme", "other_arm", "class", "pattern", "end_state", "verdict", "scored", "package", "version", "licence",
    "file", "sha256", "what",
)  # fmt: skip


def write_counts(counts: pd.DataFrame, path: str | Path) -> None:
    """Write genes x samples as gzip TSV, the index as `gene_id`; no time stamp in the file."""
    text = counts.to_csv(sep="\t", index_label="gene_id", lineterminator="\n")
    write_bytes(gzip.compress(text.encode("utf-8"), compresslevel=6, mtime=0), path)


def write_text(text: str, path: str | Path) -> None:
    """Write a UTF-8 text; the file appears whole or not at all."""
    write_bytes(text.encode("utf-8"), path)


def write_bytes(content: bytes, path: str | Path) -> None:
    """Write beside the place and rename, so that no half file is ever seen."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.part")
    beside.write_bytes(content)
    beside.replace(target)


def write_json(content: Any, path: str | Path) -> None:
    """Write plain values as JSON, keys sorted."""
    write_text(json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n", path)


def read_json(path: str | Path) -> Any:
    """Plain values from JSON."""
    return json.loads(Path(path).read_text(encoding="utf-8"))
