"""Identifiers: every input id has its row, and what it became is right or said to be unknown."""

import pandas as pd
import pytest

from exoliver import identifiers
from exoliver.identifiers import (
    ANNOTATION_COLUMNS,
    NO_ORTHOLOG,
    collapse_symbols,
    find_repeats,
    identify_genes,
    read_annotation,
    read_synonyms,
    sum_genes,
    summarise_ledger,
)
from exoliver.tables import IDENTIFIERS, LEDGER


@pytest.fixture(scope="module")
def mouse() -> pd.DataFrame:
    """Shipped annotation of the mouse."""
    return read_annotation("mouse")


@pytest.fixture(scope="module")
def human() -> pd.DataFrame:
    """Shipped human annotation."""
    return read_annotation("human")


@pytest.fixture(scope="module")
def rat() -> pd.DataFrame:
    """Shipped annotation of the rat."""
    return read_annotation("rat")


def small_annotation(*rows: tuple[object, ...]) -> pd.DataFrame:
    """An annotation from rows of gene_id, symbol, entrez, human_symbol, ortholog, biotype, and the two lookups."""
    table = pd.DataFrame(list(rows), columns=list(ANNOTATION_COLUMNS[:-1]))
    return table.reindex(columns=list(ANNOTATION_COLUMNS)).astype(object)


def one(input_id: str, *, identifiers: str, annotation: pd.DataFrame) -> pd.Series:
    """The row of a single id."""
    return identify_genes([input_id], identifiers=identifiers, annotation=annotation).iloc[0]


@pytest.mark.parametrize("kind", ["ensembl", "entrez", "symbol", "other"])
def test_every_input_id_has_one_row_in_the_given_order(kind: str, mouse: pd.DataFrame) -> None:
    """No id is dropped, moved or joined with another, not even a repeated one."""
    ids = ["zzz", "ENSMUSG00000000001.5", "__ambiguous", "Alb", "ERCC-00002", "Alb", "14679", ""]
    table = identify_genes(ids, identifiers=kind, annotation=mouse)
    assert table["input_id"].tolist() == ids
    assert tuple(table.columns) == IDENTIFIERS
    assert table[["input_id", "gene_id", "kind", "note"]].notna().all(axis=None)


def test_no_ids_give_an_empty_table(mouse: pd.DataFrame) -> None:
    """The columns are there without a row."""
    for kind in ("ensembl", "entrez", "symbol", "other"):
        table = identify_genes([], identifiers=kind, annotation=mouse)
        assert (len(table), tuple(table.columns)) == (0, IDENTIFIERS)


def test_an_unknown_kind_of_identifier_is_refused(mouse: pd.DataFrame) -> None:
    """The four kinds are named."""
    with pytest.raises(ValueError, match="ensembl, entrez, symbol, other"):
        identify_genes(["a"], identifiers="refseq", annotation=mouse)


def test_the_version_of_an_ensembl_id_is_stripped_and_noted(human: pd.DataFrame) -> None:
    """The key loses the version, the input id keeps it."""
    row = one("ENSG00000000003.15", identifiers="ensembl", annotation=human)
    assert row.tolist() == [
        "ENSG00000000003.15", "ENSG00000000003", "TSPAN6", "7105", "TSPAN6", "gene", "version_stripped",
    ]  # fmt: skip


@pytest.mark.parametrize("input_id", ["SPAC212.11", "LRG_1", "WBGene00000001", "ENSMUST00000000001.4", "AC004086.1"])
def test_a_dot_in_another_id_is_no_version(input_id: str, human: pd.DataFrame) -> None:
    """Only genes of Ensembl lose what follows the dot."""
    row = one(input_id, identifiers="ensembl", annotation=human)
    assert (row["gene_id"], row["note"]) == (input_id, "not_an_ensembl_id;not_in_annotation")
    assert pd.isna(row["symbol"])


@pytest.mark.parametrize(
    ("input_id", "gene_id"),
    [
        ("ENSG00000002586.20_PAR_Y", "ENSG00000002586_PAR_Y"),
        ("ENSG00000002586.20_5_PAR_Y", "ENSG00000002586_PAR_Y"),
        ("ENSG00000002586_PAR_Y", "ENSG00000002586_PAR_Y"),
        ("ENSGR0000002586.12", "ENSGR0000002586"),
    ],
)
def test_a_pseudoautosomal_copy_on_y_is_a_gene_of_its_own(input_id: str, gene_id: str, human: pd.DataFrame) -> None:
    """It has its own key and the symbol of the gene on X."""
    row = one(input_id, identifiers="ensembl", annotation=human)
    assert (row["gene_id"], row["symbol"]) == (gene_id, "CD99")
    assert "par_y" in row["note"].split(";")


