"""Gene identifiers: what each input id is, its symbol, and its human counterpart.

Knows the shipped annotation (`resources/identifiers/`) and no other; never goes to a server, never changes case.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from exoliver.tables import IDENTIFIERS

IDENTIFIER_FOLDER = Path(__file__).resolve().parents[1] / "resources" / "identifiers"
ANNOTATION_COLUMNS = ("gene_id", "symbol", "entrez", "human_symbol", "biotype", "entrez_lookup", "symbol_lookup")

GENE, SPIKE_IN, TRANSPOSON, SUMMARY_ROW = "gene", "spike_in", "transposon", "summary_row"
# Ensembl ids of genes carry eleven digits; those of other sources (SPAC212.11) may hold a dot that is no version.
_ENSEMBL = re.compile(r"(?P<stem>ENS[A-Z]*G(?:\d{11}|R\d{10}))(?P<version>\.\d+)?(?P<par>_PAR_Y)?")
_OLD_PAR_Y = re.compile(r"ENSGR(\d{10})")  # GENCODE up to release 24 named the Y copies ENSGR...
_ENTREZ = re.compile(r"[1-9]\d*")
_SPIKE_IN = re.compile(r"ERCC-\d{5}")
# TEtranscripts writes name:family:class; only the classes of interspersed repeats of RepeatMasker count.
_TRANSPOSON = re.compile(r"[^:\s]+:[^:\s]+:(?:DNA|LINE|LTR|RC|Retroposon|SINE)\??")
# The rows that htseq-count (with and without underscores) and STAR print beside the genes.
_HTSEQ_ROWS = ("no_feature", "ambiguous", "too_low_aQual", "not_aligned", "alignment_not_unique")
_SUMMARY_ROWS = frozenset(
    [*_HTSEQ_ROWS, *(f"__{row}" for row in _HTSEQ_ROWS), "N_unmapped", "N_multimapping", "N_noFeature", "N_ambiguous"]
)
_MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_EXCEL_DATE = re.compile(rf"\d{{1,2}}-(?:{_MONTHS})|(?:{_MONTHS})-\d{{1,2}}")


def read_annotation(organism: str) -> pd.DataFrame:
    """Shipped annotation of one organism, one row per gene.

    Parameters
    ----------
    organism
        human, mouse or rat; any other has no annotation and gives an empty table.

    Returns
    -------
    Text columns `ANNOTATION_COLUMNS`, NaN for missing. `entrez_lookup` (`;`-joined) and `symbol_lookup` (yes, no)
    say for which Entrez ids and whether for its symbol a row is the answer.

    Raises
    ------
    ValueError
        The file is not the one whose checksum is recorded.
    """
    checksums = pd.read_csv(IDENTIFIER_FOLDER / "checksums.tsv", sep="\t", dtype=str).set_index("file")["sha256"]
    name = f"{organism}.tsv.gz"
    if name not in checksums.index:
        return pd.DataFrame(columns=list(ANNOTATION_COLUMNS), dtype=object)
    path = IDENTIFIER_FOLDER / name
    if hashlib.sha256(path.read_bytes()).hexdigest() != checksums[name]:
        raise ValueError(f"resources/identifiers/{name} differs from its checksum: restore the file or rebuild it")
    return pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False, na_values=["NA"])


def identify_genes(input_ids: Sequence[str], *, identifiers: str, annotation: pd.DataFrame) -> pd.DataFrame:
    """What each input id became, or why it was set aside.

    Parameters
    ----------
    input_ids
        Ids as given, in any order.
    identifiers
        ensembl, entrez, symbol or other.
    annotation
        Of `read_annotation`; empty for an organism without one.

    Returns
    -------
    One row per input id, in the same order, with the columns `tables.IDENTIFIERS`; NaN for missing. Notes, joined by
    `;`: `set_aside`, `version_stripped`, `par_y`, `not_in_annotation`, `no_annotation`, `no_symbol`,
    `not_an_entrez_id`, `ambiguous_entrez`, `ambiguous_symbol`, `excel_date`, `no_human_ortholog`.

    Raises
    ------
    ValueError
        `identifiers` is not one of the four.
    """
    identify = {"ensembl": _by_ensembl, "entrez": _by_entrez, "symbol": _by_symbol, "other": _unknown}
    if identifiers not in identify:
        raise ValueError(f"identifiers '{identifiers}' is none of {', '.join(identify)}")
    ids = pd.Series(list(input_ids), dtype=object)
    kinds = ids.map(_kind)
    is_gene = kinds == GENE
    found = identify[identifiers](ids[is_gene], annotation)
    table = found.reindex(ids.index)
    table["input_id"] = ids
    table["gene_id"] = table["gene_id"].where(is_gene, ids)
    table["kind"] = kinds
    table["note"] = table["note"].where(is_gene, "set_aside")
    return table[list(IDENTIFIERS)]


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


def _kind(input_id: str) -> str:
    """What an id names, by its spelling alone."""
    if input_id in _SUMMARY_ROWS:
        return SUMMARY_ROW
    if _SPIKE_IN.fullmatch(input_id):
        return SPIKE_IN
    return TRANSPOSON if _TRANSPOSON.fullmatch(input_id) else GENE


def _by_ensembl(ids: pd.Series, annotation: pd.DataFrame) -> pd.DataFrame:
    """Look ids up as Ensembl genes, without version; a Y copy of a pseudoautosomal gene has its symbol."""
    parts = ids.str.extract(f"^{_ENSEMBL.pattern}$")
    gene_id = (parts["stem"] + parts["par"].fillna("")).where(parts["stem"].notna(), ids)
    looked_up = parts["stem"].fillna(ids).str.replace(_OLD_PAR_Y, r"ENSG0\1", regex=True)
    genes = annotation.dropna(subset=["gene_id"]).set_index("gene_id")
    is_par_y = parts["par"].notna() | (looked_up != parts["stem"].fillna(ids))
    notes = [_flag(parts["version"].notna(), "version_stripped"), _flag(is_par_y, "par_y")]
    return _answer(gene_id, looked_up, genes, notes)


def _by_entrez(ids: pd.Series, annotation: pd.DataFrame) -> pd.DataFrame:
    """Look ids up as Entrez genes; where genes of several symbols share one, none is taken."""
    genes = annotation.dropna(subset=["entrez_lookup"])
    genes = genes.assign(entrez=genes["entrez_lookup"].str.split(";")).explode("entrez", ignore_index=True)
    ambiguous = set(genes.loc[genes["entrez"].duplicated(), "entrez"])
    genes = genes.drop_duplicates("entrez").set_index("entrez", drop=False)
    genes.loc[genes.index.isin(ambiguous), ["symbol", "human_symbol"]] = None
    is_number = ids.str.fullmatch(_ENTREZ)
    notes = [_flag(~is_number, "not_an_entrez_id"), _flag(ids.isin(ambiguous), "ambiguous_entrez")]
    return _answer(ids, ids, genes, notes).assign(entrez=ids.where(is_number))


def _by_symbol(ids: pd.Series, annotation: pd.DataFrame) -> pd.DataFrame:
    """Look ids up as symbols, in exactly this case; an unknown one stays the user's own name."""
    genes = annotation[annotation["symbol_lookup"] == "yes"]
    ambiguous = set(genes.loc[genes["symbol"].duplicated(), "symbol"])
    by_symbol = genes.groupby("symbol")[["entrez", "human_symbol"]]
    agreed = by_symbol.first().where(by_symbol.nunique(dropna=False) == 1)
    genes = agreed.reset_index().set_index("symbol", drop=False)
    is_date = ids.str.fullmatch(_EXCEL_DATE)
    table = _answer(ids, ids, genes, [_flag(ids.isin(ambiguous), "ambiguous_symbol"), _flag(is_date, "excel_date")])
    table["symbol"] = ids.mask(is_date)
    return table


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
    columns = ["symbol", "entrez", "human_symbol"]
    found = genes[columns].reindex(looked_up.to_numpy()).astype(object).set_axis(gene_id.index)
    found = found.where(found.notna(), np.nan)
    is_known = looked_up.isin(genes.index)
    is_ambiguous = pd.Series(False, index=gene_id.index)
    for note in notes:
        is_ambiguous |= note.str.startswith("ambiguous")
    unknown = "not_in_annotation" if is_looked_up and len(genes) else "no_annotation"
    has_symbol = found["symbol"].notna()
    no_ortholog = has_symbol & found["human_symbol"].isna()
    notes = [
        *notes,
        _flag(~is_known, unknown),
        _flag(is_known & ~has_symbol & ~is_ambiguous, "no_symbol"),
        _flag(no_ortholog, "no_human_ortholog"),
    ]
    return found.assign(gene_id=gene_id, note=_joined(notes))


def _flag(is_so: pd.Series, note: str) -> pd.Series:
    """A note where a statement holds, else empty."""
    return is_so.astype(bool).map({True: note, False: ""}).astype(object)


def _joined(notes: Iterable[pd.Series]) -> list[str]:
    """Notes of each row, joined by semicolons."""
    return [";".join(filter(None, row)) for row in zip(*notes, strict=True)]
