"""DingTalk is away for a while: nothing dies, little is tried, and what is owed comes when it is back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest

from bot.alerts.intake.quota import SourceQuota
from bot.bootstrap.health import StoreChecks
from bot.cards.card import Card
from bot.mechanisms.health import PartStatus
from bot.outbox.budgets import SendLimits
from bot.outbox.delivery import DeliveryState, DeliveryStepKind, Urgency
from bot.outbox.ports import ComposedCard, SendFailed, SendFailureKind
from bot.store.alerts.events import StoredEvents
from bot.store.database import Database
from bot.store.errors import StoreUnavailable
from bot.store.health import StoredHeartbeat
from bot.store.outbox.queue import StoredBacklog
from bot.words.phrase import phrase
from tests.outbox.conftest import (
    START,
    Clock,
    OutboxHarness,
    RecordingMessenger,
    database_at,
    harness_of,
    outbox_of,
)
from tests.rows import each_row

MINUTE = timedelta(minutes=1)


@dataclass
class AwayMessenger(RecordingMessenger):
    """DingTalk, which is away for a while."""

    until: datetime = START
    kind: SendFailureKind = SendFailureKind.BUSY
    tries: int = 0
    arrived: list[tuple[datetime, str]] = field(default_factory=list)

    def _note(self, call: str, track_id: str, card: Card) -> None:
        if self.clock() < self.until:
            self.tries += 1
            raise SendFailed(self.kind, "HTTP 503")
        self.arrived.append((self.clock(), track_id.removeprefix("track-")))

    @property
    def cards(self) -> list[str]:
        return [card for _, card in self.arrived]


@asynccontextmanager
async def away(url: str, lasts: timedelta, **more: Any) -> AsyncIterator[tuple[OutboxHarness, AwayMessenger]]:
    """Open an outbox whose DingTalk is away from now on."""
    clock = Clock()
    messenger = AwayMessenger(clock, until=START + lasts, kind=more.pop("kind", SendFailureKind.BUSY))
    async with database_at(url) as database:
        yield harness_of(database, messenger, clock, **more), messenger


async def pass_time(harness: OutboxHarness, until: datetime) -> None:
    """Let the worker wake when it wants to, or when it looks for rows of others: here nobody else writes any."""
    while harness.clock() < until:
        look_at = None
        with suppress(StoreUnavailable):
            await harness.outbox.run_once()
            await harness.outbox.idle()
            look_at = await harness.outbox.run_once()
            await harness.outbox.idle()
        least, most = harness.clock() + timedelta(seconds=0.5), harness.clock() + timedelta(seconds=5)
        harness.clock.time = min(max(look_at or most, least), max(until, least))


class Cause(StrEnum):
    """What is away."""

    DINGTALK_BUSY = "busy"
    DINGTALK_SILENT = "unknown"
    ERP = "uncomposed"
    DATABASE = "unstored"


def take_away(harness: OutboxHarness, cause: Cause, until: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the ERP or the database be away until then; what DingTalk does is its messenger's part."""
    compose, run_blocking = harness.composer.compose, Database.run_blocking

    async def no_answer(ref: str) -> ComposedCard:
        if harness.clock() < until:
            raise SendFailed(SendFailureKind.UNCOMPOSED, "the ERP gives no answer")
        return await compose(ref)

    def not_stored(database: Database, *work: Any, **how: Any) -> Any:
        if harness.clock() < until:
            raise StoreUnavailable(phrase("away"))
        return run_blocking(database, *work, **how)

    if cause is Cause.ERP:
        monkeypatch.setattr(harness.composer, "compose", no_answer)
    if cause is Cause.DATABASE:
        monkeypatch.setattr(Database, "run_blocking", not_stored)


