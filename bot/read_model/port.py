"""What is kept of documents, how far a source has been followed, and where both are kept."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol, TypeAlias, TypeVar

from bot.erp.model import (
    Area,
    Invoice,
    InvoiceStatus,
    OrderLine,
    OrderStatus,
    ProductionOrder,
    ProductionStatus,
    Progress,
    PurchaseLine,
    PurchaseOrder,
    PurchaseStatus,
    SalesOrder,
)

T = TypeVar("T")

VERSION = 1
"""Version of the format in which documents are kept; those of another version are read anew."""

Document: TypeAlias = SalesOrder | Invoice | PurchaseOrder | ProductionOrder
DocumentLine: TypeAlias = OrderLine | PurchaseLine

AREAS: Mapping[type, Area] = {
    SalesOrder: Area.SALES,
    Invoice: Area.FINANCE,
    PurchaseOrder: Area.PURCHASING,
    ProductionOrder: Area.PRODUCTION,
}
"""The kinds of documents that are kept."""

_OPEN: frozenset[OrderStatus | InvoiceStatus | PurchaseStatus | ProductionStatus] = frozenset(
    {
        OrderStatus.DRAFT,
        OrderStatus.OPEN,
        OrderStatus.ON_HOLD,
        OrderStatus.PARTLY_DELIVERED,
        InvoiceStatus.DRAFT,
        InvoiceStatus.UNPAID,
        InvoiceStatus.PART_PAID,
        PurchaseStatus.DRAFT,
        PurchaseStatus.WAITING,
        PurchaseStatus.APPROVED,
        ProductionStatus.PLANNED,
        ProductionStatus.RELEASED,
        ProductionStatus.RUNNING,
        ProductionStatus.ON_HOLD,
    }
)


def is_open(document: Document) -> bool:
    """Return whether something is still to come of a document: goods, money, or a decision."""
    if isinstance(document, PurchaseOrder) and document.received is Progress.FULL:
        return document.status in {PurchaseStatus.DRAFT, PurchaseStatus.WAITING}
    return document.status in _OPEN


def day_of(document: Document) -> date | None:
    """Return the day that a document counts for: ordered, issued, or for production due."""
    match document:
        case Invoice():
            return document.issued_on
        case ProductionOrder():
            return document.due_on or document.start_on
    return document.ordered_on


def partner_of(document: Document) -> str:
    """Return the customer's or vendor's name; production has none."""
    match document:
        case PurchaseOrder():
            return document.vendor
        case ProductionOrder():
            return ""
    return document.customer


@dataclass(frozen=True, slots=True)
class DocumentWithLine:
    """A line of an order with its order, whose own ``lines`` are empty; a production order is its own line."""

    document: Document
    line: DocumentLine | None


@dataclass(frozen=True, slots=True)
class Partner:
    """A customer or vendor, as the newest document of an area names it."""

    area: Area
    source: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedArea:
    """How far one kind of document of a source has been followed.

    ``cursor`` is where the feed of changes goes on; ``followed``: it has been at the feed's end. A *walk* reads the
    lists from the newest document on, and what it does not come upon is gone; ``place`` is where it goes on,
    ``began_at`` when it began. ``complete_since`` is the day from which on all documents are kept, None before the
    first walk's end; ``synced_at``: up to when all changes are known. ``trouble``: the class of the error that the last
    attempt ended with.
    """

    source: str
    area: Area
    cursor: str = ""
    followed: bool = False
    walk: int = 1
    walking: bool = True
    place: str = ""
    began_at: datetime | None = None
    walked_at: datetime | None = None
    complete_since: date | None = None
    synced_at: datetime | None = None
    trouble: str = ""
    version: int = VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentSelection:
    """Which documents are wanted: all that fit every condition that is given; days include both ends.

    Without ``since`` and ``until`` documents without a day fit, too. ``partner`` is a folded name.
    """

    area: Area
    sources: frozenset[str]
    since: date | None = None
    until: date | None = None
    open_only: bool = False
    partner: str = ""


class DocumentStore(Protocol):
    """Keeps documents. Every call is one transaction; all raise a `DingerpError` when the store does not answer.

    What reads many documents takes a ``work`` that is done with them outside the event loop.
    """

    async def positions(self) -> Mapping[tuple[str, Area], FollowedArea]:
        """Return how far each area of each source has been followed."""
        ...

    async def advance(
        self,
        before: FollowedArea | None,
        after: FollowedArea,
        *,
        documents: Sequence[Document] = (),
        with_lines: bool = False,
        gone: Collection[str] = (),
        anew: bool = False,
    ) -> bool:
        """Keep documents, drop those with the numbers ``gone``, and move on from ``before``, all at once or not at all.

        ``with_lines``: the documents have all their lines; otherwise the lines that are kept stay. ``anew``: all other
        documents of the area are dropped. Returns False, with nothing stored, when another process has moved on from
        ``before`` meanwhile.
        """
        ...

    async def unseen(self, position: FollowedArea, limit: int) -> Sequence[str]:
        """Return numbers of documents that the current walk has not come upon."""
        ...

    async def without_lines(self, source: str, area: Area, limit: int) -> Sequence[str]:
        """Return numbers of open documents whose lines have not been read."""
        ...

    async def forget(self, source: str, area: Area, before: date) -> None:
        """Drop documents that are over and of an earlier day."""
        ...

    async def keep_only(self, sources: Collection[str]) -> None:
        """Drop all that belongs to other sources."""
        ...

    async def count(self, source: str) -> int:
        """Return how many documents of a source are kept."""
        ...

    async def documents(self, wanted: DocumentSelection, work: Callable[[Iterator[Document]], T]) -> T:
        """Return what ``work`` makes of documents without lines, the newest first."""
        ...

    async def lines_of(self, sku: str, wanted: DocumentSelection, work: Callable[[Iterator[DocumentWithLine]], T]) -> T:
        """Return what ``work`` makes of the lines of one product (its folded code), the newest documents first."""
        ...

    async def partners(self, areas: Iterable[Area], sources: Collection[str]) -> Sequence[Partner]:
        """Return all customers and vendors, in the order of their names."""
        ...
