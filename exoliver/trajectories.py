"""The course of one effect over the times of a dataset: its class, and, where it is gone, which arm did that.

Works on a fit of many items (programmes, genes) and the contrast rows of the effect, one row for each time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import stdtr

from exoliver.inference.filtering import adjust_pvalues
from exoliver.linear import Estimates, LinearFit, estimate_linear, joint_test
from exoliver.tables import NO_REFERENCE

# Of the tests within one item. False items are held down by the gate, at the study's own rate, before these tests are
# looked at; which times carry an effect that is there is a question of its own, asked at the conventional level.
LEVEL = 0.05
# An arm whose movement has a one-sided p-value above this one shows no sign of having moved; between the two levels
# nothing is said. Without the gap an arm that moved and missed significance would be said to have stayed: where both
# arms moved by 4 standard errors and each time has its own healthy arm, 16 % were named wrongly, with it 6 %.
STILL = 0.12
# Standard errors below the largest effect up to which an effect at another time counts as the same, so that the effect
# before the end is averaged over them. The largest alone is inflated by its choice: 15 % of courses of seven times are
# named wrongly then, with two errors 7 %. All significant ones together dilute an effect that fades: 27 % where both
# arms move little by little against healthy arms at five times, with two errors 11 %.
ALIKE = 2.0

NONE, SINGLE_TIME, UNCLASSIFIED = "none", "single_time", "unclassified"
EARLY_TRANSIENT, SUSTAINED, DELAYED, REVERSING = "early_transient", "sustained", "delayed", "reversing"
CONTROL_RECOVERED, TREATED_RELAPSED, BOTH = "control_recovered", "treated_relapsed", "both"
EFFECT_PERSISTS, OPEN = "effect_persists", "open"
NOT_AGAINST_INJURY, REVERSED, SHARED_ARM = "effect_not_against_injury", "effect_reversed", "arm_without_times"


def classify_trajectories(fit: LinearFit, rows: np.ndarray, *, times: Sequence[float], fdr: float) -> pd.DataFrame:
    """Class of each item's course of one effect.

    Parameters
    ----------
    rows
        Weights of the design's columns for the effect at each time, shape (k, p), in order of time.
    times
        The k times, increasing.
    fdr
        An item has a course where the joint test of all times has an adjusted p-value below it.

    Returns
    -------
    One row per item, as in the fit. class: `none`, `early_transient`, `sustained`, `delayed`, `reversing`,
    `unclassified`, or `single_time` where k is 1; onset: the first time that is significant after Holm's correction
    within the item; peak: the time of the largest effect among those that are significant (among all where none is);
    both are missing below the gate. pvalue of the joint test
    (k = 1: of the t test) and padj over the items. An item without estimates or without noise has missing values.

    Raises
    ------
    ValueError
        There is no time, times do not increase, or there is not one row for each; the rows depend on each other.

    References
    ----------
    Holm (1979), Scandinavian Journal of Statistics 6:65, for the tests of single times.
    """
    check_times(rows, times)
    found = estimate_linear(fit, rows)
    signs = _significant_signs(found)
    pvalue = found.pvalue[:, 0] if len(rows) == 1 else joint_test(fit, rows).pvalue
    padj = adjust_pvalues(pvalue)
    is_known, is_there = ~np.isnan(pvalue), padj < fdr
    kinds = np.full(len(pvalue), SINGLE_TIME) if len(rows) == 1 else _classes(fit, rows, signs)
    if len(rows) > 1:
        kinds = np.where(is_there, kinds, NONE)
    at = np.asarray(times, dtype=float)
    candidates = is_there[:, None] & ((signs != 0) | ~signs.any(axis=1, keepdims=True))
    peak = np.abs(np.where(candidates, found.estimate, 0.0)).argmax(axis=1)
    return pd.DataFrame(
        {
            "class": pd.Series(kinds, dtype=object).where(is_known),
            "onset": np.where(is_there & signs.any(axis=1), at[np.argmax(signs != 0, axis=1)], np.nan),
            "peak": np.where(is_there, at[peak], np.nan),
            "pvalue": pvalue,
            "padj": padj,
        }
    )


def check_times(rows: np.ndarray, times: Sequence[float]) -> None:
    """Pass where there is one row of weights for each of some increasing times.

    Raises
    ------
    ValueError
        There is no time, times do not increase, or rows, shape (k, p), and times do not match.
    """
    if len(times) == 0 or rows.ndim != 2 or len(rows) != len(times):
        raise ValueError(f"a course needs one row of weights for each time: {rows.shape} for {len(times)} times")
    if not (np.isfinite(times).all() and (np.diff(times) > 0).all()):
        raise ValueError(f"times of a course have to increase: {list(times)}")


def adjust_holm(pvalues: np.ndarray) -> np.ndarray:
    """Holm's adjusted p-values within each row, shape (n, k); missing ones stay missing.

    References
    ----------
    Holm (1979), Scandinavian Journal of Statistics 6:65.
    """
    order = np.argsort(pvalues, axis=1, kind="stable")
    scaled = np.take_along_axis(pvalues, order, axis=1) * np.arange(pvalues.shape[1], 0, -1)
    adjusted = np.empty_like(scaled)
    np.put_along_axis(adjusted, order, np.minimum(np.maximum.accumulate(scaled, axis=1), 1.0), axis=1)
    return adjusted


def _significant_signs(found: Estimates) -> np.ndarray:
    """Sign of each effect that is significant within its item, else 0; shape (n, k), integers."""
    return np.where(adjust_holm(found.pvalue) < LEVEL, np.sign(found.estimate), 0).astype(int)


def _classes(fit: LinearFit, rows: np.ndarray, signs: np.ndarray) -> np.ndarray:
    """Class of each item by its significant times, shape (n, k); k is at least 2."""
    has_first, has_last = signs[:, 0] != 0, signs[:, -1] != 0
    is_reversing = _has_both_signs(signs)
    is_gone = ~has_last & _exceeds(fit, rows, signs, place=-1)
    is_late = ~has_first & has_last & _exceeds(fit, rows, signs, place=0)
    conditions = [is_reversing, has_first & has_last, is_gone, is_late]
    return np.select(conditions, [REVERSING, SUSTAINED, EARLY_TRANSIENT, DELAYED], UNCLASSIFIED)


def _has_both_signs(signs: np.ndarray) -> np.ndarray:
    """Items with a significant rise and a significant fall."""
    return np.asarray((signs > 0).any(axis=1) & (signs < 0).any(axis=1))


def _exceeds(fit: LinearFit, rows: np.ndarray, signs: np.ndarray, *, place: int) -> np.ndarray:
    """Whether the mean effect of an item's significant times is larger than its effect at one other time.

    One-sided for two times as well, of which either may turn out to be the lesser one: of effects of four standard
    errors at one of them, .78 are named rightly where a two-sided test names .70; of such effects at both, .022 are
    called gone or late, where a two-sided test calls .013 so.
    """
    exceeds = np.zeros(len(signs), dtype=bool)
    usable = signs.any(axis=1) & ~_has_both_signs(signs)
    for pattern in np.unique(signs[usable], axis=0):
        weights = pattern / np.abs(pattern).sum()
        weights[place] -= np.sign(pattern.sum())
        mine = (signs == pattern).all(axis=1)
        exceeds[mine] = _upper_tail(fit, weights @ rows)[mine] < LEVEL
    return exceeds


def _upper_tail(fit: LinearFit, row: np.ndarray) -> np.ndarray:
    """One-sided p-value that a contrast is above zero, item by item."""
    found = estimate_linear(fit, row[None])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(stdtr(found.df, -found.estimate / found.se))[:, 0]


@dataclass(frozen=True)
class _Loss:
    """What is compared at the end with what was before: one for all items of the same peak, times and sign."""

    peak: int
    alike: tuple[bool, ...]
    sign: int


def end_states(fit: LinearFit, treatment: np.ndarray, *, injury: np.ndarray, classes: pd.DataFrame) -> pd.DataFrame:
    """What became of each item's treatment effect by the last time.

    While the effect was there, the injured arm was at one level and the treated arm at another, both against healthy;
    where it is gone, both are at one level. The effect's end is due to the arm that moved to it.

    Parameters
    ----------
    treatment
        Rows of treated minus injured at each time, shape (k, p), in order of time.
    injury
        Rows of injured minus healthy at the same times; the same healthy arm may serve all of them. NaN at a time
        without healthy samples.
    classes
        Of `classify_trajectories` on the treatment rows.

    Returns
    -------
    One row per item. end_state: `effect_persists` where the effect is significant at the last time; where it was at an
    earlier one only, `control_recovered`, `treated_relapsed` or `both` by the arms that moved, `open` where the arms do
    not say; missing for the classes `none` and `single_time`. The level before the end is that of both arms at the
    largest significant effect, the effect before the end the mean of those that are like it. note:
    `effect_not_against_injury` (a control that moves has not recovered then, and the state is at most
    `treated_relapsed`), `effect_reversed` (it has had both signs), `arm_without_times` (the same samples of an arm
    stand at all times, so that nothing can be said of its movement), `no_reference` (healthy samples are lacking at the
    peak or at the last time), or empty.

    Raises
    ------
    ValueError
        The rows of treatment and injury, or the items of fit and classes, do not match.
    """
    if treatment.shape != injury.shape or len(classes) != len(fit.coefficients):
        raise ValueError(
            f"rows of treatment {treatment.shape} and injury {injury.shape}, or {len(fit.coefficients)} items and "
            f"{len(classes)} classes, do not match"
        )
    found = estimate_linear(fit, treatment)
    signs = _significant_signs(found)
    is_told = (classes["class"].notna() & ~classes["class"].isin([NONE, SINGLE_TIME])).to_numpy(dtype=bool)
    persists, reversed_ = signs[:, -1] != 0, _has_both_signs(signs)
    states = np.where(persists, EFFECT_PERSISTS, OPEN).astype(object)
    notes = np.where(~persists & reversed_, REVERSED, "").astype(object)
    is_lost = is_told & ~persists & ~reversed_ & signs.any(axis=1)
    if _has_shared_arm(treatment):
        notes[is_lost] = SHARED_ARM
    else:
        states[is_lost], notes[is_lost] = _name_losses(fit, treatment, injury, found=found, signs=signs, items=is_lost)
    return pd.DataFrame(
        {"end_state": pd.Series(states, dtype=object).where(is_told), "note": np.where(is_told, notes, "")}
    )


def _has_shared_arm(treatment: np.ndarray) -> bool:
    """Whether the treated or the injured samples are the same ones at every time."""
    return any((part == part[0]).all() for part in (np.maximum(treatment, 0), np.minimum(treatment, 0)))


def _name_losses(
    fit: LinearFit, treatment: np.ndarray, injury: np.ndarray, *, found: Estimates, signs: np.ndarray, items: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """End state and note of chosen items (boolean) whose effect is significant before the last time only."""
    members: dict[_Loss, list[int]] = {}
    for item, loss in enumerate(_losses(found, signs)):
        if items[item]:
            members.setdefault(loss, []).append(item)
    states, notes = np.full(len(signs), OPEN, dtype=object), np.full(len(signs), "", dtype=object)
    for loss, mine in members.items():
        if np.isnan(injury[[loss.peak, -1]]).any():
            notes[mine] = NO_REFERENCE
            continue
        named, noted = _name(*_movements(fit, treatment, injury, loss=loss))
        states[mine], notes[mine] = named[mine], noted[mine]
    return states[items], notes[items]


def _losses(found: Estimates, signs: np.ndarray) -> list[_Loss]:
    """What each item's end is compared with: its largest significant effect, and the times alike."""
    items = np.arange(len(signs))
    size = np.where(signs != 0, np.abs(found.estimate), 0.0)
    peak = size.argmax(axis=1)
    variance = np.diagonal(found.covariance, axis1=1, axis2=2)
    spread = variance[items, peak][:, None] + variance - 2 * found.covariance[items, peak]
    lag = size[items, peak][:, None] - size
    alike = (signs != 0) & (lag <= ALIKE * np.sqrt(np.maximum(spread, 0.0)))
    return [
        _Loss(int(one), tuple(same.tolist()), int(signs[item, one]))
        for item, (one, same) in enumerate(zip(peak, alike, strict=True))
    ]


