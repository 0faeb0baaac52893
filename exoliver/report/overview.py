"""The page of the study: every dataset, what its treatments do to the programmes, and where to read on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from exoliver.contrasts import Contrast, from_index
from exoliver.figures.study_matrix import study_matrix
from exoliver.figures.style import Look, make_look
from exoliver.figures.words import amount, count, joined, plural, shortened
from exoliver.report.arms import fact_words
from exoliver.report.elements import Bullets, Files, Link, Page, Prose, Section, Table, counts, picture, texts
from exoliver.report.naming import (
    averaged,
    effect_words,
    has_injury,
    set_order,
    set_titles,
    side_by_side,
    treated_arms,
    when_words,
)
from exoliver.report.pages import BAND
from exoliver.report.summary import strongest, summarise_contrasts
from exoliver.tables import ENRICHMENT, read_alike, read_contrasts, read_json

FACTS = ("product", "source", "route")
MOST_SETS = 4  # programmes named on either side
PAGE = "datasets/{id}/report.html"
TREATMENTS = ("treatment", "product_on_healthy")
SIDE_BY_SIDE = (
    "Datasets are shown side by side; no pooled estimate is made. They differ in organism, injury, product, dose and "
    "time, so that a programme that stands out in one and not in another is not by itself a difference between "
    "products."
)
DESCRIPTION = (
    "The scores describe where the genes of a programme stand in the ranking of all genes. They are no evidence by "
    "themselves, as genes of a programme move together, and their colour is a direction, not a benefit."
)


@dataclass(frozen=True)
class DatasetResults:
    """What the study's page needs of one dataset; the enrichment is that of the followed programmes."""

    id: str
    facts: Mapping[str, Any]
    look: Look
    check: Mapping[str, Any]
    contrasts: tuple[Contrast, ...]
    tables: Mapping[str, pd.DataFrame]
    entry: Mapping[str, Any]
    enrichment: Mapping[str, pd.DataFrame]

    @property
    def title(self) -> str:
        """Title, or the id where there is none."""
        return str(self.facts["title"] or self.id)

    @property
    def page(self) -> str:
        """Path of its page from the study's."""
        return PAGE.format(id=self.id)


def read_study(files: Any, datasets: Mapping[str, Mapping[str, Any]]) -> list[DatasetResults]:
    """Results of every dataset, in the order of the study.

    Parameters
    ----------
    files
        Paths by the names of the rule's inputs.
    datasets
        Plain values of each dataset's YAML, by id, in the order of the files.
    """
    checks = {check["dataset"]: check for check in read_json(files.preflight)["datasets"]}
    places = zip(files.indexes, files.contrasts, files.entries, files.enrichment, strict=True)
    return [
        _read_dataset(name, facts, checks[name], paths)
        for (name, facts), paths in zip(datasets.items(), places, strict=True)
    ]


def _read_dataset(
    name: str, facts: Mapping[str, Any], check: Mapping[str, Any], paths: tuple[str, str, str, str]
) -> DatasetResults:
    """Results of one dataset; gene tables of the averaged effects only."""
    index, folder, entry, enrichment = paths
    contrasts = tuple(from_index(read_json(index)))
    return DatasetResults(
        id=name,
        facts=facts,
        look=make_look(facts["arms"]["levels"], facts["time"], simulated=facts["simulation"] is not None),
        check=check,
        contrasts=contrasts,
        tables=read_contrasts(folder, averaged(contrasts, "injury", *TREATMENTS)),
        entry=read_json(entry),
        enrichment=read_alike(enrichment, ENRICHMENT),
    )