@pytest.mark.parametrize(
    ("input_id", "kind"),
    [
        ("ERCC-00002", "spike_in"),
        ("ERCC_00002", "spike_in"),
        ("gSpikein_ERCC-00002", "spike_in"),
        ("gSpikein_phiX174", "spike_in"),
        ("SIRV1", "spike_in"),
        ("SIRV4001", "spike_in"),
        ("L1MdA_I:L1:LINE", "transposon"),
        ("L1MdA_I_dup12:L1MdA_I:L1:LINE", "transposon"),
        ("GSAT_MM:Satellite:Satellite", "transposon"),
        ("MER5A:hAT-Charlie:DNA?", "transposon"),
        ("__no_feature", "summary_row"),
        ("N_unmapped", "summary_row"),
        ("ambiguous", "summary_row"),
        ("Unassigned_NoFeatures", "summary_row"),
    ],
)
def test_what_is_no_gene_is_set_aside(input_id: str, kind: str, mouse: pd.DataFrame) -> None:
    """Spike-ins, transposons and summary rows are rows with a kind, whatever the identifiers."""
    for identifiers_kind in ("ensembl", "entrez", "symbol", "other"):
        row = one(input_id, identifiers=identifiers_kind, annotation=mouse)
        assert row[["gene_id", "kind", "note"]].tolist() == [input_id, kind, "set_aside"]
        assert row[["symbol", "entrez", "human_symbol"]].isna().all()


@pytest.mark.parametrize(
    "input_id", ["ERCC1", "Ercc1", "ERCC-2", "Sirt1", "SIRV", "chr1:100:200", "a:b:c", "__mine", "ENSMUSG1:2:LINEAR"]
)
def test_a_gene_that_resembles_a_special_row_stays_a_gene(input_id: str, mouse: pd.DataFrame) -> None:
    """The rules of what is set aside are narrow."""
    assert one(input_id, identifiers="symbol", annotation=mouse)["kind"] == "gene"


@pytest.mark.parametrize("input_id", ["7105.5", "07105", "71 05", "-1", "0", "7,105", "1.2e4", "1E+05"])
def test_an_entrez_id_that_is_no_whole_number_is_not_accepted(input_id: str, human: pd.DataFrame) -> None:
    """A number that lost digits in a spreadsheet is not mended."""
    row = one(input_id, identifiers="entrez", annotation=human)
    assert row[["symbol", "entrez", "human_symbol"]].isna().all()
    assert row["note"] == "not_an_entrez_id;not_in_annotation"


def test_entrez_ids_find_symbols_and_stay_the_key(human: pd.DataFrame) -> None:
    """The gene is named as it was given; one that the annotation lacks keeps its Entrez id."""
    table = identify_genes(["7105", "4170", "999999999"], identifiers="entrez", annotation=human)
    assert table["gene_id"].tolist() == table["entrez"].tolist() == ["7105", "4170", "999999999"]
    assert table["symbol"].tolist()[:2] == ["TSPAN6", "MCL1"]
    assert table["note"].tolist() == ["", "", "not_in_annotation"]


def test_an_entrez_id_of_two_symbols_is_ambiguous() -> None:
    """Neither is taken."""
    annotation = small_annotation(
        ("ENSG00000000001", "AAA", "1", "AAA", "one_to_one", "protein_coding", "1;3", "yes"),
        ("ENSG00000000002", "BBB", "2", "BBB", "one_to_one", "protein_coding", "2;3", "yes"),
    )
    table = identify_genes(["1", "2", "3"], identifiers="entrez", annotation=annotation)
    assert table["symbol"].tolist()[:2] == ["AAA", "BBB"]
    assert table["note"].tolist() == ["", "", "ambiguous_entrez"]
    assert table.loc[2, ["symbol", "human_symbol"]].isna().all()


