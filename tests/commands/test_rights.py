"""Whatever somebody asks, in whatever way: no row and no name outside what the rules grant them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from bot.access.grants import Scope
from bot.access.people import Person
from bot.access.policy import AccessPolicy
from bot.access.rules import AccessRule
from bot.cards.actions import Ask as AskAgain
from bot.cards.notices import DeniedNotice, NotFoundNotice
from bot.cards.view import ListView, lead_on
from bot.chat.document_views import view_of_list, view_of_one
from bot.chat.questions.dispatcher import QuestionDispatcher
from bot.chat.records.reader_hub import ReaderHub
from bot.chat.records.stock_views import StockListView, StockView
from bot.erp.hub import ErpHub
from bot.erp.kinds import SALES_ORDERS
from bot.words.disclosure import ALL_FIELDS, HIDDEN, FieldClass
from commands.find import Hits
from tests.bare_records import with_review
from tests.commands.company import Company
from tests.commands.conftest import Ask, as_, lines

OrderListView = view_of_list(SALES_ORDERS)

OrderView = view_of_one(SALES_ORDERS)

SALES = Person(user_id="sales01", name="李销", roles=frozenset({"sales"}))


def rule(command: str, scope: Scope, fields: Iterable[FieldClass] = ALL_FIELDS, role: str = "warehouse") -> AccessRule:
    return AccessRule(commands=frozenset({command}), roles=frozenset({role}), fields=frozenset(fields), scope=scope)


def some(*words: str) -> frozenset[str]:
    return frozenset(words)


class TestKeeperOfOneWarehouse:
    @pytest.fixture
    def policy(self) -> AccessPolicy:
        return AccessPolicy(rules=(rule("stock", Scope(warehouses=some("上海成品仓库"))),))

    async def test_sees_that_warehouse_and_its_sum(self, ask: Ask) -> None:
        view = as_(StockView, await ask("/stock SKU123"))
        assert [row.warehouse.code for row in view.rows] == ["SH"]
        assert view.level.total.on_hand == 1200

    async def test_finds_nothing_that_lies_elsewhere(self, ask: Ask) -> None:
        assert "/stock SKU1234" not in lines(as_(NotFoundNotice, await ask("/stock SKU1234")))
        view = as_(StockListView, await ask("/stock SKU123 SKU1234"))
        assert [row.level is not None for row in view.rows] == [True, False]

    async def test_is_told_of_no_other_warehouse(self, ask: Ask) -> None:
        answer = await ask("/stock SKU123 @深圳仓")
        assert "上海成品仓库" in repr(answer.view)
        assert "成都" not in repr(answer.view)


class TestSalespersonOfOneCustomer:
    @pytest.fixture
    def policy(self) -> AccessPolicy:
        customers = Scope(partners=some("上海宏图机械"))
        return AccessPolicy(rules=(rule("order", customers, role="sales"), rule("invoice", customers, role="sales")))

    async def test_lists_have_the_right_rows_and_totals(self, ask: Ask) -> None:
        view = as_(OrderListView, await ask("/order", person=SALES))
        assert ([row.number for row in view.rows], view.total) == (["SO-1001", "SO-1002"], 2)
        late = as_(OrderListView, await ask("/order late", person=SALES))
        assert [row.number for row in late.rows] == ["SO-1001"]

    @pytest.mark.parametrize(
        "line", ["/order SO-1003", "/order Acme", "SO-1003", "Acme", "/find SO-1003", "/find 深圳"]
    )
    async def test_others_do_not_exist(self, ask: Ask, line: str) -> None:
        answer = await ask(line, person=SALES)
        assert "SO-1003" not in repr(lines(answer.view))
        assert not any(name in repr(answer.view) for name in ("Acme, Inc", "深圳创新"))

    @pytest.mark.parametrize("line", ["/order SO-1003", "SO-1003", "/find SO-1003", "/order SO-9999"])
    async def test_a_number_of_others_is_told_from_nothing_and_noted_as_guessed(self, ask: Ask, line: str) -> None:
        assert (await ask(line, person=SALES)).guessed == line.rpartition(" ")[2]
        assert (await ask("/order SO-1001", person=SALES)).guessed == ""
        assert (await ask("/order 深圳", person=SALES)).guessed == ""

    async def test_suggestions_are_of_ones_own(self, ask: Ask) -> None:
        view = as_(NotFoundNotice, await ask("/order SO-1009", person=SALES))
        assert {pick.line for pick in view.closest} == {"/order SO-1001", "/order SO-1002"}

    async def test_everywhere_else_it_is_the_same(self, ask: Ask) -> None:
        view = as_(Hits, await ask("/find 上海", person=SALES))
        assert {row.key for row in view.rows} == {"C001", "SO-1001", "SO-1002", "INV-7", "INV-8", "INV-9"}
        as_(NotFoundNotice, await ask("/find SO-20", person=SALES))


class TestOwnDocuments:
    @pytest.fixture
    def policy(self) -> AccessPolicy:
        return AccessPolicy(rules=(rule("po", Scope(own=True), role="buyer"),))

    @pytest.fixture
    def company(self) -> Company:
        purchases = Company.purchases
        assert isinstance(purchases, tuple)
        mine, other, third = purchases
        namesake, own = replace(mine, buyer="赵采"), replace(other, buyer="zhao.cai")
        return Company(purchases=(namesake, own, with_review(third, requester="buyer01")))

    @pytest.mark.parametrize(("account", "numbers"), [("zhao.cai", ["PO-1002", "PO-1003"]), ("", ["PO-1003"])])
    async def test_are_those_of_the_account_or_the_user_id_and_not_of_a_namesake(
        self,
        dispatcher: QuestionDispatcher,
        hub: ErpHub,
        ask: Ask,
        account: str,
        numbers: list[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        buyer = Person(user_id="buyer01", name="赵采", roles=frozenset({"buyer"}))
        monkeypatch.setattr(dispatcher, "_hub", ReaderHub(hub, lambda user_id, source: account))
        view = (await ask("/po", person=buyer)).view
        assert isinstance(view, ListView)
        assert [row.number for row in view.rows] == numbers


class TestReaderWithoutPartners:
    @pytest.fixture
    def policy(self) -> AccessPolicy:
        return AccessPolicy(rules=(rule("order", Scope(), ALL_FIELDS - {FieldClass.PARTNER}),))

    async def test_finds_by_number_only(self, ask: Ask) -> None:
        assert as_(OrderView, await ask("/order SO-1003")).document.number == "SO-1003"

    @pytest.mark.parametrize("name", ["Acme", "Nobody"])
    async def test_is_told_that_names_find_nothing_whether_there_are_such_or_not(self, ask: Ask, name: str) -> None:
        for line in (f"/order {name}", f"/find {name}"):
            notes = [str(note) for note in as_(NotFoundNotice, await ask(line)).notes]
            assert notes == ["You may not see customers and vendors here, so nothing is found by their names."]
        assert as_(NotFoundNotice, await ask("/order SO-1009")).notes == ()

    async def test_gets_no_names_from_a_search(self, ask: Ask) -> None:
        view = as_(Hits, await ask("/find 100"))
        orders = [row for row in view.rows if row.key.startswith("SO-")]
        assert orders
        assert all(row.name is HIDDEN for row in orders)
        assert FieldClass.PARTNER in view.withheld

    async def test_reads_the_number_that_was_typed(self, ask: Ask) -> None:
        view = as_(Hits, await ask("/find 100"))
        assert (view.asked, view.line) == ("100", "/find 100")
        assert all(isinstance(row.line, str) for row in view.rows), "a list of numbers can be opened"


async def test_who_may_see_everything_guesses_nothing(ask: Ask) -> None:
    answer = await ask("/order SO-9999")
    assert isinstance(answer.view, NotFoundNotice)
    assert answer.guessed == ""


class TestSomebodyForWhomMuchIsClosed:
    @pytest.fixture
    def policy(self) -> AccessPolicy:
        closed = frozenset({"invoice", "customer", "export", "stock"})
        return AccessPolicy(rules=(AccessRule(commands=closed, roles=frozenset({"boss"})),))

    async def test_nothing_on_a_card_leads_to_a_refusal(self, ask: Ask) -> None:
        for line in ("/order SO-1001", "/order", "/po PO-1001", "/whoami"):
            view = (await ask(line)).view
            led = [button.does for button in lead_on(view, view.buttons()) if isinstance(button.does, AskAgain)]
            assert led, line
            answers = [(await ask(does.line, offset=does.offset, clicked=True)).view for does in led]
            assert not any(isinstance(answer, DeniedNotice) for answer in answers), line

    async def test_whoever_may_ask_is_offered_it(self, ask: Ask) -> None:
        boss = Person(user_id="boss01", name="林", roles=frozenset({"boss"}))
        view = (await ask("/order SO-1001", person=boss)).view
        offered = " ".join(str(button.does) for button in lead_on(view, view.buttons()))
        assert all(f"/{name} " in offered for name in ("customer", "stock", "export"))
