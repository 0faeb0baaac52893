"""Simulated counts carry the truth that is said to be planted, and look like liver."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from exoliver.genesets import find_collection, read_gene_sets
from exoliver.identifiers import read_annotation
from exoliver.simulation import PREDICTED, TREND_FLOOR, TREND_LOG_SD, TREND_SLOPE, SimulatedDataset, simulate_dataset
from exoliver.simulation_constants import KNOWN_CPM
from exoliver.strict_yaml import load_yaml
from tests.sources import ROOT

ARMS = [
    {"name": "healthy", "role": "healthy", "value": "Chow"},
    {"name": "ccl4", "role": "injured", "value": "CCl4"},
    {"name": "bm_msc", "role": "treated", "value": "CCl4/MSC"},
]
EFFECTS: dict[str, Any] = {
    "inflammation": {"injury": [1.5, 1.0], "restored": {"bm_msc": [0.1, 0.9]}},
    "autophagy": {"injury": [-0.8, -0.6], "restored": {"bm_msc": [0.5, 0.5]}},
}


# Known genes without a gene that has an Ensembl id and a real symbol in the shipped annotation.
SERPINA1 = {f"SERPINA1{letter}" for letter in "ABCDE"}
NOT_THERE = {
    "mouse": {"SERPINA1"},
    "rat": {"BCL2A1A", "BCL2A1B", "BCL2A1D", "HRK", *SERPINA1},
}


def make_genes(number: int = 4000) -> pd.DataFrame:
    """An annotation with named genes, known liver genes, and genes that must not be drawn."""
    known = sorted(KNOWN_CPM)
    named = [*known, *(f"NAME{index}A" for index in range(number))]
    drawn_never = ["Gm1234", "LOC310926", "RGD1560010", "AABR07058124.2", "4930556J02Rik", "Olfr12", "Vmn1r4"]
    symbols = [name.capitalize() for name in named] + drawn_never
    return pd.DataFrame(
        {
            "gene_id": [f"ENSMUSG{index:011d}" for index in range(1, len(symbols) + 1)],
            "symbol": symbols,
            "human_symbol": [*named, *[None] * len(drawn_never)],
            "biotype": "protein_coding",
        }
    )


def make_gene_sets(size: int = 60) -> pd.DataFrame:
    """Two programmes of the liver, one named by mouse symbols and the other by human ones."""
    first = [("inflammation", f"Name{index}a") for index in range(size)]
    second = [("autophagy", f"NAME{index}A") for index in range(size, 2 * size)]
    return pd.DataFrame([*first, *second], columns=["gene_set", "gene"])


def make_spec(**changes: Any) -> dict[str, Any]:
    """A small `simulation:` block."""
    spec = {
        "seed": 1,
        "identifiers": "ensembl",
        "genes": 3000,
        "replicates": 4,
        "times": [1.0, 7.0],
        "library_size": {"mean": 5e6, "spread": 0.2},
        "effects": EFFECTS,
        "response_genes": 200,
    }
    return {**spec, **changes}


def simulate(**changes: Any) -> SimulatedDataset:
    """A simulated dataset with some keys changed."""
    return simulate_dataset(make_spec(**changes), arms=ARMS, genes=make_genes(), gene_sets=make_gene_sets())


def simulate_demo(name: str, organism: str) -> SimulatedDataset:
    """A demo of the default study, as the workflow simulates it."""
    demo, _ = load_yaml(ROOT / "config" / "datasets" / f"{name}.yaml")
    programmes = find_collection("programmes", organism).path
    assert programmes is not None
    return simulate_dataset(
        demo["simulation"],
        arms=[{"name": arm, **facts} for arm, facts in demo["arms"]["levels"].items()],
        genes=read_annotation(organism),
        gene_sets=read_gene_sets(programmes),
        time_unit=demo["time"]["unit"],
    )


def log_means(data: SimulatedDataset) -> pd.DataFrame:
    """log2 of the mean counts per million, genes (by gene_id) by (group, time)."""
    cpm = data.counts / data.counts.sum() * 1e6
    cpm.index = pd.Index(data.genes["gene_id"])
    cells = [data.samples["group"].to_numpy(), data.samples["time"].to_numpy()]
    return np.log2(cpm.T.groupby(cells).mean().T + 0.01)


@pytest.fixture(scope="module")
def many() -> SimulatedDataset:
    """So many replicates that chance is small."""
    return simulate(replicates=100)


@pytest.fixture(scope="module")
def unmoved() -> SimulatedDataset:
    """Many replicates, nothing planted."""
    return simulate(replicates=100, effects={}, response_genes=0, library_size={"mean": 2e7, "spread": 0.0})


def test_equal_arguments_give_equal_datasets() -> None:
    """The seed decides everything."""
    first, second, other = simulate(), simulate(), simulate(seed=2)
    pd.testing.assert_frame_equal(first.counts, second.counts)
    pd.testing.assert_frame_equal(first.truth_genes, second.truth_genes)
    assert not np.array_equal(first.counts.to_numpy(), other.counts.to_numpy())


@pytest.mark.parametrize("identifiers", ["ensembl", "symbol"])
def test_the_order_of_genes_and_members_is_irrelevant(identifiers: str) -> None:
    """Shuffled rows of the annotation and of the gene sets give the same dataset."""
    spec = make_spec(identifiers=identifiers)
    straight = simulate_dataset(spec, arms=ARMS, genes=make_genes(), gene_sets=make_gene_sets())
    genes, gene_sets = (table.sample(frac=1, random_state=3) for table in (make_genes(), make_gene_sets()))
    shuffled = simulate_dataset(spec, arms=ARMS, genes=genes, gene_sets=gene_sets)
    for name in ("counts", "samples", "truth_programmes", "truth_genes", "genes"):
        pd.testing.assert_frame_equal(getattr(straight, name), getattr(shuffled, name))


def test_arguments_are_not_changed() -> None:
    """The caller's tables are the same afterwards."""
    genes, gene_sets = make_genes(), make_gene_sets()
    simulate_dataset(make_spec(), arms=ARMS, genes=genes, gene_sets=gene_sets)
    pd.testing.assert_frame_equal(genes, make_genes())
    pd.testing.assert_frame_equal(gene_sets, make_gene_sets())


