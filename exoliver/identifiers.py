"""Gene identifiers: what each input id is, its symbol, its human counterpart; and how the rows of a file add up.

Knows the shipped annotation (`resources/identifiers/`) and no other; never goes to a server, never changes case.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd

from exoliver.identifier_kinds import ENSEMBL, ENTREZ, FLOAT_ENTREZ, GENE, OLD_PAR_Y, bare, is_composite, kind_of
from exoliver.symbols import resolve_symbols
from exoliver.tables import IDENTIFIERS, LEDGER

IDENTIFIER_FOLDER = Path(__file__).resolve().parents[1] / "resources" / "identifiers"
ANNOTATION_COLUMNS = (
    "gene_id", "symbol", "entrez", "human_symbol", "ortholog", "biotype", "entrez_lookup", "symbol_lookup",
    "shares_locus_with",
)  # fmt: skip
Lookup = Callable[[pd.Series, pd.DataFrame], pd.DataFrame]
MIN_REPEATED = 10  # counts over all samples
NO_SYNONYMS: Mapping[str, str] = MappingProxyType({})

SUMMED, SET_ASIDE = "summed_into_another", "set_aside"
WITH_HUMAN_SYMBOL, WITH_SYMBOL, WITHOUT_SYMBOL = "kept_with_human_symbol", "kept_with_symbol", "kept_without_symbol"
UNKNOWN = ("not_in_annotation", "no_annotation")
NO_ORTHOLOG = ("several_human_orthologs", "shared_human_ortholog", "no_human_ortholog")
# Why a row has no human symbol, or no symbol that the annotation knows: of several notes the first tells most.
REASONS = {
    WITH_SYMBOL: (*NO_ORTHOLOG, "ambiguous_symbol"),
    WITHOUT_SYMBOL: (
        "excel_date", "excel_number", "composite_id", "not_an_entrez_id", "not_an_ensembl_id", "non_ascii",
        "synonym_of_present", "synonym_shared", "ambiguous_entrez", "no_symbol", *UNKNOWN,
    ),
}  # fmt: skip


def read_annotation(organism: str) -> pd.DataFrame:
    """Shipped annotation of one organism, one row per gene.

    Parameters
    ----------
    organism
        human, mouse or rat; any other has no annotation and gives an empty table.

    Returns
    -------
    Text columns `ANNOTATION_COLUMNS`, NaN for missing. `entrez_lookup` (`;`-joined) and `symbol_lookup` (yes, no)
    say for which Entrez ids and whether for its symbol a row is the answer, `ortholog` how the human gene was chosen
    or why there is none.

    Raises
    ------
    ValueError
        The file is not the one whose checksum is recorded.
    """
    table = _read_shipped(f"{organism}.tsv.gz")
    return pd.DataFrame(columns=list(ANNOTATION_COLUMNS), dtype=object) if table is None else table


def read_synonyms(organism: str) -> Mapping[str, str]:
    """Present symbol by synonym: those that one gene alone goes by, and that are no gene's present symbol.

    Parameters
    ----------
    organism
        human, mouse or rat; any other has none.

    Raises
    ------
    ValueError
        The file is not the one whose checksum is recorded.
    """
    table = _read_shipped(f"synonyms_{organism}.tsv.gz")
    return NO_SYNONYMS if table is None else MappingProxyType(dict(zip(table["synonym"], table["symbol"], strict=True)))


def _read_shipped(name: str) -> pd.DataFrame | None:
    """A shipped table as text; None where none is recorded."""
    checksums = pd.read_csv(IDENTIFIER_FOLDER / "checksums.tsv", sep="\t", dtype=str).set_index("file")["sha256"]
    if name not in checksums.index:
        return None
    path = IDENTIFIER_FOLDER / name
    if hashlib.sha256(path.read_bytes()).hexdigest() != checksums[name]:
        raise ValueError(f"resources/identifiers/{name} differs from its checksum: restore the file or rebuild it")
    return pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False, na_values=["NA"])


def identify_genes(
    input_ids: Sequence[str],
    *,
    identifiers: str,
    annotation: pd.DataFrame,
    synonyms: Mapping[str, str] = NO_SYNONYMS,
    excel_dates: str | None = None,
) -> pd.DataFrame:
    """What each input id became, or why it was set aside.

    Parameters
    ----------
    input_ids
        Ids as given, in any order.
    identifiers
        ensembl, entrez, symbol or other.
    annotation
        Of `read_annotation`; empty for an organism without one.
    synonyms
        Of `read_synonyms`; for symbols.
    excel_dates
        repair turns dates back into symbols where one gene alone can be meant; keep and None leave them.

    Returns
    -------
    One row per input id, in the same order, with the columns `tables.IDENTIFIERS`; NaN for missing. Rows of kind gene
    with one `gene_id` are one gene, and their counts are summed. Notes, joined by `;`, are in docs/identifiers.md.

    Raises
    ------
    ValueError
        `identifiers` is not one of the four.
    """
    by_symbol = partial(_by_symbol, synonyms=synonyms, has_repair=excel_dates == "repair")
    identify: dict[str, Lookup] = {"ensembl": _by_ensembl, "entrez": _by_entrez, "symbol": by_symbol, "other": _unknown}
    if identifiers not in identify:
        raise ValueError(f"identifiers '{identifiers}' is none of {', '.join(identify)}")
    given = pd.Series(list(input_ids), dtype=object)
    ids = bare(given)
    kinds = ids.map(kind_of)
    is_gene = kinds == GENE
    table = identify[identifiers](ids[is_gene], annotation).reindex(ids.index)
    table["input_id"] = given
    table["gene_id"] = table["gene_id"].where(is_gene, ids)
    table["kind"] = kinds
    notes = [
        _flag(ids != given, "whitespace_stripped"),
        _flag(~ids.str.fullmatch(r"[\x00-\x7f]*"), "non_ascii"),
        table["note"].where(is_gene, "set_aside"),
        _flag(is_gene & table["gene_id"].where(is_gene).duplicated(keep=False), "summed"),
    ]
    return table.assign(note=_joined(notes))[list(IDENTIFIERS)]


def collapse_symbols(genes: pd.DataFrame, *, by: str) -> pd.DataFrame:
    """One gene for each symbol, for rankings and scores: the one with the largest mean.

    Parameters
    ----------
    genes
        Columns gene_id, base_mean and the one named by `by`.
    by
        symbol or human_symbol; genes without one are left out.

    Returns
    -------
    The rows kept, ordered by symbol, with the column `duplicates`: the other gene ids of the symbol, `;`-joined.
    Of equal means the first gene_id wins; a missing mean comes last.
    """
    named = genes.dropna(subset=[by]).sort_values("gene_id", kind="stable")
    named = named.sort_values("base_mean", ascending=False, kind="stable", na_position="last")
    kept = named.drop_duplicates(by)
    repeated = named[named[by].duplicated(keep=False)]
    others = repeated[repeated[by].duplicated()].sort_values("gene_id").groupby(by)["gene_id"].agg(";".join)
    return kept.assign(duplicates=kept[by].map(others).fillna("")).sort_values(by, ignore_index=True)


def sum_genes(counts: pd.DataFrame, ledger: pd.DataFrame) -> pd.DataFrame:
    """Counts of genes alone, the rows of one gene summed: genes (sorted by gene id) x samples.

    Parameters
    ----------
    counts
        Rows as given x samples, whole numbers.
    ledger
        Of `identify_genes`, for these rows.
    """
    genes = ledger[ledger["kind"] == GENE]
    kept = counts.loc[genes["input_id"]].set_axis(genes["gene_id"].to_list(), axis=0)
    return kept.groupby(level=0).sum() if kept.index.duplicated().any() else kept.sort_index()


def find_repeats(counts: pd.DataFrame, ledger: pd.DataFrame) -> list[str]:
    """Rows of one gene with the same counts in every sample: one repeats the other, and a sum would be twice the truth.

    Parameters
    ----------
    counts, ledger
        As `sum_genes` takes them. Rows of fewer than `MIN_REPEATED` counts are the same by chance.

    Returns
    -------
    Input ids, those of one gene beside each other.
    """
    rows = ledger[(ledger["kind"] == GENE) & ledger["gene_id"].duplicated(keep=False)]
    rows = rows.sort_values(["gene_id", "input_id"])
    table = counts.loc[rows["input_id"]].set_axis(rows["gene_id"].to_list(), axis=0).rename_axis("gene_id")
    is_same = table.reset_index().duplicated(keep=False).to_numpy() & (table.sum(axis=1) >= MIN_REPEATED).to_numpy()
    return rows.loc[is_same, "input_id"].to_list()


def summarise_ledger(table: pd.DataFrame) -> pd.DataFrame:
    """How the rows of a count file add up: each counted once, by what became of it and why.

    Parameters
    ----------
    table
        Of `identify_genes`, in any order.

    Returns
    -------
    Columns `tables.LEDGER`: `what` became of the `rows`, their `share` of all, and the reason as `note` (of rows set
    aside their kind). The rows add up to those of the input.

    Raises
    ------
    ValueError
        A row has no reason.
    """
    table = table.astype(object)
    is_gene = table["kind"] == GENE
    is_again = is_gene & table["gene_id"].where(is_gene).duplicated()
    notes = ";" + table["note"].fillna("") + ";"
    is_known = table["symbol"].notna() & ~_has_any(notes, UNKNOWN)
    what = np.select(
        [~is_gene, is_again, table["human_symbol"].notna(), is_known],
        [SET_ASIDE, SUMMED, WITH_HUMAN_SYMBOL, WITH_SYMBOL],
        WITHOUT_SYMBOL,
    )
    why = np.where(is_gene, "", table["kind"])
    for state, reasons in REASONS.items():
        for reason in reversed(reasons):
            why = np.where((what == state) & _has_any(notes, [reason]), reason, why)
        lacking = table.loc[(what == state) & (why == ""), "input_id"]
        if len(lacking):
            raise ValueError(f"the ledger does not say why rows such as {lacking.iloc[0]!r} are {state}")
    order = (WITH_HUMAN_SYMBOL, WITH_SYMBOL, WITHOUT_SYMBOL, SUMMED, SET_ASIDE)
    rows = pd.DataFrame({"what": pd.Categorical(what, categories=order), "note": why})
    found = rows.groupby(["what", "note"], observed=True).size().rename("rows").reset_index()
    found = found.assign(what=found["what"].astype(object), share=found["rows"] / max(len(table), 1))
    return found[list(LEDGER)]


def _has_any(notes: pd.Series, names: Iterable[str]) -> pd.Series:
    """Rows with one of the notes; each note stands between semicolons."""
    return notes.str.contains("|".join(f";{name};" for name in names))


def _by_ensembl(ids: pd.Series, annotation: pd.DataFrame) -> pd.DataFrame:
    """Look ids up as Ensembl genes, without version; a Y copy of a pseudoautosomal gene has its symbol."""
    parts = ids.str.extract(f"^{ENSEMBL.pattern}$")
    is_other = parts["stem"].isna()
    gene_id = (parts["stem"] + parts["par"].fillna("")).where(~is_other, ids)
    stem = parts["stem"].fillna(ids)
    looked_up = stem.str.replace(OLD_PAR_Y, r"ENSG0\1", regex=True)
    genes = annotation.dropna(subset=["gene_id"]).set_index("gene_id")
    is_joined = is_composite(ids, "ensembl")
    shares = looked_up.isin(genes.index[genes["shares_locus_with"].notna()])
    notes = [
        _flag(shares, "shared_locus"),
        _flag(parts["version"].notna(), "version_stripped"),
        _flag(parts["par"].notna() | (looked_up != stem), "par_y"),
        _flag(is_joined, "composite_id") if len(annotation) else _nothing(ids),
        _flag(is_other & ~is_joined, "not_an_ensembl_id") if len(annotation) else _nothing(ids),
    ]
    return _answer(gene_id, looked_up, genes, notes)


def _by_entrez(ids: pd.Series, annotation: pd.DataFrame) -> pd.DataFrame:
    """Look ids up as Entrez genes; where genes of several symbols share one, none is taken."""
    genes = annotation.dropna(subset=["entrez_lookup"])
    genes = genes.assign(entrez=genes["entrez_lookup"].str.split(";")).explode("entrez", ignore_index=True)
    ambiguous = set(genes.loc[genes["entrez"].duplicated(), "entrez"])
    genes = genes.drop_duplicates("entrez").set_index("entrez", drop=False)
    genes.loc[genes.index.isin(ambiguous), ["symbol", "human_symbol"]] = None
    numbers = ids.str.replace(f"^{FLOAT_ENTREZ.pattern}$", r"\1", regex=True)
    is_number = numbers.str.fullmatch(ENTREZ)
    is_joined = is_composite(ids, "entrez")
    notes = [
        _flag(numbers != ids, "float_id"),
        _flag(is_joined, "composite_id"),
        _flag(~is_number & ~is_joined, "not_an_entrez_id"),
        _flag(numbers.isin(ambiguous), "ambiguous_entrez"),
    ]
    return _answer(numbers, numbers, genes, notes).assign(entrez=numbers.where(is_number))


def _by_symbol(
    ids: pd.Series, annotation: pd.DataFrame, *, synonyms: Mapping[str, str], has_repair: bool
) -> pd.DataFrame:
    """Look ids up as symbols, in exactly this case, then as synonyms; an unknown one stays the user's own name."""
    genes = annotation[annotation["symbol_lookup"] == "yes"].set_index("symbol", drop=False)
    is_shared = genes.index.duplicated(keep=False)
    ambiguous = set(genes.index[is_shared])
    by_symbol = genes[is_shared].groupby(level=0)
    names = by_symbol[["entrez", "human_symbol"]]
    agreed = names.first().where(names.nunique(dropna=False) == 1)
    genes = pd.concat([genes[~is_shared], by_symbol.first().assign(**agreed)])
    symbols, found_out = resolve_symbols(ids, genes.index, synonyms=synonyms, has_repair=has_repair)
    notes = [
        found_out,
        _flag(is_composite(ids, "symbol"), "composite_id") if len(annotation) else _nothing(ids),
        _flag(symbols.isin(ambiguous), "ambiguous_symbol"),
    ]
    return _answer(ids, symbols, genes, notes).assign(symbol=symbols.where(symbols.notna(), np.nan))


