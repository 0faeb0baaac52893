"""A file's gene ids against what the YAML says of them: what cannot be read is a problem, with the likely cause."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd

from exoliver.identifier_kinds import BLANKS, ENSEMBL, ENTREZ, EXPONENT, GENE, ORGANISMS, TRANSCRIPT
from exoliver.identifiers import find_repeats
from exoliver.problems import Findings, fault, listed, warning
from exoliver.study import Intake

MIN_MAPPED = 0.10  # below this share of known ids, kind or organism is another one
MAX_OTHER_CASE = 0.10  # of the ids; above it symbols in another case are no strays
MAX_STRAYS = 0.01  # of the ids; above it two names in a cell, or names beside Ensembl ids, are no strays
MOST = 0.5  # of the ids look alike: the likely cause

# What is told of ids that were changed or resolved on the way.
CHANGES = {
    "whitespace_stripped": "had blanks around them, now taken off",
    "float_id": "had decimals (12345.0), now taken off",
    "synonym": "are synonyms, given the present symbol",
    "excel_date_repaired": "were dates, turned back into symbols",
    "summed": "are one of several rows of a gene, now summed",
}


def check_identifiers(
    ledger: pd.DataFrame, counts: pd.DataFrame | None, *, intake: Intake, annotation: pd.DataFrame, where: str
) -> Findings:
    """Identifiers are of the declared kind and organism, undamaged, and rows of one gene do not repeat each other.

    Parameters
    ----------
    ledger
        Of `identifiers.identify_genes`.
    counts
        Rows as given x samples; None where they cannot be used.
    intake
        What the YAML says of the files.
    annotation
        Of `identifiers.read_annotation`; empty for an organism without one.
    where
        The count file.
    """
    genes = ledger[ledger["kind"] == GENE]
    column = f"{where}: column 1"
    findings = _check_naming(genes, intake, annotation, where=where) + _check_dates(genes, intake, column)
    repeats = [] if counts is None else find_repeats(counts, ledger)
    if repeats:
        what = f"rows of one gene have the same counts in every sample, as if one repeats the other: {listed(repeats)}"
        findings += fault(column, what, fix="keep one row of each gene")
    return findings + _decisions(ledger, where)


def check_genes_of_interest(names: Sequence[str], ledger: pd.DataFrame, *, dataset: str) -> Findings:
    """Names that the study follows and this dataset does not have, with the human symbol that all species share.

    Parameters
    ----------
    names
        As the study gives them: a symbol, a human symbol or a gene id.
    ledger
        Of `identifiers.identify_genes`.
    dataset
        Its id.
    """
    known = set(ledger[["gene_id", "symbol", "human_symbol"]].stack())
    lost = [name for name in names if name not in known]
    if not lost or ledger["symbol"].isna().all():  # without symbols the report has no genes to follow, and says so
        return Findings()
    human = [name.upper() for name in lost if name.upper() in known]
    fix = f"write {listed(human)}, found in every species" if human else "correct or remove the names"
    what = f"no gene of the counts is called {listed(lost)}"
    return warning(f"{dataset}: genes_of_interest", what, fix=fix)


def _check_naming(genes: pd.DataFrame, intake: Intake, annotation: pd.DataFrame, *, where: str) -> Findings:
    """Every id is one name of the declared kind, and enough of them are known."""
    if not len(annotation):
        what = f"organism '{intake.organism}' has no shipped annotation: no symbols, gene sets or panel"
        return warning(intake.id, what, fix="contrasts, time and quality control are complete; enrichment is left out")
    if intake.counts.identifiers == "other":
        what = "identifiers of kind other are not looked up: no symbols, and so no gene set or panel gene can be tested"
        return warning(
            intake.id, what, fix="write counts.identifiers: ensembl, entrez or symbol if they are of that kind"
        )
    column = f"{where}: column 1"
    findings = _check_composites(genes, intake, column)
    exponents = genes.loc[genes["input_id"].str.strip(BLANKS).str.fullmatch(EXPONENT), "input_id"]
    if intake.counts.identifiers == "entrez" and len(exponents):
        what = f"Entrez ids with an exponent, which cuts digits off ({len(exponents)}): {listed(exponents)}"
        findings += fault(column, what, fix="write them in full, the column formatted as text (1e+05 is 100000)")
    return findings if findings.problems else _check_known(genes, intake, annotation, where=where)


def _check_composites(genes: pd.DataFrame, intake: Intake, column: str) -> Findings:
    """Few cells, if any, hold two names."""
    joined = genes.loc[_has(genes, "composite_id"), "input_id"]
    if len(joined) <= MAX_STRAYS * len(genes):
        return Findings()
    what = f"{len(joined)} of {len(genes)} ids hold two names, or a tag before the name: {listed(joined, 4)}"
    fix = f"leave the {intake.counts.identifiers} id alone in the first column, the other name in one of its own"
    return fault(column, what, fix=f"{fix} (counts.ignore)")


def _check_known(genes: pd.DataFrame, intake: Intake, annotation: pd.DataFrame, *, where: str) -> Findings:
    """Enough ids are known for the declared kind and organism, in this case of letters, and few are of another kind."""
    is_unknown = _has(genes, "not_in_annotation")
    known = int((~is_unknown).sum())
    share = known / max(len(genes), 1)
    text = f"{known} of {len(genes)} ids ({share:.0%}) are {intake.organism} {intake.counts.identifiers} ids"
    other_case = _in_other_case(genes.loc[is_unknown, "input_id"], intake, annotation)
    if len(other_case) > MAX_OTHER_CASE * len(genes):
        return _wrong_case(text, other_case, intake, annotation, where=where)
    if share < MIN_MAPPED:
        cause, fix = _likely_cause(genes["input_id"], intake, annotation)
        return fault(where, f"{text} (such as {listed(genes['input_id'].head(3))}){cause}", fix=fix)
    strays = genes.loc[_has(genes, "not_an_ensembl_id"), "input_id"]
    if len(strays) > MAX_STRAYS * len(genes):
        what = f"{text}; {len(strays)} are no Ensembl ids of genes, such as {listed(strays, 4)}"
        fix = "they are kept under these names, without a symbol; give Ensembl ids, or take out what is no gene"
        return warning(f"{where}: column 1", what, fix=fix)
    if share < MOST:
        return warning(where, text, fix="the file may be of another annotation release; see identifiers.tsv")
    return Findings(decisions=(text,))


def _in_other_case(unknown: pd.Series, intake: Intake, annotation: pd.DataFrame) -> pd.Series:
    """Unknown symbols that would be known in another case."""
    if intake.counts.identifiers != "symbol":
        return unknown.iloc[:0]
    in_any_case = set(annotation["symbol"].dropna().str.casefold())
    return unknown[unknown.str.strip(BLANKS).str.casefold().isin(in_any_case)]


def _wrong_case(text: str, other_case: pd.Series, intake: Intake, annotation: pd.DataFrame, *, where: str) -> Findings:
    """The fault of symbols in another case, with an example of how the annotation writes them."""
    example = other_case.iloc[0]
    symbols = annotation["symbol"].dropna()
    right = symbols[symbols.str.casefold() == example.strip(BLANKS).casefold()].iloc[0]
    if intake.organism != "human" and other_case.str.isupper().mean() > MOST:
        likely, organism = "human symbols, or were upper-cased", "write organism: human if they are human"
    else:
        likely, organism = "symbols of another species, or were changed in case", "correct organism"
    what = f"{text}; {len(other_case)} more would be in another case: {listed(other_case, 3)}; these look like {likely}"
    fix = f"{organism}; if it is right, restore the symbols of {intake.organism} ({right}) or give Ensembl ids"
    return fault(where, what, fix=f"{fix}: no case is changed here, as some genes differ in it alone")


def _likely_cause(ids: pd.Series, intake: Intake, annotation: pd.DataFrame) -> tuple[str, str]:
    """What most ids look like, and what to do then; empty and a general advice where they look like nothing known."""
    ids = ids.str.strip(BLANKS)
    stems = ids.str.extract(f"^{ENSEMBL.pattern}$")["stem"].str.extract(r"^(ENS[A-Z]*?G)(?:\d|R\d)")[0]
    prefix = stems.value_counts().index[0] if stems.notna().any() else ""
    species = ORGANISMS.get(prefix, "another species")
    if (stems == prefix).mean() > MOST and species != intake.organism:
        return f"; they are Ensembl ids of {species}", f"write organism: {species}, or correct counts.identifiers"
    causes: tuple[tuple[Callable[[pd.Series], pd.Series], str, str], ...] = (
        (lambda x: x.str.fullmatch(ENSEMBL), "they are Ensembl ids", "write counts.identifiers: ensembl"),
        (lambda x: x.str.fullmatch(TRANSCRIPT), "they name transcripts or proteins", "sum the transcripts of each gene "
         "(tximport), and give genes"),
        (lambda x: x.str.fullmatch(ENTREZ), "they look like Entrez ids", "write counts.identifiers: entrez"),
        (lambda x: x.isin(set(annotation["symbol"])), f"they are symbols of {intake.organism}",
         "write counts.identifiers: symbol"),
    )  # fmt: skip
    for is_alike, what, fix in causes:
        if is_alike(ids).mean() > MOST:
            return f"; {what}", fix
    return "", "correct organism or counts.identifiers"


def _check_dates(genes: pd.DataFrame, intake: Intake, column: str) -> Findings:
    """Symbols that a spreadsheet made dates or numbers are refused, unless the YAML says what to do with them."""
    damaged = genes.loc[_has(genes, "excel_date") | _has(genes, "excel_number"), "input_id"]
    if not len(damaged):
        return Findings()
    what = f"symbols that a spreadsheet made dates or numbers ({len(damaged)}): {listed(damaged)}"
    if intake.counts.excel_dates is not None:
        return Findings(decisions=(f"{what}; kept without a symbol",))
    fix = (
        "restore the symbols; or write counts.excel_dates: keep (they stay, without symbol) or repair (2-Sep is given "
    )
    return fault(column, what, fix=f"{fix}the present symbol of SEPT2; where two genes can be meant the date stays)")


def _decisions(ledger: pd.DataFrame, where: str) -> Findings:
    """What was changed or set aside, in words."""
    decisions = []
    for note, words in CHANGES.items():
        changed = ledger.loc[_has(ledger, note), "input_id"]
        if len(changed):
            decisions.append(f"ids of {where} that {words} ({len(changed)}): {listed(changed)}")
    aside = ledger.loc[ledger["kind"] != GENE, "input_id"]
    if len(aside):
        decisions.append(f"{len(aside)} rows of {where} are not genes and were set aside: {listed(aside)}")
    return Findings(decisions=tuple(decisions))


def _has(ledger: pd.DataFrame, note: str) -> pd.Series:
    """Rows with a note."""
    return (";" + ledger["note"] + ";").str.contains(f";{note};").astype(bool)
