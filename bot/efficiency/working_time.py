"""Working time between two moments: nights, days off and China's holidays do not count."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import TypeAlias

from bot.alerts.rules.schedule import TimeWindow, is_holiday, is_workday

Shift: TypeAlias = tuple[time, time]
"""Begin and end of a span of the working day; an end that is not later is on the next day."""

OFFICE_HOURS: tuple[Shift, ...] = ((time(9), time(18)),)
_DAY = timedelta(days=1)
_SATURDAY = 6


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """The shifts of a working day in the company's zone; with ``saturdays``, weeks have six such days."""

    zone: tzinfo
    shifts: tuple[Shift, ...] = OFFICE_HOURS
    saturdays: bool = False

    def between(self, begin: datetime, end: datetime) -> timedelta:
        """Return the working time from ``begin`` to ``end``; zero if ``end`` is not later."""
        windows = [TimeWindow(name="shift", zone=self.zone, start=start, end=stop) for start, stop in self.shifts]
        # A night shift began on the day before.
        day, last, worked = begin.astimezone(self.zone).date() - _DAY, end.astimezone(self.zone).date(), timedelta(0)
        while day <= last:
            for window in windows if self._is_worked(day) else ():
                opens, closes = window.span(day)
                worked += max(min(closes, end) - max(opens, begin), timedelta(0))
            day += _DAY
        return worked

    def _is_worked(self, day: date) -> bool:
        return is_workday(day) or (self.saturdays and day.isoweekday() == _SATURDAY and not is_holiday(day))
