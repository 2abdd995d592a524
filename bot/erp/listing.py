"""The port's lists computed in memory, for ERPs whose API cannot filter, search or sort as needed.

This module implements the semantics of `bot.erp.port.ListQuery`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, TypeVar

from bot.erp.errors import UnknownFinish, Unsupported
from bot.erp.goods import GoodsDelivery, GoodsReceipt
from bot.erp.model import (
    Area,
    Bill,
    Customer,
    Feed,
    Followed,
    Invoice,
    Payment,
    PaymentDirection,
    Product,
    ProductionOrder,
    ProductionStatus,
    PurchaseOrder,
    PurchaseStatus,
    SalesOrder,
    Slice,
    Supplier,
)
from bot.erp.port import NEWEST_FIRST, Capability, Filter, ListQuery

D = TypeVar(
    "D",
    SalesOrder,
    Invoice,
    PurchaseOrder,
    ProductionOrder,
    Customer,
    Supplier,
    Bill,
    Payment,
    GoodsDelivery,
    GoodsReceipt,
)
R = TypeVar("R")

_FIRST, _LAST = date.min, date.max


def _always(_document: object) -> bool:
    return True


def _no_day(_document: object) -> None:
    return None


@dataclass(frozen=True, slots=True, eq=False)
class Listing(Generic[D]):
    """One kind of document: its area, the capability, the port's calls and the rules of its list.

    ``texts`` are searched, ``partner`` is the name of its customer or vendor, ``day`` orders the list, ``due`` is when
    the document is to be done, ``filters`` maps each filter to its condition and day. ``also`` are other areas that
    some of the documents belong to. What is not ``listed`` is only found by its number.
    """

    area: Area
    capability: Capability
    call: str
    list_call: str
    texts: Callable[[D], tuple[str, ...]]
    day: Callable[[D], date | None]
    due: Callable[[D], date | None]
    filters: Mapping[Filter, tuple[Callable[[D, date], bool], Callable[[D], date | None]]]
    partner: Callable[[D], str] | None = None
    also: tuple[Area, ...] = ()
    listed: Callable[[D], bool] = _always
    feed: Feed | None = None
    """Where its changes are told, unless the kind stands for its area."""
    order_call: str = ""
    """The port's call for all that was moved for one order."""
    by_product: Capability | None = None
    """What an ERP offers that can list those with a line of one product; None where there are no such lists."""

    @property
    def followed(self) -> Followed:
        """What its changes are called."""
        return self.feed or self.area

    @property
    def areas(self) -> tuple[Area, ...]:
        """All areas that such documents belong to."""
        return (self.area, *self.also)

    def pick(self, documents: Iterable[D], query: ListQuery, today: date) -> Slice[D]:
        """Return the part of ``documents`` that ``query`` asks for; raises `Unsupported` for a filter it lacks.

        Documents without a day come last.
        """
        self.check_filter(query.filter)
        found = [document for document in documents if self.listed(document) and self.matches(document, query)]
        if query.filter is not Filter.ALL:
            holds, _ = self.filters[query.filter]
            found = [document for document in found if holds(document, today)]
        found = self.sort(found, query.filter)
        return Slice(items=tuple(found[query.offset : query.offset + query.limit]), total=len(found))

    def sort(self, documents: Iterable[D], wanted: Filter) -> list[D]:
        """Return documents in the order of a list; raises `Unsupported` for a filter that the kind lacks."""
        self.check_filter(wanted)
        ordered = sorted(documents, key=lambda document: document.number)
        if wanted in NEWEST_FIRST:
            own = self.day_in(wanted)
            ordered.sort(key=lambda document: own(document) or _FIRST, reverse=True)
        else:
            _, day = self.filters[wanted]
            ordered.sort(key=lambda document: day(document) or _LAST)
        return ordered

    def read(self, erp: object, number: str) -> Awaitable[D]:
        """Read one document from an ERP."""
        call: Callable[[str], Awaitable[D]] = getattr(erp, self.call)
        return call(number)

    def read_list(self, erp: object, query: ListQuery) -> Awaitable[Slice[D]]:
        """Read part of the list from an ERP."""
        call: Callable[[ListQuery], Awaitable[Slice[D]]] = getattr(erp, self.list_call)
        return call(query)

    def read_of_order(self, erp: object, number: str) -> Awaitable[tuple[D, ...]]:
        """Read from an ERP what was moved for one order."""
        call: Callable[[str], Awaitable[tuple[D, ...]]] = getattr(erp, self.order_call)
        return call(number)

    def check_filter(self, wanted: Filter, *, source: str = "") -> None:
        """Raise `Unsupported` for a filter that this kind of document lacks."""
        if wanted is not Filter.ALL and wanted not in self.filters:
            raise Unsupported(f"no list of {wanted} here", source=source)

    def check_days(self, query: ListQuery, offered: Set[Capability], *, source: str = "") -> None:
        """Raise `UnknownFinish` for the days of what was finished, where the ERP does not tell them."""
        if query.filter is Filter.DONE and query.during and Capability.FINISHED_DAYS not in offered:
            raise UnknownFinish("no days of finishing here", source=source)

    def day_in(self, wanted: Filter) -> Callable[[D], date | None]:
        """Return the day by which a list is dated: of what was done when that was, else the document's own."""
        return self.filters[wanted][1] if wanted in NEWEST_FIRST and wanted in self.filters else self.day

    def matches(self, document: D, query: ListQuery) -> bool:
        """Return whether a document has the text, the partner and the days that a query asks for."""
        folded = query.text.casefold()
        return (
            self.is_of(document, query.partner)
            and self.has_product(document, query.product)
            and (query.during is None or query.during.holds(self.day_in(query.filter)(document)))
            and (query.due is None or query.due.holds(self.due(document)))
            and any(folded in part.casefold() for part in self.texts(document))
        )

    def is_of(self, document: D, partner: str) -> bool:
        """Return whether a document is of exactly this partner; of nobody in particular all are."""
        if not partner:
            return True
        return self.partner is not None and self.partner(document).casefold() == partner.casefold()

    def has_product(self, document: D, product: str) -> bool:
        """Return whether a document, with its lines, has one of exactly this product; of no product all have."""
        return not product or (self.by_product is not None and bool(lines_of_product(document, product)))


