"""The import: genes identified, set aside or kept; the same bytes of meaning whatever the order of the files."""

from pathlib import Path

import pandas as pd
import pytest

from exoliver import importing
from exoliver.counts import Material
from exoliver.identifiers import NO_SYNONYMS, read_annotation
from exoliver.importing import Imported, import_counts, read_intake
from exoliver.problems import StudyError
from exoliver.study import CountsFile, Dataset, SampleSheet, from_plain, plain
from tests.toy import Toy, gene_ids, make_toy, write_toy


@pytest.fixture(scope="module")
def mouse() -> pd.DataFrame:
    """Shipped annotation of the mouse."""
    return read_annotation("mouse")


def material(counts: dict[str, list[int]], genes: list[str]) -> Material:
    """Counts by sample, of some genes."""
    table = pd.DataFrame(counts, index=genes)
    return Material(table, pd.DataFrame({"arm": "a", "time": float("nan")}, index=list(counts)))


def imported(toy: Toy, folder: Path, annotation: pd.DataFrame) -> Imported:
    """A toy dataset from its files to its matrix."""
    write_toy(toy, folder)
    said = from_plain(Dataset, toy.yaml)
    assert isinstance(said.counts, CountsFile)
    assert isinstance(said.samples, SampleSheet)
    files = {"counts": str(folder / "toy/counts.tsv"), "samples": str(folder / "toy/samples.tsv")}
    intake, read = read_intake(plain(said.intake(said.counts, said.samples)), **files)
    return taken_in(read, annotation, identifiers=intake.counts.identifiers)


def taken_in(material: Material, annotation: pd.DataFrame, identifiers: str = "ensembl") -> Imported:
    """The material imported, without synonyms."""
    return import_counts(
        material, identifiers=identifiers, annotation=annotation, synonyms=NO_SYNONYMS, excel_dates=None
    )


def test_genes_and_samples_are_sorted(tmp_path: Path, mouse: pd.DataFrame) -> None:
    """Samples in rows, genes in columns, and the tables beside them in the same order."""
    result = imported(make_toy(), tmp_path, mouse)
    assert result.counts.shape == (18, 300)
    assert result.counts.index.tolist() == sorted(result.counts.index) == result.samples.index.tolist()
    assert result.counts.columns.tolist() == sorted(result.counts.columns) == result.genes.index.tolist()
    assert result.identifiers["input_id"].tolist() == sorted(result.identifiers["input_id"])
    assert result.genes.columns.tolist() == ["symbol", "entrez", "human_symbol"]


def test_no_count_moves(tmp_path: Path, mouse: pd.DataFrame) -> None:
    """Each sample and gene has the number of the file."""
    toy = make_toy()
    result = imported(toy, tmp_path, mouse)
    pd.testing.assert_frame_equal(
        result.counts.T, toy.counts.sort_index().sort_index(axis=1), check_names=False, check_dtype=False
    )


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_the_files_does_not_matter(seed: int, tmp_path: Path, mouse: pd.DataFrame) -> None:
    """Rows and columns of both files shuffled: the same dataset."""
    toy, shuffled = make_toy(), make_toy()
    shuffled.counts = shuffled.counts.sample(frac=1, random_state=seed).sample(frac=1, axis=1, random_state=seed)
    shuffled.sheet = shuffled.sheet.sample(frac=1, random_state=seed).sample(frac=1, axis=1, random_state=seed)
    for each in (toy, shuffled):
        each.yaml |= {"donor": "donor", "covariates": ["batch"], "numeric_covariates": ["rin"]}
    first = imported(toy, tmp_path, mouse)
    second = imported(shuffled, tmp_path, mouse)
    for name in ("counts", "samples", "genes"):
        pd.testing.assert_frame_equal(getattr(first, name), getattr(second, name))
    pd.testing.assert_frame_equal(first.identifiers.reset_index(drop=True), second.identifiers.reset_index(drop=True))


def test_versions_go_and_are_recorded(mouse: pd.DataFrame) -> None:
    """The id without its version is the key; the ledger has what was given."""
    gene = gene_ids()[0]
    result = taken_in(material({"s": [5]}, [f"{gene}.12"]), mouse)
    assert result.counts.loc["s", gene] == 5
    assert result.identifiers.iloc[0][["input_id", "gene_id"]].tolist() == [f"{gene}.12", gene]
    assert "version_stripped" in result.identifiers.iloc[0]["note"]


def test_what_is_no_gene_is_set_aside_with_a_row(mouse: pd.DataFrame) -> None:
    """Summary rows and spike-ins are not counted as genes, and are not lost from the ledger."""
    ids = [gene_ids()[0], "__no_feature", "ERCC-00002", "unknown"]
    result = taken_in(material({"s": [1, 2, 3, 4]}, ids), mouse)
    assert result.counts.columns.tolist() == sorted([gene_ids()[0], "unknown"])
    assert sorted(result.identifiers["input_id"]) == sorted(ids)


def test_two_versions_of_a_gene_are_summed(mouse: pd.DataFrame) -> None:
    """One row of counts, both rows in the ledger, and nothing lost or doubled."""
    gene, other = gene_ids()[:2]
    result = taken_in(material({"s": [1, 2, 5], "t": [0, 2, 7]}, [gene, f"{gene}.1", other]), mouse)
    assert result.counts.T.to_dict("index") == {gene: {"s": 3, "t": 2}, other: {"s": 5, "t": 7}}
    assert result.genes.index.tolist() == result.counts.columns.tolist()
    assert result.identifiers["note"].tolist() == ["summed", "version_stripped;summed", ""]
    assert result.ledger.set_index("what")["rows"].to_dict() == {"kept_with_human_symbol": 2, "summed_into_another": 1}


def test_repeated_rows_are_an_error(mouse: pd.DataFrame) -> None:
    """The preflight refuses them before: an id twice, or one gene twice with the same counts."""
    gene = gene_ids()[0]
    with pytest.raises(ValueError, match="input ids are repeated"):
        taken_in(material({"s": [1, 2]}, [gene, gene]), mouse)
    with pytest.raises(ValueError, match="rows of one gene have the same counts"):
        taken_in(material({"s": [12, 12]}, [gene, f"{gene}.1"]), mouse)


@pytest.mark.parametrize("change", ["row", "count", "reason"])
def test_what_does_not_add_up_is_an_internal_error(
    change: str, mouse: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lost row, a lost count and a row that the sum leaves out do not pass."""
    whole = {name: getattr(importing, name) for name in ("identify_genes", "sum_genes", "summarise_ledger")}
    spoilt = {
        "row": ("identify_genes", lambda ids, **more: whole["identify_genes"](ids[1:], **more)),
        "count": ("sum_genes", lambda *both: whole["sum_genes"](*both) - 1),
        "reason": ("summarise_ledger", lambda table: whole["summarise_ledger"](table).iloc[1:]),
    }
    monkeypatch.setattr(importing, *spoilt[change])
    with pytest.raises(RuntimeError, match="internal error"):
        taken_in(material({"s": [1, 2, 3]}, [*gene_ids()[:2], "ERCC-00002"]), mouse)


def test_files_that_changed_after_the_preflight_are_told(tmp_path: Path, mouse: pd.DataFrame) -> None:
    """As problems, not as a traceback."""
    toy = make_toy()
    toy.counts.iat[0, 0] = -1
    with pytest.raises(StudyError, match="is negative"):
        imported(toy, tmp_path, mouse)
