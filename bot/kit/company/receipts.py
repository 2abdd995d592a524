"""Goods received at the demo company's warehouse from its vendors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count
from random import Random

from bot.erp.model import PurchaseLine, PurchaseOrder
from bot.erp.model.goods import GoodsReceipt, ReceiptLine
from bot.kit.company.sales import WAREHOUSES, moment

FIRST_NUMBER = 1001
TAKES_IN = "SH"
"""The warehouse that receives all purchases."""
_AT_ONCE = 2
"""The number of an order's lines that a vendor delivers together."""


def make_receipts(rng: Random, today: date, purchases: Sequence[PurchaseOrder]) -> list[GoodsReceipt]:
    """Return the receipts of all orders, oldest first: they add up to the orders' lines."""
    came = [receipt for order in purchases for receipt in _receipts(rng, today, order)]
    came.sort(key=lambda receipt: receipt.received_on or date.min)
    numbers = count(FIRST_NUMBER)
    return [replace(receipt, id=number, number=number) for receipt in came if (number := f"GRN-{next(numbers)}")]


def _receipts(rng: Random, today: date, order: PurchaseOrder) -> Iterator[GoodsReceipt]:
    assert order.ordered_on is not None
    lines = [received_line(line, line.received) for line in order.lines if line.received]
    last = today - timedelta(days=1)
    day = order.ordered_on
    for first in range(0, len(lines), _AT_ONCE):
        day = min(day + timedelta(days=rng.randrange(2, 12)), last)
        yield receipt_of(order, lines[first : first + _AT_ONCE], on=day, at=moment(day, rng))


def received_line(line: PurchaseLine, quantity: Decimal) -> ReceiptLine:
    """Return the receipt line for a received quantity."""
    return ReceiptLine(sku=line.sku, name=line.name, unit=line.unit, quantity=quantity)


def receipt_of(
    order: PurchaseOrder, lines: Iterable[ReceiptLine], *, on: date, at: datetime, number: str = ""
) -> GoodsReceipt:
    """Return the receipt of a part of an order."""
    return GoodsReceipt(
        id=number,
        number=number,
        order_numbers=(order.number,),
        vendor=order.vendor,
        received_on=on,
        warehouse=WAREHOUSES[TAKES_IN],
        lines=tuple(lines),
        owners=(order.buyer, order.review.requester, order.review.named(order.review.requester)),
        changed_at=at,
    )
