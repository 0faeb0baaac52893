"""Over time: effects at each time side by side, their changes, and the courses of the programmes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from exoliver.contrasts import FOLLOWED, Contrast
from exoliver.figures.programmes_over_time import programmes_over_time
from exoliver.figures.style import time_words
from exoliver.figures.words import capital, clauses, count, joined, p_words, plural
from exoliver.report.changes import link_of, null_words
from exoliver.report.courses import course_rows, course_words, shift_words
from exoliver.report.elements import (
    Column,
    Heading,
    Link,
    Prose,
    Section,
    Table,
    counts,
    effects,
    picture,
    pvalues,
    texts,
)
from exoliver.report.evidence import asides, untested_words
from exoliver.report.material import Material
from exoliver.report.naming import (
    MOST_EFFECTS,
    contrast_words,
    effect_words,
    estimable,
    has_injury,
    set_order,
    set_titles,
    untimed_words,
)
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
    """Effects on the followed programmes of injury and treatment at each time, in the order of the collection."""
    chosen = {contrast.id: contrast for contrast in estimable(material.contrasts)}
    chosen = {name: one for name, one in chosen.items() if one.form == "at_time" and one.kind in FOLLOWED}
    rows, entry = material.programmes.effects, material.collections[0].entry
    rows = rows[rows["contrast"].isin(chosen)]
    own = [chosen[name] for name in rows["contrast"]]
    place = {name: position for position, name in enumerate(chosen)}
    rows = rows.assign(
        title=rows["programme"].map(set_titles(rows["programme"], entry)),
        arm=[contrast.arm for contrast in own],
        kind=[contrast.kind for contrast in own],
        time=[contrast.times[0] for contrast in own],
        effect=[effect_words(contrast, material.look) for contrast in own],
        place=rows["programme"].map(set_order(rows["programme"], entry)),
        rank=rows["contrast"].map(place),
    )
    return rows.sort_values(["place", "rank"], kind="stable", ignore_index=True)


def surest_programmes(rows: pd.DataFrame, entry: Mapping[str, Any]) -> list[str]:
    """Programmes with the smallest p-value of any effect at any time, those that tell of no answer left out."""
    told = rows[~rows["programme"].isin(asides(entry))].dropna(subset=["pvalue"])
    smallest = told.groupby("programme")["pvalue"].min().sort_values(kind="stable")
    return smallest.head(MOST_PROGRAMMES).index.tolist()


def _programmes(material: Material) -> list[Any]:
    """Effects on the programmes at each time, and their courses."""
    rows, entry = programme_rows(material), material.collections[0].entry
    if rows.empty:
        return [Prose(("Programmes over time are left out, as there are no gene sets for this organism.",))]
    if untested := untested_words([rows]):
        return [Prose((f"Programmes over time are left out, as none could be tested: {untested}.",))]
    shown = surest_programmes(rows, entry)
    figure = programmes_over_time(rows[rows["programme"].isin(shown)], material.look, fdr=material.fdr)
    tested = rows.dropna(subset=["pvalue"])["programme"].nunique()
    chosen = (
        f" The {count(len(shown))} of {count(tested)} with the smallest p-value are shown."
        if len(shown) < tested
        else ""
    )
    dashed = " The injury is dashed, in the colour of the injured arm." if has_injury(material.facts) else ""
    caption = (
        "Effect on each programme at each time with its 95 % interval: 1 is a doubling of the mean expression of its "
        f"members. Filled points have an adjusted p-value below {material.fdr:g} (moderated t-test of the programme's "
        f"score, adjusted over the programmes of one effect at one time). All "
        f"panels share one scale, unless the line below the title names one that has its own.{dashed}{chosen}"
    )
    return [
        Heading("Programmes"),
        picture(figure, caption, more=Link("all effects", "programmes/effects.tsv")),
        *_courses(material),
    ]


HOW_NAMED = (
    "Sustained courses have evidence at the first and the last time; early and late ones differ by more than chance "
    "from the time at which they are not there; others stay open. Times are tested within a programme (Holm), points "
    "and tiles across programmes: a course may count a time whose point is open."
)


def _courses(material: Material) -> list[Any]:
    """Trajectory of every programme that changes at some time, effect by effect."""
    blocks: list[Any] = []
    for contrast in [one for one in estimable(material.contrasts) if one.form == "any_time"]:
        rows = course_rows(material, contrast)
        told = rows[rows["class"].notna() & ~rows["class"].isin(["", "none"])]
        effect = effect_words(contrast, material.look)
        if told.empty:
            continue
        columns = (
            texts("Programme", told["title"]),
            texts("Course", [course_words(row, material.look) for _, row in told.iterrows()]),
            texts("First", [time_words(time, material.look.unit) for time in told["onset"]]),
            texts("Peak", [time_words(time, material.look.unit) for time in told["peak"]]),
            *_gained(told, material),
            pvalues("Any time, adjusted p", told["padj"]),
            pvalues("Changes with time, adjusted p", _moving(material, contrast, told["programme"])),
        )
        caption = (
            f"{effect}: courses of the {plural(len(told), 'programme')} that change at some time, of "
            f"{count(len(rows))}, markers of cells and nuisances among them. {HOW_NAMED}"
        )
        blocks.append(Table(caption, columns, more=Link("all courses", "programmes/trajectories.tsv")))
    return blocks


def _moving(material: Material, contrast: Contrast, programmes: pd.Series) -> pd.Series:
    """Adjusted p-value that the effect on each programme changes with time."""
    rows = material.programmes.changes
    own = rows[rows["contrast"] == f"{contrast.effect}__over_time"].set_index("programme")["padj"]
    return programmes.map(own)


def _gained(told: pd.DataFrame, material: Material) -> list[Column]:
    """The time that the treatment gains, where it is known of any programme."""
    words = [shift_words(row, material.look) for _, row in told.iterrows()]
    return [texts("Time gained (95 % interval)", words)] if any(words) else []


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
