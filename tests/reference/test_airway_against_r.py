"""Airway against DESeq2 in R, which draws the variance of the prior at random where three degrees of freedom remain.

Ours is computed. So everything is compared twice: given R's draw, where it has to be the same, and by our own prior,
where it has to be near.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exoliver.inference.batched import BatchedInference
from exoliver.inference.dataset import BatchedDataSet
from exoliver.inference.filtering import filter_independently
from exoliver.inference.likelihood_ratio import likelihood_ratio_test
from exoliver.inference.wald import Fit, contrast_covariances, wald_test
from tests.deseq2_in_r import (
    ALPHA,
    LEVELS,
    SOURCES,
    THREADS,
    analyse,
    apart,
    fitted,
    jaccard,
    likelihood_ratios,
    read_data,
    read_r,
    significant,
    trend_of_r,
)

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")]

LOG2 = np.log(2)

# The variance of the prior that R's draws led to, found by inverting its dispersions: a point of its grid of 1,000
# between 0 and 8.
STEP_OF_R = 8 / 999
PRIOR_OF_R = 66 * STEP_OF_R


class PriorOfR(BatchedDataSet):
    """The variance of the prior that R drew in the place of our own, which is kept as `own_prior`."""

    own_prior: float

    def fit_dispersion_prior(self) -> None:
        """The residuals' variance is our own."""
        super().fit_dispersion_prior()
        self.own_prior = float(self.uns["prior_disp_var"])
        self.uns["prior_disp_var"] = PRIOR_OF_R

    def tested(self, name: str) -> pd.DataFrame:
        """Log2 fold change, statistic and p-value of dexamethasone over all genes, by one of three tests."""
        present = self.var["dispersions"].notna().to_numpy()
        coefficients = self.varm["LFC"].to_numpy()[present]
        fit = Fit(coefficients, self.var["dispersions"].to_numpy()[present], self._matrix, self._sizes)
        row = np.eye(coefficients.shape[1])[-1:]
        variance = contrast_covariances(fit, [row])[0][:, 0, 0]
        wald = wald_test(coefficients[:, -1], variance, threshold=LOG2 if "Threshold" in name else 0.0)
        stat, pvalue = wald.stat, wald.pvalue
        if name.startswith("LRT"):
            stat, pvalue = likelihood_ratio_test(fit, self.X[:, present], rows=row, threads=THREADS)
        columns = {"estimate": coefficients[:, -1] / LOG2, "stat": stat, "pvalue": pvalue}
        table = pd.DataFrame(columns, index=self.var_names[present]).reindex(self.var_names)
        table.loc[self.var["_pvalue_cooks_outlier"].to_numpy(dtype=bool), "pvalue"] = np.nan
        return table


@pytest.fixture(scope="module")
def by_prior_of_r(shared: Path) -> PriorOfR:
    """The fit under R's own coding and with the prior that it drew."""
    counts, samples = read_data(shared, "airway")
    donors = {name: samples["donor"] == name for name in sorted(samples["donor"].unique())[1:]}
    columns = {"intercept": 1.0, **donors, "dex": samples["arm"] == "treated"}
    design = pd.DataFrame(columns, index=samples.index).astype(float)
    data = PriorOfR(counts=counts, metadata=samples, design=design, inference=BatchedInference(THREADS), quiet=True)
    data.deseq2()
    return data


@pytest.fixture(scope="module")
def beyond(shared: Path) -> pd.DataFrame:
    """The test against a log2 fold change of 1."""
    counts, samples = read_data(shared, "airway")
    return analyse(counts, samples, source=SOURCES["airway"], threshold=1.0).tables["treated_vs_control"]


def test_gene_wise_dispersions_are_those_of_r(shared: Path, by_prior_of_r: PriorOfR) -> None:
    """Under R's coding; below 1e-6 they are as good as zero, and rounding decides between the points of R's grid."""
    theirs = read_r(shared, "airway.dispersions")["dispGeneEst"].loc[by_prior_of_r.var_names]
    ours = by_prior_of_r.var["genewise_dispersions"]
    differences = apart(ours, theirs)
    known = (theirs > 1e-6).to_numpy()
    assert known.sum() > 9000
    assert differences[known].max() <= 1e-6
    assert (ours[(theirs <= 1e-6).to_numpy()] <= 1e-6).all()


