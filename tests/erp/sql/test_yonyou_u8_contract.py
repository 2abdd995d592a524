"""The mapping of 用友 U8+ passes the contract on tables of U8's shape."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.erp.model import Approval, Payment, PaymentDirection, PurchaseOrder, ReviewState
from bot.erp.port import GOODS, PARTNER_READS
from bot.kit.testing.gaps import Gaps, Rewrite
from tests.bare_records import with_review
from tests.erp.earlier_purchases import supplied_earlier
from tests.erp.fakes.yonyou_u8 import YonyouU8
from tests.erp.sql.mapping_contract import (
    NO_TIME_OF_PRODUCTS,
    NO_TIME_OF_STOCK,
    READS,
    ReadyMappingContract,
    given_up_is_closed,
    in_own_currency,
    unfollowed,
    without_void,
)


def _as_checked(record: Any) -> Any:
    """Return an order with what its head says of the decision: who checked it, and when."""
    if not isinstance(record, PurchaseOrder):
        return record
    if record.status in {ReviewState.APPROVED, ReviewState.DONE} and record.review.approval:
        told = Approval(decided_by=record.review.approval.decided_by, decided_at=record.review.approval.decided_at)
        return with_review(record, approval=told)
    return with_review(record, approval=Approval() if record.status is ReviewState.WAITING else None)


def _numbered_by_kind(record: Any) -> Any:
    """Return a payment whose number tells receipts and payments apart."""
    if not isinstance(record, Payment):
        return record
    kind = "收-" if record.direction is PaymentDirection.RECEIVED else "付-"
    return replace(record, number=f"{kind}{record.number}")


@pytest.mark.sampled(8)
class TestYonyouU8Contract(ReadyMappingContract):
    """On PostgreSQL."""

    name, installed, offers = "yonyou-u8", YonyouU8, READS | GOODS | PARTNER_READS
    gaps = Gaps(
        cases={"list.created_by": "the mapping reads no maker of documents"}
        | unfollowed("products", NO_TIME_OF_PRODUCTS)
        | unfollowed("stock", NO_TIME_OF_STOCK),
        fields={
            "Quantities.outgoing": "what is promised is one figure, which reserved tells",
            "Quantities.forecast": "U8 works it out in its reports",
            "ProductionOrder.scrapped": "the line of a production order has no scrap",
            "GoodsDelivery.carrier": "a dispatch names a way of shipping, not who carries",
            "GoodsDelivery.tracking": "a dispatch has no tracking number",
            "Prices.list_price": "price lists are for customers, quantities and days",
            "Customer.changed_at": "a customer tells the day of its change, not its time",
            "Supplier.changed_at": "a vendor tells the day of its change, not its time",
            "Bill.reference": "an invoice of a vendor is entered under the vendor's own number",
            "Payment.changed_at": "a payment tells the day of its change, not its time",
            "ProductionOrder.material_ready": "the line of a production order says nothing of its material",
        },
        rewrites=(
            Rewrite("an order that is given up is closed", given_up_is_closed),
            Rewrite("vendors of a product are those of earlier purchases", supplied_earlier),
            Rewrite("an invoice of a vendor or a payment that was wrong is deleted, not void", without_void),
            Rewrite("limits and debts of partners are in the company's own currency", in_own_currency),
            Rewrite("receipts and payments are numbered each for themselves: 收- or 付- says which", _numbered_by_kind),
            Rewrite("only the workflow's own tables know levels, whose turn it is, and reasons", _as_checked),
        ),
        resolution=timedelta(milliseconds=1),
    )
