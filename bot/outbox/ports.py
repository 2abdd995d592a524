"""The outbox's ports: composers of cards, messengers to places, and the store of its rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import ClassVar, Protocol, runtime_checkable

from bot.cards.card import Card
from bot.cards.view import View
from bot.outbox.budgets import FoldKey, SendLimits
from bot.outbox.delivery import (
    Delivery,
    DeliveryRecord,
    DeliveryResult,
    DeliveryState,
    DeliveryStep,
    DingWay,
    OutboxRow,
)
from bot.outbox.place import Place, PlaceKind
from bot.words.errors import DingerpError

NOBODY_CALLED: Mapping[str, str] = MappingProxyType({})
"""The people whom a card calls (@), names by userId: nobody."""


@dataclass(frozen=True, slots=True)
class OwnView:
    """One person's view of a card, in place of the shared one."""

    user_id: str
    view: View

    @property
    def place(self) -> Place:
        """The person's own chat, whose language applies if the card names none."""
        return Place(PlaceKind.PERSON, self.user_id)


class MarkerState(StrEnum):
    """Whether a marker is still needed."""

    OPEN = "open"
    DONE = "done"
    """Its task was done."""
    GONE = "gone"
    """There is nothing left to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """The content of a marker (`bot.outbox.delivery.DeliveryFormat.is_marker`).

    ``people`` are the userIds it reminds, and ``done`` those of them who are finished; ``due_at`` is the deadline.
    """

    state: MarkerState
    people: tuple[str, ...] = ()
    done: frozenset[str] = frozenset()
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ComposedCard:
    """A card's current content, and its revision; without a ``view`` there is nothing left to show.

    ``language`` is that of its readers, if it differs from the place's; ``own`` is what some of them see instead. A
    ``marker`` has the card's title, and a call (``ding``) speaks it. ``called`` are the people mentioned (@) in its
    group, names by userId. ``too_late``: no longer worth creating, and changed only where it stands.
    """

    view: View | None
    revision: int
    language: str = ""
    own: tuple[OwnView, ...] = ()
    marker: Marker | None = None
    ding: DingWay = DingWay.OFF
    called: Mapping[str, str] = field(default_factory=lambda: NOBODY_CALLED)
    too_late: bool = False


class Composer(Protocol):
    """Composes the cards of one ``kind`` of `bot.outbox.delivery.Delivery`."""

    async def compose(self, ref: str) -> ComposedCard:
        """Return the newest state of a card; called at the moment of sending."""
        ...

    async def fold(self, refs: Sequence[str], place: str) -> None:
        """Replace unseen cards by one digest, because budgets do not allow one card for each.

        Must be one transaction: afterwards the digest is queued and the cards are not
        (`bot.store.outbox.queue.withdraw`). An unseen digest among ``refs`` absorbs the others. After a crash the same
        cards may be requested again.
        """
        ...


class SingleCardComposer:
    """Base of composers whose cards are never folded: their urgency is `bot.outbox.delivery.Urgency.NOW`."""

    async def fold(self, refs: Sequence[str], place: str) -> None:
        raise AssertionError(f"{type(self).__name__}: these cards are sent one by one")


@runtime_checkable
class SharingComposer(Composer, Protocol):
    """A composer whose cards may be at several places."""

    async def separate(self, card: str, ref: str, places: Sequence[Place]) -> None:
        """Give these places their own card in place of the shared ``card``.

        Must be one transaction like `fold`, and may be requested again.
        """
        ...


@runtime_checkable
class CallingComposer(Composer, Protocol):
    """A composer that knows where else people can be called."""

    async def call_elsewhere(self, ref: str, people: Sequence[Place]) -> None:
        """Call people whom an urgent card did not reach in their own chats, if there is a group to call them in.

        Must be one transaction like `fold`, and may be requested again: nobody is called twice.
        """
        ...


class SendFailureKind(StrEnum):
    """Why a send failed: one member for each reaction."""

    BUSY = "busy"
    """DingTalk was busy or unreachable and nothing happened; a repeat may soon work."""
    UNCOMPOSED = "uncomposed"
    """The card's content could not be read, as the ERP or the database is unavailable; it may be readable soon."""
    DEFECT = "defect"
    """The bot's own code failed: a repeat may fail again."""
    UNKNOWN = "unknown"
    """It may have happened. A card may be sent again, because its id never creates a second one; a text may not."""
    LIMITED = "limited"
    """Too fast: a wait, not a failure."""
    SPENT = "spent"
    """The month's calls are used up."""
    SETUP = "setup"
    """An operator has to correct keys, permissions or the console's settings."""
    NO_CARDS = "no_cards"
    """No card can be created here, and certainly none exists; a plain message may be sent."""
    GONE = "gone"
    """The card to be updated no longer exists."""
    HOPELESS = "hopeless"
    """It will never work as it is: an operator has to look into it."""


class SendFailed(DingerpError):
    """The place shows nothing new, or that is unknown; ``detail`` is the reason for the operator."""

    retry: ClassVar[bool] = True

    def __init__(self, trouble: SendFailureKind, detail: str, *, retry_after: float | None = None) -> None:
        super().__init__(detail, retry_after=retry_after)
        self.trouble = trouble


NOBODYS: Mapping[str, Card] = MappingProxyType({})
"""No cards of single people."""


