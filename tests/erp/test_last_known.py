"""Stored answers survive JSON exactly, and serve in an outage after a restart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.erp.cache import ANSWER_TYPES, asked, dump, load
from bot.erp.kinds import KINDS
from bot.erp.model import Area, Slice
from bot.erp.port import Filter, ListQuery
from bot.kit.testing.company import Clock, ReferenceCompany
from tests.rows import each_row

COMPANY = ReferenceCompany(Clock().now().date())
RECORDS: Mapping[str, Mapping[str, Any]] = {
    "stock": COMPANY.stock,
    **{kind.call: COMPANY.documents(kind) for kind in KINDS},
}
LISTED = {kind.call: kind.list_call for kind in KINDS}


@each_row("call", RECORDS)
def test_every_record_of_the_awkward_company_comes_back_equal(call: str) -> None:
    records = tuple(RECORDS[call].values())
    assert records
    for record in records:
        assert load(call, dump(record)) == record
    if call in LISTED:
        slice_: Slice[Any] = Slice(items=records, total=99)
        assert load(LISTED[call], dump(slice_)) == slice_


def test_products_come_back_equal() -> None:
    products = tuple(COMPANY.records(Area.PRODUCTS).values())
    assert load("find_products", dump(products)) == products


@each_row(("call", "text"), [("stock", "{}"), ("stock", "no json"), ("gone", "{}")])
def test_what_an_earlier_version_wrote_otherwise_is_nothing(call: str, text: str) -> None:
    assert load(call, text) is None


def test_equal_questions_have_equal_texts() -> None:
    query = ListQuery(filter=Filter.LATE, text="x", offset=8)
    assert asked((query,)) == asked((ListQuery(filter=Filter.LATE, text="x", offset=8),))
    assert asked((query,)) != asked((ListQuery(text="x", offset=8),))
    assert len(ANSWER_TYPES) == 2 * len(KINDS) + 9, "a list of each kind, and what is told about goods"
