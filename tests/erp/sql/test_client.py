"""The database's own locks, its time-outs, its refusals, and odd values on the way."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from bot.erp.errors import AuthFailed, ErpError, Invalid, NotFound, NotPermitted, Unavailable
from bot.erp.model import Area, OrderStatus
from bot.erp.port import Capability, ListQuery
from bot.erp.sql.adapter import SqlErp
from bot.erp.sql.client import ReadOnlyDatabase, session_commands
from bot.erp.sql.manifest import SqlOptions
from bot.erp.vendors import Surroundings
from bot.testing.company import Clock, ReferenceCompany
from bot.testing.fakes.sql import SqlInstallation

from .server import Postgres
from .shown import company_options

NOW = datetime(2026, 11, 24, 2, 30, tzinfo=UTC)
FOREVER = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) AS no FROM n WHERE x < 0"

Open = Callable[..., SqlErp]


@pytest.fixture
async def open_erp(tmp_path: Path) -> AsyncIterator[Open]:
    opened: list[SqlErp] = []

    def open_erp(**options: Any) -> SqlErp:
        surroundings = Surroundings(name="main", data_dir=tmp_path, now=lambda: NOW)
        opened.append(SqlErp(surroundings, SqlOptions.model_validate(options)))
        return opened[-1]

    yield open_erp
    for erp in opened:
        await erp.close()


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[SqlInstallation]:
    clock = Clock()
    installation = SqlInstallation.in_folder(ReferenceCompany(now=clock.now), clock, tmp_path)
    await installation.start()
    yield installation
    await installation.stop()


@pytest.fixture
async def server_company(postgres: Postgres) -> AsyncIterator[SqlInstallation]:
    clock = Clock()
    installation = SqlInstallation(ReferenceCompany(now=clock.now), clock, postgres.admin_url)
    await installation.start()
    yield installation
    await installation.stop()


def tiny(folder: Path, *commands: str, name: str = "tiny.db") -> str:
    """Return the address of a database made of some commands."""
    with sqlite3.connect(folder / name) as connection:
        for command in commands:
            connection.execute(command)
    connection.close()
    return f"sqlite:///{folder / name}"


def sales(url: str, **changed: Any) -> dict[str, Any]:
    """Return options of the smallest source there is."""
    area = {
        "one": "SELECT * FROM o WHERE no = :number",
        "list": "SELECT * FROM o",
        "fields": {"number": "no", "customer": "c", "status": "s", "total": "t", "promised_on": "p"},
    }
    return {"url": url, "zone": "Asia/Shanghai", "currency": "CNY", "sales": area | changed}


ORDERS = "CREATE TABLE o (no TEXT, c TEXT, s TEXT, t, p)"


# Read-only


@pytest.mark.parametrize(
    "command",
    ["INSERT INTO stores VALUES ('X', 'X')", "UPDATE orders SET total = 0", "DROP TABLE orders", "CREATE TABLE x (y)"],
)
async def test_sqlite_refuses_writes_that_slip_past_the_first_lock(company: SqlInstallation, command: str) -> None:
    database = ReadOnlyDatabase(company.url, timeout=5, connections=2, source="main")
    before = _everything(company)
    with pytest.raises(NotPermitted):
        await database.run(lambda connection: connection.execute(text(command)))
    with pytest.raises(NotPermitted):  # mode=ro holds where query_only was lifted
        await database.run(
            lambda connection: (
                connection.exec_driver_sql("PRAGMA query_only = OFF"),
                connection.execute(text(command)),
            )
        )
    await database.close()
    assert _everything(company) == before


@pytest.mark.parametrize(
    "command",
    [
        "INSERT INTO stores VALUES ('X', 'X')",
        "UPDATE orders SET total = 0",
        "CREATE TABLE x (y integer)",
        "SELECT nextval('counter')",
        "SELECT set_config('transaction_read_only', 'off', false)",
    ],
)
async def test_postgresql_refuses_writes_even_to_the_owner(
    server_company: SqlInstallation, postgres: Postgres, command: str
) -> None:
    with server_company.engine.begin() as connection:
        connection.execute(text("CREATE SEQUENCE IF NOT EXISTS counter"))
    database = ReadOnlyDatabase(postgres.admin_url, timeout=5, connections=2, source="main")
    before = _everything(server_company)
    with pytest.raises((NotPermitted, Invalid)):
        await database.run(lambda connection: (connection.execute(text("SELECT 1")), connection.execute(text(command))))
    with pytest.raises(NotPermitted):
        # Nor in a transaction of one's own on the same connection: the session's default is read-only too.
        await database.run(
            lambda connection: (
                connection.exec_driver_sql("ROLLBACK"),
                connection.exec_driver_sql("BEGIN"),
                connection.execute(text("UPDATE orders SET total = 0")),
            )
        )
    await database.close()
    assert _everything(server_company) == before


def _everything(installation: SqlInstallation) -> list[Any]:
    with installation.engine.connect() as connection:
        return [connection.execute(text(f"SELECT * FROM {table}")).fetchall() for table in ("orders", "stores")]


def test_other_databases_are_told_to_read_only_in_their_words() -> None:
    assert session_commands("mysql", 2.5) == (
        "SET SESSION TRANSACTION READ ONLY",
        "SET SESSION max_execution_time = 2500",
    )
    assert session_commands("oracle", 2.5) == ()


# Time


async def test_a_query_that_takes_too_long_ends_and_blocks_nothing(company: SqlInstallation, open_erp: Open) -> None:
    options = company_options(url=company.url, timeout=0.3, connections=1)
    options["sales"]["one"] = f"{FOREVER} AND '' <> :number"
    erp = open_erp(**options)
    started, ticks = time.monotonic(), 0
    asked = asyncio.ensure_future(erp.order("SO-1001"))
    while not asked.done():
        await asyncio.sleep(0.01)
        ticks += 1
    with pytest.raises(Unavailable):
        await asked
    assert time.monotonic() - started < 3
    assert ticks > 5
    # Its thread is free again.
    assert (await erp.invoice("INV-7")).number == "INV-7"


async def test_a_statement_ends_on_the_server_too(
    server_company: SqlInstallation, postgres: Postgres, open_erp: Open
) -> None:
    options = company_options(url=postgres.reader_url, timeout=0.3, connections=1)
    options["sales"]["one"] = "SELECT o.*, pg_sleep(30) FROM orders o WHERE no = :number"
    erp = open_erp(**options)
    started = time.monotonic()
    with pytest.raises(Unavailable):
        await erp.order("SO-1001")
    async with asyncio.timeout(5):
        while True:
            try:
                assert (await erp.invoice("INV-7")).number == "INV-7"
                break
            except Unavailable:
                continue
    assert time.monotonic() - started < 5


async def test_more_questions_than_connections_wait_for_their_turn(company: SqlInstallation, open_erp: Open) -> None:
    erp = open_erp(**company_options(url=company.url, connections=2))
    found = await asyncio.gather(*(erp.order(f"SO-{1001 + n}") for n in range(20)))
    assert [order.number for order in found] == [f"SO-{1001 + n}" for n in range(20)]


# What goes wrong


async def test_a_file_that_is_not_there_is_unavailable_and_not_made(tmp_path: Path, open_erp: Open) -> None:
    file = tmp_path / "none.db"
    erp = open_erp(**sales(f"sqlite:///{file}"))
    for call in (erp.check(), erp.order("SO-1"), erp.orders(ListQuery())):
        with pytest.raises(Unavailable):
            await call
    assert not file.exists()


async def test_a_file_name_with_signs_of_addresses_is_only_a_name(tmp_path: Path) -> None:
    tiny(tmp_path, ORDERS, name="a #b&mode=rwc.db")
    for name, there in (("a #b&mode=rwc.db", True), ("a ", False)):
        database = ReadOnlyDatabase(f"sqlite:///{tmp_path}/{name}", timeout=1, connections=1, source="main")
        if there:
            await database.run(lambda connection: connection.execute(text("SELECT no FROM o")))
        with pytest.raises((NotPermitted, Unavailable)):
            await database.run(lambda connection: connection.execute(text("DELETE FROM o")))
        await database.close()


async def test_a_wrong_password_is_told_and_not_repeated(
    server_company: SqlInstallation, postgres: Postgres, open_erp: Open
) -> None:
    url = f"postgresql://reader:wr0ng-secret@127.0.0.1:{postgres.port}/postgres"
    erp = open_erp(**company_options(url=url))
    with capture_logs() as logged, pytest.raises(AuthFailed) as caught:
        await erp.check()
    told = f"{caught.value!s} {caught.value!r} {caught.value.__cause__!r} {logged}"
    assert "wr0ng-secret" not in told


async def test_a_missing_right_is_told(server_company: SqlInstallation, postgres: Postgres, open_erp: Open) -> None:
    with server_company.engine.begin() as connection:
        connection.execute(text("REVOKE SELECT ON orders FROM reader"))
    erp = open_erp(**company_options(url=postgres.reader_url))
    try:
        with pytest.raises(NotPermitted, match="permission denied for table orders"):
            await erp.order("SO-1001")
        assert (await erp.invoice("INV-7")).number == "INV-7"
    finally:
        with server_company.engine.begin() as connection:
            connection.execute(text("GRANT SELECT ON orders TO reader"))


async def test_a_server_that_is_not_there_is_unavailable(open_erp: Open) -> None:
    erp = open_erp(**company_options(url="postgresql://u:p@127.0.0.1:1/d", timeout=2))
    with pytest.raises(Unavailable):
        await erp.check()


async def test_a_server_that_restarts_is_asked_again(
    server_company: SqlInstallation, postgres: Postgres, open_erp: Open
) -> None:
    erp = open_erp(**company_options(url=postgres.reader_url))
    await erp.check()
    with server_company.engine.begin() as connection:
        connection.execute(text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'reader'"))
    assert (await erp.order("SO-1001")).number == "SO-1001"


@pytest.mark.parametrize(
    ("one", "complaint"),
    [
        ("SELECT * FROM nowhere WHERE no = :number", "no such table: nowhere"),
        ("SELECT wrong FROM o WHERE no = :number", "no such column"),
        ("SELECT FROM o WHERE no = :number", "syntax error"),
        ("SELECT no, c, s, t FROM o WHERE no = :number", "sales.one gives no column 'p'; it gives no, c, s, t"),
        ("SELECT o.*, 1 AS p FROM o WHERE no = :number", "sales.one gives several columns 'p'"),
    ],
)
async def test_check_finds_what_is_wrong_with_a_query(tmp_path: Path, open_erp: Open, one: str, complaint: str) -> None:
    erp = open_erp(**sales(tiny(tmp_path, ORDERS), one=one))
    with pytest.raises(Invalid, match=complaint):
        await erp.check()


@pytest.mark.parametrize("place", ["list", "late", "changes"])
async def test_check_begins_lists_and_changes_too(
    server_company: SqlInstallation, postgres: Postgres, open_erp: Open, place: str
) -> None:
    options = company_options(url=postgres.reader_url)
    await open_erp(**options).check()
    options["sales"][place] = options["sales"][place].replace("orders", "orderz")
    with pytest.raises(Invalid, match='relation "orderz" does not exist'):
        await open_erp(**options).check()


async def test_a_list_that_is_too_long_is_refused_by_name(tmp_path: Path, open_erp: Open) -> None:
    url = tiny(tmp_path, ORDERS, *[f"INSERT INTO o VALUES ('{n}', 'c', 'open', '1', NULL)" for n in range(6)])
    with pytest.raises(Invalid, match=r"sales.list gives more than 5 rows: let it page or choose"):
        await open_erp(**sales(url), most_rows=5).orders(ListQuery())
    assert (await open_erp(**sales(url), most_rows=6).orders(ListQuery())).total == 6


@pytest.mark.parametrize("text", ["\0", "a\0b", "\ud800", "'; DROP TABLE o; --", "%", ":number", "!%"])
async def test_what_a_person_types_is_only_ever_a_value(tmp_path: Path, open_erp: Open, text: str) -> None:
    url = tiny(tmp_path, ORDERS, "INSERT INTO o VALUES ('1', 'c', 'open', '1', NULL)")
    erp = open_erp(**sales(url, list="SELECT * FROM o WHERE c LIKE :like ESCAPE '!'"))
    with pytest.raises(NotFound):
        await erp.order(text)
    assert (await erp.orders(ListQuery(text=text))).total == 0
    assert (await erp.orders(ListQuery())).total == 1


async def test_a_closed_source_is_unavailable(company: SqlInstallation, open_erp: Open) -> None:
    erp = open_erp(**company_options(url=company.url))
    await erp.close()
    with pytest.raises(Unavailable):
        await erp.order("SO-1001")


# Odd values


async def test_numeric_columns_of_sqlite_lose_digits_and_say_so(tmp_path: Path, open_erp: Open) -> None:
    url = tiny(
        tmp_path,
        "CREATE TABLE o (no TEXT, c TEXT, s TEXT, t NUMERIC, p TEXT)",
        "INSERT INTO o VALUES ('1', 'c', 'open', '12345678901234.56789', NULL)",
        "INSERT INTO o VALUES ('2', 'c', 'open', '12.10', NULL)",
    )
    erp = open_erp(**sales(url))
    with capture_logs() as logged:
        assert (await erp.order("2")).total.amount == Decimal("12.1")  # type: ignore[union-attr]
        assert not logged
        await erp.order("1")
    assert [(entry["area"], entry["field"]) for entry in logged] == [(Area.SALES, "total")]


async def test_sums_over_text_columns_are_exact_in_python(tmp_path: Path, open_erp: Open) -> None:
    """SUM() would make floats of SQLite's text, so batches are added up here."""
    url = tiny(
        tmp_path,
        "CREATE TABLE i (no TEXT, c TEXT)",
        "CREATE TABLE h (no TEXT, store TEXT, q TEXT)",
        "INSERT INTO i VALUES ('A', 'Bolt')",
        "INSERT INTO h VALUES ('A', 'M', '12345678901234.56789'), ('A', 'M', '0.00001'), ('A', 'N', '0.1')",
    )
    erp = open_erp(
        url=url,
        zone="UTC",
        unit="PCS",
        products={
            "one": "SELECT * FROM i WHERE no = :sku",
            "list": "SELECT * FROM i",
            "fields": {"sku": "no", "name": "c"},
        },
        stock={
            "places": {"query": "SELECT * FROM h WHERE no = :sku", "fields": {"code": "store", "on_hand": "q"}},
        },
    )
    assert erp.capabilities == {Capability.STOCK, Capability.STOCK_PER_WAREHOUSE}
    level = await erp.stock("A")
    assert level.total.on_hand == Decimal("12345678901234.6679")
    assert [place.quantities.on_hand for place in level.per_warehouse] == [
        Decimal("12345678901234.5679"),
        Decimal("0.1"),
    ]
    assert level.total.reserved is None