def test_counts_are_integers_under_versioned_ids_or_symbols() -> None:
    """The matrix looks like a user's: whole numbers, unique ids of the kind asked for."""
    ensembl, symbol = simulate(), simulate(identifiers="symbol")
    assert ensembl.counts.shape == (3000, 24)
    assert (ensembl.counts.dtypes == np.int64).all()
    assert (ensembl.counts.to_numpy() >= 0).all()
    assert ensembl.counts.index.str.fullmatch(r"ENSMUSG\d{11}\.\d+").all()
    assert symbol.counts.index.is_unique
    assert set(symbol.counts.index) <= set(make_genes()["symbol"])
    assert set(symbol.truth_genes["gene_id"]) <= set(symbol.counts.index)


def test_the_sample_sheet_names_each_column_once() -> None:
    """Arms in order, then times, then replicates; the group is the arm's value."""
    data = simulate_dataset(
        make_spec(times=[0.5, 36.0]), arms=ARMS, genes=make_genes(), gene_sets=make_gene_sets(), time_unit="h"
    )
    assert list(data.counts.columns) == list(data.samples["sample"])
    assert data.samples.iloc[0].tolist() == ["healthy_0p5h_r1", "Chow", 0.5]
    assert data.samples.iloc[-1].tolist() == ["bm_msc_36h_r4", "CCl4/MSC", 36.0]
    assert (data.samples.groupby(["group", "time"]).size() == 4).all()


def test_members_and_known_liver_genes_are_all_there_and_unnamed_genes_are_not() -> None:
    """Programmes are complete, albumin leads, predicted genes and olfactory receptors are not drawn."""
    genes = simulate().genes
    assert set(make_genes()["symbol"].iloc[: len(KNOWN_CPM)]) <= set(genes["symbol"])
    assert {f"Name{index}a" for index in range(120)} <= set(genes["symbol"])
    assert not set(genes["symbol"]) & set(make_genes()["symbol"].iloc[-7:])
    assert genes.loc[genes["cpm"].idxmax(), "symbol"] == "Alb"
    assert genes["cpm"].sum() == pytest.approx(1e6)
    assert genes.set_index("symbol")["cpm"]["Mcl1"] == pytest.approx(81)


@pytest.mark.parametrize("organism", ["mouse", "rat"])
def test_known_genes_are_found_in_rodents(organism: str) -> None:
    """By the symbol of the species or of the human ortholog, also where orthology is not one to one."""
    genes = read_annotation(organism).dropna(subset=["gene_id", "symbol"])
    genes = genes[genes["gene_id"].str.startswith("ENS") & ~genes["symbol"].str.contains(PREDICTED)]
    named = set(genes["symbol"].str.upper()) | set(genes["human_symbol"].dropna())
    assert set(KNOWN_CPM) - named == NOT_THERE[organism]


