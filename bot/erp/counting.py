"""Which documents count: one rule for the sums of lists, reports, rankings, charts and files."""

from __future__ import annotations

from typing import TypeAlias

from bot.erp.goods import DeliveryStatus, GoodsDelivery
from bot.erp.model import (
    Bill,
    Invoice,
    InvoiceRecord,
    InvoiceStatus,
    Money,
    OrderStatus,
    Payment,
    PaymentStatus,
    ProductionOrder,
    ProductionStatus,
    PurchaseOrder,
    PurchaseStatus,
    SalesOrder,
)

CountedDocument: TypeAlias = SalesOrder | Invoice | PurchaseOrder | ProductionOrder | Bill | Payment | GoodsDelivery

_NOT_COUNTED = frozenset(
    {
        OrderStatus.DRAFT,
        OrderStatus.CANCELLED,
        InvoiceStatus.DRAFT,
        InvoiceStatus.VOID,
        PurchaseStatus.DRAFT,
        PurchaseStatus.WAITING,
        PurchaseStatus.REJECTED,
        PurchaseStatus.CANCELLED,
        ProductionStatus.CANCELLED,
        PaymentStatus.DRAFT,
        PaymentStatus.CANCELLED,
        DeliveryStatus.CANCELLED,
    }
)
"""States of documents that are not, or not any more, what the company agreed on."""


def counts(document: CountedDocument) -> bool:
    """Return whether a document counts: it is no draft, and nobody refused it or gave it up."""
    return document.status not in _NOT_COUNTED


def signed(document: CountedDocument, amount: Money | None) -> Money | None:
    """Return an amount that is negative for a credit note, whatever its sign is in the ERP."""
    if amount is None or not isinstance(document, InvoiceRecord) or not document.is_credit_note:
        return amount
    return Money(-abs(amount.amount), amount.currency)
