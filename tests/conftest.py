"""What all tests share: the roots, the real data beside the clone, and one BLAS thread."""

import os
from pathlib import Path

import pytest

# Before anything imports numpy: more threads change the last digits.
for _library in ("OMP_NUM", "OPENBLAS_NUM", "MKL_NUM", "NUMEXPR_NUM", "VECLIB_MAXIMUM"):
    os.environ[f"{_library}_THREADS"] = "1"

ROOT = Path(__file__).resolve().parents[1]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --fix."""
    parser.addoption("--fix", action="store_true", help="rewrite exported files (schemas) instead of comparing them")


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
