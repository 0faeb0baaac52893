"""What may not be claimed from a dataset, as far as its facts tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from exoliver.contrasts import Contrast
from exoliver.figures.style import Look
from exoliver.figures.words import beyond, joined, plural
from exoliver.report.benefit import CELLS
from exoliver.report.naming import has_injury, health_word, treated_arms

FOREIGN_PRODUCTS = ("msc", "ev", "conditioned_medium")
LINES = ("cell_line",)


def limits_of(
    facts: Mapping[str, Any], contrasts: Sequence[Contrast], *, look: Look, threshold: float = 0.0
) -> list[str]:
    """Sentences that belong beside the answer, the gravest first.

    Parameters
    ----------
    facts
        Plain values of the dataset's YAML.
    contrasts
        The dataset's.
    look
        Labels of its arms.
    threshold
        log2 fold change that the tests took as no effect.
    """
    found = [
        _threshold(threshold),
        _replicates(facts),
        _line(facts),
        _death(facts),
        *_lots(facts, look),
        _foreign(facts, look),
        _unstated(facts, look),
        _vehicle(facts, look),
        _baseline(facts, contrasts, look),
        _healing(facts, contrasts),
        _stellate(facts),
        _mixture(facts),
    ]
    return [sentence for sentence in found if sentence]


def _threshold(threshold: float) -> str:
    """A test against a threshold leaves smaller effects undecided."""
    if threshold == 0:
        return ""
    return (
        f"Genes were tested for a change by more than {beyond(threshold)}: here a gene that changes does so by more "
        "than that, and no evidence of a change means none of one beyond it. Tests of all times at once, balances and "
        "gene sets by rank are against no change at all."
    )


def _replicates(facts: Mapping[str, Any]) -> str:
    """Wells and passages are one culture; pools hide animals."""
    samples = facts["samples"] or {}
    unit = samples.get("unit")
    if unit in ("well", "passage"):
        return f"Replicates are {unit}s: every p-value and interval is within one culture, and says nothing of another."
    if unit == "pool":
        size = samples.get("pool_size")
        of = f" of {size} animals" if size else " of animals"
        return f"Each sample is a pool{of}: differences between single animals are not seen."
    return ""


def _line(facts: Mapping[str, Any]) -> str:
    """A cell line is no liver."""
    system = facts["system"]
    if system["kind"] not in LINES:
        return ""
    line = f" ({system['line']})" if system["line"] else ""
    return (
        f"All samples are of one cell line{line}: nothing here says that other lines, primary cells or a liver do the "
        "same."
    )


def _death(facts: Mapping[str, Any]) -> str:
    """Necrosis has no apoptosis to lower."""
    injury = facts["injury"] or {}
    if injury.get("death") != "necrosis":
        return ""
    model = f" ({injury['model'].replace('_', ' ')})" if injury.get("model") else ""
    return f"Cells die by necrosis in this model{model}: a change of apoptosis mRNA is no evidence of less death."


def _lots(facts: Mapping[str, Any], look: Look) -> list[str]:
    """One lot of a product stands for itself."""
    sentences = []
    for name in treated_arms(facts):
        arm = facts["arms"]["levels"][name]
        if not arm["lot"] and not arm["lot_donors"]:
            continue
        lot = f"one lot ({arm['lot']})" if arm["lot"] else "a lot"
        donors = f" from {plural(arm['lot_donors'], 'donor')}" if arm["lot_donors"] else ""
        sentences.append(f"{look.labels[name]}: all samples were given {lot}{donors}; the claim is about that lot.")
    return sentences


def _foreign(facts: Mapping[str, Any], look: Look) -> str:
    """RNA of another species lands on the host's genes."""
    levels = facts["arms"]["levels"]
    foreign = {
        look.labels[name]: levels[name]["species"]
        for name in treated_arms(facts)
        if levels[name]["product"] in FOREIGN_PRODUCTS and levels[name]["species"] not in (None, facts["organism"])
    }
    if not foreign:
        return ""
    arms = joined(f"{label} ({species})" for label, species in foreign.items())
    return (
        f"The product is not of the host's species in {arms}: its RNA may be counted as the host's, so that fibrosis, "
        "mesenchymal and proliferation genes can seem raised in treated samples."
    )


def _unstated(facts: Mapping[str, Any], look: Look) -> str:
    """What the YAML does not say of a product of cells cannot be excluded."""
    levels = facts["arms"]["levels"]
    given = [name for name in treated_arms(facts) if levels[name]["product"] in FOREIGN_PRODUCTS]
    species = [look.labels[name] for name in given if not levels[name]["species"]]
    lots = [look.labels[name] for name in given if not levels[name]["lot"] and not levels[name]["lot_donors"]]
    told = [f"the species of the product in {joined(species)}, so that foreign RNA is not excluded"] if species else []
    told += [f"its lot in {joined(lots)}, so that all may hang on one"] if lots else []
    return f"Not stated: {'; '.join(told)}." if told else ""


def _vehicle(facts: Mapping[str, Any], look: Look) -> str:
    """Naive against vehicle holds the vehicle's effect too."""
    levels = facts["arms"]["levels"]
    naive = [n for n, a in levels.items() if a["role"] == "healthy" and a["procedure"] == "naive" and not a["vehicle"]]
    given = [n for n, a in levels.items() if a["role"] == "injured" and a["vehicle"]]
    if not naive or not given:
        return ""
    return (
        f"{joined(look.labels[name] for name in naive)} is naive and {joined(look.labels[name] for name in given)} was "
        "given a vehicle: the injury effect holds the effects of vehicle and procedure too."
    )


def _baseline(facts: Mapping[str, Any], contrasts: Sequence[Contrast], look: Look) -> str:
    """One baseline for all times."""
    levels = facts["arms"]["levels"]
    single = [look.labels[name] for name, arm in levels.items() if arm["at"] == "all_times"]
    if not single or not any(contrast.form == "at_time" for contrast in contrasts):
        return ""
    return f"{joined(single)} serves every time: age and time are not controlled in it."


def _healing(facts: Mapping[str, Any], contrasts: Sequence[Contrast]) -> str:
    """An acute injury heals without treatment."""
    injury = facts["injury"] or {}
    followed = any(contrast.form == "over_time" and contrast.kind == "treatment" for contrast in contrasts)
    if injury.get("course") != "acute" or injury.get("ongoing") or not followed or not has_injury(facts):
        return ""
    return (
        "An acute injury heals by itself: a treatment effect that fades can mean that the untreated recovered, and not "
        "that the treated relapsed."
    )


def _stellate(facts: Mapping[str, Any]) -> str:
    """In stellate cells survival is harm."""
    system = facts["system"]
    words = f"{system['cell_type'] or ''} {system['line'] or ''}".lower()
    if not any(word in words for word in CELLS["stellate"]):
        return ""
    return "In stellate cells survival is harm: more survival genes and less apoptosis are no benefit here."


def _mixture(facts: Mapping[str, Any]) -> str:
    """Tissue is a mixture of cells."""
    if facts["system"]["kind"] not in ("tissue", "slices"):
        return ""
    calm = health_word(facts) if has_injury(facts) else "untreated"
    return (
        "Tissue is a mixture: a change may be in which cells are there and not in what a cell does, and feeding or the "
        f"hour of sampling can move apoptosis and inflammation genes in {calm} tissue too."
    )
