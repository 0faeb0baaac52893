"""The sample sheet: read as it stands, rows chosen by name, arms and times as the YAML says."""

import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

from exoliver.problems import Findings
from exoliver.samples import arrange_samples, choose_samples, is_same, merge_replicates, read_sheet
from exoliver.study import Dataset, Intake, from_plain
from tests.toy import make_sheet, make_toy


def intake(**keys: Any) -> Intake:
    """What the toy's YAML says, with further keys."""
    dataset = from_plain(Dataset, make_toy().yaml | keys)
    assert dataset.counts is not None
    assert dataset.samples is not None
    return dataset.intake(dataset.counts, dataset.samples)


def sheet(**columns: Any) -> pd.DataFrame:
    """The toy's sheet as it is read, with further columns."""
    table = make_sheet().assign(**columns).astype(object)
    return table.set_index("sample", drop=False).rename_axis(None)


def arranged(table: pd.DataFrame, **keys: Any) -> pd.DataFrame:
    """The design's columns of a sound sheet."""
    result, findings = arrange_samples(table, intake(**keys), where="sheet")
    assert findings.problems == ()
    assert result is not None
    return result


def faults(findings: Findings) -> list[str]:
    """What is wrong."""
    return [problem.what for problem in findings.problems]


def read(content: bytes, name: str, folder: Path) -> pd.DataFrame:
    """A sound sheet from the bytes of a file."""
    (folder / name).write_bytes(content)
    table, findings = read_sheet(folder / name, "sample")
    assert findings == Findings()
    assert table is not None
    return table


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"sample\tgroup\ns1\ta b\ns2\tc\n", "a.tsv"),
        (b"\xef\xbb\xbfsample\tgroup\r\ns1\ta b\r\ns2\tc\r\n", "a.tsv"),
        (b"sample\tgroup\rs1\ta b\rs2\tc", "a.txt"),
        (b'sample,group\n"s1","a b"\ns2,"c"\n', "a.csv"),
        (b"sample\tgroup\n\n\ns1\ta b\n\t\ns2\tc\n\n", "a.tsv"),
        (b"sample\tgroup\t\ns1\ta b\t\ns2\tc\t\n", "a.tsv"),
    ],
    ids=["plain", "byte order mark, windows", "old mac", "quoted csv", "blank rows", "trailing tabs"],
)
def test_text_sheets_read_the_same(content: bytes, name: str, tmp_path: Path) -> None:
    """Line ends, marks, quotes, blank rows and nameless blank columns do not matter."""
    table = read(content, name, tmp_path)
    assert table.index.tolist() == ["s1", "s2"]
    assert table.columns.tolist() == ["sample", "group"]
    assert table["group"].tolist() == ["a b", "c"]


def test_cells_stay_text(tmp_path: Path) -> None:
    """Nothing becomes a number, a date or a missing value, and names keep their signs and scripts."""
    cells = ["007", "1e5", "NA", "2-Mar", "24h", "2-day", "+", " x ", "µ-β", "TRUE", ""]
    content = "sample\tvalue\n" + "".join(f"s{place}\t{cell}\n" for place, cell in enumerate(cells))
    assert read(content.encode(), "a.tsv", tmp_path)["value"].tolist() == cells


def test_a_workbook_reads_like_text(tmp_path: Path) -> None:
    """Whole numbers have no point, fractions keep theirs, dates and truths become words, blank rows go."""
    book = openpyxl.Workbook()
    rows = [
        ["sample", "day", "rin", "when", "ok", None],
        [101, 7, 8.25, datetime.datetime(2026, 11, 21), True, None],
        [None, None, None, None, None, None],
        ["102", 7.0, 9, "x", None, None],
    ]
    for row in rows:
        book.active.append(row)
    book.save(tmp_path / "a.XLSX")
    table, findings = read_sheet(tmp_path / "a.XLSX", "sample")
    assert findings == Findings()
    assert table is not None
    assert table.loc["101"].tolist() == ["101", "7", "8.25", "2026-11-21 00:00:00", "True"]
    assert table.loc["102"].tolist() == ["102", "7", "9", "x", ""]


