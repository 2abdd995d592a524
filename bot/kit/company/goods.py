"""Reads of the demo ERP about goods. Each runs within one trip to the database thread."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, func, or_, select
from sqlalchemy.engine import Connection

from bot.erp.errors import NotFound
from bot.erp.goods.lists import by_arrival, part_of_shortages, pick_warehouse
from bot.erp.goods.port import LAST_PRICES, MOST_USES, ArrivalQuery, ShortageQuery, WarehouseQuery
from bot.erp.model import Money, OrderStatus, ProductionStatus, ReviewState, Slice
from bot.erp.model.goods import (
    Arrival,
    ArrivalKind,
    ComponentUse,
    PriceKind,
    PricePoint,
    Prices,
    ProductDetails,
    Shortage,
    Supply,
    WarehouseContents,
    WarehouseItem,
)
from bot.kit.company import tables as t
from bot.kit.company.owners import account_of
from bot.kit.company.query import level_of, product_of, quantities_of
from bot.kit.company.rows import Record, record_of
from bot.kit.company.supply import NAMES
from bot.kit.company.tables import fold

_PRODUCT, _STOCK, _WAREHOUSE = t.table(t.ProductRow), t.table(t.StockRow), t.table(t.WarehouseRow)
_COMPONENT, _SUPPLY = t.table(t.ComponentRow), t.table(t.SupplyRow)
_ORDER, _ORDER_LINE = t.table(t.OrderRow), t.table(t.OrderLineRow)
_PURCHASE, _PURCHASE_LINE = t.table(t.PurchaseRow), t.table(t.PurchaseLineRow)
_PRODUCTION = t.table(t.ProductionRow)

_SOLD = (OrderStatus.OPEN, OrderStatus.PARTLY_DELIVERED, OrderStatus.DELIVERED, OrderStatus.CLOSED)
_BOUGHT = (ReviewState.APPROVED, ReviewState.DONE)
_BEING_MADE = (ProductionStatus.RELEASED, ProductionStatus.RUNNING)
_RECEIVING = "上海仓"
"""The warehouse that receives all purchases."""
_FAR = 2**31


def product(connection: Connection, sku: str, source: str) -> ProductDetails:
    """Return the master data of a product; raises `NotFound`."""
    row = _row(connection, sku, source)
    supplies = select(_SUPPLY).where(_SUPPLY.c.sku_key == row.sku_key).order_by(_SUPPLY.c.position)
    parts = _COMPONENT.join(_PRODUCT, _PRODUCT.c.sku_key == _COMPONENT.c.part_key)
    made_of = select(_PRODUCT, _COMPONENT.c.quantity).select_from(parts).where(_COMPONENT.c.sku_key == row.sku_key)
    users = _COMPONENT.join(_PRODUCT, _PRODUCT.c.sku_key == _COMPONENT.c.sku_key)
    used_in = select(_PRODUCT, _COMPONENT.c.quantity).select_from(users).where(_COMPONENT.c.part_key == row.sku_key)
    wholes = _uses(connection.execute(used_in.order_by(_PRODUCT.c.sku)))
    return ProductDetails(
        product=product_of(row),
        reorder_point=row.reorder_point,
        supplies=tuple(record_of(Supply, each) for each in connection.execute(supplies)),
        components=_uses(connection.execute(made_of.order_by(_COMPONENT.c.position))),
        used_in=wholes[:MOST_USES],
        used_in_total=len(wholes),
        source=source,
    )


def _row(connection: Connection, sku: str, source: str) -> Record:
    row = connection.execute(select(_PRODUCT).where(_PRODUCT.c.sku_key == fold(sku))).one_or_none()
    if row is None:
        raise NotFound(sku, source=source)
    return row


def _uses(rows: Iterable[Record]) -> tuple[ComponentUse, ...]:
    return tuple(record_of(ComponentUse, row) for row in rows)


def prices(connection: Connection, sku: str, customer: str, source: str) -> Prices:
    """Return a product's prices; raises `NotFound`."""
    row = _row(connection, sku, source)
    sold: list[ColumnElement[bool]] = [_ORDER.c.status.in_(_SOLD)]
    if customer:
        sold.append(_ORDER.c.customer_key.contains(fold(customer), autoescape=True))
    bought = [_PURCHASE.c.status.in_(_BOUGHT)]
    return Prices(
        product=product_of(row),
        customer=customer,
        list_price=Money(row.list_price, "CNY"),
        sales=tuple(
            _point(each, PriceKind.SALE, each.customer, account_of(each.salesperson) or each.salesperson, source)
            for each in _last_lines(connection, _ORDER, _ORDER_LINE, row.sku, sold)
        ),
        purchases=tuple(
            _point(each, PriceKind.PURCHASE, each.vendor, each.buyer, source)
            for each in _last_lines(connection, _PURCHASE, _PURCHASE_LINE, row.sku, bought)
        ),
        source=source,
    )


def _last_lines(
    connection: Connection, document: Table, line: Table, sku: str, which: Iterable[ColumnElement[bool]]
) -> Sequence[Record]:
    joined = document.join(line, line.c.number_key == document.c.number_key)
    wanted = (
        select(document, line.c.quantity, line.c.unit, line.c.price)
        .select_from(joined)
        .where(line.c.sku == sku, *which)
        .order_by(document.c.ordered_on.desc(), document.c.number, line.c.position)
        .limit(LAST_PRICES)
    )
    return connection.execute(wanted).all()


