"""/invoice: what customers owe, and what is overdue."""

from __future__ import annotations

from bot.cards.view import View
from bot.chat.amounts import Amounts
from bot.chat.arguments import Keyword, PartnerTerm
from bot.chat.context import QuestionContext
from bot.chat.days import Days
from bot.chat.records.documents import Documents
from bot.chat.registry import command
from bot.erp.kinds import INVOICES
from bot.words.phrase import phrase


class InvoiceOrCustomer(PartnerTerm):
    """The number of an invoice or of its order, or part of the number, or part of a customer's name."""

    placeholder = phrase("number or customer")


class InvoiceList(Keyword, changes=False, lists=INVOICES):
    """The lists of invoices that have a name."""

    OVERDUE = phrase("overdue"), "late", "逾期", "超期", "过期", "欠款", "催款", "yq"
    OPEN = phrase("open"), "未结", "unpaid", "未收款", "未收", "未付", "未付款", "未回款", "未结清"


@command(
    "invoice",
    aliases=("发票", "fp", "应收", "invoices", "inv"),
    examples=("/invoice INV-7", "/invoice SO-1001", "/发票 上海", "/invoice overdue", "/发票 未收款"),
    shows=("invoice",),
    changes=False,
    summary=phrase("Customer invoices: one, a customer's, the open or the overdue ones"),
    place=14,
)
async def invoice(
    text: InvoiceOrCustomer | None = None,
    *,
    days: Days | None = None,
    amounts: Amounts | None = None,
    which: InvoiceList | None = None,
    documents: Documents,
    context: QuestionContext,
) -> View:
    """Show one invoice, or a list."""
    hit = await documents.find(INVOICES, text, which=which, days=days, amounts=amounts)
    return documents.show(INVOICES, hit)
