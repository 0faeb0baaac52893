"""Count files: the columns that are samples, whole numbers, replicates summed; nothing lost, nothing guessed."""

import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from exoliver.counts import Material, read_material, read_matrix_file, read_parts
from exoliver.problems import Findings
from exoliver.study import Dataset, Intake, from_plain
from tests.toy import make_toy, write_toy

SHEET = "sample\tgroup\ns1\ta\ns2\ta\ns3\tb\ns4\tb\n"
TABLE = "gene\ts1\ts2\ts3\ts4\ng1\t1\t2\t3\t4\ng2\t0\t5\t6\t7\n"
VALUES = [[1, 2, 3, 4], [0, 5, 6, 7]]


def intake(samples: dict[str, Any] | None = None, **counts: Any) -> Intake:
    """Two arms of two samples, with further keys of counts and samples."""
    content = {
        "id": "small",
        "organism": "mouse",
        "counts": {"file": "a", "identifiers": "other"} | counts,
        "samples": {"file": "b"} | (samples or {}),
        "arms": {"column": "group", "levels": {name: {"role": "reference", "value": name} for name in "ab"}},
    }
    dataset = from_plain(Dataset, content)
    assert dataset.counts is not None
    assert dataset.samples is not None
    return dataset.intake(dataset.counts, dataset.samples)


def attempt(
    table: str | bytes, folder: Path, *, name: str = "counts.tsv", sheet: str = SHEET, said: Intake | None = None
) -> tuple[Material | None, Findings]:
    """What becomes of the text of a count file."""
    (folder / name).write_bytes(table if isinstance(table, bytes) else table.encode())
    (folder / "samples.tsv").write_text(sheet, encoding="utf-8")
    return read_material(said or intake(), counts_file=folder / name, samples_file=folder / "samples.tsv")


def sound(table: str | bytes, folder: Path, **keys: Any) -> Material:
    """The material of a sound file."""
    material, findings = attempt(table, folder, **keys)
    assert findings.problems == ()
    assert material is not None
    return material


def the_fault(table: str | bytes, folder: Path, **keys: Any) -> str:
    """What the only problem says."""
    material, findings = attempt(table, folder, **keys)
    assert material is None
    (problem,) = findings.problems
    return problem.what


@pytest.mark.parametrize(
    ("table", "name"),
    [
        (TABLE, "a.tsv"),
        (TABLE, "a.txt"),
        (b"\xef\xbb\xbf" + TABLE.encode(), "a.tsv"),
        (TABLE.replace("\n", "\r\n"), "a.tsv"),
        (TABLE.replace("\n", "\n\n"), "a.tsv"),
        (TABLE.rstrip("\n"), "a.tsv"),
        (TABLE.replace("\t", ","), "a.csv"),
        (TABLE.replace("\t", '","').replace("\n", '"\n"')[:-1].join(('"', "")), "a.csv"),
        (gzip.compress(TABLE.encode()), "a.tsv.gz"),
        (gzip.compress(TABLE.replace("\t", ",").encode()), "a.csv.gz"),
        (gzip.compress(TABLE.encode()), "a.tsv"),
        (TABLE, "a.tsv.gz"),
        (TABLE.removeprefix("gene\t"), "a.tsv"),
        (TABLE.replace("gene", ""), "a.tsv"),
        ("# made by hand\n#\n" + TABLE, "a.tsv"),
        ("#" + TABLE, "a.tsv"),
        (TABLE.replace("\t4\n", "\t4\t\n").replace("\t7\n", "\t7\t\n"), "a.tsv"),
        (TABLE.replace("\t4\n", "\t4\t \n").replace("\t", ","), "a.csv"),
        (TABLE.replace("\t1\t", "\t1.0\t").replace("\t7", "\t 7e0 "), "a.tsv"),
    ],
    ids=[
        "plain", "txt", "byte order mark", "windows", "blank lines", "no last line end", "csv", "quoted csv", "gzip",
        "csv, gzip", "gzip by content", "plain in spite of its name", "header of R", "nameless ids", "comments",
        "header with a hash", "tabs behind every row but the header", "a comma behind one row", "numbers as floats",
    ],
)  # fmt: skip
def test_tables_of_every_make_read_the_same(table: str | bytes, name: str, tmp_path: Path) -> None:
    """Marks, line ends, separators, quotes, compression and R's short header do not matter."""
    material = sound(table, tmp_path, name=name)
    assert material.counts.index.tolist() == ["g1", "g2"]
    assert material.counts.columns.tolist() == ["s1", "s2", "s3", "s4"]
    assert material.counts.to_numpy().tolist() == VALUES
    assert material.counts.to_numpy().dtype == np.int64


