"""Which of the significant gene sets say the same: clusters of sets whose leading edges overlap, for reading alone."""

from __future__ import annotations

import numpy as np
import pandas as pd

# Of Jaccard indices; "moderately conservative" in EnrichmentMap (Merico 2010, 10.1371/journal.pone.0013984), which
# takes .5 for the overlap coefficient. That one hides large sets behind small ones that they contain: of 309 sets of
# the Gene Ontology in DLPC, 12 would stand behind a set that holds less than a quarter of their leading edge.
SHARED = 0.25


def cluster_sets(table: pd.DataFrame, *, fdr: float) -> pd.Series:
    """The set that stands for each significant one; NA for the others.

    Parameters
    ----------
    table
        Columns gene_set, nes, padj and leading_edge (`;`-joined).
    fdr
        Sets below this adjusted p-value are significant.

    Returns
    -------
    Name of the representative by the index of the table. Sets are taken by adjusted p-value, then by the size of their
    score, then by name; each joins the first representative of its direction with which its leading edge has a Jaccard
    index of `SHARED` or more, or else represents itself.
    """
    found = pd.Series(np.nan, index=table.index, dtype=object)
    sure = table[(table["padj"] < fdr).fillna(False)]
    sure = sure.assign(_size=-sure["nes"].abs()).sort_values(["padj", "_size", "gene_set"], kind="stable")
    representatives: list[tuple[str, float, frozenset[str]]] = []
    for row in sure.itertuples():
        side, edge = float(np.sign(row.nes)), frozenset(str(row.leading_edge).split(";"))
        alike = (name for name, own, genes in representatives if own == side and _is_shared(edge, genes))
        name = next(alike, None)
        if name is None:
            representatives.append((row.gene_set, side, edge))
        found[row.Index] = name or row.gene_set
    return found


def _is_shared(one: frozenset[str], other: frozenset[str]) -> bool:
    """Two leading edges have enough genes in common."""
    shared = len(one & other)
    return shared >= SHARED * (len(one) + len(other) - shared)
