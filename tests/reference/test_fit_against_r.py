"""The whole fit and its tests against DESeq2 in R: raw counts go in, significant genes come out; without Snakemake.

README.md of this folder says what is compared, and how near.
"""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exoliver.differential import fit_model
from exoliver.study import GeneFilter
from tests.deseq2_in_r import (
    LEVELS,
    SOURCES,
    THREADS,
    Source,
    analyse,
    apart,
    fitted,
    likelihood_ratios,
    read_data,
    read_r,
    significant,
    trend_of_r,
)
from tests.toy_model import make_intake

pytestmark = pytest.mark.slow

WITH_DISPERSIONS = ("bv2EV", "dlpc", "fission")  # and more than three residual degrees of freedom

# R's tables, and our dataset and contrast.
WALD = {
    "bv2EV__IL10EV_vs_controlEV_12samples": ("bv2EV", "il10_vs_control"),
    "bv2EV__LPSEV_vs_controlEV_12samples": ("bv2EV", "lps_vs_control"),
    "bv2EV__TGFBEV_vs_controlEV_12samples": ("bv2EV", "tgfb_vs_control"),
    "dlpc__DiseaseAgonist_vs_Chow": ("dlpc", "treated_vs_healthy"),
    "dlpc__DiseaseAgonist_vs_Disease": ("dlpc", "treated_vs_injured"),
    "dlpc__Disease_vs_Chow": ("dlpc", "injured_vs_healthy"),
    "fission__Wald_strainmut.minute30": ("fission", "mut_vs_wt__30min_vs_0min"),
    "fission__Wald_wt_minute15_vs_0": ("fission", "wt_15min_vs_0min"),
}
LIKELIHOOD_RATIO = {
    "c3h__LRT_photoperiod_x_zt": ("c3h", "sl_vs_ll__over_time"),
    "fission__LRT_strain_x_minute": ("fission", "mut_vs_wt__over_time"),
}
# The fold change that R prints beside a likelihood ratio: that of the design's last coefficient.
LAST_COEFFICIENT = {
    "c3h__LRT_photoperiod_x_zt": ("c3h", "sl_vs_ll__18h_vs_0h"),
    "fission__LRT_strain_x_minute": ("fission", "mut_vs_wt__180min_vs_0min"),
}
NOTHING_FOUND = ("bv2EV__IL10EV_vs_controlEV_12samples", "fission__Wald_strainmut.minute30")

# Genes whose statistic differs by more than 1e-3, and the model in which R stopped short of the maximum. Their
# dispersions are 3 to 32, and a third of their counts and more are zero. In R's own run the reweighting of that model
# ran out of its 100 steps, and the second optimiser stopped .51 to 1.77 log units below the maximum; in the two
# "floored" ones the floor of the means ended the reweighting .15 and .20 below it. Ours comes within .001 of the
# maximum but for three genes (...35896, ...54106, ...58579): there the floor ends it .97 to 1.21 below, and R is 1.41
# to 1.77 below.
SHORT_OF_MAXIMUM = {
    "c3h__LRT_photoperiod_x_zt": {
        "ENSMUSG00000011463": "full",
        "ENSMUSG00000024225": "full",
        "ENSMUSG00000026818": "full",
        "ENSMUSG00000029882": "full",
        "ENSMUSG00000031957": "full",
        "ENSMUSG00000035896": "full",
        "ENSMUSG00000040205": "reduced",
        "ENSMUSG00000046008": "full",
        "ENSMUSG00000054106": "full",
        "ENSMUSG00000054446": "full",
        "ENSMUSG00000056328": "full",
        "ENSMUSG00000057163": "full",
        "ENSMUSG00000058579": "full",
    },
    "c3h__LRT_zt_additive": {
        "ENSMUSG00000031957": "full",
        "ENSMUSG00000040205": "full",
        "ENSMUSG00000046008": "full, floored",
        "ENSMUSG00000057163": "full, floored",
    },
    "fission__LRT_strain_x_minute": {},
}


