"""Invoices: what customers are to pay."""

from __future__ import annotations

from enum import Enum
from operator import attrgetter

from bot.erp.capabilities import Capability
from bot.erp.kinds.cards import DocumentCards, Lateness, Lead, State
from bot.erp.kinds.kind import DocumentAmounts, Kind, KindWords, NamedList, Orders, numbers_in
from bot.erp.kinds.rules import invoice_rules
from bot.erp.kinds.sales_orders import SALES_ORDERS
from bot.erp.list_query import Filter
from bot.erp.model import Area, Invoice, InvoiceStatus
from bot.words.columns import Column
from bot.words.disclosure import FieldClass
from bot.words.phrase import Phrase, phrase

_NOT_OWED = frozenset({InvoiceStatus.DRAFT, InvoiceStatus.VOID})
_SETTLED = frozenset({InvoiceStatus.PAID, InvoiceStatus.VOID})
_due_on = attrgetter("due_on")


class Reversal(Enum):
    """The state of what credit notes settled: nobody paid it."""

    REVERSED = "reversed"


def _title(invoice: Invoice) -> Phrase:
    if invoice.is_credit_note:
        return phrase("Credit note %(number)s", number=invoice.number)
    return phrase("Invoice %(number)s", number=invoice.number)


def _left_to_pay(invoice: Invoice) -> object:
    return None if invoice.status in _SETTLED else invoice.open_amount


INVOICES: Kind[Invoice] = Kind(
    record=Invoice,
    command="invoice",
    words=KindWords(
        many=phrase("Invoices"),
        open=phrase("Open invoices"),
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
    cards=DocumentCards(
        title=_title,
        newest=phrase("Newest invoices"),
        others=phrase("This customer's invoices"),
        about=(
            Lead("customer", lambda invoice: (invoice.customer,)),
            Lead("payment", lambda invoice: (invoice.customer,)),
        ),
        lateness=Lateness.OVERDUE,
        columns=(
            Column(phrase("Number"), "number"),
            Column(phrase("Customer"), "customer"),
            Column(phrase("Status"), "status"),
            Column(phrase("Issued"), "issued_on"),
            Column(phrase("Due"), "due_on"),
            Column(phrase("Days overdue"), "days_overdue"),
            Column(phrase("Amount"), "total"),
            Column(phrase("Open amount"), "open_amount"),
            Column(phrase("Order"), "order_number"),
        ),
        facts=("total", Column(phrase("Open"), _left_to_pay, bold=True), "due_on", "issued_on", "order_number"),
        state=lambda invoice: Reversal.REVERSED if invoice.is_reversed else invoice.status,
        states=(
            State(InvoiceStatus.DRAFT, phrase("Draft")),
            State(InvoiceStatus.UNPAID, phrase("Unpaid"), "orange"),
            State(InvoiceStatus.PART_PAID, phrase("Partly paid"), "orange"),
            State(InvoiceStatus.PAID, phrase("Paid"), "green"),
            State(InvoiceStatus.VOID, phrase("Void")),
            State(Reversal.REVERSED, phrase("Reversed"), "orange"),
        ),
    ),
)
