"""What Kingdee tells about goods: materials, prices, warehouses, deliveries, receipts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.erp.errors import Ambiguous, Invalid, NotFound, NotPermitted
from bot.erp.goods.port import LAST_PRICES, ShortageQuery, WarehouseQuery
from bot.erp.kingdee.adapter import KingdeeErp
from bot.erp.kingdee.client import KingdeeClient
from bot.erp.kingdee.query import BOMS, Form
from bot.erp.model import Area
from bot.erp.model.goods import DeliveryStatus
from bot.erp.port import Filter, ListQuery
from bot.kit.testing.company import TODAY
from tests.erp.fakes.kingdee import FakeKingdee
from tests.erp.fakes.kingdee_records import FORMS, ORG, OTHER_ORG, KingdeeBill

from .conftest import Open
from .fixtures import other_organisation

# Details of materials


@pytest.mark.parametrize("error", [NotPermitted("no right"), Invalid("no such form")])
async def test_a_company_without_bills_of_material_has_no_components(
    open_at: Open, server: FakeKingdee, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    ask, fields = KingdeeClient.query_each, KingdeeClient.fields

    async def refused(self: KingdeeClient, form: Form, *args: object, **given: object) -> object:
        if form is BOMS:
            raise error
        return await ask(self, form, *args, **given)  # type: ignore[arg-type]  # passed on as they are

    async def known(self: KingdeeClient, form: str) -> object:
        return None if form == BOMS.id else await fields(self, form)

    monkeypatch.setattr(KingdeeClient, "query_each", refused)
    monkeypatch.setattr(KingdeeClient, "fields", known)
    details = await open_at(server).product("SKU128")
    assert (details.components, details.used_in_total) == ((), 0)
    assert details.reorder_point is not None


# Prices


SKU = "SKU123"


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


# Warehouses


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


# Deliveries


def note(server: FakeKingdee) -> KingdeeBill:
    known = next(FORMS["SAL_OUTSTOCK"][1](server.company))
    return KingdeeBill(known.header | {"FID": 99, "FBillNo": "DN-99"}, known.entries)


def add_note(server: FakeKingdee, bill: KingdeeBill) -> None:
    server.more["SAL_OUTSTOCK"] = [bill]
    server.forget()


async def test_a_note_of_two_orders_is_found_by_either_and_whole(erp: KingdeeErp, server: FakeKingdee) -> None:
    bill = note(server)
    [line, *_] = bill.entries["FEntity"]
    orders = list(server.company.orders)[:2]
    lines = [
        line | {"FEntity_FEntryId": n, "FSoorDerno": order, "FStockID.FName": f"Store {n}"}
        for n, order in enumerate(orders, 1)
    ]
    add_note(server, KingdeeBill(bill.header, {"FEntity": lines}))
    delivery = await erp.delivery("DN-99")
    assert (delivery.order_number, delivery.warehouse, len(delivery.lines)) == (", ".join(orders), "", 2)
    for order in orders:
        assert delivery in await erp.deliveries_of(order)
        assert "DN-99" in [each.number for each in (await erp.deliveries(ListQuery(text=order, limit=50))).items]


async def test_a_note_that_nobody_audited_has_not_left_and_may_be_late(erp: KingdeeErp, server: FakeKingdee) -> None:
    bill = note(server)
    day = TODAY - timedelta(days=2)
    add_note(server, KingdeeBill(bill.header | {"FDocumentStatus": "A", "FDate": day}, bill.entries))
    delivery = await erp.delivery("DN-99")
    assert (delivery.status, delivery.planned_on, delivery.shipped_on) == (DeliveryStatus.READY, day, None)
    assert "DN-99" in [each.number for each in (await erp.deliveries(ListQuery(filter=Filter.LATE))).items]


async def test_carrier_and_tracking_may_be_missing(open_at: Open, server: FakeKingdee) -> None:
    server.missing |= {f"SAL_OUTSTOCK.{name}" for name in ("FCarrierID", "FCarriageNO", "FSalesManID", "FStockID")}
    add_note(server, note(server))
    delivery = await open_at(server).delivery("DN-99")
    assert (delivery.carrier, delivery.tracking, delivery.salesperson, delivery.warehouse) == ("", "", "", "")


async def test_an_order_number_of_two_organisations_is_a_choice(open_at: Open, server: FakeKingdee) -> None:
    erp = open_at(server, several_orgs=True)
    other_organisation(server)
    server.forget()
    for read, orders in ((erp.deliveries_of, server.company.orders), (erp.receipts_of, server.company.purchases)):
        with pytest.raises(Invalid, match="set the option org"):
            await read(next(iter(orders)))


# Receipts and what goes back to vendors


_IN, _BACK = "STK_InStock", "PUR_MRB"


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


async def test_a_page_costs_the_same_whatever_its_length(erp: KingdeeErp, server: FakeKingdee) -> None:
    costs = []
    await erp.receipts(ListQuery(limit=1))
    for limit in (2, 50):
        before = len(server.asked)
        await erp.receipts(ListQuery(limit=limit))
        costs.append(len(server.asked) - before)
    assert costs[1] <= costs[0] + 2, "headers, documents and people of both forms"
