"""Figures: the data drawn, the words for those who do not see them, sound SVG, the same bytes on every run."""

import hashlib
import os
import re
import subprocess
import sys
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from exoliver.figures import words
from exoliver.figures.balances_over_time import balances_over_time
from exoliver.figures.component_associations import component_associations
from exoliver.figures.contrast_overlap import contrast_overlap, pattern_words
from exoliver.figures.design_grid import design_grid
from exoliver.figures.dispersions import dispersions
from exoliver.figures.effect_tiles import COLOURS, STRENGTHS, blended, drawn_tiles, legend_entries
from exoliver.figures.figure import Figure, write_figures
from exoliver.figures.gene_of_interest import doublings, gene_of_interest
from exoliver.figures.gene_set_dots import gene_set_dots
from exoliver.figures.gene_set_heatmap import gene_set_heatmap
from exoliver.figures.labels import LETTER, LINE_HEIGHT, SMALL_LETTER, line_boxes, place_free_labels, place_labels
from exoliver.figures.leading_edge import leading_edge
from exoliver.figures.library_sizes import library_sizes
from exoliver.figures.ma_plot import CELLS, ma_plot, running_median
from exoliver.figures.panel_forest import panel_forest
from exoliver.figures.pca import pca
from exoliver.figures.programmes_over_time import _limits as limits_of
from exoliver.figures.programmes_over_time import programmes_over_time
from exoliver.figures.pvalue_histogram import (
    BROAD,
    FLAT,
    HILL,
    NONE,
    PEAK,
    PILED,
    RISES,
    histogram_words,
    pvalue_histogram,
)
from exoliver.figures.rescue_plane import _ends as line_ends
from exoliver.figures.rescue_plane import _plane as plane_of
from exoliver.figures.rescue_plane import _with_intervals as with_intervals
from exoliver.figures.rescue_plane import rescue_plane
from exoliver.figures.running_score import RunningScore, running_score
from exoliver.figures.sample_distances import sample_distances
from exoliver.figures.study_matrix import study_matrix
from exoliver.figures.style import (
    BLUE,
    BLUISH_GREEN,
    CELL_INK,
    GREY,
    INK,
    MUTED,
    REDDISH_PURPLE,
    SHARE_TILES,
    TILES,
    VERMILLION,
    Look,
    arm_colours,
    make_look,
    spread_points,
    thin_points,
    time_words,
    unique_labels,
)
from exoliver.figures.volcano import HEIGHT, WIDTH, volcano
from exoliver.figures.words import estimate
from exoliver.overlap import Pattern
from exoliver.running_sum import sum_along
from tests.sources import ROOT

ARMS = {
    "healthy": {"role": "healthy", "label": "Chow"},
    "ccl4": {"role": "injured", "label": "CCl4"},
    "msc": {"role": "treated", "label": "CCl4 + MSC"},
}
LOOK = make_look(ARMS, {"unit": "day", "since": "injury"}, simulated=False)
SIMULATED = make_look(ARMS, {"unit": "day", "since": "injury"}, simulated=True)
NO_TIME = make_look(ARMS, None, simulated=False)
SVG = "{http://www.w3.org/2000/svg}"


def samples() -> pd.DataFrame:
    """Two samples of each arm at two days."""
    rows = [(arm, day, number) for arm in ARMS for day in (1.0, 7.0) for number in (1, 2)]
    table = pd.DataFrame(rows, columns=["arm", "time", "number"])
    table["sample"] = [f"{arm}_{day:g}_{number}" for arm, day, number in rows]
    place = np.arange(len(rows), dtype=float)
    return table.assign(counts=1e6 * (place + 1), size_factor=0.5 + place / 10, pc1=place, pc2=-place)


def contrast_table(hits: int, genes: int = 40) -> pd.DataFrame:
    """A gene table with so many genes below the false discovery rate, raised and lowered by turns."""
    place = np.arange(genes)
    pvalue = np.linspace(0.2, 0.99, genes)
    pvalue[:hits] = np.geomspace(1e-9, 1e-5, genes)[:hits]
    return pd.DataFrame(
        {
            "gene_id": [f"G{number:03d}" for number in place],
            "symbol": [f"Gene{number}" for number in place],
            "base_mean": np.geomspace(5, 5000, genes),
            "log2_fold_change": np.where(place % 2 == 0, 1.0, -1.0) * (1 + place / 10),
            "pvalue": pvalue,
            "padj": np.minimum(1, pvalue * 5),
        }
    )


def scores(times: tuple[float, ...] = (1.0, 7.0)) -> pd.DataFrame:
    """Scores of two programmes in two effects at some times; the last one was not tested."""
    rows = [
        {"title": title, "effect": effect, "kind": kind, "arm": arm, "time": time, "when": f"day {time:g}"}
        for title in ("Apoptosis", "Inflammation")
        for effect, kind, arm in (("CCl4 vs Chow", "injury", "ccl4"), ("CCl4 + MSC vs CCl4", "treatment", "msc"))
        for time in times
    ]
    table = pd.DataFrame(rows).assign(dataset="Mouse")
    nes = np.linspace(2.5, -2.5, len(table))
    nes[-1] = np.nan
    numbers = {"value": nes, "estimate": nes, "ci_low": nes - 0.3, "ci_high": nes + 0.3}
    return table.assign(**numbers, padj=np.where(np.abs(nes) > 1.5, 0.001, 0.4))


def rescued() -> pd.DataFrame:
    """Rescue of three programmes: half, all, and one whose injury is weak."""
    table = pd.DataFrame({"title": ["Apoptosis", "Inflammation", "Autophagy"], "injury_effect": [2.0, -1.0, 0.2]})
    table = table.assign(treatment_effect=[-1.0, 1.0, 0.1], injury_se=0.1, treatment_se=0.1)
    return table.assign(fraction_restored=[0.5, 1.0, np.nan])


def estimates(whens: tuple[str, ...] = ("day 1", "day 7")) -> pd.DataFrame:
    """Estimates of two items in two effects."""
    rows = [
        {"title": item, "gene": item, "step": f"Step of {item}", "effect": effect, "arm": arm, "when": when}
        for item in ("Mcl1", "Bax")
        for effect, arm in (("CCl4 vs Chow", "ccl4"), ("CCl4 + MSC vs CCl4", "msc"))
        for when in whens
    ]
    value = np.linspace(-1, 1, len(rows))
    return pd.DataFrame(rows).assign(estimate=value, ci_low=value - 0.3, ci_high=value + 0.3)


def distance_matrix() -> pd.DataFrame:
    """Distances that grow with the place of the samples."""
    names = samples()["sample"].tolist()
    place = np.arange(len(names), dtype=float)
    return pd.DataFrame(np.abs(place[:, None] - place[None, :]), index=names, columns=names)


def spread(genes: int = 500) -> pd.DataFrame:
    """Dispersions on a trend."""
    mean = np.geomspace(1, 1e5, genes)
    trend = 0.05 + 2 / mean
    return pd.DataFrame(
        {"base_mean": mean, "dispersion_gene": trend * 1.5, "dispersion_trend": trend, "dispersion": trend * 1.2}
    )


