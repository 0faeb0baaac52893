"""The door to jinja2: templates in, text out. A name that a template asks for and nobody gave is an error."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from jinja2 import select_autoescape

from exoliver.report.elements import Page

TEMPLATES = Path(__file__).resolve().parent / "templates"
ASSETS = Path(__file__).resolve().parent / "assets"
PLAIN_TEXT = ("md.j2", "md")
# Nothing from outside and no script; plots carry style attributes.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'none'"


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

    Raises
    ------
    FileNotFoundError
        An asset is missing.
    """
    return render_text("base.html.j2", page=page, policy=POLICY, assets={"css": read_asset("report.css")})


def read_asset(name: str) -> str:
    """The text of a file of `assets/`.

    Raises
    ------
    FileNotFoundError
        There is no such asset.
    """
    return (ASSETS / name).read_text(encoding="utf-8")
