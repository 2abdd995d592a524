"""What is owed: one row per card, the newest state wins, in the transaction of the fact."""

from __future__ import annotations

from datetime import timedelta

import pytest
from bot.outbox.messenger import SendFailed, SendFailureKind
from sqlalchemy import text
from sqlalchemy.engine import Connection

from bot.outbox.delivery import DeliveryState, Urgency
from bot.store.deliveries import StoredDeliveries
from bot.store.errors import StoreUnavailable
from bot.store.outbox import enqueue, withdraw
from tests.outbox.conftest import START, OutboxHarness, RecordingMessenger, owed


async def test_what_is_owed_is_stored_with_the_fact_or_not_at_all(office: OutboxHarness) -> None:
    def fact_and_delivery(connection: Connection) -> None:
        enqueue(connection, owed("a"), owed("b"), now=START)
        connection.execute(text("INSERT INTO nowhere VALUES (1)"))

    with pytest.raises(StoreUnavailable):
        await office.database.run(fact_and_delivery)
    assert await office.deliveries.search() == []
    assert await office.deliveries.steps_of("a") == []


async def test_the_highest_revision_the_earliest_time_and_the_greatest_urgency_win(office: OutboxHarness) -> None:
    later = START + timedelta(minutes=5)
    await office.outbox.enqueue(owed("a", 2, due_at=later))
    await office.outbox.enqueue(owed("a", 1, urgency=Urgency.NOW))
    await office.outbox.enqueue(owed("a", 3, urgency=Urgency.LATER, due_at=later, fact="main/7"))
    row = await office.row("a")
    assert (row.wanted, row.urgency, row.due_at, row.next_at) == (3, Urgency.NOW, START, START)
    assert (row.state, row.fact) == (DeliveryState.QUEUED, "main/7")
    assert await office.story("a") == ["queued"] * 3


async def test_states_that_came_before_it_was_shown_are_one_card(
    office: OutboxHarness, notebook: RecordingMessenger
) -> None:
    for revision in range(1, 11):
        await office.owe("a", revision)
    await office.work()
    assert notebook.words == [("show", "a r10")]


async def test_what_is_shown_already_is_not_owed_again(office: OutboxHarness, notebook: RecordingMessenger) -> None:
    await office.owe("a", 2)
    await office.work()
    await office.outbox.enqueue(owed("a", 2), owed("a", 1))
    await office.work()
    assert (await office.row("a")).state is DeliveryState.DONE
    assert notebook.words == [("show", "a r2")]


async def test_a_composer_that_is_ahead_saves_the_update(office: OutboxHarness, notebook: RecordingMessenger) -> None:
    await office.owe("a", 1)
    office.board.revisions["a"] = 3
    await office.work()
    await office.outbox.enqueue(owed("a", 3))
    await office.work()
    assert notebook.words == [("show", "a r3")]


async def test_nothing_goes_before_its_time(office: OutboxHarness, notebook: RecordingMessenger) -> None:
    due = START + timedelta(seconds=30)
    await office.owe("a", due_at=due)
    assert await office.outbox.run_once() == due
    assert notebook.sent == []
    office.clock.forward(seconds=30)
    await office.work()
    assert notebook.words == [("show", "a r1")]


async def test_what_is_urgent_goes_first_and_then_the_longest_due(
    office: OutboxHarness, notebook: RecordingMessenger
) -> None:
    office.outbox._at_once = 1
    office.clock.forward(minutes=1)
    await office.owe("news", urgency=Urgency.LATER, due_at=START)
    await office.owe("second", due_at=START + timedelta(seconds=2))
    await office.owe("first", due_at=START + timedelta(seconds=1))
    await office.owe("escalation", urgency=Urgency.NOW)
    await office.work()
    assert [words for _, words in notebook.words] == ["escalation r1", "first r1", "second r1", "news r1"]


