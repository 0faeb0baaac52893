"""Symbols that are not the present ones: unambiguous synonyms, and dates that a spreadsheet made of symbols.

Nothing changes case, and nothing is resolved where two rows could be one gene.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from typing import NamedTuple

import pandas as pd

from exoliver.identifier_kinds import SPREADSHEET_NUMBER, is_date, month_and_day


class Family(NamedTuple):
    """Genes whose former symbols a spreadsheet takes for dates: the former stem, the present one, and the numbers."""

    former: str
    present: str
    numbers: tuple[int, ...]


# HGNC renamed them in 2020 for this very reason (Bruford et al., Nat Genet 52:754). In March the first two days can be
# either family's.
FAMILIES = {
    3: (Family("MARCH", "MARCHF", tuple(range(1, 12))), Family("MARC", "MTARC", (1, 2))),
    9: (Family("SEPT", "SEPTIN", (*range(1, 13), 14)),),
    12: (Family("DEC", "DELEC", (1,)),),
}


def resolve_symbols(
    ids: pd.Series, known: Collection[str], *, synonyms: Mapping[str, str], has_repair: bool
) -> tuple[pd.Series, pd.Series]:
    """The symbol under which each id is looked up, and what was found out about it.

    Parameters
    ----------
    ids
        Symbols as given, without blanks around them.
    known
        Present symbols of the organism.
    synonyms
        Present symbol by synonym.
    has_repair
        Dates are turned back into symbols where one gene alone can be meant.

    Returns
    -------
    Symbols (the id itself where it leads nowhere, None for a date or number that stays one), and notes: empty,
    `synonym`, `synonym_of_present`, `synonym_shared`, `excel_date`, `excel_date_repaired`, `excel_number`.
    """
    given = set(ids)
    known = set(known)
    unknown = sorted(given - known)
    dates = [name for name in unknown if is_date(name)]
    goals = _goals(unknown, known, synonyms=synonyms)
    repaired = {name: goal for name in dates if has_repair and (goal := _symbol_of_date(name, known, synonyms))}
    reached = Counter([*goals.values(), *repaired.values()])
    free = {name: goal for name, goal in {**goals, **repaired}.items() if goal not in given and reached[goal] == 1}
    notes = {name: "synonym_of_present" if goal in given else "synonym_shared" for name, goal in goals.items()}
    notes |= dict.fromkeys(dates, "excel_date")
    notes |= dict.fromkeys((name for name in unknown if SPREADSHEET_NUMBER.fullmatch(name)), "excel_number")
    notes |= {name: "excel_date_repaired" if name in repaired else "synonym" for name in free}
    lost = {name: None for name, note in notes.items() if note in ("excel_date", "excel_number")}
    symbols = {name: name for name in given} | free | lost
    return ids.map(symbols).astype(object), ids.map(lambda name: notes.get(name, "")).astype(object)


def _goals(unknown: Collection[str], known: Collection[str], *, synonyms: Mapping[str, str]) -> dict[str, str]:
    """Present symbol by synonym; a name that differs from some present symbol in case alone is none."""
    in_any_case = {name.casefold() for name in known}
    goals = {name: synonyms[name] for name in unknown if name in synonyms and name.casefold() not in in_any_case}
    return {name: goal for name, goal in goals.items() if goal in known and not is_date(name)}


def _symbol_of_date(name: str, known: Collection[str], synonyms: Mapping[str, str]) -> str | None:
    """The one present symbol that a spreadsheet can have made this date from; None where there is none, or a rival."""
    found = month_and_day(name)
    families = [family for family in FAMILIES.get(found[0], ()) if found[1] in family.numbers] if found else []
    if found is None or len(families) != 1:
        return None
    stems = (families[0].former, families[0].present)
    names = [style(f"{stem}{found[1]}") for stem in stems for style in (str.upper, str.capitalize)]
    present = {name for name in names if name in known}
    rivals = {synonyms[name] for name in names if name in synonyms} - present
    return present.pop() if len(present) == 1 and not rivals else None
