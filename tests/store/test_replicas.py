"""Who lives, who leads, and what a replica may still write that led before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import psycopg
import pytest
from sqlalchemy import create_engine, func, literal_column, select, text

from bot.mechanisms.leadership import TERM, LeadTerm
from bot.store.database import Database
from bot.store.errors import LeadLost
from bot.store.replicas import LEASE, Member, StoredReplicas
from bot.store.tables import HEARTBEAT
from bot.store.tables.upkeep import LEAD

_CLOCK = literal_column("(SELECT last_value FROM test_clock)")
FIRST, SECOND = (
    Member(id=name, host="host", process=number, version="1", settings={}, rules={})
    for number, name in enumerate(("first", "second"))
)


class Replicas:
    """Replicas of one database, whose clock the tests set."""

    def __init__(self, url: str) -> None:
        self.stores = {member.id: StoredReplicas(url, clock=_CLOCK) for member in (FIRST, SECOND)}
        self.database = Database(url)
        self.url = url
        self.now = 0

    async def pass_time(self, seconds: float) -> None:
        self.now += round(seconds * 1000)
        await self.database.run(lambda connection: connection.execute(text(f"SELECT setval('test_clock', {self.now})")))

    async def fence(self, member: Member, *, lead: bool = True) -> int | None:
        return (await self.stores[member.id].beat(member, lead=lead)).fence

    async def close(self) -> None:
        for store in self.stores.values():
            await store.close()
        await self.database.close()


@pytest.fixture
async def replicas(postgres_url: str) -> AsyncIterator[Replicas]:
    engine = create_engine(postgres_url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.execute(text("CREATE SEQUENCE IF NOT EXISTS test_clock"))
    made = Replicas(postgres_url)
    await made.pass_time(1_000_000)
    yield made
    await made.close()
    with engine.begin() as connection:
        connection.execute(text("DROP SEQUENCE test_clock"))
    engine.dispose()


_SECONDS = LEASE.total_seconds()


async def test_one_leads_until_its_lease_ends_without_a_beat(replicas: Replicas) -> None:
    first = await replicas.fence(FIRST)
    assert first is not None
    assert await replicas.fence(SECOND) is None
    await replicas.pass_time(_SECONDS - 1)
    assert await replicas.fence(FIRST) == first, "renewed"
    await replicas.pass_time(_SECONDS - 1)
    assert await replicas.fence(SECOND) is None
    await replicas.pass_time(1)
    taken = await replicas.fence(SECOND)
    assert taken == first + 1
    assert await replicas.fence(FIRST) is None


async def test_a_lead_that_is_released_is_free_at_once(replicas: Replicas) -> None:
    first = await replicas.fence(FIRST)
    assert await replicas.fence(SECOND, lead=False) is None
    await replicas.stores["first"].release(FIRST)
    assert first is not None
    assert await replicas.fence(SECOND) == first + 1


async def test_a_lead_is_free_at_once_when_the_connection_of_its_holder_has_ended(replicas: Replicas) -> None:
    await replicas.fence(FIRST)
    await replicas.stores["second"].free_if_gone()
    assert await replicas.fence(SECOND) is None, "it is connected"
    end = text("SELECT pg_terminate_backend(backend) FROM replica WHERE id = 'first'")
    await replicas.database.run(lambda connection: connection.execute(end))
    gone = select(func.count()).select_from(text("pg_stat_activity JOIN replica ON pid = backend"))
    async with asyncio.timeout(30):
        while await replicas.database.run(lambda c: c.scalar(gone)) != 1:  # noqa: ASYNC110 - the server ends it
            await asyncio.sleep(0.01)
    await replicas.stores["second"].free_if_gone()
    assert await replicas.fence(SECOND) is not None


async def test_a_transaction_that_a_frozen_replica_left_in_a_pipeline_holds_nobody_up(replicas: Replicas) -> None:
    """PostgreSQL does not take it for idle: it waits for the pipeline's next statement."""
    first = await replicas.fence(FIRST)
    address = replicas.url.replace("+psycopg", "")
    frozen = psycopg.connect(address, application_name="dingerp first")
    pipeline = frozen.pipeline()
    pipeline.__enter__()
    frozen.execute("SELECT fence FROM lead FOR KEY SHARE")
    frozen.pgconn.send_flush_request()
    frozen.pgconn.flush()
    waits = text("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'dingerp first' AND state = 'active'")
    async with asyncio.timeout(30):
        while not await replicas.database.run(lambda c: c.scalar(waits)):  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.01)
    await replicas.pass_time(_SECONDS)
    assert first is not None
    assert await replicas.fence(SECOND) == first + 1
    frozen.pgconn.finish()


async def test_a_copy_of_the_database_on_its_server_ends_nothing_of_the_original(
    replicas: Replicas, empty_postgres_url: str
) -> None:
    await replicas.fence(FIRST)
    with psycopg.connect(empty_postgres_url.replace("+psycopg", ""), application_name="dingerp first") as original:
        original.execute("SELECT 1")
        await replicas.pass_time(_SECONDS)
        await replicas.fence(SECOND)
        assert original.execute("SELECT 2").fetchone() == (2,)


async def test_everyone_sees_who_lives(replicas: Replicas) -> None:
    await replicas.fence(FIRST)
    await replicas.pass_time(_SECONDS)
    pulse = await replicas.stores["second"].beat(SECOND, lead=True)
    assert {member.id: member.is_alive for member in pulse.members} == {"first": False, "second": True}
    assert pulse.leader == "second"
    await replicas.stores["first"].leave(FIRST)
    pulse = await replicas.stores["second"].beat(SECOND, lead=True)
    assert [member.id for member in pulse.members] == ["second"]


async def test_what_only_the_leader_writes_is_refused_after_its_term(replicas: Replicas) -> None:
    fence = await replicas.fence(FIRST)
    term = LeadTerm(fence)
    token = TERM.set(term)
    try:
        write = HEARTBEAT.insert().values(id=7, at_ms=1)
        await replicas.database.execute(write)
        await replicas.pass_time(_SECONDS)
        await replicas.database.execute(HEARTBEAT.delete())  # nobody has taken over
        taken = await replicas.fence(SECOND)
        assert taken is not None
        with pytest.raises(LeadLost):
            await replicas.database.execute(write)
        assert term.is_over, "so its other work ends, too"
    finally:
        TERM.reset(token)
    count = select(func.count()).select_from(HEARTBEAT)
    assert await replicas.database.run(lambda connection: connection.scalar(count)) == 0


async def test_a_take_over_waits_for_a_write_that_has_begun(replicas: Replicas) -> None:
    fence = await replicas.fence(FIRST)
    began, ends = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    async def write() -> None:
        TERM.set(LeadTerm(fence))

        def work(_: object) -> None:
            loop.call_soon_threadsafe(began.set)
            asyncio.run_coroutine_threadsafe(ends.wait(), loop).result(60)

        await replicas.database.run(work)

    writing = asyncio.create_task(write())
    await began.wait()
    assert await replicas.fence(FIRST) == fence, "a renewal does not wait"
    await replicas.pass_time(_SECONDS)
    taking = asyncio.create_task(replicas.fence(SECOND))
    waits = select(func.count()).select_from(text("pg_stat_activity")).where(text("wait_event_type = 'Lock'"))
    async with asyncio.timeout(30):
        while not await replicas.database.run(lambda c: c.scalar(waits)):  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.01)
    ends.set()
    assert await taking == (fence or 0) + 1
    await writing
    assert await replicas.database.run(lambda c: c.scalar(select(LEAD.c.fence))) == (fence or 0) + 1
