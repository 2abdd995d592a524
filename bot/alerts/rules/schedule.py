"""When a card may be shown: China's working days, time windows, and fixed digest times."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache

import structlog

from bot.outbox.place import Place

_log = structlog.get_logger(__name__)


@lru_cache(maxsize=1024)
def is_workday(day: date) -> bool:
    """Return whether ``day`` is a working day; for years without announced holidays, Monday to Friday."""
    # Imported here: only rules with working days need the holiday table.
    from chinese_calendar import is_workday as announced  # type: ignore[import-untyped]  # it has none

    try:
        return bool(announced(day))
    except NotImplementedError:  # the package's answer for a year beyond its table
        _say_unknown(day.year)
        return day.isoweekday() <= 5


@lru_cache(maxsize=1024)
def is_holiday(day: date) -> bool:
    """Return whether ``day`` is one of a public holiday's; of no day in years without announced holidays."""
    from chinese_calendar import get_holiday_detail

    try:
        is_off, holiday = get_holiday_detail(day)
    except NotImplementedError:
        _say_unknown(day.year)
        return False
    return bool(is_off and holiday)


@lru_cache(maxsize=64)
def _say_unknown(year: int) -> None:
    _log.warning("holidays unknown", year=year, assumed="Monday to Friday", mend="update the package chinesecalendar")


_DAY = timedelta(days=1)
_AHEAD = 60
"""How many days to search: China's longest holidays are nine days, and a weekday comes within seven."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeWindow:
    """A daily window on certain days; an end not after the start falls on the next day."""

    name: str
    zone: tzinfo
    weekdays: frozenset[int] = frozenset(range(1, 8))
    """ISO numbers; Monday is 1."""
    workdays: bool | None = None
    """True: only China's working days; False: only other days; None: any."""
    start: time = time(0)
    end: time = time(0)

    def counts(self, day: date) -> bool:
        """Return whether the window opens on ``day``."""
        return day.isoweekday() in self.weekdays and self.workdays in (None, is_workday(day))

    def covers(self, moment: time) -> bool:
        """Return whether a time of day is inside the window."""
        if self.start < self.end:
            return self.start <= moment < self.end
        return moment >= self.start or moment < self.end

    @property
    def hours(self) -> str:
        """Start and end as text."""
        return f"{self.start:%H:%M}-{self.end:%H:%M}"

    def span(self, day: date) -> tuple[datetime, datetime]:
        """Return start and end, in UTC, of the window that begins on ``day``."""
        last = day if self.start < self.end else day + _DAY
        return _moment(day, self.start, self.zone), _moment(last, self.end, self.zone)

    def contains(self, now: datetime) -> bool:
        """Return whether the window is open at ``now``."""
        return self.opens_at(now) == now.astimezone(UTC)

    def began_on(self, now: datetime) -> date | None:
        """Return the day on which the window that is open at ``now`` began; None if none is open."""
        now = now.astimezone(UTC)
        today = now.astimezone(self.zone).date()
        for day in (today - _DAY, today):
            start, end = self.span(day)
            if self.counts(day) and start <= now < end:
                return day
        return None

    def opens_at(self, now: datetime) -> datetime:
        """Return ``now`` if the window is open, else when it opens next; in UTC."""
        now = now.astimezone(UTC)
        for day in _days(now, self.zone):
            if self.counts(day):
                start, end = self.span(day)
                if now < end and start < end:  # the change to summer time may leave nothing of a short window
                    return max(now, start)
        return now


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """People who are on duty one after another; with a window, only while it is open."""

    name: str
    people: tuple[Place, ...]
    since: date
    """The first day of the first one's turn."""
    turn_days: int = 1
    zone: tzinfo
    window: TimeWindow | None = None

    def on_duty(self, now: datetime) -> Place | None:
        """Return whose duty it is, if anybody's; a night belongs to whose turn it was when it began."""
        day = now.astimezone(self.zone).date() if self.window is None else self.window.began_on(now)
        if day is None or day < self.since:
            return None
        return self.people[(day - self.since).days // self.turn_days % len(self.people)]


@dataclass(frozen=True, slots=True)
class DigestSchedule:
    """Fixed times of day, on the days of a window if there is one."""

    times: tuple[time, ...]
    """Ascending."""
    zone: tzinfo
    window: TimeWindow | None = None

    def comes_at(self, now: datetime, since: datetime | None = None) -> datetime:
        """Return the next of the times, possibly ``now`` itself; in UTC.

        A card waiting since ``since`` is due now if one of the times has passed meanwhile: the check never runs at the
        exact moment. After a long downtime it still waits for the window.
        """
        now = now.astimezone(UTC)
        if since is not None and self._next(since.astimezone(UTC)) <= now and self._is_open(now):
            return now
        return self._next(now)

    def _is_open(self, now: datetime) -> bool:
        return self.window is None or self.window.contains(now)

    def _next(self, now: datetime) -> datetime:
        for day in _days(now, self.zone):
            for moment in (_moment(day, at, self.zone) for at in self.times):
                if moment >= now and self._is_open(moment):
                    return moment
        return now


def _days(now: datetime, zone: tzinfo) -> Iterator[date]:
    # From yesterday on: a window that began last night may still be open.
    today = now.astimezone(zone).date()
    return (today + timedelta(days=number) for number in range(-1, _AHEAD))


def _moment(day: date, at: time, zone: tzinfo) -> datetime:
    # UTC gives a time that summer time skips an instant, and orders the hour that comes twice: for two times in one
    # zone Python compares only the clock reading (PEP 495).
    return datetime.combine(day, at, zone).astimezone(UTC)
