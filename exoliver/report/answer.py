"""The answer in three to five sentences, made from the numbers, each with its doubt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from exoliver.contrasts import Contrast
from exoliver.figures.style import Look
from exoliver.figures.words import capital, count, estimate, fold, joined, number, p_words, plural, shortened
from exoliver.report.elements import Bullets, Heading, Prose, Section
from exoliver.report.limits import limits_of
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
from exoliver.report.summary import direction, strongest, summarise_contrasts

MOST_EFFECTS = 3  # effects of one kind that have a sentence of their own
MOST_SETS = 2  # programmes named on either side


def answer_section(material: Material) -> Section:
    """What was found, how sure it is, what cannot be tested and what may not be claimed."""
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
    limits = limits_of(material.facts, material.contrasts, look=material.look)
    blocks += [Heading("Read with care"), Bullets(tuple(limits))] if limits else []
    finding = headline(material, summary)
    return Section("answer", "Answer", finding, "Answer", tuple(blocks))


def headline(material: Material, summary: pd.DataFrame) -> str:
    """The finding in one sentence: what the first treatment does, else the injury, else that nothing can be tested."""
    first = [*averaged(material.contrasts, "treatment"), *averaged(material.contrasts, "injury")]
    if not first:
        return "No effect can be tested with these samples."
    contrast, row = first[0], summary.loc[first[0].id]
    arm, base = material.look.labels[contrast.arm], material.look.labels[contrast.base]
    of = f"{count(row['tested'])} genes against {base} (false discovery rate {material.fdr:g})"
    if not row["changed"]:
        text = f"There is no evidence that {arm} changes any of {of}"
    else:
        text = f"{arm} changes {count(row['changed'])} of {of}"
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
    for side, hits in strongest(table, material.fdr, limit=MOST_SETS).items():
        names = [_lowered(titles[name]) + (f" (NES {number(nes)})" if with_scores else "") for name, nes, _ in hits]
        parts += [f"{joined(names)} higher" if side == "high" else f"{joined(names)} lower"] if names else []
    return f"{joined(parts)}" if parts else "no programme stands out"


def _lowered(title: str) -> str:
    """A title within a sentence."""
    return title if title[1:2].isupper() else title[:1].lower() + title[1:]


def _effects(material: Material, summary: pd.DataFrame, kind: str, lead: str) -> list[Prose]:
    """A sentence for each averaged effect of one kind."""
    effects = averaged(material.contrasts, kind)
    sentences = [effect_sentence(material, contrast, summary) for contrast in effects[:MOST_EFFECTS]]
    rest = effects[MOST_EFFECTS:]
    if rest:
        sentences.append(f"{plural(len(rest), 'further effect')} of this kind: see what changed.")
    return [Prose((" ".join(sentences),), lead=lead)] if sentences else []


def effect_sentence(material: Material, contrast: Contrast, summary: pd.DataFrame) -> str:
    """How many genes an effect raises and lowers, how many of them may be false, and the programmes by rank."""
    row = summary.loc[contrast.id]
    arm, base = material.look.labels[contrast.arm], material.look.labels[contrast.base]
    when = averaged_words(contrast, material.look)
    against = f"of {count(row['tested'])} genes against {base}"
    if not row["changed"]:
        smallest = material.tables[contrast.id]["padj"].min()
        details = [when, p_words(smallest, "smallest adjusted p")]
        text = f"There is no evidence that {arm} changes any {against}"
    else:
        false = max(1, round(material.fdr * row["changed"]))
        details = [when, f"about {count(false)} of the {count(row['changed'])} may be false"]
        text = f"{arm} raises {count(row['up'])} and lowers {count(row['down'])} {against}"
    ranks = rank_words(material, contrast, with_scores=True)
    tail = f"; by rank alone, {ranks}" if ranks else ""
    return f"{text} ({'; '.join(filter(None, details))}){tail}.{_distance(material, contrast, summary)}"


def _distance(material: Material, contrast: Contrast, summary: pd.DataFrame) -> str:
    """How many genes of a treated arm still differ from the healthy one."""
    left = [other for other in averaged(material.contrasts, "distance") if other.arm == contrast.arm]
    if contrast.kind != "treatment" or not left:
        return ""
    injuries = [other for other in averaged(material.contrasts, "injury") if other.arm == contrast.base]
    amount, base = count(summary.loc[left[0].id, "changed"]), material.look.labels[left[0].base]
    text = f" Against {base}, {amount} genes still differ in {material.look.labels[contrast.arm]}"
    if injuries:
        text += f", {count(summary.loc[injuries[0].id, 'changed'])} in {material.look.labels[contrast.base]}"
    return f"{text} (numbers of genes, not a share restored)."


def _over_time(material: Material, summary: pd.DataFrame) -> list[Prose]:
    """When the treatment acts (the injury, where nothing is treated), by the omnibus tests and by rank."""
    omnibus = [contrast for contrast in estimable(material.contrasts) if contrast.form == "over_time"]
    chosen = [contrast for contrast in omnibus if contrast.kind == "treatment"] or omnibus
    sentences = []
    for contrast in chosen[:MOST_EFFECTS]:
        any_time = contrast.id.removesuffix("over_time") + "any_time"
        at_all, moving = summary.loc[any_time, "changed"], summary.loc[contrast.id, "changed"]
        effect = effect_words(contrast, material.look)
        changing = (
            f"in {count(moving)} it changes with time" if moving else "there is no evidence that it changes with time"
        )
        text = (
            f"{effect} differs from zero at some time in {plural(at_all, 'gene')}; {changing} (Wald tests of all times)"
        )
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
    parts = [
        f"{_lowered(titles[name])} {' and '.join(_when(side, times, material.look) for side, times in sides.items())}"
        for name, sides in seen.items()
    ]
    return joined(parts) if parts else "no programme stands out at any time"


def _when(side: str, times: list[float], look: Look) -> str:
    """One side with its times."""
    return f"{side} at {times_words(times, look.unit)}"


def _balance(material: Material) -> list[Prose]:
    """The headline balance of survival over death genes under each treatment."""
    chosen = averaged(material.contrasts, "treatment")[:MOST_EFFECTS]
    rows = material.panel[material.panel["item"] == HEADLINE_BALANCE].set_index("contrast")
    sentences = [
        balance_sentence(rows.loc[contrast.id], material.look.labels[contrast.arm], material.look.labels[contrast.base])
        for contrast in chosen
        if contrast.id in rows.index
    ]
    return [Prose((" ".join(sentences),), lead="Survival against death")] if sentences else []


def balance_sentence(row: Mapping[str, float], arm: str, base: str) -> str:
    """What an arm does to the headline balance, with the interval."""
    low, high = row["ci_low"], row["ci_high"]
    interval = f"{estimate(row['estimate'], low, high=high)} on the log2 scale, 95 % interval, {p_words(row['pvalue'])}"
    balance = "the balance of MCL1 and BCL2L1 over BAX and BAK1 mRNA"
    if low <= 0 <= high:
        beyond = fold(max(abs(low), abs(high)))
        bound = f"changes of up to {beyond} either way are not excluded"
        return f"There is no evidence that {arm} changes {balance} against {base}: {interval}; {bound}."
    return f"{arm} {direction(row['estimate'])} {balance} against {base}: {interval}."


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
        found.append("change over time, because the arms do not share two times")
    if not any(collection.has_sets for collection in material.collections):
        found.append(
            f"programmes, enrichment and the apoptosis panel, because no annotation and no gene sets are shipped for "
            f"{facts['organism']}"
        )
    return found
