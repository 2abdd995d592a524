"""The loop: batches of stored events, what is due, defects set aside, crashes, one process at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text
from structlog.testing import capture_logs

from bot.alerts import pipeline, timers
from bot.alerts.alert import Alert
from bot.alerts.event import Event
from bot.alerts.intake.normalization import normalize
from bot.alerts.intake.port import EventState, ReceivedEvent
from bot.alerts.processor import AlertProcessor
from bot.alerts.repository import AlertRepository, AlertUnitOfWork
from bot.alerts.routing import Routing
from bot.metrics import Metrics
from bot.severity import Severity
from bot.store.alerts import ALERT_RETENTION, StoredAlertTransactions
from bot.store.database import Database
from bot.store.errors import StoreUnavailable
from bot.store.events import EventSearch, StoredEvents
from bot.store.tables import ALERT, ALERT_CARD, ALERT_CARD_MEMBER, ALERT_NOTE, DELIVERY, METADATA
from tests.alerts.conftest import sqlite
from tests.alerts.scenario import ZERO, A, StubRules, second, seconds, to
from tests.erp.sql.postgres_server import Postgres


class Crashed(BaseException):
    """What `kill -9` is to a process: nothing that follows is done."""


class Clock:
    def __init__(self) -> None:
        self.time = ZERO

    def __call__(self) -> datetime:
        return self.time

    def at(self, number: float) -> None:
        self.time = second(number)


def kept(number: int, subject: str = "", at: float = 0, quantity: int = 5, **fields: Any) -> ReceivedEvent:
    body = {
        "specversion": "1.0",
        "id": f"evt-{number}",
        "source": "/erp",
        "type": "stock.low",
        "subject": subject or f"SKU{number}",
        "time": second(at).isoformat(),
        "data": {"quantity": str(quantity), **fields},
    }
    return normalize("erp", body, via="webhook", now=second(at))


class ProcessorHarness:
    """A database, a clock, rules, and as many desks as a test wants."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = Clock()
        self.rules = StubRules()
        self.metrics = Metrics()
        self.owed = 0
        self.told = asyncio.Event()
        self.events = StoredEvents(database)
        self.books = StoredAlertTransactions(database, self.clock)
        self._ids = count(1)
        self.prefix = "id"
        """Of the ids that this process gives."""

    def unit(self, repository: AlertRepository) -> AlertUnitOfWork:
        return AlertUnitOfWork(
            repository=repository, rules=self.rules, now=self.clock(), new_id=lambda: f"{self.prefix}{next(self._ids)}"
        )

    def desk(self, batch: int = 200) -> AlertProcessor:
        return AlertProcessor(
            self.books, unit=self.unit, now=self.clock, metrics=self.metrics, owed=self._poked, batch=batch
        )

    def _poked(self) -> None:
        self.owed += 1
        self.told.set()

    async def keep(self, *events: ReceivedEvent) -> None:
        await self.events.keep(events)

    async def states(self) -> dict[str, tuple[EventState, str]]:
        return {one.id: (one.state, one.reason) for one in await self.events.search(EventSearch(limit=10_000))}

    async def count(self, table: Any) -> int:
        return await self.database.run(
            lambda connection: connection.scalar(select(func.count()).select_from(table)) or 0
        )

    async def alerts(self) -> list[Alert]:
        return list(await self.books.transact(lambda repository: tuple(repository.open_alerts(10_000))))


@pytest.fixture
def office(tmp_path: Path) -> Iterator[ProcessorHarness]:
    with sqlite(tmp_path) as database:
        yield ProcessorHarness(database)


@asynccontextmanager
async def at_work(desk_: AlertProcessor) -> AsyncIterator[None]:
    task = asyncio.create_task(desk_.run())
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_stored_events_become_alerts_cards_and_deliveries_in_batches(office: ProcessorHarness) -> None:
    await office.keep(*(kept(number) for number in range(25)))
    await office.desk(batch=10).round()
    assert set((await office.states()).values()) == {(EventState.DONE, "")}
    assert len(await office.alerts()) == await office.count(ALERT_CARD) == await office.count(DELIVERY) == 25
    assert office.owed >= 3, "the outbox is poked after each commit"
    await office.desk().round()
    assert await office.count(ALERT) == 25


async def test_parts_of_an_event_and_words_it_no_longer_understands(office: ProcessorHarness) -> None:
    body = kept(1, items=[{"sku": "X1"}, {"sku": "X2"}])
    odd = replace(kept(2), raw='{"type": "forgotten.type"}')
    await office.keep(body, odd, kept(3))
    with capture_logs() as logs:
        await office.desk().round()
    states = await office.states()
    assert states["evt-1"][0] is states["evt-3"][0] is EventState.DONE
    assert states["evt-2"][0] is EventState.REJECTED
    assert states["evt-2"][1]
    assert [line["event"] for line in logs] == ["events.rejected"]
    assert {alert.event.subject for alert in await office.alerts()} == {"X1", "X2", "SKU3"}


