"""Over time: effects on genes at each time side by side, and the courses of effects on programmes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from exoliver.contrasts import FOLLOWED, Contrast, times_left_out
from exoliver.design import contrast_rows
from exoliver.model import Model
from exoliver.programmes import ProgrammeFit, every_programme
from exoliver.recovery_shift import RECOVERING, recovery_shift
from exoliver.tables import (
    NO_HEALTHY,
    NO_REFERENCE,
    TIMEPOINT_GENES,
    TRAJECTORIES,
    NamedTables,
    join_notes,
    stack_tables,
)
from exoliver.trajectories import OPEN, classify_trajectories, end_states

COMPARED = ("at_time", "change")
LEVEL = 0.95
WORSENING = "injury_worsening"


def timepoint_tables(
    fit: ProgrammeFit,
    contrasts: Sequence[Contrast],
    *,
    genes: Mapping[str, pd.DataFrame],
    programmes: pd.DataFrame,
    model: Model,
    fdr: float,
) -> NamedTables:
    """Genes over time, and the courses of the programmes, with their declared columns.

    Parameters
    ----------
    fit, programmes, contrasts, model, fdr
        As `rescue_stage.rescue_tables` takes them.
    genes
        Gene tables by id of the contrast.
    """
    courses = follow_programmes(fit, model.noted(contrasts), programmes=programmes, fdr=fdr)
    return {
        "genes": (compare_timepoints(contrasts, genes, fdr=fdr), TIMEPOINT_GENES),
        "trajectories": (courses, TRAJECTORIES),
    }


def compare_timepoints(
    contrasts: Sequence[Contrast], tables: Mapping[str, pd.DataFrame], *, fdr: float
) -> pd.DataFrame:
    """Injury and treatment effects on genes at each time, and their changes.

    Parameters
    ----------
    contrasts
        All contrasts of the dataset.
    tables
        Their gene tables, by id.
    fdr
        A gene is listed where its effect differs from zero at some time at this level (likelihood-ratio test).

    Returns
    -------
    One row per effect, gene and contrast, sorted so. An effect at a single time has no rows: nothing is to be compared.
    """
    genes: list[pd.DataFrame] = []
    for effect, members in _by_effect(contrasts).items():
        omnibus = {
            contrast.form: tables[contrast.id].set_index("gene_id") for contrast in members if contrast.is_omnibus
        }
        if not omnibus:
            continue
        moving = omnibus["any_time"].index[omnibus["any_time"]["padj"] < fdr]
        over_time = omnibus["over_time"]["padj"]
        genes += [
            _gene_rows(effect, contrast, tables[contrast.id], moving, over_time)
            for contrast in members
            if contrast.form in COMPARED
        ]
    whole = stack_tables(genes, TIMEPOINT_GENES)
    return whole.sort_values(["effect", "gene_id"], kind="stable", ignore_index=True)


def _by_effect(contrasts: Sequence[Contrast]) -> dict[str, list[Contrast]]:
    """Contrasts of each injury and treatment effect."""
    effects: dict[str, list[Contrast]] = {}
    for contrast in contrasts:
        if contrast.kind in FOLLOWED:
            effects.setdefault(contrast.effect, []).append(contrast)
    return effects


def _gene_rows(
    effect: str, contrast: Contrast, table: pd.DataFrame, moving: pd.Index, over_time: pd.Series
) -> pd.DataFrame:
    """The moving genes in one contrast."""
    rows = table.set_index("gene_id").loc[moving].reset_index()
    rows = rows.assign(effect=effect, contrast=contrast.id, form=contrast.form, time=_time(contrast))
    return rows.assign(over_time_padj=rows["gene_id"].map(over_time))[list(TIMEPOINT_GENES)]


def _time(contrast: Contrast) -> float:
    """The time that a row stands for: the later one for a change."""
    return contrast.times[0] if contrast.times else np.nan


def follow_programmes(
    fit: ProgrammeFit, contrasts: Sequence[Contrast], *, programmes: pd.DataFrame, fdr: float
) -> pd.DataFrame:
    """The course of every programme in every injury and treatment effect.

    Parameters
    ----------
    fit
        Of the scored programmes.
    contrasts
        All contrasts of the dataset.
    programmes
        `Programmes.table`: every programme with its note.
    fdr
        A programme has a course where the test of all times passes it.

    Returns
    -------
    Columns `tables.TRAJECTORIES`, effects as listed, programmes by name. The end state and the time gained are of
    treatment effects, as far as there is a healthy arm at their times.
    """
    tables: list[pd.DataFrame] = []
    for effect, members in _by_effect(contrasts).items():
        known, left_out = _times_of_effect(members)
        found = _courses(fit, contrasts, known, fdr) if known else pd.DataFrame()
        tables.append(every_programme(found, programmes, notes=[left_out]).assign(contrast=effect))
    return stack_tables(tables, TRAJECTORIES)


def _times_of_effect(members: Sequence[Contrast]) -> tuple[list[Contrast], str]:
    """The contrasts of an effect that are followed, in order of time, and a note on times that cannot be."""
    at_time = [contrast for contrast in members if contrast.form == "at_time"]
    chosen = at_time or [contrast for contrast in members if contrast.form == "averaged"]
    lost = [contrast.when for contrast in at_time if not contrast.rows]
    known = sorted((contrast for contrast in chosen if contrast.rows), key=lambda contrast: contrast.times)
    if not known:
        return [], "missing_cell"
    notes = [contrast.note for contrast in known]
    return known, join_notes(times_left_out(lost), *notes)


def _courses(fit: ProgrammeFit, contrasts: Sequence[Contrast], known: Sequence[Contrast], fdr: float) -> pd.DataFrame:
    """Class, end state and time gained of every scored programme in one effect."""
    times = [contrast.times[0] if contrast.times else 0.0 for contrast in known]
    table = classify_trajectories(fit.moderated, _rows(fit, known), times=times, fdr=fdr)
    if not known[0].times:
        table = table.assign(onset=np.nan, peak=np.nan)
    table = table.assign(note="")
    if known[0].kind == "treatment" and len(known) > 1:
        table = _with_ending(fit, contrasts, known, table)
    return table.set_axis(pd.Index(fit.names, dtype=object))


def _rows(fit: ProgrammeFit, contrasts: Sequence[Contrast]) -> np.ndarray:
    """Weights of contrasts of one degree of freedom, one under the other."""
    return contrast_rows([contrast.rows[0] for contrast in contrasts], fit.columns)


def _with_ending(
    fit: ProgrammeFit, contrasts: Sequence[Contrast], known: Sequence[Contrast], table: pd.DataFrame
) -> pd.DataFrame:
    """How each treatment effect ended, and the time it gained; a note where that cannot be told."""
    arm, base = known[0].arm, known[0].base
    injury = _at_times(contrasts, "injury", base)
    distance = _at_times(contrasts, "distance", arm)
    own = [injury.get(contrast.times[0]) for contrast in known]
    rows = np.vstack([_rows(fit, [one]) if one else np.full((1, len(fit.columns)), np.nan) for one in own])
    ended = end_states(fit.moderated, _rows(fit, known), injury=rows, classes=table)
    table = table.assign(end_state=ended["end_state"])
    if not injury or not distance:
        pairs = zip(ended["note"].replace(NO_REFERENCE, ""), ended["end_state"].eq(OPEN), strict=True)
        return table.assign(note=[join_notes(note, NO_HEALTHY if is_open else "") for note, is_open in pairs])
    shift = recovery_shift(
        fit.moderated,
        _rows(fit, list(injury.values())),
        times=list(injury),
        distance=_rows(fit, list(distance.values())),
        treated_times=list(distance),
        level=LEVEL,
    )
    is_gain = (shift["course"] == RECOVERING).to_numpy()
    told = np.where(is_gain | (shift["note"] != ""), shift["note"], np.where(shift["course"].notna(), WORSENING, ""))
    return table.assign(
        recovery_shift=shift["value"].where(is_gain),
        recovery_shift_low=shift["low"].where(is_gain),
        recovery_shift_high=shift["high"].where(is_gain),
        note=[join_notes(*parts) for parts in zip(ended["note"], told, strict=True)],
    )


def _at_times(contrasts: Sequence[Contrast], kind: str, arm: str) -> dict[float, Contrast]:
    """Contrasts of a kind and arm at each time, in order of time."""
    own = [one for one in contrasts if (one.kind, one.arm, one.form) == (kind, arm, "at_time") and one.rows]
    return {contrast.times[0]: contrast for contrast in sorted(own, key=lambda contrast: contrast.times)}
