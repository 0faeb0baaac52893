"""Names beside the points of a scatter plot, none over another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product

import numpy as np
import pandas as pd

LETTER, LINE_HEIGHT = 6.2, 13.0  # pixels of a label of 11 pixels
SMALL_LETTER = 5.6  # of one of 10 pixels
MARGIN = 5.0  # pixels between a point and its name
LIFTS = (0.0, -9.0, 9.0, -17.0, 17.0)  # pixels by which a name beside its point may stand lower, the best first
FAR_LIFTS = (-11.0, 11.0, -16.0, 16.0, -22.0, 22.0, -28.0, 28.0, -34.0, 34.0)  # of names above and below their points
SHARES = (0.5, 0.35, 0.65, 0.2, 0.8)  # of such a name that is left of its point
PIECE = 6.0  # pixels of a line that count as one obstacle
Span = tuple[float, float]
Box = tuple[float, float, float, float]  # left, top, right, bottom, in pixels from the top left


def place_labels(points: pd.DataFrame, *, bounds: tuple[Span, Span], size: tuple[int, int]) -> pd.DataFrame:
    """Points whose names fit without covering each other, outwards of their points; the first ones come first.

    Parameters
    ----------
    points
        Columns name, x, y.
    bounds
        What the plot spans along x and along y.
    size
        Its width and height in pixels.

    Returns
    -------
    name, x, y, and `align` (left: the name begins at the point; right: it ends there).
    """
    taken: list[Box] = []
    kept = []
    middle = sum(bounds[0]) / 2
    for row in points.itertuples():
        across, down = to_pixels(row.x, row.y, bounds=bounds, size=size)
        length = LETTER * len(str(row.name)) + MARGIN
        to_right = (row.x > middle and across + length < size[0]) or across - length < 0
        left = across if to_right else across - length
        box = (left, down - LINE_HEIGHT / 2, left + length, down + LINE_HEIGHT / 2)
        if touches(box, taken):
            continue
        taken.append(box)
        kept.append({"name": row.name, "x": row.x, "y": row.y, "align": "left" if to_right else "right"})
    return pd.DataFrame(kept, columns=["name", "x", "y", "align"])


def place_free_labels(
    points: pd.DataFrame, *, bounds: tuple[Span, Span], size: tuple[int, int], obstacles: Sequence[Box]
) -> pd.DataFrame:
    """Points whose names fit within the plot without touching each other or anything else that is drawn.

    Parameters
    ----------
    points, bounds, size
        As in `place_labels`.
    obstacles
        What names keep clear of; the points themselves among them.

    Returns
    -------
    name, `align` as in `place_labels` (or center), and where the name is held: `across` and `down`, in pixels from the
    top left.
    """
    taken = list(obstacles)
    kept = []
    for row in points.itertuples():
        place = to_pixels(row.x, row.y, bounds=bounds, size=size)
        length = SMALL_LETTER * len(str(row.name))
        for align, across, down in _places(place, length):
            left = across - length * {"left": 0.0, "center": 0.5, "right": 1.0}[align]
            box = (left, down - LINE_HEIGHT / 2, left + length, down + LINE_HEIGHT / 2)
            if is_within(box, size) and not touches(box, taken):
                taken.append(box)
                kept.append({"name": row.name, "align": align, "across": across, "down": down})
                break
    return pd.DataFrame(kept, columns=["name", "align", "across", "down"])


def _places(point: tuple[float, float], length: float) -> list[tuple[str, float, float]]:
    """Where the name of a point may be held, the best place first: beside it, then above and below it."""
    across, down = point
    sides = (("left", across + MARGIN), ("right", across - MARGIN))
    beside = [(align, x, down + lift) for lift, (align, x) in product(LIFTS, sides)]
    return beside + [
        ("center", across + (0.5 - share) * length, down + lift) for lift, share in product(FAR_LIFTS, SHARES)
    ]


def to_pixels(x: float, y: float, *, bounds: tuple[Span, Span], size: tuple[int, int]) -> tuple[float, float]:
    """Pixels from the left and from the top of a place in the plot; `bounds` and `size` as in `place_labels`."""
    (left, right), (bottom, top) = bounds
    return (x - left) / (right - left) * size[0], (top - y) / (top - bottom) * size[1]


def line_boxes(start: tuple[float, float], end: tuple[float, float]) -> list[Box]:
    """Boxes along a straight line between two places in pixels, so small that they leave the corners beside it free."""
    pieces = max(1, int(np.hypot(end[0] - start[0], end[1] - start[1]) / PIECE))
    across, down = np.linspace(start[0], end[0], pieces + 1), np.linspace(start[1], end[1], pieces + 1)
    sides = (across[:-1], across[1:], down[:-1], down[1:])
    return [
        (float(min(a, b)), float(min(c, d)) - 0.5, float(max(a, b)), float(max(c, d)) + 0.5)
        for a, b, c, d in zip(*sides, strict=True)
    ]


def touches(box: Box, others: Iterable[Box]) -> bool:
    """A box has a place in common with one of the others."""
    return any(box[0] < b[2] and b[0] < box[2] and box[1] < b[3] and b[1] < box[3] for b in others)


def is_within(box: Box, size: tuple[int, int]) -> bool:
    """A box lies within a plot of so many pixels."""
    return box[0] >= 0 and box[1] >= 0 and box[2] <= size[0] and box[3] <= size[1]