def both(shared: Path, name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Our table and R's, genes in the same order."""
    key, contrast = (WALD | LIKELIHOOD_RATIO)[name]
    ours = fitted(shared, key).tables[contrast]
    return ours, read_r(shared, name).loc[ours.index]


@functools.cache
def additive(shared: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Time on top of photoperiod in GSE222550, without an interaction: our table and R's."""
    counts, samples = read_data(shared, "c3h")
    arms = "zt" + samples["time"].astype(int).astype(str)
    levels = ["zt0", "zt6", "zt12", "zt18"]
    model = fit_model(
        counts,
        pd.DataFrame({"arm": arms, "time": np.nan, "photoperiod": samples["arm"]}),
        intake=make_intake(levels, covariates=["photoperiod"]),
        gene_filter=GeneFilter(min_count=0, min_samples=0),
        threads=THREADS,
    )
    assert list(model.columns) == [*levels, "photoperiod=sl"]
    rows = np.column_stack([-np.ones(3), np.eye(3), np.zeros(3)])
    ours = likelihood_ratios(model, counts, rows=rows)
    return ours, read_r(shared, "c3h__LRT_zt_additive").loc[ours.index]


def without_counts(counts: pd.DataFrame, samples: pd.DataFrame, cells: set[tuple[str, float]]) -> np.ndarray:
    """Genes without a count in some cells of arm and time."""
    chosen = [cell in cells for cell in zip(samples["arm"], samples["time"], strict=True)]
    return np.asarray((counts.to_numpy()[chosen] == 0).all(axis=0))


@pytest.mark.parametrize("key", SOURCES)
def test_size_factors_are_those_of_r(shared: Path, key: str) -> None:
    """To the digits of the file."""
    model = fitted(shared, key).model
    theirs = read_r(shared, f"{key}.sizeFactors")["sizeFactor"]
    assert set(model.samples) == set(theirs.index)
    np.testing.assert_allclose(model.size_factors, theirs.loc[model.samples], rtol=1e-12)


@pytest.mark.parametrize("key", WITH_DISPERSIONS)
def test_the_trend_of_dispersions_is_that_of_r(shared: Path, key: str) -> None:
    """Both coefficients."""
    np.testing.assert_allclose(
        fitted(shared, key).model.trend, trend_of_r(read_r(shared, f"{key}.dispersions")), rtol=1e-8
    )


@pytest.mark.parametrize("key", WITH_DISPERSIONS)
def test_final_dispersions_are_those_of_r(shared: Path, key: str) -> None:
    """Genes of a mean count above 10, and the same genes without a dispersion."""
    model = fitted(shared, key).model
    theirs = read_r(shared, f"{key}.dispersions").loc[model.genes]
    np.testing.assert_allclose(model.base_mean, theirs["baseMean"], rtol=1e-9)
    differences = apart(model.dispersions, theirs["dispersion"])[theirs["baseMean"] > 10]
    assert len(differences) > 5000
    assert (differences <= 1e-5).mean() >= 0.999
    assert differences.max() <= 1e-3


@pytest.mark.parametrize("name", [*WALD, *LAST_COEFFICIENT])
def test_fold_changes_are_those_of_r(shared: Path, name: str) -> None:
    """Genes of a mean count above 10."""
    key, contrast = (WALD | LAST_COEFFICIENT)[name]
    ours = fitted(shared, key).tables[contrast]["log2_fold_change"]
    theirs = read_r(shared, name).loc[ours.index]
    differences = (ours - theirs["log2FoldChange"]).abs()[theirs["baseMean"] > 10]
    assert len(differences) > 5000
    assert (differences <= 1e-3).mean() >= 0.999


@pytest.mark.parametrize("name", WALD)
def test_wald_tests_are_those_of_r(shared: Path, name: str) -> None:
    """Statistics within 1e-3 wherever the samples compared have a count; p-values missing in the same genes."""
    ours, theirs = both(shared, name)
    np.testing.assert_array_equal(ours["pvalue"].isna(), theirs["pvalue"].isna())
    compared = ~((ours["stat"] == 0) & (ours["pvalue"] == 1))
    assert compared.sum() > 6000
    np.testing.assert_allclose(ours["stat"][compared], theirs["stat"][compared], rtol=0, atol=1e-3)


@pytest.mark.parametrize("name", [name for name in WALD if not name.startswith("fission")])
def test_genes_without_counts_in_the_arms_compared_are_those_of_r(shared: Path, name: str) -> None:
    """Estimate and statistic 0, p-value 1."""
    ours, theirs = both(shared, name)
    says_nothing = [table[(table["stat"] == 0) & (table["pvalue"] == 1)].index for table in (ours, theirs)]
    assert len(says_nothing[0]) > 500
    assert list(says_nothing[0]) == list(says_nothing[1])
    assert (ours.loc[says_nothing[0], "log2_fold_change"] == 0).all()


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("fission__Wald_wt_minute15_vs_0", {("wt", 0), ("wt", 15)}),
        ("fission__Wald_strainmut.minute30", {("wt", 0), ("wt", 30), ("mut", 0), ("mut", 30)}),
    ],
)
def test_a_coefficient_of_cells_without_counts_is_nothing_here(
    shared: Path, name: str, cells: set[tuple[str, float]]
) -> None:
    """0 and p-value 1; R, asked for a coefficient by its name, prints what the ridge leaves of it, .24 at most."""
    ours, theirs = both(shared, name)
    empty = without_counts(*read_data(shared, "fission"), cells=cells) & theirs["stat"].notna()
    assert empty.sum() > 40
    assert (ours["stat"][empty] == 0).all()
    assert (ours["pvalue"][empty] == 1).all()
    assert (theirs["stat"][empty].abs() < 0.24).all()
    assert ((ours["stat"] == 0) == empty).all()


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", [*WALD, *LIKELIHOOD_RATIO, "c3h__LRT_zt_additive"])
def test_significant_genes_are_those_of_r(shared: Path, name: str, level: float) -> None:
    """The same set; none where R has none."""
    ours, theirs = additive(shared) if name == "c3h__LRT_zt_additive" else both(shared, name)
    assert significant(ours, level) == significant(theirs, level)
    assert (name in NOTHING_FOUND) == (significant(ours, level) == set())