@pytest.mark.parametrize(
    ("content", "name", "what"),
    [
        (b"sample\tgroup\n", "a.tsv", "no rows"),
        (b"", "a.tsv", "no rows"),
        (b"sample group\ns1 a\n", "a.tsv", "one column only; its first row reads as 'sample group'"),
        (b"sample;group\ns1;a\n", "a.csv", "one column only; its first row reads as 'sample;group'"),
        (b"sample\tg\ns1\ta\n\ns2\ta\tb\n", "a.tsv", "row 4 has 3 cells, the header 2"),
        (b"sample\tg\tg\ns1\ta\tb\n", "a.tsv", "columns are repeated: g"),
        (b"name\tg\ns1\ta\n", "a.tsv", "there is no column 'sample'"),
        (b"sample\tg\ns1\ta\ns1\tb\n", "a.tsv", "samples are repeated: s1"),
        (b"sample\tg\n\ta\n", "a.tsv", "a sample has no id"),
        (b'sample\tg\n"s\n1"\ta\n', "a.tsv", "ids hold a tab or line break"),
        (b"sample\tg\n\xff\ta\n", "a.tsv", "cannot be read"),
        (b"sample\tg\ns\x001\ta\n", "a.tsv", "NUL"),
        (b"\x1f\x8b\x08", "a.tsv", "cannot be read"),
        (b"sample\tg\ns1\ta\n", "a.xlsx", "not a sound .xlsx file"),
        (b"PK\x03\x04", "a.xlsx", "not a sound .xlsx file"),
        (b"sample\tg\ns1\t" + b"a" * 200_000, "a.tsv", "field larger than"),
    ],
)  # fmt: skip
def test_a_sheet_that_cannot_be_used_is_told(content: bytes, name: str, what: str, tmp_path: Path) -> None:
    """Where it is, what was found, and what to do."""
    (tmp_path / name).write_bytes(content)
    table, findings = read_sheet(tmp_path / name, "sample")
    assert table is None
    (problem,) = findings.problems
    assert problem.where.startswith(str(tmp_path / name))
    assert what in problem.what
    assert problem.fix


@pytest.mark.parametrize("name", ["none.tsv", "none.xlsx"])
def test_a_missing_sheet_is_told(name: str, tmp_path: Path) -> None:
    """Of either kind."""
    assert faults(read_sheet(tmp_path / name, "sample")[1]) == ["the file does not exist"]


@pytest.mark.parametrize(
    ("value", "text", "same"),
    [
        ("a", "a", True), ("a", "A", False), ("1", "1.0", False), (1, "1", True), (1, "1.0", True), (1.5, "1.50", True),
        (1, "01", True), (1, "a", False), (7, "", False), (10**400, "1", False), (1, "nan", False), ("", "", True),
    ],
)  # fmt: skip
def test_numbers_are_compared_by_value_and_words_by_letter(value: Any, text: str, same: bool) -> None:
    """A word of the YAML is never taken for a number, nor its case changed."""
    assert is_same(value, text) is same


def test_where_keeps_the_rows_that_fit_every_column() -> None:
    """A value, a list of values, and numbers by their value."""
    said = intake(samples={"file": "a", "where": {"batch": ["a", "z"], "day": 7}})
    kept, findings = choose_samples(sheet(), said, where="sheet")
    assert kept.index.tolist() == ["healthy_7_1", "injured_7_1", "treated_7_1"]
    assert findings.problems == ()
    assert findings.decisions == ("15 samples left out by samples.where",)


def test_excluded_samples_are_named_with_their_reason() -> None:
    """A dropped sample is a decision that the report can show."""
    said = intake(samples={"file": "a", "exclude": {"healthy_1_1": "failed library"}})
    kept, findings = choose_samples(sheet(), said, where="sheet")
    assert "healthy_1_1" not in kept.index
    assert len(kept) == 17
    assert findings.decisions == ("sample healthy_1_1 excluded: failed library",)


def test_an_exclusion_may_also_be_left_out_by_where() -> None:
    """The sample exists, and is left out either way."""
    said = intake(samples={"file": "a", "where": {"day": 7}, "exclude": {"healthy_1_1": "failed"}})
    kept, findings = choose_samples(sheet(), said, where="sheet")
    assert (len(kept), findings.problems) == (9, ())


