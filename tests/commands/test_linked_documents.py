"""Documents that belong to another document, by its number: the way from an order to its invoices and production."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, timedelta
from typing import Any

import pytest

from bot.access.grants import Scope
from bot.access.policy import AccessPolicy
from bot.access.rules import AccessRule
from bot.cards.actions import unpack
from bot.cards.language import load_languages
from bot.cards.notices import NotFoundNotice
from bot.cards.renderer import CardRenderer
from bot.chat.document_views import DocumentListView, DocumentView, RecordView
from bot.erp.model import Invoice, Progress, ReviewState
from bot.erp.port import Capability
from bot.words.disclosure import HIDDEN, FieldClass, cut
from tests.commands.company import NOW, TODAY, Company, bill, cny, invoice, order, payment, production, purchase
from tests.commands.conftest import Ask, as_, lines
from tests.read_model.memory_documents import MemoryDocuments

LOOKED_AT = "At most 6 payments of the same partner are looked at."
CUSTOMER, VENDOR = "南京金陵门窗有限公司", "温州五金标准件总厂"


@pytest.fixture
def company() -> Company:
    company = Company()
    company.sales = (replace(order("SO-70", CUSTOMER), billing=Progress.PARTIAL), order("SO-71", CUSTOMER))
    company.issued = (
        invoice("INV-71", CUSTOMER, cny("10"), order_number="SO-70"),
        invoice("INV-72", CUSTOMER, cny("20"), order_number="SO-9, SO-70"),
        invoice("INV-73", CUSTOMER, cny("30"), order_number="SO-700"),
    )
    company.purchases = (purchase("PO-70", VENDOR, ReviewState.APPROVED),)
    company.owed = (bill("BILL-71", VENDOR, cny("5"), order_number="PO-70"), bill("BILL-72", VENDOR, cny("6")))
    company.productions = (
        production("MO-71", "W-1", "垫圈 1", "0", sales_order="SO-70"),
        production("MO-72", "W-1", "垫圈 1", "0"),
    )
    return company


@pytest.mark.parametrize(
    ("line", "numbers"),
    [
        ("/invoice SO-70", ["INV-71", "INV-72"]),
        ("/invoice so70", ["INV-71", "INV-72"]),
        ("/invoice SO-70 open", ["INV-71", "INV-72"]),
        ("/invoice SO-70 overdue", []),
        ("/bill PO-70", ["BILL-71"]),
        ("/mo SO-70", ["MO-71"]),
    ],
)
async def test_the_number_of_an_order_finds_what_belongs_to_it(ask: Ask, line: str, numbers: Sequence[str]) -> None:
    found = as_(DocumentListView, await ask(line))
    assert [row.number for row in found.rows] == numbers
    assert found.total == len(numbers)


async def test_a_document_that_names_another_partner_is_found_by_its_day(ask: Ask, kept: MemoryDocuments) -> None:
    (first, *_) = (each for each in kept.documents_kept if each.number == "INV-71")
    assert isinstance(first, Invoice)
    kept.documents_kept = (replace(first, customer="金陵门窗 财务中心", issued_on=TODAY),)
    assert [row.number for row in as_(DocumentListView, await ask("/invoice SO-70")).rows] == ["INV-71"]


async def test_an_order_without_any_is_told_so_instead_of_what_is_alike(ask: Ask) -> None:
    told = as_(NotFoundNotice, await ask("/invoice SO-71"))
    assert not told.closest
    assert [str(note) for note in told.notes] == ["None of these documents says that it belongs to SO-71."]


async def test_what_may_be_missing_from_what_is_kept_is_not_said_to_be_all(ask: Ask, kept: MemoryDocuments) -> None:
    kept.synced_at = NOW - timedelta(hours=1)
    told = as_(NotFoundNotice, await ask("/invoice SO-70"))
    assert [str(note) for note in told.notes] == [
        "The bot has not read all of them yet, so it can't say which belong to SO-70."
    ]


class TestAnErpWithoutOrders:
    @pytest.fixture
    def company(self, company: Company) -> Company:
        company.capabilities -= {Capability.SALES_ORDERS}
        return company

    async def test_finds_nothing_by_the_number_of_one(self, ask: Ask) -> None:
        assert not as_(NotFoundNotice, await ask("/invoice SO-70")).notes


class TestWhoMaySeeNoNames:
    @pytest.fixture
    def policy(self) -> AccessPolicy:
        return AccessPolicy(rules=(_rule(fields=frozenset({FieldClass.QUANTITY})),))

    async def test_finds_them_by_the_order(self, ask: Ask) -> None:
        found = as_(DocumentListView, await ask("/invoice SO-70"))
        assert [row.number for row in found.rows] == ["INV-71", "INV-72"]

    @pytest.mark.parametrize("line", ["/invoice SO-70", "/invoice INV-7", "/order SO-7"])
    async def test_is_not_told_that_what_was_found_is_the_newest(self, ask: Ask, line: str) -> None:
        found = cut(as_(DocumentListView, await ask(line)), frozenset({FieldClass.QUANTITY}))
        assert found.text is HIDDEN
        title = CardRenderer(languages=load_languages()).render(found, "en", zone=UTC).title
        assert title == f"{'Orders' if line.startswith('/order') else 'Invoices'} ({found.total})"


class TestWhoMayNotSeeTheOrder:
    @pytest.fixture
    def policy(self) -> AccessPolicy:
        return AccessPolicy(rules=(_rule(scope=Scope(partners=frozenset({"别家"}))),))

    async def test_does_not_learn_that_there_is_one(self, ask: Ask) -> None:
        assert not as_(NotFoundNotice, await ask("/invoice SO-71")).notes


def _rule(**more: Any) -> AccessRule:
    return AccessRule(commands=frozenset({"order", "invoice"}), roles=frozenset({"warehouse"}), **more)


async def test_buttons_lead_from_an_order_to_what_belongs_to_it(ask: Ask, company: Company) -> None:
    assert {"/invoice SO-70", "/mo SO-70"} <= {*lines(as_(DocumentView, await ask("/order SO-70")))}
    assert "/invoice SO-71" not in lines(as_(DocumentView, await ask("/order SO-71"))), "nothing is billed yet"


@pytest.mark.parametrize("trail", [None, ("/order late",)])
async def test_an_order_with_an_address_leads_to_stock_and_to_what_belongs_to_it(
    ask: Ask, company: Company, trail: Sequence[str] | None
) -> None:
    many = tuple(replace(line, sku=f"HT-11{line.sku}") for line in order("SO-70", CUSTOMER, lines=5).lines)
    url = "https://erp.example.com/app/sales-order/SO-70"
    company.sales = (replace(order("SO-70", CUSTOMER), billing=Progress.PARTIAL, lines=many, url=url),)
    view = as_(DocumentView, await ask("/order SO-70"))
    card = CardRenderer(languages=load_languages()).render(view, "zh_CN", zone=UTC, trail=trail)
    asked = [unpack(button.token).typed for button in card.buttons if button.token]
    shown = " ".join(line.sku for line in view.rows)
    assert f"/stock {shown}" in asked
    assert {"/invoice SO-70", "/mo SO-70", f"/customer {CUSTOMER}"} <= {*asked}
    assert [*asked, url].index(f"/stock {shown}") < asked.index(f"/customer {CUSTOMER}")


async def test_rows_keep_their_own_buttons_where_there_is_room(ask: Ask, company: Company) -> None:
    company.sales = (order("SO-70", CUSTOMER, lines=2),)
    view = as_(DocumentView, await ask("/order SO-70"))
    card = CardRenderer(languages=load_languages()).render(view, "zh_CN", zone=UTC)
    assert [button.text for button in card.buttons if "/stock" in button.token] == ["W-1", "W-2"]


async def test_an_invoice_of_several_orders_leads_to_each(ask: Ask) -> None:
    asked = lines(as_(RecordView, await ask("/invoice INV-72")))
    assert [line for line in asked if line.startswith("/order")] == ["/order SO-9", "/order SO-70"]


async def test_a_purchase_order_leads_to_its_bills_once_something_came(ask: Ask, company: Company) -> None:
    assert f"/bill {VENDOR}" in lines(as_(DocumentView, await ask("/po PO-70")))
    company.purchases = (replace(company.purchases[0], received=Progress.PARTIAL),)
    asked = lines(as_(DocumentView, await ask("/po PO-70")))
    assert [line for line in asked if line.startswith("/bill")] == ["/bill PO-70"]


async def test_a_purchase_order_leads_to_its_receipts_after_all_else_that_the_erp_tells(ask: Ask) -> None:
    view = as_(DocumentView, await ask("/po PO-70"))
    came_in = replace(view.document, received=Progress.PARTIAL)
    with_receipts = lines(replace(view, document=came_in, links=(*view.links, "receipt")))
    assert "/receipt PO-70" not in lines(view), "no source tells receipts here"
    assert with_receipts.index("/receipt PO-70") > with_receipts.index(f"/vendor {VENDOR}")


class TestPayments:
    """Lists of payments do not say what these settle: the nearest are read one by one."""

    @pytest.fixture
    def company(self) -> Company:
        company = Company()
        company.issued = (invoice("INV-7", CUSTOMER, cny("90")), invoice("INV-8", CUSTOMER, cny("80")))
        company.paid = (
            payment("PAY-1", CUSTOMER, "5"),
            replace(payment("PAY-2", CUSTOMER, "50", "INV-7"), paid_on=date(2026, 8, 1)),
            *(payment(f"PAY-{number}", CUSTOMER, "1", "INV-7") for number in range(3, 5)),
        )
        return company

    @pytest.fixture
    def kept(self, company: Company) -> MemoryDocuments:
        listed = [replace(each, settles=()) for each in company.paid]
        return MemoryDocuments(NOW, (*company.issued, *listed))

    async def test_the_number_of_an_invoice_finds_what_settles_it(self, ask: Ask, company: Company) -> None:
        found = as_(DocumentListView, await ask("/payment INV-7"))
        assert [row.number for row in found.rows] == ["PAY-3", "PAY-4", "PAY-2"]
        assert [str(note) for note in found.freshness.failures] == [LOOKED_AT]
        assert sum(call.startswith("payment ") for call in company.calls) == 5, "the search for the number, and four"

    async def test_an_invoice_that_nothing_settles_is_told_so(self, ask: Ask) -> None:
        told = as_(NotFoundNotice, await ask("/payment INV-8"))
        assert [str(note) for note in told.notes] == ["No payment says that it settles INV-8.", LOOKED_AT]

    async def test_it_does_not_tell_whether_the_partner_has_more(
        self, ask: Ask, company: Company, kept: MemoryDocuments
    ) -> None:
        before = as_(DocumentListView, await ask("/payment INV-7"))
        company.paid = (*company.paid, *(payment(f"PAY-1{number}", CUSTOMER, "1") for number in range(5)))
        kept.documents_kept = [replace(each, settles=()) for each in company.paid]
        after = as_(DocumentListView, await ask("/payment INV-7"))
        assert after.freshness.failures == before.freshness.failures
