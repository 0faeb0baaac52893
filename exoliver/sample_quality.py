"""What the largest differences between samples go with, and which samples stand apart; knows no files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.special import fdtrc

from exoliver.inference.filtering import adjust_pvalues

MAD_TO_SD = 1.4826  # of a normal distribution
DEVIATIONS = 3.0  # scaled median absolute deviations from the median; Leys (2013), 10.1016/j.jesp.2013.03.013
LEAST_SAMPLES = 6  # fewer have no limit: of five alike samples of a normal distribution each is beyond in 7 % of draws
LEAST_GROUP = 3  # of two samples each is as far from the other, so that neither stands apart
ASSOCIATIONS = ("component", "factor", "samples", "levels", "share", "share_adjusted", "pvalue", "padj", "note")


def associate_components(
    components: np.ndarray, factors: Mapping[str, pd.Series], *, numeric: Sequence[str]
) -> pd.DataFrame:
    """How much of each principal component every factor explains by itself.

    Parameters
    ----------
    components
        Samples x components.
    factors
        Value of each sample by factor; samples without one are left out.
    numeric
        Factors that are taken as a straight line; the others have one mean for each of their levels.

    Returns
    -------
    One row per component (from 1) and factor: samples, levels (NA for a line), share (R squared), share_adjusted (for
    the terms that the factor takes; below zero for less than chance gives), pvalue (F test of the factor alone), padj
    (Benjamini-Hochberg over the whole table), note where there is no number: `one_level`, `no_samples_left`.
    """
    rows = [
        {"component": place + 1, "factor": name} | _association(components[:, place], values, name in numeric)
        for name, values in factors.items()
        for place in range(components.shape[1])
    ]
    table = pd.DataFrame(rows, columns=list(ASSOCIATIONS))
    return table.assign(padj=adjust_pvalues(table["pvalue"].to_numpy(dtype=float)))


def _association(scores: np.ndarray, values: pd.Series, is_line: bool) -> dict[str, object]:
    """One factor and one component."""
    known = values.notna().to_numpy()
    y, given = scores[known], values[known]
    levels = np.nan if is_line else float(given.nunique())
    found: dict[str, object] = {"samples": int(known.sum()), "levels": levels, "note": ""}
    found |= dict.fromkeys(("share", "share_adjusted", "pvalue"), np.nan)
    if given.nunique() < 2:
        return found | {"note": "one_level"}
    terms = 1 if is_line else int(given.nunique()) - 1
    left = len(y) - 1 - terms
    total = float(((y - y.mean()) ** 2).sum())
    if left < 1 or not total:
        return found | {"note": "no_samples_left"}
    rest = float(((y - _fitted(y, given, is_line)) ** 2).sum())
    share = min(max(1 - rest / total, 0.0), 1.0)
    ratio = (share / terms) / ((1 - share) / left) if share < 1 else np.inf
    adjusted = 1 - (1 - share) * (len(y) - 1) / left
    return found | {"share": share, "share_adjusted": adjusted, "pvalue": float(fdtrc(terms, left, ratio))}


def _fitted(y: np.ndarray, given: pd.Series, is_line: bool) -> np.ndarray:
    """Values of a straight line, or the mean of each level."""
    if not is_line:
        return pd.Series(y).groupby(given.to_numpy()).transform("mean").to_numpy()
    x = given.to_numpy(dtype=float)
    x = x - x.mean()
    return y.mean() + x * float(x @ y) / float(x @ x)


def distances_to_own(distances: pd.DataFrame, groups: pd.Series) -> pd.Series:
    """Median distance of each sample to the others of its group; missing in groups of fewer than `LEAST_GROUP`.

    Parameters
    ----------
    distances
        Samples x samples, symmetric.
    groups
        Group of each sample, indexed alike.
    """
    values, own = distances.to_numpy(), groups.loc[distances.index].to_numpy()
    medians = np.full(len(own), np.nan)
    for place in range(len(own)):
        peers = np.flatnonzero(own == own[place])
        if len(peers) >= LEAST_GROUP:
            medians[place] = np.median(values[place, peers[peers != place]])
    return pd.Series(medians, index=distances.index)


def find_outliers(values: pd.Series, *, is_low_sound: bool) -> pd.DataFrame:
    """Samples whose value is more than `DEVIATIONS` median absolute deviations from the median, the farthest first.

    Parameters
    ----------
    values
        By sample; missing ones take no part.
    is_low_sound
        Only values that are too large stand apart.

    Returns
    -------
    sample, value, median, low and high (the limits; low is missing where it does not count), deviations (signed). None
    where fewer than `LEAST_SAMPLES` have a value, or more than half of them share one.
    """
    known = values.dropna().astype(float)
    median = float(known.median()) if len(known) else np.nan
    spread = MAD_TO_SD * float((known - median).abs().median()) if len(known) else 0.0
    if len(known) < LEAST_SAMPLES or not spread:
        known = known.iloc[:0]
    deviations = (known - median) / (spread or 1.0)
    is_out = (deviations > DEVIATIONS) | ((deviations < -DEVIATIONS) & (not is_low_sound))
    low = np.nan if is_low_sound else median - DEVIATIONS * spread
    table = pd.DataFrame({"sample": known.index, "value": known.to_numpy(), "deviations": deviations.to_numpy()})
    table = table.assign(median=median, low=low, high=median + DEVIATIONS * spread, size=table["deviations"].abs())
    order = table[is_out.to_numpy()].sort_values(["size", "sample"], ascending=[False, True], kind="stable")
    return order[["sample", "value", "median", "low", "high", "deviations"]].reset_index(drop=True)
