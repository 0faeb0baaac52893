"""What the study's page needs of its datasets, read from their files once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from exoliver.contrasts import Contrast
from exoliver.figures.style import Look, make_look
from exoliver.report.naming import averaged, dataset_titles, estimable, treated_arms
from exoliver.tables import (
    CHANGES,
    EFFECTS,
    RESCUE_PROGRAMMES,
    RESCUE_SUMMARY,
    read_contrasts,
    read_index,
    read_json,
    read_table,
)

PAGE = "datasets/{id}/report.html"
TREATMENTS = ("treatment", "product_on_healthy")


@dataclass(frozen=True)
class DatasetResults:
    """What the study's page needs of one dataset; effects and rescue are those of the followed programmes.

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
    rescue: pd.DataFrame
    slopes: pd.DataFrame

    def effects_of(self, contrast: Contrast) -> pd.DataFrame:
        """Effects of one contrast on the programmes."""
        return self.effects[self.effects["contrast"] == contrast.id]

    @property
    def page(self) -> str:
        """Path of its page from the study's."""
        return PAGE.format(id=self.id)

    @property
    def treatments(self) -> list[Contrast]:
        """Effects of its products, averaged over times, that can be estimated."""
        return averaged(self.contrasts, *TREATMENTS)

    @property
    def is_treated(self) -> bool:
        """An arm of it was given a product."""
        return bool(treated_arms(self.facts))


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
    kinds = (files.indexes, files.contrasts, files.entries, files.effects, files.changes, files.rescue, files.slopes)
    return [
        _read_dataset(name, titles[name], facts, check=checks[name], paths=paths)
        for (name, facts), paths in zip(datasets.items(), zip(*kinds, strict=True), strict=True)
    ]


def _read_dataset(
    name: str, title: str, facts: Mapping[str, Any], *, check: Mapping[str, Any], paths: Sequence[str]
) -> DatasetResults:
    """Results of one dataset; of the gene tables, those of averaged effects and of all times at once."""
    index, folder, entry, effects, changes, rescue, slopes = paths
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
        rescue=read_table(rescue, RESCUE_PROGRAMMES),
        slopes=read_table(slopes, RESCUE_SUMMARY),
    )


def counted_contrasts(contrasts: Sequence[Contrast]) -> list[Contrast]:
    """The contrasts whose genes are counted: averaged effects, and the tests of all their times at once."""
    any_time = [contrast for contrast in estimable(contrasts) if contrast.form == "any_time"]
    return [*averaged(contrasts, "injury", *TREATMENTS), *any_time]


def study_look(datasets: Sequence[DatasetResults]) -> Look:
    """The look of figures of several datasets: simulated where those of any of them are."""
    return Look({}, {}, simulated=any(dataset.look.simulated for dataset in datasets))
