"""The door to gseapy: preranked enrichment; and over-representation. Both describe a ranking, they are no evidence."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import hypergeom

from exoliver.identifiers import collapse_symbols
from exoliver.inference.filtering import adjust_pvalues
from exoliver.tables import ENRICHMENT, OVERREPRESENTATION

# LIMIT: Gene-set tests that permute genes ignore the correlation between genes: they rank and describe, they do not
# prove.

SMALLEST_PVALUE = 1e-50
SAMPLE_SIZE = 101  # of the multilevel split, as in Korotkevich (2021)


def enrich_contrasts(
    contrasts: Mapping[str, pd.DataFrame],
    gene_sets: Mapping[str, Sequence[str]],
    *,
    by: str,
    settings: Mapping[str, Any],
    label: Sequence[str],
    threads: int,
) -> tuple[dict[str, pd.DataFrame], dict[str, pd.DataFrame]]:
    """Preranked enrichment and over-representation of one collection in every contrast.

    Parameters
    ----------
    contrasts
        Contrast id to its gene table.
    gene_sets
        Gene set to the symbols measured.
    by
        Column of the symbols: `symbol` or `human_symbol`.
    settings
        The study's `set_size` (fewest and most measured members of a set that is tested), `seed`, and `fdr` (level at
        which genes are selected for over-representation).
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
        ranked = collapse_symbols(table.dropna(subset=["log2_fold_change", "lfc_se"]), by=by)
        tested = collapse_symbols(table.dropna(subset=["pvalue"]), by=by)
        sets = enrich(rank_genes(ranked, by=by), gene_sets, size=size, seed=own_seed)
        hits = overrepresent(tested, gene_sets, by=by, size=size, fdr=settings["fdr"])
        return _with_notes(sets, table), _with_notes(hits, table)

    with ThreadPoolExecutor(max(threads, 1)) as pool:
        found = dict(zip(contrasts, pool.map(one, contrasts), strict=True))
    return {name: sets for name, (sets, _) in found.items()}, {name: hits for name, (_, hits) in found.items()}


