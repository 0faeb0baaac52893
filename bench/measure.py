"""One measurement in a process of its own: `python -m bench.measure '{"kind": ..., ...}'`; the last line is JSON."""

from __future__ import annotations

import json
import resource
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bench.data import Measured, read_real, simulate
from bench.fits import run_ours, run_r, run_stock

KILO = 1024 if sys.platform == "linux" else 1  # of getrusage: bytes on macOS


def peak_memory() -> float:
    """Highest resident memory of this process so far, in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KILO / 1e9


def analyses(datasets: Sequence[Measured], *, threads: int, repeats: int) -> list[dict[str, Any]]:
    """Median seconds of whole analyses of datasets in turn, after one that loads the compiled code."""
    run_ours(simulate(100, 16, times=2), threads=threads)
    rounds = [[run_ours(data, threads=threads) for data in datasets] for _ in range(repeats)]
    return [
        runs[0] | {part: statistics.median(run[part] for run in runs) for part in ("fit", "all")}
        for runs in zip(*rounds, strict=True)
    ]


def ours(task: Mapping[str, Any]) -> dict[str, Any]:
    """Analyses by exoliver of a real or simulated dataset, with the peak memory of the process."""
    (found,) = analyses([_data(task)], threads=task["threads"], repeats=task["repeats"])
    return found | {"peak": peak_memory()}


def growth(task: Mapping[str, Any]) -> list[float]:
    """Seconds of whole analyses for each size of counts."""
    datasets = [simulate(genes, samples) for genes, samples in task["sizes"]]
    return [found["all"] for found in analyses(datasets, threads=task["threads"], repeats=task["repeats"])]


def first(task: Mapping[str, Any]) -> float:
    """Seconds of the first analysis of this process."""
    return float(run_ours(_data(task), threads=task["threads"])["all"])


def stock(task: Mapping[str, Any]) -> dict[str, Any]:
    """PyDESeq2 as it comes, once, its worker processes already started."""
    run_stock(simulate(100, 8), threads=task["threads"])
    return run_stock(_data(task), threads=task["threads"])


def r(task: Mapping[str, Any]) -> dict[str, Any] | None:
    """DESeq2 in R, once."""
    return run_r(_data(task))


def floor(task: Mapping[str, Any]) -> dict[str, float]:
    """A fit against its evaluations of the likelihood."""
    from bench.floor import measure_floor

    return measure_floor(_data(task), threads=task["threads"])


def _data(task: Mapping[str, Any]) -> Measured:
    """The counts of a task."""
    return read_real(task["real"]) if "real" in task else simulate(**task["simulated"])


KINDS: dict[str, Callable[[Mapping[str, Any]], Any]] = {
    function.__name__: function for function in (ours, growth, first, stock, r, floor)
}

if __name__ == "__main__":
    asked = json.loads(sys.argv[1])
    sys.stdout.write(f"{json.dumps(KINDS[asked['kind']](asked))}\n")
