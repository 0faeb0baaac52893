"""The datasets of a study: what was given to whom, what was warned of, and which of them share their source."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from exoliver.figures.style import time_words
from exoliver.figures.words import amount, count, joined, plural
from exoliver.report.arms import fact_words
from exoliver.report.elements import Section, Table, counts, texts
from exoliver.report.naming import has_injury, times_words, treated_arms
from exoliver.report.overview_data import DatasetResults

PRODUCTS = {"ev": "EV", "msc": "MSC"}


def datasets_section(datasets: Sequence[DatasetResults]) -> Section:
    """Metadata of every dataset, one row for each treated arm, with links."""
    rows = [(dataset, arm) for dataset in datasets for arm in treated_arms(dataset.facts) or [""]]
    cells = {
        "Organism": [dataset.facts["organism"] for dataset, _ in rows],
        "Times": [_times(dataset) for dataset, _ in rows],
        "Injury": [_injury_words(dataset) for dataset, _ in rows],
        "Treatment": [_treatment(dataset, arm) for dataset, arm in rows],
        "Route and dose": [_dose(dataset, arm) for dataset, arm in rows],
    }
    titles, pages = [dataset.title for dataset, _ in rows], [dataset.page for dataset, _ in rows]
    named = texts("Dataset", titles, links=pages, details=[_source(dataset) for dataset, _ in rows])
    samples = counts("n", [dataset.check["design"]["samples"] for dataset, _ in rows])
    columns = (named, samples, *(texts(title, values) for title, values in cells.items() if any(values)))
    simulated = sum(dataset.look.simulated for dataset in datasets)
    total = plural(len(datasets), "dataset")
    finding = f"{total}, {count(simulated)} of them simulated.{shared_words(datasets)}"
    caption = (
        "One row for each treated arm, in the order of the study; the name leads to the dataset's page, and accession "
        "and citation are folded below it. n is of the whole dataset; a dash is a fact that its YAML does not give."
    )
    return Section("datasets", "The datasets", finding, total, (Table(caption, columns),))


def by_source(datasets: Sequence[DatasetResults]) -> dict[str, list[DatasetResults]]:
    """Datasets that are witnesses of their own, by the accession that they share, else by their id."""
    found: dict[str, list[DatasetResults]] = {}
    for dataset in datasets:
        found.setdefault(dataset.facts["accession"] or f"dataset {dataset.id}", []).append(dataset)
    return found


def shared_words(datasets: Sequence[DatasetResults]) -> str:
    """Which datasets are of one accession, and so no two witnesses; empty where none are."""
    parts = [
        f"{joined(dataset.title for dataset in own)} ({source})"
        for source, own in by_source(datasets).items()
        if len(own) > 1
    ]
    return f" Of one accession, and so not independent of each other: {'; '.join(parts)}." if parts else ""


def _injury(dataset: DatasetResults) -> dict[str, Any]:
    """Facts of the injury; none where no arm is injured."""
    return (dataset.facts["injury"] or {}) if has_injury(dataset.facts) else {}


def _injury_words(dataset: DatasetResults) -> str:
    """Model, class, course and mode of death."""
    injury = _injury(dataset)
    death = f"{injury['death']} cell death" if injury.get("death") else ""
    model = str(injury.get("model") or "").replace("_", " ")
    return ", ".join(filter(None, [model, injury.get("class"), injury.get("course"), death]))


def _times(dataset: DatasetResults) -> str:
    """Times that have samples, with their unit."""
    times = sorted({cell["time"] for cell in dataset.check["design"]["cells"] if cell["time"] is not None})
    return times_words(times, dataset.look.unit)


def _fact(dataset: DatasetResults, arm: str, key: str) -> str:
    """A fact of a treated arm, in words."""
    return fact_words(dataset.facts["arms"]["levels"][arm][key], key, facts=dataset.facts) if arm else ""


def _treatment(dataset: DatasetResults, arm: str) -> str:
    """The treated arm: what it was given, what that was made from, and of which species."""
    if not arm:
        return "no arm is treated"
    product, source = _fact(dataset, arm, "product"), _fact(dataset, arm, "source")
    given = ", ".join(filter(None, [PRODUCTS.get(product, product), source, _fact(dataset, arm, "species")]))
    return ": ".join(filter(None, [dataset.look.labels[arm], given]))


def _dose(dataset: DatasetResults, arm: str) -> str:
    """Route, dose with its unit, and when it was given."""
    if not arm:
        return ""
    facts = dataset.facts["arms"]["levels"][arm]
    dose = f"{amount(facts['dose'])} {facts['dose_unit'] or ''}".strip() if facts["dose"] else ""
    times = [time_words(time, dataset.look.unit) or f"{time:g}" for time in facts["doses_at"] or []]
    return ", ".join(filter(None, [_fact(dataset, arm, "route"), dose, f"at {joined(times)}" if times else ""]))


def _source(dataset: DatasetResults) -> str:
    """Accession and citation; empty where neither is given."""
    return "; ".join(filter(None, [dataset.facts["accession"], dataset.facts["citation"]]))


def warnings_section(datasets: Sequence[DatasetResults]) -> Section:
    """How many warnings each dataset has, and what they are about."""
    found = [(dataset, warning) for dataset in datasets for warning in dataset.check["warnings"]]
    if not found:
        return Section("warnings", "Warnings", "The preflight gave no warning in any dataset.", "No warning", ())
    links = [f"{dataset.page}#trust" for dataset, _ in found]
    columns = (
        texts("Dataset", [dataset.title for dataset, _ in found], links=links),
        texts("What", [warning["what"] for _, warning in found]),
        texts("What to do", [warning["fix"] for _, warning in found]),
    )
    touched = len({dataset.id for dataset, _ in found})
    finding = f"{plural(len(found), 'warning')} in {count(touched)} of {plural(len(datasets), 'dataset')}."
    table = Table("Every warning of the preflight, in the order of the datasets.", columns)
    return Section("warnings", "Warnings", finding, plural(len(found), "warning"), (table,))
