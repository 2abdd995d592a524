"""Lists about goods as every adapter sorts and cuts them (`bot.erp.goods.port`).

For ERPs that cannot be asked for it, what is on its way is worked out from open documents, and what is short from
stock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import TypeVar

from bot.erp.errors import Ambiguous, NotFound
from bot.erp.goods.port import ArrivalQuery, ShortageQuery, WarehouseQuery
from bot.erp.kinds import D, kind_of
from bot.erp.model import Product, ProductionOrder, ProductionStatus, PurchaseOrder, Quantities, Slice, StockLevel
from bot.erp.model.goods import (
    Arrival,
    ArrivalKind,
    PricePoint,
    Shortage,
    WarehouseContents,
    WarehouseItem,
)


def by_arrival(arrivals: Iterable[Arrival]) -> tuple[Arrival, ...]:
    """Return arrivals, due first; those without a due date last."""
    return tuple(sorted(arrivals, key=lambda each: (each.due_on or date.max, each.document, each.sku)))


def by_day(moves: Iterable[D]) -> tuple[D, ...]:
    """Return the deliveries or receipts of an order, the earliest first; those without a day last."""
    return tuple(sorted(moves, key=lambda each: (kind_of(each).day(each) or date.max, each.number)))


by_leaving = by_day
"""Its earlier name, which adapters of other packages use."""


def by_price_day(points: Iterable[PricePoint]) -> tuple[PricePoint, ...]:
    """Return prices, the newest first."""
    ordered = sorted(points, key=lambda each: each.document)
    return tuple(sorted(ordered, key=lambda each: each.day or date.min, reverse=True))


def by_urgency(shortages: Iterable[Shortage]) -> tuple[Shortage, ...]:
    """Return shortages: those of open documents first, then by product; all warehouses together before single ones."""
    return tuple(sorted(shortages, key=lambda each: (not each.owed, each.sku, each.warehouse_code)))


_NOTHING = Decimal(0)
_BEING_MADE = frozenset({ProductionStatus.RELEASED, ProductionStatus.RUNNING})


def arrivals_of(
    purchases: Iterable[PurchaseOrder], productions: Iterable[ProductionOrder], query: ArrivalQuery
) -> Slice[Arrival]:
    """Return part of what is open of approved purchase orders, with their lines, and of released production orders."""
    return part_of_arrivals((*_bought(purchases), *made_arrivals(productions)), query)


def part_of_arrivals(arrivals: Iterable[Arrival], query: ArrivalQuery) -> Slice[Arrival]:
    """Return the part that a query asks for of what is on its way."""
    found = by_arrival(each for each in arrivals if _is_wanted(each, query))
    return Slice(items=found[query.offset : query.offset + query.limit], total=len(found))


def _is_wanted(arrival: Arrival, query: ArrivalQuery) -> bool:
    of_product = not query.sku or arrival.sku.casefold() == query.sku.casefold()
    return of_product and query.wants(arrival)


def _bought(orders: Iterable[PurchaseOrder]) -> Iterator[Arrival]:
    for order in orders:
        owners = (order.review.requester, order.review.named(order.review.requester), order.buyer)
        for line in order.lines if order.is_open else ():
            rest = line.quantity - (line.received or _NOTHING)
            if rest > 0:
                yield Arrival(
                    document=order.number,
                    kind=ArrivalKind.PURCHASE,
                    sku=line.sku,
                    name=line.name,
                    unit=line.unit,
                    quantity=rest,
                    due_on=order.due_on,
                    partner=order.vendor,
                    owners=tuple(dict.fromkeys(filter(None, owners))),
                    source=order.source,
                )


def made_arrivals(orders: Iterable[ProductionOrder]) -> Iterator[Arrival]:
    """Yield what is still to come out of production orders that were begun or released."""
    for order in orders:
        rest = order.planned - (order.produced or _NOTHING)
        if order.status in _BEING_MADE and rest > 0:
            yield Arrival(
                document=order.number,
                kind=ArrivalKind.PRODUCTION,
                sku=order.sku,
                name=order.name,
                unit=order.unit,
                quantity=rest,
                due_on=order.due_on,
                source=order.source,
            )


def shortages_of(level: StockLevel) -> Iterator[Shortage]:
    """Yield a product's shortages: in all by its reorder point, and of each warehouse by what is owed from there."""
    if level.below_reorder_point and level.per_warehouse:
        yield _shortage(level, level.total, reorder_point=level.reorder_point)
    for place in level.per_warehouse:
        figures = place.quantities
        if (promised(figures) or _NOTHING) > (figures.on_hand or _NOTHING):
            yield _shortage(level, figures, warehouse=place.name, code=place.code)


