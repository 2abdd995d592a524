"""The Kingdee adapter passes the contract: signed in one of two organisations, and with a session in all it sees."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from bot.erp.kinds import BILLS, SALES_ORDERS
from bot.erp.kingdee.manifest import vendor
from bot.erp.model import Feed, Review, ReviewState, StockLevel, Verdict
from bot.erp.model.goods import DeliveryStatus, GoodsDelivery, GoodsReceipt, WarehouseContents
from bot.erp.port import COMMON, Capability
from bot.kit.testing.company import TODAY, Clock, ReferenceCompany, plain_number
from bot.kit.testing.erp_contract import ErpContract
from bot.kit.testing.fake_erp import SECRET
from bot.kit.testing.gaps import Gaps, Rewrite
from bot.kit.testing.reference_records import purchase_orders
from tests.bare_records import with_review
from tests.erp.earlier_purchases import supplied_earlier
from tests.erp.fakes.kingdee import ACCT, APP_ID, USER, FakeKingdee, SignedKingdee
from tests.erp.fakes.kingdee_records import ORG, PEOPLE, NumberedCompany, as_kingdee

from .fixtures import other_organisation

_COMING: dict[str, Decimal] = {}
for _order in purchase_orders(TODAY, plain_number):
    if _order.status is ReviewState.APPROVED:
        for _line in _order.lines:
            _rest = _line.quantity - (_line.received or Decimal(0))
            _COMING[_line.sku] = _COMING.get(_line.sku, Decimal(0)) + _rest


def _people(record: Any) -> Any:
    if isinstance(record, GoodsReceipt):
        return replace(record, owners=tuple(map(as_kingdee, record.owners)))
    review = _review(record)
    if review is None:
        return record
    approval = review.approval
    if approval is not None:
        pending = tuple(map(as_kingdee, approval.pending_for))
        approval = replace(approval, pending_for=pending, decided_by=as_kingdee(approval.decided_by))
    requester, changed_by = as_kingdee(review.requester), as_kingdee(review.changed_by)
    return with_review(record, approval=approval, requester=requester, changed_by=changed_by)


def _review(record: Any) -> Review | None:
    return getattr(record, "review", None)


def _last_edit(record: Any) -> Any:
    review = _review(record)
    if review is None or review.approval is None:
        return record
    decided = review.changed_by == review.approval.decided_by
    return with_review(record, changed_by=review.requester) if decided else record


def _levels(record: Any) -> Any:
    review = _review(record)
    if review is None or review.approval is None:
        return record
    return with_review(record, approval=replace(review.approval, levels=review.approval.level))


def _empty_places(record: Any) -> Any:
    if not isinstance(record, StockLevel):
        return record
    places = (place for place in record.per_warehouse if place.quantities.on_hand or place.quantities.reserved)
    return replace(record, per_warehouse=tuple(places))


def _incoming(record: Any) -> Any:
    if not isinstance(record, StockLevel):
        return record
    places = (replace(place, quantities=replace(place.quantities, incoming=None)) for place in record.per_warehouse)
    coming = _COMING.get(record.product.sku, Decimal(0))
    return replace(record, per_warehouse=tuple(places), total=replace(record.total, incoming=coming))


def _unforeseen(record: Any) -> Any:
    """Return the contents of a warehouse without forecasts, which only the question about one material asks for."""
    if not isinstance(record, WarehouseContents):
        return record
    items = (replace(item, quantities=replace(item.quantities, forecast=None)) for item in record.items)
    return replace(record, items=tuple(items))


def _organisation(record: Any) -> Any:
    return replace(record, company=ORG) if isinstance(record, StockLevel) else record


def _one_day(record: Any) -> Any:
    if not isinstance(record, GoodsDelivery):
        return record
    if record.status is DeliveryStatus.PLANNED:
        return None
    return replace(record, planned_on=None if record.shipped_on else record.planned_on or TODAY)


_FIELDS = {
    "SalesOrder.payment": "a sales order does not say what was paid; receivables do",
    "Quantities.outgoing": "no figure of what is to go out is documented",
    "Customer.contact": "contacts are lines of their own, and few installations keep the standard ones",
    "Customer.credit_limit": "credit files are of a form of their own",
    "Customer.receivable": "no form of the WebAPI adds up what a customer owes",
    "Supplier.contact": "contacts are lines of their own, and few installations keep the standard ones",
    "Supplier.phone": "contacts are lines of their own",
    "Supplier.email": "contacts are lines of their own",
    "Supplier.buyer": "a vendor names no buyer",
    "Supplier.payable": "no form of the WebAPI adds up what is owed to a vendor",
    "Shortage.incoming": "what is on order is added up for one material at a time",
    "Prices.list_price": "price lists are for organisations, customers and days",
    "Prices.standard_cost": "costs are of a module of their own",
    "Bill.reference": "the vendor's number stands on invoices, which are of a form of their own",
    "Payment.settles": "what a payment settles stands in records of writing off",
    "ProductionOrder.material_ready": "a production order does not say whether its material is there",
}
_REWRITES = (
    Rewrite("people are numbers", _people),
    Rewrite("a decision of the workflow is no change of the order", _last_edit),
    Rewrite("tasks tell the levels reached, not those to come", _levels),
    Rewrite("what is only planned has no delivery note, and a note has one day", _one_day),
    Rewrite("every place once used keeps a line of nothing: left out", _empty_places),
    Rewrite("vendors of a material are those of earlier purchases", supplied_earlier),
    Rewrite("what lies in a warehouse is told without forecasts", _unforeseen),
    Rewrite("what comes in is what open purchase orders owe, and these name no warehouse", _incoming),
)
_CASES = {"list.due[deliveries]": "what is only planned has no delivery note, and what left is not late"}
_NO_LOGIN = "a signature does not run out"


class Kingdee(ErpContract):
    feeds = frozenset({Feed.BILLS, Feed.PAYMENTS, Feed.DELIVERIES})
    offers = COMMON - {Capability.LOTS}
    decides = MappingProxyType(dict.fromkeys((SALES_ORDERS, BILLS), frozenset(Verdict)))
    """Common part of both logins."""

    __test__ = False
    vendor = vendor
    approver, colleague, second_approver, requester, outsider = PEOPLE.values()

    @pytest.fixture
    def company(self, clock: Clock) -> ReferenceCompany:
        return NumberedCompany(TODAY, now=clock.now, reviewed=tuple(self.decides))

    def options(self, installation: FakeKingdee, timeout: float) -> dict[str, Any]:
        return {
            "url": installation.url + "/",
            "acct_id": ACCT,
            "user": USER,
            "timeout": timeout,
            "write_timeout": timeout,
            "page_rows": installation.page,
            "list_days": 3650,
            "decides": [kind.command for kind in self.decides],
        }


@pytest.mark.sampled(3)
class TestKingdeeSignedContract(Kingdee):
    __test__ = True
    name = "kingdee"
    gaps = Gaps(
        fields=_FIELDS,
        rewrites=(*_REWRITES, Rewrite("the organisation asked about is named", _organisation)),
        cases=_CASES
        | dict.fromkeys(("login.once", "login.expired", "login.single_flight", "login.no_loop"), _NO_LOGIN),
        resolution=timedelta(milliseconds=1),
    )

    def install(self, company: ReferenceCompany, clock: Clock, folder: Path) -> FakeKingdee:
        server = SignedKingdee(company, clock, page=15)
        other_organisation(server)
        return server

    def options(self, installation: FakeKingdee, timeout: float) -> dict[str, Any]:
        app = {"app_id": APP_ID, "app_secret": SECRET, "org": ORG, "expect_field": "ExpectQty"}
        return super().options(installation, timeout) | app


@pytest.mark.sampled(7)
class TestKingdeeSessionContract(Kingdee):
    __test__ = True
    name = "kingdee-session"
    gaps = Gaps(
        fields=_FIELDS | {"Quantities.forecast": "only GetExpectQty tells it, for one organisation"},
        rewrites=_REWRITES,
        cases=_CASES,
        resolution=timedelta(milliseconds=1),
    )

    def install(self, company: ReferenceCompany, clock: Clock, folder: Path) -> FakeKingdee:
        return FakeKingdee(company, clock, page=40)

    def options(self, installation: FakeKingdee, timeout: float) -> dict[str, Any]:
        return super().options(installation, timeout) | {"password": SECRET}
