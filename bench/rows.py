"""Which measurements make the table, and what each is set against."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.table import Row, gigabytes, seconds, times

Measure = Callable[..., Any]

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
REAL = {"dlpc": "dlpc_mouse_liver", "gse222550": "gse222550_mouse_liver"}  # name, and folder of ../shared/data
MISSING, NOT_INSTALLED = "no ../shared", "not installed"
BYTES = 8  # of a count
STOCK_TARGET, R_TARGET, PAIRED_TARGET, MEMORY_TARGET = "≥ 20×", "≥ 6×", "≤ 30 s", "≤ 1.5 GB"


@dataclass(frozen=True)
class Sizes:
    """Genes and samples of what is simulated, and how often an analysis is repeated."""

    by_genes: tuple[tuple[int, int], ...]
    by_samples: tuple[tuple[int, int], ...]
    paired: tuple[int, int]
    large: tuple[int, int]
    repeats: int


FULL = Sizes(
    by_genes=((5_000, 24), (15_000, 24), (30_000, 24), (60_000, 24)),
    by_samples=((15_000, 8), (15_000, 32), (15_000, 128), (15_000, 512)),
    paired=(16_000, 80),
    large=(55_000, 100),
    repeats=3,
)
QUICK = Sizes(
    by_genes=((200, 8), (400, 8)),
    by_samples=((200, 8), (200, 16)),
    paired=(200, 8),
    large=(300, 12),
    repeats=1,
)


def whole_table(measure: Measure, sizes: Sizes) -> Iterator[Row]:
    """All rows, as they come."""
    for name in REAL:
        yield from against_others(measure, name)
    for pairs in (sizes.by_genes, sizes.by_samples):
        yield from growing(measure, pairs, repeats=sizes.repeats)
    yield from paired(measure, *sizes.paired, repeats=sizes.repeats)
    yield from large(measure, *sizes.large)
    yield from compiling(measure)
    yield above_floor(measure, real="dlpc")


def quick_table(measure: Measure, sizes: Sizes) -> Iterator[Row]:
    """The rows that need neither real data nor other software, nor a process of their own."""
    yield from growing(measure, sizes.by_genes, repeats=sizes.repeats)
    yield from paired(measure, *sizes.paired, repeats=sizes.repeats)
    yield from large(measure, *sizes.large)
    yield above_floor(measure, simulated=_counts(*sizes.large))


def _counts(genes: int, samples: int, **more: Any) -> dict[str, Any]:
    """Counts to be simulated."""
    return {"genes": genes, "samples": samples, **more}


def against_others(measure: Measure, name: str) -> Iterator[Row]:
    """A real dataset by ours, stock PyDESeq2, ours, R and ours: the machine may become faster or slower on the way."""
    if not (SHARED / REAL[name]).is_dir():
        yield Row(f"{name}: fit and contrasts", MISSING)
        return
    ours = [measure("ours", real=name, repeats=2)]
    stock = measure("stock", real=name)
    ours.append(measure("ours", real=name, repeats=2))
    r = measure("r", real=name)
    ours.append(measure("ours", real=name, repeats=2))
    own = ours[0] | {part: statistics.median(run[part] for run in ours) for part in ("fit", "all")}
    what = "{name}, {genes:,} genes × {samples} samples: fit and {contrasts} contrasts"
    own["what"] = what.format(name=name, **own)
    yield from _beside(name, own, "PyDESeq2", stock, target=STOCK_TARGET)
    if r is None:
        yield Row(own["what"], seconds(own["all"]), f"DESeq2 in R: {NOT_INSTALLED}", target=R_TARGET)
        return
    other = f"DESeq2 {r['deseq2']}"
    yield from _beside(name, own, other, r, target=R_TARGET)
    single = measure("ours", real=name, repeats=2, threads=1)
    yield _slower(f"{name}: all of it on one thread", single["all"], other, r["all"])


def _beside(name: str, own: dict[str, Any], other: str, theirs: dict[str, Any], *, target: str) -> Iterator[Row]:
    """Another program: all that it can do, its tests of one cell against another alone, its fit, and its findings."""
    number = len(theirs["significant"])
    yield _slower(own["what"], own["all"], f"{other}, {number} tests", theirs["all"], target=target)
    if own["simple"] < number:
        yield _slower(f"{name}: the same", own["all"], f"{other}, cell against cell alone", theirs["simple"])
    yield _slower(f"{name}: fit alone", own["fit"], other, theirs["fit"])
    pairs = list(zip(own["significant"], theirs["significant"], strict=False))
    ours, others = (f"{sum(numbers):,}" for numbers in zip(*pairs, strict=True))
    same = sum(one == two for one, two in pairs)
    against = f"{other}: {others}; the same number in {same} of {number} tests"
    yield Row(f"{name}: padj < .05 in these tests", ours, against)


def _slower(what: str, ours: float, other: str, theirs: float, *, target: str = "") -> Row:
    """How many times as long another program takes."""
    return Row(what, seconds(ours), f"{other}: {seconds(theirs)}", times(theirs / ours), target)


def growing(measure: Measure, sizes: Sequence[tuple[int, int]], *, repeats: int) -> Iterator[Row]:
    """Seconds from one size to the next, each against the smallest."""
    taken = measure("growth", sizes=sizes, repeats=repeats)
    cells = sizes[0][0] * sizes[0][1]
    for (genes, samples), each in zip(sizes, taken, strict=True):
        more = times(genes * samples / cells)
        against = f"{seconds(taken[0])} for the smallest; counts {more}"
        yield Row(f"simulated, {genes:,} genes × {samples} samples", seconds(each), against, times(each / taken[0]))


def paired(measure: Measure, genes: int, samples: int, *, repeats: int) -> Iterator[Row]:
    """As many donors as pairs of samples, against the same size without donors."""
    ours = measure("ours", simulated=_counts(genes, samples, paired=True), repeats=repeats)
    plain = measure("ours", simulated=_counts(genes, samples), repeats=repeats)
    donors = samples // 2
    what = f"simulated, {donors} donors × 2, {donors + 1} coefficients, {genes:,} genes"
    against = f"2 coefficients: {seconds(plain['all'])}"
    yield Row(what, seconds(ours["all"]), against, times(ours["all"] / plain["all"]), PAIRED_TARGET)
    yield _memory(f"{donors} donors × 2: peak memory", ours["peak"], genes, samples)


def large(measure: Measure, genes: int, samples: int) -> Iterator[Row]:
    """Time and peak memory of a large matrix."""
    ours = measure("ours", simulated=_counts(genes, samples), repeats=1)
    what = f"simulated, {genes:,} genes × {samples} samples"
    yield _memory(f"{what}: peak memory", ours["peak"], genes, samples, target=MEMORY_TARGET)


def _memory(what: str, peak: float, genes: int, samples: int, *, target: str = "") -> Row:
    """Peak memory of a process against the counts alone."""
    counts = genes * samples * BYTES / 1e9
    return Row(what, gigabytes(peak), f"the counts: {gigabytes(counts)}", times(peak / counts), target)


def compiling(measure: Measure) -> Iterator[Row]:
    """The first analysis of a process with nothing compiled, and with everything compiled by an earlier process."""
    with tempfile.TemporaryDirectory() as cache:
        turns = [
            measure("first", simulated=_counts(200, 16, times=2), environment={"NUMBA_CACHE_DIR": cache})
            for _ in range(2)
        ]
    cold, warm = turns
    against = f"compiled by an earlier process: {seconds(warm)}"
    yield Row("first analysis of a new clone, 200 genes", seconds(cold), against, times(cold / warm))


def above_floor(measure: Measure, **data: Any) -> Row:
    """The fit against its evaluations alone."""
    what = f"{data.get('real', 'simulated')}: fit above its floor"
    if "real" in data and not (SHARED / REAL[data["real"]]).is_dir():
        return Row(what, MISSING)
    found = measure("floor", **data)
    count = "{climb:.1f} + {posterior:.1f} evaluations, {steps:.1f} steps by gene".format_map(found)
    return Row(what, seconds(found["fit"]), f"{seconds(found['floor'])}: {count}", times(found["ratio"]))