@each_row("cause", [*Cause])
@each_row("lasts", [timedelta(seconds=10), 2 * MINUTE, 10 * MINUTE, 120 * MINUTE])
async def test_what_is_owed_comes_within_a_minute_of_the_end(
    lasts: timedelta, cause: Cause, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table in docs/explanation/outbox.md; what people see meanwhile is in `tests.scenario.test_outage_table`."""
    url = f"sqlite:///{tmp_path / f'{cause}{lasts.seconds}'}.sqlite3"
    dingtalk = cause in (Cause.DINGTALK_BUSY, Cause.DINGTALK_SILENT)
    kind = {"kind": SendFailureKind(cause)} if dingtalk else {}
    async with away(url, lasts if dingtalk else timedelta(0), **kind) as (harness, outage):
        # An ERP is asked for each card by itself: for hours a few do.
        end, others = START + lasts, 10 if lasts < 20 * MINUTE else 3
        for number in range(others):
            await harness.owe(f"later{number}", urgency=Urgency.LATER)
        await harness.owe("alarm", urgency=Urgency.NOW)
        with monkeypatch.context() as broken:
            take_away(harness, cause, end, broken)
            await pass_time(harness, end + MINUTE)
        cards = outage.cards
        assert len(cards) == others + 1
        assert cards[0] == "alarm", "the most urgent comes first"
        assert outage.tries < 45 + lasts / timedelta(seconds=30), "a probe now and then, and not all of them"


async def test_it_is_paced_when_it_comes(sqlite_url: str) -> None:
    async with away(sqlite_url, 30 * MINUTE, limits=SendLimits(per_second=1000, place_minute=20)) as (harness, outage):
        end = outage.until
        for number in range(40):
            await harness.owe(
                f"a{number:02}", urgency=Urgency.NOW, due_at=harness.clock() + number * timedelta(seconds=1)
            )
        await pass_time(harness, end + 3 * MINUTE)
        cards = outage.cards
        assert sorted(cards) == [f"a{number:02}" for number in range(40)]
        assert cards[0] == "a00"
        first = [card for at, card in outage.arrived if at < outage.arrived[0][0] + timedelta(seconds=59)]
        assert len(first) == 30


async def test_a_later_process_begins_with_what_an_earlier_one_owed(sqlite_url: str) -> None:
    async with away(sqlite_url, 120 * MINUTE) as (harness, outage):
        end = outage.until
        for name in ("a", "b", "c"):
            await harness.owe(name)
        await pass_time(harness, end - MINUTE)
        harness.outbox = outbox_of(harness.database, harness.composer, outage, harness.clock)
        harness.clock.time = end
        await harness.owe("new")
        await pass_time(harness, end + timedelta(seconds=10))
        assert sorted(outage.cards) == ["a", "b", "c", "new"]


async def test_a_card_that_alone_fails_slows_no_other_down(
    harness: OutboxHarness, messenger: RecordingMessenger
) -> None:
    for number in range(6):
        messenger.failures = [SendFailed(SendFailureKind.BUSY, "for a reason of its own")]
        await harness.owe("odd", 1 + number)
        await harness.work()
        await harness.owe(f"other{number}")
        await harness.work()
        assert (await harness.row(f"other{number}")).state is DeliveryState.DONE
        harness.clock.forward(hours=1)


async def test_what_the_erp_does_not_answer_is_asked_again_and_never_dies(harness: OutboxHarness) -> None:
    harness.composer.failures = [SendFailed(SendFailureKind.UNCOMPOSED, "no answer")] * 200
    await harness.owe("report")
    for _ in range(200):
        await harness.work()
        harness.clock.forward(seconds=30)
    assert harness.composer.failures == []
    await harness.work()
    assert (await harness.history("report"))[-1] == DeliveryStepKind.SENT


async def test_a_defect_dies_after_some_tries(harness: OutboxHarness) -> None:
    harness.composer.failures = [KeyError("oops")] * 20
    await harness.owe("broken")
    for _ in range(10):
        await harness.work()
        harness.clock.forward(hours=1)
    assert (await harness.row("broken")).state is DeliveryState.DEAD


async def test_what_is_owed_and_why_is_told(sqlite_url: str) -> None:
    async with away(sqlite_url, 60 * MINUTE) as (harness, outage):
        checks = StoreChecks(
            database=harness.database,
            heartbeat=StoredHeartbeat(harness.database),
            events=StoredEvents(harness.database),
            outbox=StoredBacklog(harness.database),
            quota=SourceQuota(1),
            metrics=harness.metrics,
            now=harness.clock,
        )
        for name in ("a", "b", "c"):
            await harness.owe(name)
        await harness.owe("tomorrow", due_at=START + timedelta(days=1))
        await pass_time(harness, START + 10 * MINUTE)
        told = await checks.deliveries()
        assert told.status is PartStatus.DEGRADED
        assert str(told.reason) == (
            "3 cards are owed, the oldest since 2026-11-24 02:30 (3: DingTalk is busy or not reached)"
        )
        await pass_time(harness, outage.until + MINUTE)
        assert (await checks.deliveries()).status is PartStatus.OK
