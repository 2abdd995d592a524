"""What follows from a plan, whatever the vendor: conditions, order, joins, and the reads of documents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from bot.erp import kinds
from bot.erp.capabilities import Capability
from bot.erp.errors import NotFound
from bot.erp.model import Area, OrderLine, OrderStatus, SalesOrder
from bot.erp.plans.plan import Conditions, NamedRows, Plan, Row
from bot.erp.plans.planned_erp import PlannedErp
from bot.erp.port import Filter, ListQuery, Period
from tests.rows import each_row

_DAYS = Period(date(2026, 12, 1), date(2026, 12, 5))


class PlainTerms:
    """Conditions as tuples, of a release that lacks the fields that begin with an x."""

    def known(self, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name for name in names if not name.startswith("x"))

    def contains(self, names: tuple[str, ...], text: str) -> Conditions:
        return [("contains", *names, text)] if text else []

    def is_named(self, names: tuple[str, ...], name: str) -> Conditions:
        return [("named", *names, name)]

    def within(self, name: str, period: Period) -> Conditions:
        return [("within", name, period.first.day, period.last.day)]

    def has_product(self, path: str, product: str) -> Conditions:
        return [("product", path, product)]


@dataclass
class Rows:
    """Rows in memory, with a record of what was joined."""

    rows: list[Row]
    joined: list[tuple[list[str], bool]] = field(default_factory=list)

    async def builder(self, plan: OrderPlan) -> Callable[[Row], Any]:
        return lambda row: plan.build(row, "main")

    async def find(self, plan: OrderPlan, number: str) -> Row:
        for row in self.rows:
            if row["name"] == number:
                return row
        raise NotFound(number)

    async def find_all(self, plan: OrderPlan, numbers: Sequence[str]) -> list[Row]:
        return [row for row in self.rows if row["name"] in numbers]

    async def page(self, plan: OrderPlan, query: ListQuery) -> tuple[list[Row], int]:
        return self.rows[query.offset : query.offset + query.limit], len(self.rows)

    async def of_order(self, plan: OrderPlan, order_number: str) -> list[Row]:
        return []


OrderPlan = Plan[PlainTerms, Rows]


async def _lines(reads: Rows, rows: list[Row], whole: bool) -> None:
    reads.joined.append(([row["name"] for row in rows], whole))
    for row in rows:
        row["lines"] = [f"{row['name']}-{each}" for each in (1, 2)] if whole else []


def _order(row: Row, source: str) -> SalesOrder:
    lines = tuple(
        OrderLine(sku=sku, name="", unit="", quantity=Decimal(1), price=None, amount=None) for sku in row["lines"]
    )
    return SalesOrder(id=row["name"], number=row["name"], customer="A", status=OrderStatus.OPEN, delivery=None,
                      billing=None, payment=None, ordered_on=None, promised_on=None, total=None, lines=lines,
                      changed_at=None, source=source)  # fmt: skip


PLAN: OrderPlan = Plan(
    model="order",
    fields=("name",),
    build=_order,
    joins=(_lines,),
    days=("xday", "day"),
    due="due",
    texts=("name", "xtext", "partner"),
    partners=("partner",),
    product="lines.code",
    where=lambda _: [("all",)],
    lists={
        Filter.LATE: NamedRows("due", lambda _: [("late",)]),
        Filter.DONE: NamedRows("done", lambda _: [("done",)]),
    },
)


@each_row(
    ("query", "wanted"),
    [
        (ListQuery(), [("all",)]),
        (ListQuery(text="b"), [("all",), ("contains", "name", "partner", "b")]),
        (ListQuery(during=_DAYS), [("all",), ("within", "day", 1, 5)]),
        # What was done is dated by when that was.
        (ListQuery(filter=Filter.DONE, during=_DAYS), [("all",), ("within", "done", 1, 5), ("done",)]),
        (ListQuery(filter=Filter.LATE, during=_DAYS), [("all",), ("within", "day", 1, 5), ("late",)]),
        (ListQuery(due=_DAYS, partner="B"), [("all",), ("within", "due", 1, 5), ("named", "partner", "B")]),
        (ListQuery(product="S-1"), [("all",), ("product", "lines.code", "S-1")]),
    ],
)
def test_conditions_are_those_that_a_list_is_asked_for(query: ListQuery, wanted: Conditions) -> None:
    assert PLAN.conditions(query, PlainTerms()) == wanted


@each_row(
    ("wanted_list", "order"),
    [
        (Filter.ALL, (("day", True), ("name", False))),
        (Filter.LATE, (("due", False), ("name", False))),
        (Filter.DONE, (("done", True), ("name", False))),
    ],
)
def test_what_is_urgent_comes_oldest_first(wanted_list: Filter, order: tuple[tuple[str, bool], ...]) -> None:
    assert PLAN.order_by(ListQuery(filter=wanted_list), PlainTerms()) == order


class PlainErp(PlannedErp[OrderPlan]):
    capabilities = frozenset({Capability.SALES_ORDERS, Capability.ORDERS_OF_PRODUCT})
    narrows_lists = True

    def __init__(self) -> None:
        super().__init__("main")
        self._plans = {kinds.SALES_ORDERS: PLAN}
        self._reads: Rows = Rows([{"name": name} for name in ("S1", "S2", "S3")])


@pytest.fixture
def erp() -> PlainErp:
    return PlainErp()


async def test_a_list_joins_once_and_has_no_lines(erp: PlainErp) -> None:
    found = await erp.documents(kinds.SALES_ORDERS, ListQuery(limit=2))
    assert ([order.number for order in found.items], found.total) == (["S1", "S2"], 3)
    assert erp._reads.joined == [(["S1", "S2"], False)]


async def test_a_list_of_a_product_has_its_lines_alone(erp: PlainErp) -> None:
    found = await erp.documents(kinds.SALES_ORDERS, ListQuery(product="s1-2"))
    assert [line.sku for line in found.items[0].lines] == ["S1-2"]


async def test_single_documents_and_batches_are_whole(erp: PlainErp) -> None:
    order = await erp.document(kinds.SALES_ORDERS, "S2")
    assert [line.sku for line in order.lines] == ["S2-1", "S2-2"]
    several = await erp.read_documents(Area.SALES, ["S3", "S1", "S9"])
    assert [each.id for each in several] == ["S1", "S3"]
    assert erp._reads.joined == [(["S2"], True), (["S1", "S3"], True)]
