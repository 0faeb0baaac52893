"""Material of a report without a fit: a few dozen genes, seeded tables whose hits are planted, any design."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from exoliver.contrasts import Cell, Contrast, derive_contrasts, time_label
from exoliver.figures.style import make_look
from exoliver.identifiers import summarise_ledger
from exoliver.model import Model
from exoliver.panel import panel_genes, read_panel
from exoliver.report.material import CollectionResults, Material, ProgrammeResults
from exoliver.report.naming import BALANCES
from exoliver.rescue import Pair, rescue_pairs
from exoliver.store import Expression
from exoliver.study import Dataset, each_from_plain, from_plain, plain
from exoliver.study.arms import Arm
from exoliver.study.dataset import ExtraContrast
from exoliver.tables import (
    CHANGES,
    EFFECTS,
    ENRICHMENT,
    EQUIVALENCE,
    GENE_SETS,
    GENE_VALUES,
    IDENTIFIERS,
    OVERREPRESENTATION,
    PANEL,
    RESCUE_COMPARISONS,
    RESCUE_GENES,
    RESCUE_PROGRAMMES,
    RESCUE_SUMMARY,
    TRAJECTORIES,
    stack_tables,
)
from exoliver.timepoints import compare_timepoints

GENES = 80
REPLICATES = 3
DAYS = (1.0, 7.0)
PROGRAMMES = ("apoptosis", "anti_apoptosis", "inflammation")
HALLMARKS = ("HALLMARK_TNFA_SIGNALING_VIA_NFKB", "HALLMARK_UV_RESPONSE_DN")
INJURED_ARMS: dict[str, Any] = {
    "healthy": {"role": "healthy", "value": "h", "label": "Chow"},
    "ccl4": {"role": "injured", "value": "i", "label": "CCl4"},
    "msc": {
        "role": "treated",
        "value": "t",
        "label": "CCl4 + MSC",
        "product": "msc",
        "source": "bone_marrow",
        "species": "human",
        "dose": 1e6,
        "dose_unit": "cells/animal",
        "doses_at": [0.25],
        "lot": "A",
        "lot_donors": 1,
    },
}
REFERENCE_ARMS: dict[str, Any] = {
    "control": {"role": "reference", "value": "c", "label": "Control"},
    "drug": {"role": "treated", "value": "d", "label": "Drug", "product": "drug"},
}
SIMULATION: dict[str, Any] = {
    "seed": 1,
    "identifiers": "symbol",
    "genes": 100,
    "replicates": REPLICATES,
    "times": list(DAYS),
    "library_size": {"mean": 1e6, "spread": 0.2},
    "effects": {},
    "response_genes": 0,
}
SETTINGS: dict[str, Any] = {
    "title": "Toy study",
    "fdr": 0.05,
    "log2_fold_change_threshold": 0.0,
    "set_size": {"min": 10, "max": 500},
    "equivalence_margin": 0.32,
    "seed": 1,
    "panel": None,
    "genes_of_interest": ["Mcl1", "Absent1"],
    "programmes": "programmes",
}


def make_facts(arms: Mapping[str, Any] = INJURED_ARMS, *, days: Sequence[float] = DAYS, **keys: Any) -> dict[str, Any]:
    """Plain values of a dataset's YAML; keys replace those of the toy, and None takes one out."""
    content: dict[str, Any] = {
        "id": "toy",
        "title": "Toy liver",
        "organism": "mouse",
        "counts": {"file": "counts.tsv", "identifiers": "symbol"},
        "samples": {"file": "samples.tsv", "unit": "animal"},
        "arms": {"column": "group", "levels": dict(arms)},
        "time": {"column": "day", "unit": "day", **({"since": "injury"} if "ccl4" in arms else {})} if days else None,
        "injury": {"model": "ccl4", "class": "toxic", "course": "acute"} if "ccl4" in arms else None,
    }
    content |= keys
    return plain(from_plain(Dataset, {key: value for key, value in content.items() if value is not None}))


