"""The models of the study: closed, strict, frozen, and the same after a journey through JSON."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from exoliver.study import (
    Arm,
    Arms,
    CountsFile,
    Dataset,
    ExtraContrast,
    NoBaseError,
    Settings,
    base_of,
    each_from_plain,
    export_schema,
    faults_of,
    from_plain,
    plain,
    schema_of,
)
from tests.toy import make_settings, make_toy


def dataset(**keys: Any) -> Dataset:
    """The toy's dataset with further keys."""
    return from_plain(Dataset, make_toy().yaml | keys)


def arms(**roles: str | dict[str, Any]) -> dict[str, Arm]:
    """Arms by name, of a role each or with further keys."""
    keys = {name: {"role": said} if isinstance(said, str) else said for name, said in roles.items()}
    return each_from_plain(Arm, {name: {"value": name} | given for name, given in keys.items()})


def test_a_model_comes_back_from_its_plain_values() -> None:
    """YAML's names are used on the way out, `class` and `list` among them."""
    content = make_toy().yaml | {"injury": {"class": "toxic"}}
    content["counts"]["columns"] = {"list": ["a"]}
    first = from_plain(Dataset, content)
    written = json.loads(json.dumps(plain(first)))
    assert written["injury"]["class"] == "toxic"
    assert written["counts"]["columns"]["list"] == ["a"]
    assert from_plain(Dataset, written) == first


def test_nothing_of_a_study_can_be_changed() -> None:
    """Neither a key, nor a mapping, nor a list within it."""
    said = dataset(covariates=["batch"])
    with pytest.raises(ValidationError, match="frozen"):
        said.id = "other"  # type: ignore[misc]
    with pytest.raises(TypeError):
        said.arms.levels["x"] = said.arms.levels["healthy"]  # type: ignore[index]
    assert isinstance(said.covariates, tuple)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("title", 5), ("title", ""), ("title", True), ("covariates", "batch"), ("donor", ["a"]), ("time", "day"),
        ("id", "A"), ("id", "a__b"), ("id", "a" * 65), ("organism", "Mouse"), ("time", {"column": "a", "unit": "year"}),
        ("gene_filter", {"min_count": -1}), ("gene_filter", {"min_count": 1.5}), ("simulation", {"seed": 1}),
        ("system", {"kind": "liver"}), ("zzz", None),
    ],
)  # fmt: skip
def test_values_of_another_kind_are_refused(key: str, value: object) -> None:
    """Strings are strings, lists lists, and closed lists closed."""
    said, errors = faults_of(Dataset, make_toy().yaml | {key: value})
    assert said is None
    assert errors[0]["loc"][0] == key


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_numbers_are_finite(value: float) -> None:
    """Infinite and undefined numbers are refused."""
    assert faults_of(Settings, make_settings("toy") | {"fdr": value})[0] is None


def test_whole_numbers_stand_for_numbers() -> None:
    """`dose: 100` is a dose, and a single time a time."""
    arm = from_plain(Arm, {"role": "treated", "value": 7, "dose": 100, "doses_at": [0, 1.5]})
    assert (arm.dose, arm.doses_at, arm.value) == (100.0, (0.0, 1.5), 7)
    contrast = {"of": {"arm": "a", "time": 7}, "against": {"arm": "b", "time": [1, 7]}}
    extra = from_plain(ExtraContrast, contrast)
    assert extra.of.time == 7.0
    assert extra.against.time == (1.0, 7.0)
    assert from_plain(ExtraContrast, {"of": {"arm": "a"}, "against": {"arm": "b"}}).of.time is None


def test_defaults_are_those_of_the_contract() -> None:
    """Where a study says nothing."""
    said = from_plain(Settings, {"title": "t", "datasets": ["a.yaml"]})
    assert (said.results, said.fdr, said.seed, said.log2_fold_change_threshold) == ("results", 0.05, 1, 0)
    assert (said.collections, said.programmes) == (("programmes", "hallmark"), "programmes")
    assert (said.set_size.min, said.set_size.max) == (10, 500)
    counts = dataset().counts
    assert counts is not None
    assert (counts.values, counts.format, counts.ignore) == ("counts", "matrix", ())


@pytest.mark.parametrize("results", ["results", "out/my.results_2-b", "a/b/c"])
def test_results_lie_below_the_working_directory(results: str) -> None:
    """Folders and folders of folders."""
    assert from_plain(Settings, make_settings("toy") | {"results": results}).results == results


