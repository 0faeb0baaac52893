"""What the spelling of an id tells: what it names, its species, and how a spreadsheet or a pipeline changed it.

Knows no annotation: whether such a gene exists is for `identifiers.py` to say.
"""

from __future__ import annotations

import re

import pandas as pd

GENE, SPIKE_IN, TRANSPOSON, SUMMARY_ROW = "gene", "spike_in", "transposon", "summary_row"
# Every blank of Unicode, and the two marks without width that copied text carries (U+200B, and U+FEFF).
BLANKS = "".join(filter(str.isspace, map(chr, range(0x3001)))) + "\u200b\ufeff"

# Ensembl ids of genes carry eleven digits; those of other sources (SPAC212.11) may hold a dot that is no version.
# GENCODE's tables that were lifted to GRCh37 write .5_2.
ENSEMBL = re.compile(r"(?P<stem>ENS[A-Z]*G(?:\d{11}|R\d{10}))(?P<version>\.\d+(?:_\d+)?)?(?P<par>_PAR_Y)?")
OLD_PAR_Y = re.compile(r"ENSGR(\d{10})")  # GENCODE up to release 24 named the Y copies ENSGR...
ENTREZ = re.compile(r"[1-9]\d*")
FLOAT_ENTREZ = re.compile(r"([1-9]\d*)\.0+")
EXPONENT = re.compile(r"\d+(?:[.,]\d+)?[eE]\+?\d+")  # R writes 100000 as 1e+05
SPREADSHEET_NUMBER = re.compile(r"\d(?:[.,]\d+)?[Ee]\+\d+")  # 2310009E13 (Rik left off) becomes 2.31E+19
TRANSCRIPT = re.compile(r"ENS[A-Z]*[TP]\d{11}(?:\.\d+)?|[NX][MRP]_\d+(?:\.\d+)?")
_ENSEMBL_WITHIN = re.compile(r"ENS[A-Z]*G\d{11}")
# Two names in one cell (`ENSMUSG00000000001|Gnai3`, `Gnai3;Gnai2`), and the tags of NCBI's and Ensembl's GFF3.
_JOINED = re.compile(r"[|;]| /// |^(?:gene|rna)[-:]\S")
_JOINED_ENTREZ = re.compile(r"^[1-9]\d*[_:,/ ][A-Za-z]")
ORGANISMS = {
    "ENSG": "human", "ENSMUSG": "mouse", "ENSRNOG": "rat", "ENSSSCG": "pig", "ENSBTAG": "cattle", "ENSOARG": "sheep",
    "ENSOCUG": "rabbit", "ENSCPOG": "guinea pig", "ENSMAUG": "golden hamster", "ENSCAFG": "dog",
    "ENSMMUG": "rhesus macaque", "ENSMFAG": "crab eating macaque", "ENSGALG": "chicken", "ENSDARG": "zebrafish",
}  # fmt: skip

# ENCODE writes gSpikein_ERCC-00002 and gSpikein_phiX174; Lexogen's SIRVs are SIRV1 to SIRV7, the long ones SIRV4001.
_SPIKE_IN = re.compile(r"(?:[gt]Spikein_)?(?:ERCC[-_]\d{5}|SIRV\d{1,5}|phiX174)")
# TEtranscripts writes name:family:class, TElocal the copy before that; the classes are RepeatMasker's.
_TRANSPOSON = re.compile(r"(?:[^:\s]+:){2,3}(?:DNA|LINE|LTR|Other|RC|RNA|Retroposon|SINE|Satellite|Unknown)\??")
# The rows that htseq-count (with and without underscores), STAR and featureCounts' summary print beside the genes.
_HTSEQ_ROWS = ("no_feature", "ambiguous", "too_low_aQual", "not_aligned", "alignment_not_unique")
_SUMMARY_ROW = re.compile(
    rf"(?:__)?(?:{'|'.join(_HTSEQ_ROWS)})|N_(?:unmapped|multimapping|noFeature|ambiguous)|Unassigned_[A-Za-z]+"
)

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH = f"(?P<month>{'|'.join(MONTHS)}|{'|'.join(MONTHS).upper()})(?:(?<=Sep)t|(?<=SEP)T)?"
# Day and month stand in a known order in these (2-Sep, 2-SEP-21, Sep-02, 2021-09-02); in 9/2/2021 they do not. In small
# letters a month counts behind a day alone: sep-1 is a gene of the worm.
_DATES = (
    re.compile(rf"(?P<day>\d\d?)-{_MONTH}(?:-(?:\d\d){{1,2}})?", re.IGNORECASE),
    re.compile(rf"{_MONTH}-(?P<day>\d\d?)"),
    re.compile(r"\d{4}([-/])(?P<month>\d\d?)\1(?P<day>\d\d?)(?:[ T]00:00:00)?"),
)
_OTHER_DATE = re.compile(r"\d\d?([/.])\d\d?\1(?:\d\d){1,2}|\d\d?/\d\d?")


def bare(ids: pd.Series) -> pd.Series:
    """The ids without blanks around them."""
    return ids.str.strip(BLANKS)


def kind_of(name: str) -> str:
    """What an id names: gene, spike_in, transposon or summary_row."""
    if _SUMMARY_ROW.fullmatch(name):
        return SUMMARY_ROW
    if _SPIKE_IN.fullmatch(name):
        return SPIKE_IN
    return TRANSPOSON if _TRANSPOSON.fullmatch(name) else GENE


def is_composite(ids: pd.Series, identifiers: str) -> pd.Series:
    """Whether a cell holds more than one name: two ids, or an id with a tag before it.

    Parameters
    ----------
    ids
        Without blanks around them.
    identifiers
        ensembl, entrez, symbol or other; of other ids nothing is said.
    """
    if identifiers == "other":
        return pd.Series(False, index=ids.index)
    is_joined = ids.str.contains(_JOINED) | ids.str.contains(_ENSEMBL_WITHIN)
    if identifiers == "entrez":
        is_joined |= ids.str.contains(_JOINED_ENTREZ)
    return (is_joined & ~ids.str.fullmatch(ENSEMBL)).astype(bool)


def is_date(name: str) -> bool:
    """Whether it is written as a spreadsheet writes a date."""
    return _OTHER_DATE.fullmatch(name) is not None or any(pattern.fullmatch(name) for pattern in _DATES)


def month_and_day(name: str) -> tuple[int, int] | None:
    """Month and day of a spreadsheet's date; None where their order is not known, or there is no date."""
    found = next(filter(None, (pattern.fullmatch(name) for pattern in _DATES)), None)
    if found is None:
        return None
    name_of_month = found["month"].capitalize()
    month = MONTHS.index(name_of_month) + 1 if name_of_month in MONTHS else int(found["month"])
    return month, int(found["day"])
