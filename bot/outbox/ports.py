"""What the outbox needs of others: who composes cards, who shows them at places, and the store of its rows."""

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
from bot.outbox.delivery import Delivery, DeliveryResult, DingWay, OutboxRow
from bot.outbox.place import Place, PlaceKind
from bot.words.errors import DingerpError

NOBODY_CALLED: Mapping[str, str] = MappingProxyType({})
"""Whom a card calls (@), by userId, with their names: nobody."""


@dataclass(frozen=True, slots=True)
class OwnView:
    """What one person sees on a card instead of what all see."""

    user_id: str
    view: View

    @property
    def place(self) -> Place:
        """The person's own chat, whose language it has where the card names none."""
        return Place(PlaceKind.PERSON, self.user_id)


class MarkerState(StrEnum):
    """Whether a marker still reminds of something."""

    OPEN = "open"
    DONE = "done"
    """What it reminds of was done."""
    GONE = "gone"
    """There is nothing to do any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """What a delivery beside the chats (`bot.outbox.delivery.DeliveryFormat.is_marker`) has to look like.

    ``people`` are whom it reminds, by userId, and ``done`` those of them for whom it is done; ``due_at`` is when it has
    to be done.
    """

    state: MarkerState
    people: tuple[str, ...] = ()
    done: frozenset[str] = frozenset()
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ComposedCard:
    """A card's content now, and its revision; without a ``view`` there is nothing to show any more.

    ``language`` is that of its readers, where it is not the place's; ``own`` is what some of them see instead. A
    ``marker`` has the card's title, and a call (``ding``) says it. ``called`` are whom it calls (@) in its group, by
    userId, with their names. ``too_late``: it is not worth beginning any more, and changed only where it stands.
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
        """Return the newest state of a card; it is asked at the moment of sending."""
        ...

    async def fold(self, refs: Sequence[str], place: str) -> None:
        """Replace cards that were not shown yet by one digest, because budgets do not allow one card for each.

        Must be one transaction: afterwards the digest is queued and the cards are not
        (`bot.store.outbox.queue.withdraw`). A digest that was not shown yet may be among ``refs``: it takes in the
        others. After a crash the same cards may be asked for again.
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
        """Let these places have a card of their own instead of ``card``, which they were to share with others.

        Must be one transaction like `fold`, and may be asked for again.
        """
        ...


@runtime_checkable
class CallingComposer(Composer, Protocol):
    """A composer that knows where else people can be called."""

    async def call_elsewhere(self, ref: str, people: Sequence[Place]) -> None:
        """Call people whom an urgent card did not reach in their own chats, where there is a group to call them in.

        Must be one transaction like `fold`, and may be asked for again: nobody is called twice.
        """
        ...


class SendFailureKind(StrEnum):
    """Why something was not sent: one member for each reaction."""

    BUSY = "busy"
    """DingTalk was busy or not reached and nothing happened; the same call may work soon."""
    UNCOMPOSED = "uncomposed"
    """What the card shows could not be read, as the ERP or the database is away; it may be readable soon."""
    DEFECT = "defect"
    """The bot's own code failed on it: the same again may fail again."""
    UNKNOWN = "unknown"
    """It may have happened. A card may be sent again, because its id never makes a second one; a text may not."""
    LIMITED = "limited"
    """Too fast: a wait, not a failure."""
    SPENT = "spent"
    """The month's calls are used up."""
    SETUP = "setup"
    """Somebody has to correct keys, permissions or the console's settings."""
    NO_CARDS = "no_cards"
    """No card can be created here, and certainly none exists; a plain message may be sent."""
    GONE = "gone"
    """The card that was to be changed does not exist (any more)."""
    HOPELESS = "hopeless"
    """It will never work as it is: somebody has to look into it."""


class SendFailed(DingerpError):
    """The place shows nothing new, or nobody knows whether it does; ``detail`` is the reason for the operator."""

    retry: ClassVar[bool] = True

    def __init__(self, trouble: SendFailureKind, detail: str, *, retry_after: float | None = None) -> None:
        super().__init__(detail, retry_after=retry_after)
        self.trouble = trouble


