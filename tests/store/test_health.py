"""Whether the database can be written, and whether its pages can be read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.store import engines
from bot.store.database import Database
from bot.store.errors import StoreUnavailable
from bot.store.health import SqlitePages, StoredHeartbeat

NOW = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgres"])
async def database(request: pytest.FixtureRequest) -> AsyncIterator[Database]:
    database = Database(request.getfixturevalue(f"{request.param}_url"))
    await database.migrate()
    yield database
    await database.close()


async def test_each_beat_replaces_the_one_before(database: Database) -> None:
    for _ in range(2):
        await StoredHeartbeat(database).beat(NOW)
    rows = await database.run(lambda connection: connection.execute(text("SELECT * FROM heartbeat")).all())
    assert len(rows) == 1


@pytest.mark.process
async def test_on_postgresql_it_needs_the_turn_in_which_alerts_are_changed(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "_POSTGRES_LIMITS", ("SET lock_timeout = '50ms'",))
    database = Database(postgres_url)
    with database._engine.begin() as other:
        other.execute(text("SELECT pg_advisory_xact_lock(1634493810)"))
        with pytest.raises(StoreUnavailable, match="another process holds the database's lock"):
            await StoredHeartbeat(database).beat(NOW)
    await StoredHeartbeat(database).beat(NOW)
    await database.close()


async def test_pages_are_looked_through_for_a_share_of_the_time_alone(tmp_path: Path) -> None:
    file = tmp_path / "bot.sqlite3"
    database = Database(f"sqlite:///{file}")
    await database.migrate()
    await database.close()
    # The first look takes 2 s, so the next one comes 100 s later.
    moments = iter([0.0, 2.0, 50.0, 103.0, 105.0])
    pages = SqlitePages(file, monotonic=lambda: next(moments))
    await pages.check()
    file.write_bytes(b"no database at all, but long enough to be looked at " * 20)
    await pages.check()
    with pytest.raises(StoreUnavailable, match=r"damaged.*db restore"):
        await pages.check()
