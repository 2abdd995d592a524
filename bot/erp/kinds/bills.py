"""Bills: what the company is to pay to vendors."""

from __future__ import annotations

from operator import attrgetter

from bot.erp.capabilities import Capability
from bot.erp.kinds.kind import DocumentAmounts, Kind, KindWords, NamedList, Orders, numbers_in
from bot.erp.kinds.purchase_orders import PURCHASE_ORDERS
from bot.erp.kinds.rules import invoice_rules
from bot.erp.list_query import Filter
from bot.erp.model import Area, Bill, Feed, InvoiceStatus
from bot.words.disclosure import FieldClass
from bot.words.phrase import phrase

_NOT_OWED = frozenset({InvoiceStatus.DRAFT, InvoiceStatus.VOID})
_due_on = attrgetter("due_on")

BILLS: Kind[Bill] = Kind(
    record=Bill,
    command="bill",
    words=KindWords(many=phrase("Bills"), late=phrase("Overdue bills")),
    areas=(Area.PURCHASING,),
    capability=Capability.BILLS,
    feed=Feed.BILLS,
    reads=("bill", "bills"),
    orders=Orders(PURCHASE_ORDERS, lambda bill: numbers_in(bill.order_number)),
    texts=attrgetter("number", "reference", "vendor"),
    partner=attrgetter("vendor"),
    day=attrgetter("issued_on"),
    due=_due_on,
    days_late=Bill.days_overdue,
    filters={
        Filter.OPEN: NamedList(lambda bill, today: bill.is_open, _due_on),
        Filter.OVERDUE: NamedList(lambda bill, today: bill.days_overdue(today) > 0, _due_on),
    },
    counts=lambda bill: bill.status not in _NOT_OWED,
    is_unfinished=lambda bill: bill.is_open or bill.status is InvoiceStatus.DRAFT,
    amounts=DocumentAmounts(attrgetter("total"), frozenset({FieldClass.COST}), attrgetter("open_amount")),
    rules=invoice_rules("vendor"),
)
