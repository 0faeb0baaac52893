"""Simulated liver counts with planted truth: which programmes the injury moves, when, and what share is restored.

Knows how bulk RNA-seq of rodent liver is distributed (means, dispersions, library sizes, correlation between genes);
knows nothing of files. All means, shifts and dispersions are relative to the healthy liver.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from exoliver.contrasts import time_label
from exoliver.problems import Problem, StudyError
from exoliver.roles import TREATED_ROLES
from exoliver.simulation_constants import KNOWN_CPM

# log10 counts per million of the other genes: a normal body, cut at its top; half of the genes of the families that
# strong liver genes come from (enzymes, secreted and ribosomal proteins) spread evenly on the log scale; sampled genes
# partly silent. Read off the 12,000 strongest protein-coding genes of dlpc_mouse_liver and gse222550_mouse_liver
# (medians 1.2, quartiles .7 and 1.6, 99 % at 3.0).
BODY_MEAN, BODY_SD, BODY_TOP = 1.25, 0.62, 3.0
STRONG_SHARE, STRONG_RANGE = 0.5, (2.0, 3.7)
SILENT_SHARE, SILENT_RANGE = 0.08, (-2.0, -0.2)

# R DESeq2 1.38.3 on dlpc_mouse_liver (../shared/reference, dlpc.dispersions.tsv.gz): trend .0516 + 3.90/mu; MAD of the
# log residuals 1.04, less the sampling variance trigamma(17/2). One trend for every organism and injury.
TREND_FLOOR, TREND_SLOPE = 0.05, 3.9
TREND_LOG_SD = 0.95
MAX_DISPERSION = 5.0

# Shares of a gene's biological variance that are common to genes. Measured on residuals of gse222550_mouse_liver: the
# first component takes 22 %, the next four 5-8 %, chance included; median correlation in Hallmark sets .036 to .039.
GLOBAL_SHARES = (0.24, 0.06, 0.05, 0.04, 0.04)
PROGRAMME_SHARE = 0.05
MAX_SHARED = 0.8

MEMBER_FACTOR_SD = 0.3
# Response genes outside the programmes: smallest log2 shift at its peak, and the mean of what comes on top.
RESPONSE_MIN, RESPONSE_MEAN_EXCESS = 0.5, 0.6
RESPONSE_RESTORED_SD = 0.2

MOVED_ROLES = ("injured", *TREATED_ROLES)
# Predicted genes and clones have no name that a reader knows; the families of the second pattern are silent in liver.
PREDICTED = r"^(?:Gm\d+|LOC\d+|RGD\d+|AABR\d+|NEWGENE|[A-Z]{1,2}\d{6}|D\d+\w*Ertd|.*Rik\d*$|.*[._:])"
STRONG_FAMILY = (
    r"(?i)^(?:Apo[a-z]\d?|Cyp[1-8]|Serpin[acdfg]|Itih|Ugt[12]|Gst[amp]|Sult[1-5]|Ald[ho]|Adh\d|Rp[ls]\d|mt-?[CNA]|"
    r"Ces\d|Fmo\d|Mup\d|Hsd\d|Aca[ad]|Acs[lm]|Eef1|C[1-9][a-z]?$|Saa\d|Orm\d|Mug\d|Akr1|F\d+$|Slc27|Fth1$|Ftl1$|"
    r"Igfbp[124]|Uqcr|Atp5)"
)
SILENT_FAMILY = (
    r"^(?:Olfr|O[rR]\d+[A-Za-z]|Olr\d|Vmn?\dr|Tas[12]r|Taar|Mrgpr|Krtap|Defb|Ifn[aez]|Prame|Rhox|Speer|Esp\d|Ott\d?$|"
    r"Zscan4|Trim43)"
)


@dataclass(frozen=True)
class SimulatedDataset:
    """Counts, their sample sheet, and the truth that was planted.

    Attributes
    ----------
    counts
        Integers, genes by samples; index `input_id` as a user's file would carry it.
    samples
        sample, group (the arm's value), time (in the dataset's unit).
    truth_programmes
        One row per programme, moved arm and time: log2_shift (arm against healthy, sign-weighted mean over the
        simulated members) and, in treated arms, fraction_restored (share of the injured arm's log2_shift that is taken
        back). Both differ from what the YAML asks for by chance, and where programmes share genes.
    truth_genes
        One row per moved gene, moved arm and time: gene_id, symbol, programmes (`;`-joined, empty for a
        response gene), log2_shift against healthy. A gene without a row is not moved.
    genes
        One row per gene: input_id, gene_id, symbol, cpm (expected in the healthy), dispersion (of the counts of a
        gene within an arm and time, latent factors included).
    """

    counts: pd.DataFrame
    samples: pd.DataFrame
    truth_programmes: pd.DataFrame
    truth_genes: pd.DataFrame
    genes: pd.DataFrame


def simulate_dataset(
    spec: Mapping[str, Any],
    *,
    arms: Sequence[Mapping[str, str]],
    genes: pd.DataFrame,
    gene_sets: pd.DataFrame,
    time_unit: str = "day",
) -> SimulatedDataset:
    """Counts of one simulated dataset, with the truth planted in them.

    Parameters
    ----------
    spec
        The `simulation:` block of a dataset YAML, as plain JSON.
    arms
        name, role and value of each arm, in order. Healthy, reference and treated_healthy arms are not moved; an
        injured arm is by the injury; a treated or control-product arm by the share of it that is not restored.
    genes
        gene_id (Ensembl), symbol, human_symbol and, if known, biotype and symbol_lookup, as in the tables of
        `resources/identifiers/`; in any order.
    gene_sets
        gene_set, gene (symbol, or human symbol) and, if known, sign; in any order. All members known to `genes` are
        simulated, and the members of one set vary together.
    time_unit
        Unit of `spec["times"]`: min, h, day, week or month; it is used in the sample ids only.

    Returns
    -------
    The same for the same arguments, whatever the order of the rows of `genes` and `gene_sets`.

    Raises
    ------
    StudyError
        An effect names no gene set, a set without a known gene, or no treated arm; or the genes asked for are fewer
        than the members or more than there are.
    """
    _check_names(spec, arms, gene_sets)
    rng = dict(zip(("genes", "means", "dispersions", "effects", "samples"), _streams(spec["seed"], 5), strict=True))
    table = _choose_genes(spec, genes, gene_sets, rng=rng["genes"])
    membership = _membership(table, gene_sets)
    _check_members(spec, membership)
    table["cpm"] = _draw_cpm(table, rng=rng["means"])
    table["dispersion"] = _draw_dispersions(table["cpm"] * spec["library_size"]["mean"] / 1e6, rng=rng["dispersions"])
    shifts = _plant_shifts(spec, arms, membership, rng=rng["effects"])
    samples = _sample_sheet(spec, arms, time_unit=time_unit)
    counts = _draw_counts(spec, table, shifts, membership=membership, rng=rng["samples"])
    return SimulatedDataset(
        counts=pd.DataFrame(counts, index=pd.Index(table["input_id"]), columns=samples["sample"].to_numpy()),
        samples=samples,
        truth_programmes=_programme_truth(spec, arms, shifts, membership=membership),
        truth_genes=_gene_truth(spec, arms, shifts, table=table, membership=membership),
        genes=table[["input_id", "gene_id", "symbol", "cpm", "dispersion"]],
    )


def _streams(seed: int, number: int) -> list[np.random.Generator]:
    """Independent random streams, so that one step does not move the draws of another."""
    return np.random.default_rng(seed).spawn(number)


def _fault(key: str, what: str, fix: str) -> StudyError:
    """One fault of the simulation's keys."""
    return StudyError([Problem(f"simulation.{key}", what, fix)])


