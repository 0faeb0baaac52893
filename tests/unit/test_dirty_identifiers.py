"""Dirty gene ids, one kind at a time: each ends in rows of the ledger or in a problem, and nothing is lost unseen."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exoliver import checks
from exoliver.checks import check_dataset
from exoliver.identifiers import NO_ORTHOLOG, read_annotation, read_synonyms
from exoliver.importing import Imported, import_counts, read_intake
from exoliver.problems import Findings
from exoliver.study import Dataset, from_plain, plain
from exoliver.tables import IDENTIFIERS, LEDGER, read_table, write_table
from tests.toy import Toy, gene_ids, make_toy, write_toy

annotation_of, synonyms_of = cache(read_annotation), cache(read_synonyms)
PLACE = 4  # rows from this one on are made dirty


def toy_of(organism: str, identifiers: str = "ensembl") -> Toy:
    """A sound dataset of an organism under one kind of identifiers."""
    toy = make_toy()
    toy.yaml["organism"] = organism
    toy.yaml["counts"]["identifiers"] = identifiers
    ids = list(gene_ids(organism))
    if identifiers != "ensembl":
        annotation = annotation_of(organism).drop_duplicates(identifiers)
        annotation = annotation.dropna(subset=["human_symbol", "entrez_lookup"])
        annotation = annotation[annotation["symbol_lookup"] == "yes"].drop_duplicates("entrez_lookup")
        annotation = annotation[annotation["entrez"] == annotation["entrez_lookup"]]
        ids = annotation[identifiers].iloc[: len(ids)].tolist()
    toy.counts.index = pd.Index(ids, name="gene_id")
    return toy


def renamed(*names: str) -> Callable[[Toy], None]:
    """Give the genes from `PLACE` on these names."""

    def change(toy: Toy) -> None:
        ids = toy.counts.index.tolist()
        toy.counts.index = pd.Index([*ids[:PLACE], *names, *ids[PLACE + len(names) :]], name="gene_id")

    return change


def each(change: Callable[[str], str]) -> Callable[[Toy], None]:
    """Change every name."""
    return lambda toy: setattr(toy, "counts", toy.counts.rename(index=change))


def also(name: Callable[[str], str], factor: int) -> Callable[[Toy], None]:
    """A second row of the gene at `PLACE`, with another name and its counts times a factor."""

    def change(toy: Toy) -> None:
        toy.counts.loc[name(toy.counts.index[PLACE])] = toy.counts.iloc[PLACE] * factor

    return change


def dates(what: str | None) -> Callable[[Toy], None]:
    """What the YAML says of dates."""
    return lambda toy: toy.yaml["counts"].update(excel_dates=what)


@dataclass(frozen=True)
class Dirty:
    """A way to spoil ids, and what must come of it: notes (and symbols) by id, or one problem."""

    name: str
    organism: str
    identifiers: str
    breaks: tuple[Callable[[Toy], object], ...]
    notes: Mapping[str, str] = field(default_factory=dict)
    symbols: Mapping[str, str | None] = field(default_factory=dict)
    ledger: Mapping[tuple[str, str], int] = field(default_factory=dict)
    what: str = ""
    fix: str = ""
    warns: str = ""


MOUSE, RAT, HUMAN = (gene_ids(organism)[PLACE] for organism in ("mouse", "rat", "human"))
NBSP, HYPHEN, ALPHA = "\u00a0", "\u2011", "\u03b1"

KEPT = (
    Dirty("versions", "mouse", "ensembl", (each(lambda name: f"{name}.3"),), {f"{MOUSE}.3": "version_stripped"},
          ledger={("kept_with_human_symbol", ""): 300}),
    Dirty("versions lifted to another assembly", "human", "ensembl", (renamed(f"{HUMAN}.5_2"),),
          {f"{HUMAN}.5_2": "version_stripped"}),
    Dirty("two versions of a gene", "mouse", "ensembl",
          (renamed(f"{MOUSE}.4"), also(lambda name: f"{name[:-1]}5", factor=2)),
          {f"{MOUSE}.4": "version_stripped;summed", f"{MOUSE}.5": "version_stripped;summed"},
          ledger={("kept_with_human_symbol", ""): 300, ("summed_into_another", ""): 1}),
    Dirty("two versions of a gene that is not counted", "mouse", "ensembl",
          (also(lambda name: f"{name}.5", factor=0), also(lambda name: f"{name}.6", factor=0)),
          {f"{MOUSE}.5": "version_stripped;summed"}, ledger={("summed_into_another", ""): 2}),
    Dirty("a Y copy", "human", "ensembl", (renamed("ENSG00000002586.20_PAR_Y"),),
          {"ENSG00000002586": "", "ENSG00000002586.20_PAR_Y": "version_stripped;par_y"},
          {"ENSG00000002586": "CD99", "ENSG00000002586.20_PAR_Y": "CD99"},
          ledger={("kept_with_human_symbol", ""): 300}),
    Dirty("an old Y copy", "human", "ensembl", (renamed("ENSGR0000002586"),),
          {"ENSG00000002586": "", "ENSGR0000002586": "par_y"}, {"ENSGR0000002586": "CD99"}),
    Dirty("dates that are kept", "mouse", "symbol", (renamed("2-Sep", "Mar-01"), dates("keep")),
          {"2-Sep": "excel_date;not_in_annotation", "Mar-01": "excel_date;not_in_annotation"},
          {"2-Sep": None, "Mar-01": None}, ledger={("kept_without_symbol", "excel_date"): 2}),
    Dirty("dates that are repaired", "mouse", "symbol", (renamed("6-Sep", "2021-03-05", "1-Mar", "1-Dec"),
          dates("repair")),
          {"6-Sep": "excel_date_repaired", "2021-03-05": "excel_date_repaired",
           "1-Mar": "excel_date;not_in_annotation", "1-Dec": "excel_date;not_in_annotation"},
          {"6-Sep": "Septin6", "2021-03-05": "Marchf5", "1-Mar": None},
          ledger={("kept_without_symbol", "excel_date"): 2}),
    Dirty("dates of human genes", "human", "symbol", (renamed("Sep-14", "1-Dec", "4-Apr"), dates("repair")),
          {"Sep-14": "excel_date_repaired", "1-Dec": "excel_date_repaired", "4-Apr": "excel_date;not_in_annotation"},
          {"Sep-14": "SEPTIN14", "1-Dec": "DELEC1"}),
    Dirty("a date whose gene has a row", "rat", "symbol", (renamed("2-Sep", "Septin2"), dates("repair")),
          {"2-Sep": "excel_date;not_in_annotation"}, {"2-Sep": None, "Septin2": "Septin2"}),
    Dirty("two dates of one gene", "mouse", "symbol", (renamed("2-Sep", "Sep-02"), dates("repair")),
          {"2-Sep": "excel_date;not_in_annotation", "Sep-02": "excel_date;not_in_annotation"}),
    Dirty("symbols that became numbers", "mouse", "symbol", (renamed("2.31E+13"), dates("keep")),
          {"2.31E+13": "excel_number;not_in_annotation"}, {"2.31E+13": None}),
    Dirty("ERCC spike-ins", "mouse", "ensembl", (renamed("ERCC-00002", "ERCC_00003", "gSpikein_ERCC-00004"),),
          dict.fromkeys(("ERCC-00002", "ERCC_00003", "gSpikein_ERCC-00004"), "set_aside"),
          ledger={("set_aside", "spike_in"): 3, ("kept_with_human_symbol", ""): 297}),
    Dirty("SIRVs", "human", "symbol", (renamed("SIRV1", "SIRV4001"),), {"SIRV1": "set_aside"},
          ledger={("set_aside", "spike_in"): 2}),
    Dirty("transposons", "mouse", "symbol", (renamed("L1MdA_I:L1:LINE", "B2_dup7:B2:B2:SINE"),),
          {"L1MdA_I:L1:LINE": "set_aside"}, ledger={("set_aside", "transposon"): 2}),
    Dirty("summary rows", "mouse", "entrez", (renamed("__no_feature", "N_unmapped", "Unassigned_Ambiguity"),),
          {"__no_feature": "set_aside"}, ledger={("set_aside", "summary_row"): 3}),
    Dirty("few symbols among Ensembl ids", "mouse", "ensembl", (renamed("Alb", "LRG_1"),),
          dict.fromkeys(("Alb", "LRG_1"), "not_an_ensembl_id;not_in_annotation"), {"Alb": None},
          ledger={("kept_without_symbol", "not_an_ensembl_id"): 2}),
    Dirty("many symbols among Ensembl ids", "mouse", "ensembl", (renamed(*(f"Gene{n}" for n in range(30))),),
          {"Gene7": "not_an_ensembl_id;not_in_annotation"}, warns="30 are no Ensembl ids of genes, such as Gene0",
          ledger={("kept_without_symbol", "not_an_ensembl_id"): 30}),
    Dirty("Entrez ids as floats", "human", "entrez", (each(lambda name: f"{name}.0"),), {"7105.0": "float_id"},
          {"7105.0": "TSPAN6"}, ledger={("kept_with_human_symbol", ""): 300}),
    Dirty("an Entrez id, and the same as a float", "human", "entrez", (renamed("213"), also(lambda _: "213.0", 3)),
          {"213": "summed", "213.0": "float_id;summed"}, {"213.0": "ALB"}, ledger={("summed_into_another", ""): 1}),
    Dirty("trailing spaces", "mouse", "ensembl", (each(lambda name: f"{name} "),),
          {f"{MOUSE} ": "whitespace_stripped"}, ledger={("kept_with_human_symbol", ""): 300}),
    Dirty("hard spaces and tabs", "mouse", "symbol", (renamed(f"Alb{NBSP}", "\tMcl1", "\u200bBax"),),
          dict.fromkeys((f"Alb{NBSP}", "\tMcl1", "\u200bBax"), "whitespace_stripped"), {f"Alb{NBSP}": "Alb"}),
    Dirty("an id with a space, and without", "mouse", "symbol", (renamed("Alb"), also(lambda name: f"{name} ", 2)),
          {"Alb": "summed", "Alb ": "whitespace_stripped;summed"}, ledger={("summed_into_another", ""): 1}),
    Dirty("a spike-in with a space", "mouse", "ensembl", (renamed("ERCC-00002 "),),
          {"ERCC-00002 ": "whitespace_stripped;set_aside"}),
    Dirty("letters beyond ASCII", "mouse", "symbol", (renamed(f"Hba{HYPHEN}a1", f"Tnf{ALPHA}"),),
          dict.fromkeys((f"Hba{HYPHEN}a1", f"Tnf{ALPHA}"), "non_ascii;not_in_annotation"),
          ledger={("kept_without_symbol", "non_ascii"): 2}),
    Dirty("one cell with two names", "mouse", "ensembl", (renamed(f"{MOUSE}|Alb"),),
          {f"{MOUSE}|Alb": "composite_id;not_in_annotation"}, ledger={("kept_without_symbol", "composite_id"): 1}),
    Dirty("synonyms", "human", "symbol", (renamed("SEPT2", "MARCH1", "P53"),),
          dict.fromkeys(("SEPT2", "MARCH1", "P53"), "synonym"),
          {"SEPT2": "SEPTIN2", "MARCH1": "MARCHF1", "P53": "TP53"}, ledger={("kept_with_human_symbol", ""): 300}),
    Dirty("a synonym of a symbol that is there", "mouse", "symbol", (renamed("Sept2", "Septin2"),),
          {"Sept2": "synonym_of_present;not_in_annotation", "Septin2": "ambiguous_symbol"},
          ledger={("kept_without_symbol", "synonym_of_present"): 1}),
    Dirty("two synonyms of one symbol", "mouse", "symbol", (renamed("Sept2", "Nedd5"),),
          dict.fromkeys(("Sept2", "Nedd5"), "synonym_shared;not_in_annotation"),
          ledger={("kept_without_symbol", "synonym_shared"): 2}),
    Dirty("a synonym of several genes", "human", "symbol", (renamed("p38"),), {"p38": "not_in_annotation"},
          {"p38": "p38"}, ledger={("kept_without_symbol", "not_in_annotation"): 1}),
    Dirty("a few human symbols in a rat", "rat", "symbol", (renamed("STAT1", "ALB"),),
          dict.fromkeys(("STAT1", "ALB"), "not_in_annotation")),
    Dirty("a gene without one human ortholog", "mouse", "ensembl", (renamed("ENSMUSG00000099974"),),
          {"ENSMUSG00000099974": "shared_human_ortholog"}, {"ENSMUSG00000099974": "Bcl2a1d"},
          ledger={("kept_with_symbol", "shared_human_ortholog"): 1}),
)  # fmt: skip

REFUSED = (
    Dirty("dates", "mouse", "symbol", (renamed("2-Sep"),),
          what="symbols that a spreadsheet made dates or numbers (1): 2-Sep",
          fix="keep (they stay, without symbol) or repair (2-Sep is given the present symbol of SEPT2"),
    Dirty("exact duplicates", "mouse", "symbol", (renamed("Alb", "Alb"),), what="gene ids are repeated: Alb",
          fix="one row per gene"),
    Dirty("duplicates of a date", "human", "symbol", (renamed("1-Mar", "1-Mar"), dates("repair")),
          what="gene ids are repeated: 1-Mar", fix="restore the symbols"),
    Dirty("a row that repeats another", "mouse", "ensembl", (also(lambda name: f"{name}.2", factor=1),),
          what=f"the same counts in every sample, as if one repeats the other: {MOUSE}, {MOUSE}.2",
          fix="keep one row of each gene"),
    Dirty("upper-cased rat symbols", "rat", "symbol", (each(str.upper),),
          what="more would be in another case: ARSJ, GAD1, ALX4 and 293 more; these look like human symbols, or",
          fix="restore the symbols of rat (Arsj) or give Ensembl ids"),
    Dirty("human symbols in a mouse", "mouse", "symbol",
          (lambda toy: setattr(toy, "counts", toy_of("human", "symbol").counts),),
          what="these look like human symbols", fix="write organism: human if they are human"),
    Dirty("mouse symbols in a human", "human", "symbol",
          (lambda toy: setattr(toy, "counts", toy_of("mouse", "symbol").counts),),
          what="these look like symbols of another species", fix="correct organism"),
    Dirty("Entrez ids with exponents", "human", "entrez", (renamed("1e+05", "1.2e4"),),
          what="Entrez ids with an exponent, which cuts digits off (2): 1e+05, 1.2e4",
          fix="(1e+05 is 100000)"),
    Dirty("a blank id", "mouse", "ensembl", (renamed(""),), what="a gene has no id", fix="fill it in"),
    Dirty("ids of blanks", "mouse", "ensembl", (renamed("  ", NBSP),), what="2 genes have no id: rows 5, 6",
          fix="take the row out"),
    Dirty("Ensembl ids with symbols", "mouse", "ensembl", (each(lambda name: f"{name}_Alb{name[-4:]}"),),
          what="300 of 300 ids hold two names", fix="leave the ensembl id alone in the first column"),
    Dirty("symbols with Entrez ids", "human", "symbol", (each(lambda name: f"{name}|12"),),
          what="hold two names, or a tag before the name: TSPAN6|12", fix="leave the symbol id alone"),
    Dirty("Entrez ids with symbols", "human", "entrez", (each(lambda name: f"{name}_Alb"),),
          what="300 of 300 ids hold two names", fix="counts.ignore"),
    Dirty("tags of GFF3", "mouse", "symbol", (each(lambda name: f"gene-{name}"),),
          what="or a tag before the name: gene-", fix="leave the symbol id alone"),
    Dirty("tags before Ensembl ids", "mouse", "ensembl", (each(lambda name: f"gene:{name}"),),
          what="or a tag before the name: gene:ENSMUSG", fix="leave the ensembl id alone"),
    Dirty("Ensembl ids of another species", "mouse", "ensembl",
          (lambda toy: setattr(toy, "counts", toy_of("rat").counts),),
          what="0 of 300 ids (0%) are mouse ensembl ids (such as ENSRNOG", fix="write organism: rat"),
    Dirty("Ensembl ids of a species that is not shipped", "human", "ensembl",
          (each(lambda name: f"ENSSSCG{name[-11:]}"),), what="they are Ensembl ids of pig", fix="write organism: pig"),
    Dirty("transcripts", "mouse", "ensembl", (each(lambda name: name.replace("G0", "T0")),),
          what="they name transcripts", fix="sum the transcripts of each gene"),
    Dirty("RefSeq", "human", "entrez", (each(lambda name: f"NM_{name}.1"),), what="they name transcripts",
          fix="sum the transcripts of each gene"),
    Dirty("Entrez ids called symbols", "human", "symbol",
          (lambda toy: setattr(toy, "counts", toy_of("human", "entrez").counts),),
          what="they look like Entrez ids", fix="write counts.identifiers: entrez"),
)  # fmt: skip


def spoilt(dirty: Dirty) -> Toy:
    """The toy with its dirt."""
    toy = toy_of(dirty.organism, dirty.identifiers)
    for change in dirty.breaks:
        change(toy)
    return toy


def ended(toy: Toy, folder: Path) -> tuple[Findings, Imported | None]:
    """What the check says of a dataset, and the dataset as it is imported where there is no problem."""
    write_toy(toy, folder)
    said = from_plain(Dataset, toy.yaml)
    assert said.counts is not None
    assert said.samples is not None
    intake = said.intake(said.counts, said.samples)
    files = {"counts": str(folder / "toy/counts.tsv"), "samples": str(folder / "toy/samples.tsv")}
    findings, _ = check_dataset(
        intake,
        counts_file=files["counts"],
        samples_file=files["samples"],
        arms=said.arms.levels,
        contrasts=said.contrasts,
        gene_filter=said.gene_filter,
    )
    if findings.problems:
        return findings, None
    intake, material = read_intake(plain(intake), **files)
    imported = import_counts(
        material,
        identifiers=intake.counts.identifiers,
        annotation=annotation_of(intake.organism),
        synonyms=synonyms_of(intake.organism),
        excel_dates=intake.counts.excel_dates,
    )
    return findings, imported


def assert_whole(toy: Toy, imported: Imported) -> None:
    """Every row is in the ledger once, and every count is kept or set aside, told another way than the import does."""
    table = imported.identifiers.set_index("input_id")
    assert sorted(table.index) == sorted(toy.counts.index)
    assert imported.ledger["rows"].sum() == len(toy.counts)
    assert imported.ledger["share"].sum() == pytest.approx(1)
    for sample, column in toy.counts.items():
        kept = dict.fromkeys(imported.counts.columns, 0)
        aside = 0
        for name, number in column.items():
            if table.loc[name, "kind"] == "gene":
                kept[table.loc[name, "gene_id"]] += number
            else:
                aside += number
        assert imported.counts.loc[sample].to_dict() == kept
        assert sum(kept.values()) + aside == column.sum()


@pytest.fixture(autouse=True)
def _read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shipped tables are read once for all tests."""
    monkeypatch.setattr(checks, "read_annotation", annotation_of)
    monkeypatch.setattr(checks, "read_synonyms", synonyms_of)


