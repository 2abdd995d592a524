"""A bill against its purchase orders and what came in of them: more billed than ordered, or than was received.

Bills tell their total and no lines, so amounts are compared. What was received is its share of an order's worth, taken
of the order's total: so it holds whether or not the lines' amounts include taxes.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from bot.checks.check import Check, CheckMarks, Looked
from bot.checks.evidence import Evidence, counts
from bot.erp.concurrency import gather_or_cancel
from bot.erp.kinds import BILLS, PURCHASE_ORDERS
from bot.erp.list_query import ListQuery, Period
from bot.erp.model import Bill, Money, Progress, PurchaseOrder
from bot.words.phrase import phrase

MOST_ORDERS = 3
"""The orders of a bill that are read: a call each."""
_ROUNDING = Decimal("1.005")


async def _look(bill: Bill, evidence: Evidence, marks: CheckMarks) -> Looked:
    numbers = BILLS.order_numbers(bill)
    if not numbers or bill.total is None or bill.is_credit_note:
        return (), phrase("Ordered and received: the bill names no order")
    evidence.is_whole &= len(numbers) <= MOST_ORDERS
    orders = await gather_or_cancel(*(evidence.document(PURCHASE_ORDERS, each) for each in numbers[:MOST_ORDERS]))
    ordered = _sum([order.total for order in orders], bill.total.currency)
    if ordered is None or not evidence.is_whole:
        evidence.is_whole = False
        return (), phrase("Ordered and received: the orders %(numbers)s cannot be compared", numbers=numbers)
    billed, others = await _billed(bill, numbers, min(order.ordered_on or evidence.today for order in orders), evidence)
    received = _sum([_received(order) for order in orders], bill.total.currency)
    figures = {"billed": billed, "numbers": numbers, "others": len(others)}
    looked_at = phrase("Ordered and received: %(numbers)s, with %(others)s other bills", **figures)
    if billed.amount > ordered.amount * _ROUNDING:
        return (phrase("%(billed)s billed of %(numbers)s, ordered %(ordered)s", **figures, ordered=ordered),), looked_at
    if received is None:
        evidence.is_whole = False
        return (), phrase("%(looked_at)s; what came in is not told", looked_at=looked_at)
    if billed.amount > received.amount * _ROUNDING:
        flag = phrase("%(billed)s billed of %(numbers)s, goods for %(received)s received", **figures, received=received)
        return (flag,), looked_at
    return (), looked_at


async def _billed(
    bill: Bill, numbers: tuple[str, ...], since: date, evidence: Evidence
) -> tuple[Money, tuple[Bill, ...]]:
    """Return what is billed of the orders with this bill, and the other bills of them."""
    assert bill.total is not None, "only a bill with a total is compared"
    query = ListQuery(partner=bill.vendor, during=Period(since, evidence.today))
    others = tuple(
        other
        for other in await evidence.documents(BILLS, query)
        if other.number != bill.number and counts(other) and not set(numbers).isdisjoint(BILLS.order_numbers(other))
    )
    billed = _sum([bill.total, *(_signed(other) for other in others)], bill.total.currency)
    if billed is None:
        evidence.is_whole = False
    return billed or bill.total, others


def _signed(bill: Bill) -> Money | None:
    """Return what a bill adds to what is billed; a credit note takes away, however the ERP signs it."""
    if bill.total is None or not bill.is_credit_note:
        return bill.total
    return Money(-abs(bill.total.amount), bill.total.currency)


def _received(order: PurchaseOrder) -> Money | None:
    """Return the part of an order's total that came in, all of services; None where the ERP does not tell it."""
    if not order.awaits_goods and order.received in (None, Progress.NONE):
        return order.total
    worth = received = Decimal(0)
    for line in order.lines:
        if line.price is None or line.received is None:
            return None
        worth += line.price.amount * line.quantity
        received += line.price.amount * line.received
    if order.total is None or not worth:
        return None
    return Money((order.total.amount * received / worth).quantize(Decimal("0.01")), order.total.currency)


def _sum(amounts: list[Money | None], currency: str) -> Money | None:
    """Return the sum; None if an amount is unknown or in another currency."""
    known = [each.amount for each in amounts if each is not None and each.currency == currency]
    return Money(sum(known, Decimal(0)), currency) if len(known) == len(amounts) else None


OVERBILLED = Check(name="overbilled", title=phrase("Ordered and received"), kind=BILLS, look=_look)
