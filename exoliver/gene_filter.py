"""Which genes take part in the fit: those with enough counts in enough samples."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from exoliver.study import GeneFilter


def samples_needed(gene_filter: GeneFilter, replicates: Iterable[int]) -> int:
    """Samples that need the count: as many as the study says, else as the smallest cell of arm and time has."""
    return min(replicates) if gene_filter.min_samples is None else gene_filter.min_samples


def takes_part(counts: np.ndarray, gene_filter: GeneFilter, *, replicates: Iterable[int]) -> np.ndarray:
    """Genes with enough counts in enough samples, shape (g,).

    Parameters
    ----------
    counts
        Samples x genes (n, g).
    gene_filter
        The count, and the samples that need it.
    replicates
        Samples in each cell of arm and time.
    """
    return (counts >= gene_filter.min_count).sum(axis=0) >= samples_needed(gene_filter, replicates)
