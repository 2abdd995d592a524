"""/mo: what is being made, how far it is, and what is late."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from bot.cards.view import View
from bot.chat.arguments import Keyword, Term
from bot.chat.context import QuestionContext
from bot.chat.days import DayRange, Days, asked_days
from bot.chat.records.documents import Documents
from bot.chat.registry import command
from bot.erp.kinds import PRODUCTION_ORDERS
from bot.words.phrase import phrase


class ProductionOrProduct(Term):
    """The number of a production order or of its sales order, or part of it, or part of a product's code or name."""

    placeholder = phrase("number or product")


class ProductionList(Keyword, changes=False, lists=PRODUCTION_ORDERS):
    """The lists of production orders that have a name."""

    LATE = phrase("late"), "overdue", "delayed", "晚", "迟", "延期", "逾期", "超期", "延迟", "yq"
    OPEN = phrase("open"), "unfinished", "未完工", "没完工", "未结", "在制", "在产"
    DONE = phrase("done"), "已完工", "完工"


_FINISHED = "完工"
"""Said after days, of what is due then: 明天完工. Of days that are over it says when production was finished."""


@command(
    "mo",
    aliases=("生产", "sc", "生产单", "生产订单", "工单", "production"),
    examples=("/mo MO-1", "/生产 电机", "/mo late", "/mo open", "/生产 已完工 昨天"),
    shows=("mo",),
    changes=False,
    summary=phrase("Production orders: one, a product's, the open, the late or the finished ones"),
    place=18,
)
async def mo(
    text: ProductionOrProduct | None = None,
    *,
    days: Days | None = None,
    which: ProductionList | None = None,
    documents: Documents,
    context: QuestionContext,
) -> View:
    """Show one production order, or a list."""
    today = context.today
    asked = asked_days(days, today, late=which is ProductionList.LATE)
    if days and asked and _is_of_finishing(days, asked, which, today):
        which, asked = ProductionList.DONE, replace(asked, due=False)
    hit = await documents.find(PRODUCTION_ORDERS, text, which=which, days=asked)
    return documents.show(PRODUCTION_ORDERS, hit)


def _is_of_finishing(days: Days, asked: DayRange, which: ProductionList | None, today: date) -> bool:
    """Whether days are those on which production was finished: 昨天完工, and 今天完工 of what is finished."""
    if not days.endswith(_FINISHED):
        return False
    return which is ProductionList.DONE or (which is None and asked.period.last < today)
