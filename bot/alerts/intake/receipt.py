"""What every way of intake hands over, and what it gets back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Rejection:
    """An event that cannot be understood: it is kept with the reason, and the sender and the operator are told."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What came and is no CloudEvent, with why: it is kept like a rejected event. ``raw`` is the text or the object."""

    raw: object
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What became of the events of one hand-over, after the commit (design, section 5)."""

    accepted: int
    duplicate: int
    rejected: tuple[Rejection, ...] = ()


class Intake(Protocol):
    """Where all ways of intake end."""

    async def accept(self, source: str, events: Sequence[Mapping[str, object] | Unreadable], *, via: str) -> Receipt:
        """Store CloudEvents (as decoded JSON objects) and return after the commit.

        ``via`` is ``webhook``, ``poll``, ``queue`` or ``send``. Events that are known already are duplicates; those
        that cannot be understood are stored with their reason. Raises `bot.errors.DingerpError` when nothing could be
        stored: then the sender must send again.
        """
        ...