async def test_one_text_in_a_wrong_encoding_does_not_hide_the_list(tmp_path: Path, open_erp: Open) -> None:
    url = tiny(
        tmp_path,
        ORDERS,
        "INSERT INTO o VALUES ('1', CAST(x'D6D0B9FA' AS TEXT), 'open', '1', NULL)",
        "INSERT INTO o VALUES ('2', '中国', 'open', '1', NULL)",
    )
    found = {order.number: order.customer for order in (await open_erp(**sales(url)).orders(ListQuery())).items}
    assert found["2"] == "中国"
    assert "\N{REPLACEMENT CHARACTER}" in found["1"]


async def test_a_dirty_table_is_read_around_its_dirt_and_left_as_it_is(tmp_path: Path, open_erp: Open) -> None:
    url = tiny(
        tmp_path,
        ORDERS,
        "INSERT INTO o VALUES ('1', 'c', 'open', '1', '2026-11-20')",
        "INSERT INTO o VALUES ('2', 'c', 'opne', '1', NULL)",
        "INSERT INTO o VALUES ('3', 'c', 'open', 'much', '20.11.2026')",
        "INSERT INTO o VALUES (NULL, 'c', 'open', '1', NULL)",
    )
    file = tmp_path / "tiny.db"
    before = file.read_bytes()
    erp = open_erp(**sales(url))
    assert sorted(order.number for order in (await erp.orders(ListQuery())).items) == ["1", "3"]
    assert sorted((d.key, d.name, d.kept) for d in erp.defects) == [
        ("", "number", False),
        ("2", "status", False),
        ("3", "promised_on", True),
        ("3", "total", True),
    ]
    assert file.read_bytes() == before


