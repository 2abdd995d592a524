"""Changes in Odoo by ``write_date``, which shows whole seconds but is sorted with its fractions.

Docs: platform/erp/odoo.md#changes
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.erp.following import StreamPage, follow, latest
from bot.erp.model import Area, Changes, Feed, Followed
from bot.erp.odoo import mapping, query
from bot.erp.odoo.client import OdooClient, Row
from bot.erp.odoo.query import Condition

_OVERLAP = timedelta(minutes=2)
"""``write_date`` is the start of the transaction, so a long transaction appears with a time already read."""


@dataclass(frozen=True, slots=True)
class ChangeSource:
    """Where to find what changed."""

    model: str
    key: str = "name"
    base: Callable[[frozenset[str]], Condition] = lambda _: []
    """What holds for all of them, by the fields that this release has."""
    shared: bool = False
    """Whether some records belong to no company."""
    context: Mapping[str, Any] | None = None


_FOLLOWED: Mapping[Followed, ChangeSource] = {
    # Archived products too: archiving a product is a change.
    Area.PRODUCTS: ChangeSource("product.product", "default_code", shared=True, context={"active_test": False}),
    # Not the quants: an empty quant is deleted, and its ``write_date`` with it.
    Area.STOCK: ChangeSource("stock.move", "product_id"),
    Area.SALES: ChangeSource(query.SALES_ORDERS.model),
    Area.FINANCE: ChangeSource(query.INVOICES.model, base=query.INVOICES.base_of),
    Area.PURCHASING: ChangeSource(query.PURCHASE_ORDERS.model),
    Area.PRODUCTION: ChangeSource(query.PRODUCTION_ORDERS.model),
    Feed.BILLS: ChangeSource(query.BILLS.model, base=query.BILLS.base_of),
    Feed.PAYMENTS: ChangeSource(query.PAYMENTS.model, base=lambda _: query.PAYMENTS.base),
    Feed.DELIVERIES: ChangeSource(query.DELIVERIES.model, base=query.DELIVERIES.base_of),
}


async def read_changes(client: OdooClient, area: Followed, cursor: str, *, limit: int, company: int | None) -> Changes:
    """Return the next changes of an area, as `bot.erp.port.Erp.changed_since` does."""
    source = _FOLLOWED[area]

    async def read(since: datetime | None, count: int) -> list[StreamPage]:
        available = await client.fields(source.model)  # raises `Unsupported` where the app is not installed
        domain = [*source.base(available), *query.of_company(company, shared=source.shared)]
        rows = await client.search(
            source.model,
            [*domain, ["write_date", ">=", query.timestamp(since)]] if since else domain,
            [source.key, "write_date"],
            order="write_date asc, id asc",
            limit=count,
            context=source.context,
        )
        keys = await _keys(client, source, rows)
        times = [mapping.moment(row.get("write_date")) for row in rows]
        changes = ((key, at) for key, at in zip(keys, times, strict=True) if key is not None)
        return [StreamPage(latest(changes), times[-1] if len(rows) == count else None)]

    return await follow(area, cursor, limit=limit, overlap=_OVERLAP, read=read)


async def _keys(client: OdooClient, source: ChangeSource, rows: Sequence[Row]) -> list[str | None]:
    """Return the key of each row: a document number or the product's code; for a move, the code of its product."""
    if source.key == "name":
        return [mapping.number_of(row) for row in rows]
    if source.key == "default_code":
        return [mapping.sku_of(row) for row in rows]
    moved = [mapping.reference(row.get("product_id")) or 0 for row in rows]
    ids = {*moved} - {0}
    products = await client.read("product.product", ids, ("default_code",)) if ids else {}
    return [mapping.sku_of(products[key]) if key in products else None for key in moved]
