"""Bills against their orders and receipts: what is billed too much is flagged, with SQL's figures, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from bot.checks.billed_goods import _received
from bot.erp.kinds import BILLS
from bot.erp.model import InvoiceStatus, Money, Progress, PurchaseOrder
from tests.checks.planted import PlantedCompany, bill, exact, order

_OVER = """
    WITH billed AS (
        SELECT order_number, SUM(CASE WHEN is_credit_note THEN -ABS(total) ELSE total END) AS amount
        FROM demo_bill WHERE status NOT IN ('draft', 'void') GROUP BY order_number
    ),
    came AS (
        SELECT number_key, SUM(1.0 * price * received) / SUM(1.0 * price * quantity) AS share
        FROM demo_purchase_line GROUP BY number_key
    )
    SELECT b.number, billed.amount, o.total, ROUND(o.total * came.share / 10000) * 10000
    FROM demo_bill b JOIN billed USING (order_number) JOIN demo_purchase o ON o.number = b.order_number
        JOIN came ON came.number_key = o.number_key
    WHERE NOT b.is_credit_note AND b.status NOT IN ('draft', 'void')
        AND billed.amount > 1.005 * MIN(o.total, o.total * came.share)
"""


def bought(number: str, received: int) -> PurchaseOrder:
    """Return an order of ten at 100, of which so many came in."""
    known = order(number, "100", ago=20)
    return replace(known, lines=tuple(replace(line, received=Decimal(received)) for line in known.lines))


async def test_what_is_billed_too_much_is_flagged_and_nothing_else(company: PlantedCompany) -> None:
    company.plant(
        purchases=[
            *(bought(f"{name}-PO", 10) for name in ("FINE", "DEARER", "TWICE", "CREDITED")),
            bought("PART-PO", 6),
            bought("PARTFINE-PO", 6),
            *(bought(f"CLEAN-PO-{place}", 10) for place in range(20)),
        ],
        bills=[
            bill("FINE", "1004.99", order_number="FINE-PO"),
            bill("DEARER", "1100", order_number="DEARER-PO"),
            bill("TWICE-A", "600", ago=3, order_number="TWICE-PO"),
            bill("TWICE-B", "600", order_number="TWICE-PO"),
            bill("CREDITED-A", "1000", ago=5, order_number="CREDITED-PO"),
            bill("CREDITED-B", "-1000", ago=4, order_number="CREDITED-PO", is_credit_note=True),
            bill("CREDITED-C", "1000", order_number="CREDITED-PO"),
            bill("CREDITED-D", "1000", order_number="CREDITED-PO", status=InvoiceStatus.VOID),
            bill("PART", "1000", order_number="PART-PO"),
            bill("PARTFINE", "600", order_number="PARTFINE-PO"),
            *(bill(f"CLEAN-{place}", "1000", order_number=f"CLEAN-PO-{place}") for place in range(20)),
        ],
    )
    rows = {
        number: (exact(billed), "ordered" if billed > 1.005 * total else "received", exact(total), exact(int(received)))
        for number, billed, total, received in company.sql(_OVER)
    }
    flags = {number: flag for number, (flag,) in (await company.flags(BILLS, "overbilled")).items()}
    flags.pop("CREDITED-D")  # a void bill comes on top of what stands
    assert {
        number: (
            flag["billed"].amount,
            *next((name, flag[name].amount) for name in ("ordered", "received") if name in flag),
        )
        for number, flag in flags.items()
    } == {
        number: (billed, which, ordered if which == "ordered" else received)
        for number, (billed, which, ordered, received) in rows.items()
    }
    assert rows.keys() == {"DEARER", "TWICE-A", "TWICE-B", "PART"}


async def test_what_cannot_be_compared_is_not_taken_for_fine(company: PlantedCompany) -> None:
    dollars = replace(bought("USD-PO", 10), total=Money(Decimal(1000), "USD"))
    company.plant(
        purchases=[dollars],
        bills=[
            bill("GONE", "1000", order_number="NO-SUCH-PO"),
            bill("USD", "1000", order_number="USD-PO"),
            bill("FREE", "1000"),
        ],
    )
    found = {number: (await company.check(BILLS, number))["overbilled"] for number in ("GONE", "USD", "FREE")}
    assert {number: (result.flags, result.is_whole) for number, result in found.items()} == {
        "GONE": ((), False),
        "USD": ((), False),
        "FREE": ((), True),
    }


def test_of_services_nothing_comes_in() -> None:
    services = replace(bought("SERVICE-PO", 0), awaits_goods=False)
    assert _received(services) == services.total
    goods = replace(services, received=Progress.PARTIAL)
    assert _received(goods) == Money(Decimal(0), "CNY")
    line = replace(services.lines[0], received=None)
    assert _received(replace(services, awaits_goods=True, lines=(line,))) is None
