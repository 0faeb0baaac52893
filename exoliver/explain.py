"""Validation errors in the user's words: where in the file, what is wrong, what to write instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from exoliver.problems import Problem, listed, nearest, shown

LATER = {
    "dataset": ("cells", "clinical", "cargo", "sampled_at", "fasted"),
    "counts": ("geo", "url", "sha256", "h5ad", "files"),
    "samples": ("geo",),
    "study": ("synthesis",),
}
LATER_VALUES = {("counts", "format"): ("star", "htseq")}
NOT_YET = "not supported yet"


def explain(errors: Sequence[Mapping[str, Any]], *, file: str, kind: str, schema: Mapping[str, Any]) -> list[Problem]:
    """Problems for pydantic's errors.

    Parameters
    ----------
    errors
        As `study.faults_of` returns them.
    file
        The YAML file, as the user named it.
    kind
        `study` or `dataset`.
    schema
        JSON schema of the model, for the keys that are known at each place.

    Returns
    -------
    One problem per place, in the order of the file's keys.
    """
    problems: dict[str, Problem] = {}
    for error in errors:
        if _is_told_elsewhere(error, kind, schema):
            continue
        path = [str(part) for part in _key_path(error["loc"], schema)]
        where = f"{file}: {'.'.join(path)}" if path else file
        what, fix = _what_and_fix(error, path, kind, schema)
        problems.setdefault(where, Problem(where, what, fix))
    return list(problems.values())


def guess_key(error: Mapping[str, Any], *, kind: str, schema: Mapping[str, Any]) -> str | None:
    """The known key that an unknown one most likely stands for; None where there is none, or for another error."""
    path = [str(part) for part in error["loc"]]
    if error["type"] != "extra_forbidden" or path[-1] in LATER.get(_parent(path, kind), ()):
        return None
    return nearest(path[-1], _known_keys(path[:-1], schema))


def _is_told_elsewhere(error: Mapping[str, Any], kind: str, schema: Mapping[str, Any]) -> bool:
    """A key is missing because it is misspelt, or because one of a later stage stands in its place."""
    if error["type"] != "missing" or not isinstance(error["input"], Mapping):
        return False
    path = [str(part) for part in error["loc"]]
    later = LATER.get(_parent(path, kind), ()) if path[-1] == "file" else ()
    known = _known_keys(path[:-1], schema)
    unknown = [str(key) for key in error["input"] if key not in known]
    return any(key in later or nearest(key, known) == path[-1] for key in unknown)


def _parent(path: Sequence[str], kind: str) -> str:
    """The key that a key stands under; the kind of file for one that stands under none."""
    return path[-2] if len(path) > 1 else kind


def _key_path(loc: Sequence[str | int], schema: Mapping[str, Any]) -> list[str | int]:
    """The keys of the file, without the names of union members that pydantic adds at the end."""
    path: list[str | int] = []
    node: Mapping[str, Any] | None = schema
    for part in loc:
        following = _child(node, part, schema) if node is not None else None
        if following is None and node is not None and not _is_open(node, schema):
            if isinstance(part, str) and ("properties" in _resolve(node, schema)):
                path.append(part)
            break
        path.append(part)
        node = following
    return path


def _resolve(node: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The node itself, behind references and behind `or null`."""
    for _ in range(10):
        if "$ref" in node:
            node = schema["$defs"][node["$ref"].rsplit("/", 1)[1]]
        elif "anyOf" in node:
            options = [option for option in node["anyOf"] if option.get("type") != "null"]
            structured = [option for option in options if {"$ref", "items", "additionalProperties"} & set(option)]
            node = (structured or options)[0]
        else:
            break
    return node


def _child(node: Mapping[str, Any], part: str | int, schema: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Schema of one key or item of a node, or None."""
    node = _resolve(node, schema)
    if part in node.get("properties", {}):
        return node["properties"][part]
    if isinstance(node.get("additionalProperties"), Mapping):
        return node["additionalProperties"]
    return node.get("items") if isinstance(part, int) else None


def _is_open(node: Mapping[str, Any], schema: Mapping[str, Any]) -> bool:
    """The node takes any key."""
    return _resolve(node, schema).get("additionalProperties") is True


def _known_keys(path: Sequence[str], schema: Mapping[str, Any]) -> list[str]:
    """Keys known at a place."""
    node: Mapping[str, Any] | None = schema
    for part in path:
        node = _child(node, int(part) if part.isdigit() else part, schema) if node is not None else None
    return sorted(_resolve(node, schema).get("properties", {})) if node is not None else []


def _what_and_fix(
    error: Mapping[str, Any], path: Sequence[str], kind: str, schema: Mapping[str, Any]
) -> tuple[str, str]:
    """The two parts of a problem beside its place."""
    given = error.get("input")
    match error["type"]:
        case "exoliver":
            return error["ctx"]["what"], error["ctx"]["fix"]
        case "missing":
            return "is missing", _description(path, schema)
        case "extra_forbidden":
            return _unknown_key(path, kind, schema)
        case "literal_error":
            return _unknown_value(given, path, error["ctx"]["expected"])
        case "string_type":
            return f"is {shown(given)}, and text is expected", f'write it in quotes: "{given}"'
        case "string_pattern_mismatch":
            return f"is {shown(given)}, which is not of the expected form", _form(path, schema)
        case _:
            return f"is {shown(given)}: {_lower(error['msg'])}", _description(path, schema)


def _unknown_key(path: Sequence[str], kind: str, schema: Mapping[str, Any]) -> tuple[str, str]:
    """A key that no model has: of a later stage, misspelt, or unknown."""
    key = path[-1]
    if key in LATER.get(_parent(path, kind), ()):
        return f"key '{key}' is {NOT_YET}", "take it out; its stage is not built yet"
    known = _known_keys(path[:-1], schema)
    guess = nearest(key, known)
    fix = f"did you mean '{guess}'?" if guess else f"known keys here: {listed(known, 20)}"
    return f"key '{key}' is unknown", fix


def _unknown_value(given: object, path: Sequence[str], expected: str) -> tuple[str, str]:
    """A value outside a closed list."""
    if given in LATER_VALUES.get((path[-2] if len(path) > 1 else "", path[-1]), ()):
        return f"{shown(given)} is {NOT_YET}", "convert the file to a matrix of counts"
    options = [option.strip().strip("'") for option in expected.replace(" or ", ", ").split(",")]
    guess = nearest(str(given), options)
    return f"{shown(given)} is not a known value", f"write {guess}" if guess else f"write one of {listed(options, 20)}"


def _node(path: Sequence[str], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Schema at a place, with its description; empty where there is none."""
    node: Mapping[str, Any] | None = schema
    for part in path:
        node = _child(node, int(part) if part.isdigit() else part, schema) if node is not None else None
    return node or {}


def _description(path: Sequence[str], schema: Mapping[str, Any]) -> str:
    """What a key means, as its fix."""
    meaning = _node(path, schema).get("description")
    return f"write {path[-1]}: {meaning}" if meaning and path else "see config/README.md"


def _form(path: Sequence[str], schema: Mapping[str, Any]) -> str:
    """The form that a text must have."""
    node = _node(path, schema)
    pattern = node.get("pattern") or next((o["pattern"] for o in node.get("anyOf", []) if "pattern" in o), "")
    return f"{node.get('description', 'see config/README.md')} (form {pattern})"


def _lower(message: str) -> str:
    """A library's sentence, as a part of ours."""
    return message[:1].lower() + message[1:]
