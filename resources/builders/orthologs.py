"""One human ortholog for each gene of mouse and rat, from the databases that HCOP counts; and why others have none."""

from pathlib import Path

import numpy as np
import pandas as pd

from builders.annotation import PROVISIONAL
from builders.files import read_tsv

# A best pair with a close second is kept as best_support: its family is larger than the pair.
MARGIN = 1.5
ONE_TO_ONE, SAME_NAME, BEST, SEVERAL, SHARED, NONE = (
    "one_to_one",
    "same_name",
    "best_support",
    "several_human_orthologs",
    "shared_human_ortholog",
    "no_human_ortholog",
)
CHOSEN = [ONE_TO_ONE, SAME_NAME, BEST]
# Same names that are no orthologs: the rodents' Nat2 does the work of human NAT1.
FALSE_FRIENDS = [("Nat2", "NAT2"), ("Nat1", "NAT1")]


def read_candidates(shared: Path, organism: str, human: pd.DataFrame) -> pd.DataFrame:
    """Every pair of HCOP: symbol, entrez, ensembl, human_symbol (as our human annotation spells it), support_n.

    Parameters
    ----------
    human
        Links of the human annotation.
    """
    pairs = read_tsv(shared / "annotation" / f"babelgene_HCOP_human_{organism}.tsv.gz")
    spelt = human.dropna(subset=["gene_id"]).drop_duplicates("gene_id").set_index("gene_id")["symbol"]
    return pairs.assign(
        support_n=pairs["support_n"].astype(int),
        human_symbol=pairs["human_ensembl"].map(spelt).fillna(pairs["human_symbol"]),
        symbol=pairs["symbol"].fillna(pairs["ensembl"]),
    )


def choose_pairs(candidates: pd.DataFrame) -> pd.DataFrame:
    """Every pair of symbols with its support and a `choice`.

    First the pairs under one name, as the committees that name rodent genes name them after their orthologs; then
    the pairs that are each other's single best. one_to_one: the best of both genes, `MARGIN` times ahead of the next or
    more; same_name: another pair has as much support, or nearly so, or more; best_support: the best, with a close
    second. For a pair not chosen: the reason why the gene of this species has no ortholog, or that it has another
    (`not_best`). Provisional names are passed over where the human gene has a rival with a proper one.
    """
    table = candidates.groupby(["symbol", "human_symbol"], as_index=False)["support_n"].max()
    is_named = ~table["symbol"].str.fullmatch(PROVISIONAL)
    table = table[is_named | ~table["human_symbol"].isin(table.loc[is_named, "human_symbol"])]
    table = table.sort_values(["symbol", "support_n", "human_symbol"], ascending=[True, False, True], ignore_index=True)
    false = pd.MultiIndex.from_frame(table[["symbol", "human_symbol"]]).isin(FALSE_FRIENDS)
    same = (table["symbol"].str.upper() == table["human_symbol"]) & ~false
    lead = np.minimum(_lead(table, "symbol"), _lead(table, "human_symbol"))
    clear = lead >= MARGIN
    best = (lead > 1) & ~_is_taken(table, same, "symbol") & ~_is_taken(table, same, "human_symbol")
    chosen = same | best
    settled = _is_taken(table, chosen, "symbol")
    ahead = (_lead(table, "symbol") > 1).groupby(table["symbol"]).transform("any")
    reason = np.where(settled, "not_best", np.where(ahead, SHARED, SEVERAL))
    return table.assign(choice=np.select([chosen & clear, same, best], CHOSEN, reason))


def _is_taken(table: pd.DataFrame, chosen: pd.Series, side: str) -> pd.Series:
    """Pairs whose gene on one side is in a chosen pair."""
    return table[side].isin(table.loc[chosen, side])


def _lead(table: pd.DataFrame, side: str) -> pd.Series:
    """Support of each pair over that of the best other pair of the gene on one side; infinite where there is none."""
    support = table["support_n"]
    best = table.groupby(side)["support_n"].transform("max")
    second = table.groupby(side)["support_n"].transform(lambda values: values.nlargest(2).iloc[1:].sum())
    rival = best.where(support < best, second)
    return (support / rival.where(rival > 0)).fillna(np.inf)


def by_gene(candidates: pd.DataFrame, pairs: pd.DataFrame, *, genes: pd.DataFrame) -> pd.DataFrame:
    """The human symbol of each gene, and how it was found or why there is none: human_symbol, ortholog by gene key.

    Parameters
    ----------
    candidates
        Of `read_candidates`.
    pairs
        Of `choose_pairs`.
    genes
        symbol, entrez and symbol_lookup by gene key. HCOP's genes are found by Ensembl id, else symbol, else Entrez.
    """
    found = candidates.merge(pairs[["symbol", "human_symbol", "choice"]])
    found["key"] = _keys(found, genes)
    found = found.dropna(subset=["key"]).drop_duplicates(["key", "human_symbol"])
    chosen = _unequivocal(found[found["choice"].isin(CHOSEN)], genes)
    reasons = found[found["choice"].isin([SEVERAL, SHARED])].drop_duplicates("key").set_index("key")["choice"]
    ortholog = chosen["choice"].reindex(genes.index).fillna(reasons)
    lost = genes.index.isin(found["key"]) & ortholog.isna()
    ortholog = ortholog.mask(lost, SHARED).fillna(NONE)
    return pd.DataFrame({"human_symbol": chosen["human_symbol"].reindex(genes.index), "ortholog": ortholog})


def _keys(pairs: pd.DataFrame, genes: pd.DataFrame) -> pd.Series:
    """The gene of our annotation that each gene of HCOP is."""
    keys = genes.reset_index()
    by_symbol = keys[keys["symbol_lookup"] == "yes"].drop_duplicates("symbol", keep=False).set_index("symbol")["key"]
    by_entrez = keys.drop_duplicates("entrez", keep=False).dropna(subset=["entrez"]).set_index("entrez")["key"]
    key = pairs["ensembl"].where(pairs["ensembl"].isin(genes.index))
    key = key.fillna(pairs["symbol"].map(by_symbol)).fillna(pairs["entrez"].map(by_entrez))
    # Where our annotation calls this gene by the name of another gene of HCOP, it is this other gene.
    name = key.map(genes["symbol"])
    return key.mask((name != pairs["symbol"]) & name.isin(pairs["symbol"]))


def _unequivocal(chosen: pd.DataFrame, genes: pd.DataFrame) -> pd.DataFrame:
    """The chosen pairs by gene key, without those that give one human symbol to genes of several names."""
    names = chosen["key"].map(genes["symbol"])
    chosen = chosen.assign(same_name=names == chosen["symbol"], name=names.fillna(chosen["key"]))
    for side, other in (("human_symbol", "name"), ("name", "human_symbol")):
        chosen = chosen[chosen["same_name"] == chosen.groupby(side)["same_name"].transform("max")]
        chosen = chosen[chosen.groupby(side)[other].transform("nunique") == 1]
    return chosen.drop_duplicates("key").set_index("key")
