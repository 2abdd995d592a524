"""Odoo's values for the reference company: states, days, and the ids of records that belong to a document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from bot.erp.kinds import QUOTATIONS
from bot.erp.kinds.quotations import Quotation, QuotationStatus
from bot.erp.model import (
    Bill,
    Invoice,
    InvoiceStatus,
    OrderStatus,
    ProductionStatus,
    Progress,
    PurchaseOrder,
    ReviewState,
    SalesOrder,
)
from bot.erp.model.goods import DeliveryStatus
from bot.kit.testing.company import ReferenceCompany

_ZONE = ZoneInfo("Asia/Shanghai")
_AT = time(0, 30)
"""Everything happens half an hour after midnight, which is the day before in UTC."""


def moment(on: date | None) -> datetime | None:
    """Return the time of an event on a day."""
    return None if on is None else datetime.combine(on, _AT, _ZONE).astimezone(UTC)


def line_ids(order: SalesOrder | PurchaseOrder) -> list[int]:
    """Return the ids of the lines of an order."""
    return [int(order.id) * 10 + n for n in range(len(order.lines))]


def picking_ids(order: SalesOrder | PurchaseOrder, status: str | None) -> list[int]:
    """Return the transfer of an order; only orders in force have one."""
    return [int(order.id)] if status else []


def offer(company: ReferenceCompany) -> None:
    """Let the company's quotations be its orders before they were confirmed: Odoo has no others."""
    quotations = company.documents(QUOTATIONS)
    quotations.clear()
    quotations.update((order.number, _quotation(order, company.today)) for order in company.orders.values())


def _quotation(order: SalesOrder, today: date) -> Quotation:
    count, status = int(order.id), QuotationStatus.ACCEPTED
    if order.status is OrderStatus.DRAFT:
        status = QuotationStatus.SENT if count % 4 else QuotationStatus.DRAFT
    if order.status is OrderStatus.CANCELLED or is_rejected(order):
        status = QuotationStatus.CANCELLED
    return Quotation(
        id=order.id,
        number=order.number,
        customer=order.customer,
        status=status,
        quoted_on=order.ordered_on,
        valid_until=None if count % 5 == 0 else today + timedelta(days=count % 7 - 3),
        total=order.total,
        lines=tuple(replace(line, delivered=None, invoiced=None) for line in order.lines),
        salesperson=order.salesperson,
        order_number=order.number if status is QuotationStatus.ACCEPTED else "",
        changed_at=order.changed_at,
    )


def is_rejected(document: SalesOrder | Bill) -> bool:
    """Whether a document was refused, which cancels it."""
    return document.review is not None and document.review.state is ReviewState.REJECTED


def billed(order: SalesOrder) -> str:
    """Return the ``invoice_status`` of an order: what can be billed now."""
    if order.billing is Progress.FULL:
        return "upselling" if int(order.id) % 5 == 0 else "invoiced"
    return "to invoice" if order.status in {OrderStatus.PARTLY_DELIVERED, OrderStatus.DELIVERED} else "no"


def residual(invoice: Invoice | Bill) -> Decimal:
    """Return the open amount of an invoice; a cancelled one keeps all of it."""
    told = invoice.total if invoice.status is InvoiceStatus.VOID else invoice.open_amount
    return Decimal(0) if told is None else told.amount


SALE = {
    OrderStatus.DRAFT: "draft",
    OrderStatus.OPEN: "sale",
    OrderStatus.PARTLY_DELIVERED: "sale",
    OrderStatus.DELIVERED: "sale",
    OrderStatus.CLOSED: "sale",
    OrderStatus.CANCELLED: "cancel",
}
DELIVERY = {
    OrderStatus.OPEN: "pending",
    OrderStatus.PARTLY_DELIVERED: "partial",
    OrderStatus.DELIVERED: "full",
    OrderStatus.CLOSED: "full",
}
PICKING = {
    DeliveryStatus.PLANNED: "confirmed",
    DeliveryStatus.READY: "assigned",
    DeliveryStatus.SHIPPED: "done",
    DeliveryStatus.CANCELLED: "cancel",
}
RECEIPT = {Progress.NONE: "pending", Progress.PARTIAL: "partial", Progress.FULL: "full", None: None}
INVOICE: Mapping[InvoiceStatus, tuple[tuple[str, str], ...]] = {
    InvoiceStatus.DRAFT: (("draft", "not_paid"),),
    InvoiceStatus.UNPAID: (("posted", "not_paid"), ("posted", "blocked")),
    InvoiceStatus.PART_PAID: (("posted", "partial"),),
    InvoiceStatus.PAID: (("posted", "paid"), ("posted", "in_payment")),
    InvoiceStatus.VOID: (("cancel", "not_paid"),),
}
PURCHASE = {
    ReviewState.DRAFT: "draft",
    ReviewState.WAITING: "to approve",
    ReviewState.APPROVED: "purchase",
    ReviewState.DONE: "purchase",
    ReviewState.REJECTED: "cancel",
    ReviewState.CANCELLED: "cancel",
}
PRODUCTION: Mapping[ProductionStatus, tuple[str, str]] = {
    ProductionStatus.PLANNED: ("confirmed", "confirmed"),
    ProductionStatus.RELEASED: ("confirmed", "assigned"),
    ProductionStatus.RUNNING: ("progress", "confirmed"),
    ProductionStatus.DONE: ("done", ""),
    ProductionStatus.CANCELLED: ("cancel", ""),
}
