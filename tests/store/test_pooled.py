"""The store behind PgBouncer in transaction mode, whose few connections are handed around between transactions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from bot.store import engines
from bot.store.database import Database
from bot.store.replicas import LEASE, Member, StoredReplicas, has_ended
from bot.store.tables import REPLICA
from bot.words.errors import ConfigurationError
from tests.rows import each_row
from tests.store.pgbouncer import CONNECTIONS

FIRST, SECOND = (
    Member(id=name, host="host", process=number, version="1", settings={}, rules={})
    for number, name in enumerate(("first", "second"))
)
_LIMITS = text("SELECT current_setting('lock_timeout'), current_setting('idle_in_transaction_session_timeout')")
_OUTSIDE = text("SELECT current_setting('lock_timeout'), current_setting('default_transaction_read_only')")


@pytest.fixture
async def database(pooled_url: str) -> AsyncIterator[Database]:
    opened = Database(pooled_url)
    yield opened
    await opened.close()


async def test_each_transaction_has_its_limits_and_leaves_none_behind(database: Database, pooled_url: str) -> None:
    looking = Database(pooled_url, looking=True)
    lease = StoredReplicas(pooled_url)
    for _ in range(3):
        await lease.beat(FIRST, lead=True)
        assert await looking.run(lambda c: c.scalar(text("SHOW transaction_read_only"))) == "on"
        within = await asyncio.gather(*(database.run(lambda c: tuple(c.execute(_LIMITS).one())) for _ in range(9)))
        assert set(within) == {("5s", "30s")}
        outside = await asyncio.gather(*(database.read(lambda c: tuple(c.execute(_OUTSIDE).one())) for _ in range(9)))
        assert set(outside) == {("0", "off")}
    await lease.close()
    await looking.close()


async def test_a_process_that_stops_as_it_begins_keeps_no_connection(
    database: Database, pooled_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "IDLE_IN_TRANSACTION", "100ms")
    engine = engines.make_engine(pooled_url)
    stopped = [engine.connect() for _ in range(CONNECTIONS)]
    for connection in stopped:
        connection.begin()  # and nothing follows
    assert await database.run(lambda c: c.scalar(text("SELECT 1"))) == 1
    for connection in stopped:
        with pytest.raises(DBAPIError):
            connection.scalar(text("SELECT 1"))
        connection.invalidate()
    engine.dispose()


async def test_statements_that_are_often_repeated_are_not_prepared(database: Database) -> None:
    def repeat(connection: Connection) -> set[int | None]:
        return {connection.scalar(text("SELECT count(*) FROM pg_prepared_statements")) for _ in range(9)}

    for _ in range(9):
        assert await database.run(repeat) == {0}


async def test_of_a_replica_behind_it_no_connection_tells_whether_it_lives(
    database: Database, pooled_url: str, postgres_kept: object
) -> None:
    direct = pooled_url  # both by the pooler: neither may be taken for ended before its time
    stores = [StoredReplicas(direct, lease=LEASE) for _ in range(2)]
    fence = (await stores[0].beat(FIRST, lead=True)).fence
    assert fence is not None
    await stores[1].beat(SECOND, lead=True)
    await stores[1].free_if_gone()
    assert (await stores[0].beat(FIRST, lead=True)).fence == fence, "it leads on"
    silent = text("UPDATE replica SET beat_ms = 0, backend_us = 0")
    await database.run(lambda c: c.execute(silent))
    ended = has_ended(REPLICA.c.id, seen_by="second")
    assert await database.run(lambda c: c.execute(REPLICA.select().where(ended)).all()) == []
    for store in stores:
        await store.close()


@each_row(
    "address", ["postgresql://owner@localhost/dingerp?pooled=yes", "postgresql://owner@localhost/dingerp?pooled=1"]
)
def test_anything_but_yes_or_no_is_refused(address: str) -> None:
    with pytest.raises(ConfigurationError, match="pooled is true or false"):
        engines.make_engine(address)
