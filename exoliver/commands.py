"""What the command line answers: text and an exit status. Prints nothing and reads nothing from a terminal."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from exoliver.checks import check_dataset
from exoliver.collection_checks import check_collections
from exoliver.loading import Entry, Study, load_study
from exoliver.problems import Findings, format_problems
from exoliver.strict_yaml import load_yaml
from exoliver.study import Dataset, Settings, export_schema, schema_of

SOUND, FAULTY = 0, 1
SCHEMAS: Mapping[str, Any] = MappingProxyType({"study": Settings, "dataset": Dataset})


@dataclass(frozen=True)
class Answer:
    """What is printed, what goes to the error stream, and the exit status."""

    text: str
    status: int
    aside: str = ""


def check_study(study: Study) -> dict[str, Findings]:
    """What there is to say of every dataset of a study, by id: its YAML and, unless it is simulated, its files."""
    return {entry.id: _check_entry(entry, study) for entry in study.entries}


def _check_entry(entry: Entry, study: Study) -> Findings:
    """Findings of one dataset."""
    of_yaml = Findings(problems=entry.problems)
    dataset = entry.dataset
    if dataset is None or dataset.counts is None or dataset.samples is None:
        return of_yaml
    of_files, _ = check_dataset(
        dataset.intake(dataset.counts, dataset.samples),
        counts_file=dataset.counts.file,
        samples_file=dataset.samples.file,
        arms=dataset.arms.levels,
        contrasts=dataset.contrasts,
        gene_filter=dataset.gene_filter,
        collections=study.own_collections,
        genes_of_interest=study.settings.genes_of_interest,
    )
    return of_yaml + of_files


def answer_check(files: Sequence[str]) -> Answer:
    """Every problem and warning of one or several studies.

    Parameters
    ----------
    files
        Paths of studies.

    Returns
    -------
    Status 0 where there is no problem; warnings alone do not change it.
    """
    reports = [_report(study, check_study(study)) for study in map(load_study, files)]
    is_sound = all(sound for _, sound in reports)
    return Answer("\n".join(text for text, _ in reports), SOUND if is_sound else FAULTY)


def _report(study: Study, findings: Mapping[str, Findings]) -> tuple[str, bool]:
    """Problems, then warnings, of one study; and whether it is sound."""
    problems = [*study.problems, *check_collections(study.own_collections)]
    problems += [problem for found in findings.values() for problem in found.problems]
    warnings = [warning for found in findings.values() for warning in found.warnings]
    blocks = [format_problems(problems)] if problems else []
    blocks += [format_problems(warnings, "warning")] if warnings else []
    simulated = [entry for entry in study.entries if entry.dataset is not None and entry.dataset.simulation is not None]
    datasets = _counted(study.entries, "dataset") + (f" ({len(simulated)} simulated)" if simulated else "")
    state = _counted(problems, "problem") if problems else "sound"
    blocks.append(f"{study.file}: {datasets}, {state}, {_counted(warnings, 'warning')}")
    return "\n".join(blocks), not problems


def _counted(items: Sequence[object], name: str) -> str:
    """How many there are of something."""
    return f"{len(items)} {name}" + ("" if len(items) == 1 else "s")


def answer_without_faulty(file: str) -> Answer:
    """A study as YAML, without its faulty datasets; what is wrong with them goes aside.

    Parameters
    ----------
    file
        Path of the study.

    Returns
    -------
    Status 0 where the printed study is sound, 1 where its own keys are at fault or no dataset is left; nothing is
    printed then.
    """
    study = load_study(file)
    findings = check_study(study)
    aside, _ = _report(study, findings)
    sound = [entry.file for entry in study.entries if not findings[entry.id].problems]
    own = [problem for problem in study.problems if _is_of_keys(problem.where, study.file)]
    if own or not sound:
        return Answer("", FAULTY, aside)
    content, _ = load_yaml(Path(file))
    return Answer(_as_yaml({**content, "datasets": sound}), SOUND, aside)


def _is_of_keys(where: str, file: str) -> bool:
    """The problem is of the study's own keys, and stays when datasets are dropped."""
    return (where == file or where.startswith(f"{file}:")) and where != f"{file}: datasets"


def _as_yaml(content: Mapping[str, Any]) -> str:
    """One key a line; JSON values are YAML too."""
    return "\n".join(f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in content.items())


def answer_schema(kind: str | None) -> Answer:
    """JSON schema of a study or of a dataset; of both, by name, where none is asked for."""
    if kind is not None:
        return Answer(export_schema(SCHEMAS[kind]).rstrip("\n"), SOUND)
    both = {name: schema_of(model) for name, model in SCHEMAS.items()}
    return Answer(json.dumps(both, indent=2, sort_keys=True), SOUND)