def make_material(
    facts: Mapping[str, Any] | None = None,
    *,
    days: Sequence[float] = DAYS,
    hits: int = 6,
    sure_sets: bool = True,
    untested_sets: bool = False,
    left_out: Sequence[Cell] = (),
    gene_names: Mapping[int, str] | None = None,
    sample_prefix: str = "",
    check: Mapping[str, Any] | None = None,
) -> Material:
    """Everything that a page is made of.

    Parameters
    ----------
    facts
        Of `make_facts`.
    days
        Times of every arm; none for a dataset without times.
    hits
        Genes below the false discovery rate in each contrast, raised and lowered by turns.
    sure_sets
        Some gene sets have a small adjusted p-value.
    untested_sets
        No gene set has enough genes to be tested.
    left_out
        Cells without samples.
    gene_names
        Place of a gene to the symbol it has instead of its own.
    sample_prefix
        Put before the name of every sample.
    check
        Replaces parts of the check.
    """
    facts = facts or make_facts(days=days)
    arms = facts["arms"]["levels"]
    cells = [cell for arm in arms for day in (days or (None,)) if (cell := Cell(arm, day)) not in set(left_out)]
    genes = make_genes(facts["organism"], gene_names or {})
    contrasts = derive_contrasts(
        each_from_plain(Arm, arms),
        cells=cells,
        unit=facts["time"]["unit"] if facts["time"] else None,
        extra=each_from_plain(ExtraContrast, facts["contrasts"]),
    )
    random = np.random.default_rng(1)
    tables = {contrast.id: make_table(genes, contrast, hits=hits, random=random) for contrast in contrasts}
    expression = make_expression(genes, cells, prefix=sample_prefix, random=random)
    collections = make_collections(contrasts, genes, facts["organism"], sure=sure_sets, random=random)
    collections = tuple(map(untested, collections)) if untested_sets else collections
    own_sets = PROGRAMMES if facts["organism"] in ("human", "mouse", "rat") else ()
    programmes = make_programmes(contrasts, own_sets, sure=sure_sets, is_tested=not untested_sets)
    panel = panel_genes(read_panel(), facts["organism"], own=None)
    return Material(
        facts=facts,
        settings=SETTINGS,
        look=make_look(arms, facts["time"], simulated=facts["simulation"] is not None),
        check=make_check(facts, cells, expression) | dict(check or {}),
        design={
            "columns": [cell.name for cell in cells],
            "cells": [[cell.arm, cell.time] for cell in cells],
            "replicates": [REPLICATES] * len(cells),
            "residual_df": (REPLICATES - 1) * len(cells),
            "genes_fitted": GENES - 2,
            "genes_filtered": 2,
            "nested_donor": False,
            "dispersion_trend": "parametric",
            "trend_problem": "",
            "replaced_counts": 0,
            "largest_group": REPLICATES,
        },
        identifiers=make_ledger(genes),
        ledger=summarise_ledger(make_ledger(genes)),
        expression=expression,
        model=make_model(genes, cells, expression, random=random),
        contrasts=tuple(contrasts),
        tables=tables,
        collections=collections,
        programmes=programmes,
        timepoint_genes=compare_timepoints(contrasts, tables, fdr=SETTINGS["fdr"]),
        panel=make_panel(panel, contrasts, random=random),
        panel_genes=panel,
        genes={"Mcl1": make_values(expression), "Absent1": make_values(expression).iloc[:0]},
    )


def make_genes(organism: str, names: Mapping[int, str]) -> pd.DataFrame:
    """Genes of the panel first, then others; without symbols where the organism has none."""
    panel = panel_genes(read_panel(), organism, own=None)["symbol"].drop_duplicates().tolist()
    symbols = [*panel, *(f"Gene{number}" for number in range(GENES))][:GENES]
    symbols = [names.get(place, symbol) for place, symbol in enumerate(symbols)]
    table = pd.DataFrame({"gene_id": [f"G{number:04d}" for number in range(GENES)], "symbol": symbols})
    table["human_symbol"] = table["symbol"].str.upper()
    return (
        table.assign(base_mean=np.geomspace(10, 5000, GENES))
        if panel
        else table.assign(symbol=None, human_symbol=None, base_mean=np.geomspace(10, 5000, GENES))
    )


