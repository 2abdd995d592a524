"""Rights awaiting their owners since a backup was restored: rights given up since the backup must not return."""

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
    """The kind of a held right."""

    ACCOUNT = "account"
    KEY = "key"
    SUBSCRIPTION = "subscription"
    WATCH = "watch"
    API_KEY = "api_key"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRight:
    """One right: its owner, its subject in words that the owner typed or saw, and since when it is held."""

    id: str
    kind: HeldRightKind
    user_id: str
    about: str
    since: datetime


class HeldRightStore(Protocol):
    """Stores held rights; implemented by `bot.store.held_rights`. Raises a `bot.words.errors.DingerpError` when
    unavailable.
    """

    async def of(self, user_id: str) -> tuple[HeldRight, ...]:
        """Return one person's held rights."""
        ...

    async def confirm(self, rights: Sequence[HeldRight], *, by: str, now: datetime) -> int:
        """Reinstate rights; returns how many are back, since newer ones may have replaced others."""
        ...

    async def drop(self, rights: Sequence[HeldRight], *, by: str, now: datetime) -> None:
        """Give rights up."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRightList(View):
    """The rights awaiting their owner's confirmation, or the outcome (``remark``)."""

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
    """Return the card for one person's held rights."""
    return HeldRightList(rows=tuple(found[:SHOWN]), total=len(found), remark=remark)


class HeldRightComposer(SingleCardComposer):
    """Composes the card of each owner, identified by userId."""

    def __init__(self, store: HeldRightStore) -> None:
        self._store = store

    async def compose(self, ref: str) -> ComposedCard:
        """Return the card; nothing once all rights are confirmed or given up."""
        found = await self._store.of(ref)
        return ComposedCard(held_view(found) if found else None, 1)
