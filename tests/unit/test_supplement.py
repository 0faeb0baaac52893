"""The supplement: a workbook whose text is text, whose numbers are numbers, and whose bytes stay the same."""

import hashlib
import io
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

import numpy as np
import openpyxl
import pandas as pd
import pytest

from exoliver.report.naming import estimable, main_contrasts
from exoliver.report.supplement import Findings, enrichment_sheet, gene_sheet, sample_sheet, supplement_sheets
from exoliver.report.supplement_words import OF_CONTRAST, SHEETS
from exoliver.workbook import LONGEST_TEXT, Sheet, workbook_bytes
from tests.sources import ROOT
from tests.toy_report import SETTINGS, SIMULATION, make_facts, make_material

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
# What a spreadsheet would compute, take for a date, a number or an error, or choke on.
HOSTILE = (
    '=HYPERLINK("http://x","y")',
    "=1+1",
    "+1",
    "-cmd|' /C calc'!A0",
    "@SUM(A1)",
    "\tx",
    "\rx",
    "#N/A",
    "#DIV/0!",
    "SEPT2",
    "1-Mar",
    "007",
    "1e5",
    "TRUE",
    "<b>&amp;</b>",
    "  spaced  ",
    "=",
)


def make_findings(facts: Mapping[str, Any] | None = None, **keys: Any) -> Findings:
    """Findings of the toy report."""
    material = make_material(facts, **keys)
    main = estimable(main_contrasts(material.contrasts))
    results = material.programmes
    return Findings(
        contrasts=material.contrasts,
        genes={contrast.id: material.tables[contrast.id] for contrast in main},
        model=material.model,
        check=material.check,
        programmes={
            "programmes": results.effects,
            "changes": results.changes,
            "trajectories": results.trajectories,
            "rescue": results.rescue,
            "rescue genes": results.rescue_genes,
            "panel": material.panel,
        },
        enrichment={collection.name: collection.enrichment for collection in material.collections},
    )


def make_workbook() -> bytes:
    """The workbook of the toy report, with hostile names of genes."""
    sheets = supplement_sheets(
        make_findings(gene_names=dict(enumerate(HOSTILE))), make_facts(title='=HYPERLINK("x")'), settings=SETTINGS
    )
    return workbook_bytes(sheets, title="toy")


def cells_of(content: bytes, sheet: int) -> list[ElementTree.Element]:
    """Cells of a sheet's XML."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return list(ElementTree.fromstring(archive.read(f"xl/worksheets/sheet{sheet}.xml")).iter(f"{MAIN}c"))


def one_sheet(**columns: Any) -> bytes:
    """A workbook of one sheet."""
    return workbook_bytes([Sheet("sheet", pd.DataFrame(columns))], title="")


@pytest.fixture(scope="module")
def content() -> bytes:
    """The workbook."""
    return make_workbook()


def test_hostile_names_are_text_in_the_file(content: bytes) -> None:
    """No cell of any sheet is a formula, a date, an error or a truth value; the names are there letter by letter."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        sheets = [name for name in archive.namelist() if name.startswith("xl/worksheets/")]
    cells = [cell for sheet in range(1, len(sheets) + 1) for cell in cells_of(content, sheet)]
    assert [cell for cell in cells if cell.find(f"{MAIN}f") is not None] == []
    assert {cell.get("t") for cell in cells} <= {"inlineStr", "n"}
    genes = {cell.find(f"{MAIN}is/{MAIN}t").text for cell in cells_of(content, 3) if cell.get("t") == "inlineStr"}
    assert {name.replace("\r", "\n") for name in HOSTILE} <= {text.replace("\r", "\n") for text in genes}


def test_what_could_be_computed_stays_text_when_it_is_edited() -> None:
    """Cells that begin as a formula does carry the mark of a text, and no other cell does."""
    cells = cells_of(one_sheet(gene=["=1+1", "-x", "Mcl1"]), 1)[1:]
    with zipfile.ZipFile(io.BytesIO(one_sheet(gene=["=1+1", "-x", "Mcl1"]))) as archive:
        styles = ElementTree.fromstring(archive.read("xl/styles.xml")).find(f"{MAIN}cellXfs")
    quoted = [styles[int(cell.get("s", 0))].get("quotePrefix") == "1" for cell in cells]
    assert quoted == [True, True, False]


def test_numbers_are_numbers_and_missing_is_empty() -> None:
    """Of every kind that tables hold; what is infinite has no number in a spreadsheet."""
    columns = {
        "float": [1.5e-300, np.nan, -np.inf],
        "whole": pd.array([3, None, 5], dtype="Int64"),
        "text": pd.array(["a", None, ""], dtype="string"),
        "mixed": ["1", None, 2.0],
        "none": [None, None, None],
    }
    sheet = openpyxl.load_workbook(io.BytesIO(one_sheet(**columns)))["sheet"]
    rows = list(sheet.iter_rows(min_row=2, values_only=True))
    assert rows == [(1.5e-300, 3, "a", "1", None), (None,) * 5, ("-inf", 5, None, 2, None)]


