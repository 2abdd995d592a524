"""The forecast in small figures that can be worked out by hand, and what the keeper does with it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.mechanisms.metrics import Metrics
from bot.outbox import housekeeping
from bot.outbox.housekeeping import Housekeeping
from bot.outbox.month_forecast import MonthForecast
from bot.outbox.quota import by_day, forecast
from bot.outbox.spending import Quota
from bot.words.errors import DingerpError
from tests.outbox.conftest import Clock


def day(number: int, month: int = 6) -> date:
    """Return a day of 2026; June begins on a Monday and has 22 working days, May has 21."""
    return date(2026, month, number)


def plain(one: date) -> bool:
    return one.weekday() < 5


def a_month(month: int, working: int, free: int) -> dict[date, int]:
    first = day(1, month)
    days = [first + timedelta(days=number) for number in range(31)]
    return {one: working if plain(one) else free for one in days if one.month == month}


MAY = a_month(5, 100, 20)


def test_the_days_of_a_month_are_told_from_how_far_it_had_come() -> None:
    totals = {
        day(3): 90,
        day(1): 10,
        day(2): 40,
        date(2026, 5, 31): 700,
        date(2025, 6, 30): 5,
        date(2026, 7, 1): 7,
        date(2027, 7, 2): 9,
    }
    assert by_day(totals) == {
        date(2025, 6, 30): 5,
        date(2026, 5, 31): 700,
        day(1): 10,
        day(2): 30,
        day(3): 50,
        date(2026, 7, 1): 7,
        date(2027, 7, 2): 9,
    }
    assert by_day({}) == {}


def test_a_month_like_the_one_before_is_its_days_times_their_kind() -> None:
    whole = 22 * 100 + 8 * 20
    assert forecast(MAY, day(1), plain) == whole
    assert forecast(MAY | {day(1): 60}, day(1), plain) == whole
    assert forecast(MAY | dict.fromkeys((day(1), day(2)), 100), day(3), plain) == whole
    assert forecast(MAY | a_month(6, 100, 20), day(30), plain) == whole


def test_what_today_has_beyond_its_share_is_added() -> None:
    assert forecast(MAY | {day(1): 130}, day(1), plain) == 22 * 100 + 8 * 20 + 30
    assert forecast(MAY | a_month(6, 100, 20) | {day(30): 175}, day(30), plain) == 22 * 100 + 8 * 20 + 75


def test_the_days_so_far_and_five_that_are_believed_bend_what_is_to_come() -> None:
    # 5 working days of 200 beside 5 believed ones of 100: one and a half times as much is to come.
    days = MAY | {day(number): 200 for number in range(1, 6)}
    to_come = 17 * 100 + 8 * 20
    assert forecast(days, day(6), plain) == 5 * 200 + round(1.5 * to_come)
    half = MAY | {day(number): 50 for number in range(1, 6)}
    assert forecast(half, day(6), plain) == 5 * 50 + round(0.75 * to_come)


def test_weekdays_are_told_apart_when_there_are_three_of_them() -> None:
    mondays = {one: 200 if one.weekday() == 0 else calls for one, calls in MAY.items()}
    # June has five Mondays and 17 other working days; the mean of all of May would be another figure.
    assert forecast(mondays, day(1), plain) == 5 * 200 + 17 * 100 + 8 * 20
    few = {one: mondays[one] for one in (day(4, 5), day(11, 5), day(12, 5), day(13, 5), day(16, 5))}
    assert forecast(few, day(1), plain) == (22 * 150 + 8 * 20)
    three = few | {day(18, 5): 200}
    assert forecast(three, day(1), plain) == (5 * 200 + 17 * 160 + 8 * 20)


def test_a_free_day_that_was_never_seen_has_a_fifth_of_a_working_day_and_the_other_way_round() -> None:
    working = {one: calls for one, calls in MAY.items() if plain(one)}
    assert forecast(working, day(1), plain) == 22 * 100 + 8 * 20
    free = {one: calls for one, calls in MAY.items() if not plain(one)}
    assert forecast(free, day(1), plain) == 22 * 100 + 8 * 20


def test_a_holiday_counts_as_one_whatever_its_weekday() -> None:
    assert forecast(MAY, day(1), lambda one: plain(one) and one != day(19)) == 21 * 100 + 9 * 20


def test_the_first_month_learns_from_its_own_days() -> None:
    days = {day(number): 100 for number in range(1, 6)} | {day(6): 20, day(7): 20}
    assert forecast(days, day(8), plain) == 22 * 100 + 8 * 20
    assert forecast({day(1): 50}, day(1), plain) == 22 * 50 + 8 * 10
    assert forecast({}, day(1), plain) == 0


def test_where_nothing_was_called_nothing_is_to_come() -> None:
    assert forecast(dict.fromkeys(MAY, 0), day(1), plain) == 0
    assert forecast(dict.fromkeys(MAY, 0) | {day(1): 7}, day(1), plain) == 7
    assert forecast(dict.fromkeys(MAY, 0) | {day(1): 7}, day(2), plain) == 7


def test_a_year_ends_and_a_month_of_28_days_ends() -> None:
    december = {date(2026, 12, number): 10 for number in range(1, 31)}
    assert forecast(december, date(2026, 12, 31), lambda one: True) == 310
    february = {date(2027, 1, number): 10 for number in range(1, 32)}
    assert forecast(february, date(2027, 2, 1), lambda one: True) == 280


class Days:
    """Keeps what was noted, the highest number of each day."""

    def __init__(self, noted: Mapping[date, int] | None = None) -> None:
        self.noted = dict(noted or {})
        self.asked: list[date] = []

    async def put(self, one: date, calls: int) -> None:
        self.noted[one] = max(calls, self.noted.get(one, 0))

    async def since(self, one: date) -> Mapping[date, int]:
        self.asked.append(one)
        return {noted: calls for noted, calls in self.noted.items() if noted >= one}


class Shelf:
    """Forgets nothing and remembers until when it should have."""

    def __init__(self) -> None:
        self.pruned: list[datetime] = []
        self.errors: list[DingerpError] = []

    async def prune(self, before: datetime) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.pruned.append(before)

    async def waiting(self) -> int:
        return 7


class Away(DingerpError):
    """The database does not answer."""


def keeper(
    clock: Clock, days: Days, shelf: Shelf, metrics: Metrics, used: int = 100, limit: int = 2360
) -> Housekeeping:
    month = MonthForecast(
        days,
        lambda: used,
        limit=limit,
        works=plain,
        gauge=metrics.month_forecast,
        warning="month.too_many_calls_ahead",
        now=clock,
    )
    return Housekeeping(
        shelf,  # type: ignore[arg-type]  # what the keeper needs of a backlog
        {Quota.CALLS: month},
        keep=timedelta(days=90),
        metrics=metrics,
        now=clock,
    )


TOTALS = {one: sum(calls for other, calls in MAY.items() if other <= one) for one in MAY}


async def test_a_look_notes_the_day_of_china_and_tells_the_month() -> None:
    clock, days, shelf, metrics = Clock(datetime(2026, 5, 31, 16, 30, tzinfo=UTC)), Days(TOTALS), Shelf(), Metrics()
    with capture_logs() as logs:
        assert await keeper(clock, days, shelf, metrics).look() == {Quota.CALLS: 2360}
    assert days.noted[day(1)] == 100, "in China it is June already"
    assert days.asked == [day(1, 5)], "this month and the whole one before"
    assert shelf.pruned == [clock() - timedelta(days=90)]
    assert metrics.registry.get_sample_value("dingerp_deliveries_waiting") == 7
    assert metrics.registry.get_sample_value("dingerp_api_calls_month_forecast") == 2360
    assert logs == [], "as many as are allowed are not too many"


async def test_in_january_the_month_before_is_of_another_year() -> None:
    days = Days()
    await keeper(Clock(datetime(2027, 1, 15, tzinfo=UTC)), days, Shelf(), Metrics()).look()
    assert days.asked == [date(2026, 12, 1)]


async def test_too_many_are_said_with_the_figures() -> None:
    watch = keeper(Clock(datetime(2026, 6, 1, 2, tzinfo=UTC)), Days(TOTALS), Shelf(), Metrics(), limit=2359)
    with capture_logs() as logs:
        await watch.look()
        await watch.look()
    [line] = logs
    assert (line["event"], line["forecast"], line["limit"], line["used"]) == (
        "month.too_many_calls_ahead",
        2360,
        2359,
        100,
    )


async def test_each_day_is_warned_of() -> None:
    clock, days = Clock(datetime(2026, 6, 1, 2, tzinfo=UTC)), Days(TOTALS)
    watch = keeper(clock, days, Shelf(), Metrics(), limit=1)
    with capture_logs() as logs:
        for _ in range(3):
            await watch.look()
            await watch.look()
            clock.forward(days=1)
    assert [line["event"] for line in logs] == ["month.too_many_calls_ahead"] * 3


@pytest.mark.parametrize("every", [60.0, 5.0])
async def test_a_database_that_is_away_is_noted_and_looked_at_again(
    every: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            raise asyncio.CancelledError

    monkeypatch.setattr(housekeeping.asyncio, "sleep", sleep)
    shelf = Shelf()
    shelf.errors = [Away("locked")]
    watch: Any = keeper(Clock(datetime(2026, 6, 1, tzinfo=UTC)), Days(), shelf, Metrics())
    with capture_logs() as logs, pytest.raises(asyncio.CancelledError):
        await (watch.run() if every == 60.0 else watch.run(every))
    assert pauses == [every] * 3
    assert [(line["event"], line["error"], line["detail"]) for line in logs] == [("outbox.not_kept", "Away", "locked")]
    assert len(shelf.pruned) == 2
