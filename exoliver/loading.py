"""Reads a study and its datasets; collects problems instead of raising, so that all can be shown together."""

from __future__ import annotations

import glob
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

from exoliver.collections import collection_id, is_path, shipped_collections
from exoliver.explain import explain, guess_key
from exoliver.problems import Problem, listed, nearest
from exoliver.strict_yaml import load_yaml
from exoliver.study import (
    NAME_SLUG,
    SLUG,
    TREATED_ROLES,
    Dataset,
    NoBaseError,
    Settings,
    base_of,
    base_or_none,
    faults_of,
    schema_of,
)


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
    def own_collections(self) -> dict[str, str]:
        """Files of gene sets that the study names and that are there, with the column of the genes that they name."""
        named = dict.fromkeys((self.settings.programmes, *self.settings.collections))
        human = self.settings.human_collections
        files = [name for name in named if is_path(name) and Path(name).is_file()]
        return {name: "human_symbol" if name in human else "symbol" for name in files}

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
    usable = settings or _fallback(content)
    files, missing = _dataset_files(usable, where) if usable is not FALLBACK else ([], [])
    entries = _entries(files)
    usable, blocked = _writable(usable, where)
    return Study(where, usable, entries, (*problems, *missing, *blocked, *_collection_problems(usable, where)))


def _writable(settings: Settings, where: str) -> tuple[Settings, list[Problem]]:
    """The settings with a results folder that can be made; a file in its place is a problem."""
    folder = Path(settings.results)
    files = [path for path in (folder, *folder.parents) if path.is_file()]
    if not files:
        return settings, []
    problem = Problem(f"{where}: results", f"'{files[0].as_posix()}' is a file, not a folder", "name another folder")
    return settings.model_copy(update={"results": FALLBACK.results}), [problem]


def _fallback(content: Mapping[str, Any]) -> Settings:
    """Settings for a study whose own keys are faulty: its datasets and results folder where these are sound.

    So one fault of the study does not hide those of its datasets.
    """
    named = content.get("datasets")
    datasets = [item for item in named if isinstance(item, str) and item] if isinstance(named, list) else []
    least = {"title": "-", "datasets": datasets}
    folder = {"results": content["results"]} if "results" in content else {}
    return faults_of(Settings, least | folder)[0] or faults_of(Settings, least)[0] or FALLBACK


def _model(model: Any, content: Mapping[str, Any], *, file: str, kind: str) -> tuple[Any, list[Problem]]:
    """The model, if need be of a second reading that passes over what is misspelt or beside the point; the problems.

    So one fault of the YAML does not hide those of the data. What is read a second time is checked, never computed.
    """
    parsed, errors = faults_of(model, content)
    if parsed is not None:
        return parsed, []
    schema = schema_of(model)
    for guessing in (True, False):
        mended = json.loads(json.dumps(content))
        guesses = [guess_key(error, kind=kind, schema=schema) if guessing else None for error in errors]
        are_mended = [_mend(mended, error, guess, file) for error, guess in zip(errors, guesses, strict=True)]
        if all(are_mended):
            parsed, _ = faults_of(model, mended)
        if parsed is not None:
            break
    return parsed, explain(errors, file=file, kind=kind, schema=schema)


# Facts that are printed or used later on; a faulty one does not change which samples and counts are read.
ASIDE = ("title", "accession", "citation", "system", "animals", "gene_filter", "injury")
BASELINE_ROLES = ("healthy", "reference")
DESIGN_OF_ARM = ("role", "value", "where", "against", "at")


def _aside(loc: tuple[Any, ...]) -> tuple[Any, ...]:
    """Place of the key that can be passed over; empty where the reading depends on it."""
    if loc[:1] and loc[0] in ASIDE:
        return loc[:1]
    if len(loc) > 1 and loc[0] == "contrasts":
        return loc[:2]
    if len(loc) > 3 and loc[:2] == ("arms", "levels") and loc[3] not in DESIGN_OF_ARM:
        return loc[:4]
    return ()


def _mend(content: dict[str, Any], error: Mapping[str, Any], guess: str | None, file: str) -> bool:
    """Change the content so that it can be read in spite of one error; False where that cannot be done."""
    loc = tuple(error["loc"])
    unknown = error["type"] == "extra_forbidden"
    match loc:
        case ("id",):
            content["id"] = _id_of(file, None)
            return True
        case ("arms", "levels", _, "role"):
            _at(content, loc[:-1])["role"] = "reference"
            return True
    place = loc if unknown else _aside(loc)
    holder = _at(content, place[:-1])
    if place and place[-1] in holder:
        value = holder.pop(place[-1])
        if unknown and guess:
            holder.setdefault(guess, value)
    return bool(place)


def _at(content: Any, place: tuple[Any, ...]) -> dict[str, Any]:
    """The mapping at a place; an empty one where there is none."""
    for part in place:
        content = content.get(str(part)) if isinstance(content, dict) else None
    return content if isinstance(content, dict) else {}


