"""Odoo's values for the reference company: states, days, and the ids of records that belong to a document."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

from bot.erp.goods import DeliveryStatus
from bot.erp.model import (
    Bill,
    Invoice,
    InvoiceStatus,
    OrderStatus,
    ProductionStatus,
    Progress,
    PurchaseOrder,
    PurchaseStatus,
    SalesOrder,
)

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
    PurchaseStatus.DRAFT: "draft",
    PurchaseStatus.WAITING: "to approve",
    PurchaseStatus.APPROVED: "purchase",
    PurchaseStatus.DONE: "purchase",
    PurchaseStatus.REJECTED: "cancel",
    PurchaseStatus.CANCELLED: "cancel",
}
PRODUCTION: Mapping[ProductionStatus, tuple[str, str]] = {
    ProductionStatus.PLANNED: ("confirmed", "confirmed"),
    ProductionStatus.RELEASED: ("confirmed", "assigned"),
    ProductionStatus.RUNNING: ("progress", "confirmed"),
    ProductionStatus.DONE: ("done", ""),
    ProductionStatus.CANCELLED: ("cancel", ""),
}
