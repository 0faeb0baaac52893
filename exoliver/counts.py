"""Count files to counts: which columns are samples, what the values are, replicates summed. Knows no genes' names."""

from __future__ import annotations

import csv
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from exoliver.identifier_kinds import BLANKS, is_date
from exoliver.matrix_files import read_text_table
from exoliver.problems import Findings, fault, listed, nearest, shown
from exoliver.samples import MISSING_IN_TABLES, arrange_samples, choose_samples, merge_replicates, read_sheet
from exoliver.study import Intake

MAX_COUNT = 1e12  # far beyond any sequencing run, and exact in a float
PER_MILLION, SAME_TOTAL = 1e6, 1e-3
MAX_LOG = 40.0  # 2**40 is beyond MAX_COUNT
FEATURECOUNTS_COLUMNS = ("Chr", "Start", "End", "Strand", "Length")


@dataclass(frozen=True)
class Material:
    """The counts of one dataset and what its samples are.

    Parameters
    ----------
    counts
        Genes (as given, in the file's order) x samples (sorted by id), whole numbers.
    samples
        One row per sample, in the order of the counts; columns as `samples.arrange_samples` gives them.
    """

    counts: pd.DataFrame
    samples: pd.DataFrame


@dataclass(frozen=True)
class Parts:
    """What can be said of each file by itself, so that a fault of one does not hide those of the other.

    Parameters
    ----------
    genes
        Gene ids as given; None where the file cannot be read.
    counts
        Genes x samples, whole numbers, technical replicates summed; None where a cell or a name is at fault.
    samples
        One row per sample, sorted; None where the sheet is at fault.
    """

    genes: list[str] | None
    counts: pd.DataFrame | None
    samples: pd.DataFrame | None


def read_material(
    intake: Intake, *, counts_file: str | Path, samples_file: str | Path
) -> tuple[Material | None, Findings]:
    """Counts and samples of one dataset, joined by name.

    Parameters
    ----------
    intake
        What the YAML says of them.
    counts_file, samples_file
        The files (those of a simulation are not named in the YAML).

    Returns
    -------
    The material (None where it cannot be used), and every problem and decision on the way.
    """
    parts, findings = read_parts(intake, counts_file=counts_file, samples_file=samples_file)
    if parts.counts is None or parts.samples is None or findings.problems:
        return None, findings
    return Material(parts.counts, parts.samples), findings


def read_parts(intake: Intake, *, counts_file: str | Path, samples_file: str | Path) -> tuple[Parts, Findings]:
    """Counts and samples as far as each can be used, and every problem and decision on the way; see `read_material`."""
    sheet, findings = read_sheet(samples_file, intake.samples.id)
    known = [] if sheet is None else list(sheet.index)
    matrix, more = read_matrix_file(counts_file, intake, known=known)
    has_sound_ids = matrix is not None and not more.problems
    findings += more
    genes = None if matrix is None else list(matrix.index)
    if sheet is None:
        return Parts(genes, None, None), findings
    chosen, more = choose_samples(sheet, intake, where=str(samples_file))
    findings += more
    if chosen.empty:
        return Parts(genes, None, None), findings
    arranged, more = arrange_samples(chosen, intake, where=str(samples_file))
    samples, of_replicates = merge_replicates(arranged, intake, where=str(samples_file))
    findings += more + of_replicates
    if matrix is None:
        return Parts(None, None, samples), findings
    transposed = _transposed(matrix, chosen.index, str(counts_file))
    if transposed.problems:
        return Parts(None, None, samples), findings + transposed
    of_names = _match(matrix, sheet.index, chosen.index, str(counts_file), str(samples_file))
    own = [name for name in chosen.index if name in matrix.columns]
    counts, more = _whole_numbers(matrix[own], intake, str(counts_file))
    findings += of_names + more
    if counts is None or of_names.problems or not has_sound_ids:
        return Parts(genes, None, samples), findings
    return Parts(genes, _per_library(counts, arranged, samples, intake), samples), findings


