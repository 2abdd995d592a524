"""Materials and their stock: per warehouse, on order, and the ERP's forecast (docs: platform/erp/kingdee.md)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from bot.erp import listing
from bot.erp.concurrency import gather_or_cancel, gather_rows
from bot.erp.conditions import all_of
from bot.erp.errors import Invalid, NotFound, NotPermitted
from bot.erp.keys import LONGEST, spelled_alike
from bot.erp.kingdee import query
from bot.erp.kingdee.client import EXPECT_QTY, KingdeeClient
from bot.erp.kingdee.documents import product, reorder_point
from bot.erp.kingdee.mapping import Row, code, text
from bot.erp.kingdee.query import INVENTORY, MATERIALS, PURCHASES
from bot.erp.model import Product, Quantities, StockLevel, WarehouseStock
from bot.erp.values import amount_of, number

_COMING = ("FQty", "FStockInQty", "FUnitId.FName", "FMaterialId.FNumber")


class StockReader:
    """Reads stock levels; all quantities are in the material's base unit."""

    def __init__(self, client: KingdeeClient) -> None:
        self._client = client

    async def find(self, text: str, *, limit: int) -> tuple[Product, ...]:
        """Return active materials; a search with too many hits only considers the first ones by code."""
        active = "FForbidStatus='A'"
        if not text.strip():
            return await self._first(active, limit)
        keys = ("FNumber", "FName", "FSpecification", "FBARCODE")
        searched = [key for key in keys if await self._client.has(MATERIALS, key)]
        where = all_of(active, query.contains(searched, text))
        calls = [self._client.query(MATERIALS, where, limit=self._client.options.most_rows)]
        if text.isprintable() and len(text) <= LONGEST:
            calls.append(self._client.query(MATERIALS, all_of(active, query.spelled("FNumber", text))))
        found = distinct_products(await gather_rows(*calls))
        return listing.find_products(found, text, limit=limit)

    async def _first(self, active: str, limit: int) -> tuple[Product, ...]:
        """Return the first materials by code, reading on while several organisations repeat the same ones."""
        count = limit
        while True:
            rows = await self._client.query(MATERIALS, active, limit=count)
            found = distinct_products(rows)
            if len(found) >= limit or len(rows) < count:
                return tuple(found[:limit])
            count *= 2

    async def material_with_minimum(self, sku: str) -> tuple[Product, Decimal | None]:
        """Return a material and its reorder point; raises `NotFound`."""
        rows = await self._rows_of(sku)
        return product(rows[0]), reorder_point(rows)

    async def material(self, sku: str) -> Product:
        """Return a material; raises `NotFound`."""
        return product((await self._rows_of(sku))[0])

    async def _rows_of(self, sku: str) -> list[Row]:
        rows = only_coded(await self._client.query(MATERIALS, query.spelled("FNumber", sku)), "FNumber", sku)
        if not rows:
            raise NotFound(sku, source=self._client.source)
        return rows

    async def level(self, sku: str) -> StockLevel:
        """Return a material's stock; raises `NotFound`.

        Empty places are left out, as the ERP has a line for every place that ever held stock. No line at all means no
        stock, or none that the account may see.
        """
        materials, rows, purchase_lines = await gather_or_cancel(
            self._client.query(MATERIALS, query.spelled("FNumber", sku)),
            self._client.query(INVENTORY, query.spelled("FMaterialId.FNumber", sku)),
            self._coming(sku),
        )
        materials = only_coded(materials or (), "FNumber", sku)
        if not materials:
            raise NotFound(sku, source=self._client.source)
        found = product(materials[0])
        rows = only_coded(rows or (), "FMaterialId.FNumber", found.sku)
        places, total = places_of(rows), figures_of(rows)
        incoming = (
            None
            if purchase_lines is None
            else _incoming(only_coded(purchase_lines, "FMaterialId.FNumber", found.sku), found.unit)
        )
        forecast = await self._forecast(found.sku, [place.code for place in places])
        return StockLevel(
            product=found,
            total=replace(total, incoming=incoming, forecast=forecast.get("")),
            per_warehouse=tuple(
                replace(place, quantities=replace(place.quantities, forecast=forecast.get(place.code)))
                for place in places
            ),
            reorder_point=reorder_point(materials),
            as_of=self._client.now(),
            company=self._client.options.org,
            source=self._client.source,
        )

    async def _coming(self, sku: str) -> list[Row] | None:
        """Return the lines of open purchase orders for a material, None without the right to read them."""
        where = all_of(
            query.spelled("FMaterialId.FNumber", sku),
            "FDocumentStatus='C' and FCloseStatus='A' and FCancelStatus='A'",
        )
        try:
            return await self._client.query(PURCHASES, where, keys=_COMING)
        except NotPermitted:
            return None

    async def _forecast(self, sku: str, warehouses: Iterable[str]) -> dict[str, Decimal]:
        """Return the ERP's forecast, in total (under the key "") and by warehouse."""
        if not self._client.options.expect_field:
            return {}
        places = ["", *warehouses]
        items: list[dict[str, Any]] = []
        for row, place in enumerate(places, 1):
            stock = {"StockId": {"FNumber": place}} if place else {}
            org, material = {"FNumber": self._client.options.org}, {"FNumber": sku}
            items.append({"Row": row, "StockOrgId": org, "MaterialId": material, **stock})
        answer = await self._client.read(EXPECT_QTY, {"parameters": [json.dumps(items)]})
        try:
            figures = {code(row["Row"]): number(row[self._client.options.expect_field]) for row in _expected(answer)}
        except (KeyError, TypeError, ValueError) as error:
            text = f"no {self._client.options.expect_field} in the answer to GetExpectQty"
            raise Invalid(text, source=self._client.source) from error
        found = ((place, figures.get(str(row))) for row, place in enumerate(places, 1))
        return {place: figure for place, figure in found if figure is not None}


