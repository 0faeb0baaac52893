"""Programmes and rescue in awkward designs: single donors, single times, few samples, sets that hold everything."""

from dataclasses import replace

import numpy as np
import pytest

from exoliver.contrasts import Cell
from exoliver.effects import estimate_effects
from exoliver.linear import estimate_linear, fit_linear
from exoliver.rescue import compare_arms, rescue_pairs, rescue_programmes
from exoliver.rescue_summary import summarise_rescue
from tests.toy_model import RESCUE
from tests.toy_programmes import (
    COMPANIONS,
    DAYS,
    GENES,
    Dataset,
    genes,
    make_dataset,
    row_of,
    setting_of,
    shift_all,
)
from tests.toy_programmes import PROGRAMMES as SETS

NONE = (None,)
SYSTEMS = ("tissue", "cell_line")


@pytest.fixture(scope="module")
def made() -> Dataset:
    """Three arms at two times, with a batch."""
    return make_dataset(dict.fromkeys(RESCUE, DAYS), batches=2)


@pytest.mark.parametrize("name", ["alpha", "trio"])
def test_one_programme_is_tested_as_among_many(made: Dataset, name: str) -> None:
    """The same p-value, alone or with others, where the companions hold the rest."""
    whole = setting_of(made)
    alone = setting_of(made, {name: SETS[name]}, companions=COMPANIONS | SETS)
    row = row_of(made.contrast["pnac_vs_chow"], whole.fit.columns)[None]
    found, expected = (estimate_linear(setting.fit.moderated, row) for setting in (alone, whole))
    place = whole.fit.names.index(name)
    np.testing.assert_allclose(found.df[0], expected.df[place], rtol=1e-9)
    np.testing.assert_allclose(found.pvalue[0], expected.pvalue[place], rtol=1e-9)


def test_unreplicated_donors_leave_no_number_at_all() -> None:
    """Nor an adjusted effect, a test against other genes, or a share of genes."""
    unreplicated = make_dataset(dict.fromkeys(RESCUE, DAYS), donors=1)
    for table in estimate_effects(unreplicated.contrasts, setting_of(unreplicated)):
        facts = ("programme", "contrast", "attenuation", "members", "coverage", "note")
        assert table.drop(columns=list(facts)).isna().all(axis=None)
        assert table["note"].str.contains("donors_unreplicated").all()


def test_one_repeated_donor_does_not_take_all_numbers() -> None:
    """Nothing tells how alike its two samples are: all are taken as independent, with a note on each."""
    plain = make_dataset(dict.fromkeys(RESCUE, DAYS))
    donors = [f"d{place}" for place in range(len(plain.samples))]
    healthy = [np.flatnonzero((plain.samples["arm"] == "chow") & (plain.samples["time"] == day))[0] for day in DAYS]
    donors[healthy[1]] = donors[healthy[0]]
    samples = plain.samples.assign(donor=donors)
    made = replace(
        plain, model=replace(plain.model, nested_donor=True), expression=replace(plain.expression, samples=samples)
    )
    effects, _ = estimate_effects(made.contrasts, setting_of(made))
    expected, _ = estimate_effects(plain.contrasts, setting_of(plain))
    np.testing.assert_array_equal(effects["pvalue"], expected["pvalue"])
    assert effects["note"].str.split(";").map(lambda words: "nested_donors" in words).all()


def test_covariates_that_take_the_donors_last_degree_of_freedom_adjust_nothing() -> None:
    """One donor has a second sample: a random intercept, and no room for the mixture beside it."""
    plain = make_dataset(dict.fromkeys(RESCUE, NONE), replicates=5)
    donors = [f"d{place}" for place in range(15)]
    donors[1] = "d0"
    samples = plain.samples.assign(donor=donors)
    made = replace(
        plain,
        model=replace(plain.model, nested_donor=True),
        expression=replace(plain.expression, samples=samples),
    )
    effects, _ = estimate_effects(made.contrasts, setting_of(made))
    alpha = effects[effects["programme"] == "alpha"]
    assert alpha["estimate"].notna().all()
    assert alpha["estimate_adjusted"].isna().all()


@pytest.mark.parametrize(
    "times",
    [
        {"chow": (1.0, 7.0), "pnac": (7.0,), "agonist": (7.0,)},
        {"chow": (7.0,), "pnac": (7.0,), "agonist": (1.0, 7.0)},
        {"chow": (0.0, 7.0, 14.0), "pnac": (7.0,), "agonist": (7.0,)},
    ],
)
def test_the_only_common_time_is_a_pair(times: dict[str, tuple[float, ...]]) -> None:
    """An effect at a single time is written as an average, and is one at this time."""
    made = make_dataset(times)
    pairs = rescue_pairs(made.contrasts)
    at_seven = [pair for pair in pairs if pair.time == 7.0]
    assert at_seven[0].injury == {Cell("pnac", 7.0): 1, Cell("chow", 7.0): -1}
    assert at_seven[0].treatment == {Cell("agonist", 7.0): 1, Cell("pnac", 7.0): -1}
    assert pairs[0].injury == at_seven[0].injury
    assert pairs[0].note.startswith("times_left_out:")
    setting = setting_of(made)
    table = rescue_programmes(setting.fit, pairs, programmes=setting.programmes.table, fdr=0.05)
    assert table.loc[(table["time"] == 7.0) & (table["programme"] == "alpha"), "injury_effect"].notna().all()


