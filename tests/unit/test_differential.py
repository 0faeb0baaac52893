"""The fit and its contrasts on counts with planted truth: nothing lost, everything named, effects found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from exoliver.contrasts import Cell, Contrast
from exoliver.differential import estimate_contrasts, fit_model
from exoliver.model import Model
from exoliver.study import GeneFilter
from exoliver.tables import CONTRAST, OMNIBUS, write_table
from tests.toy_model import RESCUE, make_arms, make_counts, make_extra, make_genes, make_intake, make_samples

GENES = 300
TIMES = (1.0, 7.0)
PLANTED = range(10, 40)
ALL_ZERO, LOW, ZERO_AT_DAY_1, OUTLIER = range(4)
DEFAULT_FILTER = GeneFilter(min_count=10, min_samples=None)
NO_FILTER = GeneFilter(min_count=0, min_samples=0)

Tables = dict[str, pd.DataFrame]


def draw(genes: int = GENES, replicates: int = 3) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Samples and counts of three arms at two times: injury adds 2 (log2) to planted genes, treatment takes 1 off."""
    samples = make_samples({Cell(arm, time): replicates for arm in RESCUE for time in TIMES})
    shift = {"pnac": 2.0, "agonist": 1.0}
    shifts = {Cell(arm, time): dict.fromkeys(PLANTED, size) for arm, size in shift.items() for time in TIMES}
    counts = make_counts(samples, genes=genes, seed=11, shifts=shifts)
    counts.iloc[:, ALL_ZERO] = 0
    counts.iloc[:, LOW] = np.arange(len(samples)) % 3
    counts.iloc[:, ZERO_AT_DAY_1] = np.where(samples["time"] == 1, 0, 200 + 9 * np.arange(len(samples)))
    counts.iloc[:, OUTLIER] = 40 + np.arange(len(samples)) % 5
    counts.iloc[0, OUTLIER] = 30_000
    return samples, counts


def fit(samples: pd.DataFrame, counts: pd.DataFrame, *, gene_filter: GeneFilter, threads: int = 1) -> Model:
    """The fit of the toy."""
    return fit_model(counts, samples, intake=make_intake(list(RESCUE)), gene_filter=gene_filter, threads=threads)


def estimate(
    model: Model, counts: pd.DataFrame, *, threshold: float = 0.0, extra: object = None, threads: int = 1
) -> tuple[list[Contrast], Tables]:
    """Contrasts and their tables, written under the declared columns."""
    contrasts, tables = estimate_contrasts(
        model,
        counts,
        genes=make_genes(list(model.genes)),
        arms=make_arms(RESCUE),
        unit="day",
        extra=make_extra(extra or {}),
        fdr=0.05,
        threshold=threshold,
        threads=threads,
    )
    for contrast in contrasts:
        table, columns = tables[contrast.id]
        assert columns == (OMNIBUS if contrast.is_omnibus else CONTRAST)
        assert set(table.columns) == set(columns)
    return contrasts, {name: table for name, (table, _) in tables.items()}


def injury_of(model: Model, counts: pd.DataFrame, *, fdr: float) -> pd.DataFrame:
    """The one effect of two arms without times."""
    arms, genes = make_arms({"chow": "healthy", "pnac": "injured"}), make_genes(list(model.genes))
    _, tables = estimate_contrasts(
        model, counts, genes=genes, arms=arms, unit=None, extra={}, fdr=fdr, threshold=0.0, threads=1
    )
    return tables["pnac_vs_chow"][0]


