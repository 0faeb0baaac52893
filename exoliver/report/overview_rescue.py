"""Was the injury undone? Every dataset of a study beside the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from exoliver.figures.dataset_forest import rescue_forest
from exoliver.figures.style import time_words
from exoliver.figures.words import capital, count, estimate, joined, plural
from exoliver.report.elements import Column, Prose, Section, Table, counts, picture, texts
from exoliver.report.evidence import asides
from exoliver.report.naming import has_injury, treated_arms
from exoliver.report.overview_data import DatasetResults, study_look
from exoliver.report.undone import clear_rows, rescue_sides

TITLE = "Was the injury undone?"
COLUMNS = (
    "dataset", "link", "arm", "time", "row", "value", "ci_low", "ci_high", "clear", "back", "beyond", "amplified",
    "note",
)  # fmt: skip
NOTES = {
    "injury_weak": "injury weak: interval only",
    "injury_not_detected": "no injury of all genes detected",
    "at_each_time_only": "a slope is told at each time only",
}
MEANING = (
    "The share undone over all genes is a slope: 0 is nothing, 1 is all, below 0 is further from healthy. Beside it "
    "stand the programmes that the injury moves clearly, and how many of them go back, by the evidence of the "
    "treatment and the interval of the fraction restored. Both are of one dataset each and are not pooled; injuries "
    "differ in strength, so that shares of a weak injury have wide intervals."
)


def rescue_rows(datasets: Sequence[DatasetResults], fdr: float) -> pd.DataFrame:
    """Rescue of every treated arm at each time and over all of them, dataset by dataset.

    Parameters
    ----------
    datasets
        Of the study.
    fdr
        Level of evidence of an injury effect.

    Returns
    -------
    Columns `COLUMNS`: `value` with its interval is the slope over all genes; `clear`, `back`, `beyond` and `amplified`
    count programmes.
    """
    rows = [_row(dataset, arm, own, fdr) for dataset in datasets for arm, own in _groups(dataset) if len(own["rescue"])]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _groups(dataset: DatasetResults) -> list[tuple[str, dict[str, pd.DataFrame]]]:
    """Rows of rescue and slope of each arm and time, averages last."""
    known = dataset.rescue[dataset.rescue["injury_effect"].notna()]
    told = known[~known["programme"].isin(asides(dataset.entry))]
    groups = []
    for arm in dict.fromkeys(told["arm"]):
        own, slopes = told[told["arm"] == arm], dataset.slopes[dataset.slopes["arm"] == arm]
        times = [*sorted(own["time"].dropna().unique()), None]
        groups += [(str(arm), {"rescue": _at(own, time), "slopes": _at(slopes, time)}) for time in times]
    return groups


def _at(table: pd.DataFrame, time: float | None) -> pd.DataFrame:
    """Rows of one time, or those over all of them."""
    return table[table["time"].isna() if time is None else table["time"] == time]


def _row(dataset: DatasetResults, arm: str, own: Mapping[str, pd.DataFrame], fdr: float) -> dict[str, Any]:
    """One arm at one time."""
    time = own["rescue"]["time"].iloc[0]
    clear = clear_rows(own["rescue"], fdr)
    sides = {name: len(rows) for name, rows in rescue_sides(clear).items()}
    slope = own["slopes"].iloc[0] if len(own["slopes"]) else pd.Series(dtype=object)
    when = time_words(time, dataset.look.unit) if pd.notna(time) else "all times" if dataset.facts["time"] else ""
    label = dataset.look.labels[arm]
    reason = slope.get("note") if pd.notna(slope.get("note")) and slope.get("note") else slope.get("class")
    return {
        "dataset": dataset.title,
        "link": f"{dataset.page}#rescue",
        "arm": label,
        "time": when,
        "row": ", ".join(filter(None, [label, when])),
        **{name: slope.get(key) for name, key in (("value", "slope"), ("ci_low", "ci_low"), ("ci_high", "ci_high"))},
        "clear": len(clear),
        **{name: sides[name] for name in ("back", "beyond", "amplified")},
        "note": "" if pd.notna(slope.get("slope")) else NOTES.get(str(reason), ""),
    }


def rescue_section(datasets: Sequence[DatasetResults], settings: Mapping[str, Any]) -> Section:
    """Slopes with their intervals, and programmes that go back, of every dataset in which that can be asked."""
    rows = rescue_rows(datasets, settings["fdr"])
    if rows.empty:
        return Section("rescue", TITLE, f"Not testable: {_lacking(datasets)}.", "Not testable", ())
    blocks: list[Any] = [Prose((MEANING,))]
    drawn = rows.dropna(subset=["value"])
    if len(drawn):
        caption = (
            "Share of the injury that is undone over all genes, with 95 % intervals: dashed lines at nothing and at "
            "all; a filled point has an interval without 0. Injuries that are too weak for a share are in the table."
        )
        blocks.append(picture(rescue_forest(drawn, study_look(datasets)), caption, has_file=False))
    blocks.append(_table(rows))
    left_out = [dataset.title for dataset in datasets if dataset.title not in set(rows["dataset"])]
    reason = "Not asked, as healthy, injured and treated samples are not there at one time"
    blocks += [Prose((f"{reason}: {joined(left_out)}.",))] if left_out else []
    return Section("rescue", TITLE, _finding(rows), _short(rows), tuple(blocks))


def _overall(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows over all times."""
    return rows[rows["time"].isin(["all times", ""])]


