"""Effects on programmes as tiles: what they mean in colour, how sure in size, which way in a sign and a triangle.

Green and purple speak of benefit and harm, which few programmes have; every other effect is grey.
"""

from __future__ import annotations

import json
import math
import textwrap
from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from exoliver.figures.figure import arranged
from exoliver.figures.style import CELL_EDGE, CELL_INK, INK, MIDDLE, MUTED, inline, ordered
from exoliver.figures.words import fold, joined, number, p_words

# The ends of ColorBrewer's PRGn, light enough for dark numbers; told apart with any kind of colour vision, and no
# colour of an arm or of a direction.
COLOURS = {"benefit": "#7fbf7b", "harm": "#af8dc3", "neutral": "#a7aeb4"}
STRENGTHS = 4  # steps from no effect to the deepest colour: the stylesheet has a dark partner of each
TESTED, NOT_MEASURED, NOT_TESTABLE = STATES = ("tested", "not measured", "not testable")
SIZES = {"sure": 1.0, "perhaps": 0.62, "open": 0.0}  # share of a tile's sides that is coloured
CAUTION = 0.05  # uncorrected p-value below which a tile has any colour
STEP, HEIGHT = 46, 18  # pixels of a column and of a row
LETTER, MIN_LETTERS = 5.6, 16  # pixels of a letter above the columns, and the shortest line
LEAST_LIMIT = 0.5  # log2 at which colours are deepest, where no effect is larger
LEGEND_WIDTH, LEGEND_ROW = 330, 17  # pixels
LEGEND_LETTER, LEGEND_MARK, LEGEND_GAP = 5.4, 22, 12  # pixels of a letter, of a sample, and between two entries
POINTERS = {"raised": "triangle-up", "lowered": "triangle-down"}  # of tiles with evidence
POINTER_SIZE, POINTER_AT = 24, -18  # pixels of area, and from the middle of a tile
STROKE = "M-1,1L1,-1"  # of tiles that were not measured


def drawn_tiles(table: pd.DataFrame, *, fdr: float) -> pd.DataFrame:
    """Tiles with what is drawn of each.

    Parameters
    ----------
    table
        One row per programme and column, in the order to be drawn: theme, title, meaning (`benefit`, `harm`,
        `neutral`), value (log2), pvalue, padj, state (of `STATES`).
    fdr
        Effects below it are sure.

    Returns
    -------
    The table with `row` (place from the top), `shown` (signed number), `size` (of `SIZES`) and `colour`.
    """
    places = {key: place for place, key in enumerate(row_keys(table["theme"], table["title"]))}
    limit = colour_limit(table["value"])
    is_sure, is_near = (table["padj"] < fdr).fillna(False), (table["pvalue"] < CAUTION).fillna(False)
    pairs = zip(table["meaning"], table["value"], strict=True)
    return table.assign(
        row=[places[key] for key in zip(table["theme"], table["title"], strict=True)],
        shown=[signed(value) for value in table["value"]],
        size=["sure" if sure else "perhaps" if near else "open" for sure, near in zip(is_sure, is_near, strict=True)],
        colour=[blended(COLOURS[meaning], 0 if pd.isna(value) else abs(value) / limit) for meaning, value in pairs],
    )


def row_keys(headings: pd.Series, names: pd.Series) -> list[tuple[str, str]]:
    """Heading and name of every row from the top, each pair once; a heading stands above its rows, without a name."""
    keys: list[tuple[str, str]] = []
    pairs = list(dict.fromkeys(zip(headings, names, strict=True)))
    for heading in ordered([heading for heading, _ in pairs]):
        keys += [(heading, "")] if heading else []
        keys += [pair for pair in pairs if pair[0] == heading]
    return keys


def colour_limit(values: pd.Series) -> float:
    """The log2 effect at which colours are deepest."""
    return max(LEAST_LIMIT, float(values.abs().max()) if values.notna().any() else 0.0)


def signed(value: float) -> str:
    """An effect with its sign, at most two decimals; empty where there is none."""
    if pd.isna(value):
        return ""
    text = number(value, most=2)
    return f"+{text}" if value > 0 and text.strip("0.") else text


def blended(colour: str, strength: float) -> str:
    """A colour between that of no effect and the deepest one, in few steps."""
    # Upwards: what is coloured at all is told from the ground.
    share = math.ceil(STRENGTHS * min(1.0, max(0.0, strength))) / STRENGTHS
    ends = [[int(text[place : place + 2], 16) for place in (1, 3, 5)] for text in (MIDDLE, colour)]
    return "#" + "".join(f"{round(low + share * (high - low)):02x}" for low, high in zip(*ends, strict=True))


