"""The counts that are measured: two real datasets beside the clone, and negative binomial draws of any size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.rows import REAL, SHARED
from exoliver.contrasts import Cell
from exoliver.study import Arm, Intake, each_from_plain, from_plain

ROLES = {"healthy": "healthy", "injured": "injured"}

# A liver library: log means of the genes, and the trend .05 + 4/mean with its scatter (see exoliver/simulation.py).
LOG_MEAN, LOG_MEAN_SD = 4.0, 2.0
TREND_FLOOR, TREND_SLOPE, TREND_LOG_SD = 0.05, 4.0, 0.7
DEPTH_LOG_SD = 0.25
MOVED_SHARE, MOVED_BY = 0.1, 1.0  # share of genes, and log2 shift


@dataclass(frozen=True)
class Measured:
    """Counts (n, g) with a sample table of arm, time and perhaps donor; roles of the arms, unit of the times."""

    counts: pd.DataFrame
    samples: pd.DataFrame
    roles: Mapping[str, str]
    unit: str | None

    @property
    def cells(self) -> list[Cell]:
        """The cell of each sample."""
        times = [None if np.isnan(time) else float(time) for time in self.samples["time"]]
        return [Cell(arm, time) for arm, time in zip(self.samples["arm"], times, strict=True)]

    @property
    def arms(self) -> dict[str, Arm]:
        """The arms by name."""
        return each_from_plain(Arm, {name: {"role": role, "value": name} for name, role in self.roles.items()})

    @property
    def intake(self) -> Intake:
        """What the fit reads of a dataset."""
        content: dict[str, Any] = {"id": "bench", "organism": "mouse", "column": "arm", "time": None, "series": None}
        content |= {"counts": {"file": "counts.tsv", "identifiers": "other"}, "samples": {"file": "samples.tsv"}}
        content |= {"levels": {arm: {} for arm in self.roles}, "covariates": [], "numeric_covariates": []}
        return from_plain(Intake, content | {"donor": "donor" if "donor" in self.samples else None})

    @property
    def genes(self) -> pd.DataFrame:
        """Gene table of the contrasts' tables."""
        return pd.DataFrame({"symbol": self.counts.columns, "human_symbol": ""}, index=self.counts.columns)


def read_real(name: str) -> Measured:
    """A real dataset: `dlpc`, three arms of liver, or `gse222550`, two photoperiods at four times."""
    counts, sheet = _read(SHARED / REAL[name])
    if name == "dlpc":
        samples = pd.DataFrame({"arm": sheet["group"], "time": np.nan})
        return Measured(counts, samples, ROLES | {"treated": "treated"}, None)
    samples = pd.DataFrame({"arm": sheet["photoperiod"].str.lower(), "time": sheet["zt"].astype(float)})
    return Measured(counts, samples, {"ll": "reference", "sl": "treated"}, "h")


def _read(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Counts, samples x genes, and the sample sheet in the same order."""
    counts = pd.read_csv(folder / "counts.tsv.gz", sep="\t", index_col=0).sort_index(axis=0).sort_index(axis=1)
    sheet = pd.read_csv(folder / "samples.tsv", sep="\t", index_col=0)
    return counts.T, sheet.loc[counts.columns]


def simulate(genes: int, samples: int, *, times: int = 1, paired: bool = False, seed: int = 1) -> Measured:
    """Negative binomial counts of two arms of equal size; a tenth of the genes are moved.

    Parameters
    ----------
    genes, samples
        Size of the matrix.
    times
        Number of times at which both arms have samples; 1 for none.
    paired
        Every donor gives one sample to each arm, and its genes differ from those of others.
    seed
        Of the draws.
    """
    rng = np.random.default_rng(seed)
    arm, pair = np.arange(samples) % 2, np.arange(samples) // 2
    table = pd.DataFrame({"arm": np.array(list(ROLES))[arm]}, index=[f"s{number:03d}" for number in range(samples)])
    table["time"] = 1.0 + pair % times if times > 1 else np.nan
    means = rng.lognormal(LOG_MEAN, LOG_MEAN_SD, genes)
    size = 1 / ((TREND_FLOOR + TREND_SLOPE / means) * rng.lognormal(0, TREND_LOG_SD, genes))
    shift = np.where(rng.random(genes) < MOVED_SHARE, 2**MOVED_BY, 1.0)
    of_donor = np.ones(genes)
    counts = np.empty((samples, genes), dtype=np.int64)
    for number in range(samples):
        if paired and arm[number] == 0:
            of_donor = rng.lognormal(0, DEPTH_LOG_SD, genes)
        expected = means * of_donor * shift ** arm[number] * rng.lognormal(0, DEPTH_LOG_SD)
        counts[number] = rng.negative_binomial(size, size / (size + expected))
    if paired:
        table["donor"] = [f"d{number:02d}" for number in pair]
    names = [f"g{gene:05d}" for gene in range(genes)]
    return Measured(pd.DataFrame(counts, index=table.index, columns=names), table, ROLES, "day" if times > 1 else None)
