"""Over time: effects at each time side by side, their changes, and the programmes by rank."""

from __future__ import annotations

from typing import Any

import pandas as pd

from exoliver.contrasts import Contrast
from exoliver.figures.programmes_over_time import programmes_over_time
from exoliver.figures.style import time_words
from exoliver.figures.words import capital, clauses, count, joined, p_words, plural
from exoliver.ranked_sets import panels_of
from exoliver.report.changes import link_of, null_words
from exoliver.report.elements import Heading, Link, Prose, Section, Table, counts, effects, picture, pvalues, texts
from exoliver.report.material import Material
from exoliver.report.naming import (
    MOST_EFFECTS,
    contrast_words,
    effect_words,
    estimable,
    set_order,
    set_titles,
    untimed_words,
)
from exoliver.report.ranks import untested_words
from exoliver.report.summary import summarise_contrasts

MOST_GENES = 12
MOST_PROGRAMMES = 12


def over_time_section(material: Material) -> Section:
    """When and how long, or why that cannot be told."""
    omnibus = [contrast for contrast in estimable(material.contrasts) if contrast.form == "over_time"]
    title = "Which effects, when, how long?"
    if not omnibus:
        finding = f"Not testable: {untimed_words(material.contrasts, material.design['cells'])}."
        return Section("time", title, finding, "Not testable", ())
    summary = summarise_contrasts(material.contrasts, material.tables, fdr=material.fdr)
    parts = [
        f"{count(summary.loc[contrast.id, 'changed'])} for {effect_words(contrast, material.look)}"
        for contrast in omnibus
    ]
    finding = f"Genes whose effect changes with time at a false discovery rate of {material.fdr:g}: {joined(parts)}."
    chosen = [contrast for contrast in omnibus if contrast.kind == "treatment"] or omnibus
    moving = [
        f"{effect_words(c, material.look)} changes with time in {plural(summary.loc[c.id, 'changed'], 'gene')}"
        for c in chosen
    ]
    short = clauses(moving, MOST_EFFECTS, of="effect")
    blocks: list[Any] = [*_programmes(material), *_changes(material, summary)]
    for contrast in omnibus:
        blocks += _genes(material, contrast)
    return Section("time", title, finding, short, tuple(blocks))


def programme_rows(material: Material) -> pd.DataFrame:
    """Scores of the followed programmes in every injury and treatment effect at each time."""
    programmes, times = material.collections[0], material.timepoint_gene_sets
    rows = times[(times["collection"] == programmes.name) & (times["form"] == "at_time")]
    by_effect = {contrast.effect: contrast for contrast in material.contrasts if contrast.kind != "extra"}
    titles = set_titles(rows["gene_set"].unique(), programmes.entry)
    order = {effect: position for position, effect in enumerate(by_effect)}
    rows = rows.assign(
        title=rows["gene_set"].map(titles),
        arm=[by_effect[effect].arm for effect in rows["effect"]],
        kind=[by_effect[effect].kind for effect in rows["effect"]],
        place=rows["gene_set"].map(set_order(rows["gene_set"], programmes.entry)),
        rank=rows["effect"].map(order),
        effect=[effect_words(by_effect[effect], material.look) for effect in rows["effect"]],
    )
    return rows.sort_values(["place", "rank", "time"], kind="stable", ignore_index=True)


def strongest_sets(rows: pd.DataFrame) -> list[str]:
    """The sets with the largest score, in either direction, in any effect at any time; ties by name."""
    size = rows.assign(size=rows["nes"].abs()).dropna(subset=["size"]).groupby("gene_set")["size"].max()
    return size.sort_values(ascending=False, kind="stable").head(MOST_PROGRAMMES).index.tolist()


def _programmes(material: Material) -> list[Any]:
    """The programmes by rank at each time."""
    rows = programme_rows(material)
    if rows.empty:
        return [Prose(("Programmes over time are left out, as there are no gene sets for this organism.",))]
    if untested := untested_words([rows]):
        return [Prose((f"Programmes over time are left out, as none could be tested: {untested}.",))]
    ranked = rows[~rows["gene_set"].isin(panels_of(material.collections[0].entry))]
    shown = strongest_sets(ranked)
    figure = programmes_over_time(ranked[ranked["gene_set"].isin(shown)], material.look, fdr=material.fdr)
    tested = ranked.dropna(subset=["nes"])["gene_set"].nunique()
    chosen = (
        f" The {count(len(shown))} of {count(tested)} with the largest score are shown." if len(shown) < tested else ""
    )
    caption = (
        "Normalised enrichment score of each programme at each time. It says where the genes of a programme stand in "
        "the ranking of all genes: a description, not evidence, since genes of a programme move together. Filled "
        f"points have an adjusted p-value below {material.fdr:g}.{chosen}"
    )
    return [
        Heading("Programmes by rank"),
        picture(figure, caption, more=Link("all scores", "timepoints/gene_sets.tsv")),
    ]


def _changes(material: Material, summary: pd.DataFrame) -> list[Any]:
    """Interaction contrasts and omnibus tests in numbers."""
    chosen = [c for c in estimable(material.contrasts) if c.form in ("change", "any_time", "over_time")]
    rows = summary.loc[[contrast.id for contrast in chosen]]
    columns = (
        texts("Contrast", [contrast_words(c, material.look) for c in chosen], links=[link_of(c) for c in chosen]),
        counts("Tested", rows["tested"]),
        counts("Changed", rows["changed"]),
        counts("Higher", rows["up"]),
        counts("Lower", rows["down"]),
    )
    caption = (
        "Changes of an effect between two times (interaction), and tests of all times at once, in the order of the "
        "arms. Higher means that the effect is larger, or less negative, at the later time."
    ) + null_words(material, has_all_times=True)
    return [Heading("Changes between times"), Table(caption, columns)]


def _genes(material: Material, omnibus: Contrast) -> list[Any]:
    """Genes whose effect changes most with time, their effects side by side."""
    table = material.timepoint_genes
    own = table[(table["effect"] == omnibus.effect) & (table["form"] == "at_time")]
    heading = Heading(f"Genes side by side: {effect_words(omnibus, material.look)}")
    first = own.drop_duplicates("gene_id").sort_values(["over_time_padj", "gene_id"], kind="stable").head(MOST_GENES)
    if first.empty:
        text = f"No gene differs at any time at a false discovery rate of {material.fdr:g}."
        return [heading, Prose((text,))]
    by_time = own.pivot(index="gene_id", columns="time", values="log2_fold_change").loc[first["gene_id"]]
    columns = (
        texts("Gene", first["symbol"].fillna(first["gene_id"])),
        *(effects(f"log2, {time_words(time, material.look.unit)}", by_time[time]) for time in by_time.columns),
        pvalues("Changes with time, adjusted p", first["over_time_padj"]),
    )
    moving = int((first["over_time_padj"] < material.fdr).sum())
    smallest = p_words(first["over_time_padj"].min(), "smallest")
    doubt = f"of those shown, {count(moving)} are below {material.fdr:g}"
    if not moving:
        doubt = f"none is below {material.fdr:g} ({smallest}), so that no effect is shown to change"
    caption = (
        f"log2 fold changes at each time of the {count(len(first))} genes with the smallest p-value for a change with "
        f"time, out of {count(own['gene_id'].nunique())} that differ at some time; {doubt}."
    )
    return [heading, Table(capital(caption), columns, more=Link("all of them", "timepoints/genes.tsv"))]