def lines_of_product(document: object, product: str) -> tuple[Any, ...]:
    """Return the lines of a document that are of exactly this product."""
    wanted = product.casefold()
    return tuple(line for line in getattr(document, "lines", ()) if line.sku.casefold() == wanted)


SALES_ORDERS: Listing[SalesOrder] = Listing(
    area=Area.SALES,
    capability=Capability.SALES_ORDERS,
    call="order",
    list_call="orders",
    texts=lambda order: (order.number, order.customer),
    day=lambda order: order.ordered_on,
    due=lambda order: order.promised_on,
    filters={
        Filter.OPEN: (lambda order, today: order.is_open, lambda order: order.promised_on),
        Filter.LATE: (lambda order, today: order.days_late(today) > 0, lambda order: order.promised_on),
    },
    partner=lambda order: order.customer,
    by_product=Capability.ORDERS_OF_PRODUCT,
)
INVOICES: Listing[Invoice] = Listing(
    area=Area.FINANCE,
    capability=Capability.INVOICES,
    call="invoice",
    list_call="invoices",
    texts=lambda invoice: (invoice.number, invoice.customer),
    day=lambda invoice: invoice.issued_on,
    due=lambda invoice: invoice.due_on,
    filters={
        Filter.OPEN: (lambda invoice, today: invoice.is_open, lambda invoice: invoice.due_on),
        Filter.OVERDUE: (lambda invoice, today: invoice.days_overdue(today) > 0, lambda invoice: invoice.due_on),
    },
    partner=lambda invoice: invoice.customer,
)
PURCHASE_ORDERS: Listing[PurchaseOrder] = Listing(
    area=Area.PURCHASING,
    capability=Capability.PURCHASE_ORDERS,
    call="purchase_order",
    list_call="purchase_orders",
    texts=lambda order: (order.number, order.vendor),
    day=lambda order: order.ordered_on,
    due=lambda order: order.due_on,
    filters={
        Filter.OPEN: (lambda order, today: order.is_open, lambda order: order.due_on),
        Filter.LATE: (lambda order, today: order.days_late(today) > 0, lambda order: order.due_on),
        Filter.PENDING: (
            lambda order, today: order.status is PurchaseStatus.WAITING,
            lambda order: order.ordered_on,
        ),
    },
    partner=lambda order: order.vendor,
    by_product=Capability.PURCHASES_OF_PRODUCT,
)
PRODUCTION_ORDERS: Listing[ProductionOrder] = Listing(
    area=Area.PRODUCTION,
    capability=Capability.PRODUCTION_ORDERS,
    call="production_order",
    list_call="production_orders",
    texts=lambda order: (order.number, order.sku, order.name),
    day=lambda order: order.start_on,
    due=lambda order: order.due_on,
    filters={
        Filter.OPEN: (lambda order, today: order.is_open, lambda order: order.due_on),
        Filter.LATE: (lambda order, today: order.days_late(today) > 0, lambda order: order.due_on),
        Filter.DONE: (
            lambda order, today: order.status is ProductionStatus.DONE,
            lambda order: order.finished_on,
        ),
    },
)
DELIVERIES: Listing[GoodsDelivery] = Listing(
    area=Area.SALES,
    capability=Capability.DELIVERIES,
    call="delivery",
    list_call="deliveries",
    texts=lambda delivery: (delivery.number, delivery.order_number, delivery.customer),
    day=lambda delivery: delivery.day,
    due=lambda delivery: delivery.planned_on,
    filters={
        Filter.LATE: (lambda delivery, today: delivery.days_late(today) > 0, lambda delivery: delivery.planned_on)
    },
    partner=lambda delivery: delivery.customer,
    feed=Feed.DELIVERIES,
    order_call="deliveries_of",
)
RECEIPTS: Listing[GoodsReceipt] = Listing(
    area=Area.PURCHASING,
    capability=Capability.RECEIPTS,
    call="receipt",
    list_call="receipts",
    texts=lambda receipt: (receipt.number, *receipt.order_numbers, receipt.vendor),
    day=lambda receipt: receipt.day,
    due=_no_day,
    filters={},
    partner=lambda receipt: receipt.vendor,
    order_call="receipts_of",
)

