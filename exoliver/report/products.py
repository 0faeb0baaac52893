"""One product against another: which moves a programme otherwise, and which restores more of an injury."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from exoliver.figures.words import count, estimate, number
from exoliver.report.elements import Column, Heading, Link, Table, counts, pvalues, texts
from exoliver.report.evidence import asides
from exoliver.report.material import Material
from exoliver.report.naming import effect_words, mean_words, set_titles
from exoliver.report.summary import noted

MOST_ROWS = 25
VERDICTS = {
    "equivalent": "the same within the margin",
    "different": "different",
    "small_difference": "different, but within the margin",
    "undecided": "undecided",
}
DECIDED = ("more", "less", "undecided")


def products_blocks(material: Material) -> list[Any]:
    """Head to head: programmes that two products move otherwise or alike, and which of them restores more."""
    rows, same = material.programmes.comparisons, material.programmes.equivalence
    names = asides(material.collections[0].entry)
    rows = rows[rows["class"].isin(DECIDED) & ~rows["programme"].isin(names)]
    same = same[~same["programme"].isin(names) & same["verdict"].isin(VERDICTS)]
    if rows.empty and same.empty:
        return []
    blocks: list[Any] = [Heading("One product against another")]
    if len(same):
        blocks += [_verdicts(material, same), *_told(material, same)]
    if len(rows):
        blocks.append(_restored(material, rows))
    return blocks


def _verdicts(material: Material, same: pd.DataFrame) -> Table:
    """How many programmes two products move alike, and differently, in each head-to-head contrast."""
    by_id = {contrast.id: contrast for contrast in material.contrasts}
    ids = list(dict.fromkeys(same["contrast"]))
    table = same.groupby(["contrast", "verdict"]).size().unstack(fill_value=0)
    amounts = {verdict: [int(table.get(verdict, {}).get(name, 0)) for name in ids] for verdict in VERDICTS}
    columns = (
        texts("Products", [effect_words(by_id[name], material.look) for name in ids]),
        texts("Time", [_when(material, name) for name in ids]),
        *(counts(words.capitalize(), amounts[verdict]) for verdict, words in VERDICTS.items()),
    )
    caption = (
        "Programmes by what can be said of two products: the same means that two one-sided tests place their "
        f"difference within {number(float(same['margin'].iloc[0]))} log2, adjusted over all programmes of a contrast, "
        f"below {material.fdr:g}; undecided programmes are neither."
    )
    return Table(caption, columns, more=Link("every programme", "programmes/equivalence.tsv"))


def _told(material: Material, same: pd.DataFrame) -> list[Table]:
    """The programmes of which something can be said, the largest difference first."""
    told = same[same["verdict"] != "undecided"]
    if told.empty:
        return []
    order = told.assign(size=told["estimate"].abs(), titled=told["programme"].map(_titles(material, told)))
    listed = order.sort_values(["size", "programme", "contrast"], ascending=[False, True, True], kind="stable")
    listed = listed.head(MOST_ROWS)
    by_id = {contrast.id: contrast for contrast in material.contrasts}
    differences = [estimate(row.estimate, row.ci_low, high=row.ci_high) for row in listed.itertuples()]
    columns = (
        texts("Programme", listed["titled"]),
        texts("Products", [effect_words(by_id[name], material.look) for name in listed["contrast"]]),
        texts("Time", [_when(material, name) for name in listed["contrast"]]),
        Column("Difference, log2 (90 % interval)", tuple(differences), is_number=True),
        texts("Verdict", listed["verdict"].map(VERDICTS)),
        pvalues("The same, adjusted p", listed["padj"]),
        *noted(listed),
    )
    caption = (
        f"Programmes that two products move otherwise, or alike within the margin: {count(len(listed))} of "
        f"{count(len(told))}, the largest difference first."
    )
    return [Table(caption, columns, more=Link("every programme", "programmes/equivalence.tsv"))]


def _restored(material: Material, rows: pd.DataFrame) -> Table:
    """Where one product restores more of an injury effect than another."""
    decided = rows[rows["class"] != "undecided"]
    order = decided.assign(size=decided["difference"].abs(), titled=decided["programme"].map(_titles(material, rows)))
    listed = order.sort_values(["size", "programme", "time"], ascending=[False, True, True], kind="stable")
    listed = listed.head(MOST_ROWS)
    labels = material.look.labels
    columns = (
        texts("Programme", listed["titled"]),
        texts("The larger fraction", [_larger(row, labels) for row in listed.itertuples()]),
        texts("The other", [_smaller(row, labels) for row in listed.itertuples()]),
        texts("Time", [mean_words(time, material.look) for time in listed["time"]]),
        Column(
            "Difference of fractions (95 % interval)",
            tuple(estimate(abs(row.difference), *_ends(row)[:1], high=_ends(row)[1]) for row in listed.itertuples()),
            is_number=True,
        ),
        *noted(listed),
    )
    caption = (
        "Where the intervals say that one product restores more of an injury effect (four standard errors or more) "
        f"than another: {count(len(decided))} of {count(len(rows))} comparisons, the largest difference first. "
        "Intervals are of 95 % each: of comparisons without a difference, about one in 20 is listed by chance. More "
        "is not better where the larger fraction is past healthy."
    )
    return Table(caption, columns, more=Link("all of them", "rescue/comparisons.tsv"))


def _titles(material: Material, rows: pd.DataFrame) -> Any:
    """Titles of programmes by name."""
    return set_titles(rows["programme"], material.collections[0].entry)


def _when(material: Material, contrast: str) -> str:
    """The time of a contrast, or that it is the mean."""
    own = next(one for one in material.contrasts if one.id == contrast)
    return mean_words(own.times[0] if own.form == "at_time" else np.nan, material.look)


def _larger(row: Any, labels: Any) -> str:
    """The arm that restores more, and its fraction."""
    return (
        _arm(row.arm, row.fraction, labels) if row.difference > 0 else _arm(row.other_arm, row.other_fraction, labels)
    )


def _smaller(row: Any, labels: Any) -> str:
    """The arm that restores less, and its fraction."""
    return (
        _arm(row.other_arm, row.other_fraction, labels) if row.difference > 0 else _arm(row.arm, row.fraction, labels)
    )


def _arm(arm: str, fraction: float, labels: Any) -> str:
    """An arm with the fraction that it restores."""
    return f"{labels[arm]}: {number(fraction)}" if pd.notna(fraction) else labels[arm]


def _ends(row: Any) -> tuple[float, float]:
    """The interval of the difference, in favour of the one that restores more."""
    return (row.ci_low, row.ci_high) if row.difference > 0 else (-row.ci_high, -row.ci_low)
