"""Compiled loops over genes: dispersions and coefficients of negative binomial models with a log link.

All compiled code is in this one module, because numba's cache does not see a change of a function in another one.

`equations` is (owner, value, rest) of `equations.Equations`, whose first columns share no sample: their block of X'WX
is diagonal and is eliminated at no cost. `system` is the workspace of one thread: weights (n,), the blocks of the
factorised X'WX, and vectors as long as the other columns, all columns, and the samples. Coefficients are natural
logarithms, in the order of the equations. Arrays of genes are (g, n) and are written block by block by threads.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

compiled = njit(cache=True, nogil=True, error_model="numpy")

HALF_LOG_2_PI = 0.9189385332046727
SERIES_FROM = 8.0  # Stirling's series is exact to 2e-14 from here on

ARMIJO = 1e-4
CLIMB_GAIN, CLIMB_STEPS, SHRINK_EVERY = 1e-6, 100, 5
LOWEST_LOG_DISPERSION, HIGHEST_LOG_DISPERSION = -30.0, 10.0
GRID = 20
NO_INCREASE = 1e-6

LARGEST_COEFFICIENT = 30.0
SCORING_STEPS, SCORING_GAIN, HALVINGS = 500, 1e-12, 30
LEAST_CURVATURE = 0.1
LONGEST_STEP = 5.0  # of a coefficient: a gene of one large count would overshoot and not come back
HELD = 1e-4  # scale at which the Cauchy prior holds a contrast near zero
SHRUNK_STEP, SHRUNK_GAIN = 1e-6, 1e-10
MODES_APART = 1e-3

BY_WEIGHTS, BY_SCORING, FAILED = 0, 1, 2  # how the coefficients of a gene were found


@compiled
def _stirling(x: float) -> tuple[float, float]:
    """Stirling's remainders for x >= 8 (Abramowitz and Stegun 6.1.41, 6.3.18).

    They are lgamma(x) - [(x - 1/2) log x - x + log(2 pi) / 2] and log x - digamma(x).
    """
    u = 1.0 / x
    v = u * u
    gamma = u * (1 / 12 - v * (1 / 360 - v * (1 / 1260 - v * (1 / 1680 - v * (1 / 1188 - v * (691 / 360360))))))
    digamma = u / 2 + v * (1 / 12 - v * (1 / 120 - v * (1 / 252 - v * (1 / 240 - v * (1 / 132 - v * (691 / 32760))))))
    return gamma, digamma


@compiled
def _remainders(x: float) -> tuple[float, float]:
    """The same for any x > 0, by recurrence up to 8."""
    if x >= SERIES_FROM:
        return _stirling(x)
    z, product, total = x, 1.0, 0.0
    while z < SERIES_FROM:
        product *= z
        total += 1.0 / z
        z += 1.0
    gamma, digamma = _stirling(z)
    log_gamma = (z - 0.5) * math.log(z) - z + HALF_LOG_2_PI + gamma - math.log(product)
    log_x = math.log(x)
    return log_gamma - ((x - 0.5) * log_x - x + HALF_LOG_2_PI), log_x - math.log(z) + digamma + total


@compiled
def _gamma_terms(y: float, a: float, remainders: tuple[float, float]) -> tuple[float, float]:
    """lgamma(y + r) - lgamma(r) - y log r and digamma(y + r) - digamma(r), r = 1 / a, to 1e-14 of y."""
    if y == 0:
        return 0.0, 0.0
    if y < SERIES_FROM:
        product, total = 1.0, 1.0
        for k in range(1, int(y)):
            product *= 1.0 + k * a
            total += 1.0 / (1.0 + k * a)
        return math.log(product), total * a
    r = 1.0 / a
    gamma, digamma = _stirling(y + r)
    log_ratio = math.log1p(y * a)
    return (y + r - 0.5) * log_ratio - y + gamma - remainders[0], log_ratio - digamma + remainders[1]


@compiled
def _workspace(samples: int, disjoint: int, others: int) -> Any:
    """The system of one thread."""
    diagonal, cross, schur = np.empty(disjoint), np.empty((disjoint, others)), np.empty((others, others))
    row, right, vector = np.empty(others), np.empty(disjoint + others), np.empty(samples)
    return np.empty(samples), diagonal, cross, schur, row, right, vector


@compiled
def _factorise(system: Any, equations: Any, ridge: np.ndarray) -> float:
    """Factorise X'WX + diag(ridge): diagonal block, cross block, Cholesky factor of the rest; log determinant."""
    weights, diagonal, cross, schur, _row, _right, _vector = system
    owner, value, rest = equations
    disjoint, others = cross.shape
    for d in range(disjoint):
        diagonal[d] = ridge[d]
        for j in range(others):
            cross[d, j] = 0.0
    for j in range(others):
        for k in range(j):
            schur[j, k] = 0.0
        schur[j, j] = ridge[disjoint + j]
    for i in range(len(weights)):
        o = owner[i]
        if o >= 0:
            scaled = weights[i] * value[i]
            diagonal[o] += scaled * value[i]
            for j in range(others):
                cross[o, j] += scaled * rest[i, j]
        for j in range(others):
            for k in range(j + 1):
                schur[j, k] += weights[i] * rest[i, j] * rest[i, k]
    log_determinant = 0.0
    for d in range(disjoint):
        log_determinant += math.log(diagonal[d])
        for j in range(others):
            for k in range(j + 1):
                schur[j, k] -= cross[d, j] * cross[d, k] / diagonal[d]
    for j in range(others):
        for k in range(j + 1):
            for m in range(k):
                schur[j, k] -= schur[j, m] * schur[k, m]
            if k < j:
                schur[j, k] /= schur[k, k]
        if not schur[j, j] > 0.0:
            return math.nan
        schur[j, j] = math.sqrt(schur[j, j])
        log_determinant += 2.0 * math.log(schur[j, j])
    return log_determinant


