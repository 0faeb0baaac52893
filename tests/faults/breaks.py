"""Ways to break a sound toy study: each is a function that changes it before it is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from exoliver.identifiers import read_annotation
from tests.toy import Toy, gene_ids

Break = Callable[[Toy], object]
FIRST = "healthy_1_1"


def nothing(toy: Toy) -> None:
    """The dataset stays sound: the study's own keys are at fault."""


def put(*path: str, value: Any) -> Break:
    """Write a value into the YAML."""

    def change(toy: Toy) -> None:
        content: Any = toy.yaml
        for key in path[:-1]:
            content = content.setdefault(key, {})
        content[path[-1]] = value

    return change


def drop(*path: str) -> Break:
    """Take a key out of the YAML."""

    def change(toy: Toy) -> None:
        content: Any = toy.yaml
        for key in path[:-1]:
            content = content[key]
        del content[path[-1]]

    return change


def cell(value: Any, gene: int = 4, sample: int = 2) -> Break:
    """Write a value into one cell of the counts."""

    def change(toy: Toy) -> None:
        toy.counts = toy.counts.astype(object)
        toy.counts.iat[gene, sample] = value

    return change


def gene_named(name: str, gene: int = 4) -> Break:
    """Give one gene another id."""

    def change(toy: Toy) -> None:
        toy.counts.index = pd.Index([*toy.counts.index[:gene], name, *toy.counts.index[gene + 1 :]], name="gene_id")

    return change


def repeated(gene: int, name: str) -> Break:
    """Add a row with the counts of another one."""

    def change(toy: Toy) -> None:
        toy.counts.loc[name] = toy.counts.iloc[gene]

    return change


def as_symbols(toy: Toy) -> None:
    """Name the genes by their symbols."""
    annotation = read_annotation("mouse").dropna(subset=["gene_id"]).set_index("gene_id")
    toy.counts.index = pd.Index(annotation.loc[toy.counts.index, "symbol"], name="gene_id")
    toy.yaml["counts"]["identifiers"] = "symbol"


def capitals(toy: Toy) -> None:
    """Write the names of the genes in capitals."""
    toy.counts.index = toy.counts.index.str.upper()


def column_named(old: str, new: str) -> Break:
    """Rename a column of the counts."""

    def change(toy: Toy) -> None:
        toy.counts = toy.counts.rename(columns={old: new})

    return change


def sheet_cell(column: str, value: str, sample: str = FIRST) -> Break:
    """Write a value into one cell of the sheet."""

    def change(toy: Toy) -> None:
        toy.sheet.loc[toy.sheet["sample"] == sample, column] = value

    return change


def sheet_column(column: str, value: Callable[[Any], str]) -> Break:
    """Make or replace a column of the sheet from its rows."""

    def change(toy: Toy) -> None:
        toy.sheet[column] = [value(row) for row in toy.sheet.itertuples()]

    return change


def keep(is_kept: Callable[[Any], bool]) -> Break:
    """Keep some samples, in both files."""
    return lambda toy: toy.keep(is_kept)


def edit(file: str, old: str, new: str) -> Break:
    """Change the text of a written file."""
    return lambda toy: toy.edits.append((file, old, new))


def both(*breaks: Break) -> Break:
    """Several changes, one after the other."""

    def change(toy: Toy) -> None:
        for each in breaks:
            each(toy)

    return change


def second_injured(toy: Toy) -> None:
    """A second injured arm, made of half of the healthy one."""
    toy.sheet.loc[toy.sheet["group"].eq("healthy") & toy.sheet["donor"].eq("donor1"), "group"] = "vehicle"
    toy.levels["vehicle"] = {"role": "injured", "value": "vehicle", "vehicle": "pbs", "against": "healthy"}
    toy.levels["treated"]["vehicle"] = "pbs"


def log_values(toy: Toy) -> None:
    """Logarithms, said to be estimates."""
    toy.counts = (toy.counts.astype(float) ** 0.3).round(3)
    toy.yaml["counts"]["values"] = "estimated_counts"


def per_million(toy: Toy) -> None:
    """Values scaled to a million per sample, said to be estimates."""
    toy.counts = toy.counts / toy.counts.sum() * 1e6
    toy.yaml["counts"]["values"] = "estimated_counts"


def zeros_everywhere(toy: Toy) -> None:
    """Every gene is zero in some sample."""
    for row in range(len(toy.counts)):
        toy.counts.iat[row, row % toy.counts.shape[1]] = 0


def other_names(toy: Toy) -> None:
    """Accession numbers in place of every sample's name."""
    toy.counts = toy.counts.set_axis([f"GSM{number}" for number in range(toy.counts.shape[1])], axis=1)


def transposed(toy: Toy) -> None:
    """Samples in rows."""
    toy.counts = toy.counts.T


def surplus_cells(toy: Toy) -> None:
    """One surplus cell in the first row of the counts, which pandas alone would drop."""
    first = gene_ids()[0]
    toy.edits.append(("counts.tsv", f"{first}\t", f"{first}\t1\t1\t"))


def small_but_unmapped(toy: Toy) -> None:
    """One library has few counts of genes, and as many unmapped reads as others have counts."""
    toy.counts.isetitem(0, toy.counts[FIRST] // 40 + 1)
    toy.counts.loc["N_unmapped"] = int(toy.counts.sum().max())


def summary_rows_alone(toy: Toy) -> None:
    """One library has unmapped reads, and no count of a gene."""
    toy.counts.isetitem(0, 0)
    toy.counts.loc["N_unmapped"] = 1000
