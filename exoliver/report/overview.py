"""The page of the study: every dataset, what its treatments do to the programmes, and where to read on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from exoliver.contrasts import Contrast
from exoliver.figures.study_matrix import study_matrix
from exoliver.figures.style import Look, make_look
from exoliver.figures.words import amount, beyond, count, joined, plural
from exoliver.report.arms import fact_words
from exoliver.report.elements import Bullets, Files, Link, Page, Prose, Section, Table, counts, picture, texts
from exoliver.report.evidence import NO_PROGRAMME, NONE_TESTED, asides, programme_words, untested_words, within
from exoliver.report.naming import (
    averaged,
    dataset_titles,
    effect_words,
    estimable,
    has_injury,
    set_order,
    set_titles,
    side_by_side,
    treated_arms,
    when_words,
)
from exoliver.report.pages import BAND
from exoliver.report.summary import changed_at_some_time, range_words, summarise_contrasts
from exoliver.tables import CHANGES, EFFECTS, read_contrasts, read_index, read_json, read_table

FACTS = ("product", "source", "route")
MOST_PROGRAMMES = 12
ALL_TIMES = "tests of all times at once"
PAGE = "datasets/{id}/report.html"
TREATMENTS = ("treatment", "product_on_healthy")
SIDE_BY_SIDE = (
    "Datasets are shown side by side; no pooled estimate is made. They differ in organism, injury, product, dose and "
    "time, so that a programme that stands out in one and not in another is not by itself a difference between "
    "products."
)
DESCRIPTION = (
    "The effects are those of linear models of each programme's score in its own dataset, in log2: 1 is a doubling of "
    "the mean expression of its genes. Their colour is a direction, not a benefit."
)


@dataclass(frozen=True)
class DatasetResults:
    """What the study's page needs of one dataset; the effects are those on the followed programmes.

    No two datasets of a study have the same `title`.
    """

    id: str
    title: str
    facts: Mapping[str, Any]
    look: Look
    check: Mapping[str, Any]
    contrasts: tuple[Contrast, ...]
    tables: Mapping[str, pd.DataFrame]
    entry: Mapping[str, Any]
    effects: pd.DataFrame
    changes: pd.DataFrame

    def effects_of(self, contrast: Contrast) -> pd.DataFrame:
        """Effects of one contrast on the programmes."""
        return self.effects[self.effects["contrast"] == contrast.id]

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
    titles = dataset_titles(datasets)
    places = zip(files.indexes, files.contrasts, files.entries, files.effects, files.changes, strict=True)
    return [
        _read_dataset(name, titles[name], facts, check=checks[name], paths=paths)
        for (name, facts), paths in zip(datasets.items(), places, strict=True)
    ]


def _read_dataset(
    name: str, title: str, facts: Mapping[str, Any], *, check: Mapping[str, Any], paths: tuple[str, str, str, str, str]
) -> DatasetResults:
    """Results of one dataset; of the gene tables, those of averaged effects and of all times at once."""
    index, folder, entry, effects, changes = paths
    contrasts = tuple(read_index(index))
    return DatasetResults(
        id=name,
        title=title,
        facts=facts,
        look=make_look(facts["arms"]["levels"], facts["time"], simulated=facts["simulation"] is not None),
        check=check,
        contrasts=contrasts,
        tables=read_contrasts(folder, counted_contrasts(contrasts)),
        entry=read_json(entry),
        effects=read_table(effects, EFFECTS),
        changes=read_table(changes, CHANGES),
    )


def counted_contrasts(contrasts: Sequence[Contrast]) -> list[Contrast]:
    """The contrasts whose genes are counted: averaged effects, and the tests of all their times at once."""
    any_time = [contrast for contrast in estimable(contrasts) if contrast.form == "any_time"]
    return [*averaged(contrasts, "injury", *TREATMENTS), *any_time]


def overview_page(datasets: Sequence[DatasetResults], settings: Mapping[str, Any]) -> Page:
    """The study: answer, datasets, effects, and files.

    Parameters
    ----------
    datasets
        Of `read_study`.
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
        f"(false discovery rate {settings['fdr']:g}{_threshold(settings)}); side by side, without a pooled estimate."
    )
    return Section("answer", "Answer", finding, plural(len(datasets), "dataset") + " in a line each", (Bullets(lines),))