@compiled
def _leverages(system: Any, equations: Any, out: np.ndarray) -> None:
    """Leverages of all samples without their weights: x' (X'WX + R)^-1 x, after `_factorise`."""
    _weights, diagonal, cross, schur, row, _right, _vector = system
    owner, value, rest = equations
    for i in range(len(out)):
        o, total = owner[i], 0.0
        if o >= 0:
            total = value[i] * value[i] / diagonal[o]
        for j in range(len(row)):
            part = rest[i, j]
            if o >= 0:
                part -= value[i] * cross[o, j] / diagonal[o]
            for k in range(j):
                part -= schur[j, k] * row[k]
            row[j] = part / schur[j, j]
            total += row[j] * row[j]
        out[i] = total


@compiled
def _solve(right: np.ndarray, system: Any, solution: np.ndarray) -> None:
    """(X'WX + R)^-1 right, after `_factorise`."""
    _weights, diagonal, cross, schur, row, _right, _vector = system
    disjoint, others = cross.shape
    for j in range(others):
        row[j] = right[disjoint + j]
        for d in range(disjoint):
            row[j] -= cross[d, j] * right[d] / diagonal[d]
        for k in range(j):
            row[j] -= schur[j, k] * row[k]
        row[j] /= schur[j, j]
    for j in range(others - 1, -1, -1):
        for k in range(j + 1, others):
            row[j] -= schur[k, j] * row[k]
        row[j] /= schur[j, j]
        solution[disjoint + j] = row[j]
    for d in range(disjoint):
        solution[d] = (right[d] - np.dot(cross[d], row)) / diagonal[d]


@compiled
def _predict(beta: np.ndarray, size: np.ndarray, equations: Any, mu: np.ndarray) -> None:
    """Means of a gene, written to `mu`."""
    owner, value, rest = equations
    disjoint = len(beta) - rest.shape[1]
    for i in range(len(mu)):
        total = 0.0
        if owner[i] >= 0:
            total = value[i] * beta[owner[i]]
        for j in range(rest.shape[1]):
            total += rest[i, j] * beta[disjoint + j]
        mu[i] = size[i] * math.exp(total)


@compiled
def _transpose(vector: np.ndarray, equations: Any, out: np.ndarray) -> None:
    """X' vector, written to `out`."""
    owner, value, rest = equations
    disjoint = len(out) - rest.shape[1]
    for j in range(len(out)):
        out[j] = 0.0
    for i in range(len(vector)):
        if owner[i] >= 0:
            out[owner[i]] += vector[i] * value[i]
        for j in range(rest.shape[1]):
            out[disjoint + j] += vector[i] * rest[i, j]


