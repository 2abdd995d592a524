"""Nights, weekends and China's holidays are no working time."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.efficiency.working_time import WorkingHours
from tests.efficiency.year import SHANGHAI
from tests.rows import each_row


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@each_row(
    "begin, end, hours",
    [
        ("2026-11-03T10:00", "2026-11-03T12:30", 2.5),
        ("2026-11-03T17:00", "2026-11-04T10:00", 2),
        ("2026-11-06T17:00", "2026-11-09T10:00", 2),  # over a weekend
        ("2026-11-07T10:00", "2026-11-08T10:00", 0),
        ("2026-09-30T17:00", "2026-10-08T10:00", 2),  # over the National Day
        ("2026-10-10T10:00", "2026-10-10T12:00", 2),  # a Saturday that is worked for it
        ("2026-11-03T02:00", "2026-11-03T04:00", 0),
        ("2026-11-04T10:00", "2026-11-03T10:00", 0),
    ],
)
def test_only_working_hours_of_working_days_count(begin: str, end: str, hours: float) -> None:
    assert WorkingHours(SHANGHAI).between(at(begin), at(end)) == timedelta(hours=hours)