def gene_values(count: float = 100.0) -> pd.DataFrame:
    """One gene in every sample; the first has no count."""
    table = samples()[["sample", "arm", "time"]]
    return table.assign(normalised_count=[0.0, *[count] * (len(table) - 1)])


def patterns() -> list[Pattern]:
    """Genes of one contrast, of two that agree, and of two that go opposite ways."""
    return [Pattern((1, 0), 40), Pattern((1, 1), 20), Pattern((1, -1), 5), Pattern((0, -1), 5)]


def associations() -> pd.DataFrame:
    """Two factors and two components; the last one is not testable."""
    table = pd.DataFrame({"component": [1, 2, 1, 2], "factor": ["Arm", "Arm", "<b>Batch", "<b>Batch"]})
    numbers = {"share": [0.7, 0.1, 0.2, np.nan], "share_adjusted": [0.6, -0.1, 0.05, np.nan]}
    return table.assign(**numbers, pvalue=[1e-4, 0.6, 0.1, np.nan], padj=[3e-4, 0.6, 0.2, np.nan])


def curve(title: str = "Apoptosis", *, is_high: bool = True) -> RunningScore:
    """A set of eight genes at one end of a ranking of two hundred."""
    ranking = pd.Series(np.linspace(4, -4, 200), index=[f"G{place}" for place in range(200)])
    places = np.array([0, 1, 2, 5, 9, 20, 60, 120])
    places = places if is_high else np.sort(199 - places)
    total = sum_along(ranking, [f"G{place}" for place in places])
    return RunningScore(title=title, total=total, places=places, nes=2.0 if is_high else -2.0, padj=0.01, edge=6)


def edge() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Members of two leading edges that share one gene, and effects of the genes at two times."""
    members = pd.DataFrame({"gene": ["Bax", "Bax", "Mcl1", "Tnf"], "title": ["A", "B", "A", "B"]})
    rows = [(gene, "MSC vs CCl4", when) for gene in ("Bax", "Mcl1", "Tnf") for when in ("day 1", "day 7")]
    effects = pd.DataFrame(rows, columns=["gene", "effect", "when"])
    value = [1.5, -0.004, 0.5, np.nan, -2.0, 0.25]
    return members, effects.assign(value=value, padj=[0.01, 0.5, 0.5, np.nan, 0.02, 0.5])


def edge_figure(look: Look) -> Figure:
    """The leading edges drawn."""
    members, effects = edge()
    return leading_edge(members, look, sets=["A", "B"], effects=effects, name="leading_edge__x", title="E", fdr=0.05)


def sized_scores() -> pd.DataFrame:
    """Scores of two sets with the number of their genes."""
    return scores().assign(size=[15, 15, 15, 15, 15, 120, 120, 120])


def dots(look: Look) -> Figure:
    """Dots of two sets."""
    return gene_set_dots(sized_scores(), look, name="set_dots__x", title="Sets", fdr=0.05)


def all_figures(look: Look) -> list[Figure]:
    """Every figure once."""
    cells = samples().groupby(["arm", "time"], as_index=False, sort=False).size().rename(columns={"size": "samples"})
    arms = samples().set_index("sample")["arm"]
    return [
        design_grid(cells, look),
        library_sizes(samples(), look),
        pca(samples(), look, shares=(0.5, 0.25)),
        sample_distances(distance_matrix(), look, arms=arms),
        dispersions(spread(), look),
        pvalue_histogram(contrast_table(9), look, contrast="a_vs_b", title="A vs B", words=FLAT),
        volcano(contrast_table(9), look, contrast="a_vs_b", title="A vs B", fdr=0.05),
        programmes_over_time(scores(), look, fdr=0.05),
        gene_set_heatmap(scores(), look, name="sets__x", title="Sets", unit="NES", fdr=0.05),
        rescue_plane(rescued(), look, arm="msc"),
        panel_forest(estimates(("",)), look),
        balances_over_time(estimates(), look),
        gene_of_interest(gene_values(), look, gene="Mcl1"),
        ma_plot(contrast_table(9), look, contrast="a_vs_b", title="A vs B", fdr=0.05),
        contrast_overlap(patterns(), look, names=["A vs B", "C vs B"], fdr=0.05),
        component_associations(associations(), look, shares=(0.5, 0.25), level=0.05),
        dots(look),
        running_score([curve(), curve("B", is_high=False)], look, name="running__x", title="R", crossing=100),
        edge_figure(look),
        study_matrix(scores().assign(theme="", meaning="neutral", pvalue=0.01, state="tested"), look, fdr=0.05),
    ]


FIGURES = all_figures(LOOK)
by_name = pytest.mark.parametrize("figure", FIGURES, ids=[figure.name for figure in FIGURES])


@by_name
def test_a_figure_is_sound_svg_with_words(figure: Figure) -> None:
    """It parses, has its alt text as label, and no script, link, picture or missing number."""
    root = ElementTree.fromstring(figure.svg)
    assert root.tag == f"{SVG}svg"
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-label"] == figure.alt
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert tags <= {
        "svg",
        "g",
        "path",
        "circle",
        "line",
        "rect",
        "text",
        "tspan",
        "defs",
        "clipPath",
        "linearGradient",
        "stop",
        "title",
    }
    assert "NaN" not in figure.svg
    assert "undefined" not in figure.svg
    assert figure.svg.count("http") == figure.svg.count("http://www.w3.org/2000/svg")


@by_name
def test_a_figure_has_its_numbers_and_a_sentence(figure: Figure) -> None:
    """The data have rows; the alt text is a sentence with a number in it."""
    assert len(figure.data) > 0
    assert figure.alt.endswith(".")
    assert any(letter.isdigit() for letter in figure.alt)


@by_name
def test_ids_within_a_figure_are_its_own(figure: Figure) -> None:
    """Ids begin with the figure's name, since a page holds many; what refers to them is found."""
    root = ElementTree.fromstring(figure.svg)
    ids = {element.attrib["id"] for element in root.iter() if "id" in element.attrib}
    assert all(identity.startswith(f"{figure.name}-") for identity in ids)
    used = {value[5:-1] for element in root.iter() for value in element.attrib.values() if value.startswith("url(#")}
    assert used <= ids


@pytest.mark.parametrize("figure", all_figures(SIMULATED), ids=[figure.name for figure in FIGURES])
def test_simulated_data_are_named_in_title_file_and_words(figure: Figure) -> None:
    """A simulated figure cannot be mistaken once it has left the page."""
    assert figure.name.endswith("_simulated")
    assert "simulated data" in "".join(ElementTree.fromstring(figure.svg).itertext())
    assert figure.alt.startswith("Simulated data.")


def test_figures_of_real_data_are_not_called_simulated() -> None:
    """The word is for simulated data alone."""
    assert [
        figure.name for figure in FIGURES if "simulated" in f"{figure.name} {figure.svg} {figure.alt}".lower()
    ] == []


def test_a_second_drawing_gives_the_same_bytes() -> None:
    """Nothing counts up between two drawings."""
    assert [figure.svg for figure in all_figures(LOOK)] == [figure.svg for figure in FIGURES]


