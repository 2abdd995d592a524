"""Cards through the wire to a simulated DingTalk: made once, changed in place, whatever goes wrong."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from bot.outbox.place import Place, PlaceKind
from bot.outbox.record import State, Via, What
from bot.simulator.chat import Delivery as Copy
from bot.store.shown_cards import StoredShownCards
from bot.store.tables import DELIVERY
from tests.outbox.conftest import Office

CREATE = "POST /v1.0/card/instances/createAndDeliver"
UPDATE = "PUT /v1.0/card/instances"
GROUP_SEND = "POST /v1.0/robot/groupMessages/send"


@pytest.fixture
def fault(town: Office) -> Any:
    assert town.engine is not None
    return town.engine.faults.set


def calls(town: Office, name: str) -> int:
    assert town.engine is not None
    return town.engine.calls[name]


async def test_one_card_that_changes_in_place(town: Office) -> None:
    await town.owe("a", place=town.group)
    await town.work()
    await town.owe("a", 2, place=town.group)
    await town.owe("a", 3, place=town.group)
    await town.work()
    assert [card.title for card in town.cards] == ["a r3"]
    assert (calls(town, CREATE), calls(town, UPDATE)) == (1, 1)
    assert await town.story("a") == ["queued", "sent", "queued", "queued", "updated"]
    row = await town.row("a")
    assert (row.state, row.wanted, row.shown, row.via) == (State.DONE, 3, 3, Via.CARD)


async def test_a_persons_card_stands_in_their_chat_with_the_bot(town: Office) -> None:
    assert town.engine is not None
    await town.owe("a", place=Place(PlaceKind.PERSON, "keeper01"))
    await town.work()
    items = town.engine.chat.items(town.engine.direct("keeper01"), "", 0)
    assert [item.card.face("keeper01").title for item in items if isinstance(item, Copy)] == ["a r1"]


@pytest.mark.parametrize("name", ["scope_denied", "template_unpublished", "deliver_failed"])
async def test_where_no_card_can_be_made_one_text_goes_and_stays_as_it_is(town: Office, fault: Any, name: str) -> None:
    fault(name, on=True, api="" if name != "scope_denied" else "card/instances")
    await town.owe("a", place=town.group)
    await town.work()
    await town.owe("a", 2, place=town.group)
    await town.work()
    assert (town.texts, calls(town, GROUP_SEND), calls(town, CREATE)) == (["a r1"], 1, 1)
    assert await town.story("a") == ["queued", "no_card", "written", "queued", "kept"]
    row = await town.row("a")
    assert (row.state, row.via) == (State.DONE, Via.TEXT)


@pytest.mark.parametrize(
    "name", ["api_reset", "html_error", "system_busy", "qps_limit", "invalid_auth", "lying_timeout"]
)
async def test_what_passes_costs_a_wait_and_no_second_card(town: Office, fault: Any, name: str) -> None:
    fault(name, on=True, count=1, api="card/instances")
    await town.owe("a", place=town.group)
    await town.work()
    town.clock.forward(minutes=1)
    await town.work()
    assert [card.title for card in town.cards] == ["a r1"]
    assert (await town.row("a")).state is State.DONE
    assert town.texts == []


async def test_a_card_that_was_made_behind_a_lost_answer_still_gets_the_newest_state(town: Office, fault: Any) -> None:
    fault("lying_timeout", on=True, count=1, api="createAndDeliver")
    await town.owe("a", place=town.group)
    await town.work()
    assert [card.title for card in town.cards] == ["a r1"]
    assert await town.story("a") == ["queued", "retried"]
    assert await town.deliveries.card_of("track-a") == "a"  # somebody may click it already
    await town.owe("a", 2, place=town.group)
    town.clock.forward(minutes=1)
    await town.work()
    assert [card.title for card in town.cards] == ["a r2"]
    assert (calls(town, CREATE), calls(town, UPDATE)) == (2, 1)


async def test_where_a_card_may_stand_no_text_is_sent(town: Office, fault: Any) -> None:
    fault("lying_timeout", on=True, count=1, api="createAndDeliver")
    await town.owe("a", place=town.group)
    await town.work()
    fault("scope_denied", on=True, api="card/instances")
    for _ in range(20):
        town.clock.forward(hours=1)
        await town.work()
    assert (town.texts, len(town.cards)) == ([], 1)
    row = await town.row("a")
    assert row.state is State.DEAD
    assert "after 8 tries" in row.reason


async def test_a_text_whose_answer_was_lost_is_not_sent_twice(town: Office, fault: Any) -> None:
    fault("scope_denied", on=True, api="card/instances")
    fault("lying_timeout", on=True, count=1, api="groupMessages/send")
    await town.owe("a", place=town.group)
    await town.work()
    town.clock.forward(hours=1)
    await town.work()
    assert town.texts == ["a r1"]
    steps = await town.deliveries.steps_of("a")
    assert (steps[-1].what, steps[-1].detail[:12]) == (What.WRITTEN, "unconfirmed:")


async def track_of(town: Office, card: str) -> str:
    query = select(DELIVERY.c.track).where(DELIVERY.c.card == card)
    return await town.database.run(lambda connection: connection.execute(query).scalar_one())


async def test_a_card_that_an_answer_has_covered_is_shown_anew(town: Office) -> None:
    await town.owe("a", 2, place=town.group)
    await town.work()
    shown, track = StoredShownCards(town.database), await track_of(town, "a")
    assert await shown.covered(track, town.clock())
    before = len(await town.deliveries.steps_of("a"))
    await town.work()
    assert [one.what for one in (await town.deliveries.steps_of("a"))[before:]] == [What.UPDATED]
    row = await town.row("a")
    assert (row.state, row.shown, row.wanted) == (State.DONE, 2, 2)


async def test_a_covered_card_that_is_being_sent_is_not_brought_back_yet(town: Office) -> None:
    await town.owe("a", place=town.group)
    await town.work()
    shown, track = StoredShownCards(town.database), await track_of(town, "a")
    await town.owe("a", 2, place=town.group)
    await town.outbox.turn()
    assert not await shown.covered(track, town.clock())
    await town.outbox.idle()
    assert await shown.covered(track, town.clock())
    assert await shown.covered("nobody-knows-it", town.clock()), "and there is nothing to wait for"


async def test_a_crash_between_call_and_note_makes_no_second_card(town: Office) -> None:
    await town.owe("a", place=town.group)
    await town.outbox.turn()
    [task] = town.outbox._sending
    settle = town.outbox._backlog.settle

    async def die(*args: Any, **more: Any) -> bool:
        raise SystemError("the machine goes")

    town.outbox._backlog.settle = die  # type: ignore[method-assign]
    with capture_logs():
        await town.outbox.idle()
    assert task.exception() is not None
    town.outbox._backlog.settle = settle  # type: ignore[method-assign]
    await town.owe("a", 2, place=town.group)
    await town.work()
    assert [card.title for card in town.cards] == ["a r1"]  # the lease of who died still holds
    town.clock.forward(seconds=91)
    await town.work()
    assert [card.title for card in town.cards] == ["a r2"]
    assert (await town.row("a")).state is State.DONE


async def test_a_place_without_the_bot_is_given_up_at_once_with_a_plain_reason_and_can_be_replayed(
    town: Office,
) -> None:
    assert town.engine is not None
    group = town.engine.conversation(town.group.id)
    group.bot_member = False
    await town.owe("a", place=town.group)
    with capture_logs() as logs:
        await town.work()
    row = await town.row("a")
    assert row.state is State.DEAD
    assert row.reason.startswith("the bot is not in this group")
    assert [line["card"] for line in logs if line["event"] == "outbox.dead"] == ["a"]
    assert town.count(What.DEAD) == 1
    group.bot_member = True
    assert await town.deliveries.replay(town.clock(), ["other"]) == []
    assert await town.deliveries.replay(town.clock()) == ["a"]
    await town.work()
    # DingTalk knows the id of the first try and would not show that card any more.
    assert ([card.title for card in town.cards], town.texts) == (["a r1"], [])
    assert (await town.story("a"))[-3:] == ["dead", "replayed", "sent"]
    await town.owe("a", 2, place=town.group)
    await town.work()
    assert [card.title for card in town.cards] == ["a r2"]
    assert await town.deliveries.card_of("track-a#1") == "a"


@pytest.mark.parametrize(
    "place", [Place(PlaceKind.GROUP, "cidNowhere"), Place(PlaceKind.PERSON, "nobody")], ids=["group", "person"]
)
async def test_a_place_that_does_not_exist_is_given_up_at_once(town: Office, place: Place) -> None:
    await town.owe("a", place=place)
    await town.work()
    assert (await town.row("a")).state is State.DEAD
    assert (await town.story("a"))[-1] == "dead"


async def test_after_its_tries_a_delivery_is_dead_until_something_newer_is_owed(town: Office, fault: Any) -> None:
    fault("system_busy", on=True, api="card/instances")
    await town.owe("a", place=town.group)
    began, tried = town.clock(), 0
    while (await town.row("a")).state is State.QUEUED:
        await town.work()
        tried += 1
        town.clock.time = (await town.row("a")).next_at
    assert (tried, calls(town, CREATE)) == (8, 8)
    assert timedelta(minutes=20) < town.clock() - began < timedelta(hours=3)
    await town.owe("a", place=town.group)
    assert (await town.row("a")).state is State.DEAD
    fault("system_busy", on=False)
    await town.owe("a", 2, place=town.group)
    await town.work()
    assert [card.title for card in town.cards] == ["a r2"]


async def test_a_month_without_calls_is_waited_for_and_kills_nothing(town: Office, fault: Any) -> None:
    fault("quota_exhausted", on=True)
    await town.owe("a", place=town.group)
    for _ in range(40):
        await town.work()
        town.clock.forward(hours=1)
    fault("quota_exhausted", on=False)
    await town.work()
    assert [card.title for card in town.cards] == ["a r1"]


async def test_a_card_that_dingtalk_has_forgotten_is_made_anew(town: Office) -> None:
    assert town.engine is not None
    await town.owe("a", place=town.group)
    await town.work()
    town.engine.cards.clear()
    town.engine.chat.clear()
    await town.owe("a", 2, place=town.group)
    await town.work()
    town.clock.forward(minutes=1)
    await town.work()
    assert [card.title for card in town.cards] == ["a r2"]
    assert (await town.story("a"))[-3:] == ["queued", "gone", "sent"]


async def test_how_late_it_came_is_recorded(town: Office) -> None:
    await town.owe("a", place=town.group, due_at=town.clock() - timedelta(hours=7))
    await town.work()
    [_, sent] = await town.deliveries.steps_of("a")
    assert (sent.what, sent.late) == (What.SENT, timedelta(hours=7))
    assert town.metrics.registry.get_sample_value("dingerp_delivery_late_seconds_sum") == 7 * 3600


async def test_a_defect_in_composing_harms_nobody_else_and_is_tried_again(town: Office) -> None:
    town.board.failures = [KeyError("oops")]
    await town.owe("a", place=town.group)
    with capture_logs() as logs:
        await town.work()
    assert [line["event"] for line in logs if line["log_level"] == "error"] == ["outbox.defect"]
    assert (await town.row("a")).reason == "a defect: KeyError"
    town.clock.forward(minutes=1)
    await town.work()
    assert [card.title for card in town.cards] == ["a r1"]


async def test_a_kind_that_nobody_composes_is_dead_at_once(town: Office) -> None:
    await town.owe("a", place=town.group, kind="unheard")
    await town.work()
    assert (await town.row("a")).reason == "nobody composes cards of the kind 'unheard'"
