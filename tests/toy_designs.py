"""The toy of the reports in many designs, each made once."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

from exoliver.contrasts import Cell
from exoliver.report.material import Material
from tests.toy_report import INJURED_ARMS, REFERENCE_ARMS, SIMULATION, make_facts, make_material

HOSTILE = "<script>alert(1)</script>\"'"
UNTREATED = {name: arm for name, arm in INJURED_ARMS.items() if name != "msc"}
ON_HEALTHY = {"healthy": INJURED_ARMS["healthy"], "msc": INJURED_ARMS["msc"] | {"role": "treated_healthy"}}
BASELINES: dict[str, Any] = {
    "naive": {"role": "healthy", "value": "n", "label": "Naive"},
    "sham": {"role": "healthy", "value": "s", "label": "Sham", "against": "naive"},
}
UNLINKED: dict[str, Any] = {
    "first": {"role": "reference", "value": "1", "label": "First"},
    "second": {"role": "reference", "value": "2", "label": "Second"},
}
ASKED_FOR = {"second_over_first": {"of": {"arm": "second"}, "against": {"arm": "first"}}}


def treatments(*names: str) -> dict[str, Any]:
    """Further treated arms beside the drug."""
    return REFERENCE_ARMS | {name: {"role": "treated", "value": name, "label": name.upper()} for name in names}


def with_threshold(toy: Material) -> Material:
    """The same, tested for changes by more than a factor of two."""
    return replace(toy, settings=toy.settings | {"log2_fold_change_threshold": 1.0})


@cache
def material(kind: str) -> Material:
    """The toy in different designs."""
    makers = {
        "injury": lambda: make_material(),
        "simulated": lambda: make_material(make_facts(counts=None, samples=None, simulation=SIMULATION)),
        "reference": lambda: make_material(make_facts(REFERENCE_ARMS)),
        "worm": lambda: make_material(make_facts(REFERENCE_ARMS, organism="worm", days=()), days=()),
        "one_time": lambda: make_material(make_facts(days=()), days=()),
        "no_hits": lambda: make_material(hits=0, sure_sets=False),
        "one_hit": lambda: make_material(hits=1),
        "two_hits": lambda: make_material(hits=2),
        "untreated": lambda: make_material(make_facts(UNTREATED)),
        "alone": lambda: make_material(make_facts({"control": REFERENCE_ARMS["control"]}, days=()), days=()),
        "missing_cell": lambda: make_material(left_out=[Cell("msc", 7.0)]),
        "missing_cell_of_both": lambda: make_material(left_out=[Cell("msc", 7.0), Cell("healthy", 7.0)]),
        "untested": lambda: make_material(untested_sets=True),
        "on_healthy": lambda: make_material(make_facts(ON_HEALTHY)),
        "baselines": lambda: make_material(make_facts(BASELINES, days=()), days=()),
        "asked_for": lambda: make_material(make_facts(UNLINKED, days=(), contrasts=ASKED_FOR), days=()),
        "cited": lambda: make_material(make_facts(accession="GSE1", citation=HOSTILE)),
        "cultured": lambda: make_material(make_facts(REFERENCE_ARMS, system={"kind": "cell_line"}, days=()), days=()),
    }
    return makers[kind]()
