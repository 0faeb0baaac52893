"""Effects on programmes as tables: which rows there are, their families of tests, and numbers recomputed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.stats
import statsmodels.api
from scipy.stats import false_discovery_control

from exoliver.camera import camera_pvalues, prepare_camera
from exoliver.contrasts import Cell
from exoliver.effects import Setting, effects_beside, estimate_effects, make_setting
from exoliver.genesets import no_gene_sets
from exoliver.mixture import MARKERS, MIXED_SYSTEMS
from exoliver.model import Model
from exoliver.programmes import leave_one_out
from exoliver.store import Expression
from exoliver.tables import CHANGES, EFFECTS, read_table, write_table
from tests.toy_model import RESCUE
from tests.toy_programmes import (
    COMPANIONS,
    DAYS,
    GENES,
    SETTINGS,
    UNSCORED,
    Dataset,
    genes,
    make_dataset,
    make_mapped,
    read_back,
    row_of,
    setting_from,
    setting_of,
    shift_all,
)
from tests.toy_programmes import PROGRAMMES as SETS

TIMES = (1.0, 7.0, 14.0)
EXTRA = {
    "gain": {"of": {"arm": "agonist", "time": 14}, "against": {"arm": "agonist", "time": 1}},
    "odd": {"of": {"arm": "agonist", "time": 3}, "against": {"arm": "pnac", "time": 7}},
}
NUMBERS = [
    name for name in CHANGES if name not in ("programme", "contrast", "attenuation", "members", "coverage", "note")
]
ADJUSTED = ["estimate_adjusted", "adjusted_low", "adjusted_high", "moved_by_composition"]
CAMERA = ["camera_pvalue", "camera_correlation"]


@pytest.fixture(scope="module")
def made() -> Dataset:
    """Three arms at three times with a batch; chow has no day 14, `alpha` rises with the injury."""
    times = dict.fromkeys(RESCUE, TIMES) | {"chow": (1.0, 7.0)}
    shifts = {Cell("pnac", time): shift_all(1.5, range(12)) for time in TIMES}
    return make_dataset(times, batches=2, extra=EXTRA, shifts=shifts)


@pytest.fixture(scope="module")
def setting(made: Dataset) -> Setting:
    """Its programmes, scored and fitted."""
    return setting_of(made)


@pytest.fixture(scope="module")
def tables(made: Dataset, setting: Setting) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Effects and changes."""
    return estimate_effects(made.contrasts, setting)


def both(made: Dataset, setting: Setting) -> pd.DataFrame:
    """Effects and changes together."""
    return pd.concat(estimate_effects(made.contrasts, setting), ignore_index=True)


def of(table: pd.DataFrame, contrast: str) -> pd.DataFrame:
    """Rows of one contrast, by programme."""
    return table[table["contrast"] == contrast].set_index("programme")


