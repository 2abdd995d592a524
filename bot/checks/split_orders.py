"""Whether an order and others to the same vendor were kept just below an amount at which another rule decides."""

from __future__ import annotations

from datetime import timedelta

from bot.checks.check import Check, CheckMarks, Looked
from bot.checks.evidence import BOUGHT, Evidence
from bot.erp.kinds import PURCHASE_ORDERS
from bot.erp.list_query import ListQuery, Period
from bot.erp.model import Money, PurchaseOrder, ReviewState
from bot.words.phrase import phrase

_COUNTED = BOUGHT | {ReviewState.WAITING}
_PARTS = 2
"""Into how many parts an order is split at most: smaller ones are everyday orders."""


async def _look(order: PurchaseOrder, evidence: Evidence, marks: CheckMarks) -> Looked:
    total, day, days = order.total, order.ordered_on or evidence.today, timedelta(days=marks.split_days)
    bounds = [bound for bound in evidence.bounds if total and bound.currency == total.currency]
    if total is None or not bounds:
        return (), phrase("Split orders: no rule has an amount for it")
    query = ListQuery(partner=order.vendor, during=Period(day - days, day + days))
    others = [
        (other.number, other.total)
        for other in await evidence.documents(PURCHASE_ORDERS, query)
        if other.total is not None and other.total.currency == total.currency and _belongs(other, order)
    ]
    looked_at = phrase(
        "Split orders: %(count)s others by the same person from the vendor within %(days)s days",
        count=len(others),
        days=marks.split_days,
    )
    for bound in sorted(bounds, key=lambda bound: bound.amount, reverse=True):
        parts = [(number, money) for number, money in others if _is_part(money, bound)]
        together = Money(sum((money.amount for _, money in parts), total.amount), total.currency)
        if _is_part(total, bound) and together.amount >= bound.amount:
            flag = phrase(
                "With %(numbers)s it comes to %(together)s, and each is below %(bound)s",
                numbers=tuple(number for number, _ in parts),
                together=together,
                bound=bound,
            )
            return (flag,), looked_at
    return (), looked_at


def _is_part(total: Money, bound: Money) -> bool:
    return bound.amount / _PARTS <= total.amount < bound.amount


def _belongs(other: PurchaseOrder, order: PurchaseOrder) -> bool:
    """Return whether another order may be a part of the same: by whoever wanted it, else by whoever bought it."""
    if other.number == order.number or other.vendor != order.vendor or other.status not in _COUNTED:
        return False
    people = ((other.review.requester, order.review.requester), (other.buyer, order.buyer))
    theirs, own = next((pair for pair in people if all(pair)), ("", ""))
    return theirs == own


SPLIT = Check(name="split", title=phrase("Split orders"), kind=PURCHASE_ORDERS, look=_look)