def test_a_symbol_of_two_genes_keeps_what_they_agree_on() -> None:
    """The symbol is the user's; Entrez ids that differ are not chosen from, the shared human symbol holds."""
    annotation = small_annotation(
        ("ENSMUSG00000000001", "Aaa", "1", "AAA", "one_to_one", "protein_coding", "1", "yes"),
        ("ENSMUSG00000000002", "Aaa", "2", "AAA", "one_to_one", "protein_coding", "2", "yes"),
    )
    row = one("Aaa", identifiers="symbol", annotation=annotation)
    assert row[["symbol", "human_symbol", "note"]].tolist() == ["Aaa", "AAA", "ambiguous_symbol"]
    assert pd.isna(row["entrez"])


def test_symbols_are_never_changed_in_case(mouse: pd.DataFrame) -> None:
    """A human spelling in a mouse table is the user's own name, and unknown."""
    table = identify_genes(["Mcl1", "MCL1", "mcl1"], identifiers="symbol", annotation=mouse)
    assert table["symbol"].tolist() == ["Mcl1", "MCL1", "mcl1"]
    assert table["note"].tolist() == ["", "not_in_annotation", "not_in_annotation"]
    assert table["human_symbol"].isna().tolist() == [False, True, True]


@pytest.mark.parametrize("input_id", ["2-Sep", "Sep-02", "1-Mar", "1-Dec"])
def test_a_date_of_a_spreadsheet_is_recognised(input_id: str, mouse: pd.DataFrame) -> None:
    """The gene that it was cannot be known."""
    row = one(input_id, identifiers="symbol", annotation=mouse)
    assert pd.isna(row["symbol"])
    assert row["note"].startswith("excel_date")


def test_an_organism_without_annotation_keeps_its_ids() -> None:
    """Nothing is looked up, and each row says so."""
    annotation = read_annotation("worm")
    assert (len(annotation), tuple(annotation.columns)) == (0, ANNOTATION_COLUMNS)
    for kind in ("ensembl", "other"):
        row = one("WBGene00000001", identifiers=kind, annotation=annotation)
        assert (row["gene_id"], row["note"]) == ("WBGene00000001", "no_annotation")
        assert row[["symbol", "entrez", "human_symbol"]].isna().all()
    assert one("unc-54", identifiers="symbol", annotation=annotation)["symbol"] == "unc-54"


def test_identifiers_other_are_not_looked_up(mouse: pd.DataFrame) -> None:
    """A known symbol stays unknown where the user says that the ids are of another kind."""
    row = one("Alb", identifiers="other", annotation=mouse)
    assert pd.isna(row["symbol"])
    assert row["note"] == "no_annotation"


@pytest.mark.parametrize(
    ("symbol", "human_symbol"),
    [
        ("Alb", "ALB"), ("Cyp2e1", "CYP2E1"), ("Bcl2l1", "BCL2L1"), ("Mcl1", "MCL1"), ("Arntl", "BMAL1"),
        ("Trp53", "TP53"), ("Col1a1", "COL1A1"), ("Cdkn1a", "CDKN1A"), ("Il6", "IL6"), ("Birc5", "BIRC5"),
    ],
)  # fmt: skip
def test_known_orthologs_of_the_mouse_are_found(symbol: str, human_symbol: str, mouse: pd.DataFrame) -> None:
    """Also those whose names differ between the species."""
    assert one(symbol, identifiers="symbol", annotation=mouse)["human_symbol"] == human_symbol


@pytest.mark.parametrize(
    ("symbol", "human_symbol"), [("Alb", "ALB"), ("Mcl1", "MCL1"), ("Tp53", "TP53"), ("Bmal1", "BMAL1")]
)
def test_known_orthologs_of_the_rat_are_found(symbol: str, human_symbol: str, rat: pd.DataFrame) -> None:
    """The rat goes through its own table."""
    assert one(symbol, identifiers="symbol", annotation=rat)["human_symbol"] == human_symbol


@pytest.mark.parametrize("symbol", ["Bcl2a1b", "Bcl2a1d", "Naip1", "Cyp2c29", "Ces1e", "Serpina1b"])
def test_a_member_of_a_family_has_no_single_ortholog(symbol: str, mouse: pd.DataFrame) -> None:
    """One to many is not one to one."""
    row = one(symbol, identifiers="symbol", annotation=mouse)
    assert pd.isna(row["human_symbol"])
    assert row["note"] in NO_ORTHOLOG


