"""What came of every contrast: how many genes were tested, how many changed, and why others have no number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from exoliver.contrasts import Contrast

REASONS = ("count_outlier", "low_count", "not_converged", "all_zero", "filtered")
NOTES = {
    "missing_cell": "not testable: an arm has no samples at that time",
    "cancels_out": "not testable: its two sides are the same samples",
    "unreplicated": "a group has a single sample: read as description",
    "times_left_out": "times that one arm lacks are left out",
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
    name, _, detail = contrast.note.partition(":")
    parts = [NOTES.get(name, name) + (f" ({detail.replace(',', ', ')})" if detail else "")] if name else []
    everywhere = set.intersection(*map(set, notes)) if notes else set()
    parts += [NOTES["unreplicated"]] if "unreplicated" in everywhere else []
    return "; ".join(parts)


def changed_at_some_time(summary: pd.DataFrame, contrast: Contrast) -> int | None:
    """Genes in which the effect of a contrast's arms differs from zero at some time; None where that is not tested."""
    name = f"{contrast.effect}__any_time"
    return int(summary.loc[name, "changed"]) if name in summary.index and contrast.kind != "extra" else None


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
