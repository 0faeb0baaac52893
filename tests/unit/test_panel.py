"""The apoptosis panel: genes as their contrasts have them, balances as an ordinary linear model has them."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api
from scipy.stats import false_discovery_control

from exoliver.contrasts import Cell
from exoliver.design import build_design
from exoliver.differential import estimate_contrasts
from exoliver.panel import PANEL_COLUMNS, balances_of, gene_values, mitosis_genes, panel_genes, read_panel, score_panel
from exoliver.store import Expression
from exoliver.tables import GENE_SETS, PANEL
from tests.toy_model import RESCUE, expected_counts, make_arms, make_extra, make_model, make_samples

TIMES = (1.0, 7.0)
NUMBERS = ["estimate", "se", "df", "ci_low", "ci_high", "pvalue", "padj", "base_mean"]
BALANCES = [
    "balance_mcl1_bcl2l1_over_bax_bak1",
    "balance_bcl2_over_bax",
    "balance_anti_over_pro",
    "balance_anti_over_pro_without_nfkb_p53_targets",
]


@pytest.fixture(scope="module")
def shipped() -> pd.DataFrame:
    """The shipped panel."""
    return read_panel()


def make(panel: pd.DataFrame, *, lost: tuple[str, ...] = (), low: tuple[str, ...] = ()) -> SimpleNamespace:
    """A made-up fit of the panel's genes and one gene beside it; some not counted, some low."""
    symbols = [*sorted(set(panel["symbol"]) - set(lost)), "Alb"]
    samples = make_samples({Cell(arm, time): 4 for arm in RESCUE for time in TIMES})
    samples["batch"] = list("xy") * 12
    design = build_design(samples, list(RESCUE), donor=False, covariates=("batch",), numeric=())
    means = np.array([3.0 if symbol in low else 200.0 + place for place, symbol in enumerate(symbols)])
    coefficients = np.zeros((len(symbols), design.matrix.shape[1]))
    coefficients[:, : len(design.cells)] = np.log(means)[:, None]  # and nothing of the batch
    model = make_model(
        samples, design.matrix, design.cells, genes=len(symbols), base_mean=means, coefficients=coefficients
    )
    genes = pd.DataFrame({"symbol": symbols, "human_symbol": [text.upper() for text in symbols]}, index=model.genes)
    extra = {"odd": {"of": {"arm": "agonist", "time": 3}, "against": {"arm": "pnac", "time": 7}}}
    contrasts, tables = estimate_contrasts(
        model,
        expected_counts(model),
        genes=genes,
        arms=make_arms(RESCUE),
        unit="day",
        extra=make_extra(extra),
        fdr=0.05,
        threshold=0.0,
        threads=1,
    )
    rng = np.random.default_rng(8)
    expression = pd.DataFrame(rng.normal(8, 1, (24, len(symbols))), index=samples.index, columns=model.genes)
    return SimpleNamespace(
        model=model,
        samples=samples,
        contrasts=contrasts,
        tables={name: table for name, (table, _) in tables.items()},
        expression=expression,
        ids=dict(zip(symbols, model.genes, strict=True)),
        programmes=pd.DataFrame(columns=list(GENE_SETS)),
    )


def score(panel: pd.DataFrame, made: SimpleNamespace) -> pd.DataFrame:
    """The panel's table."""
    return score_panel(
        panel,
        made.contrasts,
        tables=made.tables,
        expression=made.expression,
        samples=made.samples,
        model=made.model,
        programmes=made.programmes,
    )


@pytest.fixture(scope="module")
def mouse(shipped: pd.DataFrame) -> pd.DataFrame:
    """The panel in mouse symbols."""
    return panel_genes(shipped, "mouse", own=None)


@pytest.fixture(scope="module")
def made(mouse: pd.DataFrame) -> SimpleNamespace:
    """A mouse dataset that has every gene of the panel."""
    return make(mouse)


