"""Vega-Lite for pages, as the installed converter brings it: one text, nothing loaded from elsewhere."""

from __future__ import annotations

from functools import cache

import vl_convert

from exoliver.figures.figure import VERSION


@cache
def vega_bundle() -> str:
    """JavaScript that sets `window.vegaEmbed`, of the version of Vega-Lite that draws the figures."""
    return str(vl_convert.javascript_bundle("window.vegaEmbed=vegaEmbed;", vl_version=VERSION))
