"""CAMERA with estimated correlation, against limma's tables on DLPC."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exoliver.camera import camera_pvalues, prepare_camera
from exoliver.genesets import read_gene_sets

CONTRASTS = {"treated_vs_injured": ("treated", "injured"), "healthy_vs_injured": ("healthy", "injured")}


@pytest.fixture(scope="module")
def expression(shared: Path) -> pd.DataFrame:
    """Genes x samples, as limma was given them."""
    return pd.read_csv(shared / "reference/limma/dlpc_vst_blind_ge10in6.tsv.gz", sep="\t", index_col=0)


@pytest.mark.parametrize("name", CONTRASTS)
def test_pvalues_and_correlations_are_those_of_limma(name: str, expression: pd.DataFrame, shared: Path) -> None:
    """Every Hallmark set within 1e-6."""
    expected = pd.read_csv(
        shared / f"reference/limma/camera_dlpc_{name}_intercor_estimated.tsv.gz", sep="\t", index_col="set"
    )
    sheet = pd.read_csv(shared / "data/dlpc_mouse_liver/samples.tsv", sep="\t", index_col=0)
    groups = sheet.loc[expression.columns, "group"]
    design = np.column_stack([groups == level for level in ("healthy", "injured", "treated")]).astype(float)
    sets = read_gene_sets(shared / "genesets/mh.all.v2023.1.Mm.symbols.gmt")
    inside = pd.crosstab(sets["gene"], sets["gene_set"]).reindex(expression.index, fill_value=0)[expected.index]
    assert (inside.sum() == expected["NGenes"]).all()
    prepared = prepare_camera(expression.T.to_numpy(), design, signs=inside.to_numpy(dtype=float))
    of, against = CONTRASTS[name]
    row = np.array([{of: 1.0, against: -1.0}.get(level, 0.0) for level in ("healthy", "injured", "treated")])
    np.testing.assert_allclose(prepared.correlation, expected["Correlation"], atol=1e-6)
    np.testing.assert_allclose(camera_pvalues(prepared, row), expected["PValue"], atol=1e-6)
