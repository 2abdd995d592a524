"""A card that says that the answer takes longer: noted before it is sent, and settled before the answer goes out."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from bot.cards.card import Card
from bot.cards.track_ids import TrackIds
from bot.chat.answers.interim_cards import InterimCards
from bot.chat.answers.ports import AnswerUnconfirmed, InboxMessage, InboxState
from bot.chat.answers.scheduling import ConversationQueue
from bot.chat.message import Conversation, ConversationKind, Message, MessageKind, Sender
from bot.mechanisms.metrics import Metrics
from bot.store.chat.inbox import StoredInbox
from bot.store.database import Database
from bot.store.errors import StoreUnavailable
from bot.store.tables import INBOX
from bot.words.errors import DingerpError
from tests.rows import each_row

NOW = datetime(2026, 11, 24, 17, 0, tzinfo=UTC)
MESSAGE = Message(
    msg_id="m1",
    kind=MessageKind.TEXT,
    text="/stock SKU123",
    conversation=Conversation("cidA==", ConversationKind.GROUP),
    sender=Sender(staff_id="u1", nick="王小明"),
    sent_at=NOW,
    robot_code="bot",
)
CARD = Card(name="interim", language="en", title="Asking", body="", tips="", buttons=(), twin="", fields={})


@dataclass(slots=True)
class NotedInbox:
    """Remembers the states; fails while ``away``."""

    states: list[InboxState] = field(default_factory=list)
    away: bool = False

    async def mark(self, msg_id: str, state: InboxState) -> None:
        if self.away:
            raise StoreUnavailable("away")
        self.states.append(state)

    def mark_soon(self, msg_id: str, state: InboxState) -> None:
        self.states.append(state)


@dataclass(slots=True)
class OneCardChannel:
    """Shows a card, refuses it, or does not know."""

    outcome: bool | DingerpError = True
    sent: list[str] = field(default_factory=list)
    held: asyncio.Event | None = None
    spoke: asyncio.Event = field(default_factory=asyncio.Event)

    async def show_interim(self, message: Message, card: Card, *, track_id: str) -> bool:
        self.sent.append(track_id)
        self.spoke.set()
        if self.held is not None:
            await self.held.wait()
        if isinstance(self.outcome, DingerpError):
            raise self.outcome
        return self.outcome


@dataclass(slots=True)
class InterimParts:
    inbox: NotedInbox = field(default_factory=NotedInbox)
    channel: OneCardChannel = field(default_factory=OneCardChannel)
    metrics: Metrics = field(default_factory=Metrics)
    queue: ConversationQueue = field(default_factory=ConversationQueue)
    affordable: bool = True

    def cards(self, seconds: float = 0.001) -> InterimCards:
        neighbours: dict[str, Any] = {"inbox": self.inbox, "channel": self.channel}
        return InterimCards(
            **neighbours,
            draw=lambda message: CARD,
            tracks=TrackIds("secret"),
            seconds=seconds,
            shown=self.metrics.interim,
            affordable=lambda: self.affordable,
        )


@each_row(
    ("outcome", "stands", "states"),
    [
        (True, True, [InboxState.INTERIM]),
        (AnswerUnconfirmed("no answer"), True, [InboxState.INTERIM]),
        (False, False, [InboxState.INTERIM, InboxState.WAITING]),
        (DingerpError("refused"), False, [InboxState.INTERIM, InboxState.WAITING]),
    ],
)
async def test_it_is_noted_before_it_is_sent(
    outcome: bool | DingerpError, stands: bool, states: list[InboxState]
) -> None:
    parts = InterimParts(channel=OneCardChannel(outcome))
    card = parts.cards().watch(MESSAGE, parts.queue.take_ticket("cidA=="))
    await asyncio.wait_for(parts.channel.spoke.wait(), 10)
    assert await card.settle() is stands
    assert parts.inbox.states == states
    assert parts.channel.sent == [TrackIds("secret").for_interim("m1")]


async def test_nothing_is_sent_that_could_not_be_noted() -> None:
    parts = InterimParts(inbox=NotedInbox(away=True))
    assert await parts.cards().show(MESSAGE) is False
    assert parts.channel.sent == []


async def test_none_is_shown_that_costs_too_much() -> None:
    parts = InterimParts(affordable=False)
    assert await parts.cards().show(MESSAGE) is False
    assert (parts.inbox.states, parts.channel.sent) == ([], [])


async def test_a_quick_answer_needs_none() -> None:
    parts = InterimParts()
    card = parts.cards(30.0).watch(MESSAGE, parts.queue.take_ticket("cidA=="))
    assert await card.settle() is False
    never = parts.cards(0.0).watch(MESSAGE, parts.queue.take_ticket("cidA=="))
    await asyncio.sleep(0)
    assert await never.settle() is False
    assert parts.channel.sent == []


async def test_one_that_is_being_sent_is_waited_for() -> None:
    parts = InterimParts(channel=OneCardChannel(held=asyncio.Event()))
    card = parts.cards().watch(MESSAGE, parts.queue.take_ticket("cidA=="))
    await asyncio.wait_for(parts.channel.spoke.wait(), 10)
    settling = asyncio.create_task(card.settle())
    await asyncio.sleep(0)
    assert not settling.done()
    assert parts.channel.held is not None
    parts.channel.held.set()
    assert await settling is True
    assert parts.metrics.registry.get_sample_value("dingerp_interim_cards_total") == 1


async def test_it_waits_for_its_turn_and_is_dropped_when_the_answer_is_there_first() -> None:
    parts = InterimParts()
    ahead, ticket = parts.queue.take_ticket("cidA=="), parts.queue.take_ticket("cidA==")
    card = parts.cards(30.0).watch(MESSAGE, ticket)
    card._start()
    await asyncio.sleep(0)
    assert await card.settle() is False
    waiting = asyncio.create_task(ticket.wait_turn())
    await asyncio.sleep(0)
    ahead.release()
    await asyncio.wait_for(waiting, 10)
    assert parts.channel.sent == []
    card.close()


async def test_its_turn_comes_when_the_question_ahead_is_answered() -> None:
    parts = InterimParts()
    ahead, ticket = parts.queue.take_ticket("cidA=="), parts.queue.take_ticket("cidA==")
    card = parts.cards(30.0).watch(MESSAGE, ticket)
    card._start()
    await asyncio.sleep(0)
    assert parts.channel.sent == []
    ahead.release()
    await asyncio.wait_for(parts.channel.spoke.wait(), 10)
    assert await card.settle() is True


async def test_the_inbox_gives_it_back_after_a_restart_however_old(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'bot.sqlite3'}")
    await database.migrate()
    inbox = StoredInbox(database)
    writer = asyncio.create_task(inbox.run())
    old = NOW - timedelta(hours=1)
    for number, at in (("m1", NOW), ("m2", old), ("m3", old)):
        stored: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        inbox.accept(InboxMessage(number, "{}", at), stored.set_result)
        await stored
    for number in ("m1", "m2"):
        await inbox.mark(number, InboxState.INTERIM)
    found = await inbox.unanswered(NOW - timedelta(minutes=2))
    assert {(message.msg_id, message.interim, message.too_old) for message in found} == {
        ("m1", True, False),
        ("m2", True, False),
        ("m3", False, True),
    }
    rows = await database.run(lambda connection: connection.execute(select(INBOX)).all())
    assert {row.msg_id: row.state for row in rows} == {"m1": "interim", "m2": "interim", "m3": "waiting"}, (
        "what is too old and has no card waits until its asker was told"
    )
    writer.cancel()
    await asyncio.gather(writer, return_exceptions=True)
    await database.close()
