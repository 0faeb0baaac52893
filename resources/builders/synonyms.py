"""Former and other names of genes: which present symbol each of them stands for, where only one can be meant."""

import pandas as pd

from builders.annotation import RAT_SHARED_LOCI
from builders.files import RESOURCES, read_tsv

NAMES = RESOURCES / "identifiers" / "names"
SYNONYM_COLUMNS = ["synonym", "symbol"]


def build_synonyms(links: pd.DataFrame, annotables: pd.DataFrame, pairs: pd.DataFrame, organism: str) -> pd.DataFrame:
    """Synonyms of an organism's symbols: those of NCBI Gene, and the names on which our two sources differ.

    Parameters
    ----------
    links
        Of `annotation.read_links`: the present symbols.
    annotables
        Of `annotation.read_annotables`: its own symbols.
    pairs
        Of `annotation.read_pairs`: HCOP's symbols.

    Returns
    -------
    synonym, symbol: no synonym is a present symbol, each stands for one symbol only, none changes but in case. A name
    that was a gene's symbol stands for this gene, whatever other genes go by it.
    """
    by_entrez = _present_symbols(links)
    # annotables lists several Entrez ids for some genes, and its symbol is then the name of one of them only; what is
    # the name of another gene in HCOP is no synonym.
    alone = annotables[~annotables["gene_id"].duplicated(keep=False)]
    alone = alone[~alone["symbol"].isin(pairs["symbol"])]
    names = [alone, pairs]
    names = [table.rename(columns={"symbol": "name"})[["entrez", "name"]].assign(was_symbol="yes") for table in names]
    if (NAMES / f"{organism}.tsv.gz").is_file():
        names.append(read_tsv(NAMES / f"{organism}.tsv.gz"))
    table = pd.concat(names).dropna().drop_duplicates()
    # What was one gene's symbol is meant before what others are called by (SEPT2 is an alias of SEPTIN6, too).
    table = table[table["was_symbol"] == table.groupby("name")["was_symbol"].transform("max")]
    table = table.assign(synonym=table["name"], symbol=table["entrez"].map(by_entrez)).dropna(subset=["symbol"])
    table = table[~table["synonym"].isin(links["symbol"].dropna())]
    if organism == "rat":
        # The genes of a shared locus are different ones, and none is another name of the one it is named after.
        others = read_tsv(RAT_SHARED_LOCI)["others"].str.split(";").explode()
        table = table[~table["synonym"].isin(others)]
    table = table[table.groupby("synonym")["symbol"].transform("nunique") == 1]
    table = table[table["synonym"].str.upper() != table["symbol"].str.upper()]
    return table[SYNONYM_COLUMNS].drop_duplicates().sort_values(SYNONYM_COLUMNS, ignore_index=True)


def _present_symbols(links: pd.DataFrame) -> pd.Series:
    """The symbol of each Entrez id, where its best genes agree on one."""
    links = links.dropna(subset=["symbol", "entrez"])
    best = links[links["rank"] == links.groupby("entrez")["rank"].transform("min")]
    agreed = best[best.groupby("entrez")["symbol"].transform("nunique") == 1]
    return agreed.drop_duplicates("entrez").set_index("entrez")["symbol"]


def renamed_after_human(genes: pd.DataFrame, human: dict[str, str], synonyms: pd.DataFrame) -> pd.DataFrame:
    """Synonyms of a rodent that follow a renaming of the human ortholog: Gars is Gars1 now, as GARS is GARS1.

    Parameters
    ----------
    genes
        symbol and human_symbol of the rodent's genes.
    human
        Present human symbol by former one.
    synonyms
        Those known already, of `build_synonyms`.

    Returns
    -------
    synonym, symbol. A pair is here where the rodent's symbol is a former human symbol in the rodents' case, the human
    gene of this former symbol is its ortholog, and the present one is no symbol or synonym of the rodent.
    """
    named = genes.dropna(subset=["symbol", "human_symbol"]).drop_duplicates("symbol")
    follows = named["symbol"].str.upper().map(human) == named["human_symbol"]
    found = named[follows & (named["symbol"].str.capitalize() == named["symbol"])]
    found = found.assign(synonym=found["human_symbol"].str.capitalize())[SYNONYM_COLUMNS]
    taken = {*genes["symbol"].dropna(), *synonyms["synonym"]}
    found = found[~found["synonym"].isin(taken) & ~found["synonym"].duplicated(keep=False)]
    return found.sort_values(SYNONYM_COLUMNS, ignore_index=True)
