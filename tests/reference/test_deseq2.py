"""Filtering, thresholds and standard errors against DESeq2 in R, given R's own values for what comes before them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exoliver.inference.filtering import filter_independently
from exoliver.inference.wald import Fit, contrast_covariances, wald_test

FOLDER = Path("reference") / "R_DESeq2_1.38.3"
ALPHA = {
    "dlpc__Disease_vs_Chow": 0.1,
    "dlpc__DiseaseAgonist_vs_Disease": 0.1,
    "dlpc__DiseaseAgonist_vs_Chow": 0.1,
    "airway__celltype_dex__treated_vs_control": 0.1,
    "airway__LRT_dex": 0.1,
    "bv2EV__IL10EV_vs_controlEV_12samples": 0.1,
    "bv2EV__LPSEV_vs_controlEV_12samples": 0.1,
    "bv2EV__TGFBEV_vs_controlEV_12samples": 0.1,
    "bv2EV__LPSEV_vs_controlEV_6samples_alpha0.05": 0.05,
    "fission__LRT_strain_x_minute": 0.1,
    "fission__Wald_wt_minute15_vs_0": 0.1,
    "fission__Wald_strainmut.minute30": 0.1,
    "c3h__LRT_photoperiod_x_zt": 0.1,
    "c3h__LRT_zt_additive": 0.1,
}
DLPC = {
    "dlpc__Disease_vs_Chow": ("healthy", "injured"),
    "dlpc__DiseaseAgonist_vs_Disease": ("injured", "treated"),
    "dlpc__DiseaseAgonist_vs_Chow": ("healthy", "treated"),
}


def read(shared: Path, name: str) -> pd.DataFrame:
    """One of R's tables, indexed by gene."""
    return pd.read_csv(shared / FOLDER / f"{name}.tsv.gz", sep="\t", index_col=0)


@pytest.mark.parametrize("name", ALPHA)
def test_adjusted_pvalues_are_those_of_r(shared: Path, name: str) -> None:
    """Given R's p-values and means: the same genes are left out, the others have R's adjusted p-values."""
    table = read(shared, name)
    ours = filter_independently(table["pvalue"].to_numpy(), table["baseMean"].to_numpy(), alpha=ALPHA[name])
    theirs = table["padj"].to_numpy()
    np.testing.assert_array_equal(np.isnan(ours), np.isnan(theirs))
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-8)
    for level in (0.05, 0.1):
        np.testing.assert_array_equal(ours < level, theirs < level)


def test_the_test_against_a_threshold_is_that_of_r(shared: Path) -> None:
    """Given R's estimates and errors: statistic and p-value of `greaterAbs` at a log2 fold change of 1."""
    table = read(shared, "airway__Wald_lfcThreshold1").dropna(subset=["log2FoldChange"])
    ours = wald_test(
        table["log2FoldChange"].to_numpy() * np.log(2),
        (table["lfcSE"].to_numpy() * np.log(2)) ** 2,
        threshold=np.log(2),
    )
    kept = table["pvalue"].notna().to_numpy()  # R takes the p-value of count outliers away afterwards
    assert kept.sum() > 20_000
    np.testing.assert_allclose(ours.stat[kept], table["stat"].to_numpy()[kept], rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(ours.pvalue[kept], table["pvalue"].to_numpy()[kept], rtol=1e-9, atol=1e-300)


def maximised(counts: np.ndarray, size_factors: np.ndarray, dispersions: np.ndarray) -> np.ndarray:
    """Log mean of each gene in one cell (samples x genes) by Newton steps on its likelihood."""
    means = (counts / size_factors[:, None]).mean(axis=0)
    for _ in range(60):
        expected = means * size_factors[:, None]
        weight = 1 / (1 + expected * dispersions)
        score = ((counts - expected) * weight).sum(axis=0)
        means = means * np.exp(np.clip(score / (expected * weight).sum(axis=0), -1, 1))
    return np.log(means)


def test_standard_errors_are_those_of_r(shared: Path) -> None:
    """Given R's dispersions and size factors: estimates and errors of the three contrasts of DLPC."""
    counts = pd.read_csv(shared / "data/dlpc_mouse_liver/counts.tsv.gz", sep="\t", index_col=0)
    samples = pd.read_csv(shared / "data/dlpc_mouse_liver/samples.tsv", sep="\t", index_col=0)
    factors = pd.read_csv(shared / FOLDER / "dlpc.sizeFactors.tsv", sep="\t", index_col=0)["sizeFactor"]
    facts = read(shared, "dlpc.dispersions").loc[counts.index]
    counts, factors = counts[samples.index].T, factors.loc[samples.index]
    groups = {arm: (samples["group"] == arm).to_numpy() for arm in ("healthy", "injured", "treated")}
    normalised = counts.to_numpy() / factors.to_numpy()[:, None]
    # Genes with a mean count of 1 and more in every arm, and no count that R replaced (their mean would differ).
    chosen = np.all([normalised[rows].mean(axis=0) > 1 for rows in groups.values()], axis=0)
    chosen &= np.isclose(normalised.mean(axis=0), facts["baseMean"], rtol=1e-9)
    assert chosen.sum() > 15_000
    dispersions = facts["dispersion"].to_numpy()[chosen]
    values = counts.to_numpy()[:, chosen]
    coefficients = [maximised(values[rows], factors.to_numpy()[rows], dispersions) for rows in groups.values()]
    design = np.column_stack(list(groups.values())).astype(float)
    fit = Fit(np.column_stack(coefficients), dispersions, design, factors.to_numpy())
    for name, (base, arm) in DLPC.items():
        row = np.array([[float(group == arm) - float(group == base) for group in groups]])
        ours = wald_test(fit.coefficients @ row[0], contrast_covariances(fit, [row])[0][:, 0, 0], threshold=0.0)
        theirs = read(shared, name).loc[counts.columns[chosen]]
        np.testing.assert_allclose(ours.estimate / np.log(2), theirs["log2FoldChange"], rtol=0, atol=1e-3)
        np.testing.assert_allclose(ours.se / np.log(2), theirs["lfcSE"], rtol=1e-4)
