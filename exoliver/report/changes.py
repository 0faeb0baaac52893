"""What changed: every contrast in numbers, and the genes of the main ones."""

from __future__ import annotations

from typing import Any

import pandas as pd

from exoliver.contrasts import Contrast
from exoliver.figures.gene_of_interest import gene_of_interest
from exoliver.figures.volcano import volcano
from exoliver.figures.words import NOTHING, beyond, clauses, count, estimate, fold, joined, plural
from exoliver.report.elements import (
    Column,
    Heading,
    Link,
    Prose,
    Row,
    Section,
    Table,
    counts,
    effects,
    numbers,
    picture,
    pvalues,
    texts,
)
from exoliver.report.material import Material
from exoliver.report.naming import (
    MOST_EFFECTS,
    arm_words,
    averaged_words,
    contrast_words,
    estimable,
    kind_words,
    leading,
    main_contrasts,
)
from exoliver.report.summary import REASONS, changed_at_some_time, summarise_contrasts, tally

TOP_GENES = 20
ABOUT_ZERO = 0.005  # log2; shown as 0.00
MOSTLY = 0.5  # share of genes from which on that is said
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
    more = f" by more than {beyond(material.threshold)}" if material.threshold else ""
    finding = f"Genes that change{more} at a {rate}: {'; '.join(parts)}." if parts else NOTHING_ESTIMATED
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
    null = ", against no change" if material.threshold else ""
    return text if at_some is None else f"{text} (at some time{null}: {count(at_some)})"


def _short(material: Material, main: list[Contrast], summary: pd.DataFrame) -> str:
    """The finding in a few words."""
    if not main:
        return "Nothing can be estimated"
    effects, parts = leading(material.contrasts), []
    for contrast in effects:
        found = tally(summary, contrast, threshold=material.threshold)
        name = contrast_words(contrast, material.look) if len(effects) == 1 else arm_words(contrast, material.look)
        parts.append(f"{plural(found.genes, 'gene')} in {name} {found.when}".strip())
    return clauses(parts, MOST_EFFECTS, of="effect")


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
        f"of all times at once have no direction.{null_words(material, has_all_times=True)} Names link the full tables."
    )
    return Table(caption, columns)


def null_words(material: Material, *, has_all_times: bool = False) -> str:
    """What p-values and intervals are of, where the study asks for more than a change; opens with a blank."""
    if not material.threshold:
        return ""
    all_times = (
        ", those of all times at once for any change" if has_all_times else "; intervals are around the estimate"
    )
    return f" p-values are for a change by more than {beyond(material.threshold)}{all_times}."


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
    table = table.assign(size=table["shrunk_log2_fold_change"].abs()).sort_values(
        ["pvalue", "size", "gene_id"], ascending=[True, False, True], kind="stable"
    )
    rows = table.head(TOP_GENES)
    changed = int((table["padj"] < material.fdr).sum())
    doubt = (
        f"{plural(changed, 'gene')} below {material.fdr:g}."
        if changed
        else f"no gene is below {material.fdr:g}, so that the order is no evidence."
    )
    caption = (
        f"The {count(len(rows))} smallest p-values of {count(len(table))}, smallest first; {doubt}{_shrunken(table)}"
    )
    return [Heading(title), gene_table(rows, caption + null_words(material), more=Link("all genes", link_of(contrast)))]


def _shrunken(table: pd.DataFrame) -> str:
    """What the shrunken fold changes are for; and not for, where the prior is so narrow that it keeps or drops them."""
    dropped = int((table["shrunk_log2_fold_change"].abs() < ABOUT_ZERO).sum())
    if dropped < MOSTLY * len(table):
        return " Shrunken values pull what the counts hardly support towards zero: compare sizes of effects by them."
    return (
        f" Shrunken values are about zero for {count(dropped)} genes, as over all genes the estimates spread hardly "
        "wider than their standard errors explain: that one is kept or dropped says little of the size of its effect."
    )


def gene_table(rows: pd.DataFrame, caption: str, *, more: Link | None) -> Table:
    """Genes with their effect, its interval and its evidence."""
    half = HALF_WIDTH * rows["lfc_se"]
    value = rows["log2_fold_change"]
    shown = tuple(estimate(*own, high=high) for *own, high in zip(value, value - half, value + half, strict=True))
    names = rows["symbol"].fillna(rows["gene_id"])
    columns: list[Column] = [
        texts("Gene", names),
        numbers("Mean count", rows["base_mean"]),
        Column("log2 fold change (95 % interval)", shown, is_number=True),
        Column("Fold", tuple(fold(value) for value in rows["log2_fold_change"]), is_number=True),
        effects("Shrunken log2", rows["shrunk_log2_fold_change"]),
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
