"""What a customer owes with this order, against the limit that the ERP tells."""

from __future__ import annotations

from decimal import Decimal

from bot.checks.check import Check, CheckMarks, Looked
from bot.checks.evidence import Evidence
from bot.erp.kinds import CUSTOMERS, INVOICES, SALES_ORDERS
from bot.erp.list_query import Filter, ListQuery
from bot.erp.model import Customer, Money, SalesOrder
from bot.words.phrase import phrase


async def _look(order: SalesOrder, evidence: Evidence, marks: CheckMarks) -> Looked:
    named = await evidence.documents(CUSTOMERS, ListQuery(text=order.customer))
    code = next((each.code for each in named if each.name == order.customer), "")
    if not code:
        evidence.is_whole = False
        return (), phrase("Customer's credit: the customer was not found")
    customer = await evidence.document(CUSTOMERS, code)
    limit = customer.credit_limit
    if limit is None:
        return (), phrase("Customer's credit: no limit is told")
    owed = await _owed(customer, evidence)
    amounts = [*owed, *([order.total] if order.total is not None else [])]
    if order.total is None or any(each.currency != limit.currency for each in amounts):
        evidence.is_whole = False
        return (), phrase("Customer's credit: not all is in the currency of the limit, %(limit)s", limit=limit)
    debt = Money(sum((each.amount for each in owed), Decimal(0)), limit.currency)
    figures = {"debt": debt, "total": order.total, "limit": limit}
    looked_at = phrase("Customer's credit: open %(debt)s, limit %(limit)s", **figures)
    if debt.amount + order.total.amount > limit.amount:
        flag = phrase("Open %(debt)s and this order %(total)s are above the limit %(limit)s", **figures)
        return (flag,), looked_at
    return (), looked_at


async def _owed(customer: Customer, evidence: Evidence) -> tuple[Money, ...]:
    """Return what is owed: as the ERP states it, or what is open of each invoice."""
    if customer.receivable is not None:
        return (customer.receivable,)
    query = ListQuery(filter=Filter.OPEN, partner=customer.name)
    invoices = await evidence.documents(INVOICES, query)
    evidence.is_whole &= all(invoice.open_amount is not None for invoice in invoices)
    return tuple(invoice.open_amount for invoice in invoices if invoice.open_amount is not None)


OVER_CREDIT = Check(name="over_credit", title=phrase("Customer's credit"), kind=SALES_ORDERS, look=_look)
