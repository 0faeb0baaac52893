"""Reads a study and its datasets; collects problems instead of raising, so that all can be shown together."""

from __future__ import annotations

import glob
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from exoliver.collections import collection_id, is_path, shipped_collections
from exoliver.explain import explain
from exoliver.problems import Problem, listed, nearest
from exoliver.strict_yaml import load_yaml
from exoliver.study import NAME_SLUG, SLUG, BaseFault, Dataset, Settings, base_of, faults_of, schema_of


@dataclass(frozen=True)
class Entry:
    """One dataset of a study, faulty or not.

    Parameters
    ----------
    id
        Its id; that of the file's name where the YAML does not give a usable one.
    file
        Path of its YAML, as the study names it.
    dataset
        The dataset as far as it can be read; None where it cannot.
    problems
        What is wrong with its YAML.
    """

    id: str
    file: str
    dataset: Dataset | None
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class Study:
    """A study: its settings, its datasets and the problems of its own YAML."""

    file: str
    settings: Settings
    entries: tuple[Entry, ...]
    problems: tuple[Problem, ...] = field(default=())

    @property
    def all_problems(self) -> tuple[Problem, ...]:
        """Problems of the study and of every dataset's YAML."""
        return self.problems + tuple(problem for entry in self.entries for problem in entry.problems)


FALLBACK = Settings(title="a study that cannot be read", datasets=("none",))


def load_study(file: str | Path) -> Study:
    """The study that a YAML file describes, with every problem of it and of its datasets' YAML.

    Parameters
    ----------
    file
        Path of the study, relative to the working directory as all paths in it.

    Returns
    -------
    Always a study: one whose YAML cannot be read has fallback settings, no datasets, and problems.
    """
    content, problems = load_yaml(Path(file))
    where = Path(file).as_posix()
    if not isinstance(content, dict):
        problems = problems or [Problem(where, "holds no keys", "write a study as in config/config.yaml")]
        return Study(where, FALLBACK, (), tuple(problems))
    settings, faults = _model(Settings, content, file=where, kind="study")
    problems += faults
    if settings is None:
        return Study(where, _fallback(content), (), tuple(problems))
    files, missing = _dataset_files(settings, where)
    entries, repeated = _entries(files)
    return Study(
        where, settings, entries, tuple([*problems, *missing, *repeated, *_collection_problems(settings, where)])
    )


def _fallback(content: Mapping[str, Any]) -> Settings:
    """Settings for a study that cannot be read: its results folder where that is sound."""
    folder, _ = faults_of(Settings, {"title": "-", "datasets": ["none"], "results": content.get("results", "results")})
    return folder or FALLBACK


def _model(model: Any, content: Mapping[str, Any], *, file: str, kind: str) -> tuple[Any, list[Problem]]:
    """The model, if need be without the keys that it does not know, and the problems.

    Unknown keys are dropped for a second reading, so that one misspelt key does not hide the faults of the data.
    """
    parsed, errors = faults_of(model, content)
    if parsed is not None:
        return parsed, []
    problems = explain(errors, file=file, kind=kind, schema=schema_of(model))
    if any(error["type"] != "extra_forbidden" for error in errors):
        return None, problems
    parsed, errors = faults_of(model, _without(content, [error["loc"] for error in errors]))
    return parsed, problems + explain(errors, file=file, kind=kind, schema=schema_of(model))


def _without(content: Any, places: list[tuple[Any, ...]]) -> Any:
    """A copy of nested dicts and lists without the keys at some places."""
    if not places or not isinstance(content, dict | list):
        return content
    items = content.items() if isinstance(content, dict) else enumerate(content)
    gone = {str(place[0]) for place in places if len(place) == 1}
    kept = {
        key: _without(value, [place[1:] for place in places if len(place) > 1 and str(place[0]) == str(key)])
        for key, value in items
        if str(key) not in gone
    }
    return kept if isinstance(content, dict) else list(kept.values())


def _dataset_files(settings: Settings, where: str) -> tuple[list[str], list[Problem]]:
    """Paths of the datasets, patterns resolved and sorted; a pattern or path that names nothing is a problem."""
    files: list[str] = []
    problems = []
    for item in settings.datasets:
        found = sorted(glob.glob(item)) if glob.has_magic(item) else [item]
        if not found:
            problems.append(Problem(f"{where}: datasets", f"'{item}' matches no file", "correct the pattern"))
        files += [Path(path).as_posix() for path in found if Path(path).as_posix() not in files]
    return files, problems


