"""The answer in at most five plain sentences: what the injury did, what was restored, when, how sure, what is open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from exoliver.contrasts import Contrast
from exoliver.figures.style import time_words
from exoliver.figures.words import NO_BREAK_SPACE, capital, count, estimate, joined, p_words, plural
from exoliver.report.benefit import WANTED, benefits_of, meaning
from exoliver.report.courses import NO_COURSE, told_courses
from exoliver.report.elements import Prose
from exoliver.report.evidence import NONE_TESTED, asides, within
from exoliver.report.material import Material
from exoliver.report.naming import (
    MOST_EFFECTS,
    averaged,
    averaged_words,
    effect_words,
    estimable,
    leading,
    set_titles,
    unit_words,
)
from exoliver.report.undone import clear_rows, fraction_words, overall, rescue_rows, rescue_sides, rescued_arms

MOST_NAMED = 3  # programmes of one effect; fewer where there are several effects
INJURY, TREATMENT, WHEN, SURE = "What the injury does", "What the treatment does", "When", "How sure"


def plain_sentences(material: Material) -> list[Prose]:
    """The sentences that a reader stops at, each with its doubt; those of questions that the samples do not ask miss.

    Parameters
    ----------
    material
        Of a dataset with gene sets; without any there are only the sentences on genes, which stand elsewhere.
    """
    parts = {
        INJURY: _effects(material, averaged(material.contrasts, "injury")),
        TREATMENT: _treatments(material),
        WHEN: _when(material),
        SURE: _sure(material),
    }
    return [Prose((" ".join(sentences),), lead=lead) for lead, sentences in parts.items() if sentences]


def _effects(material: Material, contrasts: Sequence[Contrast]) -> list[str]:
    """A sentence for each of the first effects, and how many there are beyond them."""
    if material.programmes.effects.empty:
        return []
    most = MOST_NAMED if len(contrasts) == 1 else MOST_NAMED - 1
    if len(contrasts) > 1 and (together := _no_evidence(material, contrasts)):
        return [together]
    sentences = [programme_sentence(material, contrast, most=most) for contrast in contrasts[:MOST_EFFECTS]]
    rest = len(contrasts) - MOST_EFFECTS
    return [*filter(None, sentences), *([f"{plural(rest, 'further effect')}: see the picture."] if rest > 0 else [])]


def _no_evidence(material: Material, contrasts: Sequence[Contrast]) -> str:
    """One sentence for several effects against one base where none of them has evidence; else empty."""
    tables = [tested_effects(material, contrast) for contrast in contrasts]
    bases = {contrast.base for contrast in contrasts if contrast.kind != "extra"}
    smallest = min((table["padj"].min() for table in tables if len(table)), default=float("nan"))
    if len(bases) != 1 or pd.isna(smallest) or smallest < material.fdr:
        return ""
    labels = material.look.labels
    arms, most = joined([labels[contrast.arm] for contrast in contrasts], "or"), max(len(table) for table in tables)
    text = f"There is no evidence that {arms} changes any of {plural(most, 'programme')} against {labels[bases.pop()]}"
    return f"{text} ({p_words(smallest, 'smallest adjusted p')})."


def tested_effects(material: Material, contrast: Contrast) -> pd.DataFrame:
    """Effects of a contrast on the programmes that speak of an answer, the surest first, with `title`."""
    entry = material.collections[0].entry
    rows = material.effects_of(contrast).dropna(subset=["pvalue"])
    rows = rows[~rows["programme"].isin(asides(entry))]
    rows = rows.assign(title=rows["programme"].map(set_titles(rows["programme"], entry)))
    return rows.sort_values(["pvalue", "programme"], kind="stable", ignore_index=True)


def programme_sentence(material: Material, contrast: Contrast, *, most: int) -> str:
    """How many programmes a contrast raises and lowers, the surest with their intervals; empty where none was tested.

    Parameters
    ----------
    material, contrast
        An averaged contrast of the dataset.
    most
        Programmes that are named.
    """
    rows = tested_effects(material, contrast)
    if rows.empty:
        return ""
    labels, total = material.look.labels, plural(len(rows), "programme")
    arm, against = labels[contrast.arm], f"against {labels[contrast.base]}"
    if contrast.kind == "extra":
        arm, against = capital(effect_words(contrast, material.look)), ""
    evident = rows[rows["padj"] < material.fdr]
    over = averaged_words(contrast, material.look)
    doubt = "; ".join(filter(None, [f"adjusted p below {material.fdr:g}", over]))
    if evident.empty:
        doubt = "; ".join(filter(None, [p_words(rows["padj"].min(), "smallest adjusted p"), over]))
        return f"There is no evidence that {arm} changes any of {total} {against}".rstrip() + f" ({doubt})."
    up = int((evident["estimate"] > 0).sum())
    text = f"{arm} raises {count(up)} and lowers {count(len(evident) - up)} of {total} {against}".rstrip()
    named = [f"{within(row.title)} {_interval(row)}" for row in evident.head(most).itertuples()]
    first = "The surest, in log2" if len(evident) > most else "In log2"
    return f"{text} ({doubt}). {first}: {'; '.join(named)}.{_wanted(material, evident)}"


def _interval(row: Any) -> str:
    """An effect with its interval."""
    return estimate(row.estimate, row.ci_low, high=row.ci_high)


def _wanted(material: Material, evident: pd.DataFrame) -> str:
    """Which of the changes are a benefit or a harm: those of programmes with a direction that is wanted."""
    benefits = benefits_of(material.collections[0].entry, material.facts)
    parts = []
    for row in evident.itertuples():
        wanted = benefits.get(str(row.programme), "depends")
        if wanted in WANTED:
            way, better = ("raised" if row.estimate > 0 else "lowered"), ("more" if wanted == "up" else "less")
            parts.append(
                f"{within(str(row.title))} is {way}, a {meaning(float(row.estimate), wanted)} ({better} is better)"
            )
    return f" {capital('; '.join(parts))}." if parts else ""


def _treatments(material: Material) -> list[str]:
    """What each treatment takes back where that can be told, else what it changes."""
    chosen = averaged(material.contrasts, "treatment")
    if not chosen:
        others = averaged(material.contrasts, "product_on_healthy", "comparison", "extra")
        return _effects(material, others) if others and others == leading(material.contrasts) else []
    arms = [arm for arm in rescued_arms(material) if len(_clear(material, arm))]
    most = MOST_NAMED if len(arms) == 1 else MOST_NAMED - 1
    rest = [contrast for contrast in chosen if contrast.arm not in arms]
    return [*(back_sentence(material, arm, most=most) for arm in arms[:MOST_EFFECTS]), *_effects(material, rest)]


def _clear(material: Material, arm: str) -> pd.DataFrame:
    """Programmes with a clear injury effect, averaged over the times of an arm."""
    return clear_rows(overall(rescue_rows(material), arm), material.fdr)


def back_sentence(material: Material, arm: str, *, most: int) -> str:
    """How many of the injury's clear effects one arm takes back, and by which share of the injury.

    Parameters
    ----------
    material, arm
        A treated arm against whose injury some programmes are clear.
    most
        Programmes that are named.
    """
    clear, label = _clear(material, arm), material.look.labels[arm]
    sides = rescue_sides(clear)
    back = sides["back"]
    moved = f"Of {plural(len(clear), 'programme')} that the injury moves clearly, {label} brings"
    text = f"{moved} {count(len(back)) if len(back) else 'none'} back towards healthy"
    if len(back):
        first = ", the clearest injury effects first" if len(back) > most else ""
        told = "; ".join(_share(row) for row in back.head(most).itertuples())
        text += f" (share of the injury effect restored{first}: {told})"
    parts = [
        f"{words} {joined(_share(row) for row in sides[name].head(most).itertuples())}"
        + (f" and {count(len(sides[name]) - most)} more" if len(sides[name]) > most else "")
        for name, words in (("beyond", "goes past healthy in"), ("amplified", "amplifies the injury's response in"))
        if len(sides[name])
    ]
    text += "".join(f"; it {part}" for part in parts)
    left = len(sides["open"])
    return f"{text}; without evidence either way: {count(left)}." if left else f"{text}."


def _share(row: Any) -> str:
    """A programme with the share of the injury effect that is restored."""
    return f"{within(row.title)} {fraction_words(row)}"


def _when(material: Material) -> list[str]:
    """The course of each treatment's effects, and the share restored at each time of the surest programme."""
    omnibus = [contrast for contrast in estimable(material.contrasts) if contrast.form == "over_time"]
    chosen = [contrast for contrast in omnibus if contrast.kind == "treatment"] or omnibus
    sentences = []
    for contrast in chosen[:MOST_EFFECTS]:
        told = told_courses(material, contrast)
        if not told or told == NONE_TESTED:
            continue
        effect = effect_words(contrast, material.look)
        words = f"For {effect}, {told}" if told == NO_COURSE else f"{effect}: {told}"
        doubt = (
            f"tests of all times at once, adjusted p below {material.fdr:g}; single times by Holm within a programme"
        )
        sentences.append(f"{words} ({doubt}).")
    sentences += [_shares_by_time(material, arm) for arm in rescued_arms(material)[:MOST_EFFECTS]]
    return [sentence for sentence in sentences if sentence]