@pytest.mark.parametrize("dirty", KEPT, ids=lambda dirty: dirty.name)
def test_dirty_ids_end_in_the_ledger(dirty: Dirty, tmp_path: Path) -> None:
    """Each has its note and its symbol, and the rows and counts add up."""
    toy = spoilt(dirty)
    findings, imported = ended(toy, tmp_path)
    assert findings.problems == ()
    assert len(findings.warnings) == bool(dirty.warns)
    assert all(dirty.warns in warning.what for warning in findings.warnings)
    assert imported is not None
    assert_whole(toy, imported)
    table = imported.identifiers.set_index("input_id")
    assert {name: table.loc[name, "note"] for name in dirty.notes} == dirty.notes
    found = {name: table.loc[name, "symbol"] for name in dirty.symbols}
    assert {name: None if pd.isna(symbol) else symbol for name, symbol in found.items()} == dirty.symbols
    rows = imported.ledger.set_index(["what", "note"])["rows"].to_dict()
    assert {key: rows.get(key) for key in dirty.ledger} == dirty.ledger


@pytest.mark.parametrize("dirty", REFUSED, ids=lambda dirty: dirty.name)
def test_dirty_ids_are_refused_with_the_cause(dirty: Dirty, tmp_path: Path) -> None:
    """One problem, with the file, what was found there and what to do."""
    findings, imported = ended(spoilt(dirty), tmp_path)
    assert imported is None
    (problem,) = findings.problems
    assert problem.where.startswith(str(tmp_path / "toy/counts.tsv"))
    assert dirty.what in problem.what
    assert dirty.fix in problem.fix


