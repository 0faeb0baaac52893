"""Count files to counts: which columns are samples, what the values are, replicates summed. Knows no genes' names."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from exoliver.problems import Findings, Problem, listed, nearest
from exoliver.samples import arrange_samples, choose_samples, read_sheet
from exoliver.study import Intake

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
    matrix, more = read_matrix_file(counts_file, intake)
    findings += more
    genes = None if matrix is None else list(matrix.index)
    if sheet is None:
        return Parts(genes, None, None), findings
    chosen, more = choose_samples(sheet, intake, str(samples_file))
    arranged, of_samples = arrange_samples(chosen, intake, str(samples_file))
    samples, of_replicates = _merge_replicates(arranged, intake, str(samples_file))
    findings += more + of_samples + of_replicates
    if matrix is None or genes is None:
        return Parts(None, None, samples), findings
    is_matched, more = _match(matrix, sheet.index, chosen.index, str(counts_file), str(samples_file))
    findings += more
    counts, more = _whole_numbers(matrix[[name for name in chosen.index if name in matrix]], intake, str(counts_file))
    findings += more
    if counts is None or arranged is None or samples is None or not is_matched:
        return Parts(genes, None, samples), findings
    if intake.samples.technical_replicate_of is not None:
        counts = counts.T.groupby(arranged["library"], sort=True).sum().T
    return Parts(genes, counts[list(samples.index)], samples), findings


def read_matrix_file(path: str | Path, intake: Intake) -> tuple[pd.DataFrame | None, Findings]:
    """The cells of a count file as text: genes x columns, annotation and ignored columns taken out.

    Parameters
    ----------
    path
        Tab- or comma-separated text, gzip or not, UTF-8 with or without byte order mark.
    intake
        What the YAML says of the file.
    """
    where = str(path)
    try:
        header, table = _read_text(path)
    except FileNotFoundError:
        return None, _fault(where, "the file does not exist", "correct counts.file (relative to the working directory)")
    except (OSError, EOFError, zlib.error, csv.Error, pd.errors.ParserError, ValueError) as error:
        what = f"the file cannot be read: {str(error).strip()}"
        return None, _fault(where, what, "give a tab- or comma-separated table of counts in UTF-8")
    of_header = _header_faults(header, where)
    if of_header.problems:
        return None, of_header
    table = table.set_index(header[0])
    if len(table) == 0:
        return None, _fault(where, "the file has no genes", "name the right file")
    findings = _gene_ids(table.index, where)
    table, more = _sample_columns(table, intake, where)
    return table, findings + more


def _read_text(path: str | Path) -> tuple[list[str], pd.DataFrame]:
    """Header and cells of a table as text; lines of comment (featureCounts' first) are passed over."""
    raw = Path(path).read_bytes()
    if raw[:2] == b"\x1f\x8b":
        raw = gzip.decompress(raw)
    text = raw.decode("utf-8-sig")
    if "\0" in text:
        raise ValueError("it holds NUL characters, which no text does")
    delimiter = "," if str(path).lower().removesuffix(".gz").endswith(".csv") else "\t"
    first, _, rest = text.partition("\n")
    while first.startswith("#") and len(_cells(first, delimiter)) < len(_cells(rest, delimiter)):
        first, _, rest = rest.partition("\n")
    header = _cells(first, delimiter)
    width = len(_cells(rest, delimiter))
    if width == len(header) + 1:
        header = ["", *header]  # as R writes row names: the id column has no name
    elif width > len(header):
        raise ValueError(f"its first row has {width} cells, the header {len(header)}")
    # pandas drops surplus cells of the first row and only warns; that row was counted above. Later ones it refuses.
    table = pd.read_csv(
        io.StringIO(rest), sep=delimiter, header=None, names=range(len(header)), index_col=False, dtype=str,
        keep_default_na=False, na_filter=False, quoting=csv.QUOTE_MINIMAL,
    )  # fmt: skip
    table.columns = pd.Index(header, dtype=object)
    return header, table


def _cells(text: str, delimiter: str) -> list[str]:
    """Cells of the first line that is not blank."""
    line = next((line for line in text.splitlines() if line.strip()), "") if "\n" in text else text
    return next(csv.reader([line.rstrip("\r")], delimiter=delimiter), [])


def _header_faults(header: Sequence[str], where: str) -> Findings:
    """Columns that are repeated, nameless or alone."""
    if len(header) < 2:
        return _fault(where, "the file has one column only", "separate columns by tabs (.tsv) or commas (.csv)")
    repeated = sorted({name for name in header[1:] if header.count(name) > 1 and name})
    findings = Findings()
    if repeated:
        findings += _fault(where, f"columns are repeated: {listed(repeated)}", "give each column a name of its own")
    nameless = [number for number, name in enumerate(header, start=1) if number > 1 and name == ""]
    if nameless:
        findings += _fault(where, f"columns without a name: {listed(nameless)}", "name them, or take them out")
    return findings


def _fault(where: str, what: str, fix: str) -> Findings:
    """One fault."""
    return Findings(problems=(Problem(where, what, fix),))


def _gene_ids(ids: pd.Index, where: str) -> Findings:
    """Faults of gene ids: blank, broken or repeated ones."""
    findings = Findings()
    if (ids == "").any():
        number = int(np.flatnonzero(ids == "")[0]) + 1
        findings += _fault(f"{where}: gene {number}", "a gene has no id", "fill it in, or take the row out")
    broken = ids[ids.str.contains(r"[\t\r\n]")]
    if len(broken):
        what = f"{shown(broken[0])} holds a tab or line break: rows were read as one"
        findings += _fault(f"{where}: column 1", what, "look for a quote left open")
    doubled = ids[ids.duplicated()].unique()
    doubled = doubled[doubled != ""]
    if len(doubled):
        what = f"{len(doubled)} gene ids are repeated: {listed(sorted(doubled))}"
        fix = "give one row per gene; use stable ids (Ensembl) as the first column"
        findings += _fault(f"{where}: column 1", what, fix)
    return findings


def _sample_columns(table: pd.DataFrame, intake: Intake, where: str) -> tuple[pd.DataFrame, Findings]:
    """The columns that are samples, under their sample ids."""
    spec = intake.counts
    findings = Findings()
    for key, names in (("ignore", spec.ignore), ("columns.list", (spec.columns.list if spec.columns else None) or ())):
        for name in names:
            if name not in table.columns:
                findings += _no_such_column(where, key, name, list(table.columns))
    annotation = [name for name in FEATURECOUNTS_COLUMNS if spec.format == "featurecounts" and name in table.columns]
    gone = {*annotation, *spec.ignore}
    columns = [name for name in table.columns if name not in gone]
    ids = {name: name for name in columns}
    if spec.columns is not None:
        ids = {name: _stripped(name, intake) for name in columns if _is_chosen(name, intake)}
        annotation += [name for name in columns if name not in ids]
    for name in spec.rename:
        if name not in ids and name not in ids.values():
            findings += _no_such_column(where, "rename", name, columns)
    ids = {name: spec.rename.get(name, spec.rename.get(id_, id_)) for name, id_ in ids.items()}
    taken = list(ids.values())
    doubled = sorted({name for name in taken if taken.count(name) > 1})
    if doubled:
        findings += _fault(where, f"several columns are sample {listed(doubled)}", "correct counts.rename or columns")
    decisions = [f"columns of {where} that are not samples: {listed(annotation, 20)}"] if annotation else []
    decisions += [f"column '{name}' of {where} is sample {new}" for name, new in ids.items() if name in spec.rename]
    chosen = table[list(ids)].set_axis(pd.Index(taken, dtype=object), axis=1)
    return chosen, findings + Findings(decisions=tuple(decisions))


def _no_such_column(where: str, key: str, name: str, columns: Sequence[str]) -> Findings:
    """The fault of a column that the counts do not have."""
    guess = nearest(name, columns)
    fix = f"did you mean '{guess}'?" if guess else f"columns: {listed(columns, 12)}"
    return _fault(f"{where}: counts.{key}", f"there is no column '{name}'", fix)


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


def _match(
    matrix: pd.DataFrame, known: pd.Index, chosen: pd.Index, where: str, sheet: str
) -> tuple[bool, Findings]:
    """The file has a column for every chosen sample, and no other but of samples; what differs is named on both sides."""
    missing = [sample for sample in chosen if sample not in matrix.columns]
    unexplained = [name for name in matrix.columns if name not in known]
    if missing and len(missing) == len(chosen) and matrix.index.isin(chosen).any():
        return False, _fault(where, "samples stand in rows and genes in columns", "give genes in rows: transpose it")
    findings = Findings()
    if missing:
        what = f"{len(missing)} samples of {sheet} have no column: {listed(missing)}"
        findings += _fault(where, what, _proposal(missing, unexplained, "samples.exclude (with a reason)"))
    if unexplained:
        what = f"{len(unexplained)} columns are neither samples of {sheet} nor ignored: {listed(unexplained)}"
        findings += _fault(where, what, _proposal(missing, unexplained, "counts.ignore"))
    if len(chosen) == 0:
        findings += _fault(sheet, "no sample is left", "correct samples.where or samples.exclude")
    return not findings.problems, findings


def _proposal(missing: Sequence[str], unexplained: Sequence[str], key: str) -> str:
    """What to write, with the likely pairs where names are close."""
    pairs = [(name, nearest(name, missing)) for name in unexplained]
    likely = [f"{column}: {sample}" for column, sample in pairs if sample]
    if likely:
        return f"if these are the same, write counts.rename: {{{listed(likely, 4)}}}; otherwise {key}"
    return f"correct the names (counts.rename), or write {key}"


def _whole_numbers(matrix: pd.DataFrame, intake: Intake, where: str) -> tuple[pd.DataFrame | None, Findings]:
    """The cells as whole numbers; anything else is a fault, with its row and column."""
    values = matrix.apply(pd.to_numeric, errors="coerce").to_numpy(dtype=float)
    faults = [
        (~np.isfinite(values), "is not a number", "fill it in; a missing count is not zero"),
        (values < 0, "is negative", "give raw counts, not log values or differences"),
    ]
    fractional = np.isfinite(values) & (values != np.round(values))
    estimated = intake.counts.values == "estimated_counts"
    if not estimated:
        fix = "give raw counts; for RSEM or Salmon estimates write counts.values: estimated_counts; never TPM or FPKM"
        faults.append((fractional & (values >= 0), "is not a whole number", fix))
    findings = Findings()
    for bad, what, fix in faults:
        if bad.any():
            row, column = np.argwhere(bad)[0]
            place = f"{where}: gene {matrix.index[row]}, sample {matrix.columns[column]}"
            findings += _fault(place, f"'{matrix.iat[row, column]}' {what} ({int(bad.sum())} such cells)", fix)
    findings += _empty_libraries(values, matrix.columns, where)
    if findings.problems:
        return None, findings
    rounded = int(fractional.sum())
    decisions = (f"{rounded} estimated counts of {where} were rounded to whole numbers",) if estimated else ()
    counts = pd.DataFrame(np.round(values).astype(np.int64), index=matrix.index, columns=matrix.columns)
    return counts, findings + Findings(decisions=decisions)


def _empty_libraries(values: np.ndarray, samples: pd.Index, where: str) -> Findings:
    """Samples without a single count are faults."""
    empty = [sample for sample, total in zip(samples, np.nansum(values, axis=0), strict=True) if total == 0]
    if not empty:
        return Findings()
    return _fault(where, f"samples without any count: {listed(empty)}", "leave them out by samples.exclude")


def _sum_replicates(material: Material, where: str, findings: Findings) -> tuple[Material | None, Findings]:
    """Counts of technical replicates summed; they must agree in everything that the design uses."""
    if "library" not in material.samples:
        return material, findings
    groups = material.samples.groupby("library", sort=True)
    described = material.samples.drop(columns="library")
    torn = [name for name, rows in groups if len(described.loc[rows.index].drop_duplicates()) > 1]
    if torn:
        what = f"technical replicates of {listed(torn)} differ in arm, time or a covariate"
        return None, findings + _fault(where, what, "correct the sheet: replicates of one library are one sample")
    samples = groups.first()
    samples.index = samples.index.astype(str)
    counts = material.counts.T.groupby(material.samples["library"], sort=True).sum().T
    merged = len(material.samples) - len(samples)
    decision = (f"{merged} technical replicates were summed into their library; samples are named by the library",)
    summed = Material(counts.set_axis(samples.index, axis=1), samples.rename_axis(None))
    return summed, findings + Findings(decisions=decision if merged else ())