@pytest.mark.parametrize("results", ["..", "a/../b", "/a", "a//b", "a/", "", "a b", "~/a", "a\n"])
def test_results_elsewhere_are_refused(results: str) -> None:
    """Absolute paths, parents, and what a shell would read otherwise."""
    assert faults_of(Settings, make_settings("toy") | {"results": results})[0] is None


@pytest.mark.parametrize("gene", ["Mcl1", "H2-K1", "1700019B21Rik", "mt-Nd1", "Nkx2.1"])
def test_symbols_can_be_genes_of_interest(gene: str) -> None:
    """Dots, dashes and digits are part of symbols."""
    assert from_plain(Settings, make_settings("toy") | {"genes_of_interest": [gene]}).genes_of_interest == (gene,)


@pytest.mark.parametrize("gene", ["../a", "a/b", "", ".hidden", "a b", "-x"])
def test_a_gene_of_interest_is_no_path(gene: str) -> None:
    """Its name becomes a file's name."""
    assert faults_of(Settings, make_settings("toy") | {"genes_of_interest": [gene]})[0] is None


def test_a_path_that_no_file_system_holds_is_refused() -> None:
    """By the bytes of each part, and as a whole."""
    for path in ("é" * 128, "a/" * 600):
        _, (error,) = faults_of(CountsFile, {"file": path, "identifiers": "other"})
        assert error["ctx"]["what"] == "the path is too long"
    assert faults_of(CountsFile, {"file": "a" * 255, "identifiers": "other"})[1] == []


def test_the_facts_of_an_arm_leave_out_its_design() -> None:
    """What the report prints of a product."""
    arm = from_plain(Arm, {"role": "treated", "value": "x", "label": "X", "product": "ev", "passage": 4})
    assert arm.facts() == {"product": "ev", "passage": 4}


@pytest.mark.parametrize("name", ["A", "a b", "a_vs_b", "vs__x", "_a", "a-b", "ä", ""])
def test_an_arm_needs_a_slug(name: str) -> None:
    """It becomes a part of ids of contrasts, which `_vs_` parts."""
    _, (error,) = faults_of(Arms, {"column": "g", "levels": {name: {"role": "healthy", "value": 1}}})
    assert "cannot be the name of an arm" in error["ctx"]["what"]


@pytest.mark.parametrize("name", ["a", "bm_msc", "1d", "vsa", "a_vsb", "cvs"])
def test_slugs_are_names_of_arms(name: str) -> None:
    """Letters, digits, single underscores; `vs` may be a part of a word."""
    assert faults_of(Arms, {"column": "g", "levels": {name: {"role": "healthy", "value": 1}}})[1] == []


def test_an_arm_can_be_told_by_several_columns() -> None:
    """`where` needs no column of the arms, and stands beside arms with a value."""
    levels = {"a": {"role": "healthy", "where": {"x": "1", "y": 2}}, "b": {"role": "injured", "value": "b"}}
    assert faults_of(Arms, {"column": "g", "levels": levels})[1] == []
    assert faults_of(Arms, {"levels": {"a": levels["a"]}})[1] == []


def test_values_of_arms_are_compared_as_words() -> None:
    """1 and "1" are one value of a sheet."""
    levels = {"a": {"role": "healthy", "value": 1}, "b": {"role": "injured", "value": "1"}}
    _, (error,) = faults_of(Arms, {"column": "g", "levels": levels})
    assert error["ctx"]["what"] == "two arms have the same value"


def test_bases_follow_from_roles() -> None:
    """Healthy for the injured, injured for treated and control products; healthy arms have none."""
    levels = arms(h="healthy", i="injured", t="treated", c="control_product", p="treated_healthy", r="reference")
    assert {name: base_of(name, levels) for name in levels} == {
        "h": None, "i": "h", "t": "i", "c": "i", "p": "h", "r": None,
    }  # fmt: skip


def test_a_reference_stands_in_for_a_missing_base() -> None:
    """Where there is neither a healthy nor an injured arm."""
    levels = arms(r="reference", i="injured", t="treated")
    assert base_of("i", levels) == "r"
    assert base_of("t", arms(r="reference", t="treated")) == "r"


def test_an_injured_arm_may_have_nothing_to_be_compared_with() -> None:
    """A study of treatment need not have healthy animals."""
    assert base_of("i", arms(i="injured", t="treated")) is None


