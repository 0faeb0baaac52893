"""The door to gseapy: preranked enrichment; and over-representation. Both describe a ranking, they are no evidence."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import hypergeom

from exoliver.identifiers import collapse_symbols
from exoliver.inference.filtering import adjust_pvalues
from exoliver.ranked_sets import RankedSets
from exoliver.redundancy import cluster_sets
from exoliver.tables import ENRICHMENT, OVERREPRESENTATION, UNREPLICATED, join_notes

# LIMIT: Gene-set tests that permute genes ignore the correlation between genes: they rank and describe, they do not
# prove.

SMALLEST_PVALUE = 1e-50
SAMPLE_SIZE = 101  # of the multilevel split, as in Korotkevich (2021)
PERMUTATIONS = 1000  # random sets that the normalised scores are made of, as in fgsea
SETS_AT_A_TIME = 500  # a running sum of 8 bytes a gene is kept for every set that gseapy is given


def enrich_contrasts(
    contrasts: Mapping[str, pd.DataFrame],
    sets: RankedSets,
    *,
    settings: Mapping[str, Any],
    label: Sequence[str],
    threads: int,
) -> tuple[dict[str, pd.DataFrame], dict[str, pd.DataFrame]]:
    """Preranked enrichment and over-representation of one collection in every contrast.

    Parameters
    ----------
    contrasts
        Contrast id to its gene table.
    sets
        Of `ranked_sets.sets_to_rank`.
    settings
        The study's `set_size` (fewest and most measured members of a set that is tested), `seed`, and `fdr` (level at
        which genes are selected for over-representation, and sets for clusters).
    label
        Dataset and collection, from which with the seed each contrast's own seed is made.
    threads
        Contrasts that are worked on at a time.

    Returns
    -------
    Enrichment and over-representation tables by contrast id.
    """
    size = (settings["set_size"]["min"], settings["set_size"]["max"])

    def one(name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
        table = contrasts[name]
        own_seed = stable_seed(settings["seed"], "/".join([*label, name]))
        # Collapsed over the genes that have the number in question, so that no untested gene stands for a symbol.
        tested = collapse_symbols(table.dropna(subset=["pvalue"]), by=sets.genes)
        shared = {"panels": sets.panels, "size": size, "fdr": settings["fdr"]}
        ranks = enrich(rank_contrast(table, by=sets.genes), sets.members, seed=own_seed, **shared)
        hits = overrepresent(tested, sets.members, by=sets.genes, **shared)
        return _with_notes(ranks, table), _with_notes(hits, table)

    with ThreadPoolExecutor(max(threads, 1)) as pool:
        found = dict(zip(contrasts, pool.map(one, contrasts), strict=True))
    return {name: ranks for name, (ranks, _) in found.items()}, {name: hits for name, (_, hits) in found.items()}


def _with_notes(found: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """The sets with what holds for their whole contrast: without numbers the reason, else `unreplicated`."""
    notes = [set(str(note).split(";")) - {""} for note in table["note"].fillna("")]
    shared = sorted(set.intersection(*notes)) if notes else []
    if not table["log2_fold_change"].notna().any():
        return found.assign(note=";".join(shared))
    if UNREPLICATED not in shared:
        return found
    return found.assign(note=[join_notes(note, UNREPLICATED) for note in found["note"]])


def stable_seed(seed: int, label: str) -> int:
    """A seed for one random step, the same on every machine and in whatever order steps run."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{label}".encode()).digest()[:4], "big") % (2**31)


def rank_contrast(table: pd.DataFrame, *, by: str) -> pd.Series:
    """The ranking of one contrast, by `rank_genes`; of the genes of a symbol, the highest that has a statistic."""
    return rank_genes(collapse_symbols(table.dropna(subset=["log2_fold_change", "lfc_se"]), by=by), by=by)


def rank_genes(genes: pd.DataFrame, *, by: str) -> pd.Series:
    """Genes by their Wald statistic, strictly decreasing, so that no tie is left to a library.

    Parameters
    ----------
    genes
        One row per symbol, with log2_fold_change, lfc_se, base_mean and gene_id.
    by
        Column of the symbols.

    Returns
    -------
    Statistic by symbol. The statistic is the unthresholded one; ties are ordered by mean count, then gene id, and
    told apart by the smallest step at the scale of the largest statistic.
    """
    ranked = genes.assign(wald=genes["log2_fold_change"] / genes["lfc_se"]).dropna(subset=["wald"])
    ranked = ranked.sort_values("gene_id").sort_values("base_mean", ascending=False, kind="stable")
    ranked = ranked.sort_values("wald", ascending=False, kind="stable")
    values = ranked["wald"].to_numpy(dtype=float).copy()
    # Not nextafter: from zero its steps are subnormal, and gseapy 1.3's sampling does not end on sets of such genes.
    step = np.spacing(np.abs(values).max(initial=0.0) or 1.0)
    for position in range(1, len(values)):
        values[position] = min(values[position], values[position - 1] - step)
    return pd.Series(values, index=ranked[by].to_numpy(dtype=object))