def test_nothing_is_kept_where_the_choice_is_at_fault() -> None:
    """So that the samples that were to be left out are not checked."""
    for where in ({"none": 1}, {"batch": "z"}):
        kept, findings = choose_samples(sheet(), intake(samples={"file": "a", "where": where}), where="sheet")
        assert kept.empty
        assert len(findings.problems) == 1


def test_samples_are_sorted_and_have_arm_and_time() -> None:
    """Rows in the order of ids, whatever the sheet's; times are numbers."""
    table = arranged(sheet().iloc[::-1])
    assert table.index.tolist() == sorted(sheet().index)
    assert table.columns.tolist() == ["arm", "time"]
    assert table.loc["treated_7_2"].tolist() == ["treated", 7.0]


def test_the_order_of_rows_and_columns_does_not_matter() -> None:
    """A shuffled sheet gives the same table."""
    first = arranged(sheet(), donor="donor", covariates=["batch"], numeric_covariates=["rin"])
    table = sheet().sample(frac=1, random_state=1)
    table = table[sorted(table.columns, reverse=True)]
    pd.testing.assert_frame_equal(
        first, arranged(table, donor="donor", covariates=["batch"], numeric_covariates=["rin"])
    )


def test_without_time_there_is_one_time() -> None:
    """The column is there and empty."""
    said = {key: value for key, value in make_toy().yaml.items() if key != "time"}
    dataset = from_plain(Dataset, said)
    assert dataset.counts is not None
    assert dataset.samples is not None
    table, findings = arrange_samples(sheet(), dataset.intake(dataset.counts, dataset.samples), where="sheet")
    assert findings == Findings()
    assert table is not None
    assert table["time"].isna().all()


def test_an_absent_time_of_a_baseline_is_no_time() -> None:
    """However it is written: the samples of one time are not several."""
    content = make_toy().yaml["arms"]
    content["levels"]["healthy"]["at"] = "all_times"
    days = ["n/a" if group == "healthy" else day for group, day in make_sheet()[["group", "day"]].to_numpy()]
    days[0] = "0"
    _, findings = arrange_samples(sheet(day=days), intake(arms=content), where="sheet")
    assert findings == Findings()


def test_words_for_times_become_numbers() -> None:
    """As the YAML maps them; each word once."""
    table = sheet(when=["early" if day == "1" else "late" for day in make_sheet()["day"]])
    time = {"column": "when", "unit": "day", "values": {"early": 0.5, "late": 14}}
    assert arranged(table, time=time)["time"].unique().tolist() == [0.5, 14.0]


def test_times_are_told_apart_by_their_labels() -> None:
    """Beyond ten digits two times are one; minus zero is zero."""
    days = ["-0" if day == "1" else "7.00000000001" for day in make_sheet()["day"]]
    times = arranged(sheet(day=days))["time"]
    assert [str(time) for time in times.unique()] == ["0.0", "7.0"]


def test_a_baseline_of_all_times_has_none() -> None:
    """Its own column of times is not read."""
    content = make_toy().yaml["arms"]
    content["levels"]["healthy"]["at"] = "all_times"
    days = make_sheet()["day"].where(make_sheet()["group"] != "healthy", "baseline").to_list()
    table = arranged(sheet(day=days), arms=content)
    assert table.loc[table["arm"] == "healthy", "time"].isna().all()
    assert table.loc[table["arm"] != "healthy", "time"].notna().all()


def test_arms_can_be_told_by_several_columns() -> None:
    """Each sample fits one of them."""
    levels = {
        "a": {"role": "healthy", "where": {"group": "healthy"}},
        "b": {"role": "injured", "where": {"group": "injured", "batch": "a"}},
        "c": {"role": "reference", "where": {"group": "injured", "batch": "b"}},
        "d": {"role": "treated", "value": "treated", "against": "b"},
    }
    table = arranged(sheet(), arms={"column": "group", "levels": levels})
    assert table["arm"].value_counts().to_dict() == {"a": 6, "b": 2, "c": 4, "d": 6}


def test_numeric_covariates_are_numbers() -> None:
    """And categorical ones words."""
    table = arranged(sheet(rin=["8.5"] * 9 + ["7"] * 9), numeric_covariates=["rin"], covariates=["day"])
    assert table["rin"].tolist() == [8.5] * 9 + [7.0] * 9
    assert set(table["day"]) == {"1", "7"}


