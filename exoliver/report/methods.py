"""Methods ready to paste, and the files of a dataset."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

import pandas as pd

from exoliver.report.elements import Bullets, Files, Heading, Link, Prose, Section
from exoliver.report.material import Material
from exoliver.report.naming import has_injury
from exoliver.report.origins import origin_blocks

_LEAD = re.compile(r"\*\*(.+?)\*\*\s*(.*)", flags=re.DOTALL)
_ITEM = re.compile(r"(?:-|\d+\.)\s+")


RESCUE_FILES = (
    ("rescue/programmes.tsv", "injury and treatment effects of programmes, and the fraction restored"),
    ("rescue/comparisons.tsv", "which of two products restores more"),
    ("rescue/genes.tsv", "the same as of programmes, of genes that the injury moves clearly"),
    ("rescue/summary.tsv", "the fraction restored over all genes"),
)


def methods_section(material: Material, methods: str, *, inputs: pd.DataFrame | None = None) -> Section:
    """The methods text with its limits, versions and references, what the page was made from, then the files.

    Parameters
    ----------
    material
        Everything read of the dataset.
    methods
        Its methods text.
    inputs
        Digests of its own files, of `provenance.file_digests`; None where they were not taken.
    """
    finding = (
        "Ready to paste: what was done, with the versions, settings and numbers of this run, and what it cannot tell."
    )
    origins = origin_blocks(material, inputs)
    blocks = (*methods_blocks(methods), *origins, Heading("Files"), dataset_files(material))
    return Section("methods", "Methods, limits, versions, files", finding, "Methods ready to paste", blocks)


def methods_blocks(text: str) -> list[Any]:
    """Blocks of a text in simple Markdown: headings, paragraphs that may open in bold, lists; its title is left out."""
    blocks: list[Any] = []
    for kind, lines in groupby(_paragraphs(text), key=_kind):
        if kind == "text":
            blocks += [_block(paragraph) for paragraph in lines]
            continue
        items = tuple(_plain(_ITEM.sub("", line, count=1)) for line in lines)
        blocks.append(Bullets(items, is_numbered=kind == "numbered"))
    return blocks[1:] if blocks and isinstance(blocks[0], Heading) else blocks


def _kind(paragraph: str) -> str:
    """Item of a list, with or without a number, or text."""
    if not _ITEM.match(paragraph):
        return "text"
    return "numbered" if paragraph[0].isdigit() else "listed"


def _paragraphs(text: str) -> Iterator[str]:
    """Paragraphs, and each item of a list by itself."""
    for paragraph in re.split(r"\n\s*\n", text):
        lines = [line.strip() for line in paragraph.strip().splitlines() if line.strip()]
        if any(_ITEM.match(line) or line.startswith("#") for line in lines):
            yield from lines
        elif lines:
            yield " ".join(lines)


def _block(paragraph: str) -> Any:
    """A heading, or a paragraph with what stands in bold before it."""
    if paragraph.startswith("#"):
        return Heading(_plain(paragraph.lstrip("#")))
    lead = _LEAD.fullmatch(paragraph)
    return Prose((_plain(lead[2]),), lead=_plain(lead[1]).rstrip(".")) if lead else Prose((_plain(paragraph),))


def _plain(text: str) -> str:
    """Text without the marks of Markdown."""
    return text.replace("**", "").replace("`", "").strip()


def dataset_files(material: Material) -> Files:
    """Where every number of the page comes from."""
    collections = [collection.name for collection in material.collections]
    items: list[tuple[str, str]] = [
        ("contrasts.json", "every contrast with its weights"),
        ("contrasts/", "genes of every contrast, one table each"),
        ("identifiers.tsv", "every input row: what it became, or why it was set aside"),
        ("ledger.tsv", "how these rows add up"),
        ("model/design.json", "the design and its numbers"),
        ("model/arrays.npz", "the fit, in plain arrays"),
        ("normalised.h5ad", "normalised and variance-stabilised expression"),
        ("counts.h5ad", "raw counts with samples and genes"),
        *((f"gene_sets/{name}.tsv", f"members of {name}: which gene stands for each") for name in collections),
        *((f"enrichment/{name}/", f"enrichment of {name}, one table for each contrast") for name in collections),
        *((f"overrepresentation/{name}/", f"over-representation of {name}") for name in collections),
        *((f"exports/{name}/", f"{name} for other programs: GMT, rankings, EnrichmentMap") for name in collections),
        ("programmes/effects.tsv", "effects of every contrast on every programme"),
        ("programmes/changes.tsv", "changes of these effects between times, and tests of all times at once"),
        ("programmes/beside.tsv", "the same of cell types, clock, feeding and handling"),
        ("programmes/trajectories.tsv", "their courses"),
        ("programmes/equivalence.tsv", "whether two products are the same"),
        ("programmes/scores.tsv", "programmes sample by sample"),
        *(RESCUE_FILES if has_injury(material.facts) else ()),
        ("timepoints/genes.tsv", "genes that differ at some time, side by side"),
        ("panel.tsv", "apoptosis genes and balances in every contrast"),
        ("genes/", "genes asked for, sample by sample"),
        ("figures/", "every picture of this page as SVG, PDF and PNG"),
        ("supplement.xlsx", "the main tables in one workbook; its first sheet says what every column means"),
        ("check.json", "the preflight of this dataset"),
    ]
    return Files(tuple(_links(items)))


def _links(items: Iterable[tuple[str, str]]) -> Iterator[tuple[Link, str]]:
    """Each path as a link to itself."""
    for path, words in items:
        yield Link(path, path), words
