"""``python -m bot.charts.rasterise FONT FAMILY``: converts the SVG on standard input to PNG.

A separate process, because the library holds the interpreter's lock while it draws.
"""

from __future__ import annotations

import sys

from resvg_py import svg_to_bytes

ZOOM = 2
"""Pixels of the picture per pixel of the drawing: phone screens are that fine."""


def rasterise(svg: str, font: str, family: str) -> bytes:
    """Return the PNG of an SVG, which may use only this font."""
    return bytes(svg_to_bytes(svg_string=svg, zoom=ZOOM, skip_system_fonts=True, font_files=[font], font_family=family))


if __name__ == "__main__":
    sys.stdout.buffer.write(rasterise(sys.stdin.buffer.read().decode(), *sys.argv[1:]))