def test_another_process_gives_the_same_bytes() -> None:
    """Neither the seed of Python's hashes nor a fresh start changes a picture."""
    code = (
        "import hashlib; from tests.unit.test_figures import FIGURES; "
        "print(hashlib.sha256(''.join(f.svg + f.alt for f in FIGURES).encode()).hexdigest())"
    )
    expected = hashlib.sha256("".join(figure.svg + figure.alt for figure in FIGURES).encode()).hexdigest()
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == expected


def test_labels_are_escaped_and_unprintable_ones_replaced() -> None:
    """A label with markup is text; a control character does not break the file."""
    hostile = {
        "a": {"role": "reference", "label": "<script>alert(1)</script>"},
        "b": {"role": "treated", "label": 'q"\x07'},
    }
    look = make_look(hostile, None, simulated=False)
    cells = pd.DataFrame({"arm": ["a", "b"], "time": [np.nan, np.nan], "samples": [3, 3]})
    figure = design_grid(cells, look)
    root = ElementTree.fromstring(figure.svg)
    assert "<script>" not in figure.svg
    assert "<script>alert(1)</script>" in "".join(root.itertext())
    assert "\x07" not in figure.svg + figure.alt


def test_every_colour_of_ink_is_known_to_the_stylesheet() -> None:
    """What the dark page recolours is what the figures are drawn with."""
    from exoliver.figures import style

    css = (ROOT / "exoliver" / "report" / "assets" / "report.css").read_text(encoding="utf-8")
    for colour in (style.INK, style.MUTED, style.LINE, style.GRID, style.CELL_EDGE, style.BLUE):
        assert f'"{colour}"]' in css


def luminance(colour: str) -> float:
    """Relative luminance of a colour, as WCAG 2.2 defines it."""
    shares = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def tile_scales() -> dict[str, list[str]]:
    """Colours of tiles, each scale from nothing to the most."""
    scales = {
        meaning: [blended(COLOURS[meaning], step / STRENGTHS) for step in range(STRENGTHS + 1)] for meaning in COLOURS
    }
    middle = len(TILES) // 2
    return {**scales, "lower": list(TILES[middle::-1]), "higher": list(TILES[middle:]), "share": list(SHARE_TILES)}


class TestDarkTiles:
    """What the stylesheet makes of coloured tiles on a dark page."""

    RULE = re.compile(r'figure svg \[fill="(#\w{6})"\] \{ fill: light-dark\((#\w{6}), (#\w{6})\); \}')

    def partners(self) -> dict[str, str]:
        """Dark partner of each colour of a fill."""
        css = (ROOT / "exoliver" / "report" / "assets" / "report.css").read_text(encoding="utf-8")
        rules = self.RULE.findall(css)
        assert all(named == light for named, light, _ in rules)
        assert len({named for named, _, _ in rules}) == len(rules)
        return {light: dark for light, _, dark in rules}

    @pytest.mark.parametrize("name", sorted(tile_scales()))
    def test_numbers_of_tiles_can_be_read_in_both_themes(self, name: str) -> None:
        """A contrast of 4.5 at least (WCAG 2.2, 1.4.3) between the ink and every step."""
        partners = self.partners()
        for colour in tile_scales()[name]:
            for ink, ground in ((CELL_INK, colour), (partners[CELL_INK], partners[colour])):
                low, high = sorted([luminance(ink), luminance(ground)])
                assert (high + 0.05) / (low + 0.05) >= 4.5

    @pytest.mark.parametrize("name", sorted(tile_scales()))
    def test_more_stands_out_more_in_both_themes(self, name: str) -> None:
        """Steps leave the ground of the page one by one: darker on a light page, lighter on a dark one."""
        partners = self.partners()
        light = [luminance(colour) for colour in tile_scales()[name]]
        dark = [luminance(partners[colour]) for colour in tile_scales()[name]]
        assert light == sorted(light, reverse=True)
        assert dark == sorted(dark)
        assert len(set(light)) == len(set(dark)) == len(light)

    def test_tiles_have_no_other_colours(self) -> None:
        """Every coloured tile of the figures is a step of a scale, so that no one of them stays light."""
        known = {colour for scale in tile_scales().values() for colour in scale}
        names = ("sets__x", "leading_edge__x", "component_associations", "study_matrix")
        for figure in (figure for figure in FIGURES if figure.name in names):
            fills = set(re.findall(r'fill="(#\w{6})"', figure.svg))
            assert fills & known
            assert fills <= known | {INK, MUTED, CELL_INK}


class TestStyle:
    """Colours, labels, times and points."""

    def test_arms_have_the_colours_of_their_roles(self) -> None:
        """Healthy green, injured vermillion, the treated ones in the order of the palette."""
        roles = {"h": "healthy", "i": "injured", "t": "treated", "c": "control_product"}
        assert arm_colours(roles) == {"h": BLUISH_GREEN, "i": VERMILLION, "t": BLUE, "c": REDDISH_PURPLE}

    def test_two_arms_of_one_role_differ_in_colour(self) -> None:
        """The second injured arm takes a colour that is free."""
        colours = arm_colours({"a": "injured", "b": "injured", "c": "treated"})
        assert len(set(colours.values())) == 3

    def test_arms_of_one_label_are_told_apart(self) -> None:
        """The name is added where two arms share a label."""
        labels = unique_labels({"a": {"label": "PBS"}, "b": {"label": "PBS"}, "my_arm": {"label": None}})
        assert labels == {"a": "PBS (a)", "b": "PBS (b)", "my_arm": "my arm"}

    @pytest.mark.parametrize(
        ("time", "unit", "text"),
        [(7.0, "day", "day 7"), (0.5, "h", "0.5 h"), (-1.0, "day", "day −1"), (None, "day", ""), (3.0, None, "")],
    )
    def test_times_read_as_words(self, time: float | None, unit: str | None, text: str) -> None:
        """Hours come after the number, days before it."""
        assert time_words(time, unit) == text

    def test_thinned_points_keep_the_first_of_a_crowd(self) -> None:
        """Points that would cover each other are drawn once, those kept first stay."""
        crowd = pd.DataFrame({"x": [0.0, 0.001, 1.0], "y": [0.0, 0.001, 1.0], "name": ["first", "second", "far"]})
        assert thin_points(crowd, "x", y="y", cells=(10, 10))["name"].tolist() == ["first", "far"]
        assert thin_points(crowd.iloc[:0], "x", y="y", cells=(10, 10)).empty

    def test_points_of_a_group_are_spread_evenly(self) -> None:
        """One point stands in the middle, three on both sides of it."""
        assert spread_points(pd.Series(["a", "b", "b", "b"]), 1.0) == [0.0, -1.0, 0.0, 1.0]