class Messenger(Protocol):
    """Shows cards at places. Every call is bounded in time and raises only `SendFailed`."""

    async def show(
        self,
        places: Sequence[Place],
        track_id: str,
        card: Card,
        *,
        own: Mapping[str, Card] = NOBODYS,
        called: Mapping[str, str] = NOBODY_CALLED,
    ) -> tuple[Place, ...]:
        """Create one card at all these places, and return the places that it did not reach.

        A repeated ``track_id`` neither creates a second card nor changes the first. ``own`` is what single people see
        instead, by userId; those ``called`` are mentioned (@) in a group. Raises `SendFailed` if it reached no place.
        """
        ...

    async def change(self, track_id: str, card: Card, made_as: str, own: Mapping[str, Card] = NOBODYS) -> None:
        """Replace the content of an existing card.

        ``made_as`` is the card name it was created with, ``own`` what single people see instead, by userId.
        """
        ...

    async def write(self, place: Place, card: Card) -> None:
        """Send the card's text twin as a plain message. It has no id: two calls are two messages."""
        ...

    async def ding(self, place: Place, card: Card, way: DingWay) -> None:
        """Call a person in this way with the card's title. It has no id: two calls ring twice."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkerRequest:
    """The wanted state of a marker, and what is known of the existing one.

    ``track_id`` is constant for a marker. ``standing`` is the keeper's last result, and ``doubtful`` tells that a later
    attempt may have created it.
    """

    place: Place
    track_id: str
    card: Card
    marker: Marker
    standing: str = ""
    doubtful: bool = False


class MarkerKeeper(Protocol):
    """Creates and removes markers of one format."""

    async def keep(self, asked: MarkerRequest) -> str:
        """Create, update or remove the marker as requested, and return what exists now; empty for nothing.

        A repeat creates no second one and costs nothing. Bounded in time; raises only `SendFailed`.
        """
        ...


class UnbilledWriter(Protocol):
    """Writes to places without spending a call of the month, if possible."""

    async def write(self, place: Place, card: Card) -> bool:
        """Send the card's text twin; False if there is currently no way. Raises only `SendFailed`."""
        ...


LEASE = timedelta(seconds=90)
"""How long a row belongs to the worker that claimed it: longer than any delivery, so that no two send a card."""


@dataclass(frozen=True, slots=True)
class FoldBatch:
    """Rows to be replaced by a digest."""

    fold: FoldKey
    rows: tuple[OutboxRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedRows:
    """Rows that belong to this worker alone until they are settled or their lease ends."""

    rows: tuple[OutboxRow, ...] = ()
    foldings: tuple[FoldBatch, ...] = ()
    look_at: datetime | None = None
    """When the next known row is due; None: there is none."""


class OutboxStore(Protocol):
    """Each call is one transaction and raises `bot.store.errors.StoreUnavailable` if nothing was stored."""

    async def enqueue(self, *deliveries: Delivery, now: datetime) -> None:
        """Queue the newest state of cards."""
        ...

    async def claim(
        self, worker: str, limits: SendLimits, *, room: int, sparing: bool, now: datetime, reserved: bool = False
    ) -> ClaimedRows:
        """Claim up to ``room`` rows that are due and within the budgets, and all that have to be folded."""
        ...

    async def hasten(self, place: Place, now: datetime) -> None:
        """Make the urgent unseen cards of a place due now."""
        ...

    async def hasten_failed(self, troubles: Collection[SendFailureKind], now: datetime, *, first: bool = False) -> None:
        """Make rows that failed in these ways due now; optionally only the ``first``, most urgent and oldest."""
        ...

    async def settle(self, worker: str, row: OutboxRow, result: DeliveryResult, now: datetime) -> bool:
        """Store a row's result; False if the lease had ended and the row belongs to another worker."""
        ...

    async def settle_fold(self, worker: str, rows: Sequence[OutboxRow], result: DeliveryResult, now: datetime) -> None:
        """Store the result of a fold batch."""
        ...

    async def release(self, worker: str, now: datetime) -> int:
        """Give back the rows that a worker still holds; return how many."""
        ...

    async def recover(self, now: datetime) -> int:
        """Free the rows of a dead process, if there certainly is no other one; return how many."""
        ...

    async def prune(self, before: datetime) -> None:
        """Delete settled rows, and steps, from before that time."""
        ...

    async def waiting(self) -> int:
        """Return the number of queued rows."""
        ...


class ReceiverBacklog(Protocol):
    """The events that are owed to programs. Each call is one transaction and raises a `DingerpError` without one."""

    async def claim_first(self, worker: str, place: Place, *, room: int, now: datetime) -> Sequence[OutboxRow]:
        """Claim up to ``room`` events for a receiver, each the first of its subject that waits, the oldest first."""
        ...

    async def free(self, place: Place) -> None:
        """Free the events that a dead process held for a receiver, if there certainly is no other one."""
        ...

    async def give_up(self, place: Place, before: datetime, now: datetime, reason: str) -> int:
        """End the deliveries of events from before that time; return how many."""
        ...

    async def settle(self, worker: str, row: OutboxRow, result: DeliveryResult, now: datetime) -> bool:
        """Store an event's result; False if the lease had ended and it belongs to another worker."""
        ...

    async def release(self, worker: str, now: datetime) -> int:
        """Give back the events that a worker still holds; return how many."""
        ...


class DeliveryDesk(Protocol):
    """Looks into the outbox for people, and begins dead deliveries anew. Raises a `DingerpError` when it is away."""

    async def search(
        self, *, card: str = "", state: DeliveryState | None = None, limit: int = 50
    ) -> Sequence[DeliveryRecord]:
        """Return the deliveries that match, the last changed first."""
        ...

    async def steps_of(self, card: str) -> Sequence[DeliveryStep]:
        """Return the steps of one card, oldest first."""
        ...

    async def caused_by(self, fact: str) -> Sequence[str]:
        """Return the cards that were queued for an event (``source/id``)."""
        ...

    async def replay(self, now: datetime, cards: Collection[str] | None = None) -> Sequence[str]:
        """Queue dead deliveries again, all or only ``cards``, and return the cards of those that were dead."""
        ...