KINDS: tuple[Listing[Any], ...] = (SALES_ORDERS, INVOICES, PURCHASE_ORDERS, PRODUCTION_ORDERS)
"""The kinds that stand for their areas."""

CUSTOMERS: Listing[Customer] = Listing(
    area=Area.SALES,
    capability=Capability.CUSTOMERS,
    call="customer",
    list_call="customers",
    texts=lambda customer: (customer.code, customer.name),
    day=_no_day,
    due=_no_day,
    filters={},
    partner=lambda customer: customer.name,
    listed=lambda customer: customer.is_active,
)
VENDORS: Listing[Supplier] = Listing(
    area=Area.PURCHASING,
    capability=Capability.VENDORS,
    call="vendor",
    list_call="vendors",
    texts=lambda vendor: (vendor.code, vendor.name),
    day=_no_day,
    due=_no_day,
    filters={},
    partner=lambda vendor: vendor.name,
    listed=lambda vendor: vendor.is_active,
)
BILLS: Listing[Bill] = Listing(
    area=Area.PURCHASING,
    capability=Capability.BILLS,
    call="bill",
    list_call="bills",
    texts=lambda bill: (bill.number, bill.vendor, bill.reference),
    day=lambda bill: bill.issued_on,
    due=lambda bill: bill.due_on,
    filters={
        Filter.OPEN: (lambda bill, today: bill.is_open, lambda bill: bill.due_on),
        Filter.OVERDUE: (lambda bill, today: bill.days_overdue(today) > 0, lambda bill: bill.due_on),
    },
    partner=lambda bill: bill.vendor,
    feed=Feed.BILLS,
)
PAYMENTS: Listing[Payment] = Listing(
    area=Area.FINANCE,
    capability=Capability.PAYMENTS,
    call="payment",
    list_call="payments",
    texts=lambda payment: (payment.number, payment.partner),
    day=lambda payment: payment.paid_on,
    due=_no_day,
    filters={
        Filter.RECEIVED: (
            lambda payment, today: payment.direction is PaymentDirection.RECEIVED,
            lambda payment: payment.paid_on,
        ),
        Filter.SPENT: (
            lambda payment, today: payment.direction is PaymentDirection.SPENT,
            lambda payment: payment.paid_on,
        ),
    },
    partner=lambda payment: payment.partner,
    also=(Area.PURCHASING,),
    feed=Feed.PAYMENTS,
)

FOLLOWED: tuple[Listing[Any], ...] = (*KINDS, BILLS, PAYMENTS, DELIVERIES)
"""All kinds whose changes may be told."""
_FOLLOWED = {kind.followed: kind for kind in FOLLOWED}


def kind_of(followed: Followed) -> Listing[Any]:
    """Return the kind that stands for an area, or whose changes a feed tells."""
    return _FOLLOWED[followed]


async def read_page(
    query: ListQuery, rows: Awaitable[list[R]], count: Callable[[], Awaitable[int]]
) -> tuple[list[R], int]:
    """Return a page of rows that the ERP cut, and the total number of rows.

    The ERP is only asked for the total if the page is full.
    """
    page = await rows
    ended = len(page) < query.limit and (page or not query.offset)
    return page, query.offset + len(page) if ended else await count()


def find_products(products: Iterable[Product], text: str, *, limit: int) -> tuple[Product, ...]:
    """Return products with ``text`` in code, name, spec or barcode, best match first."""
    folded = text.casefold()
    found = [(rank, product) for product in products if (rank := _rank(product, folded)) is not None]
    found.sort(key=lambda hit: (hit[0], len(hit[1].name), hit[1].sku))
    return tuple(product for _, product in found[:limit])


def _rank(product: Product, folded: str) -> int | None:
    """Return the rank of a match, 0 best, or None for no match."""
    sku, name = product.sku.casefold(), product.name.casefold()
    if folded and folded in (sku, product.barcode.casefold()):
        return 0
    for rank, hit in enumerate((sku.startswith(folded), name.startswith(folded), folded in sku, folded in name), 1):
        if hit:
            return rank
    return 5 if folded in product.spec.casefold() or folded in product.barcode.casefold() else None
