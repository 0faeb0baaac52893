"""The default study recovers the truth that was planted in it."""

import contextlib
import html
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

from exoliver.contrasts import time_label
from exoliver.figures.style import time_words
from exoliver.loading import load_study
from exoliver.report.answer import answer_section
from exoliver.report.elements import Prose
from exoliver.report.evidence import asides, within
from exoliver.report.material import Material, read_material
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
from exoliver.wiring import Wiring
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


@cache
def material_of(results: Path, dataset: str) -> Material:
    """Everything that a page of the default study is made of, from its results."""
    folder = results / "datasets" / dataset
    with contextlib.chdir(results.parent):
        wire = Wiring(load_study("config/config.yaml"))
        asked = SimpleNamespace(dataset=dataset)
        collections = list(wire.collections)
        files = {
            "check": "check.json", "identifiers": "identifiers.tsv", "ledger": "ledger.tsv", "contrasts": "contrasts",
            "normalised": "normalised.h5ad", "arrays": "model/arrays.npz", "design": "model/design.json",
            "index": "contrasts.json", "effects": "programmes/effects.tsv", "changes": "programmes/changes.tsv",
            "beside": "programmes/beside.tsv", "equivalence": "programmes/equivalence.tsv",
            "trajectories": "programmes/trajectories.tsv", "timepoint_genes": "timepoints/genes.tsv",
            "rescue": "rescue/programmes.tsv", "comparisons": "rescue/comparisons.tsv",
            "rescue_genes": "rescue/genes.tsv", "slopes": "rescue/summary.tsv", "panel": "panel.tsv", "genes": "genes",
        }  # fmt: skip
        paths: dict[str, Any] = {name: folder / file for name, file in files.items()}
        paths |= {
            "gene_sets": [folder / f"gene_sets/{name}.tsv" for name in collections],
            "entries": [folder / f"gene_sets/{name}.json" for name in collections],
            "enrichment": [folder / f"enrichment/{name}" for name in collections],
            "overrepresentation": [folder / f"overrepresentation/{name}" for name in collections],
            "beside_entry": [folder / f"gene_sets/{name}.json" for name in wire.markers],
        }
        settings = wire.page_settings()
        return read_material(SimpleNamespace(**paths), wire.facts(asked), settings=settings, collections=collections)


def answer_words(material: Material) -> dict[str, str]:
    """Sentences of the answer by what they speak of; those of one heading together, and the finding."""
    section = answer_section(material)
    words = {"finding": section.finding}
    for block in section.parts:
        if isinstance(block, Prose):
            words[block.lead] = " ".join([words.get(block.lead, ""), *block.paragraphs]).strip()
    return words


def titles_of(material: Material) -> dict[str, str]:
    """Programme by its title as it stands within a sentence."""
    facts = material.collections[0].entry["gene_sets"]
    return {within(fact["title"]): fact["gene_set"] for fact in facts}


def planted_shares(results: Path, series: Series) -> pd.Series:
    """Share of the injury effect that was planted as restored, over all times, of programmes with a planted injury."""
    means = planted_shifts(results, series).groupby("programme").mean()
    return -means["treatment"] / means["injury"]


TRIPLE = r"(\u2212?[\d.]+) \((\u2212?[\d.]+) to (\u2212?[\d.]+)\)"


def numbers_in(texts: Sequence[str]) -> list[float]:
    """Numbers as they are read."""
    return [float(text.replace("\u2212", "-")) for text in texts]


