"""The reference company: the records that fake ERPs serve and that the contract compares every adapter with.

It is vendor-neutral: domain objects, people, and the rules by which purchase orders are decided. Fakes render its
records as their vendor would and translate its refusals; tests change it under the adapter's feet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeVar

from bot.erp import kinds
from bot.erp.kinds import KINDS, D, Kind, kind_followed
from bot.erp.model import (
    Area,
    ErpRecord,
    Followed,
    Invoice,
    Money,
    Product,
    ProductionOrder,
    PurchaseOrder,
    ReviewState,
    SalesOrder,
    StockLevel,
    Verdict,
)
from bot.kit.testing import reference_goods as goods
from bot.kit.testing import reference_partners as partners
from bot.kit.testing import reference_records as records
from bot.kit.testing import reference_reviews as reviews
from bot.kit.testing.reference_quotations import quotations
from bot.kit.testing.reference_records import CompanyUser, Numbering

TODAY = date(2026, 11, 24)
NOW = datetime(2026, 11, 24, 2, 30, tzinfo=UTC)
"""Morning in Shanghai and night in London, on the same day."""

Record = Product | StockLevel | SalesOrder | Invoice | PurchaseOrder | ProductionOrder
R = TypeVar("R", bound=Record)


class Clock:
    """A clock that stands still until it is moved; ``sleep`` moves it and remembers how far."""

    def __init__(self, at: datetime = NOW) -> None:
        self._at = at
        self._start = at
        self.slept: list[float] = []

    def now(self) -> datetime:
        """Return the time, in UTC."""
        return self._at

    def monotonic(self) -> float:
        """Return the seconds since the clock was made."""
        return (self._at - self._start).total_seconds()

    def advance(self, seconds: float) -> None:
        """Move the clock forward."""
        self._at += timedelta(seconds=seconds)

    async def sleep(self, seconds: float) -> None:
        """Move the clock forward instead of waiting."""
        self.slept.append(seconds)
        self.advance(seconds)


class CompanyRefusal(Exception):
    """The company's own rules say no; a fake ERP answers in its vendor's words."""


class OrderNotFound(CompanyRefusal):
    """There is no document of this number."""


class OrderNotWaiting(CompanyRefusal):
    """The document is not waiting for anybody."""


class DecisionNotAllowed(CompanyRefusal):
    """This person may not decide this document now."""


def plain_number(kind: str, count: int) -> str:
    """Number documents as ``SO-1001``."""
    return f"{kind}-{count}"


class ReferenceCompany:
    """About thirty products and a hundred documents by code and number; every change calls the watchers of ``watch``.

    ``number`` spells document numbers as a vendor does, if it cannot have the company's. Of the ``reviewed`` kinds the
    ERP tells the approval, as it always does of purchase orders, and some documents more wait for it.
    """

    def __init__(
        self,
        today: date = TODAY,
        *,
        number: Numbering = plain_number,
        now: Callable[[], datetime] = lambda: NOW,
        reviewed: tuple[Kind[Any], ...] = (),
    ) -> None:
        self.today = today
        self.number = number
        self.users: tuple[CompanyUser, ...] = records.USERS
        self.warehouses: dict[str, str] = dict(records.WAREHOUSES)
        first = _first_records(today, number, reviewed)
        self.products = dict(first.products)
        self.stock = dict(first.stock)
        self._documents: dict[Kind[Any], dict[str, Any]] = {
            kind: dict(known) for kind, known in first.documents.items()
        }
        self.orders = self.documents(kinds.SALES_ORDERS)
        self.invoices = self.documents(kinds.INVOICES)
        self.purchases = self.documents(kinds.PURCHASE_ORDERS)
        self.productions = self.documents(kinds.PRODUCTION_ORDERS)
        self.deliveries = self.documents(kinds.DELIVERIES)
        self.receipts = self.documents(kinds.RECEIPTS)
        self.customers = self.documents(kinds.CUSTOMERS)
        self.vendors = self.documents(kinds.VENDORS)
        self.bills = self.documents(kinds.BILLS)
        self.payments = self.documents(kinds.PAYMENTS)
        self.list_prices = goods.list_prices(self.products.values())
        self.components = goods.components(self.products.values())
        self.supplies = goods.supplies()
        self.product_changes = dict(zip(self.products, records.change_times(today - timedelta(days=30)), strict=False))
        self._now = now
        self._watchers: list[Callable[[Followed, str], None]] = []

    def watch(self, watcher: Callable[[Followed, str], None]) -> None:
        """Call ``watcher`` with area and key after every change: for installations that keep a copy, such as tables."""
        self._watchers.append(watcher)

    def documents(self, kind: Kind[D]) -> dict[str, D]:
        """Return the documents of a kind by number, as they are kept."""
        return self._documents[kind]

    def records(self, followed: Followed) -> dict[str, Any]:
        """Return the records whose changes an area or a feed tells, by SKU or number, as they are kept."""
        kept: dict[Followed, dict[str, Any]] = {Area.PRODUCTS: self.products, Area.STOCK: self.stock}
        return kept[followed] if followed in kept else self.documents(kind_followed(followed))

    def changed_at(self, area: Area, key: str) -> datetime:
        """Return when a record was last changed."""
        match area:
            case Area.PRODUCTS:
                return self.product_changes[key]
            case Area.STOCK:
                return self.stock[key].as_of
            case _:
                at: datetime | None = self.records(area)[key].changed_at
                assert at is not None
                return at

    def find(self, records: dict[str, R], key: str) -> R | None:
        """Return a record by its key without regard to case, as ERPs compare codes and numbers."""
        wanted = key.casefold()
        return next((record for known, record in records.items() if known.casefold() == wanted), None)

    # Changes

    def touch(self, area: Area, key: str, at: datetime | None = None) -> datetime:
        """Mark a record as changed at ``at`` (default: now) without changing it otherwise; returns the time."""
        at = at or self._now()
        if area is Area.PRODUCTS:
            self.product_changes[key] = at
        elif area is Area.STOCK:
            self.stock[key] = replace(self.stock[key], as_of=at)
        else:
            self._put(area, key, changed_at=at)
            return at
        self._tell(area, key)
        return at

    def set_total(
        self,
        number: str,
        total: Decimal,
        *,
        kind: Kind[Any] = kinds.PURCHASE_ORDERS,
        at: datetime | None = None,
        by: str = "dora",
    ) -> Any:
        """Let ``by`` change what a document comes to (its first line bears the difference); ``at`` as in `touch`."""
        document: Any = self.documents(kind)[number]
        money = Money(total, document.total.currency)
        changed = {"open_amount": money} if kind.is_owed else {"lines": _bearing(document, total)}
        return self._edit(kind, replace(document, total=money, **changed), by, at)

    def set_stock(self, level: StockLevel) -> None:
        """Replace a product's stock."""
        self.stock[level.product.sku] = level
        self._tell(Area.STOCK, level.product.sku)

    def cancel(self, number: str, *, kind: Kind[Any] = kinds.PURCHASE_ORDERS) -> Any:
        """Let its requester cancel a document."""
        document: Any = self.documents(kind)[number]
        by = document.review.requester
        return self._edit(kind, document, by, state=ReviewState.CANCELLED, approval=None)

    def decide(
        self, number: str, verdict: Verdict, by: str, reason: str = "", *, kind: Kind[Any] = kinds.PURCHASE_ORDERS
    ) -> Any:
        """Decide a waiting document at its present level, once; raises a `CompanyRefusal`.

        Nobody decides their own request or two levels of one document. Approving level 1 of 2 leaves it waiting.
        """
        document: Any = self.find(self.documents(kind), number)
        if document is None:
            raise OrderNotFound(number)
        approval = document.review.approval
        if not document.review.waits or approval is None:
            raise OrderNotWaiting(number)
        if by not in approval.pending_for:
            raise DecisionNotAllowed(by)
        decided = replace(approval, pending_for=(), decided_by=by, decided_at=self._now(), reason=reason)
        if verdict is Verdict.REJECT:
            return self._edit(kind, document, by, state=ReviewState.REJECTED, approval=decided)
        if approval.level < approval.levels:
            higher = approval.level + 1
            waiting = replace(decided, level=higher, pending_for=records.deciders(higher, but=by))
            return self._edit(kind, document, by, approval=waiting)
        return self._edit(kind, document, by, state=ReviewState.APPROVED, approval=decided)

    def may_decide(self, number: str, by: str) -> bool:
        """Whether a person could decide this purchase order now."""
        order = self.find(self.purchases, number)
        return order is not None and by in order.review.progress.pending_for

    def _edit(self, kind: Kind[Any], document: Any, by: str, at: datetime | None = None, **said: Any) -> Any:
        """Keep a document as it is given, in a new version, with a review that says what is told."""
        review = replace(document.review, version=str(int(document.review.version) + 1), changed_by=by, **said)
        status = reviews.status_in(kind, review.state)
        kept = replace(document, review=review, changed_at=at or self._now(), **status)
        self.documents(kind)[document.number] = kept
        self._tell(kind.followed, document.number)
        return kept

    def _put(self, area: Area, key: str, **fields: Any) -> None:
        kept = self.records(area)
        kept[key] = replace(kept[key], **fields)
        self._tell(area, key)

    def _tell(self, area: Followed, key: str) -> None:
        for watcher in self._watchers:
            watcher(area, key)


