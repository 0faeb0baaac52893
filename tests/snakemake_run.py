"""Snakemake as a user runs it: a subprocess in a working directory of its own."""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

CODE = ("Snakefile", "exoliver", "workflow", "resources", "config", "environment.yml", "profiles")


@dataclass(frozen=True)
class Run:
    """One run of Snakemake: exit status and everything it printed."""

    status: int
    output: str

    def jobs(self) -> dict[str, int]:
        """Rules that would run, with their number, from the last job table."""
        tables = re.split(r"^job +count *$", self.output, flags=re.MULTILINE)[1:]
        rows = re.findall(r"^(\w+) +(\d+)$", tables[-1].partition("total")[0], flags=re.MULTILINE) if tables else []
        return {name: int(count) for name, count in rows}

    def finished(self) -> dict[str, int]:
        """Rules whose jobs ran, with their number."""
        return dict(Counter(re.findall(r"^Finished jobid: \d+ \(Rule: (\w+)\)$", self.output, flags=re.MULTILINE)))


def clone(root: Path, target: Path) -> Path:
    """A copy of the workflow's code, as a fresh clone would be."""
    target.mkdir(parents=True)
    for name in CODE:
        source = root / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target / name)
    return target


def snakemake(
    folder: Path, *arguments: str, cores: int = 2, snakefile: Path | None = None, env: dict[str, str] | None = None
) -> Run:
    """Run Snakemake in a folder; `snakefile` where the workflow lies elsewhere."""
    command = [sys.executable, "-m", "snakemake", "--cores", str(cores), "--nocolor"]
    command += ["--snakefile", str(snakefile)] if snakefile else []
    done = subprocess.run(
        [*command, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Run(done.returncode, done.stdout)
