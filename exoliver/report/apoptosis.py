"""The apoptosis machinery: each gene in the order of the pathway, the balances, and what mRNA cannot tell."""

from __future__ import annotations

from typing import Any

import pandas as pd

from exoliver.contrasts import Contrast
from exoliver.figures.balances_over_time import balances_over_time
from exoliver.figures.panel_forest import panel_forest
from exoliver.figures.words import capital, clauses, count, estimate, joined, plural
from exoliver.panel import LEVEL, MITOSIS_SCORE, SURVIVIN
from exoliver.report.changes import effect_cells, null_words
from exoliver.report.elements import (
    Bullets,
    Column,
    Heading,
    Link,
    Prose,
    Section,
    Table,
    effects,
    picture,
    pvalues,
    texts,
)
from exoliver.report.material import Material
from exoliver.report.naming import (
    BALANCES,
    MOST_EFFECTS,
    averaged,
    effect_words,
    is_cultured,
    leading,
    side_by_side,
    when_words,
)
from exoliver.report.summary import in_words, summarise_contrasts

STEPS = {
    "death_receptor": "Death receptors and survival signals",
    "bcl2_guardian": "BCL2 family: guardians",
    "bcl2_effector": "BCL2 family: effectors",
    "bh3_only": "BCL2 family: BH3-only sensors",
    "mitochondrion": "Mitochondrion and apoptosome",
    "caspase": "Caspases",
    "iap": "Inhibitors of apoptosis (IAP)",
    "mitosis": "Mitosis",
    "pyroptosis": "Pyroptosis",
    "own": "Named by the study",
}
ROLES = {"anti": "survival", "pro": "death"}
COMPARTMENTS = {"lymphocyte_cholangiocyte": "lymphocytes, cholangiocytes", "all_cells": "all cells"}
OF_TISSUE = (
    "BCL2 in liver is read mostly from lymphocytes and cholangiocytes; BCL2 over BAX is shown because it is often "
    "asked for."
)
LIMITS = (
    "Splice forms have one count: Bcl-xL cannot be told from Bcl-xS, Mcl-1L from Mcl-1S, or cFLIP-L from cFLIP-S.",
    "mRNA is not protein: the BCL2 family acts by phosphorylation, place and partners, MCL1 protein by its half-life.",
    OF_TISSUE,
    "BIRC5 (survivin) follows mitosis: it stands in its own row and in no balance.",
    "Caspase mRNA is not caspase activity: caspases are cut, not made. They are shown and not scored.",
    "BIRC3, BCL2A1 and TNFAIP3 are targets of NF-κB, and BAX, BBC3, PMAIP1, FAS and TNFRSF10B of p53: a balance with "
    "them may speak of these pathways.",
)
KINDS = ("injury", "treatment", "product_on_healthy")


def apoptosis_section(material: Material) -> Section:
    """Genes, balances and limits; or why there are none."""
    title = "The apoptosis machinery"
    averages = averaged(material.contrasts, *KINDS)
    if material.panel_genes.empty or not averages:
        reason = (
            f"no gene of the panel is known for {material.facts['organism']}"
            if material.panel_genes.empty
            else "no effect of an injury or a product can be estimated"
        )
        return Section("apoptosis", title, f"Left out, because {reason}.", "Left out", ())
    rows = panel_rows(material, averages)
    finding, short = _finding(material, rows)
    blocks = (
        *_table(material, averages),
        *_forest(material, rows),
        *_survivin(material, averages),
        *_balances(material),
        *_limits(material),
    )
    return Section("apoptosis", title, finding, short, blocks)


