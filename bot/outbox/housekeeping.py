"""What the outbox does beside sending: watch the month's calls, forget old records, report its length."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Protocol

import structlog

from bot.errors import DingerpError
from bot.metrics import Metrics
from bot.outbox.ports import OutboxStore
from bot.outbox.quota import CHINA, by_day, forecast

log = structlog.get_logger(__name__)


class DailyCallStore(Protocol):
    """The month's calls so far, day by day."""

    async def put(self, day: date, calls: int) -> None:
        """Store the month's calls so far; if several processes store the same day, the highest number stays."""
        ...

    async def since(self, day: date) -> Mapping[date, int]:
        """Return the numbers of that day and later ones."""
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
        """Do it every ``every`` seconds until cancelled; when the database is away, only log that."""
        while True:
            try:
                await self.look()
            except DingerpError as error:
                log.warning("outbox.not_kept", error=type(error).__name__, detail=error.detail)
            await asyncio.sleep(every)

    async def look(self) -> int:
        """Store the day's calls, forget old records, and return the month's forecast; warn about it once a day."""
        today = self._now().astimezone(CHINA).date()
        await self._days.put(today, self._used())
        first = today.replace(day=1)
        stored = await self._days.since((first - timedelta(days=1)).replace(day=1))
        expected = forecast(by_day(stored), today, self._works)
        self._metrics.month_forecast.set(expected)
        if expected > self._limit and self._warned != today:
            self._warned = today
            log.warning("month.too_many_calls_ahead", forecast=expected, limit=self._limit, used=self._used())
        await self._backlog.prune(self._now() - self._keep)
        self._metrics.deliveries_waiting.set(await self._backlog.waiting())
        return expected
