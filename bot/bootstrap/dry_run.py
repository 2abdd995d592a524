"""A dry run: the bot's own alert processor, repository and outbox on an in-memory database, with virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import count, groupby
from operator import attrgetter

from bot.access.grants import FULL_GRANT
from bot.alerts.alert import Alert, AlertCard, Mute, Watch
from bot.alerts.intake.port import EventState, ReceivedEvent
from bot.alerts.processing.card_lifecycle import CARD_KIND
from bot.alerts.processing.processor import AlertProcessor
from bot.alerts.repository import AlertHistoryEntry, AlertRepository, AlertUnitOfWork
from bot.alerts.routing import AlertRules
from bot.alerts.service import AlertComposer, AlertUnitOfWorkRunner
from bot.cards.card import Card
from bot.cards.view import Button, View
from bot.chat.audiences import PlaceReader
from bot.mechanisms.metrics import Metrics
from bot.outbox.budgets import SendLimits
from bot.outbox.delivery import DingWay
from bot.outbox.place import Place
from bot.outbox.ports import NOBODY_CALLED, NOBODYS, ClaimedRows
from bot.outbox.quota import CHINA, QuotaGuard
from bot.outbox.worker import OutboxWorker
from bot.store.alerts.events import EventSearch, StoredEvents
from bot.store.alerts.repository import StoredAlertTransactions
from bot.store.database import Database
from bot.store.inline_database import InlineDatabase
from bot.store.outbox.queue import StoredBacklog
from bot.store.tables import METADATA
from bot.words.phrase import Phrase

_ALL = 1_000_000_000
_MOMENT = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class DryRunInput:
    """An outside input at one moment: an event, or a person's mute or watch."""

    at: datetime
    what: ReceivedEvent | Mute | Watch


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRunConfig:
    """The bot's settings for a dry run. ``zone`` is the company's; ``monthly`` and ``reserve`` as in `QuotaGuard`."""

    rules: AlertRules
    zone: tzinfo
    limits: SendLimits = field(default_factory=SendLimits)
    at_once: int = 16
    monthly: int = 10_000
    reserve: float = 0.1
    urgent_reserve: float = 0.05


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """One call to DingTalk that creates or changes a card; ``template`` is the card's name."""

    at: datetime
    card: str
    creates: bool
    template: str


@dataclass(frozen=True, slots=True)
class DryRunResult:
    """The result of a dry run. ``cards`` are those of ``calls``, in their final state."""

    calls: tuple[RecordedCall, ...]
    cards: Mapping[str, AlertCard]
    alerts: Mapping[str, Alert]
    notes: tuple[AlertHistoryEntry, ...]
    failed: Mapping[tuple[str, str], str]
    """Rejected events, by source and id, with the reason."""


async def execute_dry_run(inputs: Iterable[DryRunInput], config: DryRunConfig, until: datetime) -> DryRunResult:
    """Play the inputs, in order of time, and all their consequences up to ``until``."""
    database = InlineDatabase("sqlite://")
    try:
        await database.run(METADATA.create_all)
        dry_run = _DryRun(database, config)
        for at, simultaneous in groupby(inputs, key=attrgetter("at")):
            await dry_run.play([each.what for each in simultaneous], at)
            # A bound on the time of a rehearsal holds between two moments.
            await asyncio.sleep(0)
        await dry_run.pass_time(until + _MOMENT)
        return await dry_run.result()
    finally:
        await database.close()


class _Clock:
    def __init__(self, zone: tzinfo) -> None:
        self.time = datetime.min.replace(tzinfo=UTC)
        self._zone = zone

    def __call__(self) -> datetime:
        return self.time.astimezone(self._zone)


