"""How much of the injury of all genes together a treatment takes back: one slope, free of the noise that they share.

Injury and what is undone of it share the injured samples, which draws a plain slope over genes towards a half. Here the
weights of the genes come from other samples than the differences that they weigh. Single genes are not looked at.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from exoliver.fieller import OK, fieller_ratio

MIN_GENES = 500  # below it intervals are too narrow (.91 for .95 at 150 genes); left to the caller to say
MIN_SAMPLES = 3  # healthy and injured, each: one is left out, and the others need a mean and a variance
PRIOR_DF = 40  # observations that the trend of variances is worth beside those of the gene; 4 were too few
CUT = 2.0  # standard errors of an injury, below which its gene has no weight
BINS = 15  # of genes by mean expression, equally full, for the trend of variances
LOWEST_VARIANCE = 1e-10  # log2 squared, far below that of any count: genes that do not vary have finite weights
STILL = 1e-6  # of a standardised nuisance column: what moves less within the arms does not move
HEALTHY, INJURED, TREATED = ARMS = (0, 1, 2)


@dataclass(frozen=True)
class Slope:
    """Share of the injury that treatment takes back, over all genes.

    Parameters
    ----------
    value
        0 is nothing, 1 all of it, above 1 too much, below 0 further harm; NaN unless the state is `ok`.
    low, high
        Fieller's interval; NaN where the state is `injury_not_detected`.
    jackknife_low, jackknife_high
        Wider interval that assumes less, from leaving out one sample after the other; NaN unless the state is `ok`, and
        with one treated sample.
    injury, injury_se
        Squared injury over residual variance, summed over the genes that pass the cut; without unit.
    state
        `ok`, `injury_weak` or `injury_not_detected`, see `exoliver.fieller`.
    genes
        How many there were.
    df
        Degrees of freedom of Fieller's interval.
    """

    value: float
    low: float
    high: float
    jackknife_low: float
    jackknife_high: float
    injury: float
    injury_se: float
    state: str
    genes: int
    df: int


@dataclass(frozen=True)
class _Samples:
    """Expression (n, g), arm (n,) and nuisance columns (n, c) of all samples; number of columns taken out before."""

    expression: np.ndarray
    arm: np.ndarray
    nuisance: np.ndarray
    columns_used: int

    def of(self, arm: int) -> np.ndarray:
        """Places of the samples of an arm."""
        return np.flatnonzero(self.arm == arm)

    def without(self, place: int) -> _Samples:
        """All samples but one."""
        kept = np.arange(len(self.arm)) != place
        return _Samples(self.expression[kept], self.arm[kept], self.nuisance[kept], self.columns_used)

    @property
    def df(self) -> int:
        """Residual degrees of freedom."""
        return len(self.arm) - len(ARMS) - self.nuisance.shape[1] - self.columns_used


@dataclass(frozen=True)
class _Others:
    """Of each sample of an arm the mean and the sum of squares of the other samples; all (n, g)."""

    means: np.ndarray
    squares: np.ndarray

    def only(self, genes: np.ndarray) -> _Others:
        """Those of some of the genes."""
        return _Others(self.means[:, genes], self.squares[:, genes])


@dataclass(frozen=True)
class _Parts:
    """What the weights are made of: expression around its mean, the two arms, and variances that no pair changes."""

    expression: np.ndarray
    healthy: _Others
    injured: _Others
    common: np.ndarray
    observations: int
    cut: float


@dataclass(frozen=True)
class _Pairs:
    """One injured sample with every healthy one (h): how their differences are taken.

    Parameters
    ----------
    lines
        What is undone and the injury, as weights of the samples, shape (h, 2, n); zeros where the other samples do not
        tell the effect of each nuisance column.
    bases
        Orthonormal rows along which the nuisance columns move the other samples within their arms, shape (h, c, n).
    usable
        Whether they tell it, shape (h,).
    """

    lines: np.ndarray
    bases: np.ndarray
    usable: np.ndarray


@dataclass(frozen=True)
class _Sums:
    """Means over pairs: undone and injury (2,), their weights of the samples (2, n), squares around the arms' means."""

    numbers: np.ndarray
    lines: np.ndarray
    squares: float


