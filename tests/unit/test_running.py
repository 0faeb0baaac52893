"""What scripts run within: output in the log, one thread, problems without a traceback, no other copy."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy  # noqa: F401  (its thread pool is looked at)
import pytest
from threadpoolctl import threadpool_info

from exoliver import running
from exoliver.problems import Problem, StudyError
from exoliver.running import THREAD_VARIABLES, logged


@pytest.fixture(autouse=True)
def _restored(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Environment and warning filters as they were."""
    for variable in THREAD_VARIABLES:
        monkeypatch.setenv(variable, "7")
    with warnings.catch_warnings():
        yield


def test_what_is_printed_goes_to_the_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In order, UTF-8, nothing on the terminal; folders are made; afterwards output is back."""
    log = tmp_path / "logs" / "rule" / "x.log"
    with logged(str(log)):
        print("first Ω")
        print("second", file=sys.stderr)
    text = log.read_text(encoding="utf-8")
    assert text == "first Ω\nsecond\n"
    assert capsys.readouterr() == ("", "")
    print("after")
    assert capsys.readouterr().out == "after\n"


def test_warnings_go_to_the_log(tmp_path: Path, root: Path) -> None:
    """Each of them, whatever the filters say; in a process of its own, since pytest gathers warnings itself."""
    code = (
        "import sys, warnings; from exoliver.running import logged\n"
        "with logged(sys.argv[1]): warnings.warn('mind this', DeprecationWarning, stacklevel=1)"
    )
    command = [sys.executable, "-W", "ignore", "-c", code, str(tmp_path / "x.log")]
    run = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert run.stdout == run.stderr == ""
    assert "DeprecationWarning: mind this" in (tmp_path / "x.log").read_text()


def test_problems_end_with_status_one_and_without_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where, what and fix, on the terminal and in the log."""
    problem = Problem("toy.yaml: arms", "there are none", "write some")
    with pytest.raises(SystemExit) as stopped, logged(str(tmp_path / "x.log")):
        raise StudyError([problem])
    assert stopped.value.code == 1
    for text in (capsys.readouterr().err, (tmp_path / "x.log").read_text()):
        assert all(part in text for part in ("toy.yaml: arms", "there are none", "write some"))
        assert "Traceback" not in text


def test_other_errors_go_on_and_leave_their_traceback_in_the_log(tmp_path: Path) -> None:
    """A fault of ours is not hidden."""
    with pytest.raises(ZeroDivisionError), logged(str(tmp_path / "x.log")):
        print(1 / 0)
    text = (tmp_path / "x.log").read_text()
    assert "Traceback" in text
    assert "ZeroDivisionError" in text


def test_linear_algebra_runs_on_one_thread(tmp_path: Path) -> None:
    """In this process and in those it starts."""
    with logged(str(tmp_path / "x.log")):
        pools = [pool["num_threads"] for pool in threadpool_info()]
        variables = [os.environ[variable] for variable in THREAD_VARIABLES]
    assert pools
    assert set(pools) == {1}
    assert set(variables) == {"1"}


def test_a_copy_that_is_not_a_clone_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed package would run in place of the one that the rules were written for."""
    monkeypatch.setattr(running, "__file__", str(tmp_path / "site-packages" / "exoliver" / "running.py"))
    with pytest.raises(RuntimeError, match="not a clone"), logged(str(tmp_path / "x.log")):
        pass
    assert not (tmp_path / "x.log").exists()
