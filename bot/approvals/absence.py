"""One absence, and a day of it as people count them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """One person's absence, from ``begins`` until before ``ends``; both people are userIds.

    ``substitute`` is empty if nobody was named, or if they declined. ``due_at`` is when the cases that it concerns are
    shown anew next.
    """

    user_id: str
    begins: datetime
    ends: datetime
    substitute: str = ""
    due_at: datetime
    revision: int = 1

    def is_over(self, now: datetime) -> bool:
        """Whether it has ended."""
        return self.ends <= now

    def days(self, zone: tzinfo | None) -> tuple[date, date]:
        """Return its first and last day."""
        return self.begins.astimezone(zone).date(), last_day(self.ends, zone)


def last_day(ends: datetime, zone: tzinfo | None) -> date:
    """Return the last day of a time that lasts until before ``ends``."""
    return (ends - _INSTANT).astimezone(zone).date()
