"""The supplement of a dataset: its main tables as sheets of one workbook, and what every column means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from exoliver import __version__
from exoliver.contrasts import Contrast
from exoliver.figures.style import make_look
from exoliver.figures.words import count
from exoliver.model import Model
from exoliver.report.naming import contrast_words, estimable, kind_words, main_contrasts
from exoliver.report.supplement_words import COLUMNS, OF_CONTRAST, SHEETS
from exoliver.store import read_model
from exoliver.tables import (
    CHANGES,
    EFFECTS,
    ENRICHMENT,
    PANEL,
    RESCUE_GENES,
    RESCUE_PROGRAMMES,
    TRAJECTORIES,
    read_contrasts,
    read_enrichment,
    read_index,
    read_json,
    read_table,
)
from exoliver.workbook import Sheet

SIMULATED = "Simulated data. No animal, cell or sequencing run stands behind these numbers."
README = ("sheet", "column", "meaning")
ENRICHED = ("collection", "contrast", *ENRICHMENT)


@dataclass(frozen=True)
class Findings:
    """What the supplement is made of.

    Parameters
    ----------
    contrasts, genes
        The index, and gene tables of the main contrasts by id.
    check
        Content of check.json.
    programmes
        Tables that are sheets as they are, by the name of the sheet.
    enrichment
        Tables by collection and contrast.
    """

    contrasts: Sequence[Contrast]
    genes: Mapping[str, pd.DataFrame]
    model: Model
    check: Mapping[str, Any]
    programmes: Mapping[str, pd.DataFrame]
    enrichment: Mapping[str, Mapping[str, pd.DataFrame]]


def read_findings(files: Any, collections: Sequence[str]) -> Findings:
    """Everything that the supplement is made of.

    Parameters
    ----------
    files
        Paths by the names of the rule's inputs.
    collections
        Names of the collections, in the order of the folders.
    """
    contrasts = read_index(files.index)
    main = estimable(main_contrasts(contrasts))
    return Findings(
        contrasts=contrasts,
        genes=read_contrasts(files.contrasts, main),
        model=read_model(files.arrays, files.design),
        check=read_json(files.check),
        programmes={
            "programmes": read_table(files.effects, EFFECTS),
            "changes": read_table(files.changes, CHANGES),
            "trajectories": read_table(files.trajectories, TRAJECTORIES),
            "rescue": read_table(files.rescue, RESCUE_PROGRAMMES),
            "rescue genes": read_table(files.rescue_genes, RESCUE_GENES),
            "panel": read_table(files.panel, PANEL),
        },
        enrichment=read_enrichment(collections, files.enrichment),
    )


def supplement_sheets(findings: Findings, facts: Mapping[str, Any], *, settings: Mapping[str, Any]) -> list[Sheet]:
    """The sheets of the workbook, the one that explains the others first.

    Parameters
    ----------
    findings
        Of `read_findings`.
    facts
        Plain values of the dataset's YAML.
    settings
        The study's `title` and `fdr`.
    """
    tables = {
        "samples": sample_sheet(findings.model, findings.check),
        "genes": gene_sheet(findings.model, findings.genes),
        **findings.programmes,
        "enrichment": enrichment_sheet(findings.enrichment, fdr=settings["fdr"]),
    }
    readme = pd.DataFrame(
        [*_about(findings, facts, settings), *_meanings(tables, findings, facts)], columns=list(README)
    )
    return [Sheet("README", readme), *(Sheet(name, table) for name, table in tables.items())]


def sample_sheet(model: Model, check: Mapping[str, Any]) -> pd.DataFrame:
    """One row per sample, in the order of arms and times: sample, arm, time, size_factor, library_size."""
    own = [model.cells[place] for place in np.argmax(model.design[:, : len(model.cells)], axis=1)]
    samples = model.samples.astype(str).tolist()
    table = pd.DataFrame(
        {
            "sample": samples,
            "arm": [cell.arm for cell in own],
            "time": np.array([cell.time for cell in own], dtype=float),
            "size_factor": model.size_factors,
            "library_size": [check["design"]["library_sizes"][sample] for sample in samples],
        }
    )
    order = {cell: place for place, cell in enumerate(model.cells)}
    table["place"] = [order[cell] for cell in own]
    return table.sort_values(["place", "sample"], kind="stable", ignore_index=True).drop(columns="place")


def gene_sheet(model: Model, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One row per gene of the fit, in the order of the tables, with the results of every contrast side by side.

    Parameters
    ----------
    model
        Says which genes took part; the others have no result, and stand in the tables of contrasts.
    tables
        Gene tables by contrast id.
    """
    tested = set(model.genes[model.takes_part].astype(str))
    parts: list[pd.DataFrame] = []
    for name, table in tables.items():
        rows = table[table["gene_id"].isin(tested)].set_index("gene_id")
        if not parts:
            parts.append(rows[["symbol", "base_mean"]])
        parts.append(rows[list(OF_CONTRAST)].rename(columns={key: f"{key} ({name})" for key in OF_CONTRAST}))
    if not parts:
        return pd.DataFrame(columns=["gene_id", "symbol", "base_mean"])
    return pd.concat(parts, axis=1).reset_index()


def enrichment_sheet(enrichment: Mapping[str, Mapping[str, pd.DataFrame]], *, fdr: float) -> pd.DataFrame:
    """Rows of every collection and contrast whose adjusted p-value is below the false discovery rate."""
    found = [
        table[(table["padj"] < fdr).fillna(False)].assign(collection=collection, contrast=contrast)
        for collection, tables in enrichment.items()
        for contrast, table in tables.items()
    ]
    rows = [table for table in found if len(table)]
    return pd.concat(rows, ignore_index=True)[list(ENRICHED)] if rows else pd.DataFrame(columns=list(ENRICHED))


Row = tuple[str, str, str]


def _about(findings: Findings, facts: Mapping[str, Any], settings: Mapping[str, Any]) -> list[Row]:
    """What the file is."""
    filtered = int((~findings.model.takes_part).sum())
    items = [
        ("data", SIMULATED if facts["simulation"] is not None else ""),
        ("title", facts["title"] or facts["id"]),
        ("study", settings["title"]),
        ("dataset", facts["id"]),
        ("organism", facts["organism"]),
        ("accession", facts["accession"] or ""),
        ("citation", facts["citation"] or ""),
        ("made by", f"exoliver {__version__}; methods and limits stand in report.html beside this file"),
        ("false discovery rate", f"{settings['fdr']:g}"),
        ("genes set aside", f"{count(filtered)} by the gene filter; they are rows of contrasts/, without a result"),
        ("empty cells", "a number that could not be had, for the reason in the column note"),
    ]
    return [("README", name, text) for name, text in items if text]


def _meanings(
    tables: Mapping[str, pd.DataFrame], findings: Findings, facts: Mapping[str, Any]
) -> list[tuple[str, str, str]]:
    """What each sheet holds, and each of its columns; then what the contrasts are called in words."""
    rows: list[Row] = []
    for sheet, table in tables.items():
        rows.append((sheet, "", SHEETS[sheet]))
        named = dict.fromkeys(name.partition(" (")[0] for name in table.columns)
        rows += [(sheet, name, COLUMNS.get((sheet, name)) or COLUMNS["", name]) for name in named]
    look = make_look(facts["arms"]["levels"], facts["time"], simulated=facts["simulation"] is not None)
    return rows + [
        ("contrasts", contrast.id, f"{contrast_words(contrast, look)}: {kind_words(contrast, facts)}")
        for contrast in findings.contrasts
    ]
