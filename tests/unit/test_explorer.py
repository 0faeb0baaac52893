"""Genes on demand: what is packed is read back another way, how exact it is, and what a small page leaves out."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
import vl_convert
from scipy import stats

from exoliver.contrasts import Contrast
from exoliver.figures.figure import VERSION
from exoliver.figures.words import MINUS, estimate, number, pvalue
from exoliver.report.changes import HALF_WIDTH
from exoliver.report.elements import Explorer, Files, Prose, Section
from exoliver.report.explorer import (
    FORMS,
    LIBRARIES_BYTES,
    MOST_BYTES,
    WORDS_BYTES,
    Genes,
    counted_genes,
    explorer_section,
    fitting,
    pack,
    pvalue_codes,
    taken,
    with_explorer,
)
from exoliver.report.libraries import library_scripts
from exoliver.report.material import Material
from exoliver.report.naming import main_contrasts
from exoliver.report.pages import dataset_page
from exoliver.report.render import read_asset, render_page
from tests.toy_report import INJURED_ARMS, REFERENCE_ARMS, SIMULATION, make_facts, make_material

ROOM = 10_000_000
COUNT_ERROR = 0.0028  # 2^(1/256) - 1, of a count and one
WIDE = 60, 20_000, 10  # samples, genes, contrasts of the largest page that has to fit


class Unpacked(NamedTuple):
    """Header and numbers, read with numpy as the page's script reads them."""

    header: dict[str, Any]
    counts: np.ndarray
    means: np.ndarray
    contrasts: dict[str, dict[str, np.ndarray]]


@cache
def toy() -> Material:
    """The toy with three arms and two times."""
    return make_material()


def unpack(packed: bytes) -> Unpacked:
    """Four bytes of length, the header, then low and high bytes of every array."""
    content = gzip.decompress(packed)
    length = int.from_bytes(content[:4], "little")
    header = json.loads(content[4 : 4 + length])
    rest = np.frombuffer(content[4 + length :], dtype=np.uint8)

    def take(size: int, *, missing: bool = True) -> np.ndarray:
        nonlocal rest
        low, high, rest = rest[:size].astype(int), rest[size : 2 * size].astype(int), rest[2 * size :]
        return np.where((low + 256 * high == 65535) & missing, np.nan, low + 256.0 * high)

    genes, samples = len(header["genes"][0]), len(header["samples"])
    least, above = take(genes), take(genes * samples)
    counts = 2 ** ((least[:, None] + above.reshape(genes, samples)) / 128) - 1
    lower, upper, places = take(genes, missing=False), take(genes), take(genes)
    means = (lower + 65536 * upper) / 10**places
    contrasts = {}
    for name, _, is_omnibus in header["contrasts"]:
        own = {} if is_omnibus else intervals_of(take(genes), take(genes), further=take(genes))
        contrasts[name] = own | {key: np.array([pvalue_of(code) for code in take(genes)]) for key in ("p", "padj")}
    assert len(rest) == 0
    return Unpacked(header, counts, means, contrasts)


def intervals_of(steps: np.ndarray, below: np.ndarray, *, further: np.ndarray) -> dict[str, np.ndarray]:
    """The middle of each step of .005, and the ends of the interval in units of the last digit shown."""
    change = (steps - 32768 + 0.5) * 0.005
    unit = np.where(np.abs(change) < 0.995, 0.01, 0.1)
    shown = np.round(change / unit)
    return {"change": change, "low": (shown - below) * unit, "high": (shown + below + further - 1) * unit}