def test_there_are_twenty_kinds_of_dirt() -> None:
    """Each with a name of its own."""
    names = [dirty.name for dirty in KEPT + REFUSED]
    assert len(set(names)) == len(names) >= 20


@pytest.mark.parametrize("dirty", [dirty for dirty in KEPT if dirty.ledger][::2], ids=lambda dirty: dirty.name)
def test_the_order_of_the_rows_is_of_no_consequence(dirty: Dirty, tmp_path: Path) -> None:
    """The same tables from a shuffled file."""
    toy = spoilt(dirty)
    _, first = ended(toy, tmp_path)
    toy.counts = toy.counts.sample(frac=1, random_state=1)
    _, second = ended(toy, tmp_path)
    assert first is not None
    assert second is not None
    for name in ("counts", "genes", "ledger"):
        pd.testing.assert_frame_equal(getattr(first, name), getattr(second, name))
    tables = [each.identifiers.reset_index(drop=True) for each in (first, second)]
    pd.testing.assert_frame_equal(*tables)


def test_dirty_ids_are_written_and_read_as_they_were_given(tmp_path: Path) -> None:
    """Blanks around an id, tabs among them, survive the table."""
    toy = toy_of("mouse", "symbol")
    renamed(f"Alb{NBSP}", "\tMcl1", "Bax ", f"Tnf{ALPHA}")(toy)
    _, imported = ended(toy, tmp_path)
    assert imported is not None
    write_table(imported.identifiers, IDENTIFIERS, path=tmp_path / "identifiers.tsv")
    write_table(imported.ledger, LEDGER, path=tmp_path / "ledger.tsv")
    again = read_table(tmp_path / "identifiers.tsv", IDENTIFIERS)
    assert again["input_id"].tolist() == imported.identifiers["input_id"].tolist()
    ledger = read_table(tmp_path / "ledger.tsv", LEDGER)
    assert ledger["rows"].sum() == len(toy.counts)
    assert ledger["what"].tolist() == imported.ledger["what"].tolist()


