"""Charts in answers: drawn with what the asker may see, uploaded, and shown by their DingTalk id."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Protocol

import structlog
from cachetools import TTLCache

from bot.cards.language import Language, choose_language
from bot.charts.chart import Chart, NoChartFont
from bot.charts.drawing import Compact
from bot.chat.context import QuestionContext
from bot.chat.message import ConversationKind
from bot.mechanisms.metrics import Metrics
from bot.outbox.spending import Purpose, spending
from bot.words.errors import DingerpError

log = structlog.get_logger(__name__)

CALLS = 1
"""DingTalk calls a chart costs besides its card: the upload."""
WAITS = (8.0, 1.0)
"""Seconds after which an answer is sent without its picture: for a typed line, and for a click, which DingTalk gives
two.
"""
_KEPT, _KEPT_SECONDS = 500, 3600.0
"""How many pictures can be shown again without another upload, and for how long."""


class MissingPicture(StrEnum):
    """Why an answer has no picture."""

    NO_FONT = "no_font"
    """The bot's computer has no font with Chinese characters."""
    SPARED = "spared"
    """The month's calls are nearly used up."""
    FAILED = "failed"
    COMING = "coming"
    """It takes longer than the answer may: it is ready the next time."""


@dataclass(frozen=True, slots=True)
class ChartPicture:
    """The media id of a picture, or why there is none."""

    media_id: str = ""
    lack: MissingPicture | None = None


class Painter(Protocol):
    """Draws charts and paints them; `bot.charts.painter` implements it."""

    async def draw(self, chart: Chart, compact: Compact) -> str:
        """Return a chart as SVG."""
        ...

    async def paint(self, svg: str) -> bytes:
        """Return a drawing as PNG; raises a `bot.charts.chart.ChartNotDrawn`."""
        ...


class PictureHost(Protocol):
    """Hosts pictures for cards. Raises a `bot.words.errors.DingerpError`."""

    async def upload(self, name: str, content: bytes) -> str:
        """Return the media id of a PNG."""
        ...


class ChartPictures:
    """Makes chart pictures, once for all concurrent requests of the same chart."""

    def __init__(
        self,
        *,
        painter: Painter,
        host: PictureHost,
        languages: Mapping[str, Language],
        metrics: Metrics,
        sparing: Callable[[], bool],
        waits: tuple[float, float] = WAITS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``sparing``: calls are reserved for urgent cards."""
        self._wait_typed, self._wait_clicked = waits
        self._painter = painter
        self._host = host
        self._languages = languages
        self._metrics = metrics
        self._sparing = sparing
        self._clock = clock
        self._kept: MutableMapping[str, str] = TTLCache(_KEPT, _KEPT_SECONDS, clock)
        self._at_work: dict[str, asyncio.Task[ChartPicture]] = {}

    async def picture(self, chart_in: Callable[[Language], Chart], context: QuestionContext) -> ChartPicture:
        """Return the picture of a chart in the asker's language; a slow one continues in the background."""
        language = choose_language(self._languages, context.person.language)
        svg = await self._painter.draw(chart_in(language), language.compact)
        key = sha256(svg.encode()).hexdigest()
        if (media_id := self._kept.get(key)) is not None:
            return ChartPicture(media_id)
        if self._sparing():
            return ChartPicture(lack=MissingPicture.SPARED)
        work = self._at_work.get(key)
        if work is None:
            work = asyncio.create_task(self._make(svg, key, _counted(context)))
            self._at_work[key] = work
            work.add_done_callback(lambda done: self._at_work.pop(key, None))
        await asyncio.wait({work}, timeout=self._wait_clicked if context.clicked else self._wait_typed)
        return work.result() if work.done() else ChartPicture(lack=MissingPicture.COMING)

    async def close(self) -> None:
        """Cancel the pictures in progress."""
        tasks = tuple(self._at_work.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _make(self, svg: str, key: str, conversation: str) -> ChartPicture:
        started = self._clock()
        try:
            picture = await self._painter.paint(svg)
            self._metrics.chart_seconds.observe(self._clock() - started)
            with spending(Purpose.CHART, conversation):
                media_id = await self._host.upload("chart.png", picture)
        except NoChartFont:
            return ChartPicture(lack=MissingPicture.NO_FONT)
        except DingerpError as error:
            log.error("chart.failed", error=type(error).__name__, detail=error.detail)
            return ChartPicture(lack=MissingPicture.FAILED)
        self._kept[key] = media_id
        return ChartPicture(media_id)


def _counted(context: QuestionContext) -> str:
    """Return the conversation a call is counted for: chats with single people count together."""
    return context.conversation.id if context.conversation.kind is ConversationKind.GROUP else ""
