"""R's DESeq2 tables of ../shared, and the same data through our own fit, for the tests that compare the two."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from exoliver.differential import estimate_contrasts, fit_model
from exoliver.inference.filtering import filter_independently
from exoliver.inference.likelihood_ratio import likelihood_ratio_test
from exoliver.inference.wald import Fit
from exoliver.model import Model
from exoliver.study import GeneFilter
from tests.toy_model import make_arms, make_extra, make_genes, make_intake

LEVELS = (0.05, 0.10)
ALPHA = 0.1  # of R's filter unless a file name says otherwise
THREADS = 2


@dataclass(frozen=True)
class Source:
    """A matrix of ../shared and how its sample sheet is read; contrasts beyond those that follow from the roles."""

    folder: str
    arm: str
    roles: Mapping[str, str]
    time: str | None = None
    unit: str | None = None
    donor: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


SOURCES = {
    "airway": Source("airway_human_cells", "dex", {"control": "reference", "treated": "treated"}, donor="celltype"),
    "bv2EV": Source(
        "bv2_ev_mouse_cells",
        "treatment",
        {"control": "reference", "lps": "treated", "tgfb": "treated", "il10": "treated"},
    ),
    "c3h": Source("gse222550_mouse_liver", "photoperiod", {"ll": "reference", "sl": "treated"}, time="zt", unit="h"),
    "dlpc": Source(
        "dlpc_mouse_liver", "group", {"healthy": "healthy", "injured": "injured", "treated": "treated"}
    ),
    "fission": Source(
        "fission_yeast",
        "strain",
        {"wt": "reference", "mut": "treated"},
        time="minute",
        unit="min",
        extra={"wt_15min_vs_0min": {"of": {"arm": "wt", "time": 15}, "against": {"arm": "wt", "time": 0}}},
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Fitted:
    """Counts (samples x genes), the model, and the table of each contrast by gene."""

    counts: pd.DataFrame
    model: Model
    tables: Mapping[str, pd.DataFrame]


@functools.cache
def read_r(shared: Path, name: str) -> pd.DataFrame:
    """One of R's tables, by gene or sample."""
    [path] = (shared / "reference/R_DESeq2_1.38.3").glob(f"{name}.tsv*")
    return pd.read_csv(path, sep="\t", index_col=0, dtype={"sample": str})


@functools.cache
def read_data(shared: Path, key: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Counts (samples x genes) and the table of samples, under the names that R knows them by."""
    source = SOURCES[key]
    counts, sheet = (
        pd.read_csv(shared / "data" / source.folder / name, sep="\t", index_col=0)
        for name in ("counts.tsv.gz", "samples.tsv")
    )
    sheet = sheet.rename(index=name_in_r)
    samples = pd.DataFrame({"arm": sheet[source.arm].str.lower(), "time": np.nan})
    if source.time:
        samples["time"] = sheet[source.time].astype(float)
    if source.donor:
        samples["donor"] = sheet[source.donor]
    counts = counts.rename(columns=name_in_r).T
    return counts, samples.loc[counts.index]


def name_in_r(sample: str) -> str:
    """A sample's name in R's tables: without the first letter of GSE222550, BV2 as in the columns of its counts."""
    return sample.removeprefix("m").replace("_Evs_Tx_", " Evs Tx_").replace("IL10", "IL-10")


def analyse(
    counts: pd.DataFrame, samples: pd.DataFrame, *, source: Source, fdr: float = ALPHA, threshold: float = 0.0
) -> Fitted:
    """The fit of all genes and every contrast."""
    model = fit_model(
        counts,
        samples,
        intake=make_intake(list(source.roles), donor=source.donor),
        gene_filter=GeneFilter(min_count=0, min_samples=0),
        threads=THREADS,
    )
    _, tables = estimate_contrasts(
        model,
        counts,
        genes=make_genes(list(model.genes)),
        arms=make_arms(source.roles),
        unit=source.unit,
        extra=make_extra(source.extra),
        fdr=fdr,
        threshold=threshold,
        threads=THREADS,
    )
    return Fitted(counts, model, {name: table.set_index("gene_id") for name, (table, _) in tables.items()})


@functools.cache
def fitted(shared: Path, key: str) -> Fitted:
    """One of the five datasets."""
    counts, samples = read_data(shared, key)
    return analyse(counts, samples, source=SOURCES[key])


def likelihood_ratios(model: Model, counts: pd.DataFrame, *, rows: np.ndarray) -> pd.DataFrame:
    """Likelihood-ratio test of any rows on a fit, adjusted as `estimate_contrasts` does."""
    tested = ~np.isnan(model.dispersions)
    fit = Fit(model.coefficients[tested], model.dispersions[tested], model.design, model.size_factors)
    used = model.with_replaced(counts.to_numpy())[:, tested]
    stat, pvalue = likelihood_ratio_test(fit, used, rows=rows, threads=THREADS)
    pvalue[model.is_count_outlier[tested]] = np.nan
    pvalues = model.spread(pvalue, tested)
    adjusted = filter_independently(pvalues, model.base_mean, alpha=ALPHA)
    return pd.DataFrame({"stat": model.spread(stat, tested), "pvalue": pvalues, "padj": adjusted}, index=model.genes)


def significant(table: pd.DataFrame, level: float) -> set[str]:
    """Genes below a level."""
    return set(table.index[table["padj"] < level])


def jaccard(ours: pd.DataFrame, theirs: pd.DataFrame, level: float) -> float:
    """Share of the genes found by one that both find."""
    one, two = significant(ours, level), significant(theirs, level)
    return len(one & two) / len(one | two)


def trend_of_r(table: pd.DataFrame) -> np.ndarray:
    """a0 and a1 of R's trend, from its values at the mean counts by relative least squares."""
    known = table[(table["baseMean"] > 0) & np.isfinite(table["dispFit"])]
    design = np.column_stack([np.ones(len(known)), 1 / known["baseMean"]]) / known[["dispFit"]].to_numpy()
    found, *_ = np.linalg.lstsq(design, np.ones(len(known)), rcond=None)
    np.testing.assert_allclose(design @ found, 1.0, rtol=1e-12)
    return np.asarray(found)


def apart(ours: Any, theirs: pd.Series) -> np.ndarray:
    """Relative differences of positive numbers; missing in the same places."""
    np.testing.assert_array_equal(np.isnan(np.asarray(ours)), theirs.isna())
    return np.abs(np.asarray(ours) / theirs.to_numpy() - 1)