@pytest.mark.parametrize("cell", ["", "good", "nan", "inf", "1e13", "1,5", "0x1"])
def test_a_numeric_covariate_that_is_no_use_is_told(cell: str) -> None:
    """With the sample and what stands there."""
    table = sheet()
    table.loc["healthy_1_1", "rin"] = cell
    result, findings = arrange_samples(table, intake(numeric_covariates=["rin"]), where="sheet")
    assert result is None
    assert faults(findings) == [f"not a number: healthy_1_1: {cell!r}"]


@pytest.mark.parametrize("key", ["donor", "covariates", "series"])
@pytest.mark.parametrize("cell", ["", " ", "NA", "N/A", "nan", "n/a", "Na", "#N/A", "NULL", " na\t"])
def test_a_missing_value_is_no_level(key: str, cell: str) -> None:
    """A sample of unknown donor, batch or series is told, not put together with others."""
    table = sheet()
    table.loc["healthy_1_1", "donor"] = cell
    result, findings = arrange_samples(table, intake(**{key: ["donor"] if key == "covariates" else "donor"}), where="s")
    assert result is None
    assert faults(findings) == ["no value for samples healthy_1_1"]


@pytest.mark.parametrize(
    "keys",
    [
        {"covariates": ["arm"]}, {"covariates": ["time"]}, {"donor": "donor", "covariates": ["donor"]},
        {"covariates": ["batch"], "numeric_covariates": ["batch"]}, {"numeric_covariates": ["healthy"]},
    ],
)  # fmt: skip
def test_two_columns_of_the_design_have_two_names(keys: dict[str, Any]) -> None:
    """A covariate must not stand in for the arm, the time or the donor."""
    table = sheet(arm="1", time="1", healthy="1")
    result, findings = arrange_samples(table, intake(**keys), where="sheet")
    assert result is None
    assert "the design has" in faults(findings)[0]


def test_a_series_may_be_a_covariate() -> None:
    """It is one column with two uses."""
    table = arranged(sheet(series=["x", "y"] * 9), series="series", covariates=["series"])
    assert set(table["series"]) == {"x", "y"}


def test_every_column_that_is_missing_is_told() -> None:
    """All in one pass."""
    said = intake(
        donor="d", covariates=["e"], numeric_covariates=["f"], series="g", time={"column": "h", "unit": "day"}
    )
    _, findings = arrange_samples(sheet(), said, where="sheet")
    assert sorted(problem.what[-2] for problem in findings.problems) == list("defgh")


def test_replicates_become_their_library() -> None:
    """One row each, named by the library; the number of merged samples is a decision."""
    names = ["one" if name in ("healthy_1_1", "healthy_1_2") else name for name in make_sheet()["sample"]]
    said = intake(samples={"file": "a", "technical_replicate_of": "library"})
    table, _ = arrange_samples(sheet(library=names), said, where="sheet")
    merged, findings = merge_replicates(table, said, where="sheet")
    assert merged is not None
    assert len(merged) == 17
    assert merged.loc["one", "arm"] == "healthy"
    assert findings.decisions[0].startswith("1 technical replicates were summed")


def test_torn_replicates_are_refused() -> None:
    """A library cannot be in two arms, at two times or in two batches."""
    said = intake(samples={"file": "a", "technical_replicate_of": "library"}, covariates=["batch"])
    for other in ("injured_1_1", "healthy_7_1", "healthy_1_2"):
        names = ["one" if name in ("healthy_1_1", other) else name for name in make_sheet()["sample"]]
        table, _ = arrange_samples(sheet(library=names), said, where="sheet")
        merged, findings = merge_replicates(table, said, where="sheet")
        assert merged is None
        assert "technical replicates of one differ" in faults(findings)[0]


def test_a_covariate_called_library_is_no_replicate() -> None:
    """Only the column that the YAML names says what is summed."""
    said = intake(covariates=["library"])
    table, _ = arrange_samples(sheet(library=["kit1", "kit2"] * 9), said, where="sheet")
    merged, findings = merge_replicates(table, said, where="sheet")
    assert merged is table
    assert findings == Findings()
