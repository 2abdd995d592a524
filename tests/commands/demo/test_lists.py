"""Lists, files and their sums on the demo company, as six people ask for them: the same as written by hand in SQL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import pytest

from bot.access.grants import EVERYTHING, Scope
from bot.access.people import Person
from bot.access.policy import AccessPolicy
from bot.access.rules import AccessRule
from bot.cards.notices import NotFoundNotice
from bot.chat.document_views import DocumentListView
from bot.erp.hub import ErpHub
from bot.erp.model import Decision, DecisionOutcome, Verdict
from bot.erp.port import Filter, ListQuery
from bot.read_model.follower import DocumentFollower
from bot.words.disclosure import ALL_FIELDS, FieldClass, cut
from tests.commands.company import TODAY
from tests.commands.conftest import Ask, as_
from tests.commands.demo.company import A_YUAN, ALL_ROWS, OWN_CHAT, DemoCompany, Sums, added, numbers_of

DECIDED = {DecisionOutcome.APPLIED, DecisionOutcome.MORE_APPROVALS_NEEDED}
NONE, EVERY = "0", "1"
"""Conditions in SQL."""
TABLES = ("order", "invoice", "purchase", "bill", "payment", "delivery", "receipt", "production", "quotation")


@dataclass(frozen=True)
class Case:
    """A line, and the documents that it lists, in SQL; ``amount`` is what each has of what is summed."""

    line: str
    table: str
    where: str
    amount: str = "total"
    bounded: bool = False
    """Whether it compares amounts, so that who may not see them is refused."""
    may_be_empty: bool = False

    @property
    def is_bare(self) -> bool:
        return " " not in self.line

    @property
    def counted(self) -> str:
        return EVERY if "pending" in self.line else _COUNTED.get(self.table, EVERY)

    @property
    def money(self) -> FieldClass:
        return FieldClass.COST if self.table in {"purchase", "bill"} else FieldClass.AMOUNT

    def sums(self) -> Sequence[tuple[str, str, FieldClass]]:
        """Return what is summed, with its condition and who may see it: of what is owed only what is left of it."""
        match self.table:
            case "invoice" | "bill":
                is_of_unpaid = " open" in self.line or " overdue" in self.line
                billed = [] if is_of_unpaid else [(_CREDITED.format("total"), self.counted, self.money)]
                return [*billed, (_CREDITED.format("open_amount"), self.counted, self.money)]
            case "payment":
                ways = (("received", FieldClass.AMOUNT), ("spent", FieldClass.COST))
                return [("amount", f"{self.counted} AND direction = '{way}'", money) for way, money in ways]
            case "delivery" | "receipt" | "production":
                return []
        return [(self.amount, self.counted, self.money)]


_COUNTED = {
    "order": "status NOT IN ('draft', 'cancelled')",
    "invoice": "status NOT IN ('draft', 'void')",
    "purchase": "status IN ('approved', 'done')",
    "bill": "status NOT IN ('draft', 'void')",
    "payment": "status = 'booked'",
    "quotation": "status IN ('sent', 'accepted')",
}
_CREDITED = "CASE WHEN is_credit_note THEN -ABS({0}) ELSE {0} END"
_OWED = "status IN ('open', 'on_hold', 'partly_delivered')"
_LATE = f"status IN ('open', 'partly_delivered') AND promised_on < '{TODAY}'"
_UNPAID = "status IN ('unpaid', 'part_paid')"
_OVERDUE = f"{_UNPAID} AND open_amount > 0 AND due_on < '{TODAY}'"
_AWAITED = "status = 'approved' AND received <> 'full'"
_TO_MAKE = "status NOT IN ('done', 'cancelled')"
_TO_SHIP = "status IN ('planned', 'ready')"
_DELIVERED_ON = "COALESCE(shipped_on, planned_on)"
_UNANSWERED = "status IN ('draft', 'sent')"
_WEEK_END, _MONTH_END = "'2026-11-08'", "'2026-11-30'"

DAYS = {
    "today": f"= '{TODAY}'",
    "yesterday": "= '2026-11-04'",
    "上周": "BETWEEN '2026-10-26' AND '2026-11-01'",
    "this week": f"BETWEEN '2026-11-02' AND {_WEEK_END}",
    "最近30天": "BETWEEN '2026-10-07' AND '2026-11-05'",
    "本月": f"BETWEEN '2026-11-01' AND {_MONTH_END}",
    "上个月": "BETWEEN '2026-10-01' AND '2026-10-31'",
    "2026-09-20..2026-10-10": "BETWEEN '2026-09-20' AND '2026-10-10'",
    "今年": "BETWEEN '2026-01-01' AND '2026-12-31'",
    "last 12 months": "BETWEEN '2025-11-06' AND '2026-11-05'",
}
DATED = (
    ("order", "order", "ordered_on"),
    ("invoice", "invoice", "issued_on"),
    ("po", "purchase", "ordered_on"),
    ("bill", "bill", "issued_on"),
    ("payment", "payment", "paid_on"),
    ("delivery", "delivery", _DELIVERED_ON),
    ("receipt", "receipt", "received_on"),
    ("mo", "production", "start_on"),
)
"""Each list with the day by which it is dated."""


def yuan(amount: int) -> int:
    return amount * A_YUAN


def credited(column: str, than: str) -> str:
    return f"({_CREDITED.format(column)}) {than}"


def cases() -> Iterator[Case]:
    for command, table, day in DATED:
        yield Case(f"/{command}", table, EVERY)
        for days, within in DAYS.items():
            yield Case(f"/{command} {days}", table, f"{day} {within}", may_be_empty=True)
    yield from sales()
    yield from receivables()
    yield from purchasing()
    yield from payments()
    yield from movements()
    yield from offers()


def offers() -> Iterator[Case]:
    yield Case("/quote", "quotation", EVERY)
    for days in ("上周", "本月", "last 12 months"):
        yield Case(f"/quote {days}", "quotation", f"quoted_on {DAYS[days]}", may_be_empty=True)
    yield Case("/quote open", "quotation", _UNANSWERED)
    yield Case("/quote expired", "quotation", f"{_UNANSWERED} AND valid_until < '{TODAY}'")
    yield Case("/quote due this week", "quotation", f"{_UNANSWERED} AND valid_until <= {_WEEK_END}")
    yield Case("/quote >10000", "quotation", f"total > {yuan(10_000)}", bounded=True)
    yield Case("/quote 李娜", "quotation", "salesperson = '李娜'")
    yield Case("/quote SO-1001", "quotation", "order_number = 'SO-1001'")


def sales() -> Iterator[Case]:
    yield Case("/order open", "order", _OWED)
    yield Case("/order late", "order", _LATE)
    yield Case("/order due today", "order", f"{_OWED} AND promised_on <= '{TODAY}'")
    yield Case("/order due tomorrow", "order", f"{_OWED} AND promised_on = '2026-11-06'")
    yield Case("/order due this week", "order", f"{_OWED} AND promised_on <= {_WEEK_END}")
    yield Case("/order due 本月", "order", f"{_OWED} AND promised_on <= {_MONTH_END}")
    yield Case("/order open 上个月", "order", f"{_OWED} AND ordered_on {DAYS['上个月']}")
    yield Case("/order >100000", "order", f"total > {yuan(100_000)}", bounded=True)
    yield Case("/order 45000..46000", "order", f"total BETWEEN {yuan(45_000)} AND {yuan(46_000)}", bounded=True)
    yield Case("/order open <1000", "order", f"{_OWED} AND total < {yuan(1_000)}", bounded=True)
    yield Case("/order >20000 上个月", "order", f"total > {yuan(20_000)} AND ordered_on {DAYS['上个月']}", bounded=True)
    for who in ("李娜", "孙悦", "Emma Clarke"):
        own = f"salesperson = '{who}'"
        yield Case(f"/order {who}", "order", own)
        yield Case(f"/order {who} 上个月", "order", f"{own} AND ordered_on {DAYS['上个月']}")
        yield Case(f"/order open {who}", "order", f"{own} AND {_OWED}")
        yield Case(f"/order {who} >20000", "order", f"{own} AND total > {yuan(20_000)}", bounded=True)
    for customer in ("宏达", "五金", "Northwind", "恒兴", "航天"):
        named = f"customer LIKE '%{customer}%'"
        yield Case(f"/order {customer} 今年", "order", f"{named} AND ordered_on {DAYS['今年']}")
        yield Case(f"/order open {customer}", "order", f"{named} AND {_OWED}")
        yield Case(f"/order {customer} >5000", "order", f"{named} AND total > {yuan(5_000)}", bounded=True)
        yield Case(f"/delivery {customer}", "delivery", named)
    for sku in ("SKU144", "HT-140", "SKU177"):
        of_it = f"l.number_key = demo_order.number_key AND l.sku = '{sku}'"
        holds = f"EXISTS (SELECT 1 FROM demo_order_line l WHERE {of_it})"
        share = f"(SELECT SUM(l.amount) FROM demo_order_line l WHERE {of_it})"
        yield Case(f"/order {sku}", "order", holds, share)
        yield Case(f"/order open {sku}", "order", f"{holds} AND {_OWED}", share)
        yield Case(f"/order {sku} 上个月", "order", f"{holds} AND ordered_on {DAYS['上个月']}", share)


def receivables() -> Iterator[Case]:
    yield Case("/invoice open", "invoice", _UNPAID)
    yield Case("/invoice overdue", "invoice", _OVERDUE)
    yield Case("/invoice due today", "invoice", f"{_UNPAID} AND due_on <= '{TODAY}'")
    yield Case("/invoice due this week", "invoice", f"{_UNPAID} AND due_on <= {_WEEK_END}")
    yield Case("/invoice due 本月", "invoice", f"{_UNPAID} AND due_on <= {_MONTH_END}")
    yield Case("/invoice open 上个月", "invoice", f"{_UNPAID} AND issued_on {DAYS['上个月']}")
    for line, where in (
        ("/invoice overdue >10000", f"{_OVERDUE} AND {credited('total', f'> {yuan(10_000)}')}"),
        ("/invoice open 余额>=10000", f"{_UNPAID} AND {credited('open_amount', f'>= {yuan(10_000)}')}"),
        ("/invoice open balance<500", f"{_UNPAID} AND {credited('open_amount', f'< {yuan(500)}')}"),
        ("/invoice <1000", credited("total", f"< {yuan(1_000)}")),
        ("/invoice >5000 本月", f"{credited('total', f'> {yuan(5_000)}')} AND issued_on {DAYS['本月']}"),
    ):
        yield Case(line, "invoice", where, bounded=True)
    for customer in ("宏达", "五金", "Northwind", "恒兴", "航天"):
        named = f"customer LIKE '%{customer}%'"
        yield Case(f"/invoice {customer}", "invoice", named)
        yield Case(f"/invoice open {customer}", "invoice", f"{named} AND {_UNPAID}")
        yield Case(f"/invoice {customer} 上个月", "invoice", f"{named} AND issued_on {DAYS['上个月']}")


def purchasing() -> Iterator[Case]:
    yield Case("/po open", "purchase", _AWAITED)
    yield Case("/po pending", "purchase", "status = 'waiting'")
    yield Case("/po late", "purchase", f"{_AWAITED} AND due_on < '{TODAY}'")
    yield Case("/po due this week", "purchase", f"{_AWAITED} AND due_on <= {_WEEK_END}")
    for who, account in (("赵国强", "buymanager01"), ("陈立", "buyer01")):
        own = f"'{who}' = buyer OR '{account}' = requester"
        yield Case(f"/po {who}", "purchase", own)
        yield Case(f"/po open {who}", "purchase", f"({own}) AND {_AWAITED}")
    for line, where in (
        ("/po 30000..40000", f"total BETWEEN {yuan(30_000)} AND {yuan(40_000)}"),
        ("/po >1000", f"total > {yuan(1_000)}"),
        ("/po 一万到五万", f"total BETWEEN {yuan(10_000)} AND {yuan(50_000)}"),
        ("/po pending >30000", f"status = 'waiting' AND total > {yuan(30_000)}"),
        ("/po open >20000", f"{_AWAITED} AND total > {yuan(20_000)}"),
    ):
        yield Case(line, "purchase", where, bounded=True)
    yield Case("/bill open", "bill", _UNPAID)
    yield Case("/bill overdue", "bill", _OVERDUE, may_be_empty=True)
    yield Case("/bill due today", "bill", f"{_UNPAID} AND due_on <= '{TODAY}'", may_be_empty=True)
    yield Case("/bill due this week", "bill", f"{_UNPAID} AND due_on <= {_WEEK_END}")
    yield Case("/bill due 本月", "bill", f"{_UNPAID} AND due_on <= {_MONTH_END}")
    yield Case("/bill open <5000", "bill", f"{_UNPAID} AND {credited('total', f'< {yuan(5_000)}')}", bounded=True)
    yield Case("/bill >20000", "bill", credited("total", f"> {yuan(20_000)}"), bounded=True)
    for vendor in ("宝钢", "金工", "Yantai"):
        named = f"vendor LIKE '%{vendor}%'"
        yield Case(f"/po {vendor}", "purchase", named)
        yield Case(f"/po open {vendor}", "purchase", f"{named} AND {_AWAITED}")
        yield Case(f"/po {vendor} 上个月", "purchase", f"{named} AND ordered_on {DAYS['上个月']}")
        yield Case(f"/bill open {vendor}", "bill", f"{named} AND {_UNPAID}")
        yield Case(f"/bill {vendor} 今年", "bill", f"{named} AND issued_on {DAYS['今年']}")
        yield Case(f"/receipt {vendor}", "receipt", named)
    for sku in ("SKU178", "RM-42"):
        of_it = f"l.number_key = demo_purchase.number_key AND l.sku = '{sku}'"
        holds = f"EXISTS (SELECT 1 FROM demo_purchase_line l WHERE {of_it})"
        share = f"(SELECT SUM(l.amount) FROM demo_purchase_line l WHERE {of_it})"
        yield Case(f"/po {sku}", "purchase", holds, share)
        yield Case(f"/po open {sku}", "purchase", f"{holds} AND {_AWAITED}", share)


def payments() -> Iterator[Case]:
    for word, way in (("received", "received"), ("paid", "spent")):
        yield Case(f"/payment {word}", "payment", f"direction = '{way}'")
        yield Case(f"/payment {word} 上个月", "payment", f"direction = '{way}' AND paid_on {DAYS['上个月']}")
        yield Case(f"/payment {word} this week", "payment", f"direction = '{way}' AND paid_on {DAYS['this week']}")
    yield Case(
        "/payment received >10000", "payment", f"direction = 'received' AND amount > {yuan(10_000)}", bounded=True
    )
    for partner in ("宏达", "Northwind", "金工"):
        yield Case(f"/payment {partner}", "payment", f"partner LIKE '%{partner}%'")


def movements() -> Iterator[Case]:
    yield Case("/delivery late", "delivery", f"{_TO_SHIP} AND planned_on < '{TODAY}'")
    yield Case("/delivery due today", "delivery", f"{_TO_SHIP} AND planned_on <= '{TODAY}'")
    yield Case("/delivery due this week", "delivery", f"{_TO_SHIP} AND planned_on <= {_WEEK_END}")
    yield Case("/mo open", "production", _TO_MAKE)
    yield Case(
        "/mo late", "production", f"{_TO_MAKE} AND status <> 'on_hold' AND due_on < '{TODAY}'", may_be_empty=True
    )
    yield Case("/mo due today", "production", f"{_TO_MAKE} AND due_on <= '{TODAY}'", may_be_empty=True)
    yield Case("/mo due this week", "production", f"{_TO_MAKE} AND due_on <= {_WEEK_END}")
    yield Case("/mo done", "production", "status = 'done'")
    yield Case("/mo done 上个月", "production", f"status = 'done' AND finished_on {DAYS['上个月']}")
    yield Case("/mo HT-114", "production", "sku = 'HT-114'")


@dataclass(frozen=True)
class Reader:
    """Somebody who asks: which classes of fields they see, and of which documents in SQL."""

    user_id: str
    fields: frozenset[FieldClass]
    scope: Scope = EVERYTHING
    sees: Mapping[str, str] = field(default_factory=lambda: MappingProxyType(dict.fromkeys(TABLES, EVERY)))

    @property
    def person(self) -> Person:
        return Person(user_id=self.user_id, name="谁都不是", roles=frozenset({self.user_id}))

    @property
    def rule(self) -> AccessRule:
        roles = frozenset({self.user_id})
        return AccessRule(commands=frozenset({"*"}), roles=roles, fields=self.fields, scope=self.scope)

    def may_find(self, case: Case) -> str:
        return self.sees.get(case.table, NONE)


_LOOKED_AFTER = "IN (SELECT name FROM demo_customer WHERE salesperson = '李娜')"
_PARTNERS = ("杭州宏达机电设备有限公司", "永康市金工量具有限公司")
BOSS = Reader("boss01", ALL_FIELDS)
READERS = (
    Reader("finance01", ALL_FIELDS - {FieldClass.CONTACT}),
    Reader("buymanager01", ALL_FIELDS - {FieldClass.AMOUNT}),
    Reader(
        "sales01",
        ALL_FIELDS - {FieldClass.COST},
        Scope(own=True),
        {
            "order": "salesperson = '李娜'",
            "quotation": "salesperson = '李娜'",
            "delivery": "salesperson = '李娜'",
            "invoice": f"customer {_LOOKED_AFTER}",
            "payment": f"partner {_LOOKED_AFTER}",
        },
    ),
    Reader(
        "keeper01",
        ALL_FIELDS - {FieldClass.AMOUNT, FieldClass.COST},
        Scope(warehouses=frozenset({"上海仓"})),
        {"delivery": "warehouse = '上海仓'", "receipt": "warehouse = '上海仓'"},
    ),
    Reader(
        "planner01",
        ALL_FIELDS - {FieldClass.CONTACT},
        Scope(partners=frozenset(_PARTNERS)),
        {
            **dict.fromkeys(("order", "quotation", "invoice", "delivery"), f"customer IN {_PARTNERS}"),
            **dict.fromkeys(("purchase", "bill", "receipt"), f"vendor IN {_PARTNERS}"),
            "payment": f"partner IN {_PARTNERS}",
        },
    ),
)


@pytest.fixture
def policy() -> AccessPolicy:
    return AccessPolicy([reader.rule for reader in (BOSS, *READERS)])


def told_sums(view: DocumentListView, fields: frozenset[FieldClass]) -> Sequence[Sums]:
    return [sums for _, amounts in cut(view, fields).sums() if (sums := added(amounts))]


async def compare(ask: Ask, demo: DemoCompany, case: Case, reader: Reader) -> None:
    """Compare what a card tells with the documents in the database, and for the one who sees all of them the file."""
    answer = await ask(case.line, person=reader.person, where=OWN_CHAT, rows=ALL_ROWS if reader is BOSS else None)
    told = f"{case.line} as {reader.user_id}"
    listed = f"demo_{case.table} WHERE ({case.where}) AND ({reader.may_find(case)})"
    expected = demo.numbers(listed)
    if case.bounded and case.money not in reader.fields:
        assert not isinstance(answer.view, DocumentListView), f"what is compared is not seen: {told}"
        return
    if isinstance(answer.view, NotFoundNotice):
        assert not expected, told
        return
    if (only := getattr(answer.view, "document", None)) is not None:
        assert {only.number} == expected, told
        return
    view = as_(DocumentListView, answer)
    assert view.total == len(expected), told
    if reader is BOSS:
        assert expected or case.may_be_empty, f"nothing is compared: {told}"
        assert numbers_of(view.rows) == expected, told
    if not case.sums() or (case.is_bare and reader is not BOSS):
        return  # the newest documents are not added up on a card
    seen = [(amount, counted) for amount, counted, money in case.sums() if money in reader.fields]
    sums = [demo.sums(amount, f"{listed} AND {counted}") for amount, counted in seen]
    assert told_sums(view, reader.fields) == [*filter(None, sums)], told
    uncounted = demo.numbers(f"{listed} AND NOT ({case.counted})")
    assert sum(each.count for each in view.not_added_up.uncounted) == len(uncounted), told


async def test_as_six_people_after_three_days_and_after_decisions(
    ask: Ask, demo: DemoCompany, hub: ErpHub, follower: DocumentFollower
) -> None:
    table = [*cases()]
    assert len(table) >= 200
    for place, case in enumerate(table):
        for reader in (BOSS, *(READERS if case.is_bare else READERS[place % len(READERS) :][:1])):
            await compare(ask, demo, case, reader)
    waiting = (await hub.purchase_orders(ListQuery(filter=Filter.PENDING))).value.items[:4]
    for order, verdict in zip(waiting, (Verdict.APPROVE, Verdict.REJECT) * 2, strict=True):
        (by, *_) = order.review.approval.pending_for if order.review.approval else ("",)
        decision = Decision(number=order.number, version=order.review.version, verdict=verdict, by=by, reason="价格")
        assert (await hub.decide("demo", decision)).outcome in DECIDED
    await follower.catch_up()
    for place, case in enumerate(case for case in table if case.table == "purchase"):
        await compare(ask, demo, case, BOSS)
        await compare(ask, demo, case, READERS[place % len(READERS)])


async def test_lists_of_production_are_in_the_order_in_which_they_are_worked_on(ask: Ask, demo: DemoCompany) -> None:
    for line, where in (
        ("/mo open", f"{_TO_MAKE} ORDER BY due_on, number_key"),
        ("/mo done", "status = 'done' ORDER BY finished_on DESC, number_key"),
    ):
        view = as_(DocumentListView, await ask(line, where=OWN_CHAT, person=BOSS.person, rows=ALL_ROWS))
        found = demo.rows(f"SELECT number FROM demo_production WHERE {where}")
        assert [row.number for row in view.rows] == [number for (number,) in found], line


def test_what_is_finished_was_finished_after_it_began(demo: DemoCompany) -> None:
    wrong = f"(status = 'done') <> (finished_on IS NOT NULL) OR finished_on < start_on OR finished_on > '{TODAY}'"
    assert not demo.numbers(f"demo_production WHERE {wrong}")
