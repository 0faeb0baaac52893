"""How many samples each arm has at each time."""

from __future__ import annotations

import altair as alt
import pandas as pd

from exoliver.figures.figure import Figure, finish
from exoliver.figures.style import INK, LINE, Look, inline, ordered, time_words
from exoliver.figures.words import joined

ALL_TIMES = "all times"


def design_grid(cells: pd.DataFrame, look: Look) -> Figure:
    """Arms x times with the number of samples in each.

    Parameters
    ----------
    cells
        One row per cell that has samples: arm, time (missing for an arm that serves all times), samples.
    look
        The dataset's.
    """
    table = _all_cells(cells, look)
    columns, rows = ordered(table["when"]), list(look.labels.values())
    x = alt.X("when:O", sort=columns, title=None, axis=alt.Axis(orient="top", labelAngle=0) if any(columns) else None)
    y = alt.Y("arm_label:N", sort=rows, title=None)
    base = alt.Chart(inline(table)).encode(x=x, y=y)
    tiles = base.mark_rect(stroke=LINE, fillOpacity=0.28, cornerRadius=2).encode(
        color=alt.condition("datum.samples > 0", look.arm_colour(legend=None), alt.value("transparent")),
        strokeDash=alt.condition("datum.samples > 0", alt.value([1, 0]), alt.value([3, 3])),
    )
    text = base.mark_text(color=INK, fontSize=13).encode(text="shown:N")
    chart = (tiles + text).properties(width={"step": 84}, height={"step": 34})
    return finish(
        chart,
        look,
        name="design_grid",
        title="Samples in each arm and time" if look.unit else "Samples in each arm",
        alt_text=_words(table),
        data=table[["arm_label", "when", "samples"]].rename(columns={"arm_label": "arm", "when": "time"}),
    )


def _all_cells(cells: pd.DataFrame, look: Look) -> pd.DataFrame:
    """Every combination of arm and time, cells without samples among them."""
    times = sorted(cells["time"].dropna().unique())
    counted = {(row.arm, None if pd.isna(row.time) else row.time): int(row.samples) for row in cells.itertuples()}
    has_baseline = any(time is None for _, time in counted)
    rows = []
    for arm, label in look.labels.items():
        serves_all = (arm, None) in counted
        for time in [*([None] if has_baseline else []), *times]:
            when = time_words(time, look.unit) or (ALL_TIMES if times else "")
            rows.append({"arm_label": label, "when": when, "samples": counted.get((arm, time), 0), "all": serves_all})
    table = pd.DataFrame(rows)
    shown = [f"n = {row.samples}" if row.samples else ("" if row.all else "none") for row in table.itertuples()]
    return table.assign(shown=shown)


def _words(table: pd.DataFrame) -> str:
    """Number of samples, arm by arm."""
    parts = []
    for arm, rows in table[table["samples"] > 0].groupby("arm_label", sort=False):
        per_time = [f"{row.samples} at {row.when}" if row.when else str(row.samples) for row in rows.itertuples()]
        parts.append(f"{arm}: {joined(per_time)}")
    return f"Grid of samples by arm and time. {'; '.join(parts)}."