def test_a_featurecounts_table_gives_its_samples(tmp_path: Path) -> None:
    """Its comment and annotation columns are passed over, which is said."""
    table = (
        '# Program:featureCounts v2.0.1; Command:"featureCounts" "-a" "x.gtf"\n'
        "Geneid\tChr\tStart\tEnd\tStrand\tLength\ts1.bam\ts2.bam\ts3.bam\ts4.bam\n"
        "g1\t1;1\t5;9\t7;11\t+;+\t6\t1\t2\t3\t4\ng2\t2\t5\t9\t-\t5\t0\t5\t6\t7\n"
    )
    said = intake(format="featurecounts", columns={"suffix": ".bam"})
    material, findings = attempt(table, tmp_path, said=said)
    assert material is not None
    assert material.counts.to_numpy().tolist() == VALUES
    assert "that are not samples: Chr, Start, End, Strand, Length" in findings.decisions[0]


def test_columns_are_chosen_by_prefix_and_suffix(tmp_path: Path) -> None:
    """Both are stripped, and what is passed over is named."""
    table = TABLE.replace("s1\ts2\ts3\ts4", "X_s1_count\tX_s2_count\tX_s3_count\tX_s4_count")
    table = (
        table.replace("_count\n", "_count\tX_s1_fpkm\n", 1).replace("\t4\n", "\t4\t0.5\n").replace("\t7\n", "\t7\t0\n")
    )
    material, findings = attempt(table, tmp_path, said=intake(columns={"prefix": "X_", "suffix": "_count"}))
    assert material is not None
    assert material.counts.to_numpy().tolist() == VALUES
    assert findings.decisions[0].endswith("that are not samples: X_s1_fpkm")


def test_columns_are_chosen_by_a_list(tmp_path: Path) -> None:
    """By name; the others are passed over and named."""
    table = TABLE.replace("\n", "\tname\n")
    material, findings = attempt(table, tmp_path, said=intake(columns={"list": ["s1", "s2", "s3", "s4"]}))
    assert material is not None
    assert findings.decisions[0].endswith("not samples: name")


def test_ignored_columns_are_no_samples(tmp_path: Path) -> None:
    """Whatever stands in them."""
    table = TABLE.replace("gene\t", "gene\tname\t").replace("g1\t", "g1\tAlb\t").replace("g2\t", "g2\t\t")
    assert sound(table, tmp_path, said=intake(ignore=["name"])).counts.to_numpy().tolist() == VALUES


def test_columns_are_renamed(tmp_path: Path) -> None:
    """By their name in the file or without prefix and suffix; which is which is said."""
    table = TABLE.replace("s1", "IL-10 (1)").replace("s2", "724")
    material, findings = attempt(table, tmp_path, said=intake(rename={"IL-10 (1)": "s1", "724": "s2"}))
    assert material is not None
    assert material.counts.to_numpy().tolist() == VALUES
    assert [text.rpartition(" of ")[0] for text in findings.decisions] == ["column 'IL-10 (1)'", "column '724'"]
    table = TABLE.replace("s1", "old_n").replace("s2", "s2_n").replace("s3", "s3_n").replace("s4", "s4_n")
    _, findings = attempt(table, tmp_path, said=intake(rename={"old": "s1"}, columns={"suffix": "_n"}))
    (decision,) = findings.decisions
    assert decision.startswith("column 'old_n' of ")
    assert decision.endswith(" is sample s1")


def test_two_samples_can_swap_names(tmp_path: Path) -> None:
    """A renaming is taken at once, not step by step."""
    material = sound(TABLE, tmp_path, said=intake(rename={"s1": "s2", "s2": "s1"}))
    assert material.counts["s1"].tolist() == [2, 5]


def test_odd_names_of_samples_are_kept(tmp_path: Path) -> None:
    """Signs, blanks, leading digits and other scripts are joined by what they are."""
    names = ["24h", "2-day +x", "µ/β", "a;b"]
    table, sheet = TABLE, SHEET
    for place, name in enumerate(names, start=1):
        table, sheet = table.replace(f"s{place}", name), sheet.replace(f"s{place}", name)
    assert sorted(sound(table, tmp_path, sheet=sheet).counts.columns) == sorted(names)


