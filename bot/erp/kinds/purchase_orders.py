"""Purchase orders: what the company ordered from vendors, once it is approved."""

from __future__ import annotations

from operator import attrgetter

from bot.erp.capabilities import Capability
from bot.erp.kinds.cards import VENDOR, Deciding, DocumentCards, Lead, State
from bot.erp.kinds.kind import DocumentAmounts, Kind, KindWords, NamedList
from bot.erp.kinds.rules import ORDER_RULES
from bot.erp.list_query import Filter
from bot.erp.model import Area, Progress, PurchaseOrder, ReviewState
from bot.erp.validation_rules import days, missing_name
from bot.words.columns import Column
from bot.words.disclosure import FieldClass
from bot.words.phrase import phrase

_UNDECIDED = frozenset({ReviewState.DRAFT, ReviewState.WAITING})
_NOT_AGREED = _UNDECIDED | {ReviewState.REJECTED, ReviewState.CANCELLED}
_due_on = attrgetter("due_on")
_ordered_on = attrgetter("ordered_on")


def _came_in(order: PurchaseOrder) -> bool:
    """Whether an order has receipts, and the vendor may have billed it."""
    return order.received in {Progress.PARTIAL, Progress.FULL}


def _owners(order: PurchaseOrder) -> tuple[str, ...]:
    accounts = (order.review.requester, order.buyer)
    return (*accounts, *order.review.names(accounts))


_BUYER = Column(phrase("Buyer"), lambda order: order.review.named(order.buyer))

PURCHASE_ORDERS: Kind[PurchaseOrder] = Kind(
    record=PurchaseOrder,
    command="po",
    words=KindWords(
        many=phrase("Purchase orders"),
        open=phrase("Open purchase orders"),
        late=phrase("Late purchase orders"),
        prefixes=("po", "pur", "purord", "cgdd", "cg"),
    ),
    areas=(Area.PURCHASING,),
    capability=Capability.PURCHASE_ORDERS,
    by_product=Capability.PURCHASES_OF_PRODUCT,
    reads=("purchase_order", "purchase_orders"),
    texts=attrgetter("number", "vendor"),
    partner=attrgetter("vendor"),
    owners=_owners,
    day=_ordered_on,
    due=_due_on,
    days_late=PurchaseOrder.days_late,
    filters={
        Filter.OPEN: NamedList(lambda order, today: order.is_open, _due_on),
        Filter.LATE: NamedList(lambda order, today: order.days_late(today) > 0, _due_on),
        Filter.PENDING: NamedList(lambda order, today: order.review.waits, _ordered_on),
    },
    counts=lambda order: order.status not in _NOT_AGREED,
    is_unfinished=lambda order: order.is_open or order.status in _UNDECIDED,
    amounts=DocumentAmounts(attrgetter("total"), frozenset({FieldClass.COST})),
    inside="lines",
    rules=(*ORDER_RULES, missing_name("vendor"), days("ordered_on", "due_on")),
    cards=DocumentCards(
        deciding=Deciding(
            title=lambda number: phrase("Purchase order %(number)s", number=number),
            waiting=phrase("Purchase order to approve"),
            day=phrase("Ordered"),
            due=phrase("Delivery date"),
        ),
        title=lambda order: phrase("Purchase order %(number)s", number=order.number),
        partner=VENDOR,
        newest=phrase("Newest purchase orders"),
        lists={Filter.PENDING: phrase("Purchase orders to approve")},
        about=(
            Lead("bill", lambda order: (order.number,) if _came_in(order) else ()),
            Lead("vendor", lambda order: (order.vendor,)),
            Lead("bill", lambda order: () if _came_in(order) else (order.vendor,)),
            # It gives way to what leads elsewhere: the card says how much came in.
            Lead("receipt", lambda order: (order.number,) if _came_in(order) else ()),
        ),
        due=phrase("to arrive %(days)s"),
        due_day=phrase("delivery %(day)s"),
        left_heading=phrase("Still to come"),
        left_share=phrase("%(quantity)s to come"),
        columns=(
            Column(phrase("Number"), "number"),
            Column(phrase("Vendor"), "vendor"),
            Column(phrase("Status"), "status"),
            Column(phrase("Ordered"), "ordered_on"),
            Column(phrase("Arrives on"), "due_on"),
            Column(phrase("Days late"), "days_late"),
            Column(phrase("Amount"), "total"),
            Column(phrase("Received"), "received"),
            _BUYER,
        ),
        facts=(
            Column(phrase("Total"), "total"),
            Column(phrase("Delivery date"), "due_on"),
            "received",
            Column(phrase("Requested by"), lambda order: order.review.named(order.review.requester)),
            _BUYER,
        ),
        lines=(
            Column(phrase("Product"), "sku"),
            Column(phrase("Name"), "name"),
            Column(phrase("Quantity"), "quantity"),
            Column(phrase("Received"), "received"),
            Column(phrase("Unit"), "unit"),
            Column(phrase("Price"), "price"),
            Column(phrase("Amount"), "amount"),
        ),
        line_facts=(Column(phrase("received"), "received"),),
        states=(
            State(ReviewState.DRAFT, phrase("Draft")),
            State(ReviewState.WAITING, phrase("Waiting for approval"), "orange"),
            State(ReviewState.APPROVED, phrase("Approved"), "green"),
            State(ReviewState.REJECTED, phrase("Rejected"), "red"),
            State(ReviewState.DONE, phrase("Done"), "green"),
            State(ReviewState.CANCELLED, phrase("Cancelled")),
        ),
    ),
)
