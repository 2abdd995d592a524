"""``python -m bot.charts.rasterise FONT FAMILY``: makes a PNG of the SVG on standard input.

A process of its own, because the library keeps the interpreter's lock for as long as it draws.
"""

from __future__ import annotations

import sys

from resvg_py import svg_to_bytes

ZOOM = 2
"""Pixels of the picture for one of the drawing: screens of phones are that fine."""


def rasterise(svg: str, font: str, family: str) -> bytes:
    """Return the PNG of an SVG, which may use this font alone."""
    return bytes(svg_to_bytes(svg_string=svg, zoom=ZOOM, skip_system_fonts=True, font_files=[font], font_family=family))


if __name__ == "__main__":
    sys.stdout.buffer.write(rasterise(sys.stdin.buffer.read().decode(), *sys.argv[1:]))
