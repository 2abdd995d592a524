"""Lists of documents above, below or between amounts: out of those that are kept, each in its own currency."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from bot.access.grants import EVERYTHING, Scope
from bot.access.people import Person
from bot.access.policy import AccessPolicy
from bot.access.rules import AccessRule
from bot.cards.actions import Ask as Question
from bot.cards.notices import BadArgumentNotice
from bot.cards.withholding import own_view_buttons
from bot.chat.document_views import DocumentListView
from bot.chat.message import Conversation, ConversationKind
from bot.chat.questions.dispatcher import QuestionDispatcher
from bot.chat.records.reader_hub import ReaderHub
from bot.erp.hub import ErpHub
from bot.erp.model import Invoice, InvoiceStatus, Money, PartnerKind, ReviewState
from bot.words.disclosure import ALL_FIELDS, HIDDEN, SHARED_FIELDS, ChosenBy, FieldClass, classed_fields, cut
from tests.chat.audience_parts import make_audiences
from tests.commands.company import NOW, TODAY, Company, bill, cny, invoice, order, payment, purchase
from tests.commands.conftest import GROUP, KEEPER, Ask, as_, lines
from tests.commands.export_fakes import MemoryCourier
from tests.read_model.memory_documents import MemoryDocuments
from tests.workbook_cells import read_sheets

OWN_CHAT = Conversation("cidKeeper==", ConversationKind.DIRECT)
SALES = Person(user_id="sales01", name="李娜", roles=frozenset({"sales"}))


def usd(amount: str) -> Money:
    return Money(Decimal(amount), "USD")


def part_paid(number: str, customer: str, total: str, left: str, *, overdue: int = 0) -> Invoice:
    made = invoice(number, customer, cny(left), overdue=overdue)
    return replace(made, total=cny(total), status=InvoiceStatus.PART_PAID)


@pytest.fixture
def company() -> Company:
    company = Company()
    company.sales = (
        replace(order("SO-1", "宏达机电", late=3), total=cny("100000"), ordered_on=TODAY),
        replace(order("SO-2", "宏达机电"), total=cny("100000.01"), ordered_on=date(2026, 10, 20), salesperson="李娜"),
        replace(order("SO-3", "湘江", late=1), total=usd("120000"), ordered_on=date(2026, 10, 5)),
        replace(order("SO-4", "湘江"), total=cny("20000"), ordered_on=date(2026, 10, 6), salesperson="李娜"),
        replace(order("SO-5", "湘江"), total=None, ordered_on=date(2026, 10, 7)),
    )
    company.issued = (
        part_paid("INV-1", "宏达机电", "60000", "500", overdue=9),
        invoice("INV-2", "湘江", cny("55000"), overdue=2),
        invoice("INV-3", "湘江", cny("9000"), overdue=1),
        replace(invoice("CN-1", "湘江", cny("70000")), is_credit_note=True),
        replace(invoice("INV-4", "湘江", cny("80000")), open_amount=cny("0"), status=InvoiceStatus.PAID),
    )
    company.owed = (bill("BILL-1", "宝钢", cny("4999.99"), overdue=1), bill("BILL-2", "宝钢", cny("5000")))
    company.purchases = (
        replace(purchase("PO-1", "宝钢", ReviewState.WAITING, "u_chen"), total=cny("30000")),
        replace(purchase("PO-2", "宝钢", ReviewState.WAITING, "u_chen"), total=cny("30001")),
        replace(purchase("PO-3", "宝钢", ReviewState.APPROVED), total=cny("90000")),
    )
    company.paid = (
        payment("PAY-1", "宏达机电", "10000"),
        payment("PAY-2", "湘江", "10001"),
        payment("PAY-3", "宝钢", "50000", kind=PartnerKind.VENDOR),
    )
    return company


async def listed(ask: Ask, line: str, person: Person = KEEPER) -> DocumentListView:
    return as_(DocumentListView, await ask(line, person=person, where=OWN_CHAT))


@pytest.mark.parametrize(
    ("line", "numbers"),
    [
        ("/order >100000", ["SO-2", "SO-3"]),
        ("/order >=10万", ["SO-1", "SO-2", "SO-3"]),
        ("/订单 十万以上", ["SO-1", "SO-2", "SO-3"]),
        ("/order over 100k", ["SO-2", "SO-3"]),
        ("/order < 5w", ["SO-4"]),
        ("/order 宏达 last month >20000", ["SO-2"]),
        ("/order late >=1 lakh", ["SO-1", "SO-3"]),
        ("/order >100000 USD", ["SO-3"]),
        ("/order 超过10万美金", ["SO-3"]),
        ("/order 20000..100000", ["SO-1", "SO-4"]),
        ("/order 二万到十万", ["SO-1", "SO-4"]),
        ("/order >20000<100001", ["SO-1", "SO-2"]),
        ("/order 李娜 >50000", ["SO-2"]),
        ("/order SO-2 >50000", ["SO-2"]),
        ("/order SO-4 >50000", []),
        ("/invoice overdue >10000", ["INV-1", "INV-2"]),
        ("/invoice overdue balance>10000", ["INV-2"]),
        ("/发票 逾期 余额>10000", ["INV-2"]),
        ("/invoice balance<=500", ["INV-1", "CN-1"]),
        ("/invoice >50000", ["INV-4", "INV-2", "INV-1"]),
        ("/bill open <5000", ["BILL-1"]),
        ("/bill open <=5000", ["BILL-1", "BILL-2"]),
        ("/po pending >30000", ["PO-2"]),
        ("/po 宝钢 三万以上", ["PO-1", "PO-2", "PO-3"]),
        ("/payment received >10000", ["PAY-2"]),
        ("/payment >10000", ["PAY-2", "PAY-3"]),
    ],
)
async def test_documents_within_amounts(ask: Ask, company: Company, line: str, numbers: list[str]) -> None:
    view = await listed(ask, line)
    assert (sorted(row.number for row in view.rows), view.total) == (sorted(numbers), len(numbers))
    assert not view.total or not [call for call in company.calls if not call.startswith("find_products")]
    again = await listed(ask, view.line)
    assert (again.rows, again.line) == (view.rows, view.line)


async def test_the_list_is_added_up(ask: Ask) -> None:
    assert (await listed(ask, "/order >=100000")).total_amounts == (cny("200000.01"), usd("120000"))  # type: ignore[attr-defined]
    assert (await listed(ask, "/invoice overdue >10000")).open_amounts == (cny("55500"),)  # type: ignore[attr-defined]


async def test_pages_lead_on_within_the_bounds(ask: Ask, company: Company, kept: MemoryDocuments) -> None:
    kept.documents_kept = [replace(order(f"SO-{n:02}", "宏达"), total=cny(str(n))) for n in range(50)]
    first = await listed(ask, "/order >25")
    assert (first.total, "/order >25 +12" in lines(first)) == (24, True)
    rows = [row for offset in (0, 12) for row in (await listed(ask, f"/order >25 +{offset}")).rows]
    assert sorted(row.number for row in rows) == [f"SO-{n}" for n in range(26, 50)]


async def test_the_card_says_when_it_was_so_and_what_is_left_out(ask: Ask, kept: MemoryDocuments) -> None:
    kept.synced_at = NOW - timedelta(minutes=2)
    view = await listed(ask, "/order >100000")
    assert view.freshness.as_of == kept.synced_at
    assert [str(each) for each in view.freshness.failures] == [
        "not listed: 1 without an amount",
        "each amount in its own currency",
    ]


async def test_days_before_the_first_that_is_kept_are_said(ask: Ask, kept: MemoryDocuments) -> None:
    kept.complete_since = date(2026, 10, 6)
    told = [str(each) for each in (await listed(ask, "/order >1")).freshness.failures]
    assert "complete since 2026-10-06" in told
    for line in ("/order late >1", "/order >1 2026-10-06..2026-11-05"):
        told = [str(each) for each in (await listed(ask, line)).freshness.failures]
        assert not [each for each in told if each.startswith("complete")]


async def test_nothing_kept_yet_is_said_and_not_an_empty_list(ask: Ask, kept: MemoryDocuments) -> None:
    kept.complete_since = None
    notice = as_(BadArgumentNotice, await ask("/order >100000", where=OWN_CHAT))
    assert "main" in str(notice.problem)


async def test_old_figures_say_so(ask: Ask, kept: MemoryDocuments) -> None:
    kept.synced_at = NOW - timedelta(hours=2)
    assert (await listed(ask, "/order >100000")).freshness.stale


async def test_an_order_has_no_balance(ask: Ask) -> None:
    as_(BadArgumentNotice, await ask("/order balance>5000", where=OWN_CHAT))


async def test_the_whole_list_is_a_file(ask: Ask, courier: MemoryCourier) -> None:
    await ask("/export order >100000", where=OWN_CHAT)
    rows = read_sheets(courier.files[-1][2])[0].values[1:]
    assert [row[0] for row in rows] == ["SO-2", "SO-3"]


class TestRights:
    @pytest.fixture
    def dispatcher(self, dispatcher: QuestionDispatcher, hub: ErpHub) -> QuestionDispatcher:
        dispatcher._hub = ReaderHub(hub)
        return dispatcher

    @pytest.fixture
    def policy(self) -> AccessPolicy:
        def rule(
            role: str, *commands: str, fields: frozenset[FieldClass] = ALL_FIELDS, scope: Scope = EVERYTHING
        ) -> AccessRule:
            return AccessRule(commands=frozenset(commands), roles=frozenset({role}), fields=fields, scope=scope)

        return AccessPolicy(
            [
                rule("warehouse", "order", "invoice", fields=ALL_FIELDS - {FieldClass.AMOUNT}),
                rule("warehouse", "po", fields=ALL_FIELDS - {FieldClass.COST}),
                rule("sales", "order", scope=Scope(partners=frozenset({"湘江"}))),
                rule("sales", "invoice"),
                rule("sales", "po", fields=ALL_FIELDS - {FieldClass.COST}),
            ]
        )

    @pytest.mark.parametrize(
        "line",
        [
            *(
                "/order >100000",
                "/order 湘江 >1",
                "/invoice overdue >10000",
                "/invoice balance>1",
                "/po pending >30000",
            ),
            *("/bill open <5000", "/payment received >10000", "/payment >1", "/export order >100000", "/order >1 +8"),
            "/subscribe order >100000 08:30",
        ],
    )
    async def test_who_may_not_see_amounts_may_not_list_by_them(
        self, ask: Ask, line: str, courier: MemoryCourier
    ) -> None:
        for clicked in (False, True):
            notice = as_(BadArgumentNotice, await ask(line, where=OWN_CHAT, clicked=clicked))
            assert str(notice.problem) == "You may not see these amounts, so nothing is listed by them."
        assert courier.files == []

    async def test_documents_that_one_may_not_see_are_not_listed(self, ask: Ask) -> None:
        view = await listed(ask, "/order >1", SALES)
        assert {row.number for row in view.rows} == {"SO-3", "SO-4"}

    async def test_payments_to_vendors_are_left_out_for_who_may_not_see_costs(self, ask: Ask) -> None:
        view = await listed(ask, "/payment >1", SALES)
        assert {row.number for row in view.rows} == {"PAY-1", "PAY-2"}
        assert "only payments whose amounts you may see" in [str(each) for each in view.freshness.failures]


@pytest.mark.parametrize(
    "line", ["/order >100000", "/order >900000000", "/invoice overdue >1", "/po >1", "/payment >1"]
)
async def test_a_group_that_may_not_see_amounts_is_not_told_which_documents_have_them(ask: Ask, line: str) -> None:
    view = await listed(ask, line)
    shared = cut(view, SHARED_FIELDS)
    assert (shared.rows, shared.total) == (HIDDEN, HIDDEN)
    assert not [each for each in lines(shared) if each[1:].partition(" ")[2] not in line]
    assert shared.withheld
    assert cut(view, ALL_FIELDS) is view


async def test_without_bounds_a_group_sees_the_rows(ask: Ask) -> None:
    shared = cut(await listed(ask, "/order"), SHARED_FIELDS)
    assert (shared.total, {row.total for row in shared.rows}) == (5, {HIDDEN, None})


@pytest.mark.parametrize("name", ["order", "invoice", "po", "bill", "payment"])
async def test_all_rows_that_amounts_choose_are_hidden_with_them(ask: Ask, name: str) -> None:
    """A view that declares its rows anew must say so again."""
    marks = {field: marks for field, marks, _ in classed_fields(type(await listed(ask, f"/{name} >1")))}
    assert ChosenBy("compared") in marks["rows"]
    assert ChosenBy("compared") in marks["total"]


async def test_a_group_card_leads_to_ones_own_view(ask: Ask) -> None:
    answer = await ask("/order >100000")
    shared = make_audiences().share(answer.view, answer, GROUP.id)
    assert not shared.is_all
    assert [button.does for button in own_view_buttons(shared.view)] == [Question("/order >100000")]
    clicked = as_(DocumentListView, await ask("/order >100000", clicked=True))
    assert clicked.total == 2
