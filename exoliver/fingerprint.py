"""Digest of the code that a rule depends on: a changed function reruns its stage, a changed comment does not."""

from __future__ import annotations

import ast
import hashlib
from functools import cache
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# What these modules decide reaches the rules in their params, and a new configuration key must not refit models.
LEFT_OUT = ("exoliver.problems", "exoliver.running", "exoliver.loading", "exoliver.explain", "exoliver.strict_yaml")
LEFT_OUT_PACKAGES = ("exoliver.study",)
REPORT_FILES = ("exoliver/report/templates", "exoliver/report/assets")


@cache
def code_of(rule: str) -> str:
    """Digest of every exoliver module that a rule's script reaches, and of the versions of the libraries these import.

    Parameters
    ----------
    rule
        Name of the rule, and so of its script.

    Returns
    -------
    Sixteen hexadecimal digits. Comments, docstrings and layout do not count.
    """
    modules, libraries = _reached(ROOT / "workflow" / "scripts" / f"{rule}.py")
    digest = hashlib.sha256()
    for name in sorted(modules):
        digest.update(name.encode() + _parsed(_file_of(name)).encode())
    for library in sorted(libraries):
        digest.update(f"{library}=={_version(library)}".encode())
    if any(name.startswith("exoliver.report") for name in modules):
        for path in _report_files():
            digest.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _reached(script: Path) -> tuple[set[str], set[str]]:
    """Modules of exoliver and names of libraries that a script reaches, step by step."""
    modules: set[str] = set()
    libraries: set[str] = set()
    waiting = [script]
    while waiting:
        for name in _imports(waiting.pop()):
            if not name.startswith("exoliver"):
                libraries.add(name.split(".")[0])
            elif name not in modules and not _is_left_out(name):
                modules.add(name)
                waiting.append(_file_of(name))
    return modules, libraries


def _is_left_out(module: str) -> bool:
    """The module's decisions reach the rules another way."""
    return module in LEFT_OUT or any(module == name or module.startswith(f"{name}.") for name in LEFT_OUT_PACKAGES)


@cache
def _imports(path: Path) -> tuple[str, ...]:
    """Modules that a file imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            submodules = [name for name in inner if name.startswith("exoliver") and _file_of(name).is_file()]
            names.update(submodules or [node.module])
    return tuple(sorted(names))


def _file_of(module: str) -> Path:
    """Source file of one of our modules."""
    path = ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@cache
def _parsed(path: Path) -> str:
    """The code without comments, docstrings and layout."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and _is_docstring(body[0]):
            node.body = body[1:]  # type: ignore[attr-defined]
    return ast.dump(tree)


def _is_docstring(node: ast.AST) -> bool:
    """The statement is a text by itself."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


DISTRIBUTIONS = {"yaml": "PyYAML", "vl_convert": "vl-convert-python", "sklearn": "scikit-learn"}


@cache
def _version(library: str) -> str:
    """Installed version of a library, by the name it is imported under; empty for the standard library."""
    try:
        return metadata.version(DISTRIBUTIONS.get(library, library))
    except metadata.PackageNotFoundError:
        return ""


def _report_files() -> list[Path]:
    """Templates and assets of the reports."""
    return sorted(path for folder in REPORT_FILES for path in (ROOT / folder).rglob("*") if path.is_file())