def _with_notes(found: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """The sets with what holds for their whole contrast: without numbers the reason, else `unreplicated`."""
    notes = [set(str(note).split(";")) - {""} for note in table["note"].fillna("")]
    shared = sorted(set.intersection(*notes)) if notes else []
    if not table["log2_fold_change"].notna().any():
        return found.assign(note=";".join(shared))
    if "unreplicated" not in shared:
        return found
    return found.assign(note=[";".join(filter(None, [note, "unreplicated"])) for note in found["note"]])


def stable_seed(seed: int, label: str) -> int:
    """A seed for one random step, the same on every machine and in whatever order steps run."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{label}".encode()).digest()[:4], "big") % (2**31)


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
    ranking: pd.Series, gene_sets: Mapping[str, Sequence[str]], *, size: tuple[int, int], seed: int
) -> pd.DataFrame:
    """Preranked gene set enrichment with multilevel p-values; corrected over every set tested.

    Parameters
    ----------
    ranking
        Statistic by symbol, strictly decreasing.
    gene_sets
        Gene set to symbols.
    size
        Fewest and most members in the ranking of a set that is tested; the others are rows with a note.
    seed
        Of the random sampling.

    References
    ----------
    Subramanian (2005), 10.1073/pnas.0506580102; Korotkevich (2021), 10.1101/060012; Fang (2023),
    10.1093/bioinformatics/btac757.
    """
    ranked = set(ranking.index)
    members = {name: sorted(ranked.intersection(genes)) for name, genes in sorted(gene_sets.items())}
    notes = {name: _rank_note(len(genes), len(ranked), size) for name, genes in members.items()}
    tested = {name: genes for name, genes in members.items() if not notes[name]}
    found = _prerank(ranking, tested, size, seed) if tested else _no_results()
    sizes = {name: len(genes) for name, genes in members.items()}
    table = pd.DataFrame({"gene_set": pd.Series(list(sizes), dtype=object), "size": list(sizes.values())})
    table = table.merge(found, on="gene_set", how="left")
    table["padj"] = adjust_pvalues(table["pvalue"].to_numpy(dtype=float))
    # gseapy gives no p-value where too few random sets score on the same side.
    table["note"] = (
        table["gene_set"]
        .map(notes)
        .where(table["pvalue"].notna() | (table["gene_set"].map(notes) != ""), "unbalanced_ranking")
    )
    return table[list(ENRICHMENT)]


def _rank_note(count: int, ranked: int, size: tuple[int, int]) -> str:
    """Why a set was not tested; one that holds every ranked gene has nothing to be compared with."""
    return _size_note(count, size) or ("whole_ranking" if count == ranked else "")


def _no_results() -> pd.DataFrame:
    """No set was tested."""
    return pd.DataFrame(columns=["gene_set", "es", "nes", "pvalue", "log2err", "leading_edge"])


def _prerank(ranking: pd.Series, gene_sets: dict[str, list[str]], size: tuple[int, int], seed: int) -> pd.DataFrame:
    """Gseapy's results under our names.

    gseapy 1.3 upper-cases the ranking where the sets look upper-case, so that it is given numbered genes instead.
    """
    import gseapy

    logging.getLogger("gseapy").setLevel(logging.ERROR)
    codes = {gene: f"G{position}" for position, gene in enumerate(ranking.index)}
    names = {code: gene for gene, code in codes.items()}
    result = gseapy.prerank(
        rnk=ranking.rename(codes),
        gene_sets={name: [codes[gene] for gene in genes] for name, genes in gene_sets.items()},
        method="multilevel",
        weight=1,
        min_size=size[0],
        max_size=size[1],
        eps=SMALLEST_PVALUE,
        sample_size=SAMPLE_SIZE,
        seed=seed,
        threads=1,  # gseapy's own threads change the random stream
        outdir=None,
        no_plot=True,
        verbose=False,
    ).res2d
    renamed = {"Term": "gene_set", "ES": "es", "NES": "nes", "NOM p-val": "pvalue", "Lead_genes": "leading_edge"}
    table = result.rename(columns=renamed)[[*renamed.values(), "log2err"]]
    numbers = ["es", "nes", "pvalue", "log2err"]
    leading = [";".join(names[code] for code in codes.split(";") if code) for codes in table["leading_edge"]]
    return table.assign(**table[numbers].astype(float), leading_edge=leading)


def _size_note(count: int, size: tuple[int, int]) -> str:
    """Why a set was not tested."""
    if count < size[0]:
        return "too_few_measured"
    return "too_many_measured" if count > size[1] else ""


def overrepresent(
    genes: pd.DataFrame, gene_sets: Mapping[str, Sequence[str]], *, by: str, size: tuple[int, int], fdr: float
) -> pd.DataFrame:
    """Over-representation of the significant genes, up and down apart, against the genes tested.

    Parameters
    ----------
    genes
        One row per symbol, with log2_fold_change, pvalue and padj.
    gene_sets
        Gene set to symbols.
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
    rows = []
    for direction, sign in (("down", -1), ("up", 1)):
        chosen = tested[(tested["padj"] < fdr) & (np.sign(tested["log2_fold_change"]) == sign)]
        block = [
            _hypergeometric(name, gene_sets[name], set(chosen[by]), background, size) for name in sorted(gene_sets)
        ]
        table = pd.DataFrame(block, columns=[*OVERREPRESENTATION]).assign(direction=direction)
        table["padj"] = adjust_pvalues(table["pvalue"].to_numpy(dtype=float))
        rows.append(table)
    return pd.concat(rows, ignore_index=True).sort_values(["gene_set", "direction"], ignore_index=True)


def _hypergeometric(
    name: str, members: Sequence[str], selected: set[str], background: set[str], size: tuple[int, int]
) -> dict[str, object]:
    """One set against one selection."""
    measured = background & set(members)
    hits = measured & selected
    row: dict[str, object] = {"gene_set": name, "direction": "", "hits": len(hits), "size": len(measured)}
    row |= {"selected": len(selected), "background": len(background), "genes": ";".join(sorted(hits))}
    note = _size_note(len(measured), size)
    if note:
        return row | {"odds_ratio": np.nan, "pvalue": np.nan, "padj": np.nan, "note": note}
    pvalue = float(hypergeom.sf(len(hits) - 1, len(background), len(measured), len(selected)))
    missed = (len(measured) - len(hits)) * (len(selected) - len(hits))
    outside = len(background) - len(measured) - len(selected) + len(hits)
    odds = len(hits) * outside / missed if missed else np.nan
    note = "" if missed else "odds_ratio_not_defined"
    return row | {"odds_ratio": odds, "pvalue": min(pvalue, 1.0), "padj": np.nan, "note": note}