def enrich(
    ranking: pd.Series,
    gene_sets: Mapping[str, Sequence[str]],
    *,
    panels: Collection[str],
    size: tuple[int, int],
    fdr: float,
    seed: int,
) -> pd.DataFrame:
    """Preranked gene set enrichment with multilevel p-values; corrected over every set tested.

    Parameters
    ----------
    ranking
        Statistic by symbol, strictly decreasing.
    gene_sets
        Gene set to symbols.
    panels
        Sets that are not tested, whatever their size.
    size
        Fewest and most members in the ranking of a set that is tested; the others are rows with a note.
    fdr
        Sets below this adjusted p-value are clustered.
    seed
        Of the random sampling.

    References
    ----------
    Subramanian (2005), 10.1073/pnas.0506580102; Korotkevich (2021), 10.1101/060012; Fang (2023),
    10.1093/bioinformatics/btac757.
    """
    places = {gene: place for place, gene in enumerate(ranking.index)}
    members = {name: sorted(places[gene] for gene in {*genes} if gene in places) for name, genes in gene_sets.items()}
    sizes = {name: len(members[name]) for name in sorted(members)}
    notes = {name: _rank_note(name in panels, count, size, len(ranking)) for name, count in sizes.items()}
    tested = {name: members[name] for name, note in notes.items() if not note}
    table = pd.DataFrame({"gene_set": pd.Series(list(sizes), dtype=object), "size": list(sizes.values())})
    table = table.merge(_prerank(ranking, tested, size, seed), on="gene_set", how="left")
    # gseapy gives no p-value where too few random sets score on the same side; the set stays one of the family.
    is_lost = table["pvalue"].isna() & table["gene_set"].isin(tested)
    table["padj"] = adjust_pvalues(table["pvalue"].mask(is_lost, 1.0).to_numpy(dtype=float))
    table.loc[is_lost, "padj"] = np.nan
    table["cluster"] = cluster_sets(table, fdr=fdr)
    table["note"] = np.where(is_lost, "unbalanced_ranking", table["gene_set"].map(notes))
    return table[list(ENRICHMENT)]


def _prerank(ranking: pd.Series, members: Mapping[str, list[int]], size: tuple[int, int], seed: int) -> pd.DataFrame:
    """Scores, p-values and leading edges of sets that are given as places in the ranking."""
    found = [row for part in _parts(members) for row in _scores(ranking, part, size, seed)]
    numbers = ["es", "nes", "pvalue", "log2err"]
    table = pd.DataFrame(found, columns=["gene_set", *numbers]).drop_duplicates("gene_set")
    names, weights = ranking.index.to_numpy(dtype=object), ranking.abs().to_numpy(dtype=float)
    edges = [
        ";".join(names[_leading_edge(np.array(members[row.gene_set]), weights, row.es >= 0)])
        for row in table.itertuples()
    ]
    return table.astype(dict.fromkeys(numbers, float)).assign(leading_edge=np.array(edges, dtype=object))


def _parts(members: Mapping[str, list[int]]) -> Iterator[dict[str, list[int]]]:
    """Sets by size, some at a time, the largest among each: it is what the random genes of all others depend on."""
    ordered = sorted(members, key=lambda name: (len(members[name]), name))
    for start in range(0, len(ordered), SETS_AT_A_TIME):
        yield {name: members[name] for name in [*ordered[start : start + SETS_AT_A_TIME], ordered[-1]]}


def _scores(
    ranking: pd.Series, members: Mapping[str, list[int]], size: tuple[int, int], seed: int
) -> list[tuple[str, float, float, float, float]]:
    """Gseapy's score, normalised score, p-value and its error by set.

    gseapy 1.3 upper-cases the ranking where the sets look upper-case, so that it is given numbered genes. Its own
    tables are not made: they hand the running sum of every set to Python twice (10 GB for the Gene Ontology).
    """
    from gseapy import Prerank

    class Scores(Prerank):
        def to_df(self, gsea_summary: Any, **_: Any) -> None:
            self.scores = [(one.term, one.es, one.nes, one.pval, one.log2err) for one in gsea_summary]

    logging.getLogger("gseapy").setLevel(logging.ERROR)
    analysis = Scores(
        rnk=ranking.set_axis([f"G{place}" for place in range(len(ranking))]),
        gene_sets={name: [f"G{place}" for place in places] for name, places in members.items()},
        method="multilevel",
        weight=1,
        min_size=size[0],
        max_size=size[1],
        permutation_num=PERMUTATIONS,
        eps=SMALLEST_PVALUE,
        sample_size=SAMPLE_SIZE,
        seed=seed,
        threads=1,  # gseapy's own threads change the random stream
        outdir=None,
        no_plot=True,
        verbose=False,
    )
    analysis.run()
    return analysis.scores