def _finding(material: Material, rows: pd.DataFrame) -> tuple[str, str]:
    """How many genes change in each of the effects that the page speaks of; in full, and in a few words."""
    labels, effects = material.look.labels, leading(material.contrasts)
    summary = summarise_contrasts(effects, material.tables, fdr=material.fdr)
    parts, shorts, alone, most = [], [], 0, 0
    for contrast in effects:
        own = rows[rows["contrast"] == contrast.id].dropna(subset=["estimate"])
        sure, apart = own[own["padj"] < material.fdr], own[(own["ci_low"] > 0) | (own["ci_high"] < 0)]
        up, down = int((sure["estimate"] > 0).sum()), int((sure["estimate"] < 0).sum())
        alone, most = max(alone, len(apart)), max(most, len(own))
        note = summary.loc[contrast.id, "note"]
        genes = plural(len(own), "apoptosis gene")
        text = f"{labels[contrast.arm]} raises {count(up)} and lowers {count(down)} of {genes}"
        parts.append(f"{text} against {labels[contrast.base]}{f' ({note})' if note else ''}")
        shorts.append(f"{labels[contrast.arm]}: {count(up)} up, {count(down)} down of {count(len(own))}")
    chance = f"chance alone would give about {count(round((1 - LEVEL) * most))}"
    doubt = f"p adjusted over the panel, below {material.fdr:g}; taken one by one, 95 % intervals of {count(alone)} "
    doubt += f"{'at most ' if len(effects) > 1 else ''}leave out zero, where {chance}"
    return f"{clauses(parts, MOST_EFFECTS, of='effect')} ({doubt}).", clauses(shorts, MOST_EFFECTS, of="effect")


def panel_rows(material: Material, effects: list[Contrast]) -> pd.DataFrame:
    """Every panel gene in every effect, in pathway order: gene, step, role, contrast, effect, arm and the estimates."""
    facts = material.panel_genes.drop_duplicates("symbol").set_index("symbol")
    rows = material.panel[(material.panel["kind"] != "balance") & material.panel["item"].isin(facts.index)]
    by_id = {contrast.id: contrast for contrast in effects}
    rows = rows[rows["contrast"].isin(by_id)]
    steps = facts["step"].reindex(rows["item"]).map(lambda step: STEPS.get(step, capital(str(step).replace("_", " "))))
    return rows.assign(
        gene=rows["item"].astype(str),
        step=steps.to_numpy(),
        effect=[effect_words(by_id[name], material.look) for name in rows["contrast"]],
        arm=[by_id[name].arm for name in rows["contrast"]],
    ).reset_index(drop=True)


def _table(material: Material, chosen: list[Contrast]) -> list[Any]:
    """The schematic table in pathway order: averaged effects with intervals, then the treatment at each time."""
    genes = material.panel_genes.drop_duplicates("symbol").reset_index(drop=True)
    symbols = genes["symbol"].tolist()
    by_contrast = material.panel.drop_duplicates(["contrast", "item"]).set_index(["contrast", "item"])
    columns: list[Column] = [
        texts("Gene", symbols),
        texts("Side", [ROLES.get(role, role) for role in genes["role"]]),
        *(
            []
            if is_cultured(material.facts)
            else [texts("Read from", [_compartment(name) for name in genes["compartment"]])]
        ),
    ]
    for contrast in chosen:
        own = by_contrast.loc[contrast.id].reindex(symbols)
        columns.append(
            Column(f"{effect_words(contrast, material.look)} (95 % interval)", effect_cells(own), is_number=True)
        )
        columns.append(pvalues("Adjusted p", own["padj"]))
    for contrast in side_by_side(material.contrasts, ("treatment",)):
        if contrast.form == "at_time":
            own = by_contrast.loc[contrast.id].reindex(symbols)
            columns.append(
                effects(f"{material.look.labels[contrast.arm]}, {when_words(contrast, material.look)}", own["estimate"])
            )
    steps = [STEPS.get(step, capital(str(step).replace("_", " "))) for step in genes["step"]]
    groups = tuple(
        (position, step) for position, step in enumerate(steps) if position == 0 or steps[position - 1] != step
    )
    caption = (
        "log2 fold changes in the order of the pathway, not of size. Intervals hold for one gene at a time; p-values "
        "are adjusted within the panel and contrast."
    ) + null_words(material)
    more = Link("every contrast", "panel.tsv")
    return [
        Heading("Gene by gene"),
        Table(caption, tuple(columns), groups=groups, more=more),
        *_lost(material, symbols),
    ]


def _compartment(name: object) -> str:
    """Cells that a gene is read from, in words."""
    text = "" if pd.isna(name) else str(name)
    return COMPARTMENTS.get(text, text.replace("_", " ") + ("s" if text and not text.endswith("s") else ""))


def _lost(material: Material, symbols: list[str]) -> list[Any]:
    """Genes of the panel that the dataset lacks."""
    first = material.panel.drop_duplicates("item").set_index("item").reindex(symbols)
    lost = [symbol for symbol, note in first["note"].items() if "not_measured" in str(note)]
    return [Prose((f"Not counted in this dataset: {joined(lost)}.",))] if lost else []


