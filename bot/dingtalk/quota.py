"""Counts what the month's two quotas are spent on (docs: platform/dingtalk/limits.md#monthly-quotas)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from bot.mechanisms.metrics import Metrics
from bot.outbox.quota import CHINA
from bot.outbox.spending import Purpose, Quota, SpentKey, by_purpose, current_spending
from bot.words.errors import DingerpError

_log = structlog.get_logger(__name__)


EXHAUSTED_FOR = timedelta(minutes=1)
"""How long DingTalk's report of an exhausted month is valid; then a call tests whether an add-on pack was bought."""


class CallCountStore(Protocol):
    """Stores the counts across restarts; ``month`` is ``YYYY-MM``. Several processes may add to one month."""

    async def load(self, month: str) -> Mapping[SpentKey, int]:
        """Return the stored counts of ``month``. Like `add` it may raise a `DingerpError`."""
        ...

    async def add(self, month: str, spent: Mapping[SpentKey, int]) -> Mapping[SpentKey, int]:
        """Add ``spent`` and return the month's new counts."""
        ...


class MonthlyMeter:
    """Counts billed calls, uses of Webhook & Stream, and clicks; `save` stores the counts.

    ``now`` returns an aware time; ``clicks_count`` tells whether clicks are uses.
    """

    def __init__(
        self, store: CallCountStore, *, metrics: Metrics, now: Callable[[], datetime], clicks_count: bool = True
    ) -> None:
        self._store = store
        metrics.month_calls.set_function(lambda: self.used)
        metrics.month_uses.set_function(lambda: self.uses)
        self._shown = metrics.month_spent
        self._of_uses = (Quota.USES, Quota.CLICKS) if clicks_count else (Quota.USES,)
        self._now = now
        self._month, self._month_ends = _month(now())
        self._stored: Mapping[SpentKey, int] = {}
        self._unsaved: dict[str, Counter[SpentKey]] = {}
        self._sums: Counter[Quota] = Counter()
        self._exhausted: tuple[str, datetime] | None = None

    @property
    def month(self) -> str:
        """The month being counted, as ``2026-11``."""
        self._roll_month()
        return self._month

    @property
    def used(self) -> int:
        """This month's calls so far."""
        self._roll_month()
        return self._sums[Quota.CALLS]

    @property
    def uses(self) -> int:
        """This month's uses so far."""
        self._roll_month()
        return sum(self._sums[quota] for quota in self._of_uses)

    @property
    def exhausted(self) -> bool:
        """Whether DingTalk last reported this month's calls as used up, by any app of the organisation.

        Valid for `EXHAUSTED_FOR`: a bot that sends nothing meanwhile would never learn that calls work again.
        """
        if self._exhausted is None:
            return False
        month, until = self._exhausted
        return month == self.month and self._now() < until

    def note_answer(self, *, exhausted: bool) -> None:
        """Record whether DingTalk still accepts billed calls."""
        self._exhausted = (self.month, self._now() + EXHAUSTED_FOR) if exhausted else None

    def spent_on(self, quota: Quota) -> Mapping[SpentKey, int]:
        """Return this month's calls by purpose, or its uses including clicks that count."""
        self._roll_month()
        counted = self._of_uses if quota is Quota.USES else (quota,)
        both = Counter(self._stored) + self._unsaved.get(self._month, Counter())
        return {key: count for key, count in both.items() if key.quota in counted}

    def count(self, quota: Quota = Quota.CALLS, purpose: Purpose | None = None, conversation: str = "") -> None:
        """Count one; without a ``purpose``, for the current work (`bot.outbox.spending.spending`)."""
        self._roll_month()
        if purpose is None:
            work = current_spending()
            purpose, conversation = work.purpose, work.conversation
        unsaved = self._unsaved.get(self._month)
        if unsaved is None:
            unsaved = self._unsaved[self._month] = Counter()
        unsaved[SpentKey(quota, purpose, conversation)] += 1
        self._sums[quota] += 1

    def _roll_month(self) -> None:
        """Restart at 0 when a new month has begun."""
        now = self._now()
        if now >= self._month_ends:
            self._month, self._month_ends = _month(now)
            self._take_in({})

    async def load(self) -> None:
        """Load the counts of earlier runs."""
        self._take_in(await self._store.load(self._month))

    async def save(self) -> None:
        """Store the counts since the last save. After a failure the next save stores them."""
        for month, counts in list(self._unsaved.items()):
            saving = Counter(counts)
            totals = await self._store.add(month, saving)
            left = self._unsaved.pop(month) - saving
            if left:
                self._unsaved[month] = left
            if month == self._month:
                self._take_in(totals)

    def _take_in(self, stored: Mapping[SpentKey, int]) -> None:
        """Continue from the stored counts."""
        self._stored = stored
        self._sums.clear()
        both = Counter(stored) + self._unsaved.get(self._month, Counter())
        for key, count in both.items():
            self._sums[key.quota] += count
        self._shown.clear()
        for quota in Quota:
            for purpose, count in by_purpose(both, quota).items():
                self._shown.labels(quota, purpose).set(count)

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
