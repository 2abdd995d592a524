"""ERPNext's customers, suppliers, their invoices and payments: what must not be taken for another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bot.erp import kinds
from bot.erp.counting import counts
from bot.erp.erpnext import partners
from bot.erp.errors import NotFound
from bot.erp.kinds import Kind
from bot.erp.model import InvoiceStatus, Money, PaymentStatus
from bot.erp.port import Filter, ListQuery
from bot.kit.testing.company import ReferenceCompany
from bot.kit.testing.fake_erp import RequestKind as Request
from tests.erp.fakes.erpnext import FakeErpNext
from tests.erp.fakes.erpnext_documents import COMPANY
from tests.rows import each_row

from .conftest import Open

Rows = list[dict[str, Any]]
Alter = Callable[[str, Callable[[Rows], Rows]], None]


@pytest.mark.parametrize(
    "other", [{"party_type": "Employee"}, {"payment_type": "Internal Transfer"}, {"party_type": "Shareholder"}]
)
async def test_money_for_others_is_no_payment(site: FakeErpNext, open_erp: Open, other: dict[str, str]) -> None:
    site.alter("Payment Entry", lambda rows: [row | (other if row["name"] == "PAY-1003" else {}) for row in rows])
    erp = open_erp(site)
    found = await erp.payments(ListQuery(limit=100))
    assert found.total == 23
    assert "PAY-1003" not in [payment.number for payment in found.items]
    with pytest.raises(NotFound):
        await erp.payment("PAY-1003")


async def test_an_advance_on_an_order_settles_no_invoice(site: FakeErpNext, open_erp: Open) -> None:
    payment = await open_erp(site).payment("PAY-1002")
    assert "SO-9999" not in payment.settles
    assert payment.status is PaymentStatus.BOOKED


@each_row(
    ("given", "company", "expected"),
    [
        ([("A", 100.0)], "", Money(100, "CNY")),  # type: ignore[arg-type]  # equal to a decimal
        ([("A", 100.0), ("B", 5.0)], "", None),
        ([("A", 100.0), ("B", 5.0)], "B", Money(5, "USD")),  # type: ignore[arg-type]
        ([("A", 100.0)], "B", None),
        ([("A", 0.0)], "A", None),
        ([("C", 9.0)], "C", None),
        ([], "", None),
    ],
)
def test_a_credit_limit_is_of_one_company(given: list[tuple[str, float]], company: str, expected: Money | None) -> None:
    rows = [{"company": name, "credit_limit": limit} for name, limit in given]
    assert partners.credit_limit(rows, company, {"A": "CNY", "B": "USD"}) == expected


async def test_without_the_right_to_companies_a_customer_is_told_without_a_limit(
    site: FakeErpNext, open_erp: Open
) -> None:
    site.unreadable.add("Company")
    assert (await open_erp(site).customers(ListQuery(limit=3))).items[0].credit_limit is None


async def test_partners_belong_to_no_company_and_bills_do(site: FakeErpNext, open_erp: Open) -> None:
    ours, another = open_erp(site, company=COMPANY), open_erp(site, company="Another")
    assert (await ours.customers(ListQuery())).total == (await another.customers(ListQuery())).total == 9
    assert (await ours.bills(ListQuery())).total == 24
    assert (await another.bills(ListQuery())).total == 0
    assert (await another.payments(ListQuery())).total == 0


async def test_an_overpaid_invoice_is_not_open(site: FakeErpNext, open_erp: Open, company: ReferenceCompany) -> None:
    (number, *_) = (invoice.number for invoice in company.invoices.values() if invoice.is_open)
    site.alter(
        "Sales Invoice",
        lambda rows: [row | ({"outstanding_amount": -5.0} if row["name"] == number else {}) for row in rows],
    )
    found = await open_erp(site).invoices(ListQuery(filter=Filter.OPEN, limit=100))
    assert number not in [invoice.number for invoice in found.items]


async def test_a_held_order_is_open_and_what_is_delivered_is_not(site: FakeErpNext, open_erp: Open) -> None:
    site.alter(
        "Sales Order", lambda rows: [row | ({"status": "On Hold"} if row["name"] == "SO-1003" else {}) for row in rows]
    )
    orders = (await open_erp(site).orders(ListQuery(filter=Filter.OPEN, limit=100))).items
    assert "SO-1003" in [order.number for order in orders]
    assert all(order.is_open for order in orders)


async def test_the_overdue_bills_of_a_partner_cost_two_calls(
    site: FakeErpNext, open_erp: Open, company: ReferenceCompany
) -> None:
    erp = open_erp(site)
    await erp.check()
    vendor = company.bills["BILL-3"].vendor
    site.requests.clear()
    found = await erp.bills(ListQuery(filter=Filter.OVERDUE, partner=vendor, limit=100))
    assert "BILL-3" in [bill.number for bill in found.items]
    assert site.requests.count(Request.READ) == 2


@each_row(
    ("doctype", "kind", "status", "share", "reversed_"),
    [
        ("Sales Invoice", kinds.INVOICES, "Credit Note Issued", 1, True),
        ("Purchase Invoice", kinds.BILLS, "Debit Note Issued", 1, True),
        # The rest was paid, and nothing says so but the amount of the credit note.
        ("Sales Invoice", kinds.INVOICES, "Credit Note Issued", 0.5, False),
        ("Sales Invoice", kinds.INVOICES, "Paid", 1, False),
    ],
)
async def test_an_invoice_is_reversed_that_credit_notes_settled_alone(
    site: FakeErpNext,
    open_erp: Open,
    doctype: str,
    kind: Kind[Any],
    status: str,
    share: float,
    reversed_: bool,
) -> None:
    erp = open_erp(site)
    known = (await erp.list_documents(kind, ListQuery(limit=100))).items
    paid = next(each for each in known if each.status is InvoiceStatus.PAID and not each.is_credit_note)
    note = next(each for each in known if each.is_credit_note)
    against = {"return_against": paid.number, "grand_total": -float(paid.total.amount) * share}
    changed = {paid.number: {"status": status}, note.number: against}
    site.alter(doctype, lambda rows: [{"return_against": None, **row, **changed.get(row["name"], {})} for row in rows])
    listed = (await erp.list_documents(kind, ListQuery(limit=100))).items
    assert [each.number for each in listed if each.is_reversed] == ([paid.number] if reversed_ else [])
    alone = await erp.read_document(kind, paid.number)
    assert (alone.is_reversed, alone.status, counts(alone)) == (reversed_, InvoiceStatus.PAID, True)
