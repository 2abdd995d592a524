"""Kingdee's delivery notes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.erp.errors import Invalid
from bot.erp.kingdee.adapter import KingdeeErp
from bot.erp.model.goods import DeliveryStatus
from bot.erp.port import Filter, ListQuery
from bot.kit.testing.company import TODAY
from tests.erp.fakes.kingdee import FakeKingdee
from tests.erp.fakes.kingdee_records import FORMS, KingdeeBill

from .conftest import Open
from .fixtures import other_organisation


@pytest.fixture
def erp(open_at: Open, server: FakeKingdee) -> KingdeeErp:
    return open_at(server)


def note(server: FakeKingdee) -> KingdeeBill:
    known = next(FORMS["SAL_OUTSTOCK"][1](server.company))
    return KingdeeBill(known.header | {"FID": 99, "FBillNo": "DN-99"}, known.entries)


def add(server: FakeKingdee, bill: KingdeeBill) -> None:
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
    add(server, KingdeeBill(bill.header, {"FEntity": lines}))
    delivery = await erp.delivery("DN-99")
    assert (delivery.order_number, delivery.warehouse, len(delivery.lines)) == (", ".join(orders), "", 2)
    for order in orders:
        assert delivery in await erp.deliveries_of(order)
        assert "DN-99" in [each.number for each in (await erp.deliveries(ListQuery(text=order, limit=50))).items]


async def test_a_note_that_nobody_audited_has_not_left_and_may_be_late(erp: KingdeeErp, server: FakeKingdee) -> None:
    bill = note(server)
    day = TODAY - timedelta(days=2)
    add(server, KingdeeBill(bill.header | {"FDocumentStatus": "A", "FDate": day}, bill.entries))
    delivery = await erp.delivery("DN-99")
    assert (delivery.status, delivery.planned_on, delivery.shipped_on) == (DeliveryStatus.READY, day, None)
    assert "DN-99" in [each.number for each in (await erp.deliveries(ListQuery(filter=Filter.LATE))).items]


async def test_carrier_and_tracking_may_be_missing(open_at: Open, server: FakeKingdee) -> None:
    server.missing |= {f"SAL_OUTSTOCK.{name}" for name in ("FCarrierID", "FCarriageNO", "FSalesManID", "FStockID")}
    add(server, note(server))
    delivery = await open_at(server).delivery("DN-99")
    assert (delivery.carrier, delivery.tracking, delivery.salesperson, delivery.warehouse) == ("", "", "", "")


async def test_an_order_number_of_two_organisations_is_a_choice(open_at: Open, server: FakeKingdee) -> None:
    erp = open_at(server, several_orgs=True)
    other_organisation(server)
    server.forget()
    with pytest.raises(Invalid, match="set the option org"):
        await erp.deliveries_of(next(iter(server.company.orders)))
