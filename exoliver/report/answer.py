"""The answer in three to five sentences, made from the numbers, each with its doubt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import pandas as pd

from exoliver.contrasts import Contrast
from exoliver.figures.style import Look
from exoliver.figures.words import capital, count, estimate, fold, joined, number, p_words, plural, shortened
from exoliver.report.elements import Prose, Section
from exoliver.report.material import Material
from exoliver.report.naming import (
    HEADLINE_BALANCE,
    averaged,
    averaged_words,
    contrast_words,
    effect_words,
    estimable,
    has_injury,
    health_word,
    set_titles,
    times_words,
    treated_arms,
)
from exoliver.report.summary import changed_at_some_time, direction, strongest, summarise_contrasts

MOST_EFFECTS = 3  # effects of one kind that have a sentence of their own
MOST_SETS = 4  # programmes named on either side
MOST_BALANCES = 4
BALANCE = "the balance of MCL1 and BCL2L1 over BAX and BAK1 mRNA"
NO_PROGRAMME = "no programme stands out"


def answer_section(material: Material) -> Section:
    """What was found, how sure it is, and what cannot be tested."""
    summary = summarise_contrasts(material.contrasts, material.tables, fdr=material.fdr)
    blocks: list[Any] = [
        *_effects(material, summary, "injury", "Injury"),
        *_effects(material, summary, "treatment", "Treatment"),
        *_effects(material, summary, "product_on_healthy", f"Product on {health_word(material.facts)} samples"),
        *_over_time(material, summary),
        *_balance(material),
    ]
    reasons = not_testable(material)
    blocks += [Prose((f"{capital('; '.join(reasons))}.",), lead="Not testable")] if reasons else []
    finding = headline(material, summary)
    return Section("answer", "Answer", finding, _short(material), tuple(blocks))


def _short(material: Material) -> str:
    """The finding in a few words."""
    first = [*averaged(material.contrasts, "treatment"), *averaged(material.contrasts, "injury")]
    ranks = rank_words(material, first[0]) if first else "no effect can be tested"
    return capital(ranks) or f"What {material.look.labels[first[0].arm]} changes"


def headline(material: Material, summary: pd.DataFrame) -> str:
    """The finding in one sentence: what the first treatment does, else the injury, else that nothing can be tested."""
    first = [*averaged(material.contrasts, "treatment"), *averaged(material.contrasts, "injury")]
    if not first:
        return "No effect can be tested with these samples."
    contrast, row = first[0], summary.loc[first[0].id]
    arm, base = material.look.labels[contrast.arm], material.look.labels[contrast.base]
    at_some = changed_at_some_time(summary, contrast)
    changed = row["changed"] if at_some is None else at_some
    of = f"{count(row['tested'])} genes"
    effect = f"with {arm} against {base}"
    rate = f"false discovery rate {material.fdr:g}"
    if at_some is not None:
        effect += " at some time"
        rate += f"; averaged over times, {count(row['changed'])}"
    verb = "changes" if changed == 1 else "change"
    text = f"{count(changed)} of {of} {verb} {effect} ({rate})"
    if not changed and not row["changed"]:
        text = f"There is no evidence that any of {of} changes {effect} (false discovery rate {material.fdr:g})"
    ranks = rank_words(material, contrast)
    return f"{text}; by rank alone, {ranks}." if ranks else f"{text}."


def rank_words(material: Material, contrast: Contrast, *, with_scores: bool = False) -> str:
    """Programmes that stand higher or lower in the ranking of a contrast; empty where there are no gene sets."""
    programmes = material.collections[0]
    table = programmes.enrichment.get(contrast.id)
    if not programmes.has_sets or table is None:
        return ""
    titles = set_titles(table["gene_set"], programmes.entry)
    parts = []
    for side, hits in strongest(table, material.fdr).items():
        names = [_lowered(titles[name]) + (f" (NES {number(nes)})" if with_scores else "") for name, nes, _ in hits]
        parts += [f"{side}: {shortened(names, MOST_SETS)}"] if names else []
    return "; ".join(parts) if parts else NO_PROGRAMME


def _lowered(title: str) -> str:
    """A title within a sentence."""
    return title if title[1:2].isupper() else title[:1].lower() + title[1:]


def _effects(material: Material, summary: pd.DataFrame, kind: str, lead: str) -> list[Prose]:
    """One effect of a kind in full; several against one base in one sentence."""
    effects = averaged(material.contrasts, kind)
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
    """How many genes an effect raises and lowers, how many of them may be false, and the programmes by rank."""
    row = summary.loc[contrast.id]
    arm, base = material.look.labels[contrast.arm], material.look.labels[contrast.base]
    average = averaged_words(contrast, material.look)
    tested = f"{count(row['tested'])} genes"
    if row["changed"]:
        doubt = _false_words(material.fdr * row["changed"])
        text = f"{arm} raises {count(row['up'])} and lowers {count(row['down'])} of {tested} against {base}"
    else:
        doubt = p_words(material.tables[contrast.id]["padj"].min(), "smallest adjusted p")
        text = f"There is no evidence that {arm} changes any of {tested} against {base}"
    ranks = rank_words(material, contrast, with_scores=True)
    tail = f" By rank alone, {ranks}." if ranks else ""
    return f"{text} ({'; '.join(filter(None, [average, doubt]))}).{tail}{_distance(material, contrast, summary)}"


def _false_words(expected: float) -> str:
    """How many of the genes that change may be false."""
    return f"about {count(round(expected))} of these may be false" if expected >= 1 else "fewer than one may be false"


def _group_sentence(material: Material, effects: Sequence[Contrast], summary: pd.DataFrame) -> str:
    """Several arms against one base."""
    labels, tested = material.look.labels, summary.loc[effects[0].id, "tested"]
    genes, ranks = [], {}
    for contrast in effects:
        row = summary.loc[contrast.id]
        found = (
            f"{count(row['up'])} raised, {count(row['down'])} lowered" if row["changed"] else "no evidence of a change"
        )
        genes.append(f"{labels[contrast.arm]}: {found}")
        ranks[labels[contrast.arm]] = rank_words(material, contrast)
    text = f"Of {count(tested)} genes against {labels[effects[0].base]} (false discovery rate {material.fdr:g}), "
    told = {arm: words for arm, words in ranks.items() if words and words != NO_PROGRAMME}
    tail = " By rank alone, " + "; ".join(f"{arm} {words}" for arm, words in told.items()) + "." if told else ""
    if not told and any(ranks.values()):
        tail = f" By rank alone, {NO_PROGRAMME}."
    return f"{text}{'; '.join(genes)}.{tail}"


def _distance(material: Material, contrast: Contrast, summary: pd.DataFrame) -> str:
    """How many genes of a treated arm still differ from the healthy one."""
    left = [other for other in averaged(material.contrasts, "distance") if other.arm == contrast.arm]
    if contrast.kind != "treatment" or not left:
        return ""
    injuries = [other for other in averaged(material.contrasts, "injury") if other.arm == contrast.base]
    amount, base = count(summary.loc[left[0].id, "changed"]), material.look.labels[left[0].base]
    text = f" Against {base}, {amount} genes still differ in {material.look.labels[contrast.arm]}"
    if injuries:
        text += f" and {count(summary.loc[injuries[0].id, 'changed'])} in {material.look.labels[contrast.base]}"
    return f"{text}: a count, not a share restored."


def _over_time(material: Material, summary: pd.DataFrame) -> list[Prose]:
    """When the treatment acts (the injury, where nothing is treated), by the omnibus tests and by rank."""
    omnibus = [contrast for contrast in estimable(material.contrasts) if contrast.form == "over_time"]
    chosen = [contrast for contrast in omnibus if contrast.kind == "treatment"] or omnibus
    sentences = []
    for contrast in chosen[:MOST_EFFECTS]:
        any_time = contrast.id.removesuffix("over_time") + "any_time"
        at_all, moving = summary.loc[any_time, "changed"], summary.loc[contrast.id, "changed"]
        effect = effect_words(contrast, material.look)
        text = f"There is no evidence that {effect} differs from zero at any time in any gene"
        if at_all:
            changing = f"in {count(moving)} it changes" if moving else "there is no evidence that it changes"
            text = f"{effect} differs from zero at some time in {plural(at_all, 'gene')}; {changing} with time"
        text += " (Wald tests of all times)"
        ranks = _ranks_over_time(material, contrast)
        sentences.append(f"{text}. By rank alone, {ranks}." if ranks else f"{text}.")
    return [Prose((" ".join(sentences),), lead="When")] if sentences else []


def _ranks_over_time(material: Material, omnibus: Contrast) -> str:
    """At which times each programme stands higher or lower."""
    programmes = material.collections[0]
    if not programmes.has_sets:
        return ""
    seen: dict[str, dict[str, list[float]]] = {}
    for contrast in estimable(material.contrasts):
        if contrast.form != "at_time" or contrast.effect != omnibus.effect:
            continue
        for row in programmes.enrichment[contrast.id].itertuples():
            if row.padj < material.fdr:
                sides = seen.setdefault(str(row.gene_set), {})
                sides.setdefault("higher" if row.nes > 0 else "lower", []).append(contrast.times[0])
    titles = set_titles(seen, programmes.entry)
    alike: dict[str, list[str]] = {}
    for name, sides in seen.items():
        when = " and ".join(_when(side, times, material.look) for side, times in sides.items())
        alike.setdefault(when, []).append(_lowered(titles[name]))
    parts = [f"{joined(names)} {when}" for when, names in alike.items()]
    return "; ".join(parts) if parts else "no programme stands out at any time"


def _when(side: str, times: list[float], look: Look) -> str:
    """One side with its times."""
    return f"{side} at {times_words(times, look.unit)}"


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
        parts = [f"{labels[c.arm]} {_change(rows.loc[c.id])}" for c in chosen[:MOST_BALANCES]]
        text = f"{capital(BALANCE)} (log2, 95 % interval): {'; '.join(parts)}."
    return [Prose((text,), lead="Survival against death")]


def _change(row: pd.Series) -> str:
    """One change of the balance, with its direction where the interval has one."""
    shown = estimate(row["estimate"], row["ci_low"], high=row["ci_high"])
    is_open = row["ci_low"] <= 0 <= row["ci_high"]
    return f"{shown}, {'no evidence of a change' if is_open else 'raised' if row['estimate'] > 0 else 'lowered'}"


def balance_sentence(row: Mapping[str, float], arm: str, *, base: str) -> str:
    """What an arm does to the headline balance, with the interval."""
    low, high = row["ci_low"], row["ci_high"]
    interval = f"{estimate(row['estimate'], low, high=high)} on the log2 scale, 95 % interval, {p_words(row['pvalue'])}"
    if low <= 0 <= high:
        bound = f"changes of up to {fold(max(abs(low), abs(high)))} either way are not excluded"
        return f"There is no evidence that {arm} changes {BALANCE} against {base}: {interval}; {bound}."
    return f"{arm} {direction(row['estimate'])} {BALANCE} against {base}: {interval}."


def not_testable(material: Material) -> list[str]:
    """What the samples cannot answer, each with its reason."""
    facts, contrasts = material.facts, material.contrasts
    roles = {arm["role"] for arm in facts["arms"]["levels"].values()}
    found = []
    if not treated_arms(facts):
        found.append("a treatment effect, because no arm is treated")
    elif not has_injury(facts) or "healthy" not in roles:
        lacking = joined(
            [
                *([] if "healthy" in roles else [f"no arm is {health_word(facts)}"]),
                *(
                    []
                    if has_injury(facts)
                    else ["none is diseased" if "healthy" not in roles else "no arm is diseased"]
                ),
            ]
        )
        found.append(f"whether anything is brought back towards health, because {lacking}")
    lost = [contrast_words(contrast, material.look) for contrast in contrasts if not contrast.rows]
    if lost:
        found.append(f"{shortened(lost, 4)}, because an arm has no samples there")
    if not any(contrast.form == "over_time" for contrast in estimable(contrasts)):
        times = {time for _, time in material.design["cells"] if time is not None}
        lacking = "the arms do not share two times" if len(times) > 1 else "all samples are from one time"
        found.append(f"change over time, because {lacking}")
    if not any(collection.has_sets for collection in material.collections):
        found.append(
            f"programmes, enrichment and the apoptosis panel, because no annotation and no gene sets are shipped for "
            f"{facts['organism']}"
        )
    return found
