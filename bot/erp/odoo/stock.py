"""Stock by warehouse, from a product's quants or, where moves are planned, from each warehouse's own figures."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from bot.erp.model import Quantities, StockLevel, WarehouseStock
from bot.erp.odoo import query
from bot.erp.odoo.client import OdooClient, Row
from bot.erp.odoo.documents import product
from bot.erp.odoo.mapping import OdooSite, number, reference
from bot.erp.odoo.query import Condition
from bot.erp.values import text

_MOST = 2_000
"""Maximum number of quants of one product: one per location, lot, package and owner."""


async def read_places(client: OdooClient, item: Row, of_company: Condition) -> list[tuple[Row, Quantities]]:
    """Return the warehouses that hold, await or owe the product, with its figures there.

    Quants contain only on-hand and reserved quantities. They are enough if no moves are planned and they add up to the
    product's total. Otherwise every warehouse is asked, since the API computes figures for one warehouse at a time.
    """
    warehouses = await client.rows("stock.warehouse", of_company, ("code", "name"), order="id asc", limit=500)
    total = figures(item)
    if not total.incoming and not total.outgoing and "warehouse_id" in await client.fields("stock.quant"):
        rows = await client.rows(
            "stock.quant",
            [["product_id", "=", item["id"]], ["location_id.usage", "=", "internal"], *of_company],
            ("warehouse_id", "quantity", "reserved_quantity"),
            order="id asc",
            limit=_MOST,
        )
        by_warehouse: dict[int, list[Row]] = {}
        for quant in rows:
            by_warehouse.setdefault(reference(quant.get("warehouse_id")) or 0, []).append(quant)
        places = [
            (warehouse, quants(by_warehouse[warehouse["id"]]))
            for warehouse in warehouses
            if warehouse["id"] in by_warehouse
        ]
        if _adds_up(places, total):
            return places
    by_api = await asyncio.gather(*(_figures(client, item, warehouse) for warehouse in warehouses))
    return [(warehouse, found) for warehouse, found in zip(warehouses, by_api, strict=True) if not is_empty(found)]


def _adds_up(places: list[tuple[Row, Quantities]], total: Quantities) -> bool:
    parts = [(found.on_hand or 0, found.reserved or 0) for _, found in places]
    on_hand, reserved = (sum(column, Decimal(0)) for column in zip(*parts, strict=True)) if parts else (0, 0)
    return number(on_hand) == total.on_hand and number(reserved) == total.reserved


async def _figures(client: OdooClient, item: Row, warehouse: Row) -> Quantities:
    # The context key was renamed in 18.
    context: Mapping[str, Any] = {"warehouse_id": warehouse["id"], "warehouse": warehouse["id"]}
    found = await client.read("product.product", [item["id"]], query.FIGURES, context=context)
    return figures({**found.get(item["id"], {}), "is_kits": item.get("is_kits")})


def figures(row: Row) -> Quantities:
    """Return a product's figures; ``free_qty`` is what is on hand and not reserved.

    Of a kit, Odoo computes each figure from another component, so nothing is said of what is reserved.
    """
    on_hand, free = number(row.get("qty_available")), number(row.get("free_qty"))
    unknown = on_hand is None or free is None or row.get("is_kits") is True
    return Quantities(
        on_hand=on_hand,
        reserved=None if unknown else on_hand - free,  # type: ignore[operator]  # both are known
        available=free,
        incoming=number(row.get("incoming_qty")),
        outgoing=number(row.get("outgoing_qty")),
        forecast=number(row.get("virtual_available")),
    )


def is_stocked(row: Row) -> bool:
    """Return whether stock of a product is kept: not of services, nor of goods that nobody counts."""
    storable = row.get("is_storable")  # from 18 on
    if isinstance(storable, bool):
        return storable
    return bool(row.get("type", "product") == "product")


def quants(rows: Iterable[Row]) -> Quantities:
    """Return the figures of a place without planned moves from its quants, one per lot and location."""
    on_hand = reserved = Decimal(0)
    for row in rows:
        on_hand += number(row.get("quantity")) or 0
        reserved += number(row.get("reserved_quantity")) or 0
    return Quantities(
        on_hand=on_hand,
        reserved=reserved,
        available=on_hand - reserved,
        incoming=Decimal(0),
        outgoing=Decimal(0),
        forecast=on_hand,
    )


def is_empty(quantities: Quantities) -> bool:
    """Whether nothing is there, expected or owed."""
    return not any((quantities.on_hand, quantities.reserved, quantities.incoming, quantities.outgoing))


def stock_level(
    row: Row,
    places: Iterable[tuple[Row, Quantities]],
    rules: Iterable[Row],
    *,
    as_of: datetime,
    site: OdooSite,
    company: str = "",
) -> StockLevel:
    """Return a product's stock; the reorder point is the sum of its rules in all warehouses."""
    stocked = is_stocked(row)
    minimum = [found for rule in rules if (found := number(rule.get("product_min_qty"))) is not None]
    return StockLevel(
        product=product(row),
        total=figures(row) if stocked else Quantities(on_hand=None),
        per_warehouse=tuple(
            WarehouseStock(code=text(warehouse.get("code")), name=text(warehouse.get("name")), quantities=quantities)
            for warehouse, quantities in places
            if stocked
        ),
        reorder_point=sum(minimum, Decimal(0)) if minimum else None,
        as_of=as_of,
        company=company,
        source=site.source,
        is_stocked=stocked,
    )
