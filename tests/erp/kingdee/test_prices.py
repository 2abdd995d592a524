"""What Kingdee's materials were sold and bought for."""

from __future__ import annotations

import pytest

from bot.erp.errors import NotPermitted
from bot.erp.goods.port import LAST_PRICES
from bot.erp.kingdee.adapter import KingdeeErp
from bot.erp.model import Area
from tests.erp.fakes.kingdee import FakeKingdee
from tests.erp.fakes.kingdee_records import FORMS, KingdeeBill

from .conftest import Open

SKU = "SKU123"


@pytest.fixture
def erp(open_at: Open, server: FakeKingdee) -> KingdeeErp:
    return open_at(server)


async def test_only_the_last_lines_are_asked_for(erp: KingdeeErp, server: FakeKingdee) -> None:
    found = await erp.prices(SKU, customer="")
    assert found.sales
    limits = [sent["data"].get("Limit", 0) for _, sent in server.asked if sent["data"].get("FormId") == "SAL_SaleOrder"]
    assert [limit for limit in limits if limit] == [LAST_PRICES]


async def test_a_name_is_compared_exactly(erp: KingdeeErp, server: FakeKingdee) -> None:
    known = next(
        bill
        for bill in FORMS["SAL_SaleOrder"][1](server.company)
        if bill.header["FDocumentStatus"] == "C"
        and any(line["FMaterialId.FNumber"] == SKU for line in bill.entries["FSaleOrderEntry"])
    )
    header = known.header | {"FID": 99, "FBillNo": "SO-99", "FCustId.FName": "A-B Ltd"}
    server.more["SAL_SaleOrder"] = [KingdeeBill(header, known.entries)]
    server.forget()
    assert [point.document for point in (await erp.prices(SKU, customer="a-b")).sales] == ["SO-99"]
    assert (await erp.prices(SKU, customer="a_b")).sales == ()


@pytest.mark.parametrize("area", [Area.SALES, Area.PURCHASING, Area.PRODUCTS])
async def test_a_missing_right_is_no_empty_price(erp: KingdeeErp, server: FakeKingdee, area: Area) -> None:
    server.faults.forbid(area)
    with pytest.raises(NotPermitted):
        await erp.prices(SKU, customer="")