def test_what_xml_cannot_carry_is_replaced() -> None:
    """A control character or half a letter leaves the file readable; a text longer than a cell ends in a mark."""
    values = ["a\x00b", "c\ud800d", "x" * (LONGEST_TEXT + 5)]
    sheet = openpyxl.load_workbook(io.BytesIO(one_sheet(text=values)))["sheet"]
    read = [row[0] for row in sheet.iter_rows(min_row=2, values_only=True)]
    assert read[:2] == ["a\N{REPLACEMENT CHARACTER}b", "c\N{REPLACEMENT CHARACTER}d"]
    assert len(read[2]) == LONGEST_TEXT
    assert read[2].endswith("x …")


def test_headers_stay_in_sight_and_filter(content: bytes) -> None:
    """Of every sheet; the filter spans the table and no column is wider than a hand."""
    for sheet in openpyxl.load_workbook(io.BytesIO(content)):
        assert sheet.freeze_panes == "A2"
        assert sheet.auto_filter.ref == sheet.dimensions
        assert {7 < dimension.width <= 61 for dimension in sheet.column_dimensions.values()} == {True}


def test_a_workbook_without_rows_is_sound() -> None:
    """A table without rows is its header."""
    sheet = openpyxl.load_workbook(io.BytesIO(workbook_bytes([Sheet("a", pd.DataFrame(columns=["x"]))], title="")))["a"]
    assert list(sheet.iter_rows(values_only=True)) == [("x",)]


def test_no_time_of_writing_is_in_the_file(content: bytes) -> None:
    """Entries have the first date of a ZIP file, and the properties none."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert re.search(rb"created|modified|20\d\d-\d\d", archive.read("docProps/core.xml")) is None


def test_two_processes_write_the_same_bytes(content: bytes) -> None:
    """Whatever the seed of their hashes."""
    code = (
        "import hashlib; from tests.unit.test_supplement import *; print(hashlib.sha256(make_workbook()).hexdigest())"
    )
    for seed in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": seed}
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == hashlib.sha256(content).hexdigest()


def test_the_first_sheet_explains_every_column_of_the_others(content: bytes) -> None:
    """Each sheet has its sentence, each column its meaning, each contrast its words."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    assert book.sheetnames == ["README", *SHEETS]
    rows = list(book["README"].iter_rows(min_row=2, values_only=True))
    explained = {(sheet, column): meaning for sheet, column, meaning in rows}
    for sheet in book.worksheets[1:]:
        assert explained[sheet.title, None] == SHEETS[sheet.title]
        for cell in next(sheet.iter_rows(max_row=1, values_only=True)):
            assert explained[sheet.title, cell.partition(" (")[0]]
    assert {column for sheet, column, _ in rows if sheet == "contrasts"} == {c.id for c in make_findings().contrasts}
    assert len(rows) == len(explained)


def test_simulated_data_are_named_so_first() -> None:
    """In the first row of the first sheet; real data are not."""
    facts = make_facts(simulation=SIMULATION, counts=None, samples=None)
    first = supplement_sheets(make_findings(facts), facts, settings=SETTINGS)[0].table
    assert "Simulated data" in first.loc[0, "meaning"]
    real = supplement_sheets(make_findings(), make_facts(), settings=SETTINGS)[0].table
    assert not real["meaning"].str.contains("imulated").any()


def test_every_gene_of_the_fit_has_one_row_with_all_contrasts() -> None:
    """Values are those of the contrasts' tables; genes that were set aside are not among them."""
    findings = make_findings()
    sheet = gene_sheet(findings.model, findings.genes).set_index("gene_id")
    assert len(findings.genes) == 3
    assert list(sheet.index) == [f"G{number:04d}" for number in range(78)]
    for name, table in findings.genes.items():
        for column in OF_CONTRAST:
            own = table.set_index("gene_id").loc[sheet.index, column]
            pd.testing.assert_series_equal(sheet[f"{column} ({name})"], own, check_names=False)


def test_without_a_contrast_there_are_no_genes() -> None:
    """The sheet is there, with a header."""
    sheet = gene_sheet(make_findings().model, {})
    assert list(sheet.columns) == ["gene_id", "symbol", "base_mean"]
    assert sheet.empty


def test_samples_have_their_arm_time_and_sizes() -> None:
    """As their names say, in the order of the arms, whatever the order of the fit."""
    findings = make_findings()
    sheet = sample_sheet(findings.model, findings.check)
    cells = sheet["sample"].str.extract(r"(?P<arm>\w+)@(?P<time>\d+)_\d")
    assert (sheet["arm"] == cells["arm"]).all()
    assert (sheet["time"] == cells["time"].astype(float)).all()
    assert list(dict.fromkeys(sheet["arm"])) == ["healthy", "ccl4", "msc"]
    sizes = findings.check["design"]["library_sizes"]
    assert sheet["library_size"].tolist() == [sizes[sample] for sample in sheet["sample"]]


def test_gene_sets_below_the_rate_are_listed() -> None:
    """All of them, from every collection and contrast, and no other."""
    enrichment = make_findings().enrichment
    expected = sum(
        float(padj) < 0.05
        for tables in enrichment.values()
        for table in tables.values()
        for padj in table["padj"]
        if padj == padj
    )
    sheet = enrichment_sheet(enrichment, fdr=0.05)
    assert len(sheet) == expected > 0
    assert (sheet["padj"] < 0.05).all()
    assert enrichment_sheet(enrichment, fdr=0.0).empty
