"""The door to jinja2: templates in, text out. A name that a template asks for and nobody gave is an error."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

TEMPLATES = Path(__file__).resolve().parent / "templates"
PLAIN_TEXT = ("md.j2", "md")


@cache
def _environment() -> Environment:
    """Templates of the package; everything is escaped but plain text, which no browser reads."""
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(default=True, default_for_string=True, disabled_extensions=PLAIN_TEXT),
        undefined=StrictUndefined,
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