def rescue_slope(
    healthy: np.ndarray,
    injured: np.ndarray,
    *,
    treated: np.ndarray,
    nuisance: np.ndarray | None = None,
    columns_used: int = 0,
    level: float,
) -> Slope:
    """The share of the injury that treatment takes back, with weights of the genes from other samples.

    For every pair of an injured and a healthy sample the other samples say which genes are injured and how much they
    weigh; the pair says how large injury and rescue are along these weights. Both are unbiased, their ratio nearly so.

    Parameters
    ----------
    healthy, injured, treated
        Variance-stabilised expression (log2) at one time, samples x genes (g), the same genes in the same order.
        Below `MIN_GENES` genes the intervals are too narrow.
    nuisance
        Covariates and donors whose effects are taken out: healthy, injured and treated samples, in this order (n), x
        columns of a design. Their effects are estimated for each pair from the other samples. A column that does not
        move, or only with others, costs nothing.
    columns_used
        Columns that were regressed out of the expression before. That ties the samples to each other: it does little
        where the columns are balanced over arms; else it biases the slope, and `nuisance` is right.
    level
        Of the intervals, such as .95.

    Returns
    -------
    Where genes are restored to different shares: their mean, weighted by the square of the injury over the variance.

    Raises
    ------
    ValueError
        Fewer than `MIN_SAMPLES` healthy or injured samples, or no treated one; no degrees of freedom left; arms of
        different genes; values that are not finite; nuisance columns that cannot be told from the arms.

    References
    ----------
    Fieller (1954), 10.1111/j.2517-6161.1954.tb00159.x; Chernozhukov et al. (2018), 10.1111/ectj.12097, section 3, for
    cross-fitting; Efron, Tibshirani (1993), 10.1201/9780429246593, chapter 11, for the jackknife.
    """
    samples = _read_samples((healthy, injured, treated), nuisance, columns_used)
    sums = _cross_fit(samples)
    undone, injury = sums.numbers
    noise = max(sums.squares, 0.0) / (samples.df - 2)
    covariance = noise * sums.lines @ sums.lines.T
    ratio = fieller_ratio(
        undone,
        np.maximum(injury, 0.0),  # it estimates a sum of squares: one below zero is chance, and no injury
        variance=covariance[0, 0],
        denominator_variance=covariance[1, 1],
        covariance=covariance[0, 1],
        df=samples.df,
        level=level,
    )
    half = ndtri(0.5 + level / 2) * _jackknife_error(samples) if ratio.state == OK else np.nan
    return Slope(
        value=float(ratio.value),
        low=float(ratio.low),
        high=float(ratio.high),
        jackknife_low=float(ratio.value - half),
        jackknife_high=float(ratio.value + half),
        injury=float(injury),
        injury_se=float(np.sqrt(covariance[1, 1])),
        state=str(ratio.state),
        genes=samples.expression.shape[1],
        df=samples.df,
    )


def _read_samples(arrays: tuple[np.ndarray, ...], nuisance: np.ndarray | None, columns_used: int) -> _Samples:
    """The samples of the three arms, where they can be compared."""
    arms = [np.asarray(array, dtype=float) for array in arrays]
    numbers = [len(arm) for arm in arms]
    if any(arm.ndim != 2 for arm in arms) or len({arm.shape[1] for arm in arms}) > 1 or not arms[0].shape[1]:
        raise ValueError("a rescue slope needs arms of samples x genes, all of the same genes")
    if min(numbers[:2]) < MIN_SAMPLES:
        raise ValueError(f"a rescue slope needs {MIN_SAMPLES} healthy and {MIN_SAMPLES} injured samples")
    if numbers[2] < 1:
        raise ValueError("a rescue slope needs one treated sample, and two for its jackknife interval")
    columns = np.zeros((sum(numbers), 0)) if nuisance is None else np.asarray(nuisance, dtype=float)
    if columns.ndim != 2 or len(columns) != sum(numbers):
        raise ValueError("nuisance columns need a row for each sample: healthy, injured, treated")
    expression = np.concatenate(arms)
    if not (np.isfinite(expression).all() and np.isfinite(columns).all()):
        raise ValueError("a rescue slope needs expression and nuisance columns that are finite")
    arm = np.repeat(ARMS, numbers)
    samples = _Samples(expression, arm, _independent(columns, arm), columns_used)
    if samples.df - 2 < 1:
        raise ValueError("a rescue slope needs residual degrees of freedom when a pair of samples is left out")
    if not any(_pairs(samples, place).usable.any() for place in samples.of(INJURED)):
        raise ValueError("nuisance columns need two samples each, so that a pair can be left out")
    return samples


