"""A dry run: the bot's own alert processor, repository and outbox, on a database in memory, under a clock that
jumps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import count, groupby
from operator import attrgetter
from typing import TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Connection

from bot.alerts.alert import Alert, AlertCard, Mute, Watch
from bot.alerts.card_lifecycle import CARD_KIND
from bot.alerts.intake.port import EventState, ReceivedEvent
from bot.alerts.processor import AlertProcessor
from bot.alerts.repository import AlertHistoryEntry, AlertRepository, AlertUnitOfWork
from bot.alerts.routing import AlertRules
from bot.alerts.service import AlertComposer, AlertUnitOfWorkRunner
from bot.cards.card import Card
from bot.cards.view import View
from bot.metrics import Metrics
from bot.outbox.budgets import SendLimits
from bot.outbox.place import Place
from bot.outbox.quota import QuotaGuard
from bot.outbox.store_port import ClaimedRows
from bot.outbox.worker import OutboxWorker
from bot.store.alerts import StoredAlertTransactions
from bot.store.database import Database
from bot.store.events import EventSearch, StoredEvents
from bot.store.outbox import StoredBacklog
from bot.store.tables import METADATA

T = TypeVar("T")

_ALL = 1_000_000_000
_MOMENT = timedelta(milliseconds=1)
_CHINA = ZoneInfo("Asia/Shanghai")
"""DingTalk's month begins at midnight in China."""


@dataclass(frozen=True, slots=True)
class DryRunInput:
    """What comes from outside at one moment: an event, or what somebody asked for in a chat."""

    at: datetime
    what: ReceivedEvent | Mute | Watch


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRunConfig:
    """Under what the bot works. ``zone`` is the company's; ``monthly`` and ``reserve`` as in `QuotaGuard`."""

    rules: AlertRules
    zone: tzinfo
    limits: SendLimits = field(default_factory=SendLimits)
    at_once: int = 16
    monthly: int = 10_000
    reserve: float = 0.1


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """One call to DingTalk: it makes a card (``creates``) or changes it; ``template`` names what is drawn."""

    at: datetime
    card: str
    creates: bool
    template: str


@dataclass(frozen=True, slots=True)
class DryRunResult:
    """What a rehearsal brought. ``cards`` are those of ``calls``, as they are at its end."""

    calls: tuple[RecordedCall, ...]
    cards: Mapping[str, AlertCard]
    alerts: Mapping[str, Alert]
    notes: tuple[AlertHistoryEntry, ...]
    failed: Mapping[tuple[str, str], str]
    """Events that were set aside, as source and id, with the reason."""


async def execute_dry_run(script: Iterable[DryRunInput], terms: DryRunConfig, until: datetime) -> DryRunResult:
    """Play scenes, which are in the order of their times, and what follows from them up to ``until``."""
    database = _InlineDatabase("sqlite://")
    try:
        await database.run(METADATA.create_all)
        stage = _DryRun(database, terms)
        for at, scenes in groupby(script, key=attrgetter("at")):
            await stage.play([scene.what for scene in scenes], at)
        await stage.pass_time(until + _MOMENT)
        return await stage.played()
    finally:
        await database.close()


class _InlineDatabase(Database):
    """Works where it is called: nobody else waits for this event loop, so trips to a thread would only cost time."""

    async def run(self, call: Callable[[Connection], T]) -> T:
        """Return what ``call`` returns, after the commit."""
        return self.run_blocking(call)


class _Clock:
    def __init__(self, zone: tzinfo) -> None:
        self.time = datetime.min.replace(tzinfo=UTC)
        self._zone = zone

    def __call__(self) -> datetime:
        return self.time.astimezone(self._zone)


