"""Injury effect against treatment effect of every programme, with the line on which all of the injury is undone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
from scipy.special import ndtri, stdtrit

from exoliver.figures.figure import Figure, finish
from exoliver.figures.labels import (
    LINE_HEIGHT,
    SMALL_LETTER,
    Box,
    Span,
    is_within,
    line_boxes,
    place_free_labels,
    to_pixels,
    touches,
)
from exoliver.figures.style import GREY, INK, LINE, Look, inline
from exoliver.figures.words import number, plural

WIDTH, LOWEST, HIGHEST = 440, 260, 440  # pixels: the height follows the limits between two ends
NAMED = 10  # programmes that have their title beside their point
UPPER = 0.975  # quantile at the upper end of a 95 % interval
ROOM = 0.08  # share of the data's span that is left free on either side
OTHER_SIDE = 0.25  # share of an axis' longer half that the shorter one has at least: both lines are seen crossing
POINT_RADIUS = 4.5  # pixels
CLEAR, WEAK = "clear injury effect", "weak, or none"
ALL, NOTHING = "all undone", "nothing undone"
PLACES = (0.72, 0.6, 0.85, 0.5, 0.92, 0.4, 0.3)  # along a half of a line, where its words may stand
X, Y = "injury_effect", "treatment_effect"


@dataclass(frozen=True)
class _Plane:
    """What the plot spans in log2 and in pixels."""

    bounds: tuple[Span, Span]
    size: tuple[int, int]

    def pixels(self, x: float, y: float) -> tuple[float, float]:
        """A place in pixels."""
        return to_pixels(x, y, bounds=self.bounds, size=self.size)

    def x(self, column: str = X, title: str = "") -> alt.X:
        """The axis of the injury."""
        return alt.X(f"{column}:Q", title=title, scale=alt.Scale(domain=list(self.bounds[0]), nice=False))

    def y(self, column: str = Y, title: str = "") -> alt.Y:
        """The axis of the treatment."""
        return alt.Y(f"{column}:Q", title=title, scale=alt.Scale(domain=list(self.bounds[1]), nice=False))


def rescue_plane(table: pd.DataFrame, look: Look, *, arm: str) -> Figure:
    """One point for each programme.

    Parameters
    ----------
    table
        One row per programme: title, injury_effect, injury_se, treatment_effect, treatment_se, df (of the t-tests; the
        intervals are normal where it is missing), fraction_restored (NaN where the injury effect is weak), the
        clearest injury first.
    look
        The dataset's.
    arm
        The treated arm.
    """
    drawn = _with_intervals(table.dropna(subset=[X, Y]))
    clear = drawn[drawn["kind"] == CLEAR]
    plane = _plane(drawn, clear)
    across_title, up_title = "Injury effect, log2", f"{look.labels[arm]}: treatment effect, log2"
    x_axis, y_axis = plane.x(title=across_title), plane.y(title=up_title)
    colour = alt.Color(
        "kind:N",
        title=None,
        scale=alt.Scale(domain=[CLEAR, WEAK], range=[look.colours[arm], GREY]),
        legend=alt.Legend(orient="top"),
    )
    own = alt.Chart(inline(clear)).mark_rule(color=look.colours[arm], opacity=0.5)
    points = alt.Chart(inline(drawn)).mark_point(filled=True, size=42, opacity=0.9, aria=True)
    words = _line_words(plane, _obstacles(drawn, clear, plane))
    placed = _placed(drawn, clear, plane, words)
    chart = alt.layer(
        *_lines(plane),
        own.encode(x=plane.x("left", across_title), x2="right:Q", y=y_axis),
        own.encode(x=x_axis, y=plane.y("low", up_title), y2="high:Q"),
        points.encode(x=x_axis, y=y_axis, color=colour, description="title:N"),
        *_texts(words[0], placed),
    ).properties(width=plane.size[0], height=plane.size[1])
    columns = ["title", "injury_effect", "injury_se", "treatment_effect", "treatment_se", "fraction_restored"]
    return finish(
        chart,
        look,
        name=f"rescue__{arm}",
        title=f"Programmes: injury, and what {look.labels[arm]} does",
        alt_text=_words(drawn, clear),
        data=drawn[columns].rename(columns={"title": "programme"}),
    )


def _with_intervals(drawn: pd.DataFrame) -> pd.DataFrame:
    """The programmes with the ends of their 95 % intervals, and whether the injury moves them clearly."""
    df = drawn["df"].to_numpy(dtype=float, na_value=np.nan) if "df" in drawn else np.full(len(drawn), np.nan)
    times = np.where(np.isfinite(df), stdtrit(np.where(np.isfinite(df), df, 1.0), UPPER), ndtri(UPPER))
    return drawn.assign(
        kind=[CLEAR if known else WEAK for known in drawn["fraction_restored"].notna()],
        left=drawn[X] - times * drawn["injury_se"],
        right=drawn[X] + times * drawn["injury_se"],
        low=drawn[Y] - times * drawn["treatment_se"],
        high=drawn[Y] + times * drawn["treatment_se"],
    )


def _plane(drawn: pd.DataFrame, clear: pd.DataFrame) -> _Plane:
    """Limits that hold every point and every interval drawn; a log2 is as long up as across, where there is room."""
    spans = (
        _span(drawn[X], clear[["left", "right"]]),
        _span(drawn[Y], clear[["low", "high"]]),
    )
    across, up = (high - low for low, high in spans)
    return _Plane(spans, (WIDTH, int(min(HIGHEST, max(LOWEST, round(WIDTH * up / across))))))


def _span(points: pd.Series, ends: pd.DataFrame) -> Span:
    """Limits of an axis, with zero well within."""
    values = np.concatenate([[0.0], points.to_numpy(dtype=float), ends.to_numpy(dtype=float).ravel()])
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    if low == high:
        return -1.0, 1.0
    room = ROOM * (high - low)
    low, high = min(low, -OTHER_SIDE * high) - room, max(high, -OTHER_SIDE * low) + room
    return low, high


def _ends(plane: _Plane) -> list[tuple[float, float]]:
    """Where the line of full rescue enters and leaves the plot."""
    (left, right), (bottom, top) = plane.bounds
    return [(x, -x) for x in (max(left, -top), min(right, -bottom))]


def _lines(plane: _Plane) -> list[alt.Chart]:
    """The line of full rescue, and that of none."""
    full = pd.DataFrame(_ends(plane), columns=[X, Y])
    none = pd.DataFrame({X: list(plane.bounds[0]), Y: [0.0, 0.0]})
    return [
        alt.Chart(inline(none)).mark_line(color=LINE).encode(x=plane.x(), y=plane.y()),
        alt.Chart(inline(full)).mark_line(color=INK, strokeDash=[5, 4]).encode(x=plane.x(), y=plane.y()),
    ]


def _obstacles(drawn: pd.DataFrame, clear: pd.DataFrame, plane: _Plane) -> list[Box]:
    """Points, intervals and the two lines, in pixels."""
    start, end = (plane.pixels(*place) for place in _ends(plane))
    level = plane.pixels(0.0, 0.0)[1]
    boxes = [*line_boxes(start, end), (0.0, level - 1, float(plane.size[0]), level + 1)]
    for row in drawn.itertuples():
        across, down = plane.pixels(row.injury_effect, row.treatment_effect)
        radius = POINT_RADIUS
        boxes.append((across - radius, down - radius, across + radius, down + radius))
    for row in clear.itertuples():
        left, down = plane.pixels(row.left, row.treatment_effect)
        right, _ = plane.pixels(row.right, row.treatment_effect)
        across, low = plane.pixels(row.injury_effect, row.low)
        _, high = plane.pixels(row.injury_effect, row.high)
        boxes += [(left, down - 1, right, down + 1), (across - 1, high, across + 1, low)]
    return boxes


def _line_words(plane: _Plane, obstacles: list[Box]) -> tuple[pd.DataFrame, list[Box]]:
    """What the two lines mean, in pixels, where nothing else is drawn if there is such a place; and all boxes."""
    left, right = plane.bounds[0]
    diagonal = [plane.pixels(share * x, -share * x) for share in PLACES for x, _ in reversed(_ends(plane))]
    level = [plane.pixels(share * x, 0.0) for share in (0.97, *PLACES) for x in (left, right)]
    kept = []
    taken = list(obstacles)
    for text, places in ((ALL, diagonal), (NOTHING, level)):
        length = SMALL_LETTER * len(text)
        # Beside the dashed line, above it on the right or below it on the left; just above or below the level one.
        offsets = ((8.0, -10.0), (-length - 8.0, 10.0)) if text == ALL else ((-length / 2, -9.0), (-length / 2, 9.0))
        boxes = [_text_box(across + dx, down + dy, length) for across, down in places for dx, dy in offsets]
        boxes = [box for box in boxes if is_within(box, plane.size)] or [_text_box(0.0, LINE_HEIGHT, length)]
        box = next((box for box in boxes if not touches(box, taken)), boxes[0])
        taken.append(box)
        kept.append({"text": text, "across": box[0], "down": (box[1] + box[3]) / 2})
    return pd.DataFrame(kept), taken


def _text_box(left: float, middle: float, length: float) -> Box:
    """The box of a line of text."""
    return left, middle - LINE_HEIGHT / 2, left + length, middle + LINE_HEIGHT / 2


def _placed(
    drawn: pd.DataFrame, clear: pd.DataFrame, plane: _Plane, words: tuple[pd.DataFrame, list[Box]]
) -> pd.DataFrame:
    """The titles that have room, in pixels: those of clear injuries first."""
    order = pd.concat([clear, drawn[drawn["kind"] == WEAK]]).head(NAMED)
    points = order[["title", X, Y]].set_axis(["name", "x", "y"], axis=1)
    return place_free_labels(points, bounds=plane.bounds, size=plane.size, obstacles=words[1])


def _texts(words: pd.DataFrame, placed: pd.DataFrame) -> list[alt.Chart]:
    """The words of the lines, and titles on the sides of their points."""
    places: dict[str, Any] = {
        "x": alt.X("across:Q", scale=None, axis=None),
        "y": alt.Y("down:Q", scale=None, axis=None),
    }
    named = placed.rename(columns={"name": "text"})
    styles: list[tuple[pd.DataFrame, dict[str, Any]]] = [(words, {"align": "left", "fontStyle": "italic"})]
    styles += [(named[named["align"] == align], {"align": align}) for align in ("left", "center", "right")]
    return [
        alt.Chart(inline(rows[["text", "across", "down"]].round(2)))
        .mark_text(fontSize=10, baseline="middle", color=INK, **style)
        .encode(**places, text="text:N")
        for rows, style in styles
    ]


def _words(drawn: pd.DataFrame, clear: pd.DataFrame) -> str:
    """How many programmes the injury moves clearly, and how far the first of them is taken back."""
    text = f"{plural(len(drawn), 'programme')}, of which the injury moves {len(clear)} clearly."
    parts = [f"{row.title} {number(row.fraction_restored)}" for row in clear.head(NAMED).itertuples()]
    return f"{text} Fractions restored: {', '.join(parts)}." if parts else text
