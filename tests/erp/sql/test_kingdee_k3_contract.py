"""The mapping of 金蝶 K/3 WISE passes the contract on tables of K/3's shape."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from bot.erp.model import Approval, PurchaseOrder, ReviewState, StockLevel
from bot.erp.model.goods import DeliveryStatus, GoodsDelivery
from bot.erp.port import GOODS, PARTNER_READS, Capability
from bot.kit.testing.gaps import Gaps, Rewrite
from tests.bare_records import with_review
from tests.erp.earlier_purchases import supplied_earlier
from tests.erp.fakes.kingdee_k3 import KingdeeK3
from tests.erp.sql.mapping_contract import READS, ReadyMappingContract

_UNCHECKED = {ReviewState.DRAFT, ReviewState.REJECTED}


def _as_checked(record: Any) -> Any:
    """Return an order with the levels of checking that it has reached."""
    if not isinstance(record, PurchaseOrder):
        return record
    if record.status in _UNCHECKED:
        return with_review(record, state=ReviewState.WAITING, approval=Approval())
    if record.status is ReviewState.CANCELLED or record.review.approval is None:
        return with_review(record, approval=Approval() if record.status is ReviewState.CANCELLED else None)
    told = record.review.approval
    waits = record.status is ReviewState.WAITING
    return with_review(
        record, approval=replace(told, pending_for=(), levels=1, decided_at=None if waits else told.decided_at)
    )


def _without_zero(record: Any) -> Any:
    nothing = isinstance(record, StockLevel) and record.reorder_point == Decimal(0)
    return replace(record, reorder_point=None) if nothing else record


def _of_one_day(record: Any) -> Any:
    return replace(record, planned_on=record.day) if isinstance(record, GoodsDelivery) else record


@pytest.mark.sampled(8)
class TestKingdeeK3Contract(ReadyMappingContract):
    """On PostgreSQL."""

    name, installed = "kingdee-k3-wise", KingdeeK3
    offers = (READS | GOODS | PARTNER_READS) - {Capability.CHANGED_SINCE, Capability.RESERVED_AND_INCOMING}
    gaps = Gaps(
        cases={
            "read.changed_by": "an order names who made it and who checked it, not who changed it",
            "list.created_by": "the mapping reads no maker of documents",
        },
        fields={
            "Product.barcode": "K/3 keeps barcodes in tables of their own module",
            "Quantities.incoming": "stock tells what lies there and what is locked",
            "Quantities.outgoing": "stock tells what lies there and what is locked",
            "Quantities.forecast": "stock tells what lies there and what is locked",
            "Lot.expires_on": "a lot has a day of production and a shelf life, as a text and a number",
            "SalesOrder.payment": "an order does not tell what of it was paid",
            "SalesOrder.changed_at": "K/3 stamps a change with a row version, which is no time",
            "Invoice.changed_at": "K/3 stamps a change with a row version, which is no time",
            "Review.changed_by": "an order names who made it and who checked it, not who changed it",
            "PurchaseOrder.changed_at": "K/3 stamps a change with a row version, which is no time",
            "Customer.payment_terms": "the terms of partners stand in tables of receivables and payables",
            "Customer.credit_limit": "limits of credit stand in tables of their own, by kind and currency",
            "Customer.receivable": "debts are worked out from the documents of receivables",
            "Customer.changed_at": "K/3 stamps a change with a row version, which is no time",
            "Supplier.payment_terms": "the terms of partners stand in tables of receivables and payables",
            "Supplier.payable": "debts are worked out from the documents of payables",
            "Supplier.changed_at": "K/3 stamps a change with a row version, which is no time",
            "Bill.reference": "a bill has no field for the vendor's own number",
            "Bill.changed_at": "K/3 stamps a change with a row version, which is no time",
            "Payment.changed_at": "K/3 stamps a change with a row version, which is no time",
            "GoodsDelivery.carrier": "an issue names no carrier",
            "GoodsDelivery.tracking": "an issue names no tracking number",
            "GoodsDelivery.changed_at": "K/3 stamps a change with a row version, which is no time",
            "GoodsReceipt.changed_at": "K/3 stamps a change with a row version, which is no time",
            "Prices.list_price": "price lists are for customers, quantities and days",
            "Shortage.incoming": "stock tells what lies there and what is locked",
            "ProductionOrder.material_ready": "an order does not say whether its material is there",
            "ProductionOrder.changed_at": "K/3 stamps a change with a row version, which is no time",
        },
        rewrites=(
            Rewrite(
                "whatever is saved waits to be checked, and how many levels there are is told nowhere", _as_checked
            ),
            Rewrite("a safety stock of 0 is none", _without_zero),
            Rewrite("an issue bears one day", _of_one_day),
            Rewrite("vendors of a product are those of earlier purchases", supplied_earlier),
        ),
        states={DeliveryStatus.READY: (DeliveryStatus.PLANNED, "an issue is checked, or not yet")},
        resolution=timedelta(milliseconds=1),
    )
