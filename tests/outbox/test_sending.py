"""Cards through the wire to a simulated DingTalk: made once, changed in place, whatever goes wrong."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from bot.kit.simulator.chat import SimDelivery as Copy
from bot.outbox.delivery import DeliveryFormat, DeliveryState, DeliveryStepKind
from bot.outbox.place import Place, PlaceKind
from bot.outbox.ports import ComposedCard, SendFailed, SendFailureKind
from bot.store.outbox.deliveries import StoredShownCards
from bot.store.tables import DELIVERY
from tests.outbox.conftest import OutboxHarness, RecordingMessenger

CREATE = "POST /v1.0/card/instances/createAndDeliver"
UPDATE = "PUT /v1.0/card/instances"
GROUP_SEND = "POST /v1.0/robot/groupMessages/send"


@pytest.fixture
def fault(system: OutboxHarness) -> Any:
    assert system.engine is not None
    return system.engine.faults.set


def calls(system: OutboxHarness, name: str) -> int:
    assert system.engine is not None
    return system.engine.calls[name]


async def test_one_card_that_changes_in_place(system: OutboxHarness) -> None:
    await system.owe("a", place=system.group)
    await system.work()
    await system.owe("a", 2, place=system.group)
    await system.owe("a", 3, place=system.group)
    await system.work()
    assert [card.title for card in system.cards] == ["a r3"]
    assert (calls(system, CREATE), calls(system, UPDATE)) == (1, 1)
    assert await system.history("a") == ["queued", "sent", "queued", "queued", "updated"]
    row = await system.row("a")
    assert (row.state, row.wanted, row.shown, row.via) == (DeliveryState.DONE, 3, 3, DeliveryFormat.CARD)


async def test_a_persons_card_stands_in_their_chat_with_the_bot(system: OutboxHarness) -> None:
    assert system.engine is not None
    await system.owe("a", place=Place(PlaceKind.PERSON, "keeper01"))
    await system.work()
    items = system.engine.chat.items(system.engine.direct("keeper01"), "", 0)
    assert [item.card.view_for("keeper01").title for item in items if isinstance(item, Copy)] == ["a r1"]


@pytest.mark.parametrize("name", ["scope_denied", "template_unpublished", "deliver_failed"])
async def test_where_no_card_can_be_made_one_text_goes_and_stays_as_it_is(
    system: OutboxHarness, fault: Any, name: str
) -> None:
    fault(name, on=True, api="" if name != "scope_denied" else "card/instances")
    await system.owe("a", place=system.group)
    await system.work()
    await system.owe("a", 2, place=system.group)
    await system.work()
    assert (system.texts, calls(system, GROUP_SEND), calls(system, CREATE)) == (["a r1"], 1, 1)
    assert await system.history("a") == ["queued", "no_card", "written", "queued", "kept"]
    row = await system.row("a")
    assert (row.state, row.via) == (DeliveryState.DONE, DeliveryFormat.TEXT)


@pytest.mark.parametrize(
    "name", ["api_reset", "html_error", "system_busy", "qps_limit", "invalid_auth", "lying_timeout"]
)
async def test_what_passes_costs_a_wait_and_no_second_card(system: OutboxHarness, fault: Any, name: str) -> None:
    fault(name, on=True, count=1, api="card/instances")
    await system.owe("a", place=system.group)
    await system.work()
    system.clock.forward(minutes=1)
    await system.work()
    assert [card.title for card in system.cards] == ["a r1"]
    assert (await system.row("a")).state is DeliveryState.DONE
    assert system.texts == []


async def test_a_card_that_was_made_behind_a_lost_answer_still_gets_the_newest_state(
    system: OutboxHarness, fault: Any
) -> None:
    fault("lying_timeout", on=True, count=1, api="createAndDeliver")
    await system.owe("a", place=system.group)
    await system.work()
    assert [card.title for card in system.cards] == ["a r1"]
    assert await system.history("a") == ["queued", "retried"]
    assert await system.deliveries.card_of("track-a") == "a"  # somebody may click it already
    await system.owe("a", 2, place=system.group)
    system.clock.forward(minutes=1)
    await system.work()
    assert [card.title for card in system.cards] == ["a r2"]
    assert (calls(system, CREATE), calls(system, UPDATE)) == (2, 1)


async def test_where_a_card_may_stand_no_text_is_sent(system: OutboxHarness, fault: Any) -> None:
    fault("lying_timeout", on=True, count=1, api="createAndDeliver")
    await system.owe("a", place=system.group)
    await system.work()
    fault("scope_denied", on=True, api="card/instances")
    for _ in range(20):
        system.clock.forward(hours=1)
        await system.work()
    assert (system.texts, len(system.cards)) == ([], 1)
    row = await system.row("a")
    assert row.state is DeliveryState.DEAD
    assert "after 8 tries" in row.reason


async def test_a_text_whose_answer_was_lost_is_not_sent_twice(system: OutboxHarness, fault: Any) -> None:
    fault("scope_denied", on=True, api="card/instances")
    fault("lying_timeout", on=True, count=1, api="groupMessages/send")
    await system.owe("a", place=system.group)
    await system.work()
    system.clock.forward(hours=1)
    await system.work()
    assert system.texts == ["a r1"]
    steps = await system.deliveries.steps_of("a")
    assert (steps[-1].what, steps[-1].detail[:12]) == (DeliveryStepKind.WRITTEN, "unconfirmed:")


async def track_of(system: OutboxHarness, card: str) -> str:
    query = select(DELIVERY.c.track).where(DELIVERY.c.card == card)
    return await system.database.run(lambda connection: connection.execute(query).scalar_one())


async def test_a_card_that_an_answer_has_covered_is_shown_anew(system: OutboxHarness) -> None:
    await system.owe("a", 2, place=system.group)
    await system.work()
    shown, track = StoredShownCards(system.database), await track_of(system, "a")
    assert await shown.redraw(track, system.clock())
    before = len(await system.deliveries.steps_of("a"))
    await system.work()
    assert [step.what for step in (await system.deliveries.steps_of("a"))[before:]] == [DeliveryStepKind.UPDATED]
    row = await system.row("a")
    assert (row.state, row.shown, row.wanted) == (DeliveryState.DONE, 2, 2)


async def test_a_covered_card_that_is_being_sent_is_not_brought_back_yet(
    system: OutboxHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    await system.owe("a", place=system.group)
    await system.work()
    shown, track = StoredShownCards(system.database), await track_of(system, "a")
    await system.owe("a", 2, place=system.group)
    may_go_on, compose = asyncio.Event(), system.composer.compose

    async def compose_later(ref: str) -> ComposedCard:
        await may_go_on.wait()
        return await compose(ref)

    monkeypatch.setattr(system.composer, "compose", compose_later)
    await system.outbox.run_once()
    assert not await shown.redraw(track, system.clock())
    may_go_on.set()
    await system.outbox.idle()
    assert await shown.redraw(track, system.clock())
    assert await shown.redraw("nobody-knows-it", system.clock()), "and there is nothing to wait for"


async def test_a_crash_between_call_and_note_makes_no_second_card(system: OutboxHarness) -> None:
    await system.owe("a", place=system.group)
    await system.outbox.run_once()
    [task] = system.outbox._sending
    settle = system.outbox._backlog.settle

    async def die(*args: Any, **more: Any) -> bool:
        raise SystemError("the machine goes")

    system.outbox._backlog.settle = die  # type: ignore[method-assign]
    with capture_logs():
        await system.outbox.idle()
    assert task.exception() is not None
    system.outbox._backlog.settle = settle  # type: ignore[method-assign]
    await system.owe("a", 2, place=system.group)
    await system.work()
    assert [card.title for card in system.cards] == ["a r1"]  # the lease of who died still holds
    system.clock.forward(seconds=91)
    await system.work()
    assert [card.title for card in system.cards] == ["a r2"]
    assert (await system.row("a")).state is DeliveryState.DONE


async def test_a_place_without_the_bot_is_given_up_at_once_with_a_plain_reason_and_can_be_replayed(
    system: OutboxHarness,
) -> None:
    assert system.engine is not None
    group = system.engine.conversation(system.group.id)
    group.bot_member = False
    await system.owe("a", place=system.group)
    with capture_logs() as logs:
        await system.work()
    row = await system.row("a")
    assert row.state is DeliveryState.DEAD
    assert row.reason.startswith("the bot is not in this group")
    assert [line["card"] for line in logs if line["event"] == "outbox.dead"] == ["a"]
    assert system.count(DeliveryStepKind.DEAD) == 1
    group.bot_member = True
    assert await system.deliveries.replay(system.clock(), ["other"]) == []
    assert await system.deliveries.replay(system.clock()) == ["a"]
    await system.work()
    # DingTalk knows the id of the first try and would not show that card any more.
    assert ([card.title for card in system.cards], system.texts) == (["a r1"], [])
    assert (await system.history("a"))[-3:] == ["dead", "replayed", "sent"]
    await system.owe("a", 2, place=system.group)
    await system.work()
    assert [card.title for card in system.cards] == ["a r2"]
    assert await system.deliveries.card_of("track-a#1") == "a"


@pytest.mark.parametrize(
    "place", [Place(PlaceKind.GROUP, "cidNowhere"), Place(PlaceKind.PERSON, "nobody")], ids=["group", "person"]
)
async def test_a_place_that_does_not_exist_is_given_up_at_once(system: OutboxHarness, place: Place) -> None:
    await system.owe("a", place=place)
    await system.work()
    assert (await system.row("a")).state is DeliveryState.DEAD
    assert (await system.history("a"))[-1] == "dead"


async def test_after_its_tries_a_delivery_is_dead_until_something_newer_is_owed(
    harness: OutboxHarness, messenger: RecordingMessenger
) -> None:
    messenger.failures = [SendFailed(SendFailureKind.SETUP, "the keys are wrong")] * 8
    await harness.owe("a")
    began = harness.clock()
    while (await harness.row("a")).state is DeliveryState.QUEUED:
        await harness.work()
        harness.clock.time = (await harness.row("a")).next_at
    assert len(messenger.sent) == 8
    assert timedelta(hours=2) < harness.clock() - began < timedelta(hours=8)
    await harness.owe("a")
    assert (await harness.row("a")).state is DeliveryState.DEAD
    await harness.owe("a", 2)
    await harness.work()
    assert messenger.words[-1] == ("show", "a r2")


async def test_a_month_without_calls_is_waited_for_and_kills_nothing(system: OutboxHarness, fault: Any) -> None:
    fault("quota_exhausted", on=True)
    await system.owe("a", place=system.group)
    for _ in range(40):
        await system.work()
        system.clock.forward(hours=1)
    fault("quota_exhausted", on=False)
    await system.work()
    assert [card.title for card in system.cards] == ["a r1"]


async def test_a_card_that_dingtalk_has_forgotten_is_made_anew(system: OutboxHarness) -> None:
    assert system.engine is not None
    await system.owe("a", place=system.group)
    await system.work()
    system.engine.cards.clear()
    system.engine.chat.clear()
    await system.owe("a", 2, place=system.group)
    await system.work()
    system.clock.forward(minutes=1)
    await system.work()
    assert [card.title for card in system.cards] == ["a r2"]
    assert (await system.history("a"))[-3:] == ["queued", "gone", "sent"]


async def test_how_late_it_came_is_recorded(system: OutboxHarness) -> None:
    await system.owe("a", place=system.group, due_at=system.clock() - timedelta(hours=7))
    await system.work()
    [_, sent] = await system.deliveries.steps_of("a")
    assert (sent.what, sent.late) == (DeliveryStepKind.SENT, timedelta(hours=7))
    assert system.metrics.registry.get_sample_value("dingerp_delivery_late_seconds_sum") == 7 * 3600


async def test_a_defect_in_composing_harms_nobody_else_and_is_tried_again(system: OutboxHarness) -> None:
    system.composer.failures = [KeyError("oops")]
    await system.owe("a", place=system.group)
    with capture_logs() as logs:
        await system.work()
    assert [line["event"] for line in logs if line["log_level"] == "error"] == ["outbox.defect"]
    assert (await system.row("a")).reason == "a defect: KeyError"
    system.clock.forward(minutes=1)
    await system.work()
    assert [card.title for card in system.cards] == ["a r1"]


async def test_a_kind_that_nobody_composes_waits_for_a_replica_that_does(system: OutboxHarness) -> None:
    await system.owe("a", place=system.group, kind="unheard")
    await system.work()
    assert (await system.row("a")).state is DeliveryState.QUEUED
    assert (await system.row("a")).reason == "nobody composes cards of the kind 'unheard'"