def test_against_decides_the_base() -> None:
    """Also against the usual role."""
    levels = arms(h="healthy", i="injured", j="injured", t={"role": "treated", "against": "h"})
    assert base_of("t", levels) == "h"


@pytest.mark.parametrize("against", ["none", "t"])
def test_against_names_another_arm(against: str) -> None:
    """Not itself, and not one that does not exist."""
    with pytest.raises(NoBaseError, match="no other arm"):
        base_of("t", arms(i="injured", t={"role": "treated", "against": against}))


@pytest.mark.parametrize(
    ("first", "second", "proposed"),
    [
        ({}, {"vehicle": "pbs"}, "j"),
        ({"vehicle": "oil"}, {"vehicle": "pbs"}, "j"),
        ({"vehicle": "oil"}, {}, "i"),
        ({}, {}, "i"),
    ],
)
def test_of_two_bases_the_vehicle_arm_is_proposed(first: dict[str, str], second: dict[str, str], proposed: str) -> None:
    """The arm with the treatment's own vehicle, else one with any, else the first; never taken without being asked."""
    levels = arms(
        i={"role": "injured"} | first, j={"role": "injured"} | second, t={"role": "treated", "vehicle": "pbs"}
    )
    with pytest.raises(NoBaseError, match="could be i or j") as caught:
        base_of("t", levels)
    assert f"against: {proposed}" in caught.value.fix


def test_a_treated_arm_needs_a_base() -> None:
    """An effect is an effect on something."""
    with pytest.raises(NoBaseError, match="no arm to compare"):
        base_of("t", arms(h="healthy", t="treated"))


def test_an_intake_has_what_decides_the_reading_and_no_more() -> None:
    """A title or a dose must not make counts be read again."""
    toy = make_toy().yaml
    plainly = dataset()
    told = json.loads(json.dumps(toy))
    told["title"] = "other"
    told["arms"]["levels"]["treated"] |= {"dose": 5, "label": "L", "role": "control_product"}
    changed = from_plain(Dataset, told)
    assert plainly.counts is not None
    assert plainly.samples is not None
    assert plain(plainly.intake(plainly.counts, plainly.samples)) == plain(
        changed.intake(plainly.counts, plainly.samples)
    )


@pytest.mark.parametrize("identifiers", ["ensembl", "entrez", "other"])
def test_dates_are_a_matter_of_symbols(identifiers: str) -> None:
    """`excel_dates` beside other identifiers has no meaning, and is refused."""
    content = {"file": "a", "identifiers": identifiers, "excel_dates": "keep"}
    _, (error,) = faults_of(CountsFile, content)
    assert error["ctx"]["what"] == f"excel_dates stands beside identifiers: {identifiers}"
    assert faults_of(CountsFile, content | {"identifiers": "symbol"})[1] == []
    assert faults_of(CountsFile, {"file": "a", "identifiers": identifiers})[1] == []


def test_a_simulated_effect_has_a_number_for_each_time() -> None:
    """One too few is refused."""
    simulation = {
        "seed": 1, "identifiers": "symbol", "genes": 200, "replicates": 2, "times": [1, 2], "response_genes": 0,
        "library_size": {"mean": 1e6, "spread": 0},
        "effects": {"apoptosis": {"injury": [1], "restored": {"a": [0, 1]}}},
    }  # fmt: skip
    content = {key: value for key, value in make_toy().yaml.items() if key not in ("counts", "samples")}
    _, (error,) = faults_of(Dataset, content | {"simulation": simulation})
    assert "not one number per time" in error["ctx"]["what"]


def test_every_key_has_a_description() -> None:
    """Editors and faults show it."""
    for model in (Settings, Dataset):
        schema = schema_of(model)
        for part in (schema, *schema["$defs"].values()):
            assert [key for key, node in part["properties"].items() if not node.get("description")] == []
            assert part["additionalProperties"] is False


@pytest.mark.parametrize(("name", "model"), [("study", Settings), ("dataset", Dataset)])
def test_the_exported_schema_is_that_of_the_models(name: str, model: type, root: Path, fix: bool) -> None:
    """`pytest --fix` writes it anew."""
    path = root / "config" / f"{name}.schema.json"
    if fix:
        path.write_text(export_schema(model), encoding="utf-8")
    assert path.read_text(encoding="utf-8") == export_schema(model)
