"""Narrows records about goods to what a reader may see of them: each part by the rules on its area."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from bot.erp.kinds import ScopeKeys
from bot.erp.model import Area
from bot.erp.model.goods import Arrival, ArrivalKind, PriceKind, PricePoint, Prices, Shortage, Supply, WarehouseContents
from bot.erp.narrowing import Narrowing

T = TypeVar("T")

_PRICED = {PriceKind.SALE: Area.SALES, PriceKind.PURCHASE: Area.PURCHASING}
_COMING = {ArrivalKind.PURCHASE: Area.PURCHASING, ArrivalKind.PRODUCTION: Area.PRODUCTION}


def keep_items(narrowings: Sequence[Narrowing], items: Iterable[T], source: str) -> tuple[T, ...]:
    """Return what a reader may see of a list of arrivals or shortages."""
    kept = list(items)
    for narrowing in narrowings:
        kept = [shown for item in kept if (shown := _keep(narrowing, item, source)) is not None]
    return tuple(kept)


def keep_contents(
    narrowings: Sequence[Narrowing], contents: WarehouseContents, source: str
) -> WarehouseContents | None:
    """Return what a reader may see of a warehouse; None where they may see none of its stock."""
    items = contents.items
    for narrowing in narrowings:
        items = tuple(
            item
            for item in items
            if narrowing.covers_keys(
                Area.STOCK,
                ScopeKeys(source=source, category=item.product.category, warehouses=(contents.code, contents.name)),
            )
        )
    return None if contents.items and not items else replace(contents, items=items)


def keep_supplies(narrowings: Sequence[Narrowing], supplies: Iterable[Supply], source: str) -> tuple[Supply, ...]:
    """Return the vendors that a reader may see."""
    return tuple(
        supply
        for supply in supplies
        if all(
            narrowing.covers_keys(Area.PURCHASING, ScopeKeys(source=source, partner=supply.vendor))
            for narrowing in narrowings
        )
    )


def keep_prices(narrowings: Sequence[Narrowing], prices: Prices, source: str) -> Prices | None:
    """Return prices from the documents that a reader may see; None where they may not see the product.

    A reader who may not see the names of customers may not search by them either.
    """
    for narrowing in narrowings:
        if not narrowing.covers_product(prices.product, source):
            return None
        sales = _visible(narrowing, prices.sales, source)
        if prices.customer and Area.SALES in narrowing.by_number:
            sales = ()  # even the reader's only customer, whose name they may not see
        prices = replace(prices, sales=sales, purchases=_visible(narrowing, prices.purchases, source))
    return prices


def _visible(narrowing: Narrowing, points: Iterable[PricePoint], source: str) -> tuple[PricePoint, ...]:
    return tuple(
        point
        for point in points
        if narrowing.covers_keys(
            _PRICED[point.kind], ScopeKeys(source=source, partner=point.partner, owners=(point.owner,))
        )
    )


def _keep(narrowing: Narrowing, item: Any, source: str) -> Any:
    match item:
        case Arrival():
            return _keep_arrival(narrowing, item, source)
        case Shortage():
            places = (item.warehouse, item.warehouse_code)
            keys = ScopeKeys(source=source, category=item.category, warehouses=places)
        case _:
            raise TypeError(type(item).__name__)
    return item if narrowing.covers_keys(Area.STOCK, keys) else None


def _keep_arrival(narrowing: Narrowing, arrival: Arrival, source: str) -> Arrival | None:
    """Return an arrival; its document and partner are shown only to readers who may see that document.

    Orders tell neither a category nor a warehouse: who is bound to some does not find them (`Kind.keys`).
    """
    goods = ScopeKeys(source=source, category=arrival.category, warehouses=(arrival.warehouse,))
    if not narrowing.covers_keys(Area.STOCK, goods):
        return None
    document = ScopeKeys(source=source, partner=arrival.partner, owners=arrival.owners)
    if narrowing.covers_keys(_COMING[arrival.kind], document):
        return arrival
    return replace(arrival, document="", partner="", owners=())