class _DryRun:
    def __init__(self, database: Database, config: DryRunConfig) -> None:
        self._rules = config.rules
        self._clock = _Clock(config.zone)
        self._ids = count(1)
        self._messenger = _RecordingMessenger(self._clock)
        self._events = StoredEvents(database)
        self._transactions = StoredAlertTransactions(database, self._clock)
        self._backlog = _Backlog(database)
        metrics = Metrics()
        self._processor = AlertProcessor(self._transactions, unit=self._unit, now=self._clock, metrics=metrics)
        self._units = AlertUnitOfWorkRunner(self._transactions, self._unit, _nothing)
        guard = QuotaGuard(
            self._messenger.this_month,
            config.monthly,
            metrics=metrics,
            reserve=config.reserve,
            urgent=config.urgent_reserve,
        )
        self._outbox = OutboxWorker(
            self._backlog,
            self._messenger,
            {CARD_KIND: AlertComposer(self._units, now=self._clock, name_of=_same, reader_at=_sees_all)},
            _BlankRenderer(),
            worker="rehearsal",
            track_of=_as_it_is,
            language_of=lambda _place: "en",
            metrics=metrics,
            now=self._clock,
            draw=lambda: 0.5,
            sparing=guard.sparing,
            reserved=guard.reserved,
            limits=config.limits,
            at_once=config.at_once,
        )
        self._due: datetime | None = None
        self._look_at: datetime | None = None

    async def pass_time(self, until: datetime) -> None:
        """Run everything due before ``until``."""
        while (at := min(filter(None, (self._due, self._look_at)), default=until)) < until:
            await self._work(at)

    async def play(self, inputs: Sequence[ReceivedEvent | Mute | Watch], at: datetime) -> None:
        """Apply the inputs of this moment, after everything due before it."""
        await self.pass_time(at)
        for given in inputs:
            if isinstance(given, Mute):
                await self._units.transact(lambda unit, mute=given: unit.repository.put_mute(mute))  # type: ignore[misc]  # one argument in the end
            elif isinstance(given, Watch):
                await self._units.transact(lambda unit, watch=given: unit.repository.put_watch(watch))  # type: ignore[misc]  # one argument in the end
        if await self._events.keep([event for event in inputs if isinstance(event, ReceivedEvent)]):
            self._due = at
            await self._work(at)

    async def result(self) -> DryRunResult:
        """Return the result so far."""
        calls = tuple(self._messenger.calls)
        ids = tuple(dict.fromkeys(call.card for call in calls))
        notes = await self._units.query(lambda unit: tuple(unit.repository.history(limit=_ALL)))
        cards = await self._units.query(lambda unit: {key: card for key in ids if (card := unit.repository.card(key))})
        wanted = tuple(dict.fromkeys(alert for card in cards.values() for alert in card.alerts))
        alerts = await self._units.query(lambda unit: {alert.id: alert for alert in unit.repository.alerts(wanted)})
        rejected = await self._events.search(EventSearch(state=EventState.REJECTED, limit=_ALL))
        failed = {(event.source, event.id): event.reason for event in rejected}
        return DryRunResult(calls, cards, alerts, notes, failed)

    def _unit(self, repository: AlertRepository) -> AlertUnitOfWork:
        # Sequential ids, so that every dry run has the same result.
        return AlertUnitOfWork(
            repository=repository, rules=self._rules, now=self._clock(), new_id=lambda: f"{next(self._ids):08}"
        )

    async def _work(self, at: datetime) -> None:
        self._clock.time = at
        if self._due is not None and self._due <= at:
            await self._processor.round()
        self._look_at = await self._send()
        self._due = await self._transactions.transact(lambda repository: repository.next_due())

    async def _send(self) -> datetime | None:
        while True:
            look_at = await self._outbox.run_once()
            await self._outbox.idle()
            if not self._backlog.took:
                return look_at


class _Backlog(StoredBacklog):
    """Tells whether the last claim found any work."""

    took = False

    async def claim(
        self, worker: str, limits: SendLimits, *, room: int, sparing: bool, now: datetime, reserved: bool = False
    ) -> ClaimedRows:
        claim = await super().claim(worker, limits, room=room, sparing=sparing, reserved=reserved, now=now)
        self.took = bool(claim.rows or claim.foldings)
        return claim


@dataclass(slots=True)
class _RecordingMessenger:
    """A DingTalk that always succeeds immediately, and records the calls."""

    now: _Clock
    calls: list[RecordedCall] = field(default_factory=list)
    _by_month: dict[date, int] = field(default_factory=dict)

    async def show(
        self,
        places: Sequence[Place],
        track_id: str,
        card: Card,
        *,
        own: Mapping[str, Card] = NOBODYS,
        called: Mapping[str, str] = NOBODY_CALLED,
    ) -> tuple[Place, ...]:
        self._write(track_id, card, creates=True)
        return ()

    async def change(self, track_id: str, card: Card, made_as: str, own: Mapping[str, Card] = NOBODYS) -> None:
        self._write(track_id, card, creates=False)

    async def ding(self, place: Place, card: Card, way: DingWay) -> None:
        raise AssertionError("a dry run calls nobody")

    async def write(self, place: Place, card: Card) -> None:
        raise AssertionError("plain messages go only where cards were refused")

    def this_month(self) -> int:
        """Return the calls of the current month."""
        return self._by_month.get(self._month, 0)

    @property
    def _month(self) -> date:
        return self.now.time.astimezone(CHINA).date().replace(day=1)

    def _write(self, card_id: str, card: Card, *, creates: bool) -> None:
        self.calls.append(RecordedCall(self.now.time, card_id, creates, card.name))
        self._by_month[self._month] = self.this_month() + 1


class _BlankRenderer:
    """Names cards without rendering them: the number of calls does not depend on their content."""

    def render(
        self,
        view: View,
        language: str,
        *,
        zone: tzinfo,
        read_as: Phrase | None = None,
        trail: Sequence[str] | None = None,
        tries: Sequence[Button] = (),
        reference: str = "",
    ) -> Card:
        return Card(name=view.card, language=language, title="", body="", tips="", buttons=(), twin="", fields={})


async def _same(user_id: str) -> str:
    return user_id


async def _sees_all(place: Place, command: str) -> PlaceReader:
    return PlaceReader(FULL_GRANT)  # the number of calls does not depend on what a card shows


def _as_it_is(key: str) -> str:
    return key


def _nothing() -> None:
    """Do nothing: the dry run calls each part itself."""