def make_table(genes: pd.DataFrame, contrast: Contrast, *, hits: int, random: np.random.Generator) -> pd.DataFrame:
    """A gene table; its last two genes are filtered, and all are without numbers where there is no row of weights."""
    count = len(genes)
    effect = np.where(np.arange(count) % 2 == 0, 1.0, -1.0) * random.uniform(0.5, 2, count)
    pvalue = np.linspace(0.2, 0.99, count)
    pvalue[:hits] = np.geomspace(1e-12, 1e-4, count)[:hits]
    padj = np.minimum(1, pvalue * 10)
    note = pd.Series([""] * (count - 2) + ["filtered"] * 2, dtype="string")
    tested = np.where(np.arange(count) < count - 2, 1.0, np.nan)
    if not contrast.rows:
        tested, note = np.full(count, np.nan), pd.Series([contrast.note] * count, dtype="string")
    named = genes[["gene_id", "symbol", "human_symbol", "base_mean"]]
    if contrast.is_omnibus:
        return named.assign(
            df=len(contrast.rows), stat=5.0 * tested, pvalue=pvalue * tested, padj=padj * tested,
            wald_stat=5.2 * tested, wald_pvalue=pvalue * tested, note=note,
        )  # fmt: skip
    return named.assign(
        log2_fold_change=effect * tested, lfc_se=0.2 * tested, stat=effect / 0.2 * tested, pvalue=pvalue * tested,
        padj=padj * tested, shrunk_log2_fold_change=0.9 * effect * tested, note=note,
    )  # fmt: skip


def make_expression(
    genes: pd.DataFrame, cells: Sequence[Cell], *, prefix: str, random: np.random.Generator
) -> Expression:
    """Random expression of every sample."""
    rows = [
        {"sample": f"{prefix}{cell.name}_{number}", "arm": cell.arm, "time": cell.time}
        for cell in cells
        for number in range(REPLICATES)
    ]
    samples = pd.DataFrame(rows).astype({"time": float}).set_index("sample").assign(size_factor=1.0)
    vst = pd.DataFrame(random.normal(8, 1, (len(rows), len(genes))), index=samples.index, columns=genes["gene_id"])
    return Expression(
        samples=samples,
        genes=genes.set_index("gene_id"),
        normalised=2**vst,
        vst=vst,
        components=random.normal(size=(len(rows), 3)),
        variance_ratio=np.array([0.4, 0.2, 0.1]),
    )


def make_check(facts: Mapping[str, Any], cells: Sequence[Cell], expression: Expression) -> dict[str, Any]:
    """The content of check.json."""
    unit = facts["time"]["unit"] if facts["time"] else None
    design = {
        "samples": len(expression.samples),
        "genes": GENES,
        "unit": unit,
        "residual_df": 1,
        "columns": [cell.name for cell in cells],
        "cells": [
            {
                "arm": cell.arm,
                "time": cell.time,
                "label": "" if cell.time is None else time_label(cell.time, str(unit)),
                "samples": REPLICATES,
            }
            for cell in cells
        ],
        "library_sizes": {name: 1_000_000 + 10_000 * place for place, name in enumerate(expression.samples.index)},
    }
    return {"dataset": facts["id"], "problems": [], "warnings": [], "decisions": ["80 of 80 ids"], "design": design}


def make_model(
    genes: pd.DataFrame, cells: Sequence[Cell], expression: Expression, *, random: np.random.Generator
) -> Model:
    """A fit of which reports take the dispersions."""
    own = list(zip(expression.samples["arm"], expression.samples["time"], strict=True))
    design = [[float(arm == c.arm and (c.time is None or time == c.time)) for c in cells] for arm, time in own]
    takes_part = np.arange(len(genes)) < len(genes) - 2
    trend = 0.05 + 2 / genes["base_mean"].to_numpy()
    return Model(
        genes=genes["gene_id"].to_numpy(dtype=str),
        samples=expression.samples.index.to_numpy(dtype=str),
        columns=tuple(cell.name for cell in cells),
        cells=tuple(cells),
        nested_donor=False,
        design=np.array(design),
        size_factors=np.ones(len(own)),
        takes_part=takes_part,
        base_mean=genes["base_mean"].to_numpy(),
        coefficients=np.zeros((len(genes), len(cells))),
        dispersions=trend,
        dispersions_gene=trend * random.uniform(0.5, 2, len(genes)),
        dispersions_trend=trend,
        is_count_outlier=np.zeros(len(genes), dtype=bool),
        has_converged=np.ones(len(genes), dtype=bool),
        is_searched=np.zeros(len(genes), dtype=bool),
        is_zero_in_cell=np.zeros((len(genes), len(cells)), dtype=bool),
        replaced=np.zeros((0, 3), dtype=int),
        trend=np.array([0.05, 2.0]),
        mean_dispersion=float("nan"),
        trend_problem="",
    )


