"""A company at work for each test, and databases as one and as two processes have them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import structlog
from sqlalchemy import text

from bot.store.database import Database
from tests.approvals.world import World
from tests.erp.sql.server import Postgres


@pytest.fixture(autouse=True)
def _plain_tracebacks(_own_log: None) -> None:
    """Log defects in plain lines: coloured source and locals of a whole company take seconds for each."""
    *before, _ = structlog.get_config()["processors"]
    plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*before, plain])


@pytest.fixture
def world() -> World:
    return World()


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
