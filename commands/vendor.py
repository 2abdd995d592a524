"""/vendor: who a vendor is, what the company owes them, and what is still to come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from bot.access.policy import AccessPolicy
from bot.cards.view import View
from bot.chat.arguments import Keyword, PartnerTerm
from bot.chat.context import QuestionContext
from bot.chat.records.partner_lookup import SUMMED
from bot.chat.records.partner_views import PartnerRead, PartnerView, show_partner
from bot.chat.records.rankings import RankedBy
from bot.chat.registry import Commands, command
from bot.erp.hub import ErpHub
from bot.erp.kinds import BILLS, PURCHASE_ORDERS, VENDORS
from bot.erp.model import Cost, Progress, PurchaseOrder, ReviewState, Supplier
from bot.read_model.queries import ReadModel
from bot.words.phrase import phrase

_PLACED = frozenset({ReviewState.APPROVED, ReviewState.DONE})


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

    kind: ClassVar = VENDORS
    orders_of: ClassVar = PURCHASE_ORDERS
    owed_of: ClassVar = BILLS
    debt: ClassVar[str] = "payable"
    newest_read: ClassVar[int] = SUMMED

    document: Supplier
    payable: tuple[Cost, ...] | None
    open_sums: tuple[Cost, ...] | None = None
    overdue: tuple[Cost, ...] | None
    arrived: Arrived | None
    orders: tuple[PurchaseOrder, ...]

    @classmethod
    def told(cls, read: PartnerRead) -> Mapping[str, object]:
        return {"arrived": None if read.newest is None else count_arrived(read.newest, read.today)}


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
    by = _RANKED_BY[which] if which else None
    return await show_partner(
        VendorView, text or "", which, by, erp=erp, kept=kept, context=context, policy=policy, commands=commands
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
    return order.status is ReviewState.DONE if order.received is None else order.received is Progress.FULL
