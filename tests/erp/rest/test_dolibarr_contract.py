"""Dolibarr passes the contract by the very mapping that its how-to shows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from bot.erp.model import (
    Approval,
    Bill,
    Customer,
    Feed,
    InvoiceStatus,
    Money,
    OrderStatus,
    Product,
    Progress,
    PurchaseOrder,
    ReviewState,
    SalesOrder,
    StockLevel,
    Supplier,
)
from bot.erp.model.goods import GoodsReceipt
from bot.erp.port import BY_PRODUCT, COMMON, GOODS, Capability
from bot.erp.rest.manifest import vendor
from bot.kit.testing.company import Clock, ReferenceCompany
from bot.kit.testing.erp_contract import ErpContract
from bot.kit.testing.fake_erp import SECRET
from bot.kit.testing.gaps import Gaps, Rewrite
from tests.bare_records import with_review
from tests.erp.fakes.dolibarr import FakeDolibarr, can_be_code, is_reception
from tests.erp.rest.test_dolibarr import documented

KEY = "the key is sent with every call: there is nothing that runs out"
ONE_USER = "the ERP knows the user whose key it is, and nobody else"
NO_STOCK_TIME = "stock does not tell when it changed"


def _possible_codes(record: Any) -> Any:
    product = record.product if isinstance(record, StockLevel) else record
    return record if can_be_code(getattr(product, "sku", "")) else None


def _in_pieces(record: Any) -> Any:
    """Return products and lines in the unit of the source."""
    match record:
        case Product():
            return replace(record, unit="个")
        case StockLevel():
            return replace(record, product=replace(record.product, unit="个"))
        case SalesOrder() | PurchaseOrder() | GoodsReceipt():
            lines: Any = tuple(replace(line, unit="个") for line in record.lines)
            return replace(record, lines=lines)
        case _:
            return replace(record, unit="个") if hasattr(record, "planned") else record


def _reception(record: Any) -> Any:
    return None if isinstance(record, GoodsReceipt) and not is_reception(record) else record


def _stock(record: Any) -> Any:
    """Return stock with one figure for each warehouse, and the forecast in total."""
    if not isinstance(record, StockLevel):
        return record
    places = tuple(
        replace(place, quantities=replace(place.quantities, forecast=None)) for place in record.per_warehouse
    )
    return replace(record, per_warehouse=places)


def _parties(record: Any) -> Any:
    if not isinstance(record, Customer | Supplier):
        return record
    if "*" in record.code:
        return None
    if isinstance(record, Supplier) or record.credit_limit is None:
        return record
    return replace(record, credit_limit=Money(record.credit_limit.amount, "CNY"))


def _rest(record: Any) -> Any:
    """Return a bill whose payments tell what is open of it: they are asked for of unpaid bills alone."""
    known = not isinstance(record, Bill) or (record.is_open and not record.is_credit_note)
    return record if known else replace(record, open_amount=None)


def _listed(record: Any) -> Any:
    if not isinstance(record, Bill):
        return record
    status = InvoiceStatus.UNPAID if record.status is InvoiceStatus.PART_PAID else record.status
    return replace(record, status=status, open_amount=None)


def _delivered_is_closed(record: Any) -> Any:
    delivered = isinstance(record, SalesOrder) and record.status is OrderStatus.DELIVERED
    return replace(record, status=OrderStatus.CLOSED) if delivered else record


def _purchase(record: Any) -> Any:
    """Return an order with two levels, of which the first is done when somebody is named as its approver."""
    if not isinstance(record, PurchaseOrder):
        return record
    refused = record.status is ReviewState.REJECTED
    given = bool(record.review.approval and record.review.approval.decided_by) and not refused
    full = record.status is ReviewState.APPROVED and record.received is Progress.FULL
    received = record.received if record.status in {ReviewState.APPROVED, ReviewState.DONE} else Progress.NONE
    return with_review(
        replace(record, received=received),
        state=ReviewState.DONE if full else record.status,
        approval=Approval(level=2 if given else 1, levels=2),
    )


def _draft(server: FakeDolibarr) -> str:
    draft = next(each for each in server.company.invoices.values() if each.status is InvoiceStatus.DRAFT)
    name, genuine = f"(PROV{draft.id})", server._rows

    def rows(kind: str) -> list[dict[str, Any]]:
        return [row | {"ref": name} if row["ref"] == draft.number else row for row in genuine(kind)]

    server._rows = rows  # type: ignore[method-assign]  # what the fake holds
    return name


@pytest.mark.sampled(8)
class TestDolibarrContract(ErpContract):
    """With one key."""

    name, vendor = "rest-dolibarr", vendor
    traps = MappingProxyType({"trap.draft": _draft})
    offers = COMMON - GOODS - BY_PRODUCT - {
        Capability.REJECT,
        Capability.RESERVED_AND_INCOMING,
        Capability.LOTS,
        Capability.FINISHED_DAYS,
        Capability.PAYMENTS,
    } | {Capability.RECEIPTS, Capability.SHORTAGES, Capability.WAREHOUSE_STOCK}
    feeds = frozenset({Feed.BILLS})
    gaps = Gaps(
        cases={"list.created_by": "the mapping reads no maker of documents"}
        | dict.fromkeys(("login.once", "login.expired", "login.single_flight", "login.no_loop"), KEY)
        | dict.fromkeys(
            ("decide.by", "decide.two_people", "decide.outsider", "decide.own", "decide.lost_other"), ONE_USER
        )
        | {"read.changed_by": "an order tells who made and who approved it, not who changed it"}
        | {"decide.levels": ONE_USER, "decide.level_again": ONE_USER}
        | {
            f"changes.{case}[stock]": NO_STOCK_TIME
            for case in ("once", "equal_times", "again", "while_reading", "burst")
        },
        fields={
            "Product.is_active": "a product is for sale, to be bought, both or neither: two fields say so",
            "Product.spec": "a product has a name and a long description, but no specification",
            "Product.category": "categories are lists of products, and no field of one",
            "Quantities.reserved": "stock tells what lies there, and what will in the end",
            "Quantities.available": "stock tells what lies there, and what will in the end",
            "Quantities.incoming": "stock tells what lies there, and what will in the end",
            "Quantities.outgoing": "stock tells what lies there, and what will in the end",
            "SalesOrder.delivery": "an order tells its state alone",
            "SalesOrder.billing": "an order tells its state alone",
            "SalesOrder.payment": "an order tells its state alone",
            "SalesOrder.salesperson": "contacts of an order are a call of their own",
            "OrderLine.delivered": "shipments are a call of their own",
            "OrderLine.invoiced": "invoices are linked, not counted",
            "OrderLine.price": "prices of lines are without tax, their amounts with",
            "OrderLine.due_on": "lines have no day of their own",
            "PurchaseLine.received": "receptions are a call of their own",
            "GoodsReceipt.warehouse": "the lines of a reception name warehouses, each its own",
            "GoodsReceipt.changed_at": "a reception tells when it was made, not when it changed",
            "PurchaseLine.price": "prices of lines are without tax, their amounts with",
            "Invoice.order_number": "linked objects are a call of their own",
            "Review.changed_by": "an order tells who made and who approved it, not who changed it",
            "PurchaseOrder.buyer": "contacts of an order are a call of their own",
            "Customer.contact": "contacts are a call of their own",
            "Customer.salesperson": "representatives are a call of their own",
            "Customer.payment_terms": "terms are ids of a dictionary",
            "Customer.receivable": "what is outstanding is a call of its own",
            "Supplier.contact": "contacts are a call of their own",
            "Supplier.buyer": "representatives are a call of their own",
            "Supplier.payment_terms": "terms are ids of a dictionary",
            "Supplier.payable": "what is outstanding is a call of its own",
            "Bill.order_number": "linked objects are a call of their own",
            "ProductionOrder.produced": "what was produced stands in lines that a list does not have",
            "ProductionOrder.scrapped": "there is no scrap",
            "ProductionOrder.finished_on": "an order has planned days alone",
            "ProductionOrder.material_ready": "an order does not say whether its material is there",
            "ProductionOrder.sales_order": "linked objects are a call of their own",
        },
        rewrites=(
            Rewrite("a ref has no characters that file names cannot have", _possible_codes),
            Rewrite("units are ids of a dictionary, so the source's own is shown", _in_pieces),
            Rewrite("a code has letters, digits and dashes, and a limit is in the company's own currency", _parties),
            Rewrite("payments tell what is open of an unpaid bill, and of no other", _rest),
            Rewrite("a reception is of one order, and what goes back is none", _reception),
            Rewrite("the forecast is one figure over all warehouses", _stock),
            Rewrite("an order that is delivered is closed", _delivered_is_closed),
            Rewrite("the first of two approvals is told by its approver, and of a decision nothing else", _purchase),
        ),
        listed=(Rewrite("a list tells neither what is open of a bill nor whether part of it was paid", _listed),),
        resolution=timedelta(seconds=1),
    )

    def install(self, company: ReferenceCompany, clock: Clock, folder: Path) -> FakeDolibarr:
        return FakeDolibarr(company, clock)

    def options(self, installation: FakeDolibarr, timeout: float) -> dict[str, Any]:
        account = {"kind": "header", "name": "DOLAPIKEY", "key": SECRET}
        given = {"account": account, "timeout": timeout, "write_timeout": timeout}
        return documented(installation.url or "http://127.0.0.1:1") | given