@compiled
def _posterior(log_a: float, gene: Any, prior: tuple[float, float], system: Any, equations: Any) -> tuple[float, float]:
    """Log posterior of a log dispersion and its slope: likelihood, Cox-Reid's adjustment, prior (mean, variance)."""
    y, mu, no_ridge = gene
    weights, hats = system[0], system[6]
    a = math.exp(log_a)
    r = 1.0 / a
    remainders = _remainders(r)
    height, slope = 0.0, 0.0
    for i in range(len(y)):
        log_gamma, difference = _gamma_terms(y[i], a, remainders)
        scaled, log_scaled = 1.0 + mu[i] * a, math.log1p(mu[i] * a)
        height += log_gamma - (y[i] + r) * log_scaled
        slope += r * (log_scaled - difference + (y[i] - mu[i]) * a / scaled)
        weights[i] = mu[i] / scaled
    height -= 0.5 * _factorise(system, equations, no_ridge)
    _leverages(system, equations, hats)
    for i in range(len(y)):
        slope += 0.5 * a * weights[i] * weights[i] * hats[i]
    if prior[1] > 0.0:
        residual = log_a - prior[0]
        height -= 0.5 * residual * residual / prior[1]
        slope -= residual / prior[1]
    return height, slope


@compiled
def _climb(start: float, lowest: float, gene: Any, prior: Any, system: Any, equations: Any) -> Any:
    """Gradient ascent by Armijo's rule: the place reached, its height, the height of the start, the steps tried."""
    place, step = start, 1.0
    height, slope = _posterior(place, gene, prior, system, equations)
    first, accepted, tried = height, 0, 0
    while tried < CLIMB_STEPS:
        tried += 1
        if place + step * slope < LOWEST_LOG_DISPERSION:
            step = (LOWEST_LOG_DISPERSION - place) / slope
        elif place + step * slope > HIGHEST_LOG_DISPERSION:
            step = (HIGHEST_LOG_DISPERSION - place) / slope
        reached, new_slope = _posterior(place + step * slope, gene, prior, system, equations)
        if not reached >= height + ARMIJO * step * slope * slope:
            step *= 0.5
            continue
        accepted += 1
        gain = reached - height
        place, height, slope = place + step * slope, reached, new_slope
        if gain < CLIMB_GAIN or place < lowest:
            break
        step = min(step * 1.1, 1.0)
        if accepted % SHRINK_EVERY == 0:
            step *= 0.5
    return place, height, first, tried


@compiled
def _search(low: float, high: float, gene: Any, prior: Any, system: Any, equations: Any) -> float:
    """The highest of twenty log dispersions, then of twenty within one step of that."""
    best = low
    for _ in range(2):
        width, highest = (high - low) / (GRID - 1), -math.inf
        for k in range(GRID):
            height, _slope = _posterior(low + k * width, gene, prior, system, equations)
            if height > highest:
                best, highest = low + k * width, height
        low, high = best - width, best + width
    return best


@compiled
def fit_dispersions(
    counts: Any, means: Any, start: Any, prior_mean: Any, prior_variance: float, limits: Any, equations: Any,
    disjoint: int, out: Any, is_searched: Any,
) -> None:  # fmt: skip
    """Dispersions of genes, written to `out` (g,); `is_searched` (g,) tells those searched on a grid.

    These are genes whose climb does not end and, without a prior (`prior_variance` 0), whose climb ends at its first
    step. Without a prior a climb that does not raise the likelihood leaves the start.
    """
    smallest, largest = limits
    samples, others = equations[2].shape
    system, no_ridge = _workspace(samples, disjoint, others), np.zeros(disjoint + others)
    for g in range(len(start)):
        gene, prior = (counts[g], means[g], no_ridge), (prior_mean[g], prior_variance)
        place, height, first, tried = _climb(
            math.log(start[g]), math.log(smallest / 10), gene, prior, system, equations
        )
        found = math.exp(place)
        if prior_variance == 0.0 and height < first + abs(first) * NO_INCREASE:
            found = start[g]
        found = min(max(found, smallest), largest)
        is_searched[g] = tried >= CLIMB_STEPS or (prior_variance == 0.0 and tried == 1 and found > 10 * smallest)
        if is_searched[g]:
            found = math.exp(_search(math.log(smallest), math.log(largest), gene, prior, system, equations))
        out[g] = min(max(found, smallest), largest)


@compiled
def _mean_terms(y: np.ndarray, mu: np.ndarray, a: float) -> float:
    """The part of a gene's log likelihood that its means enter."""
    total = 0.0
    for i in range(len(y)):
        total -= (y[i] + 1.0 / a) * math.log1p(mu[i] * a)
        if y[i] > 0.0:
            total += y[i] * math.log(mu[i])
    return total


