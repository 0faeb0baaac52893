"""The spelling of ids: what they name, and how they were changed on their way."""

import pandas as pd
import pytest

from exoliver.identifier_kinds import BLANKS, bare, is_composite, is_date, kind_of, month_and_day


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Alb", "gene"),
        ("", "gene"),
        ("ERCC-00171", "spike_in"),
        ("tSpikein_ERCC-00002", "spike_in"),
        ("phiX174", "spike_in"),
        ("SVA_A:SVA:Retroposon", "transposon"),
        ("MER5A:hAT-Charlie:DNA?", "transposon"),
        ("__alignment_not_unique", "summary_row"),
        ("N_noFeature", "summary_row"),
    ],
)
def test_the_kind_follows_from_the_spelling(name: str, kind: str) -> None:
    """Genes are what nothing else is."""
    assert kind_of(name) == kind


def test_blanks_are_taken_off_at_the_ends_alone() -> None:
    """Spaces, tabs, hard spaces and marks without width; within a name they stay."""
    ids = pd.Series(["Alb", " Alb\t", "\u00a0Alb\u202f", "\ufeffAlb\u200b", "A lb"])
    assert bare(ids).tolist() == ["Alb", "Alb", "Alb", "Alb", "A lb"]
    assert len(set(BLANKS)) == len(BLANKS) > 20


@pytest.mark.parametrize(
    ("name", "identifiers"),
    [
        ("ENSMUSG00000000001|Gnai3", "ensembl"),
        ("ENSMUSG00000000001_Gnai3", "ensembl"),
        ("Gnai3_ENSMUSG00000000001.5", "symbol"),
        ("ENSG00000000003.15,ENSG00000000005.6", "ensembl"),
        ("gene:ENSG00000000003", "ensembl"),
        ("gene-Gnai3", "symbol"),
        ("Gnai3|14679", "symbol"),
        ("Gnai3;Gnai2", "symbol"),
        ("GNAI3 /// GNAI2", "symbol"),
        ("14679_Gnai3", "entrez"),
        ("14679:Gnai3", "entrez"),
    ],
)
def test_two_names_in_a_cell_are_seen(name: str, identifiers: str) -> None:
    """Whatever joins them; of identifiers that are not looked up nothing is said."""
    assert is_composite(pd.Series([name]), identifiers).tolist() == [True]
    assert is_composite(pd.Series([name]), "other").tolist() == [False]


@pytest.mark.parametrize(
    ("name", "identifiers"),
    [
        ("ENSG00000002586.20_PAR_Y", "ensembl"),
        ("ENSG00000223972.5_2", "ensembl"),
        ("ENSGR0000002586", "ensembl"),
        ("HLA-A", "symbol"),
        ("mt-Nd1", "symbol"),
        ("RP11-34P13.7", "symbol"),
        ("Gene1", "symbol"),
        ("14679", "entrez"),
        ("1_2", "entrez"),
    ],
)
def test_one_name_is_no_composite(name: str, identifiers: str) -> None:
    """Versions, Y copies, and symbols with hyphens and dots."""
    assert is_composite(pd.Series([name]), identifiers).tolist() == [False]


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("1-Mar", (3, 1)),
        ("2-Sep-21", (9, 2)),
        ("02-Sep-2021", (9, 2)),
        ("Sep-02", (9, 2)),
        ("SEP-02", (9, 2)),
        ("2-SEP", (9, 2)),
        ("2-sep", (9, 2)),
        ("2-Sept", (9, 2)),
        ("2021/9/2", (9, 2)),
        ("9/2", None),
        ("2021-09-02", (9, 2)),
        ("2021-09-02 00:00:00", (9, 2)),
        ("9/2/2021", None),
        ("02.09.21", None),
    ],
)
def test_dates_are_read_where_day_and_month_are_known(name: str, day: tuple[int, int] | None) -> None:
    """Of 9/2/2021 nobody can say which is which."""
    assert is_date(name)
    assert month_and_day(name) == day


@pytest.mark.parametrize("name", ["44256", "sep-1", "mar-12", "SEPT2", "Sep2", "2-Septin", "Arc-1", "9/2.2021", ""])
def test_names_that_resemble_dates_are_none(name: str) -> None:
    """Serial numbers and worm genes among them."""
    assert not is_date(name)
    assert month_and_day(name) is None
