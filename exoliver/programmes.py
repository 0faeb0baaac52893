"""Programmes: the mean expression of their members in every sample, and linear models of it on the dataset's design."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pandas as pd

from exoliver.linear import LinearFit, estimate_prior, fit_linear, moderate, rescale, select_scores
from exoliver.model import Model
from exoliver.random_intercept import BETWEEN, WITHIN, missing_stratum
from exoliver.tables import PROGRAMMES, SCORES, join_notes
from exoliver.variance import stabilised_slope

# ASSUME: A programme's activity is the mean variance-stabilised expression of its members, each by its weight and sign.
# LIMIT: A programme's score is messenger RNA: it does not see proteins, their activity, or which cells changed.

MIN_PANEL = 3  # members measured that a panel needs
MIN_PRIOR_DF = 4.0  # observations that a common prior of variances has to be worth: sets that differ more have none
LOW_COVERAGE = 0.5  # share of the members measured
DONORS_UNREPLICATED = "donors_unreplicated"  # one donor in an arm: nothing tells donors from arms
NESTED_DONORS = "nested_donors"  # samples of one donor are taken as independent
LOW_EXPRESSION = 0.3  # attenuation below which effects rest on counting noise


@dataclass(frozen=True)
class Programmes:
    """The sets of a collection as they are scored in one dataset.

    Parameters
    ----------
    table
        Indexed by programme, every set: `members` measured, `coverage` (their share of the set), `attenuation` (how
        much of a log2 fold change of all members the score shows), `is_scored`, and `note`.
    genes, slopes
        Gene ids, shape (g,): the tested genes; and how far their stabilised expression shows a log2 fold change.
    weights
        Shape (g, k) for the k programmes that are scored: weight by sign, absolute values adding up to one.
    """

    table: pd.DataFrame
    genes: np.ndarray
    slopes: np.ndarray
    weights: np.ndarray

    def facts(self) -> pd.DataFrame:
        """The table with the programmes as a column, as it is written."""
        flags = self.table["is_scored"].map({True: "yes", False: "no"})
        return self.table.assign(scored=flags).reset_index()[list(PROGRAMMES)]

    @property
    def scored(self) -> list[str]:
        """Names of the programmes that have scores, in the order of `weights`."""
        return list(self.table.index[self.table["is_scored"]])

    @property
    def attenuation(self) -> np.ndarray:
        """Of the scored programmes, shape (k,)."""
        return self.table.loc[self.table["is_scored"], "attenuation"].to_numpy(dtype=float)


@dataclass(frozen=True)
class ProgrammeFit:
    """Scores of programmes on the dataset's design; effects are in log2.

    Parameters
    ----------
    names
        Programmes (k).
    moderated, plain
        With variances drawn towards those of all sets, for tests; and each by itself, for synthesis and ratios.
    columns
        Of the design.
    """

    names: tuple[str, ...]
    moderated: LinearFit
    plain: LinearFit
    columns: tuple[str, ...]

    def arrays(self) -> dict[str, np.ndarray]:
        """Everything, as plain arrays for a file."""
        parts = {"moderated": self.moderated, "plain": self.plain}
        own = {f"{name}_{item.name}": getattr(part, item.name) for name, part in parts.items() for item in fields(part)}
        return {"names": np.array(self.names, dtype=str), "columns": np.array(self.columns, dtype=str)} | own


def programme_fit_from(arrays: Mapping[str, np.ndarray]) -> ProgrammeFit:
    """The models of programmes from the arrays of their file."""

    def part(name: str) -> LinearFit:
        own: dict[str, Any] = {item.name: arrays[f"{name}_{item.name}"] for item in fields(LinearFit)}
        return LinearFit(**own | {"df": int(own["df"])})

    names, columns = (tuple(map(str, arrays[name])) for name in ("names", "columns"))
    return ProgrammeFit(names, moderated=part("moderated"), plain=part("plain"), columns=columns)


def gene_slopes(model: Model) -> np.ndarray:
    """How far the stabilised expression of each tested gene shows a log2 fold change, shape (g,).

    Parameters
    ----------
    model
        The fit: its coefficients, and the trend of dispersions.

    Returns
    -------
    Mean over the samples' fitted means: a gene that is low in one arm and high in another has the slopes of both.
    """
    fitted = np.exp(model.coefficients[model.tested] @ model.design.T)
    means = np.where(np.isnan(fitted), model.base_mean[model.tested, None], fitted)
    return stabilised_slope(means, trend=model.trend, mean_dispersion=model.mean_dispersion).mean(axis=1)


def find_programmes(
    mapped: pd.DataFrame, model: Model, *, panels: Collection[str], size: Mapping[str, int]
) -> Programmes:
    """The sets of a collection with the weights of their members.

    Parameters
    ----------
    mapped
        Of `genesets.map_gene_sets`.
    model
        The fit: its tested genes, their means and the trend of dispersions.
    panels
        Small sets that need no more than `MIN_PANEL` members.
    size
        Fewest (`min`) and most (`max`) members measured of the other sets.

    Returns
    -------
    Programmes in the order of their names.
    """
    genes = model.genes[model.tested]
    slopes = gene_slopes(model)
    place = {gene: position for position, gene in enumerate(genes)}
    rows, columns = {}, []
    for name, own in mapped.groupby("gene_set", sort=True):
        members = own[own["gene_id"].isin(place.keys())]
        note = _unscored(len(members), size, is_panel=name in panels)
        column = np.zeros(len(genes))
        values = members["weight"].to_numpy(dtype=float) * members["sign"].to_numpy(dtype=float)
        np.add.at(column, [place[gene] for gene in members["gene_id"]], values / max(np.abs(values).sum(), 1e-300))
        attenuation = float(np.abs(column) @ slopes) if len(members) else np.nan
        coverage = len(members) / len(own)
        weak = [("low_coverage", coverage < LOW_COVERAGE), ("low_expression", attenuation < LOW_EXPRESSION)]
        notes = [note] if note else [word for word, holds in weak if holds]
        rows[str(name)] = (len(members), coverage, attenuation, not note, ";".join(notes))
        columns += [] if note else [column]
    table = pd.DataFrame.from_dict(
        rows, orient="index", columns=["members", "coverage", "attenuation", "is_scored", "note"]
    )
    return Programmes(
        table=table.astype({"is_scored": bool}).rename_axis("programme"),
        genes=genes,
        slopes=slopes,
        weights=np.column_stack(columns) if columns else np.zeros((len(genes), 0)),
    )


def _unscored(measured: int, size: Mapping[str, int], *, is_panel: bool) -> str:
    """Why a set has no score; empty where it has one."""
    if measured < (MIN_PANEL if is_panel else size["min"]):
        return "too_few_measured"
    return "too_many_measured" if measured > size["max"] and not is_panel else ""


def select_programmes(programmes: Programmes, names: Collection[str]) -> Programmes:
    """Some of the programmes, by name."""
    weights = programmes.weights[:, [place for place, name in enumerate(programmes.scored) if name in names]]
    return replace(programmes, table=programmes.table[programmes.table.index.isin(names)], weights=weights)


def score_programmes(programmes: Programmes, expression: pd.DataFrame) -> pd.DataFrame:
    """Mean expression of the members of every programme in every sample.

    Parameters
    ----------
    expression
        Variance-stabilised expression, log2 scale, samples (n) x gene ids.

    Returns
    -------
    Samples x scored programmes.
    """
    values = expression.loc[:, list(programmes.genes)].to_numpy(dtype=float) @ programmes.weights
    return pd.DataFrame(values, index=expression.index, columns=programmes.scored)


def every_programme(numbers: pd.DataFrame, facts: pd.DataFrame, *, notes: Sequence[str] = ()) -> pd.DataFrame:
    """Numbers of the scored programmes as rows of all programmes.

    Parameters
    ----------
    numbers
        Indexed by programme; none where nothing can be had. Its own `note`, if it has one, comes last.
    facts
        `Programmes.table`: every programme with its note.
    notes
        What is to be said of all of them, before that.

    Returns
    -------
    One row per programme by name, with `programme` and `note`, which holds all notes that are not empty.
    """
    table = numbers.reindex(facts.index)
    own = table["note"].fillna("") if "note" in table else pd.Series("", index=facts.index)
    words = [join_notes(*notes, *parts) for parts in zip(facts["note"], own, strict=True)]
    return table.assign(programme=facts.index, note=words).reset_index(drop=True)


def programme_facts(written: pd.DataFrame) -> pd.DataFrame:
    """`Programmes.table` from the table that `Programmes.facts` makes of it."""
    table = written.set_index("programme").assign(is_scored=(written["scored"] == "yes").to_numpy())
    return table.assign(note=table["note"].fillna("").astype(object)).drop(columns="scored")


def long_scores(scores: pd.DataFrame) -> pd.DataFrame:
    """Scores (samples x programmes) with one row per sample and programme, sorted by programme."""
    long = scores.rename_axis("sample").reset_index().melt("sample", var_name="programme", value_name="score")
    return long[list(SCORES)]


def fit_programmes(
    scores: pd.DataFrame,
    model: Model,
    *,
    attenuation: np.ndarray,
    companions: pd.DataFrame,
    donors: np.ndarray | None,
) -> ProgrammeFit:
    """Linear models of programme scores on the design of the gene model.

    Parameters
    ----------
    scores
        Samples x programmes (k).
    model
        For its design.
    attenuation
        Shape (k,): effects are divided by it, so that 1 is a doubling of all members.
    companions
        Scores of further sets, samples x sets: variances are drawn towards those of all together, so that the choice of
        programmes does not move the p-values of others. Sets of the same name count once.
    donors
        Donor of each sample where donors are nested in arms, else None.

    Raises
    ------
    ValueError
        There are no residual degrees of freedom.

    References
    ----------
    Smyth (2004), 10.2202/1544-6115.1027.
    """
    plain = fit_linear(scores.to_numpy(dtype=float), model.design, donors=donors)
    moderated = plain if donors is not None else _moderated(scores, companions, model.design)
    factors = 1 / attenuation
    return ProgrammeFit(tuple(scores.columns), rescale(moderated, factors), rescale(plain, factors), model.columns)


def _moderated(scores: pd.DataFrame, companions: pd.DataFrame, design: np.ndarray) -> LinearFit:
    """The fit of the scores, moderated as one of all sets: the most degrees of freedom are those of all together."""
    more = companions.loc[:, [name for name in companions if name not in scores.columns]]
    together = fit_linear(np.hstack([scores.to_numpy(dtype=float), more.to_numpy(dtype=float)]), design)
    prior = estimate_prior(together.variance, together.df)
    moderated = moderate(together, prior) if prior.df >= MIN_PRIOR_DF else together
    return select_scores(moderated, np.arange(scores.shape[1]))


def nested_donors(model: Model, samples: pd.DataFrame) -> np.ndarray | None:
    """Donor of each sample where the design could not hold them, else None.

    Parameters
    ----------
    model
        Of the dataset.
    samples
        The sample table, with `donor` where the dataset names one.
    """
    return samples["donor"].astype(str).to_numpy() if model.nested_donor else None


def separable_donors(model: Model, samples: pd.DataFrame) -> tuple[np.ndarray | None, str]:
    """Donors as `fit_programmes` takes them, and a note where they are nested in arms and cannot be modelled.

    Parameters
    ----------
    model, samples
        As `nested_donors` takes them.

    Returns
    -------
    `DONORS_UNREPLICATED` where nothing tells donors from arms: then there are no errors to be had. `NESTED_DONORS`
    where too few donors have several samples to tell how alike these are: samples are taken as independent, as the
    model of genes takes them.
    """
    donors = nested_donors(model, samples)
    missing = missing_stratum(model.design, donors) if donors is not None else ""
    note = {BETWEEN: DONORS_UNREPLICATED, WITHIN: NESTED_DONORS}.get(missing, "")
    return (None if note else donors), note


def leave_one_out(
    programmes: Programmes, fit: ProgrammeFit, *, expression: pd.DataFrame, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How much a programme's effect rests on one gene.

    Parameters
    ----------
    expression
        As `score_programmes` takes it.
    rows
        Contrasts, shape (q, p).

    Returns
    -------
    Share of the gene that moves most in the sum of all members' movements, and the lowest and highest effect (log2)
    when one member is left out; shapes (k, q).
    """
    values = expression.loc[:, list(programmes.genes)].to_numpy(dtype=float)
    shape = (len(fit.names), len(rows))
    share, low, high = np.empty(shape), np.empty(shape), np.empty(shape)
    for place, (column, whole) in enumerate(zip(programmes.weights.T, programmes.attenuation, strict=True)):
        members = np.flatnonzero(column)
        of_samples = rows @ (fit.plain.hat[place] * whole)  # the hat matrix is that of effects in log2
        parts = (of_samples @ values[:, members]) * column[members]
        size = np.abs(parts).sum(axis=1)
        share[place] = np.abs(parts).max(axis=1) / np.where(size > 0, size, np.nan)
        kept = whole - np.abs(column[members]) * programmes.slopes[members]
        rest = (parts.sum(axis=1, keepdims=True) - parts) / kept
        low[place], high[place] = rest.min(axis=1), rest.max(axis=1)
    return share, low, high