def _unknown(ids: pd.Series, annotation: pd.DataFrame) -> pd.DataFrame:
    """Ids of a naming that is not looked up."""
    return _answer(ids, ids, annotation.iloc[:0].set_index("gene_id"), [], is_looked_up=False)


def _answer(
    gene_id: pd.Series,
    looked_up: pd.Series,
    genes: pd.DataFrame,
    notes: Sequence[pd.Series],
    *,
    is_looked_up: bool = True,
) -> pd.DataFrame:
    """The identifier columns of the ids found in `genes` (indexed by what is looked up), with their notes."""
    columns = ["symbol", "entrez", "human_symbol", "ortholog"]
    found = genes[columns].reindex(looked_up.to_numpy()).astype(object).set_axis(gene_id.index)
    found = found.where(found.notna(), np.nan)
    is_known = looked_up.isin(genes.index)
    is_ambiguous = pd.Series(False, index=gene_id.index)
    for note in notes:
        is_ambiguous |= note.str.startswith("ambiguous")
    unknown = "not_in_annotation" if is_looked_up and len(genes) else "no_annotation"
    lacks_ortholog = found["symbol"].notna() & found["human_symbol"].isna()
    notes = [
        *notes,
        _flag(~is_known, unknown),
        _flag(is_known & found["symbol"].isna() & ~is_ambiguous, "no_symbol"),
        *(_flag(lacks_ortholog & (found["ortholog"] == reason), reason) for reason in NO_ORTHOLOG),
    ]
    return found.drop(columns="ortholog").assign(gene_id=gene_id, note=_joined(notes))


def _nothing(ids: pd.Series) -> pd.Series:
    """No note for any row."""
    return pd.Series("", index=ids.index, dtype=object)


def _flag(is_so: pd.Series, note: str) -> pd.Series:
    """A note where a statement holds, else empty."""
    return is_so.astype(bool).map({True: note, False: ""}).astype(object)


def _joined(notes: Iterable[pd.Series]) -> list[str]:
    """Notes of each row, joined by semicolons."""
    return [";".join(filter(None, row)) for row in zip(*notes, strict=True)]
