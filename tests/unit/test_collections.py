"""Collections: shipped ones by name, own ones by path, and the name each has in paths."""

import re
from pathlib import Path

import pytest

from exoliver import collections
from exoliver.collections import (
    annotation_files,
    collection_files,
    collection_id,
    is_path,
    panel_file,
    shipped_collections,
)
from exoliver.study import NAME_SLUG


def test_the_default_collections_are_shipped() -> None:
    """Their names can stand in paths."""
    shipped = shipped_collections()
    assert {"programmes", "hallmark"} <= set(shipped)
    assert all(re.fullmatch(NAME_SLUG, name) for name in shipped)


def test_a_damaged_list_of_collections_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is ours, so this is no problem of the user's."""
    (tmp_path / "collections.yaml").write_text("a: 1\na: 2\n", encoding="utf-8")
    monkeypatch.setattr(collections, "RESOURCES", tmp_path)
    shipped_collections.cache_clear()
    with pytest.raises(ValueError, match=r"collections\.yaml: key 'a' is repeated"):
        shipped_collections()


@pytest.mark.parametrize(
    ("name", "path", "identity"),
    [
        ("hallmark", False, "hallmark"), ("sets.gmt", True, "sets"), ("my/Own Sets.v1.gmt.gz", True, "own_sets_v1"),
        ("a/b.tsv", True, "b"), ("a/B-2.tsv.gz", True, "b_2"), ("___.gmt", True, "collection"),
        ("a.csv", False, "a.csv"),
    ],
)  # fmt: skip
def test_a_path_is_told_by_its_suffix_and_gets_a_slug(name: str, path: bool, identity: str) -> None:
    """Names stay as they are; a file's name becomes a slug."""
    assert is_path(name) is path
    assert collection_id(name) == identity


def test_resources_are_named_where_there_are_any(tmp_path: Path) -> None:
    """Files of an organism, of a shipped and of an own collection; nothing for what does not exist."""
    assert [Path(path).name for path in annotation_files("rat")] == ["rat.tsv.gz"]
    assert annotation_files("worm") == []
    assert [Path(path).name for path in collection_files("hallmark", "mouse")] == ["hallmark_mouse.tsv.gz"]
    assert collection_files("hallmark", "worm") == collection_files("unknown", "mouse") == []
    own = tmp_path / "own.gmt"
    assert collection_files(str(own), "mouse") == []
    own.write_text("set\tabout\tMcl1\n")
    assert collection_files(str(own), "mouse") == [str(own)]
    assert Path(panel_file()).is_file()
