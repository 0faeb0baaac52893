"""One dataset: its files, samples, arms, times and facts."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from exoliver.study.arms import Arms
from exoliver.study.base import FilePath, FrozenMap, Model, Scalar, Slug, Text, nothing, wrong
from exoliver.study.simulation import Simulation


class SystemFacts(Model):
    """What the samples are of."""

    kind: Literal["tissue", "slices", "organoid", "coculture", "primary_cells", "cell_line"] = Field(
        "tissue", description="kind of system"
    )
    cell_type: Text | None = Field(None, description="cell type, where it is one")
    line: Text | None = Field(None, description="name of the cell line")


class AnimalFacts(Model):
    """Facts of the animals, printed in the report."""

    sex: Literal["male", "female", "mixed", "unknown"] | None = Field(None, description="sex of the animals")
    strain: Text | None = Field(None, description="strain")
    age: Text | None = Field(None, description="age with its unit")
    diet: Text | None = Field(None, description="diet")


class Columns(Model):
    """Which columns of the counts file are samples."""

    prefix: Text | None = Field(None, description="sample columns start with this; it is stripped")
    suffix: Text | None = Field(None, description="sample columns end with this; it is stripped")
    list: tuple[Text, ...] | None = Field(None, description="the sample columns, by name")

    @model_validator(mode="after")
    def _says_something(self) -> Columns:
        if self.list is not None and (self.prefix or self.suffix):
            raise wrong("list stands beside prefix or suffix", "keep one way of naming the sample columns")
        if self.list is None and not self.prefix and not self.suffix:
            raise wrong("names no columns", "write prefix, suffix or list")
        return self


class CountsFile(Model):
    """The count matrix."""

    file: FilePath = Field(description="path of the matrix: .tsv, .csv or .txt, gzip or not")
    identifiers: Literal["ensembl", "entrez", "symbol", "other"] = Field(description="kind of gene identifier")
    values: Literal["counts", "estimated_counts"] = Field(
        "counts", description="raw counts, or estimates (RSEM, Salmon) that are rounded and said to be so"
    )
    format: Literal["matrix", "featurecounts"] = Field("matrix", description="layout of the file")
    columns: Columns | None = Field(None, description="which columns are samples, when the file has more")
    ignore: tuple[Text, ...] = Field((), description="columns that are not samples")
    rename: FrozenMap[Text] = Field(default_factory=nothing, description="count column to sample id")
    excel_dates: Literal["keep", "repair"] | None = Field(
        None,
        description="symbols that a spreadsheet made dates (2-Sep): kept without symbol, or repaired where one gene "
        "alone can be meant; default: refused",
    )

    @model_validator(mode="after")
    def _dates_are_of_symbols(self) -> CountsFile:
        if self.excel_dates is not None and self.identifiers != "symbol":
            raise wrong(f"excel_dates stands beside identifiers: {self.identifiers}", "take it out: it is for symbols")
        return self


class SampleSheet(Model):
    """The sample sheet."""

    file: FilePath = Field(description="path of the sheet: .tsv, .csv or .xlsx")
    id: Text = Field("sample", description="column that names the samples")
    where: FrozenMap[Scalar | tuple[Scalar, ...]] = Field(
        default_factory=nothing, description="column to value (or values): only these rows are kept"
    )
    exclude: FrozenMap[Text] = Field(default_factory=nothing, description="sample id to the reason why it is left out")
    technical_replicate_of: Text | None = Field(
        None, description="column of the library; counts of equal values are summed"
    )
    unit: Literal["animal", "donor", "passage", "well", "pool"] | None = Field(None, description="what a replicate is")
    pool_size: Annotated[int, Field(ge=2)] | None = Field(None, description="animals per pool, where unit is pool")

    @model_validator(mode="after")
    def _pools_alone_have_a_size(self) -> SampleSheet:
        if self.pool_size is not None and self.unit != "pool":
            raise wrong("pool_size stands beside a unit other than pool", "write unit: pool, or take out pool_size")
        return self


class GeneFilter(Model):
    """Genes that take part in the fit."""

    min_count: Annotated[int, Field(ge=0)] = Field(10, description="count that a gene needs")
    min_samples: Annotated[int, Field(ge=0)] | None = Field(
        None, description="samples that need it; default: as many as the smallest cell of arm and time has"
    )


class Time(Model):
    """The time of each sample."""

    column: Text = Field(description="column of the sample sheet")
    unit: Literal["min", "h", "day", "week", "month"] = Field(description="unit of the numbers")
    since: Literal["injury", "first_dose", "last_dose", "diet_start"] | None = Field(
        None, description="what the time is counted from"
    )
    values: FrozenMap[float] | None = Field(None, description="word in the sheet to number")


class Injury(Model):
    """The injury model."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, populate_by_name=True)

    model: Text | None = Field(None, description="name of the model, such as CCl4")
    class_: (
        Literal[
            "toxic", "cholestatic", "metabolic", "alcohol", "viral", "autoimmune", "ischaemic", "resection",
            "transplantation", "other",
        ]
        | None
    ) = Field(None, alias="class", description="class of the injury")  # fmt: skip
    course: Literal["acute", "chronic"] | None = Field(None, description="course")
    severity: Text | None = Field(None, description="severity in words")
    onset: float | None = Field(None, description="time of the injury, in the dataset's time unit")
    ongoing: bool | None = Field(None, description="the injury goes on while the product is given")
    death: Literal["apoptosis", "necrosis", "mixed", "unknown"] | None = Field(None, description="mode of cell death")


