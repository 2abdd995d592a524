"""What questions cost is as the page says, and within the bars."""

from __future__ import annotations

import pytest

from tests.erp import call_counts
from tests.erp.call_counts import PAGE, QUESTIONS, VENDORS, count_calls, render, row_of


@pytest.mark.sampled(2)
@pytest.mark.parametrize("vendor", VENDORS)
async def test_the_page_tells_what_a_vendor_is_asked(vendor: str) -> None:
    counts = await count_calls(vendor)
    row = row_of(vendor, counts)
    assert row in PAGE.read_text(encoding="utf-8").splitlines(), "run python -m tests.erp.call_counts"
    if vendor.startswith("Odoo"):
        assert all(calls is not None and calls <= 4 for name in ("stock", "stock in lots") for calls in counts[name])
        assert all(calls is not None and calls <= 6 for calls in counts["stock of four products"])
    assert all(calls is not None and calls <= 5 for calls in counts["customer"])
    for question in QUESTIONS:
        if not question.of_stock:
            assert len(set(counts[question.name])) == 1, "warehouses have nothing to do with it"


def test_the_table_has_every_vendor_once() -> None:
    page = PAGE.read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith(tuple(f"| {vendor} |" for vendor in VENDORS))]
    assert len(rows) == len(VENDORS)
    assert render(page, rows) == page


def test_a_cost_that_stays_the_same_is_told_once() -> None:
    counts = {question.name: (4, 4, 4) for question in QUESTIONS}
    counts["stock"], counts["stock in lots"] = (4, 5, 9), (None, None, None)
    assert (
        call_counts.row_of("Anything", counts) == "| Anything | 4, 5, 9 | – | 4 | 4 | 4 | 4 | 4 | 4 | 4 | 4 | 4 | 4 |"
    )
