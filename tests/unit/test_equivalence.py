"""Head to head: two one-sided tests against statsmodels and by hand, and what they say of planted products."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from scipy.stats import false_discovery_control
from statsmodels.stats.weightstats import ttost_ind

from exoliver.contrasts import Cell
from exoliver.equivalence import compare_products, equivalence_pvalues
from exoliver.linear import Estimates, estimate_linear, fit_linear
from exoliver.programmes import ProgrammeFit
from exoliver.tables import EQUIVALENCE
from tests.toy_programmes import (
    DAYS,
    SETTINGS,
    UNSCORED,
    Dataset,
    fit_of,
    make_dataset,
    planted_scores,
    read_back,
    row_of,
    setting_of,
)
from tests.toy_programmes import PROGRAMMES as SETS

MARGIN = SETTINGS["equivalence_margin"]
ROLES = {"chow": "healthy", "pnac": "injured", "msc": "treated", "ev": "treated", "drug": "control_product"}
NONE: tuple[float | None, ...] = (None,)
NUMBERS = ["estimate", "se", "df", "ci_low", "ci_high", "pvalue", "padj"]
# Difference of ev and msc, and the spread of samples around their arm.
PLANTED = {
    "same": (0.0, 0.1, "equivalent"),
    "slight": (0.2, 0.05, "small_difference"),
    "other": (-2.0, 0.1, "different"),
    "noisy": (0.2, 0.5, "undecided"),
}


@pytest.fixture(scope="module")
def made() -> Dataset:
    """Three products at one time."""
    return make_dataset(dict.fromkeys(ROLES, NONE), roles=ROLES)


@pytest.fixture(scope="module")
def planted(made: Dataset) -> tuple[ProgrammeFit, pd.DataFrame]:
    """The models of planted scores: ev apart from msc, and drug as msc."""
    means = {name: dict.fromkeys(ROLES, 1.0) | {"ev": 1.0 + apart} for name, (apart, _, _) in PLANTED.items()}
    return fit_of(made, planted_scores(made, means, spread={name: noise for name, (_, noise, _) in PLANTED.items()}))


def compare(made: Dataset, fit: ProgrammeFit, programmes: pd.DataFrame, **settings: Any) -> pd.DataFrame:
    """The table."""
    return compare_products(fit, made.contrasts, programmes=programmes, settings=SETTINGS | settings)


def compare_scored(made: Dataset) -> pd.DataFrame:
    """The table of the programmes that are scored in a dataset."""
    setting = setting_of(made)
    return compare(made, setting.fit, setting.programmes.table)


def of(table: pd.DataFrame, contrast: str) -> pd.DataFrame:
    """Rows of one contrast, by programme."""
    return table[table["contrast"] == contrast].set_index("programme")


@pytest.mark.parametrize("margin", [0.2, 0.7, 1.5])
def test_pvalues_are_those_of_statsmodels(margin: float) -> None:
    """Two groups of unequal size with a common variance."""
    rng = np.random.default_rng(7)
    scores = rng.normal(size=(11, 30)) + rng.normal(size=30) * np.repeat([0.0, 1.0], [5, 6])[:, None]
    design = np.repeat(np.eye(2), [5, 6], axis=0)
    found = equivalence_pvalues(estimate_linear(fit_linear(scores, design), np.array([[-1.0, 1.0]])), margin)
    assert found.shape == (30, 1)
    for place in range(30):
        expected, _, _ = ttost_ind(scores[5:, place], scores[:5, place], -margin, margin, usevar="pooled")
        assert found[place, 0] == pytest.approx(expected, rel=1e-9)


def test_pvalues_are_the_larger_of_two_tails() -> None:
    """By scipy's t distribution; mirrored estimates have the same one, and a wider margin a smaller one."""
    estimate, se, df = np.array([[0.1, -0.1, 0.4]]), np.array([0.2, 0.2, 0.1]), np.array([[6.0, 6.0, 30.5]])
    effects = Estimates(estimate, np.diag(se**2)[None], df)
    found = equivalence_pvalues(effects, MARGIN)[0]
    for place in range(3):
        above = scipy.stats.t.sf((estimate[0, place] + MARGIN) / se[place], df[0, place])
        below = scipy.stats.t.cdf((estimate[0, place] - MARGIN) / se[place], df[0, place])
        assert found[place] == pytest.approx(max(above, below), rel=1e-10)
    assert found[0] == found[1]
    assert found[2] > 0.5
    assert (equivalence_pvalues(effects, 2 * MARGIN)[0] < found).all()