class TestWords:
    """Numbers as they are read."""

    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (0.03, "0.030"),
            (4e-7, "4e-7"),
            (0.37, "0.37"),
            (0.0, "< 1e-300"),
            (1.0, "1"),
            (None, "–"),
            (0.00051, "5e-4"),
        ],
    )
    def test_p_values_are_never_shown_as_zero(self, value: float | None, text: str) -> None:
        """Two digits, or a power of ten."""
        assert words.pvalue(value) == text

    @pytest.mark.parametrize(
        ("value", "text"),
        [(-1.234, "−1.2"), (0.0432, "0.043"), (123.4, "123"), (0.0, "0"), (99.6, "100"), (float("nan"), "–")],
    )
    def test_numbers_have_two_significant_digits(self, value: float, text: str) -> None:
        """A minus is a minus, and nothing is minus zero."""
        assert words.number(value) == text

    def test_estimates_carry_their_interval(self) -> None:
        """The same decimals in all three numbers, and a true minus."""
        assert words.estimate(0.451, 0.312, high=0.598) == "0.45 (0.31 to 0.60)"
        assert words.estimate(-0.0004, -0.3, high=0.299) == "0.00 (−0.30 to 0.30)"
        assert words.estimate(None, None, high=None) == "–"

    def test_thousands_are_set_apart_thinly(self) -> None:
        """A narrow space that does not break."""
        assert words.count(11333) == "11\u202f333"

    def test_decimal_points_of_a_column_are_aligned(self) -> None:
        """Blanks of a digit's width fill up what a number lacks."""
        shown = words.aligned(["1.25", "12", "0.5"])
        assert shown == ["1.25", "12\u2008\u2007\u2007", "0.5\u2007"]

    def test_lists_read_as_lists(self) -> None:
        """The last item is joined by a word."""
        assert words.joined(["a", "b", "c"]) == "a, b and c"
        assert words.shortened(list("abcde"), 2) == "a, b and 3 more"
        assert words.joined([]) == ""

    @pytest.mark.parametrize(("value", "text"), [(1e6, "1e6"), (100.0, "100"), (0.25, "0.25"), (2.5e10, "2.5e10")])
    def test_numbers_of_the_user_are_shown_as_given(self, value: float, text: str) -> None:
        """Neither rounded nor filled up."""
        assert words.amount(value) == text

    def test_folds_say_which_way_they_go(self) -> None:
        """Up is times, down is divided by."""
        assert (words.fold(1.0), words.fold(-2.0)) == ("×2.0", "÷4.0")


class TestVolcano:
    """No hit, one, two and many."""

    @pytest.mark.parametrize("hits", [0, 1, 2, 30])
    def test_its_data_are_the_hits(self, hits: int) -> None:
        """One row per gene below the false discovery rate, none where there is none."""
        figure = volcano(contrast_table(hits), LOOK, contrast="a_vs_b", title="A vs B", fdr=0.05)
        assert len(figure.data) == hits
        up, down = (hits + 1) // 2, hits // 2
        assert f"{up} higher and {down} lower" in figure.alt

    def test_a_contrast_without_numbers_is_drawn_empty(self) -> None:
        """A contrast that cannot be estimated has no points and no error."""
        table = contrast_table(2).assign(log2_fold_change=np.nan, pvalue=np.nan, padj=np.nan)
        figure = volcano(table, LOOK, contrast="a_vs_b", title="A vs B", fdr=0.05)
        assert "of 0 genes" in figure.alt

    def test_a_p_value_of_zero_has_a_place(self) -> None:
        """The smallest number stands in, and the plot has no infinity."""
        table = contrast_table(2)
        table.loc[0, "pvalue"] = 0.0
        figure = volcano(table, LOOK, contrast="a_vs_b", title="A vs B", fdr=0.05)
        assert "Infinity" not in figure.svg
        assert "p\u00a0<\u00a01e\u2011300" in figure.alt

    def test_p_values_at_the_top_are_said_to_be_limits(self) -> None:
        """How many are below what a number can be, in the picture and in the words; nothing where there are none."""
        table = contrast_table(5)
        table.loc[[0, 3], "pvalue"] = [0.0, 1e-305]
        figure = volcano(table, LOOK, contrast="a_vs_b", title="A vs B", fdr=0.05)
        assert "2 genes at the top: p < 1e-300" in drawn_text(figure)
        assert figure.alt.endswith("2 genes at the top: p < 1e-300.")
        assert "at the top" not in volcano(contrast_table(5), LOOK, contrast="a", title="A", fdr=0.05).alt

    def test_names_do_not_cover_each_other(self) -> None:
        """Of genes at one place a single name is drawn; the boxes of all names are apart."""
        crowd = pd.DataFrame({"name": ["Aaaa", "Bbbb", "Cccc"], "x": [1.0, 1.01, -1.0], "y": [5.0, 5.0, 5.0]})
        placed = place_labels(crowd, bounds=((-3.0, 3.0), (0.0, 10.0)), size=(WIDTH, HEIGHT))
        assert placed["name"].tolist() == ["Aaaa", "Cccc"]
        assert WIDTH > LETTER
        assert HEIGHT > LINE_HEIGHT

    def test_a_gene_without_symbol_is_named_by_its_id(self) -> None:
        """An organism without annotation still has names."""
        table = contrast_table(1).assign(symbol=None)
        assert volcano(table, LOOK, contrast="a_vs_b", title="A vs B", fdr=0.05).data["gene"].tolist() == ["G000"]


class TestPointer:
    """What a mark tells under the pointer."""

    def test_points_say_whose_they_are(self) -> None:
        """Each sample of a PCA by its name, whatever it holds; axes and legends say nothing."""
        hostile = samples().assign(sample=[f"<b>{place}" for place in range(len(samples()))])
        root = ElementTree.fromstring(pca(hostile, LOOK, shares=(0.5, 0.25)).svg)
        titles = [element.text for element in root.iter(f"{SVG}title")]
        assert sorted(titles) == sorted(hostile["sample"])
        assert not any("aria-label" in element.attrib for element in root.iter() if element is not root)

    def test_estimates_say_their_intervals(self) -> None:
        """As they stand in the tables."""
        table = scores()
        titles = {
            element.text
            for element in ElementTree.fromstring(programmes_over_time(table, LOOK, fdr=0.05).svg).iter(f"{SVG}title")
        }
        row = table.iloc[0]
        assert estimate(row["estimate"], row["ci_low"], high=row["ci_high"]) in titles


class TestHistogram:
    """What the shape of p-values says."""

    @pytest.mark.parametrize(
        ("make", "words_expected"),
        [
            (lambda random: random.uniform(size=8000), FLAT),
            (lambda random: np.concatenate([random.uniform(size=8000), np.full(2000, 1e-5)]), PEAK),
            (lambda random: random.beta(0.5, 1, size=8000), BROAD),
            (lambda random: random.beta(1.6, 1, size=8000), RISES),
            (lambda random: np.concatenate([random.uniform(size=8000), np.full(1500, 0.33)]), HILL),
            (lambda random: random.beta(0.5, 0.5, size=8000), PILED),
            (lambda random: np.concatenate([random.uniform(size=8000), np.ones(1200)]), PILED),
            (lambda _: np.full(10, np.nan), NONE),
        ],
        ids=["flat", "peak", "slope", "rising", "hill", "both_ends", "piled", "none"],
    )
    def test_it_names_the_shape(self, make: object, words_expected: str) -> None:
        """Each shape has its sentence."""
        table = pd.DataFrame({"pvalue": make(np.random.default_rng(3))})  # type: ignore[operator]
        assert histogram_words(table) == words_expected

    def test_its_bins_hold_every_p_value(self) -> None:
        """The heights add up."""
        figure = pvalue_histogram(contrast_table(3), LOOK, contrast="a_vs_b", title="A vs B", words=FLAT)
        assert figure.alt.endswith(FLAT)
        assert figure.data["genes"].sum() == 40

    def test_thousands_on_its_axis_are_set_apart_thinly(self) -> None:
        """As in the text, not by a comma."""
        table = pd.DataFrame({"pvalue": np.full(4000, 0.5)})
        texts = drawn_text(pvalue_histogram(table, LOOK, contrast="a_vs_b", title="A vs B", words=HILL))
        assert "2\u202f000" in texts
        assert not any("," in text for text in texts)


