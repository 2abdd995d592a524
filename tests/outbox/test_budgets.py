"""Budgets hold in any window, for one worker and for many; what is over becomes a digest or waits."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.cards.card import Card
from bot.outbox.budgets import SendLimits
from bot.outbox.delivery import DeliveryState, DeliveryStepKind, Urgency
from bot.outbox.place import Place, PlaceKind
from bot.outbox.ports import SendFailed, SendFailureKind
from bot.store.database import Database
from bot.store.tables import METADATA
from tests.examples import examples
from tests.outbox.conftest import (
    GROUP,
    Clock,
    OutboxHarness,
    RecordingMessenger,
    RevisionComposer,
    outbox_of,
    owed,
)

OTHER = Place(PlaceKind.GROUP, "cidSales==")


def narrow(office: OutboxHarness, **limits: int) -> None:
    office.outbox._limits = SendLimits(**{"per_second": 1000, "place_minute": 1000, "robot_minute": 1000, **limits})


async def test_more_new_cards_than_a_place_takes_in_a_minute_become_one_digest(
    office: OutboxHarness, notebook: RecordingMessenger
) -> None:
    narrow(office, place_minute=20)
    for number in range(50):
        await office.owe(f"a{number:02}")
    await office.owe("elsewhere", place=OTHER)
    await office.work()
    shown = [words for _, words in notebook.words]
    assert shown == [f"a{number:02} r1" for number in range(20)] + ["elsewhere r1"]
    assert [len(refs) for refs in office.board.folded] == [30]
    folded = await office.deliveries.search(state=DeliveryState.FOLDED, limit=100)
    assert sorted(row.card for row in folded) == [f"a{number:02}" for number in range(20, 50)]
    assert await office.story("a49") == ["queued", "folded"]
    assert office.count(DeliveryStepKind.FOLDED) == 30
    office.clock.forward(seconds=61)
    await office.work()
    assert notebook.words[-1] == ("show", "digest 0 r1")


async def test_what_is_urgent_is_never_folded_and_waits_for_room(
    office: OutboxHarness, notebook: RecordingMessenger
) -> None:
    narrow(office, place_minute=2)
    for number in range(4):
        await office.owe(f"a{number}", urgency=Urgency.NOW)
    await office.work()
    office.clock.forward(seconds=61)
    await office.work()
    assert (len(notebook.sent), office.board.folded) == (4, [])


async def test_a_single_card_over_the_budget_waits_and_the_next_one_makes_it_a_digest(
    office: OutboxHarness, notebook: RecordingMessenger
) -> None:
    narrow(office, place_minute=1)
    await office.owe("a")
    await office.owe("b")
    await office.work()
    assert office.board.folded == []
    office.clock.forward(seconds=1)
    await office.owe("c")
    await office.work()
    assert office.board.folded == [("b", "c")]
    assert [words for _, words in notebook.words] == ["a r1"]


async def test_a_fold_that_fails_is_tried_again_and_loses_nothing(office: OutboxHarness) -> None:
    narrow(office, place_minute=1)
    for card in ("b", "c", "d"):
        await office.owe(card)
    office.board.fold_failures = [KeyError("oops"), SendFailed(SendFailureKind.BUSY, "the ledger is away")]
    await office.outbox.run_once()
    await office.outbox.idle()
    assert (await office.row("d")).reason == "not folded: SendFailed: the ledger is away"
    office.clock.forward(seconds=20)
    await office.work()
    assert (await office.row("d")).reason == "not folded: a defect: KeyError"
    office.clock.forward(seconds=20)
    await office.work()
    assert office.board.folded == [("c", "d")]
    assert await office.story("d") == ["queued", "retried", "retried", "folded"]


@pytest.mark.parametrize("before", [True, False], ids=["before the digest", "after the digest"])
async def test_news_of_a_card_that_is_just_being_folded_is_on_the_digest_or_comes_after_it(
    office: OutboxHarness, before: bool
) -> None:
    narrow(office, place_minute=1)
    fold = office.board.fold

    async def fold_and_owe(refs: Sequence[str], place: str) -> None:
        if before:
            await office.outbox.enqueue(owed("c", 2))
        await fold(refs, place)
        if not before:
            await office.outbox.enqueue(owed("c", 2))

    office.board.fold = fold_and_owe  # type: ignore[method-assign]
    for card in ("a", "b", "c"):
        await office.owe(card)
    await office.outbox.run_once()
    await office.outbox.idle()
    states = {card: (await office.row(card)).state for card in ("a", "b", "c")}
    assert states == {
        "a": DeliveryState.DONE,
        "b": DeliveryState.FOLDED,
        "c": DeliveryState.FOLDED if before else DeliveryState.QUEUED,
    }


async def test_cards_that_stand_are_changed_without_a_budget_of_the_place(
    office: OutboxHarness, notebook: RecordingMessenger
) -> None:
    narrow(office, place_minute=3)
    for revision in (1, 2, 3):
        for card in ("a", "b", "c"):
            await office.owe(card, revision)
        await office.work()
    assert Counter(call for call, _ in notebook.words) == {"show": 3, "change": 6}


async def test_the_robots_messages_have_a_budget_of_their_own(
    office: OutboxHarness, notebook: RecordingMessenger
) -> None:
    narrow(office, robot_minute=20)
    notebook.failures = [SendFailed(SendFailureKind.NO_CARDS, "scope")] * 30
    for number in range(30):
        await office.owe(f"a{number:02}", urgency=Urgency.NOW)
    await office.work()
    notebook.failures = []
    assert Counter(call for call, _ in notebook.words) == {"show": 30, "write": 20}


async def test_while_calls_are_spared_only_what_is_urgent_costs_one(
    office: OutboxHarness, notebook: RecordingMessenger
) -> None:
    await office.owe("old")
    await office.work()
    office.outbox._sparing = lambda: True
    await office.owe("old", 2)
    await office.owe("urgent", urgency=Urgency.NOW)
    for number in range(10):
        await office.owe(f"a{number}")
    await office.work()
    # The first of the others is this place's one card for the next hours.
    assert [words for _, words in notebook.words] == ["old r1", "urgent r1", "a0 r1"]
    assert [len(refs) for refs in office.board.folded] == [9]
    office.clock.forward(hours=4, minutes=1)
    await office.work()
    assert [words for _, words in notebook.words[3:]] == ["digest 0 r1"]
    office.outbox._sparing = lambda: False
    office.clock.forward(hours=4)
    await office.work()
    assert [words for _, words in notebook.words[4:]] == ["old r2"]


@dataclass
class TimedMessenger:
    """A messenger that notes at which moment each call took effect."""

    clock: Clock
    effects: list[tuple[str, datetime]]

    async def show(self, place: Place, track_id: str, card: Card) -> None:
        self._act(f"show {place}")
        self._act("show")

    async def change(self, track_id: str, card: Card, made_as: str) -> None:
        self._act("change")

    async def write(self, place: Place, card: Card) -> None:
        raise AssertionError("nobody asked for texts")

    def _act(self, what: str) -> None:
        self.effects.append((what, self.clock()))


def worst(times: list[datetime], window: timedelta) -> int:
    """Return how many of these fall into the fullest half-open window."""
    times = sorted(times)
    return max(sum(begin <= other < begin + window for other in times) for begin in times)


STEPS = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.05, 0.4, 0.999, 1.0, 7.0, 29.5, 59.999, 60.0]),
        st.integers(min_value=0, max_value=12),
        st.sampled_from([GROUP, OTHER]),
        st.sampled_from(list(Urgency)),
    ),
    min_size=1,
    max_size=25,
)


@settings(max_examples=examples(1 / 2), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, per_second=st.integers(1, 6), place_minute=st.integers(1, 8), workers=st.integers(1, 3))
def test_no_window_has_more_than_the_budget(
    tmp_path: Path,
    steps: list[tuple[float, int, Place, Urgency]],
    per_second: int,
    place_minute: int,
    workers: int,
) -> None:
    """Whatever comes when, and however many workers there are."""

    async def scenario() -> list[tuple[str, datetime]]:
        clock, database = Clock(), Database("sqlite:///:memory:")
        await database.run(METADATA.create_all)
        board, wire = RevisionComposer(database, clock), TimedMessenger(clock, [])
        limits = SendLimits(per_second=per_second, place_minute=place_minute)
        outboxes = [outbox_of(database, board, wire, clock, limits=limits, at_once=3) for _ in range(workers)]
        number = 0
        for pause, count, place, urgency in steps:
            clock.forward(seconds=pause)
            for _ in range(count):
                card = f"c{number % 40}"
                board.revisions[card] = number + 1
                await outboxes[0].enqueue(owed(card, number + 1, place=place, urgency=urgency, due_at=clock()))
                number += 1
            for outbox in outboxes:
                await outbox.run_once()
            await asyncio.gather(*(outbox.idle() for outbox in outboxes))
        await database.close()
        return wire.effects

    times: dict[str, list[datetime]] = defaultdict(list)
    for what, at in asyncio.run(scenario()):
        times[what].append(at)
    for what, moments in times.items():
        minute = what.startswith("show ")
        window, limit = (timedelta(minutes=1), place_minute) if minute else (timedelta(seconds=1), per_second)
        assert worst(moments, window) <= limit, what


async def test_calls_under_way_count_until_they_have_ended(office: OutboxHarness, notebook: RecordingMessenger) -> None:
    """A call that was begun long ago may take effect now: the budget must not be free again before."""
    narrow(office, place_minute=2)
    gate = asyncio.Event()
    show = notebook.show

    async def slow(place: Place, track_id: str, card: Card) -> None:
        await gate.wait()
        await show(place, track_id, card)

    notebook.show = slow  # type: ignore[method-assign]
    await office.owe("a", urgency=Urgency.NOW)
    await office.owe("b", urgency=Urgency.NOW)
    await office.outbox.run_once()
    office.clock.forward(seconds=65)
    await office.owe("c", urgency=Urgency.NOW)
    await office.outbox.run_once()
    assert notebook.sent == []
    gate.set()
    await office.outbox.idle()
    await office.outbox.run_once()
    await office.outbox.idle()
    assert [words for _, words in notebook.words] == ["a r1", "b r1"]
    office.clock.forward(seconds=61)
    await office.work()
    assert [words for _, words in notebook.words] == ["a r1", "b r1", "c r1"]


async def test_a_long_queue_for_the_next_second_is_looked_at_then_and_not_before(office: OutboxHarness) -> None:
    narrow(office, per_second=5)
    crowd = [owed(f"a{number:03}") for number in range(300)]
    office.board.revisions |= {delivery.card: 1 for delivery in crowd}
    await office.outbox.enqueue(*crowd)
    await office.outbox.run_once()
    await office.outbox.idle()
    assert await office.outbox.run_once() == office.clock() + timedelta(seconds=1)
    assert office.count(DeliveryStepKind.SENT) == 5


async def test_what_waits_for_room_does_not_hide_what_is_behind_it(
    office: OutboxHarness, notebook: RecordingMessenger
) -> None:
    narrow(office, place_minute=1)
    crowd = [owed(f"a{number:03}", urgency=Urgency.NOW) for number in range(450)]
    office.board.revisions |= {delivery.card: 1 for delivery in crowd}
    await office.outbox.enqueue(*crowd)
    await office.owe("behind", place=OTHER, urgency=Urgency.LATER)
    await office.work()
    assert sorted(words for _, words in notebook.words) == ["a000 r1", "behind r1"]
