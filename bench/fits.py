"""One whole analysis of a dataset by exoliver, by stock PyDESeq2 and by DESeq2 in R, timed in this process."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from bench.data import Measured
from exoliver.contrasts import Cell, Contrast, derive_contrasts
from exoliver.differential import estimate_contrasts, fit_model
from exoliver.study import GeneFilter

ALPHA, SIGNIFICANT = 0.1, 0.05
ALL_GENES = GeneFilter(min_count=0, min_samples=0)
R_SCRIPT = Path(__file__).with_name("deseq2.R")


def run_ours(data: Measured, *, threads: int) -> dict[str, Any]:
    """Seconds of the fit and with all derived contrasts, and the significant genes of each in the order of `Asked`."""
    start = time.perf_counter()
    model = fit_model(data.counts, data.samples, intake=data.intake, gene_filter=ALL_GENES, threads=threads)
    fitted = time.perf_counter()
    contrasts, tables = estimate_contrasts(
        model, data.counts, genes=data.genes, arms=data.arms, unit=data.unit, extra={}, fdr=ALPHA, threshold=0.0,
        threads=threads,
    )  # fmt: skip
    ended = time.perf_counter()
    asked = ask(data)
    significant = [int((tables[name][0]["padj"] < SIGNIFICANT).sum()) for name in asked.names]
    sizes = {"genes": data.counts.shape[1], "samples": len(data.counts)}
    sizes |= {"contrasts": len(contrasts), "simple": len(asked.simple)}
    return {"fit": fitted - start, "all": ended - start, "significant": significant, **sizes}


@dataclass(frozen=True)
class Asked:
    """The contrasts of a dataset by how much they ask of a program: two cells, more cells, several rows at once."""

    simple: list[Contrast]
    averaged: list[Contrast]
    omnibus: list[Contrast]

    @property
    def names(self) -> list[str]:
        """All ids."""
        return [contrast.id for contrast in [*self.simple, *self.averaged, *self.omnibus]]

    def weights(self) -> pd.DataFrame:
        """Those of one row, as weights of the cells."""
        rows = {contrast.id: contrast.rows[0] for contrast in [*self.simple, *self.averaged]}
        named = {name: {named_cell(cell): weight for cell, weight in row.items()} for name, row in rows.items()}
        return pd.DataFrame(named).T.reindex(list(rows)).fillna(0.0)


def ask(data: Measured) -> Asked:
    """The contrasts that exoliver derives."""
    contrasts = derive_contrasts(data.arms, cells=sorted(set(data.cells)), unit=data.unit, extra={})
    single = [contrast for contrast in contrasts if not contrast.is_omnibus]
    simple = [contrast for contrast in single if len(contrast.rows[0]) == 2]
    averaged = [contrast for contrast in single if contrast not in simple]
    return Asked(simple, averaged, [contrast for contrast in contrasts if contrast.is_omnibus])


def named_cell(cell: Cell) -> str:
    """Name of a cell for a library that reads formulas."""
    return cell.arm if cell.time is None else f"{cell.arm}{cell.time:g}"


def run_stock(data: Measured, *, threads: int) -> dict[str, Any]:
    """Seconds of PyDESeq2's own fit, with its Wald tests of simple contrasts, and with those of one row at all."""
    from pydeseq2.dds import DeseqDataSet
    from pydeseq2.default_inference import DefaultInference
    from pydeseq2.ds import DeseqStats

    metadata = pd.DataFrame({"cell": [named_cell(cell) for cell in data.cells]}, index=data.counts.index)
    inference, asked = DefaultInference(n_cpus=threads), ask(data)
    weights = asked.weights()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        start = time.perf_counter()
        fitted = DeseqDataSet(counts=data.counts, metadata=metadata, design="~cell", inference=inference, quiet=True)
        fitted.deseq2()
        ends, significant = [time.perf_counter() - start], []
        columns = [column.removeprefix("cell[T.").removesuffix("]") for column in fitted.obsm["design_matrix"]]
        for vector in weights.reindex(columns=columns, fill_value=0.0).to_numpy():
            tested = DeseqStats(fitted, contrast=vector, alpha=ALPHA, inference=inference, quiet=True)
            tested.summary()
            significant.append(int((tested.results_df["padj"] < SIGNIFICANT).sum()))
            ends.append(time.perf_counter() - start)
    return {"fit": ends[0], "simple": ends[len(asked.simple)], "all": ends[-1], "significant": significant}


def run_r(data: Measured) -> dict[str, Any] | None:
    """The same by DESeq2 in R, on one core as it comes, with likelihood ratios; None where it is not installed."""
    try:
        asked = subprocess.run(["Rscript", "-e", 'packageVersion("DESeq2")'], capture_output=True, check=False)
    except FileNotFoundError:
        return None
    if asked.returncode:
        return None
    with tempfile.TemporaryDirectory() as folder:
        _write_for_r(data, Path(folder))
        done = subprocess.run(["Rscript", str(R_SCRIPT), folder], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"deseq2.R failed:\n{done.stderr[-2000:]}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _write_for_r(data: Measured, folder: Path) -> None:
    """Counts, samples and contrasts, as deseq2.R reads them."""
    asked = ask(data)
    data.counts.T.to_csv(folder / "counts.tsv", sep="\t")
    samples = data.samples[["arm", "time"]].assign(cell=[named_cell(cell) for cell in data.cells])
    samples.to_csv(folder / "samples.tsv", sep="\t", na_rep="NA")
    weights = asked.weights()
    weights.insert(0, "is_simple", [name in {contrast.id for contrast in asked.simple} for name in weights.index])
    weights.to_csv(folder / "contrasts.tsv", sep="\t")