def make_ledger(genes: pd.DataFrame) -> pd.DataFrame:
    """The identifier ledger: every gene, and one spike-in."""
    note = ["version_stripped" + (";no_annotation" if pd.isna(symbol) else "") for symbol in genes["symbol"]]
    ledger = genes.assign(input_id=genes["gene_id"] + ".1", entrez=None, kind="gene", note=note)
    spike = dict.fromkeys(IDENTIFIERS, None) | {"input_id": "ERCC-00002", "gene_id": "ERCC-00002"}
    last = pd.DataFrame([spike | {"kind": "spike_in", "note": "set_aside"}])
    return pd.concat([ledger[list(IDENTIFIERS)], last], ignore_index=True)


def make_collections(
    contrasts: Sequence[Contrast], genes: pd.DataFrame, organism: str, *, sure: bool, random: np.random.Generator
) -> tuple[CollectionResults, ...]:
    """Programmes with titles and two Hallmark sets; without sets for an organism that has none."""
    own = organism in ("human", "mouse", "rat")
    facts = [
        {"gene_set": name, "title": name.replace("_", " ").capitalize(), "benefit": "depends"} for name in PROGRAMMES
    ]
    found = []
    for name, sets, described in (("programmes", PROGRAMMES, facts), ("hallmark", HALLMARKS, [])):
        entry = {
            "name": name, "title": name.capitalize(), "release": "1", "licence": "MIT", "citation": "",
            "genes": "symbol", "gene_sets": described, "organism": organism,
        }  # fmt: skip
        sets = sets if own else ()
        members = [make_members(gene_set, genes, is_poor=gene_set == HALLMARKS[1]) for gene_set in sets]
        ids = [contrast.id for contrast in contrasts if not contrast.is_omnibus]
        found.append(
            CollectionResults(
                name=name,
                entry=entry,
                gene_sets=pd.concat(members, ignore_index=True) if members else pd.DataFrame(columns=list(GENE_SETS)),
                enrichment={identity: make_enrichment(sets, sure=sure, random=random) for identity in ids},
                overrepresentation={identity: make_overrepresentation(sets) for identity in ids},
            )
        )
    return tuple(found)


def untested(collection: CollectionResults) -> CollectionResults:
    """The collection with too few genes in every set."""
    numbers = dict.fromkeys(("es", "nes", "pvalue", "padj", "log2err"), np.nan)
    tables = {
        name: table.assign(**numbers, leading_edge=None, cluster=None, note="too_few_measured")
        for name, table in collection.enrichment.items()
    }
    return replace(collection, enrichment=tables)


def make_members(gene_set: str, genes: pd.DataFrame, *, is_poor: bool) -> pd.DataFrame:
    """Twelve members of one set; most of a poor one are not measured."""
    names = genes["symbol"].iloc[:12]
    measured = np.arange(12) < (5 if is_poor else 12)
    notes = np.where(measured, "", "not_measured")
    return pd.DataFrame(
        {
            "gene_set": gene_set, "gene": names, "weight": 1, "sign": 1,
            "gene_id": genes["gene_id"].iloc[:12].where(measured), "size": 12, "measured": int(measured.sum()),
            "note": notes,
        }
    )  # fmt: skip


