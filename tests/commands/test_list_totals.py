"""What lists come to: the whole list on every page of it, of what is kept where it is long, and nothing uncertain."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from bot.erp.model import Money, PurchaseStatus
from commands.invoice import InvoiceListView
from commands.order import OrderListView
from commands.po import PurchaseListView
from tests.commands.company import NOW, Company, cny, invoice, order, purchase
from tests.commands.conftest import Ask, as_
from tests.read_model.memory_documents import MemoryDocuments

LONG, SHORT = 45, 12


def company_of(count: int) -> Company:
    """Return a company with so many open documents of each kind, two of them in another currency."""
    company = Company()
    company.sales = tuple(order(f"SO-{n:03}", "ACME") for n in range(count))
    company.issued = tuple(invoice(f"INV-{n:03}", "ACME", cny("10.10")) for n in range(count))
    company.purchases = tuple(
        replace(
            purchase(f"PO-{n:03}", "ACME", PurchaseStatus.APPROVED),
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


@pytest.mark.parametrize("page", ["", " +8"])
async def test_each_page_says_what_the_whole_list_comes_to(ask: Ask, company: Company, page: str) -> None:
    count = len(company.sales)
    orders = as_(OrderListView, await ask(f"/order open{page}"))
    assert (orders.total, sums(orders)) == (count, (cny(f"{count}00"),))
    owed = as_(InvoiceListView, await ask(f"/invoice open{page}"))
    assert sums(owed) == (Money(Decimal("10.10") * count, "CNY"),)
    bought = as_(PurchaseListView, await ask(f"/po open{page}"))
    assert sums(bought) == (Money(Decimal("0.10") * (count - 2), "CNY"), Money(Decimal(6), "USD"))


class TestLong:
    @pytest.fixture
    def company(self) -> Company:
        return company_of(LONG)

    async def test_what_is_kept_costs_no_further_call(self, ask: Ask, company: Company) -> None:
        await ask("/order open")
        assert len(company.calls) == 1

    @pytest.mark.parametrize("trouble", ["old", "not followed", "another number"])
    async def test_nothing_is_said_that_may_be_wrong(self, ask: Ask, kept: MemoryDocuments, trouble: str) -> None:
        if trouble == "old":
            kept.synced_at = NOW - timedelta(minutes=20)
        elif trouble == "not followed":
            kept.followed = ()
        else:
            kept.documents_kept = kept.documents_kept[1:]
        assert sums(as_(OrderListView, await ask("/order open"))) == ()

    async def test_a_search_that_is_not_read_to_its_end_has_no_total(self, ask: Ask) -> None:
        assert sums(as_(InvoiceListView, await ask("/invoice open ACME"))) == ()


async def test_lists_that_are_no_matter_of_their_own_have_none(ask: Ask, company: Company) -> None:
    assert sums(as_(OrderListView, await ask("/order"))) == ()


async def test_an_amount_that_is_not_known_leaves_no_total(ask: Ask, company: Company, kept: MemoryDocuments) -> None:
    first, *others = company.sales
    kept.documents_kept = company.sales = (replace(first, total=None), *others)
    assert sums(as_(OrderListView, await ask("/order open"))) == ()
