"""What is owed: one row per card, the newest state wins, in the transaction of the fact."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.engine import Connection

from bot.outbox.delivery import DeliveryState, Urgency
from bot.outbox.ports import SendFailed, SendFailureKind
from bot.store.errors import StoreUnavailable
from bot.store.outbox.deliveries import StoredDeliveries
from bot.store.outbox.queue import enqueue, withdraw
from tests.outbox.conftest import START, OutboxHarness, RecordingMessenger, owed


async def test_what_is_owed_is_stored_with_the_fact_or_not_at_all(harness: OutboxHarness) -> None:
    def fact_and_delivery(connection: Connection) -> None:
        enqueue(connection, owed("a"), owed("b"), now=START)
        connection.execute(text("INSERT INTO nowhere VALUES (1)"))

    with pytest.raises(StoreUnavailable):
        await harness.database.run(fact_and_delivery)
    assert await harness.deliveries.search() == []
    assert await harness.deliveries.steps_of("a") == []


async def test_the_highest_revision_the_earliest_time_and_the_greatest_urgency_win(harness: OutboxHarness) -> None:
    later = START + timedelta(minutes=5)
    await harness.outbox.enqueue(owed("a", 2, due_at=later))
    await harness.outbox.enqueue(owed("a", 1, urgency=Urgency.NOW))
    await harness.outbox.enqueue(owed("a", 3, urgency=Urgency.LATER, due_at=later, fact="main/7"))
    row = await harness.row("a")
    assert (row.wanted, row.urgency, row.due_at, row.next_at) == (3, Urgency.NOW, START, START)
    assert (row.state, row.fact) == (DeliveryState.QUEUED, "main/7")
    assert await harness.history("a") == ["queued"] * 3


async def test_states_that_came_before_it_was_shown_are_one_card(
    harness: OutboxHarness, messenger: RecordingMessenger
) -> None:
    for revision in range(1, 11):
        await harness.owe("a", revision)
    await harness.work()
    assert messenger.words == [("show", "a r10")]


async def test_what_is_shown_already_is_not_owed_again(harness: OutboxHarness, messenger: RecordingMessenger) -> None:
    await harness.owe("a", 2)
    await harness.work()
    await harness.outbox.enqueue(owed("a", 2), owed("a", 1))
    await harness.work()
    assert (await harness.row("a")).state is DeliveryState.DONE
    assert messenger.words == [("show", "a r2")]


async def test_a_composer_that_is_ahead_saves_the_update(harness: OutboxHarness, messenger: RecordingMessenger) -> None:
    await harness.owe("a", 1)
    harness.composer.revisions["a"] = 3
    await harness.work()
    await harness.outbox.enqueue(owed("a", 3))
    await harness.work()
    assert messenger.words == [("show", "a r3")]


async def test_nothing_goes_before_its_time(harness: OutboxHarness, messenger: RecordingMessenger) -> None:
    due = START + timedelta(seconds=30)
    await harness.owe("a", due_at=due)
    assert await harness.outbox.run_once() == due
    assert messenger.sent == []
    harness.clock.forward(seconds=30)
    await harness.work()
    assert messenger.words == [("show", "a r1")]


async def test_what_is_urgent_goes_first_and_then_the_longest_due(
    harness: OutboxHarness, messenger: RecordingMessenger
) -> None:
    harness.outbox._at_once = 1
    harness.clock.forward(minutes=1)
    await harness.owe("news", urgency=Urgency.LATER, due_at=START)
    await harness.owe("second", due_at=START + timedelta(seconds=2))
    await harness.owe("first", due_at=START + timedelta(seconds=1))
    await harness.owe("escalation", urgency=Urgency.NOW)
    await harness.work()
    assert [words for _, words in messenger.words] == ["escalation r1", "first r1", "second r1", "news r1"]


async def test_a_state_that_is_owed_while_one_is_sent_follows_at_its_own_time(
    harness: OutboxHarness, messenger: RecordingMessenger
) -> None:
    await harness.owe("a", 1)
    await harness.outbox.run_once()
    await harness.outbox.enqueue(owed("a", 2, due_at=START + timedelta(seconds=30)))
    await harness.outbox.idle()
    await harness.work()
    assert messenger.words == [("show", "a r1")]
    assert (await harness.row("a")).state is DeliveryState.QUEUED
    harness.composer.revisions["a"] = 2
    harness.clock.forward(seconds=30)
    await harness.work()
    assert messenger.words == [("show", "a r1"), ("change", "a r2")]


async def test_what_has_nothing_to_show_is_done_without_a_call(
    harness: OutboxHarness, messenger: RecordingMessenger
) -> None:
    await harness.outbox.enqueue(owed("a"))
    await harness.work()
    assert (await harness.history("a"), (await harness.row("a")).state) == (["queued", "nothing"], DeliveryState.DONE)
    assert messenger.sent == []


async def test_only_what_is_owed_is_withdrawn_for_a_digest(
    harness: OutboxHarness, messenger: RecordingMessenger
) -> None:
    await harness.owe("sent")
    await harness.work()
    messenger.failures.append(SendFailed(SendFailureKind.HOPELESS, "refused"))
    await harness.owe("dead")
    await harness.work()
    await harness.owe("unseen", due_at=START + timedelta(minutes=1))
    before = [await harness.row(card) for card in ("sent", "dead")]
    assert [row.state for row in before] == [DeliveryState.DONE, DeliveryState.DEAD]

    await harness.database.run(lambda connection: withdraw(connection, ["sent", "dead", "unseen", "unknown"]))

    assert [await harness.row(card) for card in ("sent", "dead")] == before
    assert (await harness.row("unseen")).state is DeliveryState.FOLDED
    harness.clock.forward(minutes=2)
    await harness.owe("sent", 2)
    await harness.work()
    assert messenger.words[-1] == ("change", "sent r2"), "what stands at its place goes on living there"


async def test_old_records_go_and_what_is_owed_stays(harness: OutboxHarness) -> None:
    await harness.owe("stands")
    await harness.outbox.enqueue(owed("unseen"))
    await harness.owe("waits", due_at=START + timedelta(days=100))
    await harness.work()
    prune = harness.outbox._backlog.prune
    await prune(START)
    assert len(await harness.deliveries.search()) == 3
    await prune(START + timedelta(seconds=1))
    assert [row.card for row in await harness.deliveries.search()] == ["stands", "waits"]
    assert await harness.history("stands") == []
    await prune(START + timedelta(days=731))
    assert [row.card for row in await harness.deliveries.search()] == ["waits"]


async def test_the_record_can_be_searched(harness: OutboxHarness) -> None:
    await harness.owe("a", fact="main/1")
    await harness.owe("b", fact="main/2")
    await harness.owe("a", 2, fact="main/2")
    await harness.work()
    harness.clock.forward(seconds=9)
    await harness.owe("c", fact="main/3")
    deliveries: StoredDeliveries = harness.deliveries
    assert [row.card for row in await deliveries.search(limit=2)] == ["c", "a"]
    assert [row.card for row in await deliveries.search(state=DeliveryState.DONE)] == ["a", "b"]
    assert [row.card for row in await deliveries.search(fact="main/3", kind="paper")] == ["c"]
    assert [row.card for row in await deliveries.search(since=harness.clock())] == ["c"]
    assert await deliveries.caused_by("main/2") == ["a", "b"]
    assert await deliveries.card_of("track-a") == "a"
    assert await deliveries.card_of("foreign") is None
    assert await deliveries.card_of("") is None
    await deliveries.clicked("a", "keeper01", harness.clock())
    steps = await deliveries.steps_of("a")
    assert [(step.what.value, step.detail) for step in steps] == [
        ("queued", "main/1"),
        ("queued", "main/2"),
        ("sent", ""),
        ("clicked", "keeper01"),
    ]
    assert steps[2].revision == 2
