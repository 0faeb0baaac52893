"""Rankings, gene sets and their scores as texts that other programs read; opens no file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache

import pandas as pd

from exoliver.enrichment import rank_contrast
from exoliver.ranked_sets import RankedSets

ENRICHMENT_MAP = ("GO.ID", "Description", "p.Val", "FDR", "Phenotype", "Genes")
FORMULA = ("=", "+", "-", "@")  # a spreadsheet computes what begins with one of these


def export_collection(
    contrasts: Mapping[str, pd.DataFrame], sets: RankedSets, *, enrichment: Mapping[str, pd.DataFrame]
) -> dict[str, str]:
    """What other programs read of one collection in one dataset, by the name of the file.

    Parameters
    ----------
    contrasts
        Contrast id to its gene table.
    sets
        Of `ranked_sets.sets_to_rank`.
    enrichment
        Contrast id to its table.

    Returns
    -------
    `{collection}.gmt` with the sets as they are ranked; `{contrast}.rnk` and `{contrast}.enrichmentmap.txt` of each
    contrast.
    """
    ranked = {name: genes for name, genes in sets.members.items() if name not in sets.panels}
    descriptions = {name: sets.titles.get(name, sets.source) for name in ranked}
    texts = {f"{sets.collection}.gmt": gmt_text(ranked, descriptions)}
    for name, table in contrasts.items():
        ranking, own = rank_contrast(table, by=sets.genes), enrichment[name]
        texts[f"{name}.rnk"] = rnk_text(ranking)
        texts[f"{name}.enrichmentmap.txt"] = enrichment_map_text(
            own, ranked, titles=sets.titles, genes=set(ranking.index)
        )
    return texts


def gmt_text(gene_sets: Mapping[str, Sequence[str]], descriptions: Mapping[str, str]) -> str:
    """One line for each set that has members: name, description, members."""
    named = sorted((name, genes) for name, genes in gene_sets.items() if genes)
    return _lines([_cell(name), _cell(descriptions[name]), *map(_cell, genes)] for name, genes in named)


def rnk_text(ranking: pd.Series) -> str:
    """One line for each gene, no header: symbol and statistic, which reads back as the very same number."""
    return _lines([_cell(gene), repr(float(statistic))] for gene, statistic in ranking.items())


def enrichment_map_text(
    table: pd.DataFrame, gene_sets: Mapping[str, Sequence[str]], *, titles: Mapping[str, str], genes: set[str]
) -> str:
    """The sets that were tested, in the generic format of EnrichmentMap.

    Parameters
    ----------
    table
        Enrichment of one contrast.
    gene_sets
        Gene set to symbols.
    titles
        Title by set; where there is none, the name stands in.
    genes
        The symbols ranked. Those of a set are its `Genes`: all of them, since EnrichmentMap takes its overlaps from
        them where it is given no GMT file.

    References
    ----------
    https://enrichmentmap.readthedocs.io/en/latest/FileFormats.html, "Generic results files".
    """
    rows = [list(ENRICHMENT_MAP)]
    for row in table.dropna(subset=["pvalue"]).itertuples():
        members = [_cell(gene).replace(",", "_") for gene in gene_sets[row.gene_set] if gene in genes]
        texts = [_cell(row.gene_set), _cell(titles.get(row.gene_set, row.gene_set))]
        phenotype = "+1" if row.nes > 0 else "-1"
        rows.append([*texts, f"{row.pvalue:.10g}", f"{row.padj:.10g}", phenotype, ",".join(members)])
    return _lines(rows)


@cache
def _cell(text: str) -> str:
    """A name or title that stays one cell: without characters that part cells or lines, and computed by no program."""
    flat = text if text.isprintable() else "".join(letter if letter.isprintable() else " " for letter in text)
    flat = flat.strip()
    return f"'{flat}" if flat.startswith(FORMULA) else flat


def _lines(rows: Iterable[Sequence[str]]) -> str:
    """Cells parted by tabs, rows by line ends."""
    return "".join("\t".join(row) + "\n" for row in rows)