def test_the_order_of_rows_and_columns_does_not_matter(tmp_path: Path) -> None:
    """Samples are joined by name; genes keep the file's order, which the import sorts."""
    table = "gene\ts3\ts1\ts4\ts2\ng1\t3\t1\t4\t2\ng2\t6\t0\t7\t5\n"
    lines = SHEET.splitlines()
    shuffled = "\n".join([lines[0], *reversed(lines[1:])]) + "\n"
    first, second = sound(TABLE, tmp_path), sound(table, tmp_path, sheet=shuffled)
    pd.testing.assert_frame_equal(first.counts, second.counts)
    pd.testing.assert_frame_equal(first.samples, second.samples)


def test_samples_that_are_left_out_need_not_be_sound(tmp_path: Path) -> None:
    """Their column may be there, with anything in it, or not."""
    said = intake(samples={"exclude": {"s1": "failed"}})
    table = TABLE.replace("\t1\t2", "\tbad\t2")
    assert sound(table, tmp_path, said=said).counts.columns.tolist() == ["s2", "s3", "s4"]
    without = "gene\ts2\ts3\ts4\ng1\t2\t3\t4\ng2\t5\t6\t7\n"
    assert sound(without, tmp_path, said=said).counts.columns.tolist() == ["s2", "s3", "s4"]


def test_estimates_are_rounded_where_they_are_declared(tmp_path: Path) -> None:
    """And their number is a decision; half goes to the even neighbour."""
    table = TABLE.replace("\t1\t2\t3\t4", "\t0.5\t1.5\t2.4\t100.6")
    material, findings = attempt(table, tmp_path, said=intake(values="estimated_counts"))
    assert material is not None
    assert material.counts.loc["g1"].tolist() == [0, 2, 2, 101]
    assert findings.decisions[0].startswith("4 estimated counts of ")
    assert the_fault(table, tmp_path) == "'0.5' is not a whole number (such cells: 4)"


def test_whole_estimates_are_said_to_be_estimates(tmp_path: Path) -> None:
    """Nothing was rounded, which is said too."""
    _, findings = attempt(TABLE, tmp_path, said=intake(values="estimated_counts"))
    assert findings.decisions[0].startswith("0 estimated counts")


@pytest.mark.parametrize(
    "cell", ["", "NA", "NaN", "inf", "-inf", "1e400", "0x1", "1_0", "1,5", "TRUE", "1;2", "-", "."]
)
def test_a_cell_that_is_no_number_is_told(cell: str, tmp_path: Path) -> None:
    """With its gene and sample, and how many there are."""
    material, findings = attempt(TABLE.replace("\t6\t", f"\t{cell}\t"), tmp_path)
    assert material is None
    assert findings.problems[0].where.endswith("gene g2, sample s3")
    assert "is not a number (such cells: 1)" in findings.problems[0].what


@pytest.mark.parametrize("cell", ["1e13", "9" * 19, "1e300", "1" + "0" * 30])
def test_a_count_beyond_any_library_is_told(cell: str, tmp_path: Path) -> None:
    """It would not fit into a whole number."""
    assert "more than any library holds" in the_fault(TABLE.replace("\t6\t", f"\t{cell}\t"), tmp_path)


def test_large_counts_are_exact(tmp_path: Path) -> None:
    """Up to the limit."""
    assert sound(TABLE.replace("\t6\t", "\t999999999999\t"), tmp_path).counts.at["g2", "s3"] == 999_999_999_999


def test_each_kind_of_bad_cell_is_told_once(tmp_path: Path) -> None:
    """With the first such cell."""
    table = TABLE.replace("\t1\t2\t3\t4", "\t-1\t0.5\tx\t-2")
    _, findings = attempt(table, tmp_path)
    assert [problem.what for problem in findings.problems] == [
        "'x' is not a number (such cells: 1)",
        "'-1' is negative (such cells: 2)",
        "'0.5' is not a whole number (such cells: 1)",
    ]


