"""Materials and their stock (docs: platform/erp/yonbip.md#areas)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from bot.erp import listing
from bot.erp.concurrency import gather_or_cancel, gather_rows
from bot.erp.errors import Invalid, NotFound
from bot.erp.expiring import ExpiringValue
from bot.erp.goods.lists import contents_of, pick_warehouse
from bot.erp.goods.port import WarehouseQuery
from bot.erp.keys import spelled_alike, spellings
from bot.erp.model import Product, Quantities, StockLevel, WarehouseStock
from bot.erp.model.goods import WarehouseContents, WarehouseItem
from bot.erp.values import amount_of, code, text
from bot.erp.yonbip.client import YonBipClient
from bot.erp.yonbip.documents import product
from bot.erp.yonbip.mapping import Row

_MATERIALS = "yonbip/digitalModel/product/listproductbycondition"
_STOCK = "yonbip/scm/stock/QueryCurrentStocksByCondition"
_FIGURES = {
    "on_hand": "currentqty",
    "available": "availableqty",
    "incoming": "innoticeqty",
    "outgoing": "preretailqty",
    "forecast": "planavailableqty",
}


class StockReader:
    """Reads materials and stock levels; all quantities are in the material's main unit."""

    def __init__(self, client: YonBipClient) -> None:
        self._client = client
        holds = timedelta(minutes=client.options.catalogue_minutes)
        self._catalogue = ExpiringValue(self._read, now=client.now, holds=holds)

    async def probe(self) -> None:
        """Read one material; raises the errors that a query would raise."""
        await self._client.rows(_MATERIALS, {}, limit=1)

    async def find(self, search: str, *, limit: int) -> tuple[Product, ...]:
        """Return materials by part of code, name or spec.

        The platform only compares whole values, so all materials are read and cached for some minutes.
        """
        # Reading a long catalogue may exceed the caller's timeout; it goes on, and the next search finds it.
        return listing.find_products(await self._catalogue.value(), search, limit=limit)

    async def _read(self) -> tuple[Product, ...]:
        rows = await self._client.rows(_MATERIALS, {}, most=self._client.options.most_materials)
        return tuple({code(row.get("code")): product(row) for row in rows}.values())

    async def close(self) -> None:
        """Cancel reading the catalogue."""
        await self._catalogue.cancel()

    async def level(self, sku: str) -> StockLevel:
        """Return a material's stock; raises `NotFound`. No rows mean no stock, or that the app may not read it."""
        codes = spellings(sku)
        materials, rows = await gather_or_cancel(self._materials(codes), self._rows(codes))
        found = spelled_alike(materials, sku, lambda row: code(row.get("code")))
        if not found:
            raise NotFound(sku, source=self._client.source)
        known = product(found[0])
        rows = [row for row in rows if code(row.get("product_code")) == known.sku]
        return StockLevel(
            product=known,
            total=_figures(rows),
            per_warehouse=self._places(rows),
            reorder_point=None,
            as_of=self._client.now(),
            company=self._client.options.org,
            source=self._client.source,
        )

    async def contents(self, query: WarehouseQuery) -> WarehouseContents:
        """Return what is in a warehouse; raises `NotFound`, for one without any stock that only its code names too."""
        place, rows = await self._in_warehouse(query.warehouse.strip())
        materials = {product.sku.casefold(): product for product in await self._catalogue.value()}
        grouped: dict[str, list[Row]] = {}
        for row in rows:
            grouped.setdefault(code(row.get("product_code")), []).append(row)
        items = (
            WarehouseItem(
                product=materials.get(sku.casefold()) or _unlisted(lines[0]),
                quantities=_figures(lines),
                source=self._client.source,
            )
            for sku, lines in grouped.items()
        )
        return contents_of(
            items, place, self._client.options.warehouses.get(place, place), query, source=self._client.source
        )

    async def _in_warehouse(self, wanted: str) -> tuple[str, list[Row]]:
        """Return the id and the stock rows of a warehouse by its id, name or code."""
        known = self._client.options.warehouses.items()
        try:
            place, _ = pick_warehouse(known, wanted, lambda each: each, source=self._client.source)
        except NotFound:
            rows = await self._stock_rows({"warehouse.code": list(spellings(wanted))}) if wanted else []
            if not rows:
                raise
            return code(rows[0].get("warehouse")), rows
        return place, await self._stock_rows({"warehouse": place})

    async def _materials(self, codes: Sequence[str]) -> list[Row]:
        return await gather_rows(*(self._client.rows(_MATERIALS, {"productCode": sku}) for sku in codes))

    async def _rows(self, codes: Sequence[str]) -> list[Row]:
        return await self._stock_rows({"productn.code": list(codes)})

    async def _stock_rows(self, body: Row) -> list[Row]:
        """Return rows of stock: unlike other lists, an array without pages."""
        if self._client.options.org:
            body = {**body, "org": self._client.options.org}
        data = await self._client.read("POST", _STOCK, body=body)
        # Without any stock there may be no array.
        if data is not None and (not isinstance(data, list) or any(not isinstance(row, dict) for row in data)):
            raise Invalid("stock did not answer with rows", source=self._client.source)
        return data or []

    def _places(self, rows: Iterable[Row]) -> tuple[WarehouseStock, ...]:
        """Return the stock per warehouse from rows per organisation, lot and state."""
        grouped: dict[str, list[Row]] = {}
        for row in rows:
            grouped.setdefault(code(row.get("warehouse")), []).append(row)
        return tuple(
            WarehouseStock(
                code=code(lines[0].get("warehouse_code")) or place,
                name=text(lines[0].get("warehouse_name")) or self._client.options.warehouses.get(place, place),
                quantities=_figures(lines),
            )
            for place, lines in grouped.items()
        )


def _unlisted(row: Row) -> Product:
    """Return a material that the catalogue does not hold yet, as its stock names it."""
    return Product(sku=code(row.get("product_code")), name=text(row.get("product_name")), unit="")


def _figures(rows: Sequence[Row]) -> Quantities:
    return Quantities(**{name: amount_of(row.get(key) for row in rows) for name, key in _FIGURES.items()})