def _dataset_files(settings: Settings, where: str) -> tuple[list[str], list[Problem]]:
    """Paths of the datasets, patterns resolved and sorted; a pattern or path that names nothing is a problem."""
    files: list[str] = []
    problems = []
    for item in settings.datasets:
        # Path.glob takes no absolute patterns.
        found = sorted(glob.glob(item, recursive=True)) if glob.has_magic(item) else [item]  # noqa: PTH207
        if not found:
            problems.append(Problem(f"{where}: datasets", f"'{item}' matches no file", "correct the pattern"))
        files += [Path(path).as_posix() for path in found if Path(path).as_posix() not in files]
    return files, problems


def _entries(files: list[str]) -> tuple[Entry, ...]:
    """Every dataset; of two with one id the second has a problem, and an id of its own so that it is checked too."""
    entries: dict[str, Entry] = {}
    for entry in map(load_dataset, files):
        if entry.id not in entries:
            entries[entry.id] = entry
            continue
        what = f"id '{entry.id}' is also that of {entries[entry.id].file}"
        problem = Problem(f"{entry.file}: id", what, "give each dataset an id of its own")
        is_given = entry.dataset is not None and all(known.where != problem.where for known in entry.problems)
        own = next(name for number in count(2) if (name := f"{entry.id}_{number}") not in entries)
        entries[own] = replace(entry, id=own, problems=entry.problems + ((problem,) if is_given else ()))
    return tuple(entries.values())


def load_dataset(file: str) -> Entry:
    """One dataset's YAML: the dataset as far as it can be read, and its problems."""
    content, problems = load_yaml(Path(file))
    if not isinstance(content, dict):
        problems = problems or [Problem(file, "holds no keys", "write a dataset as in config/datasets/")]
        return Entry(_id_of(file, None), file, None, tuple(problems))
    dataset, faults = _model(Dataset, content, file=file, kind="dataset")
    problems += faults
    if dataset is not None:
        has_roles = not any(problem.where.endswith(".role") for problem in faults)
        problems += (_base_problems(dataset, file) if has_roles else []) + _contrast_problems(dataset, file)
    return Entry(_id_of(file, content.get("id")), file, dataset, tuple(problems))


def _id_of(file: str, given: object) -> str:
    """The given id where it is a slug, else one made from the file's name."""
    if isinstance(given, str) and re.fullmatch(NAME_SLUG, given):
        return given
    return re.sub(r"[^a-z0-9]+", "_", Path(file).stem.lower()).strip("_") or "dataset"


def _base_problems(dataset: Dataset, file: str) -> list[Problem]:
    """Arms whose base is missing or ambiguous; arms none of which has a base, so that nothing is compared."""
    problems = []
    bases = []
    for name in dataset.arms.levels:
        try:
            bases.append(base_of(name, dataset.arms.levels))
        except NoBaseError as fault:
            problems.append(Problem(f"{file}: arms.levels.{name}.against", fault.what, fault.fix))
    if len(bases) > 1 and set(bases) == {None} and not problems and not dataset.contrasts:
        what = "no arm is compared with another one, so that there is no contrast"
        fix = "write against: in the arms that are to be compared, or give them the roles that they have"
        problems.append(Problem(f"{file}: arms.levels", what, fix))
    return [*problems, *_against_problems(dataset, file), *_baseline_problems(dataset, file)]


def _against_problems(dataset: Dataset, file: str) -> list[Problem]:
    """Injured arms that are compared with a treated one, and arms that are compared in a circle; a circle once."""
    levels = dataset.arms.levels
    bases = {name: base_or_none(name, levels) for name in levels}
    problems = []
    told: set[str] = set()
    for name, base in bases.items():
        if levels[name].role == "injured" and base is not None and levels[base].role in TREATED_ROLES:
            what = f"an injured arm is compared with '{base}', whose role is {levels[base].role}"
            problems.append(Problem(f"{file}: arms.levels.{name}.against", what, "name a healthy or reference arm"))
            told |= set(_circle(name, bases)) | {name}
    for name in bases:
        circle = _circle(name, bases)
        if circle and not told & set(circle):
            what = f"arms are compared in a circle: {' against '.join([*circle, name])}"
            problems.append(Problem(f"{file}: arms.levels.{name}.against", what, "take out one against"))
            told |= set(circle)
    return problems


def _circle(name: str, bases: Mapping[str, str | None]) -> list[str]:
    """The arms from one to itself, each the base of the one before; empty where there is no such way."""
    way, following = [name], bases[name]
    while following is not None and following not in way:
        way.append(following)
        following = bases[following]
    return way if following == name else []


def _baseline_problems(dataset: Dataset, file: str) -> list[Problem]:
    """Arms that serve every time without being a baseline."""
    wrong = [name for name, arm in dataset.arms.levels.items() if arm.at and arm.role not in BASELINE_ROLES]
    fix = f"take it out; an arm of role {' or '.join(BASELINE_ROLES)} can serve every time"
    return [
        Problem(f"{file}: arms.levels.{name}.at", f"all_times stands in a {dataset.arms.levels[name].role} arm", fix)
        for name in wrong
    ]


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
    own = {name for name in (settings.programmes, *settings.collections) if is_path(name)}
    for name in settings.human_collections:
        if name not in own:
            what = f"'{name}' is none of the files under collections"
            problems.append(Problem(f"{where}: human_collections", what, f"name one of them ({listed(sorted(own))})"))
    return problems
