"""Opening, migrating and checking the database."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import inspect
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.errors import ConfigurationError
from bot.store.engine import current_revision, head, make_engine, migrate, reachable
from bot.store.tables import Table


async def test_migrations_make_exactly_the_tables_of_the_models(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        made = await connection.run_sync(
            lambda sync: {
                name: {column["name"] for column in inspect(sync).get_columns(name)}
                for name in inspect(sync).get_table_names()
            }
        )
    made.pop("alembic_version")
    assert made == {name: set(table.columns.keys()) for name, table in Table.metadata.tables.items()}


async def test_an_empty_database_has_no_revision_until_it_is_migrated(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'deep' / 'down' / 'bot.sqlite3'}")
    assert await current_revision(engine) is None
    assert not await reachable(engine)
    await migrate(engine)
    assert await current_revision(engine) == head()
    assert await reachable(engine)
    await engine.dispose()


async def test_migrating_twice_changes_nothing(engine: AsyncEngine) -> None:
    await migrate(engine)
    assert await current_revision(engine) == head()


@pytest.mark.parametrize("url", ["", "nonsense", "mongodb://user:hunter2@localhost/x"])
def test_an_unusable_address_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        make_engine(url)
    assert "hunter2" not in str(raised.value)


async def test_sqlite_writes_ahead_so_that_readers_never_wait(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        assert (await connection.exec_driver_sql("PRAGMA journal_mode")).scalar() == "wal"