def test_every_form_of_contrast_is_in_its_table(made: Dataset, tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    """Averages, times and the user's own are effects; differences between times and omnibus tests are changes."""
    effects, changes = tables
    assert (tuple(effects.columns), tuple(changes.columns)) == (EFFECTS, CHANGES)
    forms = {contrast.id: contrast.form in ("change", "any_time", "over_time") for contrast in made.contrasts}
    assert effects["contrast"].drop_duplicates().tolist() == [name for name, later in forms.items() if not later]
    assert changes["contrast"].drop_duplicates().tolist() == [name for name, later in forms.items() if later]
    assert {contrast.form for contrast in made.contrasts} == {
        "averaged", "at_time", "extra", "change", "any_time", "over_time"
    }  # fmt: skip
    assert {"gain", "odd", "agonist_vs_pnac__7d", "agonist_vs_chow"} <= set(effects["contrast"])


def test_every_programme_is_a_row_of_every_contrast(made: Dataset, tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    """By name, whether it has a score or not, with its facts."""
    for table in tables:
        for _, rows in table.groupby("contrast"):
            assert rows["programme"].tolist() == sorted(SETS)
    effects, changes = tables
    assert len(effects) + len(changes) == len(made.contrasts) * len(SETS)
    assert set(effects.loc[effects["programme"] == "half", "members"]) == {10}
    assert set(changes.loc[changes["programme"] == "half", "coverage"]) == {10 / 22}


def test_a_programme_without_a_score_is_rows_with_its_reason(tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    """Its facts and its note, and no number; a weak one has numbers and its note."""
    for table in tables:
        for name, note in UNSCORED.items():
            rows = table[table["programme"] == name]
            assert rows[[column for column in NUMBERS if column in table]].isna().all(axis=None)
            assert rows["note"].str.endswith(note).all()
            assert rows["members"].notna().all()
    rows = of(tables[0], "pnac_vs_chow__7d")
    assert rows.loc[["faint", "half", "alpha"], "note"].tolist() == ["low_expression", "low_coverage", ""]
    assert rows.loc[["faint", "half", "alpha"], "estimate"].notna().all()


@pytest.mark.parametrize(
    "name", ["pnac_vs_chow", "agonist_vs_pnac", "agonist_vs_chow__7d", "gain", "agonist_vs_pnac__14d_vs_7d"]
)
def test_single_effects_are_those_of_least_squares(made: Dataset, setting: Setting, name: str) -> None:
    """Estimate, unmoderated error and residual degrees of freedom of statsmodels; the moderated ones make the test."""
    rows = of(both(made, setting), name).loc[list(setting.fit.names)]
    row = row_of(made.contrast[name], made.model.columns)
    for programme, found in rows.iterrows():
        scaled = setting.scores[programme].to_numpy() / found["attenuation"]
        expected = statsmodels.api.OLS(scaled, made.model.design).fit().t_test(row)
        assert found["estimate"] == pytest.approx(expected.effect.item(), rel=1e-9)
        assert found["se_unmoderated"] == pytest.approx(np.asarray(expected.sd).item(), rel=1e-9)
        assert found["df_residual"] == 32 - 9
    assert (rows["df"] > 32 - 9).all()
    unscaled = row @ np.linalg.inv(made.model.design.T @ made.model.design) @ row
    np.testing.assert_allclose(rows["se"], np.sqrt(setting.fit.moderated.variance * unscaled), rtol=1e-9)
    half = scipy.stats.t.ppf(0.975, rows["df"]) * rows["se"]
    np.testing.assert_allclose(rows["ci_low"], rows["estimate"] - half, rtol=1e-9)
    np.testing.assert_allclose(rows["ci_high"], rows["estimate"] + half, rtol=1e-9)
    pvalue = 2 * scipy.stats.t.sf(np.abs(rows["estimate"] / rows["se"]), rows["df"])
    np.testing.assert_allclose(rows["pvalue"], pvalue, rtol=1e-8)
    assert "stat" not in rows or rows["stat"].isna().all()


def test_correction_is_within_a_contrast_over_the_scored_programmes(tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    """Benjamini-Hochberg over those that are tested, contrast by contrast, omnibus tests too."""
    for table in tables:
        for name, rows in table.groupby("contrast"):
            tested = rows[rows["pvalue"].notna()]
            assert rows.loc[rows["pvalue"].isna(), "padj"].isna().all()
            assert len(tested) == (0 if name in ("odd", "pnac_vs_chow__14d", "agonist_vs_chow__14d") else 13)
            if len(tested):
                np.testing.assert_allclose(tested["padj"], false_discovery_control(tested["pvalue"]), rtol=1e-10)


@pytest.mark.parametrize("name", ["pnac_vs_chow__any_time", "pnac_vs_chow__over_time", "agonist_vs_pnac__any_time"])
def test_omnibus_rows_are_f_tests(made: Dataset, setting: Setting, name: str) -> None:
    """Statistic from the moderated variance, its two degrees of freedom and p-value; no estimate, no interval."""
    rows = of(estimate_effects(made.contrasts, setting)[1], name).loc[list(setting.fit.names)]
    weights = made.contrast[name].rows
    matrix = np.array(
        [
            [{cell.name: w for cell, w in row.items()}.get(column, 0.0) for column in made.model.columns]
            for row in weights
        ]
    )
    unscaled = matrix @ np.linalg.inv(made.model.design.T @ made.model.design) @ matrix.T
    for place, (programme, found) in enumerate(rows.iterrows()):
        plain = statsmodels.api.OLS(
            setting.scores[programme].to_numpy() / found["attenuation"], made.model.design
        ).fit()
        estimate = matrix @ plain.params
        variance = setting.fit.moderated.variance[place]
        stat = estimate @ np.linalg.solve(unscaled, estimate) / len(matrix) / variance
        assert found["stat"] == pytest.approx(stat, rel=1e-9)
        assert found["stat"] == pytest.approx(float(plain.f_test(matrix).fvalue) * plain.mse_resid / variance, rel=1e-9)
        assert found["df"] == len(matrix)
        assert found["pvalue"] == pytest.approx(scipy.stats.f.sf(stat, found["df"], found["df_residual"]), rel=1e-8)
    single = of(estimate_effects(made.contrasts, setting)[0], "pnac_vs_chow__7d").loc[list(setting.fit.names)]
    np.testing.assert_allclose(rows["df_residual"], single["df"], rtol=1e-9)
    left = [column for column in NUMBERS if column not in ("stat", "df", "df_residual", "pvalue", "padj")]
    assert rows[left].isna().all(axis=None)


def test_an_omnibus_test_of_two_times_in_change_is_the_change(made: Dataset, setting: Setting) -> None:
    """One degree of freedom: the statistic is the square of the other test's, the p-value the same."""
    _, changes = estimate_effects(made.contrasts, setting)
    one, all_ = of(changes, "pnac_vs_chow__7d_vs_1d"), of(changes, "pnac_vs_chow__over_time")
    scored = list(setting.fit.names)
    assert set(all_.loc[scored, "df"]) == {1}
    np.testing.assert_allclose(
        all_.loc[scored, "stat"], (one.loc[scored, "estimate"] / one.loc[scored, "se"]) ** 2, rtol=1e-8
    )
    np.testing.assert_allclose(all_.loc[scored, "pvalue"], one.loc[scored, "pvalue"], rtol=1e-8)


@pytest.mark.parametrize("name", ["odd", "pnac_vs_chow__14d", "agonist_vs_chow__14d"])
def test_a_contrast_that_lacks_a_cell_is_rows_with_its_note(
    tables: tuple[pd.DataFrame, pd.DataFrame], name: str
) -> None:
    """Facts of the programmes and both notes; no number."""
    rows = of(tables[0], name)
    assert rows.index.tolist() == sorted(SETS)
    assert rows[[column for column in NUMBERS if column in rows]].isna().all(axis=None)
    assert rows.loc[["alpha", "half", "duo"], "note"].tolist() == [
        "missing_cell",
        "missing_cell;low_coverage",
        "missing_cell;too_few_measured",
    ]


def test_an_average_says_which_times_it_leaves_out(tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    """The contrast's note stands before the programme's own."""
    rows = of(tables[0], "pnac_vs_chow")
    assert rows.loc[["alpha", "half"], "note"].tolist() == ["times_left_out:14d", "times_left_out:14d;low_coverage"]
    assert rows.loc[["alpha", "half"], "estimate"].notna().all()


def test_a_cell_with_one_sample_makes_its_contrasts_unreplicated() -> None:
    """Those that speak of it, omnibus tests among them; they have numbers all the same."""
    made = make_dataset(dict.fromkeys(RESCUE, DAYS), single=[Cell("agonist", 7.0)])
    table = both(made, setting_of(made))
    alpha = table[table["programme"] == "alpha"].set_index("contrast")
    touched = ["agonist_vs_pnac", "agonist_vs_pnac__7d", "agonist_vs_pnac__7d_vs_1d", "agonist_vs_pnac__any_time"]
    assert set(alpha.loc[touched, "note"]) == {"unreplicated"}
    assert alpha.loc[touched, "pvalue"].notna().all()
    free = ["pnac_vs_chow", "pnac_vs_chow__7d", "pnac_vs_chow__any_time", "agonist_vs_pnac__1d"]
    assert set(alpha.loc[free, "note"]) == {""}
    assert of(table, "agonist_vs_chow__7d").loc["half", "note"] == "unreplicated;low_coverage"


def test_a_shift_of_all_genes_leaves_nothing_when_centred(made: Dataset) -> None:
    """Every gene goes up and down with its sample: programmes move, and not against the mean of all genes."""
    rng = np.random.default_rng(4)
    values = rng.normal(8, 1, GENES)[None, :] + rng.normal(0, 1, len(made.samples))[:, None]
    dataset = made.with_values(pd.DataFrame(values, index=made.samples.index, columns=made.model.genes))
    effects, changes = estimate_effects(dataset.contrasts, setting_of(dataset))
    for table in (effects, changes):
        own = table[table["estimate"].notna()]
        np.testing.assert_allclose(own["estimate_centred"], 0, atol=1e-11)
        assert own.loc[own["programme"] == "alpha", "estimate"].abs().min() > 1e-3


def test_centred_effects_take_the_mean_of_all_genes_off(made: Dataset, setting: Setting) -> None:
    """Gene by gene, before the members are averaged; all genes are the tested ones."""
    vst = made.expression.vst
    centred = vst.sub(vst.mean(axis=1), axis=0)
    rows = of(estimate_effects(made.contrasts, setting)[0], "agonist_vs_pnac__7d")
    row = row_of(made.contrast["agonist_vs_pnac__7d"], made.model.columns)
    for name in ("alpha", "beta", "faint"):
        members = [(one, 1.0, 1) if isinstance(one, str) else one for one in SETS[name]]
        total = sum(weight for _, weight, _ in members)
        score = sum(centred[known] * weight * sign for known, weight, sign in members) / total
        expected = row @ statsmodels.api.OLS(score, made.model.design).fit().params / rows.loc[name, "attenuation"]
        assert rows.loc[name, "estimate_centred"] == pytest.approx(expected, rel=1e-8)


def test_swapping_two_arms_flips_the_sign() -> None:
    """The same samples with the roles of injured and treated exchanged: estimates and intervals are mirrored."""
    times = dict.fromkeys(RESCUE, DAYS)
    swapped = {"chow": "healthy", "pnac": "treated", "agonist": "injured"}
    forth, back = make_dataset(times), make_dataset(times, roles=swapped)
    pd.testing.assert_frame_equal(forth.expression.vst, back.expression.vst)
    one = of(estimate_effects(forth.contrasts, setting_of(forth))[0], "agonist_vs_pnac__7d").loc[
        ["alpha", "beta", "trio"]
    ]
    other = of(estimate_effects(back.contrasts, setting_of(back))[0], "pnac_vs_agonist__7d").loc[
        ["alpha", "beta", "trio"]
    ]
    pairs = {"ci_low": "ci_high", "adjusted_low": "adjusted_high", "leave_one_out_low": "leave_one_out_high"}
    pairs |= {name: name for name in ("estimate", "estimate_centred", "estimate_adjusted", "moved_by_composition")}
    for ours, theirs in pairs.items():
        np.testing.assert_allclose(other[ours], -one[theirs], rtol=1e-8, atol=1e-10)
    for same in (
        "se",
        "df",
        "pvalue",
        "padj",
        "se_unmoderated",
        "camera_pvalue",
        "camera_correlation",
        "top_gene_share",
    ):
        np.testing.assert_allclose(other[same], one[same], rtol=1e-8)


def with_samples(made: Dataset, order: np.ndarray) -> Dataset:
    """The same dataset with its samples in another order."""
    model, expression = made.model, made.expression
    return replace(
        made,
        samples=made.samples.iloc[order],
        model=replace(
            model,
            samples=model.samples[order],
            design=model.design[order],
            size_factors=model.size_factors[order],
        ),
        expression=replace(expression, samples=expression.samples.iloc[order], vst=expression.vst.iloc[order]),
    )


def with_genes(made: Dataset, order: np.ndarray) -> Dataset:
    """The same dataset with its genes in another order."""
    model, expression = made.model, made.expression
    by_gene = {name: getattr(model, name)[order] for name in vars(model) if len_of(getattr(model, name)) == GENES}
    return replace(
        made,
        model=replace(model, **by_gene),
        expression=replace(expression, genes=expression.genes.iloc[order], vst=expression.vst.iloc[:, order]),
    )


def len_of(value: object) -> int:
    """Length of an array along its first axis; 0 of anything else."""
    return len(value) if isinstance(value, np.ndarray) else 0


@pytest.mark.parametrize("turn", [with_samples, with_genes])
def test_the_order_of_samples_and_genes_changes_no_number(made: Dataset, setting: Setting, turn: object) -> None:
    """All columns of both tables, to nine digits."""
    size = len(made.samples) if turn is with_samples else GENES
    other = turn(made, np.random.default_rng(2).permutation(size))  # type: ignore[operator]
    for found, expected in zip(
        estimate_effects(made.contrasts, setting_of(other)), estimate_effects(made.contrasts, setting), strict=True
    ):
        pd.testing.assert_frame_equal(found, expected, rtol=1e-9, atol=1e-9)


def test_the_choice_of_contrasts_changes_no_number(made: Dataset, setting: Setting) -> None:
    """Each contrast is a family of its own."""
    chosen = [made.contrast[name] for name in ("gain", "pnac_vs_chow__over_time", "pnac_vs_chow__7d")]
    effects, changes = estimate_effects(chosen, setting)
    assert effects["contrast"].drop_duplicates().tolist() == ["gain", "pnac_vs_chow__7d"]
    whole = both(made, setting)
    for contrast in chosen:
        table = changes if contrast.is_omnibus else effects
        pd.testing.assert_frame_equal(of(table, contrast.id), of(whole, contrast.id)[of(table, contrast.id).columns])


def test_no_contrast_is_two_empty_tables(setting: Setting, tmp_path: Path) -> None:
    """With their columns, so that they can be written."""
    for table, columns in zip(estimate_effects([], setting), (EFFECTS, CHANGES), strict=True):
        assert len(table) == 0
        write_table(table, columns, path=tmp_path / "table.tsv")
        assert tuple(read_table(tmp_path / "table.tsv", columns).columns) == columns


def test_tables_are_written_and_read_back(tables: tuple[pd.DataFrame, pd.DataFrame], tmp_path: Path) -> None:
    """Numbers to ten digits, texts as they are; a note that says nothing stays empty."""
    for table, columns in zip(tables, (EFFECTS, CHANGES), strict=True):
        again, expected = read_back(table, columns, path=tmp_path / "table.tsv")
        pd.testing.assert_frame_equal(again, expected, rtol=1e-9)


def test_the_test_against_other_genes_is_that_of_camera(made: Dataset, setting: Setting) -> None:
    """On the tested genes, with the signs of the members and the design of the dataset."""
    signs = np.sign(setting.programmes.weights)
    camera = prepare_camera(made.expression.vst.to_numpy(), made.model.design, signs=signs)
    table = both(made, setting)
    for name in ("pnac_vs_chow", "gain", "agonist_vs_pnac__7d_vs_1d"):
        rows = of(table, name).loc[list(setting.fit.names)]
        expected = camera_pvalues(camera, row_of(made.contrast[name], made.model.columns))
        np.testing.assert_allclose(rows["camera_pvalue"].astype(float), expected, rtol=1e-9)
        np.testing.assert_allclose(rows["camera_correlation"].astype(float), camera.correlation, rtol=1e-9)


def test_leave_one_out_columns_are_those_of_the_programmes(made: Dataset, setting: Setting) -> None:
    """Share and ends in their columns, around the estimate."""
    row = row_of(made.contrast["gain"], made.model.columns)[None]
    share, low, high = leave_one_out(setting.programmes, setting.fit, expression=made.expression.vst, rows=row)
    rows = of(both(made, setting), "gain").loc[list(setting.fit.names)]
    np.testing.assert_allclose(rows["top_gene_share"], share[:, 0], rtol=1e-10)
    np.testing.assert_allclose(rows["leave_one_out_low"], low[:, 0], rtol=1e-9)
    np.testing.assert_allclose(rows["leave_one_out_high"], high[:, 0], rtol=1e-9)
    assert (rows["leave_one_out_low"] < rows["estimate"]).all()
    assert (rows["estimate"] < rows["leave_one_out_high"]).all()


def test_what_composition_moves_is_the_difference_of_both_effects(tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    """Effect minus adjusted effect; cell types themselves have none."""
    rows = of(tables[0], "agonist_vs_pnac__7d")
    scored = rows[rows["estimate"].notna()]
    is_cell = scored.index.isin(MARKERS)
    np.testing.assert_array_equal(scored["moved_by_composition"], scored["estimate"] - scored["estimate_adjusted"])
    assert scored.loc[is_cell, ADJUSTED].isna().all(axis=None)
    assert scored.loc[~is_cell, ADJUSTED].notna().all(axis=None)


@pytest.mark.parametrize("system", ["tissue", "slices", "organoid", "coculture", "primary_cells", "cell_line"])
def test_samples_of_one_cell_type_have_no_mixture(made: Dataset, system: str) -> None:
    """Adjusted columns are empty for them, and the others are as in tissue."""
    setting = setting_of(made, system=system)
    assert (setting.markers is None) == (system in ("primary_cells", "cell_line"))
    rows = of(estimate_effects([made.contrast["gain"]], setting)[0], "gain").loc["alpha"]
    assert rows[ADJUSTED].notna().all() == (system in MIXED_SYSTEMS)
    assert rows[ADJUSTED].isna().all() == (system not in MIXED_SYSTEMS)
    assert rows[["estimate", *CAMERA]].notna().all()


def test_an_organism_without_cell_types_has_no_adjusted_effects(made: Dataset) -> None:
    """Effects are there all the same."""
    setting = setting_of(made, markers={"cells_hepatocyte": SETS["cells_hepatocyte"]})
    rows = of(estimate_effects([made.contrast["gain"]], setting)[0], "gain").loc["alpha"]
    assert rows[ADJUSTED].isna().all()
    assert rows["estimate"] == of(both(made, setting_of(made)), "gain").loc["alpha", "estimate"]


def test_an_effect_that_goes_with_the_mixture_says_so() -> None:
    """Leukocytes come in, most of all with the injury; one programme is their RNA, another one is not."""
    made = make_dataset(dict.fromkeys(RESCUE, (None,)), replicates=8)
    rng = np.random.default_rng(1)
    vst = pd.DataFrame(8 + rng.normal(0, 0.1, (24, GENES)), index=made.samples.index, columns=made.model.genes)
    injured = (made.samples["arm"] == "pnac").to_numpy()
    influx = rng.uniform(0, 2, 24) + injured
    vst[[*genes(116, 126), *genes(0, 12)]] += influx[:, None]
    vst[genes(34, 37)] += injured[:, None]
    mixed = made.with_values(vst)
    rows = of(estimate_effects(mixed.contrasts, setting_of(mixed))[0], "pnac_vs_chow")
    assert rows.loc["alpha", "padj"] < 0.05
    assert rows.loc["alpha", "adjusted_low"] < 0 < rows.loc["alpha", "adjusted_high"]
    assert rows.loc[["alpha", "trio", "cells_leukocyte"], "note"].tolist() == ["explained_by_mixture", "", ""]
    assert rows.loc["trio", "adjusted_low"] > 0.5
    assert rows.loc["trio", "estimate_adjusted"] == pytest.approx(rows.loc["trio", "estimate"], rel=0.2)


def test_correlated_samples_have_no_test_against_other_genes() -> None:
    """Nested donors: a random intercept for the effects, nothing in the columns that do not know it."""
    made = make_dataset(dict.fromkeys(RESCUE, DAYS), donors=4)
    setting = setting_of(made, {name: SETS[name] for name in ("alpha", "trio")})
    assert setting.donors is not None
    table = both(made, setting)
    single = table[table["estimate"].notna()]
    assert set(single["programme"]) == {"alpha", "trio"}
    assert single[CAMERA].isna().all(axis=None)
    np.testing.assert_array_equal(single["se"], single["se_unmoderated"])
    np.testing.assert_array_equal(single["df"], single["df_residual"])
    assert single.loc[single["contrast"] == "agonist_vs_pnac", "df"].between(1, 18).all()
    omnibus = table[table["stat"].notna()]
    assert set(omnibus["df"]) == {1, 2}
    assert omnibus["pvalue"].between(0, 1).all()


def test_donors_that_no_arm_replicates_leave_notes_and_no_tests() -> None:
    """One donor in each arm cannot be told from the arm."""
    made = make_dataset(dict.fromkeys(RESCUE, DAYS), donors=1)
    setting = setting_of(made)
    assert made.model.nested_donor
    for table, columns in zip(estimate_effects(made.contrasts, setting), (EFFECTS, CHANGES), strict=True):
        names = ["estimate", "se", "df", "ci_low", "ci_high", "pvalue", "padj", "se_unmoderated", "estimate_centred"]
        assert tuple(table.columns) == columns
        assert table[names].isna().all(axis=None)
        assert table["note"].str.contains("donors_unreplicated").all()
        assert set(table.loc[table["programme"] == "half", "note"]) == {"low_coverage;donors_unreplicated"}
        assert table["members"].notna().all()


def test_a_collection_without_sets_has_empty_tables(made: Dataset, tmp_path: Path) -> None:
    """An organism for which there are none, whether companions and cell types are there or not."""
    none = no_gene_sets()
    for more in (none, make_mapped(SETS)):
        setting = setting_from(made, [none, more, more])
        assert setting.scores.shape == (len(made.samples), 0)
        for table, columns in zip(estimate_effects(made.contrasts, setting), (EFFECTS, CHANGES), strict=True):
            assert (len(table), tuple(table.columns)) == (0, columns)
            write_table(table, columns, path=tmp_path / "table.tsv")
            assert len(read_table(tmp_path / "table.tsv", columns)) == 0


def test_a_collection_whose_sets_are_all_too_small_is_rows_with_notes(made: Dataset) -> None:
    """Nothing is scored, and nothing is dropped."""
    effects, changes = estimate_effects(made.contrasts, setting_of(made, {"tiny": genes(0, 4), "tinier": genes(0, 2)}))
    for table in (effects, changes):
        assert set(table["programme"]) == {"tiny", "tinier"}
        assert table[[column for column in NUMBERS if column in table]].isna().all(axis=None)
        assert table["note"].str.contains("too_few_measured").all()


def test_nothing_that_is_given_is_changed(made: Dataset) -> None:
    """Expression, model and sets are as before."""
    before: tuple[Expression, Model] = (
        replace(made.expression, vst=made.expression.vst.copy()),
        replace(made.model, design=made.model.design.copy()),
    )
    mapped = make_mapped(SETS)
    copy = mapped.copy()
    setting = setting_from(made, [mapped, mapped, mapped])
    table = setting.programmes.table.copy()
    estimate_effects(made.contrasts, setting)
    pd.testing.assert_frame_equal(mapped, copy)
    pd.testing.assert_frame_equal(setting.programmes.table, table)
    pd.testing.assert_frame_equal(made.expression.vst, before[0].vst)
    np.testing.assert_array_equal(made.model.design, before[1].design)


def test_nuisances_are_there_whatever_is_followed(made: Dataset) -> None:
    """Those of the followed programmes as they are; of another collection from a setting of their own."""
    themes = [{"gene_set": name, "theme": "cells"} for name in MARKERS]
    shipped = make_mapped(SETS), {"name": "programmes", "gene_sets": themes}
    others = make_mapped(COMPANIONS), {"name": "hallmark", "gene_sets": []}
    shared = {"expression": made.expression, "model": made.model, "system": "tissue", "settings": SETTINGS}
    same = make_setting([shipped, others, shipped], **shared)
    effects, _ = estimate_effects(made.contrasts, same)
    beside = effects_beside(made.contrasts, same, effects=effects)
    assert set(beside["programme"]) == set(MARKERS)
    pd.testing.assert_frame_equal(beside, effects[effects["programme"].isin(MARKERS)].reset_index(drop=True))
    other = make_setting([others, others, shipped], **shared)
    followed, _ = estimate_effects(made.contrasts, other)
    own = effects_beside(made.contrasts, other, effects=followed)
    assert set(own["programme"]) == set(MARKERS)
    assert own["contrast"].unique().tolist() == beside["contrast"].unique().tolist()
    np.testing.assert_allclose(own["estimate"].astype(float), beside["estimate"].astype(float), rtol=1e-9)
    assert own["pvalue"].notna().sum() == beside["pvalue"].notna().sum()
