"""Tables as they are written and read: declared columns, `NA`, ten digits, whole files."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exoliver import tables
from exoliver.contrasts import Contrast
from exoliver.tables import (
    CONTRAST,
    ENRICHMENT,
    OMNIBUS,
    read_alike,
    read_contrasts,
    read_enrichment,
    read_json,
    read_table,
    write_alike,
    write_bytes,
    write_counts,
    write_json,
    write_table,
    write_tables,
    write_text,
)

COLUMNS = ("gene_id", "symbol", "pvalue", "size", "note")


def make() -> pd.DataFrame:
    """A table with the texts that trip readers."""
    return pd.DataFrame(
        {
            "gene_id": ["1", "007", "1e5", "nan", "null"],
            "symbol": ["A", None, "March1", "None", 'quo"ted'],
            "pvalue": [1 / 3, np.nan, 0.0, 1e-300, 1.0],
            "size": [1, 2, 3, 4, 5],
            "note": ["", "filtered", "", "a;b", "Ω"],
        }
    )


def test_a_table_is_written_with_na_and_ten_digits(tmp_path: Path) -> None:
    """Header, tabs, line feeds, UTF-8, in the declared order of columns."""
    write_table(make()[list(COLUMNS[::-1])], COLUMNS, path=tmp_path / "t.tsv")
    lines = (tmp_path / "t.tsv").read_bytes().decode("utf-8").split("\n")
    assert lines[:5] == [
        "gene_id\tsymbol\tpvalue\tsize\tnote",
        "1\tA\t0.3333333333\t1\t",
        "007\tNA\tNA\t2\tfiltered",
        "1e5\tMarch1\t0\t3\t",
        "nan\tNone\t1e-300\t4\ta;b",
    ]
    assert lines[-1] == ""


def test_a_table_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Texts that look like numbers or like nothing stay texts; only `NA` is missing; a second writing is the same."""
    write_table(make(), COLUMNS, path=tmp_path / "t.tsv")
    again = read_table(tmp_path / "t.tsv", COLUMNS)
    for column in ("gene_id", "symbol", "note"):
        assert [None if pd.isna(text) else text for text in again[column]] == make()[column].tolist()
    np.testing.assert_allclose(again["pvalue"], make()["pvalue"], rtol=1e-9)
    assert again["size"].dtype == np.int64
    write_table(again, COLUMNS, path=tmp_path / "u.tsv")
    assert (tmp_path / "u.tsv").read_bytes() == (tmp_path / "t.tsv").read_bytes()


@pytest.mark.parametrize("change", [{"columns": ["gene_id"]}, {"columns": [*COLUMNS, "extra"]}])
def test_other_columns_than_the_declared_are_refused(tmp_path: Path, change: dict[str, list[str]]) -> None:
    """Missing ones and further ones are named, and nothing is written."""
    with pytest.raises(ValueError, match=r"columns differ.*(extra|note)"):
        write_table(make().assign(extra=1)[change["columns"]], COLUMNS, path=tmp_path / "t.tsv")
    assert not (tmp_path / "t.tsv").exists()


def test_a_file_with_other_columns_is_refused(tmp_path: Path) -> None:
    """Their order counts."""
    (tmp_path / "t.tsv").write_text("symbol\tgene_id\nA\t1\n")
    with pytest.raises(ValueError, match="columns are"):
        read_table(tmp_path / "t.tsv", ("gene_id", "symbol"))


@pytest.mark.parametrize("dtype", [object, "string"])
@pytest.mark.parametrize("column", ["gene_id", "symbol", "note"])
def test_a_text_that_reads_na_is_refused(tmp_path: Path, column: str, dtype: object) -> None:
    """A gene, a set or a sample called `NA` could not be told from a missing one: it is never written."""
    table = make()
    table[column] = table[column].astype(dtype)
    table.loc[2, column] = "NA"
    with pytest.raises(ValueError, match=f"{column} holds the text NA"):
        write_table(table, COLUMNS, path=tmp_path / "t.tsv")
    assert not (tmp_path / "t.tsv").exists()


def test_an_empty_table_keeps_its_header(tmp_path: Path) -> None:
    """No rows, all columns."""
    write_table(pd.DataFrame(columns=list(ENRICHMENT)), ENRICHMENT, path=tmp_path / "t.tsv")
    again = read_table(tmp_path / "t.tsv", ENRICHMENT)
    assert (len(again), tuple(again.columns)) == (0, ENRICHMENT)