def _point(row: Record, kind: PriceKind, partner: str, owner: str, source: str) -> PricePoint:
    return record_of(
        PricePoint,
        row,
        kind=kind,
        day=row.ordered_on,
        document=row.number,
        partner=partner,
        owner=owner,
        source=source,
    )


def arrivals(connection: Connection, query: ArrivalQuery, source: str) -> Slice[Arrival]:
    """Return goods on their way."""
    products = select(_PRODUCT.c.sku, _PRODUCT.c.sku_key, _PRODUCT.c.category)
    if query.sku:
        products = products.where(_PRODUCT.c.sku_key == fold(query.sku))
    categories = {row.sku: row.category for row in connection.execute(products)}
    made = () if query.vendor else _made(connection, query, source)
    coming = (*_bought(connection, query, source), *made)
    found = by_arrival(
        replace(each, category=categories.get(each.sku, ""))
        for each in coming
        if not query.sku or each.sku in categories
    )
    return Slice(items=found[query.offset : query.offset + query.limit], total=len(found))


def _bought(connection: Connection, query: ArrivalQuery, source: str) -> Iterable[Arrival]:
    line, order = _PURCHASE_LINE.c, _PURCHASE.c
    wanted: Select[Any] = (
        select(
            order.number, order.vendor, order.due_on, order.requester, order.buyer,
            line.sku, line.name, line.unit, line.quantity, line.received,
        )
        .select_from(_PURCHASE.join(_PURCHASE_LINE, line.number_key == order.number_key))
        .where(order.status == ReviewState.APPROVED, line.quantity > line.received, *_due(query, _PURCHASE))
        .where(order.vendor_key.contains(fold(query.vendor), autoescape=True))
        .order_by(line.position)
    )  # fmt: skip
    for row in connection.execute(wanted):
        yield record_of(
            Arrival,
            row,
            document=row.number,
            kind=ArrivalKind.PURCHASE,
            quantity=row.quantity - row.received,
            partner=row.vendor,
            warehouse=_RECEIVING,
            owners=tuple(dict.fromkeys((row.requester, row.buyer, NAMES.get(row.requester, row.requester)))),
            source=source,
        )


def _made(connection: Connection, query: ArrivalQuery, source: str) -> Iterable[Arrival]:
    order = _PRODUCTION.c
    wanted = select(_PRODUCTION).where(
        order.status.in_(_BEING_MADE), order.planned > order.produced, *_due(query, _PRODUCTION)
    )
    for row in connection.execute(wanted):
        left = row.planned - row.produced
        yield record_of(Arrival, row, document=row.number, kind=ArrivalKind.PRODUCTION, quantity=left, source=source)


def _due(query: ArrivalQuery, document: Table) -> Iterable[ColumnElement[bool]]:
    if query.since:
        yield document.c.due_on >= query.since
    if query.until:
        yield document.c.due_on <= query.until


def shortages(connection: Connection, query: ShortageQuery, source: str, as_of: datetime) -> Slice[Shortage]:
    """Return shortages; raises `NotFound` for an unknown warehouse."""
    only = _warehouse(connection, query.warehouse, source).code if query.warehouse else ""
    stocked = (
        select(_PRODUCT, _STOCK, _WAREHOUSE.c.name.label("warehouse_name"))
        .select_from(_PRODUCT.join(_STOCK, _STOCK.c.sku_key == _PRODUCT.c.sku_key).join(
            _WAREHOUSE, _WAREHOUSE.c.code == _STOCK.c.warehouse
        ))
    )  # fmt: skip
    places: defaultdict[str, list[Record]] = defaultdict(list)
    for row in connection.execute(stocked):
        places[row.sku].append(row)
    return part_of_shortages((level_of(rows, source, as_of) for rows in places.values()), query, only)


def warehouse_stock(connection: Connection, query: WarehouseQuery, source: str) -> WarehouseContents:
    """Return the stock of a warehouse; raises `NotFound`."""
    warehouse = _warehouse(connection, query.warehouse, source)
    which = [
        _STOCK.c.warehouse == warehouse.code,
        or_(_STOCK.c.on_hand != 0, _STOCK.c.reserved != 0),
        *(_PRODUCT.c.search.contains(word, autoescape=True) for word in fold(query.text).split()),
    ]
    joined = _STOCK.join(_PRODUCT, _PRODUCT.c.sku_key == _STOCK.c.sku_key)
    wanted = (
        select(_PRODUCT, _STOCK)
        .select_from(joined)
        .where(*which)
        .order_by(_PRODUCT.c.sku)
        .limit(query.limit)
        .offset(min(query.offset, _FAR))
    )
    return WarehouseContents(
        code=warehouse.code,
        name=warehouse.name,
        items=tuple(
            WarehouseItem(
                product=product_of(row),
                quantities=quantities_of(row.on_hand, row.reserved, row.incoming, row.outgoing),
                source=source,
            )
            for row in connection.execute(wanted)
        ),
        total=connection.scalar(select(func.count()).select_from(joined).where(*which)) or 0,
        source=source,
    )


def _warehouse(connection: Connection, wanted: str, source: str) -> Record:
    rows = connection.execute(select(_WAREHOUSE).order_by(_WAREHOUSE.c.position)).all()
    return pick_warehouse(rows, wanted, lambda row: (row.code, row.name), source=source)