class TestOthers:
    """What each of the other figures holds."""

    def test_the_grid_shows_cells_without_samples(self) -> None:
        """A missing combination is a row with zero, and written as none."""
        cells = pd.DataFrame({"arm": ["ccl4", "ccl4", "msc"], "time": [1.0, 7.0, 7.0], "samples": [3, 3, 2]})
        figure = design_grid(cells, LOOK)
        assert figure.data["samples"].sum() == 8
        assert "none" in "".join(ElementTree.fromstring(figure.svg).itertext())
        assert "CCl4: 3 at day 1 and 3 at day 7; CCl4 + MSC: 2 at day 7" in figure.alt

    def test_a_baseline_for_all_times_has_its_own_column(self) -> None:
        """It is not drawn as missing at each time."""
        cells = pd.DataFrame({"arm": ["healthy", "ccl4"], "time": [np.nan, 1.0], "samples": [4, 3]})
        figure = design_grid(cells, LOOK)
        assert "Chow: 4 at all times" in figure.alt

    def test_a_design_without_times_has_one_column(self) -> None:
        """Arms alone."""
        cells = pd.DataFrame({"arm": list(ARMS), "time": [np.nan] * 3, "samples": [3, 3, 3]})
        assert design_grid(cells, NO_TIME).data["time"].tolist() == [""] * 3

    def test_library_sizes_name_the_extremes(self) -> None:
        """Smallest and largest sample, in millions."""
        figure = library_sizes(samples(), LOOK)
        assert "1.0 million (healthy_1_1) to 12 million (msc_7_2)" in figure.alt

    def test_components_tell_their_share(self) -> None:
        """The share of variance stands on the axes."""
        figure = pca(samples(), LOOK, shares=(0.5, 0.25))
        drawn = "".join(ElementTree.fromstring(figure.svg).itertext())
        assert "Component 1 (50 % of variance)" in drawn
        assert "Component 2 (25 % of variance)" in drawn

    def test_the_farthest_sample_is_named(self) -> None:
        """The sample with the largest mean distance to its own arm."""
        distances = distance_matrix()
        distances.loc["msc_7_2", :] += 100
        distances.loc[:, "msc_7_2"] += 100
        figure = sample_distances(distances, LOOK, arms=samples().set_index("sample")["arm"])
        assert "farthest from its own arm: msc_7_2" in figure.alt

    def test_single_samples_have_no_distance_to_their_arm(self) -> None:
        """One sample in each arm is drawn all the same."""
        one = samples().drop_duplicates("arm")
        names = one["sample"].tolist()
        distances = pd.DataFrame(1.0 - np.eye(3), index=names, columns=names)
        assert "farthest" not in sample_distances(distances, LOOK, arms=one.set_index("sample")["arm"]).alt

    @pytest.mark.parametrize(("samples_in_all", "named"), [(6, 6), (40, 40), (90, 30)])
    def test_names_of_samples_have_nine_pixels_each(self, samples_in_all: int, named: int) -> None:
        """All of forty samples are named, of more only as many as have room; a subtitle says so."""
        names = [f"s{place:03d}" for place in range(samples_in_all)]
        distances = pd.DataFrame(1.0 - np.eye(samples_in_all), index=names, columns=names)
        figure = sample_distances(distances, LOOK, arms=pd.Series("msc", index=names))
        root = ElementTree.fromstring(figure.svg)
        assert sum(text in names for text in drawn_text(figure)) == named
        assert float(root.attrib["width"]) <= 490
        assert ("one sample in 3 is named" in drawn_text(figure)) == (samples_in_all > named)

    def test_dispersions_are_thinned(self) -> None:
        """Twenty thousand genes do not make twenty thousand points."""
        figure = dispersions(spread(20_000), LOOK)
        assert figure.svg.count("<circle") < 3000
        assert "20\u202f000 genes" in figure.alt
        assert figure.data["genes"].sum() == 20_000

    def test_heat_map_tiles_say_their_score(self) -> None:
        """A score and a dot where it is below the false discovery rate; nothing where it was not tested."""
        figure = gene_set_heatmap(scores(), LOOK, name="sets__x", title="Sets", unit="NES", fdr=0.05)
        drawn = [text.strip() for text in ElementTree.fromstring(figure.svg).itertext() if text.strip()]
        assert "2.5 ●" in drawn
        assert len(figure.data) == 8
        assert figure.data["nes"].isna().sum() == 1

    def test_the_plane_of_rescue_tells_the_fractions(self) -> None:
        """Those of programmes with a clear injury; the others are points alone."""
        figure = rescue_plane(rescued(), LOOK, arm="msc")
        assert "3 programmes, of which the injury moves 2 clearly." in figure.alt
        assert "Apoptosis 0.50, Inflammation 1.0" in figure.alt
        drawn = "".join(ElementTree.fromstring(figure.svg).itertext())
        assert "all undone" in drawn
        assert "Autophagy" in drawn

    def test_a_heat_map_without_times_has_effects_as_columns(self) -> None:
        """One column per effect."""
        table = scores((1.0,)).assign(when="")
        drawn = "".join(
            ElementTree.fromstring(
                gene_set_heatmap(table, NO_TIME, name="s", title="S", unit="log2", fdr=0.05).svg
            ).itertext()
        )
        assert "CCl4 + MSC vs CCl4" in drawn

    def test_the_forest_counts_whole_intervals(self) -> None:
        """Intervals that leave out zero, on either side."""
        figure = panel_forest(estimates(("",)), LOOK)
        assert "CCl4 vs Chow: of 2 genes 1 with the whole interval above zero and 1 below" in figure.alt

    def test_genes_with_zero_counts_stay_on_the_log_axis(self) -> None:
        """A zero is drawn at one half; the data keep it."""
        figure = gene_of_interest(gene_values(), LOOK, gene="Mcl1")
        assert figure.data["normalised_count"].min() == 0
        assert figure.name == "gene__Mcl1"

    def test_a_gene_name_cannot_leave_the_folder(self) -> None:
        """What is no letter or digit of a name becomes an underscore in the file's name."""
        assert "/" not in gene_of_interest(gene_values(), LOOK, gene="../Mcl1").name

    def test_ticks_are_doublings(self) -> None:
        """Two ticks at least, powers of two."""
        assert doublings(pd.Series([100.0, 120.0])) == [64.0, 128.0]
        assert doublings(pd.Series([128.0, 128.0])) == [128.0, 256.0]

    def test_figures_are_written_by_name(self, tmp_path: object) -> None:
        """One file for each, ending in a line break."""
        write_figures(FIGURES[:2], tmp_path / "figures")  # type: ignore[operator]
        files = sorted((tmp_path / "figures").iterdir())  # type: ignore[operator]
        assert [file.name for file in files] == ["design_grid.svg", "library_sizes.svg"]
        assert files[0].read_text(encoding="utf-8") == FIGURES[0].svg + "\n"