def _expected(answer: Any) -> list[Any]:
    """Return the rows of an answer: a list, or a list under ``Data``."""
    rows = answer.get("Data") if isinstance(answer, dict) else answer
    if not isinstance(rows, list) or not rows:
        raise ValueError("no rows")
    return rows


def only_coded(rows: Iterable[Row], key: str, sku: str) -> list[Row]:
    """Return the rows with exactly this code, else those that differ only in case."""
    alike = spelled_alike(rows, sku, lambda row: code(row[key]))
    return [row for row in alike if code(row[key]) == code(alike[0][key])]


def distinct_products(rows: Iterable[Row]) -> list[Product]:
    """Return products without repeats: a material of several organisations has a line for each."""
    return list({found.sku: found for found in map(product, rows)}.values())


def places_of(rows: Iterable[Row]) -> list[WarehouseStock]:
    """Return the stock per warehouse from lines per lot, place, owner and state."""
    grouped: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        grouped.setdefault((code(row["FStockId.FNumber"]), code(row["FStockOrgId.FNumber"])), []).append(row)
    codes = [place for place, _ in grouped]
    places = [
        WarehouseStock(
            # Different warehouses of several organisations may have the same code.
            code=place if codes.count(place) == 1 else f"{org}/{place}",
            name=text(lines[0]["FStockId.FName"]),
            quantities=figures_of(lines),
        )
        for (place, org), lines in grouped.items()
    ]
    return [place for place in places if place.quantities.on_hand or place.quantities.reserved]


def figures_of(rows: list[Row]) -> Quantities:
    on_hand, available, reserved = (
        amount_of(row.get(key) for row in rows) for key in ("FBaseQty", "FBaseAVBQty", "FBaseLockQty")
    )
    if on_hand is not None and available is None and reserved is not None:
        available = on_hand - reserved
    elif on_hand is not None and available is not None and reserved is None:
        reserved = on_hand - available
    return Quantities(on_hand=on_hand, reserved=reserved, available=available)


def _incoming(rows: Iterable[Row], unit: str) -> Decimal | None:
    """Return the quantity still to come, None if a line is in another unit than stock."""
    total = Decimal(0)
    for row in rows:
        ordered, received = number(row["FQty"]), number(row["FStockInQty"]) or Decimal(0)
        if ordered is None or text(row["FUnitId.FName"]) != unit:
            return None
        total += max(ordered - received, Decimal(0))
    return total
