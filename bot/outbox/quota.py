"""The month's calls: their forecast, and when to save them, so that some are left for questions and urgent cards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from statistics import fmean
from zoneinfo import ZoneInfo

import structlog

from bot.mechanisms.metrics import Metrics
from bot.words.phrase import phrase

log = structlog.get_logger(__name__)

CHINA = ZoneInfo("Asia/Shanghai")
"""DingTalk's days and months begin at midnight in China."""

DEGRADED = phrase("Degraded: this month's DingTalk calls are running out, so this answer is plain text.")
"""The remark on an answer sent as plain text to save calls."""


class QuotaGuard:
    """Decides whether to save calls; each change is logged.

    ``used`` returns this month's calls so far, ``limit`` is the month's quota and ``reserve`` the part of it that is
    kept. The last ``urgent`` calls of the quota are for critical cards alone. ``exhausted`` tells whether DingTalk
    refuses calls; with ``use_grace`` saving starts only then (docs: platform/dingtalk/limits.md#monthly-quotas).
    """

    def __init__(
        self,
        used: Callable[[], int],
        limit: int,
        *,
        metrics: Metrics,
        reserve: float = 0.1,
        urgent: float = 0.05,
        exhausted: Callable[[], bool] = lambda: False,
        use_grace: bool = False,
    ) -> None:
        self._exhausted = exhausted
        self._use_grace = use_grace
        self._used = used
        self._limit = limit
        self._from = round(limit * (1 - reserve))
        self._urgent_from = round(limit * (1 - min(urgent, reserve)))
        self._gauge = metrics.sparing
        self._was = False
        self._gauge.set(0)

    def sparing(self) -> bool:
        """Whether only urgent cards may spend calls now."""
        used = self._used()
        now = self._is_short(used, self._from)
        if now is not self._was:
            self._was = now
            self._gauge.set(now)
            if now:
                log.warning("month.sparing", used=used, limit=self._limit)
            else:
                log.info("month.free", used=used, limit=self._limit)
        return now

    def has_used(self, share: float) -> bool:
        """Return whether this share of the month's calls is used."""
        return self._used() >= self._limit * share

    def reserved(self) -> bool:
        """Whether the remaining calls are reserved for critical cards."""
        return self._is_short(self._used(), self._urgent_from)

    def _is_short(self, used: int, border: int) -> bool:
        return self._exhausted() or (used >= border and not self._use_grace)


_TRUST = 5.0
"""How many working days of this month weigh as much as the assumption that it resembles the previous one.

With fewer, one busy Monday bends the forecast of the first week; with more, a really different month shows late (tried
on simulated months).
"""

_ENOUGH = 3
"""The number of days from which the mean of a weekday is better than the mean of all working (or all free) days."""

_FREE_SHARE = 0.2
"""The share of a working day's calls on a free day, until the first free day was seen."""

_DAY = timedelta(days=1)


def by_day(totals: Mapping[date, int]) -> dict[date, int]:
    """Return the calls of each day from the month's running totals."""
    days: dict[date, int] = {}
    before: date | None = None
    for day in sorted(totals):
        same_month = before is not None and (before.year, before.month) == (day.year, day.month)
        days[day] = totals[day] - (totals[before] if same_month and before is not None else 0)
        before = day
    return days


def forecast(days: Mapping[date, int], today: date, works: Callable[[date], bool]) -> int:
    """Return the calls at the month's end.

    ``days`` are the calls of each day of this month and the previous one, today's so far; missing days are unknown.
    ``works`` tells working days. The previous month, or else this month itself, gives the profile of weekdays and free
    days; this month's days give its level.
    """
    month = _month_of(today)
    past = {day: calls for day, calls in days.items() if month[0] <= day < today}
    earlier = {day: calls for day, calls in days.items() if day < month[0]}
    expected = _profile(earlier or past or {today: days.get(today, 0)}, works)
    level = _level(sum(past.values()), sum(map(expected, past)), max(map(expected, month)))
    so_far = days.get(today, 0)
    left_today = max(0.0, expected(today) * level - so_far)
    to_come = sum(expected(day) for day in month if day > today) * level
    return round(sum(past.values()) + so_far + left_today + to_come)


def _level(counted: int, planned: float, working_day: float) -> float:
    """Return the ratio of actual to expected calls, as far as known."""
    if not planned:
        return 1.0
    trust = _TRUST * working_day
    return (counted + trust) / (planned + trust)


def _month_of(today: date) -> list[date]:
    first = today.replace(day=1)
    following = (first + 31 * _DAY).replace(day=1)
    return [first + number * _DAY for number in range((following - first).days)]


def _profile(days: Mapping[date, int], works: Callable[[date], bool]) -> Callable[[date], float]:
    """Return the expected calls of a day: the mean of its weekday if there is enough data, otherwise of its kind."""
    kinds: dict[bool, list[int]] = {True: [], False: []}
    weekdays: dict[tuple[bool, int], list[int]] = {}
    for day, calls in days.items():
        kind = works(day)
        kinds[kind].append(calls)
        weekdays.setdefault((kind, day.weekday()), []).append(calls)

    def expected(day: date) -> float:
        kind = works(day)
        alike = weekdays.get((kind, day.weekday()), [])
        if len(alike) >= _ENOUGH:
            return fmean(alike)
        if kinds[kind]:
            return fmean(kinds[kind])
        return fmean(kinds[not kind]) * (1 / _FREE_SHARE if kind else _FREE_SHARE)

    return expected
