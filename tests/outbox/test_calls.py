"""Whom an urgent card does not reach in their own chat is called where a group has it; and what calls nobody."""

from __future__ import annotations

import pytest

from bot.outbox.delivery import DeliveryFormat, DeliveryState, DeliveryStepKind, Urgency
from bot.outbox.place import Place, PlaceKind
from bot.outbox.ports import SendFailed, SendFailureKind
from bot.store.errors import StoreUnavailable
from tests.outbox.conftest import GROUP, OutboxHarness, RecordingMessenger

KEEPER = Place(PlaceKind.PERSON, "keeper01")
REFUSED = SendFailed(SendFailureKind.HOPELESS, "the bot may not write to people by itself")


async def test_who_is_not_reached_is_called_elsewhere(harness: OutboxHarness, messenger: RecordingMessenger) -> None:
    messenger.failures.append(REFUSED)
    await harness.owe("a", place=KEEPER, urgency=Urgency.NOW)
    await harness.work()
    assert harness.composer.elsewhere == [("a", (KEEPER,))]
    assert (await harness.row("a")).state is DeliveryState.DEAD


@pytest.mark.parametrize(
    ("place", "urgency", "via"),
    [
        (GROUP, Urgency.NOW, DeliveryFormat.CARD),
        (KEEPER, Urgency.SOON, DeliveryFormat.CARD),
        (KEEPER, Urgency.NOW, DeliveryFormat.DING),
    ],
)
async def test_nobody_is_called_for_a_group_for_news_or_for_a_call(
    harness: OutboxHarness, messenger: RecordingMessenger, place: Place, urgency: Urgency, via: DeliveryFormat
) -> None:
    messenger.failures.append(REFUSED)
    await harness.owe("a", place=place, urgency=urgency, via=via)
    await harness.work()
    assert harness.composer.elsewhere == []


async def test_who_has_seen_the_card_is_not_called(harness: OutboxHarness, messenger: RecordingMessenger) -> None:
    await harness.owe("a", place=KEEPER, urgency=Urgency.NOW)
    await harness.work()
    messenger.failures.append(REFUSED)
    await harness.owe("a", 2, place=KEEPER, urgency=Urgency.NOW)
    await harness.work()
    assert harness.composer.elsewhere == []


async def test_a_call_that_cannot_be_stored_is_tried_again(
    harness: OutboxHarness, messenger: RecordingMessenger
) -> None:
    messenger.failures.extend((REFUSED, REFUSED))
    harness.composer.call_failures.append(StoreUnavailable("away"))
    await harness.owe("a", place=KEEPER, urgency=Urgency.NOW)
    await harness.work()
    assert harness.composer.elsewhere == []
    harness.clock.forward(hours=1)
    await harness.work()
    assert harness.composer.elsewhere == [("a", (KEEPER,))]


async def test_what_is_too_late_is_not_begun_and_is_changed_where_it_stands(
    harness: OutboxHarness, messenger: RecordingMessenger
) -> None:
    harness.composer.called = {"keeper01": "老张"}
    await harness.owe("a", urgency=Urgency.NOW)
    await harness.work()
    assert messenger.calls == [{"keeper01": "老张"}]
    harness.composer.too_late = True
    await harness.owe("a", 2, urgency=Urgency.NOW)
    await harness.owe("b", urgency=Urgency.NOW)
    await harness.work()
    assert messenger.words == [("show", "a r1"), ("change", "a r2")]
    assert harness.count(DeliveryStepKind.NOTHING) == 1
