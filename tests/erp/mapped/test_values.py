"""Single values: exact numbers, aware times, words, and what is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.erp.mapped import values
from bot.erp.mapped.sources import FieldSource
from bot.erp.mapped.values import ValueUnreadable
from bot.erp.model import OrderStatus, Progress
from tests.rows import each_row

SHANGHAI = ZoneInfo("Asia/Shanghai")
PLAIN = FieldSource()


@each_row(
    ("raw", "exact"),
    [
        ("12345678901234.56789", "12345678901234.56789"),
        (Decimal("0.000001"), "0.000001"),
        (10**17 + 1, "100000000000000001"),
        (0.1, "0.1"),
        (b"7.50", "7.50"),
        (" -3 ", "-3"),
    ],
)
def test_numbers_keep_every_digit(raw: Any, exact: str) -> None:
    assert str(values.number(raw)) == exact


def test_a_factor_multiplies_exactly() -> None:
    assert values.number("1234567890123456789012345678901", Decimal("0.01")) == Decimal(
        "12345678901234567890123456789.01"
    )


@each_row("raw", ["", "abc", "1,5", "NaN", "Infinity", float("nan"), "1e400", "0e-999999999", True, [1], {}, None])
def test_what_is_no_number_is_refused(raw: Any) -> None:
    with pytest.raises(ValueUnreadable):
        values.number(raw)


@each_row(
    ("raw", "loses"),
    [(0.1, False), (1234.5, False), (12345678901234.56789, True), (0.1 + 0.2, True), ("0.30000000000000004", False)],
)
def test_a_float_with_more_digits_than_it_keeps_is_noticed(raw: Any, loses: bool) -> None:
    assert values.loses_digits(raw) is loses


@each_row(
    ("raw", "origin", "at"),
    [
        ("2026-11-24 10:30:00", PLAIN, datetime(2026, 11, 24, 2, 30, tzinfo=UTC)),
        ("2026-11-24T02:30:00Z", PLAIN, datetime(2026, 11, 24, 2, 30, tzinfo=UTC)),
        ("2026-11-24T02:30:00.123456-05:45", PLAIN, datetime(2026, 11, 24, 8, 15, 0, 123456, tzinfo=UTC)),
        (datetime(2026, 11, 24, 10, 30), PLAIN, datetime(2026, 11, 24, 2, 30, tzinfo=UTC)),  # noqa: DTZ001
        (datetime(2026, 11, 24, 2, 30, tzinfo=UTC), PLAIN, datetime(2026, 11, 24, 2, 30, tzinfo=UTC)),
        (date(2026, 11, 24), PLAIN, datetime(2026, 11, 23, 16, tzinfo=UTC)),
        (1795487400, FieldSource(format="epoch"), datetime(2026, 11, 24, 2, 30, tzinfo=UTC)),
        ("1795487400123", FieldSource(format="epoch_ms"), datetime(2026, 11, 24, 2, 30, 0, 123000, tzinfo=UTC)),
        (
            "24.11.2026 02:30",
            FieldSource(format="%d.%m.%Y %H:%M", zone="UTC"),
            datetime(2026, 11, 24, 2, 30, tzinfo=UTC),
        ),
        (20261124, FieldSource(format="%Y%m%d"), datetime(2026, 11, 23, 16, tzinfo=UTC)),
    ],
)
def test_times_are_aware(raw: Any, origin: FieldSource, at: datetime) -> None:
    found = values.moment(raw, origin, SHANGHAI)
    assert found.tzinfo is not None
    assert found == at


@each_row(
    ("raw", "origin", "on"),
    [
        ("2026-11-24", PLAIN, date(2026, 11, 24)),
        (date(2026, 11, 24), PLAIN, date(2026, 11, 24)),
        # Late in the evening in London it is the next day in Shanghai.
        (datetime(2026, 11, 23, 20, tzinfo=UTC), PLAIN, date(2026, 11, 24)),
        (datetime(2026, 11, 24, 23, tzinfo=timezone(timedelta(hours=8))), PLAIN, date(2026, 11, 24)),
        ("2026-11-24 00:00:00", PLAIN, date(2026, 11, 24)),
        ("24/11/26", FieldSource(format="%d/%m/%y"), date(2026, 11, 24)),
        (20261124, FieldSource(format="%Y%m%d"), date(2026, 11, 24)),
    ],
)
def test_days(raw: Any, origin: FieldSource, on: date) -> None:
    assert values.day(raw, origin, SHANGHAI) == on


@each_row("raw", ["2026-13-45", "0000-00-00", "yesterday", 20261124, 1.5, True, [], "9" * 30])
def test_what_is_no_time_is_refused(raw: Any) -> None:
    for origin in (PLAIN, FieldSource(format="%d.%m.%Y")):
        with pytest.raises(ValueUnreadable):
            values.moment(raw, origin, SHANGHAI)


@each_row("raw", ["x", "1e300", -(10**30)])
def test_what_is_no_epoch_is_refused(raw: Any) -> None:
    with pytest.raises(ValueUnreadable):
        values.moment(raw, FieldSource(format="epoch"), SHANGHAI)


@each_row(
    ("raw", "said"),
    [(True, True), (0, False), ("Y", True), ("no", False), ("T", True), (Decimal(1), True), (b"\x31", True)],
)
def test_flags(raw: Any, said: bool) -> None:
    assert values.flag(raw) is said


def test_a_flag_of_another_word_is_refused() -> None:
    with pytest.raises(ValueUnreadable):
        values.flag("perhaps")


@each_row(
    ("raw", "split", "people"),
    [
        ("anna, carla", ",", ("anna", "carla")),
        ("anna;carla;", ";", ("anna", "carla")),
        (["anna", "", 7], ",", ("anna", "7")),
        ('["anna", "carla"]', ",", ("anna", "carla")),
        ("", ",", ()),
    ],
)
def test_names(raw: Any, split: str, people: tuple[str, ...]) -> None:
    assert values.names(raw, split) == people


@each_row(
    ("raw", "full", "done"),
    [
        ("partial", None, Progress.PARTIAL),
        (0, Decimal(100), Progress.NONE),
        ("99.99", Decimal(100), Progress.PARTIAL),
        (Decimal("100.00"), Decimal(100), Progress.FULL),
        (1, Decimal(1), Progress.FULL),
        ("full", Decimal(1), Progress.FULL),
    ],
)
def test_progress(raw: Any, full: Decimal | None, done: Progress) -> None:
    assert values.progress(raw, full) is done


def test_an_unknown_word_is_named() -> None:
    with pytest.raises(ValueUnreadable, match="'half open'"):
        values.word(OrderStatus, "half open")


def test_an_absurd_level_is_refused() -> None:
    for raw in (-1, 100, "1.5"):
        with pytest.raises(ValueUnreadable):
            values.count(raw)
