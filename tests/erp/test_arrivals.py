"""What is on its way, out of documents."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from bot.erp.goods.lists import arrivals_of
from bot.erp.goods.port import ArrivalQuery
from bot.erp.model import (
    ProductionOrder,
    ProductionStatus,
    Progress,
    PurchaseLine,
    PurchaseOrder,
    ReviewState,
)
from tests.bare_records import bare, with_review
from tests.rows import each_row

LINE = PurchaseLine(sku="S-1", name="Screw", unit="pc", quantity=Decimal(10), received=Decimal(4))
ORDER = bare(
    PurchaseOrder,
    "PO-1",
    status=ReviewState.APPROVED,
    requester="12",
    buyer="Bo",
    due_on=date(2026, 11, 30),
    received=Progress.PARTIAL,
    lines=(LINE,),
    people={"12": "Dora"},
)
MADE = bare(ProductionOrder, "MO-1", sku="S-2", planned=Decimal(5), status=ProductionStatus.RELEASED)


def test_what_is_open_comes_due_first_and_names_whose_it_is() -> None:
    found = arrivals_of([ORDER], [MADE], ArrivalQuery())
    assert [(each.document, each.quantity) for each in found.items] == [("PO-1", 6), ("MO-1", 5)]
    assert found.items[0].owners == ("12", "Dora", "Bo")
    assert arrivals_of([ORDER], [MADE], ArrivalQuery(offset=1, limit=1)).items == found.items[1:]


def test_a_product_is_meant_in_any_case_and_a_day_leaves_out_what_has_none() -> None:
    assert [each.sku for each in arrivals_of([ORDER], [MADE], ArrivalQuery(sku="s-1")).items] == ["S-1"]
    until = arrivals_of([ORDER], [MADE], ArrivalQuery(until=date(2026, 11, 30)))
    assert [each.document for each in until.items] == ["PO-1"]
    assert arrivals_of([ORDER], [MADE], ArrivalQuery(until=date(2026, 11, 29))).total == 0
    since = arrivals_of([ORDER], [MADE], ArrivalQuery(since=date(2026, 11, 30)))
    assert [each.document for each in since.items] == ["PO-1"]
    assert arrivals_of([ORDER], [MADE], ArrivalQuery(since=date(2026, 12, 1))).total == 0


@each_row(
    "order",
    [
        with_review(ORDER, state=ReviewState.WAITING),
        replace(ORDER, received=Progress.FULL),
        replace(ORDER, lines=(replace(LINE, received=Decimal(11)),)),
        replace(ORDER, lines=(replace(LINE, quantity=Decimal(-3), received=None),)),
    ],
)
def test_what_waits_has_come_or_goes_back_does_not_arrive(order: PurchaseOrder) -> None:
    assert arrivals_of([order], [], ArrivalQuery()).total == 0


@each_row(
    "order",
    [
        replace(MADE, status=ProductionStatus.PLANNED),
        replace(MADE, status=ProductionStatus.ON_HOLD),
        replace(MADE, produced=Decimal(5)),
    ],
)
def test_what_is_not_being_made_does_not_arrive(order: ProductionOrder) -> None:
    assert arrivals_of([], [order], ArrivalQuery()).total == 0
