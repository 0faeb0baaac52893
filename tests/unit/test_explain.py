"""Validation errors in the user's words."""

from typing import Any

import pytest

from exoliver.explain import explain, guess_key
from exoliver.problems import Problem
from exoliver.study import Dataset, Settings, faults_of, schema_of
from tests.toy import make_settings, make_toy


def explained(content: dict[str, Any], model: type = Dataset) -> list[Problem]:
    """Problems of a dataset or study."""
    kind = "dataset" if model is Dataset else "study"
    _, errors = faults_of(model, content)
    return explain(errors, file="file.yaml", kind=kind, schema=schema_of(model))


def one(content: dict[str, Any], model: type = Dataset) -> Problem:
    """The only problem."""
    (problem,) = explained(content, model)
    return problem


def test_a_sound_dataset_has_no_problems() -> None:
    """Nothing is made up."""
    assert explained(make_toy().yaml) == []


@pytest.mark.parametrize(
    ("key", "value", "where", "what"),
    [
        ("samples", {"file": "a", "where": {"b": [1, None]}}, "samples.where.b", "[1, None]"),
        ("samples", {"file": "a", "where": {"b": {}}}, "samples.where.b", "{}"),
        ("samples", {"file": "a", "pool_size": 1}, "samples.pool_size", "1"),
        ("counts", {"file": "a", "identifiers": "ensembl", "columns": {"list": [5]}}, "counts.columns.list.0", "5"),
        ("counts", {"file": "a", "identifiers": "ensembl", "rename": {"x": 1}}, "counts.rename.x", "1"),
        ("time", {"column": "day", "unit": "day", "values": {"early": "one"}}, "time.values.early", "'one'"),
        ("covariates", ["a", ""], "covariates.1", "''"),
        ("contrasts", {"x": {"of": {"arm": "a"}}}, "contrasts.x.against", "missing"),
        ("contrasts", {"x": 5}, "contrasts.x", "5"),
        ("contrasts", {"x": {"of": {"arm": "a", "time": "7"}, "against": {"arm": "b"}}}, "contrasts.x.of.time", "'7'"),
        ("injury", {"onset": "early"}, "injury.onset", "'early'"),
        ("injury", {"class": "poison"}, "injury.class", "'poison'"),
    ],
)  # fmt: skip
def test_the_place_is_that_of_the_file(key: str, value: object, where: str, what: str) -> None:
    """Keys and positions as the user wrote them, without the names of models."""
    problem = one(make_toy().yaml | {key: value})
    assert problem.where == f"file.yaml: {where}"
    assert what in problem.what
    assert problem.fix


def test_a_closed_list_is_shown_or_the_nearest_word() -> None:
    """A slip has a proposal; a strange word all there are."""
    content = make_toy().yaml
    assert one(content | {"time": {"column": "day", "unit": "days"}}).fix == "write day"
    assert (
        one(content | {"time": {"column": "day", "unit": "fortnight"}}).fix == "write one of min, h, day, week, month"
    )


def test_one_place_has_one_problem() -> None:
    """A value that fits none of several kinds is told once."""
    arm = make_toy().yaml["arms"]["levels"]["treated"] | {"engineered": []}
    content = make_toy().yaml
    content["arms"]["levels"]["treated"] = arm
    assert one(content).where == "file.yaml: arms.levels.treated.engineered"


def test_faults_of_several_places_are_all_told() -> None:
    """In the order of the models."""
    content = make_toy().yaml | {"title": 5, "donor": 6, "zzz": 7}
    assert [problem.where for problem in explained(content)] == [
        f"file.yaml: {key}" for key in ("title", "donor", "zzz")
    ]


def test_a_key_that_is_misspelt_is_not_missing_as_well() -> None:
    """The one problem names the right spelling; a key that is truly missing is told."""
    content = make_toy().yaml
    content["counts"] = {"fil": "a", "identifiers": "ensembl"}
    assert one(content).fix == "did you mean 'file'?"
    content["counts"] = {"identifiers": "ensembl"}
    assert one(content).what == "is missing"


def test_a_later_key_is_not_called_misspelt() -> None:
    """It is known and said to come later, and the key in whose place it stands is not missing as well."""
    content = make_toy().yaml
    content["counts"] = {"geo": "GSE1", "identifiers": "ensembl"}
    assert one(content).what == "key 'geo' is not supported yet"
    assert one(make_settings("toy") | {"synthesis": {}}, Settings).what == "key 'synthesis' is not supported yet"


def test_long_values_are_cut() -> None:
    """A problem stays readable."""
    assert len(one(make_toy().yaml | {"organism": "X" * 500}).what) < 150


def test_only_unknown_keys_are_guessed() -> None:
    """A key of a later stage, a strange one and another kind of error have no guess."""
    schema = schema_of(Dataset)
    guesses = {}
    for key, value in (("covariats", []), ("cells", {}), ("zzz", 1), ("donor", 5)):
        _, (error,) = faults_of(Dataset, make_toy().yaml | {key: value})
        guesses[key] = guess_key(error, kind="dataset", schema=schema)
    assert guesses == {"covariats": "covariates", "cells": None, "zzz": None, "donor": None}