@pytest.fixture(scope="module")
def data() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Samples and counts."""
    return draw()


@pytest.fixture(scope="module")
def model(data: tuple[pd.DataFrame, pd.DataFrame]) -> Model:
    """The fit with the default gene filter."""
    return fit(*data, gene_filter=DEFAULT_FILTER)


@pytest.fixture(scope="module")
def tables(model: Model, data: tuple[pd.DataFrame, pd.DataFrame]) -> Tables:
    """Tables of all contrasts of that fit."""
    return estimate(model, data[1])[1]


@pytest.fixture(scope="module")
def whole(data: tuple[pd.DataFrame, pd.DataFrame]) -> Model:
    """The fit of every gene."""
    return fit(*data, gene_filter=NO_FILTER)


def test_every_table_has_a_row_for_every_gene(tables: Tables, data: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    """In the order of the counts, filtered or not."""
    assert len(tables) == 6 + 6 + 3
    for table in tables.values():
        assert table["gene_id"].tolist() == data[1].columns.tolist()
        assert table["symbol"].tolist() == [name.capitalize() for name in data[1].columns]
        assert table["note"].notna().all()


def test_filtered_genes_are_rows_with_a_note(
    model: Model, tables: Tables, data: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    """Those without ten counts in as many samples as the smallest cell has; they have a mean and no test."""
    lacking = (data[1] >= 10).sum(axis=0).to_numpy() < 3
    assert lacking[[ALL_ZERO, LOW]].all()
    np.testing.assert_array_equal(model.takes_part, ~lacking)
    table = tables["pnac_vs_chow__7d"]
    assert (table.loc[lacking, "note"] == "filtered").all()
    assert table.loc[lacking, ["log2_fold_change", "lfc_se", "stat", "pvalue", "padj"]].isna().all(axis=None)
    assert not table.loc[~lacking, "note"].str.contains("filtered").any()
    assert table.loc[LOW, "base_mean"] > 0


def test_size_factors_are_the_median_of_ratios(model: Model, data: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    """Over the genes that take part and have a count in every sample."""
    counts = data[1].loc[:, model.takes_part]
    logs = np.log(counts.loc[:, (counts > 0).all(axis=0)])
    expected = np.exp((logs - logs.mean(axis=0)).median(axis=1))
    np.testing.assert_allclose(model.size_factors, expected, rtol=1e-12)


def test_mean_counts_are_of_normalised_counts(model: Model, data: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    """Of every gene, those without a fit among them."""
    expected = (data[1].to_numpy() / model.size_factors[:, None]).mean(axis=0)
    np.testing.assert_allclose(model.base_mean, expected, rtol=1e-10)


def test_a_gene_without_counts_is_told_from_a_filtered_one(
    whole: Model, data: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    """It is `all_zero` where nothing is filtered, and has no numbers."""
    row = estimate(whole, data[1])[1]["pnac_vs_chow"].iloc[ALL_ZERO]
    assert (row["note"], row["base_mean"]) == ("all_zero", 0)
    assert row[["log2_fold_change", "lfc_se", "pvalue", "padj"]].isna().all()


def test_a_planted_effect_is_found(tables: Tables) -> None:
    """Injury and half its rescue, at each time and averaged, with their signs and sizes."""
    truth = {"pnac_vs_chow": 2.0, "agonist_vs_pnac": -1.0, "agonist_vs_chow": 1.0}
    for pair, shift in truth.items():
        for part in ("", "__1d", "__7d"):
            planted = tables[pair + part].loc[list(PLANTED)]
            # The mean of 30 estimates, each with a standard error below .45: 4 standard errors are below .33.
            assert planted["log2_fold_change"].mean() == pytest.approx(shift, abs=0.33)
    found = tables["pnac_vs_chow"].loc[list(PLANTED), "padj"] < 0.05
    assert found.mean() >= 0.9


def test_changes_are_rare_where_none_is_planted(tables: Tables) -> None:
    """The effect is the same at both times: of 297 genes 5 % are expected below .05, give or take 1.3 %."""
    for name in ("pnac_vs_chow__7d_vs_1d", "agonist_vs_pnac__7d_vs_1d"):
        assert (tables[name]["pvalue"].drop(index=ZERO_AT_DAY_1).dropna() < 0.05).mean() < 0.1


def test_an_averaged_effect_is_the_mean_of_its_times(tables: Tables) -> None:
    """Gene by gene, for every pair; a change is the difference. One without counts at a time is zero there by rule."""
    tables = {name: table.drop(index=ZERO_AT_DAY_1) for name, table in tables.items()}
    for pair in ("pnac_vs_chow", "agonist_vs_pnac", "agonist_vs_chow"):
        early, late = (tables[f"{pair}__{time}"]["log2_fold_change"] for time in ("1d", "7d"))
        np.testing.assert_allclose(tables[pair]["log2_fold_change"], (early + late) / 2, atol=1e-9)
    early, late = (tables[f"pnac_vs_chow__{time}"]["log2_fold_change"] for time in ("1d", "7d"))
    np.testing.assert_allclose(tables["pnac_vs_chow__7d_vs_1d"]["log2_fold_change"], late - early, atol=1e-9)


def test_estimate_error_and_statistic_are_on_one_scale(tables: Tables) -> None:
    """The statistic is the estimate over its error, both in log2; the p-value is its two-sided normal tail."""
    for name in ("pnac_vs_chow", "agonist_vs_pnac__7d"):
        table = tables[name].dropna(subset=["pvalue"])
        np.testing.assert_allclose(table["stat"], table["log2_fold_change"] / table["lfc_se"], rtol=1e-10)
        np.testing.assert_allclose(table["pvalue"], 2 * norm.sf(table["stat"].abs()), rtol=1e-10)


def test_the_distance_to_health_is_injury_plus_treatment(tables: Tables) -> None:
    """Estimates add up, since all contrasts are on one fit."""
    parts = [tables[pair]["log2_fold_change"] for pair in ("pnac_vs_chow", "agonist_vs_pnac", "agonist_vs_chow")]
    np.testing.assert_allclose(parts[0] + parts[1], parts[2], atol=1e-9)


def test_the_estimate_is_the_ratio_of_cell_means_where_noise_is_low(
    tables: Tables, model: Model, data: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    """For genes with hundreds of counts it agrees with the log ratio of mean normalised counts."""
    samples, counts = data
    normalised = counts.to_numpy() / model.size_factors[:, None]
    means = {arm: normalised[(samples["arm"] == arm) & (samples["time"] == 7)].mean(axis=0) for arm in ("chow", "pnac")}
    high = (means["chow"] > 300) & (np.arange(GENES) > OUTLIER)
    expected = np.log2(means["pnac"][high] / means["chow"][high])
    assert high.sum() > 30
    np.testing.assert_allclose(tables["pnac_vs_chow__7d"].loc[high, "log2_fold_change"], expected, atol=0.15)


def test_a_contrast_between_cells_without_counts_is_zero(tables: Tables) -> None:
    """Estimate 0, p-value 1, in any test that speaks of those cells alone; the other time is tested as ever."""
    row = tables["pnac_vs_chow__1d"].iloc[ZERO_AT_DAY_1]
    assert (row["log2_fold_change"], row["stat"], row["pvalue"]) == (0, 0, 1)
    assert tables["pnac_vs_chow__7d"].iloc[ZERO_AT_DAY_1]["pvalue"] < 1


def test_a_count_outlier_has_no_pvalue_and_says_so(tables: Tables) -> None:
    """With three replicates a count cannot be replaced: the gene is named, its estimate kept."""
    for table in tables.values():
        row = table.iloc[OUTLIER]
        assert "count_outlier" in row["note"].split(";")
        assert pd.isna(row["pvalue"])
    assert tables["pnac_vs_chow"].iloc[OUTLIER][["log2_fold_change", "lfc_se"]].notna().all()
    assert tables["pnac_vs_chow__any_time"].iloc[OUTLIER][["pvalue", "padj", "wald_pvalue"]].isna().all()


def test_a_gene_emptied_by_replaced_outliers_has_no_effect() -> None:
    """With seven replicates the one count is replaced by zero: estimate 0 and p-value 1, as in DESeq2."""
    samples = make_samples({Cell(arm, None): 7 for arm in ("chow", "pnac")})
    counts = make_counts(samples, genes=150, seed=8)
    counts.iloc[:, 5] = 0
    counts.iloc[2, 5] = 60
    model = fit_model(counts, samples, intake=make_intake(["chow", "pnac"]), gene_filter=NO_FILTER, threads=1)
    row = injury_of(model, counts, fdr=0.1).iloc[5]
    assert (row["base_mean"], row["log2_fold_change"], row["pvalue"]) == (0, 0, 1)
    assert "count_outlier" not in row["note"]


def test_notes_say_what_is_missing(tables: Tables) -> None:
    """An adjusted p-value is missing where the note says why, and nowhere else."""
    for name, table in tables.items():
        adjusted = table["padj"]
        reasons = {"filtered", "all_zero", "count_outlier", "low_count"}
        explained = [bool(reasons & set(note.split(";"))) for note in table["note"]]
        np.testing.assert_array_equal(adjusted.isna(), explained, err_msg=name)


def test_low_genes_left_out_by_independent_filtering_are_named() -> None:
    """Where the filter leaves genes out they keep their p-value and say `low_count`."""
    samples = make_samples({Cell(arm, None): 4 for arm in ("chow", "pnac")})
    rng = np.random.default_rng(6)
    counts = make_counts(samples, genes=400, seed=6, shifts={Cell("pnac", None): dict.fromkeys(range(200, 260), 2.5)})
    counts.iloc[:, :200] = rng.poisson(0.8, (8, 200))
    model = fit_model(counts, samples, intake=make_intake(["chow", "pnac"]), gene_filter=NO_FILTER, threads=1)
    table = injury_of(model, counts, fdr=0.1)
    low = table["note"] == "low_count"
    assert low.sum() > 50
    assert table.loc[low, "pvalue"].notna().all()
    assert table.loc[low, "base_mean"].max() < table.loc[~low & table["padj"].notna(), "base_mean"].min()


def test_the_likelihood_ratio_agrees_with_the_wald_test(tables: Tables) -> None:
    """Both ask the same of every gene that has a test; planted genes are found."""
    omnibus = tables["pnac_vs_chow__any_time"]
    assert set(omnibus["df"]) == {2}
    assert (omnibus.loc[list(PLANTED), "padj"] < 0.05).mean() > 0.9
    tested = omnibus[omnibus["pvalue"].notna() & (omnibus["pvalue"] < 1)]
    assert len(tested) > 0.8 * GENES
    assert tested["stat"].corr(tested["wald_stat"]) > 0.98
    np.testing.assert_array_equal(omnibus["pvalue"].isna(), omnibus["wald_pvalue"].isna())


def test_shrunken_effects_lie_between_none_and_the_estimate(tables: Tables) -> None:
    """Planted effects are hardly shrunken, those of noise a lot; no sign turns and none is larger."""
    for name in ("pnac_vs_chow", "agonist_vs_pnac__7d", "pnac_vs_chow__7d_vs_1d"):
        table = tables[name].dropna(subset=["log2_fold_change"])
        plain, shrunken = table["log2_fold_change"], table["shrunk_log2_fold_change"]
        assert (shrunken.abs() <= plain.abs() + 1e-12).all()
        assert (shrunken * plain >= 0).all()
    injury = tables["pnac_vs_chow"]
    share = injury["shrunk_log2_fold_change"] / injury["log2_fold_change"]
    assert share.iloc[list(PLANTED)].median() > 0.9
    assert share.iloc[PLANTED.stop :].median() < 0.8


def test_an_omnibus_test_of_two_times_is_the_squared_change(tables: Tables) -> None:
    """With two times `over_time` and the change ask the same."""
    change, omnibus = tables["pnac_vs_chow__7d_vs_1d"], tables["pnac_vs_chow__over_time"]
    np.testing.assert_allclose(omnibus["wald_stat"], change["stat"] ** 2, rtol=1e-8)
    np.testing.assert_allclose(omnibus["wald_pvalue"], change["pvalue"], rtol=1e-6)


def test_a_threshold_moves_the_null_and_not_the_estimate(
    model: Model, tables: Tables, data: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    """The estimate and its error stay; fewer genes pass."""
    beyond = estimate(model, data[1], threshold=1.0)[1]["pnac_vs_chow"]
    plain = tables["pnac_vs_chow"]
    for column in ("log2_fold_change", "lfc_se"):
        np.testing.assert_array_equal(beyond[column], plain[column])
    inside = plain["log2_fold_change"].abs() <= 1
    outside = ~inside & plain["pvalue"].notna()
    distance = (plain["log2_fold_change"].abs() - 1) * np.sign(plain["log2_fold_change"])
    np.testing.assert_allclose(beyond.loc[outside, "stat"], (distance / plain["lfc_se"])[outside], rtol=1e-10)
    assert (beyond.loc[inside & plain["pvalue"].notna(), "pvalue"] == 1).all()
    assert (beyond["padj"] < 0.05).sum() < (plain["padj"] < 0.05).sum()


def test_a_contrast_that_lacks_a_cell_is_a_table_of_missing_numbers(
    model: Model, data: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    """Every gene is a row with the reason."""
    odd = {"of": {"arm": "agonist", "time": 3}, "against": {"arm": "pnac", "time": 7}}
    table = estimate(model, data[1], extra={"odd": odd})[1]["odd"]
    assert table["note"].unique().tolist() == ["missing_cell"]
    assert table[["log2_fold_change", "pvalue", "padj"]].isna().all(axis=None)
    assert len(table) == GENES


def test_swapping_arms_flips_the_sign(model: Model, tables: Tables, data: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    """The mirrored contrast has the opposite estimate and the same p-value."""
    mirrored = {"of": {"arm": "chow"}, "against": {"arm": "pnac"}}
    back, forth = estimate(model, data[1], extra={"back": mirrored})[1]["back"], tables["pnac_vs_chow"]
    np.testing.assert_allclose(back["log2_fold_change"], -forth["log2_fold_change"], atol=1e-12)
    np.testing.assert_allclose(back["pvalue"], forth["pvalue"], rtol=1e-9)


def test_adding_a_contrast_changes_no_other_table(
    model: Model, tables: Tables, data: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    """The other tables are the same to the last digit."""
    odd = {"of": {"arm": "agonist", "time": 7}, "against": {"arm": "chow", "time": 1}}
    more = estimate(model, data[1], extra={"odd": odd})[1]
    for name, table in tables.items():
        pd.testing.assert_frame_equal(more[name], table)


def written(samples: pd.DataFrame, counts: pd.DataFrame, *, threads: int, folder: Path) -> dict[str, bytes]:
    """Bytes of every contrast's file."""
    model = fit(samples, counts, gene_filter=DEFAULT_FILTER, threads=threads)
    contrasts, tables = estimate(model, counts, threads=threads)
    for contrast in contrasts:
        columns = OMNIBUS if contrast.is_omnibus else CONTRAST
        write_table(tables[contrast.id], columns, path=folder / f"{contrast.id}.tsv")
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_threads_do_not_change_a_byte(tmp_path: Path) -> None:
    """One thread or two, over several blocks of genes: the same files."""
    samples, counts = draw(genes=1200)
    one, two = (written(samples, counts, threads=threads, folder=tmp_path / str(threads)) for threads in (1, 2))
    assert len(one) == 15
    assert one == two


