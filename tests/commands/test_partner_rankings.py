"""/customer owing and best, /vendor payable and biggest: partners by what is owed or was ordered, from what is kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from bot.access.grants import Scope
from bot.access.people import Person
from bot.access.policy import AccessPolicy
from bot.access.rules import AccessRule
from bot.cards.notices import BadArgumentNotice, NotFoundNotice
from bot.chat.document_views import view_of_list
from bot.chat.message import Conversation, ConversationKind
from bot.chat.records.rankings import PartnerRankingView, RankedBy
from bot.erp.kinds import CUSTOMERS
from bot.erp.model import InvoiceStatus, Money, OrderStatus, ReviewState
from bot.erp.port import Period
from bot.words.disclosure import ALL_FIELDS, HIDDEN, FieldClass, cut
from commands.customer import CustomerView
from tests.commands.company import NOW, TODAY, Company, bill, cny, invoice, order, purchase
from tests.commands.conftest import KEEPER, Ask, as_, lines
from tests.commands.export_fakes import MemoryCourier
from tests.read_model.memory_documents import MemoryDocuments
from tests.workbook_cells import read_sheets

OWN_CHAT = Conversation("cidKeeper==", ConversationKind.DIRECT)
SALES = Person(user_id="sales01", name="李销", roles=frozenset({"sales"}))


def usd(amount: str) -> Money:
    return Money(cny(amount).amount, "USD")


@pytest.fixture
def company() -> Company:
    company = Company()
    company.issued = (
        invoice("INV-1", "华东", cny("100"), overdue=5),
        invoice("INV-2", "华东", cny("50.50")),
        invoice("INV-3", "宏图", cny("900"), overdue=40),
        invoice("INV-4", "宏图", usd("7")),
        replace(invoice("CN-1", "宏图", cny("-300")), is_credit_note=True),
        replace(invoice("INV-5", "北方", cny("5000")), status=InvoiceStatus.DRAFT),
        replace(invoice("INV-6", "北方", cny("0")), status=InvoiceStatus.PAID),
        invoice("INV-7", "北方", None),
    )
    company.owed = (bill("BILL-1", "宝钢", cny("20"), overdue=3), bill("BILL-2", "包装", cny("70")))
    company.sales = (
        replace(order("SO-1", "华东"), total=cny("10"), ordered_on=TODAY),
        replace(order("SO-2", "宏图"), total=cny("300"), ordered_on=TODAY - timedelta(days=40)),
        replace(order("SO-3", "华东"), total=cny("20"), ordered_on=TODAY - timedelta(days=1)),
        replace(order("SO-4", "华东"), total=cny("999"), ordered_on=TODAY, status=OrderStatus.CANCELLED),
        replace(order("SO-5", "北方"), total=cny("7000"), ordered_on=TODAY - timedelta(days=500)),
    )
    company.purchases = (
        replace(purchase("PO-1", "宝钢", ReviewState.APPROVED), total=cny("5"), ordered_on=TODAY),
        replace(purchase("PO-2", "包装", ReviewState.WAITING), total=cny("50"), ordered_on=TODAY),
    )
    return company


async def ranked(ask: Ask, line: str) -> PartnerRankingView:
    return as_(PartnerRankingView, await ask(line, where=OWN_CHAT))


def told(view: PartnerRankingView) -> list[tuple[str, Money]]:
    return [(row.partner, row.amount) for row in view.rows]


@pytest.mark.parametrize("line", ["/customer owing", "/客户 欠款", "/客户 欠款最多", "/customer debts"])
async def test_who_owes_most_by_currency(ask: Ask, company: Company, line: str) -> None:
    view = await ranked(ask, line)
    assert told(view) == [("宏图", cny("600")), ("华东", cny("150.50")), ("宏图", usd("7"))]
    assert view.totals == (cny("750.50"), usd("7"))
    assert (view.by, view.total, view.partners, view.without_amount) == (RankedBy.RECEIVABLES, 3, 2, 1)
    assert [row.place for row in view.rows] == [1, 2, 1], "amounts of two currencies cannot be compared"
    assert (view.rows[0].overdue, view.rows[0].days_overdue, view.rows[0].count) == (cny("900"), 40, 2)
    assert (view.rows[1].overdue, view.rows[1].days_overdue) == (cny("100"), 5)
    assert view.rows[2].overdue is None
    assert company.calls == []


@pytest.mark.parametrize("line", ["/vendor payable", "/vendor owed", "/供应商 应付", "/供应商 欠款"])
async def test_whom_the_company_owes_most(ask: Ask, line: str) -> None:
    view = await ranked(ask, line)
    assert told(view) == [("包装", cny("70")), ("宝钢", cny("20"))]
    assert {row.money_class for row in view.rows} == {FieldClass.COST}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("/customer best", [("宏图", "300"), ("华东", "30")]),
        ("/客户 排行", [("宏图", "300"), ("华东", "30")]),
        ("/客户 排行 今天", [("华东", "10")]),
        ("/customer top yesterday", [("华东", "20")]),
        ("/customer best 2026-11", [("华东", "30")]),
        ("/vendor biggest", [("宝钢", "5")]),
        ("/供应商 排行 本月", [("宝钢", "5")]),
    ],
)
async def test_who_ordered_most_in_some_days(ask: Ask, line: str, expected: list[tuple[str, str]]) -> None:
    view = await ranked(ask, line)
    assert told(view) == [(name, cny(amount)) for name, amount in expected]


async def test_without_days_it_is_a_year(ask: Ask) -> None:
    view = await ranked(ask, "/customer best")
    assert view.days == Period(TODAY - timedelta(days=364), TODAY)
    assert not view.is_partial


async def test_days_of_which_documents_may_be_missing_are_said(ask: Ask, kept: MemoryDocuments) -> None:
    kept.complete_since = TODAY - timedelta(days=30)
    assert (await ranked(ask, "/customer best")).is_partial
    assert not (await ranked(ask, "/customer best 今天")).is_partial
    assert not (await ranked(ask, "/customer owing")).is_partial


@pytest.mark.parametrize(("name", "line"), [("Best Buy", "/customer Best Buy"), ("欠款 公司", "/customer 欠款 公司")])
async def test_a_name_that_begins_with_such_a_word_is_a_name(ask: Ask, company: Company, name: str, line: str) -> None:
    company.clients = (replace(company.clients[0], code="C9", name=name),)
    assert as_(CustomerView, await ask(line)).document.name == name


@pytest.mark.parametrize("line", ["/customer owing 上海宏图机械", "/customer C001 owing", "/客户 上海宏图机械 欠款"])
async def test_beside_a_customer_it_asks_for_their_card(ask: Ask, line: str) -> None:
    assert as_(CustomerView, await ask(line)).document.code == "C001"


async def test_a_list_of_such_names_is_found_again(ask: Ask, company: Company) -> None:
    company.clients = tuple(replace(each, name=f"Best Buy {each.code}") for each in company.clients)
    view = as_(view_of_list(CUSTOMERS), await ask("/customer Best Buy"))
    assert (view.total, view.line) == (3, '/customer "Best Buy"')


async def test_a_day_that_does_not_exist_is_said(ask: Ask) -> None:
    as_(BadArgumentNotice, await ask("/customer best 2月31号"))


async def test_what_is_neither_days_nor_a_name_is_not_found(ask: Ask) -> None:
    as_(NotFoundNotice, await ask("/customer owing 今天"))


async def test_pages_and_rows_lead_on(ask: Ask, kept: MemoryDocuments) -> None:
    kept.documents_kept = tuple(invoice(f"INV-{n}", f"客户{n:02}", cny(str(100 - n))) for n in range(15))
    first = await ranked(ask, "/customer owing")
    second = await ranked(ask, "/customer owing +6")
    assert [row.partner for row in second.rows] == [f"客户{n:02}" for n in range(6, 12)]
    assert "/customer 客户00" in lines(first)
    assert "/export customer owing" in lines(first)


async def test_the_whole_list_is_a_file(ask: Ask, kept: MemoryDocuments, courier: MemoryCourier) -> None:
    kept.documents_kept = tuple(invoice(f"INV-{n}", f"客户{n:02}", cny(str(100 - n))) for n in range(15))
    await ask("/export customer owing", where=OWN_CHAT)
    sheet = read_sheets(courier.files[-1][2])[0]
    assert len(sheet.values) == 16
    assert sheet.values[1][:2] == ["客户00", cny("100").amount]


class TestRights:
    @pytest.fixture
    def policy(self) -> AccessPolicy:
        seen = ALL_FIELDS - {FieldClass.AMOUNT, FieldClass.COST}
        return AccessPolicy(
            [
                AccessRule(commands=frozenset({"invoice", "order", "po"}), roles=frozenset({"warehouse"}), fields=seen),
                AccessRule(
                    commands=frozenset({"invoice", "order", "po"}),
                    roles=frozenset({"sales"}),
                    scope=Scope(partners=frozenset({"华东"})),
                ),
            ]
        )

    @pytest.mark.parametrize("line", ["/customer owing", "/customer best", "/vendor owed", "/vendor biggest"])
    async def test_who_may_not_see_amounts_does_not_learn_the_order(self, ask: Ask, line: str) -> None:
        view = as_(PartnerRankingView, await ask(line, person=KEEPER, where=OWN_CHAT))
        assert {(row.partner, row.amount) for row in view.rows} == {(HIDDEN, HIDDEN)}
        assert view.totals is HIDDEN
        assert view.withheld
        assert not lines(view), "no page would show a row"

    async def test_documents_that_one_may_not_see_do_not_count(self, ask: Ask) -> None:
        view = as_(PartnerRankingView, await ask("/customer owing", person=SALES, where=OWN_CHAT))
        assert told(view) == [("华东", cny("150.50"))]
        assert view.narrowed

    async def test_without_the_names_there_are_amounts_alone(self, ask: Ask) -> None:
        view = as_(PartnerRankingView, await ask("/customer owing", person=SALES, where=OWN_CHAT))
        shown = cut(view, ALL_FIELDS - {FieldClass.PARTNER})
        assert [row.partner for row in shown.rows] == [HIDDEN]
        assert "华东" not in repr(shown.buttons())


async def test_nothing_kept_yet_is_said(ask: Ask, kept: MemoryDocuments) -> None:
    kept.complete_since = None
    view = await ranked(ask, "/customer owing")
    assert (view.coverage.as_of, view.coverage.sources_missing, view.rows) == (None, ("main",), ())
    kept.followed = ()
    assert (await ranked(ask, "/customer best")).coverage.as_of is None


async def test_old_figures_say_so(ask: Ask, kept: MemoryDocuments) -> None:
    kept.synced_at = NOW - timedelta(hours=2)
    assert (await ranked(ask, "/customer owing")).stale
    kept.complete_since = date.min
    assert as_(view_of_list(CUSTOMERS), await ask("/customer")).total
