"""An event as it is kept from the moment it came: the envelope in columns, the whole as text beside it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class EventState(StrEnum):
    """Where a kept event is in its life."""

    WAITING = "waiting"
    """Committed, and to be worked on."""
    DONE = "done"
    REJECTED = "rejected"
    """It cannot be understood, and `Kept.reason` says why. Sent again in order, it takes its own place as waiting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
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
class StoredEvent(Kept):
    """A kept event with its place in the order of arrival."""

    seq: int
