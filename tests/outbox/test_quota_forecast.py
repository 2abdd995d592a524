"""The month's forecast, in simulated months of a company that asks, is warned and decides."""

from __future__ import annotations

import calendar
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from bot.mechanisms.metrics import Metrics
from bot.outbox.housekeeping import Housekeeping
from bot.outbox.month_forecast import MonthForecast
from bot.outbox.quota import by_day, forecast
from bot.outbox.spending import Quota
from bot.store.database import Database
from bot.store.outbox.call_counts import StoredDailyCalls
from bot.store.outbox.queue import StoredBacklog
from tests.outbox.conftest import Clock
from tests.rows import each_row

HOLIDAYS = {date(2026, 10, day) for day in range(1, 8)} | {date(2026, 9, 25)}
MADE_UP_FOR = {date(2026, 9, 20), date(2026, 10, 10)}
"""The National Day week of 2026 with a Sunday and a Saturday on which people work instead."""


def works(day: date) -> bool:
    return day not in HOLIDAYS and (day.weekday() < 5 or day in MADE_UP_FOR)


def plain(day: date) -> bool:
    return day.weekday() < 5


@dataclass(frozen=True)
class Company:
    """How many calls a day brings: each question one, each alert a card and some updates, each decision its places."""

    dice: random.Random
    works: Callable[[date], bool]
    growth: float = 1.0

    def calls(self, day: date) -> int:
        busy = self.works(day)
        mood = (
            self.dice.gauss(1.0, 0.06)
            * self.growth
            * (1.1 if day.weekday() == 0 else 0.92 if day.weekday() == 4 else 1)
        )
        questions = self._events((230 if busy else 18) * mood)
        alerts = self._events((34 if busy else 11) * mood)
        updates = sum(self.dice.choice((0, 1, 1, 2, 3)) for _ in range(alerts))
        approvals = self._events((12 if busy else 0.5) * mood)
        decided = sum(self.dice.choice((1, 2, 2, 3)) for _ in range(approvals))
        # At the month's end invoices fall due and are chased.
        chased = self._events(25 * mood) if busy and day.day >= 28 else 0
        return questions + alerts + updates + approvals + decided + chased

    def month(self, year: int, month: int) -> dict[date, int]:
        days = range(1, calendar.monthrange(year, month)[1] + 1)
        return {(day := date(year, month, number)): self.calls(day) for number in days}

    def _events(self, mean: float) -> int:
        """Draw how many of many independent things happen in a day."""
        return max(0, round(self.dice.gauss(mean, mean**0.5)))


def error(
    real: dict[date, int], before: dict[date, int], today: date, share: float, works: Callable[[date], bool]
) -> float:
    """Return how far the forecast of a day is from what the month comes to; ``share`` of that day is over."""
    known = before | {day: calls for day, calls in real.items() if day < today}
    known[today] = round(real[today] * share)
    whole = sum(real.values())
    return forecast(known, today, works) / whole - 1


SEEDS = range(40)


def errors(year: int, month: int, works: Callable[[date], bool] = plain, growth: float = 1.0) -> dict[int, list[float]]:
    """Return for each day of the month how far its forecasts are off, in many companies."""
    off: dict[int, list[float]] = {}
    for seed in SEEDS:
        before = Company(random.Random(seed), works).month(year, month - 1)
        real = Company(random.Random(seed + 1000), works, growth).month(year, month)
        for today in real:
            off.setdefault(today.day, []).append(abs(error(real, before, today, 0.4, works)))
    return off


@each_row(
    ("year", "month", "calendar_of"),
    [(2026, 11, plain), (2027, 3, plain), (2026, 10, works)],
)
def test_within_five_percent_when_the_month_is_like_the_one_before(
    year: int, month: int, calendar_of: Callable[[date], bool]
) -> None:
    off = errors(year, month, calendar_of)
    every = [one for day in off.values() for one in day]
    assert sum(error > 0.05 for error in every) <= 0.06 * len(every)
    assert max(every) < 0.12
    assert max(max(off[day]) for day in off if day >= 20) < 0.05


@pytest.mark.parametrize("growth", [0.9, 1.12])
def test_a_month_that_is_different_is_known_in_its_second_half(growth: float) -> None:
    off = errors(2026, 11, growth=growth)
    assert max(max(off[day]) for day in off if day >= 17) < 0.05
    assert max(max(off[day]) for day in off) < 0.2


@pytest.mark.parametrize("growth", [0.75, 1.3])
def test_even_a_month_that_is_quite_different_is_known_before_its_end(growth: float) -> None:
    off = errors(2026, 11, growth=growth)
    assert max(max(off[day]) for day in off if day >= 25) < 0.05


def test_the_first_month_of_all_learns_from_itself() -> None:
    for seed in SEEDS:
        real = Company(random.Random(seed), plain).month(2026, 11)
        off = {today.day: abs(error(real, {}, today, 0.4, plain)) for today in real}
        assert max(off[day] for day in off if day >= 15) < 0.05
        assert max(off[day] for day in off if day >= 5) < 0.12


def test_at_the_months_end_it_is_what_was_counted() -> None:
    real = Company(random.Random(1), plain).month(2026, 11)
    assert forecast(real, date(2026, 11, 30), plain) >= sum(real.values())
    assert forecast({}, date(2026, 11, 30), plain) == 0


def test_days_are_told_from_how_far_the_month_had_come() -> None:
    totals = {date(2026, 10, 30): 900, date(2026, 10, 31): 950, date(2026, 11, 1): 10, date(2026, 11, 3): 110}
    assert list(by_day(totals).values()) == [900, 50, 10, 100]


@dataclass
class Meter:
    used: int = field(default=0)

    def __call__(self) -> int:
        return self.used


async def test_the_keeper_notes_days_and_warns_once_a_day(database: Database) -> None:
    clock, meter, metrics = Clock(datetime(2026, 9, 30, 16, 30, tzinfo=UTC)), Meter(), Metrics()  # October in China
    months = MonthForecast(
        StoredDailyCalls(database),
        meter,
        limit=10_000,
        works=plain,
        gauge=metrics.month_forecast,
        warning="month.too_many_calls_ahead",
        now=clock,
    )
    keeping = Housekeeping(
        StoredBacklog(database),
        {Quota.CALLS: months},
        keep=timedelta(days=90),
        metrics=metrics,
        now=clock,
    )
    company = Company(random.Random(5), plain)
    with capture_logs() as logs:
        for day, calls in (company.month(2026, 10) | company.month(2026, 11)).items():
            meter.used = calls if day.day == 1 else meter.used + calls
            await keeping.look()
            coming = (await keeping.look())[Quota.CALLS]
            clock.forward(days=1)
            if day == date(2026, 11, 10):
                break
    november = sum(company.month(2026, 11).values())
    assert abs(coming / november - 1) < 0.06
    assert metrics.registry.get_sample_value("dingerp_api_calls_month_forecast") == coming
    assert metrics.registry.get_sample_value("dingerp_deliveries_waiting") == 0
    assert {line["event"] for line in logs} <= {"month.too_many_calls_ahead"}
    months._limit = 5_000
    with capture_logs() as logs:
        await keeping.look()
        await keeping.look()
    [line] = logs
    assert (line["event"], line["limit"]) == ("month.too_many_calls_ahead", 5_000)
