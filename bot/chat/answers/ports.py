"""The ports of the answers: the inbox of acknowledged questions, and the channel back to the asker."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Protocol, TypeAlias

from bot.cards.card import Card
from bot.chat.answers.standing_answers import CardReaders
from bot.chat.message import Message
from bot.words.errors import DingerpError


class InboxState(StrEnum):
    """The state of an acknowledged question."""

    WAITING = "waiting"
    FALLING_BACK = "falling_back"
    """A text without an identity is being sent. After a crash its arrival is unknown, so it is not sent again.

    The state returns to `WAITING` if it certainly did not arrive.
    """
    INTERIM = "interim"
    """An interim card may exist, and has to become the answer."""
    ANSWERED = "answered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class InboxMessage:
    """A question before its ACK. ``payload`` is the wire text from which it can be read again."""

    msg_id: str
    payload: str
    received_at: datetime
    interim: bool = False
    """Whether a card may exist that has to become its answer."""
    too_old: bool = False
    """Whether it is too late for the answer: the asker is told so."""
    conversation: str = ""
    """DingTalk's id of its conversation."""


OnStored: TypeAlias = Callable[[bool | DingerpError], None]
"""Called with whether a question is new, or why it could not be stored."""


class Inbox(Protocol):
    """Stores questions across crashes. Calls from many frames share one commit."""

    def accept(self, message: InboxMessage, stored: OnStored) -> None:
        """Store a question and call ``stored`` after the commit, in the event loop and never before this returned.

        A callback, not a future: awaiting a future would delay every ACK by a turn of the loop.
        """
        ...

    def flush(self) -> None:
        """Start storing the accepted questions: no more are coming at the moment."""
        ...

    async def mark(self, msg_id: str, state: InboxState) -> None:
        """Return after the commit of the new state."""
        ...

    def mark_soon(self, msg_id: str, state: InboxState) -> None:
        """Commit the new state with the next batch; losing it to a crash must be harmless."""
        ...

    async def wait_turn(self, msg_id: str) -> bool:
        """Wait until other replicas have answered the earlier questions of its conversation.

        Returns false if another replica has taken the question over, because this one stood still.
        """
        ...

    async def unanswered(self, since: datetime) -> tuple[InboxMessage, ...]:
        """Take over unanswered questions of processes that ended, and return them, oldest first.

        Those from before ``since`` are too old.
        A question with an interim card is never too old, since the card has to become the answer.
        """
        ...


class AnswerVia(StrEnum):
    """How an answer reached the conversation."""

    CARD = "card"
    OWN_CARD = "own_card"
    """A card with content for the asker alone."""
    FORM = "form"
    """A form for the asker alone."""
    MARKDOWN = "markdown"
    WEBHOOK = "webhook"


class AnswerCards:
    """One answer for two audiences: the asker, and everybody in the conversation."""

    def __init__(self, own: Card, draw_shared: Callable[[], Card] | None = None) -> None:
        """``own`` shows what the asker may see. Without ``draw_shared`` everybody may see that.

        ``draw_shared`` is called only when the other card is needed, which is rare.
        """
        self.own = own
        self._draw_shared = draw_shared
        self._shared = own if draw_shared is None else None

    @property
    def is_shared(self) -> bool:
        """Whether everybody may see the asker's card."""
        return self._draw_shared is None

    @property
    def shared(self) -> Card:
        """The card for everybody in the conversation."""
        if self._shared is None:
            assert self._draw_shared is not None
            self._shared = self._draw_shared()
        return self._shared


@dataclass(frozen=True, slots=True)
class SentAnswer:
    """An answer that has arrived in the conversation."""

    via: AnswerVia


class AnswerUnconfirmed(DingerpError):
    """It is unknown whether the card arrived. The same card may be sent again; a text might be a second answer."""

    retry: ClassVar[bool] = True


class TextUnconfirmed(DingerpError):
    """It is unknown whether a fallback text arrived: either silence, or the same text twice."""


class AnswerChannel(Protocol):
    """Sends answers; each attempt is bounded in time."""

    def readers_of(self, message: Message, cards: AnswerCards, *, interim: bool = False) -> CardReaders:
        """Return the readers of the answer's card, if it can be sent as one; ``interim``: it already shows another."""
        ...

    async def show_interim(self, message: Message, card: Card, *, track_id: str) -> bool:
        """Show everybody in the conversation a card that becomes the answer later.

        No other way is tried, and False means that none is wanted now. Raises `AnswerUnconfirmed` if it may have
        arrived, and another `bot.words.errors.DingerpError` if it has not.
        """
        ...

    async def replace_interim(
        self,
        message: Message,
        cards: AnswerCards,
        *,
        track_id: str,
        own_track_id: str,
        before_fallback: Callable[[], Awaitable[None]],
    ) -> SentAnswer:
        """Turn the card from `show_interim` into the answer; create it if it never arrived.

        If ``cards.shared`` is another card, it becomes that, and the asker gets a card ``own_track_id`` of their own,
        unless they see private values on it (`readers_of`). The rest is as in `answer`.
        """
        ...

    async def answer(
        self,
        message: Message,
        cards: AnswerCards,
        *,
        track_id: str,
        before_fallback: Callable[[], Awaitable[None]],
    ) -> SentAnswer:
        """Send the answer to where ``message`` was written, or to the asker's own chat.

        If ``cards.shared`` is another card, only the asker sees ``cards.own``: in a card, its notification and its
        preview as well as in a text.

        A repeated ``track_id`` never creates a second card, so a card may be retried. A fallback text has no such
        identity: ``before_fallback`` is awaited before it is sent, so that the caller can record that it must not be
        sent again after a crash, or prevent it by raising. Raises `AnswerUnconfirmed` if the card may have arrived,
        `TextUnconfirmed` if the text may have, and another `DingerpError` if nothing could be sent; if its ``retry`` is
        set, certainly nothing has arrived.
        """
        ...
