"""/customer: who a customer is, what they owe, and what is on order."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import ClassVar

from bot.access.policy import AccessPolicy
from bot.cards.actions import Ask
from bot.cards.tables import Column
from bot.cards.view import Button, View
from bot.chat.arguments import Keyword, PartnerTerm
from bot.chat.context import QuestionContext
from bot.chat.parsing import command_line
from bot.chat.records.kept_documents import KeptDocuments, read_kept
from bot.chat.records.lookup import OneDocument
from bot.chat.records.partner_links import offered_links, partner_buttons
from bot.chat.records.partner_lookup import PartnerLookup, if_offered, read_open, with_notes
from bot.chat.records.partner_rankings import RankedBy, RankingRequest, rank_partners
from bot.chat.records.sums import sum_by_currency
from bot.chat.records.visible_fields import visible_fields
from bot.chat.registry import Commands, command
from bot.chat.view_parts import DocumentListView, Freshness, ask_buttons, erp_link_buttons, freshness_of_all
from bot.disclosure import cut
from bot.erp.hub import Answer, ErpHub
from bot.erp.listing import INVOICES, SALES_ORDERS
from bot.erp.model import Customer, Invoice, Money, SalesAmount, SalesOrder, Slice
from bot.erp.port import ListQuery
from bot.phrase import phrase
from bot.read_model.queries import ReadModel

_NEWEST = 3
"""Orders that are shown; a button leads to all."""


class CustomerNameOrCode(PartnerTerm):
    """The code of a customer, or part of it, or part of the name."""

    placeholder = phrase("name or code")


class CustomerRanking(Keyword):
    """What customers are ranked by."""

    OWING = phrase("owing"), "debts", "debtors", "欠款", "欠款排行", "欠款排名", "欠款最多", "应收排行"
    BEST = phrase("best"), "top", "biggest", "排行", "排名", "销售排行", "销售排名", "最大"


_RANKED_BY = {CustomerRanking.OWING: RankedBy.RECEIVABLES, CustomerRanking.BEST: RankedBy.SALES}


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerView(View):
    """One customer, what is open with them, and their newest orders.

    What is None cannot be told: the ERP does not say it, or there are too many documents to add up. ``part``: only
    documents that the reader may see are counted, and there may be others.
    """

    card: ClassVar[str] = "customer"

    document: Customer
    receivable: tuple[SalesAmount, ...] | None
    overdue: tuple[SalesAmount, ...] | None
    overdue_count: int | None
    days_overdue: int
    credit_left: SalesAmount | None
    open_orders: int | None
    late_orders: int | None
    orders: tuple[SalesOrder, ...]
    part: bool
    today: date
    freshness: Freshness
    links: tuple[str, ...] = ()
    """The commands that tell more of the customer."""

    def question(self) -> Ask:
        return Ask(command_line("customer", self.document.code))

    def buttons(self) -> Sequence[Button]:
        links = partner_buttons(self.links, self.document.name)
        orders = ask_buttons("order", (order.number for order in self.orders))
        return (*links, *orders, *erp_link_buttons(self.document.url))


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerListView(DocumentListView):
    """Customers, all or those with a text in name or code."""

    card: ClassVar[str] = "customers"
    command: ClassVar[str] = "customer"
    columns: ClassVar[tuple[Column, ...]] = (
        Column(phrase("Code"), "code"),
        Column(phrase("Customer"), "name"),
        Column(phrase("Salesperson"), "salesperson"),
        Column(phrase("Payment terms"), "payment_terms"),
        Column(phrase("Credit limit"), "credit_limit"),
        Column(phrase("Receivable"), "receivable"),
        Column(phrase("Contact"), "contact"),
        Column(phrase("Phone"), "phone"),
        Column(phrase("Email"), "email"),
        Column(phrase("Address"), "address"),
    )

    which: None
    rows: tuple[Customer, ...]


@command(
    "customer",
    aliases=("客户", "kh", "客户资料", "customers", "client"),
    examples=("/customer C001", "/客户 宏达", "/customer owing", "/客户 排行 上个月"),
    summary=phrase("A customer: what they owe, credit left, open and newest orders; or who owes or orders most"),
    place=22,
)
async def customer(
    text: CustomerNameOrCode | None = None,
    *,
    which: CustomerRanking | None = None,
    erp: ErpHub,
    kept: ReadModel,
    context: QuestionContext,
    policy: AccessPolicy,
    commands: Commands,
) -> View:
    """Show one customer with what is open, or a list of them."""
    if which:
        by, today = _RANKED_BY[which], context.now.date()
        if asked := RankingRequest.read("customer", which, by, text or "", today):
            return await rank_partners(asked, erp=erp, kept=kept, policy=policy, context=context)
        text = CustomerNameOrCode(commands.parse(context.line).rest)
    fields = visible_fields(policy, context, "order", "invoice")
    hit = await PartnerLookup("customer", erp.customer, erp.customers).look_up(
        text or "", offset=context.offset, rows=context.rows
    )
    if isinstance(hit, OneDocument):
        return cut(await _view(erp, kept, hit.found, context), fields)
    return cut(CustomerListView.of(hit.found, context, which=None, text=text or ""), fields)


async def _view(erp: ErpHub, kept: ReadModel, found: Answer[Customer], context: QuestionContext) -> CustomerView:
    document, today = found.value, context.now.date()
    name = document.name
    ordered, invoiced = await asyncio.gather(
        read_kept(kept, erp, SALES_ORDERS, name, newest=_NEWEST, now=context.now),
        read_kept(kept, erp, INVOICES, name, newest=0, now=context.now),
    )
    newest, owed, unpaid = await asyncio.gather(
        _newest(erp, name, ordered),
        read_open(erp, SALES_ORDERS, name, erp.orders, ordered),
        read_open(erp, INVOICES, name, erp.invoices, invoiced),
    )
    if unpaid.part:
        document = replace(document, receivable=None)
    orders, invoices = owed.whole, unpaid.whole
    receivable = _receivable(document, invoices)
    overdue = None if invoices is None else [invoice for invoice in invoices if invoice.days_overdue(today)]
    answers = (found, newest, owed.answer, unpaid.answer)
    return CustomerView(
        document=document,
        receivable=receivable,
        overdue=None if overdue is None else sum_by_currency(invoice.open_amount for invoice in overdue),
        overdue_count=None if overdue is None else len(overdue),
        days_overdue=max((invoice.days_overdue(today) for invoice in overdue or ()), default=0),
        credit_left=None if unpaid.part else _credit_left(document.credit_limit, receivable),
        open_orders=owed.count,
        late_orders=None if orders is None else sum(order.days_late(today) > 0 for order in orders),
        orders=() if newest is None else newest.value.items,
        part=owed.part or unpaid.part,
        today=today,
        freshness=with_notes(freshness_of_all([each for each in answers if each is not None]), owed, unpaid),
        links=offered_links(erp, "order", "invoice", "payment"),
    )


async def _newest(erp: ErpHub, name: str, kept: KeptDocuments[SalesOrder] | None) -> Answer[Slice[SalesOrder]] | None:
    """Return the newest orders: as they are kept, unless there may be more of an earlier time."""
    if kept is not None and len(kept.newest.value.items) == _NEWEST:
        return kept.newest
    return await if_offered(erp.orders(ListQuery(partner=name, limit=_NEWEST)))


def _receivable(document: Customer, unpaid: Sequence[Invoice] | None) -> tuple[Money, ...] | None:
    """Return what the ERP states, else the sum of what is open."""
    if document.receivable is not None:
        return (document.receivable,)
    return None if unpaid is None else sum_by_currency(invoice.open_amount for invoice in unpaid)


def _credit_left(limit: Money | None, receivable: tuple[Money, ...] | None) -> Money | None:
    """Return how much the customer may still owe; None where a part of the debt is in another currency."""
    if limit is None or receivable is None or any(owed.currency != limit.currency for owed in receivable):
        return None
    return Money(limit.amount - sum((owed.amount for owed in receivable), Decimal()), limit.currency)
