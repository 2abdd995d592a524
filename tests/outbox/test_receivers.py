"""Programs that are told what happens: in order, at least once, until it is too late; each for itself."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy.engine import Connection

from bot.bootstrap.receivers import receivers_health
from bot.mechanisms.health import WELL, PartStatus
from bot.mechanisms.metrics import Metrics
from bot.outbox.delivery import DeliveryState
from bot.outbox.happenings import Happening, HappeningType, Receiver
from bot.outbox.receiver_lane import MOST_REFUSALS, EventMessage, EventNotRead, EventNotTaken, ReceiverLane
from bot.store.database import Database
from bot.store.outbox.deliveries import StoredDeliveries
from bot.store.outbox.happenings import StoredReceiverBacklog, tell
from tests.outbox.conftest import Clock, OutboxHarness
from tests.rows import each_row

FLOW = Receiver(name="flow", owner="boss01", types=("*",))
DESK = Receiver(name="desk", owner="boss01", types=("decision.*",), sources=frozenset({"main"}))


def happened(subject: str, what: HappeningType = HappeningType.ALERT_OPENED, source: str = "main") -> Happening:
    return Happening(
        type=what, at=Clock()(), source=source, subject=subject, line=f"/alerts {subject} all", card="alert"
    )


@dataclass
class Program:
    """A receiver's side: what it got, and how it answers each event; it is shown what its owner may see."""

    got: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    troubles: list[Exception] = field(default_factory=list)
    """What it answers next; nothing: it takes the event."""
    refuses: Callable[[str], Exception | None] = lambda _: None
    hidden: Collection[str] = ()
    gate: asyncio.Event | None = None
    """What an answer waits for."""

    async def write(self, receiver: Receiver, event_id: str, happening: Happening) -> EventMessage | None:
        if happening.subject in self.hidden:
            return None
        return EventMessage(event_id, f"{happening.subject} {happening.type}".encode())

    async def send(self, receiver: str, message: EventMessage) -> None:
        if self.gate is not None:
            await self.gate.wait()
        said = message.body.decode()
        if self.troubles:
            raise self.troubles.pop(0)
        if (refusal := self.refuses(said)) is not None:
            raise refusal
        self.got.append(said)
        self.ids.append(message.id)


@dataclass
class Told:
    """An outbox with programs."""

    database: Database
    clock: Clock
    metrics: Metrics = field(default_factory=Metrics)

    def lane(self, program: Program, receiver: Receiver = FLOW, worker: str = "one", at_once: int = 8) -> ReceiverLane:
        return ReceiverLane(
            receiver,
            StoredReceiverBacklog(self.database),
            program,
            program,
            worker=worker,
            metrics=self.metrics,
            now=self.clock,
            draw=lambda: 1.0,
            at_once=at_once,
        )

    async def tell(self, *happenings: Happening, receivers: Sequence[Receiver] = (FLOW,)) -> None:
        """Store what happened, as a unit of work does."""

        def store(connection: Connection) -> None:
            tell(connection, receivers, happenings, now=self.clock())

        await self.database.run(store)

    async def owed(self) -> int:
        """Return how many events wait."""
        owed = (await StoredReceiverBacklog(self.database).owed_to(self.clock() + timedelta(days=1))).get(FLOW.name)
        return owed.waiting if owed else 0

    async def states(self, receiver: Receiver = FLOW) -> list[tuple[DeliveryState, str]]:
        found = await StoredDeliveries(self.database).search(place=receiver.place)
        return sorted((each.state, each.reason) for each in found)


@pytest.fixture
def told(database: Database, clock: Clock) -> Told:
    return Told(database, clock)


async def work(lane: ReceiverLane) -> None:
    """Send what can be sent at this moment of the clock."""
    while await lane.run_once():
        pass


