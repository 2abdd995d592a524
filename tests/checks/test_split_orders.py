"""Orders kept just below an amount at which another rule decides: all of them are flagged, with SQL's figures."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bot.erp.kinds import PURCHASE_ORDERS
from bot.erp.model import Money, ReviewState
from tests.checks.planted import PlantedCompany, exact, order

BOUND = Money(Decimal(100_000), "CNY")
_SPLIT = """
    WITH part AS (SELECT * FROM demo_purchase WHERE total >= :bound / 2 AND total < :bound AND currency = 'CNY')
    SELECT now.number, other.number, now.total + SUM(other.total) OVER (PARTITION BY now.number_key) AS together
    FROM part now JOIN part other ON (other.vendor, other.requester) = (now.vendor, now.requester)
        AND other.number_key <> now.number_key AND other.status IN ('waiting', 'approved', 'done')
        AND ABS(JULIANDAY(other.ordered_on) - JULIANDAY(now.ordered_on)) <= 7
"""


@pytest.mark.parametrize("bound", [BOUND, Money(Decimal(50_000), "CNY")], ids=["rarely reached", "often reached"])
async def test_parts_of_one_purchase_are_flagged_and_nothing_else(company: PlantedCompany, bound: Money) -> None:
    told = {"requester": "keeper02"}
    company.plant(
        purchases=[
            order("PART-1", "6000", ago=6, state=ReviewState.APPROVED, **told),
            order("PART-2", "5500", state=ReviewState.WAITING, **told),
            order("OTHERS-1", "6000", ago=1, requester="planner01"),
            order("AWAY-1", "6000", ago=1, vendor="永康市金工量具有限公司", **told),
            order("GONE-1", "6000", ago=1, state=ReviewState.CANCELLED, **told),
            order("DRAFT-1", "6000", ago=1, state=ReviewState.DRAFT, **told),
            order("EVERYDAY-1", "2000", ago=1, **told),
            order("LARGE-1", "10000", ago=1, **told),
        ]
    )
    found: dict[str, tuple[Decimal, set[str]]] = {}
    for number, other, together in company.sql(_SPLIT, bound=int(bound.amount.scaleb(6))):
        found.setdefault(number, (exact(together), set()))[1].add(other)
    flags = await company.flags(PURCHASE_ORDERS, "split", bound)
    assert {number: (flag["together"].amount, {*flag["numbers"]}) for number, (flag,) in flags.items()} == found
    if bound == BOUND:
        # Whoever cancelled or drafted one is warned as well when it is submitted; the company's 80 orders are clean.
        assert found.keys() == {"PART-1", "PART-2", "GONE-1", "DRAFT-1"}
        assert found["PART-2"] == (Decimal(115_000), {"PART-1"})


async def test_the_buyer_counts_where_nobody_is_told_to_have_asked(company: PlantedCompany) -> None:
    company.plant(
        purchases=[
            order("A-1", "6000", buyer="陈立"),
            order("B-1", "6000", buyer="赵国强"),
            order("C-1", "5500", state=ReviewState.WAITING, buyer="陈立"),
        ]
    )
    (flag,) = (await company.check(PURCHASE_ORDERS, "C-1", BOUND))["split"].flags
    assert flag.params["numbers"] == ("A-1",)


async def test_without_an_amount_in_the_rules_there_is_nothing_to_stay_below(company: PlantedCompany) -> None:
    company.plant(purchases=[order("A-1", "6000"), order("B-1", "6000", state=ReviewState.WAITING)])
    for bounds in ((), (Money(Decimal(100_000), "USD"),)):
        result = (await company.check(PURCHASE_ORDERS, "B-1", *bounds))["split"]
        assert (result.flags, result.is_whole) == ((), True)
        assert "no rule has an amount" in str(result.looked_at)
