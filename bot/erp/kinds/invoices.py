"""Invoices: what customers are to pay."""

from __future__ import annotations

from operator import attrgetter

from bot.erp.capabilities import Capability
from bot.erp.kinds.kind import DocumentAmounts, Kind, KindWords, NamedList, Orders, numbers_in
from bot.erp.kinds.rules import invoice_rules
from bot.erp.kinds.sales_orders import SALES_ORDERS
from bot.erp.list_query import Filter
from bot.erp.model import Area, Invoice, InvoiceStatus
from bot.words.disclosure import FieldClass
from bot.words.phrase import phrase

_NOT_OWED = frozenset({InvoiceStatus.DRAFT, InvoiceStatus.VOID})
_due_on = attrgetter("due_on")

INVOICES: Kind[Invoice] = Kind(
    record=Invoice,
    command="invoice",
    words=KindWords(
        many=phrase("Invoices"),
        late=phrase("Overdue invoices"),
        prefixes=("inv", "accsinv", "sinv", "rinv", "fp", "xsfp", "ar", "yszd"),
    ),
    areas=(Area.FINANCE,),
    capability=Capability.INVOICES,
    reads=("invoice", "invoices"),
    orders=Orders(SALES_ORDERS, lambda invoice: numbers_in(invoice.order_number)),
    texts=attrgetter("number", "customer"),
    partner=attrgetter("customer"),
    day=attrgetter("issued_on"),
    due=_due_on,
    days_late=Invoice.days_overdue,
    filters={
        Filter.OPEN: NamedList(lambda invoice, today: invoice.is_open, _due_on),
        Filter.OVERDUE: NamedList(lambda invoice, today: invoice.days_overdue(today) > 0, _due_on),
    },
    counts=lambda invoice: invoice.status not in _NOT_OWED,
    is_unfinished=lambda invoice: invoice.is_open or invoice.status is InvoiceStatus.DRAFT,
    amounts=DocumentAmounts(attrgetter("total"), frozenset({FieldClass.AMOUNT}), attrgetter("open_amount")),
    rules=invoice_rules("customer"),
)
