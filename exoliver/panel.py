"""The apoptosis panel: each gene by itself, and the balances of anti- and pro-apoptotic genes.

What the panel cannot see (proteins, splice forms, which cells) is written with it in the report.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtri

from exoliver.collections import RESOURCES
from exoliver.contrasts import Contrast
from exoliver.design import contrast_rows
from exoliver.inference.filtering import adjust_pvalues
from exoliver.linear import LinearFit, estimate_linear, fit_linear
from exoliver.model import Model
from exoliver.programmes import DONORS_UNREPLICATED, gene_slopes, separable_donors
from exoliver.store import Expression
from exoliver.tables import PANEL, join_notes

LEVEL = 0.95
LOW_EXPRESSION = 10.0  # mean normalised count below which a balance is weak (science of the panel)
HEADLINE = (("MCL1", "BCL2L1"), ("BAX", "BAK1"))
CONVENTIONAL = (("BCL2",), ("BAX",))
MITOSIS, SURVIVIN = "cell_cycle_g2_m", "BIRC5"  # the programme that survivin follows
MITOSIS_SCORE = "mitosis_without_birc5"
MIN_MITOSIS = 3  # genes measured
ORGANISMS = ("human", "mouse", "rat")
PANEL_COLUMNS = ("human", "mouse", "rat", "role", "step", "compartment", "target_of", "scored", "citation")


@dataclass(frozen=True)
class Balance:
    """Mean expression of some genes minus that of others, on the log2 scale."""

    name: str
    anti: tuple[str, ...]
    pro: tuple[str, ...]
    is_named: bool = False  # it says in its name which genes it is of, so it is missing where one of them is


def read_panel() -> pd.DataFrame:
    """The shipped panel as text; NA where a species has no such gene."""
    return pd.read_csv(RESOURCES / "panel.tsv", sep="\t", dtype=str, keep_default_na=False, na_values=["NA"])


def panel_genes(shipped: pd.DataFrame, organism: str, *, own: Mapping[str, Sequence[str]] | None) -> pd.DataFrame:
    """The panel in the symbols of one organism.

    Parameters
    ----------
    shipped
        Of `read_panel`, columns `PANEL_COLUMNS`.
    organism
        human, mouse or rat; another organism has an empty panel.
    own
        The study's own `anti` and `pro` genes, by human symbol, in place of the shipped panel; None for that.

    Returns
    -------
    One row per gene of the organism, in pathway order: human, symbol, role, step, compartment, target_of, scored.
    """
    if organism not in ORGANISMS:
        return shipped.iloc[:0].assign(symbol=[])
    table = shipped if own is None else _own_panel(shipped, own["anti"], own["pro"], organism)
    table = table.assign(symbol=table[organism].str.split(";")).explode("symbol", ignore_index=True)
    return table[table["symbol"].notna() & (table["symbol"] != "")].reset_index(drop=True)


def _own_panel(shipped: pd.DataFrame, anti: Sequence[str], pro: Sequence[str], organism: str) -> pd.DataFrame:
    """The study's own genes; facts of genes that the shipped panel has are kept.

    A gene that the shipped panel lacks, or knows in other species only, is looked for under the name as given: it may
    be a symbol of the organism, and where it is not it is a row that says so.
    """
    roles = pd.DataFrame({"human": [*anti, *pro], "role": ["anti"] * len(anti) + ["pro"] * len(pro)})
    facts = shipped.drop(columns="role")
    table = roles.merge(facts, on="human", how="left")
    named = table[organism].fillna(table["human"])
    filled = {"step": table["step"].fillna("own"), "compartment": table["compartment"].fillna("")}
    return table.assign(scored="yes", **filled, **{organism: named})


def score_panel(
    genes: pd.DataFrame,
    contrasts: Sequence[Contrast],
    *,
    tables: Mapping[str, pd.DataFrame],
    expression: pd.DataFrame,
    samples: pd.DataFrame,
    model: Model,
    programmes: pd.DataFrame,
) -> pd.DataFrame:
    """Effects of every panel gene, and of the balances, in every contrast.

    Parameters
    ----------
    genes
        Of `panel_genes`.
    contrasts, tables
        The dataset's contrasts and their gene tables, by id; omnibus ones are left out.
    expression
        Variance-stabilised expression, samples x gene ids.
    model
        The fit, for the design, mean counts and trend.
    samples
        The sample table, for donors that are nested in arms.
    programmes
        As `mitosis_genes` takes them.

    Returns
    -------
    Gene rows carry the estimate of the negative binomial model with a normal interval (df is NA); balances, and the
    mitosis score that stands beside survivin, that of a linear model on the same design with a t interval. Each side
    of a balance is in log2: 1 is a doubling of its genes. Corrected within genes and within balances of one contrast.
    Sorted by contrast as listed, genes in pathway order first.
    """
    ids = _gene_ids(genes, tables)
    scores, notes = _balance_scores(genes, ids, expression, model)
    mitosis, (donors, reason) = mitosis_genes(genes, programmes), separable_donors(model, samples)
    if len(mitosis) >= MIN_MITOSIS:
        scores[MITOSIS_SCORE] = _log2_mean(dict(zip(mitosis, mitosis, strict=True)), expression, model)
        notes[MITOSIS_SCORE] = ""
    scores = scores * np.nan if reason == DONORS_UNREPLICATED else scores
    notes = {name: join_notes(note, reason) for name, note in notes.items()}
    fit = fit_linear(scores.to_numpy(), model.design, donors=donors) if len(scores.columns) else None
    rows = [pd.DataFrame(columns=list(PANEL))]
    for contrast in contrasts:
        if contrast.is_omnibus:
            continue
        rows.append(_gene_rows(genes, ids, contrast, tables[contrast.id]))
        rows.append(_balance_rows(scores, notes, contrast, fit, model))
    return pd.concat([block for block in rows if len(block)] or rows[:1], ignore_index=True)[list(PANEL)]


def mitosis_genes(genes: pd.DataFrame, programmes: pd.DataFrame) -> list[str]:
    """Gene ids of the mitosis programme without survivin, sorted.

    Parameters
    ----------
    genes
        Of `panel_genes`.
    programmes
        The shipped programmes in this dataset, of `genesets.map_gene_sets`; those of another organism have no row.
    """
    survivin = set(genes.loc[genes["human"] == SURVIVIN, "symbol"])
    own = programmes[(programmes["gene_set"] == MITOSIS) & ~programmes["gene"].isin(survivin)]
    return sorted(own["gene_id"].dropna())


def _gene_ids(genes: pd.DataFrame, tables: Mapping[str, pd.DataFrame]) -> dict[str, str]:
    """Gene id of every panel symbol that was counted; of several with one symbol the one with the highest mean."""
    if not tables:
        return {}
    named = next(iter(tables.values()))[["gene_id", "symbol", "base_mean"]]
    named = named[named["symbol"].isin(genes["symbol"])].sort_values("gene_id")
    named = named.sort_values("base_mean", ascending=False, kind="stable").drop_duplicates("symbol")
    return dict(zip(named["symbol"], named["gene_id"], strict=True))


def _gene_rows(genes: pd.DataFrame, ids: Mapping[str, str], contrast: Contrast, table: pd.DataFrame) -> pd.DataFrame:
    """Every panel gene in one contrast; a gene that was not counted is a row with a note."""
    found = (
        table.set_index("gene_id").reindex([ids.get(symbol, "") for symbol in genes["symbol"]]).reset_index(drop=True)
    )
    half = ndtri(0.5 + LEVEL / 2) * found["lfc_se"]
    notes = found["note"].fillna("").where([symbol in ids for symbol in genes["symbol"]], "not_measured")
    return pd.DataFrame(
        {
            "item": genes["symbol"],
            "kind": genes["role"],
            "compartment": genes["compartment"],
            "contrast": contrast.id,
            "estimate": found["log2_fold_change"],
            "se": found["lfc_se"],
            "df": np.nan,
            "ci_low": found["log2_fold_change"] - half,
            "ci_high": found["log2_fold_change"] + half,
            "pvalue": found["pvalue"],
            "padj": adjust_pvalues(found["pvalue"].to_numpy(dtype=float)),
            "base_mean": found["base_mean"],
            "note": notes,
        }
    )


def balances_of(genes: pd.DataFrame) -> list[Balance]:
    """The balances, as symbols of the organism: headline, conventional, and the whole panel with and without targets.

    One that the panel lacks a named gene of, or a whole side, is not among them.
    """

    def symbols(human: Sequence[str]) -> tuple[str, ...]:
        has_all = set(human) <= set(genes["human"])
        return tuple(genes.loc[genes["human"].isin(human), "symbol"]) if has_all else ()

    scored = genes[genes["scored"] == "yes"]
    free = scored[scored["target_of"].fillna("") == ""]

    def by_role(table: pd.DataFrame) -> tuple[tuple[str, ...], tuple[str, ...]]:
        return tuple(table.loc[table["role"] == "anti", "symbol"]), tuple(table.loc[table["role"] == "pro", "symbol"])

    balances = [
        Balance("balance_mcl1_bcl2l1_over_bax_bak1", symbols(HEADLINE[0]), symbols(HEADLINE[1]), is_named=True),
        Balance("balance_bcl2_over_bax", symbols(CONVENTIONAL[0]), symbols(CONVENTIONAL[1]), is_named=True),
        Balance("balance_anti_over_pro", *by_role(scored)),
        Balance("balance_anti_over_pro_without_nfkb_p53_targets", *by_role(free)),
    ]
    return [balance for balance in balances if balance.anti and balance.pro]


def _balance_scores(
    genes: pd.DataFrame, ids: Mapping[str, str], expression: pd.DataFrame, model: Model
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Score of each balance in every sample (n x balances), NaN where a side was not measured; and notes."""
    means = dict(zip(model.genes, model.base_mean, strict=True))
    scores, notes = {}, {}
    for balance in balances_of(genes):
        members = (*balance.anti, *balance.pro)
        lost = [symbol for symbol in members if symbol not in ids]
        low = sorted(symbol for symbol in members if symbol in ids and means[ids[symbol]] < LOW_EXPRESSION)
        families = (_families(side, ids, genes) for side in (balance.anti, balance.pro))
        anti, pro = (_log2_mean(family, expression, model) for family in families)
        scores[balance.name] = anti - pro if not (lost and balance.is_named) else np.nan
        parts = [f"low_expression:{','.join(low)}" if low else "", f"not_measured:{','.join(lost)}" if lost else ""]
        notes[balance.name] = join_notes(*parts)
    return pd.DataFrame(scores, index=expression.index), notes


