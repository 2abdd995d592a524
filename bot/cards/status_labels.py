"""What the states of documents are called, and in which colour they are shown."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

from bot.erp.goods import ArrivalKind, DeliveryStatus
from bot.erp.kinds import FOLLOWED
from bot.erp.model import (
    Area,
    Feed,
    InvoiceStatus,
    OrderStatus,
    PartnerKind,
    PaymentDirection,
    PaymentStatus,
    ProductionStatus,
    Progress,
    PurchaseStatus,
)
from bot.words.disclosure import FieldClass
from bot.words.phrase import Phrase, phrase
from bot.words.severity import Severity

# Members of different enums may be equal as text, hence one table a type.
_LABELS: Mapping[type[Enum], Mapping[Enum, Phrase]] = MappingProxyType(
    {
        Area: {
            Area.PRODUCTS: phrase("Products"),
            Area.STOCK: phrase("Stock"),
            Area.SALES: phrase("Sales"),
            Area.FINANCE: phrase("Finance"),
            Area.PURCHASING: phrase("Purchasing"),
            Area.PRODUCTION: phrase("Production"),
        },
        PartnerKind: {
            PartnerKind.CUSTOMER: phrase("Customer"),
            PartnerKind.VENDOR: phrase("Vendor"),
        },
        Feed: {kind.feed: kind.words.many for kind in FOLLOWED if kind.feed},
        FieldClass: {
            FieldClass.QUANTITY: phrase("quantities"),
            FieldClass.MATERIALS: phrase("bills of materials"),
            FieldClass.AMOUNT: phrase("amounts"),
            FieldClass.COST: phrase("purchase prices"),
            FieldClass.PARTNER: phrase("customers and vendors"),
            FieldClass.CONTACT: phrase("contacts"),
        },
        Progress: {
            Progress.NONE: phrase("not yet"),
            Progress.PARTIAL: phrase("partly"),
            Progress.FULL: phrase("completely"),
        },
        OrderStatus: {
            OrderStatus.DRAFT: phrase("Draft"),
            OrderStatus.OPEN: phrase("To deliver"),
            OrderStatus.ON_HOLD: phrase("On hold"),
            OrderStatus.PARTLY_DELIVERED: phrase("Partly delivered"),
            OrderStatus.DELIVERED: phrase("Delivered"),
            OrderStatus.CLOSED: phrase("Closed"),
            OrderStatus.CANCELLED: phrase("Cancelled"),
        },
        DeliveryStatus: {
            DeliveryStatus.PLANNED: phrase("To ship"),
            DeliveryStatus.READY: phrase("Ready to ship"),
            DeliveryStatus.SHIPPED: phrase("Shipped"),
            DeliveryStatus.CANCELLED: phrase("Cancelled"),
        },
        ArrivalKind: {
            ArrivalKind.PURCHASE: phrase("Purchase"),
            ArrivalKind.PRODUCTION: phrase("Production"),
        },
        InvoiceStatus: {
            InvoiceStatus.DRAFT: phrase("Draft"),
            InvoiceStatus.UNPAID: phrase("Unpaid"),
            InvoiceStatus.PART_PAID: phrase("Partly paid"),
            InvoiceStatus.PAID: phrase("Paid"),
            InvoiceStatus.VOID: phrase("Void"),
        },
        PaymentStatus: {
            PaymentStatus.DRAFT: phrase("Draft"),
            PaymentStatus.BOOKED: phrase("Booked"),
            PaymentStatus.CANCELLED: phrase("Cancelled"),
        },
        PaymentDirection: {
            PaymentDirection.RECEIVED: phrase("Receipt"),
            PaymentDirection.SPENT: phrase("Payment"),
        },
        PurchaseStatus: {
            PurchaseStatus.DRAFT: phrase("Draft"),
            PurchaseStatus.WAITING: phrase("Waiting for approval"),
            PurchaseStatus.APPROVED: phrase("Approved"),
            PurchaseStatus.REJECTED: phrase("Rejected"),
            PurchaseStatus.DONE: phrase("Done"),
            PurchaseStatus.CANCELLED: phrase("Cancelled"),
        },
        ProductionStatus: {
            ProductionStatus.PLANNED: phrase("Planned"),
            ProductionStatus.RELEASED: phrase("Released"),
            ProductionStatus.RUNNING: phrase("In production"),
            ProductionStatus.ON_HOLD: phrase("Stopped"),
            ProductionStatus.DONE: phrase("Done"),
            ProductionStatus.CANCELLED: phrase("Cancelled"),
        },
        Severity: {
            Severity.INFO: phrase("Info"),
            Severity.WARNING: phrase("Warning"),
            Severity.CRITICAL: phrase("Critical"),
        },
    }
)

_COLOURS: Mapping[type[Enum], Mapping[Enum, str]] = MappingProxyType(
    {
        Progress: {Progress.NONE: "gray", Progress.PARTIAL: "orange", Progress.FULL: "green"},
        OrderStatus: {
            OrderStatus.OPEN: "blue",
            OrderStatus.ON_HOLD: "orange",
            OrderStatus.PARTLY_DELIVERED: "orange",
            OrderStatus.DELIVERED: "green",
        },
        InvoiceStatus: {
            InvoiceStatus.UNPAID: "orange",
            InvoiceStatus.PART_PAID: "orange",
            InvoiceStatus.PAID: "green",
        },
        PaymentStatus: {PaymentStatus.BOOKED: "green"},
        PaymentDirection: {PaymentDirection.RECEIVED: "green", PaymentDirection.SPENT: "blue"},
        PurchaseStatus: {
            PurchaseStatus.WAITING: "orange",
            PurchaseStatus.APPROVED: "green",
            PurchaseStatus.REJECTED: "red",
            PurchaseStatus.DONE: "green",
        },
        ProductionStatus: {
            ProductionStatus.RELEASED: "blue",
            ProductionStatus.RUNNING: "blue",
            ProductionStatus.ON_HOLD: "orange",
            ProductionStatus.DONE: "green",
        },
        DeliveryStatus: {
            DeliveryStatus.READY: "blue",
            DeliveryStatus.SHIPPED: "green",
        },
        Severity: {Severity.INFO: "blue", Severity.WARNING: "orange", Severity.CRITICAL: "red"},
    }
)


def status_label(member: Enum) -> Phrase | str:
    """Return what people call ``member``; its plain value where we have no word for it."""
    known = _LABELS.get(type(member), {}).get(member)
    return known if known is not None else str(member.value)


def status_colour(member: Enum) -> str:
    """Return the colour of ``member``: green is settled, orange needs somebody, red is refused, blue is under way."""
    return _COLOURS.get(type(member), {}).get(member, "gray")
