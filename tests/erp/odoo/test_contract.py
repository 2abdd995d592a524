"""The Odoo adapter passes the contract over both transports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import timedelta
from decimal import Context, Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

import pytest

from bot.erp.kinds import BILLS, SALES_ORDERS
from bot.erp.model import (
    Approval,
    Bill,
    Feed,
    InvoiceStatus,
    ProductionOrder,
    ProductionStatus,
    Progress,
    Quantities,
    Review,
    ReviewState,
    SalesOrder,
    StockLevel,
    Verdict,
)
from bot.erp.model.goods import GoodsDelivery
from bot.erp.odoo.manifest import vendor
from bot.erp.port import Capability
from bot.kit.testing.company import TODAY, Clock, ReferenceCompany
from bot.kit.testing.erp_contract import ErpContract
from bot.kit.testing.fake_erp import SECRET
from bot.kit.testing.gaps import Gaps, Rewrite
from tests.bare_records import with_review
from tests.erp.fakes.drafts import cancelled, let_drafts_wait
from tests.erp.fakes.odoo import DATABASE, FakeOdoo, key_of
from tests.erp.fakes.odoo_engine import Record
from tests.erp.fakes.odoo_records import BOT
from tests.erp.fakes.odoo_states import offer
from tests.erp.odoo.conftest import changed, of_services

_ONE_LEVEL = "Odoo has one level: whoever has the right approves"
_DRAFTS = "every draft waits to be confirmed or posted"
_NO_LOGIN = "the API key is sent with every call: there is nothing that runs out"


def as_float(value: Any) -> Any:
    """Return a record with every number as a binary float."""
    if isinstance(value, Decimal):
        return Context(prec=15).plus(value)
    if isinstance(value, tuple):
        return tuple(map(as_float, value))
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{field.name: as_float(getattr(value, field.name)) for field in fields(value)})
    return value


def without_levels(record: Any) -> Any:
    review: Review | None = getattr(record, "review", None)
    if review is None or review.approval is None:
        return record
    if review.waits:
        return with_review(record, approval=Approval())
    return with_review(record, approval=replace(review.approval, level=1, levels=1))


def with_last_writer(record: Any) -> Any:
    review: Review | None = getattr(record, "review", None)
    if review is not None and review.state is ReviewState.CANCELLED and review.approval is None:
        return with_review(record, approval=Approval(decided_by=review.requester, decided_at=record.changed_at))
    return record


def without_approver(record: Any) -> Any:
    """Return an order of a customer or a bill without who approved it."""
    if not isinstance(record, SalesOrder | Bill) or record.review is None:
        return record
    return with_review(record, approval=Approval()) if record.review.state is ReviewState.APPROVED else record


def without_empty_places(record: Any) -> Any:
    if not isinstance(record, StockLevel):
        return record
    return replace(record, per_warehouse=tuple(p for p in record.per_warehouse if not _is_empty(p.quantities)))


def _is_empty(quantities: Quantities) -> bool:
    return not any(getattr(quantities, field.name) for field in fields(quantities))


def with_odoos_readiness(record: Any) -> Any:
    if not isinstance(record, ProductionOrder):
        return record
    ended = record.status in {ProductionStatus.DONE, ProductionStatus.CANCELLED}
    ready = record.status is ProductionStatus.RELEASED or record.material_ready
    return replace(record, material_ready=None if ended else ready)


def always_planned(record: Any) -> Any:
    """Return a delivery with the day for which Odoo plans it if nobody says when."""
    unplanned = isinstance(record, GoodsDelivery) and record.planned_on is None
    return replace(record, planned_on=record.day or TODAY) if unplanned else record


_CASES: Mapping[str, str] = {
    "list.literal[receipts]": "a receipt of several orders is found by the vendor of each",
    "login.expired": _NO_LOGIN,
    "login.single_flight": _NO_LOGIN,
    "login.no_loop": _NO_LOGIN,
    "decide[quotations]": "a quotation that is confirmed is an order: orders are decided",
    "decide.draft[orders]": _DRAFTS,
    "decide.draft[bills]": _DRAFTS,
    "decide.levels": _ONE_LEVEL,
    "decide.level_again": _ONE_LEVEL,
    "decide.lost_level": _ONE_LEVEL,
    "decide.level_reject[orders]": _ONE_LEVEL,
    "decide.level_reject[bills]": _ONE_LEVEL,
}


def gaps(**more: str) -> Gaps:
    return Gaps(
        cases={**_CASES, **{name.replace("__", "."): reason for name, reason in more.items()}},
        fields={
            "Customer.contact": "people of a partner are partners of their own",
            "Supplier.contact": "people of a partner are partners of their own",
            "OrderLine.due_on": "lines of Odoo's orders have no day of their own, only the order has",
            "Approval.pending_for": "Odoo names nobody: whoever has the right may approve",
            "Approval.reason": "Odoo's orders have no reason: it is a message in the order's log",
            "ProductionOrder.scrapped": "Odoo's orders do not say it: scrap is documents of its own, in other units",
        },
        states={ReviewState.REJECTED: (ReviewState.CANCELLED, "Odoo cancels what is rejected")},
        rewrites=(
            Rewrite("Odoo's numbers are binary floats: fifteen digits", as_float),
            Rewrite(_ONE_LEVEL, without_levels),
            Rewrite("of an order of a customer or a bill Odoo does not tell who approved it", without_approver),
            Rewrite("what is rejected is cancelled", cancelled),
            Rewrite("of a cancelled order Odoo only tells who changed it last", with_last_writer),
            Rewrite("a warehouse without goods, awaited or reserved, has no record of it", without_empty_places),
            Rewrite("reserved means that all is there; nothing is told of what has ended", with_odoos_readiness),
            Rewrite("a transfer is always planned for a day", always_planned),
        ),
        resolution=timedelta(seconds=1),
    )


def _kit(server: FakeOdoo) -> str:
    server.records.kits.add("SKU123")
    return "SKU123"


def _draft(server: FakeOdoo) -> str:
    number = _first(server.company.invoices, status=InvoiceStatus.DRAFT)
    changed(server, "account.move", name=lambda row: "/" if row["name"] == number else row["name"])
    return f"*{server.company.invoices[number].id}"


def _credited(server: FakeOdoo) -> str:
    number = _first(server.company.invoices, status=InvoiceStatus.PAID, is_credit_note=False)

    def state(row: Record) -> Any:
        return "reversed" if row["name"] == number else row["payment_state"]

    changed(server, "account.move", payment_state=state)
    return number


def _service(server: FakeOdoo) -> str:
    number = _first(server.company.purchases, status=ReviewState.APPROVED, received=Progress.NONE)
    of_services(server, number)
    return number


def _dropped(server: FakeOdoo) -> str:
    number = _first(server.company.purchases, status=ReviewState.APPROVED, received=Progress.FULL)

    def received(row: Record) -> Any:
        return row["product_qty"] / 2 if row["order_id"].name == number else row["qty_received"]

    changed(server, "purchase.order.line", qty_received=received)
    return number


def _first(documents: Mapping[str, Any], **fields: Any) -> str:
    """Return the number of the first document with these values."""
    return next(
        number
        for number, document in documents.items()
        if all(getattr(document, name) == value for name, value in fields.items())
    )


class OdooContract(ErpContract):
    feeds = frozenset(Feed)
    offers = frozenset(Capability)
    traps = MappingProxyType(
        {
            "trap.kit": _kit,
            "trap.draft": _draft,
            "trap.credited": _credited,
            "trap.service": _service,
            "trap.dropped": _dropped,
        }
    )
    decides = MappingProxyType(dict.fromkeys((SALES_ORDERS, BILLS), frozenset(Verdict)))
    creates = frozenset({SALES_ORDERS})
    release: ClassVar[tuple[int, int]]

    def install(self, company: ReferenceCompany, clock: Clock, folder: Path) -> FakeOdoo:
        for kind in self.decides:
            let_drafts_wait(company, kind, ReviewState.DRAFT)
        offer(company)
        return FakeOdoo(company, clock, self.release)

    def options(self, installation: FakeOdoo, timeout: float) -> dict[str, Any]:
        people = (self.approver, self.colleague, self.second_approver, self.requester, self.outsider)
        return {
            "url": installation.url,
            "timeout": timeout,
            "write_timeout": timeout,
            "database": DATABASE,
            "user": BOT,
            "key": SECRET,
            "company": 1,
            "language": "zh_CN",
            "decides": [kind.command for kind in self.decides],
            "approvers": {login: key_of(login) for login in people},
        }


@pytest.mark.sampled(3)
class TestOdooJson2Contract(OdooContract):
    name, vendor, release = "odoo-json2", vendor, (19, 0)
    gaps = gaps(login__once=_NO_LOGIN)


@pytest.mark.sampled(7)
class TestOdooJsonRpcContract(OdooContract):
    name, vendor, release = "odoo-jsonrpc", vendor, (18, 0)
    gaps = gaps()
