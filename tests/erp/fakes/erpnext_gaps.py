"""What ERPNext cannot represent of the reference company, with and without a Workflow for Purchase Orders."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from decimal import Decimal
from typing import Any

from bot.erp.model import (
    Customer,
    OrderStatus,
    ProductionOrder,
    ProductionStatus,
    Progress,
    Quantities,
    SalesOrder,
    StockLevel,
)
from bot.erp.model.goods import DeliveryStatus, GoodsDelivery, GoodsReceipt
from bot.kit.testing.gaps import Gaps, Rewrite
from tests.erp.fakes.erpnext_documents import COMPANY, projected
from tests.erp.fakes.erpnext_parties import CURRENCY


def _as_double(record: Any) -> Any:
    """Return a record with every number as a binary float, like Frappe."""
    if isinstance(record, Decimal):
        return Decimal(repr(float(record)))
    if isinstance(record, tuple):
        return tuple(map(_as_double, record))
    if is_dataclass(record) and not isinstance(record, type):
        return replace(
            record, **{field.name: _as_double(getattr(record, field.name)) for field in fields(record) if field.init}
        )
    return record


def _as_completed(record: Any) -> Any:
    if isinstance(record, SalesOrder) and (record.status, record.billing) == (OrderStatus.DELIVERED, Progress.FULL):
        return replace(record, status=OrderStatus.CLOSED)
    return record


def _projected(figures: Quantities) -> Quantities:
    return replace(figures, outgoing=None, forecast=projected(figures))


def _as_bins(record: Any) -> Any:
    if not isinstance(record, StockLevel):
        return record
    places = tuple(replace(place, quantities=_projected(place.quantities)) for place in record.per_warehouse)
    return replace(record, total=_projected(record.total), per_warehouse=places)


def _as_note(record: Any) -> Any:
    if not isinstance(record, GoodsDelivery):
        return record
    shipped = record.status is DeliveryStatus.SHIPPED
    return replace(record, planned_on=None if shipped else record.planned_on, warehouse="MAIN")


def _received_at(record: Any) -> Any:
    return replace(record, warehouse="MAIN") if isinstance(record, GoodsReceipt) else record


def _of_company(record: Any) -> Any:
    return replace(record, company=COMPANY) if isinstance(record, StockLevel) else record


def _as_moved(record: Any) -> Any:
    return None if isinstance(record, StockLevel) and not record.per_warehouse else record


def _in_own_currency(record: Any) -> Any:
    if not isinstance(record, Customer) or record.credit_limit is None:
        return record
    return replace(record, credit_limit=replace(record.credit_limit, currency=CURRENCY))


def _as_transferred(record: Any) -> Any:
    if not isinstance(record, ProductionOrder):
        return record
    told = record.material_ready and record.status in {ProductionStatus.RELEASED, ProductionStatus.RUNNING}
    return replace(record, material_ready=True if told else None)


_KEYS = dict.fromkeys(
    ("login.once", "login.expired", "login.single_flight", "login.no_loop"), "API keys need no login, and do not end"
)
_ONE_APPROVAL = dict.fromkeys(
    ("decide.levels", "decide.level_again", "decide.lost_level"), "without a Workflow, one submission approves"
)

GAPS = Gaps(
    fields={
        "Customer.receivable": "a Customer does not hold it: it is the sum of the open invoices",
        "Supplier.payable": "a Supplier does not hold it: it is the sum of the open bills",
        "Supplier.buyer": "a Supplier names nobody of the company",
        "Quotation.salesperson": "a Quotation names nobody but its author",
        "SalesOrder.payment": "a Sales Order knows of advances only, not of what was paid on its invoices",
        "OrderLine.invoiced": "a line knows for which amount it was billed, not for how many pieces",
        "Supply.lead_days": "an Item has one lead time, whoever supplies it",
        "PurchaseOrder.buyer": "a Purchase Order names nobody but its owner",
    },
    rewrites=(
        Rewrite("Frappe reads and sends numbers as binary floats of 17 digits", _as_double),
        Rewrite("an order that is delivered and billed is Completed, which is closed", _as_completed),
        Rewrite("an item that never moved has no Bin, and so no time at which its stock changed", _as_moved),
        Rewrite("a Bin has one figure for what is promised, and projects with it: reserved is outgoing", _as_bins),
        Rewrite("of material ERPNext says what was transferred, not what lies ready", _as_transferred),
        Rewrite("a Delivery Note has one day, and names its warehouse by its code", _as_note),
        Rewrite("a Purchase Receipt names its warehouse by its code", _received_at),
        Rewrite("every warehouse belongs to a company", _of_company),
        Rewrite("credit limits are in the company's currency", _in_own_currency),
    ),
    states={DeliveryStatus.READY: (DeliveryStatus.PLANNED, "a draft of a Delivery Note does not say what is picked")},
    cases=_KEYS,
)
"""Gaps of a site with a Workflow."""

SUBMIT_GAPS = replace(
    GAPS,
    fields={**GAPS.fields, "Approval.pending_for": "without a Workflow, whoever has the right may submit"},
    cases={**_KEYS, **_ONE_APPROVAL, "decide.draft": "without a Workflow, every draft waits to be submitted"},
)
"""Gaps of a site without one, for the company that `tests.erp.fakes.drafts.let_drafts_wait` makes."""
