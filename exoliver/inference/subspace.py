"""Which part of a design a contrast speaks of, and the design that is left where the contrast is zero."""

from __future__ import annotations

import numpy as np


def connected_part(design: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Samples and columns of a design (n, p) that share columns or samples with a contrast (k, p), step by step.

    The likelihood of the others does not depend on the contrast: with cell means alone, these are all other cells.

    Returns
    -------
    Positions of samples and of columns.
    """
    holds = design != 0
    columns = (rows != 0).any(axis=0)
    while True:
        samples = holds[:, columns].any(axis=1)
        reached = holds[samples].any(axis=0)
        if (reached == columns).all():
            return np.flatnonzero(samples), np.flatnonzero(columns)
        columns = reached


def reduced_design(design: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The design (n, p - k) whose fits are those of the design with all k contrasts zero.

    Columns that no contrast names stay as they are.

    Raises
    ------
    ValueError
        The contrasts depend on each other.
    """
    named = (rows != 0).any(axis=0)
    _, values, vectors = np.linalg.svd(rows[:, named])
    if len(values) < len(rows) or values.min() < 1e-10 * values.max():
        raise ValueError("the rows of the contrast depend on each other")
    # Scaled so that no coefficient is beyond the largest log mean: fits take one beyond 30 for a runaway.
    left = vectors[len(rows) :].T * np.sqrt(named.sum())
    return np.column_stack([design[:, named] @ left, design[:, ~named]])
