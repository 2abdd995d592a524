"""Reads of the demo ERP: SQL in, domain objects out. Each function runs within one trip to the database thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Row, Table, and_, bindparam, case, func, or_, select
from sqlalchemy.engine import Connection

from bot.erp.demo import tables as t
from bot.erp.demo.supply import NAMES, pending_for
from bot.erp.demo.tables import fold, whole_number
from bot.erp.errors import Invalid, NotFound, Unsupported
from bot.erp.model import (
    Approval,
    Area,
    Change,
    Changes,
    Invoice,
    InvoiceStatus,
    Money,
    OrderLine,
    OrderStatus,
    Product,
    ProductionOrder,
    ProductionStatus,
    Progress,
    PurchaseLine,
    PurchaseOrder,
    PurchaseStatus,
    Quantities,
    SalesOrder,
    Slice,
    StockLevel,
    WarehouseStock,
)
from bot.erp.port import Filter, ListQuery

T = TypeVar("T")
Record = Row[Any]

_FAR = 2**31
"""Beyond the end of every list, and still a number that SQLite takes."""

_PRODUCT, _STOCK, _WAREHOUSE = t.table(t.ProductRow), t.table(t.StockRow), t.table(t.WarehouseRow)
_ORDER, _ORDER_LINE, _INVOICE = t.table(t.OrderRow), t.table(t.OrderLineRow), t.table(t.InvoiceRow)
_PURCHASE, _PURCHASE_LINE = t.table(t.PurchaseRow), t.table(t.PurchaseLineRow)
_PRODUCTION, _CHANGE = t.table(t.ProductionRow), t.table(t.ChangeRow)


def products(connection: Connection, text: str, limit: int) -> tuple[Product, ...]:
    """Return products that contain every word of ``text`` somewhere: code, name, spec, barcode or pinyin initials."""
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
    return tuple(_product(row) for row in connection.execute(found))


def _product(row: Record) -> Product:
    return Product(sku=row.sku, name=row.name, spec=row.spec, unit=row.unit, category=row.category, barcode=row.barcode)


_STOCK_OF_PRODUCT = (
    select(_PRODUCT, _STOCK, _WAREHOUSE.c.name.label("warehouse_name"))
    .outerjoin(_STOCK, _STOCK.c.sku_key == _PRODUCT.c.sku_key)
    .outerjoin(_WAREHOUSE, _WAREHOUSE.c.code == _STOCK.c.warehouse)
    .where(_PRODUCT.c.sku_key == bindparam("key"))
    .order_by(_WAREHOUSE.c.position)
)


def stock(connection: Connection, sku: str, source: str, as_of: datetime) -> StockLevel:
    """Return a product's stock; raises `NotFound`."""
    rows = connection.execute(_STOCK_OF_PRODUCT, {"key": fold(sku)}).all()
    if not rows:
        raise NotFound(sku, source=source)
    places = tuple(
        WarehouseStock(
            code=row.warehouse,
            name=row.warehouse_name,
            quantities=_quantities(row.on_hand, row.reserved, row.incoming, row.outgoing),
        )
        for row in rows
        if row.warehouse is not None
    )
    return StockLevel(
        product=_product(rows[0]),
        total=_quantities(
            *(
                sum((getattr(row, figure) for row in rows if row.warehouse is not None), Decimal(0))
                for figure in ("on_hand", "reserved", "incoming", "outgoing")
            )
        ),
        per_warehouse=places,
        reorder_point=rows[0].reorder_point,
        as_of=as_of,
        source=source,
    )


def _quantities(on_hand: Decimal, reserved: Decimal, incoming: Decimal, outgoing: Decimal) -> Quantities:
    return Quantities(
        on_hand=on_hand,
        reserved=reserved,
        available=on_hand - reserved,
        incoming=incoming,
        outgoing=outgoing,
        forecast=on_hand + incoming - outgoing,
    )


_BY_NUMBER = {
    table: select(table).where(table.c.number_key == bindparam("key"))
    for table in (_ORDER, _INVOICE, _PURCHASE, _PRODUCTION)
}
_LINES = {
    table: select(table).where(table.c.number_key == bindparam("key")).order_by(table.c.position)
    for table in (_ORDER_LINE, _PURCHASE_LINE)
}


