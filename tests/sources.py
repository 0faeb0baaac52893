"""The repository's own files as text and as syntax trees, for the tests of the house rules."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "exoliver"

OWN_FILES = (
    "*.py",
    "*.smk",
    "Snakefile",
    "*.j2",
    "*.html",
    "*.css",
    "*.js",
    "*.md",
    "*.yaml",
    "*.yml",
    "*.toml",
    "*.cff",
    "Makefile",
    "run",
    "requirements.*",
)
NOT_OURS = {".venv", ".git", ".snakemake", ".cache", "results", "logs", "benchmarks"}


def own_files(*patterns: str) -> list[Path]:
    """Files of the repository by name pattern, without what a run or a tool writes."""
    found = {path for pattern in patterns for path in ROOT.rglob(pattern) if path.is_file()}
    return sorted(
        path for path in found if not NOT_OURS & set(path.relative_to(ROOT).parts) and "_cache" not in str(path)
    )


def name_of(path: Path) -> str:
    """Dotted name of a module of the package."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def parsed(path: Path) -> ast.Module:
    """Syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


MODULES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imports_of(path: Path) -> Iterator[str]:
    """Full names of everything that a file imports, wherever in it."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def own_imports(path: Path) -> set[str]:
    """Modules of the package that a file imports."""
    names = {name for name in imports_of(path) if name.split(".")[0] == "exoliver"}
    return {name if name in MODULES else name.rpartition(".")[0] for name in names}


def docstrings_of(tree: ast.Module) -> set[int]:
    """Identities of the constants that are docstrings."""
    texts = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    firsts = [node.body[0] for node in ast.walk(tree) if isinstance(node, texts) and node.body]
    return {
        id(first.value) for first in firsts if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    }


def literals_of(path: Path) -> list[ast.Constant]:
    """String literals of a module, docstrings left out."""
    tree = parsed(path)
    docs = docstrings_of(tree)
    constants = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in docs]
    return [node for node in constants if isinstance(node.value, str)]


def where(path: Path, line: int) -> str:
    """Place of a fault, for the message of a test."""
    return f"{path.relative_to(ROOT).as_posix()}:{line}"


def hits(pattern: str, paths: list[Path], *, flags: re.RegexFlag = re.NOFLAG) -> list[str]:
    """Lines of files that hold a pattern, with their places."""
    found = []
    for path in paths:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if re.search(pattern, line, flags):
                found.append(f"{where(path, number)}: {line.strip()[:100]}")
    return found
