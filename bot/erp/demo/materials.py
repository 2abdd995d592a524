"""What the demo company's products are made of, and from whom it buys the rest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from operator import attrgetter

from bot.erp.demo.catalogue import Article
from bot.erp.goods import ComponentUse, Supply
from bot.erp.model import PurchaseOrder, PurchaseStatus

_BOUGHT = {PurchaseStatus.APPROVED, PurchaseStatus.DONE}

_WIRE, _STEEL, _MOTOR, _CORD, _BOX = "RM-01", "RM-11", "RM-41", "RM-31", "RM-52"
_RECIPES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "紧固件": ((_WIRE, "0.012"),),
    "手动工具": ((_STEEL, "0.35"), (_BOX, "0.02")),
    "电风扇": ((_MOTOR, "1"), (_CORD, "1.8"), (_BOX, "1")),
}
"""Category → what goes into one unit of its products."""


def make_components(articles: Sequence[Article]) -> dict[str, tuple[ComponentUse, ...]]:
    """Return what each product is made of, by its code."""
    known = {article.product.sku: article.product for article in articles}
    return {
        article.product.sku: tuple(
            ComponentUse(sku=sku, name=known[sku].name, unit=known[sku].unit, quantity=Decimal(quantity))
            for sku, quantity in _RECIPES[article.product.category]
        )
        for article in articles
        if article.made and article.product.category in _RECIPES
    }


def make_supplies(purchases: Sequence[PurchaseOrder]) -> dict[str, tuple[Supply, ...]]:
    """Return the vendors that each product was bought from, by its code: the latest first."""
    found: defaultdict[str, dict[str, Supply]] = defaultdict(dict)
    for order in sorted(purchases, key=attrgetter("ordered_on"), reverse=True):
        if order.status not in _BOUGHT:
            continue
        for line in order.lines:
            supply = Supply(vendor=order.vendor, lead_days=_days(order.ordered_on, order.due_on))
            found[line.sku].setdefault(order.vendor, supply)
    return {sku: tuple(supplies.values()) for sku, supplies in found.items()}


def _days(first: date | None, last: date | None) -> int | None:
    return (last - first).days if first and last else None
