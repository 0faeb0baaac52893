"""What changed: every contrast in numbers, and the genes of the main ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from exoliver.contrasts import Contrast
from exoliver.figures.contrast_overlap import MOST_PATTERNS, contrast_overlap, pattern_words
from exoliver.figures.gene_of_interest import gene_of_interest
from exoliver.figures.ma_plot import ma_plot
from exoliver.figures.volcano import volcano
from exoliver.figures.words import NOTHING, beyond, capital, clauses, count, estimate, fold, joined, plural
from exoliver.overlap import Pattern, find_patterns
from exoliver.report.elements import (
    Column,
    Folded,
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
    averaged,
    averaged_words,
    contrast_words,
    estimable,
    kind_words,
    leading,
    main_contrasts,
)
from exoliver.report.summary import REASONS, changed_at_some_time, summarise_contrasts, tally

TOP_GENES = 20
MOST_OVERLAPS = 8  # contrasts in one picture of their overlap
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
    first = tuple(block for contrast in main for block in _top(material, contrast))
    blocks = (
        summary_table(material, summary),
        *_pictures(material, main),
        *overlap_blocks(material, main),
        *([Folded("The first genes of each contrast", first)] if first else []),
        *_of_interest(material),
    )
    return Section("changes", "What changed?", finding, _short(material, main, summary), blocks)


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


def _pictures(material: Material, main: list[Contrast]) -> list[Any]:
    """A volcano plot and an MA plot for each main contrast, those that the answer does not speak of behind a fold."""
    rows: dict[bool, list[Row]] = {True: [], False: []}
    spoken = [*averaged(material.contrasts, "injury"), *leading(material.contrasts)]
    for contrast in main:
        table, title = material.tables[contrast.id], contrast_words(contrast, material.look)
        shared: dict[str, Any] = {"contrast": contrast.id, "title": title, "fdr": material.fdr}
        average = averaged_words(contrast, material.look)
        gene = f"a gene, {average}" if average else "a gene"
        by_evidence = f"Each point is {gene}; orange is higher, blue lower, below the false discovery rate."
        changed, tested = int((table["padj"] < material.fdr).sum()), int(table["pvalue"].notna().sum())
        by_mean = (
            "The same effects against the mean count; a cloud that is not level would speak of normalisation. The dark "
            "line is the running median over genes in the order of their means. Where "
            f"genes cover each other the coloured ones are drawn: they are {count(changed)} of {count(tested)}."
        )
        more = Link("the full table", link_of(contrast))
        pair = (
            picture(volcano(table, material.look, **shared), by_evidence, more=more),
            picture(ma_plot(table, material.look, **shared), by_mean),
        )
        rows[contrast in spoken].append(Row(pair))
    further = [Folded("Further contrasts: effect, evidence and expression", tuple(rows[False]))] if rows[False] else []
    return [Heading("Effect, evidence and expression"), *rows[True], *further] if main else []


def overlap_blocks(material: Material, main: list[Contrast]) -> list[Any]:
    """Which genes change in several of the contrasts; nothing where fewer than two of them have any."""
    hits = [contrast for contrast in main if (material.tables[contrast.id]["padj"] < material.fdr).any()]
    if len(hits) < 2:
        return []
    shown = hits[:MOST_OVERLAPS]
    words = [contrast_words(contrast, material.look) for contrast in shown]
    names = [
        name if words.count(name) == 1 else f"{name} ({contrast.id})"
        for name, contrast in zip(words, shown, strict=True)
    ]
    patterns = find_patterns(material.tables, [contrast.id for contrast in shown], fdr=material.fdr)
    figure = contrast_overlap(patterns, material.look, names=names, fdr=material.fdr)
    parts = [
        "Each column holds the genes that change in exactly the contrasts with a triangle, higher (up) or lower (down) "
        "in each; no gene is in two columns.",
        f"The first {count(MOST_PATTERNS)} of {plural(len(patterns), 'column')} are drawn."
        if len(patterns) > MOST_PATTERNS
        else "",
        f"Of {plural(len(hits), 'contrast')} with such genes the first {count(len(shown))} are compared."
        if len(hits) > len(shown)
        else "",
        "That a gene is in one contrast alone may be a matter of power, no evidence that the contrasts differ; and "
        "contrasts that have an arm in common overlap, or oppose each other, more than independent ones would.",
    ]
    caption = " ".join(filter(None, parts))
    return [Heading("Overlap of contrasts"), Prose((overlap_words(patterns, names),)), picture(figure, caption)]


def overlap_words(patterns: Sequence[Pattern], names: Sequence[str]) -> str:
    """The largest group of genes that several contrasts share, and how many genes go opposite ways in two.

    Parameters
    ----------
    patterns
        Of `find_patterns`.
    names
        The contrasts in words, in the order of the signs.
    """
    several = [one for one in patterns if one.contrasts > 1]
    total = sum(one.genes for one in patterns)
    if not several:
        return f"None of the {plural(total, 'gene')} that change does so in more than one contrast."
    shared = sum(one.genes for one in several)
    largest, opposed = several[0], sum(one.genes for one in several if one.is_opposed)
    agree = (
        f"{count(opposed)} of them are higher in one contrast and lower in another, which is no agreement."
        if opposed
        else "Each of them goes the same way in all contrasts in which it changes."
    )
    return capital(
        f"{count(shared)} of {plural(total, 'gene')} that change do so in more than one contrast; the largest group, "
        f"{plural(largest.genes, 'gene')}, is {pattern_words(largest, names)}. {agree}"
    )


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
