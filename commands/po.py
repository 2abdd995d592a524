"""/po: what the company ordered from vendors, and what waits for approval."""

from __future__ import annotations

from bot.cards.view import View
from bot.chat.amounts import Amounts
from bot.chat.arguments import Keyword, PartnerTerm
from bot.chat.days import Days
from bot.chat.records.documents import Documents
from bot.chat.registry import command
from bot.erp.kinds import PURCHASE_ORDERS
from bot.words.phrase import phrase


class PurchaseOrVendor(PartnerTerm):
    """The number of a purchase order, or part of it, or part of a vendor's name, or a product in it."""

    placeholder = phrase("number, vendor or SKU")


class PurchaseList(Keyword, changes=False, lists=PURCHASE_ORDERS):
    """The lists of purchase orders that have a name."""

    PENDING = phrase("pending"), "waiting", "approve", "待审批", "待审", "待批", "审批", "未审批", "dsp"
    LATE = phrase("late"), "overdue", "delayed", "晚", "迟", "延期", "逾期", "超期", "延迟", "yq"
    OPEN = phrase("open"), "未结", "未到货", "未完成", "待到货", "待收货"


@command(
    "po",
    aliases=("采购", "cg", "采购单", "采购订单", "purchase"),
    examples=("/po PO-1001", "/采购 待审批", "/po late"),
    shows=("po",),
    changes=False,
    summary=phrase("Purchase orders: one, a vendor's, those to approve, the open or the late ones"),
    place=16,
)
async def po(
    text: PurchaseOrVendor | None = None,
    *,
    days: Days | None = None,
    amounts: Amounts | None = None,
    which: PurchaseList | None = None,
    documents: Documents,
) -> View:
    """Show one purchase order with its lines, or a list."""
    hit = await documents.find_by_product(PURCHASE_ORDERS, text, which=which, days=days, amounts=amounts)
    return documents.show(PURCHASE_ORDERS, hit)
