"""Tells the asker that the answer takes longer, by a card that later becomes the answer.

It is recorded before it is sent, so that a bot that ends meanwhile finishes the card after its next start.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from prometheus_client import Counter

from bot.cards.card import Card
from bot.cards.track_ids import TrackIds
from bot.chat.answers.ports import AnswerChannel, AnswerUnconfirmed, Inbox, InboxState
from bot.chat.answers.scheduling import QueueTicket
from bot.chat.message import Message
from bot.words.errors import DingerpError

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class InterimTiming:
    """When such a card is shown."""

    seconds: float
    """How long the answer may take without one; 0: there are none."""
    most: int
    """With more questions in progress there are none: a burst would cost two calls per answer."""
    affordable: Callable[[], bool]
    """Whether the month has calls to spare."""


NO_INTERIM = InterimTiming(seconds=0.0, most=0, affordable=lambda: False)


@dataclass(frozen=True, slots=True, kw_only=True)
class InterimCards:
    """Shows one for each question without an answer within ``seconds``.

    ``draw`` returns the card for the asker; ``shown`` counts the cards. Without ``seconds`` there are none.

    ``affordable`` tells, each time, whether a call can be spared: with such a card an answer costs two.
    """

    inbox: Inbox
    channel: AnswerChannel
    draw: Callable[[Message], Card]
    tracks: TrackIds
    seconds: float
    shown: Counter
    affordable: Callable[[], bool]

    def watch(self, message: Message, ticket: QueueTicket) -> InterimCard:
        """Return the watcher that shows a card for a question once it has waited long enough and its turn has come."""
        return InterimCard(self, message, ticket, self.seconds)

    async def show(self, message: Message) -> bool:
        """Return whether a card may exist now, which has to become the answer."""
        if not self.affordable():
            return False
        try:
            await self.inbox.mark(message.msg_id, InboxState.INTERIM)
        except DingerpError as error:
            _log_not_shown(error)
            return False
        track_id = self.tracks.for_interim(message.msg_id, message.only_reader)
        try:
            stands = await self.channel.show_interim(message, self.draw(message), track_id=track_id)
        except AnswerUnconfirmed:
            return True
        except DingerpError as error:
            _log_not_shown(error)
            stands = False
        if stands:
            self.shown.inc()
        else:
            self.inbox.mark_soon(message.msg_id, InboxState.WAITING)
        return stands


class InterimCard:
    """The possible card of one question."""

    __slots__ = ("_cards", "_message", "_sending", "_task", "_ticket", "_timer")

    def __init__(self, cards: InterimCards, message: Message, ticket: QueueTicket, seconds: float) -> None:
        self._cards = cards
        self._message = message
        self._ticket = ticket
        self._task: asyncio.Task[bool] | None = None
        self._sending = False
        self._timer = asyncio.get_running_loop().call_later(seconds, self._start) if seconds else None

    async def settle(self) -> bool:
        """Show no card from now on; return whether one may exist. One being sent is waited for."""
        self._stop_timer()
        if self._task is None:
            return False
        if not self._sending:
            self._task.cancel()
            return False
        return await self._task

    def close(self) -> None:
        """End the work in progress."""
        self._stop_timer()
        if self._task is not None:
            self._task.cancel()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _start(self) -> None:
        self._task = asyncio.create_task(self._show())

    async def _show(self) -> bool:
        # A card ahead of the answers to earlier questions would change their order.
        await self._ticket.wait_turn()
        self._sending = True
        return await self._cards.show(self._message)


def _log_not_shown(error: DingerpError) -> None:
    log.info("answer.interim_not_shown", error=type(error).__name__, detail=error.detail)
