"""Genes across the datasets of a study: which move the same way, and how many move in each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from exoliver.consistency import LEAST_DATASETS, consistent_genes, expected_by_number
from exoliver.figures.words import beyond, count, joined, number, plural
from exoliver.report.elements import Prose, Section, Table, counts, effects, pvalues, texts
from exoliver.report.naming import averaged, effect_words
from exoliver.report.overview_data import TREATMENTS, DatasetResults, counted_contrasts
from exoliver.report.overview_datasets import by_source
from exoliver.report.overview_programmes import SIDE_BY_SIDE
from exoliver.report.summary import changed_at_some_time, range_words, summarise_contrasts

MOST_GENES = 40
MOST_NAMED = 5
MOST_DATASETS = 6  # with a column of effects each
TITLE = "Consistent genes"
# Genes by which the preflight compares the clock of arms: they follow the hour of sampling in any liver.
CLOCK = ("ARNTL", "BMAL1", "NPAS2", "DBP", "NR1D1", "NR1D2", "PER2", "PER3", "CIART")
CLOCK_WORDS = (
    "{genes} of the clock {are} among them: arms that were sampled at different hours look the same in any dataset, "
    "and what the clock drives cannot be told apart from the treatment."
)
MEANING = (
    "A gene is consistent where a treatment moves it in one direction, with evidence of its own, in two datasets or "
    "more, and in the other direction in none. Effects are those averaged over times; genes of different species go by "
    "their human symbol. Nothing is pooled: a gene without evidence in a dataset may still be moved there, and a gene "
    "that a dataset did not test could not have shown it. Datasets of one accession count once."
)


def genes_section(datasets: Sequence[DatasetResults], settings: Mapping[str, Any]) -> Section:
    """The genes that most datasets move the same way; what it needs, where there are too few datasets."""
    tables = treatment_tables(datasets)
    if len(tables) < LEAST_DATASETS:
        has = f"this study has {count(len(tables)) if tables else 'none'}"
        needs = f"It takes two datasets with a treatment effect to call a gene consistent; {has}."
        return Section("consistent", TITLE, needs, "Needs two datasets", ())
    found = consistent_genes(tables, fdr=settings["fdr"])
    expected = expected_by_number(tables, fdr=settings["fdr"])
    chance = f"about {number(expected)} would be by number alone, were the datasets unrelated"
    finding = _finding(found, total=len(tables), chance=chance)
    blocks: list[Any] = [Prose(tuple(filter(None, [MEANING, _clock_words(found)])))]
    blocks += [_table(found, tables)] if len(found) else []
    shown = plural(len(found), "gene")
    return Section("consistent", TITLE, finding, f"{shown} in two datasets or more", tuple(blocks))


def _clock_words(found: pd.DataFrame) -> str:
    """Which clock genes are among the consistent ones; empty where none is."""
    genes = [gene for gene in found["gene"] if str(gene).upper() in CLOCK]
    return CLOCK_WORDS.format(genes=joined(genes), are="are" if len(genes) > 1 else "is") if genes else ""


def treatment_tables(datasets: Sequence[DatasetResults]) -> dict[str, list[pd.DataFrame]]:
    """Gene tables of the averaged treatment effects of every dataset that has one, by its title.

    Datasets of one accession are one witness, under the titles of both.
    """
    return {
        joined(one.title for one in own): [one.tables[contrast.id] for one in own for contrast in one.treatments]
        for own in by_source([dataset for dataset in datasets if dataset.treatments]).values()
    }


def _finding(found: pd.DataFrame, *, total: int, chance: str) -> str:
    """How many there are, of how many datasets, and how many chance would make."""
    if found.empty:
        return (
            f"There is no evidence of a gene that treatments move the same way in two or more of {count(total)} "
            f"datasets ({chance})."
        )
    most = int(found[["raised", "lowered"]].max(axis=1).max())
    named = [row.gene for row in found.head(MOST_NAMED).itertuples()]
    first = f"first {joined(named)}" if len(found) > MOST_NAMED else joined(named)
    verb = "moves" if len(found) == 1 else "move"
    return (
        f"{plural(len(found), 'gene')} {verb} the same way, with evidence, in two or more of {count(total)} datasets, "
        f"at most in {count(most)}: {first} ({chance})."
    )


def _table(found: pd.DataFrame, tables: Mapping[str, Sequence[pd.DataFrame]]) -> Table:
    """The first genes, with the effect in every dataset."""
    rows = found.head(MOST_GENES)
    shown = list(tables)[:MOST_DATASETS]
    sides = ["raised" if row.raised else "lowered" for row in rows.itertuples()]
    columns = (
        texts("Gene", rows["gene"]),
        texts("Treatment", sides),
        counts("Datasets with evidence", rows[["raised", "lowered"]].max(axis=1)),
        counts("Datasets that tested it", rows["tested"]),
        pvalues("Largest adjusted p of these", rows["weakest_padj"]),
        *(effects(f"{name}, log2", [own.get(name) for own in rows["effects"]]) for name in shown),
    )
    rest = f" Effects of the first {count(MOST_DATASETS)} datasets are shown." if len(tables) > MOST_DATASETS else ""
    caption = (
        "Genes with evidence of one direction in the most datasets, then those with the smallest of the largest "
        f"adjusted p-values; {count(len(rows))} of {count(len(found))}. Of a dataset with several treatments the "
        f"effect with the smallest p-value is shown.{rest}"
    )
    return Table(caption, columns)


def effects_section(datasets: Sequence[DatasetResults], settings: Mapping[str, Any]) -> Section:
    """Numbers of genes in every averaged effect."""
    table = _effect_rows(datasets, settings["fdr"])
    columns = (
        texts("Dataset", table["dataset"]),
        texts("Effect", table["effect"], links=list(table["link"])),
        counts("Tested", table["tested"]),
        counts("Changed", table["changed"]),
        counts("Higher", table["up"]),
        counts("Lower", table["down"]),
        *([counts("At some time", table["at_some"])] if table["at_some"].notna().any() else []),
        *([texts("Note", table["note"])] if any(table["note"]) else []),
    )
    caption = (
        f"Genes with an adjusted p-value below {settings['fdr']:g}{threshold_words(settings)} in the effects averaged "
        "over times, dataset by dataset; at some time are those of the test of all times at once, against zero. "
        "Numbers of genes depend on the number of samples: they do not compare strengths between datasets."
    )
    blocks = (Prose((SIDE_BY_SIDE,)), Table(caption, columns)) if len(table) else ()
    return Section("effects", "Genes that change", range_words(table), plural(len(table), "averaged effect"), blocks)


def _effect_rows(datasets: Sequence[DatasetResults], fdr: float) -> pd.DataFrame:
    """One row for each averaged effect of each dataset."""
    rows = []
    for dataset in datasets:
        summary = summarise_contrasts(counted_contrasts(dataset.contrasts), dataset.tables, fdr=fdr)
        rows += [
            {
                "dataset": dataset.title,
                "effect": effect_words(contrast, dataset.look),
                "link": f"datasets/{dataset.id}/contrasts/{contrast.id}.tsv",
                **summary.loc[contrast.id, ["tested", "changed", "up", "down", "note"]].to_dict(),
                "at_some": changed_at_some_time(summary, contrast),
            }
            for contrast in averaged(dataset.contrasts, "injury", *TREATMENTS)
        ]
    columns = ["dataset", "effect", "link", "tested", "changed", "up", "down", "note", "at_some"]
    return pd.DataFrame(rows, columns=columns)


def threshold_words(settings: Mapping[str, Any]) -> str:
    """What averaged effects are tested against, where that is not zero."""
    threshold = settings["log2_fold_change_threshold"]
    return f", changes beyond {beyond(threshold)}" if threshold else ""