@pytest.mark.parametrize(("name", "organism"), [("demo_msc_mouse", "mouse"), ("demo_ev_rat", "rat")])
def test_demos_have_scarce_cytokines_and_enough_measured_members(name: str, organism: str) -> None:
    """Scarce members are as scarce as in real healthy liver, and the programmes still move as planted."""
    data = simulate_demo(name, organism)
    cpm = data.genes.set_index(data.genes["symbol"].str.upper())["cpm"]
    assert cpm["CCL2"] == pytest.approx(0.2)
    assert cpm["HP"] == pytest.approx(8e3)
    assert cpm[cpm.index.isin(["FASL", "FASLG"])].tolist() == pytest.approx([0.1])
    measured = set(data.genes["gene_id"][((data.counts >= 10).sum(axis=1) >= 4).to_numpy()])
    means, healthy = log_means(data), data.samples["group"].iloc[0]
    unmoved = means.index.isin(measured - set(data.truth_genes["gene_id"]))
    for programme, truth in data.truth_programmes.groupby("programme"):
        rows = data.truth_genes["programmes"].str.split(";").map(lambda names, name=programme: name in names)
        members = sorted(measured & set(data.truth_genes.loc[rows, "gene_id"]))
        assert len(members) >= 12
        for (arm, time), shift in truth.set_index(["arm", "time"])["log2_shift"].items():
            found = means[arm, time] - means[healthy, time]
            mean = (found[members] - found[unmoved].median()).mean()
            assert mean == pytest.approx(shift, abs=0.35), (programme, arm, time)


def test_a_gene_that_answers_no_symbol_is_not_drawn() -> None:
    """Where the annotation says which gene answers for a symbol, only that one is simulated."""
    genes = make_genes(3500).assign(symbol_lookup="yes")
    twin = genes.iloc[[100]].assign(gene_id="ENSMUSG00000000000", symbol_lookup="no")
    data = simulate_dataset(make_spec(), arms=ARMS, genes=pd.concat([genes, twin]), gene_sets=make_gene_sets())
    assert "ENSMUSG00000000000" not in set(data.genes["gene_id"])


@pytest.mark.parametrize(("mean", "spread"), [(5e6, 0.2), (2e6, 0.5)])
def test_library_sizes_have_the_mean_and_spread_asked_for(mean: float, spread: float) -> None:
    """Over 600 samples the mean is within 5 standard errors, the spread of the log within 15 %."""
    sizes = simulate(replicates=100, library_size={"mean": mean, "spread": spread}).counts.sum()
    assert sizes.mean() == pytest.approx(mean, rel=5 * 1.2 * spread / np.sqrt(600))
    assert np.log(sizes).std() == pytest.approx(spread, rel=0.15)


def test_planted_shifts_are_found_in_average_counts(many: SimulatedDataset) -> None:
    """Mean log2 ratios of programme members are the planted ones, whichever the arm and time."""
    means = log_means(many)
    values = {arm["name"]: arm["value"] for arm in ARMS}
    expressed = set(many.genes.loc[many.genes["cpm"] > 2, "gene_id"])
    planted = many.truth_genes[many.truth_genes["gene_id"].isin(expressed)]
    for (programme, arm, time), rows in planted.groupby(["programmes", "arm", "time"]):
        found = means[values[arm], time] - means["Chow", time]
        # The unmoved genes say how far the composition of the library moved.
        found -= found[~found.index.isin(many.truth_genes["gene_id"])].median()
        error = found[rows["gene_id"]].to_numpy() - rows["log2_shift"].to_numpy()
        assert abs(error.mean()) < 0.06, (programme, arm, time)
        assert np.corrcoef(found[rows["gene_id"]], rows["log2_shift"])[0, 1] > 0.5 or rows["log2_shift"].std() < 0.1


def test_the_truth_of_programmes_is_that_of_their_genes(many: SimulatedDataset) -> None:
    """Each row is the mean over members, near what was asked for, with the share restored."""
    truth = many.truth_programmes.set_index(["programme", "arm", "time"])
    genes = many.truth_genes
    means = genes[genes["programmes"] != ""].groupby(["programmes", "arm", "time"])["log2_shift"].mean()
    for (programme, arm, time), row in truth.iterrows():
        step = [1.0, 7.0].index(time)
        asked = EFFECTS[programme]["injury"][step]
        assert row["log2_shift"] == pytest.approx(means[programme, arm, time])
        if arm == "ccl4":
            assert np.isnan(row["fraction_restored"])
            assert row["log2_shift"] == pytest.approx(asked, rel=0.15)
        else:
            assert row["fraction_restored"] == pytest.approx(EFFECTS[programme]["restored"]["bm_msc"][step])