def _check_names(spec: Mapping[str, Any], arms: Sequence[Mapping[str, str]], gene_sets: pd.DataFrame) -> None:
    """Raise where an effect names a gene set or an arm that is not there."""
    treated = {arm["name"] for arm in arms if arm["role"] in TREATED_ROLES}
    unknown = sorted(set(spec["effects"]) - set(gene_sets["gene_set"]))
    if unknown:
        raise _fault("effects", f"names no gene set: {', '.join(unknown)}", "name sets of the programmes")
    for programme, effect in spec["effects"].items():
        strangers = sorted(set(effect["restored"]) - treated)
        if strangers:
            raise _fault(
                f"effects.{programme}.restored", f"names no treated arm: {', '.join(strangers)}", "name treated arms"
            )


def _check_members(spec: Mapping[str, Any], membership: pd.DataFrame) -> None:
    """Raise where a programme with an effect has no gene that could carry it."""
    empty = [programme for programme in sorted(spec["effects"]) if not membership[programme].any()]
    if empty:
        raise _fault("effects", f"no gene of the organism is a member of {', '.join(empty)}", "take it out")


def _choose_genes(
    spec: Mapping[str, Any], genes: pd.DataFrame, gene_sets: pd.DataFrame, *, rng: np.random.Generator
) -> pd.DataFrame:
    """The simulated genes in the order of their ids: members and known liver genes, then others by chance."""
    pool = _named_genes(genes)
    wanted = set(gene_sets["gene"])
    pool["is_member"] = pool["symbol"].isin(wanted) | pool["human_symbol"].isin(wanted)
    fixed = pool["is_member"] | _known_cpm(pool).notna()
    others = pool.index[~fixed & pool["is_candidate"]]
    lacking = spec["genes"] - int(fixed.sum())
    if not 0 <= lacking <= len(others):
        limits = f"{fixed.sum()} (members and known liver genes) and {fixed.sum() + len(others)} (all named genes)"
        raise _fault("genes", f"{spec['genes']} is not between {limits}", "write a number in between")
    chosen = pool.loc[[*pool.index[fixed], *rng.choice(others, size=lacking, replace=False)]]
    if spec["identifiers"] == "ensembl":
        # Versions as Ensembl writes them; a made-up number that follows from the id.
        chosen["input_id"] = [f"{gene}.{int(re.sub('[^0-9]', '', gene)) % 14 + 1}" for gene in chosen["gene_id"]]
    else:
        chosen["gene_id"] = chosen["input_id"] = chosen["symbol"]
    return chosen.sort_values("gene_id", ignore_index=True)


