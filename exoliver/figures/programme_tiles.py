"""Effects of a dataset on the programmes: grouped by meaning, coloured by benefit or harm where there is one."""

from __future__ import annotations

import pandas as pd

from exoliver.figures.effect_tiles import (
    drawn_tiles,
    in_lines,
    lines_above,
    tile_data,
    tile_panel,
    tile_words,
    with_legend,
)
from exoliver.figures.figure import Figure, finish
from exoliver.figures.style import Look

MOST_COLUMNS = 12  # in a line; the columns of further effects stand below


def programme_tiles(table: pd.DataFrame, look: Look, *, name: str, title: str, fdr: float) -> Figure:
    """Programmes in rows under headings, effects at each time in columns.

    Parameters
    ----------
    table
        As `effect_tiles.drawn_tiles` takes it, with `effect` and `when`.
    look
        The dataset's.
    name, title
        Of the figure.
    fdr
        Effects below it are sure.
    """
    tiles = drawn_tiles(table, fdr=fdr)
    lines = in_lines(tiles, ["effect"], most=MOST_COLUMNS)
    panels = [[_panel(own, tiles, is_first=place == 0) for place, own in enumerate(line)] for line in lines]
    return finish(
        with_legend(panels, tiles, fdr=fdr),
        look,
        name=name,
        title=title,
        alt_text=f"{title}, in log2. {tile_words(table, 'effect')}",
        data=tile_data(table, ["effect"]),
    )


def _panel(own: pd.DataFrame, tiles: pd.DataFrame, *, is_first: bool) -> object:
    """The columns of one effect, its two arms above them."""
    arm, _, base = str(own["effect"].iloc[0]).partition(" vs ")
    lines = lines_above([arm, f"vs {base}" if base else ""], own["when"].nunique())
    return tile_panel(own, tiles, lines=lines, names=is_first)