def test_the_order_of_samples_and_genes_does_not_matter(
    model: Model, tables: Tables, data: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    """Shuffled counts give the same numbers; the import sorts both, which makes the bytes the same."""
    samples, counts = (table.sample(frac=1, random_state=5) for table in data)
    counts = counts.loc[samples.index].sample(frac=1, axis=1, random_state=6)
    shuffled = estimate(fit(samples, counts, gene_filter=DEFAULT_FILTER), counts)[1]
    for name in ("pnac_vs_chow", "agonist_vs_pnac__7d"):
        table = shuffled[name].set_index("gene_id").loc[tables[name]["gene_id"]].reset_index()
        assert (table["note"] == tables[name]["note"]).all()
        for column in ("base_mean", "log2_fold_change", "lfc_se"):
            np.testing.assert_allclose(table[column], tables[name][column], rtol=1e-3, atol=1e-4)


def test_a_cell_of_one_sample_is_named() -> None:
    """Its contrasts say `unreplicated`, those of other cells do not."""
    samples, counts = draw(genes=80)
    alone = ~((samples["arm"] == "agonist") & (samples["time"] == 7)).to_numpy()
    alone[np.flatnonzero(~alone)[0]] = True
    filtered = GeneFilter(min_count=10, min_samples=3)
    found = estimate(fit(samples[alone], counts[alone], gene_filter=filtered), counts[alone])[1]
    for name, table in found.items():
        parts = table["note"].str.split(";")
        speaks = name.startswith("agonist") and not name.endswith("__1d")
        assert all(("unreplicated" in note) == speaks for note in parts), name


def test_donors_take_their_share_of_the_variance() -> None:
    """With paired donors of very different levels the paired design finds what the unpaired one cannot."""
    samples = make_samples({Cell(arm, None): 4 for arm in ("chow", "pnac")}).assign(donor=["a", "b", "c", "d"] * 2)
    counts = make_counts(samples, genes=120, seed=3, shifts={Cell("pnac", None): dict.fromkeys(range(30), 1.0)})
    level = np.random.default_rng(5).uniform(0.1, 2.5, (4, 120))[[0, 1, 2, 3] * 2]
    counts = (counts * level).round().astype(int)
    found = {}
    for name, donor in (("paired", "donor"), ("unpaired", None)):
        intake = make_intake(["chow", "pnac"], donor=donor)
        model = fit_model(counts, samples, intake=intake, gene_filter=NO_FILTER, threads=1)
        found[name] = int((injury_of(model, counts, fdr=0.05)["padj"].iloc[:30] < 0.05).sum())
        assert model.columns[2:] == (("donor=b", "donor=c", "donor=d") if donor else ())
    assert found["paired"] > found["unpaired"] + 5
