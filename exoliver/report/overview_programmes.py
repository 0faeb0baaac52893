"""Programmes across the datasets of a study: the matrix of effects, and single programmes with their intervals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from exoliver.figures.dataset_forest import programme_forest
from exoliver.figures.study_matrix import study_matrix
from exoliver.figures.words import count, joined, plural, shortened
from exoliver.report.elements import Prose, Section, picture
from exoliver.report.evidence import asides, untested_words, within
from exoliver.report.naming import estimable, set_titles, side_by_side
from exoliver.report.overview_data import TREATMENTS, DatasetResults, study_look
from exoliver.report.programmes import judged_words
from exoliver.report.tiles import COLUMNS, chosen_programmes, effect_rows, shown_contrasts

MOST_PROGRAMMES = 30  # of the matrix by p-value
MOST_FORESTS = 8
MOST_NAMED = 8  # programmes of the finding
LEAST_DATASETS = 2  # of a comparison across datasets
ALL_TIMES = "tests of all times at once"
SIDE_BY_SIDE = (
    "Datasets are shown side by side; no pooled estimate is made. They differ in organism, injury, product, dose and "
    "time, so that a programme that stands out in one and not in another is not by itself a difference between "
    "products."
)
DESCRIPTION = (
    "The effects are those of linear models of each programme's score in its own dataset, in log2: 1 is a doubling of "
    "the mean expression of its genes."
)


def matrix_rows(datasets: Sequence[DatasetResults], most: int = MOST_PROGRAMMES) -> pd.DataFrame:
    """Effects on the surest programmes of every treatment at each time, of all datasets in which one was tested.

    Parameters
    ----------
    datasets
        Of the study.
    most
        Programmes that are chosen by their smallest p-value; those with a wanted direction are always among them.

    Returns
    -------
    `tiles.COLUMNS` and `dataset`, in the order of the collection. A programme that a dataset does not know is a row
    whose state says that it was not measured.
    """
    parts = []
    for dataset in datasets:
        chosen = shown_contrasts(dataset.contrasts, TREATMENTS)
        rows = effect_rows(dataset.effects, chosen, entry=dataset.entry, facts=dataset.facts, look=dataset.look)
        if rows["value"].notna().any():
            parts.append(rows.assign(dataset=dataset.title))
    if not parts:
        return pd.DataFrame(columns=[*COLUMNS, "dataset"])
    rows = pd.concat(parts, ignore_index=True)
    rows = rows[rows["programme"].isin(chosen_programmes(rows, most))]
    return _filled(rows).sort_values("place", kind="stable", ignore_index=True)


def _filled(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows, and one for every programme that a dataset does not have."""
    facts = rows.drop_duplicates("programme").set_index("programme")[["title", "theme", "place"]]
    missing = []
    for (dataset, effect, when), own in rows.groupby(["dataset", "effect", "when"], sort=False):
        lost = facts.loc[~facts.index.isin(own["programme"])].reset_index()
        missing.append(lost.assign(dataset=dataset, effect=effect, when=when, meaning="neutral", state="not measured"))
    extra = pd.concat(missing, ignore_index=True)
    return pd.concat([rows, extra], ignore_index=True) if len(extra) else rows


def programmes_section(datasets: Sequence[DatasetResults], settings: Mapping[str, Any]) -> Section:
    """Programmes x datasets x times, and the forests of those with evidence in most datasets."""
    title, rows = "Programmes across datasets", matrix_rows(datasets)
    if rows.empty:
        return Section("programmes", title, f"Left out, because {lacking_words(datasets)}.", "Left out", ())
    total, fdr = rows["dataset"].nunique(), settings["fdr"]
    figure = picture(
        study_matrix(rows, study_look(datasets), fdr=fdr),
        f"log2 effects of treatments on {plural(rows['programme'].nunique(), 'programme')}, those with the smallest "
        "p-values and those with a direction that is wanted; the larger the tile, the surer the effect. "
        f"{judged_words(rows)} Grey is neither. Triangles point up where an effect with evidence is raised, else down.",
        has_file=False,
    )
    left_out = [dataset.title for dataset in datasets if dataset.title not in set(rows["dataset"])]
    why = "Not shown, as there is no treatment effect, no gene set, or none that could be tested"
    notes = [Prose((f"{why}: {joined(left_out)}.",))] if left_out else []
    blocks = (Prose((DESCRIPTION,)), figure, *notes, *_forests(datasets, fdr))
    short = f"{plural(total, 'dataset')} side by side"
    return Section("programmes", title, _finding(datasets, total, fdr), short, blocks)


