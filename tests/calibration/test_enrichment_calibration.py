"""What preranked enrichment finds: a planted set, nothing where genes are shuffled, and too much where samples are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exoliver.differential import fit_model
from exoliver.enrichment import enrich, rank_contrast, rank_genes
from exoliver.genesets import read_gene_sets
from exoliver.identifiers import read_annotation
from exoliver.study import GeneFilter
from exoliver.variance import stabilise_variance
from tests.calibration.test_fit_calibration import read, tables_of
from tests.toy_model import make_intake

pytestmark = pytest.mark.calibration

LEVEL = 0.05
RUNS = range(100)
PLANTED, MEMBERS, SHIFT = "planted", 50, 0.7  # name and size of the planted set; standard deviations of the ranking

GeneSets = dict[str, list[str]]


@pytest.fixture(scope="module")
def hallmark(shared: Path) -> GeneSets:
    """The 50 Hallmark sets of the mouse."""
    table = read_gene_sets(shared / "genesets" / "mh.all.v2023.1.Mm.symbols.gmt")
    return table.groupby("gene_set")["gene"].agg(list).to_dict()


@pytest.fixture(scope="module")
def symbols() -> pd.Series:
    """Symbol by Ensembl id."""
    table = read_annotation("mouse").dropna(subset=["gene_id", "symbol"])
    return table.drop_duplicates("gene_id").set_index("gene_id")["symbol"]


@pytest.fixture(scope="module")
def ranking(shared: Path, symbols: pd.Series) -> pd.Series:
    """Injury in DLPC as exoliver ranks it: genes that pass the default filter."""
    counts, sheet = read(shared / "data" / "dlpc_mouse_liver")
    samples = pd.DataFrame({"arm": sheet["group"], "time": np.nan})
    roles = {"healthy": "healthy", "injured": "injured", "treated": "treated"}
    table = tables_of(counts, samples, roles)["injured_vs_healthy"]
    named = table["gene_id"].str.replace(r"\.\d+$", "", regex=True).map(symbols)
    return rank_contrast(table.assign(symbol=named), by="symbol")


def found(ranking: pd.Series, gene_sets: GeneSets, seed: int) -> pd.DataFrame:
    """The sets, smallest p-value first, ties by the size of their score."""
    table = enrich(ranking, gene_sets, panels=(), size=(10, 500), fdr=LEVEL, seed=seed)
    return table.assign(size_of=-table["nes"].abs()).sort_values(["pvalue", "size_of"], ignore_index=True)


def in_turn(run: Callable[[int], pd.DataFrame], seeds: Iterable[int]) -> list[pd.DataFrame]:
    """One table for each seed, two at a time."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(run, seeds))


def shuffled(ranking: pd.Series, seed: int) -> pd.Series:
    """The same statistics, their genes dealt anew."""
    return ranking.set_axis(np.random.default_rng(seed).permutation(ranking.index.to_numpy(dtype=object)))


def share_first(ranking: pd.Series, gene_sets: GeneSets) -> float:
    """How often a planted set comes first among the others, on shuffled genes."""

    def run(seed: int) -> pd.DataFrame:
        own = shuffled(ranking, seed)
        members = np.random.default_rng([seed, 1]).choice(own.index.to_numpy(dtype=object), MEMBERS, replace=False)
        own[members] += SHIFT * ranking.std()
        own = own.sort_values(ascending=False, kind="stable")
        return found(own, gene_sets | {PLANTED: list(members)}, seed)

    return float(np.mean([table["gene_set"].iloc[0] == PLANTED for table in in_turn(run, RUNS)]))


def test_a_planted_set_comes_first(ranking: pd.Series, hallmark: GeneSets) -> None:
    """50 random genes, shifted by .7 standard deviations, in at least 95 of 100 runs against 50 sets of chance."""
    assert share_first(ranking, hallmark) >= 0.95  # measured .975 over 1,000 runs


