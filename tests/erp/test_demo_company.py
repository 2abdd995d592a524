"""The demo company is as tutorials and other tests describe it."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from bot.erp.model import (
    InvoiceStatus,
    OrderStatus,
    ProductionStatus,
    Progress,
    Quantities,
    ReviewState,
    SalesOrder,
)
from bot.kit.company.catalogue import articles
from bot.kit.company.company import DemoCompany, make_company
from bot.kit.company.sales import ZONE
from bot.kit.company.supply import SECOND_LEVEL_ABOVE
from tests.rows import each_row

from .conftest import TODAY


def test_the_same_day_and_seed_give_the_same_company(company: DemoCompany) -> None:
    assert make_company(TODAY) == company
    assert make_company(TODAY, seed=7) != company


def test_another_day_moves_the_dates_and_keeps_the_figures(company: DemoCompany) -> None:
    later = make_company(TODAY + timedelta(days=100))
    assert [order.total for order in later.orders] == [order.total for order in company.orders]
    assert [h.per_warehouse for h in later.holdings] == [h.per_warehouse for h in company.holdings]
    assert later.orders[0].ordered_on == TODAY + timedelta(days=40)


@each_row("today", [date(2024, 2, 29), date(2026, 1, 1), date(2027, 12, 31)])
def test_nothing_happened_after_the_day_before(today: date) -> None:
    company = make_company(today)
    midnight = datetime.combine(today, time(), tzinfo=ZONE)
    records: tuple[Any, ...] = (
        *company.holdings, *company.orders, *company.invoices, *company.purchases, *company.productions
    )  # fmt: skip
    for record in records:
        assert record.changed_at is not None
        assert record.changed_at < midnight


def test_it_is_as_large_as_promised(company: DemoCompany) -> None:
    assert len(company.holdings) >= 200
    assert len(company.orders) == 500
    assert len(company.invoices) == 300
    assert len(company.purchases) == 80
    assert len(company.productions) == 60
    assert {code for holding in company.holdings for code in holding.per_warehouse} == {"SH", "SZ", "CD"}
    kinds: tuple[tuple[Any, ...], ...] = (company.orders, company.invoices, company.purchases, company.productions)
    for numbers in (
        [holding.article.product.sku for holding in company.holdings],
        *([document.number for document in kind] for kind in kinds),
    ):
        assert len(set(map(str.casefold, numbers))) == len(numbers)


def test_every_state_occurs(company: DemoCompany) -> None:
    assert {order.status for order in company.orders} == set(OrderStatus) - {OrderStatus.ON_HOLD}
    assert {invoice.status for invoice in company.invoices} == set(InvoiceStatus)
    assert {order.status for order in company.purchases} == set(ReviewState)
    assert {order.status for order in company.productions} == set(ProductionStatus) - {ProductionStatus.ON_HOLD}
    assert {order.payment for order in company.orders} == set(Progress)
    assert {invoice.total.currency for invoice in company.invoices if invoice.total} == {"CNY", "USD", "EUR"}
    assert any(invoice.is_credit_note for invoice in company.invoices)
    assert sum(len(order.lines) > 20 for order in company.orders) >= 5
    assert sum(len(order.lines) > 20 for order in company.purchases) >= 2


def test_some_are_late_overdue_or_waiting_and_most_are_not(company: DemoCompany) -> None:
    assert 10 <= sum(order.days_late(TODAY) > 0 for order in company.orders) <= 40
    assert 10 <= sum(invoice.days_overdue(TODAY) > 0 for invoice in company.invoices) <= 60
    assert 5 <= sum(order.days_late(TODAY) > 0 for order in company.purchases) <= 20
    assert 3 <= sum(order.days_late(TODAY) > 0 for order in company.productions) <= 15
    assert 10 <= sum(order.status is ReviewState.WAITING for order in company.purchases) <= 25


def test_names_exercise_escaping(company: DemoCompany) -> None:
    partners = {order.customer for order in company.orders} | {order.vendor for order in company.purchases}
    products = {f"{h.article.product.sku} {h.article.product.name} {h.article.product.spec}" for h in company.holdings}
    for names in (partners, products):
        for sign in "*_|<'\"`[{&🔧":
            assert any(sign in name for name in names), sign
        assert max(map(len, names)) > 55
    assert {order.total.currency for order in company.orders if order.total} == {"CNY", "USD", "EUR"}


def test_sku123_is_in_all_warehouses_and_below_its_reorder_point(company: DemoCompany) -> None:
    holding = next(h for h in company.holdings if h.article.product.sku == "SKU123")
    assert holding.article.product.name.startswith("螺丝")
    on_hand = {code: quantities.on_hand for code, quantities in holding.per_warehouse.items()}
    assert on_hand == {"SH": Decimal(8600), "SZ": Decimal(2450), "CD": Decimal(320)}
    assert holding.reorder_point == Decimal(15000)
    here = holding.per_warehouse["SH"]
    assert here == Quantities(
        on_hand=Decimal(8600), reserved=Decimal(4000), available=Decimal(4600), incoming=Decimal(7500),
        outgoing=Decimal(4000), forecast=Decimal(12100),
    )  # fmt: skip


def test_so_1001_is_late_partly_delivered_and_billed_by_inv_7(company: DemoCompany) -> None:
    order, invoice = company.orders[0], company.invoices[6]
    assert (order.number, order.status, order.days_late(TODAY)) == ("SO-1001", OrderStatus.PARTLY_DELIVERED, 9)
    assert [line.sku for line in order.lines] == ["SKU123", "SKU146", "HT-113", "FAN-21"]
    assert (invoice.number, invoice.order_number, invoice.customer) == ("INV-7", "SO-1001", order.customer)
    assert (invoice.status, invoice.days_overdue(TODAY)) == (InvoiceStatus.PART_PAID, 23)


def test_the_first_purchase_orders_wait_for_different_reasons(company: DemoCompany) -> None:
    first, large, half, own = company.purchases[:4]
    assert [order.number for order in (first, large, half, own)] == ["PO-1001", "PO-1002", "PO-1003", "PO-1004"]
    assert all(order.status is ReviewState.WAITING for order in (first, large, half, own))
    steps = [
        (o.review.approval.level, o.review.approval.levels) for o in (first, large, half, own) if o.review.approval
    ]
    assert steps == [(1, 1), (1, 2), (2, 2), (1, 1)]
    assert own.review.requester == "buymanager01"
    assert [order.review.changed_by for order in (first, large, half, own)] == [
        "buyer01",
        "buyer01",
        "buymanager01",
        "buymanager01",
    ]
    assert own.review.approval is not None
    assert "buymanager01" not in own.review.approval.pending_for


def test_mo_1_makes_sku123_and_is_running(company: DemoCompany) -> None:
    order = company.productions[0]
    assert (order.number, order.sku, order.status) == ("MO-1", "SKU123", ProductionStatus.RUNNING)
    assert (order.planned, order.produced) == (Decimal(20000), Decimal(12500))


def test_figures_agree_with_each_other(company: DemoCompany) -> None:
    orders = {order.number: order for order in company.orders}
    documents: tuple[Any, ...] = (*company.orders, *company.purchases)
    for order in documents:
        assert order.total.amount == sum(line.amount.amount for line in order.lines if line.amount)
        assert {line.amount.currency for line in order.lines if line.amount} == {order.total.currency}
    for sales in company.orders:
        delivered = [line.delivered == line.quantity for line in sales.lines]
        assert (sales.delivery is Progress.FULL) == all(delivered)
        assert (sales.delivery is Progress.NONE) == (not any(line.delivered for line in sales.lines))
    for invoice in company.invoices:
        assert invoice.total is not None
        assert invoice.open_amount is not None
        assert abs(invoice.open_amount.amount) <= abs(invoice.total.amount)
        assert invoice.customer == orders[invoice.order_number].customer
        assert invoice.is_credit_note or invoice.total.amount > 0
    for purchase in company.purchases:
        assert purchase.total is not None
        assert purchase.review.approval is None or purchase.review.approval.levels == 1 + (
            purchase.total.amount > SECOND_LEVEL_ABOVE
        )


def test_what_is_reserved_and_coming_follows_from_the_documents(company: DemoCompany) -> None:
    owed = _owed(company.orders)
    coming: defaultdict[str, Decimal] = defaultdict(Decimal)
    for purchase in company.purchases:
        if purchase.status is ReviewState.APPROVED:
            for line in purchase.lines:
                coming[line.sku] += line.quantity - (line.received or 0)
    for made in company.productions:
        if made.status in {ProductionStatus.RELEASED, ProductionStatus.RUNNING}:
            coming[made.sku] += made.planned - (made.produced or 0)
    for holding in company.holdings:
        sku, figures = holding.article.product.sku, holding.per_warehouse.values()
        assert sum(figure.outgoing or 0 for figure in figures) == owed.get(sku, 0)
        assert sum(figure.incoming or 0 for figure in figures) == coming.get(sku, 0)
        assert all(figure.available is not None and figure.available >= 0 for figure in figures)
        assert all(figure.on_hand is not None and figure.on_hand % holding.article.step == 0 for figure in figures)


def _owed(orders: Iterable[SalesOrder]) -> Mapping[str, Decimal]:
    owed: defaultdict[str, Decimal] = defaultdict(Decimal)
    for order in orders:
        if order.status in {OrderStatus.OPEN, OrderStatus.PARTLY_DELIVERED}:
            for line in order.lines:
                owed[line.sku] += line.quantity - (line.delivered or 0)
    return owed


def test_initials_are_those_of_the_pinyin() -> None:
    from pypinyin import Style, pinyin

    checked = 0
    for article in articles():
        letters = [
            set(pinyin(character, style=Style.FIRST_LETTER, heteronym=True)[0])
            for character in article.product.name
            if "一" <= character <= "鿿"
        ]
        for initials in article.initials.removeprefix("usb").split():
            assert initials in map("".join, itertools.product(*letters)), article.product.name
            checked += 1
    assert checked > 190


def test_the_clock_of_the_tests_is_on_the_day_of_the_company() -> None:
    from .conftest import NOW

    assert NOW.tzinfo is UTC
    assert NOW.astimezone(ZONE).date() == TODAY
