"""Working time between two moments: nights, weekends and China's holidays do not count."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo

from bot.alerts.rules.schedule import TimeWindow

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """The hours of a working day in the company's zone."""

    zone: tzinfo
    start: time = time(9)
    end: time = time(18)

    def between(self, begin: datetime, end: datetime) -> timedelta:
        """Return the working time from ``begin`` to ``end``; zero if ``end`` is not later."""
        window = TimeWindow(name="working hours", zone=self.zone, workdays=True, start=self.start, end=self.end)
        day, last, worked = begin.astimezone(self.zone).date(), end.astimezone(self.zone).date(), timedelta(0)
        while day <= last:
            if window.counts(day):
                opens, closes = window.span(day)
                worked += max(min(closes, end) - max(opens, begin), timedelta(0))
            day += _DAY
        return worked