@pytest.fixture(scope="module")
def scored(mouse: pd.DataFrame, made: SimpleNamespace) -> pd.DataFrame:
    """Its panel."""
    return score(mouse, made)


def test_the_shipped_panel_cites_every_gene(shipped: pd.DataFrame) -> None:
    """Each row has its role, step, compartment and citation; no gene stands twice."""
    assert tuple(shipped.columns) == PANEL_COLUMNS
    assert shipped["human"].is_unique
    assert shipped[["role", "step", "compartment", "citation"]].notna().all(axis=None)
    assert shipped["citation"].str.contains(r"10\.\d{4}").all()
    assert set(shipped["scored"]) == {"yes", "no"}


@pytest.mark.parametrize(
    ("organism", "symbols"),
    [("human", ["MCL1", "BCL2A1", "CASP10"]), ("rat", ["Mcl1", "Bcl2a1"]), ("mouse", ["Mcl1", "Bcl2a1a", "Bcl2a1d"])],
)
def test_every_organism_has_its_own_symbols(shipped: pd.DataFrame, organism: str, symbols: list[str]) -> None:
    """A gene with several copies is several rows, one that a species lacks is none."""
    found = panel_genes(shipped, organism, own=None)
    assert set(symbols) <= set(found["symbol"])
    assert found["symbol"].is_unique
    assert ("CASP10" in set(found["human"])) == (organism == "human")


def test_an_organism_without_a_panel_has_no_rows(shipped: pd.DataFrame, made: SimpleNamespace) -> None:
    """The table is there with its columns alone."""
    worm = panel_genes(shipped, "worm", own=None)
    assert len(worm) == 0
    assert balances_of(worm) == []
    table = score(worm, made)
    assert (len(table), tuple(table.columns)) == (0, PANEL)


def test_the_balances_are_those_of_the_science(mouse: pd.DataFrame) -> None:
    """Headline first; the whole panel with and without targets of NF-kB and p53; survivin is in none."""
    balances = {balance.name: balance for balance in balances_of(mouse)}
    assert list(balances) == BALANCES
    assert balances[BALANCES[0]].anti == ("Mcl1", "Bcl2l1")
    assert balances[BALANCES[0]].pro == ("Bax", "Bak1")
    assert (balances[BALANCES[1]].anti, balances[BALANCES[1]].pro) == (("Bcl2",), ("Bax",))
    members = {symbol for balance in balances.values() for symbol in (*balance.anti, *balance.pro)}
    assert not {"Birc5", "Casp3", "Casp8", "Gsdmd"} & members
    targets = {"Bcl2a1a", "Birc3", "Tnfaip3", "Bbc3", "Pmaip1", "Fas", "Tnfrsf10b", "Bax"}
    whole, free = ({*balances[name].anti, *balances[name].pro} for name in BALANCES[2:])
    assert targets <= whole
    assert not targets & free
    assert free < whole


def test_every_gene_and_balance_is_a_row_of_every_contrast(
    scored: pd.DataFrame, mouse: pd.DataFrame, made: SimpleNamespace
) -> None:
    """In the order of the contrasts, genes in pathway order, balances last; omnibus contrasts are left out."""
    assert tuple(scored.columns) == PANEL
    plain = [contrast.id for contrast in made.contrasts if not contrast.is_omnibus]
    assert list(dict.fromkeys(scored["contrast"])) == plain
    for _, rows in scored.groupby("contrast"):
        assert rows["item"].tolist() == [*mouse["symbol"], *BALANCES]
        assert rows["kind"].tolist() == [*mouse["role"], *["balance"] * 4]


