"""Kingdee's goods receipts and what goes back to vendors."""

from __future__ import annotations

import pytest

from bot.erp.errors import Invalid, NotFound
from bot.erp.kingdee.adapter import KingdeeErp
from bot.erp.port import ListQuery
from tests.erp.fakes.kingdee import FakeKingdee
from tests.erp.fakes.kingdee_records import FORMS, KingdeeBill

from .conftest import Open
from .fixtures import other_organisation

_IN, _BACK = "STK_InStock", "PUR_MRB"


@pytest.fixture
def erp(open_at: Open, server: FakeKingdee) -> KingdeeErp:
    return open_at(server)


def _first_order(server: FakeKingdee) -> str:
    return next(iter(server.company.receipts.values())).order_numbers[0]


@pytest.mark.parametrize("number", ["GRN-990", "GRN-991", "MRB-995"])
async def test_what_nobody_audited_what_is_void_and_what_was_never_in_stock_is_none(
    erp: KingdeeErp, server: FakeKingdee, number: str
) -> None:
    with pytest.raises(NotFound):
        await erp.receipt(number)
    assert number not in [each.number for each in (await erp.receipts(ListQuery(limit=99))).items]
    assert number not in [each.number for each in await erp.receipts_of(_first_order(server))]


async def test_a_bill_of_two_orders_and_two_warehouses_is_found_by_either_and_whole(
    erp: KingdeeErp, server: FakeKingdee
) -> None:
    known = next(FORMS[_IN][1](server.company))
    [line, *_] = known.entries["FInStockEntry"]
    orders = list(server.company.purchases)[:2]
    lines = [
        line | {"FInStockEntry_FEntryId": n, "FPOOrderNo": order, "FStockId.FName": f"Store {n}"}
        for n, order in enumerate(orders, 1)
    ]
    server.more[_IN] = [KingdeeBill(known.header | {"FID": 99, "FBillNo": "GRN-99"}, {"FInStockEntry": lines})]
    server.forget()
    receipt = await erp.receipt("grn-99")
    assert (receipt.order_numbers, receipt.warehouse, len(receipt.lines)) == (tuple(orders), "", 2)
    for order in orders:
        assert receipt in await erp.receipts_of(order)
        assert "GRN-99" in [each.number for each in (await erp.receipts(ListQuery(text=order, limit=50))).items]


async def test_lot_and_warehouse_may_be_missing(open_at: Open, server: FakeKingdee) -> None:
    server.missing |= {f"{form}.{name}" for form in (_IN, _BACK) for name in ("FLot", "FStockId")}
    erp = open_at(server)
    listed = (await erp.receipts(ListQuery(limit=99))).items
    assert listed
    for each in listed:
        receipt = await erp.receipt(each.number)
        assert (receipt.warehouse, {line.lot for line in receipt.lines}) == ("", {""})


async def test_a_number_of_a_receipt_and_a_return_is_no_guess(erp: KingdeeErp, server: FakeKingdee) -> None:
    back = next(FORMS[_BACK][1](server.company))
    number = next(FORMS[_IN][1](server.company)).header["FBillNo"]
    server.more[_BACK] = [KingdeeBill(back.header | {"FID": 99, "FBillNo": number}, back.entries)]
    server.forget()
    with pytest.raises(Invalid, match="several documents"):
        await erp.receipt(number)


async def test_an_order_number_of_two_organisations_is_a_choice(open_at: Open, server: FakeKingdee) -> None:
    erp = open_at(server, several_orgs=True)
    other_organisation(server)
    server.forget()
    with pytest.raises(Invalid, match="set the option org"):
        await erp.receipts_of(next(iter(server.company.purchases)))


async def test_a_page_costs_the_same_whatever_its_length(erp: KingdeeErp, server: FakeKingdee) -> None:
    costs = []
    await erp.receipts(ListQuery(limit=1))
    for limit in (2, 50):
        before = len(server.asked)
        await erp.receipts(ListQuery(limit=limit))
        costs.append(len(server.asked) - before)
    assert costs[1] <= costs[0] + 2, "headers, documents and people of both forms"