def drawn_text(figure: Figure) -> list[str]:
    """The words of a picture, each piece by itself."""
    return [text.strip() for text in ElementTree.fromstring(figure.svg).itertext() if text.strip()]


class TestMaPlot:
    """Effect against expression."""

    def test_the_line_is_the_median_of_neighbours_by_mean(self) -> None:
        """Each place is the median of its window, recomputed by sorting and slicing; the order of rows is nothing."""
        random = np.random.default_rng(5)
        genes = pd.DataFrame({"gene_id": [f"G{place:04d}" for place in range(2000)], "x": random.normal(size=2000)})
        genes["y"] = genes["x"] + random.normal(size=2000)
        line = running_median(genes)
        pairs = sorted(zip(genes["x"], genes["y"], strict=True))
        for place, row in enumerate(line.itertuples()):
            window = pairs[place * 10 : place * 10 + 40]
            assert row.y == pytest.approx(np.median([y for _, y in window]), abs=6e-4)
            assert row.mean == pytest.approx(10 ** np.median([x for x, _ in window]), rel=6e-3)
        assert len(line) == (2000 - 40) // 10 + 1
        assert running_median(genes.sample(frac=1, random_state=1)).equals(line)
        assert running_median(genes.head(9)).empty

    def test_the_words_say_how_many_points_are_drawn(self) -> None:
        """As many as there are circles, where genes lie beneath each other; all of them where none does."""
        random = np.random.default_rng(6)
        table = contrast_table(9, genes=4000).assign(log2_fold_change=random.normal(size=4000))
        figure = ma_plot(table, LOOK, contrast="a_vs_b", title="A vs B", fdr=0.05)
        assert figure.svg.count("<circle") < 4000
        assert f" {words.count(figure.svg.count('<circle'))} points are drawn" in figure.alt
        few = ma_plot(contrast_table(9), LOOK, contrast="a_vs_b", title="A vs B", fdr=0.05)
        assert "Every gene is drawn" in few.alt

    def test_its_table_adds_up_to_the_genes(self) -> None:
        """Ranges of the mean count hold every tested gene once, and the hits of either side."""
        table = contrast_table(9)
        data = ma_plot(table, LOOK, contrast="a_vs_b", title="A vs B", fdr=0.05).data
        assert data["genes"].sum() == len(table)
        assert (data["higher"].sum(), data["lower"].sum()) == (5, 4)
        first = table[table["base_mean"] < 10]
        assert data["genes"].iloc[0] == len(first)
        assert data["median_absolute_log2"].iloc[0] == pytest.approx(first["log2_fold_change"].abs().median())

    def test_a_crowd_is_thinned_and_hits_are_kept(self) -> None:
        """No more points than cells; a gene with evidence is drawn where others lie beneath it."""
        table = contrast_table(0, genes=20_000).assign(log2_fold_change=0.001, base_mean=100.0)
        ends = pd.DataFrame({"base_mean": [1.0, 1e5], "log2_fold_change": [4.0, -4.0], "padj": 1.0, "pvalue": 1.0})
        table = pd.concat([table, ends.assign(gene_id=["X", "Y"], symbol=["X", "Y"])], ignore_index=True)
        table.loc[19_999, "padj"] = 0.001
        figure = ma_plot(table, LOOK, contrast="a_vs_b", title="A vs B", fdr=0.05)
        assert figure.svg.count("<circle") <= CELLS[0] * CELLS[1]
        assert "1 higher and 0 lower" in figure.alt
        assert figure.svg.lower().count("#e08214") == 1

    def test_genes_without_counts_have_no_place_on_a_log_axis(self) -> None:
        """A mean of zero is left out, not drawn at minus infinity."""
        table = contrast_table(2)
        table.loc[5, "base_mean"] = 0.0
        figure = ma_plot(table, LOOK, contrast="a_vs_b", title="A vs B", fdr=0.05)
        assert figure.data["genes"].sum() == 39
        assert "Infinity" not in figure.svg

    def test_the_order_of_genes_changes_nothing(self) -> None:
        """The same bytes from a shuffled table."""
        table = contrast_table(9)
        drawn = [ma_plot(rows, LOOK, contrast="a", title="A", fdr=0.05) for rows in (table, table.iloc[::-1])]
        assert drawn[0].svg == drawn[1].svg
        assert drawn[0].data.equals(drawn[1].data)


class TestOverlap:
    """Genes by the contrasts in which they change."""

    def test_opposite_ways_are_told_apart(self) -> None:
        """A gene that is raised here and lowered there is no agreement."""
        figure = contrast_overlap(patterns(), LOOK, names=["A vs B", "C vs B"], fdr=0.05)
        rows = figure.data.set_index("changed")
        assert rows.loc["higher in A vs B, lower in C vs B", "agreement"] == "opposite ways"
        assert rows.loc["higher in A vs B and C vs B", "agreement"] == "the same way"
        assert "70 genes in all, 25 in more than one contrast, 5 of these in opposite ways" in figure.alt

    def test_sizes_of_contrasts_stand_beside_their_own_row(self) -> None:
        """Names from top to bottom as given, whatever the alphabet; their sizes in the same order."""
        for names in (["Z vs B", "A vs B"], ["A vs B", "Z vs B"]):
            texts = drawn_text(contrast_overlap(patterns(), LOOK, names=names, fdr=0.05))
            assert [text for text in texts if " vs B" in text] == names
            assert [text for text in texts if "▲" in text] == ["▲ 65  ▼ 0", "▲ 20  ▼ 10"]

    def test_no_more_than_twenty_columns_are_drawn(self) -> None:
        """The table has them all."""
        signs = [(a, b, c) for a in (-1, 0, 1) for b in (-1, 0, 1) for c in (-1, 0, 1) if any((a, b, c))]
        many = [Pattern(one, 1000 - place) for place, one in enumerate(signs)]
        figure = contrast_overlap(many, LOOK, names=["A", "B", "C"], fdr=0.05)
        texts = drawn_text(figure)
        assert "981" in texts
        assert "980" not in texts
        assert len(figure.data) == 26

    def test_patterns_read_as_sentences(self) -> None:
        """Higher first, then lower."""
        assert pattern_words(Pattern((-1, 0, 1), 3), ["A", "B", "C"]) == "higher in C, lower in A"


