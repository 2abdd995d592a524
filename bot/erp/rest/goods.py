"""What a JSON API knows about goods, as far as the parts of `bot.erp.mapped.goods.PARTS` are configured."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from bot.erp.concurrency import gather_or_cancel
from bot.erp.errors import Invalid, NotFound
from bot.erp.goods.port import ArrivalQuery, ShortageQuery, WarehouseQuery
from bot.erp.mapped import goods
from bot.erp.mapped.goods import ListPrices, NamedWarehouse
from bot.erp.mapped.reader import MappingContext
from bot.erp.model import Area, Product, Slice
from bot.erp.model.goods import Arrival, Prices, ProductDetails, Shortage, WarehouseContents
from bot.erp.rest.client import RestClient
from bot.erp.rest.mapping import RestRecords
from bot.erp.rest.options import RestOptions
from bot.erp.rest.query import as_list, look

ReadProduct = Callable[[str], Awaitable[tuple[Product, Any]]]
"""Returns the product of a code with the record that holds it; raises `NotFound`."""
ReadReorderPoint = Callable[[str], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class RestGoods:
    """Reads by the requests of one source."""

    api: RestClient
    options: RestOptions
    records: RestRecords
    read_product: ReadProduct
    read_reorder_point: ReadReorderPoint

    @property
    def _context(self) -> MappingContext:
        return self.records.reader.context

    async def product(self, sku: str) -> ProductDetails:
        product, found = await self.read_product(sku)
        calls = self.options.products
        assert calls is not None
        if calls.details is not None:
            found = await self._found(calls.details, product.sku)
        reorder_point = await self.read_reorder_point(product.sku)
        parts = {}
        for name in goods.PARTS[Area.PRODUCTS]:
            part, place = getattr(calls, name), f"{Area.PRODUCTS}.{name}"
            if part is not None:
                parts[name] = await self.records.many(place, self._listed(look(found, part.at), place))
        return goods.details_of(product, reorder_point, parts, self._context)

    async def prices(self, sku: str, customer: str) -> Prices:
        product, found = await self.read_product(sku)
        listed = await self._list_prices(product.sku, found)
        sales, purchases = await gather_or_cancel(
            self._part("prices", "sales", sku=product.sku, text=goods.sendable(customer)),
            self._part("prices", "purchases", sku=product.sku),
        )
        return goods.prices_of(product, customer, listed, sales, purchases, self._context)

    async def _list_prices(self, sku: str, found: Any) -> ListPrices:
        part = self.options.prices.list_price if self.options.prices else None
        if part is None:
            return ListPrices()
        row = found if part.one is None else await self._found(part.one, sku)
        read: ListPrices = self.records.reader.single(self.records.mapped["prices.list_price"], row)
        return read

    async def arrivals(self, query: ArrivalQuery) -> Slice[Arrival]:
        bought, made = await gather_or_cancel(
            self._part("arrivals", "purchases", sku=query.sku), self._part("arrivals", "productions", sku=query.sku)
        )
        return goods.pick_arrivals((*bought, *made), query)

    async def shortages(self, query: ShortageQuery) -> Slice[Shortage]:
        warehouses, stock = await gather_or_cancel(self._warehouses(), self._part("warehouses", "shortages"))
        return goods.pick_shortages(stock, warehouses, query, self._context)

    async def warehouse_stock(self, query: WarehouseQuery) -> WarehouseContents:
        """Return the stock of a warehouse; raises `NotFound` and `Ambiguous`."""
        warehouse = goods.named_warehouse(await self._warehouses(), query.warehouse, self._context)
        text = goods.narrowing_text(query)
        rows = await self._part("warehouses", "contents", warehouse=warehouse.code, id=warehouse.id, text=text)
        return goods.pick_contents(rows, warehouse, query, self._context)

    async def _warehouses(self) -> list[NamedWarehouse]:
        calls = self.options.warehouses
        assert calls is not None
        return await self.records.many("warehouses", await self.records.all(calls.list, "warehouses.list"))

    async def _part(self, section: str, name: str, **given: Any) -> list[Any]:
        part = getattr(getattr(self.options, section), name, None)
        if part is None:
            return []
        place = f"{section}.{name}"
        return await self.records.many(place, await self.records.rows(part, place, **given))

    async def _found(self, read: Any, sku: str) -> Any:
        """Return what the API has about an existing product; nothing where it has none."""
        try:
            return await self.api.one(read, {"sku": sku}, what=sku)
        except NotFound:
            return {}

    def _listed(self, found: Any, place: str) -> list[Any]:
        rows = as_list(found) or []
        if not isinstance(rows, list):
            raise Invalid(f"{place}.at leads to no list", source=self._context.source)
        return rows
