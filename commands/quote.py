"""/quote: what the company offered, until when it holds, and what became of it."""

from __future__ import annotations

from bot.cards.view import View
from bot.chat.amounts import Amounts
from bot.chat.arguments import Keyword, PartnerTerm
from bot.chat.days import Days
from bot.chat.records.documents import Documents
from bot.chat.registry import command
from bot.erp.kinds import QUOTATIONS
from bot.words.phrase import phrase


class QuotationOrCustomer(PartnerTerm):
    """The number of a quotation or of its order, or part of a customer's name, or a product in it."""

    placeholder = phrase("number, customer or SKU")


class QuotationList(Keyword, changes=False, lists=QUOTATIONS):
    """The lists of quotations that have a name."""

    LATE = phrase("expired"), "late", "overdue", "已过期", "逾期", "失效", "gq"
    OPEN = phrase("open"), "未结", "未成交", "待回复", "跟进中"


@command(
    "quote",
    aliases=("报价单", "bjd", "quotation", "quotations", "quotes"),
    examples=("/quote QT-1001", "/报价单 上海", "/quote expired"),
    shows=("order",),
    changes=False,
    summary=phrase("Quotations: one, a customer's, the open or the expired ones"),
    place=14,
)
async def quote(
    text: QuotationOrCustomer | None = None,
    *,
    days: Days | None = None,
    amounts: Amounts | None = None,
    which: QuotationList | None = None,
    documents: Documents,
) -> View:
    """Show one quotation with its lines, or a list."""
    hit = await documents.find_by_product(QUOTATIONS, text, which=which, days=days, amounts=amounts)
    return documents.show(QUOTATIONS, hit)