class _DryRun:
    def __init__(self, database: Database, terms: DryRunConfig) -> None:
        self._terms = terms
        self._clock = _Clock(terms.zone)
        self._ids = count(1)
        self._notebook = _RecordingMessenger(self._clock)
        self._events = StoredEvents(database)
        self._books = StoredAlertTransactions(database, self._clock)
        self._backlog = _Backlog(database)
        metrics = Metrics()
        self._desk = AlertProcessor(self._books, unit=self._unit, now=self._clock, metrics=metrics)
        self._study = AlertUnitOfWorkRunner(self._books, self._unit, _nothing)
        guard = QuotaGuard(self._notebook.this_month, terms.monthly, metrics=metrics, reserve=terms.reserve)
        self._outbox = OutboxWorker(
            self._backlog,
            self._notebook,
            {CARD_KIND: AlertComposer(self._study, now=self._clock, name_of=_same)},
            _BlankRenderer(),
            worker="rehearsal",
            track_of=_as_it_is,
            language_of=lambda _place: "en",
            metrics=metrics,
            now=self._clock,
            draw=lambda: 0.5,
            sparing=guard.sparing,
            limits=terms.limits,
            at_once=terms.at_once,
        )
        self._due: datetime | None = None
        self._look_at: datetime | None = None

    async def pass_time(self, until: datetime) -> None:
        """Let happen what time alone brings before ``until``."""
        while (at := min(filter(None, (self._due, self._look_at)), default=until)) < until:
            await self._work(at)

    async def play(self, acts: Sequence[ReceivedEvent | Mute | Watch], at: datetime) -> None:
        """Let come what comes at this moment, after all that time brought before."""
        await self.pass_time(at)
        for wish in acts:
            if isinstance(wish, Mute):
                await self._study.write(lambda unit, wish=wish: unit.repository.put_mute(wish))  # type: ignore[misc]  # one argument in the end
            elif isinstance(wish, Watch):
                await self._study.write(lambda unit, wish=wish: unit.repository.put_watch(wish))  # type: ignore[misc]  # one argument in the end
        if await self._events.keep([one for one in acts if isinstance(one, ReceivedEvent)]):
            self._due = at
            await self._work(at)

    async def played(self) -> DryRunResult:
        """Return what came of it all."""
        calls = tuple(self._notebook.calls)
        notes = await self._study.read(lambda repository: tuple(repository.story(limit=_ALL)))
        ids = dict.fromkeys(call.card for call in calls)
        cards = await self._study.read(lambda repository: {one: card for one in ids if (card := repository.card(one))})
        wanted = tuple(dict.fromkeys(alert for card in cards.values() for alert in card.alerts))
        alerts = await self._study.read(lambda repository: {one.id: one for one in repository.alerts(wanted)})
        failed = await self._events.search(EventSearch(state=EventState.REJECTED, limit=_ALL))
        return DryRunResult(calls, cards, alerts, notes, {(one.source, one.id): one.reason for one in failed})

    def _unit(self, repository: AlertRepository) -> AlertUnitOfWork:
        # Ids in order, so that a rehearsal always comes to the same end.
        return AlertUnitOfWork(
            repository=repository, rules=self._terms.rules, now=self._clock(), new_id=lambda: f"{next(self._ids):08}"
        )

    async def _work(self, at: datetime) -> None:
        self._clock.time = at
        if self._due is not None and self._due <= at:
            await self._desk.round()
        self._look_at = await self._send()
        self._due = await self._books.run(lambda repository: repository.next_due())

    async def _send(self) -> datetime | None:
        while True:
            look_at = await self._outbox.run_once()
            await self._outbox.idle()
            if not self._backlog.took:
                return look_at


class _Backlog(StoredBacklog):
    """Knows whether the last look at it found anything to do."""

    took = False

    async def claim(self, worker: str, limits: SendLimits, *, room: int, sparing: bool, now: datetime) -> ClaimedRows:
        """Take what is due and within the budgets."""
        claim = await super().claim(worker, limits, room=room, sparing=sparing, now=now)
        self.took = bool(claim.rows or claim.foldings)
        return claim


@dataclass(slots=True)
class _RecordingMessenger:
    """A DingTalk where everything works at once. Implements `bot.outbox.messenger.Messenger`."""

    now: _Clock
    calls: list[RecordedCall] = field(default_factory=list)
    _by_month: dict[date, int] = field(default_factory=dict)

    async def show(self, place: Place, track_id: str, card: Card) -> None:
        self._write(track_id, card, creates=True)

    async def change(self, track_id: str, card: Card, made_as: str) -> None:
        self._write(track_id, card, creates=False)

    async def write(self, place: Place, card: Card) -> None:
        raise AssertionError("plain messages go only where cards were refused")

    def this_month(self) -> int:
        """Return the calls of the present month."""
        return self._by_month.get(self._month, 0)

    @property
    def _month(self) -> date:
        return self.now.time.astimezone(_CHINA).date().replace(day=1)

    def _write(self, card_id: str, card: Card, *, creates: bool) -> None:
        self.calls.append(RecordedCall(self.now.time, card_id, creates, card.name))
        self._by_month[self._month] = self.this_month() + 1


class _BlankRenderer:
    """Names cards without drawing them: what they cost does not depend on what they say."""

    def render(self, view: View, language: str, *, zone: tzinfo) -> Card:
        return Card(name=view.card, language=language, title="", body="", tips="", buttons=(), twin="", fields={})


async def _same(user_id: str) -> str:
    return user_id


def _as_it_is(key: str) -> str:
    return key


def _nothing() -> None:
    """Nobody has to be woken: the stage looks after everything itself."""
