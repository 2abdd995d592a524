"""Odoo's traps about goods (docs: platform/erp/odoo.md#goods)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from bot.erp.errors import NotFound, NotPermitted, Unsupported
from bot.erp.goods.port import ArrivalQuery, ShortageQuery, WarehouseQuery
from bot.erp.model import Area, Feed, Progress, Quantities
from bot.erp.model.goods import DeliveryStatus
from bot.erp.port import Filter, ListQuery
from bot.kit.testing.company import TODAY
from bot.kit.testing.fake_erp import RequestKind as Request
from tests.erp.fakes.odoo import FakeOdoo
from tests.erp.fakes.odoo_engine import Many2One, OdooModel, Record
from tests.erp.fakes.odoo_records import return_number
from tests.erp.odoo.conftest import Open, changed, of_services
from tests.rows import each_row


async def test_receipts_are_what_vendors_brought_and_took_back(open_odoo: Open) -> None:
    erp, server = await open_odoo()
    known = server.company.receipts
    found = await erp.receipts(ListQuery(limit=500))
    assert {each.number for each in found.items} == known.keys()
    # To come, cancelled, from a vendor to a customer at once, and from another warehouse.
    for number in ("GRN-TO-COME", "GRN-CANCELLED", "GRN-DROPSHIPPED", "GRN-RESUPPLY"):
        with pytest.raises(NotFound):
            await erp.receipt(number)
    returned = next(each for each in known.values() if each.is_return)
    assert returned.number not in {each.number for each in (await erp.deliveries(ListQuery(limit=500))).items}
    of_order = await erp.receipts_of(*returned.order_numbers)
    assert {each.number for each in of_order} == {"GRN-1001", returned.number}


async def test_a_sister_company_brings_goods_by_a_place_in_between(open_odoo: Open) -> None:
    erp, server = await open_odoo()
    transit = Many2One("stock.location", 6, "Transit")
    changed(
        server, "stock.picking", location_id=lambda row: transit if row.get("purchase_id") else row.get("location_id")
    )
    assert not (await erp.receipt("GRN-1001")).is_return
    assert (await erp.receipts(ListQuery(text="GRN-1001"))).total == 1


async def test_what_goes_back_to_a_sister_company_is_a_return_and_no_delivery(open_odoo: Open) -> None:
    erp, server = await open_odoo()
    known = server.company.receipts
    returned = next(each for each in known.values() if each.is_return)
    to_sister(server, lambda row: bool(row.get("purchase_id")) and row["picking_type_code"] == "outgoing")
    back = await erp.receipt(returned.number)
    assert (back.is_return, back.lines) == (True, returned.lines)
    assert not (await erp.receipt("GRN-1001")).is_return
    assert {each.number for each in (await erp.receipts(ListQuery(limit=500))).items} == known.keys()
    assert (await erp.deliveries(ListQuery(text=returned.number))).items == ()


async def test_what_leaves_for_another_warehouse_is_no_delivery_and_for_a_sister_company_is_one(
    open_odoo: Open,
) -> None:
    erp, server = await open_odoo()
    to_sister(server, lambda row: row["id"] == int(server.company.deliveries["DN-1001"].id))
    assert (await erp.delivery("DN-1001")).lines == server.company.deliveries["DN-1001"].lines
    changed(server, "stock.picking", sale_id=lambda _: None)
    with pytest.raises(NotFound):
        await erp.delivery("DN-1001")


def to_sister(server: FakeOdoo, which: Callable[[Record], bool]) -> None:
    """Let some transfers go to the place between companies."""
    transit = Many2One("stock.location", 6, "Transit")
    changed(
        server,
        "stock.picking",
        location_dest_id=lambda row: transit if which(row) else row.get("location_dest_id"),
    )


@each_row(
    "change",
    [
        {},
        # Where the kind of deliveries names no kind for returns.
        {"picking_type_code": "outgoing"},
        {"location_id": Many2One("stock.location", 6, "Transit")},
    ],
)
async def test_what_a_customer_sends_back_is_told_as_a_return(change: dict[str, Any], open_odoo: Open) -> None:
    erp, server = await open_odoo()
    sent = next(each for each in server.company.deliveries.values() if each.shipped_on is not None)
    server.records.returns.append(sent.number)
    number = return_number(sent.number)
    changed(
        server,
        "stock.picking",
        **{
            name: lambda row, name=name, value=value: value if row.get("name") == number else row.get(name)
            for name, value in change.items()
        },
    )
    back = await erp.delivery(number)
    assert (back.is_return, back.status, back.days_late(TODAY)) == (True, DeliveryStatus.SHIPPED, 0)
    assert (back.order_number, back.customer) == (sent.order_number, sent.customer)
    assert [line.quantity for line in back.lines] == [-line.quantity for line in sent.lines]
    listed = (await erp.deliveries(ListQuery(limit=500))).items
    assert [each.number for each in listed if each.is_return] == [number]
    of_order = {each.number: each.is_return for each in await erp.deliveries_of(sent.order_number)}
    assert (of_order[number], of_order[sent.number]) == (True, False)
    assert number not in {each.number for each in (await erp.receipts(ListQuery(limit=500))).items}
    changes = await erp.changed_since(Feed.DELIVERIES, "", limit=500)
    assert number in {change.key for change in changes.items}


async def test_receipts_are_found_by_each_of_their_orders_in_few_calls(open_odoo: Open) -> None:
    erp, server = await open_odoo()
    several = next(each for each in server.company.receipts.values() if len(each.order_numbers) > 1)
    for order in several.order_numbers:
        found = await erp.receipts(ListQuery(text=order))
        assert several.number in {each.number for each in found.items}
    listed = next(each for each in found.items if each.number == several.number)
    assert (listed.order_numbers, listed.lines) == (several.order_numbers, ())
    server.requests.clear()
    pages = [await erp.receipts(ListQuery(offset=offset, limit=3)) for offset in range(0, 9, 3)]
    numbers = [each.number for page in pages for each in page.items]
    assert sorted(numbers) == sorted(server.company.receipts)
    assert server.requests.count(Request.READ) <= 7 * len(pages)


async def test_a_receipt_is_of_the_buyer_and_of_whoever_ordered(open_odoo: Open) -> None:
    erp, _ = await open_odoo()
    receipt = await erp.receipt("GRN-1001")
    order = await erp.purchase_order(*receipt.order_numbers)
    assert set(receipt.owners) == {order.buyer, order.review.requester, order.review.people[order.review.requester]}


async def test_without_purchasing_what_came_in_has_no_order(open_odoo: Open) -> None:
    erp, server = await open_odoo()
    changed(server, "stock.picking", without=frozenset({"purchase_id"}))
    there = server.models
    server.models = lambda name: None if name.startswith("purchase.") else there(name)
    receipt = await erp.receipt("GRN-1001")
    assert (receipt.order_numbers, receipt.owners, bool(receipt.lines)) == ((), (), True)
    with pytest.raises(Unsupported):
        await erp.receipts_of("PO-1001")


async def test_the_order_names_the_customer_of_a_delivery(open_odoo: Open) -> None:
    erp, server = await open_odoo()
    delivery = server.company.deliveries["DN-1001"]
    server.company.deliveries["DN-1001"] = replace(delivery, customer="Acme Ltd., Gate 7")
    assert (await erp.delivery("DN-1001")).customer == delivery.customer


async def test_the_order_names_the_vendor_of_a_receipt(open_odoo: Open) -> None:
    erp, server = await open_odoo()
    receipt = server.company.receipts["GRN-1001"]
    server.company.receipts["GRN-1001"] = replace(receipt, vendor="Somebody at the gate")
    assert (await erp.receipt("GRN-1001")).vendor == receipt.vendor
    for query in (ListQuery(partner=receipt.vendor), ListQuery(text=receipt.vendor)):
        assert "GRN-1001" in {each.number for each in (await erp.receipts(query)).items}


@pytest.mark.parametrize("release", [(14, 0), (16, 0), (17, 0)])
async def test_older_releases_tell_of_goods_too(release: tuple[int, int], open_odoo: Open) -> None:
    erp, server = await open_odoo(release)
    delivery = await erp.delivery("DN-1001")
    assert [line.quantity for line in delivery.lines] == [
        line.quantity for line in server.company.deliveries["DN-1001"].lines
    ]
    receipt = await erp.receipt("GRN-1001")
    assert receipt.lines == server.company.receipts["GRN-1001"].lines
    assert (await erp.arrivals(ArrivalQuery(until=TODAY + timedelta(days=30)))).total > 0
    assert (await erp.prices("SKU123", customer="")).list_price == server.company.list_prices["SKU123"]
    assert (await erp.warehouse_stock(WarehouseQuery(warehouse="SH"))).total > 0


@pytest.mark.parametrize("release", [(15, 0), (19, 0)])
async def test_services_are_not_on_their_way_and_not_late(release: tuple[int, int], open_odoo: Open) -> None:
    erp, server = await open_odoo(release)
    late = (await erp.purchase_orders(ListQuery(filter=Filter.LATE, limit=1))).items[0].number
    of_services(server, late)
    for which in (Filter.LATE, Filter.OPEN):
        found = await erp.purchase_orders(ListQuery(filter=which, limit=500))
        assert found.items
        assert late not in {each.number for each in found.items}
    order = await erp.purchase_order(late)
    assert (order.received, order.is_open, order.days_late(TODAY)) == (None, False, 0)
    coming = (await erp.arrivals(ArrivalQuery(limit=500))).items
    assert coming
    assert late not in {each.document for each in coming}


@each_row(("share", "received"), [(Decimal("0.5"), Progress.PARTIAL), (Decimal(0), Progress.NONE)])
async def test_what_was_dropped_or_sent_back_did_not_come(share: Decimal, received: Progress, open_odoo: Open) -> None:
    erp, server = await open_odoo()
    whole = next(each.number for each in server.company.purchases.values() if each.received is Progress.FULL)
    assert (await erp.purchase_order(whole)).received is Progress.FULL
    changed(
        server,
        "purchase.order.line",
        qty_received=lambda row: row["product_qty"] * share if row["order_id"].name == whole else row["qty_received"],
    )
    listed = (await erp.purchase_orders(ListQuery(text=whole, limit=5))).items[0]
    for order in (listed, await erp.purchase_order(whole)):
        assert (order.received, order.is_open) == (received, False)


async def test_a_missing_right_is_no_empty_list(open_odoo: Open) -> None:
    erp, server = await open_odoo()
    server.faults.forbid(Area.PURCHASING)
    with pytest.raises(NotPermitted):
        await erp.arrivals(ArrivalQuery())
    with pytest.raises(NotPermitted):
        await erp.prices("SKU123", customer="")
    with pytest.raises(NotPermitted):
        await erp.receipts(ListQuery())
    server.faults.clear()
    server.faults.forbid(Area.SALES)
    with pytest.raises(NotPermitted):
        await erp.deliveries(ListQuery())


async def test_the_number_of_calls_does_not_grow_with_products(open_odoo: Open) -> None:
    erp, server = await open_odoo()
    for ask in (
        lambda: erp.shortages(ShortageQuery(limit=500)),
        lambda: erp.arrivals(ArrivalQuery(limit=500)),
        lambda: erp.warehouse_stock(WarehouseQuery(warehouse="MAIN", limit=500)),
        lambda: erp.deliveries_of("SO-1001"),
    ):
        await ask()
        server.requests.clear()
        await ask()
        assert server.requests.count(Request.READ) <= 9


@pytest.mark.parametrize("asked_by", ["product", "name"])
async def test_a_warehouse_of_today_is_there_at_once(open_odoo: Open, asked_by: str) -> None:
    erp, server = await open_odoo()
    levels = server.company.stock.items()
    sku, (new, old) = next((sku, each.per_warehouse[:2]) for sku, each in levels if len(each.per_warehouse) > 1)
    genuine = server.models

    def without_the_new_one(name: str) -> OdooModel | None:
        found = genuine(name)
        if found is None or name != "stock.warehouse":
            return found
        return replace(found, records=[record for record in found.records if record["code"] != new.code])

    server.models = without_the_new_one
    with pytest.raises(NotFound):
        await erp.warehouse_stock(WarehouseQuery(warehouse=new.code))
    server.models = genuine
    if asked_by == "product":
        assert {new.code, old.code} <= {place.code for place in (await erp.stock(sku)).per_warehouse}
    else:
        assert (await erp.warehouse_stock(WarehouseQuery(warehouse=new.code))).code == new.code


@each_row("release", [(14, 0), (18, 0), (19, 0)])
async def test_a_kit_is_not_stock_and_its_parts_say_how_many_can_be_made(
    open_odoo: Open, release: tuple[int, int]
) -> None:
    erp, server = await open_odoo(release)
    before = await erp.warehouse_stock(WarehouseQuery(warehouse="MAIN", limit=500))
    server.records.kits.add("SKU123")
    level = await erp.stock("SKU123")
    assert (level.is_kit, level.per_warehouse, level.lots, level.reorder_point) == (True, (), (), None)
    assert level.total == Quantities(on_hand=None, available=Decimal(7350))
    others = await erp.warehouse_stock(WarehouseQuery(warehouse="MAIN", limit=500))
    assert [each.product.sku for each in others.items] == [
        each.product.sku for each in before.items if each.product.sku != "SKU123"
    ]
    assert others.total == before.total - 1
    short = await erp.shortages(ShortageQuery(limit=500))
    assert "SKU123" not in {each.sku for each in short.items}


async def test_what_lies_there_of_a_product_that_became_a_kit_is_not_known(open_odoo: Open) -> None:
    erp, server = await open_odoo()
    changed(server, "product.product", is_kits=lambda row: row["default_code"] == "SKU123")
    found = await erp.warehouse_stock(WarehouseQuery(warehouse="MAIN", text="SKU123"))
    assert [each.quantities.on_hand for each in found.items] == [None]