def _bearing(document: Any, total: Decimal) -> tuple[Any, ...]:
    """Return the lines of a document that comes to ``total``, of which the first bears the difference."""
    first, *others = document.lines
    amount = Money(first.amount.amount + total - document.total.amount, document.total.currency)
    return replace(first, quantity=Decimal(1), price=amount, amount=amount), *others


@dataclass(frozen=True, slots=True)
class _FirstRecords:
    """What a company has before anything happens."""

    products: Mapping[str, Product]
    stock: Mapping[str, StockLevel]
    documents: Mapping[Kind[Any], Mapping[str, ErpRecord]]


# Every case of a contract has a company of its own; records are immutable, so companies share them.
@lru_cache(maxsize=32)
def _first_records(today: date, number: Numbering, reviewed: tuple[Kind[Any], ...]) -> _FirstRecords:
    sold = list(records.sales_orders(today, number))
    bought = list(records.purchase_orders(today, number))
    documents: dict[Kind[Any], Iterable[ErpRecord]] = {
        kinds.SALES_ORDERS: sold,
        kinds.INVOICES: records.invoices(today, number),
        kinds.PURCHASE_ORDERS: bought,
        kinds.PRODUCTION_ORDERS: records.production_orders(today, number),
        kinds.DELIVERIES: goods.deliveries(today, sold, number),
        kinds.RECEIPTS: goods.receipts(today, bought, number),
        kinds.CUSTOMERS: partners.customers(today),
        kinds.VENDORS: partners.vendors(today),
        kinds.BILLS: partners.bills(today, number),
        kinds.PAYMENTS: partners.payments(today, number),
        kinds.QUOTATIONS: quotations(today, sold, number),
    }
    for kind in reviewed:
        documents[kind] = reviews.reviewed(kind, documents[kind], today, number)
    return _FirstRecords(
        {product.sku: product for product in records.products()},
        {level.product.sku: level for level in records.stock_levels(today)},
        {kind: {document.number: document for document in known} for kind, known in documents.items()},
    )


def snapshot_of(company: ReferenceCompany) -> list[Any]:
    """Return copies of a company's tables. They share their records, so a comparison is quick."""
    kept: list[dict[str, Any]] = [company.products, company.stock, *(company.documents(kind) for kind in KINDS)]
    return [*(list(each.values()) for each in kept), dict(company.product_changes), dict(company.warehouses)]


def keys_by_change_time(company: ReferenceCompany, area: Area, keys: Iterable[str] | None = None) -> list[str]:
    """Return keys of an area, least recently changed first, equal times by key."""
    known = company.records(area) if keys is None else keys
    return sorted(known, key=lambda key: (company.changed_at(area, key), key))