class TestGeneSets:
    """Dots, running sums and leading edges."""

    def test_dots_leave_out_what_was_not_tested(self) -> None:
        """The score is missing in the table, and no mark stands at zero for it."""
        figure = dots(LOOK)
        assert figure.data["nes"].isna().sum() == 1
        filled = sized_scores().assign(value=lambda table: table["value"].fillna(0.5))
        whole = gene_set_dots(filled, LOOK, name="set_dots__x", title="Sets", fdr=0.05)
        assert whole.svg.count('opacity="0.9"') == figure.svg.count('opacity="0.9"') + 1
        assert "Sets, 2 sets. CCl4 vs Chow: 1 set below 0.05 at some time" in figure.alt

    def test_the_running_sum_is_told_at_its_farthest_place(self) -> None:
        """Score and place of each set, recomputed gene by gene."""
        one = curve()
        weights = np.abs(np.linspace(4, -4, 200))
        total, sums = 0.0, []
        for place in range(200):
            gain = weights[place] / weights[one.places].sum()
            total += gain if place in one.places else -1 / (200 - len(one.places))
            sums.append(total)
        farthest = max(range(200), key=lambda place: abs(sums[place]))
        data = running_score([one], LOOK, name="running__x", title="R", crossing=100).data
        assert data["score"].iloc[0] == pytest.approx(sums[farthest])
        assert data["reached_at_place"].iloc[0] == farthest + 1

    def test_a_low_set_has_its_score_below_zero(self) -> None:
        """The mirror image of a high set has the opposite score."""
        assert curve(is_high=False).score == pytest.approx(-curve().score, abs=0.01)
        assert curve(is_high=False).peak > 150

    def test_a_long_title_of_a_set_stays_in_its_panel(self) -> None:
        """Two lines, the rest cut."""
        figure = running_score([curve("Word " * 40)], LOOK, name="running__x", title="R", crossing=100)
        assert sum(text.startswith("Word") for text in drawn_text(figure)) == 2
        assert any(text.endswith("…") for text in drawn_text(figure))

    def test_large_sets_make_small_pictures(self) -> None:
        """Five hundred genes of twenty thousand: no more than two hundred lines, and less than ten kilobytes."""
        random = np.random.default_rng(2)
        ranking = pd.Series(np.sort(random.normal(size=20_000))[::-1], index=[f"G{n}" for n in range(20_000)])
        places = np.sort(random.choice(20_000, 500, replace=False))
        total = sum_along(ranking, [f"G{place}" for place in places])
        one = RunningScore(title="Large", total=total, places=places, nes=1.0, padj=0.5, edge=9)
        assert len(running_score([one], LOOK, name="r", title="R", crossing=10_000).svg) < 12_000

    def test_tiles_of_leading_edges_have_two_decimals(self) -> None:
        """Smaller effects mean nothing; a dot where there is evidence, an empty tile where there is no number."""
        texts = drawn_text(edge_figure(LOOK))
        assert "1.5 ●" in texts
        assert "0.00" in texts
        assert "0.004" not in "".join(texts)

    def test_genes_are_listed_with_their_sets_and_effects(self) -> None:
        """One row per gene, the shared one with both sets."""
        data = edge_figure(LOOK).data.set_index("gene")
        assert data.loc["Bax", "in_leading_edge_of"] == "A; B"
        assert data.loc["Tnf", "MSC vs CCl4 day 1"] == -2.0
        assert "Of 3 genes shown, 1 in the leading edge of more than one set" in edge_figure(LOOK).alt

    def test_names_of_genes_are_text(self) -> None:
        """Markup in a symbol does no harm."""
        members, effects = edge()
        hostile = {"Bax": "<script>alert(1)</script>"}
        members, effects = members.replace({"gene": hostile}), effects.replace({"gene": hostile})
        figure = leading_edge(members, LOOK, sets=["A", "B"], effects=effects, name="l", title="E", fdr=0.05)
        assert "<script>" not in figure.svg
        assert "<script>alert(1)</script>" in "".join(drawn_text(figure))


class TestAssociations:
    """What components go with."""

    def test_tiles_say_shares_in_per_cent(self) -> None:
        """A dot where there is evidence, zero for less than chance gives, a dash where nothing can be tested."""
        texts = drawn_text(component_associations(associations(), LOOK, shares=(0.5, 0.25), level=0.05))
        assert {"60 % ●", "0 %", "5 %", "–", "<b>Batch", "1 (50 %)"} <= set(texts)

    def test_the_words_name_the_largest_share_of_each_component(self) -> None:
        """Not the largest of all."""
        figure = component_associations(associations(), LOOK, shares=(0.5, 0.25), level=0.05)
        assert "component 1: Arm (60 %" in figure.alt
        assert "component 2: Arm (0 %" in figure.alt


def rules(figure: Figure) -> list[tuple[float, float]]:
    """Lengths across and down of the half transparent lines of a picture."""
    lines = ElementTree.fromstring(figure.svg).iter(f"{SVG}line")
    faint = [line.attrib for line in lines if line.attrib.get("opacity") == "0.5"]
    return [(abs(float(line.get("x2", 0))), abs(float(line.get("y2", 0)))) for line in faint]


