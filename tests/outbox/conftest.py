"""An outbox on both databases, sending to a simulated DingTalk or to a recording messenger."""

from __future__ import annotations

import itertools
import math
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, ClassVar

import aiohttp
import pytest
from pydantic import SecretStr
from sqlalchemy.engine import Connection

from bot.cards.card import Card
from bot.cards.view import Button, View
from bot.dingtalk.apis import AppKeys, Endpoints
from bot.dingtalk.card_api import CardApi
from bot.dingtalk.messenger import DingTalkMessenger
from bot.dingtalk.openapi import ApiRates, ApiRetryPolicy, OpenApi, pooled_session
from bot.dingtalk.quota import MonthlyMeter
from bot.dingtalk.robot import Robot
from bot.kit.simulator.cards import SimCardView
from bot.kit.simulator.chat import SimDelivery as Copy
from bot.kit.simulator.config import SimulatorConfig
from bot.kit.simulator.engine import SimEngine
from bot.kit.simulator.server import open_simulator
from bot.mechanisms.metrics import Metrics
from bot.outbox.budgets import SendLimits
from bot.outbox.delivery import Delivery, DeliveryRecord, DeliveryStepKind, DingWay
from bot.outbox.place import Place, PlaceKind
from bot.outbox.ports import NOBODY_CALLED, NOBODYS, ComposedCard, Messenger, SendFailed
from bot.outbox.worker import OutboxWorker
from bot.store.database import Database
from bot.store.outbox.deliveries import StoredDeliveries
from bot.store.outbox.ledger import CardLedger
from bot.store.outbox.queue import StoredBacklog, enqueue, withdraw
from bot.words.phrase import Phrase

START = datetime(2026, 11, 24, 2, 30, tzinfo=UTC)
GROUP = Place(PlaceKind.GROUP, "cidWarehouse==")
WIDE = SendLimits(per_second=10_000, place_minute=10_000, robot_minute=10_000)
IMPATIENT = ApiRetryPolicy(per_try=0.3, connect=0.3, overall=1.0, tries=1, backoff=0.01)
UNHURRIED = ApiRetryPolicy(per_try=30.0, connect=30.0, overall=30.0, tries=1)
"""As long as an answer takes on a busy machine, and less than the minute that DingTalk may ask a caller to wait."""
_NUMBERS = itertools.count()


@dataclass
class Clock:
    """A clock that stands until it is moved."""

    time: datetime = START

    def __call__(self) -> datetime:
        return self.time

    def forward(self, **span: float) -> None:
        self.time += timedelta(**span)


@dataclass(frozen=True, slots=True, kw_only=True)
class StubView(View):
    """A view with nothing but words."""

    card: ClassVar[str] = "paper"

    words: str


class StubRenderer:
    """Draws papers."""

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
        words = view.words if isinstance(view, StubView) else view.card
        return Card(
            name=view.card,
            language=language,
            title=words,
            body=words,
            tips="",
            buttons=(),
            twin=f"#### {words}",
            fields={},
        )


@dataclass
class RevisionComposer:
    """Composes what is written on it: for each reference its revision; one that was wiped shows nothing."""

    database: Database
    clock: Clock
    revisions: dict[str, int] = field(default_factory=dict)
    folded: list[tuple[str, ...]] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    fold_failures: list[Exception] = field(default_factory=list)
    elsewhere: list[tuple[str, tuple[Place, ...]]] = field(default_factory=list)
    """Whom to call elsewhere: the reference, and the people whom its card did not reach."""
    call_failures: list[Exception] = field(default_factory=list)
    called: dict[str, str] = field(default_factory=dict)
    too_late: bool = False

    async def call_elsewhere(self, ref: str, people: Sequence[Place]) -> None:
        if self.call_failures:
            raise self.call_failures.pop()
        self.elsewhere.append((ref, tuple(people)))

    async def compose(self, ref: str) -> ComposedCard:
        if self.failures:
            raise self.failures.pop()
        revision = self.revisions.get(ref, 0)
        view = StubView(words=f"{ref} r{revision}") if revision else None
        return ComposedCard(view, revision, called=self.called, too_late=self.too_late)

    async def fold(self, refs: Sequence[str], place: str) -> None:
        if self.fold_failures:
            raise self.fold_failures.pop()
        digest = f"digest {len(self.folded)}"

        def put(connection: Connection) -> None:
            withdraw(connection, refs)
            enqueue(connection, owed(digest, place=Place.parse(place), due_at=self.clock()), now=self.clock())

        await self.database.run(put)
        self.folded.append(tuple(refs))
        self.revisions |= dict.fromkeys(refs, 0) | {digest: 1}


