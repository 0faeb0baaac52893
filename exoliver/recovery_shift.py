"""Time gained by a treatment: the treated arm at one time is where the injured arm is some time later.

The injured arm's course is taken to be straight between its times. Says nothing where that course turns back, and
nothing beyond the times that were observed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import fdtrc, stdtr, stdtrit

from exoliver.linear import LinearFit, estimate_linear

COURSE_LEVEL = 0.05  # of the tests that an injured course has a direction, and that it does not turn back
SHAPE_LEVEL = 0.05  # of the test that the treated course is the injured one, shifted
POINTS = 8  # shifts that are tried between two at which the compared times change
CLOSE = 1e-9  # share of the whole span of shifts that counts as none
PRECISION = 1e-8  # of the shifts, in the same share

RECOVERING, WORSENING = "recovering", "worsening"
SINGLE_TIME, NO_COURSE, NOT_MONOTONE = "single_time", "no_course", "course_not_monotone"
BEFORE_FIRST, BEYOND_LAST, UNDETERMINED = "before_first_time", "beyond_last_time", "undetermined"
NO_SHIFT, OTHER_SHAPE = "no_shift_fits", "shape_differs"


@dataclass(frozen=True)
class _Arms:
    """Items (k) with the courses of both arms against healthy; times of the injured (q) and the treated arm (r).

    Parameters
    ----------
    coefficients, covariance
        Shapes (k, p) and (k, p, p).
    injured, treated
        Rows of the design's columns, shapes (q, p) and (r, p).
    times, treated_times
        In the unit of the shifts.
    sign
        Of the change from the first to the last time of the injured arm, shape (k,).
    df
        Degrees of freedom, shape (k,).
    """

    coefficients: np.ndarray
    covariance: np.ndarray
    injured: np.ndarray
    treated: np.ndarray
    times: np.ndarray
    treated_times: np.ndarray
    sign: np.ndarray
    df: np.ndarray

    def only(self, items: np.ndarray) -> _Arms:
        """Some of the items."""
        parts = (self.coefficients[items], self.covariance[items])
        rows = (self.injured, self.treated, self.times, self.treated_times)
        return _Arms(*parts, *rows, self.sign[items], self.df[items])


@dataclass(frozen=True)
class _Piece:
    """Shifts from `low` to `high`, over which the same treated times lie between the same injured times.

    `inside` are the places of those treated times, `reached` with those beyond them in the direction of the shift.
    """

    low: float
    high: float
    inside: np.ndarray
    reached: np.ndarray


@dataclass(frozen=True)
class _Point:
    """A shift that is tried for one item, in the piece of that number."""

    shift: float
    piece: int
    statistic: float
    excess: float


def recovery_shift(
    fit: LinearFit,
    injury: np.ndarray,
    *,
    times: Sequence[float],
    distance: np.ndarray,
    treated_times: Sequence[float],
    level: float,
) -> pd.DataFrame:
    """Time by which each item of the treated arm runs ahead of the injured arm.

    A shift is compatible with the data where the treated arm at its times t does not differ, in a weighted mean, from
    the injured arm at t + shift; times without an observed injured course at t + shift are left out. A time weighs as
    much as the injured course changes, per unit of time, between t and t + shift, half a time step added at either
    side. The course that weights are taken from is the one that both arms tell together if the shift is the true one:
    it is independent of the difference that is tested, so that the level is exact whatever the weights.

    Parameters
    ----------
    injury
        Rows of injured minus healthy, shape (q, p), at increasing `times`.
    distance
        Rows of treated minus healthy, shape (r, p), at increasing `treated_times`; mostly the same times.
    level
        Of the interval, such as .95.

    Returns
    -------
    One row per item. value, low, high: the shift and its interval in the unit of the times; positive where the treated
    arm is ahead. An end is missing where the interval runs out of the observed times. course: `recovering` where the
    injury is smaller at the last time, else `worsening`: there a treatment that holds the injury back has a negative
    shift. note: `single_time`, `no_course` (no change from the first to the last time), `course_not_monotone` (all
    without numbers); `before_first_time`, `beyond_last_time` (an open end), `undetermined` (both are open),
    `no_shift_fits` (the interval is empty), `shape_differs` (the treated course is not a shifted injured one); joined
    by `;`, or empty. An item without estimates or noise has missing values.

    Raises
    ------
    ValueError
        Times do not increase, rows and times do not match, or the level is not between 0 and 1.

    References
    ----------
    Kleibergen (2002), 10.1111/1468-0262.00353, for weights that are independent of what they weigh; Fieller (1954),
    10.1111/j.2517-6161.1954.tb00159.x, for intervals by inverted tests.
    """
    _check_course(injury, times)
    _check_course(distance, treated_times)
    if not 0 < level < 1:
        raise ValueError(f"the level of an interval lies between 0 and 1, not {level}")
    sign, notes = _directions(fit, injury)
    course = _courses(fit, injury, sign)
    arms = _Arms(
        fit.coefficients,
        fit.covariance,
        injury,
        distance,
        np.asarray(times, dtype=float),
        np.asarray(treated_times, dtype=float),
        sign,
        _smallest_df(fit, injury, distance),
    )
    numbers = np.full((len(sign), 3), np.nan)
    usable = np.flatnonzero((notes == "") & (sign != 0))
    for item, (*found, note) in zip(usable, _shifts(arms.only(usable), level), strict=True):
        numbers[item], notes[item] = found, note
    columns = dict(zip(("value", "low", "high"), numbers.T, strict=True))
    return pd.DataFrame({**columns, "course": course, "note": notes})


def _check_course(rows: np.ndarray, times: Sequence[float]) -> None:
    """One row for each of some increasing times."""
    if len(times) == 0 or rows.ndim != 2 or len(rows) != len(times):
        raise ValueError(f"a course needs one row of weights for each time: {rows.shape} for {len(times)} times")
    if not (np.isfinite(times).all() and (np.diff(times) > 0).all()):
        raise ValueError(f"times of a course have to increase: {list(times)}")


def _directions(fit: LinearFit, injury: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sign of the injured course of each item, 0 for one without estimates, and a note where it has none or turns back.

    Of all pairs of times none may differ significantly against the direction, Bonferroni-corrected.
    """
    if len(injury) == 1:
        return np.zeros(len(fit.coefficients)), np.full(len(fit.coefficients), SINGLE_TIME, dtype=object)
    whole = estimate_linear(fit, injury[[-1]] - injury[[0]])
    sign = np.where(np.isfinite(whole.pvalue[:, 0]), np.sign(whole.estimate[:, 0]), 0.0)
    pairs = list(combinations(range(len(injury)), 2))
    steps = estimate_linear(fit, np.stack([injury[later] - injury[earlier] for earlier, later in pairs]))
    with np.errstate(divide="ignore", invalid="ignore"):
        against = stdtr(steps.df, sign[:, None] * steps.estimate / steps.se).min(axis=1)
    conditions = [sign == 0, ~(whole.pvalue[:, 0] < COURSE_LEVEL), against < COURSE_LEVEL / len(pairs)]
    return sign, np.select(conditions, ["", NO_COURSE, NOT_MONOTONE], "").astype(object)


