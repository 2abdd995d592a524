"""What lists come to: the whole list on every page of it, of what is kept where it is long, and nothing uncertain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from bot.access.policy import AccessPolicy
from bot.access.rules import AccessRule
from bot.chat.document_views import DocumentListView, view_of_list
from bot.chat.message import Conversation, ConversationKind
from bot.chat.view_parts import Uncounted
from bot.erp.kinds import INVOICES, SALES_ORDERS
from bot.erp.model import Money, PartnerKind, PaymentDirection, PaymentStatus, ReviewState
from bot.words.disclosure import ALL_FIELDS, HIDDEN, FieldClass
from commands.payment import PaymentListView
from tests.commands.company import NOW, TODAY, Company, cny, invoice, order, payment, purchase
from tests.commands.conftest import Ask, as_
from tests.read_model.memory_documents import MemoryDocuments

InvoiceListView = view_of_list(INVOICES)
OrderListView = view_of_list(SALES_ORDERS)

LONG, SHORT = 45, 12
SPENT = PaymentDirection.SPENT
OWN_CHAT = Conversation("cidKeeper==", ConversationKind.DIRECT)


def company_of(count: int) -> Company:
    """Return a company with so many open documents of each kind, two of them in another currency."""
    company = Company()
    company.sales = tuple(order(f"SO-{n:03}", "ACME") for n in range(count))
    company.issued = tuple(invoice(f"INV-{n:03}", "ACME", cny("10.10")) for n in range(count))
    company.purchases = tuple(
        replace(
            purchase(f"PO-{n:03}", "ACME", ReviewState.APPROVED),
            total=Money(Decimal(3), "USD") if n < 2 else cny("0.10"),
        )
        for n in range(count)
    )
    return company


@pytest.fixture(params=[SHORT, LONG], ids=["short", "long"])
def company(request: pytest.FixtureRequest) -> Company:
    return company_of(request.param)


def sums(view: Any) -> tuple[Money, ...]:
    """Return what a list comes to."""
    found: tuple[Money, ...] = view.open_amounts if isinstance(view, InvoiceListView) else view.total_amounts
    return found


def by_name(view: PaymentListView) -> dict[str, Sequence[Money]]:
    """Return what payments come to, by the names of the sums."""
    return {name.msgid: amounts for name, amounts in view.sums()}


@pytest.mark.parametrize("page", ["", " +8"])
async def test_each_page_says_what_the_whole_list_comes_to(ask: Ask, company: Company, page: str) -> None:
    count = len(company.sales)
    orders = as_(OrderListView, await ask(f"/order open{page}"))
    assert (orders.total, sums(orders)) == (count, (cny(f"{count}00"),))
    owed = as_(InvoiceListView, await ask(f"/invoice open{page}"))
    assert sums(owed) == (Money(Decimal("10.10") * count, "CNY"),)
    bought = as_(DocumentListView, await ask(f"/po open{page}"))
    assert sums(bought) == (Money(Decimal("0.10") * (count - 2), "CNY"), Money(Decimal(6), "USD"))


class TestLong:
    @pytest.fixture
    def company(self) -> Company:
        return company_of(LONG)

    async def test_what_is_kept_costs_no_further_call(self, ask: Ask, company: Company) -> None:
        await ask("/order open")
        assert len(company.calls) == 1

    @pytest.mark.parametrize("trouble", ["old", "not followed", "another number"])
    async def test_what_is_not_kept_is_read_once_more(self, ask: Ask, kept: MemoryDocuments, trouble: str) -> None:
        if trouble == "old":
            kept.synced_at = NOW - timedelta(minutes=20)
        elif trouble == "not followed":
            kept.followed = ()
        else:
            kept.documents_kept = kept.documents_kept[1:]
        assert sums(as_(OrderListView, await ask("/order open"))) == (cny(f"{LONG}00"),)

    async def test_a_search_is_added_up_too(self, ask: Ask) -> None:
        assert sums(as_(InvoiceListView, await ask("/invoice open ACME"))) == (Money(Decimal("10.10") * LONG, "CNY"),)

    async def test_all_there_ever_was_has_none(self, ask: Ask) -> None:
        assert sums(as_(OrderListView, await ask("/order"))) == ()


class TestTooLong:
    @pytest.fixture
    def company(self) -> Company:
        return company_of(120)

    async def test_says_that_it_is_not_added_up(self, ask: Ask, kept: MemoryDocuments) -> None:
        kept.followed = ()
        view = as_(OrderListView, await ask("/order open"))
        assert (sums(view), [str(each) for each in view.freshness.failures]) == (
            (), ["not added up: not all of these documents are at hand"],
        )  # fmt: skip


async def test_an_amount_that_is_not_known_is_told(ask: Ask, company: Company, kept: MemoryDocuments) -> None:
    first, *others = company.sales
    kept.documents_kept = company.sales = (replace(first, total=None), *others)
    view = as_(OrderListView, await ask("/order open"))
    assert (sums(view), view.not_added_up.without_amount) == ((cny(f"{len(others)}00"),), 1)


@pytest.mark.parametrize("count", [SHORT, LONG])
class TestPayments:
    """Receipts are added up, and what vendors paid back beside them: each is seen by other people."""

    @pytest.fixture
    def company(self, count: int) -> Company:
        company = Company()
        received = [payment(f"PAY-{n:03}", "ACME", "2.50") for n in range(count)]
        back = replace(payment("PAY-900", "宝钢", "7"), partner_kind=PartnerKind.VENDOR)
        draft = replace(payment("PAY-901", "ACME", "99"), status=PaymentStatus.DRAFT)
        spent = replace(payment("PAY-902", "宝钢", "40"), partner_kind=PartnerKind.VENDOR, direction=SPENT)
        long_ago = replace(payment("PAY-903", "ACME", "1000"), paid_on=TODAY - timedelta(days=90))
        company.paid = (*received, back, draft, spent, long_ago)
        return company

    async def test_of_some_days(self, ask: Ask, count: int) -> None:
        view = as_(PaymentListView, await ask("/payment received last month"))
        assert view.total == count + 2
        assert by_name(view) == {
            "Received from customers": [cny(f"{2.5 * count}0")],
            "Paid back by vendors": [cny("7")],
        }
        assert view.not_added_up.uncounted == (Uncounted(status=PaymentStatus.DRAFT, count=1),)
        second = as_(PaymentListView, await ask("/payment received last month +8"))
        assert by_name(second) == by_name(view)

    async def test_of_what_was_paid(self, ask: Ask, count: int) -> None:
        view = as_(PaymentListView, await ask("/payment paid last month"))
        assert by_name(view) == {"Paid to vendors": [cny("40")]}

    async def test_of_all_times(self, ask: Ask, count: int) -> None:
        view = as_(PaymentListView, await ask("/payment received"))
        assert by_name(view)["Received from customers"] == [cny(f"{2.5 * count + 1000}0")]

    async def test_what_came_in_and_what_went_out_are_apart(self, ask: Ask, count: int) -> None:
        names = ["Received from customers", "Paid to vendors", "Paid back by vendors"]
        assert [*by_name(as_(PaymentListView, await ask("/payment last month")))] == names


class TestWhoMaySeeSalesAlone:
    @pytest.fixture
    def company(self) -> Company:
        company = Company()
        back = replace(payment("PAY-2", "宝钢", "7"), partner_kind=PartnerKind.VENDOR)
        company.paid = (payment("PAY-1", "ACME", "2.50"), back)
        return company

    @pytest.fixture
    def policy(self) -> AccessPolicy:
        seen = ALL_FIELDS - {FieldClass.COST}
        rule = AccessRule(commands=frozenset({"invoice", "po"}), roles=frozenset({"warehouse"}), fields=seen)
        return AccessPolicy([rule])

    async def test_does_not_learn_what_vendors_paid_back(self, ask: Ask) -> None:
        view = as_(PaymentListView, await ask("/payment received", where=OWN_CHAT))
        assert by_name(view) == {"Received from customers": [cny("2.50")], "Paid back by vendors": [HIDDEN]}