async def test_events_of_one_subject_arrive_in_the_order_in_which_they_happened(told: Told) -> None:
    program = Program()
    kinds = [HappeningType.ALERT_OPENED, HappeningType.ALERT_CHANGED, HappeningType.ALERT_RESOLVED]
    await told.tell(*(happened("a", kind) for kind in kinds[:2]), happened("b"))
    await told.tell(happened("a", kinds[2]))
    await work(told.lane(program))
    assert [said for said in program.got if said.startswith("a")] == [f"a {kind}" for kind in kinds]
    assert "b alert.opened" in program.got
    assert len({*program.ids}) == 4
    assert await told.states() == [(DeliveryState.DONE, "")] * 4


async def test_an_event_that_is_not_taken_holds_back_only_those_of_its_subject(told: Told) -> None:
    refusal = EventNotTaken("HTTP 422", is_refusal=True)
    program = Program(refuses=lambda said: refusal if said == "a alert.opened" else None)
    await told.tell(happened("a"), happened("a", HappeningType.ALERT_RESOLVED), happened("b"))
    lane = told.lane(program)
    await work(lane)
    assert program.got == ["b alert.opened"]
    for _ in range(MOST_REFUSALS):
        told.clock.forward(hours=2)
        await work(lane)
    # Refused for good, it is a dead letter, and what follows it goes on.
    assert program.got == ["b alert.opened", "a alert.resolved"]
    assert (DeliveryState.DEAD, "HTTP 422") in await told.states()


async def test_a_receiver_that_is_away_is_tried_with_one_event_more_and_more_seldom(told: Told) -> None:
    tried: list[str] = []

    def away(said: str) -> Exception:
        tried.append(said)
        return EventNotTaken("HTTP 503")

    program = Program(refuses=away)
    await told.tell(*(happened(str(number)) for number in range(20)))
    lane = told.lane(program, at_once=4)
    await work(lane)
    assert len(tried) == 4
    await work(lane)
    assert len(tried) == 4, "nothing is tried before its pause is over"
    told.clock.forward(seconds=5)
    await work(lane)
    told.clock.forward(seconds=5)
    await work(lane)
    assert len(tried) == 5, "one event asks whether it is back, and the next pause is longer"
    program.refuses = lambda _: None
    told.clock.forward(seconds=60)
    await work(lane)
    assert len(program.got) == 20


async def test_a_receiver_says_when_it_wants_to_be_asked_again(told: Told) -> None:
    program = Program(troubles=[EventNotTaken("HTTP 429", retry_after=900)])
    await told.tell(happened("a"))
    lane = told.lane(program)
    await work(lane)
    told.clock.forward(seconds=899)
    await work(lane)
    assert not program.got
    told.clock.forward(seconds=1)
    await work(lane)
    assert program.got == ["a alert.opened"]


async def test_what_is_not_taken_for_three_days_is_given_up_and_can_be_begun_anew(told: Told) -> None:
    program = Program(refuses=lambda _: EventNotTaken("not reached"))
    await told.tell(happened("a"), happened("a", HappeningType.ALERT_RESOLVED))
    lane = told.lane(program)
    await work(lane)
    told.clock.forward(days=3, seconds=1)
    await work(lane)
    gone = (DeliveryState.DEAD, "not taken within 72 hours")
    assert await told.states() == [gone, gone]
    told.clock.forward(days=1)
    assert len(await StoredDeliveries(told.database).replay(told.clock())) == 2
    program.refuses = lambda _: None
    await work(lane)
    assert sorted(program.got) == ["a alert.opened", "a alert.resolved"]


async def test_what_the_owner_may_not_see_is_not_sent_and_holds_nothing_back(told: Told) -> None:
    program = Program(hidden={"a"})
    await told.tell(happened("a"), happened("b"))
    await work(told.lane(program))
    assert program.got == ["b alert.opened"]
    assert {state for state, _ in await told.states()} == {DeliveryState.DONE}


