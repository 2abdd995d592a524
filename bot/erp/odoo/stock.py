"""A product's stock by warehouse: from its quants in one question, or each warehouse's own figures where goods move."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from bot.erp.model import Quantities
from bot.erp.odoo import documents, mapping, query
from bot.erp.odoo.client import OdooClient, Row
from bot.erp.odoo.query import Condition

_MOST = 2_000
"""Quants of one product: one per shelf, lot, package and owner."""


async def read_places(client: OdooClient, product: Row, of_company: Condition) -> list[tuple[Row, Quantities]]:
    """Return the warehouses that hold, await or owe the product, with its figures there.

    Quants tell what is on hand and reserved, not what comes and leaves. They are enough where nothing does and where
    they add up to the product's total; else every warehouse is asked, since the API narrows figures to one at a time.
    """
    warehouses = await client.rows("stock.warehouse", of_company, ("code", "name"), order="id asc", limit=500)
    total = documents.figures(product)
    if not total.incoming and not total.outgoing and "warehouse_id" in await client.fields("stock.quant"):
        quants = await client.rows(
            "stock.quant",
            [["product_id", "=", product["id"]], ["location_id.usage", "=", "internal"], *of_company],
            ("warehouse_id", "quantity", "reserved_quantity"),
            order="id asc",
            limit=_MOST,
        )
        by_warehouse: dict[int, list[Row]] = {}
        for quant in quants:
            by_warehouse.setdefault(mapping.reference(quant.get("warehouse_id")) or 0, []).append(quant)
        places = [(w, documents.quants(by_warehouse[w["id"]])) for w in warehouses if w["id"] in by_warehouse]
        if _adds_up(places, total):
            return places
    figures = await asyncio.gather(*(_figures(client, product, warehouse) for warehouse in warehouses))
    return [(w, found) for w, found in zip(warehouses, figures, strict=True) if not documents.is_empty(found)]


def _adds_up(places: list[tuple[Row, Quantities]], total: Quantities) -> bool:
    parts = [(found.on_hand or 0, found.reserved or 0) for _, found in places]
    on_hand, reserved = (sum(column, Decimal(0)) for column in zip(*parts, strict=True)) if parts else (0, 0)
    return mapping.number(on_hand) == total.on_hand and mapping.number(reserved) == total.reserved


async def _figures(client: OdooClient, product: Row, warehouse: Row) -> Quantities:
    # The name of the context key is another one since 18.
    context: Mapping[str, Any] = {"warehouse_id": warehouse["id"], "warehouse": warehouse["id"]}
    found = await client.read("product.product", [product["id"]], query.FIGURES, context=context)
    return documents.figures(found.get(product["id"], {}))
