"""What is kept of documents, and how far a source has been followed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeAlias

from bot.erp.goods import GoodsDelivery
from bot.erp.model import (
    Area,
    Bill,
    Feed,
    Followed,
    Invoice,
    InvoiceStatus,
    OrderLine,
    OrderStatus,
    Payment,
    ProductionOrder,
    ProductionStatus,
    Progress,
    PurchaseLine,
    PurchaseOrder,
    PurchaseStatus,
    SalesOrder,
)

VERSION = 2
"""Version of the stored format; documents in another version are read again from the ERP."""

Document: TypeAlias = SalesOrder | Invoice | PurchaseOrder | ProductionOrder | Bill | Payment | GoodsDelivery
DocumentLine: TypeAlias = OrderLine | PurchaseLine

AREAS: Mapping[type, Followed] = {
    SalesOrder: Area.SALES,
    Invoice: Area.FINANCE,
    PurchaseOrder: Area.PURCHASING,
    ProductionOrder: Area.PRODUCTION,
    Bill: Feed.BILLS,
    Payment: Feed.PAYMENTS,
    GoodsDelivery: Feed.DELIVERIES,
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
    """Return whether a document still waits for something: goods, money, or a decision."""
    if isinstance(document, PurchaseOrder) and document.received is Progress.FULL:
        return document.status in {PurchaseStatus.DRAFT, PurchaseStatus.WAITING}
    match document:
        case Payment():
            return False
        case GoodsDelivery():
            return document.is_open
    return document.status in _OPEN


def day_of(document: Document) -> date | None:
    """Return the day that a document counts for: ordered, issued, paid, left or for production due."""
    match document:
        case Invoice() | Bill():
            return document.issued_on
        case Payment():
            return document.paid_on
        case GoodsDelivery():
            return document.day
        case ProductionOrder():
            return document.due_on or document.start_on
    return document.ordered_on


def partner_of(document: Document) -> str:
    """Return the customer's or vendor's name; production has none."""
    match document:
        case PurchaseOrder() | Bill():
            return document.vendor
        case Payment():
            return document.partner
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

    area: Followed
    source: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedArea:
    """How far one kind of document of a source has been followed.

    ``cursor`` is where the feed of changes continues; ``followed``: its end was reached. A *walk* reads the lists from
    the newest document on, and documents that it does not meet are gone; ``place`` is where it continues, ``began_at``
    when it began. ``complete_since`` is the day from which on all documents are kept, None before the
    first walk's end; ``synced_at``: up to when all changes are known. ``trouble``: the class of the error that the last
    attempt ended with.
    """

    source: str
    area: Followed
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
    """Selects the documents that fit every given condition; days include both ends.

    Without ``since`` and ``until``, documents without a day fit too. ``partner`` is a folded name.
    """

    area: Followed
    sources: frozenset[str]
    since: date | None = None
    until: date | None = None
    open_only: bool = False
    partner: str = ""
