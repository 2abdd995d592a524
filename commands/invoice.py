"""/invoice: what customers owe, and what is overdue."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar

from bot.cards.actions import Ask
from bot.cards.view import Button, ListView, View
from bot.chat.arguments import Keyword, Term
from bot.chat.context import QuestionContext
from bot.chat.lookup import DocumentLookup, OneDocument
from bot.chat.parsing import command_line
from bot.chat.registry import command
from bot.chat.view_parts import Freshness, ask_buttons, erp_link_buttons, freshness
from bot.erp.hub import Answer, ErpHub
from bot.erp.model import Invoice as ErpInvoice
from bot.erp.model import InvoiceStatus, Money, Slice
from bot.erp.port import Filter
from bot.phrase import phrase


class InvoiceOrCustomer(Term):
    """The number of an invoice, or part of it, or part of a customer's name."""

    placeholder = phrase("number or customer")


class InvoiceList(Keyword):
    """The lists of invoices that have a name."""

    OVERDUE = phrase("overdue"), "late", "unpaid", "逾期", "超期", "过期", "欠款", "未付", "未收", "催款", "yq"


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice(View):
    """One customer invoice."""

    card: ClassVar[str] = "invoice"

    number: str
    customer: str
    status: InvoiceStatus
    is_credit_note: bool
    issued_on: date | None
    due_on: date | None
    days_overdue: int
    amount: Money | None
    open_amount: Money | None
    order_number: str
    url: str
    freshness: Freshness

    def buttons(self) -> Sequence[Button]:
        order = ask_buttons("order", (self.order_number,))
        others = Button(phrase("Invoices of this customer"), Ask(command_line("invoice", self.customer)))
        return (*order, others, *erp_link_buttons(self.url))


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceRow:
    """An invoice in a list."""

    number: str
    customer: str
    status: InvoiceStatus
    due_on: date | None
    days_overdue: int
    open_amount: Money | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoices(ListView):
    """Customer invoices: the newest, those of a customer, or the overdue ones.

    ``open_amounts`` is what the whole list comes to, one amount a currency; empty when only a part of it was read.
    """

    card: ClassVar[str] = "invoices"

    which: InvoiceList | None
    text: str
    rows: tuple[InvoiceRow, ...]
    open_amounts: tuple[Money, ...]
    freshness: Freshness

    def row_buttons(self) -> Sequence[Button]:
        return ask_buttons("invoice", (row.number for row in self.rows))


@command(
    "invoice",
    aliases=("发票", "fp", "应收", "invoices", "inv"),
    examples=("/invoice INV-7", "/发票 上海", "/invoice overdue"),
    summary=phrase("Customer invoices: one, a customer's, or the overdue ones"),
    place=30,
)
async def invoice(
    text: InvoiceOrCustomer | None = None, *, which: InvoiceList | None = None, erp: ErpHub, context: QuestionContext
) -> View:
    """Show one invoice, or a list."""
    shelf = DocumentLookup("invoice", erp.invoice, erp.invoices)
    hit = await shelf.look_up(text or "", Filter.OVERDUE if which else Filter.ALL, offset=context.offset)
    if isinstance(hit, OneDocument):
        return _invoice(hit.found, context)
    return _invoices(hit.found, which, text or "", context)


def _invoice(found: Answer[ErpInvoice], context: QuestionContext) -> Invoice:
    invoice = found.value
    return Invoice(
        number=invoice.number,
        customer=invoice.customer,
        status=invoice.status,
        is_credit_note=invoice.is_credit_note,
        issued_on=invoice.issued_on,
        due_on=invoice.due_on,
        days_overdue=invoice.days_overdue(context.now.date()),
        amount=invoice.total,
        open_amount=invoice.open_amount,
        order_number=invoice.order_number,
        url=invoice.url,
        freshness=freshness(found),
    )


def _invoices(
    found: Answer[Slice[ErpInvoice]], which: InvoiceList | None, text: str, context: QuestionContext
) -> Invoices:
    items = found.value.items
    return Invoices(
        which=which,
        text=text,
        rows=tuple(_row(invoice, context.now) for invoice in items[: Invoices.page_size]),
        total=found.value.total,
        offset=context.offset,
        line=command_line("invoice", which or "", text),
        open_amounts=_sums(invoice.open_amount for invoice in items) if len(items) == found.value.total else (),
        freshness=freshness(found),
    )


def _row(invoice: ErpInvoice, now: datetime) -> InvoiceRow:
    return InvoiceRow(
        number=invoice.number,
        customer=invoice.customer,
        status=invoice.status,
        due_on=invoice.due_on,
        days_overdue=invoice.days_overdue(now.date()),
        open_amount=invoice.open_amount,
    )


def _sums(amounts: Iterable[Money | None]) -> tuple[Money, ...]:
    """Return one sum a currency; nothing when the ERP does not say one of the amounts."""
    sums: dict[str, Decimal] = {}
    for money in amounts:
        if money is None:
            return ()
        sums[money.currency] = sums.get(money.currency, Decimal()) + money.amount
    return tuple(Money(amount, currency) for currency, amount in sorted(sums.items()))
