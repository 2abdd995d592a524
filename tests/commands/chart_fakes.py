"""A painter without a process, and a DingTalk that keeps the pictures it gets."""

from __future__ import annotations

import asyncio

from bot.charts.chart import Chart
from bot.charts.drawing import Compact, draw_chart
from bot.words.errors import DingerpError


class MemoryPainter:
    """Implements `bot.chat.charts.Painter`; a picture is the text of its drawing."""

    def __init__(self) -> None:
        self.painted: list[str] = []
        self.trouble: DingerpError | None = None
        self.gate: asyncio.Event | None = None
        """What a picture waits for."""

    async def draw(self, chart: Chart, compact: Compact) -> str:
        return draw_chart(chart, compact)

    async def paint(self, svg: str) -> bytes:
        if self.gate is not None:
            await self.gate.wait()
        if self.trouble is not None:
            raise self.trouble
        self.painted.append(svg)
        return svg.encode()


class MemoryGallery:
    """Implements `bot.chat.charts.PictureHost`."""

    def __init__(self) -> None:
        self.pictures: list[bytes] = []
        self.trouble: DingerpError | None = None
        self.uploaded = asyncio.Event()

    async def upload(self, name: str, content: bytes) -> str:
        if self.trouble is not None:
            raise self.trouble
        self.pictures.append(content)
        self.uploaded.set()
        return f"@lAD{len(self.pictures)}"
