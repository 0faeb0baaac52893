"""A first comparison across time points: effects at each time side by side, and their changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from exoliver.contrasts import FOLLOWED, Contrast
from exoliver.tables import TIMEPOINT_GENE_SETS, TIMEPOINT_GENES

COMPARED = ("at_time", "change")


def compare_timepoints(
    contrasts: Sequence[Contrast],
    tables: Mapping[str, pd.DataFrame],
    *,
    enrichment: Mapping[str, Mapping[str, pd.DataFrame]],
    fdr: float,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Injury and treatment effects at each time and their changes, for genes and for gene sets.

    Parameters
    ----------
    contrasts
        All contrasts of the dataset.
    tables
        Their gene tables, by id.
    enrichment
        Collection to contrast id to its table.
    fdr
        A gene is listed where its effect differs from zero at some time at this level (likelihood-ratio test).

    Returns
    -------
    Genes: one row per effect, gene and contrast, sorted so. Gene sets: all of them, sorted by effect, collection, set.
    Both are empty where no effect has two times.
    """
    genes: list[pd.DataFrame] = []
    sets: list[pd.DataFrame] = []
    for effect, members in _by_effect(contrasts).items():
        omnibus = {
            contrast.form: tables[contrast.id].set_index("gene_id") for contrast in members if contrast.is_omnibus
        }
        if not omnibus:
            continue
        moving = omnibus["any_time"].index[omnibus["any_time"]["padj"] < fdr]
        over_time = omnibus["over_time"]["padj"]
        for contrast in [contrast for contrast in members if contrast.form in COMPARED]:
            genes.append(_gene_rows(effect, contrast, tables[contrast.id], moving, over_time))
            sets += [
                _set_rows(effect, contrast, collection, by_contrast[contrast.id])
                for collection, by_contrast in enrichment.items()
            ]
    by_gene = _stacked(genes, TIMEPOINT_GENES).sort_values(["effect", "gene_id"], kind="stable", ignore_index=True)
    by_set = _stacked(sets, TIMEPOINT_GENE_SETS)
    return by_gene, by_set.sort_values(["effect", "collection", "gene_set"], kind="stable", ignore_index=True)


def _stacked(blocks: Sequence[pd.DataFrame], columns: tuple[str, ...]) -> pd.DataFrame:
    """The blocks that have rows, one under the other."""
    filled = [block for block in blocks if len(block)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=list(columns))


def _by_effect(contrasts: Sequence[Contrast]) -> dict[str, list[Contrast]]:
    """Contrasts of each injury and treatment effect."""
    effects: dict[str, list[Contrast]] = {}
    for contrast in contrasts:
        if contrast.kind in FOLLOWED:
            effects.setdefault(contrast.effect, []).append(contrast)
    return effects


def _gene_rows(
    effect: str, contrast: Contrast, table: pd.DataFrame, moving: pd.Index, over_time: pd.Series
) -> pd.DataFrame:
    """The moving genes in one contrast."""
    rows = table.set_index("gene_id").loc[moving].reset_index()
    rows = rows.assign(effect=effect, contrast=contrast.id, form=contrast.form, time=_time(contrast))
    return rows.assign(over_time_padj=rows["gene_id"].map(over_time))[list(TIMEPOINT_GENES)]


def _set_rows(effect: str, contrast: Contrast, collection: str, table: pd.DataFrame) -> pd.DataFrame:
    """All gene sets of one collection in one contrast."""
    rows = table.assign(effect=effect, collection=collection, contrast=contrast.id, form=contrast.form)
    return rows.assign(time=_time(contrast))[list(TIMEPOINT_GENE_SETS)]


def _time(contrast: Contrast) -> float:
    """The time that a row stands for: the later one for a change."""
    return contrast.times[0] if contrast.times else np.nan
