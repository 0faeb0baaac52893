"""Enrichment and over-representation, against a running sum of our own and against scipy."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import false_discovery_control, fisher_exact, hypergeom
from statsmodels.stats.multitest import multipletests

from exoliver import enrichment
from exoliver.enrichment import enrich, enrich_contrasts, overrepresent, rank_contrast, rank_genes, stable_seed
from exoliver.ranked_sets import RankedSets
from exoliver.redundancy import cluster_sets
from exoliver.tables import ENRICHMENT, OVERREPRESENTATION

SIZE = (5, 100)
KEYS = {"panels": (), "size": SIZE, "fdr": 0.05}
SETTINGS = {"set_size": {"min": 5, "max": 100}, "seed": 1, "fdr": 0.05}


def make_table(genes: int = 400, seed: int = 1) -> pd.DataFrame:
    """A contrast's gene table: the first 40 genes go up, the next 40 down."""
    rng = np.random.default_rng(seed)
    symbols = [f"Gene{position}" for position in range(genes)]
    shift = np.repeat([1.5, -1.5, 0.0], [40, 40, genes - 80])
    error = rng.uniform(0.2, 0.6, genes)
    estimate = shift + rng.normal(0, 1, genes) * error
    pvalue = np.clip(2 * np.exp(-((estimate / error) ** 2) / 2), 1e-12, 1)
    return pd.DataFrame(
        {
            "gene_id": [f"id{position:04d}" for position in range(genes)],
            "symbol": symbols,
            "human_symbol": [symbol.upper() for symbol in symbols],
            "base_mean": rng.exponential(200, genes),
            "log2_fold_change": estimate,
            "lfc_se": error,
            "pvalue": pvalue,
            "padj": false_discovery_control(pvalue),
            "note": "",
        }
    )


def make_sets(seed: int = 2) -> dict[str, list[str]]:
    """Sets of the planted genes, random ones, and ones outside the limits."""
    rng = np.random.default_rng(seed)
    drawn = {f"random_{k}": [f"Gene{g}" for g in rng.choice(400, 20, replace=False)] for k in range(8)}
    named = {"up": range(30), "down": range(40, 70), "few": range(90, 94), "many": range(200, 320)}
    sets = {name: [f"Gene{g}" for g in genes] for name, genes in named.items()}
    return drawn | sets | {"foreign": ["ABC1", "XYZ2"], "empty": []}


def make_ranked(
    members: Mapping[str, Sequence[str]],
    *,
    panels: Collection[str] = (),
    titles: Mapping[str, str] | None = None,
    genes: str = "symbol",
) -> RankedSets:
    """A collection of sets as tests of ranks take them."""
    return RankedSets("own", "own.tsv", genes, members, frozenset(panels), titles or {})


def running_sum(ranking: pd.Series, members: Sequence[str]) -> float:
    """Enrichment score: the farthest point of the running sum from zero."""
    hit = ranking.index.isin(members)
    weights = np.where(hit, ranking.abs(), 0)
    walk = np.cumsum(weights / weights.sum() - ~hit / (~hit).sum())
    return float(walk.max() if walk.max() > -walk.min() else walk.min())


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """A contrast."""
    return make_table()


@pytest.fixture(scope="module")
def ranking(table: pd.DataFrame) -> pd.Series:
    """Its ranking."""
    return rank_genes(table, by="symbol")


@pytest.fixture(scope="module")
def enriched(ranking: pd.Series) -> pd.DataFrame:
    """Its enrichment."""
    return enrich(ranking, make_sets(), **KEYS, seed=7)


def test_the_ranking_is_by_the_wald_statistic(table: pd.DataFrame, ranking: pd.Series) -> None:
    """Estimate over error, decreasing, without genes that have none."""
    lost = table.assign(log2_fold_change=table["log2_fold_change"].where(table.index != 3))
    expected = (table["log2_fold_change"] / table["lfc_se"]).set_axis(table["symbol"]).sort_values(ascending=False)
    pd.testing.assert_series_equal(ranking, expected, check_names=False, rtol=1e-13)
    assert "Gene3" not in rank_genes(lost, by="symbol").index