def _courses(fit: LinearFit, injury: np.ndarray, sign: np.ndarray) -> np.ndarray:
    """Whether the injury is smaller or larger at its last time; missing for items without a direction."""
    ends = np.abs(fit.coefficients @ injury[[0, -1]].T)
    known = np.where(ends[:, 1] < ends[:, 0], RECOVERING, WORSENING).astype(object)
    return np.where(sign == 0, np.nan, known)


def _smallest_df(fit: LinearFit, injury: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """Degrees of freedom of the comparison of two cells that has the fewest, by item."""
    rows = (distance[:, None] - injury[None]).reshape(-1, injury.shape[1])
    return np.asarray(estimate_linear(fit, rows).df.min(axis=1))


def _shifts(arms: _Arms, level: float) -> list[tuple[float, float, float, str]]:
    """Value, low end, high end and note of every item."""
    if len(arms.sign) == 0:
        return []
    pieces = _pieces(arms.times, arms.treated_times)
    quantiles = stdtrit(arms.df, 0.5 + level / 2)
    points: list[list[_Point]] = [[] for _ in quantiles]
    for place, piece in enumerate(pieces):
        for shift in np.linspace(piece.low, piece.high, POINTS):
            found = zip(points, *_judge(arms, piece, shift, quantiles=quantiles), strict=True)
            for own, statistic, excess in found:
                own.append(_Point(float(shift), place, float(statistic), float(excess)))
    return [
        _shift(arms.only(np.array([item])), pieces, own, quantile=quantiles[item]) for item, own in enumerate(points)
    ]


def _pieces(times: np.ndarray, treated_times: np.ndarray) -> list[_Piece]:
    """The shifts at which some treated time lies within the injured times, cut where the comparison changes."""
    borders = np.unique(np.append(np.subtract.outer(times, treated_times), 0.0))
    shortest = CLOSE * (borders[-1] - borders[0])
    pieces = []
    for low, high in pairwise(borders):
        moved = treated_times + (low + high) / 2
        is_inside = (moved > times[0]) & (moved < times[-1])
        is_reached = is_inside | (moved >= times[-1] if low + high > 0 else moved <= times[0])
        if high - low > shortest and is_inside.any():
            pieces.append(_Piece(low, high, np.flatnonzero(is_inside), np.flatnonzero(is_reached)))
    return pieces


def _interpolation(points: np.ndarray, knots: np.ndarray) -> np.ndarray:
    """Weights of the knots, shape (points, knots), in the values at points; outside, those of the nearest end."""
    return np.stack([np.interp(points, knots, unit) for unit in np.eye(len(knots))], axis=1)


def _difference(arms: _Arms, places: np.ndarray, shift: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Treated arm minus injured arm a shift later at m treated times: rows (m, p), values, covariance.

    Outside its times the injured arm is taken as at the nearest one.
    """
    rows = arms.treated[places] - _interpolation(arms.treated_times[places] + shift, arms.times) @ arms.injured
    return rows, arms.coefficients @ rows.T, rows @ arms.covariance @ rows.T


def _statistic(arms: _Arms, places: np.ndarray, shift: float) -> np.ndarray:
    """The t statistic of a shift for each item: negative where the treated arm is further ahead than it says."""
    rows, difference, covariance = _difference(arms, places, shift)
    shared = arms.injured @ arms.covariance @ rows.T
    known = np.linalg.solve(covariance, difference[..., None])
    course = arms.coefficients @ arms.injured.T - (shared @ known)[..., 0]
    weights = _weights(_never_falling(course * arms.sign[:, None]), arms, places, shift)
    spread = np.einsum("km,kmn,kn->k", weights, covariance, weights)
    return -arms.sign * (weights * difference).sum(axis=1) / np.sqrt(spread)


def _judge(arms: _Arms, piece: _Piece, shift: float, *, quantiles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """By item: the statistic of a shift, and by how much it, or that with the times beyond, exceeds the quantile.

    Where the injured arm's last time is compared with treated times that are still later, the treated arm may be ahead
    of it, but not behind; and the other way round before the first time.
    """
    statistic = _statistic(arms, piece.inside, shift)
    way = np.sign(piece.low + piece.high)
    is_more = len(piece.reached) > len(piece.inside)
    with_beyond = _statistic(arms, piece.reached, shift) if is_more else statistic
    return statistic, np.maximum(-way * statistic, way * with_beyond) - quantiles


def _weights(course: np.ndarray, arms: _Arms, places: np.ndarray, shift: float) -> np.ndarray:
    """Weights of treated times by item: how much the course (k, q) rises between there and a shift later, or earlier."""
    start = arms.treated_times[places]
    margin = (arms.times[-1] - arms.times[0]) / (len(arms.times) - 1) / 2
    low, high = start + min(shift, 0.0) - margin, start + max(shift, 0.0) + margin
    rise = _interpolation(high, arms.times) - _interpolation(low, arms.times)
    weights = course @ rise.T
    # A course without any rise has no weights of its own: all times weigh the same.
    return np.where(weights.max(axis=1, keepdims=True) > 0, weights, 1.0)


def _never_falling(values: np.ndarray) -> np.ndarray:
    """Each row of values (k, q) made monotone by least squares: the largest of the smallest means that enclose a place.

    References
    ----------
    Robertson, Wright, Dykstra (1988), Order Restricted Statistical Inference, theorem 1.4.4.
    """
    places = np.arange(values.shape[1])
    sums = np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1)], axis=1)
    lengths = np.maximum(places[None, :] - places[:, None] + 1, 1)
    means = (sums[:, None, 1:] - sums[:, :-1, None]) / lengths
    return np.stack([means[:, : place + 1, place:].min(axis=2).max(axis=1) for place in places], axis=1)


def _shift(
    arm: _Arms, pieces: Sequence[_Piece], points: Sequence[_Point], *, quantile: float
) -> tuple[float, float, float, str]:
    """Value, low end, high end and note of the only item of `arm`."""
    roots = _roots(arm, pieces, points, quantile=quantile)
    tried = sorted([*points, *roots], key=lambda point: (point.piece, point.shift))
    ends = _ends(arm, pieces, tried, quantile=quantile)
    if ends is None:
        return np.nan, np.nan, np.nan, NO_SHIFT
    low, high = (end if np.isfinite(end) else np.nan for end in ends)
    if np.isnan(low) and np.isnan(high):
        return np.nan, np.nan, np.nan, UNDETERMINED
    value, pvalue = _best(arm, pieces, roots)
    notes = {BEFORE_FIRST: np.isnan(low), BEYOND_LAST: np.isnan(high), OTHER_SHAPE: pvalue < SHAPE_LEVEL}
    return value, low, high, ";".join(note for note, holds in notes.items() if holds)


def _try(arm: _Arms, pieces: Sequence[_Piece], piece: int, *, shift: float, quantile: float) -> _Point:
    """One shift, tried for the only item of `arm`."""
    statistic, excess = _judge(arm, pieces[piece], shift, quantiles=np.array([quantile]))
    return _Point(shift, piece, float(statistic[0]), float(excess[0]))


def _roots(arm: _Arms, pieces: Sequence[_Piece], points: Sequence[_Point], *, quantile: float) -> list[_Point]:
    """The compatible shifts at which the arms agree in the mean; a jump over agreement counts as well."""
    roots = []
    precision = PRECISION * (points[-1].shift - points[0].shift)
    for before, after in pairwise(points):
        if not before.statistic < 0 <= after.statistic:
            continue
        if before.piece != after.piece:
            roots += [point for point in (before, after) if point.excess <= 0][:1]
            continue
        places = pieces[before.piece].inside
        shift = brentq(
            lambda shift, places: float(_statistic(arm, places, shift)[0]),
            before.shift,
            after.shift,
            args=(places,),
            xtol=precision,
        )
        found = _try(arm, pieces, before.piece, shift=float(shift), quantile=quantile)
        roots += [found] if found.excess <= 0 else []
    return roots


def _ends(
    arm: _Arms, pieces: Sequence[_Piece], tried: Sequence[_Point], *, quantile: float
) -> tuple[float, float] | None:
    """Ends of the interval around all compatible shifts, infinite where it runs out of those tried; None if empty.

    It runs out, too, where the treated arm is further ahead, or behind, than all of them say.
    """
    low, high = (_entry(arm, pieces, way, quantile=quantile) for way in (tried, tried[::-1]))
    is_open_low, is_open_high = tried[0].statistic >= -quantile, tried[-1].statistic <= quantile
    if low is None or high is None:
        low, high = tried[-1].shift, tried[0].shift
        if not (is_open_low or is_open_high):
            return None
    return (-np.inf if is_open_low else low), (np.inf if is_open_high else high)


def _entry(arm: _Arms, pieces: Sequence[_Piece], way: Sequence[_Point], *, quantile: float) -> float | None:
    """The first compatible shift on a way through those tried, by bisection; None without any."""
    if way[0].excess <= 0:
        return way[0].shift
    for before, after in pairwise(way):
        if after.excess > 0:
            continue
        if before.piece != after.piece:
            return after.shift
        outside, inside = before.shift, after.shift
        while abs(outside - inside) > PRECISION * abs(way[-1].shift - way[0].shift):
            middle = (outside + inside) / 2
            is_inside = _try(arm, pieces, after.piece, shift=middle, quantile=quantile).excess <= 0
            outside, inside = (outside, middle) if is_inside else (middle, inside)
        return inside
    return None


def _best(arm: _Arms, pieces: Sequence[_Piece], roots: Sequence[_Point]) -> tuple[float, float]:
    """Of several shifts the one with the most compared times, of those the one where the arms agree best.

    With it the p-value of what is left between the arms; NaN and 1 where there is none.
    """
    found = [
        (len(pieces[root.piece].inside), _shape_pvalue(arm, pieces[root.piece], root.shift), root) for root in roots
    ]
    if not found:
        return np.nan, 1.0
    _, pvalue, best = max(found, key=lambda one: one[:2])
    return best.shift, pvalue


def _shape_pvalue(arm: _Arms, piece: _Piece, shift: float) -> float:
    """F test that the arms differ at no compared time, one degree of freedom being spent on the shift."""
    _, difference, covariance = _difference(arm, piece.inside, shift)
    free = len(piece.inside) - 1
    if free == 0:
        return 1.0
    stat = float(difference[0] @ np.linalg.solve(covariance[0], difference[0])) / free
    return float(fdtrc(free, arm.df[0], stat))
