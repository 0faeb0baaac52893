"""Was the injury undone? Fractions restored with their intervals, and what is too weak to be told."""

from __future__ import annotations

from typing import Any

import pandas as pd

from exoliver.figures.rescue_plane import rescue_plane
from exoliver.figures.style import time_words
from exoliver.figures.words import clauses, count, estimate, number, plural, shortened
from exoliver.report.elements import (
    Column,
    Heading,
    Link,
    Prose,
    Section,
    Table,
    numbers,
    picture,
    pvalues,
    texts,
)
from exoliver.report.evidence import MOST_SETS, asides, within
from exoliver.report.material import Material
from exoliver.report.naming import BENEFITS, MOST_EFFECTS, mean_words, set_order, set_titles, times_words
from exoliver.report.products import products_blocks
from exoliver.report.summary import in_words, noted
from exoliver.tables import NO_HEALTHY, NO_REFERENCE

TITLE = "Was the injury undone?"
CLASSES = {
    "restored": "restored, or not told from it",
    "partly_restored": "partly restored",
    "unchanged": "not restored, or not told from it",
    "undecided": "undecided",
    "overshoot": "past healthy",
    "away_from_healthy": "further from healthy",
    "injury_weak": "injury weak: interval only",
    "injury_not_detected": "no injury effect detected",
}
PATTERNS = {
    "reversal": "reversal",
    "partial": "partial reversal",
    "amplified_response": "injury response amplified",
    "de_novo": "treatment effect without evidence of an injury effect",
    "none": "",  # what the adjusted p beside it says
}
BACK = ("reversal", "partial")
MOST_ROWS = 25
MEANING = (
    "The fraction restored is one minus the distance of treated from healthy over that of injured from healthy: 0 is "
    "nothing, 1 is all, above 1 is past healthy, below 0 is further away. It has a value where the injury effect is "
    "four standard errors or more (more of them where few samples tell it), an interval alone where it is less, and "
    "neither where the interval of the injury effect holds zero. Injury and treatment effect share the injured "
    "samples; the intervals (Fieller) know that."
)


def rescue_rows(material: Material) -> pd.DataFrame:
    """Rescue of the programmes that speak of an answer, with `title`, the clearest injury first."""
    rows, entry = material.programmes.rescue, material.collections[0].entry
    rows = rows[~rows["programme"].isin(asides(entry))]
    size = (rows["injury_effect"] / rows["injury_se"]).abs()
    place = rows["programme"].map(set_order(rows["programme"], entry))
    titled = rows.assign(title=rows["programme"].map(set_titles(rows["programme"], entry)), size=size, place=place)
    return titled.sort_values(["size", "place"], ascending=[False, True], kind="stable", ignore_index=True)


def overall(rows: pd.DataFrame, arm: str) -> pd.DataFrame:
    """Rows of one arm averaged over its times, or of its one time."""
    return rows[(rows["arm"] == arm) & rows["time"].isna()]


def rescued_arms(material: Material) -> list[str]:
    """Arms whose treatment is set against an injury, as far as that can be done."""
    rows = material.programmes.rescue
    return list(dict.fromkeys(rows.loc[rows["injury_effect"].notna(), "arm"]))


def clear_rows(rows: pd.DataFrame, fdr: float) -> pd.DataFrame:
    """Programmes whose fraction restored has a value, and whose injury effect has evidence among all programmes."""
    return rows[rows["fraction_restored"].notna() & (rows["injury_padj"] < fdr).fillna(False)]


def rescue_sentence(material: Material, arm: str) -> str:
    """What of the injury one arm undoes: how much of it can be told, which programmes go back, and how far."""
    rows = overall(rescue_rows(material), arm).dropna(subset=["injury_effect"])
    clear = clear_rows(rows, material.fdr)
    text = (
        f"{material.look.labels[arm]}: of {plural(len(rows), 'programme')}, the injury moves {count(len(clear))} "
        f"clearly (adjusted p below {material.fdr:g}, and four standard errors or more)."
    )
    sides = rescue_sides(clear)
    back, beyond = sides["back"], sides["beyond"]
    parts = [f"{within(row.title)} {fraction_words(row)}" for row in back.head(MOST_SETS).itertuples()]
    rest = len(back) - MOST_SETS
    told = "; ".join([*parts, *([f"{count(rest)} more"] if rest > 0 else [])])
    if parts:
        text += f" Back towards healthy, as a fraction of the injury effect: {told}."
    elif len(clear) and beyond.empty:
        text += " There is no evidence that any of them goes back towards healthy."
    elif clear.empty:
        text += " Nothing can be called restored."
    for words, chosen in (("Past healthy", beyond), ("Injury response amplified", sides["amplified"])):
        text += (
            f" {words}: {shortened([within(title) for title in chosen['title']], MOST_SETS)}." if len(chosen) else ""
        )
    return f"{text}{_doubt(material, rows)}{_slope_words(material, arm)}"


