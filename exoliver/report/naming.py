"""What arms, contrasts, gene sets and times are called on a page, and which contrasts come first."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from exoliver.contrasts import FOLLOWED, Contrast
from exoliver.figures.style import Look, time_words, unique_labels
from exoliver.figures.words import MINUS, capital, joined
from exoliver.ranked_sets import HALF_WORDS, titles_of
from exoliver.study import TREATED_ROLES

CULTURED = ("cell_line", "primary_cells", "coculture", "organoid")
MAIN_FORMS = ("averaged", "extra")
MOST_EFFECTS = 3  # effects of one kind that have a sentence or a clause of their own
KINDS = {
    "injury": "injury effect",
    "treatment": "treatment effect",
    "distance": "distance left to {healthy}",
    "head_to_head": "one product against another",
    "product_on_healthy": "product on {healthy} samples",
    "comparison": "one baseline against another",
    "extra": "asked for in the YAML",
}
ACRONYMS = {"JAK", "TNFA", "NFKB", "DNA", "UV", "KRAS", "MYC", "TGF", "AKT", "MTOR"}
BALANCES = {
    "balance_mcl1_bcl2l1_over_bax_bak1": "MCL1 and BCL2L1 over BAX and BAK1",
    "balance_bcl2_over_bax": "BCL2 over BAX",
    "balance_anti_over_pro": "All anti- over all pro-apoptotic genes",
    "balance_anti_over_pro_without_nfkb_p53_targets": "The same without targets of NF-κB and p53",
}
BENEFITS = {"up": "more is better", "down": "less is better", "toward_healthy": "towards healthy", "depends": "depends"}
HEADLINE_BALANCE = "balance_mcl1_bcl2l1_over_bax_bak1"


def times_words(times: Sequence[float], unit: str | None) -> str:
    """Several times: `day 1, 3 and 7`, `6 h and 24 h`."""
    if unit is None or unit in ("min", "h"):
        return joined(time_words(time, unit) for time in times)
    return f"{unit} {joined(f'{time:g}' for time in times)}".replace("-", MINUS)


def has_injury(facts: Mapping[str, Any]) -> bool:
    """An arm of the dataset is injured."""
    return any(arm["role"] == "injured" for arm in facts["arms"]["levels"].values())


def is_cultured(facts: Mapping[str, Any]) -> bool:
    """The samples are cells in culture."""
    return facts["system"]["kind"] in CULTURED


def health_word(facts: Mapping[str, Any]) -> str:
    """What a healthy arm is called: in culture it is unstimulated."""
    return "unstimulated" if is_cultured(facts) else "healthy"


def role_words(role: str, facts: Mapping[str, Any]) -> str:
    """The role of an arm, in words."""
    return {"healthy": health_word(facts), "treated_healthy": f"treated, {health_word(facts)}"}.get(
        role, role.replace("_", " ")
    )


def kind_words(contrast: Contrast, facts: Mapping[str, Any]) -> str:
    """What a contrast asks, in words."""
    return KINDS[contrast.kind].format(healthy=health_word(facts))


def effect_words(contrast: Contrast, look: Look) -> str:
    """The two arms of a contrast: `CCl4 + MSC vs CCl4`; the name of one that the user wrote."""
    if contrast.kind == "extra":
        return contrast.id.replace("_", " ")
    return f"{look.labels[contrast.arm]} vs {look.labels[contrast.base]}"


def arm_words(contrast: Contrast, look: Look) -> str:
    """The arm whose effect a contrast is; the name of one that the user wrote."""
    return effect_words(contrast, look) if contrast.kind == "extra" else look.labels[contrast.arm]


def contrast_words(contrast: Contrast, look: Look) -> str:
    """A contrast with its times: `CCl4 + MSC vs CCl4, day 7`."""
    effect, times = effect_words(contrast, look), [time_words(time, look.unit) for time in contrast.times]
    if contrast.form == "at_time":
        return f"{effect}, {times[0]}"
    if contrast.form == "change":
        return f"{effect}, {times[0]} against {times[1]}"
    tails = {"any_time": "at any time", "over_time": "change over time"}
    return f"{effect}, {tails[contrast.form]}" if contrast.form in tails else effect


def averaged_words(contrast: Contrast, look: Look) -> str:
    """Over which times a contrast is averaged; empty where there is one."""
    if contrast.form != "averaged" or len(contrast.times) < 2:
        return ""
    return f"mean of {times_words(contrast.times, look.unit)}"


def mean_words(time: float, look: Look) -> str:
    """A time in words; of NaN, that a number is of all times."""
    return time_words(time, look.unit) or "all times"


def main_contrasts(contrasts: Iterable[Contrast]) -> list[Contrast]:
    """The contrasts that speak of the whole dataset: averaged ones, and the user's own."""
    return [contrast for contrast in contrasts if contrast.form in MAIN_FORMS]


