"""Treatment effects on the programmes in every dataset and at every time of a study."""

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

MOST_COLUMNS = 14  # in a line; further datasets stand below
GAP = 1  # columns that the words above an effect take at least beyond its own


def study_matrix(table: pd.DataFrame, look: Look, *, fdr: float) -> Figure:
    """Programmes in rows under headings, datasets with their treatments and times in columns.

    Parameters
    ----------
    table
        As `effect_tiles.drawn_tiles` takes it, with `dataset`, `effect` and `when`.
    look
        Of the study; its data are simulated where those of any dataset are.
    fdr
        Effects below it are sure.
    """
    tiles = drawn_tiles(table, fdr=fdr)
    lines = in_lines(tiles, ["dataset", "effect"], most=MOST_COLUMNS, gap=GAP)
    panels = [[_panel(own, tiles, is_first=place == 0) for place, own in enumerate(line)] for line in lines]
    return finish(
        with_legend(panels, tiles, fdr=fdr),
        look,
        name="study_matrix",
        title="Treatment effects on the programmes",
        alt_text=f"log2 effects of treatments on the programmes. {tile_words(table, 'dataset')}",
        data=tile_data(table, ["dataset", "effect"]),
    )


def _panel(own: pd.DataFrame, tiles: pd.DataFrame, *, is_first: bool) -> object:
    """The columns of one treatment in one dataset."""
    words = [str(own["dataset"].iloc[0]), str(own["effect"].iloc[0])]
    return tile_panel(own, tiles, lines=lines_above(words, own["when"].nunique() + GAP), names=is_first)
