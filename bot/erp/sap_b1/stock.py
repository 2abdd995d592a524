"""Items and their stock (docs: platform/erp/sap-b1.md#areas)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from bot.erp import listing
from bot.erp.concurrency import gather_or_cancel, gather_rows
from bot.erp.conditions import all_of
from bot.erp.errors import NotFound
from bot.erp.goods.lists import contents_of, part_of_shortages, pick_warehouse
from bot.erp.goods.port import ShortageQuery, WarehouseQuery
from bot.erp.keys import LONGEST, spelled_alike
from bot.erp.model import Product, Quantities, Slice, StockLevel, WarehouseStock
from bot.erp.model.goods import ProductDetails, Shortage, WarehouseContents, WarehouseItem
from bot.erp.sap_b1 import query as queries
from bot.erp.sap_b1.client import SapB1Client
from bot.erp.sap_b1.goods import SUPPLIED, DetailReader
from bot.erp.sap_b1.lots import LotReader
from bot.erp.sap_b1.mapping import IN_USE, Row, is_in_use, is_yes, rows_of
from bot.erp.sap_b1.query import ITEMS
from bot.erp.values import amount_of, code, number, text

_FIGURES = (
    "QuantityOnStock", "QuantityOrderedByCustomers", "QuantityOrderedFromVendors", "ManageStockByWarehouse",
    "MinInventory", "ItemWarehouseInfoCollection",
)  # fmt: skip


class StockReader:
    """Reads items and stock levels; all quantities are in the item's inventory unit."""

    def __init__(self, client: SapB1Client) -> None:
        options = client.options
        self._client = client
        self._most = options.most_hits
        self._lots = LotReader(client, options.lots_queries)
        self._items = ItemMapper(options.spec_field)
        self._details = DetailReader(client)
        self._searched = tuple(filter(None, ("ItemCode", "ItemName", "BarCode", options.spec_field)))
        self._fields = (*self._searched, "InventoryUOM", "ItemsGroupCode", *IN_USE)

    async def find(self, search: str, *, limit: int) -> tuple[Product, ...]:
        """Return items; a search with too many hits only considers the first ones by code."""
        if not search.strip():
            rows = await self._client.rows(ITEMS, select=self._fields, order="ItemCode", limit=limit)
            return tuple(await self._products(rows))
        where = queries.contains(self._searched, search)
        calls = [self._client.rows(ITEMS, select=self._fields, where=where, order="ItemCode", limit=self._most)]
        if search.isprintable() and len(search) <= LONGEST:
            exact = queries.either(queries.spelled("ItemCode", search), queries.equals("BarCode", search))
            calls.append(self._client.rows(ITEMS, select=self._fields, where=exact, limit=self._most))
        rows = await gather_rows(*calls)
        distinct = {product.sku: product for product in await self._products(rows)}
        return listing.find_products(distinct.values(), search, limit=limit)

    async def level(self, sku: str) -> StockLevel:
        """Return an item's stock; raises `NotFound`."""
        where = queries.spelled("ItemCode", sku)
        rows = await self._client.rows(ITEMS, select=(*self._fields, *_FIGURES), where=where)
        found = spelled_alike(rows, sku, lambda row: code(row.get("ItemCode")))
        if not found:
            raise NotFound(sku, source=self._client.source)
        groups, names = await gather_or_cancel(self._client.names.groups(), self._client.names.warehouses())
        level = self._level(found[0], groups, names)
        return replace(level, lots=await self._lots.read(level.product.sku))

    async def details(self, sku: str) -> ProductDetails:
        """Return an item's details; what goes into what is told from above alone. Raises `NotFound`."""
        rows = await self._client.rows(
            ITEMS, select=(*self._fields, *_FIGURES, *SUPPLIED), where=queries.spelled("ItemCode", sku)
        )
        found = spelled_alike(rows, sku, lambda row: code(row.get("ItemCode")))
        if not found:
            raise NotFound(sku, source=self._client.source)
        groups = await self._client.names.groups()
        item = self._items.product(found[0], groups, self._today())
        supplies = await self._details.supplies(found[0])
        return ProductDetails(
            product=item,
            reorder_point=self._items.reorder_point(found[0]),
            supplies=supplies,
            components=await self._details.components(item.sku),
            source=self._client.source,
        )

    async def stored(self, query: WarehouseQuery) -> WarehouseContents:
        """Return the stock of a warehouse; raises `NotFound` and `Ambiguous`."""
        names = await self._client.names.warehouses(query.warehouse)
        code, name = self._warehouse(names, query.warehouse)
        where = queries.either("QuantityOnStock ne 0", "QuantityOrderedByCustomers ne 0")
        items = [
            WarehouseItem(product=level.product, quantities=place.quantities, source=level.source)
            for level in await self._levels(
                all_of(where, queries.contains(self._searched, _one_word(query.text))), names
            )
            for place in level.per_warehouse
            if place.code == code
        ]
        return contents_of(items, code, name, query, source=self._client.source)

    async def short(self, query: ShortageQuery) -> Slice[Shortage]:
        """Return what is short among items in use; raises `NotFound` for no such warehouse."""
        names = await self._client.names.warehouses(query.warehouse)
        only = self._warehouse(names, query.warehouse)[0] if query.warehouse else ""
        where = queries.either(
            "QuantityOrderedByCustomers gt 0", "MinInventory gt 0", queries.equals("ManageStockByWarehouse", "tYES")
        )
        levels = [level for level in await self._levels(where, names) if level.product.is_active]
        return part_of_shortages(levels, query, only)

    def _warehouse(self, names: Mapping[str, str], wanted: str) -> tuple[str, str]:
        if not wanted.strip():
            raise NotFound(wanted, source=self._client.source)
        return pick_warehouse(names.items(), wanted, lambda each: each, source=self._client.source)

    async def _levels(self, where: str, names: Mapping[str, str]) -> list[StockLevel]:
        rows = await self._client.rows(ITEMS, select=(*self._fields, *_FIGURES), where=where, order="ItemCode")
        groups = await self._client.names.groups()
        return [self._level(row, groups, names) for row in rows]

    def _level(self, row: Row, groups: Mapping[str, str], names: Mapping[str, str]) -> StockLevel:
        return StockLevel(
            product=self._items.product(row, groups, self._today()),
            total=self._items.total(row),
            per_warehouse=self._items.places(row, names),
            reorder_point=self._items.reorder_point(row),
            as_of=self._client.now(),
            source=self._client.source,
        )

    async def _products(self, rows: Iterable[Row]) -> list[Product]:
        groups = await self._client.names.groups()
        return [self._items.product(row, groups, self._today()) for row in rows]

    def _today(self) -> date:
        return self._client.values.local(self._client.now()).date()


