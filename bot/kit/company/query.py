"""Reads of the demo ERP's products, stock and changes. Each runs within one trip to the database thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from sqlalchemy import bindparam, case, func, or_, select
from sqlalchemy.engine import Connection

from bot.erp.errors import Invalid, NotFound
from bot.erp.model import (
    Change,
    Changes,
    Followed,
    Lot,
    Product,
    Quantities,
    StockLevel,
    WarehouseStock,
)
from bot.kit.company import tables as t
from bot.kit.company.lots import lying
from bot.kit.company.rows import Record, record_of
from bot.kit.company.tables import fold, whole_number

_PRODUCT, _STOCK, _WAREHOUSE = t.table(t.ProductRow), t.table(t.StockRow), t.table(t.WarehouseRow)
_LOT = t.table(t.LotRow)
_CHANGE = t.table(t.ChangeRow)


def products(connection: Connection, text: str, limit: int) -> tuple[Product, ...]:
    """Return products that contain every word of ``text`` in code, name, spec, barcode or pinyin initials."""
    wanted = fold(text)
    columns = _PRODUCT.c
    rank = case(
        (or_(columns.sku_key == wanted, columns.barcode == wanted), 0),
        (columns.sku_key.startswith(wanted, autoescape=True), 1),
        (columns.name_key == wanted, 2),
        (columns.name_key.startswith(wanted, autoescape=True), 3),
        (columns.initials.startswith(wanted, autoescape=True), 4),
        (columns.sku_key.contains(wanted, autoescape=True), 5),
        (columns.name_key.contains(wanted, autoescape=True), 6),
        else_=7,
    )
    found = (
        select(_PRODUCT)
        .where(*(columns.search.contains(word, autoescape=True) for word in wanted.split()))
        .order_by(rank, func.length(columns.name_key), columns.sku_key)
        .limit(limit)
    )
    return tuple(product_of(row) for row in connection.execute(found))


def product_of(row: Record) -> Product:
    """Return the product in a row with its columns."""
    return record_of(Product, row)


_STOCK_OF_PRODUCT = (
    select(_PRODUCT, _STOCK, _WAREHOUSE.c.name.label("warehouse_name"))
    .outerjoin(_STOCK, _STOCK.c.sku_key == _PRODUCT.c.sku_key)
    .outerjoin(_WAREHOUSE, _WAREHOUSE.c.code == _STOCK.c.warehouse)
    .where(_PRODUCT.c.sku_key == bindparam("key"))
    .order_by(_WAREHOUSE.c.position)
)


_FIGURES = ("on_hand", "reserved", "incoming", "outgoing")
_LOTS_OF_PRODUCT = select(_LOT).where(_LOT.c.sku_key == bindparam("key"))


def stock(connection: Connection, sku: str, source: str, as_of: datetime) -> StockLevel:
    """Return a product's stock; raises `NotFound`."""
    rows = connection.execute(_STOCK_OF_PRODUCT, {"key": fold(sku)}).all()
    if not rows:
        raise NotFound(sku, source=source)
    return replace(level_of(rows, source, as_of), lots=_lots(connection, rows))


def level_of(rows: Sequence[Record], source: str, as_of: datetime) -> StockLevel:
    """Return the stock of a product from its rows, one per warehouse; a product without stock has one row."""
    stocked = [row for row in rows if row.warehouse is not None]
    figures = [quantities_of(row.on_hand, row.reserved, row.incoming, row.outgoing) for row in stocked]
    total = (sum((getattr(row, name) for row in stocked), Decimal(0)) for name in _FIGURES)
    return StockLevel(
        product=product_of(rows[0]),
        total=quantities_of(*total),
        per_warehouse=tuple(
            WarehouseStock(code=row.warehouse, name=row.warehouse_name, quantities=quantities)
            for row, quantities in zip(stocked, figures, strict=True)
        ),
        reorder_point=rows[0].reorder_point,
        as_of=as_of,
        source=source,
    )


def _lots(connection: Connection, rows: Sequence[Record]) -> tuple[Lot, ...]:
    """Return the remaining lots of a product."""
    on_hand = {row.warehouse: row.on_hand for row in rows if row.warehouse is not None}
    found = connection.execute(_LOTS_OF_PRODUCT, {"key": rows[0].sku_key})
    return lying(
        (record_of(Lot, row) for row in found),
        on_hand,
    )


def quantities_of(on_hand: Decimal, reserved: Decimal, incoming: Decimal, outgoing: Decimal) -> Quantities:
    """Return all figures of a place."""
    return Quantities(
        on_hand=on_hand,
        reserved=reserved,
        available=on_hand - reserved,
        incoming=incoming,
        outgoing=outgoing,
        forecast=on_hand + incoming - outgoing,
    )


def changes(connection: Connection, area: Followed, cursor: str, limit: int, source: str) -> Changes:
    """Return the next changes. The cursor is the last revision seen, so equal times neither hide nor repeat any."""
    after = whole_number(cursor or "0")
    if after is None:
        raise Invalid(f"not a cursor of this ERP: {cursor[:40]!r}", source=source)
    wanted = select(_CHANGE).where(_CHANGE.c.area == area, _CHANGE.c.revision > after)
    rows = connection.execute(wanted.order_by(_CHANGE.c.revision).limit(limit + 1)).all()
    return Changes(
        items=tuple(Change(area=area, key=row.key, changed_at=row.changed_at) for row in rows[:limit]),
        cursor=str(rows[:limit][-1].revision) if rows[:limit] else cursor,
        more=len(rows) > limit,
    )
