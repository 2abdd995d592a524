"""The prices of an order against earlier ones: the planted orders are flagged, with the figures that SQL reads."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from bot.checks.evidence import MOST_PRICED
from bot.erp.kinds import PURCHASE_ORDERS
from bot.erp.model import Money, ReviewState
from tests.checks.planted import SKU, PlantedCompany, exact, order
from tests.erp.conftest import TODAY

WAITING = ReviewState.WAITING
_ABOVE = """
    WITH bought AS (
        SELECT o.number, o.number_key, o.ordered_on, o.vendor, o.currency, o.status, l.sku, l.unit, l.price
        FROM demo_purchase o JOIN demo_purchase_line l USING (number_key)
    )
    SELECT now.number, now.price, last.price, last.number, last.vendor, last.ordered_on,
           (SELECT MIN(e.price) FROM bought e WHERE (e.sku, e.unit, e.currency) = (now.sku, now.unit, now.currency)
                AND e.status IN ('approved', 'done') AND e.number_key <> now.number_key
                AND e.ordered_on BETWEEN DATE(now.ordered_on, '-365 days') AND now.ordered_on)
    FROM bought now JOIN bought last ON last.number_key = (
        SELECT e.number_key FROM bought e WHERE (e.sku, e.unit, e.currency) = (now.sku, now.unit, now.currency)
            AND e.status IN ('approved', 'done') AND e.number_key <> now.number_key
            AND e.ordered_on BETWEEN DATE(now.ordered_on, '-365 days') AND now.ordered_on
        ORDER BY e.ordered_on DESC, e.number DESC LIMIT 1)
        AND (last.sku, last.unit) = (now.sku, now.unit)
    WHERE now.price > last.price * 1.05
"""


async def test_what_is_dearer_than_last_time_is_flagged_and_nothing_else(company: PlantedCompany) -> None:
    company.plant(
        purchases=[
            order("OLD-1", "9.3", ago=400),
            order("BEST-1", "9.6", ago=200, vendor="永康市金工量具有限公司"),
            order("LAST-1", "10", ago=30, state=ReviewState.APPROVED),
            order("GONE-1", "1", ago=20, state=ReviewState.CANCELLED),
            order("DRAFT-1", "1", ago=20, state=ReviewState.DRAFT),
            order("REFUSED-1", "1", ago=20, state=ReviewState.REJECTED),
            order("BOX-1", "1", ago=20, unit="箱"),
            order("FAIR-1", "10.5", state=WAITING),
            order("DEAR-1", "11.0005", state=WAITING),
        ]
    )
    flags = await company.flags(PURCHASE_ORDERS, "price_above_last")
    rows = company.sql(_ABOVE)
    assert [row[0] for row in rows] == ["DEAR-1"]
    number, price, last, last_number, vendor, day, best = rows[0]
    assert flags == {
        number: [
            {
                "dearer.sku": SKU,
                "dearer.price": _written(price),
                "dearer.percent": ((exact(price) / exact(last) - 1) * 100).quantize(Decimal("0.1")),
                "dearer.last.price": _written(last),
                "dearer.last.number": last_number,
                "dearer.last.day": date.fromisoformat(day),
                "dearer.last.vendor": vendor,
                "best.price": _written(best),
                "best.number": "BEST-1",
                "best.day": TODAY - timedelta(days=200),
                "best.vendor": "永康市金工量具有限公司",
            }
        ]
    }
    clean = company.sql("SELECT COUNT(*) FROM demo_purchase WHERE number LIKE 'PO-%'")
    assert clean[0][0] >= 50


def _written(price: int) -> str:
    return f"{exact(price).normalize():f} CNY"


async def test_another_currency_is_no_comparison(company: PlantedCompany) -> None:
    known = order("LAST-1", "10", ago=30)
    dollars = tuple(replace(line, price=Money(Decimal(1), "USD")) for line in known.lines)
    company.plant(
        purchases=[replace(known, lines=dollars, total=Money(Decimal(10), "USD")), order("NEW-1", "11", state=WAITING)]
    )
    result = (await company.check(PURCHASE_ORDERS, "NEW-1"))["price_above_last"]
    assert (result.flags, result.looked_at.params, result.is_whole) == ((), {"compared": 0, "lines": 1}, True)


async def test_more_products_than_are_read_are_not_taken_for_fine(company: PlantedCompany) -> None:
    (line,) = order("NEW-1", "11").lines
    lines = tuple(replace(line, sku=f"PLANTED-{place}") for place in range(MOST_PRICED + 1))
    company.plant(purchases=[order("NEW-1", "11", state=WAITING, lines=lines)])
    result = (await company.check(PURCHASE_ORDERS, "NEW-1"))["price_above_last"]
    assert (result.flags, result.is_whole, result.counts_as_flagged) == ((), False, True)
