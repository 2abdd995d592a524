"""The SAP Business One adapter passes the contract with both versions of the API."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

import pytest

from bot.erp.kinds import BILLS, SALES_ORDERS
from bot.erp.model import (
    Bill,
    Customer,
    Feed,
    Invoice,
    InvoiceStatus,
    Money,
    OrderStatus,
    Payment,
    PaymentStatus,
    ProductionOrder,
    Progress,
    PurchaseOrder,
    Quantities,
    ReviewState,
    SalesOrder,
    StockLevel,
    Supplier,
    Verdict,
)
from bot.erp.model.goods import DeliveryStatus, GoodsDelivery, ProductDetails
from bot.erp.port import COMMON, Capability
from bot.erp.sap_b1.manifest import vendor
from bot.kit.testing.company import TODAY, Clock, ReferenceCompany
from bot.kit.testing.erp_contract import ErpContract
from bot.kit.testing.fake_erp import SECRET
from bot.kit.testing.gaps import Gaps, Rewrite
from bot.kit.testing.reference_records import USERS
from tests.bare_records import with_review
from tests.erp.fakes.sap_b1 import COMPANY, USER, FakeSapB1, user_password
from tests.erp.fakes.sap_b1_records import LOCAL, in_own_currency, is_draft, number


def _due(record: Any) -> Any:
    match record:
        case SalesOrder():
            lines = tuple(replace(line, due_on=line.due_on or record.ordered_on) for line in record.lines)
            return replace(record, promised_on=record.promised_on or record.ordered_on, lines=lines)
        case Invoice() | Bill():
            return replace(record, due_on=record.due_on or record.issued_on)
        case PurchaseOrder():
            return replace(record, due_on=record.due_on or record.ordered_on)
        case ProductionOrder():
            return replace(record, due_on=record.due_on or record.start_on)
    return record


def _stock(record: Any) -> Any:
    if not isinstance(record, StockLevel):
        return record
    places = tuple(place for place in record.per_warehouse if _any(place.quantities))
    return replace(
        record,
        total=_forecast(record.total),
        per_warehouse=tuple(replace(place, quantities=_forecast(place.quantities)) for place in places),
        reorder_point=record.reorder_point or None,
    )


def _any(figures: Quantities) -> bool:
    return bool(figures.on_hand or figures.reserved or figures.incoming)


def _forecast(figures: Quantities) -> Quantities:
    assert figures.available is not None
    assert figures.incoming is not None
    return replace(figures, forecast=figures.available + figures.incoming)


def _base(record: Any) -> Any:
    if isinstance(record, Invoice | Bill) and is_draft(record.order_number):
        return replace(record, order_number="")
    if isinstance(record, ProductionOrder) and is_draft(record.sales_order):
        return replace(record, sales_order="")
    if isinstance(record, Payment):
        return replace(record, settles=tuple(number for number in record.settles if not is_draft(number)))
    return record


def _own_money(record: Any) -> Any:
    match record:
        case Customer():
            return replace(record, credit_limit=_own(record.credit_limit), receivable=_own(record.receivable))
        case Supplier():
            return replace(record, payable=_own(record.payable))
        case Payment():
            assert record.amount is not None
            return replace(record, amount=in_own_currency(record.amount))
    return record


def _own(amount: Money | None) -> Money | None:
    return None if amount is None else Money(amount.amount, LOCAL)


def _main_vendor(record: Any) -> Any:
    if not isinstance(record, ProductDetails) or not record.supplies:
        return record
    main, *others = record.supplies
    supplies = (main, *(replace(each, code="", lead_days=main.lead_days) for each in others))
    return replace(record, supplies=supplies)


def _left(record: Any) -> Any:
    if not isinstance(record, GoodsDelivery):
        return record
    if record.status in (DeliveryStatus.PLANNED, DeliveryStatus.READY):
        return None
    return replace(record, planned_on=record.planned_on or record.day or TODAY)


def _booked(record: Any) -> Any:
    return None if isinstance(record, Payment) and record.status is PaymentStatus.DRAFT else record


def _received(record: Any) -> Any:
    if isinstance(record, PurchaseOrder) and record.received is Progress.FULL:
        return with_review(record, state=ReviewState.DONE)
    return record


def _reviewed(record: Any) -> Any:
    match record:
        case SalesOrder() if record.review and is_draft(record.number):
            return replace(record, status=OrderStatus.DRAFT)
        case Bill() if record.review and is_draft(record.number):
            return replace(record, status=InvoiceStatus.DRAFT)
        case Bill(is_credit_note=True) if record.review:
            return with_review(record, approval=None)
    return record


def _material(record: Any) -> Any:
    if isinstance(record, ProductionOrder) and record.material_ready is False:
        return replace(record, material_ready=None)
    return record


class SapB1Contract(ErpContract):
    feeds = frozenset({Feed.BILLS, Feed.DELIVERIES})
    offers = COMMON - {Capability.PRICES}
    decides = MappingProxyType(dict.fromkeys((SALES_ORDERS, BILLS), frozenset(Verdict)))
    vendor = vendor
    number = staticmethod(number)
    version: ClassVar[str]
    gaps = Gaps(
        fields={
            "ProductDetails.used_in": "lines of bills of material cannot be filtered by",
            "ProductDetails.used_in_total": "lines of bills of material cannot be filtered by",
            "Quantities.outgoing": "one figure is both what is reserved and what will go out",
            "SalesOrder.billing": "an order does not tell what of it was invoiced",
            "SalesOrder.payment": "an order does not tell what of it was paid",
            "OrderLine.invoiced": "a line of an order does not tell what of it was invoiced",
            "Review.changed_by": "documents tell who made them, not who changed them last",
            "Payment.method": "a payment is the sum of cash, transfer, cheques and cards",
            "Payment.changed_at": "payments do not tell when they changed",
            "ProductionOrder.changed_at": "production orders do not tell when they changed",
        },
        states={OrderStatus.DELIVERED: (OrderStatus.CLOSED, "an order that is delivered in full is closed")},
        cases={
            f"changes.{case}[{area}]": reason
            for case in ("once", "equal_times", "again", "while_reading", "burst")
            for area, reason in (
                ("stock", "stock does not tell when it changed"),
                ("production", "production orders do not tell when they changed"),
            )
        }
        | {
            "list.due[deliveries]": "only what left has a delivery note, and that is not late",
            "list.order_part[deliveries]": "a delivery note is found by the whole number of its order",
            "list.order_part[receipts]": "a receipt is found by the whole number of its order",
            "list.created_by[payments]": "payments do not tell who entered them",
            "list.created_by[customers]": "a business partner does not tell who entered it",
            "list.created_by[vendors]": "a business partner does not tell who entered it",
        },
        rewrites=(
            Rewrite("the day by which a document is due is mandatory", _due),
            Rewrite(
                "forecast is SAP's available, warehouses without figures are left out, a minimum of 0 is none", _stock
            ),
            Rewrite("nothing is made from a draft, and none is paid", _base),
            Rewrite("limits and balances of partners, and payments, are in the company's own currency", _own_money),
            Rewrite("drafts of payments are not told", _booked),
            Rewrite("an item has one lead time, and the code of its main vendor alone", _main_vendor),
            Rewrite("only what left has a delivery note", _left),
            Rewrite("an order that is received in full is closed", _received),
            Rewrite("what is not generated yet is a draft, and credit notes need an approval of their own", _reviewed),
            Rewrite("material that was not issued may lie ready or not", _material),
        ),
        resolution=timedelta(seconds=1),
    )

    def install(self, company: ReferenceCompany, clock: Clock, folder: Path) -> FakeSapB1:
        return FakeSapB1(company, clock, version=self.version)

    def options(self, installation: FakeSapB1, timeout: float) -> dict[str, Any]:
        return {
            "url": installation.url,
            "version": self.version,
            "company": COMPANY,
            "user": USER,
            "password": SECRET,
            "approvers": {user.id: user_password(user.id) for user in USERS},
            "decides": [kind.command for kind in self.decides],
            "spec_field": "U_Spec",
            "list_days": 3650,
            "lots_queries": ["dingerp_batches", "dingerp_serials"],
            "timeout": timeout,
            "write_timeout": timeout,
        }


@pytest.mark.sampled(3)
class TestSapB1Contract(SapB1Contract):
    name, version = "sap_b1", "v2"


@pytest.mark.sampled(7)
class TestSapB1OldContract(SapB1Contract):
    name, version = "sap_b1-v1", "v1"
