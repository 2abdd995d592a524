"""The port that every adapter implements. A *source* is one configured ERP instance.

All calls may raise the classes of `bot.erp.errors` and nothing else. Reads may be repeated freely; `Erp.decide` acts
once.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol, runtime_checkable

from bot.erp.model import (
    Area,
    Bill,
    Changes,
    Customer,
    Decision,
    DecisionResult,
    ErpRecord,
    ErpUser,
    Feed,
    Followed,
    Invoice,
    Payment,
    Product,
    ProductionOrder,
    PurchaseOrder,
    SalesOrder,
    Slice,
    StockLevel,
    Supplier,
)


class Capability(StrEnum):
    """Something that an ERP may support (docs: platform/erp/general.md#capabilities)."""

    STOCK = "stock"
    STOCK_PER_WAREHOUSE = "stock_per_warehouse"
    RESERVED_AND_INCOMING = "reserved_and_incoming"
    REORDER_POINT = "reorder_point"
    LOTS = "lots"
    SALES_ORDERS = "sales_orders"
    INVOICES = "invoices"
    PURCHASE_ORDERS = "purchase_orders"
    PRODUCTION_ORDERS = "production_orders"
    CUSTOMERS = "customers"
    VENDORS = "vendors"
    BILLS = "bills"
    PAYMENTS = "payments"
    APPROVE = "approve"
    REJECT = "reject"
    VERSION_CHECK = "version_check"
    CHANGED_SINCE = "changed_since"
    PRODUCT_DETAILS = "product_details"
    PRICES = "prices"
    ARRIVALS = "arrivals"
    DELIVERIES = "deliveries"
    RECEIPTS = "receipts"
    SHORTAGES = "shortages"
    WAREHOUSE_STOCK = "warehouse_stock"
    FINISHED_DAYS = "finished_days"
    ORDERS_OF_PRODUCT = "orders_of_product"
    PURCHASES_OF_PRODUCT = "purchases_of_product"


GOODS = frozenset(
    {
        Capability.PRODUCT_DETAILS,
        Capability.PRICES,
        Capability.ARRIVALS,
        Capability.DELIVERIES,
        Capability.RECEIPTS,
        Capability.SHORTAGES,
        Capability.WAREHOUSE_STOCK,
    }
)
"""What an adapter may offer about goods (`bot.erp.goods_port`)."""


BY_PRODUCT = frozenset({Capability.ORDERS_OF_PRODUCT, Capability.PURCHASES_OF_PRODUCT})
"""What lists the documents that have a line of one product (`ListQuery.product`)."""

PARTNER_READS = frozenset({Capability.CUSTOMERS, Capability.VENDORS, Capability.BILLS, Capability.PAYMENTS})
"""What concerns customers and vendors themselves, and what is paid to and by them."""


class Filter(StrEnum):
    """The named lists of documents."""

    ALL = "all"
    OPEN = "open"
    """Orders with goods still to come or to be made, invoices and bills that are not settled."""
    DONE = "done"
    """Production that is finished; such a list is dated by the day on which it was."""
    LATE = "late"
    OVERDUE = "overdue"
    PENDING = "pending"
    RECEIVED = "received"
    SPENT = "spent"


NEWEST_FIRST = frozenset({Filter.ALL, Filter.DONE, Filter.RECEIVED, Filter.SPENT})
"""The lists in which nothing is urgent."""
UNCHANGING = frozenset({Filter.OPEN, Filter.DONE, Filter.RECEIVED, Filter.SPENT})
"""The lists whose documents are told by themselves, whatever the day."""


@dataclass(frozen=True, slots=True)
class Period:
    """Days from ``first`` to ``last``, both included."""

    first: date
    last: date

    def holds(self, day: date | None) -> bool:
        """Return whether a day lies in the period; a missing day lies in none."""
        return day is not None and self.first <= day <= self.last

    def months_earlier(self, months: int) -> Period:
        """Return the same days of so many months earlier, up to the end of a shorter month; whole months stay whole."""
        first, end = _months_before(self.first, months), _months_before(self.last, months)
        is_whole = self.first.day == 1 and self.last.day == monthrange(self.last.year, self.last.month)[1]
        return Period(first, end.replace(day=monthrange(end.year, end.month)[1]) if is_whole else end)


def _months_before(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


@dataclass(frozen=True, slots=True, kw_only=True)
class ListQuery:
    """A request for part of a list of documents.

    ``text`` matches part of a number or of a partner's or product's name, ignoring case; ``partner`` is the whole name
    of one partner, ignoring case. ``product`` is the exact code of a product, ignoring case: the list holds documents
    with a line of it, once each, and may tell these lines and no others; `bot.erp.listing.Listing.by_product` says what
    offers that. ``during`` keeps documents of these days, with `Filter.DONE` those that were finished then, ``due``
    those that are due then (`bot.erp.listing.Listing`). The order is: most days late first for `Filter.LATE` and
    `Filter.OVERDUE`, due first for `Filter.OPEN`; oldest first for `Filter.PENDING`; otherwise newest first. Ties are
    ordered by number, so that pages neither overlap nor miss anything.
    """

    filter: Filter = Filter.ALL
    text: str = ""
    partner: str = ""
    product: str = ""
    during: Period | None = None
    due: Period | None = None
    offset: int = 0
    limit: int = 20


class Erp(Protocol):
    """One ERP of any vendor. Codes and numbers are compared ignoring case."""

    name: str
    """The source's name in the configuration."""
    capabilities: frozenset[Capability]

    async def find_products(self, text: str, *, limit: int) -> tuple[Product, ...]:
        """Return products whose code, name, spec or barcode contains ``text``, best match first; may be empty."""
        ...

    async def stock(self, sku: str) -> StockLevel:
        """Return one product's stock; raises `NotFound`."""
        ...

    async def order(self, number: str) -> SalesOrder:
        """Return one sales order with its lines; raises `NotFound`."""
        ...

    async def orders(self, query: ListQuery) -> Slice[SalesOrder]:
        """Return sales orders without lines, but for `ListQuery.product`; supports `Filter.OPEN` and `Filter.LATE`."""
        ...

    async def invoice(self, number: str) -> Invoice:
        """Return one customer invoice; raises `NotFound`."""
        ...

    async def invoices(self, query: ListQuery) -> Slice[Invoice]:
        """Return customer invoices; supports `Filter.OPEN` and `Filter.OVERDUE`."""
        ...

    async def purchase_order(self, number: str) -> PurchaseOrder:
        """Return one purchase order with its lines; raises `NotFound`."""
        ...

    async def purchase_orders(self, query: ListQuery) -> Slice[PurchaseOrder]:
        """Return purchase orders without lines, but for `ListQuery.product`.

        Supports `Filter.OPEN`, `Filter.LATE` and `Filter.PENDING`.
        """
        ...

    async def production_order(self, number: str) -> ProductionOrder:
        """Return one production order; raises `NotFound`."""
        ...

    async def production_orders(self, query: ListQuery) -> Slice[ProductionOrder]:
        """Return production orders; supports `Filter.OPEN`, `Filter.LATE` and `Filter.DONE`.

        What was finished on some days is `Unsupported` where the ERP does not offer `Capability.FINISHED_DAYS`.
        """
        ...

    async def customer(self, code: str) -> Customer:
        """Return one customer, disabled ones included; raises `NotFound`."""
        ...

    async def customers(self, query: ListQuery) -> Slice[Customer]:
        """Return active customers, by their codes."""
        ...

    async def vendor(self, code: str) -> Supplier:
        """Return one vendor, disabled ones included; raises `NotFound`."""
        ...

    async def vendors(self, query: ListQuery) -> Slice[Supplier]:
        """Return active vendors, by their codes."""
        ...

    async def bill(self, number: str) -> Bill:
        """Return one invoice by a vendor; raises `NotFound`."""
        ...

    async def bills(self, query: ListQuery) -> Slice[Bill]:
        """Return invoices by vendors; supports `Filter.OPEN` and `Filter.OVERDUE`."""
        ...

    async def payment(self, number: str) -> Payment:
        """Return one receipt or payment with what it settles; raises `NotFound`."""
        ...

    async def payments(self, query: ListQuery) -> Slice[Payment]:
        """Return receipts and payments without what they settle; supports `Filter.RECEIVED` and `Filter.SPENT`."""
        ...

    async def decide(self, decision: Decision) -> DecisionResult:
        """Approve or reject one revision of a purchase order, once, and read it again.

        Raises `Unavailable` only if nothing was written; a timeout of the write is `DecisionOutcome.UNKNOWN`.
        """
        ...

    async def changed_since(self, area: Area, cursor: str, *, limit: int) -> Changes:
        """Return the next changes after ``cursor`` (empty: from the beginning), oldest first."""
        ...

    async def check(self) -> None:
        """Connect to the ERP and log in; raises the errors that a read would raise."""
        ...

    async def close(self) -> None:
        """Close connections."""
        ...


@runtime_checkable
class ProductBatches(Protocol):
    """What an adapter may offer besides the port, so that an index of all products costs few calls."""

    async def read_products(self, skus: Sequence[str]) -> tuple[Product, ...]:
        """Return the products with these codes, each as `Erp.changed_since` spells it.

        A product that is not returned has been deleted, archived or disabled.
        """
        ...


@runtime_checkable
class ErpUsers(Protocol):
    """What an adapter may offer besides the port, so that people's accounts are found by what both sides know."""

    async def users(self) -> tuple[ErpUser, ...]:
        """Return the accounts of people, without those of programs such as the bot's own."""
        ...


@runtime_checkable
class FeedReader(Protocol):
    """What an adapter may offer besides the port, so that bills, payments and deliveries are kept as well."""

    @property
    def feeds(self) -> frozenset[Feed]:
        """Return those whose changes it tells."""
        ...

    async def changed_since(self, area: Followed, cursor: str, *, limit: int) -> Changes:
        """Return the next changes as `Erp.changed_since` does, of feeds as well."""
        ...


@runtime_checkable
class DocumentBatches(Protocol):
    """What an adapter may offer besides the port, so that keeping all documents with their lines costs few calls."""

    async def read_documents(self, area: Followed, numbers: Sequence[str]) -> tuple[ErpRecord, ...]:
        """Return the documents with these numbers, each with its lines, of an area or of a feed that it tells.

        Numbers are as the adapter's own lists and changes spell them; a document that is not returned is gone.
        Raises `Unsupported` for a kind of document that the adapter does not read.
        """
        ...
