"""Queries that an administrator named, at the database: typed values, exact figures, limits, and no write."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.erp.errors import Invalid, NotPermitted, Unavailable
from bot.erp.named_queries import NamedQuery, QueryValue, ValueKind
from bot.erp.sql.named_queries import SqlQueryDatabase
from tests.erp.sql.postgres_server import Postgres, administer

SHANGHAI = ZoneInfo("Asia/Shanghai")
ROWS = (
    "DROP TABLE IF EXISTS move; CREATE TABLE move (no TEXT, day TEXT, amount NUMERIC);"
    "INSERT INTO move VALUES ('A', '2026-11-05', 0.1), ('B', '2026-11-04', 0.2), ('C', NULL, NULL);"
)
FOREVER = "WITH RECURSIVE n(no) AS (SELECT 1 UNION ALL SELECT no + 1 FROM n) SELECT no FROM n WHERE no < 0 ORDER BY no"
KINDS = {"text": ValueKind.TEXT, "number": ValueKind.NUMBER, "day": ValueKind.DAY}


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SqlQueryDatabase]:
    if request.param == "sqlite":
        file = tmp_path / "moves.sqlite3"
        with sqlite3.connect(file) as connection:
            connection.executescript(ROWS)
        url = f"sqlite:///{file}"
    else:
        server: Postgres = request.getfixturevalue("postgres")
        administer(server, ROWS)
        url = server.admin_url  # of an account that may write: here the bot's own locks are tested
    database = SqlQueryDatabase(url, source="main", zone=SHANGHAI, seconds=10)
    yield database
    await database.close()


def query(sql: str, *, seconds: float = 10, **columns: str) -> NamedQuery:
    return NamedQuery(sql=sql, columns={name: KINDS[kind] for name, kind in columns.items()}, seconds=seconds)


async def rows(
    database: SqlQueryDatabase, asked: NamedQuery, values: Mapping[str, QueryValue] | None = None
) -> list[list[QueryValue | None]]:
    found = await database.ask(asked, values or {}, most=10)
    return [[*row.values()] for row in found.rows]


async def test_values_are_exact_and_unknown_ones_are_none(database: SqlQueryDatabase) -> None:
    asked = query("SELECT no, amount, day FROM move ORDER BY no", no="text", amount="number", day="day")
    assert await rows(database, asked) == [
        ["A", Decimal("0.1"), date(2026, 11, 5)],
        ["B", Decimal("0.2"), date(2026, 11, 4)],
        ["C", None, None],
    ]
    total = query("SELECT 'all' AS no, sum(amount) AS amount FROM move ORDER BY no", no="text", amount="number")
    assert await rows(database, total) == [["all", Decimal("0.3")]]


async def test_what_is_asked_with_is_bound_by_the_driver(database: SqlQueryDatabase) -> None:
    asked = query(
        "SELECT no FROM move WHERE amount >= :least AND no LIKE :like ESCAPE '!'"
        " AND day <= CAST(:day AS TEXT) ORDER BY no",
        no="text",
    )
    given = {"least": Decimal("0.15"), "like": "%", "day": date(2026, 11, 5)}
    assert await rows(database, asked, given) == [["B"]]
    assert await rows(database, asked, {**given, "like": "' OR 'a' = 'a"}) == []
    assert await rows(database, asked, {**given, "like": "'; DROP TABLE move; --"}) == []


async def test_only_the_first_rows_are_read(database: SqlQueryDatabase) -> None:
    asked = query("SELECT no FROM move ORDER BY no", no="text")
    found = await database.ask(asked, {}, most=2)
    assert ([row["no"] for row in found.rows], found.more) == (["A", "B"], True)
    assert not (await database.ask(asked, {}, most=3)).more


async def test_a_query_has_its_own_time(database: SqlQueryDatabase) -> None:
    with pytest.raises(Unavailable):
        await rows(database, query(FOREVER, no="number", seconds=0.2))
    assert await rows(database, query("SELECT 1 AS no ORDER BY no", no="number")) == [[Decimal(1)]]


async def test_postgresql_refuses_a_write_that_no_word_shows(postgres: Postgres) -> None:
    administer(postgres, "CREATE SEQUENCE numbers")
    database = SqlQueryDatabase(postgres.admin_url, source="main", zone=SHANGHAI, seconds=10)
    with pytest.raises(NotPermitted):
        await rows(database, query("SELECT nextval('numbers') AS no ORDER BY no", no="number"))
    await database.close()


async def test_a_value_that_is_not_of_its_kind_is_no_answer(database: SqlQueryDatabase) -> None:
    with pytest.raises(Invalid, match="the column no is no number"):
        await rows(database, query("SELECT no FROM move ORDER BY no", no="number"))
    with pytest.raises(Invalid, match="gives no column 'total'"):
        await rows(database, query("SELECT no FROM move ORDER BY no", no="text", total="number"))
