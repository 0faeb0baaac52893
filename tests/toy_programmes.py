"""Makers of small datasets with programmes: mapped sets, expression, contrasts, scores and their models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.stats import t as student

from exoliver.contrasts import Cell, Contrast, derive_contrasts
from exoliver.design import build_design
from exoliver.effects import Setting, make_setting
from exoliver.mixture import MARKERS
from exoliver.model import Model
from exoliver.programmes import ProgrammeFit, fit_programmes
from exoliver.store import Expression
from exoliver.tables import GENE_SETS, TEXT, read_table, write_table
from tests.toy_model import RESCUE, make_arms, make_extra, make_genes, make_model, make_samples

GENES = 160
DAYS = (1.0, 7.0)
SIZE = {"min": 10, "max": 40}
SETTINGS: dict[str, Any] = {"set_size": SIZE, "fdr": 0.05, "equivalence_margin": 0.32}
Member = str | tuple[str, float, int]


def gene(place: int) -> str:
    """Id of a gene of `make_model`."""
    return f"g{place:04d}"


def genes(first: int, last: int) -> list[str]:
    """Ids of the genes from one place up to, and without, another."""
    return [gene(place) for place in range(first, last)]


def make_mapped(sets: Mapping[str, Sequence[Member]]) -> pd.DataFrame:
    """Mapped sets; a member is a gene id, with weight and sign where they are not 1; any other name is not measured."""
    rows = []
    for name, members in sets.items():
        whole = [(member, 1.0, 1) if isinstance(member, str) else member for member in members]
        measured = sum(known.startswith("g0") for known, _, _ in whole)
        for known, weight, sign in whole:
            is_there = known.startswith("g0")
            facts = {"gene_set": name, "gene": known.upper(), "weight": weight, "sign": sign}
            counts = {"size": len(whole), "measured": measured}
            found = {"gene_id": known if is_there else np.nan, "note": "" if is_there else "not_measured"}
            rows.append(facts | counts | found)
    return pd.DataFrame(rows, columns=list(GENE_SETS))


def make_entry(panels: Sequence[str] = ()) -> dict[str, Any]:
    """What is known of a collection: which of its sets are panels."""
    return {"name": "programmes", "gene_sets": [{"gene_set": name, "type": "panel"} for name in panels]}


# Signed and weighted members, members that are not measured, and sets of every kind of note; `faint` is of the last
# genes, which have hardly a count.
PROGRAMMES: dict[str, Sequence[Member]] = {
    "alpha": genes(0, 12),
    "beta": [(gene(place), 0.5 + place % 3, -1 if place % 4 == 0 else 1) for place in range(10, 24)],
    "duo": [*genes(24, 26), "lost1"],
    "faint": genes(GENES - 10, GENES),
    "half": [*genes(24, 34), *(f"lost{place}" for place in range(12))],
    "lost": ["lost1", "lost2"],
    "trio": genes(34, 37),
    "wide": genes(0, 50),
} | {name: genes(60 + 8 * place, 70 + 8 * place) for place, name in enumerate(MARKERS)}
PANELS = ("duo", "trio")
UNSCORED = {"duo": "too_few_measured", "lost": "too_few_measured", "wide": "too_many_measured"}
COMPANIONS: dict[str, Sequence[Member]] = {
    f"hallmark_{place:02d}": genes(4 * place, 4 * place + 14) for place in range(34)
}


@dataclass(frozen=True)
class Dataset:
    """One dataset without programmes: its samples, expression, made-up fit and contrasts."""

    samples: pd.DataFrame
    expression: Expression
    model: Model
    contrasts: tuple[Contrast, ...]

    @property
    def contrast(self) -> dict[str, Contrast]:
        """Contrasts by id."""
        return {contrast.id: contrast for contrast in self.contrasts}

    def with_values(self, vst: pd.DataFrame) -> Dataset:
        """The same with other expression."""
        return replace(self, expression=replace(self.expression, vst=vst))


def make_dataset(
    times: Mapping[str, Sequence[float | None]],
    *,
    roles: Mapping[str, str] = RESCUE,
    replicates: int = 4,
    single: Sequence[Cell] = (),
    donors: int = 0,
    batches: int = 1,
    shifts: Mapping[Cell, Mapping[int, float]] | None = None,
    extra: Mapping[str, Any] | None = None,
    number: int = GENES,
    seed: int = 5,
    **arms: Mapping[str, Any],
) -> Dataset:
    """Seeded expression around 8, with noise of .5 and genes that vary together.

    Parameters
    ----------
    times
        Times of each arm.
    roles
        Role of each arm; `arms` gives more keys of an arm under its name.
    replicates, single
        Samples in each cell; cells that have one.
    donors
        Donors in each arm, nested, samples dealt in turn; 0 for none.
    batches
        Levels of a covariate.
    shifts
        Cell to position of the gene to its shift.
    extra
        Contrasts of the user.
    number
        Genes; the last ten have hardly a count.
    seed
        Of the expression.
    """
    cells = {Cell(arm, time): replicates for arm, own in times.items() for time in own}
    samples = make_samples(cells | dict.fromkeys(single, 1))
    samples["batch"] = [f"b{place % batches}" for place in range(len(samples))]
    if donors:
        turn = samples.groupby("arm").cumcount() % donors
        samples["donor"] = samples["arm"] + "_" + turn.astype(str)
    covariates = ("batch",) if batches > 1 else ()
    design = build_design(samples, list(roles), donor=bool(donors), covariates=covariates, numeric=())
    means = np.append(np.geomspace(80, 5000, number - 10), np.full(10, 1.0))
    coefficients = np.zeros((number, design.matrix.shape[1]))
    coefficients[:, : len(design.cells)] = np.log(means)[:, None]
    model = make_model(
        samples,
        design.matrix,
        design.cells,
        genes=number,
        base_mean=means,
        coefficients=coefficients,
        nested_donor=design.nested_donor,
    )
    unit = "day" if any(time is not None for own in times.values() for time in own) else None
    contrasts = derive_contrasts(make_arms(roles, **arms), cells=design.cells, unit=unit, extra=make_extra(extra or {}))
    expression = _make_expression(samples, model, shifts or {}, seed)
    return Dataset(samples, expression, model, tuple(contrasts))


def _make_expression(
    samples: pd.DataFrame, model: Model, shifts: Mapping[Cell, Mapping[int, float]], seed: int
) -> Expression:
    """Noise of each gene, of each stretch of 20 genes by their own spread, and the shifts."""
    rng = np.random.default_rng(seed)
    number = len(model.genes)
    together = rng.normal(
        0, np.tile([0.15, 0.3, 0.2, 0.35], number // 20)[: number // 20], (len(samples), number // 20)
    )
    values = 8 + np.repeat(together, 20, axis=1) + rng.normal(0, 0.4, (len(samples), number))
    for cell, by_gene in shifts.items():
        rows = np.flatnonzero(model.design[:, model.cells.index(cell)])
        for place, shift in by_gene.items():
            values[rows, place] += shift
    vst = pd.DataFrame(values, index=samples.index, columns=model.genes)
    names = make_genes(list(model.genes))
    return Expression(samples, names, 2**vst, vst, np.zeros((len(samples), 2)), np.zeros(2))


def shift_all(value: float, places: Sequence[int]) -> dict[int, float]:
    """One shift of several genes."""
    return dict.fromkeys(places, value)


def setting_of(
    made: Dataset,
    sets: Mapping[str, Sequence[Member]] = PROGRAMMES,
    *,
    companions: Mapping[str, Sequence[Member]] = COMPANIONS,
    markers: Mapping[str, Sequence[Member]] = PROGRAMMES,
    panels: Sequence[str] = PANELS,
    system: str = "tissue",
) -> Setting:
    """The programmes of a dataset, scored and fitted; a collection without sets is one of an organism without any."""
    return setting_from(made, [make_mapped(own) for own in (sets, companions, markers)], panels=panels, system=system)


def setting_from(
    made: Dataset, mapped: Sequence[pd.DataFrame], *, panels: Sequence[str] = PANELS, system: str = "tissue"
) -> Setting:
    """The same from the mapped tables of three collections: followed, companions and markers."""
    collections = [(table, make_entry(panels)) for table in mapped]
    return make_setting(collections, expression=made.expression, model=made.model, system=system, settings=SETTINGS)


def planted_scores(
    made: Dataset, means: Mapping[str, Mapping[str, float]], *, spread: Mapping[str, float]
) -> pd.DataFrame:
    """Scores whose means in the arms are given by programme, the same at all times; samples are apart by a spread.

    The noise is minus and plus the spread by turns: in cells of an even number of samples the means are exact.
    """
    turns = np.where(made.samples.groupby(["arm", "time"], dropna=False).cumcount() % 2 == 0, -1.0, 1.0)
    return pd.DataFrame(
        {
            name: made.samples["arm"].map(by_arm).to_numpy(dtype=float) + spread[name] * turns
            for name, by_arm in means.items()
        },
        index=made.samples.index,
    )


def fit_of(made: Dataset, scores: pd.DataFrame) -> tuple[ProgrammeFit, pd.DataFrame]:
    """The models of scores, each by itself, and a table of programmes without notes."""
    none = pd.DataFrame(index=scores.index)
    fit = fit_programmes(scores, made.model, attenuation=np.ones(scores.shape[1]), companions=none, donors=None)
    return fit, pd.DataFrame({"note": ""}, index=pd.Index(list(scores), name="programme"))


def row_of(contrast: Contrast, columns: Sequence[str]) -> np.ndarray:
    """Weights of the columns in a contrast of one degree of freedom."""
    return weights_of(contrast.rows[0], columns)


def weights_of(row: Mapping[Cell, float], columns: Sequence[str]) -> np.ndarray:
    """Weights of the columns, from those of cells."""
    by_name = {cell.name: weight for cell, weight in row.items()}
    return np.array([by_name.get(name, 0.0) for name in columns])


def read_back(table: pd.DataFrame, columns: tuple[str, ...], *, path: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The table as it is read after it was written, and as it was; both with text columns of one type, others float."""
    write_table(table, columns, path=path)
    kinds = {name: "string" if name in TEXT else float for name in columns}
    return read_table(path, columns).astype(kinds), table[list(columns)].astype(kinds)


def fieller_ends(
    numerator: float, denominator: float, *, covariance: np.ndarray, df: float, level: float = 0.95
) -> tuple[float, float]:
    """Ratios at which numerator minus ratio times denominator is just as far from zero as the t quantile allows.

    Parameters
    ----------
    covariance
        Of numerator and denominator, shape (2, 2).
    """
    quantile = student.ppf(0.5 + level / 2, df)

    def beyond(ratio: float) -> float:
        row = np.array([1.0, -ratio])
        return float((numerator - ratio * denominator) ** 2 - quantile**2 * (row @ covariance @ row))

    best, step = numerator / denominator, 1.0
    while beyond(best - step) < 0 or beyond(best + step) < 0:
        step *= 2
    return brentq(beyond, best - step, best, xtol=1e-13), brentq(beyond, best, best + step, xtol=1e-13)