def _named_genes(genes: pd.DataFrame) -> pd.DataFrame:
    """Genes with an Ensembl id and a real symbol, one per symbol; `is_candidate` where liver may express it."""
    pool = genes.dropna(subset=["gene_id", "symbol"]).sort_values(["symbol", "gene_id"])
    if "symbol_lookup" in pool:
        pool = pool[pool["symbol_lookup"] == "yes"]
    pool = pool[pool["gene_id"].str.startswith("ENS") & ~pool["symbol"].str.contains(PREDICTED)]
    pool = pool.drop_duplicates("symbol").drop_duplicates("gene_id").reset_index(drop=True)
    pool["is_candidate"] = ~pool["symbol"].str.contains(SILENT_FAMILY)
    if "biotype" in pool:
        pool["is_candidate"] &= pool["biotype"] == "protein_coding"
    return pool[["gene_id", "symbol", "human_symbol", "is_candidate"]]


def _membership(table: pd.DataFrame, gene_sets: pd.DataFrame) -> pd.DataFrame:
    """Sign of each gene in each set, 0 where it is no member; shape (g, s), sets in the order of their names."""
    columns = {}
    for name, members in gene_sets.sort_values(["gene_set", "gene"]).groupby("gene_set", sort=True):
        members = members.drop_duplicates("gene").set_index("gene")
        sign = pd.to_numeric(members["sign"]).fillna(1.0) if "sign" in members else pd.Series(1.0, index=members.index)
        columns[name] = table["symbol"].map(sign).fillna(table["human_symbol"].map(sign)).fillna(0.0)
    return pd.DataFrame(columns, index=table.index)


def _known_cpm(table: pd.DataFrame) -> pd.Series:
    """Counts per million of well-known genes by own or else human symbol, NaN for others; equal names share a value."""
    own, human = table["symbol"].str.upper(), table["human_symbol"]
    key = own.where(own.isin(KNOWN_CPM), human.where(human.isin(KNOWN_CPM)))
    return key.map(KNOWN_CPM) / key.map(key.value_counts())


def _draw_cpm(table: pd.DataFrame, *, rng: np.random.Generator) -> pd.Series:
    """Expected counts per million in the healthy liver; they sum to one million."""
    size = len(table)
    log10 = np.minimum(rng.normal(BODY_MEAN, BODY_SD, size), BODY_TOP)
    kind = rng.random(size)
    strong, silent = rng.uniform(*STRONG_RANGE, size), rng.uniform(*SILENT_RANGE, size)
    log10 = np.where(table["symbol"].str.contains(STRONG_FAMILY) & (kind < STRONG_SHARE), strong, log10)
    log10 = np.where((kind > 1 - SILENT_SHARE) & ~table["is_member"], silent, log10)
    known = _known_cpm(table)
    drawn = pd.Series(10.0**log10, index=table.index).where(known.isna(), 0.0)
    return known.fillna(drawn * (1e6 - known.sum()) / drawn.sum())


