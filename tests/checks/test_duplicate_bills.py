"""Bills that were entered before: the planted ones are flagged, with SQL's figures, and no other."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Any

from bot.erp.kinds import BILLS
from bot.erp.model import InvoiceStatus
from tests.checks.planted import PlantedCompany, bill, exact

_TWICE = """
    SELECT now.number, other.number, other.issued_on, now.reference, now.total,
           LOWER(other.reference) = LOWER(now.reference)
    FROM demo_bill now JOIN demo_bill other ON (other.vendor, other.is_credit_note) = (now.vendor, now.is_credit_note)
        AND other.number_key <> now.number_key AND other.status NOT IN ('draft', 'void')
    WHERE (now.reference <> '' AND LOWER(other.reference) = LOWER(now.reference))
       OR (other.total, other.currency) = (now.total, now.currency)
           AND ABS(JULIANDAY(other.issued_on) - JULIANDAY(now.issued_on)) <= 10
    ORDER BY now.number, other.number
"""


async def test_what_was_entered_twice_is_flagged_and_nothing_else(company: PlantedCompany) -> None:
    company.plant(
        bills=[
            bill("PAPER-1", "500", ago=90, reference="R-77", status=InvoiceStatus.PAID),
            bill("PAPER-2", "600", reference="r-77"),
            bill("TOTAL-1", "700.01", ago=9, reference="R-1"),
            bill("TOTAL-2", "700.01", reference="R-2"),
            bill("MONTH-1", "800", ago=30, reference="R-3"),
            bill("MONTH-2", "800", reference="R-4"),
            bill("VOID-1", "900", ago=1, reference="R-5", status=InvoiceStatus.VOID),
            bill("DRAFT-1", "900", ago=1, reference="R-5", status=InvoiceStatus.DRAFT),
            bill("CREDIT-1", "900", ago=1, reference="R-5", is_credit_note=True),
            bill("VENDOR-1", "900", ago=1, reference="R-5", vendor="永康市金工量具有限公司"),
            bill("NEW-1", "900", reference="R-5"),
            *(bill(f"CLEAN-{place}", str(1_000 + place), ago=place % 9, reference=f"C-{place}") for place in range(50)),
        ]
    )
    expected: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for number, other, day, reference, total, same_paper in company.sql(_TWICE):
        same = {"same.reference": reference} if same_paper else {"same.total": exact(total)}
        expected[number].append({**same, "number": other, "day": date.fromisoformat(day)})
    flags = await company.flags(BILLS, "duplicate")
    for each in flags.values():
        for flag in each:
            if total := flag.get("same.total"):
                flag["same.total"] = total.amount
    assert flags == expected
    # A draft and a void bill are told of the bill that stands; nobody is told of them.
    assert expected.keys() == {"PAPER-1", "PAPER-2", "TOTAL-1", "TOTAL-2", "VOID-1", "DRAFT-1"}
