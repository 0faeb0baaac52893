"""Pages in a real browser: quiet, complete, fit for keyboard, phone and printer, and interactive within two seconds."""

from __future__ import annotations

import csv
import itertools
import re
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from exoliver.figures.words import count, estimate, pvalue
from exoliver.report.changes import HALF_WIDTH
from tests.browser.conftest import FORMULA, HOSTILE, SHARED, TOY, Seen

pytestmark = pytest.mark.browser

MOST_BYTES = 5_000_000
MOST_MILLISECONDS = 2000
WIDTHS = (320, 820, 1440)
GRAVE = ("serious", "critical")
PAPER = 718  # px of an A4 page between margins of 1 cm, at 96 to the inch
UNFOLD = "table => { for (let own = table; own; own = own.parentElement) if (own.matches('details')) own.open = true; }"
INTERVAL = r"(\S+) \((\S+) to (\S+)\)"
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


def read_number(text: str) -> float | None:
    """The number that a cell opens with, read from what is seen; None for words and dashes."""
    bare = re.sub("[\u202f\u2007\u2008]", "", text).replace("−", "-")
    found = re.match(r"[<> ]*([×÷]?)(-?\d+(?:\.\d+)?(?:e-?\d+)?)", bare)
    if not found:
        return None
    return 1 / float(found[2]) if found[1] == "÷" else float(found[2])


def column_texts(table: Locator, place: int) -> list[str]:
    """What is seen in a column, row by row."""
    return table.locator("tbody").evaluate(f"body => [...body.rows].map(row => row.cells[{place}].textContent.trim())")


def titles_of(table: Locator) -> list[str]:
    """Titles of the columns, as they are written."""
    return [title.strip("↕↑↓ \n") for title in table.locator("thead tr").first.locator("th").all_text_contents()]


def evidence_table(seen: Seen) -> tuple[str, dict[str, int]]:
    """Selector of the first table with an interval and a p-value, and the places of both; else one with numbers."""
    for own in seen.page.locator("table[data-interactive]").all():
        selector = f".dt-container:has(table[data-name='{own.get_attribute('data-name')}'])"
        table = seen.page.locator(selector)
        titles = titles_of(table)
        places = {
            "interval": next((i for i, title in enumerate(titles) if title.endswith("interval)")), None),
            "p": next((i for i, title in enumerate(titles) if re.search(r"\bp$", title)), None),
        }
        if all(place is not None and any(map(read_number, column_texts(table, place))) for place in places.values()):
            own.evaluate(UNFOLD)
            return selector, {name: place for name, place in places.items() if place is not None}
    pytest.skip("no table of this page has an interval and a p-value")


def shown_effect(row: pd.Series) -> list[str]:
    """Interval and p-values of a gene of a contrast's table, as the tables of the page have them."""
    change = row.get("log2_fold_change", float("nan"))
    half = HALF_WIDTH * row.get("lfc_se", float("nan"))
    return [estimate(change, change - half, high=change + half), pvalue(row["pvalue"]), pvalue(row["padj"])]


def contrast_ids(page: Page) -> dict[str, str]:
    """Id of each contrast whose genes are listed, by its words."""
    options = page.locator("#genes select.contrast option")
    return dict(options.evaluate_all("all => all.map(one => [one.textContent, one.value])"))


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
    look_up(page, seen.genes[0].lower())
    chart = page.locator("#genes .gene svg")
    expect(chart).to_have_attribute("aria-label", re.compile(rf"counts of {seen.genes[0]} in \d+ samples"))
    samples = int(re.search(r"in (\d+) samples", chart.get_attribute("aria-label") or "")[1])
    assert page.locator("#genes .gene svg .mark-symbol path").count() == samples
    assert page.locator("#genes .counts tbody tr").count() == samples
    assert f"gene={seen.genes[0]}" in page.url


def test_letters_propose_genes(seen: Seen) -> None:
    """No more than a dozen at once; what no gene is called is told."""
    page = opened_genes(seen)
    field = page.get_by_label("Gene, by symbol or identifier")
    field.fill("b")
    assert 0 < page.locator("#gene-matches option").count() <= 12
    field.fill("no such gene")
    page.keyboard.press("Enter")
    expect(page.locator("#genes .said").first).to_contain_text("No gene with counts is called")
    expect(page.locator("#genes .gene")).to_be_hidden()
    assert "#gene=" not in page.url
    look_up(page, seen.genes[0])
    expect(page.locator("#genes .gene h3")).to_contain_text(seen.genes[0])
    expect(page.locator("#genes .said").first).to_contain_text("is shown")


