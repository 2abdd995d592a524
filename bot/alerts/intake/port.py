"""The port of intake: what webhooks, polling and queues hand over and get back, and the stored form of an event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Protocol

from bot.words.errors import DingerpError
from bot.words.severity import Severity


class InvalidJson(DingerpError):
    """A body that is not JSON; ``detail`` gives the position of the error without any of the body."""


class InvalidSignature(DingerpError):
    """The sender did not prove its identity; ``detail`` names the missing or wrong part, without secrets."""


class IntakeFull(DingerpError):
    """Too many events wait to be stored; try again after ``retry_after`` seconds."""

    retry: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class Rejection:
    """An event that cannot be understood: it is stored with the reason, and sender and operator are told."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class UnreadableEvent:
    """An item that is no CloudEvent, stored like a rejected event. ``raw`` is the text or the object."""

    raw: object
    reason: str


def as_event(value: object) -> Mapping[str, object] | UnreadableEvent:
    """Return a decoded event, or an `UnreadableEvent` for a value that cannot be one."""
    return value if isinstance(value, Mapping) else UnreadableEvent(value, "not a JSON object")


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeOutcome:
    """The outcome of one hand-over of events, after the commit (docs: contracts.md#event-intake)."""

    accepted: int
    duplicate: int
    rejected: tuple[Rejection, ...] = ()


class Intake(Protocol):
    """Takes the events of all sources."""

    async def accept(
        self, source: str, events: Sequence[Mapping[str, object] | UnreadableEvent], *, via: str
    ) -> IntakeOutcome:
        """Store CloudEvents (as decoded JSON objects) and return after the commit.

        ``via`` is ``webhook``, ``api``, ``poll``, ``queue`` or ``send``. Known events count as duplicates; events that
        cannot be understood are stored with the reason. Raises `DingerpError` if nothing could be stored: the sender
        must then retry.
        """
        ...


class EventState(StrEnum):
    """The state of a stored event."""

    WAITING = "waiting"
    """Committed, and to be processed."""
    DONE = "done"
    REJECTED = "rejected"
    """It cannot be understood, for `ReceivedEvent.reason`; a corrected one with its id replaces it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedEvent:
    """One CloudEvent with its way in. ``id`` is unique within ``source`` and ``origin``."""

    source: str
    """The sender's name in the configuration: no sender can use another's."""
    origin: str
    """The CloudEvent's own ``source``: ids are unique only within it (CloudEvents 1.0, section ``id``)."""
    id: str
    type: str
    subject: str
    severity: str
    """As set by the sender; empty: the default of the type."""
    via: str
    at: datetime
    received_at: datetime
    state: EventState = EventState.WAITING
    reason: str = ""
    raw: str
    """The whole CloudEvent as JSON text, as received."""
    rank: int = Severity.WARNING.rank
    """The rank of its worst part, before the rules grade it: the worst events are processed first."""

    @property
    def key(self) -> tuple[str, str, str]:
        """The identity of the event: a second one with this key is a duplicate."""
        return self.source, self.origin, self.id

    @property
    def ref(self) -> str:
        """``source/id``, the event's name in the history."""
        return f"{self.source}/{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent(ReceivedEvent):
    """A stored event with its arrival number."""

    seq: int
    is_opened: bool = True
    """Whether its sealed text could be opened; if not, `raw` is empty, and `reason` says so."""