async def test_what_was_read_from_the_database_is_known_as_the_same(office: ProcessorHarness) -> None:
    office.rules.targets = (to(A),)
    for number in range(3):
        await office.keep(kept(number, "SKU1", number, reorder_point="10.50", tags={"line": "3"}))
        await office.desk().round()
    (alert,) = await office.alerts()
    story = await office.books.transact(lambda repository: [note.what for note in repository.story(alert=alert.id)])
    assert story == ["opened", "routed", "shown", "repeated", "repeated"]
    assert (alert.count, alert.revision) == (3, 1)


async def test_a_poke_wakes_it_and_time_does(office: ProcessorHarness) -> None:
    office.rules.targets = (to(A, wait=seconds(3)),)
    desk_ = office.desk()
    async with at_work(desk_), asyncio.timeout(20):
        await office.keep(kept(1))
        desk_.poke()
        await office.told.wait()
        assert len(await office.alerts()) == 1
        assert await office.count(DELIVERY) == 0
        office.told.clear()
        office.clock.at(3)
        desk_.poke()
        await office.told.wait()
        assert await office.count(DELIVERY) == 1


async def test_it_sleeps_until_what_is_due_next(office: ProcessorHarness) -> None:
    assert await office.desk().round() == 5
    office.rules.targets = (to(A, wait=seconds(2)),)
    await office.keep(kept(1))
    assert await office.desk().round() == 2
    office.clock.at(2)
    assert await office.desk().round() == 5
    assert await office.count(DELIVERY) == 1


