"""Rescue: how far a treatment takes programmes and genes back from the injury towards health, with its uncertainty.

The injury effect and the treatment effect share the injured samples, so that each ratio carries their joint covariance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from exoliver.contrasts import Contrast, Weights, mean_weights, times_left_out
from exoliver.design import contrast_rows
from exoliver.fieller import INJURY_NOT_DETECTED, INJURY_WEAK, Ratio, fieller_ratio
from exoliver.inference.filtering import adjust_pvalues
from exoliver.linear import Estimates, estimate_linear
from exoliver.programmes import ProgrammeFit, every_programme
from exoliver.tables import NO_HEALTHY, NO_REFERENCE, RESCUE_COMPARISONS, RESCUE_PROGRAMMES, join_notes, stack_tables

# ASSUME: What a treatment restores is one minus the distance of treated from healthy over that of injured from healthy.

LEVEL = 0.95


@dataclass(frozen=True)
class Pair:
    """Injury and treatment effect of one treated arm, at one time or averaged.

    Parameters
    ----------
    arm, injured
        The treated arm and its base.
    time
        NaN for the average over times, or where the dataset has none.
    injury, treatment
        Weights over cells of injured minus healthy and treated minus injured; None where one cannot be had.
    when
        The time as it stands in ids, such as `7d`; empty for the average.
    note
        Why not, or what the average leaves out.
    """

    arm: str
    injured: str
    time: float
    injury: Weights | None
    treatment: Weights | None
    when: str = ""
    note: str = ""


def rescue_pairs(contrasts: Sequence[Contrast]) -> list[Pair]:
    """Every treated arm's effect with the injury effect that it is set against, at each time and averaged.

    Parameters
    ----------
    contrasts
        All contrasts of the dataset.

    Returns
    -------
    Averages first, over the times at which there are both effects. An arm whose base has no healthy arm, or a time
    without one of the effects, is a pair with a note.
    """
    injuries = {one.arm for one in contrasts if one.kind == "injury"}
    with_health = {one.arm for one in contrasts if one.kind == "distance"}  # the base of their base is healthy
    arms = dict.fromkeys((one.arm, one.base) for one in contrasts if one.kind == "treatment")
    pairs: list[Pair] = []
    for arm, injured in arms:
        if injured not in injuries or arm not in with_health:
            pairs.append(Pair(arm, injured, np.nan, None, None, note=NO_HEALTHY))
            continue
        own = [one for one in contrasts if (one.arm, one.base, one.kind) == (arm, injured, "treatment")]
        base = [one for one in contrasts if (one.arm, one.kind) == (injured, "injury")]
        pairs += _of_arm(arm, injured, own, base)
    return pairs


def _of_arm(arm: str, injured: str, treatment: Sequence[Contrast], injury: Sequence[Contrast]) -> list[Pair]:
    """The average and every time of one treated arm."""
    at_time = [_by_time(side) for side in (treatment, injury)]
    times = sorted({*at_time[0], *at_time[1]})
    if len(times) < 2:
        rows = [next((one.rows for one in side if one.form == "averaged"), ()) for side in (treatment, injury)]
        return [_pair(arm, injured, np.nan, "", rows)]
    label = {one.times[0]: one.when for one in (*treatment, *injury) if one.form == "at_time"}
    pairs = [_pair(arm, injured, time, label[time], [side.get(time, ()) for side in at_time]) for time in times]
    whole = [pair for pair in pairs if pair.injury is not None]
    if not whole:
        return [Pair(arm, injured, np.nan, None, None, note=NO_REFERENCE), *pairs]
    return [_average(whole, times_left_out(pair.when for pair in pairs if pair.injury is None)), *pairs]


def _average(pairs: Sequence[Pair], note: str = "") -> Pair:
    """Mean of one arm's pairs, all of which have both effects."""
    injury = mean_weights([pair.injury for pair in pairs if pair.injury])
    treatment = mean_weights([pair.treatment for pair in pairs if pair.treatment])
    return Pair(pairs[0].arm, pairs[0].injured, np.nan, injury, treatment, note=note)


def _by_time(effects: Sequence[Contrast]) -> dict[float, tuple[Weights, ...]]:
    """Rows of one effect at each of its times; one that has a single time is written as an average."""
    alone = {one.times[0]: one.rows for one in effects if one.form == "averaged" and len(one.times) == 1}
    return alone | {one.times[0]: one.rows for one in effects if one.form == "at_time"}


