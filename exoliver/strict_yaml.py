"""YAML as data and nothing else: no tags, no aliases, no repeated keys, no surprising scalars.

PyYAML lets repeated keys pass, reads `no` as a boolean and `1.0e6` as text; here a word is a word, a number a number.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from exoliver.problems import Problem

MAX_BYTES = 1_000_000  # a hand-written study is a few kilobytes
MAX_DEPTH = 20


class _StrictLoader(yaml.SafeLoader):
    """Scalars of YAML 1.2's core schema; mappings whose repeated keys are collected."""

    yaml_implicit_resolvers: dict[str, list[Any]] = {}  # noqa: RUF012 (PyYAML's own protocol)

    def __init__(self, stream: str, where: str) -> None:
        super().__init__(stream)
        self.where = where
        self.problems: list[Problem] = []

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()
        if isinstance(event, yaml.AliasEvent):
            raise yaml.MarkedYAMLError(problem="aliases (*name) are not allowed", problem_mark=event.start_mark)
        if getattr(event, "tag", None) is not None:
            raise yaml.MarkedYAMLError(problem=f"tags ({event.tag}) are not allowed", problem_mark=event.start_mark)
        return super().compose_node(parent, index)

    def construct_strict_mapping(self, node: yaml.MappingNode) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode) or self.construct_object(key_node) is None:
                raise yaml.MarkedYAMLError(problem="a key must be a word", problem_mark=key_node.start_mark)
            key = self.construct_text(key_node)  # as it is written: 0.50 names the word 0.50 of a sample sheet
            if key in mapping:
                line = key_node.start_mark.line + 1
                self.problems.append(
                    Problem(f"{self.where}: line {line}", f"key '{key}' is repeated", "keep one of the two")
                )
            mapping[key] = self.construct_object(value_node, deep=True)
        return mapping

    def construct_text(self, node: yaml.ScalarNode) -> str:
        text = str(self.construct_scalar(node))
        if _UNWRITABLE.search(text):
            raise yaml.MarkedYAMLError(problem="a text holds a control character", problem_mark=node.start_mark)
        return text


# Control characters and halves of surrogate pairs, which neither paths nor reports can hold.
_UNWRITABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_SCALARS = {
    "tag:yaml.org,2002:null": (r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    "tag:yaml.org,2002:bool": (r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    "tag:yaml.org,2002:int": (r"^[-+]?(?:0|[1-9][0-9]*)$", list("-+0123456789")),
    "tag:yaml.org,2002:float": (
        r"^[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$",
        list("-+.0123456789"),
    ),
}
for _tag, (_pattern, _first) in _SCALARS.items():
    _StrictLoader.add_implicit_resolver(_tag, re.compile(_pattern), _first)
_StrictLoader.add_constructor("tag:yaml.org,2002:map", _StrictLoader.construct_strict_mapping)
_StrictLoader.add_constructor("tag:yaml.org,2002:str", _StrictLoader.construct_text)
_StrictLoader.add_constructor("tag:yaml.org,2002:int", lambda loader, node: int(loader.construct_scalar(node)))
_StrictLoader.add_constructor("tag:yaml.org,2002:float", lambda loader, node: float(loader.construct_scalar(node)))


def load_yaml(path: Path) -> tuple[Any, list[Problem]]:
    """What a YAML file says, and what is wrong with it.

    Parameters
    ----------
    path
        File of at most 1 MB, UTF-8, one document.

    Returns
    -------
    The content as dict, list, str, int, float, bool and None (None where it cannot be read), and the problems found.
    """
    where = path.as_posix()
    try:
        if path.stat().st_size > MAX_BYTES:
            return None, [Problem(where, f"the file is larger than {MAX_BYTES:,} bytes", "name the right file")]
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return None, [Problem(where, "the file does not exist", "correct the path (relative to the working directory)")]
    except (OSError, ValueError) as error:
        return None, [Problem(where, f"the file cannot be read: {error}", "save it as a UTF-8 text file")]
    return _parse(text, where)


def _parse(text: str, where: str) -> tuple[Any, list[Problem]]:
    """Parse the text of one file; syntax errors become problems."""
    try:
        loader = _StrictLoader(text, where)
        try:
            content = loader.get_single_data()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = f": line {mark.line + 1}" if mark else ""
        return None, [Problem(where + line, f"not valid here: {error.problem}", "correct the YAML at this line")]
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        return None, [Problem(where, f"not valid YAML: {str(error)[:200]}", "correct the YAML")]
    if _depth(content) > MAX_DEPTH:
        return None, [Problem(where, f"nested deeper than {MAX_DEPTH} levels", "write it flatter")]
    return content, loader.problems


def _depth(content: Any) -> int:
    """Levels of nesting."""
    if isinstance(content, dict):
        return 1 + max(map(_depth, content.values()), default=0)
    if isinstance(content, list):
        return 1 + max(map(_depth, content), default=0)
    return 0
