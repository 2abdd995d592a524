"""The way to a place: a port that `bot.dingtalk.messenger` implements."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Protocol

from bot.cards.card import Card
from bot.errors import DingerpError
from bot.outbox.place import Place


class SendFailureKind(StrEnum):
    """Why something was not sent, one member per reaction."""

    BUSY = "busy"
    """Nothing happened there; the same may work soon."""
    UNKNOWN = "unknown"
    """It may have happened. A card may be sent again, for its id never makes a second one; a text may not."""
    LIMITED = "limited"
    """Too fast: a wait, not a failure."""
    SPENT = "spent"
    """The month's calls are used up."""
    SETUP = "setup"
    """Somebody has to correct keys, permissions or the console's settings."""
    NO_CARDS = "no_cards"
    """No card can be made here, certainly none stands; a plain message may go."""
    GONE = "gone"
    """The card that was to be changed does not exist (any more)."""
    HOPELESS = "hopeless"
    """It will never work as it is: somebody has to look at it."""


class SendFailed(DingerpError):
    """Nothing new stands at the place, or nobody knows; ``detail`` is a plain reason for the operator."""

    retry: ClassVar[bool] = True

    def __init__(self, trouble: SendFailureKind, detail: str, *, retry_after: float | None = None) -> None:
        super().__init__(detail, retry_after=retry_after)
        self.trouble = trouble


class Messenger(Protocol):
    """Shows cards at places. Every call is bounded in time and raises nothing but `SendFailed`."""

    async def show(self, place: Place, track_id: str, card: Card) -> None:
        """Make the card appear; the same ``track_id`` again changes nothing, neither its number nor its content."""
        ...

    async def change(self, track_id: str, card: Card, made_as: str) -> None:
        """Let a card that stands show this content. ``made_as`` is the name of the card that it was made as."""
        ...

    async def write(self, place: Place, card: Card) -> None:
        """Send the card's text twin as a plain message. It has no identity: twice is two messages."""
        ...
