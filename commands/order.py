"""/order: what a customer ordered, and what is late."""

from __future__ import annotations

from bot.cards.view import View
from bot.chat.amounts import Amounts
from bot.chat.arguments import Keyword, PartnerTerm
from bot.chat.context import QuestionContext
from bot.chat.days import Days
from bot.chat.records.documents import Documents
from bot.chat.registry import command
from bot.erp.kinds import SALES_ORDERS
from bot.words.phrase import phrase


class OrderOrCustomer(PartnerTerm):
    """The number of a sales order, or part of it, or part of a customer's name, or a product in it."""

    placeholder = phrase("number, customer or SKU")


class OrderList(Keyword, changes=False, lists=SALES_ORDERS):
    """The lists of orders that have a name."""

    LATE = phrase("late"), "overdue", "delayed", "晚", "迟", "延期", "逾期", "超期", "晚了", "延迟", "未按期", "yq"
    OPEN = phrase("open"), "未结", "待发货", "未发货", "未发完", "未完成", "未交货", "未交"


@command(
    "order",
    aliases=("订单", "dd", "销售订单", "orders", "so"),
    examples=("/order SO-1001", "/订单 上海", "/order late"),
    shows=("order",),
    changes=False,
    summary=phrase("Sales orders: one, a customer's, the open or the late ones"),
    place=12,
)
async def order(
    text: OrderOrCustomer | None = None,
    *,
    days: Days | None = None,
    amounts: Amounts | None = None,
    which: OrderList | None = None,
    documents: Documents,
    context: QuestionContext,
) -> View:
    """Show one order with its lines, or a list."""
    hit = await documents.find_by_product(SALES_ORDERS, text, which=which, days=days, amounts=amounts)
    return documents.show(SALES_ORDERS, hit)
