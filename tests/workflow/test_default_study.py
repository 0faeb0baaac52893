"""The default study recovers the truth that was planted in it."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from exoliver.contrasts import time_label
from exoliver.tables import (
    CONTRAST,
    EFFECTS,
    ENRICHMENT,
    GENE_SETS,
    RESCUE_PROGRAMMES,
    TRAJECTORIES,
    TRUTH_PROGRAMMES,
    read_table,
)
from tests.snakemake_run import snakemake

pytestmark = pytest.mark.workflow

MOVED = 0.4  # a planted mean shift (log2) that a test of the whole set has to find
TOLERANCE = 0.35  # of an estimated programme mean, log2: measured errors of simple means are up to .2


class Series(NamedTuple):
    """A simulated series: its id, its arms, and the unit of its times."""

    dataset: str
    healthy: str
    injured: str
    treated: str
    unit: str

    def contrast(self, effect: str, time: float) -> str:
        """Id of the injury or treatment effect at one time."""
        pair = f"{self.injured}_vs_{self.healthy}" if effect == "injury" else f"{self.treated}_vs_{self.injured}"
        return f"{pair}__{time_label(time, self.unit)}"


SERIES = [
    Series("demo_msc_mouse", "healthy", "ccl4", "bm_msc", "day"),
    Series("demo_ev_rat", "healthy", "ischaemia", "adipose_ev", "h"),
]


@pytest.fixture(scope="session")
def results(root: Path) -> Path:
    """Results of the default study."""
    run = snakemake(root, "--config", "study=config/config.yaml")
    assert run.status == 0, run.output[-8000:]
    return root / "results"


def planted_shifts(results: Path, series: Series) -> pd.DataFrame:
    """Planted log2 shift of every programme by `injury` and `treatment`, one row per programme and time."""
    path = results / "datasets" / series.dataset / "simulated/truth_programmes.tsv"
    shifts = read_table(path, TRUTH_PROGRAMMES).pivot(index=["programme", "time"], columns="arm", values="log2_shift")
    return pd.DataFrame(
        {"injury": shifts[series.injured], "treatment": shifts[series.treated] - shifts[series.injured]}
    )


def estimated_shifts(results: Path, series: Series) -> pd.DataFrame:
    """The same from the contrasts: mean log2 fold change of the tested members."""
    folder = results / "datasets" / series.dataset
    members = read_table(folder / "gene_sets/programmes.tsv", GENE_SETS).dropna(subset=["gene_id"])
    rows = {}
    for programme, time in planted_shifts(results, series).index:
        genes = members.loc[members["gene_set"] == programme, "gene_id"]
        for effect in ("injury", "treatment"):
            table = read_table(folder / "contrasts" / f"{series.contrast(effect, time)}.tsv", CONTRAST)
            mean = table.set_index("gene_id").loc[genes, "log2_fold_change"].mean()
            rows.setdefault((programme, time), {})[effect] = mean
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["programme", "time"])


@pytest.mark.parametrize("series", SERIES, ids=lambda series: series.dataset)
class TestPlantedTruth:
    """Programmes move as planted, at the times planted, and are restored by the share planted."""

    def test_programmes_move_by_what_was_planted(self, results: Path, series: Series) -> None:
        """Injury and treatment effects at each time are within tolerance of the truth."""
        errors = estimated_shifts(results, series) - planted_shifts(results, series)
        assert (errors.abs() < TOLERANCE).all(axis=None), errors

    def test_the_share_restored_is_the_share_planted(self, results: Path, series: Series) -> None:
        """Treatment effect over injury effect, where the injury is clear."""
        planted, estimated = planted_shifts(results, series), estimated_shifts(results, series)
        clear = planted["injury"].abs() >= 0.7
        assert clear.sum() >= 4
        shares = [-table.loc[clear, "treatment"] / table.loc[clear, "injury"] for table in (planted, estimated)]
        assert ((shares[0] - shares[1]).abs() < TOLERANCE).all(), shares

    def test_moved_programmes_are_enriched_on_the_right_side(self, results: Path, series: Series) -> None:
        """A set whose members move clearly has the sign of its shift, at padj < .05."""
        folder = results / "datasets" / series.dataset / "enrichment/programmes"
        moved = planted_shifts(results, series).stack()
        moved = moved[moved.abs() >= MOVED]
        assert len(moved) >= 6
        for (programme, time, effect), shift in moved.items():
            table = read_table(folder / f"{series.contrast(effect, time)}.tsv", ENRICHMENT).set_index("gene_set")
            assert np.sign(table.loc[programme, "nes"]) == np.sign(shift), (programme, time, effect)
            assert table.loc[programme, "padj"] < 0.05, (programme, time, effect)

    def test_effects_on_programmes_are_those_planted(self, results: Path, series: Series) -> None:
        """Within four standard errors and a little, at every time; those that move clearly have evidence."""
        effects = read_table(results / "datasets" / series.dataset / "programmes/effects.tsv", EFFECTS)
        rows = effects.set_index(["contrast", "programme"])
        planted = planted_shifts(results, series).stack()
        for (programme, time, effect), shift in planted.items():
            row = rows.loc[(series.contrast(effect, time), programme)]
            assert abs(row["estimate"] - shift) < 4 * row["se"] + 0.1, (programme, time, effect)
            if abs(shift) >= MOVED:
                assert row["padj"] < 0.05, (programme, time, effect)

    def test_fractions_restored_are_those_planted(self, results: Path, series: Series) -> None:
        """At every time with a clear injury the interval holds the truth, or nearly; no other has a value."""
        folder = results / "datasets" / series.dataset
        truth = read_table(folder / "simulated/truth_programmes.tsv", TRUTH_PROGRAMMES)
        truth = truth[truth["arm"] == series.treated].set_index(["programme", "time"])["fraction_restored"]
        rows = read_table(folder / "rescue/programmes.tsv", RESCUE_PROGRAMMES).dropna(subset=["time"])
        rows = rows.set_index(["programme", "time"])
        told = rows.loc[truth.index].dropna(subset=["fraction_restored"])
        assert len(told) >= 6
        for key, row in told.iterrows():
            assert row["ci_low"] - 0.1 < truth[key] < row["ci_high"] + 0.1, key
        clear = (rows["injury_effect"] / rows["injury_se"]).abs() >= 4
        assert (rows["fraction_restored"].notna() == clear.to_numpy()).all()

    def test_every_page_and_figure_says_simulated(self, results: Path, series: Series) -> None:
        """The band is on the page, and every figure says it in its title and its file name."""
        folder = results / "datasets" / series.dataset
        assert "simulated" in (folder / "report.html").read_text(encoding="utf-8").lower()
        figures = sorted((folder / "figures").glob("*.svg"))
        assert figures
        for figure in figures:
            assert "simulated" in figure.name
            assert "simulated" in figure.read_text(encoding="utf-8").lower()


def test_an_early_rise_of_survival_genes_is_named_as_one(results: Path) -> None:
    """Planted in MSC: the treated fall back to the injured, who do not recover as far."""
    path = results / "datasets/demo_msc_mouse/programmes/trajectories.tsv"
    rows = read_table(path, TRAJECTORIES).set_index(["contrast", "programme"])
    row = rows.loc[("bm_msc_vs_ccl4", "anti_apoptotic")]
    assert (row["class"], row["end_state"], row["onset"]) == ("early_transient", "treated_relapsed", 1)


def test_the_overview_says_simulated(results: Path) -> None:
    """The study's page too."""
    assert "simulated" in (results / "report.html").read_text(encoding="utf-8").lower()
