"""environment.yml, requirements.in and requirements.lock say the same; the lock installs with hashes alone."""

import re
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PYTHON_3_11 = {
    "python_version": "3.11",
    "python_full_version": "3.11.9",
    "sys_platform": "linux",
    "platform_machine": "x86_64",
}


@pytest.fixture(scope="module")
def asked(root: Path) -> dict[str, Requirement]:
    """The direct dependencies by name."""
    lines = (line.split("#")[0].strip() for line in (root / "requirements.in").read_text().splitlines())
    requirements = [Requirement(line) for line in lines if line]
    return {canonicalize_name(requirement.name): requirement for requirement in requirements}


@pytest.fixture(scope="module")
def entries(root: Path) -> list[str]:
    """The lock's entries, each with its continuation lines joined."""
    text = (root / "requirements.lock").read_text().replace("\\\n", " ")
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]


@pytest.fixture(scope="module")
def pins(entries: list[str]) -> list[Requirement]:
    """Name, version and marker of every entry of the lock."""
    return [Requirement(entry.split("--hash")[0].strip()) for entry in entries]


@pytest.fixture(scope="module")
def locked(pins: list[Requirement]) -> dict[str, str]:
    """Version by name on Python 3.11."""
    chosen = [pin for pin in pins if pin.marker is None or pin.marker.evaluate(PYTHON_3_11)]
    return {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in chosen}


@pytest.fixture(scope="module")
def conda(root: Path) -> dict:
    """The conda environment as parsed."""
    return yaml.safe_load((root / "environment.yml").read_text())


def test_the_lock_satisfies_every_requirement(asked: dict[str, Requirement], locked: dict[str, str]) -> None:
    """Each direct dependency is in the lock, within its range."""
    outside = [
        f"{r} but {locked.get(name)}" for name, r in asked.items() if not r.specifier.contains(locked.get(name, "0"))
    ]
    assert outside == []


def test_every_version_of_the_lock_satisfies_its_range(asked: dict[str, Requirement], pins: list[Requirement]) -> None:
    """Versions meant for other Pythons are within the range as well."""
    direct = [pin for pin in pins if canonicalize_name(pin.name) in asked]
    versions = [(canonicalize_name(pin.name), str(pin.specifier).removeprefix("==")) for pin in direct]
    assert [pair for pair in versions if not asked[pair[0]].specifier.contains(pair[1])] == []


def test_every_entry_of_the_lock_is_one_version_with_hashes(entries: list[str]) -> None:
    """Each entry is `name==version`, perhaps a marker, and one or more sha256."""
    shape = re.compile(r"[a-z0-9-]+==[^\s;]+( ; [^-]+?)?(\s+--hash=sha256:[0-9a-f]{64})+")
    assert [entry[:60] for entry in entries if not shape.fullmatch(entry)] == []


def test_the_lock_names_no_registry(root: Path) -> None:
    """No address, index or folder of packages is in the requirements."""
    text = (root / "requirements.in").read_text() + (root / "requirements.lock").read_text()
    assert re.findall(r"\S*://\S*|--[a-z-]*(?:index|find-links|trusted-host)[a-z-]*|(?m:^-f\b.*)", text) == []


def test_conda_has_the_direct_dependencies_at_the_locked_versions(
    conda: dict, asked: dict[str, Requirement], locked: dict[str, str]
) -> None:
    """environment.yml lists requirements.in, no more and no less, pinned as the lock has them for Python 3.11."""
    *packages, pip, own = conda["dependencies"]
    stated = dict(re.fullmatch(r"(\S+) ==?(\S+)", line).groups() for line in [*packages, *own["pip"]])
    assert pip == "pip"
    assert stated.pop("python") == "3.11"
    assert stated == {name: locked[name] for name in asked}


def test_conda_reads_open_channels_only(conda: dict) -> None:
    """Packages come from conda-forge and bioconda, and the commercial defaults are shut out."""
    assert conda["channels"] == ["conda-forge", "bioconda", "nodefaults"]