def in_lines(tiles: pd.DataFrame, by: list[str], *, most: int, gap: int = 0) -> list[list[pd.DataFrame]]:
    """Groups of tiles beside each other, as many in a line as there is room for; further ones stand below.

    Parameters
    ----------
    tiles
        With `when`: each time of a group is a column.
    by
        What makes a group; groups stand in the order of their first tile.
    most
        Columns in a line.
    gap
        Columns that a group takes beyond its own.
    """
    lines: list[list[pd.DataFrame]] = []
    room = 0
    for _, own in tiles.groupby(by, sort=False):
        columns = own["when"].nunique() + gap
        if columns > room:
            lines, room = [*lines, []], most
        lines[-1].append(own)
        room -= columns
    return lines


def tile_panel(own: pd.DataFrame, tiles: pd.DataFrame, *, lines: Sequence[str], names: bool) -> Any:
    """The columns of one effect.

    Parameters
    ----------
    own
        Rows of `drawn_tiles` of this effect, with `when`.
    tiles
        All of them, which say the rows.
    lines
        Written above the columns.
    names
        The rows are named on its left.
    """
    keys, columns = row_keys(tiles["theme"], tiles["title"]), ordered(own["when"])
    x_axis = alt.Axis(orient="top", labelAngle=0, labelPadding=2)
    x = alt.X("when:N", sort=columns, title=None, axis=x_axis if any(columns) else None)
    scale = alt.Scale(domain=list(range(len(keys))))
    y = alt.Y("row:O", title=None, scale=scale, axis=row_axis(keys) if names else None)
    tested = own[own["value"].notna()]
    layers = [_layer(tested, x, y).mark_rect(fill=MIDDLE, stroke=CELL_EDGE)]
    for size, share in SIZES.items():
        rows = tested[tested["size"] == size]
        if share:
            band = alt.RelativeBandSize(band=share)
            marks = _layer(rows, x, y).mark_rect(width=band, height=band)
            layers.append(marks.encode(fill=alt.Fill("colour:N", scale=None)))
        text = _layer(rows, x, y).mark_text(fontSize=10, color=CELL_INK, fontWeight=700 if size == "sure" else 400)
        layers.append(text.encode(text="shown:N"))
    for way, shape in POINTERS.items():
        rows = tested[(tested["size"] != "open") & (tested["value"] > 0 if way == "raised" else tested["value"] < 0)]
        pointer = _layer(rows, x, y).mark_point(
            shape=shape, filled=True, opacity=1, color=CELL_INK, size=POINTER_SIZE, xOffset=POINTER_AT
        )
        layers.append(pointer)
    lost = own[own["state"] == NOT_MEASURED]
    layers.append(_layer(lost, x, y).mark_point(shape=STROKE, size=220, stroke=MUTED, strokeWidth=1, opacity=1))
    # Every column has its place, those without a number too.
    layers.append(_layer(own, x, y).mark_rect(opacity=0, fill=MIDDLE))
    title = alt.TitleParams(list(lines), fontSize=11, fontWeight="normal", anchor="start")
    return alt.layer(*layers).properties(width={"step": STEP}, height={"step": HEIGHT}, title=title)


def _layer(rows: pd.DataFrame, x: alt.X, y: alt.Y) -> alt.Chart:
    """Tiles of some rows."""
    return alt.Chart(inline(rows[["when", "row", "shown", "colour"]])).encode(x=x, y=y)


def row_axis(keys: Sequence[tuple[str, str]], limit: int = 200) -> alt.Axis:
    """Axis of rows that are numbered from the top, with their names; headings are in strong type.

    Parameters
    ----------
    keys
        Of `row_keys`. They become literals of JSON, which no text of a user leaves.
    limit
        Pixels of a name.
    """
    texts = json.dumps([title or theme for theme, title in keys])
    headings = json.dumps([place for place, (_, title) in enumerate(keys) if not title])
    is_heading = f"indexof({headings}, datum.value) >= 0"
    return alt.Axis(
        labelExpr=f"{texts}[datum.value]",
        labelLimit=limit,
        labelFontWeight={"condition": {"test": is_heading, "value": "bold"}, "value": "normal"},
        labelColor={"condition": {"test": is_heading, "value": INK}, "value": MUTED},
    )


def lines_above(words: Sequence[str], columns: int) -> list[str]:
    """Words above so many columns, each broken into lines."""
    letters = max(MIN_LETTERS, int(columns * STEP / LETTER))
    return [line for text in words if text for line in textwrap.wrap(text, letters)]


def with_legend(panels: Sequence[Any], tiles: pd.DataFrame, *, fdr: float) -> dict[str, Any]:
    """Lines of panels above what colours, sizes and marks mean.

    Parameters
    ----------
    panels
        Lists of panels of one line each.
    tiles
        All tiles that are drawn.
    fdr
        As in `drawn_tiles`.
    """
    lines = [arranged(line, "hconcat", spacing=10) for line in panels]
    entries = legend_entries(tiles, fdr=fdr)
    return arranged([*lines, *([_legend(entries)] if entries else [])], "vconcat", spacing=16)