@each_row(
    "happening, wanted",
    [
        (happened("a"), {"flow"}),
        (happened("a", HappeningType.DECISION_MADE), {"flow", "desk"}),
        (happened("a", HappeningType.DECISION_MADE, "branch"), {"flow"}),
    ],
)
def test_a_receiver_is_told_what_it_asked_for(happening: Happening, wanted: set[str]) -> None:
    assert {receiver.name for receiver in (FLOW, DESK) if receiver.wants(happening)} == wanted


async def test_a_slow_receiver_delays_only_itself(told: Told) -> None:
    slow, quick = Program(gate=asyncio.Event()), Program()
    await told.tell(happened("a", HappeningType.DECISION_MADE), receivers=(FLOW, DESK))
    waiting = asyncio.create_task(work(told.lane(slow)))
    await work(told.lane(quick, DESK, worker="two"))
    assert quick.got == ["a decision.made"]
    assert not waiting.done()
    assert slow.gate is not None
    slow.gate.set()
    await waiting
    assert slow.got == ["a decision.made"]


async def test_what_a_dead_process_held_is_sent_again_when_its_lease_is_over(told: Told) -> None:
    await told.tell(happened("a"), happened("a", HappeningType.ALERT_RESOLVED))
    dead = StoredReceiverBacklog(told.database)
    [held] = await dead.claim_first("dead", FLOW.place, room=8, now=told.clock())
    program = Program()
    lane = told.lane(program, worker="alive")
    await work(lane)
    assert not program.got, "no later event overtakes the one that another process is sending"
    told.clock.forward(minutes=2)
    await work(lane)
    assert program.got == ["a alert.opened", "a alert.resolved"]
    assert held.card.endswith(program.ids[0]), "it is the same event"


async def test_a_lane_that_is_stopped_gives_back_what_it_was_sending(told: Told) -> None:
    program = Program(gate=asyncio.Event())
    await told.tell(happened("a"))
    running = asyncio.create_task(told.lane(program).run())
    backlog = StoredReceiverBacklog(told.database)
    while await backlog.claim_first("probe", FLOW.place, room=1, now=told.clock()):
        await backlog.release("probe", told.clock())
        await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    again = Program()
    await work(told.lane(again, worker="two"))
    assert again.got == ["a alert.opened"]


async def test_what_is_rolled_back_is_told_to_nobody(told: Told) -> None:
    def fail(connection: Connection) -> None:
        tell(connection, [FLOW], [happened("a")], now=told.clock())
        raise RuntimeError("the unit of work fails")

    with pytest.raises(RuntimeError):
        await told.database.run(fail)
    assert await told.states() == []


async def test_cards_do_not_see_events_for_programs(harness: OutboxHarness) -> None:
    told = Told(harness.database, harness.clock)
    await told.tell(happened("a"))
    await harness.owe("card")
    await harness.work()
    assert (await harness.history("card"))[-1] == "sent"
    assert [state for state, _ in await told.states()] == [DeliveryState.QUEUED]
    backlog = StoredReceiverBacklog(harness.database)
    harness.clock.forward(days=1)
    assert (await backlog.waiting(), (await backlog.overdue(harness.clock())).due_since) == (0, None)
    owed = (await backlog.owed_to(harness.clock()))[FLOW.name]
    assert (owed.waiting, harness.clock() - owed.since) == (1, timedelta(days=1))


async def test_events_that_were_taken_are_forgotten_with_the_other_deliveries(told: Told) -> None:
    await told.tell(happened("a"))
    await work(told.lane(Program()))
    told.clock.forward(days=91)
    await StoredReceiverBacklog(told.database).prune(told.clock() - timedelta(days=90))
    assert await told.states() == []


