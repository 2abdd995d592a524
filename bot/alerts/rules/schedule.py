"""When a card may be shown: China's working days, windows of days and times of day, and the fixed times of digests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache

import structlog

_log = structlog.get_logger(__name__)


@lru_cache(maxsize=1024)
def is_workday(day: date) -> bool:
    """Return whether people work on ``day``; in years that the state council has not announced, Monday to Friday."""
    # Imported here: only rules with working days need the table of holidays.
    from chinese_calendar import is_workday as announced  # type: ignore[import-untyped]  # it has none

    try:
        return bool(announced(day))
    except NotImplementedError:  # the package's word for a year beyond its table
        _say_unknown(day.year)
        return day.isoweekday() <= 5


@lru_cache(maxsize=64)
def _say_unknown(year: int) -> None:
    _log.warning("holidays unknown", year=year, assumed="Monday to Friday", mend="update the package chinesecalendar")


_DAY = timedelta(days=1)
_AHEAD = 60
"""Days that are looked at: the longest holidays of China are nine days, a weekday comes within seven."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeWindow:
    """From ``start`` to ``end`` on the days that count; an end that is not after the start is on the next day."""

    name: str
    zone: tzinfo
    weekdays: frozenset[int] = frozenset(range(1, 8))
    """ISO numbers, Monday is 1."""
    workdays: bool | None = None
    """True: only China's working days; False: only the others; None: any."""
    start: time = time(0)
    end: time = time(0)

    def counts(self, day: date) -> bool:
        """Return whether the window opens on ``day``."""
        return day.isoweekday() in self.weekdays and self.workdays in (None, is_workday(day))

    def covers(self, moment: time) -> bool:
        """Return whether a time of day is inside."""
        if self.start < self.end:
            return self.start <= moment < self.end
        return moment >= self.start or moment < self.end

    @property
    def hours(self) -> str:
        """Return from when to when, for people."""
        return f"{self.start:%H:%M}-{self.end:%H:%M}"

    def span(self, day: date) -> tuple[datetime, datetime]:
        """Return the moments, in UTC, between which the window is open that begins on ``day``."""
        last = day if self.start < self.end else day + _DAY
        return _moment(day, self.start, self.zone), _moment(last, self.end, self.zone)

    def contains(self, now: datetime) -> bool:
        """Return whether the window is open at ``now``."""
        return self.opens_at(now) == now.astimezone(UTC)

    def opens_at(self, now: datetime) -> datetime:
        """Return ``now`` if the window is open, else when it opens next, in UTC."""
        now = now.astimezone(UTC)
        for day in _days(now, self.zone):
            if self.counts(day):
                start, end = self.span(day)
                if now < end and start < end:  # summer time may swallow a short window
                    return max(now, start)
        return now


@dataclass(frozen=True, slots=True)
class DigestSchedule:
    """Fixed times of day, on the days of a window if there is one."""

    times: tuple[time, ...]
    """Ascending."""
    zone: tzinfo
    window: TimeWindow | None = None

    def comes_at(self, now: datetime) -> datetime:
        """Return the next of the times, which may be ``now`` itself, in UTC."""
        now = now.astimezone(UTC)
        for day in _days(now, self.zone):
            for moment in (_moment(day, at, self.zone) for at in self.times):
                if moment >= now and (self.window is None or self.window.contains(moment)):
                    return moment
        return now


def _days(now: datetime, zone: tzinfo) -> Iterator[date]:
    # From yesterday: a window of the night may still be open.
    today = now.astimezone(zone).date()
    return (today + timedelta(days=number) for number in range(-1, _AHEAD))


def _moment(day: date, at: time, zone: tzinfo) -> datetime:
    # In UTC a time that summer time skips becomes the moment as long after the change; and of two times of one zone
    # Python compares what the clock shows, which in the hour that comes twice is not the order of things (PEP 495).
    return datetime.combine(day, at, zone).astimezone(UTC)
