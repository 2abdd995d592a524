"""/customer: who a customer is, what they owe, and what is on order."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import ClassVar

from bot.access.policy import AccessPolicy
from bot.cards.view import View
from bot.chat.arguments import Keyword, PartnerTerm
from bot.chat.context import QuestionContext
from bot.chat.document_views import DocumentListView
from bot.chat.links import offered
from bot.chat.records.kept_documents import KeptDocuments, read_kept
from bot.chat.records.lookup import OneDocument
from bot.chat.records.partner_lookup import PartnerLookup, if_offered, read_open
from bot.chat.records.partner_views import NEWEST, PartnerView, sum_beside, sum_owed
from bot.chat.records.rankings import RankedBy, RankingRequest, rank_partners
from bot.chat.records.reader_hub import visible_fields
from bot.chat.registry import Commands, command
from bot.erp.hub import Answer, ErpHub
from bot.erp.kinds import CUSTOMERS, INVOICES, SALES_ORDERS
from bot.erp.model import Area, Customer, Money, SalesAmount, SalesOrder, Slice
from bot.erp.port import Capability, ListQuery
from bot.read_model.queries import ReadModel
from bot.words.disclosure import cut
from bot.words.phrase import phrase


class CustomerNameOrCode(PartnerTerm):
    """The code of a customer, or part of it, or part of the name."""

    placeholder = phrase("name or code")


class CustomerRanking(Keyword, changes=False):
    """What customers are ranked by."""

    OWING = phrase("owing"), "debts", "debtors", "欠款", "欠款排行", "欠款排名", "欠款最多", "应收排行"
    BEST = phrase("best"), "top", "biggest", "排行", "排名", "销售排行", "销售排名", "最大"


_RANKED_BY = {CustomerRanking.OWING: RankedBy.RECEIVABLES, CustomerRanking.BEST: RankedBy.SALES}


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerView(PartnerView):
    """One customer, what is open with them, and their newest orders."""

    card: ClassVar[str] = "customer"
    order_command: ClassVar[str] = "order"

    document: Customer
    receivable: tuple[SalesAmount, ...] | None
    open_sums: tuple[SalesAmount, ...] | None = None
    """What the open invoices come to, where the ERP's ledger states another debt."""
    overdue: tuple[SalesAmount, ...] | None
    credit_left: SalesAmount | None
    orders: tuple[SalesOrder, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerListView(DocumentListView):
    """Customers, all or those with a text in name or code."""

    kind: ClassVar = CUSTOMERS

    which: None
    rows: tuple[Customer, ...]


@command(
    "customer",
    aliases=("客户", "kh", "客户资料", "customers", "client"),
    examples=("/customer C001", "/客户 宏达", "/customer owing", "/客户 排行 上个月"),
    shows=("order", "invoice"),
    changes=False,
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
        by, today = _RANKED_BY[which], context.today
        if asked := RankingRequest.read("customer", which, by, text or "", today):
            return await rank_partners(asked, erp=erp, kept=kept, policy=policy, context=context)
    fields = visible_fields(policy, context, "order", "invoice")
    lookup = PartnerLookup("customer", erp.customer, erp.customers)
    hit, text_found = await lookup.look_up_asked(text or "", which, commands, context)
    if isinstance(hit, OneDocument):
        return cut(await _view(erp, kept, hit.found, context), fields)
    return CustomerListView.of(replace(hit, text=text_found, fields=fields), context)


async def _view(erp: ErpHub, kept: ReadModel, found: Answer[Customer], context: QuestionContext) -> CustomerView:
    of_customers = erp.silences(Capability.CUSTOMERS, (Area.SALES,))
    silences = (*of_customers, *erp.silences_about(Area.SALES, Area.FINANCE))
    erp = erp.beside(found.value)
    kept = kept.narrowed(erp)
    document = found.value
    name = document.name
    ordered, invoiced = await asyncio.gather(
        read_kept(kept, erp, SALES_ORDERS, name, newest=NEWEST, now=context.now),
        read_kept(kept, erp, INVOICES, name, newest=0, now=context.now),
    )
    newest, owed, unpaid = await asyncio.gather(
        _newest(erp, name, ordered),
        read_open(erp, SALES_ORDERS, name, erp.orders, ordered),
        read_open(erp, INVOICES, name, erp.invoices, invoiced),
    )
    if unpaid.part:
        document = replace(document, receivable=None)
    receivable = sum_owed(document.receivable, unpaid.whole)
    return CustomerView.of(
        found,
        newest,
        owed,
        unpaid,
        context,
        silences,
        document=document,
        receivable=receivable,
        open_sums=sum_beside(document.receivable, unpaid.whole),
        credit_left=None if unpaid.part else _credit_left(document.credit_limit, receivable),
        links=offered(erp, "order", "invoice", "payment", of=found),
    )


async def _newest(erp: ErpHub, name: str, kept: KeptDocuments[SalesOrder] | None) -> Answer[Slice[SalesOrder]] | None:
    """Return the newest orders: as they are kept, unless there may be more of an earlier time."""
    if kept is not None and len(kept.newest.value.items) == NEWEST:
        return kept.newest
    return await if_offered(erp.orders(ListQuery(partner=name, limit=NEWEST)))


def _credit_left(limit: Money | None, receivable: tuple[Money, ...] | None) -> Money | None:
    """Return how much the customer may still owe; None where a part of the debt is in another currency."""
    if limit is None or receivable is None or any(owed.currency != limit.currency for owed in receivable):
        return None
    return Money(limit.amount - sum((owed.amount for owed in receivable), Decimal()), limit.currency)