def test_response_genes_lie_outside_the_programmes_and_go_both_ways() -> None:
    """As many as asked for, without a programme, up and down."""
    truth = simulate().truth_genes
    response = truth[(truth["programmes"] == "") & (truth["arm"] == "ccl4")]
    assert response["gene_id"].nunique() == 200
    assert not response["symbol"].isin([f"Name{index}a" for index in range(120)]).any()
    assert 0.3 < (response["log2_shift"] > 0).mean() < 0.7
    assert (response.groupby("gene_id")["log2_shift"].agg(lambda shift: shift.abs().max()) >= 0.5).all()


def test_genes_without_a_planted_effect_do_not_move(many: SimulatedDataset) -> None:
    """The median ratio of unmoved genes is the same for all, that of the library's composition."""
    means = log_means(many)
    still = many.genes[(many.genes["cpm"] > 5) & ~many.genes["gene_id"].isin(many.truth_genes["gene_id"])]["gene_id"]
    for value in ("CCl4", "CCl4/MSC"):
        shift = (means[value, 1.0] - means["Chow", 1.0])[still]
        assert (shift - shift.median()).abs().quantile(0.9) < 0.25
    assert means.loc[still].notna().all().all()


def test_nothing_planted_gives_no_truth_and_no_shift(unmoved: SimulatedDataset) -> None:
    """Without effects the truth is empty, with its columns, and the arms have equal means."""
    means = log_means(unmoved).loc[unmoved.genes.loc[unmoved.genes["cpm"] > 5, "gene_id"]]
    assert list(unmoved.truth_programmes) == ["programme", "arm", "time", "log2_shift", "fraction_restored"]
    assert unmoved.truth_programmes.empty
    assert unmoved.truth_genes.empty
    assert abs((means["CCl4", 7.0] - means["Chow", 7.0]).mean()) < 0.02


def test_dispersions_of_counts_are_the_planted_ones(unmoved: SimulatedDataset) -> None:
    """Moment estimates over 600 samples agree with the planted dispersion, low, middle and high."""
    dispersion = unmoved.genes["dispersion"].to_numpy()
    counts = unmoved.counts.to_numpy() / unmoved.counts.sum().to_numpy() * 2e7
    mean, variance = counts.mean(axis=1), counts.var(axis=1, ddof=1)
    found = (variance - mean) / mean**2
    expressed = mean > 50
    for low, high in ((0.01, 0.03), (0.03, 0.1), (0.1, 0.5)):
        chosen = expressed & (dispersion > low) & (dispersion <= high)
        assert np.median(found[chosen] / dispersion[chosen]) == pytest.approx(1, abs=0.12)


def test_dispersions_follow_the_trend(unmoved: SimulatedDataset) -> None:
    """Around the trend of the mean they scatter log-normally, with the trend as their mean."""
    genes = unmoved.genes[unmoved.genes["cpm"] * 20 > 20]
    residual = np.log(genes["dispersion"] / (TREND_FLOOR + TREND_SLOPE / (genes["cpm"] * 20)))
    assert residual.std() == pytest.approx(TREND_LOG_SD, rel=0.06)
    assert residual.mean() == pytest.approx(-(TREND_LOG_SD**2) / 2, abs=0.1)


def test_genes_of_one_programme_vary_together_a_little(unmoved: SimulatedDataset) -> None:
    """Mean correlation is .02 to .07 within programmes, as in real liver, and about 0 between genes at large."""
    logs = np.log2(unmoved.counts + 1)
    # By the median over genes: the share of albumin in the library moves every other share.
    logs -= logs.sub(logs.mean(axis=1), axis=0).median()
    residual = logs.T.groupby([*[unmoved.samples[key].to_numpy() for key in ("group", "time")]])
    residual = residual.transform(lambda values: values - values.mean()).T
    residual.index = pd.Index(unmoved.genes["symbol"])
    residual = residual[(unmoved.genes["cpm"] > 2).to_numpy()]

    def mean_correlation(symbols: list[str]) -> float:
        matrix = np.corrcoef(residual[residual.index.isin(symbols)])
        return float(matrix[np.triu_indices(len(matrix), 1)].mean())

    within = [mean_correlation([f"Name{index}a" for index in range(start, start + 60)]) for start in (0, 60)]
    assert 0.02 < np.mean(within) < 0.07
    assert abs(mean_correlation([f"Name{index}a" for index in range(120, 1500)])) < 0.01


