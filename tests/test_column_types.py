"""Decimals and times come back from the database as they went in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal, localcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, MetaData, Table, create_engine, func, insert, select
from sqlalchemy.engine import Connection
from sqlalchemy.exc import StatementError

from bot.mechanisms.column_types import ExactDecimal, UtcTime

THINGS = Table(
    "thing",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("amount", ExactDecimal()),
    Column("cents", ExactDecimal(2)),
    Column("at", UtcTime()),
)

fitting = st.decimals(min_value=-(10**12), max_value=10**12, places=6)
moments = st.datetimes(
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=8)), timezone(timedelta(hours=-9, minutes=-30))]),
    min_value=datetime(1970, 1, 2),  # noqa: DTZ001  # the strategy wants bounds without zone
    max_value=datetime(9999, 12, 30),  # noqa: DTZ001
)


@pytest.fixture(scope="module")
def connection() -> Iterator[Connection]:
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        THINGS.metadata.create_all(connection)
        yield connection
    engine.dispose()


def put(connection: Connection, **values: Any) -> Any:
    """Store one row alone and return it as it is read again."""
    with connection.begin_nested():
        connection.execute(THINGS.delete())
        connection.execute(insert(THINGS).values(**values))
    return connection.execute(select(THINGS)).one()


def fill(connection: Connection, amounts: list[Decimal]) -> None:
    connection.execute(THINGS.delete())
    connection.execute(insert(THINGS), [{"amount": amount} for amount in amounts])


@given(amount=fitting)
def test_a_decimal_comes_back_exactly(connection: Connection, amount: Decimal) -> None:
    stored = put(connection, amount=amount).amount
    assert type(stored) is Decimal
    assert stored == amount
    assert "E" not in str(stored)


def test_the_value_that_sqlite_itself_would_lose_is_kept(connection: Connection) -> None:
    assert put(connection, cents=Decimal("12345678901234567.89")).cents == Decimal("12345678901234567.89")


@pytest.mark.parametrize("text", ["0", "-0", "1E+3", "1.50", "100", "1.0000000000000", "-9223372036854.775807"])
def test_spellings_do_not_matter(connection: Connection, text: str) -> None:
    with localcontext(prec=3):
        stored = put(connection, amount=Decimal(text)).amount
    assert stored == Decimal(text)


def test_nothing_stays_nothing(connection: Connection) -> None:
    stored = put(connection, amount=None, at=None)
    assert stored.amount is None
    assert stored.at is None


@given(amounts=st.lists(fitting, min_size=1, max_size=20), limit=fitting)
def test_sql_sorts_compares_and_sums_as_decimals_do(
    connection: Connection, amounts: list[Decimal], limit: Decimal
) -> None:
    fill(connection, amounts)
    amount = THINGS.c.amount
    assert connection.scalars(select(amount).order_by(amount)).all() == sorted(amounts)
    assert sorted(connection.scalars(select(amount).where(amount > limit))) == sorted(a for a in amounts if a > limit)
    whole = [int(a) for a in amounts]
    fill(connection, [Decimal(a) for a in whole[:9]])
    assert connection.scalar(select(func.sum(amount))) == sum(whole[:9])
    assert connection.scalars(select(amount - 1)).all() == [a - 1 for a in whole[:9]]


@pytest.mark.parametrize(
    "text",
    ["NaN", "sNaN", "Infinity", "-Infinity", "0.0000001", "1E-1000000", "1E-1999999999999", "1E+1000000",
     "9223372036854.775808", "99999999999999999999", "1." + "0" * 80 + "1"],
)  # fmt: skip
def test_what_does_not_fit_is_refused(connection: Connection, text: str) -> None:
    with pytest.raises(StatementError) as caught:
        put(connection, amount=Decimal(text))
    assert isinstance(caught.value.orig, ValueError)


@pytest.mark.parametrize("value", [1.5, "1.5", True])
def test_floats_and_text_are_refused(connection: Connection, value: object) -> None:
    with pytest.raises(StatementError) as caught:
        put(connection, amount=value)
    assert isinstance(caught.value.orig, TypeError)


def test_operators_that_change_the_scale_are_refused() -> None:
    amount = THINGS.c.amount
    for product in (lambda: amount * 2, lambda: 2 * amount, lambda: amount / amount, lambda: amount % 2):
        with pytest.raises(TypeError, match="scale"):
            product()


@given(moment=moments)
def test_a_time_comes_back_as_the_same_moment_in_utc(connection: Connection, moment: datetime) -> None:
    stored = put(connection, at=moment).at
    assert stored == moment
    assert stored.tzinfo is UTC


@given(times=st.lists(moments, min_size=2, max_size=10))
def test_times_of_any_zone_sort_as_moments(connection: Connection, times: list[datetime]) -> None:
    connection.execute(THINGS.delete())
    connection.execute(insert(THINGS), [{"at": moment} for moment in times])
    assert connection.scalars(select(THINGS.c.at).order_by(THINGS.c.at)).all() == sorted(times)


def test_a_time_without_zone_is_refused(connection: Connection) -> None:
    with pytest.raises(StatementError, match="aware"):
        put(connection, at=datetime(2026, 11, 24))  # noqa: DTZ001  # the point