@pytest.mark.parametrize("name", SHORT_OF_MAXIMUM)
def test_likelihood_ratios_are_those_of_r_but_for_genes_where_r_stopped_short(shared: Path, name: str) -> None:
    """Within 1e-3; where R's full model fell short its statistic is the lower one, and no such gene is significant."""
    named = SHORT_OF_MAXIMUM[name]
    ours, theirs = additive(shared) if name == "c3h__LRT_zt_additive" else both(shared, name)
    np.testing.assert_array_equal(ours["stat"].isna(), theirs["stat"].isna())
    np.testing.assert_array_equal(ours["pvalue"].isna(), theirs["pvalue"].isna())
    differences = (ours["stat"] - theirs["stat"]).dropna()
    assert len(differences) > 6000
    assert set(differences.index[differences.abs() > 1e-3]) <= set(named)
    assert len(named) <= 20
    assert {gene: differences[gene] > 0 for gene in named} == {
        gene: fault != "reduced" for gene, fault in named.items()
    }
    for table in (ours, theirs):
        assert not significant(table, 0.1) & set(named)


@pytest.mark.parametrize("arm", ["lps", "tgfb", "il10"])
def test_published_pairs_of_bv2_are_found_again(shared: Path, arm: str) -> None:
    """Two arms at a time, genes with 30 counts and more: the authors' genes at .05, and their statistics."""
    [path] = (shared / "reference/published").glob(f"bv2_{arm.upper()}_*.csv.gz")
    theirs = pd.read_csv(path, index_col=0)
    theirs.index = theirs.index.str.rpartition("|").get_level_values(2)
    counts, samples = read_data(shared, "bv2EV")
    chosen = samples["arm"].isin(["control", arm])
    counts = counts.loc[chosen, counts[chosen].sum() >= 30]
    pair = Source("", "", {"control": "reference", arm: "treated"})
    ours = analyse(counts, samples[chosen], source=pair, fdr=0.05).tables[f"{arm}_vs_control"]
    assert set(ours.index) == set(theirs.index)
    theirs = theirs.loc[ours.index]
    np.testing.assert_allclose(ours["base_mean"], theirs["baseMean"], rtol=1e-10)
    np.testing.assert_allclose(ours["stat"], theirs["stat"], rtol=0, atol=1e-3)
    assert significant(theirs, 0.05)
    assert significant(ours, 0.05) == significant(theirs, 0.05)


def test_six_samples_of_bv2_are_those_of_r(shared: Path) -> None:
    """LPS against control alone, filtered at .05: statistics, genes without a p-value, and the genes found."""
    counts, samples = read_data(shared, "bv2EV")
    chosen = samples["arm"].isin(["control", "lps"])
    pair = Source("", "", {"control": "reference", "lps": "treated"})
    ours = analyse(counts[chosen], samples[chosen], source=pair, fdr=0.05).tables["lps_vs_control"]
    theirs = read_r(shared, "bv2EV__LPSEV_vs_controlEV_6samples_alpha0.05").loc[ours.index]
    np.testing.assert_array_equal(ours["padj"].isna(), theirs["padj"].isna())
    np.testing.assert_allclose(ours["stat"], theirs["stat"], rtol=0, atol=1e-3)
    for level in LEVELS:
        assert len(significant(theirs, level)) > 100
        assert significant(ours, level) == significant(theirs, level)
