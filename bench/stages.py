"""Runs a study from scratch and prints what each stage took: `make bench STUDY=config/config.yaml`.

Times and memory are those that Snakemake writes for each job: one measurement, on this machine as it
was just then. Start-up of Snakemake and gaps between jobs are in the last line alone.
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import sys
import time
from pathlib import Path

BENCHMARKS = Path("benchmarks")
ROW = "{:<24}{:>6}{:>12}{:>12}{:>12}"


def main() -> int:
    """Exit status of Snakemake."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("study")
    parser.add_argument("--cores", default="all")
    arguments = parser.parse_args()
    snakemake = [str(Path(sys.executable).parent / "snakemake"), "--forceall", "--quiet", "all"]
    started, clock = time.time(), time.perf_counter()
    done = subprocess.run(
        [*snakemake, "--cores", arguments.cores, "--config", f"study={arguments.study}"], check=False
    ).returncode
    seconds = time.perf_counter() - clock
    write_line("stage", "jobs", "seconds", "longest", "peak MB")
    for rule, jobs in sorted(measured(since=started).items(), key=lambda item: -sum(job[0] for job in item[1])):
        times, memory = [job[0] for job in jobs], [job[1] for job in jobs]
        write_line(rule, len(jobs), f"{sum(times):.1f}", f"{max(times):.1f}", f"{max(memory):.0f}")
    write_line("whole run", "", f"{seconds:.1f}", "", "")
    return done


def write_line(*cells: object) -> None:
    """One line of the table."""
    sys.stdout.write(f"{ROW.format(*cells)}\n")


def measured(*, since: float) -> dict[str, list[tuple[float, float]]]:
    """Seconds and peak memory (MB) of each job by rule, of the jobs that ended after a point in time."""
    jobs: dict[str, list[tuple[float, float]]] = {}
    for path in sorted(BENCHMARKS.rglob("*.tsv")):
        if path.stat().st_mtime < since:
            continue
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
        # A job that is over before Snakemake looks at it has NA for its memory.
        found = [(float(row["s"]), float(row["max_rss"].replace("NA", "nan"))) for row in rows]
        jobs.setdefault(path.relative_to(BENCHMARKS).parts[0], []).extend(found)
    return jobs


if __name__ == "__main__":
    sys.exit(main())
