"""The user's own gene sets: whether they can be read, and whether their genes are those of the organism."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from exoliver.genesets import clashing_halves, read_gene_sets, share_found
from exoliver.problems import Findings, Problem, fault, listed

UNREADABLE = (OSError, EOFError, zlib.error, ValueError)  # of a damaged file of gene sets
MIN_FOUND = 0.10  # of the members; below this share the sets are in the symbols of another organism, or in no symbols


def check_collections(files: Iterable[str]) -> list[Problem]:
    """Gene-set files of the user's that cannot be read."""
    problems = []
    for file in files:
        try:
            gene_sets = read_gene_sets(Path(file))
        except UNREADABLE as error:
            problems.append(Problem(file, f"the gene sets cannot be read: {error}", "give a GMT or TSV file"))
            continue
        clash = clashing_halves(gene_sets)
        if clash:
            what = f"sets are called as halves of signed sets will be: {listed(clash)}"
            problems.append(Problem(file, what, "rename these sets"))
    return problems


def check_own_sets(
    files: Mapping[str, str], genes: pd.DataFrame, *, dataset: str, organism: str, annotation: pd.DataFrame
) -> Findings:
    """Problems of gene sets that are not in the organism's symbols; unreadable ones are those of `check_collections`.

    Parameters
    ----------
    files
        Paths of gene sets, with the column of the genes that each names: `symbol` or `human_symbol`.
    genes
        The dataset's genes, with these two columns.
    dataset, organism
        Its id and organism.
    annotation
        Of `identifiers.read_annotation`; nothing is said of an organism without one.
    """
    findings = Findings()
    for file, by in files.items() if len(annotation) else ():
        try:
            gene_sets = read_gene_sets(Path(file))
        except UNREADABLE:
            continue
        # A file of few genes may lack most members of a sound collection: then the organism still has them.
        share = max(share_found(gene_sets, known, by=by) for known in (genes, annotation))
        if share < MIN_FOUND:
            findings += _foreign(file, gene_sets, by, share=share, dataset=dataset, organism=organism, known=annotation)
    return findings


def _foreign(
    file: str, gene_sets: pd.DataFrame, by: str, *, share: float, dataset: str, organism: str, known: pd.DataFrame
) -> Findings:
    """The problem of sets whose genes are hardly found, with the likely cause and what maps them."""
    members = gene_sets["gene"].nunique()
    naming = "human symbols with an ortholog" if by == "human_symbol" else f"{organism} symbols"
    what = f"{round(share * members)} of the {members} genes of {file} ({share:.0%}) are {naming}"
    other = "symbol" if by == "human_symbol" else "human_symbol"
    if share_found(gene_sets, known, by=other) < MIN_FOUND:
        return fault(f"{dataset}: collections", what, fix=f"give gene sets in {organism} or in human symbols")
    if other == "human_symbol":
        fix = f"write human_collections: [{file}] in the study, which maps them through orthologs"
        return fault(f"{dataset}: collections", f"{what}; they are human symbols", fix=fix)
    fix = f"take {file} out of human_collections"
    return fault(f"{dataset}: collections", f"{what}; they are {organism} symbols", fix=fix)
