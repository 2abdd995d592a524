"""What APIs of several kinds tell about goods."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web

from bot.erp.errors import Invalid, NotFound
from bot.erp.goods.port import ArrivalQuery, WarehouseQuery
from tests.erp.rest.scripted_server import Open, ScriptedServer, Start

ITEM = {"no": "A", "n": "Bolt", "price": "1.10", "vendors": {"7": {"name": "Acme"}}}


def source(url: str, **sections: Any) -> dict[str, Any]:
    products = {"one": "/items/{sku}", "list": "/items", "fields": {"sku": "no", "name": "n"}}
    products |= sections.pop("products", {})
    return {"url": url, "zone": "UTC", "unit": "PCS", "currency": "CNY", "products": products, **sections}


async def test_a_product_s_own_record_may_tell_everything(start: Start, open_erp: Open) -> None:
    server = await start(ScriptedServer(lambda request: ITEM))
    erp = open_erp(
        **source(
            server.url,
            products={"supplies": {"at": "vendors", "fields": {"vendor": "name", "code": "key"}}},
            prices={"list_price": {"fields": {"list_price": "price"}}},
        )
    )
    (acme,) = (await erp.product("a")).supplies
    assert (acme.vendor, acme.code) == ("Acme", "7")
    prices = await erp.prices("A", customer="")
    assert prices.list_price is not None
    assert prices.list_price.amount == Decimal("1.10")
    assert len(server.asked) == 2


async def test_a_product_without_further_details_has_none(start: Start, open_erp: Open) -> None:
    def reply(request: web.Request) -> Any:
        return web.Response(status=404) if request.path.endswith("/more") else ITEM

    server = await start(ScriptedServer(reply))
    part = {"at": "vendors", "fields": {"vendor": "name"}}
    erp = open_erp(**source(server.url, products={"details": "/items/{sku}/more", "supplies": part}))
    assert (await erp.product("A")).supplies == ()


@pytest.mark.parametrize("vendors", ["Acme", 7])
async def test_what_is_no_list_is_said_to_be_none(start: Start, open_erp: Open, vendors: Any) -> None:
    server = await start(ScriptedServer(lambda request: {**ITEM, "vendors": vendors}))
    part = {"at": "vendors", "fields": {"vendor": "name"}}
    with pytest.raises(Invalid, match=r"products\.supplies\.at leads to no list"):
        await open_erp(**source(server.url, products={"supplies": part})).product("A")


async def test_only_rows_of_the_named_states_and_product_count(start: Start, open_erp: Open) -> None:
    orders = [
        {"no": "1", "v": "V", "st": 5, "rows": [{"sku": "A", "q": 3, "got": 1}, {"sku": "B", "q": 1}]},
        {"no": "2", "v": "V", "st": "4", "rows": [{"sku": "A", "q": 3}]},
        {"no": "3", "v": "V", "st": "3", "rows": None},
    ]
    server = await start(ScriptedServer(lambda request: orders))
    fields = {"document": "^.no", "sku": "sku", "quantity": "q", "received": "got", "partner": "^.v"}
    part = {"list": "/po", "inside": "rows", "only": {"^.st": ["5", "3"]}, "fields": fields}
    erp = open_erp(**source(server.url, arrivals={"purchases": part}))
    found = (await erp.arrivals(ArrivalQuery())).items
    assert [(each.document, each.sku, each.quantity) for each in found] == [("1", "A", 2), ("1", "B", 1)]
    assert [each.sku for each in (await erp.arrivals(ArrivalQuery(sku="b"))).items] == ["B"]


async def test_a_source_of_arrivals_alone_is_checked_by_them(start: Start, open_erp: Open) -> None:
    server = await start(ScriptedServer(lambda request: []))
    part = {
        "list": {"path": "/po", "params": {"sku": "{sku}"}},
        "fields": {"document": "d", "sku": "s", "quantity": "q"},
    }
    await open_erp(url=server.url, zone="UTC", unit="PCS", arrivals={"productions": part}).check()
    assert [path for _, path, _ in server.asked] == ["/po"]


async def test_rows_that_are_no_records_are_an_unreadable_answer(start: Start, open_erp: Open) -> None:
    server = await start(ScriptedServer(lambda request: [{"no": "1", "rows": ["A", "B"]}]))
    part = {"list": "/po", "inside": "rows", "fields": {"document": "^.no", "sku": "sku", "quantity": "q"}}
    with pytest.raises(Invalid, match="unreadable"):
        await open_erp(**source(server.url, arrivals={"purchases": part})).arrivals(ArrivalQuery())


async def test_contents_may_be_asked_for_by_the_id_of_a_warehouse(start: Start, open_erp: Open) -> None:
    def reply(request: web.Request) -> Any:
        if request.path == "/stores":
            return [{"id": 17, "ref": "M", "n": "Main"}]
        return [{"no": "A", "n": "Bolt", "q": 2}, {"no": "B", "n": "Nut", "q": 0}]

    server = await start(ScriptedServer(reply))
    warehouses = {
        "list": "/stores",
        "fields": {"id": "id", "code": "ref", "name": "n"},
        "contents": {"list": "/stores/{id}/items", "fields": {"sku": "no", "name": "n", "on_hand": "q"}},
    }
    contents = await open_erp(**source(server.url, warehouses=warehouses)).warehouse_stock(
        WarehouseQuery(warehouse="main")
    )
    assert [item.product.sku for item in contents.items] == ["A"]
    assert [path for _, path, _ in server.asked] == ["/stores", "/stores/17/items"]


async def test_without_sales_an_order_without_deliveries_is_not_found(start: Start, open_erp: Open) -> None:
    known = [{"no": "D1", "c": "Acme", "rows": [{"sku": "A", "q": 2}]}]

    def reply(request: web.Request) -> Any:
        return known if request.query.get("o") == "S1" else []

    server = await start(ScriptedServer(reply))
    deliveries = {
        "one": "/d/{number}",
        "list": "/d",
        "of_order": {"path": "/d", "params": {"o": "{number}"}},
        "fields": {"number": "no", "customer": "c", "status": {"default": "shipped"}, "is_return": {"default": 1}},
        "lines": {"at": "rows", "fields": {"sku": "sku", "quantity": "q"}},
    }
    erp = open_erp(url=server.url, zone="UTC", unit="PCS", deliveries=deliveries)
    (delivery,) = await erp.deliveries_of("S1")
    assert (delivery.is_return, delivery.lines[0].quantity) == (True, -2)
    with pytest.raises(NotFound):
        await erp.deliveries_of("S2")
