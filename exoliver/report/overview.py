"""The page of the study: every dataset, what its treatments do to programmes and genes, and where to read on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from exoliver.contrasts import Contrast
from exoliver.figures.words import count, joined, plural
from exoliver.report.elements import Bullets, Files, Link, Page, Prose, Section
from exoliver.report.evidence import NO_PROGRAMME, NONE_TESTED, programme_words
from exoliver.report.naming import effect_words
from exoliver.report.overview_data import DatasetResults, counted_contrasts
from exoliver.report.overview_datasets import datasets_section, shared_words, warnings_section
from exoliver.report.overview_genes import effects_section, genes_section, threshold_words
from exoliver.report.overview_programmes import LEAST_DATASETS, programmes_section, together_words
from exoliver.report.overview_rescue import rescue_section
from exoliver.report.pages import BAND
from exoliver.report.summary import changed_at_some_time, summarise_contrasts

ONE_ALONE = (
    "A study of one dataset has nothing to set side by side: single programmes over datasets and consistent genes need "
    "two datasets with a treatment effect."
)
NOT_POOLED = "No estimate is pooled over datasets: they differ in organism, injury, product, dose and time."
COUNTING = "A programme that is sure in more datasets is not stronger: large datasets are surer of small effects."


def overview_page(datasets: Sequence[DatasetResults], settings: Mapping[str, Any]) -> Page:
    """The study: answer, programmes, rescue, datasets, genes, warnings and files.

    Parameters
    ----------
    datasets
        Of `overview_data.read_study`.
    settings
        The study's `title`, `fdr` and `log2_fold_change_threshold`.
    """
    simulated = [dataset.title for dataset in datasets if dataset.look.simulated]
    band = BAND if len(simulated) == len(datasets) else f"Simulated here: {joined(simulated)}." if simulated else ""
    samples = sum(dataset.check["design"]["samples"] for dataset in datasets)
    facts = (
        ("Datasets", count(len(datasets))),
        ("Samples", count(samples)),
        ("Organisms", joined(sorted({dataset.facts["organism"] for dataset in datasets}))),
        ("False discovery rate", f"{settings['fdr']:g}"),
    )
    return Page(
        title=settings["title"],
        subtitle="Overview of the study",
        facts=facts,
        answer=_answer(datasets, settings),
        aside=None,
        sections=(
            datasets_section(datasets),
            programmes_section(datasets, settings),
            rescue_section(datasets, settings),
            genes_section(datasets, settings),
            effects_section(datasets, settings),
            warnings_section(datasets),
            _files(),
        ),
        cautions=_cautions(datasets),
        band=band,
    )


def _cautions(datasets: Sequence[DatasetResults]) -> tuple[str, ...]:
    """What may not be claimed from datasets side by side."""
    if sum(bool(dataset.treatments) for dataset in datasets) < LEAST_DATASETS:
        return (ONE_ALONE,) if len(datasets) == 1 else ()
    return tuple(filter(None, [NOT_POOLED, COUNTING, shared_words(datasets).strip()]))


def _answer(datasets: Sequence[DatasetResults], settings: Mapping[str, Any]) -> Section:
    """One line for each dataset."""
    lines = tuple(f"{dataset.title}: {_line(dataset, settings)}" for dataset in datasets)
    treated = sum(bool(dataset.treatments) for dataset in datasets)
    alone = "" if len(datasets) == 1 else "; side by side, without a pooled estimate"
    finding = (
        f"{plural(len(datasets), 'dataset')}, {count(treated)} of them with a treatment effect that can be tested "
        f"(false discovery rate {settings['fdr']:g}{threshold_words(settings)}){alone}."
    )
    together = together_words(datasets, settings["fdr"])
    blocks = (Bullets(lines), *([Prose((together,), lead="Together")] if together else []))
    return Section("answer", "Answer", finding, plural(len(datasets), "dataset") + " in a line each", blocks)


def _line(dataset: DatasetResults, settings: Mapping[str, Any]) -> str:
    """What the treatments of one dataset change."""
    if not dataset.treatments:
        return "no treatment effect is testable."
    return f"{'. '.join(_part(dataset, contrast, settings) for contrast in dataset.treatments)}."


def _part(dataset: DatasetResults, contrast: Contrast, settings: Mapping[str, Any]) -> str:
    """What one treatment changes: genes, then programmes."""
    summary = summarise_contrasts(counted_contrasts(dataset.contrasts), dataset.tables, fdr=settings["fdr"])
    row, at_some = summary.loc[contrast.id], changed_at_some_time(summary, contrast)
    changed = f"{plural(row['up'], 'gene')} higher and {count(row['down'])} lower of {count(row['tested'])}"
    if not row["changed"]:
        changed = f"no evidence of a change in any of {plural(row['tested'], 'gene')}"
    beside = "" if at_some is None else f"averaged over times; at some time, {plural(at_some, 'gene')}"
    doubt = "; ".join(filter(None, [beside, row["note"]]))
    found = programme_words(dataset.effects_of(contrast), dataset.entry, fdr=settings["fdr"])
    named = f"; {found}" if found == NONE_TESTED else f"; programmes {found}"
    told = named if found not in ("", NO_PROGRAMME) else ""
    return f"{effect_words(contrast, dataset.look)}: {changed}{f' ({doubt})' if doubt else ''}{told}"


def _files() -> Section:
    """Where the numbers are."""
    items = (
        (Link("preflight.json", "preflight.json"), "problems, warnings and decisions of all datasets"),
        (Link("provenance/methods.md", "provenance/methods.md"), "methods of every dataset, ready to paste"),
        (Link("provenance/software.tsv", "provenance/software.tsv"), "versions of everything that ran"),
        (Link("provenance/inputs.tsv", "provenance/inputs.tsv"), "digests of the files that were read"),
    )
    finding = (
        "Methods are ready to paste, one text for each dataset, and every number of this page is in a file beside it."
    )
    return Section("files", "Methods, versions, files", finding, "Methods and files", (Files(items),))
