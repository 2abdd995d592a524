"""Materials and their stock (docs: platform/erp/yonbip.md#areas)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from bot.erp import listing
from bot.erp.concurrency import gather_or_cancel, gather_rows
from bot.erp.errors import Invalid, NotFound
from bot.erp.expiring import ExpiringValue
from bot.erp.keys import spelled_alike, spellings
from bot.erp.model import Product, Quantities, StockLevel, WarehouseStock
from bot.erp.values import amount_of, code, text
from bot.erp.yonbip.client import YonBipClient
from bot.erp.yonbip.documents import product
from bot.erp.yonbip.mapping import Row
from bot.erp.yonbip.options import YonBipOptions

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

    def __init__(self, client: YonBipClient, options: YonBipOptions, *, now: Callable[[], datetime]) -> None:
        self._client = client
        self._options = options
        self._now = now
        self._catalogue = ExpiringValue(self._read, now=now, holds=timedelta(minutes=options.catalogue_minutes))

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
        rows = await self._client.rows(_MATERIALS, {}, most=self._options.most_materials)
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
            as_of=self._now(),
            company=self._options.org,
            source=self._client.source,
        )

    async def _materials(self, codes: Sequence[str]) -> list[Row]:
        return await gather_rows(*(self._client.rows(_MATERIALS, {"productCode": sku}) for sku in codes))

    async def _rows(self, codes: Sequence[str]) -> list[Row]:
        """Return the stock rows of a code: unlike other lists, an array without pages."""
        body: Row = {"productn.code": list(codes)}
        if self._options.org:
            body["org"] = self._options.org
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
                name=text(lines[0].get("warehouse_name")) or self._options.warehouses.get(place, place),
                quantities=_figures(lines),
            )
            for place, lines in grouped.items()
        )


def _figures(rows: Sequence[Row]) -> Quantities:
    return Quantities(**{name: amount_of(row.get(key) for row in rows) for name, key in _FIGURES.items()})
