"""The prices of a purchase order against what the same products cost before, by any vendor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal

from bot.checks.check import Check, CheckMarks, Looked
from bot.checks.evidence import Evidence, Purchase
from bot.erp.concurrency import gather_or_cancel
from bot.erp.kinds import PURCHASE_ORDERS
from bot.erp.list_query import Period
from bot.erp.model import Money, PurchaseLine, PurchaseOrder
from bot.words.phrase import Phrase, phrase

_YEAR = timedelta(days=365)
_TENTH = Decimal("0.1")


async def _look(order: PurchaseOrder, evidence: Evidence, marks: CheckMarks) -> Looked:
    day = order.ordered_on or evidence.today
    priced = [line for line in order.lines if line.sku and line.price is not None and line.price.amount > 0]
    skus = tuple(dict.fromkeys(line.sku for line in sorted(priced, key=_worth, reverse=True)))
    found = await gather_or_cancel(*(evidence.purchases(sku, Period(day - _YEAR, day)) for sku in skus))
    known = dict(zip(skus, found, strict=True))
    flags: list[Phrase] = []
    compared = 0
    for line in priced:
        purchases, is_all = known[line.sku]
        if alike := [each for each in purchases if _is_comparable(each, line, order.number)]:
            compared += 1
            flags.extend(_above(line, alike, marks.price_above, is_all=is_all))
    looked_at = phrase(
        "Last prices: %(compared)s of %(lines)s lines compared with earlier purchases",
        compared=compared,
        lines=len(order.lines),
    )
    return tuple(flags), looked_at


def _worth(line: PurchaseLine) -> Decimal:
    return line.price.amount * line.quantity if line.price is not None else Decimal(0)


def _is_comparable(purchase: Purchase, line: PurchaseLine, number: str) -> bool:
    assert line.price is not None, "only lines with a price are compared"
    same = (purchase.unit, purchase.price.currency) == (line.unit, line.price.currency)
    return same and purchase.number != number and purchase.price.amount > 0


def _above(line: PurchaseLine, purchases: Sequence[Purchase], above: Decimal, *, is_all: bool) -> Iterator[Phrase]:
    assert line.price is not None, "only lines with a price are compared"
    last = max(purchases, key=lambda each: (each.day, each.number))
    percent = (line.price.amount / last.price.amount - 1) * 100
    if percent <= above:
        return
    dearer = phrase(
        "%(sku)s: %(price)s, %(percent)s %% above the last price %(last)s",
        sku=line.sku,
        price=unit_price(line.price),
        percent=percent.quantize(_TENTH, ROUND_HALF_UP),
        last=_told(last),
    )
    best = min(purchases, key=lambda each: (each.price.amount, -each.day.toordinal()))
    if best.price.amount == last.price.amount:
        yield dearer
    elif is_all:
        yield phrase("%(dearer)s; best of 12 months %(best)s", dearer=dearer, best=_told(best))
    else:
        yield phrase("%(dearer)s; best of the last few %(best)s", dearer=dearer, best=_told(best))


def _told(purchase: Purchase) -> Phrase:
    return phrase(
        "%(price)s (%(number)s, %(day)s, %(vendor)s)",
        price=unit_price(purchase.price),
        number=purchase.number,
        day=purchase.day,
        vendor=purchase.vendor,
    )


def unit_price(price: Money) -> str:
    """Return a unit price with all its digits: rounded like amounts, 0.1277 and 0.1297 would look alike."""
    return f"{price.amount.normalize():f} {price.currency}".strip()


LAST_PRICE = Check(name="price_above_last", title=phrase("Last price"), kind=PURCHASE_ORDERS, look=_look)