def _families(side: Sequence[str], ids: Mapping[str, str], genes: pd.DataFrame) -> dict[str, str]:
    """The human gene by gene id, of the genes of one side that were counted."""
    family = dict(zip(genes["symbol"], genes["human"], strict=True))
    return {ids[symbol]: family[symbol] for symbol in side if symbol in ids}


def _log2_mean(families: Mapping[str, str], expression: pd.DataFrame, model: Model) -> pd.Series:
    """Mean expression in every sample, a doubling of all genes being 1; paralogues (mouse Bcl2a1a, b, d) count as one.

    Variance-stabilised expression shows less than a doubling where counts are low: the mean is divided by its share.
    """
    if not families:
        return pd.Series(np.nan, index=expression.index)
    slopes = pd.Series(gene_slopes(model), index=model.genes[model.tested]).reindex(list(families))
    shown = float(slopes.groupby(families).mean().mean())
    return expression[list(families)].T.groupby(families).mean().mean(axis=0).reindex(expression.index) / shown


def _balance_rows(
    scores: pd.DataFrame, notes: Mapping[str, str], contrast: Contrast, fit: LinearFit | None, model: Model
) -> pd.DataFrame:
    """Every balance in one contrast."""
    if fit is None:
        return pd.DataFrame(columns=list(PANEL))
    kinds = ["score" if name == MITOSIS_SCORE else "balance" for name in scores.columns]
    table = pd.DataFrame({"item": scores.columns, "kind": kinds, "compartment": "", "contrast": contrast.id})
    missing = dict.fromkeys(("estimate", "se", "df", "ci_low", "ci_high", "pvalue", "padj", "base_mean"), np.nan)
    if not contrast.rows:
        return table.assign(**missing, note=contrast.note)
    result = estimate_linear(fit, contrast_rows(contrast.rows, model.columns))
    estimate, (low, high) = result.estimate[:, 0], result.interval(LEVEL)
    of_contrast = model.noted_as_single(contrast.note, contrast.rows)
    texts = [join_notes(of_contrast, notes[name]) for name in scores.columns]
    return table.assign(
        estimate=estimate,
        se=result.se[:, 0],
        df=result.df[:, 0],
        ci_low=low[:, 0],
        ci_high=high[:, 0],
        pvalue=result.pvalue[:, 0],
        padj=_adjusted_by_kind(result.pvalue[:, 0], kinds),
        base_mean=np.nan,
        note=texts,
    )


