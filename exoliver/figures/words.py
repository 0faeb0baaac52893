"""Numbers and lists as they are read, in figures and pages alike: two digits, no stars, and nothing shown as 0.000."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

NOTHING = "–"
MINUS = "−"
THIN_SPACE = "\N{NARROW NO-BREAK SPACE}"
NO_BREAK_SPACE, NO_BREAK_HYPHEN = "\N{NO-BREAK SPACE}", "\N{NON-BREAKING HYPHEN}"
FIGURE_SPACE, PUNCTUATION_SPACE = "\N{FIGURE SPACE}", "\N{PUNCTUATION SPACE}"
LARGE = 1e5  # from here on a number is written with its power of ten
NAMES = ("Kupffer", "Notch")  # of people and genes, which keep their capital within a sentence
SMALLEST = 1e-300  # below this a p-value is a limit of the arithmetic, not a number


def is_missing(value: Any) -> bool:
    """There is no value."""
    return value is None or bool(pd.isna(value))


def count(value: Any) -> str:
    """A whole number, thousands set apart."""
    return NOTHING if is_missing(value) else f"{int(value):,}".replace(",", THIN_SPACE).replace("-", MINUS)


def number(value: Any, digits: int = 2, *, most: int = 12) -> str:
    """A number with so many significant digits, and at most so many decimals: `0.043`, `1.2`, `120`."""
    if is_missing(value):
        return NOTHING
    return _fixed(float(value), min(most, decimals(float(value), digits)))


def amount(value: float) -> str:
    """A number that a user gave, as it was given: `0.25`, `100`, `1e6`."""
    if abs(value) < LARGE:
        return f"{value:.6g}".replace("-", MINUS)
    digits, _, power = f"{value:e}".partition("e")
    return f"{float(digits):g}e{int(power)}"


def decimals(value: float, digits: int = 2) -> int:
    """Decimals that show so many significant digits."""
    if value == 0 or not math.isfinite(value):
        return 0
    rounded = float(f"{value:.{digits - 1}e}")
    return max(0, digits - 1 - math.floor(math.log10(abs(rounded))))


def _fixed(value: float, places: int) -> str:
    """A number with so many decimals, without a negative zero."""
    if not math.isfinite(value):
        return "infinite" if value > 0 else f"{MINUS}infinite"
    text = f"{value:,.{places}f}"
    is_zero = not text.strip("-0.,")
    return (text.lstrip("-") if is_zero else text).replace(",", THIN_SPACE).replace("-", MINUS)


def pvalue(value: Any) -> str:
    """A p-value: `0.37`, `0.034`, `4e-7`; never 0.000."""
    if is_missing(value):
        return NOTHING
    value = float(value)
    if value < SMALLEST:
        return "< 1e-300"
    if value >= 0.995:
        return "1"
    if value >= 0.001:
        return number(value)
    return f"{value:.0e}".replace("e-0", "e-")


def p_words(value: Any, name: str = "p") -> str:
    """A p-value with its name, in one piece that no line breaks: `p = 0.03`."""
    text = pvalue(value)
    words = f"{name} {text}" if text.startswith("<") else f"{name} = {text}"
    return words.replace(" ", NO_BREAK_SPACE).replace("-", NO_BREAK_HYPHEN)


def estimate(value: Any, low: Any, *, high: Any) -> str:
    """An estimate with its interval: `0.45 (0.31 to 0.60)`."""
    if is_missing(value):
        return NOTHING
    if is_missing(low) or is_missing(high):
        return number(value)
    places = min(2, max(1, decimals(float(value))))
    shown, lower, upper = (_fixed(float(item), places) for item in (value, low, high))
    return f"{shown} ({lower} to {upper})"


def fold(value: Any) -> str:
    """A log2 fold change as a fold: `×1.4` up, `÷1.4` down."""
    if is_missing(value):
        return NOTHING
    value = float(value)
    return f"{'×' if value >= 0 else '÷'}{number(2 ** abs(value))}"


def beyond(threshold: float) -> str:
    """A log2 fold change that a test takes as none, as a fold: `×2 (log2 1)`."""
    return f"×{2**threshold:.3g} (log2 {threshold:g})"


def share(part: float, whole: float) -> str:
    """A share in per cent."""
    if not whole:
        return NOTHING
    percent = 100 * part / whole
    return "100 %" if part == whole else f"{number(percent, 2) if percent < 99.5 else '> 99'} %"


def joined(items: Iterable[Any], last: str = "and") -> str:
    """A list as it is read: `a, b and c`."""
    texts = [str(item) for item in items]
    return f" {last} ".join([", ".join(texts[:-1]), texts[-1]]) if len(texts) > 1 else "".join(texts)


def shortened(items: Sequence[Any], limit: int) -> str:
    """The first items of a list, and how many there are beyond them."""
    rest = len(items) - limit
    return f"{', '.join(map(str, items[:limit]))} and {count(rest)} more" if rest > 0 else joined(items)


def clauses(items: Sequence[str], most: int, *, of: str) -> str:
    """The first clauses of a sentence, and how many more there are: `a; b; and 2 further effects`."""
    rest = len(items) - most
    return "; ".join([*items[:most], *([f"and {plural(rest, f'further {of}')}"] if rest > 0 else [])])


def plural(amount: int, word: str, *, words: str = "") -> str:
    """A number with its word: `1 gene`, `2 genes`."""
    return f"{count(amount)} {word if amount == 1 else words or word + 's'}"


def intervals(table: pd.DataFrame) -> list[str]:
    """Estimates of a table with their intervals, as what a mark tells under the pointer."""
    rows = zip(table["estimate"], table["ci_low"], table["ci_high"], strict=True)
    return [estimate(value, low, high=high) for value, low, high in rows]


def capital(text: str) -> str:
    """A sentence with a capital letter at its start."""
    return text[:1].upper() + text[1:]


def lowered(title: str) -> str:
    """A title within a sentence; acronyms (`E2F targets`) and names (`Kupffer-cell markers`) stay as they are."""
    is_word = title[1:2].islower() and not title.startswith(NAMES)
    return title[:1].lower() + title[1:] if is_word else title


def aligned(numbers: Sequence[str]) -> list[str]:
    """Numbers of a column, filled up with blanks as wide as digits, so that their decimal points are aligned."""
    tails = [len(text.partition(".")[2]) if "." in text else -1 for text in numbers]
    longest = max(tails, default=-1)
    return [
        text + (PUNCTUATION_SPACE if tail < 0 < longest + 1 else "") + FIGURE_SPACE * (longest - max(tail, 0))
        if longest > 0
        else text
        for text, tail in zip(numbers, tails, strict=True)
    ]