def test_genes_without_counts_cost_power(shared: Path, hallmark: GeneSets) -> None:
    """On all 30,618 genes of R's ranking, half of them near zero counts and so near zero, it is first less often.

    Measured .942 over 600 runs, 92 to 97 of 100: short of the .95 that the filtered ranking reaches. A test of means,
    the best there is for a shift of all members, would reach .987 here and .983 there: running sums that are weighted
    by the statistic lose where a few large statistics are in it (excess kurtosis 1.4 here, -.1 there).
    """
    table = pd.read_csv(shared / "reference/fgsea/dlpc_injured_vs_healthy.rnk.gz", sep="\t", keep_default_na=False)
    columns = {"gene_id": table["symbol"], "base_mean": 1.0, "log2_fold_change": table["stat"], "lfc_se": 1.0}
    share = share_first(rank_genes(table.assign(**columns), by="symbol"), hallmark)
    assert 0.88 <= share < 1


def test_nothing_is_found_where_genes_are_shuffled(ranking: pd.Series, hallmark: GeneSets) -> None:
    """At most 7 of 100 runs have a set with an adjusted p-value below .05: 5 are expected, .053 of 1,000 were."""
    tables = in_turn(lambda seed: found(shuffled(ranking, seed), hallmark, seed), RUNS)
    assert np.mean([(table["padj"] < LEVEL).any() for table in tables]) <= 0.07
    # Of 5,000 p-values; of 50,000 it was .0494. Sets overlap, so that chance moves it more than 5,000 draws would.
    assert 0.035 < np.mean([table["pvalue"] < LEVEL for table in tables]) < 0.065


def residuals_of(shared: Path, symbols: pd.Series) -> pd.DataFrame:
    """Livers of GSE222550 (rows) without the means of their eight cells: variance-stabilised, by symbol (columns)."""
    counts, sheet = read(shared / "data" / "gse222550_mouse_liver")
    samples = pd.DataFrame({"arm": sheet["photoperiod"], "time": sheet["zt"].astype(float)})
    model = fit_model(
        counts,
        samples,
        intake=make_intake(["LL", "SL"]),
        gene_filter=GeneFilter(min_count=10, min_samples=None),
        threads=2,
    )
    normalised = counts.loc[list(model.samples), list(model.genes)].to_numpy(dtype=float) / model.size_factors[:, None]
    stable = stabilise_variance(normalised, trend=model.trend, mean_dispersion=model.mean_dispersion)
    genes = pd.Series(model.genes).map(symbols)
    order = np.argsort(-model.base_mean, kind="stable")
    kept = [place for place in order if model.takes_part[place] and isinstance(genes[place], str)]
    table = pd.DataFrame(stable[:, kept], columns=genes[kept].to_numpy(dtype=object))
    table = table.loc[:, ~table.columns.duplicated()]
    cells = samples.loc[list(model.samples)].astype(str).agg("@".join, axis=1).to_numpy()
    return table - table.groupby(cells).transform("mean")


def test_what_is_found_where_samples_are_shuffled_is_false(
    shared: Path, symbols: pd.Series, hallmark: GeneSets
) -> None:
    """Why claims on programmes rest on another test: genes of a set move together, and shuffling genes forgets it.

    Four livers against four that differ in nothing but chance: more than .2 of the p-values are below .05. Measured .33
    over 200 runs, with a set below an adjusted .05 in 99 of 100; .35 for 16 against 16: more samples do not help.
    """
    residuals = residuals_of(shared, symbols)

    def run(seed: int) -> pd.DataFrame:
        dealt = residuals.to_numpy()[np.random.default_rng(seed).permutation(len(residuals))[:8]]
        one, other = dealt[:4], dealt[4:]
        error = np.sqrt((one.var(axis=0, ddof=1) + other.var(axis=0, ddof=1)) / 4)
        statistic = pd.Series((one.mean(axis=0) - other.mean(axis=0)) / error, index=residuals.columns)
        return found(statistic.sort_values(ascending=False, kind="stable"), hallmark, seed)

    tables = in_turn(run, range(25))
    assert np.mean([table["pvalue"] < LEVEL for table in tables]) > 0.2
    assert np.mean([(table["padj"] < LEVEL).any() for table in tables]) > 0.8
