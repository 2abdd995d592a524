"""Values that several adapters parse alike, and concurrent calls."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from bot.erp.concurrency import gather_or_cancel
from bot.erp.errors import Invalid, Unavailable
from bot.erp.model import Money, Progress
from bot.erp.values import (
    LocalValues,
    Zone,
    amount_of,
    code,
    due_day,
    is_true,
    malformed_is_invalid,
    number,
    progress,
    text,
)
from tests.rows import each_row

SHANGHAI = LocalValues(ZoneInfo("Asia/Shanghai"), {"$": "USD", "CNH": "CNY"})


@each_row(
    ("told", "wanted"),
    [
        (None, None),
        ("", None),
        (" null ", None),
        (False, None),
        (0, Decimal(0)),
        ("-0.50", Decimal("-0.5")),
        ("1,234.50", Decimal("1234.5")),
        ("1E+3", Decimal(1000)),
        (Decimal("0E-6"), Decimal(0)),
        ("-1,000,000.000", Decimal(-1000000)),
        ("100", Decimal(100)),
        ("10.0", Decimal(10)),
        (True, None),
        (2.5, Decimal("2.5")),
    ],
)
def test_numbers_are_exact_and_nothing_is_not_zero(told: Any, wanted: Decimal | None) -> None:
    assert number(told) == wanted
    assert wanted is None or str(number(told)) == str(wanted)


@each_row("told", ["NaN", "Infinity", "twelve", "1.2.3", [1], {}, "1E+999999999", "1E-999999999", "0E-999999999"])
def test_what_is_no_number_is_refused(told: Any) -> None:
    with pytest.raises(ValueError, match=r"^not a number$"):
        number(told)


@each_row(
    ("told", "rule", "wanted"),
    [
        (Decimal("0.30000000000000004"), {"digits": 15}, "0.3"),
        (Decimal("1234567.8900000001"), {"digits": 15}, "1234567.89"),
        (Decimal("0.1000000000000000055"), {"decimals": 9}, "0.1"),
        (Decimal("0.123456789"), {"decimals": 9}, "0.123456789"),
        (Decimal("12E20"), {"decimals": 9}, "1200000000000000000000"),
    ],
)
def test_the_noise_of_binary_floats_is_cut_off(told: Decimal, rule: dict[str, int], wanted: str) -> None:
    assert str(number(told, **rule)) == wanted


def test_texts_and_codes() -> None:
    assert [text(value) for value in (None, False, "", " a ", 0, 12)] == ["", "", "", " a ", "0", "12"]
    assert [code(value) for value in (None, " a ", 1234567890123456789)] == ["", "a", "1234567890123456789"]
    assert [is_true(value) for value in (True, 1, "1", "True", "true ")] == [True] * 5
    assert [is_true(value) for value in (False, 0, "0", "no", None, "")] == [False] * 6


def test_times_and_days_without_an_offset_are_the_installations_own() -> None:
    local = LocalValues(ZoneInfo("Asia/Shanghai"), none_years=(1, 9999))
    assert local.time("2026-11-24 08:30:00") == datetime(2026, 11, 24, 0, 30, tzinfo=UTC)
    assert local.time("2026-11-24T08:30:00Z") == datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
    assert str(local.day("2026-11-24T00:00:00")) == str(local.day("2026-11-24")) == "2026-11-24"
    for nothing in (None, "", " ", "null", "0001-01-01T00:00:00", "9999-12-31"):
        assert local.time(nothing) is local.day(nothing) is None
    with pytest.raises(ValueError, match="isoformat"):
        local.time("yesterday")


def test_how_late_a_change_may_turn_up() -> None:
    late = timedelta(minutes=3)
    assert SHANGHAI.overlap(late) == late
    assert LocalValues(ZoneInfo("Europe/Berlin")).overlap(late) == timedelta(hours=1, minutes=3)


def test_what_cannot_be_read_becomes_an_error_of_the_port() -> None:
    with pytest.raises(Invalid, match="KeyError: 'state'") as caught, malformed_is_invalid("acme"):
        raise KeyError("state")
    assert caught.value.source == "acme"
    with pytest.raises(Unavailable), malformed_is_invalid("acme"):
        raise Unavailable("down")


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30))
def test_no_digit_is_lost(told: Decimal) -> None:
    assert number(told) == number(format(told, "f")) == told


def test_a_sum_with_a_part_that_is_not_told_is_not_told() -> None:
    assert amount_of(["1.5", 2]) == Decimal("3.5")
    assert str(amount_of([])) == "0"
    assert isinstance(amount_of([]), Decimal)
    assert amount_of([None, 1]) is amount_of([None]) is None
    assert amount_of([1, None]) is None


@each_row(
    ("parts", "wanted"),
    [
        ([], None),
        ([(None, 5)], None),
        ([(0, 0)], None),
        ([(0, 5), (0, 1)], Progress.NONE),
        ([(5, 5), (0, 1)], Progress.PARTIAL),
        ([(5, 5), (2, 1)], Progress.FULL),
        ([(5, 5), (None, 1)], Progress.FULL),
        ([(5, 0), (0, 1)], Progress.NONE),
        ([(1, 5)], Progress.PARTIAL),
        ([(6, 5)], Progress.FULL),
    ],
)
def test_how_much_of_all_lines_is_done(parts: list[tuple[Any, Any]], wanted: Progress | None) -> None:
    assert progress(parts) is wanted


def test_currencies_by_the_installations_own_names_first() -> None:
    assert SHANGHAI.iso("$") == "USD"
    assert SHANGHAI.iso("CNH") == "CNY"
    assert SHANGHAI.iso("PRE001", "人民币") == "CNY"
    assert SHANGHAI.iso("", "EUR") == "EUR"
    assert SHANGHAI.iso("##", "eur", "EURO") == ""
    assert SHANGHAI.money("1.50", "EUR") == Money(Decimal("1.5"), "EUR")
    assert SHANGHAI.money(None, "EUR") is SHANGHAI.money(1, "") is None


def test_zones() -> None:
    assert SHANGHAI.local(datetime(2026, 1, 31, 20, tzinfo=UTC)).date().day == 1
    assert not SHANGHAI.has_daylight_saving
    assert LocalValues(ZoneInfo("Europe/Berlin"), {}).has_daylight_saving
    for wrong in ("Mars/Phobos", "", "../etc/passwd"):
        with pytest.raises(ValidationError, match="Value error, not a time zone "):
            TypeAdapter(Zone).validate_python(wrong)


async def test_calls_made_together_answer_in_order_and_fail_together() -> None:
    async def answer(value: int) -> int:
        return value

    ended: list[str] = []

    async def waits() -> int:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("ended")
        return 0

    async def fails() -> int:
        raise Unavailable("down")

    assert await gather_or_cancel(answer(1), answer(2)) == [1, 2]
    assert await gather_or_cancel() == []
    with pytest.raises(Unavailable):
        await gather_or_cancel(waits(), fails())
    await asyncio.sleep(0)
    assert ended == ["ended"]


@each_row(
    ("lines", "day"),
    [
        ([], None),
        ([(None, 0, 5)], None),
        ([(1, 5, 5), (2, 0, 5), (3, None, 5)], 2),
        ([(3, None, 5), (2, 1, 5)], 2),
        ([(1, 5, 5), (4, 6, 5), (None, 0, 5)], 4),
    ],
)
def test_a_document_is_due_with_its_first_line_that_is_owed(
    lines: list[tuple[int | None, int | None, int]], day: int | None
) -> None:
    parts = (
        (None if known is None else _day(known), _quantity(done), Decimal(wanted)) for known, done, wanted in lines
    )
    assert due_day(parts) == (None if day is None else _day(day))


def _day(day: int) -> date:
    return date(2026, 1, day)


def _quantity(figure: int | None) -> Decimal | None:
    return None if figure is None else Decimal(figure)
