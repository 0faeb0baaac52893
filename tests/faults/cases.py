"""Every kind of problem, one broken study each: how it is broken, and what the user must be told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from tests.faults.breaks import (
    FIRST,
    Break,
    as_symbols,
    both,
    capitals,
    cell,
    column_named,
    drop,
    edit,
    gene_named,
    keep,
    log_values,
    nothing,
    other_names,
    per_million,
    put,
    repeated,
    second_injured,
    sheet_cell,
    sheet_column,
    small_but_unmapped,
    summary_rows_alone,
    surplus_cells,
    transposed,
    zeros_everywhere,
)
from tests.toy import gene_ids

COUNTS, SHEET, DATASET = "toy/counts.tsv", "toy/samples.tsv", "toy/dataset.yaml"


@dataclass(frozen=True)
class Fault:
    """A way to break the sound toy study, and fragments of the one problem that must come of it."""

    name: str
    breaks: Break
    where: str
    what: str
    fix: str
    study: Mapping[str, Any] = field(default_factory=dict)


ARM = ("arms", "levels")
EARLY = {"of": {"arm": "treated", "time": 1}, "against": {"arm": "injured", "time": 1}}
BASE = {"of": {"arm": "treated"}, "against": {"arm": "injured"}}

SAMPLES = (
    Fault("a sample has another name in the counts", column_named(FIRST, "healthy-1-1"), COUNTS,
          f"columns healthy-1-1 are no samples of {SHEET}, and {FIRST} have no column",
          f"counts.rename: {{healthy-1-1: {FIRST}}}"),
    Fault("all samples have other names in the counts", other_names, COUNTS,
          "GSM0, GSM1, GSM2, GSM3, GSM4, GSM5, GSM6, GSM7 and 10 more are no samples", "name them in counts.rename"),
    Fault("a sample has no column", lambda toy: toy.counts.pop(FIRST), COUNTS,
          f"samples of {SHEET} have no column: {FIRST}", "samples.exclude"),
    Fault("a column is neither a sample nor ignored", lambda toy: toy.counts.insert(0, "gene_name", "Alb"), COUNTS,
          "neither samples of toy/samples.tsv nor ignored: gene_name", "counts.ignore"),
    Fault("samples stand in rows", transposed, COUNTS, "samples stand in rows", "transpose"),
    Fault("a sample is repeated in the sheet",
          lambda toy: setattr(toy, "sheet", pd.concat([toy.sheet, toy.sheet.iloc[[0]]])),
          f"{SHEET}: column sample", f"samples are repeated: {FIRST}", "technical_replicate_of"),
    Fault("a sample has no id", both(sheet_cell("sample", ""), lambda toy: toy.counts.pop(FIRST)),
          f"{SHEET}: column sample", "a sample has no id", "fill it in"),
    Fault("a count column is repeated", edit("counts.tsv", "healthy_1_2", FIRST), COUNTS,
          f"columns are repeated: {FIRST}", "a name of its own"),
    Fault("two columns become one sample", both(
              lambda toy: toy.counts.insert(0, "again", 5), put("counts", "rename", value={"again": FIRST})),
          COUNTS, f"several columns are sample {FIRST}", "counts.rename"),
    Fault("a count column has no name", lambda toy: toy.counts.insert(0, "", 5), COUNTS,
          "columns without a name: 2", "name them"),
    Fault("ignore names no column", put("counts", "ignore", value=["description"]), f"{COUNTS}: counts.ignore",
          "no column 'description'", "columns: healthy_1_1"),
    Fault("ignore is misspelt", both(
              lambda toy: toy.counts.insert(0, "gene_name", "Alb"), put("counts", "ignore", value=["gene_nmae"])),
          f"{COUNTS}: counts.ignore", "no column 'gene_nmae'", "did you mean 'gene_name'?"),
    Fault("rename names no column", put("counts", "rename", value={"S1": "S2"}), f"{COUNTS}: counts.rename",
          "no column 'S1'", "columns: healthy_1_1"),
    Fault("columns.list names no column", both(
              lambda toy: put("counts", "columns", "list", value=[*toy.counts.columns, "zzz"])(toy)),
          f"{COUNTS}: counts.columns.list", "no column 'zzz'", "columns: healthy_1_1"),
    Fault("exclude names no sample", put("samples", "exclude", value={"healthy_1_9": "failed"}),
          f"{SHEET}: samples.exclude", "no sample 'healthy_1_9'", "did you mean 'healthy_1_"),
    Fault("where names no column", put("samples", "where", value={"genotype": "WT"}), f"{SHEET}: samples.where",
          "no column 'genotype'", "columns: sample, group, day, donor, batch, rin"),
    Fault("where names no value", put("samples", "where", value={"batch": "c"}), f"{SHEET}: samples.where.batch",
          "no sample has batch = c (found: a, b)", "correct the value"),
    Fault("every sample is left out",
          lambda toy: put("samples", "exclude", value=dict.fromkeys(toy.counts, "failed"))(toy), SHEET,
          "no sample is left", "samples.exclude"),
    Fault("technical replicates differ", both(
              sheet_column("library", lambda row: "one" if row.sample in (FIRST, "injured_1_1") else row.sample),
              put("samples", "technical_replicate_of", value="library")),
          SHEET, "technical replicates of one differ", "correct the sheet"),
    Fault("a sample is named NA", both(sheet_cell("sample", "NA"), column_named(FIRST, "NA")),
          f"{SHEET}: column sample", "a sample is named NA", "rename it"),
    Fault("a where is a boolean", both(
              sheet_column("ok", lambda _: "true"), put("samples", "where", value={"ok": True})),
          f"{DATASET}: samples.where.ok", "is true without quotes", 'as in the sheet: "true"'),
    Fault("a size of pools beside animals", put("samples", value={
              "file": SHEET, "unit": "animal", "pool_size": 3}),
          f"{DATASET}: samples", "pool_size stands beside a unit other than pool", "unit: pool"),
)  # fmt: skip

CELLS = (
    Fault("a count is not whole", cell(12.5), f"{COUNTS}: gene {gene_ids()[4]}, sample healthy_1_3",
          "'12.5' is not a whole number (such cells: 1)", "estimated_counts"),
    Fault("a count is negative", cell(-3), f"{COUNTS}: gene {gene_ids()[4]}, sample healthy_1_3",
          "'-3' is negative", "raw counts"),
    Fault("a count is missing", cell(""), f"{COUNTS}: gene {gene_ids()[4]}", "'' is not a number", "missing count"),
    Fault("a count is NA", cell("NA"), f"{COUNTS}: gene {gene_ids()[4]}", "'NA' is not a number", "missing count"),
    Fault("a count is a word", cell("many"), f"{COUNTS}: gene {gene_ids()[4]}", "'many' is not a number", "fill it in"),
    Fault("a count is infinite", cell("inf"), f"{COUNTS}: gene {gene_ids()[4]}", "'inf' is not a number", "fill it in"),
    Fault("a count overflows", cell("1e400"), f"{COUNTS}: gene {gene_ids()[4]}", "'1e400' is not a number", "fill"),
    Fault("a count is beyond any library", cell("1e300"), f"{COUNTS}: gene {gene_ids()[4]}",
          "'1e300' is more than any library holds", "correct the cell"),
    Fault("estimates are TPM", per_million, COUNTS, "TPM", "NumReads"),
    Fault("estimates are logarithms", log_values, COUNTS, "these are logarithms", "raw counts"),
    Fault("a library is empty", lambda toy: toy.counts.isetitem(0, 0), COUNTS, f"without any count: {FIRST}",
          "samples.exclude"),
    Fault("no gene is counted everywhere", zeros_everywhere, COUNTS, "only 0 genes are counted in every sample",
          "emptiest samples"),
    Fault("no gene passes the filter", put("gene_filter", value={"min_count": 10**9}), "toy: gene_filter",
          "no gene of 300 has a count of 1000000000 in 3 samples", "lower gene_filter.min_count"),
    Fault("few genes pass the filter", put("gene_filter", value={"min_count": 1000}), "toy: gene_filter",
          "are counted in every sample; size factors need 100", "lower gene_filter.min_count"),
    Fault("the filter asks for more samples than there are", put("gene_filter", value={"min_samples": 19}),
          "toy: gene_filter", "no gene of 300 has a count of 10 in 19 samples", "gene_filter.min_samples"),
    Fault("a library has no counts of genes", summary_rows_alone, COUNTS, f"without any count of a gene: {FIRST}",
          "samples.exclude"),
    Fault("a row has surplus cells", surplus_cells, COUNTS, "cannot be read: its first row has 21 cells, the header 19",
          "table of counts"),
    Fault("one cell more than the header in some rows", lambda toy: toy.edits.extend(
              ("counts.tsv", f"\n{gene}\t", f"\t{'1' if gene == gene_ids()[5] else ''}\n{gene}\t")
              for gene in gene_ids()[1:9]),
          COUNTS, "the last is blank in 299 of 300 rows", "table of counts"),
    Fault("the counts are one column", edit("counts.tsv", "\t", " "), COUNTS, "one column only", "by tabs"),
    Fault("the counts have no genes", lambda toy: setattr(toy, "counts", toy.counts.iloc[:0]), COUNTS,
          "the file has no genes", "name the right file"),
)  # fmt: skip

GENES = (
    Fault("a gene id is repeated", gene_named(gene_ids()[3]), f"{COUNTS}: column 1",
          f"gene ids are repeated: {gene_ids()[3]}", "one row per gene"),
    Fault("a gene is repeated under another version", repeated(3, gene_ids()[3] + ".2"), f"{COUNTS}: column 1",
          f"the same counts in every sample, as if one repeats the other: {gene_ids()[3]}, {gene_ids()[3]}.2",
          "keep one row of each gene"),
    Fault("a date is repeated", both(as_symbols, gene_named("1-Mar"), gene_named("1-Mar", gene=9),
              put("counts", "excel_dates", value="keep")),
          f"{COUNTS}: column 1", "gene ids are repeated: 1-Mar", "MARCH1 and MARC1 both become 1-Mar"),
    Fault("symbols were made dates", both(as_symbols, gene_named("2-Sep"), gene_named("2021-03-01", gene=9)),
          f"{COUNTS}: column 1", "symbols that a spreadsheet made dates or numbers (2): 2-Sep, 2021-03-01",
          "write counts.excel_dates: keep"),
    Fault("dates are repaired in Ensembl ids", put("counts", "excel_dates", value="repair"), f"{DATASET}: counts",
          "excel_dates stands beside identifiers: ensembl", "take it out"),
    Fault("several genes have no id", both(gene_named(" "), gene_named("\u00a0", gene=9)), f"{COUNTS}: gene 5",
          "2 genes have no id: rows 5, 10", "take the row out"),
    Fault("a gene is named NA", gene_named("NA"), f"{COUNTS}: column 1", "a row is named NA", "rename it"),
    Fault("a gene has no id", gene_named(""), f"{COUNTS}: gene 5", "a gene has no id", "take the row out"),
    Fault("a quote is left open", edit("counts.tsv", gene_ids()[4], '"5S'), COUNTS, "cannot be read: Error tokenizing",
          "table of counts"),
    Fault("two quotes swallow rows", both(
              edit("counts.tsv", gene_ids()[4], '"5S'), edit("counts.tsv", gene_ids()[9], '"7SK')),
          f"{COUNTS}: gene 5", "holds a line break: the rows from this one on were read as one", "a quote left open"),
    Fault("two quotes in a column of words swallow rows", both(
              lambda toy: toy.counts.insert(0, "name", [f"word{n}." for n in range(len(toy.counts))]),
              put("counts", "ignore", value=["name"]), edit("counts.tsv", "word99.", '"2-5A synthetase'),
              edit("counts.tsv", "word139.", '"5S RNA')),
          f"{COUNTS}: gene 100", f"column name of '{gene_ids()[99]}' holds a line break", "a quote left open"),
    Fault("mouse ids are called human", put("organism", value="human"), COUNTS,
          "0 of 300 ids (0%) are human ensembl ids (such as ENSMUSG", "write organism: mouse"),
    Fault("Ensembl ids are called symbols", put("counts", "identifiers", value="symbol"), COUNTS,
          "0 of 300 ids (0%) are mouse symbol ids", "write counts.identifiers: ensembl"),
    Fault("symbols are called Entrez ids", both(as_symbols, put("counts", "identifiers", value="entrez")), COUNTS,
          "they are symbols of mouse", "write counts.identifiers: symbol"),
    Fault("symbols are in capitals", both(as_symbols, capitals), COUNTS,
          "more would be in another case: ", "restore the symbols of mouse"),
    Fault("two names stand in a cell", lambda toy: toy.counts.set_index(toy.counts.index + "|Alb", inplace=True),
          f"{COUNTS}: column 1", "300 of 300 ids hold two names, or a tag", "leave the ensembl id alone"),
)  # fmt: skip

DESIGN = (
    Fault("the column of arms is missing", put("arms", "column", value="gruop"), f"{SHEET}: arms.column",
          "there is no column 'gruop'", "did you mean 'group'? columns: sample"),
    Fault("the column of times is missing", put("time", "column", value="week"), f"{SHEET}: time.column",
          "there is no column 'week'", "columns: sample"),
    Fault("the column of donors is missing", put("donor", value="donr"), f"{SHEET}: donor",
          "there is no column 'donr'", "did you mean 'donor'?"),
    Fault("the column of series is missing", put("series", value="gse"), f"{SHEET}: series", "no column 'gse'", "rin"),
    Fault("a covariate is missing", put("covariates", value=["sex"]), f"{SHEET}: covariates", "no column 'sex'", "rin"),
    Fault("a numeric covariate is missing", put("numeric_covariates", value=["rn"]), f"{SHEET}: numeric_covariates",
          "no column 'rn'", "did you mean 'rin'?"),
    Fault("the column of ids is missing", put("samples", "id", value="name"), f"{SHEET}: samples.id",
          "no column 'name'", "columns: sample"),
    Fault("the column of libraries is missing", put("samples", "technical_replicate_of", value="library"),
          f"{SHEET}: samples.technical_replicate_of", "no column 'library'", "columns: sample"),
    Fault("the column of an arm's where is missing", put(*ARM, "healthy", value={
              "role": "healthy", "where": {"surgery": "sham"}}),
          f"{SHEET}: arms.levels.healthy.where", "no column 'surgery'", "columns: sample"),
    Fault("an arm's value is not in the sheet", both(
              put(*ARM, "sham", value={"role": "reference", "value": "shm"})),
          f"{SHEET}: arms.levels.sham.value", "'shm' is not in column group (found: healthy, injured, treated)",
          "correct the value"),
    Fault("an arm's value is misspelt", put(*ARM, "injured", "value", value="Injured"),
          f"{SHEET}: arms.levels.injured.value", "'Injured' is not in column group (found: healthy, injured, treated)",
          "write 'injured'"),
    Fault("an arm's value is another word", put(*ARM, "injured", "value", value="CCl4"),
          f"{SHEET}: arms.levels.injured.value", "'CCl4' is not in column group", "write 'injured'"),
    Fault("no sample fits an arm's where", put(*ARM, "sham", value={"role": "reference", "where": {"batch": "z"}}),
          f"{SHEET}: arms.levels.sham", "no sample fits its where", "correct the values"),
    Fault("a sample belongs to no arm", sheet_cell("group", "other"), f"{SHEET}: arms.levels",
          f"samples belong to no arm: {FIRST} (group: other)", "samples.where or exclude"),
    Fault("a sample belongs to two arms", put(*ARM, "first", value={"role": "reference", "where": {"sample": FIRST}}),
          f"{SHEET}: arms.levels", f"samples belong to several arms: {FIRST}", "exclude each other"),
    Fault("a time is not a number", sheet_cell("day", "early"), f"{SHEET}: column day",
          f"not a number: {FIRST}: 'early'", "time.values"),
    Fault("a time is missing", sheet_cell("day", ""), f"{SHEET}: column day", f"not a number: {FIRST}: ''", "numbers"),
    Fault("a time is a word without number", put("time", "values", value={"1": 1}), f"{SHEET}: time.values",
          "words without a number: 7", "give each word"),
    Fault("a numeric covariate is a word", both(sheet_cell("rin", "good"), put("numeric_covariates", value=["rin"])),
          f"{SHEET}: column rin", f"not a number: {FIRST}: 'good'", "write numbers"),
    Fault("a covariate is blank", both(sheet_cell("batch", ""), put("covariates", value=["batch"])),
          f"{SHEET}: column batch", f"no value for samples {FIRST}", "samples.exclude"),
    Fault("a donor is NA", both(sheet_cell("donor", "NA"), put("donor", value="donor")),
          f"{SHEET}: column donor", f"no value for samples {FIRST}", "fill it in"),
    Fault("a covariate is named twice", put("covariates", value=["batch", "batch"]), f"{SHEET}: covariates",
          "the design has batch already", "name each column once"),
    *(
        Fault(f"a {key} is named {name}", both(
                  sheet_column(name, lambda row: row.rin),
                  put(key, value=[name] if key.endswith("covariates") else name)),
              f"{SHEET}: header", f"the design uses: {name}", "rename it in the sheet")
        for key, name in (
            ("covariates", "batch=b"), ("covariates", "_index"), ("numeric_covariates", "healthy@1"),
            ("donor", "_index"), ("series", "a@b"),
        )
    ),
    Fault("a library column is named _index", both(
              sheet_column("_index", lambda row: row.sample), put("samples", "technical_replicate_of", value="_index")),
          f"{SHEET}: header", "the design uses: _index", "rename it in the sheet"),
    Fault("nothing is replicated", keep(lambda row: row.donor == "donor1"), SHEET, "no arm has two samples",
          "add replicates"),
    Fault("no residual degrees of freedom", both(
              keep(lambda row: row.donor == "donor1" or (row.donor == "donor2" and row.group == "healthy")),
              sheet_column("sex", lambda row: "m" if row.donor == "donor1" and row.day == "1" else "f"),
              put("covariates", value=["batch", "sex"])),
          SHEET, "8 samples and 8 columns leave no residual degrees of freedom", "take out a covariate"),
    Fault("a covariate equals an arm", both(
              sheet_column("lane", lambda row: "two" if row.group == "treated" else "one"),
              put("covariates", value=["lane"])),
          SHEET, "rank-deficient: lane two cannot be told from arm treated at time 1, arm treated at time 7",
          "leave that covariate out"),
    Fault("a numeric covariate never changes", both(
              sheet_column("weight", lambda _: "20"), put("numeric_covariates", value=["weight"])),
          SHEET, "rank-deficient: numeric covariate weight never changes", "leave that covariate out"),
)  # fmt: skip

ROLES = (
    Fault("two bases and no against", second_injured, f"{DATASET}: arms.levels.treated.against",
          "could be injured or vehicle", "write against: vehicle (the vehicle arm)"),
    Fault("two bases of which none has a vehicle", both(
              second_injured, drop(*ARM, "vehicle", "vehicle"), drop(*ARM, "treated", "vehicle")),
          f"{DATASET}: arms.levels.treated.against", "could be injured or vehicle",
          "write against: injured, or the other one"),
    Fault("no arm is compared with another", lambda toy: [
              arm.update(role="reference") for arm in toy.levels.values()],
          f"{DATASET}: arms.levels", "no arm is compared with another one", "write against"),
    Fault("a treated arm has no base", both(drop(*ARM, "healthy"), drop(*ARM, "injured"),
              keep(lambda row: row.group == "treated"), put(*ARM, "treated", value={
                  "role": "treated", "where": {"group": "treated", "batch": "a"}}),
              put(*ARM, "b", value={"role": "treated_healthy", "where": {"group": "treated", "batch": "b"}})),
          f"{DATASET}: arms.levels.treated.against", "no arm to compare this one with", "role injured or reference"),
    Fault("against names no arm", put(*ARM, "treated", "against", value="sham"),
          f"{DATASET}: arms.levels.treated.against", "'sham', which is no other arm", "one of the arms"),
    Fault("arms are compared in a circle", both(
              put(*ARM, "healthy", "against", value="injured"), put(*ARM, "injured", "against", value="healthy")),
          f"{DATASET}: arms.levels.healthy.against", "healthy against injured against healthy", "take out one against"),
    Fault("an injured arm is compared with a treated one", put(*ARM, "injured", "against", value="treated"),
          f"{DATASET}: arms.levels.injured.against", "compared with 'treated', whose role is treated",
          "a healthy or reference arm"),
    Fault("a treated arm serves every time", put(*ARM, "treated", "at", value="all_times"),
          f"{DATASET}: arms.levels.treated.at", "all_times stands in a treated arm", "healthy or reference"),
    Fault("there is one arm", both(drop(*ARM, "healthy"), drop(*ARM, "treated"),
              keep(lambda row: row.group == "injured")),
          f"{DATASET}: arms.levels", "one arm only", "two arms"),
    Fault("an arm's name holds _vs_", put(*ARM, value={
              "a_vs_b": {"role": "healthy", "value": "healthy"}, "c": {"role": "injured", "value": "injured"}}),
          f"{DATASET}: arms", "'a_vs_b' cannot be the name of an arm", "without '_vs_'"),
    Fault("an arm's name has capitals", put(*ARM, value={
              "Sham": {"role": "healthy", "value": "healthy"}, "c": {"role": "injured", "value": "injured"}}),
          f"{DATASET}: arms", "'Sham' cannot be the name of an arm", "small letters"),
    Fault("two arms have one value", put(*ARM, "again", value={"role": "reference", "value": "healthy"}),
          f"{DATASET}: arms", "two arms have the same value", "a value of its own"),
    Fault("an arm has value and where", put(*ARM, "healthy", "where", value={"batch": "a"}), f"{DATASET}: arms",
          "arm 'healthy' needs either value or where", "write value"),
    Fault("arms have values and no column", drop("arms", "column"), f"{DATASET}: arms", "no column is named",
          "write arms.column"),
    Fault("a contrast names no arm", put("contrasts", value={"late": {
              "of": {"arm": "treatd", "time": 7}, "against": {"arm": "injured", "time": 7}}}),
          f"{DATASET}: contrasts.late", "arm 'treatd', which does not exist", "did you mean 'treated'?"),
    Fault("a contrast names a time without samples", put("contrasts", value={"late": {
              "of": {"arm": "treated", "time": [7, 14]}, "against": {"arm": "injured", "time": 7}}}),
          "toy: contrasts.late", "a cell it names has no samples", "arm treated at time 7"),
    Fault("a contrast names a time in a dataset without times", both(drop("time"), put("contrasts", value={
              "late": EARLY})),
          "toy: contrasts.late", "a cell it names has no samples", "arm treated"),
    Fault("a contrast of a baseline names a time that no arm has", both(
              keep(lambda row: (row.group, row.day) != ("healthy", "7")),
              put(*ARM, "healthy", "at", value="all_times"), put("contrasts", value={"late": {
                  "of": {"arm": "injured", "time": 7}, "against": {"arm": "healthy", "time": 14}}})),
          "toy: contrasts.late", "a cell it names has no samples", "arm healthy"),
    Fault("a contrast's sides are the same", put("contrasts", value={"none": {
              "of": {"arm": "treated"}, "against": {"arm": "treated"}}}),
          "toy: contrasts.none", "its two sides are the same cells", "cells with samples"),
    Fault("a contrast has a derived id", put("contrasts", value={"treated_vs_injured": BASE}),
          "toy: contrasts.treated_vs_injured", "derived from the roles", "another name"),
    Fault("a contrast's name is no slug", put("contrasts", value={"Late effect": BASE}),
          f"{DATASET}: contrasts.Late effect", "cannot be the name of a contrast", "small letters"),
)  # fmt: skip

KEYS = (
    Fault("an unknown key of a dataset", put("covariats", value=["batch"]), f"{DATASET}: covariats",
          "key 'covariats' is unknown", "did you mean 'covariates'?"),
    Fault("an unknown key of the counts", put("counts", "ignor", value=[]), f"{DATASET}: counts.ignor",
          "key 'ignor' is unknown", "did you mean 'ignore'?"),
    Fault("an unknown key of an arm", put(*ARM, "treated", "does", value=5), f"{DATASET}: arms.levels.treated.does",
          "key 'does' is unknown", "did you mean 'dose'?"),
    Fault("an unknown key of a contrast", put("contrasts", value={"late": BASE | {"minos": EARLY}}),
          f"{DATASET}: contrasts.late.minos", "key 'minos' is unknown", "did you mean 'minus'?"),
    Fault("an unknown key without a neighbour", put("zzz", value=1), f"{DATASET}: zzz", "key 'zzz' is unknown",
          "known keys here: accession"),
    Fault("an unknown key of the study", nothing, "study.yaml: tittle", "key 'tittle' is unknown",
          "did you mean 'title'?", study={"tittle": "x"}),
    Fault("an unknown key below the study", nothing, "study.yaml: set_size.mn", "key 'mn' is unknown",
          "did you mean 'min'?", study={"set_size": {"mn": 5}}),
    Fault("a required key is misspelt", both(put("organsim", value="mouse"), drop("organism")),
          f"{DATASET}: organsim", "key 'organsim' is unknown", "did you mean 'organism'?"),
    Fault("a required key is missing", drop("organism"), f"{DATASET}: organism", "is missing", "human, mouse or rat"),
    Fault("the counts are missing", drop("counts"), DATASET, "counts is missing", "write counts:"),
    Fault("a role is misspelt", put(*ARM, "treated", "role", value="treatd"), f"{DATASET}: arms.levels.treated.role",
          "'treatd' is not a known value", "write treated"),
    Fault("an organism has a capital", put("organism", value="Mouse"), f"{DATASET}: organism",
          "'Mouse', which is not of the expected form", "human, mouse or rat"),
    Fault("an id is no slug", put("id", value="My data"), f"{DATASET}: id", "'My data'", "name of the dataset"),
    Fault("a name is a number", put(*ARM, "treated", "label", value=5), f"{DATASET}: arms.levels.treated.label",
          "is 5, and text is expected", 'write it in quotes: "5"'),
    Fault("a list is a word", put("covariates", value="batch"), f"{DATASET}: covariates", "'batch'",
          "columns of categorical covariates"),
    Fault("a number is a word", nothing, "study.yaml: fdr", "'five percent'", "false discovery rate",
          study={"fdr": "five percent"}),
    Fault("a number is out of range", nothing, "study.yaml: fdr", "is 5", "false discovery rate", study={"fdr": 5}),
    Fault("a mapping is a word", put("time", value="day"), f"{DATASET}: time", "'day'", "time of each sample"),
    Fault("data and simulation", put("simulation", value={
              "seed": 1, "identifiers": "ensembl", "genes": 300, "replicates": 3, "times": [1], "effects": {},
              "library_size": {"mean": 1e6, "spread": 0.1}, "response_genes": 0}),
          DATASET, "simulation stands beside counts", "keep the data or the simulation"),
    Fault("columns says nothing", put("counts", "columns", value={}), f"{DATASET}: counts.columns", "names no columns",
          "prefix, suffix or list"),
)  # fmt: skip

LATER_KEYS = tuple(
    Fault(
        name=f"later: {' '.join(path)} {value}",
        breaks=put(*path, value=value),
        where=f"{DATASET}: {'.'.join(path)}",
        what="not supported yet",
        fix=fix,
    )
    for path, value, fix in (
        (("cells",), {"donor": "mouse"}, "take it out"),
        (("clinical",), {"ALT": {"column": "alt"}}, "take it out"),
        (("cargo",), {}, "take it out"),
        (("sampled_at",), {"column": "zt"}, "take it out"),
        (("fasted",), True, "take it out"),
        (("counts", "geo"), "GSE1", "take it out"),
        (("counts", "url"), "address", "take it out"),
        (("counts", "h5ad"), "a.h5ad", "take it out"),
        (("counts", "files"), {FIRST: "a.txt"}, "take it out"),
        (("samples", "geo"), "GSE1", "take it out"),
        (("counts", "format"), "star", "convert the file"),
        (("counts", "format"), "htseq", "convert the file"),
    )
)  # fmt: skip
LATER = (
    *LATER_KEYS,
    Fault("later: geo in place of the file", both(drop("counts", "file"), put("counts", "geo", value="GSE1")),
          f"{DATASET}: counts.geo", "not supported yet", "take it out"),
    Fault("later: synthesis", nothing, "study.yaml: synthesis", "not supported yet", "take it out",
          study={"synthesis": {"clock": "since_injury"}}),
)  # fmt: skip

FILES = (
    Fault("a repeated key", edit("dataset.yaml", "organism: mouse", "organism: mouse\norganism: mouse"),
          f"{DATASET}: line 3", "key 'organism' is repeated", "keep one of the two"),
    Fault("a tag", edit("dataset.yaml", "id: toy", "id: !!str toy"), f"{DATASET}: line 1", "tags", "correct the YAML"),
    Fault("a tag that runs code", edit("dataset.yaml", "id: toy", "id: !!python/object/apply:os.getcwd []"),
          f"{DATASET}: line 1", "tags", "correct the YAML"),
    Fault("an alias", edit("dataset.yaml", "id: toy", "id: &name toy\ntitle: *name"), f"{DATASET}: line 2", "aliases",
          "correct the YAML"),
    Fault("a syntax error", edit("dataset.yaml", "id: toy", "id: [toy"), f"{DATASET}: line", "not valid here",
          "correct the YAML"),
    Fault("a tab for indentation", edit("dataset.yaml", "  file:", "\tfile:"), f"{DATASET}: line", "not valid here",
          "correct the YAML"),
    Fault("the counts do not exist", put("counts", "file", value="toy/none.tsv"), "toy/none.tsv",
          "the file does not exist", "correct counts.file"),
    Fault("the sheet does not exist", put("samples", "file", value="toy/none.tsv"), "toy/none.tsv",
          "the file does not exist", "correct samples.file"),
    Fault("the counts are a folder", put("counts", "file", value="toy"), "toy", "cannot be read", "table of counts"),
    Fault("a path is too long", put("counts", "file", value="a" * 300), f"{DATASET}: counts.file", "too long",
          "correct the path"),
    Fault("the dataset does not exist", nothing, "none.yaml", "the file does not exist", "correct the path",
          study={"datasets": ["toy/dataset.yaml", "none.yaml"]}),
    Fault("a pattern matches nothing", nothing, "study.yaml: datasets", "'none/*.yaml' matches no file",
          "correct the pattern", study={"datasets": ["toy/dataset.yaml", "none/*.yaml"]}),
    Fault("a sheet of one column", edit("samples.tsv", "\t", " "), SHEET,
          "one column only; its first row reads as 'sample group day donor batch rin'", "separate columns by tabs"),
    Fault("a sheet without rows", lambda toy: setattr(toy, "sheet", toy.sheet.iloc[:0]), SHEET, "no rows",
          "name the right file"),
    Fault("a ragged sheet", edit("samples.tsv", "\thealthy\t1\t", "\thealthy 1\t"), SHEET, "row 2 has 5 cells",
          "as many cells as the header"),
    Fault("a repeated column of the sheet", edit("samples.tsv", "\tbatch\t", "\tdonor\t"), SHEET,
          "columns are repeated: donor", "a name of its own"),
)  # fmt: skip

STUDY = tuple(
    Fault(name, nothing, f"study.yaml: {key}" if key else "study.yaml", what, fix, study=study)
    for name, key, what, fix, study in (
        ("an unknown collection", "collections", "'halmark' is not known", "did you mean 'hallmark'?",
         {"collections": ["halmark"]}),
        ("a collection's file is missing", "collections", "file 'sets.gmt' does not exist", "correct the path",
         {"collections": ["sets.gmt"]}),
        ("unknown programmes", "programmes", "'program' is not known", "did you mean 'programmes'?",
         {"programmes": "program"}),
        ("results lead out of the folder", "", "results leads out", "a folder below it", {"results": "../elsewhere"}),
        ("results are the folder itself", "results", "the working directory itself", "a folder below it",
         {"results": "."}),
        ("results are git's", "results", "a folder of git", "another folder", {"results": ".git/results"}),
        ("results are a file", "results", "'toy/counts.tsv' is a file", "another folder",
         {"results": "toy/counts.tsv/results"}),
        ("a date that the calendar lacks", "date", "'2025-02-30' is no day", "year-month-day", {"date": "2025-02-30"}),
        ("results are absolute", "results", "'/elsewhere/results', which is not of the", "below the working",
         {"results": "/elsewhere/results"}),
        ("a gene is a path", "genes_of_interest.0", "'../Mcl1', which is not of the expected form", "form ^[A-Za-z0-9]",
         {"genes_of_interest": ["../Mcl1"]}),
        ("an empty panel", "panel.anti", "[]", "anti-apoptotic genes", {"panel": {"anti": [], "pro": ["BAX"]}}),
        ("half a panel", "panel.pro", "is missing", "pro-apoptotic genes", {"panel": {"anti": ["MCL1"]}}),
        ("set sizes the wrong way round", "set_size", "min is above max", "swap them",
         {"set_size": {"min": 50, "max": 10}}),
        ("no datasets", "datasets", "[]", "paths of dataset YAML files", {"datasets": []}),
        ("a date that is none", "date", "'yesterday', which is not of the", "date", {"date": "yesterday"}),
    )
)  # fmt: skip

FAULTS = (*SAMPLES, *CELLS, *GENES, *DESIGN, *ROLES, *KEYS, *LATER, *FILES, *STUDY)

WARNINGS = (
    Fault("a cell has one sample", keep(lambda row: row.sample not in ("treated_7_1", "treated_7_2")), SHEET,
          "fewer than three samples: arm treated at time 7 (1)", "say unreplicated"),
    Fault("a cell has two samples", keep(lambda row: row.sample != "treated_7_1"), SHEET,
          "fewer than three samples: arm treated at time 7 (2)", "read these effects with care"),
    Fault("every donor is in one arm", both(
              sheet_column("mouse", lambda row: f"{row.group}{row.donor}"), put("donor", value="mouse")),
          SHEET, "every mouse is in one arm only, so it is left out", "treated as independent"),
    Fault("a baseline of all times has several", put(*ARM, "healthy", "at", value="all_times"),
          f"{SHEET}: arms.levels.healthy.at", "arm healthy has samples of several times (1, 7)", "take out at"),
    Fault("summary rows do not hide a small library", small_but_unmapped, COUNTS, "library sizes differ",
          "samples.exclude if it failed"),
    Fault("an organism without annotation", both(put("organism", value="worm"), put("counts", "identifiers",
              value="other")), "toy", "organism 'worm' has no shipped annotation", "enrichment is left out"),
    Fault("identifiers of another kind", put("counts", "identifiers", value="other"), "toy",
          "no symbols, and so no gene set", "write counts.identifiers"),
    Fault("a product on healthy animals has no base", put(*ARM, "healthy", "role", value="treated_healthy"),
          "toy: arms", "no arm to compare healthy with", "the role healthy or reference"),
    Fault("few ids are known", lambda toy: setattr(toy, "counts", toy.counts.set_axis(
              pd.Index([*toy.counts.index[:100], *(f"ENSMUSG99999999{n}" for n in range(200, 400))], name="gene_id"))),
          COUNTS, "100 of 300 ids (33%) are mouse ensembl ids", "another annotation release"),
    Fault("symbols are mixed with Ensembl ids", lambda toy: setattr(toy, "counts", toy.counts.set_axis(
              pd.Index([*toy.counts.index[:290], *(f"Gene{n}" for n in range(10))], name="gene_id"))),
          f"{COUNTS}: column 1", "10 are no Ensembl ids of genes, such as Gene0, Gene1, Gene2, Gene3 and 6 more",
          "kept under these names"),
    Fault("a library is small", lambda toy: toy.counts.isetitem(0, toy.counts[FIRST] // 40 + 1), COUNTS,
          "library sizes differ", "samples.exclude if it failed"),
    Fault("naive against vehicle", both(put(*ARM, "healthy", "procedure", value="naive"),
              put(*ARM, "injured", "vehicle", value="oil")), "toy", "healthy is naive, injured was given a vehicle",
          "a sham or vehicle arm"),
    Fault("a level of a covariate is in one arm", both(
              sheet_column("lane", lambda row: "three" if row.sample == FIRST else row.batch),
              put("covariates", value=["lane"])),
          f"{SHEET}: lane", "levels of lane that are in one arm only: three (healthy)", "say nothing"),
    Fault("a covariate has one level", both(
              sheet_column("sex", lambda _: "male"), put("covariates", value=["sex"])),
          f"{SHEET}: sex", "every sample has the same sex", "it changes nothing"),
    Fault("a series is in one arm", both(
              sheet_column("gse", lambda row: "A" if row.group == "treated" else "B"), put("series", value="gse")),
          f"{SHEET}: series", "levels of series that are in one arm only: A (treated)", "say nothing"),
)  # fmt: skip