def test_ties_are_told_apart_by_mean_and_then_by_id() -> None:
    """The ranking strictly decreases by statistic, mean count and gene id, in whatever order the rows come."""
    table = pd.DataFrame(
        {
            "gene_id": ["d", "a", "c", "b", "e", "f"],
            "symbol": ["D", "A", "C", "B", "E", "F"],
            "base_mean": [5.0, 5.0, 9.0, 5.0, 1.0, 1.0],
            "log2_fold_change": [0.0, 0.0, 0.0, 0.0, 2.0, -2.0],
            "lfc_se": 0.5,
        }
    )
    found = rank_genes(table, by="symbol")
    assert list(found.index) == ["E", "C", "A", "B", "D", "F"]
    assert (np.diff(found) < 0).all()
    np.testing.assert_allclose(found, [4, 0, 0, 0, 0, -4], atol=1e-13)
    pd.testing.assert_series_equal(rank_genes(table.sample(frac=1, random_state=1), by="symbol"), found)


@pytest.mark.parametrize("statistic", [0.0, 1e-3, 40.0])
def test_a_ranking_of_ties_alone_is_strictly_decreasing(statistic: float) -> None:
    """Steps are those of normal numbers, since gseapy's sampling does not end on subnormal ones."""
    table = make_table().assign(log2_fold_change=statistic, lfc_se=1.0)
    found = rank_genes(table, by="symbol")
    assert (np.diff(found) < 0).all()
    assert np.abs(np.diff(found)).min() > 1e-20
    np.testing.assert_allclose(found, statistic, atol=1e-11)


def test_a_contrast_is_ranked_by_the_genes_that_have_a_statistic(table: pd.DataFrame) -> None:
    """Of two genes with a symbol the higher one counts, unless it has none; genes without a symbol have no place."""
    double = table.assign(symbol=table["symbol"].where(table.index != 399, "Gene0").where(table.index != 398))
    double.loc[399, "base_mean"] = 1e9
    wald = double["log2_fold_change"] / double["lfc_se"]
    assert rank_contrast(double, by="symbol")["Gene0"] == wald[399]
    double.loc[399, "lfc_se"] = np.nan
    found = rank_contrast(double, by="symbol")
    assert (found["Gene0"], len(found)) == (wald[0], 398)


def test_no_gene_gives_an_empty_ranking(table: pd.DataFrame) -> None:
    """All estimates are missing."""
    assert len(rank_genes(table.assign(log2_fold_change=np.nan), by="symbol")) == 0


def test_the_score_is_the_farthest_point_of_the_running_sum(ranking: pd.Series, enriched: pd.DataFrame) -> None:
    """Computed again by ten lines of our own."""
    tested = enriched[enriched["note"] == ""]
    assert len(tested) == 10
    for row in tested.itertuples():
        assert row.es == pytest.approx(running_sum(ranking, make_sets()[row.gene_set]), abs=1e-9)


def test_planted_sets_are_found_with_their_signs(enriched: pd.DataFrame) -> None:
    """Up and down score high, random sets do not; p-values are small, positive and finite."""
    rows = enriched.set_index("gene_set")
    assert rows.loc["up", "nes"] > 2
    assert rows.loc["down", "nes"] < -2
    assert (rows.loc[["up", "down"], "padj"] < 1e-6).all()
    assert (rows.filter(like="random_", axis=0)["padj"] > 0.01).all()
    tested = rows[rows["note"] == ""]
    assert tested["pvalue"].between(1e-50, 1).all()
    assert np.isfinite(tested[["es", "nes", "pvalue", "log2err"]]).all(axis=None)


def test_the_leading_edge_is_what_makes_the_score(ranking: pd.Series, enriched: pd.DataFrame) -> None:
    """Members up to the peak for a set that goes up, from the trough on for one that goes down."""
    rows = enriched.set_index("gene_set")
    for name in ("up", "down"):
        edge = rows.loc[name, "leading_edge"].split(";")
        members = [gene for gene in ranking.index if gene in make_sets()[name]]
        members = members if name == "up" else members[::-1]
        assert edge == members[: len(edge)]
        assert 0.5 * len(members) < len(edge) <= len(members)


def test_the_correction_is_over_every_set_tested(enriched: pd.DataFrame) -> None:
    """Benjamini-Hochberg over the sets within the limits."""
    tested = enriched[enriched["note"] == ""]
    np.testing.assert_allclose(tested["padj"], false_discovery_control(tested["pvalue"]), rtol=1e-12)