def _entries(files: list[str]) -> tuple[tuple[Entry, ...], list[Problem]]:
    """Every dataset; of two with one id the second is set aside as a problem."""
    entries: dict[str, Entry] = {}
    problems = []
    for file in files:
        entry = load_dataset(file)
        if entry.id in entries:
            what = f"id '{entry.id}' is also that of {entries[entry.id].file}"
            problems.append(Problem(f"{file}: id", what, "give each dataset an id of its own"))
        else:
            entries[entry.id] = entry
    return tuple(entries.values()), problems


def load_dataset(file: str) -> Entry:
    """One dataset's YAML: the dataset as far as it can be read, and its problems."""
    content, problems = load_yaml(Path(file))
    if not isinstance(content, dict):
        problems = problems or [Problem(file, "holds no keys", "write a dataset as in config/datasets/")]
        return Entry(_id_of(file, None), file, None, tuple(problems))
    dataset, faults = _model(Dataset, content, file=file, kind="dataset")
    problems += faults
    if dataset is not None:
        problems += _base_problems(dataset, file) + _contrast_problems(dataset, file)
    return Entry(_id_of(file, content.get("id")), file, dataset, tuple(problems))


def _id_of(file: str, given: object) -> str:
    """The given id where it is a slug, else one made from the file's name."""
    if isinstance(given, str) and re.fullmatch(NAME_SLUG, given):
        return given
    return re.sub(r"[^a-z0-9]+", "_", Path(file).stem.lower()).strip("_") or "dataset"


def _base_problems(dataset: Dataset, file: str) -> list[Problem]:
    """Arms whose base is missing or ambiguous."""
    problems = []
    for name in dataset.arms.levels:
        try:
            base_of(name, dataset.arms.levels)
        except BaseFault as fault:
            problems.append(Problem(f"{file}: arms.levels.{name}.against", fault.what, fault.fix))
    return problems


def _contrast_problems(dataset: Dataset, file: str) -> list[Problem]:
    """Extra contrasts with unusable names, or naming arms that do not exist; a study without any contrast."""
    problems = []
    for name, contrast in dataset.contrasts.items():
        where = f"{file}: contrasts.{name}"
        if not re.fullmatch(SLUG, name):
            problems.append(
                Problem(where, "cannot be the name of a contrast", "use small letters, digits, underscores")
            )
        parts = [contrast.of, contrast.against]
        parts += [contrast.minus.of, contrast.minus.against] if contrast.minus else []
        for arm in sorted({cells.arm for cells in parts} - set(dataset.arms.levels)):
            guess = nearest(arm, dataset.arms.levels)
            fix = f"did you mean '{guess}'?" if guess else f"arms: {listed(dataset.arms.levels)}"
            problems.append(Problem(where, f"names arm '{arm}', which does not exist", fix))
    if len(dataset.arms.levels) < 2:
        problems.append(Problem(f"{file}: arms.levels", "there is one arm only", "a comparison needs two arms"))
    return problems


@cache
def _shipped() -> tuple[str, ...]:
    """Names of the shipped collections."""
    return tuple(shipped_collections())


def _collection_problems(settings: Settings, where: str) -> list[Problem]:
    """Collections that are neither shipped nor files, and two whose names in paths are equal."""
    problems = []
    seen: dict[str, str] = {}
    for key, names in (("collections", settings.collections), ("programmes", (settings.programmes,))):
        for name in names:
            place = f"{where}: {key}"
            if is_path(name) and not Path(name).is_file():
                problems.append(Problem(place, f"file '{name}' does not exist", "correct the path"))
            elif not is_path(name) and name not in _shipped():
                guess = nearest(name, _shipped())
                fix = f"did you mean '{guess}'?" if guess else f"shipped: {listed(_shipped())}; or a path of a GMT file"
                problems.append(Problem(place, f"collection '{name}' is not known", fix))
            if seen.setdefault(collection_id(name), name) != name:
                what = f"'{name}' and '{seen[collection_id(name)]}' have the same name in paths"
                problems.append(Problem(place, what, "rename one of the files"))
    return problems
