"""The least work that the fit's own rules ask for: its evaluations of the likelihood, counted and timed bare.

The loops here call compiled functions of the package block by block, as it does, on the arguments of a recorded fit.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from typing import Any
from unittest.mock import patch

import numpy as np
from numba import njit

from bench.data import Measured
from bench.fits import ALL_GENES
from exoliver.differential import fit_model
from exoliver.inference import kernels

# Not cached on disk, where numba would not see a change of the functions that are called.
compiled = njit(nogil=True, error_model="numpy")

LOOPS = ("fit_dispersions", "fit_coefficients")
ROUNDS = 7
STEPS_TIMED = 8
GRIDS = 2 * kernels.GRID  # evaluations of `_search`

Call = tuple[Any, ...]


@compiled
def _count_evaluations(call: Any) -> int:
    """Evaluations of the posterior that the dispersions of a block of genes took."""
    counts, means, start, prior_mean, prior_variance, limits, equations, disjoint, _out, is_searched = call
    samples, others = equations[2].shape
    system, none = kernels._workspace(samples, disjoint, others), np.zeros(disjoint + others)
    evaluations = 0
    for g in range(len(start)):
        gene, prior = (counts[g], means[g], none), (prior_mean[g], prior_variance)
        _, _, _, tried = kernels._climb(math.log(start[g]), math.log(limits[0] / 10), gene, prior, system, equations)
        evaluations += 1 + tried + (GRIDS if is_searched[g] else 0)
    return evaluations


@compiled
def _evaluate_once(call: Any) -> float:
    """The posterior and its slope at the dispersions that were found, once for each gene of a block."""
    counts, means, _start, prior_mean, prior_variance, _limits, equations, disjoint, out, _is_searched = call
    samples, others = equations[2].shape
    system, none = kernels._workspace(samples, disjoint, others), np.zeros(disjoint + others)
    total = 0.0
    for g in range(len(out)):
        gene, prior = (counts[g], means[g], none), (prior_mean[g], prior_variance)
        total += kernels._posterior(math.log(out[g]), gene, prior, system, equations)[0]
    return total


@compiled
def _count_steps(call: Any) -> int:
    """Steps of reweighting that the coefficients of a block of genes took, found by allowing ever more of them."""
    counts, dispersions, start, size, ridge, rules, equations, disjoint, _out, _means, _hats, _status = call
    samples, others = equations[2].shape
    system, mu = kernels._workspace(samples, disjoint, others), np.empty(samples)
    beta, total = np.empty(disjoint + others), 0
    for g in range(len(dispersions)):
        for allowed in range(1, rules[2] + 1):
            beta[:], some = start[g], (rules[0], rules[1], allowed)
            ended = kernels._reweight(counts[g], dispersions[g], size, ridge, some, beta, mu, system, equations)
            if ended or not np.max(np.abs(beta)) <= kernels.LARGEST_COEFFICIENT:
                break
        total += allowed
    return total


@compiled
def _reweight(call: Any, steps: int) -> None:
    """A fixed number of steps of reweighting, from the coefficients that were found, for each gene of a block."""
    counts, dispersions, _start, size, ridge, rules, equations, disjoint, out, _means, _hats, _status = call
    samples, others = equations[2].shape
    system, mu, fixed = kernels._workspace(samples, disjoint, others), np.empty(samples), (rules[0], -1.0, steps)
    beta = np.empty(disjoint + others)
    for g in range(len(dispersions)):
        beta[:] = out[g]
        kernels._reweight(counts[g], dispersions[g], size, ridge, fixed, beta, mu, system, equations)


def measure_floor(data: Measured, *, threads: int) -> dict[str, float]:
    """Seconds of a whole fit and of its evaluations alone, and how many of these a gene takes.

    Returns
    -------
    `fit` and `floor` in seconds, and `ratio`: medians of rounds in which all is timed in turn, as a machine may become
    faster or slower. `climb`, `posterior` and `steps`: evaluations of the gene-wise likelihood, of the posterior, and
    steps of reweighting, by gene. The scoring where reweighting does not end is not part of the floor.
    """

    def fit() -> Any:
        return fit_model(data.counts, data.samples, intake=data.intake, gene_filter=ALL_GENES, threads=threads)

    dispersions, coefficients = _recorded(fit)
    climbs = [call for call in dispersions if call[4] == 0]
    posteriors = [call for call in dispersions if call[4] > 0]
    with ThreadPoolExecutor(threads) as pool:

        def over(calls: Sequence[Call], loop: Callable[..., Any], *more: Any) -> list[Any]:
            return list(pool.map(lambda call: loop(call, *more), calls))

        climb, posterior = (sum(over(calls, _count_evaluations)) for calls in (climbs, posteriors))
        steps = sum(over(coefficients, _count_steps))
        whole, evaluation, with_prior, one, many = _seconds(
            fit,
            partial(over, climbs, _evaluate_once),
            partial(over, posteriors, _evaluate_once),
            partial(over, coefficients, _reweight, 1),
            partial(over, coefficients, _reweight, 1 + STEPS_TIMED),
        )
    floor = evaluation * climb / _genes(climbs) + with_prior * posterior / _genes(posteriors)
    floor += np.maximum(many - one, 0.0) / STEPS_TIMED * steps / _genes(coefficients)
    medians = {"fit": whole, "floor": floor, "ratio": whole / floor}
    by_gene = {"climb": climb, "posterior": posterior, "steps": steps}
    return {name: float(np.median(values)) for name, values in medians.items()} | {
        name: number / _genes(climbs) for name, number in by_gene.items()
    }


def _genes(calls: Sequence[Call]) -> int:
    """Genes of all blocks."""
    return sum(len(call[2]) for call in calls)


def _seconds(*works: Callable[[], Any]) -> np.ndarray:
    """Seconds of several pieces of work in turn, shape (works, rounds), after a round that compiles."""
    taken = np.empty((len(works), 1 + ROUNDS))
    for turn in range(1 + ROUNDS):
        for number, work in enumerate(works):
            start = time.perf_counter()
            work()
            taken[number, turn] = time.perf_counter() - start
    return taken[:, 1:]


def _recorded(fit: Callable[[], Any]) -> tuple[list[Call], list[Call]]:
    """The arguments of every call of the loops over dispersions, and of those over coefficients, during a fit."""
    calls: dict[str, list[Call]] = {}

    def listening(name: str) -> Callable[..., None]:
        original, calls[name] = getattr(kernels, name), []

        def call(*arguments: Any) -> None:
            calls[name].append(arguments)
            original(*arguments)

        return call

    with ExitStack() as stack:
        for name in LOOPS:
            stack.enter_context(patch.object(kernels, name, listening(name)))
        fit()
    return calls[LOOPS[0]], calls[LOOPS[1]]
