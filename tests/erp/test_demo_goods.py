"""The demo ERP's figures about goods equal what independent SQL reads from its tables."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bot.erp.errors import NotFound
from bot.erp.goods.port import ArrivalQuery, ShortageQuery, WarehouseQuery
from bot.erp.model.goods import DeliveryStatus
from bot.erp.port import Filter, ListQuery, Period
from bot.kit.company.adapter import DemoErp, open_demo

from .conftest import NOW, TODAY

ALL = 10_000


@pytest.fixture
async def erp(demo_file: Path) -> AsyncIterator[DemoErp]:
    erp = await open_demo(demo_file, today=TODAY, now=lambda: NOW)
    yield erp
    await erp.close()


@pytest.fixture
def sql(demo_file: Path, erp: DemoErp) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(demo_file)
    yield connection
    connection.close()


def exact(value: Any) -> Decimal:
    """Return a figure as `bot.mechanisms.column_types` stores it."""
    return Decimal(value).scaleb(-6)


def test_what_left_and_is_to_leave_is_what_orders_say(sql: sqlite3.Connection) -> None:
    wrong = sql.execute(
        """
        WITH left AS (
            SELECT d.order_key, l.sku, d.status, SUM(l.quantity) AS quantity
            FROM demo_delivery d JOIN demo_delivery_line l USING (number_key) GROUP BY 1, 2, 3
        )
        SELECT o.number, line.sku FROM demo_order o JOIN demo_order_line line USING (number_key)
        LEFT JOIN left sent ON (sent.order_key, sent.sku, sent.status) = (o.number_key, line.sku, 'shipped')
        LEFT JOIN left rest ON (rest.order_key, rest.sku, rest.status) = (o.number_key, line.sku, 'planned')
        WHERE COALESCE(sent.quantity, 0) <> line.delivered
           OR COALESCE(rest.quantity, 0) <> CASE
                WHEN o.status IN ('open', 'partly_delivered') THEN line.quantity - line.delivered ELSE 0 END
        """
    ).fetchall()
    assert wrong == []
    shipped = sql.execute("SELECT carrier, tracking, shipped_on FROM demo_delivery WHERE status = 'shipped'").fetchall()
    assert len(shipped) > 100
    assert all(carrier and tracking and day < TODAY.isoformat() for carrier, tracking, day in shipped)
    assert len({tracking for _, tracking, _ in shipped}) == len(shipped)


def test_what_came_in_is_what_purchase_orders_say(sql: sqlite3.Connection) -> None:
    wrong = sql.execute(
        """
        WITH came AS (
            SELECT r.orders, l.sku, SUM(l.quantity) AS quantity
            FROM demo_receipt r JOIN demo_receipt_line l USING (number_key) GROUP BY 1, 2
        )
        SELECT o.number, line.sku FROM demo_purchase o JOIN demo_purchase_line line USING (number_key)
        LEFT JOIN came ON (came.orders, came.sku) = (o.number, line.sku)
        WHERE COALESCE(came.quantity, 0) <> line.received
        """
    ).fetchall()
    assert wrong == []
    (count, vendors) = sql.execute(
        "SELECT COUNT(*), SUM(r.vendor = o.vendor) FROM demo_receipt r JOIN demo_purchase o ON o.number = r.orders"
    ).fetchone()
    assert count == vendors > 40


async def test_receipts_of_days_are_those_of_the_table(erp: DemoErp, sql: sqlite3.Connection) -> None:
    days = Period(TODAY - timedelta(days=7), TODAY - timedelta(days=1))
    found = await erp.receipts(ListQuery(during=days, limit=ALL))
    wanted = sql.execute(
        "SELECT number FROM demo_receipt WHERE received_on BETWEEN ? AND ? ORDER BY received_on DESC, number",
        (days.first.isoformat(), days.last.isoformat()),
    ).fetchall()
    assert [(each.number,) for each in found.items] == wanted
    assert found.total == len(wanted) > 5


async def test_so_1001_left_in_two_parts_and_the_rest_is_late(erp: DemoErp) -> None:
    first, second, rest = await erp.deliveries_of("so-1001")
    assert [each.number for each in (first, second, rest)] == ["DN-1001", "DN-1002", "DN-1003"]
    assert [line.quantity for line in first.lines if line.sku == "SKU123"] == [4_000]
    assert [line.quantity for line in second.lines if line.sku == "SKU123"] == [2_000]
    assert (rest.status, rest.days_late(TODAY)) == (DeliveryStatus.PLANNED, 9)
    assert rest.number in [
        each.number for each in (await erp.deliveries(ListQuery(filter=Filter.LATE, limit=ALL))).items
    ]


async def test_arrivals_are_the_open_lines(erp: DemoErp, sql: sqlite3.Connection) -> None:
    until = TODAY + timedelta(days=6)
    wanted = sql.execute(
        """
        SELECT o.number, l.sku, l.quantity - l.received, o.due_on
        FROM demo_purchase o JOIN demo_purchase_line l USING (number_key)
        WHERE o.status = 'approved' AND l.quantity > l.received AND o.due_on <= :until
        UNION ALL
        SELECT number, sku, planned - produced, due_on FROM demo_production
        WHERE status IN ('released', 'running') AND planned > produced AND due_on <= :until
        """,
        {"until": until.isoformat()},
    ).fetchall()
    found = await erp.arrivals(ArrivalQuery(until=until, limit=ALL))
    told = [(each.document, each.sku, each.quantity, str(each.due_on)) for each in found.items]
    assert sorted(told) == sorted((number, sku, exact(open_), due) for number, sku, open_, due in wanted)
    assert [each.due_on for each in found.items] == sorted(each.due_on for each in found.items if each.due_on)
    assert len(told) > 10


async def test_shortages_are_what_the_figures_say(erp: DemoErp, sql: sqlite3.Connection) -> None:
    below = sql.execute(
        """
        SELECT p.sku FROM demo_product p JOIN demo_stock s USING (sku_key) GROUP BY p.sku_key
        HAVING p.reorder_point IS NOT NULL AND SUM(s.on_hand - s.reserved) < p.reorder_point
        """
    ).fetchall()
    owed = sql.execute(
        "SELECT p.sku, s.warehouse FROM demo_stock s JOIN demo_product p USING (sku_key) WHERE s.outgoing > s.on_hand"
    ).fetchall()
    found = (await erp.shortages(ShortageQuery(limit=ALL))).items
    assert sorted((each.sku,) for each in found if not each.warehouse_code) == sorted(below)
    assert sorted((each.sku, each.warehouse_code) for each in found if each.warehouse_code) == sorted(owed)
    assert all(each.missing > 0 for each in found)
    assert "SKU123" in {each.sku for each in found}
    here = (await erp.shortages(ShortageQuery(warehouse="上海", limit=ALL))).items
    assert {each.warehouse for each in here} == {"上海仓"}


async def test_a_warehouse_holds_what_lies_there(erp: DemoErp, sql: sqlite3.Connection) -> None:
    wanted = sql.execute(
        "SELECT p.sku, s.on_hand FROM demo_stock s JOIN demo_product p USING (sku_key) "
        "WHERE s.warehouse = 'SZ' AND (s.on_hand <> 0 OR s.reserved <> 0) ORDER BY p.sku"
    ).fetchall()
    found = await erp.warehouse_stock(WarehouseQuery(warehouse="深圳", limit=ALL))
    assert [(each.product.sku, each.quantities.on_hand) for each in found.items] == [
        (sku, exact(on_hand)) for sku, on_hand in wanted
    ]
    assert (found.code, found.name, found.total) == ("SZ", "深圳仓", len(wanted))
    screws = await erp.warehouse_stock(WarehouseQuery(warehouse="sz", text="螺丝 盘头", limit=3))
    assert {each.product.name for each in screws.items} == {"螺丝 十字盘头"}


async def test_prices_are_those_of_the_last_documents(erp: DemoErp, sql: sqlite3.Connection) -> None:
    sku = "SKU146"
    wanted = sql.execute(
        "SELECT o.number, l.price FROM demo_order o JOIN demo_order_line l USING (number_key) "
        "WHERE l.sku = ? AND o.status NOT IN ('draft', 'cancelled') ORDER BY o.ordered_on DESC, o.number LIMIT 5",
        (sku,),
    ).fetchall()
    prices = await erp.prices(sku, customer="")
    assert [(each.document, each.price and each.price.amount) for each in prices.sales] == [
        (number, exact(price)) for number, price in wanted
    ]
    (to_one,) = (await erp.prices(sku, customer="宏达")).sales
    assert (to_one.document, to_one.partner) == ("SO-1001", "杭州宏达机电设备有限公司")
    with pytest.raises(NotFound):
        await erp.prices("NO-SUCH", customer="")


async def test_a_fan_tells_its_parts_and_a_box_its_uses(erp: DemoErp) -> None:
    fan, box = await erp.product("fan-21"), await erp.product("RM-52")
    assert [part.sku for part in fan.components] == ["RM-41", "RM-31", "RM-52"]
    assert "FAN-21" in [use.sku for use in box.used_in]
    assert box.used_in_total >= len(box.used_in)
    assert box.supplies
