"""Documents of the demo ERP."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import and_, func, select
from sqlalchemy.engine import Connection

from bot.erp import kinds
from bot.erp.goods.lists import by_day
from bot.erp.kinds import Kind
from bot.erp.kinds.quotations import Quotation, QuotationStatus
from bot.erp.model import (
    Invoice,
    InvoiceStatus,
    OrderLine,
    OrderStatus,
    ProductionOrder,
    ProductionStatus,
    Progress,
    PurchaseLine,
    PurchaseOrder,
    ReviewState,
    SalesOrder,
)
from bot.erp.model.goods import DeliveryLine, DeliveryStatus, GoodsDelivery, GoodsReceipt, ReceiptLine
from bot.erp.port import Filter
from bot.kit.company import partners
from bot.kit.company import tables as t
from bot.kit.company.document_query import DocumentQuery, build_of, review_told
from bot.kit.company.rows import Record, record_of
from bot.kit.company.supply import pending_for
from bot.kit.company.tables import fold

_ORDER, _ORDER_LINE, _INVOICE = t.table(t.OrderRow), t.table(t.OrderLineRow), t.table(t.InvoiceRow)
_QUOTATION, _QUOTATION_LINE = t.table(t.QuotationRow), t.table(t.QuotationLineRow)
_PURCHASE, _PURCHASE_LINE = t.table(t.PurchaseRow), t.table(t.PurchaseLineRow)
_PRODUCTION = t.table(t.ProductionRow)
_DELIVERY, _DELIVERY_LINE = t.table(t.GoodsDeliveryRow), t.table(t.DeliveryLineRow)
_RECEIPT, _RECEIPT_LINE = t.table(t.GoodsReceiptRow), t.table(t.ReceiptLineRow)

_OPEN = _ORDER.c.status.in_((OrderStatus.OPEN, OrderStatus.ON_HOLD, OrderStatus.PARTLY_DELIVERED))
_OWED = and_(_OPEN, _ORDER.c.status != OrderStatus.ON_HOLD)
_UNSETTLED = _INVOICE.c.status.in_((InvoiceStatus.UNPAID, InvoiceStatus.PART_PAID))
_UNANSWERED = _QUOTATION.c.status.in_((QuotationStatus.DRAFT, QuotationStatus.SENT))
_AWAITED = and_(_PURCHASE.c.status == ReviewState.APPROVED, _PURCHASE.c.received != Progress.FULL)
_TO_MAKE = _PRODUCTION.c.status.not_in((ProductionStatus.DONE, ProductionStatus.CANCELLED))
_BEING_MADE = and_(_TO_MAKE, _PRODUCTION.c.status != ProductionStatus.ON_HOLD)


ORDERS = DocumentQuery(
    _ORDER,
    _ORDER_LINE,
    (_ORDER.c.number_key, _ORDER.c.customer_key),
    _ORDER.c.ordered_on,
    _ORDER.c.promised_on,
    {
        Filter.OPEN: (lambda _: _OPEN, _ORDER.c.promised_on),
        Filter.LATE: (lambda today: and_(_OWED, _ORDER.c.promised_on < today), _ORDER.c.promised_on),
    },
    build_of(SalesOrder, OrderLine),
    _ORDER.c.customer_key,
    reviewed=kinds.SALES_ORDERS.command,
)


QUOTATIONS = DocumentQuery(
    _QUOTATION,
    _QUOTATION_LINE,
    (_QUOTATION.c.number_key, _QUOTATION.c.customer_key),
    _QUOTATION.c.quoted_on,
    _QUOTATION.c.valid_until,
    {
        Filter.OPEN: (lambda _: _UNANSWERED, _QUOTATION.c.valid_until),
        Filter.LATE: (lambda today: and_(_UNANSWERED, _QUOTATION.c.valid_until < today), _QUOTATION.c.valid_until),
    },
    build_of(Quotation, OrderLine),
    _QUOTATION.c.customer_key,
    reviewed=kinds.QUOTATIONS.command,
)


INVOICES = DocumentQuery(
    _INVOICE,
    None,
    (_INVOICE.c.number_key, _INVOICE.c.customer_key),
    _INVOICE.c.issued_on,
    _INVOICE.c.due_on,
    {
        Filter.OPEN: (lambda _: _UNSETTLED, _INVOICE.c.due_on),
        Filter.OVERDUE: (
            lambda today: and_(_UNSETTLED, _INVOICE.c.open_amount > 0, _INVOICE.c.due_on < today),
            _INVOICE.c.due_on,
        ),
    },
    build_of(Invoice),
    _INVOICE.c.customer_key,
)


def _purchase_order(row: Record, source: str, lines: Iterable[Record]) -> PurchaseOrder:
    return record_of(
        PurchaseOrder,
        row,
        id=row.number,
        review=review_told(row, pending_for),
        lines=tuple(record_of(PurchaseLine, line, currency=row.currency) for line in lines),
        source=source,
    )


PURCHASE_ORDERS = DocumentQuery(
    _PURCHASE,
    _PURCHASE_LINE,
    (_PURCHASE.c.number_key, _PURCHASE.c.vendor_key),
    _PURCHASE.c.ordered_on,
    _PURCHASE.c.due_on,
    {
        Filter.OPEN: (lambda _: _AWAITED, _PURCHASE.c.due_on),
        Filter.LATE: (lambda today: and_(_AWAITED, _PURCHASE.c.due_on < today), _PURCHASE.c.due_on),
        Filter.PENDING: (lambda _: _PURCHASE.c.status == ReviewState.WAITING, _PURCHASE.c.ordered_on),
    },
    _purchase_order,
    _PURCHASE.c.vendor_key,
)


PRODUCTION_ORDERS = DocumentQuery(
    _PRODUCTION,
    None,
    (_PRODUCTION.c.number_key, _PRODUCTION.c.product_key),
    _PRODUCTION.c.start_on,
    _PRODUCTION.c.due_on,
    {
        Filter.OPEN: (lambda _: _TO_MAKE, _PRODUCTION.c.due_on),
        Filter.LATE: (lambda today: and_(_BEING_MADE, _PRODUCTION.c.due_on < today), _PRODUCTION.c.due_on),
        Filter.DONE: (lambda _: _PRODUCTION.c.status == ProductionStatus.DONE, _PRODUCTION.c.finished_on),
    },
    build_of(ProductionOrder),
)


DELIVERIES = DocumentQuery(
    _DELIVERY,
    _DELIVERY_LINE,
    (_DELIVERY.c.number_key, _DELIVERY.c.order_key, _DELIVERY.c.customer_key),
    func.coalesce(_DELIVERY.c.shipped_on, _DELIVERY.c.planned_on),
    _DELIVERY.c.planned_on,
    {
        Filter.LATE: (
            lambda today: and_(
                _DELIVERY.c.status.in_((DeliveryStatus.PLANNED, DeliveryStatus.READY)), _DELIVERY.c.planned_on < today
            ),
            _DELIVERY.c.planned_on,
        )
    },
    build_of(GoodsDelivery, DeliveryLine),
    partner=_DELIVERY.c.customer_key,
)


def deliveries_of(connection: Connection, number: str, source: str) -> tuple[GoodsDelivery, ...]:
    """Return the deliveries of a sales order, oldest first; raises `NotFound` if there is no such order."""
    ORDERS.document(connection, number, source)
    wanted = select(_DELIVERY.c.number).where(_DELIVERY.c.order_key == fold(number))
    return by_day(DELIVERIES.document(connection, key, source) for key in connection.scalars(wanted).all())


def _receipt(row: Record, source: str, lines: Iterable[Record]) -> GoodsReceipt:
    return record_of(
        GoodsReceipt,
        row,
        id=row.number,
        order_numbers=tuple(row.orders.splitlines()),
        owners=tuple(row.owners.splitlines()),
        lines=tuple(record_of(ReceiptLine, line) for line in lines),
        source=source,
    )


RECEIPTS = DocumentQuery(
    _RECEIPT,
    _RECEIPT_LINE,
    (_RECEIPT.c.number_key, _RECEIPT.c.order_keys, _RECEIPT.c.vendor_key),
    _RECEIPT.c.received_on,
    None,
    {},
    _receipt,
    partner=_RECEIPT.c.vendor_key,
)


def receipts_of(connection: Connection, number: str, source: str) -> tuple[GoodsReceipt, ...]:
    """Return the receipts of a purchase order, oldest first; raises `NotFound` if there is no such order."""
    PURCHASE_ORDERS.document(connection, number, source)
    is_of_it = _RECEIPT.c.order_keys.contains(t.one_a_line([fold(number)]), autoescape=True)
    keys = connection.scalars(select(_RECEIPT.c.number).where(is_of_it)).all()
    return by_day(RECEIPTS.document(connection, key, source) for key in keys)


QUERIES: Mapping[Kind[Any], DocumentQuery[Any]] = {
    kinds.SALES_ORDERS: ORDERS,
    kinds.INVOICES: INVOICES,
    kinds.PURCHASE_ORDERS: PURCHASE_ORDERS,
    kinds.PRODUCTION_ORDERS: PRODUCTION_ORDERS,
    kinds.DELIVERIES: DELIVERIES,
    kinds.RECEIPTS: RECEIPTS,
    kinds.CUSTOMERS: partners.CUSTOMERS,
    kinds.VENDORS: partners.VENDORS,
    kinds.BILLS: partners.BILLS,
    kinds.PAYMENTS: partners.PAYMENTS,
    kinds.QUOTATIONS: QUOTATIONS,
}