def test_an_effect_at_the_margin_is_as_likely_beyond_as_within() -> None:
    """Its p-value is one half, on either side."""
    effects = Estimates(np.array([[MARGIN, -MARGIN]]), np.diag([0.01, 0.04])[None], np.array([[9.0, 9.0]]))
    np.testing.assert_allclose(equivalence_pvalues(effects, MARGIN), 0.5, rtol=1e-9)


def test_a_pvalue_below_five_per_cent_is_an_interval_inside_the_margin() -> None:
    """The interval of 90 % that the table gives, for any estimate and error."""
    rng = np.random.default_rng(5)
    estimate, se = rng.uniform(-0.5, 0.5, (400, 1)), rng.uniform(0.01, 0.3, (400, 1, 1))
    effects = Estimates(estimate, se**2, np.full((400, 1), 8.0))
    low, high = effects.interval(0.9)
    is_inside = (low > -MARGIN) & (high < MARGIN)
    assert 50 < is_inside.sum() < 350
    np.testing.assert_array_equal(equivalence_pvalues(effects, MARGIN) < 0.05, is_inside)


def test_a_missing_estimate_has_no_pvalue() -> None:
    """NaN in, NaN out, without a warning."""
    effects = Estimates(np.array([[np.nan], [0.1]]), np.array([[[np.nan]], [[0.01]]]), np.array([[np.nan], [8.0]]))
    assert np.isnan(equivalence_pvalues(effects, MARGIN)).tolist() == [[True], [False]]


@pytest.mark.parametrize("name", PLANTED)
def test_verdicts_are_those_of_planted_products(
    made: Dataset, planted: tuple[ProgrammeFit, pd.DataFrame], name: str
) -> None:
    """The same within the margin, slightly apart, far apart, and too noisy to tell."""
    row = of(compare(made, *planted), "ev_vs_msc").loc[name]
    assert row["estimate"] == pytest.approx(PLANTED[name][0], abs=1e-12)
    assert row["verdict"] == PLANTED[name][2]


def test_numbers_are_recomputed_by_hand(made: Dataset, planted: tuple[ProgrammeFit, pd.DataFrame]) -> None:
    """Error from the spread, interval of 90 %, p-values and their correction over the programmes of a contrast."""
    rows = of(compare(made, *planted), "ev_vs_msc")
    spread = np.array([noise for _, noise, _ in PLANTED.values()])
    df = 20 - 5
    np.testing.assert_allclose(rows["se"], np.sqrt(20 * spread**2 / df * (1 / 4 + 1 / 4)), rtol=1e-9)
    assert set(rows["df"]) == {df}
    half = scipy.stats.t.ppf(0.95, df) * rows["se"]
    np.testing.assert_allclose(rows["ci_low"], rows["estimate"] - half, atol=1e-9)
    np.testing.assert_allclose(rows["ci_high"], rows["estimate"] + half, atol=1e-9)
    tails = [scipy.stats.t.sf((side * rows["estimate"] + MARGIN) / rows["se"], df) for side in (1, -1)]
    np.testing.assert_allclose(rows["pvalue"], np.maximum(*tails), rtol=1e-8)
    np.testing.assert_allclose(rows["padj"], false_discovery_control(rows["pvalue"]), rtol=1e-9)
    assert set(rows["margin"]) == {MARGIN}


