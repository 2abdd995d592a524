"""The vendors of a product as ERPs tell them that do not list who offers it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from bot.erp.model import ReviewState
from bot.erp.model.goods import ProductDetails, Supply
from bot.kit.testing.company import ReferenceCompany


def supplied_earlier(record: Any) -> Any:
    """Return a product with those who sold it to the company, the latest first, instead of those who offer it."""
    if not isinstance(record, ProductDetails):
        return record
    bought = [
        (order.ordered_on or date.min, order.number, order.vendor)
        for order in ReferenceCompany().purchases.values()
        if order.status in {ReviewState.APPROVED, ReviewState.DONE}
        for line in order.lines
        if line.sku == record.product.sku
    ]
    newest = sorted(sorted(bought, key=lambda each: each[1]), key=lambda each: each[0], reverse=True)
    return replace(record, supplies=tuple(Supply(vendor=name) for name in dict.fromkeys(name for *_, name in newest)))