@compiled
def mean_terms(counts: Any, means: Any, dispersions: Any, out: Any) -> None:
    """The same for genes, written to `out` (g,)."""
    for g in range(len(dispersions)):
        out[g] = _mean_terms(counts[g], means[g], dispersions[g])


@compiled
def _reweight(
    y: Any, a: float, size: Any, ridge: Any, rules: Any, beta: Any, mu: Any, system: Any, equations: Any
) -> bool:
    """Iteratively reweighted least squares from `beta`, in place; whether it ended."""
    floor, tolerance, steps = rules
    weights, right, working = system[0], system[5], system[6]
    constant, deviance, remainders = 0.0, 0.0, _remainders(1.0 / a)
    for i in range(len(y)):
        constant += _gamma_terms(y[i], a, remainders)[0] - math.lgamma(y[i] + 1.0)
    _predict(beta, size, equations, mu)
    np.maximum(mu, floor, mu)
    for step in range(steps):
        for i in range(len(y)):
            weights[i] = mu[i] / (1.0 + a * mu[i])
            working[i] = weights[i] * (math.log(mu[i] / size[i]) + (y[i] - mu[i]) / mu[i])
        _transpose(working, equations, right)
        if math.isnan(_factorise(system, equations, ridge)):
            return False
        _solve(right, system, beta)
        if not np.max(np.abs(beta)) <= LARGEST_COEFFICIENT:
            return False
        _predict(beta, size, equations, mu)
        np.maximum(mu, floor, mu)
        before, deviance = deviance, -2.0 * (constant + _mean_terms(y, mu, a))
        change = abs(deviance - before) / (abs(deviance) + 0.1)
        if math.isnan(change):
            return False
        if step > 0 and change < tolerance:
            return True
    return False


@compiled
def _height(y: Any, a: float, size: Any, ridge: Any, pull: Any, beta: Any, mu: Any, equations: Any) -> float:
    """Log likelihood with normal priors of precision `ridge` and, at a positive scale, a Cauchy prior on a contrast."""
    contrast, scale = pull
    _predict(beta, size, equations, mu)
    total = _mean_terms(y, mu, a)
    for j in range(len(beta)):
        total -= 0.5 * ridge[j] * beta[j] * beta[j]
    if scale > 0.0:
        total -= math.log1p((np.dot(contrast, beta) / scale) ** 2)
    return total


@compiled
def _bend(step: np.ndarray, along: np.ndarray, contrast: np.ndarray, scale: float, effect: float, system: Any) -> None:
    """Add the curvature of the Cauchy prior to a scoring step, by the update of rank one of Sherman and Morrison."""
    _solve(contrast, system, along)
    variance, spread = np.dot(contrast, along), scale * scale + effect * effect
    curvature = 2.0 * (scale * scale - effect * effect) / (spread * spread)
    if 1.0 + curvature * variance < LEAST_CURVATURE:
        curvature = 2.0 / spread  # the prior bends up here: the parabola below it, so that every step rises
    share = curvature * np.dot(contrast, step) / (1.0 + curvature * variance)
    for j in range(len(step)):
        step[j] -= share * along[j]


@compiled
def _score(
    y: Any, a: float, size: Any, ridge: Any, pull: Any, beta: Any, mu: Any, system: Any, equations: Any, vectors: Any
) -> float:
    """Fisher scoring from `beta`, in place, each step halved until it rises; the height reached, NaN without an end."""
    contrast, scale = pull
    step, along, proposed = vectors
    weights, right, residuals = system[0], system[5], system[6]
    height = _height(y, a, size, ridge, pull, beta, mu, equations)
    for _ in range(SCORING_STEPS):
        effect = np.dot(contrast, beta)
        for i in range(len(y)):
            weights[i] = mu[i] / (1.0 + a * mu[i])
            residuals[i] = (y[i] - mu[i]) / (1.0 + a * mu[i])
        _transpose(residuals, equations, right)
        for j in range(len(beta)):
            right[j] -= ridge[j] * beta[j]
            if scale > 0.0:
                right[j] -= 2.0 * effect / (scale * scale + effect * effect) * contrast[j]
        if math.isnan(_factorise(system, equations, ridge)):
            return math.nan
        _solve(right, system, step)
        if scale > 0.0:
            _bend(step, along, contrast, scale, effect, system)
        length, reached = min(1.0, LONGEST_STEP / max(np.max(np.abs(step)), LONGEST_STEP)), -math.inf
        for _halving in range(HALVINGS):
            for j in range(len(beta)):
                proposed[j] = beta[j] + length * step[j]
            reached = _height(y, a, size, ridge, pull, proposed, mu, equations)
            if reached >= height:
                break
            length *= 0.5
        gain, moved = 0.0, 0.0
        if reached >= height:
            gain, moved = reached - height, abs(np.dot(contrast, proposed) - effect)
            height, beta[:] = reached, proposed
        small = SHRUNK_GAIN if scale > 0.0 else SCORING_GAIN
        if gain <= small * (abs(height) + 0.1) and moved < SHRUNK_STEP:  # or no step rises: this is the maximum
            return height if np.max(np.abs(beta)) < LARGEST_COEFFICIENT else math.nan
    return math.nan


