"""Records for tests that say only what they are about: of all else they tell as little as their class lets them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from decimal import Decimal
from typing import Any, TypeVar

from bot.erp.kinds.quotations import Quotation, QuotationStatus
from bot.erp.model import (
    Bill,
    Customer,
    Invoice,
    InvoiceStatus,
    OrderStatus,
    PartnerKind,
    Payment,
    PaymentDirection,
    PaymentStatus,
    ProductionOrder,
    ProductionStatus,
    PurchaseOrder,
    PurchaseStatus,
    SalesOrder,
)
from bot.erp.model.goods import DeliveryStatus, GoodsDelivery, GoodsReceipt

T = TypeVar("T")

_DEMANDED: Mapping[type, Mapping[str, Any]] = {
    SalesOrder: {"customer": "Acme", "status": OrderStatus.OPEN},
    Quotation: {"customer": "Acme", "status": QuotationStatus.SENT},
    Invoice: {"customer": "Acme", "status": InvoiceStatus.UNPAID},
    Bill: {"vendor": "Acme", "status": InvoiceStatus.UNPAID},
    PurchaseOrder: {"vendor": "Acme", "status": PurchaseStatus.WAITING, "version": "1"},
    ProductionOrder: {
        "sku": "SKU1",
        "name": "Fan",
        "unit": "pcs",
        "planned": Decimal(1),
        "status": ProductionStatus.RUNNING,
    },
    Payment: {
        "partner": "Acme",
        "partner_kind": PartnerKind.CUSTOMER,
        "direction": PaymentDirection.RECEIVED,
        "status": PaymentStatus.BOOKED,
    },
    GoodsDelivery: {"order_number": "", "customer": "Acme", "status": DeliveryStatus.READY},
    GoodsReceipt: {"vendor": "Acme"},
}


def bare(record: type[T], number: str, **told: Any) -> T:
    """Return a record of a number or code, which is its id, too; what it must say and is not told is None or usual."""
    name = "code" if record is Customer else "number"
    known = {"id": number, name: number, **_DEMANDED.get(record, {}), **told}
    needed = (each.name for each in fields(record) if each.default is MISSING is each.default_factory)  # type: ignore[arg-type]  # records are dataclasses
    return record(**dict.fromkeys(needed) | known)