@pytest.fixture(scope="module")
def made_rat() -> Toy:
    """A rat matrix with every gene of the annotation and dirt of each kind."""
    toy = toy_of("rat")
    genes = annotation_of("rat")["gene_id"].dropna()
    ids = [f"{name}.2" if place % 2 else name for place, name in enumerate(genes)]
    ids += [f"{name}.9" for name in genes.iloc[:40]]
    ids += [f"ERCC-{number:05}" for number in range(92)] + ["__no_feature", "L1_Rn:L1:LINE", "LRG_1", "Alb "]
    random = np.random.default_rng(7)
    counts = random.poisson(50, (len(ids), toy.counts.shape[1])) + 1
    toy.counts = pd.DataFrame(counts, index=pd.Index(ids, name="gene_id"), columns=toy.counts.columns)
    return toy


def test_the_ledger_of_a_made_rat_adds_up_exactly(made_rat: Toy, tmp_path: Path) -> None:
    """Each number is the one that the annotation and the dirt give, and their sum is the input."""
    findings, imported = ended(made_rat, tmp_path)
    assert findings.problems + findings.warnings == ()
    assert imported is not None
    annotation = annotation_of("rat").dropna(subset=["gene_id"])
    alone = annotation["human_symbol"].isna()
    expected = {("kept_with_human_symbol", ""): int((~alone).sum())}
    for reason in NO_ORTHOLOG:
        is_so = alone & annotation["symbol"].notna() & (annotation["ortholog"] == reason)
        expected["kept_with_symbol", reason] = int(is_so.sum())
    expected["kept_without_symbol", "no_symbol"] = int((alone & annotation["symbol"].isna()).sum())
    expected["kept_without_symbol", "not_an_ensembl_id"] = 2
    expected["summed_into_another", ""] = 40
    expected |= {("set_aside", "spike_in"): 92, ("set_aside", "summary_row"): 1, ("set_aside", "transposon"): 1}
    assert imported.ledger.set_index(["what", "note"])["rows"].to_dict() == expected
    assert sum(expected.values()) == len(made_rat.counts) == len(imported.identifiers)
    aside = made_rat.counts[made_rat.counts.index.str.contains("^ERCC|^__|:LINE$")]
    assert (imported.counts.sum(axis=1) + aside.sum() == made_rat.counts.sum()).all()
