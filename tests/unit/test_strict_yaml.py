"""The strict loader: a word is a word, a number a number, and everything else is told."""

from pathlib import Path
from typing import Any

import pytest

from exoliver.problems import Problem
from exoliver.strict_yaml import MAX_BYTES, load_yaml


def loaded(text: str | bytes, folder: Path) -> tuple[Any, list[Problem]]:
    """What a file with this text says, and its problems."""
    path = folder / "file.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    return load_yaml(path)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e6", 1e6), ("1.0e+6", 1e6), ("-.5", -0.5), ("12", 12), ("+3", 3), ("0", 0), ("5.", 5.0),
        ("true", True), ("False", False), ("null", None), ("~", None), ("", None),
        ("no", "no"), ("yes", "yes"), ("on", "on"), ("007", "007"), ("1_000", "1_000"), ("0x10", "0x10"),
        ("12:30:00", "12:30:00"), ("2026-11-21", "2026-11-21"), (".inf", ".inf"), (".nan", ".nan"), ('"1"', "1"),
        ("<<", "<<"), ("=", "="),
    ],
)  # fmt: skip
def test_a_scalar_is_what_it_looks_like(text: str, value: object, tmp_path: Path) -> None:
    """Numbers, true, false and null as in YAML 1.2; dates, times, `no` and hexadecimals stay words."""
    content, problems = loaded(f"key: {text}\n", tmp_path)
    assert problems == []
    assert content == {"key": value}
    assert type(content["key"]) is type(value)


def test_keys_are_words_as_they_are_written(tmp_path: Path) -> None:
    """A key that looks like a number or a truth keeps its spelling."""
    content, problems = loaded("{0.50: a, 7: b, true: c, 1e3: d}", tmp_path)
    assert (content, problems) == ({"0.50": "a", "7": "b", "true": "c", "1e3": "d"}, [])


def test_a_byte_order_mark_and_windows_lines_are_passed_over(tmp_path: Path) -> None:
    """Files of other editors read the same."""
    assert loaded(b"\xef\xbb\xbfa: 1\r\nb: [x, y]\r\n", tmp_path) == ({"a": 1, "b": ["x", "y"]}, [])


@pytest.mark.parametrize("text", ["a: 1\na: 2\n", '1: x\n"1": y\n'])
def test_a_repeated_key_is_told_with_its_line(text: str, tmp_path: Path) -> None:
    """The line of the second one is named, however the two are written."""
    _, (problem,) = loaded(text, tmp_path)
    assert problem.where.endswith("file.yaml: line 2")
    assert "is repeated" in problem.what


def test_every_repeated_key_is_told(tmp_path: Path) -> None:
    """Also those of inner mappings; the rest of the file is read."""
    content, problems = loaded("a: {x: 1, x: 2}\nb: 1\nb: 2\nc: 3\n", tmp_path)
    assert len(problems) == 2
    assert content["c"] == 3


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("a: &x 1\nb: *x\n", "aliases"), ("a: !!str 1\n", "tags"), ("a: !!python/name:os.system x\n", "tags"),
        ("a: !own 1\n", "tags"), ("a: [1\n", "not valid here"), ("a: 1\n b: 2\n", "not valid here"),
        ("? [a]\n: 1\n", "a key must be a word"), ("~: 1\n", "a key must be a word"),
        ("a: 1\n---\nb: 2\n", "not valid here"), ('a: "\\0"\n', "control character"),
        ('a: "\\ud800"\n', "control character"), ('"\\e": 1\n', "control character"),
    ],
)  # fmt: skip
def test_what_is_not_plain_data_is_told_with_its_line(text: str, what: str, tmp_path: Path) -> None:
    """Aliases, tags, syntax errors, odd keys, second documents and control characters: one problem and no content."""
    content, (problem,) = loaded(text, tmp_path)
    assert content is None
    assert ": line " in problem.where
    assert what in problem.what


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (b"a: \xff\n", "cannot be read"), (b"a: \x00\n", "not valid YAML"), (b"a: " + b"9" * 5000, "not valid YAML"),
        (b"[" * 5000, "not valid"), (b"a: " + b"[" * 30 + b"]" * 30, "nested deeper"),
        (b"#" * (MAX_BYTES + 1), "larger than"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_a_problem_of_the_file(text: bytes, what: str, tmp_path: Path) -> None:
    """Other encodings, control bytes, endless numbers and nesting, and files too large end in one problem."""
    content, (problem,) = loaded(text, tmp_path)
    assert content is None
    assert what in problem.what


def test_an_empty_file_holds_nothing(tmp_path: Path) -> None:
    """No content is no problem here; the reader of the study tells."""
    assert loaded("", tmp_path) == (None, [])


@pytest.mark.parametrize("name", ["none.yaml", ".", "a\0b", "x" * 300])
def test_a_path_that_is_no_file_is_a_problem(name: str, tmp_path: Path) -> None:
    """A missing file, a folder and a name that no system takes are told."""
    content, (problem,) = load_yaml(tmp_path / name)
    assert content is None
    assert "does not exist" in problem.what or "cannot be read" in problem.what