def test_the_trend_of_dispersions_is_that_of_r(shared: Path, by_prior_of_r: PriorOfR) -> None:
    """Under R's coding."""
    theirs = trend_of_r(read_r(shared, "airway.dispersions"))
    np.testing.assert_allclose(by_prior_of_r.uns["trend_coeffs"], theirs, rtol=1e-8)


def test_the_coding_hardly_moves_the_trend(shared: Path) -> None:
    """The ridge of 1e-6 is on the coded coefficients: with means of cells for an intercept, the trend moves by 3e-6."""
    theirs = trend_of_r(read_r(shared, "airway.dispersions"))
    np.testing.assert_allclose(fitted(shared, "airway").model.trend, theirs, rtol=1e-5)


def test_the_computed_prior_is_near_the_drawn_one(by_prior_of_r: PriorOfR) -> None:
    """Two points of R's grid further: .5445 instead of .5285."""
    assert abs(by_prior_of_r.own_prior - PRIOR_OF_R) < 2.5 * STEP_OF_R


def test_given_the_drawn_prior_dispersions_are_those_of_r(shared: Path, by_prior_of_r: PriorOfR) -> None:
    """Genes of a mean count above 10."""
    theirs = read_r(shared, "airway.dispersions").loc[by_prior_of_r.var_names]
    assert apart(by_prior_of_r.var["dispersions"], theirs["dispersion"])[theirs["baseMean"] > 10].max() <= 1e-4


@pytest.mark.parametrize("name", ["celltype_dex__treated_vs_control", "Wald_lfcThreshold1", "LRT_dex"])
def test_given_the_drawn_prior_tests_are_those_of_r(shared: Path, by_prior_of_r: PriorOfR, name: str) -> None:
    """Fold changes, statistics and significant genes of Wald test, threshold and likelihood ratio."""
    ours = by_prior_of_r.tested(name)
    theirs = read_r(shared, f"airway__{name}").loc[ours.index]
    ours["padj"] = filter_independently(ours["pvalue"].to_numpy(), theirs["baseMean"].to_numpy(), alpha=ALPHA)
    np.testing.assert_allclose(ours["estimate"], theirs["log2FoldChange"], rtol=0, atol=1e-6)
    np.testing.assert_allclose(ours["stat"], theirs["stat"], rtol=0, atol=1e-3)
    for level in LEVELS:
        assert len(significant(theirs, level)) > 200
        assert significant(ours, level) == significant(theirs, level)


@pytest.mark.parametrize("level", LEVELS)
def test_significant_genes_agree_with_r(shared: Path, level: float) -> None:
    """By our own prior: a Jaccard of .99 and more for Wald test and likelihood ratio."""
    dataset = fitted(shared, "airway")
    assert list(dataset.model.columns[:2]) == ["control", "treated"]
    row = np.array([[-1.0, 1.0, 0.0, 0.0, 0.0]])
    ratios = likelihood_ratios(dataset.model, dataset.counts, rows=row)
    wald = dataset.tables["treated_vs_control"]
    for ours, name in ((wald, "airway__celltype_dex__treated_vs_control"), (ratios, "airway__LRT_dex")):
        theirs = read_r(shared, name).loc[ours.index]
        np.testing.assert_array_equal(ours["pvalue"].isna(), theirs["pvalue"].isna())
        assert len(significant(theirs, level)) > 3900
        assert jaccard(ours, theirs, level) >= 0.99


def test_fold_changes_are_those_of_r(shared: Path) -> None:
    """By our own prior; genes of a mean count above 10."""
    ours = fitted(shared, "airway").tables["treated_vs_control"]["log2_fold_change"]
    theirs = read_r(shared, "airway__celltype_dex__treated_vs_control").loc[ours.index]
    differences = (ours - theirs["log2FoldChange"]).abs()[theirs["baseMean"] > 10]
    assert len(differences) > 15_000
    assert (differences <= 1e-3).mean() >= 0.999


@pytest.mark.parametrize("level", LEVELS)
def test_genes_beyond_a_threshold_agree_with_r(shared: Path, beyond: pd.DataFrame, level: float) -> None:
    """By our own prior: a Jaccard of .99 and more beyond a log2 fold change of 1."""
    theirs = read_r(shared, "airway__Wald_lfcThreshold1").loc[beyond.index]
    assert len(significant(theirs, level)) > 200
    assert jaccard(beyond, theirs, level) >= 0.99
