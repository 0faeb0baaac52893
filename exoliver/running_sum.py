"""The running sum of a gene set over a ranking: the curve whose largest deviation is the enrichment score."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd


def sum_along(ranking: pd.Series, members: Collection[str]) -> np.ndarray:
    """The weighted running sum after each gene of a ranking, shape (g,).

    Parameters
    ----------
    ranking
        Statistic by symbol, decreasing.
    members
        Symbols of the set; those that are not ranked take no part.

    Returns
    -------
    A member adds the size of its statistic over that of all members, any other gene takes off its equal share; the sum
    ends at zero. The value farthest from zero is the enrichment score.

    Raises
    ------
    ValueError
        No gene of the ranking is a member, or all of them are, or no member has a statistic but zero.

    References
    ----------
    Subramanian (2005), 10.1073/pnas.0506580102, appendix "Mathematical description of methods", with p = 1.
    """
    is_member = ranking.index.isin(list(members))
    weights = np.where(is_member, np.abs(ranking.to_numpy(dtype=float)), 0.0)
    if is_member.all() or not weights.sum():
        raise ValueError("a running sum needs members with a statistic, and genes that are no members")
    return np.cumsum(weights / weights.sum() - np.where(is_member, 0.0, 1 / np.count_nonzero(~is_member)))


def turning_points(total: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Places in the ranking between which a running sum is a straight line: its ends, each member, the gene before it.

    Parameters
    ----------
    total
        Of `sum_along`.
    places
        Places of the members, from 0.
    """
    ends = np.array([0, len(total) - 1])
    return np.unique(np.concatenate([ends, places, np.maximum(places - 1, 0)]))
