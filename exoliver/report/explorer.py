"""Any gene on demand: counts of every sample and effects of every contrast, packed into the page.

The page's script unpacks them; here is what is packed, how exact it is, and what is left out of a page that would grow
too large.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from exoliver.contrasts import Contrast
from exoliver.figures.style import CONFIG, time_words
from exoliver.figures.words import SMALLEST, count, decimals, plural
from exoliver.report.changes import HALF_WIDTH
from exoliver.report.elements import Explorer, Files, Link, Page, Prose, Section
from exoliver.report.material import Material
from exoliver.report.naming import contrast_words, estimable, leading, main_contrasts

MOST_BYTES = 5_000_000  # of a page
LIBRARIES_BYTES = 1_560_000  # Vega-Lite and DataTables as they stand in the page
WORDS_BYTES = 160_000  # text and style of a page; descriptions of its pictures stand in it twice
CELL_BYTES = 40  # of the code around what a table's cell says
BASE64 = 4 / 3  # letters for each byte
STEPS = 128  # of a doubling: a count is at most 2^(1/256) or .27 % off
# Numbers are packed as ranges of values that are shown alike: the look-up and the tables tell the same digits.
CHANGE_STEP = 0.005  # of log2 fold changes: what is rounded to .01 or .1 changes at multiples of it, and nowhere else
FEW_PLACES = 0.995  # from here on a fold change and its interval have one decimal, below it two
FINE, COARSE = 900, 90  # p-values told apart in a power of ten: three digits, and two where only one is shown
FINE_POWERS, POWERS = 40, 301  # powers of ten of p-values with three digits; of all that are numbers
SMALLEST_P = FINE * FINE_POWERS + COARSE * (POWERS - FINE_POWERS)  # of p-values below 1e-300
LARGEST = 65534  # of sixteen bits; the next is for what is missing
MISSING = 65535
MIDDLE = 32768  # added to a signed number
EDGE = 1e-9  # of a step: a value on its edge belongs to it, whatever the last bit
# Contrasts that are left out last come first: those of the whole dataset, then at one time, then the others.
FORMS = ("averaged", "extra", "at_time", "any_time", "over_time", "change")


@dataclass(frozen=True)
class Genes:
    """What is packed of the genes, all arrays in one order of genes.

    Parameters
    ----------
    ids, symbols
        Identifier and symbol; the symbol is empty where there is none.
    values
        Normalised counts, genes x samples.
    tables
        Gene tables by contrast id.
    """

    ids: tuple[str, ...]
    symbols: tuple[str, ...]
    values: np.ndarray
    tables: dict[str, pd.DataFrame]

    def take(self, kept: np.ndarray) -> Genes:
        """Some of the genes."""
        return Genes(
            tuple(np.array(self.ids, dtype=object)[kept]),
            tuple(np.array(self.symbols, dtype=object)[kept]),
            self.values[kept],
            {name: table.iloc[kept] for name, table in self.tables.items()},
        )


def with_explorer(page: Page, material: Material) -> Page:
    """The page with its section of genes after the one of changes; what does not fit into the page is left out."""
    room = int((MOST_BYTES - LIBRARIES_BYTES - WORDS_BYTES - taken(page)) / BASE64)
    place = [section.id for section in page.sections].index("changes") + 1
    own = explorer_section(material, room=room)
    return replace(page, sections=(*page.sections[:place], own, *page.sections[place:]))


def taken(page: Page) -> int:
    """Bytes that the pictures and tables of a page take, or a little more."""
    drawn = sum(len(figure.svg.encode("utf-8")) for figure in page.figures)
    columns = [column for table in page.tables for column in table.columns]
    said = sum(len(text.encode("utf-8")) for own in columns for text in (*own.cells, *own.details, *own.links))
    return drawn + said + CELL_BYTES * sum(len(own.cells) for own in columns)


def explorer_section(material: Material, *, room: int) -> Section:
    """Type a gene, see its counts by arm and time and its effects.

    Parameters
    ----------
    material
        Everything read of the dataset.
    room
        Bytes that the packed data may take.
    """
    genes = counted_genes(material)
    contrasts = sorted(estimable(material.contrasts), key=lambda own: FORMS.index(own.form))
    kept, shown = fitting(genes, contrasts, room=room)
    header = make_header(material, kept, contrasts=shown)
    lost = [own for own in contrasts if own not in shown]
    unseen = len(genes.ids) - len(kept.ids)
    block = Explorer(
        data=base64.b64encode(pack(header, kept, contrasts=shown)).decode("ascii"),
        arms=tuple((material.look.labels[arm], material.look.colours[arm]) for arm in material.look.labels),
        contrasts=tuple((own.id, contrast_words(own, material.look)) for own in shown if not own.is_omnibus),
        example=next(filter(None, (*header["asked"], *kept.symbols, *kept.ids)), ""),
    )
    measured = f"{plural(len(header['samples']), 'sample')} and the effects in {plural(len(shown), 'contrast')}"
    finding = f"{plural(len(kept.ids), 'gene')} can be looked up, one by one: the counts of {measured}."
    blocks = (block, *_left_out(material, lost, unseen))
    return Section("genes", "Any gene", finding, f"{count(len(kept.ids))} genes to look up", blocks)


def _left_out(material: Material, contrasts: Sequence[Contrast], genes: int) -> list[Any]:
    """What the page has no room for, and where it is."""
    blocks: list[Any] = []
    if contrasts:
        text = "To keep the page small, these contrasts are not looked up here; their tables hold every gene."
        links = [(Link(contrast_words(own, material.look), f"contrasts/{own.id}.tsv"), "") for own in contrasts]
        blocks += [Prose((text,)), Files(tuple(links))]
    if genes:
        lost = plural(genes, "gene")
        text = f"To keep the page small, {lost} with counts that no contrast tests cannot be looked up here."
        blocks.append(Prose((text,)))
    return blocks


def counted_genes(material: Material) -> Genes:
    """Genes with any count, the highest mean first: neighbours that are alike pack better."""
    values = material.expression.normalised
    means = values.to_numpy().mean(axis=0)
    order = np.lexsort((values.columns.to_numpy(dtype=str), -means))
    order = order[means[order] > 0]
    names = values.columns[order]
    symbols = material.expression.genes["symbol"].reindex(names)
    tables = {name: table.set_index("gene_id").reindex(names) for name, table in material.tables.items()}
    ordered = np.argsort(_sample_order(material), kind="stable")
    return Genes(
        tuple(map(str, names)),
        tuple("" if pd.isna(symbol) else str(symbol) for symbol in symbols),
        values.to_numpy()[np.ix_(ordered, order)].T,
        tables,
    )


def _sample_order(material: Material) -> np.ndarray:
    """Place of each sample: by arm as the YAML has them, time and name."""
    samples = material.expression.samples
    arms = list(material.look.labels)
    keys = (samples.index.to_numpy(dtype=str), samples["time"].to_numpy(dtype=float), samples["arm"].map(arms.index))
    return np.argsort(np.lexsort(keys), kind="stable")


def make_header(material: Material, genes: Genes, *, contrasts: Sequence[Contrast]) -> dict[str, Any]:
    """What the script has to know before the numbers: names, samples, contrasts and the chart."""
    samples = material.expression.samples.iloc[np.argsort(_sample_order(material), kind="stable")]
    arms = list(material.look.labels)
    times = sorted({float(time) for time in samples["time"].dropna()})
    return {
        "genes": [list(genes.ids), list(genes.symbols)],
        "samples": [
            [str(name), arms.index(arm), times.index(time) if pd.notna(time) else -1]
            for name, arm, time in zip(samples.index, samples["arm"], samples["time"], strict=True)
        ],
        "arms": [material.look.labels[arm] for arm in arms],
        "times": [time_words(time, material.look.unit) for time in times],
        "contrasts": [[own.id, contrast_words(own, material.look), own.is_omnibus] for own in contrasts],
        "first": [own.id for own in leading(material.contrasts)][:1],
        "asked": [name for name in material.settings["genes_of_interest"] if name in genes.symbols],
        "simulated": material.look.simulated,
        "chart": chart(material),
    }


def fitting(genes: Genes, contrasts: Sequence[Contrast], *, room: int) -> tuple[Genes, list[Contrast]]:
    """The genes and contrasts that fit into a page.

    Contrasts that do not speak of the whole dataset are left out first, from the last on; then genes that no contrast
    tests. What is left after that stays, whatever its size.

    Parameters
    ----------
    genes
        All of them.
    contrasts
        In the order of their weight.
    room
        Bytes for all of it.
    """
    main = {own.id for own in main_contrasts(contrasts)}
    shown, size = list(contrasts), _base_size(genes)
    sizes = {own.id: packed_size(contrast_planes(genes.tables[own.id])) for own in shown}
    while size + sum(sizes[own.id] for own in shown) > room and shown and shown[-1].id not in main:
        shown.pop()
    if not contrasts or size + sum(sizes[own.id] for own in shown) <= room:
        return genes, shown
    tested = np.any([genes.tables[own.id]["pvalue"].notna().to_numpy() for own in contrasts], axis=0)
    return genes.take(np.flatnonzero(tested)), shown


def _base_size(genes: Genes) -> int:
    """Bytes of names and counts, packed."""
    planes = [*count_planes(genes.values), *mean_planes(genes.values)]
    return packed_size([json.dumps([genes.ids, genes.symbols]).encode("utf-8"), *planes])


def packed_size(planes: Sequence[bytes]) -> int:
    """Bytes of arrays when packed."""
    return len(gzip.compress(b"".join(planes), mtime=0))


def pack(header: dict[str, Any], genes: Genes, *, contrasts: Sequence[Contrast]) -> bytes:
    """Header and numbers as one gzip file, the same bytes on every run.

    Parameters
    ----------
    header
        Plain values.
    genes
        Whose numbers they are.
    contrasts
        In the order of the header.

    Returns
    -------
    Four bytes that tell the length of the header (little-endian), the header in JSON, then arrays of genes: least
    counts, counts above these gene by gene, mean counts, and for each contrast log2 fold change with its interval
    (neither for a test of all times), p and adjusted p. Every array is its low bytes, then its high bytes.
    """
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode("utf-8")
    planes = [*count_planes(genes.values), *mean_planes(genes.values)]
    for own in contrasts:
        planes += contrast_planes(genes.tables[own.id])
    return gzip.compress(b"".join([len(text).to_bytes(4, "little"), text, *planes]), compresslevel=9, mtime=0)


def count_planes(values: np.ndarray) -> list[bytes]:
    """Counts in steps of 1/128 log2 of one more: the least of each gene, then how far the others are above it."""
    steps = np.round(np.log2(values + 1) * STEPS)
    least = steps.min(axis=1, initial=LARGEST)
    return [*_planes(least), *_planes(steps - least[:, None])]


def mean_planes(values: np.ndarray) -> list[bytes]:
    """Mean counts with the digits that are shown: a whole number (in two arrays, the upper one last) and decimals."""
    means = values.mean(axis=1)
    places = np.array([decimals(mean) for mean in means], dtype=float)
    whole = np.minimum(np.round(means * 10**places), 2**32 - 1)
    return [*_planes(np.mod(whole, 2**16), missing=False), *_planes(whole // 2**16), *_planes(places)]


def contrast_planes(table: pd.DataFrame) -> list[bytes]:
    """Effects of one contrast; those of a test of all times are its p-values alone."""
    planes = []
    if "log2_fold_change" in table:
        planes += interval_planes(table["log2_fold_change"].to_numpy(float), table["lfc_se"].to_numpy(float))
    return planes + [own for name in ("pvalue", "padj") for own in _planes(pvalue_codes(table[name].to_numpy(float)))]


def interval_planes(change: np.ndarray, error: np.ndarray) -> list[bytes]:
    """log2 fold changes in steps of .005, and their 95 % intervals in units of the last digit that is shown.

    Parameters
    ----------
    change, error
        log2 fold change and its standard error by gene; NA allowed.

    Returns
    -------
    Three arrays: the step below the change (plus 32,768); units from the change as shown down to the lower end; and how
    many units more it is up to the upper end, plus one.
    """
    unit = np.where(np.abs(change) < FEW_PLACES, 0.01, 0.1)
    half = HALF_WIDTH * error
    shown, low, high = (np.round(value / unit) for value in (change, change - half, change + half))
    below = np.minimum(shown - low, LARGEST)
    further = np.clip(high - shown - below, -1, 1) + 1
    steps = np.clip(np.floor(change / CHANGE_STEP + EDGE), -MIDDLE, MIDDLE - 2) + MIDDLE
    return [*_planes(steps), *_planes(below), *_planes(further)]


def pvalue_codes(values: np.ndarray) -> np.ndarray:
    """A whole number for the first three digits of each p-value (two below 1e-40); the larger, the smaller is p.

    The digits are cut, not rounded: what is below a limit of three digits, such as 0.05, stays below it.

    Parameters
    ----------
    values
        From 0 to 1; NaN stays NaN.
    """
    held = np.where(values < SMALLEST, 1.0, values)
    power = np.floor(np.log10(held))
    digits = held * 10.0 ** (2 - power)
    # The logarithm of a power of ten may be rounded across it.
    power += np.where(digits >= 1000 - EDGE, 1, np.where(digits < 100 - EDGE, -1, 0))
    digits = np.floor(held * 10.0 ** (2 - power) + EDGE)
    fine = FINE * -power + (999 - digits)
    coarse = FINE * FINE_POWERS + COARSE * (-power - FINE_POWERS) + (99 - digits // 10)
    codes = np.where(-power < FINE_POWERS, fine, coarse)
    return np.where(values < SMALLEST, SMALLEST_P, codes)


def _planes(numbers: np.ndarray, *, missing: bool = True) -> list[bytes]:
    """Low and high bytes of numbers of sixteen bits; what may be missing has a number of its own."""
    most = LARGEST if missing else MISSING
    whole = np.where(np.isnan(numbers), MISSING, np.minimum(numbers, most)).astype("<u2").ravel()
    return [(whole & 0xFF).astype(np.uint8).tobytes(), (whole >> 8).astype(np.uint8).tobytes()]


def chart(material: Material) -> dict[str, Any]:
    """The chart of one gene without its data, title and scale of counts, which the script fills in."""
    look = material.look
    arms = list(look.labels.values())
    colour = {
        "field": "arm", "type": "nominal", "legend": None,
        "scale": {"domain": arms, "range": [look.colours[arm] for arm in look.labels]},
    }  # fmt: skip
    y = {
        "field": "shown", "type": "quantitative", "title": "Normalised count (steps of ×2)",
        "scale": {"type": "log", "base": 2, "nice": False},
        "axis": {"labelExpr": "replace(format(datum.value, ',~r'), /,/g, '\u202f')"},
    }  # fmt: skip
    x = {
        "field": "arm", "type": "nominal", "sort": arms, "title": None,
        "axis": {"labelAngle": -35, "labelLimit": 110},
    }  # fmt: skip
    tooltip = [
        {"field": name, "type": "nominal", "title": title}
        for name, title in (("sample", "sample"), ("arm", "arm"), ("when", "time"), ("count", "normalised count"))
        if name != "when" or look.unit
    ]
    offset = {"field": "offset", "type": "quantitative", "scale": {"domain": [-1, 1]}}
    return {
        "config": CONFIG,
        "facet": {"column": {"field": "when", "type": "nominal", "title": None, "sort": None}},
        "spec": {
            "width": {"step": 44},
            "height": 220,
            "encoding": {"x": x, "y": y, "color": colour},
            "layer": [
                {
                    "mark": {"type": "point", "filled": True, "size": 44, "opacity": 0.85},
                    "encoding": {"xOffset": offset, "tooltip": tooltip},
                },
                {
                    "mark": {"type": "tick", "thickness": 2, "width": 26, "orient": "horizontal"},
                    "encoding": {"y": {**y, "aggregate": "median"}},
                },
            ],
        },
    }  # fmt: skip
