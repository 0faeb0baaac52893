"""The table of figures and the machine that they are of, as Markdown, and their place in a page."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from importlib.metadata import version
from pathlib import Path

START, END = "<!-- make bench WRITE=1 writes from here -->", "<!-- to here -->"
LIBRARIES = ("numpy", "scipy", "pandas", "numba", "pydeseq2")
HEADER = ("measured", "ours", "against", "ratio", "target")


@dataclass(frozen=True)
class Row:
    """One figure: what was measured, ours, what it stands against, their ratio, and the target where there is one."""

    what: str
    ours: str
    against: str = ""
    ratio: str = ""
    target: str = ""


def seconds(value: float) -> str:
    """Seconds with three digits."""
    return f"{value:.3g} s" if value < 100 else f"{value:.0f} s"


def gigabytes(value: float) -> str:
    """Memory in gigabytes, or megabytes below a tenth of one."""
    return f"{value:.2f} GB" if value >= 0.1 else f"{value * 1000:.0f} MB"


def times(value: float) -> str:
    """A ratio."""
    return f"{value:.2g}×" if value < 10 else f"{value:.0f}×"


def as_markdown(rows: Sequence[Row]) -> str:
    """The rows as a table whose columns are aligned, so that it can be read on a terminal too."""
    cells = [HEADER, *(astuple(row) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(HEADER))]
    lines = [" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in cells]
    rule = "|".join("-" * (width + 2) for width in widths)
    return "\n".join([f"| {lines[0]} |", f"|{rule}|", *(f"| {line} |" for line in lines[1:])])


def describe_machine() -> str:
    """Cores, memory and processor, and versions."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return (
        f"{os.cpu_count()} cores ({_processor()}), {memory:.0f} GiB memory, {platform.system()} {platform.machine()}; "
        f"Python {platform.python_version()}, {versions}."
    )


@dataclass(frozen=True)
class Clock:
    """Seconds since the machine started, and how long its cores and this program with its processes were at work."""

    wall: float
    machine: float
    own: float

    @classmethod
    def now(cls) -> Clock:
        """The three readings; the machine's is 0 where the system does not tell."""
        took, machine = os.times(), 0.0
        if sys.platform == "linux":
            user, nice, system, _idle, _waiting, *rest = Path("/proc/stat").read_text(encoding="utf-8").split()[1:9]
            machine = sum(map(float, (user, nice, system, *rest))) / os.sysconf("SC_CLK_TCK")
        return cls(took.elapsed, machine, sum(took[:4]))

    def others_since(self, start: Clock) -> str:
        """What other programs took of the cores, as a sentence; empty where that is not known."""
        if not self.machine:
            return ""
        others = self.machine - start.machine - (self.own - start.own)
        share = others / ((self.wall - start.wall) * (os.cpu_count() or 1))
        return f" During the run other programs took {max(share, 0.0):.0%} of the cores."


def _processor() -> str:
    """Model of the processor."""
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "processor unknown"


def replace_between(page: str, text: str) -> str:
    """The page with a text between its two marks.

    Raises
    ------
    ValueError
        A mark is missing.
    """
    before, start, rest = page.partition(START)
    _, end, after = rest.partition(END)
    if not (start and end):
        raise ValueError(f"the page lacks {START!r} or {END!r}")
    return f"{before}{start}\n\n{text}\n\n{end}{after}"