@pytest.mark.parametrize(
    ("table", "what"),
    [
        ("", "one column only"), ("gene\n", "one column only"), ("gene\ts1\ts2\ts3\ts4\n", "no genes"),
        (TABLE.replace("\t", " "), "one column only"), (TABLE.replace("s2", "s1"), "columns are repeated: s1"),
        (TABLE.replace("gene", "s1"), "columns are repeated: s1"),
        (TABLE.replace("s2", ""), "columns without a name: 3"),
        (TABLE.replace("g2", "g1"), "gene ids are repeated: g1"), (TABLE.replace("g2", ""), "a gene has no id"),
        (TABLE.replace("\t4\n", "\t4\t9\t9\n"), "first row has 7 cells, the header 5"),
        (TABLE.replace("\t4\n", "\t4\t9\n"), "the last is blank in 1 of 2 rows"),
        (TABLE.replace("gene", "gene\ts1").replace("\ts1\ts1", "\t\"s1\rx\"\ts1"), "names of columns hold a tab or"),
        (TABLE.replace("\t7\n", "\t7\t9\n"), "cannot be read"), (TABLE.replace("g1", '"g1'), "cannot be read"),
        (TABLE.replace("g1", '"g1').replace("g2\t0", '"g2\t1'), "holds a line break"),
        (TABLE.replace("g1", '"g\t1"'), "'g\\t1' holds a tab"),
        (TABLE.encode("utf-16"), "cannot be read"), (b"\x00" * 50, "NUL"), (b"\x1f\x8b\x08\x00", "cannot be read"),
        (gzip.compress(TABLE.encode())[:-12], "cannot be read"),
        (gzip.compress(TABLE.encode())[:15] + b"\xff" * 30, "cannot be read"), (b"PK\x03\x04\xff", "cannot be read"),
        (b"\xff" + TABLE.encode(), "cannot be read"),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_used_is_told(table: str | bytes, what: str, tmp_path: Path) -> None:
    """One problem, no exception, and no row or cell dropped in silence."""
    assert what in the_fault(table, tmp_path)


def described(open_quotes: Sequence[int]) -> str:
    """A table of nine genes with a column of descriptions, some of which open a quote that they do not close."""
    texts = {place: '"2-5A synthetase' if place in open_quotes else "about" for place in range(1, 10)}
    rows = "".join(f"g{place}\t{texts[place]}\t1\t2\t3\t{place}\n" for place in texts)
    return f"gene\tname\ts1\ts2\ts3\ts4\n{rows}"


def test_quotes_left_open_in_a_column_of_words_hide_no_gene(tmp_path: Path) -> None:
    """The rows between two of them would stand in one cell of a column that nothing else looks at."""
    said = intake(ignore=["name"])
    assert len(sound(described([]), tmp_path, said=said).counts) == 9
    material, findings = attempt(described([3, 6]), tmp_path, said=said)
    assert material is None
    (problem,) = findings.problems
    assert problem.where.endswith("counts.tsv: gene 3")
    assert problem.what == "column name of 'g3' holds a line break: the rows from this one on were read as one"
    assert "quote left open" in problem.fix


def test_a_quoted_word_is_sound(tmp_path: Path) -> None:
    """And so is a quote within a word."""
    table = described([]).replace("about", "\"2',5'-synthetase\"", 1).replace("about", "5' end, 3\"", 1)
    assert len(sound(table, tmp_path, said=intake(ignore=["name"])).counts) == 9


def test_a_header_that_lacks_its_first_cell_shifts_no_counts(tmp_path: Path) -> None:
    """R's row names beside a last column of blanks look like separators behind every row; s1 would name the genes."""
    table = "s1\ts2\ts3\ts4\tname\ng1\t1\t2\t3\t4\t\ng2\t0\t5\t6\t7\t\n"
    said = intake(samples={"exclude": {"s1": "failed"}}, columns={"list": ["s2", "s3", "s4"]})
    assert "is called 's1' as a sample is" in the_fault(table, tmp_path, said=said)


def test_a_missing_cell_is_not_zero(tmp_path: Path) -> None:
    """A short row is told by its gene."""
    assert the_fault(TABLE.replace("\t7\n", "\n"), tmp_path) == "'' is not a number (such cells: 1)"


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    """With its path."""
    table, findings = read_matrix_file(tmp_path / "none.tsv", intake())
    assert table is None
    assert findings.problems[0].what == "the file does not exist"


def test_names_that_differ_are_told_on_both_sides_with_the_likely_pairs(tmp_path: Path) -> None:
    """As one thing to mend, with the map to write."""
    _, findings = attempt(TABLE.replace("s1", "s 1").replace("s2", "S_2"), tmp_path)
    (problem,) = findings.problems
    assert problem.what.startswith("columns s 1, S_2 are no samples of ")
    assert problem.what.endswith("and s1, s2 have no column")
    assert "counts.rename: {s 1: s1, S_2: s2}" in problem.fix


def test_names_that_have_nothing_in_common_are_two_problems(tmp_path: Path) -> None:
    """A column too many and a sample too few."""
    _, findings = attempt(TABLE.replace("s1", "description"), tmp_path)
    whats = sorted(problem.what for problem in findings.problems)
    assert whats[0].startswith("columns are neither samples of ")
    assert whats[0].endswith("ignored: description")
    assert whats[1].endswith("have no column: s1")


def test_samples_are_never_joined_by_position(tmp_path: Path) -> None:
    """As many columns as samples, under other names, are refused."""
    material, findings = attempt(TABLE.replace("\ts", "\tGSM"), tmp_path)
    assert material is None
    assert len(findings.problems) == 1


@pytest.mark.parametrize("scale", [1e6, 999_700])
def test_values_per_million_are_refused(scale: float, tmp_path: Path) -> None:
    """Even where they are called estimates, or were rounded."""
    numbers = np.array(VALUES) / np.array(VALUES).sum(axis=0) * scale
    table = pd.DataFrame(numbers, index=["g1", "g2"], columns=["s1", "s2", "s3", "s4"]).to_csv(sep="\t")
    assert "TPM or CPM" in the_fault(table, tmp_path, said=intake(values="estimated_counts"))
    rounded = pd.DataFrame(numbers.round().astype(int), index=["g1", "g2"], columns=["s1", "s2", "s3", "s4"])
    assert "TPM or CPM" in the_fault(rounded.to_csv(sep="\t"), tmp_path)


def test_replicates_are_summed_into_their_library(tmp_path: Path) -> None:
    """Column by column, under the library's name."""
    sheet = "sample\tgroup\tlib\ns1\ta\tx\ns2\ta\tx\ns3\tb\ty\ns4\tb\tz\n"
    said = intake(samples={"technical_replicate_of": "lib"})
    material, findings = attempt(TABLE, tmp_path, sheet=sheet, said=said)
    assert material is not None
    assert material.counts.to_dict("list") == {"x": [3, 5], "y": [3, 6], "z": [4, 7]}
    assert material.samples.index.tolist() == ["x", "y", "z"]
    assert any("technical replicates were summed" in text for text in findings.decisions)


def test_a_covariate_called_library_sums_nothing(tmp_path: Path) -> None:
    """The kit that a library was made with is no library."""
    sheet = SHEET.replace("group", "group\tlibrary").replace("\ta", "\ta\tkit").replace("\tb", "\tb\tkit")
    said = intake()
    said = said.model_copy(update={"covariates": ("library",)})
    assert sound(TABLE, tmp_path, sheet=sheet, said=said).counts.to_numpy().tolist() == VALUES


def test_each_part_is_there_as_far_as_it_is_sound(tmp_path: Path) -> None:
    """A bad sheet leaves the genes, bad cells leave the samples."""
    toy = make_toy()
    toy.counts = toy.counts.astype(object)
    toy.counts.iat[0, 0] = "x"
    write_toy(toy, tmp_path)
    dataset = from_plain(Dataset, toy.yaml)
    assert dataset.counts is not None
    assert dataset.samples is not None
    said = dataset.intake(dataset.counts, dataset.samples)
    files = {"counts_file": tmp_path / "toy/counts.tsv", "samples_file": tmp_path / "toy/samples.tsv"}
    parts, _ = read_parts(said, **files)
    assert parts.counts is None
    assert parts.samples is not None
    assert parts.genes == list(toy.counts.index)
    parts, _ = read_parts(said, **files | {"samples_file": tmp_path / "none.tsv"})
    assert (parts.counts, parts.samples) == (None, None)
    assert parts.genes == list(toy.counts.index)
    parts, _ = read_parts(said, **files | {"counts_file": tmp_path / "none.tsv"})
    assert (parts.genes, parts.counts) == (None, None)
    assert parts.samples is not None