NOBODYS: Mapping[str, Card] = MappingProxyType({})
"""No cards of single people."""


class Messenger(Protocol):
    """Shows cards at places. Every call is bounded in time and raises nothing but `SendFailed`."""

    async def show(
        self,
        places: Sequence[Place],
        track_id: str,
        card: Card,
        *,
        own: Mapping[str, Card] = NOBODYS,
        called: Mapping[str, str] = NOBODY_CALLED,
    ) -> tuple[Place, ...]:
        """Create one card that is at all these places, and return those where it is not.

        The same ``track_id`` again neither creates a second card nor changes the first. ``own`` is what single people
        see instead, by userId; those ``called`` are called (@) in a group. Raises `SendFailed` when it is nowhere.
        """
        ...

    async def change(self, track_id: str, card: Card, made_as: str, own: Mapping[str, Card] = NOBODYS) -> None:
        """Let an existing card show this content. ``made_as`` is the name of the card that it was created as, ``own``
        what single people see instead, by userId.
        """
        ...

    async def write(self, place: Place, card: Card) -> None:
        """Send the card's text twin as a plain message. It has no id: two calls are two messages."""
        ...

    async def ding(self, place: Place, card: Card, way: DingWay) -> None:
        """Call a person in this way with the card's title. It has no id: two calls are two."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkerRequest:
    """What has to stand, and what is known of what stands.

    ``track_id`` is always the same for the same marker. ``standing`` is what the keeper returned last, and
    ``doubtful`` that a try since then may have made it stand.
    """

    place: Place
    track_id: str
    card: Card
    marker: Marker
    standing: str = ""
    doubtful: bool = False


class MarkerKeeper(Protocol):
    """Lets markers of one format stand and end."""

    async def keep(self, asked: MarkerRequest) -> str:
        """Let it stand as asked, or end, and return what stands now; empty for nothing.

        The same again makes no second one and costs nothing. Bounded in time; raises nothing but `SendFailed`.
        """
        ...


class UnbilledWriter(Protocol):
    """Writes to places without a call of the month, where there is a way."""

    async def write(self, place: Place, card: Card) -> bool:
        """Send the card's text twin; False when there is no way at the moment. Raises nothing but `SendFailed`."""
        ...


LEASE = timedelta(seconds=90)
"""How long a row belongs to the worker that claimed it: longer than a delivery may take, so that no two send a card."""


@dataclass(frozen=True, slots=True)
class FoldBatch:
    """Rows that a digest is to replace."""

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
    """All calls are one transaction each and raise `bot.store.errors.StoreUnavailable` when nothing was stored."""

    async def enqueue(self, *deliveries: Delivery, now: datetime) -> None:
        """Queue the newest state of cards."""
        ...

    async def claim(
        self, worker: str, limits: SendLimits, *, room: int, sparing: bool, now: datetime, reserved: bool = False
    ) -> ClaimedRows:
        """Claim up to ``room`` rows that are due and within the budgets, and all that have to be folded."""
        ...

    async def hasten(self, place: Place, now: datetime) -> None:
        """Let the urgent cards that were never shown at a place be tried again now."""
        ...

    async def hasten_failed(self, troubles: Collection[SendFailureKind], now: datetime, *, first: bool = False) -> None:
        """Let what failed in these ways be tried again now; if wanted only the ``first``, most urgent and oldest."""
        ...

    async def settle(self, worker: str, row: OutboxRow, result: DeliveryResult, now: datetime) -> bool:
        """Store what became of a row; False if the lease had ended and the row belongs to another worker."""
        ...

    async def settle_fold(self, worker: str, rows: Sequence[OutboxRow], result: DeliveryResult, now: datetime) -> None:
        """Store what became of a fold batch."""
        ...

    async def release(self, worker: str, now: datetime) -> int:
        """Give back the rows that a worker still holds; return how many."""
        ...

    async def recover(self, now: datetime) -> int:
        """Free the rows of a dead process, if there certainly is no other one; return how many."""
        ...

    async def prune(self, before: datetime) -> None:
        """Forget settled rows, and steps, from before that time."""
        ...

    async def waiting(self) -> int:
        """Return how many rows are queued."""
        ...
