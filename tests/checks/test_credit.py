"""What customers owe with a new order: who goes above the limit is flagged, with SQL's figures, and nobody else."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from bot.erp.kinds import SALES_ORDERS
from bot.erp.model import Customer, Invoice, InvoiceStatus, Money, OrderStatus, Progress, SalesOrder
from tests.bare_records import bare
from tests.checks.planted import PlantedCompany, exact
from tests.erp.conftest import NOW, TODAY

_ABOVE = """
    WITH owed AS (
        SELECT customer, SUM(open_amount) AS amount FROM demo_invoice
        WHERE status IN ('unpaid', 'part_paid') GROUP BY customer
    )
    SELECT o.number, COALESCE(owed.amount, 0), o.total, c.credit_limit
    FROM demo_order o JOIN demo_customer c ON c.name = o.customer AND c.currency = o.currency
        LEFT JOIN owed ON owed.customer = o.customer
    WHERE COALESCE(owed.amount, 0) + o.total > c.credit_limit
"""


def cny(amount: str) -> Money:
    return Money(Decimal(amount), "CNY")


def customer(name: str, limit: str = "") -> Customer:
    known = bare(Customer, name, changed_at=NOW)
    return replace(known, name=name, code=name, credit_limit=cny(limit) if limit else None)


def invoice(number: str, of: str, left: str, status: InvoiceStatus = InvoiceStatus.UNPAID) -> Invoice:
    return bare(
        Invoice,
        number,
        customer=of,
        status=status,
        issued_on=TODAY,
        total=cny("9000"),
        open_amount=cny(left),
        changed_at=NOW,
    )


def order(number: str, of: str, total: str) -> SalesOrder:
    return bare(
        SalesOrder,
        number,
        customer=of,
        status=OrderStatus.DRAFT,
        delivery=Progress.NONE,
        billing=Progress.NONE,
        payment=Progress.NONE,
        ordered_on=TODAY,
        total=cny(total),
        changed_at=NOW,
    )


async def test_who_goes_above_the_limit_is_flagged_and_nobody_else(company: PlantedCompany) -> None:
    company.plant(
        customers=[customer("额度一", "10000"), customer("额度一厂", "1"), customer("无额度")],
        invoices=[
            invoice("I-1", "额度一", "4000"),
            invoice("I-2", "额度一", "1000", InvoiceStatus.PART_PAID),
            invoice("I-3", "额度一", "9000", InvoiceStatus.DRAFT),
            invoice("I-4", "额度一", "0", InvoiceStatus.PAID),
            invoice("I-5", "无额度", "9000"),
        ],
        orders=[order("AT", "额度一", "5000"), order("ABOVE", "额度一", "5000.01"), order("FREE", "无额度", "99999")],
    )
    flags = await company.flags(SALES_ORDERS, "over_credit")
    figures = {
        number: (flag["debt"].amount, flag["total"].amount, flag["limit"].amount) for number, (flag,) in flags.items()
    }
    rows = company.sql(_ABOVE)
    assert figures == {number: (exact(owed), exact(total), exact(limit)) for number, owed, total, limit in rows}
    assert figures["ABOVE"] == (Decimal(5000), Decimal("5000.01"), Decimal(10000))
    assert {"AT", "FREE"}.isdisjoint(figures)
    (clean,) = company.sql("SELECT COUNT(*) FROM demo_order")[0]
    assert clean - len(figures) >= 50


async def test_a_limit_that_is_not_told_is_no_limit_of_zero(company: PlantedCompany) -> None:
    company.plant(customers=[customer("无额度")], orders=[order("A", "无额度", "5"), order("B", "谁也不认识", "5")])
    told, unknown = [(await company.check(SALES_ORDERS, number))["over_credit"] for number in ("A", "B")]
    assert (told.flags, told.is_whole, str(told.looked_at)) == ((), True, "Customer's credit: no limit is told")
    assert (unknown.flags, unknown.is_whole) == ((), False)
