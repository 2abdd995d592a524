"""What a database tells about goods when its rows are not as tidy as the question."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bot.erp.errors import Ambiguous, Invalid, NotFound
from bot.erp.goods.port import ArrivalQuery, ShortageQuery, WarehouseQuery
from bot.erp.port import Capability
from tests.erp.sql.minimal_source import Open, tiny

PRODUCTS = {
    "one": "SELECT * FROM i WHERE lower(no) = lower(:sku)",
    "list": "SELECT * FROM i",
    "fields": {"sku": "no", "name": "n"},
}
TABLES = (
    "CREATE TABLE i (no TEXT, n TEXT)",
    "CREATE TABLE s (code TEXT, n TEXT)",
    "CREATE TABLE h (no TEXT, store TEXT, q TEXT, r TEXT, least TEXT)",
    "INSERT INTO i VALUES ('A', 'Steel bolt M8'), ('B', 'Nut M8')",
    "INSERT INTO s VALUES ('M', 'Main store'), ('N', 'North store')",
)
STORED = "SELECT i.n, h.* FROM h JOIN i ON i.no = h.no"


def source(url: str, **sections: Any) -> dict[str, Any]:
    return {"url": url, "zone": "UTC", "unit": "PCS", "currency": "CNY", "products": PRODUCTS, **sections}


def stores(url: str) -> dict[str, Any]:
    figures = {"sku": "no", "name": "n", "on_hand": "q", "reserved": "r"}
    return source(
        url,
        warehouses={
            "list": "SELECT * FROM s",
            "fields": {"code": "code", "name": "n"},
            "contents": {"query": f"{STORED} WHERE h.store = :warehouse", "fields": figures},
            "shortages": {"query": STORED, "fields": {**figures, "warehouse": "store", "reorder_point": "least"}},
        },
    )


async def test_batches_of_a_warehouse_are_one_product(tmp_path: Path, open_erp: Open) -> None:
    url = tiny(
        tmp_path,
        *TABLES,
        "INSERT INTO h VALUES ('A', 'M', '12345678901234.56789', '1', NULL), ('A', 'M', '0.00001', '2', NULL)",
        "INSERT INTO h VALUES ('B', 'M', '0', '0', NULL), ('B', 'N', '3', NULL, NULL)",
    )
    erp = open_erp(**stores(url))
    assert erp.capabilities == {Capability.SHORTAGES, Capability.WAREHOUSE_STOCK}
    main = await erp.warehouse_stock(WarehouseQuery(warehouse="main"))
    ((sku, on_hand, reserved),) = [
        (item.product.sku, item.quantities.on_hand, item.quantities.reserved) for item in main.items
    ]
    assert (sku, on_hand, reserved, main.total) == ("A", Decimal("12345678901234.56790"), Decimal(3), 1)
    (nut,) = (await erp.warehouse_stock(WarehouseQuery(warehouse="N"))).items
    assert (nut.quantities.on_hand, nut.quantities.reserved) == (Decimal(3), None)
    with pytest.raises(Ambiguous):
        await erp.warehouse_stock(WarehouseQuery(warehouse="store"))


@pytest.mark.parametrize(("text", "found"), [("m8", 2), ("bolt steel", 1), ("bolt nut", 0), ("\ud800", 0)])
async def test_every_word_of_a_text_is_to_be_there(tmp_path: Path, open_erp: Open, text: str, found: int) -> None:
    url = tiny(tmp_path, *TABLES, "INSERT INTO h VALUES ('A', 'M', '1', '0', NULL), ('B', 'M', '1', '0', NULL)")
    asked = WarehouseQuery(warehouse="M", text=text)
    assert (await open_erp(**stores(url)).warehouse_stock(asked)).total == found


async def test_a_reorder_point_counts_for_all_warehouses_together(tmp_path: Path, open_erp: Open) -> None:
    url = tiny(
        tmp_path,
        *TABLES,
        "INSERT INTO h VALUES ('A', 'M', '4', '0', NULL), ('A', 'N', '5', '6', '10'), ('B', 'M', '4', '0', '4')",
    )
    found = (await open_erp(**stores(url)).shortages(ShortageQuery())).items
    told = [(each.sku, each.warehouse, each.on_hand, each.reorder_point) for each in found]
    assert told == [("A", "North store", Decimal(5), None), ("A", "", Decimal(9), Decimal(10))]
    (north,) = (await open_erp(**stores(url)).shortages(ShortageQuery(warehouse="north"))).items
    assert north.missing == 1


async def test_what_arrived_in_full_or_too_much_is_not_on_its_way(tmp_path: Path, open_erp: Open) -> None:
    url = tiny(
        tmp_path,
        *TABLES,
        "CREATE TABLE p (no TEXT, sku TEXT, q TEXT, got TEXT, due TEXT)",
        "INSERT INTO p VALUES ('1', 'A', '3', '3', '2026-12-01'), ('2', 'A', '3', '4', NULL)",
        "INSERT INTO p VALUES ('3', 'A', '0.3', '0.1', NULL), ('4', 'B', '3', NULL, '2026-11-30')",
    )
    fields = {"document": "no", "sku": "sku", "quantity": "q", "received": "got", "due_on": "due"}
    erp = open_erp(**source(url, arrivals={"purchases": {"query": "SELECT * FROM p", "fields": fields}}))
    found = await erp.arrivals(ArrivalQuery())
    assert [(each.document, each.quantity) for each in found.items] == [("4", 3), ("3", Decimal("0.2"))]
    assert [each.document for each in (await erp.arrivals(ArrivalQuery(sku="a"))).items] == ["3"]
    assert (await erp.arrivals(ArrivalQuery(sku="\ud800"))).items == ()


def priced(url: str, **parts: Any) -> dict[str, Any]:
    point = {"document": "no", "day": "day", "partner": "c", "quantity": "q", "price": "p"}
    sales = {"query": "SELECT * FROM l WHERE sku = :sku", "fields": point}
    return source(url, prices={"sales": sales, **parts})


async def test_prices_to_a_customer_are_picked_from_what_the_database_gives(tmp_path: Path, open_erp: Open) -> None:
    url = tiny(
        tmp_path,
        *TABLES,
        "CREATE TABLE l (no TEXT, sku TEXT, day TEXT, c TEXT, q TEXT, p TEXT)",
        "INSERT INTO l VALUES ('1', 'A', '2026-01-01', 'Acme', '1', '1.10'), ('2', 'A', NULL, 'acme 2', '1', '1.20')",
        "INSERT INTO l VALUES ('3', 'A', '2026-02-01', 'Zeta', '1', '1.30'), ('4', 'A', '2026-01-02', NULL, '1', '1')",
    )
    listed = {"query": "SELECT '7' AS p WHERE :sku <> ''", "fields": {"standard_cost": "p"}}
    erp = open_erp(**priced(url, list_price=listed))
    prices = await erp.prices("a", customer="ACME")
    assert [point.document for point in prices.sales] == ["1", "2"]
    assert (prices.list_price, prices.purchases) == (None, ())
    assert prices.standard_cost is not None
    assert prices.standard_cost.amount == 7
    assert [point.document for point in (await erp.prices("A", customer="")).sales] == ["3", "4", "1", "2"]
    assert (await erp.prices("A", customer="\ud800")).sales == ()
    assert (await erp.prices("B", customer="")).sales == ()


async def test_two_list_prices_are_not_guessed_between(tmp_path: Path, open_erp: Open) -> None:
    url = tiny(tmp_path, *TABLES, "CREATE TABLE l (no, sku, day, c, q, p)")
    twice = {"query": "SELECT '7' AS p FROM i WHERE :sku <> ''", "fields": {"list_price": "p"}}
    with pytest.raises(Invalid, match="several rows of one product"):
        await open_erp(**priced(url, list_price=twice)).prices("A", customer="")


async def test_returned_goods_are_negative_and_unknown_orders_are_not_found(tmp_path: Path, open_erp: Open) -> None:
    url = tiny(
        tmp_path,
        "CREATE TABLE d (no TEXT, o TEXT, c TEXT, back TEXT)",
        "INSERT INTO d VALUES ('D1', 'S1', 'Acme', '0'), ('D2', 'S1', 'Acme', '1')",
    )
    deliveries = {
        "one": "SELECT * FROM d WHERE no = :number",
        "list": "SELECT * FROM d",
        "of_order": "SELECT * FROM d WHERE o = :number",
        "fields": {
            "number": "no", "order_number": "o", "customer": "c", "status": {"default": "shipped"}, "is_return": "back",
        },
        "lines": {"query": "SELECT 'A' AS no, 2 AS q WHERE :number <> ''", "fields": {"sku": "no", "quantity": "q"}},
    }  # fmt: skip
    erp = open_erp(url=url, zone="UTC", unit="PCS", deliveries=deliveries)
    found = await erp.deliveries_of("S1")
    assert [(each.number, each.is_return, each.lines[0].quantity) for each in found] == [
        ("D1", False, 2),
        ("D2", True, -2),
    ]
    with pytest.raises(NotFound):
        await erp.deliveries_of("S2")


async def test_a_part_that_is_not_configured_is_empty(tmp_path: Path, open_erp: Open) -> None:
    url = tiny(tmp_path, *TABLES)
    offer = {"query": "SELECT 'V' AS v, 2.2 AS d WHERE :sku <> ''", "fields": {"vendor": "v", "lead_days": "d"}}
    erp = open_erp(**source(url, products={**PRODUCTS, "supplies": offer}))
    details = await erp.product("a")
    assert [(each.vendor, each.lead_days) for each in details.supplies] == [("V", 3)]
    assert (details.components, details.used_in, details.reorder_point) == ((), (), None)