def test_an_arm_can_be_taken_out(seen: Seen) -> None:
    """By keyboard; its points go, and come back."""
    page = opened_genes(seen)
    look_up(page, seen.genes[0])
    points = page.locator("#genes .gene svg .mark-symbol path")
    expect(page.locator("#genes .gene svg")).to_have_attribute("aria-label", re.compile(seen.genes[0]))
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
    heading = page.locator("#genes .gene h3")
    expect(heading).to_contain_text(name or "")
    expect(heading).to_be_focused()
    expect(heading).to_be_in_viewport()
    expect(page.locator("#genes .said").first).to_have_text(f"{heading.text_content()} is shown.")
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
    page.goto(f"{seen.path.as_uri()}#gene={seen.genes[1].lower()}")
    expect(page.locator("#genes .gene h3")).to_contain_text(seen.genes[1], timeout=20_000)
    page.close()


def test_a_gene_looked_up_has_the_effects_of_the_tables(seen: Seen) -> None:
    """Every digit of every contrast that is listed, against the files beside the page."""
    page = opened_genes(seen)
    tables, ids = seen.contrasts, contrast_ids(page)
    for gene in seen.genes:
        look_up(page, gene)
        expect(page.locator("#genes .gene h3")).to_contain_text(gene)
        rows = page.locator("#genes .effects tbody tr").evaluate_all(
            "all => all.map(r => [...r.cells].map(c => c.innerText))"
        )
        told = {ids[words]: cells for words, *cells in rows if words in ids}
        known = {name: tables[name][tables[name][["symbol", "gene_id"]].eq(gene).any(axis=1)].iloc[0] for name in told}
        assert told == {name: shown_effect(row) for name, row in known.items()}
        assert set(told) == set(ids.values())


def test_a_limit_of_p_keeps_as_many_genes_as_the_table_has(seen: Seen) -> None:
    """Adjusted p below 0.05 and from 0.05 on: the numbers of rows are those of the file."""
    page = opened_genes(seen)
    name = page.locator("#genes select.contrast").input_value()
    padj = seen.contrasts[name].loc[lambda table: table["base_mean"] > 0, "padj"]
    listed = page.locator("#genes .list")
    listed.get_by_role("button", name="Filters").click()
    field = listed.get_by_label("Filter by Adjusted p")
    for asked, rows in (
        ("< 0,05", (padj < 0.05).sum()),
        (">= 0.05", (padj >= 0.05).sum()),
        ("<0.01", (padj < 0.01).sum()),
    ):
        field.fill(asked)
        expect(listed.locator(".dt-info")).to_have_text(
            re.compile(rf"of {count(rows)} rows|^No row" if rows else "No row")
        )
    field.fill("")
    listed.get_by_role("button", name="Filters").click()


def test_a_shared_symbol_is_asked_for_by_its_identifier(seen: Seen) -> None:
    """Both genes are proposed, and each address leads to its own."""
    if seen.name != TOY:
        pytest.skip("only the toy is known to share one")
    page = opened_genes(seen)
    page.get_by_label("Gene, by symbol or identifier").fill(SHARED)
    values = page.locator("#gene-matches option").evaluate_all("all => all.map(one => one.value)")
    assert values == sorted(set(values), key=values.index)
    assert len(values) == 2
    for value in values:
        look_up(page, value)
        expect(page.locator("#genes .gene h3")).to_have_text(f"{SHARED} ({value})")
        assert page.url.endswith(f"#gene={value}")


@pytest.mark.parametrize("kind", ["interval", "p"])
def test_a_table_is_sorted_by_the_numbers_that_are_seen(seen: Seen, kind: str) -> None:
    """Up by one press, down by the next; missing ones last both times, and no row is lost."""
    selector, places = evidence_table(seen)
    table, place = seen.page.locator(selector), places[kind]
    before = column_texts(table, place)
    head = table.locator("thead tr").first.locator("th").nth(place)
    for order, sign in (("ascending", 1), ("descending", -1)):
        head.click()
        expect(head).to_have_attribute("aria-sort", order)
        shown = column_texts(table, place)
        values = [read_number(text) for text in shown]
        known = [value for value in values if value is not None]
        assert known == sorted(known, key=lambda value: sign * value)
        assert values[len(known) :] == [None] * (len(values) - len(known))
        assert sorted(shown) == sorted(before) or len(before) == 25
    assert len(known) > 1


@pytest.mark.parametrize("kind", ["interval", "p"])
def test_a_table_is_filtered_by_the_numbers_that_are_seen(seen: Seen, kind: str) -> None:
    """With point or comma; what is not understood is told, and the button counts what is in use."""
    selector, places = evidence_table(seen)
    table, place = seen.page.locator(selector), places[kind]
    texts = column_texts(table, place)
    known = sorted(value for text in texts if (value := read_number(text)) is not None)
    # In the widest gap: what is filtered has more digits than what is seen.
    _, low, high = max((high - low, low, high) for low, high in itertools.pairwise(known))
    limit = f"{(low + high) / 2:.6g}"
    press = table.get_by_role("button", name="Filters")
    press.click()
    own = table.locator(".filters input").nth(place)
    for asked in (f"< {limit}", f"<{limit.replace('.', ',')}".replace("-", "−")):
        own.fill(asked)
        left = [read_number(text) for text in column_texts(table, place)]
        assert sorted(value for value in left if value is not None) == [v for v in known if v < float(limit)]
        expect(press).to_have_text("Filters (1)")
    own.fill("5 to 10")
    expect(table.locator(".tools .said")).to_contain_text("Not understood: “5 to 10”")
    expect(press).to_have_text("Filters")
    assert own.get_attribute("aria-invalid") == "true"
    own.fill("")
    expect(table.locator(".tools .said")).to_have_text("")
    assert sorted(column_texts(table, place)) == sorted(texts)
    press.click()


