"""The gene filter: enough counts in enough samples, as many as the smallest cell has unless the study says more."""

import numpy as np
import pytest

from exoliver.gene_filter import samples_needed, takes_part
from exoliver.study import GeneFilter

COUNTS = np.array([[10, 9, 0, 500], [10, 99, 0, 0], [0, 9, 0, 0], [12, 99, 10, 0]])  # samples x genes


@pytest.mark.parametrize(("given", "needed"), [(None, 2), (0, 0), (1, 1), (9, 9)])
def test_the_smallest_cell_decides_unless_the_study_does(given: int | None, needed: int) -> None:
    """Also where it asks for more samples than a cell has."""
    assert samples_needed(GeneFilter(min_samples=given), [3, 2, 5]) == needed


@pytest.mark.parametrize(
    ("gene_filter", "passing"),
    [
        (GeneFilter(), [True, True, False, False]),
        (GeneFilter(min_samples=3), [True, False, False, False]),
        (GeneFilter(min_count=9), [True, True, False, False]),
        (GeneFilter(min_count=500, min_samples=1), [False, False, False, True]),
        (GeneFilter(min_count=0, min_samples=0), [True] * 4),
        (GeneFilter(min_samples=5), [False] * 4),
    ],
)
def test_genes_with_enough_counts_in_enough_samples_take_part(gene_filter: GeneFilter, passing: list[bool]) -> None:
    """A count that equals the least one is enough, and the samples may be of any cell."""
    assert takes_part(COUNTS, gene_filter, replicates=[2, 2]).tolist() == passing