@pytest.mark.parametrize("series", SERIES, ids=lambda series: series.dataset)
class TestAnswer:
    """The sentences of the answer tell what was planted, with numbers that stand in tables."""

    def test_the_injury_is_told_as_planted(self, results: Path, series: Series) -> None:
        """Programmes that are named and were planted have the planted sign; their interval is near the truth."""
        material = material_of(results, series.dataset)
        means = planted_shifts(results, series).groupby("programme")["injury"].mean()
        words, titles = answer_words(material)["What the injury does"], titles_of(material)
        named = {titles[title]: numbers for title, numbers in named_triples(words, titles)}
        assert len(set(named) & set(means.index)) >= 2
        for programme in set(named) & set(means.index):
            _, low, high = named[programme]
            assert low - 0.1 < means[programme] < high + 0.1, programme

    def test_what_is_restored_is_told_as_planted(self, results: Path, series: Series) -> None:
        """Every planted programme is back, amplified, or neither, as it was planted; shares are near the truth."""
        material = material_of(results, series.dataset)
        titles = {programme: title for title, programme in titles_of(material).items()}
        words = answer_words(material)["What the treatment does"]
        back, _, rest = words.partition("; it amplifies")
        shares = planted_shares(results, series)
        assert len(shares) == 4
        named = {titles_of(material)[title]: numbers for title, numbers in named_triples(words, titles_of(material))}
        for programme, share in shares.items():
            assert (titles[programme] in back) == (share > 0.3), programme
            assert (titles[programme] in rest) == (share < -0.2), programme
            if programme in named:
                _, low, high = named[programme]
                assert low - 0.1 < share < high + 0.1, programme

    def test_times_are_told_as_planted(self, results: Path, series: Series) -> None:
        """The share of inflammation that is restored at each time, in the order of times."""
        material = material_of(results, series.dataset)
        words = answer_words(material)["When"]
        told = words.partition("Share of NF-kB/TNF inflammation restored")[2]
        truth = planted_shifts(results, series).loc["nfkb_tnf_inflammation"]
        planted = -truth["treatment"] / truth["injury"]
        found = [numbers_in(numbers) for numbers in re.findall(TRIPLE, told)]
        assert len(found) == len(planted)
        for (_, low, high), (time, share) in zip(found, planted.items(), strict=True):
            assert low - 0.1 < share < high + 0.1, time
            assert time_words(time, series.unit) in told

    def test_the_page_has_the_sentences(self, results: Path, series: Series) -> None:
        """What is tested here is what is read there."""
        page = (results / "datasets" / series.dataset / "report.html").read_text(encoding="utf-8")
        text = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())
        for words in answer_words(material_of(results, series.dataset)).values():
            assert " ".join(words.split(". ")[0].split()) in text

    def test_every_estimate_is_a_row_of_a_table(self, results: Path, series: Series) -> None:
        """Number and both ends of its interval are those of one row, of the programme that is named before them."""
        material = material_of(results, series.dataset)
        titles, rows = titles_of(material), estimate_rows(material)
        seen = 0
        for lead, words in answer_words(material).items():
            named = dict.fromkeys(named_triples(words, titles))
            for title, numbers in named:
                own = rows[rows["item"] == titles[title]]
                assert is_row(own, numbers), (lead, title, numbers)
            for numbers in re.findall(TRIPLE, words):
                assert is_row(rows, numbers_in(numbers)), (lead, numbers)
                seen += 1
        assert seen >= 8

    def test_every_other_number_is_counted_or_given(self, results: Path, series: Series) -> None:
        """Counts are recounted from the tables, p-values and effects are cells; the rest is what the YAML says."""
        material = material_of(results, series.dataset)
        counted, cells = counts_of(material), cells_of(material)
        for lead, words in answer_words(material).items():
            left = without_names(re.sub(TRIPLE, " ", words), material)
            for text in re.findall(r"\u2212?\d[\d\u202f]*(?:\.\d+)?(?:e[-\u2011]\d+)?", left):
                plain = text.replace("\u2212", "-").replace("\u2011", "-").replace("\u202f", "")
                known = float(plain) in counted if plain.isdigit() else is_rounded(cells, plain)
                assert known, (lead, text, left)


def named_triples(words: str, titles: Mapping[str, str]) -> list[tuple[str, tuple[float, ...]]]:
    """Titles with the estimate and interval that stand behind them."""
    found: list[tuple[str, tuple[float, ...]]] = []
    for title in titles:
        triples = re.findall(rf"(?<![\w-]){re.escape(title)} {TRIPLE}", words)
        found += [(title, tuple(numbers_in(numbers))) for numbers in triples]
    return found


def estimate_rows(material: Material) -> pd.DataFrame:
    """Every estimate of the tables with its interval: item, value, low, high."""
    programmes = material.programmes
    columns = {
        "effects": (programmes.effects, "programme", "estimate"),
        "rescue": (programmes.rescue, "programme", "fraction_restored"),
        "slopes": (programmes.slopes, "arm", "slope"),
        "panel": (material.panel, "item", "estimate"),
    }
    tables = [
        table[[item, value, "ci_low", "ci_high"]].set_axis(["item", "value", "low", "high"], axis=1)
        for table, item, value in columns.values()
    ]
    return pd.concat(tables, ignore_index=True).dropna()


def is_row(rows: pd.DataFrame, numbers: Sequence[float]) -> bool:
    """A row has these numbers, which were rounded to two decimals, or to one from ten onwards or one onwards."""
    near = (rows[["value", "low", "high"]] - list(numbers)).abs() <= 0.0501
    exact = (rows[["value", "low", "high"]] - list(numbers)).abs() <= 0.00501
    has_two = any(round(number, 1) != number for number in numbers)
    return bool((exact if has_two else near).all(axis=1).any())


