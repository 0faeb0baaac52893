"""What changed: every contrast in numbers, and the genes of the main ones."""

from __future__ import annotations

from typing import Any

import pandas as pd

from exoliver.contrasts import Contrast
from exoliver.figures.gene_of_interest import gene_of_interest
from exoliver.figures.volcano import volcano
from exoliver.figures.words import NOTHING, count, estimate, fold, joined, plural
from exoliver.report.elements import (
    Column,
    Heading,
    Link,
    Prose,
    Row,
    Section,
    Table,
    counts,
    numbers,
    picture,
    pvalues,
    texts,
)
from exoliver.report.material import Material
from exoliver.report.naming import averaged_words, contrast_words, estimable, kind_words, main_contrasts
from exoliver.report.summary import REASONS, changed_at_some_time, summarise_contrasts

TOP_GENES = 20
NOTHING_ESTIMATED = "No contrast can be estimated with these samples."
REASONS_IN_WORDS = {
    "not_measured": "not counted",
    "filtered": "too few counts",
    "all_zero": "no counts",
    "missing_cell": "not testable",
}
HALF_WIDTH = 1.959964  # standard errors on either side of a 95 % normal interval


def changes_section(material: Material) -> Section:
    """Numbers of every contrast, volcano plots, the first genes, and the genes that were asked for."""
    summary = summarise_contrasts(material.contrasts, material.tables, fdr=material.fdr)
    main = estimable(main_contrasts(material.contrasts))
    parts = [_changed(material, contrast, summary) for contrast in main]
    rate = f"false discovery rate of {material.fdr:g}"
    finding = f"Genes that change at a {rate}: {'; '.join(parts)}." if parts else NOTHING_ESTIMATED
    blocks = [summary_table(material, summary), *_volcanoes(material, main)]
    for contrast in main:
        blocks += _top(material, contrast)
    return Section(
        "changes", "What changed?", finding, _short(material, main, summary), (*blocks, *_of_interest(material))
    )


def _changed(material: Material, contrast: Contrast, summary: pd.DataFrame) -> str:
    """Genes that change in one contrast, averaged over times and at some time."""
    at_some = changed_at_some_time(summary, contrast)
    text = f"{count(summary.loc[contrast.id, 'changed'])} in {contrast_words(contrast, material.look)}"
    return text if at_some is None else f"{text} (at some time: {count(at_some)})"


def _short(material: Material, main: list[Contrast], summary: pd.DataFrame) -> str:
    """The finding in a few words."""
    if not main:
        return "Nothing can be estimated"
    chosen = next((contrast for contrast in main if contrast.kind == "treatment"), main[0])
    at_some = changed_at_some_time(summary, chosen)
    changed = plural(summary.loc[chosen.id, "changed"] if at_some is None else at_some, "gene")
    return f"{changed} in {contrast_words(chosen, material.look)}{'' if at_some is None else ' at some time'}"


def link_of(contrast: Contrast) -> str:
    """Path of a contrast's table from the page."""
    return f"contrasts/{contrast.id}.tsv"


def summary_table(material: Material, summary: pd.DataFrame) -> Table:
    """Every contrast with its numbers, linked to its file."""
    contrasts = list(material.contrasts)
    reasons = [
        counts(reason.replace("_", " ").capitalize(), summary[reason]) for reason in REASONS if summary[reason].any()
    ]
    columns = (
        texts(
            "Contrast",
            [contrast_words(contrast, material.look) for contrast in contrasts],
            links=[link_of(contrast) for contrast in contrasts],
        ),
        texts("Asks for", [kind_words(contrast, material.facts) for contrast in contrasts]),
        counts("Tested", summary["tested"]),
        counts("Changed", summary["changed"]),
        counts("Higher", summary["up"]),
        counts("Lower", summary["down"]),
        *reasons,
        texts("Note", summary["note"]),
    )
    caption = (
        f"Every contrast, in the order of the arms; changed means an adjusted p-value below {material.fdr:g}. Tests "
        "of all times at once have no direction. Names link the full tables."
    )
    return Table(caption, columns)