def test_gene_rows_are_those_of_the_contrasts(scored: pd.DataFrame, mouse: pd.DataFrame, made: SimpleNamespace) -> None:
    """Estimate, error and p-value of the count model; a normal interval; corrected over the panel's genes."""
    for name in ("pnac_vs_chow", "agonist_vs_pnac__7d_vs_1d"):
        source = made.tables[name].set_index("symbol").loc[mouse["symbol"]]
        rows = scored[(scored["contrast"] == name) & (scored["kind"] != "balance")]
        pairs = {"estimate": "log2_fold_change", "se": "lfc_se", "pvalue": "pvalue", "base_mean": "base_mean"}
        for ours, theirs in pairs.items():
            np.testing.assert_array_equal(rows[ours].astype(float), source[theirs].astype(float))
        np.testing.assert_allclose(
            (rows["ci_high"] - rows["ci_low"]).astype(float), 2 * 1.959963985 * source["lfc_se"], rtol=1e-8
        )
        np.testing.assert_allclose(
            rows["padj"].astype(float), false_discovery_control(source["pvalue"].to_numpy()), rtol=1e-10
        )
        assert rows["df"].isna().all()


def test_balances_are_those_of_a_linear_model(scored: pd.DataFrame, mouse: pd.DataFrame, made: SimpleNamespace) -> None:
    """Mean of some genes minus mean of others, sample by sample, on the dataset's design with its batch."""
    weights = {
        "pnac_vs_chow": [-0.5, -0.5, 0.5, 0.5, 0, 0, 0],
        "agonist_vs_pnac__7d": [0, 0, 0, -1, 0, 1, 0],
        "agonist_vs_pnac__7d_vs_1d": [0, 0, 1, -1, -1, 1, 0],
    }
    assert made.model.columns[0:6:2] == ("chow@1", "pnac@1", "agonist@1")

    a0, a1 = made.model.trend
    means = pd.Series(made.model.base_mean, index=made.model.genes)
    slopes = np.sqrt(a0 * means / (1 + a1 + a0 * means))  # of the variance-stabilising transform

    def family_mean(side: tuple[str, ...]) -> np.ndarray:
        """Each human gene counts once, however many paralogues the mouse has of it."""
        humans = sorted(set(mouse.loc[mouse["symbol"].isin(side), "human"]))
        families = [[made.ids[symbol] for symbol in mouse.loc[mouse["human"] == human, "symbol"]] for human in humans]
        shown = np.mean([slopes[family].mean() for family in families])
        return np.mean([made.expression[family].to_numpy().mean(axis=1) for family in families], axis=0) / shown

    for balance in balances_of(mouse):
        anti, pro = (family_mean(side) for side in (balance.anti, balance.pro))
        model = statsmodels.api.OLS(anti - pro, made.model.design).fit()
        for name, row in weights.items():
            expected = model.t_test(np.array(row))
            found = scored[(scored["contrast"] == name) & (scored["item"] == balance.name)].iloc[0]
            low, high = expected.conf_int()[0]
            assert found["estimate"] == pytest.approx(expected.effect.item(), rel=1e-9)
            assert found["se"] == pytest.approx(np.asarray(expected.sd).item(), rel=1e-9)
            assert found["pvalue"] == pytest.approx(np.asarray(expected.pvalue).item(), rel=1e-8)
            assert (found["ci_low"], found["ci_high"]) == (pytest.approx(low), pytest.approx(high))
            assert found["df"] == 24 - 7


