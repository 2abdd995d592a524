"""When cards may be shown: times of day, China's working days, digests, changes of summer time."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.alerts.rules.schedule import DigestSchedule, TimeWindow, _say_unknown, is_workday
from bot.words.severity import Severity
from tests.alerts.rules.builders import NOW, SHANGHAI, at, event, rule_set
from tests.rows import each_row

RULES = """
[windows.workhours]
days = "workdays"
from = "08:30"
to = "17:30"

[windows.night]
from = "22:00"
to = "06:00"
days = ["fri"]

[windows.weekend]
days = ["sat", "sun"]

[windows.rest]
days = "restdays"
from = "10:00"
to = "12:00"

[[routes]]
name = "workhours"
types = ["stock.low"]
window = "workhours"

[[routes]]
name = "night"
types = ["stock.out"]
window = "night"

[[routes]]
name = "weekend"
types = ["order.late"]
window = "weekend"

[[routes]]
name = "rest"
types = ["order.created"]
window = "rest"

[[routes]]
name = "digests"
types = ["invoice.overdue"]
digest = ["17:00", "08:30"]

[[routes]]
name = "workdigest"
types = ["invoice.paid"]
digest = ["08:30", "17:00"]
window = "workhours"
"""
BOOK = rule_set(RULES)


def shown(kind: str, now: datetime, severity: Severity = Severity.WARNING) -> datetime:
    (target,) = BOOK.route(event(kind), severity, now).targets
    return BOOK.shows_at(target, severity, now)


@each_row(
    ("kind", "now", "then"),
    [
        # An ordinary Tuesday: before, at the edges, inside, after.
        ("stock.low", "2026-11-24 07:00", "2026-11-24 08:30"),
        ("stock.low", "2026-11-24 08:30", "2026-11-24 08:30"),
        ("stock.low", "2026-11-24 12:00", "2026-11-24 12:00"),
        ("stock.low", "2026-11-24 17:29", "2026-11-24 17:29"),
        ("stock.low", "2026-11-24 17:30", "2026-11-25 08:30"),
        ("stock.low", "2026-11-27 18:00", "2026-11-30 08:30"),
        # Spring Festival 2026: the Saturday before is made up, then nine days off, and a Saturday after.
        ("stock.low", "2026-02-14 09:00", "2026-02-14 09:00"),
        ("stock.low", "2026-02-14 18:00", "2026-02-24 08:30"),
        ("stock.low", "2026-02-17 12:00", "2026-02-24 08:30"),
        ("stock.low", "2026-02-27 18:00", "2026-02-28 08:30"),
        # National Day 2026: a Sunday in September and a Saturday in October are worked.
        ("stock.low", "2026-09-19 12:00", "2026-09-20 08:30"),
        ("stock.low", "2026-09-30 17:30", "2026-10-08 08:30"),
        ("stock.low", "2026-10-09 18:00", "2026-10-10 08:30"),
        ("stock.low", "2026-10-10 18:00", "2026-10-12 08:30"),
        # Over midnight: the day is that on which the window began.
        ("stock.out", "2026-11-27 21:00", "2026-11-27 22:00"),
        ("stock.out", "2026-11-28 05:59", "2026-11-28 05:59"),
        ("stock.out", "2026-11-28 06:00", "2026-12-04 22:00"),
        # Whole days.
        ("order.late", "2026-11-27 23:59", "2026-11-28 00:00"),
        ("order.late", "2026-11-29 23:59", "2026-11-29 23:59"),
        # Days off are the others.
        ("order.created", "2026-10-01 11:00", "2026-10-01 11:00"),
        ("order.created", "2026-10-07 13:00", "2026-10-11 10:00"),
        # Digests.
        ("invoice.overdue", "2026-11-24 08:30", "2026-11-24 08:30"),
        ("invoice.overdue", "2026-11-24 08:31", "2026-11-24 17:00"),
        ("invoice.overdue", "2026-11-28 17:01", "2026-11-29 08:30"),
        ("invoice.paid", "2026-11-27 17:01", "2026-11-30 08:30"),
        ("invoice.paid", "2026-02-14 16:00", "2026-02-14 17:00"),
        ("invoice.paid", "2026-02-14 17:01", "2026-02-24 08:30"),
    ],
)
def test_shows_at(kind: str, now: str, then: str) -> None:
    assert shown(kind, at(now)) == at(then)
    assert shown(kind, at(now).astimezone(UTC)) == at(then), "whatever zone the clock speaks"


@each_row(
    ("since", "now", "then"),
    [
        ("2026-11-24 08:30", "2026-11-24 08:31", "2026-11-24 08:31"),
        ("2026-11-24 08:00", "2026-11-24 12:00", "2026-11-24 12:00"),
        ("2026-11-24 08:31", "2026-11-24 12:00", "2026-11-24 17:00"),
        ("2026-11-24 12:00", "2026-11-24 09:00", "2026-11-24 17:00"),
    ],
)
def test_a_digest_s_time_that_has_passed_has_come(since: str, now: str, then: str) -> None:
    (target,) = BOOK.route(event("invoice.overdue"), Severity.INFO, at(now)).targets
    assert BOOK.shows_at(target, Severity.INFO, at(now), at(since)) == at(then)


@each_row("kind", ["stock.low", "invoice.overdue", "invoice.paid"])
def test_what_is_critical_is_shown_at_any_time(kind: str) -> None:
    night = at("2026-10-01 03:00")
    assert shown(kind, night, Severity.CRITICAL) == night


def test_a_route_that_has_gone_holds_nothing_back() -> None:
    (target,) = BOOK.route(event("stock.low"), Severity.INFO, at("2026-10-01 03:00")).targets
    assert rule_set("default = true\n").shows_at(target, Severity.INFO, at("2026-10-01 03:00")) == at(
        "2026-10-01 03:00"
    )


BERLIN = ZoneInfo("Europe/Berlin")
SUMMER = """
[windows.morning]
zone = "Europe/Berlin"
from = "02:30"
to = "04:00"
[windows.swallowed]
zone = "Europe/Berlin"
from = "02:15"
to = "02:45"
[[routes]]
name = "a"
types = ["stock.low"]
window = "morning"
[[routes]]
name = "b"
types = ["stock.out"]
digest = ["02:30"]
window = "morning"
[[routes]]
name = "c"
types = ["order.late"]
window = "swallowed"
"""


def berlin(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


@each_row(
    ("kind", "now", "then"),
    [
        ("stock.low", "2026-03-28T12:00+00:00", "2026-03-29T01:30+00:00"),  # 02:30 was skipped, so 03:30
        ("stock.low", "2026-03-29T12:00+00:00", "2026-03-30T00:30+00:00"),
        ("stock.low", "2026-10-24T12:00+00:00", "2026-10-25T00:30+00:00"),  # the first of two 02:30
        ("stock.out", "2026-03-28T12:00+00:00", "2026-03-29T01:30+00:00"),
        ("order.late", "2026-03-28T12:00+00:00", "2026-03-29T01:15+00:00"),
    ],
)
def test_summer_time_moves_no_other_day(kind: str, now: str, then: str) -> None:
    rules = rule_set(SUMMER)
    (target,) = rules.route(event(kind), Severity.INFO, datetime.fromisoformat(now)).targets
    assert rules.shows_at(target, Severity.INFO, datetime.fromisoformat(now)) == datetime.fromisoformat(then)


def test_years_without_announced_holidays_are_monday_to_friday_and_said_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    is_workday.cache_clear()
    _say_unknown.cache_clear()
    first = date(2059, 1, 1)
    days = [first + timedelta(days=number) for number in range(14)]
    assert [is_workday(day) for day in days] == [day.isoweekday() <= 5 for day in days]
    said = capsys.readouterr()
    assert (said.out + said.err).count("holidays unknown") == 1


def test_make_up_days_and_holidays() -> None:
    worked = ["2026-02-14", "2026-02-28", "2026-09-20", "2026-10-10"]
    off = ["2026-02-16", "2026-02-23", "2026-10-01", "2026-10-07"]
    assert all(is_workday(date.fromisoformat(day)) for day in worked)
    assert not any(is_workday(date.fromisoformat(day)) for day in off)
    assert at("2026-02-14 00:00").tzinfo is SHANGHAI


def window(start: str, end: str, **more: Any) -> TimeWindow:
    zone = more.pop("zone", SHANGHAI)
    return TimeWindow(name="w", zone=zone, start=time.fromisoformat(start), end=time.fromisoformat(end), **more)


DAYTIME, NIGHT, WHOLE = window("08:30", "17:30"), window("22:00", "06:00"), window("00:00", "00:00")


@each_row(
    ("of", "moment", "inside"),
    [
        (DAYTIME, "08:29", False),
        (DAYTIME, "08:30", True),
        (DAYTIME, "17:29", True),
        (DAYTIME, "17:30", False),
        (NIGHT, "21:59", False),
        (NIGHT, "22:00", True),
        (NIGHT, "00:00", True),
        (NIGHT, "05:59", True),
        (NIGHT, "06:00", False),
        (WHOLE, "00:00", True),
        (WHOLE, "12:00", True),
        (window("09:00", "09:00"), "08:59", True),
    ],
)
def test_a_window_covers_its_start_and_not_its_end(of: TimeWindow, moment: str, inside: bool) -> None:
    assert of.covers(time.fromisoformat(moment)) is inside
    assert of.contains(at(f"2026-11-24 {moment}")) is inside


def test_spans_are_moments() -> None:
    day = date(2026, 11, 24)
    assert DAYTIME.span(day) == (at("2026-11-24 08:30"), at("2026-11-24 17:30"))
    assert NIGHT.span(day) == (at("2026-11-24 22:00"), at("2026-11-25 06:00"))
    assert WHOLE.span(day) == (at("2026-11-24 00:00"), at("2026-11-25 00:00"))
    assert NIGHT.hours == "22:00-06:00"


@each_row(
    ("more", "days"),
    [
        ({}, [24, 28]),
        ({"weekdays": frozenset({2})}, [24]),
        ({"workdays": True}, [24]),
        ({"workdays": False}, [28]),
        ({"weekdays": frozenset({6}), "workdays": True}, []),
    ],
)
def test_days_count_by_their_name_and_by_the_calendar(more: dict[str, Any], days: list[int]) -> None:
    of = window("08:30", "17:30", **more)
    assert [day for day in (24, 28) if of.counts(date(2026, 11, day))] == days


def test_a_window_that_never_opens_holds_nothing_back() -> None:
    never = window("08:30", "17:30", weekdays=frozenset())
    assert never.opens_at(NOW) == NOW
    assert DigestSchedule((time(8, 30),), SHANGHAI, never).comes_at(NOW) == at("2026-11-25 08:30")
    assert DigestSchedule((), SHANGHAI).comes_at(NOW) == NOW


def test_times_are_told_in_utc_by_the_windows_own_days() -> None:
    opens = NIGHT.opens_at(at("2026-11-24 07:00"))
    assert (opens, opens.tzinfo) == (at("2026-11-24 22:00"), UTC)
    comes = DigestSchedule((time(0, 30), time(23)), SHANGHAI).comes_at(at("2026-11-24 23:01"))
    assert (comes, comes.tzinfo) == (at("2026-11-25 00:30"), UTC)
    assert DigestSchedule((time(23, 30),), ZoneInfo("Pacific/Kiritimati")).comes_at(at("2026-11-24 10:00")) == datetime(
        2026, 11, 24, 9, 30, tzinfo=UTC
    )
    inside = DigestSchedule((time(7), time(9)), SHANGHAI, DAYTIME)
    assert inside.comes_at(at("2026-11-24 06:00")) == at("2026-11-24 09:00")


def test_the_longest_holidays_are_waited_for_and_no_more_than_two_months() -> None:
    yearly = window("08:30", "17:30", weekdays=frozenset({1}), workdays=False)
    # The next Monday off after the National Day week is one of the Spring Festival: too far to wait.
    assert yearly.opens_at(at("2026-10-06 00:00")) == at("2026-10-06 00:00")
    assert yearly.opens_at(at("2026-10-01 00:00")) == at("2026-10-05 08:30")