def make_enrichment(sets: Sequence[str], *, sure: bool, random: np.random.Generator) -> pd.DataFrame:
    """Scores of alternating sign; the first two sets are below the false discovery rate."""
    rows = [
        {
            "gene_set": name,
            "size": 12,
            "es": 0.5,
            "nes": (1 if place % 2 == 0 else -1) * random.uniform(1.5, 2.5),
            "pvalue": 0.001 if place < 2 and sure else 0.4,
            "padj": 0.002 if place < 2 and sure else 0.5,
            "log2err": 0.1,
            "leading_edge": "Mcl1;Bax",
            "cluster": name if place < 2 and sure else None,
            "note": "",
        }
        for place, name in enumerate(sets)
    ]
    return pd.DataFrame(rows, columns=list(ENRICHMENT))


def make_programmes(
    contrasts: Sequence[Contrast], sets: Sequence[str], *, sure: bool, is_tested: bool
) -> ProgrammeResults:
    """Effects of alternating sign, two programmes below the false discovery rate; half of the injury undone."""
    effects: list[pd.DataFrame] = []
    changes: list[pd.DataFrame] = []
    for contrast in contrasts if sets else ():
        table = make_effects(contrast, sets, sure=sure, is_tested=is_tested)
        (changes if contrast.form in ("change", "any_time", "over_time") else effects).append(table)
    pairs = rescue_pairs(contrasts) if sets else []
    rescue = [make_rescue(pair, sets, is_tested=is_tested) for pair in pairs]
    of_genes = [
        make_rescue(pair, ["G0000"], is_tested=True).drop(columns="programme").assign(gene_id="G0000") for pair in pairs
    ]
    single = [pair for pair in pairs if len(pairs) == 1 or not np.isnan(pair.time)]
    slopes = [{"arm": pair.arm, "time": pair.time, "injury_over_se": 2.0, "class": "injury_weak"} for pair in single]
    return ProgrammeResults(
        effects=stack_tables(effects, EFFECTS),
        changes=stack_tables(changes, CHANGES),
        beside=pd.DataFrame(columns=list(EFFECTS)),
        beside_entry={"name": "programmes", "gene_sets": []},
        trajectories=make_trajectories(contrasts, sets, sure=sure, is_tested=is_tested),
        equivalence=pd.DataFrame(columns=list(EQUIVALENCE)),
        rescue=stack_tables(rescue, RESCUE_PROGRAMMES),
        comparisons=pd.DataFrame(columns=list(RESCUE_COMPARISONS)),
        rescue_genes=stack_tables(of_genes, RESCUE_GENES),
        slopes=pd.DataFrame(slopes, columns=list(RESCUE_SUMMARY)),
    )


def make_effects(contrast: Contrast, sets: Sequence[str], *, sure: bool, is_tested: bool) -> pd.DataFrame:
    """Effects of one contrast; without numbers where it has no weights, or no set can be tested."""
    place = np.arange(len(sets))
    known = np.where(bool(contrast.rows) and is_tested, 1.0, np.nan) * np.ones(len(sets))
    estimate = np.where(place % 2 == 0, 1.0, -1.0) * (0.5 + 0.1 * place) * known
    is_sure = (place < 2) & sure
    return pd.DataFrame(
        {
            "programme": sets, "contrast": contrast.id, "estimate": estimate, "se": 0.1 * known, "df": 12 * known,
            "ci_low": estimate - 0.2, "ci_high": estimate + 0.2, "pvalue": np.where(is_sure, 0.001, 0.4) * known,
            "padj": np.where(is_sure, 0.002, 0.5) * known, "camera_pvalue": 0.2 * known,
            "estimate_adjusted": 0.3 * known, "mixture_components": 2 * known, "mixture_share": 0.8 * known,
            "top_gene_share": 0.2 * known, "members": 12, "coverage": 1.0,
            "note": contrast.note if is_tested else "too_few_measured",
        }
    )  # fmt: skip