def test_the_mitosis_score_stands_beside_survivin(mouse: pd.DataFrame, made: SimpleNamespace) -> None:
    """The mean of the mitosis programme's genes without survivin; a family of its own."""
    genes = [*made.model.genes[:4], made.ids["Birc5"], None]
    names = [*(f"M{place}" for place in range(4)), "Birc5", "Lost"]
    mapped = pd.DataFrame({"gene_set": "cell_cycle_g2_m", "gene": names, "gene_id": genes})
    members = mitosis_genes(mouse, mapped)
    assert members == sorted(made.model.genes[:4])
    table = score(mouse, SimpleNamespace(**vars(made) | {"programmes": mapped}))
    row = table[(table["contrast"] == "pnac_vs_chow") & (table["kind"] == "score")].iloc[0]
    a0, a1 = made.model.trend
    means = made.model.base_mean[:4]
    values = made.expression[members].mean(axis=1) / np.mean(np.sqrt(a0 * means / (1 + a1 + a0 * means)))
    expected = (
        statsmodels.api.OLS(values.to_numpy(), made.model.design)
        .fit()
        .t_test(np.array([-0.5, -0.5, 0.5, 0.5, 0, 0, 0]))
    )
    assert row["item"] == "mitosis_without_birc5"
    assert row["estimate"] == pytest.approx(expected.effect.item(), rel=1e-9)
    assert row["padj"] == row["pvalue"] == pytest.approx(np.asarray(expected.pvalue).item(), rel=1e-8)


def test_a_panel_of_single_donors_has_no_balances(mouse: pd.DataFrame, made: SimpleNamespace) -> None:
    """One donor in each arm: the scores have no numbers and say why; the genes keep theirs."""
    table = score_panel(
        mouse,
        made.contrasts,
        tables=made.tables,
        expression=made.expression,
        samples=made.samples.assign(donor=made.samples["arm"]),
        model=replace(made.model, nested_donor=True),
        programmes=made.programmes,
    )
    rows = table[table["contrast"] == "pnac_vs_chow"]
    balances = rows[rows["kind"] == "balance"]
    assert balances["estimate"].isna().all()
    assert set(balances["note"]) == {"donors_unreplicated"}
    assert rows.loc[rows["kind"] == "anti", "estimate"].notna().all()


def test_balances_are_corrected_among_themselves(scored: pd.DataFrame) -> None:
    """The family is the balances of one contrast."""
    rows = scored[(scored["contrast"] == "pnac_vs_chow") & (scored["kind"] == "balance")]
    expected = false_discovery_control(rows["pvalue"].to_numpy(dtype=float))
    np.testing.assert_allclose(rows["padj"].astype(float), expected, rtol=1e-10)


def test_a_contrast_that_lacks_a_cell_is_rows_with_its_note(scored: pd.DataFrame, mouse: pd.DataFrame) -> None:
    """Genes and balances alike, without numbers."""
    rows = scored[scored["contrast"] == "odd"]
    assert len(rows) == len(mouse) + 4
    assert set(rows["note"]) == {"missing_cell"}
    assert rows[["estimate", "se", "pvalue", "padj"]].isna().all(axis=None)


def test_a_gene_that_was_not_counted_is_a_row_and_named_in_its_balances(mouse: pd.DataFrame) -> None:
    """A balance named after its genes has no numbers then; one of a whole panel is that of the others."""
    table = score(mouse, make(mouse, lost=("Bak1", "Bcl2"))).set_index(["contrast", "item"]).loc["pnac_vs_chow"]
    for symbol in ("Bak1", "Bcl2"):
        assert table.loc[symbol, "note"] == "not_measured"
        assert table.loc[symbol, NUMBERS].isna().all()
    assert table.loc[BALANCES[0], "note"] == "not_measured:Bak1"
    assert table.loc[BALANCES[0], NUMBERS].isna().all()
    assert table.loc[BALANCES[1], "note"] == "not_measured:Bcl2"
    assert table.loc[BALANCES[1], NUMBERS].isna().all()
    assert table.loc[BALANCES[2], "note"] == "not_measured:Bcl2,Bak1"
    assert pd.notna(table.loc[BALANCES[2], "estimate"])


def test_a_low_gene_weakens_its_balances(mouse: pd.DataFrame) -> None:
    """Those with a member below ten counts say so, by name."""
    table = score(mouse, make(mouse, low=("Bcl2",))).set_index(["contrast", "item"]).loc["pnac_vs_chow"]
    assert table.loc[BALANCES[0], "note"] == ""
    assert table.loc[BALANCES[1], "note"] == "low_expression:Bcl2"


