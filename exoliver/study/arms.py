"""Arms: the part that each plays in the design, the arm it is compared with, and the facts of its product."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from exoliver.roles import TREATED_ROLES
from exoliver.study.base import NAME_SLUG, SEPARATOR, FrozenMap, Model, Scalar, Slug, Text, wrong

Role = Literal["healthy", "injured", "treated", "reference", "treated_healthy", "control_product"]


class Arm(Model):
    """One arm: its place in the design, and the facts of its product."""

    role: Role = Field(description="part that the arm plays")
    value: Scalar | None = Field(None, description="its value in the arms' column")
    where: FrozenMap[Scalar] | None = Field(None, description="column to value, where several columns tell the arm")
    against: Slug | None = Field(None, description="the arm it is compared with, where several could be meant")
    at: Literal["all_times"] | None = Field(None, description="all_times: a baseline that serves every time")
    label: Text | None = Field(None, description="name in figures")
    procedure: Text | None = Field(None, description="naive, sham, ...")
    vehicle: Text | None = Field(None, description="vehicle of the product or of the injury")
    product: Literal["msc", "ev", "conditioned_medium", "drug", "other"] | None = Field(None, description="product")
    source: (
        Literal[
            "bone_marrow", "adipose", "umbilical_cord", "cord_blood", "placenta", "amnion", "dental", "induced", "other"
        ]
        | None
    ) = Field(None, description="tissue that the cells come from")
    species: Text | None = Field(None, description="species of the product")
    route: Text | None = Field(None, description="route of administration")
    dose: Annotated[float, Field(gt=0)] | None = Field(None, description="dose, in dose_unit")
    dose_unit: Text | None = Field(None, description="unit of the dose, per animal or per kilogram")
    doses_at: tuple[float, ...] | None = Field(None, description="times of the doses, in the dataset's time unit")
    lot: Text | None = Field(None, description="lot of the product")
    lot_donors: Annotated[int, Field(ge=1)] | None = Field(None, description="donors in the lot")
    passage: Annotated[int, Field(ge=0)] | None = Field(None, description="passage of the cells")
    preconditioning: Text | None = Field(None, description="preconditioning of the cells")
    engineered: Text | bool | None = Field(None, description="genetic or chemical modification")
    isolation: Text | None = Field(None, description="how the vesicles were isolated")
    particles: Annotated[float, Field(gt=0)] | None = Field(None, description="particles per dose")
    protein: Text | None = Field(None, description="protein per dose, with its unit")
    cargo: tuple[Text, ...] | None = Field(None, description="microRNAs of the vesicles; printed, not tested yet")

    def facts(self) -> dict[str, Any]:
        """What the user says of the product and procedure, without the keys of the design."""
        design = {"role", "value", "where", "against", "at", "label"}
        return self.model_dump(mode="json", exclude=design, exclude_none=True)


class Arms(Model):
    """How samples are told apart into arms."""

    column: Text | None = Field(None, description="column of the sample sheet that names the arm")
    levels: FrozenMap[Arm] = Field(min_length=1, description="the arms, by name, in the order of figures")

    @model_validator(mode="after")
    def _names_are_slugs(self) -> Arms:
        for name in self.levels:
            if not re.fullmatch(NAME_SLUG, name) or SEPARATOR in f"_{name}_":
                raise wrong(
                    f"'{name}' cannot be the name of an arm",
                    f"use small letters, digits and single underscores, without '{SEPARATOR}'; give the rest in label",
                )
        return self

    @model_validator(mode="after")
    def _levels_are_told_apart(self) -> Arms:
        for name, arm in self.levels.items():
            if (arm.value is None) == (arm.where is None):
                raise wrong(f"arm '{name}' needs either value or where", "write value (with arms.column), or where")
            if arm.value is not None and self.column is None:
                raise wrong(f"arm '{name}' has a value, but no column is named", "write arms.column")
        values = [str(arm.value) for arm in self.levels.values() if arm.value is not None]
        if len(set(values)) < len(values):
            raise wrong("two arms have the same value", "give each arm a value of its own")
        return self


BASE_ROLES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "injured": ("healthy", "reference"),
        "treated": ("injured", "reference"),
        "control_product": ("injured", "reference"),
        "treated_healthy": ("healthy", "reference"),
    }
)


class NoBaseError(ValueError):
    """An arm whose base is missing or ambiguous; says what and how to mend it."""

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(what)
        self.what, self.fix = what, fix


def base_of(name: str, levels: Mapping[str, Arm]) -> str | None:
    """The arm that an arm is compared with.

    Parameters
    ----------
    name
        The arm.
    levels
        All arms by name.

    Returns
    -------
    Name of the base; None for healthy and reference arms, and for an injured arm with nothing to compare with.

    Raises
    ------
    NoBaseError
        Several arms could be meant, the named one does not exist, or a treated arm has none.
    """
    arm = levels[name]
    if arm.against is not None:
        if arm.against not in levels or arm.against == name:
            raise NoBaseError(f"against names '{arm.against}', which is no other arm", "name one of the arms")
        return arm.against
    for role in BASE_ROLES.get(arm.role, ()):
        candidates = [other for other, level in levels.items() if level.role == role and other != name]
        if len(candidates) == 1:
            return candidates[0]
        if candidates:
            proposed = _proposed_base(arm, candidates, levels)
            known = " (the vehicle arm)" if levels[proposed].vehicle else ""
            raise NoBaseError(
                f"the base could be {' or '.join(candidates)}, and there is no against",
                f"write against: {proposed}{known}, or the other one",
            )
    if arm.role in TREATED_ROLES:
        raise NoBaseError("there is no arm to compare this one with", "give another arm the role injured or reference")
    return None


def base_or_none(name: str, levels: Mapping[str, Arm]) -> str | None:
    """As `base_of`; None too where that raises, which is told as a problem of the YAML."""
    try:
        return base_of(name, levels)
    except NoBaseError:
        return None


def _proposed_base(arm: Arm, candidates: list[str], levels: Mapping[str, Arm]) -> str:
    """The candidate with the arm's own vehicle, else one with any vehicle, else the first."""

    def rank(other: str) -> tuple[bool, bool]:
        vehicle = levels[other].vehicle
        return (vehicle is None or vehicle != arm.vehicle, vehicle is None)

    return min(candidates, key=rank)