def _independent(nuisance: np.ndarray, arm: np.ndarray) -> np.ndarray:
    """As many nuisance columns (n, c) as move within the arms independently of each other, with the same effects."""
    least = STILL * np.abs(nuisance).max(axis=0, initial=np.finfo(float).tiny)
    columns = (nuisance - nuisance.mean(axis=0)) / np.maximum(nuisance.std(axis=0), least)
    means = np.array([columns[arm == own].mean(axis=0) for own in ARMS])
    _, values, axes = np.linalg.svd(columns - means[arm])
    moves = np.arange(len(axes)) < np.sum(values > STILL)
    if np.abs(means @ axes[~moves].T).max(initial=0.0) > STILL:
        raise ValueError("nuisance columns cannot be told from the arms")
    return columns @ axes[moves].T


def _cross_fit(samples: _Samples) -> _Sums:
    """The two differences along the weights of the other samples, over all pairs."""
    parts = _parts_of(samples)
    numbers, lines, squares, count = np.zeros(2), np.zeros((2, len(samples.arm))), 0.0, 0
    for order, place in enumerate(samples.of(INJURED)):
        pairs = _pairs(samples, place)
        along = parts.expression @ _weights(parts, pairs, order=order).T
        numbers += np.einsum("hqn,nh->q", pairs.lines, along)
        squares += _squares_along(along, samples, pairs=pairs, order=order)
        lines += pairs.lines.sum(axis=0)
        count += int(pairs.usable.sum())
    return _Sums(numbers / count, lines / count, squares / count)


def _slope_without(samples: _Samples, place: int) -> float:
    """The slope when one sample is left out: as `_cross_fit`, with no more than it needs; NaN if there is none."""
    left = samples.without(place)
    parts = _parts_of(left)
    target = parts.expression[left.of(TREATED)].mean(axis=0)
    numbers = np.zeros(2)
    for order, injured in enumerate(left.of(INJURED)):
        pairs = _pairs(left, injured)
        weights = _weights(parts, pairs, order=order)
        if left.nuisance.shape[1]:
            numbers += np.einsum("hqn,nh->q", pairs.lines, parts.expression @ weights.T)
            continue
        total, sample = weights.sum(axis=0), parts.expression[injured]
        numbers += (sample - target) @ total, sample @ total - np.vdot(parts.expression[left.of(HEALTHY)], weights)
    return float(numbers[0] / numbers[1]) if numbers[1] else np.nan


def _parts_of(samples: _Samples) -> _Parts:
    """What the weights are made of, without genes that pass the cut in no pair."""
    expression = samples.expression - samples.expression.mean(axis=0)
    healthy, injured = (_others(expression[samples.of(arm)]) for arm in (HEALTHY, INJURED))
    cut = CUT**2 * sum(1 / (len(arm.means) - 1) for arm in (healthy, injured))
    observations = PRIOR_DF + samples.df - 2
    prior = PRIOR_DF * _trend_of_variance(samples) / observations
    common = prior + _squares(expression[samples.of(TREATED)]) / observations
    least = prior
    if not samples.nuisance.shape[1]:
        least = common + (injured.squares.min(axis=0) + healthy.squares.min(axis=0)) / observations
    up = injured.means.max(axis=0) - healthy.means.min(axis=0)
    down = healthy.means.max(axis=0) - injured.means.min(axis=0)
    genes = np.flatnonzero(np.maximum(up, down) ** 2 > cut * least)
    return _Parts(expression[:, genes], healthy.only(genes), injured.only(genes), common[genes], observations, cut)


def _others(samples: np.ndarray) -> _Others:
    """Means and sums of squares without each sample, from those of all."""
    number, mean = len(samples), samples.mean(axis=0)
    apart = samples - mean
    squares = _squares(samples) - apart**2 * (number / (number - 1))
    return _Others(mean - apart / (number - 1), np.maximum(squares, 0.0))