def pvalue_of(code: float) -> float:
    """The middle of three digits for the first forty powers of ten, then of two; zero is the last."""
    if np.isnan(code) or code >= 59490:
        return code if np.isnan(code) else 0.0
    if code < 36000:
        return min(1.0, (999.5 - code % 900) * 10.0 ** -(code // 900 + 2))
    rest = code - 36000
    return (99.5 - rest % 90) * 10.0 ** -(rest // 90 + 41)


def explorer_of(section: Section) -> Explorer:
    """The block of a section that holds the data."""
    return next(block for block in section.blocks if isinstance(block, Explorer))


def unpacked(material: Material, room: int = ROOM) -> Unpacked:
    """What the section of a dataset holds."""
    return unpack(base64.b64decode(explorer_of(explorer_section(material, room=room)).data))


def test_counts_come_back_within_a_third_of_a_per_cent() -> None:
    """Of every gene and sample, by name; a zero is a zero."""
    values = toy().expression.normalised.copy()
    values.iloc[0, 0] = 0
    material = replace(toy(), expression=replace(toy().expression, normalised=values))
    found = unpacked(material)
    names, samples = found.header["genes"][0], [sample for sample, _, _ in found.header["samples"]]
    table = pd.DataFrame(found.counts.T, index=samples, columns=names).loc[values.index, values.columns]
    assert table.iloc[0, 0] == 0
    assert ((table - values).abs() <= COUNT_ERROR * (values + 1)).all(axis=None)
    assert len(names) == len(values.columns)


def test_effects_come_back_as_close_as_they_are_packed() -> None:
    """Half a step of log2; half of the third digit of a p-value; missing ones are missing."""
    found = unpacked(toy())
    assert set(found.contrasts) == {own.id for own in toy().contrasts if own.rows}
    for name, own in found.contrasts.items():
        table = toy().tables[name].set_index("gene_id").loc[found.header["genes"][0]]
        if "log2_fold_change" in table:
            half = 1.959964 * table["lfc_se"]
            last = np.where(table["log2_fold_change"].abs() < 0.995, 0.0051, 0.051)
            np.testing.assert_allclose(own["change"], table["log2_fold_change"], atol=0.00251)
            for end, sign in (("low", -1), ("high", 1)):
                off = own[end] - (table["log2_fold_change"] + sign * half)
                assert (off.isna() == half.isna()).all()
                assert (off.abs().fillna(0) <= last).all()
        np.testing.assert_allclose(own["p"], table["pvalue"].to_numpy(float), rtol=0.0051)
        np.testing.assert_allclose(own["padj"], table["padj"].to_numpy(float), rtol=0.0051)


def one_contrast(table: pd.DataFrame) -> Unpacked:
    """A single contrast of genes with counts of one, packed and read back."""
    ids = tuple(f"g{place:05d}" for place in range(len(table)))
    genes = Genes(ids, ("",) * len(ids), np.ones((len(ids), 2)), {"x": table})
    header = {"genes": [list(ids), list(ids)], "samples": [["s", 0, 0]] * 2, "contrasts": [["x", "x", False]]}
    return unpack(pack(header, genes, contrasts=[replace(toy().contrasts[0], id="x")]))


def shown_interval(change: float, low: float, *, high: float) -> str:
    """An interval as the page's script writes it: two decimals below .995, else one."""
    places = 1 if abs(change) >= 0.995 else 2
    shown, lower, upper = (f"{round(value, places) + 0.0:.{places}f}" for value in (change, low, high))
    return f"{shown} ({lower} to {upper})".replace("-", MINUS)


def test_the_same_digits_are_shown_as_in_the_tables_of_the_page() -> None:
    """Of ten thousand effects, errors and p-values fewer than one in two hundred differ; here none does."""
    random = np.random.default_rng(11)
    amount = 10_000
    change = np.concatenate([random.normal(0, 0.4, amount // 2), random.normal(0, 4, amount // 2)])
    error, p = random.uniform(0.02, 2, amount), 10 ** -random.exponential(3, amount)
    table = pd.DataFrame({"log2_fold_change": change, "lfc_se": error, "pvalue": p, "padj": np.minimum(1, 1.7 * p)})
    own = one_contrast(table).contrasts["x"]
    half = HALF_WIDTH * error
    said = [estimate(*row, high=high) for *row, high in zip(change, change - half, change + half, strict=True)]
    ours = [shown_interval(*row, high=high) for *row, high in zip(own["change"], own["low"], own["high"], strict=True)]
    differing = sum(one != other for one, other in zip(said, ours, strict=True))
    differing += sum(pvalue(one) != pvalue(other) for one, other in zip(p, own["p"], strict=True))
    differing += sum(pvalue(one) != pvalue(other) for one, other in zip(table["padj"], own["padj"], strict=True))
    assert differing == 0


def test_mean_counts_have_the_digits_of_the_tables() -> None:
    """From a hundredth to millions."""
    values = 10 ** np.random.default_rng(5).uniform(-3, 6.5, (3000, 4))
    ids = tuple(f"g{place:04d}" for place in range(len(values)))
    header = {"genes": [list(ids), list(ids)], "samples": [["s", 0, 0]] * 4, "contrasts": []}
    found = unpack(pack(header, Genes(ids, ids, values, {}), contrasts=[]))
    assert [number(mean) for mean in found.means] == [number(mean) for mean in values.mean(axis=1)]


@pytest.mark.parametrize("limit", [0.1, 0.05, 0.01, 0.001, 1e-5])
def test_a_p_value_stays_on_its_side_of_a_limit(limit: float) -> None:
    """However near it is; the limit itself is not below it."""
    below = [limit * (1 - 10.0**-power) for power in range(1, 9)]
    above = [limit, *(limit * (1 + 10.0**-power) for power in range(1, 9))]
    found = np.array([pvalue_of(code) for code in pvalue_codes(np.array(below + above))])
    assert list(found < limit) == [True] * len(below) + [False] * len(above)


def test_codes_of_p_values_keep_their_order() -> None:
    """From one to none, powers of ten and both pieces among them; a smaller one never has a smaller code."""
    powers = [10.0**-power for power in range(301)]
    p = np.sort(np.concatenate([powers, 10 ** -np.linspace(0, 299.9, 20_001), [0, 1e-305]]))[::-1]
    codes = pvalue_codes(p)
    assert (np.diff(codes) >= 0).all()
    assert codes[0] == 899
    assert codes[-1] == codes.max() == 59490
    found = np.array([pvalue_of(code) for code in codes])
    np.testing.assert_allclose(found[p >= 1e-300], p[p >= 1e-300], rtol=0.0501)
    assert (found[p < 1e-300] == 0).all()


def test_what_no_number_holds_is_held_at_the_end() -> None:
    """A p-value of zero, a runaway fold change and a huge error; NaN stays apart from all of them."""
    rows = {"log2_fold_change": [999.0, -999.0, 2.0, np.nan], "lfc_se": [1e9, 0.5, np.nan, np.nan]}
    table = pd.DataFrame(rows).assign(pvalue=[0.0, 1.0, 1e-301, np.nan], padj=[np.nan, 1.0, 0.5, np.nan])
    found = one_contrast(table).contrasts["x"]
    np.testing.assert_allclose(found["change"], [163.8325, -163.8375, 2.0025, np.nan], rtol=1e-9)
    assert found["low"][0] < -6000
    assert np.isnan(found["low"][2:]).all()
    np.testing.assert_allclose(found["p"], [0, 1, 0, np.nan])
    np.testing.assert_allclose(found["padj"], [np.nan, 1, 0.5005, np.nan])


def test_row_order_does_not_matter() -> None:
    """Shuffled samples, genes and rows of tables: the same bytes."""
    rng = np.random.default_rng(3)
    own = toy().expression
    rows, columns = rng.permutation(len(own.samples)), rng.permutation(len(own.genes))
    shuffled = replace(
        own,
        samples=own.samples.iloc[rows],
        genes=own.genes.iloc[columns],
        normalised=own.normalised.iloc[rows, columns],
    )
    tables = {name: table.iloc[rng.permutation(len(table))] for name, table in toy().tables.items()}
    other = replace(toy(), expression=shuffled, tables=tables)
    assert explorer_section(other, room=ROOM) == explorer_section(toy(), room=ROOM)


def test_genes_without_a_count_are_left_out() -> None:
    """All others are there, tested or not."""
    values = toy().expression.normalised.copy()
    values.iloc[:, 3] = 0
    kept = counted_genes(replace(toy(), expression=replace(toy().expression, normalised=values)))
    assert set(kept.ids) == set(values.columns) - {values.columns[3]}
    assert list(kept.values.mean(axis=1)) == sorted(kept.values.mean(axis=1), reverse=True)


def test_further_contrasts_give_way_first_and_are_linked() -> None:
    """Then genes that nothing tests; the contrasts of the whole dataset stay."""
    section = explorer_section(toy(), room=0)
    found = unpack(base64.b64decode(explorer_of(section).data))
    main = [own.id for own in main_contrasts(toy().contrasts)]
    assert list(found.contrasts) == main
    links = {link.href for block in section.blocks if isinstance(block, Files) for link, _ in block.items}
    assert links == {f"contrasts/{own.id}.tsv" for own in toy().contrasts if own.rows and own.id not in main}
    tested = toy().tables[main[0]].dropna(subset=["pvalue"])["gene_id"]
    assert set(found.header["genes"][0]) == set(tested)
    words = " ".join(text for block in section.blocks if isinstance(block, Prose) for text in block.paragraphs)
    assert "2 genes with counts that no contrast tests" in words


def test_the_last_contrasts_go_before_the_first_ones() -> None:
    """Averages, then effects at a time, then tests of all times, then changes between times."""
    contrasts = sorted((own for own in toy().contrasts if own.rows), key=lambda own: FORMS.index(own.form))
    genes, found = counted_genes(toy()), {}
    for room in range(0, 20_000, 250):
        kept = [own.id for own in fitting(genes, contrasts, room=room)[1]]
        assert kept == [own.id for own in contrasts][: len(kept)]
        found[room] = len(kept)
    assert list(found.values()) == sorted(found.values())
    assert len(set(found.values())) > 3
    shown = [form for _, form in sorted((FORMS.index(own.form), own.form) for own in contrasts)]
    told = unpacked(toy()).header["contrasts"]
    assert [next(own.form for own in contrasts if own.id == name) for name, _, _ in told] == shown


@pytest.mark.parametrize("arms", [INJURED_ARMS, REFERENCE_ARMS], ids=["injury", "reference"])
@pytest.mark.parametrize("days", [(), (1.0, 7.0)], ids=["untimed", "timed"])
def test_the_chart_is_one_that_the_library_draws(arms: dict[str, Any], days: Sequence[float]) -> None:
    """With data as the script gives it: every sample a point."""
    found = unpacked(make_material(make_facts(arms, days=days), days=days))
    names, times = found.header["arms"], found.header["times"]
    values = [
        {
            "sample": s,
            "arm": names[arm],
            "when": times[time] if time >= 0 else "",
            "offset": 0,
            "count": "9",
            "shown": 9,
        }
        for s, arm, time in found.header["samples"]
    ]
    chart = found.header["chart"] | {"data": {"values": values}}
    svg = vl_convert.vegalite_to_svg(chart, vl_version=VERSION, allowed_base_urls=[])
    assert svg.count('aria-roledescription="point"') + svg.count("A3.3") >= len(values)
    assert all(time in svg for time in times)


def test_simulated_data_are_marked_for_the_script() -> None:
    """It is what puts the word over the chart."""
    facts = make_facts(counts=None, samples=None, simulation=SIMULATION)
    assert unpacked(make_material(facts)).header["simulated"] is True
    assert unpacked(toy()).header["simulated"] is False


def test_hostile_names_are_text_in_the_data() -> None:
    """They come back as they are, and nothing of them stands in the page."""
    names = {0: '=HYPERLINK("http://x")', 1: "</script><script>alert(1)</script>"}
    material = make_material(gene_names=names)
    assert set(names.values()) <= set(unpacked(material).header["genes"][1])
    page = render_page(dataset_page(material, "**Data.** Some."))
    data = page.split('id="explorer-data">')[1].split("</script>")[0]
    assert set(data) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")


def wide_material() -> Material:
    """The toy with twenty thousand genes, sixty samples and ten contrasts of random negative binomial counts."""
    samples, genes, amount = WIDE
    random = np.random.default_rng(1)
    mean = np.exp(random.normal(4, 2.2, genes))
    dispersion = 0.05 + 2 / mean
    rate = random.gamma(1 / dispersion, mean * dispersion, size=(samples, genes))
    values = random.poisson(rate) / random.uniform(0.7, 1.4, (samples, 1))
    names = [f"ENSMUSG{place:011d}" for place in range(genes)]
    own = toy().expression.samples
    sheet = pd.concat([own] * (samples // len(own) + 1)).iloc[:samples]
    sheet.index = [f"sample_{place}" for place in range(samples)]
    table = pd.DataFrame({"symbol": [f"Gene{place}" for place in range(genes)]}, index=names)
    normalised = pd.DataFrame(values, index=sheet.index, columns=names)
    contrasts = tuple([own for own in toy().contrasts if own.rows][:amount])
    return replace(
        toy(),
        expression=replace(toy().expression, samples=sheet, genes=table, normalised=normalised),
        contrasts=contrasts,
        tables={own.id: wide_table(own, names, dispersion, random=random) for own in contrasts},
    )


def wide_table(
    contrast: Contrast, names: list[str], dispersion: np.ndarray, *, random: np.random.Generator
) -> pd.DataFrame:
    """Random effects with the errors that such counts have."""
    error = np.sqrt(dispersion / 3) * random.uniform(0.95, 1.05, len(names))
    change = random.normal(0, 0.3, len(names)) + random.normal(0, error)
    p = 2 * stats.norm.sf(np.abs(change / error))
    table = pd.DataFrame(
        {"gene_id": names, "base_mean": 1.0, "pvalue": p, "padj": stats.false_discovery_control(p)}, index=range(len(p))
    )
    return table if contrast.is_omnibus else table.assign(log2_fold_change=change, lfc_se=error)


def test_a_large_dataset_fits_into_five_megabytes() -> None:
    """With all its genes and the main contrasts; beside it the page of the toy."""
    page = dataset_page(toy(), "**Data.** Some.")
    place = [section.id for section in page.sections].index("genes")
    bare = replace(page, sections=(*page.sections[:place], *page.sections[place + 1 :]))
    full = with_explorer(bare, wide_material())
    html = render_page(full)
    assert len(html.encode("utf-8")) <= MOST_BYTES
    found = unpack(base64.b64decode(explorer_of(full.sections[place]).data))
    assert len(found.header["genes"][0]) > 0.99 * WIDE[1]
    assert len(found.contrasts) >= 7


def test_the_room_is_not_taken_for_larger_than_it_is() -> None:
    """What pictures, tables and text take is at most what was reckoned for them."""
    page = dataset_page(toy(), "**Data.** Some.")
    section = next(section for section in page.sections if section.id == "genes")
    scripts = sum(len(script.text) for script in library_scripts(has_tables=True, has_charts=True))
    rest = len(render_page(page).encode("utf-8")) - len(explorer_of(section).data) - scripts
    assert rest <= taken(page) + WORDS_BYTES
    assert scripts + len(read_asset("report.js").encode("utf-8")) <= LIBRARIES_BYTES