class Cells(Model):
    """Some cells of the design: an arm at one, several or all of its times."""

    arm: Slug = Field(description="the arm")
    time: float | tuple[float, ...] | None = Field(None, description="time or times; default: all the arm has")


class Difference(Model):
    """Mean of some cells minus mean of others."""

    of: Cells = Field(description="cells that are compared")
    against: Cells = Field(description="cells that they are compared with")


class ExtraContrast(Difference):
    """A contrast beyond those derived from the roles."""

    minus: Difference | None = Field(None, description="a second difference that is taken off the first")


class Intake(Model):
    """The part of a dataset that decides which samples and counts are read, and how they are arranged."""

    id: Slug
    organism: Text
    counts: CountsFile
    samples: SampleSheet
    column: Text | None
    levels: FrozenMap[FrozenMap[Any]]
    time: Time | None
    donor: Text | None
    covariates: tuple[Text, ...]
    numeric_covariates: tuple[Text, ...]
    series: Text | None


class Dataset(Model):
    """One count matrix with its sample sheet, and what they are."""

    id: Slug = Field(description="name of the dataset, unique in the study")
    title: Text | None = Field(None, description="title in reports; default: the id")
    organism: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_ ]*$")] = Field(
        description="human, mouse or rat; another name runs without gene sets"
    )
    accession: Text | None = Field(None, description="accession, printed in the report")
    citation: Text | None = Field(None, description="citation, printed in the report")
    system: SystemFacts = Field(SystemFacts(), description="what the samples are of")
    animals: AnimalFacts | None = Field(None, description="facts of the animals")
    counts: CountsFile | None = Field(None, description="the count matrix")
    samples: SampleSheet | None = Field(None, description="the sample sheet")
    simulation: Simulation | None = Field(None, description="a simulated dataset, in place of counts and samples")
    gene_filter: GeneFilter = Field(GeneFilter(), description="genes that take part in the fit")
    arms: Arms = Field(description="the arms")
    time: Time | None = Field(None, description="the time of each sample")
    donor: Text | None = Field(None, description="column of the donor, for paired or repeated samples")
    covariates: tuple[Text, ...] = Field((), description="columns of categorical covariates")
    numeric_covariates: tuple[Text, ...] = Field((), description="columns of numeric covariates")
    series: Text | None = Field(None, description="column that tells which deposited series a sample is from")
    injury: Injury | None = Field(None, description="the injury model")
    contrasts: FrozenMap[ExtraContrast] = Field(default_factory=nothing, description="contrasts beyond those derived")

    @model_validator(mode="after")
    def _data_or_simulation(self) -> Dataset:
        if self.simulation is not None and (self.counts or self.samples):
            raise wrong("simulation stands beside counts or samples", "keep the data or the simulation")
        if self.simulation is None and (self.counts is None or self.samples is None):
            lacking = "counts" if self.counts is None else "samples"
            raise wrong(f"{lacking} is missing", f"write {lacking}: with its file (or simulation:)")
        return self

    @property
    def name(self) -> str:
        """Title, or the id where there is none."""
        return self.title or self.id

    def intake(self, counts: CountsFile, samples: SampleSheet) -> Intake:
        """What decides which counts are read, with the files (those of a simulation are not in the YAML)."""
        keys = {"value", "where", "at"}
        return Intake(
            id=self.id,
            organism=self.organism,
            counts=counts,
            samples=samples,
            column=self.arms.column,
            levels={name: arm.model_dump(mode="json", include=keys) for name, arm in self.arms.levels.items()},
            time=self.time,
            donor=self.donor,
            covariates=self.covariates,
            numeric_covariates=self.numeric_covariates,
            series=self.series,
        )
