"""Lists and their sums on the demo company, as six people ask for them: the same as written by hand in SQL."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bot.access.people import Person
from bot.access.policy import AccessPolicy
from bot.access.rules import AccessRule
from bot.cards.notices import NotFoundNotice
from bot.chat.message import Conversation, ConversationKind
from bot.chat.view_parts import DocumentListView
from bot.disclosure import ALL_FIELDS, FieldClass, cut
from bot.erp.hub import ErpHub
from bot.erp.listing import BILLS, DELIVERIES, INVOICES, PAYMENTS, PRODUCTION_ORDERS, PURCHASE_ORDERS, SALES_ORDERS
from bot.erp.model import Decision, DecisionOutcome, Money, Verdict
from bot.erp.port import Erp, Filter, ListQuery
from bot.erp.vendors import open_source
from bot.metrics import Metrics
from commands.arrivals import ArrivalsView
from tests.commands.company import NOW, TODAY
from tests.commands.conftest import Ask, as_, lines
from tests.read_model.memory_documents import MemoryDocuments
from tests.rows import each_row

OWN_CHAT = Conversation("cidOwn==", ConversationKind.DIRECT)
_A_YUAN = 1_000_000
"""The database keeps amounts as whole numbers of millionths."""
KEPT = (SALES_ORDERS, INVOICES, PURCHASE_ORDERS, PRODUCTION_ORDERS, BILLS, PAYMENTS, DELIVERIES)

OWNER = Person(user_id="sales01", name="李娜", roles=frozenset({"boss"}))
DECIDED = {DecisionOutcome.APPLIED, DecisionOutcome.MORE_APPROVALS_NEEDED}
SEEN = {
    "boss": ALL_FIELDS,
    "sales": ALL_FIELDS - {FieldClass.COST},
    "buyer": ALL_FIELDS - {FieldClass.AMOUNT},
    "accountant": ALL_FIELDS - {FieldClass.CONTACT},
    "warehouse": ALL_FIELDS - {FieldClass.AMOUNT, FieldClass.COST},
    "planner": ALL_FIELDS - {FieldClass.AMOUNT, FieldClass.COST, FieldClass.CONTACT},
}


@dataclass(frozen=True)
class Case:
    """A line, and the documents that it lists, in SQL; ``total`` is what is summed, ``counted`` which of them."""

    line: str
    table: str
    where: str
    total: str = "total"

    @property
    def counted(self) -> str:
        return _COUNTED.get(self.table, "1") if "pending" not in self.line else "1"

    @property
    def money(self) -> FieldClass:
        return FieldClass.COST if self.table in {"purchase", "bill"} else FieldClass.AMOUNT


_COUNTED = {
    "order": "status NOT IN ('draft', 'cancelled')",
    "invoice": "status NOT IN ('draft', 'void')",
    "purchase": "status IN ('approved', 'done')",
    "bill": "status NOT IN ('draft', 'void')",
    "payment": "status = 'booked'",
}
_OWED = "status IN ('open', 'on_hold', 'partly_delivered')"
_LATE = f"status IN ('open', 'partly_delivered') AND promised_on < '{TODAY}'"
_UNPAID = "status IN ('unpaid', 'part_paid')"
_OVERDUE = f"{_UNPAID} AND open_amount > 0 AND due_on < '{TODAY}'"
_AWAITED = "status = 'approved' AND received <> 'full'"
_CREDITED = "CASE WHEN is_credit_note THEN -ABS({0}) ELSE {0} END"
_BILLED, _LEFT = _CREDITED.format("total"), _CREDITED.format("open_amount")
_OCTOBER, _YEAR = "BETWEEN '2026-10-01' AND '2026-10-31'", "BETWEEN '2026-01-01' AND '2026-12-31'"
_WEEK_END = "'2026-11-08'"


def sales(salesperson: str) -> str:
    return f"salesperson = '{salesperson}'"


def cases() -> Iterator[Case]:
    yield Case("/order >100000", "order", f"total > {100_000 * _A_YUAN}")
    yield Case("/order 45000..46000", "order", f"total BETWEEN {45_000 * _A_YUAN} AND {46_000 * _A_YUAN}")
    yield Case("/order 1000..2000", "order", f"total BETWEEN {1_000 * _A_YUAN} AND {2_000 * _A_YUAN}")
    yield Case("/order open", "order", _OWED)
    yield Case("/order late", "order", _LATE)
    yield Case("/order 2026-10-01..2026-10-31", "order", f"ordered_on {_OCTOBER}")
    yield Case("/order 李娜 上个月", "order", f"{sales('李娜')} AND ordered_on {_OCTOBER}")
    yield Case("/order 孙悦 上个月", "order", f"{sales('孙悦')} AND ordered_on {_OCTOBER}")
    yield Case("/order 李娜", "order", sales("李娜"))
    yield Case("/order due today", "order", f"{_OWED} AND promised_on <= '{TODAY}'")
    yield Case("/order due this week", "order", f"{_OWED} AND promised_on <= {_WEEK_END}")
    yield Case("/order due tomorrow", "order", f"{_OWED} AND promised_on = date('{TODAY}', '+1 day')")
    for customer in ("宏达", "五金", "Northwind", "恒兴", "航天"):
        named = f"customer LIKE '%{customer}%'"
        yield Case(f"/order {customer} 今年", "order", f"{named} AND ordered_on {_YEAR}")
        yield Case(f"/order open {customer}", "order", f"{named} AND {_OWED}")
        yield Case(f"/invoice open {customer}", "invoice", f"{named} AND {_UNPAID}", _LEFT)
        yield Case(f"/invoice {customer} 今年", "invoice", f"{named} AND issued_on {_YEAR}", _BILLED)
    yield Case("/invoice open", "invoice", _UNPAID, _LEFT)
    yield Case("/invoice overdue", "invoice", _OVERDUE, _LEFT)
    yield Case("/invoice 上个月", "invoice", f"issued_on {_OCTOBER}", _BILLED)
    yield Case("/invoice due today", "invoice", f"{_UNPAID} AND due_on <= '{TODAY}'", _BILLED)
    yield Case("/bill open", "bill", _UNPAID, _LEFT)
    yield Case("/bill overdue", "bill", _OVERDUE, _LEFT)
    yield Case("/bill due today", "bill", f"{_UNPAID} AND due_on <= '{TODAY}'", _BILLED)
    yield Case("/bill due this week", "bill", f"{_UNPAID} AND due_on <= {_WEEK_END}", _BILLED)
    yield Case("/bill 上个月", "bill", f"issued_on {_OCTOBER}", _BILLED)
    yield Case("/po pending", "purchase", "status = 'waiting'")
    yield Case("/po open", "purchase", _AWAITED)
    yield Case("/po 30000..40000", "purchase", f"total BETWEEN {30_000 * _A_YUAN} AND {40_000 * _A_YUAN}")
    yield Case("/po >1000", "purchase", f"total > {1_000 * _A_YUAN}")
    yield Case("/po 今年", "purchase", f"ordered_on {_YEAR}")
    for vendor in ("宝钢", "永年", "华南"):
        named = f"vendor LIKE '%{vendor}%'"
        yield Case(f"/po {vendor} 今年", "purchase", f"{named} AND ordered_on {_YEAR}")
        yield Case(f"/bill open {vendor}", "bill", f"{named} AND {_UNPAID}", _LEFT)
    yield Case("/delivery due today", "delivery", f"status = 'planned' AND planned_on <= '{TODAY}'", "")
    yield Case("/mo due today", "production", f"status NOT IN ('done', 'cancelled') AND due_on <= '{TODAY}'", "")


@pytest.fixture
async def demo(tmp_path: Path) -> AsyncIterator[Erp]:
    erp = await open_source("demo", "demo", {}, data_dir=tmp_path, now=lambda: NOW, timeout=10)
    yield erp
    await erp.close()


@pytest.fixture
async def hub(demo: Erp) -> AsyncIterator[ErpHub]:
    hub = ErpHub([demo], metrics=Metrics(), now=lambda: NOW, timeout=10)
    yield hub
    await hub.close()


@pytest.fixture
async def kept(demo: Erp) -> MemoryDocuments:
    return MemoryDocuments(NOW, await read_all(demo), source="demo")


async def read_all(demo: Erp) -> Sequence[Any]:
    return [each for kind in KEPT for each in (await demo.documents(kind, ListQuery(limit=100_000))).items]


@pytest.fixture
def policy() -> AccessPolicy:
    rights = SEEN.items()
    return AccessPolicy([AccessRule(commands=frozenset({"*"}), roles=frozenset({r}), fields=f) for r, f in rights])


def select(folder: Path, what: str, case: Case, condition: str = "1", group: str = "") -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(folder / "erp-demo.sqlite3")) as database:
        where = f"({case.where}) AND ({condition}) {group}"
        return database.execute(f"SELECT {what} FROM demo_{case.table} WHERE {where}").fetchall()


def amounts_of(view: DocumentListView) -> list[Any]:
    """Return the last sum that a list tells: of what is owed, where it tells that."""
    sums = view.sums()
    return [*sums[0][1]] if sums else []


async def compare(ask: Ask, folder: Path, case: Case, role: str, fields: frozenset[FieldClass]) -> None:
    person = Person(user_id=f"{role}01", name=role, roles=frozenset({role}))
    answer = await ask(case.line, person=person, where=OWN_CHAT)
    view = answer.view
    bounded = any(sign in case.line for sign in ("..", ">")) and "2026-10" not in case.line
    if bounded and case.money not in fields:
        assert not isinstance(view, DocumentListView), "what is compared is not seen"
        return
    assert isinstance(view, DocumentListView), (case.line, view)
    ((count,),) = select(folder, "COUNT(*)", case)
    assert view.total == count, case.line
    if not case.total:
        return
    sums = select(folder, f"currency, SUM({case.total})", case, case.counted, "GROUP BY currency ORDER BY currency")
    expected = [Money(Decimal(amount) / _A_YUAN, currency) for currency, amount in sums if amount]
    ((not_added_up,),) = select(folder, "COUNT(*)", case, f"NOT ({case.counted})")
    told = amounts_of(cut(view, fields))
    assert told == (expected if case.money in fields else []), (case.line, role)
    assert sum(each.count for each in view.not_added_up.uncounted) == not_added_up, case.line


async def test_as_six_people_and_after_decisions(
    ask: Ask, demo: Erp, hub: ErpHub, kept: MemoryDocuments, tmp_path: Path
) -> None:
    table = [*cases()]
    assert len(table) * len(SEEN) >= 200
    for case in table:
        for role, fields in SEEN.items():
            await compare(ask, tmp_path, case, role, fields)
    waiting = (await hub.purchase_orders(ListQuery(filter=Filter.PENDING))).value.items[:2]
    for order, verdict in zip(waiting, (Verdict.APPROVE, Verdict.REJECT), strict=True):
        (by, *_) = order.approval.pending_for if order.approval else ("",)
        decision = Decision(number=order.number, version=order.version, verdict=verdict, by=by, reason="价格")
        assert (await hub.decide("demo", decision)).outcome in DECIDED
    kept.documents_kept = tuple(await read_all(demo))
    for case in table:
        if case.table == "purchase":
            await compare(ask, tmp_path, case, "boss", ALL_FIELDS)


LISTS = (
    *("order", "order open", "order late", "order 上个月", "order >1000", "order open due this week"),
    *("invoice", "invoice open", "invoice overdue", "invoice 去年", "invoice open balance>1000"),
    *("bill", "bill open", "bill overdue", "bill 上个月", "bill due today"),
    *("po", "po open", "po pending", "po late", "po 今年", "po >1000"),
    *("payment", "payment received", "payment paid", "payment 上个月"),
    *("delivery", "delivery late", "delivery due today", "receipt", "receipt 上个月"),
    *("mo", "mo open", "mo late", "mo done"),
)


async def test_a_name_that_nobody_has_is_not_found_whatever_else_is_asked(ask: Ask) -> None:
    for name in ("大疆", "Baosteel"):
        for line in LISTS:
            command, _, rest = line.partition(" ")
            answer = await ask(f"/{command} {name} {rest}".strip(), where=OWN_CHAT, person=OWNER)
            assert answer.outcome == "not_found", (line, name, answer.view)
            assert isinstance(answer.view, NotFoundNotice)
            assert answer.view.what == name


async def test_a_name_like_another_offers_it_with_the_rest_of_the_line(ask: Ask) -> None:
    for line, offered in (
        ("/invoice 宝钢", "/vendor 宝钢线材销售（上海）有限公司"),
        ("/invoice open 杭州宏达机电设备厂", "/invoice open 杭州宏达机电设备有限公司"),
        ("/po late 永康市金工工具厂", "/po late 永康市金工量具有限公司"),
        ("/invoice open 永康市金工工具厂", "/vendor 永康市金工量具有限公司"),
    ):
        view = as_(NotFoundNotice, await ask(line, where=OWN_CHAT, person=OWNER))
        assert offered in lines(view)


@each_row(
    "line, wider",
    [
        ("/order late 2020-01-01", "/order late"),
        ("/order 2020-01-01", "/order"),
        ("/order 宏达 2020-01-01", "/order 宏达"),
        ("/order >99999999", "/order"),
        ("/order open 宏达 >99999999", "/order open 宏达"),
        ("/order 我的 >99999999", "/order 我的"),
        ("/invoice overdue 2020-01-01", "/invoice overdue"),
        ("/bill open 2020-01-01 >99999999", "/bill open"),
        ("/po pending 2020-01-01", "/po pending"),
        ("/payment received 2020-01-01", "/payment received"),
        ("/payment received 宝钢", "/payment received"),
        ("/delivery late 2020-01-01", "/delivery late"),
        ("/receipt 2020-01-01", "/receipt"),
        ("/mo done 2020-01-01", "/mo done"),
    ],
)
async def test_an_empty_list_says_what_emptied_it(ask: Ask, line: str, wider: str) -> None:
    view = as_(DocumentListView, await ask(line, where=OWN_CHAT, person=OWNER))
    assert (view.total, lines(view)[0]) == (0, wider)
    again = as_(DocumentListView, await ask(wider, where=OWN_CHAT, person=OWNER))
    assert again.total == view.emptied[0].total > 0


async def test_no_goods_on_a_day_says_how_much_is_on_its_way_at_all(ask: Ask) -> None:
    view = as_(ArrivalsView, await ask("/arrivals 宝钢 2030-01-01", where=OWN_CHAT, person=OWNER))
    (wider,) = lines(view)
    again = as_(ArrivalsView, await ask(wider, where=OWN_CHAT, person=OWNER))
    assert (view.total, wider) == (0, "/arrivals 宝钢")
    assert again.total == view.emptied[0].total > 0
