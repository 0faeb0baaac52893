"""How our files are shown in Snakemake's own report: caption, category, labels. Imports nothing."""

from __future__ import annotations

from typing import Any

CAPTIONS = "../report"  # as the rule files see it
OF_DATASET = {"dataset": "{dataset}"}
SHOWN: dict[str, dict[str, Any]] = {
    "overview": {"category": "Reports", "labels": {"dataset": "all", "file": "report of the study"}},
    "page": {"category": "Reports", "labels": {**OF_DATASET, "file": "report"}},
    "supplement": {"category": "Tables", "labels": {**OF_DATASET, "table": "supplement"}},
    "figures": {"category": "Figures", "labels": {**OF_DATASET, "figure": "{name}"}, "patterns": ["{name}.svg"]},
    "effects": {"category": "Tables", "labels": {**OF_DATASET, "table": "effects on programmes"}},
    "trajectories": {"category": "Tables", "labels": {**OF_DATASET, "table": "courses over time"}},
    "rescue": {"category": "Tables", "labels": {**OF_DATASET, "table": "fractions restored"}},
    "panel": {"category": "Tables", "labels": {**OF_DATASET, "table": "apoptosis panel"}},
    "methods": {"category": "Provenance", "labels": {"file": "methods"}},
    "software": {"category": "Provenance", "labels": {"file": "software"}},
    "inputs": {"category": "Provenance", "labels": {"file": "inputs"}},
}


def in_report(name: str) -> dict[str, Any]:
    """Arguments of Snakemake's `report()` for one of our files.

    Parameters
    ----------
    name
        Of the file's entry here, and of its caption in `workflow/report/`.

    Raises
    ------
    KeyError
        There is no such entry.
    """
    return {"caption": f"{CAPTIONS}/{name}.rst", **SHOWN[name]}
