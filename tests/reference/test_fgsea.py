"""Preranked enrichment against fgsea in R, on one ranking and one collection, over ten seeds of ours."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exoliver.enrichment import enrich, rank_genes

SEEDS = range(1, 11)
LEVEL = 0.05


@pytest.fixture(scope="module")
def reference(shared: Path) -> pd.DataFrame:
    """R's table, by gene set."""
    table = pd.read_csv(shared / "reference/fgsea/dlpc_mh_all.fgseaMultilevel.tsv.gz", sep="\t")
    return table.set_index("pathway").sort_index()


@pytest.fixture(scope="module")
def ranking(shared: Path) -> pd.Series:
    """R's ranking. The file's digits leave ties, which stay in R's order."""
    file = shared / "reference/fgsea/dlpc_injured_vs_healthy.rnk.gz"
    ranked = pd.read_csv(file, sep="\t", keep_default_na=False)
    columns = {"gene_id": ranked["symbol"], "base_mean": -ranked.index, "log2_fold_change": ranked["stat"], "lfc_se": 1}
    ranking = rank_genes(ranked.assign(**columns), by="symbol")
    assert list(ranking.index) == ranked["symbol"].tolist()
    return ranking


@pytest.fixture(scope="module")
def gene_sets(shared: Path) -> dict[str, list[str]]:
    """R's sets."""
    lines = (shared / "genesets/mh.all.v2023.1.Mm.symbols.gmt").read_text(encoding="utf-8").splitlines()
    return {line.split("\t")[0]: line.split("\t")[2:] for line in lines}


def enriched(ranking: pd.Series, gene_sets: dict[str, list[str]], seed: int) -> pd.DataFrame:
    """Our table with one seed, by gene set."""
    found = enrich(ranking, gene_sets, panels=(), size=(10, 500), fdr=LEVEL, seed=seed)
    return found.set_index("gene_set")


@pytest.fixture(scope="module")
def ours(ranking: pd.Series, gene_sets: dict[str, list[str]]) -> pd.DataFrame:
    """With one seed."""
    return enriched(ranking, gene_sets, 1)


@pytest.fixture(scope="module")
def runs(ranking: pd.Series, gene_sets: dict[str, list[str]]) -> list[pd.DataFrame]:
    """With each of the seeds."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda seed: enriched(ranking, gene_sets, seed), SEEDS))


def joint_error(run: pd.DataFrame, reference: pd.DataFrame) -> pd.Series:
    """Standard error of the difference of two estimates of log2 p, as both programs give their own."""
    return np.hypot(run["log2err"], reference["log2err"])


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


def test_one_run_is_near(ours: pd.DataFrame, reference: pd.DataFrame) -> None:
    """Normalised scores and p-values, within the error of the sampling that both do."""
    np.testing.assert_allclose(ours["nes"], reference["NES"], rtol=0, atol=0.06)
    assert np.abs(np.log10(ours["pvalue"]) - np.log10(reference["pval"])).median() < 0.1


@pytest.mark.slow
def test_normalised_scores_are_near_with_every_seed(runs: list[pd.DataFrame], reference: pd.DataFrame) -> None:
    """For every set within .06; the largest difference over the seeds is at most .05 at the median of the sets."""
    assert all(np.abs(run["es"] - reference["ES"]).max() <= 1e-7 for run in runs)
    largest = pd.concat([np.abs(run["nes"] - reference["NES"]) for run in runs], axis=1).max(axis=1)
    assert largest.max() <= 0.06  # measured .0504
    assert largest.median() <= 0.05  # measured .0187


@pytest.mark.slow
def test_pvalues_are_within_their_error(runs: list[pd.DataFrame], reference: pd.DataFrame) -> None:
    """Differences of log2 p in units of the joint error are those of a standard normal variable, or smaller.

    Twice the joint error cannot hold for every set and seed: of 500 differences of two estimates that are free of bias,
    23 lie beyond it. Measured: 15, in 11 sets, the largest 3.03; root of the mean square .93. R's one run is part of
    all ten differences of a set. For each set the seeds' median is within it.
    """
    differences = np.array([np.log2(run["pvalue"]) - np.log2(reference["pval"]) for run in runs])
    errors = np.array([joint_error(run, reference) for run in runs])
    ratios = np.abs(differences / errors)
    assert (ratios > 2).sum() <= 23
    assert ratios.max() <= 3.1
    assert 0.8 < np.sqrt((ratios**2).mean()) < 1.05
    assert (np.abs(np.median(differences, axis=0)) <= 2 * np.median(errors, axis=0)).all()


@pytest.mark.slow
def test_the_same_sets_are_significant_but_for_sampling(runs: list[pd.DataFrame], reference: pd.DataFrame) -> None:
    """A set changes sides only where R's adjusted p-value is within twice the joint error of the level."""
    for run in runs:
        changed = (run["padj"] < LEVEL) != (reference["padj"] < LEVEL)
        away = np.abs(np.log2(reference["padj"] / LEVEL))
        assert (away[changed] <= 2 * joint_error(run, reference)[changed]).all()
        assert changed.sum() <= 3  # measured 1 to 3, of 50, in four sets; R's are at .0494, .0494, .0719 and .0846
