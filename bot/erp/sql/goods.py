"""What a company database knows about goods. Each read runs within one trip to the database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import Connection

from bot.erp.errors import Invalid
from bot.erp.goods.port import LAST_PRICES, ArrivalQuery, ShortageQuery, WarehouseQuery
from bot.erp.mapped import goods
from bot.erp.mapped.goods import ListPrices, NamedWarehouse
from bot.erp.mapped.reader import MappingContext, RecordMapping, RecordReader
from bot.erp.model import Area, Product, Slice
from bot.erp.model.goods import Arrival, Prices, ProductDetails, Shortage, WarehouseContents
from bot.erp.sql.mapping import PreparedQueries, like

ReadProduct = Callable[[Connection, str], Product]
"""Returns the product of a code; raises `NotFound`."""


@dataclass(frozen=True, slots=True)
class SqlGoods:
    """Reads by the queries of the parts of `bot.erp.mapped.goods.PARTS`; a part that is not configured is empty."""

    queries: PreparedQueries
    reader: RecordReader
    mapped: dict[str, RecordMapping[Any]]
    read_product: ReadProduct

    @property
    def _context(self) -> MappingContext:
        return self.reader.context

    def product(self, connection: Connection, *, sku: str) -> ProductDetails:
        product = self.read_product(connection, sku)
        parts = {
            name: self._part(connection, f"{Area.PRODUCTS}.{name}", sku=product.sku)
            for name in goods.PARTS[Area.PRODUCTS]
        }
        return goods.details_of(product, self._reorder_point(connection, product.sku), parts, self._context)

    def _reorder_point(self, connection: Connection, sku: str) -> Any:
        if "reorder_point" not in getattr(self.mapped.get("stock"), "fields", ()):
            return None
        rows = self.queries.rows(connection, "stock.total", sku=sku)
        return self.reader.single(self.mapped["stock"], rows[0]).reorder_point if rows else None

    def prices(self, connection: Connection, *, sku: str, customer: str) -> Prices:
        product = self.read_product(connection, sku)
        listed = self._part(connection, "prices.list_price", sku=product.sku)
        if len(listed) > 1:
            raise Invalid("prices.list_price gives several rows of one product", source=self._context.source)
        text = goods.sendable(customer)
        asked = {"sku": product.sku, "text": text, "like": like(text), "limit": LAST_PRICES}
        return goods.prices_of(
            product,
            customer,
            listed[0] if listed else ListPrices(),
            self._part(connection, "prices.sales", **asked),
            self._part(connection, "prices.purchases", **asked),
            self._context,
        )

    def arrivals(self, connection: Connection, *, query: ArrivalQuery, today: Any) -> Slice[Arrival]:
        found = [
            each
            for name in goods.PARTS["arrivals"]
            for each in self._part(connection, f"arrivals.{name}", sku=query.sku, today=today)
        ]
        return goods.pick_arrivals(found, query)

    def shortages(self, connection: Connection, *, query: ShortageQuery) -> Slice[Shortage]:
        stock = self._part(connection, "warehouses.shortages")
        return goods.pick_shortages(stock, self._warehouses(connection), query, self._context)

    def warehouse_stock(self, connection: Connection, *, query: WarehouseQuery) -> WarehouseContents:
        """Return the stock of a warehouse; raises `NotFound` and `Ambiguous`."""
        warehouse = goods.named_warehouse(self._warehouses(connection), query.warehouse, self._context)
        text = goods.narrowing_text(query)
        rows = self._part(connection, "warehouses.contents", warehouse=warehouse.code, text=text, like=like(text))
        return goods.pick_contents(rows, warehouse, query, self._context)

    def _warehouses(self, connection: Connection) -> list[NamedWarehouse]:
        rows = self.queries.rows(connection, "warehouses.list")
        return self.reader.many(self.mapped["warehouses"], rows)

    def _part(self, connection: Connection, place: str, **given: Any) -> list[Any]:
        if place not in self.queries:
            return []
        return self.reader.many(self.mapped[place], self.queries.rows(connection, place, **given))
