"""Budgets hold in any window, for one worker and for many; what is over becomes a digest or waits."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.cards.card import Card
from bot.outbox.budgets import SendLimits
from bot.outbox.delivery import DeliveryState, DeliveryStepKind, DingWay, Urgency
from bot.outbox.place import Place, PlaceKind
from bot.outbox.ports import NOBODY_CALLED, NOBODYS, SendFailed, SendFailureKind
from bot.store.database import Database
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


def narrow(harness: OutboxHarness, **limits: int) -> None:
    harness.outbox._limits = SendLimits(**{"per_second": 1000, "place_minute": 1000, "robot_minute": 1000, **limits})


async def test_more_new_cards_than_a_place_takes_in_a_minute_become_one_digest(
    harness: OutboxHarness, messenger: RecordingMessenger
) -> None:
    narrow(harness, place_minute=20)
    for number in range(50):
        await harness.owe(f"a{number:02}")
    await harness.owe("elsewhere", place=OTHER)
    await harness.work()
    shown = [words for _, words in messenger.words]
    assert shown == [f"a{number:02} r1" for number in range(20)] + ["elsewhere r1"]
    assert [len(refs) for refs in harness.composer.folded] == [30]
    folded = await harness.deliveries.search(state=DeliveryState.FOLDED, limit=100)
    assert sorted(row.card for row in folded) == [f"a{number:02}" for number in range(20, 50)]
    assert await harness.history("a49") == ["queued", "folded"]
    assert harness.count(DeliveryStepKind.FOLDED) == 30
    harness.clock.forward(seconds=61)
    await harness.work()
    assert messenger.words[-1] == ("show", "digest 0 r1")


async def test_what_is_urgent_is_never_folded_and_waits_for_room(
    harness: OutboxHarness, messenger: RecordingMessenger
) -> None:
    narrow(harness, place_minute=2)
    for number in range(4):
        await harness.owe(f"a{number}", urgency=Urgency.NOW)
    await harness.work()
    harness.clock.forward(seconds=61)
    await harness.work()
    assert (len(messenger.sent), harness.composer.folded) == (4, [])


async def test_a_single_card_over_the_budget_waits_and_the_next_one_makes_it_a_digest(
    harness: OutboxHarness, messenger: RecordingMessenger
) -> None:
    narrow(harness, place_minute=1)
    await harness.owe("a")
    await harness.owe("b")
    await harness.work()
    assert harness.composer.folded == []
    harness.clock.forward(seconds=1)
    await harness.owe("c")
    await harness.work()
    assert harness.composer.folded == [("b", "c")]
    assert [words for _, words in messenger.words] == ["a r1"]


async def test_a_fold_that_fails_is_tried_again_and_loses_nothing(harness: OutboxHarness) -> None:
    narrow(harness, place_minute=1)
    for card in ("b", "c", "d"):
        await harness.owe(card)
    harness.composer.fold_failures = [KeyError("oops"), SendFailed(SendFailureKind.BUSY, "the store is away")]
    await harness.outbox.run_once()
    await harness.outbox.idle()
    assert (await harness.row("d")).reason == "not folded: SendFailed: the store is away"
    harness.clock.forward(seconds=20)
    await harness.work()
    assert (await harness.row("d")).reason == "not folded: a defect: KeyError"
    harness.clock.forward(seconds=20)
    await harness.work()
    assert harness.composer.folded == [("c", "d")]
    assert await harness.history("d") == ["queued", "retried", "retried", "folded"]


@pytest.mark.parametrize("before", [True, False], ids=["before the digest", "after the digest"])
async def test_news_of_a_card_that_is_just_being_folded_is_on_the_digest_or_comes_after_it(
    harness: OutboxHarness, before: bool
) -> None:
    narrow(harness, place_minute=1)
    fold = harness.composer.fold

    async def fold_and_owe(refs: Sequence[str], place: str) -> None:
        if before:
            await harness.outbox.enqueue(owed("c", 2))
        await fold(refs, place)
        if not before:
            await harness.outbox.enqueue(owed("c", 2))

    harness.composer.fold = fold_and_owe  # type: ignore[method-assign]
    for card in ("a", "b", "c"):
        await harness.owe(card)
    await harness.outbox.run_once()
    await harness.outbox.idle()
    states = {card: (await harness.row(card)).state for card in ("a", "b", "c")}
    assert states == {
        "a": DeliveryState.DONE,
        "b": DeliveryState.FOLDED,
        "c": DeliveryState.FOLDED if before else DeliveryState.QUEUED,
    }


async def test_cards_that_stand_are_changed_without_a_budget_of_the_place(
    harness: OutboxHarness, messenger: RecordingMessenger
) -> None:
    narrow(harness, place_minute=3)
    for revision in (1, 2, 3):
        for card in ("a", "b", "c"):
            await harness.owe(card, revision)
        await harness.work()
    assert Counter(call for call, _ in messenger.words) == {"show": 3, "change": 6}


async def test_the_robots_messages_have_a_budget_of_their_own(
    harness: OutboxHarness, messenger: RecordingMessenger
) -> None:
    narrow(harness, robot_minute=20)
    messenger.failures = [SendFailed(SendFailureKind.NO_CARDS, "scope")] * 30
    for number in range(30):
        await harness.owe(f"a{number:02}", urgency=Urgency.NOW)
    await harness.work()
    messenger.failures = []
    assert Counter(call for call, _ in messenger.words) == {"show": 30, "write": 20}


async def test_while_calls_are_spared_only_what_is_urgent_costs_one(
    harness: OutboxHarness, messenger: RecordingMessenger
) -> None:
    await harness.owe("old")
    await harness.work()
    harness.outbox._sparing = lambda: True
    await harness.owe("old", 2)
    await harness.owe("urgent", urgency=Urgency.NOW)
    for number in range(10):
        await harness.owe(f"a{number}")
    await harness.work()
    # The first of the others is this place's one card for the next hours.
    assert [words for _, words in messenger.words] == ["old r1", "urgent r1", "a0 r1"]
    assert [len(refs) for refs in harness.composer.folded] == [9]
    harness.clock.forward(hours=4, minutes=1)
    await harness.work()
    assert [words for _, words in messenger.words[3:]] == ["digest 0 r1"]
    harness.outbox._sparing = lambda: False
    harness.clock.forward(hours=4)
    await harness.work()
    assert [words for _, words in messenger.words[4:]] == ["old r2"]


@dataclass
class TimedMessenger:
    """A messenger that records when each call took effect."""

    clock: Clock
    effects: list[tuple[str, datetime]]

    async def show(
        self,
        places: Sequence[Place],
        track_id: str,
        card: Card,
        *,
        own: Mapping[str, Card] = NOBODYS,
        called: Mapping[str, str] = NOBODY_CALLED,
    ) -> tuple[Place, ...]:
        self._act(f"show {places[0]}")
        self._act("show")
        return ()

    async def change(self, track_id: str, card: Card, made_as: str, own: Mapping[str, Card] = NOBODYS) -> None:
        self._act("change")

    async def ding(self, place: Place, card: Card, way: DingWay) -> None:
        raise AssertionError("nobody is called")

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
        await database.migrate()
        composer, wire = RevisionComposer(database, clock), TimedMessenger(clock, [])
        limits = SendLimits(per_second=per_second, place_minute=place_minute)
        outboxes = [outbox_of(database, composer, wire, clock, limits=limits, at_once=3) for _ in range(workers)]
        number = 0
        for pause, count, place, urgency in steps:
            clock.forward(seconds=pause)
            for _ in range(count):
                card = f"c{number % 40}"
                composer.revisions[card] = number + 1
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


async def test_calls_under_way_count_until_they_have_ended(
    harness: OutboxHarness, messenger: RecordingMessenger
) -> None:
    """A call that was begun long ago may take effect now: the budget must not be free again before."""
    narrow(harness, place_minute=2)
    gate = asyncio.Event()
    show = messenger.show

    async def slow(*card: Any, **how: Any) -> tuple[Place, ...]:
        await gate.wait()
        return await show(*card, **how)

    messenger.show = slow  # type: ignore[method-assign]
    await harness.owe("a", urgency=Urgency.NOW)
    await harness.owe("b", urgency=Urgency.NOW)
    await harness.outbox.run_once()
    harness.clock.forward(seconds=65)
    await harness.owe("c", urgency=Urgency.NOW)
    await harness.outbox.run_once()
    assert messenger.sent == []
    gate.set()
    await harness.outbox.idle()
    await harness.outbox.run_once()
    await harness.outbox.idle()
    assert [words for _, words in messenger.words] == ["a r1", "b r1"]
    harness.clock.forward(seconds=61)
    await harness.work()
    assert [words for _, words in messenger.words] == ["a r1", "b r1", "c r1"]


async def test_a_long_queue_for_the_next_second_is_looked_at_then_and_not_before(harness: OutboxHarness) -> None:
    narrow(harness, per_second=5)
    crowd = [owed(f"a{number:03}") for number in range(300)]
    harness.composer.revisions |= {delivery.card: 1 for delivery in crowd}
    await harness.outbox.enqueue(*crowd)
    await harness.outbox.run_once()
    await harness.outbox.idle()
    assert await harness.outbox.run_once() == harness.clock() + timedelta(seconds=1)
    assert harness.count(DeliveryStepKind.SENT) == 5


async def test_what_waits_for_room_does_not_hide_what_is_behind_it(
    harness: OutboxHarness, messenger: RecordingMessenger
) -> None:
    narrow(harness, place_minute=1)
    crowd = [owed(f"a{number:03}", urgency=Urgency.NOW) for number in range(450)]
    harness.composer.revisions |= {delivery.card: 1 for delivery in crowd}
    await harness.outbox.enqueue(*crowd)
    await harness.owe("behind", place=OTHER, urgency=Urgency.LATER)
    await harness.work()
    assert sorted(words for _, words in messenger.words) == ["a000 r1", "behind r1"]
