"""/vendor: who a vendor is, what the company owes them, and what is still to come."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import ClassVar

from bot.access.policy import AccessPolicy
from bot.cards.view import View
from bot.chat.arguments import Keyword, PartnerTerm
from bot.chat.context import QuestionContext
from bot.chat.document_views import DocumentListView
from bot.chat.links import offered
from bot.chat.records.kept_documents import read_kept
from bot.chat.records.lookup import OneDocument
from bot.chat.records.partner_lookup import SUMMED, PartnerLookup, if_offered, read_open
from bot.chat.records.partner_views import PartnerView, sum_beside, sum_owed
from bot.chat.records.rankings import RankedBy, RankingRequest, rank_partners
from bot.chat.records.reader_hub import visible_fields
from bot.chat.registry import Commands, command
from bot.erp.hub import Answer, ErpHub
from bot.erp.kinds import BILLS, PURCHASE_ORDERS, VENDORS
from bot.erp.model import Area, Cost, Feed, Progress, PurchaseOrder, PurchaseStatus, Supplier
from bot.erp.port import Capability, ListQuery
from bot.read_model.queries import ReadModel
from bot.words.disclosure import cut
from bot.words.phrase import phrase

_PLACED = frozenset({PurchaseStatus.APPROVED, PurchaseStatus.DONE})


class VendorNameOrCode(PartnerTerm):
    """The code of a vendor, or part of it, or part of the name."""

    placeholder = phrase("name or code")


class VendorRanking(Keyword, changes=False):
    """What vendors are ranked by."""

    PAYABLE = phrase("payable"), "owed", "owing", "应付", "欠款", "应付排行", "应付排名", "欠款最多"
    BIGGEST = phrase("biggest"), "top", "best", "排行", "排名", "采购排行", "采购排名", "最大"


_RANKED_BY = {VendorRanking.PAYABLE: RankedBy.PAYABLES, VendorRanking.BIGGEST: RankedBy.PURCHASES}


@dataclass(frozen=True, slots=True)
class Arrived:
    """How many of the vendor's newest orders that were due have come in whole by now."""

    came: int
    due: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorView(PartnerView):
    """One vendor, what is open with them, and the newest orders."""

    card: ClassVar[str] = "vendor"
    order_command: ClassVar[str] = "po"

    document: Supplier
    payable: tuple[Cost, ...] | None
    open_sums: tuple[Cost, ...] | None = None
    """What the open bills come to, where the ERP's ledger states another debt."""
    overdue: tuple[Cost, ...] | None
    arrived: Arrived | None
    orders: tuple[PurchaseOrder, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorListView(DocumentListView):
    """Vendors, all or those with a text in name or code."""

    kind: ClassVar = VENDORS

    which: None
    rows: tuple[Supplier, ...]


@command(
    "vendor",
    aliases=("供应商", "gys", "供货商", "vendors", "supplier", "suppliers"),
    examples=("/vendor V001", "/供应商 宝钢", "/vendor payable", "/供应商 排行 上个月"),
    shows=("po",),
    changes=False,
    summary=phrase("A vendor: what we owe them, open and late orders; or whom we owe or order most"),
    place=34,
)
async def vendor(
    text: VendorNameOrCode | None = None,
    *,
    which: VendorRanking | None = None,
    erp: ErpHub,
    kept: ReadModel,
    context: QuestionContext,
    policy: AccessPolicy,
    commands: Commands,
) -> View:
    """Show one vendor with what is open, or a list of them."""
    if which:
        by, today = _RANKED_BY[which], context.today
        if asked := RankingRequest.read("vendor", which, by, text or "", today):
            return await rank_partners(asked, erp=erp, kept=kept, policy=policy, context=context)
    fields = visible_fields(policy, context, "po")
    lookup = PartnerLookup("vendor", erp.vendor, erp.vendors)
    hit, text_found = await lookup.look_up_asked(text or "", which, commands, context)
    if isinstance(hit, OneDocument):
        return cut(await _view(erp, kept, hit.found, context), fields)
    return VendorListView.of(replace(hit, text=text_found, fields=fields), context)


async def _view(erp: ErpHub, kept: ReadModel, found: Answer[Supplier], context: QuestionContext) -> VendorView:
    of_vendors = erp.silences(Capability.VENDORS, (Area.PURCHASING,))
    silences = (*of_vendors, *erp.silences_about(Area.PURCHASING, Feed.BILLS))
    erp = erp.beside(found.value)
    kept = kept.narrowed(erp)
    document = found.value
    name = document.name
    ordered = await read_kept(kept, erp, PURCHASE_ORDERS, name, newest=0, now=context.now)
    billed = await read_kept(kept, erp, BILLS, name, newest=0, now=context.now)
    newest, awaited, unpaid = await asyncio.gather(
        if_offered(erp.purchase_orders(ListQuery(partner=name, limit=SUMMED))),
        read_open(erp, PURCHASE_ORDERS, name, erp.purchase_orders, ordered),
        read_open(erp, BILLS, name, erp.bills, billed),
    )
    if unpaid.part:
        document = replace(document, payable=None)
    return VendorView.of(
        found,
        newest,
        awaited,
        unpaid,
        context,
        silences,
        document=document,
        payable=sum_owed(document.payable, unpaid.whole),
        open_sums=sum_beside(document.payable, unpaid.whole),
        arrived=None if newest is None else count_arrived(newest.value.items, context.today),
        links=offered(erp, "po", "bill", "payment", of=found),
    )


def count_arrived(orders: Sequence[PurchaseOrder], today: date) -> Arrived | None:
    """Return how many of the orders came of those that should have; None where none was due yet."""
    due = [
        order
        for order in orders
        if order.status in _PLACED and order.due_on is not None and order.due_on < today and _brings_goods(order)
    ]
    return Arrived(sum(map(_came, due)), len(due)) if due else None


def _brings_goods(order: PurchaseOrder) -> bool:
    return order.awaits_goods or order.received is not None


def _came(order: PurchaseOrder) -> bool:
    """Return whether all goods came: an order may be done with its rest dropped, or sent back."""
    return order.status is PurchaseStatus.DONE if order.received is None else order.received is Progress.FULL
