"""Composes the cards of alerts when they are sent: implements `bot.outbox.composing.Composer`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.alerts import handling
from bot.alerts.board import Posted
from bot.alerts.drawing import draw_card
from bot.alerts.ledger import Ledger
from bot.alerts.noticeboard import Study, read_card
from bot.outbox.composing import Composed
from bot.outbox.place import Place, PlaceKind

NameOf = Callable[[str], Awaitable[str]]
"""Returns how people call the person with a user id."""

_NAMED = 3
"""People to whom an alert was passed on that its card names."""


@dataclass(frozen=True, slots=True)
class _Read:
    posted: Posted
    passed_to: tuple[str, ...]


class AlertComposer:
    """Cards are named by the ids of `bot.alerts.alert.AlertCard`."""

    def __init__(self, study: Study, *, now: Callable[[], datetime], name_of: NameOf) -> None:
        """``now`` gives the present time in the company's zone: the days of a delay are counted by it."""
        self._study = study
        self._now = now
        self._name_of = name_of

    async def compose(self, ref: str) -> Composed:
        """Return the newest state of a card; there is nothing to show of one that nobody remembers."""
        read = await self._study.read(lambda ledger: _read(ledger, ref))
        if read is None:
            return Composed(None, 0)
        told = tuple(await asyncio.gather(*map(self._name_of, read.passed_to)))
        return Composed(draw_card(read.posted, self._now(), told=told), read.posted.card.revision)

    async def fold(self, refs: Sequence[str], place: str) -> None:
        """Let one digest stand for cards that their place has not seen yet."""
        where = Place.parse(place)
        await self._study.do(lambda unit: handling.fold(unit, refs, where))


def _read(ledger: Ledger, card_id: str) -> _Read | None:
    posted = read_card(ledger, card_id)
    return _Read(posted, _passed_to(ledger, posted)) if posted else None


def _passed_to(ledger: Ledger, posted: Posted) -> tuple[str, ...]:
    """Return the user ids of those to whom the alert was passed on: their cards came after the first ones."""
    if len(posted.alerts) != 1 or not posted.alerts[0].step:
        return ()
    cards = ledger.cards_of(posted.alerts[0].id)
    first = min((card.opened_at for card in cards), default=None)
    people = [card.place.id for card in cards if card.place.kind is PlaceKind.PERSON and card.opened_at != first]
    return tuple(dict.fromkeys(people))[:_NAMED]
