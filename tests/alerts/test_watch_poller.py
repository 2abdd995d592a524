"""What people watch is looked after where nothing else polls it: told when it happens, and not again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.alerts.alert import Alert, AlertState, Comparator, Watch
from bot.alerts.intake.poll_state import PollConfig
from bot.alerts.repository import AlertRepository, AlertUnitOfWork
from bot.alerts.rules.parser import default_rules
from bot.alerts.rules.rule_set import AlertRuleContext
from bot.alerts.service import AlertService, AlertUnitOfWorkRunner
from bot.alerts.watch_poller import WatchPoller
from bot.alerts.watch_readings import read_watched
from bot.erp.books import Books
from bot.erp.errors import Unavailable
from bot.erp.hub import ErpHub
from bot.erp.kinds import kind_followed
from bot.erp.model import Area, InvoiceStatus, OrderStatus, ProductionStatus, ReviewState
from bot.mechanisms.metrics import Metrics
from bot.store.alerts.events import StoredPolls
from bot.store.alerts.repository import StoredAlertTransactions
from bot.store.database import Database
from bot.store.errors import StoreUnavailable
from tests.alerts.intake.polling_harness import TODAY, ZONE, Clock, StubErp, no_pause

TOMORROW = TODAY + timedelta(days=1)


@dataclass
class WatchPollerHarness:
    """The real repository, hub and watch poller."""

    database: Database
    clock: Clock
    erp: StubErp
    poll_config: PollConfig = field(default_factory=PollConfig)
    counted: int = 0

    def __post_init__(self) -> None:
        rules = default_rules(AlertRuleContext(zone=ZONE, default=(), roles={}))

        def new_id() -> str:
            self.counted += 1
            return f"id{self.counted}"

        def unit(repository: AlertRepository) -> AlertUnitOfWork:
            return AlertUnitOfWork(repository=repository, rules=rules, now=self.clock.now(), new_id=new_id)

        self.units = AlertUnitOfWorkRunner(StoredAlertTransactions(self.database, self.clock.now), unit, lambda: None)
        self.service = AlertService(self.units)
        self.hub = ErpHub([self.erp], metrics=Metrics(), now=self.clock.now, sleep=no_pause)
        self.store = StoredPolls(self.database)
        self.restart()

    def restart(self) -> None:
        self.poller = WatchPoller(self.hub, self.units, poll_config=self.poll_config, now=self.clock.now)

    async def watch(
        self,
        area: Area,
        subject: str,
        comparison: Comparator | None = None,
        limit: int = 0,
        *,
        by: str = "u1",
        source: str = "",
    ) -> None:
        bound = None if comparison is None else Decimal(limit)
        await self.service.put_watch(
            Watch(
                user_id=by,
                area=area,
                subject=subject,
                comparison=comparison,
                limit=bound,
                source=source,
                said={} if area is Area.STOCK else await self._said(area, subject, Books(source)),
                made_at=self.clock.now(),
            )
        )

    async def _said(self, area: Area, number: str, books: Books) -> Mapping[str, str]:
        """Return what the card named, as /watch keeps it."""
        found = await self.hub.within(books).document(kind_followed(area), number)
        return read_watched(found.value, found.source).said

    async def poll(self, times: int = 1) -> None:
        for _ in range(times):
            self.clock.advance(seconds=60)
            await self.poller.poll()

    async def alerts(self) -> list[Alert]:
        """Return all alerts that watches made, oldest first."""
        from sqlalchemy import select

        from bot.store.tables import ALERT

        def ids(connection: Any) -> list[str]:
            return list(connection.execute(select(ALERT.c.id).order_by(ALERT.c.number)).scalars())

        found = await self.database.run(ids)
        return list(await self.units.query(lambda unit: unit.repository.alerts(found)))

    async def told(self) -> list[tuple[AlertState, str, int]]:
        return [(alert.state, alert.event.subject, alert.count) for alert in await self.alerts()]


@pytest.fixture
async def harness(tmp_path: Path) -> AsyncIterator[WatchPollerHarness]:
    database = Database(f"sqlite:///{tmp_path / 'bot.sqlite3'}")
    await database.migrate()
    clock = Clock()
    yield WatchPollerHarness(database, clock, StubErp(clock))
    await database.close()


async def test_a_limit_is_told_when_it_is_crossed_and_when_it_is_over(harness: WatchPollerHarness) -> None:
    harness.erp.stocked("A-1", "60", reorder_point=None)
    await harness.watch(Area.STOCK, "A-1", Comparator.BELOW, 50)
    await harness.poll(3)
    assert await harness.told() == []
    harness.erp.stocked("A-1", "40", reorder_point=None)
    await harness.poll(50)
    assert await harness.told() == [(AlertState.OPEN, "A-1", 1)], "once, whatever happens to be polled"
    assert (await harness.alerts())[0].event.quantity == 40
    harness.erp.stocked("A-1", "70", reorder_point=None)
    await harness.poll(3)
    assert [state for state, *_ in await harness.told()] == [AlertState.RESOLVED]
    harness.erp.stocked("A-1", "10", reorder_point=None)
    harness.restart()
    await harness.poll(3)
    assert AlertState.OPEN in [state for state, *_ in await harness.told()]


async def test_an_answer_that_is_old_says_nothing(harness: WatchPollerHarness) -> None:
    harness.erp.stocked("A-1", "40")
    await harness.watch(Area.STOCK, "A-1", Comparator.BELOW, 30)
    await harness.poll()
    harness.erp.stocked("A-1", "20")
    harness.erp.failing = lambda call: Unavailable("down")
    await harness.poll(2)
    assert await harness.told() == []
    harness.erp.failing = lambda call: None
    await harness.poll(2)
    assert await harness.told() == [(AlertState.OPEN, "A-1", 1)]


@pytest.mark.parametrize("area", [Area.SALES, Area.FINANCE, Area.PURCHASING, Area.PRODUCTION])
async def test_documents_are_told_when_their_state_changes(harness: WatchPollerHarness, area: Area) -> None:
    erp = harness.erp
    begin, change, subject = {
        Area.SALES: (
            lambda: erp.ordered("D-1", TOMORROW), lambda: erp.ordered("D-1", TOMORROW, OrderStatus.DELIVERED), "D-1",
        ),
        Area.FINANCE: (
            lambda: erp.invoiced("D-1", TOMORROW),
            lambda: erp.invoiced("D-1", TOMORROW, InvoiceStatus.PART_PAID, owed="2"), "D-1",
        ),
        Area.PURCHASING: (
            lambda: erp.requested("D-1"), lambda: erp.requested("D-1", ReviewState.REJECTED), "D-1",
        ),
        Area.PRODUCTION: (
            lambda: erp.made("D-1", TOMORROW), lambda: erp.made("D-1", TOMORROW, ProductionStatus.CANCELLED), "D-1",
        ),
    }[area]  # fmt: skip
    begin()
    await harness.watch(area, subject)
    await harness.poll(3)
    assert await harness.told() == [], "as the person saw it"
    change()
    await harness.poll(20)
    harness.restart()
    await harness.poll(2)
    (told,) = await harness.alerts()
    assert (told.state, told.event.subject, told.count) == (AlertState.INFORMED, "D-1", 1)
    assert "status" in str(told.event.data)


async def test_a_change_while_the_bot_was_away_is_told(harness: WatchPollerHarness) -> None:
    harness.erp.ordered("SO-1", TOMORROW)
    await harness.watch(Area.SALES, "SO-1")
    await harness.poll()
    harness.clock.advance(hours=30)
    harness.erp.ordered("SO-1", TOMORROW, OrderStatus.CANCELLED)
    harness.restart()
    await harness.poll()
    assert [subject for _, subject, _ in await harness.told()] == ["SO-1"]


async def test_a_change_before_the_first_look_is_told(harness: WatchPollerHarness) -> None:
    harness.erp.ordered("SO-1", TOMORROW)
    await harness.watch(Area.SALES, "SO-1")
    harness.erp.ordered("SO-1", TOMORROW, OrderStatus.CANCELLED)
    await harness.poll(3)
    (told,) = await harness.alerts()
    assert (told.event.subject, told.count) == ("SO-1", 1)
    assert told.event.data["changes"] == ["status: open → cancelled"]


async def test_each_is_told_what_changed_since_their_own_card(harness: WatchPollerHarness) -> None:
    harness.erp.ordered("SO-1", TOMORROW)
    await harness.watch(Area.SALES, "SO-1")
    await harness.poll()
    harness.erp.ordered("SO-1", TOMORROW, OrderStatus.DELIVERED)
    await harness.watch(Area.SALES, "SO-1", by="u2")
    await harness.poll(2)
    assert [alert.key.split("|")[0] for alert in await harness.alerts()] == ["watch:u1"], "the other one saw it"
    harness.erp.ordered("SO-1", TOMORROW, OrderStatus.CANCELLED)
    await harness.poll(2)
    assert {alert.key.split("|")[0] for alert in await harness.alerts()} == {"watch:u1", "watch:u2"}


async def test_a_watch_that_is_renewed_during_a_look_keeps_what_its_card_named(harness: WatchPollerHarness) -> None:
    harness.erp.ordered("SO-1", TOMORROW)
    await harness.watch(Area.SALES, "SO-1")
    old = await harness.hub.order("SO-1")
    harness.erp.ordered("SO-1", TOMORROW, OrderStatus.DELIVERED)
    looked = harness.hub.document

    async def renewed_meanwhile(_kind: Any, number: str) -> Any:
        harness.clock.advance(seconds=1)
        harness.hub.document = looked  # type: ignore[method-assign]
        await harness.watch(Area.SALES, number)
        return old

    harness.hub.document = renewed_meanwhile  # type: ignore[method-assign]
    await harness.poll(3)
    assert await harness.told() == []


async def test_what_somebody_else_watched_once_is_no_beginning(harness: WatchPollerHarness) -> None:
    harness.erp.ordered("SO-1", TOMORROW)
    await harness.watch(Area.SALES, "SO-1")
    await harness.poll()
    await harness.service.drop_watches((f"u1|{Area.SALES}|so-1|",))
    harness.erp.ordered("SO-1", TOMORROW, OrderStatus.DELIVERED)
    harness.clock.advance(hours=30)
    await harness.watch(Area.SALES, "SO-1")
    await harness.poll(3)
    assert await harness.told() == []


async def test_a_watch_is_about_the_books_that_it_names(harness: WatchPollerHarness) -> None:
    other = StubErp(harness.clock, "other")
    harness.hub = ErpHub([harness.erp, other], metrics=Metrics(), now=harness.clock.now, sleep=no_pause)
    harness.restart()
    for erp, stocked in ((harness.erp, "60"), (other, "5")):
        erp.requested("PO-1")
        erp.stocked("A-1", stocked, reorder_point=None)
    await harness.watch(Area.PURCHASING, "PO-1", source="main")
    await harness.watch(Area.STOCK, "A-1", Comparator.BELOW, 50, source="main")
    other.requested("PO-1", ReviewState.APPROVED)
    await harness.poll()
    assert await harness.told() == []
    harness.erp.requested("PO-1", ReviewState.APPROVED)
    harness.erp.stocked("A-1", "48", reorder_point=None)
    await harness.poll()
    found = {alert.event.subject: alert.event for alert in await harness.alerts()}
    assert {subject: event.source for subject, event in found.items()} == {"PO-1": "main", "A-1": "main"}
    assert found["A-1"].quantity == 48


async def test_many_watches_are_looked_after_in_turn(harness: WatchPollerHarness) -> None:
    harness.poll_config = PollConfig(calls=10)
    harness.restart()
    for number in range(25):
        harness.erp.stocked(f"A-{number:02}", "5")
        await harness.watch(Area.STOCK, f"A-{number:02}", Comparator.BELOW, 50)
    await harness.poll()
    assert len(await harness.told()) == 10
    await harness.poll(2)
    assert len(await harness.told()) == 25
    harness.erp.asked.clear()
    await harness.poll()
    assert len(harness.erp.asked) == 10


async def test_a_store_that_is_away_is_logged_once(
    harness: WatchPollerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Enough(BaseException):
        pass

    slept = 0

    async def sleep(_: float) -> None:
        nonlocal slept
        slept += 1
        if slept == 3:
            raise Enough

    async def away() -> None:
        raise StoreUnavailable("OperationalError")

    monkeypatch.setattr(harness.poller, "poll", away)
    with capture_logs() as logs, pytest.raises(Enough):
        await harness.poller.run(sleep=sleep)
    assert [line["event"] for line in logs] == ["poll.watches_down"]
