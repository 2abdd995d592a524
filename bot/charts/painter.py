"""Converts drawings to PNG pictures, off the event loop and within a time limit."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import structlog

from bot.charts.chart import Chart, ChartNotDrawn, NoChartFont
from bot.charts.drawing import Compact, draw_chart
from bot.charts.fonts import PLACES, ChartFont, find_font

log = structlog.get_logger(__name__)

SECONDS = 5.0
"""The time limit for one picture; it takes about a seventh of a second."""
_AT_ONCE = 2
"""Pictures painted concurrently; others wait."""


class ChartPainter:
    """Paints with the first usable font; without one it searches again each time, and logs that once."""

    def __init__(self, fonts: Sequence[Path] = PLACES, *, seconds: float = SECONDS) -> None:
        self._fonts = fonts
        self._seconds = seconds
        self._font: ChartFont | None = None
        self._reported = False
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def draw(self, chart: Chart, compact: Compact) -> str:
        return await asyncio.to_thread(draw_chart, chart, compact)

    async def paint(self, svg: str) -> bytes:
        """Return a drawing as PNG; raises `ChartNotDrawn`, or `NoChartFont` without a font."""
        async with self._turns:
            font = await self._find_font()
            try:
                async with asyncio.timeout(self._seconds):
                    return await _rasterise(svg, font)
            except TimeoutError:
                raise ChartNotDrawn(f"nothing within {self._seconds:g} s") from None

    async def _find_font(self) -> ChartFont:
        if self._font is None:
            self._font = await asyncio.to_thread(find_font, self._fonts)
        if self._font is None:
            if not self._reported:
                self._reported = True
                log.warning("chart.no_font", looked_at=[str(path) for path in self._fonts])
            raise NoChartFont
        return self._font


async def _rasterise(svg: str, font: ChartFont) -> bytes:
    """Return the PNG from a separate process, which ends with the waiting task."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "bot.charts.rasterise", str(font.path), font.family),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        picture, problems = await process.communicate(svg.encode())
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode or not picture:
        # The last line begins with the error class; the rest may hold values of the drawing.
        last = problems.decode(errors="replace").strip().rpartition("\n")[2]
        raise ChartNotDrawn(f"ended with {process.returncode}: {last.partition(':')[0][:80]}")
    return picture
