"""What lies in a warehouse of one organisation when another has one of the same code."""

from __future__ import annotations

import pytest

from bot.erp.errors import Ambiguous
from bot.erp.goods.port import ShortageQuery, WarehouseQuery
from tests.erp.fakes.kingdee import FakeKingdee
from tests.erp.fakes.kingdee_records import ORG, OTHER_ORG, KingdeeBill
from tests.erp.kingdee.conftest import Open


def _elsewhere(server: FakeKingdee) -> None:
    """Let another organisation have a warehouse of the same code, with more locked than lies there."""
    bolt = server.company.products["SKU210"]
    server.more["BD_STOCK"] = [
        KingdeeBill({"FNumber": "WEST", "FName": "Far west", "FUseOrgId.FNumber": OTHER_ORG, "FForbidStatus": "A"})
    ]
    line = {
        "FID": "far-inv", "FMaterialId.FNumber": bolt.sku, "FMaterialId.FName": bolt.name, "FStockId.FNumber": "WEST",
        "FStockId.FName": "Far west", "FStockOrgId.FNumber": OTHER_ORG, "FLot.FNumber": "", "FBaseQty": 7,
        "FBaseAVBQty": -1, "FBaseLockQty": 8, "FBaseUnitId.FName": bolt.unit, "FUpdateTime": None,
    }  # fmt: skip
    server.more["STK_Inventory"] = [KingdeeBill(line)]


async def test_warehouses_of_one_code_are_told_apart(open_at: Open, server: FakeKingdee) -> None:
    erp = open_at(server)
    _elsewhere(server)
    with pytest.raises(Ambiguous):
        await erp.warehouse_stock(WarehouseQuery(warehouse="west"))
    far = await erp.warehouse_stock(WarehouseQuery(warehouse="far west"))
    assert (far.code, [(item.product.sku, item.quantities.on_hand) for item in far.items]) == (
        f"{OTHER_ORG}/WEST",
        [("SKU210", 7)],
    )
    near = await erp.warehouse_stock(WarehouseQuery(warehouse=f"{ORG}/west"))
    assert "SKU210" not in {item.product.sku for item in near.items}


async def test_what_a_warehouse_owes_is_its_own_alone(open_at: Open, server: FakeKingdee) -> None:
    erp = open_at(server)
    _elsewhere(server)
    (short,) = (await erp.shortages(ShortageQuery(warehouse="far west"))).items
    assert (short.sku, short.owed) == ("SKU210", 1)
    assert (await erp.shortages(ShortageQuery(warehouse=f"{ORG}/west"))).total == 0