def _shares_by_time(material: Material, arm: str) -> str:
    """The share restored at each time of the programme with the clearest injury effect that is taken back."""
    rows, back = rescue_rows(material), rescue_sides(_clear(material, arm))["back"]
    timed = rows[(rows["arm"] == arm) & rows["time"].notna() & rows["fraction_restored"].notna()]
    if back.empty:
        return ""
    row = back.iloc[0]
    own = timed[timed["programme"] == row["programme"]].sort_values("time")
    if len(own) < 2:
        return ""
    parts = [f"{fraction_words(one)} at {time_words(one.time, material.look.unit)}" for one in own.itertuples()]
    return f"Share of {within(row['title'])} restored with {material.look.labels[arm]}: {joined(parts)}."


def _sure(material: Material) -> list[str]:
    """Number of samples in a group, and what intervals and rates mean here."""
    sizes = [cell["samples"] for cell in material.check["design"]["cells"] if cell["samples"]]
    if not sizes:
        return []
    low, high = min(sizes), max(sizes)
    size = count(low) if low == high else f"{count(low)} to {count(high)}"
    of_time = "arm and time" if any(cell["time"] is not None for cell in material.check["design"]["cells"]) else "arm"
    noun = "sample" if high == 1 else "samples"
    text = f"{size} {noun} of each {of_time} (replicate: {unit_words(material.facts)})"
    if material.programmes.effects.empty:
        return [f"{text}."]
    text += f"; intervals are 95{NO_BREAK_SPACE}%"
    told = averaged(material.contrasts, "injury", "treatment") or leading(material.contrasts)
    named = any((tested_effects(material, one)["padj"] < material.fdr).any() for one in told)
    wrong = f", and at most about {100 * material.fdr:g}{NO_BREAK_SPACE}% of the programmes named may be named wrongly"
    return [f"{text}{wrong if named else ''}."]


def not_measured(material: Material) -> str:
    """How many programmes could not be tested as too few of their genes are measured; empty where all could."""
    entry, effects = material.collections[0].entry, material.programmes.effects
    told = effects[~effects["programme"].isin(asides(entry))]
    if told.empty or told["pvalue"].isna().all():
        return ""
    lost = told.groupby("programme")["pvalue"].apply(lambda values: values.isna().all())
    names = [within(title) for title in set_titles(lost[lost].index, entry).values()]
    shown = joined(names) if len(names) <= MOST_NAMED else plural(len(names), "programme")
    return f"{shown}, because too few of their genes are measured" if names else ""
