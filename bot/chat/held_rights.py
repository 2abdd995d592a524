"""Rights that wait for their owners since a backup was restored: what was given up after it must not be back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Protocol

from bot.cards.actions import Ask
from bot.cards.view import Button, Color, View
from bot.chat.parsing import command_line
from bot.outbox.ports import ComposedCard, SingleCardComposer
from bot.words.phrase import Phrase, phrase

HELD_CARD = "held_rights"
"""Kind of the deliveries."""

SHOWN = 10
"""How many of them a card names."""


class HeldRightKind(StrEnum):
    """What waits."""

    ACCOUNT = "account"
    KEY = "key"
    SUBSCRIPTION = "subscription"
    WATCH = "watch"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRight:
    """One right: whose, what it is about in words that its owner typed or saw, and since when it waits."""

    id: str
    kind: HeldRightKind
    user_id: str
    about: str
    since: datetime


class HeldRightStore(Protocol):
    """Keeps them; implemented by `bot.store.held_rights`. Raises a `bot.words.errors.DingerpError` when it is away."""

    async def of(self, user_id: str) -> tuple[HeldRight, ...]:
        """Return those of one person."""
        ...

    async def confirm(self, rights: Sequence[HeldRight], *, by: str, now: datetime) -> int:
        """Put them back in force; returns how many are, for others have a newer one in their place."""
        ...

    async def drop(self, rights: Sequence[HeldRight], *, by: str, now: datetime) -> None:
        """Give them up."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRightList(View):
    """What waits for its owner's confirmation, or ``remark``: what became of it."""

    card: ClassVar[str] = "held_rights"
    leads_on: ClassVar[bool] = False

    rows: tuple[HeldRight, ...]
    total: int
    remark: Phrase | None = None

    def buttons(self) -> Sequence[Button]:
        if not self.total:
            return ()
        keep, drop = command_line("restored", "keep"), command_line("restored", "drop")
        return (
            Button(phrase("Keep them all"), Ask(keep), Color.BLUE),
            Button(phrase("Give them all up"), Ask(drop)),
        )


def held_view(found: Sequence[HeldRight], remark: Phrase | None = None) -> HeldRightList:
    """Return the card about what waits for one person."""
    return HeldRightList(rows=tuple(found[:SHOWN]), total=len(found), remark=remark)


class HeldRightComposer(SingleCardComposer):
    """Composes the card of each owner, who is named by userId."""

    def __init__(self, store: HeldRightStore) -> None:
        self._store = store

    async def compose(self, ref: str) -> ComposedCard:
        """Return the card; nothing once all is confirmed or given up."""
        found = await self._store.of(ref)
        return ComposedCard(held_view(found) if found else None, 1)
