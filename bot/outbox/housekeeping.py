"""The outbox's chores besides sending: watch monthly quotas, delete old records, report its length."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from bot.mechanisms.metrics import Metrics
from bot.outbox.month_forecast import MonthForecast
from bot.outbox.ports import OutboxStore
from bot.outbox.spending import Quota
from bot.words.errors import DingerpError

log = structlog.get_logger(__name__)


class QuotaReporter(Protocol):
    """Tells administrators about the month's usage."""

    async def look(self, forecasts: Mapping[Quota, int]) -> None:
        """Report as needed by the forecasts of the quotas; may raise a `DingerpError`."""
        ...


@dataclass(frozen=True, slots=True)
class Housekeeping:
    """Checks each quota's month, then the outbox."""

    backlog: OutboxStore
    months: Mapping[Quota, MonthForecast]
    _: KW_ONLY
    keep: timedelta
    metrics: Metrics
    now: Callable[[], datetime]
    reporter: QuotaReporter | None = None

    async def run(self, every: float = 60.0) -> None:
        """Run every ``every`` seconds until cancelled; an unavailable database is only logged."""
        while True:
            try:
                await self.look()
            except DingerpError as error:
                log.warning("outbox.not_kept", error=type(error).__name__, detail=error.detail)
            await asyncio.sleep(every)

    async def look(self) -> Mapping[Quota, int]:
        """Store the day's counts, delete old records, tell administrators, and return the month's forecasts."""
        forecasts = {quota: await month.look() for quota, month in self.months.items()}
        if self.reporter is not None:
            await self.reporter.look(forecasts)
        await self.backlog.prune(self.now() - self.keep)
        self.metrics.deliveries_waiting.set(await self.backlog.waiting())
        return forecasts