def test_sets_outside_the_limits_are_rows_with_a_note(enriched: pd.DataFrame) -> None:
    """Every set has its row, sorted by name, with the members that are ranked."""
    assert enriched["gene_set"].tolist() == sorted(make_sets())
    assert tuple(enriched.columns) == ENRICHMENT
    rows = enriched.set_index("gene_set")
    notes = {"few": "too_few_measured", "many": "too_many_measured"}
    notes |= {"foreign": "too_few_measured", "empty": "too_few_measured"}
    assert rows.loc[list(notes), "note"].to_dict() == notes
    assert rows.loc[list(notes), "size"].tolist() == [4, 120, 0, 0]
    assert rows.loc[list(notes), ["es", "nes", "pvalue", "padj"]].isna().all(axis=None)


def test_the_order_of_sets_and_members_does_not_matter(ranking: pd.Series, enriched: pd.DataFrame) -> None:
    """Reversed, and with members named twice, they give the same table."""
    others = {name: [*members[::-1], *members[:2]] for name, members in reversed(make_sets().items())}
    pd.testing.assert_frame_equal(enrich(ranking, others, **KEYS, seed=7), enriched)


def test_the_seed_decides_the_sampling_and_not_the_score(ranking: pd.Series, enriched: pd.DataFrame) -> None:
    """Same seed, same numbers; another moves p-values a little and scores not at all."""
    pd.testing.assert_frame_equal(enrich(ranking, make_sets(), **KEYS, seed=7), enriched)
    other = enrich(ranking, make_sets(), **KEYS, seed=8)
    pd.testing.assert_series_equal(other["es"], enriched["es"])
    assert not other["pvalue"].equals(enriched["pvalue"])
    np.testing.assert_allclose(other["nes"], enriched["nes"], rtol=0.15)


