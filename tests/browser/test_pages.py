"""Pages in a real browser: quiet, complete, fit for keyboard, phone and printer, and interactive within two seconds."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import FORMULA, HOSTILE, TOY, Seen

pytestmark = pytest.mark.browser

MOST_BYTES = 5_000_000
MOST_MILLISECONDS = 2000
WIDTHS = (320, 820, 1440)
GRAVE = ("serious", "critical")
STYLES = "() => getComputedStyle(document.body).backgroundColor"


def opened_genes(seen: Seen) -> Page:
    """The page at its explorer, unpacked; skipped where the page has none."""
    if not seen.has_genes:
        pytest.skip("the study's page has no genes to look up")
    seen.page.locator("#genes").scroll_into_view_if_needed()
    expect(seen.page.locator(".explorer[data-state=ready]")).to_be_visible(timeout=20_000)
    return seen.page


def look_up(page: Page, gene: str) -> None:
    """Type a gene and press Enter."""
    page.get_by_label("Gene, by symbol or identifier").fill(gene)
    page.keyboard.press("Enter")


def download_of(page: Page, name: str, *, within: str) -> Path:
    """The file that a button hands out."""
    with page.expect_download() as told:
        page.locator(within).get_by_role("button", name=re.compile(name)).first.click()
    return Path(told.value.path())


def first_table(seen: Seen) -> str:
    """Selector of the first table that can be sorted; skipped where all are short."""
    tables = seen.page.locator("table[data-interactive]")
    if not tables.count():
        pytest.skip("all tables of this page are short")
    return f".dt-container:has(table[data-name='{tables.first.get_attribute('data-name')}'])"


def telling_column(table: Locator) -> tuple[int, list[float]]:
    """Place of the column of numbers with most values, and its numbers."""
    columns = table.locator("tbody").evaluate(
        "body => [...body.rows[0].cells].map((_, place) => [...body.rows].map(row => row.cells[place].dataset.order))"
    )
    numbers = {
        place: [float(key) for key in keys if key]
        for place, keys in enumerate(columns)
        if table.locator("thead tr").first.locator("th").nth(place).evaluate("cell => cell.matches('.number')")
    }
    place = max(numbers, key=lambda own: len(set(numbers[own])))
    return place, numbers[place]


def test_a_page_is_ready_within_two_seconds(seen: Seen) -> None:
    """By its own mark, the best of three loads, since others use the machine."""
    times = []
    for _ in range(3):
        times.append(seen.page.evaluate("() => performance.getEntriesByName('interactive')[0]?.startTime ?? Infinity"))
        if times[-1] < MOST_MILLISECONDS:
            break
        seen.page.reload()
    assert min(times) < MOST_MILLISECONDS


def test_a_page_stays_below_five_megabytes(seen: Seen) -> None:
    """The file as it is sent."""
    assert seen.path.stat().st_size <= MOST_BYTES


def test_a_gene_is_searched_and_drawn(seen: Seen) -> None:
    """Its points are those of all samples, and its chart says its name."""
    page = opened_genes(seen)
    look_up(page, "mcl1")
    chart = page.locator("#genes .gene svg")
    expect(chart).to_have_attribute("aria-label", re.compile(r"Normalised counts of Mcl1 in \d+ samples"))
    samples = int(re.search(r"in (\d+) samples", chart.get_attribute("aria-label") or "")[1])
    assert page.locator("#genes .gene svg .mark-symbol path").count() == samples
    assert page.locator("#genes .counts tbody tr").count() == samples
    assert "gene=Mcl1" in page.url


def test_letters_propose_genes(seen: Seen) -> None:
    """No more than a dozen at once; what no gene is called is told."""
    page = opened_genes(seen)
    field = page.get_by_label("Gene, by symbol or identifier")
    field.fill("b")
    assert 0 < page.locator("#gene-matches option").count() <= 12
    field.fill("no such gene")
    page.keyboard.press("Enter")
    expect(page.locator("#genes .said").first).to_contain_text("No gene with counts is called")


def test_an_arm_can_be_taken_out(seen: Seen) -> None:
    """By keyboard; its points go, and come back."""
    page = opened_genes(seen)
    look_up(page, "Mcl1")
    points = page.locator("#genes .gene svg .mark-symbol path")
    expect(page.locator("#genes .gene svg")).to_have_attribute("aria-label", re.compile("Mcl1"))
    before = points.count()
    box = page.locator("#genes .arms input").first
    box.focus()
    page.keyboard.press("Space")
    expect(points).not_to_have_count(before)
    assert 0 < points.count() < before
    page.keyboard.press("Space")
    expect(points).to_have_count(before)


def test_a_gene_of_the_list_is_shown(seen: Seen) -> None:
    """Its button draws it; another contrast makes another list."""
    page = opened_genes(seen)
    second = page.locator("#genes .list tbody button").nth(1)
    name = second.text_content()
    second.click()
    expect(page.locator("#genes .gene h3")).to_contain_text(name or "")
    contrasts = page.locator("#genes select.contrast option")
    if contrasts.count() > 1:
        before = page.locator("#genes .list tbody").text_content()
        page.locator("#genes select.contrast").select_option(index=contrasts.count() - 1)
        expect(page.locator("#genes .list tbody")).not_to_have_text(before or "")


def test_the_address_names_a_gene(seen: Seen) -> None:
    """Opened with it, the page shows it."""
    if not seen.has_genes:
        pytest.skip("the study's page has no genes to look up")
    page = seen.page.context.new_page()
    page.goto(f"{seen.path.as_uri()}#gene=bcl2l1")
    expect(page.locator("#genes .gene h3")).to_contain_text("Bcl2l1", timeout=20_000)
    page.close()


def test_a_table_is_sorted_by_its_numbers(seen: Seen) -> None:
    """Up by one press, down by the next; missing ones last both times."""
    table = first_table(seen)
    place, _ = telling_column(seen.page.locator(table))
    head = seen.page.locator(f"{table} thead th").nth(place)
    read = (
        f'() => [...document.querySelectorAll("{table} tbody tr")].map(row => row.cells[{place}].dataset.order)'
        ".filter(text => text !== '').map(Number)"
    )
    head.click()
    expect(head).to_have_attribute("aria-sort", "ascending")
    first = seen.page.evaluate(read)
    head.click()
    expect(head).to_have_attribute("aria-sort", "descending")
    second = seen.page.evaluate(read)
    assert first == sorted(first)
    assert second == sorted(second, reverse=True)
    assert len(first) > 1


def test_a_table_is_searched_and_filtered(seen: Seen) -> None:
    """Letters and comparisons leave the rows they fit."""
    table = seen.page.locator(first_table(seen))
    rows = table.locator("tbody tr")
    # Quotes have a meaning of their own in a search: what stands between them is one piece.
    words = re.split(r"[\"“”]", (rows.nth(2).locator("th").text_content() or "").strip())[0].lower().split()
    before = rows.count()
    table.get_by_label("Search").fill(" ".join(words))
    shown = [text.lower() for text in rows.all_text_contents()]
    assert 0 < len(shown) <= before
    assert [text for text in shown if not all(word in text for word in words)] == []
    table.get_by_label("Search").fill("")
    place, keys = telling_column(table)
    middle = f"{sorted(keys)[len(keys) // 2]:g}"
    table.get_by_role("button", name="Filters").click()
    own = table.locator(".filters input").nth(place)
    own.fill(f">= {middle}")
    left = rows.evaluate_all(f"rows => rows.map(row => Number(row.cells[{place}].dataset.order))")
    assert sorted(left) == sorted(key for key in keys if key >= float(middle))
    own.fill("")


def test_a_column_can_be_hidden(seen: Seen) -> None:
    """By its box; the filter below it goes with it."""
    table = seen.page.locator(first_table(seen))
    before = table.locator("thead tr").first.locator("th").count()
    table.locator(".columns summary").click()
    table.locator(".columns input").last.uncheck()
    assert table.locator("thead tr").first.locator("th").count() == before - 1
    assert table.locator("tbody tr").first.locator("th, td").count() == before - 1
    table.locator(".columns input").last.check()
    table.locator(".columns summary").click()


def test_a_table_is_downloaded_whole(seen: Seen) -> None:
    """All rows and titles, numbers as programs read them, and no formula."""
    selector = first_table(seen)
    table = seen.page.locator(selector)
    titles = [title.strip("↕↑↓ ") for title in table.locator("thead tr").first.locator("th").all_inner_texts()]
    for mark, name in ((",", "CSV"), ("\t", "TSV")):
        text = download_of(seen.page, name, within=selector).read_text(encoding="utf-8")
        rows = list(csv.reader(text.splitlines(), delimiter=mark))
        assert rows[0] == titles
        assert {len(row) for row in rows} == {len(titles)}
        assert [cell for row in rows for cell in row if re.match(r"[=+@-](?![\d.])", cell)] == []


def test_a_figure_is_downloaded(seen: Seen) -> None:
    """As a picture that can be read, and as one of pixels."""
    if not seen.page.locator("figure").count():
        pytest.skip("no figure on this page")
    figure = "figure >> nth=0"
    root = ElementTree.fromstring(download_of(seen.page, "as SVG", within=figure).read_bytes())
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    png = download_of(seen.page, "as PNG", within=figure).read_bytes()
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert len(png) > 2000


def test_the_theme_is_chosen_and_remembered(seen: Seen) -> None:
    """Dark at once and after a reload; then as the system has it."""
    light = seen.page.evaluate(STYLES)
    choice = seen.page.get_by_label("Theme")
    choice.select_option("dark")
    dark = seen.page.evaluate(STYLES)
    assert dark != light
    seen.page.reload()
    assert seen.page.evaluate(STYLES) == dark
    seen.page.get_by_label("Theme").select_option("")
    assert seen.page.evaluate(STYLES) == light


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_wider_than_the_screen(seen: Seen, width: int) -> None:
    """Phone, tablet and desk: only what is told to scrolls."""
    seen.page.set_viewport_size({"width": width, "height": 900})
    if seen.has_genes:
        opened_genes(seen)
    found = seen.page.evaluate("() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    seen.page.set_viewport_size({"width": 1440, "height": 900})
    assert found[0] <= found[1]


def test_no_grave_barrier_is_found(seen: Seen) -> None:
    """axe-core, light and dark, all controls made: neither serious nor critical."""
    page = seen.page.context.new_page()
    page.goto(seen.path.as_uri())
    if seen.has_genes:
        page.locator("#genes").scroll_into_view_if_needed()
        expect(page.locator(".explorer[data-state=ready]")).to_be_visible(timeout=20_000)
    # Rows and lists of columns are alike, and a picture is spoken for by its label: axe need not weigh each of them.
    alike = "svg > *, tbody tr:nth-child(n+3), .choice label:nth-child(n+3)"
    page.evaluate("alike => document.querySelectorAll(alike).forEach(part => part.remove())", alike)
    found = []
    for theme, rules in (("light", {}), ("dark", {"runOnly": {"type": "rule", "values": ["color-contrast"]}})):
        page.get_by_label("Theme").select_option(theme)
        found += Axe().run(page, options={"resultTypes": ["violations"], **rules}).response["violations"]
    page.get_by_label("Theme").select_option("")
    page.close()
    grave = [
        f"{rule['id']}: {node['html'][:200]} {node['any'][0]['message'] if node['any'] else ''}"
        for rule in found
        if rule["impact"] in GRAVE
        for node in rule["nodes"]
    ]
    assert grave == []


def test_it_prints_with_nothing_folded(seen: Seen) -> None:
    """A PDF that is not empty; what is folded on the screen is on paper, controls are not."""
    pdf = seen.page.pdf(format="A4")
    assert pdf[:5] == b"%PDF-"
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) >= 1
    assert len(pdf) > 20_000
    seen.page.emulate_media(media="print")
    folded = seen.page.locator("details:not([open]) > p, td > details:not([open])")
    heights = folded.evaluate_all("parts => parts.map(part => part.getBoundingClientRect().height)")
    controls = seen.page.locator("button, select, input, .contents")
    shown = controls.evaluate_all("parts => parts.filter(part => part.offsetParent !== null).length")
    seen.page.emulate_media(media="screen")
    assert min(heights, default=1) > 0
    assert shown == 0


def test_hostile_names_are_text(seen: Seen) -> None:
    """Title, arm, sample and gene of the toy are read; nothing of them runs, and no formula leaves."""
    if seen.name != TOY:
        pytest.skip("only the toy is hostile")
    page = opened_genes(seen)
    assert page.title() == HOSTILE
    look_up(page, FORMULA)
    expect(page.locator("#genes .gene h3")).to_contain_text(FORMULA)
    assert page.locator("#genes .counts tbody th").first.text_content().startswith(HOSTILE)
    look_up(page, HOSTILE)
    expect(page.locator("#genes .gene h3")).to_contain_text(HOSTILE)
    text = download_of(page, "CSV", within="#genes .list").read_text(encoding="utf-8")
    names = [row[0] for row in csv.reader(text.splitlines())]
    assert f"'{FORMULA}" in names
    assert HOSTILE in names
    assert page.locator("h1 script, #genes .gene script").count() == 0


def test_simulated_data_are_named_over_the_chart(seen: Seen) -> None:
    """In the chart's title and description; never where data are real."""
    page = opened_genes(seen)
    chart = page.locator("#genes .gene svg")
    is_simulated = page.locator(".band").count() > 0
    assert ("simulated data" in (chart.text_content() or "")) == is_simulated
    assert (chart.get_attribute("aria-label") or "").startswith("Simulated data") == is_simulated


def test_a_page_is_quiet_and_asks_for_nothing(seen: Seen) -> None:
    """After all of the above: no message, no dialog, and no request but for the file itself."""
    own = {seen.path.as_uri()}
    assert seen.messages == []
    assert {url.partition("#")[0] for url in seen.requests if not url.startswith(("blob:", "data:"))} == own


def test_without_scripts_a_page_says_where_genes_are(seen: Seen) -> None:
    """Pictures and tables are there; the sentence names the files."""
    context = seen.page.context.browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(seen.path.as_uri())
    assert page.locator("table").count() > 0
    if seen.has_genes:
        expect(page.locator(".unscripted")).to_be_visible()
        expect(page.locator(".explorer")).to_be_hidden()
    context.close()
