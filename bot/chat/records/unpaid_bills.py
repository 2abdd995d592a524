"""Why a vendor's bill is not paid, as far as the ERP tells: its own state, its purchase orders, receipts, payments."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar, TypeVar

from bot.access.policy import AccessPolicy
from bot.cards.actions import Ask
from bot.cards.view import Button, Label, View
from bot.chat.context import QuestionContext
from bot.chat.parsing import command_line, marked
from bot.chat.records.reader_hub import command_of, visible_fields
from bot.chat.view_parts import Freshness, document_buttons, freshness_of_all
from bot.erp.answer import Answer
from bot.erp.errors import NotFound, NotPermitted, Unsupported
from bot.erp.hub import ErpHub
from bot.erp.kinds import BILLS, PAYMENTS, PURCHASE_ORDERS
from bot.erp.model import Bill, InvoiceStatus, Payment, PaymentStatus, Progress, PurchaseOrder, ReviewState
from bot.erp.port import Filter, ListQuery
from bot.words.disclosure import cut
from bot.words.phrase import Phrase, phrase

MOST_ORDERS = 3
"""Purchase orders of one bill that a question reads."""
_PAYMENTS = 20
"""Payments to the vendor that it looks through."""
T = TypeVar("T")

_SETTLED: Mapping[InvoiceStatus, Phrase] = {
    InvoiceStatus.DRAFT: phrase("It is a draft: nothing is owed by it yet."),
    InvoiceStatus.VOID: phrase("It was cancelled: nothing is owed by it."),
    InvoiceStatus.PAID: phrase("It is paid."),
}
_ORDERS: Mapping[ReviewState, Callable[[str], Phrase]] = {
    ReviewState.DRAFT: lambda number: phrase("Its purchase order %(number)s is a draft.", number=number),
    ReviewState.WAITING: lambda number: phrase("Its purchase order %(number)s waits for approval.", number=number),
    ReviewState.REJECTED: lambda number: phrase("Its purchase order %(number)s was rejected.", number=number),
    ReviewState.CANCELLED: lambda number: phrase("Its purchase order %(number)s was cancelled.", number=number),
}
"""What the state of its purchase order says; of one that is approved or done it says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnpaidView(View):
    """Why a bill is not paid: ``reasons`` are what the ERP's data says, ``looked_at`` is what was read for it.

    ``not_told`` is what could not be read: the ERP does not tell it, or it is closed to the asker.
    """

    card: ClassVar[str] = "unpaid"

    document: Bill
    reasons: tuple[Phrase, ...]
    looked_at: tuple[Label, ...]
    not_told: tuple[Label, ...] = ()
    orders: tuple[PurchaseOrder, ...] = ()
    payments: tuple[Payment, ...] = ()
    today: date
    freshness: Freshness

    def question(self) -> Ask:
        return Ask(command_line("why", self.document.number))

    def buttons(self) -> Sequence[Button]:
        waiting = [each for each in self.orders if each.status is ReviewState.WAITING]
        return (
            *(
                Button(phrase("Who approves %(number)s", number=each.number), Ask(command_line("why", each.number)))
                for each in waiting
            ),
            *document_buttons("po", ((each.number, each.books) for each in self.orders)),
            *document_buttons("payment", ((each.number, each.books) for each in self.payments)),
            *document_buttons("bill", [(self.document.number, self.document.books)]),
        )


async def show_unpaid(found: Answer[Bill], erp: ErpHub, policy: AccessPolicy, context: QuestionContext) -> UnpaidView:
    """Return why a bill is not paid, as the asker may see it."""
    bill, today = found.value, context.today
    beside = erp.beside(bill)
    numbers = BILLS.order_numbers(bill)[:MOST_ORDERS]
    spent = ListQuery(filter=Filter.SPENT, partner=bill.vendor, limit=_PAYMENTS)
    orders, paid = await asyncio.gather(
        asyncio.gather(*(_told(beside.document(PURCHASE_ORDERS, each)) for each in numbers)),
        _told(beside.documents(PAYMENTS, spent)),
    )
    known = {number: order.value for number, order in zip(numbers, orders, strict=True) if order}
    drafts = [each for each in paid.value.items if each.status is PaymentStatus.DRAFT] if paid else []
    parts = (
        (phrase("due day"), bill.due_on is not None),
        (phrase("purchase order and its approval"), len(known) == len(numbers) > 0),
        (phrase("receipts"), any(each.received is not None for each in known.values())),
        (phrase("payments to the vendor"), paid is not None and not paid.notes),
    )
    answers: list[Answer[Any]] = [found, *(each for each in (*orders, paid) if each is not None)]
    view = UnpaidView(
        document=bill,
        reasons=tuple(_reasons(bill, known, drafts, today)),
        looked_at=tuple(part for part, told in parts if told),
        not_told=tuple(part for part, told in parts if not told),
        orders=tuple(known.values()),
        payments=tuple(drafts),
        today=today,
        books=marked(bill.books),
        freshness=freshness_of_all(answers),
    )
    return cut(view, visible_fields(policy, context, BILLS.command, command_of(BILLS.area)))


def _reasons(
    bill: Bill,
    orders: Mapping[str, PurchaseOrder],
    drafts: Sequence[Payment],
    today: date,
) -> Iterator[Phrase]:
    """Yield what the ERP's data says, the bill's own state first."""
    if bill.is_reversed:
        yield phrase("A credit note settled it: nothing is owed by it.")
    elif bill.status in _SETTLED:
        yield _SETTLED[bill.status]
    if bill.is_reversed or not bill.is_open:
        return
    if bill.is_credit_note:
        yield phrase("It is a credit note: the vendor owes it.")
        return
    if bill.due_on is not None and bill.due_on >= today:
        later = phrase("It is not due before %(day)s.", day=bill.due_on)
        yield later if bill.due_on > today else phrase("It is due today.")
    if bill.status is InvoiceStatus.PART_PAID:
        yield phrase("A part of it is paid.")
    for number, order in orders.items():
        if order.status in _ORDERS:
            yield _ORDERS[order.status](number)
        elif order.is_open and order.received is Progress.PARTIAL:
            yield phrase("Only a part of the goods of %(number)s came.", number=number)
        elif order.is_open and order.received is Progress.NONE:
            yield phrase("The goods of %(number)s have not come: no receipt is booked.", number=number)
    for draft in drafts:
        yield phrase("Payment %(number)s to the vendor is prepared and not booked.", number=draft.number)


async def _told(read: Awaitable[Answer[T]]) -> Answer[T] | None:
    """Return what is read; None where the ERP does not tell it, or the asker may not see it."""
    try:
        return await read
    except (NotFound, NotPermitted, Unsupported):
        return None
