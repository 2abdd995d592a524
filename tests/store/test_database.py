"""Opening, migrating and checking the database."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from bot.errors import ConfigurationError
from bot.store.database import Database, head
from bot.store.errors import StoreUnavailable
from bot.store.tables import METADATA
from tests.erp.sql import server


async def test_migrations_make_exactly_the_tables_of_the_models(database: Database) -> None:
    made = await database.run(
        lambda connection: {
            name: {column["name"] for column in inspect(connection).get_columns(name)}
            for name in inspect(connection).get_table_names()
        }
    )
    made.pop("alembic_version")
    assert made == {name: set(table.columns.keys()) for name, table in METADATA.tables.items()}


async def test_an_empty_database_has_no_revision_until_it_is_migrated(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'deep' / 'down' / 'bot.sqlite3'}")
    assert await database.revision() is None
    await database.migrate()
    assert await database.revision() == head()
    await database.migrate()
    assert await database.revision() == head()
    await database.close()


@pytest.mark.parametrize(
    "url", ["", "nonsense", "mongodb://user:hunter2@localhost/x", "postgresql://user:hunter2@localhost:port/x"]
)
def test_an_unusable_address_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        Database(url)
    assert "hunter2" not in str(raised.value)


async def test_sqlite_writes_ahead_so_that_readers_never_wait(database: Database) -> None:
    mode = await database.run(lambda connection: connection.exec_driver_sql("PRAGMA journal_mode").scalar())
    assert mode == "wal"


async def test_a_failed_call_leaves_nothing_behind(database: Database) -> None:
    def half(connection: object) -> None:
        connection.execute(text("INSERT INTO language VALUES ('u1', 'en')"))  # type: ignore[attr-defined]
        connection.execute(text("INSERT INTO nowhere VALUES (1)"))  # type: ignore[attr-defined]

    with pytest.raises(StoreUnavailable, match="OperationalError"):
        await database.run(half)
    assert await database.run(lambda connection: connection.scalar(text("SELECT count(*) FROM language"))) == 0


async def test_a_silent_database_is_reported_in_time(database: Database) -> None:
    busy = threading.Event()
    blocked = database._threads.submit(busy.wait, 10)
    started = time.monotonic()
    with pytest.raises(StoreUnavailable, match="TimeoutError"):
        await database.revision(timeout=0.05)
    assert time.monotonic() - started < 5
    busy.set()
    assert blocked.result(10)


_MIGRATE = "import asyncio, sys; from bot.store.database import Database; asyncio.run(Database(sys.argv[1]).migrate())"


@pytest.mark.process
async def test_processes_that_start_together_migrate_once() -> None:
    """Two replicas on an empty database: the second one found half of the tables made and gave up."""
    programs = server.programs()
    if programs is None:
        pytest.skip("no PostgreSQL server is installed (Debian: apt install postgresql)")
    with server.running(programs) as postgres:
        arguments = (sys.executable, "-c", _MIGRATE, postgres.admin_url)
        several = [await asyncio.create_subprocess_exec(*arguments, stderr=asyncio.subprocess.PIPE) for _ in range(3)]
        errors = [(await one.communicate())[1].decode() for one in several]
        assert errors == ["", "", ""]
        database = Database(postgres.admin_url)
        assert await database.revision() == head()
        await database.close()
