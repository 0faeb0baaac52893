"""Stored counts, expression and models: read back as they were, the same bytes every time, whole or not at all."""

from __future__ import annotations

import time
import zipfile
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest

from exoliver.contrasts import Cell
from exoliver.design import build_design
from exoliver.model import ARRAYS
from exoliver.normalise import normalise_counts
from exoliver.store import (
    read_arrays,
    read_counts,
    read_expression,
    read_model,
    write_arrays,
    write_counts,
    write_data,
    write_model,
)
from tests.toy_model import make_counts, make_genes, make_model, make_samples

CELLS = {Cell("chow", None): 3, Cell("pnac", 1.0): 3}


def make() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Counts, samples and genes with missing texts and times."""
    samples = make_samples(CELLS).assign(donor=["a", None, "b", "NA", "é", "d"], rin=[8.5, np.nan, 7, 8, 9, 6])
    counts = make_counts(samples, genes=30, seed=2)
    genes = make_genes(list(counts.columns))
    genes.loc["g0003", "human_symbol"] = None
    return counts, samples, genes


def test_counts_are_read_back_as_they_were(tmp_path: Path) -> None:
    """Whole numbers stay whole, missing texts missing, and the text `NA` a text; numbers keep their NaN."""
    counts, samples, genes = make()
    write_counts(tmp_path / "counts.h5ad", counts, samples=samples, genes=genes)
    again, samples_again, genes_again = read_counts(tmp_path / "counts.h5ad")
    pd.testing.assert_frame_equal(again, counts, check_names=False)
    assert again.dtypes.eq(counts.dtypes).all()
    pd.testing.assert_frame_equal(samples_again, samples, check_names=False)
    pd.testing.assert_frame_equal(genes_again, genes, check_names=False)


def test_no_column_becomes_a_category(tmp_path: Path) -> None:
    """Whoever reads the file with anndata meets plain texts."""
    counts, samples, genes = make()
    samples = samples.assign(arm=pd.Categorical(samples["arm"]), kind=pd.array(["x"] * 6, dtype="string"))
    write_counts(tmp_path / "counts.h5ad", counts, samples=samples, genes=genes)
    data = anndata.read_h5ad(tmp_path / "counts.h5ad")
    for table in (data.obs, data.var):
        assert not any(isinstance(dtype, pd.CategoricalDtype) for dtype in table.dtypes)


def test_what_is_written_is_not_changed(tmp_path: Path) -> None:
    """The data in hand keep their own tables."""
    counts, samples, genes = make()
    data = anndata.AnnData(X=counts.to_numpy(), obs=samples, var=genes)
    before = data.obs.copy()
    write_data(tmp_path / "data.h5ad", data)
    pd.testing.assert_frame_equal(data.obs, before)


def test_a_second_writing_gives_the_same_bytes(tmp_path: Path) -> None:
    """No clock and no hash reaches the files."""
    counts, samples, genes = make()
    model = make_fit(samples)
    for folder in ("one", "two"):
        time.sleep(1.1 if folder == "two" else 0)  # a clock would show seconds
        write_counts(tmp_path / folder / "counts.h5ad", counts, samples=samples, genes=genes)
        write_model(model, tmp_path / folder / "arrays.npz", design=tmp_path / folder / "design.json")
        data = normalise_counts(counts, model, samples=samples, genes=genes)
        write_data(tmp_path / folder / "normalised.h5ad", data)
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert names == ["arrays.npz", "counts.h5ad", "design.json", "normalised.h5ad"]
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name


def test_the_archive_carries_no_time(tmp_path: Path) -> None:
    """Every member has the zip format's first day."""
    write_arrays(tmp_path / "a.npz", {"x": np.arange(3)})
    with zipfile.ZipFile(tmp_path / "a.npz") as archive:
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def make_fit(samples: pd.DataFrame) -> object:
    """A made-up fit of the samples."""
    design = build_design(samples, ("chow", "pnac"), donor=False, covariates=(), numeric=())
    return make_model(samples, design.matrix, design.cells, genes=30)


def test_a_model_is_read_back_from_its_files(tmp_path: Path) -> None:
    """Every array, and the facts of the design."""
    model = make_fit(make()[1])
    write_model(model, tmp_path / "arrays.npz", design=tmp_path / "design.json")
    again = read_model(tmp_path / "arrays.npz", tmp_path / "design.json")
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(again, name), getattr(model, name))
    assert again.description() == model.description()


def test_expression_is_read_back_with_its_layers(tmp_path: Path) -> None:
    """Samples and genes label the layers; components come with their share of variance."""
    counts, samples, genes = make()
    data = normalise_counts(counts, make_fit(samples), samples=samples, genes=genes)
    write_data(tmp_path / "normalised.h5ad", data)
    found = read_expression(tmp_path / "normalised.h5ad")
    np.testing.assert_array_equal(found.vst, data.layers["vst"])
    np.testing.assert_array_equal(found.normalised, data.layers["normalised"])
    assert list(found.vst.index) == list(samples.index)
    assert list(found.vst.columns) == list(genes.index)
    assert found.components.shape == (6, len(found.variance_ratio))
    assert found.samples["donor"].isna().sum() == 1


def test_pickled_arrays_are_refused(tmp_path: Path) -> None:
    """A file with objects in it is not read."""
    np.savez(tmp_path / "bad.npz", x=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ValueError, match="pickle"):
        read_arrays(tmp_path / "bad.npz")


def test_a_failed_writing_leaves_no_file(tmp_path: Path) -> None:
    """Neither the target nor an older one is touched by what fails half-way."""

    class Broken:
        def __array__(self, *_: object, **__: object) -> np.ndarray:
            raise OSError("the disk is full")

    target = tmp_path / "a.npz"
    with pytest.raises(OSError, match="disk"):
        write_arrays(target, {"x": np.arange(3), "y": Broken()})
    assert not target.exists()
    write_arrays(target, {"x": np.arange(3)})
    before = target.read_bytes()
    with pytest.raises(OSError, match="disk"):
        write_arrays(target, {"x": np.arange(4), "y": Broken()})
    assert target.read_bytes() == before
