"""Nights, weekends and China's holidays are no working time."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import pytest

from bot.efficiency.working_time import WorkingHours
from bot.settings import HoursSettings
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
def test_only_office_hours_of_working_days_count(begin: str, end: str, hours: float) -> None:
    assert WorkingHours(SHANGHAI).between(at(begin), at(end)) == timedelta(hours=hours)


@each_row(
    "begin, end, hours",
    [
        ("2026-11-03T11:00", "2026-11-03T14:00", 1.5),  # noon
        ("2026-11-03T16:00", "2026-11-04T09:00", 10.5),  # a night shift
        ("2026-11-04T02:00", "2026-11-04T04:00", 2),  # in one that began the day before
        ("2026-11-07T08:00", "2026-11-07T12:00", 4),  # Saturday
        ("2026-11-08T08:00", "2026-11-08T12:00", 0),  # Sunday
        ("2026-10-03T08:00", "2026-10-03T12:00", 0),  # a Saturday of the National Day
    ],
)
def test_a_company_has_its_own_shifts_and_saturdays(begin: str, end: str, hours: float) -> None:
    shifts = ((time(8), time(12)), (time(13, 30), time(17, 30)), (time(22), time(6)))
    assert WorkingHours(SHANGHAI, shifts, saturdays=True).between(at(begin), at(end)) == timedelta(hours=hours)


@each_row(
    ("shifts", "wrong"),
    [
        ([], "at least one span"),
        (["9-18"], "'9-18' is no span of a day"),
        (["24:00-25:00"], "is no span of a day"),
        (["13:00-17:00", "08:00-12:00"], "overlap or are not in order"),
        (["08:00-12:00", "11:30-17:00"], "overlap or are not in order"),
        (["22:00-06:00", "08:00-12:00"], "overlap or are not in order"),
        (["05:00-12:00", "22:00-06:00"], "overlap or are not in order"),
        (["08:00 – 12:00", "13:00-17:00", "22:00-06:00"], ""),
    ],
)
def test_shifts_that_cannot_be_are_refused(shifts: list[str], wrong: str) -> None:
    if not wrong:
        assert len(HoursSettings(shifts=tuple(shifts)).spans) == 3
        return
    with pytest.raises(ValueError, match=wrong):
        HoursSettings(shifts=tuple(shifts))
