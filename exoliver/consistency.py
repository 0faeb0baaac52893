"""Genes that several datasets move the same way: counted, not pooled. Knows no pages."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pandas as pd

LEAST_DATASETS = 2  # datasets with evidence of one direction that make a gene consistent
COLUMNS = ("gene", "raised", "lowered", "tested", "weakest_padj", "effects")


def consistent_genes(tables: Mapping[str, Sequence[pd.DataFrame]], *, fdr: float) -> pd.DataFrame:
    """Genes with evidence of the same direction in two datasets or more, and of the other in none.

    Parameters
    ----------
    tables
        Gene tables of the treatment effects of each dataset, by its name, columns `tables.CONTRAST`.
    fdr
        Genes below it have evidence.

    Returns
    -------
    `COLUMNS`: datasets in which the gene is raised, lowered and tested; the largest adjusted p-value of those with
    evidence; and by dataset the log2 effect with the smallest p-value. Genes go by their human symbol, else their own.
    The most datasets come first, then the smallest `weakest_padj`.
    """
    parts = [verdicts_of(own, fdr=fdr).assign(dataset=name) for name, own in tables.items() if own]
    if len(parts) < LEAST_DATASETS:
        return pd.DataFrame(columns=list(COLUMNS))
    rows = pd.concat(parts, ignore_index=True)
    signs = rows.assign(raised=rows["verdict"] > 0, lowered=rows["verdict"] < 0, against=rows["is_split"], tested=1)
    found = signs.groupby("gene")[["raised", "lowered", "against", "tested"]].sum()
    is_one_way = (found[["raised", "lowered"]].min(axis=1) == 0) & (found["against"] == 0)
    kept = found[is_one_way & (found[["raised", "lowered"]].max(axis=1) >= LEAST_DATASETS)].reset_index()
    own = rows[rows["gene"].isin(kept["gene"])]
    weakest = own[own["verdict"] != 0].groupby("gene")["padj"].max()
    effects = {gene: dict(zip(part["dataset"], part["effect"], strict=True)) for gene, part in own.groupby("gene")}
    kept = kept.assign(
        weakest_padj=kept["gene"].map(weakest),
        effects=[effects[gene] for gene in kept["gene"]],
        datasets=kept[["raised", "lowered"]].max(axis=1),
    )
    order = kept.sort_values(["datasets", "weakest_padj", "gene"], ascending=[False, True, True], kind="stable")
    return order[list(COLUMNS)].reset_index(drop=True)


def verdicts_of(tables: Sequence[pd.DataFrame], *, fdr: float) -> pd.DataFrame:
    """What one dataset says of each gene that it tested.

    Parameters
    ----------
    tables
        Gene tables of its treatment effects.
    fdr
        As in `consistent_genes`.

    Returns
    -------
    gene, verdict (1 raised, -1 lowered, 0 no evidence, or both ways under two treatments), is_split (both ways), padj
    and effect (log2) of the treatment with the smallest p-value.
    """
    tested = pd.concat([_named(table) for table in tables], ignore_index=True)
    is_sure = (tested["padj"] < fdr).fillna(False)
    sign = (tested["log2_fold_change"] > 0).map({True: 1, False: -1}).where(is_sure, 0)
    rows = tested.assign(up=sign.eq(1), down=sign.eq(-1)).sort_values(["pvalue", "gene_id"], kind="stable")
    grouped = rows.groupby("gene", sort=True)
    found = grouped[["up", "down"]].any()
    first = rows.drop_duplicates("gene").set_index("gene")
    return pd.DataFrame(
        {
            "verdict": found["up"].astype(int) - found["down"].astype(int),
            "is_split": found["up"] & found["down"],
            "padj": first["padj"],
            "effect": first["log2_fold_change"],
        }
    ).reset_index()


def _named(table: pd.DataFrame) -> pd.DataFrame:
    """The tested genes of one contrast under a name that datasets share; of several of one name, the highest mean."""
    tested = table[table["pvalue"].notna()]
    name = tested["human_symbol"].where(tested["human_symbol"].notna(), tested["symbol"])
    named = tested.assign(gene=name).dropna(subset=["gene"])
    ordered = named.sort_values(["base_mean", "gene_id"], ascending=[False, True], kind="stable")
    return ordered.drop_duplicates("gene")[["gene", "gene_id", "log2_fold_change", "pvalue", "padj"]]


def expected_by_number(tables: Mapping[str, Sequence[pd.DataFrame]], *, fdr: float) -> float:
    """Consistent genes that unrelated datasets would have, from how many genes each of them raises and lowers.

    Parameters
    ----------
    tables, fdr
        As in `consistent_genes`.

    Returns
    -------
    Expected number; NaN with fewer than two datasets. Every gene is taken as equally likely to have evidence, which is
    too few, as strongly expressed genes have it in every dataset.
    """
    parts = {name: verdicts_of(own, fdr=fdr).set_index("gene") for name, own in tables.items() if own}
    if len(parts) < LEAST_DATASETS:
        return float("nan")
    rates = {name: ((one["verdict"] > 0).mean(), (one["verdict"] < 0).mean()) for name, one in parts.items()}
    tested = pd.DataFrame({name: pd.Series(True, index=one.index) for name, one in parts.items()}).notna()
    patterns = tested.value_counts()
    total = 0.0
    for pattern, genes in patterns.items():
        own = [rates[name] for name, is_tested in zip(tested.columns, pattern, strict=True) if is_tested]
        total += genes * (_one_way(own) + _one_way([(low, high) for high, low in own]))
    return total


def _one_way(rates: Sequence[tuple[float, float]]) -> float:
    """Chance that a gene is raised in two datasets or more and lowered in none, if these are independent."""
    never_lowered = math.prod(1 - low for _, low in rates)
    nothing = math.prod(1 - high - low for high, low in rates)
    once = sum(
        high * math.prod(1 - other[0] - other[1] for place, other in enumerate(rates) if place != own)
        for own, (high, _) in enumerate(rates)
    )
    return max(0.0, never_lowered - nothing - once)