def _threshold(settings: Mapping[str, Any]) -> str:
    """What averaged effects are tested against, where that is not zero."""
    threshold = settings["log2_fold_change_threshold"]
    return f", changes beyond {beyond(threshold)}" if threshold else ""


def _line(dataset: DatasetResults, settings: Mapping[str, Any]) -> str:
    """What the treatments of one dataset change."""
    chosen = averaged(dataset.contrasts, *TREATMENTS)
    if not chosen:
        return "no treatment effect is testable."
    summary = summarise_contrasts(counted_contrasts(dataset.contrasts), dataset.tables, fdr=settings["fdr"])
    parts = []
    for contrast in chosen:
        row, at_some = summary.loc[contrast.id], changed_at_some_time(summary, contrast)
        changed = f"{plural(row['up'], 'gene')} higher and {count(row['down'])} lower of {count(row['tested'])}"
        if not row["changed"]:
            changed = f"no evidence of a change in any of {plural(row['tested'], 'gene')}"
        beside = "" if at_some is None else f"averaged over times; at some time, {plural(at_some, 'gene')}"
        doubt = "; ".join(filter(None, [beside, row["note"]]))
        found = programme_words(dataset.effects_of(contrast), dataset.entry, fdr=settings["fdr"])
        named = f"; {found}" if found == NONE_TESTED else f"; programmes {found}"
        told = named if found not in ("", NO_PROGRAMME) else ""
        parts.append(f"{effect_words(contrast, dataset.look)}: {changed}{f' ({doubt})' if doubt else ''}{told}")
    return f"{'. '.join(parts)}."


def matrix_rows(datasets: Sequence[DatasetResults]) -> pd.DataFrame:
    """Effects on the surest programmes of every treatment at each time, of all datasets in which one was tested."""
    parts = []
    for dataset in datasets:
        for contrast in side_by_side(dataset.contrasts, TREATMENTS):
            table = dataset.effects_of(contrast)[["programme", "estimate", "pvalue", "padj"]]
            table = table[~table["programme"].isin(asides(dataset.entry))]
            titles = set_titles(table["programme"], dataset.entry)
            order = set_order(table["programme"], dataset.entry)
            table = table.sort_values("programme", key=lambda names, own=order: names.map(own))
            parts.append(
                table.assign(
                    value=table["estimate"],
                    title=table["programme"].map(titles),
                    dataset=dataset.title,
                    effect=effect_words(contrast, dataset.look),
                    when=when_words(contrast, dataset.look),
                )
            )
    tested = {part["dataset"].iloc[0] for part in parts if part["value"].notna().any()}
    filled = [part for part in parts if len(part) and part["dataset"].iloc[0] in tested]
    columns = ["programme", "value", "pvalue", "padj", "title", "dataset", "effect", "when"]
    rows = pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=columns)
    first = rows.groupby("programme")["pvalue"].min().sort_values(kind="stable").dropna().head(MOST_PROGRAMMES).index
    return rows[rows["programme"].isin(first)].reset_index(drop=True)


