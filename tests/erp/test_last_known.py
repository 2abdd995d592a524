"""Stored answers survive JSON exactly, and serve in an outage after a restart."""

from __future__ import annotations

from typing import Any

import pytest

from bot.erp.cache import ANSWER_TYPES, asked, dump, load
from bot.erp.model import Area, Slice
from bot.erp.port import Filter, ListQuery
from bot.testing.company import Clock, ReferenceCompany

COMPANY = ReferenceCompany(Clock().now().date())
SINGLE = {
    "stock": Area.STOCK,
    "order": Area.SALES,
    "invoice": Area.FINANCE,
    "purchase_order": Area.PURCHASING,
    "production_order": Area.PRODUCTION,
}


@pytest.mark.parametrize("call", SINGLE)
def test_every_record_of_the_awkward_company_comes_back_equal(call: str) -> None:
    records = tuple(COMPANY.records(SINGLE[call]).values())
    assert records
    for record in records:
        assert load(call, dump(record)) == record
    if call != "stock":
        slice_: Slice[Any] = Slice(items=records, total=99)
        assert load(f"{call}s", dump(slice_)) == slice_


def test_products_come_back_equal() -> None:
    products = tuple(COMPANY.records(Area.PRODUCTS).values())
    assert load("find_products", dump(products)) == products


@pytest.mark.parametrize(("call", "text"), [("stock", "{}"), ("stock", "no json"), ("gone", "{}")])
def test_what_an_earlier_version_wrote_otherwise_is_nothing(call: str, text: str) -> None:
    assert load(call, text) is None


def test_equal_questions_have_equal_texts() -> None:
    query = ListQuery(filter=Filter.LATE, text="x", offset=8)
    assert asked((query,)) == asked((ListQuery(filter=Filter.LATE, text="x", offset=8),))
    assert asked((query,)) != asked((ListQuery(text="x", offset=8),))
    assert len(ANSWER_TYPES) == 18
