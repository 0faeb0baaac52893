"""What all tests share: the roots, the real data beside the clone, the figures they measure, and one BLAS thread."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.validation import Row, sections_of, with_sections

# Before anything imports numpy: more threads change the last digits.
for _library in ("OMP_NUM", "OPENBLAS_NUM", "MKL_NUM", "NUMEXPR_NUM", "VECLIB_MAXIMUM"):
    os.environ[f"{_library}_THREADS"] = "1"

ROOT = Path(__file__).resolve().parents[1]
VALIDATION = ROOT / "docs" / "validation.md"
MEASURED = pytest.StashKey[list[Row]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --fix and --write-validation."""
    parser.addoption("--fix", action="store_true", help="rewrite exported files (schemas) instead of comparing them")
    parser.addoption(
        "--write-validation", action="store_true", help="write what the tests measure into docs/validation.md"
    )


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """What the tests measured: on the terminal, or where that is asked for in the page.

    A module of which a test failed or was skipped is not written: its rows would be wrong or not all there.
    """
    sections = sections_of(config.stash.get(MEASURED, []))
    lacking = {
        report.nodeid.partition("::")[0]
        for outcome in ("failed", "error", "skipped")
        for report in terminalreporter.stats.get(outcome, [])
    }
    whole = {module: text for module, text in sections.items() if module not in lacking}
    if config.getoption("--write-validation") and whole:
        modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("test_*.py")}
        page = with_sections(VALIDATION.read_text(encoding="utf-8"), whole, modules=modules)
        VALIDATION.write_text(page, encoding="utf-8")
        terminalreporter.section(f"written into {VALIDATION.relative_to(ROOT)}: {', '.join(sorted(whole))}")
        sections = {module: text for module, text in sections.items() if module in lacking}
    if sections:
        terminalreporter.section("measured")
        terminalreporter.write_line("\n\n".join(sections[module] for module in sorted(sections)))


@pytest.fixture(scope="session")
def root() -> Path:
    """Root of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def fix(request: pytest.FixtureRequest) -> bool:
    """Whether exported files are to be rewritten."""
    return bool(request.config.getoption("--fix"))


@pytest.fixture(scope="session")
def shared(root: Path) -> Path:
    """The folder of real data beside the clone; missing, it fails in CI and skips elsewhere."""
    folder = root.parent / "shared"
    if folder.is_dir():
        return folder
    reason = "../shared is missing: the real datasets have to lie beside the clone"
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture
def measured(request: pytest.FixtureRequest) -> Callable[[str, str, str], None]:
    """Records one figure of docs/validation.md: what was measured, its target and its value."""
    rows = request.config.stash.setdefault(MEASURED, [])
    module = request.path.relative_to(ROOT).as_posix()

    def record(what: str, target: str, value: str) -> None:
        rows.append(Row(module, what, target, value))

    return record
