"""The pictures of docs/images: pages of the default study as a reader sees them. `--fix` takes them anew."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import DEFAULT, opened

pytestmark = [pytest.mark.browser, pytest.mark.workflow]

# Picture: page, theme, width, what is shown (the top of the page where nothing is said).
IMAGES = {
    "report.png": ("demo_msc_mouse", "light", 1440, ""),
    "report_dark.png": ("demo_msc_mouse", "dark", 1440, "#rescue figure svg"),
    "report_phone.png": ("demo_msc_mouse", "light", 390, ""),
    "gene.png": ("demo_msc_mouse", "light", 1440, "#genes .gene"),
    "study.png": ("study", "light", 1440, "#programmes figure svg"),
}
MOST_BYTES = 400_000  # of a picture that every clone carries
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize("name", IMAGES)
def test_the_documentation_shows_the_pages(
    name: str, root: Path, browser: Browser, default_results: Path, pytestconfig: pytest.Config
) -> None:
    """Each picture is there, is a small PNG, and is shown on some page; that it is of today only a reader can tell."""
    path = root / "docs" / "images" / name
    if pytestconfig.getoption("--fix"):
        take(browser, name, results=default_results, path=path)
    assert path.read_bytes().startswith(PNG)
    assert path.stat().st_size < MOST_BYTES
    pages = [root / "README.md", *(root / "docs").glob("*.md")]
    assert any(f"images/{name}" in page.read_text(encoding="utf-8") for page in pages)


def take(browser: Browser, name: str, *, results: Path, path: Path) -> None:
    """One picture."""
    page_name, theme, width, selector = IMAGES[name]
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme)  # type: ignore[arg-type]
    page = opened(context, page_name, results / DEFAULT[page_name]).page
    page.wait_for_function("() => performance.getEntriesByName('interactive').length")
    page.add_style_tag(content=".band { position: static !important }")  # it would lie across what is shown
    if selector:
        if selector.startswith("#genes"):
            page.locator("#genes").scroll_into_view_if_needed()
            expect(page.locator(".explorer[data-state=ready]")).to_be_visible(timeout=20_000)
        page.locator(selector).first.screenshot(path=path)
    else:
        page.screenshot(path=path)
    context.close()
