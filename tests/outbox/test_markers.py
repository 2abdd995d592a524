"""What stands beside the chats: it begins once and ends once, whatever dies in between, and is no card."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.dingtalk.openapi import pooled_session
from bot.dingtalk.todos import RobotChat, TodoApi, TodoKeeper
from bot.kit.simulator.config import SimulatorConfig
from bot.kit.simulator.engine import SimEngine
from bot.kit.simulator.server import open_simulator
from bot.mechanisms.metrics import Metrics
from bot.outbox.delivery import DeliveryFormat, DeliveryState, Urgency
from bot.outbox.place import Place, PlaceKind
from bot.outbox.ports import ComposedCard, Marker, MarkerKeeper, MarkerRequest, MarkerState, SendFailed, SendFailureKind
from bot.store.database import Database
from bot.store.outbox.deliveries import StoredDeliveries
from tests.outbox.conftest import (
    Clock,
    OutboxHarness,
    RecordingMessenger,
    RevisionComposer,
    StubView,
    api_at,
    outbox_of,
)

BOSS = Place(PlaceKind.PERSON, "boss01")
KIND: dict[str, Any] = {"place": BOSS, "via": DeliveryFormat.TO_DO, "urgency": Urgency.SOON}


@dataclass
class MarkerComposer(RevisionComposer):
    """Composes markers that are in the ``states`` that a test gives, and open before."""

    states: dict[str, MarkerState] = field(default_factory=dict)

    async def compose(self, ref: str) -> ComposedCard:
        marker = Marker(state=self.states.get(ref, MarkerState.OPEN), people=(BOSS.id,))
        return ComposedCard(StubView(words=ref), self.revisions[ref], marker=marker)


@dataclass
class RecordingKeeper:
    """A keeper that records what it was asked for; each of ``failures`` is raised by one call."""

    asked: list[MarkerRequest] = field(default_factory=list)
    failures: list[SendFailed] = field(default_factory=list)

    async def keep(self, asked: MarkerRequest) -> str:
        self.asked.append(asked)
        if self.failures:
            raise self.failures.pop(0)
        return asked.marker.state.value


@pytest.fixture
def composer(database: Database, clock: Clock) -> MarkerComposer:
    return MarkerComposer(database, clock)


@pytest.fixture
def keeper() -> RecordingKeeper:
    return RecordingKeeper()


def harness_of(
    composer: MarkerComposer, messenger: RecordingMessenger, keeper: MarkerKeeper, **more: Any
) -> OutboxHarness:
    database, clock, metrics = composer.database, composer.clock, Metrics()
    outbox = outbox_of(
        database, composer, messenger, clock, metrics=metrics, markers={DeliveryFormat.TO_DO: keeper}, **more
    )
    return OutboxHarness(database, clock, composer, outbox, StoredDeliveries(database), metrics)


@pytest.fixture
def harness(composer: MarkerComposer, messenger: RecordingMessenger, keeper: RecordingKeeper) -> OutboxHarness:
    return harness_of(composer, messenger, keeper)


async def test_it_begins_and_ends_by_what_stood_before(
    harness: OutboxHarness, composer: MarkerComposer, keeper: RecordingKeeper, messenger: RecordingMessenger
) -> None:
    await harness.owe("a", **KIND)
    await harness.work()
    await harness.owe("a", 2, **KIND)
    await harness.work()
    composer.states["a"] = MarkerState.DONE
    await harness.owe("a", 3, **KIND)
    await harness.work()
    assert [(one.standing, one.marker.state.value, one.doubtful) for one in keeper.asked] == [
        ("", "open", False),
        ("open", "open", False),
        ("open", "done", False),
    ]
    assert {one.track_id for one in keeper.asked} == {"track-a"}
    assert await harness.history("a") == ["queued", "sent", "queued", "kept", "queued", "updated"]
    assert messenger.words == []


async def test_what_fails_is_tried_again_and_is_neither_card_nor_text(
    harness: OutboxHarness, keeper: RecordingKeeper, messenger: RecordingMessenger
) -> None:
    keeper.failures = [SendFailed(SendFailureKind.UNKNOWN, "no answer"), SendFailed(SendFailureKind.SPENT, "no calls")]
    await harness.owe("a", **{**KIND, "urgency": Urgency.NOW})
    await harness.work()
    harness.clock.forward(hours=1)
    await harness.work()
    harness.clock.forward(hours=2)
    await harness.work()
    assert [one.doubtful for one in keeper.asked] == [False, True, True]
    assert await harness.history("a") == ["queued", "retried", "retried", "sent"]
    assert messenger.words == []


async def test_what_is_refused_is_given_up_alone(
    harness: OutboxHarness, keeper: RecordingKeeper, messenger: RecordingMessenger
) -> None:
    keeper.failures = [SendFailed(SendFailureKind.HOPELESS, "no such person")]
    await harness.owe("a", **KIND, also=(Place(PlaceKind.PERSON, "keeper01"),))
    await harness.work()
    row = await harness.row("a")
    assert (row.state, row.via, row.reason) == (DeliveryState.DEAD, DeliveryFormat.TO_DO, "no such person")
    await harness.deliveries.replay(harness.clock())
    await harness.work()
    assert [one.track_id for one in keeper.asked] == ["track-a", "track-a#1"]
    assert messenger.words == []


async def test_without_a_keeper_it_is_given_up(
    composer: MarkerComposer, messenger: RecordingMessenger, clock: Clock
) -> None:
    outbox = outbox_of(composer.database, composer, messenger, clock)
    metrics = Metrics()
    harness = OutboxHarness(composer.database, clock, composer, outbox, StoredDeliveries(composer.database), metrics)
    await harness.owe("a", **KIND)
    await harness.work()
    assert (await harness.row("a")).state is DeliveryState.DEAD


@pytest.mark.parametrize("spared", ["sparing", "reserved"])
async def test_it_waits_while_calls_are_spared(
    composer: MarkerComposer, messenger: RecordingMessenger, keeper: RecordingKeeper, spared: str
) -> None:
    harness = harness_of(composer, messenger, keeper, **{spared: lambda: True})
    await harness.owe("a", **KIND)
    await harness.work()
    assert keeper.asked == []
    assert (await harness.row("a")).state is DeliveryState.QUEUED


@pytest.fixture
async def engine_and_keeper() -> AsyncIterator[tuple[SimEngine, TodoKeeper]]:
    async with open_simulator(SimulatorConfig(qps_limit=None)) as simulator, pooled_session() as session:
        engine = simulator.engine

        async def union_id_of(user_id: str) -> str:
            return engine.person(user_id).union_id

        todos = TodoApi(api_at(simulator.url, session, Metrics()), simulator.url)
        yield engine, TodoKeeper(todos, union_id_of, RobotChat().link)


class Killed(BaseException):
    """The process is dead."""


@dataclass
class DyingKeeper:
    """A keeper whose process dies before or after the call of each of ``deaths``."""

    keeper: MarkerKeeper
    deaths: Sequence[str]

    async def keep(self, asked: MarkerRequest) -> str:
        death, *self.deaths = self.deaths or ("",)
        if death == "before":
            raise Killed
        standing = await self.keeper.keep(asked)
        if death == "after":
            raise Killed
        return standing


@pytest.mark.sampled(2)
@pytest.mark.parametrize("last", [MarkerState.DONE, MarkerState.GONE])
@pytest.mark.parametrize("deaths", [("before",), ("after",), ("after", "after"), ("", "before"), ("", "after")])
async def test_killed_at_any_moment_it_stands_and_ends_once(
    composer: MarkerComposer,
    messenger: RecordingMessenger,
    engine_and_keeper: tuple[SimEngine, TodoKeeper],
    deaths: Sequence[str],
    last: MarkerState,
) -> None:
    engine, real = engine_and_keeper
    dying = DyingKeeper(real, deaths)

    async def live(revision: int) -> None:
        """Owe a revision, and let processes try to bring it about until none dies."""
        await harness_of(composer, messenger, dying).owe("a", revision, **KIND)
        for _ in range(4):
            process = harness_of(composer, messenger, dying)
            await process.work()
            composer.clock.forward(minutes=2)

    await live(1)
    assert [todo.subject for todo in engine.todos.of(engine.person(BOSS.id).union_id)] == ["a"]
    composer.states["a"] = last
    await live(2)
    assert [todo.is_done for todo in engine.todos] == ([True] if last is MarkerState.DONE else [])