@pytest.mark.parametrize(("batches", "note"), [(2, "few_genes"), (3, "too_few_samples"), (4, "too_few_samples")])
def test_a_pair_is_set_aside_when_degrees_of_freedom_are_counted(batches: int, note: str) -> None:
    """Seven samples bear one column beside the cells, and not two."""
    made = make_dataset(
        dict.fromkeys(RESCUE, NONE), single=[Cell("agonist", None)], replicates=3, batches=batches, number=60
    )
    table = summarise_rescue(rescue_pairs(made.contrasts), made.expression.vst, model=made.model)
    assert table["note"].tolist() == [note]


def test_a_programme_that_holds_all_markers_is_not_adjusted(made: Dataset) -> None:
    """There is no cell type left to adjust by."""
    everything = {"greedy": genes(0, GENES - 10), "alpha": SETS["alpha"]}
    effects, _ = estimate_effects(made.contrasts, setting_of(made, everything, panels=("greedy",)))
    rows = effects[effects["contrast"] == "pnac_vs_chow"].set_index("programme")
    assert rows["estimate"].notna().all()
    assert rows["estimate_adjusted"].isna().to_dict() == {"alpha": False, "greedy": True}


def test_no_programme_with_nested_donors_has_empty_tables() -> None:
    """An organism without sets, whose donors are nested."""
    nested = make_dataset(dict.fromkeys(RESCUE, DAYS), donors=4)
    for table in estimate_effects(nested.contrasts, setting_of(nested, {})):
        assert len(table) == 0
    fit = fit_linear(np.zeros((24, 0)), nested.model.design, donors=nested.samples["donor"].to_numpy())
    assert fit.coefficients.shape == (0, 6)


@pytest.mark.parametrize("within", [0.01, 0.003, 0.001])
def test_samples_of_a_donor_that_hardly_differ_are_no_more_than_one(within: float) -> None:
    """Technical replicates of a donor; the error is that of the donors' means."""
    rng = np.random.default_rng(11)
    donor = np.repeat(np.arange(8), 3)
    scores = rng.normal(size=8)[donor] + within * rng.normal(size=24)
    design = np.repeat(np.eye(2), 12, axis=0)
    found = estimate_linear(fit_linear(scores[:, None], design, donors=donor.astype(str)), np.array([[-1.0, 1.0]]))
    means = scores.reshape(8, 3).mean(axis=1)
    error = np.sqrt((means[:4].var(ddof=1) + means[4:].var(ddof=1)) / 4)
    assert found.se[0, 0] == pytest.approx(error, rel=0.01)


def test_a_constant_score_gives_no_warning() -> None:
    """Its variance is nought, which nothing is divided by."""
    rng = np.random.default_rng(1)
    scores = np.column_stack([np.zeros(24), rng.normal(size=24)])
    donors = np.repeat(np.arange(8), 3).astype(str)
    with np.errstate(all="raise"):
        found = estimate_linear(fit_linear(scores, np.repeat(np.eye(2), 12, axis=0), donors=donors), np.eye(2)[:1])
    assert np.isnan(found.pvalue[0, 0])


def test_arms_without_a_healthy_arm_say_so_when_compared() -> None:
    """The reason is that of the pairs."""
    roles = {"control": "reference", "a": "treated", "b": "treated"}
    made = make_dataset(dict.fromkeys(roles, NONE), roles=roles)
    setting = setting_of(made)
    table = compare_arms(setting.fit, rescue_pairs(made.contrasts), programmes=setting.programmes.table)
    assert table["note"].str.startswith("no_healthy_arm").all()


def test_evidence_that_could_not_be_set_against_the_mixture_says_so() -> None:
    """Three samples beside the design bear no covariate; in a cell line there is no mixture to be held constant."""
    shifts = {Cell("pnac", None): shift_all(6.0, range(12))}
    made = make_dataset(dict.fromkeys(RESCUE, NONE), replicates=2, shifts=shifts)
    tables = {system: estimate_effects(made.contrasts, setting_of(made, system=system))[0] for system in SYSTEMS}
    notes = {
        system: table.set_index(["contrast", "programme"]).loc[("pnac_vs_chow", "alpha"), ["padj", "note"]]
        for system, table in tables.items()
    }
    assert notes["tissue"]["padj"] < 0.05
    assert notes["tissue"]["note"] == "mixture_untested"
    assert notes["cell_line"]["note"] == ""