def _one_word(text: str) -> str:
    """Return a text by which the server may choose; several words may be in different fields."""
    return text if len(text.split()) == 1 else ""


@dataclass(frozen=True, slots=True)
class ItemMapper:
    """Builds products and stock levels; ``spec_field`` is the installation's field for a spec, or empty."""

    spec_field: str

    def product(self, row: Row, groups: Mapping[str, str], today: date) -> Product:
        """Return an item; quantities are in its inventory unit."""
        return Product(
            sku=code(row["ItemCode"]),
            name=text(row.get("ItemName")),
            spec=text(row.get(self.spec_field)) if self.spec_field else "",
            unit=text(row.get("InventoryUOM")),
            category=groups.get(code(row.get("ItemsGroupCode")), ""),
            barcode=code(row.get("BarCode")),
            is_active=is_in_use(row, today),
        )

    def places(self, row: Row, names: Mapping[str, str]) -> tuple[WarehouseStock, ...]:
        """Return the stock per warehouse. An item has a row in every warehouse; rows without any quantity are left out.

        ``available`` is in stock and not committed. SAP's own "available" adds ordered quantities, which is
        ``forecast``.
        """
        found = []
        for place in rows_of(row, "ItemWarehouseInfoCollection"):
            figures = _figures(place, "InStock", "Committed", "Ordered")
            if figures.on_hand or figures.reserved or figures.incoming:
                warehouse = code(place.get("WarehouseCode"))
                found.append(WarehouseStock(code=warehouse, name=names.get(warehouse) or warehouse, quantities=figures))
        return tuple(found)

    def total(self, row: Row) -> Quantities:
        """Return an item's figures over all warehouses."""
        return _figures(row, "QuantityOnStock", "QuantityOrderedByCustomers", "QuantityOrderedFromVendors")

    def reorder_point(self, row: Row) -> Decimal | None:
        """Return the minimum of the item, or the sum of its warehouses' minima; 0 means none."""
        if is_yes(row.get("ManageStockByWarehouse")):
            minimum = amount_of(place.get("MinimalStock") for place in rows_of(row, "ItemWarehouseInfoCollection"))
        else:
            minimum = number(row.get("MinInventory"))
        return minimum or None


def _figures(row: Row, in_stock: str, committed: str, ordered: str) -> Quantities:
    on_hand, reserved, incoming = (number(row.get(key)) for key in (in_stock, committed, ordered))
    available = None if on_hand is None or reserved is None else on_hand - reserved
    return Quantities(
        on_hand=on_hand,
        reserved=reserved,
        available=available,
        incoming=incoming,
        forecast=None if available is None or incoming is None else available + incoming,
    )
