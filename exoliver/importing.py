"""From the material of a dataset to its count matrix: genes identified, set aside or kept, in one fixed order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from exoliver.counts import Material, read_material
from exoliver.identifiers import GENE, find_repeats, identify_genes, sum_genes, summarise_ledger
from exoliver.problems import StudyError
from exoliver.study import Intake, from_plain


@dataclass(frozen=True)
class Imported:
    """A dataset as all later stages see it.

    Parameters
    ----------
    counts
        Samples (n, sorted by id) x genes (g, sorted by gene id), whole numbers.
    samples
        One row per sample, in the order of the counts.
    genes
        One row per gene, in the order of the counts: symbol, entrez, human_symbol.
    identifiers
        One row per input gene: what it became, or why it was set aside.
    ledger
        How these rows add up, by what became of them.
    """

    counts: pd.DataFrame
    samples: pd.DataFrame
    genes: pd.DataFrame
    identifiers: pd.DataFrame
    ledger: pd.DataFrame


def read_intake(intake: Mapping[str, Any], *, counts: str, samples: str) -> tuple[Intake, Material]:
    """What the YAML says of a dataset's files, and their material.

    Parameters
    ----------
    intake
        Plain values of an `Intake`.
    counts, samples
        Paths of the files.

    Raises
    ------
    StudyError
        The files cannot be used (they changed after the preflight).
    """
    said = from_plain(Intake, intake)
    material, findings = read_material(said, counts_file=counts, samples_file=samples)
    if material is None:
        raise StudyError(findings.problems)
    return said, material


def import_counts(
    material: Material,
    *,
    identifiers: str,
    annotation: pd.DataFrame,
    synonyms: Mapping[str, str],
    excel_dates: str | None,
) -> Imported:
    """Identify every gene, set aside what is none, sum rows of one gene, and put all into a fixed order.

    Parameters
    ----------
    material
        Counts and samples as read.
    identifiers, annotation, synonyms, excel_dates
        As `identifiers.identify_genes` takes them.

    Raises
    ------
    ValueError
        Ids are repeated, or rows of one gene have the same counts (the preflight refuses both before).
    RuntimeError
        Rows or counts do not add up: an error of exoliver's own.
    """
    given = material.counts
    if given.index.has_duplicates:
        raise ValueError("input ids are repeated")
    table = identify_genes(
        list(given.index), identifiers=identifiers, annotation=annotation, synonyms=synonyms, excel_dates=excel_dates
    )
    repeats = find_repeats(given, table)
    if repeats:
        raise ValueError(f"rows of one gene have the same counts: {', '.join(repeats)}")
    counts = sum_genes(given, table)
    ledger = summarise_ledger(table)
    _check_balance(given, table, counts=counts, ledger=ledger)
    genes = table[table["kind"] == GENE].drop_duplicates("gene_id").set_index("gene_id").loc[counts.index]
    genes = genes[["symbol", "entrez", "human_symbol"]].rename_axis(None)
    return Imported(counts.T, material.samples, genes, table.sort_values("input_id"), ledger)


def _check_balance(given: pd.DataFrame, table: pd.DataFrame, *, counts: pd.DataFrame, ledger: pd.DataFrame) -> None:
    """Raise where a row or a count is neither kept nor explained."""
    rows = ledger.set_index("what")["rows"]
    kept = int(rows[rows.index.str.startswith("kept")].sum())
    if sorted(table["input_id"]) != sorted(given.index) or int(rows.sum()) != len(given) or kept != len(counts):
        what = f"{len(given)} rows came in, {len(counts)} were kept, and the ledger has {rows.to_dict()}"
        raise RuntimeError(f"internal error: the identifiers do not add up: {what}")
    aside = given.loc[table.loc[table["kind"] != GENE, "input_id"]].sum()
    off = given.sum() - counts.sum() - aside
    if (off != 0).any():
        raise RuntimeError(f"internal error: counts were lost or doubled: {off[off != 0].to_dict()}")
