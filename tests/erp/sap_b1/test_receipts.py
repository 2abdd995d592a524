"""Goods receipts of SAP Business One: what is none, what went back, and the rights on the orders behind them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from bot.erp.errors import NotFound, NotPermitted
from bot.erp.model import ReviewState, Verdict
from bot.erp.port import ListQuery
from bot.erp.sap_b1.adapter import SapB1Erp
from bot.kit.testing.company import ReferenceCompany
from tests.erp.fakes.sap_b1 import FakeSapB1
from tests.erp.sap_b1.conftest import both_versions

EVERYTHING = ListQuery(limit=100)
NOT_ALLOWED = 403, {"error": {"code": "-1116", "message": "not authorized"}}


def add(server: FakeSapB1, entity: str = "PurchaseDeliveryNotes", **changed: Any) -> None:
    """Add a document like the first of an entity."""
    [first, *_] = server._entity("PurchaseDeliveryNotes")
    server.more.setdefault(entity, []).append(first | {"DocEntry": 99, "DocNum": 7777} | changed)


@both_versions
@pytest.mark.parametrize(
    ("entity", "changed"),
    [
        ("Drafts", {"DocObjectCode": "oPurchaseDeliveryNotes", "DocumentStatus": "bost_Open"}),
        ("PurchaseDeliveryNotes", {"Cancelled": "tYES"}),
        ("PurchaseDeliveryNotes", {"CancelStatus": "csYes"}),
        ("PurchaseDeliveryNotes", {"CancelStatus": "csCancellation"}),
        ("PurchaseDeliveryNotes", {"DocType": "dDocument_Service"}),
    ],
)
async def test_what_is_no_receipt(
    erp: SapB1Erp, server: FakeSapB1, company: ReferenceCompany, entity: str, changed: dict[str, Any]
) -> None:
    before = await erp.receipts(EVERYTHING)
    add(server, entity, **changed)
    for number in ("7777", "D99"):
        with pytest.raises(NotFound):
            await erp.receipt(number)
    assert await erp.receipts(EVERYTHING) == before
    [order] = next(iter(company.receipts.values())).order_numbers
    assert "7777" not in [each.number for each in await erp.receipts_of(order)]


async def test_people_of_the_orders_own_a_receipt(erp: SapB1Erp, company: ReferenceCompany) -> None:
    of_two = next(each for each in company.receipts.values() if len(each.order_numbers) > 1)
    orders = [await erp.purchase_order(number) for number in of_two.order_numbers]
    wanted = {
        name
        for order in orders
        for name in (order.buyer, order.review.requester, order.review.named(order.review.requester))
    }
    assert set((await erp.receipt(of_two.number)).owners) == wanted
    back = next(each for each in company.receipts.values() if each.is_return)
    assert (await erp.receipt(back.number)).owners


async def test_a_list_asks_as_often_however_long_it_is(erp: SapB1Erp, server: FakeSapB1) -> None:
    await erp.receipts(EVERYTHING)
    asked = []
    for limit in (2, 100):
        server.asked.clear()
        await erp.receipts(ListQuery(limit=limit))
        asked.append(len(server.asked))
    assert asked[1] <= asked[0] + 2


async def test_without_the_right_to_orders_receipts_name_none(
    erp: SapB1Erp, server: FakeSapB1, company: ReferenceCompany
) -> None:
    server.answers["PurchaseOrders"] = NOT_ALLOWED
    told = (await erp.receipts(EVERYTHING)).items
    assert len(told) == len(company.receipts)
    assert {(each.order_numbers, each.owners) for each in told} == {((), ())}
    with pytest.raises(NotPermitted):
        await erp.receipts_of("1011")


async def test_without_the_right_to_receipts_a_return_names_no_order(
    erp: SapB1Erp, server: FakeSapB1, company: ReferenceCompany
) -> None:
    back = next(each for each in company.receipts.values() if each.is_return)
    server.answers["PurchaseDeliveryNotes"] = NOT_ALLOWED
    assert (await erp.receipt(back.number)).order_numbers == ()
    with pytest.raises(NotPermitted):
        await erp.receipts(EVERYTHING)


@pytest.mark.parametrize("named", ["BatchNumber", "BatchNumberProperty"])
async def test_a_line_in_several_batches_names_them_all(erp: SapB1Erp, server: FakeSapB1, named: str) -> None:
    [first, *_] = server._entity("PurchaseDeliveryNotes")
    batches = [{named: "B-1", "Quantity": 1}, {named: "B-2", "Quantity": 11}]
    add(server, DocumentLines=[first["DocumentLines"][0] | {"BatchNumbers": batches}])
    [line] = (await erp.receipt("7777")).lines
    assert (line.lot, line.quantity) == ("B-1, B-2", Decimal(12))


async def test_what_came_in_of_no_order_is_told(erp: SapB1Erp, server: FakeSapB1) -> None:
    [first, *_] = server._entity("PurchaseDeliveryNotes")
    add(server, DocumentLines=[first["DocumentLines"][0] | {"BaseType": -1, "BaseEntry": None}])
    assert (await erp.receipt("7777")).order_numbers == ()


async def test_receipts_of_an_order_are_those_of_its_vendor_since_its_day(erp: SapB1Erp, server: FakeSapB1) -> None:
    assert len(await erp.receipts_of("1011")) == 2
    for entity in ("PurchaseDeliveryNotes", "PurchaseReturns"):
        [asked, *_] = [asked for asked in server.asked if asked.startswith(f"{entity}?")]
        assert "CardCode eq" in asked
        assert "DocDate ge" in asked


@pytest.mark.parametrize("entity", ["PurchaseOrders", "Orders"])
async def test_a_draft_with_the_key_of_an_order_has_nothing_of_that_order(
    erp: SapB1Erp, server: FakeSapB1, company: ReferenceCompany, entity: str
) -> None:
    purchase = entity == "PurchaseOrders"
    moved: Any = (company.receipts if purchase else company.deliveries).values()
    number = next(iter(moved)).order_numbers[0] if purchase else next(iter(moved)).order_number
    order = next(row for row in server._entity(entity) if str(row["DocNum"]) == number)
    server.more["Drafts"] = [
        order
        | {
            "DocObjectCode": f"o{entity}",
            "DocumentStatus": "bost_Open",
            "AuthorizationStatus": "dasWithout",
        }
    ]
    read: Any = erp.receipts_of if purchase else erp.deliveries_of
    assert await read(number)
    assert await read(f"D{order['DocEntry']}") == ()


async def test_a_draft_that_became_an_order_tells_what_came_in_of_it(
    erp: SapB1Erp, server: FakeSapB1, company: ReferenceCompany
) -> None:
    draft = next(number for number, each in company.purchases.items() if each.status is ReviewState.WAITING)
    company.decide(draft, Verdict.APPROVE, "anna", "")
    server.generate(draft, 555)
    [order] = [row for row in server._entity("PurchaseOrders") if row["DocNum"] == 555]
    [first, *_] = server._entity("PurchaseDeliveryNotes")
    lines = [first["DocumentLines"][0] | {"BaseEntry": order["DocEntry"]}]
    add(server, CardCode=order["CardCode"], DocDate=order["DocDate"], DocumentLines=lines)
    [receipt] = await erp.receipts_of(draft)
    assert (receipt.number, receipt.order_numbers) == ("7777", ("555",))


async def test_what_goes_back_of_a_receipt_of_two_orders_is_of_one(
    erp: SapB1Erp, server: FakeSapB1, company: ReferenceCompany
) -> None:
    of_two = next(row for row in server._entity("PurchaseDeliveryNotes") if len(row["DocumentLines"]) > 2)
    *_, last = of_two["DocumentLines"]
    line = last | {"BaseType": 20, "BaseEntry": of_two["DocEntry"], "BaseLine": last["LineNum"]}
    add(server, "PurchaseReturns", CardCode=of_two["CardCode"], DocDate=of_two["DocDate"], DocumentLines=[line])
    back = await erp.receipt("T7777")
    [one] = back.order_numbers
    others = set(company.receipts[str(of_two["DocNum"])].order_numbers) - {one}
    assert back in await erp.receipts_of(one)
    for other in others:
        assert back not in await erp.receipts_of(other)
