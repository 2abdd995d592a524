"""/bill: what the company owes its vendors, and what is overdue."""

from __future__ import annotations

from bot.cards.view import View
from bot.chat.amounts import Amounts
from bot.chat.arguments import Keyword, PartnerTerm
from bot.chat.context import QuestionContext
from bot.chat.days import Days
from bot.chat.records.documents import Documents
from bot.chat.registry import command
from bot.erp.kinds import BILLS
from bot.words.phrase import phrase


class BillOrVendor(PartnerTerm):
    """The number of a bill, ours or the vendor's, or of its order, or part of a number or of a vendor's name."""

    placeholder = phrase("number or vendor")


class BillList(Keyword, changes=False, lists=BILLS):
    """The lists of bills that have a name."""

    OVERDUE = phrase("overdue"), "late", "逾期", "超期", "到期未付", "yq"
    OPEN = phrase("open"), "未结", "未付", "to pay", "待付", "待付款", "应付未付"


@command(
    "bill",
    aliases=("应付", "yf", "供应商发票", "进项发票", "bills", "payables"),
    examples=("/bill BILL-1", "/应付 逾期", "/bill open"),
    shows=("po",),
    changes=False,
    summary=phrase("Vendors' invoices: one, a vendor's, the open or the overdue ones"),
    place=36,
)
async def bill(
    text: BillOrVendor | None = None,
    *,
    days: Days | None = None,
    amounts: Amounts | None = None,
    which: BillList | None = None,
    documents: Documents,
    context: QuestionContext,
) -> View:
    """Show one bill, or a list."""
    hit = await documents.find(BILLS, text, which=which, days=days, amounts=amounts)
    return documents.show(BILLS, hit)
