"""What came of every contrast: genes tested and changed, why others have no number, and what weakens the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from exoliver.contrasts import Contrast
from exoliver.figures.words import count, plural
from exoliver.report.elements import Column, texts

REASONS = ("count_outlier", "low_count", "not_converged", "all_zero", "filtered")
NOTES = {
    "missing_cell": "not testable: an arm has no samples at that time",
    "cancels_out": "not testable: its two sides are the same samples",
    "unreplicated": "a group has a single sample: read as description",
    "times_left_out": "times that one arm lacks are left out",
    "low_expression": "few counts",
    "not_measured": "not counted",
    "low_coverage": "less than half of its genes are measured",
    "one_gene": "rests on one gene",
    "composition_shift": "much of it is a shift of all genes",
    "explained_by_mixture": "explained by the cell mixture, as far as markers show it",
    "mixture_undecided": "the cell mixture may explain it",
    "mixture_reverses": "turned round when the cell mixture is held constant",
    "mixture_untested": "too few samples to hold the cell mixture constant",
    "nested_donors": "samples of one donor are taken as independent",
    "few_genes": "few genes",
    "beyond_healthy": "the larger fraction is past healthy",
}


def summarise_contrasts(
    contrasts: Sequence[Contrast], tables: Mapping[str, pd.DataFrame], *, fdr: float
) -> pd.DataFrame:
    """One row per contrast.

    Parameters
    ----------
    contrasts, tables
        Contrasts and their gene tables by id.
    fdr
        Genes below it have changed.

    Returns
    -------
    contrast, kind, form, tested, changed, up, down (NA for omnibus tests), one column for each of `REASONS`, note.
    """
    rows = [_summary(contrast, tables[contrast.id], fdr) for contrast in contrasts]
    columns = ["contrast", "kind", "form", "tested", "changed", "up", "down", *REASONS, "note"]
    return pd.DataFrame(rows, columns=columns).set_index("contrast", drop=False)


def _summary(contrast: Contrast, table: pd.DataFrame, fdr: float) -> dict[str, object]:
    """One contrast."""
    hits = table[(table["padj"] < fdr).fillna(False)]
    notes = {tuple(note.split(";")): int(rows) for note, rows in table["note"].fillna("").value_counts().items()}
    reasons = {name: sum(rows for parts, rows in notes.items() if name in parts) for name in REASONS}
    directions: dict[str, object] = {"up": None, "down": None}
    if not contrast.is_omnibus:
        directions = {
            "up": int((hits["log2_fold_change"] > 0).sum()),
            "down": int((hits["log2_fold_change"] < 0).sum()),
        }
    return {
        "contrast": contrast.id,
        "kind": contrast.kind,
        "form": contrast.form,
        "tested": int(table["pvalue"].notna().sum()),
        "changed": len(hits),
        **directions,
        **reasons,
        "note": note_words(contrast, list(notes)),
    }


def note_words(contrast: Contrast, notes: Sequence[tuple[str, ...]]) -> str:
    """What holds for the contrast as a whole, in words.

    Parameters
    ----------
    contrast
        The contrast.
    notes
        The different notes of its genes, each in its parts.
    """
    everywhere = set.intersection(*map(set, notes)) if notes else set()
    return in_words(";".join([contrast.note, *(["unreplicated"] if "unreplicated" in everywhere else [])]))


def in_words(note: object) -> str:
    """A note of a table in words, with its genes or times."""
    parts = [part.partition(":") for part in ("" if pd.isna(note) else str(note)).split(";") if part]
    return "; ".join(
        NOTES.get(name, name.replace("_", " ")) + (f": {detail.replace(',', ', ')}" if detail else "")
        for name, _, detail in parts
    )


def noted(rows: pd.DataFrame) -> tuple[Column, ...]:
    """The notes of a table's rows in words, as its last column; none where no row has a note."""
    words = rows["note"].map(in_words)
    return (texts("Note", words),) if words.ne("").any() else ()


def changed_at_some_time(summary: pd.DataFrame, contrast: Contrast) -> int | None:
    """Genes in which the effect of a contrast's arms differs from zero at some time; None where that is not tested."""
    name = f"{contrast.effect}__any_time"
    return int(summary.loc[name, "changed"]) if name in summary.index and contrast.kind != "extra" else None


@dataclass(frozen=True)
class Tally:
    """Genes that change in an effect as a headline tells them: how many, by which test, what the other one finds."""

    genes: int
    when: str = ""
    beside: str = ""


def tally(summary: pd.DataFrame, contrast: Contrast, *, threshold: float) -> Tally:
    """The number of genes that is told first, and the one beside it.

    Parameters
    ----------
    summary
        Of `summarise_contrasts`, the tests of all times at once among its rows.
    contrast
        An averaged one, or one that the user named.
    threshold
        log2 fold change that the tests of averages took as none. Tests of all times at once ask for any change: they
        are told first only without a threshold, and where they find no fewer genes than the average does.
    """
    average, at_some = int(summary.loc[contrast.id, "changed"]), changed_at_some_time(summary, contrast)
    if at_some is None:
        return Tally(average)
    if threshold == 0 and at_some >= average:
        return Tally(at_some, "at some time", f"averaged over times, {count(average)}" if at_some else "")
    null = ", against no change," if threshold else ""
    return Tally(average, "averaged over times", f"the test of all times at once{null} finds {count(at_some)}")


def direction(value: float) -> str:
    """Which way an effect goes, as a verb."""
    return "raises" if value > 0 else "lowers"


def strongest(enrichment: pd.DataFrame, fdr: float) -> dict[str, list[tuple[str, float, float]]]:
    """The gene sets that stand high and low in a ranking, as set, NES and adjusted p-value, the strongest first.

    Parameters
    ----------
    enrichment
        Of one contrast and collection.
    fdr
        Sets that are not below it are left out.
    """
    sure = enrichment[(enrichment["padj"] < fdr).fillna(False)].sort_values("nes", kind="stable")
    low, high = sure[sure["nes"] < 0], sure[sure["nes"] > 0].iloc[::-1]
    return {
        side: [(row.gene_set, float(row.nes), float(row.padj)) for row in rows.itertuples()]
        for side, rows in (("higher", high), ("lower", low))
    }


def range_words(table: pd.DataFrame) -> str:
    """The fewest and the most genes that change: columns dataset, effect and changed, one row for each effect."""
    if table.empty:
        return "No averaged effect can be estimated."
    changed = table["changed"].astype(int)
    most, least = table.loc[changed.idxmax()], changed.min()
    where, genes = f"{most['effect']} ({most['dataset']})", plural(most["changed"], "gene")
    verb = "changes" if most["changed"] == 1 else "change"
    if len(table) == 1:
        return f"{genes} {verb} in the one averaged effect, {where}."
    if not most["changed"]:
        return f"There is no evidence that a gene changes in any of {count(len(table))} averaged effects."
    if least == most["changed"]:
        return f"{genes} {verb} in each of {count(len(table))} averaged effects."
    return f"Between {count(least)} and {genes} {verb} in an averaged effect, most in {where}."
