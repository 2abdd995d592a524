"""A delivery: the intent that one card at one place shows its newest state; its row, what became of an attempt, and
its history.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.outbox.place import Place


class Urgency(StrEnum):
    """What may be folded into a digest when budgets run out, and what may not."""

    NOW = "now"
    """Escalations, critical alerts, decisions."""
    SOON = "soon"
    LATER = "later"
    """News and digests."""

    @property
    def rank(self) -> int:
        """Return a number that is lower for what goes first."""
        return ("now", "soon", "later").index(self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What is asked of the outbox. The card's content is composed when it is sent, so that its newest state wins.

    ``card`` is the stable key of the card (one row of the outbox for each), from which its DingTalk id is derived;
    ``kind`` names who composes it and ``ref`` what that needs to know; ``revision`` is the state that must be shown at
    least.
    """

    card: str
    place: Place
    kind: str
    ref: str
    revision: int
    urgency: Urgency = Urgency.SOON
    due_at: datetime
    """Not before."""
    fact: str = ""
    """What caused it, for the record: an event's ``source/id``."""


class DeliveryState(StrEnum):
    """Where a row of the outbox stands."""

    QUEUED = "queued"
    """Something is owed, now or at its time, or is being sent."""
    DONE = "done"
    FOLDED = "folded"
    """A digest stands for it."""
    DEAD = "dead"
    """Given up with a reason, until somebody replays it or a newer state is owed."""


class DeliveryFormat(StrEnum):
    """What stands at the place, or is to stand there."""

    CARD = "card"
    TEXT = "text"
    """A plain message, where no card can be made. It cannot be changed."""


class DeliveryStepKind(StrEnum):
    """One step in a delivery's story."""

    QUEUED = "queued"
    SENT = "sent"
    """The card was made."""
    UPDATED = "updated"
    WRITTEN = "written"
    """A plain message went instead."""
    KEPT = "kept"
    """There was nothing to change: the newest state stands, or what stands cannot be changed."""
    NOTHING = "nothing"
    """Its composer has nothing to show any more."""
    RETRIED = "retried"
    """It failed and is tried again later."""
    NO_CARD = "no_card"
    """A card cannot be made: a plain message is owed."""
    GONE = "gone"
    """The card does not exist any more and is made anew."""
    FOLDED = "folded"
    DEAD = "dead"
    REPLAYED = "replayed"
    CLICKED = "clicked"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxRow:
    """A row as the worker took it.

    ``doubt`` is 0, or the revision of an earlier try to make the card of which nobody knows whether it worked.
    """

    card: str
    place: Place
    kind: str
    ref: str
    urgency: Urgency
    via: DeliveryFormat = DeliveryFormat.CARD
    wanted: int
    """The revision that must be shown at least."""
    shown: int = 0
    """The revision that stands there, 0 for none."""
    doubt: int = 0
    tries: int = 0
    due_at: datetime
    made_as: str = ""
    """Name of the card that it was made as: its template draws all later states."""
    making: int = 0
    """How often a card that was given up, and certainly was never seen, was begun anew."""

    @property
    def track_key(self) -> str:
        """What the card's DingTalk id is made from.

        DingTalk may know the id of a card that it made and did not show, and then never shows it
        (docs: platform/dingtalk/cards.md#idempotency): so a new beginning has a new id.
        """
        return f"{self.card}#{self.making}" if self.making else self.card


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryResult:
    """What became of one try."""

    what: DeliveryStepKind
    revision: int = 0
    """What stands there now, or what was found to be the newest."""
    reason: str = ""
    again_at: datetime | None = None
    counts: bool = True
    """Whether the failure brings the dead letter nearer."""
    certain: bool = True
    """Whether a failed try certainly left nothing there."""
    made_as: str = ""
    track_id: str = ""
    late: timedelta = timedelta(0)
    """How much later than due it was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryStep:
    """One line of a delivery's story. ``detail`` is a fact, a reason, or who clicked."""

    at: datetime
    card: str
    what: DeliveryStepKind
    revision: int
    late: timedelta
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRecord:
    """A row as the operator sees it."""

    card: str
    place: Place
    kind: str
    state: DeliveryState
    via: DeliveryFormat
    urgency: Urgency
    wanted: int
    shown: int
    tries: int
    due_at: datetime
    next_at: datetime
    changed_at: datetime
    fact: str
    reason: str
