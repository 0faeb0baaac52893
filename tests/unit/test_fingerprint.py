"""The digest of a rule's code: comments do not count, functions do, and only those that the rule reaches."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from exoliver import fingerprint

DESIGN, PANEL, SCRIPT = "exoliver/design.py", "exoliver/panel.py", "workflow/scripts/fit_model.py"


def clear() -> None:
    """Forget what was read, as a new process does."""
    for function in (fingerprint.code_of, fingerprint._imports, fingerprint._parsed, fingerprint._version):
        function.cache_clear()


@pytest.fixture
def copy(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the code, which the digests are taken of."""
    for folder in ("exoliver", "workflow/scripts"):
        shutil.copytree(root / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(fingerprint, "ROOT", tmp_path)
    clear()
    yield tmp_path
    clear()


def changes(copy: Path, file: str, edit: Callable[[str], str], rule: str = "fit_model") -> bool:
    """Whether an edit of a file changes the digest of a rule."""
    before = fingerprint.code_of(rule)
    path = copy / file
    path.write_text(edit(path.read_text(encoding="utf-8")), encoding="utf-8")
    clear()
    return fingerprint.code_of(rule) != before


def test_a_digest_is_short_and_the_same_again(copy: Path) -> None:
    """Sixteen hexadecimal digits."""
    first = fingerprint.code_of("fit_model")
    clear()
    assert fingerprint.code_of("fit_model") == first
    assert len(first) == 16
    assert int(first, 16) >= 0


def test_rules_have_digests_of_their_own(copy: Path) -> None:
    """What they reach differs."""
    assert fingerprint.code_of("fit_model") != fingerprint.code_of("import_counts")


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: text + "\n# a remark\n",
        lambda text: text.replace('"""The design matrix', '"""Another word of the design matrix', 1),
        lambda text: text.replace('"""Samples minus columns."""', '"""Something else."""', 1),
        lambda text: text.replace("MIN_RESIDUAL = 1", "MIN_RESIDUAL = (\n    1\n)", 1),
    ],
    ids=["comment", "docstring of the module", "docstring of a function", "layout"],
)
def test_words_do_not_count(edit: Callable[[str], str], copy: Path) -> None:
    """Comments, docstrings and layout leave the digest as it is."""
    text = (copy / DESIGN).read_text(encoding="utf-8")
    assert edit(text) != text
    assert not changes(copy, DESIGN, edit)


def test_changed_code_changes_the_digest(copy: Path) -> None:
    """A changed constant or function of a module that the script reaches, however far, changes the digest."""
    assert changes(copy, DESIGN, lambda text: text + "\nLIMIT = 2\n")
    assert changes(copy, "exoliver/contrasts.py", lambda text: text.replace("1e-12", "1e-11", 1))


def test_a_text_that_is_no_docstring_counts(copy: Path) -> None:
    """Words that the code uses are code."""
    assert changes(copy, DESIGN, lambda text: text + '\nWORD = "a"\n')
    assert changes(copy, DESIGN, lambda text: text.replace('WORD = "a"', 'WORD = "b"'))


def test_code_that_the_rule_does_not_reach_does_not_count(copy: Path) -> None:
    """Another stage's module."""
    assert not changes(copy, PANEL, lambda text: text + "\nLIMIT = 2\n")


@pytest.mark.parametrize(
    "file",
    [
        "problems.py",
        "running.py",
        "loading.py",
        "explain.py",
        "strict_yaml.py",
        "study/dataset.py",
        "study/__init__.py",
    ],
)
def test_what_reaches_the_rules_in_params_does_not_count(file: str, copy: Path) -> None:
    """A new key of the configuration must not refit models."""
    assert not changes(copy, f"exoliver/{file}", lambda text: text + "\nNEW_KEY = 2\n")


@pytest.mark.parametrize("rule", ["estimate_contrasts", "report_dataset"])
def test_the_roles_that_stages_decide_by_count(rule: str, copy: Path) -> None:
    """They are in no params: with another role among the treated ones contrasts are others."""
    assert changes(copy, "exoliver/roles.py", lambda text: text.replace('"treated", ', ""), rule=rule)


def test_the_version_of_a_library_counts(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fit is another one with another release of what it is made with."""
    before = fingerprint.code_of("fit_model")
    version = fingerprint.metadata.version
    monkeypatch.setattr(fingerprint.metadata, "version", lambda name: "9.9" if name == "pydeseq2" else version(name))
    clear()
    assert fingerprint.code_of("fit_model") != before


def test_templates_and_assets_count_for_reports_alone(copy: Path) -> None:
    """A word in a template makes the pages again and nothing else."""
    template = next((copy / "exoliver/report/templates").rglob("*.j2")).relative_to(copy).as_posix()
    assert not changes(copy, template, lambda text: text + " ")
    assert changes(copy, template, lambda text: text + " ", rule="report_dataset")


def test_every_script_has_a_digest(root: Path) -> None:
    """Each module that a script imports is there."""
    clear()
    scripts = [path.stem for path in (root / "workflow" / "scripts").glob("*.py")]
    digests = {name: fingerprint.code_of(name) for name in scripts}
    assert len(set(digests.values())) > len(digests) // 2