def _adjusted_by_kind(pvalue: np.ndarray, kinds: Sequence[str]) -> np.ndarray:
    """Corrected within balances; the mitosis score is a family of its own."""
    is_balance = np.array([kind == "balance" for kind in kinds])
    adjusted = pvalue.copy()
    adjusted[is_balance] = adjust_pvalues(pvalue[is_balance])
    return adjusted


def gene_values(symbols: Sequence[str], expression: Expression) -> dict[str, pd.DataFrame]:
    """Normalised counts of chosen genes, sample by sample.

    Parameters
    ----------
    symbols
        The study's genes of interest: in the organism's symbols, human ones, or gene ids.
    expression
        Of the dataset.

    Returns
    -------
    One table for each name; without rows where the dataset does not have the gene.
    """
    genes, samples, normalised = expression.genes, expression.samples, expression.normalised
    tables = {}
    for name in symbols:
        matches = [genes.index[genes.index == name]]
        matches += [genes.index[genes[column] == name] for column in ("symbol", "human_symbol")]
        ids = next((list(found) for found in matches if len(found)), [])
        ids = sorted(ids, key=lambda gene: (-normalised[gene].mean(), gene))[:1]
        columns = {"sample": samples.index, "arm": samples["arm"], "time": samples["time"]}
        values = [pd.DataFrame({**columns, "normalised_count": normalised[gene]}) for gene in ids]
        tables[name] = (
            pd.concat(values, ignore_index=True) if values else pd.DataFrame(columns=[*columns, "normalised_count"])
        )
    return tables