def read_matrix_file(
    path: str | Path, intake: Intake, *, known: Sequence[str] = ()
) -> tuple[pd.DataFrame | None, Findings]:
    """The cells of a count file as text: genes x columns, annotation and ignored columns taken out.

    Parameters
    ----------
    path
        Tab- or comma-separated text, gzip or not, UTF-8 with or without byte order mark.
    intake
        What the YAML says of the file.
    known
        Samples of the sheet, so that a misspelt column is not taken for one of them.
    """
    where = str(path)
    try:
        header, table = read_text_table(path)
    except FileNotFoundError:
        return None, fault(
            where, "the file does not exist", fix="correct counts.file (relative to the working directory)"
        )
    except (OSError, EOFError, zlib.error, csv.Error, pd.errors.ParserError, ValueError) as error:
        what = f"the file cannot be read: {str(error).strip()}"
        return None, fault(where, what, fix="give a tab- or comma-separated table of counts in UTF-8")
    of_cells = _header_faults(header, where, known) + _line_breaks(table, where)
    if of_cells.problems:
        return None, of_cells
    table = table.set_index(header[0])
    if len(table) == 0:
        return None, fault(where, "the file has no genes", fix="name the right file")
    findings = _gene_ids(table.index, where)
    table, more = _sample_columns(table, intake, where, known)
    return table, findings + more


def _header_faults(header: Sequence[str], where: str, known: Sequence[str]) -> Findings:
    """Columns that are repeated, nameless, broken or alone, and a column of genes with the name of a sample."""
    if len(header) < 2:
        return fault(where, "the file has one column only", fix="separate columns by tabs (.tsv) or commas (.csv)")
    repeated = sorted({name for name in header[1:] if header.count(name) > 1 and name})
    findings = Findings()
    if repeated:
        findings += fault(where, f"columns are repeated: {listed(repeated)}", fix="give each column a name of its own")
    nameless = [number for number, name in enumerate(header, start=1) if number > 1 and name == ""]
    if nameless:
        findings += fault(where, f"columns without a name: {listed(nameless)}", fix="name them, or take them out")
    broken = [shown(name) for name in header if any(letter in name for letter in "\t\r\n")]
    if broken:
        what = f"names of columns hold a tab or line break: {listed(broken)}"
        findings += fault(where, what, fix="look for a quote left open in the header")
    if header[0] in known and header[0] not in repeated:
        what = f"the first column, that of the genes, is called '{header[0]}' as a sample is"
        findings += fault(where, what, fix="write gene_id in its place; the header may lack its first cell")
    return findings


def _line_breaks(table: pd.DataFrame, where: str) -> Findings:
    """The fault of a quote left open: the rows up to the next quote stand in one cell."""
    broken = []
    for name, column in table.items():
        text = "".join(column)
        if "\n" in text or "\r" in text:
            broken.append((int(column.str.contains(r"[\r\n]").to_numpy().argmax()), str(name)))
    if not broken:
        return Findings()
    row, name = min(broken, key=lambda cell: cell[0])
    column = f"column {name}" if name else "column 1"
    what = f"{column} of {shown(table.iat[row, 0])} holds a line break: the rows from this one on were read as one"
    fix = "look for a quote left open in this row, and take it out; a cell cannot go over several lines"
    return fault(f"{where}: gene {row + 1}", what, fix=fix)


def _gene_ids(ids: pd.Index, where: str) -> Findings:
    """Faults of gene ids, blanks around them left aside: blank, broken or repeated ones."""
    findings = Findings()
    bare = ids.str.strip(BLANKS)
    blank = np.flatnonzero(bare == "") + 1
    if len(blank):
        what = "a gene has no id" if len(blank) == 1 else f"{len(blank)} genes have no id: rows {listed(blank, 20)}"
        findings += fault(f"{where}: gene {blank[0]}", what, fix="fill it in, or take the row out")
    if (bare == MISSING_IN_TABLES).any():
        what = f"a row is named {MISSING_IN_TABLES}, which means a missing value in every table"
        findings += fault(f"{where}: column 1", what, fix="rename it, or take the row out")
    broken = bare[bare.str.contains("\t")]
    if len(broken):
        findings += fault(f"{where}: column 1", f"{shown(broken[0])} holds a tab", fix="look for a quote left open")
    doubled = ids[ids.duplicated() & (bare != "")].unique()
    if len(doubled):
        what = f"gene ids are repeated: {listed(sorted(doubled))}"
        fix = "give one row per gene; use stable ids (Ensembl) as the first column"
        if any(map(is_date, doubled)):
            fix = "a spreadsheet made one date of two symbols (MARCH1 and MARC1 both become 1-Mar): restore the symbols"
        findings += fault(f"{where}: column 1", what, fix=fix)
    return findings