def _doubt(material: Material, rows: pd.DataFrame) -> str:
    """Over which times the fractions are averaged, and what weakens all of them."""
    own = material.programmes.rescue
    times = own.loc[own["arm"].isin(rows["arm"]) & own["injury_effect"].notna(), "time"].dropna().unique()
    shared = set.intersection(*(set(str(note).split(";")) for note in rows["note"].fillna(""))) if len(rows) else set()
    words = [f"Means of {times_words(sorted(times), material.look.unit)}"] if len(times) > 1 else []
    words += [in_words(note) for note in sorted(shared) if note]
    return f" ({'; '.join(words)}.)" if words else ""


def rescue_sides(clear: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Programmes or genes with a clear injury effect by what the treatment does to it, each under its word.

    Returns
    -------
    `back`: towards healthy, by the evidence of the treatment and the interval of the fraction; `beyond`: past healthy
    to the other side; `amplified`: further in the direction of the injury, not by itself a harm; `open`: all others.
    """
    is_back, is_beyond = clear["pattern"].isin(BACK), clear["class"] == "overshoot"
    is_towards, is_amplified = is_back & (clear["ci_low"] > 0) & ~is_beyond, clear["pattern"] == "amplified_response"
    sides = {"back": is_towards, "beyond": is_back & is_beyond, "amplified": is_amplified}
    rest = ~(sides["back"] | sides["beyond"] | sides["amplified"])
    return {name: clear[mask] for name, mask in {**sides, "open": rest}.items()}


def fraction_words(row: Any) -> str:
    """Fraction restored with its interval."""
    return estimate(row.fraction_restored, row.ci_low, high=row.ci_high)


def _slope_words(material: Material, arm: str) -> str:
    """The slope over all genes, where it is known, at each time."""
    rows = material.programmes.slopes
    rows = rows[(rows["arm"] == arm) & rows["injury_over_se"].notna()]
    parts = []
    for row in rows.itertuples():
        when = f"{time_words(row.time, material.look.unit)}: " if pd.notna(row.time) else ""
        if pd.notna(row.slope):
            doubt = f", {in_words(row.note)}" if isinstance(row.note, str) and row.note else ""
            parts.append(f"{when}{estimate(row.slope, row.ci_low, high=row.ci_high)}{doubt}")
        else:
            parts.append(f"{when}not told, the injury being {number(row.injury_over_se)} standard errors")
    return f" Over all genes together: {'; '.join(parts)}." if parts else ""


def undone_section(material: Material) -> Section:
    """Rescue of programmes and genes, and which product restores more; or why that cannot be told."""
    arms = rescued_arms(material)
    if not arms:
        return Section("rescue", TITLE, f"Not testable: {_lacking(material)}.", "Not testable", ())
    finding = " ".join(rescue_sentence(material, arm) for arm in arms[:MOST_EFFECTS])
    blocks: list[Any] = [Prose((MEANING,))]
    for arm in arms:
        blocks += _arm_blocks(material, arm)
    blocks += products_blocks(material)
    return Section("rescue", TITLE, finding, _short(material, arms), tuple(blocks))


def _lacking(material: Material) -> str:
    """Why no treatment can be set against an injury."""
    notes = set(material.programmes.rescue["note"].dropna())
    if NO_HEALTHY in notes:
        return "the treated are not compared with an injured arm that has a healthy one behind it"
    if NO_REFERENCE in notes:
        return "healthy, injured and treated samples are not there at the same time"
    return "no arm is treated after an injury" if material.collections[0].has_sets else "there are no gene sets"


def _short(material: Material, arms: list[str]) -> str:
    """The finding in a few words."""
    parts = []
    for arm in arms:
        rows = overall(rescue_rows(material), arm)
        clear = clear_rows(rows, material.fdr)
        back, beyond = (len(rescue_sides(clear)[name]) for name in ("back", "beyond"))
        past = f", {count(beyond)} past healthy" if beyond else ""
        parts.append(
            f"{material.look.labels[arm]}: {count(back)} of {plural(len(clear), 'clear injury effect')} back{past}"
        )
    return clauses(parts, MOST_EFFECTS, of="arm")


def _arm_blocks(material: Material, arm: str) -> list[Any]:
    """Picture and table of one arm."""
    rows = rescue_rows(material)
    own = rows[(rows["arm"] == arm) & rows["injury_effect"].notna()]
    whole, label = overall(own, arm), material.look.labels[arm]
    blocks: list[Any] = [Heading(f"{label} against the injury")]
    if len(whole):
        caption = (
            "Injury effect (across) against treatment effect (up) of every programme, in log2, with 95 % intervals (t "
            "distribution) of the programmes with a clear injury effect. On the dashed line all of the injury is "
            "undone, on the level line nothing. The two axes have limits of their own."
        )
        blocks.append(picture(rescue_plane(whole, material.look, arm=arm), caption))
    shown = own[~own["class"].isin(["injury_not_detected"])]
    listed = shown.head(MOST_ROWS)
    lost = int((whole["class"] == "injury_not_detected").sum())
    columns = (
        texts("Programme", listed["title"]),
        *(
            [texts("Time", [mean_words(time, material.look) for time in listed["time"]])]
            if own["time"].notna().any()
            else []
        ),
        texts("Wanted", [_wanted(material, name) for name in listed["programme"]]),
        *_effect_columns(listed),
    )
    caption = (
        f"Programmes that the injury moves, the clearest injury effect first ({count(len(listed))} of "
        f"{count(len(shown))} rows). For {plural(lost, 'programme')} no injury effect is detected."
    )
    table = Table(caption, columns, more=Link("all of them", "rescue/programmes.tsv"))
    return [*blocks, table, *_genes(material, arm)]


def _effect_columns(rows: pd.DataFrame) -> tuple[Column, ...]:
    """Both effects, the fraction restored, and how they read; of programmes or genes with the column `size`."""
    return (
        numbers("Injury, log2", rows["injury_effect"]),
        numbers("Injury / SE", rows["size"]),
        numbers("Treatment, log2", rows["treatment_effect"]),
        Column("Fraction restored (95 % interval)", _cells(rows), is_number=True),
        texts("Reading of the interval", [CLASSES.get(name, "") for name in rows["class"]]),
        pvalues("Treatment, adjusted p", rows["treatment_padj"]),
        texts("Pattern", [PATTERNS.get(name, "") for name in rows["pattern"]]),
        *noted(rows),
    )


def _genes(material: Material, arm: str) -> list[Any]:
    """The genes that the injury moves most clearly, and how far they are restored."""
    rows = overall(material.programmes.rescue_genes, arm).dropna(subset=["gene_id"])
    if rows.empty:
        return []
    size = (rows["injury_effect"] / rows["injury_se"]).abs()
    order = rows.assign(size=size).sort_values(["size", "gene_id"], ascending=[False, True], kind="stable")
    listed = order.head(MOST_ROWS)
    columns = (
        texts("Gene", listed["symbol"].where(listed["symbol"].notna(), listed["gene_id"])),
        *_effect_columns(listed),
    )
    back, beyond = (len(rescue_sides(rows)[name]) for name in ("back", "beyond"))
    past = f", {count(beyond)} past healthy" if beyond else ""
    caption = (
        f"Gene by gene, exploratory: the clearest injury effect first ({count(len(listed))} of "
        f"{plural(len(rows), 'gene')} that the injury moves by four standard errors or more); {count(back)} of all go "
        f"back{past}, by an adjusted p of the treatment below {material.fdr:g} (Wald tests against zero, adjusted over "
        "all tested genes)."
    )
    return [Table(caption, columns, more=Link("all of them, at each time", "rescue/genes.tsv"))]


def _wanted(material: Material, programme: str) -> str:
    """Which direction is good, as far as it can be said."""
    facts = {one["gene_set"]: one.get("benefit", "depends") for one in material.collections[0].entry["gene_sets"]}
    return BENEFITS.get(facts.get(programme, "depends"), "")


def _cells(rows: pd.DataFrame) -> tuple[Any, ...]:
    """Fractions with intervals; the interval alone where the injury is weak."""
    return tuple(
        estimate(row.fraction_restored, row.ci_low, high=row.ci_high)
        if pd.notna(row.fraction_restored)
        else f"{number(row.ci_low)} to {number(row.ci_high)}"
        if pd.notna(row.ci_low)
        else ""
        for row in rows.itertuples()
    )
