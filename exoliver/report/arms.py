"""Arms and product: every fact that the dataset's YAML gives, as it was given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exoliver.figures.style import UNITS, time_words
from exoliver.figures.words import amount, joined, plural
from exoliver.report.elements import Facts, Heading, Prose, Section, Table, texts
from exoliver.report.material import Material
from exoliver.report.naming import role_words, treated_arms, unit_words

NAMES = {
    "role": "Role",
    "value": "Value in the sheet",
    "where": "Where",
    "against": "Compared with",
    "at": "Serves",
    "doses_at": "Doses at",
    "lot_donors": "Donors in the lot",
    "dose_unit": "Unit of the dose",
    "cargo": "Cargo (printed, not tested yet)",
}
FACTS = {"class": "class", "death": "mode of cell death"}


def arms_section(material: Material) -> Section:
    """All keys of all arms, the animals, the system and the injury."""
    facts, levels = material.facts, material.facts["arms"]["levels"]
    given = treated_arms(facts)
    stated = [name for name in given if levels[name]["product"]]
    finding = f"{plural(len(levels), 'arm')}, {plural(len(given), 'of them', words='of them')} treated"
    finding += f"; the product is stated for {len(stated)} of {len(given)}." if given else "."
    blocks: list[Any] = [arms_table(material)]
    blocks += _described("Animals", facts["animals"], facts)
    blocks += _described("System", {**facts["system"], "replicate": unit_words(facts)}, facts)
    blocks += _described("Injury", facts["injury"], facts)
    missing = [material.look.labels[name] for name in given if not levels[name]["product"]]
    blocks += [Prose((f"The YAML does not say what {joined(missing)} was given.",))] if missing else []
    short = joined(material.look.labels[name] for name in given) or plural(len(levels), "arm")
    return Section("arms", "Arms and product", finding, f"Treated: {short}" if given else short, tuple(blocks))


def arms_table(material: Material) -> Table:
    """Keys in rows, arms in columns; a key that no arm has is left out."""
    facts, levels = material.facts, material.facts["arms"]["levels"]
    keys = [key for key in next(iter(levels.values())) if key != "label"]
    shown = {key: [fact_words(levels[name][key], key, facts=facts) for name in levels] for key in keys}
    kept = {key: values for key, values in shown.items() if any(values)}
    columns = (
        texts("Key", [NAMES.get(key, key.replace("_", " ").capitalize()) for key in kept]),
        *(
            texts(material.look.labels[name], [values[position] for values in kept.values()])
            for position, name in enumerate(levels)
        ),
    )
    return Table("Every key of every arm as the dataset's YAML gives it; a dash is a key that was not given.", columns)


def fact_words(value: Any, key: str, *, facts: Mapping[str, Any]) -> str:
    """A fact as it is read; empty where it was not given."""
    if value is None or value == "":
        return ""
    if key == "role":
        return role_words(str(value), facts)
    if key == "doses_at":
        unit = facts["time"]["unit"] if facts["time"] else None
        return joined(time_words(time, unit) or f"{time:g}" for time in value)
    if key == "onset":
        return f"{value:g} {UNITS[facts['time']['unit']] if facts['time'] else ''}".strip()
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float | int):
        return amount(value)
    if isinstance(value, Mapping):
        return joined(f"{name} = {item}" for name, item in value.items())
    if isinstance(value, list | tuple):
        return joined(value)
    return "all times" if key == "at" else str(value).replace("_", " ") if key in _WORDS else str(value)


_WORDS = ("product", "source", "class", "kind", "role")


def _described(title: str, values: Mapping[str, Any] | None, facts: Mapping[str, Any]) -> list[Any]:
    """Facts below a heading; nothing where none is given."""
    given = {key: value for key, value in (values or {}).items() if value not in (None, "")}
    items = tuple(
        (FACTS.get(key, key.replace("_", " ")), fact_words(value, key, facts=facts)) for key, value in given.items()
    )
    return [Heading(title), Facts(items)] if items else []
