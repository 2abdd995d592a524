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

from bot.alerts.alert import Alert
from bot.alerts.event import Event
from bot.alerts.intake.normalization import normalize
from bot.alerts.intake.port import EventState, ReceivedEvent
from bot.alerts.processing import pipeline, timers
from bot.alerts.processing.processor import AlertProcessor
from bot.alerts.repository import AlertRepository, AlertUnitOfWork
from bot.alerts.routing import Routing
from bot.mechanisms.metrics import Metrics
from bot.store.alerts.events import NOT_OPENED, EventSearch, StoredEvents
from bot.store.alerts.repository import ALERT_RETENTION, StoredAlertTransactions
from bot.store.database import Database
from bot.store.errors import StoreUnavailable
from bot.store.tables import ALERT, ALERT_CARD, ALERT_CARD_MEMBER, ALERT_NOTE, ALERT_NOTE_KEY, DELIVERY, METADATA
from bot.words.severity import Severity
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


def received(number: int, subject: str = "", at: float = 0, quantity: int = 5, **fields: Any) -> ReceivedEvent:
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
    """A database, a clock, rules, and as many processors as a test wants."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = Clock()
        self.rules = StubRules()
        self.metrics = Metrics()
        self.owed = 0
        self.told = asyncio.Event()
        self.events = StoredEvents(database)
        self.transactions = StoredAlertTransactions(database, self.clock)
        self._ids = count(1)
        self.prefix = "id"
        """Of the ids that this process gives."""

    def unit(self, repository: AlertRepository) -> AlertUnitOfWork:
        return AlertUnitOfWork(
            repository=repository, rules=self.rules, now=self.clock(), new_id=lambda: f"{self.prefix}{next(self._ids)}"
        )

    def processor(self, batch: int = 200) -> AlertProcessor:
        return AlertProcessor(
            self.transactions, unit=self.unit, now=self.clock, metrics=self.metrics, owed=self._poked, batch=batch
        )

    def _poked(self) -> None:
        self.owed += 1
        self.told.set()

    async def receive(self, *events: ReceivedEvent) -> None:
        await self.events.keep(events)

    async def states(self) -> dict[str, tuple[EventState, str]]:
        return {event.id: (event.state, event.reason) for event in await self.events.search(EventSearch(limit=10_000))}

    async def count(self, table: Any) -> int:
        return await self.database.run(
            lambda connection: connection.scalar(select(func.count()).select_from(table)) or 0
        )

    async def alerts(self) -> list[Alert]:
        return list(await self.transactions.transact(lambda repository: tuple(repository.open_alerts(10_000))))


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[ProcessorHarness]:
    with sqlite(tmp_path) as database:
        yield ProcessorHarness(database)


@asynccontextmanager
async def at_work(processor: AlertProcessor) -> AsyncIterator[None]:
    task = asyncio.create_task(processor.run())
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_stored_events_become_alerts_cards_and_deliveries_in_batches(harness: ProcessorHarness) -> None:
    await harness.receive(*(received(number) for number in range(25)))
    await harness.processor(batch=10).round()
    assert set((await harness.states()).values()) == {(EventState.DONE, "")}
    assert len(await harness.alerts()) == await harness.count(ALERT_CARD) == await harness.count(DELIVERY) == 25
    assert harness.owed >= 3, "the outbox is poked after each commit"
    await harness.processor().round()
    assert await harness.count(ALERT) == 25


async def test_parts_of_an_event_and_words_it_no_longer_understands(harness: ProcessorHarness) -> None:
    body = received(1, items=[{"sku": "X1"}, {"sku": "X2"}])
    odd = replace(received(2), raw='{"type": "forgotten.type"}')
    await harness.receive(body, odd, received(3))
    with capture_logs() as logs:
        await harness.processor().round()
    states = await harness.states()
    assert states["evt-1"][0] is states["evt-3"][0] is EventState.DONE
    assert states["evt-2"][0] is EventState.REJECTED
    assert states["evt-2"][1]
    assert [line["event"] for line in logs] == ["events.rejected"]
    assert {alert.event.subject for alert in await harness.alerts()} == {"X1", "X2", "SKU3"}


async def test_what_was_read_from_the_database_is_known_as_the_same(harness: ProcessorHarness) -> None:
    harness.rules.targets = (to(A),)
    for number in range(3):
        await harness.receive(received(number, "SKU1", number, reorder_point="10.50", tags={"line": "3"}))
        await harness.processor().round()
    (alert,) = await harness.alerts()
    story = await harness.transactions.transact(
        lambda repository: [note.what for note in repository.history(alert=alert.id)]
    )
    assert story == ["opened", "routed", "shown", "repeated", "repeated"]
    assert (alert.count, alert.revision) == (3, 1)


async def test_a_poke_wakes_it_and_time_does(harness: ProcessorHarness) -> None:
    harness.rules.targets = (to(A, wait=seconds(3)),)
    processor = harness.processor()
    async with at_work(processor), asyncio.timeout(60):
        await harness.receive(received(1))
        processor.poke()
        await harness.told.wait()
        assert len(await harness.alerts()) == 1
        assert await harness.count(DELIVERY) == 0
        harness.told.clear()
        harness.clock.at(3)
        processor.poke()
        await harness.told.wait()
        assert await harness.count(DELIVERY) == 1


async def test_it_sleeps_until_what_is_due_next(harness: ProcessorHarness) -> None:
    assert await harness.processor().round() == 5
    harness.rules.targets = (to(A, wait=seconds(2)),)
    await harness.receive(received(1))
    assert await harness.processor().round() == 2
    harness.clock.at(2)
    assert await harness.processor().round() == 5
    assert await harness.count(DELIVERY) == 1


async def test_an_event_that_hits_a_defect_is_set_aside_and_stops_nobody(
    harness: ProcessorHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    def poisoned(unit: AlertUnitOfWork, parts: Any) -> None:
        pipeline.process_event(unit, parts)
        if parts[0].subject == "POISON":
            raise RuntimeError("never seen before")

    monkeypatch.setattr("bot.alerts.processing.processor.process_event", poisoned)
    await harness.receive(received(1), received(2, "POISON"), received(3), received(4))
    with capture_logs() as logs:
        await harness.processor().round()
    states = await harness.states()
    assert states.pop("evt-2") == (EventState.REJECTED, "a defect of ours: RuntimeError")
    assert set(states.values()) == {(EventState.DONE, "")}
    assert {alert.event.subject for alert in await harness.alerts()} == {"SKU1", "SKU3", "SKU4"}, "nothing half done"
    errors = [line for line in logs if line["log_level"] == "error"]
    assert [(line["event"], line["id"]) for line in errors] == [("alerts.event_failed", "evt-2")]
    assert harness.metrics.errors.labels("alerts", "RuntimeError")._value.get() == 1


@pytest.mark.parametrize("waiting", [4, 1], ids=["among others", "alone"])
async def test_an_event_that_was_changed_in_the_database_is_set_aside_and_stops_nobody(
    harness: ProcessorHarness, waiting: int
) -> None:
    for number in range(waiting):
        await harness.receive(received(number))
    changed = "(SELECT pack FROM event WHERE event_id = 'evt-0')"
    forged = text(f"UPDATE event_pack SET bodies = substr(bodies, 1, 40) WHERE number = {changed}")
    await harness.database.run(lambda connection: connection.execute(forged))
    with capture_logs() as logs:
        await harness.processor().round()
        await harness.processor().round()
    states = await harness.states()
    assert states.pop("evt-0") == (EventState.REJECTED, NOT_OPENED)
    assert set(states.values()) <= {(EventState.DONE, "")}
    assert len(await harness.alerts()) == waiting - 1
    assert [(line["event"], line["id"]) for line in logs] == [("events.not_opened", "evt-0")]
    assert harness.metrics.errors.labels("alerts", "NotOpened")._value.get() == 1


async def test_an_event_of_a_matter_that_was_changed_in_the_database_stops_no_other(harness: ProcessorHarness) -> None:
    await harness.receive(received(1), received(2))
    await harness.processor().round()
    forged = text("UPDATE alert SET event = 's1:' || 'AAAA' WHERE id = (SELECT id FROM alert ORDER BY number LIMIT 1)")
    await harness.database.run(lambda connection: connection.execute(forged))
    await harness.receive(received(3, "SKU1"), received(4, "SKU2"), received(5))
    with capture_logs() as logs:
        await harness.processor().round()
    states = await harness.states()
    state, reason = states.pop("evt-3")
    assert state is EventState.REJECTED
    assert reason.startswith("a value of alert.event was changed")
    assert set(states.values()) == {(EventState.DONE, "")}
    errors = [(line["event"], line.get("id")) for line in logs if line["log_level"] == "error"]
    assert errors == [("alerts.event_failed", "evt-3")]


async def test_a_due_alert_that_was_changed_in_the_database_is_put_off_and_the_rest_goes_on(
    harness: ProcessorHarness,
) -> None:
    harness.rules.targets = (to(A, wait=seconds(10)),)
    await harness.receive(received(1), received(2))
    await harness.processor().round()
    forged = "UPDATE alert SET hands = 's1:AAAA', due_ms = (SELECT max(due_ms) FROM alert_card) WHERE number = 1"
    await harness.database.run(lambda connection: connection.execute(text(forged)))
    harness.clock.at(10)
    with capture_logs() as logs:
        assert await harness.processor().round() == 5
    assert await harness.count(DELIVERY) == 1
    assert {line["event"] for line in logs if line["log_level"] == "error"} == {"alerts.sweep_failed"}


async def test_what_cannot_be_done_when_due_is_put_off_and_the_rest_goes_on(harness: ProcessorHarness) -> None:
    harness.rules.targets = (to(A, wait=seconds(10)),)
    await harness.receive(received(1), received(2, "POISON"), received(3))
    await harness.processor().round()

    def broken(event: Event, severity: Severity) -> Any:
        if event.subject == "POISON":
            raise RuntimeError("a rule that fails")
        return (to(A),)

    harness.rules.targets = broken
    harness.clock.at(10)
    with capture_logs() as logs:
        await harness.processor().round()
    assert await harness.count(DELIVERY) == 2
    assert [line["event"] for line in logs if line["log_level"] == "error"] == ["alerts.sweep_failed"]
    harness.rules.targets = (to(A),)
    harness.clock.at(309)
    await harness.processor().round()
    assert await harness.count(DELIVERY) == 2
    harness.clock.at(310)
    await harness.processor().round()
    assert await harness.count(DELIVERY) == 3


async def test_a_database_that_is_away_loses_nothing_and_sets_nothing_aside(harness: ProcessorHarness) -> None:
    await harness.receive(received(1))
    rename = "ALTER TABLE {} RENAME TO {}"
    await harness.database.run(lambda connection: connection.execute(text(rename.format("alert", "away"))))
    with pytest.raises(StoreUnavailable):
        await harness.processor().round()
    await harness.database.run(lambda connection: connection.execute(text(rename.format("away", "alert"))))
    assert await harness.states() == {"evt-1": (EventState.WAITING, "")}
    await harness.processor().round()
    assert len(await harness.alerts()) == 1


async def test_a_value_that_the_database_refuses_is_no_outage(
    harness: ProcessorHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    def doubled(unit: AlertUnitOfWork, parts: Any) -> None:
        pipeline.process_event(unit, parts)
        if parts[0].subject == "TWICE":
            (card,) = (card for card in unit.repository.cards_at(A) if card.group.endswith("TWICE"))
            unit.repository.put_card(replace(card, id="another"))

    monkeypatch.setattr("bot.alerts.processing.processor.process_event", doubled)
    await harness.receive(received(1), received(2, "TWICE"))
    await harness.processor().round()
    states = await harness.states()
    assert states["evt-1"] == (EventState.DONE, "")
    assert states["evt-2"] == (EventState.REJECTED, "a defect of ours: Unstorable")


@pytest.mark.parametrize("after", range(12))
async def test_a_crash_at_any_moment_loses_and_doubles_nothing(
    harness: ProcessorHarness, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    """The process dies after some stages; a new one comes to the same end as one that never died."""
    await harness.receive(*(received(number, f"SKU{number % 4}", quantity=number) for number in range(12)))
    calls = count()

    def dying(rules: StubRules, event: Event, severity: Severity, now: datetime) -> Routing:
        if next(calls) == after:
            raise Crashed
        return StubRules.route(rules, event, severity, now)

    harness.rules = type("Dying", (StubRules,), {"route": dying})()
    with suppress(Crashed):
        await harness.processor(batch=5).round()
    harness.rules = StubRules()
    await harness.processor(batch=5).round()
    assert set((await harness.states()).values()) == {(EventState.DONE, "")}
    alerts = await harness.alerts()
    assert sorted(alert.count for alert in alerts) == [3, 3, 3, 3]
    assert await harness.count(ALERT_CARD) == await harness.count(DELIVERY) == 4


async def test_a_storm_of_what_is_due_lets_events_pass(
    harness: ProcessorHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    def endless(unit: AlertUnitOfWork, due: timers.DueWork) -> None:
        harness.clock.time += seconds(0.4)

    monkeypatch.setattr(timers, "run_due", endless)
    harness.rules.targets = (to(A, wait=seconds(1)),)
    await harness.receive(received(1))
    await harness.processor().round()
    harness.clock.at(5)
    async with asyncio.timeout(60):
        await harness.processor().round()
    assert harness.clock.time < second(9)


async def test_what_was_over_long_ago_is_forgotten_and_what_is_open_never(harness: ProcessorHarness) -> None:
    harness.rules.thresholds = lambda event: event.severity
    await harness.receive(received(1), received(2))
    await harness.processor().round()
    over = received(3, "SKU2", 1, resolved=True)
    await harness.receive(over)
    await harness.processor().round()
    harness.clock.time = second(2) + ALERT_RETENTION
    processor = harness.processor()
    await processor.round()
    assert [alert.event.subject for alert in await harness.alerts()] == ["SKU1"]
    assert (await harness.count(ALERT), await harness.count(ALERT_CARD), await harness.count(ALERT_CARD_MEMBER)) == (
        1,
        1,
        1,
    )
    assert (await harness.count(ALERT_NOTE), await harness.count(ALERT_NOTE_KEY)) == (0, 0)


@pytest.fixture
def two_processes(postgres: Postgres) -> Iterator[tuple[ProcessorHarness, ProcessorHarness]]:
    emptied = Database(postgres.admin_url)
    emptied.run_blocking(METADATA.drop_all)
    emptied.run_blocking(METADATA.create_all)
    emptied._engine.dispose()
    databases = [Database(postgres.admin_url) for _ in range(2)]
    first, other = map(ProcessorHarness, databases)
    other.clock, other._ids = first.clock, first._ids
    yield first, other
    for database in databases:
        database._engine.dispose()


async def test_on_postgresql_one_process_works_at_a_time(
    two_processes: tuple[ProcessorHarness, ProcessorHarness],
) -> None:
    first, other = two_processes
    await first.receive(received(1))
    inside, leave = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def hold(repository: object) -> str:
        loop.call_soon_threadsafe(inside.set)
        asyncio.run_coroutine_threadsafe(leave.wait(), loop).result(20)
        return "held"

    holding = asyncio.create_task(first.transactions.try_transact(hold))
    await inside.wait()
    assert await other.transactions.try_transact(lambda repository: repository.waiting(10)) is None
    await other.processor().round()
    assert await other.states() == {"evt-1": (EventState.WAITING, "")}
    # Somebody's click is not turned away: it waits.
    click = asyncio.create_task(other.transactions.transact(lambda repository: len(repository.open_alerts())))
    await asyncio.sleep(0)
    leave.set()
    assert await holding == "held"
    assert await click == 0
    await other.processor().round()
    assert await other.states() == {"evt-1": (EventState.DONE, "")}


async def test_two_processes_share_a_storm_without_doing_anything_twice(
    two_processes: tuple[ProcessorHarness, ProcessorHarness],
) -> None:
    first, other = two_processes
    for begin in range(0, 600, 200):
        await first.receive(
            *(received(number, f"SKU{number % 40}", quantity=number) for number in range(begin, begin + 200))
        )

    async def work(harness: ProcessorHarness) -> None:
        processor = harness.processor(batch=20)

        while {state for state, _ in (await harness.states()).values()} != {EventState.DONE}:
            await processor.round()

    async with asyncio.timeout(40):
        await asyncio.gather(work(first), work(other))
    alerts = await first.alerts()
    assert [alert.count for alert in alerts] == [15] * 40
    assert await first.count(ALERT_CARD) == await first.count(DELIVERY) == 40


async def test_text_that_postgresql_refuses_is_set_aside(
    two_processes: tuple[ProcessorHarness, ProcessorHarness],
) -> None:
    harness, _ = two_processes
    harness.rules.targets = lambda event, severity: (replace(to(A), route="x\0" if event.subject == "SKU2" else ""),)
    await harness.receive(received(1), received(2), received(3))
    await harness.processor().round()
    states = await harness.states()
    assert states.pop("evt-2") == (EventState.REJECTED, "a defect of ours: Unstorable")
    assert set(states.values()) == {(EventState.DONE, "")}
