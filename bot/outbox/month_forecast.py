"""Follows one quota through the month: stores each day's count, forecasts the month's end, and warns in the log."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Protocol

import structlog
from prometheus_client import Gauge

from bot.outbox.quota import CHINA, by_day, forecast

log = structlog.get_logger(__name__)


class DailyCallStore(Protocol):
    """The month's count so far, day by day."""

    async def put(self, day: date, calls: int) -> None:
        """Store the month's count so far; if several processes store the same day, the highest number wins."""
        ...

    async def since(self, day: date) -> Mapping[date, int]:
        """Return the counts of that day and later ones."""
        ...


class MonthForecast:
    """``used`` returns this month's count so far; ``works`` tells working days.

    ``warning`` is the log event for a month forecast to need more than ``limit``.
    """

    def __init__(
        self,
        days: DailyCallStore,
        used: Callable[[], int],
        *,
        limit: int,
        works: Callable[[date], bool],
        gauge: Gauge,
        warning: str,
        now: Callable[[], datetime],
    ) -> None:
        self._days = days
        self._used = used
        self._limit = limit
        self._works = works
        self._gauge = gauge
        self._warning = warning
        self._now = now
        self._warned: date | None = None

    async def look(self) -> int:
        """Store the day's count and return the month's forecast; warn about it once a day."""
        today = self._today()
        await self._days.put(today, self._used())
        expected = await self.expect()
        self._gauge.set(expected)
        if expected > self._limit and self._warned != today:
            self._warned = today
            log.warning(self._warning, forecast=expected, limit=self._limit, used=self._used())
        return expected

    async def expect(self) -> int:
        """Return the month's forecast as of now, and note nothing."""
        today = self._today()
        first = today.replace(day=1)
        stored = await self._days.since((first - timedelta(days=1)).replace(day=1))
        return forecast(by_day({**stored, today: max(self._used(), stored.get(today, 0))}), today, self._works)

    def _today(self) -> date:
        return self._now().astimezone(CHINA).date()
