"""Time gained by a treatment: the treated arm at one time is where the injured arm is some time later.

The injured arm's course is taken to be straight between its times, and to go on in its direction before and after them.
Says nothing where that course turns back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
import pandas as pd
from scipy.special import fdtrc, stdtr, stdtrit

from exoliver.linear import LinearFit, estimate_linear
from exoliver.trajectories import SHARED_ARM, SINGLE_TIME, check_times

COURSE_LEVEL = 0.05  # of the tests that an injured course has a direction, and that it does not turn back
SHAPE_LEVEL = 0.05  # of the test that the treated course is the injured one, shifted
# Share of the interval's errors that is left to treated times whose match lies beyond the injured arm's times. Without
# them intervals are a quarter wider, as shifts in the wrong direction are compared at few times; a fifth is no better.
BEYOND = 0.1
POINTS = 8  # shifts that are tried between two at which the compared times change
SHORT = 1e-9  # share of the whole span of shifts that counts as none
PRECISION = 1e-8  # of shifts that are found by bisection, in the same share

RECOVERING, WORSENING = "recovering", "worsening"
NO_COURSE, NOT_MONOTONE = "no_course", "course_not_monotone"
BEFORE_FIRST, BEYOND_LAST, UNDETERMINED = "before_first_time", "beyond_last_time", "undetermined"
NO_SHIFT, OTHER_SHAPE = "no_shift_fits", "shape_differs"


@dataclass(frozen=True)
class _Arms:
    """Items (k) with the courses of the injured (q times) and the treated arm (r times) against healthy.

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
    level
        Of the intervals.
    """

    coefficients: np.ndarray
    covariance: np.ndarray
    injured: np.ndarray
    treated: np.ndarray
    times: np.ndarray
    treated_times: np.ndarray
    sign: np.ndarray
    df: np.ndarray
    level: float

    def only(self, items: np.ndarray) -> _Arms:
        """Some of the items."""
        rows = (self.injured, self.treated, self.times, self.treated_times)
        return _Arms(
            self.coefficients[items], self.covariance[items], *rows, self.sign[items], self.df[items], self.level
        )

    @property
    def limits(self) -> tuple[np.ndarray, np.ndarray]:
        """Quantiles by item: of the two-sided test, and of the one-sided one with the times beyond."""
        errors = 1 - self.level
        return stdtrit(self.df, 1 - (1 - BEYOND) * errors / 2), stdtrit(self.df, 1 - BEYOND * errors)


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
    """A shift that is tried for one item: its piece, statistic, and by how much the evidence against it is too strong.

    That the treated arm is further `ahead` than the shift says, or further `behind`; it is compatible with the shift
    where neither is above zero.
    """

    shift: float
    piece: int
    statistic: float
    ahead: float
    behind: float

    @property
    def is_compatible(self) -> bool:
        """Whether the shift is in the interval."""
        return self.ahead <= 0 and self.behind <= 0


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
    the injured arm at t + shift, over the times at which the injured course is known there. Where t + shift lies after
    the last injured time, the treated arm may be ahead of the injured arm's last state, not behind; before the first
    time the other way round. A time weighs as much as the injured course changes between t and t + shift, half a mean
    time step added at either side: where it is flat, a shift makes no difference. The course that weights are taken
    from is the one that both arms tell together if the shift is the true one; it is independent of the difference that
    is tested, so that the level is exact whatever the weights.

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
    arm is ahead. An end is missing where the interval runs out of the observed times, the value where no observed time
    matches. course: `recovering` where the injury is smaller at the last time, else `worsening`: a treatment that holds
    the injury back has a negative shift there. note: `single_time`, `arm_without_times` (the same samples of an arm
    stand at all times), `no_course` (no change from the first to the last time), `course_not_monotone` (all without
    numbers); `before_first_time`, `beyond_last_time` (an open end), `undetermined` (both are open), `no_shift_fits`
    (the interval is empty), `shape_differs` (the treated course is not a shifted injured one); joined by `;`, or empty.
    An item without estimates or noise has missing values.

    Raises
    ------
    ValueError
        Times do not increase, rows and times do not match, or the level is not between 0 and 1.

    References
    ----------
    Kleibergen (2002), 10.1111/1468-0262.00353, for weights that are independent of what they weigh; Fieller (1954),
    10.1111/j.2517-6161.1954.tb00159.x, for intervals by inverted tests.
    """
    check_times(injury, times)
    check_times(distance, treated_times)
    if not 0 < level < 1:
        raise ValueError(f"the level of an interval lies between 0 and 1, not {level}")
    sign, notes = _directions(fit, injury, distance)
    both_times = (np.asarray(times, dtype=float), np.asarray(treated_times, dtype=float))
    df = _smallest_df(fit, injury, distance)
    arms = _Arms(fit.coefficients, fit.covariance, injury, distance, *both_times, sign, df, level)
    numbers = np.full((len(sign), 3), np.nan)
    usable = np.flatnonzero((notes == "") & (sign != 0))
    for item, (*found, note) in zip(usable, _shifts(arms.only(usable)), strict=True):
        numbers[item], notes[item] = found, note
    columns = dict(zip(("value", "low", "high"), numbers.T, strict=True))
    return pd.DataFrame({**columns, "course": _courses(fit, injury, sign), "note": notes})


