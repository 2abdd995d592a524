"""The place of a card: a group, or a person's chat with the bot; and a program that is told what happens."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class PlaceKind(StrEnum):
    """The kinds of conversation to which a bot can write on its own, and programs."""

    GROUP = "group"
    PERSON = "person"
    RECEIVER = "receiver"
    """A program (`bot.outbox.happenings.Receiver`): it gets events and no cards."""


@dataclass(frozen=True, slots=True)
class Place:
    """``id`` is an openConversationId, a userId, or the name of a receiver; all are case-sensitive."""

    kind: PlaceKind
    id: str

    def __str__(self) -> str:
        """Return the text form used in storage and settings: ``group:cid…`` or ``person:manager01``."""
        return f"{self.kind}:{self.id}"

    @classmethod
    def parse(cls, text: str) -> Place:
        """Return the place for a text from `__str__`; a bare openConversationId is a group. Raises `ValueError`."""
        kind, colon, rest = text.strip().partition(":")
        if not colon and kind.startswith("cid"):
            return cls(PlaceKind.GROUP, kind)
        if not rest:
            raise ValueError(f"not a place: {text[:40]!r}; write group:cid… or person:userId")
        return cls(PlaceKind(kind), rest)
