"""What the largest differences between samples go with, and which samples stand apart from the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from exoliver.figures.component_associations import component_associations
from exoliver.figures.style import time_words
from exoliver.figures.words import capital, count, fold, joined, number, p_words, plural
from exoliver.report.elements import Column, Prose, Table, numbers, picture, texts
from exoliver.report.material import Material
from exoliver.sample_quality import (
    DEVIATIONS,
    LEAST_GROUP,
    LEAST_SAMPLES,
    associate_components,
    distances_to_own,
    find_outliers,
)

MOST_COMPONENTS = 6
ENOUGH = 0.8  # of the variance: further components are not looked at
LEVEL = 0.05  # of the adjusted p-values of associations, for the dots in the tiles
DEPTH = "library size (log2)"


@dataclass(frozen=True)
class Measure:
    """One number of each sample by which it may stand apart.

    Parameters
    ----------
    title
        In words, with the unit.
    values
        By sample.
    is_log
        The values are log2 of what is shown.
    is_low_sound
        Only large values are a fault.
    """

    title: str
    values: pd.Series
    is_log: bool = False
    is_low_sound: bool = False

    def shown(self, value: float) -> str:
        """A value or a limit as it is read."""
        if not self.is_log:
            return number(value, 3)
        return count(round(2**value)) if not pd.isna(value) else number(value)


def association_blocks(material: Material) -> list[Any]:
    """Heat map of what the components go with; nothing where no factor differs between samples."""
    factors, numeric = sample_factors(material)
    ratio = [float(share) for share in material.expression.variance_ratio]
    shown = shown_components(ratio)
    table = associate_components(material.expression.components[:, :shown], factors, numeric=numeric)
    if table["share"].isna().all():
        return []
    table = table[table["note"] != "one_level"].assign(factor=lambda rows: rows["factor"].map(_titles(factors)))
    figure = component_associations(table.reset_index(drop=True), material.look, shares=ratio[:shown], level=LEVEL)
    caption = (
        "Share of each component’s variance between samples that a factor explains by itself (R squared, adjusted for "
        "the number of its levels; a straight line for numbers, time by its levels). A dot marks an F test with an "
        f"adjusted p-value below {LEVEL:g}, over all tiles; a dash is not testable. Factors that go together, as an "
        "arm with its batch, share what they explain."
    )
    return [Prose((association_words(table),)), picture(figure, caption)]


def shown_components(shares: list[float]) -> int:
    """How many components are looked at: as many as hold `ENOUGH` of the variance, two at least."""
    needed = int(np.searchsorted(np.cumsum(shares), ENOUGH)) + 1
    return min(len(shares), MOST_COMPONENTS, max(needed, 2))


def sample_factors(material: Material) -> tuple[dict[str, pd.Series], tuple[str, ...]]:
    """What may explain differences between samples, by name, and the factors that are numbers."""
    samples, facts = material.expression.samples, material.facts
    sizes = pd.Series(material.check["design"]["library_sizes"]).reindex(samples.index).astype(float)
    lines = [name for name in facts["numeric_covariates"] if name in samples]
    levels = [name for name in ("donor", "series", *facts["covariates"]) if name in samples]
    factors = {name: samples[name] for name in ("arm", "time", *dict.fromkeys([*levels, *lines])) if name in samples}
    return {**factors, DEPTH: np.log2(sizes.where(sizes > 0))}, (*lines, DEPTH)


def _titles(factors: dict[str, pd.Series]) -> dict[str, str]:
    """Factors as they are read: our own with a capital, those of the sheet as they stand there."""
    own = {"arm", "time", "donor", "series", DEPTH}
    return {name: capital(name) if name in own and capital(name) not in factors else name for name in factors}


def association_words(table: pd.DataFrame) -> str:
    """What explains most of the first component, and whether anything but arm and time does so of another one."""
    known = table.dropna(subset=["share_adjusted"])
    first = known[known["component"] == 1]
    parts = []
    if not (first["padj"] < LEVEL).any():
        parts.append("There is no evidence that anything that is known goes with the first component.")
    else:
        row = first.loc[first["share_adjusted"].where(first["padj"] < LEVEL).idxmax()]
        parts.append(
            f"The first component goes most with {_within(row['factor'])}, which explains "
            f"{number(100 * row['share_adjusted'])} % of it ({p_words(row['padj'], 'adjusted p')})."
        )
    beside = known[~known["factor"].isin(["Arm", "Time"]) & (known["padj"] < LEVEL)]
    if len(beside):
        told = [
            f"{_within(factor)} goes with component {joined(rows['component'])}"
            for factor, rows in beside.groupby("factor", sort=False)
        ]
        parts.append(f"Beside arm and time, there is evidence that {joined(told)}.")
    else:
        parts.append("Beside arm and time, there is no evidence that anything that is known goes with a component.")
    return " ".join(parts)


def _within(factor: str) -> str:
    """A factor within a sentence."""
    return factor.lower() if factor in ("Arm", "Time", "Donor", "Series", capital(DEPTH)) else factor


@dataclass(frozen=True)
class Outliers:
    """The samples that stand apart by one measure: rows of `find_outliers`."""

    measure: Measure
    table: pd.DataFrame


def look_for_outliers(material: Material, distances: pd.DataFrame) -> list[Outliers]:
    """Samples that stand apart, measure by measure.

    Parameters
    ----------
    material
        Of the dataset.
    distances
        Samples x samples, in the order of the page.
    """
    measures = sample_measures(material, distances)
    return [Outliers(one, find_outliers(one.values, is_low_sound=one.is_low_sound)) for one in measures]


def names_of(found: Sequence[Outliers]) -> list[str]:
    """The samples that stand apart by any measure, each once."""
    return list(dict.fromkeys(name for one in found for name in one.table["sample"]))


def outlier_blocks(material: Material, found: Sequence[Outliers]) -> list[Any]:
    """Samples beyond the limits, as a table with the limits; or a sentence that there are none."""
    rows = [(one.measure, row) for one in found for row in one.table.itertuples()]
    measures = [one.measure for one in found]
    small = _too_few(measures)
    if not rows:
        able = [one.title.lower() for one in measures if one.values.notna().sum() >= LEAST_SAMPLES]
        none = f"No sample stands apart by {joined(able, 'or')}: none is more than {DEVIATIONS:g} median absolute "
        sentence = [f"{none}deviations (scaled to a standard deviation) from the median."] if able else []
        return [Prose((*sentence, *small))]
    return [_outlier_table(material, rows), *([Prose(tuple(small))] if small else [])]


def sample_measures(material: Material, distances: pd.DataFrame) -> list[Measure]:
    """Library size, genes detected and distance to the samples of the same arm and time."""
    names = list(distances.index)
    samples = material.expression.samples.loc[names]
    sizes = pd.Series(material.check["design"]["library_sizes"]).reindex(names).astype(float)
    detected = (material.expression.normalised.loc[names] > 0).sum(axis=1).astype(float)
    groups = samples["arm"].astype(str) + "@" + samples.get("time", pd.Series(np.nan, index=names)).astype(str)
    return [
        Measure("Library size (counts)", np.log2(sizes.where(sizes > 0)), is_log=True),
        Measure("Genes detected", detected),
        Measure(
            "Median distance to its own arm and time (log2 scale)",
            distances_to_own(distances, groups),
            is_low_sound=True,
        ),
    ]


def _too_few(measures: list[Measure]) -> list[str]:
    """What could not be looked for, and why."""
    lost = [one.title.lower() for one in measures if one.values.notna().sum() < LEAST_SAMPLES]
    if not lost:
        return []
    return [
        f"Outliers were not looked for by {joined(lost, 'or')}: fewer than {LEAST_SAMPLES} samples have that number, "
        f"which is too few for a limit. Distances are compared in groups of {LEAST_GROUP} samples or more, since of "
        "two samples each is as far from the other."
    ]


def _outlier_table(material: Material, rows: list[tuple[Measure, Any]]) -> Table:
    """One row for each sample and measure."""
    samples = material.expression.samples
    times = samples["time"] if "time" in samples else pd.Series(np.nan, index=samples.index)
    columns = [
        texts("Sample", [row.sample for _, row in rows]),
        texts("Arm", [material.look.labels[str(samples.loc[row.sample, "arm"])] for _, row in rows]),
        texts("Time", [time_words(times.loc[row.sample], material.look.unit) for _, row in rows]),
        texts("By", [one.title for one, _ in rows]),
        _shown("Value", [(one, row.value) for one, row in rows]),
        _shown("Median", [(one, row.median) for one, row in rows]),
        _shown("Lower limit", [(one, row.low) for one, row in rows]),
        _shown("Upper limit", [(one, row.high) for one, row in rows]),
        numbers("Deviations from the median", [row.deviations for _, row in rows]),
    ]
    if not any(columns[2].cells[place] != "–" for place in range(len(rows))):
        columns.pop(2)
    names = {row.sample for _, row in rows}
    caption = (
        f"{plural(len(names), 'sample')} of {count(len(samples))} more than {DEVIATIONS:g} median absolute deviations "
        "(scaled to a standard deviation) from the median of all samples, the farthest of each kind first; library "
        "sizes are compared as logarithms. No sample was left out for that. Even of samples that are alike, about one "
        "in five datasets has such a sample by any one of the three measures."
    )
    return Table(caption, tuple(columns))


def _shown(title: str, values: list[tuple[Measure, float]]) -> Column:
    """A column of values, each in the unit of its measure."""
    return Column(title, tuple(one.shown(value) for one, value in values), is_number=True)


def size_factor_words(samples: pd.DataFrame) -> str:
    """How far size factors and library sizes go apart, which tells of a few genes that take many counts.

    Parameters
    ----------
    samples
        sample, counts and size_factor of each sample.
    """
    ratio = np.log2(samples["size_factor"]) - np.log2(samples["counts"].where(samples["counts"] > 0).astype(float))
    if ratio.isna().any():
        return ""
    ratio = ratio - ratio.median()
    farthest = samples.loc[ratio.abs().idxmax(), "sample"]
    return (
        f"Over the library size, size factors lie between {fold(ratio.min())} and {fold(ratio.max())} of their median "
        f"({farthest} is farthest); a wide gap means that a few genes take many of the counts."
    )
