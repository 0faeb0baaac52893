"""Everything that a dataset's page is made of, read from its files once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from exoliver.contrasts import Contrast
from exoliver.figures.style import Look, make_look
from exoliver.model import Model
from exoliver.panel import panel_genes, read_panel
from exoliver.store import Expression, read_expression, read_model
from exoliver.tables import (
    CHANGES,
    EFFECTS,
    ENRICHMENT,
    EQUIVALENCE,
    GENE_SETS,
    GENE_VALUES,
    IDENTIFIERS,
    LEDGER,
    OVERREPRESENTATION,
    PANEL,
    RESCUE_COMPARISONS,
    RESCUE_GENES,
    RESCUE_PROGRAMMES,
    RESCUE_SUMMARY,
    TIMEPOINT_GENES,
    TRAJECTORIES,
    read_alike,
    read_contrasts,
    read_index,
    read_json,
    read_table,
)


@dataclass(frozen=True)
class CollectionResults:
    """One collection in one dataset: its facts, its sets as used, and both kinds of enrichment by contrast."""

    name: str
    entry: Mapping[str, Any]
    gene_sets: pd.DataFrame
    enrichment: Mapping[str, pd.DataFrame]
    overrepresentation: Mapping[str, pd.DataFrame]

    @property
    def has_sets(self) -> bool:
        """There are gene sets for this organism."""
        return len(self.gene_sets) > 0


@dataclass(frozen=True)
class ProgrammeResults:
    """What was found of the followed programmes: the tables of `programmes/` and `rescue/`, under their names there.

    `beside` has the effects on cell types and nuisances, which `beside_entry` describes.
    """

    effects: pd.DataFrame
    changes: pd.DataFrame
    beside: pd.DataFrame
    beside_entry: Mapping[str, Any]
    trajectories: pd.DataFrame
    equivalence: pd.DataFrame
    rescue: pd.DataFrame
    comparisons: pd.DataFrame
    rescue_genes: pd.DataFrame
    slopes: pd.DataFrame


@dataclass(frozen=True)
class Material:
    """Facts, checks and results of one dataset.

    Parameters
    ----------
    facts
        Plain values of the dataset's YAML.
    settings
        The study's keys that reports need: title, fdr, log2_fold_change_threshold, set_size, seed, panel,
        genes_of_interest.
    look
        Labels and colours of its arms.
    check, design
        Content of check.json and model/design.json.
    identifiers, ledger
        What every input row became, and how these rows add up.
    tables
        Gene tables by contrast id, omnibus ones among them.
    collections
        The followed programmes first.
    panel, panel_genes
        Effects of the apoptosis genes, and the facts of each gene in pathway order.
    genes
        Normalised counts by gene of interest.
    """

    facts: Mapping[str, Any]
    settings: Mapping[str, Any]
    look: Look
    check: Mapping[str, Any]
    design: Mapping[str, Any]
    identifiers: pd.DataFrame
    ledger: pd.DataFrame
    expression: Expression
    model: Model
    contrasts: tuple[Contrast, ...]
    tables: Mapping[str, pd.DataFrame]
    collections: tuple[CollectionResults, ...]
    programmes: ProgrammeResults
    timepoint_genes: pd.DataFrame
    panel: pd.DataFrame
    panel_genes: pd.DataFrame
    genes: Mapping[str, pd.DataFrame]

    def effects_of(self, contrast: Contrast) -> pd.DataFrame:
        """Effects of one contrast on the programmes."""
        return self.programmes.effects[self.programmes.effects["contrast"] == contrast.id]

    @property
    def warnings(self) -> list[Mapping[str, str]]:
        """What the preflight warned of, and what went amiss in the fit: where, what, fix."""
        found = list(self.check["warnings"])
        if self.design["trend_problem"]:
            what = f"{self.design['trend_problem']}: dispersions were shrunken towards their mean instead"
            found.append({"where": "model", "what": what, "fix": "read the plot of dispersions; p-values may be off"})
        return found

    @property
    def fdr(self) -> float:
        """The study's false discovery rate."""
        return float(self.settings["fdr"])

    @property
    def threshold(self) -> float:
        """log2 fold change that the tests of genes took as none."""
        return float(self.settings["log2_fold_change_threshold"])


def read_material(
    files: Any, facts: Mapping[str, Any], *, settings: Mapping[str, Any], collections: Sequence[str]
) -> Material:
    """Everything of one dataset.

    Parameters
    ----------
    files
        Paths by the names of the rule's inputs.
    facts, settings
        As in `Material`.
    collections
        Names of the collections, in the order of the files.
    """
    contrasts = read_index(files.index)
    own_panel = panel_genes(read_panel(), facts["organism"], own=settings["panel"])
    return Material(
        facts=facts,
        settings=settings,
        look=make_look(facts["arms"]["levels"], facts["time"], simulated=facts["simulation"] is not None),
        check=read_json(files.check),
        design=read_json(files.design),
        identifiers=read_table(files.identifiers, IDENTIFIERS),
        ledger=read_table(files.ledger, LEDGER),
        expression=read_expression(files.normalised),
        model=read_model(files.arrays, files.design),
        contrasts=tuple(contrasts),
        tables=read_contrasts(files.contrasts, contrasts),
        collections=_read_collections(files, collections),
        programmes=_read_programmes(files),
        timepoint_genes=read_table(files.timepoint_genes, TIMEPOINT_GENES),
        panel=read_table(files.panel, PANEL),
        panel_genes=own_panel,
        genes=read_alike(files.genes, GENE_VALUES),
    )


def _read_programmes(files: Any) -> ProgrammeResults:
    """What was found of the followed programmes."""
    return ProgrammeResults(
        effects=read_table(files.effects, EFFECTS),
        changes=read_table(files.changes, CHANGES),
        beside=read_table(files.beside, EFFECTS),
        beside_entry=read_json(files.beside_entry[0]),
        trajectories=read_table(files.trajectories, TRAJECTORIES),
        equivalence=read_table(files.equivalence, EQUIVALENCE),
        rescue=read_table(files.rescue, RESCUE_PROGRAMMES),
        comparisons=read_table(files.comparisons, RESCUE_COMPARISONS),
        rescue_genes=read_table(files.rescue_genes, RESCUE_GENES),
        slopes=read_table(files.slopes, RESCUE_SUMMARY),
    )


def _read_collections(files: Any, names: Sequence[str]) -> tuple[CollectionResults, ...]:
    """Results of every collection, in the order of the names."""
    folders = zip(names, files.entries, files.gene_sets, files.enrichment, files.overrepresentation, strict=True)
    return tuple(
        CollectionResults(
            name=name,
            entry=read_json(entry),
            gene_sets=read_table(gene_sets, GENE_SETS),
            enrichment=read_alike(enrichment, ENRICHMENT),
            overrepresentation=read_alike(overrepresentation, OVERREPRESENTATION),
        )
        for name, entry, gene_sets, enrichment, overrepresentation in folders
    )