def _one(connection: Connection, table: Table, number: str, source: str) -> Record:
    row = connection.execute(_BY_NUMBER[table], {"key": fold(number)}).one_or_none()
    if row is None:
        raise NotFound(number, source=source)
    return row


@dataclass(frozen=True, slots=True)
class _Listing(Generic[T]):
    """How documents of one kind are listed: what is searched, what ``ALL`` sorts by, and the other filters.

    Each of these has the condition that holds today and the date by which the most urgent come first.
    """

    table: Table
    searched: tuple[ColumnElement[str], ...]
    newest: ColumnElement[date]
    filters: Mapping[Filter, tuple[Callable[[date], ColumnElement[bool]], ColumnElement[date]]]
    read: Callable[[Record, str], T]

    def page(self, connection: Connection, query: ListQuery, today: date, source: str) -> Slice[T]:
        order: ColumnElement[Any] = self.newest.desc()
        conditions: list[ColumnElement[bool]] = []
        if query.filter is not Filter.ALL:
            if query.filter not in self.filters:
                raise Unsupported(f"no list of {query.filter} here", source=source)
            condition, order = self.filters[query.filter]
            conditions.append(condition(today))
        if text := fold(query.text):
            conditions.append(or_(*(column.contains(text, autoescape=True) for column in self.searched)))
        matching = select(self.table).where(*conditions)
        wanted = matching.order_by(order, self.table.c.number_key).limit(query.limit).offset(min(query.offset, _FAR))
        count = select(func.count()).select_from(self.table).where(*conditions)
        return Slice(
            items=tuple(self.read(row, source) for row in connection.execute(wanted)),
            total=connection.scalar(count) or 0,
        )


def order(connection: Connection, number: str, source: str) -> SalesOrder:
    """Return a sales order with its lines; raises `NotFound`."""
    row = _one(connection, _ORDER, number, source)
    lines = (
        OrderLine(
            sku=line.sku,
            name=line.name,
            unit=line.unit,
            quantity=line.quantity,
            delivered=line.delivered,
            invoiced=line.invoiced,
            price=Money(line.price, row.currency),
            amount=Money(line.amount, row.currency),
            due_on=line.due_on,
        )
        for line in connection.execute(_LINES[_ORDER_LINE], {"key": row.number_key})
    )
    return _order(row, source, tuple(lines))


def _order(row: Record, source: str, lines: tuple[OrderLine, ...] = ()) -> SalesOrder:
    return SalesOrder(
        id=row.number,
        number=row.number,
        customer=row.customer,
        status=OrderStatus(row.status),
        delivery=Progress(row.delivery),
        billing=Progress(row.billing),
        payment=Progress(row.payment),
        ordered_on=row.ordered_on,
        promised_on=row.promised_on,
        total=Money(row.total, row.currency),
        lines=lines,
        salesperson=row.salesperson,
        changed_at=row.changed_at,
        source=source,
    )


ORDERS = _Listing(
    _ORDER,
    (_ORDER.c.number_key, _ORDER.c.customer_key),
    _ORDER.c.ordered_on,
    {
        Filter.LATE: (
            lambda today: and_(
                _ORDER.c.status.in_((OrderStatus.OPEN, OrderStatus.PARTLY_DELIVERED)), _ORDER.c.promised_on < today
            ),
            _ORDER.c.promised_on,
        )
    },
    _order,
)


def invoice(connection: Connection, number: str, source: str) -> Invoice:
    """Return a customer invoice; raises `NotFound`."""
    return _invoice(_one(connection, _INVOICE, number, source), source)


def _invoice(row: Record, source: str) -> Invoice:
    return Invoice(
        id=row.number,
        number=row.number,
        customer=row.customer,
        status=InvoiceStatus(row.status),
        issued_on=row.issued_on,
        due_on=row.due_on,
        total=Money(row.total, row.currency),
        open_amount=Money(row.open_amount, row.currency),
        is_credit_note=row.is_credit_note,
        order_number=row.order_number,
        changed_at=row.changed_at,
        source=source,
    )


