"""A company at work for each test, and databases as one and as two processes have them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.store.database import Database
from tests.approvals.world import World
from tests.erp.sql.server import Postgres, programs, running


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    folder = programs()
    if folder is None:
        pytest.skip("no PostgreSQL server is installed (Debian: apt install postgresql)")
    with running(folder) as server:
        yield server


async def on_postgresql(server: Postgres) -> Database:
    database = Database(server.admin_url)
    await database.run(lambda connection: connection.execute(text("DROP SCHEMA public CASCADE; CREATE SCHEMA public")))
    await database.migrate()
    return database


@pytest.fixture(params=["sqlite", "postgresql"])
async def two(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[Database, Database]]:
    """Return one database, opened twice: as two processes do."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'bot.sqlite3'}"
        one = Database(url)
        await one.migrate()
    else:
        server: Postgres = request.getfixturevalue("postgres")
        one, url = await on_postgresql(server), server.admin_url
    other = Database(url)
    yield one, other
    await one.close()
    await other.close()
