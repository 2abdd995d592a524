"""The database's own locks, its time-outs, its refusals, and odd values on the way."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from bot.erp.errors import AuthFailed, ErpError, Invalid, NotFound, NotPermitted, Unavailable
from bot.erp.port import ListQuery
from bot.erp.sql.adapter import SqlErp
from bot.erp.sql.client import ReadOnlyDatabase, prepare_session, session_commands
from tests.erp.fakes.sql import SqlInstallation
from tests.erp.sql.documented_config import company_options
from tests.erp.sql.minimal_source import ORDERS, Open, sales, tiny
from tests.erp.sql.postgres_server import Postgres
from tests.rows import each_row

FOREVER = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) AS no FROM n WHERE x < 0"


# Read-only


@pytest.mark.parametrize(
    "command",
    ["INSERT INTO stores VALUES ('X', 'X')", "UPDATE orders SET total = 0", "DROP TABLE orders", "CREATE TABLE x (y)"],
)
async def test_sqlite_refuses_writes_that_slip_past_the_first_lock(
    sqlite_company: SqlInstallation, command: str
) -> None:
    database = ReadOnlyDatabase(sqlite_company.url, timeout=5, connections=2, source="main")
    before = _everything(sqlite_company)
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
    assert _everything(sqlite_company) == before


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


class MySqlSession:
    """A connection of a MySQL driver, and its cursor, to a server of either kind."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.said: list[str] = []

    def cursor(self) -> MySqlSession:
        return self

    def execute(self, statement: str) -> None:
        unknown = "max_execution_time" if "MariaDB" in self.version else "max_statement_time"
        assert unknown not in statement, f"1193 Unknown system variable '{unknown}'"
        self.said.append(statement)

    def fetchone(self) -> tuple[str]:
        return (self.version,)

    def close(self) -> None:
        pass


@each_row(
    ("version", "limit"),
    [
        ("11.8.3-MariaDB-0+deb13u1 from Debian", "max_statement_time = 2.5"),
        ("5.5.5-10.6.18-MariaDB-log", "max_statement_time = 2.5"),
        ("8.4.3", "max_execution_time = 2500"),
    ],
)
def test_a_mysql_address_may_lead_to_mariadb(version: str, limit: str) -> None:
    session = MySqlSession(version)
    prepare_session(session, "mysql", 2.5)
    assert session.said == ["SELECT VERSION()", "SET SESSION TRANSACTION READ ONLY", f"SET SESSION {limit}"]


# Time


async def answers_again(erp: SqlErp) -> None:
    """Wait until the only connection is free: long before the query would have ended by itself."""
    async with asyncio.timeout(60):
        while True:
            try:
                assert (await erp.invoice("INV-7")).number == "INV-7"
                return
            except Unavailable:
                await asyncio.sleep(0.01)


async def test_a_query_that_takes_too_long_ends_and_blocks_nothing(
    sqlite_company: SqlInstallation, open_erp: Open
) -> None:
    options = company_options(url=sqlite_company.url, timeout=0.3, connections=1)
    options["sales"]["one"] = f"{FOREVER} AND '' <> :number"
    erp = open_erp(**options)
    ticks = 0
    asked = asyncio.ensure_future(erp.order("SO-1001"))
    while not asked.done():
        await asyncio.sleep(0.01)
        ticks += 1
    with pytest.raises(Unavailable):
        await asked
    assert ticks > 1, "the loop went on"
    await answers_again(erp)


async def test_a_statement_ends_on_the_server_too(
    server_company: SqlInstallation, postgres: Postgres, open_erp: Open
) -> None:
    options = company_options(url=postgres.reader_url, timeout=0.3, connections=1)
    options["sales"]["one"] = "SELECT o.*, pg_sleep(600) FROM orders o WHERE no = :number"
    erp = open_erp(**options)
    with pytest.raises(Unavailable):
        await erp.order("SO-1001")
    await answers_again(erp)


async def test_more_questions_than_connections_wait_for_their_turn(
    sqlite_company: SqlInstallation, open_erp: Open
) -> None:
    erp = open_erp(**company_options(url=sqlite_company.url, connections=2))
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


async def test_a_closed_source_is_unavailable(sqlite_company: SqlInstallation, open_erp: Open) -> None:
    erp = open_erp(**company_options(url=sqlite_company.url))
    await erp.close()
    with pytest.raises(Unavailable):
        await erp.order("SO-1001")


async def test_an_error_is_always_one_of_ours(tmp_path: Path, open_erp: Open) -> None:
    (tmp_path / "text.db").write_text("this is no database" * 100)
    with pytest.raises(ErpError):
        await open_erp(**sales(f"sqlite:///{tmp_path / 'text.db'}")).check()
