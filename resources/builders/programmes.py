"""The curated programmes: a table for each organism, which public sets hold each member, which programmes share."""

from itertools import combinations
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from builders.collections import GENE_SET_COLUMNS, GMT_FILES, read_gmt
from builders.files import RESOURCES, read_tsv

FOLDER = RESOURCES / "programmes"
PID = "c2.cp.pid.v7.0.symbols.gmt.gz"
EVIDENCE_COLUMNS = ["programme", "human", "reference_sets"]
OVERLAP_COLUMNS = ["programme", "other", "shared", "jaccard", "genes"]


def read_facts() -> dict[str, dict[str, Any]]:
    """What is known of each programme, in the order of the file."""
    content: dict[str, dict[str, Any]] = yaml.safe_load((FOLDER / "programmes.yaml").read_text(encoding="utf-8"))
    return content


def read_members() -> pd.DataFrame:
    """The members as written by hand: programme, human, mouse, rat, sign, evidence, citation."""
    return read_tsv(FOLDER / "members.tsv")


def build_programmes(organism: str, responses: pd.DataFrame) -> pd.DataFrame:
    """The programmes in one organism's symbols; a family of paralogues weighs as much as one gene.

    Parameters
    ----------
    responses
        PROGENy's sets in this organism's symbols, for the programmes that are defined by one of them.
    """
    rows = []
    members = read_members().dropna(subset=[organism])
    for programme, family, sign in members[["programme", organism, "sign"]].itertuples(index=False):
        genes = family.split(";")
        rows += [(programme, gene, 1 / len(genes), int(sign)) for gene in genes]
    for programme, facts in read_facts().items():
        if "progeny" in facts:
            own = responses[responses["gene_set"] == facts["progeny"]].assign(gene_set=programme)
            rows += list(own[GENE_SET_COLUMNS].itertuples(index=False, name=None))
    table = pd.DataFrame(rows, columns=GENE_SET_COLUMNS)
    return table.sort_values(["gene_set", "gene"], ignore_index=True)


def build_evidence(shared: Path, present: dict[str, str]) -> pd.DataFrame:
    """Which of the reference sets of its programme hold each member; empty where its citation alone puts it there."""
    human_files = [file for (_, organism), file in GMT_FILES.items() if organism == "human"]
    public: dict[str, set[str]] = {}
    for file in [*human_files, PID]:
        for name, (_, genes) in read_gmt(shared / "genesets" / file).items():
            public[name] = {present.get(gene, gene) for gene in genes}
    rows = []
    facts = read_facts()
    for programme, human in read_members()[["programme", "human"]].itertuples(index=False):
        genes = set(human.split(";"))
        held = [name for name in facts[programme].get("reference_sets", []) if genes & public[name]]
        rows.append((programme, human, ";".join(held)))
    return pd.DataFrame(rows, columns=EVIDENCE_COLUMNS)


def build_overlaps(human: pd.DataFrame) -> pd.DataFrame:
    """Every pair of programmes that share members, by human symbol: how many, which, and the Jaccard index.

    Parameters
    ----------
    human
        Of `build_programmes` for human.
    """
    members = human.groupby("gene_set")["gene"].agg(set).reindex(list(read_facts()))
    rows = []
    for one, other in combinations(members.index, 2):
        both = members[one] & members[other]
        if both:
            jaccard = len(both) / len(members[one] | members[other])
            rows.append((one, other, len(both), f"{jaccard:.3f}", ";".join(sorted(both))))
    return pd.DataFrame(rows, columns=OVERLAP_COLUMNS)


def build_ambiguous(shared: Path, human: pd.DataFrame, present: dict[str, str]) -> pd.DataFrame:
    """Genes that Gene Ontology has among the positive and the negative regulators of apoptosis, and who holds them."""
    public = read_gmt(shared / "genesets" / GMT_FILES["go_bp", "human"])
    sides = [public[f"GOBP_{side}_REGULATION_OF_APOPTOTIC_PROCESS"][1] for side in ("POSITIVE", "NEGATIVE")]
    both = sorted({present.get(gene, gene) for gene in set(sides[0]) & set(sides[1])})
    holders = human[human["gene"].isin(both)].groupby("gene")["gene_set"].agg(lambda sets: ";".join(sorted(sets)))
    return pd.DataFrame({"gene": both, "programmes": [holders.get(gene) for gene in both]})


def as_gmt(table: pd.DataFrame) -> str:
    """Programmes as GMT; one with members that fall becomes NAME_UP and NAME_DN."""
    facts = read_facts()
    falling = set(table.loc[table["sign"] < 0, "gene_set"])
    lines = []
    for (name, sign), members in table.groupby(["gene_set", "sign"]):
        half = f"{name}_{'UP' if sign > 0 else 'DN'}" if name in falling else name
        lines.append("\t".join([half, facts[name]["title"], *members["gene"]]))
    return "\n".join(sorted(lines)) + "\n"
