"""What was acknowledged must be answered: the port to the table that remembers it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol, TypeAlias

from bot.errors import DingerpError


class InboxState(StrEnum):
    """The life of an acknowledged question."""

    WAITING = "waiting"
    FALLING_BACK = "falling_back"
    """A text without identity is being sent: after a crash nobody knows whether it arrived, so it is not sent again.

    Back to `WAITING` when it certainly did not.
    """
    ANSWERED = "answered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Letter:
    """A question as it came, before its ACK. ``payload`` is the wire text from which it can be read again."""

    msg_id: str
    payload: str
    received_at: datetime


Told: TypeAlias = Callable[[bool | DingerpError], None]
"""Hears whether a question is new, or why it could not be stored."""


class Inbox(Protocol):
    """Remembers questions across crashes. Calls from many frames share one commit."""

    def accept(self, letter: Letter, told: Told) -> None:
        """Store a question and call ``told`` after the commit, in the event loop and never before this returned.

        A call and not a future: whoever waits for one is woken a turn of the loop later, and so is every ACK.
        """
        ...

    def flush(self) -> None:
        """Begin at once to store what was accepted: no more comes at the moment."""
        ...

    async def mark(self, msg_id: str, state: InboxState) -> None:
        """Return after the commit of the new state."""
        ...

    def mark_soon(self, msg_id: str, state: InboxState) -> None:
        """Let the new state be committed with the next batch; losing it to a crash must be harmless."""
        ...

    async def unanswered(self, since: datetime) -> tuple[Letter, ...]:
        """Return what still waits, oldest first, and give up (as failed) what came before ``since``."""
        ...