def test_a_table_is_searched(seen: Seen) -> None:
    """Letters leave the rows that hold them."""
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
    """All rows; an interval is three numbers, p has all its digits, and no formula leaves."""
    selector, places = evidence_table(seen)
    table = seen.page.locator(selector)
    titles = titles_of(table)
    info = table.locator(".dt-info").text_content() or ""
    assert not table.locator(".dt-paging").count(), "all rows are seen"
    for mark, name, opening in ((",", "CSV", b"\xef\xbb\xbf"), ("\t", "TSV", b"")):
        content = download_of(seen.page, name, within=selector).read_bytes()
        assert content[: len(opening)] == opening
        rows = list(csv.reader(content[len(opening) :].decode("utf-8").splitlines(), delimiter=mark))
        heads, body = rows[0], rows[1:]
        assert f"of {len(body)} rows" in info
        assert {len(row) for row in rows} == {len(heads)}
        assert heads[0] == titles[0]
        assert [cell for row in rows for cell in row if re.match(r"[=+@-](?![\d.])", cell)] == []
        place = places["interval"]
        low = heads.index(titles[place].replace(" (", ", low (", 1))
        compare_intervals(column_texts(table, place), [row[low - 1 : low + 2] for row in body])
        compare_numbers(column_texts(table, places["p"]), [row[heads.index(titles[places["p"]])] for row in body])


def compare_intervals(shown: list[str], fields: list[list[str]]) -> None:
    """Estimate, low and high as read from the text; all of a missing one are missing."""
    for text, own in zip(shown, fields, strict=True):
        found = re.fullmatch(INTERVAL, text)
        expected = [read_number(part) for part in found.groups()] if found else [read_number(text), None, None]
        for value, given in zip(expected, own, strict=True):
            assert (value is None and not re.match(r"[\d-]", given)) or float(given) == pytest.approx(value, abs=0.051)
        if found:
            assert [float(given) for given in own[1:]] == expected[1:]


def compare_numbers(shown: list[str], fields: list[str]) -> None:
    """Each rounds to what is seen, and some have more digits."""
    for text, given in zip(shown, fields, strict=True):
        value = read_number(text)
        assert given == "NA" if value is None else pvalue(float(given)) == text
    assert max(map(len, fields)) > max(map(len, shown)) or set(fields) <= {"NA", "0", "1"}


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


def test_nothing_is_wider_than_paper(seen: Seen) -> None:
    """At the width of A4 between margins, all folded parts open: neither tables nor pictures are cut."""
    page = seen.page
    if seen.has_genes:
        opened_genes(seen)
    open_before = page.locator("details[open]").count()
    page.emulate_media(media="print")
    page.set_viewport_size({"width": PAPER, "height": 1000})
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open], .columns)").count() == 0
    wide = page.evaluate(
        "most => [...document.querySelectorAll('body *:not(svg *):not(.skip)')]"
        ".filter(part => part.getBoundingClientRect().right > most + 1 || part.getBoundingClientRect().left < -1)"
        ".map(part => part.outerHTML.slice(0, 200))",
        PAPER,
    )
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen")
    page.set_viewport_size({"width": 1440, "height": 900})
    assert wide == []
    assert page.locator("details[open]").count() == open_before


def test_only_what_scrolls_stops_the_keyboard(seen: Seen) -> None:
    """No landmark, and short tables scroll in no direction of their own but where they are folded."""
    page = opened_genes(seen) if seen.has_genes else seen.page
    read = (
        "parts => parts.filter(part => part.checkVisibility()).map(part => [part.scrollWidth > part.clientWidth || "
        "part.scrollHeight > part.clientHeight, part.hasAttribute('tabindex'), part.role, part.ariaLabel])"
    )
    found = page.locator(".scroll").evaluate_all(read)
    assert [words for scrolls, stops, role, words in found if scrolls != stops or role != "group"] == []
    nested = page.locator(".scroll:not(details .scroll)").evaluate_all(
        "parts => parts.filter(part => part.querySelectorAll('tbody tr').length <= 25 "
        "&& part.scrollHeight > part.clientHeight + 1).map(part => part.getAttribute('aria-label'))"
    )
    assert nested == []


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
    text = download_of(page, "CSV", within="#genes .list").read_text(encoding="utf-8-sig")
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
