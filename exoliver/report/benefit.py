"""What an effect on a programme means: benefit or harm where the programme has a wanted direction, else neither."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from exoliver.report.naming import has_injury

WANTED = {"up": 1, "down": -1}  # benefits that have a direction; all others are judged by rescue, or described
# Words of a dataset's cell type or line, and the cells whose benefit they ask for.
CELLS = {
    "stellate": ("stellate", "lx-2", "lx2", "hsc-t6", "myofibroblast"),
    "hepatocyte": ("hepatocyte", "hepg2", "aml12", "huh7", "huh-7"),
    "cholangiocyte": ("cholangiocyte",),
    "endothelial": ("endothelial", "lsec"),
}
THEMES = {
    "cell_death": "Cell death",
    "survival_and_stress": "Survival and stress",
    "inflammation": "Inflammation",
    "fibrosis": "Fibrosis",
    "vessels": "Vessels",
    "regeneration": "Regeneration",
    "hepatocyte": "Hepatocyte functions",
    "tumour_risk": "Tumour risk",
    "cells": "Cell mixture",
    "nuisance": "Nuisances",
}


def benefits_of(entry: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, str]:
    """Benefit of each programme of a collection (`up`, `down`, `toward_healthy`, `depends`) in a dataset's samples.

    Parameters
    ----------
    entry
        Facts of the collection.
    facts
        Plain values of the dataset's YAML. For samples of one cell type its own benefit counts; where nothing is
        injured, nothing can be better or worse for it.
    """
    if not has_injury(facts):
        return {one["gene_set"]: "depends" for one in entry["gene_sets"]}
    cell = cells_of(facts["system"])
    return {
        one["gene_set"]: (one.get("benefit_by_cell_type") or {}).get(cell) or one.get("benefit") or "depends"
        for one in entry["gene_sets"]
    }


def cells_of(system: Mapping[str, Any]) -> str:
    """The one cell type that the samples are of, as collections name it; empty for tissue and for others."""
    words = f"{system.get('cell_type') or ''} {system.get('line') or ''}".lower()
    if system["kind"] in ("tissue", "slices"):
        return ""
    return next((cell for cell, names in CELLS.items() if any(name in words for name in names)), "")


def meaning(estimate: float, benefit: str) -> str:
    """`benefit` or `harm` where the benefit has a direction and the effect is not zero, else `neutral`."""
    if benefit not in WANTED or pd.isna(estimate) or estimate == 0:
        return "neutral"
    return "benefit" if estimate * WANTED[benefit] > 0 else "harm"


def theme_words(entry: Mapping[str, Any]) -> dict[str, str]:
    """What the programmes of a collection speak of, by gene set; empty for sets without a theme."""
    given = {facts["gene_set"]: facts.get("theme") or "" for facts in entry["gene_sets"]}
    return {name: THEMES.get(theme, theme.replace("_", " ").capitalize()) for name, theme in given.items()}