def test_a_study_may_have_a_panel_of_its_own(shipped: pd.DataFrame) -> None:
    """Its genes in its roles; facts of the shipped panel are kept, and unknown genes are looked for as named."""
    own = {"anti": ["MCL1", "Gpx4"], "pro": ["BAX", "CASP10"]}
    found = panel_genes(shipped, "mouse", own=own)
    assert found["symbol"].tolist() == ["Mcl1", "Gpx4", "Bax", "CASP10"]
    assert found["role"].tolist() == ["anti", "anti", "pro", "pro"]
    assert set(found["scored"]) == {"yes"}
    assert found.set_index("symbol").loc[["Mcl1", "Gpx4"], "step"].tolist() == ["bcl2_guardian", "own"]
    assert [balance.name for balance in balances_of(found)] == BALANCES[2:]
    table = score(found, make(found, lost=("CASP10",)))
    assert set(table.loc[table["item"] == "CASP10", "note"]) == {"not_measured"}


def test_a_balance_goes_by_its_name(shipped: pd.DataFrame) -> None:
    """The headline balance is not made of half its genes, when a study's own panel has only these."""
    own = {"anti": ["MCL1", "BCL2"], "pro": ["BAX"]}
    names = [balance.name for balance in balances_of(panel_genes(shipped, "mouse", own=own))]
    assert "balance_bcl2_over_bax" in names
    assert "balance_mcl1_bcl2l1_over_bax_bak1" not in names


def test_of_two_genes_with_one_symbol_the_higher_stands_in_the_panel(
    mouse: pd.DataFrame, made: SimpleNamespace
) -> None:
    """As in rankings."""
    tables = {name: table.copy() for name, table in made.tables.items()}
    for table in tables.values():
        table.loc[table["symbol"] == "Alb", ["symbol", "base_mean"]] = ["Mcl1", 1e6]
    twice: Any = SimpleNamespace(**vars(made) | {"tables": tables})
    row = score(mouse, twice).query("item == 'Mcl1' and contrast == 'pnac_vs_chow'").iloc[0]
    assert row["base_mean"] == 1e6


def make_expression() -> Expression:
    """Four samples of five genes, two of which share a symbol."""
    samples = make_samples({Cell("chow", None): 2, Cell("pnac", 7.0): 2})
    ids = ["g1", "g2", "g3", "g4", "Mcl1"]
    genes = pd.DataFrame(
        {"symbol": ["Bax", "Bax", "Fas", None, "Odd"], "human_symbol": ["BAX", "BAX", "FAS", "MCL1", None]}, index=ids
    )
    values = pd.DataFrame(np.arange(20.0).reshape(4, 5), index=samples.index, columns=ids)
    return Expression(samples, genes, values, values, np.zeros((4, 2)), np.zeros(2))


@pytest.mark.parametrize(
    ("name", "gene"), [("Fas", "g3"), ("FAS", "g3"), ("MCL1", "g4"), ("Mcl1", "Mcl1"), ("Bax", "g2"), ("g1", "g1")]
)
def test_a_gene_of_interest_is_found_by_id_symbol_or_human_symbol(name: str, gene: str) -> None:
    """In that order; of several with one symbol the highest."""
    expression = make_expression()
    table = gene_values([name], expression)[name]
    assert table["sample"].tolist() == list(expression.samples.index)
    assert table["arm"].tolist() == ["chow", "chow", "pnac", "pnac"]
    assert table["normalised_count"].tolist() == expression.normalised[gene].tolist()


def test_a_gene_of_interest_that_is_not_there_is_a_table_without_rows() -> None:
    """Its file exists all the same; no genes asked for, no tables."""
    table = gene_values(["Xyz"], make_expression())["Xyz"]
    assert (len(table), list(table.columns)) == (0, ["sample", "arm", "time", "normalised_count"])
    assert gene_values([], make_expression()) == {}