async def test_a_state_that_is_owed_while_one_is_sent_follows_at_its_own_time(
    office: OutboxHarness, notebook: RecordingMessenger
) -> None:
    await office.owe("a", 1)
    await office.outbox.run_once()
    await office.outbox.enqueue(owed("a", 2, due_at=START + timedelta(seconds=30)))
    await office.outbox.idle()
    await office.work()
    assert notebook.words == [("show", "a r1")]
    assert (await office.row("a")).state is DeliveryState.QUEUED
    office.board.revisions["a"] = 2
    office.clock.forward(seconds=30)
    await office.work()
    assert notebook.words == [("show", "a r1"), ("change", "a r2")]


async def test_what_has_nothing_to_show_is_done_without_a_call(
    office: OutboxHarness, notebook: RecordingMessenger
) -> None:
    await office.outbox.enqueue(owed("a"))
    await office.work()
    assert (await office.story("a"), (await office.row("a")).state) == (["queued", "nothing"], DeliveryState.DONE)
    assert notebook.sent == []


async def test_only_what_is_owed_is_withdrawn_for_a_digest(office: OutboxHarness, notebook: RecordingMessenger) -> None:
    await office.owe("sent")
    await office.work()
    notebook.failures.append(SendFailed(SendFailureKind.HOPELESS, "refused"))
    await office.owe("dead")
    await office.work()
    await office.owe("unseen", due_at=START + timedelta(minutes=1))
    before = [await office.row(card) for card in ("sent", "dead")]
    assert [row.state for row in before] == [DeliveryState.DONE, DeliveryState.DEAD]

    await office.database.run(lambda connection: withdraw(connection, ["sent", "dead", "unseen", "unknown"]))

    assert [await office.row(card) for card in ("sent", "dead")] == before
    assert (await office.row("unseen")).state is DeliveryState.FOLDED
    office.clock.forward(minutes=2)
    await office.owe("sent", 2)
    await office.work()
    assert notebook.words[-1] == ("change", "sent r2"), "what stands at its place goes on living there"


async def test_old_records_go_and_what_is_owed_stays(office: OutboxHarness) -> None:
    await office.owe("stands")
    await office.outbox.enqueue(owed("unseen"))
    await office.owe("waits", due_at=START + timedelta(days=100))
    await office.work()
    prune = office.outbox._backlog.prune
    await prune(START)
    assert len(await office.deliveries.search()) == 3
    await prune(START + timedelta(seconds=1))
    assert [row.card for row in await office.deliveries.search()] == ["stands", "waits"]
    assert await office.story("stands") == []
    await prune(START + timedelta(days=731))
    assert [row.card for row in await office.deliveries.search()] == ["waits"]


async def test_the_record_can_be_searched(office: OutboxHarness) -> None:
    await office.owe("a", fact="main/1")
    await office.owe("b", fact="main/2")
    await office.owe("a", 2, fact="main/2")
    await office.work()
    office.clock.forward(seconds=9)
    await office.owe("c", fact="main/3")
    book: StoredDeliveries = office.deliveries
    assert [row.card for row in await book.search(limit=2)] == ["c", "a"]
    assert [row.card for row in await book.search(state=DeliveryState.DONE)] == ["a", "b"]
    assert [row.card for row in await book.search(fact="main/3", kind="paper")] == ["c"]
    assert [row.card for row in await book.search(since=office.clock())] == ["c"]
    assert await book.caused_by("main/2") == ["a", "b"]
    assert await book.card_of("track-a") == "a"
    assert await book.card_of("foreign") is None
    assert await book.card_of("") is None
    await book.clicked("a", "keeper01", office.clock())
    steps = await book.steps_of("a")
    assert [(step.what.value, step.detail) for step in steps] == [
        ("queued", "main/1"),
        ("queued", "main/2"),
        ("sent", ""),
        ("clicked", "keeper01"),
    ]
    assert steps[2].revision == 2