def test_verdicts_are_by_corrected_tests(made: Dataset) -> None:
    """Equivalence and difference each over the programmes: what .04 says alone it does not say among many."""
    df = 20 - 5
    noise = 0.1
    se = np.sqrt(20 * noise**2 / df / 2)
    apart = scipy.stats.t.isf(0.02, df) * se  # two-sided p-value of .04
    means = {f"p{place}": dict.fromkeys(ROLES, 0.0) | {"ev": apart if place == 0 else 0.0} for place in range(4)}
    scores = planted_scores(made, means, spread=dict.fromkeys(means, noise))
    alone = compare(made, *fit_of(made, scores[["p0"]]), equivalence_margin=0.01)
    among = compare(made, *fit_of(made, scores), equivalence_margin=0.01)
    assert of(alone, "ev_vs_msc").loc["p0", "verdict"] == "different"
    assert of(among, "ev_vs_msc").loc["p0", "verdict"] == "undecided"


def test_the_level_of_verdicts_is_the_study_s(made: Dataset, planted: tuple[ProgrammeFit, pd.DataFrame]) -> None:
    """At an impossible level nothing is decided, and numbers stay."""
    strict, usual = compare(made, *planted, fdr=0.0), compare(made, *planted)
    assert set(strict["verdict"]) == {"undecided"}
    pd.testing.assert_frame_equal(strict.drop(columns="verdict"), usual.drop(columns="verdict"))


def test_every_pair_of_products_is_compared_and_nothing_else(
    made: Dataset, planted: tuple[ProgrammeFit, pd.DataFrame]
) -> None:
    """Contrasts in their order, programmes as given; injury and treatment are no pair of products."""
    table = compare(made, *planted)
    assert tuple(table.columns) == EQUIVALENCE
    assert table["contrast"].drop_duplicates().tolist() == ["ev_vs_msc", "drug_vs_msc", "drug_vs_ev"]
    assert table["programme"].tolist() == list(PLANTED) * 3
    alone = make_dataset({"chow": NONE, "pnac": NONE, "agonist": NONE})
    fit, programmes = fit_of(
        alone, planted_scores(alone, {"same": dict.fromkeys(ROLES | {"agonist": ""}, 0.0)}, spread={"same": 1.0})
    )
    assert len(compare(alone, fit, programmes)) == 0


def test_products_are_compared_at_each_time_and_averaged() -> None:
    """A time that one of them lacks is rows with a note and no verdict."""
    times = dict.fromkeys(ROLES, (*DAYS, 14.0)) | {"ev": DAYS}
    made = make_dataset(times, roles=ROLES)
    table = compare_scored(made)
    own = table[table["contrast"].str.startswith("ev_vs_msc")]
    parts = ["ev_vs_msc", *(f"ev_vs_msc__{day}d" for day in (1, 7, 14))]
    assert own["contrast"].drop_duplicates().tolist() == parts
    lost = of(table, "ev_vs_msc__14d")
    assert lost[[*NUMBERS, "verdict"]].isna().all(axis=None)
    assert lost.loc[["alpha", "half"], "note"].tolist() == ["missing_cell", "missing_cell;low_coverage"]
    assert of(table, "ev_vs_msc").loc["alpha", "note"] == "times_left_out:14d"
    assert of(table, "ev_vs_msc__7d").loc["alpha", "note"] == ""
    mean = (of(table, "ev_vs_msc__1d")["estimate"] + of(table, "ev_vs_msc__7d")["estimate"]) / 2
    np.testing.assert_allclose(of(table, "ev_vs_msc")["estimate"].astype(float), mean.astype(float), rtol=1e-9)


