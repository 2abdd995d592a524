"""What is known of a delivery: where its row stands, what became of a try, and the steps that it took."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.outbox.delivery import Urgency
from bot.outbox.place import Place


class State(StrEnum):
    """Where a row of the outbox stands."""

    QUEUED = "queued"
    """Something is owed, now or at its time, or is being sent."""
    DONE = "done"
    FOLDED = "folded"
    """A digest stands for it."""
    DEAD = "dead"
    """Given up with a reason, until somebody replays it or a newer state is owed."""


class Via(StrEnum):
    """What stands at the place, or is to stand there."""

    CARD = "card"
    TEXT = "text"
    """A plain message, where no card can be made. It cannot be changed."""


class What(StrEnum):
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
class Owed:
    """A row as the worker took it.

    ``doubt`` is 0, or the revision of an earlier try to make the card of which nobody knows whether it worked.
    """

    card: str
    place: Place
    kind: str
    ref: str
    urgency: Urgency
    via: Via = Via.CARD
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

        DingTalk may know the id of a card that it made and did not show, and then never shows it (DingTalk sheet, 5.4):
        so a new beginning has a new id.
        """
        return f"{self.card}#{self.making}" if self.making else self.card


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of one try."""

    what: What
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
    what: What
    revision: int
    late: timedelta
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRecord:
    """A row as the operator sees it."""

    card: str
    place: Place
    kind: str
    state: State
    via: Via
    urgency: Urgency
    wanted: int
    shown: int
    tries: int
    due_at: datetime
    next_at: datetime
    changed_at: datetime
    fact: str
    reason: str
