"""The running sum on a real ranking: its largest deviation against R's scores, and against our own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exoliver.enrichment import enrich, rank_genes
from exoliver.running_sum import sum_along, turning_points


@pytest.fixture(scope="module")
def ranking(shared: Path) -> pd.Series:
    """The ranking that R was given; ties of its digits stay in R's order."""
    ranked = pd.read_csv(shared / "reference/fgsea/dlpc_injured_vs_healthy.rnk.gz", sep="\t", keep_default_na=False)
    columns = {"gene_id": ranked["symbol"], "base_mean": -ranked.index, "log2_fold_change": ranked["stat"], "lfc_se": 1}
    return rank_genes(ranked.assign(**columns), by="symbol")


@pytest.fixture(scope="module")
def gene_sets(shared: Path) -> dict[str, list[str]]:
    """Hallmark sets of the mouse."""
    lines = (shared / "genesets/mh.all.v2023.1.Mm.symbols.gmt").read_text(encoding="utf-8").splitlines()
    return {line.split("\t")[0]: line.split("\t")[2:] for line in lines}


def farthest(total: np.ndarray) -> float:
    """The value farthest from zero."""
    return float(total[np.abs(total).argmax()])


def test_the_largest_deviation_is_the_score_of_fgsea(
    shared: Path, ranking: pd.Series, gene_sets: dict[str, list[str]]
) -> None:
    """Every Hallmark set, to the digits of R's ranking."""
    table = pd.read_csv(shared / "reference/fgsea/dlpc_mh_all.fgseaMultilevel.tsv.gz", sep="\t")
    theirs = table.set_index("pathway")["ES"]
    ours = pd.Series({name: farthest(sum_along(ranking, gene_sets[name])) for name in theirs.index})
    assert len(ours) == 50
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_the_largest_deviation_is_the_score_that_we_report(ranking: pd.Series, gene_sets: dict[str, list[str]]) -> None:
    """The `es` column of our enrichment, and its leading edge: the members up to the peak, or from the trough on."""
    chosen = {name: gene_sets[name] for name in sorted(gene_sets)[:12]}
    table = enrich(ranking, chosen, panels=(), size=(10, 500), fdr=0.05, seed=1)
    assert {-1.0, 1.0} == set(np.sign(table["es"]))
    for row in table.itertuples():
        total = sum_along(ranking, chosen[row.gene_set])
        assert farthest(total) == pytest.approx(row.es, abs=1e-9)
        peak = int(np.abs(total).argmax())
        members = ranking.index.isin(chosen[row.gene_set])
        side = members[: peak + 1] if row.es > 0 else members[peak + 1 :]
        assert side.sum() == len(row.leading_edge.split(";"))


def test_a_curve_is_straight_between_its_turning_points(ranking: pd.Series, gene_sets: dict[str, list[str]]) -> None:
    """What is drawn between them is what was left out."""
    for name in sorted(gene_sets)[:5]:
        total = sum_along(ranking, gene_sets[name])
        kept = turning_points(total, np.flatnonzero(ranking.index.isin(gene_sets[name])))
        np.testing.assert_allclose(np.interp(np.arange(len(total)), kept, total[kept]), total, atol=1e-12)
        assert len(kept) < len(total) / 10