def _matrix(datasets: Sequence[DatasetResults], settings: Mapping[str, Any]) -> Section:
    """Programmes x datasets x times."""
    title = "Programmes across datasets"
    rows = matrix_rows(datasets)
    if rows.empty:
        return Section("programmes", title, f"Left out, because {_lacking(datasets)}.", "Left out", ())
    total = rows["dataset"].nunique()
    seen = Counter(title for dataset in datasets for title in changed_programmes(dataset, settings["fdr"]))
    parts = [f"{within(name)} in {count(seen[name])}" for name in dict.fromkeys(rows["title"])]
    of = f"{plural(total, 'dataset')} in which programmes could be tested"
    finding = f"Programmes that a treatment changes at some time, of {of} ({ALL_TIMES}): {joined(parts)}."
    look = Look({}, {}, simulated=any(dataset.look.simulated for dataset in datasets))
    figure = picture(
        study_matrix(rows, look, fdr=settings["fdr"]),
        f"log2 effects of treatments on the {plural(rows['programme'].nunique(), 'programme')} with the smallest "
        f"p-values; a dot marks an adjusted p-value below {settings['fdr']:g}, an empty place was not tested.",
        has_file=False,
    )
    left_out = [dataset.title for dataset in datasets if dataset.title not in set(rows["dataset"])]
    why = "Not shown, as there is no treatment effect, no gene set, or none that could be tested"
    notes = [Prose((f"{why}: {joined(left_out)}.",))] if left_out else []
    short = f"{plural(total, 'dataset')} side by side"
    return Section("programmes", title, finding, short, (Prose((DESCRIPTION,)), figure, *notes))


def changed_programmes(dataset: DatasetResults, fdr: float) -> list[str]:
    """Titles of the programmes that a treatment of a dataset changes at some time, each once.

    Parameters
    ----------
    dataset
        Its effects and changes.
    fdr
        Level of the test of all times at once; of the averaged effect where there is one time.
    """
    chosen = [one for one in estimable(dataset.contrasts) if one.kind in TREATMENTS]
    timed = {one.effect for one in chosen if one.form == "any_time"}
    names = [one.id for one in chosen if one.form == "any_time" or (one.form == "averaged" and one.effect not in timed)]
    tests = pd.concat(
        [dataset.changes[["contrast", "programme", "padj"]], dataset.effects[["contrast", "programme", "padj"]]]
    )
    found = tests[tests["contrast"].isin(names) & (tests["padj"] < fdr).fillna(False)]["programme"].unique()
    return list(set_titles(found, dataset.entry).values())


def _lacking(datasets: Sequence[DatasetResults]) -> str:
    """Why there is no score of any programme in any dataset."""
    tables = [
        dataset.effects_of(contrast) for dataset in datasets for contrast in side_by_side(dataset.contrasts, TREATMENTS)
    ]
    if not tables:
        return "no dataset has a treatment effect that can be estimated"
    untested = untested_words(tables)
    return (
        f"no programme could be tested: {untested}" if untested else "no dataset with a treatment effect has gene sets"
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
        summary = summarise_contrasts(counted_contrasts(dataset.contrasts), dataset.tables, fdr=settings["fdr"])
        rows += [
            {
                "dataset": dataset.title,
                "effect": effect_words(contrast, dataset.look),
                "link": f"datasets/{dataset.id}/contrasts/{contrast.id}.tsv",
                **summary.loc[contrast.id, ["tested", "changed", "up", "down", "note"]].to_dict(),
                "at_some": changed_at_some_time(summary, contrast),
            }
            for contrast in chosen
        ]
    table = pd.DataFrame(
        rows, columns=["dataset", "effect", "link", "tested", "changed", "up", "down", "note", "at_some"]
    )
    columns = (
        texts("Dataset", table["dataset"]),
        texts("Effect", table["effect"], links=list(table["link"])),
        counts("Tested", table["tested"]),
        counts("Changed", table["changed"]),
        counts("Higher", table["up"]),
        counts("Lower", table["down"]),
        *([counts("At some time", table["at_some"])] if table["at_some"].notna().any() else []),
        texts("Note", table["note"]),
    )
    caption = (
        f"Genes with an adjusted p-value below {settings['fdr']:g}{_threshold(settings)} in the effects averaged over "
        "times, dataset by dataset; at some time are those of the test of all times at once, against zero. Numbers of "
        "genes depend on the number of samples: they do not compare strengths between datasets."
    )
    blocks = (Prose((SIDE_BY_SIDE,)), Table(caption, columns)) if rows else ()
    return Section("effects", "Genes that change", range_words(table), plural(len(table), "averaged effect"), blocks)


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
