"""The calls of `bot.erp.goods_port.GoodsReader`: deliveries are read like documents, the other calls are refused."""

from __future__ import annotations

from typing import NoReturn

from bot.erp.document_calls import DocumentCalls
from bot.erp.goods import Arrival, GoodsDelivery, Prices, ProductDetails, Shortage, WarehouseContents
from bot.erp.goods_port import ArrivalQuery, ShortageQuery, WarehouseQuery
from bot.erp.model import Slice
from bot.erp.port import Capability


class GoodsCalls(DocumentCalls):
    """Adapters override what their vendor supports."""

    async def product(self, sku: str) -> ProductDetails:
        self._refuse(Capability.PRODUCT_DETAILS)

    async def prices(self, sku: str, *, customer: str) -> Prices:
        self._refuse(Capability.PRICES)

    async def arrivals(self, query: ArrivalQuery) -> Slice[Arrival]:
        self._refuse(Capability.ARRIVALS)

    async def deliveries_of(self, order_number: str) -> tuple[GoodsDelivery, ...]:
        self._refuse(Capability.DELIVERIES)

    async def shortages(self, query: ShortageQuery) -> Slice[Shortage]:
        self._refuse(Capability.SHORTAGES)

    async def warehouse_stock(self, query: WarehouseQuery) -> WarehouseContents:
        self._refuse(Capability.WAREHOUSE_STOCK)

    def _refuse(self, what: str) -> NoReturn:
        raise NotImplementedError
