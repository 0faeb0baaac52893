"""A browser, and the pages that it opens: the toy's with hostile names, and those of finished runs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from exoliver.report.pages import dataset_page
from exoliver.report.render import render_page
from tests.snakemake_run import snakemake
from tests.toy_report import INJURED_ARMS, SIMULATION, make_facts, make_material

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
HOSTILE = "<script>alert(1)</script>"
FORMULA = '=HYPERLINK("http://x")'
TOY = "toy"
# Page by the name that tests show it under: the results that it is of, and its place in them.
DEFAULT = {
    "study": "report.html",
    "demo_msc_mouse": "datasets/demo_msc_mouse/report.html",
    "demo_ev_rat": "datasets/demo_ev_rat/report.html",
}
REAL = {name: f"datasets/{name}/report.html" for name in ("dlpc", "gse222550_ztoff", "bv2_ev", "krill")}
GENES = {"krill": ("WBGene00000001", "WBGene00000002")}  # worms' genes have no symbol there
SHARED = "Aldoa"  # of two genes of the toy
PAGES = [
    TOY,
    *(pytest.param(name, marks=pytest.mark.workflow) for name in DEFAULT),
    *(pytest.param(name, marks=pytest.mark.real) for name in REAL),
]


@dataclass
class Seen:
    """A page in the browser, and all that it said and asked for since it was opened."""

    name: str
    path: Path
    page: Page
    messages: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    @property
    def has_genes(self) -> bool:
        """Genes can be looked up: on the page of a dataset."""
        return self.name != "study"

    @property
    def genes(self) -> tuple[str, str]:
        """Two genes with counts."""
        return GENES.get(self.name, ("Mcl1", "Bcl2l1"))

    @property
    def contrasts(self) -> dict[str, pd.DataFrame]:
        """The tables beside the page, by contrast."""
        return {path.stem: pd.read_table(path, dtype={"symbol": str}) for path in self.folder.glob("*.tsv")}

    @property
    def folder(self) -> Path:
        """Where these tables are."""
        return self.path.parent / "contrasts"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, or Chrome; without one tests are skipped, and fail in CI."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None and os.environ.get("CI") == "true":
        pytest.fail(f"no browser: none of {', '.join(BROWSERS)} is installed", pytrace=False)
    if found is None:
        pytest.skip(f"none of {', '.join(BROWSERS)} is installed")
    with sync_playwright() as driver:
        # Containers have neither the kernel's sandbox nor much shared memory.
        options = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        launched = driver.chromium.launch(executable_path=found, args=options)
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def default_results(root: Path) -> Path:
    """Results of the default study."""
    run = snakemake(root, "--config", "study=config/config.yaml")
    assert run.status == 0, run.output[-8000:]
    return root / "results"


@pytest.fixture(scope="session")
def real_results(root: Path, shared: Path) -> Path:
    """Results of the study of real datasets."""
    run = snakemake(root, "--config", "study=tests/real/study.yaml")
    assert run.status == 0, run.output[-8000:]
    return root / "results" / "real"


@pytest.fixture(scope="session")
def toy_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The toy, simulated, with hostile title, arm, gene and samples."""
    arms = {name: dict(arm) for name, arm in INJURED_ARMS.items()}
    arms["msc"] |= {"label": f"{HOSTILE}\"'&"}
    facts = make_facts(arms, title=HOSTILE, counts=None, samples=None, simulation=SIMULATION)
    toy = make_material(facts, gene_names={0: FORMULA, 1: HOSTILE, 2: SHARED, 3: SHARED}, sample_prefix=f"{HOSTILE}\"'")
    toy = replace(toy, settings=toy.settings | {"title": HOSTILE})
    path = tmp_path_factory.mktemp("toy") / "report.html"
    (path.parent / "contrasts").mkdir()
    for name, table in toy.tables.items():
        table.to_csv(path.parent / "contrasts" / f"{name}.tsv", sep="\t", index=False)
    path.write_text(render_page(dataset_page(toy, "**Data.** Some.")), encoding="utf-8")
    return path


def path_of(name: str, request: pytest.FixtureRequest) -> Path:
    """File of a page; the results that hold it are made where they are not."""
    if name == TOY:
        return Path(request.getfixturevalue("toy_page"))
    if name in DEFAULT:
        return Path(request.getfixturevalue("default_results")) / DEFAULT[name]
    return Path(request.getfixturevalue("real_results")) / REAL[name]


def opened(context: BrowserContext, name: str, path: Path) -> Seen:
    """The page, as soon as its scripts have run."""
    seen = Seen(name, path, context.new_page())
    seen.page.on("console", lambda message: seen.messages.append(f"{message.type}: {message.text}"))
    seen.page.on("pageerror", lambda error: seen.messages.append(f"error: {error}"))
    seen.page.on("dialog", lambda dialog: seen.messages.append(f"dialog: {dialog.message}"))
    seen.page.on("request", lambda request: seen.requests.append(request.url))
    seen.page.goto(path.as_uri())
    return seen


@pytest.fixture(scope="module", params=PAGES)
def seen(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Seen]:
    """Each page at 1440 px; the tests of a module share it."""
    name = request.param
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="light")
    yield opened(context, name, path_of(name, request))
    context.close()
