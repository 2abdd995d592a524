"""The month's calls: when they run short, the rest is kept for questions and for what is urgent."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from bot.metrics import Metrics
from bot.phrase import phrase

log = structlog.get_logger(__name__)

DEGRADED = phrase("Degraded: this month's DingTalk calls are running out, so this answer is plain text.")
"""What an answer says that went without a call while calls are spared."""


class MonthGuard:
    """Says whether calls are spared; a change of that is counted and logged once.

    ``used`` gives the calls of this month so far, ``limit`` is the month's quota and ``reserve`` the part of it that is
    kept.
    """

    def __init__(self, used: Callable[[], int], limit: int, *, metrics: Metrics, reserve: float = 0.1) -> None:
        self._used = used
        self._limit = limit
        self._from = round(limit * (1 - reserve))
        self._gauge = metrics.sparing
        self._was = False
        self._gauge.set(0)

    def sparing(self) -> bool:
        """Whether only what is urgent may cost calls now."""
        used = self._used()
        now = used >= self._from
        if now is not self._was:
            self._was = now
            self._gauge.set(now)
            if now:
                log.warning("month.sparing", used=used, limit=self._limit)
            else:
                log.info("month.free", used=used, limit=self._limit)
        return now
