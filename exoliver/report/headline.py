"""The finding of a dataset in one sentence, and in a few words."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from exoliver.contrasts import Contrast
from exoliver.figures.words import beyond, capital, clauses, count, plural, shortened
from exoliver.report.evidence import NO_PROGRAMME, NONE_TESTED, asides, programme_words
from exoliver.report.material import Material
from exoliver.report.naming import MOST_EFFECTS, arm_words, effect_words, leading
from exoliver.report.summary import tally

UNTESTED = "No effect can be tested with these samples."


def headline(material: Material, summary: pd.DataFrame) -> str:
    """What the treatments do, else the injury, else what can be estimated, else that nothing can be tested."""
    effects = leading(material.contrasts)
    if not effects:
        return UNTESTED
    text = _one(material, effects[0], summary) if len(effects) == 1 else _several(material, effects, summary)
    return f"{text}{_programmes(material, effects)}."


def short_headline(material: Material, summary: pd.DataFrame) -> str:
    """The same in a few words: programmes that stand out, else numbers of genes."""
    effects = leading(material.contrasts)
    if not effects:
        return UNTESTED.rstrip(".")
    found = programmes_of(material, effects[0])
    if len(effects) == 1 and found not in ("", NO_PROGRAMME, NONE_TESTED):
        return capital(found)
    parts = []
    for contrast in effects:
        told = tally(summary, contrast, threshold=material.threshold)
        parts.append(f"{arm_words(contrast, material.look)}: {plural(told.genes, 'gene')} {told.when}".strip())
    return clauses(parts, MOST_EFFECTS, of="effect")


def programmes_of(material: Material, contrast: Contrast, *, with_estimates: bool = False) -> str:
    """Programmes that a contrast raises or lowers; empty where there are no gene sets."""
    entry = material.collections[0].entry
    return programme_words(material.effects_of(contrast), entry, fdr=material.fdr, with_estimates=with_estimates)


def changing_at_some_time(material: Material, contrast: Contrast) -> int | None:
    """Programmes for whose change at some time there is evidence; None where that is not tested."""
    rows = material.programmes.changes
    rows = rows[rows["contrast"] == f"{contrast.effect}__any_time"]
    if contrast.kind == "extra" or rows["pvalue"].isna().all():
        return None
    told = rows[~rows["programme"].isin(asides(material.collections[0].entry))]
    return int((told["padj"] < material.fdr).sum())


def programmes_at_some_time(material: Material, contrast: Contrast) -> str:
    """The programmes of an averaged contrast; where it has none, how many change at some time."""
    found, amount = programmes_of(material, contrast), changing_at_some_time(material, contrast)
    if found != NO_PROGRAMME or not amount:
        return found
    return f"none change on average, and {count(amount)} at some time"


def _one(material: Material, contrast: Contrast, summary: pd.DataFrame) -> str:
    """One effect: how many genes change, of how many."""
    row, found = summary.loc[contrast.id], tally(summary, contrast, threshold=material.threshold)
    tested, beyond_what = f"{count(row['tested'])} genes", _beyond(material)
    text = f"{count(found.genes)} of {tested} {'changes' if found.genes == 1 else 'change'}"
    when = found.when
    if not found.genes:
        text, when = f"There is no evidence that any of {tested} changes", when.replace("some", "any")
    doubt = "; ".join(filter(None, [f"false discovery rate {material.fdr:g}", found.beside, row["note"]]))
    return f"{' '.join(filter(None, [text, beyond_what, _under(material, contrast), when]))} ({doubt})"


def _under(material: Material, contrast: Contrast) -> str:
    """Under what genes change."""
    if contrast.kind == "extra":
        return f"in {effect_words(contrast, material.look)}"
    return f"with {material.look.labels[contrast.arm]} against {material.look.labels[contrast.base]}"


def _beyond(material: Material) -> str:
    """By how much, where the study asks for more than a change."""
    return f"by more than {beyond(material.threshold)}" if material.threshold else ""


def _several(material: Material, effects: Sequence[Contrast], summary: pd.DataFrame) -> str:
    """Several effects, one clause for each of the first."""
    bases = {contrast.base for contrast in effects}
    is_shared = len(bases) == 1 and all(contrast.kind != "extra" for contrast in effects)
    against = f"against {material.look.labels[effects[0].base]}" if is_shared else ""
    parts = []
    for contrast in effects:
        found, note = tally(summary, contrast, threshold=material.threshold), summary.loc[contrast.id, "note"]
        under = f"with {material.look.labels[contrast.arm]}" if is_shared else _under(material, contrast)
        doubt = "; ".join(filter(None, [found.beside, note]))
        words = " ".join(filter(None, [count(found.genes), found.when, under]))
        parts.append(f"{words} ({doubt})" if doubt else words)
    tested = max(summary.loc[contrast.id, "tested"] for contrast in effects)
    what = " ".join(filter(None, ["Genes that change", _beyond(material), against]))
    rate = f"of {count(tested)}; false discovery rate {material.fdr:g}"
    return f"{what} ({rate}): {clauses(parts, MOST_EFFECTS, of='effect')}"


def _programmes(material: Material, effects: Sequence[Contrast]) -> str:
    """The programmes: which ones under one effect, under which of several effects."""
    words = {arm_words(contrast, material.look): programmes_at_some_time(material, contrast) for contrast in effects}
    told = [arm for arm, found in words.items() if found not in ("", NO_PROGRAMME, NONE_TESTED)]
    if told and len(effects) > 1:
        return f"; programmes change with {shortened(told, MOST_EFFECTS)}"
    found = next((found for found in words.values() if found == NO_PROGRAMME), next(iter(words.values())))
    return f"; programmes {found}" if told else f"; {found}" if found else ""
