"""Enrichment as description: where gene sets stand in the ranking of each effect."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from exoliver.contrasts import Contrast
from exoliver.figures.gene_set_heatmap import SURE, gene_set_heatmap
from exoliver.figures.words import clauses, count, joined, plural
from exoliver.ranked_sets import panels_of
from exoliver.report.elements import (
    Column,
    Folded,
    Heading,
    Link,
    Prose,
    Section,
    Table,
    counts,
    numbers,
    picture,
    pvalues,
    texts,
)
from exoliver.report.gene_set_pictures import dot_blocks, edge_blocks
from exoliver.report.material import CollectionResults, Material
from exoliver.report.naming import (
    MOST_EFFECTS,
    arm_words,
    averaged,
    contrast_words,
    effect_words,
    estimable,
    leading,
    main_contrasts,
    set_order,
    set_titles,
    side_by_side,
    when_words,
)

TOP_SETS = 12
KINDS = ("injury", "treatment", "product_on_healthy")
HEATMAP_SETS = 25
LEADING = 8
MOST_EDGES = 2  # contrasts whose running sums and leading edges are drawn, for the sake of the size of the page
CAUTION = (
    "These tests permute genes and ignore that genes of a set move together: they overstate the evidence, and small "
    "p-values here do not mean that a finding would come again with other samples. Read them as a description of the "
    "ranking; the evidence for a programme is in its effects above."
)


def enrichment_section(material: Material) -> Section:
    """Tables and tiles of every collection; or why there are none."""
    title = "Gene sets by rank"
    used = [collection for collection in material.collections if collection.has_sets]
    if not used:
        finding = f"Left out, because no gene sets are shipped for {material.facts['organism']}."
        return Section("sets", title, finding, "Left out: no gene sets", ())
    finding = f"{_finding(material, used)}: a description of ranks, not evidence."
    blocks: list[Any] = [Prose((CAUTION,))]
    for collection in used:
        blocks += _collection(material, collection)
    return Section("sets", title, finding, _short(material, used), tuple(blocks))


def _finding(material: Material, used: list[CollectionResults]) -> str:
    """How many sets of each collection stand out in each of the effects that the page speaks of."""
    effects = leading(material.contrasts)
    if not effects:
        return "No effect can be ranked"
    parts = [
        f"{joined(_hits(collection, contrast, material.fdr) for collection in used)} in "
        f"{contrast_words(contrast, material.look)}"
        for contrast in effects
    ]
    told = clauses(parts, MOST_EFFECTS, of="effect")
    return f"Sets that stand higher or lower than chance ranks them (adjusted p below {material.fdr:g}): {told}"


def _hits(collection: CollectionResults, contrast: Contrast, fdr: float) -> str:
    """How many sets of one collection stand out in one contrast."""
    table = collection.enrichment[contrast.id]
    sure, tested = int((table["padj"] < fdr).sum()), int(table["pvalue"].notna().sum())
    return f"{count(sure)} of {count(tested)} of {collection.entry['title']}"


def _short(material: Material, used: list[CollectionResults]) -> str:
    """The finding in a few words."""
    effects = leading(material.contrasts)
    if not effects:
        return "No effect can be ranked"
    parts = []
    for contrast in effects:
        sure = sum(int((collection.enrichment[contrast.id]["padj"] < material.fdr).sum()) for collection in used)
        name = contrast_words(contrast, material.look) if len(effects) == 1 else arm_words(contrast, material.look)
        parts.append(f"{plural(sure, 'set')} in {name}")
    return clauses(parts, MOST_EFFECTS, of="effect")


def _collection(material: Material, collection: CollectionResults) -> list[Any]:
    """One collection: its tiles, and its first sets in each main contrast."""
    blocks: list[Any] = [Heading(f"{collection.entry['title']}, {collection.entry['release']}")]
    rows = heatmap_rows(material, collection)
    if rows["nes"].notna().any():
        figure = gene_set_heatmap(
            rows.assign(value=rows["nes"]),
            material.look,
            name=f"sets__{collection.name}",
            title=f"{collection.entry['title']} in each effect",
            unit="NES",
            fdr=material.fdr,
        )
        blocks.append(picture(figure, _heatmap_caption(material, collection, rows)))
    blocks += dot_blocks(material, collection)
    for contrast in leading(material.contrasts)[:MOST_EDGES]:
        tested = collection.enrichment[contrast.id].dropna(subset=["nes"])
        blocks += edge_blocks(material, collection, contrast=contrast, sets=first_sets(tested))
    main = estimable(main_contrasts(material.contrasts))
    tables = tuple(set_table(material, collection, contrast=contrast) for contrast in main)
    return [*blocks, *([Folded("The first sets of each contrast", tables)] if tables else [])]


def _heatmap_caption(material: Material, collection: CollectionResults, rows: pd.DataFrame) -> str:
    """What the tiles show, and which sets were chosen."""
    names = {name for table in collection.enrichment.values() for name in table["gene_set"]}
    all_sets, shown = len(names - panels_of(collection.entry)), rows["gene_set"].nunique()
    chosen = (
        f" The {count(shown)} of {count(all_sets)} sets with the largest score in any column are shown, of a cluster "
        "the one that stands for it."
        if shown < all_sets
        else ""
    )
    return (
        "Normalised enrichment scores: orange stands higher in the first arm, blue lower; the colour is a direction, "
        f"not a benefit. {SURE} marks an adjusted p-value below {material.fdr:g}; an empty tile was not "
        f"tested.{chosen}"
    )


def heatmap_rows(material: Material, collection: CollectionResults) -> pd.DataFrame:
    """Scores of a collection's sets at each time: gene_set, title, effect, when, nes, padj; strongest sets only."""
    contrasts = side_by_side(material.contrasts, KINDS)
    panels = panels_of(collection.entry)
    parts = [
        collection.enrichment[contrast.id][["gene_set", "nes", "padj", "cluster"]].assign(
            effect=effect_words(contrast, material.look), when=when_words(contrast, material.look)
        )
        for contrast in contrasts
    ]
    columns = ["gene_set", "nes", "padj", "cluster", "effect", "when"]
    rows = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
    rows = rows[~rows["gene_set"].isin(panels)]
    rows = rows[rows["gene_set"].isin(_strongest(rows))]
    rows = rows.assign(title=rows["gene_set"].map(set_titles(rows["gene_set"], collection.entry)))
    rank = _rows_in_order(material, collection, rows)
    return rows.assign(rank=rows["gene_set"].map(rank)).sort_values("rank", kind="stable", ignore_index=True)