def _forest(material: Material, rows: pd.DataFrame) -> list[Any]:
    """The same as a picture."""
    if rows["estimate"].isna().all():
        return []
    caption = (
        "The averaged effects of the table above, with 95 % intervals. An arm has the same colour in every picture; "
        "the line is no change."
    )
    return [picture(panel_forest(rows, material.look), caption, more=Link("every contrast", "panel.tsv"))]


def _survivin(material: Material, chosen: list[Contrast]) -> list[Any]:
    """Survivin beside the mitosis score without it, in each averaged effect."""
    symbols = material.panel_genes.loc[material.panel_genes["human"] == SURVIVIN, "symbol"]
    rows = material.panel.set_index(["contrast", "item"])[["estimate", "ci_low", "ci_high"]]
    parts = []
    for contrast in chosen:
        keys = [(contrast.id, name) for name in (*symbols, MITOSIS_SCORE)]
        if len(symbols) != 1 or not all(key in rows.index and pd.notna(rows.loc[key, "estimate"]) for key in keys):
            continue
        told = [rows.loc[key] for key in keys]
        own, mitosis = (estimate(row["estimate"], row["ci_low"], high=row["ci_high"]) for row in told)
        parts.append(f"{effect_words(contrast, material.look)}: {symbols.iloc[0]} {own}, mitosis {mitosis}")
    if not parts:
        return []
    text = (
        "Survivin follows mitosis. Beside it stands the mean of the G2/M genes without it (log2, 95 % interval): a "
        f"survivin effect that these share is one of dividing cells. {'. '.join(parts)}."
    )
    return [Heading("Survivin and mitosis"), Prose((text,))]


def balance_rows(material: Material) -> pd.DataFrame:
    """Balances in injury and treatment effects at each time (averaged where there is one time)."""
    chosen = {contrast.id: contrast for contrast in side_by_side(material.contrasts, KINDS)}
    rows = material.panel[(material.panel["kind"] == "balance") & material.panel["contrast"].isin(chosen)]
    rows = rows.dropna(subset=["estimate"])
    items = list(BALANCES)
    rows = rows.assign(
        title=rows["item"].map(BALANCES),
        effect=[effect_words(chosen[name], material.look) for name in rows["contrast"]],
        arm=[chosen[name].arm for name in rows["contrast"]],
        when=[when_words(chosen[name], material.look) for name in rows["contrast"]],
        rank=rows["item"].map(items.index),
    )
    return rows.sort_values("rank", kind="stable", ignore_index=True)


def _balances(material: Material) -> list[Any]:
    """The balances as table and picture."""
    rows = balance_rows(material)
    if rows.empty:
        return [Prose(("No balance can be made of the genes measured.",))]
    notes = rows["note"].map(in_words)
    columns = (
        texts("Effect", rows["effect"]),
        *([texts("Time", rows["when"])] if (rows["when"] != "").any() else []),
        Column("log2 change (95 % interval)", effect_cells(rows), is_number=True),
        pvalues("p", rows["pvalue"]),
        *([texts("Note", notes)] if (notes != "").any() else []),
    )
    groups = tuple(zip(rows.index[~rows["title"].duplicated()], rows.drop_duplicates("title")["title"], strict=True))
    caption = (
        "Mean expression of anti-apoptotic genes minus that of pro-apoptotic ones, from a linear model on the same "
        "design; the first balance is the headline, as MCL1 and BCL2L1 keep hepatocytes alive. In the order of the "
        "effects and times."
    )
    caption += " p-values are for any change." if material.threshold else ""
    figure = picture(
        balances_over_time(rows, material.look),
        "The balances of the table below: above the line the survival side gains, below it the death side.",
    )
    return [
        Heading("Balances"),
        figure,
        Table(caption, columns, groups=groups, more=Link("every contrast", "panel.tsv")),
    ]


def _limits(material: Material) -> list[Any]:
    """What the panel cannot see; which cells a gene is read from is a question of tissue."""
    limits = tuple(limit for limit in LIMITS if limit != OF_TISSUE or not is_cultured(material.facts))
    return [Heading("What this panel cannot tell"), Bullets(limits)]
