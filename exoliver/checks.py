"""The study against its files: what would make results wrong is a problem, what weakens them a warning."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd

from exoliver.collection_checks import check_collections, check_own_sets
from exoliver.contrasts import derive_contrasts, time_label, unlike_comparators
from exoliver.counts import Material, read_parts
from exoliver.design import Design, aliased_columns, build_design
from exoliver.gene_filter import samples_needed, takes_part
from exoliver.identifier_checks import check_genes_of_interest, check_identifiers
from exoliver.identifier_kinds import BLANKS
from exoliver.identifiers import identify_genes, read_annotation, read_synonyms, sum_genes
from exoliver.problems import Findings, Problem, StudyError, fault, listed, warning
from exoliver.study import Arm, ExtraContrast, GeneFilter, Intake, NoBaseError, base_of, each_from_plain, from_plain

MIN_SHARED_GENES = (
    100  # genes counted in every sample, that size factors rest on (science of DESeq2's median of ratios)
)
MAX_LIBRARY_RATIO = 10.0
NO_COLLECTIONS: Mapping[str, str] = MappingProxyType({})


def check_dataset(
    intake: Intake,
    *,
    counts_file: str | Path,
    samples_file: str | Path,
    arms: Mapping[str, Arm],
    contrasts: Mapping[str, ExtraContrast],
    gene_filter: GeneFilter,
    collections: Mapping[str, str] = NO_COLLECTIONS,
    genes_of_interest: Sequence[str] = (),
) -> tuple[Findings, dict[str, Any]]:
    """Everything that can be said of a dataset before anything is computed.

    Parameters
    ----------
    intake
        What the YAML says of its files.
    counts_file, samples_file
        The files.
    arms
        The arms with their roles and facts.
    contrasts
        The user's own contrasts.
    gene_filter
        Genes that take part in the fit.
    collections
        The user's own gene sets: path, and the column of the genes that it names (symbol or human_symbol).
    genes_of_interest
        Names that the study follows one by one.

    Returns
    -------
    Findings, and the facts of the design for the report (empty where the files cannot be used): samples per arm and
    time, library sizes, genes, columns of the model.
    """
    parts, findings = read_parts(intake, counts_file=counts_file, samples_file=samples_file)
    annotation = read_annotation(intake.organism)
    design = counts = None
    ledger = None
    if parts.genes is not None:
        ledger = _identify(parts.genes, intake, annotation)
        of_genes = check_identifiers(ledger, parts.counts, intake=intake, annotation=annotation, where=str(counts_file))
        findings += of_genes
        if not of_genes.problems:
            findings += check_own_sets(
                collections, ledger, dataset=intake.id, organism=intake.organism, annotation=annotation
            )
            findings += check_genes_of_interest(genes_of_interest, ledger, dataset=intake.id)
    if parts.samples is not None:
        design = build_design(
            parts.samples,
            list(intake.levels),
            donor=intake.donor is not None,
            covariates=intake.covariates,
            numeric=intake.numeric_covariates,
        )
        if intake.donor is not None and not parts.samples["donor"].duplicated().any():
            findings += Findings(decisions=(f"every {intake.donor} has one sample: it is no term",))
        findings += check_design(design, str(samples_file), donor=intake.donor)
        findings += _check_contrasts(design, intake, arms, contrasts)
        findings += _check_confounding(parts.samples, intake, str(samples_file))
    if parts.counts is not None and ledger is not None:
        counts = sum_genes(parts.counts, ledger)
        findings += _check_libraries(counts, str(counts_file))
        findings += _check_shared(counts, gene_filter, design, intake=intake, where=str(counts_file))
    findings += _check_comparators(intake.id, arms)
    if design is None or counts is None or parts.samples is None:
        return findings, {}
    return findings, describe_design(Material(counts, parts.samples), design, intake=intake)


def _identify(names: Sequence[str], intake: Intake, annotation: pd.DataFrame) -> pd.DataFrame:
    """What each id is; blank and repeated ones are told as such elsewhere."""
    return identify_genes(
        [name for name in dict.fromkeys(names) if name.strip(BLANKS)],
        identifiers=intake.counts.identifiers,
        annotation=annotation,
        synonyms=read_synonyms(intake.organism),
        excel_dates=intake.counts.excel_dates,
    )


def describe_design(material: Material, design: Design, *, intake: Intake) -> dict[str, Any]:
    """Plain facts of the design for check.json."""
    unit = intake.time.unit if intake.time else None
    return {
        "samples": len(material.samples),
        "genes": len(material.counts),
        "unit": unit,
        "columns": list(design.matrix.columns),
        "residual_df": design.residual_df,
        "cells": [
            {
                "arm": cell.arm,
                "time": cell.time,
                "label": "" if cell.time is None else time_label(cell.time, str(unit)),
                "samples": count,
            }
            for cell, count in design.replicates.items()
        ],
        "library_sizes": {name: int(total) for name, total in material.counts.sum(axis=0).items()},
    }


def check_design(design: Design, where: str, *, donor: str | None) -> Findings:
    """Replication and rank: what cannot be estimated at all is a problem, what is weak a warning."""
    findings = Findings()
    replicates = design.replicates
    # Without replicates the cells alone use up the samples: that covariates cannot be told apart either is no news.
    aliased = aliased_columns(design.matrix) if max(replicates.values()) > 1 else {}
    for column, parts in aliased.items():
        made_of = f"cannot be told from {listed([design.terms[part] for part in parts])}" if parts else "never changes"
        what = f"the design is rank-deficient: {design.terms[column]} {made_of}"
        findings += fault(where, what, fix="leave that covariate out, or add samples that tell them apart")
    if max(replicates.values()) < 2:
        what = "no arm has two samples at one time, so the spread between samples cannot be estimated"
        findings += fault(where, what, fix="add replicates, or leave out the column that splits the arms (time)")
    elif design.residual_df < 1 and not aliased:
        what = f"{len(design.matrix)} samples and {design.matrix.shape[1]} columns leave no residual degrees of freedom"
        findings += fault(where, what, fix="add replicates, or take out a covariate")
    else:
        few = [f"{design.terms[cell.name]} ({count})" for cell, count in replicates.items() if count < 3]
        if few:
            what = f"fewer than three samples: {listed(few)}"
            findings += warning(
                where, what, fix="read these effects with care; those of single samples say unreplicated"
            )
    if design.nested_donor and donor is not None:
        what = f"every {donor} is in one arm only, so it is left out of the model of genes"
        findings += warning(
            where, what, fix="samples of one donor are treated as independent; p-values may be too small"
        )
    return findings


def _check_shared(
    counts: pd.DataFrame, gene_filter: GeneFilter, design: Design | None, *, intake: Intake, where: str
) -> Findings:
    """Enough genes are counted in every sample, and enough of them take part in the fit."""
    if (counts.sum(axis=0) == 0).any():
        return Findings()  # told as an empty library
    everywhere = (counts > 0).all(axis=1).to_numpy()
    if everywhere.sum() < MIN_SHARED_GENES:
        what = f"only {everywhere.sum()} genes are counted in every sample; size factors need {MIN_SHARED_GENES}"
        return fault(where, what, fix="leave out the emptiest samples by samples.exclude")
    if design is None:
        return Findings()
    replicates = design.replicates.values()
    passes = takes_part(counts.to_numpy().T, gene_filter, replicates=replicates)
    shared = int((passes & everywhere).sum())
    if shared >= MIN_SHARED_GENES:
        return Findings()
    rule = f"a count of {gene_filter.min_count} in {samples_needed(gene_filter, replicates)} samples"
    what = f"no gene of {len(counts)} has {rule}"
    if passes.any():
        what = f"of {passes.sum()} genes with {rule}, {shared} are counted in every sample"
        what += f"; size factors need {MIN_SHARED_GENES}"
    return fault(f"{intake.id}: gene_filter", what, fix="lower gene_filter.min_count or gene_filter.min_samples")


def _check_libraries(counts: pd.DataFrame, where: str) -> Findings:
    """Library sizes that differ a lot are a warning."""
    totals = counts.sum(axis=0)
    if (totals == 0).any():
        what = f"samples without any count of a gene: {listed(totals.index[totals == 0])}"
        return fault(where, what, fix="leave them out by samples.exclude")
    ratio = totals.max() / totals.min()
    if ratio <= MAX_LIBRARY_RATIO:
        return Findings()
    what = f"library sizes differ {ratio:.0f}-fold ({totals.idxmin()} has {totals.min():,} counts)"
    return warning(where, what, fix="look at this sample in the report; leave it out by samples.exclude if it failed")


def _check_contrasts(
    design: Design, intake: Intake, arms: Mapping[str, Arm], extra: Mapping[str, ExtraContrast]
) -> Findings:
    """Contrasts that cannot be estimated: a problem where the user asked for it, else a warning."""
    unit = intake.time.unit if intake.time else None
    try:
        contrasts = derive_contrasts(arms, cells=design.cells, unit=unit, extra=extra)
    except NoBaseError:
        return Findings()  # the problem of that arm is among those of the YAML
    ids = [contrast.id for contrast in contrasts]
    findings = Findings()
    for name in sorted(set(extra) & set(ids[: len(ids) - len(extra)])):
        what = f"'{name}' is the id of a contrast that is derived from the roles"
        findings += fault(f"{intake.id}: contrasts.{name}", what, fix="give it another name, or take it out")
    for contrast in contrasts:
        if contrast.rows or contrast.form != "extra" or not _has_arms(extra[contrast.id], arms):
            continue
        what = (
            "its two sides are the same cells" if contrast.note == "cancels_out" else "a cell it names has no samples"
        )
        present = listed(design.terms[cell.name] for cell in design.cells)
        findings += fault(f"{intake.id}: contrasts.{contrast.id}", what, fix=f"cells with samples: {present}")
    lost = [contrast.id for contrast in contrasts if not contrast.rows and contrast.form != "extra"]
    if lost:
        fix = "where one arm serves every time, write at: all_times in that arm"
        findings += warning(intake.id, f"cannot be estimated, as an arm lacks the time: {listed(lost)}", fix=fix)
    return findings + _check_bases(arms, intake) + _check_unequal_times(contrasts, intake)


def _check_bases(arms: Mapping[str, Arm], intake: Intake) -> Findings:
    """A product on healthy animals that nothing can be compared with has no contrasts."""
    alone = [name for name, arm in arms.items() if arm.role == "treated_healthy" and base_of(name, arms) is None]
    if not alone:
        return Findings()
    what = f"there is no arm to compare {listed(alone)} with, so that it has no contrasts of its own"
    return warning(f"{intake.id}: arms", what, fix="give another arm the role healthy or reference, or write against")


def _has_arms(contrast: ExtraContrast, arms: Mapping[str, Arm]) -> bool:
    """Every arm that a contrast names exists; one that does not is among the problems of the YAML."""
    parts = [contrast, *([contrast.minus] if contrast.minus else [])]
    return all(cells.arm in arms for part in parts for cells in (part.of, part.against))


def _check_unequal_times(contrasts: Sequence[Any], intake: Intake) -> Findings:
    """Averaged effects that leave times out."""
    partial = [
        f"{contrast.id} ({contrast.note})" for contrast in contrasts if contrast.note.startswith("times_left_out")
    ]
    if not partial:
        return Findings()
    return warning(intake.id, f"averaged over the shared times only: {listed(partial)}", fix="compare like with like")


def _check_comparators(dataset: str, arms: Mapping[str, Arm]) -> Findings:
    """Naive healthy against vehicle-injured confounds the injury with vehicle and procedure."""
    naive, vehicle = unlike_comparators(arms)
    if not naive:
        return Findings()
    what = f"{listed(naive)} is naive, {listed(vehicle)} was given a vehicle: the injury effect holds the vehicle's too"
    return warning(
        dataset, what, fix="read injury effects with this in mind; a sham or vehicle arm would tell them apart"
    )


def _check_confounding(samples: pd.DataFrame, intake: Intake, where: str) -> Findings:
    """Covariates and series with one level only, or with levels that lie within single arms."""
    findings = Findings()
    for name in [*intake.covariates, *(["series"] if intake.series else [])]:
        arms_by_level = samples.groupby(name)["arm"].nunique()
        within = arms_by_level.index[arms_by_level == 1]
        place = f"{where}: {name}"
        if len(arms_by_level) == 1 and name in intake.covariates:
            what = f"every sample has the same {name}"
            findings += warning(place, what, fix="take it out of the covariates: it changes nothing")
        elif len(within) == len(arms_by_level) > 1:
            what = f"every level of {name} is in one arm only: it cannot be told from the arms"
            findings += warning(place, what, fix="differences between arms may be differences of it")
        elif len(within):
            named = listed(f"{level} ({samples.loc[samples[name] == level, 'arm'].iloc[0]})" for level in within)
            what = f"levels of {name} that are in one arm only: {named}"
            findings += warning(place, what, fix="their samples say nothing of the difference between arms")
    return findings


def check_entry(
    dataset: str,
    *,
    problems: Sequence[Mapping[str, str]],
    intake: Mapping[str, Any] | None,
    sources: Mapping[str, str],
    arms: Mapping[str, Any] | None,
    contrasts: Mapping[str, Any] | None,
    gene_filter: Mapping[str, Any] | None,
    collections: Mapping[str, str] = NO_COLLECTIONS,
    genes_of_interest: Sequence[str] = (),
) -> dict[str, Any]:
    """The content of check.json: problems of YAML and data, warnings, decisions and facts.

    Parameters
    ----------
    dataset
        Its id.
    problems
        Those of its YAML.
    intake, arms, contrasts, gene_filter
        Plain values of the YAML's parts; None where it cannot be read, and then no file is looked at.
    sources
        Paths of `counts` and `samples`.
    collections
        The user's own gene sets: path, and the column of the genes that it names (symbol or human_symbol).
    genes_of_interest
        Names that the study follows one by one.
    """
    findings = Findings()
    facts: dict[str, Any] = {}
    if intake is not None:
        findings, facts = check_dataset(
            from_plain(Intake, intake),
            counts_file=sources["counts"],
            samples_file=sources["samples"],
            arms=each_from_plain(Arm, arms or {}),
            contrasts=each_from_plain(ExtraContrast, contrasts or {}),
            gene_filter=from_plain(GeneFilter, gene_filter or {}),
            collections=collections,
            genes_of_interest=genes_of_interest,
        )
    return {
        "dataset": dataset,
        "problems": [*map(dict, problems), *(problem.as_dict() for problem in findings.problems)],
        "warnings": [warning.as_dict() for warning in findings.warnings],
        "decisions": list(findings.decisions),
        "design": facts,
    }


def merge_study(
    of_study: Sequence[Mapping[str, str]], checks: Sequence[Mapping[str, Any]], *, collections: Iterable[str]
) -> dict[str, Any]:
    """The content of preflight.json: problems of the study's YAML and gene sets, and the checks of all datasets.

    Parameters
    ----------
    of_study
        Problems of the study's own YAML.
    checks
        Of `check_entry`, one for each dataset.
    collections
        Paths of gene sets that the user names.
    """
    problems = [*map(dict, of_study), *(problem.as_dict() for problem in check_collections(collections))]
    return {"problems": problems, "datasets": sorted(checks, key=lambda check: check["dataset"])}


def report_problems(preflight: Mapping[str, Any]) -> None:
    """Raise every problem of a preflight at once.

    Raises
    ------
    StudyError
        There is a problem.
    """
    found = [*preflight["problems"], *(problem for check in preflight["datasets"] for problem in check["problems"])]
    if found:
        raise StudyError([Problem(**problem) for problem in found])
