"""Which genes change in which contrasts, and which way: every gene has one place, so that nothing is counted twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Pattern:
    """Genes that change in the same contrasts in the same ways.

    Parameters
    ----------
    signs
        1 (higher), -1 (lower) or 0 (not below the false discovery rate) for each contrast.
    genes
        How many they are.
    """

    signs: tuple[int, ...]
    genes: int

    @property
    def contrasts(self) -> int:
        """In how many contrasts the genes change."""
        return sum(sign != 0 for sign in self.signs)

    @property
    def is_opposed(self) -> bool:
        """The genes are higher in one contrast and lower in another, which is no agreement."""
        return {-1, 1} <= set(self.signs)


def find_patterns(tables: Mapping[str, pd.DataFrame], names: Sequence[str], *, fdr: float) -> list[Pattern]:
    """Every combination of contrasts and directions that has genes, the largest first.

    Parameters
    ----------
    tables
        Gene tables by contrast.
    names
        The contrasts, in the order of the signs.
    fdr
        Genes with an adjusted p-value below it have changed.

    Returns
    -------
    Patterns without a gene in common; their numbers add up to the genes that change in any of the contrasts. Of equal
    ones those of fewer contrasts come first.
    """
    signs = pd.DataFrame({name: _signs(tables[name], fdr) for name in names}).fillna(0).astype(int)
    changed = signs[(signs != 0).any(axis=1)]
    sizes = changed.value_counts(sort=False)
    found = [Pattern(tuple(int(sign) for sign in key), int(genes)) for key, genes in sizes.items()]
    return sorted(found, key=lambda one: (-one.genes, one.contrasts, tuple(-sign for sign in one.signs)))


def _signs(table: pd.DataFrame, fdr: float) -> pd.Series:
    """Direction of each gene below the false discovery rate, by its id."""
    is_hit = (table["padj"] < fdr).fillna(False).to_numpy(dtype=bool)
    signs = np.where(is_hit, np.sign(table["log2_fold_change"].to_numpy(dtype=float)), 0.0)
    return pd.Series(signs, index=table["gene_id"].to_numpy())
