"""Documents of the demo ERP. Each read runs within one trip to the database thread."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Row, Table, and_, bindparam, func, or_, select
from sqlalchemy.engine import Connection

from bot.erp import listing
from bot.erp.demo import tables as t
from bot.erp.demo.supply import NAMES, pending_for
from bot.erp.demo.tables import fold
from bot.erp.errors import NotFound
from bot.erp.listing import Listing
from bot.erp.model import (
    Approval,
    Invoice,
    InvoiceStatus,
    Money,
    OrderLine,
    OrderStatus,
    ProductionOrder,
    ProductionStatus,
    Progress,
    PurchaseLine,
    PurchaseOrder,
    PurchaseStatus,
    SalesOrder,
    Slice,
)
from bot.erp.port import Filter, ListQuery

T = TypeVar("T")
Record = Row[Any]

_FAR = 2**31
"""Beyond the end of every list, and still a number that SQLite takes."""

_ORDER, _ORDER_LINE, _INVOICE = t.table(t.OrderRow), t.table(t.OrderLineRow), t.table(t.InvoiceRow)
_PURCHASE, _PURCHASE_LINE = t.table(t.PurchaseRow), t.table(t.PurchaseLineRow)
_PRODUCTION = t.table(t.ProductionRow)

_BY_NUMBER = {
    table: select(table).where(table.c.number_key == bindparam("key"))
    for table in (_ORDER, _INVOICE, _PURCHASE, _PRODUCTION)
}
_LINES = {
    table: select(table).where(table.c.number_key == bindparam("key")).order_by(table.c.position)
    for table in (_ORDER_LINE, _PURCHASE_LINE)
}


@dataclass(frozen=True, slots=True)
class DocumentQuery(Generic[T]):
    """How documents of one kind are read: their tables, what is searched, what `Filter.ALL` sorts by, other filters.

    A filter has the condition that holds today, and the date by which the most urgent come first. ``build`` makes a
    document of its row, its source and the rows of its lines.
    """

    table: Table
    lines: Table | None
    searched: tuple[ColumnElement[str], ...]
    newest: ColumnElement[date]
    filters: Mapping[Filter, tuple[Callable[[date], ColumnElement[bool]], ColumnElement[date]]]
    build: Callable[[Record, str, Iterable[Record]], T]

    def document(self, connection: Connection, number: str, source: str) -> T:
        """Return one document with its lines; raises `NotFound`."""
        row = connection.execute(_BY_NUMBER[self.table], {"key": fold(number)}).one_or_none()
        if row is None:
            raise NotFound(number, source=source)
        lines = () if self.lines is None else connection.execute(_LINES[self.lines], {"key": row.number_key})
        return self.build(row, source, lines)

    def documents(self, connection: Connection, numbers: Iterable[str], source: str) -> tuple[T, ...]:
        """Return those of many documents that there are, with their lines."""
        keys = sorted({fold(number) for number in numbers})
        lines: dict[str, list[Record]] = defaultdict(list)
        if self.lines is not None:
            columns = self.lines.c
            wanted = select(self.lines).where(columns.number_key.in_(keys)).order_by(columns.position)
            for line in connection.execute(wanted):
                lines[line.number_key].append(line)
        rows = connection.execute(select(self.table).where(self.table.c.number_key.in_(keys)))
        return tuple(self.build(row, source, lines[row.number_key]) for row in rows)

    def page(self, connection: Connection, query: ListQuery, today: date, source: str) -> Slice[T]:
        """Return part of the list, without lines."""
        order: ColumnElement[Any] = self.newest.desc()
        conditions: list[ColumnElement[bool]] = []
        if query.filter is not Filter.ALL:
            condition, order = self.filters[query.filter]
            conditions.append(condition(today))
        if text := fold(query.text):
            conditions.append(or_(*(column.contains(text, autoescape=True) for column in self.searched)))
        matching = select(self.table).where(*conditions)
        wanted = matching.order_by(order, self.table.c.number_key).limit(query.limit).offset(min(query.offset, _FAR))
        count = select(func.count()).select_from(self.table).where(*conditions)
        return Slice(
            items=tuple(self.build(row, source, ()) for row in connection.execute(wanted)),
            total=connection.scalar(count) or 0,
        )


def _order_line(line: Record, currency: str) -> OrderLine:
    return OrderLine(
        sku=line.sku,
        name=line.name,
        unit=line.unit,
        quantity=line.quantity,
        delivered=line.delivered,
        invoiced=line.invoiced,
        price=Money(line.price, currency),
        amount=Money(line.amount, currency),
        due_on=line.due_on,
    )


def _order(row: Record, source: str, lines: Iterable[Record]) -> SalesOrder:
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
        lines=tuple(_order_line(line, row.currency) for line in lines),
        salesperson=row.salesperson,
        changed_at=row.changed_at,
        source=source,
    )


ORDERS = DocumentQuery(
    _ORDER,
    _ORDER_LINE,
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


def _invoice(row: Record, source: str, lines: Iterable[Record]) -> Invoice:
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


INVOICES = DocumentQuery(
    _INVOICE,
    None,
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


def _purchase_line(line: Record, currency: str) -> PurchaseLine:
    return PurchaseLine(
        sku=line.sku,
        name=line.name,
        unit=line.unit,
        quantity=line.quantity,
        received=line.received,
        price=Money(line.price, currency),
        amount=Money(line.amount, currency),
    )


def _purchase_order(row: Record, source: str, lines: Iterable[Record]) -> PurchaseOrder:
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
        lines=tuple(_purchase_line(line, row.currency) for line in lines),
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


PURCHASE_ORDERS = DocumentQuery(
    _PURCHASE,
    _PURCHASE_LINE,
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


def _production_order(row: Record, source: str, lines: Iterable[Record]) -> ProductionOrder:
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


PRODUCTION_ORDERS = DocumentQuery(
    _PRODUCTION,
    None,
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

QUERIES: Mapping[Listing[Any], DocumentQuery[Any]] = {
    listing.SALES_ORDERS: ORDERS,
    listing.INVOICES: INVOICES,
    listing.PURCHASE_ORDERS: PURCHASE_ORDERS,
    listing.PRODUCTION_ORDERS: PRODUCTION_ORDERS,
}
