"""What every script runs within: its output in the rule's log, one BLAS thread, and problems without a traceback."""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from exoliver.problems import StudyError

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


@contextlib.contextmanager
def logged(path: str) -> Iterator[None]:
    """Send what is printed and warned to a log file; report problems on the terminal too, with exit status 1.

    Linear algebra runs on one thread, since the number of threads changes the last digits of a sum.

    Parameters
    ----------
    path
        The rule's log file.

    Raises
    ------
    RuntimeError
        The package that runs is not the one beside the workflow.
    """
    from threadpoolctl import threadpool_limits

    _refuse_other_copy()
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))
    terminal = sys.stderr
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with (
        Path(path).open("w", encoding="utf-8", buffering=1) as log,
        contextlib.redirect_stdout(log),
        contextlib.redirect_stderr(log),
        threadpool_limits(1),
        contextlib.ExitStack() as stack,
    ):
        stack.push(_log_traceback)
        warnings.simplefilter("default")
        try:
            yield
        except StudyError as error:
            print(error, file=log)
            print(error, file=terminal)
            sys.exit(1)


def _log_traceback(kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> bool:
    """Leave the traceback of what goes wrong in the log too; the error goes on to Snakemake."""
    if kind is not None and kind is not SystemExit:
        traceback.print_exception(error)
    return False


def _refuse_other_copy() -> None:
    """An installed copy of the package would win over the one that the rules were written for."""
    here = Path(__file__).resolve().parents[1]
    if not (here / "Snakefile").is_file():
        raise RuntimeError(f"exoliver runs from {here}, which is not a clone; uninstall that copy")