def _movements(
    fit: LinearFit, treatment: np.ndarray, injury: np.ndarray, *, loss: _Loss
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One-sided p-values by item: the control moved to the treated level, the treated moved back, the effect was good.

    The middle of two arms of one size is independent of the effect's noise, by which the peak was chosen.
    """
    middle = injury + treatment / 2
    before, end = middle[loss.peak], middle[-1]
    half = np.array(loss.alike) @ treatment / sum(loss.alike) / 2
    control, treated = before - half, before + half
    return (
        _upper_tail(fit, loss.sign * (end - control)),
        _upper_tail(fit, loss.sign * (treated - end)),
        _upper_tail(fit, -loss.sign * control),
    )


def _name(control: np.ndarray, treated: np.ndarray, against: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """End states and notes from the p-values of `_movements`."""
    moved, relapsed = control < LEVEL, treated < LEVEL
    conditions = [moved & relapsed, moved & (treated > STILL), relapsed & (control > STILL)]
    states = np.select(conditions, [BOTH, CONTROL_RECOVERED, TREATED_RELAPSED], OPEN).astype(object)
    is_against = against < LEVEL
    states[~is_against & np.isin(states, [BOTH, CONTROL_RECOVERED])] = OPEN
    return states, np.where(is_against, "", NOT_AGAINST_INJURY).astype(object)