def _draw_dispersions(mean_count: pd.Series, *, rng: np.random.Generator) -> pd.Series:
    """Dispersion of each gene: log-normal with the trend at its mean count as its mean."""
    scatter = rng.normal(-(TREND_LOG_SD**2) / 2, TREND_LOG_SD, len(mean_count))
    return ((TREND_FLOOR + TREND_SLOPE / mean_count) * np.exp(scatter)).clip(upper=MAX_DISPERSION)


def _remaining(effect: Mapping[str, Any], arm: Mapping[str, str]) -> np.ndarray:
    """Share of the injury's shift that an arm keeps at each time."""
    if arm["role"] not in MOVED_ROLES:
        return np.zeros(len(effect["injury"]))
    return 1.0 - np.asarray(effect["restored"].get(arm["name"], np.zeros(len(effect["injury"]))), dtype=float)


def _plant_shifts(
    spec: Mapping[str, Any], arms: Sequence[Mapping[str, str]], membership: pd.DataFrame, *, rng: np.random.Generator
) -> np.ndarray:
    """log2 shift against healthy, shape (g, arms, times); a gene of several programmes moves by their mean."""
    factor = rng.gamma(1 / MEMBER_FACTOR_SD**2, MEMBER_FACTOR_SD**2, len(membership))
    shifts = np.zeros((len(membership), len(arms), len(spec["times"])))
    for programme, effect in sorted(spec["effects"].items()):
        course = np.array([_remaining(effect, arm) * effect["injury"] for arm in arms])
        shifts += membership[programme].to_numpy()[:, None, None] * course
    programmes = (membership[sorted(spec["effects"])] != 0).sum(axis=1).to_numpy()
    shifts *= (factor / np.maximum(programmes, 1))[:, None, None]
    outside = np.flatnonzero((membership == 0).all(axis=1))
    if spec["response_genes"] > len(outside):
        raise _fault("response_genes", f"only {len(outside)} genes are outside the gene sets", "write fewer")
    chosen = np.sort(rng.choice(outside, size=spec["response_genes"], replace=False))
    shifts[chosen] = _response_shifts(spec, arms, len(chosen), rng=rng)
    return shifts


def _response_shifts(
    spec: Mapping[str, Any], arms: Sequence[Mapping[str, str]], number: int, *, rng: np.random.Generator
) -> np.ndarray:
    """Shifts of the response genes: each peaks at a time of its own; an arm restores about its mean over programmes."""
    steps = np.arange(len(spec["times"]))
    peak = rng.integers(len(steps), size=number)
    size = rng.choice([-1.0, 1.0], number) * (RESPONSE_MIN + rng.exponential(RESPONSE_MEAN_EXCESS, number))
    injury = size[:, None] * 0.5 ** np.abs(steps - peak[:, None])
    scatter = rng.normal(0.0, RESPONSE_RESTORED_SD, number)
    # With no programme to go by, every arm keeps all of the injury.
    effects = list(spec["effects"].values()) or [{"injury": list(steps), "restored": {}}]
    shifts = np.empty((number, len(arms), len(steps)))
    for place, arm in enumerate(arms):
        kept = np.mean([_remaining(effect, arm) for effect in effects], axis=0)
        is_treated = arm["role"] in TREATED_ROLES
        shifts[:, place] = injury * (kept - is_treated * scatter[:, None])
    return shifts


def _sample_sheet(spec: Mapping[str, Any], arms: Sequence[Mapping[str, str]], *, time_unit: str) -> pd.DataFrame:
    """One row per sample: arms in order, then times, then replicates."""
    rows = [
        (f"{arm['name']}_{time_label(time, time_unit)}_r{replicate}", arm["value"], time)
        for arm in arms
        for time in spec["times"]
        for replicate in range(1, spec["replicates"] + 1)
    ]
    return pd.DataFrame(rows, columns=["sample", "group", "time"])


