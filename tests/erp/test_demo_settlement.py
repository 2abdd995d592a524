"""The demo company's partners, bills and payments fit its other documents; their lists equal independent SQL."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from bot.erp.model import InvoiceStatus, Money, PartnerKind, PaymentDirection
from bot.erp.port import Filter, ListQuery
from bot.kit.company.adapter import DemoErp, open_demo
from bot.kit.company.company import DemoCompany
from bot.kit.company.settlement import received_value

from .conftest import TODAY

NOW = datetime(TODAY.year, TODAY.month, TODAY.day, 4, tzinfo=UTC)


@pytest.fixture
async def place(tmp_path: Path) -> Path:
    return tmp_path / "demo.sqlite3"


@pytest.fixture
async def erp(place: Path) -> AsyncIterator[DemoErp]:
    erp = await open_demo(place, today=TODAY, now=lambda: NOW)
    yield erp
    await erp.close()


def test_partners_are_those_of_the_documents(company: DemoCompany) -> None:
    customers = {customer.name for customer in company.customers}
    assert {order.customer for order in company.orders} <= customers
    assert {order.vendor for order in company.purchases} <= {vendor.name for vendor in company.vendors}
    assert len({customer.code for customer in company.customers}) == len(company.customers) == 34
    assert len({vendor.code for vendor in company.vendors}) == len(company.vendors) == 11


def test_every_order_of_which_something_came_is_billed_with_what_came(company: DemoCompany) -> None:
    billed = {bill.order_number: bill for bill in company.bills}
    received = {order.number: order for order in company.purchases if any(line.received for line in order.lines)}
    assert billed.keys() == received.keys()
    for number, bill in billed.items():
        assert bill.total == Money(received_value(received[number]), "CNY")
        assert bill.vendor == received[number].vendor
    assert {bill.status for bill in company.bills} == {
        InvoiceStatus.PAID,
        InvoiceStatus.PART_PAID,
        InvoiceStatus.UNPAID,
    }


def test_payments_are_what_is_no_longer_open(company: DemoCompany) -> None:
    paid: defaultdict[str, Decimal] = defaultdict(Decimal)
    for payment in company.payments:
        assert payment.amount is not None
        (document,) = payment.settles
        paid[document] += payment.amount.amount
        spent = payment.partner_kind is PartnerKind.VENDOR
        assert payment.direction is (PaymentDirection.SPENT if spent else PaymentDirection.RECEIVED)
    for each in (*company.invoices, *company.bills):
        assert each.total is not None
        assert each.open_amount is not None
        if each.status in {InvoiceStatus.PAID, InvoiceStatus.PART_PAID}:
            assert paid.pop(each.number) == each.total.amount - each.open_amount.amount
    assert not paid


@pytest.mark.parametrize("name", ["杭州宏达机电设备有限公司", "Northwind Hardware Inc.", "🔧匠心工具行"])
async def test_what_a_customer_owes_equals_independent_sql(erp: DemoErp, place: Path, name: str) -> None:
    invoices = await erp.invoices(ListQuery(filter=Filter.OPEN, partner=name, limit=100))
    overdue = await erp.invoices(ListQuery(filter=Filter.OVERDUE, partner=name, limit=100))
    orders = await erp.orders(ListQuery(filter=Filter.OPEN, partner=name, limit=100))
    with sqlite3.connect(place) as connection:

        def ask(sql: str) -> tuple[object, ...]:
            found: tuple[object, ...] = connection.execute(sql, {"name": name, "today": TODAY.isoformat()}).fetchone()
            return found

        unsettled = "from demo_invoice where customer = :name and status in ('unpaid', 'part_paid')"
        count, cents = ask(f"select count(*), round(sum(open_amount) / 10000.0) {unsettled}")
        (late,) = ask(f"select count(*) {unsettled} and due_on < :today and open_amount > 0")
        (owed,) = ask(
            "select count(*) from demo_order where customer = :name and status in ('open', 'partly_delivered')"
        )
    assert (invoices.total, overdue.total, orders.total) == (count, late, owed)
    total = sum((each.open_amount.amount for each in invoices.items if each.open_amount), Decimal(0))
    assert total * 100 == Decimal(str(cents))
    assert invoices.total > 0


async def test_a_payment_tells_what_it_settles_only_alone(erp: DemoErp) -> None:
    listed = (await erp.payments(ListQuery(limit=1))).items[0]
    assert listed.settles == ()
    assert (await erp.payment(listed.number)).settles