def _leading_edge(places: np.ndarray, weights: np.ndarray, is_high: bool) -> np.ndarray:
    """Members up to the peak of the running sum, or from its trough on, those at the end of the ranking first."""
    gained = np.cumsum(weights[places]) / weights[places].sum()
    lost = (places - np.arange(len(places))) / (len(weights) - len(places))
    if is_high:
        return places[: np.argmax(gained - lost) + 1]
    before = np.concatenate([[0.0], gained[:-1]])
    return places[np.argmin(before - lost) :][::-1]


def _rank_note(is_panel: bool, count: int, size: tuple[int, int], ranked: int) -> str:
    """Why a set was not tested; one that holds every ranked gene has nothing to be compared with."""
    return _note(is_panel, count, size) or ("whole_ranking" if count == ranked else "")


def _note(is_panel: bool, count: int, size: tuple[int, int]) -> str:
    """Why a set was not tested."""
    if is_panel:
        return "panel"
    if count < size[0]:
        return "too_few_measured"
    return "too_many_measured" if count > size[1] else ""


def overrepresent(
    genes: pd.DataFrame,
    gene_sets: Mapping[str, Sequence[str]],
    *,
    panels: Collection[str],
    by: str,
    size: tuple[int, int],
    fdr: float,
) -> pd.DataFrame:
    """Over-representation of the significant genes, up and down apart, against the genes tested.

    Parameters
    ----------
    genes
        One row per symbol, with log2_fold_change, pvalue and padj.
    gene_sets
        Gene set to symbols.
    panels
        Sets that are not tested, whatever their size.
    by
        Column of the symbols.
    size
        Fewest and most members among the tested genes.
    fdr
        Genes below this adjusted p-value are selected.

    Returns
    -------
    One row per set and direction; hypergeometric upper tail, corrected over all sets of the right size, hit or not.
    """
    tested = genes.dropna(subset=["pvalue"])
    background = set(tested[by])
    measured = {name: background.intersection(gene_sets[name]) for name in sorted(gene_sets)}
    notes = {name: _note(name in panels, len(members), size) for name, members in measured.items()}
    rows = []
    for direction, sign in (("down", -1), ("up", 1)):
        chosen = tested[(tested["padj"] < fdr) & (np.sign(tested["log2_fold_change"]) == sign)]
        selected = set(chosen[by])
        block = [_hits(name, members, selected) | {"note": notes[name]} for name, members in measured.items()]
        table = pd.DataFrame(block, columns=[*OVERREPRESENTATION]).assign(direction=direction)
        rows.append(_hypergeometric(table.assign(selected=len(selected), background=len(background))))
    return pd.concat(rows, ignore_index=True).sort_values(["gene_set", "direction"], ignore_index=True)


def _hits(name: str, members: set[str], selected: set[str]) -> dict[str, object]:
    """The selected members of one set."""
    hits = members & selected
    return {"gene_set": name, "hits": len(hits), "size": len(members), "genes": ";".join(sorted(hits))}


def _hypergeometric(table: pd.DataFrame) -> pd.DataFrame:
    """The sets of one direction with their tests; those that have a note are not tested, and no part of the family."""
    hits, size, selected, background = (
        table[name].to_numpy(dtype=float) for name in ("hits", "size", "selected", "background")
    )
    is_tested = (table["note"] == "").to_numpy()
    pvalue = np.where(is_tested, np.minimum(hypergeom.sf(hits - 1, background, size, selected), 1.0), np.nan)
    missed = (size - hits) * (selected - hits)
    odds = np.where(missed > 0, hits * (background - size - selected + hits) / np.maximum(missed, 1), np.nan)
    note = table["note"].where(~is_tested | (missed > 0), "odds_ratio_not_defined")
    tested = {"odds_ratio": np.where(is_tested, odds, np.nan), "pvalue": pvalue, "padj": adjust_pvalues(pvalue)}
    return table.assign(**tested, note=note)