def owed(card: str, revision: int = 1, **changes: Any) -> Delivery:
    values: dict[str, Any] = {
        "card": card,
        "place": GROUP,
        "kind": "paper",
        "ref": card,
        "revision": revision,
        "due_at": START,
    }
    return Delivery(**{**values, **changes})


@dataclass
class RecordingMessenger:
    """A messenger that only records calls; each of ``failures`` is raised by one call."""

    clock: Clock
    sent: list[tuple[datetime, str, str, str]] = field(default_factory=list)
    failures: list[SendFailed] = field(default_factory=list)
    calls: list[Mapping[str, str]] = field(default_factory=list)
    """Whom cards called, one for each that called anybody."""

    async def show(
        self,
        places: Sequence[Place],
        track_id: str,
        card: Card,
        *,
        own: Mapping[str, Card] = NOBODYS,
        called: Mapping[str, str] = NOBODY_CALLED,
    ) -> tuple[Place, ...]:
        self.calls += [called] if called else []
        self._note("show", track_id, card)
        return ()

    async def change(self, track_id: str, card: Card, made_as: str, own: Mapping[str, Card] = NOBODYS) -> None:
        self._note("change", track_id, card)

    async def ding(self, place: Place, card: Card, way: DingWay) -> None:
        self._note("ding", "", card)

    async def write(self, place: Place, card: Card) -> None:
        self._note("write", "", card)

    def _note(self, call: str, track_id: str, card: Card) -> None:
        self.sent.append((self.clock(), call, track_id, card.body))
        if self.failures:
            raise self.failures.pop(0)

    @property
    def words(self) -> list[tuple[str, str]]:
        return [(call, words) for _, call, _, words in self.sent]


@dataclass
class OutboxHarness:
    """An outbox, what it composes from, and what it is looked at with."""

    database: Database
    clock: Clock
    composer: RevisionComposer
    outbox: OutboxWorker
    deliveries: StoredDeliveries
    metrics: Metrics
    engine: SimEngine | None = None

    async def owe(self, card: str, revision: int = 1, **changes: Any) -> None:
        """Give the composer a new state and queue it."""
        self.composer.revisions[changes.get("ref", card)] = revision
        await self.outbox.enqueue(owed(card, revision, **{"due_at": self.clock(), **changes}))

    async def work(self) -> None:
        """Send everything that can be sent at this moment of the clock."""
        while True:
            look_at = await self.outbox.run_once()
            busy = bool(self.outbox._sending)
            await self.outbox.idle()
            if not busy and (look_at is None or look_at > self.clock()):
                return

    async def history(self, card: str) -> list[str]:
        """Return what happened to a card, in short words."""
        return [step.what.value for step in await self.deliveries.steps_of(card)]

    async def row(self, card: str) -> DeliveryRecord:
        [found] = await self.deliveries.search(card=card)
        return found

    def count(self, what: DeliveryStepKind) -> float:
        return self.metrics.registry.get_sample_value("dingerp_deliveries_total", {"what": what.value}) or 0.0

    # what the group sees in the simulated DingTalk

    @property
    def group(self) -> Place:
        assert self.engine is not None
        first = next(
            conversation.id for conversation in self.engine.chat.conversations.values() if conversation.kind == "group"
        )
        return Place(PlaceKind.GROUP, first)

    @property
    def cards(self) -> list[SimCardView]:
        """The cards in the group, oldest first."""
        assert self.engine is not None
        items = self.engine.chat.items(self.engine.conversation(self.group.id), "", 0)
        return [item.card.view_for("keeper01") for item in items if isinstance(item, Copy)]

    @property
    def texts(self) -> list[str]:
        """The plain messages in the group."""
        assert self.engine is not None
        return [item["title"] for item in self.engine.items(self.group.id) if item["kind"] != "card"]


