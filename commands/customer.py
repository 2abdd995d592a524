"""/customer: who a customer is, what they owe, and what is on order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from bot.access.policy import AccessPolicy
from bot.cards.view import View
from bot.chat.arguments import Keyword, PartnerTerm
from bot.chat.context import QuestionContext
from bot.chat.records.partner_views import PartnerRead, PartnerView, show_partner
from bot.chat.records.rankings import RankedBy
from bot.chat.registry import Commands, command
from bot.erp.hub import ErpHub
from bot.erp.kinds import CUSTOMERS, INVOICES, SALES_ORDERS
from bot.erp.model import Customer, Money, SalesAmount, SalesOrder
from bot.read_model.queries import ReadModel
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

    kind: ClassVar = CUSTOMERS
    orders_of: ClassVar = SALES_ORDERS
    owed_of: ClassVar = INVOICES
    debt: ClassVar[str] = "receivable"

    document: Customer
    receivable: tuple[SalesAmount, ...] | None
    open_sums: tuple[SalesAmount, ...] | None = None
    overdue: tuple[SalesAmount, ...] | None
    credit_left: SalesAmount | None
    orders: tuple[SalesOrder, ...]

    @classmethod
    def told(cls, read: PartnerRead) -> Mapping[str, object]:
        return {"credit_left": None if read.is_part else _credit_left(read.document.credit_limit, read.owed)}


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
    by = _RANKED_BY[which] if which else None
    return await show_partner(
        CustomerView, text or "", which, by, erp=erp, kept=kept, context=context, policy=policy, commands=commands
    )


def _credit_left(limit: Money | None, receivable: tuple[Money, ...] | None) -> Money | None:
    """Return how much the customer may still owe; None where a part of the debt is in another currency."""
    if limit is None or receivable is None or any(owed.currency != limit.currency for owed in receivable):
        return None
    return Money(limit.amount - sum((owed.amount for owed in receivable), Decimal()), limit.currency)
