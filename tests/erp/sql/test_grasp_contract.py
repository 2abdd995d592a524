"""The mapping of 管家婆 passes the contract on tables of its shape."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.erp.model import Approval, PurchaseOrder, ReviewState, SalesOrder
from bot.erp.port import Capability
from bot.kit.testing.gaps import Gaps, Rewrite
from tests.bare_records import with_review
from tests.erp.earlier_purchases import supplied_earlier
from tests.erp.fakes.grasp import Grasp
from tests.erp.sql.mapping_contract import (
    ReadyMappingContract,
    given_up_is_closed,
    in_own_currency,
    without_production,
    yuan,
)

_UNPOSTED = {ReviewState.DRAFT, ReviewState.REJECTED, ReviewState.WAITING}


def _as_posted(record: Any) -> Any:
    if not isinstance(record, PurchaseOrder):
        return record
    if record.status in _UNPOSTED:
        return with_review(record, state=ReviewState.WAITING, approval=Approval())
    return with_review(record, approval=None)


def _in_own_currency(record: Any) -> Any:
    if not isinstance(record, SalesOrder | PurchaseOrder):
        return record
    lines: Any = tuple(replace(line, price=yuan(line.price), amount=yuan(line.amount)) for line in record.lines)
    return replace(record, total=yuan(record.total), lines=lines)


@pytest.mark.sampled(8)
class TestGraspContract(ReadyMappingContract):
    """On PostgreSQL."""

    name, installed = "grasp", Grasp
    offers = frozenset(
        {
            *(Capability.STOCK, Capability.STOCK_PER_WAREHOUSE, Capability.SALES_ORDERS, Capability.PURCHASE_ORDERS),
            *(Capability.PRODUCT_DETAILS, Capability.PRICES, Capability.ARRIVALS, Capability.WAREHOUSE_STOCK),
            *(Capability.CUSTOMERS, Capability.VENDORS),
            *(Capability.ORDERS_OF_PRODUCT, Capability.PURCHASES_OF_PRODUCT),
        }
    )
    gaps = Gaps(
        cases={
            "read.changed_by": "an order does not tell who changed it",
            "list.created_by": "the mapping reads no maker of documents",
        },
        fields={
            "ProductDetails.reorder_point": "limits of stock stand in tables that differ between the editions",
            "ProductDetails.components": "bills of material are not read",
            "ProductDetails.used_in": "bills of material are not read",
            "ProductDetails.used_in_total": "bills of material are not read",
            "Product.barcode": "barcodes stand in tables that differ between the editions",
            "Quantities.reserved": "stock is what lies there, one figure",
            "Quantities.available": "stock is what lies there, one figure",
            "Quantities.incoming": "stock is what lies there, one figure",
            "Quantities.outgoing": "stock is what lies there, one figure",
            "Quantities.forecast": "stock is what lies there, one figure",
            "StockLevel.reorder_point": "limits of stock stand in tables that differ between the editions",
            "SalesOrder.billing": "an order does not tell what of it was invoiced",
            "SalesOrder.payment": "an order does not tell what of it was paid",
            "SalesOrder.changed_at": "orders bear the day they are of, and no time of change",
            "OrderLine.invoiced": "a line of an order does not tell what of it was invoiced",
            "Customer.phone": "a partner's telephone stands in one text with the address",
            "Customer.email": "a partner's mail stands in tables that differ between the editions",
            "Customer.salesperson": "who looks after a partner stands in tables that differ between the editions",
            "Customer.payment_terms": "terms stand in tables that differ between the editions",
            "Customer.credit_limit": "limits of credit stand in tables that differ between the editions",
            "Customer.changed_at": "a partner tells no time of its change",
            "Supplier.phone": "a partner's telephone stands in one text with the address",
            "Supplier.email": "a partner's mail stands in tables that differ between the editions",
            "Supplier.buyer": "who looks after a partner stands in tables that differ between the editions",
            "Supplier.payment_terms": "terms stand in tables that differ between the editions",
            "Supplier.changed_at": "a partner tells no time of its change",
            "Prices.list_price": "price lists stand in tables that differ between the editions",
            "Review.requester": "an order names its handler, not who entered it",
            "Review.changed_by": "an order does not tell who changed it",
            "PurchaseOrder.changed_at": "orders bear the day they are of, and no time of change",
        },
        rewrites=(
            Rewrite("an order that is given up is closed", given_up_is_closed),
            Rewrite("what is not posted waits, and nothing is told of who posted it", _as_posted),
            Rewrite("all amounts are in the company's own currency", _in_own_currency),
            Rewrite("all amounts of partners are in the company's own currency", in_own_currency),
            Rewrite("vendors of a product are those of earlier purchases", supplied_earlier),
            Rewrite("what production is to give is not told", without_production),
        ),
    )