def test_columns_of_missing_numbers_and_empty_notes_keep_their_kind(tmp_path: Path) -> None:
    """Numbers are NaN, notes empty texts."""
    table = pd.DataFrame(dict.fromkeys(ENRICHMENT, np.nan), index=range(3)).assign(gene_set="A", size=0, note="")
    write_table(table, ENRICHMENT, path=tmp_path / "t.tsv")
    again = read_table(tmp_path / "t.tsv", ENRICHMENT)
    assert again["pvalue"].dtype == float
    assert again["note"].tolist() == ["", "", ""]
    assert again["leading_edge"].isna().all()


def test_every_declared_table_ends_or_begins_as_the_contract_says() -> None:
    """No column twice; results end in `note`."""
    declared = {name: value for name, value in vars(tables).items() if name.isupper() and isinstance(value, tuple)}
    assert len(declared) > 10
    for name, columns in declared.items():
        assert len(set(columns)) == len(columns), name
    for name in ("IDENTIFIERS", "CONTRAST", "OMNIBUS", "ENRICHMENT", "OVERREPRESENTATION", "PANEL"):
        assert declared[name][-1] == "note"


def test_tables_of_a_folder_are_read_by_name(tmp_path: Path) -> None:
    """Contrasts by their index, omnibus ones under their own columns or left out; the rest by file name."""
    plain = pd.DataFrame(dict.fromkeys(CONTRAST, np.nan), index=[0]).assign(gene_id="g", note="")
    omnibus = pd.DataFrame(dict.fromkeys(OMNIBUS, np.nan), index=[0]).assign(gene_id="g", note="")
    write_tables({"b_vs_a": (plain, CONTRAST), "b_vs_a__any_time": (omnibus, OMNIBUS)}, tmp_path)
    index = [
        Contrast("b_vs_a", "injury", "averaged", "b", "a", (), ()),
        Contrast("b_vs_a__any_time", "injury", "any_time", "b", "a", (), ()),
    ]
    assert list(read_contrasts(tmp_path, index)) == ["b_vs_a", "b_vs_a__any_time"]
    assert list(read_contrasts(tmp_path, index, omnibus=False)) == ["b_vs_a"]
    sets = pd.DataFrame(dict.fromkeys(ENRICHMENT, np.nan), index=[0]).assign(gene_set="s", note="")
    write_alike({"b_vs_a": sets, "a_vs_c": sets}, ENRICHMENT, folder=tmp_path / "hallmark")
    assert list(read_alike(tmp_path / "hallmark", ENRICHMENT)) == ["a_vs_c", "b_vs_a"]
    found = read_enrichment(["hallmark"], [str(tmp_path / "hallmark")])
    assert list(found["hallmark"]) == ["a_vs_c", "b_vs_a"]


def test_a_folder_is_made_even_for_no_tables(tmp_path: Path) -> None:
    """Files of a stage always exist."""
    write_tables({}, tmp_path / "none")
    assert (tmp_path / "none").is_dir()


def test_counts_are_gzip_without_a_clock(tmp_path: Path) -> None:
    """Genes in rows, the same bytes each time."""
    counts = pd.DataFrame({"s1": [1, 2], "s2": [3, 4]}, index=["a", "b"])
    write_counts(counts, tmp_path / "c.tsv.gz")
    content = (tmp_path / "c.tsv.gz").read_bytes()
    assert gzip.decompress(content).decode() == "gene_id\ts1\ts2\na\t1\t3\nb\t2\t4\n"
    assert content[4:8] == bytes(4)


def test_json_is_sorted_and_strict(tmp_path: Path) -> None:
    """Keys in order, letters as they are, and no NaN that other readers refuse."""
    write_json({"b": [1.5, None], "a": "Ω"}, tmp_path / "x.json")
    assert (tmp_path / "x.json").read_text(encoding="utf-8") == '{\n "a": "Ω",\n "b": [\n  1.5,\n  null\n ]\n}\n'
    assert read_json(tmp_path / "x.json") == {"a": "Ω", "b": [1.5, None]}
    with pytest.raises(ValueError, match="JSON"):
        write_json({"a": float("nan")}, tmp_path / "y.json")
    assert not (tmp_path / "y.json").exists()


def test_nothing_but_the_file_is_left_behind(tmp_path: Path) -> None:
    """Files are written beside their place and renamed."""
    write_text("new", tmp_path / "deep" / "x.txt")
    write_bytes(b"newer", tmp_path / "deep" / "x.txt")
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["x.txt"]
    assert (tmp_path / "deep" / "x.txt").read_text() == "newer"