async def survive(told: Told, subjects: int, each: int) -> None:
    """Tell of ``each`` events of each subject while the receiver is away at times, and processes die between the call
    and its record: nothing is lost, and no event of a subject comes before those that happened earlier.
    """
    numbers = itertools.count(1)

    def answer(_said: str) -> Exception | None:
        number = next(numbers)
        if number % 13 == 0:
            return EventNotTaken("HTTP 503")
        return EventNotTaken("HTTP 422", is_refusal=True) if number % 17 == 0 else None

    program, backlog = Program(refuses=answer), StoredReceiverBacklog(told.database)
    for number in range(each):
        kind = list(HappeningType)[number]
        await told.tell(*(happened(str(subject), kind) for subject in range(subjects)))
    for process in itertools.count():
        if (await told.owed()) == 0:
            break
        lane = told.lane(program, worker=f"process {process}", at_once=50)
        for _ in range(20):
            await lane.run_once()
        for row in await backlog.claim_first(f"dead {process}", FLOW.place, room=3, now=told.clock()):
            said = Happening.from_text(row.ref)
            program.got.append(f"{said.subject} {said.type}")  # taken, and its process died before it was recorded
        told.clock.forward(minutes=2)
    arrived: dict[str, list[str]] = {}
    for said in dict.fromkeys(program.got):
        subject, what = said.split(" ")
        arrived.setdefault(subject, []).append(what)
    assert arrived == {str(subject): [*HappeningType][:each] for subject in range(subjects)}


async def test_nothing_is_lost_while_receivers_fail_and_processes_die(told: Told) -> None:
    await survive(told, subjects=20, each=5)


@pytest.mark.soak
async def test_nothing_is_lost_of_a_hundred_thousand(told: Told) -> None:
    await survive(told, subjects=10_000, each=10)


async def test_replicas_send_each_event_once_and_in_order(told: Told) -> None:
    subjects, each = 10, 5
    for number in range(each):
        kind = list(HappeningType)[number]
        await told.tell(*(happened(str(subject), kind) for subject in range(subjects)))
    program = Program()
    await asyncio.gather(*(work(told.lane(program, worker=f"lane {number}")) for number in range(3)))
    # A lane may find nothing free while another holds the first of every subject.
    await work(told.lane(program, worker="last"))
    assert len(program.got) == len({*program.ids}) == subjects * each
    for subject in range(subjects):
        mine = [said.split(" ")[1] for said in program.got if said.split(" ")[0] == str(subject)]
        assert mine == list(HappeningType)[:each]


async def test_what_is_owed_to_a_receiver_that_is_not_configured_any_more_is_given_up(told: Told) -> None:
    await told.tell(happened("a", HappeningType.DECISION_MADE), receivers=(FLOW, DESK))
    await StoredReceiverBacklog(told.database).give_up_others([FLOW], told.clock())
    assert await told.states(DESK) == [(DeliveryState.DEAD, "its receiver is not configured")]
    assert await told.states(FLOW) == [(DeliveryState.QUEUED, "")]


async def test_while_an_erp_is_away_its_events_wait_and_those_of_others_go_on(told: Told) -> None:
    class Reader(Program):
        is_away = True

        async def write(self, receiver: Receiver, event_id: str, happening: Happening) -> EventMessage | None:
            if happening.source == "branch" and self.is_away:
                raise EventNotRead("the ERP does not answer")
            return await super().write(receiver, event_id, happening)

    program = Reader()
    await told.tell(happened("a", source="branch"), happened("b"))
    lane = told.lane(program)
    await work(lane)
    await told.tell(happened("c"))
    await work(lane)
    assert program.got == ["b alert.opened", "c alert.opened"]
    program.is_away = False
    told.clock.forward(minutes=1)
    await work(lane)
    assert program.got[-1] == "a alert.opened"


async def test_a_receiver_that_takes_nothing_is_reported_with_the_reason(told: Told) -> None:
    base: Any = SimpleNamespace(
        database=told.database, now=told.clock, settings=SimpleNamespace(receivers={FLOW.name: None})
    )
    await told.tell(happened("a"), happened("b"))
    await work(told.lane(Program(refuses=lambda _: EventNotTaken("HTTP 503"))))
    assert await receivers_health(base) == WELL
    told.clock.forward(minutes=6)
    found = await receivers_health(base)
    assert found.status is PartStatus.DEGRADED
    assert "flow is owed 2 since 2026-11-24 02:30 (HTTP 503)" in str(found.reason)
