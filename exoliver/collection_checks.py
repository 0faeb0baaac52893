"""The user's own gene sets: whether they can be read, and whether their genes are those of the organism."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from exoliver.genesets import read_gene_sets, share_found
from exoliver.problems import Findings, Problem, fault

UNREADABLE = (OSError, EOFError, zlib.error, ValueError)  # of a damaged file of gene sets
MIN_FOUND = 0.10  # of the members; below this share the sets are in the symbols of another organism, or in no symbols


def check_collections(files: Sequence[str]) -> list[Problem]:
    """Gene-set files of the user's that cannot be read."""
    problems = []
    for file in files:
        try:
            read_gene_sets(Path(file))
        except UNREADABLE as error:
            problems.append(Problem(file, f"the gene sets cannot be read: {error}", "give a GMT or TSV file"))
    return problems


def check_own_sets(
    files: Sequence[str], genes: pd.DataFrame, *, dataset: str, organism: str, annotation: pd.DataFrame
) -> Findings:
    """Problems of gene sets that are not in the organism's symbols; unreadable ones are those of `check_collections`.

    Parameters
    ----------
    files
        Paths of gene sets.
    genes
        The dataset's genes, with the column `symbol`.
    dataset, organism
        Its id and organism.
    annotation
        Of `identifiers.read_annotation`; nothing is said of an organism without one.
    """
    findings = Findings()
    for file in files if len(annotation) else ():
        try:
            gene_sets = read_gene_sets(Path(file))
        except UNREADABLE:
            continue
        # A file of few genes may lack most members of a sound collection: then the organism still has them.
        share = max(share_found(gene_sets, known, by="symbol") for known in (genes, annotation))
        if share < MIN_FOUND:
            what = f"{share:.0%} of the genes of {file} are {organism} symbols"
            if share_found(gene_sets, annotation, by="human_symbol") >= MIN_FOUND:
                what += "; they are human symbols"
            findings += fault(f"{dataset}: collections", what, fix=f"give gene sets in {organism} symbols")
    return findings
