"""The page of a dataset, put together from its sections in the order of reading."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from exoliver.figures.words import amount, joined, plural
from exoliver.report.answer import answer_section
from exoliver.report.apoptosis import apoptosis_section
from exoliver.report.arms import arms_section
from exoliver.report.changes import changes_section
from exoliver.report.elements import Link, Page
from exoliver.report.enrichment import enrichment_section
from exoliver.report.explorer import with_explorer
from exoliver.report.ledger import ledger_section
from exoliver.report.limits import limits_of
from exoliver.report.material import Material
from exoliver.report.methods import methods_section
from exoliver.report.naming import has_injury, treated_arms, unit_words
from exoliver.report.over_time import over_time_section
from exoliver.report.programmes import answer_picture, programmes_section
from exoliver.report.quality import quality_section
from exoliver.report.undone import undone_section

BAND = "No animal, cell or sequencing run stands behind these numbers; they show what the pipeline does."
UP = "../../report.html"
PRODUCTS = {"ev": "EV", "msc": "MSC"}


def dataset_page(material: Material, methods: str, *, inputs: pd.DataFrame | None = None) -> Page:
    """One dataset: answer, trust, changes, any gene, time, apoptosis, gene sets, identifiers, arms, methods.

    Parameters
    ----------
    material
        Everything read of the dataset.
    methods
        Its methods text.
    inputs
        Digests of its counts and sample sheet, of `provenance.file_digests`; None where they were not taken.
    """
    facts = material.facts
    page = Page(
        title=facts["title"] or facts["id"],
        subtitle=f"Dataset {facts['id']} of the study “{material.settings['title']}”",
        facts=tuple(page_facts(facts, samples=material.check["design"]["samples"])),
        answer=answer_section(material),
        aside=answer_picture(material),
        sections=(
            quality_section(material),
            changes_section(material),
            programmes_section(material),
            over_time_section(material),
            *([undone_section(material)] if has_injury(facts) else []),
            apoptosis_section(material),
            enrichment_section(material),
            ledger_section(material),
            arms_section(material),
            methods_section(material, methods, inputs=inputs),
        ),
        cautions=tuple(
            limits_of(
                facts,
                material.contrasts,
                look=material.look,
                threshold=material.settings["log2_fold_change_threshold"],
            )
        ),
        up=Link("All datasets of the study", UP),
        band=BAND if material.look.simulated else "",
    )
    return with_explorer(page, material)


def page_facts(facts: Mapping[str, Any], *, samples: int) -> list[tuple[str, str]]:
    """What a reader has to know of the data before the first sentence."""
    items = [
        ("Organism", facts["organism"]),
        ("Samples of", system_words(facts)),
        ("Product", product_words(facts)),
        ("Injury", injury_words(facts) if has_injury(facts) else ""),
        ("n", f"{plural(samples, 'sample')}; replicate: {unit_words(facts)}"),
        ("Accession", facts["accession"] or ""),
        ("Citation", facts["citation"] or ""),
    ]
    return [(term, words) for term, words in items if words]


def system_words(facts: Mapping[str, Any]) -> str:
    """What the samples are of."""
    system, animals = facts["system"], facts["animals"] or {}
    about = [value for key, value in animals.items() if value and key != "diet"]
    return ", ".join(
        [" ".join(filter(None, [system["line"], system["cell_type"], system["kind"].replace("_", " ")])), *about]
    )


def product_words(facts: Mapping[str, Any]) -> str:
    """Products that were given, each with source, species, route and dose; arms that were given the same are joined."""
    words = []
    for name in treated_arms(facts):
        arm = facts["arms"]["levels"][name]
        dose = f"{amount(arm['dose'])} {arm['dose_unit'] or ''}".strip() if arm["dose"] else ""
        product = arm["product"] if arm["product"] != "other" else None
        kind = PRODUCTS.get(product or "", (product or "").replace("_", " "))
        source = " ".join(filter(None, [arm["species"], (arm["source"] or "").replace("_", " "), kind]))
        words.append(", ".join(filter(None, [source, arm["route"], dose])))
    return "; ".join(dict.fromkeys(filter(None, words)))


def injury_words(facts: Mapping[str, Any]) -> str:
    """Model, class, course and mode of death."""
    injury = facts["injury"] or {}
    death = injury.get("death")
    parts = [
        (injury.get("model") or "").replace("_", " "),
        joined(filter(None, [injury.get("course"), injury.get("class")])).replace(" and ", " "),
        f"cell death: {death}" if death else "",
    ]
    return ", ".join(filter(None, parts)) or "stated by the arms alone"
