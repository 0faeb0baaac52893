"""The sample sheet: read as text, rows chosen, each sample given its arm and time. Knows no counts."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from exoliver.problems import Findings, fault, listed, nearest, shown, warning
from exoliver.sheet_files import read_rows
from exoliver.study import Intake

# In small letters, without blanks. `none` and `-` are left out: sheets use both for an arm without treatment.
MISSING = frozenset({"", "na", "n/a", "#n/a", "nan", "null"})
MISSING_IN_TABLES = "NA"  # how every table of results writes that there is no value
MAX_NUMBER = 1e12  # a larger covariate or time is a slip, and would spoil the arithmetic of the design


def read_sheet(path: str | Path, id_column: str) -> tuple[pd.DataFrame | None, Findings]:
    """A sample sheet as text, one row per sample, indexed by sample id.

    Parameters
    ----------
    path
        A .tsv, .csv or .xlsx file (first worksheet); UTF-8, with or without byte order mark.
    id_column
        Column that names the samples.

    Returns
    -------
    The sheet (None where it cannot be used), and what is wrong with it.
    """
    where = str(path)
    try:
        rows = read_rows(path)
    except FileNotFoundError:
        return None, fault(
            where, "the file does not exist", fix="correct samples.file (relative to the working directory)"
        )
    except (OSError, csv.Error, ValueError) as error:
        return None, fault(
            where, f"the sheet cannot be read: {error}", fix="save it as UTF-8 text (.tsv, .csv) or as .xlsx"
        )
    filled = {number: row for number, row in enumerate(rows, start=1) if any(cell != "" for cell in row)}
    if len(filled) < 2:
        return None, fault(where, "the sheet has no rows", fix="name the right file")
    return _table(filled, id_column, where)


def _table(rows: Mapping[int, Sequence[str]], id_column: str, where: str) -> tuple[pd.DataFrame | None, Findings]:
    """The sheet from its cells by row number: header, equal lengths, the id column, unique ids."""
    header, *body = rows.values()
    if len(header) == 1:
        what = f"the sheet has one column only; its first row reads as {shown(header[0])}"
        return None, fault(where, what, fix="separate columns by tabs (.tsv) or commas (.csv)")
    repeated = sorted({name for name in header if header.count(name) > 1 and name})
    if repeated:
        return None, fault(where, f"columns are repeated: {listed(repeated)}", fix="give each column a name of its own")
    ragged = [number for number, row in rows.items() if len(row) != len(header)]
    if ragged:
        what = f"row {ragged[0]} has {len(rows[ragged[0]])} cells, the header {len(header)}"
        return None, fault(where, what, fix="give every row as many cells as the header has")
    if id_column not in header:
        return None, _no_column(where, "samples.id", id_column, header)
    sheet = pd.DataFrame(body, columns=header, dtype=object).loc[:, [name != "" for name in header]]
    findings = _sample_ids(sheet[id_column], f"{where}: column {id_column}")
    if findings.problems:
        return None, findings
    return sheet.set_index(id_column, drop=False).rename_axis(None), findings


def _sample_ids(ids: pd.Series, where: str) -> Findings:
    """Faults of the ids: blank, broken over lines, repeated."""
    findings = Findings()
    if (ids == "").any():
        findings += fault(where, "a sample has no id", fix="fill it in")
    if (ids == MISSING_IN_TABLES).any():
        what = f"a sample is named {MISSING_IN_TABLES}, which means a missing value in every table"
        findings += fault(where, what, fix="rename it, here and in the counts")
    broken = [shown(name) for name in ids if any(letter in name for letter in "\t\r\n")]
    if broken:
        findings += fault(where, f"ids hold a tab or line break: {listed(broken)}", fix="look for a quote left open")
    doubled = sorted(name for name in ids[ids.duplicated()].unique() if name)
    if doubled:
        fix = "give each row its own id; name technical replicates by samples.technical_replicate_of"
        findings += fault(where, f"samples are repeated: {listed(doubled)}", fix=fix)
    return findings


def _no_column(where: str, key: str, column: str, known: Sequence[str]) -> Findings:
    """The fault of a column that the sheet does not have."""
    guess = nearest(column, known)
    fix = (f"did you mean '{guess}'? " if guess else "") + f"columns: {listed(known, 20)}"
    return fault(f"{where}: {key}", f"there is no column '{column}'", fix=fix)


def choose_samples(sheet: pd.DataFrame, intake: Intake, *, where: str) -> tuple[pd.DataFrame, Findings]:
    """The rows that `samples.where` keeps and `samples.exclude` does not name; none where that cannot be told."""
    findings = Findings()
    kept = sheet
    for column, wanted in intake.samples.where.items():
        if column not in sheet.columns:
            findings += _no_column(where, "samples.where", column, list(sheet.columns))
            kept = kept.iloc[:0]
            continue
        values = wanted if isinstance(wanted, tuple) else (wanted,)
        matches = [any(is_same(value, text) for value in values) for text in kept[column]]
        if len(kept) and not any(matches):
            found = listed(sorted(sheet[column].unique()))
            what = f"no sample has {column} = {listed(values)} (found: {found})"
            findings += fault(f"{where}: samples.where.{column}", what, fix="correct the value")
        kept = kept.loc[matches]
    for sample in intake.samples.exclude:
        if sample not in sheet.index:
            guess = nearest(sample, sheet.index)
            fix = f"did you mean '{guess}'?" if guess else "take it out"
            findings += fault(f"{where}: samples.exclude", f"there is no sample '{sample}'", fix=fix)
    excluded = [f"sample {name} excluded: {reason}" for name, reason in intake.samples.exclude.items()]
    dropped = len(sheet) - len(kept)
    chosen = [f"{dropped} samples left out by samples.where"] if dropped else []
    kept = kept.loc[[sample not in intake.samples.exclude for sample in kept.index]]
    if kept.empty and not findings.problems:
        findings += fault(where, "no sample is left", fix="correct samples.where or samples.exclude")
    return kept, findings + Findings(decisions=tuple(chosen + excluded))


def is_same(value: Any, text: str) -> bool:
    """A value of the YAML and a cell of the sheet mean the same; numbers by their value."""
    if str(value) == text:
        return True
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return float(text) == float(value)
    except (ValueError, OverflowError):
        return False


def arrange_samples(sheet: pd.DataFrame, intake: Intake, *, where: str) -> tuple[pd.DataFrame | None, Findings]:
    """The design's columns of every sample.

    Parameters
    ----------
    sheet
        The chosen rows, as text, indexed by sample.
    intake
        What the YAML says of arms, time, donor and covariates.
    where
        The sheet, for messages.

    Returns
    -------
    Table sorted by sample id, with columns `arm`, `time` (NaN for an arm that serves all times), `donor`, `library`
    where they are used, and each covariate; None where something is missing. And what is wrong.
    """
    findings = _columns_present(sheet, intake, where) + _covariate_names(intake, where)
    if findings.problems:
        return None, findings
    arm, arm_findings = _arms_of(sheet, intake, where)
    columns: dict[str, pd.Series] = {"arm": arm}
    time, time_findings = _times_of(sheet, arm, intake, where)
    columns["time"] = time
    findings += arm_findings + time_findings
    texts = {"donor": intake.donor, "library": intake.samples.technical_replicate_of, "series": intake.series}
    texts |= {name: name for name in intake.covariates}
    for name, column in texts.items():
        if column is not None:
            columns[name] = sheet[column]
            findings += _no_blanks(sheet[column], column, where)
    for name in intake.numeric_covariates:
        columns[name], wrong = _numbers(sheet[name], name, where)
        findings += wrong
    if findings.problems:
        return None, findings
    return pd.DataFrame(columns, index=sheet.index).sort_index(), findings


def _columns_present(sheet: pd.DataFrame, intake: Intake, where: str) -> Findings:
    """A fault for every column that the YAML names and the sheet lacks."""
    named: list[tuple[str, str | None]] = [
        ("arms.column", intake.column),
        ("time.column", intake.time.column if intake.time else None),
        ("donor", intake.donor),
        ("series", intake.series),
        ("samples.technical_replicate_of", intake.samples.technical_replicate_of),
    ]
    named += [("covariates", name) for name in intake.covariates]
    named += [("numeric_covariates", name) for name in intake.numeric_covariates]
    named += [
        (f"arms.levels.{arm}.where", name) for arm, level in intake.levels.items() for name in level["where"] or {}
    ]
    findings = Findings()
    for key, column in named:
        if column is not None and column not in sheet.columns:
            findings += _no_column(where, key, column, list(sheet.columns))
    return findings


def _covariate_names(intake: Intake, where: str) -> Findings:
    """Covariates that are named twice, or like a column that the design has already."""
    own = {"arm", "time", *(["donor", intake.donor] if intake.donor else [])}
    own |= {"library"} if intake.samples.technical_replicate_of else set()
    own |= {"series"} if intake.series not in (None, "series") else set()
    names = [*intake.covariates, *intake.numeric_covariates]
    findings = _reserved_names([*names, intake.donor, intake.series, intake.samples.technical_replicate_of], where)
    arms = {name for name in intake.numeric_covariates if name in intake.levels}  # both are columns of the design
    taken = sorted(arms | {name for name in names if name in own or names.count(name) > 1})
    if not taken:
        return findings
    what = f"the design has {listed(taken)} already"
    return findings + fault(
        f"{where}: covariates", what, fix="name each column once; rename it in the sheet where it is another one"
    )


def _reserved_names(names: Sequence[str | None], where: str) -> Findings:
    """Columns whose names could be taken for a column of the design (arm@time, covariate=level) or of the store."""
    bad = sorted({name for name in names if name and (name == "_index" or "@" in name or "=" in name)})
    if not bad:
        return Findings()
    what = f"cannot be the name of a column that the design uses: {listed(bad)}"
    return fault(f"{where}: header", what, fix="rename it in the sheet: not _index, and without @ and =")


def _arms_of(sheet: pd.DataFrame, intake: Intake, where: str) -> tuple[pd.Series, Findings]:
    """The arm of every sample; samples of none or of several, and arms without samples, are faults."""
    matching = {
        sample: [arm for arm, level in intake.levels.items() if _belongs(row, level, intake.column)]
        for sample, row in zip(sheet.index, sheet.to_dict("records"), strict=True)
    }
    findings = Findings()
    several = [sample for sample, arms in matching.items() if len(arms) > 1]
    if several:
        what = f"samples belong to several arms: {listed(several)}"
        findings += fault(f"{where}: arms.levels", what, fix="make the where: of the arms exclude each other")
    taken = {arm for arms in matching.values() for arm in arms}
    empty = [arm for arm in intake.levels if arm not in taken]
    left = [sample for sample, arms in matching.items() if not arms]
    meant = _meant_values(sheet.loc[left], empty, intake)
    for arm in empty:
        findings += _empty_arm(sheet, arm, meant.get(arm), intake, where)
    # Samples of a misspelt value are told with the arm that it was meant for.
    none = [name for name in left if intake.column is None or sheet.at[name, intake.column] not in meant.values()]
    if none:
        findings += _unassigned(sheet, none, intake, where)
    return pd.Series({sample: arms[0] if arms else "" for sample, arms in matching.items()}, dtype=object), findings


def _belongs(row: Mapping[str, str], level: Mapping[str, Any], column: str | None) -> bool:
    """A sample belongs to an arm."""
    conditions = level["where"] if level["where"] is not None else {column: level["value"]}
    return all(is_same(value, row[str(name)]) for name, value in conditions.items())


def _meant_values(left: pd.DataFrame, empty: Sequence[str], intake: Intake) -> dict[str, str]:
    """Arm without samples to the value of samples without arm that it was likely meant to name."""
    if intake.column is None:
        return {}
    values = sorted(left[intake.column].unique())
    named = [arm for arm in empty if intake.levels[arm]["value"] is not None]
    if len(named) == len(values) == 1:
        return {named[0]: values[0]}
    guesses = {arm: nearest(str(intake.levels[arm]["value"]), values) for arm in named}
    return {arm: guess for arm, guess in guesses.items() if guess is not None}


def _unassigned(sheet: pd.DataFrame, samples: Sequence[str], intake: Intake, where: str) -> Findings:
    """The fault of samples without an arm."""
    values = ""
    if intake.column is not None:
        values = f" ({intake.column}: {listed(sorted(sheet.loc[list(samples), intake.column].unique()))})"
    what = f"samples belong to no arm: {listed(samples)}{values}"
    return fault(f"{where}: arms.levels", what, fix="add the arm, or leave the samples out by samples.where or exclude")


def _empty_arm(sheet: pd.DataFrame, arm: str, meant: str | None, intake: Intake, where: str) -> Findings:
    """The fault of an arm without samples."""
    value = intake.levels[arm]["value"]
    key = f"{where}: arms.levels.{arm}"
    if value is None or intake.column is None:
        return fault(key, "no sample fits its where", fix="correct the values")
    found = listed(sorted(sheet[intake.column].unique()))
    fix = f"write '{meant}', or correct the sample sheet" if meant else "correct the value, or the sample sheet"
    return fault(f"{key}.value", f"'{value}' is not in column {intake.column} (found: {found})", fix=fix)


def _times_of(sheet: pd.DataFrame, arm: pd.Series, intake: Intake, where: str) -> tuple[pd.Series, Findings]:
    """The time of every sample as a number; NaN without times and for arms that serve all of them."""
    times = pd.Series(float("nan"), index=sheet.index)
    if intake.time is None:
        return times, Findings()
    timed = [intake.levels.get(name, {}).get("at") is None for name in arm]
    texts = sheet.loc[timed, intake.time.column]
    pooled = _pooled_times(sheet[intake.time.column], arm, intake, where)
    if intake.time.values is not None:
        unknown = sorted(set(texts) - set(intake.time.values))
        if unknown:
            what = f"words without a number: {listed(unknown)}"
            return times, fault(f"{where}: time.values", what, fix="give each word of the column a number")
        numbers = texts.map(dict(intake.time.values)).astype(float).map(_as_labelled)
        return times.where(~times.index.isin(numbers.index), numbers.reindex(times.index)), pooled
    numbers, findings = _numbers(texts, intake.time.column, where)
    findings += pooled
    numbers = numbers.map(_as_labelled)
    return times.where(~times.index.isin(numbers.index), numbers.reindex(times.index)), findings


def _pooled_times(texts: pd.Series, arm: pd.Series, intake: Intake, where: str) -> Findings:
    """The warning of an arm that serves every time, and has samples of several."""
    findings = Findings()
    for name in [name for name, level in intake.levels.items() if level.get("at") is not None]:
        own = [text for text in dict.fromkeys(texts[arm == name]) if not _is_missing(text)]
        if len(own) > 1:
            what = f"arm {name} has samples of several times ({listed(own)}); they are pooled into one baseline"
            fix = "take out at: all_times where each time has its own samples"
            findings += warning(f"{where}: arms.levels.{name}.at", what, fix=fix)
    return findings


def _as_labelled(time: float) -> float:
    """A time to the ten digits that its label shows, so that no two times share one; minus zero is zero."""
    return float(f"{time:.10g}") + 0.0


def _numbers(texts: pd.Series, column: str, where: str) -> tuple[pd.Series, Findings]:
    """A column as numbers; what is none, or beyond any use, is a fault."""
    numbers = pd.to_numeric(texts, errors="coerce").astype(float)
    bad = texts[~(numbers.abs() <= MAX_NUMBER)]
    if bad.empty:
        return numbers, Findings()
    cells = listed(f"{sample}: {shown(text)}" for sample, text in bad.items())
    fix = "write numbers; words for times are mapped by time.values"
    return numbers, fault(f"{where}: column {column}", f"not a number: {cells}", fix=fix)


def _is_missing(text: str) -> bool:
    """The cell holds no value."""
    return text.strip().casefold() in MISSING


def _no_blanks(texts: pd.Series, column: str, where: str) -> Findings:
    """Blank cells of a column that the design uses are faults."""
    blank = texts[texts.map(_is_missing)]
    if blank.empty:
        return Findings()
    what = f"no value for samples {listed(blank.index)}"
    return fault(f"{where}: column {column}", what, fix="fill it in, or leave the samples out by samples.exclude")


def merge_replicates(
    arranged: pd.DataFrame | None, intake: Intake, *, where: str
) -> tuple[pd.DataFrame | None, Findings]:
    """One row per library, named by it; technical replicates must agree in everything that the design uses.

    Parameters
    ----------
    arranged
        Of `arrange_samples`; None where that is at fault.
    intake, where
        As there.
    """
    if arranged is None or intake.samples.technical_replicate_of is None:
        return arranged, Findings()
    groups = arranged.groupby("library", sort=True)
    described = arranged.drop(columns="library")
    torn = [name for name, rows in groups if len(described.loc[rows.index].drop_duplicates()) > 1]
    if torn:
        what = f"technical replicates of {listed(torn)} differ in arm, time or a covariate"
        return None, fault(where, what, fix="correct the sheet: replicates of one library are one sample")
    samples = groups.first().rename_axis(None)
    merged = len(arranged) - len(samples)
    decision = (f"{merged} technical replicates were summed into their library; samples are named by the library",)
    return samples, Findings(decisions=decision if merged else ())
