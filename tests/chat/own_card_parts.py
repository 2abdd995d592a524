"""Cards of single people for tests: what they were shown, and what failed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from bot.cards.card import Card
from bot.cards.track_ids import TrackIds
from bot.chat.answers.own_cards import OwnCards
from bot.chat.message import Conversation
from bot.mechanisms.metrics import Metrics
from bot.words.errors import DingerpError


@dataclass(slots=True)
class RecordingOwnCards:
    """Implements `bot.chat.answers.own_cards.OwnCardChannel`; each call fails with the next of ``failures``."""

    calls: list[tuple[str, str, Card]] = field(default_factory=list)
    """Whether a card was made (for whom) or changed, its id, and what it shows."""
    failures: list[DingerpError | None] = field(default_factory=list)
    places: list[Conversation] = field(default_factory=list)

    async def show(self, card: Card, *, user_id: str, where: Conversation, track_id: str) -> None:
        self._fail()
        self.places.append(where)
        self.calls.append((user_id, track_id, card))

    async def change(self, card: Card, *, track_id: str, made_as: str) -> None:
        self._fail()
        self.calls.append(("", track_id, card))

    def _fail(self) -> None:
        if self.failures and (failure := self.failures.pop(0)):
            raise failure


def make_own_cards(
    tracks: TrackIds, now: Callable[[], datetime], channel: RecordingOwnCards | None = None, *, metrics: Metrics
) -> OwnCards:
    """Return what shows single people their cards by ``channel``."""
    return OwnCards(channel or RecordingOwnCards(), tracks, now=now, sent=metrics.own_cards)