def estimable(contrasts: Iterable[Contrast]) -> list[Contrast]:
    """Those that have the samples they need."""
    return [contrast for contrast in contrasts if contrast.rows]


def averaged(contrasts: Iterable[Contrast], *kinds: str) -> list[Contrast]:
    """Contrasts of some kinds that can be estimated, averaged over times; those that the user named as they are."""
    return [contrast for contrast in estimable(main_contrasts(contrasts)) if contrast.kind in kinds]


def leading(contrasts: Sequence[Contrast]) -> list[Contrast]:
    """The contrasts that a finding speaks of: treatments, else injuries, else products on the healthy, else all."""
    groups = (averaged(contrasts, kind) for kind in ("treatment", "injury", "product_on_healthy"))
    return next(filter(None, groups), estimable(main_contrasts(contrasts)))


def untimed_words(contrasts: Sequence[Contrast], cells: Iterable[Sequence[Any]]) -> str:
    """Why no effect is followed over time, from the cells of arm and time that have samples; empty where one is."""
    chosen = estimable(contrasts)
    if any(contrast.form == "over_time" for contrast in chosen):
        return ""
    if len({time for _, time in cells if time is not None}) < 2:
        return "all samples are from one time"
    if any(contrast.form == "at_time" and contrast.kind not in FOLLOWED for contrast in chosen):
        return "only effects of an injury or a treatment are followed, and none has both its arms at two times"
    return "the arms do not share two times"


def side_by_side(contrasts: Sequence[Contrast], kinds: Sequence[str] = FOLLOWED) -> list[Contrast]:
    """Effects at each time, and the averaged ones of pairs that have a single time."""
    chosen = [contrast for contrast in estimable(contrasts) if contrast.kind in kinds]
    at_times = {contrast.effect for contrast in chosen if contrast.form == "at_time"}
    return [
        contrast
        for contrast in chosen
        if contrast.form == "at_time" or (contrast.form == "averaged" and contrast.effect not in at_times)
    ]


def when_words(contrast: Contrast, look: Look) -> str:
    """The time that a contrast at one time speaks of; empty for others."""
    return time_words(contrast.times[0], look.unit) if contrast.form == "at_time" else ""


def set_titles(gene_sets: Iterable[str], entry: Mapping[str, Any]) -> dict[str, str]:
    """Title of each gene set or half: that of the collection's facts, else its name without the collection's prefix."""
    given = titles_of(entry)
    prefix = f"{entry['name'].upper()}_"
    return {name: given.get(name) or spelt(name.removeprefix(prefix)) for name in gene_sets}


def spelt(name: str) -> str:
    """A gene set's name in capitals as words; acronyms and names with digits stay as they are."""
    if half := re.fullmatch(r"(.*[a-z].*)(_UP|_DN)", name):
        return f"{half[1].replace('_', ' ')} ({HALF_WORDS[half[2]]})"
    if not re.fullmatch(r"[A-Z0-9_]+", name):
        return name.replace("_", " ")
    words = [_word(word) for word in name.split("_")]
    return capital(" ".join(words))


def _word(word: str) -> str:
    """One word of a gene set's name."""
    stays = word in ACRONYMS or any(letter.isdigit() for letter in word)
    return word if stays else {"DN": "down"}.get(word, word.lower())


def set_order(gene_sets: Iterable[str], entry: Mapping[str, Any]) -> dict[str, int]:
    """Place of each gene set, the same in every table and picture: as the collection lists them, then by name.

    The halves of a set stand in its place.
    """
    given = set(gene_sets)
    listed = []
    for facts in entry["gene_sets"]:
        halves = [f"{facts['gene_set']}{half}" for half in HALF_WORDS]
        listed += [facts["gene_set"], *(half for half in halves if half in given)]
    names = [*dict.fromkeys(listed), *sorted(given - set(listed))]
    return {name: position for position, name in enumerate(names)}


def treated_arms(facts: Mapping[str, Any]) -> list[str]:
    """Arms that were given a product."""
    roles = (*TREATED_ROLES, "treated_healthy")
    return [name for name, arm in facts["arms"]["levels"].items() if arm["role"] in roles]


def dataset_titles(datasets: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Title of each dataset by its id, which stands in where there is none and is added where several share one."""
    return unique_labels({name: {"label": facts["title"] or name} for name, facts in datasets.items()})


def unit_words(facts: Mapping[str, Any]) -> str:
    """What a replicate is."""
    return (facts["samples"] or {"unit": "animal"}).get("unit") or "not stated"
