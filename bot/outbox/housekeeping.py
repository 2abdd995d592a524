"""What the outbox does beside sending: watch the month, forget old records, tell how much waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

import structlog

from bot.errors import DingerpError
from bot.metrics import Metrics
from bot.outbox.quota import by_day, forecast
from bot.outbox.store_port import OutboxStore

log = structlog.get_logger(__name__)

_CHINA = ZoneInfo("Asia/Shanghai")
"""DingTalk's month and its days begin at midnight in China."""


class DailyCallStore(Protocol):
    """How far the month had come on each day."""

    async def put(self, day: date, calls: int) -> None:
        """Note the month's calls so far; several processes may note the same day, and the highest number stays."""
        ...

    async def since(self, day: date) -> Mapping[date, int]:
        """Return what was noted for that day and later ones."""
        ...


class Housekeeping:
    """``used`` gives the calls of this month so far; ``works`` whether a day is a working day."""

    def __init__(
        self,
        backlog: OutboxStore,
        days: DailyCallStore,
        used: Callable[[], int],
        *,
        limit: int,
        works: Callable[[date], bool],
        keep: timedelta,
        metrics: Metrics,
        now: Callable[[], datetime],
    ) -> None:
        self._backlog = backlog
        self._days = days
        self._used = used
        self._limit = limit
        self._works = works
        self._keep = keep
        self._metrics = metrics
        self._now = now
        self._warned: date | None = None

    async def run(self, every: float = 60.0) -> None:
        """Look each ``every`` seconds until cancelled; a database that is away is only noted."""
        while True:
            try:
                await self.look()
            except DingerpError as error:
                log.warning("outbox.not_kept", error=type(error).__name__, detail=error.detail)
            await asyncio.sleep(every)

    async def look(self) -> int:
        """Note the day's calls, forget what is old, and return the month's forecast, warning once a day."""
        today = self._now().astimezone(_CHINA).date()
        await self._days.put(today, self._used())
        first = today.replace(day=1)
        noted = await self._days.since((first - timedelta(days=1)).replace(day=1))
        coming = forecast(by_day(noted), today, self._works)
        self._metrics.month_forecast.set(coming)
        if coming > self._limit and self._warned != today:
            self._warned = today
            log.warning("month.too_many_calls_ahead", forecast=coming, limit=self._limit, used=self._used())
        await self._backlog.prune(self._now() - self._keep)
        self._metrics.deliveries_waiting.set(await self._backlog.waiting())
        return coming
