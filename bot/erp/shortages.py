"""What is short, worked out from stock, for ERPs that cannot be asked for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from bot.erp.goods import Shortage
from bot.erp.goods_port import ShortageQuery
from bot.erp.goods_sorting import by_urgency
from bot.erp.model import Quantities, Slice, StockLevel

_NOTHING = Decimal(0)


def shortages_of(level: StockLevel) -> Iterator[Shortage]:
    """Yield a product's shortages: in all by its reorder point, and of each warehouse by what is owed from there."""
    if level.below_reorder_point and level.per_warehouse:
        yield _shortage(level, level.total, reorder_point=level.reorder_point)
    for place in level.per_warehouse:
        figures = place.quantities
        if (_promised(figures) or _NOTHING) > (figures.on_hand or _NOTHING):
            yield _shortage(level, figures, warehouse=place.name, code=place.code)


def part_of_shortages(levels: Iterable[StockLevel], query: ShortageQuery, warehouse: str) -> Slice[Shortage]:
    """Return the part that a query asks for of what is short, in the warehouse of this code or in all."""
    found = by_urgency(
        short for level in levels for short in shortages_of(level) if warehouse in ("", short.warehouse_code)
    )
    return Slice(items=found[query.offset : query.offset + query.limit], total=len(found))


def _promised(figures: Quantities) -> Decimal | None:
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
        demanded=_promised(figures),
        incoming=figures.incoming,
        source=level.source,
    )
