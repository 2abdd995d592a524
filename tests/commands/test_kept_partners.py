"""/customer and /vendor with what is kept of the documents: the same card, and hardly a call to the ERP."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from bot.access.grants import EVERYTHING, Scope
from bot.access.policy import AccessPolicy
from bot.access.rules import AccessRule
from bot.chat.document_views import DocumentListView
from bot.chat.questions.dispatcher import QuestionDispatcher
from bot.chat.records.reader_hub import ReaderHub
from bot.erp.hub import ErpHub
from bot.erp.model import OrderStatus
from bot.words.disclosure import ALL_FIELDS, HIDDEN, FieldClass
from commands.customer import CustomerView
from commands.vendor import VendorView
from tests.commands.company import NOW, TODAY, Company, cny, invoice, order
from tests.commands.conftest import Ask, as_
from tests.read_model.memory_documents import MemoryDocuments

NAME = "上海宏图机械"


def documents(company: Company) -> list[Any]:
    return [*company.sales, *company.issued, *company.purchases, *company.productions, *company.owed]


def figures(view: Any) -> object:
    """Return all that a card tells, but for the moment that it is true of; lines of orders are not on it."""
    orders = tuple(replace(each, lines=(), source="main") for each in view.orders)
    return replace(view, orders=orders, freshness=replace(view.freshness, as_of=NOW))


@pytest.fixture
def company() -> Company:
    """A customer with orders of several days, one of them given up."""
    company = Company()
    old = [replace(order(f"SO-9{n}", NAME), ordered_on=TODAY - timedelta(days=n)) for n in range(1, 5)]
    given_up = replace(old[0], number="SO-99", status=OrderStatus.CANCELLED)
    company.sales = (old[0], given_up, *old[1:], *company.sales)
    return company


class TestAsTheErpItself:
    async def test_the_card_is_the_same(self, ask: Ask, company: Company, kept: MemoryDocuments) -> None:
        for line, kind in (("/customer C001", CustomerView), ("/vendor V002", VendorView)):
            answered = as_(kind, await ask(line))
            kept.followed = ()
            asked = as_(kind, await ask(line))
            assert figures(answered) == figures(asked)
            kept.followed = MemoryDocuments(NOW).followed

    async def test_a_customer_is_one_call(self, ask: Ask, company: Company) -> None:
        view = as_(CustomerView, await ask("/customer C001"))
        assert company.calls == ["customer C001"]
        assert [each.number for each in view.orders] == ["SO-91", "SO-99", "SO-92"]
        assert view.open_orders == 6

    async def test_what_is_open_with_a_vendor_is_no_call(self, ask: Ask, company: Company) -> None:
        as_(VendorView, await ask("/vendor V002"))
        assert company.calls == ["vendor V002", "purchase_orders 苏州包装"]


@pytest.mark.parametrize(
    ("line", "numbers"),
    [
        ("/bill overdue", ["BILL-1"]),
        ("/应付 未结", ["BILL-1", "BILL-2"]),
        ("/payment 上个月", ["PAY-1", "PAY-2"]),
        ("/收付款 付款 上个月", ["PAY-2"]),
    ],
)
async def test_lists_of_what_is_open_and_of_days_are_no_call(
    ask: Ask, company: Company, kept: MemoryDocuments, line: str, numbers: list[str]
) -> None:
    found = as_(DocumentListView, await ask(line))
    assert [row.number for row in found.rows] == numbers
    assert company.calls == []
    kept.followed = ()
    asked = as_(DocumentListView, await ask(line))
    assert [row.number for row in asked.rows] == numbers
    assert company.calls != []


async def test_days_before_the_first_that_is_kept_are_asked_for(
    ask: Ask, company: Company, kept: MemoryDocuments
) -> None:
    kept.complete_since = TODAY
    as_(DocumentListView, await ask("/payment 上个月"))
    assert company.calls != []


async def test_the_card_says_when_it_was_so(ask: Ask, kept: MemoryDocuments) -> None:
    kept.synced_at = NOW - timedelta(minutes=2)
    assert as_(CustomerView, await ask("/customer C001")).freshness.as_of == kept.synced_at


@pytest.mark.parametrize("trouble", ["old", "not whole", "not followed"])
async def test_what_is_not_known_is_asked(ask: Ask, company: Company, kept: MemoryDocuments, trouble: str) -> None:
    kept.synced_at = NOW - timedelta(minutes=20) if trouble == "old" else NOW
    kept.complete_since = None if trouble == "not whole" else date.min
    kept.followed = () if trouble == "not followed" else kept.followed
    kept.documents_kept = ()
    assert as_(CustomerView, await ask("/customer C001")).receivable is not None
    assert company.calls == ["customer C001", *[f"orders {NAME}"] * 2, f"invoices {NAME}"]


async def test_orders_of_an_earlier_time_are_asked_for(ask: Ask, company: Company, kept: MemoryDocuments) -> None:
    kept.documents_kept = [each for each in documents(company) if each.number not in {"SO-91", "SO-92", "SO-93"}]
    kept.documents_kept = [each for each in kept.documents_kept if not each.number.startswith(("SO-1", "SO-99"))]
    view = as_(CustomerView, await ask("/customer C001"))
    assert [each.number for each in view.orders] == ["SO-91", "SO-99", "SO-92"]
    assert company.calls == ["customer C001", f"orders {NAME}"]


async def test_however_many_they_are_added_up(ask: Ask, company: Company, kept: MemoryDocuments) -> None:
    kept.documents_kept = [invoice(f"INV-{n}", NAME, cny("1"), overdue=n) for n in range(150)]
    view = as_(CustomerView, await ask("/customer C001"))
    assert (view.receivable, view.overdue_count) == ((cny("150"),), 149)


async def test_a_name_that_looks_the_same_is_another(ask: Ask, company: Company, kept: MemoryDocuments) -> None:
    """What is compared for search is folded: full width is half width there."""
    others = [replace(each, customer=f"{NAME}\u3000") for each in company.sales if each.customer == NAME]
    kept.documents_kept = [*documents(company), *others]
    assert as_(CustomerView, await ask("/customer C001")).open_orders == 6


class TestRights:
    @pytest.fixture
    def dispatcher(self, dispatcher: QuestionDispatcher, hub: ErpHub) -> QuestionDispatcher:
        dispatcher._hub = ReaderHub(hub)
        return dispatcher

    @pytest.fixture
    def policy(self) -> AccessPolicy:
        def rule(command: str, fields: frozenset[FieldClass], scope: Scope = EVERYTHING) -> AccessRule:
            named = frozenset({command})
            return AccessRule(commands=named, roles=frozenset({"warehouse"}), fields=fields, scope=scope)

        own = replace(EVERYTHING, partners=frozenset({"Acme, Inc"}))
        return AccessPolicy(
            rules=(
                rule("order", ALL_FIELDS),
                rule("invoice", ALL_FIELDS - {FieldClass.AMOUNT}),
                rule("po", ALL_FIELDS, own),
            )
        )

    async def test_amounts_are_hidden_in_what_is_kept(self, ask: Ask, company: Company) -> None:
        view = as_(CustomerView, await ask("/customer C001"))
        assert company.calls == ["customer C001"]
        assert view.receivable is view.overdue is HIDDEN
        assert (view.overdue_count, view.days_overdue) == (2, 16)