def _volcanoes(material: Material, main: list[Contrast]) -> list[Any]:
    """A volcano plot for each main contrast."""
    pictures = []
    for contrast in main:
        title = contrast_words(contrast, material.look)
        figure = volcano(
            material.tables[contrast.id], material.look, contrast=contrast.id, title=title, fdr=material.fdr
        )
        average = averaged_words(contrast, material.look)
        gene = f"a gene, {average}" if average else "a gene"
        caption = f"Each point is {gene}; orange is higher, blue lower, below the false discovery rate."
        pictures.append(picture(figure, caption, more=Link("the full table", link_of(contrast))))
    return [Heading("Effect and evidence"), Row(tuple(pictures))] if pictures else []


def _top(material: Material, contrast: Contrast) -> list[Any]:
    """The genes with the smallest p-values."""
    table = material.tables[contrast.id].dropna(subset=["pvalue"])
    title = f"First genes: {contrast_words(contrast, material.look)}"
    if table.empty:
        return [Heading(title), Prose(("No gene has a p-value.",))]
    table = table.assign(size=table["log2_fold_change"].abs()).sort_values(
        ["pvalue", "size", "gene_id"], ascending=[True, False, True], kind="stable"
    )
    rows = table.head(TOP_GENES)
    changed = int((table["padj"] < material.fdr).sum())
    doubt = (
        f"{plural(changed, 'gene')} below {material.fdr:g}."
        if changed
        else f"no gene is below {material.fdr:g}, so that the order is no evidence."
    )
    caption = f"The {count(len(rows))} smallest p-values of {count(len(table))}, smallest first; {doubt}"
    return [Heading(title), gene_table(rows, caption, more=Link("all genes", link_of(contrast)))]


def gene_table(rows: pd.DataFrame, caption: str, *, more: Link | None) -> Table:
    """Genes with their effect, its interval and its evidence."""
    half = HALF_WIDTH * rows["lfc_se"]
    effects = zip(
        rows["log2_fold_change"], rows["log2_fold_change"] - half, rows["log2_fold_change"] + half, strict=True
    )
    shown = tuple(estimate(value, low, high=high) for value, low, high in effects)
    names = rows["symbol"].fillna(rows["gene_id"])
    columns: list[Column] = [
        texts("Gene", names),
        numbers("Mean count", rows["base_mean"]),
        Column("log2 fold change (95 % interval)", shown, is_number=True),
        Column("Fold", tuple(fold(value) for value in rows["log2_fold_change"]), is_number=True),
        pvalues("p", rows["pvalue"]),
        pvalues("Adjusted p", rows["padj"]),
    ]
    notes = rows["note"].fillna("").str.replace("_", " ")
    return Table(caption, (*columns, *([texts("Note", notes)] if (notes != "").any() else [])), more=more)


def _of_interest(material: Material) -> list[Any]:
    """The genes that the study follows one by one."""
    asked = list(material.settings["genes_of_interest"])
    if not asked:
        return []
    found = [name for name in asked if len(material.genes.get(name, ())) > 0]
    lost = [name for name in asked if name not in found]
    pictures = []
    for name in found:
        figure = gene_of_interest(material.genes[name], material.look, gene=name)
        caption = "Each point is a sample, the line the median of its group. Zero counts are drawn at one half."
        pictures.append(picture(figure, caption, more=Link("every sample", f"genes/{name}.tsv")))
    text = f"No gene of this name is counted in this dataset: {joined(lost)}." if lost else ""
    return [
        Heading("Genes asked for"),
        *([Row(tuple(pictures))] if pictures else []),
        *([Prose((text,))] if text else []),
    ]


def effect_cells(table: pd.DataFrame) -> tuple[str, ...]:
    """Estimates with intervals; where there is none, why."""
    return tuple(
        _reason(row.note) if pd.isna(row.estimate) else estimate(row.estimate, row.ci_low, high=row.ci_high)
        for row in table.itertuples()
    )


def _reason(note: object) -> str:
    """Why a gene has no effect, in words."""
    text = "" if pd.isna(note) else str(note)
    return next((words for name, words in REASONS_IN_WORDS.items() if name in text), NOTHING)