async def test_an_event_that_hits_a_defect_is_set_aside_and_stops_nobody(
    office: ProcessorHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    def poisoned(unit: AlertUnitOfWork, parts: Any) -> None:
        pipeline.process_event(unit, parts)
        if parts[0].subject == "POISON":
            raise RuntimeError("never seen before")

    monkeypatch.setattr("bot.alerts.processor.process_event", poisoned)
    await office.keep(kept(1), kept(2, "POISON"), kept(3), kept(4))
    with capture_logs() as logs:
        await office.desk().round()
    states = await office.states()
    assert states.pop("evt-2") == (EventState.REJECTED, "a defect of ours: RuntimeError")
    assert set(states.values()) == {(EventState.DONE, "")}
    assert {alert.event.subject for alert in await office.alerts()} == {"SKU1", "SKU3", "SKU4"}, "nothing half done"
    errors = [line for line in logs if line["log_level"] == "error"]
    assert [(line["event"], line["id"]) for line in errors] == [("alerts.event_failed", "evt-2")]
    assert office.metrics.errors.labels("alerts", "RuntimeError")._value.get() == 1


async def test_what_cannot_be_done_when_due_is_put_off_and_the_rest_goes_on(office: ProcessorHarness) -> None:
    office.rules.targets = (to(A, wait=seconds(10)),)
    await office.keep(kept(1), kept(2, "POISON"), kept(3))
    await office.desk().round()

    def broken(event: Event, severity: Severity) -> Any:
        if event.subject == "POISON":
            raise RuntimeError("a rule that fails")
        return (to(A),)

    office.rules.targets = broken
    office.clock.at(10)
    with capture_logs() as logs:
        await office.desk().round()
    assert await office.count(DELIVERY) == 2
    assert [line["event"] for line in logs if line["log_level"] == "error"] == ["alerts.sweep_failed"]
    office.rules.targets = (to(A),)
    office.clock.at(309)
    await office.desk().round()
    assert await office.count(DELIVERY) == 2
    office.clock.at(310)
    await office.desk().round()
    assert await office.count(DELIVERY) == 3


async def test_a_database_that_is_away_loses_nothing_and_sets_nothing_aside(office: ProcessorHarness) -> None:
    await office.keep(kept(1))
    rename = "ALTER TABLE {} RENAME TO {}"
    await office.database.run(lambda connection: connection.execute(text(rename.format("alert", "away"))))
    with pytest.raises(StoreUnavailable):
        await office.desk().round()
    await office.database.run(lambda connection: connection.execute(text(rename.format("away", "alert"))))
    assert await office.states() == {"evt-1": (EventState.WAITING, "")}
    await office.desk().round()
    assert len(await office.alerts()) == 1


async def test_a_value_that_the_database_refuses_is_no_outage(
    office: ProcessorHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    def doubled(unit: AlertUnitOfWork, parts: Any) -> None:
        pipeline.process_event(unit, parts)
        if parts[0].subject == "TWICE":
            (card,) = (card for card in unit.repository.cards_at(A) if card.group.endswith("TWICE"))
            unit.repository.put_card(replace(card, id="another"))

    monkeypatch.setattr("bot.alerts.processor.process_event", doubled)
    await office.keep(kept(1), kept(2, "TWICE"))
    await office.desk().round()
    states = await office.states()
    assert states["evt-1"] == (EventState.DONE, "")
    assert states["evt-2"] == (EventState.REJECTED, "a defect of ours: Unstorable")


@pytest.mark.parametrize("after", range(12))
async def test_a_crash_at_any_moment_loses_and_doubles_nothing(
    office: ProcessorHarness, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    """The process dies after some stages; a new one comes to the same end as one that never died."""
    await office.keep(*(kept(number, f"SKU{number % 4}", quantity=number) for number in range(12)))
    calls = count()

    def dying(rules: StubRules, event: Event, severity: Severity, now: datetime) -> Routing:
        if next(calls) == after:
            raise Crashed
        return StubRules.route(rules, event, severity, now)

    office.rules = type("Dying", (StubRules,), {"route": dying})()
    with suppress(Crashed):
        await office.desk(batch=5).round()
    office.rules = StubRules()
    await office.desk(batch=5).round()
    assert set((await office.states()).values()) == {(EventState.DONE, "")}
    alerts = await office.alerts()
    assert sorted(alert.count for alert in alerts) == [3, 3, 3, 3]
    assert await office.count(ALERT_CARD) == await office.count(DELIVERY) == 4


async def test_a_storm_of_what_is_due_lets_events_pass(
    office: ProcessorHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    def endless(unit: AlertUnitOfWork, due: timers.DueWork) -> None:
        office.clock.time += seconds(0.4)

    monkeypatch.setattr(timers, "run_due", endless)
    office.rules.targets = (to(A, wait=seconds(1)),)
    await office.keep(kept(1))
    await office.desk().round()
    office.clock.at(5)
    async with asyncio.timeout(10):
        await office.desk().round()
    assert office.clock.time < second(9)


async def test_what_was_over_long_ago_is_forgotten_and_what_is_open_never(office: ProcessorHarness) -> None:
    office.rules.thresholds = lambda event: event.severity
    await office.keep(kept(1), kept(2))
    await office.desk().round()
    over = kept(3, "SKU2", 1, resolved=True)
    await office.keep(over)
    await office.desk().round()
    office.clock.time = second(2) + ALERT_RETENTION
    desk_ = office.desk()
    await desk_.round()
    assert [alert.event.subject for alert in await office.alerts()] == ["SKU1"]
    assert (await office.count(ALERT), await office.count(ALERT_CARD), await office.count(ALERT_CARD_MEMBER)) == (
        1,
        1,
        1,
    )
    assert await office.count(ALERT_NOTE) == 0


@pytest.fixture
def two_offices(postgres: Postgres) -> Iterator[tuple[ProcessorHarness, ProcessorHarness]]:
    databases = [Database(postgres.admin_url) for _ in range(2)]
    databases[0].run_blocking(METADATA.drop_all)
    databases[0].run_blocking(METADATA.create_all)
    one, other = map(ProcessorHarness, databases)
    other.clock, other._ids = one.clock, one._ids
    yield one, other
    for database in databases:
        database._engine.dispose()


async def test_on_postgresql_one_process_works_at_a_time(
    two_offices: tuple[ProcessorHarness, ProcessorHarness],
) -> None:
    one, other = two_offices
    await one.keep(kept(1))
    inside, leave = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def hold(book: object) -> str:
        loop.call_soon_threadsafe(inside.set)
        asyncio.run_coroutine_threadsafe(leave.wait(), loop).result(20)
        return "held"

    holding = asyncio.create_task(one.books.try_transact(hold))
    await inside.wait()
    assert await other.books.try_transact(lambda book: book.waiting(10)) is None
    await other.desk().round()
    assert await other.states() == {"evt-1": (EventState.WAITING, "")}
    # Somebody's click is not turned away: it waits.
    click = asyncio.create_task(other.books.transact(lambda repository: len(repository.open_alerts())))
    await asyncio.sleep(0)
    leave.set()
    assert await holding == "held"
    assert await click == 0
    await other.desk().round()
    assert await other.states() == {"evt-1": (EventState.DONE, "")}


async def test_two_processes_share_a_storm_without_doing_anything_twice(
    two_offices: tuple[ProcessorHarness, ProcessorHarness],
) -> None:
    one, other = two_offices
    for begin in range(0, 600, 200):
        await one.keep(*(kept(number, f"SKU{number % 40}", quantity=number) for number in range(begin, begin + 200)))

    async def work(office: ProcessorHarness) -> None:
        desk_ = office.desk(batch=20)

        while {state for state, _ in (await office.states()).values()} != {EventState.DONE}:
            await desk_.round()

    async with asyncio.timeout(40):
        await asyncio.gather(work(one), work(other))
    alerts = await one.alerts()
    assert [alert.count for alert in alerts] == [15] * 40
    assert await one.count(ALERT_CARD) == await one.count(DELIVERY) == 40


async def test_text_that_postgresql_refuses_is_set_aside(
    two_offices: tuple[ProcessorHarness, ProcessorHarness],
) -> None:
    office, _ = two_offices
    office.rules.targets = lambda event, severity: (replace(to(A), group="x\0" if event.subject == "SKU2" else ""),)
    await office.keep(kept(1), kept(2), kept(3))
    await office.desk().round()
    states = await office.states()
    assert states.pop("evt-2") == (EventState.REJECTED, "a defect of ours: Unstorable")
    assert set(states.values()) == {(EventState.DONE, "")}