def _pair(arm: str, injured: str, time: float, when: str, rows: Sequence[Sequence[Weights]]) -> Pair:
    """The treatment and the injury effect of these rows, or the reason why not."""
    treatment, injury = rows
    if injury and treatment:
        return Pair(arm, injured, time, injury[0], treatment[0], when)
    return Pair(arm, injured, time, None, None, when, NO_REFERENCE)


def rescue_class(ratio: Ratio) -> np.ndarray:
    """What intervals of the fraction restored say; missing estimates have none.

    Returns
    -------
    `restored` holds 1 and not 0; `partly_restored` lies between; `unchanged` holds 0 and not 1; `undecided` both;
    `overshoot` lies above 1, `away_from_healthy` below 0; `injury_weak` and `injury_not_detected` as they are.
    """
    with np.errstate(invalid="ignore"):
        has_one, has_zero = (ratio.low <= 1) & (ratio.high >= 1), (ratio.low <= 0) & (ratio.high >= 0)
        above, below = ratio.low > 1, ratio.high < 0
    state = ratio.state
    return np.select(
        [
            state == "",
            state == INJURY_NOT_DETECTED,
            state == INJURY_WEAK,
            has_one & has_zero,
            has_one,
            has_zero,
            above,
            below,
        ],
        ["", INJURY_NOT_DETECTED, INJURY_WEAK, "undecided", "restored", "unchanged", "overshoot", "away_from_healthy"],
        "partly_restored",
    ).astype(object)


def rescue_pattern(
    injury: np.ndarray, treatment: np.ndarray, *, injury_evident: np.ndarray, evident: np.ndarray, high: np.ndarray
) -> np.ndarray:
    """How the treatment effect stands to the injury effect, by their signs and evidence.

    Parameters
    ----------
    injury, treatment
        Effects, shape (k,).
    injury_evident, evident
        There is evidence for the injury effect, and for the treatment effect.
    high
        Upper end of the fraction restored.

    Returns
    -------
    `none` without evidence of a treatment effect; `de_novo` where only that has evidence; `amplified_response` where
    both have the same sign; `reversal` where they are opposite and all may be restored, `partial` where it is less.
    """
    against = np.sign(injury) != np.sign(treatment)
    with np.errstate(invalid="ignore"):
        is_whole = high >= 1
    return np.select(
        [np.isnan(injury + treatment), ~evident, ~injury_evident, ~against, is_whole],
        ["", "none", "de_novo", "amplified_response", "reversal"],
        "partial",
    ).astype(object)


def rescue_programmes(
    fit: ProgrammeFit, pairs: Sequence[Pair], *, programmes: pd.DataFrame, fdr: float
) -> pd.DataFrame:
    """Fraction restored of every programme, for every treated arm, at each time and averaged.

    Parameters
    ----------
    fit
        Of the scored programmes.
    pairs
        Of `rescue_pairs`.
    programmes
        `Programmes.table`: every programme with its note.
    fdr
        Level of evidence for the pattern, corrected over the programmes of one effect (moderated tests).

    Returns
    -------
    Columns `tables.RESCUE_PROGRAMMES`, pairs as given, programmes by name. Errors are unmoderated, with the residual
    degrees of freedom.

    References
    ----------
    Fieller (1954), 10.1111/j.2517-6161.1954.tb00159.x.
    """
    tables: list[pd.DataFrame] = []
    for pair in pairs:
        numbers = _programme_numbers(fit, pair, fdr) if pair.injury is not None else pd.DataFrame()
        table = every_programme(numbers, programmes, notes=[pair.note])
        tables.append(table.assign(arm=pair.arm, time=pair.time))
    return stack_tables(tables, RESCUE_PROGRAMMES)


def _programme_numbers(fit: ProgrammeFit, pair: Pair, fdr: float) -> pd.DataFrame:
    """Both effects, their ratio, class and pattern of every scored programme."""
    rows = contrast_rows([pair.injury or {}, pair.treatment or {}], fit.columns)
    plain, tested = estimate_linear(fit.plain, rows), estimate_linear(fit.moderated, rows)
    ratio = restored_fraction(plain)
    padj = np.column_stack([adjust_pvalues(column) for column in tested.pvalue.T])
    pattern = rescue_pattern(
        *plain.estimate.T, injury_evident=padj[:, 0] < fdr, evident=padj[:, 1] < fdr, high=ratio.high
    )
    more = {"injury_padj": padj[:, 0], "treatment_padj": padj[:, 1], "pattern": pattern}
    return pd.DataFrame(effect_columns(plain, ratio) | more, index=pd.Index(fit.names, dtype=object))


