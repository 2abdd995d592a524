"""A rehearsal: the bot's own desk, ledger and outbox, on a database in memory, under a clock that jumps.

Everything is the code that runs: `bot.alerts.running`, `bot.store.books`, `bot.outbox.worker`. Only DingTalk is a
notebook in which each call is one line, and time passes from one thing that happens to the next. Tables in memory cost
more than dictionaries would, but no second ledger or outbox can disagree with the one that works.
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

from bot.alerts.alert import Alert, AlertCard
from bot.alerts.board import Watch
from bot.alerts.composing import AlertComposer
from bot.alerts.intake.kept import EventState, Kept
from bot.alerts.ledger import Ledger, Mute, Note
from bot.alerts.noticeboard import Study
from bot.alerts.plan import Rules
from bot.alerts.running import AlertDesk
from bot.alerts.showing import KIND
from bot.alerts.unit import Unit
from bot.cards.card import Card
from bot.cards.view import View
from bot.metrics import Metrics
from bot.outbox.backlog import Claim
from bot.outbox.budgets import Limits
from bot.outbox.month import MonthGuard
from bot.outbox.place import Place
from bot.outbox.worker import Outbox
from bot.store.books import StoredBooks
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
class Scene:
    """What comes from outside at one moment: an event, or what somebody asked for in a chat."""

    at: datetime
    what: Kept | Mute | Watch


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Under what the bot works. ``zone`` is the company's; ``monthly`` and ``reserve`` as in `MonthGuard`."""

    rules: Rules
    zone: tzinfo
    limits: Limits = field(default_factory=Limits)
    at_once: int = 16
    monthly: int = 10_000
    reserve: float = 0.1


@dataclass(frozen=True, slots=True)
class Call:
    """One call to DingTalk: it makes a card (``creates``) or changes it; ``template`` names what is drawn."""

    at: datetime
    card: str
    creates: bool
    template: str


@dataclass(frozen=True, slots=True)
class Played:
    """What a rehearsal brought. ``cards`` are those of ``calls``, as they are at its end."""

    calls: tuple[Call, ...]
    cards: Mapping[str, AlertCard]
    alerts: Mapping[str, Alert]
    notes: tuple[Note, ...]
    failed: Mapping[tuple[str, str], str]
    """Events that were set aside, as source and id, with the reason."""


async def rehearse(script: Iterable[Scene], terms: Terms, until: datetime) -> Played:
    """Play scenes, which are in the order of their times, and what follows from them up to ``until``."""
    database = _Here("sqlite://")
    try:
        await database.run(METADATA.create_all)
        stage = _Stage(database, terms)
        for at, scenes in groupby(script, key=attrgetter("at")):
            await stage.play([scene.what for scene in scenes], at)
        await stage.pass_time(until + _MOMENT)
        return await stage.played()
    finally:
        await database.close()


class _Here(Database):
    """Works where it is called: nobody else waits for this event loop, so trips to a thread would only cost time."""

    async def run(self, call: Callable[[Connection], T]) -> T:
        """Return what ``call`` returns, after the commit."""
        return self.transact(call)


class _Clock:
    def __init__(self, zone: tzinfo) -> None:
        self.time = datetime.min.replace(tzinfo=UTC)
        self._zone = zone

    def __call__(self) -> datetime:
        return self.time.astimezone(self._zone)


class _Stage:
    def __init__(self, database: Database, terms: Terms) -> None:
        self._terms = terms
        self._clock = _Clock(terms.zone)
        self._ids = count(1)
        self._notebook = _Notebook(self._clock)
        self._events = StoredEvents(database)
        self._books = StoredBooks(database, self._clock)
        self._backlog = _Backlog(database)
        metrics = Metrics()
        self._desk = AlertDesk(self._books, unit=self._unit, now=self._clock, metrics=metrics)
        self._study = Study(self._books, self._unit, _nothing)
        guard = MonthGuard(self._notebook.this_month, terms.monthly, metrics=metrics, reserve=terms.reserve)
        self._outbox = Outbox(
            self._backlog,
            self._notebook,
            {KIND: AlertComposer(self._study, now=self._clock, name_of=_same)},
            _BlankPress(),
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

    async def play(self, acts: Sequence[Kept | Mute | Watch], at: datetime) -> None:
        """Let come what comes at this moment, after all that time brought before."""
        await self.pass_time(at)
        for wish in acts:
            if isinstance(wish, Mute):
                await self._study.do(lambda unit, wish=wish: unit.ledger.put_mute(wish))  # type: ignore[misc]  # one argument in the end
            elif isinstance(wish, Watch):
                await self._study.do(lambda unit, wish=wish: unit.ledger.put_watch(wish))  # type: ignore[misc]  # one argument in the end
        if await self._events.keep([one for one in acts if isinstance(one, Kept)]):
            self._due = at
            await self._work(at)

    async def played(self) -> Played:
        """Return what came of it all."""
        calls = tuple(self._notebook.calls)
        notes = await self._study.read(lambda ledger: tuple(ledger.story(limit=_ALL)))
        ids = dict.fromkeys(call.card for call in calls)
        cards = await self._study.read(lambda ledger: {one: card for one in ids if (card := ledger.card(one))})
        wanted = tuple(dict.fromkeys(alert for card in cards.values() for alert in card.alerts))
        alerts = await self._study.read(lambda ledger: {one.id: one for one in ledger.alerts(wanted)})
        failed = await self._events.search(EventSearch(state=EventState.REJECTED, limit=_ALL))
        return Played(calls, cards, alerts, notes, {(one.source, one.id): one.reason for one in failed})

    def _unit(self, ledger: Ledger) -> Unit:
        # Ids in order, so that a rehearsal always comes to the same end.
        return Unit(ledger=ledger, rules=self._terms.rules, now=self._clock(), new_id=lambda: f"{next(self._ids):08}")

    async def _work(self, at: datetime) -> None:
        self._clock.time = at
        if self._due is not None and self._due <= at:
            await self._desk.round()
        self._look_at = await self._send()
        self._due = await self._books.within(lambda ledger: ledger.next_due())

    async def _send(self) -> datetime | None:
        while True:
            look_at = await self._outbox.turn()
            await self._outbox.idle()
            if not self._backlog.took:
                return look_at


class _Backlog(StoredBacklog):
    """Knows whether the last look at it found anything to do."""

    took = False

    async def claim(self, worker: str, limits: Limits, *, room: int, sparing: bool, now: datetime) -> Claim:
        """Take what is due and within the budgets."""
        claim = await super().claim(worker, limits, room=room, sparing=sparing, now=now)
        self.took = bool(claim.rows or claim.foldings)
        return claim


@dataclass(slots=True)
class _Notebook:
    """A DingTalk where everything works at once. Implements `bot.outbox.messenger.Messenger`."""

    now: _Clock
    calls: list[Call] = field(default_factory=list)
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
        self.calls.append(Call(self.now.time, card_id, creates, card.name))
        self._by_month[self._month] = self.this_month() + 1


class _BlankPress:
    """Names cards without drawing them: what they cost does not depend on what they say."""

    def render(self, view: View, language: str, *, zone: tzinfo) -> Card:
        return Card(name=view.card, language=language, title="", body="", tips="", buttons=(), twin="", fields={})


async def _same(user_id: str) -> str:
    return user_id


def _as_it_is(key: str) -> str:
    return key


def _nothing() -> None:
    """Nobody has to be woken: the stage looks after everything itself."""