def _finding(rows: pd.DataFrame) -> str:
    """How many clear injury effects go back in each dataset and arm."""
    parts = [
        f"{row.dataset}, {row.arm}: {count(row.back)} of {plural(row.clear, 'programme')} that the injury moves "
        f"clearly {'goes' if row.back == 1 else 'go'} back"
        for row in _overall(rows).itertuples()
    ]
    return f"{capital('; '.join(parts))}."


def _short(rows: pd.DataFrame) -> str:
    """How many datasets there are in which it can be asked."""
    return f"Asked in {plural(rows['dataset'].nunique(), 'dataset')}"


def _table(rows: pd.DataFrame) -> Table:
    """All numbers."""
    slopes = [estimate(row.value, row.ci_low, high=row.ci_high) for row in rows.itertuples()]
    weak = [_bounds(row) for row in rows.itertuples()]
    columns = (
        texts("Dataset", rows["dataset"], links=list(rows["link"])),
        texts("Treated arm", rows["arm"]),
        *([texts("Time", rows["time"])] if any(rows["time"]) else []),
        Column("Injury undone, all genes (95 % interval)", tuple(slopes), is_number=True),
        counts("Programmes with a clear injury", rows["clear"]),
        counts("Going back", rows["back"]),
        counts("Beyond healthy", rows["beyond"]),
        counts("Injury response amplified", rows["amplified"]),
        *([texts("Note", weak)] if any(weak) else []),
    )
    caption = (
        "Every treated arm at each time and over all times, in the order of the study; the name leads to its page."
    )
    return Table(caption, columns)


def _bounds(row: Any) -> str:
    """Why there is no slope, with the interval where there is one."""
    if not row.note or pd.isna(row.ci_low) or pd.isna(row.ci_high):
        return str(row.note)
    low, high = estimate(row.ci_low, None, high=None), estimate(row.ci_high, None, high=None)
    return f"{row.note}, {low} to {high}"


def _lacking(datasets: Sequence[DatasetResults]) -> str:
    """Why no dataset can say whether an injury is undone."""
    if not any(treated_arms(dataset.facts) for dataset in datasets):
        return "no dataset has a treated arm"
    if not any(has_injury(dataset.facts) for dataset in datasets):
        return "no dataset has an injured arm"
    return "no dataset has healthy, injured and treated samples at one time, and gene sets"