def restored_fraction(effects: Estimates) -> Ratio:
    """Minus the treatment effect over the injury effect, of estimates with injury and treatment in this order."""
    return fieller_ratio(
        -effects.estimate[:, 1],
        effects.estimate[:, 0],
        variance=effects.covariance[:, 1, 1],
        denominator_variance=effects.covariance[:, 0, 0],
        covariance=-effects.covariance[:, 0, 1],
        df=effects.df.min(axis=1),
        level=LEVEL,
    )


def effect_columns(effects: Estimates, ratio: Ratio) -> dict[str, np.ndarray]:
    """Both effects, their covariance and ratio, under the names that the tables give them."""
    return {
        "injury_effect": effects.estimate[:, 0],
        "injury_se": effects.se[:, 0],
        "treatment_effect": effects.estimate[:, 1],
        "treatment_se": effects.se[:, 1],
        "covariance": effects.covariance[:, 0, 1],
        "df": np.where(np.isinf(effects.df.min(axis=1)), np.nan, effects.df.min(axis=1)),
        "fraction_restored": ratio.value,
        "ci_low": ratio.low,
        "ci_high": ratio.high,
        "class": rescue_class(ratio),
    }


def compare_arms(fit: ProgrammeFit, pairs: Sequence[Pair], *, programmes: pd.DataFrame) -> pd.DataFrame:
    """Which of two treated arms with the same injured arm restores more of each programme.

    Parameters
    ----------
    fit, pairs, programmes
        As `rescue_programmes` takes them.

    Returns
    -------
    Columns `tables.RESCUE_COMPARISONS`. The difference of the two fractions is itself a ratio, of the difference of the
    treated arms over the injury effect, and has Fieller's interval; `more`, `less` or `undecided` by it, not adjusted
    for their number. Averages are compared over the times that both arms have. The note `beyond_healthy` says that the
    arm with the larger fraction is past healthy, so that more is not better.
    """
    tables: list[pd.DataFrame] = []
    for earlier, later in combinations(pairs, 2):
        same_time = later.time == earlier.time or (np.isnan(later.time) and np.isnan(earlier.time))
        if later.arm == earlier.arm or later.injured != earlier.injured or not same_time:
            continue
        sides, note = _against_one_injury(later, earlier, pairs)
        numbers = _compared(fit, *sides) if sides else pd.DataFrame()
        table = every_programme(numbers, programmes, notes=[note])
        tables.append(table.assign(arm=later.arm, other_arm=earlier.arm, time=later.time))
    return stack_tables(tables, RESCUE_COMPARISONS)


def _against_one_injury(later: Pair, earlier: Pair, pairs: Sequence[Pair]) -> tuple[tuple[Pair, Pair] | None, str]:
    """Two arms against one and the same injury effect, averages over the times that both have; None, and why."""
    reasons = [pair.note for pair in (later, earlier) if pair.injury is None]
    if reasons:
        return None, reasons[0]
    if later.injury == earlier.injury:
        return (later, earlier), join_notes(later.note, earlier.note)
    both = [{pair.when: pair for pair in pairs if pair.arm == arm and pair.when} for arm in (later.arm, earlier.arm)]
    shared = [when for when in both[0] if all(when in side and side[when].injury for side in both)]
    if not shared:
        return None, "times_differ"
    one, other = (_average([side[when] for when in shared]) for side in both)
    left_out = times_left_out(when for side in both for when in side if when not in shared)
    return (one, other), join_notes(left_out, *(side[when].note for side in both for when in shared))


def _compared(fit: ProgrammeFit, later: Pair, earlier: Pair) -> pd.DataFrame:
    """Difference of two fractions of every scored programme, and both fractions."""
    one, other = later.treatment or {}, earlier.treatment or {}
    between = {cell: one.get(cell, 0.0) - other.get(cell, 0.0) for cell in {**one, **other}}
    ratio, own, against = (
        restored_fraction(estimate_linear(fit.plain, contrast_rows([later.injury or {}, row], fit.columns)))
        for row in (between, one, other)
    )
    with np.errstate(invalid="ignore"):
        words = np.select([ratio.low > 0, ratio.high < 0], ["more", "less"], "undecided")
        is_beyond = np.select([words == "more", words == "less"], [own.low > 1, against.low > 1], False)
    known = ~np.isin(ratio.state, ["", INJURY_NOT_DETECTED, INJURY_WEAK])
    columns = {
        "fraction": own.value,
        "other_fraction": against.value,
        "difference": ratio.value,
        "ci_low": ratio.low,
        "ci_high": ratio.high,
        "class": np.where(known, words, ratio.state),
        "note": np.where(known & is_beyond, "beyond_healthy", ""),
    }
    return pd.DataFrame(columns, index=pd.Index(fit.names, dtype=object))
