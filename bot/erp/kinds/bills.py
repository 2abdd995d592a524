"""Bills: what the company is to pay to vendors."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from operator import attrgetter

from bot.erp.capabilities import Capability
from bot.erp.kinds.cards import VENDOR, Deciding, DocumentCards, Lateness, Lead, State
from bot.erp.kinds.invoices import Reversal
from bot.erp.kinds.kind import DocumentAmounts, Kind, KindWords, NamedList, Orders, numbers_in
from bot.erp.kinds.purchase_orders import PURCHASE_ORDERS
from bot.erp.kinds.rules import invoice_rules
from bot.erp.list_query import Filter
from bot.erp.model import Area, Bill, Feed, InvoiceStatus
from bot.words.columns import Column
from bot.words.disclosure import FieldClass
from bot.words.phrase import Phrase, phrase

_NOT_OWED = frozenset({InvoiceStatus.DRAFT, InvoiceStatus.VOID})
_due_on = attrgetter("due_on")


class BillState(Enum):
    """How far a bill is paid, in the words of somebody who pays."""

    TO_PAY = "to pay"
    PART_PAID = "part paid"
    PAID = "paid"


_PAID: Mapping[InvoiceStatus, Enum] = {
    InvoiceStatus.UNPAID: BillState.TO_PAY,
    InvoiceStatus.PART_PAID: BillState.PART_PAID,
    InvoiceStatus.PAID: BillState.PAID,
}


def _title(bill: Bill) -> Phrase:
    if bill.is_credit_note:
        return phrase("Vendor credit note %(number)s", number=bill.number)
    return phrase("Bill %(number)s", number=bill.number)


BILLS: Kind[Bill] = Kind(
    record=Bill,
    command="bill",
    words=KindWords(many=phrase("Bills"), open=phrase("Open bills"), late=phrase("Overdue bills")),
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
    cards=DocumentCards(
        deciding=Deciding(
            title=lambda number: phrase("Bill %(number)s", number=number),
            waiting=phrase("Bill to approve"),
            day=phrase("Issued"),
            due=phrase("Due"),
        ),
        title=_title,
        partner=VENDOR,
        newest=phrase("Newest bills"),
        others=phrase("This vendor's bills"),
        about=(
            Lead("vendor", lambda bill: (bill.vendor,)),
            Lead("payment", lambda bill: (bill.vendor,)),
            Lead("receipt", lambda bill: one if len(one := numbers_in(bill.order_number)) == 1 else ()),
        ),
        open_heading=phrase("Total to pay"),
        lateness=Lateness.OVERDUE,
        columns=(
            Column(phrase("Number"), "number"),
            Column(phrase("Vendor"), "vendor"),
            Column(phrase("Vendor's number"), "reference"),
            Column(phrase("Status"), lambda bill: _PAID.get(bill.status, bill.status)),
            Column(phrase("Issued"), "issued_on"),
            Column(phrase("Due"), "due_on"),
            Column(phrase("Days overdue"), "days_overdue"),
            Column(phrase("Amount"), "total"),
            Column(phrase("Open amount"), "open_amount"),
            Column(phrase("Purchase order"), "order_number"),
        ),
        facts=(
            "total",
            Column(phrase("Still to pay"), "open_amount", bold=True),
            "due_on",
            "issued_on",
            "reference",
            "order_number",
        ),
        state=lambda bill: Reversal.REVERSED if bill.is_reversed else _PAID.get(bill.status, bill.status),
        states=(
            State(BillState.TO_PAY, phrase("To pay"), "orange"),
            State(BillState.PART_PAID, phrase("Paid in part"), "orange"),
            State(BillState.PAID, phrase("Paid in full"), "green"),
        ),
    ),
)
