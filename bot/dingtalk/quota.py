"""Counts the month's calls (docs: platform/dingtalk/limits.md#monthly-quotas)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

import structlog

from bot.errors import DingerpError
from bot.metrics import Metrics
from bot.outbox.quota import CHINA

_log = structlog.get_logger(__name__)


class CallCountStore(Protocol):
    """Stores the count across restarts; ``month`` is ``YYYY-MM``. Several processes may add to one month."""

    async def load(self, month: str) -> int:
        """Return the calls stored for ``month``, 0 if none. Like `add` it may raise a `DingerpError`."""
        ...

    async def add(self, month: str, calls: int) -> int:
        """Add ``calls`` and return the month's new sum."""
        ...


class MonthlyMeter:
    """Counts billed calls; `save` stores the count. ``now`` gives an aware time."""

    def __init__(self, store: CallCountStore, *, metrics: Metrics, now: Callable[[], datetime]) -> None:
        self._store = store
        metrics.month_calls.set_function(lambda: self.used)
        self._now = now
        self._month, self._month_ends = _month(now())
        self._stored = 0
        self._unsaved: dict[str, int] = {}

    @property
    def used(self) -> int:
        """The calls of this month so far."""
        self._roll_month()
        return self._stored + self._unsaved.get(self._month, 0)

    def count(self) -> None:
        """Count one call."""
        self._roll_month()
        self._unsaved[self._month] = self._unsaved.get(self._month, 0) + 1

    def _roll_month(self) -> None:
        """Start counting from 0 when a new month has begun."""
        now = self._now()
        if now >= self._month_ends:
            self._month, self._month_ends = _month(now)
            self._stored = 0

    async def load(self) -> None:
        """Start with the count that earlier runs stored."""
        self._stored = await self._store.load(self._month)

    async def save(self) -> None:
        """Store the calls since the last time. After a failure the next call stores them."""
        for month, calls in list(self._unsaved.items()):
            total = await self._store.add(month, calls)
            left = self._unsaved.pop(month) - calls
            if left:
                self._unsaved[month] = left
            if month == self._month:
                self._stored = total

    async def save_periodically(self, every: float) -> None:
        """Save every ``every`` seconds and once more when cancelled; errors of the store are only logged."""
        try:
            while True:
                await asyncio.sleep(every)
                await self._try_to_save()
        finally:
            await self._try_to_save()

    async def _try_to_save(self) -> None:
        try:
            await self.save()
        except DingerpError as error:
            _log.warning("meter.not_saved", error=type(error).__name__, detail=error.detail)


def _month(now: datetime) -> tuple[str, datetime]:
    """Return the month of ``now`` and its end."""
    local = now.astimezone(CHINA)
    begins = local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    ends = begins.replace(year=begins.year + begins.month // 12, month=begins.month % 12 + 1)
    return f"{local:%Y-%m}", ends
