"""Preranked enrichment against fgsea in R, on one ranking and one collection."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exoliver.enrichment import enrich, rank_genes


@pytest.fixture(scope="module")
def reference(shared: Path) -> pd.DataFrame:
    """R's table, by gene set."""
    table = pd.read_csv(shared / "reference/fgsea/dlpc_mh_all.fgseaMultilevel.tsv.gz", sep="\t")
    return table.set_index("pathway").sort_index()


@pytest.fixture(scope="module")
def ours(shared: Path) -> pd.DataFrame:
    """Our table on R's ranking, by gene set."""
    file = shared / "reference/fgsea/dlpc_injured_vs_healthy.rnk.gz"
    ranked = pd.read_csv(file, sep="\t", keep_default_na=False)
    # The file's digits leave ties, which stay in R's order.
    columns = {"gene_id": ranked["symbol"], "base_mean": -ranked.index, "log2_fold_change": ranked["stat"], "lfc_se": 1}
    ranking = rank_genes(ranked.assign(**columns), by="symbol")
    assert list(ranking.index) == ranked["symbol"].tolist()
    lines = (shared / "genesets/mh.all.v2023.1.Mm.symbols.gmt").read_text(encoding="utf-8").splitlines()
    gene_sets = {line.split("\t")[0]: line.split("\t")[2:] for line in lines}
    return enrich(ranking, gene_sets, size=(10, 500), seed=1).set_index("gene_set")


def test_the_same_sets_are_tested(ours: pd.DataFrame, reference: pd.DataFrame) -> None:
    """With the same members in the ranking, and none without a p-value."""
    assert list(ours.index) == list(reference.index)
    assert ours["size"].tolist() == reference["size"].tolist()
    assert ours["pvalue"].notna().all()
    assert reference["pval"].notna().all()


def test_scores_are_those_of_fgsea(ours: pd.DataFrame, reference: pd.DataFrame) -> None:
    """The score and its leading edge have no randomness."""
    np.testing.assert_allclose(ours["es"], reference["ES"], rtol=0, atol=1e-7)
    theirs = reference["leadingEdge"].str.split(",").map(set)
    assert ours["leading_edge"].str.split(";").map(set).tolist() == theirs.tolist()


def test_normalised_scores_are_near(ours: pd.DataFrame, reference: pd.DataFrame) -> None:
    """Within the error of the sampling that both do."""
    np.testing.assert_allclose(ours["nes"], reference["NES"], rtol=0, atol=0.06)


def test_the_same_sets_are_significant_but_for_sampling(ours: pd.DataFrame, reference: pd.DataFrame) -> None:
    """A set may change sides only where R's adjusted p-value is near the level."""
    changed = (ours["padj"] < 0.05) != (reference["padj"] < 0.05)
    assert reference.loc[changed, "padj"].between(0.05 / 1.6, 0.05 * 1.6).all()
    assert changed.sum() <= 2
    assert np.abs(np.log10(ours["pvalue"]) - np.log10(reference["pval"])).median() < 0.1
