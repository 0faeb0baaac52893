"""Error rates and recovery of the count model over thousands of genes with known truth."""

from __future__ import annotations

import pandas as pd
import pytest

from exoliver.contrasts import Cell, Contrast
from exoliver.differential import estimate_contrasts, fit_model
from exoliver.study import GeneFilter
from tests.toy_model import RESCUE, make_arms, make_counts, make_genes, make_intake, make_samples

pytestmark = pytest.mark.calibration

GENES = 2000
SHIFT = 1.5
# As many up as down, since size factors take the median gene for unchanged.
PLANTED = {f"g{gene:04d}": SHIFT * (-1) ** (gene // 10) for gene in range(0, GENES, 10)}


def fitted(
    samples: pd.DataFrame, counts: pd.DataFrame, unit: str | None
) -> tuple[list[Contrast], dict[str, pd.DataFrame]]:
    """Contrasts of the three arms, and their tables of the genes tested."""
    model = fit_model(
        counts,
        samples,
        intake=make_intake(list(RESCUE)),
        gene_filter=GeneFilter(min_count=10, min_samples=None),
        threads=1,
    )
    contrasts, tables = estimate_contrasts(
        model,
        counts,
        genes=make_genes(list(model.genes)),
        arms=make_arms(RESCUE),
        unit=unit,
        extra={},
        fdr=0.05,
        threshold=0.0,
        threads=1,
    )
    return contrasts, {name: table[model.takes_part] for name, (table, _) in tables.items()}


@pytest.fixture(scope="module")
def null() -> dict[str, pd.DataFrame]:
    """Three arms of four without any effect."""
    samples = make_samples({Cell(arm, None): 4 for arm in RESCUE})
    return fitted(samples, make_counts(samples, genes=GENES, seed=101), None)[1]


@pytest.fixture(scope="module")
def planted() -> dict[str, pd.DataFrame]:
    """Three arms of four; injury doubles and more every tenth gene, treatment takes all of it back."""
    samples = make_samples({Cell(arm, None): 4 for arm in RESCUE})
    shifts = {Cell("pnac", None): {int(name[1:]): shift for name, shift in PLANTED.items()}}
    return fitted(samples, make_counts(samples, genes=GENES, seed=102, shifts=shifts), None)[1]


@pytest.mark.parametrize("name", ["pnac_vs_chow", "agonist_vs_pnac", "agonist_vs_chow"])
def test_pvalues_are_uniform_without_an_effect(null: dict[str, pd.DataFrame], name: str) -> None:
    """Of about 1,900 genes .05 are below .05, give or take .005 by chance; half are below .5; next to none is found."""
    pvalues = null[name]["pvalue"].dropna()
    assert len(pvalues) > 1800
    assert 0.03 < (pvalues < 0.05).mean() < 0.07
    assert 0.45 < (pvalues < 0.5).mean() < 0.55
    assert (null[name]["padj"] < 0.05).sum() <= 5


def truth_of(table: pd.DataFrame, name: str) -> pd.Series:
    """The planted log2 fold change of every gene in a contrast."""
    sign = {"pnac_vs_chow": 1, "agonist_vs_pnac": -1, "agonist_vs_chow": 0}[name]
    return sign * table["gene_id"].map(PLANTED).fillna(0.0)


@pytest.mark.parametrize("name", ["pnac_vs_chow", "agonist_vs_pnac"])
def test_planted_effects_are_found_with_their_sign(planted: dict[str, pd.DataFrame], name: str) -> None:
    """Most of 200 genes that change 2.8-fold, all in the right direction, with a mean near the truth."""
    table = planted[name]
    truth = truth_of(table, name)
    found = table[(truth != 0) & (table["padj"] < 0.05)]
    assert len(found) / (truth != 0).sum() > 0.75
    assert (found["log2_fold_change"] * truth[found.index] > 0).all()
    for sign in (-1, 1):
        estimates = table.loc[truth * sign > 0, "log2_fold_change"]
        assert estimates.mean() == pytest.approx(sign * SHIFT, abs=0.15)


@pytest.mark.parametrize("name", ["pnac_vs_chow", "agonist_vs_pnac"])
def test_false_discoveries_are_below_a_tenth(planted: dict[str, pd.DataFrame], name: str) -> None:
    """At a level of .05 up to .10: the normal reference is optimistic with four replicates, whoever computes it."""
    table = planted[name]
    found = table["padj"] < 0.05
    # Measured .075 over six draws (157 of 2,097); one draw of about 175 genes lies within .02 of it.
    assert (found & (truth_of(table, name) == 0)).sum() / found.sum() <= 0.1


def test_a_gene_that_is_restored_is_not_called_different_from_healthy(planted: dict[str, pd.DataFrame]) -> None:
    """Treatment takes the injury back: the distance to health is a null like any other."""
    pvalues = planted["agonist_vs_chow"]["pvalue"].dropna()
    assert 0.03 < (pvalues < 0.05).mean() < 0.07


@pytest.mark.parametrize("name", ["pnac_vs_chow", "agonist_vs_pnac", "agonist_vs_chow"])
def test_intervals_cover_the_truth(planted: dict[str, pd.DataFrame], name: str) -> None:
    """Estimate plus or minus 1.96 standard errors, over all genes: .95, give or take .005 by chance."""
    table = planted[name].dropna(subset=["pvalue"])
    covered = (table["log2_fold_change"] - truth_of(table, name)).abs() < 1.96 * table["lfc_se"]
    assert 0.93 < covered.mean() < 0.97


def test_changes_and_omnibus_tests_are_uniform_without_an_effect() -> None:
    """Three arms, two times, four each: at .05 between .03 and .08, as the omnibus statistic runs a little high."""
    samples = make_samples({Cell(arm, time): 4 for arm in RESCUE for time in (1.0, 7.0)})
    contrasts, tables = fitted(samples, make_counts(samples, genes=GENES, seed=103), "day")
    assert len(contrasts) == 15
    for contrast in contrasts:
        for column in ("pvalue", "wald_pvalue") if contrast.is_omnibus else ("pvalue",):
            share = (tables[contrast.id][column].dropna() < 0.05).mean()
            assert 0.03 < share < 0.08, f"{contrast.id} {column}: {share:.3f}"
