"""ERPNext's traps about goods (docs: platform/erp/erpnext.md#goods)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bot.erp.errors import NotFound, NotPermitted
from bot.erp.goods.port import ArrivalQuery, ShortageQuery, WarehouseQuery
from bot.erp.port import ListQuery
from bot.kit.testing.fake_erp import RequestKind as Request
from tests.erp.erpnext.conftest import Open, Rows
from tests.erp.fakes.erpnext import FakeErpNext

Alter = Callable[[str, Callable[[Rows], Rows]], None]


async def test_of_several_price_lists_none_is_guessed(site: FakeErpNext, open_erp: Open) -> None:
    erp = open_erp(site)
    assert (await erp.prices("SKU123", customer="")).list_price == site.company.list_prices["SKU123"]
    site.alter("Item Price", lambda rows: [*rows, *({**row, "price_list": "Wholesale"} for row in rows)])
    assert (await erp.prices("SKU123", customer="")).list_price is None


async def test_a_price_that_is_over_or_of_one_customer_is_not_the_list(site: FakeErpNext, open_erp: Open) -> None:
    def spoil(rows: Rows) -> Rows:
        over: dict[str, Any] = {"valid_upto": "2026-01-31"}
        return [{**row, **over} for row in rows] + [{**row, "customer": "CUST-Acm"} for row in rows]

    site.alter("Item Price", spoil)
    assert (await open_erp(site).prices("SKU123", customer="")).list_price is None


async def test_drafts_and_cancelled_documents_are_no_receipts(site: FakeErpNext, open_erp: Open) -> None:
    erp, known = open_erp(site), site.company.receipts
    assert {each.number for each in (await erp.receipts(ListQuery(limit=500))).items} == known.keys()
    for number in ("GRN-DRAFT", "GRN-CANCELLED"):
        with pytest.raises(NotFound):
            await erp.receipt(number)
    for order in next(iter(known.values())).order_numbers:
        found = await erp.receipts_of(order)
        assert {each.number for each in found} == {e.number for e in known.values() if order in e.order_numbers}
    # Wildcards cannot be escaped: such texts are checked here.
    assert (await erp.receipts(ListQuery(text="GRN_DRAFT"))).items == ()


async def test_a_receipt_is_of_whoever_ordered_by_account_and_name(site: FakeErpNext, open_erp: Open) -> None:
    erp = open_erp(site)
    several = next(each for each in site.company.receipts.values() if len(each.order_numbers) > 1)
    orders = [await erp.purchase_order(number) for number in several.order_numbers]
    wanted = {
        name for order in orders for name in (order.review.requester, order.review.people[order.review.requester])
    }
    assert set((await erp.receipt(several.number)).owners) == wanted
    listed = (await erp.receipts(ListQuery(text=several.number))).items
    assert [(set(each.owners), each.order_numbers) for each in listed] == [(wanted, several.order_numbers)]


async def test_lots_that_may_not_be_read_are_not_told(site: FakeErpNext, open_erp: Open) -> None:
    erp = open_erp(site)
    number = next(each.number for each in site.company.receipts.values() if any(line.lot for line in each.lines))
    assert any(line.lot for line in (await erp.receipt(number)).lines)
    site.unreadable = {"Serial and Batch Entry", "Batch"}
    receipt = await erp.receipt(number)
    assert [line.lot for line in receipt.lines] == [""] * len(receipt.lines)


async def test_a_missing_right_is_no_empty_list(site: FakeErpNext, open_erp: Open) -> None:
    erp = open_erp(site)
    site.unreadable = {"Purchase Order"}
    with pytest.raises(NotPermitted):
        await erp.arrivals(ArrivalQuery())
    site.unreadable = {"Delivery Note"}
    with pytest.raises(NotPermitted):
        await erp.deliveries(ListQuery())
    for doctype in ("Purchase Receipt", "Purchase Order"):
        site.unreadable = {doctype}
        with pytest.raises(NotPermitted):
            await erp.receipts(ListQuery())


async def test_the_number_of_calls_does_not_grow_with_products(site: FakeErpNext, open_erp: Open) -> None:
    erp = open_erp(site)
    for ask in (
        lambda: erp.shortages(ShortageQuery(limit=500)),
        lambda: erp.arrivals(ArrivalQuery(limit=500)),
        lambda: erp.warehouse_stock(WarehouseQuery(warehouse="MAIN", limit=500)),
        lambda: erp.receipts(ListQuery(limit=500)),
        lambda: erp.product("SKU123"),
        lambda: erp.prices("SKU123", customer=""),
    ):
        await ask()
        site.requests.clear()
        await ask()
        assert site.requests.count(Request.READ) <= 9