@compiled
def fit_coefficients(
    counts: Any, dispersions: Any, start: Any, size: Any, ridge: Any, rules: Any, equations: Any, disjoint: int,
    out: Any, means: Any, hats: Any, status: Any,
) -> None:  # fmt: skip
    """Coefficients of genes at given dispersions, by `rules`: floor of the means, tolerance and steps of reweighting.

    Written to `out` (g, p); `means` (g, n) without floor; `hats` (g, n), the leverages at floored means; `status` (g,),
    one of BY_WEIGHTS, BY_SCORING, FAILED.
    """
    samples, others = equations[2].shape
    columns = disjoint + others
    system, mu = _workspace(samples, disjoint, others), np.empty(samples)
    vectors, no_pull = (np.empty(columns), np.empty(columns), np.empty(columns)), (np.zeros(columns), 0.0)
    for g in range(len(dispersions)):
        y, a, beta = counts[g], dispersions[g], out[g]
        beta[:], status[g] = start[g], BY_WEIGHTS
        if not _reweight(y, a, size, ridge, rules, beta, mu, system, equations):
            beta[:] = start[g]
            height = _score(y, a, size, ridge, no_pull, beta, mu, system, equations, vectors)
            status[g] = FAILED if math.isnan(height) else BY_SCORING
        _predict(beta, size, equations, means[g])
        for i in range(samples):
            floored = max(means[g, i], rules[0])
            system[0][i] = floored / (1.0 + a * floored)
        _factorise(system, equations, ridge)
        _leverages(system, equations, hats[g])
        hats[g] *= system[0]


@compiled
def shrink_contrasts(
    counts: Any, dispersions: Any, start: Any, size: Any, precision: Any, pull: Any, unit: int, equations: Any,
    disjoint: int, out: Any, modes: Any,
) -> None:  # fmt: skip
    """Coefficients of highest posterior of genes, from `start` and from the same with no contrast.

    `pull` is the contrast and the scale of its prior; `unit` the column that takes it up when it is set to zero.
    Written to `out` (g, p); `modes` (g,) is the number found, 0 where no climb ended; within the
    scale of the prior there is one and no second is looked for.
    """
    samples, others = equations[2].shape
    columns, (contrast, scale) = disjoint + others, pull
    system, mu = _workspace(samples, disjoint, others), np.empty(samples)
    vectors, second = (np.empty(columns), np.empty(columns), np.empty(columns)), np.empty(columns)
    for g in range(len(dispersions)):
        y, a, first = counts[g], dispersions[g], out[g]
        first[:] = start[g]
        height = _score(y, a, size, precision, pull, first, mu, system, equations, vectors)
        modes[g] = not math.isnan(height)
        if modes[g] and abs(np.dot(contrast, first)) <= scale:
            continue  # likelihood and, up to its scale, prior are concave: a climb from zero ends here too
        second[:] = start[g]
        second[unit] -= np.dot(contrast, second) / contrast[unit]
        _score(y, a, size, precision, (contrast, HELD), second, mu, system, equations, vectors)
        other = _score(y, a, size, precision, pull, second, mu, system, equations, vectors)
        if math.isnan(other):
            continue
        if math.isnan(height) or abs(np.dot(contrast, first) - np.dot(contrast, second)) > MODES_APART:
            modes[g] += 1
        if math.isnan(height) or other > height:
            first[:] = second
