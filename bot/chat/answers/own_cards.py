"""Cards for one person each, beside a shared card: the result of a tap there for them alone.

Each costs a call. Further taps of the same person on the same card soon after change their own card in place, and taps
during sending are combined into one change.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from prometheus_client import Counter

from bot.cards.card import Card
from bot.cards.track_ids import TrackIds
from bot.chat.message import Conversation, ConversationKind
from bot.outbox.spending import Purpose, spending
from bot.words.errors import DingerpError

log = structlog.get_logger(__name__)

SAME_CARD_FOR = timedelta(minutes=10)
"""How long a person's own card is changed in place: later it has scrolled away."""

MOST = 4096
"""Own cards kept in memory; after a restart the next tap creates a new one."""

_TRIES = 2
"""A card with an unknown outcome is sent once more: the same id creates no second one."""


class OwnCardChannel(Protocol):
    """Shows cards to single people. Every call is bounded in time and raises a `bot.words.errors.DingerpError`."""

    async def show(self, card: Card, *, user_id: str, where: Conversation, track_id: str) -> None:
        """Show a card to one person alone: in the group ``where``, or in their own chat.

        A repeated ``track_id`` neither creates a second card nor changes the first.
        """
        ...

    async def change(self, card: Card, *, track_id: str, made_as: str) -> None:
        """Change such a card's content; ``made_as`` is the card's name at its creation."""
        ...


@dataclass(slots=True)
class _OwnCard:
    """One person's card beside another, which stands at ``where``. ``made_as`` is empty until it exists; ``wanted`` is
    its next content.
    """

    track_id: str
    where: Conversation
    used_at: datetime
    made_as: str = ""
    wanted: Card | None = None
    sending: asyncio.Task[None] | None = None


class OwnCards:
    """Sends them after the tap was answered; ``sent`` counts the outcomes."""

    def __init__(
        self,
        channel: OwnCardChannel,
        tracks: TrackIds,
        *,
        now: Callable[[], datetime],
        sent: Counter,
        affordable: Callable[[], bool] = lambda: True,
    ) -> None:
        """``affordable`` tells whether a call can be spared."""
        self._channel = channel
        self._tracks = tracks
        self._now = now
        self._sent = sent
        self._affordable = affordable
        self._cards: OrderedDict[tuple[str, str], _OwnCard] = OrderedDict()

    def show(self, beside: str, user_id: str, where: Conversation, card: Card) -> str:
        """Show a card to a person beside the card ``beside``, soon; return its id, empty if calls are scarce."""
        if not self._affordable():
            self._sent.labels("spared").inc()
            return ""
        key, now = (beside, user_id), self._now()
        own = self._cards.get(key)
        if own is None or now - own.used_at > SAME_CARD_FOR:
            name = f"{beside}\0{now.isoformat()}"
            own = self._cards[key] = _OwnCard(self._tracks.for_message(name, user_id), where, now)
        own.used_at, own.wanted = now, card
        self._cards.move_to_end(key)
        if own.sending is None:
            own.sending = asyncio.create_task(self._send(key, own))
        if len(self._cards) > MOST:
            self._cards.popitem(last=False)
        return own.track_id

    def beside(self, track_id: str, user_id: str) -> Conversation | None:
        """Return the place of the card beside which this person's own card was shown; their own card may be in their
        own chat. None for any other card, and after a restart.
        """
        mine = (own for (_, whose), own in self._cards.items() if whose == user_id)
        return next((own.where for own in mine if own.track_id == track_id), None)

    async def close(self) -> None:
        """Send the pending cards."""
        await asyncio.gather(*(own.sending for own in self._cards.values() if own.sending is not None))

    async def _send(self, key: tuple[str, str], own: _OwnCard) -> None:
        group = own.where.id if own.where.kind is ConversationKind.GROUP else ""
        try:
            while (card := own.wanted) is not None:
                own.wanted = None
                with spending(Purpose.PAGE, group):
                    await self._send_one(key[1], own, card)
        except DingerpError as error:
            # The next tap starts afresh.
            self._cards.pop(key, None)
            self._sent.labels("failed").inc()
            log.warning("own_card.not_shown", error=type(error).__name__, detail=error.detail)
        finally:
            own.sending = None

    async def _send_one(self, user_id: str, own: _OwnCard, card: Card) -> None:
        for tries_left in reversed(range(_TRIES)):
            if await self._show(user_id, own, card, again=tries_left > 0):
                break

    async def _show(self, user_id: str, own: _OwnCard, card: Card, *, again: bool) -> bool:
        """Return whether the card is shown; raises an error that no attempt ``again`` may overcome."""
        made = bool(own.made_as)
        try:
            if made:
                await self._channel.change(card, track_id=own.track_id, made_as=own.made_as)
            else:
                await self._channel.show(card, user_id=user_id, where=own.where, track_id=own.track_id)
                own.made_as = card.name
        except DingerpError as error:
            if not (again and error.retry):
                raise
            return False
        self._sent.labels("changed" if made else "shown").inc()
        return True
