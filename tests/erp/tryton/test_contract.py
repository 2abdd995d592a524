"""The Tryton adapter passes the contract, with people who decide with their own accounts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from bot.erp.kinds import BILLS, SALES_ORDERS
from bot.erp.model import (
    Bill,
    Feed,
    Invoice,
    InvoiceStatus,
    Money,
    Payment,
    PaymentStatus,
    ProductionOrder,
    ProductionStatus,
    Progress,
    Quantities,
    ReviewState,
    StockLevel,
    Verdict,
    WarehouseStock,
)
from bot.erp.port import COMMON
from bot.erp.tryton.manifest import vendor
from bot.kit.testing.company import Clock, ReferenceCompany
from bot.kit.testing.erp_contract import ErpContract
from bot.kit.testing.fake_erp import SECRET
from bot.kit.testing.gaps import Gaps, Rewrite
from bot.kit.testing.reference_records import WAREHOUSES
from tests.erp.fakes.drafts import cancelled
from tests.erp.fakes.tryton import DATABASE, RECORDS_LIMIT, USER, FakeTryton
from tests.erp.fakes.tryton_query import Record
from tests.erp.tryton.test_goods import as_service

_NOTHING = Quantities(**dict.fromkeys(Quantities.__dataclass_fields__, Decimal(0)))

_READY = {
    ProductionStatus.PLANNED: False,
    ProductionStatus.RELEASED: True,
    ProductionStatus.RUNNING: True,
    ProductionStatus.DONE: True,
}


def _in_every_warehouse(record: Any) -> Any:
    if not isinstance(record, StockLevel):
        return record
    known = {place.code: place for place in record.per_warehouse}
    places = (
        known.get(code) or WarehouseStock(code=code, name=name, quantities=_NOTHING)
        for code, name in sorted(WAREHOUSES.items())
    )
    return replace(record, per_warehouse=tuple(places))


def _nothing_owed(record: Any) -> Any:
    if not isinstance(record, (Invoice, Bill)) or record.status is not InvoiceStatus.DRAFT or record.total is None:
        return record
    validated = isinstance(record, Bill) and record.review is not None and record.review.waits
    due_on = record.due_on if validated else None
    return replace(record, due_on=due_on, open_amount=Money(Decimal(0), record.total.currency))


def _never_cancelled(record: Any) -> Any:
    return None if isinstance(record, Payment) and record.status is PaymentStatus.CANCELLED else record


def _ready_by_state(record: Any) -> Any:
    if not isinstance(record, ProductionOrder):
        return record
    return replace(record, material_ready=_READY.get(record.status))


def _draft(server: FakeTryton) -> str:
    draft = next(each for each in server.company.invoices.values() if each.status is InvoiceStatus.DRAFT)
    _alter(server, "account.invoice", draft.number, lambda row: row | {"number": None})
    return f"({draft.id})"


def _service(server: FakeTryton) -> str:
    number = _approved(server, Progress.NONE)

    def of_services(row: Record) -> Record:
        return row | {"shipment_state": "none", "lines": list(map(as_service, row["lines"]))}

    _alter(server, "purchase.purchase", number, of_services)

    def of_order(line: Record) -> Record:
        return as_service(line) if line["purchase"]["number"] == number else line

    server.alter("purchase.line", lambda rows: list(map(of_order, rows)))
    return number


def _dropped(server: FakeTryton) -> str:
    number = _approved(server, Progress.FULL)

    def halved(line: Record) -> Record:
        done = [move | {"quantity": (line["quantity"] or 0) / 2} for move in line["moves"] if move["state"] == "done"]
        return line | {"moves": [*done[:1], *(move | {"state": "cancelled"} for move in done[:1])]}

    _alter(server, "purchase.purchase", number, lambda row: row | {"lines": list(map(halved, row["lines"]))})
    return number


def _approved(server: FakeTryton, received: Progress) -> str:
    orders = server.company.purchases.values()
    wanted = (ReviewState.APPROVED, received)
    return next(each.number for each in orders if (each.status, each.received) == wanted)


def _alter(server: FakeTryton, model: str, number: str, change: Callable[[Record], Record]) -> None:
    server.alter(model, lambda rows: [change(row) if row["number"] == number else row for row in rows])


@pytest.mark.sampled(3)
class TestTrytonContract(ErpContract):
    feeds = frozenset({Feed.BILLS, Feed.PAYMENTS, Feed.DELIVERIES})
    offers = COMMON
    decides = MappingProxyType(dict.fromkeys((SALES_ORDERS, BILLS), frozenset(Verdict)))
    traps = MappingProxyType({"trap.draft": _draft, "trap.service": _service, "trap.dropped": _dropped})
    name, vendor = "tryton", vendor
    gaps = Gaps(
        fields={
            "Product.spec": "Tryton has a name and a long description, but no specification",
            "Approval.pending_for": "Tryton asks for a number of users or a group, not for persons",
            "ProductionOrder.scrapped": "Tryton's productions know no scrap",
            "ProductionOrder.sales_order": "Tryton links productions to sales only with a further module",
            "Customer.contact": "A party of Tryton has phones and mails, but no persons",
            "Supplier.contact": "A party of Tryton has phones and mails, but no persons",
            "Customer.salesperson": "Tryton names who made a sale, but nobody for a customer",
            "Supplier.buyer": "Tryton names who made a purchase, but nobody for a vendor",
            "GoodsDelivery.carrier": "Tryton knows carriers only with a further module",
            "GoodsDelivery.tracking": "Tryton knows numbers of parcels only with a further module",
            "Customer.credit_limit": "Tryton limits credit only with a further module",
        },
        states={
            ReviewState.REJECTED: (ReviewState.CANCELLED, "Tryton cancels what is rejected"),
        },
        rewrites=(
            Rewrite("Tryton says of every warehouse how much is there, zero too", _in_every_warehouse),
            Rewrite("Tryton says nothing of days and debts of an invoice before it is posted", _nothing_owed),
            Rewrite("what is rejected is cancelled", cancelled),
            Rewrite("Tryton cancels a payment with a second one that takes it back", _never_cancelled),
            Rewrite("Tryton's state says whether the components are set aside", _ready_by_state),
        ),
    )

    def install(self, company: ReferenceCompany, clock: Clock, folder: Path) -> FakeTryton:
        return FakeTryton(company, clock)

    def options(self, installation: FakeTryton, timeout: float) -> dict[str, Any]:
        return {
            "url": installation.url,
            "database": DATABASE,
            "user": USER,
            "password": SECRET,
            "decides": [kind.command for kind in self.decides],
            "approvers": {user.id: SECRET for user in installation.company.users},
            "page": RECORDS_LIMIT,
            "timeout": timeout,
            "write_timeout": timeout,
        }
