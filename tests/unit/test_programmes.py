"""Programmes: weights, scores and models against loops, statsmodels and recomputation from fewer members."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api

from exoliver.effects import Setting
from exoliver.genesets import no_gene_sets
from exoliver.linear import estimate_linear, estimate_prior
from exoliver.programmes import (
    LOW_COVERAGE,
    LOW_EXPRESSION,
    MIN_PANEL,
    ProgrammeFit,
    Programmes,
    find_programmes,
    fit_programmes,
    leave_one_out,
    long_scores,
    nested_donors,
    programme_facts,
    programme_fit_from,
    score_programmes,
)
from exoliver.store import read_arrays, write_arrays
from exoliver.tables import GENE_SETS, PROGRAMMES, SCORES, read_table, write_table
from exoliver.variance import stabilise_variance, stabilised_slope
from tests.toy_model import RESCUE
from tests.toy_programmes import (
    COMPANIONS,
    DAYS,
    GENES,
    PANELS,
    SIZE,
    UNSCORED,
    Dataset,
    Member,
    gene,
    genes,
    make_dataset,
    make_mapped,
    row_of,
    setting_of,
)
from tests.toy_programmes import PROGRAMMES as SETS

TRENDS = {"a trend": (np.array([0.05, 2.0]), np.nan), "a mean dispersion": (np.array([np.nan, np.nan]), 0.1)}


@pytest.fixture(scope="module")
def made() -> Dataset:
    """Three arms at two times, with a batch."""
    return make_dataset(dict.fromkeys(RESCUE, DAYS), batches=2)


@pytest.fixture(scope="module")
def setting(made: Dataset) -> Setting:
    """Its programmes, scored and fitted beside 34 other sets."""
    return setting_of(made)


def find(made: Dataset, **sets: list[Member]) -> Programmes:
    """Sets as they are scored; a name that begins with `panel` is a panel."""
    panels = [name for name in sets if name.startswith("panel")]
    return find_programmes(make_mapped(sets), made.model, panels=panels, size=SIZE)


@pytest.mark.parametrize("kind", TRENDS)
def test_the_slope_is_the_derivative_of_the_stabilised_expression(kind: str) -> None:
    """To the logarithm of base two of the counts, over seven orders of magnitude, as differences have it."""
    trend, mean = TRENDS[kind]
    levels, step = np.geomspace(0.01, 1e5, 60), 1e-4
    above, below = (stabilise_variance(levels * 2**by, trend=trend, mean_dispersion=mean) for by in (step, -step))
    found = stabilised_slope(levels, trend=trend, mean_dispersion=mean)
    np.testing.assert_allclose(found, (above - below) / (2 * step), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("kind", TRENDS)
def test_hardly_a_count_shows_nothing_and_many_counts_show_all(kind: str) -> None:
    """The slope climbs from nought to one, for any shape of counts."""
    trend, mean = TRENDS[kind]
    slopes = stabilised_slope(np.geomspace(1e-9, 1e9, 50).reshape(5, 10), trend=trend, mean_dispersion=mean)
    assert slopes.shape == (5, 10)
    assert (np.diff(slopes.ravel()) > 0).all()
    assert slopes[0, 0] < 1e-4
    assert 0.9999 < slopes[-1, -1] <= 1


def test_the_slope_of_no_count_is_nought() -> None:
    """A gene without a count has no movement to show."""
    assert stabilised_slope(np.array([0.0]), trend=np.array([0.05, 2.0]), mean_dispersion=np.nan) == [0.0]


def test_weights_are_signed_and_their_sizes_add_up_to_one(setting: Setting) -> None:
    """Weight by sign over the sum of all weights, gene by gene; genes outside have none."""
    programmes = setting.programmes
    assert programmes.weights.shape == (GENES, len(SETS) - len(UNSCORED))
    np.testing.assert_allclose(np.abs(programmes.weights).sum(axis=0), 1, rtol=1e-12)
    for name, column in zip(programmes.scored, programmes.weights.T, strict=True):
        members = [(one, 1.0, 1) if isinstance(one, str) else one for one in SETS[name]]
        there = {known: weight * sign for known, weight, sign in members if known.startswith("g0")}
        total = sum(abs(value) for value in there.values())
        for known, weight in zip(programmes.genes, column, strict=True):
            assert weight == pytest.approx(there.get(known, 0.0) / total, rel=1e-12)


def test_programmes_come_by_name_and_are_all_there(setting: Setting) -> None:
    """Those without a score are rows of the table, and no column of the weights."""
    table = setting.programmes.table
    assert table.index.tolist() == sorted(SETS)
    assert table.index.name == "programme"
    assert table["is_scored"].dtype == bool
    assert setting.programmes.scored == [name for name in sorted(SETS) if name not in UNSCORED]
    assert list(setting.scores) == setting.programmes.scored


def test_attenuation_is_the_weighted_mean_of_the_slopes(made: Dataset, setting: Setting) -> None:
    """Signs do not matter to it: a member that falls shows as much as one that rises."""
    model, programmes = made.model, setting.programmes
    slopes = stabilised_slope(model.base_mean, trend=model.trend, mean_dispersion=model.mean_dispersion)
    np.testing.assert_allclose(programmes.slopes, slopes, rtol=1e-12)
    for name, found in zip(programmes.scored, programmes.attenuation, strict=True):
        members = [(one, 1.0, 1) if isinstance(one, str) else one for one in SETS[name]]
        there = [(slopes[int(known[1:])], weight) for known, weight, _ in members if known.startswith("g0")]
        assert found == pytest.approx(np.average([a for a, _ in there], weights=[b for _, b in there]), rel=1e-12)
    assert programmes.table.loc["trio", "attenuation"] == pytest.approx(slopes[34:37].mean())


def test_a_set_without_a_score_says_why(setting: Setting) -> None:
    """Too few members or too many; nothing else is said of it."""
    table = setting.programmes.table
    assert {name: table.loc[name, "note"] for name in table.index[~table["is_scored"]]} == UNSCORED
    assert table.loc["lost", ["members", "coverage"]].tolist() == [0, 0.0]
    assert np.isnan(table.loc["lost", "attenuation"])
    assert table.loc["wide", "members"] == 50


def test_a_weak_set_has_a_score_and_a_note(setting: Setting) -> None:
    """Few of its members measured, or hardly a count; all others have no note."""
    table = setting.programmes.table
    assert table.loc["half", "coverage"] == pytest.approx(10 / 22)
    notes = table.loc[table["is_scored"], "note"]
    assert notes[notes != ""].to_dict() == {"faint": "low_expression", "half": "low_coverage"}
    assert table.loc["faint", "attenuation"] < LOW_EXPRESSION < table.loc["half", "attenuation"]


def test_a_set_may_have_several_notes(made: Dataset) -> None:
    """Parted by a semicolon."""
    low = [*genes(GENES - 10, GENES), *(f"lost{place}" for place in range(11))]
    assert find(made, low=low).table.loc["low", "note"] == "low_coverage;low_expression"


def test_half_of_the_members_is_no_low_coverage(made: Dataset) -> None:
    """The limit itself is enough."""
    found = find(made, just=[*genes(0, 10), *(f"lost{place}" for place in range(10))]).table.loc["just"]
    assert (found["coverage"], found["note"]) == (LOW_COVERAGE, "")


@pytest.mark.parametrize(
    ("name", "members", "note"),
    [
        ("panel", MIN_PANEL - 1, "too_few_measured"),
        ("panel", MIN_PANEL, ""),
        ("panel", SIZE["max"] + 1, ""),
        ("set", SIZE["min"] - 1, "too_few_measured"),
        ("set", SIZE["min"], ""),
        ("set", SIZE["max"], ""),
        ("set", SIZE["max"] + 1, "too_many_measured"),
    ],
)
def test_a_panel_needs_three_members_and_a_set_as_many_as_the_study_says(
    made: Dataset, name: str, members: int, note: str
) -> None:
    """At the limits; members that are not measured do not count."""
    found = find(made, **{name: [*genes(0, members), "lost1"]})
    assert found.table.loc[name, "note"] == note
    assert bool(found.table.loc[name, "is_scored"]) == (note == "")
    assert found.weights.shape == (GENES, int(note == ""))


def test_a_gene_that_is_not_tested_is_no_member(made: Dataset) -> None:
    """Whether it took no part or has no dispersion; weights are those of the tested genes."""
    model = made.model
    taken, dispersions = model.takes_part.copy(), model.dispersions.copy()
    taken[3], dispersions[7] = False, np.nan
    fewer = replace(made, model=replace(model, takes_part=taken, dispersions=dispersions))
    found = find(fewer, alpha=genes(0, 12))
    assert found.table.loc["alpha", ["members", "coverage"]].tolist() == [10, 10 / 12]
    assert set(found.genes) == set(model.genes) - {gene(3), gene(7)}
    assert sorted(found.genes[found.weights[:, 0] > 0]) == [gene(g) for g in range(12) if g not in (3, 7)]


def test_members_of_one_gene_add_up(made: Dataset) -> None:
    """Two symbols of one gene weigh twice as much as one."""
    found = find(made, twins=[*genes(0, 10), (gene(0), 3.0, 1)])
    assert found.weights[0, 0] == pytest.approx(4 / 13)
    assert np.abs(found.weights).sum() == pytest.approx(1)
    assert found.attenuation[0] == pytest.approx(np.average(found.slopes[:10], weights=[4, *[1] * 9]))


def test_sets_read_from_their_file_are_the_same(made: Dataset, setting: Setting, tmp_path: Path) -> None:
    """Text columns of a table that was read have another type."""
    write_table(make_mapped(SETS), GENE_SETS, path=tmp_path / "sets.tsv")
    again = find_programmes(
        read_table(tmp_path / "sets.tsv", GENE_SETS), made.model, panels=frozenset(PANELS), size=SIZE
    )
    pd.testing.assert_frame_equal(again.table, setting.programmes.table)
    np.testing.assert_allclose(again.weights, setting.programmes.weights, rtol=1e-9)


def test_the_order_of_members_changes_nothing(made: Dataset, setting: Setting) -> None:
    """Nor that of the sets."""
    shuffled = make_mapped(SETS).sample(frac=1, random_state=3)
    again = find_programmes(shuffled, made.model, panels=PANELS, size=SIZE)
    pd.testing.assert_frame_equal(again.table, setting.programmes.table)
    np.testing.assert_allclose(again.weights, setting.programmes.weights, rtol=1e-12)


def test_a_collection_without_sets_is_no_programme(made: Dataset) -> None:
    """An organism for which there are none: empty tables with their columns, no weights, no scores."""
    found = find_programmes(no_gene_sets(), made.model, panels=(), size=SIZE)
    assert (found.scored, found.weights.shape, found.attenuation.shape) == ([], (GENES, 0), (0,))
    assert (len(found.facts()), tuple(found.facts().columns)) == (0, PROGRAMMES)
    scores = score_programmes(found, made.expression.vst)
    assert scores.shape == (24, 0)
    long = long_scores(scores)
    assert (len(long), tuple(long.columns)) == (0, SCORES)


def test_scores_are_weighted_means_of_the_members(made: Dataset, setting: Setting) -> None:
    """Sample by sample and member by member."""
    vst = made.expression.vst
    for name in ("alpha", "beta", "half", "trio"):
        members = [(one, 1.0, 1) if isinstance(one, str) else one for one in SETS[name]]
        there = [(known, weight * sign) for known, weight, sign in members if known.startswith("g0")]
        total = sum(abs(weight) for _, weight in there)
        for sample in vst.index:
            mean = sum(vst.loc[sample, known] * weight for known, weight in there) / total
            assert setting.scores.loc[sample, name] == pytest.approx(mean, rel=1e-12)


def test_scores_find_their_genes_by_name(made: Dataset, setting: Setting) -> None:
    """Further genes and another order of the expression change nothing."""
    wide = made.expression.vst.iloc[:, ::-1].assign(other=99.0)
    again = score_programmes(setting.programmes, wide)
    pd.testing.assert_frame_equal(again, setting.scores, rtol=1e-12)


def test_members_that_move_as_they_should_move_the_score_by_as_much(made: Dataset, setting: Setting) -> None:
    """Up for members that rise and down for those that fall."""
    moved = made.expression.vst + 0.7 * np.sign(setting.programmes.weights[:, 1])
    assert setting.programmes.scored[1] == "beta"
    again = score_programmes(setting.programmes, moved)
    np.testing.assert_allclose(again["beta"] - setting.scores["beta"], 0.7, rtol=1e-9)


def test_long_scores_have_a_row_for_each_sample_and_programme(setting: Setting, tmp_path: Path) -> None:
    """Sorted by programme, samples in their order."""
    long = long_scores(setting.scores)
    assert tuple(long.columns) == SCORES
    expected = [(sample, name) for name in setting.scores for sample in setting.scores.index]
    assert list(zip(long["sample"], long["programme"], strict=True)) == expected
    for row in long.itertuples():
        assert row.score == setting.scores.loc[row.sample, row.programme]
    write_table(long, SCORES, path=tmp_path / "scores.tsv")
    again = read_table(tmp_path / "scores.tsv", SCORES)
    np.testing.assert_allclose(again["score"], long["score"], rtol=1e-9)


def test_facts_are_written_and_read_back(setting: Setting, tmp_path: Path) -> None:
    """The table is the same but for the last digits and the type of its names."""
    facts = setting.programmes.facts()
    assert facts.set_index("programme")["scored"].to_dict() == {
        name: "no" if name in UNSCORED else "yes" for name in sorted(SETS)
    }
    write_table(facts, PROGRAMMES, path=tmp_path / "programmes.tsv")
    again = programme_facts(read_table(tmp_path / "programmes.tsv", PROGRAMMES))
    expected = setting.programmes.table
    assert again.index.tolist() == expected.index.tolist()
    assert again["is_scored"].dtype == bool
    pd.testing.assert_frame_equal(
        again[list(expected.columns)], expected, rtol=1e-9, check_index_type=False, check_names=False
    )


def test_facts_of_no_programme_are_written_and_read_back(made: Dataset, tmp_path: Path) -> None:
    """Columns alone."""
    none = find_programmes(no_gene_sets(), made.model, panels=(), size=SIZE)
    write_table(none.facts(), PROGRAMMES, path=tmp_path / "programmes.tsv")
    again = programme_facts(read_table(tmp_path / "programmes.tsv", PROGRAMMES))
    assert len(again) == 0
    assert set(again.columns) == set(none.table.columns)


def test_effects_are_least_squares_over_the_attenuation(made: Dataset, setting: Setting) -> None:
    """Coefficients, errors and degrees of freedom of statsmodels, in log2 of all members."""
    row = row_of(made.contrast["agonist_vs_pnac__7d"], setting.fit.columns)
    found = estimate_linear(setting.fit.plain, row[None])
    for place, name in enumerate(setting.fit.names):
        scaled = setting.scores[name].to_numpy() / setting.programmes.table.loc[name, "attenuation"]
        expected = statsmodels.api.OLS(scaled, made.model.design).fit().t_test(row)
        assert found.estimate[place, 0] == pytest.approx(expected.effect.item(), rel=1e-9)
        assert found.se[place, 0] == pytest.approx(np.asarray(expected.sd).item(), rel=1e-9)
        assert found.df[place, 0] == 24 - 7
    assert setting.fit.names == tuple(setting.programmes.scored)
    assert setting.fit.columns == made.model.columns


def test_variances_are_drawn_towards_those_of_all_sets(made: Dataset, setting: Setting) -> None:
    """The prior is that of programmes and companions together, in the unit of the scores."""
    others = find_programmes(make_mapped(COMPANIONS), made.model, panels=(), size=SIZE)
    together = pd.concat([setting.scores, score_programmes(others, made.expression.vst)], axis=1)
    assert together.shape[1] == len(setting.fit.names) + len(COMPANIONS)
    variance = np.array([statsmodels.api.OLS(together[name], made.model.design).fit().mse_resid for name in together])
    prior = estimate_prior(variance, 17)
    assert 0 < prior.df < np.inf
    drawn = (prior.df * prior.variance + 17 * variance[: len(setting.fit.names)]) / (prior.df + 17)
    np.testing.assert_allclose(setting.fit.moderated.variance, drawn / setting.programmes.attenuation**2, rtol=1e-9)
    row = row_of(made.contrast["pnac_vs_chow"], setting.fit.columns)
    tested, plain = (estimate_linear(fit, row[None]) for fit in (setting.fit.moderated, setting.fit.plain))
    np.testing.assert_allclose(tested.estimate, plain.estimate, rtol=1e-9)
    np.testing.assert_allclose(tested.df, prior.df + 17, rtol=1e-9)
    unscaled = row @ np.linalg.inv(made.model.design.T @ made.model.design) @ row
    np.testing.assert_allclose(tested.se[:, 0], np.sqrt(drawn * unscaled) / setting.programmes.attenuation, rtol=1e-9)


def test_the_choice_of_programmes_does_not_move_the_tests_of_others(made: Dataset, setting: Setting) -> None:
    """Where the companions hold the rest: the same estimates, errors, degrees of freedom and p-values."""
    chosen = [name for name in sorted(SETS) if name not in UNSCORED][::2]
    fewer = setting_of(made, {name: SETS[name] for name in chosen}, companions=COMPANIONS | SETS)
    rows = np.stack([row_of(made.contrast[name], setting.fit.columns) for name in ("pnac_vs_chow", "agonist_vs_pnac")])
    kept = [setting.fit.names.index(name) for name in chosen]
    assert fewer.fit.names == tuple(chosen)
    for one, other in ((fewer.fit.moderated, setting.fit.moderated), (fewer.fit.plain, setting.fit.plain)):
        found, expected = estimate_linear(one, rows), estimate_linear(other, rows)
        for name in ("estimate", "se", "df", "pvalue"):
            np.testing.assert_allclose(getattr(found, name), getattr(expected, name)[kept], rtol=1e-9)


def test_sets_of_the_same_name_count_once(made: Dataset, setting: Setting) -> None:
    """A companion that is a programme too says nothing new, whatever its members."""
    again = setting_of(made, companions=COMPANIONS | {"alpha": genes(100, 112), "trio": genes(3, 14)})
    np.testing.assert_allclose(again.fit.moderated.variance, setting.fit.moderated.variance, rtol=1e-12)


def test_few_sets_are_not_moderated(made: Dataset) -> None:
    """Below twenty sets each stands by itself."""
    alone = setting_of(made, companions={}).fit
    for name, array in vars(alone.moderated).items():
        np.testing.assert_array_equal(array, getattr(alone.plain, name))


def test_correlated_samples_are_not_moderated() -> None:
    """Nested donors have a random intercept each; both fits are the same one."""
    nested = make_dataset(dict.fromkeys(RESCUE, (1.0, 7.0)), donors=4)
    setting = setting_of(nested, {name: SETS[name] for name in ("alpha", "beta")})
    assert setting.donors is not None
    assert setting.fit.plain.gradients.shape[1] == 2
    for name, array in vars(setting.fit.moderated).items():
        np.testing.assert_array_equal(array, getattr(setting.fit.plain, name))
    assert (setting.fit.plain.correlation != 0).all()


def test_a_design_without_residuals_is_refused() -> None:
    """There is nothing to tell noise from effects by."""
    full = make_dataset(dict.fromkeys(RESCUE, (None,)), replicates=1)
    scores = pd.DataFrame({"alpha": [1.0, 2.0, 3.0]}, index=full.samples.index)
    with pytest.raises(ValueError, match="residual"):
        fit_programmes(scores, full.model, attenuation=np.ones(1), companions=scores[[]], donors=None)


def test_models_survive_their_file(setting: Setting, tmp_path: Path) -> None:
    """Every number, name and type is as before."""
    write_arrays(tmp_path / "fit.npz", setting.fit.arrays())
    again = programme_fit_from(read_arrays(tmp_path / "fit.npz"))
    assert again.names == setting.fit.names
    assert again.columns == setting.fit.columns
    assert all(type(name) is str for name in (*again.names, *again.columns))
    for part in ("moderated", "plain"):
        one, other = getattr(again, part), getattr(setting.fit, part)
        assert type(one.df) is int
        for name, array in vars(other).items():
            np.testing.assert_array_equal(getattr(one, name), array)


def test_models_of_no_programme_survive_their_file(made: Dataset, tmp_path: Path) -> None:
    """An organism without sets has a file all the same."""
    write_arrays(tmp_path / "fit.npz", setting_of(made, {}).fit.arrays())
    again = programme_fit_from(read_arrays(tmp_path / "fit.npz"))
    assert isinstance(again, ProgrammeFit)
    assert (again.names, again.columns) == ((), made.model.columns)
    assert estimate_linear(again.moderated, np.eye(7)[:2]).estimate.shape == (0, 2)


def test_donors_are_named_where_the_design_could_not_hold_them() -> None:
    """Nested donors alone; a donor in every arm is in the design, and most datasets have none."""
    nested = make_dataset(dict.fromkeys(RESCUE, (None,)), donors=2)
    assert nested.model.nested_donor
    found = nested_donors(nested.model, nested.samples)
    assert found is not None
    assert found.tolist() == [f"{arm}_{place % 2}" for arm in RESCUE for place in range(4)]
    plain = make_dataset(dict.fromkeys(RESCUE, (None,)))
    assert nested_donors(plain.model, plain.samples) is None
    assert nested_donors(plain.model, nested.samples) is None
    numbered = nested_donors(nested.model, nested.samples.assign(donor=np.arange(12) // 2))
    assert numbered is not None
    assert numbered.tolist()[:3] == ["0", "0", "1"]


def without(made: Dataset, name: str, lost: str) -> float:
    """Effect of agonist on a programme without one of its members, by arithmetic and least squares from the start."""
    members = [(one, 1.0, 1) if isinstance(one, str) else one for one in SETS[name]]
    rest = [(known, weight, sign) for known, weight, sign in members if known.startswith("g0") and known != lost]
    total = sum(weight for _, weight, _ in rest)
    score = sum(made.expression.vst[known] * weight * sign for known, weight, sign in rest) / total
    model = made.model
    slopes = stabilised_slope(model.base_mean, trend=model.trend, mean_dispersion=model.mean_dispersion)
    attenuation = sum(slopes[int(known[1:])] * weight for known, weight, _ in rest) / total
    row = row_of(made.contrast["agonist_vs_pnac__1d"], model.columns)
    return float(row @ statsmodels.api.OLS(score, model.design).fit().params) / attenuation


@pytest.mark.parametrize("name", ["alpha", "beta", "trio", "half"])
def test_the_ends_are_the_effects_without_one_member(made: Dataset, setting: Setting, name: str) -> None:
    """The lowest and the highest of all recomputed effects, with the weights and the attenuation of the rest."""
    rows = row_of(made.contrast["agonist_vs_pnac__1d"], setting.fit.columns)[None]
    _, low, high = leave_one_out(setting.programmes, setting.fit, expression=made.expression.vst, rows=rows)
    names = [one if isinstance(one, str) else one[0] for one in SETS[name]]
    rest = [without(made, name, lost) for lost in names if lost.startswith("g0")]
    place = setting.fit.names.index(name)
    assert low[place, 0] == pytest.approx(min(rest), rel=1e-8)
    assert high[place, 0] == pytest.approx(max(rest), rel=1e-8)


def test_the_ends_hold_the_effect_of_all_members(made: Dataset, setting: Setting) -> None:
    """The whole is a mean of what its parts leave, whatever the contrast."""
    rows = np.stack([row_of(one, setting.fit.columns) for one in made.contrasts if len(one.rows) == 1])
    share, low, high = leave_one_out(setting.programmes, setting.fit, expression=made.expression.vst, rows=rows)
    effects = estimate_linear(setting.fit.plain, rows).estimate
    assert share.shape == low.shape == high.shape == effects.shape
    assert (low < effects).all()
    assert (effects < high).all()
    counts = (setting.programmes.weights != 0).sum(axis=0)
    assert (share >= 1 / counts[:, None]).all()
    assert (share <= 1).all()


def test_the_share_is_that_of_the_gene_that_moves_most(made: Dataset, setting: Setting) -> None:
    """Its weighted movement over the sum of all, each without its direction."""
    row = row_of(made.contrast["pnac_vs_chow"], setting.fit.columns)
    share, _, _ = leave_one_out(setting.programmes, setting.fit, expression=made.expression.vst, rows=row[None])
    moves = {
        known: float(row @ statsmodels.api.OLS(made.expression.vst[known], made.model.design).fit().params)
        for known in genes(0, 37)
    }
    for name in ("alpha", "beta", "trio"):
        members = [(one, 1.0, 1) if isinstance(one, str) else one for one in SETS[name]]
        sizes = [abs(moves[known] * weight) for known, weight, _ in members]
        assert share[setting.fit.names.index(name), 0] == pytest.approx(max(sizes) / sum(sizes), rel=1e-8)


def test_one_gene_that_moves_alone_has_all_of_it(made: Dataset) -> None:
    """Without it there is no effect, and where nothing moves there is no share."""
    still = pd.DataFrame(8.0, index=made.samples.index, columns=made.model.genes)
    still.loc[made.samples["arm"] == "pnac", gene(4)] += 2
    dataset = made.with_values(still)
    setting = setting_of(dataset, {"alpha": SETS["alpha"], "gamma": genes(20, 32)}, companions={})
    rows = row_of(made.contrast["pnac_vs_chow"], setting.fit.columns)[None]
    share, low, high = leave_one_out(setting.programmes, setting.fit, expression=still, rows=rows)
    assert share[0, 0] == pytest.approx(1)
    assert low[0, 0] == pytest.approx(0, abs=1e-9)
    shown = setting.programmes.slopes[:11].sum()  # without the last, which shows most of a movement
    assert high[0, 0] == pytest.approx(2 / shown)
    assert low[1, 0] == pytest.approx(0, abs=1e-9)
    assert high[1, 0] == pytest.approx(0, abs=1e-9)


def test_programmes_without_members_in_common_do_not_touch_each_other(made: Dataset, setting: Setting) -> None:
    """Scores, weights and ends of one are the same beside another one and alone."""
    alone = setting_of(made, {"beta": SETS["beta"]})
    rows = row_of(made.contrast["agonist_vs_pnac"], alone.fit.columns)[None]
    found = leave_one_out(alone.programmes, alone.fit, expression=made.expression.vst, rows=rows)
    beside = leave_one_out(setting.programmes, setting.fit, expression=made.expression.vst, rows=rows)
    place = setting.fit.names.index("beta")
    for one, other in zip(found, beside, strict=True):
        np.testing.assert_allclose(one[0], other[place], rtol=1e-10)
    np.testing.assert_allclose(alone.scores["beta"], setting.scores["beta"], rtol=1e-12)