def _finding(datasets: Sequence[DatasetResults], total: int, fdr: float) -> str:
    """Which programmes change in how many datasets."""
    seen = Counter(name for dataset in datasets for name in changed_programmes(dataset, fdr))
    of = f"{plural(total, 'dataset')} in which programmes could be tested"
    if not seen:
        return f"There is no evidence that a treatment changes a programme at any time in any of {of} ({ALL_TIMES})."
    most = sorted(seen, key=lambda name: (-seen[name], name))
    named = shortened([f"{within(name)} in {count(seen[name])}" for name in most], MOST_NAMED)
    return f"Programmes that a treatment changes at some time, of {of} ({ALL_TIMES}): {named}."


def together_words(datasets: Sequence[DatasetResults], fdr: float) -> str:
    """The programmes that treatments change in the most datasets, where that is two or more; else empty."""
    total = matrix_rows(datasets)["dataset"].nunique()
    seen = Counter(name for dataset in datasets for name in changed_programmes(dataset, fdr))
    most = max(seen.values(), default=0)
    if most < LEAST_DATASETS:
        return ""
    names = shortened(sorted(within(name) for name in seen if seen[name] == most), MOST_NAMED)
    return (
        f"In {count(most)} of {plural(total, 'dataset')} in which programmes could be tested, treatments change "
        f"{names} at some time, in whichever direction: a count of datasets, not a pooled effect."
    )


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
    known = [table[["contrast", "programme", "padj"]] for table in (dataset.changes, dataset.effects) if len(table)]
    if not known:
        return []
    tests = pd.concat(known)
    found = tests[tests["contrast"].isin(names) & (tests["padj"] < fdr).fillna(False)]["programme"].unique()
    told = [name for name in found if name not in asides(dataset.entry)]
    return list(set_titles(told, dataset.entry).values())


def forest_rows(datasets: Sequence[DatasetResults], fdr: float) -> pd.DataFrame:
    """Effects on the programmes with evidence in most datasets, the most datasets first.

    Parameters
    ----------
    datasets
        Of the study.
    fdr
        Level of evidence.

    Returns
    -------
    Columns of `matrix_rows`, `row` and `datasets` (how many have evidence at some time); no row where fewer than two
    datasets were tested.
    """
    rows = matrix_rows(datasets, most=10**6)
    if rows.empty or rows["dataset"].nunique() < LEAST_DATASETS:
        return rows.iloc[:0].assign(row="", datasets=0)
    seen = Counter(name for dataset in datasets for name in changed_programmes(dataset, fdr))
    smallest = rows.groupby("title")["pvalue"].min()
    spread = rows.dropna(subset=["value"]).groupby("title")["dataset"].nunique()
    titles = [name for name in seen if spread.get(name, 0) >= LEAST_DATASETS]
    first = sorted(titles, key=lambda name: (-seen[name], smallest[name], name))[:MOST_FORESTS]
    own = rows[rows["title"].isin(first)]
    words = [", ".join(filter(None, pair)) for pair in zip(own["effect"], own["when"], strict=True)]
    placed = own.assign(row=words, datasets=own["title"].map(seen), turn=[first.index(name) for name in own["title"]])
    order = {dataset.title: place for place, dataset in enumerate(datasets)}
    by_dataset = placed.assign(order=placed["dataset"].map(order))
    return by_dataset.sort_values(["turn", "order"], kind="stable", ignore_index=True)


def _forests(datasets: Sequence[DatasetResults], fdr: float) -> list[Any]:
    """The picture of single programmes; none where a study has too few datasets for it."""
    rows = forest_rows(datasets, fdr)
    if rows.empty:
        return []
    caption = (
        "Programmes for which the most datasets have evidence at some time, the most datasets first: log2 effects with "
        f"95 % intervals at each time, filled points with an adjusted p-value below {fdr:g}. There is no pooled "
        "estimate; a synthesis over datasets is not part of this version."
    )
    return [picture(programme_forest(rows, study_look(datasets), fdr=fdr), caption, has_file=False)]


def lacking_words(datasets: Sequence[DatasetResults]) -> str:
    """Why there is no effect on any programme in any dataset."""
    tables = [
        dataset.effects_of(contrast) for dataset in datasets for contrast in side_by_side(dataset.contrasts, TREATMENTS)
    ]
    if not tables:
        return "no dataset has a treatment effect that can be estimated"
    untested = untested_words(tables)
    return (
        f"no programme could be tested: {untested}" if untested else "no dataset with a treatment effect has gene sets"
    )
