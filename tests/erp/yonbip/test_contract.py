"""The YonBIP adapter passes the contract, with the app's token and the access tokens of the people who decide."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.erp.model import (
    Customer,
    Feed,
    ProductionOrder,
    PurchaseOrder,
    ReviewState,
    StockLevel,
    WarehouseStock,
)
from bot.erp.model.goods import DeliveryStatus, GoodsDelivery, WarehouseContents
from bot.erp.port import COMMON, GOODS, Capability
from bot.erp.yonbip.manifest import vendor
from bot.kit.testing.company import TODAY, Clock, ReferenceCompany
from bot.kit.testing.erp_contract import ErpContract
from bot.kit.testing.fake_erp import SECRET
from bot.kit.testing.gaps import Gaps, Rewrite
from bot.kit.testing.reference_records import WAREHOUSES as NAMES
from tests.bare_records import with_review
from tests.erp.fakes.yonbip import APP_KEY, TENANT, FakeYonBip, user_token
from tests.erp.fakes.yonbip_records import WAREHOUSES

PEOPLE = ("anna", "boris", "carla", "dora", "guest")


def _warehouses(record: Any) -> Any:
    if isinstance(record, WarehouseContents):
        return replace(record, code=WAREHOUSES[record.code])
    if not isinstance(record, StockLevel):
        return record
    places: tuple[WarehouseStock, ...] = tuple(replace(p, code=WAREHOUSES[p.code]) for p in record.per_warehouse)
    return replace(record, per_warehouse=places)


def _levels(record: Any) -> Any:
    if not isinstance(record, PurchaseOrder) or record.review.approval is None:
        return record
    return with_review(record, approval=replace(record.review.approval, levels=record.review.approval.level))


def _requester(record: Any) -> Any:
    if isinstance(record, PurchaseOrder) and record.status in (ReviewState.DRAFT, ReviewState.CANCELLED):
        return with_review(record, requester="")
    return record


def _closed(record: Any) -> Any:
    if isinstance(record, PurchaseOrder) and record.status is ReviewState.CANCELLED:
        return with_review(record, state=ReviewState.DONE)
    return record


def _material(record: Any) -> Any:
    if isinstance(record, ProductionOrder) and record.material_ready is False:
        return replace(record, material_ready=None)
    return record


def _active(record: Any) -> Any:
    return replace(record, is_active=True) if isinstance(record, Customer) else record


def _one_day(record: Any) -> Any:
    if not isinstance(record, GoodsDelivery):
        return record
    if record.status is DeliveryStatus.CANCELLED:
        return None
    if record.status is DeliveryStatus.SHIPPED:
        return replace(record, planned_on=None)
    return replace(record, status=DeliveryStatus.PLANNED, planned_on=record.planned_on or TODAY)


_UNLISTED = (
    "Customer.contact", "Customer.phone", "Customer.email", "Customer.address", "Customer.salesperson",
    "Customer.payment_terms", "Customer.credit_limit", "Customer.receivable", "Customer.changed_at",
)  # fmt: skip


_CODES = {place: code for code, place in WAREHOUSES.items()}
_GOODS = {Capability.DELIVERIES, Capability.RECEIPTS, Capability.ARRIVALS, Capability.WAREHOUSE_STOCK}


@pytest.mark.sampled(3)
class TestYonBipContract(ErpContract):
    name, vendor = "yonbip", vendor
    offers = (
        COMMON
        - (GOODS - _GOODS)
        - {
            Capability.REORDER_POINT,
            Capability.LOTS,
            Capability.FINISHED_DAYS,
            Capability.ORDERS_OF_PRODUCT,
        }
    )
    feeds = frozenset({Feed.BILLS, Feed.DELIVERIES})
    gaps = Gaps(
        fields={
            "ProductionOrder.finished_on": "the list of production orders has the planned day alone",
            "Product.is_active": "the list of materials does not tell which are disabled",
            "Product.spec": "the list of materials answers without a spec",
            "Product.barcode": "the list of materials answers without barcodes",
            "Quantities.reserved": "stock tells what orders will take out, not what is reserved",
            "StockLevel.reorder_point": "safety stock is not in the stock call",
            "Review.changed_by": "documents name who changed them by a number that the workflow does not know",
            **dict.fromkeys(_UNLISTED, "the list of customers tells no more than code and name"),
            "Supplier.contact": "contacts are not in the list of vendors",
            "Supplier.buyer": "the list of vendors does not tell",
            "Supplier.payment_terms": "the list of vendors does not tell",
            "Supplier.payable": "the list of vendors does not tell",
            "Payment.settles": "lists of receipts and payments name no bills; records of settling do",
            "ProductionOrder.scrapped": "a list of production orders does not tell what was scrapped",
            "ProductionOrder.sales_order": "a list of production orders does not tell the sales order's number",
        },
        cases={
            f"changes.{case}[{area}]": "neither materials nor stock tell their time of change"
            for case in ("once", "equal_times", "again", "while_reading", "burst")
            for area in ("products", "stock")
        }
        | dict.fromkeys(
            ("list.order_part[receipts]", "list.text_due[receipts]"),
            "a list of notes names no orders: a note is found by the whole number of its order",
        )
        | {
            "list.created_by[customers]": "the list of customers does not tell",
            "list.created_by[payments]": "lists of receipts and payments tell no name",
        },
        rewrites=(
            Rewrite("stock names warehouses by id alone", _warehouses),
            Rewrite("the workflow tells the levels reached, not those to come", _levels),
            Rewrite("only the workflow names the requester's account", _requester),
            # Not listed as a gap of states: the states of other documents have the same text.
            Rewrite("a purchase order is closed, not cancelled", _closed),
            Rewrite("a note of goods issue has one day, is picked or not, and is deleted when given up", _one_day),
            Rewrite("the list of customers does not tell who is disabled", _active),
            Rewrite("material that was not issued may lie ready or not", _material),
        ),
        resolution=timedelta(seconds=1),
    )

    def _levels(self, company: ReferenceCompany) -> list[StockLevel]:
        """Return the stock by the codes of warehouses, under which the reference company knows them."""
        return [
            replace(level, per_warehouse=tuple(replace(p, code=_CODES[p.code]) for p in level.per_warehouse))
            for level in super()._levels(company)
        ]

    def install(self, company: ReferenceCompany, clock: Clock, folder: Path) -> FakeYonBip:
        return FakeYonBip(company, clock)

    def options(self, installation: FakeYonBip, timeout: float) -> dict[str, Any]:
        return {
            "url": installation.url,
            "tenant": TENANT,
            "app_key": APP_KEY,
            "app_secret": SECRET,
            "user_tokens": {person: user_token(person) for person in PEOPLE},
            "warehouses": {WAREHOUSES[code]: name for code, name in NAMES.items()},
            "list_days": 3650,
            "timeout": timeout,
            "write_timeout": timeout,
        }