def test_programmes_are_tested_with_moderated_variances(made: Dataset) -> None:
    """Estimates, errors and degrees of freedom of the effects table; one without a score is a row with its note."""
    setting = setting_of(made)
    rows = of(compare(made, setting.fit, setting.programmes.table), "ev_vs_msc")
    assert rows.index.tolist() == sorted(SETS)
    effects = estimate_linear(setting.fit.moderated, row_of(made.contrast["ev_vs_msc"], setting.fit.columns)[None])
    scored = rows.loc[list(setting.fit.names)]
    np.testing.assert_allclose(scored["estimate"].astype(float), effects.estimate[:, 0], rtol=1e-12)
    np.testing.assert_allclose(scored["se"].astype(float), effects.se[:, 0], rtol=1e-12)
    assert (scored["df"].astype(float) > 15).all()
    assert {name: rows.loc[name, "note"] for name in UNSCORED} == UNSCORED
    assert rows.loc[list(UNSCORED), [*NUMBERS, "verdict"]].isna().all(axis=None)
    assert set(scored["verdict"]) <= {"equivalent", "small_difference", "different", "undecided"}


def test_swapping_two_products_mirrors_the_numbers() -> None:
    """The later product is set against the earlier one; verdicts and p-values do not mind."""
    times = {arm: NONE for arm in ROLES if arm != "drug"}
    roles = {arm: ROLES[arm] for arm in times}
    swapped = {arm: roles[arm] for arm in ("chow", "pnac", "ev", "msc")}
    tables = []
    for own, name in ((roles, "ev_vs_msc"), (swapped, "msc_vs_ev")):
        made = make_dataset(times, roles=own)
        setting = setting_of(made)
        tables.append(of(compare(made, setting.fit, setting.programmes.table), name).loc[list(setting.fit.names)])
    one, other = tables
    np.testing.assert_allclose(other["estimate"].astype(float), -one["estimate"].astype(float), rtol=1e-8)
    np.testing.assert_allclose(other["ci_low"].astype(float), -one["ci_high"].astype(float), rtol=1e-8)
    np.testing.assert_allclose(other["padj"].astype(float), one["padj"].astype(float), rtol=1e-8)
    assert other["verdict"].tolist() == one["verdict"].tolist()


def test_a_score_that_is_missing_has_no_verdict() -> None:
    """Unreplicated donors leave programmes without numbers: their verdict is empty."""
    made = make_dataset(dict.fromkeys(ROLES, DAYS), roles=ROLES, donors=1)
    table = compare_scored(made)
    assert table[NUMBERS].isna().all(axis=None)
    assert set(table["verdict"].fillna("")) == {""}
    assert table["note"].str.contains("donors_unreplicated").all()


def test_products_at_different_bases_are_no_pair() -> None:
    """One on injured and one on healthy animals, or on different injuries."""
    roles = {"chow": "healthy", "pnac": "injured", "bdl": "injured", "msc": "treated", "ev": "treated"}
    made = make_dataset(dict.fromkeys(roles, NONE), roles=roles, msc={"against": "pnac"}, ev={"against": "bdl"})
    assert len(compare_scored(made)) == 0


def test_tables_are_written_and_read_back(made: Dataset, tmp_path: Path) -> None:
    """With rows, without programmes and without contrasts."""
    setting, bare = setting_of(made), setting_of(made, {})
    for own, contrasts in ((setting, made.contrasts), (bare, made.contrasts), (setting, ())):
        table = compare_products(own.fit, contrasts, programmes=own.programmes.table, settings=SETTINGS)
        assert len(table) == (len(SETS) * 3 if own is setting and contrasts else 0)
        again, expected = read_back(table, EQUIVALENCE, path=tmp_path / "table.tsv")
        pd.testing.assert_frame_equal(again, expected, rtol=1e-8)


def test_a_cell_with_one_sample_still_has_a_comparison() -> None:
    """Its variance is that of all cells."""
    made = make_dataset(dict.fromkeys(ROLES, NONE), roles=ROLES, single=[Cell("ev", None)])
    setting = setting_of(made)
    rows = of(compare(made, setting.fit, setting.programmes.table), "ev_vs_msc").loc[list(setting.fit.names)]
    assert rows[NUMBERS].notna().all(axis=None)
