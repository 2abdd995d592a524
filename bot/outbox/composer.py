"""Who knows what a card shows: asked at the moment of sending, so that the newest state is what arrives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.cards.view import View


@dataclass(frozen=True, slots=True)
class ComposedCard:
    """A card's content now, and which revision that is; ``view`` None means that there is nothing to show any more."""

    view: View | None
    revision: int


class Composer(Protocol):
    """Composes the cards of one ``kind`` of `bot.outbox.delivery.Delivery`."""

    async def compose(self, ref: str) -> ComposedCard:
        """Return the newest state of a card."""
        ...

    async def fold(self, refs: Sequence[str], place: str) -> None:
        """Let one digest stand for cards that were not shown yet, because budgets do not allow one card for each.

        Must be one transaction: afterwards the outbox owes the digest and no longer the cards
        (`bot.store.outbox.withdraw`). A digest that was not shown yet may be among ``refs``: it takes in the others. It
        may be asked again for the same cards, after a crash.
        """
        ...
