"""Records for tests that say only what they are about: of all else they tell as little as their class lets them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields, replace
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
    Review,
    ReviewState,
    SalesOrder,
)
from bot.erp.model.goods import DeliveryStatus, GoodsDelivery, GoodsReceipt

T = TypeVar("T")

_DEMANDED: Mapping[type, Mapping[str, Any]] = {
    SalesOrder: {"customer": "Acme", "status": OrderStatus.OPEN},
    Quotation: {"customer": "Acme", "status": QuotationStatus.SENT},
    Invoice: {"customer": "Acme", "status": InvoiceStatus.UNPAID},
    Bill: {"vendor": "Acme", "status": InvoiceStatus.UNPAID},
    PurchaseOrder: {"vendor": "Acme"},
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

_REVIEWED = tuple(field.name for field in fields(Review))


def bare(record: type[T], number: str, **told: Any) -> T:
    """Return a record of a number or code, which is its id, too; what it must say and is not told is None or usual.

    What is told of the review of a purchase order stands among what is told of the order; its state is its status.
    """
    if record is PurchaseOrder:
        told = _reviewed(told)
    name = "code" if record is Customer else "number"
    known = {"id": number, name: number, **_DEMANDED.get(record, {}), **told}
    needed = (each.name for each in fields(record) if each.default is MISSING is each.default_factory)  # type: ignore[arg-type]  # records are dataclasses
    return record(**dict.fromkeys(needed) | known)


def with_review(document: T, **changes: Any) -> T:
    """Return a document that says something else, in its review where that has such a field."""
    said = {name: changes.pop(name) for name in _REVIEWED if name in changes}
    return replace(document, review=replace(document.review, **said), **changes)  # type: ignore[attr-defined, call-arg, type-var]  # a kind that is decided


def _reviewed(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is told of a purchase order, with its review as a record."""
    said = {name: told[name] for name in _REVIEWED if name in told}
    review = told.get("review") or Review(state=told.get("status", ReviewState.WAITING), version="1")
    others = {name: value for name, value in told.items() if name not in (*_REVIEWED, "status")}
    return {**others, "review": replace(review, **said)}
