"""Prints one table of speed and memory, each figure a ratio within this run: `make bench`, some fifteen minutes.

This process stays small and every measurement has a process of its own, since a process starts out with the peak memory
of the one that made it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.rows import FULL, QUICK, quick_table, whole_table
from bench.table import Clock, as_markdown, describe_machine, replace_between

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "performance.md"
THREADS = 2
# Linear algebra on one thread, as in the workflow's scripts.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1")


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="write the table into docs/performance.md as well")
    parser.add_argument("--quick", action="store_true", help="tiny data in this one process, nothing of others")
    asked = parser.parse_args(arguments)
    start = Clock.now()
    rows = []
    for row in quick_table(answer, QUICK) if asked.quick else whole_table(measure, FULL):
        sys.stderr.write(f"{row.what}: {row.ours} ({row.against}) {row.ratio}\n")
        rows.append(row)
    text = f"{describe_machine()}{Clock.now().others_since(start)}\n\n{as_markdown(rows)}"
    sys.stdout.write(f"{text}\n")
    if asked.write:
        PAGE.write_text(replace_between(PAGE.read_text(encoding="utf-8"), text), encoding="utf-8")
    return 0


def measure(kind: str, *, environment: dict[str, str] | None = None, **task: Any) -> Any:
    """A measurement in a process of its own."""
    command = [sys.executable, "-m", "bench.measure", json.dumps({"kind": kind, "threads": THREADS} | task)]
    environment = {**os.environ, **ONE_THREAD, **(environment or {})}
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def answer(kind: str, **task: Any) -> Any:
    """A measurement in this process."""
    from bench.measure import KINDS

    return KINDS[kind]({"threads": THREADS} | task)


if __name__ == "__main__":
    sys.exit(main())
