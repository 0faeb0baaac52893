"""Pictures of gene sets by rank: dots by score, running sums, and the genes that make the scores."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from exoliver.contrasts import Contrast
from exoliver.enrichment import rank_contrast
from exoliver.figures.gene_set_dots import gene_set_dots
from exoliver.figures.leading_edge import leading_edge
from exoliver.figures.running_score import RunningScore, running_score
from exoliver.figures.words import count, plural
from exoliver.genesets import gene_sets_as_dict
from exoliver.identifiers import collapse_symbols
from exoliver.ranked_sets import panels_of
from exoliver.report.elements import Link, picture
from exoliver.report.material import CollectionResults, Material
from exoliver.report.naming import FOLLOWED, contrast_words, effect_words, leading, set_titles, side_by_side, when_words
from exoliver.running_sum import sum_along

KINDS = (*FOLLOWED, "product_on_healthy")
DOT_SETS = 12
LEAST_SETS = 2  # fewer have nothing to be compared with
CURVES = 4
EDGE_SETS = 5
EDGE_GENES = 16
OUTERMOST = 2  # genes of each leading edge that are shown whether or not another one has them


def dot_blocks(material: Material, collection: CollectionResults) -> list[Any]:
    """Scores of the sets that stand for clusters; nothing where fewer than two do."""
    rows = dot_rows(material, collection)
    if rows["gene_set"].nunique() < LEAST_SETS:
        return []
    figure = gene_set_dots(
        rows,
        material.look,
        name=f"set_dots__{collection.name}",
        title=f"{collection.entry['title']}: score and size of the sets that stand for clusters",
        fdr=material.fdr,
    )
    caption = (
        f"The {plural(rows['gene_set'].nunique(), 'strongest set')} of those that stand for a cluster in some effect. "
        "Right of zero stands higher in the first arm; area is the number of genes, a strong ring marks an adjusted "
        f"p-value below {material.fdr:g}."
    )
    return [picture(figure, caption)]


def dot_rows(material: Material, collection: CollectionResults) -> pd.DataFrame:
    """Scores of the largest representatives of clusters: gene_set, title, effect, when, value, padj, size."""
    tables = [
        collection.enrichment[contrast.id].assign(
            effect=effect_words(contrast, material.look), when=when_words(contrast, material.look)
        )
        for contrast in _columns(material)
    ]
    columns = ["gene_set", "effect", "when", "nes", "padj", "size", "cluster"]
    rows = pd.concat(tables, ignore_index=True)[columns] if tables else pd.DataFrame(columns=columns)
    stands = rows[(rows["cluster"] == rows["gene_set"]).fillna(False).astype(bool)]
    largest = stands["nes"].abs().groupby(stands["gene_set"]).max().sort_values(ascending=False, kind="stable")
    rows = rows[rows["gene_set"].isin(largest.index[:DOT_SETS])].rename(columns={"nes": "value"})
    means = rows.groupby("gene_set")["value"].mean().sort_values(ascending=False, kind="stable")
    rank = {name: place for place, name in enumerate(means.index)}
    rows = rows.assign(
        title=rows["gene_set"].map(set_titles(rows["gene_set"], collection.entry)), rank=rows["gene_set"].map(rank)
    )
    return rows.sort_values("rank", kind="stable", ignore_index=True).drop(columns=["cluster", "rank"])


def _columns(material: Material) -> list[Contrast]:
    """The effects that stand side by side; without an injury or a treatment those that the findings speak of."""
    return side_by_side(material.contrasts, KINDS) or leading(material.contrasts)


def edge_blocks(
    material: Material, collection: CollectionResults, *, contrast: Contrast, sets: pd.DataFrame
) -> list[Any]:
    """Running sums and leading edges of the first sets of one contrast; nothing where none stands out.

    Parameters
    ----------
    material, collection, contrast
        Where the sets are from.
    sets
        Of `first_sets`.
    """
    sure = sets[(sets["padj"] < material.fdr).fillna(False)]
    if sure.empty:
        return []
    titles = set_titles(sure["gene_set"], collection.entry)
    sure = sure.assign(title=sure["gene_set"].map(titles))
    where = f"{collection.entry['title']}, {contrast_words(contrast, material.look)}"
    name = f"{collection.name}__{contrast.id}"
    curves, crossing = running_scores(material, collection, contrast=contrast, sets=sure.head(CURVES))
    running = running_score(curves, material.look, name=f"running__{name}", title=where, crossing=crossing)
    more = Link("all sets", f"enrichment/{collection.name}/{contrast.id}.tsv")
    blocks: list[Any] = [
        picture(
            running,
            f"Running sums of the {plural(len(curves), 'strongest set')}: along the ranking the curve rises at "
            "each gene of the set by the size of its statistic, and falls at all others. The dot is the score; lines "
            "below are the genes; at the dashed line the statistic changes sign.",
            more=more,
        )
    ]
    members = edge_members(sure.head(EDGE_SETS))
    effects = edge_effects(material, collection, genes=list(dict.fromkeys(members["gene"])))
    edges = leading_edge(
        members,
        material.look,
        sets=sure["title"].head(EDGE_SETS).tolist(),
        effects=effects,
        name=f"leading_edge__{name}",
        title=f"Leading edges: {where}",
        fdr=material.fdr,
    )
    caption = (
        f"Genes of the leading edges of the {plural(min(len(sure), EDGE_SETS), 'strongest set')}: the outermost "
        f"{count(OUTERMOST)} of each, and those that most of them share. Squares say in which sets they are, tiles "
        "their effect in log2 (unshrunken; orange higher, blue lower; a dot marks an adjusted p-value below "
        f"{material.fdr:g}). They were picked by the same data, so that their effects look larger than they are."
    )
    return [*blocks, picture(edges, caption)]


def running_scores(
    material: Material, collection: CollectionResults, *, contrast: Contrast, sets: pd.DataFrame
) -> tuple[list[RunningScore], int]:
    """The curve of each set along the ranking that the enrichment used, and how many statistics are above zero.

    Parameters
    ----------
    material, collection, contrast
        Where the ranking and the members are from.
    sets
        Rows of the enrichment table, with `title`.
    """
    by_set = gene_sets_as_dict(collection.gene_sets, panels_of(collection.entry))
    ranking = rank_contrast(material.tables[contrast.id], by=collection.entry["genes"])
    curves = []
    for row in sets.itertuples():
        members = by_set[row.gene_set]
        curves.append(
            RunningScore(
                title=row.title,
                total=sum_along(ranking, members),
                places=np.flatnonzero(ranking.index.isin(members)),
                nes=float(row.nes),
                padj=float(row.padj),
                edge=len(_edge(row.leading_edge)),
            )
        )
    return curves, int((ranking > 0).sum())


def _edge(genes: object) -> list[str]:
    """The genes of a leading edge."""
    return [] if pd.isna(genes) else str(genes).split(";")


def edge_members(sets: pd.DataFrame) -> pd.DataFrame:
    """Genes of the leading edges with their sets: gene, title.

    Parameters
    ----------
    sets
        Rows of the enrichment table, with `title`.

    Returns
    -------
    At most `EDGE_GENES` genes: the outermost of each leading edge, then those that most sets share, then further ones
    from outside in. Those of more sets stand first, then those of the first set.
    """
    pairs = pd.DataFrame(
        [
            (gene, row.title, number, place)
            for number, row in enumerate(sets.itertuples())
            for place, gene in enumerate(_edge(row.leading_edge))
        ],
        columns=["gene", "title", "number", "place"],
    )
    keys = pairs.groupby("gene").agg(sets=("title", "size"), number=("number", "min"), place=("place", "min"))
    keys = keys.reset_index().assign(is_further=lambda genes: genes["place"] >= OUTERMOST)
    by, ways = ["is_further", "sets", "place", "number", "gene"], [True, False, True, True, True]
    shown = keys.sort_values(by, ascending=ways).head(EDGE_GENES)
    shown = shown.sort_values(["sets", "number", "place", "gene"], ascending=[False, True, True, True])
    rank = {gene: place for place, gene in enumerate(shown["gene"])}
    kept = pairs[pairs["gene"].isin(rank)]
    ordered = kept.assign(rank=kept["gene"].map(rank)).sort_values(["rank", "number"], ignore_index=True)
    return ordered[["gene", "title"]]


def edge_effects(material: Material, collection: CollectionResults, *, genes: list[str]) -> pd.DataFrame:
    """Effects of genes at each time: gene, effect, when, value (log2 fold change), padj."""
    parts = []
    for contrast in _columns(material):
        own = _effects_of(material.tables[contrast.id], collection.entry["genes"], set(genes)).reindex(genes)
        parts.append(
            pd.DataFrame({"gene": genes, "value": own["log2_fold_change"].to_numpy(), "padj": own["padj"].to_numpy()})
            .assign(effect=effect_words(contrast, material.look), when=when_words(contrast, material.look))
        )  # fmt: skip
    columns = ["gene", "effect", "when", "value", "padj"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def _effects_of(table: pd.DataFrame, by: str, genes: set[str]) -> pd.DataFrame:
    """Rows of the gene table by symbol; of several genes with one symbol that which the ranking takes."""
    own = table[table[by].isin(genes)].dropna(subset=["log2_fold_change", "lfc_se"])
    return collapse_symbols(own, by=by).set_index(by)
