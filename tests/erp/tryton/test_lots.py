"""Lots of Tryton: modules that may be missing, rights that may be lacking, and what a question costs."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from bot.erp.model import Quantities, WarehouseStock
from bot.erp.port import Erp
from bot.kit.testing.company import ReferenceCompany
from bot.kit.testing.fake_erp import RequestKind
from bot.kit.testing.reference_records import quantities
from tests.erp.fakes.tryton import FakeTryton, TrytonUserError
from tests.erp.tryton.test_goods import missing
from tests.erp.tryton.test_partners import Records


async def test_without_the_module_for_last_days_lots_have_none(erp: Erp, server: FakeTryton) -> None:
    days = ("expiration_date", "shelf_life_expiration_date")

    def plain(rows: Records) -> Records:
        return [{name: value for name, value in row.items() if name not in days} for row in rows]

    server.alter("stock.lot", plain)
    lots = (await erp.stock("SKU123")).lots
    assert [(lot.number, lot.warehouse, lot.expires_on) for lot in lots] == [
        ("L-2511", "MAIN", None),
        ("L-2603", "MAIN", None),
        ("L-2603", "SH", None),
    ]


async def test_without_the_module_for_lots_there_are_none(erp: Erp, server: FakeTryton) -> None:
    missing(server, "stock.lot")
    level = await erp.stock("SKU123")
    assert (level.lots, level.total.on_hand) == ((), Decimal(11370))


async def test_who_may_not_read_lots_is_told_the_stock(erp: Erp, server: FakeTryton) -> None:
    def refused(_rows: Records) -> Records:
        raise TrytonUserError('You are not allowed to access "Lot".')

    server.alter("stock.lot", refused)
    level = await erp.stock("SKU123")
    assert (level.lots, level.total.on_hand) == ((), Decimal(11370))


@pytest.mark.parametrize("warehouses", [1, 5, 30])
async def test_lots_cost_a_request_for_each_warehouse_that_has_any(
    erp: Erp, server: FakeTryton, company: ReferenceCompany, warehouses: int
) -> None:
    places = {f"W{n}": f"Store {n}" for n in range(warehouses)}
    company.warehouses |= places
    level = company.stock["SKU123"]
    used = tuple(WarehouseStock(code=code, name=name, quantities=quantities("10")) for code, name in places.items())
    lots = tuple(replace(level.lots[0], warehouse=code, quantity=Decimal(10)) for code in places)
    company.stock["SKU123"] = replace(level, per_warehouse=used, lots=lots, total=Quantities(on_hand=Decimal(10)))
    await erp.stock("SKU123")
    server.requests.clear()
    assert len((await erp.stock("SKU123")).lots) == warehouses
    pages = len(company.warehouses) // server.records_limit
    assert server.requests.count(RequestKind.READ) <= 6 + warehouses + 2 * pages
    server.requests.clear()
    await erp.stock("SKU124")
    assert server.requests.count(RequestKind.READ) <= 6 + 2 * pages