def overview_page(datasets: Sequence[DatasetResults], settings: Mapping[str, Any]) -> Page:
    """The study: answer, datasets, effects, and files.

    Parameters
    ----------
    datasets
        Of `read_study`.
    settings
        The study's `title` and `fdr`.
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
            _matrix(datasets, settings),
            _datasets(datasets),
            _effects(datasets, settings),
            _warnings(datasets),
            _files(),
        ),
        band=band,
    )


def _answer(datasets: Sequence[DatasetResults], settings: Mapping[str, Any]) -> Section:
    """One line for each dataset."""
    lines = tuple(f"{dataset.title}: {_line(dataset, settings)}" for dataset in datasets)
    treated = sum(bool(averaged(dataset.contrasts, *TREATMENTS)) for dataset in datasets)
    finding = (
        f"{plural(len(datasets), 'dataset')}, {count(treated)} of them with a treatment effect that can be tested "
        f"(false discovery rate {settings['fdr']:g}); side by side, without a pooled estimate."
    )
    return Section("answer", "Answer", finding, plural(len(datasets), "dataset") + " in a line each", (Bullets(lines),))


def _line(dataset: DatasetResults, settings: Mapping[str, Any]) -> str:
    """What the treatments of one dataset change."""
    chosen = averaged(dataset.contrasts, *TREATMENTS)
    if not chosen:
        return "no treatment effect is testable."
    summary = summarise_contrasts(chosen, dataset.tables, fdr=settings["fdr"])
    parts = []
    for contrast in chosen:
        row, effect = summary.loc[contrast.id], effect_words(contrast, dataset.look)
        changed = f"{count(row['up'])} genes higher and {count(row['down'])} lower of {count(row['tested'])}"
        ranks = _ranks(dataset, contrast, settings)
        parts.append(f"{effect}: {changed if row['changed'] else 'no evidence of a change in any gene'}{ranks}")
    return f"{'. '.join(parts)}."


def _ranks(dataset: DatasetResults, contrast: Contrast, settings: Mapping[str, Any]) -> str:
    """Programmes that stand higher or lower under one treatment; empty without gene sets."""
    table = dataset.enrichment[contrast.id]
    titles = set_titles(table["gene_set"], dataset.entry)
    sides = strongest(table, settings["fdr"])
    parts = [
        f"{side}: {shortened([titles[name].lower() for name, _, _ in hits], MOST_SETS)}"
        for side, hits in sides.items()
        if hits
    ]
    return f"; by rank alone, {'; '.join(parts)}" if parts else ""


def matrix_rows(datasets: Sequence[DatasetResults]) -> pd.DataFrame:
    """Scores of the programmes under every treatment at each time, of all datasets that have gene sets."""
    parts = []
    for dataset in datasets:
        for contrast in side_by_side(dataset.contrasts, TREATMENTS):
            table = dataset.enrichment[contrast.id][["gene_set", "nes", "padj"]]
            titles = set_titles(table["gene_set"], dataset.entry)
            order = set_order(table["gene_set"], dataset.entry)
            table = table.sort_values("gene_set", key=lambda names, own=order: names.map(own))
            parts.append(
                table.assign(
                    title=table["gene_set"].map(titles),
                    dataset=dataset.title,
                    effect=effect_words(contrast, dataset.look),
                    when=when_words(contrast, dataset.look),
                )
            )
    filled = [part for part in parts if len(part)]
    columns = ["gene_set", "nes", "padj", "title", "dataset", "effect", "when"]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=columns)


def _matrix(datasets: Sequence[DatasetResults], settings: Mapping[str, Any]) -> Section:
    """Programmes x datasets x times."""
    title = "Programmes across datasets"
    rows = matrix_rows(datasets)
    if not rows["nes"].notna().any():
        finding = "Left out, because no dataset has both gene sets and a treatment effect."
        return Section("programmes", title, finding, "Left out: no gene sets", ())
    sure = rows[rows["padj"] < settings["fdr"]]
    seen = sure.groupby("title")["dataset"].nunique()
    total = rows["dataset"].nunique()
    parts = [f"{name.lower()} in {count(seen.get(name, 0))}" for name in dict.fromkeys(rows["title"])]
    of = f"{plural(total, 'dataset')} with gene sets"
    finding = f"Programmes that a treatment moves by rank at some time, of {of}: {joined(parts)}."
    look = Look({}, {}, simulated=any(dataset.look.simulated for dataset in datasets))
    figure = picture(
        study_matrix(rows, look, fdr=settings["fdr"]),
        f"Enrichment scores (NES) under treatment; a dot marks an adjusted p-value below {settings['fdr']:g}, an "
        "empty place was not tested.",
        has_file=False,
    )
    left_out = [dataset.title for dataset in datasets if dataset.title not in set(rows["dataset"])]
    notes = [Prose((f"Without gene sets or treatment, and so not shown: {joined(left_out)}.",))] if left_out else []
    return Section(
        "programmes", title, finding, f"{count(total)} datasets by rank", (Prose((DESCRIPTION,)), figure, *notes)
    )


def _datasets(datasets: Sequence[DatasetResults]) -> Section:
    """Metadata of every dataset, with links."""
    injuries = [_injury(dataset) for dataset in datasets]
    columns = (
        texts("Dataset", [dataset.title for dataset in datasets], links=[dataset.page for dataset in datasets]),
        texts("Simulated", ["yes" if dataset.look.simulated else "no" for dataset in datasets]),
        texts("Organism", [dataset.facts["organism"] for dataset in datasets]),
        counts("n", [dataset.check["design"]["samples"] for dataset in datasets]),
        counts("Warnings", [len(dataset.check["warnings"]) for dataset in datasets]),
        *(texts(key.capitalize(), [_of_arms(dataset, key) for dataset in datasets]) for key in FACTS),
        texts("Dose", [_doses(dataset) for dataset in datasets]),
        *([texts("Injury", injuries)] if any(injuries) else []),
    )
    simulated = sum(dataset.look.simulated for dataset in datasets)
    finding = f"{plural(len(datasets), 'dataset')}, {count(simulated)} of them simulated."
    caption = "Every dataset in the order of the study; its name leads to its page."
    return Section("datasets", "The datasets", finding, plural(len(datasets), "dataset"), (Table(caption, columns),))


def _injury(dataset: DatasetResults) -> str:
    """Model, class and course of the injury."""
    injury = (dataset.facts["injury"] or {}) if has_injury(dataset.facts) else {}
    model = (injury.get("model") or "").replace("_", " ")
    return ", ".join(filter(None, [model, injury.get("class"), injury.get("course")]))


def _of_arms(dataset: DatasetResults, key: str) -> str:
    """A fact of the treated arms, each value once."""
    levels = dataset.facts["arms"]["levels"]
    values = [fact_words(levels[name][key], key, facts=dataset.facts) for name in treated_arms(dataset.facts)]
    return joined(dict.fromkeys(filter(None, values)))


def _doses(dataset: DatasetResults) -> str:
    """Doses with their units, each once."""
    arms = [dataset.facts["arms"]["levels"][name] for name in treated_arms(dataset.facts)]
    doses = [f"{amount(arm['dose'])} {arm['dose_unit'] or ''}".strip() for arm in arms if arm["dose"]]
    return joined(dict.fromkeys(doses))


def _effects(datasets: Sequence[DatasetResults], settings: Mapping[str, Any]) -> Section:
    """Numbers of genes in every averaged effect."""
    rows: list[dict[str, Any]] = []
    for dataset in datasets:
        chosen = averaged(dataset.contrasts, "injury", *TREATMENTS)
        summary = summarise_contrasts(chosen, dataset.tables, fdr=settings["fdr"])
        rows += [
            {
                "dataset": dataset.title,
                "effect": effect_words(contrast, dataset.look),
                "link": f"datasets/{dataset.id}/contrasts/{contrast.id}.tsv",
                **summary.loc[contrast.id, ["tested", "changed", "up", "down", "note"]].to_dict(),
            }
            for contrast in chosen
        ]
    table = pd.DataFrame(rows, columns=["dataset", "effect", "link", "tested", "changed", "up", "down", "note"])
    columns = (
        texts("Dataset", table["dataset"]),
        texts("Effect", table["effect"], links=list(table["link"])),
        counts("Tested", table["tested"]),
        counts("Changed", table["changed"]),
        counts("Higher", table["up"]),
        counts("Lower", table["down"]),
        texts("Note", table["note"]),
    )
    most = table.loc[table["changed"].astype(int).idxmax()] if len(table) else None
    finding = (
        f"Between {count(table['changed'].min())} and {count(most['changed'])} genes change in an averaged effect, "
        f"most in {most['effect']} ({most['dataset']})."
        if most is not None
        else "No averaged effect can be estimated."
    )
    caption = (
        f"Genes with an adjusted p-value below {settings['fdr']:g} in the effects averaged over times, dataset by "
        "dataset. Numbers of genes depend on the number of samples: they do not compare strengths between datasets."
    )
    short = f"{plural(len(table), 'averaged effect')}"
    return Section("effects", "Genes that change", finding, short, (Prose((SIDE_BY_SIDE,)), Table(caption, columns)))


def _warnings(datasets: Sequence[DatasetResults]) -> Section:
    """How many warnings each dataset has, and what they are about."""
    found = [(dataset, warning) for dataset in datasets for warning in dataset.check["warnings"]]
    if not found:
        return Section("warnings", "Warnings", "The preflight gave no warning in any dataset.", "No warning", ())
    columns = (
        texts(
            "Dataset", [dataset.title for dataset, _ in found], links=[f"{dataset.page}#trust" for dataset, _ in found]
        ),
        texts("What", [warning["what"] for _, warning in found]),
        texts("What to do", [warning["fix"] for _, warning in found]),
    )
    touched = len({dataset.id for dataset, _ in found})
    finding = f"{plural(len(found), 'warning')} in {count(touched)} of {plural(len(datasets), 'dataset')}."
    table = Table("Every warning of the preflight, in the order of the datasets.", columns)
    return Section("warnings", "Warnings", finding, plural(len(found), "warning"), (table,))


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
