"""Questions about goods to several sources, and what a reader of some documents sees of the answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bot.access.grants import Scope
from bot.erp.errors import NotFound, Unavailable, Unsupported, Unusable
from bot.erp.goods.narrowing import keep_supplies
from bot.erp.goods.port import ArrivalQuery, ShortageQuery, WarehouseQuery
from bot.erp.hub import ErpHub
from bot.erp.kinds import Kind
from bot.erp.merging import ProductCodes
from bot.erp.model import (
    Area,
    Money,
    Product,
    PurchaseOrder,
    Quantities,
    ReviewState,
    SalesOrder,
    Slice,
)
from bot.erp.model.goods import (
    Arrival,
    ArrivalKind,
    DeliveryStatus,
    GoodsDelivery,
    GoodsReceipt,
    PriceKind,
    PricePoint,
    Prices,
    ProductDetails,
    Shortage,
    Supply,
    WarehouseContents,
    WarehouseItem,
)
from bot.erp.narrowing import Narrowing
from bot.erp.port import Capability, ListQuery
from bot.erp.refusing import RefusingErp
from bot.mechanisms.metrics import Metrics
from tests.bare_records import bare

NOW = datetime(2026, 11, 24, 2, 30, tzinfo=UTC)
TODAY = date(2026, 11, 24)
SCREW = Product(sku="SKU123", name="螺丝", unit="个", category="紧固件")
FAN = Product(sku="FAN-1", name="风扇", unit="台", category="电风扇")


def arrival(sku: str, days: int, document: str = "PO-1", **more: Any) -> Arrival:
    known = {"kind": ArrivalKind.PURCHASE, "category": "紧固件", "partner": "宝钢", "owners": ("buyer01",)} | more
    return Arrival(
        document=document, sku=sku, name=sku, unit="个", quantity=Decimal(5), due_on=TODAY + timedelta(days), **known
    )


def point(kind: PriceKind, document: str, days: int, partner: str, owner: str) -> PricePoint:
    return PricePoint(
        kind=kind,
        day=TODAY - timedelta(days),
        document=document,
        partner=partner,
        quantity=Decimal(1),
        unit="个",
        price=Money(Decimal(days), "CNY"),
        owner=owner,
    )


PRICES = Prices(
    product=SCREW,
    list_price=Money(Decimal("0.1"), "CNY"),
    sales=(point(PriceKind.SALE, "SO-2", 1, "宏达", "li"), point(PriceKind.SALE, "SO-1", 3, "申力", "sun")),
    purchases=(point(PriceKind.PURCHASE, "PO-1", 2, "宝钢", "buyer01"),),
)


def item(product: Product) -> WarehouseItem:
    return WarehouseItem(product=product, quantities=Quantities(on_hand=Decimal(7)))


def delivery(number: str, customer: str = "宏达", salesperson: str = "li") -> GoodsDelivery:
    return bare(
        GoodsDelivery,
        number,
        order_number="SO-1",
        customer=customer,
        status=DeliveryStatus.SHIPPED,
        planned_on=TODAY,
        shipped_on=TODAY,
        salesperson=salesperson,
    )


def receipt(number: str, vendor: str = "宝钢", *owners: str) -> GoodsReceipt:
    return bare(GoodsReceipt, number, order_numbers=("PO-1",), vendor=vendor, received_on=TODAY, owners=owners)


class Shop(RefusingErp):
    """A source whose answers are given; it notes what it is asked."""

    def __init__(
        self,
        name: str = "main",
        *,
        arrivals: Sequence[Arrival] = (),
        shortages: Sequence[Shortage] = (),
        items: Sequence[WarehouseItem] = (item(FAN), item(SCREW)),
        deliveries: Sequence[GoodsDelivery] = (),
        receipts: Sequence[GoodsReceipt] = (),
        prices: Prices = PRICES,
        without: frozenset[Capability] = frozenset(),
    ) -> None:
        super().__init__(name)
        self.capabilities = frozenset(Capability) - without
        self.known = arrivals, shortages, items, deliveries, prices
        self.came_in = receipts
        self.asked: list[Any] = []
        self.down = False

    def _answer(self, query: Any) -> None:
        self.asked.append(query)
        if self.down:
            raise Unavailable("down", source=self.name)

    async def check(self) -> None:
        self._answer("check")

    async def close(self) -> None:
        pass

    async def product(self, sku: str) -> ProductDetails:
        self._answer(sku)
        known = self.known[4].product
        if sku.casefold() != known.sku.casefold():
            raise NotFound(sku)
        return ProductDetails(product=known, source=self.name)

    async def prices(self, sku: str, *, customer: str) -> Prices:
        self._answer((sku, customer))
        return replace(self.known[4], customer=customer)

    async def arrivals(self, query: ArrivalQuery) -> Slice[Arrival]:
        self._answer(query)
        found = [each for each in self.known[0] if query.sku in ("", each.sku)]
        return Slice(items=tuple(found[query.offset : query.offset + query.limit]), total=len(found))

    async def shortages(self, query: ShortageQuery) -> Slice[Shortage]:
        self._answer(query)
        found = self.known[1]
        return Slice(items=tuple(found[query.offset : query.offset + query.limit]), total=len(found))

    async def warehouse_stock(self, query: WarehouseQuery) -> WarehouseContents:
        self._answer(query)
        items = self.known[2][query.offset : query.offset + query.limit]
        return WarehouseContents(code="SH", name="上海仓", items=tuple(items), total=len(self.known[2]))

    async def deliveries_of(self, order_number: str) -> tuple[GoodsDelivery, ...]:
        self._answer(order_number)
        return tuple(self.known[3])

    async def receipts_of(self, order_number: str) -> tuple[GoodsReceipt, ...]:
        self._answer(order_number)
        return tuple(self.came_in)

    async def purchase_order(self, number: str) -> PurchaseOrder:
        told = {"vendor": "申力", "status": ReviewState.APPROVED, "requester": "sun", "ordered_on": TODAY}
        return bare(PurchaseOrder, number, **told)

    async def order(self, number: str) -> SalesOrder:
        return bare(SalesOrder, number, customer="申力", ordered_on=TODAY, salesperson="sun")


def hub(*shops: Shop, **more: Any) -> ErpHub:
    return ErpHub(shops, metrics=Metrics(), now=lambda: NOW, **more)


def narrowed(shop: Shop, by_number: frozenset[Area] = frozenset(), **scopes: Scope) -> ErpHub:
    known = {Area(area): (scope,) for area, scope in scopes.items()}
    return hub(shop).narrowed(Narrowing(known, lambda source: frozenset({"li", "buyer01"}), by_number))


async def test_one_source_pages_by_itself() -> None:
    shop = Shop(arrivals=[arrival("SKU1", day) for day in range(9)])
    found = await hub(shop).arrivals(ArrivalQuery(offset=3, limit=2))
    assert ([each.due_on for each in found.value.items], found.value.total) == (
        [TODAY + timedelta(3), TODAY + timedelta(4)],
        9,
    )
    assert shop.asked == [ArrivalQuery(offset=3, limit=2)]


async def test_several_sources_make_one_list() -> None:
    shops = (
        Shop("a", arrivals=[arrival("X", 1), arrival("X", 5)]),
        Shop("b", arrivals=[arrival("X", 3), arrival("X", 9)]),
    )
    found = await hub(*shops).arrivals(ArrivalQuery(offset=1, limit=2))
    assert [(each.due_on, each.source) for each in found.value.items] == [
        (TODAY + timedelta(3), "b"),
        (TODAY + timedelta(5), "a"),
    ]
    assert found.value.total == 4


async def test_each_source_is_asked_by_its_own_code() -> None:
    shops = Shop("a", arrivals=[arrival("SKU123", 1)]), Shop("b", arrivals=[arrival("B-9", 2)])
    codes = ProductCodes({"SKU123": {"a": "SKU123", "b": "B-9"}})
    found = await hub(*shops, products=codes).arrivals(ArrivalQuery(sku="sku123"))
    assert {each.sku for each in found.value.items} == {"SKU123"}
    assert [shop.asked[0].sku for shop in shops] == ["SKU123", "B-9"]


async def test_a_source_that_is_down_is_named_and_others_answer() -> None:
    shops = Shop("a", arrivals=[arrival("X", 1)]), Shop("b")
    shops[1].down = True
    found = await hub(*shops).arrivals(ArrivalQuery())
    assert len(found.value.items) == 1
    assert len(found.failures) == 1


async def test_without_a_source_it_is_said_that_nobody_offers_it() -> None:
    with pytest.raises(Unsupported):
        await hub(Shop(without=frozenset({Capability.ARRIVALS}))).arrivals(ArrivalQuery())


async def test_prices_of_several_sources_are_the_last_of_all() -> None:
    other = replace(PRICES, sales=(point(PriceKind.SALE, "X-1", 2, "宏达", "li"),), purchases=())
    found = await hub(Shop("a"), Shop("b", prices=other)).prices("SKU123")
    assert [each.document for each in found.value.sales] == ["SO-2", "X-1", "SO-1"]


async def test_a_salesperson_sees_the_prices_of_own_orders_only() -> None:
    found = await narrowed(Shop(), sales=Scope(own=True), purchasing=Scope(partners=frozenset())).prices("SKU123")
    assert [each.document for each in found.value.sales] == ["SO-2"]
    assert found.value.purchases == ()


async def test_who_may_not_see_customers_may_not_ask_by_them() -> None:
    found = await narrowed(Shop(), frozenset({Area.SALES})).prices("SKU123", customer="宏达")
    assert found.value.sales == ()


async def test_the_document_of_an_arrival_is_named_to_who_may_see_it() -> None:
    shop = Shop(arrivals=[arrival("X", 1), arrival("X", 2, "PO-2", partner="别家", owners=("other",))])
    found = await narrowed(shop, purchasing=Scope(own=True)).arrivals(ArrivalQuery())
    assert [(each.document, each.partner, each.quantity) for each in found.value.items] == [
        ("PO-1", "宝钢", Decimal(5)),
        ("", "", Decimal(5)),
    ]


async def test_arrivals_of_other_categories_are_left_out_and_counted_so() -> None:
    shop = Shop(arrivals=[arrival("X", 1), arrival("Y", 2, category="电风扇"), arrival("Z", 3, category="")])
    found = await narrowed(shop, stock=Scope(categories=frozenset({"电风扇"}))).arrivals(ArrivalQuery(limit=1))
    assert ([each.sku for each in found.value.items], found.value.total) == (["Y"], 1)


async def test_a_reader_of_other_warehouses_does_not_find_one() -> None:
    shop = Shop()
    assert (await narrowed(shop, stock=Scope(warehouses=frozenset({"sh"}))).warehouse_stock(
        WarehouseQuery(warehouse="上海仓")
    )).value.total == 2  # fmt: skip
    with pytest.raises(NotFound):
        await narrowed(shop, stock=Scope(warehouses=frozenset({"SZ"}))).warehouse_stock(
            WarehouseQuery(warehouse="上海仓")
        )
    fans = narrowed(shop, stock=Scope(warehouses=frozenset({"SH"}), categories=frozenset({"电风扇"})))
    found = await fans.warehouse_stock(WarehouseQuery(warehouse="上海仓"))
    assert ([each.product.sku for each in found.value.items], found.value.total) == (["FAN-1"], 1)


async def test_a_product_of_another_category_is_not_found() -> None:
    with pytest.raises(NotFound):
        await narrowed(Shop(), stock=Scope(categories=frozenset({"电风扇"}))).product("SKU123")


def test_the_vendors_of_a_product_are_told_to_who_may_see_their_orders() -> None:
    supplies = (Supply(vendor="宝钢"), Supply(vendor="永康"))
    scopes = {Area.PURCHASING: (Scope(partners=frozenset({"永康"})),)}
    narrowing = Narrowing(scopes, lambda source: frozenset())
    assert keep_supplies([narrowing], supplies, "main") == supplies[1:]
    assert keep_supplies([], supplies, "main") == supplies


async def test_a_shortage_is_told_to_who_may_see_its_warehouse() -> None:
    short = Shortage(sku="X", name="X", unit="个", on_hand=Decimal(0), demanded=Decimal(3))
    here = replace(short, warehouse="上海仓", warehouse_code="SH")
    found = await narrowed(Shop(shortages=[short, here]), stock=Scope(warehouses=frozenset({"SH"}))).shortages(
        ShortageQuery()
    )
    assert [each.warehouse for each in found.value.items] == ["上海仓"]


async def test_deliveries_of_an_order_are_narrowed() -> None:
    shop = Shop(deliveries=[delivery("DN-1"), delivery("DN-2", "申力", "sun")])
    found = await narrowed(shop, sales=Scope(own=True)).deliveries_of("SO-1")
    assert [each.number for each in found.value] == ["DN-1"]


async def test_receipts_of_an_order_are_narrowed_to_vendors_and_to_the_people_whose_order_it_is() -> None:
    shop = Shop(receipts=[receipt("R-1", "宝钢", "li"), receipt("R-2", "永康", "buyer01"), receipt("R-3", "宝钢")])
    own = await narrowed(shop, purchasing=Scope(own=True)).receipts_of("PO-1")
    assert [each.number for each in own.value] == ["R-1", "R-2"]
    of_vendor = await narrowed(shop, purchasing=Scope(partners=frozenset({"永康"}))).receipts_of("PO-1")
    assert [each.number for each in of_vendor.value] == ["R-2"]


async def test_that_a_purchase_order_exists_is_not_told_to_who_may_not_see_it() -> None:
    with pytest.raises(NotFound):
        await narrowed(Shop(), purchasing=Scope(own=True)).receipts_of("PO-1")


async def test_that_an_order_exists_is_not_told_to_who_may_not_see_it() -> None:
    with pytest.raises(NotFound):
        await narrowed(Shop(), sales=Scope(own=True)).deliveries_of("SO-1")


async def test_records_that_cannot_be_right_are_left_out_and_counted() -> None:
    wrong = replace(arrival("X", 1), quantity=Decimal("NaN"))
    found = await hub(Shop(arrivals=[wrong, arrival("X", 2), arrival("X", 2)])).arrivals(ArrivalQuery())
    assert len(found.value.items) == 2, "equal lines of a document are no repetition"
    assert len(found.notes) == 1
    with pytest.raises(Unusable):
        await hub(Shop(prices=replace(PRICES, product=replace(SCREW, sku="sku\x00")))).prices("sku")


async def test_a_list_of_deliveries_by_customer_is_for_who_may_see_customers() -> None:
    class Lists(Shop):
        async def documents(self, kind: Kind[Any], query: ListQuery) -> Slice[Any]:
            return Slice(items=(delivery("DN-1"),), total=1)

    found = await narrowed(Lists(), frozenset({Area.SALES})).deliveries(ListQuery(text="宏达"))
    assert found.value.items == ()
