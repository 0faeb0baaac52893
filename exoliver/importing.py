"""From the material of a dataset to its count matrix: genes identified, set aside or kept, in one fixed order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from exoliver.counts import Material, read_material
from exoliver.identifiers import identify_genes
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
    """

    counts: pd.DataFrame
    samples: pd.DataFrame
    genes: pd.DataFrame
    identifiers: pd.DataFrame


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


def import_counts(material: Material, *, identifiers: str, annotation: pd.DataFrame) -> Imported:
    """Identify every gene, set aside what is none, and put genes and samples into their fixed order.

    Parameters
    ----------
    material
        Counts and samples as read.
    identifiers
        Kind of identifier: `ensembl`, `entrez`, `symbol` or `other`.
    annotation
        Of `identifiers.read_annotation`.

    Raises
    ------
    ValueError
        Two input ids became one gene id (the preflight refuses that before), or a row was lost.
    """
    ledger = identify_genes(list(material.counts.index), identifiers=identifiers, annotation=annotation)
    kept = ledger[ledger["kind"] == "gene"].sort_values("gene_id")
    if kept["gene_id"].duplicated().any():
        raise ValueError("several input ids became one gene id")
    if len(ledger) != len(material.counts):
        raise ValueError("the ledger of identifiers does not cover every input gene")
    counts = material.counts.loc[kept["input_id"]].set_axis(kept["gene_id"].to_list(), axis=0).T
    genes = kept.set_index("gene_id")[["symbol", "entrez", "human_symbol"]].rename_axis(None)
    return Imported(counts, material.samples, genes, ledger.sort_values("input_id"))
