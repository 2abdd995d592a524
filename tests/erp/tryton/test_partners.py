"""Tryton's parties, bills and payments: who is a customer, which amounts count, and what must not be guessed."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from bot.erp.errors import Ambiguous, NotFound, NotPermitted
from bot.erp.model import Area, InvoiceStatus, Money, PaymentDirection
from bot.erp.port import Erp, Filter, ListQuery
from bot.kit.testing.company import ReferenceCompany
from bot.kit.testing.fake_erp import RequestKind
from tests.erp.fakes.tryton import FakeTryton
from tests.erp.tryton.conftest import OpenErp

_LEDGER = "account.general_ledger.account.party"
Records = list[dict[str, Any]]


async def test_a_party_of_both_sides_is_customer_and_vendor(erp: Erp, server: FakeTryton) -> None:
    customer = (await erp.customers(ListQuery(limit=1))).items[0]
    with pytest.raises(NotFound):
        await erp.vendor(customer.code)
    party = {"id": int(customer.id), "code": customer.code, "name": customer.name}
    kind = {"id": 72, "receivable": False, "payable": True}
    account = {"id": 82, "type": kind, "company": {"id": 1}}
    server.alter(_LEDGER, lambda rows: [*rows, {"id": 7, "account": account, "party": party}])
    assert (await erp.vendor(customer.code)).code == customer.code
    assert customer.code in [vendor.code for vendor in (await erp.vendors(ListQuery(limit=99))).items]
    assert (await erp.customer(customer.code)) == customer


async def test_a_customer_whose_only_document_is_not_booked_is_one(erp: Erp, server: FakeTryton) -> None:
    wanted = (await erp.customers(ListQuery(limit=99))).items
    first = int(wanted[0].id)
    server.alter(_LEDGER, lambda rows: [row for row in rows if row["party"]["id"] != first])
    server.alter("sale.sale", lambda rows: [row for row in rows if row["party"]["id"] != first])
    assert (await erp.customers(ListQuery(limit=99))).items == wanted
    assert await erp.customer(wanted[0].code) == wanted[0]
    server.alter("account.invoice", lambda rows: [row for row in rows if row["party"]["id"] != first])
    assert (await erp.customers(ListQuery(limit=99))).items == wanted[1:]
    with pytest.raises(NotFound):
        await erp.customer(wanted[0].code)


async def test_who_is_a_customer_costs_few_calls_however_many_orders_there_are(
    open_erp: OpenErp, server: FakeTryton, company: ReferenceCompany
) -> None:
    unbooked = next(iter(company.customers.values())).name
    order = next(order for order in company.orders.values() if order.customer == unbooked)
    for n in range(1_000):
        company.orders[f"SO-X{n}"] = replace(order, number=f"SO-X{n}", id=str(50_000 + n))
    server.records_limit = 500
    erp = await open_erp(page=500)
    await erp.check()
    server.requests.clear()
    await erp.customers(ListQuery(limit=5))
    assert server.requests.count(RequestKind.READ) <= 8


async def test_without_the_ledger_nobody_is_said_to_be_no_customer(erp: Erp, server: FakeTryton) -> None:
    server.faults.forbid(Area.FINANCE)
    with pytest.raises(NotPermitted):
        await erp.customers(ListQuery())
    with pytest.raises(NotPermitted):
        await erp.customer("C-102")


async def test_numbers_of_payments_begin_anew_each_year(erp: Erp, server: FakeTryton) -> None:
    first, second = (await erp.payments(ListQuery(limit=2))).items
    renumbered = {int(second.id): first.number}

    def twice(rows: Records) -> Records:
        return [
            row | {"move": row["move"] | {"number": renumbered.get(row["id"], row["move"]["number"])}} for row in rows
        ]

    server.alter("account.move.line", twice)
    with pytest.raises(Ambiguous):
        await erp.payment(first.number)
    assert (await erp.payment(f"{first.number}*{second.id}")).id == second.id
    found = await erp.payments(ListQuery(text=f"{first.number}*{first.id}"))
    assert [payment.id for payment in found.items] == [first.id]


async def test_a_move_that_pays_several_partners_is_several_payments(erp: Erp, server: FakeTryton) -> None:
    first, second = (await erp.payments(ListQuery(limit=2))).items

    def joined(rows: Records) -> Records:
        ours = [row for row in rows if row["id"] in (int(first.id), int(second.id))]
        lines = [line for row in ours for line in row["move"]["lines"]]
        move = {**ours[0]["move"], "number": "77", "lines": lines}
        return [row | {"move": move} if row in ours else row for row in rows]

    server.alter("account.move.line", joined)
    listed = (await erp.payments(ListQuery(text="77"))).items
    assert {payment.number for payment in listed} == {f"77*{first.id}", f"77*{second.id}"}
    for payment in listed:
        alone = await erp.payment(payment.number)
        assert (alone.id, alone.number, alone.amount) == (payment.id, payment.number, payment.amount)


async def test_a_negative_credit_is_money_that_was_spent(erp: Erp, server: FakeTryton) -> None:
    before = (await erp.payments(ListQuery(limit=1))).items[0]
    values = {"debit": Decimal(0), "credit": Decimal("-12.50"), "second_currency": None, "amount_second_currency": None}
    server.alter("account.move.line", lambda rows: [row | values for row in rows])
    payment = await erp.payment(before.number)
    assert (payment.direction, payment.amount) == (PaymentDirection.SPENT, Money(Decimal("12.50"), "CNY"))


async def test_bills_and_invoices_are_told_apart(erp: Erp, company: ReferenceCompany) -> None:
    bill, invoice = next(iter(company.bills)), next(iter(company.invoices))
    with pytest.raises(NotFound):
        await erp.bill(invoice)
    with pytest.raises(NotFound):
        await erp.invoice(bill)


async def test_a_posted_bill_without_debt_is_not_open(erp: Erp, company: ReferenceCompany) -> None:
    number = next(number for number, bill in company.bills.items() if bill.status is InvoiceStatus.UNPAID)
    assert number in [bill.number for bill in (await erp.bills(ListQuery(filter=Filter.OPEN, limit=99))).items]
    company.bills[number] = replace(company.bills[number], open_amount=Money(Decimal(0), "CNY"))
    assert number not in [bill.number for bill in (await erp.bills(ListQuery(filter=Filter.OPEN, limit=99))).items]
