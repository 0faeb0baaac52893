"""The door to jinja2: templates in, text out. A name that a template asks for and nobody gave is an error."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from jinja2 import select_autoescape

from exoliver.report.elements import Explorer, Page, Table
from exoliver.report.libraries import library_scripts, policy

TEMPLATES = Path(__file__).resolve().parent / "templates"
ASSETS = Path(__file__).resolve().parent / "assets"
PLAIN_TEXT = ("md.j2", "md")


@cache
def _environment() -> jinja2.Environment:
    """Templates of the package; everything is escaped but plain text, which no browser reads."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(default=True, default_for_string=True, disabled_extensions=PLAIN_TEXT),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def render_text(template: str, **values: Any) -> str:
    """A template of `templates/` filled with values.

    Raises
    ------
    jinja2.UndefinedError
        The template asks for a value that is not given.
    """
    return _environment().get_template(template).render(**values)


def render_page(page: Page) -> str:
    """A page as one HTML file that asks for nothing from outside.

    Without its scripts it is complete but for the genes that can be looked up; libraries are in it where they are
    needed.

    Raises
    ------
    FileNotFoundError
        An asset is missing.
    """
    has_charts = any(isinstance(block, Explorer) for block in page.blocks)
    has_tables = has_charts or any(isinstance(block, Table) and block.is_interactive for block in page.blocks)
    libraries = library_scripts(has_tables=has_tables, has_charts=has_charts)
    own = {name: read_asset(f"{name}.js") for name in ("theme", "report")}
    return render_text(
        "base.html.j2",
        page=page,
        policy=policy([own["theme"], *(library.text for library in libraries), own["report"]]),
        assets={"css": read_asset("report.css"), "libraries": libraries, **own},
    )


def read_asset(name: str) -> str:
    """The text of a file of `assets/`.

    Raises
    ------
    FileNotFoundError
        There is no such asset.
    """
    return (ASSETS / name).read_text(encoding="utf-8")