@pytest.mark.slow
def test_another_process_gives_the_same_bytes(root: Path) -> None:
    """Whatever the order in which its hashing puts sets."""
    code = (
        "from tests.unit.test_enrichment import *; ranking = rank_genes(make_table(), by='symbol'); "
        "print(enrich(ranking, make_sets(), **KEYS, seed=7).to_csv())"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=root,
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(texts) == 1


def test_seeds_are_made_of_the_study_s_seed_and_the_place() -> None:
    """The same everywhere, different from place to place, and small enough for any generator."""
    assert stable_seed(1, "a/b") == int(hashlib.sha256(b"1/a/b").hexdigest()[:8], 16) & 0x7FFFFFFF
    assert len({stable_seed(seed, label) for seed in (1, 2) for label in ("a/b", "a/c")}) == 4
    assert all(0 <= stable_seed(seed, "x") < 2**31 for seed in range(200))


def test_symbols_that_differ_in_case_are_different_genes() -> None:
    """A library that upper-cases the ranking where sets are upper-case would let `ABC` hit `Abc`."""
    values = np.linspace(3, -3, 60)
    symbols = [f"Abc{k}" for k in range(30)] + [f"ABC{k}" for k in range(30)]
    ranking = pd.Series(values, index=symbols)
    members = [f"ABC{k}" for k in range(10)]
    row = enrich(ranking, {"upper": members}, **KEYS, seed=1).iloc[0]
    assert row["es"] == pytest.approx(running_sum(ranking, members), abs=1e-9)
    assert set(row["leading_edge"].split(";")) <= set(members)


def test_a_set_that_holds_the_whole_ranking_is_not_tested(ranking: pd.Series) -> None:
    """There is nothing to compare it with; it is a row with a note."""
    found = enrich(ranking.iloc[:20], {"all": list(ranking.index[:20])}, **KEYS, seed=1)
    assert found[["size", "note"]].iloc[0].tolist() == [20, "whole_ranking"]


def test_a_ranking_of_one_sign_gives_a_note_where_there_is_no_pvalue() -> None:
    """With statistics all of one sign hardly a random set scores on the other side."""
    ranking = pd.Series(np.linspace(6, 0.01, 400), index=[f"Gene{k}" for k in range(400)])
    found = enrich(ranking, {"bottom": [f"Gene{k}" for k in range(310, 400)]}, **KEYS, seed=1).iloc[0]
    assert found["es"] == pytest.approx(running_sum(ranking, [f"Gene{k}" for k in range(310, 400)]), abs=1e-9)
    assert pd.isna(found["pvalue"]) == (found["note"] == "unbalanced_ranking")


def test_sets_are_given_to_the_library_in_parts_to_no_effect(
    ranking: pd.Series, enriched: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the number at a time: the random genes of every part are those of the largest set."""
    for number in (1, 3):
        monkeypatch.setattr(enrichment, "SETS_AT_A_TIME", number)
        pd.testing.assert_frame_equal(enrich(ranking, make_sets(), **KEYS, seed=7), enriched)


def test_scores_are_those_of_the_library_s_own_table(ranking: pd.Series, enriched: pd.DataFrame) -> None:
    """What is asked of gseapy without its tables, and the leading edges that we make, are what these tables hold."""
    import gseapy

    table = gseapy.prerank(
        rnk=ranking, gene_sets={name: sorted(genes) for name, genes in make_sets().items()}, method="multilevel",
        min_size=SIZE[0], max_size=SIZE[1], eps=1e-50, seed=7, outdir=None,
    ).res2d.set_index("Term")  # fmt: skip
    ours = enriched.set_index("gene_set").dropna(subset=["es"])
    theirs = table.loc[ours.index]
    columns = {"ES": "es", "NES": "nes", "NOM p-val": "pvalue", "log2err": "log2err"}
    np.testing.assert_array_equal(theirs[[*columns]].to_numpy(dtype=float), ours[[*columns.values()]])
    assert theirs["Lead_genes"].tolist() == ours["leading_edge"].tolist()


def test_panels_are_rows_with_a_note_and_no_part_of_the_family(table: pd.DataFrame, ranking: pd.Series) -> None:
    """Whatever their size, in both kinds of test; the other sets are corrected as if they were not there."""
    panels = {"up", "few", "random_0"}
    found = enrich(ranking, make_sets(), **KEYS | {"panels": panels}, seed=7).set_index("gene_set")
    others = {name: genes for name, genes in make_sets().items() if name not in panels}
    pd.testing.assert_frame_equal(
        found.drop(index=panels), enrich(ranking, others, **KEYS, seed=7).set_index("gene_set")
    )
    assert set(found.loc[list(panels), "note"]) == {"panel"}
    assert found.loc["up", "size"] == 30
    assert found.loc[list(panels)].drop(columns=["size", "note"]).isna().all(axis=None)
    over = represented(table, make_sets(), panels=panels)
    pd.testing.assert_frame_equal(over.drop(index=panels, level=0), represented(table, others))
    assert (over.loc[list(panels), "note"] == "panel").all()
    assert over.loc[list(panels), ["odds_ratio", "pvalue", "padj"]].isna().all(axis=None)


def test_halves_of_a_signed_set_are_found_where_the_whole_is_not(ranking: pd.Series) -> None:
    """Members that rise and members that fall cancel in one bag."""
    halves = {"both_UP": [f"Gene{k}" for k in range(20)], "both_DN": [f"Gene{k}" for k in range(40, 60)]}
    sets = halves | {"bag": [*halves["both_UP"], *halves["both_DN"]]}
    rows = enrich(ranking, sets, **KEYS, seed=7).set_index("gene_set")
    assert rows.loc["both_UP", "nes"] > 2
    assert rows.loc["both_DN", "nes"] < -2
    assert abs(rows.loc["bag", "nes"]) < 1.7


def test_significant_sets_carry_their_cluster(ranking: pd.Series) -> None:
    """By their leading edges; the level is the study's."""
    sets = make_sets() | {"upper": [f"Gene{k}" for k in range(3, 33)]}
    rows = enrich(ranking, sets, **KEYS, seed=7).set_index("gene_set")
    assert rows["pvalue"].idxmin() == "upper"
    assert rows["cluster"].dropna().to_dict() == {"down": "down", "up": "upper", "upper": "upper"}
    pd.testing.assert_series_equal(
        rows["cluster"], cluster_sets(rows.reset_index(), fdr=0.05).set_axis(rows.index), check_names=False
    )
    assert enrich(ranking, sets, **KEYS | {"fdr": 1e-30}, seed=7)["cluster"].isna().all()


def test_no_sets_give_an_empty_table(ranking: pd.Series, table: pd.DataFrame) -> None:
    """With its columns."""
    found = enrich(ranking, {}, **KEYS, seed=1)
    assert (len(found), tuple(found.columns)) == (0, ENRICHMENT)
    over = overrepresent(table, {}, by="symbol", **KEYS)
    assert (len(over), set(over.columns)) == (0, set(OVERREPRESENTATION))


def represented(table: pd.DataFrame, sets: Mapping[str, Sequence[str]], **keys: object) -> pd.DataFrame:
    """Over-representation, indexed by set and direction."""
    return overrepresent(table, sets, **({"by": "symbol"} | KEYS | keys)).set_index(["gene_set", "direction"])


@pytest.mark.parametrize(("direction", "sign"), [("up", 1), ("down", -1)])
def test_over_representation_is_the_upper_tail(table: pd.DataFrame, direction: str, sign: int) -> None:
    """The hypergeometric tail and Fisher's one-sided test of scipy give the same p-value and odds ratio."""
    found = represented(table, make_sets()).xs(direction, level="direction")
    chosen = table[(table["padj"] < 0.05) & (table["log2_fold_change"] * sign > 0)]["symbol"]
    tested = found[~found["note"].str.startswith("too_")]
    assert len(tested) == 10
    for name, row in tested.iterrows():
        members = set(make_sets()[name])
        hits = members & set(chosen)
        assert (row["hits"], row["size"]) == (len(hits), len(members))
        assert (row["selected"], row["background"]) == (len(chosen), len(table))
        assert row["genes"] == ";".join(sorted(hits))
        both = [len(hits), len(members) - len(hits)]
        others = [len(chosen) - len(hits), len(table) - len(members) - len(chosen) + len(hits)]
        exact = fisher_exact([both, others], alternative="greater")
        assert row["pvalue"] == pytest.approx(exact.pvalue, rel=1e-8)
        assert row["odds_ratio"] == pytest.approx(exact.statistic, rel=1e-12)


def test_sets_without_a_hit_are_part_of_the_family(table: pd.DataFrame) -> None:
    """They have p-value 1 and count in the correction, each direction by itself."""
    found = represented(table, make_sets())
    for direction in ("up", "down"):
        tested = found.xs(direction, level="direction").dropna(subset=["pvalue"])
        assert len(tested) == 10
        assert (tested.loc[tested["hits"] == 0, "pvalue"] == 1).all()
        np.testing.assert_allclose(tested["padj"], false_discovery_control(tested["pvalue"]), rtol=1e-12)
    assert (found["hits"] == 0).any()


@pytest.mark.parametrize("direction", ["up", "down"])
def test_the_family_is_every_set_within_the_limits(table: pd.DataFrame, direction: str) -> None:
    """Scipy's tail and the correction of statsmodels over all of them give our numbers; those with a hit alone do not.

    gseapy.enrich returns the sets with a hit and corrects over these.
    """
    import gseapy

    # Four genes that change either way, so that most of the sets have no hit.
    changed = {"up": [0, 1, 2, 150], "down": [40, 41, 42, 250]}
    sign = np.where(table.index.isin(changed["up"]), 1.0, -1.0)
    quiet = table.assign(
        padj=np.where(table.index.isin([*changed["up"], *changed["down"]]), 0.001, 1.0), log2_fold_change=sign
    )
    ours = represented(quiet, make_sets()).xs(direction, level="direction").dropna(subset=["pvalue"])
    selected = {f"Gene{k}" for k in changed[direction]}
    tails = [
        hypergeom.sf(len(selected & set(make_sets()[name])) - 1, 400, len(set(make_sets()[name])), 4)
        for name in ours.index
    ]
    np.testing.assert_allclose(ours["pvalue"], tails, rtol=1e-12)
    np.testing.assert_allclose(ours["padj"], multipletests(tails, method="fdr_bh")[1], rtol=1e-12)
    within = {name: make_sets()[name] for name in ours.index}
    theirs = gseapy.enrich(
        gene_list=sorted(selected), gene_sets=within, background=sorted(table["symbol"]), outdir=None
    ).results.set_index("Term")
    hit = ours[ours["hits"] > 0]
    assert set(theirs.index) == set(hit.index)
    assert len(hit) < len(ours) == 10
    np.testing.assert_allclose(theirs.loc[hit.index, "P-value"].astype(float), hit["pvalue"], rtol=1e-9)
    own_family = theirs.loc[hit.index, "Adjusted P-value"].astype(float)
    np.testing.assert_allclose(own_family, multipletests(hit["pvalue"], method="fdr_bh")[1], rtol=1e-9)
    assert (own_family < hit["padj"]).all()


def test_the_background_is_the_genes_tested(table: pd.DataFrame) -> None:
    """Genes without a p-value are no part of it, and no members; members that are not in the table neither."""
    lost = table.assign(pvalue=table["pvalue"].where(table.index >= 10))
    row = represented(lost, {"up": [*make_sets()["up"], "Foreign1"]}).loc[("up", "up")]
    assert (row["size"], row["background"]) == (20, 390)


@pytest.mark.parametrize("hits", [0, 1, 2])
def test_few_hits_are_counted(table: pd.DataFrame, hits: int) -> None:
    """None, one and two of a set's six members are among the significant."""
    quiet = table.assign(padj=1.0)
    quiet.loc[: hits - 1, ["padj", "log2_fold_change"]] = [0.001, 1.0] if hits else [1.0, 1.0]
    members = [f"Gene{k}" for k in (0, 1, 100, 101, 102, 103)]
    row = represented(quiet, {"six": members}).loc[("six", "up")]
    assert row["hits"] == hits
    assert row["pvalue"] == pytest.approx(hypergeom.sf(hits - 1, 400, 6, hits), rel=1e-12)
    assert row["genes"] == ";".join(f"Gene{k}" for k in range(hits))


def test_an_odds_ratio_without_misses_is_not_defined(table: pd.DataFrame) -> None:
    """All selected genes are members: the p-value stands, the ratio is missing with a note."""
    quiet = table.assign(padj=np.where(table.index < 5, 0.001, 1.0), log2_fold_change=1.0)
    row = represented(quiet, {"five": [f"Gene{k}" for k in range(8)]}).loc[("five", "up")]
    assert pd.isna(row["odds_ratio"])
    assert row["note"] == "odds_ratio_not_defined"
    assert row["pvalue"] < 1e-6


def test_a_whole_collection_is_enriched_in_every_contrast(table: pd.DataFrame) -> None:
    """Two tables for each contrast, under the declared columns, by either kind of symbol, each with its own seed."""
    contrasts = {"a": table, "b": make_table(seed=9), "again": table}
    upper = {name: [gene.upper() for gene in genes] for name, genes in make_sets().items()}
    enriched, over = enrich_contrasts(
        contrasts, make_ranked(upper, genes="human_symbol"), settings=SETTINGS, label=["toy", "sets"], threads=2
    )
    assert list(enriched) == list(over) == ["a", "b", "again"]
    for name in contrasts:
        assert tuple(enriched[name].columns) == ENRICHMENT
        assert set(over[name].columns) == set(OVERREPRESENTATION)
        assert len(over[name]) == 2 * len(enriched[name]) == 2 * len(upper)
    pd.testing.assert_series_equal(enriched["a"]["es"], enriched["again"]["es"])
    assert not enriched["a"]["pvalue"].equals(enriched["again"]["pvalue"])
    alone, _ = enrich_contrasts(
        {"b": contrasts["b"]},
        make_ranked(upper, genes="human_symbol"),
        settings=SETTINGS,
        label=["toy", "sets"],
        threads=2,
    )
    pd.testing.assert_frame_equal(alone["b"], enriched["b"])


def test_of_genes_with_one_symbol_the_highest_is_ranked(table: pd.DataFrame) -> None:
    """The other does not count twice."""
    double = table.assign(symbol=table["symbol"].where(table.index != 399, "Gene0"))
    double.loc[399, "base_mean"] = 1e9
    enriched, over = enrich_contrasts(
        {"a": double}, make_ranked(make_sets()), settings=SETTINGS, label=["toy", "sets"], threads=2
    )
    kept = double.drop(index=0).reset_index(drop=True)
    expected = running_sum(rank_genes(kept, by="symbol"), make_sets()["up"])
    assert enriched["a"].set_index("gene_set").loc["up", "es"] == pytest.approx(expected, abs=1e-9)
    assert set(over["a"]["background"]) == {399}


def test_a_contrast_that_lacks_a_cell_is_rows_with_its_note(table: pd.DataFrame) -> None:
    """Every set is a row of missing numbers, for both kinds of test."""
    missing = dict.fromkeys(("log2_fold_change", "lfc_se", "pvalue", "padj"), np.nan)
    lost = table.assign(**missing, note="missing_cell")
    enriched, over = enrich_contrasts(
        {"a": lost}, make_ranked(make_sets()), settings=SETTINGS, label=["toy", "sets"], threads=2
    )
    for found, rows in ((enriched["a"], 14), (over["a"], 28)):
        assert len(found) == rows
        assert set(found["note"]) == {"missing_cell"}
        assert found[["pvalue", "padj"]].isna().all(axis=None)
