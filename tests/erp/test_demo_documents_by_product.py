"""Which documents of the demo company hold a product equals what independent SQL reads from its tables."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bot.chat.product_shares import share_of
from bot.erp.goods.port import ArrivalQuery
from bot.erp.port import Filter, ListQuery
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


@pytest.mark.parametrize("sku", ["SKU123", "SKU146", "SKU124"])
async def test_orders_that_hold_a_product(erp: DemoErp, sql: sqlite3.Connection, sku: str) -> None:
    wanted = sql.execute(
        """
        SELECT o.number, o.status IN ('open', 'partly_delivered'), SUM(line.quantity),
               SUM(line.quantity - line.delivered)
        FROM demo_order o JOIN demo_order_line line USING (number_key) WHERE line.sku = ? GROUP BY o.number
        """,
        (sku,),
    ).fetchall()
    assert wanted
    everything = await erp.orders(ListQuery(product=sku.lower(), limit=ALL))
    shares = {order.number: share for order in everything.items if (share := share_of(order))}
    assert {number: share.quantity for number, share in shares.items()} == {
        number: exact(quantity) for number, _, quantity, _ in wanted
    }
    assert {number: share.left for number, share in shares.items() if share.left is not None} == {
        number: exact(left) for number, is_open, _, left in wanted if is_open
    }
    still_open = await erp.orders(ListQuery(filter=Filter.OPEN, product=sku, limit=ALL))
    assert {order.number for order in still_open.items} == {number for number, is_open, *_ in wanted if is_open}
    assert everything.total == len(wanted)


@pytest.mark.parametrize("sku", ["RM-42", "RM-05"])
async def test_purchase_orders_that_hold_a_product(erp: DemoErp, sql: sqlite3.Connection, sku: str) -> None:
    wanted = sql.execute(
        """
        SELECT o.number, SUM(line.quantity), SUM(line.quantity - line.received),
               o.status = 'approved' AND o.received <> 'full'
        FROM demo_purchase o JOIN demo_purchase_line line USING (number_key) WHERE line.sku = ? GROUP BY o.number
        """,
        (sku,),
    ).fetchall()
    assert wanted
    found = await erp.purchase_orders(ListQuery(product=sku, limit=ALL))
    shares = {order.number: share for order in found.items if (share := share_of(order))}
    assert {number: share.quantity for number, share in shares.items()} == {
        number: exact(quantity) for number, quantity, *_ in wanted
    }
    assert {number: share.left for number, share in shares.items() if share.left is not None} == {
        number: exact(left) for number, _, left, is_open in wanted if is_open
    }


async def test_what_comes_from_a_vendor(erp: DemoErp, sql: sqlite3.Connection) -> None:
    wanted = sql.execute(
        """
        SELECT o.number, line.sku, line.quantity - line.received
        FROM demo_purchase o JOIN demo_purchase_line line USING (number_key)
        WHERE o.vendor LIKE '%宝钢%' AND o.status = 'approved' AND line.quantity > line.received
        """
    ).fetchall()
    found = await erp.arrivals(ArrivalQuery(vendor="宝钢", limit=ALL))
    assert sorted((each.document, each.sku, each.quantity) for each in found.items) == sorted(
        (number, sku, exact(left)) for number, sku, left in wanted
    )
    assert found.items