async def test_column_names_are_found_in_any_case(tmp_path: Path, open_erp: Open) -> None:
    url = tiny(tmp_path, ORDERS, "INSERT INTO o VALUES ('1', 'c', 'open', '1', NULL)")
    one = 'SELECT no AS "NO", c AS C, s AS "S", t, p FROM o WHERE no = :number'
    assert (await open_erp(**sales(url, one=one)).order("1")).status is OrderStatus.OPEN


async def test_two_records_of_one_number_are_not_guessed_between(tmp_path: Path, open_erp: Open) -> None:
    url = tiny(tmp_path, ORDERS, *["INSERT INTO o VALUES ('1', 'c', 'open', '1', NULL)"] * 2)
    with pytest.raises(Invalid, match="2 records have this number"):
        await open_erp(**sales(url)).order("1")


# Changes

CHANGES = "SELECT no AS key, p AS changed_at FROM o WHERE p >= :since ORDER BY p, no LIMIT :limit"
MOMENT = datetime(2026, 11, 24, 2, 30, 5, 250000, tzinfo=UTC)

AS_KEPT: list[tuple[str, Callable[[datetime], Any]]] = [
    ("", lambda at: (at + timedelta(hours=8)).strftime("%Y-%m-%d %H:%M:%S.%f")),
    ("", lambda at: (at + timedelta(hours=8)).strftime("%Y-%m-%d %H:%M:%S")),
    ("%Y-%m-%dT%H:%M:%S", lambda at: (at + timedelta(hours=8)).strftime("%Y-%m-%dT%H:%M:%S+08:00")),
    ("epoch", lambda at: int(at.timestamp())),
    ("epoch_ms", lambda at: int(at.timestamp() * 1000)),
]