def outbox_of(
    database: Database,
    composer: Any,
    messenger: Messenger,
    clock: Any,
    *,
    worker: str = "",
    ledger: CardLedger | None = None,
    **more: Any,
) -> OutboxWorker:
    values: dict[str, Any] = {"limits": WIDE, "metrics": Metrics(), "at_once": 50, **more}
    return OutboxWorker(
        StoredBacklog(database, ledger),
        messenger,
        {"paper": composer},
        StubRenderer(),
        worker=worker or f"worker-{next(_NUMBERS)}",
        track_of=lambda card: f"track-{card}",
        language_of=lambda place: "zh_CN",
        now=clock,
        draw=lambda: 0.0,
        **values,
    )


@pytest.fixture(params=["sqlite", "postgres"])
async def database(request: pytest.FixtureRequest) -> AsyncIterator[Database]:
    async with database_at(request.getfixturevalue(f"{request.param}_url")) as database:
        yield database


@asynccontextmanager
async def database_at(url: str) -> AsyncIterator[Database]:
    database = Database(url)
    await database.migrate()
    yield database
    await database.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def messenger(clock: Clock) -> RecordingMessenger:
    return RecordingMessenger(clock)


@pytest.fixture
def harness(database: Database, clock: Clock, messenger: RecordingMessenger) -> OutboxHarness:
    """An outbox with a recording messenger."""
    return harness_of(database, messenger, clock)


def harness_of(database: Database, messenger: Messenger, clock: Clock, **more: Any) -> OutboxHarness:
    composer, metrics = RevisionComposer(database, clock), Metrics()
    outbox = outbox_of(database, composer, messenger, clock, metrics=metrics, **more)
    return OutboxHarness(database, clock, composer, outbox, StoredDeliveries(database), metrics)


@pytest.fixture
async def system(database: Database, clock: Clock) -> AsyncIterator[OutboxHarness]:
    """An outbox before a simulated DingTalk, joined by real sockets."""
    composer, metrics = RevisionComposer(database, clock), Metrics()
    config = SimulatorConfig(qps_limit=None, quota_limit=None)
    async with open_simulator(config) as simulator, pooled_session() as session:
        places = places_at(simulator.url, session, metrics)
        outbox = outbox_of(database, composer, places, clock, metrics=metrics)
        yield OutboxHarness(database, clock, composer, outbox, StoredDeliveries(database), metrics, simulator.engine)


def places_at(url: str, session: aiohttp.ClientSession, metrics: Metrics) -> DingTalkMessenger:
    # DingTalk keeps silent in some of these tests, and the outbox repeats what was not answered.
    api = api_at(url, session, metrics, patience=IMPATIENT)
    return DingTalkMessenger(CardApi(api), Robot(api), api.keys)


def api_at(
    url: str,
    session: aiohttp.ClientSession,
    metrics: Metrics,
    meter: MonthlyMeter | None = None,
    patience: ApiRetryPolicy = UNHURRIED,
) -> OpenApi:
    """Return the client for a simulator; it does not repeat calls by itself, nor wait between them."""
    config = SimulatorConfig()
    return OpenApi(
        session,
        AppKeys(config.client_id, SecretStr(config.client_secret)),
        metrics=metrics,
        endpoints=Endpoints(api=url, oapi=url),
        meter=meter,
        patience=patience,
        rates=ApiRates(default=math.inf),
        draw=lambda: 0.0,
    )
