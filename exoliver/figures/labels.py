"""Names beside the points of a scatter plot, none over another."""

from __future__ import annotations

import pandas as pd

LETTER, LINE_HEIGHT = 6.2, 13.0  # pixels of a label of 11 pixels
Span = tuple[float, float]


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
    (left_end, right_end), (bottom, top) = bounds
    taken: list[tuple[float, float, float, float]] = []
    kept = []
    for row in points.itertuples():
        across = (row.x - left_end) / (right_end - left_end) * size[0]
        down = (top - row.y) / (top - bottom) * size[1]
        length = LETTER * len(str(row.name)) + 5
        to_right = (row.x > (left_end + right_end) / 2 and across + length < size[0]) or across - length < 0
        left = across if to_right else across - length
        box = (left, down - LINE_HEIGHT / 2, left + length, down + LINE_HEIGHT / 2)
        if any(box[0] < b[2] and b[0] < box[2] and box[1] < b[3] and b[1] < box[3] for b in taken):
            continue
        taken.append(box)
        kept.append({"name": row.name, "x": row.x, "y": row.y, "align": "left" if to_right else "right"})
    return pd.DataFrame(kept, columns=["name", "x", "y", "align"])
