"""Several workers, dying ones, and leases: no card is lost, none is made twice, the newest state stands."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import Counter
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text, update

from bot.kit.simulator.config import SimulatorConfig
from bot.kit.simulator.server import RunningSimulator, open_simulator
from bot.outbox import worker
from bot.outbox.delivery import DeliveryState
from bot.outbox.place import Place
from bot.outbox.ports import LEASE
from bot.store.database import Database
from bot.store.engines import CONNECTION_PREFIX
from bot.store.errors import StoreUnavailable
from bot.store.outbox.deliveries import StoredDeliveries
from bot.store.outbox.queue import StoredBacklog
from bot.store.replicas import LEASE as REPLICA_LEASE
from bot.store.replicas import Member, StoredReplicas
from bot.store.tables import REPLICA
from tests.outbox.conftest import (
    START,
    WIDE,
    Clock,
    OutboxHarness,
    RecordingMessenger,
    RevisionComposer,
    database_at,
    outbox_of,
    owed,
)
from tests.outbox.worker_process import fast_clock
from tests.scenario.processes import Program, at_work

_NAMES = itertools.count()
_UNITS = {"beat_ms": timedelta(milliseconds=1), "backend_us": timedelta(microseconds=1)}
ENDED = REPLICA_LEASE + timedelta(seconds=1)


async def test_a_lease_that_ended_gives_the_row_to_another_worker(
    harness: OutboxHarness, messenger: RecordingMessenger
) -> None:
    backlog = StoredBacklog(harness.database)
    await harness.owe("a")
    claim = await backlog.claim("dead", WIDE, room=5, sparing=False, now=harness.clock())
    assert [row.card for row in claim.rows] == ["a"]
    assert await harness.outbox.run_once() == START + LEASE
    assert messenger.sent == []
    harness.clock.forward(seconds=LEASE.total_seconds())
    await harness.work()
    assert messenger.words == [("show", "a r1")]


async def test_who_comes_back_after_its_lease_changes_nothing(
    harness: OutboxHarness, messenger: RecordingMessenger
) -> None:
    began, gate = asyncio.Event(), asyncio.Event()
    show = messenger.show

    async def slow(*card: Any, **how: Any) -> tuple[Place, ...]:
        began.set()
        await gate.wait()
        return await show(*card, **how)

    messenger.show = slow  # type: ignore[method-assign]
    await harness.owe("a")
    await harness.outbox.run_once()
    await asyncio.wait_for(began.wait(), 60)
    messenger.show = show  # type: ignore[method-assign]
    harness.clock.forward(seconds=LEASE.total_seconds())
    await harness.owe("a", 2)
    other = outbox_of(harness.database, harness.composer, messenger, harness.clock)
    await other.run_once()
    await other.idle()
    gate.set()
    await harness.outbox.idle()
    row = await harness.row("a")
    assert (row.state, row.shown) == (DeliveryState.DONE, 2)
    # The card may stand since the first worker's try: it was made again, which changes nothing, and then changed.
    assert messenger.words == [("show", "a r2"), ("change", "a r2"), ("show", "a r1")]


async def test_two_workers_never_hold_one_card(harness: OutboxHarness, messenger: RecordingMessenger) -> None:
    crowd = [owed(f"a{number:02}") for number in range(60)]
    harness.composer.revisions |= {delivery.card: 1 for delivery in crowd}
    await harness.outbox.enqueue(*crowd)
    backlog = StoredBacklog(harness.database)
    claims = await asyncio.gather(
        *(backlog.claim(f"w{number}", WIDE, room=10, sparing=False, now=harness.clock()) for number in range(8))
    )
    held = Counter(row.card for claim in claims for row in claim.rows)
    assert (len(held), set(held.values())) == (60, {1})


async def test_a_worker_that_is_stopped_gives_back_what_it_holds(
    harness: OutboxHarness, messenger: RecordingMessenger
) -> None:
    began = asyncio.Event()

    async def forever(*card: Any, **how: Any) -> None:
        began.set()
        await asyncio.Event().wait()

    show, messenger.show = messenger.show, forever  # type: ignore[method-assign]
    await harness.owe("a")
    task = asyncio.create_task(harness.outbox.run())
    await asyncio.wait_for(began.wait(), 60)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    messenger.show = show  # type: ignore[method-assign]
    other = outbox_of(harness.database, harness.composer, messenger, harness.clock)
    await other.run_once()
    await other.idle()
    assert messenger.words == [("show", "a r1")]


async def test_a_restart_on_sqlite_waits_for_no_lease(sqlite_url: str) -> None:
    async with database_at(sqlite_url) as database:
        clock = Clock()
        composer, messenger = RevisionComposer(database, clock, {"a": 1}), RecordingMessenger(clock)
        await StoredBacklog(database).enqueue(owed("a"), now=START)
        await StoredBacklog(database).claim("dead", WIDE, room=5, sparing=False, now=START)
        task = asyncio.create_task(outbox_of(database, composer, messenger, clock).run())
        async with asyncio.timeout(60):
            while not messenger.sent:  # noqa: ASYNC110 - the worker tells nobody
                await asyncio.sleep(0.005)
        task.cancel()
        await asyncio.wait([task])
        assert messenger.words == [("show", "a r1")]


@pytest.mark.parametrize(
    ("beat", "connected", "me_connected", "taken"),
    [
        pytest.param(ENDED, False, ENDED, 1, id="one that was killed"),
        pytest.param(ENDED, True, ENDED, 0, id="one that stands still, and may go on sending"),
        pytest.param(timedelta(0), False, ENDED, 0, id="one that lives"),
        pytest.param(ENDED, False, timedelta(0), 0, id="any, seen by a replica that has just come back itself"),
    ],
)
async def test_what_an_ended_replica_was_sending_is_sent_by_another_at_once(
    postgres_url: str, beat: timedelta, connected: bool, me_connected: timedelta, taken: int
) -> None:
    async with database_at(postgres_url) as mine, AsyncExitStack() as stack:
        theirs = Database(postgres_url)
        stack.push_async_callback(theirs.close)
        for database in (mine, theirs):
            await join(database, postgres_url)
        await StoredBacklog(mine).enqueue(owed("a"), now=START)
        await StoredBacklog(theirs).claim(theirs.worker("cards"), WIDE, room=5, sparing=False, now=START)
        await age(mine, theirs.process, beat_ms=beat)
        await age(mine, mine.process, backend_us=me_connected)
        if not connected:
            await stack.aclose()
            await until_disconnected(mine, theirs.process)
        assert await StoredBacklog(mine).take_over(START) == taken
        claim = await StoredBacklog(mine).claim(mine.worker("cards"), WIDE, room=5, sparing=False, now=START)
        assert len(claim.rows) == taken


async def join(database: Database, url: str) -> None:
    """Let the process live by one beat, whose connection is closed afterwards."""
    store = StoredReplicas(url)
    await store.beat(Member(id=database.process, host="", process=1, version="", settings={}, rules={}), lead=False)
    await store.close()


async def age(database: Database, process: str, **since: timedelta) -> None:
    """Let a replica have beaten, or connected, that long ago."""
    ago = {name: REPLICA.c[name] - value // _UNITS[name] for name, value in since.items()}
    await database.execute(update(REPLICA).where(REPLICA.c.id == process).values(ago))


async def until_disconnected(database: Database, process: str) -> None:
    left = text("SELECT count(*) FROM pg_stat_activity WHERE application_name = :name")
    async with asyncio.timeout(60):
        while await database.run(lambda c: c.scalar(left, {"name": CONNECTION_PREFIX + process})):  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.01)


async def test_a_running_worker_is_woken_by_what_is_enqueued(
    harness: OutboxHarness, messenger: RecordingMessenger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "LOOK_EVERY", timedelta(days=1))
    task = asyncio.create_task(harness.outbox.run())
    for number in range(30):
        await harness.owe(f"a{number}")
        async with asyncio.timeout(60):
            while len(messenger.sent) <= number:  # noqa: ASYNC110 - the messenger tells nobody
                await asyncio.sleep(0.0005)
    task.cancel()
    await asyncio.wait([task])


async def test_a_database_that_is_away_for_a_moment_is_waited_for(
    harness: OutboxHarness, messenger: RecordingMessenger
) -> None:
    claim, troubles = harness.outbox._backlog.claim, [StoreUnavailable("OperationalError")]

    async def sometimes(*args: object, **more: object) -> object:
        if troubles:
            raise troubles.pop()
        return await claim(*args, **more)  # type: ignore[arg-type]

    harness.outbox._backlog.claim = sometimes  # type: ignore[method-assign]
    await harness.owe("a")
    task = asyncio.create_task(harness.outbox.run())
    async with asyncio.timeout(60):
        while not messenger.sent:
            harness.outbox.poke()
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait([task])
    assert messenger.words == [("show", "a r1")]


def worker_process(url: str, simulator: RunningSimulator, folder: Path) -> AbstractAsyncContextManager[Program]:
    return at_work("tests.outbox.worker_process", url, simulator.url, f"process-{next(_NAMES)}", folder=folder)


async def storm(database: Database, simulator: RunningSimulator, rng: random.Random, *, cards: int) -> dict[str, int]:
    """Owe cards three states each, in any order, over a second or so; return the last ones."""
    backlog = StoredBacklog(database)
    group = Place.parse(
        next(
            conversation.id
            for conversation in simulator.engine.chat.conversations.values()
            if conversation.kind == "group"
        )
    )
    wanted = [(f"card{number:03}", revision) for number in range(cards) for revision in (1, 2, 3)]
    rng.shuffle(wanted)
    for card, revision in wanted:
        await backlog.enqueue(owed(card, revision, place=group, due_at=fast_clock()), now=fast_clock())
        await asyncio.sleep(0.004)
    return {card: 3 for card, _ in wanted}


async def settled(database: Database, seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while await StoredBacklog(database).waiting():  # noqa: ASYNC110 - the processes tell nobody
            await asyncio.sleep(0.1)


def check(simulator: RunningSimulator, last: dict[str, int]) -> None:
    """Every card stands exactly once and shows its last state."""
    group = next(
        conversation for conversation in simulator.engine.chat.conversations.values() if conversation.kind == "group"
    )
    items = [item for item in simulator.engine.items(group.id) if item["kind"] == "card"]
    assert Counter(item["card"]["outTrackId"] for item in items) == {f"track-{card}": 1 for card in last}
    assert {item["card"]["title"] for item in items} == {f"{card} r{revision}" for card, revision in last.items()}


@pytest.mark.process
@pytest.mark.timeout(600)
async def test_two_processes_on_postgresql_one_of_which_is_killed_again_and_again(
    postgres_url: str, tmp_path: Path
) -> None:
    rng = random.Random(7)
    async with database_at(postgres_url) as database, open_simulator(SimulatorConfig(qps_limit=None)) as simulator:
        faults = simulator.engine.faults
        faults.set("slow_api", on=True, delay_ms=15)
        faults.set("lying_timeout", on=True, rate=0.03, delay_ms=600, api="card/instances")
        faults.set("system_busy", on=True, rate=0.05, api="card/instances")
        async with worker_process(postgres_url, simulator, tmp_path):
            storming = asyncio.create_task(storm(database, simulator, rng, cards=60))
            for _ in range(3):
                async with worker_process(postgres_url, simulator, tmp_path) as victim:
                    await asyncio.sleep(rng.uniform(0.05, 0.6))
                    await victim.kill()
            last = await storming
            faults.clear()
            await settled(database, 60)
        check(simulator, last)
        rows = await StoredDeliveries(database).search(limit=1000)
        assert {(row.state, row.shown) for row in rows} == {(DeliveryState.DONE, 3)}


@pytest.mark.process
@pytest.mark.timeout(600)
async def test_one_process_on_sqlite_that_is_killed_again_and_again(sqlite_url: str, tmp_path: Path) -> None:
    rng = random.Random(11)
    async with database_at(sqlite_url) as database, open_simulator(SimulatorConfig(qps_limit=None)) as simulator:
        faults = simulator.engine.faults
        faults.set("slow_api", on=True, delay_ms=15)
        faults.set("lying_timeout", on=True, rate=0.03, delay_ms=600, api="card/instances")
        storming = asyncio.create_task(storm(database, simulator, rng, cards=40))
        for _ in range(4):
            async with worker_process(sqlite_url, simulator, tmp_path) as victim:
                await asyncio.sleep(rng.uniform(0.05, 0.5))
                await victim.kill()
        last = await storming
        faults.clear()
        async with worker_process(sqlite_url, simulator, tmp_path):
            await settled(database, 60)
        check(simulator, last)
