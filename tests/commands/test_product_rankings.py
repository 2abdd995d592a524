"""/product best: what sells best in some days, from the lines of the orders that are kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, timedelta
from decimal import Decimal

import pytest

from bot.access.people import Person
from bot.access.policy import AccessPolicy
from bot.access.rules import AccessRule
from bot.cards.language import load_languages
from bot.cards.notices import BadArgumentNotice, NotFoundNotice
from bot.cards.renderer import CardRenderer
from bot.chat.message import Conversation, ConversationKind
from bot.chat.records.rankings import ProductRankingView
from bot.erp.model import Money, OrderLine, OrderStatus, SalesOrder
from bot.words.disclosure import ALL_FIELDS, HIDDEN, FieldClass
from tests.commands.company import NOW, TODAY, Company, cny, order
from tests.commands.conftest import KEEPER, Ask, as_, lines
from tests.commands.export_fakes import MemoryCourier
from tests.read_model.memory_documents import MemoryDocuments
from tests.workbook_cells import read_sheets

OWN_CHAT = Conversation("cidKeeper==", ConversationKind.DIRECT)


def sold(
    sku: str, quantity: str, amount: Money | None = None, price: Money | None = None, unit: str = "个"
) -> OrderLine:
    return OrderLine(sku=sku, name=f"{sku} 的名称", unit=unit, quantity=Decimal(quantity), amount=amount, price=price)


def deal(number: str, *of: OrderLine, days_ago: int = 0, status: OrderStatus = OrderStatus.OPEN) -> SalesOrder:
    ordered = TODAY - timedelta(days=days_ago)
    return replace(order(number, "华东"), lines=of, ordered_on=ordered, status=status, total=cny("1"))


@pytest.fixture
def company() -> Company:
    company = Company()
    company.sales = (
        deal("SO-1", sold("SKU1", "10", cny("100")), sold("SKU2", "3", price=cny("200"))),
        deal("SO-2", sold("sku1", "5", cny("50"), unit="盒"), sold("SKU3", "1", Money(Decimal(7), "USD")), days_ago=40),
        deal("SO-3", sold("SKU2", "-1", cny("-200")), sold("SKU9", "1"), days_ago=1),
        deal("SO-4", sold("SKU4", "99", cny("9999")), status=OrderStatus.CANCELLED),
        deal("SO-5", days_ago=2),
        deal("SO-6", sold("SKU5", "1", cny("8000")), days_ago=500),
    )
    return company


async def ranked(ask: Ask, line: str) -> ProductRankingView:
    return as_(ProductRankingView, await ask(line, where=OWN_CHAT))


@pytest.mark.parametrize("line", ["/product best", "/商品 排行", "/产品 畅销", "/product top"])
async def test_what_sells_best_by_currency(ask: Ask, company: Company, line: str) -> None:
    view = await ranked(ask, line)
    assert [(row.place, row.sku, row.amount, row.quantity, row.count) for row in view.rows] == [
        (1, "SKU2", cny("400"), Decimal(2), 2),
        (2, "SKU1", cny("150"), None, 2),
        (1, "SKU3", Money(Decimal(7), "USD"), Decimal(1), 1),
    ], "amounts of two currencies cannot be compared"
    assert view.totals == (cny("550"), Money(Decimal(7), "USD"))
    assert (view.total, view.without_amount, view.unread, view.is_partial) == (3, 1, 1, False)
    assert company.calls == []


@pytest.mark.parametrize(
    ("line", "skus"),
    [
        ("/product best today", ["SKU2", "SKU1"]),
        ("/商品 排行 昨天", ["SKU2"]),
        ("/product best 2026-11", ["SKU2", "SKU1"]),
    ],
)
async def test_of_some_days(ask: Ask, line: str, skus: list[str]) -> None:
    assert [row.sku for row in (await ranked(ask, line)).rows] == skus


async def test_the_title_counts_products_and_not_their_currencies(
    ask: Ask, company: Company, kept: MemoryDocuments
) -> None:
    kept.documents_kept = (*company.sales, deal("SO-7", sold("SKU2", "1", Money(Decimal(9), "USD"))))
    view = await ranked(ask, "/product best")
    assert (view.products, view.total) == (3, 4)
    card = CardRenderer(languages=load_languages()).render(view, "en", zone=UTC)
    assert card.title.endswith("(3)")
    assert "1 · **SKU2**" in card.body
    assert "\n1 · **SKU2**" in card.body.partition("SKU1")[2]


async def test_pages_lead_on_and_the_whole_list_is_a_file(
    ask: Ask, kept: MemoryDocuments, courier: MemoryCourier
) -> None:
    kept.documents_kept = [deal("SO-1", *(sold(f"W-{n:02}", "1", cny(str(100 - n))) for n in range(15)))]
    first = await ranked(ask, "/product best today")
    assert "/stock W-00" in lines(first)
    assert f"/product best {TODAY} +6" in lines(first)
    await ask("/export product best today", where=OWN_CHAT)
    assert len(read_sheets(courier.files[-1][2])[0].values) == 16


async def test_days_of_which_documents_may_be_missing_are_said(ask: Ask, kept: MemoryDocuments) -> None:
    kept.complete_since = TODAY - timedelta(days=30)
    assert (await ranked(ask, "/product best")).is_partial
    kept.complete_since, kept.synced_at = None, NOW
    view = await ranked(ask, "/product best")
    assert (view.coverage.as_of, view.rows, view.table()) == (None, (), None)
    kept.complete_since = date.min


async def test_a_product_that_is_called_so_is_meant(ask: Ask) -> None:
    as_(NotFoundNotice, await ask("/product best chair"))
    as_(BadArgumentNotice, await ask("/product"))


class TestRights:
    @pytest.fixture
    def policy(self) -> AccessPolicy:
        seen = ALL_FIELDS - {FieldClass.AMOUNT}
        return AccessPolicy([AccessRule(commands=frozenset({"order"}), roles=frozenset({"warehouse"}), fields=seen)])

    async def test_who_may_not_see_amounts_does_not_learn_the_order(self, ask: Ask) -> None:
        view = as_(ProductRankingView, await ask("/product best", person=KEEPER, where=OWN_CHAT))
        assert {(row.sku, row.name, row.amount) for row in view.rows} == {(HIDDEN, HIDDEN, HIDDEN)}
        assert not lines(view), "no page would show a row"

    async def test_who_may_see_no_orders_is_told_of_none(self, ask: Ask) -> None:
        stranger = Person(user_id="clerk01", name="职员1")
        view = as_(ProductRankingView, await ask("/product best", person=stranger, where=OWN_CHAT))
        assert (view.rows, view.coverage.as_of) == ((), None)


class TestWhoMaySeeNoNames:
    @pytest.fixture
    def policy(self) -> AccessPolicy:
        seen = ALL_FIELDS - {FieldClass.PARTNER}
        return AccessPolicy([AccessRule(commands=frozenset({"order"}), roles=frozenset({"warehouse"}), fields=seen)])

    async def test_sees_all_orders_and_is_not_told_otherwise(self, ask: Ask) -> None:
        view = as_(ProductRankingView, await ask("/product best", person=KEEPER, where=OWN_CHAT))
        assert not view.narrowed