def _loadings(membership: pd.DataFrame, *, rng: np.random.Generator) -> np.ndarray:
    """Loading of each gene on each latent factor; the squares of a gene are the shares of its biological variance."""
    everywhere = rng.normal(size=(len(membership), len(GLOBAL_SHARES))) * np.sqrt(GLOBAL_SHARES)
    sets = np.maximum((membership != 0).sum(axis=1).to_numpy(), 1)[:, None]
    within = np.sign(membership.to_numpy()) * np.sqrt(PROGRAMME_SHARE / sets)
    loadings = np.hstack([everywhere, within])
    shared = (loadings**2).sum(axis=1, keepdims=True)
    return loadings * np.sqrt(np.minimum(1.0, MAX_SHARED / np.maximum(shared, MAX_SHARED)))


def _draw_counts(
    spec: Mapping[str, Any],
    table: pd.DataFrame,
    shifts: np.ndarray,
    *,
    membership: pd.DataFrame,
    rng: np.random.Generator,
) -> np.ndarray:
    """Gamma-Poisson counts, shape (g, n): log-normal latent factors, then gamma for the rest of the dispersion."""
    mean = table["cpm"].to_numpy()[:, None] * 2.0 ** np.repeat(
        shifts.reshape(len(table), -1), spec["replicates"], axis=1
    )
    mean /= mean.sum(axis=0)
    spread = spec["library_size"]["spread"]
    mean *= spec["library_size"]["mean"] * rng.lognormal(-(spread**2) / 2, spread, mean.shape[1])
    loadings = _loadings(membership, rng=rng)
    # 1 + dispersion = exp(log-normal variance) * (1 + gamma's part): both together give the planted dispersion.
    log_variance = np.log1p(table["dispersion"].to_numpy())[:, None]
    shared = (loadings**2).sum(axis=1, keepdims=True)
    factors = rng.normal(size=(loadings.shape[1], mean.shape[1]))
    mean *= np.exp(np.sqrt(log_variance) * (loadings @ factors) - log_variance * shared / 2)
    rest = np.expm1(log_variance * (1 - shared))
    return rng.poisson(rng.gamma(1 / rest, mean * rest)).astype(np.int64)


def _programme_truth(
    spec: Mapping[str, Any], arms: Sequence[Mapping[str, str]], shifts: np.ndarray, *, membership: pd.DataFrame
) -> pd.DataFrame:
    """What was planted in each programme, as the mean over its simulated members."""
    injured = next((place for place, arm in enumerate(arms) if arm["role"] == "injured"), None)
    parts = []
    for programme in sorted(spec["effects"]):
        sign = membership[programme].to_numpy()
        mean = np.einsum("g,gat->at", sign, shifts) / np.count_nonzero(sign)
        for place, arm in enumerate(arms):
            if arm["role"] not in MOVED_ROLES:
                continue
            part = pd.DataFrame({"programme": programme, "arm": arm["name"], "time": spec["times"]})
            part["log2_shift"], part["fraction_restored"] = mean[place], np.nan
            if injured is not None and arm["role"] in TREATED_ROLES:
                base = np.where(mean[injured] == 0, np.nan, mean[injured])
                part["fraction_restored"] = 1.0 - mean[place] / base
            parts.append(part)
    return _joined(parts, ["programme", "arm", "time", "log2_shift", "fraction_restored"])


def _joined(parts: Sequence[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    """The parts as one table; its columns where there is no part."""
    return pd.concat(parts, ignore_index=True)[list(columns)] if parts else pd.DataFrame(columns=list(columns))


def _gene_truth(
    spec: Mapping[str, Any],
    arms: Sequence[Mapping[str, str]],
    shifts: np.ndarray,
    *,
    table: pd.DataFrame,
    membership: pd.DataFrame,
) -> pd.DataFrame:
    """Shift against healthy of each moved gene in each moved arm and time."""
    moved = table.index[(shifts != 0).any(axis=(1, 2))]
    planted = membership[sorted(spec["effects"])]
    programmes = [";".join(planted.columns[row]) for row in planted.loc[moved].to_numpy() != 0]
    base = table.loc[moved, ["gene_id", "symbol"]].assign(programmes=programmes)
    parts = [
        base.assign(arm=arm["name"], time=time, log2_shift=shifts[moved, place, step])
        for place, arm in enumerate(arms)
        if arm["role"] in MOVED_ROLES
        for step, time in enumerate(spec["times"])
    ]
    return _joined(parts, [*base.columns, "arm", "time", "log2_shift"])
