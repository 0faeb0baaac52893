"""The courses of programmes over time, in words."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from exoliver.contrasts import Contrast
from exoliver.figures.style import UNITS, Look, time_words
from exoliver.figures.words import number, plural, shortened
from exoliver.recovery_shift import OTHER_SHAPE
from exoliver.report.evidence import MOST_SETS, NONE_TESTED, asides, within
from exoliver.report.material import Material
from exoliver.report.naming import estimable, set_order, set_titles
from exoliver.tables import NO_HEALTHY
from exoliver.trajectories import NOT_AGAINST_INJURY

MOST_COURSES = 4  # courses that have a clause of their own
CAME_DOWN = "the treated came back to the untreated"
NO_COURSE = "no programme can be shown to change at any time"
CLASSES = {
    "none": "no evidence at any time",
    "early_transient": "early, less at the last time",
    "sustained": "sustained",
    "delayed": "delayed",
    "reversing": "raised at one time and lowered at another",
    "unclassified": "moved, course not clear",
    "single_time": "one time only",
}
END_STATES = {
    "control_recovered": "the controls recovered: the treated recovered sooner",
    "treated_relapsed": "the treated fell back",
    "both": "the controls recovered and the treated fell back",
    "effect_persists": "the effect persists",
    "open": "open whether the controls recovered or the treated fell back",
}


def course_rows(material: Material, contrast: Contrast) -> pd.DataFrame:
    """Trajectories of the programmes in one effect, the user's order of sets, with `title` and `side`.

    Parameters
    ----------
    contrast
        Any contrast of the effect.

    Returns
    -------
    Columns `tables.TRAJECTORIES`, `title`, and `side`: 1 where the programme is raised at its peak, -1 where lowered.
    """
    rows = material.programmes.trajectories
    rows = rows[rows["contrast"] == contrast.effect]
    entry = material.collections[0].entry
    effects = material.programmes.effects
    at_time = [one for one in estimable(material.contrasts) if one.effect == contrast.effect and one.form == "at_time"]
    names = {one.id: one.times[0] for one in at_time}
    own = effects[effects["contrast"].isin(names)]
    sizes = own.assign(peak=own["contrast"].map(names)).set_index(["programme", "peak"])["estimate"]
    pairs = zip(rows["programme"], rows["peak"], strict=True)
    side = [1 if sizes.get((name, peak), 0.0) > 0 else -1 for name, peak in pairs]
    place = rows["programme"].map(set_order(rows["programme"], entry))
    titled = rows.assign(title=rows["programme"].map(set_titles(rows["programme"], entry)), side=side, place=place)
    return titled.sort_values("place", kind="stable", ignore_index=True)


def course_words(row: pd.Series, look: Look) -> str:
    """The course of one programme: which way, when, and how it ended."""
    word = "raised" if row["side"] > 0 else "lowered"
    onset, peak = (time_words(row[name], look.unit) for name in ("onset", "peak"))
    told = {
        "sustained": f"{word} at {onset} and at the last time",
        "early_transient": f"{word} at {peak}, less and not shown at the last time",
        "delayed": f"{word} late, at {onset} and at the last time",
    }
    text = told.get(row["class"], CLASSES[row["class"]])
    end, notes = row["end_state"], str(row["note"]).split(";")
    if pd.isna(end) or end in ("", "effect_persists") or NO_HEALTHY in notes:
        return text
    is_against = NOT_AGAINST_INJURY not in notes
    return f"{text} ({END_STATES[end] if is_against or end == 'open' else CAME_DOWN})"


def shift_words(row: pd.Series, look: Look) -> str:
    """The time that a treatment gains, with its interval; empty where it is not known, or is no gain on the injury."""
    notes = set(str(row["note"]).split(";"))
    if pd.isna(row["recovery_shift"]) or row["class"] == "reversing" or notes & {NOT_AGAINST_INJURY, OTHER_SHAPE}:
        return ""
    low, high, unit = row["recovery_shift_low"], row["recovery_shift_high"], UNITS.get(str(look.unit), "")
    if pd.isna(low) and pd.isna(high):
        return ""
    if pd.isna(high):
        return f"at least {number(low)} {unit}"
    if pd.isna(low):
        return f"at most {number(high)} {unit}"
    return f"{number(row['recovery_shift'])} {unit} ({number(low)} to {number(high)})"


def told_courses(material: Material, contrast: Contrast) -> str:
    """The programmes of one effect by their course, in a sentence's clauses; empty without gene sets."""
    rows = course_rows(material, contrast)
    rows = rows[~rows["programme"].isin(asides(material.collections[0].entry))]
    if rows.empty:
        return ""
    if rows["pvalue"].isna().all():
        return NONE_TESTED
    moving = rows[rows["class"].notna() & ~rows["class"].isin(["none", "", "single_time"])]
    return _clauses(moving, material.look) or NO_COURSE


def _clauses(rows: pd.DataFrame, look: Look) -> str:
    """Programmes of the same course together, the commonest course first."""
    alike: dict[str, list[str]] = {}
    for _, row in rows.iterrows():
        alike.setdefault(course_words(row, look), []).append(within(row["title"]))
    courses = sorted(alike.items(), key=lambda course: -len(course[1]))
    parts = [f"{shortened(names, MOST_SETS)} {when}" for when, names in courses[:MOST_COURSES]]
    rest = sum(_lengths(courses[MOST_COURSES:]))
    parts += [f"{plural(rest, 'further programme')} in other ways"] if rest else []
    return "; ".join(parts)


def _lengths(courses: Iterable[tuple[str, list[str]]]) -> list[int]:
    """How many programmes each course has."""
    return [len(names) for _, names in courses]
