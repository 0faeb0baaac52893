"""What all models of the study share: frozen, strict, closed; how faults across fields are raised; to and from JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StringConstraints,
    ValidationError,
    WrapSerializer,
)
from pydantic_core import PydanticCustomError

SLUG = r"[a-z0-9]+(?:_{1,2}[a-z0-9]+)*"
NAME_SLUG = r"[a-z0-9]+(?:_[a-z0-9]+)*"
SEPARATOR = "_vs_"


Value = TypeVar("Value")
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=False)]
FilePath = Annotated[Text, AfterValidator(lambda path: _short_enough(path))]
Slug = Annotated[str, StringConstraints(pattern=rf"^{NAME_SLUG}$", max_length=64)]
FrozenMap = Annotated[
    Mapping[str, Value],
    AfterValidator(MappingProxyType),
    WrapSerializer(lambda mapping, handler: handler(dict(mapping))),
]
Scalar = Annotated[Text | int | float, BeforeValidator(lambda value: _no_boolean(value))]


def wrong(what: str, fix: str) -> PydanticCustomError:
    """A fault across fields, in the two parts that the validator knows; the loader adds where."""
    return PydanticCustomError("exoliver", "{what}", {"what": what, "fix": fix})


LONGEST_NAME = 255  # bytes of a file's or folder's name, on every common file system


def _short_enough(path: str) -> str:
    """The path, if a file system can hold it: asking for a longer one is an error of the system, not of the file."""
    if any(len(part.encode("utf-8", "surrogatepass")) > LONGEST_NAME for part in path.split("/")) or len(path) > 1000:
        raise wrong("the path is too long", "correct the path (relative to the working directory)")
    return path


def _no_boolean(value: Any) -> Any:
    """The value, if it is none of YAML's booleans: a cell of a sheet is text."""
    if isinstance(value, bool):
        text = str(value).lower()
        raise wrong(f"is {text} without quotes, which is no text", f'write it in quotes, as in the sheet: "{text}"')
    return value


def nothing() -> Mapping[str, Any]:
    """An empty mapping, as a default."""
    return MappingProxyType({})


class Model(BaseModel):
    """Frozen, strict, and closed to unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


AnyModel = TypeVar("AnyModel", bound=BaseModel)


def from_plain(model: type[AnyModel], content: Any) -> AnyModel:
    """The model that plain JSON values describe.

    Raises
    ------
    pydantic.ValidationError
        The values do not fit; `faults_of` turns it into parts of problems.
    """
    return model.model_validate_json(json.dumps(content))


def each_from_plain(model: type[AnyModel], content: Mapping[str, Any]) -> dict[str, AnyModel]:
    """`from_plain` for every value of a mapping."""
    return {name: from_plain(model, value) for name, value in content.items()}


def faults_of(model: type[AnyModel], content: Any) -> tuple[AnyModel | None, list[dict[str, Any]]]:
    """The model where the content fits, and pydantic's list of errors where it does not."""
    try:
        return from_plain(model, content), []
    except ValidationError as error:
        return None, [dict(item) for item in error.errors(include_url=False)]


def plain(model: BaseModel) -> dict[str, Any]:
    """The model as plain JSON values, under the names that YAML uses."""
    return model.model_dump(mode="json", by_alias=True)


def export_schema(model: type[BaseModel]) -> str:
    """JSON schema of a model, as the text of its file."""
    return json.dumps(schema_of(model), indent=2, sort_keys=True) + "\n"


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """JSON schema of a model, under the names that YAML uses."""
    return model.model_json_schema(by_alias=True)