def _sample_columns(
    table: pd.DataFrame, intake: Intake, where: str, known: Sequence[str]
) -> tuple[pd.DataFrame, Findings]:
    """The columns that are samples, under their sample ids."""
    spec = intake.counts
    others = [name for name in table.columns if name not in known]
    ignore, findings = _resolved(spec.ignore, table.columns, others, f"{where}: counts.ignore")
    annotation = [name for name in FEATURECOUNTS_COLUMNS if spec.format == "featurecounts" and name in table.columns]
    columns = [name for name in table.columns if name not in {*annotation, *ignore}]
    if spec.columns is not None and spec.columns.list is not None:
        chosen, more = _resolved(spec.columns.list, columns, others, f"{where}: counts.columns.list")
        ids = {name: name for name in columns if name in chosen}
        findings += more
    else:
        ids = {name: _stripped(name, intake) for name in columns if _is_chosen(name, intake)}
    annotation += [name for name in columns if name not in ids]
    keys, more = _resolved(spec.rename, [*ids, *ids.values()], others, f"{where}: counts.rename")
    findings += more
    renamed = dict(zip(keys, (spec.rename[name] for name in spec.rename), strict=True))
    of_renaming = [name for name, id_ in ids.items() if name in renamed or id_ in renamed]
    ids = {name: renamed.get(name, renamed.get(id_, id_)) for name, id_ in ids.items()}
    taken = list(ids.values())
    doubled = sorted({name for name in taken if taken.count(name) > 1})
    if doubled:
        findings += fault(
            where, f"several columns are sample {listed(doubled)}", fix="correct counts.rename or columns"
        )
    decisions = [f"columns of {where} that are not samples: {listed(annotation, 20)}"] if annotation else []
    decisions += [f"column '{name}' of {where} is sample {ids[name]}" for name in of_renaming]
    chosen_table = table[list(ids)].set_axis(pd.Index(taken, dtype=object), axis=1)
    unique = chosen_table.loc[:, ~chosen_table.columns.duplicated()]
    return unique, findings + Findings(decisions=tuple(decisions))


def _resolved(
    names: Iterable[str], columns: Iterable[str], others: Sequence[str], where: str
) -> tuple[list[str], Findings]:
    """The columns that are named; for one that is not there a fault, and the column that was likely meant.

    The guess serves further checks alone: with the fault nothing is computed.
    """
    present = list(columns)
    findings = Findings()
    resolved = []
    for name in names:
        guess = nearest(name, others)
        if name not in present:
            fix = f"did you mean '{guess}'?" if guess else f"columns: {listed(present, 12)}"
            findings += fault(where, f"there is no column '{name}'", fix=fix)
        resolved.append(name if name in present or guess is None else guess)
    return resolved, findings


def _is_chosen(name: str, intake: Intake) -> bool:
    """The column is one of those that `counts.columns` names."""
    spec = intake.counts.columns
    if spec is None:
        return True
    if spec.list is not None:
        return name in spec.list
    return name.startswith(spec.prefix or "") and name.endswith(spec.suffix or "")


def _stripped(name: str, intake: Intake) -> str:
    """The column's name without prefix and suffix."""
    spec = intake.counts.columns
    if spec is None or spec.list is not None:
        return name
    return name.removeprefix(spec.prefix or "").removesuffix(spec.suffix or "")


def _transposed(matrix: pd.DataFrame, chosen: pd.Index, where: str) -> Findings:
    """The fault of a file with samples in rows, in place of one fault for each of its names."""
    if matrix.columns.isin(chosen).any() or not matrix.index.isin(chosen).any():
        return Findings()
    return fault(where, "samples stand in rows and genes in columns", fix="give genes in rows: transpose the table")


def _match(matrix: pd.DataFrame, known: pd.Index, chosen: pd.Index, where: str, sheet: str) -> Findings:
    """Differences between the columns and the samples of the sheet are faults, named on both sides."""
    missing = [sample for sample in chosen if sample not in matrix.columns]
    unexplained = [name for name in matrix.columns if name not in known]
    pairs = _likely_pairs(missing, unexplained)
    if missing and unexplained and (pairs or len(missing) == len(chosen)):
        # The same samples under two names are one thing to mend.
        renamed = pairs or dict(zip(unexplained, missing, strict=False))
        what = f"columns {listed(renamed)} are no samples of {sheet}, and {listed(renamed.values())} have no column"
        likely = listed((f"{column}: {sample}" for column, sample in pairs.items()), 24)
        fix = f"if these are the same, write counts.rename: {{{likely}}}" if pairs else "name them in counts.rename"
        findings = fault(where, what, fix=f"{fix}; otherwise counts.ignore and samples.exclude")
        missing = [sample for sample in missing if sample not in renamed.values()]
        unexplained = [column for column in unexplained if column not in renamed]
    else:
        findings = Findings()
    if missing:
        what = f"samples of {sheet} have no column: {listed(missing)}"
        findings += fault(
            where, what, fix="name their columns in counts.rename, or write samples.exclude with a reason"
        )
    if unexplained:
        what = f"columns are neither samples of {sheet} nor ignored: {listed(unexplained)}"
        findings += fault(where, what, fix="write counts.ignore, or name the samples in counts.rename")
    return findings


