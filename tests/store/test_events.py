"""The event table on SQLite and PostgreSQL: each event once, in order, and none lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.alerts.intake.batched_intake import BatchedIntake
from bot.alerts.intake.port import EventState, ReceivedEvent, StoredEvent
from bot.mechanisms.metrics import Metrics
from bot.store.alerts.events import (
    EventSearch,
    StoredEvents,
    insert_events,
    mark_done,
    mark_rejected,
    take_waiting,
)
from bot.store.alerts.packs import PACK
from bot.store.alerts.repository import StoredAlertTransactions
from bot.store.database import Database
from bot.store.tables import EVENT, EVENT_PACK
from tests.alerts.intake.samples import cloud_event

NOW = datetime(2026, 11, 24, 4, 0, 0, 123000, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgres"])
async def database(request: pytest.FixtureRequest) -> AsyncIterator[Database]:
    database = Database(request.getfixturevalue(f"{request.param}_url"))
    await database.migrate()
    yield database
    await database.close()


def event(number: int, **changes: object) -> ReceivedEvent:
    received = ReceivedEvent(
        source="main",
        origin="/erp",
        id=f"E-{number}",
        type="stock.low",
        subject=f"SKU{number}",
        severity="",
        via="webhook",
        at=NOW - timedelta(minutes=1),
        received_at=NOW,
        raw='{"a":"\\u0000 螺丝 \' \\"","n":1.50}',
    )
    return replace(received, **changes)  # type: ignore[arg-type]


async def waiting(database: Database, limit: int = 100) -> tuple[StoredEvent, ...]:
    return await database.run(lambda connection: take_waiting(connection, limit))


async def test_what_is_kept_comes_back_as_it_was_in_order(database: Database) -> None:
    events = [event(n, subject="螺丝'\"\\") for n in (3, 1, 2)]
    new = await StoredEvents(database).keep(events)

    assert new == {each.key for each in events}
    found = await waiting(database)
    assert [each.id for each in found] == ["E-3", "E-1", "E-2"]
    assert [each.seq for each in found] == sorted(each.seq for each in found)
    for stored, before in zip(found, events, strict=True):
        assert {name: getattr(stored, name) for name in ReceivedEvent.__dataclass_fields__} == {
            name: getattr(before, name) for name in ReceivedEvent.__dataclass_fields__
        }
    assert [each.id for each in await waiting(database, 2)] == ["E-3", "E-1"]


async def test_what_is_known_stays_as_it_is(database: Database) -> None:
    store = StoredEvents(database)
    await store.keep([event(1)])
    await database.run(lambda connection: mark_done(connection, [1]))

    changed = event(1, raw="{}", subject="other")
    assert await store.keep([changed, event(2)]) == {event(2).key}
    assert await store.keep([replace(changed, state=EventState.REJECTED, reason="late")]) == frozenset()
    (kept,) = await store.search(EventSearch(event_id="E-1"))
    assert (kept.state, kept.subject, kept.reason) == (EventState.DONE, "SKU1", "")


async def test_the_same_id_of_another_source_or_origin_is_another_event(database: Database) -> None:
    store = StoredEvents(database)
    await store.keep([event(1)])

    assert len(await store.keep([event(1, source="other"), event(1, origin="/erp/2")])) == 2


async def test_what_was_rejected_takes_its_place_once_it_is_in_order(database: Database) -> None:
    store = StoredEvents(database)
    bad = event(1, state=EventState.REJECTED, reason="type is not known here", type="nonsense", raw="{}")
    assert await store.keep([bad]) == frozenset()
    assert await waiting(database) == ()

    assert await store.keep([event(1)]) == {event(1).key}
    (kept,) = await waiting(database)
    assert (kept.type, kept.reason, kept.raw) == ("stock.low", "", event(1).raw)
    assert await store.keep([bad]) == frozenset()
    assert len(await waiting(database)) == 1


async def test_work_is_marked_in_the_transaction_of_its_results(database: Database) -> None:
    store = StoredEvents(database)
    await store.keep([event(n) for n in range(1200)])

    def work(connection: sa.Connection) -> None:
        taken = take_waiting(connection, 1000)
        mark_rejected(connection, {taken[0].seq: "not understood any more"})
        mark_done(connection, [each.seq for each in taken[1:]])
        mark_rejected(connection, {taken[1].seq: "done by another process meanwhile"})

    def fail(connection: sa.Connection) -> None:
        work(connection)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await database.run(fail)
    assert len(await waiting(database, 2000)) == 1200

    await database.run(work)
    assert [each.id for each in await waiting(database)] == [f"E-{n}" for n in range(1000, 1100)]
    (aside,) = await store.search(EventSearch(state=EventState.REJECTED))
    assert (aside.id, aside.reason) == ("E-0", "not understood any more")


async def test_old_events_are_forgotten_and_waiting_ones_never(database: Database) -> None:
    store = StoredEvents(database)
    old, older = NOW - timedelta(days=40), NOW - timedelta(days=100)
    await store.keep([event(1, received_at=older), event(2, received_at=old), event(3), event(4, received_at=older)])
    rejected = {"state": EventState.REJECTED, "reason": "x"}
    await store.keep([event(5, received_at=old, **rejected), event(6, received_at=older, **rejected)])
    await database.run(lambda connection: mark_done(connection, [1, 2, 3]))

    assert await store.prune(NOW, done=timedelta(days=30), rejected=timedelta(days=90)) == 3
    assert {each.id for each in await store.search(EventSearch())} == {"E-3", "E-4", "E-5"}


async def test_numbers_are_never_given_twice(database: Database) -> None:
    store = StoredEvents(database)
    await store.keep([event(1, received_at=NOW - timedelta(days=99))])
    (first,) = await waiting(database)
    await database.run(lambda connection: mark_done(connection, [first.seq]))
    await store.prune(NOW, done=timedelta(days=30), rejected=timedelta(days=90))

    await store.keep([event(1)])
    (again,) = await waiting(database)
    assert again.seq > first.seq


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (EventSearch(), "54321"),
        (EventSearch(limit=2), "54"),
        (EventSearch(before=3), "21"),
        (EventSearch(source="other"), "5"),
        (EventSearch(type="stock.low"), "51"),
        (EventSearch(type="stock.*"), "521"),
        (EventSearch(type="%.*"), ""),
        (EventSearch(subject="SKU3"), "3"),
        (EventSearch(state=EventState.REJECTED), "4"),
        (EventSearch(since=NOW), "54321"),
        (EventSearch(since=NOW + timedelta(milliseconds=1)), "5"),
        (EventSearch(until=NOW + timedelta(milliseconds=1)), "4321"),
        (EventSearch(type="custom.x", state=EventState.WAITING, subject="SKU3"), "3"),
    ],
)
async def test_searching(database: Database, wanted: EventSearch, found: str) -> None:
    store = StoredEvents(database)
    await store.keep(
        [
            event(1),
            event(2, type="stock.out"),
            event(3, type="custom.x"),
            event(4, type="", state=EventState.REJECTED, reason="x"),
            event(5, source="other", received_at=NOW + timedelta(seconds=1)),
        ]
    )
    assert "".join(each.id.removeprefix("E-") for each in await store.search(wanted)) == found


async def test_nothing_is_nothing(database: Database) -> None:
    assert await database.run(lambda connection: insert_events(connection, [])) == frozenset()
    await database.run(lambda connection: mark_done(connection, []))


async def test_many_at_once_through_the_door_are_stored_once_each(database: Database) -> None:
    """The port over the real table: concurrent hand-overs, many of them the same events."""
    intake = BatchedIntake(StoredEvents(database), metrics=Metrics(), now=lambda: NOW)
    hand_overs = [[cloud_event(id=f"E-{(start + n) % 300}") for n in range(20)] for start in range(0, 600, 10)]
    receipts = await asyncio.gather(*(intake.accept("main", events, via="queue") for events in hand_overs))

    assert sum(each.accepted for each in receipts) == 300
    assert sum(each.accepted + each.duplicate for each in receipts) == 60 * 20
    assert len(await waiting(database, 1000)) == 300


async def test_the_migration_makes_what_the_statements_expect(database: Database) -> None:
    from bot.store.tables import EVENT

    def shape(connection: sa.Connection) -> tuple[set[str], set[str], set[str]]:
        inspector = sa.inspect(connection)
        columns = {column["name"] for column in inspector.get_columns("event")}
        indexes = {str(index["name"]) for index in inspector.get_indexes("event") if not index["unique"]}
        unique = {str(each["name"]) for each in inspector.get_unique_constraints("event")}
        return columns, indexes, unique

    columns, indexes, unique = await database.run(shape)
    assert columns == {column.name for column in EVENT.columns}
    assert indexes == {str(index.name) for index in EVENT.indexes}
    assert unique == {"uq_event_source"}


async def test_what_is_accepted_is_committed_through_to_the_disk(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    durable = []
    run = Database.run_blocking

    def note(self: Database, call: Any, **options: Any) -> Any:
        durable.append(options.get("durable", False))
        return run(self, call, **options)

    monkeypatch.setattr(Database, "run_blocking", note)
    await StoredEvents(database).keep([event(1)])
    transactions = StoredAlertTransactions(database, lambda: NOW)
    await transactions.transact(lambda repository: repository.alerts(()))
    await transactions.try_transact(lambda repository: repository.alerts(()))
    assert durable == [True, True, False]


def body(number: int) -> str:
    return f'{{"n":{number},"name":"内六角螺丝 M6×20"}}'


async def packs(database: Database) -> int:
    count = sa.select(sa.func.count()).select_from(EVENT_PACK)
    return await database.run(lambda connection: connection.scalar(count) or 0)


async def test_many_that_come_together_say_what_they_said(database: Database) -> None:
    many = [event(number, raw=body(number)) for number in range(3 * PACK - 5)]
    await StoredEvents(database).keep(many)
    assert await packs(database) == 3
    assert [(kept.id, kept.raw) for kept in await waiting(database, 1000)] == [(one.id, one.raw) for one in many]
    (found,) = await StoredEvents(database).search(EventSearch(event_id=f"E-{PACK}"))
    assert found.raw == body(PACK)


async def test_what_is_all_known_leaves_no_bodies(database: Database) -> None:
    store = StoredEvents(database)
    await store.keep([event(1), event(2, state=EventState.REJECTED, reason="no")])
    assert await packs(database) == 2, "what is rejected is kept for another time"
    await store.keep([event(1), event(2, state=EventState.REJECTED, reason="no")])
    assert await packs(database) == 2


async def test_bodies_are_forgotten_with_the_last_of_their_events(database: Database) -> None:
    store = StoredEvents(database)
    await store.keep([event(1), event(2), event(3, state=EventState.REJECTED, reason="no")])
    await database.run(lambda connection: mark_done(connection, [1]))
    later = NOW + timedelta(days=31)
    await store.prune(later, done=timedelta(days=30), rejected=timedelta(days=90))
    assert await packs(database) == 2, "one of the first two waits"
    await database.run(lambda connection: mark_done(connection, [2]))
    await store.prune(later, done=timedelta(days=30), rejected=timedelta(days=90))
    assert [kept.id for kept in await store.search(EventSearch())] == ["E-3"]
    assert await packs(database) == 1
    await store.prune(NOW + timedelta(days=91), done=timedelta(days=30), rejected=timedelta(days=90))
    assert await packs(database) == 0


async def test_what_an_older_version_stored_says_what_it_said(database: Database) -> None:
    await StoredEvents(database).keep([event(1), event(2, raw=body(2))])
    as_before = sa.update(EVENT).where(EVENT.c.seq == 1).values(raw=body(1), pack=0)
    await database.run(lambda connection: connection.execute(as_before))
    assert [kept.raw for kept in await waiting(database)] == [body(1), body(2)]