def legend_entries(tiles: pd.DataFrame, *, fdr: float) -> list[list[tuple[str, str]]]:
    """What the legend says, each group on lines of its own; of things that some tile has.

    Parameters
    ----------
    tiles
        Of `drawn_tiles`.
    fdr
        As in `drawn_tiles`.

    Returns
    -------
    Pairs of a sample (a meaning, a size, a way, a state; empty where there is none) and its words.
    """
    tested = tiles[tiles["value"].notna()]
    seen = tested[tested["size"] != "open"]
    ways = {"raised": (seen["value"] > 0).any(), "lowered": (seen["value"] < 0).any()}
    limit = colour_limit(tiles["value"])
    meanings = {"benefit": "benefit", "harm": "harm", "neutral": "neither by itself"}
    sizes = {"sure": f"adjusted p < {fdr:g}", "perhaps": f"p < {CAUTION:g}, not adjusted", "open": "no evidence"}
    deepest = [("", f"deepest at log2 {number(limit)} ({fold(limit)}, {fold(-limit)})")] if len(seen) else []
    states = {NOT_MEASURED: NOT_MEASURED, NOT_TESTABLE: f"blank: {NOT_TESTABLE}"}
    groups = [
        [(key, text) for key, text in meanings.items() if (seen["meaning"] == key).any()],
        deepest,
        [(way, way) for way, is_there in ways.items() if is_there],
        [(key, text) for key, text in sizes.items() if (tested["size"] == key).any()],
        [("" if key == NOT_TESTABLE else key, text) for key, text in states.items() if (tiles["state"] == key).any()],
    ]
    return [group for group in groups if group]


def _legend(entries: Sequence[Sequence[tuple[str, str]]]) -> Any:
    """Samples of tiles with their meaning."""
    table = _placed_entries(entries)
    height = LEGEND_ROW * (int(table["line"].max()) + 1)
    places: dict[str, Any] = {"x": alt.X("x:Q", scale=None, axis=None), "y": alt.Y("y:Q", scale=None, axis=None)}

    def own(rows: pd.DataFrame) -> alt.Chart:
        return alt.Chart(inline(rows[["x", "y", "text", "colour"]])).encode(**places)

    swatches = table[table["sample"].isin([*COLOURS, *SIZES])]
    layers = [own(swatches).mark_rect(width=16, height=12, fill=MIDDLE, stroke=MUTED, strokeWidth=0.5)]
    for size, share in SIZES.items():
        rows = swatches[(swatches["sample"] == size) | ((size == "sure") & swatches["sample"].isin(list(COLOURS)))]
        mark = own(rows).mark_rect(width=16 * share, height=12 * share)
        layers += [mark.encode(fill=alt.Fill("colour:N", scale=None))] if share else []
    layers += [
        own(table[table["sample"] == way]).mark_point(shape=shape, size=30, filled=True, color=INK, opacity=1)
        for way, shape in POINTERS.items()
    ]
    lost = own(table[table["sample"] == NOT_MEASURED])
    layers.append(lost.mark_point(shape=STROKE, size=120, stroke=MUTED, opacity=1))
    words = table.assign(x=table["x"] + [14 if sample else -8 for sample in table["sample"]])
    layers.append(own(words).mark_text(align="left", fontSize=11, color=INK).encode(text="text:N"))
    return alt.layer(*layers).properties(width=LEGEND_WIDTH, height=height)


def _placed_entries(groups: Sequence[Sequence[tuple[str, str]]]) -> pd.DataFrame:
    """Entries of the legend from left to right, on another line where one is full; a group begins a line."""
    rows, line = [], -1
    for group in groups:
        line, left = line + 1, 0.0
        for sample, text in group:
            length = LEGEND_LETTER * len(text) + (LEGEND_MARK if sample else 0)
            if left and left + length > LEGEND_WIDTH:
                line, left = line + 1, 0.0
            y = (line + 0.5) * LEGEND_ROW
            colour = COLOURS.get(sample, COLOURS["neutral"])
            rows.append({"sample": sample, "text": text, "colour": colour, "x": left + 8, "y": y, "line": line})
            left += length + LEGEND_GAP
    return pd.DataFrame(rows)


def tile_words(table: pd.DataFrame, column: str) -> str:
    """The largest effect of each value of a column, with its evidence; how many tiles have none."""
    parts = []
    for name, rows in table.dropna(subset=["value"]).groupby(column, sort=False):
        row = rows.loc[rows["value"].abs().idxmax()]
        when = f" at {row['when']}" if row["when"] else ""
        parts.append(f"{name}: {row['title']}{when} ({signed(row['value'])}, {p_words(row['padj'], 'adjusted p')})")
    lost = {state: int((table["state"] == state).sum()) for state in (NOT_MEASURED, NOT_TESTABLE)}
    tail = joined(f"{number} {state}" for state, number in lost.items() if number)
    return f"Largest: {joined(parts) or 'none'}.{f' Tiles without a number: {tail}.' if tail else ''}"


def tile_data(table: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """The numbers of the tiles, under the names that readers know."""
    known = [*columns, "when", "theme", "title", "meaning", "value", "pvalue", "padj", "state"]
    return table[known].rename(columns={"title": "programme", "value": "log2"}).reset_index(drop=True)
