"""The mapping of 畅捷通 T+ passes the contract on tables of T+'s shape."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.erp.model import Approval, Feed, Invoice, InvoiceStatus, PurchaseOrder, ReviewState
from bot.erp.port import Capability
from bot.kit.testing.gaps import Gaps, Rewrite
from tests.bare_records import with_review
from tests.erp.earlier_purchases import supplied_earlier
from tests.erp.fakes.chanjet_tplus import BOTH, ChanjetTplus
from tests.erp.sql.mapping_contract import (
    READS,
    ReadyMappingContract,
    given_up_is_closed,
    in_own_currency,
    without_production,
    without_void,
)

_UNCHECKED = {ReviewState.DRAFT, ReviewState.REJECTED, ReviewState.WAITING}


def _as_checked(record: Any) -> Any:
    """Return an order with what its head says of the decision: who checked it, and when."""
    if not isinstance(record, PurchaseOrder):
        return record
    if record.status in _UNCHECKED:
        return with_review(record, state=ReviewState.WAITING, approval=Approval())
    if record.review.approval is None:
        return record
    told = Approval(decided_by=record.review.approval.decided_by, decided_at=record.review.approval.decided_at)
    return with_review(record, approval=told)


def _without_void(record: Any) -> Any:
    return None if isinstance(record, Invoice) and record.status is InvoiceStatus.VOID else without_void(record)


@pytest.mark.sampled(8)
class TestChanjetTplusContract(ReadyMappingContract):
    """On PostgreSQL."""

    name, installed = "chanjet-tplus", ChanjetTplus
    offers = READS - {Capability.PRODUCTION_ORDERS, Capability.FINISHED_DAYS} | {
        Capability.CUSTOMERS,
        Capability.VENDORS,
        Capability.PAYMENTS,
        Capability.PRODUCT_DETAILS,
        Capability.PRICES,
        Capability.ARRIVALS,
        Capability.RECEIPTS,
        Capability.SHORTAGES,
        Capability.WAREHOUSE_STOCK,
    }
    feeds = frozenset({Feed.PAYMENTS})
    gaps = Gaps(
        cases={"list.created_by": "the mapping reads no maker of documents"}
        | {
            f"changes.{case}[production]": "the days of 生产加工单 stand in no public description of T+"
            for case in ("once", "equal_times", "again", "while_reading", "burst")
        },
        fields={
            "ProductDetails.components": "bills of material are not read",
            "ProductDetails.used_in": "bills of material are not read",
            "ProductDetails.used_in_total": "bills of material are not read",
            "Prices.list_price": "price lists are for customers, quantities and days",
            "Quantities.outgoing": "what is promised is one figure, which reserved tells",
            "Quantities.forecast": "T+ works it out in its reports",
            "SalesOrder.billing": "an order does not tell what of it was invoiced",
            "SalesOrder.payment": "an order does not tell what of it was paid",
            "OrderLine.invoiced": "a line of an order does not tell what of it was invoiced",
            "Customer.payment_terms": "terms stand as ids that no public description explains",
            "Customer.receivable": "whether the balance beside a partner is of today no public description says",
            "ReceiptLine.lot": "the batch of a line of 进货单 stands in no public description",
            "Payment.method": "ways of paying stand in lines of a payment that no public description explains",
            "Payment.settles": "what a payment settles stands in lines that no public description explains",
            "Supplier.buyer": "a partner names who sells to them, not who buys",
            "Supplier.payment_terms": "terms stand as ids that no public description explains",
            "Supplier.payable": "whether the balance beside a partner is of today no public description says",
        },
        rewrites=(
            Rewrite("an order that is given up is closed", given_up_is_closed),
            Rewrite("what is not checked waits, and levels and reasons stand with the workflow alone", _as_checked),
            Rewrite("vendors of a product are those of earlier purchases", supplied_earlier),
            Rewrite("what production is to give is not told", without_production),
            Rewrite("limits of partners are in the company's own currency", in_own_currency),
            Rewrite("a delivery note or a payment that was wrong is deleted, not void", _without_void),
        ),
        resolution=timedelta(milliseconds=1),
    )

    async def test_a_partner_may_be_both(self, erp: Any) -> None:
        assert (await erp.customer(BOTH)).name == (await erp.vendor(BOTH)).name == "Both sides"
