"""The study's own keys, and the study as a whole."""

from __future__ import annotations

from datetime import date as calendar_date
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from exoliver.study.base import FilePath, Model, Text, wrong

GENE_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"  # it is a file name too


class SetSize(Model):
    """Limits of the gene sets that are tested."""

    min: Annotated[int, Field(ge=3)] = Field(10, description="fewest members measured")
    max: Annotated[int, Field(ge=3)] = Field(500, description="most members measured")

    @model_validator(mode="after")
    def _in_order(self) -> SetSize:
        if self.min > self.max:
            raise wrong("min is above max", "swap them")
        return self


class Panel(Model):
    """Genes that replace the shipped apoptosis panel (human symbols)."""

    anti: tuple[Text, ...] = Field(min_length=1, description="anti-apoptotic genes")
    pro: tuple[Text, ...] = Field(min_length=1, description="pro-apoptotic genes")


class Settings(Model):
    """The study's own keys, without its datasets."""

    title: Text = Field(description="title of the study")
    results: Annotated[
        str,
        StringConstraints(pattern=r"^[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*$"),
        AfterValidator(lambda path: _own_folder(path)),
    ] = Field("results", description="folder that results are written to, below the working directory")
    date: (
        Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}$"), AfterValidator(lambda day: _real_date(day))]
        | None
    ) = Field(None, description="date that the provenance crate carries")
    datasets: tuple[FilePath, ...] = Field(min_length=1, description="paths of dataset YAML files; globs allowed")
    collections: tuple[FilePath, ...] = Field(
        ("programmes", "hallmark"), description="names in resources/collections.yaml, or paths of GMT or TSV files"
    )
    human_collections: tuple[FilePath, ...] = Field(
        (), description="those of the GMT and TSV files that are in human symbols, for datasets of mouse and rat"
    )
    programmes: FilePath = Field("programmes", description="the collection that is followed over time")
    genes_of_interest: tuple[Annotated[str, StringConstraints(pattern=GENE_NAME)], ...] = Field(
        (), description="symbols followed one by one"
    )
    panel: Panel | None = Field(None, description="genes in place of the shipped apoptosis panel")
    fdr: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.05, description="false discovery rate; also the alpha of independent filtering"
    )
    log2_fold_change_threshold: Annotated[float, Field(ge=0)] = Field(
        0.0, description="tested: effects beyond this on the log2 scale"
    )
    equivalence_margin: Annotated[float, Field(gt=0)] = Field(
        0.32, description="log2 effect below which two products are taken as the same; default: 80 to 125 %"
    )
    set_size: SetSize = Field(SetSize(), description="members measured that a tested gene set has")
    seed: Annotated[int, Field(ge=0)] = Field(1, description="seed of every random step")


def _own_folder(path: str) -> str:
    """The path, if it is a folder below the working directory that holds nothing else."""
    parts = [part for part in path.split("/") if part != "."]
    if ".." in parts:
        raise wrong("results leads out of the working directory", "name a folder below it")
    if not parts:
        raise wrong("results is the working directory itself", "name a folder below it")
    if parts[0].startswith(".git"):
        raise wrong("results is a folder of git", "name another folder")
    return path


def _real_date(day: str) -> str:
    """The day, if the calendar has it."""
    try:
        calendar_date.fromisoformat(day)
    except ValueError as error:
        raise wrong(f"'{day}' is no day of the calendar", "write year-month-day") from error
    return day