@pytest.mark.parametrize(("form", "kept"), AS_KEPT)
async def test_changes_are_followed_however_the_times_are_kept(
    tmp_path: Path, open_erp: Open, form: str, kept: Callable[[datetime], Any]
) -> None:
    url = tiny(tmp_path, ORDERS)
    engine = sqlite3.connect(tmp_path / "tiny.db")

    def add(number: str, at: datetime) -> None:
        with engine:
            engine.execute("INSERT INTO o VALUES (?, 'c', 'open', '1', ?)", (number, kept(at)))

    erp = open_erp(**sales(url, changes=CHANGES), time_format=form)
    for n in range(5):
        add(f"A{n}", MOMENT + timedelta(seconds=n // 2))
    first = await erp.changed_since(Area.SALES, "", limit=3)
    rest = await erp.changed_since(Area.SALES, first.cursor, limit=3)
    assert [change.key for change in (*first.items, *rest.items)] == ["A0", "A1", "A2", "A3", "A4"]
    assert (first.more, rest.more) == (True, False)
    add("late", MOMENT - timedelta(seconds=5))  # a transaction that took its time
    add("new", MOMENT + timedelta(hours=1))
    last = await erp.changed_since(Area.SALES, rest.cursor, limit=9)
    assert [change.key for change in last.items] == ["late", "new"]
    assert (await erp.changed_since(Area.SALES, last.cursor, limit=9)).items == ()
    engine.close()


async def test_an_error_is_always_one_of_ours(tmp_path: Path, open_erp: Open) -> None:
    (tmp_path / "text.db").write_text("this is no database" * 100)
    with pytest.raises(ErpError):
        await open_erp(**sales(f"sqlite:///{tmp_path / 'text.db'}")).check()