def test_a_member_with_a_negative_sign_moves_the_other_way() -> None:
    """The sign of a signed set turns the planted shift; the programme's truth is the sign-weighted mean."""
    gene_sets = make_gene_sets().assign(sign=1)
    gene_sets.loc[gene_sets["gene"].isin([f"Name{index}a" for index in range(20)]), "sign"] = -1
    data = simulate_dataset(make_spec(), arms=ARMS, genes=make_genes(), gene_sets=gene_sets)
    early = data.truth_genes.query("arm == 'ccl4' and time == 1 and programmes == 'inflammation'").set_index("symbol")
    assert (early.loc[[f"Name{index}a" for index in range(20)], "log2_shift"] < 0).all()
    assert (early.loc[[f"Name{index}a" for index in range(20, 60)], "log2_shift"] > 0).all()
    truth = data.truth_programmes.query("programme == 'inflammation' and arm == 'ccl4' and time == 1")
    assert truth["log2_shift"].item() == pytest.approx(1.5, rel=0.15)


def test_a_gene_of_two_programmes_moves_by_their_mean() -> None:
    """A shared gene lies between its programmes, and both are named beside it."""
    shared = pd.DataFrame({"gene_set": ["autophagy"], "gene": ["Name0a"]})
    data = simulate_dataset(make_spec(), arms=ARMS, genes=make_genes(), gene_sets=pd.concat([make_gene_sets(), shared]))
    row = data.truth_genes.query("symbol == 'Name0a' and arm == 'ccl4'").sort_values("time")
    assert (row["programmes"] == "autophagy;inflammation").all()
    ratio = row["log2_shift"].iloc[0] / row["log2_shift"].iloc[1]
    assert ratio == pytest.approx((1.5 - 0.8) / (1.0 - 0.6))


def test_arms_without_injury_are_not_moved_and_control_products_restore_nothing_unless_told() -> None:
    """The role decides: a reference or treated healthy arm has no truth, a control product the injury's."""
    arms = [
        *ARMS[:2],
        {"name": "fibroblast_ev", "role": "control_product", "value": "F"},
        {"name": "msc_alone", "role": "treated_healthy", "value": "M"},
    ]
    effects = {"inflammation": {"injury": [1.0, 1.0], "restored": {}}}
    data = simulate_dataset(make_spec(effects=effects), arms=arms, genes=make_genes(), gene_sets=make_gene_sets())
    truth = data.truth_programmes.set_index(["arm", "time"])
    assert set(data.truth_programmes["arm"]) == {"ccl4", "fibroblast_ev"}
    assert truth.loc[("fibroblast_ev", 1.0), "fraction_restored"] == 0
    assert truth.loc[("fibroblast_ev", 1.0), "log2_shift"] == truth.loc[("ccl4", 1.0), "log2_shift"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"effects": {"fibrosis": EFFECTS["autophagy"]}}, "names no gene set: fibrosis"),
        ({"effects": {"autophagy": {"injury": [1, 1], "restored": {"bm_ev": [1, 1]}}}}, "no treated arm: bm_ev"),
        ({"genes": 100}, "is not between"),
        ({"genes": 50_000}, "is not between"),
        ({"genes": 300, "response_genes": 200}, "outside the gene sets"),
    ],
)
def test_a_request_that_cannot_be_met_is_refused(changes: dict[str, Any], message: str) -> None:
    """The message names the key and what was found."""
    with pytest.raises(ValueError, match=message):
        simulate(**changes)


def test_a_programme_without_a_known_gene_is_refused() -> None:
    """A programme of unknown genes could carry no effect."""
    gene_sets = pd.concat([make_gene_sets(), pd.DataFrame({"gene_set": ["zonation"], "gene": ["Nosuchgene"]})])
    effects = {"zonation": {"injury": [1.0, 1.0], "restored": {}}}
    with pytest.raises(ValueError, match="no gene of the organism is a member of zonation"):
        simulate_dataset(make_spec(effects=effects), arms=ARMS, genes=make_genes(), gene_sets=gene_sets)
