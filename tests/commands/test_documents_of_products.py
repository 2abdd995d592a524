"""/order and /po with a product: the orders that hold it; /arrivals with a vendor: what comes from there."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from decimal import Decimal

import pytest

from bot.access.grants import EVERYTHING, Scope
from bot.access.people import Person
from bot.access.policy import AccessPolicy
from bot.access.rules import AccessRule
from bot.cards.language import load_languages
from bot.cards.notices import NotFoundNotice
from bot.cards.renderer import CardRenderer
from bot.chat.document_views import DocumentListView, view_of_list, view_of_one
from bot.chat.records.products import ProductChoice
from bot.erp.kinds import SALES_ORDERS
from bot.erp.model import OrderLine, OrderStatus, PurchaseLine, ReviewState, SalesOrder
from bot.erp.port import Capability
from bot.words.disclosure import ALL_FIELDS, HIDDEN, FieldClass, cut
from tests.commands.company import Company, order, purchase
from tests.commands.conftest import Ask, as_, lines

OrderListView = view_of_list(SALES_ORDERS)

OrderView = view_of_one(SALES_ORDERS)

SALES = Person(user_id="sales01", name="李销", roles=frozenset({"sales"}))


def line(sku: str, quantity: str, delivered: str | None = None, unit: str = "pcs") -> OrderLine:
    done = None if delivered is None else Decimal(delivered)
    return OrderLine(sku=sku, name="", unit=unit, quantity=Decimal(quantity), delivered=done)


def with_lines(number: str, *held: OrderLine, late: int = 0, status: OrderStatus = OrderStatus.OPEN) -> SalesOrder:
    return replace(order(number, "上海宏图机械", late=late, status=status), lines=held)


@pytest.fixture(autouse=True)
def _orders(company: Company) -> None:
    company.sales = (
        with_lines("SO-1", line("SKU123", "500", "200"), line("SKU124", "1")),
        with_lines("SO-2", line("SKU123", "10", "4"), line("SKU123", "5", "5"), late=3),
        with_lines("SO-3", line("SKU124", "7")),
        with_lines("SO-4", line("sku123", "9", "9"), status=OrderStatus.CLOSED),
    )
    bought = purchase("PO-1", "苏州包装", ReviewState.APPROVED)
    held = PurchaseLine(sku="SKU123", name="", unit="pcs", quantity=Decimal(40), received=Decimal(15))
    company.purchases = (replace(bought, lines=(held,)), replace(bought, number="PO-2", lines=()))


async def test_a_code_lists_the_orders_that_hold_the_product(ask: Ask, company: Company) -> None:
    view = as_(OrderListView, await ask("/order sku123"))
    assert [row.number for row in view.rows] == ["SO-1", "SO-2", "SO-4"]
    assert view.product is not None
    assert (view.product.sku, view.text, view.line, view.total) == ("SKU123", "", "/order SKU123", 3)
    shares = [view.share_of(row) for row in view.rows]
    assert [(str(share.quantity), str(share.left), share.unit) for share in shares if share] == [
        ("500", "300", "pcs"), ("15", "6", "pcs"), ("9", "None", "pcs"),
    ]  # fmt: skip
    assert company.calls == [
        "order sku123",
        "orders sku123",
        "order sku-123",
        "customers sku123",
        "find_products sku123",
        "orders",
    ]
    assert lines(view)[:3] == ["/order SO-1", "/order SO-2", "/order SO-4"]


async def test_named_lists_and_days_hold_together_with_the_product(ask: Ask) -> None:
    view = as_(OrderListView, await ask("/order open SKU123"))
    assert ([row.number for row in view.rows], view.line) == (["SO-1", "SO-2"], "/order open SKU123")
    assert {str(name) for name, _ in view.sums()} <= {"Total of this product"}, "and not of whole orders"
    late = as_(OrderListView, await ask("/order SKU123 late"))
    assert ([row.number for row in late.rows], late.line) == (["SO-2"], "/order late SKU123")
    none = as_(OrderListView, await ask("/order SKU123 1月"))
    assert (none.total, none.line) == (0, "/order SKU123 2026-01-01..2026-01-31")
    assert as_(OrderListView, await ask(none.line)).product == none.product


async def test_a_product_in_no_order_is_an_empty_list(ask: Ask) -> None:
    view = as_(OrderListView, await ask("/order SKU1234"))
    assert (view.total, view.product and view.product.name) == (0, "六角螺母")


async def test_a_name_of_several_products_is_a_choice(ask: Ask) -> None:
    view = as_(ProductChoice, await ask("/order 螺丝 open"))
    assert lines(view)[:2] == ["/order SKU123 open", "/order SKU124 open"]
    assert as_(OrderListView, await ask("/order SKU123 open")).line == "/order open SKU123"
    assert as_(OrderListView, await ask("/order M8")).line == "/order SKU124"


async def test_documents_come_first(ask: Ask, company: Company) -> None:
    company.sales = (*company.sales, with_lines("SO-SKU123", line("SKU124", "1")))
    assert as_(OrderView, await ask("/order SKU123")).document.number == "SO-SKU123"
    company.sales = (*company.sales, order("SO-8", "垫圈批发", status=OrderStatus.CLOSED))
    view = as_(OrderListView, await ask("/order open 垫圈"))
    assert (view.product, view.text, view.total) == (None, "垫圈", 0), "a customer without open orders"


async def test_a_code_says_more_than_a_part_of_a_closed_order(ask: Ask, company: Company) -> None:
    company.sales = (*company.sales, with_lines("SO-SKU123", line("SKU124", "1"), status=OrderStatus.CLOSED))
    assert as_(OrderListView, await ask("/order open SKU123")).total == 2


async def test_figures_alone_are_a_number_unless_a_product_is_called_so(ask: Ask) -> None:
    assert as_(NotFoundNotice, await ask("/order 123")).what == "123", "although SKU123 holds it"


async def test_purchase_orders_tell_what_is_still_to_come(ask: Ask) -> None:
    view = as_(DocumentListView, await ask("/po SKU123"))
    assert [row.number for row in view.rows] == ["PO-1"]
    share = view.share_of(view.rows[0])
    assert share is not None
    assert (str(share.quantity), str(share.left)) == ("40", "25")
    table = view.table()
    assert table is not None
    assert [str(heading) for heading in table.headings][-4:] == ["Product", "Quantity", "Still to come", "Unit"]


class TestSalespersonOfOneCustomer:
    @pytest.fixture
    def policy(self) -> AccessPolicy:
        own = Scope(partners=frozenset({"Acme, Inc"}))
        fields = ALL_FIELDS - {FieldClass.QUANTITY}
        rules = (
            AccessRule(commands=frozenset({"order"}), roles=frozenset({"sales"}), fields=fields, scope=own),
            AccessRule(commands=frozenset({"stock"}), roles=frozenset({"sales"}), fields=ALL_FIELDS, scope=EVERYTHING),
        )
        return AccessPolicy(rules=rules)

    async def test_sees_own_orders_alone_and_no_hidden_quantity(self, ask: Ask, company: Company) -> None:
        company.sales = (*company.sales, replace(with_lines("SO-9", line("SKU123", "77", "11")), customer="Acme, Inc"))
        answer = await ask("/order SKU123", person=SALES)
        view = as_(OrderListView, answer)
        assert ([row.number for row in view.rows], view.total) == (["SO-9"], 1)
        shown = cut(view, answer.grant.fields)
        share = shown.share_of(shown.rows[0])
        assert share is not None
        assert (share.quantity, share.left) == (HIDDEN, HIDDEN)
        body = CardRenderer(languages=load_languages()).render(shown, "zh_CN", zone=UTC).body
        assert "77" not in body
        assert "66" not in body
        table = shown.table()
        assert table is not None
        assert not {"77", "66"} & {str(value) for row in table.rows for value in row}

    async def test_other_orders_are_told_from_none_by_nothing(self, ask: Ask) -> None:
        assert as_(OrderListView, await ask("/order SKU123", person=SALES)).total == 0


class TestAnErpThatCannotBeAsked:
    @pytest.fixture
    def company(self) -> Company:
        return Company(capabilities=frozenset(Capability) - {Capability.ORDERS_OF_PRODUCT})

    async def test_it_is_said_of_a_code_alone(self, ask: Ask) -> None:
        answer = await ask("/order SKU123")
        assert "can't be asked which of these documents have a product" in str(answer.view)
        as_(NotFoundNotice, await ask("/order 螺丝"))
        assert as_(DocumentListView, await ask("/po SKU123")).total == 1


@pytest.mark.parametrize("typed", ["/order SKU123 >100", "/order 螺丝 >100"])
async def test_amounts_and_a_product_do_not_go_together(ask: Ask, typed: str) -> None:
    """Neither do they where several products are meant: their buttons would ask without the amount."""
    assert (await ask(typed)).outcome == "bad_argument"


async def test_what_is_no_product_either_is_not_found(ask: Ask) -> None:
    notice = as_(NotFoundNotice, await ask("/order SO-11"))
    assert notice.closest[0].line == "/order SO-1"
