"""What every way of intake hands over, what it gets back or what it is refused with, and the event as it is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Protocol

from bot.errors import DingerpError


class InvalidJson(DingerpError):
    """A body that is no JSON; ``detail`` says where it ends to be some and repeats nothing of it."""


class InvalidSignature(DingerpError):
    """A hand-over whose sender did not prove who it is; ``detail`` says what was missing or wrong, without secrets."""


class IntakeFull(DingerpError):
    """So much waits to be stored that nothing more is taken for ``retry_after`` seconds."""

    retry: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class Rejection:
    """An event that cannot be understood: it is kept with the reason, and the sender and the operator are told."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class UnreadableEvent:
    """What came and is no CloudEvent, with why: it is kept like a rejected event. ``raw`` is the text or the object."""

    raw: object
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What became of the events of one hand-over, after the commit (docs: contracts.md#event-intake)."""

    accepted: int
    duplicate: int
    rejected: tuple[Rejection, ...] = ()


class Intake(Protocol):
    """Where all ways of intake end."""

    async def accept(
        self, source: str, events: Sequence[Mapping[str, object] | UnreadableEvent], *, via: str
    ) -> Receipt:
        """Store CloudEvents (as decoded JSON objects) and return after the commit.

        ``via`` is ``webhook``, ``poll``, ``queue`` or ``send``. Events that are known already are duplicates; those
        that cannot be understood are stored with their reason. Raises `bot.errors.DingerpError` when nothing could be
        stored: then the sender must send again.
        """
        ...


class EventState(StrEnum):
    """Where a kept event is in its life."""

    WAITING = "waiting"
    """Committed, and to be worked on."""
    DONE = "done"
    REJECTED = "rejected"
    """It cannot be understood, and `ReceivedEvent.reason` says why.

    Sent again in order, it takes its own place as waiting.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedEvent:
    """One CloudEvent with its way in. With ``source`` and ``origin`` its ``id`` is unique."""

    source: str
    """Name under which the sender is configured: nobody can take another's."""
    origin: str
    """The CloudEvent's own ``source``: ids are unique only within it (CloudEvents 1.0, section ``id``)."""
    id: str
    type: str
    subject: str
    severity: str
    """As the sender named it; empty: the type's own."""
    via: str
    at: datetime
    received_at: datetime
    state: EventState = EventState.WAITING
    reason: str = ""
    raw: str
    """The whole CloudEvent as JSON text, as it came."""

    @property
    def key(self) -> tuple[str, str, str]:
        """Return what two hand-overs of the same event have in common."""
        return self.source, self.origin, self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent(ReceivedEvent):
    """A kept event with its place in the order of arrival."""

    seq: int