INVOICES = _Listing(
    _INVOICE,
    (_INVOICE.c.number_key, _INVOICE.c.customer_key),
    _INVOICE.c.issued_on,
    {
        Filter.OVERDUE: (
            lambda today: and_(
                _INVOICE.c.status.in_((InvoiceStatus.UNPAID, InvoiceStatus.PART_PAID)),
                _INVOICE.c.open_amount > 0,
                _INVOICE.c.due_on < today,
            ),
            _INVOICE.c.due_on,
        )
    },
    _invoice,
)


def purchase_order(connection: Connection, number: str, source: str) -> PurchaseOrder:
    """Return a purchase order with its lines; raises `NotFound`."""
    row = _one(connection, _PURCHASE, number, source)
    lines = (
        PurchaseLine(
            sku=line.sku,
            name=line.name,
            unit=line.unit,
            quantity=line.quantity,
            received=line.received,
            price=Money(line.price, row.currency),
            amount=Money(line.amount, row.currency),
        )
        for line in connection.execute(_LINES[_PURCHASE_LINE], {"key": row.number_key})
    )
    return _purchase_order(row, source, tuple(lines))


def _purchase_order(row: Record, source: str, lines: tuple[PurchaseLine, ...] = ()) -> PurchaseOrder:
    status = PurchaseStatus(row.status)
    return PurchaseOrder(
        id=row.number,
        number=row.number,
        vendor=row.vendor,
        status=status,
        approval=_approval(row, status),
        requester=row.requester,
        changed_by=row.changed_by,
        buyer=row.buyer,
        ordered_on=row.ordered_on,
        due_on=row.due_on,
        total=Money(row.total, row.currency),
        received=Progress(row.received),
        lines=lines,
        version=str(row.version),
        changed_at=row.changed_at,
        source=source,
        people=NAMES,
    )


def _approval(row: Record, status: PurchaseStatus) -> Approval | None:
    waiting = status is PurchaseStatus.WAITING
    if not waiting and not row.decided_by:
        return None
    return Approval(
        pending_for=pending_for(row.level, row.requester, row.decided_by) if waiting else (),
        level=row.level,
        levels=row.levels,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        reason=row.reason,
    )


PURCHASE_ORDERS = _Listing(
    _PURCHASE,
    (_PURCHASE.c.number_key, _PURCHASE.c.vendor_key),
    _PURCHASE.c.ordered_on,
    {
        Filter.LATE: (
            lambda today: and_(
                _PURCHASE.c.status == PurchaseStatus.APPROVED,
                _PURCHASE.c.received != Progress.FULL,
                _PURCHASE.c.due_on < today,
            ),
            _PURCHASE.c.due_on,
        ),
        Filter.PENDING: (lambda _: _PURCHASE.c.status == PurchaseStatus.WAITING, _PURCHASE.c.ordered_on),
    },
    _purchase_order,
)


def production_order(connection: Connection, number: str, source: str) -> ProductionOrder:
    """Return a production order; raises `NotFound`."""
    return _production_order(_one(connection, _PRODUCTION, number, source), source)


def _production_order(row: Record, source: str) -> ProductionOrder:
    return ProductionOrder(
        id=row.number,
        number=row.number,
        sku=row.sku,
        name=row.name,
        unit=row.unit,
        planned=row.planned,
        produced=row.produced,
        scrapped=row.scrapped,
        status=ProductionStatus(row.status),
        start_on=row.start_on,
        due_on=row.due_on,
        material_ready=row.material_ready,
        sales_order=row.sales_order,
        changed_at=row.changed_at,
        source=source,
    )


PRODUCTION_ORDERS = _Listing(
    _PRODUCTION,
    (_PRODUCTION.c.number_key, _PRODUCTION.c.product_key),
    _PRODUCTION.c.start_on,
    {
        Filter.LATE: (
            lambda today: and_(
                _PRODUCTION.c.status.not_in((ProductionStatus.DONE, ProductionStatus.CANCELLED)),
                _PRODUCTION.c.due_on < today,
            ),
            _PRODUCTION.c.due_on,
        )
    },
    _production_order,
)


def changes(connection: Connection, area: Area, cursor: str, limit: int, source: str) -> Changes:
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
