"""How figures look: one colour for each arm, one scale for effects, system fonts, and the words that all share."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import pandas as pd

# Okabe, Ito (2008), "Color Universal Design": told apart with any kind of colour vision.
BLUISH_GREEN, VERMILLION, BLUE = "#009e73", "#d55e00", "#0072b2"
REDDISH_PURPLE, SKY_BLUE, ORANGE = "#cc79a7", "#56b4e9", "#e69f00"
GREY, BROWN = "#7d868f", "#8f5a2b"
TREATED_COLOURS = (BLUE, REDDISH_PURPLE, SKY_BLUE, ORANGE, BROWN)
ROLE_COLOURS = {"healthy": BLUISH_GREEN, "injured": VERMILLION, "reference": GREY}
# Where an arm is drawn, never how it is judged: further arms of one role take the next free colour.
LOWER, MIDDLE, HIGHER = "#2c7bb6", "#f7f6f2", "#e08214"
# Colours of tiles come in a few steps, used for nothing else: the page's stylesheet has a dark partner of each, so that
# in both themes what is near nothing is near the ground of the page. Their numbers are written in CELL_INK.
TILES = (
    "#5b9fd0", "#8dbcdf", "#b8d5ea", "#dbe8f0", MIDDLE, "#f9e6cd", "#f5cf9f", "#efb470", "#e69a42",
)  # fmt: skip
SHARE_TILES = (MIDDLE, "#d9e9f2", "#b9dcf0", "#98cfed", "#77c2eb")
SEQUENTIAL = ("#f3f6f8", "#9fc3d8", "#2c6d96", "#0b2f4a")
SHAPES = ("circle", "triangle-up", "square", "diamond", "cross", "triangle-down", "triangle-right", "triangle-left")

# Ink of the figures. The page's stylesheet finds these colours by name and changes them for a dark page, so that each
# is used for nothing else; text in coloured cells has ink of its own.
INK, MUTED, LINE, GRID, CELL_INK, CELL_EDGE = "#1b2127", "#59636e", "#b9c0c7", "#e8ebee", "#10151a", "#fdfdfc"
POINT = "#8b949d"
FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
CONFIG: dict[str, Any] = {
    "aria": True,
    "mark": {"aria": False},  # a mark that sets it, and encodes a description, shows that under the pointer
    "background": "transparent",
    "font": FONT,
    "padding": 4,
    "view": {"stroke": None, "continuousWidth": 320, "continuousHeight": 240},
    "title": {
        "anchor": "start", "frame": "group", "fontSize": 14, "fontWeight": 600, "color": INK, "offset": 12,
        "subtitleColor": MUTED, "subtitleFontSize": 12, "subtitlePadding": 4,
    },
    "axis": {
        "labelColor": MUTED, "titleColor": INK, "labelFontSize": 11, "titleFontSize": 12, "titleFontWeight": "normal",
        "gridColor": GRID, "domainColor": LINE, "tickColor": LINE, "tickSize": 4, "labelLimit": 260, "titlePadding": 8,
    },
    "axisBand": {"domain": False, "ticks": False},
    "header": {
        "labelColor": INK, "titleColor": INK, "labelFontSize": 12, "labelFontWeight": 600, "labelAnchor": "start",
        "labelLimit": 320,
    },
    "legend": {
        "labelColor": INK, "titleColor": MUTED, "labelFontSize": 11, "titleFontSize": 11, "titleFontWeight": "normal",
        "labelLimit": 240, "symbolStrokeWidth": 2,
    },
}  # fmt: skip
# Vega expression for the labels of an axis of counts: thousands are set apart as in `words.count`.
PLAIN = "replace(format(datum.value, ',~r'), /,/g, '\u202f')"
UNITS = {"min": "min", "h": "h", "day": "days", "week": "weeks", "month": "months"}
SINCE = {
    "injury": "since injury",
    "first_dose": "since first dose",
    "last_dose": "since last dose",
    "diet_start": "since the diet began",
}


@dataclass(frozen=True)
class Look:
    """What all figures of a dataset share.

    Parameters
    ----------
    labels
        Label of each arm, in the order of the YAML.
    colours
        Colour of each arm.
    unit, since
        Unit of the times and what they count from; None without times.
    simulated
        The data are simulated: title and file name of every figure say so.
    """

    labels: Mapping[str, str]
    colours: Mapping[str, str]
    unit: str | None = None
    since: str | None = None
    simulated: bool = False

    def title(self, text: str, subtitle: str = "", *, width: int = 62) -> alt.TitleParams:
        """A title in lines, with what must be seen above every simulated figure, and what else stands below it."""
        lines = textwrap.wrap(text, width) or [""]
        below = [*(["simulated data"] if self.simulated else []), *textwrap.wrap(subtitle, width)]
        return alt.TitleParams(lines, subtitle=below) if below else alt.TitleParams(lines)

    def time_title(self) -> str:
        """Title of an axis of times."""
        return f"Time {SINCE.get(self.since or '', '')}".strip() + (f" ({UNITS[self.unit]})" if self.unit else "")

    def arm_colour(self, *, title: str | None = "Arm", **options: Any) -> alt.Color:
        """Colour by the column `arm_label`, with its legend."""
        domain = list(self.labels.values())
        scale = alt.Scale(domain=domain, range=[self.colours[arm] for arm in self.labels])
        return alt.Color("arm_label:N", scale=scale, title=title, **options)


def make_look(arms: Mapping[str, Mapping[str, Any]], time: Mapping[str, Any] | None, *, simulated: bool) -> Look:
    """The look of a dataset.

    Parameters
    ----------
    arms
        Plain values of each arm, in the order of the YAML, with `role` and `label`.
    time
        Plain values of the time, or None.
    simulated
        The data are simulated.
    """
    return Look(
        labels=unique_labels(arms),
        colours=arm_colours({name: arm["role"] for name, arm in arms.items()}),
        unit=time["unit"] if time else None,
        since=time["since"] if time else None,
        simulated=simulated,
    )


def unique_labels(arms: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Label of each arm; of arms that share one, each has its name added."""
    labels = {name: arm.get("label") or name.replace("_", " ") for name, arm in arms.items()}
    given = list(labels.values())
    return {name: label if given.count(label) == 1 else f"{label} ({name})" for name, label in labels.items()}