def _directions(fit: LinearFit, injury: np.ndarray, distance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sign of the injured course of each item, 0 for one without estimates, and a note where it has none or turns back.

    Of all pairs of times none may differ significantly against the direction, after Bonferroni's correction.
    """
    lack = SINGLE_TIME if len(injury) == 1 else SHARED_ARM if _is_shared(injury) or _is_shared(distance) else ""
    if lack:
        return np.zeros(len(fit.coefficients)), np.full(len(fit.coefficients), lack, dtype=object)
    whole = estimate_linear(fit, injury[[-1]] - injury[[0]])
    sign = np.where(np.isfinite(whole.pvalue[:, 0]), np.sign(whole.estimate[:, 0]), 0.0)
    pairs = list(combinations(range(len(injury)), 2))
    steps = estimate_linear(fit, np.stack([injury[later] - injury[earlier] for earlier, later in pairs]))
    with np.errstate(divide="ignore", invalid="ignore"):
        against = stdtr(steps.df, sign[:, None] * steps.estimate / steps.se).min(axis=1)
    conditions = [sign == 0, ~(whole.pvalue[:, 0] < COURSE_LEVEL), against < COURSE_LEVEL / len(pairs)]
    return sign, np.select(conditions, ["", NO_COURSE, NOT_MONOTONE], "").astype(object)


def _is_shared(rows: np.ndarray) -> bool:
    """Whether the first arms of several rows are the same samples at every time."""
    first = np.maximum(rows, 0)
    return len(rows) > 1 and bool((first == first[0]).all())


def _courses(fit: LinearFit, injury: np.ndarray, sign: np.ndarray) -> np.ndarray:
    """Whether the injury is smaller or larger at its last time; missing for items without a direction."""
    ends = np.abs(fit.coefficients @ injury[[0, -1]].T)
    known = np.where(ends[:, 1] < ends[:, 0], RECOVERING, WORSENING).astype(object)
    return np.where(sign == 0, np.nan, known)


def _smallest_df(fit: LinearFit, injury: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """Degrees of freedom of the comparison of two cells that has the fewest, by item."""
    rows = (distance[:, None] - injury[None]).reshape(-1, injury.shape[1])
    return np.asarray(estimate_linear(fit, rows).df.min(axis=1))


def _shifts(arms: _Arms) -> list[tuple[float, float, float, str]]:
    """Value, low end, high end and note of every item."""
    pieces = _pieces(arms.times, arms.treated_times)
    points: list[list[_Point]] = [[] for _ in arms.sign]
    for place, piece in enumerate(pieces):
        for shift in np.linspace(piece.low, piece.high, POINTS):
            for own, point in zip(points, _try(arms, pieces, place, shift=float(shift)), strict=True):
                own.append(point)
    return [_shift(arms.only(np.array([item])), pieces, own) for item, own in enumerate(points)]


def _pieces(times: np.ndarray, treated_times: np.ndarray) -> list[_Piece]:
    """The shifts at which some treated time lies within the injured times, cut where the comparison changes."""
    borders = np.unique(np.append(np.subtract.outer(times, treated_times), 0.0))
    shortest = SHORT * (borders[-1] - borders[0])
    pieces = []
    for low, high in pairwise(borders):
        moved = treated_times + (low + high) / 2
        is_inside = (moved > times[0]) & (moved < times[-1])
        is_reached = is_inside | (moved >= times[-1] if low + high > 0 else moved <= times[0])
        if high - low > shortest and is_inside.any():
            pieces.append(_Piece(low, high, np.flatnonzero(is_inside), np.flatnonzero(is_reached)))
    return pieces


def _try(arms: _Arms, pieces: Sequence[_Piece], place: int, *, shift: float) -> list[_Point]:
    """One shift, tried for every item."""
    piece = pieces[place]
    limit, beyond_limit = arms.limits
    statistic = _statistic(arms, piece.inside, shift)
    ahead, behind = -statistic - limit, statistic - limit
    if len(piece.reached) > len(piece.inside):
        with_beyond = _statistic(arms, piece.reached, shift)
        if piece.low + piece.high > 0:
            behind = np.maximum(behind, with_beyond - beyond_limit)
        else:
            ahead = np.maximum(ahead, -with_beyond - beyond_limit)
    found = zip(statistic.tolist(), ahead.tolist(), behind.tolist(), strict=True)
    return [_Point(shift, place, *numbers) for numbers in found]


def _interpolation(points: np.ndarray, knots: np.ndarray) -> np.ndarray:
    """Weights of the knots, shape (points, knots), in the values at points; outside, those of the nearest end."""
    left = np.clip(np.searchsorted(knots, points) - 1, 0, len(knots) - 2)
    share = np.clip((points - knots[left]) / (knots[left + 1] - knots[left]), 0.0, 1.0)
    weights, each = np.zeros((len(points), len(knots))), np.arange(len(points))
    weights[each, left], weights[each, left + 1] = 1 - share, share
    return weights


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
    return np.asarray(-arms.sign * (weights * difference).sum(axis=1) / np.sqrt(spread))


def _weights(course: np.ndarray, arms: _Arms, places: np.ndarray, shift: float) -> np.ndarray:
    """Weights of treated times by item: how much the course (k, q) rises from there to a shift later, or earlier."""
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


def _shift(arm: _Arms, pieces: Sequence[_Piece], points: Sequence[_Point]) -> tuple[float, float, float, str]:
    """Value, low end, high end and note of the only item of `arm`."""
    roots = _roots(arm, pieces, points)
    tried = sorted([*points, *roots], key=lambda point: (point.piece, point.shift))
    low, high = (_entry(arm, pieces, way) for way in (tried, tried[::-1]))
    is_open_low, is_open_high = tried[0].ahead <= 0, tried[-1].behind <= 0
    if is_open_low and is_open_high:
        return np.nan, np.nan, np.nan, UNDETERMINED
    if low is None or high is None:
        low, high = tried[-1].shift, tried[0].shift
        if not (is_open_low or is_open_high):
            return np.nan, np.nan, np.nan, NO_SHIFT
    value, pvalue = _best(arm, pieces, roots)
    notes = {BEFORE_FIRST: is_open_low, BEYOND_LAST: is_open_high, OTHER_SHAPE: pvalue < SHAPE_LEVEL}
    ends = (np.nan if is_open_low else low, np.nan if is_open_high else high)
    return value, *ends, ";".join(note for note, holds in notes.items() if holds)


def _roots(arm: _Arms, pieces: Sequence[_Piece], points: Sequence[_Point]) -> list[_Point]:
    """The compatible shifts at which the arms agree in the mean; a jump over agreement counts as well."""
    precision = PRECISION * (points[-1].shift - points[0].shift)
    roots = []
    for before, after in pairwise(points):
        if not before.statistic < 0 <= after.statistic:
            continue
        if before.piece == after.piece:
            found = _agreement(arm, pieces, before, after=after, precision=precision)
            roots += [point for point in found if point.is_compatible]
        else:
            roots += [point for point in (before, after) if point.is_compatible][:1]
    return roots


def _agreement(
    arm: _Arms, pieces: Sequence[_Piece], before: _Point, *, after: _Point, precision: float
) -> list[_Point]:
    """The shift between two of one piece at which the statistic changes its sign."""
    places = pieces[after.piece].inside
    shift = _bisect(
        lambda middle: bool(_statistic(arm, places, middle)[0] >= 0), before.shift, after.shift, precision=precision
    )
    return _try(arm, pieces, after.piece, shift=shift)


def _entry(arm: _Arms, pieces: Sequence[_Piece], way: Sequence[_Point]) -> float | None:
    """The first compatible shift on a way through those tried, by bisection; None without any."""
    first = next((place for place, point in enumerate(way) if point.is_compatible), None)
    if first is None:
        return None
    after, before = way[first], way[max(first - 1, 0)]
    if before.is_compatible or before.piece != after.piece:
        return after.shift
    return _bisect(
        lambda middle: _try(arm, pieces, after.piece, shift=middle)[0].is_compatible,
        before.shift,
        after.shift,
        precision=PRECISION * abs(way[-1].shift - way[0].shift),
    )


def _bisect(holds: Callable[[float], bool], outside: float, inside: float, *, precision: float) -> float:
    """Where between two shifts something begins to hold, that does so at `inside` and not at `outside`."""
    while abs(outside - inside) > precision:
        middle = (outside + inside) / 2
        outside, inside = (outside, middle) if holds(middle) else (middle, inside)
    return inside


def _best(arm: _Arms, pieces: Sequence[_Piece], roots: Sequence[_Point]) -> tuple[float, float]:
    """Of several shifts the one with the most compared times, of those the one where the arms agree best.

    With it the p-value of what is left between the arms; NaN and 1 where there is none.
    """
    found = []
    for root in roots:
        piece = pieces[root.piece]
        found.append((len(piece.inside), _shape_pvalue(arm, piece, root.shift), root.shift))
    _, pvalue, value = max(found, default=(0, 1.0, np.nan))
    return value, pvalue


def _shape_pvalue(arm: _Arms, piece: _Piece, shift: float) -> float:
    """F test that the arms differ at no compared time, one degree of freedom being spent on the shift."""
    _, difference, covariance = _difference(arm, piece.inside, shift)
    free = len(piece.inside) - 1
    if free == 0:
        return 1.0
    stat = float(difference[0] @ np.linalg.solve(covariance[0], difference[0])) / free
    return float(fdtrc(free, arm.df[0], stat))