def test_the_three_kinds_of_identifiers_agree(mouse: pd.DataFrame) -> None:
    """A gene found by Ensembl, Entrez or symbol is the same gene."""
    genes = mouse[mouse["symbol"].isin(["Alb", "Mcl1", "Bcl2l1", "Casp3", "Tfeb", "Il1b", "Stat3"])]
    found = [
        identify_genes(genes[column].tolist(), identifiers=kind, annotation=mouse)[["symbol", "entrez", "human_symbol"]]
        for column, kind in {"gene_id": "ensembl", "entrez": "entrez", "symbol": "symbol"}.items()
    ]
    pd.testing.assert_frame_equal(found[0], found[1])
    pd.testing.assert_frame_equal(found[0], found[2])


def test_a_changed_annotation_file_is_refused(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The checksum stands between a damaged file and the results."""
    for file in ("checksums.tsv", "rat.tsv.gz"):
        (tmp_path / file).write_bytes((identifiers.IDENTIFIER_FOLDER / file).read_bytes())
    monkeypatch.setattr(identifiers, "IDENTIFIER_FOLDER", tmp_path)
    assert len(read_annotation("rat")) > 20000
    with (tmp_path / "rat.tsv.gz").open("ab") as stream:
        stream.write(b"x")
    with pytest.raises(ValueError, match="differs from its checksum"):
        read_annotation("rat")


def test_synonyms_are_none_of_the_present_symbols() -> None:
    """What is resolved is unknown by itself, and leads to a symbol that is looked up; another organism has none."""
    for organism in ("human", "mouse", "rat"):
        known = set(read_annotation(organism)["symbol"])
        synonyms = read_synonyms(organism)
        assert len(synonyms) > 500
        assert known.isdisjoint(synonyms)
        assert set(synonyms.values()) <= known
    assert len(read_synonyms("worm")) == 0


@pytest.mark.parametrize("organism", ["mouse", "rat"])
@pytest.mark.parametrize("kind", ["ensembl", "symbol"])
def test_every_gene_of_the_annotation_is_in_the_sum(organism: str, kind: str) -> None:
    """Each shipped gene has a human symbol, or a reason why it has none; the rows add up."""
    column = {"ensembl": "gene_id", "symbol": "symbol"}[kind]
    annotation = read_annotation(organism)
    ids = annotation[column].dropna().unique().tolist()
    table = identify_genes(ids, identifiers=kind, annotation=annotation)
    ledger = summarise_ledger(table)
    assert ledger["rows"].sum() == len(ids)
    reasons = ledger.loc[ledger["what"] == "kept_with_symbol", "note"]
    assert set(NO_ORTHOLOG) <= set(reasons)
    assert (table["human_symbol"].notna()).sum() == ledger.set_index("what").loc["kept_with_human_symbol", "rows"]


def ledger_of(*rows: tuple[str, str, str | None, str | None, str, str]) -> pd.DataFrame:
    """A table of identifiers from input_id, gene_id, symbol, human_symbol, kind and note."""
    columns = ["input_id", "gene_id", "symbol", "human_symbol", "kind", "note"]
    return pd.DataFrame(list(rows), columns=columns).assign(entrez=None)[list(IDENTIFIERS)]


SUMMED = ledger_of(
    ("a.1", "a", "A", "A", "gene", "version_stripped;summed"),
    ("a.2", "a", "A", "A", "gene", "version_stripped;summed"),
    ("b", "b", "B", None, "gene", "shared_human_ortholog"),
    ("c", "c", "C", None, "gene", "not_in_annotation"),
    ("d", "d", None, None, "gene", "not_an_ensembl_id;not_in_annotation"),
    ("ERCC-00002", "ERCC-00002", None, None, "spike_in", "set_aside"),
)


def test_a_ledger_counts_every_row_once() -> None:
    """By what became of it and why; shares add up to one; the order of the rows is of no consequence."""
    for table in (SUMMED, SUMMED.iloc[::-1], SUMMED.astype("string")):
        ledger = summarise_ledger(table)
        assert tuple(ledger.columns) == LEDGER
        assert ledger[["what", "note", "rows"]].to_numpy().tolist() == [
            ["kept_with_human_symbol", "", 1],
            ["kept_with_symbol", "shared_human_ortholog", 1],
            ["kept_without_symbol", "not_an_ensembl_id", 1],
            ["kept_without_symbol", "not_in_annotation", 1],
            ["summed_into_another", "", 1],
            ["set_aside", "spike_in", 1],
        ]
        assert ledger["share"].sum() == pytest.approx(1)
    assert summarise_ledger(SUMMED.iloc[:0])["rows"].sum() == 0


def test_a_row_without_a_reason_is_an_error() -> None:
    """What has no symbol, or no human symbol, says why."""
    for symbol in (None, "A"):
        with pytest.raises(ValueError, match="does not say why rows such as 'a' are kept_with"):
            summarise_ledger(ledger_of(("a", "a", symbol, None, "gene", "version_stripped")))


def test_rows_of_one_gene_are_summed_and_no_others() -> None:
    """Two genes of one symbol stay apart, and what is no gene is left out."""
    counts = pd.DataFrame({"s1": [1, 2, 4, 8, 16, 99], "s2": [0, 1, 1, 1, 1, 99]}, index=SUMMED["input_id"])
    assert sum_genes(counts, SUMMED).to_dict("index") == {
        "a": {"s1": 3, "s2": 1}, "b": {"s1": 4, "s2": 1}, "c": {"s1": 8, "s2": 1}, "d": {"s1": 16, "s2": 1},
    }  # fmt: skip


def test_a_repeat_is_a_row_with_the_same_counts() -> None:
    """In every sample, and with enough counts that this is no chance."""
    for second, repeats in (([10, 0], ["a.1", "a.2"]), ([10, 1], [])):
        counts = pd.DataFrame([[10, 0], second, [9, 0], [9, 0], [9, 0], [9, 0]], index=SUMMED["input_id"])
        assert find_repeats(counts, SUMMED) == repeats
    counts = pd.DataFrame([[9, 0]] * 6, index=SUMMED["input_id"])
    assert find_repeats(counts, SUMMED) == []


def test_a_symbol_is_collapsed_to_its_largest_gene() -> None:
    """The others are named; equal means go by gene id; genes without a symbol are left out."""
    genes = pd.DataFrame(
        {
            "gene_id": ["g5", "g4", "g3", "g2", "g1", "g0"],
            "symbol": ["B", "A", "A", "B", "A", None],
            "base_mean": [7.0, 1.0, 5.0, 7.0, float("nan"), 99.0],
        }
    )
    for order in ([0, 1, 2, 3, 4, 5], [5, 3, 1, 4, 2, 0]):
        collapsed = collapse_symbols(genes.iloc[order], by="symbol")
        assert collapsed["symbol"].tolist() == ["A", "B"]
        assert collapsed["gene_id"].tolist() == ["g3", "g2"]
        assert collapsed["duplicates"].tolist() == ["g1;g4", "g5"]


def test_collapsing_leaves_the_input_alone() -> None:
    """No argument is changed, and none needs a gene."""
    genes = pd.DataFrame({"gene_id": ["a"], "symbol": ["A"], "base_mean": [1.0]})
    before = genes.copy()
    collapse_symbols(genes, by="symbol")
    pd.testing.assert_frame_equal(genes, before)
    assert collapse_symbols(genes.iloc[:0], by="symbol").columns.tolist() == [*genes.columns, "duplicates"]


@pytest.mark.parametrize(
    ("dataset", "organism", "share_of_reads"),
    [
        ("dlpc_mouse_liver", "mouse", 0.999),
        ("gse222550_mouse_liver", "mouse", 0.99),
        ("bv2_ev_mouse_cells", "mouse", 0.98),
        ("airway_human_cells", "human", 0.97),
    ],
)
def test_real_datasets_find_their_symbols(shared, dataset: str, organism: str, share_of_reads: float) -> None:
    """Nearly all reads are on genes with a symbol, and no two input genes share a key."""
    counts = pd.read_csv(shared / "data" / dataset / "counts.tsv.gz", sep="\t", index_col=0)
    table = identify_genes(counts.index.tolist(), identifiers="ensembl", annotation=read_annotation(organism))
    reads = counts.sum(axis=1).to_numpy()
    assert reads[table["symbol"].notna().to_numpy()].sum() / reads.sum() > share_of_reads
    assert not table["gene_id"].duplicated().any()


def test_a_gene_that_shares_its_locus_says_so(rat: pd.DataFrame, mouse: pd.DataFrame) -> None:
    """The rat's Scp2 holds the counts of Podn; no other species has such genes."""
    row = one("ENSRNOG00000011413", identifiers="ensembl", annotation=rat)
    assert (row["symbol"], row["note"]) == ("Scp2", "shared_locus")
    assert rat.set_index("gene_id").loc["ENSRNOG00000011413", "shares_locus_with"] == "Podn"
    assert rat["shares_locus_with"].notna().sum() > 100
    assert mouse["shares_locus_with"].isna().all()
