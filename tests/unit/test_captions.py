"""Snakemake's own report: every file that is shown has its caption."""

import re
from pathlib import Path

import docutils.core
import pytest

from exoliver.captions import CAPTIONS, SHOWN, in_report
from tests.sources import ROOT

RULES = ROOT / "workflow" / "rules"


def test_every_entry_has_a_caption_and_every_caption_an_entry() -> None:
    """Beside them lies the text of the front page."""
    stems = {path.stem for path in (ROOT / "workflow" / "report").glob("*")}
    assert stems == {*SHOWN, "workflow"}


@pytest.mark.parametrize("name", sorted(SHOWN))
def test_a_caption_is_found_from_the_rule_files_and_is_sound(name: str) -> None:
    """Its path leads there, and its text is reStructuredText that leaves no word to complain of."""
    shown = in_report(name)
    path = (RULES / shown["caption"]).resolve()
    assert shown["caption"].startswith(CAPTIONS)
    text = path.read_text(encoding="utf-8")
    assert "system-message" not in docutils.core.publish_parts(text, writer="html")["body"]
    assert shown["category"] in ("Reports", "Figures", "Tables", "Provenance")
    wildcards = set(re.findall(r"{(\w+)}", str(shown["labels"])))
    assert wildcards <= {"dataset", *re.findall(r"{(\w+)}", str(shown.get("patterns", "")))}


def test_an_unknown_entry_is_an_error() -> None:
    """A typing error in a rule is seen when the workflow is read."""
    with pytest.raises(KeyError):
        in_report("pages")


def test_the_rules_name_entries_that_exist_once() -> None:
    """No two outputs share an entry."""
    names = [
        name
        for path in sorted(Path(RULES).glob("*.smk"))
        for name in re.findall(r'in_report\("(\w+)"\)', path.read_text(encoding="utf-8"))
    ]
    assert sorted(names) == sorted(set(names))
    assert set(names) <= set(SHOWN)