def make_trajectories(
    contrasts: Sequence[Contrast], sets: Sequence[str], *, sure: bool, is_tested: bool
) -> pd.DataFrame:
    """Courses of the programmes in every effect that is followed: the first two are sustained."""
    followed = {contrast.effect: contrast for contrast in contrasts if contrast.form == "any_time"}
    tables = []
    for effect, contrast in followed.items():
        is_moving = (np.arange(len(sets)) < 2) & sure & is_tested
        table = pd.DataFrame({"programme": sets, "contrast": effect})
        table = table.assign(
            **{"class": np.where(is_moving, "sustained", "none" if is_tested else "")},
            onset=np.where(is_moving, contrast.times[0], np.nan),
            peak=np.where(is_moving, contrast.times[-1], np.nan),
            end_state=np.where(is_moving, "effect_persists", ""),
            pvalue=np.where(is_moving, 0.001, 0.4) if is_tested else np.nan,
            padj=np.where(is_moving, 0.002, 0.5) if is_tested else np.nan,
            note="",
        )
        tables.append(table)
    return stack_tables(tables, TRAJECTORIES)


def make_rescue(pair: Pair, sets: Sequence[str], *, is_tested: bool) -> pd.DataFrame:
    """The first programme half restored, the second with a weak injury, the others without one."""
    table = pd.DataFrame({"programme": sets, "arm": pair.arm, "time": pair.time, "note": pair.note})
    if pair.injury is None or not is_tested:
        return table
    place = np.arange(len(sets))
    injury = np.where(place == 0, 1.0, np.where(place == 1, 0.3, 0.05))
    fraction = np.where(place == 0, 0.5, np.nan)
    return table.assign(
        injury_effect=injury,
        injury_se=0.1,
        treatment_effect=-0.5 * injury,
        treatment_se=0.1,
        covariance=-0.005,
        df=12,
        fraction_restored=fraction,
        ci_low=np.where(place < 2, 0.2, np.nan),
        ci_high=np.where(place < 2, 0.8, np.nan),
        injury_padj=np.where(place == 0, 0.001, 0.4),
        treatment_padj=np.where(place == 0, 0.001, 0.4),
        pattern=np.where(place == 0, "partial", "none"),
        **{
            "class": np.where(place == 0, "partly_restored", np.where(place == 1, "injury_weak", "injury_not_detected"))
        },
    )


def make_overrepresentation(sets: Sequence[str]) -> pd.DataFrame:
    """One hit in each direction."""
    rows = [
        dict.fromkeys(OVERREPRESENTATION, "")
        | {"gene_set": name, "direction": direction, "hits": 1, "odds_ratio": 2.0, "pvalue": 0.2, "padj": 0.3}
        for name in sets
        for direction in ("down", "up")
    ]
    return pd.DataFrame(rows, columns=list(OVERREPRESENTATION))


def make_panel(panel: pd.DataFrame, contrasts: Sequence[Contrast], *, random: np.random.Generator) -> pd.DataFrame:
    """Effects of the panel genes and of the balances in every contrast that is not an omnibus test."""
    blocks = [pd.DataFrame(columns=list(PANEL))]
    for contrast in contrasts if len(panel) else ():
        if contrast.is_omnibus:
            continue
        items = [*panel["symbol"], *BALANCES]
        kinds = [*panel["role"], *["balance"] * len(BALANCES)]
        estimate = random.normal(0, 0.8, len(items)) if contrast.rows else np.full(len(items), np.nan)
        blocks.append(
            pd.DataFrame(
                {
                    "item": items, "kind": kinds, "compartment": "", "contrast": contrast.id, "estimate": estimate,
                    "se": 0.2, "df": np.nan, "ci_low": estimate - 0.4, "ci_high": estimate + 0.4, "pvalue": 0.03,
                    "padj": 0.04, "base_mean": 50.0, "note": contrast.note,
                }
            )
        )  # fmt: skip
    return pd.concat(blocks[1:] or blocks, ignore_index=True)


def make_values(expression: Expression) -> pd.DataFrame:
    """Normalised counts of one gene, one of them zero."""
    samples = expression.samples
    values = np.linspace(0, 400, len(samples))
    columns = {"sample": samples.index, "arm": samples["arm"], "time": samples["time"], "normalised_count": values}
    return pd.DataFrame(columns)[list(GENE_VALUES)].reset_index(drop=True)