def arm_colours(roles: Mapping[str, str]) -> dict[str, str]:
    """A colour for each arm by its role: the first of a role its own, every other the next that is free."""
    colours: dict[str, str] = {}
    free = list(TREATED_COLOURS)
    for name, role in roles.items():
        own = ROLE_COLOURS.get(role)
        if own is not None and own not in colours.values():
            colours[name] = own
            continue
        colours[name] = free.pop(0) if free else GREY
    return colours


class Rows(alt.InlineData):
    """Data of a chart that are never changed: altair copies a chart at every step, and its data need no copy.

    Nor are they checked against the schema row by row, which takes as long as drawing them.
    """

    _class_is_valid_at_instantiation = False

    def __deepcopy__(self, _: Any) -> Rows:
        return self


def inline(table: pd.DataFrame) -> Rows:
    """Rows of a table as plain values within the chart; missing ones are null."""
    plain = table.astype(object).where(table.notna(), None)
    return Rows(values=plain.to_dict("records"))


def time_words(time: float | None, unit: str | None) -> str:
    """A time as it is read: `6 h`, `day 7`; empty where there is none."""
    if time is None or pd.isna(time) or unit is None:
        return ""
    return f"{time:g} {unit}".replace("-", "−") if unit in ("min", "h") else f"{unit} {time:g}".replace("-", "−")


def fold_labels() -> str:
    """Vega expression for the labels of a log2 axis: the log2 number, and below it the fold."""
    fold = (
        "datum.value == 0 ? 'same' : datum.value > 0 ? '×' + format(pow(2, datum.value), '.2~r') "
        ": '÷' + format(pow(2, -datum.value), '.2~r')"
    )
    return f"[format(datum.value, '~g'), {fold}]"


def ordered(values: Sequence[str]) -> list[str]:
    """Values in the order of their first appearance, each once."""
    return list(dict.fromkeys(values))


def spread_points(groups: pd.Series, width: float) -> list[float]:
    """Offsets that set points of one group beside each other; the same on every run.

    Parameters
    ----------
    groups
        Group of each point, in the order of the table.
    width
        Largest distance from the middle.
    """
    position, size = groups.groupby(groups).cumcount(), groups.map(groups.value_counts())
    return [0.0 if n < 2 else width * (2 * i / (n - 1) - 1) for i, n in zip(position, size, strict=True)]


def thin_points(table: pd.DataFrame, x: str, *, y: str, cells: tuple[int, int]) -> pd.DataFrame:
    """One point for each cell of a grid over a scatter plot, so that a crowd is drawn once.

    Parameters
    ----------
    table
        One row per point, the ones to be kept first.
    x, y
        Columns of numbers, without missing values.
    cells
        Cells along x and along y.

    Returns
    -------
    The first row of each cell, in the order given.
    """
    if table.empty:
        return table
    place = {}
    for column, count in zip((x, y), cells, strict=True):
        low, high = table[column].min(), table[column].max()
        scaled = (table[column] - low) / ((high - low) or 1.0)
        place[column] = (scaled * (count - 1)).round().astype(int)
    return table[~pd.DataFrame(place).duplicated()]
