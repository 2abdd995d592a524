"""What the outbox does beside sending: watch the month's quotas, forget old records, report its length."""

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
    """Tells administrators how the month goes."""

    async def look(self, forecasts: Mapping[Quota, int]) -> None:
        """Tell what has to be told, by the forecasts of the quotas; may raise a `DingerpError`."""
        ...


@dataclass(frozen=True, slots=True)
class Housekeeping:
    """Looks at each quota's month, then at the outbox."""

    backlog: OutboxStore
    months: Mapping[Quota, MonthForecast]
    _: KW_ONLY
    keep: timedelta
    metrics: Metrics
    now: Callable[[], datetime]
    reporter: QuotaReporter | None = None

    async def run(self, every: float = 60.0) -> None:
        """Do it every ``every`` seconds until cancelled; when the database is away, only log that."""
        while True:
            try:
                await self.look()
            except DingerpError as error:
                log.warning("outbox.not_kept", error=type(error).__name__, detail=error.detail)
            await asyncio.sleep(every)

    async def look(self) -> Mapping[Quota, int]:
        """Store the day's counts, forget old records, tell administrators, and return the forecasts of the month."""
        forecasts = {quota: await month.look() for quota, month in self.months.items()}
        if self.reporter is not None:
            await self.reporter.look(forecasts)
        await self.backlog.prune(self.now() - self.keep)
        self.metrics.deliveries_waiting.set(await self.backlog.waiting())
        return forecasts