class TestRescuePlane:
    """Intervals, limits, names."""

    def test_intervals_are_those_of_the_t_distribution(self) -> None:
        """With 4 degrees of freedom 2.776 standard errors to either side (of any table of t); 1.960 without."""
        table = rescued().assign(injury_se=0.3, treatment_se=0.2)
        ends = {}
        for name, df in (("t", 4.0), ("normal", np.nan)):
            ends[name] = with_intervals(table.assign(df=df))
        for name, times in (("t", 2.7764), ("normal", 1.9600)):
            assert (ends[name]["right"] - ends[name]["injury_effect"]).tolist() == pytest.approx(
                [times * 0.3] * 3, rel=1e-4
            )
            assert (ends[name]["treatment_effect"] - ends[name]["low"]).tolist() == pytest.approx(
                [times * 0.2] * 3, rel=1e-4
            )
        drawn = [rules(rescue_plane(table.assign(df=df), LOOK, arm="msc")) for df in (4.0, 1e9)]
        assert len(drawn[0]) == len(drawn[1]) == 4
        assert drawn[0] != drawn[1]

    def test_the_dashed_line_is_where_both_effects_cancel(self) -> None:
        """Its ends lie in the plot, at opposite numbers, whatever the limits."""
        for factor in (1.0, 0.01, 50.0):
            table = rescued().assign(treatment_effect=rescued()["treatment_effect"] * factor)
            plane = plane_of(with_intervals(table), with_intervals(table).head(2))
            for x, y in line_ends(plane):
                assert x == -y
                assert plane.bounds[0][0] <= x <= plane.bounds[0][1]
                assert plane.bounds[1][0] <= y <= plane.bounds[1][1]

    def test_one_outlier_does_not_stretch_the_other_side(self) -> None:
        """Limits follow the data of each side and axis; zero is well within."""
        table = rescued().assign(injury_effect=[9.0, 0.5, 0.2], treatment_effect=[0.1, -0.2, 0.1])
        (left, right), (bottom, top) = plane_of(with_intervals(table), with_intervals(table).head(2)).bounds
        assert right > 9
        assert -4 < left < 0
        assert -1 < bottom < 0 < top < 1

    def test_names_keep_clear_of_what_is_drawn(self) -> None:
        """A name beside a point moves where another point lies, and is left out where there is no room at all."""
        points = pd.DataFrame({"name": ["Abcdef"], "x": [0.0], "y": [0.0]})
        here = {"bounds": ((-1.0, 1.0), (-1.0, 1.0)), "size": (200, 200)}
        free = place_free_labels(points, obstacles=[], **here).iloc[0]
        assert (free["align"], free["down"]) == ("left", 100.0)
        length = SMALL_LETTER * 6
        beside = place_free_labels(points, obstacles=[(105.0, 90.0, 110.0, 110.0)], **here).iloc[0]
        assert beside["align"] == "right"
        assert beside["across"] - length < 100
        wall = [(0.0, 92.0, 200.0, 108.0)]
        lifted = place_free_labels(points, obstacles=wall, **here).iloc[0]
        assert abs(lifted["down"] - 100) >= 8 + LINE_HEIGHT / 2
        assert place_free_labels(points, obstacles=[(0.0, 0.0, 200.0, 200.0)], **here).empty

    def test_a_sloping_line_leaves_its_corners_free(self) -> None:
        """Its boxes cover the line and little else."""
        boxes = line_boxes((0.0, 0.0), (100.0, 100.0))
        assert all(any(b[0] <= at <= b[2] and b[1] <= at <= b[3] for b in boxes) for at in np.linspace(0, 100, 333))
        assert sum((b[2] - b[0]) * (b[3] - b[1]) for b in boxes) < 700

    def test_programmes_with_a_clear_injury_are_named_first(self) -> None:
        """Where there is room for few, weak ones go without."""
        many = pd.DataFrame({"title": [f"Weak {place}" for place in range(20)], "fraction_restored": np.nan})
        many = many.assign(injury_effect=np.linspace(-2, 2, 20), treatment_effect=np.linspace(2, 1, 20))
        clear = pd.DataFrame(
            {"title": ["Clear"], "fraction_restored": 0.5, "injury_effect": 1.0, "treatment_effect": -2.0}
        )
        table = pd.concat([many, clear]).assign(injury_se=0.1, treatment_se=0.1, df=9)
        texts = drawn_text(rescue_plane(table, LOOK, arm="msc"))
        assert "Clear" in [text for text in texts if text not in set(many["title"])]
        assert texts.count("all undone") == texts.count("nothing undone") == 1


class TestCourses:
    """Effects on programmes over time."""

    def test_every_arm_has_its_own_colour(self) -> None:
        """The injury is in the colour of the injured arm, not grey."""
        svg = programmes_over_time(scores(), LOOK, fdr=0.05).svg
        assert f'stroke="{VERMILLION}"' in svg
        assert f'stroke="{GREY}"' not in svg

    def test_panels_share_a_scale_unless_one_reaches_far_beyond(self) -> None:
        """The farthest end makes the scale of all; one of more than five medians has its own and is named."""
        rows = [(title, end) for title, end in (("A", 1.0), ("B", 1.2), ("C", 4.0))]
        drawn = pd.DataFrame(rows, columns=["title", "estimate"])
        drawn = drawn.assign(ci_low=drawn["estimate"], ci_high=drawn["estimate"])
        assert limits_of(drawn, ["A", "B", "C"]) == (dict.fromkeys("ABC", 4.0 * 1.05), [])
        far = drawn.assign(ci_high=[1.0, 1.2, 6.1])
        limits, own = limits_of(far, ["A", "B", "C"])
        assert own == ["C"]
        assert limits == {"A": 1.2 * 1.05, "B": 1.2 * 1.05, "C": 6.1 * 1.05}

    def test_a_scale_of_its_own_is_said_below_the_title(self) -> None:
        """By the programme's title; nothing where all share one."""
        table = pd.concat([scores(), scores().assign(title=scores()["title"] + " 2")])
        far = table["title"] == "Apoptosis"
        numbers = ["estimate", "ci_low", "ci_high"]
        table.loc[far, numbers] = table.loc[far, numbers] * 20
        assert "scale of its own: Apoptosis" in drawn_text(programmes_over_time(table, LOOK, fdr=0.05))
        assert "scale of its own" not in " ".join(drawn_text(programmes_over_time(scores(), LOOK, fdr=0.05)))


class TestEffectTiles:
    """Direction and legend."""

    @staticmethod
    def tiles(**changes: object) -> pd.DataFrame:
        """Three tested tiles: raised and sure, lowered and perhaps, and one without evidence."""
        table = pd.DataFrame({"title": ["A", "B", "C"], "value": [1.0, -0.5, 0.1], "pvalue": [1e-6, 0.01, 0.9]})
        table = table.assign(padj=[1e-5, 0.2, 0.9], theme="", meaning="neutral", state="tested", when="day 1")
        return table.assign(dataset="Mouse", effect="MSC vs CCl4", **changes)

    def entries(self, **changes: object) -> list[str]:
        """Words of the legend."""
        drawn = drawn_tiles(self.tiles(**changes), fdr=0.05)
        return [text for group in legend_entries(drawn, fdr=0.05) for _, text in group]

    def test_tiles_with_evidence_point_up_or_down(self) -> None:
        """One triangle for each of them beside that of the legend; none where there is no evidence."""
        both = study_matrix(self.tiles(), LOOK, fdr=0.05)
        none = study_matrix(self.tiles(pvalue=0.9, padj=0.9), LOOK, fdr=0.05)
        triangles = [figure.svg.count("<path") for figure in (both, none)]
        sizes_in_tiles, sizes_in_legend, meanings = 2, 2, 1
        backgrounds_of_legend = sizes_in_legend + meanings
        coloured_in_legend = sizes_in_legend + meanings
        assert triangles[0] - triangles[1] == 4 + sizes_in_tiles + backgrounds_of_legend + coloured_in_legend

    def test_the_legend_names_what_some_tile_has(self) -> None:
        """Neither benefit nor harm where none is judged, and no state that no tile is in."""
        assert self.entries() == [
            "neither by itself",
            "deepest at log2 1.0 (×2.0, ÷2.0)",
            "raised",
            "lowered",
            "adjusted p < 0.05",
            "p < 0.05, not adjusted",
            "no evidence",
        ]
        judged = self.entries(meaning=["benefit", "harm", "harm"])
        assert judged[:2] == ["benefit", "harm"]
        assert "neither by itself" not in judged
        assert "harm" not in self.entries(meaning=["benefit", "neutral", "harm"])
        lost = self.entries(value=[1.0, np.nan, np.nan], state=["tested", "not measured", "not testable"])
        assert lost[-2:] == ["not measured", "blank: not testable"]
        assert "lowered" not in lost

    def test_a_coloured_tile_is_told_from_the_ground(self) -> None:
        """The smallest effect with evidence has the first step, none at all the ground."""
        steps = [blended(COLOURS["harm"], strength) for strength in (0.0, 0.001, 0.25, 0.26, 1.0, 9.0)]
        assert len(set(steps)) == 4
        assert steps[1] == steps[2] != steps[0]
        assert steps[4] == steps[5] == COLOURS["harm"]