def part_of_shortages(levels: Iterable[StockLevel], query: ShortageQuery, warehouse: str) -> Slice[Shortage]:
    """Return the part that a query asks for of what is short, in the warehouse of this code or in all."""
    found = by_urgency(
        short for level in levels for short in shortages_of(level) if warehouse in ("", short.warehouse_code)
    )
    return Slice(items=found[query.offset : query.offset + query.limit], total=len(found))


def promised(figures: Quantities) -> Decimal | None:
    """Return what documents take from a place: some ERPs reserve for them also what is not there."""
    return figures.reserved if figures.outgoing is None else figures.outgoing


def _shortage(
    level: StockLevel,
    figures: Quantities,
    *,
    reorder_point: Decimal | None = None,
    warehouse: str = "",
    code: str = "",
) -> Shortage:
    product = level.product
    return Shortage(
        sku=product.sku,
        name=product.name,
        unit=product.unit,
        category=product.category,
        warehouse=warehouse,
        warehouse_code=code,
        on_hand=figures.on_hand or _NOTHING,
        available=figures.available,
        reorder_point=reorder_point,
        demanded=promised(figures),
        incoming=figures.incoming,
        source=level.source,
    )


W = TypeVar("W")


def pick_warehouse(warehouses: Iterable[W], wanted: str, names: Callable[[W], tuple[str, str]], *, source: str) -> W:
    """Return the warehouse with this code or name, else the only one whose name holds it.

    ``names`` returns code and name. Raises `NotFound`, and `Ambiguous` where several fit.
    """
    known = [(warehouse, *names(warehouse)) for warehouse in warehouses]
    folded = wanted.strip().casefold()
    # People say 上海仓 for 上海成品仓库, and 上海 for 上海仓.
    part = _place_in(folded)
    exact = [warehouse for warehouse, code, name in known if folded in (code.casefold(), name.casefold())]
    exact = exact or [warehouse for warehouse, _, name in known if part and part == _place_in(name.casefold())]
    found = exact or [warehouse for warehouse, _, name in known if part and part in name.casefold()]
    if not found:
        raise NotFound(wanted, source=source)
    if len(found) > 1:
        raise Ambiguous(wanted, len(found), source=source)
    return found[0]


def is_warehouse(warehouses: Iterable[W], wanted: str, names: Callable[[W], tuple[str, str]]) -> bool:
    """Whether a warehouse has just this code or name. Where none has, one that was made since may be meant."""
    folded = wanted.strip().casefold()
    return any(folded == name.casefold() for warehouse in warehouses for name in names(warehouse))


def _place_in(name: str) -> str:
    """Return the name of a warehouse without the word for one, if anything is left of it."""
    return name.removesuffix("库").removesuffix("仓") or name


def contents_of(
    items: Iterable[WarehouseItem], code: str, name: str, query: WarehouseQuery, *, source: str
) -> WarehouseContents:
    """Return the part that a query asks for of a warehouse's stock and what is reserved there."""
    found = sorted(
        (item for item in items if _is_there(item.quantities) and _has(item.product, query.text)),
        key=lambda item: item.product.sku,
    )
    return WarehouseContents(
        code=code,
        name=name,
        items=tuple(found[query.offset : query.offset + query.limit]),
        total=len(found),
        source=source,
    )


def _is_there(quantities: Quantities) -> bool:
    return bool(quantities.on_hand or quantities.reserved)


def _has(product: Product, text: str) -> bool:
    """Whether a product has each word of a text in its code, name or spec."""
    known = f"{product.sku}\n{product.name}\n{product.spec}".casefold()
    return all(word in known for word in text.casefold().split())
