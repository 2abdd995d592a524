"""A call (DING) to a person goes out once, is never changed, and never becomes a card."""

from __future__ import annotations

import pytest

from bot.outbox.delivery import DeliveryFormat, DeliveryState, DeliveryStepKind
from bot.outbox.place import Place, PlaceKind
from bot.outbox.ports import SendFailed, SendFailureKind
from tests.outbox.conftest import OutboxHarness, RecordingMessenger

KEEPER = Place(PlaceKind.PERSON, "keeper01")


async def test_it_rings_once(harness: OutboxHarness, messenger: RecordingMessenger) -> None:
    await harness.owe("a", place=KEEPER, via=DeliveryFormat.DING)
    await harness.work()
    await harness.owe("a", 2, place=KEEPER, via=DeliveryFormat.DING)
    await harness.work()
    assert messenger.words == [("ding", "a r1")]
    assert await harness.history("a") == ["queued", "written", "queued", "kept"]


async def test_what_is_over_rings_nobody(harness: OutboxHarness, messenger: RecordingMessenger) -> None:
    await harness.owe("a", 0, place=KEEPER, via=DeliveryFormat.DING)
    await harness.work()
    assert messenger.words == []
    assert harness.count(DeliveryStepKind.NOTHING) == 1


@pytest.mark.parametrize(
    ("trouble", "state"),
    [
        (SendFailureKind.HOPELESS, DeliveryState.DEAD),
        (SendFailureKind.UNKNOWN, DeliveryState.DONE),
        (SendFailureKind.SPENT, DeliveryState.QUEUED),
        (SendFailureKind.LIMITED, DeliveryState.QUEUED),
    ],
)
async def test_what_fails_is_no_card_afterwards(
    harness: OutboxHarness, messenger: RecordingMessenger, trouble: SendFailureKind, state: DeliveryState
) -> None:
    messenger.failures.append(SendFailed(trouble, "no"))
    await harness.owe("a", place=KEEPER, via=DeliveryFormat.DING)
    await harness.work()
    assert messenger.words == [("ding", "a r1")]
    assert (await harness.row("a")).state is state
    await harness.deliveries.replay(harness.clock())
    harness.clock.forward(hours=2)
    await harness.work()
    assert {call for call, _ in messenger.words} == {"ding"}
