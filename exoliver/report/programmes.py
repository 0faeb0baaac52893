"""Which programmes change: effects with intervals, and what else might lie behind them."""

from __future__ import annotations

from typing import Any

import pandas as pd

from exoliver.contrasts import Contrast
from exoliver.figures.programme_tiles import programme_tiles
from exoliver.figures.words import clauses, count, estimate, joined, lowered, number, plural
from exoliver.report.benefit import WANTED, benefits_of
from exoliver.report.changes import effect_cells
from exoliver.report.elements import (
    Column,
    Link,
    Picture,
    Prose,
    Section,
    Table,
    numbers,
    picture,
    pvalues,
    texts,
)
from exoliver.report.evidence import asides, untested_words
from exoliver.report.headline import changing_at_some_time, programmes_at_some_time
from exoliver.report.material import Material
from exoliver.report.naming import (
    BENEFITS,
    MOST_EFFECTS,
    arm_words,
    contrast_words,
    estimable,
    leading,
    main_contrasts,
    set_titles,
)
from exoliver.report.summary import in_words
from exoliver.report.tiles import chosen_programmes, effect_rows, shown_contrasts

TITLE = "Which programmes change?"
KINDS = ("injury", "treatment", "product_on_healthy")
TILES = 18  # programmes of the picture by p-value: with those that are wanted, and headings, they fit a screen
TOP = 15
HOW = (
    "A programme is the mean expression of its genes in each sample; its effect is that of a linear model on the "
    "dataset's own design, with variances drawn towards those of all sets. Samples are the unit of evidence, so that "
    "genes that move together do not count as many. 1 is a doubling of the mean expression of all members."
)
NOT_MIXTURE = "Change not explained by the cell mixture"


def programmes_section(material: Material) -> Section:
    """Effects on the programmes in every main contrast, or why there are none."""
    contrasts = estimable(main_contrasts(material.contrasts))
    if material.programmes.effects.empty:
        finding = f"Left out, because no gene sets are shipped for {material.facts['organism']}."
        return Section("programmes", TITLE, finding, "Left out: no gene sets", ())
    if untested := untested_words(material.effects_of(contrast) for contrast in contrasts):
        return Section("programmes", TITLE, f"Not testable: {untested}.", "Not testable", ())
    blocks: list[Any] = [Prose((HOW,)), *(_table(material, contrast) for contrast in contrasts)]
    return Section("programmes", TITLE, _finding(material), _short(material), tuple(blocks))


def _finding(material: Material) -> str:
    """The programmes of each effect that the page speaks of."""
    effects = leading(material.contrasts)
    parts = [f"{contrast_words(one, material.look)}: {programmes_at_some_time(material, one)}" for one in effects]
    return f"{clauses(parts, MOST_EFFECTS, of='effect')} (false discovery rate {material.fdr:g})."


def _short(material: Material) -> str:
    """How many programmes change in each of these effects."""
    parts = []
    for contrast in leading(material.contrasts):
        effects = material.effects_of(contrast)
        told = effects[~effects["programme"].isin(asides(material.collections[0].entry))]
        amount, at_some = int((told["padj"] < material.fdr).sum()), changing_at_some_time(material, contrast)
        more = f", {count(at_some)} at some time" if at_some is not None and at_some != amount else ""
        parts.append(f"{plural(amount, 'programme')} with {arm_words(contrast, material.look)}{more}")
    return clauses(parts, MOST_EFFECTS, of="effect")


def _table(material: Material, contrast: Contrast) -> Table:
    """The surest programmes of one contrast, with what weakens them."""
    entry, effects = material.collections[0].entry, material.effects_of(contrast)
    tested = effects.dropna(subset=["pvalue"])
    rows = tested.sort_values(["pvalue", "programme"], kind="stable").head(TOP)
    titles = set_titles(rows["programme"], entry)
    benefit = benefits_of(entry, material.facts)
    is_adjusted = rows["estimate_adjusted"].notna().any()
    columns: tuple[Column, ...] = (
        texts("Programme", [titles[name] for name in rows["programme"]]),
        texts("Wanted", [BENEFITS.get(benefit.get(name, "depends"), "") for name in rows["programme"]]),
        Column("log2 effect (95 % interval)", effect_cells(rows), is_number=True),
        pvalues("Adjusted p", rows["padj"]),
        pvalues("Against other genes, p", rows["camera_pvalue"]),
        numbers("Share of the top gene", rows["top_gene_share"]),
        *([Column(NOT_MIXTURE, _adjusted_cells(rows), is_number=True)] if is_adjusted else []),
        texts("Note", rows["note"].map(in_words)),
    )
    sure = int((tested["padj"] < material.fdr).sum())
    caption = (
        f"{contrast_words(contrast, material.look)}: {count(sure)} of {plural(len(tested), 'programme')} tested, "
        "markers of cells and nuisances among them, have an adjusted p-value below "
        f"{material.fdr:g}; the {count(len(rows))} with the smallest p-value."
    )
    return Table(caption + _mixture_words(rows), columns, more=Link("all effects", "programmes/effects.tsv"))


def _mixture_words(rows: pd.DataFrame) -> str:
    """How well the mixture was held constant for these programmes; empty where it was not."""
    known = rows.dropna(subset=["mixture_components"])
    if known.empty:
        return ""
    components, share = int(known["mixture_components"].min()), float(known["mixture_share"].min())
    return (
        f" The cell mixture was held constant by {plural(components, 'component')} or more of marker scores, which "
        f"hold {number(100 * share)} % or more of their variance."
    )


def _adjusted_cells(rows: pd.DataFrame) -> tuple[str, ...]:
    """Adjusted effects with their intervals; empty for cell types themselves."""
    return tuple(
        ""
        if pd.isna(row.estimate_adjusted)
        else estimate(row.estimate_adjusted, row.adjusted_low, high=row.adjusted_high)
        for row in rows.itertuples()
    )


def tile_rows(material: Material) -> pd.DataFrame:
    """Effects at each time of the surest programmes and of those with a wanted direction: columns `tiles.COLUMNS`."""
    rows = effect_rows(
        material.programmes.effects,
        shown_contrasts(material.contrasts, KINDS),
        entry=material.collections[0].entry,
        facts=material.facts,
        look=material.look,
    )
    return rows[rows["programme"].isin(chosen_programmes(rows, TILES))].sort_values(
        "place", kind="stable", ignore_index=True
    )


def answer_picture(material: Material) -> Picture | None:
    """The programmes in every effect and time, for the place beside the answer; None without a number."""
    rows = tile_rows(material)
    if not rows["value"].notna().any():
        return None
    figure = programme_tiles(rows, material.look, name="answer", title="Effects on programmes", fdr=material.fdr)
    caption = (
        "log2 effects on the programmes with the smallest p-values; the larger the tile, the surer the effect. "
        f"{judged_words(rows)} Grey is neither. Triangles point up where an effect with evidence is raised and down "
        "where it is lowered."
    )
    return picture(figure, caption)


def judged_words(rows: pd.DataFrame) -> str:
    """Which programmes of a picture have a direction that is wanted."""
    judged = list(rows.loc[rows["benefit"].isin(list(WANTED)), "title"].drop_duplicates())
    if not judged:
        return "No programme of these has a direction that is wanted, and so a colour of benefit or harm."
    has = "have" if len(judged) > 1 else "has"
    named = joined(lowered(title) for title in judged)
    return f"Only {named} {has} a direction that is wanted, and so a colour of benefit or harm."