def counts_of(material: Material) -> set[float]:
    """Whole numbers that may stand in the answer, counted here from the tables."""
    fdr, found = material.fdr, {95.0, 100 * material.fdr}
    sides: list[int] = []
    for name, table in material.tables.items():
        sure = table[(table["padj"] < fdr).fillna(False)]
        found |= {len(sure), round(fdr * len(sure)), int(table["pvalue"].notna().sum())}
        if "log2_fold_change" in table:
            sides += [int((sure["log2_fold_change"] > 0).sum()), int((sure["log2_fold_change"] < 0).sum())]
        effects = material.programmes.effects[material.programmes.effects["contrast"] == name]
        told = effects[effects["pvalue"].notna() & ~effects["programme"].isin(asides(material.collections[0].entry))]
        evident = told[told["padj"] < fdr]
        found.add(len(told))
        up = int((evident["estimate"] > 0).sum())
        # Four programmes are named on a side; the rest is told as a number.
        sides += [up, len(evident) - up, up - 4, len(evident) - up - 4]
    rescue = material.programmes.rescue
    rescue = rescue[rescue["time"].isna() & ~rescue["programme"].isin(asides(material.collections[0].entry))]
    clear = rescue[rescue["fraction_restored"].notna() & (rescue["injury_padj"] < fdr)]
    back = clear["pattern"].isin(["reversal", "partial"]) & (clear["ci_low"] > 0) & (clear["class"] != "overshoot")
    open_ = ~clear["pattern"].isin(["reversal", "partial", "amplified_response"])
    open_ |= clear["pattern"].isin(["reversal", "partial"]) & (clear["ci_low"] <= 0)
    found |= {len(clear), int(back.sum()), int(back.sum()) - 4, int(open_.sum())}
    samples = material.expression.samples
    found |= set(samples.groupby(["arm", "time"]).size())
    return {float(number) for number in (*found, *sides)} | set(samples["time"])


def cells_of(material: Material) -> list[float]:
    """Numbers of the tables that may stand in the answer without an interval."""
    panel, effects = material.panel, material.programmes.effects
    folds = [2 ** max(abs(row.ci_low), abs(row.ci_high)) for row in panel.dropna(subset=["ci_low"]).itertuples()]
    tables = [effects["estimate"], effects["padj"], panel["pvalue"], material.programmes.slopes["injury_over_se"]]
    return [material.fdr, *folds, *(float(value) for table in tables for value in table.dropna())]


def is_rounded(cells: Sequence[float], text: str) -> bool:
    """A cell reads like this when it is rounded as far."""
    digits, _, power = text.partition("e")
    unit = 10.0 ** (-len(digits.partition(".")[2]) + int(power or 0))
    return any(abs(cell - float(text)) <= 0.5001 * unit for cell in cells)


def without_names(words: str, material: Material) -> str:
    """The words without labels, titles, genes and the scale, which have digits of their own."""
    names = [*material.look.labels.values(), *titles_of(material), *(fact["title"] for fact in own_facts(material))]
    for name in sorted([*names, "MCL1", "BCL2L1", "BAK1", "Cdkn1a", "p53", "log2"], key=len, reverse=True):
        words = re.sub(re.escape(name), " ", words, flags=re.IGNORECASE)
    return words


def own_facts(material: Material) -> list[Mapping[str, Any]]:
    """Facts of the programmes."""
    return list(material.collections[0].entry["gene_sets"])


def test_an_early_rise_is_told_from_a_late_return(results: Path) -> None:
    """Planted in MSC: survival genes early and then gone, inflammation late; in EV, inflammation at 6 h alone."""
    mouse = answer_words(material_of(results, "demo_msc_mouse"))["When"]
    assert re.search(r"anti-apoptotic regulators [^;]*raised at day 1, less and not shown at the last time", mouse)
    assert re.search(r"NF-kB/TNF inflammation [^;]*lowered late, at day 3", mouse)
    rat = answer_words(material_of(results, "demo_ev_rat"))["When"]
    assert re.search(r"NF-kB/TNF inflammation [^;]*lowered at 6 h, less and not shown at the last time", rat)
    assert re.search(r"pro-apoptotic regulators[^;]*lowered at 6 h and at the last time", rat)


def test_the_study_page_names_programmes_of_both_datasets(results: Path) -> None:
    """Inflammation and the death machinery were planted as restored in both, autophagy in the rat alone."""
    page = (results / "report.html").read_text(encoding="utf-8")
    text = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())
    for programme in ("NF-kB/TNF inflammation in 2", "pro-apoptotic regulators in 2", "autophagy in 1"):
        assert programme in text
    assert "by number alone, were the datasets unrelated" in text


def test_the_overview_says_simulated(results: Path) -> None:
    """The study's page too."""
    assert "simulated" in (results / "report.html").read_text(encoding="utf-8").lower()
