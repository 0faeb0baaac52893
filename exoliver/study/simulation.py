"""The keys of a simulated dataset."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from exoliver.study.base import FrozenMap, Model, wrong


class LibrarySize(Model):
    """Library sizes of a simulated dataset."""

    mean: Annotated[float, Field(gt=0)] = Field(description="counts per sample")
    spread: Annotated[float, Field(ge=0)] = Field(description="standard deviation of the natural log")


class PlantedEffect(Model):
    """What is planted in one programme."""

    injury: tuple[float, ...] = Field(description="log2 shift of the members by the injury, at each time")
    restored: FrozenMap[tuple[float, ...]] = Field(description="treated arm to the share taken back at each time")


class Simulation(Model):
    """A simulated dataset, in place of counts and samples."""

    seed: Annotated[int, Field(ge=0)] = Field(description="seed of the random numbers")
    identifiers: Literal["ensembl", "symbol"] = Field(description="kind of gene identifier written")
    genes: Annotated[int, Field(ge=100, le=60_000)] = Field(description="number of genes")
    replicates: Annotated[int, Field(ge=1, le=100)] = Field(description="samples in each cell of arm and time")
    times: tuple[float, ...] = Field(min_length=1, description="times, in the dataset's unit")
    library_size: LibrarySize = Field(description="counts per sample")
    effects: FrozenMap[PlantedEffect] = Field(description="programme to its planted effect")
    response_genes: Annotated[int, Field(ge=0)] = Field(description="further genes that the injury moves")

    @model_validator(mode="after")
    def _one_number_per_time(self) -> Simulation:
        for programme, effect in self.effects.items():
            lengths = {len(effect.injury), *(len(shares) for shares in effect.restored.values())}
            if lengths != {len(self.times)}:
                raise wrong(f"effect of '{programme}' has not one number per time", f"write {len(self.times)} numbers")
        return self
