"""Problems of a study: where, what and what to do. Knows nothing of what is checked."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong, or that the reader should know.

    Parameters
    ----------
    where
        File and key, row or column.
    what
        What was found there.
    fix
        What the user can do about it.
    """

    where: str
    what: str
    fix: str

    def __str__(self) -> str:
        where, what, fix = map(visible, (self.where, self.what, self.fix))
        return f"{where}\n    what: {what}\n    fix:  {fix}"

    def as_dict(self) -> dict[str, str]:
        """The three parts, for JSON."""
        return asdict(self)


class StudyError(ValueError):
    """Raised once, with every problem that was found."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(format_problems(self.problems))


def format_problems(problems: Sequence[Problem], kind: str = "problem") -> str:
    """The numbered list that a user reads, with its count on the first line."""
    plural = "" if len(problems) == 1 else "s"
    lines = [f"{len(problems)} {kind}{plural}"]
    lines += [f"{number}. {problem}" for number, problem in enumerate(problems, start=1)]
    return "\n".join(lines)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that the user most likely meant, or None."""
    by_lower = {item.lower(): item for item in sorted(known)}
    hits = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[hits[0]] if hits else None


def listed(items: Iterable[object], limit: int = 8) -> str:
    """The items joined by commas, cut after `limit` with the number left out."""
    texts = [str(item) for item in items]
    rest = len(texts) - limit
    return ", ".join(texts[:limit]) + (f" and {rest} more" if rest > 0 else "")


def visible(text: str) -> str:
    """The text without line breaks and other control characters: a file must not steer the user's terminal."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def shown(value: object, limit: int = 60) -> str:
    """What the user wrote, in quotes where it is text, cut to a length that can be read."""
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 3] + "..."


@dataclass(frozen=True)
class Findings:
    """What a check found: faults, things the reader should know, and decisions that were taken, in words."""

    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    decisions: tuple[str, ...] = ()

    def __add__(self, other: Findings) -> Findings:
        return Findings(
            self.problems + other.problems, self.warnings + other.warnings, self.decisions + other.decisions
        )


def fault(where: str, what: str, *, fix: str) -> Findings:
    """Findings of one problem."""
    return Findings(problems=(Problem(where, what, fix),))


def warning(where: str, what: str, *, fix: str) -> Findings:
    """Findings of one warning."""
    return Findings(warnings=(Problem(where, what, fix),))
