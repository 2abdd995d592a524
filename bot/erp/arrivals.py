"""What is on its way, worked out from open documents, for ERPs that keep it nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from bot.erp.goods import Arrival, ArrivalKind
from bot.erp.goods_port import ArrivalQuery
from bot.erp.goods_sorting import by_arrival
from bot.erp.model import ProductionOrder, ProductionStatus, PurchaseOrder, Slice

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
        owners = (order.requester, order.named(order.requester), order.buyer)
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
