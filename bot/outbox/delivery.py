"""A delivery: the intent that a card at a place shows its newest state; with its row, the result of an attempt, and its
history.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.outbox.place import Place

NEEDS_REDRAW = -1
"""The revision of a card with content outside its sequence."""
LOST_TRACK = -2
"""The revision of a card unknown to the database: if its subject is lost, the card says so."""


class Urgency(StrEnum):
    """How urgent a delivery is; `NOW` is never folded into a digest."""

    NOW = "now"
    """Escalations, critical alerts, decisions."""
    SOON = "soon"
    LATER = "later"
    """News and digests."""
    IN_TURN = "in_turn"
    """Events for a program: each waits for those of its subject, and none for a card."""

    @property
    def rank(self) -> int:
        """A sort rank: lower is sent first."""
        return ("now", "soon", "later", "in_turn").index(self.value)


class DingWay(StrEnum):
    """How a call (DING) reaches people; text messages and phone calls are billed individually."""

    OFF = "off"
    """Nobody is called."""
    APP = "app"
    SMS = "sms"
    PHONE = "phone"

    @property
    def rank(self) -> int:
        """A rank that grows with how noticeable the way is."""
        return ("off", "app", "sms", "phone").index(self.value)


class DeliveryFormat(StrEnum):
    """The form shown at the place."""

    CARD = "card"
    TEXT = "text"
    """A plain message, if no card can be created. It cannot be changed."""
    DING = "ding"
    """A call (DING) to a person, once, with the card's title. It cannot be changed either."""
    STANDING = "standing"
    """A card that existed before its first delivery: it is only updated."""
    TO_DO = "todo"
    """A to-do (待办) on the lists of the people at its places."""

    TOP = "top"
    """A top box of a group."""
    EVENT = "event"
    """An event for a program."""

    @property
    def is_marker(self) -> bool:
        """Whether it is outside the chats and only reminds of a card."""
        return self in (DeliveryFormat.TO_DO, DeliveryFormat.TOP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A request to the outbox. The card's content is composed when sent, so the newest state wins.

    ``card`` is the stable key of the card (the outbox has one row for each), from which its DingTalk id is derived;
    ``kind`` names the composer and ``ref`` is the composer's name for the card; ``revision`` is the minimum state to
    show.
    """

    card: str
    place: Place
    kind: str
    ref: str
    revision: int
    urgency: Urgency = Urgency.SOON
    due_at: datetime
    """The earliest time of delivery."""
    also: tuple[Place, ...] = ()
    """Further places of the same card: one call creates it at all of them, and one updates it."""
    fact: str = ""
    """The event that caused it (``source/id``), for the history."""
    via: DeliveryFormat = DeliveryFormat.CARD
    """The form, if it is not a card."""
    stands_as: str = ""
    """The card's name at its creation, if it was created elsewhere, such as the answer to a question: then it is
    updated and never created.
    """


class DeliveryState(StrEnum):
    """The state of an outbox row."""

    QUEUED = "queued"
    """To be sent now or later, or being sent."""
    DONE = "done"
    FOLDED = "folded"
    """Replaced by other cards: a digest, or one for each of its places."""
    DEAD = "dead"
    """Given up with a reason, until an operator replays it or a newer state is queued."""


class DeliveryStepKind(StrEnum):
    """The kind of a step in a delivery's history."""

    QUEUED = "queued"
    SENT = "sent"
    """The card was created."""
    UPDATED = "updated"
    WRITTEN = "written"
    """A plain message was sent instead."""
    KEPT = "kept"
    """Nothing to change: the newest state is shown, or the shown one cannot be changed."""
    NOTHING = "nothing"
    """The composer has nothing left to show."""
    RETRIED = "retried"
    """It failed and is retried later."""
    NO_CARD = "no_card"
    """A card cannot be created: a plain message is sent next."""
    GONE = "gone"
    """The card no longer exists and is created again."""
    FOLDED = "folded"
    SEPARATED = "separated"
    """It cannot be at its places together: each gets a card of its own."""
    DEAD = "dead"
    REPLAYED = "replayed"
    CLICKED = "clicked"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxRow:
    """A row as claimed by the worker.

    ``doubt`` is 0, or the revision of an earlier attempt to create the card whose outcome is unknown.
    """

    card: str
    place: Place
    kind: str
    ref: str
    urgency: Urgency
    via: DeliveryFormat = DeliveryFormat.CARD
    wanted: int
    """The minimum revision to show."""
    shown: int = 0
    """The revision shown, 0 for none, `NEEDS_REDRAW` or `LOST_TRACK` for other content."""
    doubt: int = 0
    tries: int = 0
    due_at: datetime
    also: tuple[Place, ...] = ()
    made_as: str = ""
    """The card's name at its creation: its template renders all later states."""
    making: int = 0
    """How often it was restarted after it was given up and certainly never seen."""
    standing: str = ""
    """The existing marker, as its keeper describes it; empty for none."""
    fact: str = ""
    """The last event that it was queued for, ``source/id``; empty for none."""

    @property
    def is_message(self) -> bool:
        """Whether it is a plain message or a call, which cannot be changed."""
        return self.via in (DeliveryFormat.TEXT, DeliveryFormat.DING)

    @property
    def is_urgent_and_unseen(self) -> bool:
        """Whether it is urgent and has not been shown yet, as a card or as a message in its place."""
        shows = self.via in (DeliveryFormat.CARD, DeliveryFormat.TEXT)
        return shows and self.urgency is Urgency.NOW and not self.shown

    @property
    def places(self) -> tuple[Place, ...]:
        """All places of the card."""
        return (self.place, *self.also)

    @property
    def track_key(self) -> str:
        """The key from which the card's DingTalk id is derived.

        If DingTalk created a card without showing it, that id will never show one (docs:
        platform/dingtalk/cards.md#idempotency): so each fresh start uses a new id.
        """
        return f"{self.card}#{self.making}" if self.making else self.card


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryResult:
    """The result of one attempt."""

    what: DeliveryStepKind
    revision: int = 0
    """The revision now shown, or found to be the newest."""
    reason: str = ""
    trouble: str = ""
    """The kind of the failure (`bot.outbox.ports.SendFailureKind`), empty for none."""
    again_at: datetime | None = None
    counts: bool = True
    """Whether the failure counts towards giving up."""
    certain: bool = True
    """Whether a failed attempt certainly showed nothing."""
    made_as: str = ""
    track_id: str = ""
    standing: str = ""
    """The existing marker."""
    late: timedelta = timedelta(0)
    """Its delay after the due time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryStep:
    """One line in the history of a delivery. ``detail`` is an event, a reason, or who clicked."""

    at: datetime
    card: str
    what: DeliveryStepKind
    revision: int
    late: timedelta
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRecord:
    """A row as operators see it."""

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
    also: tuple[Place, ...] = ()
