"""The answer: plain sentences first, then the numbers behind them, each with its doubt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import pandas as pd

from exoliver.contrasts import Contrast
from exoliver.figures.words import (
    capital,
    clauses,
    count,
    estimate,
    fold,
    is_missing,
    p_words,
    plural,
    shortened,
)
from exoliver.mixture import MIXED_SYSTEMS
from exoliver.report.courses import told_courses
from exoliver.report.elements import Folded, Prose, Section
from exoliver.report.evidence import (
    CAUTION,
    MOST_SETS,
    NO_PROGRAMME,
    NONE_TESTED,
    aside_words,
    asides,
    programmes_tail,
    untested_words,
    within,
)
from exoliver.report.headline import headline, programmes_of, short_headline
from exoliver.report.material import Material
from exoliver.report.naming import (
    HEADLINE_BALANCE,
    MOST_EFFECTS,
    averaged,
    averaged_words,
    contrast_words,
    effect_words,
    estimable,
    health_word,
    leading,
    set_titles,
    treated_arms,
    untimed_words,
)
from exoliver.report.plain_answer import not_measured, plain_sentences
from exoliver.report.summary import changed_at_some_time, direction, in_words, summarise_contrasts
from exoliver.report.undone import rescue_sentence, rescued_arms

MOST_BALANCES = 4
CLOCK = (
    "The arms differ in clock genes, by sampling time or by an injury that shifts the clock. What the clock drives, "
    "such as Cdkn1a and with it the p53 response, cannot be told apart from it; neither can what the others move."
)
BALANCE = "the balance of MCL1 and BCL2L1 over BAX and BAK1 mRNA"


def answer_section(material: Material) -> Section:
    """What was found, how sure it is, and what cannot be tested."""
    summary = summarise_contrasts(material.contrasts, material.tables, fdr=material.fdr)
    reasons = not_testable(material)
    blocks: list[Any] = [
        *plain_sentences(material),
        *([Prose((f"{capital('; '.join(reasons))}.",), lead="Not testable")] if reasons else []),
        *_beside(material),
    ]
    behind: list[Any] = [
        *_effects(material, summary, "injury", "Injury"),
        *_effects(material, summary, "treatment", "Treatment"),
        *_effects(material, summary, "product_on_healthy", f"Product on {health_word(material.facts)} samples"),
        *_effects(material, summary, "comparison", "Comparison"),
        *_effects(material, summary, "extra", "Asked for"),
        *_over_time(material, summary),
        *_undone(material),
        *_balance(material),
    ]
    finding, short = headline(material, summary), short_headline(material, summary)
    folded = [Folded("The numbers behind it", tuple(behind))] if behind else []
    return Section("answer", "Answer", finding, short, (*blocks, *folded))


def _effects(material: Material, summary: pd.DataFrame, kind: str, lead: str) -> list[Prose]:
    """One effect of a kind in full; several against one base in one sentence."""
    effects = averaged(material.contrasts, kind)
    groups = [[contrast] for contrast in effects]
    if kind != "extra":
        groups = [list(group) for _, group in groupby(effects, key=lambda contrast: contrast.base)]
    sentences = [
        effect_sentence(material, group[0], summary=summary)
        if len(group) == 1
        else _group_sentence(material, group, summary)
        for group in groups[:MOST_EFFECTS]
    ]
    rest = sum(map(len, groups[MOST_EFFECTS:]))
    sentences += [f"{plural(rest, 'further effect')} of this kind: see what changed."] if rest else []
    return [Prose((" ".join(sentences),), lead=lead)] if sentences else []


def effect_sentence(material: Material, contrast: Contrast, *, summary: pd.DataFrame) -> str:
    """How many genes an effect raises and lowers, how many of them may be false, and the programmes."""
    row, labels = summary.loc[contrast.id], material.look.labels
    arm, base, tested = labels[contrast.arm], labels[contrast.base], f"{count(row['tested'])} genes"
    up, down = count(row["up"]), count(row["down"])
    if row["changed"]:
        text = f"{arm} raises {up} and lowers {down} of {tested} against {base}"
    else:
        text = f"There is no evidence that {arm} changes any of {tested} against {base}"
    if contrast.kind == "extra":
        found = f"{up} of {tested} are higher and {down} lower" if row["changed"] else f"no evidence in any of {tested}"
        text = f"{capital(effect_words(contrast, material.look))}: {found}"
    programmes = programmes_tail(programmes_of(material, contrast, with_estimates=True))
    tail = f" {programmes}" if programmes else ""
    doubt = _doubt(averaged_words(contrast, material.look), _false_words(material, contrast, row), row["note"])
    return f"{text}{doubt}.{tail}{_distance(material, contrast, summary)}"


def _doubt(*words: str) -> str:
    """What stands in brackets behind a number; nothing where there is no word of it."""
    told = "; ".join(filter(None, words))
    return f" ({told})" if told else ""


def _false_words(material: Material, contrast: Contrast, row: pd.Series) -> str:
    """How many of the genes that change may be false; how near one comes where none does."""
    if not row["changed"]:
        smallest = material.tables[contrast.id]["padj"].min()
        return "" if is_missing(smallest) else p_words(smallest, "smallest adjusted p")
    expected = material.fdr * row["changed"]
    return f"about {count(round(expected))} of these may be false" if expected >= 1 else "fewer than one may be false"


def _group_sentence(material: Material, effects: Sequence[Contrast], summary: pd.DataFrame) -> str:
    """Several arms against one base."""
    labels, tested = material.look.labels, summary.loc[effects[0].id, "tested"]
    genes, programmes = [], {}
    for contrast in effects:
        row = summary.loc[contrast.id]
        found = (
            f"{count(row['up'])} raised, {count(row['down'])} lowered" if row["changed"] else "no evidence of a change"
        )
        genes.append(f"{labels[contrast.arm]}: {found}{_doubt(averaged_words(contrast, material.look), row['note'])}")
        programmes[labels[contrast.arm]] = programmes_of(material, contrast)
    text = f"Of {count(tested)} genes against {labels[effects[0].base]} (false discovery rate {material.fdr:g}), "
    told = {arm: words for arm, words in programmes.items() if words not in ("", NO_PROGRAMME, NONE_TESTED)}
    tail = " Programmes with " + "; ".join(f"{arm}, {words}" for arm, words in told.items()) + "." if told else ""
    if not told and any(programmes.values()):
        tail = f" {programmes_tail(NO_PROGRAMME if NO_PROGRAMME in programmes.values() else NONE_TESTED)}"
    return f"{text}{'; '.join(genes)}.{tail}"


def _distance(material: Material, contrast: Contrast, summary: pd.DataFrame) -> str:
    """How many genes of a treated arm differ from the healthy one."""
    left = [other for other in averaged(material.contrasts, "distance") if other.arm == contrast.arm]
    if contrast.kind != "treatment" or not left:
        return ""
    injuries = [other for other in averaged(material.contrasts, "injury") if other.arm == contrast.base]
    amount, base = count(summary.loc[left[0].id, "changed"]), material.look.labels[left[0].base]
    text = f" Against {base}, {amount} genes differ in {material.look.labels[contrast.arm]}"
    if injuries:
        text += f" and {count(summary.loc[injuries[0].id, 'changed'])} in {material.look.labels[contrast.base]}"
    return f"{text}: a count, not a share restored."


def _over_time(material: Material, summary: pd.DataFrame) -> list[Prose]:
    """When the treatment acts (the injury, where nothing is treated), by the omnibus tests and the courses."""
    omnibus = [contrast for contrast in estimable(material.contrasts) if contrast.form == "over_time"]
    chosen = [contrast for contrast in omnibus if contrast.kind == "treatment"] or omnibus
    sentences = [_course_sentence(material, contrast, summary) for contrast in chosen[:MOST_EFFECTS]]
    rest = len(chosen) - MOST_EFFECTS
    sentences += [f"{plural(rest, 'further effect')} over time: see which effects, when."] if rest > 0 else []
    return [Prose((" ".join(sentences),), lead="When")] if sentences else []


def _course_sentence(material: Material, contrast: Contrast, summary: pd.DataFrame) -> str:
    """In how many genes an effect differs from zero at some time, and changes with time; programmes stand above."""
    at_some, moving = changed_at_some_time(summary, contrast), summary.loc[contrast.id, "changed"]
    effect = effect_words(contrast, material.look)
    if at_some:
        changing = f"in {count(moving)} it changes" if moving else "there is no evidence that it changes"
        text = f"{effect} differs from zero at some time in {plural(at_some, 'gene')}; {changing} with time"
    else:
        text = f"There is no evidence that {effect} differs from zero at any time in any gene"
        text += f"; in {count(moving)} it changes with time" if moving else ""
    null = ", against no change" if material.threshold else ""
    tests = f"likelihood-ratio tests of all times{null}, each adjusted by itself"
    # The averaged contrast of the two arms knows of times left out, and of groups with one sample at any other.
    doubt = _doubt(tests, summary.loc[contrast.effect, "note"])
    untested = f" {capital(NONE_TESTED)}." if told_courses(material, contrast) == NONE_TESTED else ""
    return f"{text}{doubt}.{untested}"


def _undone(material: Material) -> list[Prose]:
    """How much of the injury each treatment undoes."""
    arms = rescued_arms(material)
    sentences = [rescue_sentence(material, arm) for arm in arms[:MOST_EFFECTS]]
    rest = len(arms) - MOST_EFFECTS
    sentences += [f"{plural(rest, 'further arm')}: see whether the injury was undone."] if rest > 0 else []
    return [Prose((" ".join(sentences),), lead="Back to health")] if sentences else []


def _beside(material: Material) -> list[Prose]:
    """The cell mixture, the clock, feeding and handling, where an effect of the answer may move them."""
    entry, rows = material.programmes.beside_entry, material.programmes.beside
    told: dict[str, str] = {}
    averages, moved = set(), set()
    if material.facts["system"]["kind"] not in MIXED_SYSTEMS:
        return []
    for contrast in [*leading(material.contrasts), *averaged(material.contrasts, "injury")]:
        words = aside_words(rows[rows["contrast"] == contrast.id], entry)
        if words:
            told[effect_words(contrast, material.look)] = words
        averages |= _moved(rows, [contrast.id])
        moved |= _moved(rows, [one.id for one in material.contrasts if one.effect == contrast.effect])
    if not moved & asides(entry):
        return []
    titles = set_titles(sorted(moved & asides(entry) - averages), entry)
    single = [f"At single times only: {shortened([within(title) for title in titles.values()], MOST_SETS)}"]
    parts = [f"{effect}: {words}" for effect, words in told.items()]
    found = ". ".join([*([clauses(parts, MOST_EFFECTS, of="effect")] if parts else []), *(single if titles else [])])
    text = f"Markers of cells and nuisances differ, too (p below {CAUTION:g}, uncorrected). {found}."
    text += f" {CLOCK}" if "clock" in moved else " What these move cannot be told apart here."
    return [Prose((text,), lead="Beside it")]


def _moved(effects: pd.DataFrame, contrasts: Sequence[str]) -> set[str]:
    """Programmes that arms may differ in, in any of some contrasts: opposite shifts at two times do not cancel."""
    rows = effects[effects["contrast"].isin(contrasts)]
    return set(rows.loc[(rows["pvalue"] < CAUTION).fillna(False), "programme"])


def _balance(material: Material) -> list[Prose]:
    """The headline balance of survival over death genes under each treatment."""
    rows = material.panel[material.panel["item"] == HEADLINE_BALANCE].dropna(subset=["estimate"]).set_index("contrast")
    chosen = [contrast for contrast in averaged(material.contrasts, "treatment") if contrast.id in rows.index]
    labels = material.look.labels
    if not chosen:
        return []
    if len(chosen) == 1:
        contrast = chosen[0]
        text = balance_sentence(rows.loc[contrast.id], labels[contrast.arm], base=labels[contrast.base])
    else:
        notes = {in_words(rows.loc[contrast.id, "note"]) for contrast in chosen}
        shared = next(iter(notes)) if len(notes) == 1 else ""
        parts = [f"{labels[c.arm]} {_change(rows.loc[c.id], is_noted=not shared)}" for c in chosen]
        doubt = _doubt("log2, 95 % interval", shared)
        text = f"{capital(BALANCE)}{doubt}: {clauses(parts, MOST_BALANCES, of='effect')}."
    return [Prose((text,), lead="Survival against death")]


def _change(row: pd.Series, *, is_noted: bool) -> str:
    """One change of the balance, with its direction where the interval has one, and what weakens it alone."""
    shown = estimate(row["estimate"], row["ci_low"], high=row["ci_high"])
    is_open = row["ci_low"] <= 0 <= row["ci_high"]
    found = "no evidence of a change" if is_open else "raised" if row["estimate"] > 0 else "lowered"
    return f"{shown}, {found}{_doubt(in_words(row['note'])) if is_noted else ''}"


def balance_sentence(row: Mapping[str, Any], arm: str, *, base: str) -> str:
    """What an arm does to the headline balance, with the interval and what weakens it."""
    low, high = row["ci_low"], row["ci_high"]
    interval = f"{estimate(row['estimate'], low, high=high)} on the log2 scale, 95 % interval, {p_words(row['pvalue'])}"
    interval += _doubt(in_words(row["note"]))
    if low <= 0 <= high:
        bound = f"changes of up to {fold(max(abs(low), abs(high)))} either way are not excluded"
        return f"There is no evidence that {arm} changes {BALANCE} against {base}: {interval}; {bound}."
    return f"{arm} {direction(row['estimate'])} {BALANCE} against {base}: {interval}."


def not_testable(material: Material) -> list[str]:
    """What the samples cannot answer, each with its reason."""
    facts, contrasts = material.facts, material.contrasts
    found = [_health_words(facts)]
    lost = [contrast_words(contrast, material.look) for contrast in contrasts if not contrast.rows]
    found.append(f"{shortened(lost, 4)}, because an arm has no samples there" if lost else "")
    untimed = untimed_words(contrasts, material.design["cells"])
    found.append(f"change over time, because {untimed}" if untimed else "")
    if not any(collection.has_sets for collection in material.collections):
        found.append(
            f"programmes, enrichment and the apoptosis panel, because no annotation and no gene sets are shipped for "
            f"{facts['organism']}"
        )
    single = [contrast for contrast in estimable(contrasts) if not contrast.is_omnibus]
    untested = untested_words(material.effects_of(contrast) for contrast in single)
    found.append(f"programmes, because {untested}" if untested else not_measured(material))
    return [words for words in found if words]


def _health_words(facts: Mapping[str, Any]) -> str:
    """That there is no treatment effect, or no way back to health, to be asked for; empty where there are both."""
    if not treated_arms(facts):
        return "a treatment effect, because no arm is treated"
    roles = {arm["role"] for arm in facts["arms"]["levels"].values()}
    lacking = [role for role in ("healthy", "injured") if role not in roles]
    reasons = [f"no arm has the role {role}" if role == lacking[0] else f"none the role {role}" for role in lacking]
    text = "whether anything is brought back towards health, because"
    return f"{text} {', and '.join(reasons)}" if reasons else ""