def _likely_pairs(missing: Sequence[str], unexplained: Sequence[str]) -> dict[str, str]:
    """Column to sample where their names are close; each sample once."""
    pairs: dict[str, str] = {}
    for name in unexplained:
        sample = nearest(name, [sample for sample in missing if sample not in pairs.values()])
        if sample is not None:
            pairs[name] = sample
    return pairs


def _whole_numbers(matrix: pd.DataFrame, intake: Intake, where: str) -> tuple[pd.DataFrame | None, Findings]:
    """The cells as whole numbers; anything else is a fault, with its row and column."""
    values = matrix.apply(pd.to_numeric, errors="coerce").to_numpy(dtype=float)
    fractional = np.isfinite(values) & (values != np.round(values))
    findings = _faulty_cells(matrix, values, fractional, intake, where)
    findings += _empty_libraries(values, matrix.columns, where)
    if not findings.problems:
        findings += _normalised(values, fractional, where)
    if findings.problems:
        return None, findings
    rounded = int(fractional.sum())
    is_estimate = intake.counts.values == "estimated_counts"
    decisions = (f"{rounded} estimated counts of {where} were rounded to whole numbers",) if is_estimate else ()
    counts = pd.DataFrame(np.round(values).astype(np.int64), index=matrix.index, columns=matrix.columns)
    return counts, findings + Findings(decisions=decisions)


def _faulty_cells(
    matrix: pd.DataFrame, values: np.ndarray, fractional: np.ndarray, intake: Intake, where: str
) -> Findings:
    """One fault for each kind of cell that cannot be a count, with the first such cell."""
    faults = [
        (~np.isfinite(values), "is not a number", "fill it in; a missing count is not zero"),
        (values < 0, "is negative", "give raw counts, not log values or differences"),
        (np.isfinite(values) & (values > MAX_COUNT), "is more than any library holds", "correct the cell"),
    ]
    if intake.counts.values == "counts":
        fix = "give raw counts; for RSEM or Salmon estimates write counts.values: estimated_counts; never TPM or FPKM"
        faults.append((fractional & (values >= 0), "is not a whole number", fix))
    findings = Findings()
    for bad, what, fix in faults:
        if bad.any():
            row, column = np.argwhere(bad)[0]
            place = f"{where}: gene {matrix.index[row]}, sample {matrix.columns[column]}"
            cell = shown(matrix.iat[row, column])
            findings += fault(place, f"{cell} {what} (such cells: {int(bad.sum())})", fix=fix)
    return findings


def _empty_libraries(values: np.ndarray, samples: pd.Index, where: str) -> Findings:
    """Samples without a single count are faults."""
    empty = [sample for sample, is_empty in zip(samples, (values == 0).all(axis=0), strict=True) if is_empty]
    if not empty:
        return Findings()
    return fault(where, f"samples without any count: {listed(empty)}", fix="leave them out by samples.exclude")


def _normalised(values: np.ndarray, fractional: np.ndarray, where: str) -> Findings:
    """Values that were scaled to one library size, or logarithms, are no counts, not even estimated ones."""
    totals = values.sum(axis=0)
    if values.size and (np.abs(totals / PER_MILLION - 1) < SAME_TOTAL).all():
        what = "every sample adds up to a million: these are TPM or CPM"
    elif fractional.any() and values.max() < MAX_LOG:
        what = f"no value is above {values.max():.3g}: these are logarithms"
    else:
        return Findings()
    return fault(where, what, fix="give raw counts; of RSEM the expected_count, of Salmon NumReads")


def _per_library(
    counts: pd.DataFrame, arranged: pd.DataFrame | None, samples: pd.DataFrame | None, intake: Intake
) -> pd.DataFrame:
    """Counts in the order of the samples, technical replicates summed; as they are where the sheet is at fault."""
    if arranged is None or samples is None:
        return counts
    if intake.samples.technical_replicate_of is not None:
        counts = counts.T.groupby(arranged["library"], sort=True).sum().T
    return counts[list(samples.index)]
