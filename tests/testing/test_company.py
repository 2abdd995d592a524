"""The reference company: the same on every run, deliberately awkward, and changed only on request."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bot.erp.kinds import KINDS, Kind
from bot.erp.model import Area, PurchaseOrder, ReviewState, SalesOrder, Verdict
from bot.erp.port import ListQuery
from bot.kit.testing.company import (
    TODAY,
    Clock,
    CompanyRefusal,
    DecisionNotAllowed,
    OrderNotFound,
    OrderNotWaiting,
    ReferenceCompany,
    keys_by_change_time,
)
from bot.kit.testing.contract_base import name_of
from bot.kit.testing.gaps import comparable
from bot.kit.testing.reference_records import HUGE, TINY


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def company(clock: Clock) -> ReferenceCompany:
    return ReferenceCompany(now=clock.now)


def test_it_is_the_same_every_time() -> None:
    one, other = ReferenceCompany(), ReferenceCompany()
    for area in Area:
        assert one.records(area) == other.records(area)
    assert ReferenceCompany(date(2025, 1, 31)).records(Area.SALES) != one.records(Area.SALES)


def test_it_has_enough_of_everything(company: ReferenceCompany) -> None:
    assert {area: len(company.records(area)) >= 24 for area in Area} == dict.fromkeys(Area, True)
    levels = Counter(
        (order.review.approval.level, order.review.approval.levels)
        for order in company.purchases.values()
        if order.status is ReviewState.WAITING and order.review.approval
    )
    assert levels == {(1, 1): 5, (1, 2): 2, (2, 2): 1}


@pytest.mark.parametrize("kind", KINDS, ids=name_of)
def test_it_shows_all_that_a_kind_is_about(company: ReferenceCompany, kind: Kind[Any]) -> None:
    documents = list(company.documents(kind).values())
    assert len(documents) >= 6
    if hasattr(documents[0], "status"):
        # Few ERPs hold a document or tell that goods are ready, and the contract asks none to.
        states = {state for state in type(documents[0].status) if state.value not in ("on_hold", "ready")}
        assert {document.status for document in documents} == states
    for wanted in kind.filters:
        assert 2 <= kind.pick(documents, ListQuery(filter=wanted), TODAY).total < len(documents)
    if kind.inside:
        assert max(len(getattr(document, kind.inside)) for document in documents) > 0
    if kind.origin:
        known = company.documents(kind.origin)
        assert len({number for document in documents for number in kind.order_numbers(document)} & known.keys()) >= 2
    if kind.by_product:
        held = Counter(line.sku for document in documents for line in document.lines)
        assert held.most_common(1)[0][1] > 1
    assert any(kind.owners(document) for document in documents) is kind.has_owners


def test_documents_people_know_are_there(company: ReferenceCompany) -> None:
    assert {"SKU123"} <= company.products.keys()
    assert {"SO-1001"} <= company.orders.keys()
    assert company.invoices["INV-7"].days_overdue(TODAY) == 23
    assert company.purchases["PO-1001"].status is ReviewState.WAITING
    assert company.productions["MO-1"].days_late(TODAY) == 4


def test_amounts_are_as_awkward_as_they_come(company: ReferenceCompany) -> None:
    amounts = {line.amount.amount for order in company.orders.values() for line in order.lines if line.amount}
    assert {HUGE, TINY} <= amounts
    figures = [level.total.on_hand or Decimal(0) for level in company.stock.values()]
    assert min(figures) < 0 < TINY <= max(figures)
    assert any(level.per_warehouse == () for level in company.stock.values())
    assert any(invoice.total and invoice.total.amount < 0 for invoice in company.invoices.values())


def test_nothing_lies_in_the_future(company: ReferenceCompany, clock: Clock) -> None:
    for area in Area:
        assert max(company.changed_at(area, key) for key in company.records(area)) < clock.now()


def test_several_records_change_at_one_time(company: ReferenceCompany) -> None:
    for area in Area:
        times = Counter(company.changed_at(area, key) for key in company.records(area))
        assert max(times.values()) >= 4
        assert len({company.changed_at(area, key).utcoffset() for key in company.records(area)}) > 2


def test_totals_are_what_the_lines_add_up_to(company: ReferenceCompany) -> None:
    company.set_total("PO-1001", Decimal("99.95"))
    documents: list[SalesOrder | PurchaseOrder] = [*company.orders.values(), *company.purchases.values()]
    for order in documents:
        assert order.total is not None
        assert sum(line.amount.amount for line in order.lines if line.amount) == order.total.amount
        for line in order.lines:
            assert line.price is not None
            assert line.amount is not None
            assert line.quantity * line.price.amount == line.amount.amount


@pytest.mark.parametrize("area", Area)
def test_a_touch_changes_the_time_alone(company: ReferenceCompany, clock: Clock, area: Area) -> None:
    notified: list[tuple[Area, str]] = []
    company.watch(lambda area, key: notified.append((area, key)))
    key = keys_by_change_time(company, area)[0]
    before = company.records(area)[key]
    clock.advance(5)
    assert company.touch(area, key) == clock.now() == company.changed_at(area, key)
    assert keys_by_change_time(company, area)[-1] == key
    after = comparable(company.records(area)[key])
    assert after == comparable(before) | ({"changed_at": clock.now()} if "changed_at" in after else {})
    assert notified == [(area, key)]
    company.touch(area, key, clock.now() - timedelta(days=900))
    assert keys_by_change_time(company, area)[0] == key


def test_one_approval_is_enough_for_most(company: ReferenceCompany, clock: Clock) -> None:
    order = company.decide("po-1001", Verdict.APPROVE, "anna")
    assert order.status is ReviewState.APPROVED
    assert (order.review.version, order.changed_at) == ("2", clock.now())
    assert order.review.approval is not None
    assert (order.review.approval.decided_by, order.review.approval.pending_for) == ("anna", ())
    with pytest.raises(OrderNotWaiting):
        company.decide("PO-1001", Verdict.REJECT, "carla")


def test_two_levels_need_two_people(company: ReferenceCompany) -> None:
    between = company.decide("PO-1006", Verdict.APPROVE, "anna")
    assert between.status is ReviewState.WAITING
    assert between.review.approval is not None
    assert (between.review.approval.level, between.review.approval.pending_for) == (2, ("boris",))
    with pytest.raises(DecisionNotAllowed):
        company.decide("PO-1006", Verdict.APPROVE, "anna")
    assert company.may_decide("PO-1006", "boris")
    assert company.decide("PO-1006", Verdict.REJECT, "boris", "no").status is ReviewState.REJECTED


@pytest.mark.parametrize(
    ("number", "by", "error"),
    [
        ("PO-1001", "dora", DecisionNotAllowed),
        ("PO-1001", "guest", DecisionNotAllowed),
        ("PO-1001", "boris", DecisionNotAllowed),
        ("PO-1008", "anna", DecisionNotAllowed),
        ("PO-1009", "anna", OrderNotWaiting),
        ("PO-9999", "anna", OrderNotFound),
    ],
)
def test_who_may_not_changes_nothing(
    company: ReferenceCompany, number: str, by: str, error: type[CompanyRefusal]
) -> None:
    before = dict(company.purchases)
    assert not company.may_decide(number, by)
    with pytest.raises(error):
        company.decide(number, Verdict.APPROVE, by)
    assert company.purchases == before


def test_a_cancelled_order_waits_for_nobody(company: ReferenceCompany) -> None:
    assert company.cancel("PO-1001").status is ReviewState.CANCELLED
    assert not company.may_decide("PO-1001", "anna")


def test_a_vendor_may_number_in_its_own_way() -> None:
    company = ReferenceCompany(number=lambda kind, count: str(count))
    assert list(company.orders)[:2] == ["1001", "1002"]
    assert company.productions["1002"].sales_order in company.orders


async def test_the_clock_stands_still_until_it_is_moved() -> None:
    clock = Clock()
    before = clock.now()
    await clock.sleep(7)
    clock.advance(3)
    assert (clock.now() - before, clock.monotonic(), clock.slept) == (timedelta(seconds=10), 10, [7])