def _strongest(rows: pd.DataFrame) -> list[str]:
    """The sets with the largest scores, where no other one stands for them."""
    size = rows["nes"].abs().where(_stands(rows)).groupby(rows["gene_set"]).max().fillna(0)
    return size.sort_values(ascending=False, kind="stable").head(HEATMAP_SETS).index.tolist()


def _rows_in_order(material: Material, collection: CollectionResults, rows: pd.DataFrame) -> dict[str, int]:
    """Place of each set: as the collection lists them, else from the highest to the lowest mean under treatment."""
    if collection.entry["gene_sets"]:
        return set_order(rows["gene_set"], collection.entry)
    treatments = {effect_words(contrast, material.look) for contrast in averaged(material.contrasts, "treatment")}
    own = rows[rows["effect"].isin(treatments)] if rows["effect"].isin(treatments).any() else rows
    means = own.groupby("gene_set")["nes"].mean().sort_values(ascending=False, kind="stable")
    return {name: position for position, name in enumerate(means.index)}


def set_table(material: Material, collection: CollectionResults, *, contrast: Contrast) -> Table:
    """The first sets in one contrast, one for each cluster, with over-representation beside them."""
    tested = collection.enrichment[contrast.id].dropna(subset=["nes"])
    rows = first_sets(tested).head(TOP_SETS)
    titles = set_titles(tested["gene_set"], collection.entry)
    over = collection.overrepresentation[contrast.id].set_index(["gene_set", "direction"])
    alike = [[titles[name] for name in names] for names in _represented(tested, rows["gene_set"])]
    columns: list[Column] = [
        texts("Set", [titles[name] for name in rows["gene_set"]]),
        texts(
            "Stands for",
            [plural(len(names), "other") if names else "" for names in alike],
            details=["; ".join(names) for names in alike],
        ),
        counts("Genes", rows["size"]),
        numbers("NES", rows["nes"]),
        pvalues("Adjusted p", rows["padj"]),
        texts("Leading edge", [_leading(genes) for genes in rows["leading_edge"]]),
    ]
    if not any(alike):
        columns.pop(1)
    for direction, title in (("up", "Raised genes"), ("down", "Lowered genes")):
        own = [_over(over, name, direction) for name in rows["gene_set"]]
        columns += [counts(title, [hits for hits, _ in own]), pvalues("Adjusted p", [padj for _, padj in own])]
    caption = (
        f"{contrast_words(contrast, material.look)}: {_first(len(rows), tested)} of {collection.entry['title']}. "
        f"{_sure_words(tested, material.fdr)}; largest score first in either direction. On the right, how many of its "
        "genes are among those that are raised or lowered (over-representation)."
    )
    return Table(caption, tuple(columns), more=Link("all sets", f"enrichment/{collection.name}/{contrast.id}.tsv"))


