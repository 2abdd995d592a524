"""ERPNext's traps about goods (docs: platform/erp/erpnext.md#goods)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bot.erp.errors import NotPermitted
from bot.erp.goods_port import ArrivalQuery, ShortageQuery, WarehouseQuery
from bot.erp.port import ListQuery
from bot.testing.fake_erp import RequestKind as Request
from tests.erp.erpnext.conftest import Open, Rows
from tests.erp.fakes.erpnext import FakeErpNext

Alter = Callable[[str, Callable[[Rows], Rows]], None]


async def test_of_several_price_lists_none_is_guessed(site: FakeErpNext, open_erp: Open, alter: Alter) -> None:
    erp = open_erp(site)
    assert (await erp.prices("SKU123", customer="")).list_price == site.company.list_prices["SKU123"]
    alter("Item Price", lambda rows: [*rows, *({**row, "price_list": "Wholesale"} for row in rows)])
    assert (await erp.prices("SKU123", customer="")).list_price is None


async def test_a_price_that_is_over_or_of_one_customer_is_not_the_list(
    site: FakeErpNext, open_erp: Open, alter: Alter
) -> None:
    def spoil(rows: Rows) -> Rows:
        over: dict[str, Any] = {"valid_upto": "2026-01-31"}
        return [{**row, **over} for row in rows] + [{**row, "customer": "CUST-Acm"} for row in rows]

    alter("Item Price", spoil)
    assert (await open_erp(site).prices("SKU123", customer="")).list_price is None


async def test_a_missing_right_is_no_empty_list(site: FakeErpNext, open_erp: Open) -> None:
    erp = open_erp(site)
    site.unreadable = {"Purchase Order"}
    with pytest.raises(NotPermitted):
        await erp.arrivals(ArrivalQuery())
    site.unreadable = {"Delivery Note"}
    with pytest.raises(NotPermitted):
        await erp.deliveries(ListQuery())


async def test_the_number_of_calls_does_not_grow_with_products(site: FakeErpNext, open_erp: Open) -> None:
    erp = open_erp(site)
    for ask in (
        lambda: erp.shortages(ShortageQuery(limit=500)),
        lambda: erp.arrivals(ArrivalQuery(limit=500)),
        lambda: erp.warehouse_stock(WarehouseQuery(warehouse="MAIN", limit=500)),
        lambda: erp.product("SKU123"),
        lambda: erp.prices("SKU123", customer=""),
    ):
        await ask()
        site.requests.clear()
        await ask()
        assert site.requests.count(Request.READ) <= 9
