"""The prices of a purchase order against what the same products cost before, by any vendor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TypeAlias

from bot.checks.check import Check, CheckMarks, Looked
from bot.checks.evidence import Evidence
from bot.erp.concurrency import gather_or_cancel
from bot.erp.kinds import PURCHASE_ORDERS
from bot.erp.list_query import Period
from bot.erp.model import Money, PurchaseOrder
from bot.erp.model.goods import PricePoint
from bot.words.phrase import Phrase, phrase

_YEAR = timedelta(days=365)
_TENTH = Decimal("0.1")
_Paid: TypeAlias = tuple[Decimal, PricePoint]
"""A price, and the purchase in which it was paid."""


async def _look(order: PurchaseOrder, evidence: Evidence, marks: CheckMarks) -> Looked:
    day = order.ordered_on or evidence.today
    bought = [(line, line.price) for line in order.lines if line.sku and not line.comes_back]
    priced = [(line, price) for line, price in bought if price is not None and price.amount > 0]
    by_worth = sorted(priced, key=lambda pair: pair[1].amount * pair[0].quantity, reverse=True)
    skus = tuple(dict.fromkeys(line.sku for line, _ in by_worth))
    found = await gather_or_cancel(*(evidence.purchases(sku, Period(day - _YEAR, day)) for sku in skus))
    known = dict(zip(skus, found, strict=True))
    flags: list[Phrase] = []
    compared = 0
    for line, price in priced:
        points, is_all = known[line.sku]
        if paid := _paid(points, line.unit, price.currency, order.number):
            compared += 1
            flags.extend(_above(line.sku, price, paid, marks.price_above, is_all=is_all))
    looked_at = phrase(
        "Last prices: %(compared)s of %(lines)s lines compared with earlier purchases",
        compared=compared,
        lines=len(order.lines),
    )
    return tuple(flags), looked_at


def _paid(points: Sequence[PricePoint], unit: str, currency: str, number: str) -> list[_Paid]:
    """Return the purchases that can be compared, without those of the order itself."""
    alike = (each for each in points if each.unit == unit and each.document != number)
    priced = ((each.price, each) for each in alike if each.price is not None)
    return [(price.amount, each) for price, each in priced if price.currency == currency and price.amount > 0]


def _above(sku: str, price: Money, paid: Sequence[_Paid], above: Decimal, *, is_all: bool) -> Iterator[Phrase]:
    last, newest = max(paid, key=lambda pair: (pair[1].day or date.min, pair[1].document))
    percent = (price.amount / last - 1) * 100
    if percent <= above:
        return
    dearer = phrase(
        "%(sku)s: %(price)s, %(percent)s %% above the last price %(last)s",
        sku=sku,
        price=unit_price(price),
        percent=percent.quantize(_TENTH, ROUND_HALF_UP),
        last=_told(newest),
    )
    best, cheapest = min(paid, key=lambda pair: pair[0])
    if best == last:
        yield dearer
    elif is_all:
        yield phrase("%(dearer)s; best of 12 months %(best)s", dearer=dearer, best=_told(cheapest))
    else:
        yield phrase("%(dearer)s; best of the last few %(best)s", dearer=dearer, best=_told(cheapest))


def _told(point: PricePoint) -> Phrase:
    return phrase(
        "%(price)s (%(number)s, %(day)s, %(vendor)s)",
        price=unit_price(point.price),
        number=point.document,
        day=point.day,
        vendor=point.partner,
    )


def unit_price(price: Money | None) -> str | None:
    """Return a unit price with all its digits: rounded like amounts, 0.1277 and 0.1297 would look alike."""
    return None if price is None else f"{price.amount.normalize():f} {price.currency}".strip()


LAST_PRICE = Check(name="price_above_last", title=phrase("Last price"), kind=PURCHASE_ORDERS, look=_look)
