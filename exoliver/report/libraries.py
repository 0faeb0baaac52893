"""The scripts of a page: libraries from the installed packages, ours from `assets/`, and the policy that names them.

Libraries are read when a page is made and never committed; each is on a page once, and only where something needs it.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from exoliver.figures.bundle import vega_bundle

# The bundle's last statement is `export{a as b,...}`, which no script can do that others in the page are to hear of.
_EXPORTS = re.compile(r"\bexport\s*\{([\w$\s,]+)\};?")
_TABLES = re.compile(r"\s*([\w$]+)\s+as\s+default\s*")
# What would end a script within a page, or open a comment that swallows its end (HTML, section 4.12.1.3).
_CLOSING = re.compile(r"<(/script|!--)", re.IGNORECASE)


@dataclass(frozen=True)
class Script:
    """One script of a page.

    Parameters
    ----------
    text
        The code, as it stands between the tags.
    credit
        Name and licence of a library; empty for our own.
    """

    text: str
    credit: str = ""


def library_scripts(*, has_tables: bool, has_charts: bool) -> list[Script]:
    """The libraries that a page needs, in the order in which they have to run.

    Parameters
    ----------
    has_tables, has_charts
        A table can be searched and sorted; a chart is drawn in the browser.
    """
    charts = Script(neutral(vega_bundle()), "Vega, Vega-Lite and Vega-Embed (BSD 3-Clause)")
    tables = Script(neutral(tables_bundle()), "DataTables and jQuery (MIT)")
    return [*([charts] if has_charts else []), *([tables] if has_tables else [])]


@cache
def tables_bundle() -> str:
    """JavaScript that sets `globalThis.DataTable`, from itables' module.

    Raises
    ------
    ValueError
        The installed bundle is not the module that it was in itables 2.5 to 2.9.
    """
    import itables

    return as_global((Path(itables.__file__).parent / "html" / "dt_bundle.js").read_text(encoding="utf-8"))


def as_global(module: str) -> str:
    """A module whose default export is DataTables, as a script that sets `globalThis.DataTable`.

    Raises
    ------
    ValueError
        The text has not one list of exports, with a default among them.
    """
    exports = list(_EXPORTS.finditer(module))
    defaults = [found[1] for own in exports for name in own[1].split(",") if (found := _TABLES.fullmatch(name))]
    if len(exports) != 1 or len(defaults) != 1:
        raise ValueError("itables' dt_bundle.js has not the one list of exports, with a default, that itables 2.9 has")
    place = exports[0]
    return f"{module[: place.start()]}globalThis.DataTable={defaults[0]};{module[place.end() :]}"


def neutral(code: str) -> str:
    """The code without what would end the script that holds it; in its strings and patterns it means the same."""
    return _CLOSING.sub(r"\\x3c\1", code)


def script_hash(text: str) -> str:
    """What a content policy calls an inline script: the digest of its text."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode('ascii')}'"


def policy(scripts: Sequence[str]) -> str:
    """The content policy of a page that runs these scripts, and no other.

    Parameters
    ----------
    scripts
        Their texts. Pictures may come from the page itself (`blob:` on their way to a PNG); plots carry style
        attributes.
    """
    hashes = " ".join(dict.fromkeys(map(script_hash, scripts))) or "'none'"
    closed = "default-src 'none'; base-uri 'none'; form-action 'none'"
    return f"{closed}; img-src data: blob:; style-src 'unsafe-inline'; script-src {hashes}"