def first_sets(tested: pd.DataFrame) -> pd.DataFrame:
    """Sets as a reader takes them: those that stand for a cluster, then those that are in none.

    Parameters
    ----------
    tested
        Enrichment of one contrast and collection, of the sets tested.

    Returns
    -------
    Both by the size of their scores, ties by name; sets for which another one stands are left out.
    """
    keys = tested.assign(is_alone=tested["cluster"].isna(), size_of=tested["nes"].abs())
    ordered = keys.sort_values(["is_alone", "size_of", "gene_set"], ascending=[True, False, True], kind="stable")
    return tested.loc[ordered.index[_stands(ordered)]]


def _stands(rows: pd.DataFrame) -> pd.Series:
    """No other set stands for this one."""
    return rows["cluster"].isna() | (rows["cluster"] == rows["gene_set"]).fillna(False)


def _represented(tested: pd.DataFrame, names: Iterable[str]) -> list[list[str]]:
    """The other sets of the cluster that each set stands for, largest score first."""
    others = tested[~_stands(tested)]
    others = others.loc[others["nes"].abs().sort_values(ascending=False, kind="stable").index]
    of_cluster = others.groupby("cluster", sort=False)["gene_set"].agg(list)
    return [of_cluster.get(name, []) for name in names]


def _first(shown: int, tested: pd.DataFrame) -> str:
    """How many of the sets are shown."""
    rows, sets = len(first_sets(tested)), plural(len(tested), "set") + " tested"
    return f"the first {count(shown)} of {sets}" if shown < rows else sets


def _sure_words(tested: pd.DataFrame, fdr: float) -> str:
    """How many sets are below the false discovery rate, and in how many clusters."""
    sure, clusters = int((tested["padj"] < fdr).sum()), tested["cluster"].nunique()
    if not sure:
        return f"No set has an adjusted p-value below {fdr:g}"
    has, comes = ("has", "comes") if sure == 1 else ("have", "come")
    found = f"{count(sure)} {has} an adjusted p-value below {fdr:g} and {comes} first"
    of = plural(clusters, "cluster") + " of sets that share genes of their leading edges"
    return found if clusters == sure else f"{found}, one row for each of {of}"


def _leading(genes: object) -> str:
    """The first genes of a leading edge."""
    names = [] if pd.isna(genes) else str(genes).split(";")
    rest = len(names) - LEADING
    return ", ".join(names[:LEADING]) + (f" and {count(rest)} more" if rest > 0 else "")


def _over(table: pd.DataFrame, gene_set: str, direction: str) -> tuple[Any, Any]:
    """Hits and adjusted p-value of one set in one direction; no p-value without a hit."""
    if (gene_set, direction) not in table.index:
        return None, None
    row = table.loc[(gene_set, direction)]
    return row["hits"], row["padj"] if row["hits"] else None
