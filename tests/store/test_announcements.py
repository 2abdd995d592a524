"""A replica is told when another one has stored work, and looks for it when it cannot be told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.engine import Connection
from structlog.testing import capture_logs

from bot.approvals.absence import Absence
from bot.mechanisms.metrics import Metrics
from bot.mechanisms.wakeup import SharedWork, WakeupsByOthers
from bot.store.alerts.events import insert_events
from bot.store.announcement_listener import AnnouncementListener
from bot.store.announcements import announce
from bot.store.approvals.repository import StoredCaseRepository
from bot.store.database import Database
from bot.store.engines import CONNECTION_PREFIX
from bot.store.outbox.queue import StoredBacklog, enqueue
from tests.approvals.test_repository import a_case
from tests.free_ports import free_port
from tests.outbox.conftest import WIDE, owed
from tests.store.test_events import event

NOW = datetime(2026, 12, 2, 9, 0, tzinfo=UTC)
LISTENER = "listener"


class Replica:
    """A replica that listens, and what its workers were woken for."""

    def __init__(self, url: str, process: str) -> None:
        self.wakeups = WakeupsByOthers()
        self.metrics = Metrics()
        self.listener = AnnouncementListener(url, self.wakeups, process=process, metrics=self.metrics)
        self._woken: asyncio.Queue[SharedWork] = asyncio.Queue()
        for work in SharedWork:
            self.wakeups.add(work, lambda work=work: self._woken.put_nowait(work))

    async def woken(self) -> SharedWork:
        async with asyncio.timeout(60):
            return await self._woken.get()

    async def woken_for_all(self) -> None:
        """Wait until every worker has been woken."""
        assert [await self.woken() for _ in SharedWork] == list(SharedWork)


@asynccontextmanager
async def listening(url: str, process: str = LISTENER) -> AsyncIterator[Replica]:
    replica = Replica(url, process)
    running = asyncio.create_task(replica.listener.run())
    try:
        await replica.woken_for_all()
        yield replica
    finally:
        running.cancel()
        await asyncio.wait([running])


@asynccontextmanager
async def one_of_several(url: str) -> AsyncIterator[Database]:
    database = Database(url, shared=True)
    try:
        yield database
    finally:
        await database.close()


def put_case(connection: Connection, due_at: datetime | None) -> None:
    repository = StoredCaseRepository(connection, NOW)
    repository.put(a_case(due_at=due_at))
    repository.flush()


def put_absence(connection: Connection) -> None:
    away = Absence(user_id="u1", begins=NOW, ends=NOW + timedelta(days=1), substitute="", due_at=NOW)
    StoredCaseRepository(connection, NOW).change_absence(None, away)


@pytest.mark.parametrize(
    ("stored", "work"),
    [
        (lambda c: enqueue(c, owed("a"), now=NOW), SharedWork.DELIVERIES),
        (lambda c: insert_events(c, [event(1)]), SharedWork.EVENTS),
        (lambda c: put_case(c, NOW), SharedWork.DECISIONS),
        (put_absence, SharedWork.DECISIONS),
    ],
    ids=["a card", "an event", "a case that is due", "an absence"],
)
async def test_what_is_stored_wakes_the_other_replica(
    postgres_url: str, stored: Callable[[Connection], None], work: SharedWork
) -> None:
    async with one_of_several(postgres_url) as database, listening(postgres_url) as replica:
        await database.run(stored)
        assert await replica.woken() is work
        assert replica.metrics.announcements.labels(work.value)._value.get() == 1


async def test_what_a_stopping_worker_gives_back_wakes_the_other_replica(postgres_url: str) -> None:
    async with one_of_several(postgres_url) as database:
        backlog = StoredBacklog(database)
        await backlog.enqueue(owed("a"), now=NOW)
        await backlog.claim("stopping", WIDE, room=1, sparing=False, now=owed("a").due_at)
        async with listening(postgres_url) as replica:
            assert await backlog.release("stopping", NOW) == 1
            assert await replica.woken() is SharedWork.DELIVERIES


def _fail(connection: Connection) -> None:
    enqueue(connection, owed("a"), now=NOW)
    raise KeyError("rolled back")


@pytest.mark.parametrize("silent", ["a rollback", "a case for later", "a known event", "a replica alone", "its own"])
async def test_nobody_is_woken_without_need(postgres_url: str, silent: str) -> None:
    async with one_of_several(postgres_url) as database:
        await database.run(lambda c: insert_events(c, [event(1)]))
        process = database.process if silent == "its own" else LISTENER
        async with listening(postgres_url, process) as replica, one_of_several(postgres_url) as other:
            match silent:
                case "a rollback":
                    with pytest.raises(KeyError):
                        await database.run(_fail)
                case "a case for later":
                    await database.run(lambda c: put_case(c, NOW + timedelta(seconds=1)))
                case "a known event":
                    await database.run(lambda c: insert_events(c, [event(1)]))
                case "a replica alone":
                    alone = Database(postgres_url)
                    await StoredBacklog(alone).enqueue(owed("a"), now=NOW)
                    await alone.close()
                case "its own":
                    await StoredBacklog(database).enqueue(owed("a"), now=NOW)
            await other.run(lambda c: announce(c, SharedWork.EVENTS))
            assert await replica.woken() is SharedWork.EVENTS, "nothing came before"


async def test_bots_in_other_schemas_of_a_database_are_not_told(postgres_url: str) -> None:
    async with one_of_several(postgres_url) as database, listening(postgres_url) as replica:
        await database.execute(text("CREATE SCHEMA elsewhere"))
        async with one_of_several(f"{postgres_url}?options=-csearch_path%3Delsewhere") as neighbour:
            await neighbour.run(lambda c: announce(c, SharedWork.DELIVERIES))
        await database.run(lambda c: announce(c, SharedWork.EVENTS))
        assert await replica.woken() is SharedWork.EVENTS


async def test_a_replica_whose_connection_is_cut_looks_on_its_own_until_it_is_back(postgres_url: str) -> None:
    cut = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = :name")
    async with one_of_several(postgres_url) as database, listening(postgres_url) as replica:
        with capture_logs() as log:
            await database.run(lambda c: c.execute(cut, {"name": CONNECTION_PREFIX + LISTENER}))
            await replica.woken_for_all()  # to look now, and often from now on
            await replica.woken_for_all()  # it is back, and looks once for what it was not told
        assert replica.wakeups.are_on
        said = [line["event"] for line in log if line["event"].startswith("announcements.")]
        assert said == ["announcements.not_heard", "announcements.heard"]
        await database.run(lambda c: announce(c, SharedWork.DELIVERIES))
        assert await replica.woken() is SharedWork.DELIVERIES


async def test_a_database_that_is_away_is_said_once_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    replica = Replica(f"postgresql://nobody@127.0.0.1:{free_port()}/nowhere", LISTENER)
    tries = 0
    connect = psycopg.AsyncConnection.connect
    enough = asyncio.Event()

    async def counted(**arguments: Any) -> Any:
        nonlocal tries
        tries += 1
        if tries == 3:
            enough.set()
        return await connect(**arguments)

    monkeypatch.setattr(psycopg.AsyncConnection, "connect", counted)
    with capture_logs() as log:
        running = asyncio.create_task(replica.listener.run())
        async with asyncio.timeout(60):
            await enough.wait()
        running.cancel()
        await asyncio.wait([running])
    assert [line["event"] for line in log] == ["announcements.not_heard"]
    assert replica._woken.empty(), "nothing has changed for the workers"
