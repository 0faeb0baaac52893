"""Problems: three parts, printed so that a person can read them."""

import pytest

from exoliver.problems import Findings, Problem, StudyError, fault, format_problems, listed, nearest, shown, visible
from exoliver.problems import warning as a_warning


def test_a_problem_prints_its_three_parts() -> None:
    """Where stands on a line of its own, then what and fix."""
    problem = Problem("a.yaml: key", "is wrong", "write it right")
    assert str(problem) == "a.yaml: key\n    what: is wrong\n    fix:  write it right"
    assert problem.as_dict() == {"where": "a.yaml: key", "what": "is wrong", "fix": "write it right"}


def test_a_problem_keeps_to_its_lines() -> None:
    """Line breaks and escape sequences that a file holds are shown in letters."""
    text = str(Problem("a", "holds '\n2. forged\x1b[31m'", "mend"))
    assert text.count("\n") == 2
    assert r"\n2. forged\x1b[31m" in text


@pytest.mark.parametrize(("count", "first"), [(0, "0 problems"), (1, "1 problem"), (2, "2 problems")])
def test_the_first_line_counts_the_problems(count: int, first: str) -> None:
    """One is singular; each has its number."""
    lines = format_problems([Problem("a", "b", "c")] * count).splitlines()
    assert lines[0] == first
    assert [line[:2] for line in lines if line[0].isdigit()][1:] == [f"{number}." for number in range(1, count + 1)]


def test_warnings_are_counted_as_such() -> None:
    """The kind is named."""
    assert format_problems([Problem("a", "b", "c")], "warning").startswith("1 warning\n")


def test_an_error_carries_every_problem() -> None:
    """They are in its text and in its attribute."""
    problems = [Problem("a", "b", "c"), Problem("d", "e", "f")]
    error = StudyError(problems)
    assert error.problems == tuple(problems)
    assert str(error) == format_problems(problems)


@pytest.mark.parametrize(
    ("word", "known", "meant"),
    [
        ("covariats", ["covariates", "counts"], "covariates"), ("HALLMARK", ["hallmark"], "hallmark"),
        ("zzz", ["covariates"], None), ("", ["a"], None), ("a", [], None), ("Chow", ["chow", "CHOW2"], "chow"),
    ],
)  # fmt: skip
def test_the_nearest_word_is_close_or_none(word: str, known: list[str], meant: str | None) -> None:
    """Case does not count; a distant word is not proposed."""
    assert nearest(word, known) == meant


def test_a_long_list_is_cut_and_counted() -> None:
    """The number left out is named."""
    assert listed([]) == ""
    assert listed(range(8)) == "0, 1, 2, 3, 4, 5, 6, 7"
    assert listed(range(10), 8).endswith(", 7 and 2 more")


def test_what_the_user_wrote_is_shown_short() -> None:
    """Text in quotes, cut to sixty characters."""
    assert shown("a") == "'a'"
    assert shown(5) == "5"
    assert len(shown("x" * 100)) == 60


def test_visible_text_has_no_control_characters() -> None:
    """Letters of every script stay; what cannot be printed is spelt out."""
    assert visible("Leber µm 肝") == "Leber µm 肝"
    assert visible("a\tb\x00\u202e") == r"a\tb\x00\u202e"


def test_findings_add_up_in_order() -> None:
    """Problems, warnings and decisions are kept apart."""
    total = fault("a", "b", fix="c") + a_warning("d", "e", fix="f") + Findings(decisions=("g",)) + Findings()
    assert total == Findings((Problem("a", "b", "c"),), (Problem("d", "e", "f"),), ("g",))
