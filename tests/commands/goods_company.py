"""The company of the tests with all that can be told about goods, in few records."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from bot.erp.errors import NotFound
from bot.erp.goods.port import ArrivalQuery, ShortageQuery, WarehouseQuery
from bot.erp.kinds import DELIVERIES, RECEIPTS, D, Kind
from bot.erp.model import Product, Slice
from bot.erp.model.goods import (
    Arrival,
    ArrivalKind,
    DeliveryStatus,
    GoodsDelivery,
    Prices,
    ProductDetails,
    Shortage,
    WarehouseContents,
    WarehouseItem,
)
from tests.bare_records import bare
from tests.commands.company import TODAY, Company, cny


def delivery(number: str, order_number: str) -> GoodsDelivery:
    told = {"customer": "上海宏图机械", "status": DeliveryStatus.PLANNED, "planned_on": TODAY - timedelta(days=2)}
    return bare(GoodsDelivery, number, order_number=order_number, **told)


class GoodsCompany(Company):
    """Implements `bot.erp.goods.port.GoodsReader` besides."""

    deliveries_known = (delivery("DN-1", "SO-1001"), delivery("DN-2", "SO-1001"))

    async def product(self, sku: str) -> ProductDetails:
        return ProductDetails(product=self._product(sku))

    async def prices(self, sku: str, *, customer: str) -> Prices:
        return Prices(product=self._product(sku), customer=customer, list_price=cny("1.5"))

    async def arrivals(self, query: ArrivalQuery) -> Slice[Arrival]:
        self._read(f"arrivals {query.sku}".strip())
        item = Arrival(
            document="PO-1002",
            kind=ArrivalKind.PURCHASE,
            sku=query.sku or "SKU123",
            name="M6 螺丝",
            unit="pcs",
            quantity=Decimal(7),
            due_on=TODAY,
            partner="苏州包装",
        )
        return Slice(items=(item,), total=1)

    def documents_of(self, kind: Kind[D]) -> Sequence[Any]:
        if kind == DELIVERIES:
            return self.deliveries_known
        return () if kind == RECEIPTS else super().documents_of(kind)

    async def of_order(self, kind: Kind[D], order_number: str) -> tuple[Any, ...]:
        assert kind.origin is not None
        order = await self.document(kind.origin, order_number)
        return tuple(each for each in self.documents_of(kind) if each.order_number == order.number)

    async def shortages(self, query: ShortageQuery) -> Slice[Shortage]:
        item = Shortage(sku="SKU123", name="M6 螺丝", unit="pcs", on_hand=Decimal(5), reorder_point=Decimal(9))
        return Slice(items=(item,), total=1)

    async def warehouse_stock(self, query: WarehouseQuery) -> WarehouseContents:
        self._read(f"warehouse_stock {query.warehouse} {query.text}".strip())
        items = tuple(
            WarehouseItem(product=level.product, quantities=level.per_warehouse[0].quantities)
            for level in self.levels
            if level.per_warehouse[0].code == "SH" and query.text in level.product.name
        )
        page = items[query.offset : query.offset + query.limit]
        return WarehouseContents(code="SH", name="上海成品仓库", items=page, total=len(items))

    def _product(self, sku: str) -> Product:
        self._read(f"product {sku}")
        found = [level.product for level in self.levels if level.product.sku.casefold() == sku.casefold()]
        if not found:
            raise NotFound(sku)
        return found[0]