def _squares(samples: np.ndarray) -> np.ndarray:
    """Sum of squares around the mean of the samples."""
    return np.asarray(((samples - samples.mean(axis=0)) ** 2).sum(axis=0))


def _trend_of_variance(samples: _Samples) -> np.ndarray:
    """Residual variance of genes of the same mean expression (g,): its logarithm, interpolated between bins."""
    mean = samples.expression.mean(axis=0)
    (basis,), *_ = _within_arms(samples, np.ones((1, len(samples.arm))))
    squares = sum(_squares(samples.expression[samples.of(arm)]) for arm in ARMS)
    variance = (squares - ((basis @ samples.expression) ** 2).sum(axis=0)) / samples.df
    bins = np.searchsorted(np.quantile(mean, np.arange(1, BINS) / BINS), mean, side="right")
    number = np.bincount(bins)
    centres, levels = (np.bincount(bins, values)[number > 0] / number[number > 0] for values in (mean, variance))
    return np.exp(np.interp(mean, centres, np.log(np.maximum(levels, LOWEST_VARIANCE))))


def _within_arms(samples: _Samples, kept: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bases and slopes (h, c, n) of nuisance columns within the arms of kept samples (h, n), and if they move (h,)."""
    members = kept[:, :, None] * (samples.arm[:, None] == ARMS)
    means = np.einsum("hna,nc->hac", members, samples.nuisance) / members.sum(axis=1)[:, :, None]
    within = (samples.nuisance - means[:, samples.arm]) * kept[:, :, None]
    left, values, right = np.linalg.svd(within, full_matrices=False)
    slopes = np.einsum("hkc,hk,hnk->hcn", right, 1 / np.maximum(values, STILL), left)
    return left.swapaxes(1, 2), slopes, np.asarray((values > STILL).all(axis=1))


def _pairs(samples: _Samples, place: int) -> _Pairs:
    """One injured sample with every healthy one."""
    healthy, treated = samples.of(HEALTHY), samples.of(TREATED)
    every = np.arange(len(healthy))
    kept = np.ones((len(healthy), len(samples.arm)))
    kept[:, place] = kept[every, healthy] = 0.0
    bases, slopes, usable = _within_arms(samples, kept)
    lines = np.zeros((len(healthy), 2, len(samples.arm)))
    lines[:, :, place] = 1.0
    lines[:, 0, treated] = -1 / len(treated)
    lines[every, 1, healthy] = -1.0
    lines -= (lines @ samples.nuisance) @ slopes
    return _Pairs(lines * usable[:, None, None], bases, usable)


def _weights(parts: _Parts, pairs: _Pairs, *, order: int) -> np.ndarray:
    """Weights of the genes without an injured sample and each healthy one (h, g); nuisance adds noise to them alone."""
    injury = parts.injured.means[order] - parts.healthy.means
    squares = parts.injured.squares[order] + parts.healthy.squares
    if pairs.bases.shape[1]:
        squares = squares - ((pairs.bases @ parts.expression) ** 2).sum(axis=1)
    variance = parts.common + squares / parts.observations
    has_weight = (injury**2 > parts.cut * variance) & pairs.usable[:, None]
    return np.where(has_weight, injury / variance, 0.0)


def _squares_along(along: np.ndarray, samples: _Samples, *, pairs: _Pairs, order: int) -> float:
    """Squares of weighted sums (n, h) around the arms' means, without the samples of each pair; added up over pairs."""
    injured = _others(along[samples.of(INJURED)]).squares[order]
    healthy = np.diagonal(_others(along[samples.of(HEALTHY)]).squares)
    moved = (np.einsum("hcn,nh->hc", pairs.bases, along) ** 2).sum(axis=1)
    return float((injured + healthy + _squares(along[samples.of(TREATED)]) - moved).sum())


def _jackknife_error(samples: _Samples) -> float:
    """Standard error of the slope from leaving out each sample in turn; NaN with one treated sample."""
    if len(samples.of(TREATED)) < 2:
        return np.nan
    variance = 0.0
    for arm in ARMS:
        places = samples.of(arm)
        slopes = np.array([_slope_without(samples, place) for place in places])
        variance += float(_squares(slopes)) * (1 - 1 / len(places))
    return float(np.sqrt(variance))
