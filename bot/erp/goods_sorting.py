"""How lists about goods are sorted, the same for every adapter (`bot.erp.goods_port`)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TypeVar

from bot.erp.goods import Arrival, GoodsDelivery, GoodsReceipt, PricePoint, Shortage

M = TypeVar("M", GoodsDelivery, GoodsReceipt)


def by_arrival(arrivals: Iterable[Arrival]) -> tuple[Arrival, ...]:
    """Return arrivals, due first; those without a due date last."""
    return tuple(sorted(arrivals, key=lambda each: (each.due_on or date.max, each.document, each.sku)))


def by_day(moves: Iterable[M]) -> tuple[M, ...]:
    """Return the deliveries or receipts of an order, the earliest first; those without a day last."""
    return tuple(sorted(moves, key=lambda each: (each.day or date.max, each.number)))


by_leaving = by_day
"""Its earlier name, which adapters of other packages use."""


def by_price_day(points: Iterable[PricePoint]) -> tuple[PricePoint, ...]:
    """Return prices, the newest first."""
    ordered = sorted(points, key=lambda each: each.document)
    return tuple(sorted(ordered, key=lambda each: each.day or date.min, reverse=True))


def by_urgency(shortages: Iterable[Shortage]) -> tuple[Shortage, ...]:
    """Return shortages: those of open documents first, then by product; all warehouses together before single ones."""
    return tuple(sorted(shortages, key=lambda each: (not each.owed, each.sku, each.warehouse_code)))
